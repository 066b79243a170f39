// SPDX-License-Identifier: GPL-2.0
/*
 * The device backend: the scenario's supervisors are made in the kernel, and
 * this process owns them, is their spawner and their only caller. One mailbox
 * gets everything: START requests, which fork a worker or fail, the events that
 * become the trace, and the answers to calls, all of them asynchronous. So the
 * kernel alone says what happened in which order.
 *
 * A nested supervisor starts without anybody being asked, but for one that the
 * scenario tells how to start, or that is a dynamic supervisor's child: that is a
 * START, too.
 *
 * A dynamic supervisor numbers its children. Which place one is in is told by the
 * arguments that its START carries.
 */
#include <errno.h>
#include <linux/supervisor.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "replay.h"
#include "replay_worker.h"
#include "supervisor.h"

#define MAILBOX_BYTES (1U << 20)
#define ANSWER_BYTES (1U << 16)
#define MESSAGE_BYTES (SUP_START_SIZE > 2 * ANSWER_BYTES ? SUP_START_SIZE : 2 * ANSWER_BYTES)

/* The longest that anything may take, and how often idleness is looked for. */
#define PATIENCE_MS 60000
#define LOOK_MS 1

/* A name of the scenario, and what bears it. */
struct actor {
	const char *name;
	struct tree *tree;		/* the supervisor of that name that is up */
	struct place *running;		/* the process of that name */
	struct place *last;		/* a dynamic supervisor's child that had it last */
	uint32_t incarnation;		/* of @last */
	bool started;			/* somebody has had it */
	struct behaviour behaviour;
	struct orders *orders;		/* the same, for its process */
	char *replies;			/* lines that follow its next start_fail */
	struct actor *next;
};

/* A place in a supervisor. */
struct place {
	uint64_t id;			/* of the child spec; a dynamic one's once it is known */
	const char *child_id;
	struct tree *parent;
	struct actor *actor;
	struct tree *tree;		/* the supervisor in it; NULL for a process */
	bool objected;			/* its own START was answered by a failure */
	bool refused;			/* a supervisor that cannot even be made */
	bool notifies;			/* has started when it says so, not by its attach */
	bool group;			/* its process group is signalled */
	unsigned int nr_not_started;
	pid_t pid;
	struct place *next;		/* in world.places */
};

/* A supervisor in the kernel. */
struct tree {
	uint64_t id;
	int fd;
	const struct scn_sup *definition;
	struct actor *actor;
	struct place *place;		/* NULL for a root */
	const struct place *failed;	/* the last that failed to start */
	bool started;			/* a root: and not down again */
	bool up;
	bool held;			/* suspended for deaths that come together */
	bool notifies;			/* of simple_one_for_one: as all of its children */
	bool group;			/* likewise */
	struct tree *next;		/* in world.trees */
};

struct call {
	uint64_t cookie;
	struct tree *tree;
	const struct scn_call *scn;
	FILE *result;			/* NULL: answered by a reply line */
	struct call *next;		/* in world.calls, in the order made */
};

/* A message whose turn comes later. */
struct later {
	struct supervisor_msg *msg;
	struct later *next;
};

/* A line about the end of a dynamic supervisor's child. */
struct line {
	const char *name;
	char *text;
};

struct world {
	const struct scenario *scenario;
	FILE *trace;
	FILE *run_result;		/* where a root says how its start went */
	int device;
	int mailbox;
	bool frozen;
	bool failed;			/* and stderr says why */
	uint64_t cookie;
	unsigned int nr_places;
	struct actor *actors;
	struct place *places;
	struct tree *trees;
	struct call *calls;
	struct later *later;
	const struct tree *group;	/* whose children @lines are about */
	struct line *lines;
	size_t nr_lines;
};

static bool world_fail(struct world *world, const char *what, const char *name, int error)
{
	fprintf(stderr, "%s: %s%s%s%s%s\n", world->scenario->path, what, name ? " " : "",
		name ? name : "", error ? ": " : "", error ? strerror(-error) : "");
	world->failed = true;
	return false;
}

/*
 * The trace. Lines about the ends of a dynamic supervisor's children that come
 * together are put in order of their names, those of one child as they came.
 */

static FILE *world_trace(struct world *world)
{
	for (size_t i = 1; i < world->nr_lines; i++) {
		struct line line = world->lines[i];
		size_t to = i;

		for (; to && strcmp(world->lines[to - 1].name, line.name) > 0; to--)
			world->lines[to] = world->lines[to - 1];
		world->lines[to] = line;
	}
	for (size_t i = 0; i < world->nr_lines; i++) {
		fputs(world->lines[i].text, world->trace);
		free(world->lines[i].text);
	}
	free(world->lines);
	world->lines = NULL;
	world->nr_lines = 0;
	world->group = NULL;
	return world->trace;
}

static bool is_dynamic(const struct tree *tree)
{
	return tree->definition->kind != KIND_STATIC;
}

/* The end of whoever is in @place, or what leads to it. */
static void say_end(struct world *world, const struct place *place, const char *what,
		    const char *reason)
{
	struct line line = { .name = place->actor->name };

	if (!is_dynamic(place->parent)) {
		fprintf(world_trace(world), "%s %s%s%s\n", what, line.name, *reason ? " " : "",
			reason);
		return;
	}
	if (world->group != place->parent)
		world_trace(world);
	world->group = place->parent;
	if (asprintf(&line.text, "%s %s%s%s\n", what, line.name, *reason ? " " : "", reason) < 0)
		abort();
	world->lines = xgrow(world->lines, world->nr_lines, sizeof(line));
	world->lines[world->nr_lines++] = line;
}

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
	actor->orders = orders_new();
	if (!actor->orders)
		abort();
	actor->orders->onterm = actor->behaviour.onterm;
	actor->next = world->actors;
	world->actors = actor;
	return actor;
}

