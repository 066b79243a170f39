/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deadline - waiting until a condition, a signal or an absolute deadline.
 */
#ifndef SUP_DEADLINE_H
#define SUP_DEADLINE_H

#include <linux/ktime.h>
#include <linux/wait.h>

#include <linux/supervisor.h>

/* What is left until @deadline, at least 0. */
static inline ktime_t sup_deadline_left(u64 deadline)
{
	u64 now = ktime_get_ns();

	return ns_to_ktime(deadline > now ? min_t(u64, deadline - now, KTIME_MAX) : 0);
}

/**
 * sup_wait_until - wait for a condition
 * @wq: the wait queue that is woken when the condition may have changed
 * @condition: an expression; evaluated often, may take spinlocks
 * @deadline: CLOCK_MONOTONIC ns; 0 does not wait, %SUPERVISOR_NO_DEADLINE does
 *	for ever
 *
 * Return: 0 when @condition holds, -EAGAIN or -ETIMEDOUT at the deadline,
 *	-ERESTARTSYS when a signal came.
 */
#define sup_wait_until(wq, condition, deadline)					\
({										\
	u64 __until = (deadline);						\
	int __ret;								\
										\
	if (condition) {							\
		__ret = 0;							\
	} else if (!__until) {							\
		__ret = -EAGAIN;						\
	} else {								\
		might_sleep();							\
		__ret = __until == SUPERVISOR_NO_DEADLINE ?			\
			__wait_event_interruptible(wq, condition) :		\
			__wait_event_hrtimeout(wq, condition,			\
					       sup_deadline_left(__until),	\
					       TASK_INTERRUPTIBLE);		\
	}									\
	__ret == -ETIME ? -ETIMEDOUT : __ret;					\
})

#endif
