// SPDX-License-Identifier: GPL-2.0
/*
 * event - a tree's changes of state, told to the mailboxes that asked.
 *
 * Events never make a supervisor wait: a mailbox without room counts them. All
 * of a tree's events go through the root's events_lock, so each mailbox has them
 * in one order, in which an effect never comes before its cause.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/slab.h>

#include "supervisor.h"

/**
 * struct subscription - a mailbox that gets a root's events
 * @node: E: in sup_supervisor.subscriptions
 * @listener: of @mailbox, which ends the subscription when it closes
 * @root: subscriptions_lock: NULL when the root is gone
 * @mailbox: const, referenced
 * @account: const, referenced: of who asked
 * @crashes: const: it gets crash reports too
 *
 * Lifetime: until the mailbox closes or the root is freed. Whoever takes
 *	@listener out of the mailbox frees it.
 */
struct subscription {
	struct list_head node;
	struct sup_mailbox_listener listener;
	struct sup_supervisor *root;
	struct sup_mailbox *mailbox;
	struct sup_account *account;
	bool crashes;
};

/* The end of a subscription by its mailbox against that by its root. */
static DEFINE_MUTEX(subscriptions_lock);

static void subscription_free(struct subscription *subscription)
{
	sup_account_uncharge(subscription->account, SUPERVISOR_LIMIT_CALLS, 1);
	sup_account_put(subscription->account);
	sup_mailbox_put(subscription->mailbox);
	kfree(subscription);
}

static void subscription_unlink_locked(struct subscription *subscription)
{
	lockdep_assert_held(&subscriptions_lock);
	if (!subscription->root)
		return;
	spin_lock(&subscription->root->events_lock);
	list_del(&subscription->node);
	spin_unlock(&subscription->root->events_lock);
	subscription->root = NULL;
}

static void subscription_mailbox_closed(struct sup_mailbox_listener *listener)
{
	struct subscription *subscription = container_of(listener, struct subscription, listener);

	mutex_lock(&subscriptions_lock);
	subscription_unlink_locked(subscription);
	mutex_unlock(&subscriptions_lock);
	subscription_free(subscription);
}

/**
 * sup_event_unsubscribe_all - drop every subscription of a root
 * @root: it is going away
 *
 * Context: may sleep.
 */
void sup_event_unsubscribe_all(struct sup_supervisor *root)
{
	struct subscription *subscription, *next;

	mutex_lock(&subscriptions_lock);
	list_for_each_entry_safe(subscription, next, &root->subscriptions, node) {
		bool listed = sup_mailbox_unlisten(subscription->mailbox,
						   &subscription->listener);

		subscription_unlink_locked(subscription);
		if (listed)
			subscription_free(subscription);
	}
	mutex_unlock(&subscriptions_lock);
}

static struct subscription *subscription_alloc(s32 mailbox_fd, u32 *limit)
{
	struct subscription *subscription;
	int ret = -ENOMEM;

	subscription = kzalloc(sizeof(*subscription), GFP_KERNEL_ACCOUNT);
	if (!subscription)
		return ERR_PTR(-ENOMEM);
	subscription->listener.closed = subscription_mailbox_closed;
	subscription->account = sup_account_get_current();
	if (!subscription->account)
		goto err_free;
	ret = sup_account_charge(subscription->account, SUPERVISOR_LIMIT_CALLS, 1);
	if (ret) {
		*limit = SUPERVISOR_LIMIT_CALLS;
		goto err_account;
	}
	subscription->mailbox = sup_mailbox_fdget(mailbox_fd);
	if (!IS_ERR(subscription->mailbox))
		return subscription;

	ret = PTR_ERR(subscription->mailbox);
	sup_account_uncharge(subscription->account, SUPERVISOR_LIMIT_CALLS, 1);
err_account:
	sup_account_put(subscription->account);
err_free:
	kfree(subscription);
	return ERR_PTR(ret);
}

