// SPDX-License-Identifier: GPL-2.0
/*
 * policy_fuzz - a driver that does what bytes tell it, in any order and with any
 * delay, and checks that the policy keeps its promises:
 *
 *	no child is started twice, or while another one is waited for
 *	starts of a group come in start order, stops in reverse order
 *	TERM and KILL go to live processes, once an incarnation
 *	the intensity is never exceeded
 *	it is quiescent, or waits for an answer or a deadline that can be named
 *	every call is answered once; every added child is forgotten once
 *	a stop leads to DOWN, with no process left
 *
 * Children and calls are freed as soon as they are the driver's again, so that
 * the sanitizer sees whoever still looks at them.
 */
#include <limits.h>
#include <string.h>

#include "fuzz.h"
#include "policy.h"

#define MAX_CHILDREN 24
#define MAX_CALLS 24
#define MAX_RESTARTS 256
#define WINDOW_SLOTS 8
#define NR_NAMES 8

enum process {
	PROCESS_NONE,
	PROCESS_STARTING,	/* a START is out, its answer is ours to give */
	PROCESS_RUNNING
};

struct fuzz_child {
	struct sup_policy_child child;
	char name[4];
	bool linked;		/* the policy refers to it */
	int place;		/* rises in start order */
	enum process process;
	bool termed;
	bool killed;
	bool refused;		/* UNKILLABLE was said */
};

struct fuzz_call {
	struct sup_call call;
	char name[4];
	struct fuzz_child *child;	/* START_CHILD's new one */
};

struct fuzz {
	struct fuzz_bytes bytes;
	u64 now_ns;
	struct sup_policy policy;
	struct sup_window_slot window[WINDOW_SLOTS];
	struct hlist_head buckets[2][16];
	struct fuzz_child *children[MAX_CHILDREN];
	struct fuzz_call *calls[MAX_CALLS];
	bool up;
	bool began;		/* START was input, DOWN has not come */
	bool uncounted;		/* some child's failures are no restarts */
	int places;		/* given so far */
	int start_at;		/* place of the last start of a walk */
	int stop_at;		/* place of the last stop of the end */
	u64 restarts[MAX_RESTARTS]; /* seconds */
	size_t nr_restarts;
};

static struct fuzz_child *fuzz_child_of(struct sup_policy_child *child)
{
	return container_of(child, struct fuzz_child, child);
}

/* The policy has a child from now on, last in start order. */
static void fuzz_link(struct fuzz *fuzz, struct fuzz_child *child)
{
	if (child->linked)
		return;
	child->linked = true;
	child->place = fuzz->places++;
}

/*
 * Children and calls
 */

static struct fuzz_child *fuzz_new_child(struct fuzz *fuzz)
{
	struct fuzz_child *child;
	size_t i;

	for (i = 0; i < MAX_CHILDREN; i++)
		if (!fuzz->children[i])
			break;
	if (i == MAX_CHILDREN)
		return NULL;

	child = calloc(1, sizeof(*child));
	check(child);
	fuzz->children[i] = child;
	child->name[0] = 'a' + fuzz_below(&fuzz->bytes, NR_NAMES);
	child->child.name = sup_name_make(child->name, 1);
	child->child.spec.restart = fuzz_below(&fuzz->bytes, SUP_RESTART_NR);
	child->child.spec.significant = fuzz_below(&fuzz->bytes, 4) == 0;
	child->child.spec.shutdown_ms = (const int[]){ -2, -1, 0, 50, 5000 }[fuzz_below(&fuzz->bytes, 5)];
	child->child.spec.start_timeout_ms = fuzz_below(&fuzz->bytes, 4) == 0 ? 100 : 0;
	if (fuzz_below(&fuzz->bytes, 4) == 0) {
		child->child.spec.retry.min_ms = 10;
		child->child.spec.retry.max_ms = 100;
		child->child.spec.retry.factor_pct = 200;
		child->child.spec.retry.jitter_pct = fuzz_below(&fuzz->bytes, 101);
		child->child.spec.retry.reset_after_ms = 500;
		child->child.spec.retry.uncounted = fuzz_below(&fuzz->bytes, 4) == 0;
		fuzz->uncounted |= child->child.spec.retry.uncounted;
	}
	return child;
}

static void fuzz_free_child(struct fuzz *fuzz, struct fuzz_child *child)
{
	size_t i;

	for (i = 0; i < MAX_CHILDREN; i++) {
		if (fuzz->children[i] == child) {
			fuzz->children[i] = NULL;
			free(child);
			return;
		}
	}
	check(!"a child is freed once");
}

