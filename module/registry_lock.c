// SPDX-License-Identifier: GPL-2.0
/*
 * registry_lock - locks on keys, one holder at a time, given on in the order in which
 * they were asked for, and freed at death.
 *
 * Who waits has paid for the lock; it takes the charge over with the lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "account.h"
#include "deadline.h"
#include "registry.h"

/**
 * struct key_lock - a lock that somebody has
 * @node: K: in sup_registry.locks
 * @of_holder: K: in sup_holder.locks
 * @holder: K: who has it
 * @waiters: K: struct waiter, first come first
 * @len: const: bytes of the key
 * @bytes: const: the key
 *
 * Lifetime: while somebody has it.
 */
struct key_lock {
	struct rb_node node;
	struct list_head of_holder;
	struct sup_holder *holder;
	struct list_head waiters;
	u32 len;
	u8 bytes[];
};

/**
 * struct waiter - a thread that waits for a lock
 * @node: K: in key_lock.waiters; empty when it has the lock
 * @wait: woken then, under K
 * @holder: whose thread it is
 */
struct waiter {
	struct list_head node;
	wait_queue_head_t wait;
	struct sup_holder *holder;
};

static struct key_lock *of_node(struct rb_node *node)
{
	return rb_entry_safe(node, struct key_lock, node);
}

static int lock_compare(const struct sup_key_name *name, const struct key_lock *lock)
{
	if (name->len != lock->len)
		return name->len < lock->len ? -1 : 1;
	return memcmp(name->bytes, lock->bytes, name->len);
}

