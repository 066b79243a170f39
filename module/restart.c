// SPDX-License-Identifier: GPL-2.0
/* restart - see restart.h. */
#include "restart.h"

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/time64.h>

/**
 * sup_restart_due() - tell whether a death asks for a restart
 * @restart: the dead one's restart type, &enum sup_restart
 * @reason: how it died
 *
 * Context: any.
 * Return: true if it does.
 */
bool sup_restart_due(s32 restart, enum sup_reason reason)
{
	bool in_order = reason == SUP_NORMAL || reason == SUP_SHUTDOWN;

	return restart == SUP_PERMANENT || (restart == SUP_TRANSIENT && !in_order);
}

/**
 * sup_stopped_verdict() - what comes of the death of who was being stopped
 * @killed: it was to be killed, and not asked to stop
 * @timed_out: because it took too long to start
 * @reason: how it died
 *
 * Return: that.
 */
enum sup_verdict sup_stopped_verdict(bool killed, bool timed_out, enum sup_reason reason)
{
	if (killed && reason == SUP_KILLED)
		return SUP_VERDICT_OBEYED;
	return timed_out ? SUP_VERDICT_START_FAILED : SUP_VERDICT_STOPPED;
}

/*
 * Time
 */

/**
 * sup_time_after_ms() - some milliseconds later
 * @now_ns: than when
 * @ms: how many
 *
 * Context: any.
 * Return: that time, or one before %SUP_NEVER that never comes.
 */
u64 sup_time_after_ms(u64 now_ns, u64 ms)
{
	u64 ns, due;

	if (check_mul_overflow(ms, (u64)NSEC_PER_MSEC, &ns) ||
	    check_add_overflow(now_ns, ns, &due) || due == SUP_NEVER)
		return SUP_NEVER - 1;
	return due;
}

static bool due_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct sup_due, node)->ns < rb_entry(b, struct sup_due, node)->ns;
}

/**
 * sup_due_add() - have something due
 * @dues: the tree
 * @due: what, in no tree
 * @ns: when
 *
 * Context: any.
 */
void sup_due_add(struct rb_root_cached *dues, struct sup_due *due, u64 ns)
{
	due->ns = ns;
	rb_add_cached(&due->node, dues, due_less);
}

/**
 * sup_due_first() - what is due first
 * @dues: the tree
 *
 * Context: any.
 * Return: that, or NULL in an empty tree.
 */
struct sup_due *sup_due_first(const struct rb_root_cached *dues)
{
	return rb_entry_safe(rb_first_cached(dues), struct sup_due, node);
}

/*
 * The intensity window: how many restarts there were in which second. OTP keeps
 * one entry a restart and cuts the time to whole seconds, so equal entries can
 * share a slot; and as entries older than the period are dropped before one is
 * added, the slots of sup_window_slots() always suffice.
 */

/**
 * sup_window_slots() - tell how large a window has to be
 * @intensity: restarts allowed, valid
 * @period: within how many seconds, valid
 *
 * Context: any.
 * Return: the slots that sup_window_init() needs, at least one.
 */
size_t sup_window_slots(s64 intensity, s64 period)
{
	return clamp_t(s64, intensity, 1, period + 1);
}

/**
 * sup_window_init() - make an empty window
 * @window: the window
 * @intensity: restarts allowed
 * @period: within how many seconds
 * @slots: room for it, until it is done with
 * @nr_slots: sup_window_slots()
 *
 * Context: any.
 */
void sup_window_init(struct sup_window *window, s64 intensity, s64 period,
		     struct sup_window_slot *slots, size_t nr_slots)
{
	memset(window, 0, sizeof(*window));
	window->intensity = intensity;
	window->period = period;
	window->slots = slots;
	window->nr_slots = nr_slots;
}

/**
 * sup_window_clear() - forget every restart
 * @window: of which window
 *
 * Context: any.
 */
void sup_window_clear(struct sup_window *window)
{
	window->first = 0;
	window->used = 0;
	window->restarts = 0;
}

static struct sup_window_slot *window_slot(struct sup_window *window, size_t nth)
{
	size_t slot = window->first + nth;

	if (slot >= window->nr_slots)
		slot -= window->nr_slots;
	return &window->slots[slot];
}

static void window_expire(struct sup_window *window, u64 second)
{
	while (window->used > 0) {
		struct sup_window_slot *oldest = window_slot(window, 0);

		if (oldest->second + window->period >= second)
			break;
		window->restarts -= oldest->restarts;
		window->used--;
		window->first++;
		if (window->first == window->nr_slots)
			window->first = 0;
	}
}

/**
 * sup_window_add() - count a restart, unless it is one too many
 * @window: where
 * @now_ns: when
 *
 * Context: any.
 * Return: false when it is one too many.
 */
bool sup_window_add(struct sup_window *window, u64 now_ns)
{
	u64 second = div_u64(now_ns, NSEC_PER_SEC);
	struct sup_window_slot *newest;

	window_expire(window, second);
	if (window->restarts >= window->intensity)
		return false;

	newest = window->used ? window_slot(window, window->used - 1) : NULL;
	if (!newest || newest->second < second) {
		if (window->used == window->nr_slots)
			return false;
		newest = window_slot(window, window->used++);
		newest->second = second;
		newest->restarts = 0;
	}
	newest->restarts++;
	window->restarts++;
	return true;
}

/*
 * Backoff
 */

/**
 * sup_retry_valid() - check a backoff option
 * @retry: the option
 *
 * Context: any.
 * Return: true if it is off, or its members fit each other.
 */
bool sup_retry_valid(const struct sup_retry *retry)
{
	return retry->min_ms == 0 ||
	       (retry->max_ms >= retry->min_ms && retry->factor_pct >= 100 &&
		retry->jitter_pct <= 100);
}

static u32 random_next(u64 *rng)
{
	/* xorshift64*, which never gets to 0 and never leaves it. */
	*rng ^= *rng >> 12;
	*rng ^= *rng << 25;
	*rng ^= *rng >> 27;
	return (*rng * 0x2545f4914f6cdd1dULL) >> 32;
}

/**
 * sup_retry_delay_ms() - how long the next restart waits
 * @retry: the backoff option, valid and not off
 * @backoff_ms: the delay before this one, without jitter, or 0 when there was none;
 *	becomes this one
 * @rng: where jitter comes from; not 0
 *
 * Context: any.
 * Return: the delay, in milliseconds.
 */
u64 sup_retry_delay_ms(const struct sup_retry *retry, u32 *backoff_ms, u64 *rng)
{
	u64 delay = retry->min_ms;
	u64 spread;

	if (*backoff_ms)
		delay = min_t(u64, div_u64((u64)*backoff_ms * retry->factor_pct, 100),
			      retry->max_ms);
	*backoff_ms = delay;

	/* One of 2 * spread + 1 values, spread <= delay < 2^32: 33 + 31 bits. */
	spread = div_u64(delay * retry->jitter_pct, 100);
	return delay - spread + (((random_next(rng) >> 1) * (2 * spread + 1)) >> 31);
}
