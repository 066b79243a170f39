// SPDX-License-Identifier: GPL-2.0
/*
 * child - a supervisor's children: how one is started, attached, signalled and
 * found dead.
 *
 * A start: the policy says START, a START message goes to the control mailbox.
 * Who reads it becomes its reader and gets a token. The new process, a child of
 * the reader, attaches itself with the token and execs; the reader says STARTED.
 * If the reader dies before the attach, the START is queued again under a new
 * token; if it dies after, the child counts as started.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/pid_namespace.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "engine.h"
#include "registry.h"
#include "supervisor.h"
#include "trace.h"

static struct kmem_cache *sup_child_cache;

/* T: struct sup_launch by token. */
static DEFINE_HASHTABLE(sup_tokens, 10);
static DEFINE_SPINLOCK(sup_tokens_lock);

static u64 sup_now(void)
{
	return ktime_get_ns();
}

/*
 * Memory.
 */

/**
 * sup_child_get - take a reference
 * @child: a child
 *
 * Context: any.
 */
void sup_child_get(struct sup_child *child)
{
	refcount_inc(&child->ref);
}

static void kept_work(struct work_struct *work)
{
	struct sup_kept *kept = container_of(work, struct sup_kept, work);

	sup_object_forget(kept->object);
	kfree(kept);
}

/**
 * sup_child_unkeep - there will be no next incarnation of a child
 * @child: the child
 *
 * Context: holds S. A mailbox's closing may want locks that come before S: so it
 *	is left to work items.
 */
void sup_child_unkeep(struct sup_child *child)
{
	struct sup_kept *kept, *next;

	lockdep_assert_held(&child->sup->lock);
	if (!child->keeps)
		return;
	child->keeps = false;
	list_for_each_entry_safe(kept, next, &child->sup->kept, node) {
		if (kept->child != child)
			continue;
		list_del(&kept->node);
		queue_work(sup_workqueue, &kept->work);
	}
}

static void static_child_free(struct sup_static_child *member)
{
	struct sup_account *account = member->child.sup->object.account;

	sup_reservation_free(member->reservation);
	sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, member->blob_len);
	sup_account_uncharge(account, SUPERVISOR_LIMIT_CHILDREN, 1);
	kvfree(member->blob);
	kfree(member->policy.name.bytes);
	kmem_cache_free(sup_child_cache, member);
}

static void child_free(struct sup_child *child)
{
	struct sup_supervisor *sup = child->sup;

	sup_callers_put(child->callers);
	if (sup_is_dynamic(sup))
		sup_member_free(child);
	else
		static_child_free(sup_static_child(child));
	sup_object_put(&sup->object);
}

/**
 * sup_child_put - drop a reference
 * @child: a child, or NULL
 *
 * Context: may sleep.
 */
void sup_child_put(struct sup_child *child)
{
	if (child && refcount_dec_and_test(&child->ref))
		child_free(child);
}

static void child_watch_notify(struct sup_watch *watch)
{
	struct sup_child *child = container_of(watch, struct sup_child, watch);

	sup_inbox_add(child->sup, &child->exit_msg);
}

static int child_copy_strings(struct sup_static_child *child,
			      const struct supervisor_child_spec *spec)
{
	char *id;

	id = memdup_user_nul(u64_to_user_ptr(spec->id), spec->id_len);
	if (IS_ERR(id))
		return PTR_ERR(id);
	child->policy.name = sup_name_make(id, spec->id_len);
	if (!spec->blob_len)
		return 0;
	child->blob = kvmalloc(spec->blob_len, GFP_KERNEL_ACCOUNT);
	if (!child->blob)
		return -ENOMEM;
	return copy_from_user(child->blob, u64_to_user_ptr(spec->blob), spec->blob_len) ?
	       -EFAULT : 0;
}

/**
 * sup_child_spec_read - what user space says, as the deciders have it
 * @to: where to
 * @from: what it says
 *
 * Context: any.
 */
void sup_child_spec_read(struct sup_child_spec *to, const struct supervisor_child_spec *from)
{
	*to = (struct sup_child_spec){
		.restart = from->restart,
		.significant = from->significant,
		.type = from->type,
		.shutdown_ms = from->shutdown_ms,
		.start_timeout_ms = from->start_timeout_ms,
		.retry = {
			.min_ms = from->retry_min_ms,
			.max_ms = from->retry_max_ms,
			.factor_pct = from->retry_factor_pct,
			.jitter_pct = from->retry_jitter_pct,
			.reset_after_ms = from->retry_reset_after_ms,
			.uncounted = from->flags & SUPERVISOR_CHILD_F_RETRY_UNCOUNTED,
		},
	};
}

/**
 * sup_child_set_up - begin a child's life
 * @child: zeroed memory for it
 * @sup: whose child it will be; it gets a reference
 *
 * Context: any. The caller has the child's only reference.
 */
void sup_child_set_up(struct sup_child *child, struct sup_supervisor *sup)
{
	refcount_set(&child->ref, 1);
	sup_object_get(&sup->object);
	child->sup = sup;
	child->since_ns = sup_now();
	sup_watch_init(&child->watch, child_watch_notify);
	sup_inbox_msg_init(&child->exit_msg, SUP_INBOX_EXIT);
}

static int child_reserve(struct sup_child *child, const struct supervisor_child_spec *spec,
			 u32 *limit, u32 *max)
{
	struct sup_reservation *reservation;

	reservation = sup_reservation_new(spec, child->sup->object.account, limit, max);
	if (IS_ERR(reservation))
		return PTR_ERR(reservation);
	sup_static_child(child)->reservation = reservation;
	return 0;
}

/**
 * sup_child_alloc - make a child out of what user space says
 * @sup: whose child it will be
 * @spec: its spec, whose members have been checked but for those that the policy
 *	checks
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 * @max: with -EMSGSIZE: the bytes that the key or value may have
 *
 * Context: process; may sleep.
 * Return: a reference; -EDQUOT, -EFAULT, -ENOMEM, those of sup_reservation_new().
 */
struct sup_child *sup_child_alloc(struct sup_supervisor *sup,
				  const struct supervisor_child_spec *spec, u32 *limit,
				  u32 *max)
{
	struct sup_account *account = sup->object.account;
	struct sup_static_child *member;
	struct sup_child *child;
	int ret;

	if (sup_account_charge(account, SUPERVISOR_LIMIT_CHILDREN, 1)) {
		*limit = SUPERVISOR_LIMIT_CHILDREN;
		return ERR_PTR(-EDQUOT);
	}
	if (sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, spec->blob_len)) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_CHILDREN, 1);
		*limit = SUPERVISOR_LIMIT_BYTES;
		return ERR_PTR(-EDQUOT);
	}
	member = kmem_cache_zalloc(sup_child_cache, GFP_KERNEL_ACCOUNT);
	if (!member) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, spec->blob_len);
		sup_account_uncharge(account, SUPERVISOR_LIMIT_CHILDREN, 1);
		return ERR_PTR(-ENOMEM);
	}
	child = &member->child;
	sup_child_set_up(child, sup);
	child->id = sup_id_next();
	child->is_supervisor = spec->supervisor_fd != -1;
	child->readiness = spec->readiness;
	child->signal_whom = spec->signal_whom;
	child->stop_signal = spec->stop_signal ?: SIGTERM;
	member->blob_len = spec->blob_len;
	member->launch.child = child;
	sup_child_spec_read(&member->policy.spec, spec);
	ret = child_copy_strings(member, spec);
	if (!ret && spec->flags & SUPERVISOR_CHILD_F_REGISTER)
		ret = child_reserve(child, spec, limit, max);
	if (!ret)
		return child;

	child_free(child);
	return ERR_PTR(ret);
}

