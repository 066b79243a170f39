// SPDX-License-Identifier: GPL-2.0
/*
 * exchange - calls to a mailbox and their replies.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "account.h"
#include "copy.h"
#include "deadline.h"
#include "exchange.h"
#include "mailbox.h"
#include "message.h"
#include "park.h"
#include "process.h"

enum exchange_state {
	EXCHANGE_NEW,		/* not in the mailbox yet */
	EXCHANGE_QUEUED,	/* in the mailbox */
	EXCHANGE_TAKEN,		/* received, not replied to */
	EXCHANGE_DONE		/* over: @error and @reply are constant */
};

/**
 * struct sup_exchange - a call
 * @post: M of @mailbox: the request
 * @refs: references: the caller's or that of @started or @parked, that of
 *	the list of @calls, its reader's, and that of @answer when queued
 * @state: M of @mailbox to change; &enum exchange_state
 * @async: const: it was made with SUPERVISOR_CALL_START
 * @cancelled: its REPLY must not be delivered
 * @error: M until DONE: a negative errno, or 0
 * @mailbox: const, referenced: whom it is to
 * @calls: M of @mailbox: in its list of QUEUED or TAKEN ones, until DONE
 * @by_number: M of @mailbox: the same
 * @from: const once queued: its number, never 0
 * @sender: const
 * @account: const, referenced: of the caller
 * @request: const
 * @reply: M of @mailbox until DONE
 * @wait: who waits for it
 * @parked: M of @mailbox: in sup_mailbox.parked
 * @reply_to: const, referenced: async: where its REPLY goes
 * @started: M of @reply_to: in sup_mailbox.started, until its REPLY is delivered,
 *	cancelled or impossible
 * @answer: M of @reply_to: its REPLY
 * @replier: M of @mailbox until DONE, referenced: who replied
 * @replier_uid: likewise
 * @charged: counted in SUPERVISOR_LIMIT_CALLS: its caller's to change, then who drops
 *	the last reference
 *
 * Lifetime: from the ioctl that makes it until nobody waits for it.
 * Locking: per member. No two mailboxes' locks are held at once.
 * Context: none of its own.
 */
struct sup_exchange {
	struct sup_post post;
	refcount_t refs;
	u8 state;
	bool async;
	bool cancelled;
	bool charged;
	int error;
	struct sup_mailbox *mailbox;
	struct list_head calls;
	struct hlist_node by_number;
	u64 from;
	struct sup_sender sender;
	struct sup_account *account;
	wait_queue_head_t wait;
	struct sup_parked parked;
	struct sup_mailbox *reply_to;
	struct list_head started;
	struct sup_post answer;
	struct pid *replier;
	kuid_t replier_uid;
	struct sup_payload request;
	struct sup_payload reply;
};

static struct kmem_cache *exchange_cache;
static const struct sup_post_ops request_ops;
static const struct sup_post_ops answer_ops;

static void exchange_uncharge(struct sup_exchange *exchange)
{
	if (exchange->charged)
		sup_account_uncharge(exchange->account, SUPERVISOR_LIMIT_CALLS, 1);
	exchange->charged = false;
}

static void exchange_put(struct sup_exchange *exchange)
{
	if (!refcount_dec_and_test(&exchange->refs))
		return;
	sup_payload_free(&exchange->request);
	sup_payload_free(&exchange->reply);
	sup_sender_put(&exchange->sender);
	put_pid(exchange->replier);
	exchange_uncharge(exchange);
	sup_account_put(exchange->account);
	sup_mailbox_put(exchange->reply_to);
	sup_mailbox_put(exchange->mailbox);
	kmem_cache_free(exchange_cache, exchange);
}

/* What is so each time that one is allocated, and again when it is freed. */
static void exchange_construct(void *memory)
{
	struct sup_exchange *exchange = memory;

	sup_post_init(&exchange->post, &request_ops);
	sup_post_init(&exchange->answer, &answer_ops);
	INIT_LIST_HEAD(&exchange->calls);
	INIT_HLIST_NODE(&exchange->by_number);
	INIT_LIST_HEAD(&exchange->parked.node);
	INIT_LIST_HEAD(&exchange->started);
	init_waitqueue_head(&exchange->wait);
}

static struct sup_exchange *exchange_alloc(struct sup_mailbox *mailbox, u32 *limit)
{
	struct sup_exchange *exchange;
	struct sup_account *account;
	int ret;

