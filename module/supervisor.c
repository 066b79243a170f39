// SPDX-License-Identifier: GPL-2.0
/*
 * supervisor - the actor: what happens goes into the inbox, the work item hands
 * it to the policy and carries out what comes back. Also the life of a
 * supervisor from creation to its last reference, and who is whose child.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "engine.h"
#include "supervisor.h"
#include "trace.h"

/* Messages and actions of one run of the work item, before it lets others run. */
#define SUPERVISOR_BATCH 256

/* The same, of one run in a process that had something to say. */
#define SUPERVISOR_STEPS 8

#define SUPERVISOR_BUCKETS 16

/* Who is whose child: taken to set sup_supervisor.as_child and .owner. */
DEFINE_MUTEX(sup_tree_lock);

/*
 * The inbox. The exit hook calls into this part.
 */

/**
 * sup_inbox_msg_init - make an entry that is nowhere queued
 * @msg: the entry
 * @kind: what it stands for
 *
 * Context: any.
 */
void sup_inbox_msg_init(struct sup_inbox_msg *msg, enum sup_inbox_kind kind)
{
	INIT_LIST_HEAD(&msg->node);
	msg->kind = kind;
}

/*
 * True when the work item must be queued; it then has a reference. A supervisor
 * whose last reference is gone sleeps on: its owner's death may come that late.
 */
static bool inbox_wake_locked(struct sup_supervisor *sup)
{
	bool wake = !sup->awake;

	lockdep_assert_held(&sup->inbox_lock);
	if (wake && !sup_object_tryget(&sup->object))
		return false;
	sup->awake = true;
	if (!sup->busy_root) {
		sup->busy_root = sup->root;
		atomic_inc(&sup->busy_root->busy);
	}
	return wake;
}

/*
 * Of deaths that are waited for anyway, and come many at once, the actor need not be
 * woken for each: true when another one is to come that will wake it, or a jiffy to
 * pass. What comes between is not kept waiting.
 */
static bool inbox_gather_locked(struct sup_supervisor *sup, const struct sup_inbox_msg *msg)
{
	lockdep_assert_held(&sup->inbox_lock);
	if (msg->kind != SUP_INBOX_EXIT || sup->awaited <= 1) {
		sup->awaited = 0;
		return false;
	}
	sup->awaited--;
	return true;
}

/* True as for inbox_wake_locked(). */
static bool inbox_put(struct sup_supervisor *sup, struct sup_inbox_msg *msg, u32 controls,
		      bool *added)
{
	bool wake, gather, hurry;
	unsigned long flags;

	spin_lock_irqsave(&sup->inbox_lock, flags);
	sup->controls |= controls;
	*added = list_empty(&msg->node);
	if (*added)
		list_add_tail(&msg->node, &sup->inbox);
	gather = inbox_gather_locked(sup, msg);
	hurry = sup->gathering && !gather;
	wake = inbox_wake_locked(sup);
	sup->gathering = gather;
	spin_unlock_irqrestore(&sup->inbox_lock, flags);
	if (wake && gather)
		queue_delayed_work(sup_workqueue, &sup->work, 1);
	/* Unless it runs already: then it finds the entry, and nobody queues it twice. */
	if (hurry && cancel_delayed_work(&sup->work))
		queue_delayed_work(sup_workqueue, &sup->work, 0);
	return wake && !gather;
}

static bool inbox_add(struct sup_supervisor *sup, struct sup_inbox_msg *msg, u32 controls)
{
	bool added;

	if (inbox_put(sup, msg, controls, &added))
		queue_delayed_work(sup_workqueue, &sup->work, 0);
	return added;
}

/**
 * sup_inbox_add - put an entry at the end of an inbox, unless it is in there
 * @sup: whose inbox
 * @msg: the entry
 *
 * Context: any, also the exit hook; the caller keeps @sup.
 */
void sup_inbox_add(struct sup_supervisor *sup, struct sup_inbox_msg *msg)
{
	inbox_add(sup, msg, 0);
}

/**
 * sup_inbox_put - as sup_inbox_add(), but leave it to the caller to wake the actor
 * @sup: whose inbox
 * @msg: the entry
 *
 * Context: any; the caller keeps @sup.
 * Return: must sup_run() be called, as soon as no lock is held.
 */
bool sup_inbox_put(struct sup_supervisor *sup, struct sup_inbox_msg *msg)
{
	bool added;

	return inbox_put(sup, msg, 0, &added);
}

/**
 * sup_inbox_remove - take an entry out of an inbox
 * @sup: whose inbox
 * @msg: the entry
 *
 * Context: any.
 * Return: was it in there.
 */
bool sup_inbox_remove(struct sup_supervisor *sup, struct sup_inbox_msg *msg)
{
	unsigned long flags;
	bool queued;

	spin_lock_irqsave(&sup->inbox_lock, flags);
	queued = !list_empty(&msg->node);
	list_del_init(&msg->node);
	spin_unlock_irqrestore(&sup->inbox_lock, flags);
	return queued;
}

/* @signals: may what is done about it signal a process: see supervisor_run(). */
static struct sup_inbox_msg *inbox_take(struct sup_supervisor *sup, bool signals)
{
	struct sup_inbox_msg *msg;