/*
 * Tokens.
 */

/* Dynamic supervisors know only their last start: NULL when that was another's. */
static struct sup_launch *child_launch(struct sup_child *child)
{
	struct sup_launch *launch = &child->sup->start.launch;

	if (!sup_is_dynamic(child->sup))
		return &sup_static_child(child)->launch;
	return launch->child == child ? launch : NULL;
}

static struct sup_launch *token_find_locked(u64 token)
{
	struct sup_launch *launch;

	lockdep_assert_held(&sup_tokens_lock);
	hash_for_each_possible(sup_tokens, launch, node, token)
		if (launch->token == token)
			return launch;
	return NULL;
}

static void launch_end(struct sup_launch *launch, struct sup_child *child)
{
	spin_lock(&sup_tokens_lock);
	hash_del(&launch->node);
	launch->child = child;
	spin_unlock(&sup_tokens_lock);
	launch->token = 0;
	launch->used = false;
}

static void token_revoke(struct sup_child *child)
{
	struct sup_launch *launch = child_launch(child);

	if (launch)
		launch_end(launch, child);
}

/* Begin a start: the token of the last one is void. */
static void token_begin(struct sup_child *child)
{
	if (sup_is_dynamic(child->sup))
		launch_end(&child->sup->start.launch, child);
	else
		token_revoke(child);
}

/* The child will be no more. */
static void token_forget(struct sup_child *child)
{
	struct sup_launch *launch = child_launch(child);

	if (launch)
		launch_end(launch, sup_is_dynamic(child->sup) ? NULL : child);
}

static u64 token_renew(struct sup_child *child)
{
	struct sup_launch *launch = child_launch(child);
	u64 token;

	spin_lock(&sup_tokens_lock);
	hash_del(&launch->node);
	do {
		token = get_random_u64();
	} while (!token || token_find_locked(token));
	launch->token = token;
	hash_add(sup_tokens, &launch->node, token);
	spin_unlock(&sup_tokens_lock);
	launch->used = false;
	return token;
}

/* Is this the token of its last start? */
static bool token_is(struct sup_child *child, u64 token)
{
	const struct sup_launch *launch = child_launch(child);

	return launch && launch->token == token;
}

/* The child whose last start had this token; a reference, or NULL. */
static struct sup_child *token_child_get(u64 token)
{
	struct sup_child *child = NULL;
	struct sup_launch *launch;

	spin_lock(&sup_tokens_lock);
	launch = token_find_locked(token);
	if (launch && refcount_inc_not_zero(&launch->child->ref))
		child = launch->child;
	spin_unlock(&sup_tokens_lock);
	return child;
}

/*
 * The start that is under way.
 */

/* The start is over, or is to be queued again: nobody reads it any more. */
static void start_forget_reader(struct sup_supervisor *sup)
{
	sup_unwatch(&sup->start.reader);
	sup_inbox_remove(sup, &sup->start.reader_msg);
}

/* The START is no longer in a mailbox. */
static void start_unpost(struct sup_supervisor *sup)
{
	if (sup->start.mailbox)
		sup_mailbox_withdraw(sup->start.mailbox, &sup->start.post);
	sup->start.mailbox = NULL;
}

/*
 * To the control mailbox: its own, or the nearest above that anybody can still read.
 * The chain of parents keeps them all.
 */
static void start_post(struct sup_supervisor *sup)
{
	struct sup_supervisor *at = sup;

	lockdep_assert_held(&sup->lock);
	while (at) {
		if (at->mailbox && sup_mailbox_post(at->mailbox, &sup->start.post)) {
			sup->start.mailbox = at->mailbox;
			return;
		}
		at = at->as_child ? at->as_child->sup : NULL;
	}
	sup->start.mailbox = NULL;
}

/* Back to where it was taken from, or where it can be read now. */
static void start_restore(struct sup_supervisor *sup)
{
	if (!sup->start.mailbox ||
	    !sup_mailbox_restore(sup->start.mailbox, &sup->start.post))
		start_post(sup);
}

static void start_end(struct sup_supervisor *sup)
{
	struct sup_start *start = &sup->start;

	lockdep_assert_held(&sup->lock);
	if (start->state == SUP_START_QUEUED)
		start_unpost(sup);
	sup_reservation_give_back(sup_child_reservation(start->child));
	start_forget_reader(sup);
	sup_inbox_remove(sup, &start->report_msg);
	start->state = SUP_START_NONE;
	sup_child_put(start->child);
	start->child = NULL;
}

static u64 spawner_timeout_ns(const struct sup_supervisor *sup)
{
	return (u64)sup->spawner_timeout_ms * NSEC_PER_MSEC;
}

static void start_queue(struct sup_supervisor *sup)
{
	struct sup_start *start = &sup->start;

	lockdep_assert_held(&sup->lock);
	start->state = SUP_START_QUEUED;
	start->deadline_ns = sup->spawner_timeout_ms ? sup_now() + spawner_timeout_ns(sup) :
						       U64_MAX;
	start_post(sup);
}

/* Tell the policy what happened to @child. */
static void child_input(struct sup_child *child, struct sup_input *input)
{
	if (sup_is_dynamic(child->sup))
		input->dynamic = &sup_member(child)->dynamic;
	else
		input->child = &sup_static_child(child)->policy;
	sup_feed(child->sup, input);
}

static void child_feed(struct sup_child *child, enum sup_input_type type)
{
	child_input(child, &(struct sup_input){ .type = type });
}

static void child_feed_exit(struct sup_child *child, enum sup_reason reason, s32 error)
{
	child_input(child, &(struct sup_input){
		.type = SUP_IN_EXIT,
		.reason = reason,
		.error = -error,
	});
}

/* The start came to nothing; @error is a positive errno. */
static void child_start_failed(struct sup_child *child, s32 error)
{
	child->last_error = error;
	child->start_failed = true;
	child->since_ns = sup_now();
	sup_event_child(child, SUPERVISOR_EVENT_START_FAILED, error);
	child_input(child, &(struct sup_input){ .type = SUP_IN_START_FAILED, .error = -error });
}

