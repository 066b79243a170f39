// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * fork.c - children that are not other programs: this process reads the START
 * requests itself, forks, and the new process attaches and goes on as a worker.
 *
 *	fork
 *
 * The worker counts to three and crashes. One restart is allowed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <supervisor.h>

static void work(void)
{
	for (int i = 1; i <= 3; i++) {
		printf("worker: %d\n", i);
		fflush(stdout);
		usleep(10000);
	}
	abort();
}

/* In the new process, before anything else. */
static void attach(int device, uint64_t token)
{
	setsid();		/* the whole group is signalled */
	if (sup_child_attach(device, token) < 0)
		_exit(1);	/* stopped meanwhile: not wanted any more */
	work();
}

static int serve(int device, int mailbox, int root)
{
	static _Alignas(8) char buf[SUP_START_SIZE];
	const struct supervisor_msg *msg;
	size_t len;
	int ret;

	/* A deadline, to look after the dead and whether all is over. */
	while (sup_wait_down(root, 0, NULL, NULL) < 0) {
		len = sizeof(buf);
		ret = sup_mailbox_recv(mailbox, buf, &len, 0,
				       sup_deadline_in(100));
		if (ret < 0)
			len = 0;
		for (msg = NULL; (msg = sup_msg_next(buf, len, msg));) {
			pid_t pid;

			if (!sup_msg_start(msg))
				continue;
			pid = fork();
			if (!pid)
				attach(device, msg->ref);
			if (pid < 0)
				sup_child_report(device, msg->ref,
						 SUPERVISOR_REPORT_FAILED, 11);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	puts("the supervisor gave up");
	return 0;
}

int main(void)
{
	SUP_OPTS(sup_create_opts, opts, .intensity = 1);
	SUP_OPTS(sup_child_opts, child,
		 .readiness = SUPERVISOR_READINESS_ATTACH);
	int device, mailbox, root;
	int ret;

	ret = device = sup_device_open();
	if (ret >= 0)
		ret = mailbox = sup_mailbox_create(device, 0, NULL);
	if (ret >= 0)
		ret = root = sup_create(device, mailbox, &opts, NULL);
	if (ret >= 0)
		ret = sup_child_add(root, "worker", &child,
				    SUPERVISOR_NO_DEADLINE, NULL);
	if (ret >= 0)
		ret = sup_start_async(root);
	if (ret >= 0)
		ret = serve(device, mailbox, root);
	if (ret < 0)
		fprintf(stderr, "fork: %s\n", strerror(-ret));
	return ret < 0;
}
