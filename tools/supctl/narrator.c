// SPDX-License-Identifier: GPL-2.0
/*
 * narrator - what `supctl run` says on stderr of the tree it serves: deaths
 * that nobody asked for, starts that failed, what came back; or everything.
 */
#include "narrator.h"

#include <stdlib.h>
#include <string.h>

#include "../common.h"
#include "event_text.h"

void narrator_init(struct narrator *narrator, const char *root, bool quiet,
		   bool verbose)
{
	memset(narrator, 0, sizeof(*narrator));
	narrator->root = root;
	narrator->quiet = quiet;
	narrator->verbose = verbose;
}

void narrator_free(struct narrator *narrator)
{
	free(narrator->asked);
}

static void remember_asked(struct narrator *narrator, uint64_t child)
{
	narrator->asked = xrealloc(narrator->asked, narrator->asked_count + 1,
				   sizeof(*narrator->asked));
	narrator->asked[narrator->asked_count++] = child;
}

/* Whether the child was asked to stop; forgets it. */
static bool was_asked(struct narrator *narrator, uint64_t child)
{
	bool asked = false;
	size_t i = 0;

	while (i < narrator->asked_count) {
		if (narrator->asked[i] != child) {
			i++;
			continue;
		}
		narrator->asked[i] = narrator->asked[--narrator->asked_count];
		asked = true;
	}
	return asked;
}

static bool is_notable(struct narrator *narrator,
		       const struct supervisor_msg *msg,
		       const struct supervisor_msg_event *event)
{
	if (!event)
		return msg->type == SUPERVISOR_MSG_GAP;
	switch (event->event) {
	case SUPERVISOR_EVENT_TERM:
	case SUPERVISOR_EVENT_KILL:
		remember_asked(narrator, msg->child);
		return false;
	case SUPERVISOR_EVENT_EXITED:
		return !was_asked(narrator, msg->child);
	case SUPERVISOR_EVENT_STARTED:
		return msg->incarnation > 1;
	case SUPERVISOR_EVENT_START_REQUEST:
	case SUPERVISOR_EVENT_START_IGNORED:
		return false;
	case SUPERVISOR_EVENT_UP:
		return !msg->child;
	default:
		return true;
	}
}

void narrator_message(struct narrator *narrator,
		      const struct supervisor_msg *msg)
{
	const struct supervisor_msg_event *event = sup_msg_event(msg);
	bool notable = is_notable(narrator, msg, event);
	char *path, *words;

	if (narrator->quiet || !(notable || narrator->verbose))
		return;
	path = event_path(narrator->root, msg);
	words = event_words(msg);
	complain("%s: %s", path, words);
	free(words);
	free(path);
}

void narrator_failed(void *context, const struct supervisor_msg *start,
		     const char *step, int error)
{
	const struct narrator *narrator = context;
	char *path;

	if (narrator->quiet)
		return;
	path = event_path(narrator->root, start);
	complain_error(error, "%s: %s", path, step);
	free(path);
}
