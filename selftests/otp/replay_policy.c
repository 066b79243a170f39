// SPDX-License-Identifier: GPL-2.0
/*
 * The policy backend: the engines of the module, with a clock that jumps to the
 * next thing due and processes that are a flag. Nested supervisors are relayed
 * to each other as the module does it: UP is STARTED, DOWN is START_FAILED or
 * EXIT, TERM is STOP.
 */
#include <linux/supervisor.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "dynamic.h"
#include "policy.h"
#include "replay.h"

#define NR_BUCKETS 64
#define NEVER UINT64_MAX
#define NS_PER_MS 1000000ULL

/* Late enough to be like a clock that runs, early in its second. */
#define CLOCK_START (1000 * 1000 * NS_PER_MS)

_Static_assert((int)SUP_ERR_EXIT == SUPERVISOR_RESULT_EXIT, "results are the UAPI's");
_Static_assert((int)SUP_DUPLICATE_CHILD_NAME == SUPERVISOR_INVALID_DUPLICATE_ID,
	       "invalid members are the UAPI's");
_Static_assert((int)SUP_KILLED == SUPERVISOR_EXIT_KILLED, "exit reasons are the UAPI's");
_Static_assert((int)SUP_CHILD_RESTARTING == SUPERVISOR_CHILD_RESTARTING,
	       "states are the UAPI's");

/* A name of the scenario, and how who bears it behaves. */
struct actor {
	const char *name;
	struct sim_sup *sup;		/* what it is when it is a supervisor */
	bool started;			/* a process has had the name */
	struct sim_child *running;	/* the one of that name, if one runs */
	struct sim_child *last;		/* a dynamic supervisor's child that had it last */
	u32 incarnation;		/* which one of @last's */
	struct behaviour behaviour;
	struct actor *next;
};

/* A place in a supervisor. A worker's process is part of it. */
struct sim_child {
	struct sup_policy_child child;
	struct sup_dynamic_child dynamic; /* instead, of a dynamic supervisor */
	unsigned int refs;		/* its supervisor's, its actor's, calls' */
	struct sim_sup *parent;
	struct actor *actor;
	const struct scn_child *spec;
	bool alive;
	uint64_t exit_ns;		/* when it will have obeyed */
	struct sim_child *next;		/* in world.children */
};

struct sim_sup {
	const struct scn_sup *definition;
	struct actor *actor;
	struct sim_child *place;	/* NULL for a root */
	bool up;
	bool made;			/* policy is initialised */
	struct sup_policy policy;
	struct sup_dynamic dynamic;	/* instead, by its definition's kind */
	struct sim_child *template;
	struct sup_window_slot *window;
	struct hlist_head buckets[NR_BUCKETS];
	struct sim_sup *next;
};

struct sim_call {
	struct sup_call call;
	struct sim_sup *sup;
	const struct scn_call *scn;
	struct sim_child *child;	/* the new one, or a dynamic supervisor's */
	FILE *result;			/* NULL: answered by a reply line */
	struct sim_call *next;		/* in world.calls */
};

/* A line about a child whose place among others has no order. */
struct line {
	const char *name;
	char *text;
};

struct world {
	const struct scenario *scenario;
	FILE *trace;
	const struct sim_sup *group;	/* whose children @lines are about */
	struct line *lines;
	size_t nr_lines;
	uint64_t now_ns;
	bool frozen;
	struct actor *actors;
	struct sim_sup *sups;
	struct sim_child *children;
	struct sim_call *calls;
	FILE *run_result;		/* where a root says how its start went */
};

/*
 * Finding
 */

static struct actor *world_actor(struct world *world, const char *name)
{
	struct actor *actor;

	for (actor = world->actors; actor; actor = actor->next)
		if (strcmp(actor->name, name) == 0)
			return actor;

	actor = xcalloc(1, sizeof(*actor));
	actor->name = name;
	behaviour_init(&actor->behaviour);
	actor->next = world->actors;
	world->actors = actor;
	return actor;
}

/*
 * One engine or the other
 */

static bool is_dynamic(const struct sim_sup *sup)
{
	return sup->definition->kind != KIND_STATIC;
}

static bool is_simple(const struct sim_sup *sup)
{
	return sup->definition->kind == KIND_SIMPLE;
}

