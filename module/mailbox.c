// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox - one ordered queue in which messages arrive: the object, the process
 * that serves it, posts and events.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/log2.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>

#include "account.h"
#include "exchange.h"
#include "mailbox.h"
#include "process.h"
#include "ref.h"

#define RING_MIN 4096U
#define RING_DEFAULT 65536U
#define RING_MAX (16U << 20)

#define MESSAGES_DEFAULT 1024U
#define BYTES_DEFAULT 1048576U

/**
 * struct sup_mailbox_owner - a process that serves a mailbox, or served it
 * @watch: P: on the process
 * @work: acts on its death
 * @mailbox: const, referenced
 * @process: referenced, until @watch has it
 *
 * Lifetime: until it is replaced, the mailbox is closed, or @work has run.
 *	Whoever unwatches the process before it dies frees it; else @work does.
 */
struct sup_mailbox_owner {
	struct sup_watch watch;
	struct work_struct work;
	struct sup_mailbox *mailbox;
	struct sup_process *process;
};

static struct sup_mailbox_listener *mailbox_take_listener(struct sup_mailbox *mailbox)
{
	struct sup_mailbox_listener *listener;

	spin_lock(&mailbox->lock);
	listener = list_first_entry_or_null(&mailbox->listeners, struct sup_mailbox_listener,
					    node);
	if (listener)
		list_del_init(&listener->node);
	spin_unlock(&mailbox->lock);
	return listener;
}

/**
 * sup_mailbox_listen - ask to be told when a mailbox has closed
 * @mailbox: the mailbox
 * @listener: told once, unless sup_mailbox_unlisten() comes first
 *
 * Context: does not sleep.
 * Return: false when it has closed already.
 */
bool sup_mailbox_listen(struct sup_mailbox *mailbox, struct sup_mailbox_listener *listener)
{
	bool closed;

	spin_lock(&mailbox->lock);
	closed = mailbox->closed;
	if (!closed)
		list_add_tail(&listener->node, &mailbox->listeners);
	spin_unlock(&mailbox->lock);
	return !closed;
}

/**
 * sup_mailbox_unlisten - take that back
 * @mailbox: the mailbox
 * @listener: the listener
 *
 * Context: does not sleep.
 * Return: false when it is being told, or has been.
 */
bool sup_mailbox_unlisten(struct sup_mailbox *mailbox, struct sup_mailbox_listener *listener)
{
	bool listed;

	spin_lock(&mailbox->lock);
	listed = !list_empty(&listener->node);
	list_del_init(&listener->node);
	spin_unlock(&mailbox->lock);
	return listed;
}

static struct sup_post *mailbox_take_post(struct sup_mailbox *mailbox)
{
	struct sup_post *post;

	spin_lock(&mailbox->lock);
	post = list_first_entry_or_null(&mailbox->posts, struct sup_post, node);
	if (post) {
		sup_mailbox_unpost_locked(mailbox, post);
		post->ops->get(post);
	}
	spin_unlock(&mailbox->lock);
	return post;
}

/*
 * The owner.
 */

/**
 * sup_mailbox_owner_free - what was to be an owner is not
 * @owner: it, which nobody else has seen
 *
 * Context: may sleep.
 */
void sup_mailbox_owner_free(struct sup_mailbox_owner *owner)
{
	if (owner->process)
		sup_process_put(owner->process);
	sup_mailbox_put(owner->mailbox);
	kfree(owner);
}

static void server_set(struct sup_mailbox *mailbox, struct sup_process *server)
{
	spin_lock(&mailbox->lock);
	WRITE_ONCE(mailbox->server, server);
	spin_unlock(&mailbox->lock);
}

/* Who has it as server, alive. */
static struct sup_process *server_locked(const struct sup_mailbox *mailbox)
{
	lockdep_assert_held(&mailbox->lock);
	return mailbox->server && !READ_ONCE(mailbox->server->dead) ? mailbox->server : NULL;
}

/*
 * Nobody serves it any more. Calls that were taken fail; unless it survives, all
 * that is in it goes, and nothing comes in again.
 */
static void mailbox_unserved(struct sup_mailbox *mailbox)
{
	lockdep_assert_held(&mailbox->owner_lock);
	spin_lock(&mailbox->lock);
	mailbox->dead = !mailbox->survive || mailbox->closed;
	spin_unlock(&mailbox->lock);
	sup_exchange_fail_all(mailbox, mailbox->dead);
	if (!mailbox->dead)
		return;
	sup_cast_discard_all(mailbox);
	/* Also those who poll for something else, or for nothing. */
	wake_up_interruptible_poll(&mailbox->wait, EPOLLERR);
	wake_up_interruptible_poll(&mailbox->room, EPOLLOUT | EPOLLWRNORM | EPOLLERR);
}