	spin_lock_irq(&sup->inbox_lock);
	msg = list_first_entry_or_null(&sup->inbox, struct sup_inbox_msg, node);
	/* The rest of its group is killed. */
	if (msg && msg->kind == SUP_INBOX_EXIT && !signals)
		msg = NULL;
	if (msg)
		list_del_init(&msg->node);
	spin_unlock_irq(&sup->inbox_lock);
	return msg;
}

/**
 * sup_control - have a supervisor do something
 * @sup: the supervisor
 * @controls: SUP_CONTROL_* bits
 *
 * Context: any but the exit hook.
 */
void sup_control(struct sup_supervisor *sup, u32 controls)
{
	inbox_add(sup, &sup->control_msg, controls);
}

/**
 * sup_stop - have a supervisor end
 * @sup: the supervisor
 * @reason: with what; the first one asked for counts
 *
 * Context: any but the exit hook.
 */
void sup_stop(struct sup_supervisor *sup, enum sup_reason reason)
{
	spin_lock_irq(&sup->inbox_lock);
	if (!(sup->controls & SUP_CONTROL_STOP))
		sup->stop_reason = reason;
	spin_unlock_irq(&sup->inbox_lock);
	sup_control(sup, SUP_CONTROL_STOP);
}

/*
 * The tree.
 */

/**
 * sup_depth - how many supervisors are above one
 * @sup: the supervisor, which has started; or any, under sup_tree_lock
 *
 * Context: any.
 * Return: the number of them.
 */
u32 sup_depth(struct sup_supervisor *sup)
{
	u32 depth = 0;

	for (; sup->as_child; sup = sup->as_child->sup)
		depth++;
	return depth;
}

/* Is @sub @sup, or above it? */
static bool tree_above_locked(const struct sup_supervisor *sub, const struct sup_supervisor *sup)
{
	lockdep_assert_held(&sup_tree_lock);
	while (sup != sub && sup->as_child)
		sup = sup->as_child->sup;
	return sup == sub;
}

/* Those above @sub are at least as high as it makes them. */
static void tree_raise_locked(const struct sup_supervisor *sub)
{
	u32 height = sub->height;

	lockdep_assert_held(&sup_tree_lock);
	while (sub->as_child) {
		struct sup_supervisor *sup = sub->as_child->sup;

		sup->height = max(sup->height, ++height);
		sub = sup;
	}
}

/**
 * sup_adopt - make a supervisor that has not started a child
 * @sub: the supervisor
 * @as_child: the child that it is to be: each gets a reference to the other
 *
 * Context: may sleep.
 * Return: 0; -EBUSY when @sub has started or is a child, -ELOOP.
 */
int sup_adopt(struct sup_supervisor *sub, struct sup_child *as_child)
{
	int ret = 0;

	mutex_lock(&sup_tree_lock);
	if (sub->as_child || READ_ONCE(sub->state) != SUPERVISOR_STATE_NEW || sub->claimed)
		ret = -EBUSY;
	else if (tree_above_locked(sub, as_child->sup) ||
		 sup_depth(as_child->sup) + 1 + sub->height >= SUPERVISOR_DEPTH_MAX)
		ret = -ELOOP;
	if (!ret) {
		sup_child_get(as_child);
		sub->as_child = as_child;
		sup_object_get(&sub->object);
		*sup_child_sub_at(as_child) = sub;
		tree_raise_locked(sub);
	}
	mutex_unlock(&sup_tree_lock);
	return ret;
}

/**
 * sup_disown - undo an adoption that its supervisor refused
 * @as_child: the child that is not to be; it has never started
 *
 * Context: may sleep.
 */
void sup_disown(struct sup_child *as_child)
{
	struct sup_supervisor *sub = sup_child_sub(as_child);
	bool owner_dead;

	mutex_lock(&sup_tree_lock);
	sub->as_child = NULL;
	*sup_child_sub_at(as_child) = NULL;
	owner_dead = READ_ONCE(sub->owner.process->dead);
	mutex_unlock(&sup_tree_lock);
	sup_child_put(as_child);
	/* What was passed over while it was a child. */
	if (!atomic_read(&sub->object.files))
		sup_control(sub, SUP_CONTROL_DISCARD);
	if (owner_dead)
		sup_control(sub, SUP_CONTROL_OWNER);
	sup_object_put(&sub->object);
}

/**
 * sup_start_below - start a supervisor that is a child
 * @sub: the supervisor; it belongs to its parent's tree from now on
 * @root: that tree's root
 *
 * Context: any but the exit hook.
 */
void sup_start_below(struct sup_supervisor *sub, struct sup_supervisor *root)
{
	spin_lock_irq(&sub->inbox_lock);
	sub->root = root;
	/* It is down: what it was told before was meant for its life before. */
	sub->controls &= ~(SUP_CONTROL_STOP | SUP_CONTROL_KILL | SUP_CONTROL_RESUME);
	spin_unlock_irq(&sub->inbox_lock);
	sup_control(sub, SUP_CONTROL_START);
}

/*
 * The policy's answers.
 */

