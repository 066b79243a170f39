// SPDX-License-Identifier: GPL-2.0
/*
 * owner - who owns a root, and the root that is held: its owner is gone, and it
 * goes on as if files of it and of its mailbox were open, until somebody adopts
 * it or its time is up.
 *
 * Whether there is an owner is looked at when it matters, not remembered: since
 * the last one died another may have come.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/pid_namespace.h>
#include <linux/user_namespace.h>

#include "supervisor.h"

static void owner_notify(struct sup_watch *watch)
{
	sup_control(container_of(watch, struct sup_supervisor, owner), SUP_CONTROL_OWNER);
}

/**
 * sup_owner_init - prepare a new supervisor, which nobody owns yet
 * @sup: the supervisor
 * @cmd: what it is to be, checked
 *
 * Context: any.
 */
void sup_owner_init(struct sup_supervisor *sup, const struct supervisor_create *cmd)
{
	sup_watch_init(&sup->owner, owner_notify);
	sup->owner_death = cmd->owner_death;
	sup->hold_ms = cmd->hold_ms;
	sup->hold_until_ns = SUP_NOT_HELD;
}

/**
 * sup_owner_check - check what a new supervisor is to do without an owner
 * @cmd: what user space says
 *
 * Who adopts it needs a name to find it by, and a mailbox to read.
 *
 * Context: any.
 * Return: 0, -EOPNOTSUPP, -EINVAL.
 */
int sup_owner_check(const struct supervisor_create *cmd)
{
	if (cmd->owner_death > SUPERVISOR_OWNER_DEATH_HOLD)
		return -EOPNOTSUPP;
	if (cmd->__reserved2)
		return -EINVAL;
	if (cmd->owner_death != SUPERVISOR_OWNER_DEATH_HOLD)
		return cmd->hold_ms ? -EINVAL : 0;
	return cmd->hold_ms && cmd->hold_ms <= SUPERVISOR_HOLD_MS_MAX && cmd->name_len &&
	       cmd->mailbox_fd != -1 ? 0 : -EINVAL;
}

/**
 * sup_owner_set - make a process the owner
 * @sup: the supervisor
 * @process: the process; its reference is consumed
 *
 * Context: holds sup_tree_lock, or nobody else has seen @sup.
 */
void sup_owner_set(struct sup_supervisor *sup, struct sup_process *process)
{
	sup_unwatch(&sup->owner);
	/* The old owner's death, if it has not been acted on, is void. */
	spin_lock_irq(&sup->inbox_lock);
	sup->controls &= ~SUP_CONTROL_OWNER;
	spin_unlock_irq(&sup->inbox_lock);
	sup_watch_add(&sup->owner, process);
}

/**
 * sup_owned_by_current - is the calling process a tree's owner
 * @root: the tree's root
 *
 * Context: may sleep.
 * Return: true if so.
 */
bool sup_owned_by_current(struct sup_supervisor *root)
{
	bool owned;

	mutex_lock(&sup_tree_lock);
	owned = sup_current_is(root->owner.process);
	mutex_unlock(&sup_tree_lock);
	return owned;
}

/**
 * sup_owner_pid - the number of a supervisor's owner
 * @object: the supervisor
 * @ns: in which
 *
 * Context: may sleep.
 * Return: the number; 0 when it has none.
 */
pid_t sup_owner_pid(struct sup_object *object, struct pid_namespace *ns)
{
	struct sup_supervisor *sup = sup_object_supervisor(object);
	pid_t pid = 0;

	mutex_lock(&sup_tree_lock);
	if (sup->owner.process && !READ_ONCE(sup->owner.process->dead))
		pid = pid_nr_ns(sup->owner.process->pid, ns);
	mutex_unlock(&sup_tree_lock);
	return pid;
}

/*
 * Held.
 */

/**
 * sup_hold_keep - a root that is to be held without an owner is about to start
 * @sup: the root, through a file of it
 *
 * Context: holds sup_tree_lock.
 * Return: 0; -ESHUTDOWN when its mailbox has been closed.
 */
