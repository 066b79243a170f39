// SPDX-License-Identifier: GPL-2.0
/*
 * monitor - one DOWN in a mailbox when a process, a mailbox or a supervisor ends,
 * or at once when it has ended already.
 *
 * The DOWN is part of the monitor, so it needs no memory when it comes. A monitor
 * is ACTIVE until the death or SUPERVISOR_DEMONITOR, whichever takes the lock of
 * its mailbox first; then it is FIRED until its DOWN was read or flushed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "down.h"
#include "mailbox.h"
#include "process.h"
#include "ref.h"

static struct kmem_cache *sup_monitor_cache;

/**
 * struct monitor - a monitor
 * @ref: the base
 * @down: its message
 * @follower: on the process that is monitored
 * @object: const, referenced: the mailbox or supervisor that is monitored; or NULL
 * @watch: on @object
 *
 * Lifetime: as struct sup_ref. What is monitored is let go with the last
 *	reference.
 */
struct monitor {
	struct sup_ref ref;
	struct sup_down down;
	struct sup_follower follower;
	struct sup_object *object;
	struct sup_object_watch watch;
};

static struct monitor *ref_monitor(struct sup_ref *ref)
{
	return container_of(ref, struct monitor, ref);
}

static struct monitor *post_monitor(struct sup_post *post)
{
	return container_of(post, struct monitor, down.post);
}

static bool alias_ends_with_monitor(u8 alias)
{
	return alias == SUPERVISOR_ALIAS_DEMONITOR || alias == SUPERVISOR_ALIAS_REPLY_DEMONITOR;
}

/*
 * It is dead; told once at most, for @exit or, when there is none, for @reason.
 * The mailbox is there: who is ACTIVE is its member, and keeps it.
 */
static void monitor_fire(struct monitor *monitor, const struct sup_exit *exit,
			 const struct sup_identity *identity, u32 reason)
{
	struct sup_mailbox *mailbox = monitor->ref.mailbox;
	bool active;

	spin_lock(&mailbox->lock);
	active = monitor->ref.monitor == SUP_MONITOR_ACTIVE;
	if (active) {
		if (exit)
			sup_down_process(&monitor->down, exit, identity);
		else
			sup_down_noproc(&monitor->down, reason);
		monitor->ref.monitor = SUP_MONITOR_FIRED;
		monitor->down.post.ref = monitor->ref.id;
		if (alias_ends_with_monitor(monitor->ref.alias))
			sup_alias_off_locked(&monitor->ref);
		sup_mailbox_post_locked(mailbox, &monitor->down.post);
	}
	spin_unlock(&mailbox->lock);
	if (!active)
		return;
	sup_mailbox_wake_readers(mailbox, false);
	if (monitor->ref.was_alias)
		sup_mailbox_wake_senders(mailbox);
}

/*
 * What is monitored.
 */

static bool monitor_follower_get(struct sup_follower *follower)
{
	struct monitor *monitor = container_of(follower, struct monitor, follower);

	return refcount_inc_not_zero(&monitor->ref.refs);
}

static void monitor_process_died(struct sup_follower *follower, const struct sup_exit *exit,
				 const struct sup_identity *identity)
{
	struct monitor *monitor = container_of(follower, struct monitor, follower);

	monitor_fire(monitor, exit, identity, exit->reason);
	sup_ref_put(&monitor->ref);
}

static const struct sup_follower_ops monitor_follower_ops = {
	.get = monitor_follower_get,
	.died = monitor_process_died,
};

static void monitor_object_down(struct sup_object_watch *watch, u32 reason)
{
	monitor_fire(container_of(watch, struct monitor, watch), NULL, NULL, reason);
}

/*
 * The message.
 */

static void monitor_post_get(struct sup_post *post)
{
	refcount_inc(&post_monitor(post)->ref.refs);
}

static void monitor_post_put(struct sup_post *post)
{
	sup_ref_put(&post_monitor(post)->ref);
}

