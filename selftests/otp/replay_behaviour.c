// SPDX-License-Identifier: GPL-2.0
/* How children are to behave: the lines that print nothing, kept until needed. */
#include <linux/supervisor.h>
#include <stdlib.h>

#include "replay.h"

struct attempts {
	enum scn_attempt outcome;
	uint64_t left;
	struct attempts *next;
};

struct queued {
	const struct scn_call *call;
	struct queued *next;
};

void behaviour_init(struct behaviour *behaviour)
{
	*behaviour = (struct behaviour){ .onterm = SUPERVISOR_EXIT_SHUTDOWN };
}

static void add_attempts(struct behaviour *behaviour, enum scn_attempt outcome, uint64_t left)
{
	struct attempts **end = &behaviour->attempts;

	while (*end)
		end = &(*end)->next;
	*end = xcalloc(1, sizeof(**end));
	(*end)->outcome = outcome;
	(*end)->left = left;
}

static void add_queued(struct behaviour *behaviour, const struct scn_call *call)
{
	struct queued **end = &behaviour->queued;

	while (*end)
		end = &(*end)->next;
	*end = xcalloc(1, sizeof(**end));
	(*end)->call = call;
}

/* Note what a command says; false if it says nothing of behaviour. */
bool behaviour_note(struct behaviour *behaviour, const struct scn_command *command)
{
	switch (command->type) {
	case CMD_ATTEMPTS:
		add_attempts(behaviour, command->attempt, command->number);
		return true;
	case CMD_STUBBORN:
		behaviour->stubborn = command->number;
		return true;
	case CMD_SLOW:
		behaviour->slow_ms = command->number;
		return true;
	case CMD_ONTERM:
		behaviour->onterm = command->reason;
		return true;
	case CMD_QUEUE:
		add_queued(behaviour, &command->call);
		return true;
	default:
		return false;
	}
}

/* How the next start ends. */
enum scn_attempt behaviour_next_attempt(struct behaviour *behaviour)
{
	struct attempts *attempts = behaviour->attempts;

	while (attempts && attempts->left == 0) {
		behaviour->attempts = attempts->next;
		free(attempts);
		attempts = behaviour->attempts;
	}
	if (!attempts)
		return ATTEMPT_OK;
	attempts->left--;
	return attempts->outcome;
}

/* The next call to make before a failed start is reported; NULL after the last. */
const struct scn_call *behaviour_next_queued(struct behaviour *behaviour)
{
	struct queued *queued = behaviour->queued;
	const struct scn_call *call;

	if (!queued)
		return NULL;
	call = queued->call;
	behaviour->queued = queued->next;
	free(queued);
	return call;
}

void behaviour_free(struct behaviour *behaviour)
{
	while (behaviour_next_queued(behaviour))
		;
	while (behaviour->attempts) {
		struct attempts *attempts = behaviour->attempts;

		behaviour->attempts = attempts->next;
		free(attempts);
	}
}
