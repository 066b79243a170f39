// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox - one ordered queue in which messages arrive.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hrtimer.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "account.h"
#include "deadline.h"
#include "mailbox.h"

#define RING_MIN 4096U
#define RING_DEFAULT 65536U
#define RING_MAX (16U << 20)

/* The head of a record in the ring; its message follows. */
struct ring_record {
	u64 seq;
	struct pid *pid;	/* referenced; its number is the reader's affair */
	u32 size;		/* of the message */
	u32 unused;
};

static struct sup_mailbox *object_mailbox(struct sup_object *object)
{
	return container_of(object, struct sup_mailbox, object);
}

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
		list_del_init(&post->node);
		post->ops->get(post);
	}
	spin_unlock(&mailbox->lock);
	return post;
}

/* Nobody can read any more: what is queued goes, and nothing is queued again. */
static void mailbox_unused(struct sup_object *object)
{
	struct sup_mailbox *mailbox = object_mailbox(object);
	struct sup_mailbox_listener *listener;
	struct sup_post *post;

	spin_lock(&mailbox->lock);
	mailbox->closed = true;
	spin_unlock(&mailbox->lock);
	while ((post = mailbox_take_post(mailbox))) {
		post->ops->discard(post);
		post->ops->put(post);
	}
	while ((listener = mailbox_take_listener(mailbox)))
		listener->closed(listener);
}

static void ring_read(const struct sup_mailbox *mailbox, u32 offset, void *to, u32 len)
{
	u32 at = offset & (mailbox->ring_size - 1);
	u32 first = min(len, mailbox->ring_size - at);

	memcpy(to, mailbox->ring + at, first);
	memcpy(to + first, mailbox->ring, len - first);
}

/* The oldest record has been read, or never will be. */
static void ring_drop(struct sup_mailbox *mailbox)
{
	struct ring_record record;

	ring_read(mailbox, mailbox->tail, &record, sizeof(record));
	spin_lock(&mailbox->lock);
	mailbox->tail += sizeof(record) + record.size;
	spin_unlock(&mailbox->lock);
	put_pid(record.pid);
}

static void mailbox_free(struct sup_object *object)
{
	struct sup_mailbox *mailbox = object_mailbox(object);

	sup_account_uncharge(object->account, SUPERVISOR_LIMIT_BYTES, mailbox->ring_size);
	sup_account_uncharge(object->account, SUPERVISOR_LIMIT_MAILBOXES, 1);
	while (mailbox->head != mailbox->tail)
		ring_drop(mailbox);
	kvfree(mailbox->ring);
	kfree(mailbox);
}

static const struct sup_object_ops mailbox_ops = {
	.kind = SUP_KIND_MAILBOX,
	.file_name = "[supervisor-mailbox]",
	.fops = &sup_mailbox_fops,
	.unused = mailbox_unused,
	.free = mailbox_free,
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
	mailbox->ring = kvmalloc(ring_size, GFP_KERNEL_ACCOUNT);
	if (!mailbox->ring)
		goto err_mailbox;
	mailbox->ring_size = ring_size;
	spin_lock_init(&mailbox->lock);
	init_waitqueue_head(&mailbox->wait);
	INIT_LIST_HEAD(&mailbox->posts);
	INIT_LIST_HEAD(&mailbox->listeners);
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
	u32 ring_size = cmd->ring_bytes ?: RING_DEFAULT;
	struct sup_mailbox *mailbox;
	int ret;

	cmd->out_fd = -1;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_id = 0;
	if (!is_power_of_2(ring_size) || ring_size < RING_MIN || ring_size > RING_MAX)
		return -EINVAL;
	mailbox = mailbox_alloc(ring_size, &cmd->out_limit);
	if (IS_ERR(mailbox))
		return PTR_ERR(mailbox);

	atomic_set(&mailbox->object.files, 1);
	ret = sup_object_file(ucmd, &mailbox->object, O_RDWR);
	if (!ret) {
		cmd->out_fd = ucmd->new_fd;
		cmd->out_id = mailbox->object.id;
	}
	sup_object_put(&mailbox->object);
	return ret;
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
	struct file *file = sup_object_fget(fd, SUP_KIND_MAILBOX);
	struct sup_mailbox *mailbox;

	if (IS_ERR(file))
		return ERR_CAST(file);
	mailbox = object_mailbox(sup_file_object(file));
	sup_object_get(&mailbox->object);
	fput(file);
	return mailbox;
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
	post->ops = ops;
}