static void child_started(struct sup_child *child)
{
	child->since_ns = sup_now();
	sup_event_child(child, SUPERVISOR_EVENT_STARTED, 0);
	trace_sup_started(child->sup->object.id, child->id, child->incarnation);
	child_feed(child, SUP_IN_STARTED);
}

static void child_ignored(struct sup_child *child)
{
	child->since_ns = sup_now();
	sup_event_child(child, SUPERVISOR_EVENT_START_IGNORED, 0);
	child_feed(child, SUP_IN_IGNORED);
}

static void start_set_rival(struct sup_supervisor *sup, struct pid *rival)
{
	lockdep_assert_held(&sup->lock);
	put_pid(sup->rival);
	sup->rival = rival;
}

/* Take its key for a start; false when somebody else has it, and that failed. */
static bool child_take_key(struct sup_child *child)
{
	struct pid *rival;
	int ret;

	if (!sup_child_reservation(child))
		return true;
	ret = sup_reservation_take(sup_child_reservation(child), &rival);
	if (!ret)
		return true;
	start_set_rival(child->sup, rival);
	child_start_failed(child, -ret);
	return false;
}

static bool child_starting(struct sup_child *child)
{
	return sup_child_state(child) == SUP_CHILD_STARTING;
}

static bool child_start_pending(const struct sup_child *child)
{
	return child->sup->start.child == child;
}

/* A run of a dynamic supervisor's child is one that has started. */
static void child_count_start(struct sup_child *child)
{
	if (sup_is_dynamic(child->sup))
		child->incarnation = sup_member(child)->dynamic.incarnation + 1;
	else
		child->incarnation++;
}

/**
 * sup_child_start - carry out START
 * @child: the child
 *
 * Context: holds S; may sleep.
 */
void sup_child_start(struct sup_child *child)
{
	struct sup_supervisor *sub = sup_child_sub(child);
	struct sup_supervisor *sup = child->sup;

	lockdep_assert_held(&sup->lock);
	start_set_rival(sup, NULL);
	/* Abandoned once, alive still: two of it would be one too many. */
	if (child->watch.process && !child->gone) {
		child_start_failed(child, EBUSY);
		return;
	}
	child_count_start(child);
	child->since_ns = sup_now();
	child->reports = 0;
	child->attached = false;
	child->unkillable = false;
	sup_trace_start(child);
	if (sub && child->readiness != SUPERVISOR_READINESS_NOTIFY) {
		sup_start_below(sub, sup->root);
		return;
	}
	token_begin(child);
	if (!child_take_key(child))
		return;
	sup_child_get(child);
	sup->start.child = child;
	start_queue(sup);
	sup_event_child(child, SUPERVISOR_EVENT_START_REQUEST, 0);
}

/*
 * The START message. It is made when it is read, so that it carries a fresh
 * token and its reader is known.
 */

static struct sup_supervisor *post_supervisor(struct sup_post *post)
{
	return container_of(post, struct sup_supervisor, start.post);
}

static void start_post_get(struct sup_post *post)
{
	sup_object_get(&post_supervisor(post)->object);
}

static void start_post_put(struct sup_post *post)
{
	sup_object_put(&post_supervisor(post)->object);
}

/* Its mailbox was closed: there may be one above. */
static void start_post_discard(struct sup_post *post)
{
	sup_control(post_supervisor(post), SUP_CONTROL_REPOST);
}

/**
 * sup_start_repost - find another mailbox for a START whose own was closed
 * @sup: whose start
 *
 * If there is none, it waits for the spawner's timeout, or for a stop.
 *
 * Context: holds S.
 */
void sup_start_repost(struct sup_supervisor *sup)
{
	lockdep_assert_held(&sup->lock);
	if (sup->start.state != SUP_START_QUEUED)
		return;
	start_unpost(sup);
	start_post(sup);
}

/*
 * Bind the queued start to the calling process; its child, with a reference, and
 * the number and token of this start, which may be over as soon as S is let go.
 * The deadline stays: if the message does not reach its reader, nobody has read
 * it.
 */
static struct sup_child *start_claim(struct sup_supervisor *sup, struct sup_process *reader,
				     u32 *incarnation, u64 *token)
{
	struct sup_start *start = &sup->start;
	struct sup_child *child = NULL;

	mutex_lock(&sup->lock);
	if (start->state == SUP_START_QUEUED) {
		/* The post taken may have been an earlier start's. */
		if (start->mailbox)
			sup_mailbox_withdraw(start->mailbox, &start->post);
		child = start->child;
		sup_child_get(child);
		*token = token_renew(child);
		*incarnation = child->incarnation;
		start->state = SUP_START_READ;
		sup_watch_add(&start->reader, reader);
	}
	mutex_unlock(&sup->lock);
	return child;
}

/* The message did not reach its reader: the next one gets it. */
static void start_unclaim(struct sup_supervisor *sup, struct sup_child *child, u64 token)
{
	struct sup_start *start = &sup->start;

	mutex_lock(&sup->lock);
	if (start->state == SUP_START_READ && child_start_pending(child) &&
	    token_is(child, token) && !child_launch(child)->used) {
		start_forget_reader(sup);
		token_revoke(child);
		start->state = SUP_START_QUEUED;
		start_restore(sup);
		sup_arm_timer(sup);
	}
	mutex_unlock(&sup->lock);
}

static const void *start_blob(struct sup_child *child, u32 *len)
{
	const struct sup_spec *spec;

	if (!sup_is_dynamic(child->sup)) {
		*len = sup_static_child(child)->blob_len;
		return sup_static_child(child)->blob;
	}
	spec = sup_member_spec(child);
	if (spec->template)
		spec = spec->template;
	*len = spec->blob_len;
	return spec->blob;
}

static const void *start_args(struct sup_child *child, u32 *len)
{
	const struct sup_spec *spec;

	*len = 0;
	if (!sup_is_dynamic(child->sup))
		return NULL;
	spec = sup_member_spec(child);
	*len = spec->args_len;
	return spec->args;
}

