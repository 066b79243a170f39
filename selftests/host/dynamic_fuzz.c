// SPDX-License-Identifier: GPL-2.0
/*
 * dynamic_fuzz - a driver that does what bytes tell it, in any order and with any
 * delay, and checks that a dynamic supervisor keeps its promises:
 *
 *	never two incarnations of a child; one START is out at a time
 *	a child comes only where max_children leaves room
 *	the intensity is never exceeded
 *	TERM and KILL go to live processes, once an incarnation; a KILL after a TERM
 *	  only when its time is over, and then without delay
 *	a stop signals every process, at once, and leads to DOWN with none left
 *	it is quiescent, or waits for an answer or a deadline that can be named
 *	every call is answered once; every child it took is forgotten once
 *	what comes of a death is told once, before anything comes of it
 *
 * Children and calls are freed as soon as they are the driver's again, so that
 * the sanitizer sees whoever still looks at them.
 */
#include <string.h>

#include "dynamic.h"
#include "fuzz.h"

#define MAX_CHILDREN 24
#define MAX_CALLS 24
#define MAX_RESTARTS 256
#define WINDOW_SLOTS 8
#define MS 1000000ULL

enum process {
	PROCESS_NONE,
	PROCESS_STARTING,	/* a START is out, its answer is ours to give */
	PROCESS_RUNNING
};

struct fuzz_child {
	struct sup_dynamic_child child;
	struct sup_child_spec spec;
	unsigned int refs;	/* the supervisor's, and calls that mean it */
	bool linked;		/* the supervisor has taken it, and not forgotten it */
	enum process process;
	u32 incarnation;
	bool restarts;		/* it has been started before */
	bool termed;
	bool killed;
	bool timed;		/* ... its TERM's time is its own, not that of a stop */
	u64 termed_ns;
	u64 patience_ns;	/* when a KILL is due, or U64_MAX */
	bool refused;		/* UNKILLABLE was said */
	bool untold;		/* it has died, and what comes of it was not said */
	bool due;		/* what comes of it is a START */
};

struct fuzz_call {
	struct sup_call call;
	struct fuzz_child *child;	/* whom it means */
};

struct fuzz {
	struct fuzz_bytes bytes;
	u64 now_ns;
	struct sup_dynamic dynamic;
	struct sup_window_slot window[WINDOW_SLOTS];
	struct sup_child_spec template;
	struct fuzz_child *children[MAX_CHILDREN];
	struct fuzz_call *calls[MAX_CALLS];
	unsigned int nr_linked;
	bool up;
	bool began;		/* START was input, DOWN has not come */
	bool uncounted;		/* some child's failures are no restarts */
	bool killing;		/* KILL was input */
	u64 restarts[MAX_RESTARTS]; /* seconds */
	size_t nr_restarts;
};

static struct fuzz_child *fuzz_child_of(struct sup_dynamic_child *child)
{
	return container_of(child, struct fuzz_child, child);
}

static unsigned int fuzz_choose(struct fuzz *fuzz, unsigned int limit)
{
	return fuzz_below(&fuzz->bytes, limit);
}

/*
 * Children and calls
 */

static struct sup_child_spec fuzz_spec(struct fuzz *fuzz)
{
	struct sup_child_spec spec = {
		.restart = fuzz_choose(fuzz, SUP_RESTART_NR),
		.significant = fuzz->dynamic.flags.simple && fuzz_choose(fuzz, 4) == 0,
		.type = fuzz_choose(fuzz, 8) == 0,
		.shutdown_ms = (const int[]){ -2, -1, 0, 50, 70, 5000 }[fuzz_choose(fuzz, 6)],
		.start_timeout_ms = fuzz_choose(fuzz, 4) == 0 ? 100 : 0,
	};

	if (fuzz_choose(fuzz, 4) == 0) {
		spec.retry = (struct sup_retry){
			.min_ms = 10,
			.max_ms = 100,
			.factor_pct = 200,
			.jitter_pct = fuzz_choose(fuzz, 101),
			.reset_after_ms = 500,
			.uncounted = fuzz_choose(fuzz, 4) == 0,
		};
		fuzz->uncounted |= spec.retry.uncounted;
	}
	return spec;
}

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
	child->refs = 1;
	child->child.spec = &fuzz->template;
	if (!fuzz->dynamic.flags.simple) {
		child->spec = fuzz_spec(fuzz);
		child->child.spec = &child->spec;
	}
	return child;
}

