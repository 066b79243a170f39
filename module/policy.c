// SPDX-License-Identifier: GPL-2.0
/*
 * policy - see policy.h for what it promises. How it works:
 *
 * sup_policy_next() runs a machine whose state is @op, until a step yields an
 * action or has to wait. While @wait is starting or stopping, no step is taken;
 * then the operation's own step sees how that ended and goes on.
 *
 *	DOWN -> INIT -> IDLE		START; UP when every child was started
 *	IDLE -> RESTART -> IDLE		a death or try-again, one_for_one
 *	IDLE -> GROUP_STOP -> GROUP_START -> IDLE	the same, other strategies
 *	IDLE -> CALL -> IDLE		a call that has to wait for a child
 *	any but DOWN and END -> STOP -> END -> DOWN	a STOP, or its own decision
 *	any but DOWN and END -> KILL -> END -> DOWN	a KILL
 *
 * Only IDLE takes messages from the queue. Where a comment says OTP, the rule is
 * that of lib/stdlib/src/supervisor.erl.
 */
#include "policy.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

/* What a step of the machine came to. */
enum policy_step {
	STEP_AGAIN,		/* take another one */
	STEP_ACT,		/* there is an action */
	STEP_WAIT		/* nothing to do before the next input or deadline */
};

static enum policy_step policy_act(struct sup_action *action, enum sup_action_type type,
				   struct sup_policy_child *child)
{
	action->type = type;
	action->child = child;
	return STEP_ACT;
}

/*
 * Children: membership and state.
 */

static bool child_is_temporary(const struct sup_policy_child *child)
{
	return child->spec.restart == SUP_TEMPORARY;
}

static void child_set_state(struct sup_policy *policy, struct sup_policy_child *child,
			    enum sup_child_state state)
{
	if (child->spec.significant) {
		policy->nr_significant -= child->state != SUP_CHILD_UNDEFINED;
		policy->nr_significant += state != SUP_CHILD_UNDEFINED;
	}
	policy->nr_stopping -= child->state == SUP_CHILD_STOPPING;
	policy->nr_stopping += state == SUP_CHILD_STOPPING;
	child->state = state;
}

static void child_reset(struct sup_policy_child *child)
{
	child->state = SUP_CHILD_UNDEFINED;
	child->reason = SUP_NORMAL;
	child->up_ns = 0;
	child->backoff_ms = 0;
	child->dead = false;
	child->lasted = false;
	child->failed = false;
	child->cancelled = false;
	child->timed_out = false;
	child->killed = false;
}

/* A child of the driver's that the policy sees for the first time. */
static void child_init(struct sup_policy_child *child)
{
	INIT_LIST_HEAD(&child->order);
	INIT_LIST_HEAD(&child->initials);
	INIT_HLIST_NODE(&child->index);
	RB_CLEAR_NODE(&child->due.node);
	INIT_LIST_HEAD(&child->exit.node);
	child->exit.type = SUP_MSG_EXIT;
	child->exit.child = child;
	INIT_LIST_HEAD(&child->retry.node);
	child->retry.type = SUP_MSG_RETRY;
	child->retry.child = child;
	child->retries = 0;
	child->forgotten = false;
	child_reset(child);
}

static struct hlist_head *policy_bucket(struct sup_policy *policy, u32 hash)
{
	return &policy->buckets[hash & (policy->nr_buckets - 1)];
}

/* Put a child last in start order. */
static void child_link(struct sup_policy *policy, struct sup_policy_child *child)
{
	list_add_tail(&child->order, &policy->children);
	hlist_add_head(&child->index, policy_bucket(policy, child->name.hash));
	policy->nr_children++;
}

static void child_unlink(struct sup_policy *policy, struct sup_policy_child *child)
{
	list_del_init(&child->order);
	hlist_del_init(&child->index);
	policy->nr_children--;
}

/* Delete the spec of a child that is undefined. */
static void child_remove(struct sup_policy *policy, struct sup_policy_child *child)
{
	child_unlink(policy, child);
	if (child->initial)
		return;
	if (child->retries)
		child->forgotten = true;
	else
		list_add_tail(&child->order, &policy->forgets);
}

/* What its death comes to; its message is out of the queue, or never was in it. */
static void child_decide(struct sup_policy *policy, struct sup_policy_child *child,
			 enum sup_verdict verdict)
{
	child->verdict = verdict;
	list_del_init(&child->exit.node);
	list_add_tail(&child->exit.node, &policy->decided);
}

/*
 * Children: timers. A restarting child may wait for its delay, a stopping one
 * for the end of our patience with what we may not signal.
 */

static bool child_timer_armed(const struct sup_policy_child *child)
{
	return !RB_EMPTY_NODE(&child->due.node);
}

static void child_arm_timer(struct sup_policy *policy, struct sup_policy_child *child,
			    u64 due_ns)
{
	sup_due_add(&policy->dues, &child->due, due_ns);
}

static void child_disarm_timer(struct sup_policy *policy, struct sup_policy_child *child)
{
	if (!child_timer_armed(child))
		return;
	rb_erase_cached(&child->due.node, &policy->dues);
	RB_CLEAR_NODE(&child->due.node);
}

/* The child whose timer is next, or NULL. */
static struct sup_policy_child *policy_first_timer(const struct sup_policy *policy)
{
	struct sup_due *due = sup_due_first(&policy->dues);

	return due ? container_of(due, struct sup_policy_child, due) : NULL;
}

/*
 * Children: start, stop and try-again.
 */

static enum policy_step child_start(struct sup_policy *policy, struct sup_policy_child *child,
				    struct sup_action *action)
{
	child->cancelled = false;
	child->timed_out = false;
	child->killed = false;
	child_set_state(policy, child, SUP_CHILD_STARTING);
	policy->wait = child;
	policy->timeout_ns = SUP_NEVER;
	return policy_act(action, SUP_ACT_START, child);
}

