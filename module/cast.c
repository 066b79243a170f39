// SPDX-License-Identifier: GPL-2.0
/*
 * cast - messages that await no reply: into the ring, or, when they are large or
 * the ring is full, as a post with memory of their own. Never dropped.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "account.h"
#include "deadline.h"
#include "mailbox.h"
#include "message.h"
#include "process.h"

/**
 * struct letter - a cast with memory of its own
 * @post: M
 * @refs: references: the queue's, and its reader's
 * @mailbox: const: where it is; outlives it
 * @sender: const
 * @ref: const: the alias, or 0
 * @payload: const
 *
 * Lifetime: from its sending until it is read or nobody can read it.
 */
struct letter {
	struct sup_post post;
	refcount_t refs;
	struct sup_mailbox *mailbox;
	struct sup_sender sender;
	u64 ref;
	struct sup_payload payload;
};

/* A cast under way: in the ring if it fits, else in @letter. */
struct sending {
	struct sup_mailbox *mailbox;
	struct sup_cast *cast;
	struct sup_sender sender;
	struct sup_payload *payload;
	struct letter *letter;
	bool shares;		/* @payload is others' too */
	int ret;
};

static struct letter *post_letter(struct sup_post *post)
{
	return container_of(post, struct letter, post);
}

static void letter_put(struct letter *letter)
{
	if (!refcount_dec_and_test(&letter->refs))
		return;
	sup_sender_put(&letter->sender);
	sup_payload_free(&letter->payload);
	kfree(letter);
}

static void letter_post_get(struct sup_post *post)
{
	struct letter *letter = post_letter(post);

	sup_mailbox_uncount_locked(letter->mailbox, letter->payload.len);
	refcount_inc(&letter->refs);
}

static void letter_post_put(struct sup_post *post)
{
	letter_put(post_letter(post));
}

static void letter_restore(struct letter *letter)
{
	struct sup_mailbox *mailbox = letter->mailbox;
	bool gone;

	spin_lock(&mailbox->lock);
	gone = mailbox->closed || mailbox->dead;
	if (!gone) {
		sup_mailbox_restore_locked(mailbox, &letter->post);
		sup_mailbox_count_locked(mailbox, letter->payload.len);
	}
	spin_unlock(&mailbox->lock);
	if (gone)
		letter_put(letter);
}

static ssize_t letter_deliver(struct sup_post *post, void __user *to, size_t room, size_t *needed)
{
	struct letter *letter = post_letter(post);
	struct sup_mailbox *mailbox = letter->mailbox;
	const struct sup_origin *path = mailbox->read_flags & SUPERVISOR_RECV_F_PATH ?
					letter->sender.origin : NULL;
	struct supervisor_msg_data data;
	ssize_t ret;

	sup_data_write(&data, SUPERVISOR_MSG_CAST, letter->ref, &letter->sender,
		       mailbox->object.account->ns, letter->payload.len);
	data.head.pid = pid_vnr(letter->sender.pid);
	sup_data_path(&data, path);
	ret = data.head.size;
	if (ret > room) {
		*needed = ret;
		ret = -EMSGSIZE;
	} else if (sup_data_deliver(&data, &letter->payload, path, to)) {
		ret = -EFAULT;
	}
	/* The queue's reference goes with the message, or back with it. */
	if (ret > 0)
		letter_put(letter);
	else
		letter_restore(letter);
	return ret;
}

static const struct sup_post_ops letter_ops = {
	.get = letter_post_get,
	.deliver = letter_deliver,
	.put = letter_post_put,
	.discard = letter_post_put,
};

static u32 record_size(u32 len)
{
	return sizeof(struct sup_ring_record) + sup_data_size(len, NULL);
}

/* Small casts may take half of the ring; the rest is for events. */
static bool ring_has_room_locked(const struct sup_mailbox *mailbox, u32 len)
{
	lockdep_assert_held(&mailbox->lock);
	return sup_ring_fits(&mailbox->ring, record_size(len), mailbox->ring.size / 2);
}

