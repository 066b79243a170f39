// SPDX-License-Identifier: GPL-2.0
/*
 * link - two processes that do not outlive each other, and processes that would
 * rather be told.
 *
 * A link belongs to neither of its processes and to no file: it lives while both
 * live. When the first of them dies, the work item that tells of deaths takes the
 * link away and carries the reason to the other one: as a signal, or as an EXIT
 * in the mailbox with which it traps exits. All of that is done under one mutex:
 * after SUPERVISOR_PROCESS_UNLINK nothing comes that was not there before.
 *
 * Who dies of a link's signal ends with the reason that came through the link,
 * and so do those that are linked to it, and so on. A circle of links ends where
 * it began, with a process that is dead already.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "account.h"
#include "down.h"
#include "link.h"
#include "mailbox.h"
#include "process.h"

#define LINK_HASH_BITS 12

/* L: links by the identities of both processes; and the traps. */
static DEFINE_HASHTABLE(sup_links, LINK_HASH_BITS);
static DEFINE_MUTEX(sup_links_lock);
static struct kmem_cache *sup_link_cache;

/* Why a link acts. */
struct cause {
	struct pid *pid;		/* who died, or was not there; or NULL */
	const struct sup_exit *exit;	/* NULL: it was not there */
	const struct sup_identity *identity;	/* with @exit */
};

/* One of the processes of a link. */
struct link_end {
	struct sup_follower follower;
	struct link *link;
};

/**
 * struct link - a link
 * @node: L: in sup_links; unhashed when it is over, or never was
 * @refs: references: the table's, the queue's of @down, who looks at it
 * @id: const
 * @signal: const: what the survivor gets
 * @ends: on the process that made it, and on the other one
 * @cred: const, referenced: of who made it: signals are sent with these
 * @pid_ns: const, referenced: its pid namespace
 * @account: const, referenced: who pays
 * @mailbox: referenced: where @down is queued; const then
 * @down: the EXIT
 *
 * Lifetime: in the table from SUPERVISOR_PROCESS_LINK until one of both dies, or
 *	SUPERVISOR_PROCESS_UNLINK; then in a mailbox, if there is an EXIT. Holds a
 *	module reference, as no file need be left.
 */
struct link {
	struct hlist_node node;
	refcount_t refs;
	u64 id;
	int signal;
	struct link_end ends[2];
	const struct cred *cred;
	struct pid_namespace *pid_ns;
	struct sup_account *account;
	struct sup_mailbox *mailbox;
	struct sup_down down;
};

/**
 * struct sup_trap - that a process traps exits
 * @refs: references: sup_process.trap's, @listener's, who looks at it
 * @over: L: it is sup_process.trap no more
 * @mailbox: const, referenced: where its EXITs go
 * @listener: of @mailbox, whose end ends it
 * @follower: on the process, likewise
 */
struct sup_trap {
	refcount_t refs;
	bool over;
	struct sup_mailbox *mailbox;
	struct sup_mailbox_listener listener;
	struct sup_follower follower;
};

/*
 * Memory.
 */

static void link_put(struct link *link)
{
	if (!refcount_dec_and_test(&link->refs))
		return;
	sup_down_destroy(&link->down);
	sup_mailbox_put(link->mailbox);
	sup_account_uncharge(link->account, SUPERVISOR_LIMIT_REFS, 1);
	sup_account_put(link->account);
	put_pid_ns(link->pid_ns);
	put_cred(link->cred);
	kmem_cache_free(sup_link_cache, link);
	module_put(THIS_MODULE);
}

static void trap_put(struct sup_trap *trap)
{
	if (!refcount_dec_and_test(&trap->refs))
		return;
	sup_mailbox_put(trap->mailbox);
	kfree(trap);
}

/*
 * The EXIT message. The queue's reference goes when it was read, or never can be.
 */

static struct link *post_link(struct sup_post *post)
{
	return container_of(post, struct link, down.post);
}

static void link_post_get(struct sup_post *post)
{
	refcount_inc(&post_link(post)->refs);
}