	account = sup_account_get_current_like(mailbox->object.account);
	if (!account)
		return ERR_PTR(-ENOMEM);
	ret = sup_account_charge(account, SUPERVISOR_LIMIT_CALLS, 1);
	if (ret) {
		*limit = SUPERVISOR_LIMIT_CALLS;
		sup_account_put(account);
		return ERR_PTR(ret);
	}
	exchange = kmem_cache_alloc(exchange_cache, GFP_KERNEL_ACCOUNT);
	if (!exchange) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_CALLS, 1);
		sup_account_put(account);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&exchange->refs, 1);
	exchange->state = EXCHANGE_NEW;
	exchange->async = false;
	exchange->cancelled = false;
	exchange->charged = true;
	exchange->error = 0;
	exchange->sender.pid = NULL;
	exchange->sender.origin = NULL;
	exchange->account = account;
	exchange->parked.number = 0;
	exchange->reply_to = NULL;
	exchange->replier = NULL;
	exchange->request.large = NULL;
	exchange->reply.large = NULL;
	exchange->reply.len = 0;
	sup_object_get(&mailbox->object);
	exchange->mailbox = mailbox;
	return exchange;
}

static struct sup_exchange *exchange_new(struct sup_mailbox *mailbox, u64 buf, u32 len, u32 *limit)
{
	struct sup_exchange *exchange;
	int ret;

	if (len > mailbox->max_payload)
		return ERR_PTR(-EMSGSIZE);
	exchange = exchange_alloc(mailbox, limit);
	if (IS_ERR(exchange))
		return exchange;
	ret = sup_payload_read_charged(&exchange->request, buf, len, limit);
	if (!ret)
		ret = sup_sender_get(&exchange->sender);
	if (!ret)
		return exchange;
	exchange_put(exchange);
	return ERR_PTR(ret);
}

/*
 * Numbers. They tell what was never handed out from what is over, and a call to
 * one mailbox from those to others: each is its place in the mailbox's count of
 * calls, times a secret odd number, modulo 2^64. What another mailbox or nobody
 * handed out is divided by it into a place far beyond the count.
 */

/**
 * sup_exchange_prepare - choose by what the numbers of a mailbox's calls are multiplied
 * @mailbox: the mailbox, new
 *
 * Context: may sleep.
 */
void sup_exchange_prepare(struct sup_mailbox *mailbox)
{
	u64 factor = get_random_u64() | 1;
	u64 inverse = factor;
	int i;

	/* Right in the last 3 bits, then in twice as many each time. */
	for (i = 0; i < 5; i++)
		inverse *= 2 - factor * inverse;
	mailbox->call_factor = factor;
	mailbox->call_inverse = inverse;
}

static u64 from_count(const struct sup_mailbox *mailbox, u64 from)
{
	return from * mailbox->call_inverse;
}

static struct sup_exchange *exchange_find_locked(struct sup_mailbox *mailbox, u64 from)
{
	struct sup_exchange *exchange;

	lockdep_assert_held(&mailbox->lock);
	hash_for_each_possible(mailbox->calls_by_number, exchange, by_number, from)
		if (exchange->from == from)
			return exchange;
	return NULL;
}

/* Why there is no call of that number. */
static int from_errno_locked(const struct sup_mailbox *mailbox, u64 from)
{
	u64 count = from_count(mailbox, from);

	lockdep_assert_held(&mailbox->lock);
	if (!count || count > mailbox->next_call)
		return -ENOENT;
	if (mailbox->next_call - count < SUP_OUTCOMES &&
	    test_bit(count % SUP_OUTCOMES, mailbox->answered))
		return -EALREADY;
	return -ESTALE;
}

static void from_answered_locked(struct sup_mailbox *mailbox, u64 from)
{
	u64 count = from_count(mailbox, from);

	lockdep_assert_held(&mailbox->lock);
	if (mailbox->next_call - count < SUP_OUTCOMES)
		__set_bit(count % SUP_OUTCOMES, mailbox->answered);
}

static void exchange_number_locked(struct sup_exchange *exchange)
{
	struct sup_mailbox *mailbox = exchange->mailbox;
	u64 count = ++mailbox->next_call;

	lockdep_assert_held(&mailbox->lock);
	__clear_bit(count % SUP_OUTCOMES, mailbox->answered);
	exchange->from = count * mailbox->call_factor;
}

