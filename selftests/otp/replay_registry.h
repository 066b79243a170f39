/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registry scenarios, NAME.reg: replay_registry_parse.c turns text into a struct
 * reg_scenario, replay_registry.c plays its commands one by one on /dev/supervisor
 * and words the trace, and replay_registry_process.c is the processes whose entries
 * they are.
 */
#ifndef REPLAY_REGISTRY_H
#define REPLAY_REGISTRY_H

#include <linux/supervisor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum reg_verb {
	REG_REGISTRY,
	REG_PROC,
	/* a process ends */
	REG_EXIT,
	REG_CRASH,
	REG_KILL,
	/* a process acts */
	REG_REGISTER,
	REG_UNREGISTER,
	REG_UNREGISTER_MATCH,
	REG_UPDATE_VALUE,
	/* anybody asks */
	REG_LOOKUP,
	REG_MATCH,
	REG_DISPATCH,
	REG_VALUES,
	REG_KEYS,
	REG_COUNT,
	REG_COUNT_MATCH,
	REG_SELECT,
	REG_WHEREIS,
	REG_PUT_META,
	REG_META,
	REG_DELETE_META
};

struct reg_command {
	enum reg_verb verb;
	unsigned int line;
	char *text;		/* for the echo: words with one blank between */
	const char *registry;
	const char *process;
	const char *key;
	const char *value;
	const char **names;	/* PROC */
	size_t nr_names;
	int64_t keys;		/* REGISTRY: SUPERVISOR_KEYS_*, or what is refused */
	int64_t partitions;
	bool listener;
};

struct reg_scenario {
	const char *path;
	struct reg_command *commands;
	size_t nr_commands;
	char *bytes;		/* the file; the strings above are in it */
};

bool reg_scenario_read(struct reg_scenario *scenario, const char *path);
void reg_scenario_free(struct reg_scenario *scenario);

/* What came of a command in a process. */
struct reg_answer {
	bool known;		/* there is such a registry */
	int error;		/* what the call returned: -errno, or not negative */
	pid_t pid;		/* REGISTER, EEXIST: who has the key */
	size_t len;		/* UPDATE_VALUE: of the old value */
	char old[SUPERVISOR_VALUE_MAX];
};

/* A process of the scenario: one incarnation of a name. */
struct reg_process {
	const char *name;
	pid_t pid;
	int socket;		/* -1: it is dead */
	struct reg_process *next;
};

bool reg_process_start(struct reg_process *process, const struct reg_scenario *scenario);
bool reg_process_act(const struct reg_process *process, const struct reg_scenario *scenario,
		     const struct reg_command *command, struct reg_answer *answer);
bool reg_process_end(struct reg_process *process, const struct reg_scenario *scenario,
		     const struct reg_command *command);
void reg_process_kill(struct reg_process *process);

int reg_open(int device, const char *name, int access);

/* Play a file; false, after saying why, if that was not possible. */
bool reg_play_file(const char *path);

#endif
