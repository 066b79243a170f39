/* SPDX-License-Identifier: GPL-2.0 */
/*
 * turn - the messages that wait for their turn in a supervisor, and the calls
 * among them, alike for both kinds of supervisors (policy and dynamic). Pure.
 *
 * OTP's supervisor handles one message at a time, in the order in which they come,
 * and while it is suspended none. A call is one of its messages; its answer is
 * told by an action of its own.
 */
#ifndef SUP_TURN_H
#define SUP_TURN_H

#include <linux/list.h>
#include <linux/types.h>

#include "name.h"

struct sup_dynamic_child;
struct sup_policy_child;

enum sup_msg_type {
	SUP_MSG_EXIT,
	SUP_MSG_RETRY,
	SUP_MSG_CALL
};

/* A place in a queue; embedded in what it stands for. */
struct sup_msg {
	struct list_head node;		/* empty when not queued */
	enum sup_msg_type type;
	struct sup_policy_child *child;	/* a policy's EXIT, RETRY */
};

enum sup_call_type {
	SUP_CALL_START_CHILD,		/* the child is new; it is taken or not */
	SUP_CALL_TERMINATE_CHILD,	/* the rest name a child */
	SUP_CALL_RESTART_CHILD,
	SUP_CALL_DELETE_CHILD,
	SUP_CALL_GET_CHILDSPEC,		/* these three only mark their turn: the */
	SUP_CALL_WHICH_CHILDREN,	/* driver reads the state at SUP_ACT_REPLY */
	SUP_CALL_COUNT_CHILDREN,
	SUP_CALL_SUSPEND		/* answered when it takes effect */
};

enum sup_call_result {
	SUP_OK = 0,
	SUP_OK_UNDEFINED,		/* the start was ignored */
	SUP_ERR_RUNNING,
	SUP_ERR_RESTARTING,
	SUP_ERR_NOT_FOUND,
	SUP_ERR_ALREADY_STARTED,
	SUP_ERR_ALREADY_PRESENT,
	SUP_ERR_START_FAILED,
	SUP_ERR_INVALID,		/* @invalid says what */
	SUP_ERR_NOPROC,			/* the supervisor ended before its turn */
	SUP_ERR_EXIT,			/* the supervisor ended during the call */
	SUP_ERR_NO_SPACE,		/* its driver takes no more children */
	SUP_ERR_MAX_CHILDREN,		/* a dynamic supervisor has as many as it may */
	SUP_ERR_DYNAMIC			/* nothing to ask a dynamic supervisor */
};

/* Why a spec or flags are refused: the first bad member, in OTP's order. */
enum sup_invalid {
	SUP_VALID = 0,
	SUP_INVALID_STRATEGY,
	SUP_INVALID_INTENSITY,
	SUP_INVALID_PERIOD,
	SUP_INVALID_AUTO_SHUTDOWN,
	SUP_INVALID_ID,			/* OTP's missing_id */
	SUP_INVALID_RESTART_TYPE,
	SUP_BAD_COMBINATION_AUTO_SHUTDOWN, /* significant, but auto_shutdown never */
	SUP_BAD_COMBINATION_RESTART,	/* significant and permanent */
	SUP_INVALID_SIGNIFICANT,
	SUP_INVALID_CHILD_TYPE,
	SUP_INVALID_SHUTDOWN,
	SUP_INVALID_RETRY,		/* ours, checked last */
	SUP_DUPLICATE_CHILD_NAME,
	SUP_INVALID_MAX_CHILDREN	/* of a dynamic supervisor, before auto_shutdown */
};

/**
 * struct sup_call - a call to a supervisor
 * @type: what is asked
 * @name: the child meant; unused with START_CHILD, WHICH and COUNT
 * @child: START_CHILD: the new child. In a reply: the child meant, if there is
 *	one (also with errors), for the driver to tell its pid
 * @dynamic: the same to a dynamic supervisor, whose children are meant by it
 *	instead of @name; see there
 * @incarnation: to a dynamic supervisor: which one of @dynamic's, 0 for any
 * @attached: START_CHILD to a dynamic supervisor: the child's process exists, and has
 *	started
 * @alive: TERMINATE_CHILD of a dynamic supervisor without @dynamic: the process meant
 *	is alive
 * @result: valid from %SUP_ACT_REPLY on
 * @invalid: with %SUP_ERR_INVALID
 * @start_error: with %SUP_ERR_START_FAILED, what the driver said of the failure
 *
 * Lifetime: the driver's; the supervisor refers to it from its input to its
 *	%SUP_ACT_REPLY, or until it was withdrawn.
 * Locking: its supervisor's.
 * Context: none of its own.
 *
 * A START_CHILD's new child belongs to the supervisor, and ends in %SUP_ACT_FORGET,
 * with %SUP_OK, %SUP_OK_UNDEFINED, %SUP_ERR_START_FAILED (the FORGET of a child
 * that is not kept comes right after the reply) and %SUP_ERR_EXIT (it came
 * before, so @child is NULL). With any other result, and when the call was
 * withdrawn, it has not been touched. A reply of ALREADY_STARTED or
 * ALREADY_PRESENT holds the older child of that name in @child.
 */
struct sup_call {
	enum sup_call_type type;
	struct sup_name name;
	union {
		struct sup_policy_child *child;
		struct sup_dynamic_child *dynamic;
	};
	u32 incarnation;
	bool attached;
	bool alive;
	enum sup_call_result result;
	enum sup_invalid invalid;
	s32 start_error;

	/* private: the supervisor's own */
	struct sup_msg msg;
	u32 resumes;			/* sup_turns.resumes when it was queued */
	bool waiting;			/* in sup_turns.queue */
};

/**
 * struct sup_turns - what waits in a supervisor
 * @queue: sup_msg.node, next first
 * @replies: sup_call.msg.node, answered but not told
 * @suspended: no message has its turn
 * @resumes: RESUME inputs so far
 *
 * Lifetime: its supervisor's.
 * Locking: its supervisor's.
 * Context: none of its own.
 */
struct sup_turns {
	struct list_head queue;
	struct list_head replies;
	bool suspended;
	u32 resumes;
};

void sup_turns_init(struct sup_turns *turns);
void sup_turns_call(struct sup_turns *turns, struct sup_call *call, bool down);
struct sup_msg *sup_turns_next(struct sup_turns *turns);
struct sup_call *sup_turns_take_call(struct sup_msg *msg);
void sup_turns_reply(struct sup_turns *turns, struct sup_call *call,
		     enum sup_call_result result);
struct sup_call *sup_turns_told(struct sup_turns *turns);
void sup_turns_suspend(struct sup_turns *turns, struct sup_call *call);
void sup_turns_resume(struct sup_turns *turns);
void sup_turns_refuse(struct sup_turns *turns);
bool sup_turns_withdraw(struct sup_call *call);

#endif