/* The sender's references are the record's now. */
static void ring_add_locked(struct sup_mailbox *mailbox, u64 ref, const struct sup_sender *sender,
			    const struct sup_payload *payload)
{
	struct supervisor_msg_data *data;
	struct sup_ring_record *record;

	lockdep_assert_held(&mailbox->lock);
	record = sup_ring_add(&mailbox->ring, record_size(payload->len));
	record->kind = SUP_RING_CAST;
	record->len = payload->len;
	record->seq = mailbox->next_seq++;
	record->ref = ref;
	record->pid = sender->pid;
	record->origin = sender->origin;
	data = (struct supervisor_msg_data *)record->message;
	sup_data_write(data, SUPERVISOR_MSG_CAST, ref, sender, mailbox->object.account->ns,
		       payload->len);
	memcpy(data + 1, payload->small, ALIGN(payload->len, 8));
}

static int letter_make(struct sending *sending)
{
	struct letter *letter = kmalloc(sizeof(*letter), GFP_KERNEL_ACCOUNT);

	if (!letter)
		return -ENOMEM;
	sup_post_init(&letter->post, &letter_ops);
	letter->post.ref = sending->cast->ref;
	refcount_set(&letter->refs, 1);
	letter->mailbox = sending->mailbox;
	letter->ref = sending->cast->ref;
	letter->sender = sending->sender;
	if (sending->shares)
		sup_payload_share(&letter->payload, sending->payload);
	else
		sup_payload_move(&letter->payload, sending->payload);
	sending->sender.pid = NULL;
	sending->sender.origin = NULL;
	sending->letter = letter;
	return 0;
}

/* -ENOBUFS: it needs a letter. */
static int cast_add_locked(struct sending *sending)
{
	struct sup_mailbox *mailbox = sending->mailbox;
	struct sup_cast *cast = sending->cast;
	bool in_ring = !sending->letter && !sending->payload->large &&
		       ring_has_room_locked(mailbox, cast->len);
	int ret;

	lockdep_assert_held(&mailbox->lock);
	ret = cast->admit ? cast->admit(cast->arg, false) : 0;
	if (ret)
		return ret;
	ret = sup_mailbox_admit_locked(mailbox, cast->len, &cast->limit);
	if (ret)
		return ret;
	if (!in_ring && !sending->letter)
		return -ENOBUFS;
	if (cast->admit)
		cast->admit(cast->arg, true);
	sup_mailbox_count_locked(mailbox, cast->len);
	if (in_ring) {
		ring_add_locked(mailbox, cast->ref, &sending->sender, sending->payload);
		sending->sender.pid = NULL;
		sending->sender.origin = NULL;
	} else {
		sup_mailbox_post_locked(mailbox, &sending->letter->post);
		sending->letter = NULL;
	}
	return 0;
}

/* True when it is queued or will not be. */
static bool cast_try(struct sending *sending)
{
	struct sup_mailbox *mailbox = sending->mailbox;

	spin_lock(&mailbox->lock);
	sending->ret = cast_add_locked(sending);
	spin_unlock(&mailbox->lock);
	return sending->ret != -EAGAIN;
}

static int cast_wait(struct sending *sending)
{
	int ret = sup_wait_until(sending->mailbox->room, cast_try(sending),
				 sending->cast->deadline);

	return ret ?: sending->ret;
}

/* Into the mailbox, with all that @sending has; or not, and it has it still. */
static int cast_send(struct sending *sending)
{
	int ret = cast_wait(sending);

	if (ret == -ENOBUFS) {
		ret = letter_make(sending);
		if (!ret)
			ret = cast_wait(sending);
	}
	if (!ret)
		sup_mailbox_wake_readers(sending->mailbox, false);
	else if (sending->letter)
		letter_put(sending->letter);
	return ret;
}

/**
 * sup_mailbox_cast - send a message that awaits no reply
 * @mailbox: where to
 * @cast: the message
 *
 * Context: process; may sleep.
 * Return: 0; -EMSGSIZE, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS, -ESHUTDOWN, -EDQUOT,
 *	-EFAULT, -ENOMEM, or what @cast->admit said.
 */
