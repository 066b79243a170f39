// SPDX-License-Identifier: GPL-2.0
/*
 * dynamic - see dynamic.h for what it promises. How it works:
 *
 * sup_dynamic_next() runs a machine whose state is @op, until a step yields an
 * action or has to wait.
 *
 *	DOWN -> INIT -> IDLE			START; UP
 *	IDLE -> RESTART -> IDLE			a death or try-again
 *	IDLE -> CALL -> IDLE			a call that has to wait for a child
 *	any of these -> SIGNAL -> WAIT -> END -> DOWN	a STOP, or its own decision
 *	WAIT -> EXPIRE -> WAIT			the next timeout is over
 *	any but DOWN and END -> KILL -> END -> DOWN	a KILL
 *
 * Only IDLE takes messages from the queue. Where a comment says OTP, the rule is
 * that of lib/stdlib/src/supervisor.erl; where it says Elixir, that of
 * lib/elixir/lib/dynamic_supervisor.ex.
 */
#include "dynamic.h"

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

static_assert(sizeof(struct sup_dynamic_child) <= SUP_DYNAMIC_CHILD_MAX);

/* What a step of the machine came to. */
enum dynamic_step {
	STEP_AGAIN,		/* take another one */
	STEP_ACT,		/* there is an action */
	STEP_WAIT		/* nothing to do before the next input or deadline */
};

static enum dynamic_step dynamic_act(struct sup_action *action, enum sup_action_type type,
				     struct sup_dynamic_child *child)
{
	action->type = type;
	action->dynamic = child;
	return STEP_ACT;
}

/* Is it on its way down, with children that may still live? */
static bool dynamic_ends(const struct sup_dynamic *dynamic)
{
	return dynamic->op >= SUP_DYNAMIC_SIGNAL && dynamic->op < SUP_DYNAMIC_END;
}

/*
 * Children: membership and state.
 */

static void child_set_state(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
			    enum sup_child_state state)
{
	dynamic->nr_restarting -= child->state == SUP_CHILD_RESTARTING;
	dynamic->nr_restarting += state == SUP_CHILD_RESTARTING;
	child->state = state;
}

/* A child of the driver's that is seen for the first time. */
static void child_init(struct sup_dynamic_child *child)
{
	const struct sup_child_spec *spec = child->spec;

	memset(child, 0, sizeof(*child));
	child->spec = spec;
	INIT_LIST_HEAD(&child->node);
	INIT_LIST_HEAD(&child->msg.node);
}

static void child_link(struct sup_dynamic *dynamic, struct sup_dynamic_child *child)
{
	child->linked = true;
	list_add_tail(&child->node, &dynamic->children);
	dynamic->nr_children++;
	dynamic->nr_supervisors += child->spec->type == SUP_SUPERVISOR;
}

static void child_unlink(struct sup_dynamic *dynamic, struct sup_dynamic_child *child)
{
	if (dynamic->cursor == &child->node)
		dynamic->cursor = child->node.next;
	if (dynamic->target == child)
		dynamic->target = NULL;
	if (dynamic->ignored == child)
		dynamic->ignored = NULL;
	child->linked = false;
	list_del_init(&child->node);
	dynamic->nr_children--;
	dynamic->nr_supervisors -= child->spec->type == SUP_SUPERVISOR;
}

/* Delete a child that is undefined. */
static void child_remove(struct sup_dynamic *dynamic, struct sup_dynamic_child *child)
{
	child_unlink(dynamic, child);
	list_add_tail(&child->node, &dynamic->forgets);
}

/*
 * Children: what they wait for. Either a message or a time is theirs.
 */

static void child_queue(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
			enum sup_msg_type type)
{
	child->msg.type = type;
	list_add_tail(&child->msg.node, &dynamic->turns.queue);
}

static void child_arm_timer(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
			    u64 due_ns)
{
	child->timed = true;
	sup_due_add(&dynamic->dues, &child->due, due_ns);
}

static void child_disarm_timer(struct sup_dynamic *dynamic, struct sup_dynamic_child *child)
{
	if (!child->timed)
		return;
	rb_erase_cached(&child->due.node, &dynamic->dues);
	child->timed = false;
	INIT_LIST_HEAD(&child->msg.node);
}

/* What its death comes to; its message is out of the queue, or never was in it. */
static void child_decide(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
			 enum sup_verdict verdict)
{
	child->verdict = verdict;
	child->untold = true;
	list_add_tail(&child->msg.node, &dynamic->decided);
}

static struct sup_dynamic_child *dynamic_first_timer(const struct sup_dynamic *dynamic)
{
	struct sup_due *due = sup_due_first(&dynamic->dues);

	return due ? container_of(due, struct sup_dynamic_child, due) : NULL;
}

/*
 * Children: start, stop and try-again.
 */

static bool child_is_awaited(const struct sup_dynamic_child *child)
{
	return child && (child->state == SUP_CHILD_STARTING ||
			 child->state == SUP_CHILD_STOPPING);
}

static void child_up(struct sup_dynamic *dynamic, struct sup_dynamic_child *child)
{
	child_set_state(dynamic, child, SUP_CHILD_RUNNING);
	child->incarnation++;
}

static enum dynamic_step child_start(struct sup_dynamic *dynamic,
				     struct sup_dynamic_child *child, struct sup_action *action)
{
	child->cancelled = false;
	child->timed_out = false;
	child->killed = false;
	child_set_state(dynamic, child, SUP_CHILD_STARTING);
	dynamic->timeout_ns = SUP_NEVER;
	return dynamic_act(action, SUP_ACT_START, child);
}