static void supervisor_set_state(struct sup_supervisor *sup, u32 state)
{
	lockdep_assert_held(&sup->lock);
	WRITE_ONCE(sup->state, state);
	sup->since_ns = ktime_get_ns();
	wake_up_all(&sup->changed);
}

/* The parent, if there is one, is told; the entry holds a reference to @sup. */
static void supervisor_tell_parent(struct sup_supervisor *sup, struct sup_inbox_msg *msg)
{
	if (!sup->as_child)
		return;
	sup_object_get(&sup->object);
	if (!inbox_add(sup->as_child->sup, msg, 0))
		sup_object_put(&sup->object);
}

static void supervisor_hear_child(struct sup_supervisor *sub, enum sup_inbox_kind kind)
{
	if (kind == SUP_INBOX_UP)
		sup_child_handle_up(sub->as_child);
	else
		sup_child_handle_down(sub->as_child);
	sup_object_put(&sub->object);
}

static void supervisor_up(struct sup_supervisor *sup)
{
	sup->was_up = true;
	supervisor_set_state(sup, SUPERVISOR_STATE_UP);
	sup_event_self(sup, SUPERVISOR_EVENT_UP);
	supervisor_tell_parent(sup, &sup->up_msg);
}

/*
 * It is down, with what @sup->reason and @sup->down say. The event comes first: who
 * sees that it is down will not wait for another, and finds this one in its mailbox.
 */
static void supervisor_end(struct sup_supervisor *sup)
{
	sup_event_self(sup, SUPERVISOR_EVENT_DOWN);
	sup_object_down(&sup->object, sup->reason);
	WRITE_ONCE(sup->downs, sup->downs + 1);
	supervisor_set_state(sup, SUPERVISOR_STATE_DOWN);
}

static void supervisor_down(struct sup_supervisor *sup, const struct sup_action *action)
{
	sup->reason = action->reason;
	sup->down = action->down;
	sup->down_error = action->error;
	if (action->down == SUP_DOWN_INIT_FAILED && action->child)
		strscpy(sup->failed_id, sup_child_name(sup_action_child(sup, action))->bytes,
			SUP_NAME_MAX + 1);
	trace_sup_escalate(sup->object.id, sup->reason, sup->down);
	supervisor_end(sup);
	supervisor_tell_parent(sup, &sup->down_msg);
}

static void child_forget(struct sup_child *child)
{
	struct sup_supervisor *sub = sup_child_sub(child);

	sup_child_release(child);
	sup_child_unkeep(child);
	child->forgotten = true;
	if (sup_is_dynamic(child->sup))
		sup_member_remove(child);
	if (sub) {
		/* Nobody can start it any more. */
		*sup_child_sub_at(child) = NULL;
		sup_control(sub, SUP_CONTROL_DISCARD);
		sup_object_put(&sub->object);
	}
	sup_child_put(child);
}

static void supervisor_carry_out(struct sup_supervisor *sup, const struct sup_action *action)
{
	struct sup_child *child = sup_action_child(sup, action);

	trace_sup_decision(sup->object.id, child ? child->id : 0, action->type);
	switch (action->type) {
	case SUP_ACT_START:
		if (action->call)
			sup_call_starts(action->call, child);
		sup_child_start(child);
		break;
	case SUP_ACT_TERM:
		sup_child_term(child);
		break;
	case SUP_ACT_KILL:
		sup_child_kill(child);
		break;
	case SUP_ACT_ABANDON:
		sup_child_abandon(child);
		break;
	case SUP_ACT_FORGET:
		child_forget(child);
		break;
	case SUP_ACT_REPLY:
		sup_call_reply(sup, action->call);
		break;
	case SUP_ACT_UP:
		supervisor_up(sup);
		break;
	case SUP_ACT_DOWN:
		supervisor_down(sup, action);
		break;
	}
}

/* Ending, whether it was told to or gave up by itself: that can be seen. */
static void supervisor_see_stopping(struct sup_supervisor *sup)
{
	if (sup->state != SUPERVISOR_STATE_STOPPING && sup_engine_stopping(sup))
		supervisor_set_state(sup, SUPERVISOR_STATE_STOPPING);
}

/**
 * sup_feed - hand an input to a supervisor's policy
 * @sup: the supervisor
 * @input: what happened; what follows is carried out by the work item
 *
 * Context: holds S.
 */
void sup_feed(struct sup_supervisor *sup, const struct sup_input *input)
{
	lockdep_assert_held(&sup->lock);
	sup_engine_input(sup, input, ktime_get_ns());
	supervisor_see_stopping(sup);
}

/*
 * The spec of a child that it starts with, and would start again with, is not forgotten
 * when it is deleted; what it kept for the child's next incarnation is of no use any more.
 */
static void supervisor_unkeep(struct sup_supervisor *sup)
{
	struct sup_policy_child *child;

	if (sup_is_dynamic(sup))
		return;
	list_for_each_entry(child, &sup->policy.initials, initials)
		if (list_empty(&child->order))
			sup_child_unkeep(sup_policy_child(child));
}

/* Tell of the deaths that were decided about. */
static void supervisor_decided(struct sup_supervisor *sup, u64 now_ns)
{
	struct sup_child *child;

	while ((child = sup_engine_decided(sup, now_ns)))
		sup_crash(child);
}

