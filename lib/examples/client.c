// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * client.c - asks the server of kv.c: a call with a timeout, and some that are
 * under way at the same time.
 *
 *	client /NAME KEY VALUE
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <supervisor.h>

#define CALLS 3

/* One call. It ends in a second, whatever the server does. */
static int ask(int server, const char *request)
{
	char reply[64];
	size_t len = sizeof(reply);
	int ret = sup_call(server, request, strlen(request), reply, &len, 1000);

	if (!ret)
		printf("%s: %.*s\n", request, (int)len, reply);
	else
		printf("%s: %s\n", request, strerror(-ret));
	return ret;
}

/* Several calls; their replies come into a mailbox of ours. */
static int ask_all(int device, int server, const char *key, const char *value)
{
	_Alignas(8) char reply[64 + SUP_REPLY_ROOM];
	int mailbox = sup_mailbox_create(device, 0, NULL);
	uint64_t ref[CALLS];
	char request[128];
	size_t len;
	int ret = mailbox < 0 ? mailbox : 0;

	for (int i = 0; i < CALLS && !ret; i++) {
		snprintf(request, sizeof(request), "set %s%d %s", key, i,
			 value);
		ret = sup_call_start(server, request, strlen(request), mailbox,
				     sup_deadline_in(1000), &ref[i], NULL);
	}
	/* the last one first: each is waited for by its ref */
	for (int i = CALLS - 1; i >= 0 && !ret; i--) {
		len = sizeof(reply);
		ret = sup_call_wait(mailbox, ref[i], reply, &len,
				    sup_deadline_in(1000));
		if (!ret)
			printf("set %s%d: %.*s\n", key, i, (int)len, reply);
		else	/* it may still come: not any more */
			sup_call_cancel(mailbox, ref[i],
					SUPERVISOR_REF_F_FLUSH);
	}
	return ret;
}

int main(int argc, char **argv)
{
	char request[128];
	int device, server;
	int ret;

	if (argc != 4) {
		fprintf(stderr, "usage: client /NAME KEY VALUE\n");
		return 2;
	}
	ret = device = sup_device_open();
	if (ret >= 0)
		ret = server = sup_mailbox_open(device, argv[1], O_WRONLY, NULL);
	snprintf(request, sizeof(request), "set %s %s", argv[2], argv[3]);
	if (ret >= 0)
		ret = sup_cast(server, request, strlen(request),
			       SUP_TIMEOUT_DEFAULT);
	snprintf(request, sizeof(request), "get %s", argv[2]);
	if (ret >= 0)
		ret = ask(server, request);
	if (ret >= 0)
		ret = ask_all(device, server, argv[2], argv[3]);
	if (ret < 0)
		fprintf(stderr, "client: %s\n", strerror(-ret));
	return ret < 0;
}