static ssize_t start_write(struct sup_supervisor *sup, struct sup_child *child,
			   u32 incarnation, u64 token, u8 __user *to, size_t room, size_t *needed)
{
	const struct sup_name *name = sup_child_name(child);
	const void *blob, *args;
	struct supervisor_msg_start msg = {
		.head = {
			.type = SUPERVISOR_MSG_START,
			.flags = sup_child_msg_flags(child) |
				 (child->is_supervisor ? SUPERVISOR_MSG_F_SUPERVISOR : 0),
			.supervisor = sup->object.id,
			.child = child->id,
			.ref = token,
			.time_ns = sup_now(),
			.uid = from_kuid_munged(current_user_ns(), sup->cred->euid),
			.incarnation = incarnation,
		},
		.signal_whom = child->signal_whom,
		.readiness = child->readiness,
		.id_len = name->len,
	};
	size_t text, blob_at, args_at, len;
	ssize_t ret;
	char *path;

	path = kmalloc(sup_depth(sup) * (SUP_NAME_MAX + 1) + 1, GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	blob = start_blob(child, &msg.blob_len);
	args = start_args(child, &msg.args_len);
	msg.path_len = sup_path(sup, path);
	text = msg.id_len + 1 + msg.path_len + 1;
	blob_at = sizeof(msg) + ALIGN(text, 8);
	msg.text_offset = sizeof(msg);
	msg.blob_offset = blob_at;
	args_at = blob_at + ALIGN(msg.blob_len, 8);
	msg.args_offset = args_at;
	len = args_at + ALIGN(msg.args_len, 8);
	msg.head.size = len;
	if (len > room) {
		*needed = len;
		ret = -EMSGSIZE;
	} else if (copy_to_user(to, &msg, sizeof(msg)) ||
		   copy_to_user(to + sizeof(msg), name->bytes, msg.id_len + 1) ||
		   copy_to_user(to + sizeof(msg) + msg.id_len + 1, path, msg.path_len + 1) ||
		   clear_user(to + sizeof(msg) + text, blob_at - sizeof(msg) - text) ||
		   copy_to_user(to + blob_at, blob, msg.blob_len) ||
		   clear_user(to + blob_at + msg.blob_len, args_at - blob_at - msg.blob_len) ||
		   copy_to_user(to + args_at, args, msg.args_len) ||
		   clear_user(to + args_at + msg.args_len, len - args_at - msg.args_len)) {
		ret = -EFAULT;
	} else {
		ret = len;
	}
	kfree(path);
	return ret;
}

static ssize_t start_post_deliver(struct sup_post *post, void __user *to, size_t room,
				  size_t *needed)
{
	struct sup_supervisor *sup = post_supervisor(post);
	struct sup_process *reader;
	struct sup_child *child;
	u32 incarnation;
	ssize_t ret;
	u64 token;

	reader = sup_process_get_current();
	if (!reader) {
		mutex_lock(&sup->lock);
		if (sup->start.state == SUP_START_QUEUED)
			start_restore(sup);
		mutex_unlock(&sup->lock);
		return -ENOMEM;
	}
	child = start_claim(sup, reader, &incarnation, &token);
	if (!child) {
		sup_process_put(reader);
		return -ESTALE;
	}
	ret = start_write(sup, child, incarnation, token, to, room, needed);
	if (ret < 0)
		start_unclaim(sup, child, token);
	sup_child_put(child);
	return ret;
}

static const struct sup_post_ops start_post_ops = {
	.get = start_post_get,
	.deliver = start_post_deliver,
	.put = start_post_put,
	.discard = start_post_discard,
};

static void start_reader_notify(struct sup_watch *watch)
{
	struct sup_supervisor *sup = container_of(watch, struct sup_supervisor, start.reader);

	sup_inbox_add(sup, &sup->start.reader_msg);
}

/**
 * sup_start_init - prepare a new supervisor's start
 * @sup: the supervisor
 *
 * Context: any.
 */
void sup_start_init(struct sup_supervisor *sup)
{
	struct sup_start *start = &sup->start;

	start->state = SUP_START_NONE;
	sup_post_init(&start->post, &start_post_ops);
	sup_watch_init(&start->reader, start_reader_notify);
	sup_inbox_msg_init(&start->reader_msg, SUP_INBOX_READER);
	sup_inbox_msg_init(&start->report_msg, SUP_INBOX_REPORT);
}

/**
 * sup_start_deadline - when the START under way has waited too long for a reader
 * @sup: the supervisor whose start it is
 *
 * Context: holds S.
 * Return: CLOCK_MONOTONIC ns; U64_MAX for never, or when none waits.
 */
u64 sup_start_deadline(const struct sup_supervisor *sup)
{
	lockdep_assert_held(&sup->lock);
	return sup->start.state == SUP_START_QUEUED ? sup->start.deadline_ns : U64_MAX;
}

/*
 * Something was said about a start. What was said before the attach ends it; after
 * that, FAILED and IGNORE wait for the exit that must follow. A supervisor never
 * attaches: it starts when it is READY to.
 */
static void child_handle_report(struct sup_child *child)
{
	const struct sup_launch *launch = child_launch(child);
	struct sup_supervisor *sup = child->sup;
	bool started = child->reports & SUP_SAID_STARTED;
	bool ready = child->reports & SUP_SAID_READY ||
		     (started && child->reports & SUP_SAID_EARLY_READY);

	lockdep_assert_held(&sup->lock);
	if (!child_start_pending(child) || !child_starting(child))
		return;
	/* Failed and started? Whether it execed tells; if not, it is about to exit. */
	if (started && child->attached && child->reports & (SUP_SAID_FAILED | SUP_SAID_IGNORE) &&
	    !sup_process_execed(child->watch.process, launch->exec_id))
		return;
	if (!child->attached) {
		token_revoke(child);
		start_end(sup);
		if (child->reports & SUP_SAID_FAILED)
			child_start_failed(child, launch->error);
		else if (child->reports & SUP_SAID_IGNORE)
			child_ignored(child);
		else
			sup_start_below(sup_child_sub(child), sup->root);
	} else if (child->readiness == SUPERVISOR_READINESS_NOTIFY ? ready : started) {
		start_end(sup);
		child_started(child);
	}
}

/**
 * sup_start_handle_report - something was said about the start under way
 * @sup: the supervisor whose start it is
 *
 * Context: holds S; may sleep.
 */
void sup_start_handle_report(struct sup_supervisor *sup)
{
	lockdep_assert_held(&sup->lock);
	if (sup->start.child)
		child_handle_report(sup->start.child);
}

/**
 * sup_start_handle_reader - the process that read the START is dead
 * @sup: the supervisor whose start it is
 *
 * Context: holds S; may sleep.
 */
void sup_start_handle_reader(struct sup_supervisor *sup)
{
	struct sup_start *start = &sup->start;
	struct sup_child *child = start->child;

	lockdep_assert_held(&sup->lock);
	if (start->state != SUP_START_READ)
		return;
	start_forget_reader(sup);
	if (!child->attached) {
		token_revoke(child);
		start_queue(sup);
	} else if (!(child->reports & (SUP_SAID_FAILED | SUP_SAID_IGNORE))) {
		/* Nobody is left to say so. */
		child->reports |= SUP_SAID_STARTED;
		child_handle_report(child);
	}
}

/**
 * sup_start_handle_timer - has the START waited too long for a reader
 * @sup: the supervisor whose start it is
 * @now_ns: CLOCK_MONOTONIC
 *
 * Context: holds S; may sleep.
 */
void sup_start_handle_timer(struct sup_supervisor *sup, u64 now_ns)
{
	struct sup_child *child = sup->start.child;
	u64 held_ns;

	lockdep_assert_held(&sup->lock);
	if (now_ns < sup_start_deadline(sup))
		return;
	/* Time does not count while there may be nobody to read it. */
	held_ns = sup_hold_deadline(sup->root);
	if (held_ns != SUP_NOT_HELD) {
		sup->start.deadline_ns = held_ns + spawner_timeout_ns(sup);
		return;
	}
	start_end(sup);
	child_start_failed(child, ETIMEDOUT);
}

/*
 * Attach and reports.
 */

/* The process, whose reference passes to it, is the child's: the one before is not. */
static void child_watch(struct sup_child *child, struct sup_process *process)
{
	sup_unwatch(&child->watch);
	child->gone = false;
	sup_watch_add(&child->watch, process);
}

static void child_trace_attach(const struct sup_child *child)
{
	trace_sup_attach(child->sup->object.id, child->id, child->incarnation,
			 pid_nr(sup_child_pid(child)));
}

/* The calling process is to be the child's: may it, and is it nobody else's? */
static int child_claim_locked(struct sup_child *child, struct sup_process *process)
{
	lockdep_assert_held(&child->sup->lock);
	if (child->signal_whom == SUPERVISOR_SIGNAL_GROUP && !sup_current_leads_group())
		return -EINVAL;
	if (sup_owned_by_current(child->sup->root))
		return -EDEADLK;
	return sup_process_claim(process, &child->watch) ? 0 : -EBUSY;
}

/* The caller holds S and a reference; @reg has been prepared, if there is a key. */
static int child_attach_locked(struct sup_child *child, u64 token, struct sup_process *process,
			       struct sup_registration *reg)
{
	struct sup_launch *launch = child_launch(child);
	struct sup_supervisor *sup = child->sup;
	int ret;

	lockdep_assert_held(&sup->lock);
	if (!token_is(child, token))
		return -ESTALE;
	if (child->is_supervisor)
		return -EINVAL;
	if (launch->used)
		return -EALREADY;
	if (sup->start.state != SUP_START_READ || !child_start_pending(child) ||
	    !child_starting(child) || child->reports & (SUP_SAID_FAILED | SUP_SAID_IGNORE))
		return -ESTALE;
	if (!sup_current_is_child_of(sup->start.reader.process))
		return -EPERM;
	ret = child_claim_locked(child, process);
	if (ret)
		return ret;

	launch->used = true;
	launch->exec_id = sup_current_exec_id();
	child->attached = true;
	child_watch(child, process);
	child_trace_attach(child);
	if (sup_child_reservation(child))
		sup_reservation_claim(sup_child_reservation(child), reg);
	child_feed(child, SUP_IN_ATTACHED);
	sup_arm_timer(sup);
	if (child->readiness == SUPERVISOR_READINESS_ATTACH) {
		child->reports |= SUP_SAID_STARTED;
		sup_inbox_add(sup, &sup->start.report_msg);
	}
	return 0;
}

/**
 * sup_child_join_locked - make the calling process a new child
 * @child: the child, of a dynamic supervisor, which waits to be told of it
 * @process: the calling process's record; its reference passes to @child on success
 * @holder: with -EEXIST: as sup_reservation_take() has it
 *
 * Its key is taken, if it is to have one, and not its own yet.
 *
 * Context: holds S.
 * Return: 0; -EINVAL, -EDEADLK, -EBUSY; -EEXIST when somebody else has the key.
 */
int sup_child_join_locked(struct sup_child *child, struct sup_process *process,
			  struct pid **holder)
{
	struct sup_reservation *reservation = sup_child_reservation(child);
	int ret;

	ret = reservation ? sup_reservation_take(reservation, holder) : 0;
	if (ret)
		return ret;
	ret = child_claim_locked(child, process);
	if (ret) {
		sup_reservation_give_back(reservation);
		return ret;
	}
	child->incarnation = 1;
	child->attached = true;
	child_watch(child, process);
	return 0;
}

/**
 * sup_child_joined - a process has become a child, and has started
 * @child: the child
 *
 * Context: holds S; may sleep.
 */
void sup_child_joined(struct sup_child *child)
{
	lockdep_assert_held(&child->sup->lock);
	child->since_ns = sup_now();
	/* It had no number before. */
	child_trace_attach(child);
	sup_event_child(child, SUPERVISOR_EVENT_STARTED, 0);
	trace_sup_started(child->sup->object.id, child->id, child->incarnation);
}

/**
 * sup_child_attach - ioctl(SUPERVISOR_CHILD_ATTACH)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_child_attach(struct sup_ucmd *ucmd)
{
	struct supervisor_child_attach *cmd = ucmd->cmd;
	struct sup_registration reg = {};
	struct sup_process *process;
	struct sup_child *child;
	int ret = 0;

	child = token_child_get(cmd->token);
	if (!child)
		return -ESTALE;
	process = sup_process_get_current();
	if (!process)
		ret = -ENOMEM;
	else if (sup_child_reservation(child))
		ret = sup_reservation_prepare(sup_child_reservation(child), &reg);
	if (!ret) {
		mutex_lock(&child->sup->lock);
		ret = child_attach_locked(child, cmd->token, process, &reg);
		mutex_unlock(&child->sup->lock);
		sup_reservation_unprepare(&reg);
	}
	if (ret)
		sup_process_put(process);
	else if (cmd->flags & SUPERVISOR_ATTACH_F_RESET_SIGNALS)
		sup_current_reset_signals();
	sup_child_put(child);
	return ret;
}

static bool report_by_reader(const struct sup_child *child)
{
	return sup_current_is(child->sup->start.reader.process);
}

static bool report_by_child(const struct sup_child *child)
{
	return child->attached && sup_current_is(child->watch.process);
}

static int report_start_outcome(struct sup_child *child, u32 report, s32 error)
{
	u8 said = BIT(report);
	u8 excludes = report == SUPERVISOR_REPORT_STARTED ? SUP_SAID_STARTED :
							    SUP_SAID_FAILED | SUP_SAID_IGNORE;

	if (!child_start_pending(child) || !child_starting(child))
		return -ESTALE;
	if (child->reports & excludes)
		return -EALREADY;
	if (report == SUPERVISOR_REPORT_STARTED && (!child->attached || !report_by_reader(child)))
		return -EINVAL;
	child->reports |= said;
	if (report == SUPERVISOR_REPORT_FAILED)
		child_launch(child)->error = error;
	return 0;
}

static int report_ready(struct sup_child *child)
{
	if (child->readiness != SUPERVISOR_READINESS_NOTIFY ||
	    (!child->attached && !child->is_supervisor))
		return -EINVAL;
	if (child->reports & (SUP_SAID_READY | SUP_SAID_EARLY_READY))
		return -EALREADY;
	if (!child_start_pending(child) || !child_starting(child))
		return -ESTALE;
	/* Said before exec, it counts after: when the spawner says STARTED. */
	if (report_by_child(child) && sup_current_exec_id() == child_launch(child)->exec_id &&
	    !(child->reports & SUP_SAID_STARTED))
		child->reports |= SUP_SAID_EARLY_READY;
	else
		child->reports |= SUP_SAID_READY;
	return 0;
}