/* The next action, which may have been left over; false when there is none. */
static bool supervisor_next(struct sup_supervisor *sup, struct sup_action *action)
{
	bool due = sup->left_over;
	u64 now_ns;

	if (due) {
		*action = sup->left;
		sup->left_over = false;
		return true;
	}
	now_ns = ktime_get_ns();
	/* By what was input, and by what comes next. */
	supervisor_decided(sup, now_ns);
	due = sup_engine_next(sup, now_ns, action);
	supervisor_decided(sup, now_ns);
	supervisor_see_stopping(sup);
	if (!due && !list_empty(&sup->kept))
		supervisor_unkeep(sup);
	return due;
}

/*
 * Carry out at most so many actions, or until one that may signal a process when
 * that is not to be; false when there is none left.
 */
static bool supervisor_act(struct sup_supervisor *sup, int *budget, bool signals)
{
	struct sup_action action;

	while (*budget > 0) {
		if (!supervisor_next(sup, &action))
			return false;
		if (!signals && (action.type == SUP_ACT_TERM || action.type == SUP_ACT_KILL)) {
			sup->left = action;
			sup->left_over = true;
			*budget = 0;
			return true;
		}
		supervisor_carry_out(sup, &action);
		--*budget;
	}
	return true;
}

/**
 * sup_arm_timer - see that the work item runs when something is due
 * @sup: the supervisor; an armed timer holds a reference to it
 *
 * Context: holds S.
 */
void sup_arm_timer(struct sup_supervisor *sup)
{
	u64 due = min3(sup_engine_deadline(sup), sup_start_deadline(sup),
		       sup_hold_deadline(sup));
	u64 now = ktime_get_ns();

	lockdep_assert_held(&sup->lock);
	/* Too early will do: it finds nothing due then, and is armed again. */
	if (due == sup->timer_due || (due > sup->timer_due && due != U64_MAX))
		return;
	sup->timer_due = due;
	if (due == U64_MAX) {
		if (cancel_delayed_work(&sup->timer))
			sup_object_put(&sup->object);
		return;
	}
	sup_object_get(&sup->object);
	if (mod_delayed_work(sup_workqueue, &sup->timer,
			     due > now ? nsecs_to_jiffies(due - now) + 1 : 0))
		sup_object_put(&sup->object);
}

static void supervisor_timer(struct work_struct *work)
{
	struct sup_supervisor *sup = container_of(to_delayed_work(work), struct sup_supervisor,
						  timer);

	sup_control(sup, SUP_CONTROL_TIMER);
	sup_object_put(&sup->object);
}

/*
 * What the inbox holds.
 */

/* Let go of every child. */
static void supervisor_clear(struct sup_supervisor *sup)
{
	struct sup_child *child;
	int budget = INT_MAX;

	while ((child = sup_engine_clear(sup))) {
		child_forget(child);
		cond_resched();
	}
	/* What is left are answers. */
	supervisor_act(sup, &budget, true);
}

static void supervisor_release(struct sup_supervisor *sup)
{
	struct list_head *at;

	if (sup->state == SUPERVISOR_STATE_DOWN)
		return;
	list_for_each(at, sup_children(sup)) {
		struct sup_supervisor *sub = sup_child_sub(sup_listed_child(sup, at));

		if (sub)
			sup_control(sub, SUP_CONTROL_RELEASE);
	}
	supervisor_clear(sup);
	sup->reason = SUP_NORMAL;
	sup->down = SUPERVISOR_DOWN_RELEASED;
	supervisor_end(sup);
}

static bool supervisor_active(const struct sup_supervisor *sup)
{
	return sup->state != SUPERVISOR_STATE_NEW && sup->state != SUPERVISOR_STATE_DOWN;
}

static void supervisor_feed_stop(struct sup_supervisor *sup, enum sup_reason reason)
{
	if (supervisor_active(sup))
		sup_feed(sup, &(struct sup_input){ .type = SUP_IN_STOP, .reason = reason });
}

static void supervisor_feed_type(struct sup_supervisor *sup, enum sup_input_type type)
{
	if (supervisor_active(sup))
		sup_feed(sup, &(struct sup_input){ .type = type });
}

static void supervisor_ownerless(struct sup_supervisor *sup)
{
	if (sup->owner_death == SUPERVISOR_OWNER_DEATH_RELEASE)
		supervisor_release(sup);
	else if (!sup_hold(sup))
		supervisor_feed_stop(sup, SUP_SHUTDOWN);
}