static enum dynamic_step child_kill(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
				    struct sup_action *action)
{
	child->killed = true;
	child->cancelled |= child->state == SUP_CHILD_STARTING;
	child_set_state(dynamic, child, SUP_CHILD_STOPPING);
	return dynamic_act(action, SUP_ACT_KILL, child);
}

/* Ask a child to stop that has a process, or is about to. */
static enum dynamic_step child_term(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
				    struct sup_action *action)
{
	if (child->spec->shutdown_ms == SUP_SHUTDOWN_KILL)
		return child_kill(dynamic, child, action);
	child->cancelled = child->state == SUP_CHILD_STARTING;
	child_set_state(dynamic, child, SUP_CHILD_STOPPING);
	return dynamic_act(action, SUP_ACT_TERM, child);
}

/*
 * Has a child no process to be stopped? Then a death that waits in the queue is
 * absorbed, as OTP does it, and a restart that is due is cancelled.
 */
static bool child_settle(struct sup_dynamic *dynamic, struct sup_dynamic_child *child)
{
	if (child->state != SUP_CHILD_UNDEFINED && child->state != SUP_CHILD_RESTARTING &&
	    !child->dead)
		return false;
	child_disarm_timer(dynamic, child);
	if (!child->untold)
		list_del_init(&child->msg.node);
	if (child->dead)
		child_decide(dynamic, child, SUP_VERDICT_STOPPED);
	child->dead = false;
	child_set_state(dynamic, child, SUP_CHILD_UNDEFINED);
	return true;
}

/* Nothing of @child's process is left, or it was given up. */
static void child_gone(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
		       enum sup_outcome outcome, s32 error)
{
	child_disarm_timer(dynamic, child);
	child_set_state(dynamic, child, SUP_CHILD_UNDEFINED);
	if (dynamic_ends(dynamic)) {
		child_remove(dynamic, child);
		return;
	}
	if (child->timed_out) {
		outcome = SUP_OUTCOME_FAILED;
		error = -ETIMEDOUT;
	}
	dynamic->outcome = outcome;
	dynamic->error = error;
}

/* Restart @child when its delay is over. */
static void child_restart_delayed(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
				  u64 now_ns)
{
	u64 delay_ms = sup_retry_delay_ms(&child->spec->retry, &child->backoff_ms, &dynamic->rng);

	child_set_state(dynamic, child, SUP_CHILD_RESTARTING);
	child_arm_timer(dynamic, child, sup_time_after_ms(now_ns, delay_ms));
}

/* The start of @child that was a restart has failed. */
static void child_restart_failed(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
				 u64 now_ns)
{
	child->failed = true;
	if (child->spec->retry.min_ms) {
		child_restart_delayed(dynamic, child, now_ns);
		return;
	}
	child_set_state(dynamic, child, SUP_CHILD_RESTARTING);
	child_queue(dynamic, child, SUP_MSG_RETRY);
}

/* The operation is over: on to the next message. */
static enum dynamic_step dynamic_be_idle(struct sup_dynamic *dynamic)
{
	dynamic->op = SUP_DYNAMIC_IDLE;
	dynamic->target = NULL;
	dynamic->call = NULL;
	return STEP_AGAIN;
}

/*
 * Calls.
 */

static enum dynamic_step call_reply(struct sup_dynamic *dynamic, struct sup_call *call,
				    struct sup_dynamic_child *child, enum sup_call_result result)
{
	call->dynamic = child;
	sup_turns_reply(&dynamic->turns, call, result);
	return STEP_AGAIN;
}

/* The call's turn is over. */
static enum dynamic_step dynamic_end_call(struct sup_dynamic *dynamic,
					  struct sup_dynamic_child *child,
					  enum sup_call_result result)
{
	struct sup_call *call = dynamic->call;

	dynamic_be_idle(dynamic);
	return call_reply(dynamic, call, child, result);
}

static void dynamic_begin_call(struct sup_dynamic *dynamic, struct sup_call *call,
			       struct sup_dynamic_child *child)
{
	dynamic->op = SUP_DYNAMIC_CALL;
	dynamic->call = call;
	dynamic->target = child;
}

/* The new child of a START_CHILD that does not get it has not been touched. */
static void call_leave_child(struct sup_call *call)
{
	if (call->type != SUP_CALL_START_CHILD || !call->attached || !call->dynamic)
		return;
	call->dynamic->attached = false;
	list_del_init(&call->dynamic->msg.node);
}

static enum sup_call_result call_refuse_child(const struct sup_dynamic *dynamic,
					      struct sup_call *call)
{
	const struct sup_dynamic_flags *flags = &dynamic->flags;

	call->invalid = call->dynamic ? sup_dynamic_spec_validate(flags, call->dynamic->spec) :
					SUP_INVALID_ID;
	if (call->invalid != SUP_VALID)
		return SUP_ERR_INVALID;
	/* Elixir looks before it starts; whoever restarts has its place. */
	if (flags->max_children != SUP_CHILDREN_INFINITY &&
	    dynamic->nr_children >= flags->max_children)
		return SUP_ERR_MAX_CHILDREN;
	return SUP_OK;
}

static enum dynamic_step call_start_child(struct sup_dynamic *dynamic, struct sup_call *call,
					  struct sup_action *action)
{
	struct sup_dynamic_child *child = call->dynamic;
	enum sup_call_result result = call_refuse_child(dynamic, call);

	if (result != SUP_OK) {
		call_leave_child(call);
		return call_reply(dynamic, call, child, result);
	}

	if (call->attached) {
		child->attached = false;
		child_link(dynamic, child);
		child_up(dynamic, child);
		return call_reply(dynamic, call, child, SUP_OK);
	}
	child_init(child);
	child_link(dynamic, child);
	dynamic_begin_call(dynamic, call, child);
	return child_start(dynamic, child, action);
}

