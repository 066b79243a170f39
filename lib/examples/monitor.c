// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * monitor.c - waits for the ends of processes that are nobody's children here.
 *
 *	monitor PID...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <supervisor.h>

/* By pidfd: what is monitored is what had the number at this moment. */
static int monitor(int mailbox, int pid, uint64_t *ref)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int ret;

	if (pidfd < 0)	/* not there: the answer to that is noproc */
		return sup_monitor(mailbox, pid, SUPERVISOR_ALIAS_NONE, ref,
				   NULL);
	ret = sup_monitor_pidfd(mailbox, pidfd, SUPERVISOR_ALIAS_NONE, ref,
				NULL);
	close(pidfd);
	return ret;
}

/* The next DOWN: the number of the monitor that it is of, or an error. */
static int wait_down(int mailbox, const uint64_t *refs, int count,
		     struct supervisor_msg_down *down)
{
	_Alignas(8) char buf[256];
	const struct supervisor_msg *msg;

	for (;;) {
		size_t len = sizeof(buf);
		int ret = sup_mailbox_recv(mailbox, buf, &len, 1,
					   SUPERVISOR_NO_DEADLINE);

		if (ret < 0)
			return ret;
		msg = sup_msg_next(buf, len, NULL);
		if (!msg || !sup_msg_down(msg))
			continue;
		*down = *sup_msg_down(msg);
		for (int i = 0; i < count; i++)
			if (refs[i] == msg->ref)
				return i;
	}
}

int main(int argc, char **argv)
{
	uint64_t refs[64];
	struct supervisor_msg_down down;
	int count = argc - 1;
	int device, mailbox;
	int ret;

	if (count < 1 || count > 64) {
		fprintf(stderr, "usage: monitor PID...\n");
		return 2;
	}
	ret = device = sup_device_open();
	if (ret >= 0)
		ret = mailbox = sup_mailbox_create(device, 0, NULL);
	for (int i = 0; i < count && ret >= 0; i++)
		ret = monitor(mailbox, atoi(argv[1 + i]), &refs[i]);
	for (int i = 0; i < count && ret >= 0; i++) {
		ret = wait_down(mailbox, refs, count, &down);
		if (ret < 0)
			break;
		printf("%s: %s (status 0x%04x)\n", argv[1 + ret],
		       sup_word(SUP_WORDS_EXIT, down.reason), down.status);
		fflush(stdout);
	}
	if (ret < 0)
		fprintf(stderr, "monitor: %s\n", strerror(-ret));
	return ret < 0;
}