/* Its DOWN was read, or never can be. */
static void monitor_over(struct monitor *monitor)
{
	struct sup_mailbox *mailbox = monitor->ref.mailbox;
	bool gone;

	spin_lock(&mailbox->lock);
	monitor->ref.monitor = SUP_MONITOR_NONE;
	gone = sup_ref_settle_locked(&monitor->ref);
	spin_unlock(&mailbox->lock);
	if (gone)
		sup_ref_put(&monitor->ref);
}

static void monitor_post_discard(struct sup_post *post)
{
	monitor_over(post_monitor(post));
}

/* Unless it has been flushed meanwhile. */
static void monitor_restore(struct monitor *monitor)
{
	struct sup_mailbox *mailbox = monitor->ref.mailbox;

	spin_lock(&mailbox->lock);
	if (monitor->ref.monitor == SUP_MONITOR_FIRED && !mailbox->closed)
		sup_mailbox_restore_locked(mailbox, &monitor->down.post);
	spin_unlock(&mailbox->lock);
}

static ssize_t monitor_post_deliver(struct sup_post *post, void __user *to, size_t room,
				    size_t *needed)
{
	struct monitor *monitor = post_monitor(post);
	ssize_t ret = sup_down_deliver(&monitor->down, to, room, needed);

	if (ret < 0)
		monitor_restore(monitor);
	else
		monitor_over(monitor);
	return ret;
}

static const struct sup_post_ops monitor_post_ops = {
	.get = monitor_post_get,
	.deliver = monitor_post_deliver,
	.put = monitor_post_put,
	.discard = monitor_post_discard,
};

/*
 * The ref.
 */

static void monitor_drop(struct sup_ref *ref)
{
	sup_mailbox_unpost_locked(ref->mailbox, &ref_monitor(ref)->down.post);
}

static void monitor_release(struct sup_ref *ref)
{
	struct monitor *monitor = ref_monitor(ref);

	sup_unfollow(&monitor->follower);
	if (monitor->object) {
		sup_object_watch_remove(monitor->object, &monitor->watch);
		sup_object_put(monitor->object);
	}
	sup_down_destroy(&monitor->down);
}

static void monitor_free(struct sup_ref *ref)
{
	kmem_cache_free(sup_monitor_cache, ref_monitor(ref));
}

static const struct sup_ref_ops monitor_ref_ops = {
	.drop = monitor_drop,
	.release = monitor_release,
	.free = monitor_free,
};

static struct monitor *monitor_alloc(struct sup_mailbox *mailbox, u32 *limit)
{
	struct monitor *monitor = kmem_cache_zalloc(sup_monitor_cache, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!monitor)
		return ERR_PTR(-ENOMEM);
	ret = sup_ref_init(&monitor->ref, &monitor_ref_ops, mailbox, limit);
	if (ret) {
		kmem_cache_free(sup_monitor_cache, monitor);
		return ERR_PTR(ret);
	}
	sup_down_init(&monitor->down, &monitor_post_ops, SUPERVISOR_MSG_DOWN);
	sup_follower_init(&monitor->follower, &monitor_follower_ops);
	INIT_LIST_HEAD(&monitor->watch.node);
	monitor->watch.down = monitor_object_down;
	return monitor;
}

/* Whom the caller means; it may be dead or not there, which is no error. */
static int monitor_set_process(struct monitor *monitor, const struct supervisor_monitor *cmd,
			       struct sup_process **process)
{
	struct pid *pid;
	int ret = sup_pid_find(cmd->pid, cmd->fd, &pid);

	*process = NULL;
	if (ret)
		return ret;
	monitor->down.what = SUPERVISOR_DOWN_OF_PROCESS;
	monitor->down.pid = pid;
	if (!pid)
		return 0;
	if (kill_pid(pid, 0, 0) == -EPERM)
		return -EPERM;
	*process = sup_process_get_more(pid);
	return *process ? 0 : -ENOMEM;
}