/* The child that a call means, if it is one still. */
static struct sup_dynamic_child *call_child(const struct sup_call *call)
{
	struct sup_dynamic_child *child = call->dynamic;

	if (!child || !child->linked)
		return NULL;
	return call->incarnation && call->incarnation != child->incarnation ? NULL : child;
}

/* It means no child. OTP: what is dead need not be terminated. */
static enum dynamic_step call_terminate_other(struct sup_dynamic *dynamic, struct sup_call *call)
{
	if (!dynamic->flags.simple)
		return call_reply(dynamic, call, NULL, SUP_ERR_NOT_FOUND);
	if (!call->dynamic && call->name.len)
		return call_reply(dynamic, call, NULL, SUP_ERR_DYNAMIC);
	if (!call->dynamic && call->alive)
		return call_reply(dynamic, call, NULL, SUP_ERR_NOT_FOUND);

	/* OTP keeps an ignored restart as one without a pid, and so is the dead. */
	if (dynamic->ignored)
		child_remove(dynamic, dynamic->ignored);
	return call_reply(dynamic, call, NULL, SUP_OK);
}

static enum dynamic_step call_terminate_child(struct sup_dynamic *dynamic, struct sup_call *call,
					      u64 now_ns, struct sup_action *action)
{
	struct sup_dynamic_child *child = call_child(call);

	if (!child)
		return call_terminate_other(dynamic, call);

	dynamic_begin_call(dynamic, call, child);
	if (child_settle(dynamic, child))
		return STEP_AGAIN;
	dynamic->timeout_ns = SUP_NEVER;
	if (child->spec->shutdown_ms >= 0)
		dynamic->timeout_ns = sup_time_after_ms(now_ns, child->spec->shutdown_ms);
	return child_term(dynamic, child, action);
}

static enum dynamic_step call_get_childspec(struct sup_dynamic *dynamic, struct sup_call *call)
{
	struct sup_dynamic_child *child = call_child(call);

	return call_reply(dynamic, call, child,
			  child || dynamic->flags.simple ? SUP_OK : SUP_ERR_NOT_FOUND);
}

static enum dynamic_step dynamic_handle_call(struct sup_dynamic *dynamic, struct sup_call *call,
					     u64 now_ns, struct sup_action *action)
{
	switch (call->type) {
	case SUP_CALL_START_CHILD:
		return call_start_child(dynamic, call, action);
	case SUP_CALL_TERMINATE_CHILD:
		return call_terminate_child(dynamic, call, now_ns, action);
	case SUP_CALL_GET_CHILDSPEC:
		return call_get_childspec(dynamic, call);
	case SUP_CALL_WHICH_CHILDREN:
	case SUP_CALL_COUNT_CHILDREN:
		return call_reply(dynamic, call, NULL, SUP_OK);
	case SUP_CALL_SUSPEND:
		sup_turns_suspend(&dynamic->turns, call);
		return STEP_AGAIN;
	default:
		return call_reply(dynamic, call, NULL, SUP_ERR_DYNAMIC);
	}
}

/* SUP_DYNAMIC_CALL: what was started or stopped for the call has an outcome. */
static enum dynamic_step dynamic_step_call(struct sup_dynamic *dynamic)
{
	struct sup_dynamic_child *child = dynamic->target;
	struct sup_call *call = dynamic->call;

	if (call->type == SUP_CALL_TERMINATE_CHILD) {
		child_remove(dynamic, child);
		return dynamic_end_call(dynamic, child, SUP_OK);
	}

	switch (dynamic->outcome) {
	case SUP_OUTCOME_STARTED:
		return dynamic_end_call(dynamic, child, SUP_OK);
	case SUP_OUTCOME_IGNORED:
		child_remove(dynamic, child);
		return dynamic_end_call(dynamic, child, SUP_OK_UNDEFINED);
	default:
		child_remove(dynamic, child);
		call->start_error = dynamic->error;
		return dynamic_end_call(dynamic, child, SUP_ERR_START_FAILED);
	}
}

/*
 * The end: all are asked to stop, those that take too long are killed, and all are
 * waited for. One timer serves: it is set for the shortest timeout that has not
 * passed, counted from when the last had been asked, as Elixir and OTP count it.
 */

#define PATIENCE_ENDLESS U64_MAX

/* Begin to end; @target and @call may still be those of the operation it ends. */
static enum dynamic_step dynamic_stop(struct sup_dynamic *dynamic, enum sup_down down,
				      enum sup_reason reason, struct sup_dynamic_child *child)
{
	dynamic->op = SUP_DYNAMIC_SIGNAL;
	dynamic->cursor = dynamic->children.next;
	dynamic->patience_ms = PATIENCE_ENDLESS;
	dynamic->turns.suspended = false;
	dynamic->down = down;
	dynamic->down_reason = reason;
	dynamic->down_child = child;
	return STEP_AGAIN;
}

static void dynamic_kill(struct sup_dynamic *dynamic)
{
	/* Who needed one restart too many is named no more, but to be forgotten. */
	if (dynamic_ends(dynamic) && dynamic->down_child)
		list_add_tail(&dynamic->down_child->node, &dynamic->forgets);
	dynamic_stop(dynamic, SUP_DOWN_STOPPED, SUP_KILLED, NULL);
	dynamic->op = SUP_DYNAMIC_KILL;
	dynamic->target = NULL;
}

/* Of the messages that wait, only the calls still mean something. */
static void dynamic_drop_messages(struct sup_dynamic *dynamic)
{
	struct sup_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &dynamic->turns.queue, node)
		if (msg->type != SUP_MSG_CALL)
			list_del_init(&msg->node);
	list_for_each_entry(msg, &dynamic->turns.queue, node)
		call_leave_child(container_of(msg, struct sup_call, msg));
}

