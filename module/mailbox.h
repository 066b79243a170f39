/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mailbox - one ordered queue in which messages arrive: the structs that
 * mailbox.c (the object, its owner, posts and events), cast.c (casts) and
 * receive.c (reading) share.
 *
 * Messages are of two sorts. Those that must arrive (starts, answers, replies)
 * are posts: embedded in what they report on, so that they cannot be refused; so
 * are calls, and casts that are large. Events and small casts go to a ring of
 * bytes set aside at creation. When it is full events are counted, and the reader
 * finds a GAP in their place. One sequence orders all.
 */
#ifndef SUP_MAILBOX_H
#define SUP_MAILBOX_H

#include <linux/bitmap.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <linux/supervisor.h>

#include "message.h"
#include "name.h"
#include "object.h"
#include "ring.h"

struct sup_mailbox_owner;
struct sup_post;
struct sup_process;

/* Calls whose outcome is remembered when they are over. */
#define SUP_OUTCOMES 1024
#define SUP_CALLS_HASH_BITS 5

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
 * A post whose @deliver failed with -EMSGSIZE or -EFAULT goes back to its place
 * in the queue by sup_mailbox_restore(), called from @deliver under the lock
 * that keeps the post from being withdrawn.
 *
 * What counts as a waiting cast or call is given room by sup_mailbox_count_locked()
 * and gives it back by sup_mailbox_uncount_locked(), from @get at the latest.
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
 * @ref: const while queued: the ref that selects it; 0 for none
 * @ops: const
 */
