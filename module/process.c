// SPDX-License-Identifier: GPL-2.0
/*
 * process - one tracked process, and the exit hook.
 *
 * The hook is a wait-queue entry of our own on pid->wait_pidfd, which the
 * kernel wakes when a process becomes a zombie and again when it is reaped. It
 * runs in the context of the dying process or of whoever reaps it, with
 * tasklist_lock held for writing, and it may run for a leader whose threads
 * live on (a traced one) or run twice. So it first decides whether this is the
 * end, and then records and tells; it never sleeps, allocates or signals.
 * wait4 and waitid come after it: whoever has reaped a process finds it dead
 * here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hashtable.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "process.h"
#include "trace.h"

#define PROCESS_HASH_BITS 12

static DEFINE_HASHTABLE(sup_processes, PROCESS_HASH_BITS);
static DEFINE_SPINLOCK(sup_processes_lock);
static struct kmem_cache *sup_process_cache;
static atomic64_t sup_deaths;

/* Set while the module is loaded, before the device is there. */
static const struct sup_claim_ops *claim_ops;

/* Set up by the wait status that wait4 would give. */
static int task_wait_status(const struct task_struct *task)
{
	return task->signal->flags & SIGNAL_GROUP_EXIT ? task->signal->group_exit_code :
							 task->exit_code;
}

/* As the kernel tells CPU time: what ran, divided as the ticks fell. */
static void process_record_times(struct sup_exit *exit, const struct task_struct *task)
{
	u64 ran = task->signal->sum_sched_runtime + task->se.sum_exec_runtime;
	u64 utime = task->signal->utime + task->utime;
	u64 stime = task->signal->stime + task->stime;

	if (!stime)
		exit->stime_ns = 0;
	else if (!utime)
		exit->stime_ns = ran;
	else
		exit->stime_ns = mul_u64_u64_div_u64(stime, ran, utime + stime);
	exit->utime_ns = ran - exit->stime_ns;
}

/* @task is dead as a whole. */
static void process_record_locked(struct sup_process *process, const struct task_struct *task)
{
	const struct signal_struct *signal = task->signal;
	struct sup_exit *exit = &process->exit;

	lockdep_assert_held(&process->lock);
	exit->seq = atomic64_inc_return(&sup_deaths);
	exit->time_ns = ktime_get_ns();
	process_record_times(exit, task);
	exit->maxrss_kb = (u64)max(signal->maxrss, signal->cmaxrss) << (PAGE_SHIFT - 10);
	exit->status = task_wait_status(task);
	exit->exec_id = task->self_exec_id;
	process->dead = true;
}

static int process_hook(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct sup_process *process = container_of(wait, struct sup_process, wait);
	struct sup_watch *watch, *next;
	struct task_struct *task;
	unsigned long flags;

	rcu_read_lock();
	task = pid_task(process->pid, PIDTYPE_TGID);
	if (!task || !READ_ONCE(task->exit_state) || !thread_group_empty(task))
		goto out;

	spin_lock_irqsave(&process->lock, flags);
	if (!process->dead) {
		process_record_locked(process, task);
		list_del_init(&wait->entry);
		trace_sup_exit(pid_nr(process->pid), process->exit.status, process->exit.seq);
		list_for_each_entry_safe(watch, next, &process->watches, node) {
			list_del_init(&watch->node);
			watch->notify(watch);
		}
	}
	spin_unlock_irqrestore(&process->lock, flags);
out:
	rcu_read_unlock();
	return 0;
}

/**
 * sup_watch_init - make a watch that watches nothing
 * @watch: the watch
 * @notify: told of the death
 *
 * Context: any.
 */
void sup_watch_init(struct sup_watch *watch, void (*notify)(struct sup_watch *watch))
{
	INIT_LIST_HEAD(&watch->node);
	watch->process = NULL;
	watch->notify = notify;
}

static struct sup_process *process_find_locked(const struct pid *pid)
{
	struct sup_process *process;

	lockdep_assert_held(&sup_processes_lock);
	hash_for_each_possible(sup_processes, process, node, (unsigned long)pid)
		if (process->pid == pid)
			return process;
	return NULL;
}

/**
 * sup_process_get_current - track the calling process
 *
 * The caller is alive, so its death is still to come whatever its other threads
 * do: the hook is in place in time.
 *
 * Context: process; may sleep.
 * Return: a reference, or NULL when there is no memory.
 */
struct sup_process *sup_process_get_current(void)
{
	struct pid *pid = task_tgid(current);
	struct sup_process *process, *new;

	/* Who reads one START after the other is tracked already. */
	spin_lock(&sup_processes_lock);
	process = process_find_locked(pid);
	if (process)
		refcount_inc(&process->refs);
	spin_unlock(&sup_processes_lock);
	if (process)
		return process;

