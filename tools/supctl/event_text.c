// SPDX-License-Identifier: GPL-2.0
/*
 * event_text - an event of a tree in words, and as JSON.
 */
#include "event_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common.h"
#include "json_put.h"
#include "lineage_text.h"
#include "words.h"

char *event_path(const char *root, const struct supervisor_msg *msg)
{
	const char *above = sup_msg_path(msg), *id = sup_msg_id(msg);

	if (msg->flags & SUPERVISOR_MSG_F_DYNAMIC)
		return xasprintf("%s%s%s/%" PRIu64, root, *above ? "/" : "",
				 above, (uint64_t)msg->child);
	return xasprintf("%s%s%s%s%s", root, *above ? "/" : "", above,
			 *id ? "/" : "", id);
}

static char *exited_words(const struct supervisor_msg_event *event)
{
	char *status, *words;

	if (event->is_supervisor)
		return xasprintf("ended: %s",
				 word_of(SUP_WORDS_EXIT, event->reason));
	status = status_words(event->status);
	words = xasprintf("exited: %s%s, pid %d", status,
			  event->reason == SUPERVISOR_EXIT_SHUTDOWN ?
			  " (shutdown)" : "", event->head.pid);
	free(status);
	return words;
}

/* The first of those who asked for it; "" when nobody is known. */
static char *asked_words(const struct supervisor_msg_crash *crash)
{
	const struct supervisor_lineage_entry *entry = NULL;
	char *caller, *words;

	while ((entry = sup_crash_next(crash, entry)))
		if (entry->kind == SUPERVISOR_LINEAGE_CALLER)
			break;
	if (!entry)
		return xstrdup("");
	caller = lineage_entry_words(entry);
	words = xasprintf("; asked for by %s", caller);
	free(caller);
	return words;
}

static char *crash_words(const struct supervisor_msg_crash *crash)
{
	char *status = status_words(crash->status);
	char *asked = asked_words(crash);
	char *words;

	words = xasprintf("crashed: %s, pid %d, run %" PRIu32 ": %s%s", status,
			  crash->head.pid, crash->head.incarnation,
			  word_of(SUP_WORDS_DECISION, crash->decision), asked);
	free(asked);
	free(status);
	return words;
}

char *event_words(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_event *event = sup_msg_event(msg);
	const struct supervisor_msg_crash *crash = sup_msg_crash(msg);
	char *status, *words;

	if (msg->type == SUPERVISOR_MSG_GAP)
		return xasprintf("%" PRIu64 " events were lost here",
				 (uint64_t)msg->ref);
	if (crash)
		return crash_words(crash);
	if (!event)
		return xasprintf("message of type %u", msg->type);
	switch (event->event) {
	case SUPERVISOR_EVENT_START_REQUEST:
		return xasprintf("to be started, run %" PRIu32,
				 msg->incarnation);
	case SUPERVISOR_EVENT_STARTED:
		if (event->is_supervisor)
			return xstrdup("started");
		return xasprintf("started, pid %d, run %" PRIu32, msg->pid,
				 msg->incarnation);
	case SUPERVISOR_EVENT_START_FAILED:
		status = start_error_words(event->error, msg->pid);
		words = xasprintf("start failed: %s", status);
		free(status);
		return words;
	case SUPERVISOR_EVENT_START_IGNORED:
		return xstrdup("start ignored");
	case SUPERVISOR_EVENT_TERM:
		return xstrdup("asked to stop");
	case SUPERVISOR_EVENT_KILL:
		return xstrdup("killed");
	case SUPERVISOR_EVENT_EXITED:
		return exited_words(event);
	case SUPERVISOR_EVENT_UNKILLABLE:
		return xstrdup("may not be signalled");
	case SUPERVISOR_EVENT_ABANDONED:
		return xstrdup("given up: may not be signalled");
	case SUPERVISOR_EVENT_UP:
		return xstrdup("up");
	case SUPERVISOR_EVENT_DOWN:
		return xasprintf("down: %s",
				 word_of(SUP_WORDS_DOWN, event->down));
	case SUPERVISOR_EVENT_HELD:
		return xstrdup("held: its owner is gone");
	default:
		return xstrdup(word_of(SUP_WORDS_EVENT, event->event));
	}
}

