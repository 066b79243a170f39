// SPDX-License-Identifier: GPL-2.0
/*
 * call - calls from user space to a supervisor: made, queued, begun, answered,
 * and withdrawn when the caller gives up.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "deadline.h"
#include "engine.h"
#include "park.h"
#include "registry.h"
#include "supervisor.h"

#define QUERY_MAX (16U << 20)

/**
 * struct sup_request - a call under way
 * @call: S: what the policy sees; its name is @id
 * @ref: references: the caller's, and that of the queue or of @answer
 * @msg: I of @sup
 * @answer: M of @mailbox
 * @sup: const, referenced: whom it is to
 * @child: const, referenced: start_child's new child
 * @number: const: of the child meant, of a dynamic supervisor; 0 for none
 * @incarnation: const: of it
 * @whom: const, referenced: or its process
 * @meant: S, referenced: the child that this was when the policy got it
 * @joins: const: @child is the calling process
 * @cursor: S until @done: where to go on
 * @callers: S once submitted, referenced: restart_child: who asks for it
 * @mailbox: const, referenced: where the answer goes; NULL for who waits
 * @account: const, referenced
 * @pid_ns: const, referenced: in which the caller numbers processes
 * @cookie: const
 * @id: const
 * @command: const: SUPERVISOR_CMD_*
 * @room: const: bytes at @buf
 * @buf: S until @done: the records asked for
 * @charged: the caller's until submitted, then S: counted in SUPERVISOR_LIMIT_CALLS
 * @begun: S: the policy has it
 * @numbered: S: @child is in its supervisor's table
 * @was_there: S: the supervisor had not ended when the policy got it
 * @done: S to set: answered; what follows is constant
 * @len: bytes of @buf filled, or needed when more than @room
 * @count: records
 * @pid: the child's process, in @pid_ns
 * @wait: who waits
 * @parked: S: in sup_supervisor.parked, when a signal interrupted the caller
 *
 * Lifetime: from the ioctl to the answer's delivery, the caller's return, or, when
 *	it was interrupted, the file's end.
 * Locking: per member.
 * Context: none of its own.
 */
struct sup_request {
	struct sup_call call;
	refcount_t ref;
	struct sup_inbox_msg msg;
	struct sup_post answer;
	struct sup_supervisor *sup;
	struct sup_child *child;
	u64 number;
	u32 incarnation;
	struct pid *whom;
	struct sup_child *meant;
	bool joins;
	u64 cursor;
	struct sup_callers *callers;
	struct sup_mailbox *mailbox;
	struct sup_account *account;
	struct pid_namespace *pid_ns;
	u64 cookie;
	char *id;
	u32 command;
	u32 room;
	void *buf;
	bool charged;
	bool begun;
	bool numbered;
	bool was_there;
	bool done;
	u32 len;
	u32 count;
	s32 pid;
	wait_queue_head_t wait;
	struct sup_parked parked;
};

/* What an ioctl's struct says of a call, whichever struct it is. */
struct call_params {
	u32 flags;
	s32 mailbox_fd;
	u64 deadline;
	u64 cookie;
	u64 id;
	u32 id_len;
	u32 room;
	u64 number;
	u32 incarnation;
	s32 pid;
	u64 cursor;
};

static const struct sup_post_ops answer_ops;

/* The call is no longer under way. */
static void request_uncharge(struct sup_request *request)
{
	if (request->charged)
		sup_account_uncharge(request->account, SUPERVISOR_LIMIT_CALLS, 1);
	request->charged = false;
}

static void request_put(struct sup_request *request)
{
	if (!refcount_dec_and_test(&request->ref))
		return;
	sup_child_put(request->child);
	sup_child_put(request->meant);
	put_pid(request->whom);
	sup_callers_put(request->callers);
	sup_mailbox_put(request->mailbox);
	sup_account_uncharge(request->account, SUPERVISOR_LIMIT_BYTES, request->room);
	request_uncharge(request);
	sup_account_put(request->account);
	put_pid_ns(request->pid_ns);
	kvfree(request->buf);
	kfree(request->id);
	sup_object_put(&request->sup->object);
	kfree(request);
}

/* Who asks for what will be started, by a call that names a child. */
static int request_set_callers(struct sup_request *request, u32 *limit)
{
	struct sup_callers *callers;

	if (request->call.type != SUP_CALL_RESTART_CHILD)
		return 0;
	callers = sup_ask(request->sup, limit);
	if (IS_ERR(callers))
		return PTR_ERR(callers);
	request->callers = callers;
	return 0;
}

static int request_set_id(struct sup_request *request, u64 uptr, u32 len)
{
	if (len > SUP_NAME_MAX)
		return -ENAMETOOLONG;
	request->id = memdup_user_nul(u64_to_user_ptr(uptr), len);
	if (IS_ERR(request->id)) {
		int ret = PTR_ERR(request->id);

		request->id = NULL;
		return ret;
	}
	if (!sup_name_valid(request->id, len))
		return -EINVAL;
	request->call.name = sup_name_make(request->id, len);
	return 0;
}

static int request_set_mailbox(struct sup_request *request, const struct call_params *params)
{
	struct sup_mailbox *mailbox;

	if (!(params->flags & SUPERVISOR_CALL_F_ASYNC))
		return params->mailbox_fd == -1 ? 0 : -EINVAL;
	mailbox = sup_mailbox_fdget(params->mailbox_fd);
	if (IS_ERR(mailbox))
		return PTR_ERR(mailbox);
	request->mailbox = mailbox;
	return 0;
}

static int request_set_room(struct sup_request *request, u32 room, u32 *limit)
{
	int ret;

	if (!room)
		return 0;
	ret = sup_account_charge(request->account, SUPERVISOR_LIMIT_BYTES, room);
	if (ret) {
		*limit = SUPERVISOR_LIMIT_BYTES;
		return ret;
	}
	request->room = room;
	request->buf = kvzalloc(room, GFP_KERNEL_ACCOUNT);
	return request->buf ? 0 : -ENOMEM;
}

