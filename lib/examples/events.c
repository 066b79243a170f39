// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * events.c - follows what happens in the tree of a named supervisor until it
 * has ended.
 *
 *	events /NAME
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <supervisor.h>

static void show(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_event *event = sup_msg_event(msg);
	const char *word;

	if (msg->type == SUPERVISOR_MSG_GAP) {
		printf("%llu events were lost here\n",
		       (unsigned long long)msg->ref);
		return;
	}
	if (!event)
		return;
	word = sup_word(SUP_WORDS_EVENT, event->event);
	printf("%-8s %-8s %s", sup_msg_path(msg), sup_msg_id(msg),
	       word ? word : "something new");
	if (msg->pid)
		printf(" pid %d", msg->pid);
	if (event->event == SUPERVISOR_EVENT_EXITED)
		printf(" %s (status 0x%04x)",
		       sup_word(SUP_WORDS_EXIT, event->reason), event->status);
	if (event->event == SUPERVISOR_EVENT_START_FAILED)
		printf(": %s", strerror(event->error));
	if (event->event == SUPERVISOR_EVENT_DOWN)
		printf(": %s", sup_word(SUP_WORDS_DOWN, event->down));
	putchar('\n');
}

/* A DOWN of a root names no child: after it there is nothing more. */
static int is_last(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_event *event = sup_msg_event(msg);

	return event && event->event == SUPERVISOR_EVENT_DOWN && !msg->child;
}

static int follow(int mailbox)
{
	static _Alignas(8) char buf[SUP_START_SIZE];
	const struct supervisor_msg *msg;
	int last = 0;

	while (!last) {
		size_t len = sizeof(buf);
		int ret = sup_mailbox_recv(mailbox, buf, &len, 0,
					   SUPERVISOR_NO_DEADLINE);

		if (ret < 0)
			return ret;
		for (msg = NULL; (msg = sup_msg_next(buf, len, msg));) {
			show(msg);
			last |= is_last(msg);
		}
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int device, mailbox, root;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: events /NAME\n");
		return 2;
	}
	ret = device = sup_device_open();
	if (ret >= 0)
		ret = mailbox = sup_mailbox_create(device, 0, NULL);
	if (ret >= 0)
		ret = root = sup_open(device, argv[1], O_RDONLY, NULL);
	if (ret >= 0)
		ret = sup_subscribe(root, mailbox, NULL);
	if (ret >= 0)
		ret = follow(mailbox);
	if (ret < 0)
		fprintf(stderr, "events: %s\n", strerror(-ret));
	return ret < 0;
}