static void exit_json(const struct supervisor_msg_event *event, json_t *object)
{
	json_put_word(object, "reason", SUP_WORDS_EXIT,
		      event->reason);
	if (event->is_supervisor)
		return;
	json_put_number(object, "status", event->status);
	json_put_number(object, "exit_seq", event->exit_seq);
	json_put_number(object, "utime_ns", event->utime_ns);
	json_put_number(object, "stime_ns", event->stime_ns);
	json_put_number(object, "maxrss_kb", event->maxrss_kb);
}

static void crash_json(const struct supervisor_msg_crash *crash,
		       json_t *object)
{
	const struct supervisor_lineage_entry *entry = NULL;

	json_put_word(object, "reason", SUP_WORDS_EXIT, crash->reason);
	json_put_number(object, "status", crash->status);
	json_put_word(object, "decision", SUP_WORDS_DECISION, crash->decision);
	json_put_word(object, "restart", SUP_WORDS_RESTART, crash->restart);
	json_put_number(object, "exit_seq", crash->exit_seq);
	json_put_number(object, "exit_ns", crash->exit_ns);
	if (crash->start_ns)
		json_put_number(object, "start_ns", crash->start_ns);
	json_put_number(object, "utime_ns", crash->utime_ns);
	json_put_number(object, "stime_ns", crash->stime_ns);
	json_put_number(object, "maxrss_kb", crash->maxrss_kb);
	json_object_set_new(object, "ancestors", json_array());
	json_object_set_new(object, "callers", json_array());
	while ((entry = sup_crash_next(crash, entry)))
		lineage_put_entry(object, entry);
}

json_t *event_json(const char *root, const struct supervisor_msg *msg)
{
	const struct supervisor_msg_event *event = sup_msg_event(msg);
	const struct supervisor_msg_crash *crash = sup_msg_crash(msg);
	json_t *object = json_object();

	json_put_number(object, "time_ns", msg->time_ns);
	if (crash) {
		json_put_made(object, "path", event_path(root, msg));
		json_put_text(object, "event", "crash");
		json_put_made(object, "text", event_words(msg));
		json_put_text(object, "type", "worker");
		json_put_number(object, "pid", msg->pid);
		json_put_number(object, "incarnation", msg->incarnation);
		crash_json(crash, object);
		return object;
	}
	if (!event) {
		json_put_text(object, "event", "gap");
		json_put_number(object, "lost", msg->ref);
		return object;
	}
	json_put_made(object, "path", event_path(root, msg));
	json_put_word(object, "event", SUP_WORDS_EVENT,
		      event->event);
	json_put_made(object, "text", event_words(msg));
	json_put_text(object, "type",
		      event->is_supervisor ? "supervisor" : "worker");
	if (msg->pid)
		json_put_number(object, "pid", msg->pid);
	if (msg->incarnation)
		json_put_number(object, "incarnation", msg->incarnation);
	if (event->callers) {
		json_put_number(object, "callers", event->callers);
		json_put_number(object, "caller", event->caller);
	}
	switch (event->event) {
	case SUPERVISOR_EVENT_EXITED:
		exit_json(event, object);
		break;
	case SUPERVISOR_EVENT_START_FAILED:
		json_put_errno(object, "error", event->error);
		break;
	case SUPERVISOR_EVENT_DOWN:
		json_put_word(object, "reason", SUP_WORDS_EXIT,
		      event->reason);
		json_put_word(object, "down", SUP_WORDS_DOWN,
		      event->down);
		break;
	}
	return object;
}
