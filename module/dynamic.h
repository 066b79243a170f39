/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dynamic - what a dynamic supervisor decides: Elixir's DynamicSupervisor, and
 * OTP's simple_one_for_one. Pure, as policy is, and driven in the same way, with
 * the inputs, actions and calls of policy.h, whose @dynamic members it uses:
 *
 *	sup_dynamic_input(dynamic, &input, now_ns);
 *	do {
 *		more = sup_dynamic_next(dynamic, now_ns, &action);
 *		while ((child = sup_dynamic_decided(dynamic, now_ns)))
 *			tell_of_its_death(child);
 *		if (more)
 *			carry_out(&action);
 *	} while (more);
 *	arm_a_timer_for(sup_dynamic_deadline(dynamic));
 *
 * It begins without children; each comes by a START_CHILD and is forgotten when
 * it is gone. Children have no order and no id: a call means one by its struct,
 * which the driver finds, and by the incarnation, which stands for OTP's pid. A
 * restart is of the child alone, and a stop of all of them at once.
 *
 * One message at a time, as policy has it: while a START is out, what comes waits
 * for its turn. A call whose child has started by itself (@attached) takes no time
 * in its turn, so any number of those can be under way at once; they wait only for
 * what came before them.
 *
 * The two modes, by &struct sup_dynamic_flags.simple:
 *
 *			DynamicSupervisor	simple_one_for_one
 *	specs		one a child		a template, for all
 *	auto_shutdown	never			any
 *	an ignored	the child is forgotten	it is kept, undefined; at most one is,
 *	  restart				  and the next one takes its place
 *	terminate_child	NOT_FOUND		OK; it also forgets the undefined one
 *	  of the dead
 *
 * Memory: children and calls are the driver's; nothing is allocated. A child costs
 * %SUP_DYNAMIC_CHILD_MAX bytes at most. Its places among the children, in the queue
 * and among what is due are used in turn: who waits for its delay has no message in
 * the queue.
 */
#ifndef SUP_DYNAMIC_H
#define SUP_DYNAMIC_H

#include "policy.h"

#define SUP_DYNAMIC_CHILD_MAX 96

/* struct sup_dynamic_flags.max_children: 0 to SUP_CHILDREN_MAX, or this. */
#define SUP_CHILDREN_INFINITY	(-1)
#define SUP_CHILDREN_MAX	U32_MAX

/**
 * struct sup_dynamic_flags - a dynamic supervisor's flags
 * @common: as an ordinary one's; the strategy is one_for_one
 * @max_children: how many children it may have, those that restart included
 * @simple: it is a simple_one_for_one supervisor
 */
struct sup_dynamic_flags {
	struct sup_flags common;
	s64 max_children;
	bool simple;
};

enum sup_invalid sup_dynamic_flags_validate(const struct sup_dynamic_flags *flags);
enum sup_invalid sup_dynamic_spec_validate(const struct sup_dynamic_flags *flags,
					   const struct sup_child_spec *spec);

/**
 * struct sup_dynamic_child - a child as its dynamic supervisor sees it
 * @spec: how it is to be treated; shared with others, constant
 * @state: for the driver to read; %SUP_CHILD_UNDEFINED once it is forgotten
 * @reason: how its last incarnation ended, valid once it has died
 * @verdict: what was decided about that: see sup_dynamic_decided()
 * @incarnation: how many of its starts have succeeded: names its process, and while
 *	it restarts the one before
 *
 * Lifetime: the driver's; the supervisor refers to it from the START_CHILD that it
 *	accepts until %SUP_ACT_FORGET, and as long as a call means it.
 * Locking: that of the supervisor.
 * Context: none of its own.
 */
struct sup_dynamic_child {
	const struct sup_child_spec *spec;
	enum sup_child_state state : 8;
	enum sup_reason reason : 8;
	enum sup_verdict verdict : 8;
	u32 incarnation;

	/* private: the supervisor's own */
	u8 linked : 1;			/* in sup_dynamic.children */
	u8 attached : 1;		/* its START_CHILD, with its process, waits */
	u8 dead : 1;			/* an EXIT came that no state shows yet */
	u8 lasted : 1;			/* ... after its reset_after_ms */
	u8 failed : 1;			/* a start failed since it last ran */
	u8 timed : 1;			/* @due is in sup_dynamic.dues; else @msg is valid */
	u8 cancelled : 1;		/* was STARTING when it became STOPPING */
	u8 timed_out : 1;		/* ... because of its start timeout */
	u8 killed : 1;			/* KILL is out */
	u8 untold : 1;			/* @msg is in sup_dynamic.decided */
	u32 backoff_ms;			/* the last delay, 0 when none */
	u64 up_ns;			/* when it last became running */
	struct list_head node;		/* in sup_dynamic.children or .forgets */
	union {
		struct sup_msg msg;	/* its death, or its next try-again */
		struct sup_due due;	/* end of its delay, or of our patience */
	};
};

