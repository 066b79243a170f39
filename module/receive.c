// SPDX-License-Identifier: GPL-2.0
/*
 * receive - taking messages out of a mailbox.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "copy.h"
#include "deadline.h"
#include "mailbox.h"
#include "message.h"
#include "process.h"

/* What is there to read next. */
enum next_kind { NEXT_NONE, NEXT_POST, NEXT_RING, NEXT_GAP };

/*
 * It is the reader's: a post has been taken out and is kept, a record stays where
 * it is, though it may become void at any time, and with it what it refers to.
 */
struct next {
	enum next_kind kind;
	union {
		struct sup_post *post;
		struct sup_ring_record *record;
		u64 lost;
	};
	/* Of a record, referenced, or NULL: whose path follows it; its callers. */
	struct sup_origin *path;
	struct sup_callers *callers;
	/* Its numbers, as the reader sees them. */
	pid_t pid;
	pid_t caller;
	bool is_cast;
};

/**
 * sup_mailbox_readable - is there anything to read
 * @mailbox: the mailbox
 *
 * Context: does not sleep.
 * Return: true if so.
 */
bool sup_mailbox_readable(struct sup_mailbox *mailbox)
{
	bool readable;

	spin_lock(&mailbox->lock);
	readable = sup_mailbox_readable_locked(mailbox);
	spin_unlock(&mailbox->lock);
	return readable;
}

static bool ref_wanted(const struct sup_receive *receive, u64 ref)
{
	return !(receive->flags & SUPERVISOR_RECV_F_REF) || ref == receive->ref;
}

/* The oldest record that is wanted. */
static struct sup_ring_record *next_record_locked(const struct sup_mailbox *mailbox,
						  const struct sup_receive *receive)
{
	const struct sup_ring *ring = &mailbox->ring;
	struct sup_ring_record *record;

	lockdep_assert_held(&mailbox->lock);
	for (record = ring->live ? sup_ring_first(ring) : NULL; record;
	     record = sup_ring_next(ring, record))
		if (record->kind != SUP_RING_VOID && ref_wanted(receive, record->ref))
			return record;
	return NULL;
}

static struct sup_post *next_post_locked(struct sup_mailbox *mailbox,
					 const struct sup_receive *receive)
{
	struct sup_post *post;

	lockdep_assert_held(&mailbox->lock);
	list_for_each_entry(post, &mailbox->posts, node)
		if (ref_wanted(receive, post->ref))
			return post;
	return NULL;
}

static void next_take_record_locked(const struct sup_receive *receive, struct next *next)
{
	const struct sup_ring_record *record = next->record;
	bool with_path = receive->flags & SUPERVISOR_RECV_F_PATH;

	next->is_cast = record->kind == SUP_RING_CAST;
	next->path = next->is_cast && with_path ? sup_origin_get(record->origin) : NULL;
	next->callers = record->kind == SUP_RING_CRASH ? sup_callers_get(record->callers) : NULL;
	next->caller = record->kind == SUP_RING_EVENT ? pid_vnr(record->caller) : 0;
	next->pid = pid_vnr(record->pid);
}

/* Take what comes first in the mailbox's order, of what is wanted. */
static void next_take_locked(struct sup_mailbox *mailbox, const struct sup_receive *receive,
			     struct next *next)
{
	struct sup_ring_record *record = next_record_locked(mailbox, receive);
	struct sup_post *post = next_post_locked(mailbox, receive);
	u64 seq = U64_MAX;

	lockdep_assert_held(&mailbox->lock);
	next->kind = NEXT_NONE;
	if (record) {
		next->kind = NEXT_RING;
		seq = record->seq;
	}
	if (post && post->seq < seq) {
		next->kind = NEXT_POST;
		seq = post->seq;
	}
	if (mailbox->lost && mailbox->lost_seq < seq &&
	    !(receive->flags & SUPERVISOR_RECV_F_REF)) {
		next->kind = NEXT_GAP;
		next->lost = mailbox->lost;
	} else if (next->kind == NEXT_POST) {
		next->post = post;
		sup_mailbox_unpost_locked(mailbox, post);
		post->ops->get(post);
	} else if (next->kind == NEXT_RING) {
		next->record = record;
		next_take_record_locked(receive, next);
	}
}