/*
 * The end of a call.
 */

/* It is over. The reference of the list of @calls passes to the caller. */
static void exchange_end_locked(struct sup_exchange *exchange, int error)
{
	struct sup_mailbox *mailbox = exchange->mailbox;

	lockdep_assert_held(&mailbox->lock);
	if (exchange->state == EXCHANGE_TAKEN) {
		mailbox->taken--;
	} else if (!list_empty(&exchange->post.node)) {
		sup_mailbox_unpost_locked(mailbox, &exchange->post);
		sup_mailbox_uncount_locked(mailbox, exchange->request.len);
	}
	list_del_init(&exchange->calls);
	hash_del(&exchange->by_number);
	exchange->error = error;
	/* Pairs with exchange_is_done(): the outcome is there before it is seen. */
	smp_store_release(&exchange->state, EXCHANGE_DONE);
}

static bool exchange_is_done(struct sup_exchange *exchange)
{
	/* Pairs with exchange_end_locked(). */
	return smp_load_acquire(&exchange->state) == EXCHANGE_DONE;
}

/* Tell who waits that it is over; drops the reference of the list of @calls. */
static void exchange_tell(struct sup_exchange *exchange, bool sync)
{
	if (exchange->async) {
		/* Its reference is the queue's, if it gets there. */
		if (sup_mailbox_post(exchange->reply_to, &exchange->answer))
			return;
	} else if (!wq_has_sleeper(&exchange->wait)) {
		/* The caller has not come to wait yet, or was interrupted. */
	} else if (sync) {
		wake_up_interruptible_sync(&exchange->wait);
	} else {
		wake_up_interruptible(&exchange->wait);
	}
	exchange_put(exchange);
}

/* The first of a list, ended; NULL when there is none. */
static struct sup_exchange *exchange_fail_first(struct sup_mailbox *mailbox,
						struct list_head *calls)
{
	struct sup_exchange *exchange;

	spin_lock(&mailbox->lock);
	exchange = list_first_entry_or_null(calls, struct sup_exchange, calls);
	if (exchange)
		exchange_end_locked(exchange, -EOWNERDEAD);
	spin_unlock(&mailbox->lock);
	return exchange;
}

/**
 * sup_exchange_fail_all - calls end because their server did
 * @mailbox: the mailbox
 * @queued: those that nobody has received too
 *
 * Context: may sleep.
 */
void sup_exchange_fail_all(struct sup_mailbox *mailbox, bool queued)
{
	struct sup_exchange *exchange;
	LIST_HEAD(failing);

	/* Not those that somebody else takes from now on. */
	spin_lock(&mailbox->lock);
	list_splice_init(&mailbox->taken_calls, &failing);
	if (queued)
		list_splice_tail_init(&mailbox->queued_calls, &failing);
	spin_unlock(&mailbox->lock);
	while ((exchange = exchange_fail_first(mailbox, &failing))) {
		exchange_tell(exchange, false);
		cond_resched();
	}
	if (queued)
		sup_mailbox_wake_senders(mailbox);
}

/*
 * The request as a message.
 */

static struct sup_exchange *request_exchange(struct sup_post *post)
{
	return container_of(post, struct sup_exchange, post);
}

static void request_get(struct sup_post *post)
{
	struct sup_exchange *exchange = request_exchange(post);
	struct sup_mailbox *mailbox = exchange->mailbox;

	exchange->state = EXCHANGE_TAKEN;
	mailbox->taken++;
	/* Of a dead one it is in a list of calls that fail, or about to be: it stays. */
	if (!mailbox->dead)
		list_move_tail(&exchange->calls, &mailbox->taken_calls);
	sup_mailbox_uncount_locked(mailbox, exchange->request.len);
	refcount_inc(&exchange->refs);
}

static void request_put(struct sup_post *post)
{
	exchange_put(request_exchange(post));
}

/* It could not be delivered: it waits on, unless it is over, or about to be. */
static void request_restore(struct sup_exchange *exchange)
{
	struct sup_mailbox *mailbox = exchange->mailbox;

	spin_lock(&mailbox->lock);
	if (exchange->state == EXCHANGE_TAKEN && !mailbox->dead) {
		exchange->state = EXCHANGE_QUEUED;
		mailbox->taken--;
		list_move(&exchange->calls, &mailbox->queued_calls);
		sup_mailbox_restore_locked(mailbox, &exchange->post);
		sup_mailbox_count_locked(mailbox, exchange->request.len);
	}
	spin_unlock(&mailbox->lock);
}