/* A new call; -EDQUOT sets @limit. */
static struct sup_request *request_alloc(struct sup_supervisor *sup, u32 command,
					 enum sup_call_type type,
					 const struct call_params *params, u32 *limit)
{
	struct sup_account *account;
	struct sup_request *request;
	int ret;

	account = sup_account_get_current();
	if (!account)
		return ERR_PTR(-ENOMEM);
	ret = sup_account_charge(account, SUPERVISOR_LIMIT_CALLS, 1);
	if (ret) {
		*limit = SUPERVISOR_LIMIT_CALLS;
		sup_account_put(account);
		return ERR_PTR(ret);
	}
	request = kzalloc(sizeof(*request), GFP_KERNEL_ACCOUNT);
	if (!request) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_CALLS, 1);
		sup_account_put(account);
		return ERR_PTR(-ENOMEM);
	}
	request->call.type = type;
	refcount_set(&request->ref, 1);
	sup_inbox_msg_init(&request->msg, SUP_INBOX_CALL);
	sup_post_init(&request->answer, &answer_ops);
	sup_object_get(&sup->object);
	request->sup = sup;
	request->account = account;
	request->charged = true;
	request->pid_ns = get_pid_ns(task_active_pid_ns(current));
	request->cookie = params->cookie;
	request->answer.ref = params->cookie;
	request->command = command;
	request->number = params->number;
	request->incarnation = params->incarnation;
	request->whom = params->pid ? find_get_pid(params->pid) : NULL;
	request->cursor = params->cursor;
	init_waitqueue_head(&request->wait);
	INIT_LIST_HEAD(&request->parked.node);

	ret = request_set_mailbox(request, params);
	if (!ret && params->id)
		ret = request_set_id(request, params->id, params->id_len);
	if (!ret)
		ret = request_set_callers(request, limit);
	if (!ret)
		ret = request_set_room(request, params->room, limit);
	if (!ret)
		return request;
	request_put(request);
	return ERR_PTR(ret);
}

/*
 * The supervisor's side.
 */

/* start_child's child did not become one. */
static void child_disown(struct sup_child *child)
{
	if (sup_child_sub(child))
		sup_disown(child);
}

/* With S held once the call has begun, or if its child joins. */
static void request_reject_child(struct sup_request *request)
{
	if (!request->child)
		return;
	if (request->joins) {
		sup_child_release(request->child);
		sup_reservation_give_back(sup_child_reservation(request->child));
	}
	if (request->numbered)
		sup_member_remove(request->child);
	child_disown(request->child);
	sup_child_put(request->child);
}

static bool result_rejects_child(enum sup_call_result result)
{
	switch (result) {
	case SUP_ERR_INVALID:
	case SUP_ERR_ALREADY_STARTED:
	case SUP_ERR_ALREADY_PRESENT:
	case SUP_ERR_NOPROC:
	case SUP_ERR_NO_SPACE:
	case SUP_ERR_MAX_CHILDREN:
		return true;
	default:
		return false;
	}
}

static size_t request_fill_children(struct sup_request *request)
{
	struct sup_supervisor *sup = request->sup;

	if (sup_is_dynamic(sup))
		return sup_status_members(sup, request->pid_ns, &request->cursor, request->buf,
					  request->room, &request->count);
	return sup_status_children(sup, request->pid_ns, true, request->buf, request->room,
				   &request->count);
}

static void request_fill(struct sup_request *request)
{
	struct sup_child *child = sup_call_child(request->sup, &request->call);
	struct supervisor_count count;

	switch (request->command) {
	case SUPERVISOR_CMD_WHICH_CHILDREN:
		request->len = request_fill_children(request);
		break;
	case SUPERVISOR_CMD_COUNT_CHILDREN:
		sup_status_count(request->sup, &count);
		request->len = sizeof(count);
		request->count = 1;
		if (request->room >= sizeof(count))
			memcpy(request->buf, &count, sizeof(count));
		break;
	case SUPERVISOR_CMD_CHILD_SPEC:
		request->len = child ? sup_status_spec(child, request->buf, request->room) :
				       sup_status_template(request->sup, request->buf,
							   request->room);
		request->count = 1;
		break;
	default:
		break;
	}
}

static bool child_has_pid(struct sup_child *child)
{
	enum sup_child_state state = sup_child_state(child);

	return child->attached && (state == SUP_CHILD_RUNNING || state == SUP_CHILD_STOPPING);
}

static void request_done(struct sup_request *request)
{
	struct sup_child *child = sup_call_child(request->sup, &request->call);

	lockdep_assert_held(&request->sup->lock);
	if (child && child_has_pid(child))
		request->pid = pid_nr_ns(sup_child_pid(child), request->pid_ns);
	else if (request->call.result == SUP_ERR_START_FAILED)
		request->pid = pid_nr_ns(request->sup->rival, request->pid_ns);
	if (request->call.result == SUP_OK) {
		if (request->joins)
			sup_child_joined(request->child);
		request_fill(request);
	}
	if (result_rejects_child(request->call.result))
		request_reject_child(request);
	/* It was there when the call came: to OTP that is not noproc. */
	if (request->call.result == SUP_ERR_NOPROC && request->was_there)
		request->call.result = SUP_ERR_EXIT;
	if (request->mailbox) {
		if (!sup_mailbox_post(request->mailbox, &request->answer))
			request_put(request);
		return;
	}
	/* Who is answered finds its quota whole. */
	request_uncharge(request);
	/* Pairs with request_is_done(): the outcome is there before it is seen. */
	smp_store_release(&request->done, true);
	wake_up_all(&request->wait);
	request_put(request);
}

/**
 * sup_call_starts - a call leads to a start
 * @call: the call
 * @child: whom it starts; if that was there, it is this caller's from now on
 *
 * Context: holds S.
 */
void sup_call_starts(struct sup_call *call, struct sup_child *child)
{
	struct sup_request *request = container_of(call, struct sup_request, call);

	lockdep_assert_held(&child->sup->lock);
	if (request->callers)
		swap(child->callers, request->callers);
}

/**
 * sup_call_reply - carry out REPLY
 * @sup: the supervisor
 * @call: the call
 *
 * Context: holds S; may sleep.
 */
void sup_call_reply(struct sup_supervisor *sup, struct sup_call *call)
{
	request_done(container_of(call, struct sup_request, call));
}

/* To a dynamic supervisor: number the new child, or find the one that is meant. */
static void request_set_member(struct sup_request *request)
{
	struct sup_supervisor *sup = request->sup;
	struct sup_child *child = NULL;

	lockdep_assert_held(&sup->lock);
	if (request->child) {
		sup_member_add(request->child);
		request->numbered = true;
		return;
	}
	if (request->number) {
		child = sup_member_find(sup, request->number);
		if (child)
			sup_child_get(child);
	} else if (request->whom) {
		child = sup_child_of_pid(request->whom);
		request->call.alive = sup_pid_alive(request->whom);
	}
	if (child && child->sup != sup) {
		sup_child_put(child);
		child = NULL;
	}
	request->meant = child;
	request->call.dynamic = child ? &sup_member(child)->dynamic : NULL;
	request->call.incarnation = request->incarnation;
}

/**
 * sup_call_begin - it is a call's turn in the inbox
 * @msg: the call's entry
 *
 * Context: holds S; may sleep.
 */
void sup_call_begin(struct sup_inbox_msg *msg)
{
	struct sup_request *request = container_of(msg, struct sup_request, msg);
	struct sup_supervisor *sup = request->sup;

	lockdep_assert_held(&sup->lock);
	request->begun = true;
	if (sup->state == SUPERVISOR_STATE_NEW || sup->state == SUPERVISOR_STATE_DOWN) {
		request->call.result = SUP_ERR_NOPROC;
		request->call.child = NULL;
		request_done(request);
		return;
	}
	request->was_there = true;
	if (request->child &&
	    sup_nr_children(sup) >= sup_limit(SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN)) {
		request->call.child = NULL;
		request->call.result = SUP_ERR_NO_SPACE;
		request_done(request);
		return;
	}
	if (sup_is_dynamic(sup))
		request_set_member(request);
	sup_feed(sup, &(struct sup_input){ .type = SUP_IN_CALL, .call = &request->call });
}

