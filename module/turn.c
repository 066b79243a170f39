// SPDX-License-Identifier: GPL-2.0
/* turn - see turn.h. */
#include "turn.h"

#include <linux/kernel.h>

/**
 * sup_turns_init() - make it so that nothing waits
 * @turns: where
 *
 * Context: any.
 */
void sup_turns_init(struct sup_turns *turns)
{
	INIT_LIST_HEAD(&turns->queue);
	INIT_LIST_HEAD(&turns->replies);
	turns->suspended = false;
	turns->resumes = 0;
}

/**
 * sup_turns_call() - let a call wait for its turn
 * @turns: where
 * @call: the call; it is answered at once if there will be no turn
 * @down: the supervisor is down
 *
 * Context: any.
 */
void sup_turns_call(struct sup_turns *turns, struct sup_call *call, bool down)
{
	INIT_LIST_HEAD(&call->msg.node);
	call->msg.type = SUP_MSG_CALL;
	call->msg.child = NULL;
	call->waiting = false;
	call->resumes = turns->resumes;
	call->result = SUP_OK;
	call->invalid = SUP_VALID;
	call->start_error = 0;

	if (down) {
		sup_turns_reply(turns, call, SUP_ERR_NOPROC);
		return;
	}
	/* OTP's suspend loop takes system messages, and only those. */
	if (call->type == SUP_CALL_SUSPEND && turns->suspended) {
		call->child = NULL;
		sup_turns_reply(turns, call, SUP_OK);
		return;
	}
	call->waiting = true;
	list_add_tail(&call->msg.node, &turns->queue);
}

/**
 * sup_turns_next() - whose turn it is
 * @turns: where
 *
 * Context: any.
 * Return: the first message, which stays where it is, or NULL if there is none or
 *	none has its turn.
 */
struct sup_msg *sup_turns_next(struct sup_turns *turns)
{
	if (turns->suspended)
		return NULL;
	return list_first_entry_or_null(&turns->queue, struct sup_msg, node);
}

/**
 * sup_turns_take_call() - take a call out of the queue: its turn has come
 * @msg: the call's message
 *
 * Context: any.
 * Return: the call.
 */
struct sup_call *sup_turns_take_call(struct sup_msg *msg)
{
	struct sup_call *call = container_of(msg, struct sup_call, msg);

	list_del_init(&msg->node);
	call->waiting = false;
	return call;
}

/**
 * sup_turns_reply() - answer a call
 * @turns: where
 * @call: the call, not in the queue
 * @result: the answer
 *
 * Context: any.
 */
void sup_turns_reply(struct sup_turns *turns, struct sup_call *call, enum sup_call_result result)
{
	call->result = result;
	list_add_tail(&call->msg.node, &turns->replies);
}

/**
 * sup_turns_told() - take the next answer that is to be told
 * @turns: where
 *
 * Context: any.
 * Return: the answered call, which nothing refers to any more, or NULL.
 */
struct sup_call *sup_turns_told(struct sup_turns *turns)
{
	struct sup_call *call;

	call = list_first_entry_or_null(&turns->replies, struct sup_call, msg.node);
	if (call)
		list_del_init(&call->msg.node);
	return call;
}

/**
 * sup_turns_suspend() - a SUSPEND has its turn
 * @turns: where
 * @call: the SUSPEND
 *
 * Context: any.
 */
void sup_turns_suspend(struct sup_turns *turns, struct sup_call *call)
{
	/* A RESUME that came after the call, but before its turn, ends it too. */
	turns->suspended = call->resumes == turns->resumes;
	call->child = NULL;
	sup_turns_reply(turns, call, SUP_OK);
}

/**
 * sup_turns_resume() - end a suspension, and those that wait for their turn
 * @turns: where
 *
 * Context: any.
 */
void sup_turns_resume(struct sup_turns *turns)
{
	turns->resumes++;
	turns->suspended = false;
}

/**
 * sup_turns_refuse() - answer the calls that wait: nobody will handle them
 * @turns: where; nothing but calls waits
 *
 * Context: any.
 */
void sup_turns_refuse(struct sup_turns *turns)
{
	struct sup_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &turns->queue, node)
		sup_turns_reply(turns, sup_turns_take_call(msg), SUP_ERR_NOPROC);
}

/**
 * sup_turns_withdraw() - take a call back
 * @call: a call that is not answered yet
 *
 * Context: any.
 * Return: was it waiting for its turn: then nothing refers to it any more.
 */
bool sup_turns_withdraw(struct sup_call *call)
{
	if (!call->waiting)
		return false;
	call->waiting = false;
	list_del_init(&call->msg.node);
	return true;
}