static void fuzz_free_call(struct fuzz *fuzz, struct fuzz_call *call)
{
	size_t i;

	for (i = 0; i < MAX_CALLS; i++) {
		if (fuzz->calls[i] == call) {
			fuzz->calls[i] = NULL;
			free(call);
			return;
		}
	}
	check(!"a call is answered once");
}

/* The one whose answer an operation waits for, if there is one. */
static struct fuzz_child *fuzz_awaited(const struct fuzz *fuzz)
{
	for (size_t i = 0; i < MAX_CHILDREN; i++) {
		struct fuzz_child *child = fuzz->children[i];

		if (child && (child->process == PROCESS_STARTING || child->termed || child->killed))
			return child;
	}
	return NULL;
}

static void fuzz_tell(struct fuzz *fuzz, enum sup_input_type type, struct fuzz_child *child,
		      enum sup_reason reason)
{
	struct sup_input input = {
		.type = type,
		.child = child ? &child->child : NULL,
		.reason = reason,
		.error = -5,
	};

	sup_policy_input(&fuzz->policy, &input, fuzz->now_ns);
}

static void fuzz_process_gone(struct fuzz_child *child)
{
	child->process = PROCESS_NONE;
	child->termed = false;
	child->killed = false;
	child->refused = false;
}

/*
 * Actions
 */

static void fuzz_count_restart(struct fuzz *fuzz)
{
	u64 second = fuzz->now_ns / 1000000000;
	s64 within = 0;

	if (fuzz->nr_restarts == MAX_RESTARTS)
		return;
	fuzz->restarts[fuzz->nr_restarts++] = second;
	for (size_t i = 0; i < fuzz->nr_restarts; i++)
		within += fuzz->restarts[i] + fuzz->policy.flags.period >= second;
	check(fuzz->uncounted || within <= fuzz->policy.flags.intensity);
}

static void fuzz_check_start(struct fuzz *fuzz, struct fuzz_child *child)
{
	const struct list_head *first = fuzz->policy.children.next;
	int place = child->place;

	check(child->linked && child->process == PROCESS_NONE);
	check(!fuzz_awaited(fuzz));
	check(child->child.state == SUP_CHILD_STARTING);

	switch (fuzz->policy.op) {
	case SUP_OP_INIT:
		check(!fuzz->up && place > fuzz->start_at);
		fuzz->start_at = place;
		break;
	case SUP_OP_GROUP_START:
		if (place <= fuzz->start_at)
			check(fuzz->policy.flags.strategy == SUP_ONE_FOR_ALL ?
			      &child->child.order == first :
			      &child->child == fuzz->policy.target);
		fuzz->start_at = place;
		break;
	case SUP_OP_RESTART:
		fuzz_count_restart(fuzz);
		break;
	default:
		check(fuzz->policy.op == SUP_OP_CALL);
		break;
	}
	check(fuzz->policy.window.restarts <= fuzz->policy.flags.intensity);
}

static void fuzz_check_signal(struct fuzz *fuzz, struct fuzz_child *child, bool kill)
{
	struct fuzz_child *awaited = fuzz_awaited(fuzz);
	bool again = child->termed;

	check(child->linked && child->process != PROCESS_NONE);
	check(kill ? !child->killed : !again);
	check(child->child.state == SUP_CHILD_STOPPING);
	if (fuzz->policy.op == SUP_OP_KILL)
		return;
	check(!awaited || awaited == child);
	if (fuzz->policy.op == SUP_OP_STOP && child->process == PROCESS_RUNNING && !again) {
		check(child->place < fuzz->stop_at);
		fuzz->stop_at = child->place;
	}
}

static void fuzz_down(struct fuzz *fuzz, const struct sup_action *action)
{
	check(fuzz->began);
	check(fuzz->up == (action->down != SUP_DOWN_INIT_FAILED) ||
	      action->down == SUP_DOWN_STOPPED);
	for (size_t i = 0; i < MAX_CHILDREN; i++) {
		const struct fuzz_child *child = fuzz->children[i];

		if (!child || !child->linked)
			continue;
		check(child->process == PROCESS_NONE);
		check(child->child.initial || &child->child == action->child);
	}
	fuzz->began = false;
	fuzz->up = false;
	fuzz->nr_restarts = 0;
}

static void fuzz_reply(struct fuzz *fuzz, struct fuzz_call *call)
{
	switch (call->call.result) {
	case SUP_ERR_INVALID:
	case SUP_ERR_ALREADY_STARTED:
	case SUP_ERR_ALREADY_PRESENT:
	case SUP_ERR_NOPROC:
		if (call->child) {
			check(!call->child->linked);
			fuzz_free_child(fuzz, call->child);
		}
		break;
	default:
		break;
	}
	fuzz_free_call(fuzz, call);
}

