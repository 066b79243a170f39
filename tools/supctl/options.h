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
	OPTION_VERBOSE = 1 << 7
};

struct options {
	unsigned int allowed;		/* OPTION_* */
	const char *args;		/* options_parse()'s */
	const char *argument;		/* the first; NULL: there is none */
	char **more;			/* those after it, NULL behind them */
	bool json;
	const char *fields;
	bool pretty;
	uint64_t deadline;		/* SUPERVISOR_NO_DEADLINE without -t */
	bool recursive;
	bool restart_changed;
	bool quiet;
	bool verbose;
};

/*
 * @args: a word for each argument: "FILE", "[PATH]" where it may be left out,
 * "TARGET..." for one or more. Does not return on --help and on mistakes.
 */
void options_parse(struct options *options, int argc, char **argv,
		   const char *args, const char *doc);

#endif
