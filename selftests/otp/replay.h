/* SPDX-License-Identifier: GPL-2.0 */
/*
 * replay - plays supervision scenarios and prints the trace of what happened.
 *
 * replay_parse.c turns text into a struct scenario, replay.c plays its commands
 * one by one and words the trace, and a backend carries them out: replay_policy.c
 * against the pure policy with a simulated clock, replay_device.c on
 * /dev/supervisor with real processes.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Option values as written; NULL is not given. Some are wrong on purpose. */
struct scn_flags {
	const char *strategy;
	const char *max_restarts;
	const char *max_seconds;
	const char *auto_shutdown;
	const char *max_children;	/* of a dynsup */
};

struct scn_child {
	const char *name;
	const char *id;		/* the name, unless given */
	const char *restart;
	const char *shutdown;
	const char *significant;
	const char *type;
};

enum scn_kind {
	KIND_STATIC,
	KIND_DYNAMIC,		/* dynsup: Elixir's DynamicSupervisor */
	KIND_SIMPLE		/* OTP's simple_one_for_one; its one child is the template */
};

struct scn_sup {
	const char *name;
	enum scn_kind kind;
	struct scn_flags flags;
	struct scn_child *children;
	size_t nr_children;
};

enum scn_verb {
	VERB_START_CHILD,
	VERB_TERMINATE_CHILD,
	VERB_RESTART_CHILD,
	VERB_DELETE_CHILD,
	VERB_GET_CHILDSPEC,
	VERB_WHICH_CHILDREN,
	VERB_COUNT_CHILDREN
};

struct scn_call {
	enum scn_verb verb;
	const char *sup;
	struct scn_child child;	/* those without options: its name alone */
	char *text;
};

/* How a start attempt ends. */
enum scn_attempt {
	ATTEMPT_OK,
	ATTEMPT_FAIL,
	ATTEMPT_IGNORE
};

enum scn_command_type {
	/* how children are to behave: no trace output */
	CMD_ATTEMPTS,
	CMD_STUBBORN,
	CMD_SLOW,
	CMD_ONTERM,
	CMD_QUEUE,
	/* what happens */
	CMD_RUN,
	CMD_DIE,
	CMD_STOP,
	CMD_SLEEP,
	CMD_FREEZE,
	CMD_THAW,
	CMD_CALL
};

struct scn_command {
	enum scn_command_type type;
	unsigned int line;
	char *text;		/* for the echo: words with one blank between */
	const char **names;	/* whom it is about */
	size_t nr_names;
	enum scn_attempt attempt;	/* ATTEMPTS */
	uint64_t number;	/* ATTEMPTS; STUBBORN 0 or 1; SLOW, SLEEP ms */
	int reason;		/* ONTERM, DIE, STOP: SUPERVISOR_EXIT_* */
	struct scn_call call;	/* QUEUE, CALL */
};

struct scenario {
	const char *path;
	struct scn_sup *sups;
	size_t nr_sups;
	struct scn_command *commands;
	size_t nr_commands;
	char *bytes;		/* the file; the strings above are in it */
};

bool scenario_read(struct scenario *scenario, const char *path);
void scenario_free(struct scenario *scenario);
const struct scn_sup *scenario_sup(const struct scenario *scenario, const char *name);

/* What the options mean; a bad one gets a value that is refused by its name. */
struct scn_flag_values {
	int64_t strategy;
	int64_t intensity;
	int64_t period;
	int64_t auto_shutdown;
	int64_t max_children;	/* -1: any number; less: a bad one */
};

struct scn_child_values {
	int64_t restart;
	int64_t significant;
	int64_t type;
	int64_t shutdown_ms;
};

struct scn_flag_values scn_flag_values(const struct scn_flags *flags);
struct scn_child_values scn_child_values(const struct scn_child *child);

/* How who bears a name behaves: what the lines that print nothing say. */
struct behaviour {
	struct attempts *attempts;	/* how its next starts end */
	struct queued *queued;		/* calls that come before its next failure */
	bool stubborn;
	uint64_t slow_ms;
	int onterm;			/* SUPERVISOR_EXIT_* */
};

void behaviour_init(struct behaviour *behaviour);
void behaviour_free(struct behaviour *behaviour);
bool behaviour_note(struct behaviour *behaviour, const struct scn_command *command);
enum scn_attempt behaviour_next_attempt(struct behaviour *behaviour);
const struct scn_call *behaviour_next_queued(struct behaviour *behaviour);

/*
 * What a backend says. All take UAPI values: SUPERVISOR_RESULT_*, _INVALID_*,
 * _EXIT_*, _CHILD_*.
 */
const char *say_reason(int reason);
void say_result(FILE *out, int result);
void say_invalid_flags(FILE *out, int invalid, const struct scn_flags *flags);
void say_invalid_child(FILE *out, int invalid, const struct scn_child *child);
void say_child_state(FILE *out, bool first, const char *id, size_t id_len, int state, int type);
void say_child_spec(FILE *out, const char *id, size_t id_len,
		    const struct scn_child_values *values);

enum die_result {
	DIE_OK,
	DIE_NOT_RUNNING,
	DIE_NOT_WORKER
};

/**
 * struct replay_backend - who carries commands out
 * @open: make a world for a scenario; trace lines go to @trace
 * @close: end it, silently
 * @behave: note how a child is to behave
 * @run: start a root; say the result
 * @die: let the named workers die in this order, before a supervisor reacts
 * @stop: stop a supervisor; say the result
 * @sleep: let time pass
 * @freeze: suspend every supervisor
 * @thaw: resume them
 * @call: make a call; say the result, or queue it when frozen
 * @settle: go on until every supervisor is idle; not called when frozen
 *
 * Each but @open and @close returns false when the scenario cannot go on, and
 * has said why on stderr.
 */
struct replay_backend {
	void *(*open)(const struct scenario *scenario, FILE *trace);
	void (*close)(void *world);
	bool (*behave)(void *world, const struct scn_command *command);
	bool (*run)(void *world, const struct scn_sup *sup, FILE *result);
	bool (*die)(void *world, const char **names, size_t nr_names, int reason,
		    enum die_result *results);
	bool (*stop)(void *world, const char *sup, int reason, FILE *result);
	bool (*sleep)(void *world, uint64_t ms);
	bool (*freeze)(void *world);
	bool (*thaw)(void *world);
	bool (*call)(void *world, const struct scn_call *call, FILE *result);
	bool (*settle)(void *world);
};

extern const struct replay_backend replay_policy;
extern const struct replay_backend replay_device;

/* Take the first element out of a list that goes on by its @next. */
#define take_first(list_) \
	({ \
		__typeof__(list_) first_ = (list_); \
		if (first_) \
			(list_) = first_->next; \
		first_; \
	})

/* Take an element out of such a list. */
#define take_out(list_, element_) \
	do { \
		__typeof__(list_) *link_ = &(list_); \
		while (*link_ != (element_)) \
			link_ = &(*link_)->next; \
		*link_ = (element_)->next; \
	} while (0)

char *text_read(const char *path);
size_t text_words(char *line, const char **words, size_t max);
char *text_join(const char *const *words, size_t nr_words);
bool text_is_name(const char *word);

/* Memory runs out only for programs that could not go on either. */
void *xcalloc(size_t nr, size_t size);
void *xgrow(void *array, size_t nr, size_t size);

#endif