static void supervisor_control(struct sup_supervisor *sup)
{
	enum sup_reason reason;
	u32 controls;

	spin_lock_irq(&sup->inbox_lock);
	controls = sup->controls;
	reason = sup->stop_reason;
	sup->controls = 0;
	spin_unlock_irq(&sup->inbox_lock);

	if (controls & SUP_CONTROL_START && !supervisor_active(sup)) {
		sup->was_up = false;
		WRITE_ONCE(sup->partitions, sup->partitions_max);
		sup_object_up(&sup->object);
		supervisor_set_state(sup, SUPERVISOR_STATE_STARTING);
		sup_feed(sup, &(struct sup_input){ .type = SUP_IN_START });
	}
	if (controls & SUP_CONTROL_RESUME)
		supervisor_feed_type(sup, SUP_IN_RESUME);
	if (controls & SUP_CONTROL_STOP)
		supervisor_feed_stop(sup, reason);
	if (controls & SUP_CONTROL_OWNER && !sup->as_child && supervisor_active(sup))
		supervisor_ownerless(sup);
	if (controls & SUP_CONTROL_KILL)
		supervisor_feed_type(sup, SUP_IN_KILL);
	if (controls & SUP_CONTROL_RELEASE)
		supervisor_release(sup);
	if (controls & SUP_CONTROL_TIMER) {
		sup->timer_due = U64_MAX;
		if (ktime_get_ns() >= sup_hold_deadline(sup))
			supervisor_feed_stop(sup, SUP_SHUTDOWN);
		sup_start_handle_timer(sup, ktime_get_ns());
		supervisor_feed_type(sup, SUP_IN_TIMER);
	}
	if (controls & SUP_CONTROL_REPOST)
		sup_start_repost(sup);
	if (controls & SUP_CONTROL_DISCARD)
		sup->unwanted = true;
}

static void supervisor_handle(struct sup_supervisor *sup, struct sup_inbox_msg *msg)
{
	switch (msg->kind) {
	case SUP_INBOX_EXIT:
		sup_child_handle_exit(container_of(msg, struct sup_child, exit_msg));
		break;
	case SUP_INBOX_REPORT:
		sup_start_handle_report(sup);
		break;
	case SUP_INBOX_READER:
		sup_start_handle_reader(sup);
		break;
	case SUP_INBOX_UP:
		supervisor_hear_child(container_of(msg, struct sup_supervisor, up_msg),
				      msg->kind);
		break;
	case SUP_INBOX_DOWN:
		supervisor_hear_child(container_of(msg, struct sup_supervisor, down_msg),
				      msg->kind);
		break;
	case SUP_INBOX_CALL:
		sup_call_begin(msg);
		break;
	case SUP_INBOX_CONTROL:
		supervisor_control(sup);
		break;
	}
}

/* From now on it looks at whatever comes. */
static void inbox_awake(struct sup_supervisor *sup)
{
	spin_lock_irq(&sup->inbox_lock);
	sup->awaited = 0;
	sup->gathering = false;
	spin_unlock_irq(&sup->inbox_lock);
}

/* The work item is done, unless something came meanwhile. */
static bool inbox_sleep(struct sup_supervisor *sup, bool idle)
{
	struct sup_supervisor *root = NULL;
	bool asleep;

	spin_lock_irq(&sup->inbox_lock);
	asleep = list_empty(&sup->inbox);
	if (asleep) {
		sup->awake = false;
		sup->awaited = sup_engine_awaited(sup);
		if (idle) {
			root = sup->busy_root;
			sup->busy_root = NULL;
		}
	}
	spin_unlock_irq(&sup->inbox_lock);
	if (root && atomic_dec_and_test(&root->busy))
		wake_up_all(&root->idle);
	return asleep;
}

/*
 * One run of the actor, which is awake: about @budget messages and actions. With
 * @signals it may signal processes. What is left over is carried out before
 * another message is handled: that may be the end of whom it is about.
 */
static void supervisor_run(struct sup_supervisor *sup, int budget, bool signals)
{
	struct sup_inbox_msg *msg;
	bool asleep, busy, unkept;

	mutex_lock(&sup->lock);
	inbox_awake(sup);
	do {
		msg = sup->left_over ? NULL : inbox_take(sup, signals);
		if (msg)
			supervisor_handle(sup, msg);
		busy = supervisor_act(sup, &budget, signals);
	} while (--budget > 0 && (msg || busy));
	if (sup->unwanted && !supervisor_active(sup)) {
		supervisor_clear(sup);
		/* It may never have started. */
		sup_object_down(&sup->object, SUPERVISOR_EXIT_NORMAL);
	}
	unkept = sup_hold_unkeep(sup);
	sup_arm_timer(sup);
	asleep = !busy &&
		 inbox_sleep(sup, !supervisor_active(sup) || sup_engine_idle(sup));
	mutex_unlock(&sup->lock);

	if (unkept)
		sup_hold_forget(sup);
	if (asleep)
		sup_object_put(&sup->object);
	else
		queue_delayed_work(sup_workqueue, &sup->work, 0);
}

static void supervisor_work(struct work_struct *work)
{
	struct sup_supervisor *sup = container_of(to_delayed_work(work), struct sup_supervisor,
						  work);

	supervisor_run(sup, SUPERVISOR_BATCH, true);
}

/**
 * sup_run - let the actor run in the calling process, without a switch to another
 * @sup: the supervisor; sup_inbox_put() returned true
 *
 * For a few steps: what is left after them is the work item's. So is whatever
 * signals a process: to whom it is sent, a signal is from the process that sends
 * it and from that one's pid namespace, whose decision it was not.
 *
 * Context: may sleep; no lock is held.
 */
void sup_run(struct sup_supervisor *sup)
{
	supervisor_run(sup, SUPERVISOR_STEPS, false);
}

/*
 * Life.
 */