static void dynamic_refuse_calls(struct sup_dynamic *dynamic)
{
	if (dynamic->call)
		call_reply(dynamic, dynamic->call, NULL, SUP_ERR_EXIT);
	dynamic->call = NULL;
	sup_turns_refuse(&dynamic->turns);
}

static struct sup_dynamic_child *dynamic_walk(struct sup_dynamic *dynamic)
{
	struct list_head *at = dynamic->cursor;

	if (at == &dynamic->children)
		return NULL;
	dynamic->cursor = at->next;
	return list_entry(at, struct sup_dynamic_child, node);
}

static enum dynamic_step dynamic_step_signal(struct sup_dynamic *dynamic, u64 now_ns,
					     struct sup_action *action)
{
	struct sup_dynamic_child *child;

	while ((child = dynamic_walk(dynamic))) {
		/* Asked already by a terminate_child, with a timeout of its own. */
		if (child->state == SUP_CHILD_STOPPING)
			continue;
		if (child_settle(dynamic, child)) {
			child_remove(dynamic, child);
			continue;
		}
		if (child == dynamic->target)
			dynamic->target = NULL;
		if (child->spec->shutdown_ms >= 0)
			dynamic->patience_ms = min_t(u64, dynamic->patience_ms,
						     child->spec->shutdown_ms);
		return child_term(dynamic, child, action);
	}
	dynamic->op = SUP_DYNAMIC_WAIT;
	dynamic->asked_ns = now_ns;
	return STEP_AGAIN;
}

/* Every child is gone. */
static enum dynamic_step dynamic_end(struct sup_dynamic *dynamic)
{
	dynamic->op = SUP_DYNAMIC_END;
	dynamic_drop_messages(dynamic);
	return STEP_AGAIN;
}

/* When the next timeout of the stop passes. */
static u64 dynamic_expires_ns(const struct sup_dynamic *dynamic)
{
	if (dynamic->patience_ms == PATIENCE_ENDLESS)
		return SUP_NEVER;
	return sup_time_after_ms(dynamic->asked_ns, dynamic->patience_ms);
}

/* Does a terminate_child's timeout run on in the stop of all? */
static bool dynamic_target_waits(const struct sup_dynamic *dynamic)
{
	return dynamic->target && !dynamic->target->killed;
}

static enum dynamic_step dynamic_step_wait(struct sup_dynamic *dynamic, u64 now_ns,
					   struct sup_action *action)
{
	if (list_empty(&dynamic->children))
		return dynamic_end(dynamic);
	if (dynamic_target_waits(dynamic) && now_ns >= dynamic->timeout_ns)
		return child_kill(dynamic, dynamic->target, action);
	if (now_ns < dynamic_expires_ns(dynamic))
		return STEP_WAIT;
	dynamic->op = SUP_DYNAMIC_EXPIRE;
	dynamic->cursor = dynamic->children.next;
	dynamic->next_patience_ms = PATIENCE_ENDLESS;
	return STEP_AGAIN;
}

static enum dynamic_step dynamic_step_expire(struct sup_dynamic *dynamic,
					     struct sup_action *action)
{
	struct sup_dynamic_child *child;

	while ((child = dynamic_walk(dynamic))) {
		s64 shutdown_ms = child->spec->shutdown_ms;

		if (child->killed || shutdown_ms < 0)
			continue;
		if (shutdown_ms <= dynamic->patience_ms)
			return child_kill(dynamic, child, action);
		dynamic->next_patience_ms = min_t(u64, dynamic->next_patience_ms, shutdown_ms);
	}
	dynamic->patience_ms = dynamic->next_patience_ms;
	dynamic->op = SUP_DYNAMIC_WAIT;
	return STEP_AGAIN;
}

static enum dynamic_step dynamic_step_kill(struct sup_dynamic *dynamic, struct sup_action *action)
{
	struct sup_dynamic_child *child;

	while ((child = dynamic_walk(dynamic))) {
		if (child_settle(dynamic, child)) {
			child_remove(dynamic, child);
			return STEP_AGAIN;
		}
		if (!child->killed)
			return child_kill(dynamic, child, action);
	}
	return list_empty(&dynamic->children) ? dynamic_end(dynamic) : STEP_WAIT;
}

static enum dynamic_step dynamic_step_end(struct sup_dynamic *dynamic, struct sup_action *action)
{
	struct sup_dynamic_child *child = dynamic->down_child;

	dynamic->op = SUP_DYNAMIC_DOWN;
	dynamic->down_child = NULL;
	dynamic_refuse_calls(dynamic);
	if (child)
		list_add_tail(&child->node, &dynamic->forgets);

	action->down = dynamic->down;
	action->reason = dynamic->down_reason;
	return dynamic_act(action, SUP_ACT_DOWN, child);
}

/*
 * Restarts and other messages.
 */

/* Restart @child; one attempt. */
static enum dynamic_step dynamic_restart(struct sup_dynamic *dynamic,
					 struct sup_dynamic_child *child, bool counted, u64 now_ns,
					 struct sup_action *action)
{
	child_set_state(dynamic, child, SUP_CHILD_UNDEFINED);
	if (counted && !sup_window_add(&dynamic->window, now_ns)) {
		child->verdict = SUP_VERDICT_GIVE_UP;
		child_unlink(dynamic, child);
		return dynamic_stop(dynamic, SUP_DOWN_INTENSITY, SUP_SHUTDOWN, child);
	}
	dynamic->restarts += counted;

	dynamic->op = SUP_DYNAMIC_RESTART;
	dynamic->target = child;
	return child_start(dynamic, child, action);
}

