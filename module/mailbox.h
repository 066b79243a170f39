/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mailbox - one ordered queue in which messages arrive.
 *
 * Messages are of two sorts. Those that must arrive (starts, answers) are
 * posts: embedded in what they report on, so that they cannot be refused.
 * Events go to a ring of bytes set aside at creation; when it is full they are
 * counted, and the reader finds a GAP in their place. One sequence orders both.
 */
#ifndef SUP_MAILBOX_H
#define SUP_MAILBOX_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <linux/supervisor.h>

#include "name.h"
#include "object.h"

struct sup_post;

/**
 * struct sup_post_ops - what a mailbox needs of a post
 * @get: M: the post was taken out of the queue: keep it alive
 * @deliver: write the message, at most @room bytes, to @to. Returns its bytes;
 *	-EMSGSIZE with @needed set; -EFAULT; -ESTALE when there is nothing to say
 *	any more. On -EMSGSIZE and -EFAULT it has undone what it did. May sleep
 * @put: the counterpart of @get. May sleep
 * @discard: nobody can ever read it: it is queued no more. Between @get and
 *	@put; may sleep
 *
 * A post whose @deliver failed with -EMSGSIZE or -EFAULT goes back to the head
 * of the queue by sup_mailbox_restore(), called from @deliver under the lock
 * that keeps the post from being withdrawn.
 */
struct sup_post_ops {
	void (*get)(struct sup_post *post);
	ssize_t (*deliver)(struct sup_post *post, void __user *to, size_t room, size_t *needed);
	void (*put)(struct sup_post *post);
	void (*discard)(struct sup_post *post);
};

/**
 * struct sup_post - a message that cannot be refused
 * @node: M: in sup_mailbox.posts, empty when not queued
 * @seq: M: its place in the mailbox's order
 * @ops: const
 */
struct sup_post {
	struct list_head node;
	u64 seq;
	const struct sup_post_ops *ops;
};

/**
 * struct sup_mailbox_listener - who wants to know that a mailbox has closed
 * @node: M: in sup_mailbox.listeners
 * @closed: nobody can read any more. May sleep
 */
struct sup_mailbox_listener {
	struct list_head node;
	void (*closed)(struct sup_mailbox_listener *listener);
};

/**
 * struct sup_mailbox - a mailbox
 * @object: the base
 * @lock: M
 * @wait: readers
 * @posts: M: struct sup_post by @seq
 * @next_seq: M
 * @closed: M: no file is left, nobody can read
 * @reading: M: somebody takes messages out
 * @listeners: M: struct sup_mailbox_listener
 * @lost: M: events refused since the ring was full
 * @ring: const pointer: records of a head (mailbox.c) and a message
 * @ring_size: const: a power of two
 * @head: M: bytes ever written
 * @tail: M; only who set @reading writes it: bytes ever read
 *
 * Lifetime: of its object.
 * Locking: per member.
 * Context: posting never sleeps; receiving does.
 */
struct sup_mailbox {
	struct sup_object object;
	spinlock_t lock;
	wait_queue_head_t wait;
	struct list_head posts;
	u64 next_seq;
	bool closed;
	bool reading;
	struct list_head listeners;
	u64 lost;
	u8 *ring;
	u32 ring_size;
	u32 head;
	u32 tail;
};

/**
 * struct sup_event_who - whom an event is about
 * @pid: the child's process, or NULL
 * @uid: the supervisor's creator
 * @id: the child's id, or NULL
 * @depth: ids in @path
 * @path: the supervisor's path, from below the root
 */
struct sup_event_who {
	struct pid *pid;
	kuid_t uid;
	const struct sup_name *id;
	u32 depth;
	const struct sup_name *path[SUPERVISOR_DEPTH_MAX];
};

int sup_mailbox_create(struct sup_ucmd *ucmd);
int sup_mailbox_recv(struct sup_ucmd *ucmd);

struct sup_mailbox *sup_mailbox_fdget(int fd);
void sup_mailbox_put(struct sup_mailbox *mailbox);

void sup_post_init(struct sup_post *post, const struct sup_post_ops *ops);
bool sup_mailbox_post(struct sup_mailbox *mailbox, struct sup_post *post);
bool sup_mailbox_restore(struct sup_mailbox *mailbox, struct sup_post *post);
bool sup_mailbox_withdraw(struct sup_mailbox *mailbox, struct sup_post *post);
bool sup_mailbox_listen(struct sup_mailbox *mailbox, struct sup_mailbox_listener *listener);
bool sup_mailbox_unlisten(struct sup_mailbox *mailbox, struct sup_mailbox_listener *listener);
void sup_mailbox_event(struct sup_mailbox *mailbox, const struct supervisor_msg_event *event,
		       const struct sup_event_who *who);

#endif