/* There is no owner any more; who monitors what does not survive that is told @reason. */
static void mailbox_lost_owner(struct sup_mailbox *mailbox, u32 reason)
{
	mailbox_unserved(mailbox);
	if (mailbox->dead)
		sup_object_down(&mailbox->object, reason);
}

static void owner_work(struct work_struct *work)
{
	struct sup_mailbox_owner *owner = container_of(work, struct sup_mailbox_owner, work);
	struct sup_mailbox *mailbox = owner->mailbox;
	u32 reason;
	bool dead;

	mutex_lock(&mailbox->owner_lock);
	if (mailbox->owner == owner) {
		reason = sup_process_reason(owner->watch.process);
		server_set(mailbox, NULL);
		mailbox->owner = NULL;
		sup_unwatch(&owner->watch);
		mailbox_lost_owner(mailbox, reason);
	}
	dead = mailbox->dead;
	mutex_unlock(&mailbox->owner_lock);
	if (dead)
		sup_object_clear_name(&mailbox->object);
	sup_mailbox_owner_free(owner);
}

static void owner_died(struct sup_watch *watch)
{
	struct sup_mailbox_owner *owner = container_of(watch, struct sup_mailbox_owner, watch);

	queue_work(sup_workqueue, &owner->work);
}

/**
 * sup_mailbox_owner_alloc - what it takes to make the calling process an owner
 * @mailbox: of what
 *
 * Context: may sleep.
 * Return: it, for sup_mailbox_serve() or sup_mailbox_owner_free(); NULL.
 */
struct sup_mailbox_owner *sup_mailbox_owner_alloc(struct sup_mailbox *mailbox)
{
	struct sup_mailbox_owner *owner = kmalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);

	if (!owner)
		return NULL;
	owner->process = sup_process_get_current();
	if (!owner->process) {
		kfree(owner);
		return NULL;
	}
	sup_watch_init(&owner->watch, owner_died);
	INIT_WORK(&owner->work, owner_work);
	sup_object_get(&mailbox->object);
	owner->mailbox = mailbox;
	return owner;
}

/*
 * From one owner to the next, or to none; the death of the one that was is nobody's
 * business now. In one step: who sends meanwhile, or asks if the name is free, finds
 * the one or the other.
 */
static void owner_replace(struct sup_mailbox *mailbox, struct sup_mailbox_owner *owner)
{
	struct sup_mailbox_owner *old = mailbox->owner;

	lockdep_assert_held(&mailbox->owner_lock);
	mailbox->owner = owner;
	server_set(mailbox, owner ? owner->watch.process : NULL);
	/* Who was told of its death frees it. */
	if (old && sup_unwatch(&old->watch))
		sup_mailbox_owner_free(old);
}

static void owner_drop(struct sup_mailbox *mailbox)
{
	owner_replace(mailbox, NULL);
}

static bool owner_is_dead(const struct sup_mailbox *mailbox)
{
	return mailbox->owner && READ_ONCE(mailbox->owner->watch.process->dead);
}

static void owner_set(struct sup_mailbox *mailbox, struct sup_mailbox_owner *owner)
{
	struct user_namespace *old_ns = mailbox->owner_ns;
	struct sup_process *process = owner->process;

	lockdep_assert_held(&mailbox->owner_lock);
	mailbox->owner_uid = current_euid();
	mailbox->owner_ns = get_user_ns(current_user_ns());
	put_user_ns(old_ns);
	owner->process = NULL;
	sup_watch_add(&owner->watch, process);
	owner_replace(mailbox, owner);
}

static bool own_allowed(const struct sup_mailbox *mailbox)
{
	return uid_eq(current_euid(), mailbox->owner_uid) ||
	       ns_capable(mailbox->owner_ns, CAP_KILL);
}

/* Act on its death, if that is still to be done. */
static void owner_settle(struct sup_mailbox *mailbox)
{
	u32 reason;

	lockdep_assert_held(&mailbox->owner_lock);
	if (!owner_is_dead(mailbox))
		return;
	reason = sup_process_reason(mailbox->owner->watch.process);
	owner_drop(mailbox);
	mailbox_lost_owner(mailbox, reason);
}

static int own_locked(struct sup_mailbox *mailbox, struct sup_mailbox_owner *owner, u32 flags)
{
	lockdep_assert_held(&mailbox->owner_lock);
	if (!own_allowed(mailbox))
		return -EPERM;
	owner_settle(mailbox);
	if (mailbox->dead)
		return -ESHUTDOWN;
	if (flags & SUPERVISOR_OWN_F_VACANT && mailbox->owner &&
	    mailbox->server != owner->process)
		return -EBUSY;
	owner_set(mailbox, owner);
	return 0;
}

