/* SPDX-License-Identifier: GPL-2.0 */
/*
 * restart - what restarts are reckoned with, alike for both kinds of supervisors
 * (policy and dynamic): when one is due, whether it is one too many, how long it
 * waits. Pure.
 */
#ifndef SUP_RESTART_H
#define SUP_RESTART_H

#include <linux/rbtree.h>
#include <linux/types.h>

/* Values are those of the UAPI; a value outside the enum is refused by name. */
enum sup_restart {
	SUP_PERMANENT = 0,
	SUP_TRANSIENT = 1,
	SUP_TEMPORARY = 2,
	SUP_RESTART_NR
};

enum sup_reason {
	SUP_NORMAL = 0,
	SUP_SHUTDOWN = 1,
	SUP_CRASH = 2,
	SUP_KILLED = 3,
	SUP_REASON_NR
};

/* What was decided about a death. Values are those of the UAPI, but for the last. */
enum sup_verdict {
	SUP_VERDICT_RESTART = 0,
	SUP_VERDICT_RETRY = 1,		/* a restart, after its delay */
	SUP_VERDICT_KEEP = 2,
	SUP_VERDICT_DELETE = 3,
	SUP_VERDICT_GIVE_UP = 4,	/* one restart too many */
	SUP_VERDICT_AUTO_SHUTDOWN = 5,
	SUP_VERDICT_STOPPED = 6,	/* it was being stopped, or about to be */
	SUP_VERDICT_START_FAILED = 7,
	SUP_VERDICT_OBEYED		/* it was killed, and so it died */
};

bool sup_restart_due(s32 restart, enum sup_reason reason);
enum sup_verdict sup_stopped_verdict(bool killed, bool timed_out, enum sup_reason reason);

/*
 * Time
 */

#define SUP_NEVER U64_MAX

u64 sup_time_after_ms(u64 now_ns, u64 ms);

/**
 * struct sup_due - when something is due; embedded in what it is about
 * @node: in a tree of them, next due first
 * @ns: when; valid in a tree
 *
 * Lifetime: that of what it is embedded in.
 * Locking: that of the tree.
 * Context: none of its own.
 */
struct sup_due {
	struct rb_node node;
	u64 ns;
};

void sup_due_add(struct rb_root_cached *dues, struct sup_due *due, u64 ns);
struct sup_due *sup_due_first(const struct rb_root_cached *dues);

/*
 * The intensity window
 */

/* One entry: restarts counted in one second. */
struct sup_window_slot {
	u64 second;
	u32 restarts;
};

/**
 * struct sup_window - the restarts of the last seconds
 * @intensity: how many are allowed
 * @period: within how many seconds
 * @slots: a ring of seconds
 * @nr_slots: its length
 * @first: the oldest one
 * @used: how many from there on
 * @restarts: in all of them
 *
 * Lifetime: its supervisor's; @slots are lent by whoever made that.
 * Locking: its supervisor's.
 * Context: none of its own.
 */
struct sup_window {
	s64 intensity;
	s64 period;
	struct sup_window_slot *slots;
	size_t nr_slots;
	size_t first;
	size_t used;
	s64 restarts;
};

size_t sup_window_slots(s64 intensity, s64 period);
void sup_window_init(struct sup_window *window, s64 intensity, s64 period,
		     struct sup_window_slot *slots, size_t nr_slots);
void sup_window_clear(struct sup_window *window);
bool sup_window_add(struct sup_window *window, u64 now_ns);

/*
 * Backoff
 */

/**
 * struct sup_retry - the backoff option of a child; off when @min_ms is 0
 * @min_ms: the first delay, in milliseconds
 * @max_ms: the longest delay, before jitter; at least @min_ms
 * @factor_pct: each delay is this many hundredths of the one before, >= 100
 * @jitter_pct: a delay varies by up to this many hundredths of it, 0 to 100
 * @reset_after_ms: a child that ran for so long starts over: its next restart
 *	comes at once
 * @uncounted: an attempt that follows a start failure is no restart to the
 *	intensity
 */
struct sup_retry {
	u32 min_ms;
	u32 max_ms;
	u32 factor_pct;
	u32 jitter_pct;
	u32 reset_after_ms;
	bool uncounted;
};

bool sup_retry_valid(const struct sup_retry *retry);
u64 sup_retry_delay_ms(const struct sup_retry *retry, u32 *backoff_ms, u64 *rng);

#endif