static bool sup_is_alive(const struct sim_sup *sup)
{
	if (!sup || !sup->made)
		return false;
	return is_dynamic(sup) ? !sup_dynamic_down(&sup->dynamic) : !sup_policy_down(&sup->policy);
}

static void tell(struct world *world, struct sim_sup *sup, struct sup_input input)
{
	if (is_dynamic(sup))
		sup_dynamic_input(&sup->dynamic, &input, world->now_ns);
	else
		sup_policy_input(&sup->policy, &input, world->now_ns);
}

static void tell_about(struct world *world, struct sim_child *child, struct sup_input input)
{
	if (is_dynamic(child->parent))
		input.dynamic = &child->dynamic;
	else
		input.child = &child->child;
	tell(world, child->parent, input);
}

static bool sup_next(struct world *world, struct sim_sup *sup, struct sup_action *action)
{
	bool more;

	if (!sup->made)
		return false;
	if (!is_dynamic(sup))
		return sup_policy_next(&sup->policy, world->now_ns, action);
	more = sup_dynamic_next(&sup->dynamic, world->now_ns, action);
	while (sup_dynamic_decided(&sup->dynamic, world->now_ns))
		;
	return more;
}

static uint64_t sup_deadline(const struct sim_sup *sup)
{
	if (!sup->made)
		return NEVER;
	return is_dynamic(sup) ? sup_dynamic_deadline(&sup->dynamic) :
				 sup_policy_deadline(&sup->policy);
}

static bool sup_is_idle(const struct sim_sup *sup)
{
	if (!sup->made)
		return true;
	return is_dynamic(sup) ? sup_dynamic_idle(&sup->dynamic) : sup_policy_idle(&sup->policy);
}

static struct sim_child *child_of(const struct sim_sup *sup, const struct sup_action *action)
{
	if (!action->child)
		return NULL;
	return is_dynamic(sup) ? container_of(action->dynamic, struct sim_child, dynamic) :
				 container_of(action->child, struct sim_child, child);
}

/*
 * The trace. Lines about the ends of a dynamic supervisor's children that come
 * together are put in order of their names, those of one child as they came.
 */

static void world_flush(struct world *world)
{
	for (size_t i = 1; i < world->nr_lines; i++) {
		struct line line = world->lines[i];
		size_t to = i;

		for (; to && strcmp(world->lines[to - 1].name, line.name) > 0; to--)
			world->lines[to] = world->lines[to - 1];
		world->lines[to] = line;
	}
	for (size_t i = 0; i < world->nr_lines; i++) {
		fprintf(world->trace, "%s\n", world->lines[i].text);
		free(world->lines[i].text);
	}
	free(world->lines);
	world->lines = NULL;
	world->nr_lines = 0;
	world->group = NULL;
}

__attribute__((format(printf, 2, 3)))
static void world_say(struct world *world, const char *format, ...)
{
	va_list args;

	world_flush(world);
	va_start(args, format);
	vfprintf(world->trace, format, args);
	va_end(args);
	fputc('\n', world->trace);
}

/* The end of whoever is in that place, or what leads to it. */
static void world_say_end(struct world *world, const struct sim_child *place, const char *what,
			  const char *reason)
{
	const char *name = place->actor->name;
	struct line line = { .name = name };

	if (!is_dynamic(place->parent)) {
		world_say(world, "%s %s%s%s", what, name, *reason ? " " : "", reason);
		return;
	}
	if (world->group != place->parent)
		world_flush(world);
	world->group = place->parent;
	if (asprintf(&line.text, "%s %s%s%s", what, name, *reason ? " " : "", reason) < 0)
		abort();
	world->lines = xgrow(world->lines, world->nr_lines, sizeof(line));
	world->lines[world->nr_lines++] = line;
}

static void tell_exit(struct world *world, struct sim_child *child, enum sup_reason reason)
{
	world_say_end(world, child, "exit", say_reason(reason));
	tell_about(world, child, (struct sup_input){ .type = SUP_IN_EXIT, .reason = reason });
}

/*
 * Workers
 */

static void worker_die(struct world *world, struct sim_child *child, enum sup_reason reason)
{
	child->alive = false;
	child->exit_ns = NEVER;
	if (child->actor->running == child)
		child->actor->running = NULL;
	tell_exit(world, child, reason);
}