/**
 * sup_mailbox_serve - become a mailbox's owner, if it has none
 * @mailbox: the mailbox, which survives
 * @owner: the calling process as its owner; is consumed
 *
 * Context: may sleep.
 */
void sup_mailbox_serve(struct sup_mailbox *mailbox, struct sup_mailbox_owner *owner)
{
	bool vacant;

	mutex_lock(&mailbox->owner_lock);
	owner_settle(mailbox);
	vacant = !mailbox->dead && !mailbox->owner;
	if (vacant)
		owner_set(mailbox, owner);
	mutex_unlock(&mailbox->owner_lock);
	if (!vacant)
		sup_mailbox_owner_free(owner);
}

/* Its death is recorded, but may not have been acted on. */
static bool server_died(struct sup_mailbox *mailbox)
{
	struct sup_process *server;
	bool died;

	/* Records are freed after a grace period. */
	rcu_read_lock();
	server = READ_ONCE(mailbox->server);
	died = server && READ_ONCE(server->dead);
	rcu_read_unlock();
	return died;
}

/**
 * sup_mailbox_settle - act on the owner's death, if that is still to be done
 * @mailbox: the mailbox
 *
 * Whoever has waited for the owner finds the mailbox as it leaves it.
 * Context: may sleep.
 */
void sup_mailbox_settle(struct sup_mailbox *mailbox)
{
	if (!server_died(mailbox))
		return;
	mutex_lock(&mailbox->owner_lock);
	owner_settle(mailbox);
	mutex_unlock(&mailbox->owner_lock);
}

/**
 * sup_mailbox_own - ioctl(SUPERVISOR_MAILBOX_OWN)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_mailbox_own(struct sup_ucmd *ucmd)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(ucmd->object);
	struct supervisor_mailbox_own *cmd = ucmd->cmd;
	struct sup_mailbox_owner *owner;
	int ret;

	owner = sup_mailbox_owner_alloc(mailbox);
	if (!owner)
		return -ENOMEM;
	mutex_lock(&mailbox->owner_lock);
	ret = own_locked(mailbox, owner, cmd->flags);
	mutex_unlock(&mailbox->owner_lock);
	if (ret)
		sup_mailbox_owner_free(owner);
	return ret;
}

static bool mailbox_name_is_free(struct sup_object *object)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(object);
	bool free;

	spin_lock(&mailbox->lock);
	free = !mailbox->survive && !server_locked(mailbox);
	spin_unlock(&mailbox->lock);
	return free;
}

static pid_t mailbox_owner_pid(struct sup_object *object, struct pid_namespace *ns)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(object);
	struct sup_process *server;
	pid_t pid;

	spin_lock(&mailbox->lock);
	server = server_locked(mailbox);
	pid = server ? pid_nr_ns(server->pid, ns) : 0;
	spin_unlock(&mailbox->lock);
	return pid;
}

/*
 * The object.
 */

/*
 * It has been closed. Who owned it till death gives its reason; if that closes it,
 * by dying, the reason is still to come, and is told by owner_work().
 */
static void mailbox_end(struct sup_mailbox *mailbox)
{
	u32 reason = SUPERVISOR_EXIT_NORMAL;

	lockdep_assert_held(&mailbox->owner_lock);
	if (owner_is_dead(mailbox)) {
		reason = sup_process_reason(mailbox->owner->watch.process);
	} else if (mailbox->owner && sup_current_is_exiting(mailbox->owner->watch.process)) {
		mailbox_unserved(mailbox);
		return;
	}
	owner_drop(mailbox);
	mailbox_lost_owner(mailbox, reason);
}

/* Nobody can read any more: what is queued goes, and nothing is queued again. */
static void mailbox_unused(struct sup_object *object)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(object);
	struct sup_mailbox_listener *listener;
	struct sup_post *post;

	mutex_lock(&mailbox->owner_lock);
	spin_lock(&mailbox->lock);
	mailbox->closed = true;
	spin_unlock(&mailbox->lock);
	mailbox_end(mailbox);
	mutex_unlock(&mailbox->owner_lock);

	while ((post = mailbox_take_post(mailbox))) {
		post->ops->discard(post);
		post->ops->put(post);
	}
	sup_exchange_forget_started(mailbox);
	sup_refs_close(mailbox);
	while ((listener = mailbox_take_listener(mailbox)))
		listener->closed(listener);
}

static void mailbox_free(struct sup_object *object)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(object);

	sup_account_uncharge(object->account, SUPERVISOR_LIMIT_BYTES, mailbox->ring.size);
	sup_account_uncharge(object->account, SUPERVISOR_LIMIT_MAILBOXES, 1);
	sup_ring_destroy(&mailbox->ring);
	put_user_ns(mailbox->owner_ns);
	mutex_destroy(&mailbox->owner_lock);
	kfree(mailbox);
}

