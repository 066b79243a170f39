// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * fake.c - owns the answers that the module would give: see fake.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../internal.h"
#include "fake.h"

struct fake fake;

/* In the place of the library's: ld's --wrap. */
int __wrap_sup_mailbox_recv(int mailbox, void *buf, size_t *len, uint32_t max,
			    uint64_t deadline);
int __wrap_sup_attach(int device, uint64_t token, uint32_t flags);
int __wrap_sup_child_report(int device, uint64_t token, uint32_t report,
			    int error);

static unsigned char queue[1 << 20];
static size_t queued;

void fake_init(void)
{
	fake.mailbox = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void fake_reset(void)
{
	int mailbox = fake.mailbox;

	memset(&fake, 0, sizeof(fake));
	fake.mailbox = mailbox;
}

void fake_post(const void *msg, size_t size)
{
	uint64_t one = 1;

	memcpy(queue + queued, msg, size);
	queued += size;
	if (write(fake.mailbox, &one, sizeof(one)) < 0)
		abort();
}

void fake_start(uint64_t token, uint32_t signal_whom, uint32_t readiness,
		const void *blob, size_t blob_len)
{
	union {
		struct supervisor_msg_start start;
		char room[SUP_START_SIZE];
	} *msg = calloc(1, sizeof(*msg));
	size_t text = sizeof(msg->start);
	size_t at = (text + 11 + 7) & ~7UL;
	size_t offset = at;

	memcpy(msg->room + text, "child\0path", 11);
	memcpy(msg->room + at, blob, blob_len);
	at = (at + blob_len + 7) & ~7UL;
	msg->start = (struct supervisor_msg_start){
		.head = {
			.size = (uint32_t)at,
			.type = SUPERVISOR_MSG_START,
			.ref = token,
		},
		.signal_whom = signal_whom,
		.readiness = readiness,
		.id_len = 5,
		.path_len = 4,
		.blob_len = (uint32_t)blob_len,
		.text_offset = (uint32_t)text,
		.blob_offset = (uint32_t)offset,
	};
	fake_post(msg, at);
	free(msg);
}

int __wrap_sup_mailbox_recv(int mailbox, void *buf, size_t *len, uint32_t max,
			    uint64_t deadline)
{
	const struct supervisor_msg *msg = (const void *)queue;
	uint64_t count;
	int taken = 1;

	(void)deadline;
	if (!queued) {
		*len = 0;
		if (read(mailbox, &count, sizeof(count)) < 0)
			return -EAGAIN;
		return -EAGAIN;
	}
	if (msg->size > *len) {
		*len = msg->size;
		return -EMSGSIZE;
	}
	*len = msg->size;
	while (!max && (msg = sup_msg_next(queue, queued, msg)) &&
	       *len + msg->size < SUP_START_SIZE) {
		*len += msg->size;
		taken++;
	}
	memcpy(buf, queue, *len);
	memmove(queue, queue + *len, queued - *len);
	queued -= *len;
	return taken;
}

/* A module that cannot reset signals; the test of the real one is module.c. */
int __wrap_sup_attach(int device, uint64_t token, uint32_t flags)
{
	(void)device;
	if (flags)
		return -EOPNOTSUPP;
	fake.attached = (pid_t)syscall(SYS_getpid);
	fake.attached_session = (pid_t)syscall(SYS_getsid, 0);
	fake.attached_token = token;
	if (fake.attach_signal)
		syscall(SYS_kill, fake.attached, fake.attach_signal);
	return -fake.attach_error;
}

int __wrap_sup_child_report(int device, uint64_t token, uint32_t report,
			    int error)
{
	(void)device;
	if (fake.reports == ARRAY_SIZE(fake.report))
		return -ENOSPC;
	fake.report[fake.reports++] = (struct fake_report){
		.by = (pid_t)syscall(SYS_getpid),
		.token = token,
		.report = report,
		.error = error,
	};
	return 0;
}