static void worker_term(struct world *world, struct sim_child *child)
{
	const struct behaviour *behaviour = &child->actor->behaviour;

	world_say_end(world, child, "term", "");
	if (!behaviour->stubborn)
		child->exit_ns = world->now_ns + behaviour->slow_ms * NS_PER_MS;
}

static void worker_kill(struct world *world, struct sim_child *child)
{
	world_say_end(world, child, "kill", "");
	worker_die(world, child, SUP_KILLED);
}

/*
 * Calls
 */

static struct sim_child *world_add_child(struct world *world, struct sim_sup *sup,
					 const struct scn_child *spec)
{
	struct scn_child_values values = scn_child_values(spec);
	struct sim_child *child = xcalloc(1, sizeof(*child));

	child->refs = 1;
	child->parent = sup;
	child->actor = world_actor(world, spec->name);
	child->spec = spec;
	child->exit_ns = NEVER;
	child->child.name = sup_name_make(spec->id, strlen(spec->id));
	child->child.spec.restart = values.restart;
	child->child.spec.significant = values.significant;
	child->child.spec.type = values.type;
	child->child.spec.shutdown_ms = values.shutdown_ms;
	child->dynamic.spec = sup->template ? &sup->template->child.spec : &child->child.spec;
	child->next = world->children;
	world->children = child;
	return child;
}

static void world_put_child(struct world *world, struct sim_child *child)
{
	if (!child || --child->refs)
		return;
	take_out(world->children, child);
	free(child);
}

/* Its supervisor has it no more. */
static void world_free_child(struct world *world, struct sim_child *child)
{
	if (child->actor->running == child)
		child->actor->running = NULL;
	world_put_child(world, child);
}

/* To a dynamic supervisor: of which process, the last one of that name, a call is. */
static void call_mean(struct sim_call *call, const struct actor *actor)
{
	struct sim_child *last = actor->last;

	if (!last || last->parent != call->sup) {
		/* A name that nobody has had stands for a process that lives. */
		call->call.alive = !actor->started || actor->running || sup_is_alive(actor->sup);
		return;
	}
	call->child = last;
	last->refs++;
	call->call.dynamic = &last->dynamic;
	call->call.incarnation = actor->incarnation;
}

