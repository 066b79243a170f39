// SPDX-License-Identifier: GPL-2.0
/*
 * message_text - a message of a mailbox in words, and as JSON.
 */
#include "message_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common.h"
#include "json_put.h"
#include "payload.h"
#include "words.h"

char *down_words(const struct supervisor_msg_down *down)
{
	const char *reason = word_of(SUP_WORDS_EXIT, down->reason);
	char *status, *cpu, *words;

	if (down->reason == SUPERVISOR_EXIT_NOPROC)
		return xstrdup("was not there");
	/* So it also is when the owner's death was what closed it. */
	if (down->what == SUPERVISOR_DOWN_OF_MAILBOX &&
	    down->reason == SUPERVISOR_EXIT_NORMAL)
		return xstrdup("nobody serves it");
	if (down->what == SUPERVISOR_DOWN_OF_MAILBOX)
		return xasprintf("nobody serves it, reason %s", reason);
	if (down->what != SUPERVISOR_DOWN_OF_PROCESS)
		return xasprintf("ended, reason %s", reason);
	status = status_words(down->status);
	cpu = duration_words(down->utime_ns + down->stime_ns);
	words = xasprintf("%s, reason %s, CPU %s, max RSS %" PRIu64 " KiB",
			  status, reason, cpu, (uint64_t)down->maxrss_kb);
	free(cpu);
	free(status);
	return words;
}

void down_put(json_t *object, const struct supervisor_msg_down *down)
{
	json_put_word(object, "reason", SUP_WORDS_EXIT, down->reason);
	json_put_made(object, "text", down_words(down));
	json_put_word(object, "of", SUP_WORDS_DOWN_OF, down->what);
	if (down->what != SUPERVISOR_DOWN_OF_PROCESS ||
	    down->reason == SUPERVISOR_EXIT_NOPROC)
		return;
	json_put_number(object, "pid", down->head.pid);
	json_put_number(object, "status", down->status);
	json_put_number(object, "exit_seq", down->exit_seq);
	json_put_number(object, "utime_ns", down->utime_ns);
	json_put_number(object, "stime_ns", down->stime_ns);
	json_put_number(object, "maxrss_kb", down->maxrss_kb);
}

static json_t *message_json(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_down *down = sup_msg_down(msg);
	json_t *object = json_object();
	const void *bytes;
	size_t length;

	json_put_number(object, "time_ns", msg->time_ns);
	json_put_word(object, "message", SUP_WORDS_MESSAGE, msg->type);
	/* Many readers of JSON keep but 53 bits of a number. */
	if (msg->ref)
		json_put_made(object, "ref",
			      xasprintf("%" PRIu64, (uint64_t)msg->ref));
	if (down) {
		down_put(object, down);
		return object;
	}
	bytes = sup_msg_payload(msg, &length);
	if (!bytes)
		return object;
	json_put_number(object, "pid", msg->pid);
	json_put_number(object, "uid", msg->uid);
	if (msg->flags & SUPERVISOR_MSG_F_PATH)
		json_put_text(object, "path", sup_msg_path(msg));
	payload_put(object, "payload", bytes, length);
	return object;
}

static char *message_words(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_down *down = sup_msg_down(msg);
	const char *type = word_of(SUP_WORDS_MESSAGE, msg->type);
	char *text, *call, *words;
	const void *bytes;
	size_t length;

	if (down) {
		text = down_words(down);
		words = xasprintf("%s  pid %" PRId32 "  %s", type, msg->pid,
				  text);
		free(text);
		return words;
	}
	bytes = sup_msg_payload(msg, &length);
	if (!bytes)
		return xstrdup(type);
	text = payload_words(bytes, length);
	call = msg->type == SUPERVISOR_MSG_CALL ?
		xasprintf(" %" PRIu64, (uint64_t)msg->ref) : xstrdup("");
	words = xasprintf("%s%s  pid %" PRId32 "  uid %" PRIu32 "  %s", type,
			  call, msg->pid, msg->uid, text);
	free(call);
	free(text);
	return words;
}

void message_print(const struct supervisor_msg *msg, bool json)
{
	char *clock, *words;

	if (json) {
		json_print_line(message_json(msg));
		return;
	}
	clock = clock_words(msg->time_ns);
	words = message_words(msg);
	printf("%s  %s\n", clock, words);
	free(words);
	free(clock);
}