int sup_hold_keep(struct sup_supervisor *sup)
{
	lockdep_assert_held(&sup_tree_lock);
	if (sup->owner_death != SUPERVISOR_OWNER_DEATH_HOLD)
		return 0;
	if (!sup_object_reach(&sup->mailbox->object))
		return -ESHUTDOWN;
	sup_object_remember(&sup->object);
	WRITE_ONCE(sup->lasting, true);
	return 0;
}

/**
 * sup_hold_unkeep - is it time to call sup_hold_forget()
 * @sup: the supervisor
 *
 * Context: holds S.
 * Return: true, once, when it is down and was lasting.
 */
bool sup_hold_unkeep(struct sup_supervisor *sup)
{
	bool lasting = sup->lasting && sup->state == SUPERVISOR_STATE_DOWN;

	lockdep_assert_held(&sup->lock);
	if (lasting)
		WRITE_ONCE(sup->lasting, false);
	return lasting;
}

/**
 * sup_hold_forget - from now on only its files keep it, and its mailbox
 * @sup: the supervisor, which the caller keeps
 *
 * Context: may sleep; holds no lock.
 */
void sup_hold_forget(struct sup_supervisor *sup)
{
	sup_object_forget(&sup->mailbox->object);
	sup_object_forget(&sup->object);
}

/**
 * sup_hold_deadline - until when a root is held
 * @sup: the supervisor
 *
 * Context: any, if a moment's delay does not matter; else holds S.
 * Return: CLOCK_MONOTONIC ns; %SUP_NOT_HELD when it is not.
 */
u64 sup_hold_deadline(const struct sup_supervisor *sup)
{
	return READ_ONCE(sup->state) < SUPERVISOR_STATE_STOPPING ?
	       READ_ONCE(sup->hold_until_ns) : SUP_NOT_HELD;
}

/* The file that keeps it is not one through which anybody could reach it. */
static bool hold_has_files(const struct sup_supervisor *sup)
{
	return atomic_read(&sup->object.files) > 1;
}

/* Its owner is dead, or nobody has a file of it, the owner neither. */
static bool hold_ownerless(struct sup_supervisor *sup)
{
	bool dead;

	mutex_lock(&sup_tree_lock);
	dead = !sup->owner.process || READ_ONCE(sup->owner.process->dead);
	mutex_unlock(&sup_tree_lock);
	return dead || !hold_has_files(sup);
}

static void hold_begin(struct sup_supervisor *sup)
{
	lockdep_assert_held(&sup->lock);
	mutex_lock(&sup_tree_lock);
	sup_unwatch(&sup->owner);
	mutex_unlock(&sup_tree_lock);
	WRITE_ONCE(sup->hold_until_ns, ktime_get_ns() + (u64)sup->hold_ms * NSEC_PER_MSEC);
	sup_event_self(sup, SUPERVISOR_EVENT_HELD);
}

/* Somebody owns it again. */
static void hold_end(struct sup_supervisor *sup)
{
	lockdep_assert_held(&sup->lock);
	if (sup_hold_deadline(sup) == SUP_NOT_HELD)
		return;
	WRITE_ONCE(sup->hold_until_ns, SUP_NOT_HELD);
	sup_event_self(sup, SUPERVISOR_EVENT_ADOPTED);
}

/**
 * sup_hold - a root may have lost its owner, or the ways to adopt it
 * @sup: the root
 *
 * Context: holds S; may sleep.
 * Return: false when it is to stop: it is not to be held, or has neither a name nor
 *	a file through which anybody could adopt it.
 */
bool sup_hold(struct sup_supervisor *sup)
{
	lockdep_assert_held(&sup->lock);
	if (!sup->lasting || sup->state >= SUPERVISOR_STATE_STOPPING)
		return false;
	if (!hold_ownerless(sup))
		return true;
	if (!sup_object_named(&sup->object) && !hold_has_files(sup))
		return false;
	if (sup_hold_deadline(sup) == SUP_NOT_HELD)
		hold_begin(sup);
	return true;
}

/**
 * sup_hold_look - one way less leads to a supervisor: was it the last but one
 * @object: the supervisor
 *
 * Context: may sleep; holds no lock.
 */
void sup_hold_look(struct sup_object *object)
{
	struct sup_supervisor *sup = sup_object_supervisor(object);

	if (READ_ONCE(sup->lasting))
		sup_control(sup, SUP_CONTROL_OWNER);
}