static struct place *world_place(const struct world *world, uint64_t id)
{
	struct place *place = world->places;

	while (place && place->id != id)
		place = place->next;
	return place;
}

static struct tree *world_tree(const struct world *world, uint64_t id)
{
	struct tree *tree = world->trees;

	while (tree && tree->id != id)
		tree = tree->next;
	return tree;
}

/* The call with that cookie, or if it is 0 the first one to @tree. */
static struct call *world_call(const struct world *world, uint64_t cookie,
			       const struct tree *tree)
{
	struct call *call = world->calls;

	while (call && (cookie ? call->cookie != cookie : call->tree != tree))
		call = call->next;
	return call;
}

/*
 * Making supervisors
 */

static bool is_told_how_to_start(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->nr_commands; i++)
		if (scenario->commands[i].type == CMD_ATTEMPTS &&
		    strcmp(scenario->commands[i].names[0], name) == 0)
			return true;
	return false;
}

static struct tree *tree_make(struct world *world, const struct scn_sup *definition,
			      struct place *place, FILE *error);

static struct place *place_make(struct world *world, struct tree *parent,
				const struct scn_child *spec)
{
	const struct scn_sup *nested = scenario_sup(world->scenario, spec->name);
	struct place *place = xcalloc(1, sizeof(*place));

	place->child_id = spec->id;
	place->parent = parent;
	place->actor = world_actor(world, spec->name);
	/* All kinds of children, for they should not make a difference. */
	place->notifies = nested ? is_dynamic(parent) ||
				   is_told_how_to_start(world->scenario, spec->name) :
				   world->nr_places & 1;
	place->group = world->nr_places & 2;
	if (parent->definition->kind == KIND_SIMPLE) {
		place->notifies = parent->notifies;
		place->group = parent->group;
	}
	world->nr_places++;
	place->next = world->places;
	world->places = place;
	if (nested) {
		place->tree = tree_make(world, nested, place, NULL);
		place->refused = !place->tree;
	}
	return place;
}

/* Bad values are -1, or less, and must not become what means "default". */
static void child_options(const struct scn_child *spec, bool notifies, bool group,
			  struct sup_child_opts *options)
{
	struct scn_child_values values = scn_child_values(spec);

	options->restart = values.restart;
	options->significant = values.significant;
	options->type = values.type < 0 ? SUP_TYPE_DEFAULT - 1 : values.type;
	options->shutdown_ms = values.shutdown_ms < SUPERVISOR_SHUTDOWN_KILL ?
			       SUPERVISOR_SHUTDOWN_KILL - 1 : values.shutdown_ms;
	options->readiness = notifies ? SUPERVISOR_READINESS_NOTIFY :
					SUPERVISOR_READINESS_ATTACH;
	options->signal_whom = group ? SUPERVISOR_SIGNAL_GROUP : SUPERVISOR_SIGNAL_PROCESS;
}

static void place_options(const struct place *place, const struct scn_child *spec,
			  struct sup_child_opts *options)
{
	child_options(spec, place->notifies, place->group, options);
	options->supervisor = place->tree ? place->tree->fd : -1;
}

/* Give a new supervisor an initial child. False, with @error said, if it is bad. */
static bool tree_add(struct world *world, struct tree *tree, const struct scn_child *spec,
		     FILE *error)
{
	struct place *place = place_make(world, tree, spec);
	SUP_OPTS(sup_child_opts, options);
	SUP_OPTS(sup_result, result);
	int ret;

	if (world->failed)
		return false;
	place_options(place, spec, &options);
	ret = sup_child_add(tree->fd, spec->id, &options, 0, &result);
	place->id = result.id;
	if (ret == -EINVAL && result.invalid) {
		if (error) {
			fputs("error start_spec ", error);
			say_invalid_child(error, result.invalid, spec);
		}
		return false;
	}
	return ret == 0 || world_fail(world, "cannot add", spec->name, ret);
}

static void say_refused(FILE *error, const struct scn_sup *definition, uint32_t invalid)
{
	switch (invalid) {
	case SUPERVISOR_VALID:
		fputs("error bad_start_spec", error);
		break;
	case SUPERVISOR_INVALID_MAX_CHILDREN:
		fprintf(error, "error supervisor_data invalid_max_children %s",
			definition->flags.max_children);
		break;
	case SUPERVISOR_INVALID_STRATEGY:
	case SUPERVISOR_INVALID_INTENSITY:
	case SUPERVISOR_INVALID_PERIOD:
	case SUPERVISOR_INVALID_AUTO_SHUTDOWN:
		fputs("error supervisor_data ", error);
		say_invalid_flags(error, invalid, &definition->flags);
		break;
	default:
		fputs("error start_spec ", error);
		say_invalid_child(error, invalid, &definition->children[0]);
		break;
	}
}

static struct tree *tree_create(struct world *world, const struct scn_sup *definition,
				struct place *place, FILE *error)
{
	struct scn_flag_values values = scn_flag_values(&definition->flags);
	bool simple = definition->kind == KIND_SIMPLE;
	bool dynamic = definition->kind != KIND_STATIC;
	bool notifies = world->nr_places & 1;
	bool group = world->nr_places & 2;
	SUP_OPTS(sup_child_opts, template);
	SUP_OPTS(sup_create_opts, options,
		 .strategy = dynamic ? SUPERVISOR_ONE_FOR_ONE : values.strategy,
		 .auto_shutdown = values.auto_shutdown,
		 .intensity = values.intensity,
		 .period = values.period,
		 .kind = simple ? SUPERVISOR_SIMPLE :
			 dynamic ? SUPERVISOR_DYNAMIC : SUPERVISOR_ORDERED,
		 .max_children = values.max_children);
	SUP_OPTS(sup_result, result);
	struct tree *tree;
	int fd;

