/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy - what a supervisor decides. Pure: no lock, task, clock, allocator or
 * random source is touched here, and the same file is built into the module,
 * into KUnit and into programs on the host.
 *
 * One struct sup_policy is one supervisor. Its driver (the kernel's actor, a
 * simulation, a fuzzer) hands it inputs in the order in which they happened,
 * and after each one takes actions out of it until there is none:
 *
 *	sup_policy_input(policy, &input, now_ns);
 *	while (sup_policy_next(policy, now_ns, &action))
 *		carry_out(&action);
 *	arm_a_timer_for(sup_policy_deadline(policy));
 *
 * Like OTP's supervisor it handles one message at a time. A message (a death,
 * a call, a retry) that arrives while an operation is under way waits in the
 * policy's queue, in order. What an operation waits for (a start's outcome, the
 * death of a child it stops, a timer) goes past the queue. A stop goes past it
 * too: it cancels the start that is under way and everything that waits.
 *
 * Memory: children and calls are the driver's and carry their own links; the
 * intensity window and the id index are given at initialisation. So no input
 * can fail for want of memory.
 */
#ifndef SUP_POLICY_H
#define SUP_POLICY_H

#include <linux/list.h>
#include <linux/types.h>

#include "name.h"

/* Values are those of the UAPI; a value outside the enum is refused by name. */
enum sup_strategy {
	SUP_ONE_FOR_ONE = 0,
	SUP_ONE_FOR_ALL = 1,
	SUP_REST_FOR_ONE = 2,
	SUP_STRATEGY_NR
};

enum sup_restart {
	SUP_PERMANENT = 0,
	SUP_TRANSIENT = 1,
	SUP_TEMPORARY = 2,
	SUP_RESTART_NR
};

enum sup_auto_shutdown {
	SUP_AUTO_NEVER = 0,
	SUP_AUTO_ANY_SIGNIFICANT = 1,
	SUP_AUTO_ALL_SIGNIFICANT = 2,
	SUP_AUTO_NR
};

/* What a child is declared to be; says nothing of what it is. */
enum sup_child_type {
	SUP_WORKER = 0,
	SUP_SUPERVISOR = 1,
	SUP_CHILD_TYPE_NR
};

enum sup_reason {
	SUP_NORMAL = 0,
	SUP_SHUTDOWN = 1,
	SUP_CRASH = 2,
	SUP_KILLED = 3,
	SUP_REASON_NR
};

/* struct sup_child_spec.shutdown_ms: 0 to SUP_SHUTDOWN_MS_MAX, or one of these. */
#define SUP_SHUTDOWN_INFINITY	(-1)
#define SUP_SHUTDOWN_KILL	(-2)
#define SUP_SHUTDOWN_MS_MAX	(1000LL * 60 * 60 * 24 * 365)

#define SUP_INTENSITY_MAX	1000000		/* restarts */
#define SUP_PERIOD_MAX		(60 * 60 * 24 * 365) /* seconds */

/**
 * struct sup_flags - a supervisor's flags
 * @strategy: &enum sup_strategy
 * @intensity: restarts allowed within @period, 0 to %SUP_INTENSITY_MAX
 * @period: seconds, 1 to %SUP_PERIOD_MAX
 * @auto_shutdown: &enum sup_auto_shutdown
 * @unkillable_ms: how long a stop waits for a child that it may not signal
 *
 * Signed and wide, so that an invalid value can be held and named.
 */
struct sup_flags {
	s64 strategy;
	s64 intensity;
	s64 period;
	s64 auto_shutdown;
	u32 unkillable_ms;
};

/**
 * struct sup_retry - the backoff option of a child; off when @min_ms is 0
 * @min_ms: the first delay, in milliseconds
 * @max_ms: the longest delay, at least @min_ms
 * @factor_pct: each delay is this many hundredths of the one before, >= 100
 * @jitter_pct: a delay varies by up to this many hundredths of it, 0 to 100
 * @reset_after_ms: a child that ran for so long starts over: its next restart
 *	comes at once
 * @uncounted: start failures are not restarts to the intensity
 */
