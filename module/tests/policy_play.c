// SPDX-License-Identifier: GPL-2.0
/* policy_play - see policy_play.h. */
#include "policy_play.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/time64.h>

static const char * const play_reasons[] = {
	[SUP_NORMAL] = "normal",
	[SUP_SHUTDOWN] = "shutdown",
	[SUP_CRASH] = "crash",
	[SUP_KILLED] = "killed",
};

static const char * const play_downs[] = {
	[SUP_DOWN_STOPPED] = "stopped",
	[SUP_DOWN_INIT_FAILED] = "init_failed",
	[SUP_DOWN_INTENSITY] = "intensity",
	[SUP_DOWN_AUTO_SHUTDOWN] = "auto_shutdown",
};

static const char * const play_results[] = {
	[SUP_OK] = "ok",
	[SUP_OK_UNDEFINED] = "ok_undefined",
	[SUP_ERR_RUNNING] = "running",
	[SUP_ERR_RESTARTING] = "restarting",
	[SUP_ERR_NOT_FOUND] = "not_found",
	[SUP_ERR_ALREADY_STARTED] = "already_started",
	[SUP_ERR_ALREADY_PRESENT] = "already_present",
	[SUP_ERR_START_FAILED] = "start_failed",
	[SUP_ERR_INVALID] = "invalid",
	[SUP_ERR_NOPROC] = "noproc",
	[SUP_ERR_EXIT] = "exit",
	[SUP_ERR_MAX_CHILDREN] = "max_children",
	[SUP_ERR_DYNAMIC] = "dynamic",
};

static const char * const play_verbs[] = {
	[SUP_CALL_START_CHILD] = "start_child",
	[SUP_CALL_TERMINATE_CHILD] = "terminate_child",
	[SUP_CALL_RESTART_CHILD] = "restart_child",
	[SUP_CALL_DELETE_CHILD] = "delete_child",
	[SUP_CALL_GET_CHILDSPEC] = "get_childspec",
	[SUP_CALL_WHICH_CHILDREN] = "which_children",
	[SUP_CALL_COUNT_CHILDREN] = "count_children",
	[SUP_CALL_SUSPEND] = "suspend",
};

/* The index of a word, or -1. */
static int play_word(const char *word, const char * const *words, size_t nr_words)
{
	size_t i;

	for (i = 0; i < nr_words; i++)
		if (words[i] && strcmp(word, words[i]) == 0)
			return i;
	return -1;
}

static void play_say(struct policy_play *play, const char *what, const char *who)
{
	size_t len = strlen(play->output);

	snprintf(play->output + len, sizeof(play->output) - len, "%s%s%s%s", len ? " " : "",
		 what, *who ? ":" : "", who);
}

/*
 * What is played with.
 */

static void play_input(struct policy_play *play, const struct sup_input *input)
{
	if (play->is_dynamic)
		sup_dynamic_input(&play->dynamic, input, play->now_ns);
	else
		sup_policy_input(&play->policy, input, play->now_ns);
}

static bool play_next(struct policy_play *play, struct sup_action *action)
{
	bool more;

	if (!play->is_dynamic)
		return sup_policy_next(&play->policy, play->now_ns, action);
	more = sup_dynamic_next(&play->dynamic, play->now_ns, action);
	while (sup_dynamic_decided(&play->dynamic, play->now_ns))
		;
	return more;
}

static u64 play_deadline(const struct policy_play *play)
{
	return play->is_dynamic ? sup_dynamic_deadline(&play->dynamic) :
				  sup_policy_deadline(&play->policy);
}

/*
 * Children
 */

static struct policy_play_child *play_child_of(const struct policy_play *play,
					       const struct sup_action *action)
{
	if (!action->child)
		return NULL;
	return play->is_dynamic ?
	       container_of(action->dynamic, struct policy_play_child, dynamic) :
	       container_of(action->child, struct policy_play_child, child);
}

/* The one of that name, or to a dynamic supervisor the last one there was. */
static struct policy_play_child *play_find(struct policy_play *play, const char *name)
{
	struct policy_play_child *found = NULL;
	unsigned int i;