static ssize_t request_deliver(struct sup_post *post, void __user *to, size_t room, size_t *needed)
{
	struct sup_exchange *exchange = request_exchange(post);
	struct sup_mailbox *mailbox = exchange->mailbox;
	const struct sup_origin *path = mailbox->read_flags & SUPERVISOR_RECV_F_PATH ?
					exchange->sender.origin : NULL;
	struct supervisor_msg_data data;
	ssize_t ret;

	if (exchange_is_done(exchange))
		return -ESTALE;
	sup_data_write(&data, SUPERVISOR_MSG_CALL, exchange->from, &exchange->sender,
		       mailbox->object.account->ns, exchange->request.len);
	data.head.pid = pid_vnr(exchange->sender.pid);
	sup_data_path(&data, path);
	ret = data.head.size;
	if (ret > room) {
		*needed = ret;
		ret = -EMSGSIZE;
	} else if (sup_data_deliver(&data, &exchange->request, path, to)) {
		ret = -EFAULT;
	}
	if (ret < 0)
		request_restore(exchange);
	return ret;
}

static void request_discard(struct sup_post *post)
{
	struct sup_exchange *exchange = request_exchange(post);
	struct sup_mailbox *mailbox = exchange->mailbox;
	bool end;

	spin_lock(&mailbox->lock);
	end = exchange->state != EXCHANGE_DONE;
	if (end)
		exchange_end_locked(exchange, -EOWNERDEAD);
	spin_unlock(&mailbox->lock);
	if (end)
		exchange_tell(exchange, false);
}

static const struct sup_post_ops request_ops = {
	.get = request_get,
	.deliver = request_deliver,
	.put = request_put,
	.discard = request_discard,
};

/*
 * The reply as a message.
 */

static struct sup_exchange *answer_exchange(struct sup_post *post)
{
	return container_of(post, struct sup_exchange, answer);
}

static void answer_get(struct sup_post *post)
{
	refcount_inc(&answer_exchange(post)->refs);
}

static void answer_put(struct sup_post *post)
{
	exchange_put(answer_exchange(post));
}

/* True for the one who takes it out: the reference passes to the caller. */
static bool exchange_unstart(struct sup_exchange *exchange)
{
	struct sup_mailbox *mailbox = exchange->reply_to;
	bool started;

	spin_lock(&mailbox->lock);
	started = !list_empty(&exchange->started);
	list_del_init(&exchange->started);
	spin_unlock(&mailbox->lock);
	return started;
}

static ssize_t answer_deliver(struct sup_post *post, void __user *to, size_t room, size_t *needed)
{
	struct sup_exchange *exchange = answer_exchange(post);
	const struct sup_payload *reply = &exchange->reply;
	struct supervisor_msg_reply msg = {
		.head = {
			.size = sizeof(msg) + ALIGN(reply->len, 8),
			.type = SUPERVISOR_MSG_REPLY,
			.ref = exchange->answer.ref,
			.time_ns = ktime_get_ns(),
			.pid = pid_vnr(exchange->replier),
		},
		.error = -exchange->error,
		.payload_len = reply->len,
		.payload_offset = sizeof(msg),
	};
	ssize_t ret = msg.head.size;

	if (exchange->replier)
		msg.head.uid = from_kuid_munged(exchange->reply_to->object.account->ns,
						exchange->replier_uid);
	if (READ_ONCE(exchange->cancelled)) {
		exchange_put(exchange);
		return -ESTALE;
	}
	if (ret > room) {
		*needed = ret;
		ret = -EMSGSIZE;
	} else if (sup_copy_to_user(to, &msg, sizeof(msg)) ||
		   sup_payload_deliver(reply, to + sizeof(msg))) {
		ret = -EFAULT;
	}
	if (ret > 0 && exchange_unstart(exchange))
		exchange_put(exchange);
	/* The queue's reference goes with the message, or back with it. */
	if (ret > 0 || !sup_mailbox_restore(exchange->reply_to, post))
		exchange_put(exchange);
	return ret;
}