/* Nothing waits for it: it tells what the exit will mean. */
static int report_shutdown(struct sup_child *child)
{
	if (!report_by_child(child))
		return -EINVAL;
	if (child->reports & SUP_SAID_SHUTDOWN)
		return -EALREADY;
	child->reports |= SUP_SAID_SHUTDOWN;
	sup_process_say_shutdown(child->watch.process);
	return 0;
}

static int child_report_locked(struct sup_child *child, const struct supervisor_child_report *cmd,
			       bool *wake)
{
	int ret;

	lockdep_assert_held(&child->sup->lock);
	if (cmd->token && !token_is(child, cmd->token))
		return -ESTALE;
	if (!report_by_child(child)) {
		if (!child_start_pending(child))
			return -ESTALE;
		if (!report_by_reader(child) &&
		    (child->attached ||
		     !sup_current_is_child_of(child->sup->start.reader.process)))
			return -EPERM;
	}

	switch (cmd->report) {
	case SUPERVISOR_REPORT_STARTED:
	case SUPERVISOR_REPORT_FAILED:
	case SUPERVISOR_REPORT_IGNORE:
		ret = report_start_outcome(child, cmd->report, cmd->error);
		break;
	case SUPERVISOR_REPORT_READY:
		ret = report_ready(child);
		break;
	default:
		return report_shutdown(child);
	}
	if (!ret)
		*wake = sup_inbox_put(child->sup, &child->sup->start.report_msg);
	return ret;
}