/*
 * The answer as a message.
 */

static struct sup_request *answer_request(struct sup_post *post)
{
	return container_of(post, struct sup_request, answer);
}

static void answer_get(struct sup_post *post)
{
	refcount_inc(&answer_request(post)->ref);
}

static void answer_put(struct sup_post *post)
{
	request_put(answer_request(post));
}

static ssize_t answer_deliver(struct sup_post *post, void __user *to, size_t room, size_t *needed)
{
	struct sup_request *request = answer_request(post);
	u32 data = request->len <= request->room ? request->len : 0;
	struct supervisor_msg_answer msg = {
		.head = {
			.size = sizeof(msg) + ALIGN(data, 8),
			.type = SUPERVISOR_MSG_ANSWER,
			.supervisor = request->sup->object.id,
			.ref = request->cookie,
			.time_ns = ktime_get_ns(),
			.pid = request->pid,
			.child = request->child ? request->child->id : 0,
		},
		.command = request->command,
		.result = request->call.result,
		.error = -request->call.start_error,
		.invalid = request->call.invalid,
		.data_len = request->len,
		.out_count = request->count,
		.data_offset = sizeof(msg),
		.cursor = request->cursor,
	};
	ssize_t ret = msg.head.size;

	if (msg.head.size > room) {
		*needed = msg.head.size;
		ret = -EMSGSIZE;
	} else if (copy_to_user(to, &msg, sizeof(msg)) ||
		   copy_to_user(to + sizeof(msg), request->buf, data) ||
		   clear_user(to + sizeof(msg) + data, ALIGN(data, 8) - data)) {
		ret = -EFAULT;
	}
	/* The queue's reference goes with the message, or back with it. */
	if (ret > 0 || !sup_mailbox_restore(request->mailbox, post))
		request_put(request);
	return ret;
}

static const struct sup_post_ops answer_ops = {
	.get = answer_get,
	.deliver = answer_deliver,
	.put = answer_put,
	.discard = answer_put,
};

/*
 * The caller's side.
 */

static int result_errno(enum sup_call_result result)
{
	switch (result) {
	case SUP_OK:
	case SUP_OK_UNDEFINED:
		return 0;
	case SUP_ERR_RUNNING:
	case SUP_ERR_RESTARTING:
		return -EBUSY;
	case SUP_ERR_NOT_FOUND:
		return -ENOENT;
	case SUP_ERR_ALREADY_STARTED:
	case SUP_ERR_ALREADY_PRESENT:
		return -EEXIST;
	case SUP_ERR_START_FAILED:
		return -ECHILD;
	case SUP_ERR_INVALID:
		return -EINVAL;
	case SUP_ERR_NOPROC:
		return -ESHUTDOWN;
	case SUP_ERR_EXIT:
		return -EOWNERDEAD;
	case SUP_ERR_NO_SPACE:
		return -ENOSPC;
	case SUP_ERR_MAX_CHILDREN:
		return -EUSERS;
	case SUP_ERR_DYNAMIC:
		return -EOPNOTSUPP;
	}
	return -EINVAL;
}

/* Take a call back. False when it has begun: it completes unanswered. */
static bool request_withdraw(struct sup_request *request)
{
	struct sup_supervisor *sup = request->sup;
	bool withdrawn;

	mutex_lock(&sup->lock);
	withdrawn = !request->done &&
		    (request->begun ? sup_engine_withdraw(sup, &request->call) :
				      sup_inbox_remove(sup, &request->msg));
	if (withdrawn)
		request_reject_child(request);
	mutex_unlock(&sup->lock);
	if (withdrawn)
		request_put(request);
	return withdrawn;
}

static bool request_is_done(struct sup_request *request)
{
	/* Pairs with request_done(). */
	return smp_load_acquire(&request->done);
}

/* Wait for the answer. 0 when it is there; the caller's reference stays. */
static int request_wait(struct sup_request *request, u64 deadline)
{
	return sup_wait_until(request->wait, request_is_done(request), deadline);
}

/*
 * Make the call. 0 when it was answered, or queued with ASYNC; else why it was
 * not. The caller's reference stays.
 */
static int request_submit(struct sup_request *request, u64 deadline)
{
	if (!request->mailbox && !deadline) {
		request_reject_child(request);
		return -EAGAIN;
	}
	refcount_inc(&request->ref);
	sup_inbox_add(request->sup, &request->msg);
	return request->mailbox ? 0 : request_wait(request, deadline);
}

/* Give up a call that was not answered; 0 if it was, in the last moment. */
static int request_give_up(struct sup_request *request, int ret)
{
	if (ret && ret != -EAGAIN && !request_withdraw(request) &&
	    request_is_done(request))
		return 0;
	return ret;
}

/*
 * A signal interrupted the caller. A call that has not begun is taken back: it is
 * made anew when the ioctl is restarted. One that has cannot be made twice: it is
 * kept under a number that goes into the caller's struct, for the restarted ioctl
 * to wait on. True when it was kept; the list has the reference then.
 */
static bool request_park(struct sup_request *request, struct file *file, u64 *number)
{
	struct sup_supervisor *sup = request->sup;

	if (request_withdraw(request))
		return false;
	mutex_lock(&sup->lock);
	*number = sup_park(&sup->parked, &request->parked, file);
	mutex_unlock(&sup->lock);
	return true;
}

/* The call that was kept under a number; the list's reference, or -ESTALE. */
static struct sup_request *request_unpark(struct sup_supervisor *sup, struct file *file,
					  u32 command, u64 number)
{
	struct sup_request *request, *found = NULL;
	struct sup_parked *parked;

	mutex_lock(&sup->lock);
	parked = sup_parked_find(&sup->parked, file, number);
	if (parked) {
		request = container_of(parked, struct sup_request, parked);
		/* Not by an ioctl of another sort. */
		if (request->command == command) {
			list_del_init(&parked->node);
			found = request;
		}
	}
	mutex_unlock(&sup->lock);
	return found ?: ERR_PTR(-ESTALE);
}

/**
 * sup_call_forget_parked - nobody will wait on for calls made through a file
 * @sup: the supervisor
 * @file: the file, which is being closed
 *
 * Context: may sleep.
 */
void sup_call_forget_parked(struct sup_supervisor *sup, struct file *file)
{
	struct sup_request *request, *next;
	LIST_HEAD(forgotten);

	mutex_lock(&sup->lock);
	sup_parked_take_all(&sup->parked, file, &forgotten);
	mutex_unlock(&sup->lock);
	list_for_each_entry_safe(request, next, &forgotten, parked.node)
		request_put(request);
}

