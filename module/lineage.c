// SPDX-License-Identifier: GPL-2.0
/*
 * lineage - who asked for a process, who asked for that one, and so on.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "account.h"
#include "lineage.h"
#include "process.h"

/* The path and id that it keeps may be all that is left of its process. */
static u64 caller_charge(const struct sup_origin *origin)
{
	return sizeof(struct sup_caller) + (origin ? origin->path_len + origin->id_len : 0);
}

static void caller_put(struct sup_caller *caller)
{
	if (!refcount_dec_and_test(&caller->refs))
		return;
	sup_account_uncharge(caller->account, SUPERVISOR_LIMIT_BYTES,
			     caller_charge(caller->origin));
	sup_account_put(caller->account);
	sup_origin_put(caller->origin);
	put_pid(caller->pid);
	kfree(caller);
}

/* @origin's reference passes to it, also when it fails. */
static struct sup_caller *caller_alloc(struct sup_account *account, const struct sup_who *who,
				       struct sup_origin *origin)
{
	struct sup_caller *caller;
	int ret;

	ret = sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, caller_charge(origin));
	if (ret)
		goto err_origin;
	ret = -ENOMEM;
	caller = kmalloc(sizeof(*caller), GFP_KERNEL_ACCOUNT);
	if (!caller)
		goto err_charge;
	refcount_set(&caller->refs, 1);
	caller->account = sup_account_get(account);
	caller->pid = get_pid(who->pid);
	caller->start_ns = who->start_ns;
	caller->origin = origin;
	return caller;

err_charge:
	sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, caller_charge(origin));
err_origin:
	sup_origin_put(origin);
	return ERR_PTR(ret);
}

static u64 callers_charge(u32 nr)
{
	return sizeof(struct sup_callers) + nr * sizeof(struct sup_caller *);
}

/* @caller, whose reference passes to the chain, also when it fails; then @own. */
static struct sup_callers *callers_alloc(struct sup_account *account, struct sup_caller *caller,
					 const struct sup_callers *own)
{
	u32 nr = min_t(u32, sup_callers_nr(own) + 1, SUPERVISOR_CALLERS_MAX);
	struct sup_callers *callers;
	int ret;
	u32 i;

	ret = sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, callers_charge(nr));
	if (ret)
		goto err_caller;
	ret = -ENOMEM;
	callers = kmalloc(struct_size(callers, caller, nr), GFP_KERNEL_ACCOUNT);
	if (!callers)
		goto err_charge;
	refcount_set(&callers->refs, 1);
	callers->nr = nr;
	callers->account = sup_account_get(account);
	callers->caller[0] = caller;
	for (i = 1; i < nr; i++) {
		callers->caller[i] = own->caller[i - 1];
		refcount_inc(&callers->caller[i]->refs);
	}
	return callers;

err_charge:
	sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, callers_charge(nr));
err_caller:
	caller_put(caller);
	return ERR_PTR(ret);
}

/* Is it what that process, with that origin and callers, would have made? */
static bool callers_are_of(const struct sup_callers *callers, const struct sup_who *who,
			   const struct sup_origin *origin, const struct sup_callers *own)
{
	u32 nr = min_t(u32, sup_callers_nr(own), SUPERVISOR_CALLERS_MAX - 1);

	return callers && callers->caller[0]->pid == who->pid &&
	       callers->caller[0]->origin == origin && callers->nr == nr + 1 &&
	       (!nr || !memcmp(callers->caller + 1, own->caller, nr * sizeof(own->caller[0])));
}

/**
 * sup_callers_make - the callers of what a process asks for
 * @account: who pays for a new chain
 * @who: the process
 * @last: another chain, which is shared if it is the same; or NULL
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * Context: process; may sleep.
 * Return: a reference; -EDQUOT, -ENOMEM.
 */
struct sup_callers *sup_callers_make(struct sup_account *account, const struct sup_who *who,
				     struct sup_callers *last, u32 *limit)
{
	struct sup_callers *own, *callers;
	struct sup_origin *origin;
	struct sup_caller *caller;
	int ret;

	ret = sup_pid_origin(who->pid, &origin);
	if (ret)
		return ERR_PTR(ret);
	own = origin ? sup_pid_callers(who->pid) : NULL;
	if (callers_are_of(last, who, origin, own)) {
		sup_origin_put(origin);
		callers = sup_callers_get(last);
	} else {
		caller = caller_alloc(account, who, origin);
		callers = IS_ERR(caller) ? ERR_CAST(caller) : callers_alloc(account, caller, own);
		if (callers == ERR_PTR(-EDQUOT))
			*limit = SUPERVISOR_LIMIT_BYTES;
	}
	sup_callers_put(own);
	return callers;
}

/**
 * sup_callers_get - take another reference
 * @callers: a chain, or NULL
 *
 * Context: any.
 * Return: @callers.
 */
