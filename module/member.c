// SPDX-License-Identifier: GPL-2.0
/*
 * member - the children of dynamic supervisors: their memory, what they share,
 * and how one is found. How one is started, signalled and found dead is told in
 * child.c, for all children alike.
 *
 * There may be very many of them, and most are alike: what is the same is kept
 * once, in a struct sup_spec.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "engine.h"
#include "registry.h"

/* A table grows when it has so many members for each of its lists. */
#define MEMBERS_PER_LIST 4

static struct kmem_cache *sup_member_cache;

/*
 * What it may cost, with its process's record and who pays for both, and without its
 * lineage: 384 bytes.
 */
static_assert(sizeof(struct sup_member) - sizeof(struct sup_callers *) <= 192);

/*
 * Specs.
 */

/**
 * sup_spec_put - drop a reference
 * @spec: a spec, or NULL
 *
 * Context: may sleep.
 */
void sup_spec_put(struct sup_spec *spec)
{
	if (!spec || !refcount_dec_and_test(&spec->ref))
		return;
	sup_account_uncharge(spec->account, SUPERVISOR_LIMIT_BYTES,
			     spec->blob_len + spec->args_len);
	sup_account_put(spec->account);
	sup_reservation_free(spec->reservation);
	sup_spec_put(spec->template);
	kvfree(spec->args);
	kvfree(spec->blob);
	kfree(spec->name.bytes);
	kfree(spec);
}

static struct sup_spec *spec_get(struct sup_spec *spec)
{
	refcount_inc(&spec->ref);
	return spec;
}

/* A spec without anything; @len bytes will be copied to it. */
static struct sup_spec *spec_alloc(struct sup_account *account, u32 len, u32 *limit)
{
	struct sup_spec *spec;

	if (sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, len)) {
		*limit = SUPERVISOR_LIMIT_BYTES;
		return ERR_PTR(-EDQUOT);
	}
	spec = kzalloc(sizeof(*spec), GFP_KERNEL_ACCOUNT);
	if (!spec) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, len);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&spec->ref, 1);
	spec->account = sup_account_get(account);
	return spec;
}

static int spec_copy_bytes(void **to, u64 uptr, u32 len)
{
	if (!len)
		return 0;
	*to = kvmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!*to)
		return -ENOMEM;
	return copy_from_user(*to, u64_to_user_ptr(uptr), len) ? -EFAULT : 0;
}

static int spec_copy_name(struct sup_spec *spec, u64 uptr, u32 len)
{
	char *id = memdup_user_nul(u64_to_user_ptr(uptr), len);

	if (IS_ERR(id))
		return PTR_ERR(id);
	spec->name = sup_name_make(id, len);
	return 0;
}

static int spec_reserve(struct sup_spec *spec, const struct supervisor_child_spec *from,
			u32 *limit, u32 *max)
{
	struct sup_reservation *reservation;

	if (!(from->flags & SUPERVISOR_CHILD_F_REGISTER))
		return 0;
	reservation = sup_reservation_new(from, spec->account, limit, max);
	if (IS_ERR(reservation))
		return PTR_ERR(reservation);
	spec->reservation = reservation;
	return 0;
}

/**
 * sup_spec_alloc - make a spec out of what user space says
 * @account: who pays
 * @from: what it says; its members have been checked but for those that the policy
 *	checks, and the id
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 * @max: with -EMSGSIZE: the bytes that the key or value may have
 *
 * Context: process; may sleep.
 * Return: a reference; -EDQUOT, -EFAULT, -ENOMEM, those of sup_reservation_new().
 */
struct sup_spec *sup_spec_alloc(struct sup_account *account,
				const struct supervisor_child_spec *from, u32 *limit, u32 *max)
{
	struct sup_spec *spec = spec_alloc(account, from->blob_len, limit);
	int ret;

	if (IS_ERR(spec))
		return spec;
	sup_child_spec_read(&spec->decides, from);
	spec->readiness = from->readiness;
	spec->signal_whom = from->signal_whom;
	spec->stop_signal = from->stop_signal ?: SIGTERM;
	spec->is_supervisor = from->supervisor_fd != -1;
	spec->blob_len = from->blob_len;
	ret = spec_copy_name(spec, from->id, from->id_len);
	if (!ret)
		ret = spec_copy_bytes(&spec->blob, from->blob, from->blob_len);
	if (!ret)
		ret = spec_reserve(spec, from, limit, max);
	if (!ret)
		return spec;
	sup_spec_put(spec);
	return ERR_PTR(ret);
}

/**
 * sup_spec_with_args - make a spec for one child alone
 * @template: what the child is like otherwise
 * @args: pointer to its arguments, in user space
 * @len: their bytes, not 0
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * Context: may sleep.
 * Return: a reference; -EDQUOT, -EFAULT, -ENOMEM.
 */