static int subscription_add(struct sup_supervisor *root, struct subscription *new)
{
	struct subscription *subscription;
	u32 nr = 0;

	lockdep_assert_held(&root->lock);
	lockdep_assert_held(&subscriptions_lock);
	if (root->state == SUPERVISOR_STATE_DOWN)
		return -ESHUTDOWN;
	list_for_each_entry(subscription, &root->subscriptions, node) {
		if (subscription->mailbox == new->mailbox)
			return -EEXIST;
		nr++;
	}
	if (nr >= SUP_SUBSCRIPTIONS_MAX)
		return -ENOSPC;
	if (!sup_mailbox_listen(new->mailbox, &new->listener))
		return -EBADF;
	new->root = root;
	spin_lock(&root->events_lock);
	list_add_tail(&new->node, &root->subscriptions);
	spin_unlock(&root->events_lock);
	return 0;
}

/**
 * sup_event_subscribe - ioctl(SUPERVISOR_SUBSCRIBE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_event_subscribe(struct sup_ucmd *ucmd)
{
	struct supervisor_subscribe *cmd = ucmd->cmd;
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct subscription *new;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	if (READ_ONCE(sup->as_child))
		return -EINVAL;
	new = subscription_alloc(cmd->mailbox_fd, &cmd->out_limit);
	if (IS_ERR(new))
		return PTR_ERR(new);
	new->crashes = cmd->flags & SUPERVISOR_SUBSCRIBE_F_CRASHES;
	/* Not between its DOWN and its being down: it would hear of neither. */
	mutex_lock(&sup->lock);
	mutex_lock(&subscriptions_lock);
	ret = subscription_add(sup, new);
	mutex_unlock(&subscriptions_lock);
	mutex_unlock(&sup->lock);
	if (ret == -ENOSPC)
		cmd->out_limit = SUPERVISOR_LIMIT_SUBSCRIPTIONS;
	if (ret)
		subscription_free(new);
	return ret;
}

static void event_who(struct sup_supervisor *sup, struct sup_child *child,
		      struct pid *pid, struct sup_event_who *who)
{
	struct sup_child *at;
	u32 depth = sup_depth(sup);

	who->pid = pid;
	who->callers = child ? child->callers : NULL;
	who->uid = sup->cred->euid;
	who->id = child ? sup_child_name(child) : NULL;
	who->depth = depth;
	for (at = sup->as_child; at && depth; at = at->sup->as_child)
		who->path[--depth] = sup_child_path_name(at);
}

/* @sup: whose event it is. @child: about whom, or NULL. */
static void event_send(struct sup_supervisor *sup, struct sup_child *child, struct pid *pid,
		       struct supervisor_msg_event *event)
{
	struct sup_supervisor *root = sup->root;
	struct subscription *subscription;
	struct sup_event_who who;

	if (list_empty_careful(&root->subscriptions))
		return;
	event->head.supervisor = sup->object.id;
	event->head.time_ns = ktime_get_ns();
	if (child) {
		event->head.flags = sup_child_msg_flags(child);
		event->head.child = child->id;
		event->head.incarnation = child->incarnation;
		event->is_supervisor = child->is_supervisor;
		event->callers = sup_callers_nr(child->callers);
	}
	event_who(sup, child, pid, &who);

	spin_lock(&root->events_lock);
	list_for_each_entry(subscription, &root->subscriptions, node)
		sup_mailbox_event(subscription->mailbox, event, &who);
	spin_unlock(&root->events_lock);
}

/**
 * sup_event_crash_wanted - does anybody follow a tree's crashes
 * @sup: a supervisor of it
 *
 * Context: holds S of @sup.
 * Return: false when a report sent now reaches nobody.
 */
bool sup_event_crash_wanted(struct sup_supervisor *sup)
{
	struct sup_supervisor *root = sup->root;
	struct subscription *subscription;
	bool wanted = false;

	lockdep_assert_held(&sup->lock);
	if (list_empty_careful(&root->subscriptions))
		return false;
	spin_lock(&root->events_lock);
	list_for_each_entry(subscription, &root->subscriptions, node)
		wanted |= subscription->crashes;
	spin_unlock(&root->events_lock);
	return wanted;
}

/**
 * sup_event_crash - send a crash report
 * @child: who crashed
 * @crash: the report but for its uid, its process's number and its callers' entries; or
 *	NULL: there is no memory for it, and it counts as lost
 *
 * Context: holds S of its supervisor.
 */