static void link_post_put(struct sup_post *post)
{
	link_put(post_link(post));
}

/* False when the mailbox was closed meanwhile. */
static bool link_restore(struct link *link)
{
	struct sup_mailbox *mailbox = link->mailbox;
	bool closed;

	spin_lock(&mailbox->lock);
	closed = mailbox->closed;
	if (!closed)
		sup_mailbox_restore_locked(mailbox, &link->down.post);
	spin_unlock(&mailbox->lock);
	return !closed;
}

static ssize_t link_post_deliver(struct sup_post *post, void __user *to, size_t room,
				 size_t *needed)
{
	struct link *link = post_link(post);
	ssize_t ret = sup_down_deliver(&link->down, to, room, needed);

	if (ret >= 0 || !link_restore(link))
		link_put(link);
	return ret;
}

static const struct sup_post_ops link_post_ops = {
	.get = link_post_get,
	.deliver = link_post_deliver,
	.put = link_post_put,
	.discard = link_post_put,
};

/*
 * What a link does in the end.
 */

/* True when @trap's process is told; false when nobody can ever read it. */
static bool link_tell_locked(struct link *link, struct sup_trap *trap, const struct cause *cause)
{
	lockdep_assert_held(&sup_links_lock);
	link->down.pid = get_pid(cause->pid);
	if (cause->exit)
		sup_down_process(&link->down, cause->exit, cause->identity);
	else
		sup_down_noproc(&link->down, SUPERVISOR_EXIT_NOPROC);
	link->down.post.ref = link->id;
	sup_object_get(&trap->mailbox->object);
	link->mailbox = trap->mailbox;
	refcount_inc(&link->refs);
	if (sup_mailbox_post(trap->mailbox, &link->down.post))
		return true;
	refcount_dec(&link->refs);
	return false;
}

static void link_signal_locked(struct link *link, struct sup_process *process, u32 reason)
{
	const struct cred *old = override_creds(link->cred);

	lockdep_assert_held(&sup_links_lock);
	sup_process_link_signal(process, link->pid_ns, link->signal, reason);
	revert_creds(old);
}

/* Carry the end of one process to the one that is linked to it. */
static void link_carry_locked(struct link *link, struct sup_process *process,
			      const struct cause *cause)
{
	u32 reason = cause->exit ? cause->exit->reason : SUPERVISOR_EXIT_NOPROC;

	lockdep_assert_held(&sup_links_lock);
	if (READ_ONCE(process->dead))
		return;
	if (process->more->trap && link_tell_locked(link, process->more->trap, cause))
		return;
	if (reason != SUPERVISOR_EXIT_NORMAL)
		link_signal_locked(link, process, reason);
}

/* Its processes are followed no more; the table's reference goes. */
static void link_detach(struct link *link)
{
	sup_unfollow(&link->ends[0].follower);
	sup_unfollow(&link->ends[1].follower);
	link_put(link);
}

static struct link_end *follower_end(struct sup_follower *follower)
{
	return container_of(follower, struct link_end, follower);
}

static bool link_follower_get(struct sup_follower *follower)
{
	return refcount_inc_not_zero(&follower_end(follower)->link->refs);
}

static void link_process_died(struct sup_follower *follower, const struct sup_exit *exit,
			      const struct sup_identity *identity)
{
	struct link_end *end = follower_end(follower);
	struct link *link = end->link;
	struct link_end *other = &link->ends[end == &link->ends[0]];
	bool over;

	mutex_lock(&sup_links_lock);
	over = hlist_unhashed(&link->node);
	if (!over) {
		hash_del(&link->node);
		link_carry_locked(link, other->follower.process,
				  &(struct cause){ .pid = follower->process->pid, .exit = exit,
						   .identity = identity });
	}
	mutex_unlock(&sup_links_lock);
	if (!over)
		link_detach(link);
	link_put(link);
}

static const struct sup_follower_ops link_follower_ops = {
	.get = link_follower_get,
	.died = link_process_died,
};