struct sup_spec *sup_spec_with_args(struct sup_spec *template, u64 args, u32 len, u32 *limit)
{
	struct sup_spec *spec = spec_alloc(template->account, len, limit);
	int ret;

	if (IS_ERR(spec))
		return spec;
	spec->decides = template->decides;
	spec->readiness = template->readiness;
	spec->signal_whom = template->signal_whom;
	spec->stop_signal = template->stop_signal;
	spec->is_supervisor = template->is_supervisor;
	spec->template = spec_get(template);
	spec->args_len = len;
	ret = spec_copy_bytes(&spec->args, args, len);
	if (!ret)
		return spec;
	sup_spec_put(spec);
	return ERR_PTR(ret);
}

static bool spec_equal(const struct sup_spec *a, const struct sup_spec *b)
{
	/* Without what fills it up at its end. */
	size_t len = offsetofend(struct sup_child_spec, retry.uncounted);

	return !memcmp(&a->decides, &b->decides, len) &&
	       a->readiness == b->readiness && a->signal_whom == b->signal_whom &&
	       a->stop_signal == b->stop_signal && a->is_supervisor == b->is_supervisor &&
	       sup_name_equal(&a->name, &b->name) &&
	       a->blob_len == b->blob_len && !memcmp(a->blob, b->blob, a->blob_len);
}

/**
 * sup_spec_share - use the last child's spec if it is the same
 * @sup: whose child's
 * @spec: the new child's; the reference is consumed
 *
 * Whoever has a key has it alone.
 *
 * Context: may sleep.
 * Return: a reference to one like it.
 */
struct sup_spec *sup_spec_share(struct sup_supervisor *sup, struct sup_spec *spec)
{
	struct sup_spec *done;

	if (spec->reservation)
		return spec;
	mutex_lock(&sup->lock);
	done = sup->last_spec;
	if (done && spec_equal(done, spec)) {
		swap(done, spec);
		spec_get(spec);
	} else {
		sup->last_spec = spec_get(spec);
	}
	mutex_unlock(&sup->lock);
	sup_spec_put(done);
	return spec;
}

/**
 * sup_spec_template - what children are like that come without a spec
 * @sup: a dynamic supervisor
 *
 * Context: any.
 * Return: a reference, or NULL when it has no template.
 */
struct sup_spec *sup_spec_template(struct sup_supervisor *sup)
{
	return sup->template ? spec_get(sup->template) : NULL;
}

/*
 * Members.
 */

static struct sup_member *member_sub_alloc(void)
{
	struct sup_member_sub *sub = kzalloc(sizeof(*sub), GFP_KERNEL_ACCOUNT);

	if (!sub)
		return ERR_PTR(-ENOMEM);
	sub->member.child.is_supervisor = true;
	return &sub->member;
}

/* With the key of a spec of its own, or of one that it shares. */
static struct sup_member *member_keyed_alloc(struct sup_supervisor *sup, struct sup_spec *spec,
					     u32 *limit)
{
	struct sup_reservation *reservation = spec->reservation;
	struct sup_member_keyed *keyed;

	keyed = kzalloc(sizeof(*keyed), GFP_KERNEL_ACCOUNT);
	if (!keyed)
		return ERR_PTR(-ENOMEM);
	if (spec == sup->template) {
		reservation = sup_reservation_copy(reservation, sup->object.account, limit);
		if (IS_ERR(reservation)) {
			kfree(keyed);
			return ERR_CAST(reservation);
		}
	} else {
		spec->reservation = NULL;
	}
	keyed->reservation = reservation;
	keyed->member.child.keyed = true;
	return &keyed->member;
}

static struct sup_member *member_memory(struct sup_supervisor *sup, struct sup_spec *spec,
					u32 *limit)
{
	struct sup_spec *base = spec->template ?: spec;
	struct sup_member *member;

	if (spec->is_supervisor)
		return member_sub_alloc();
	if (base->reservation)
		return member_keyed_alloc(sup, base, limit);
	member = kmem_cache_zalloc(sup_member_cache, GFP_KERNEL_ACCOUNT);
	return member ?: ERR_PTR(-ENOMEM);
}

/**
 * sup_member_alloc - make a child of a dynamic supervisor
 * @sup: whose child it will be
 * @spec: its spec; the reference is consumed on success
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * It has a number as soon as it is in the table.
 *
 * Context: may sleep.
 * Return: a reference; -EDQUOT, -ENOMEM.
 */
struct sup_child *sup_member_alloc(struct sup_supervisor *sup, struct sup_spec *spec, u32 *limit)
{
	struct sup_account *account = sup->object.account;
	struct sup_member *member;

	if (sup_account_charge(account, SUPERVISOR_LIMIT_CHILDREN, 1)) {
		*limit = SUPERVISOR_LIMIT_CHILDREN;
		return ERR_PTR(-EDQUOT);
	}
	member = member_memory(sup, spec, limit);
	if (IS_ERR(member)) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_CHILDREN, 1);
		return ERR_CAST(member);
	}
	member->dynamic.spec = &spec->decides;
	member->child.readiness = spec->readiness;
	member->child.signal_whom = spec->signal_whom;
	member->child.stop_signal = spec->stop_signal;
	sup_child_set_up(&member->child, sup);
	return &member->child;
}