/*
 * See a call through that must not be made twice. Consumes the reference unless
 * 0 is returned, and then too with ASYNC or when the call was parked.
 */
static int request_see_through(struct sup_request *request, struct sup_ucmd *ucmd, u64 deadline,
			       u64 *number)
{
	bool waits_on = *number;
	int ret;

	*number = 0;
	ret = waits_on ? request_wait(request, deadline) : request_submit(request, deadline);
	ret = sup_park_errno(ret);
	if (ret == -ERESTARTSYS && request_park(request, ucmd->file, number))
		return ret;
	if (ret != -ERESTARTSYS)
		ret = request_give_up(request, ret);
	if (ret)
		request_put(request);
	return ret;
}

/* What came of a call that was answered; its errno. 0, and nothing, with ASYNC. */
static int request_result(const struct sup_request *request, u32 *result, s32 *error, s32 *pid)
{
	if (request->mailbox)
		return 0;
	*result = request->call.result;
	*error = -request->call.start_error;
	*pid = request->pid;
	return result_errno(request->call.result);
}

/**
 * sup_call_by_id - make a call that names a child, for the calling process
 * @sup: the supervisor
 * @command: SUPERVISOR_CMD_CHILD_RESTART or _TERMINATE
 * @id: the child's
 * @deadline: of the call, not 0
 * @outcome: filled
 *
 * Context: may sleep.
 * Return: as the ioctl's; -ERESTARTSYS when a signal came: the call may have been
 *	made.
 */
int sup_call_by_id(struct sup_supervisor *sup, u32 command, const char *id, u64 deadline,
		   struct sup_call_outcome *outcome)
{
	enum sup_call_type type = command == SUPERVISOR_CMD_CHILD_RESTART ?
				  SUP_CALL_RESTART_CHILD : SUP_CALL_TERMINATE_CHILD;
	struct call_params params = { .mailbox_fd = -1, .deadline = deadline };
	struct sup_request *request;
	int ret;

	*outcome = (struct sup_call_outcome){ .result = SUPERVISOR_RESULT_OK };
	request = request_alloc(sup, command, type, &params, &outcome->limit);
	if (IS_ERR(request))
		return PTR_ERR(request);
	request->id = kstrdup(id, GFP_KERNEL_ACCOUNT);
	if (request->id) {
		request->call.name = sup_name_make(request->id, strlen(request->id));
		ret = request_give_up(request, request_submit(request, deadline));
		ret = ret ?: request_result(request, &outcome->result, &outcome->error,
					    &outcome->pid);
	} else {
		ret = -ENOMEM;
	}
	request_put(request);
	return ret;
}

/* Is a child meant in the way in which @sup has them? */
static int call_child_check(const struct sup_supervisor *sup, const struct call_params *params)
{
	if (!sup_is_dynamic(sup)) {
		if (params->number || params->incarnation || params->pid)
			return -EINVAL;
		return params->id ? 0 : -EFAULT;
	}
	if (!!params->id + !!params->number + !!params->pid != 1 || params->pid < 0)
		return -EINVAL;
	return params->incarnation && !params->number ? -EINVAL : 0;
}

/* The whole life of a call that names a child or none. */
static int call_child(struct sup_ucmd *ucmd, u32 command, enum sup_call_type type)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_child_call *cmd = ucmd->cmd;
	struct call_params params = {
		.flags = cmd->flags,
		.mailbox_fd = cmd->mailbox_fd,
		.deadline = cmd->deadline,
		.cookie = cmd->cookie,
		.id = cmd->id,
		.id_len = cmd->id_len,
		.number = cmd->child,
		.incarnation = cmd->incarnation,
		.pid = cmd->pid,
	};
	struct sup_request *request;
	int ret;

	cmd->out_result = SUPERVISOR_RESULT_OK;
	cmd->out_error = 0;
	cmd->out_pid = 0;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	ret = call_child_check(sup, &params);
	if (ret)
		return ret;
	request = cmd->call ? request_unpark(sup, ucmd->file, command, cmd->call) :
			      request_alloc(sup, command, type, &params, &cmd->out_limit);
	if (IS_ERR(request))
		return PTR_ERR(request);
	ret = request_see_through(request, ucmd, cmd->deadline, &cmd->call);
	if (ret)
		return ret;
	ret = request_result(request, &cmd->out_result, &cmd->out_error, &cmd->out_pid);
	request_put(request);
	return ret;
}

/**
 * sup_call_terminate - ioctl(SUPERVISOR_CHILD_TERMINATE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_terminate(struct sup_ucmd *ucmd)
{
	return call_child(ucmd, SUPERVISOR_CMD_CHILD_TERMINATE, SUP_CALL_TERMINATE_CHILD);
}

/**
 * sup_call_restart - ioctl(SUPERVISOR_CHILD_RESTART)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_restart(struct sup_ucmd *ucmd)
{
	return call_child(ucmd, SUPERVISOR_CMD_CHILD_RESTART, SUP_CALL_RESTART_CHILD);
}

/**
 * sup_call_delete - ioctl(SUPERVISOR_CHILD_DELETE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_delete(struct sup_ucmd *ucmd)
{
	return call_child(ucmd, SUPERVISOR_CMD_CHILD_DELETE, SUP_CALL_DELETE_CHILD);
}

static int query_copy_out(struct supervisor_query *cmd, const struct sup_request *request)
{
	cmd->buf_len = request->len;
	cmd->out_count = request->count;
	cmd->cursor = request->cursor;
	if (request->len > request->room)
		return -EMSGSIZE;
	return copy_to_user(u64_to_user_ptr(cmd->buf), request->buf, request->len) ? -EFAULT : 0;
}

static int call_query(struct sup_ucmd *ucmd, u32 command, enum sup_call_type type)
{
	struct supervisor_query *cmd = ucmd->cmd;
	struct call_params params = {
		.flags = cmd->flags,
		.mailbox_fd = cmd->mailbox_fd,
		.deadline = cmd->deadline,
		.cookie = cmd->cookie,
		.room = cmd->buf_len,
		.cursor = cmd->cursor,
	};
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct sup_request *request;
	int ret;

	cmd->out_result = SUPERVISOR_RESULT_OK;
	cmd->out_count = 0;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	if (cmd->buf_len > QUERY_MAX)
		return -EINVAL;
	if (cmd->cursor && (type != SUP_CALL_WHICH_CHILDREN || !sup_is_dynamic(sup)))
		return -EINVAL;
	if (type == SUP_CALL_GET_CHILDSPEC) {
		params.id = cmd->id;
		params.id_len = cmd->id_len;
		params.number = cmd->child;
		params.incarnation = cmd->incarnation;
	}
	/* A template is asked for without a child. */
	ret = type == SUP_CALL_GET_CHILDSPEC &&
	      !(sup->kind == SUPERVISOR_SIMPLE && !cmd->id && !cmd->child && !cmd->incarnation) ?
	      call_child_check(sup, &params) : 0;
	if (ret)
		return ret;
	request = request_alloc(sup, command, type, &params, &cmd->out_limit);
	if (IS_ERR(request))
		return PTR_ERR(request);
	ret = request_give_up(request, request_submit(request, cmd->deadline));
	if (!ret && !request->mailbox) {
		cmd->out_result = request->call.result;
		ret = result_errno(request->call.result);
		if (!ret)
			ret = query_copy_out(cmd, request);
	}
	request_put(request);
	return ret;
}