static enum policy_step child_kill(struct sup_policy *policy, struct sup_policy_child *child,
				   struct sup_action *action)
{
	child->killed = true;
	child->cancelled |= child->state == SUP_CHILD_STARTING;
	child_set_state(policy, child, SUP_CHILD_STOPPING);
	return policy_act(action, SUP_ACT_KILL, child);
}

/*
 * See to it that no process of @child is left. STEP_AGAIN when that is so
 * already: a death that waits in the queue is absorbed, as OTP does it, and a
 * restart that is due is cancelled. A process has to be waited for.
 */
static enum policy_step child_stop(struct sup_policy *policy, struct sup_policy_child *child,
				   u64 now_ns, struct sup_action *action)
{
	s64 patience_ms = child->spec.shutdown_ms;

	if (child->state == SUP_CHILD_UNDEFINED)
		return STEP_AGAIN;

	if (child->state == SUP_CHILD_RESTARTING || child->dead) {
		if (child->dead)
			child_decide(policy, child, SUP_VERDICT_STOPPED);
		child->dead = false;
		child_disarm_timer(policy, child);
		child_set_state(policy, child, SUP_CHILD_UNDEFINED);
		return STEP_AGAIN;
	}

	policy->wait = child;
	policy->timeout_ns = SUP_NEVER;
	if (patience_ms == SUP_SHUTDOWN_KILL)
		return child_kill(policy, child, action);
	if (patience_ms != SUP_SHUTDOWN_INFINITY)
		policy->timeout_ns = sup_time_after_ms(now_ns, patience_ms);
	child->cancelled = child->state == SUP_CHILD_STARTING;
	child_set_state(policy, child, SUP_CHILD_STOPPING);
	return policy_act(action, SUP_ACT_TERM, child);
}

/* Nothing of @child's process is left, or it was given up. */
static void child_gone(struct sup_policy *policy, struct sup_policy_child *child,
		       enum sup_outcome outcome, s32 error)
{
	child_disarm_timer(policy, child);
	child_set_state(policy, child, SUP_CHILD_UNDEFINED);
	if (child->timed_out) {
		outcome = SUP_OUTCOME_FAILED;
		error = -ETIMEDOUT;
	}
	policy->outcome = outcome;
	policy->error = error;
}

static struct sup_msg *policy_spare_retry(struct sup_policy *policy)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policy->extra_retries); i++)
		if (list_empty(&policy->extra_retries[i].node))
			return &policy->extra_retries[i];
	return NULL;
}

/*
 * OTP casts try_again_restart to itself after each failure, and a stale one is
 * as good as a fresh one: two in the queue are two attempts.
 */
static void child_queue_retry(struct sup_policy *policy, struct sup_policy_child *child)
{
	struct sup_msg *msg = &child->retry;

	if (!list_empty(&msg->node))
		msg = policy_spare_retry(policy);
	if (!msg)
		return;
	msg->child = child;
	child->retries++;
	list_add_tail(&msg->node, &policy->turns.queue);
}

/* Take a try-again out of the queue; what it names may be deleted by now. */
static void policy_drop_retry(struct sup_policy *policy, struct sup_msg *msg)
{
	struct sup_policy_child *child = msg->child;

	list_del_init(&msg->node);
	child->retries--;
	if (child->forgotten && child->retries == 0) {
		child->forgotten = false;
		list_add_tail(&child->order, &policy->forgets);
	}
}

/* Restart @child when its delay is over. */
static void child_restart_delayed(struct sup_policy *policy, struct sup_policy_child *child,
				  u64 now_ns)
{
	u64 delay_ms = sup_retry_delay_ms(&child->spec.retry, &child->backoff_ms, &policy->rng);

	child_set_state(policy, child, SUP_CHILD_RESTARTING);
	child_arm_timer(policy, child, sup_time_after_ms(now_ns, delay_ms));
}

/* The start of @child that was a restart's, or part of one, has failed. */
static void child_restart_failed(struct sup_policy *policy, struct sup_policy_child *child,
				 u64 now_ns)
{
	child->failed = true;
	if (child->spec.retry.min_ms) {
		child_restart_delayed(policy, child, now_ns);
		return;
	}
	child_set_state(policy, child, SUP_CHILD_RESTARTING);
	child_queue_retry(policy, child);
}

/* The operation is over: on to the next message. */
static enum policy_step policy_be_idle(struct sup_policy *policy)
{
	policy->op = SUP_OP_IDLE;
	policy->wait = NULL;
	policy->target = NULL;
	policy->call = NULL;
	return STEP_AGAIN;
}

/*
 * Calls.
 */

static enum policy_step call_reply(struct sup_policy *policy, struct sup_call *call,
				   struct sup_policy_child *child,
				   enum sup_call_result result)
{
	call->child = child;
	sup_turns_reply(&policy->turns, call, result);
	return STEP_AGAIN;
}

static enum policy_step call_reply_invalid(struct sup_policy *policy, struct sup_call *call,
					   enum sup_invalid invalid)
{
	call->invalid = invalid;
	return call_reply(policy, call, call->child, SUP_ERR_INVALID);
}

/* The call's turn is over. */
static enum policy_step policy_end_call(struct sup_policy *policy, enum sup_call_result result)
{
	struct sup_policy_child *child = policy->target;
	struct sup_call *call = policy->call;

	policy_be_idle(policy);
	return call_reply(policy, call, child, result);
}

static enum policy_step policy_begin_call(struct sup_policy *policy, struct sup_call *call,
					  struct sup_policy_child *child)
{
	policy->op = SUP_OP_CALL;
	policy->call = call;
	policy->target = child;
	policy->wait = NULL;
	return STEP_AGAIN;
}

static enum policy_step call_start_child(struct sup_policy *policy, struct sup_call *call,
					 struct sup_action *action)
{
	struct sup_policy_child *child = call->child;
	struct sup_policy_child *older;
	enum sup_invalid invalid;