static enum dynamic_step dynamic_step_restart(struct sup_dynamic *dynamic, u64 now_ns)
{
	struct sup_dynamic_child *child = dynamic->target;

	if (dynamic->outcome == SUP_OUTCOME_FAILED) {
		child_restart_failed(dynamic, child, now_ns);
	} else if (dynamic->outcome == SUP_OUTCOME_IGNORED && dynamic->flags.simple) {
		/* OTP: stored under the pid `undefined', of which there is one. */
		if (dynamic->ignored)
			child_remove(dynamic, dynamic->ignored);
		dynamic->ignored = child;
	} else if (dynamic->outcome == SUP_OUTCOME_IGNORED) {
		child_remove(dynamic, child);
	}
	return dynamic_be_idle(dynamic);
}

static enum dynamic_step dynamic_handle_exit(struct sup_dynamic *dynamic,
					     struct sup_dynamic_child *child, u64 now_ns,
					     struct sup_action *action)
{
	bool significant = child->spec->significant;

	child->dead = false;
	if (sup_restart_due(child->spec->restart, child->reason)) {
		child->failed = false;
		if (child->lasted)
			child->backoff_ms = 0;
		if (!child->spec->retry.min_ms || child->lasted) {
			child_decide(dynamic, child, SUP_VERDICT_RESTART);
			return dynamic_restart(dynamic, child, true, now_ns, action);
		}
		/* Its delay begins when that is told. */
		child_decide(dynamic, child, SUP_VERDICT_RETRY);
		child_set_state(dynamic, child, SUP_CHILD_RESTARTING);
		return STEP_AGAIN;
	}

	child_decide(dynamic, child, SUP_VERDICT_DELETE);
	child_set_state(dynamic, child, SUP_CHILD_UNDEFINED);
	child_remove(dynamic, child);

	if (!significant ||
	    (dynamic->flags.common.auto_shutdown == SUP_AUTO_ALL_SIGNIFICANT &&
	     dynamic->nr_children))
		return STEP_AGAIN;
	child->verdict = SUP_VERDICT_AUTO_SHUTDOWN;
	return dynamic_stop(dynamic, SUP_DOWN_AUTO_SHUTDOWN, SUP_SHUTDOWN, NULL);
}

static enum dynamic_step dynamic_handle_retry(struct sup_dynamic *dynamic,
					      struct sup_dynamic_child *child, u64 now_ns,
					      struct sup_action *action)
{
	const struct sup_retry *retry = &child->spec->retry;
	bool counted = !(child->failed && retry->min_ms && retry->uncounted);

	return dynamic_restart(dynamic, child, counted, now_ns, action);
}

static enum dynamic_step dynamic_step_idle(struct sup_dynamic *dynamic, u64 now_ns,
					   struct sup_action *action)
{
	struct sup_msg *msg = sup_turns_next(&dynamic->turns);
	struct sup_dynamic_child *child;

	if (!msg)
		return STEP_WAIT;
	if (msg->type == SUP_MSG_CALL)
		return dynamic_handle_call(dynamic, sup_turns_take_call(msg), now_ns, action);

	list_del_init(&msg->node);
	child = container_of(msg, struct sup_dynamic_child, msg);
	if (msg->type == SUP_MSG_EXIT)
		return dynamic_handle_exit(dynamic, child, now_ns, action);
	return dynamic_handle_retry(dynamic, child, now_ns, action);
}

/*
 * The machine.
 */

/* What there is to do about @target, whose answer is not in. */
static enum dynamic_step dynamic_step_await(struct sup_dynamic *dynamic, u64 now_ns,
					    struct sup_action *action)
{
	struct sup_dynamic_child *child = dynamic->target;

	if (now_ns < dynamic->timeout_ns)
		return STEP_WAIT;

	dynamic->timeout_ns = SUP_NEVER;
	child->timed_out = child->state == SUP_CHILD_STARTING;
	return child_kill(dynamic, child, action);
}

/* The first timer of a child that is over. */
static enum dynamic_step dynamic_step_timer(struct sup_dynamic *dynamic, u64 now_ns,
					    struct sup_action *action)
{
	struct sup_dynamic_child *child = dynamic_first_timer(dynamic);

	if (!child || now_ns < child->due.ns)
		return STEP_WAIT;

	child_disarm_timer(dynamic, child);
	if (child->state == SUP_CHILD_RESTARTING) {
		child_queue(dynamic, child, SUP_MSG_RETRY);
		return STEP_AGAIN;
	}
	child->reason = SUP_KILLED;
	child_gone(dynamic, child, SUP_OUTCOME_FAILED, 0);
	return dynamic_act(action, SUP_ACT_ABANDON, child);
}

/* What was decided, but is not told yet. */
static enum dynamic_step dynamic_step_tell(struct sup_dynamic *dynamic, struct sup_action *action)
{
	struct sup_dynamic_child *child;
	struct sup_call *call;

	call = sup_turns_told(&dynamic->turns);
	if (call) {
		action->call = call;
		return dynamic_act(action, SUP_ACT_REPLY, call->dynamic);
	}

	child = list_first_entry_or_null(&dynamic->forgets, struct sup_dynamic_child, node);
	if (child) {
		list_del_init(&child->node);
		return dynamic_act(action, SUP_ACT_FORGET, child);
	}
	return STEP_WAIT;
}

static enum dynamic_step dynamic_step(struct sup_dynamic *dynamic, u64 now_ns,
				      struct sup_action *action)
{
	enum dynamic_step step;

	step = dynamic_step_tell(dynamic, action);
	if (step != STEP_WAIT)
		return step;
	step = dynamic_step_timer(dynamic, now_ns, action);
	if (step != STEP_WAIT)
		return step;