static void call_fill(struct world *world, struct sim_call *call, const struct scn_call *scn)
{
	struct sim_sup *sup = call->sup;

	if (scn->verb == VERB_START_CHILD) {
		call->child = world_add_child(world, sup, &scn->child);
		call->child->refs++;
		if (is_dynamic(sup))
			call->call.dynamic = &call->child->dynamic;
		else
			call->call.child = &call->child->child;
	} else if (scn->child.name && is_dynamic(sup) && strcmp(scn->child.name, "-") != 0) {
		call_mean(call, world_actor(world, scn->child.name));
	} else if (scn->child.name) {
		call->call.name = sup_name_make(scn->child.id, strlen(scn->child.id));
	}
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In no order, so in that of their texts. */
static void say_dynamic_children(FILE *out, const struct sim_sup *sup)
{
	size_t nr = sup->dynamic.nr_children, i = 0;
	char **texts = xcalloc(nr, sizeof(*texts));
	const struct sup_dynamic_child *child;

	list_for_each_entry(child, &sup->dynamic.children, node) {
		const char *name = container_of(child, struct sim_child, dynamic)->actor->name;
		size_t len;
		FILE *text = open_memstream(&texts[i++], &len);

		if (child->state != SUP_CHILD_RUNNING)
			name = "_";
		say_child_state(text, true, name, strlen(name), child->state, child->spec->type);
		fclose(text);
	}
	qsort(texts, nr, sizeof(*texts), compare_texts);
	for (i = 0; i < nr; i++) {
		fprintf(out, "%s%s", i ? " " : "", texts[i]);
		free(texts[i]);
	}
	free(texts);
	if (!nr)
		fputs("none", out);
}

static void say_dynamic_count(FILE *out, const struct sim_sup *sup)
{
	const struct sup_dynamic *dynamic = &sup->dynamic;

	fprintf(out, "specs=%u active=%u supervisors=%u workers=%u",
		is_simple(sup) ? 1 : dynamic->nr_children,
		dynamic->nr_children - dynamic->nr_restarting, dynamic->nr_supervisors,
		dynamic->nr_children - dynamic->nr_supervisors);
}

/* What OTP's supervisor calls a pid that no one has, or no pid, is not found. */
static void say_template(FILE *out, const struct sim_sup *sup, const struct scn_child *child)
{
	struct scn_child_values values = scn_child_values(sup->template->spec);
	const char *id = sup->template->spec->id;

	if (strcmp(id, child->id) == 0)
		say_child_spec(out, id, strlen(id), &values);
	else
		say_result(out, SUPERVISOR_RESULT_NOT_FOUND);
}

static void say_which_children(FILE *out, const struct sim_sup *sup)
{
	const struct sup_policy_child *child;
	bool first = true;

	list_for_each_entry_reverse(child, &sup->policy.children, order) {
		say_child_state(out, first, child->name.bytes, child->name.len, child->state,
				child->spec.type);
		first = false;
	}
	if (first)
		fputs("none", out);
}

static void say_count_children(FILE *out, const struct sim_sup *sup)
{
	const struct sup_policy_child *child;
	unsigned int active = 0;
	unsigned int supervisors = 0;

	list_for_each_entry(child, &sup->policy.children, order) {
		active += child->state == SUP_CHILD_RUNNING && !child->dead;
		supervisors += child->spec.type == SUP_SUPERVISOR;
	}
	fprintf(out, "specs=%u active=%u supervisors=%u workers=%u", sup->policy.nr_children,
		active, supervisors, sup->policy.nr_children - supervisors);
}

static void say_spec(FILE *out, const struct sup_policy_child *child)
{
	struct scn_child_values values = {
		.restart = child->spec.restart,
		.significant = child->spec.significant,
		.type = child->spec.type,
		.shutdown_ms = child->spec.shutdown_ms,
	};

	say_child_spec(out, child->name.bytes, child->name.len, &values);
}

static void say_ok(FILE *out, const struct sim_call *call)
{
	const struct sim_sup *sup = call->sup;

	switch (call->call.type) {
	case SUP_CALL_WHICH_CHILDREN:
		if (is_dynamic(sup))
			say_dynamic_children(out, sup);
		else
			say_which_children(out, sup);
		break;
	case SUP_CALL_COUNT_CHILDREN:
		if (is_dynamic(sup))
			say_dynamic_count(out, sup);
		else
			say_count_children(out, sup);
		break;
	case SUP_CALL_GET_CHILDSPEC:
		if (is_dynamic(sup))
			say_template(out, sup, &call->scn->child);
		else
			say_spec(out, call->call.child);
		break;
	default:
		say_result(out, SUPERVISOR_RESULT_OK);
		break;
	}
}

static void say_answer(FILE *out, const struct sim_call *call)
{
	switch (call->call.result) {
	case SUP_OK:
		say_ok(out, call);
		break;
	case SUP_OK_UNDEFINED:
		if (call->sup->definition->kind == KIND_DYNAMIC)
			fputs("ignore", out);
		else
			say_result(out, SUPERVISOR_RESULT_OK_UNDEFINED);
		break;
	case SUP_ERR_INVALID:
		fputs("error ", out);
		say_invalid_child(out, call->call.invalid, &call->scn->child);
		break;
	case SUP_ERR_MAX_CHILDREN:
		fputs("error max_children", out);
		break;
	case SUP_ERR_DYNAMIC:
		fputs("error simple_one_for_one", out);
		break;
	case SUP_ERR_NOPROC:
		/* To OTP's caller it is the same: the supervisor died on it. */
		say_result(out, SUPERVISOR_RESULT_EXIT);
		break;
	default:
		say_result(out, call->call.result);
		break;
	}
}

/* Was the new child of a start_child never taken? */
static bool call_left_child(const struct sim_call *call)
{
	switch (call->call.result) {
	case SUP_ERR_ALREADY_STARTED:
	case SUP_ERR_ALREADY_PRESENT:
	case SUP_ERR_INVALID:
	case SUP_ERR_NOPROC:
	case SUP_ERR_MAX_CHILDREN:
		return call->call.type == SUP_CALL_START_CHILD;
	default:
		return false;
	}
}

static void world_free_call(struct world *world, struct sim_call *call)
{
	take_out(world->calls, call);
	world_put_child(world, call->child);
	free(call);
}

static void world_answer(struct world *world, struct sim_call *call)
{
	if (!call->scn) {	/* freeze's */
		world_free_call(world, call);
		return;
	}
	if (call->result) {
		say_answer(call->result, call);
	} else {
		world_flush(world);
		fprintf(world->trace, "reply %s = ", call->scn->text);
		say_answer(world->trace, call);
		fputc('\n', world->trace);
	}
	if (call_left_child(call))
		world_free_child(world, call->child);
	world_free_call(world, call);
}

/* Elixir looks at a spec in the caller, before the call is made. */
static bool call_is_refused(struct sim_call *call)
{
	if (call->sup->definition->kind != KIND_DYNAMIC ||
	    call->call.type != SUP_CALL_START_CHILD)
		return false;
	call->call.invalid = sup_dynamic_spec_validate(&call->sup->dynamic.flags,
						       call->child->dynamic.spec);
	call->call.result = SUP_ERR_INVALID;
	return call->call.invalid != SUP_VALID;
}

static void world_make_call(struct world *world, const struct scn_call *scn, FILE *result)
{
	static const enum sup_call_type types[] = {
		[VERB_START_CHILD] = SUP_CALL_START_CHILD,
		[VERB_TERMINATE_CHILD] = SUP_CALL_TERMINATE_CHILD,
		[VERB_RESTART_CHILD] = SUP_CALL_RESTART_CHILD,
		[VERB_DELETE_CHILD] = SUP_CALL_DELETE_CHILD,
		[VERB_GET_CHILDSPEC] = SUP_CALL_GET_CHILDSPEC,
		[VERB_WHICH_CHILDREN] = SUP_CALL_WHICH_CHILDREN,
		[VERB_COUNT_CHILDREN] = SUP_CALL_COUNT_CHILDREN,
	};
	struct sim_sup *sup = world_actor(world, scn->sup)->sup;
	struct sim_call *call;

	/* In OTP nobody knows a supervisor before it has started. */
	if (!sup || !sup->up) {
		if (result)
			say_result(result, SUPERVISOR_RESULT_NOPROC);
		else
			world_say(world, "reply %s = noproc", scn->text);
		return;
	}

	call = xcalloc(1, sizeof(*call));
	call->sup = sup;
	call->scn = scn;
	call->result = result;
	call->call.type = types[scn->verb];
	call_fill(world, call, scn);
	call->next = world->calls;
	world->calls = call;
	if (call_is_refused(call))
		world_answer(world, call);
	else
		tell(world, sup, (struct sup_input){ .type = SUP_IN_CALL,
						     .call = &call->call });
}

/*
 * Starts
 */

/* A start of @actor failed: what the scenario put behind that, then the news. */
static void start_failed(struct world *world, struct actor *actor, struct sim_child *place)
{
	const struct scn_call *call;

	world_say(world, "start_fail %s", actor->name);
	while ((call = behaviour_next_queued(&actor->behaviour)))
		world_make_call(world, call, NULL);
	if (place)
		tell_about(world, place, (struct sup_input){ .type = SUP_IN_START_FAILED });
}

static void start_ignored(struct world *world, struct actor *actor, struct sim_child *place)
{
	world_say(world, "start_ignore %s", actor->name);
	if (place)
		tell_about(world, place, (struct sup_input){ .type = SUP_IN_IGNORED });
}

static void started(struct world *world, struct actor *actor, struct sim_child *place)
{
	world_say(world, "start %s", actor->name);
	actor->started = true;
	if (!place)
		return;
	tell_about(world, place, (struct sup_input){ .type = SUP_IN_STARTED });
	if (!is_dynamic(place->parent))
		return;
	place->refs++;
	world_put_child(world, actor->last);
	actor->last = place;
	actor->incarnation = place->dynamic.incarnation;
}

/* The first time a dynamic supervisor starts: check it. */
static bool sup_make_dynamic(struct world *world, struct sim_sup *sup, FILE *error)
{
	const struct scn_sup *definition = sup->definition;
	struct scn_flag_values values = scn_flag_values(&definition->flags);
	struct sup_dynamic_flags flags = {
		.common = {
			.strategy = SUP_ONE_FOR_ONE,
			.intensity = values.intensity,
			.period = values.period,
			.auto_shutdown = values.auto_shutdown,
			.unkillable_ms = 5000,
		},
		.max_children = values.max_children,
		.simple = is_simple(sup),
	};
	enum sup_invalid invalid = sup_dynamic_flags_validate(&flags);
	size_t slots = sup_window_slots(flags.common.intensity, flags.common.period);

	if (invalid != SUP_VALID) {
		fputs("error supervisor_data ", error);
		if (invalid == SUP_INVALID_MAX_CHILDREN)
			fprintf(error, "invalid_max_children %s", definition->flags.max_children);
		else
			say_invalid_flags(error, invalid, &definition->flags);
		return false;
	}
	if (flags.simple && definition->nr_children != 1) {
		fputs("error bad_start_spec", error);
		return false;
	}
	if (flags.simple) {
		sup->template = world_add_child(world, sup, &definition->children[0]);
		invalid = sup_dynamic_spec_validate(&flags, &sup->template->child.spec);
	}
	if (invalid != SUP_VALID) {
		fputs("error start_spec ", error);
		say_invalid_child(error, invalid, sup->template->spec);
		world_free_child(world, sup->template);
		sup->template = NULL;
		return false;
	}
	sup->window = xcalloc(slots, sizeof(*sup->window));
	sup_dynamic_init(&sup->dynamic, &flags, sup->window, slots, 1);
	sup->made = true;
	return true;
}

/* The first time a supervisor starts: check it and give it its children. */
static bool sup_make_static(struct world *world, struct sim_sup *sup, FILE *error)
{
	const struct scn_sup *definition = sup->definition;
	struct scn_flag_values values = scn_flag_values(&definition->flags);
	struct sup_flags flags = {
		.strategy = values.strategy,
		.intensity = values.intensity,
		.period = values.period,
		.auto_shutdown = values.auto_shutdown,
		.unkillable_ms = 5000,
	};
	enum sup_invalid invalid = sup_flags_validate(&flags);
	struct sup_policy_child *added;

	if (invalid != SUP_VALID) {
		fputs("error supervisor_data ", error);
		say_invalid_flags(error, invalid, &definition->flags);
		return false;
	}

	sup->window = xcalloc(sup_policy_window_slots(&flags), sizeof(*sup->window));
	sup_policy_init(&sup->policy, &flags, sup->window, sup_policy_window_slots(&flags),
			sup->buckets, NR_BUCKETS, 1);
	for (size_t i = 0; i < definition->nr_children; i++) {
		const struct scn_child *spec = &definition->children[i];
		struct sim_child *child = world_add_child(world, sup, spec);

		invalid = sup_policy_add(&sup->policy, &child->child);
		if (invalid == SUP_VALID)
			continue;
		fputs("error start_spec ", error);
		say_invalid_child(error, invalid, spec);
		world_free_child(world, child);
		while ((added = sup_policy_clear(&sup->policy)))
			world_free_child(world, container_of(added, struct sim_child, child));
		free(sup->window);
		sup->window = NULL;
		memset(sup->buckets, 0, sizeof(sup->buckets));
		return false;
	}
	sup->made = true;
	return true;
}

static bool sup_make(struct world *world, struct sim_sup *sup, FILE *error)
{
	return is_dynamic(sup) ? sup_make_dynamic(world, sup, error) :
				 sup_make_static(world, sup, error);
}

/* Start a supervisor, as a root or in its place. */
static void sup_start(struct world *world, struct sim_sup *sup, struct sim_child *place)
{
	char *ignored = NULL;
	size_t len;
	FILE *error = place ? open_memstream(&ignored, &len) : world->run_result;

	sup->place = place;
	if (sup->made || sup_make(world, sup, error))
		tell(world, sup, (struct sup_input){ .type = SUP_IN_START });
	else
		start_failed(world, sup->actor, place);
	if (place) {
		fclose(error);
		free(ignored);
	}
}

static void child_start(struct world *world, struct sim_child *child)
{
	struct actor *actor = child->actor;

	switch (behaviour_next_attempt(&actor->behaviour)) {
	case ATTEMPT_FAIL:
		start_failed(world, actor, child);
		return;
	case ATTEMPT_IGNORE:
		start_ignored(world, actor, child);
		return;
	default:
		break;
	}
	if (actor->sup) {
		sup_start(world, actor->sup, child);
		return;
	}
	child->alive = true;
	actor->running = child;
	started(world, actor, child);
}

/*
 * Actions
 */

static void sup_went_up(struct world *world, struct sim_sup *sup)
{
	sup->up = true;
	if (!sup->place)
		say_result(world->run_result, SUPERVISOR_RESULT_OK);
	started(world, sup->actor, sup->place);
}

static void sup_went_down(struct world *world, struct sim_sup *sup,
			  const struct sup_action *action)
{
	const struct sup_name *name;

	if (sup->up) {
		sup->up = false;
		if (sup->place)
			tell_exit(world, sup->place, action->reason);
		else
			world_say(world, "exit %s %s", sup->actor->name, say_reason(action->reason));
		return;
	}
	if (!sup->place && action->down == SUP_DOWN_INIT_FAILED) {
		name = &action->child->name;
		fprintf(world->run_result, "error failed_to_start_child %.*s", (int)name->len,
			name->bytes);
	}
	start_failed(world, sup->actor, sup->place);
}

static void child_signal(struct world *world, struct sim_child *child, bool kill)
{
	struct sim_sup *sup = child->actor->sup;

	if (!sup && kill)
		worker_kill(world, child);
	else if (!sup)
		worker_term(world, child);
	else if (kill)
		tell(world, sup, (struct sup_input){ .type = SUP_IN_KILL });
	else
		tell(world, sup, (struct sup_input){ .type = SUP_IN_STOP,
						     .reason = SUP_SHUTDOWN });
}

static void sup_act(struct world *world, struct sim_sup *sup, const struct sup_action *action)
{
	struct sim_child *child = child_of(sup, action);

	switch (action->type) {
	case SUP_ACT_START:
		child_start(world, child);
		break;
	case SUP_ACT_TERM:
	case SUP_ACT_KILL:
		child_signal(world, child, action->type == SUP_ACT_KILL);
		break;
	case SUP_ACT_FORGET:
		world_free_child(world, child);
		break;
	case SUP_ACT_REPLY:
		world_answer(world, container_of(action->call, struct sim_call, call));
		break;
	case SUP_ACT_UP:
		sup_went_up(world, sup);
		break;
	case SUP_ACT_DOWN:
		sup_went_down(world, sup, action);
		break;
	case SUP_ACT_ABANDON:
		break;
	}
}

/* Carry out all that can be done at this time. */
static void world_act(struct world *world)
{
	struct sup_action action;
	bool acted;

	do {
		acted = false;
		for (struct sim_sup *sup = world->sups; sup; sup = sup->next) {
			while (sup_next(world, sup, &action)) {
				sup_act(world, sup, &action);
				acted = true;
			}
		}
	} while (acted);
}

/*
 * Time
 */

static uint64_t world_next_event(const struct world *world)
{
	uint64_t next = NEVER;

	for (const struct sim_sup *sup = world->sups; sup; sup = sup->next)
		next = min(next, sup_deadline(sup));
	for (const struct sim_child *child = world->children; child; child = child->next)
		next = min(next, child->exit_ns);
	return next;
}

static void world_exits_due(struct world *world)
{
	for (struct sim_child *child = world->children; child; child = child->next)
		if (child->exit_ns <= world->now_ns)
			worker_die(world, child, (enum sup_reason)child->actor->behaviour.onterm);
}

/* On to the next thing that happens by itself, not later than @limit_ns. */
static bool world_step(struct world *world, uint64_t limit_ns)
{
	uint64_t next = world_next_event(world);

	if (next == NEVER || next > limit_ns)
		return false;
	world->now_ns = max(world->now_ns, next);
	world_exits_due(world);
	world_act(world);
	return true;
}

static const struct sim_sup *world_busy(const struct world *world)
{
	for (const struct sim_sup *sup = world->sups; sup; sup = sup->next)
		if (!sup_is_idle(sup))
			return sup;
	return NULL;
}

/*
 * The backend
 */

static void *policy_open(const struct scenario *scenario, FILE *trace)
{
	struct world *world = xcalloc(1, sizeof(*world));

	world->scenario = scenario;
	world->trace = trace;
	world->now_ns = CLOCK_START;
	for (size_t i = 0; i < scenario->nr_sups; i++) {
		struct sim_sup *sup = xcalloc(1, sizeof(*sup));

		sup->definition = &scenario->sups[i];
		sup->actor = world_actor(world, sup->definition->name);
		sup->actor->sup = sup;
		sup->next = world->sups;
		world->sups = sup;
	}
	return world;
}

static void policy_close(void *data)
{
	struct world *world = data;
	struct sim_sup *sup;
	struct actor *actor;
	void *gone;

	world_flush(world);
	while ((gone = take_first(world->calls)))
		free(gone);
	while ((gone = take_first(world->children)))
		free(gone);
	while ((sup = take_first(world->sups))) {
		free(sup->window);
		free(sup);
	}
	while ((actor = take_first(world->actors))) {
		behaviour_free(&actor->behaviour);
		free(actor);
	}
	free(world);
}

static bool policy_behave(void *data, const struct scn_command *command)
{
	struct world *world = data;

	return behaviour_note(&world_actor(world, command->names[0])->behaviour, command);
}

static bool policy_settle(void *data)
{
	struct world *world = data;
	const struct sim_sup *busy;

	do
		world_act(world);
	while (world_busy(world) && world_step(world, NEVER));
	world_flush(world);

	busy = world_busy(world);
	if (busy)
		fprintf(stderr, "%s waits for something that never comes\n", busy->actor->name);
	return !busy;
}

static bool policy_run(void *data, const struct scn_sup *definition, FILE *result)
{
	struct world *world = data;
	struct actor *actor = world_actor(world, definition->name);

	if (sup_is_alive(actor->sup)) {
		fputs("already_running", result);
		return true;
	}
	world->run_result = result;
	switch (behaviour_next_attempt(&actor->behaviour)) {
	case ATTEMPT_FAIL:
		say_result(result, SUPERVISOR_RESULT_START_FAILED);
		start_failed(world, actor, NULL);
		break;
	case ATTEMPT_IGNORE:
		fputs("ignore", result);
		start_ignored(world, actor, NULL);
		break;
	default:
		sup_start(world, actor->sup, NULL);
		break;
	}
	return policy_settle(world);
}

static bool policy_die(void *data, const char **names, size_t nr_names, int reason,
		       enum die_result *results)
{
	struct world *world = data;

	for (size_t i = 0; i < nr_names; i++) {
		struct actor *actor = world_actor(world, names[i]);

		if (actor->running) {
			worker_die(world, actor->running, (enum sup_reason)reason);
			results[i] = DIE_OK;
		} else {
			results[i] = sup_is_alive(actor->sup) ? DIE_NOT_WORKER : DIE_NOT_RUNNING;
		}
	}
	/* What follows is not part of it. */
	world_flush(world);
	return true;
}

static bool policy_stop(void *data, const char *name, int reason, FILE *result)
{
	struct world *world = data;
	struct sim_sup *sup = world_actor(world, name)->sup;

	if (!sup_is_alive(sup)) {
		say_result(result, SUPERVISOR_RESULT_NOPROC);
		return true;
	}
	say_result(result, SUPERVISOR_RESULT_OK);
	tell(world, sup, (struct sup_input){ .type = SUP_IN_STOP,
					     .reason = (enum sup_reason)reason });
	return true;
}

static bool policy_sleep(void *data, uint64_t ms)
{
	struct world *world = data;
	uint64_t until = world->now_ns + ms * NS_PER_MS;

	while (world_step(world, until))
		;
	world->now_ns = until;
	return true;
}

static bool policy_freeze(void *data)
{
	struct world *world = data;

	for (struct sim_sup *sup = world->sups; sup; sup = sup->next) {
		struct sim_call *call;

		if (!sup_is_alive(sup))
			continue;
		call = xcalloc(1, sizeof(*call));
		call->sup = sup;
		call->call.type = SUP_CALL_SUSPEND;
		call->next = world->calls;
		world->calls = call;
		tell(world, sup, (struct sup_input){ .type = SUP_IN_CALL, .call = &call->call });
	}
	world_act(world);
	world->frozen = true;
	return true;
}

static bool policy_thaw(void *data)
{
	struct world *world = data;

	world->frozen = false;
	for (struct sim_sup *sup = world->sups; sup; sup = sup->next)
		if (sup_is_alive(sup))
			tell(world, sup, (struct sup_input){ .type = SUP_IN_RESUME });
	return true;
}

static bool policy_call(void *data, const struct scn_call *call, FILE *result)
{
	struct world *world = data;

	world_make_call(world, call, world->frozen ? NULL : result);
	world_act(world);
	return true;
}

const struct replay_backend replay_policy = {
	.open = policy_open,
	.close = policy_close,
	.behave = policy_behave,
	.run = policy_run,
	.die = policy_die,
	.stop = policy_stop,
	.sleep = policy_sleep,
	.freeze = policy_freeze,
	.thaw = policy_thaw,
	.call = policy_call,
	.settle = policy_settle,
};