static struct sup_child *watch_child(struct sup_watch *watch)
{
	return container_of(watch, struct sup_child, watch);
}

static void claim_get(struct sup_watch *watch)
{
	sup_child_get(watch_child(watch));
}

static void claim_put(struct sup_watch *watch)
{
	sup_child_put(watch_child(watch));
}

static void claim_identity(struct sup_watch *watch, struct sup_identity *identity)
{
	const struct sup_child *child = watch_child(watch);

	identity->supervisor = child->sup->object.id;
	identity->child = READ_ONCE(child->id);
	identity->incarnation = READ_ONCE(child->incarnation);
	identity->dynamic = sup_is_dynamic(child->sup);
}

static size_t claim_path(struct sup_watch *watch, char *buf)
{
	BUILD_BUG_ON(SUP_PATH_MAX > PATH_MAX);
	return sup_path(watch_child(watch)->sup, buf);
}

static size_t claim_id(struct sup_watch *watch, char *buf)
{
	const struct sup_name *name = sup_child_name(watch_child(watch));

	memcpy(buf, name->bytes, name->len);
	return name->len;
}

static struct sup_callers *claim_callers(struct sup_watch *watch)
{
	struct sup_child *child = watch_child(watch);
	struct sup_callers *callers;

	mutex_lock(&child->sup->lock);
	callers = sup_callers_get(child->callers);
	mutex_unlock(&child->sup->lock);
	return callers;
}

static int child_keep_locked(struct sup_child *child, struct sup_kept *new)
{
	struct sup_supervisor *sup = child->sup;
	struct sup_kept *kept;
	int nr = 0;

	lockdep_assert_held(&sup->lock);
	if (child->forgotten)
		return -ESRCH;
	if (child->keeps)
		list_for_each_entry(kept, &sup->kept, node)
			nr += kept->child == child;
	if (nr >= SUP_KEPT_MAX)
		return -ENOSPC;
	child->keeps = true;
	list_add(&new->node, &sup->kept);
	return 0;
}

static int claim_keep(struct sup_watch *watch, struct sup_object *object)
{
	struct sup_child *child = watch_child(watch);
	struct sup_kept *kept;
	int ret;

	kept = kmalloc(sizeof(*kept), GFP_KERNEL_ACCOUNT);
	if (!kept)
		return -ENOMEM;
	kept->child = child;
	kept->object = object;
	INIT_WORK(&kept->work, kept_work);
	mutex_lock(&child->sup->lock);
	ret = child_keep_locked(child, kept);
	mutex_unlock(&child->sup->lock);
	if (ret)
		kfree(kept);
	return ret;
}

static const struct sup_claim_ops child_claim_ops = {
	.get = claim_get,
	.put = claim_put,
	.identity = claim_identity,
	.path = claim_path,
	.id = claim_id,
	.callers = claim_callers,
	.keep = claim_keep,
};

/**
 * sup_child_of_pid - the child that a process is, or was before it died
 * @pid: its identity
 *
 * Context: may sleep.
 * Return: a reference, or NULL when it is nobody's.
 */
struct sup_child *sup_child_of_pid(struct pid *pid)
{
	struct sup_watch *watch = sup_pid_claim(pid);

	return watch ? watch_child(watch) : NULL;
}

/**
 * sup_child_find - a supervisor's child by its id
 * @sup: the supervisor
 * @id: pointer to the id, in user space
 * @len: its bytes
 *
 * Context: process; may sleep.
 * Return: a reference; -ENOENT, -EINVAL, -ENAMETOOLONG, -EFAULT, -ENOMEM;
 *	-EOPNOTSUPP of a dynamic one, where ids need not differ.
 */
struct sup_child *sup_child_find(struct sup_supervisor *sup, u64 id, u32 len)
{
	struct sup_child *child = ERR_PTR(-ENOENT);
	struct sup_policy_child *found;
	struct sup_name name;
	char *bytes;

	if (sup_is_dynamic(sup))
		return ERR_PTR(-EOPNOTSUPP);
	if (len > SUP_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	bytes = memdup_user_nul(u64_to_user_ptr(id), len);
	if (IS_ERR(bytes))
		return ERR_CAST(bytes);
	if (!sup_name_valid(bytes, len)) {
		kfree(bytes);
		return ERR_PTR(-EINVAL);
	}
	name = sup_name_make(bytes, len);
	mutex_lock(&sup->lock);
	found = sup_policy_find(&sup->policy, &name);
	if (found) {
		child = sup_policy_child(found);
		sup_child_get(child);
	}
	mutex_unlock(&sup->lock);
	kfree(bytes);
	return child;
}

/* The child that the caller means; a reference, -ESTALE or -ESRCH. */
static struct sup_child *report_child_get(u64 token)
{
	struct sup_child *child;
	struct sup_watch *watch;