int sup_mailbox_cast(struct sup_mailbox *mailbox, struct sup_cast *cast)
{
	/* Not all of it is set: most is the room for a small payload. */
	struct sup_payload payload __uninitialized;
	struct sending sending = { .mailbox = mailbox, .cast = cast, .payload = &payload };
	int ret;

	if (cast->len > mailbox->max_payload)
		return -EMSGSIZE;
	ret = sup_payload_read_charged(&payload, cast->buf, cast->len, &cast->limit);
	if (ret)
		return ret;
	ret = sup_sender_get(&sending.sender);
	if (ret) {
		sup_payload_free(&payload);
		return ret;
	}
	ret = cast_send(&sending);
	if (!ret)
		return 0;
	sup_sender_put(&sending.sender);
	sup_payload_free(&payload);
	return ret;
}

/**
 * sup_broadcast_begin - read a message that is for many mailboxes
 * @broadcast: filled; for sup_broadcast_end()
 * @buf: address of the payload in user space
 * @len: its bytes
 * @limit: set with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * Context: process; may sleep.
 * Return: 0, -EFAULT, -EDQUOT or -ENOMEM.
 */
int sup_broadcast_begin(struct sup_broadcast *broadcast, u64 buf, u32 len, u32 *limit)
{
	int ret = sup_payload_read_charged(&broadcast->payload, buf, len, limit);

	if (ret)
		return ret;
	ret = sup_sender_get(&broadcast->sender);
	if (ret)
		sup_payload_free(&broadcast->payload);
	return ret;
}

static int broadcast_add_locked(struct sup_broadcast *broadcast, struct sup_mailbox *mailbox)
{
	const struct sup_payload *payload = &broadcast->payload;
	u32 limit;
	int ret;

	lockdep_assert_held(&mailbox->lock);
	ret = sup_mailbox_admit_locked(mailbox, payload->len, &limit);
	if (ret)
		return ret;
	if (!ring_has_room_locked(mailbox, payload->len))
		return -ENOBUFS;
	get_pid(broadcast->sender.pid);
	sup_origin_get(broadcast->sender.origin);
	sup_mailbox_count_locked(mailbox, payload->len);
	ring_add_locked(mailbox, 0, &broadcast->sender, payload);
	return 0;
}

/**
 * sup_broadcast_try - put it into one more mailbox, if there is room in its ring
 * @broadcast: the message
 * @mailbox: where to
 *
 * Context: does not sleep.
 * Return: 0, -EMSGSIZE, -EAGAIN, -ESHUTDOWN; -ENOBUFS when it is not settled and
 *	sup_broadcast_to() is to be asked.
 */
int sup_broadcast_try(struct sup_broadcast *broadcast, struct sup_mailbox *mailbox)
{
	int ret;

	if (broadcast->payload.len > mailbox->max_payload)
		return -EMSGSIZE;
	if (broadcast->payload.large)
		return -ENOBUFS;
	spin_lock(&mailbox->lock);
	ret = broadcast_add_locked(broadcast, mailbox);
	spin_unlock(&mailbox->lock);
	if (!ret)
		sup_mailbox_wake_readers(mailbox, false);
	return ret;
}

/**
 * sup_broadcast_to - put it into one more mailbox
 * @broadcast: the message
 * @mailbox: where to
 * @deadline: when to give up waiting for room
 *
 * Context: process; may sleep; with @deadline 0 it does not wait.
 * Return: as sup_mailbox_cast().
 */
int sup_broadcast_to(struct sup_broadcast *broadcast, struct sup_mailbox *mailbox, u64 deadline)
{
	struct sup_cast cast = { .len = broadcast->payload.len, .deadline = deadline };
	struct sending sending = {
		.mailbox = mailbox,
		.cast = &cast,
		.sender = broadcast->sender,
		.payload = &broadcast->payload,
		.shares = true,
	};
	int ret;

	if (cast.len > mailbox->max_payload)
		return -EMSGSIZE;
	get_pid(sending.sender.pid);
	sup_origin_get(sending.sender.origin);
	ret = cast_send(&sending);
	if (ret)
		sup_sender_put(&sending.sender);
	return ret;
}

