// SPDX-License-Identifier: GPL-2.0
/*
 * tree - owns a supervisor whose children run the program, started by the
 * library's spawner as supctl would.
 */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

static void tree_spawn(void *context)
{
	struct tree *tree = context;
	SUP_OPTS(sup_spawner_opts, opts, .supervisor = tree->supervisor);
	struct sup_spawner *spawner;

	check(sup_spawner_new(&spawner, tree->device, tree->mailbox, &opts),
	      "cannot make a spawner");
	check(sup_spawner_run(spawner), "the spawner failed");
	notes_write();
	sup_spawner_free(spawner);
}

static void tree_add(struct tree *tree, unsigned int children, bool sessions)
{
	SUP_OPTS(sup_child_opts, opts,
		 .signal_whom = sessions ? SUPERVISOR_SIGNAL_GROUP :
					   SUPERVISOR_SIGNAL_PROCESS);
	struct sup_command *command;

	check(sup_command_new(&command), "cannot make a command");
	check(sup_command_add_arg(command, program), "cannot set a command");
	opts.command = command;
	for (unsigned int i = 0; i < children; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%u", i);
		check(sup_child_add(tree->supervisor, id, &opts,
				    SUPERVISOR_NO_DEADLINE, NULL),
		      "cannot add a child");
	}
	sup_command_free(command);
}

void tree_make(struct tree *tree, const struct sup_create_opts *opts)
{
	tree->device = check(sup_device_open(), "cannot open /dev/supervisor");
	tree->mailbox = check(sup_mailbox_create(tree->device, 0, NULL),
			      "cannot make a mailbox");
	tree->supervisor = check(sup_create(tree->device, tree->mailbox, opts,
					    NULL),
				 "cannot make a supervisor");
	tree->spawner = process_start(tree_spawn, tree);
	/* It waits for the first START. */
	sleep_ms(20);
}

void tree_new(struct tree *tree, unsigned int children, bool sessions)
{
	SUP_OPTS(sup_create_opts, opts, .intensity = 1000, .period = 1);

	tree_make(tree, &opts);
	tree_add(tree, children, sessions);
}

uint64_t tree_stop(struct tree *tree)
{
	uint64_t end;

	check(sup_stop(tree->supervisor, SUPERVISOR_EXIT_NORMAL,
		       SUPERVISOR_NO_DEADLINE),
	      "cannot stop the tree");
	end = notes_read().time_ns;
	process_wait(tree->spawner);
	return end;
}

void tree_close(struct tree *tree)
{
	close(tree->supervisor);
	close(tree->mailbox);
	close(tree->device);
}