/* What it is doing; every operation but IDLE and DOWN ends by itself. */
enum sup_dynamic_op {
	SUP_DYNAMIC_DOWN = 0,	/* not started yet, or ended */
	SUP_DYNAMIC_INIT,	/* about to be up */
	SUP_DYNAMIC_IDLE,	/* ready for the next message */
	SUP_DYNAMIC_RESTART,	/* restarts @target */
	SUP_DYNAMIC_CALL,	/* starts or stops @target for @call */
	SUP_DYNAMIC_SIGNAL,	/* asks every child to stop */
	SUP_DYNAMIC_WAIT,	/* waits for their deaths */
	SUP_DYNAMIC_EXPIRE,	/* kills those whose time to stop is over */
	SUP_DYNAMIC_KILL,	/* kills every child at once */
	SUP_DYNAMIC_END		/* all are gone: about to be down */
};

/**
 * struct sup_dynamic - one dynamic supervisor
 * @flags: its flags
 * @children: sup_dynamic_child.node, the last added last
 * @nr_children: how many
 * @nr_restarting: how many of them are %SUP_CHILD_RESTARTING; to count_children of
 *	both modes the others are active
 * @nr_supervisors: how many of them are declared supervisors
 * @restarts: how many restarts were counted since sup_dynamic_init()
 *
 * Lifetime: the driver's.
 * Locking: none of its own; the driver lets one context in at a time.
 * Context: any. A call does what one step needs; only a walk over children that
 *	need nothing takes time in proportion to their number: one for each distinct
 *	timeout that passes in a stop.
 */
struct sup_dynamic {
	struct sup_dynamic_flags flags;
	struct list_head children;
	u32 nr_children;
	u32 nr_restarting;
	u32 nr_supervisors;
	u64 restarts;

	/* private: what waits */
	struct sup_turns turns;
	struct rb_root_cached dues;	/* sup_dynamic_child.due */
	struct list_head forgets;	/* sup_dynamic_child.node, to be forgotten */
	struct list_head decided;	/* sup_dynamic_child.msg.node, with a verdict */

	/* private: the operation */
	enum sup_dynamic_op op;
	enum sup_outcome outcome;	/* of the last start */
	s32 error;			/* with SUP_OUTCOME_FAILED */
	struct sup_dynamic_child *target;
	struct sup_call *call;
	u64 timeout_ns;			/* when to stop waiting for @target's answer */
	struct sup_dynamic_child *ignored; /* simple: the undefined child that is kept */

	/* private: the stop of all */
	struct list_head *cursor;	/* next in a walk over @children */
	u64 asked_ns;			/* when all had been asked */
	u64 patience_ms;		/* the shortest timeout that has not passed */
	u64 next_patience_ms;		/* while it expires: the next one */

	/* private: the end */
	enum sup_down down;
	enum sup_reason down_reason;
	struct sup_dynamic_child *down_child;

	struct sup_window window;
	u64 rng;
};

void sup_dynamic_init(struct sup_dynamic *dynamic, const struct sup_dynamic_flags *flags,
		      struct sup_window_slot *window, size_t window_slots, u64 seed);
void sup_dynamic_input(struct sup_dynamic *dynamic, const struct sup_input *input, u64 now_ns);
bool sup_dynamic_next(struct sup_dynamic *dynamic, u64 now_ns, struct sup_action *action);
struct sup_dynamic_child *sup_dynamic_decided(struct sup_dynamic *dynamic, u64 now_ns);
bool sup_dynamic_withdraw(struct sup_dynamic *dynamic, struct sup_call *call);
u64 sup_dynamic_deadline(const struct sup_dynamic *dynamic);
u32 sup_dynamic_awaited(const struct sup_dynamic *dynamic);
bool sup_dynamic_idle(const struct sup_dynamic *dynamic);
bool sup_dynamic_suspended(const struct sup_dynamic *dynamic);
bool sup_dynamic_stopping(const struct sup_dynamic *dynamic);
bool sup_dynamic_down(const struct sup_dynamic *dynamic);
struct sup_dynamic_child *sup_dynamic_clear(struct sup_dynamic *dynamic);

#endif
