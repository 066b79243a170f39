// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * subscriber.c - subscribes to a topic, and prints what is published to it.
 *
 *	subscriber /REGISTRY TOPIC COUNT
 *	supctl registry publish /REGISTRY TOPIC TEXT
 *
 * A topic is a key that any number of processes have. With its process an entry is
 * gone: nobody has to unsubscribe. With COUNT 0 it reads nothing, to show what a
 * publisher sees of that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor.h>
#include <unistd.h>

/* Whoever is too slow for @room messages misses some; the publisher is told. */
static int subscribe(int device, const char *registry, const char *topic,
		     uint32_t room)
{
	SUP_OPTS(sup_registry_opts, opts, .name = registry, .open = 1,
		 .keys = SUPERVISOR_KEYS_DUPLICATE);
	SUP_OPTS(sup_mailbox_opts, box, .max_messages = room);
	int topics, mailbox, ret;

	topics = sup_registry_create(device, &opts, NULL);
	if (topics < 0)
		return topics;
	mailbox = sup_mailbox_create_with(device, &box, NULL);
	if (mailbox < 0)
		return mailbox;
	/* the registry lasts as long as it is open somewhere: here, too */
	ret = sup_register(topics, topic, strlen(topic), "", 0, mailbox, NULL);
	return ret < 0 ? ret : mailbox;
}

/* The next message, as a line. */
static int print_next(int mailbox)
{
	_Alignas(8) static char buf[SUPERVISOR_PAYLOAD_MAX + 1024];
	const struct supervisor_msg *msg;
	size_t len = sizeof(buf);
	const void *text;
	int ret = sup_mailbox_recv(mailbox, buf, &len, 1,
				   SUPERVISOR_NO_DEADLINE);

	if (ret < 0)
		return ret;
	msg = sup_msg_next(buf, len, NULL);
	text = sup_msg_payload(msg, &len);
	printf("%.*s\n", (int)len, (const char *)text);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	int device, mailbox, count, ret;

	if (argc != 4) {
		fprintf(stderr, "usage: subscriber /REGISTRY TOPIC COUNT\n");
		return 2;
	}
	count = atoi(argv[3]);
	ret = device = sup_device_open();
	if (ret >= 0)
		ret = mailbox = subscribe(device, argv[1], argv[2],
					  count ? 0 : 1);
	for (int i = 0; i < count && ret >= 0; i++)
		ret = print_next(mailbox);
	while (!count && ret >= 0)
		pause();
	if (ret < 0)
		fprintf(stderr, "subscriber: %s\n", strerror(-ret));
	return ret < 0;
}