	for (i = 0; i < play->nr_children; i++) {
		struct policy_play_child *child = &play->children[i];

		if (strcmp(child->name, name) != 0)
			continue;
		if (!play->is_dynamic && child->used)
			return child;
		if (play->is_dynamic)
			found = child;
	}
	return found;
}

static bool play_option(struct sup_child_spec *spec, const char *option)
{
	unsigned int number;

	if (strcmp(option, "transient") == 0)
		spec->restart = SUP_TRANSIENT;
	else if (strcmp(option, "temporary") == 0)
		spec->restart = SUP_TEMPORARY;
	else if (strcmp(option, "significant") == 0)
		spec->significant = 1;
	else if (strcmp(option, "supervisor") == 0)
		spec->type = SUP_SUPERVISOR;
	else if (strcmp(option, "kill") == 0)
		spec->shutdown_ms = SUP_SHUTDOWN_KILL;
	else if (strcmp(option, "infinity") == 0)
		spec->shutdown_ms = SUP_SHUTDOWN_INFINITY;
	else if (strcmp(option, "retry") == 0)
		spec->retry = (struct sup_retry){ 100, 1000, 300, 0, 5000, false };
	else if (strcmp(option, "uncounted") == 0)
		spec->retry.uncounted = true;
	else if (sscanf(option, "ms=%u", &number) == 1)
		spec->shutdown_ms = number;
	else if (sscanf(option, "timeout=%u", &number) == 1)
		spec->start_timeout_ms = number;
	else if (sscanf(option, "restart=%u", &number) == 1)
		spec->restart = number;
	else
		return false;
	return true;
}

/* A child as it is written. */
static struct policy_play_child *play_new_child(struct policy_play *play, const char *text)
{
	char copy[64], *rest = copy, *option;
	struct policy_play_child *child;

	if (play->nr_children == ARRAY_SIZE(play->children) || strlen(text) >= sizeof(copy))
		return NULL;
	child = &play->children[play->nr_children++];

	memcpy(copy, text, strlen(text) + 1);
	option = strsep(&rest, ":");
	snprintf(child->name, sizeof(child->name), "%s", option);
	child->child.name = sup_name_make(child->name, strlen(child->name));
	child->child.spec.shutdown_ms = 5000;
	while ((option = strsep(&rest, ":")))
		if (!play_option(&child->child.spec, option))
			return NULL;
	child->dynamic.spec = play->template ? &play->template->child.spec : &child->child.spec;
	child->used = true;
	return child;
}

/*
 * Inputs
 */

static void play_tell(struct policy_play *play, enum sup_input_type type,
		      struct policy_play_child *child, enum sup_reason reason, s32 error)
{
	struct sup_input input = {
		.type = type,
		.reason = reason,
		.error = error,
	};

	if (child && play->is_dynamic)
		input.dynamic = &child->dynamic;
	else if (child)
		input.child = &child->child;
	play_input(play, &input);
}

static void play_end_process(struct policy_play *play, struct policy_play_child *child,
			     enum sup_reason reason)
{
	child->alive = false;
	play_tell(play, SUP_IN_EXIT, child, reason, 0);
}

/* Whom a call to a dynamic supervisor is about. */
static void play_mean(struct policy_play *play, struct policy_play_call *call, bool any)
{
	struct policy_play_child *child = call->child ? call->child : play_find(play, call->name);

	call->call.name = (struct sup_name){ .bytes = NULL };
	if (child) {
		call->call.dynamic = &child->dynamic;
		call->call.incarnation = any ? 0 : child->dynamic.incarnation;
	} else if (strcmp(call->name, "-") == 0) {
		call->call.name = sup_name_make(call->name, 1);
	} else {
		call->call.alive = strcmp(call->name, "dead") != 0;
	}
}

