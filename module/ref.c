// SPDX-License-Identifier: GPL-2.0
/*
 * ref - the numbered members of a mailbox.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/random.h>
#include <linux/sched.h>

#include "account.h"
#include "mailbox.h"
#include "ref.h"

static struct sup_ref *node_ref(const struct rb_node *node)
{
	return rb_entry(node, struct sup_ref, node);
}

static int ref_compare(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int ref_compare_nodes(struct rb_node *a, const struct rb_node *b)
{
	return ref_compare(node_ref(a)->id, node_ref(b)->id);
}

static int ref_compare_key(const void *id, const struct rb_node *node)
{
	return ref_compare(*(const u64 *)id, node_ref(node)->id);
}

/**
 * sup_ref_init - initialise a ref, which nobody can find yet
 * @ref: it; zeroed
 * @ops: its kind
 * @mailbox: whose member it will be
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * It starts with one reference, the caller's, and is charged to the caller.
 * Context: process; may sleep.
 * Return: 0; -EDQUOT or -ENOMEM, and then there is nothing to undo.
 */
int sup_ref_init(struct sup_ref *ref, const struct sup_ref_ops *ops, struct sup_mailbox *mailbox,
		 u32 *limit)
{
	struct sup_account *account = sup_account_get_current();

	if (!account)
		return -ENOMEM;
	if (sup_account_charge(account, SUPERVISOR_LIMIT_REFS, 1)) {
		*limit = SUPERVISOR_LIMIT_REFS;
		sup_account_put(account);
		return -EDQUOT;
	}
	RB_CLEAR_NODE(&ref->node);
	refcount_set(&ref->refs, 1);
	ref->monitor = SUP_MONITOR_NONE;
	ref->alias = SUPERVISOR_ALIAS_NONE;
	ref->was_alias = false;
	ref->charged = true;
	INIT_HLIST_NODE(&ref->alias_node);
	sup_object_get(&mailbox->object);
	ref->mailbox = mailbox;
	ref->account = account;
	ref->ops = ops;
	return 0;
}

/*
 * Its number and its place; false when another has that number. That of an alias
 * is a secret, others have one that nothing has had before.
 */
static bool ref_try_add(struct sup_ref *ref)
{
	struct sup_mailbox *mailbox = ref->mailbox;
	bool added;

	ref->id = ref->alias == SUPERVISOR_ALIAS_NONE ? sup_id_next() : get_random_u64();
	if (!ref->id)
		return false;
	spin_lock(&mailbox->lock);
	added = !rb_find_add(&ref->node, &mailbox->refs, ref_compare_nodes);
	if (added && ref->alias != SUPERVISOR_ALIAS_NONE && !sup_alias_on(ref)) {
		rb_erase(&ref->node, &mailbox->refs);
		added = false;
	}
	spin_unlock(&mailbox->lock);
	return added;
}

/**
 * sup_ref_add - make a ref a member of its mailbox, and of the aliases if it is one
 * @ref: it, with @monitor and @alias set; gets a reference for its membership
 *
 * Context: process; the mailbox has an open file.
 */
void sup_ref_add(struct sup_ref *ref)
{
	ref->was_alias = ref->alias != SUPERVISOR_ALIAS_NONE;
	refcount_inc(&ref->refs);
	while (!ref_try_add(ref))
		cond_resched();
}

static void ref_free_rcu(struct rcu_head *rcu)
{
	struct sup_ref *ref = container_of(rcu, struct sup_ref, rcu);

	ref->ops->free(ref);
}

static void ref_uncharge(struct sup_ref *ref)
{
	if (ref->charged)
		sup_account_uncharge(ref->account, SUPERVISOR_LIMIT_REFS, 1);
	ref->charged = false;
}

/**
 * sup_ref_put - drop a reference
 * @ref: a ref
 *
 * Context: process; may sleep.
 */
void sup_ref_put(struct sup_ref *ref)
{
	struct sup_mailbox *mailbox = ref->mailbox;

	might_sleep();
	if (!refcount_dec_and_test(&ref->refs))
		return;
	if (ref->ops->release)
		ref->ops->release(ref);
	ref_uncharge(ref);
	sup_account_put(ref->account);
	if (ref->was_alias)
		call_rcu(&ref->rcu, ref_free_rcu);
	else
		ref->ops->free(ref);
	sup_mailbox_put(mailbox);
}

static struct sup_ref *ref_find_locked(struct sup_mailbox *mailbox, u64 id)
{
	struct rb_node *node;

	lockdep_assert_held(&mailbox->lock);
	node = rb_find(&id, &mailbox->refs, ref_compare_key);
	return node ? node_ref(node) : NULL;
}

/**
 * sup_ref_settle_locked - take a ref out of its mailbox if all of it is over
 * @ref: it, whose monitor or alias may just have ended
 *
 * Context: holds M.
 * Return: true when it was taken out: its membership's reference is the caller's
 *	to drop.
 */
bool sup_ref_settle_locked(struct sup_ref *ref)
{
	lockdep_assert_held(&ref->mailbox->lock);
	if (ref->monitor != SUP_MONITOR_NONE || ref->alias != SUPERVISOR_ALIAS_NONE ||
	    RB_EMPTY_NODE(&ref->node))
		return false;
	rb_erase(&ref->node, &ref->mailbox->refs);
	RB_CLEAR_NODE(&ref->node);
	/* Who has read of it finds the quota whole, though others may still let go of it. */
	ref_uncharge(ref);
	return true;
}

/**
 * sup_ref_end - an ioctl that ends what a ref is
 * @ucmd: the ioctl, whose struct is a struct supervisor_ref
 * @end: M: ends a part of it; true when that was active
 *
 * Context: process; may sleep, but does not wait.
 * Return: 0.
 */
int sup_ref_end(struct sup_ucmd *ucmd, bool (*end)(struct sup_ref *ref, u32 flags))
{
	struct sup_mailbox *mailbox = sup_object_mailbox(ucmd->object);
	struct supervisor_ref *cmd = ucmd->cmd;
	struct sup_ref *ref;
	bool gone = false;

	cmd->out_found = 0;
	spin_lock(&mailbox->lock);
	ref = ref_find_locked(mailbox, cmd->ref);
	if (ref) {
		cmd->out_found = end(ref, cmd->flags);
		gone = sup_ref_settle_locked(ref);
	}
	spin_unlock(&mailbox->lock);
	/* Who waited for room at its alias. */
	if (cmd->out_found)
		sup_mailbox_wake_senders(mailbox);
	if (gone)
		sup_ref_put(ref);
	return 0;
}

static struct sup_ref *mailbox_take_ref(struct sup_mailbox *mailbox)
{
	struct sup_ref *ref = NULL;
	struct rb_node *node;

	spin_lock(&mailbox->lock);
	node = rb_first(&mailbox->refs);
	if (node) {
		ref = node_ref(node);
		if (ref->monitor == SUP_MONITOR_FIRED)
			ref->ops->drop(ref);
		ref->monitor = SUP_MONITOR_NONE;
		sup_alias_off_locked(ref);
		sup_ref_settle_locked(ref);
	}
	spin_unlock(&mailbox->lock);
	return ref;
}

/**
 * sup_refs_close - end every monitor and alias of a mailbox
 * @mailbox: it is closed: none is added any more
 *
 * Context: process; may sleep.
 */
void sup_refs_close(struct sup_mailbox *mailbox)
{
	struct sup_ref *ref;

	while ((ref = mailbox_take_ref(mailbox))) {
		sup_ref_put(ref);
		cond_resched();
	}
}
