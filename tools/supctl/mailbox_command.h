/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mailbox_command - a command that handles messages, run once for each.
 */
#ifndef SUPCTL_MAILBOX_COMMAND_H
#define SUPCTL_MAILBOX_COMMAND_H

#include <stdbool.h>
#include <supervisor.h>

struct mailbox_command {
	const char *mailbox;	/* its name */
	char **argv;
	int signals;		/* of signals_catch() */

	/* after mailbox_command_run(): */
	int status;		/* the command's wait status */
	bool stopping;		/* a signal came, which it got too */
	const void *reply;	/* what it has printed, of a call */
	size_t length;		/* more than SUPERVISOR_PAYLOAD_MAX: too much */
};

/*
 * Runs the command for a CAST or CALL, until it has ended. Does not return if
 * it cannot be run.
 */
void mailbox_command_run(struct mailbox_command *command,
			 const struct supervisor_msg *msg);

#endif