static const struct sup_object_ops mailbox_ops = {
	.kind = SUP_KIND_MAILBOX,
	.file_name = "[supervisor-mailbox]",
	.fops = &sup_mailbox_fops,
	.unused = mailbox_unused,
	.free = mailbox_free,
	.owner_pid = mailbox_owner_pid,
	.name_is_free = mailbox_name_is_free,
};

static struct sup_mailbox *mailbox_alloc(u32 ring_size, u32 *limit)
{
	struct sup_account *account;
	struct sup_mailbox *mailbox;
	int ret = -ENOMEM;

	account = sup_account_get_current();
	if (!account)
		return ERR_PTR(-ENOMEM);
	*limit = SUPERVISOR_LIMIT_MAILBOXES;
	if (sup_account_charge(account, SUPERVISOR_LIMIT_MAILBOXES, 1)) {
		ret = -EDQUOT;
		goto err_account;
	}
	*limit = SUPERVISOR_LIMIT_BYTES;
	if (sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, ring_size)) {
		ret = -EDQUOT;
		goto err_mailboxes;
	}
	*limit = SUPERVISOR_LIMIT_NONE;

	mailbox = kzalloc(sizeof(*mailbox), GFP_KERNEL_ACCOUNT);
	if (!mailbox)
		goto err_bytes;
	if (sup_ring_init(&mailbox->ring, ring_size))
		goto err_mailbox;
	spin_lock_init(&mailbox->lock);
	mutex_init(&mailbox->owner_lock);
	init_waitqueue_head(&mailbox->wait);
	init_waitqueue_head(&mailbox->room);
	INIT_LIST_HEAD(&mailbox->posts);
	INIT_LIST_HEAD(&mailbox->listeners);
	INIT_LIST_HEAD(&mailbox->queued_calls);
	INIT_LIST_HEAD(&mailbox->taken_calls);
	INIT_LIST_HEAD(&mailbox->parked);
	INIT_LIST_HEAD(&mailbox->started);
	hash_init(mailbox->calls_by_number);
	sup_exchange_prepare(mailbox);
	mailbox->refs = RB_ROOT;
	sup_object_init(&mailbox->object, &mailbox_ops, account);
	return mailbox;

err_mailbox:
	kfree(mailbox);
err_bytes:
	sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, ring_size);
err_mailboxes:
	sup_account_uncharge(account, SUPERVISOR_LIMIT_MAILBOXES, 1);
err_account:
	sup_account_put(account);
	return ERR_PTR(ret);
}

static int create_check(struct supervisor_mailbox_create *cmd)
{
	if (!cmd->ring_bytes)
		cmd->ring_bytes = RING_DEFAULT;
	if (!cmd->max_messages)
		cmd->max_messages = MESSAGES_DEFAULT;
	if (!cmd->max_bytes)
		cmd->max_bytes = BYTES_DEFAULT;
	if (!cmd->max_payload)
		cmd->max_payload = min_t(u32, SUPERVISOR_PAYLOAD_MAX, cmd->max_bytes);
	if (!is_power_of_2(cmd->ring_bytes) || cmd->ring_bytes < RING_MIN ||
	    cmd->ring_bytes > RING_MAX || cmd->max_messages > SUP_MAILBOX_MESSAGES_MAX ||
	    cmd->max_bytes > SUP_MAILBOX_BYTES_MAX || cmd->max_payload > SUPERVISOR_PAYLOAD_MAX ||
	    cmd->max_payload > cmd->max_bytes || cmd->__reserved2)
		return -EINVAL;
	return cmd->name_len || !cmd->mode ? 0 : -EINVAL;
}

/* The creator owns it. */
static int create_own(struct sup_mailbox *mailbox)
{
	struct sup_mailbox_owner *owner;

	owner = sup_mailbox_owner_alloc(mailbox);
	if (!owner)
		return -ENOMEM;
	mutex_lock(&mailbox->owner_lock);
	owner_set(mailbox, owner);
	mutex_unlock(&mailbox->owner_lock);
	return 0;
}

static int create_name(struct sup_mailbox *mailbox, struct supervisor_mailbox_create *cmd)
{
	int ret;

	if (!cmd->name_len)
		return 0;
	ret = sup_object_set_name(&mailbox->object, cmd->name, cmd->name_len, cmd->mode);
	if (ret == -EDQUOT)
		cmd->out_limit = SUPERVISOR_LIMIT_NAMES;
	if (ret || !mailbox->survive)
		return ret;
	sup_object_remember(&mailbox->object);
	ret = sup_current_keep(&mailbox->object);
	if (ret)
		sup_object_forget(&mailbox->object);
	if (ret == -ENOSPC)
		cmd->out_limit = SUPERVISOR_LIMIT_KEPT_MAILBOXES;
	/* Nobody's child: its files keep it. */
	return ret == -ESRCH ? 0 : ret;
}