	if (!child || !sup_name_valid(child->name.bytes, child->name.len))
		return call_reply_invalid(policy, call, SUP_INVALID_ID);
	invalid = sup_child_spec_validate(&policy->flags, &child->spec);
	if (invalid != SUP_VALID)
		return call_reply_invalid(policy, call, invalid);

	older = sup_policy_find(policy, &child->name);
	if (older && older->state == SUP_CHILD_RUNNING)
		return call_reply(policy, call, older, SUP_ERR_ALREADY_STARTED);
	if (older)
		return call_reply(policy, call, older, SUP_ERR_ALREADY_PRESENT);

	child_init(child);
	child->initial = false;
	child_link(policy, child);
	policy_begin_call(policy, call, child);
	action->call = call;
	return child_start(policy, child, action);
}

static enum policy_step call_terminate_child(struct sup_policy *policy, struct sup_call *call,
					     struct sup_policy_child *child, u64 now_ns,
					     struct sup_action *action)
{
	policy_begin_call(policy, call, child);
	child->backoff_ms = 0;
	return child_stop(policy, child, now_ns, action);
}

static enum policy_step call_restart_child(struct sup_policy *policy, struct sup_call *call,
					   struct sup_policy_child *child,
					   struct sup_action *action)
{
	policy_begin_call(policy, call, child);
	child->backoff_ms = 0;
	action->call = call;
	return child_start(policy, child, action);
}

static enum policy_step call_delete_child(struct sup_policy *policy, struct sup_call *call,
					  struct sup_policy_child *child)
{
	child_remove(policy, child);
	return call_reply(policy, call, child, SUP_OK);
}

static enum policy_step policy_handle_call(struct sup_policy *policy, struct sup_call *call,
					   u64 now_ns, struct sup_action *action)
{
	struct sup_policy_child *child;

	switch (call->type) {
	case SUP_CALL_START_CHILD:
		return call_start_child(policy, call, action);
	case SUP_CALL_WHICH_CHILDREN:
	case SUP_CALL_COUNT_CHILDREN:
		return call_reply(policy, call, NULL, SUP_OK);
	case SUP_CALL_SUSPEND:
		sup_turns_suspend(&policy->turns, call);
		return STEP_AGAIN;
	default:
		break;
	}

	child = sup_policy_find(policy, &call->name);
	if (!child)
		return call_reply(policy, call, NULL, SUP_ERR_NOT_FOUND);

	if (call->type == SUP_CALL_TERMINATE_CHILD)
		return call_terminate_child(policy, call, child, now_ns, action);
	if (call->type == SUP_CALL_GET_CHILDSPEC)
		return call_reply(policy, call, child, SUP_OK);

	if (child->state == SUP_CHILD_RESTARTING)
		return call_reply(policy, call, child, SUP_ERR_RESTARTING);
	if (child->state != SUP_CHILD_UNDEFINED)
		return call_reply(policy, call, child, SUP_ERR_RUNNING);

	if (call->type == SUP_CALL_RESTART_CHILD)
		return call_restart_child(policy, call, child, action);
	return call_delete_child(policy, call, child);
}

/* SUP_OP_CALL: what was started or stopped for the call has an outcome. */
static enum policy_step policy_step_call(struct sup_policy *policy)
{
	struct sup_policy_child *child = policy->target;
	struct sup_call *call = policy->call;

	if (call->type == SUP_CALL_TERMINATE_CHILD) {
		if (child_is_temporary(child))
			child_remove(policy, child);
		return policy_end_call(policy, SUP_OK);
	}

	switch (policy->outcome) {
	case SUP_OUTCOME_STARTED:
		return policy_end_call(policy, SUP_OK);
	case SUP_OUTCOME_IGNORED:
		if (child_is_temporary(child))
			child_remove(policy, child);
		return policy_end_call(policy, SUP_OK_UNDEFINED);
	default:
		if (call->type == SUP_CALL_START_CHILD)
			child_remove(policy, child);
		call->start_error = policy->error;
		return policy_end_call(policy, SUP_ERR_START_FAILED);
	}
}

/*
 * The end.
 */

/* Forget every restart that waits for its delay. */
static void policy_cancel_delays(struct sup_policy *policy)
{
	struct sup_policy_child *child;
	struct rb_node *node, *next;

	for (node = rb_first_cached(&policy->dues); node; node = next) {
		next = rb_next(node);
		child = rb_entry(node, struct sup_policy_child, due.node);
		if (child->state != SUP_CHILD_RESTARTING)
			continue;
		child_disarm_timer(policy, child);
		child_set_state(policy, child, SUP_CHILD_UNDEFINED);
	}
}

/* Begin to end; @wait and @call may still be those of the operation it ends. */
static enum policy_step policy_stop(struct sup_policy *policy, enum sup_down down,
				    enum sup_reason reason, struct sup_policy_child *child,
				    s32 error)
{
	policy->op = SUP_OP_STOP;
	policy->cursor = policy->children.prev;
	policy->turns.suspended = false;
	policy->down = down;
	policy->down_reason = reason;
	policy->down_child = child;
	policy->down_error = error;
	policy_cancel_delays(policy);
	return STEP_AGAIN;
}

static void policy_kill(struct sup_policy *policy)
{
	policy_stop(policy, SUP_DOWN_STOPPED, SUP_KILLED, NULL, 0);
	policy->op = SUP_OP_KILL;
	policy->wait = NULL;
}

/* Of the messages that wait, only the calls still mean something. */
static void policy_drop_messages(struct sup_policy *policy)
{
	struct sup_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &policy->turns.queue, node) {
		if (msg->type == SUP_MSG_EXIT)
			list_del_init(&msg->node);
		else if (msg->type == SUP_MSG_RETRY)
			policy_drop_retry(policy, msg);
	}
}