/**
 * sup_call_which - ioctl(SUPERVISOR_WHICH_CHILDREN)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_which(struct sup_ucmd *ucmd)
{
	return call_query(ucmd, SUPERVISOR_CMD_WHICH_CHILDREN, SUP_CALL_WHICH_CHILDREN);
}

/**
 * sup_call_count - ioctl(SUPERVISOR_COUNT_CHILDREN)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_count(struct sup_ucmd *ucmd)
{
	return call_query(ucmd, SUPERVISOR_CMD_COUNT_CHILDREN, SUP_CALL_COUNT_CHILDREN);
}

/**
 * sup_call_get_spec - ioctl(SUPERVISOR_CHILD_GET_SPEC)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_get_spec(struct sup_ucmd *ucmd)
{
	return call_query(ucmd, SUPERVISOR_CMD_CHILD_SPEC, SUP_CALL_GET_CHILDSPEC);
}

/*
 * Specs.
 */

static int spec_copy(u64 uptr, struct supervisor_child_spec *spec)
{
	void __user *from = u64_to_user_ptr(uptr);
	u32 size;

	if (get_user(size, (u32 __user *)from))
		return -EFAULT;
	if (size < offsetofend(struct supervisor_child_spec, blob))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(spec, sizeof(*spec), from, size);
}

static int spec_check_register(const struct supervisor_child_spec *spec)
{
	if (spec->__reserved2 || spec->out_registry)
		return -EINVAL;
	/* A supervisor is no process. */
	if (spec->flags & SUPERVISOR_CHILD_F_REGISTER)
		return spec->supervisor_fd == -1 ? 0 : -EINVAL;
	/* No flag says that these are there. */
	return spec->registry_fd || spec->register_key_len || spec->register_key ||
	       spec->register_value || spec->register_value_len ? -EINVAL : 0;
}

/* What the policy does not check: it has no word for it in OTP. */
static int spec_check(const struct supervisor_child_spec *spec, u32 *invalid, u32 *max)
{
	if (spec->flags & ~(SUPERVISOR_CHILD_F_RETRY_UNCOUNTED | SUPERVISOR_CHILD_F_REGISTER) ||
	    spec->readiness > SUPERVISOR_READINESS_NOTIFY ||
	    spec->signal_whom > SUPERVISOR_SIGNAL_GROUP)
		return -EOPNOTSUPP;
	if (spec_check_register(spec))
		return -EINVAL;
	if (spec->__reserved || spec->supervisor_fd < -1 || !valid_signal(spec->stop_signal))
		return -EINVAL;
	if (spec->id_len > SUP_NAME_MAX)
		return -ENAMETOOLONG;
	if (spec->blob_len > SUPERVISOR_BLOB_MAX) {
		*max = SUPERVISOR_BLOB_MAX;
		return -EMSGSIZE;
	}
	if (!spec->id_len) {
		*invalid = SUPERVISOR_INVALID_ID;
		return -EINVAL;
	}
	return 0;
}

/**
 * sup_call_spec_fetch - a spec that user space gives
 * @uptr: where it is
 * @spec: set to it
 * @invalid: with -EINVAL: SUPERVISOR_INVALID_*, or as it was
 * @max: with -EMSGSIZE: how much it may have
 *
 * Context: may sleep.
 * Return: 0; what is wrong with it, but for what the policy checks.
 */
int sup_call_spec_fetch(u64 uptr, struct supervisor_child_spec *spec, u32 *invalid, u32 *max)
{
	int ret = spec_copy(uptr, spec);

	return ret ?: spec_check(spec, invalid, max);
}

/* The index of ids grows with the children, outside the lock. */
static void index_grow(struct sup_supervisor *sup)
{
	struct hlist_head *buckets, *old = NULL;
	u32 nr;

	mutex_lock(&sup->lock);
	nr = sup->policy.nr_children > sup->nr_buckets ? sup->nr_buckets * 4 : 0;
	mutex_unlock(&sup->lock);
	if (!nr)
		return;
	/* Without memory, looking up stays slower. */
	buckets = kvcalloc(nr, sizeof(*buckets), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buckets)
		return;
	mutex_lock(&sup->lock);
	if (sup->nr_buckets < nr) {
		old = sup->buckets;
		sup_policy_reindex(&sup->policy, buckets, nr);
		sup->buckets = buckets;
		sup->nr_buckets = nr;
	} else {
		old = buckets;
	}
	mutex_unlock(&sup->lock);
	kvfree(old);
}

/* One of a new supervisor's own specs; -EISCONN when it has started. */
static int child_add_initial(struct sup_child *child, struct supervisor_child_add *cmd)
{
	struct sup_policy_child *policy = &sup_static_child(child)->policy;
	struct sup_supervisor *sup = child->sup;
	enum sup_invalid invalid;
	int ret = 0;

	mutex_lock(&sup->lock);
	if (sup->state != SUPERVISOR_STATE_NEW) {
		ret = -EISCONN;
	} else if (sup->policy.nr_children >= sup_limit(SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN)) {
		cmd->out_limit = SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN;
		ret = -ENOSPC;
	} else if (sup->unwanted) {
		ret = -ESHUTDOWN;
	} else {
		policy->initial = true;
		invalid = sup_policy_add(&sup->policy, policy);
		if (invalid) {
			policy->initial = false;
			cmd->out_invalid = invalid;
			cmd->out_result = SUPERVISOR_RESULT_INVALID;
			ret = -EINVAL;
		} else {
			sup_child_get(child);
		}
	}
	mutex_unlock(&sup->lock);
	return ret;
}

/* See start_child through: a new call, or one that was interrupted. */
static int child_add_see_through(struct sup_request *request, struct sup_ucmd *ucmd)
{
	struct supervisor_child_add *cmd = ucmd->cmd;
	int ret;

	ret = request_see_through(request, ucmd, cmd->deadline, &cmd->call);
	if (ret)
		return ret;
	/* Numbered when it is its turn. */
	cmd->out_id = request->mailbox && sup_is_dynamic(request->sup) ? 0 : request->child->id;
	ret = request_result(request, &cmd->out_result, &cmd->out_error, &cmd->out_pid);
	if (!request->mailbox) {
		cmd->out_invalid = request->call.invalid;
		if (request->call.result == SUP_ERR_NO_SPACE)
			cmd->out_limit = SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN;
	}
	request_put(request);
	return ret;
}

