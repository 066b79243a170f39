// SPDX-License-Identifier: GPL-2.0
/*
 * main - the verbs.
 */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "../common.h"
#include "verbs.h"

static const struct verb verbs[] = {
	{ "run", verb_run, "FILE", "start the tree in FILE and serve it until it ends" },
	{ "adopt", verb_adopt, "NAME", "serve a tree whose owner is gone" },
	{ "check", verb_check, "FILE", "say what is wrong with FILE, starting nothing" },
	{ "tree", verb_tree, "[PATH]", "show trees with all their children" },
	{ "status", verb_status, "PATH", "show one supervisor or child; fail unless it runs" },
	{ "info", verb_info, "[PATH]", "show how it is to be treated; or the module and its limits" },
	{ "start", verb_start, "PATH", "start a child that is not running" },
	{ "start-child", verb_start_child, "PATH [ARG...]", "have a dynamic supervisor start one" },
	{ "join", verb_join, "PATH -- COMMAND...", "run a command as the child of a dynamic supervisor" },
	{ "stop", verb_stop, "PATH", "stop a child, or a whole tree" },
	{ "restart", verb_restart, "PATH", "stop a child and start it" },
	{ "delete", verb_delete, "PATH", "forget a stopped child" },
	{ "suspend", verb_suspend, "PATH", "let a supervisor decide nothing for now" },
	{ "resume", verb_resume, "PATH", "let it decide again" },
	{ "route", verb_route, "PATH KEY", "say which partition a key belongs to" },
	{ "resize", verb_resize, "PATH PARTITIONS", "use so many partitions" },
	{ "events", verb_events, "NAME", "follow what happens in a tree" },
	{ "lineage", verb_lineage, "TARGET", "show whose a child or process is, and who asked for it" },
	{ "mailbox", verb_mailbox, "VERB", "make mailboxes and serve, show and remove them" },
	{ "cast", verb_cast, "/NAME [PAYLOAD]", "send a message to a mailbox" },
	{ "call", verb_call, "/NAME [PAYLOAD]", "send one and print the reply" },
	{ "registry", verb_registry, "VERB", "give processes names that they have while they live, and look them up" },
	{ "sys", verb_sys, "VERB", "suspend, resume, look into, trace, stop a server" },
	{ "map", verb_map, "-- COMMAND...", "run a command for each line of input, many at a time" },
	{ "monitor", verb_monitor, "TARGET...", "tell when processes, mailboxes, trees are gone" },
};

static const char notes[] =
	"A PATH is a tree's name, then ids: shop/web/2. A mailbox or a\n"
	"registry is /NAME.\n"
	"'supctl VERB --help' tells a verb's options.\n"
	"Exit status: 0 done, 1 not so, 2 its server died, 99 timed out, 100 usage,\n"
	"111 a system call failed.\n";

int main(int argc, char **argv)
{
	int status;

	setlocale(LC_CTYPE, "");
	argp_err_exit_status = STATUS_USAGE;
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("supctl " SUPERVISOR_VERSION);
		return STATUS_OK;
	}
	if (argc)
		argv[0] = program_invocation_short_name;
	status = verbs_run(verbs, ARRAY_SIZE(verbs), notes, argc, argv);
	if (fflush(stdout) || ferror(stdout))
		die_error(errno, "standard output");
	return status;
}
