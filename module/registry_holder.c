// SPDX-License-Identifier: GPL-2.0
/*
 * registry_holder - a process's part in a registry, and its end.
 *
 * The exit hook only marks the process dead: that is what each reader asks. What the
 * process had is taken away when its followers are told, if it is little; else by one
 * work item for all registries, which frees first the locks that others wait for, and
 * keeps nobody from hearing of other deaths.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "account.h"
#include "registry.h"

/* Entries that are little. */
#define FEW_ENTRIES 32

/* Those whose process is dead, and that had much: the latest first. */
static LLIST_HEAD(dead_holders);
static void dead_holders_work(struct work_struct *work);
static DECLARE_WORK(dead_work, dead_holders_work);

static const struct rhashtable_params holders_params = {
	.key_len = sizeof(struct pid *),
	.key_offset = offsetof(struct sup_holder, pid),
	.head_offset = offsetof(struct sup_holder, node),
	.automatic_shrinking = true,
};

static void holder_free_rcu(struct rcu_head *rcu)
{
	struct sup_holder *holder = container_of(rcu, struct sup_holder, rcu);

	put_pid(holder->pid);
	kfree(holder);
}

static void holder_put(struct sup_holder *holder)
{
	if (!refcount_dec_and_test(&holder->refs))
		return;
	sup_account_put(holder->account);
	sup_object_put(&holder->registry->object);
	call_rcu(&holder->rcu, holder_free_rcu);
}

/**
 * sup_holder_alive - does the process live, so that it may be found
 * @holder: whose
 *
 * No after wait4 or waitid has reported it, and no as soon as anything else can tell
 * that it is dead.
 *
 * Context: in an RCU read-side section in which @holder was found, or it is kept.
 * Return: true if so.
 */
bool sup_holder_alive(const struct sup_holder *holder)
{
	return sup_process_alive(holder->process, holder->pid);
}

/**
 * sup_holder_find - the part that a process has in a registry
 * @registry: the registry
 * @pid: the process
 *
 * Context: in an RCU read-side section.
 * Return: it, or NULL when it has none.
 */
struct sup_holder *sup_holder_find(struct sup_registry *registry, struct pid *pid)
{
	return rhashtable_lookup(&registry->holders, &pid, holders_params);
}

/**
 * sup_holder_current - the part that the calling process has in a registry
 * @registry: the registry, through a file of it
 *
 * Context: process.
 * Return: it, which stays as long as the caller is here; NULL when it has none.
 */
struct sup_holder *sup_holder_current(struct sup_registry *registry)
{
	struct sup_holder *holder;

	rcu_read_lock();
	holder = sup_holder_find(registry, task_tgid(current));
	rcu_read_unlock();
	return holder;
}

/* True for who is to release it. */
static bool holder_take(struct sup_holder *holder)
{
	struct sup_registry *registry = holder->registry;
	bool taken;

	spin_lock(&registry->holders_lock);
	taken = !list_empty(&holder->of_registry);
	if (taken)
		registry->nr_holders--;
	list_del_init(&holder->of_registry);
	spin_unlock(&registry->holders_lock);
	return taken;
}

/* Whoever has taken it. */
static void holder_release(struct sup_holder *holder)
{
	sup_key_locks_release(holder);
	sup_entries_unlink_all(holder);
	sup_map_owner_end(holder->map_owner);
	rhashtable_remove_fast(&holder->registry->holders, &holder->node, holders_params);
	sup_unfollow(&holder->follower);
	holder_put(holder);
}

static bool holder_follower_get(struct sup_follower *follower)
{
	struct sup_holder *holder = container_of(follower, struct sup_holder, follower);

	return refcount_inc_not_zero(&holder->refs);
}

static void holder_end(struct sup_holder *holder)
{
	if (holder_take(holder))
		holder_release(holder);
	holder_put(holder);
}

static void holder_died(struct sup_follower *follower, const struct sup_exit *exit,
			const struct sup_identity *identity)
{
	struct sup_holder *holder = container_of(follower, struct sup_holder, follower);

	if (READ_ONCE(holder->nr) <= FEW_ENTRIES)
		holder_end(holder);
	else if (llist_add(&holder->dead_node, &dead_holders))
		queue_work(sup_workqueue, &dead_work);
}

static const struct sup_follower_ops holder_ops = {
	.get = holder_follower_get,
	.died = holder_died,
};

static void dead_holders_work(struct work_struct *work)
{
	struct llist_node *dead = llist_reverse_order(llist_del_all(&dead_holders));
	struct sup_holder *holder, *next;

	llist_for_each_entry(holder, dead, dead_node)
		sup_key_locks_release(holder);
	llist_for_each_entry_safe(holder, next, dead, dead_node) {
		holder_end(holder);
		cond_resched();
	}
}