/**
 * sup_member_free - free a child of a dynamic supervisor
 * @child: the child, which is in no table
 *
 * Context: may sleep.
 */
void sup_member_free(struct sup_child *child)
{
	struct sup_member *member = sup_member(child);

	sup_reservation_free(sup_child_reservation(child));
	sup_spec_put(sup_member_spec(child));
	sup_account_uncharge(child->sup->object.account, SUPERVISOR_LIMIT_CHILDREN, 1);
	if (child->is_supervisor)
		kfree(sup_member_sub(child));
	else if (child->keyed)
		kfree(sup_member_keyed(child));
	else
		kmem_cache_free(sup_member_cache, member);
}

/*
 * The table: members by number, in lists of few.
 */

static struct sup_member **table_list(struct sup_supervisor *sup, u64 id)
{
	return &sup->table[hash_64(id, ilog2(sup->nr_lists))];
}

/**
 * sup_member_add - give a new child its number, and a place in the table
 * @child: the child; numbers rise in the order of this
 *
 * Context: holds S.
 */
void sup_member_add(struct sup_child *child)
{
	struct sup_member *member = sup_member(child);
	struct sup_supervisor *sup = child->sup;
	struct sup_member **list;

	lockdep_assert_held(&sup->lock);
	WRITE_ONCE(child->id, sup_id_next());
	if (child->is_supervisor) {
		struct sup_member_sub *sub = sup_member_sub(child);
		int len = scnprintf(sub->digits, sizeof(sub->digits), "%llu", child->id);

		sub->number = sup_name_make(sub->digits, len);
	}
	list = table_list(sup, child->id);
	member->next = *list;
	*list = member;
}

/**
 * sup_member_remove - take a child out of the table
 * @child: the child, which is in there
 *
 * Context: holds S.
 */
void sup_member_remove(struct sup_child *child)
{
	struct sup_member *member = sup_member(child);
	struct sup_supervisor *sup = child->sup;
	struct sup_member **at = table_list(sup, child->id);

	lockdep_assert_held(&sup->lock);
	while (*at && *at != member)
		at = &(*at)->next;
	if (*at)
		*at = member->next;
}

/**
 * sup_member_find - find a child by its number
 * @sup: a dynamic supervisor
 * @id: the number
 *
 * Context: holds S.
 * Return: the child, or NULL.
 */
struct sup_child *sup_member_find(struct sup_supervisor *sup, u64 id)
{
	struct sup_member *member;

	lockdep_assert_held(&sup->lock);
	for (member = *table_list(sup, id); member; member = member->next)
		if (member->child.id == id)
			return &member->child;
	return NULL;
}

/* Move what is in the table to a larger one; the old one is returned. */
static struct sup_member **table_replace_locked(struct sup_supervisor *sup,
						struct sup_member **table, u32 nr)
{
	struct sup_member **old = sup->table;
	u32 old_nr = sup->nr_lists;
	u32 i;

	lockdep_assert_held(&sup->lock);
	sup->table = table;
	sup->nr_lists = nr;
	for (i = 0; i < old_nr; i++) {
		struct sup_member *member, *next;

		for (member = old[i]; member; member = next) {
			struct sup_member **list = table_list(sup, member->child.id);

			next = member->next;
			member->next = *list;
			*list = member;
		}
	}
	return old;
}

/**
 * sup_member_grow - let the table grow with the children
 * @sup: a dynamic supervisor
 *
 * Context: may sleep; holds no lock. Without memory, finding one stays slower.
 */
void sup_member_grow(struct sup_supervisor *sup)
{
	struct sup_member **table;
	bool full;
	u32 nr;

	mutex_lock(&sup->lock);
	nr = sup->nr_lists;
	full = sup->dynamic.nr_children > nr * MEMBERS_PER_LIST;
	mutex_unlock(&sup->lock);
	if (!full)
		return;
	nr *= MEMBERS_PER_LIST;
	table = kvcalloc(nr, sizeof(*table), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!table)
		return;
	mutex_lock(&sup->lock);
	if (sup->nr_lists < nr)
		table = table_replace_locked(sup, table, nr);
	mutex_unlock(&sup->lock);
	kvfree(table);
}

/**
 * sup_member_init - set up what all children of dynamic supervisors share
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init sup_member_init(void)
{
	sup_member_cache = KMEM_CACHE(sup_member, SLAB_ACCOUNT);
	return sup_member_cache ? 0 : -ENOMEM;
}

/**
 * sup_member_exit - tear down what all children of dynamic supervisors share
 *
 * Context: module exit; there are no children any more.
 */
void sup_member_exit(void)
{
	kmem_cache_destroy(sup_member_cache);
}