static const struct sup_post_ops answer_ops = {
	.get = answer_get,
	.deliver = answer_deliver,
	.put = answer_put,
	.discard = answer_put,
};

/*
 * Making a call.
 */

/* A call on its way into the mailbox. */
struct queueing {
	struct sup_exchange *exchange;
	u32 *limit;
	int ret;
};

static int queue_locked(struct sup_exchange *exchange, u32 *limit)
{
	struct sup_mailbox *mailbox = exchange->mailbox;
	int ret;

	lockdep_assert_held(&mailbox->lock);
	/* Where its REPLY was to go has been closed. */
	if (exchange->state != EXCHANGE_NEW)
		return -EBADF;
	/* A call of the owner to itself would never be served. */
	if (!exchange->async && sup_current_is(mailbox->server))
		return -EDEADLK;
	ret = sup_mailbox_admit_locked(mailbox, exchange->request.len, limit);
	if (ret)
		return ret;
	exchange_number_locked(exchange);
	exchange->state = EXCHANGE_QUEUED;
	refcount_inc(&exchange->refs);
	list_add_tail(&exchange->calls, &mailbox->queued_calls);
	hash_add(mailbox->calls_by_number, &exchange->by_number, exchange->from);
	sup_mailbox_count_locked(mailbox, exchange->request.len);
	sup_mailbox_post_locked(mailbox, &exchange->post);
	return 0;
}

static bool queue_try(struct queueing *queueing)
{
	struct sup_mailbox *mailbox = queueing->exchange->mailbox;

	spin_lock(&mailbox->lock);
	queueing->ret = queue_locked(queueing->exchange, queueing->limit);
	spin_unlock(&mailbox->lock);
	return queueing->ret != -EAGAIN;
}

static int exchange_queue(struct sup_exchange *exchange, u64 deadline, u32 *limit)
{
	struct queueing queueing = { .exchange = exchange, .limit = limit };
	int ret = sup_wait_until(exchange->mailbox->room, queue_try(&queueing), deadline);

	ret = ret ?: queueing.ret;
	if (!ret) {
		*limit = SUPERVISOR_LIMIT_NONE;
		sup_mailbox_wake_readers(exchange->mailbox, !exchange->async);
	}
	return ret;
}

/*
 * The caller gives up with @ret: it is over then. 0 when it was before; -ERESTARTSYS
 * leaves one that was received alone: it must not be made twice. Consumes nothing.
 */
static int exchange_give_up(struct sup_exchange *exchange, int ret)
{
	struct sup_mailbox *mailbox = exchange->mailbox;
	bool new, end;

	spin_lock(&mailbox->lock);
	new = exchange->state == EXCHANGE_NEW;
	end = exchange->state == EXCHANGE_QUEUED ||
	      (exchange->state == EXCHANGE_TAKEN && ret != -ERESTARTSYS);
	if (exchange->state == EXCHANGE_DONE)
		ret = 0;
	if (new)
		exchange->state = EXCHANGE_DONE;
	if (end)
		exchange_end_locked(exchange, ret);
	spin_unlock(&mailbox->lock);
	if (end)
		exchange_put(exchange);
	/* There is room; or it is the call itself that waits for some, in vain. */
	if (end || new)
		sup_mailbox_wake_senders(mailbox);
	return ret;
}

/* Nobody wants its reply any more. Was it still awaited? Drops its reference. */
static bool exchange_cancel(struct sup_exchange *exchange)
{
	bool active = exchange_give_up(exchange, -ECANCELED);

	exchange_put(exchange);
	return active;
}

/* Keep a call for who comes back with its number. Consumes the reference. */
static u64 exchange_park(struct sup_exchange *exchange, struct file *file)
{
	struct sup_mailbox *mailbox = exchange->mailbox;
	u64 number;

	spin_lock(&mailbox->lock);
	number = sup_park(&mailbox->parked, &exchange->parked, file);
	spin_unlock(&mailbox->lock);
	return number;
}

static struct sup_exchange *exchange_unpark(struct sup_mailbox *mailbox, struct file *file,
					    u64 number)
{
	struct sup_parked *parked;

	spin_lock(&mailbox->lock);
	parked = sup_parked_find(&mailbox->parked, file, number);
	if (parked)
		list_del_init(&parked->node);
	spin_unlock(&mailbox->lock);
	return parked ? container_of(parked, struct sup_exchange, parked) : NULL;
}