static void fuzz_put_child(struct fuzz *fuzz, struct fuzz_child *child)
{
	if (!child || --child->refs)
		return;
	check(!child->linked);
	for (size_t i = 0; i < MAX_CHILDREN; i++) {
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
	fuzz_put_child(fuzz, call->child);
	for (size_t i = 0; i < MAX_CALLS; i++) {
		if (fuzz->calls[i] == call) {
			fuzz->calls[i] = NULL;
			free(call);
			return;
		}
	}
	check(!"a call is answered once");
}

static void fuzz_link(struct fuzz *fuzz, struct fuzz_child *child)
{
	const struct sup_dynamic_flags *flags = &fuzz->dynamic.flags;

	check(!child->linked);
	check(flags->max_children == SUP_CHILDREN_INFINITY ||
	      fuzz->nr_linked < flags->max_children);
	child->linked = true;
	child->refs++;
	fuzz->nr_linked++;
}

static void fuzz_unlink(struct fuzz *fuzz, struct fuzz_child *child)
{
	check(child->linked && child->process == PROCESS_NONE);
	check(child->child.state == SUP_CHILD_UNDEFINED);
	check(!child->untold && !child->due);
	child->linked = false;
	fuzz->nr_linked--;
	fuzz_put_child(fuzz, child);
}

/* One whose answer is waited for, if there is one. */
static struct fuzz_child *fuzz_awaited(const struct fuzz *fuzz)
{
	for (size_t i = 0; i < MAX_CHILDREN; i++) {
		struct fuzz_child *child = fuzz->children[i];

		if (child && (child->process == PROCESS_STARTING || child->termed || child->killed))
			return child;
	}
	return NULL;
}

/* How many have been told to end, and have not. */
static u32 fuzz_nr_ending(const struct fuzz *fuzz)
{
	u32 nr = 0;

	for (size_t i = 0; i < MAX_CHILDREN; i++)
		nr += fuzz->children[i] && (fuzz->children[i]->termed || fuzz->children[i]->killed);
	return nr;
}

static void fuzz_tell(struct fuzz *fuzz, enum sup_input_type type, struct fuzz_child *child,
		      enum sup_reason reason)
{
	struct sup_input input = {
		.type = type,
		.reason = reason,
		.error = -5,
	};

	if (child)
		input.dynamic = &child->child;
	sup_dynamic_input(&fuzz->dynamic, &input, fuzz->now_ns);
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
		within += fuzz->restarts[i] + fuzz->dynamic.flags.common.period >= second;
	check(fuzz->uncounted || within <= fuzz->dynamic.flags.common.intensity);
}

static void fuzz_start(struct fuzz *fuzz, struct fuzz_child *child)
{
	check(fuzz->up && !sup_dynamic_stopping(&fuzz->dynamic));
	check(!fuzz_awaited(fuzz) && child->process == PROCESS_NONE);
	check(!child->untold);
	child->due = false;
	check(child->child.state == SUP_CHILD_STARTING);
	if (child->restarts) {
		check(child->linked);
		fuzz_count_restart(fuzz);
	} else {
		fuzz_link(fuzz, child);
		child->restarts = true;
	}
	child->process = PROCESS_STARTING;
}

static void fuzz_signal(struct fuzz *fuzz, struct fuzz_child *child, bool kill)
{
	bool brutal = child->child.spec->shutdown_ms == SUP_SHUTDOWN_KILL;
	s64 shutdown_ms = child->child.spec->shutdown_ms;

	check(child->linked && child->process != PROCESS_NONE && !child->killed);
	check(child->child.state == SUP_CHILD_STOPPING);
	if (!kill) {
		check(!child->termed && !brutal);
		child->termed = true;
		child->timed = !sup_dynamic_stopping(&fuzz->dynamic);
		child->termed_ns = fuzz->now_ns;
		child->patience_ns = U64_MAX;
		if (shutdown_ms >= 0)
			child->patience_ns = fuzz->now_ns + shutdown_ms * MS;
		return;
	}
	check(brutal || fuzz->killing || !child->termed || fuzz->now_ns >= child->patience_ns);
	check(brutal || fuzz->killing || child->termed || child->child.timed_out);
	child->killed = true;
}

static void fuzz_down(struct fuzz *fuzz, const struct sup_action *action)
{
	check(fuzz->began);
	check(fuzz->up || action->down == SUP_DOWN_STOPPED);
	check(fuzz->nr_linked == (action->dynamic ? 1 : 0));
	check(!action->dynamic || action->down == SUP_DOWN_INTENSITY);
	check(!fuzz_awaited(fuzz));
	fuzz->began = false;
	fuzz->up = false;
	fuzz->killing = false;
	fuzz->nr_restarts = 0;
}

static void fuzz_reply(struct fuzz *fuzz, struct fuzz_call *call)
{
	const struct sup_dynamic_flags *flags = &fuzz->dynamic.flags;
	struct fuzz_child *child = call->child;

	switch (call->call.result) {
	case SUP_OK:
		if (call->call.type == SUP_CALL_START_CHILD && call->call.attached)
			fuzz_link(fuzz, child);
		if (call->call.type == SUP_CALL_TERMINATE_CHILD && child &&
		    call->call.incarnation == child->incarnation)
			check(child->process == PROCESS_NONE);
		break;
	case SUP_ERR_MAX_CHILDREN:
		check(!child->linked && fuzz->nr_linked >= flags->max_children);
		break;
	case SUP_ERR_NOT_FOUND:
		check(!child || !child->linked || call->call.incarnation != child->incarnation);
		check(!flags->simple || !child);
		break;
	case SUP_ERR_DYNAMIC:
		check(call->call.type == SUP_CALL_RESTART_CHILD ||
		      call->call.type == SUP_CALL_DELETE_CHILD || call->call.name.len);
		break;
	default:
		break;
	}
	/* Who attached, died before and was refused is done with; so is who lives. */
	if (call->call.type == SUP_CALL_START_CHILD && !child->linked) {
		fuzz_process_gone(child);
		child->untold = false;
	}
	fuzz_free_call(fuzz, call);
}

static void fuzz_act(struct fuzz *fuzz, const struct sup_action *action)
{
	struct fuzz_child *child = action->dynamic ? fuzz_child_of(action->dynamic) : NULL;

	switch (action->type) {
	case SUP_ACT_START:
		fuzz_start(fuzz, child);
		break;
	case SUP_ACT_TERM:
		fuzz_signal(fuzz, child, false);
		break;
	case SUP_ACT_KILL:
		fuzz_signal(fuzz, child, true);
		break;
	case SUP_ACT_ABANDON:
		check(child->refused);
		fuzz_process_gone(child);
		break;
	case SUP_ACT_FORGET:
		fuzz_unlink(fuzz, child);
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

/* Each child is in the state that it is believed to be in. */
static void fuzz_check_child(const struct fuzz *fuzz, const struct fuzz_child *child)
{
	enum sup_child_state state = child->child.state;
	bool stopping = child->termed || child->killed;

	if (!child->linked) {
		check(!stopping && child->process != PROCESS_STARTING);
		return;
	}
	check(child->child.incarnation == child->incarnation);
	check((state == SUP_CHILD_STOPPING) == stopping);
	check((state == SUP_CHILD_STARTING) == (child->process == PROCESS_STARTING && !stopping));
	/* A death that waits is not believed yet. */
	check(state == SUP_CHILD_RUNNING || child->process != PROCESS_RUNNING || stopping);
	if (!sup_dynamic_stopping(&fuzz->dynamic) || &child->child == fuzz->dynamic.down_child)
		return;
	check(stopping);
	if (child->killed || child->patience_ns == U64_MAX)
		return;
	check(fuzz->killing || child->patience_ns > fuzz->now_ns);
	check(sup_dynamic_deadline(&fuzz->dynamic) <= child->patience_ns);
}

/* Nothing is left to do: is that so, or what is it waiting for? */
static void fuzz_check_rest(const struct fuzz *fuzz)
{
	const struct sup_dynamic *dynamic = &fuzz->dynamic;
	unsigned int restarting = 0;

	for (size_t i = 0; i < MAX_CHILDREN; i++) {
		if (!fuzz->children[i])
			continue;
		fuzz_check_child(fuzz, fuzz->children[i]);
		restarting += fuzz->children[i]->child.state == SUP_CHILD_RESTARTING;
	}
	/* Who needs one restart too many is held back until DOWN. */
	check(dynamic->nr_children == fuzz->nr_linked - !!dynamic->down_child);
	check(dynamic->nr_restarting == restarting);
	check(dynamic->window.restarts <= dynamic->flags.common.intensity);
	check(sup_dynamic_deadline(dynamic) > fuzz->now_ns);
	check(!dynamic->turns.suspended || dynamic->op != SUP_DYNAMIC_DOWN);

	check(!sup_dynamic_awaited(dynamic) || sup_dynamic_stopping(dynamic));

	switch (dynamic->op) {
	case SUP_DYNAMIC_DOWN:
		check(!fuzz->began && sup_dynamic_idle(dynamic) && !fuzz_awaited(fuzz));
		check(!fuzz->nr_linked && list_empty(&dynamic->turns.queue));
		check(sup_dynamic_deadline(dynamic) == U64_MAX);
		break;
	case SUP_DYNAMIC_IDLE:
		check(fuzz->up && !fuzz_awaited(fuzz));
		check(dynamic->turns.suspended || list_empty(&dynamic->turns.queue));
		check(sup_dynamic_idle(dynamic) || sup_dynamic_deadline(dynamic) != U64_MAX);
		break;
	case SUP_DYNAMIC_RESTART:
	case SUP_DYNAMIC_CALL:
	case SUP_DYNAMIC_WAIT:
	case SUP_DYNAMIC_KILL:
		check(!sup_dynamic_idle(dynamic) && fuzz_awaited(fuzz));
		/* Who waits for so many deaths does not wait for ever. */
		check(sup_dynamic_awaited(dynamic) <= fuzz_nr_ending(fuzz));
		break;
	default:
		check(!"nothing waits in between");
	}
}

static void fuzz_told(struct fuzz *fuzz, struct fuzz_child *child)
{
	const struct sup_dynamic_child *dynamic = &child->child;
	bool restarts = sup_restart_due(dynamic->spec->restart, dynamic->reason);

	check(child->linked && child->untold && child->process == PROCESS_NONE);
	child->untold = false;
	switch (dynamic->verdict) {
	case SUP_VERDICT_RESTART:
		check(restarts && dynamic->state == SUP_CHILD_STARTING);
		child->due = true;
		break;
	case SUP_VERDICT_RETRY:
		check(restarts && dynamic->spec->retry.min_ms);
		break;
	case SUP_VERDICT_DELETE:
		check(!restarts && dynamic->state == SUP_CHILD_UNDEFINED);
		break;
	case SUP_VERDICT_GIVE_UP:
		check(restarts && fuzz->dynamic.down == SUP_DOWN_INTENSITY);
		break;
	case SUP_VERDICT_AUTO_SHUTDOWN:
		check(!restarts && fuzz->dynamic.down == SUP_DOWN_AUTO_SHUTDOWN);
		break;
	case SUP_VERDICT_OBEYED:
		check(dynamic->reason == SUP_KILLED);
		break;
	case SUP_VERDICT_STOPPED:
	case SUP_VERDICT_START_FAILED:
		break;
	default:
		check(!"a verdict that a dynamic supervisor has");
	}
}

static void fuzz_decided(struct fuzz *fuzz)
{
	struct sup_dynamic_child *child;

	while ((child = sup_dynamic_decided(&fuzz->dynamic, fuzz->now_ns)))
		fuzz_told(fuzz, fuzz_child_of(child));
}

static void fuzz_acts(struct fuzz *fuzz)
{
	struct sup_action action;
	bool more;

	do {
		fuzz_decided(fuzz);
		more = sup_dynamic_next(&fuzz->dynamic, fuzz->now_ns, &action);
		fuzz_decided(fuzz);
		if (more)
			fuzz_act(fuzz, &action);
	} while (more);
	fuzz_check_rest(fuzz);
}

/*
 * Inputs
 */

static struct fuzz_child *fuzz_pick(struct fuzz *fuzz)
{
	return fuzz->children[fuzz_choose(fuzz, MAX_CHILDREN)];
}

static void fuzz_exit(struct fuzz *fuzz, struct fuzz_child *child, enum sup_reason reason)
{
	fuzz_process_gone(child);
	child->untold = true;
	fuzz_tell(fuzz, SUP_IN_EXIT, child, reason);
}

/* Answer a START or a signal that is out, in one way or another. */
static void fuzz_answer(struct fuzz *fuzz, unsigned int how)
{
	struct fuzz_child *child = fuzz_pick(fuzz);

	if (!child || !(child->process == PROCESS_STARTING || child->termed || child->killed))
		child = fuzz_awaited(fuzz);
	if (!child)
		return;
	if (child->process == PROCESS_RUNNING || how == 3) {
		fuzz_exit(fuzz, child, how);
	} else if (how == 0) {
		/* One whose stop is under way has no use for it. */
		if (child->child.state == SUP_CHILD_STARTING) {
			child->process = PROCESS_RUNNING;
			child->incarnation++;
		}
		fuzz_tell(fuzz, SUP_IN_STARTED, child, SUP_NORMAL);
	} else {
		fuzz_process_gone(child);
		fuzz_tell(fuzz, how == 1 ? SUP_IN_START_FAILED : SUP_IN_IGNORED, child, SUP_NORMAL);
	}
}

static void fuzz_end_process(struct fuzz *fuzz)
{
	struct fuzz_child *child = fuzz_pick(fuzz);

	if (child && child->process == PROCESS_RUNNING)
		fuzz_exit(fuzz, child, fuzz_choose(fuzz, SUP_REASON_NR));
}

/* What cannot be about a child without a process, or is said again. */
static void fuzz_junk(struct fuzz *fuzz)
{
	static const enum sup_input_type types[] = {
		SUP_IN_ATTACHED, SUP_IN_STARTED, SUP_IN_START_FAILED, SUP_IN_IGNORED,
		SUP_IN_EXIT, SUP_IN_UNKILLABLE,
	};
	struct fuzz_child *child = fuzz_pick(fuzz);
	unsigned int which = fuzz_choose(fuzz, ARRAY_SIZE(types));

	if (!child || !child->linked || child->process == PROCESS_STARTING)
		return;
	if (child->process == PROCESS_RUNNING &&
	    (types[which] == SUP_IN_EXIT || types[which] == SUP_IN_UNKILLABLE))
		return;
	fuzz_tell(fuzz, types[which], child, fuzz_choose(fuzz, SUP_REASON_NR));
}

/* START_CHILD, or a call that means somebody, or nobody. */
static bool fuzz_fill_call(struct fuzz *fuzz, struct fuzz_call *call, unsigned int what)
{
	struct fuzz_child *child;

	if (what < 8) {
		call->call.type = SUP_CALL_START_CHILD;
		call->call.attached = what < 3;
		child = fuzz_new_child(fuzz);
		if (!child)
			return false;
		call->child = child;
		call->call.dynamic = &child->child;
		if (call->call.attached) {
			child->process = PROCESS_RUNNING;
			child->incarnation = 1;
			child->restarts = true;
		}
		return true;
	}
	call->call.type = what < 13 ? SUP_CALL_TERMINATE_CHILD :
				      SUP_CALL_TERMINATE_CHILD + (what - 12);
	child = fuzz_pick(fuzz);
	if (child && child->linked) {
		call->child = child;
		child->refs++;
		call->call.dynamic = &child->child;
		call->call.incarnation = what % 4 ? child->incarnation : 0;
	} else {
		call->call.alive = what % 2;
		call->call.name = sup_name_make("a", what % 3 == 0);
	}
	return true;
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
	if (!fuzz_fill_call(fuzz, call, fuzz_choose(fuzz, 19))) {
		free(call);
		return;
	}
	fuzz->calls[i] = call;
	input.call = &call->call;
	sup_dynamic_input(&fuzz->dynamic, &input, fuzz->now_ns);
}

static void fuzz_withdraw(struct fuzz *fuzz)
{
	struct fuzz_call *call = fuzz->calls[fuzz_choose(fuzz, MAX_CALLS)];

	if (!call || !sup_dynamic_withdraw(&fuzz->dynamic, &call->call))
		return;
	if (call->call.type == SUP_CALL_START_CHILD)
		fuzz_process_gone(call->child);
	fuzz_free_call(fuzz, call);
}

static void fuzz_wait(struct fuzz *fuzz, bool due)
{
	u64 deadline = sup_dynamic_deadline(&fuzz->dynamic);

	if (due && deadline != U64_MAX)
		fuzz->now_ns = max(fuzz->now_ns, deadline);
	else
		fuzz->now_ns += fuzz_byte(&fuzz->bytes) * 20 * MS;
	fuzz_tell(fuzz, SUP_IN_TIMER, NULL, SUP_NORMAL);
}

static void fuzz_begin(struct fuzz *fuzz)
{
	if (sup_dynamic_down(&fuzz->dynamic))
		fuzz->began = true;
	fuzz_tell(fuzz, SUP_IN_START, NULL, SUP_NORMAL);
}

static void fuzz_ask(struct fuzz *fuzz)
{
	struct fuzz_child *child = fuzz_awaited(fuzz);

	if (child && (child->termed || child->killed)) {
		child->refused = true;
		fuzz_tell(fuzz, SUP_IN_UNKILLABLE, child, SUP_NORMAL);
	} else if (child) {
		fuzz_tell(fuzz, SUP_IN_ATTACHED, child, SUP_NORMAL);
	}
}

static void fuzz_step(struct fuzz *fuzz)
{
	unsigned int what = fuzz_choose(fuzz, 32);

	switch (what) {
	case 0 ... 6:
		fuzz_answer(fuzz, 0);
		break;
	case 7 ... 9:
		fuzz_answer(fuzz, what - 6);
		break;
	case 10 ... 14:
		fuzz_end_process(fuzz);
		break;
	case 15 ... 22:
		fuzz_make_call(fuzz);
		break;
	case 23:
		fuzz_withdraw(fuzz);
		break;
	case 24:
		fuzz_tell(fuzz, SUP_IN_STOP, NULL, fuzz_choose(fuzz, SUP_REASON_NR));
		break;
	case 25:
		if (fuzz_choose(fuzz, 4) == 0) {
			fuzz->killing |= fuzz->began;
			fuzz_tell(fuzz, SUP_IN_KILL, NULL, SUP_NORMAL);
		}
		break;
	case 26:
		fuzz_begin(fuzz);
		break;
	case 27:
		fuzz_tell(fuzz, SUP_IN_RESUME, NULL, SUP_NORMAL);
		break;
	case 28:
	case 29:
		fuzz_wait(fuzz, what == 29);
		break;
	case 30:
		fuzz_ask(fuzz);
		break;
	default:
		fuzz_junk(fuzz);
		break;
	}
}

/*
 * The whole
 */

static void fuzz_open(struct fuzz *fuzz)
{
	struct sup_dynamic_flags flags = {
		.simple = fuzz_choose(fuzz, 2),
		.max_children = (s64)fuzz_choose(fuzz, 8) - 1,
		.common = {
			.intensity = fuzz_choose(fuzz, 7),
			.period = 1 + fuzz_choose(fuzz, 5),
			.unkillable_ms = 5000,
		},
	};

	if (flags.simple)
		flags.common.auto_shutdown = fuzz_choose(fuzz, SUP_AUTO_NR);
	check(sup_dynamic_flags_validate(&flags) == SUP_VALID);
	check(sup_window_slots(flags.common.intensity, flags.common.period) <= WINDOW_SLOTS);
	sup_dynamic_init(&fuzz->dynamic, &flags, fuzz->window,
			 sup_window_slots(flags.common.intensity, flags.common.period),
			 fuzz_byte(&fuzz->bytes));
	if (flags.simple) {
		fuzz->template = fuzz_spec(fuzz);
		if (sup_dynamic_spec_validate(&flags, &fuzz->template) != SUP_VALID)
			fuzz->template.significant = 0;
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
	while (!sup_dynamic_down(&fuzz->dynamic)) {
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
	struct sup_dynamic_child *child;
	struct sup_action action;

	while ((child = sup_dynamic_clear(&fuzz->dynamic))) {
		fuzz_process_gone(fuzz_child_of(child));
		fuzz_child_of(child)->untold = false;
		fuzz_unlink(fuzz, fuzz_child_of(child));
	}
	while (sup_dynamic_next(&fuzz->dynamic, fuzz->now_ns, &action)) {
		check(action.type == SUP_ACT_REPLY);
		fuzz_act(fuzz, &action);
	}
	for (size_t i = 0; i < MAX_CALLS; i++)
		check(!fuzz->calls[i]);
	for (size_t i = 0; i < MAX_CHILDREN; i++)
		check(!fuzz->children[i]);
}

void dynamic_fuzz(const uint8_t *bytes, size_t nr_bytes)
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