/*
 * The ioctls.
 */

static bool own_allowed(const struct sup_supervisor *sup)
{
	return uid_eq(current_euid(), sup->cred->euid) ||
	       ns_capable(sup->cred->user_ns, CAP_KILL);
}

/**
 * sup_supervisor_own - ioctl(SUPERVISOR_OWN)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_supervisor_own(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct sup_process *owner;
	int ret = 0;

	if (!own_allowed(sup))
		return -EPERM;
	owner = sup_process_get_current();
	if (!owner)
		return -ENOMEM;
	mutex_lock(&sup->lock);
	mutex_lock(&sup_tree_lock);
	if (sup->as_child)
		ret = -EINVAL;
	else if (sup->state >= SUPERVISOR_STATE_STOPPING)
		ret = -ESHUTDOWN;
	if (!ret)
		sup_owner_set(sup, owner);
	mutex_unlock(&sup_tree_lock);
	if (!ret)
		hold_end(sup);
	mutex_unlock(&sup->lock);
	if (ret)
		sup_process_put(owner);
	return ret;
}

/*
 * Whoever may read and write a file of it, in its creator's user namespace; and
 * what the adopter starts must be in reach of the creator's signals.
 */
static bool adopt_allowed(const struct sup_supervisor *sup)
{
	return (current_user_ns() == sup->cred->user_ns ||
		ns_capable(sup->cred->user_ns, CAP_KILL)) &&
	       sup_namespace_within(task_active_pid_ns(current), sup->pid_ns);
}

static int adopt_locked(struct sup_supervisor *sup, struct sup_process *owner)
{
	lockdep_assert_held(&sup->lock);
	if (sup->state >= SUPERVISOR_STATE_STOPPING)
		return -ESHUTDOWN;
	/*
	 * Who has waited for its owner finds it held, though that is still to be done; so
	 * may its start be, for which the owner did not wait.
	 */
	if (!sup_hold(sup) || sup_hold_deadline(sup) == SUP_NOT_HELD)
		return -EBUSY;
	mutex_lock(&sup_tree_lock);
	sup_owner_set(sup, owner);
	mutex_unlock(&sup_tree_lock);
	hold_end(sup);
	return 0;
}

static int adopt(struct sup_supervisor *sup)
{
	struct sup_process *owner;
	int ret;

	owner = sup_process_get_current();
	if (!owner)
		return -ENOMEM;
	mutex_lock(&sup->lock);
	ret = adopt_locked(sup, owner);
	mutex_unlock(&sup->lock);
	if (ret)
		sup_process_put(owner);
	return ret;
}

/* A file of its mailbox, for the caller's struct. */
static int adopt_file(struct sup_ucmd *ucmd, struct sup_mailbox *mailbox)
{
	struct supervisor_adopt *cmd = ucmd->cmd;

	if (!sup_object_reach(&mailbox->object))
		return -ESHUTDOWN;
	return sup_object_reopen(ucmd, &mailbox->object, O_RDWR, &cmd->out_fd, &cmd->out_id);
}

/**
 * sup_supervisor_adopt - ioctl(SUPERVISOR_ADOPT)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_supervisor_adopt(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_adopt *cmd = ucmd->cmd;
	struct sup_mailbox_owner *server;
	int ret;

	cmd->out_fd = -1;
	cmd->out_id = 0;
	if (!adopt_allowed(sup))
		return -EPERM;
	if (READ_ONCE(sup->as_child) || !sup->mailbox)
		return -EINVAL;
	if (sup_current_is_below(sup))
		return -EDEADLK;
	if (!READ_ONCE(sup->lasting))
		return READ_ONCE(sup->state) >= SUPERVISOR_STATE_STOPPING ? -ESHUTDOWN : -EBUSY;
	server = sup_mailbox_owner_alloc(sup->mailbox);
	if (!server)
		return -ENOMEM;
	ret = adopt_file(ucmd, sup->mailbox);
	if (!ret)
		ret = adopt(sup);
	if (ret) {
		cmd->out_fd = -1;
		cmd->out_id = 0;
		sup_mailbox_owner_free(server);
		return ret;
	}
	sup_mailbox_serve(sup->mailbox, server);
	return 0;
}
