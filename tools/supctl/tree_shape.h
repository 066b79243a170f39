/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tree_shape - the shape of a tree file: which keys there are, which of them
 * hold a word, a list or a mapping. libcyaml reads it into these structs; what
 * the words mean is tree_file's to say.
 */
#ifndef SUPCTL_TREE_SHAPE_H
#define SUPCTL_TREE_SHAPE_H

#include "mistakes.h"
#include "yaml_doc.h"

/* rlimits, in the order in which the manual lists them. */
#define TREE_LIMITS(limit) \
	limit(as, AS) \
	limit(core, CORE) \
	limit(cpu, CPU) \
	limit(data, DATA) \
	limit(fsize, FSIZE) \
	limit(locks, LOCKS) \
	limit(memlock, MEMLOCK) \
	limit(msgqueue, MSGQUEUE) \
	limit(nice, NICE) \
	limit(nofile, NOFILE) \
	limit(nproc, NPROC) \
	limit(rss, RSS) \
	limit(rtprio, RTPRIO) \
	limit(rttime, RTTIME) \
	limit(sigpending, SIGPENDING) \
	limit(stack, STACK)

#define TREE_LIMIT_MEMBER(name, NAME) char *name;
struct shape_limits {
	TREE_LIMITS(TREE_LIMIT_MEMBER)
};
#undef TREE_LIMIT_MEMBER

struct shape_retry {
	char *min;
	char *max;
	char *factor;
	char *jitter;
	char *reset_after;
	char *counted;
};

struct shape_register {
	char *registry;
	char *key;
	char *value;
};

struct shape_child;

struct shape_dynamic {
	char *max_children;
	char *spawn;
	struct shape_child *template;
};

/* Every word as the file has it, NULL where it has none. */
struct shape_child {
	char *id;
	char *restart;
	char *shutdown;
	char *significant;
	char *type;
	struct shape_retry *retry;
	/* of a process */
	char **command;
	unsigned int command_count;
	char *shell;
	char *stop_signal;
	char *signal;
	char *readiness;
	char *start_timeout;
	char *clear_env;	/* env itself has keys of the user's choice */
	char *cwd;
	char *user;
	char *group;
	char **groups;
	unsigned int groups_count;
	char *umask;
	struct shape_limits *limits;
	struct shape_register *registered;
	char *stdin_from;
	char *stdout_to;
	char *stderr_to;
	/* of a supervisor */
	char *strategy;
	char *intensity;
	char *period;
	char *auto_shutdown;
	char *partitions;
	struct shape_child *children;
	unsigned int children_count;
	/* of a dynamic one */
	struct shape_dynamic dynamic;
};

struct shape_registry {
	char *name;
	char *keys;
	char *partitions;
	char *mode;
};

struct shape_root {
	char *name;
	char *owner_death;
	char *hold;
	char *spawner_timeout;
	char *strategy;
	char *intensity;
	char *period;
	char *auto_shutdown;
	char *partitions;
	char *type;
	struct shape_dynamic dynamic;
	struct shape_registry *registries;
	unsigned int registries_count;
	struct shape_child *children;
	unsigned int children_count;
};

/* NULL, and a mistake, where the document is not of this shape. */
struct shape_root *tree_shape_load(struct yaml_doc *doc, struct mistakes *m);
void tree_shape_free(struct shape_root *root);

#endif