static void policy_refuse_calls(struct sup_policy *policy)
{
	if (policy->call)
		call_reply(policy, policy->call, NULL, SUP_ERR_EXIT);
	policy->call = NULL;
	sup_turns_refuse(&policy->turns);
}

/* Every child is undefined. */
static enum policy_step policy_end(struct sup_policy *policy)
{
	struct sup_policy_child *child, *next;

	policy->op = SUP_OP_END;
	policy->wait = NULL;
	policy_drop_messages(policy);
	list_for_each_entry_safe(child, next, &policy->children, order)
		if (!child->initial && child != policy->down_child)
			child_remove(policy, child);
	return STEP_AGAIN;
}

static enum policy_step policy_step_stop(struct sup_policy *policy, u64 now_ns,
					 struct sup_action *action)
{
	while (policy->cursor != &policy->children) {
		struct sup_policy_child *child =
			list_entry(policy->cursor, struct sup_policy_child, order);

		policy->cursor = policy->cursor->prev;
		if (child_stop(policy, child, now_ns, action) == STEP_ACT)
			return STEP_ACT;
	}
	return policy_end(policy);
}

static enum policy_step policy_step_kill(struct sup_policy *policy, u64 now_ns,
					 struct sup_action *action)
{
	while (policy->cursor != &policy->children) {
		struct sup_policy_child *child =
			list_entry(policy->cursor, struct sup_policy_child, order);

		policy->cursor = policy->cursor->prev;
		if (child->state == SUP_CHILD_RESTARTING || child->dead)
			child_stop(policy, child, now_ns, action);
		else if (child->state != SUP_CHILD_UNDEFINED && !child->killed)
			return child_kill(policy, child, action);
	}
	return policy->nr_stopping ? STEP_WAIT : policy_end(policy);
}

static enum policy_step policy_step_end(struct sup_policy *policy, struct sup_action *action)
{
	struct sup_policy_child *child = policy->down_child;

	policy->op = SUP_OP_DOWN;
	policy_refuse_calls(policy);
	if (child && !child->initial)
		child_remove(policy, child);

	action->down = policy->down;
	action->reason = policy->down_reason;
	action->error = policy->down_error;
	return policy_act(action, SUP_ACT_DOWN, child);
}

/*
 * Restarts.
 */

static bool policy_is_rest_for_one(const struct sup_policy *policy)
{
	return policy->flags.strategy == SUP_REST_FOR_ONE;
}

/* Restart @child as the strategy has it; one attempt. */
static enum policy_step policy_restart(struct sup_policy *policy, struct sup_policy_child *child,
				       bool counted, u64 now_ns, struct sup_action *action)
{
	child_set_state(policy, child, SUP_CHILD_UNDEFINED);
	if (counted && !sup_window_add(&policy->window, now_ns)) {
		child->verdict = SUP_VERDICT_GIVE_UP;
		return policy_stop(policy, SUP_DOWN_INTENSITY, SUP_SHUTDOWN, child, 0);
	}
	policy->restarts += counted;

	policy->target = child;
	policy->wait = NULL;
	if (policy->flags.strategy == SUP_ONE_FOR_ONE) {
		policy->op = SUP_OP_RESTART;
		return child_start(policy, child, action);
	}
	policy->op = SUP_OP_GROUP_STOP;
	policy->cursor = policy->children.prev;
	return STEP_AGAIN;
}

static enum policy_step policy_step_restart(struct sup_policy *policy, u64 now_ns)
{
	if (policy->outcome == SUP_OUTCOME_FAILED)
		child_restart_failed(policy, policy->target, now_ns);
	return policy_be_idle(policy);
}

static enum policy_step policy_step_group_stop(struct sup_policy *policy, u64 now_ns,
					       struct sup_action *action)
{
	struct list_head *end = &policy->children;

	if (policy_is_rest_for_one(policy))
		end = policy->target->order.prev;

	if (policy->wait && child_is_temporary(policy->wait))
		child_remove(policy, policy->wait);
	policy->wait = NULL;

	while (policy->cursor != end) {
		struct sup_policy_child *child =
			list_entry(policy->cursor, struct sup_policy_child, order);

		policy->cursor = policy->cursor->prev;
		if (child_stop(policy, child, now_ns, action) == STEP_ACT)
			return STEP_ACT;
		if (child_is_temporary(child))
			child_remove(policy, child);
	}

	policy->op = SUP_OP_GROUP_START;
	policy->cursor = end->next;
	return STEP_AGAIN;
}

/* The next of a walk of starts; STEP_AGAIN when there is none. */
static enum policy_step policy_start_next(struct sup_policy *policy, struct sup_action *action)
{
	struct sup_policy_child *child;

	if (policy->cursor == &policy->children)
		return STEP_AGAIN;
	child = list_entry(policy->cursor, struct sup_policy_child, order);
	policy->cursor = policy->cursor->next;
	return child_start(policy, child, action);
}

static enum policy_step policy_step_group_start(struct sup_policy *policy, u64 now_ns,
						struct sup_action *action)
{
	/* OTP: those already started run on, those after it stay undefined. */
	if (policy->wait && policy->outcome == SUP_OUTCOME_FAILED) {
		child_restart_failed(policy, policy->wait, now_ns);
		return policy_be_idle(policy);
	}
	if (policy_start_next(policy, action) == STEP_ACT)
		return STEP_ACT;
	return policy_be_idle(policy);
}

static enum policy_step policy_step_init(struct sup_policy *policy, struct sup_action *action)
{
	struct sup_policy_child *last = policy->wait;

	if (last && policy->outcome == SUP_OUTCOME_FAILED)
		return policy_stop(policy, SUP_DOWN_INIT_FAILED, SUP_SHUTDOWN, last,
				   policy->error);
	if (last && policy->outcome == SUP_OUTCOME_IGNORED && child_is_temporary(last))
		child_remove(policy, last);