struct sup_retry {
	u32 min_ms;
	u32 max_ms;
	u32 factor_pct;
	u32 jitter_pct;
	u32 reset_after_ms;
	bool uncounted;
};

/**
 * struct sup_child_spec - the part of a child spec that decides
 * @restart: &enum sup_restart
 * @significant: 0 or 1
 * @type: &enum sup_child_type
 * @shutdown_ms: milliseconds, %SUP_SHUTDOWN_INFINITY or %SUP_SHUTDOWN_KILL
 * @start_timeout_ms: from attached to started; 0 is for ever
 * @retry: the backoff option
 */
struct sup_child_spec {
	s64 restart;
	s64 significant;
	s64 type;
	s64 shutdown_ms;
	u32 start_timeout_ms;
	struct sup_retry retry;
};

/* Why a spec or flags are refused: the first bad member, in OTP's order. */
enum sup_invalid {
	SUP_VALID = 0,
	SUP_INVALID_STRATEGY,
	SUP_INVALID_INTENSITY,
	SUP_INVALID_PERIOD,
	SUP_INVALID_AUTO_SHUTDOWN,
	SUP_INVALID_ID,			/* OTP's missing_id */
	SUP_INVALID_RESTART_TYPE,
	SUP_BAD_COMBINATION_AUTO_SHUTDOWN, /* significant, but auto_shutdown never */
	SUP_BAD_COMBINATION_RESTART,	/* significant and permanent */
	SUP_INVALID_SIGNIFICANT,
	SUP_INVALID_CHILD_TYPE,
	SUP_INVALID_SHUTDOWN,
	SUP_INVALID_RETRY,		/* ours, checked last */
	SUP_DUPLICATE_CHILD_NAME
};

enum sup_invalid sup_flags_validate(const struct sup_flags *flags);
enum sup_invalid sup_child_spec_validate(const struct sup_flags *flags,
					 const struct sup_child_spec *spec);

/* What a supervisor believes of a child. */
enum sup_child_state {
	SUP_CHILD_UNDEFINED = 0,	/* no process, and none is due */
	SUP_CHILD_STARTING,		/* START is out, its outcome is not in */
	SUP_CHILD_RUNNING,
	SUP_CHILD_STOPPING,		/* asked to stop or killed, not yet dead */
	SUP_CHILD_RESTARTING		/* a restart failed or waits for its delay */
};

enum sup_msg_type {
	SUP_MSG_EXIT,
	SUP_MSG_RETRY,
	SUP_MSG_CALL
};

/* A place in a policy's queue; embedded in what it stands for. */
struct sup_msg {
	struct list_head node;		/* empty when not queued */
	enum sup_msg_type type;
	struct sup_policy_child *child;	/* EXIT, RETRY */
};

/**
 * struct sup_policy_child - a child as its supervisor's policy sees it
 * @name: its id, unique among its supervisor's children
 * @spec: how it is to be treated; constant while the child is linked
 * @initial: the child is one of the supervisor's own specs, with which a
 *	restarted supervisor starts again; others are forgotten then
 * @state: for the driver to read
 * @reason: how its last incarnation ended, valid once it has died
 *
 * Lifetime: the driver's; the policy refers to it from sup_policy_add() or an
 *	accepted start_child call until %SUP_ACT_FORGET. An @initial child is
 *	forgotten only by sup_policy_clear(): when its spec is deleted, it leaves
 *	@order and waits in the policy until the supervisor starts afresh.
 * Locking: that of the policy.
 * Context: none of its own.
 */
struct sup_policy_child {
	struct sup_name name;
	struct sup_child_spec spec;
	bool initial;

	enum sup_child_state state;
	enum sup_reason reason;