static void fuzz_act(struct fuzz *fuzz, const struct sup_action *action)
{
	struct fuzz_child *child = action->child ? fuzz_child_of(action->child) : NULL;

	switch (action->type) {
	case SUP_ACT_START:
		fuzz_link(fuzz, child);	/* a start_child's is taken now */
		fuzz_check_start(fuzz, child);
		child->process = PROCESS_STARTING;
		break;
	case SUP_ACT_TERM:
		fuzz_check_signal(fuzz, child, false);
		child->termed = true;
		break;
	case SUP_ACT_KILL:
		fuzz_check_signal(fuzz, child, true);
		child->killed = true;
		break;
	case SUP_ACT_ABANDON:
		check(child->refused);
		fuzz_process_gone(child);
		break;
	case SUP_ACT_FORGET:
		check(child->linked && !child->child.initial);
		check(child->process == PROCESS_NONE);
		fuzz_free_child(fuzz, child);
		break;
	case SUP_ACT_REPLY:
		fuzz_reply(fuzz, container_of(action->call, struct fuzz_call, call));
		break;
	case SUP_ACT_UP:
		check(fuzz->began && !fuzz->up);
		fuzz->up = true;
		break;
	case SUP_ACT_DOWN:
		fuzz_down(fuzz, action);
		break;
	}
}

/* Who ends has given up every restart that was due later. */
static void fuzz_check_no_delays(const struct fuzz *fuzz)
{
	const struct sup_policy_child *child;

	list_for_each_entry(child, &fuzz->policy.children, order)
		check(child->state != SUP_CHILD_RESTARTING || RB_EMPTY_NODE(&child->due.node));
}

/* Nothing is left to do: is that so, or what is it waiting for? */
static void fuzz_check_rest(const struct fuzz *fuzz)
{
	const struct sup_policy *policy = &fuzz->policy;

	check(sup_policy_deadline(policy) > fuzz->now_ns);
	check(!policy->turns.suspended || policy->op == SUP_OP_IDLE);
	switch (policy->op) {
	case SUP_OP_DOWN:
		check(!fuzz->began && sup_policy_idle(policy) && !fuzz_awaited(fuzz));
		check(sup_policy_deadline(policy) == U64_MAX);
		break;
	case SUP_OP_IDLE:
		check(fuzz->up && !fuzz_awaited(fuzz));
		check(policy->turns.suspended || list_empty(&policy->turns.queue));
		check(sup_policy_idle(policy) || sup_policy_deadline(policy) != U64_MAX);
		break;
	case SUP_OP_STOP:
	case SUP_OP_KILL:
		fuzz_check_no_delays(fuzz);
		check(!sup_policy_idle(policy) && fuzz_awaited(fuzz));
		break;
	default:
		check(!sup_policy_idle(policy) && fuzz_awaited(fuzz));
		break;
	}
}

static void fuzz_acts(struct fuzz *fuzz)
{
	struct sup_action action;

	while (sup_policy_next(&fuzz->policy, fuzz->now_ns, &action))
		fuzz_act(fuzz, &action);
	fuzz_check_rest(fuzz);
}

/*
 * Inputs
 */

static struct fuzz_child *fuzz_pick(struct fuzz *fuzz)
{
	struct fuzz_child *child = fuzz->children[fuzz_below(&fuzz->bytes, MAX_CHILDREN)];

	return child && child->linked ? child : NULL;
}

static void fuzz_exit(struct fuzz *fuzz, struct fuzz_child *child, enum sup_reason reason)
{
	fuzz_process_gone(child);
	fuzz_tell(fuzz, SUP_IN_EXIT, child, reason);
}

/* Answer the START or the signal that is out, in one way or another. */
static void fuzz_answer(struct fuzz *fuzz, unsigned int how)
{
	struct fuzz_child *child = fuzz_awaited(fuzz);

	if (!child)
		return;
	if (child->process == PROCESS_RUNNING || how == 3) {
		fuzz_exit(fuzz, child, how);
	} else if (how == 0) {
		/* One whose stop is under way has no use for it. */
		if (child->child.state == SUP_CHILD_STARTING)
			child->process = PROCESS_RUNNING;
		fuzz_tell(fuzz, SUP_IN_STARTED, child, SUP_NORMAL);
	} else {
		fuzz_process_gone(child);
		fuzz_tell(fuzz, how == 1 ? SUP_IN_START_FAILED : SUP_IN_IGNORED, child,
			  SUP_NORMAL);
	}
}