static int child_start_new(struct sup_child *child, struct sup_ucmd *ucmd)
{
	struct supervisor_child_add *cmd = ucmd->cmd;
	struct call_params params = {
		.flags = cmd->flags,
		.mailbox_fd = cmd->mailbox_fd,
		.deadline = cmd->deadline,
		.cookie = cmd->cookie,
	};
	struct sup_supervisor *sup = child->sup;
	struct sup_request *request;

	request = request_alloc(sup, SUPERVISOR_CMD_CHILD_ADD, SUP_CALL_START_CHILD, &params,
				&cmd->out_limit);
	if (IS_ERR(request)) {
		child_disown(child);
		return PTR_ERR(request);
	}
	sup_child_get(child);
	request->child = child;
	/* The policy's, or request_reject_child()'s. */
	sup_child_get(child);
	if (sup_is_dynamic(sup))
		request->call.dynamic = &sup_member(child)->dynamic;
	else
		request->call.child = &sup_static_child(child)->policy;
	return child_add_see_through(request, ucmd);
}

static int child_add(struct sup_child *child, struct sup_ucmd *ucmd)
{
	struct supervisor_child_add *cmd = ucmd->cmd;
	bool async = cmd->flags & SUPERVISOR_CALL_F_ASYNC;
	int ret;

	if (sup_is_dynamic(child->sup))
		ret = -EISCONN;
	else if (READ_ONCE(child->sup->state) == SUPERVISOR_STATE_NEW && async)
		ret = -EINVAL;
	else
		ret = async ? -EISCONN : child_add_initial(child, cmd);
	if (ret == -EISCONN)
		return child_start_new(child, ucmd);
	if (ret)
		child_disown(child);
	return ret;
}

/* The supervisor that is to be the child, if the spec names one. */
static int child_adopt(struct sup_child *child, s32 fd)
{
	struct file *file;
	int ret;

	if (fd == -1)
		return 0;
	file = sup_object_fget(fd, SUP_KIND_SUPERVISOR);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = file->f_mode & FMODE_WRITE ?
	      sup_adopt(sup_object_supervisor(sup_file_object(file)), child) : -EBADF;
	fput(file);
	return ret;
}

static bool name_check(const struct sup_name *name, u32 *invalid)
{
	bool valid = sup_name_valid(name->bytes, name->len);

	if (!valid)
		*invalid = SUPERVISOR_INVALID_ID;
	return valid;
}

/* The new child of an ordered supervisor; a reference. */
static struct sup_child *static_child_make(struct sup_supervisor *sup,
					   struct supervisor_child_add *cmd, s32 *supervisor_fd)
{
	struct supervisor_child_spec spec;
	struct sup_child *child;
	int ret;

	if (cmd->args || cmd->args_len)
		return ERR_PTR(-EINVAL);
	ret = sup_call_spec_fetch(cmd->spec, &spec, &cmd->out_invalid, &cmd->out_max);
	if (ret)
		return ERR_PTR(ret);
	child = sup_child_alloc(sup, &spec, &cmd->out_limit, &cmd->out_max);
	if (IS_ERR(child) || name_check(sup_child_name(child), &cmd->out_invalid)) {
		*supervisor_fd = spec.supervisor_fd;
		return child;
	}
	sup_child_put(child);
	return ERR_PTR(-EINVAL);
}

/* The spec of a new child, before its arguments; a reference. */
static struct sup_spec *member_spec_make(struct sup_supervisor *sup,
					 struct supervisor_child_add *cmd, s32 *supervisor_fd)
{
	struct supervisor_child_spec from;
	struct sup_spec *spec;
	int ret;

	if (!cmd->spec)
		return sup_spec_template(sup) ?: ERR_PTR(-EINVAL);
	if (sup->kind == SUPERVISOR_SIMPLE)
		return ERR_PTR(-EINVAL);
	ret = sup_call_spec_fetch(cmd->spec, &from, &cmd->out_invalid, &cmd->out_max);
	if (ret)
		return ERR_PTR(ret);
	spec = sup_spec_alloc(sup->object.account, &from, &cmd->out_limit, &cmd->out_max);
	if (IS_ERR(spec) || name_check(&spec->name, &cmd->out_invalid)) {
		*supervisor_fd = from.supervisor_fd;
		return IS_ERR(spec) ? spec : sup_spec_share(sup, spec);
	}
	sup_spec_put(spec);
	return ERR_PTR(-EINVAL);
}

/* The new child of a dynamic supervisor; a reference. */
static struct sup_child *member_make(struct sup_supervisor *sup, struct supervisor_child_add *cmd,
				     s32 *supervisor_fd)
{
	struct sup_spec *spec, *template;
	struct sup_child *child;

	if (sup->spawn == SUPERVISOR_SPAWN_SELF || (!cmd->args && cmd->args_len))
		return ERR_PTR(-EINVAL);
	spec = member_spec_make(sup, cmd, supervisor_fd);
	if (!IS_ERR(spec) && cmd->args_len) {
		template = spec;
		spec = ERR_PTR(-EMSGSIZE);
		cmd->out_max = SUPERVISOR_BLOB_MAX - template->blob_len;
		if (cmd->args_len <= cmd->out_max)
			spec = sup_spec_with_args(template, cmd->args, cmd->args_len,
						  &cmd->out_limit);
		if (spec != ERR_PTR(-EMSGSIZE))
			cmd->out_max = 0;
		sup_spec_put(template);
	}
	if (IS_ERR(spec))
		return ERR_CAST(spec);
	child = sup_member_alloc(sup, spec, &cmd->out_limit);
	if (IS_ERR(child))
		sup_spec_put(spec);
	return child;
}

/* Of a new child; the reference passes to it. */
static int child_set_callers(struct sup_child *child, struct sup_callers *callers)
{
	if (IS_ERR(callers))
		return PTR_ERR(callers);
	child->callers = callers;
	return 0;
}

/**
 * sup_call_child_add - ioctl(SUPERVISOR_CHILD_ADD)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_child_add(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_child_add *cmd = ucmd->cmd;
	struct sup_child *child;
	s32 supervisor_fd = -1;
	int ret;

	cmd->out_result = SUPERVISOR_RESULT_OK;
	cmd->out_error = 0;
	cmd->out_invalid = SUPERVISOR_VALID;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_pid = 0;
	cmd->out_id = 0;
	cmd->out_max = 0;
	if (cmd->call) {
		struct sup_request *request = request_unpark(sup, ucmd->file,
							     SUPERVISOR_CMD_CHILD_ADD,
							     cmd->call);

		return IS_ERR(request) ? PTR_ERR(request) : child_add_see_through(request, ucmd);
	}
	child = sup_is_dynamic(sup) ? member_make(sup, cmd, &supervisor_fd) :
				      static_child_make(sup, cmd, &supervisor_fd);
	if (IS_ERR(child)) {
		ret = PTR_ERR(child);
		if (ret == -EINVAL)
			cmd->out_result = SUPERVISOR_RESULT_INVALID;
		return ret;
	}
	ret = child_set_callers(child, sup_ask(sup, &cmd->out_limit));
	if (!ret)
		ret = child_adopt(child, supervisor_fd);
	if (!ret)
		ret = child_add(child, ucmd);
	if (!ret && sup_is_dynamic(sup)) {
		sup_member_grow(sup);
	} else if (!ret) {
		cmd->out_id = child->id;
		index_grow(sup);
	}
	sup_child_put(child);
	return ret;
}

/*
 * Joining.
 */