/*
 * Making and undoing.
 */

static unsigned long link_key(const struct pid *a, const struct pid *b)
{
	return (unsigned long)a + (unsigned long)b;
}

static bool link_joins(const struct link *link, const struct pid *a, const struct pid *b)
{
	const struct pid *one = link->ends[0].follower.process->pid;
	const struct pid *two = link->ends[1].follower.process->pid;

	return (one == a && two == b) || (one == b && two == a);
}

static struct link *link_find_locked(const struct pid *a, const struct pid *b)
{
	struct link *link;

	lockdep_assert_held(&sup_links_lock);
	hash_for_each_possible(sup_links, link, node, link_key(a, b))
		if (link_joins(link, a, b))
			return link;
	return NULL;
}

static struct link *link_alloc(int signal, u32 *limit)
{
	struct sup_account *account;
	struct link *link;
	int i;

	account = sup_account_get_current();
	if (!account)
		return ERR_PTR(-ENOMEM);
	if (sup_account_charge(account, SUPERVISOR_LIMIT_REFS, 1)) {
		*limit = SUPERVISOR_LIMIT_REFS;
		sup_account_put(account);
		return ERR_PTR(-EDQUOT);
	}
	link = kmem_cache_zalloc(sup_link_cache, GFP_KERNEL_ACCOUNT);
	if (!link) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_REFS, 1);
		sup_account_put(account);
		return ERR_PTR(-ENOMEM);
	}
	__module_get(THIS_MODULE);
	INIT_HLIST_NODE(&link->node);
	refcount_set(&link->refs, 1);
	link->id = sup_id_next();
	link->signal = signal ?: SIGKILL;
	for (i = 0; i < ARRAY_SIZE(link->ends); i++) {
		sup_follower_init(&link->ends[i].follower, &link_follower_ops);
		link->ends[i].link = link;
	}
	link->cred = get_current_cred();
	link->pid_ns = get_pid_ns(task_active_pid_ns(current));
	link->account = account;
	sup_down_init(&link->down, &link_post_ops, SUPERVISOR_MSG_EXIT);
	return link;
}

/*
 * Might the process with these credentials signal the caller? As the kernel
 * decides it, but for its security module, which is asked when a signal is sent.
 */
static bool cred_may_signal_current(const struct cred *cred)
{
	const struct cred *mine = current_real_cred();
	const struct cred *old;
	bool may;

	if (uid_eq(cred->euid, mine->suid) || uid_eq(cred->euid, mine->uid) ||
	    uid_eq(cred->uid, mine->suid) || uid_eq(cred->uid, mine->uid))
		return true;
	old = override_creds(cred);
	may = ns_capable(mine->user_ns, CAP_KILL);
	revert_creds(old);
	return may;
}

/* May the caller and this process signal each other: 0, -EPERM, -ESRCH. */
static int link_allowed(struct pid *pid)
{
	const struct cred *cred = NULL;
	struct task_struct *task;
	int ret;

	ret = sup_signal(task_active_pid_ns(current), pid, 0);
	if (ret)
		return ret;
	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		cred = get_task_cred(task);
	rcu_read_unlock();
	if (!cred)
		return -ESRCH;
	ret = cred_may_signal_current(cred) ? 0 : -EPERM;
	put_cred(cred);
	return ret;
}

/* Enter it, or act at once. True when it was entered: its reference is the table's. */
static bool link_add_locked(struct link *link, struct sup_process *self, struct sup_process *peer,
			    struct pid *pid)
{
	lockdep_assert_held(&sup_links_lock);
	if (!peer || !sup_follow(&link->ends[1].follower, peer)) {
		link_carry_locked(link, self, &(struct cause){ .pid = pid });
		return false;
	}
	/* The caller is alive. */
	sup_follow(&link->ends[0].follower, self);
	hash_add(sup_links, &link->node, link_key(self->pid, pid));
	return true;
}