	switch (dynamic->op) {
	case SUP_DYNAMIC_DOWN:
		return STEP_WAIT;
	case SUP_DYNAMIC_INIT:
		dynamic_be_idle(dynamic);
		return dynamic_act(action, SUP_ACT_UP, NULL);
	case SUP_DYNAMIC_IDLE:
		return dynamic_step_idle(dynamic, now_ns, action);
	case SUP_DYNAMIC_RESTART:
		if (child_is_awaited(dynamic->target))
			return dynamic_step_await(dynamic, now_ns, action);
		return dynamic_step_restart(dynamic, now_ns);
	case SUP_DYNAMIC_CALL:
		if (child_is_awaited(dynamic->target))
			return dynamic_step_await(dynamic, now_ns, action);
		return dynamic_step_call(dynamic);
	case SUP_DYNAMIC_SIGNAL:
		return dynamic_step_signal(dynamic, now_ns, action);
	case SUP_DYNAMIC_WAIT:
		return dynamic_step_wait(dynamic, now_ns, action);
	case SUP_DYNAMIC_EXPIRE:
		return dynamic_step_expire(dynamic, action);
	case SUP_DYNAMIC_KILL:
		return dynamic_step_kill(dynamic, action);
	case SUP_DYNAMIC_END:
		return dynamic_step_end(dynamic, action);
	}
	return STEP_WAIT;
}

/**
 * sup_dynamic_next() - take the next action
 * @dynamic: whose
 * @now_ns: the time, on the clock of the inputs
 * @action: what to do, when there is something
 *
 * The driver reads what a reply tells (which_children and so on) before it calls
 * again: it is true only between this action and the next.
 *
 * Return: true if @action was set, false if there is nothing to do before the
 *	next input or sup_dynamic_deadline().
 */
bool sup_dynamic_next(struct sup_dynamic *dynamic, u64 now_ns, struct sup_action *action)
{
	enum dynamic_step step;

	/* A driver that has not asked is not told. */
	while (sup_dynamic_decided(dynamic, now_ns))
		;
	memset(action, 0, sizeof(*action));
	do {
		step = dynamic_step(dynamic, now_ns, action);
	} while (step == STEP_AGAIN);
	return step == STEP_ACT;
}

/**
 * sup_dynamic_decided() - the deaths that were decided about
 * @dynamic: whose
 * @now_ns: the time
 *
 * To be asked after each sup_dynamic_next(), as long as there is one, before the
 * action is carried out: the delays of those that are restarted later begin with it.
 * Some deaths are decided about when they are input: to hear of them, it is asked
 * before, too.
 *
 * Return: a child whose last death has a verdict that was not told, or NULL.
 */
struct sup_dynamic_child *sup_dynamic_decided(struct sup_dynamic *dynamic, u64 now_ns)
{
	struct sup_dynamic_child *child;

	child = list_first_entry_or_null(&dynamic->decided, struct sup_dynamic_child, msg.node);
	if (!child)
		return NULL;
	list_del_init(&child->msg.node);
	child->untold = false;
	/* Unless it was settled meanwhile. */
	if (child->verdict == SUP_VERDICT_RETRY && child->state == SUP_CHILD_RESTARTING)
		child_restart_delayed(dynamic, child, now_ns);
	return child;
}

/*
 * Inputs.
 */

static void dynamic_input_start(struct sup_dynamic *dynamic)
{
	if (!sup_dynamic_down(dynamic))
		return;
	dynamic->op = SUP_DYNAMIC_INIT;
	dynamic->turns.suspended = false;
	sup_window_clear(&dynamic->window);
}

static void dynamic_input_attached(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
				   u64 now_ns)
{
	if (child->state == SUP_CHILD_STARTING && child->spec->start_timeout_ms)
		dynamic->timeout_ns = sup_time_after_ms(now_ns, child->spec->start_timeout_ms);
}

static void dynamic_input_started(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
				  u64 now_ns)
{
	if (child->state != SUP_CHILD_STARTING)
		return;
	child_up(dynamic, child);
	child->up_ns = now_ns;
	dynamic->outcome = SUP_OUTCOME_STARTED;
}

/* A start came to nothing, whether it was to go on or cancelled. */
static void dynamic_input_not_started(struct sup_dynamic *dynamic,
				      struct sup_dynamic_child *child, enum sup_outcome outcome,
				      s32 error)
{
	if (child->state == SUP_CHILD_STARTING ||
	    (child->state == SUP_CHILD_STOPPING && child->cancelled))
		child_gone(dynamic, child, outcome, error);
}

/* The death of who was told to stop, or killed because it took too long to start. */
static enum sup_verdict dynamic_stopped_verdict(const struct sup_dynamic *dynamic,
						const struct sup_dynamic_child *child,
						enum sup_reason reason)
{
	bool killed = child->spec->shutdown_ms == SUP_SHUTDOWN_KILL ||
		      dynamic->op == SUP_DYNAMIC_KILL || child->timed_out;

	return sup_stopped_verdict(killed, child->timed_out, reason);
}

static void dynamic_input_exit(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
			       enum sup_reason reason, s32 error, u64 now_ns)
{
	u64 lasts_ns = sup_time_after_ms(child->up_ns, child->spec->retry.reset_after_ms);

	if (child->state == SUP_CHILD_STARTING || child->state == SUP_CHILD_STOPPING) {
		enum sup_verdict verdict = child->state == SUP_CHILD_STARTING ?
			SUP_VERDICT_START_FAILED : dynamic_stopped_verdict(dynamic, child, reason);

		child->reason = reason;
		child_gone(dynamic, child, SUP_OUTCOME_FAILED, error);
		child_decide(dynamic, child, verdict);
		return;
	}
	/* One that attached may die before its call has its turn. */
	if (child->dead || (child->state != SUP_CHILD_RUNNING && !child->attached))
		return;
	child->dead = true;
	child->lasted = now_ns >= lasts_ns;
	child->reason = reason;
	child_queue(dynamic, child, SUP_MSG_EXIT);
}