	new = kmem_cache_zalloc(sup_process_cache, GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	refcount_set(&new->refs, 1);
	spin_lock_init(&new->lock);
	INIT_LIST_HEAD(&new->watches);
	init_waitqueue_func_entry(&new->wait, process_hook);

	spin_lock(&sup_processes_lock);
	process = process_find_locked(pid);
	if (process) {
		refcount_inc(&process->refs);
	} else {
		process = new;
		new = NULL;
		process->pid = get_pid(pid);
		hash_add_rcu(sup_processes, &process->node, (unsigned long)pid);
		add_wait_queue(&pid->wait_pidfd, &process->wait);
	}
	spin_unlock(&sup_processes_lock);

	if (new)
		kmem_cache_free(sup_process_cache, new);
	return process;
}

static void process_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(sup_process_cache, container_of(rcu, struct sup_process, rcu));
}

/**
 * sup_process_put - drop a reference
 * @process: a process, or NULL
 *
 * Context: process.
 */
void sup_process_put(struct sup_process *process)
{
	bool last;

	if (!process || refcount_dec_not_one(&process->refs))
		return;
	spin_lock(&sup_processes_lock);
	last = refcount_dec_and_test(&process->refs);
	if (last)
		hash_del_rcu(&process->node);
	spin_unlock(&sup_processes_lock);
	if (!last)
		return;
	/* After this the hook cannot run: its queue is the pid's, held here. */
	remove_wait_queue(&process->pid->wait_pidfd, &process->wait);
	put_pid(process->pid);
	sup_origin_put(process->origin);
	call_rcu(&process->rcu, process_free_rcu);
}

/**
 * sup_watch_add - watch a process
 * @watch: an initialised watch that watches nothing
 * @process: the process; its reference passes to the watch
 *
 * Context: process. Told at once, from here, when it is already dead.
 */
void sup_watch_add(struct sup_watch *watch, struct sup_process *process)
{
	watch->process = process;
	spin_lock_irq(&process->lock);
	if (process->dead)
		watch->notify(watch);
	else
		list_add_tail(&watch->node, &process->watches);
	spin_unlock_irq(&process->lock);
}

/**
 * sup_unwatch - stop watching; nothing when @watch watches nothing
 * @watch: the watch; afterwards it is not told and may be used again
 *
 * Context: process.
 * Return: true when it had been watching, and was not told.
 */
bool sup_unwatch(struct sup_watch *watch)
{
	struct sup_process *process = watch->process;
	bool watching;

	if (!process)
		return false;
	spin_lock_irq(&process->lock);
	watching = !list_empty(&watch->node);
	list_del_init(&watch->node);
	if (process->child == watch)
		process->child = NULL;
	spin_unlock_irq(&process->lock);
	watch->process = NULL;
	sup_process_put(process);
	return watching;
}

/**
 * sup_process_claim - make a watch the one that speaks for a supervised child
 * @process: a process
 * @watch: will be found by sup_current_claim() until sup_unwatch()
 *
 * Context: process.
 * Return: false when another one is.
 */
bool sup_process_claim(struct sup_process *process, struct sup_watch *watch)
{
	bool free;

	spin_lock_irq(&process->lock);
	free = !process->child;
	if (free)
		process->child = watch;
	spin_unlock_irq(&process->lock);
	return free;
}

/**
 * sup_claim_register - say how to ask the watches that speak for children
 * @ops: how
 *
 * Context: module init.
 */
void __init sup_claim_register(const struct sup_claim_ops *ops)
{
	claim_ops = ops;
}

/* The record of the calling process, if it is tracked; a reference. */
static struct sup_process *process_current_if_tracked(void)
{
	struct pid *pid = task_tgid(current);
	struct sup_process *process;

	rcu_read_lock();
	hash_for_each_possible_rcu(sup_processes, process, node, (unsigned long)pid)
		if (process->pid == pid && refcount_inc_not_zero(&process->refs))
			break;
	rcu_read_unlock();
	return process;
}

static struct sup_watch *process_claim_get(struct sup_process *process)
{
	struct sup_watch *watch;

	spin_lock_irq(&process->lock);
	watch = process->child;
	if (watch)
		claim_ops->get(watch);
	spin_unlock_irq(&process->lock);
	return watch;
}

/**
 * sup_current_claim - the watch that speaks for the calling process
 *
 * Context: process.
 * Return: the watch, kept, or NULL when it is nobody's child.
 */
struct sup_watch *sup_current_claim(void)
{
	struct sup_process *process = process_current_if_tracked();
	struct sup_watch *watch = NULL;

	if (process)
		watch = process_claim_get(process);
	sup_process_put(process);
	return watch;
}

/**
 * sup_current_keep - let an object live as long as the calling child's spec
 * @object: an object with a file counted for this, which is the spec's on success
 *
 * Context: process; may sleep.
 * Return: 0; -ESRCH when the caller is nobody's child; -ENOSPC when it keeps as
 *	many as it may; -ENOMEM.
 */
int sup_current_keep(struct sup_object *object)
{
	struct sup_watch *watch = sup_current_claim();
	int ret;

	if (!watch)
		return -ESRCH;
	ret = claim_ops->keep(watch, object);
	claim_ops->put(watch);
	return ret;
}