/* Link @self with the process that @pid is, or was; NULL when there is none. */
static int link_processes(struct supervisor_process_link *cmd, struct sup_process *self,
			  struct pid *pid)
{
	struct sup_process *peer = NULL;
	struct link *link, *old;
	bool added = false;

	if (pid) {
		peer = sup_process_get_more(pid);
		if (!peer)
			return -ENOMEM;
	}
	link = link_alloc(cmd->signal, &cmd->out_limit);
	if (IS_ERR(link)) {
		sup_process_put(peer);
		return PTR_ERR(link);
	}
	mutex_lock(&sup_links_lock);
	old = pid ? link_find_locked(self->pid, pid) : NULL;
	cmd->out_found = !!old;
	cmd->out_ref = old ? old->id : link->id;
	if (!old)
		added = link_add_locked(link, self, peer, pid);
	mutex_unlock(&sup_links_lock);
	if (added)
		return 0;
	link_put(link);
	sup_process_put(peer);
	sup_process_put(self);
	return 0;
}

/* Are they linked already? That costs nothing. */
static bool link_is_there(struct supervisor_process_link *cmd, struct pid *pid)
{
	struct link *link;

	mutex_lock(&sup_links_lock);
	link = link_find_locked(task_tgid(current), pid);
	if (link) {
		cmd->out_found = 1;
		cmd->out_ref = link->id;
	}
	mutex_unlock(&sup_links_lock);
	return link;
}

static int link_to(struct supervisor_process_link *cmd, struct pid *pid)
{
	struct sup_process *self;
	int ret = 0;

	if (pid) {
		if (pid == task_tgid(current) || link_is_there(cmd, pid))
			return 0;
		ret = link_allowed(pid);
		if (ret == -EPERM)
			return ret;
	}
	self = sup_process_get_more(task_tgid(current));
	if (!self)
		return -ENOMEM;
	ret = link_processes(cmd, self, pid);
	if (ret)
		sup_process_put(self);
	return ret;
}

/**
 * sup_link_create - ioctl(SUPERVISOR_PROCESS_LINK)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_link_create(struct sup_ucmd *ucmd)
{
	struct supervisor_process_link *cmd = ucmd->cmd;
	struct pid *pid;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_found = 0;
	cmd->out_ref = 0;
	if (cmd->pid <= 0 || !valid_signal(cmd->signal))
		return -EINVAL;
	ret = sup_pid_find(cmd->pid, cmd->pidfd, &pid);
	if (ret)
		return ret;
	ret = link_to(cmd, pid);
	put_pid(pid);
	return ret;
}

/**
 * sup_link_unlink - ioctl(SUPERVISOR_PROCESS_UNLINK)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_link_unlink(struct sup_ucmd *ucmd)
{
	struct supervisor_process_link *cmd = ucmd->cmd;
	struct link *link = NULL;
	struct pid *pid;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_found = 0;
	cmd->out_ref = 0;
	if (cmd->pid <= 0 || cmd->signal)
		return -EINVAL;
	ret = sup_pid_find(cmd->pid, cmd->pidfd, &pid);
	if (ret)
		return ret;
	mutex_lock(&sup_links_lock);
	if (pid)
		link = link_find_locked(task_tgid(current), pid);
	if (link)
		hash_del(&link->node);
	mutex_unlock(&sup_links_lock);
	put_pid(pid);
	if (link) {
		cmd->out_found = 1;
		link_detach(link);
	} else {
		/* What has lost its number may have died this moment. */
		sup_followers_flush();
	}
	return 0;
}

/*
 * Trapping exits.
 */

/* It is the process's trap no more: let go of it. */
static void trap_detach(struct sup_trap *trap)
{
	if (!trap)
		return;
	if (sup_mailbox_unlisten(trap->mailbox, &trap->listener))
		trap_put(trap);
	sup_unfollow(&trap->follower);
	trap_put(trap);
}

/* Set or clear a process's trap; the old one, to be let go of. */
static struct sup_trap *trap_replace_locked(struct sup_process *process, struct sup_trap *trap)
{
	struct sup_trap *old = process->more->trap;

