/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake.h - a kernel of one page: what the spawner asks is answered here, so that
 * it can be tested on a machine without the module.
 */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fake_report {
	pid_t by;
	uint64_t token;
	uint32_t report;
	int error;
};

/* The new process shares our memory: what it tells is seen here. */
extern struct fake {
	int mailbox;			/* to poll, and to give to the spawner */
	int attach_error;		/* answered to an attach */
	int attach_signal;		/* sent to the new process by its attach */
	pid_t attached;
	pid_t attached_session;
	uint64_t attached_token;
	size_t reports;
	struct fake_report report[64];
} fake;

void fake_init(void);
void fake_reset(void);
/* Queues a START. */
void fake_start(uint64_t token, uint32_t signal_whom, uint32_t readiness,
		const void *blob, size_t blob_len);
/* Queues any message. */
void fake_post(const void *msg, size_t size);

#endif /* TESTS_FAKE_H */