/* See it through. What has been begun is about to be answered, without anybody's doing. */
static int join_see_through(struct sup_request *request, u64 deadline, bool wake)
{
	int ret;

	if (wake)
		sup_run(request->sup);
	ret = request_wait(request, deadline);
	if (ret && !request_withdraw(request)) {
		wait_event(request->wait, request_is_done(request));
		ret = 0;
	}
	return ret ?: result_errno(request->call.result);
}

/* The calling process, with its record's reference, asks to become @child. */
static int join_submit(struct sup_request *request, struct sup_process *process,
		       struct supervisor_child_join *cmd)
{
	struct sup_supervisor *sup = request->sup;
	struct pid *holder = NULL;
	bool wake = false;
	int ret;

	mutex_lock(&sup->lock);
	ret = sup_child_join_locked(request->child, process, &holder);
	if (!ret) {
		request->joins = true;
		refcount_inc(&request->ref);
		/* The policy's, or request_reject_child()'s. */
		sup_child_get(request->child);
		wake = sup_inbox_put(sup, &request->msg);
	}
	mutex_unlock(&sup->lock);
	if (!ret) {
		ret = join_see_through(request, cmd->deadline, wake);
		cmd->out_result = request->call.result;
		return ret;
	}
	if (ret == -EEXIST)
		cmd->out_result = SUPERVISOR_RESULT_ALREADY_STARTED;
	cmd->out_pid = pid_vnr(holder);
	put_pid(holder);
	sup_process_put(process);
	return ret;
}

/* It is the child; if there is a key for it, that is its own now. */
static void join_claim(struct sup_child *child, struct sup_registration *reg)
{
	mutex_lock(&child->sup->lock);
	if (sup_child_reservation(child))
		sup_reservation_claim(sup_child_reservation(child), reg);
	mutex_unlock(&child->sup->lock);
}

static int join(struct sup_supervisor *sup, struct supervisor_child_join *cmd,
		struct sup_child *child)
{
	struct call_params params = { .mailbox_fd = -1 };
	struct sup_registration reg = {};
	struct sup_process *process;
	struct sup_request *request;
	int ret = 0;

	request = request_alloc(sup, SUPERVISOR_CMD_CHILD_JOIN, SUP_CALL_START_CHILD, &params,
				&cmd->out_limit);
	if (IS_ERR(request))
		return PTR_ERR(request);
	sup_child_get(child);
	request->child = child;
	request->call.dynamic = &sup_member(child)->dynamic;
	request->call.attached = true;
	process = sup_process_get_current();
	if (!process)
		ret = -ENOMEM;
	else if (sup_child_reservation(child))
		ret = sup_reservation_prepare(sup_child_reservation(child), &reg);
	if (ret)
		sup_process_put(process);
	else
		ret = join_submit(request, process, cmd);
	if (request->call.result == SUP_ERR_NO_SPACE)
		cmd->out_limit = SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN;
	if (!ret) {
		join_claim(child, &reg);
		cmd->out_id = child->id;
	}
	sup_reservation_unprepare(&reg);
	request_put(request);
	return ret;
}

/**
 * sup_call_join - ioctl(SUPERVISOR_CHILD_JOIN)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_join(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_child_join *cmd = ucmd->cmd;
	struct sup_spec *spec;
	struct sup_child *child;
	int ret;

	cmd->out_result = SUPERVISOR_RESULT_OK;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_id = 0;
	cmd->out_pid = 0;
	if (sup->spawn != SUPERVISOR_SPAWN_SELF)
		return -EINVAL;
	if (!cmd->deadline)
		return -EAGAIN;
	spec = sup_spec_template(sup);
	child = sup_member_alloc(sup, spec, &cmd->out_limit);
	if (IS_ERR(child)) {
		sup_spec_put(spec);
		return PTR_ERR(child);
	}
	ret = child_set_callers(child, sup_ask_to_join(sup, &cmd->out_limit));
	if (!ret)
		ret = join(sup, cmd, child);
	sup_child_put(child);
	if (ret)
		return ret;
	if (cmd->flags & SUPERVISOR_ATTACH_F_RESET_SIGNALS)
		sup_current_reset_signals();
	sup_member_grow(sup);
	return 0;
}

/*
 * Start, stop, suspend, wait.
 */

/* Will anybody ever be asked to start a child? */
static bool start_needs_spawner(const struct sup_supervisor *sup)
{
	return sup->spawn != SUPERVISOR_SPAWN_SELF ||
	       sup->template->decides.restart != SUPERVISOR_TEMPORARY;
}

/* Claim and START are one step to a STOP. */
static int start_claim(struct sup_supervisor *sup)
{
	int ret = 0;

	mutex_lock(&sup_tree_lock);
	if (sup->as_child || sup->claimed)
		ret = READ_ONCE(sup->state) == SUPERVISOR_STATE_DOWN ? -ESHUTDOWN : -EBUSY;
	else if (!sup->mailbox && start_needs_spawner(sup))
		ret = -EINVAL;
	else
		ret = sup_hold_keep(sup);
	if (!ret) {
		sup->claimed = true;
		sup_control(sup, SUP_CONTROL_START);
	}
	mutex_unlock(&sup_tree_lock);
	return ret;
}

static bool start_claimed(struct sup_supervisor *sup)
{
	bool claimed;

	mutex_lock(&sup_tree_lock);
	claimed = sup->claimed;
	mutex_unlock(&sup_tree_lock);
	return claimed;
}

static bool start_over(struct sup_supervisor *sup)
{
	u32 state = READ_ONCE(sup->state);

	return state == SUPERVISOR_STATE_UP || state == SUPERVISOR_STATE_DOWN;
}

static int start_result(struct sup_supervisor *sup, struct supervisor_start *cmd)
{
	u32 room = cmd->failed_id_len;
	int ret = 0;
	char *id;

	id = kmalloc(SUP_NAME_MAX + 1, GFP_KERNEL);
	if (!id)
		return -ENOMEM;
	mutex_lock(&sup->lock);
	strscpy(id, sup->failed_id, SUP_NAME_MAX + 1);
	if (sup->state == SUPERVISOR_STATE_DOWN && !sup->was_up) {
		cmd->out_error = -sup->down_error;
		ret = sup->down == SUPERVISOR_DOWN_INIT_FAILED ? -ECHILD : -ESHUTDOWN;
		if (ret == -ECHILD)
			cmd->out_pid = pid_vnr(sup->rival);
	}
	mutex_unlock(&sup->lock);
	if (ret == -ECHILD && cmd->failed_id) {
		cmd->failed_id_len = strlen(id);
		if (copy_to_user(u64_to_user_ptr(cmd->failed_id), id,
				 min(room, cmd->failed_id_len)))
			ret = -EFAULT;
	} else {
		cmd->failed_id_len = 0;
	}
	kfree(id);
	return ret;
}