	if (policy_start_next(policy, action) == STEP_ACT)
		return STEP_ACT;
	policy_be_idle(policy);
	return policy_act(action, SUP_ACT_UP, NULL);
}

/*
 * Messages.
 */

static enum policy_step policy_handle_exit(struct sup_policy *policy,
					   struct sup_policy_child *child, u64 now_ns,
					   struct sup_action *action)
{
	bool significant = child->spec.significant;

	child->dead = false;
	if (sup_restart_due(child->spec.restart, child->reason)) {
		child->failed = false;
		if (child->lasted)
			child->backoff_ms = 0;
		child_decide(policy, child, SUP_VERDICT_RESTART);
		if (!child->spec.retry.min_ms || child->lasted)
			return policy_restart(policy, child, true, now_ns, action);
		child->verdict = SUP_VERDICT_RETRY;
		child_restart_delayed(policy, child, now_ns);
		return STEP_AGAIN;
	}

	child_decide(policy, child, child_is_temporary(child) ? SUP_VERDICT_DELETE :
								SUP_VERDICT_KEEP);
	child_set_state(policy, child, SUP_CHILD_UNDEFINED);
	if (child_is_temporary(child))
		child_remove(policy, child);

	if (!significant || policy->flags.auto_shutdown == SUP_AUTO_NEVER ||
	    (policy->flags.auto_shutdown == SUP_AUTO_ALL_SIGNIFICANT && policy->nr_significant))
		return STEP_AGAIN;
	child->verdict = SUP_VERDICT_AUTO_SHUTDOWN;
	return policy_stop(policy, SUP_DOWN_AUTO_SHUTDOWN, SUP_SHUTDOWN, NULL, 0);
}

static enum policy_step policy_handle_retry(struct sup_policy *policy, struct sup_msg *msg,
					    u64 now_ns, struct sup_action *action)
{
	struct sup_policy_child *child;
	bool counted;

	/* OTP's names the child by id, which may be another one's by now. */
	child = sup_policy_find(policy, &msg->child->name);
	policy_drop_retry(policy, msg);
	if (!child || child->state != SUP_CHILD_RESTARTING || child_timer_armed(child))
		return STEP_AGAIN;

	counted = !(child->failed && child->spec.retry.min_ms && child->spec.retry.uncounted);
	return policy_restart(policy, child, counted, now_ns, action);
}

static enum policy_step policy_step_idle(struct sup_policy *policy, u64 now_ns,
					 struct sup_action *action)
{
	struct sup_msg *msg = sup_turns_next(&policy->turns);

	if (!msg)
		return STEP_WAIT;

	switch (msg->type) {
	case SUP_MSG_EXIT:
		return policy_handle_exit(policy, msg->child, now_ns, action);
	case SUP_MSG_RETRY:
		return policy_handle_retry(policy, msg, now_ns, action);
	default:
		return policy_handle_call(policy, sup_turns_take_call(msg), now_ns, action);
	}
}

/*
 * The machine.
 */

static bool child_is_awaited(const struct sup_policy_child *child)
{
	return child && (child->state == SUP_CHILD_STARTING ||
			 child->state == SUP_CHILD_STOPPING);
}

/* What there is to do about a child whose answer is not in. */
static enum policy_step policy_step_wait(struct sup_policy *policy, u64 now_ns,
					 struct sup_action *action)
{
	struct sup_policy_child *child = policy->wait;
	bool starting = child->state == SUP_CHILD_STARTING;

	if (starting && policy->op == SUP_OP_STOP)
		return child_stop(policy, child, now_ns, action);
	if (now_ns < policy->timeout_ns)
		return STEP_WAIT;

	policy->timeout_ns = SUP_NEVER;
	child->timed_out = starting;
	return child_kill(policy, child, action);
}

/* The first timer of a child that is over. */
static enum policy_step policy_step_timer(struct sup_policy *policy, u64 now_ns,
					  struct sup_action *action)
{
	struct sup_policy_child *child = policy_first_timer(policy);

	if (!child || now_ns < child->due.ns)
		return STEP_WAIT;

	child_disarm_timer(policy, child);
	if (child->state == SUP_CHILD_RESTARTING) {
		child_queue_retry(policy, child);
		return STEP_AGAIN;
	}
	child->reason = SUP_KILLED;
	child_gone(policy, child, SUP_OUTCOME_FAILED, 0);
	return policy_act(action, SUP_ACT_ABANDON, child);
}

/* What was decided, but is not told yet. */
static enum policy_step policy_step_tell(struct sup_policy *policy, struct sup_action *action)
{
	struct sup_policy_child *child;
	struct sup_call *call;

	call = sup_turns_told(&policy->turns);
	if (call) {
		action->call = call;
		return policy_act(action, SUP_ACT_REPLY, call->child);
	}

	child = list_first_entry_or_null(&policy->forgets, struct sup_policy_child, order);
	if (child) {
		list_del_init(&child->order);
		list_del_init(&child->exit.node);
		return policy_act(action, SUP_ACT_FORGET, child);
	}
	return STEP_WAIT;
}

static enum policy_step policy_step(struct sup_policy *policy, u64 now_ns,
				    struct sup_action *action)
{
	enum policy_step step;

	step = policy_step_tell(policy, action);
	if (step != STEP_WAIT)
		return step;
	step = policy_step_timer(policy, now_ns, action);
	if (step != STEP_WAIT)
		return step;
	if (child_is_awaited(policy->wait))
		return policy_step_wait(policy, now_ns, action);

	switch (policy->op) {
	case SUP_OP_DOWN:
		return STEP_WAIT;
	case SUP_OP_IDLE:
		return policy_step_idle(policy, now_ns, action);
	case SUP_OP_INIT:
		return policy_step_init(policy, action);
	case SUP_OP_RESTART:
		return policy_step_restart(policy, now_ns);
	case SUP_OP_GROUP_STOP:
		return policy_step_group_stop(policy, now_ns, action);
	case SUP_OP_GROUP_START:
		return policy_step_group_start(policy, now_ns, action);
	case SUP_OP_CALL:
		return policy_step_call(policy);
	case SUP_OP_STOP:
		return policy_step_stop(policy, now_ns, action);
	case SUP_OP_KILL:
		return policy_step_kill(policy, now_ns, action);
	case SUP_OP_END:
		return policy_step_end(policy, action);
	}
	return STEP_WAIT;
}