	lockdep_assert_held(&sup_links_lock);
	if (old)
		old->over = true;
	process->more->trap = trap;
	return old;
}

static void trap_end(struct sup_trap *trap)
{
	struct sup_trap *old = NULL;

	mutex_lock(&sup_links_lock);
	if (!trap->over)
		old = trap_replace_locked(trap->follower.process, NULL);
	mutex_unlock(&sup_links_lock);
	trap_detach(old);
	trap_put(trap);
}

static void trap_mailbox_closed(struct sup_mailbox_listener *listener)
{
	trap_end(container_of(listener, struct sup_trap, listener));
}

static bool trap_follower_get(struct sup_follower *follower)
{
	return refcount_inc_not_zero(&container_of(follower, struct sup_trap, follower)->refs);
}

static void trap_process_died(struct sup_follower *follower, const struct sup_exit *exit,
			      const struct sup_identity *identity)
{
	trap_end(container_of(follower, struct sup_trap, follower));
}

static const struct sup_follower_ops trap_follower_ops = {
	.get = trap_follower_get,
	.died = trap_process_died,
};

static struct sup_trap *trap_alloc(struct sup_mailbox *mailbox)
{
	struct sup_trap *trap = kzalloc(sizeof(*trap), GFP_KERNEL_ACCOUNT);

	if (!trap)
		return NULL;
	/* Its process's, and its listener's. */
	refcount_set(&trap->refs, 2);
	sup_object_get(&mailbox->object);
	trap->mailbox = mailbox;
	trap->listener.closed = trap_mailbox_closed;
	sup_follower_init(&trap->follower, &trap_follower_ops);
	return trap;
}

/* The caller's process traps exits from now on, into a mailbox that is open. */
static int trap_begin(struct sup_mailbox *mailbox)
{
	struct sup_process *self = sup_process_get_more(task_tgid(current));
	struct sup_trap *trap, *old;

	if (!self)
		return -ENOMEM;
	trap = trap_alloc(mailbox);
	if (!trap) {
		sup_process_put(self);
		return -ENOMEM;
	}
	mutex_lock(&sup_links_lock);
	sup_mailbox_listen(mailbox, &trap->listener);
	sup_follow(&trap->follower, self);
	old = trap_replace_locked(self, trap);
	mutex_unlock(&sup_links_lock);
	trap_detach(old);
	return 0;
}

static int trap_stop(void)
{
	struct sup_process *self = sup_process_get_more(task_tgid(current));
	struct sup_trap *old;

	if (!self)
		return -ENOMEM;
	mutex_lock(&sup_links_lock);
	old = trap_replace_locked(self, NULL);
	mutex_unlock(&sup_links_lock);
	trap_detach(old);
	sup_process_put(self);
	return 0;
}

/**
 * sup_link_trap_exit - ioctl(SUPERVISOR_TRAP_EXIT)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_link_trap_exit(struct sup_ucmd *ucmd)
{
	struct supervisor_trap_exit *cmd = ucmd->cmd;
	struct file *file;
	int ret = -EBADF;

	if (cmd->mailbox_fd == -1)
		return trap_stop();
	file = sup_object_fget(cmd->mailbox_fd, SUP_KIND_MAILBOX);
	if (IS_ERR(file))
		return PTR_ERR(file);
	/* The file is held: so the mailbox is not closed meanwhile. */
	if (file->f_mode & FMODE_READ)
		ret = trap_begin(sup_object_mailbox(sup_file_object(file)));
	fput(file);
	return ret;
}

/**
 * sup_link_init - set up what all links share
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init sup_link_init(void)
{
	sup_link_cache = KMEM_CACHE(link, SLAB_ACCOUNT);
	return sup_link_cache ? 0 : -ENOMEM;
}

/**
 * sup_link_exit - tear down what all links share
 *
 * Context: module exit; there are no links any more.
 */
void sup_link_exit(void)
{
	kmem_cache_destroy(sup_link_cache);
}
