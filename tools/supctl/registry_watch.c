// SPDX-License-Identifier: GPL-2.0
/*
 * registry watch - follows who comes into a registry and who goes, one line each.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "json_put.h"
#include "options.h"
#include "payload.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

#define RING_BYTES (1 << 20)
#define BUFFER_BYTES 65536

struct watch {
	const char *registry;
	const char *prefix;
	bool json;
	int mailbox;
};

static bool wanted(const struct watch *watch, const void *key, size_t length)
{
	size_t want = strlen(watch->prefix);

	return length >= want && !memcmp(key, watch->prefix, want);
}

static json_t *change_json(const struct supervisor_msg_registry *change)
{
	const struct supervisor_msg *msg = &change->head;
	json_t *object = json_object();

	json_put_number(object, "time_ns", msg->time_ns);
	json_put_word(object, "change", SUP_WORDS_CHANGE, change->event);
	payload_put(object, "key", sup_msg_key(change), change->key_len);
	json_put_number(object, "pid", msg->pid);
	json_put_number(object, "uid", msg->uid);
	json_put_number(object, "partition", change->partition);
	if (msg->ref)
		json_put_number(object, "id", msg->ref);
	if (change->event == SUPERVISOR_REGISTRY_REGISTERED)
		payload_put(object, "value", sup_msg_value(change),
			    change->value_len);
	return object;
}

static void print_change(const struct supervisor_msg_registry *change)
{
	const struct supervisor_msg *msg = &change->head;
	char *clock = clock_words(msg->time_ns);
	char *key = payload_words(sup_msg_key(change), change->key_len);
	char *value = payload_words(sup_msg_value(change), change->value_len);

	printf("%s  %-12s  %s  pid %" PRId32 "%s%s\n", clock,
	       word_of(SUP_WORDS_CHANGE, change->event), key, msg->pid,
	       *value ? "  " : "", value);
	free(value);
	free(key);
	free(clock);
}

static void print_gap(const struct watch *watch,
		      const struct supervisor_msg *gap)
{
	json_t *object;

	if (!watch->json) {
		printf("%" PRIu64 " changes were lost here\n",
		       (uint64_t)gap->ref);
		return;
	}
	object = json_object();
	json_put_number(object, "time_ns", gap->time_ns);
	json_put_text(object, "change", "gap");
	json_put_number(object, "lost", gap->ref);
	json_print_line(object);
}

static void take(const struct watch *watch, const struct supervisor_msg *msg)
{
	const struct supervisor_msg_registry *change = sup_msg_registry(msg);

	if (msg->type == SUPERVISOR_MSG_GAP) {
		print_gap(watch, msg);
		return;
	}
	if (!change ||
	    !wanted(watch, sup_msg_key(change), change->key_len))
		return;
	if (watch->json)
		json_print_line(change_json(change));
	else
		print_change(change);
}

/* Prints what has come; false when there was nothing. */
static bool drain(const struct watch *watch)
{
	static _Alignas(8) char buffer[BUFFER_BYTES];
	const struct supervisor_msg *msg = NULL;
	size_t length = sizeof(buffer);
	int got = sup_mailbox_recv(watch->mailbox, buffer, &length, 0, 0);

	if (got == -EAGAIN || got == -EINTR)
		return false;
	if (got < 0)
		die_error(-got, "%s: changes", watch->registry);
	while ((msg = sup_msg_next(buffer, length, msg)))
		take(watch, msg);
	return true;
}

int registry_watch(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON };
	SUP_OPTS(sup_result, result);
	struct watch watch = { 0 };
	struct pollfd fds[] = {
		{ .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	int device, registry, err;

	options_parse(&options, argc, argv, "/NAME [PREFIX]",
		      "Follows who registers and who goes, of keys that begin with PREFIX.");
	check_registry_name(options.argument);
	watch.registry = options.argument;
	watch.prefix = *options.more ? *options.more : "";
	watch.json = options.json;
	device = open_device();
	registry = open_registry(device, options.argument, O_RDONLY);
	if (registry < 0)
		return -registry;
	watch.mailbox = sup_mailbox_create(device, RING_BYTES, NULL);
	if (watch.mailbox < 0)
		die_error(-watch.mailbox, "mailbox");
	err = sup_listen(registry, watch.mailbox, SUPERVISOR_LISTEN_F_DEATHS,
			 &result);
	if (err < 0)
		die_error(-err, "%s: changes", watch.registry);
	fds[0].fd = watch.mailbox;
	/* Also until whoever reads stdout goes away, as `| head` does. */
	do {
		while (drain(&watch))
			;
		if (fflush(stdout))
			break;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			die_error(errno, "poll");
	} while (!(fds[1].revents & (POLLERR | POLLHUP)));
	close(watch.mailbox);
	close(registry);
	close(device);
	return STATUS_OK;
}