static void dynamic_input_unkillable(struct sup_dynamic *dynamic, struct sup_dynamic_child *child,
				     u64 now_ns)
{
	if (child->state == SUP_CHILD_STOPPING && !child->timed)
		child_arm_timer(dynamic, child,
				sup_time_after_ms(now_ns, dynamic->flags.common.unkillable_ms));
}

static void dynamic_input_call(struct sup_dynamic *dynamic, struct sup_call *call, u64 now_ns)
{
	struct sup_dynamic_child *child = call->dynamic;
	bool down = sup_dynamic_down(dynamic);

	if (call->type == SUP_CALL_START_CHILD && call->attached && child && !down) {
		child_init(child);
		child->attached = true;
		child->up_ns = now_ns;
	}
	sup_turns_call(&dynamic->turns, call, down);
}

static void dynamic_input_child(struct sup_dynamic *dynamic, const struct sup_input *input,
				u64 now_ns)
{
	struct sup_dynamic_child *child = input->dynamic;

	switch (input->type) {
	case SUP_IN_ATTACHED:
		dynamic_input_attached(dynamic, child, now_ns);
		break;
	case SUP_IN_STARTED:
		dynamic_input_started(dynamic, child, now_ns);
		break;
	case SUP_IN_START_FAILED:
		dynamic_input_not_started(dynamic, child, SUP_OUTCOME_FAILED, input->error);
		break;
	case SUP_IN_IGNORED:
		dynamic_input_not_started(dynamic, child, SUP_OUTCOME_IGNORED, 0);
		break;
	case SUP_IN_EXIT:
		dynamic_input_exit(dynamic, child, input->reason, input->error, now_ns);
		break;
	case SUP_IN_UNKILLABLE:
		dynamic_input_unkillable(dynamic, child, now_ns);
		break;
	default:
		break;
	}
}

/**
 * sup_dynamic_input() - tell what happened
 * @dynamic: whom
 * @input: what; what does not fit its state is ignored
 * @now_ns: when, on a monotonic clock
 */
void sup_dynamic_input(struct sup_dynamic *dynamic, const struct sup_input *input, u64 now_ns)
{
	switch (input->type) {
	case SUP_IN_START:
		dynamic_input_start(dynamic);
		break;
	case SUP_IN_STOP:
		if (!sup_dynamic_down(dynamic) && !sup_dynamic_stopping(dynamic))
			dynamic_stop(dynamic, SUP_DOWN_STOPPED, input->reason, NULL);
		break;
	case SUP_IN_KILL:
		if (!sup_dynamic_down(dynamic) && dynamic->op < SUP_DYNAMIC_KILL)
			dynamic_kill(dynamic);
		break;
	case SUP_IN_CALL:
		if (input->call)
			dynamic_input_call(dynamic, input->call, now_ns);
		break;
	case SUP_IN_RESUME:
		sup_turns_resume(&dynamic->turns);
		break;
	case SUP_IN_TIMER:
		break;
	default:
		if (input->dynamic)
			dynamic_input_child(dynamic, input, now_ns);
		break;
	}
}

/*
 * What the driver may do between inputs.
 */

/**
 * sup_dynamic_withdraw() - take a call back
 * @dynamic: to whom it was made
 * @call: a call that was input and is not answered yet
 *
 * Return: true if its turn had not come: it will not be answered, and nothing
 *	refers to it. false if it is under way, and will be.
 */
bool sup_dynamic_withdraw(struct sup_dynamic *dynamic, struct sup_call *call)
{
	if (!sup_turns_withdraw(call))
		return false;
	call_leave_child(call);
	return true;
}

/**
 * sup_dynamic_deadline() - when sup_dynamic_next() has to be called again
 * @dynamic: whose
 *
 * Return: that time, or %U64_MAX for never.
 */
u64 sup_dynamic_deadline(const struct sup_dynamic *dynamic)
{
	const struct sup_due *due = sup_due_first(&dynamic->dues);
	u64 deadline = due ? due->ns : SUP_NEVER;

	if (dynamic->op == SUP_DYNAMIC_WAIT) {
		deadline = min(deadline, dynamic_expires_ns(dynamic));
		if (dynamic_target_waits(dynamic))
			deadline = min(deadline, dynamic->timeout_ns);
	} else if (child_is_awaited(dynamic->target)) {
		deadline = min(deadline, dynamic->timeout_ns);
	}
	return deadline;
}

/**
 * sup_dynamic_awaited() - how many deaths have to come before it can go on
 * @dynamic: whose, which has nothing to do now
 *
 * Return: how many of its children that are processes are left of those which have
 *	all been told to end; 0 when each death matters by itself.
 */
u32 sup_dynamic_awaited(const struct sup_dynamic *dynamic)
{
	if (dynamic->op != SUP_DYNAMIC_WAIT && dynamic->op != SUP_DYNAMIC_KILL)
		return 0;
	return dynamic->nr_children - dynamic->nr_supervisors;
}

/**
 * sup_dynamic_idle() - tell whether all that was asked for is done
 * @dynamic: whose
 *
 * Return: true if nothing will happen of itself: no operation is under way, no
 *	message can be handled, no restart waits for its delay, no action is left
 *	to take. So it is when down, and when suspended whatever may be queued.
 */
