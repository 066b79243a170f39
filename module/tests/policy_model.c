// SPDX-License-Identifier: GPL-2.0
/* policy_model - see policy_model.h. */
#include "policy_model.h"

#include <linux/kernel.h>
#include <linux/string.h>

static void model_say(struct policy_model *model, const char *what, const char *who)
{
	size_t len = strlen(model->output);

	snprintf(model->output + len, sizeof(model->output) - len, "%s%s%s%s", len ? " " : "",
		 what, *who ? ":" : "", who);
}

static void model_queue(struct policy_model *model, enum policy_model_what what,
			struct policy_model_child *child, enum sup_call_type call)
{
	struct policy_model_msg *msg = &model->queue[model->queued];

	if (model->queued == ARRAY_SIZE(model->queue))
		return;
	msg->what = what;
	msg->child = child;
	msg->call = call;
	model->queued++;
}

static void model_unqueue(struct policy_model *model, unsigned int at)
{
	model->queued--;
	memmove(&model->queue[at], &model->queue[at + 1],
		(model->queued - at) * sizeof(model->queue[0]));
}

/*
 * Children
 */

static enum sup_outcome model_start(struct policy_model *model, struct policy_model_child *child)
{
	char how = child->starts[0];

	memmove(child->starts, child->starts + 1, sizeof(child->starts) - 1);
	model_say(model, "start", child->name);
	child->state = how ? SUP_CHILD_UNDEFINED : SUP_CHILD_RUNNING;
	child->dead = false;
	if (how == 'i' && child->restart == SUP_TEMPORARY)
		child->present = false;
	if (how == 'f')
		return SUP_OUTCOME_FAILED;
	return how ? SUP_OUTCOME_IGNORED : SUP_OUTCOME_STARTED;
}

static void model_stop(struct policy_model *model, struct policy_model_child *child)
{
	unsigned int i;

	if (child->state == SUP_CHILD_RUNNING && !child->dead)
		model_say(model, "term", child->name);
	for (i = 0; i < model->queued; i++) {
		if (model->queue[i].what == MODEL_EXIT && model->queue[i].child == child)
			model_unqueue(model, i--);
	}
	child->state = SUP_CHILD_UNDEFINED;
}

static void model_del_child(struct policy_model_child *child)
{
	child->state = SUP_CHILD_UNDEFINED;
	if (child->restart == SUP_TEMPORARY)
		child->present = false;
}

static void model_end(struct policy_model *model, const char *why)
{
	int i;

	for (i = POLICY_MODEL_CHILDREN - 1; i >= 0; i--)
		if (model->children[i].present)
			model_stop(model, &model->children[i]);
	model_say(model, "down", why);
	model->up = false;
	for (i = 0; i < (int)model->queued; i++)
		if (model->queue[i].what == MODEL_CALL)
			model_say(model, "reply", "noproc");
	model->queued = 0;
}

static void model_run(struct policy_model *model)
{
	unsigned int i;

	for (i = 0; i < POLICY_MODEL_CHILDREN; i++) {
		model->children[i].present = true;
		model->children[i].state = SUP_CHILD_UNDEFINED;
	}
	model->nr_restarts = 0;
	model->up = true;
	for (i = 0; i < POLICY_MODEL_CHILDREN; i++) {
		if (model_start(model, &model->children[i]) == SUP_OUTCOME_FAILED) {
			model_end(model, "shutdown:init_failed");
			return;
		}
	}
	model_say(model, "up", "");
}

/*
 * Restarts
 */

static bool model_add_restart(struct policy_model *model)
{
	s64 now = model->now_ms / 1000;
	unsigned int i, kept = 0;

	for (i = 0; i < model->nr_restarts; i++)
		if (model->restarts[i] >= now - model->flags.period)
			model->restarts[kept++] = model->restarts[i];
	model->restarts[kept++] = now;
	model->nr_restarts = kept;
	return kept <= model->flags.intensity;
}

static void model_try_again(struct policy_model *model, struct policy_model_child *child)
{
	child->state = SUP_CHILD_RESTARTING;
	model_queue(model, MODEL_RETRY, child, 0);
}

