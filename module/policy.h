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
 *
 * An input only notes what happened and puts messages into the queue; all that
 * follows from it happens in sup_policy_next(), one action at a time. So inputs
 * may also come while actions are left to take, such as the STARTED of a child
 * whose START is being carried out.
 */
#ifndef SUP_POLICY_H
#define SUP_POLICY_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "name.h"
#include "restart.h"
#include "turn.h"

/* Values are those of the UAPI; a value outside the enum is refused by name. */
enum sup_strategy {
	SUP_ONE_FOR_ONE = 0,
	SUP_ONE_FOR_ALL = 1,
	SUP_REST_FOR_ONE = 2,
	SUP_STRATEGY_NR
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
 * struct sup_child_spec - the part of a child spec that decides
 * @restart: &enum sup_restart
 * @significant: 0 or 1
 * @type: &enum sup_child_type
 * @start_timeout_ms: from attached to started; 0 is for ever
 * @shutdown_ms: milliseconds, %SUP_SHUTDOWN_INFINITY or %SUP_SHUTDOWN_KILL
 * @retry: the backoff option
 */
struct sup_child_spec {
	s32 restart;
	s32 significant;
	s32 type;
	u32 start_timeout_ms;
	s64 shutdown_ms;
	struct sup_retry retry;
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

/**
 * struct sup_policy_child - a child as its supervisor's policy sees it
 * @name: its id, unique among its supervisor's children
 * @spec: how it is to be treated; constant while the child is linked
 * @initial: the child is one of the supervisor's own specs, with which a
 *	restarted supervisor starts again; others are forgotten then
 * @state: for the driver to read
 * @reason: how its last incarnation ended, valid once it has died
 * @verdict: what was decided about that: see sup_policy_decided()
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
	enum sup_child_state state : 8;
	enum sup_reason reason : 8;
	enum sup_verdict verdict : 8;
	bool initial;

	/* private: the policy's own */
	u8 dead : 1;			/* an EXIT came that no state shows yet */
	u8 lasted : 1;			/* ... after its reset_after_ms */
	u8 failed : 1;			/* a start failed since it last ran */
	u8 cancelled : 1;		/* was STARTING when it became STOPPING */
	u8 timed_out : 1;		/* ... because of its start timeout */
	u8 killed : 1;			/* KILL is out */
	u8 forgotten : 1;		/* FORGET is due after its last try-again */
	u32 retries;			/* its try-agains in the queue */
	u32 backoff_ms;			/* the last delay, 0 when none */
	struct list_head order;		/* in sup_policy.children or .forgets */
	struct list_head initials;	/* in sup_policy.initials */
	struct hlist_node index;	/* in sup_policy.buckets, by name */
	struct sup_due due;		/* in sup_policy.dues: its delay, our patience */
	u64 up_ns;			/* when it last became running */
	struct sup_msg exit;		/* its unhandled death; then in sup_policy.decided */
	struct sup_msg retry;		/* its next try-again */
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
 * @dynamic: whom it concerns, to a dynamic supervisor
 * @call: %SUP_IN_CALL
 * @reason: %SUP_IN_EXIT, %SUP_IN_STOP
 * @error: %SUP_IN_START_FAILED, and %SUP_IN_EXIT of a child that is starting:
 *	opaque to the policy, handed on
 *
 * An EXIT of a child that is %SUP_CHILD_STARTING is a start failure (the driver
 * says STARTED first when the child had started). Inputs that no longer fit the
 * child's state (STARTED after a cancelled start) are ignored. A start that
 * exceeds its timeout fails with -ETIMEDOUT, whatever the driver says of it.
 */
struct sup_input {
	enum sup_input_type type;
	union {
		struct sup_policy_child *child;
		struct sup_dynamic_child *dynamic;
	};
	struct sup_call *call;
	enum sup_reason reason;
	s32 error;
};

enum sup_action_type {
	SUP_ACT_START,		/* start @child; answer STARTED, START_FAILED, IGNORED or EXIT */
	/*
	 * Ask @child to stop; the policy waits for its EXIT. When it is still
	 * starting: cancel that; the answer may be START_FAILED or IGNORED too.
	 */
	SUP_ACT_TERM,
	SUP_ACT_KILL,		/* kill @child; likewise */
	/*
	 * @child could not be signalled and is given up: no input about this
	 * incarnation is expected any more.
	 */
	SUP_ACT_ABANDON,
	SUP_ACT_FORGET,		/* @child is no longer referred to */
	SUP_ACT_REPLY,		/* @call is answered */
	SUP_ACT_UP,		/* every child was started: tell the parent STARTED */
	SUP_ACT_DOWN		/* ended: tell the parent START_FAILED or EXIT(@reason) */
};

/* Why a supervisor went down. */
enum sup_down {
	SUP_DOWN_STOPPED,	/* it was told to */
	SUP_DOWN_INIT_FAILED,	/* @child did not start with @error; never was UP */
	SUP_DOWN_INTENSITY,	/* too many restarts; @child needed the last one */
	SUP_DOWN_AUTO_SHUTDOWN	/* significant children are done */
};

/**
 * struct sup_action - something to do
 * @type: what
 * @child: whom it concerns; with %SUP_ACT_DOWN see &enum sup_down
 * @dynamic: the same, of a dynamic supervisor
 * @call: %SUP_ACT_REPLY; %SUP_ACT_START: the call that asks for it, or NULL
 * @reason: %SUP_ACT_DOWN
 * @down: %SUP_ACT_DOWN
 * @error: %SUP_ACT_DOWN with %SUP_DOWN_INIT_FAILED
 *
 * Around %SUP_ACT_DOWN: children that are not initial are forgotten before it
 * (the one it names: right after it), and the calls that are left are answered
 * after it, so that who hears of the end by a reply finds the parent told.
 */
struct sup_action {
	enum sup_action_type type;
	union {
		struct sup_policy_child *child;
		struct sup_dynamic_child *dynamic;
	};
	struct sup_call *call;
	enum sup_reason reason;
	enum sup_down down;
	s32 error;
};

/* Try-agains beyond one a child that can be queued at a time; further ones merge. */
#define SUP_POLICY_EXTRA_RETRIES 16

/* What a policy is doing; every operation but IDLE and DOWN ends by itself. */
enum sup_policy_op {
	SUP_OP_DOWN = 0,	/* not started yet, or ended */
	SUP_OP_IDLE,		/* ready for the next message */
	SUP_OP_INIT,		/* starts its children, in order */
	SUP_OP_RESTART,		/* restarts @target alone */
	SUP_OP_GROUP_STOP,	/* stops the group of @target, in reverse order */
	SUP_OP_GROUP_START,	/* and then starts it, in order */
	SUP_OP_CALL,		/* starts or stops @target for @call */
	SUP_OP_STOP,		/* stops every child, in reverse order */
	SUP_OP_KILL,		/* kills every child at once */
	SUP_OP_END		/* all are dead: about to be down */
};

/* How the start that a policy waited for came out. */
enum sup_outcome {
	SUP_OUTCOME_STARTED,
	SUP_OUTCOME_IGNORED,
	SUP_OUTCOME_FAILED
};

/**
 * struct sup_policy - one supervisor
 * @flags: its flags
 * @children: sup_policy_child.order, in start order
 * @nr_children: how many
 * @restarts: how many restarts were counted since sup_policy_init()
 *
 * Lifetime: the driver's.
 * Locking: none of its own; the driver lets one context in at a time.
 * Context: any. A call does what one step needs; only a walk over children
 *	that need nothing takes time in proportion to their number.
 */
struct sup_policy {
	struct sup_flags flags;
	struct list_head children;
	u32 nr_children;
	u64 restarts;

