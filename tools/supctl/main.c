// SPDX-License-Identifier: GPL-2.0
/*
 * main - finds the verb.
 */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common.h"
#include "verbs.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *doc;
} verbs[] = {
	{ "run", verb_run, "FILE", "start the tree in FILE and serve it until it ends" },
	{ "check", verb_check, "FILE", "say what is wrong with FILE, starting nothing" },
	{ "tree", verb_tree, "[PATH]", "show trees with all their children" },
	{ "status", verb_status, "PATH", "show one supervisor or child; fail unless it runs" },
	{ "info", verb_info, "[PATH]", "show how it is to be treated; or the module and its limits" },
	{ "start", verb_start, "PATH", "start a child that is not running" },
	{ "stop", verb_stop, "PATH", "stop a child, or a whole tree" },
	{ "restart", verb_restart, "PATH", "stop a child and start it" },
	{ "delete", verb_delete, "PATH", "forget a stopped child" },
	{ "suspend", verb_suspend, "PATH", "let a supervisor decide nothing for now" },
	{ "resume", verb_resume, "PATH", "let it decide again" },
	{ "events", verb_events, "NAME", "follow what happens in a tree" },
};

static void usage(FILE *to)
{
	size_t i;

	fprintf(to, "Usage: %s VERB [OPTION...] [ARGUMENT]\n\n",
		program_invocation_short_name);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(to, "  %-8s %-7s %s\n", verbs[i].name, verbs[i].args,
			verbs[i].doc);
	fputs("\nA PATH is a tree's name, then ids: shop/web/2.\n"
	      "'supctl VERB --help' tells a verb's options.\n"
	      "Exit status: 0 done, 1 not so, 99 timed out, 100 usage, "
	      "111 a system call failed.\n", to);
}

int main(int argc, char **argv)
{
	size_t i;

	setlocale(LC_CTYPE, "");
	argp_err_exit_status = STATUS_USAGE;
	if (argc < 2) {
		usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		usage(stdout);
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("supctl " SUPERVISOR_VERSION);
		return STATUS_OK;
	}
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name)) {
			/* what argp calls the program */
			argv[1] = xasprintf("%s %s",
					    program_invocation_short_name,
					    verbs[i].name);
			i = verbs[i].run(argc - 1, argv + 1);
			free(argv[1]);
			if (fflush(stdout) || ferror(stdout))
				die_error(errno, "standard output");
			return i;
		}
	complain("%s: no such verb", argv[1]);
	usage(stderr);
	return STATUS_USAGE;
}