static void model_restart(struct policy_model *model, struct policy_model_child *child)
{
	unsigned int nth = child - model->children;
	unsigned int first = model->flags.strategy == SUP_REST_FOR_ONE ? nth : 0;
	unsigned int i;

	child->state = SUP_CHILD_UNDEFINED;
	if (!model_add_restart(model)) {
		model_end(model, "shutdown:intensity");
		return;
	}

	if (model->flags.strategy == SUP_ONE_FOR_ONE) {
		if (model_start(model, child) == SUP_OUTCOME_FAILED)
			model_try_again(model, child);
		return;
	}

	for (i = POLICY_MODEL_CHILDREN; i-- > first;) {
		if (model->children[i].present) {
			model_stop(model, &model->children[i]);
			model_del_child(&model->children[i]);
		}
	}
	for (i = first; i < POLICY_MODEL_CHILDREN; i++) {
		if (!model->children[i].present)
			continue;
		if (model_start(model, &model->children[i]) == SUP_OUTCOME_FAILED) {
			model_try_again(model, &model->children[i]);
			return;
		}
	}
}

static bool model_all_done(const struct policy_model *model)
{
	unsigned int i;

	for (i = 0; i < POLICY_MODEL_CHILDREN; i++) {
		const struct policy_model_child *child = &model->children[i];

		if (child->present && child->significant && child->state != SUP_CHILD_UNDEFINED)
			return false;
	}
	return true;
}

static void model_handle_exit(struct policy_model *model, struct policy_model_child *child)
{
	bool in_order = child->reason == SUP_NORMAL || child->reason == SUP_SHUTDOWN;

	if (child->restart == SUP_PERMANENT ||
	    (child->restart == SUP_TRANSIENT && !in_order)) {
		model_restart(model, child);
		return;
	}
	model_del_child(child);
	if (!child->significant || model->flags.auto_shutdown == SUP_AUTO_NEVER)
		return;
	if (model->flags.auto_shutdown == SUP_AUTO_ANY_SIGNIFICANT || model_all_done(model))
		model_end(model, "shutdown:auto_shutdown");
}

/*
 * Calls
 */

static void model_restart_child(struct policy_model *model, struct policy_model_child *child)
{
	switch (model_start(model, child)) {
	case SUP_OUTCOME_STARTED:
		model_say(model, "reply", "ok");
		break;
	case SUP_OUTCOME_IGNORED:
		model_say(model, "reply", "ok_undefined");
		break;
	default:
		model_say(model, "reply", "start_failed");
		break;
	}
}

static void model_handle_call(struct policy_model *model, const struct policy_model_msg *msg)
{
	struct policy_model_child *child = msg->child;

	if (!child->present) {
		model_say(model, "reply", "not_found");
	} else if (msg->call == SUP_CALL_TERMINATE_CHILD) {
		model_stop(model, child);
		model_del_child(child);
		model_say(model, "reply", "ok");
	} else if (child->state == SUP_CHILD_RESTARTING) {
		model_say(model, "reply", "restarting");
	} else if (child->state == SUP_CHILD_RUNNING) {
		model_say(model, "reply", "running");
	} else if (msg->call == SUP_CALL_RESTART_CHILD) {
		model_restart_child(model, child);
	} else {
		child->present = false;
		model_say(model, "reply", "ok");
	}
}

static void model_handle_messages(struct policy_model *model)
{
	while (model->queued) {
		struct policy_model_msg msg = model->queue[0];

		model_unqueue(model, 0);
		if (msg.what == MODEL_EXIT)
			model_handle_exit(model, msg.child);
		else if (msg.what == MODEL_CALL)
			model_handle_call(model, &msg);
		else if (msg.child->present && msg.child->state == SUP_CHILD_RESTARTING)
			model_restart(model, msg.child);
	}
}

/*
 * Steps: chosen at random, said to the policy's player in words, and noted by
 * the model as they are chosen.
 */

static u32 model_random(struct policy_model *model, u32 below)
{
	model->random = model->random * 1664525U + 1013904223U;
	return (model->random >> 8) % below;
}

static void model_word(struct policy_model *model, const char *what, const char *who)
{
	size_t len = strlen(model->input);

	snprintf(model->input + len, sizeof(model->input) - len, "%s%s%s%s", len ? "; " : "",
		 what, *who ? " " : "", who);
}

static void model_choose_death(struct policy_model *model, struct policy_model_child *child)
{
	static const char * const ends[] = { "exit", "shutdown", "crash", "killed" };

	if (!child->present || child->state != SUP_CHILD_RUNNING || child->dead)
		return;
	child->reason = model_random(model, ARRAY_SIZE(ends));
	child->dead = true;
	model_word(model, ends[child->reason], child->name);
	model_queue(model, MODEL_EXIT, child, 0);
}