	/* Without the one, it is refused: after its flags, as by OTP. */
	if (simple && definition->nr_children == 1) {
		child_options(&definition->children[0], notifies, group, &template);
		options.child = &template;
		options.child_id = definition->children[0].id;
	}
	fd = sup_create(world->device, place ? -1 : world->mailbox, &options, &result);
	if (fd == -EINVAL && (result.invalid || (simple && !options.child))) {
		if (error)
			say_refused(error, definition, result.invalid);
		return NULL;
	}
	if (fd < 0) {
		world_fail(world, "cannot create", definition->name, fd);
		return NULL;
	}
	tree = xcalloc(1, sizeof(*tree));
	tree->id = result.id;
	tree->fd = fd;
	tree->definition = definition;
	tree->actor = world_actor(world, definition->name);
	tree->place = place;
	tree->notifies = notifies;
	tree->group = group;
	tree->next = world->trees;
	world->trees = tree;
	return tree;
}

/*
 * A supervisor and all below it, not started: as a root, or for a place. NULL
 * when it is refused and @error says why.
 */
static struct tree *tree_make(struct world *world, const struct scn_sup *definition,
			      struct place *place, FILE *error)
{
	struct tree *tree = tree_create(world, definition, place, error);

	if (!tree || is_dynamic(tree))
		return tree;
	for (size_t i = 0; i < definition->nr_children; i++)
		if (!tree_add(world, tree, &definition->children[i], error))
			return NULL;
	return tree;
}

/*
 * Calls
 */

static void say_reply(FILE *out, const struct scn_call *scn, int result)
{
	fprintf(out, "reply %s = ", scn->text);
	say_result(out, result);
	fputc('\n', out);
}

static int call_start_child(struct world *world, struct call *call)
{
	const struct scn_child *spec = &call->scn->child;
	struct place *place = place_make(world, call->tree, spec);
	SUP_OPTS(sup_child_opts, options);
	SUP_OPTS(sup_result, result);
	int ret;

	place_options(place, spec, &options);
	ret = sup_child_add_async(call->tree->fd, spec->id, &options, SUPERVISOR_NO_DEADLINE,
				  world->mailbox, call->cookie, &result);
	place->id = result.id;
	return ret;
}

static int call_start_dynamic(struct world *world, struct call *call)
{
	const struct scn_child *spec = &call->scn->child;
	struct place *place = place_make(world, call->tree, spec);
	SUP_OPTS(sup_child_opts, options);
	SUP_OPTS(sup_dynamic_opts, opts, .args_blob = &place, .args_blob_len = sizeof(place));

	if (call->tree->definition->kind == KIND_DYNAMIC) {
		place_options(place, spec, &options);
		opts.child = &options;
		opts.id = spec->id;
	}
	return sup_dynamic_start_async(call->tree->fd, &opts, SUPERVISOR_NO_DEADLINE,
				       world->mailbox, call->cookie, NULL);
}

/* Of a process, the last one of that name; one that nobody has had stands for another. */
static int call_terminate_dynamic(struct world *world, const struct call *call)
{
	const char *name = call->scn->child.name;
	const struct actor *actor = world_actor(world, name);
	struct supervisor_child_call arg = {
		.size = sizeof(arg),
		.flags = SUPERVISOR_CALL_F_ASYNC,
		.deadline = SUPERVISOR_NO_DEADLINE,
		.cookie = call->cookie,
		.mailbox_fd = world->mailbox,
	};

	if (strcmp(name, "-") == 0) {
		arg.id = (uintptr_t)name;
		arg.id_len = 1;
	} else if (actor->last && actor->last->parent == call->tree) {
		arg.child = actor->last->id;
		arg.incarnation = actor->incarnation;
	} else if (!actor->started || actor->running || actor->tree) {
		arg.pid = getpid();
	} else {
		arg.child = ~0ULL;
	}
	return ioctl(call->tree->fd, SUPERVISOR_CHILD_TERMINATE, &arg) ? -errno : 0;
}

static int call_submit(struct world *world, struct call *call)
{
	const char *id = call->scn->child.id;
	uint64_t deadline = SUPERVISOR_NO_DEADLINE;
	uint64_t cookie = call->cookie;
	int mailbox = world->mailbox;
	int fd = call->tree->fd;

	switch (call->scn->verb) {
	case VERB_START_CHILD:
		return is_dynamic(call->tree) ? call_start_dynamic(world, call) :
						call_start_child(world, call);
	case VERB_TERMINATE_CHILD:
		if (is_dynamic(call->tree))
			return call_terminate_dynamic(world, call);
		return sup_child_terminate_async(fd, id, deadline, mailbox, cookie);
	case VERB_RESTART_CHILD:
		return sup_child_restart_async(fd, id, deadline, mailbox, cookie);
	case VERB_DELETE_CHILD:
		return sup_child_delete_async(fd, id, deadline, mailbox, cookie);
	case VERB_GET_CHILDSPEC:
		return sup_child_get_spec_async(fd, id, deadline, mailbox, cookie, ANSWER_BYTES);
	case VERB_WHICH_CHILDREN:
		return sup_which_children_async(fd, deadline, mailbox, cookie, ANSWER_BYTES);
	case VERB_COUNT_CHILDREN:
		return sup_count_children_async(fd, deadline, mailbox, cookie);
	}
	return -EINVAL;
}