static struct sup_holder *holder_alloc(struct sup_registry *registry)
{
	struct sup_holder *holder = kzalloc(sizeof(*holder), GFP_KERNEL_ACCOUNT);

	if (!holder)
		return NULL;
	holder->account = sup_account_get_current();
	if (!holder->account)
		goto err_free;
	holder->process = sup_process_get_more(task_tgid(current));
	if (!holder->process)
		goto err_account;
	if (registry->map) {
		holder->map_owner = sup_map_owner_alloc(registry);
		if (!holder->map_owner)
			goto err_process;
	}
	sup_follower_init(&holder->follower, &holder_ops);
	INIT_LIST_HEAD(&holder->of_registry);
	holder->registry = registry;
	holder->pid = get_pid(task_tgid(current));
	refcount_set(&holder->refs, 1);
	holder->partition = hash_ptr(holder->pid, 16) % registry->nr_partitions;
	spin_lock_init(&holder->lock);
	holder->entries = RB_ROOT;
	INIT_LIST_HEAD(&holder->locks);
	return holder;

err_process:
	sup_process_put(holder->process);
err_account:
	sup_account_put(holder->account);
err_free:
	kfree(holder);
	return NULL;
}

/* One that nobody has seen. */
static void holder_undo(struct sup_holder *holder)
{
	sup_map_owner_end(holder->map_owner);
	sup_process_put(holder->process);
	sup_account_put(holder->account);
	put_pid(holder->pid);
	kfree(holder);
}

static void holder_publish(struct sup_holder *holder)
{
	struct sup_registry *registry = holder->registry;

	sup_object_get(&registry->object);
	spin_lock(&registry->holders_lock);
	list_add_tail(&holder->of_registry, &registry->all_holders);
	registry->nr_holders++;
	spin_unlock(&registry->holders_lock);
	/* The caller lives: its death is still to come. */
	sup_map_owner_begin(holder->map_owner);
	sup_follow(&holder->follower, holder->process);
}

/**
 * sup_holder_make - the part that the calling process has in a registry, made if need be
 * @registry: the registry, through a file of it
 *
 * Context: process; may sleep.
 * Return: it, which stays as long as the caller is here; NULL when there is no memory.
 */
struct sup_holder *sup_holder_make(struct sup_registry *registry)
{
	struct sup_holder *holder = sup_holder_current(registry);
	struct sup_holder *other;

	if (holder)
		return holder;
	holder = holder_alloc(registry);
	if (!holder)
		return NULL;
	rcu_read_lock();
	other = rhashtable_lookup_get_insert_fast(&registry->holders, &holder->node,
						  holders_params);
	rcu_read_unlock();
	if (!other) {
		holder_publish(holder);
		return holder;
	}
	holder_undo(holder);
	return IS_ERR(other) ? NULL : other;
}

/**
 * sup_holders_flush - wait until what those had who are dead now is taken away
 *
 * Context: may sleep.
 */
void sup_holders_flush(void)
{
	sup_followers_flush();
	flush_work(&dead_work);
}

/**
 * sup_holders_release_all - take away what everybody has in a registry
 * @registry: no file of it is left
 *
 * Context: may sleep.
 */
void sup_holders_release_all(struct sup_registry *registry)
{
	struct sup_holder *holder;

	for (;;) {
		spin_lock(&registry->holders_lock);
		holder = list_first_entry_or_null(&registry->all_holders, struct sup_holder,
						  of_registry);
		if (holder) {
			list_del_init(&holder->of_registry);
			registry->nr_holders--;
		}
		spin_unlock(&registry->holders_lock);
		if (!holder)
			return;
		holder_release(holder);
		cond_resched();
	}
}

/**
 * sup_holders_init_registry - set up a registry's holders
 * @registry: zeroed
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sup_holders_init_registry(struct sup_registry *registry)
{
	spin_lock_init(&registry->holders_lock);
	INIT_LIST_HEAD(&registry->all_holders);
	return rhashtable_init(&registry->holders, &holders_params);
}

/**
 * sup_holders_destroy_registry - undo that
 * @registry: has none
 *
 * Context: may sleep.
 */
void sup_holders_destroy_registry(struct sup_registry *registry)
{
	rhashtable_destroy(&registry->holders);
}

/**
 * sup_holders_exit - wait for the last words of who had something somewhere
 *
 * Context: module exit; there are no registries any more.
 */
void sup_holders_exit(void)
{
	flush_work(&dead_work);
}