static bool play_call(struct policy_play *play, const char *verb, const char *text)
{
	struct sup_input input = { .type = SUP_IN_CALL };
	bool attached = strcmp(verb, "attach_child") == 0;
	bool any = strcmp(verb, "terminate_any") == 0;
	struct policy_play_call *call;
	int type;

	if (attached)
		verb = "start_child";
	if (any)
		verb = "terminate_child";
	type = play_word(verb, play_verbs, ARRAY_SIZE(play_verbs));
	if (type < 0 || play->nr_calls == ARRAY_SIZE(play->calls))
		return false;
	call = &play->calls[play->nr_calls++];
	memset(call, 0, sizeof(*call));
	call->call.type = type;
	if (type == SUP_CALL_START_CHILD) {
		call->child = play_new_child(play, text);
		if (!call->child)
			return false;
		call->call.child = &call->child->child;
		call->call.attached = attached;
		call->child->alive = attached;
	}
	snprintf(call->name, sizeof(call->name), "%s", text);
	call->call.name = sup_name_make(call->name, strlen(call->name));
	if (play->is_dynamic)
		play_mean(play, call, any);
	input.call = &call->call;
	play_input(play, &input);
	return true;
}

static bool play_withdraw(struct policy_play *play)
{
	struct policy_play_call *call;
	bool withdrawn;

	if (!play->nr_calls)
		return false;
	call = &play->calls[play->nr_calls - 1];
	withdrawn = play->is_dynamic ? sup_dynamic_withdraw(&play->dynamic, &call->call) :
				       sup_policy_withdraw(&play->policy, &call->call);
	if (withdrawn && call->child)
		call->child->used = false;
	play_say(play, withdrawn ? "withdrawn" : "too_late", "");
	return true;
}

/*
 * Actions
 */

static void play_start(struct policy_play *play, struct policy_play_child *child)
{
	char how = child->starts[0];

	memmove(child->starts, child->starts + 1, sizeof(child->starts) - 1);
	switch (how) {
	case 'f':
		play_tell(play, SUP_IN_START_FAILED, child, SUP_NORMAL, -2);
		break;
	case 'i':
		play_tell(play, SUP_IN_IGNORED, child, SUP_NORMAL, 0);
		break;
	case 'h':
		child->alive = true;
		break;
	default:
		child->alive = true;
		play_tell(play, SUP_IN_STARTED, child, SUP_NORMAL, 0);
		break;
	}
}

static void play_signal(struct policy_play *play, struct policy_play_child *child, bool kill)
{
	if (child->refuse)
		play_tell(play, SUP_IN_UNKILLABLE, child, SUP_NORMAL, 0);
	else if (kill)
		play_end_process(play, child, SUP_KILLED);
	else if (!child->stubborn)
		play_end_process(play, child, SUP_SHUTDOWN);
}

static void play_count(struct policy_play *play)
{
	char counts[64];

	snprintf(counts, sizeof(counts), "%u:%u:%u", play->dynamic.nr_children,
		 play->dynamic.nr_restarting, play->dynamic.nr_supervisors);
	play_say(play, "reply", counts);
}

static void play_reply(struct policy_play *play, struct sup_call *reply)
{
	struct policy_play_call *call = container_of(reply, struct policy_play_call, call);

	if (reply->result == SUP_ERR_START_FAILED && reply->start_error == -ETIMEDOUT)
		play_say(play, "reply", "start_timed_out");
	else if (play->is_dynamic && reply->type == SUP_CALL_COUNT_CHILDREN &&
		 reply->result == SUP_OK)
		play_count(play);
	else
		play_say(play, "reply", play_results[reply->result]);
	switch (reply->result) {
	case SUP_ERR_INVALID:
	case SUP_ERR_NOPROC:
	case SUP_ERR_ALREADY_STARTED:
	case SUP_ERR_ALREADY_PRESENT:
	case SUP_ERR_MAX_CHILDREN:
		if (call->child)
			call->child->used = false;
		break;
	default:
		break;
	}
}