	if (token) {
		child = token_child_get(token);
		return child ?: ERR_PTR(-ESTALE);
	}
	watch = sup_current_claim();
	return watch ? watch_child(watch) : ERR_PTR(-ESRCH);
}

/**
 * sup_current_is_below - is the calling process a child in a tree
 * @root: the tree's root
 *
 * Context: may sleep.
 * Return: true if so.
 */
bool sup_current_is_below(struct sup_supervisor *root)
{
	struct sup_watch *watch = sup_current_claim();
	bool below = watch && READ_ONCE(watch_child(watch)->sup->root) == root;

	if (watch)
		claim_put(watch);
	return below;
}

/**
 * sup_child_report - ioctl(SUPERVISOR_CHILD_REPORT)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_child_report(struct sup_ucmd *ucmd)
{
	struct supervisor_child_report *cmd = ucmd->cmd;
	struct sup_child *child;
	bool wake = false;
	int ret;

	if (cmd->report > SUPERVISOR_REPORT_SHUTDOWN)
		return -EOPNOTSUPP;
	if (cmd->report == SUPERVISOR_REPORT_FAILED ? cmd->error < 1 || cmd->error > MAX_ERRNO :
						      cmd->error != 0)
		return -EINVAL;
	child = report_child_get(cmd->token);
	if (IS_ERR(child))
		return PTR_ERR(child);
	mutex_lock(&child->sup->lock);
	ret = child_report_locked(child, cmd, &wake);
	mutex_unlock(&child->sup->lock);
	/* What follows is most often the next START, for this very process. */
	if (wake)
		sup_run(child->sup);
	sup_child_put(child);
	return ret;
}

/*
 * Signals.
 */

/* Who goes over to another group takes a walk over the members along. */
static bool task_strayed(struct task_struct *task, const struct pid *pgrp)
{
	struct pid *now = task_pgrp(task);

	return now && now != pgrp;
}

/*
 * Need nobody in the group be passed over, and nobody who is yet to be born in
 * it? A new namespace is below that of who makes it: while all are in @sup's
 * namespace or below, its first process may be signalled. A task that is being
 * reaped has no pid any more.
 */
static bool signal_group_ok(struct sup_supervisor *sup, struct pid *pgrp)
{
	struct task_struct *task, *last = NULL;
	bool ok = true;

	rcu_read_lock();
	hlist_for_each_entry_rcu(task, &pgrp->tasks[PIDTYPE_PGID], pid_links[PIDTYPE_PGID]) {
		struct pid *pid = task_pid(task);

		last = task;
		ok = !task_strayed(task, pgrp) &&
		     (!pid || (sup_namespace_within(ns_of_pid(pid), sup->pid_ns) &&
			       sup_signal_ok(sup->pid_ns, pid)));
		if (!ok)
			break;
	}
	ok = ok && !(last && task_strayed(last, pgrp));
	rcu_read_unlock();
	return ok;
}

/* Has its end begun? Then the kernel drops whatever else is sent to it. Under RCU. */
static bool task_is_ending(struct task_struct *task)
{
	/* The kernel writes it plainly, under siglock; once set, it stays. */
	return data_race(READ_ONCE(task->signal->flags)) & SIGNAL_GROUP_EXIT;
}

/* Signal each member by itself. True if there may be one left to kill. */
static bool signal_members(struct sup_supervisor *sup, struct pid *pgrp, int sig)
{
	struct task_struct *task, *last = NULL;
	bool more = false;

	rcu_read_lock();
	hlist_for_each_entry_rcu(task, &pgrp->tasks[PIDTYPE_PGID], pid_links[PIDTYPE_PGID]) {
		bool dying = task_is_ending(task) || READ_ONCE(task->exit_state);
		struct pid *pid = task_pid(task);

		last = task;
		if (task_strayed(task, pgrp))
			break;
		if (pid && !sup_signal(sup->pid_ns, pid, sig) && !dying)
			more = true;
	}
	more |= last && task_strayed(last, pgrp);
	rcu_read_unlock();
	return more && sig == SIGKILL;
}

/* Walks over a group in which processes are born as fast as they are killed. */
#define SIGNAL_WALKS 64

/*
 * A process that is born during a walk is missed by it. Who is being killed has no
 * more children: so it is over when a walk finds nobody left to kill.
 */
static void signal_group(struct sup_supervisor *sup, struct pid *pgrp, int sig)
{
	int walks = SIGNAL_WALKS;

	if (signal_group_ok(sup, pgrp)) {
		kill_pgrp(pgrp, sig, 0);
		return;
	}
	while (signal_members(sup, pgrp, sig) && --walks)
		cond_resched();
}

static bool process_in_group(struct pid *pid, struct pid *pgrp)
{
	struct task_struct *task;
	bool in;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	in = task && task_pgrp(task) == pgrp;
	rcu_read_unlock();
	return in;
}

/*
 * Signal a child whose process is there. What is returned is about that process
 * alone: a group is signalled if anybody in it is. One that has left its group is
 * signalled all the same.
 */
static int child_signal(struct sup_child *child, int sig)
{
	struct sup_supervisor *sup = child->sup;
	bool grouped = child->signal_whom == SUPERVISOR_SIGNAL_GROUP;
	bool member = grouped && process_in_group(sup_child_pid(child), sup_child_pid(child));
	const struct cred *old;
	int ret;

	old = override_creds(sup->cred);
	ret = sup_signal(sup->pid_ns, sup_child_pid(child), member ? 0 : sig);
	if (grouped)
		signal_group(sup, sup_child_pid(child), sig);
	revert_creds(old);
	trace_sup_signal(sup->object.id, child->id, pid_nr(sup_child_pid(child)), sig, ret);
	return ret;
}

/* Its main process is dead: its forked workers go too. */
static void child_kill_rest(struct sup_child *child)
{
	const struct cred *old;

	if (child->signal_whom != SUPERVISOR_SIGNAL_GROUP)
		return;
	old = override_creds(child->sup->cred);
	signal_group(child->sup, sup_child_pid(child), SIGKILL);
	revert_creds(old);
}

/*
 * A process that is stopped has to be woken to hear its stop signal. Not if its end has
 * begun, as a signal that is not caught makes it: it is stopped no more, and cannot be.
 * Others of its group may be.
 */
static bool child_needs_waking(struct sup_child *child)
{
	struct task_struct *task;
	bool ending;

	if (child->stop_signal == SIGKILL)
		return false;
	if (child->signal_whom == SUPERVISOR_SIGNAL_GROUP)
		return true;
	rcu_read_lock();
	task = pid_task(sup_child_pid(child), PIDTYPE_TGID);
	ending = task && task_is_ending(task);
	rcu_read_unlock();
	return !ending;
}

/* May not be signalled: the policy will give it up in a while. */
static void child_unkillable(struct sup_child *child)
{
	if (!child->unkillable) {
		child->unkillable = true;
		sup_event_child(child, SUPERVISOR_EVENT_UNKILLABLE, 0);
	}
	child_feed(child, SUP_IN_UNKILLABLE);
}

/* A start that is nobody's process or supervisor yet: take it back. True if it was one. */
static bool child_cancel_start(struct sup_child *child)
{
	if (child->attached || !child_start_pending(child))
		return false;
	token_revoke(child);
	start_end(child->sup);
	child_start_failed(child, ECANCELED);
	return true;
}

/**
 * sup_child_term - carry out TERM: ask a child to stop
 * @child: the child
 *
 * Context: holds S; may sleep.
 */
