/* SPDX-License-Identifier: GPL-2.0 */
/* The processes of the device backend. */
#ifndef REPLAY_WORKER_H
#define REPLAY_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* In memory shared with the process: what it does when a signal comes. */
struct orders {
	volatile bool stubborn;
	volatile uint64_t slow_ms;
	volatile int onterm;	/* SUPERVISOR_EXIT_*, when asked to stop */
	volatile int end;	/* SUPERVISOR_EXIT_*, when told to end */
};

/* How it starts; all attach first. */
enum worker_start {
	WORKER_ATTACH,		/* and that is all */
	WORKER_NOTIFY,		/* says that it is ready */
	WORKER_DIE,		/* just dies */
	WORKER_FAIL,		/* says that it failed, and exits */
	WORKER_IGNORE		/* declines, and exits */
};

struct orders *orders_new(void);
void orders_free(struct orders *orders);
pid_t worker_start(int device, uint64_t token, const struct orders *orders,
		   enum worker_start start);
void worker_end(pid_t pid, struct orders *orders, int reason);

#endif