static void play_act(struct policy_play *play, const struct sup_action *action)
{
	struct policy_play_child *child = play_child_of(play, action);
	char down[32];

	switch (action->type) {
	case SUP_ACT_START:
		play_say(play, "start", child->name);
		play_start(play, child);
		break;
	case SUP_ACT_TERM:
		play_say(play, "term", child->name);
		play_signal(play, child, false);
		break;
	case SUP_ACT_KILL:
		play_say(play, "kill", child->name);
		play_signal(play, child, true);
		break;
	case SUP_ACT_ABANDON:
		play_say(play, "abandon", child->name);
		child->alive = false;
		break;
	case SUP_ACT_FORGET:
		play_say(play, "forget", child->name);
		child->used = false;
		break;
	case SUP_ACT_REPLY:
		play_reply(play, action->call);
		break;
	case SUP_ACT_UP:
		play_say(play, "up", "");
		break;
	case SUP_ACT_DOWN:
		snprintf(down, sizeof(down), "%s:%s", play_reasons[action->reason],
			 action->error == -ETIMEDOUT ? "init_timed_out" : play_downs[action->down]);
		play_say(play, "down", down);
		break;
	}
}

static void play_acts(struct policy_play *play)
{
	struct sup_action action;

	while (play_next(play, &action))
		play_act(play, &action);
}

static void play_wait(struct policy_play *play, unsigned int ms)
{
	u64 until = play->now_ns + (u64)ms * NSEC_PER_MSEC;

	play_acts(play);
	while (play_deadline(play) <= until) {
		play->now_ns = max(play->now_ns, play_deadline(play));
		play_tell(play, SUP_IN_TIMER, NULL, SUP_NORMAL, 0);
		play_acts(play);
	}
	play->now_ns = until;
}

/*
 * Steps
 */

static bool play_child_event(struct policy_play *play, const char *what,
			     struct policy_play_child *child)
{
	static const char * const ends[] = { "exit", "shutdown", "crash", "killed" };
	int reason = play_word(what, ends, ARRAY_SIZE(ends));
	size_t starts = strlen(child->starts);

	if (reason >= 0)
		play_end_process(play, child, reason);
	else if (strcmp(what, "started") == 0)
		play_tell(play, SUP_IN_STARTED, child, SUP_NORMAL, 0);
	else if (strcmp(what, "failed") == 0)
		play_tell(play, SUP_IN_START_FAILED, child, SUP_NORMAL, -2);
	else if (strcmp(what, "ignored") == 0)
		play_tell(play, SUP_IN_IGNORED, child, SUP_NORMAL, 0);
	else if (strcmp(what, "attached") == 0)
		play_tell(play, SUP_IN_ATTACHED, child, SUP_NORMAL, 0);
	else if (strcmp(what, "stubborn") == 0)
		child->stubborn = true;
	else if (strcmp(what, "refuse") == 0)
		child->refuse = true;
	else if (starts + 1 < sizeof(child->starts) &&
		 (strcmp(what, "fail") == 0 || strcmp(what, "ignore") == 0 ||
		  strcmp(what, "hang") == 0))
		child->starts[starts] = what[0];
	else
		return false;
	return true;
}

static bool play_event(struct policy_play *play, const char *text)
{
	char word[3][32] = { "", "", "" };
	struct policy_play_child *child;
	unsigned int ms;
	int reason;

	if (sscanf(text, " wait %u", &ms) == 1) {
		play_wait(play, ms);
		return true;
	}
	sscanf(text, "%31s %31s %31s", word[0], word[1], word[2]);

	if (strcmp(word[0], "call") == 0)
		return play_call(play, word[1], word[2]);
	if (strcmp(word[0], "withdraw") == 0)
		return play_withdraw(play);
	if (strcmp(word[0], "run") == 0) {
		play_tell(play, SUP_IN_START, NULL, SUP_NORMAL, 0);
		return true;
	}
	if (strcmp(word[0], "stop") == 0) {
		reason = *word[1] ? play_word(word[1], play_reasons, ARRAY_SIZE(play_reasons)) :
				    SUP_SHUTDOWN;
		if (reason >= 0)
			play_tell(play, SUP_IN_STOP, NULL, reason, 0);
		return reason >= 0;
	}
	if (strcmp(word[0], "kill") == 0) {
		play_tell(play, SUP_IN_KILL, NULL, SUP_NORMAL, 0);
		return true;
	}
	if (strcmp(word[0], "resume") == 0) {
		play_tell(play, SUP_IN_RESUME, NULL, SUP_NORMAL, 0);
		return true;
	}
	child = play_find(play, word[1]);
	return child && play_child_event(play, word[0], child);
}

