// SPDX-License-Identifier: GPL-2.0
/*
 * receive - taking messages out of a mailbox.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "deadline.h"
#include "mailbox.h"
#include "message.h"
#include "process.h"

/* What is there to read next. */
enum next_kind { NEXT_NONE, NEXT_POST, NEXT_RING, NEXT_GAP };

struct next {
	enum next_kind kind;
	struct sup_post *post;
	u32 offset;
	struct sup_ring_record record;
	u64 lost;
};

/**
 * sup_mailbox_readable_locked - is there anything to read
 * @mailbox: the mailbox
 *
 * Context: holds M.
 * Return: true if so.
 */
bool sup_mailbox_readable_locked(const struct sup_mailbox *mailbox)
{
	return !list_empty(&mailbox->posts) || mailbox->ring.live || mailbox->lost;
}

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

static bool record_wanted(const struct sup_ring_record *record, const struct sup_receive *receive)
{
	if (record->kind == SUP_RING_VOID)
		return false;
	return !(receive->flags & SUPERVISOR_RECV_F_REF) || record->ref == receive->ref;
}

/* The oldest record that is wanted. */
static bool next_record_locked(const struct sup_mailbox *mailbox,
			       const struct sup_receive *receive, struct next *next)
{
	const struct sup_ring *ring = &mailbox->ring;

	lockdep_assert_held(&mailbox->lock);
	next->offset = ring->tail;
	while (sup_ring_record(ring, next->offset, &next->record)) {
		if (record_wanted(&next->record, receive))
			return true;
		next->offset = sup_ring_next(next->offset, &next->record);
	}
	return false;
}

static struct sup_post *next_post_locked(struct sup_mailbox *mailbox,
					 const struct sup_receive *receive)
{
	struct sup_post *post;

	lockdep_assert_held(&mailbox->lock);
	list_for_each_entry(post, &mailbox->posts, node)
		if (!(receive->flags & SUPERVISOR_RECV_F_REF) || post->ref == receive->ref)
			return post;
	return NULL;
}

static void next_find_locked(struct sup_mailbox *mailbox, const struct sup_receive *receive,
			     struct next *next)
{
	u64 seq = U64_MAX;

	lockdep_assert_held(&mailbox->lock);
	next->kind = NEXT_NONE;
	if (next_record_locked(mailbox, receive, next)) {
		next->kind = NEXT_RING;
		seq = next->record.seq;
	}
	next->post = next_post_locked(mailbox, receive);
	if (next->post && next->post->seq < seq) {
		next->kind = NEXT_POST;
		seq = next->post->seq;
	}
	if (mailbox->lost && mailbox->lost_seq < seq &&
	    !(receive->flags & SUPERVISOR_RECV_F_REF)) {
		next->kind = NEXT_GAP;
		next->lost = mailbox->lost;
	}
}

/*
 * Become the reader, if there is something to read and nobody else reads: so
 * messages leave in order. Not a mutex: who copies to memory that is slow to come
 * must not make others wait past their deadlines.
 */
static bool read_try_begin(struct sup_mailbox *mailbox, const struct sup_receive *receive)
{
	struct next next;
	bool begin;

	spin_lock(&mailbox->lock);
	begin = !mailbox->reading && sup_mailbox_readable_locked(mailbox);
	if (begin && receive->flags & SUPERVISOR_RECV_F_REF) {
		next_find_locked(mailbox, receive, &next);
		begin = next.kind != NEXT_NONE;
	}
	if (begin) {
		mailbox->reading = true;
		mailbox->read_flags = receive->flags;
	}
	spin_unlock(&mailbox->lock);
	return begin;
}

static void read_end(struct sup_mailbox *mailbox)
{
	bool more;

	spin_lock(&mailbox->lock);
	sup_ring_trim(&mailbox->ring);
	mailbox->reading = false;
	more = sup_mailbox_readable_locked(mailbox);
	spin_unlock(&mailbox->lock);
	if (more)
		sup_mailbox_wake_readers(mailbox, false);
	sup_mailbox_wake_senders(mailbox);
}

static void next_take(struct sup_mailbox *mailbox, const struct sup_receive *receive,
		      struct next *next)
{
	spin_lock(&mailbox->lock);
	next_find_locked(mailbox, receive, next);
	if (next->kind == NEXT_POST) {
		list_del_init(&next->post->node);
		next->post->ops->get(next->post);
	}
	spin_unlock(&mailbox->lock);
}

static ssize_t take_post(struct sup_post *post, u8 __user *to, size_t room, size_t *needed)
{
	ssize_t len = post->ops->deliver(post, to, room, needed);

	post->ops->put(post);
	return len;
}