static void mailbox_wake(struct sup_mailbox *mailbox)
{
	wake_up_interruptible_poll(&mailbox->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * sup_mailbox_post - queue a message that cannot be refused
 * @mailbox: where
 * @post: the message, which is nowhere queued
 *
 * Context: does not sleep; not in the exit hook.
 * Return: false when nobody can ever read it; it is not queued then.
 */
bool sup_mailbox_post(struct sup_mailbox *mailbox, struct sup_post *post)
{
	bool closed;

	spin_lock(&mailbox->lock);
	closed = mailbox->closed;
	if (!closed && list_empty(&post->node)) {
		post->seq = mailbox->next_seq++;
		list_add_tail(&post->node, &mailbox->posts);
	}
	spin_unlock(&mailbox->lock);
	if (!closed)
		mailbox_wake(mailbox);
	return !closed;
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
		list_add(&post->node, &mailbox->posts);
	spin_unlock(&mailbox->lock);
	if (!closed)
		mailbox_wake(mailbox);
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
	list_del_init(&post->node);
	spin_unlock(&mailbox->lock);
	return queued;
}

static void ring_write_locked(struct sup_mailbox *mailbox, const void *from, u32 len)
{
	u32 at = mailbox->head & (mailbox->ring_size - 1);
	u32 first = min(len, mailbox->ring_size - at);

	lockdep_assert_held(&mailbox->lock);
	memcpy(mailbox->ring + at, from, first);
	memcpy(mailbox->ring, from + first, len - first);
	mailbox->head += len;
}

static void ring_pad_locked(struct sup_mailbox *mailbox, u32 len)
{
	static const u8 zero[8];

	ring_write_locked(mailbox, zero, len);
}

static void ring_write_name_locked(struct sup_mailbox *mailbox, const struct sup_name *name,
				   const char *end)
{
	if (name)
		ring_write_locked(mailbox, name->bytes, name->len);
	ring_write_locked(mailbox, end, 1);
}

static u32 event_path_len(const struct sup_event_who *who)
{
	u32 len = 0;
	u32 i;

	for (i = 0; i < who->depth; i++)
		len += who->path[i]->len + (i ? 1 : 0);
	return len;
}

static void ring_write_event_locked(struct sup_mailbox *mailbox,
				    const struct supervisor_msg_event *msg,
				    const struct sup_event_who *who)
{
	struct ring_record record = {
		.seq = mailbox->next_seq++,
		.pid = get_pid(who->pid),
		.size = msg->head.size,
	};
	u32 end = mailbox->head + sizeof(record) + msg->head.size;
	u32 i;

	ring_write_locked(mailbox, &record, sizeof(record));
	ring_write_locked(mailbox, msg, sizeof(*msg));
	ring_write_name_locked(mailbox, who->id, "");
	for (i = 0; i + 1 < who->depth; i++)
		ring_write_name_locked(mailbox, who->path[i], "/");
	ring_write_name_locked(mailbox, who->depth ? who->path[i] : NULL, "");
	ring_pad_locked(mailbox, end - mailbox->head);
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
	u32 need;

	msg.head.type = SUPERVISOR_MSG_EVENT;
	msg.head.uid = from_kuid_munged(mailbox->object.account->ns, who->uid);
	msg.id_len = who->id ? who->id->len : 0;
	msg.path_len = event_path_len(who);
	msg.text_offset = sizeof(msg);
	msg.head.size = sizeof(msg) + ALIGN(msg.id_len + 1 + msg.path_len + 1, 8);
	need = sizeof(struct ring_record) + msg.head.size;

	spin_lock(&mailbox->lock);
	if (mailbox->lost || mailbox->ring_size - (mailbox->head - mailbox->tail) < need)
		mailbox->lost++;
	else
		ring_write_event_locked(mailbox, &msg, who);
	spin_unlock(&mailbox->lock);
	mailbox_wake(mailbox);
}

/* What is there to read next. */
enum next_kind { NEXT_NONE, NEXT_POST, NEXT_RING, NEXT_GAP };

struct next {
	enum next_kind kind;
	struct sup_post *post;
	u64 lost;
};

static bool mailbox_readable_locked(const struct sup_mailbox *mailbox)
{
	return !list_empty(&mailbox->posts) || mailbox->head != mailbox->tail || mailbox->lost;
}

/*
 * Become the reader, if there is something to read and nobody else reads: so
 * messages leave in order. Not a mutex: who copies to memory that is slow to come
 * must not make others wait past their deadlines.
 */
static bool mailbox_try_read(struct sup_mailbox *mailbox)
{
	bool begin;

	spin_lock(&mailbox->lock);
	begin = !mailbox->reading && mailbox_readable_locked(mailbox);
	if (begin)
		mailbox->reading = true;
	spin_unlock(&mailbox->lock);
	return begin;
}

static void mailbox_end_read(struct sup_mailbox *mailbox)
{
	bool more;

	spin_lock(&mailbox->lock);
	mailbox->reading = false;
	more = mailbox_readable_locked(mailbox);
	spin_unlock(&mailbox->lock);
	if (more)
		mailbox_wake(mailbox);
}

static bool mailbox_readable(struct sup_mailbox *mailbox)
{
	bool readable;

	spin_lock(&mailbox->lock);
	readable = mailbox_readable_locked(mailbox);
	spin_unlock(&mailbox->lock);
	return readable;
}

static void mailbox_next(struct sup_mailbox *mailbox, struct next *next)
{
	struct ring_record record = { .seq = U64_MAX };

	*next = (struct next){};
	spin_lock(&mailbox->lock);
	if (mailbox->head != mailbox->tail)
		ring_read(mailbox, mailbox->tail, &record, sizeof(record));
	next->post = list_first_entry_or_null(&mailbox->posts, struct sup_post, node);
	if (next->post && next->post->seq < record.seq) {
		next->kind = NEXT_POST;
		list_del_init(&next->post->node);
		next->post->ops->get(next->post);
	} else if (mailbox->head != mailbox->tail) {
		next->kind = NEXT_RING;
	} else if (mailbox->lost) {
		next->kind = NEXT_GAP;
		next->lost = mailbox->lost;
	}
	spin_unlock(&mailbox->lock);
}

static ssize_t take_post(struct sup_post *post, u8 __user *to, size_t room, size_t *needed)
{
	ssize_t len = post->ops->deliver(post, to, room, needed);

	post->ops->put(post);
	return len;
}

/* Bytes of the ring to user space, from where they may wrap. */
static int ring_copy_to_user(const struct sup_mailbox *mailbox, u32 offset, u8 __user *to, u32 len)
{
	u32 at = offset & (mailbox->ring_size - 1);
	u32 first = min(len, mailbox->ring_size - at);

	return copy_to_user(to, mailbox->ring + at, first) ||
	       copy_to_user(to + first, mailbox->ring, len - first) ? -EFAULT : 0;
}

static ssize_t take_ring(struct sup_mailbox *mailbox, u8 __user *to, size_t room, size_t *needed)
{
	struct ring_record record;
	struct supervisor_msg head;
	u32 at = mailbox->tail;

	ring_read(mailbox, at, &record, sizeof(record));
	if (record.size > room) {
		*needed = record.size;
		return -EMSGSIZE;
	}
	at += sizeof(record);
	ring_read(mailbox, at, &head, sizeof(head));
	head.pid = pid_vnr(record.pid);
	if (copy_to_user(to, &head, sizeof(head)) ||
	    ring_copy_to_user(mailbox, at + sizeof(head), to + sizeof(head),
			      record.size - sizeof(head)))
		return -EFAULT;
	ring_drop(mailbox);
	return record.size;
}

static ssize_t take_gap(struct sup_mailbox *mailbox, u64 lost, u8 __user *to, size_t room,
			size_t *needed)
{
	struct supervisor_msg msg = {
		.size = sizeof(msg),
		.type = SUPERVISOR_MSG_GAP,
		.ref = lost,
		.time_ns = ktime_get_ns(),
	};

	if (sizeof(msg) > room) {
		*needed = sizeof(msg);
		return -EMSGSIZE;
	}
	if (copy_to_user(to, &msg, sizeof(msg)))
		return -EFAULT;
	spin_lock(&mailbox->lock);
	mailbox->lost -= lost;
	spin_unlock(&mailbox->lock);
	return sizeof(msg);
}

/* One message: its bytes, 0 when there is none, or an error that left it there. */
static ssize_t mailbox_take_one(struct sup_mailbox *mailbox, u8 __user *to, size_t room,
				size_t *needed)
{
	struct next next;
	ssize_t len;

	for (;;) {
		mailbox_next(mailbox, &next);
		switch (next.kind) {
		case NEXT_NONE:
			return 0;
		case NEXT_RING:
			return take_ring(mailbox, to, room, needed);
		case NEXT_GAP:
			return take_gap(mailbox, next.lost, to, room, needed);
		case NEXT_POST:
			len = take_post(next.post, to, room, needed);
			if (len != -ESTALE)
				return len;
		}
	}
}

/* Messages into @to; the bytes, or an error when there is not one message. */
static ssize_t mailbox_take(struct sup_mailbox *mailbox, u8 __user *to, size_t room, u32 max,
			    u32 *count, size_t *needed)
{
	ssize_t len = 0;
	size_t done = 0;

	*count = 0;
	while (*count < max) {
		len = mailbox_take_one(mailbox, to + done, room - done, needed);
		if (len <= 0)
			break;
		done += len;
		++*count;
	}
	return *count ? done : len;
}

static ssize_t mailbox_receive(struct sup_mailbox *mailbox, void __user *to, size_t room, u32 max,
			       u64 deadline, u32 *count, size_t *needed)
{
	ssize_t len;
	int ret;

	for (;;) {
		ret = sup_wait_until(mailbox->wait, mailbox_try_read(mailbox), deadline);
		if (ret)
			return ret;
		len = mailbox_take(mailbox, to, room, max, count, needed);
		mailbox_end_read(mailbox);
		if (len)
			return len;
	}
}

/**
 * sup_mailbox_recv - ioctl(SUPERVISOR_MAILBOX_RECV)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_mailbox_recv(struct sup_ucmd *ucmd)
{
	struct supervisor_mailbox_recv *cmd = ucmd->cmd;
	size_t needed = 0;
	u64 deadline = ucmd->file->f_flags & O_NONBLOCK ? 0 : cmd->deadline;
	ssize_t len;

	cmd->out_count = 0;
	if (!IS_ALIGNED(cmd->buf, 8))
		return -EINVAL;
	len = mailbox_receive(object_mailbox(ucmd->object), u64_to_user_ptr(cmd->buf),
			      cmd->buf_len, cmd->max ?: U32_MAX, deadline, &cmd->out_count,
			      &needed);
	cmd->buf_len = len > 0 ? len : needed;
	return len < 0 ? len : 0;
}

static ssize_t mailbox_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	u64 deadline = file->f_flags & O_NONBLOCK ? 0 : SUPERVISOR_NO_DEADLINE;
	size_t needed;
	u32 count;

	return mailbox_receive(object_mailbox(sup_file_object(file)), buf, len, U32_MAX, deadline,
			       &count, &needed);
}

static __poll_t mailbox_poll(struct file *file, poll_table *table)
{
	struct sup_mailbox *mailbox = object_mailbox(sup_file_object(file));

	poll_wait(file, &mailbox->wait, table);
	return mailbox_readable(mailbox) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void mailbox_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct sup_mailbox *mailbox = object_mailbox(sup_file_object(file));
	unsigned long posts = 0;
	struct list_head *at;
	u32 used;
	u64 lost;

	spin_lock(&mailbox->lock);
	list_for_each(at, &mailbox->posts)
		posts++;
	used = mailbox->head - mailbox->tail;
	lost = mailbox->lost;
	spin_unlock(&mailbox->lock);
	seq_printf(seq, "supervisor-mailbox-id:\t%llu\n", mailbox->object.id);
	seq_printf(seq, "supervisor-mailbox-posts:\t%lu\n", posts);
	seq_printf(seq, "supervisor-mailbox-ring-bytes:\t%u/%u\n", used, mailbox->ring_size);
	seq_printf(seq, "supervisor-mailbox-lost:\t%llu\n", lost);
}

const struct file_operations sup_mailbox_fops = {
	.owner = THIS_MODULE,
	.release = sup_object_release,
	.read = mailbox_read,
	.poll = mailbox_poll,
	.unlocked_ioctl = sup_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = mailbox_show_fdinfo,
	.llseek = noop_llseek,
};