/**
 * sup_policy_next() - take the next action
 * @policy: whose
 * @now_ns: the time, on the clock of the inputs
 * @action: what to do, when there is something
 *
 * The driver reads what a reply tells (which_children and so on) before it calls
 * again: it is true only between this action and the next.
 *
 * Return: true if @action was set, false if there is nothing to do before the
 *	next input or sup_policy_deadline().
 */
bool sup_policy_next(struct sup_policy *policy, u64 now_ns, struct sup_action *action)
{
	enum policy_step step;

	memset(action, 0, sizeof(*action));
	do {
		step = policy_step(policy, now_ns, action);
	} while (step == STEP_AGAIN);
	return step == STEP_ACT;
}

/**
 * sup_policy_decided() - the deaths that were decided about
 * @policy: whose
 *
 * To be asked after each sup_policy_next(), as long as there is one: a driver that
 * does not ask misses nothing but this.
 *
 * Return: a child whose last death has a verdict that was not told, or NULL.
 */
struct sup_policy_child *sup_policy_decided(struct sup_policy *policy)
{
	struct sup_policy_child *child;

	child = list_first_entry_or_null(&policy->decided, struct sup_policy_child, exit.node);
	if (child)
		list_del_init(&child->exit.node);
	return child;
}

/*
 * Inputs.
 */

static bool policy_is_ending(const struct sup_policy *policy)
{
	return sup_policy_down(policy) || sup_policy_stopping(policy);
}

/* Begin afresh, whatever was before: with the initial children and nothing else. */
static void policy_input_start(struct sup_policy *policy)
{
	struct sup_policy_child *child, *next;

	if (policy->op != SUP_OP_DOWN)
		return;

	list_for_each_entry_safe(child, next, &policy->children, order)
		child_unlink(policy, child);
	list_for_each_entry(child, &policy->initials, initials) {
		child_reset(child);
		child_link(policy, child);
	}

	policy->op = SUP_OP_INIT;
	policy->cursor = policy->children.next;
	policy->wait = NULL;
	policy->target = NULL;
	policy->down_child = NULL;
	policy->turns.suspended = false;
	sup_window_clear(&policy->window);
}

static void policy_input_attached(struct sup_policy *policy, struct sup_policy_child *child,
				  u64 now_ns)
{
	if (child->state == SUP_CHILD_STARTING && child->spec.start_timeout_ms)
		policy->timeout_ns = sup_time_after_ms(now_ns, child->spec.start_timeout_ms);
}

static void policy_input_started(struct sup_policy *policy, struct sup_policy_child *child,
				 u64 now_ns)
{
	if (child->state != SUP_CHILD_STARTING)
		return;
	child_set_state(policy, child, SUP_CHILD_RUNNING);
	child->up_ns = now_ns;
	policy->outcome = SUP_OUTCOME_STARTED;
}

/* A start came to nothing, whether it was to go on or cancelled. */
static void policy_input_not_started(struct sup_policy *policy, struct sup_policy_child *child,
				     enum sup_outcome outcome, s32 error)
{
	if (child->state == SUP_CHILD_STARTING ||
	    (child->state == SUP_CHILD_STOPPING && child->cancelled))
		child_gone(policy, child, outcome, error);
}

/* The death of who was told to stop, or killed because it took too long to start. */
static enum sup_verdict policy_stopped_verdict(const struct sup_policy *policy,
					       const struct sup_policy_child *child,
					       enum sup_reason reason)
{
	bool killed = child->spec.shutdown_ms == SUP_SHUTDOWN_KILL ||
		      policy->op == SUP_OP_KILL || child->timed_out;

	return sup_stopped_verdict(killed, child->timed_out, reason);
}

static void policy_input_exit(struct sup_policy *policy, struct sup_policy_child *child,
			      enum sup_reason reason, s32 error, u64 now_ns)
{
	u64 lasts_ns = sup_time_after_ms(child->up_ns, child->spec.retry.reset_after_ms);

	switch (child->state) {
	case SUP_CHILD_STARTING:
	case SUP_CHILD_STOPPING:
		child->reason = reason;
		child_decide(policy, child, child->state == SUP_CHILD_STARTING ?
			     SUP_VERDICT_START_FAILED :
			     policy_stopped_verdict(policy, child, reason));
		child_gone(policy, child, SUP_OUTCOME_FAILED, error);
		break;
	case SUP_CHILD_RUNNING:
		if (child->dead)
			break;
		child->dead = true;
		child->lasted = now_ns >= lasts_ns;
		child->reason = reason;
		/* Its last death may have been decided about, and not been asked for. */
		list_del_init(&child->exit.node);
		list_add_tail(&child->exit.node, &policy->turns.queue);
		break;
	default:
		break;
	}
}

static void policy_input_unkillable(struct sup_policy *policy, struct sup_policy_child *child,
				    u64 now_ns)
{
	if (child->state == SUP_CHILD_STOPPING && !child_timer_armed(child))
		child_arm_timer(policy, child,
				sup_time_after_ms(now_ns, policy->flags.unkillable_ms));
}