/**
 * sup_exchange_forget_parked - nobody will come back for calls made through a file
 * @mailbox: the mailbox
 * @file: the file, which is being closed
 *
 * Context: may sleep.
 */
void sup_exchange_forget_parked(struct sup_mailbox *mailbox, struct file *file)
{
	struct sup_exchange *exchange, *next;
	LIST_HEAD(forgotten);

	spin_lock(&mailbox->lock);
	sup_parked_take_all(&mailbox->parked, file, &forgotten);
	spin_unlock(&mailbox->lock);
	list_for_each_entry_safe(exchange, next, &forgotten, parked.node) {
		list_del_init(&exchange->parked.node);
		exchange_cancel(exchange);
	}
}

static int call_finish(struct sup_exchange *exchange, struct sup_ucmd *ucmd)
{
	struct supervisor_mailbox_call *cmd = ucmd->cmd;
	u32 room = cmd->reply_len;

	cmd->reply_len = exchange->reply.len;
	if (exchange->error == -EDQUOT)
		cmd->out_limit = SUPERVISOR_LIMIT_BYTES;
	if (exchange->error)
		return exchange->error;
	if (exchange->reply.len <= room)
		return sup_payload_copy_to_user(&exchange->reply, u64_to_user_ptr(cmd->reply));
	refcount_inc(&exchange->refs);
	cmd->call = exchange_park(exchange, ucmd->file);
	return -EMSGSIZE;
}

/*
 * Was it undone by the signal that interrupted its caller? Otherwise it may have been
 * answered since, and must not be made again.
 */
static bool exchange_was_taken_back(struct sup_exchange *exchange)
{
	return exchange_is_done(exchange) && exchange->error == -ERESTARTSYS;
}

/* See a call through that is under way. */
static int call_see_through(struct sup_exchange *exchange, struct sup_ucmd *ucmd)
{
	struct supervisor_mailbox_call *cmd = ucmd->cmd;
	int ret;

	/* Who has woken the server on its own processor may let it answer before it waits. */
	cond_resched();
	ret = sup_wait_until(exchange->wait, exchange_is_done(exchange), cmd->deadline);
	ret = sup_park_errno(ret);
	if (ret)
		ret = exchange_give_up(exchange, ret);
	if (!ret)
		return call_finish(exchange, ucmd);
	if (ret == -ERESTARTSYS && !exchange_was_taken_back(exchange)) {
		refcount_inc(&exchange->refs);
		cmd->call = exchange_park(exchange, ucmd->file);
	}
	return ret;
}

static int call_begin(struct sup_exchange *exchange, struct supervisor_mailbox_call *cmd)
{
	struct sup_mailbox *mailbox = exchange->mailbox;
	int ret;

	/* Nobody could answer in no time. */
	if (!cmd->deadline) {
		spin_lock(&mailbox->lock);
		ret = sup_mailbox_admit_locked(mailbox, exchange->request.len, &cmd->out_limit);
		spin_unlock(&mailbox->lock);
		return ret ?: -EAGAIN;
	}
	return exchange_queue(exchange, cmd->deadline, &cmd->out_limit);
}

/**
 * sup_exchange_call - ioctl(SUPERVISOR_MAILBOX_CALL)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_exchange_call(struct sup_ucmd *ucmd)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(ucmd->object);
	struct supervisor_mailbox_call *cmd = ucmd->cmd;
	struct sup_exchange *exchange;
	u64 number = cmd->call;
	int ret = 0;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_max = 0;
	cmd->call = 0;
	exchange = number ? exchange_unpark(mailbox, ucmd->file, number) ?: ERR_PTR(-ESTALE) :
			    exchange_new(mailbox, cmd->buf, cmd->len, &cmd->out_limit);
	if (exchange == ERR_PTR(-EMSGSIZE))
		cmd->out_max = mailbox->max_payload;
	if (IS_ERR(exchange))
		return PTR_ERR(exchange);
	if (!number)
		ret = call_begin(exchange, cmd);
	if (!ret)
		ret = call_see_through(exchange, ucmd);
	/* Who is answered finds its quota whole; what is parked costs until it is fetched. */
	if (!cmd->call)
		exchange_uncharge(exchange);
	exchange_put(exchange);
	return ret;
}

/*
 * Replying.
 */