/**
 * sup_mailbox_create - ioctl(SUPERVISOR_MAILBOX_CREATE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_mailbox_create(struct sup_ucmd *ucmd)
{
	struct supervisor_mailbox_create *cmd = ucmd->cmd;
	struct supervisor_mailbox_create params = *cmd;
	struct sup_mailbox *mailbox;
	int ret;

	cmd->out_fd = -1;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_id = 0;
	ret = create_check(&params);
	if (ret)
		return ret;
	mailbox = mailbox_alloc(params.ring_bytes, &cmd->out_limit);
	if (IS_ERR(mailbox))
		return PTR_ERR(mailbox);
	mailbox->max_messages = params.max_messages;
	mailbox->max_bytes = params.max_bytes;
	mailbox->max_payload = params.max_payload;
	mailbox->survive = params.flags & SUPERVISOR_MAILBOX_F_SURVIVE;

	/* From here on it is undone as the closing of its last file. */
	atomic_set(&mailbox->object.files, 1);
	ret = create_own(mailbox);
	if (!ret)
		ret = sup_object_file(ucmd, &mailbox->object, O_RDWR);
	if (ret) {
		sup_object_forget(&mailbox->object);
		return ret;
	}
	/* The file is the dispatcher's to close. */
	ret = create_name(mailbox, cmd);
	if (!ret) {
		cmd->out_fd = ucmd->new_fd;
		cmd->out_id = mailbox->object.id;
	}
	sup_object_put(&mailbox->object);
	return ret;
}

static struct sup_mailbox *mailbox_fdget(int fd, fmode_t mode)
{
	struct file *file = sup_object_fget(fd, SUP_KIND_MAILBOX);
	struct sup_mailbox *mailbox = ERR_PTR(-EBADF);

	if (IS_ERR(file))
		return ERR_CAST(file);
	if ((file->f_mode & mode) == mode) {
		mailbox = sup_object_mailbox(sup_file_object(file));
		sup_object_get(&mailbox->object);
	}
	fput(file);
	return mailbox;
}

/**
 * sup_mailbox_fdget - the mailbox that a file descriptor is
 * @fd: from user space
 *
 * Context: may sleep.
 * Return: a reference; -EBADF or -EBADFD.
 */
struct sup_mailbox *sup_mailbox_fdget(int fd)
{
	return mailbox_fdget(fd, 0);
}

/**
 * sup_mailbox_fdget_read - the mailbox that a file descriptor open for reading is
 * @fd: from user space
 *
 * Context: may sleep.
 * Return: a reference; -EBADF or -EBADFD.
 */
struct sup_mailbox *sup_mailbox_fdget_read(int fd)
{
	return mailbox_fdget(fd, FMODE_READ);
}

/**
 * sup_mailbox_fdget_write - the mailbox that a file descriptor open for writing is
 * @fd: from user space
 *
 * Context: may sleep.
 * Return: a reference; -EBADF or -EBADFD.
 */
struct sup_mailbox *sup_mailbox_fdget_write(int fd)
{
	return mailbox_fdget(fd, FMODE_WRITE);
}

/**
 * sup_mailbox_put - drop a reference
 * @mailbox: a mailbox, or NULL
 *
 * Context: may sleep.
 */
void sup_mailbox_put(struct sup_mailbox *mailbox)
{
	if (mailbox)
		sup_object_put(&mailbox->object);
}

/**
 * sup_post_init - make a post that is nowhere queued
 * @post: the post
 * @ops: how to deliver it
 *
 * Context: any.
 */
void sup_post_init(struct sup_post *post, const struct sup_post_ops *ops)
{
	INIT_LIST_HEAD(&post->node);
	post->seq = 0;
	post->ref = 0;
	post->ops = ops;
}

/**
 * sup_mailbox_do_wake_readers - wake who reads or polls
 * @mailbox: the mailbox
 * @sync: the caller is about to sleep
 *
 * Context: as sup_mailbox_wake_readers().
 */