static struct key_lock *lock_find_locked(struct sup_registry *registry,
					 const struct sup_key_name *name)
{
	struct rb_node *node = registry->locks.rb_node;
	int order;

	lockdep_assert_held(&registry->locks_lock);
	while (node) {
		order = lock_compare(name, of_node(node));
		if (!order)
			break;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return of_node(node);
}

static void lock_add_locked(struct sup_registry *registry, const struct sup_key_name *name,
			    struct key_lock *lock, struct sup_holder *holder)
{
	struct rb_node **at = &registry->locks.rb_node, *parent = NULL;

	lockdep_assert_held(&registry->locks_lock);
	while (*at) {
		parent = *at;
		at = lock_compare(name, of_node(parent)) < 0 ? &parent->rb_left :
							       &parent->rb_right;
	}
	rb_link_node(&lock->node, parent, at);
	rb_insert_color(&lock->node, &registry->locks);
	registry->nr_locks++;
	lock->holder = holder;
	list_add_tail(&lock->of_holder, &holder->locks);
}

/* To who has waited longest; false when nobody does, and it is nobody's any more. */
static bool lock_pass_locked(struct sup_registry *registry, struct key_lock *lock)
{
	struct waiter *waiter;

	lockdep_assert_held(&registry->locks_lock);
	sup_account_uncharge(lock->holder->account, SUPERVISOR_LIMIT_ENTRIES, 1);
	list_del(&lock->of_holder);
	waiter = list_first_entry_or_null(&lock->waiters, struct waiter, node);
	if (!waiter) {
		rb_erase(&lock->node, &registry->locks);
		registry->nr_locks--;
		return false;
	}
	lock->holder = waiter->holder;
	list_add_tail(&lock->of_holder, &waiter->holder->locks);
	list_del_init(&waiter->node);
	wake_up(&waiter->wait);
	return true;
}

static struct key_lock *key_lock_alloc(const struct sup_key_name *name)
{
	struct key_lock *lock = kmalloc(struct_size(lock, bytes, name->len), GFP_KERNEL_ACCOUNT);

	if (lock) {
		INIT_LIST_HEAD(&lock->waiters);
		lock->len = name->len;
		memcpy(lock->bytes, name->bytes, name->len);
	}
	return lock;
}

static bool waiter_has_it(struct sup_registry *registry, const struct waiter *waiter)
{
	bool has;

	spin_lock(&registry->locks_lock);
	has = list_empty(&waiter->node);
	spin_unlock(&registry->locks_lock);
	return has;
}

/* Waits no more; false when it was given the lock meanwhile. */
static bool waiter_leave(struct sup_registry *registry, struct waiter *waiter,
			 struct key_lock *lock, pid_t *pid)
{
	bool waits;

	spin_lock(&registry->locks_lock);
	waits = !list_empty(&waiter->node);
	if (waits)
		*pid = pid_vnr(lock->holder->pid);
	list_del_init(&waiter->node);
	spin_unlock(&registry->locks_lock);
	return waits;
}

/* A dead holder's lock is given on by the work item that ends it, not before. */
static int key_lock_take(struct sup_registry *registry, const struct sup_key_name *name,
			 struct key_lock **new, struct waiter *waiter, struct key_lock **taken)
{
	struct sup_holder *holder = waiter->holder;
	struct key_lock *lock;
	int ret = -EAGAIN;

	spin_lock(&registry->locks_lock);
	lock = lock_find_locked(registry, name);
	if (!lock) {
		lock_add_locked(registry, name, *new, holder);
		*new = NULL;
		ret = 0;
	} else if (lock->holder == holder) {
		ret = -EDEADLK;
	} else {
		list_add_tail(&waiter->node, &lock->waiters);
		*taken = lock;
	}
	spin_unlock(&registry->locks_lock);
	return ret;
}

static int key_lock_get(struct sup_registry *registry, const struct sup_key_name *name,
			struct sup_holder *holder, struct supervisor_lock *cmd)
{
	struct key_lock *new = key_lock_alloc(name), *lock;
	struct waiter waiter = { .holder = holder };
	int ret;

	if (!new)
		return -ENOMEM;
	INIT_LIST_HEAD(&waiter.node);
	init_waitqueue_head(&waiter.wait);
	ret = key_lock_take(registry, name, &new, &waiter, &lock);
	kfree(new);
	if (ret != -EAGAIN)
		return ret;
	ret = sup_wait_until(waiter.wait, waiter_has_it(registry, &waiter), cmd->deadline);
	return waiter_leave(registry, &waiter, lock, &cmd->out_pid) ? ret : 0;
}

static int lock_read_key(struct sup_ucmd *ucmd, struct sup_key_name *name)
{
	struct supervisor_lock *cmd = ucmd->cmd;
	u32 max;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_pid = 0;
	return sup_registry_read_key(sup_object_registry(ucmd->object), name, cmd->key,
				     cmd->key_len, &max);
}

/**
 * sup_registry_lock - ioctl(SUPERVISOR_LOCK)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_lock(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_lock *cmd = ucmd->cmd;
	struct sup_holder *holder;
	struct sup_key_name name;
	int ret;

	ret = lock_read_key(ucmd, &name);
	if (ret)
		return ret;
	holder = sup_holder_make(registry);
	if (!holder)
		return -ENOMEM;
	ret = sup_account_charge(holder->account, SUPERVISOR_LIMIT_ENTRIES, 1);
	if (ret) {
		cmd->out_limit = SUPERVISOR_LIMIT_ENTRIES;
		return ret;
	}
	ret = key_lock_get(registry, &name, holder, cmd);
	if (ret)
		sup_account_uncharge(holder->account, SUPERVISOR_LIMIT_ENTRIES, 1);
	return ret;
}

/**
 * sup_registry_unlock - ioctl(SUPERVISOR_UNLOCK)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_unlock(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_lock *cmd = ucmd->cmd;
	struct sup_holder *holder;
	struct sup_key_name name;
	struct key_lock *lock;
	int ret;

	if (cmd->deadline)
		return -EINVAL;
	ret = lock_read_key(ucmd, &name);
	if (ret)
		return ret;
	holder = sup_holder_current(registry);
	spin_lock(&registry->locks_lock);
	lock = lock_find_locked(registry, &name);
	if (!lock || lock->holder != holder) {
		ret = lock && sup_holder_alive(lock->holder) ? -EPERM : -ENOENT;
		if (ret == -EPERM)
			cmd->out_pid = pid_vnr(lock->holder->pid);
		lock = NULL;
	} else if (lock_pass_locked(registry, lock)) {
		lock = NULL;
	}
	spin_unlock(&registry->locks_lock);
	kfree(lock);
	return ret;
}

/**
 * sup_key_locks_release - give on all locks of a holder
 * @holder: its process is dead, or its registry closed
 *
 * Context: may sleep.
 */
void sup_key_locks_release(struct sup_holder *holder)
{
	struct sup_registry *registry = holder->registry;
	struct key_lock *lock;
	bool more;

	do {
		spin_lock(&registry->locks_lock);
		lock = list_first_entry_or_null(&holder->locks, struct key_lock, of_holder);
		more = lock;
		if (lock && lock_pass_locked(registry, lock))
			lock = NULL;
		spin_unlock(&registry->locks_lock);
		kfree(lock);
		cond_resched();
	} while (more);
}