static void policy_input_child(struct sup_policy *policy, const struct sup_input *input,
			       u64 now_ns)
{
	struct sup_policy_child *child = input->child;

	switch (input->type) {
	case SUP_IN_ATTACHED:
		policy_input_attached(policy, child, now_ns);
		break;
	case SUP_IN_STARTED:
		policy_input_started(policy, child, now_ns);
		break;
	case SUP_IN_START_FAILED:
		policy_input_not_started(policy, child, SUP_OUTCOME_FAILED, input->error);
		break;
	case SUP_IN_IGNORED:
		policy_input_not_started(policy, child, SUP_OUTCOME_IGNORED, 0);
		break;
	case SUP_IN_EXIT:
		policy_input_exit(policy, child, input->reason, input->error, now_ns);
		break;
	case SUP_IN_UNKILLABLE:
		policy_input_unkillable(policy, child, now_ns);
		break;
	default:
		break;
	}
}

/**
 * sup_policy_input() - tell what happened
 * @policy: whom
 * @input: what; what does not fit its state is ignored
 * @now_ns: when, on a monotonic clock
 */
void sup_policy_input(struct sup_policy *policy, const struct sup_input *input, u64 now_ns)
{
	switch (input->type) {
	case SUP_IN_START:
		policy_input_start(policy);
		break;
	case SUP_IN_STOP:
		if (!policy_is_ending(policy))
			policy_stop(policy, SUP_DOWN_STOPPED, input->reason, NULL, 0);
		break;
	case SUP_IN_KILL:
		if (!policy_is_ending(policy) || policy->op == SUP_OP_STOP)
			policy_kill(policy);
		break;
	case SUP_IN_CALL:
		if (input->call)
			sup_turns_call(&policy->turns, input->call, sup_policy_down(policy));
		break;
	case SUP_IN_RESUME:
		sup_turns_resume(&policy->turns);
		break;
	case SUP_IN_TIMER:
		break;
	default:
		if (input->child)
			policy_input_child(policy, input, now_ns);
		break;
	}
}

/*
 * What the driver may do between inputs.
 */

/**
 * sup_policy_withdraw() - take a call back
 * @policy: to whom it was made
 * @call: a call that was input and is not answered yet
 *
 * Return: true if its turn had not come: it will not be answered, and nothing
 *	refers to it. false if it is under way, and will be.
 */
bool sup_policy_withdraw(struct sup_policy *policy, struct sup_call *call)
{
	return sup_turns_withdraw(call);
}

/**
 * sup_policy_deadline() - when sup_policy_next() has to be called again
 * @policy: whose
 *
 * Return: that time, or %U64_MAX for never.
 */
u64 sup_policy_deadline(const struct sup_policy *policy)
{
	const struct sup_due *due = sup_due_first(&policy->dues);
	u64 deadline = due ? due->ns : SUP_NEVER;

	if (child_is_awaited(policy->wait))
		deadline = min(deadline, policy->timeout_ns);
	return deadline;
}

/**
 * sup_policy_idle() - tell whether all that was asked for is done
 * @policy: whose
 *
 * Return: true if nothing will happen of itself: no operation is under way, no
 *	message can be handled, no restart waits for its delay, no action is left
 *	to take. So it is when down, and when suspended whatever may be queued.
 */
bool sup_policy_idle(const struct sup_policy *policy)
{
	if (!list_empty(&policy->turns.replies) || !list_empty(&policy->forgets))
		return false;
	if (policy->op == SUP_OP_DOWN)
		return true;
	if (policy->op != SUP_OP_IDLE)
		return false;
	return policy->turns.suspended ||
	       (list_empty(&policy->turns.queue) && !sup_due_first(&policy->dues));
}

/**
 * sup_policy_suspended() - tell whether it is suspended
 * @policy: who
 *
 * Return: true from the reply to a SUSPEND to a RESUME or the end.
 */
bool sup_policy_suspended(const struct sup_policy *policy)
{
	return policy->turns.suspended;
}

/**
 * sup_policy_stopping() - tell whether it is on its way down
 * @policy: who
 *
 * Return: true from the decision to end, whoever made it, to %SUP_ACT_DOWN.
 */
bool sup_policy_stopping(const struct sup_policy *policy)
{
	return policy->op == SUP_OP_STOP || policy->op == SUP_OP_KILL ||
	       policy->op == SUP_OP_END;
}

/**
 * sup_policy_down() - tell whether it is down
 * @policy: who
 *
 * Return: true before the first START, and from %SUP_ACT_DOWN to the next START.
 */
bool sup_policy_down(const struct sup_policy *policy)
{
	return policy->op == SUP_OP_DOWN;
}

/**
 * sup_policy_find() - look up a child
 * @policy: whose
 * @name: the child's name
 *
 * Return: the child, or NULL.
 */
struct sup_policy_child *sup_policy_find(struct sup_policy *policy, const struct sup_name *name)
{
	struct sup_policy_child *child;

	hlist_for_each_entry(child, policy_bucket(policy, name->hash), index)
		if (sup_name_equal(&child->name, name))
			return child;
	return NULL;
}

/*
 * Making and clearing.
 */

/**
 * sup_flags_validate() - check a supervisor's flags
 * @flags: the flags
 *
 * Return: the first that is bad, in OTP's order, or %SUP_VALID.
 */
enum sup_invalid sup_flags_validate(const struct sup_flags *flags)
{
	if (flags->strategy < 0 || flags->strategy >= SUP_STRATEGY_NR)
		return SUP_INVALID_STRATEGY;
	if (flags->intensity < 0 || flags->intensity > SUP_INTENSITY_MAX)
		return SUP_INVALID_INTENSITY;
	if (flags->period < 1 || flags->period > SUP_PERIOD_MAX)
		return SUP_INVALID_PERIOD;
	if (flags->auto_shutdown < 0 || flags->auto_shutdown >= SUP_AUTO_NR)
		return SUP_INVALID_AUTO_SHUTDOWN;
	return SUP_VALID;
}

/**
 * sup_child_spec_validate() - check a child spec
 * @flags: the flags of its supervisor, valid
 * @spec: the spec
 *
 * Return: the first member that is bad, in OTP's order, or %SUP_VALID. The name
 *	is not part of it; whoever has it checks it before.
 */