static void supervisor_unused(struct sup_object *object)
{
	struct sup_supervisor *sup = sup_object_supervisor(object);
	bool child;

	mutex_lock(&sup_tree_lock);
	child = sup->as_child;
	mutex_unlock(&sup_tree_lock);
	if (child)
		return;
	mutex_lock(&sup->lock);
	sup->unwanted = true;
	if (supervisor_active(sup) ||
	    (sup->state == SUPERVISOR_STATE_NEW && READ_ONCE(sup->claimed))) {
		sup_control(sup, SUP_CONTROL_OWNER);
	} else {
		supervisor_clear(sup);
		/* It may never have started. */
		sup_object_down(&sup->object, SUPERVISOR_EXIT_NORMAL);
	}
	mutex_unlock(&sup->lock);
}

static void supervisor_free(struct sup_object *object)
{
	struct sup_supervisor *sup = sup_object_supervisor(object);
	struct sup_account *account = object->account;

	sup_event_unsubscribe_all(sup);
	sup_unwatch(&sup->owner);
	sup_child_put(sup->as_child);
	sup_mailbox_put(sup->mailbox);
	put_cred(sup->cred);
	put_pid_ns(sup->pid_ns);
	put_pid(sup->rival);
	sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES,
			     array_size(sup->window_slots, sizeof(*sup->window)));
	sup_account_uncharge(account, SUPERVISOR_LIMIT_SUPERVISORS, 1);
	kvfree(sup->window);
	sup_spec_put(sup->last_spec);
	sup_spec_put(sup->template);
	kvfree(sup->table);
	kvfree(sup->buckets);
	kfree(sup->failed_id);
	kfree(sup);
}

static const struct sup_object_ops supervisor_ops = {
	.kind = SUP_KIND_SUPERVISOR,
	.file_name = "[supervisor]",
	.fops = &sup_supervisor_fops,
	.unused = supervisor_unused,
	.free = supervisor_free,
	.owner_pid = sup_owner_pid,
	.less_reachable = sup_hold_look,
};

/* What the deciders check has its place in an order that is theirs. */
static int create_check(struct supervisor_create *cmd, struct sup_dynamic_flags *flags)
{
	bool dynamic = cmd->kind != SUPERVISOR_ORDERED;

	*flags = (struct sup_dynamic_flags){
		.common = {
			.strategy = cmd->strategy,
			.intensity = cmd->intensity,
			.period = cmd->period,
			.auto_shutdown = cmd->auto_shutdown,
			.unkillable_ms = cmd->unkillable_ms ?: 5000,
		},
		.max_children = cmd->max_children,
		.simple = cmd->kind == SUPERVISOR_SIMPLE,
	};
	if (cmd->kind > SUPERVISOR_SIMPLE || cmd->spawn > SUPERVISOR_SPAWN_SELF)
		return -EOPNOTSUPP;
	cmd->out_invalid = dynamic ? sup_dynamic_flags_validate(flags) :
				     sup_flags_validate(&flags->common);
	if (cmd->out_invalid)
		return -EINVAL;
	if (!dynamic && (cmd->spawn || cmd->max_children || cmd->child_spec))
		return -EINVAL;
	/* Who comes without a spec must have one. */
	if ((cmd->kind == SUPERVISOR_SIMPLE || cmd->spawn == SUPERVISOR_SPAWN_SELF) &&
	    !cmd->child_spec)
		return -EINVAL;
	return sup_owner_check(cmd);
}

/* The template, if there is one. */
static int create_template(struct sup_supervisor *sup, struct supervisor_create *cmd,
			   const struct sup_dynamic_flags *flags)
{
	struct supervisor_child_spec from;
	struct sup_spec *spec;
	u32 max;
	int ret;

	if (!cmd->child_spec)
		return 0;
	ret = sup_call_spec_fetch(cmd->child_spec, &from, &cmd->out_invalid, &max);
	if (ret)
		return ret;
	if (from.supervisor_fd != -1)
		return -EINVAL;
	spec = sup_spec_alloc(sup->object.account, &from, &cmd->out_limit, &max);
	if (IS_ERR(spec))
		return PTR_ERR(spec);
	sup->template = spec;
	cmd->out_invalid = sup_name_valid(spec->name.bytes, spec->name.len) ?
			   sup_dynamic_spec_validate(flags, &spec->decides) :
			   SUPERVISOR_INVALID_ID;
	return cmd->out_invalid ? -EINVAL : 0;
}

/* Children are found by their ids, or by their numbers. */
static int supervisor_alloc_index(struct sup_supervisor *sup)
{
	if (sup_is_dynamic(sup)) {
		sup->nr_lists = SUPERVISOR_BUCKETS;
		sup->table = kvcalloc(sup->nr_lists, sizeof(*sup->table), GFP_KERNEL_ACCOUNT);
		return sup->table ? 0 : -ENOMEM;
	}
	sup->nr_buckets = SUPERVISOR_BUCKETS;
	sup->buckets = kvcalloc(sup->nr_buckets, sizeof(*sup->buckets), GFP_KERNEL_ACCOUNT);
	return sup->buckets ? 0 : -ENOMEM;
}