/* Without the lock, for who looks again when woken. */
static bool mailbox_looks_readable(const struct sup_mailbox *mailbox)
{
	return !list_empty(&mailbox->posts) || READ_ONCE(mailbox->ring.live) ||
	       READ_ONCE(mailbox->lost);
}

/*
 * Become the reader, if there is something to read and nobody else reads: so
 * messages leave in order. Not a mutex: who copies to memory that is slow to come
 * must not make others wait past their deadlines.
 */
static bool read_try_begin(struct sup_mailbox *mailbox, const struct sup_receive *receive,
			   struct next *next)
{
	next->kind = NEXT_NONE;
	/* Who makes it so wakes us afterwards. */
	if (!mailbox_looks_readable(mailbox))
		return false;
	spin_lock(&mailbox->lock);
	if (!mailbox->reading) {
		/* Those who get and deliver it look at them. */
		mailbox->read_flags = receive->flags;
		next_take_locked(mailbox, receive, next);
		mailbox->reading = next->kind != NEXT_NONE;
	}
	spin_unlock(&mailbox->lock);
	return next->kind != NEXT_NONE;
}

/* It was delivered. But for a post, which has seen to it itself. */
static void next_drop_locked(struct sup_mailbox *mailbox, const struct next *next)
{
	struct sup_ring_record *record = next->record;

	lockdep_assert_held(&mailbox->lock);
	if (next->kind == NEXT_GAP)
		WRITE_ONCE(mailbox->lost, mailbox->lost - next->lost);
	/* Unless its mailbox lost its owner meanwhile, which made it void. */
	if (next->kind != NEXT_RING || record->kind == SUP_RING_VOID)
		return;
	if (record->kind == SUP_RING_CAST)
		sup_mailbox_uncount_locked(mailbox, record->len);
	sup_ring_void(&mailbox->ring, record);
}

/* Go on to the next one, or, when there is none or no @more is wanted, read no more. */
static void read_go_on(struct sup_mailbox *mailbox, const struct sup_receive *receive,
		       struct next *next, bool delivered, bool more)
{
	bool readable;

	spin_lock(&mailbox->lock);
	if (delivered)
		next_drop_locked(mailbox, next);
	sup_ring_trim(&mailbox->ring);
	if (more)
		next_take_locked(mailbox, receive, next);
	else
		next->kind = NEXT_NONE;
	mailbox->reading = next->kind != NEXT_NONE;
	readable = sup_mailbox_readable_locked(mailbox);
	spin_unlock(&mailbox->lock);
	if (next->kind != NEXT_NONE)
		return;
	if (readable)
		sup_mailbox_wake_readers(mailbox, false);
	sup_mailbox_wake_senders(mailbox);
}

static ssize_t deliver_post(struct sup_post *post, u8 __user *to, size_t room, size_t *needed)
{
	ssize_t len = post->ops->deliver(post, to, room, needed);

	post->ops->put(post);
	return len;
}

/* What of an event's callers its reader is told; the bytes that follow the event. */
static size_t callers_fill(const struct next *next, struct supervisor_msg *head)
{
	struct supervisor_msg_event *event = container_of(head, struct supervisor_msg_event, head);

	if (head->type == SUPERVISOR_MSG_EVENT)
		event->caller = next->caller;
	return sup_callers_size(next->callers);
}

static ssize_t deliver_record(const struct next *next, u8 __user *to, size_t room, size_t *needed)
{
	struct sup_ring_record *record = next->record;
	/* No message is smaller than that of a cast, and an event's begins like it. */
	struct supervisor_msg_data *data = (struct supervisor_msg_data *)record->message;
	u32 len = sup_ring_message_size(record);
	u32 size = next->path ? sup_data_size(data->payload_len, next->path) : len;
	size_t callers = next->is_cast ? 0 : callers_fill(next, &data->head);

	if (callers) {
		size += callers;
		data->head.size = size;
	}
	if (size > room) {
		*needed = size;
		return -EMSGSIZE;
	}
	/* Who reads is alone with it: the next one to try writes this anew. */
	data->head.pid = next->pid;
	if (next->path || (next->is_cast && data->head.flags))
		sup_data_path(data, next->path);
	if (sup_copy_to_user(to, data, len))
		return -EFAULT;
	if (next->path && sup_data_deliver_path(data, next->path, to))
		return -EFAULT;
	if (callers && sup_callers_deliver(next->callers, to + len))
		return -EFAULT;
	return size;
}