static int monitor_set_object(struct monitor *monitor, int fd)
{
	struct file *file = sup_object_fget_any(fd);
	struct sup_object *object;

	if (IS_ERR(file))
		return PTR_ERR(file);
	object = sup_file_object(file);
	sup_object_get(object);
	fput(file);
	monitor->object = object;
	if (object->ops->kind == SUP_KIND_SUPERVISOR) {
		monitor->down.what = SUPERVISOR_DOWN_OF_SUPERVISOR;
		monitor->down.supervisor = object->id;
	} else {
		monitor->down.what = SUPERVISOR_DOWN_OF_MAILBOX;
	}
	return 0;
}

/* Watch it from now on; false when it is dead. Consumes the reference. */
static bool monitor_begin(struct monitor *monitor, struct sup_process *process)
{
	if (monitor->object)
		return sup_object_watch_add(monitor->object, &monitor->watch);
	if (process && sup_follow(&monitor->follower, process))
		return true;
	sup_process_put(process);
	return false;
}

static int monitor_check(const struct supervisor_monitor *cmd)
{
	if (cmd->alias > SUPERVISOR_ALIAS_REPLY_DEMONITOR || cmd->alias == SUPERVISOR_ALIAS_REPLY)
		return -EOPNOTSUPP;
	return cmd->pid < 0 || (!cmd->pid && cmd->fd == -1) ? -EINVAL : 0;
}

/**
 * sup_monitor_create - ioctl(SUPERVISOR_MONITOR)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_monitor_create(struct sup_ucmd *ucmd)
{
	struct supervisor_monitor *cmd = ucmd->cmd;
	struct sup_process *process = NULL;
	struct monitor *monitor;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_ref = 0;
	ret = monitor_check(cmd);
	if (ret)
		return ret;
	monitor = monitor_alloc(sup_object_mailbox(ucmd->object), &cmd->out_limit);
	if (IS_ERR(monitor))
		return PTR_ERR(monitor);
	ret = cmd->pid ? monitor_set_process(monitor, cmd, &process) :
			 monitor_set_object(monitor, cmd->fd);
	if (!ret) {
		monitor->ref.monitor = SUP_MONITOR_ACTIVE;
		monitor->ref.alias = cmd->alias;
		sup_ref_add(&monitor->ref);
		cmd->out_ref = monitor->ref.id;
		/* Who guesses its number may have ended it already: it is ours still. */
		if (!monitor_begin(monitor, process))
			monitor_fire(monitor, NULL, NULL, SUPERVISOR_EXIT_NOPROC);
	}
	sup_ref_put(&monitor->ref);
	return ret;
}

static bool monitor_end_locked(struct sup_ref *ref, u32 flags)
{
	bool flush = flags & SUPERVISOR_REF_F_FLUSH;
	bool active = ref->monitor == SUP_MONITOR_ACTIVE;

	lockdep_assert_held(&ref->mailbox->lock);
	if (active && alias_ends_with_monitor(ref->alias))
		sup_alias_off_locked(ref);
	if (ref->monitor == SUP_MONITOR_FIRED && flush)
		ref->ops->drop(ref);
	if (active || flush)
		ref->monitor = SUP_MONITOR_NONE;
	return active;
}

/**
 * sup_monitor_demonitor - ioctl(SUPERVISOR_DEMONITOR)
 * @ucmd: the ioctl
 *
 * Context: may sleep, but does not wait.
 * Return: as the UAPI header says.
 */
int sup_monitor_demonitor(struct sup_ucmd *ucmd)
{
	return sup_ref_end(ucmd, monitor_end_locked);
}

/**
 * sup_monitor_init - set up what all monitors share
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init sup_monitor_init(void)
{
	sup_monitor_cache = KMEM_CACHE(monitor, SLAB_ACCOUNT);
	return sup_monitor_cache ? 0 : -ENOMEM;
}

/**
 * sup_monitor_exit - tear down what all monitors share
 *
 * Context: module exit; there are no monitors any more.
 */
void sup_monitor_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(sup_monitor_cache);
}