/**
 * sup_broadcast_end - let go of it
 * @broadcast: the message
 *
 * Context: process; may sleep.
 */
void sup_broadcast_end(struct sup_broadcast *broadcast)
{
	sup_sender_put(&broadcast->sender);
	sup_payload_free(&broadcast->payload);
}

/**
 * sup_mailbox_send - ioctl(SUPERVISOR_MAILBOX_SEND)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_mailbox_send(struct sup_ucmd *ucmd)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(ucmd->object);
	struct supervisor_mailbox_send *cmd = ucmd->cmd;
	struct sup_cast cast = {
		.buf = cmd->buf,
		.len = cmd->len,
		.deadline = ucmd->file->f_flags & O_NONBLOCK ? 0 : cmd->deadline,
	};
	int ret;

	ret = sup_mailbox_cast(mailbox, &cast);
	cmd->out_limit = ret ? cast.limit : SUPERVISOR_LIMIT_NONE;
	cmd->out_max = ret == -EMSGSIZE ? mailbox->max_payload : 0;
	return ret;
}

/**
 * sup_mailbox_write - write(2) on a mailbox: one cast
 * @file: the file
 * @buf: the payload
 * @len: its bytes
 * @pos: unused
 *
 * Context: may sleep.
 * Return: as the UAPI header says of SUPERVISOR_MAILBOX_SEND; @len.
 */
ssize_t sup_mailbox_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct sup_cast cast = {
		.buf = (u64)(unsigned long)buf,
		.len = min_t(size_t, len, U32_MAX),
		.deadline = file->f_flags & O_NONBLOCK ? 0 : SUPERVISOR_NO_DEADLINE,
	};

	return sup_mailbox_cast(sup_object_mailbox(sup_file_object(file)), &cast) ?: (ssize_t)len;
}

/* How many are dropped with the lock held. */
#define DISCARD_BATCH 256

/* False when there are more. */
static bool ring_discard_some(struct sup_mailbox *mailbox)
{
	struct sup_ring *ring = &mailbox->ring;
	struct sup_ring_record *record;
	unsigned int nr = 0;

	spin_lock(&mailbox->lock);
	for (record = sup_ring_first(ring); record && nr < DISCARD_BATCH;
	     record = sup_ring_next(ring, record)) {
		if (record->kind != SUP_RING_CAST)
			continue;
		sup_mailbox_uncount_locked(mailbox, record->len);
		sup_ring_void(ring, record);
		nr++;
	}
	if (!mailbox->reading)
		sup_ring_trim(ring);
	spin_unlock(&mailbox->lock);
	return nr < DISCARD_BATCH;
}

static struct letter *letter_discard_first(struct sup_mailbox *mailbox, struct list_head *letters)
{
	struct sup_post *post;

	spin_lock(&mailbox->lock);
	post = list_first_entry_or_null(letters, struct sup_post, node);
	if (post) {
		sup_mailbox_unpost_locked(mailbox, post);
		sup_mailbox_uncount_locked(mailbox, post_letter(post)->payload.len);
	}
	spin_unlock(&mailbox->lock);
	return post ? post_letter(post) : NULL;
}

/**
 * sup_cast_discard_all - nobody will serve a mailbox: drop the casts in it
 * @mailbox: the mailbox, which is dead
 *
 * Context: may sleep.
 */
void sup_cast_discard_all(struct sup_mailbox *mailbox)
{
	struct sup_post *post, *next;
	struct letter *letter;
	LIST_HEAD(letters);

	while (!ring_discard_some(mailbox))
		cond_resched();

	spin_lock(&mailbox->lock);
	list_for_each_entry_safe(post, next, &mailbox->posts, node)
		if (post->ops == &letter_ops)
			list_move_tail(&post->node, &letters);
	spin_unlock(&mailbox->lock);
	while ((letter = letter_discard_first(mailbox, &letters))) {
		letter_put(letter);
		cond_resched();
	}
}