bool sup_dynamic_idle(const struct sup_dynamic *dynamic)
{
	if (!list_empty(&dynamic->turns.replies) || !list_empty(&dynamic->forgets))
		return false;
	if (dynamic->op == SUP_DYNAMIC_DOWN)
		return true;
	if (dynamic->op != SUP_DYNAMIC_IDLE)
		return false;
	return dynamic->turns.suspended ||
	       (list_empty(&dynamic->turns.queue) && !sup_due_first(&dynamic->dues));
}

/**
 * sup_dynamic_suspended() - tell whether it is suspended
 * @dynamic: who
 *
 * Return: true from the reply to a SUSPEND to a RESUME or the end.
 */
bool sup_dynamic_suspended(const struct sup_dynamic *dynamic)
{
	return dynamic->turns.suspended;
}

/**
 * sup_dynamic_stopping() - tell whether it is on its way down
 * @dynamic: who
 *
 * Return: true from the decision to end, whoever made it, to %SUP_ACT_DOWN.
 */
bool sup_dynamic_stopping(const struct sup_dynamic *dynamic)
{
	return dynamic->op >= SUP_DYNAMIC_SIGNAL;
}

/**
 * sup_dynamic_down() - tell whether it is down
 * @dynamic: who
 *
 * Return: true before the first START, and from %SUP_ACT_DOWN to the next START.
 */
bool sup_dynamic_down(const struct sup_dynamic *dynamic)
{
	return dynamic->op == SUP_DYNAMIC_DOWN;
}

/*
 * Making and clearing.
 */

/**
 * sup_dynamic_flags_validate() - check a dynamic supervisor's flags
 * @flags: the flags
 *
 * Return: the first that is bad, in Elixir's order, or %SUP_VALID.
 */
enum sup_invalid sup_dynamic_flags_validate(const struct sup_dynamic_flags *flags)
{
	enum sup_invalid invalid = sup_flags_validate(&flags->common);

	if (flags->common.strategy != SUP_ONE_FOR_ONE)
		return SUP_INVALID_STRATEGY;
	if (invalid != SUP_VALID && invalid != SUP_INVALID_AUTO_SHUTDOWN)
		return invalid;
	if (flags->max_children < SUP_CHILDREN_INFINITY || flags->max_children > SUP_CHILDREN_MAX)
		return SUP_INVALID_MAX_CHILDREN;
	if (!flags->simple && flags->common.auto_shutdown != SUP_AUTO_NEVER)
		return SUP_INVALID_AUTO_SHUTDOWN;
	return invalid;
}

/**
 * sup_dynamic_spec_validate() - check a child spec, or a template
 * @flags: the flags of its supervisor, valid
 * @spec: the spec
 *
 * Return: the first member that is bad, in OTP's order, or %SUP_VALID. To Elixir
 *	a significant child has just an invalid_significant.
 */
enum sup_invalid sup_dynamic_spec_validate(const struct sup_dynamic_flags *flags,
					   const struct sup_child_spec *spec)
{
	enum sup_invalid invalid = sup_child_spec_validate(&flags->common, spec);

	if (!flags->simple && invalid == SUP_BAD_COMBINATION_AUTO_SHUTDOWN)
		return SUP_INVALID_SIGNIFICANT;
	return invalid;
}

/**
 * sup_dynamic_init() - make a dynamic supervisor, down
 * @dynamic: the supervisor
 * @flags: its flags, valid
 * @window: room for the intensity window, until it is done with
 * @window_slots: its length, sup_window_slots()
 * @seed: what jitter begins with
 */
void sup_dynamic_init(struct sup_dynamic *dynamic, const struct sup_dynamic_flags *flags,
		      struct sup_window_slot *window, size_t window_slots, u64 seed)
{
	memset(dynamic, 0, sizeof(*dynamic));
	dynamic->flags = *flags;
	dynamic->rng = seed ? seed : 1;
	dynamic->dues = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&dynamic->children);
	INIT_LIST_HEAD(&dynamic->forgets);
	INIT_LIST_HEAD(&dynamic->decided);
	sup_turns_init(&dynamic->turns);
	sup_window_init(&dynamic->window, flags->common.intensity, flags->common.period, window,
			window_slots);
}

/* Be down at once, and drop what was under way; no action is taken for it. */
static void dynamic_abort(struct sup_dynamic *dynamic)
{
	struct sup_dynamic_child *child;

	if (sup_dynamic_down(dynamic))
		return;

	dynamic->op = SUP_DYNAMIC_DOWN;
	dynamic->target = NULL;
	dynamic->turns.suspended = false;
	if (dynamic->down_child)
		list_add_tail(&dynamic->down_child->node, &dynamic->forgets);
	dynamic->down_child = NULL;
	dynamic_drop_messages(dynamic);
	dynamic_refuse_calls(dynamic);
	while ((child = dynamic_first_timer(dynamic)))
		child_disarm_timer(dynamic, child);
}

/**
 * sup_dynamic_clear() - take a child out of a supervisor that is done with
 * @dynamic: the supervisor. When it is not down, it is so from the first call on,
 *	without any action: what its children are doing is no longer its concern.
 *	The calls that waited are answered by sup_dynamic_next() as ever.
 *
 * Return: a child which nothing refers to any more, or NULL if there is none.
 */
struct sup_dynamic_child *sup_dynamic_clear(struct sup_dynamic *dynamic)
{
	struct sup_dynamic_child *child;

	dynamic_abort(dynamic);

	child = list_first_entry_or_null(&dynamic->children, struct sup_dynamic_child, node);
	if (child) {
		child_set_state(dynamic, child, SUP_CHILD_UNDEFINED);
		child_unlink(dynamic, child);
	} else {
		child = list_first_entry_or_null(&dynamic->forgets, struct sup_dynamic_child,
						 node);
		if (!child)
			return NULL;
		list_del_init(&child->node);
	}
	list_del_init(&child->msg.node);
	child->untold = false;
	return child;
}
