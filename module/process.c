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

#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <linux/supervisor.h>

#include "object.h"
#include "process.h"
#include "trace.h"

#define PROCESS_HASH_BITS 12

static DEFINE_HASHTABLE(sup_processes, PROCESS_HASH_BITS);
static DEFINE_SPINLOCK(sup_processes_lock);
static struct kmem_cache *sup_process_cache;
static atomic64_t sup_deaths;

/* The dead whose followers are to be told, the latest first. */
static LLIST_HEAD(sup_dead);
static void dead_work(struct work_struct *work);
static DECLARE_WORK(sup_dead_work, dead_work);

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

/*
 * Why it ended. A link's signal comes with the reason of who died at its other
 * end; any other SIGKILL is a kill, whoever sent it.
 */
static u32 process_reason_locked(const struct sup_process *process, int status)
{
	int sig = status & 0x7f;

	lockdep_assert_held(&process->lock);
	if (sig && sig == process->link_signal)
		return process->link_reason;
	if (sig == SIGKILL)
		return SUPERVISOR_EXIT_KILLED;
	if (process->says_shutdown)
		return SUPERVISOR_EXIT_SHUTDOWN;
	if (!status)
		return SUPERVISOR_EXIT_NORMAL;
	if (sig && sig == process->stop_signal)
		return SUPERVISOR_EXIT_SHUTDOWN;
	return SUPERVISOR_EXIT_CRASH;
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
	exit->reason = process_reason_locked(process, exit->status);
	exit->exec_id = task->self_exec_id;
	WRITE_ONCE(process->dead, true);
}

/* Deaths come one at a time, as tasklist_lock is held: so they are told in order. */
static void process_queue_dead_locked(struct sup_process *process)
{
	struct sup_process_more *more = process->more;

	lockdep_assert_held(&process->lock);
	if (!more || list_empty(&more->followers))
		return;
	if (process->child)
		claim_ops->identity(process->child, &more->identity);
	refcount_inc(&process->refs);
	if (llist_add(&more->dead_node, &sup_dead))
		queue_work(sup_workqueue, &sup_dead_work);
}

static bool task_is_dead(const struct task_struct *task)
{
	/* The kernel writes it plainly, under a lock that only the hook's callers hold. */
	return data_race(READ_ONCE(task->exit_state) &&
			 thread_group_empty((struct task_struct *)task));
}