/* Unless its mailbox lost its owner meanwhile, which made it void. */
static void record_drop(struct sup_mailbox *mailbox, struct next *next)
{
	struct sup_ring_record now;
	bool drop;

	spin_lock(&mailbox->lock);
	drop = sup_ring_record(&mailbox->ring, next->offset, &now) && now.kind != SUP_RING_VOID;
	if (drop) {
		sup_ring_void(&mailbox->ring, next->offset, &now);
		if (now.kind == SUP_RING_CAST)
			sup_mailbox_uncount_locked(mailbox, sup_ring_payload_len(&now));
	}
	sup_ring_trim(&mailbox->ring);
	spin_unlock(&mailbox->lock);
	if (drop)
		sup_ring_release(&now);
}

/* The path that is to follow a record's message, or NULL. */
static const struct sup_origin *record_path(const struct sup_receive *receive,
					    const struct sup_ring_record *record)
{
	return record->kind == SUP_RING_CAST && receive->flags & SUPERVISOR_RECV_F_PATH ?
	       record->origin : NULL;
}

static int ring_deliver(const struct sup_mailbox *mailbox, const struct next *next,
			const struct sup_origin *path, u32 size, u8 __user *to)
{
	u32 at = sup_ring_message(next->offset);
	struct supervisor_msg_data data;

	/* No message is smaller than that of a cast. */
	sup_ring_read(&mailbox->ring, at, &data, sizeof(data));
	data.head.size = size;
	data.head.pid = pid_vnr(next->record.pid);
	if (path) {
		data.head.flags |= SUPERVISOR_MSG_F_PATH;
		data.path_len = path->path_len;
	}
	if (copy_to_user(to, &data, sizeof(data)) ||
	    sup_ring_copy_to_user(&mailbox->ring, at + sizeof(data), to + sizeof(data),
				  next->record.size - sizeof(data)))
		return -EFAULT;
	return path ? sup_data_write_path(to, data.payload_len, path) : 0;
}

static ssize_t take_ring(struct sup_mailbox *mailbox, const struct sup_receive *receive,
			 struct next *next, u8 __user *to, size_t room, size_t *needed)
{
	const struct sup_origin *path;
	struct sup_origin *origin;
	ssize_t ret;

	/* The record may become void at any time; what it refers to must stay. */
	spin_lock(&mailbox->lock);
	sup_ring_record(&mailbox->ring, next->offset, &next->record);
	if (next->record.kind == SUP_RING_VOID) {
		spin_unlock(&mailbox->lock);
		return -ESTALE;
	}
	get_pid(next->record.pid);
	origin = sup_origin_get(next->record.origin);
	spin_unlock(&mailbox->lock);

	path = record_path(receive, &next->record);
	ret = next->record.size + (path ? ALIGN(path->path_len + 1, 8) : 0);
	if (ret > room) {
		*needed = ret;
		ret = -EMSGSIZE;
	} else if (ring_deliver(mailbox, next, path, ret, to)) {
		ret = -EFAULT;
	} else {
		record_drop(mailbox, next);
	}
	put_pid(next->record.pid);
	sup_origin_put(origin);
	return ret;
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
static ssize_t take_one(struct sup_mailbox *mailbox, struct sup_receive *receive, size_t done)
{
	size_t room = receive->room - done;
	u8 __user *to = receive->to + done;
	size_t *needed = &receive->needed;
	struct next next;
	ssize_t len = 0;

	do {
		next_take(mailbox, receive, &next);
		switch (next.kind) {
		case NEXT_NONE:
			return 0;
		case NEXT_RING:
			len = take_ring(mailbox, receive, &next, to, room, needed);
			break;
		case NEXT_GAP:
			return take_gap(mailbox, next.lost, to, room, needed);
		case NEXT_POST:
			len = take_post(next.post, to, room, needed);
			break;
		}
	} while (len == -ESTALE);
	return len;
}

/* Messages; their bytes, or an error when there is not one. */
static ssize_t take(struct sup_mailbox *mailbox, struct sup_receive *receive)
{
	ssize_t len = 0;
	size_t done = 0;

	while (receive->count < (receive->max ?: U32_MAX)) {
		len = take_one(mailbox, receive, done);
		if (len <= 0)
			break;
		done += len;
		receive->count++;
		/* A large buffer, and senders that keep up with us. */
		cond_resched();
		if (fatal_signal_pending(current))
			break;
	}
	return receive->count ? done : len;
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
	ssize_t len;
	int ret;

	receive->count = 0;
	receive->needed = 0;
	sup_mailbox_settle(mailbox);
	for (;;) {
		ret = sup_wait_until(mailbox->wait, read_try_begin(mailbox, receive),
				     receive->deadline);
		if (ret)
			return ret;
		len = take(mailbox, receive);
		read_end(mailbox);
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