/* Elixir looks at a spec in the caller, before the call is made. */
static uint32_t call_invalid(const struct tree *tree, const struct scn_call *scn)
{
	struct scn_child_values values;

	if (tree->definition->kind != KIND_DYNAMIC || scn->verb != VERB_START_CHILD)
		return SUPERVISOR_VALID;
	values = scn_child_values(&scn->child);
	if (values.restart < 0)
		return SUPERVISOR_INVALID_RESTART_TYPE;
	if (values.significant)
		return SUPERVISOR_INVALID_SIGNIFICANT;
	if (values.type < 0)
		return SUPERVISOR_INVALID_CHILD_TYPE;
	return values.shutdown_ms < SUPERVISOR_SHUTDOWN_KILL ? SUPERVISOR_INVALID_SHUTDOWN :
							       SUPERVISOR_VALID;
}

static void say_invalid_call(FILE *result, FILE *out, const struct scn_call *scn,
			     uint32_t invalid)
{
	FILE *to = result ? result : out;

	if (!result)
		fprintf(out, "reply %s = ", scn->text);
	fputs("error ", to);
	say_invalid_child(to, invalid, &scn->child);
	if (!result)
		fputc('\n', out);
}

/* Make a call. Without @result a reply line is its answer; one at once to @out. */
static void world_make_call(struct world *world, const struct scn_call *scn, FILE *result,
			    FILE *out)
{
	struct tree *tree = world_actor(world, scn->sup)->tree;
	struct call **end = &world->calls;
	struct call *call;
	uint32_t invalid;
	int ret;

	if (!tree) {
		if (result)
			say_result(result, SUPERVISOR_RESULT_NOPROC);
		else
			say_reply(out, scn, SUPERVISOR_RESULT_NOPROC);
		return;
	}

	invalid = call_invalid(tree, scn);
	if (invalid) {
		say_invalid_call(result, out, scn, invalid);
		return;
	}
	call = xcalloc(1, sizeof(*call));
	call->cookie = ++world->cookie;
	call->tree = tree;
	call->scn = scn;
	call->result = result;
	while (*end)
		end = &(*end)->next;
	*end = call;
	ret = call_submit(world, call);
	if (ret < 0)
		world_fail(world, "cannot make the call", scn->text, ret);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In no order, so in that of their texts. */
static void say_dynamic_children(const struct world *world, FILE *out,
				 const struct supervisor_msg *msg)
{
	const struct supervisor_child_status *child = NULL;
	char **texts = NULL;
	size_t nr = 0;

	while ((child = sup_msg_child_next(msg, child))) {
		const struct place *place = world_place(world, child->id);
		const char *name = place && child->state == SUPERVISOR_CHILD_RUNNING ?
				   place->actor->name : "_";
		size_t len;
		FILE *text;

		texts = xgrow(texts, nr, sizeof(*texts));
		text = open_memstream(&texts[nr++], &len);
		say_child_state(text, true, name, strlen(name), child->state, child->type);
		fclose(text);
	}
	if (nr)
		qsort(texts, nr, sizeof(*texts), compare_texts);
	else
		fputs("none", out);
	for (size_t i = 0; i < nr; i++) {
		fprintf(out, "%s%s", i ? " " : "", texts[i]);
		free(texts[i]);
	}
	free(texts);
}

static void say_which_children(FILE *out, const struct supervisor_msg *msg)
{
	const struct supervisor_child_status *child = NULL;
	bool first = true;

	while ((child = sup_msg_child_next(msg, child))) {
		say_child_state(out, first, child->name, child->name_len, child->state,
				child->type);
		first = false;
	}
	if (first)
		fputs("none", out);
}

static void say_count_children(FILE *out, const struct supervisor_msg *msg)
{
	const struct supervisor_count *count = sup_msg_count(msg);

	if (count)
		fprintf(out, "specs=%llu active=%llu supervisors=%llu workers=%llu",
			(unsigned long long)count->specs, (unsigned long long)count->active,
			(unsigned long long)count->supervisors,
			(unsigned long long)count->workers);
}

static void say_spec(FILE *out, const struct supervisor_msg *msg, const char *id)
{
	SUP_OPTS(sup_child_opts, options);
	struct scn_child_values values;

	if (sup_msg_spec(msg, &options) < 0)
		return;
	values = (struct scn_child_values){
		.restart = options.restart,
		.significant = options.significant,
		.type = options.type,
		.shutdown_ms = options.shutdown_ms,
	};
	say_child_spec(out, id, strlen(id), &values);
}

/* Of a dynamic supervisor there is but the template, which has an id. */
static void say_spec_of(FILE *out, const struct call *call, const struct supervisor_msg *msg)
{
	const char *id = call->scn->child.id;

	if (is_dynamic(call->tree) && strcmp(call->tree->definition->children[0].id, id) != 0)
		say_result(out, SUPERVISOR_RESULT_NOT_FOUND);
	else
		say_spec(out, msg, id);
}

static void say_ok(const struct world *world, FILE *out, const struct call *call,
		   const struct supervisor_msg *msg)
{
	switch (call->scn->verb) {
	case VERB_WHICH_CHILDREN:
		if (is_dynamic(call->tree))
			say_dynamic_children(world, out, msg);
		else
			say_which_children(out, msg);
		break;
	case VERB_COUNT_CHILDREN:
		say_count_children(out, msg);
		break;
	case VERB_GET_CHILDSPEC:
		say_spec_of(out, call, msg);
		break;
	default:
		say_result(out, SUPERVISOR_RESULT_OK);
		break;
	}
}

static void say_answer(const struct world *world, FILE *out, const struct call *call,
		       const struct supervisor_msg *msg)
{
	const struct supervisor_msg_answer *answer = sup_msg_answer(msg);

	switch (answer->result) {
	case SUPERVISOR_RESULT_OK:
		say_ok(world, out, call, msg);
		break;
	case SUPERVISOR_RESULT_OK_UNDEFINED:
		if (call->tree->definition->kind == KIND_DYNAMIC)
			fputs("ignore", out);
		else
			say_result(out, SUPERVISOR_RESULT_OK_UNDEFINED);
		break;
	case SUPERVISOR_RESULT_NOPROC:
		/* It was up when the call was made. */
		say_result(out, SUPERVISOR_RESULT_EXIT);
		break;
	case SUPERVISOR_RESULT_INVALID:
		fputs("error ", out);
		say_invalid_child(out, answer->invalid, &call->scn->child);
		break;
	case SUPERVISOR_RESULT_MAX_CHILDREN:
		fputs("error max_children", out);
		break;
	case SUPERVISOR_RESULT_DYNAMIC:
		fputs("error simple_one_for_one", out);
		break;
	default:
		say_result(out, answer->result);
		break;
	}
}

static void world_free_call(struct world *world, struct call *call)
{
	take_out(world->calls, call);
	free(call);
}

static void world_answer(struct world *world, const struct supervisor_msg *msg)
{
	struct call *call = world_call(world, msg->ref, NULL);

	if (!call) {
		world_fail(world, "an answer to no call", NULL, 0);
		return;
	}
	if (call->result) {
		say_answer(world, call->result, call, msg);
	} else {
		fprintf(world_trace(world), "reply %s = ", call->scn->text);
		say_answer(world, world->trace, call, msg);
		fputc('\n', world->trace);
	}
	world_free_call(world, call);
}

/*
 * Receiving
 */

static const struct supervisor_msg *world_receive(struct world *world, uint64_t deadline)
{
	static _Alignas(8) char buf[MESSAGE_BYTES];
	size_t len = sizeof(buf);
	int ret = sup_mailbox_recv(world->mailbox, buf, &len, 1, deadline);

	if (ret == 1)
		return sup_msg_next(buf, len, NULL);
	if (ret != -EAGAIN && ret != -ETIMEDOUT)
		world_fail(world, "cannot receive", NULL, ret);
	return NULL;
}

static void world_put_off(struct world *world, const struct supervisor_msg *msg)
{
	struct later **end = &world->later;

	while (*end)
		end = &(*end)->next;
	*end = xcalloc(1, sizeof(**end));
	(*end)->msg = xcalloc(1, msg->size);
	memcpy((*end)->msg, msg, msg->size);
}

static void world_free_later(struct later **link)
{
	struct later *later = *link;

	*link = later->next;
	free(later->msg);
	free(later);
}

static bool is_answer_of(const struct world *world, const struct supervisor_msg *msg,
			 const struct tree *tree)
{
	const struct call *call;

	if (msg->type != SUPERVISOR_MSG_ANSWER)
		return false;
	call = world_call(world, msg->ref, NULL);
	return call && call->tree == tree;
}

/*
 * A supervisor that has ended answers the calls that are left while its parent
 * goes on already. In the trace the answers come first.
 */
static void tree_collect_answers(struct world *world, const struct tree *tree)
{
	struct later **link = &world->later;
	const struct supervisor_msg *msg;

	while (*link) {
		if (is_answer_of(world, (*link)->msg, tree)) {
			world_answer(world, (*link)->msg);
			world_free_later(link);
		} else {
			link = &(*link)->next;
		}
	}
	while (world_call(world, 0, tree)) {
		msg = world_receive(world, sup_deadline_in(PATIENCE_MS));
		if (!msg) {
			world_fail(world, "calls unanswered by", tree->actor->name, 0);
			return;
		}
		if (is_answer_of(world, msg, tree))
			world_answer(world, msg);
		else
			world_put_off(world, msg);
	}
}

/*
 * Starts
 */

/* What the scenario put behind the next failure of @actor. */
static void actor_queue_calls(struct world *world, struct actor *actor)
{
	const struct scn_call *call;
	size_t len;
	FILE *out;

	free(actor->replies);
	actor->replies = NULL;
	out = open_memstream(&actor->replies, &len);
	if (!out)
		abort();
	while ((call = behaviour_next_queued(&actor->behaviour)))
		world_make_call(world, call, NULL, out);
	fclose(out);
}

static void say_start_fail(struct world *world, struct actor *actor)
{
	fprintf(world_trace(world), "start_fail %s\n", actor->name);
	if (actor->replies)
		fputs(actor->replies, world_trace(world));
	free(actor->replies);
	actor->replies = NULL;
}

/* The start of @place is about to fail, and so are those above it under way. */
static void place_queue_calls(struct world *world, const struct place *place)
{
	const struct tree *tree = place->parent;

	actor_queue_calls(world, place->actor);
	while (tree && !tree->up) {
		actor_queue_calls(world, tree->actor);
		tree = tree->place ? tree->place->parent : NULL;
	}
}

static void place_report(struct world *world, const struct place *place, uint64_t token,
			 uint32_t report)
{
	int error = report == SUPERVISOR_REPORT_FAILED ? ENOENT : 0;
	int ret = sup_child_report(world->device, token, report, error);

	if (ret < 0)
		world_fail(world, "cannot report on", place->actor->name, ret);
}

static void place_spawn(struct world *world, struct place *place, uint64_t token,
			enum worker_start start)
{
	place->pid = worker_start(world->device, token, place->actor->orders, start);
	if (place->pid < 0)
		world_fail(world, "cannot start a process for", place->actor->name, -errno);
	else if (start == WORKER_NOTIFY)
		place_report(world, place, token, SUPERVISOR_REPORT_STARTED);
}

/* A start comes to nothing in one of the ways there are. */
static void place_fail(struct world *world, struct place *place, uint64_t token)
{
	unsigned int way = place->notifies ? place->nr_not_started++ % 3 : 2;

	place_queue_calls(world, place);
	if (way == 0)
		place_spawn(world, place, token, WORKER_DIE);
	else if (way == 1)
		place_spawn(world, place, token, WORKER_FAIL);
	else
		place_report(world, place, token, SUPERVISOR_REPORT_FAILED);
}

static void place_decline(struct world *world, struct place *place, uint64_t token)
{
	if (place->notifies && place->nr_not_started++ % 2 == 0)
		place_spawn(world, place, token, WORKER_IGNORE);
	else
		place_report(world, place, token, SUPERVISOR_REPORT_IGNORE);
}

/* What OTP asks of init/1. */
static void nested_start(struct world *world, struct place *place, uint64_t token,
			 enum scn_attempt attempt)
{
	uint32_t report = SUPERVISOR_REPORT_READY;

	place->objected = attempt == ATTEMPT_FAIL;
	if (place->objected) {
		place_queue_calls(world, place);
		report = SUPERVISOR_REPORT_FAILED;
	} else if (attempt == ATTEMPT_IGNORE) {
		report = SUPERVISOR_REPORT_IGNORE;
	}
	place_report(world, place, token, report);
}

/* A dynamic supervisor's child brings its place along. */
static struct place *start_place(const struct world *world, const struct supervisor_msg *msg)
{
	struct place *place;
	const void *args;
	size_t len;

	args = sup_msg_args(msg, &len);
	if (len != sizeof(place))
		return world_place(world, msg->child);
	memcpy(&place, args, sizeof(place));
	place->id = msg->child;
	return place;
}

static void world_start(struct world *world, const struct supervisor_msg *msg)
{
	struct place *place = start_place(world, msg);
	enum scn_attempt attempt;

	if (!place) {
		world_fail(world, "a START of nobody", NULL, 0);
		return;
	}
	attempt = behaviour_next_attempt(&place->actor->behaviour);
	if (place->tree) {
		nested_start(world, place, msg->ref, attempt);
	} else if (attempt == ATTEMPT_FAIL || (place->refused && attempt == ATTEMPT_OK)) {
		place_fail(world, place, msg->ref);
	} else if (attempt == ATTEMPT_IGNORE) {
		place_decline(world, place, msg->ref);
	} else {
		place_spawn(world, place, msg->ref,
			    place->notifies ? WORKER_NOTIFY : WORKER_ATTACH);
	}
}

/*
 * Events
 */

static void tree_went_up(struct world *world, struct tree *tree)
{
	tree->up = true;
	tree->actor->tree = tree;
	fprintf(world_trace(world), "start %s\n", tree->actor->name);
	if (!tree->place)
		say_result(world->run_result, SUPERVISOR_RESULT_OK);
}

static void tree_went_down(struct world *world, struct tree *tree,
			   const struct supervisor_msg_event *event)
{
	tree->started = false;
	if (tree->up) {
		tree->up = false;
		tree->actor->tree = NULL;
		if (tree->place)
			say_end(world, tree->place, "exit", say_reason(event->reason));
		else
			fprintf(world_trace(world), "exit %s %s\n", tree->actor->name,
				say_reason(event->reason));
		tree_collect_answers(world, tree);
		return;
	}
	if (!tree->place && tree->failed && event->down == SUPERVISOR_DOWN_INIT_FAILED)
		fprintf(world->run_result, "error failed_to_start_child %s",
			tree->failed->child_id);
	say_start_fail(world, tree->actor);
}

/* UP and DOWN name a root itself, and a nested supervisor by its place. */
static void world_tree_event(struct world *world, const struct supervisor_msg_event *event)
{
	struct place *place = world_place(world, event->head.child);
	struct tree *tree = event->head.child ? place ? place->tree : NULL :
						world_tree(world, event->head.supervisor);

	if (!tree)
		world_fail(world, "an event of no supervisor", NULL, 0);
	else if (event->event == SUPERVISOR_EVENT_UP)
		tree_went_up(world, tree);
	else
		tree_went_down(world, tree, event);
}

static void place_reap(struct place *place)
{
	if (place->pid > 0)
		waitpid(place->pid, NULL, 0);
	place->pid = 0;
}

static void worker_exited(struct world *world, struct place *place, int reason)
{
	say_end(world, place, "exit", say_reason(reason));
	if (place->actor->running == place)
		place->actor->running = NULL;
	place_reap(place);
}

static void actor_started(struct place *place, uint32_t incarnation)
{
	place->actor->started = true;
	if (!is_dynamic(place->parent))
		return;
	place->actor->last = place;
	place->actor->incarnation = incarnation;
}

static void worker_event(struct world *world, struct place *place,
			 const struct supervisor_msg_event *event)
{
	switch (event->event) {
	case SUPERVISOR_EVENT_STARTED:
		actor_started(place, event->head.incarnation);
		place->actor->running = place;
		fprintf(world_trace(world), "start %s\n", place->actor->name);
		break;
	case SUPERVISOR_EVENT_START_FAILED:
		say_start_fail(world, place->actor);
		place_reap(place);
		break;
	case SUPERVISOR_EVENT_START_IGNORED:
		place_reap(place);
		fprintf(world_trace(world), "start_ignore %s\n", place->actor->name);
		break;
	case SUPERVISOR_EVENT_TERM:
		say_end(world, place, "term", "");
		break;
	case SUPERVISOR_EVENT_KILL:
		say_end(world, place, "kill", "");
		break;
	case SUPERVISOR_EVENT_EXITED:
		worker_exited(world, place, event->reason);
		break;
	case SUPERVISOR_EVENT_START_REQUEST:
		break;
	default:
		world_fail(world, "an event beyond the scenario of", place->actor->name, 0);
		break;
	}
}

/* A nested supervisor that has begun to start speaks for itself. */
static void nested_event(struct world *world, struct place *place,
			 const struct supervisor_msg_event *event)
{
	if (event->event == SUPERVISOR_EVENT_START_IGNORED)
		fprintf(world_trace(world), "start_ignore %s\n", place->actor->name);
	else if (event->event == SUPERVISOR_EVENT_START_FAILED && place->objected)
		say_start_fail(world, place->actor);
	else if (event->event == SUPERVISOR_EVENT_STARTED)
		actor_started(place, event->head.incarnation);
}

static void world_event(struct world *world, const struct supervisor_msg_event *event)
{
	struct place *place;

	if (event->event == SUPERVISOR_EVENT_UP || event->event == SUPERVISOR_EVENT_DOWN) {
		world_tree_event(world, event);
		return;
	}
	place = world_place(world, event->head.child);
	if (!place) {
		world_fail(world, "an event of nobody", NULL, 0);
		return;
	}
	if (event->event == SUPERVISOR_EVENT_START_FAILED)
		place->parent->failed = place;
	if (place->tree)
		nested_event(world, place, event);
	else
		worker_event(world, place, event);
}

static void world_handle(struct world *world, const struct supervisor_msg *msg)
{
	switch (msg->type) {
	case SUPERVISOR_MSG_START:
		world_start(world, msg);
		break;
	case SUPERVISOR_MSG_EVENT:
		world_event(world, sup_msg_event(msg));
		break;
	case SUPERVISOR_MSG_ANSWER:
		world_answer(world, msg);
		break;
	default:
		world_fail(world, "events were lost", NULL, 0);
		break;
	}
}

/* Handle the next message, should one come before @deadline. */
static bool world_step(struct world *world, uint64_t deadline)
{
	const struct supervisor_msg *msg;
	struct later *later = world->later;

	if (world->failed)
		return false;
	if (later) {
		world->later = later->next;
		world_handle(world, later->msg);
		world_free_later(&later);
		return !world->failed;
	}
	msg = world_receive(world, deadline);
	if (msg)
		world_handle(world, msg);
	return msg && !world->failed;
}

static bool world_idle(struct world *world)
{
	for (const struct tree *tree = world->trees; tree; tree = tree->next) {
		int ret = tree->started ? sup_wait_idle(tree->fd, 0) : 0;

		if (ret == -EAGAIN)
			return false;
		if (ret < 0)
			return world_fail(world, "cannot wait for", tree->actor->name, ret);
	}
	return true;
}

/*
 * The backend
 */

static void *device_open(const struct scenario *scenario, FILE *trace)
{
	struct world *world = xcalloc(1, sizeof(*world));

	world->scenario = scenario;
	world->trace = trace;
	world->device = sup_device_open();
	if (world->device < 0) {
		world_fail(world, "/dev/supervisor", NULL, world->device);
		free(world);
		return NULL;
	}
	world->mailbox = sup_mailbox_create(world->device, MAILBOX_BYTES, NULL);
	if (world->mailbox < 0) {
		world_fail(world, "no mailbox", NULL, world->mailbox);
		close(world->device);
		free(world);
		return NULL;
	}
	return world;
}

/* Stop all that runs, with a kill to those that would take their time. */
static void world_end_trees(struct world *world)
{
	for (const struct tree *tree = world->trees; tree; tree = tree->next)
		if (tree->started)
			sup_stop_async(tree->fd, SUPERVISOR_EXIT_SHUTDOWN);
	for (const struct place *place = world->places; place; place = place->next)
		if (place->pid > 0)
			kill(place->pid, SIGKILL);
	for (const struct tree *tree = world->trees; tree; tree = tree->next) {
		int ret = tree->started ?
			  sup_wait_down(tree->fd, sup_deadline_in(PATIENCE_MS), NULL, NULL) : 0;

		if (ret < 0)
			world_fail(world, "does not end:", tree->actor->name, ret);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void device_close(void *data)
{
	struct world *world = data;
	struct actor *actor;
	struct place *place;
	struct call *call;
	struct tree *tree;

	world_end_trees(world);
	while ((call = take_first(world->calls)))
		free(call);
	while (world->later)
		world_free_later(&world->later);
	while ((place = take_first(world->places)))
		free(place);
	while ((tree = take_first(world->trees))) {
		close(tree->fd);
		free(tree);
	}
	while ((actor = take_first(world->actors))) {
		behaviour_free(&actor->behaviour);
		orders_free(actor->orders);
		free(actor->replies);
		free(actor);
	}
	close(world->mailbox);
	close(world->device);
	free(world);
}

static bool device_behave(void *data, const struct scn_command *command)
{
	struct actor *actor = world_actor(data, command->names[0]);
	bool noted = behaviour_note(&actor->behaviour, command);

	actor->orders->stubborn = actor->behaviour.stubborn;
	actor->orders->slow_ms = actor->behaviour.slow_ms;
	actor->orders->onterm = actor->behaviour.onterm;
	return noted;
}

static bool device_settle(void *data)
{
	struct world *world = data;
	uint64_t deadline = sup_deadline_in(PATIENCE_MS);

	for (;;) {
		while (world_step(world, 0))
			;
		/* Idle, and nothing was said on the way there. */
		if (world_idle(world) && !world_step(world, 0))
			break;
		if (!world->failed && sup_deadline_in(0) > deadline)
			world_fail(world, "a supervisor waits for something that never comes",
				   NULL, 0);
		if (!world->failed)
			world_step(world, sup_deadline_in(LOOK_MS));
		if (world->failed)
			return false;
	}
	world_trace(world);
	return !world->failed;
}

static bool tree_run(struct world *world, const struct scn_sup *definition, FILE *result)
{
	struct actor *actor = world_actor(world, definition->name);
	struct tree *tree = tree_make(world, definition, NULL, result);
	int ret;

	if (world->failed)
		return false;
	if (!tree) {
		actor_queue_calls(world, actor);
		say_start_fail(world, actor);
		return true;
	}
	tree->started = true;
	world->run_result = result;
	ret = sup_subscribe(tree->fd, world->mailbox, NULL);
	if (ret == 0)
		ret = sup_start_async(tree->fd);
	return ret < 0 ? world_fail(world, "cannot start", actor->name, ret) :
			 device_settle(world);
}

static bool device_run(void *data, const struct scn_sup *definition, FILE *result)
{
	struct world *world = data;
	struct actor *actor = world_actor(world, definition->name);

	if (actor->tree) {
		fputs("already_running", result);
		return true;
	}
	switch (behaviour_next_attempt(&actor->behaviour)) {
	case ATTEMPT_FAIL:
		say_result(result, SUPERVISOR_RESULT_START_FAILED);
		actor_queue_calls(world, actor);
		say_start_fail(world, actor);
		return !world->failed;
	case ATTEMPT_IGNORE:
		fputs("ignore", result);
		fprintf(world_trace(world), "start_ignore %s\n", actor->name);
		return true;
	default:
		return tree_run(world, definition, result);
	}
}

/* Deaths that come together: their supervisors are to see them all at once. */
static bool hold(struct world *world, const char **names, size_t nr_names)
{
	for (size_t i = 0; i < nr_names; i++) {
		const struct actor *actor = world_actor(world, names[i]);
		struct tree *tree = actor->running ? actor->running->parent : NULL;
		int ret;

		if (!tree || tree->held)
			continue;
		ret = sup_suspend(tree->fd, 0, sup_deadline_in(PATIENCE_MS));
		if (ret < 0)
			return world_fail(world, "cannot suspend", tree->actor->name, ret);
		tree->held = true;
	}
	return true;
}

static bool let_go(struct world *world)
{
	for (struct tree *tree = world->trees; tree; tree = tree->next) {
		int ret = tree->held ? sup_resume(tree->fd, 0) : 0;

		tree->held = false;
		if (ret < 0)
			return world_fail(world, "cannot resume", tree->actor->name, ret);
	}
	return true;
}

static enum die_result die_one(struct world *world, const char *name, int reason)
{
	struct actor *actor = world_actor(world, name);
	struct place *place = actor->running;
	uint64_t deadline = sup_deadline_in(PATIENCE_MS);

	if (!place)
		return actor->tree ? DIE_NOT_WORKER : DIE_NOT_RUNNING;
	worker_end(place->pid, actor->orders, reason);
	while (actor->running == place)
		if (!world_step(world, deadline) && !world->failed)
			world_fail(world, "does not die:", name, 0);
		else if (world->failed)
			break;
	return DIE_OK;
}

static bool device_die(void *data, const char **names, size_t nr_names, int reason,
		       enum die_result *results)
{
	struct world *world = data;

	if (nr_names > 1 && !world->frozen && !hold(world, names, nr_names))
		return false;
	for (size_t i = 0; i < nr_names && !world->failed; i++)
		results[i] = die_one(world, names[i], reason);
	/* What follows from their deaths is no part of them. */
	world_trace(world);
	return let_go(world) && !world->failed;
}

static bool device_stop(void *data, const char *name, int reason, FILE *result)
{
	struct world *world = data;
	const struct tree *tree = world_actor(world, name)->tree;
	int ret;

	say_result(result, tree ? SUPERVISOR_RESULT_OK : SUPERVISOR_RESULT_NOPROC);
	ret = tree ? sup_stop_async(tree->fd, reason) : 0;
	return ret == 0 || world_fail(world, "cannot stop", name, ret);
}

static bool device_sleep(void *data, uint64_t ms)
{
	uint64_t deadline = sup_deadline_in(ms);
	struct timespec until = { .tv_sec = deadline / 1000000000,
				  .tv_nsec = deadline % 1000000000 };

	(void)data;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		;
	return true;
}

static bool device_freeze(void *data)
{
	struct world *world = data;

	world->frozen = true;
	for (const struct tree *tree = world->trees; tree; tree = tree->next) {
		int ret = tree->started ? sup_suspend(tree->fd, SUPERVISOR_SUSPEND_F_TREE,
						      sup_deadline_in(PATIENCE_MS)) : 0;

		if (ret < 0)
			return world_fail(world, "cannot suspend", tree->actor->name, ret);
	}
	return true;
}

static bool device_thaw(void *data)
{
	struct world *world = data;

	world->frozen = false;
	for (const struct tree *tree = world->trees; tree; tree = tree->next) {
		int ret = tree->started ? sup_resume(tree->fd, SUPERVISOR_SUSPEND_F_TREE) : 0;

		if (ret < 0)
			return world_fail(world, "cannot resume", tree->actor->name, ret);
	}
	return true;
}

static bool device_call(void *data, const struct scn_call *call, FILE *result)
{
	struct world *world = data;

	world_make_call(world, call, world->frozen ? NULL : result, world_trace(world));
	return !world->failed;
}

const struct replay_backend replay_device = {
	.open = device_open,
	.close = device_close,
	.behave = device_behave,
	.run = device_run,
	.die = device_die,
	.stop = device_stop,
	.sleep = device_sleep,
	.freeze = device_freeze,
	.thaw = device_thaw,
	.call = device_call,
	.settle = device_settle,
};