/* Memory for a supervisor, charged; its members that need none are set. */
static struct sup_supervisor *supervisor_alloc(u32 kind, const struct sup_flags *flags, u32 *limit)
{
	size_t slots = sup_window_slots(flags->intensity, flags->period);
	struct sup_account *account;
	struct sup_supervisor *sup;
	int ret = -ENOMEM;

	account = sup_account_get_current();
	if (!account)
		return ERR_PTR(-ENOMEM);
	*limit = SUPERVISOR_LIMIT_SUPERVISORS;
	if (sup_account_charge(account, SUPERVISOR_LIMIT_SUPERVISORS, 1)) {
		ret = -EDQUOT;
		goto err_account;
	}
	*limit = SUPERVISOR_LIMIT_BYTES;
	if (sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, slots * sizeof(*sup->window))) {
		ret = -EDQUOT;
		goto err_supervisors;
	}
	*limit = SUPERVISOR_LIMIT_NONE;

	sup = kzalloc(sizeof(*sup), GFP_KERNEL_ACCOUNT);
	if (!sup)
		goto err_bytes;
	sup->window = kvcalloc(slots, sizeof(*sup->window), GFP_KERNEL_ACCOUNT);
	sup->window_slots = slots;
	sup->kind = kind;
	sup->failed_id = kzalloc(SUP_NAME_MAX + 1, GFP_KERNEL_ACCOUNT);
	if (!sup->window || !sup->failed_id || supervisor_alloc_index(sup))
		goto err_sup;
	sup_object_init(&sup->object, &supervisor_ops, account);
	return sup;

err_sup:
	kvfree(sup->window);
	kfree(sup->failed_id);
	kfree(sup);
err_bytes:
	sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, slots * sizeof(*sup->window));
err_supervisors:
	sup_account_uncharge(account, SUPERVISOR_LIMIT_SUPERVISORS, 1);
err_account:
	sup_account_put(account);
	return ERR_PTR(ret);
}

static void supervisor_init(struct sup_supervisor *sup, const struct supervisor_create *cmd,
			    const struct sup_dynamic_flags *flags)
{
	mutex_init(&sup->lock);
	if (sup_is_dynamic(sup))
		sup_dynamic_init(&sup->dynamic, flags, sup->window, sup->window_slots,
				 get_random_u64());
	else
		sup_policy_init(&sup->policy, &flags->common, sup->window, sup->window_slots,
				sup->buckets, sup->nr_buckets, get_random_u64());
	sup->spawn = cmd->spawn;
	sup->state = SUPERVISOR_STATE_NEW;
	sup->down = SUPERVISOR_DOWN_NOT_YET;
	sup->since_ns = ktime_get_ns();
	sup->timer_due = U64_MAX;
	sup_start_init(sup);
	mutex_init(&sup->resizing);
	INIT_LIST_HEAD(&sup->kept);
	INIT_LIST_HEAD(&sup->parked);
	sup->cred = get_current_cred();
	sup->pid_ns = get_pid_ns(task_active_pid_ns(current));
	sup->log_crashes = cmd->flags & SUPERVISOR_CREATE_F_LOG_CRASHES;
	sup->spawner_timeout_ms = cmd->spawner_timeout_ms;
	sup_owner_init(sup, cmd);
	sup->root = sup;
	spin_lock_init(&sup->inbox_lock);
	INIT_LIST_HEAD(&sup->inbox);
	sup_inbox_msg_init(&sup->control_msg, SUP_INBOX_CONTROL);
	sup_inbox_msg_init(&sup->up_msg, SUP_INBOX_UP);
	sup_inbox_msg_init(&sup->down_msg, SUP_INBOX_DOWN);
	INIT_DELAYED_WORK(&sup->work, supervisor_work);
	INIT_DELAYED_WORK(&sup->timer, supervisor_timer);
	init_waitqueue_head(&sup->changed);
	init_waitqueue_head(&sup->idle);
	spin_lock_init(&sup->events_lock);
	INIT_LIST_HEAD(&sup->subscriptions);
}

/* What of a creation can fail once the object exists. */
static int create_finish(struct sup_ucmd *ucmd, struct sup_supervisor *sup,
			 const struct sup_dynamic_flags *flags)
{
	struct supervisor_create *cmd = ucmd->cmd;
	struct sup_mailbox *mailbox;
	struct sup_process *owner;
	int ret;

	ret = create_template(sup, cmd, flags);
	if (ret)
		return ret;
	if (cmd->mailbox_fd != -1) {
		mailbox = sup_mailbox_fdget(cmd->mailbox_fd);
		if (IS_ERR(mailbox))
			return PTR_ERR(mailbox);
		sup->mailbox = mailbox;
		/* Who adopts it becomes the mailbox's owner, too. */
		if (sup->owner_death == SUPERVISOR_OWNER_DEATH_HOLD && !mailbox->survive)
			return -EINVAL;
	}
	owner = sup_process_get_current();
	if (!owner)
		return -ENOMEM;
	sup_owner_set(sup, owner);
	ret = sup_object_file(ucmd, &sup->object, O_RDWR);
	if (ret || !cmd->name_len)
		return ret;
	/* Last: who opens it by name may keep it, whatever becomes of this file. */
	ret = sup_object_set_name(&sup->object, cmd->name, cmd->name_len, cmd->mode);
	if (ret == -EDQUOT)
		cmd->out_limit = SUPERVISOR_LIMIT_NAMES;
	return ret;
}