struct sup_callers *sup_callers_get(struct sup_callers *callers)
{
	if (callers)
		refcount_inc(&callers->refs);
	return callers;
}

/**
 * sup_callers_put - drop a reference
 * @callers: a chain, or NULL
 *
 * Context: any but the exit hook.
 */
void sup_callers_put(struct sup_callers *callers)
{
	u32 i;

	if (!callers || !refcount_dec_and_test(&callers->refs))
		return;
	for (i = 0; i < callers->nr; i++)
		caller_put(callers->caller[i]);
	sup_account_uncharge(callers->account, SUPERVISOR_LIMIT_BYTES,
			     callers_charge(callers->nr));
	sup_account_put(callers->account);
	kfree(callers);
}

/**
 * sup_callers_nr - how many they are
 * @callers: a chain, or NULL
 *
 * Context: any.
 * Return: the number.
 */
u32 sup_callers_nr(const struct sup_callers *callers)
{
	return callers ? callers->nr : 0;
}

/**
 * sup_callers_first_pid - the process that asked
 * @callers: a chain, or NULL
 *
 * Context: any.
 * Return: what @callers keeps, or NULL.
 */
struct pid *sup_callers_first_pid(const struct sup_callers *callers)
{
	return callers ? callers->caller[0]->pid : NULL;
}

/**
 * sup_callers_first - the number of the process that asked
 * @callers: a chain, or NULL
 * @ns: in which
 *
 * Context: any.
 * Return: the number; 0 when it has none there, or nobody is known.
 */
pid_t sup_callers_first(const struct sup_callers *callers, struct pid_namespace *ns)
{
	return pid_nr_ns(sup_callers_first_pid(callers), ns);
}

/**
 * sup_lineage_entry_size - bytes of a struct supervisor_lineage_entry
 * @id_len: bytes of its id
 * @path_len: bytes of its path
 *
 * Context: any.
 * Return: the bytes, a multiple of 8.
 */
size_t sup_lineage_entry_size(size_t id_len, size_t path_len)
{
	return ALIGN(sizeof(struct supervisor_lineage_entry) + id_len + 1 + path_len + 1, 8);
}

static size_t caller_size(const struct sup_caller *caller)
{
	const struct sup_origin *origin = caller->origin;

	return sup_lineage_entry_size(origin ? origin->id_len : 0, origin ? origin->path_len : 0);
}

/**
 * sup_callers_size - bytes of the entries of callers
 * @callers: a chain, or NULL
 *
 * Context: any.
 * Return: the bytes that sup_callers_deliver() writes.
 */
size_t sup_callers_size(const struct sup_callers *callers)
{
	size_t size = 0;
	u32 i;

	for (i = 0; i < sup_callers_nr(callers); i++)
		size += caller_size(callers->caller[i]);
	return size;
}

static void caller_fill(const struct sup_caller *caller, struct supervisor_lineage_entry *entry)
{
	const struct sup_origin *origin = caller->origin;

	*entry = (struct supervisor_lineage_entry){
		.size = caller_size(caller),
		.flags = sup_pid_alive(caller->pid) ? SUPERVISOR_LINEAGE_F_ALIVE : 0,
		.kind = SUPERVISOR_LINEAGE_CALLER,
		.pid = pid_vnr(caller->pid),
		.start_ns = caller->start_ns,
		.text_offset = sizeof(*entry),
	};
	if (!origin)
		return;
	if (origin->identity.dynamic)
		entry->flags |= SUPERVISOR_LINEAGE_F_DYNAMIC;
	entry->supervisor = origin->identity.supervisor;
	entry->child = origin->identity.child;
	entry->incarnation = origin->identity.incarnation;
	entry->id_len = origin->id_len;
	entry->path_len = origin->path_len;
}

static int caller_deliver(const struct sup_caller *caller, u8 __user *to)
{
	const struct sup_origin *origin = caller->origin;
	struct supervisor_lineage_entry entry;
	u8 __user *end;

	caller_fill(caller, &entry);
	end = to + entry.size;
	if (copy_to_user(to, &entry, sizeof(entry)))
		return -EFAULT;
	to += sizeof(entry);
	/* Each with its NUL. */
	if (origin) {
		if (copy_to_user(to, origin->path + origin->path_len + 1, origin->id_len + 1))
			return -EFAULT;
		to += origin->id_len + 1;
		if (copy_to_user(to, origin->path, origin->path_len + 1))
			return -EFAULT;
		to += origin->path_len + 1;
	}
	return clear_user(to, end - to) ? -EFAULT : 0;
}

/**
 * sup_callers_deliver - write the entries of callers, numbered as the reader sees them
 * @callers: a chain, or NULL
 * @to: room for sup_callers_size() bytes
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_callers_deliver(const struct sup_callers *callers, u8 __user *to)
{
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < sup_callers_nr(callers); i++) {
		ret = caller_deliver(callers->caller[i], to);
		to += caller_size(callers->caller[i]);
	}
	return ret;
}
