// SPDX-License-Identifier: GPL-2.0
/*
 * account - who pays for what user space can multiply, and the limits.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include "account.h"

static unsigned long max_user_supervisors = 65536;
module_param(max_user_supervisors, ulong, 0644);
MODULE_PARM_DESC(max_user_supervisors, "supervisors of a user (65536)");

static unsigned long max_user_children = 1048576;
module_param(max_user_children, ulong, 0644);
MODULE_PARM_DESC(max_user_children, "child specs of a user (1048576)");

static unsigned long max_user_mailboxes = 16384;
module_param(max_user_mailboxes, ulong, 0644);
MODULE_PARM_DESC(max_user_mailboxes, "mailboxes of a user (16384)");

static unsigned long max_user_bytes = 1UL << 30;
module_param(max_user_bytes, ulong, 0644);
MODULE_PARM_DESC(max_user_bytes, "bytes of blobs, rings and windows of a user (1 GiB)");

static unsigned long max_user_names = 16384;
module_param(max_user_names, ulong, 0644);
MODULE_PARM_DESC(max_user_names, "named objects of a user (16384)");

static unsigned long max_user_calls = 65536;
module_param(max_user_calls, ulong, 0644);
MODULE_PARM_DESC(max_user_calls, "calls under way and subscriptions of a user (65536)");

static unsigned long max_user_refs = 1048576;
module_param(max_user_refs, ulong, 0644);
MODULE_PARM_DESC(max_user_refs, "monitors, links and aliases of a user (1048576)");

static unsigned long max_user_registries = 16384;
module_param(max_user_registries, ulong, 0644);
MODULE_PARM_DESC(max_user_registries, "registries of a user (16384)");

static unsigned long max_user_entries = 1048576;
module_param(max_user_entries, ulong, 0644);
MODULE_PARM_DESC(max_user_entries, "registry entries, metadata and locks of a user (1048576)");

static unsigned long max_children = 131072;
module_param(max_children, ulong, 0644);
MODULE_PARM_DESC(max_children, "child specs of one supervisor (131072)");

static DEFINE_HASHTABLE(sup_accounts, 8);
static DEFINE_SPINLOCK(sup_accounts_lock);

/**
 * sup_limit - the value of a limit
 * @limit: SUPERVISOR_LIMIT_*
 *
 * Context: any.
 * Return: the value; 0 for none.
 */
u64 sup_limit(u32 limit)
{
	switch (limit) {
	case SUPERVISOR_LIMIT_SUPERVISORS:
		return READ_ONCE(max_user_supervisors);
	case SUPERVISOR_LIMIT_CHILDREN:
		return READ_ONCE(max_user_children);
	case SUPERVISOR_LIMIT_MAILBOXES:
		return READ_ONCE(max_user_mailboxes);
	case SUPERVISOR_LIMIT_BYTES:
		return READ_ONCE(max_user_bytes);
	case SUPERVISOR_LIMIT_NAMES:
		return READ_ONCE(max_user_names);
	case SUPERVISOR_LIMIT_CALLS:
		return READ_ONCE(max_user_calls);
	case SUPERVISOR_LIMIT_REFS:
		return READ_ONCE(max_user_refs);
	case SUPERVISOR_LIMIT_REGISTRIES:
		return READ_ONCE(max_user_registries);
	case SUPERVISOR_LIMIT_ENTRIES:
		return READ_ONCE(max_user_entries);
	case SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN:
		return READ_ONCE(max_children);
	case SUPERVISOR_LIMIT_SUBSCRIPTIONS:
		return SUP_SUBSCRIPTIONS_MAX;
	case SUPERVISOR_LIMIT_MAILBOX_MESSAGES:
		return SUP_MAILBOX_MESSAGES_MAX;
	case SUPERVISOR_LIMIT_MAILBOX_BYTES:
		return SUP_MAILBOX_BYTES_MAX;
	case SUPERVISOR_LIMIT_KEPT_MAILBOXES:
		return SUP_KEPT_MAX;
	case SUPERVISOR_LIMIT_MAP_SLOTS:
		return SUP_MAP_SLOTS_MAX;
	default:
		return 0;
	}
}

static u32 account_hash(kuid_t uid, const struct user_namespace *ns)
{
	return __kuid_val(uid) ^ (u32)((unsigned long)ns >> 8);
}

static struct sup_account *account_find_locked(kuid_t uid, struct user_namespace *ns)
{
	struct sup_account *account;

	lockdep_assert_held(&sup_accounts_lock);
	hash_for_each_possible(sup_accounts, account, node, account_hash(uid, ns))
		if (uid_eq(account->uid, uid) && account->ns == ns &&
		    refcount_inc_not_zero(&account->refs))
			return account;
	return NULL;
}