static struct sup_origin *origin_alloc(struct sup_watch *watch)
{
	struct sup_origin *origin;
	char *path;
	size_t len;

	path = kmalloc(PATH_MAX, GFP_KERNEL_ACCOUNT);
	if (!path)
		return NULL;
	len = claim_ops->path(watch, path);
	origin = kmalloc(struct_size(origin, path, len + 1), GFP_KERNEL_ACCOUNT);
	if (origin) {
		refcount_set(&origin->refs, 1);
		claim_ops->identity(watch, &origin->identity);
		origin->path_len = len;
		memcpy(origin->path, path, len + 1);
	}
	kfree(path);
	return origin;
}

static struct sup_origin *process_origin_get(struct sup_process *process)
{
	struct sup_origin *origin;

	spin_lock_irq(&process->lock);
	origin = sup_origin_get(process->origin);
	spin_unlock_irq(&process->lock);
	return origin;
}

/* The first message of a process that may be a child. */
static int process_origin_make(struct sup_process *process)
{
	struct sup_watch *watch = process_claim_get(process);
	struct sup_origin *origin;

	if (!watch)
		return 0;
	origin = origin_alloc(watch);
	claim_ops->put(watch);
	if (!origin)
		return -ENOMEM;
	spin_lock_irq(&process->lock);
	if (!process->origin)
		swap(process->origin, origin);
	spin_unlock_irq(&process->lock);
	sup_origin_put(origin);
	return 0;
}

/**
 * sup_current_origin - what messages of the calling process say of it
 * @origin: set to a reference, or to NULL when it is nobody's child
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int sup_current_origin(struct sup_origin **origin)
{
	struct sup_process *process = process_current_if_tracked();
	int ret = 0;

	*origin = NULL;
	if (!process)
		return 0;
	*origin = process_origin_get(process);
	if (!*origin) {
		ret = process_origin_make(process);
		*origin = process_origin_get(process);
	}
	sup_process_put(process);
	return ret;
}

/**
 * sup_origin_get - take another reference
 * @origin: an origin, or NULL
 *
 * Context: any.
 * Return: @origin.
 */
struct sup_origin *sup_origin_get(struct sup_origin *origin)
{
	if (origin)
		refcount_inc(&origin->refs);
	return origin;
}

/**
 * sup_origin_put - drop a reference
 * @origin: an origin, or NULL
 *
 * Context: any.
 */
void sup_origin_put(struct sup_origin *origin)
{
	if (origin && refcount_dec_and_test(&origin->refs))
		kfree(origin);
}

/**
 * sup_current_exec_id - a number that changes when the calling process execs
 *
 * Context: process.
 * Return: the number.
 */
u64 sup_current_exec_id(void)
{
	return READ_ONCE(current->self_exec_id);
}

/**
 * sup_process_execed - has a process execed since then
 * @process: the process, alive or dead
 * @exec_id: what sup_current_exec_id() said in it then
 *
 * Context: process.
 * Return: true if so.
 */
bool sup_process_execed(struct sup_process *process, u64 exec_id)
{
	u64 now = exec_id;
	struct task_struct *task;

	spin_lock_irq(&process->lock);
	if (process->dead) {
		now = process->exit.exec_id;
	} else {
		rcu_read_lock();
		task = pid_task(process->pid, PIDTYPE_TGID);
		if (task)
			now = READ_ONCE(task->self_exec_id);
		rcu_read_unlock();
	}
	spin_unlock_irq(&process->lock);
	return now != exec_id;
}

/**
 * sup_current_is - is the calling process this one
 * @process: a process, or NULL
 *
 * Context: process.
 * Return: true if so.
 */
bool sup_current_is(const struct sup_process *process)
{
	return process && process->pid == task_tgid(current);
}

/**
 * sup_current_is_child_of - is this the real parent of the calling process
 * @process: a process, or NULL
 *
 * Context: process.
 * Return: true if so.
 */
bool sup_current_is_child_of(const struct sup_process *process)
{
	bool is;

	rcu_read_lock();
	is = process && process->pid == task_tgid(rcu_dereference(current->real_parent));
	rcu_read_unlock();
	return is;
}

/**
 * sup_current_leads_group - does the calling process lead its process group
 *
 * Context: process.
 * Return: true if so.
 */
bool sup_current_leads_group(void)
{
	bool leads;

	rcu_read_lock();
	leads = task_pgrp(current) == task_tgid(current);
	rcu_read_unlock();
	return leads;
}

/**
 * sup_process_init - set up the table of processes
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init sup_process_init(void)
{
	sup_process_cache = KMEM_CACHE(sup_process, SLAB_ACCOUNT);
	return sup_process_cache ? 0 : -ENOMEM;
}

/**
 * sup_process_exit - tear down the table of processes
 *
 * Context: module exit; nothing is watched any more.
 */
void sup_process_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(sup_process_cache);
}
