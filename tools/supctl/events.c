// SPDX-License-Identifier: GPL-2.0
/*
 * events - follows what happens in a tree until the tree ends, one line each.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common.h"
#include "event_text.h"
#include "json_put.h"
#include "options.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

#define RING_BYTES (1 << 20)
#define BUFFER_BYTES 65536

static void print_event(const char *root, const struct supervisor_msg *msg,
			bool json)
{
	char *path, *words, *clock;

	if (json) {
		json_print_line(event_json(root, msg));
		return;
	}
	path = event_path(root, msg);
	words = event_words(msg);
	clock = clock_words(msg->time_ns);
	printf("%s  %-20s  %s\n", clock, path, words);
	free(clock);
	free(path);
	free(words);
}

/* Prints what has come; false when there was nothing. */
static bool drain(int mailbox, const char *root, bool json)
{
	static _Alignas(8) char buffer[BUFFER_BYTES];
	const struct supervisor_msg *msg = NULL;
	size_t length = sizeof(buffer);
	int got = sup_mailbox_recv(mailbox, buffer, &length, 0, 0);

	if (got == -EAGAIN || got == -EINTR)
		return false;
	if (got < 0)
		die_error(-got, "%s: events", root);
	while ((msg = sup_msg_next(buffer, length, msg)))
		print_event(root, msg, json);
	return true;
}

/* Also waits for whoever reads stdout to go away, as `| head` does. */
static void follow(int supervisor, int mailbox, const char *root, bool json)
{
	struct pollfd fds[] = {
		{ .fd = mailbox, .events = POLLIN },
		{ .fd = supervisor },
		{ .fd = STDOUT_FILENO },
	};

	for (;;) {
		while (drain(mailbox, root, json))
			;
		if (fflush(stdout) || fds[1].revents & POLLHUP ||
		    fds[2].revents & (POLLERR | POLLHUP))
			return;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			die_error(errno, "poll");
	}
}

int verb_events(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON };
	struct target target;
	int device, root, mailbox, err;

	options_parse(&options, argc, argv, "NAME",
		      "Follows what happens in a tree until the tree ends.");
	target = target_parse(options.argument);
	if (target.id)
		die(STATUS_USAGE, "%s: not a whole tree: its events are those of '%s'",
		    target.path, target.root);
	target_free(&target);
	device = open_device();
	root = open_root(device, options.argument, O_RDONLY);
	if (root < 0)
		return -root;
	mailbox = sup_mailbox_create(device, RING_BYTES, NULL);
	if (mailbox < 0)
		die_error(-mailbox, "mailbox");
	err = sup_subscribe_crashes(root, mailbox, NULL);
	if (err == -ESHUTDOWN)
		return STATUS_OK;
	if (err < 0)
		die_error(-err, "%s: events", options.argument);
	follow(root, mailbox, options.argument, options.json);
	close(mailbox);
	close(root);
	close(device);
	return STATUS_OK;
}