	/* private: children, in other orders */
	struct list_head initials;	/* sup_policy_child.initials */
	struct rb_root_cached dues;	/* sup_policy_child.due */
	struct hlist_head *buckets;	/* sup_policy_child.index */
	u32 nr_buckets;
	u32 nr_significant;		/* that are significant and not undefined */
	u32 nr_stopping;

	/* private: what waits */
	struct sup_turns turns;
	struct list_head forgets;	/* sup_policy_child.order, to be forgotten */
	struct list_head decided;	/* sup_policy_child.exit.node, with a verdict */
	struct sup_msg extra_retries[SUP_POLICY_EXTRA_RETRIES];

	/* private: the operation */
	enum sup_policy_op op;
	enum sup_outcome outcome;	/* of the last start */
	s32 error;			/* with SUP_OUTCOME_FAILED */
	struct sup_policy_child *wait;	/* last told to start or stop, in this op */
	u64 timeout_ns;			/* when to stop waiting for @wait's answer */
	struct list_head *cursor;	/* next in a walk over @children */
	struct sup_policy_child *target;
	struct sup_call *call;

	/* private: the end */
	enum sup_down down;
	enum sup_reason down_reason;
	struct sup_policy_child *down_child;
	s32 down_error;

	struct sup_window window;
	u64 rng;
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
struct sup_policy_child *sup_policy_decided(struct sup_policy *policy);
bool sup_policy_withdraw(struct sup_policy *policy, struct sup_call *call);
u64 sup_policy_deadline(const struct sup_policy *policy);
bool sup_policy_idle(const struct sup_policy *policy);
bool sup_policy_suspended(const struct sup_policy *policy);
bool sup_policy_stopping(const struct sup_policy *policy);
bool sup_policy_down(const struct sup_policy *policy);
struct sup_policy_child *sup_policy_clear(struct sup_policy *policy);

#endif