void sup_child_term(struct sup_child *child)
{
	int ret;

	lockdep_assert_held(&child->sup->lock);
	child->since_ns = sup_now();
	if (child_cancel_start(child))
		return;
	if (sup_child_sub(child)) {
		sup_stop(sup_child_sub(child), SUP_SHUTDOWN);
		return;
	}
	sup_event_child(child, SUPERVISOR_EVENT_TERM, 0);
	if (child->watch.process)
		sup_process_stop_sent(child->watch.process, child->stop_signal);
	ret = child_signal(child, child->stop_signal);
	if (ret == -EPERM)
		child_unkillable(child);
	else if (child_needs_waking(child))
		child_signal(child, SIGCONT);
}

/**
 * sup_child_kill - carry out KILL
 * @child: the child
 *
 * Context: holds S; may sleep.
 */
void sup_child_kill(struct sup_child *child)
{
	lockdep_assert_held(&child->sup->lock);
	child->since_ns = sup_now();
	if (child_cancel_start(child))
		return;
	sup_event_child(child, SUPERVISOR_EVENT_KILL, 0);
	if (sup_child_sub(child))
		sup_control(sup_child_sub(child), SUP_CONTROL_KILL);
	else if (child_signal(child, SIGKILL) == -EPERM)
		child_unkillable(child);
}

/**
 * sup_child_abandon - carry out ABANDON: give a child up
 * @child: the child; its process is still watched
 *
 * Context: holds S; may sleep.
 */
void sup_child_abandon(struct sup_child *child)
{
	lockdep_assert_held(&child->sup->lock);
	if (child_start_pending(child))
		start_end(child->sup);
	child->abandoned = true;
	child->since_ns = sup_now();
	sup_event_child(child, SUPERVISOR_EVENT_ABANDONED, 0);
}

/**
 * sup_child_release - let go of a child, alive or not
 * @child: the child; nothing will be heard of it any more
 *
 * Context: holds S; may sleep.
 */
void sup_child_release(struct sup_child *child)
{
	struct sup_supervisor *sup = child->sup;

	lockdep_assert_held(&sup->lock);
	if (child_start_pending(child))
		start_end(sup);
	token_forget(child);
	sup_unwatch(&child->watch);
	sup_inbox_remove(sup, &child->exit_msg);
}

/*
 * Ends.
 */

/* As the policy knows it: to have been linked to nobody is an error like others. */
static enum sup_reason child_exit_reason(const struct sup_exit *exit)
{
	return exit->reason == SUPERVISOR_EXIT_NOPROC ? SUP_CRASH : exit->reason;
}

/* It died while it was starting: had it started, then? */
static bool child_had_started(struct sup_child *child, const struct sup_exit *exit)
{
	bool execed = exit->exec_id != child_launch(child)->exec_id;

	if (child->readiness == SUPERVISOR_READINESS_NOTIFY)
		return child->reports & SUP_SAID_READY ||
		       (child->reports & SUP_SAID_EARLY_READY && execed);
	return execed;
}

static bool child_timed_out(struct sup_child *child)
{
	return sup_is_dynamic(child->sup) ? sup_member(child)->dynamic.timed_out :
					    sup_static_child(child)->policy.timed_out;
}

/* True when that was a start error, or an ignored start, and no more. */
static bool child_start_ended(struct sup_child *child, const struct sup_exit *exit,
			      enum sup_reason reason)
{
	bool timed_out = child_timed_out(child);
	bool starting = child_starting(child);

	start_end(child->sup);
	if (starting && child_had_started(child, exit)) {
		child_started(child);
		return false;
	}
	if (starting && child->reports & SUP_SAID_IGNORE) {
		child_ignored(child);
		return true;
	}
	if (!starting && !timed_out)
		return false;
	child->last_error = timed_out ? ETIMEDOUT :
			    child->reports & SUP_SAID_FAILED ? child_launch(child)->error : ECHILD;
	child->start_failed = true;
	sup_event_child(child, SUPERVISOR_EVENT_START_FAILED, child->last_error);
	child_feed_exit(child, reason, child->last_error);
	return true;
}

static void child_exited_at(struct sup_child *child, u64 ns)
{
	child->since_ns = ns;
	if (!sup_is_dynamic(child->sup))
		sup_static_child(child)->last_exit_ns = ns;
}

/**
 * sup_child_handle_exit - a child's process is dead
 * @child: the child
 *
 * Context: holds S; may sleep.
 */
void sup_child_handle_exit(struct sup_child *child)
{
	struct sup_exit exit;
	enum sup_reason reason;
	bool abandoned = child->abandoned;

	lockdep_assert_held(&child->sup->lock);
	exit = child->watch.process->exit;
	reason = child_exit_reason(&exit);
	child_kill_rest(child);
	child->gone = true;
	child->abandoned = false;
	child->exited = true;
	child->last_reason = reason;
	child->last_status = exit.status;
	child_exited_at(child, exit.time_ns);
	sup_trace_exit(child, &exit);

	if (!abandoned && child_start_pending(child) && child_start_ended(child, &exit, reason))
		return;
	sup_event_exited(child, &exit, reason);
	if (abandoned)
		return;
	child_feed_exit(child, reason, ECHILD);
}

/**
 * sup_child_handle_up - a child that is a supervisor has started
 * @child: the child
 *
 * Context: holds S of the parent; may sleep.
 */
void sup_child_handle_up(struct sup_child *child)
{
	lockdep_assert_held(&child->sup->lock);
	if (sup_child_sub(child) && child_starting(child))
		child_started(child);
}

/**
 * sup_child_handle_down - a child that is a supervisor has ended
 * @child: the child; its supervisor does not change until it is started again
 *
 * Context: holds S of the parent; may sleep.
 */
void sup_child_handle_down(struct sup_child *child)
{
	struct sup_supervisor *sub = sup_child_sub(child);

	lockdep_assert_held(&child->sup->lock);
	if (!sub)
		return;
	if (sub->down == SUPERVISOR_DOWN_INIT_FAILED) {
		start_set_rival(child->sup, get_pid(sub->rival));
		child_start_failed(child, -sub->down_error);
		return;
	}
	child->exited = true;
	child->last_reason = sub->reason;
	child_exited_at(child, sub->since_ns);
	sup_event_sub_exited(child, sub->reason);
	child_feed_exit(child, sub->reason, ECHILD);
}

/**
 * sup_child_init - set up what all children share
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init sup_child_init(void)
{
	sup_claim_register(&child_claim_ops);
	sup_child_cache = KMEM_CACHE(sup_static_child, SLAB_ACCOUNT);
	if (!sup_child_cache)
		return -ENOMEM;
	if (!sup_member_init())
		return 0;
	kmem_cache_destroy(sup_child_cache);
	return -ENOMEM;
}

/**
 * sup_child_exit - tear down what all children share
 *
 * Context: module exit; there are no children any more.
 */
void sup_child_exit(void)
{
	sup_member_exit();
	kmem_cache_destroy(sup_child_cache);
}
