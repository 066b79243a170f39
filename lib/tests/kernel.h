/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kernel.h - mailboxes without the module: the ioctls of casts, calls and refs,
 * answered within this process, so that everything above them can be tested.
 *
 * It keeps the order of messages, deadlines, owners, who is answered and who is
 * told ESTALE. It has no limits but what a test sets here.
 */
#ifndef TESTS_KERNEL_H
#define TESTS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel_report {
	uint32_t report;
	int error;
};

extern struct kernel {
	int device;
	/* what the next ioctls do */
	int interrupts;		/* so many waits end with EINTR */
	int refuse_replies;	/* so many replies end with @refusal */
	int refusal;
	int full;		/* sends find no room */
	int names_taken;	/* so many creations of a name end with EEXIST */
	int report_error;	/* what a report gets */
	bool reaped;		/* processes of pidfds have no numbers any more */
	uint32_t uid;		/* who sends from now on */
	int32_t pid;
	/* asked first, without the lock; -ENOTTY: not an ioctl of its */
	int (*test)(int fd, unsigned long request, void *arg);
	/* what they did */
	int calls_sent;		/* requests that were queued */
	size_t reports;
	struct kernel_report report[16];
	int32_t linked;		/* the process of the last link... */
	uint64_t link;		/* ...and its ref */
	int links;		/* LINK and UNLINK */
	int unlinks;
	int32_t monitored;	/* the process of the last monitor */
	int monitors;
	int trapping;		/* -1, or the mailbox */
	unsigned int receives;	/* RECV and REPLY_RECV that were entered */
} kernel;

void kernel_init(void);
/* Forgets what it was told and did; mailboxes stay. */
void kernel_reset(void);
/* The owner of a mailbox dies. */
void kernel_kill_owner(int mailbox);
/* A message of the kernel's, of @size bytes. */
void kernel_post(int mailbox, const void *msg, size_t size);

#endif /* TESTS_KERNEL_H */