	/* private: the policy's own */
	struct list_head order;		/* in sup_policy.children, start order */
	struct list_head initials;	/* in sup_policy.initials */
	struct hlist_node index;	/* in sup_policy.buckets, by name */
	struct list_head delay;		/* in sup_policy.delayed, by due time */
	struct sup_msg exit;		/* its unhandled death */
	struct sup_msg retry;		/* its next try-again */
	u64 due_ns;			/* end of its delay */
	u64 up_ns;			/* when it last became running */
	u32 backoff_ms;			/* the last delay, 0 when none */
	bool dead;			/* an EXIT came that no state shows yet */
	/* the implementation adds what it needs */
};

enum sup_call_type {
	SUP_CALL_START_CHILD,		/* @child is new; the policy takes it or not */
	SUP_CALL_TERMINATE_CHILD,	/* the rest name a child by @name */
	SUP_CALL_RESTART_CHILD,
	SUP_CALL_DELETE_CHILD,
	SUP_CALL_GET_CHILDSPEC,		/* these three only mark their turn: the */
	SUP_CALL_WHICH_CHILDREN,	/* driver reads the state at SUP_ACT_REPLY */
	SUP_CALL_COUNT_CHILDREN,
	SUP_CALL_SUSPEND		/* answered when it takes effect */
};

enum sup_call_result {
	SUP_OK = 0,
	SUP_OK_UNDEFINED,		/* the start was ignored */
	SUP_ERR_RUNNING,
	SUP_ERR_RESTARTING,
	SUP_ERR_NOT_FOUND,
	SUP_ERR_ALREADY_STARTED,
	SUP_ERR_ALREADY_PRESENT,
	SUP_ERR_START_FAILED,
	SUP_ERR_INVALID,		/* @invalid says what */
	SUP_ERR_NOPROC,			/* the supervisor ended before its turn */
	SUP_ERR_EXIT			/* the supervisor ended during the call */
};

/**
 * struct sup_call - a call to a supervisor
 * @type: what is asked
 * @name: the child meant; unused with START_CHILD, WHICH and COUNT
 * @child: START_CHILD: the new child. In a reply: the child meant, if there is
 *	one (also with errors), for the driver to tell its pid
 * @result: valid from %SUP_ACT_REPLY on
 * @invalid: with %SUP_ERR_INVALID
 * @start_error: with %SUP_ERR_START_FAILED, what the driver said of the failure
 *
 * Lifetime: the driver's; the policy refers to it from its input to its
 *	%SUP_ACT_REPLY, or until sup_policy_withdraw() returned true.
 */
struct sup_call {
	enum sup_call_type type;
	struct sup_name name;
	struct sup_policy_child *child;
	enum sup_call_result result;
	enum sup_invalid invalid;
	s32 start_error;

	/* private: the policy's own */
	struct sup_msg msg;
};

enum sup_input_type {
	SUP_IN_START,		/* begin: start the children (once, or again after DOWN) */
	SUP_IN_STOP,		/* end with @reason: the parent's, owner's or API's stop */
	SUP_IN_KILL,		/* end now: kill every child at once, then DOWN killed */
	SUP_IN_ATTACHED,	/* @child: its process exists; the start timeout begins */
	SUP_IN_STARTED,		/* @child: the start succeeded */
	SUP_IN_START_FAILED,	/* @child: it failed with @error and nothing of it lives */
	SUP_IN_IGNORED,		/* @child: it asked to be ignored and is gone */
	SUP_IN_EXIT,		/* @child: dead with @reason, started or not */
	SUP_IN_UNKILLABLE,	/* @child: a TERM or KILL was not permitted */
	SUP_IN_CALL,		/* @call */
	SUP_IN_RESUME,		/* end a suspension */
	SUP_IN_TIMER		/* the deadline may have passed */
};

/**
 * struct sup_input - something that happened
 * @type: what
 * @child: whom it concerns
 * @call: %SUP_IN_CALL
 * @reason: %SUP_IN_EXIT, %SUP_IN_STOP
 * @error: %SUP_IN_START_FAILED: opaque to the policy, handed on
 *
 * An EXIT of a child that is %SUP_CHILD_STARTING is a start failure (the driver
 * says STARTED first when the child had started). Inputs that no longer fit the
 * child's state (STARTED after a cancelled start) are ignored.
 */