struct sup_post {
	struct list_head node;
	u64 seq;
	u64 ref;
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
 * @room: who waits for room
 * @posts: M: struct sup_post by @seq
 * @posted: M: how many
 * @next_seq: M
 * @closed: M: no file is left, nobody can read
 * @dead: M: it lost its owner and does not survive: no more casts and calls
 * @survive: const
 * @reading: M: somebody takes messages out
 * @read_flags: SUPERVISOR_RECV_F_*: of who set @reading
 * @listeners: M: struct sup_mailbox_listener
 * @refs: M: struct sup_ref by number
 * @lost: M: events refused since the ring was full; may be read without
 * @lost_seq: M: with @lost: the place of the first in the order
 * @ring: M; what of it is the reader's is told there
 * @max_messages: const
 * @max_bytes: const
 * @max_payload: const
 * @messages: M: casts and calls that wait
 * @bytes: M: of their payloads
 * @taken: M: calls that were received and await their reply
 * @owner_lock: O: taken to change @owner
 * @owner: O: the process that serves it, or NULL
 * @server: M: the process of @owner, which has its reference; or NULL
 * @owner_uid: O: of the last one
 * @owner_ns: O: referenced: user namespace of the last one
 * @queued_calls: M: struct sup_exchange that wait in it
 * @taken_calls: M: struct sup_exchange that were received, oldest first; while they
 *	fail, some are in a list of who fails them
 * @calls_by_number: M: all of them
 * @parked: M: struct sup_exchange whose callers were interrupted
 * @started: M: struct sup_exchange whose replies are to come here
 * @next_call: M: calls so far
 * @call_factor: const: makes numbers of their count
 * @call_inverse: const: and counts of their numbers
 * @answered: M: of the last %SUP_OUTCOMES calls, which were answered
 *
 * Lifetime: of its object.
 * Locking: per member.
 * Context: posting never sleeps; the rest does.
 */
struct sup_mailbox {
	struct sup_object object;
	spinlock_t lock;
	wait_queue_head_t wait;
	wait_queue_head_t room;
	struct list_head posts;
	u32 posted;
	u64 next_seq;
	bool closed;
	bool dead;
	bool survive;
	bool reading;
	u32 read_flags;
	struct list_head listeners;
	struct rb_root refs;
	u64 lost;
	u64 lost_seq;
	struct sup_ring ring;
	u32 max_messages;
	u32 max_bytes;
	u32 max_payload;
	u32 messages;
	u32 bytes;
	u32 taken;
	struct mutex owner_lock;
	struct sup_mailbox_owner *owner;
	struct sup_process *server;
	kuid_t owner_uid;
	struct user_namespace *owner_ns;
	struct list_head queued_calls;
	struct list_head taken_calls;
	DECLARE_HASHTABLE(calls_by_number, SUP_CALLS_HASH_BITS);
	struct list_head parked;
	struct list_head started;
	u64 next_call;
	u64 call_factor;
	u64 call_inverse;
	DECLARE_BITMAP(answered, SUP_OUTCOMES);
};

/**
 * struct sup_event_who - whom an event is about
 * @pid: the child's process, or NULL
 * @uid: the supervisor's creator
 * @callers: who asked for the child, or NULL
 * @id: the child's id, or NULL
 * @depth: ids in @path
 * @path: the supervisor's path, from below the root
 */
struct sup_event_who {
	struct pid *pid;
	kuid_t uid;
	struct sup_callers *callers;
	const struct sup_name *id;
	u32 depth;
	const struct sup_name *path[SUPERVISOR_DEPTH_MAX];
};

/**
 * sup_object_mailbox - the mailbox that an object is
 * @object: an object of kind SUP_KIND_MAILBOX
 *
 * Context: any.
 * Return: the mailbox.
 */
static inline struct sup_mailbox *sup_object_mailbox(struct sup_object *object)
{
	return container_of(object, struct sup_mailbox, object);
}

/**
 * sup_mailbox_count_locked - a cast or call waits in a mailbox
 * @mailbox: the mailbox
 * @len: bytes of its payload
 *
 * Context: holds M.
 */
static inline void sup_mailbox_count_locked(struct sup_mailbox *mailbox, u32 len)
{
	lockdep_assert_held(&mailbox->lock);
	mailbox->messages++;
	mailbox->bytes += len;
}

/**
 * sup_mailbox_uncount_locked - it does not any more
 * @mailbox: the mailbox
 * @len: bytes of its payload
 *
 * Context: holds M. Senders are to be woken.
 */
static inline void sup_mailbox_uncount_locked(struct sup_mailbox *mailbox, u32 len)
{
	lockdep_assert_held(&mailbox->lock);
	mailbox->messages--;
	mailbox->bytes -= len;
}

/**
 * sup_mailbox_readable_locked - is there anything to read
 * @mailbox: the mailbox
 *
 * Context: holds M.
 * Return: true if so.
 */
static inline bool sup_mailbox_readable_locked(const struct sup_mailbox *mailbox)
{
	return !list_empty(&mailbox->posts) || mailbox->ring.live || mailbox->lost;
}

/**
 * sup_mailbox_unpost_locked - take a post out of the queue; nothing if it is not there
 * @mailbox: the mailbox
 * @post: the post
 *
 * Context: holds M.
 */
static inline void sup_mailbox_unpost_locked(struct sup_mailbox *mailbox, struct sup_post *post)
{
	lockdep_assert_held(&mailbox->lock);
	if (list_empty(&post->node))
		return;
	list_del_init(&post->node);
	mailbox->posted--;
}

/**
 * struct sup_registry_change - what a registry's event is about
 * @pid: the process
 * @uid: who pays for its entries
 * @key: the key, of the event's length
 * @value: the value, likewise
 */
struct sup_registry_change {
	struct pid *pid;
	kuid_t uid;
	const void *key;
	const void *value;
};

/* mailbox.c */
int sup_mailbox_create(struct sup_ucmd *ucmd);
int sup_mailbox_own(struct sup_ucmd *ucmd);
int sup_mailbox_status(struct sup_ucmd *ucmd);
void sup_mailbox_settle(struct sup_mailbox *mailbox);
struct sup_mailbox_owner *sup_mailbox_owner_alloc(struct sup_mailbox *mailbox);
void sup_mailbox_owner_free(struct sup_mailbox_owner *owner);
void sup_mailbox_serve(struct sup_mailbox *mailbox, struct sup_mailbox_owner *owner);

struct sup_mailbox *sup_mailbox_fdget(int fd);
struct sup_mailbox *sup_mailbox_fdget_read(int fd);
struct sup_mailbox *sup_mailbox_fdget_write(int fd);
void sup_mailbox_put(struct sup_mailbox *mailbox);

void sup_post_init(struct sup_post *post, const struct sup_post_ops *ops);
bool sup_mailbox_post(struct sup_mailbox *mailbox, struct sup_post *post);
void sup_mailbox_post_locked(struct sup_mailbox *mailbox, struct sup_post *post);
bool sup_mailbox_restore(struct sup_mailbox *mailbox, struct sup_post *post);
void sup_mailbox_restore_locked(struct sup_mailbox *mailbox, struct sup_post *post);
bool sup_mailbox_withdraw(struct sup_mailbox *mailbox, struct sup_post *post);
bool sup_mailbox_listen(struct sup_mailbox *mailbox, struct sup_mailbox_listener *listener);
bool sup_mailbox_unlisten(struct sup_mailbox *mailbox, struct sup_mailbox_listener *listener);
void sup_mailbox_registry_event(struct sup_mailbox *mailbox,
				const struct supervisor_msg_registry *event,
				const struct sup_registry_change *change);
void sup_mailbox_event(struct sup_mailbox *mailbox, const struct supervisor_msg_event *event,
		       const struct sup_event_who *who);
void sup_mailbox_crash(struct sup_mailbox *mailbox, const struct supervisor_msg_crash *crash,
		       kuid_t uid, struct pid *pid, struct sup_callers *callers);

int sup_mailbox_admit_locked(const struct sup_mailbox *mailbox, u32 len, u32 *limit);
void sup_mailbox_do_wake_readers(struct sup_mailbox *mailbox, bool sync);
void sup_mailbox_do_wake_senders(struct sup_mailbox *mailbox);

/**
 * sup_mailbox_wake_readers - there is something to read
 * @mailbox: the mailbox
 * @sync: the caller is about to sleep
 *
 * Context: does not sleep; not in the exit hook. After M was held to queue it.
 */
static inline void sup_mailbox_wake_readers(struct sup_mailbox *mailbox, bool sync)
{
	if (wq_has_sleeper(&mailbox->wait))
		sup_mailbox_do_wake_readers(mailbox, sync);
}

/**
 * sup_mailbox_wake_senders - there may be room, or never any more
 * @mailbox: the mailbox
 *
 * Context: does not sleep; not in the exit hook. After M was held.
 */
static inline void sup_mailbox_wake_senders(struct sup_mailbox *mailbox)
{
	if (wq_has_sleeper(&mailbox->room))
		sup_mailbox_do_wake_senders(mailbox);
}

/* cast.c */
/**
 * struct sup_cast - a cast on its way
 * @buf: address of the payload in user space
 * @len: its bytes
 * @ref: of the message: the alias, or 0
 * @deadline: when to give up waiting for room
 * @admit: M: 0, or an error that refuses it. Called with @arg, and false to ask,
 *	also while there is no room; true when it is about to be queued. Or NULL
 * @arg: for @admit
 * @limit: set when refused: SUPERVISOR_LIMIT_*
 */
struct sup_cast {
	u64 buf;
	u32 len;
	u64 ref;
	u64 deadline;
	int (*admit)(void *arg, bool now);
	void *arg;
	u32 limit;
};

/**
 * struct sup_broadcast - a cast to many mailboxes
 * @sender: who sends it
 * @payload: copied in once; what is large is shared by all of them
 */
struct sup_broadcast {
	struct sup_sender sender;
	struct sup_payload payload;
};

int sup_mailbox_cast(struct sup_mailbox *mailbox, struct sup_cast *cast);
int sup_broadcast_begin(struct sup_broadcast *broadcast, u64 buf, u32 len, u32 *limit);
int sup_broadcast_try(struct sup_broadcast *broadcast, struct sup_mailbox *mailbox);
int sup_broadcast_to(struct sup_broadcast *broadcast, struct sup_mailbox *mailbox, u64 deadline);
void sup_broadcast_end(struct sup_broadcast *broadcast);
int sup_mailbox_send(struct sup_ucmd *ucmd);
ssize_t sup_mailbox_write(struct file *file, const char __user *buf, size_t len, loff_t *pos);
void sup_cast_discard_all(struct sup_mailbox *mailbox);

/* receive.c */

/**
 * struct sup_receive - messages to be taken
 * @to: where to
 * @room: bytes there
 * @max: at most so many; 0 as many as fit
 * @flags: SUPERVISOR_RECV_F_*
 * @ref: with SUPERVISOR_RECV_F_REF
 * @deadline: until the first
 * @count: how many were taken
 * @needed: with -EMSGSIZE: bytes
 */
struct sup_receive {
	u8 __user *to;
	size_t room;
	u32 max;
	u32 flags;
	u64 ref;
	u64 deadline;
	u32 count;
	size_t needed;
};

ssize_t sup_mailbox_receive(struct sup_mailbox *mailbox, struct sup_receive *receive);
int sup_mailbox_recv(struct sup_ucmd *ucmd);
ssize_t sup_mailbox_read(struct file *file, char __user *buf, size_t len, loff_t *pos);
bool sup_mailbox_readable(struct sup_mailbox *mailbox);

#endif
