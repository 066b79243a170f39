/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options - the options of the verbs: one table, from which each verb takes
 * what it understands, and its arguments.
 */
#ifndef SUPCTL_OPTIONS_H
#define SUPCTL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	OPTION_JSON = 1 << 0,
	OPTION_FIELDS = 1 << 1,
	OPTION_PRETTY = 1 << 2,
	OPTION_TIMEOUT = 1 << 3,
	OPTION_RECURSIVE = 1 << 4,
	OPTION_RESTART_CHANGED = 1 << 5,
	OPTION_QUIET = 1 << 6,
	OPTION_VERBOSE = 1 << 7,
	OPTION_SURVIVE = 1 << 8,
	OPTION_KEEP_GOING = 1 << 9,
	OPTION_MODE = 1 << 10,
	OPTION_LIMITS = 1 << 11,
	OPTION_COUNT = 1 << 12,
	OPTION_REGISTRY = 1 << 13,
	OPTION_MAP = 1 << 14,
	OPTION_OWNER_DEATH = 1 << 15,
	OPTION_ALL = 1 << 16,
	OPTION_PID = 1 << 17
};

struct options {
	unsigned int allowed;		/* OPTION_* */
	const char *args;		/* options_parse()'s */
	const char *argument;		/* the first; NULL: there is none */
	char **more;			/* those after it, NULL behind them */
	char **command;			/* what follows "--", if args have that */
	bool json;
	const char *fields;
	bool pretty;
	uint64_t deadline;		/* SUPERVISOR_NO_DEADLINE without -t */
	bool timed;			/* there is a -t */
	uint64_t timeout_ns;		/* which said so; SUPERVISOR_NO_DEADLINE without */
	bool recursive;
	bool restart_changed;
	bool quiet;
	bool verbose;
	bool survive;
	bool keep_going;
	uint32_t mode;			/* 0600 without -m */
	uint32_t max_messages, max_bytes, max_payload; /* 0: not given */
	uint32_t count;			/* 1 without -n */
	bool duplicate;
	uint32_t jobs;			/* 0: not given */
	uint64_t max_output;		/* likewise */
	bool unordered;
	bool exit_on_timeout;
	bool nul;			/* ends lines, not a newline */
	const char *owner_death;	/* NULL: not given */
	uint32_t hold_ms;		/* 0: not given */
	bool adopt;
	bool all;
	int pid;			/* 0: not given */
};

/*
 * @args: a word for each argument: "FILE", "[PATH]" where it may be left out,
 * "TARGET..." for one or more; and at the end "-- COMMAND...", if there has to be
 * one. Does not return on --help and on mistakes.
 */
void options_parse(struct options *options, int argc, char **argv,
		   const char *args, const char *doc);

#endif