enum sup_invalid sup_child_spec_validate(const struct sup_flags *flags,
					 const struct sup_child_spec *spec)
{
	if (spec->restart < 0 || spec->restart >= SUP_RESTART_NR)
		return SUP_INVALID_RESTART_TYPE;
	if (spec->significant == 1 && flags->auto_shutdown == SUP_AUTO_NEVER)
		return SUP_BAD_COMBINATION_AUTO_SHUTDOWN;
	if (spec->significant == 1 && spec->restart == SUP_PERMANENT)
		return SUP_BAD_COMBINATION_RESTART;
	if (spec->significant != 0 && spec->significant != 1)
		return SUP_INVALID_SIGNIFICANT;
	if (spec->type < 0 || spec->type >= SUP_CHILD_TYPE_NR)
		return SUP_INVALID_CHILD_TYPE;
	if (spec->shutdown_ms < SUP_SHUTDOWN_KILL || spec->shutdown_ms > SUP_SHUTDOWN_MS_MAX)
		return SUP_INVALID_SHUTDOWN;
	if (!sup_retry_valid(&spec->retry))
		return SUP_INVALID_RETRY;
	return SUP_VALID;
}

/**
 * sup_policy_window_slots() - tell how large a window has to be
 * @flags: valid flags
 *
 * Return: the slots that sup_policy_init() needs, at least one.
 */
size_t sup_policy_window_slots(const struct sup_flags *flags)
{
	return sup_window_slots(flags->intensity, flags->period);
}

/**
 * sup_policy_init() - make a policy, down and without children
 * @policy: the policy
 * @flags: its flags, valid
 * @window: room for the intensity window, until the policy is done with
 * @window_slots: its length, sup_policy_window_slots()
 * @buckets: the hash table of the children's names, zeroed
 * @nr_buckets: its length, a power of two
 * @seed: what jitter begins with
 */
void sup_policy_init(struct sup_policy *policy, const struct sup_flags *flags,
		     struct sup_window_slot *window, size_t window_slots,
		     struct hlist_head *buckets, u32 nr_buckets, u64 seed)
{
	size_t i;

	memset(policy, 0, sizeof(*policy));
	policy->flags = *flags;
	sup_window_init(&policy->window, flags->intensity, flags->period, window, window_slots);
	policy->buckets = buckets;
	policy->nr_buckets = nr_buckets;
	policy->rng = seed ? seed : 1;
	policy->dues = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&policy->children);
	INIT_LIST_HEAD(&policy->initials);
	sup_turns_init(&policy->turns);
	INIT_LIST_HEAD(&policy->forgets);
	INIT_LIST_HEAD(&policy->decided);
	for (i = 0; i < ARRAY_SIZE(policy->extra_retries); i++) {
		INIT_LIST_HEAD(&policy->extra_retries[i].node);
		policy->extra_retries[i].type = SUP_MSG_RETRY;
	}
}

/**
 * sup_policy_reindex() - give a policy a hash table of another size
 * @policy: whose
 * @buckets: the new one, zeroed; the old one is no longer referred to
 * @nr_buckets: its length, a power of two
 */
void sup_policy_reindex(struct sup_policy *policy, struct hlist_head *buckets, u32 nr_buckets)
{
	struct sup_policy_child *child;

	policy->buckets = buckets;
	policy->nr_buckets = nr_buckets;
	list_for_each_entry(child, &policy->children, order) {
		INIT_HLIST_NODE(&child->index);
		hlist_add_head(&child->index, policy_bucket(policy, child->name.hash));
	}
}

/**
 * sup_policy_add() - give a supervisor that is down an initial child
 * @policy: whose
 * @child: the child, its name and spec set; it comes last in start order
 *
 * Return: %SUP_VALID, or why the child was refused; then nothing refers to it.
 */
enum sup_invalid sup_policy_add(struct sup_policy *policy, struct sup_policy_child *child)
{
	enum sup_invalid invalid;

	if (!sup_name_valid(child->name.bytes, child->name.len))
		return SUP_INVALID_ID;
	invalid = sup_child_spec_validate(&policy->flags, &child->spec);
	if (invalid != SUP_VALID)
		return invalid;
	if (sup_policy_find(policy, &child->name))
		return SUP_DUPLICATE_CHILD_NAME;

	child_init(child);
	child->initial = true;
	child_link(policy, child);
	list_add_tail(&child->initials, &policy->initials);
	return SUP_VALID;
}

/* Be down at once, and drop what was under way; no action is taken for it. */
static void policy_abort(struct sup_policy *policy)
{
	struct sup_policy_child *child;

	if (policy->op == SUP_OP_DOWN)
		return;

	policy->op = SUP_OP_DOWN;
	policy->wait = NULL;
	policy->turns.suspended = false;
	policy_drop_messages(policy);
	policy_refuse_calls(policy);
	while ((child = policy_first_timer(policy)))
		child_disarm_timer(policy, child);
}

/**
 * sup_policy_clear() - take a child out of a policy that is done with
 * @policy: the policy. When it is not down, it is so from the first call on,
 *	without any action: what its children are doing is no longer its concern.
 *	The calls that waited are answered by sup_policy_next() as ever.
 *
 * Return: a child which nothing refers to any more, or NULL if there is none.
 */
struct sup_policy_child *sup_policy_clear(struct sup_policy *policy)
{
	struct sup_policy_child *child;

	policy_abort(policy);

	child = list_first_entry_or_null(&policy->children, struct sup_policy_child, order);
	if (child) {
		child_unlink(policy, child);
		goto out;
	}
	child = list_first_entry_or_null(&policy->initials, struct sup_policy_child, initials);
	if (child)
		goto out;
	child = list_first_entry_or_null(&policy->forgets, struct sup_policy_child, order);
	if (!child)
		return NULL;
	list_del_init(&child->order);
out:
	list_del_init(&child->initials);
	list_del_init(&child->exit.node);
	return child;
}