/* What cannot be about a child without a process, or is said again. */
static void fuzz_junk(struct fuzz *fuzz)
{
	static const enum sup_input_type types[] = {
		SUP_IN_ATTACHED, SUP_IN_STARTED, SUP_IN_START_FAILED, SUP_IN_IGNORED,
		SUP_IN_EXIT, SUP_IN_UNKILLABLE,
	};
	struct fuzz_child *child = fuzz_pick(fuzz);
	unsigned int which = fuzz_below(&fuzz->bytes, ARRAY_SIZE(types));

	if (!child || (child->process == PROCESS_RUNNING && types[which] == SUP_IN_EXIT))
		return;
	if (child->process != PROCESS_NONE && types[which] == SUP_IN_UNKILLABLE)
		return;
	if (child->process == PROCESS_STARTING)
		return;
	fuzz_tell(fuzz, types[which], child, fuzz_below(&fuzz->bytes, SUP_REASON_NR));
}

static void fuzz_make_call(struct fuzz *fuzz)
{
	struct sup_input input = { .type = SUP_IN_CALL };
	struct fuzz_call *call;
	size_t i;

	for (i = 0; i < MAX_CALLS; i++)
		if (!fuzz->calls[i])
			break;
	if (i == MAX_CALLS)
		return;

	call = calloc(1, sizeof(*call));
	check(call);
	call->call.type = fuzz_below(&fuzz->bytes, SUP_CALL_SUSPEND + 1);
	call->name[0] = 'a' + fuzz_below(&fuzz->bytes, NR_NAMES);
	call->call.name = sup_name_make(call->name, 1);
	if (call->call.type == SUP_CALL_START_CHILD) {
		call->child = fuzz_new_child(fuzz);
		if (!call->child) {
			free(call);
			return;
		}
		call->call.child = &call->child->child;
	}
	fuzz->calls[i] = call;
	input.call = &call->call;
	sup_policy_input(&fuzz->policy, &input, fuzz->now_ns);
}

static void fuzz_withdraw(struct fuzz *fuzz)
{
	struct fuzz_call *call = fuzz->calls[fuzz_below(&fuzz->bytes, MAX_CALLS)];

	if (!call || !sup_policy_withdraw(&fuzz->policy, &call->call))
		return;
	if (call->child)
		fuzz_free_child(fuzz, call->child);
	fuzz_free_call(fuzz, call);
}

static void fuzz_wait(struct fuzz *fuzz, unsigned int how)
{
	u64 deadline = sup_policy_deadline(&fuzz->policy);

	if (how && deadline != U64_MAX)
		fuzz->now_ns = max(fuzz->now_ns, deadline);
	else
		fuzz->now_ns += fuzz_byte(&fuzz->bytes) * 20000000ULL;
	fuzz_tell(fuzz, SUP_IN_TIMER, NULL, SUP_NORMAL);
}

static void fuzz_begin(struct fuzz *fuzz)
{
	if (sup_policy_down(&fuzz->policy)) {
		fuzz->began = true;
		fuzz->start_at = -1;
		fuzz->stop_at = INT_MAX;
	}
	fuzz_tell(fuzz, SUP_IN_START, NULL, SUP_NORMAL);
}

static void fuzz_reindex(struct fuzz *fuzz)
{
	struct hlist_head *other = fuzz->buckets[fuzz->policy.buckets == fuzz->buckets[0]];

	memset(other, 0, sizeof(fuzz->buckets[0]));
	sup_policy_reindex(&fuzz->policy, other, 1U << fuzz_below(&fuzz->bytes, 5));
}

static void fuzz_step(struct fuzz *fuzz)
{
	struct fuzz_child *child;
	unsigned int what = fuzz_below(&fuzz->bytes, 32);

	switch (what) {
	case 0 ... 6:
		fuzz_answer(fuzz, 0);
		break;
	case 7:
	case 8:
		fuzz_answer(fuzz, 1);
		break;
	case 9:
	case 10:
		fuzz_answer(fuzz, what - 7);
		break;
	case 11 ... 16:
		child = fuzz_pick(fuzz);
		if (child && child->process == PROCESS_RUNNING)
			fuzz_exit(fuzz, child, fuzz_below(&fuzz->bytes, SUP_REASON_NR));
		break;
	case 17 ... 21:
		fuzz_make_call(fuzz);
		break;
	case 22:
		fuzz_withdraw(fuzz);
		break;
	case 23:
		fuzz_tell(fuzz, SUP_IN_STOP, NULL, fuzz_below(&fuzz->bytes, SUP_REASON_NR));
		break;
	case 24:
		if (fuzz_below(&fuzz->bytes, 4) == 0)
			fuzz_tell(fuzz, SUP_IN_KILL, NULL, SUP_NORMAL);
		break;
	case 25:
		fuzz_begin(fuzz);
		break;
	case 26:
		fuzz_tell(fuzz, SUP_IN_RESUME, NULL, SUP_NORMAL);
		break;
	case 27:
	case 28:
		fuzz_wait(fuzz, what == 28);
		break;
	case 29:
		child = fuzz_awaited(fuzz);
		if (child && (child->termed || child->killed)) {
			child->refused = true;
			fuzz_tell(fuzz, SUP_IN_UNKILLABLE, child, SUP_NORMAL);
		} else if (child) {
			fuzz_tell(fuzz, SUP_IN_ATTACHED, child, SUP_NORMAL);
		}
		break;
	case 30:
		fuzz_junk(fuzz);
		break;
	default:
		fuzz_reindex(fuzz);
		break;
	}
}