static void model_choose_call(struct policy_model *model, struct policy_model_child *child)
{
	static const struct {
		enum sup_call_type type;
		const char *words;
	} calls[] = {
		{ SUP_CALL_TERMINATE_CHILD, "call terminate_child" },
		{ SUP_CALL_RESTART_CHILD, "call restart_child" },
		{ SUP_CALL_DELETE_CHILD, "call delete_child" },
	};
	unsigned int which = model_random(model, ARRAY_SIZE(calls));

	model_word(model, calls[which].words, child->name);
	model_queue(model, MODEL_CALL, child, calls[which].type);
}

static void model_choose_start(struct policy_model *model, struct policy_model_child *child)
{
	size_t starts = strlen(child->starts);
	bool fail = model_random(model, 3);

	if (starts + 1 >= sizeof(child->starts))
		return;
	child->starts[starts] = fail ? 'f' : 'i';
	model_word(model, fail ? "fail" : "ignore", child->name);
}

/* To the edges of seconds and of the period. */
static void model_choose_wait(struct policy_model *model)
{
	s64 period_ms = model->flags.period * 1000;
	s64 waits[] = { 1, 999, 1000, period_ms - 1, period_ms, period_ms + 999, period_ms + 1000 };
	s64 ms = waits[model_random(model, ARRAY_SIZE(waits))];
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)ms);
	model_word(model, "wait", text);
	model->now_ms += ms;
}

static void model_choose(struct policy_model *model)
{
	unsigned int events = 1 + model_random(model, 3);

	model->input[0] = '\0';
	if (!model->up) {
		model_word(model, "run", "");
		model_run(model);
		return;
	}
	if (model_random(model, 3) == 0)
		model_choose_wait(model);
	while (events--) {
		struct policy_model_child *child =
			&model->children[model_random(model, POLICY_MODEL_CHILDREN)];

		switch (model_random(model, 8)) {
		case 0:
			model_choose_start(model, child);
			break;
		case 1:
			model_choose_call(model, child);
			break;
		default:
			model_choose_death(model, child);
			break;
		}
	}
	if (!model->input[0])
		model_word(model, "wait", "0");
}

static bool model_open(struct policy_model *model, struct policy_play *play, unsigned int number)
{
	static const char * const restarts[] = { "", ":transient", ":temporary" };
	char children[128] = "";
	unsigned int i;

	model->random = number * 2654435761U + 1;
	model->now_ms = 1000 * 1000;
	model->flags.strategy = number % SUP_STRATEGY_NR;
	number /= SUP_STRATEGY_NR;
	model->flags.auto_shutdown = number % SUP_AUTO_NR;
	number /= SUP_AUTO_NR;
	model->flags.intensity = number % 3;
	number /= 3;
	model->flags.period = 2;

	for (i = 0; i < POLICY_MODEL_CHILDREN; i++) {
		struct policy_model_child *child = &model->children[i];
		size_t len = strlen(children);

		child->name[0] = 'a' + i;
		child->restart = number % SUP_RESTART_NR;
		number /= SUP_RESTART_NR;
		child->significant = model->flags.auto_shutdown != SUP_AUTO_NEVER &&
				     child->restart != SUP_PERMANENT && i != 1;
		snprintf(children + len, sizeof(children) - len, "%s%s%s ", child->name,
			 restarts[child->restart], child->significant ? ":significant" : "");
	}
	return policy_play_open(play, &model->flags, children);
}

/**
 * policy_model_check() - play a policy and the model side by side
 * @model: a model, zeroed
 * @play: a player, zeroed
 * @number: which case, of %POLICY_MODEL_CASES; beyond that the same with other
 *	events
 * @steps: how long
 *
 * Return: NULL if both did the same throughout, or where they did not.
 */
const char *policy_model_check(struct policy_model *model, struct policy_play *play,
			       unsigned int number, unsigned int steps)
{
	unsigned int step;

	if (!model_open(model, play, number))
		return "the children cannot be made";
	for (step = 0; step < steps; step++) {
		model->output[0] = '\0';
		model_choose(model);
		model_handle_messages(model);

		play->nr_calls = 0;
		if (!policy_play_step(play, model->input) ||
		    strcmp(play->output, model->output) != 0) {
			snprintf(model->message, sizeof(model->message),
				 "case %u, step %u, \"%s\": expected \"%s\", got \"%s\"", number,
				 step, model->input, model->output, play->output);
			return model->message;
		}
	}
	return NULL;
}