/*
 * -ENOENT, -EALREADY, -ESTALE: nobody awaits it. A reply that the caller cannot pay
 * for is the caller's trouble, not the server's: it ends the call all the same.
 */
static int reply(struct sup_mailbox *mailbox, u64 from, struct sup_payload *payload, bool sync)
{
	struct sup_exchange *exchange;
	int ret = 0, error;

	spin_lock(&mailbox->lock);
	exchange = exchange_find_locked(mailbox, from);
	if (!exchange) {
		ret = from_errno_locked(mailbox, from);
	} else if (exchange->state != EXCHANGE_TAKEN) {
		ret = -ENOENT;
	} else {
		error = sup_payload_charge(payload, exchange->account);
		if (!error)
			sup_payload_move(&exchange->reply, payload);
		exchange->replier = get_pid(task_tgid(current));
		exchange->replier_uid = current_euid();
		from_answered_locked(mailbox, from);
		exchange_end_locked(exchange, error);
	}
	sync = sync && !sup_mailbox_readable_locked(mailbox);
	spin_unlock(&mailbox->lock);
	if (!ret)
		exchange_tell(exchange, sync);
	return ret;
}

static int reply_from_user(struct sup_mailbox *mailbox, u64 from, u64 buf, u32 len, bool sync,
			   int *nobody)
{
	struct sup_payload payload __uninitialized;
	int ret;

	if (len > SUPERVISOR_PAYLOAD_MAX)
		return -EMSGSIZE;
	ret = sup_payload_read(&payload, buf, len);
	if (ret)
		return ret;
	*nobody = reply(mailbox, from, &payload, sync);
	sup_payload_free(&payload);
	return 0;
}

/**
 * sup_exchange_reply - ioctl(SUPERVISOR_CALL_REPLY)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_exchange_reply(struct sup_ucmd *ucmd)
{
	struct supervisor_call_reply *cmd = ucmd->cmd;
	int nobody = 0;

	return reply_from_user(sup_object_mailbox(ucmd->object), cmd->from, cmd->buf, cmd->len,
			       false, &nobody) ?: nobody;
}

/**
 * sup_exchange_reply_recv - ioctl(SUPERVISOR_CALL_REPLY_RECV)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_exchange_reply_recv(struct sup_ucmd *ucmd)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(ucmd->object);
	struct supervisor_call_reply_recv *cmd = ucmd->cmd;
	struct sup_receive receive = {
		.to = u64_to_user_ptr(cmd->buf),
		.room = cmd->buf_len,
		.max = cmd->max,
		.flags = cmd->flags,
		.deadline = ucmd->file->f_flags & O_NONBLOCK ? 0 : cmd->deadline,
	};
	u64 from = cmd->from;
	int nobody = 0, ret;
	ssize_t len;

	cmd->out_count = 0;
	cmd->out_reply_error = 0;
	if (!IS_ALIGNED(cmd->buf, 8))
		return -EINVAL;
	if (cmd->from) {
		ret = reply_from_user(mailbox, cmd->from, cmd->reply, cmd->reply_len, true,
				      &nobody);
		if (ret)
			return ret;
		cmd->out_reply_error = -nobody;
		cmd->from = 0;
	}
	len = sup_mailbox_receive(mailbox, &receive);
	/* Who comes back is told then: what nobody awaited is refused each time. */
	if (nobody && len == -ERESTARTSYS)
		cmd->from = from;
	cmd->out_count = receive.count;
	cmd->buf_len = len > 0 ? len : receive.needed;
	return len < 0 ? len : 0;
}

/*
 * Calls that do not wait.
 */

/* False when it has been closed: its REPLY could not be queued there. Consumes @reply_to. */
static bool exchange_add_started(struct sup_exchange *exchange, struct sup_mailbox *reply_to)
{
	bool open;

	exchange->async = true;
	exchange->reply_to = reply_to;
	exchange->answer.ref = sup_id_next();
	spin_lock(&reply_to->lock);
	open = !reply_to->closed;
	if (open) {
		refcount_inc(&exchange->refs);
		list_add(&exchange->started, &reply_to->started);
	}
	spin_unlock(&reply_to->lock);
	return open;
}