/*
 * The whole
 */

static void fuzz_open(struct fuzz *fuzz)
{
	unsigned int nr_children;
	struct sup_flags flags = {
		.strategy = fuzz_below(&fuzz->bytes, SUP_STRATEGY_NR),
		.intensity = fuzz_below(&fuzz->bytes, 7),
		.period = 1 + fuzz_below(&fuzz->bytes, 5),
		.auto_shutdown = fuzz_below(&fuzz->bytes, SUP_AUTO_NR),
		.unkillable_ms = 5000,
	};

	check(sup_flags_validate(&flags) == SUP_VALID);
	check(sup_policy_window_slots(&flags) <= WINDOW_SLOTS);
	sup_policy_init(&fuzz->policy, &flags, fuzz->window, sup_policy_window_slots(&flags),
			fuzz->buckets[0], 1U << fuzz_below(&fuzz->bytes, 5), fuzz_byte(&fuzz->bytes));
	nr_children = fuzz_below(&fuzz->bytes, 6);
	while (nr_children--) {
		struct fuzz_child *child = fuzz_new_child(fuzz);

		if (sup_policy_add(&fuzz->policy, &child->child) == SUP_VALID)
			fuzz_link(fuzz, child);
		else
			fuzz_free_child(fuzz, child);
	}
	fuzz_begin(fuzz);
	fuzz_acts(fuzz);
}

/* Told to stop, and with every question answered, it has to end. */
static void fuzz_stop(struct fuzz *fuzz)
{
	unsigned int patience = 10 * MAX_CHILDREN;
	struct fuzz_child *child;

	fuzz_tell(fuzz, SUP_IN_STOP, NULL, SUP_SHUTDOWN);
	fuzz_acts(fuzz);
	while (!sup_policy_down(&fuzz->policy)) {
		check(patience--);
		child = fuzz_awaited(fuzz);
		check(child);
		fuzz_exit(fuzz, child, SUP_SHUTDOWN);
		fuzz_acts(fuzz);
	}
}

/* Take everything back, in whatever state it is. */
static void fuzz_close(struct fuzz *fuzz)
{
	struct sup_policy_child *child;
	struct sup_action action;
	size_t i;

	while ((child = sup_policy_clear(&fuzz->policy))) {
		check(fuzz_child_of(child)->linked);
		fuzz_free_child(fuzz, fuzz_child_of(child));
	}
	while (sup_policy_next(&fuzz->policy, fuzz->now_ns, &action)) {
		check(action.type == SUP_ACT_REPLY);
		/* Its new child was taken, and is freed: clear gave it back. */
		if (action.call->result == SUP_ERR_EXIT)
			container_of(action.call, struct fuzz_call, call)->child = NULL;
		fuzz_act(fuzz, &action);
	}
	for (i = 0; i < MAX_CALLS; i++)
		check(!fuzz->calls[i]);
	for (i = 0; i < MAX_CHILDREN; i++)
		check(!fuzz->children[i]);
}

void policy_fuzz(const uint8_t *bytes, size_t nr_bytes)
{
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));

	check(fuzz);
	fuzz->bytes = (struct fuzz_bytes){ bytes, nr_bytes };
	fuzz->now_ns = 1000000000000ULL;
	fuzz_open(fuzz);
	while (fuzz->bytes.left) {
		unsigned int together = 1 + (fuzz_byte(&fuzz->bytes) % 8 == 0);

		while (together--)
			fuzz_step(fuzz);
		fuzz_acts(fuzz);
	}
	if (fuzz->now_ns & 1 || nr_bytes % 4)
		fuzz_stop(fuzz);
	fuzz_close(fuzz);
	free(fuzz);
}