/* One link of the chain; consumes the reference on @parent. */
static struct sup_account *account_link(kuid_t uid, struct user_namespace *ns,
					struct sup_account *parent)
{
	struct sup_account *account, *new;

	spin_lock(&sup_accounts_lock);
	account = account_find_locked(uid, ns);
	spin_unlock(&sup_accounts_lock);
	if (account) {
		sup_account_put(parent);
		return account;
	}

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new) {
		sup_account_put(parent);
		return NULL;
	}
	refcount_set(&new->refs, 1);
	new->uid = uid;
	new->ns = get_user_ns(ns);
	new->parent = parent;

	spin_lock(&sup_accounts_lock);
	account = account_find_locked(uid, ns);
	if (!account)
		hash_add(sup_accounts, &new->node, account_hash(uid, ns));
	spin_unlock(&sup_accounts_lock);
	if (!account)
		return new;

	put_user_ns(new->ns);
	kfree(new);
	sup_account_put(parent);
	return account;
}

/**
 * sup_account_get_current - the account of the calling user
 *
 * Context: process; may sleep.
 * Return: a reference, or NULL when there is no memory.
 */
struct sup_account *sup_account_get_current(void)
{
	struct user_namespace *path[34];	/* the kernel nests 32 deep */
	struct user_namespace *ns = current_user_ns();
	struct sup_account *account = NULL;
	int depth = 0;

	for (; ns && depth < ARRAY_SIZE(path); ns = ns->parent)
		path[depth++] = ns;
	while (depth--) {
		kuid_t uid = depth ? path[depth - 1]->owner : current_euid();

		account = account_link(uid, path[depth], account);
		if (!account)
			return NULL;
	}
	return account;
}

/**
 * sup_account_get_current_like - the account of the calling user
 * @account: it is this one as a rule
 *
 * Context: process; may sleep.
 * Return: a reference, or NULL when there is no memory.
 */
struct sup_account *sup_account_get_current_like(struct sup_account *account)
{
	if (uid_eq(account->uid, current_euid()) && account->ns == current_user_ns())
		return sup_account_get(account);
	return sup_account_get_current();
}

/**
 * sup_account_get - take another reference
 * @account: an account
 *
 * Context: any.
 * Return: @account.
 */
struct sup_account *sup_account_get(struct sup_account *account)
{
	refcount_inc(&account->refs);
	return account;
}

/* True when that was the last reference: it cannot be found any more. */
static bool account_put_one(struct sup_account *account)
{
	bool last;

	if (refcount_dec_not_one(&account->refs))
		return false;
	spin_lock(&sup_accounts_lock);
	last = refcount_dec_and_test(&account->refs);
	if (last)
		hash_del(&account->node);
	spin_unlock(&sup_accounts_lock);
	return last;
}

/**
 * sup_account_put - drop a reference
 * @account: an account, or NULL
 *
 * Context: process.
 */
void sup_account_put(struct sup_account *account)
{
	while (account && account_put_one(account)) {
		struct sup_account *parent = account->parent;

		put_user_ns(account->ns);
		kfree(account);
		account = parent;
	}
}

/* What is above all others: NULL for no account. */
static struct sup_account *account_top(struct sup_account *account)
{
	while (account && account->parent)
		account = account->parent;
	return account;
}

/* In one step: what is refused is never seen by who wants less. */
static bool account_try_add(struct sup_account *account, u32 limit, u64 amount)
{
	u64 max = sup_limit(limit);
	s64 used = atomic64_read(&account->used[limit]);

	do {
		/* Their sum may be more than a number can be. */
		if (amount > max || (u64)used > max - amount)
			return false;
	} while (!atomic64_try_cmpxchg(&account->used[limit], &used, used + amount));
	return true;
}

/**
 * sup_account_charge - charge an account and all above it
 * @account: the account, or NULL, which pays for anything
 * @limit: SUPERVISOR_LIMIT_*
 * @amount: how much
 *
 * What one has, those above it have too: so the last of them is asked, and first.
 *
 * Context: any.
 * Return: 0, or -EDQUOT with nothing charged.
 */
int sup_account_charge(struct sup_account *account, u32 limit, u64 amount)
{
	struct sup_account *top = account_top(account);

	if (top && !account_try_add(top, limit, amount))
		return -EDQUOT;
	for (; account != top; account = account->parent)
		atomic64_add(amount, &account->used[limit]);
	return 0;
}

/**
 * sup_account_uncharge - give back what was charged
 * @account: the account, or NULL
 * @limit: SUPERVISOR_LIMIT_*
 * @amount: how much
 *
 * Context: any.
 */
void sup_account_uncharge(struct sup_account *account, u32 limit, u64 amount)
{
	/* The last one last: it never has less than those below it. */
	for (; account; account = account->parent)
		atomic64_sub(amount, &account->used[limit]);
}