/**
 * sup_supervisor_create - ioctl(SUPERVISOR_CREATE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_supervisor_create(struct sup_ucmd *ucmd)
{
	struct supervisor_create *cmd = ucmd->cmd;
	struct sup_supervisor *sup;
	struct sup_dynamic_flags flags;
	int ret;

	cmd->out_fd = -1;
	cmd->out_invalid = SUPERVISOR_VALID;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_id = 0;
	ret = create_check(cmd, &flags);
	if (ret)
		return ret;
	sup = supervisor_alloc(cmd->kind, &flags.common, &cmd->out_limit);
	if (IS_ERR(sup))
		return PTR_ERR(sup);
	supervisor_init(sup, cmd, &flags);

	atomic_set(&sup->object.files, 1);
	ret = create_finish(ucmd, sup, &flags);
	if (!ret) {
		cmd->out_fd = ucmd->new_fd;
		cmd->out_id = sup->object.id;
	}
	sup_object_put(&sup->object);
	return ret;
}

/* The child that a path means; dynamic supervisors have numbers for ids. */
static struct sup_child *child_by_id(struct sup_supervisor *sup, const char *id, size_t len)
{
	struct sup_policy_child *child;
	struct sup_name name;
	u64 number;

	lockdep_assert_held(&sup->lock);
	if (sup_is_dynamic(sup))
		return kstrtou64(id, 10, &number) ? NULL : sup_member_find(sup, number);
	name = sup_name_make(id, len);
	child = sup_policy_find(&sup->policy, &name);
	return child ? sup_policy_child(child) : NULL;
}

/* The supervisor that is @sup's child of that name; a reference. */
static struct sup_supervisor *sub_get(struct sup_supervisor *sup, const char *id, size_t len)
{
	struct sup_supervisor *sub = ERR_PTR(-ENOENT);
	struct sup_child *child;

	if (!sup_name_valid(id, len))
		return ERR_PTR(len > SUP_NAME_MAX ? -ENAMETOOLONG : -EINVAL);
	mutex_lock(&sup->lock);
	child = child_by_id(sup, id, len);
	if (child) {
		sub = sup_child_sub(child);
		if (sub)
			sup_object_get(&sub->object);
		else
			sub = ERR_PTR(-EINVAL);
	}
	mutex_unlock(&sup->lock);
	return sub;
}

/* Follow a path of ids; a reference to where it ends. */
static struct sup_supervisor *path_walk(struct sup_supervisor *sup, char *path)
{
	struct sup_supervisor *sub;
	char *id;

	sup_object_get(&sup->object);
	while ((id = strsep(&path, "/"))) {
		sub = sub_get(sup, id, strlen(id));
		sup_object_put(&sup->object);
		if (IS_ERR(sub))
			return sub;
		sup = sub;
	}
	return sup;
}

/**
 * sup_supervisor_open_child - ioctl(SUPERVISOR_OPEN_CHILD)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_supervisor_open_child(struct sup_ucmd *ucmd)
{
	struct supervisor_open_child *cmd = ucmd->cmd;
	struct sup_supervisor *sup;
	int access;
	char *path;

	cmd->out_fd = -1;
	cmd->out_id = 0;
	access = sup_access_flags(cmd->access);
	if (access < 0)
		return access;
	if (((access == O_RDONLY || access == O_RDWR) && !(ucmd->file->f_mode & FMODE_READ)) ||
	    ((access == O_WRONLY || access == O_RDWR) && !(ucmd->file->f_mode & FMODE_WRITE)))
		return -EACCES;
	if (!cmd->path_len)
		return -EINVAL;
	if (cmd->path_len > SUP_PATH_MAX)
		return -ENAMETOOLONG;
	path = memdup_user_nul(u64_to_user_ptr(cmd->path), cmd->path_len);
	if (IS_ERR(path))
		return PTR_ERR(path);
	sup = strlen(path) == cmd->path_len ?
	      path_walk(sup_object_supervisor(ucmd->object), path) : ERR_PTR(-EINVAL);
	kfree(path);
	if (IS_ERR(sup))
		return PTR_ERR(sup);

	atomic_inc(&sup->object.files);
	return sup_object_reopen(ucmd, &sup->object, access, &cmd->out_fd, &cmd->out_id);
}

static int supervisor_release_file(struct inode *inode, struct file *file)
{
	sup_call_forget_parked(sup_object_supervisor(sup_file_object(file)), file);
	return sup_object_release(inode, file);
}

static __poll_t supervisor_poll(struct file *file, poll_table *table)
{
	struct sup_supervisor *sup = sup_object_supervisor(sup_file_object(file));

	poll_wait(file, &sup->changed, table);
	return READ_ONCE(sup->state) == SUPERVISOR_STATE_DOWN ? EPOLLHUP : 0;
}

const struct file_operations sup_supervisor_fops = {
	.owner = THIS_MODULE,
	.release = supervisor_release_file,
	.poll = supervisor_poll,
	.unlocked_ioctl = sup_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = sup_status_show_fdinfo,
	.llseek = noop_llseek,
};