static int process_hook(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct sup_process *process = container_of(wait, struct sup_process, wait);
	struct sup_watch *watch, *next;
	struct task_struct *task;
	unsigned long flags;

	rcu_read_lock();
	task = pid_task(process->pid, PIDTYPE_TGID);
	if (!task || !task_is_dead(task))
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
		process_queue_dead_locked(process);
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
 * sup_process_get - track a process
 * @pid: its identity. It may be dead: see sup_follow()
 *
 * Context: process; may sleep.
 * Return: a reference, or NULL when there is no memory.
 */
struct sup_process *sup_process_get(struct pid *pid)
{
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

/**
 * struct pidfd_look - a poll that does not wait, but looks at what it would wait for
 * @table: what the file is polled with
 * @pid: a process
 * @found: the file is a pidfd of @pid
 */
struct pidfd_look {
	poll_table table;
	const struct pid *pid;
	bool found;
};

static void pidfd_look_at(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct pidfd_look *look = container_of(table, struct pidfd_look, table);

	if (head == &look->pid->wait_pidfd)
		look->found = true;
}

/* Who polls a pidfd waits on its pid's queue, and nobody else does. */
static bool file_is_pidfd_of(struct file *file, const struct pid *pid)
{
	struct pidfd_look look = { .pid = pid };

	init_poll_funcptr(&look.table, pidfd_look_at);
	vfs_poll(file, &look.table);
	return look.found;
}

static int pid_find_by_pidfd(s32 nr, s32 pidfd, struct pid **pid)
{
	struct file *file = fget(pidfd);
	int ret = 0;

	if (!file)
		return -EBADF;
	*pid = find_get_pid(nr);
	if (!*pid || !file_is_pidfd_of(file, *pid)) {
		put_pid(*pid);
		*pid = NULL;
		ret = -ESRCH;
	}
	fput(file);
	return ret;
}

/**
 * sup_pid_find - the process that a caller means
 * @nr: its number in the caller's pid namespace, not below 1
 * @pidfd: a pidfd that it has to be of, or -1
 * @pid: set to a reference, which need not be to a process; NULL when there is none
 *
 * Context: process; may sleep.
 * Return: 0; with @pidfd -EBADF, or -ESRCH when it is of another process.
 */
int sup_pid_find(s32 nr, s32 pidfd, struct pid **pid)
{
	*pid = NULL;
	if (pidfd != -1)
		return pid_find_by_pidfd(nr, pidfd, pid);
	*pid = find_get_pid(nr);
	return 0;
}

static struct sup_process_more *more_alloc(struct sup_process *process)
{
	struct sup_process_more *more = kzalloc(sizeof(*more), GFP_KERNEL_ACCOUNT);

	if (!more)
		return NULL;
	more->process = process;
	INIT_LIST_HEAD(&more->followers);
	return more;
}

/* Give a process what not all have, if it has not. */
static int process_need_more(struct sup_process *process)
{
	struct sup_process_more *more;

	if (READ_ONCE(process->more))
		return 0;
	more = more_alloc(process);
	if (!more)
		return -ENOMEM;
	spin_lock_irq(&process->lock);
	if (!process->more) {
		WRITE_ONCE(process->more, more);
		more = NULL;
	}
	spin_unlock_irq(&process->lock);
	kfree(more);
	return 0;
}

/**
 * sup_process_get_more - track a process that may be followed
 * @pid: its identity. It may be dead: see sup_follow()
 *
 * Context: process; may sleep.
 * Return: a reference to one with @more, or NULL when there is no memory.
 */
struct sup_process *sup_process_get_more(struct pid *pid)
{
	struct sup_process *process = sup_process_get(pid);

	if (!process || !process_need_more(process))
		return process;
	sup_process_put(process);
	return NULL;
}

static void more_free(struct sup_process_more *more)
{
	if (more)
		sup_origin_put(more->origin);
	kfree(more);
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
	return sup_process_get(task_tgid(current));
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
	more_free(process->more);
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
		WRITE_ONCE(process->child, NULL);
	spin_unlock_irq(&process->lock);
	watch->process = NULL;
	sup_process_put(process);
	return watching;
}

/**
 * sup_follower_init - make a follower that follows nobody
 * @follower: the follower
 * @ops: how it is told
 *
 * Context: any.
 */
void sup_follower_init(struct sup_follower *follower, const struct sup_follower_ops *ops)
{
	INIT_LIST_HEAD(&follower->node);
	follower->process = NULL;
	follower->ops = ops;
}

/*
 * Is it dead, or not a process at all? Somebody else's process may have died
 * before it was tracked, or may be dying now:
 *
 *	who follows			the dying process, or who reaps it
 *
 *	sup_process_get()		exit_state is set, or the last thread
 *	  wait_pidfd.lock:		is taken off the group
 *	    adds the hook		wakes wait_pidfd:
 *	sup_follow()			  wait_pidfd.lock:
 *	  sup_process.lock:		    the hook, if it is there:
 *	    process_is_dead()?		      sup_process.lock:
 *	    else adds the follower		sets @dead, takes the followers
 *
 * If the hook was added too late for the waking, what came before the waking is
 * seen here: the process is found dead, and the hook tells nobody. If it was
 * added in time, the hook runs: before us, then @dead is seen; or after us, then
 * it takes the follower. An exit_state may be seen here although the hook is
 * still to run; it does not have this follower then. Each time one of both
 * tells, and not the other.
 *
 * Without tasklist_lock an exec by a thread may be half seen: the old leader is
 * dead, but its group is not empty, also after it has been taken off.
 */
static bool process_is_dead_locked(const struct sup_process *process)
{
	const struct task_struct *task;
	bool dead;

	lockdep_assert_held(&process->lock);
	rcu_read_lock();
	task = pid_task(process->pid, PIDTYPE_TGID);
	dead = process->dead || !task || task_is_dead(task);
	rcu_read_unlock();
	return dead;
}

/**
 * sup_process_alive - can nothing tell yet that a process is dead
 * @process: a tracked process
 * @pid: its identity, which the caller keeps
 *
 * Its death is recorded before wait4 and waitid report it; what looks without
 * tasklist_lock may see it a little earlier, and so do we.
 *
 * Context: any; in an RCU read-side section in which @process was found.
 * Return: true if so.
 */
bool sup_process_alive(const struct sup_process *process, struct pid *pid)
{
	const struct task_struct *task;
	bool alive;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	alive = !READ_ONCE(process->dead) && task && !task_is_dead(task);
	rcu_read_unlock();
	return alive;
}

/**
 * sup_follow - ask to be told of a process's death
 * @follower: an initialised follower that follows nobody
 * @process: the process, from sup_process_get_more(); its reference passes to the
 *	follower on success
 *
 * Context: process.
 * Return: false when it is dead already, or no process; nothing is told then.
 */
bool sup_follow(struct sup_follower *follower, struct sup_process *process)
{
	bool alive;

	spin_lock_irq(&process->lock);
	alive = !process_is_dead_locked(process);
	if (alive) {
		follower->process = process;
		list_add_tail(&follower->node, &process->more->followers);
	}
	spin_unlock_irq(&process->lock);
	return alive;
}

/**
 * sup_unfollow - take that back; nothing when @follower follows nobody
 * @follower: it; may be being told at this moment, but not from now on
 *
 * Context: process. Not twice at a time.
 */
void sup_unfollow(struct sup_follower *follower)
{
	struct sup_process *process = follower->process;

	if (!process)
		return;
	spin_lock_irq(&process->lock);
	list_del_init(&follower->node);
	spin_unlock_irq(&process->lock);
	follower->process = NULL;
	sup_process_put(process);
}

/* The next one to be told, kept; NULL when there is none. */
static struct sup_follower *process_take_follower(struct sup_process *process)
{
	struct sup_follower *follower;

	spin_lock_irq(&process->lock);
	do {
		follower = list_first_entry_or_null(&process->more->followers,
						    struct sup_follower, node);
		if (follower)
			list_del_init(&follower->node);
	} while (follower && !follower->ops->get(follower));
	spin_unlock_irq(&process->lock);
	return follower;
}

static void dead_work(struct work_struct *work)
{
	struct sup_process_more *more, *next;
	struct sup_follower *follower;

	llist_for_each_entry_safe(more, next, llist_reverse_order(llist_del_all(&sup_dead)),
				  dead_node) {
		while ((follower = process_take_follower(more->process))) {
			follower->ops->died(follower, &more->process->exit, &more->identity);
			cond_resched();
		}
		sup_process_put(more->process);
	}
}

/**
 * sup_followers_flush - wait until the followers of who is dead now are told
 *
 * Context: may sleep; holds no lock that they take.
 */
void sup_followers_flush(void)
{
	flush_work(&sup_dead_work);
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
		WRITE_ONCE(process->child, watch);
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

static struct sup_process *process_find_rcu(const struct pid *pid)
{
	struct sup_process *process;

	hash_for_each_possible_rcu(sup_processes, process, node, (unsigned long)pid)
		if (process->pid == pid)
			return process;
	return NULL;
}

/* The record of a process, if it is tracked; a reference. */
static struct sup_process *process_if_tracked(const struct pid *pid)
{
	struct sup_process *process;

	rcu_read_lock();
	process = process_find_rcu(pid);
	if (process && !refcount_inc_not_zero(&process->refs))
		process = NULL;
	rcu_read_unlock();
	return process;
}

/* Who attaches does it itself: no other thread's doing is missed that matters. */
static bool pid_is_child(const struct pid *pid)
{
	struct sup_process *process;
	bool is;

	rcu_read_lock();
	process = process_find_rcu(pid);
	is = process && READ_ONCE(process->child);
	rcu_read_unlock();
	return is;
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
	return sup_pid_claim(task_tgid(current));
}

/**
 * sup_pid_callers - who asked for a process
 * @pid: its identity
 *
 * Context: process; may sleep.
 * Return: a reference, or NULL when it is nobody's child, or nobody is known.
 */
struct sup_callers *sup_pid_callers(struct pid *pid)
{
	struct sup_callers *callers;
	struct sup_watch *watch;

	if (!pid_is_child(pid))
		return NULL;
	watch = sup_pid_claim(pid);
	if (!watch)
		return NULL;
	callers = claim_ops->callers(watch);
	claim_ops->put(watch);
	return callers;
}

/**
 * sup_pid_claim - the watch that speaks for a process
 * @pid: its identity
 *
 * Context: process.
 * Return: the watch, kept, or NULL when it is nobody's child. One that has died is
 *	somebody's until its supervisor has another in its place, or none.
 */
struct sup_watch *sup_pid_claim(struct pid *pid)
{
	struct sup_watch *watch = NULL;
	struct sup_process *process;

	spin_lock(&sup_processes_lock);
	process = process_find_locked(pid);
	if (process)
		refcount_inc(&process->refs);
	spin_unlock(&sup_processes_lock);
	if (process)
		watch = process_claim_get(process);
	sup_process_put(process);
	return watch;
}

/**
 * sup_pid_alive - is there a process that lives
 * @pid: an identity, or NULL
 *
 * Context: any.
 * Return: true if so.
 */
bool sup_pid_alive(struct pid *pid)
{
	const struct task_struct *task;
	bool alive;

	rcu_read_lock();
	task = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
	alive = task && !task_is_dead(task);
	rcu_read_unlock();
	return alive;
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
	size_t len, id_len;
	char *path;

	path = kmalloc(PATH_MAX + SUPERVISOR_NAME_MAX + 1, GFP_KERNEL_ACCOUNT);
	if (!path)
		return NULL;
	len = claim_ops->path(watch, path);
	id_len = claim_ops->id(watch, path + len + 1);
	path[len + 1 + id_len] = '\0';
	origin = kmalloc(struct_size(origin, path, len + 1 + id_len + 1), GFP_KERNEL_ACCOUNT);
	if (origin) {
		refcount_set(&origin->refs, 1);
		claim_ops->identity(watch, &origin->identity);
		origin->path_len = len;
		origin->id_len = id_len;
		memcpy(origin->path, path, len + 1 + id_len + 1);
	}
	kfree(path);
	return origin;
}

static struct sup_origin *process_origin_get(struct sup_process *process)
{
	struct sup_origin *origin = NULL;

	if (!READ_ONCE(process->more))
		return NULL;
	spin_lock_irq(&process->lock);
	origin = sup_origin_get(process->more->origin);
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
	origin = process_need_more(process) ? NULL : origin_alloc(watch);
	claim_ops->put(watch);
	if (!origin)
		return -ENOMEM;
	spin_lock_irq(&process->lock);
	if (!process->more->origin)
		swap(process->more->origin, origin);
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
	return sup_pid_origin(task_tgid(current), origin);
}

/**
 * sup_pid_origin - what messages of a process would say of it
 * @pid: its identity
 * @origin: set to a reference, or to NULL when it is nobody's child
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int sup_pid_origin(struct pid *pid, struct sup_origin **origin)
{
	struct sup_process *process;
	int ret = 0;

	*origin = NULL;
	if (!pid_is_child(pid))
		return 0;
	process = process_if_tracked(pid);
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
 * sup_process_reason - why a process ended
 * @process: the process, which has been told to be dead
 *
 * Context: process.
 * Return: SUPERVISOR_EXIT_*.
 */
u32 sup_process_reason(struct sup_process *process)
{
	u32 reason;

	spin_lock_irq(&process->lock);
	reason = process->exit.reason;
	spin_unlock_irq(&process->lock);
	return reason;
}

/**
 * sup_process_stop_sent - a process is about to get its supervisor's stop signal
 * @process: the process
 * @sig: if it dies of this, that is a shutdown
 *
 * Context: process.
 */
void sup_process_stop_sent(struct sup_process *process, int sig)
{
	spin_lock_irq(&process->lock);
	process->stop_signal = sig;
	spin_unlock_irq(&process->lock);
}

/**
 * sup_process_say_shutdown - a process declares that its exit will be a shutdown
 * @process: the process
 *
 * Context: process.
 */
void sup_process_say_shutdown(struct sup_process *process)
{
	spin_lock_irq(&process->lock);
	process->says_shutdown = true;
	spin_unlock_irq(&process->lock);
}

/**
 * sup_namespace_within - is a pid namespace another one, or below it
 * @ns: the namespace, or NULL, which is below none
 * @above: the other one
 *
 * Context: any.
 * Return: true if so.
 */
bool sup_namespace_within(const struct pid_namespace *ns, const struct pid_namespace *above)
{
	for (; ns; ns = ns->parent)
		if (ns == above)
			return true;
	return false;
}

/**
 * sup_signal_ok - may a process be signalled, as far as pid namespaces go
 * @from: the namespace of the one in whose name it is done
 * @pid: the process
 *
 * The first process of a namespace only from a strict ancestor of it: the kernel
 * would take our word for it, since we are in the initial one.
 *
 * Context: any.
 * Return: true if so.
 */
bool sup_signal_ok(const struct pid_namespace *from, struct pid *pid)
{
	return !is_child_reaper(pid) || sup_namespace_within(ns_of_pid(pid)->parent, from);
}

/**
 * sup_signal - signal a process with the credentials in force
 * @from: the namespace of the one in whose name it is done
 * @pid: the process
 * @sig: the signal, or 0 to ask whether it might be
 *
 * Context: any but the exit hook; holds no lock that the hook takes.
 * Return: 0, -EPERM, -ESRCH.
 */
int sup_signal(const struct pid_namespace *from, struct pid *pid, int sig)
{
	return sup_signal_ok(from, pid) ? kill_pid(pid, sig, 0) : -EPERM;
}

/* Of two signals on their way the one that cannot be caught is what kills. */
static bool process_expect_link(struct sup_process *process, int sig, u32 reason)
{
	bool expect;

	spin_lock_irq(&process->lock);
	expect = !process->link_signal ||
		 (process->link_signal != sig && process->link_signal != SIGKILL);
	if (expect) {
		process->link_signal = sig;
		process->link_reason = reason;
	}
	spin_unlock_irq(&process->lock);
	return expect;
}

/**
 * sup_process_link_signal - signal a process because one that it is linked to died
 * @process: the process
 * @from: the namespace of who made the link, whose credentials are in force
 * @sig: the signal; if it dies of this, it ends with @reason
 * @reason: SUPERVISOR_EXIT_*; the first of a signal counts
 *
 * Context: as sup_signal().
 * Return: as sup_signal().
 */
int sup_process_link_signal(struct sup_process *process, const struct pid_namespace *from,
			    int sig, u32 reason)
{
	bool expect = process_expect_link(process, sig, reason);
	int ret = sup_signal(from, process->pid, sig);

	if (ret && expect) {
		spin_lock_irq(&process->lock);
		process->link_signal = 0;
		spin_unlock_irq(&process->lock);
	}
	return ret;
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

/* That of a task, under RCU; none of one that is being reaped. */
static void who_set(struct sup_who *who, struct task_struct *task)
{
	who->pid = get_pid(task_tgid(task));
	/* An exec by another thread makes that one the leader, of the same age. */
	who->start_ns = READ_ONCE(task->group_leader)->start_boottime;
}

/**
 * sup_current_self - who the calling process is
 * @who: set to it, with a reference
 *
 * Context: process.
 */
void sup_current_self(struct sup_who *who)
{
	rcu_read_lock();
	who_set(who, current);
	rcu_read_unlock();
}

/**
 * sup_current_parent - who the calling process's real parent is at this moment
 * @who: set to it, with a reference
 *
 * Context: process.
 */
void sup_current_parent(struct sup_who *who)
{
	do {
		rcu_read_lock();
		who_set(who, rcu_dereference(current->real_parent));
		rcu_read_unlock();
		/* It has gone meanwhile, and there is another one. */
	} while (!who->pid);
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
 * sup_current_is_exiting - is the calling process this one, and dying
 * @process: a process
 *
 * Not when only the calling thread exits.
 *
 * Context: process.
 * Return: true if so: then its death is still to be told, and will be.
 */
bool sup_current_is_exiting(const struct sup_process *process)
{
	const struct signal_struct *signal = current->signal;

	return process->pid == task_tgid(current) && current->flags & PF_EXITING &&
	       (!atomic_read(&signal->live) || READ_ONCE(signal->flags) & SIGNAL_GROUP_EXIT);
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
 * sup_current_reset_signals - give every signal its default action, block none
 *
 * For the calling process, as sigaction(2) and for the calling thread, as
 * sigprocmask(2).
 *
 * Context: process.
 */
void sup_current_reset_signals(void)
{
	/* Ours, as long as we do not exec. */
	const struct k_sigaction *action =
		rcu_dereference_protected(current->sighand, true)->action;
	sigset_t none;
	int sig;

	for (sig = 1; sig <= _NSIG; sig++)
		if (READ_ONCE(action[sig - 1].sa.sa_handler) != SIG_DFL)
			kernel_sigaction(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/**
 * sup_process_reset_signals - ioctl(SUPERVISOR_RESET_SIGNALS)
 * @ucmd: the ioctl
 *
 * Context: process.
 * Return: 0.
 */
int sup_process_reset_signals(struct sup_ucmd *ucmd)
{
	sup_current_reset_signals();
	return 0;
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
	/* Its last words: what it told may have been the module's last user. */
	flush_work(&sup_dead_work);
	rcu_barrier();
	kmem_cache_destroy(sup_process_cache);
}