void sup_mailbox_do_wake_readers(struct sup_mailbox *mailbox, bool sync)
{
	if (sync)
		wake_up_interruptible_sync_poll(&mailbox->wait, EPOLLIN | EPOLLRDNORM);
	else
		wake_up_interruptible_poll(&mailbox->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * sup_mailbox_do_wake_senders - wake who waits for room, or polls
 * @mailbox: the mailbox
 *
 * Context: as sup_mailbox_wake_senders().
 */
void sup_mailbox_do_wake_senders(struct sup_mailbox *mailbox)
{
	wake_up_interruptible_poll(&mailbox->room, EPOLLOUT | EPOLLWRNORM);
}

/**
 * sup_mailbox_admit_locked - may a cast or call be queued
 * @mailbox: the mailbox
 * @len: bytes of its payload
 * @limit: set with -EAGAIN: SUPERVISOR_LIMIT_*
 *
 * Context: holds M.
 * Return: 0; -ESHUTDOWN when nobody serves it; -EAGAIN when there is no room.
 */
int sup_mailbox_admit_locked(const struct sup_mailbox *mailbox, u32 len, u32 *limit)
{
	lockdep_assert_held(&mailbox->lock);
	/* Who has waited for its owner finds it dead, though that has not been acted on. */
	if (mailbox->closed || mailbox->dead || (!mailbox->survive && !server_locked(mailbox)))
		return -ESHUTDOWN;
	if (mailbox->messages >= mailbox->max_messages)
		*limit = SUPERVISOR_LIMIT_MAILBOX_MESSAGES;
	else if (mailbox->bytes + len > mailbox->max_bytes)
		*limit = SUPERVISOR_LIMIT_MAILBOX_BYTES;
	else
		return 0;
	return -EAGAIN;
}

/**
 * sup_mailbox_post_locked - queue a message
 * @mailbox: where, not closed
 * @post: the message, which is nowhere queued
 *
 * Context: holds M. Readers are to be woken.
 */
void sup_mailbox_post_locked(struct sup_mailbox *mailbox, struct sup_post *post)
{
	lockdep_assert_held(&mailbox->lock);
	post->seq = mailbox->next_seq++;
	list_add_tail(&post->node, &mailbox->posts);
	mailbox->posted++;
}

/**
 * sup_mailbox_post - queue a message that cannot be refused
 * @mailbox: where
 * @post: the message, which is nowhere queued
 *
 * What keeps the mailbox may be the message's, and go with it.
 *
 * Context: may sleep.
 * Return: false when nobody can ever read it; it is not queued then.
 */
bool sup_mailbox_post(struct sup_mailbox *mailbox, struct sup_post *post)
{
	bool closed;

	spin_lock(&mailbox->lock);
	closed = mailbox->closed;
	if (!closed && list_empty(&post->node))
		sup_mailbox_post_locked(mailbox, post);
	/* Who reads it before anybody is woken may also close the mailbox before that. */
	if (!closed)
		sup_object_get(&mailbox->object);
	spin_unlock(&mailbox->lock);
	if (closed)
		return false;
	sup_mailbox_wake_readers(mailbox, false);
	sup_mailbox_put(mailbox);
	return true;
}

/**
 * sup_mailbox_restore_locked - put a post back that could not be delivered
 * @mailbox: where it came from, not closed
 * @post: it, which has kept its place in the order
 *
 * Context: holds M; who calls this is the one that reads.
 */
void sup_mailbox_restore_locked(struct sup_mailbox *mailbox, struct sup_post *post)
{
	struct sup_post *at;

	lockdep_assert_held(&mailbox->lock);
	/* It was the first, unless its reader wanted a ref. */
	list_for_each_entry(at, &mailbox->posts, node)
		if (at->seq > post->seq)
			break;
	list_add_tail(&post->node, &at->node);
	mailbox->posted++;
}

/**
 * sup_mailbox_restore - put a post back that could not be delivered
 * @mailbox: where it came from
 * @post: it, which has kept its place in the order
 *
 * Context: as sup_mailbox_post().
 * Return: as sup_mailbox_post().
 */
bool sup_mailbox_restore(struct sup_mailbox *mailbox, struct sup_post *post)
{
	bool closed;

	spin_lock(&mailbox->lock);
	closed = mailbox->closed;
	if (!closed && list_empty(&post->node))
		sup_mailbox_restore_locked(mailbox, post);
	spin_unlock(&mailbox->lock);
	if (!closed)
		sup_mailbox_wake_readers(mailbox, false);
	return !closed;
}

/**
 * sup_mailbox_withdraw - take a post out of the queue
 * @mailbox: where
 * @post: a post
 *
 * Context: does not sleep.
 * Return: was it still queued.
 */
bool sup_mailbox_withdraw(struct sup_mailbox *mailbox, struct sup_post *post)
{
	bool queued;

	spin_lock(&mailbox->lock);
	queued = !list_empty(&post->node);
	sup_mailbox_unpost_locked(mailbox, post);
	spin_unlock(&mailbox->lock);
	return queued;
}

/* The bytes of a name, if it is there, and one that ends it; returns what follows. */
static char *name_write(char *to, const struct sup_name *name, char end)
{
	if (name) {
		memcpy(to, name->bytes, name->len);
		to += name->len;
	}
	*to = end;
	return to + 1;
}

static u32 event_path_len(const struct sup_event_who *who)
{
	u32 len = 0;
	u32 i;

	for (i = 0; i < who->depth; i++)
		len += who->path[i]->len + (i ? 1 : 0);
	return len;
}

/* An event has no room, or no memory. */
static void ring_lose_locked(struct sup_mailbox *mailbox)
{
	lockdep_assert_held(&mailbox->lock);
	if (!mailbox->lost)
		mailbox->lost_seq = mailbox->next_seq++;
	WRITE_ONCE(mailbox->lost, mailbox->lost + 1);
}

/* Room for an event of @size bytes; NULL when there is none, and it is counted. */
static struct sup_ring_record *ring_add_locked(struct sup_mailbox *mailbox, u32 size,
					       struct pid *pid)
{
	struct sup_ring_record *record;

	lockdep_assert_held(&mailbox->lock);
	size += sizeof(*record);
	if (mailbox->lost || !sup_ring_fits(&mailbox->ring, size, mailbox->ring.size)) {
		ring_lose_locked(mailbox);
		return NULL;
	}
	record = sup_ring_add(&mailbox->ring, size);
	record->kind = SUP_RING_EVENT;
	record->len = 0;
	record->seq = mailbox->next_seq++;
	record->ref = 0;
	record->pid = get_pid(pid);
	record->caller = NULL;
	return record;
}

static void event_write(char *at, const struct supervisor_msg_event *msg,
			const struct sup_event_who *who)
{
	char *end = at + msg->head.size;
	u32 i;

	memcpy(at, msg, sizeof(*msg));
	at = name_write(at + sizeof(*msg), who->id, '\0');
	for (i = 0; i + 1 < who->depth; i++)
		at = name_write(at, who->path[i], '/');
	at = name_write(at, who->depth ? who->path[i] : NULL, '\0');
	memset(at, 0, end - at);
}

/**
 * sup_mailbox_event - queue an event, if there is room
 * @mailbox: where
 * @event: the message but for its size, pid, uid and what follows it
 * @who: whom it is about
 *
 * An event that finds no room is counted in a GAP, and so are those after it
 * until the GAP has been read: so the GAP stands where they are missing.
 *
 * Context: does not sleep; not in the exit hook.
 */
void sup_mailbox_event(struct sup_mailbox *mailbox, const struct supervisor_msg_event *event,
		       const struct sup_event_who *who)
{
	struct supervisor_msg_event msg = *event;
	struct sup_ring_record *record;

	msg.head.type = SUPERVISOR_MSG_EVENT;
	msg.head.uid = from_kuid_munged(mailbox->object.account->ns, who->uid);
	msg.id_len = who->id ? who->id->len : 0;
	msg.path_len = event_path_len(who);
	msg.text_offset = sizeof(msg);
	msg.head.size = sizeof(msg) + ALIGN(msg.id_len + 1 + msg.path_len + 1, 8);

	spin_lock(&mailbox->lock);
	record = ring_add_locked(mailbox, msg.head.size, who->pid);
	if (record) {
		/* Not the whole chain: an unread event costs nobody else anything. */
		record->caller = get_pid(sup_callers_first_pid(who->callers));
		event_write(record->message, &msg, who);
	}
	spin_unlock(&mailbox->lock);
	sup_mailbox_wake_readers(mailbox, false);
}

/**
 * sup_mailbox_crash - queue a crash report, if there is room
 * @mailbox: where
 * @crash: the message but for its uid and pid and for the entries of @callers, with
 *	which the reader gets it; or NULL: it counts as lost
 * @uid: the supervisor's creator
 * @pid: the child's process
 * @callers: its callers, or NULL
 *
 * Context: as sup_mailbox_event().
 */
void sup_mailbox_crash(struct sup_mailbox *mailbox, const struct supervisor_msg_crash *crash,
		       kuid_t uid, struct pid *pid, struct sup_callers *callers)
{
	struct sup_ring_record *record = NULL;
	struct supervisor_msg *head;

	spin_lock(&mailbox->lock);
	if (crash)
		record = ring_add_locked(mailbox, crash->head.size, pid);
	else
		ring_lose_locked(mailbox);
	if (record) {
		record->kind = SUP_RING_CRASH;
		record->callers = sup_callers_get(callers);
		memcpy(record->message, crash, crash->head.size);
		head = (struct supervisor_msg *)record->message;
		head->uid = from_kuid_munged(mailbox->object.account->ns, uid);
	}
	spin_unlock(&mailbox->lock);
	sup_mailbox_wake_readers(mailbox, false);
}

/**
 * sup_mailbox_registry_event - queue a registry's event, if there is room
 * @mailbox: where
 * @event: the message but for its size, pid, uid and what follows it
 * @change: whom and what it is about
 *
 * Context: as sup_mailbox_event().
 */
void sup_mailbox_registry_event(struct sup_mailbox *mailbox,
				const struct supervisor_msg_registry *event,
				const struct sup_registry_change *change)
{
	u32 text = event->key_len + 1 + event->value_len + 1;
	struct supervisor_msg_registry msg = *event;
	struct sup_ring_record *record;
	u8 *at;

	msg.head.type = SUPERVISOR_MSG_REGISTRY;
	msg.head.uid = from_kuid_munged(mailbox->object.account->ns, change->uid);
	msg.text_offset = sizeof(msg);
	msg.head.size = sizeof(msg) + ALIGN(text, 8);

	spin_lock(&mailbox->lock);
	record = ring_add_locked(mailbox, msg.head.size, change->pid);
	if (record) {
		memcpy(record->message, &msg, sizeof(msg));
		at = (u8 *)record->message + sizeof(msg);
		memset(at, 0, ALIGN(text, 8));
		memcpy(at, change->key, msg.key_len);
		memcpy(at + msg.key_len + 1, change->value, msg.value_len);
	}
	spin_unlock(&mailbox->lock);
	sup_mailbox_wake_readers(mailbox, false);
}

static __poll_t mailbox_poll(struct file *file, poll_table *table)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(sup_file_object(file));
	__poll_t events = 0;
	u32 limit;

	poll_wait(file, &mailbox->wait, table);
	if (file->f_mode & FMODE_WRITE)
		poll_wait(file, &mailbox->room, table);
	spin_lock(&mailbox->lock);
	if (sup_mailbox_readable_locked(mailbox))
		events |= EPOLLIN | EPOLLRDNORM;
	/* One byte, at least. */
	if (file->f_mode & FMODE_WRITE && !sup_mailbox_admit_locked(mailbox, 1, &limit))
		events |= EPOLLOUT | EPOLLWRNORM;
	if (mailbox->dead)
		events |= EPOLLERR;
	spin_unlock(&mailbox->lock);
	return events;
}

static void mailbox_look(struct sup_mailbox *mailbox, struct supervisor_mailbox_status *status)
{
	struct sup_process *server;

	status->out_id = mailbox->object.id;
	status->out_survive = mailbox->survive;
	status->out_max_messages = mailbox->max_messages;
	status->out_max_bytes = mailbox->max_bytes;
	status->out_max_payload = mailbox->max_payload;
	status->out_ring_bytes = mailbox->ring.size;
	spin_lock(&mailbox->lock);
	server = server_locked(mailbox);
	status->out_owner_pid = server ? pid_vnr(server->pid) : 0;
	status->out_messages = mailbox->messages;
	status->out_bytes = mailbox->bytes;
	status->out_taken = mailbox->taken;
	status->out_reserved = mailbox->ring.live + mailbox->posted - mailbox->messages;
	status->out_lost = mailbox->lost;
	spin_unlock(&mailbox->lock);
}

/**
 * sup_mailbox_status - ioctl(SUPERVISOR_MAILBOX_STATUS)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_mailbox_status(struct sup_ucmd *ucmd)
{
	sup_mailbox_settle(sup_object_mailbox(ucmd->object));
	mailbox_look(sup_object_mailbox(ucmd->object), ucmd->cmd);
	return 0;
}

static void mailbox_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(sup_file_object(file));
	struct supervisor_mailbox_status status;

	mailbox_look(mailbox, &status);
	seq_printf(seq, "supervisor-mailbox-id:\t%llu\n", status.out_id);
	seq_printf(seq, "supervisor-mailbox-owner:\t%d\n", status.out_owner_pid);
	seq_printf(seq, "supervisor-mailbox-messages:\t%u/%u\n", status.out_messages,
		   status.out_max_messages);
	seq_printf(seq, "supervisor-mailbox-bytes:\t%u/%u\n", status.out_bytes,
		   status.out_max_bytes);
	seq_printf(seq, "supervisor-mailbox-taken:\t%u\n", status.out_taken);
	seq_printf(seq, "supervisor-mailbox-reserved:\t%u\n", status.out_reserved);
	seq_printf(seq, "supervisor-mailbox-lost:\t%llu\n", status.out_lost);
}

static int mailbox_release(struct inode *inode, struct file *file)
{
	sup_exchange_forget_parked(sup_object_mailbox(sup_file_object(file)), file);
	return sup_object_release(inode, file);
}

const struct file_operations sup_mailbox_fops = {
	.owner = THIS_MODULE,
	.release = mailbox_release,
	.read = sup_mailbox_read,
	.write = sup_mailbox_write,
	.poll = mailbox_poll,
	.unlocked_ioctl = sup_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = mailbox_show_fdinfo,
	.llseek = noop_llseek,
};
