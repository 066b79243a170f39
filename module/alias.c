// SPDX-License-Identifier: GPL-2.0
/*
 * alias - a number through which others may send to a mailbox, for as long as it
 * is on. Whether it is, is decided when the message is about to be queued, under
 * the mailbox's lock: one that had to wait for room may come too late.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hashtable.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "mailbox.h"
#include "ref.h"

#define ALIAS_HASH_BITS 12

/* B for changes; looked up by RCU. Aliases that are on, by their numbers. */
static DEFINE_HASHTABLE(sup_aliases, ALIAS_HASH_BITS);
static DEFINE_SPINLOCK(sup_aliases_lock);

/* On the way through an alias. */
struct sending {
	struct sup_ref *ref;
	bool gone;	/* that took it out of its mailbox */
};

static struct sup_ref *alias_find(u64 id)
{
	struct sup_ref *ref;

	hash_for_each_possible_rcu(sup_aliases, ref, alias_node, id,
				   lockdep_is_held(&sup_aliases_lock))
		if (ref->id == id)
			return ref;
	return NULL;
}

static struct sup_ref *alias_get(u64 id)
{
	struct sup_ref *ref;

	rcu_read_lock();
	ref = alias_find(id);
	if (ref && !refcount_inc_not_zero(&ref->refs))
		ref = NULL;
	rcu_read_unlock();
	return ref;
}

/**
 * sup_alias_on - let a ref be found as an alias
 * @ref: it, with its number
 *
 * Context: holds M.
 * Return: false when another alias has that number.
 */
bool sup_alias_on(struct sup_ref *ref)
{
	bool free;

	spin_lock(&sup_aliases_lock);
	free = !alias_find(ref->id);
	if (free)
		hash_add_rcu(sup_aliases, &ref->alias_node, ref->id);
	spin_unlock(&sup_aliases_lock);
	return free;
}

/**
 * sup_alias_off_locked - turn an alias off; nothing when it is none
 * @ref: it; the caller settles it, and wakes senders when it may
 *
 * Context: holds M.
 */
void sup_alias_off_locked(struct sup_ref *ref)
{
	lockdep_assert_held(&ref->mailbox->lock);
	if (ref->alias == SUPERVISOR_ALIAS_NONE)
		return;
	ref->alias = SUPERVISOR_ALIAS_NONE;
	spin_lock(&sup_aliases_lock);
	hash_del_rcu(&ref->alias_node);
	spin_unlock(&sup_aliases_lock);
}

static void alias_free(struct sup_ref *ref)
{
	kfree(ref);
}

static const struct sup_ref_ops alias_ref_ops = {
	.free = alias_free,
};

/**
 * sup_alias_create - ioctl(SUPERVISOR_ALIAS)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_alias_create(struct sup_ucmd *ucmd)
{
	struct supervisor_alias *cmd = ucmd->cmd;
	struct sup_ref *ref;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_ref = 0;
	if (cmd->alias != SUPERVISOR_ALIAS_EXPLICIT && cmd->alias != SUPERVISOR_ALIAS_REPLY)
		return -EOPNOTSUPP;
	ref = kzalloc(sizeof(*ref), GFP_KERNEL_ACCOUNT);
	if (!ref)
		return -ENOMEM;
	ret = sup_ref_init(ref, &alias_ref_ops, sup_object_mailbox(ucmd->object),
			   &cmd->out_limit);
	if (ret) {
		kfree(ref);
		return ret;
	}
	ref->alias = cmd->alias;
	sup_ref_add(ref);
	cmd->out_ref = ref->id;
	sup_ref_put(ref);
	return 0;
}

static bool alias_end_locked(struct sup_ref *ref, u32 flags)
{
	bool on = ref->alias != SUPERVISOR_ALIAS_NONE;

	sup_alias_off_locked(ref);
	return on;
}

/**
 * sup_alias_unalias - ioctl(SUPERVISOR_UNALIAS)
 * @ucmd: the ioctl
 *
 * Context: may sleep, but does not wait.
 * Return: as the UAPI header says.
 */
int sup_alias_unalias(struct sup_ucmd *ucmd)
{
	return sup_ref_end(ucmd, alias_end_locked);
}

/* Is the alias on? And when the message is about to be queued: is it after this? */
static int alias_admit(void *arg, bool now)
{
	struct sending *sending = arg;
	struct sup_ref *ref = sending->ref;
	u8 alias = ref->alias;

	lockdep_assert_held(&ref->mailbox->lock);
	if (alias == SUPERVISOR_ALIAS_NONE)
		return -ESTALE;
	if (!now)
		return 0;
	if (alias == SUPERVISOR_ALIAS_REPLY_DEMONITOR)
		ref->monitor = SUP_MONITOR_NONE;
	if (alias == SUPERVISOR_ALIAS_REPLY || alias == SUPERVISOR_ALIAS_REPLY_DEMONITOR)
		sup_alias_off_locked(ref);
	sending->gone = sup_ref_settle_locked(ref);
	return 0;
}

/**
 * sup_alias_send - ioctl(SUPERVISOR_ALIAS_SEND)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_alias_send(struct sup_ucmd *ucmd)
{
	struct supervisor_alias_send *cmd = ucmd->cmd;
	struct sending sending = {};
	struct sup_cast cast = {
		.buf = cmd->buf,
		.len = cmd->len,
		.ref = cmd->alias,
		.deadline = ucmd->file->f_flags & O_NONBLOCK ? 0 : cmd->deadline,
		.admit = alias_admit,
		.arg = &sending,
	};
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_max = 0;
	sending.ref = alias_get(cmd->alias);
	if (!sending.ref)
		return -ESTALE;
	ret = sup_mailbox_cast(sending.ref->mailbox, &cast);
	cmd->out_limit = ret && ret != -ESTALE ? cast.limit : SUPERVISOR_LIMIT_NONE;
	cmd->out_max = ret == -EMSGSIZE ? sending.ref->mailbox->max_payload : 0;
	if (sending.gone) {
		sup_mailbox_wake_senders(sending.ref->mailbox);
		sup_ref_put(sending.ref);
	}
	sup_ref_put(sending.ref);
	return ret;
}