/**
 * sup_exchange_start - ioctl(SUPERVISOR_CALL_START)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_exchange_start(struct sup_ucmd *ucmd)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(ucmd->object);
	struct supervisor_call_start *cmd = ucmd->cmd;
	struct sup_exchange *exchange;
	struct sup_mailbox *reply_to;
	u64 deadline = ucmd->file->f_flags & O_NONBLOCK ? 0 : cmd->deadline;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_max = 0;
	cmd->out_ref = 0;
	reply_to = sup_mailbox_fdget_read(cmd->mailbox_fd);
	if (IS_ERR(reply_to))
		return PTR_ERR(reply_to);
	exchange = exchange_new(mailbox, cmd->buf, cmd->len, &cmd->out_limit);
	if (IS_ERR(exchange)) {
		if (exchange == ERR_PTR(-EMSGSIZE))
			cmd->out_max = mailbox->max_payload;
		sup_mailbox_put(reply_to);
		return PTR_ERR(exchange);
	}
	/* Found before it is answered. */
	if (!exchange_add_started(exchange, reply_to)) {
		exchange_put(exchange);
		return -EBADF;
	}
	ret = exchange_queue(exchange, deadline, &cmd->out_limit);
	if (!ret)
		cmd->out_ref = exchange->answer.ref;
	else if (exchange_unstart(exchange))
		exchange_put(exchange);
	exchange_put(exchange);
	return ret;
}

static struct sup_exchange *exchange_take_started(struct sup_mailbox *mailbox, u64 ref)
{
	struct sup_exchange *exchange, *found = NULL;

	spin_lock(&mailbox->lock);
	list_for_each_entry(exchange, &mailbox->started, started)
		if (!ref || exchange->answer.ref == ref) {
			found = exchange;
			break;
		}
	if (found)
		list_del_init(&found->started);
	spin_unlock(&mailbox->lock);
	return found;
}

static bool started_cancel(struct sup_exchange *exchange, u32 flags)
{
	if (flags & SUPERVISOR_REF_F_FLUSH) {
		/* Its REPLY may be about to be queued. */
		WRITE_ONCE(exchange->cancelled, true);
		if (sup_mailbox_withdraw(exchange->reply_to, &exchange->answer))
			exchange_put(exchange);
	}
	return exchange_cancel(exchange);
}

/**
 * sup_exchange_cancel - ioctl(SUPERVISOR_CALL_CANCEL)
 * @ucmd: the ioctl
 *
 * Calls that were started are the reader's; one that was interrupted is its
 * file's, as for who comes back for it.
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_exchange_cancel(struct sup_ucmd *ucmd)
{
	struct sup_mailbox *mailbox = sup_object_mailbox(ucmd->object);
	bool reads = ucmd->file->f_mode & FMODE_READ;
	struct supervisor_ref *cmd = ucmd->cmd;
	struct sup_exchange *exchange;

	cmd->out_found = 0;
	exchange = cmd->ref ? exchange_unpark(mailbox, ucmd->file, cmd->ref) : NULL;
	if (exchange) {
		cmd->out_found = exchange_cancel(exchange);
		return 0;
	}
	if (!reads)
		return -EBADF;
	exchange = cmd->ref ? exchange_take_started(mailbox, cmd->ref) : NULL;
	if (exchange)
		cmd->out_found = started_cancel(exchange, cmd->flags);
	return 0;
}

/**
 * sup_exchange_forget_started - no reply can come to a mailbox any more
 * @mailbox: it is closed
 *
 * Context: may sleep.
 */
void sup_exchange_forget_started(struct sup_mailbox *mailbox)
{
	struct sup_exchange *exchange;

	while ((exchange = exchange_take_started(mailbox, 0)))
		exchange_cancel(exchange);
}

/**
 * sup_exchange_init - set up what all calls share
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init sup_exchange_init(void)
{
	/* Small payloads are copied straight into it and out of it. */
	exchange_cache = kmem_cache_create_usercopy("sup_exchange", sizeof(struct sup_exchange),
						    __alignof__(struct sup_exchange), SLAB_ACCOUNT,
						    offsetof(struct sup_exchange, request),
						    sizeof(struct sup_exchange) -
						    offsetof(struct sup_exchange, request),
						    exchange_construct);
	return exchange_cache ? 0 : -ENOMEM;
}

/**
 * sup_exchange_exit - tear down what all calls share
 *
 * Context: module exit; there are none any more.
 */
void sup_exchange_exit(void)
{
	kmem_cache_destroy(exchange_cache);
}