/**
 * policy_play_open() - make a supervisor to play with
 * @play: the player, zeroed
 * @flags: its flags; a member unkillable_ms of 0 becomes 5000
 * @children: its own children, as they are written, separated by blanks
 *
 * Return: false if a child cannot be read, or was refused.
 */
bool policy_play_open(struct policy_play *play, const struct sup_flags *flags,
		      const char *children)
{
	struct sup_flags with = *flags;
	char copy[256], *rest = copy, *word;

	if (!with.unkillable_ms)
		with.unkillable_ms = 5000;
	play->now_ns = 1000ULL * NSEC_PER_SEC;
	sup_policy_init(&play->policy, &with, play->window, sup_policy_window_slots(&with),
			play->buckets, ARRAY_SIZE(play->buckets), 1);
	if (strlen(children) >= sizeof(copy))
		return false;
	memcpy(copy, children, strlen(children) + 1);
	while ((word = strsep(&rest, " "))) {
		struct policy_play_child *child;

		if (!*word)
			continue;
		child = play_new_child(play, word);
		if (!child || sup_policy_add(&play->policy, &child->child) != SUP_VALID)
			return false;
	}
	return true;
}

/**
 * policy_play_open_dynamic() - make a dynamic supervisor to play with
 * @play: the player, zeroed
 * @flags: its flags; unkillable_ms as above
 * @template: of a simple_one_for_one: the template, as it is written
 *
 * Return: false if the template cannot be read, or was refused.
 */
bool policy_play_open_dynamic(struct policy_play *play, const struct sup_dynamic_flags *flags,
			      const char *template)
{
	struct sup_dynamic_flags with = *flags;
	const struct sup_flags *common = &with.common;

	if (!common->unkillable_ms)
		with.common.unkillable_ms = 5000;
	play->is_dynamic = true;
	play->now_ns = 1000ULL * NSEC_PER_SEC;
	sup_dynamic_init(&play->dynamic, &with, play->window,
			 sup_window_slots(common->intensity, common->period), 1);
	if (!with.simple)
		return true;
	play->template = play_new_child(play, template);
	return play->template &&
	       sup_dynamic_spec_validate(&with, &play->template->child.spec) == SUP_VALID;
}

/**
 * policy_play_step() - let something happen
 * @play: the player; its output is what followed
 * @input: what, as it is written
 *
 * Return: false if it cannot be read.
 */
bool policy_play_step(struct policy_play *play, const char *input)
{
	char copy[256], *rest = copy, *event;

	play->output[0] = '\0';
	if (strlen(input) >= sizeof(copy))
		return false;
	memcpy(copy, input, strlen(input) + 1);
	while ((event = strsep(&rest, ";")))
		if (!play_event(play, event))
			return false;
	play_acts(play);
	return true;
}

/**
 * policy_play_case() - play a case
 * @play: a player, zeroed
 * @one: the case
 *
 * Return: NULL if all went as written, or what did not.
 */
const char *policy_play_case(struct policy_play *play, const struct policy_case *one)
{
	const struct policy_step *step;
	bool opened;

	opened = one->dynamic ? policy_play_open_dynamic(play, one->dynamic, one->children) :
				policy_play_open(play, &one->flags, one->children);
	if (!opened)
		return "the children cannot be made";
	for (step = one->steps; step->input; step++) {
		if (!policy_play_step(play, step->input)) {
			snprintf(play->message, sizeof(play->message), "\"%s\" cannot be read",
				 step->input);
			return play->message;
		}
		if (strcmp(play->output, step->output) != 0) {
			snprintf(play->message, sizeof(play->message),
				 "\"%s\": expected \"%s\", got \"%s\"", step->input, step->output,
				 play->output);
			return play->message;
		}
	}
	return NULL;
}