/**
 * sup_call_start - ioctl(SUPERVISOR_START)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_start(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_start *cmd = ucmd->cmd;
	int ret;

	cmd->out_error = 0;
	cmd->out_pid = 0;
	if (!cmd->call) {
		ret = start_claim(sup);
		if (ret)
			return ret;
		if (cmd->flags & SUPERVISOR_CALL_F_ASYNC)
			return 0;
	}
	ret = sup_wait_until(sup->changed, start_over(sup), cmd->deadline);
	cmd->call = ret == -ERESTARTSYS;
	return ret ?: start_result(sup, cmd);
}

/* Has it ended, since it had so often? One that is a child may be up again. */
static bool ended_since(struct sup_supervisor *sup, u64 downs)
{
	return READ_ONCE(sup->state) == SUPERVISOR_STATE_DOWN || READ_ONCE(sup->downs) != downs;
}

/**
 * sup_call_stop - ioctl(SUPERVISOR_STOP)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_stop(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_stop *cmd = ucmd->cmd;
	u64 downs = cmd->call - 1;
	int ret;

	if (cmd->reason > SUPERVISOR_EXIT_KILLED)
		return -EOPNOTSUPP;
	if (!cmd->call) {
		u32 state = READ_ONCE(sup->state);

		downs = READ_ONCE(sup->downs);
		if (state == SUPERVISOR_STATE_NEW && !start_claimed(sup))
			return -EBUSY;
		if (state == SUPERVISOR_STATE_DOWN)
			return -ESHUTDOWN;
		sup_stop(sup, cmd->reason);
		if (cmd->flags & SUPERVISOR_CALL_F_ASYNC)
			return 0;
	}
	ret = sup_wait_until(sup->changed, ended_since(sup, downs), cmd->deadline);
	cmd->call = ret == -ERESTARTSYS ? downs + 1 : 0;
	return ret;
}

static int suspend_one(struct sup_supervisor *sup, struct supervisor_suspend *cmd)
{
	struct call_params params = { .mailbox_fd = -1 };
	struct sup_request *request;
	int ret;

	request = request_alloc(sup, SUPERVISOR_CMD_SUSPEND, SUP_CALL_SUSPEND, &params,
				&cmd->out_limit);
	if (IS_ERR(request))
		return PTR_ERR(request);
	ret = request_give_up(request, request_submit(request, cmd->deadline));
	if (!ret)
		ret = result_errno(request->call.result);
	request_put(request);
	return ret;
}

static int resume_one(struct sup_supervisor *sup, struct supervisor_suspend *cmd)
{
	u32 state = READ_ONCE(sup->state);

	if (state == SUPERVISOR_STATE_NEW || state == SUPERVISOR_STATE_DOWN)
		return -ESHUTDOWN;
	sup_control(sup, SUP_CONTROL_RESUME);
	return 0;
}

/* The supervisors right below one; a reference to each. */
static struct sup_supervisor **subs_get(struct sup_supervisor *sup, u32 *nr)
{
	struct sup_supervisor **subs;
	struct list_head *at;
	u32 room = 0;

	mutex_lock(&sup->lock);
	list_for_each(at, sup_children(sup))
		room += !!sup_child_sub(sup_listed_child(sup, at));
	mutex_unlock(&sup->lock);

	*nr = 0;
	subs = kvcalloc(room + 1, sizeof(*subs), GFP_KERNEL_ACCOUNT);
	if (!subs)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&sup->lock);
	list_for_each(at, sup_children(sup)) {
		struct sup_supervisor *sub = sup_child_sub(sup_listed_child(sup, at));

		if (!sub || *nr == room)
			continue;
		sup_object_get(&sub->object);
		subs[(*nr)++] = sub;
	}
	mutex_unlock(&sup->lock);
	return subs;
}

/*
 * Do something to a supervisor and to all below it, parents first. Those that
 * are not running are passed over, but for @sup itself.
 */
static int tree_do(struct sup_supervisor *sup, struct supervisor_suspend *cmd,
		   int (*one)(struct sup_supervisor *sup, struct supervisor_suspend *cmd))
{
	struct sup_supervisor **subs;
	int ret, err = 0;
	u32 nr;

	ret = one(sup, cmd);
	if (ret)
		return ret;
	subs = subs_get(sup, &nr);
	if (IS_ERR(subs))
		return PTR_ERR(subs);
	while (nr--) {
		if (!err)
			err = tree_do(subs[nr], cmd, one);
		if (err == -ESHUTDOWN || err == -EOWNERDEAD)
			err = 0;
		sup_object_put(&subs[nr]->object);
	}
	kvfree(subs);
	return err;
}

static int call_tree(struct sup_ucmd *ucmd,
		     int (*one)(struct sup_supervisor *sup, struct supervisor_suspend *cmd))
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_suspend *cmd = ucmd->cmd;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	return cmd->flags & SUPERVISOR_SUSPEND_F_TREE ? tree_do(sup, cmd, one) : one(sup, cmd);
}

/**
 * sup_call_suspend - ioctl(SUPERVISOR_SUSPEND)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_suspend(struct sup_ucmd *ucmd)
{
	return call_tree(ucmd, suspend_one);
}

/**
 * sup_call_resume - ioctl(SUPERVISOR_RESUME)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_resume(struct sup_ucmd *ucmd)
{
	return call_tree(ucmd, resume_one);
}

/* Why it is down: it is set before that, under the same lock. */
static void wait_result(struct sup_supervisor *sup, struct supervisor_wait *cmd)
{
	mutex_lock(&sup->lock);
	cmd->out_reason = sup->reason;
	cmd->out_down = sup->down;
	mutex_unlock(&sup->lock);
}

/**
 * sup_call_wait - ioctl(SUPERVISOR_WAIT)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_call_wait(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_wait *cmd = ucmd->cmd;
	struct sup_supervisor *root;
	u64 downs;
	int ret;

	cmd->out_reason = 0;
	cmd->out_down = SUPERVISOR_DOWN_NOT_YET;
	switch (cmd->what) {
	case SUPERVISOR_WAIT_IDLE:
		root = READ_ONCE(sup->root);
		return sup_wait_until(root->idle, !atomic_read(&root->busy), cmd->deadline);
	case SUPERVISOR_WAIT_DOWN:
		downs = READ_ONCE(sup->downs);
		ret = sup_wait_until(sup->changed, ended_since(sup, downs), cmd->deadline);
		if (!ret)
			wait_result(sup, cmd);
		return ret;
	default:
		return -EOPNOTSUPP;
	}
}