static ssize_t deliver_gap(u64 lost, u8 __user *to, size_t room, size_t *needed)
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
	return sup_copy_to_user(to, &msg, sizeof(msg)) ? -EFAULT : (ssize_t)sizeof(msg);
}

/* One message: its bytes; or an error that left it there, -ESTALE: that it is gone. */
static ssize_t deliver(const struct next *next, struct sup_receive *receive, size_t done)
{
	size_t room = receive->room - done;
	u8 __user *to = receive->to + done;
	size_t *needed = &receive->needed;
	ssize_t len;

	switch (next->kind) {
	case NEXT_NONE:
		break;
	case NEXT_RING:
		len = deliver_record(next, to, room, needed);
		sup_origin_put(next->path);
		sup_callers_put(next->callers);
		return len;
	case NEXT_GAP:
		return deliver_gap(next->lost, to, room, needed);
	case NEXT_POST:
		return deliver_post(next->post, to, room, needed);
	}
	return 0;
}

/* @next and those after it; their bytes, or an error when there is not one. */
static ssize_t take(struct sup_mailbox *mailbox, struct sup_receive *receive, struct next *next)
{
	ssize_t len = 0;
	size_t done = 0;
	bool more;

	while (next->kind != NEXT_NONE) {
		len = deliver(next, receive, done);
		if (len > 0) {
			done += len;
			receive->count++;
		}
		more = (len > 0 || len == -ESTALE) && receive->count != receive->max &&
		       !fatal_signal_pending(current);
		read_go_on(mailbox, receive, next, len > 0, more);
		/* A large buffer, and senders that keep up with us. */
		if (next->kind != NEXT_NONE)
			cond_resched();
	}
	if (receive->count)
		return done;
	return len == -ESTALE ? 0 : len;
}

/**
 * sup_mailbox_receive - take messages, waiting for the first
 * @mailbox: the mailbox
 * @receive: what is wanted, and where to
 *
 * Context: process; may sleep.
 * Return: bytes written to user space; -EAGAIN, -ETIMEDOUT, -ERESTARTSYS,
 *	-EMSGSIZE or -EFAULT.
 */
ssize_t sup_mailbox_receive(struct sup_mailbox *mailbox, struct sup_receive *receive)
{
	struct next next;
	ssize_t len;
	int ret;

	receive->count = 0;
	receive->needed = 0;
	sup_mailbox_settle(mailbox);
	for (;;) {
		ret = sup_wait_until(mailbox->wait, read_try_begin(mailbox, receive, &next),
				     receive->deadline);
		if (ret)
			return ret;
		len = take(mailbox, receive, &next);
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
	struct sup_receive receive = {
		.to = u64_to_user_ptr(cmd->buf),
		.room = cmd->buf_len,
		.max = cmd->max,
		.flags = cmd->flags,
		.ref = cmd->ref,
		.deadline = ucmd->file->f_flags & O_NONBLOCK ? 0 : cmd->deadline,
	};
	ssize_t len;

	cmd->out_count = 0;
	if (!IS_ALIGNED(cmd->buf, 8))
		return -EINVAL;
	if (!(cmd->flags & SUPERVISOR_RECV_F_REF) != !cmd->ref)
		return -EINVAL;
	len = sup_mailbox_receive(sup_object_mailbox(ucmd->object), &receive);
	cmd->out_count = receive.count;
	cmd->buf_len = len > 0 ? len : receive.needed;
	return len < 0 ? len : 0;
}

/**
 * sup_mailbox_read - read(2) on a mailbox
 * @file: the file
 * @buf: room for messages
 * @len: its bytes
 * @pos: unused
 *
 * Context: may sleep.
 * Return: as the UAPI header says of SUPERVISOR_MAILBOX_RECV; bytes.
 */
ssize_t sup_mailbox_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct sup_receive receive = {
		.to = (u8 __user *)buf,
		.room = len,
		.deadline = file->f_flags & O_NONBLOCK ? 0 : SUPERVISOR_NO_DEADLINE,
	};

	return sup_mailbox_receive(sup_object_mailbox(sup_file_object(file)), &receive);
}