struct sup_input {
	enum sup_input_type type;
	struct sup_policy_child *child;
	struct sup_call *call;
	enum sup_reason reason;
	s32 error;
};

enum sup_action_type {
	SUP_ACT_START,		/* start @child; answer STARTED, START_FAILED, IGNORED or EXIT */
	SUP_ACT_TERM,		/* ask @child to stop; the policy waits for its EXIT. When it is
				 * still starting: cancel that; the answer may be START_FAILED */
	SUP_ACT_KILL,		/* kill @child; likewise */
	SUP_ACT_ABANDON,	/* @child could not be signalled and is given up: no input
				 * about this incarnation is expected any more */
	SUP_ACT_FORGET,		/* @child is no longer referred to */
	SUP_ACT_REPLY,		/* @call is answered */
	SUP_ACT_UP,		/* every child was started: tell the parent STARTED */
	SUP_ACT_DOWN		/* ended: tell the parent START_FAILED or EXIT(@reason) */
};

/* Why a supervisor went down. */
enum sup_down {
	SUP_DOWN_STOPPED,	/* it was told to */
	SUP_DOWN_INIT_FAILED,	/* @child did not start with @error; never was UP */
	SUP_DOWN_INTENSITY,	/* too many restarts; @child is the last straw */
	SUP_DOWN_AUTO_SHUTDOWN	/* significant children are done */
};

/**
 * struct sup_action - something to do
 * @type: what
 * @child: whom it concerns
 * @call: %SUP_ACT_REPLY
 * @reason: %SUP_ACT_DOWN
 * @down: %SUP_ACT_DOWN
 * @error: %SUP_ACT_DOWN with %SUP_DOWN_INIT_FAILED
 */
struct sup_action {
	enum sup_action_type type;
	struct sup_policy_child *child;
	struct sup_call *call;
	enum sup_reason reason;
	enum sup_down down;
	s32 error;
};

/* One entry of the intensity window: restarts counted in one second. */
struct sup_window_slot {
	u64 second;
	u32 restarts;
};

/* Try-agains beyond one a child that can be queued at a time; further ones merge. */
#define SUP_POLICY_EXTRA_RETRIES 16

/**
 * struct sup_policy - one supervisor
 *
 * Lifetime: the driver's.
 * Locking: none of its own; the driver lets one context in at a time.
 * Context: any; bounded work a call.
 */
struct sup_policy {
	struct sup_flags flags;
	struct list_head children;	/* sup_policy_child.order, start order */
	u32 nr_children;
	/* private: the implementation adds what it needs (window, buckets, queue,
	 * initials, delayed, extra retries, operation, cursor, suspended, rng) */
};

size_t sup_policy_window_slots(const struct sup_flags *flags);
void sup_policy_init(struct sup_policy *policy, const struct sup_flags *flags,
		     struct sup_window_slot *window, size_t window_slots,
		     struct hlist_head *buckets, u32 nr_buckets, u64 seed);
void sup_policy_reindex(struct sup_policy *policy, struct hlist_head *buckets,
			u32 nr_buckets);
enum sup_invalid sup_policy_add(struct sup_policy *policy,
				struct sup_policy_child *child);
struct sup_policy_child *sup_policy_find(struct sup_policy *policy,
					 const struct sup_name *name);
void sup_policy_input(struct sup_policy *policy, const struct sup_input *input,
		      u64 now_ns);
bool sup_policy_next(struct sup_policy *policy, u64 now_ns,
		     struct sup_action *action);
bool sup_policy_withdraw(struct sup_policy *policy, struct sup_call *call);
u64 sup_policy_deadline(const struct sup_policy *policy);
bool sup_policy_idle(const struct sup_policy *policy);
bool sup_policy_suspended(const struct sup_policy *policy);
bool sup_policy_down(const struct sup_policy *policy);
struct sup_policy_child *sup_policy_clear(struct sup_policy *policy);

#endif