void sup_event_crash(struct sup_child *child, const struct supervisor_msg_crash *crash)
{
	struct sup_supervisor *sup = child->sup;
	struct subscription *subscription;

	lockdep_assert_held(&sup->lock);
	spin_lock(&sup->root->events_lock);
	list_for_each_entry(subscription, &sup->root->subscriptions, node)
		if (subscription->crashes)
			sup_mailbox_crash(subscription->mailbox, crash, sup->cred->euid,
					  sup_child_pid(child), child->callers);
	spin_unlock(&sup->root->events_lock);
}

/**
 * sup_event_child - tell that something happened to a child
 * @child: the child
 * @event: SUPERVISOR_EVENT_*
 * @error: START_FAILED: a positive errno
 *
 * Context: holds S of its supervisor; may sleep.
 */
void sup_event_child(struct sup_child *child, u32 event, s32 error)
{
	struct supervisor_msg_event msg = { .event = event, .error = error };

	struct pid *pid = child->attached ? sup_child_pid(child) : NULL;

	lockdep_assert_held(&child->sup->lock);
	if (event == SUPERVISOR_EVENT_START_FAILED && child->sup->rival)
		pid = child->sup->rival;
	event_send(child->sup, child, pid, &msg);
}

/**
 * sup_event_exited - tell that a child's process is dead
 * @child: the child
 * @exit: how it ended
 * @reason: what its supervisor makes of it
 *
 * Context: holds S of its supervisor; may sleep.
 */
void sup_event_exited(struct sup_child *child, const struct sup_exit *exit,
		      enum sup_reason reason)
{
	struct supervisor_msg_event msg = {
		.event = SUPERVISOR_EVENT_EXITED,
		.reason = reason,
		.status = exit->status,
		.exit_seq = exit->seq,
		.utime_ns = exit->utime_ns,
		.stime_ns = exit->stime_ns,
		.maxrss_kb = exit->maxrss_kb,
	};

	lockdep_assert_held(&child->sup->lock);
	event_send(child->sup, child, sup_child_pid(child), &msg);
}

/**
 * sup_event_sub_exited - tell that a child that is a supervisor has ended
 * @child: the child
 * @reason: with what
 *
 * Context: holds S of @child's supervisor; may sleep.
 */
void sup_event_sub_exited(struct sup_child *child, enum sup_reason reason)
{
	struct supervisor_msg_event msg = { .event = SUPERVISOR_EVENT_EXITED, .reason = reason };

	lockdep_assert_held(&child->sup->lock);
	event_send(child->sup, child, NULL, &msg);
}

/**
 * sup_event_self - tell that a supervisor is up or down
 * @sup: the supervisor
 * @event: SUPERVISOR_EVENT_UP or _DOWN
 *
 * Context: holds S of @sup; may sleep.
 */
void sup_event_self(struct sup_supervisor *sup, u32 event)
{
	struct supervisor_msg_event msg = { .event = event };
	struct sup_child *child = sup->as_child;
	struct pid *pid = NULL;

	lockdep_assert_held(&sup->lock);
	if (event == SUPERVISOR_EVENT_DOWN) {
		msg.reason = sup->reason;
		msg.down = sup->down;
		msg.error = -sup->down_error;
		if (sup->down == SUPERVISOR_DOWN_INIT_FAILED)
			pid = sup->rival;
	}
	event_send(child ? child->sup : sup, child, pid, &msg);
}

/**
 * sup_path - the path of a supervisor
 * @sup: the supervisor
 * @buf: room for it: %SUP_NAME_MAX + 1 bytes for each supervisor above it, and
 *	one more
 *
 * Ids from below the root, joined by '/' and NUL-terminated; a root's is empty.
 * Context: any.
 * Return: its bytes without the NUL.
 */
size_t sup_path(struct sup_supervisor *sup, char *buf)
{
	struct sup_event_who who;
	size_t len = 0;
	u32 i;

	event_who(sup, NULL, NULL, &who);
	for (i = 0; i < who.depth; i++) {
		if (i)
			buf[len++] = '/';
		memcpy(buf + len, who.path[i]->bytes, who.path[i]->len);
		len += who.path[i]->len;
	}
	buf[len] = '\0';
	return len;
}
