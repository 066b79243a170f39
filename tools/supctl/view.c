// SPDX-License-Identifier: GPL-2.0
/*
 * view - a live tree as it is at this moment, read from the kernel, for
 * everything that prints one.
 */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "child.h"
#include "json_put.h"
#include "lineage_text.h"
#include "payload.h"
#include "words.h"

static int read_supervisor(const struct view_query *query, struct view *view,
			   int fd);

/* A registry by its name, if it has one. */
static char *registry_words(uint64_t id)
{
	const struct supervisor_name_entry *entry = NULL;
	struct sup_names *names = NULL;
	int device = sup_device_open();
	char *words = NULL;

	if (device >= 0 && sup_list(device, &names) >= 0)
		while (!words && (entry = sup_names_next(names, entry)))
			if (entry->id == id)
				words = xstrdup(sup_names_name(entry));
	sup_names_free(names);
	if (device >= 0)
		close(device);
	return words ? words : xasprintf("%" PRIu64, id);
}

static void read_key(struct view *view,
		     const struct supervisor_child_status *status)
{
	const void *key = sup_children_key(status, &view->key_length);

	if (!key)
		return;
	view->registry = registry_words(status->registry);
	view->key = xcalloc(1, view->key_length);
	memcpy(view->key, key, view->key_length);
}

/*
 * A child that has gone since its parent was read is shown as the parent had
 * it.
 */
static void read_child(const struct view_query *query, struct view *view,
		       int parent, bool dynamic,
		       const struct supervisor_child_status *status,
		       const char *parent_path)
{
	char *name = child_name(dynamic, status);
	int fd;

	view->path = xasprintf("%s/%s", parent_path, name);
	view->id = view->path + strlen(parent_path) + 1;
	free(name);
	view->now_ns = monotonic_ns();
	view->is_dynamic_child = dynamic;
	view->as_child = xcalloc(1, status->size);
	memcpy(view->as_child, status, status->size);
	read_key(view, status);
	if (query->callers)
		child_lineage(parent, view->id, &view->lineage);
	view->is_supervisor = status->flags & SUPERVISOR_STATUS_F_SUPERVISOR;
	if (!view->is_supervisor)
		return;
	fd = sup_open_child(parent, view->id, O_RDONLY, NULL);
	if (fd < 0)
		return;
	read_supervisor(query, view, fd);
	close(fd);
}

static bool is_dynamic_view(const struct view *view)
{
	return view->complete && view->self.out_kind != SUPERVISOR_ORDERED;
}

/* As many as are wanted: whether those were all. */
static bool add_children(const struct view_query *query, struct view *view,
			 int fd, size_t most, const struct sup_children *children)
{
	const struct supervisor_child_status *status = NULL;

	while ((status = sup_children_next(children, status))) {
		if (view->count == most)
			return false;
		view->children = xrealloc(view->children, view->count + 1,
					  sizeof(*view->children));
		memset(&view->children[view->count], 0,
		       sizeof(*view->children));
		read_child(query, &view->children[view->count++], fd,
			   is_dynamic_view(view), status, view->path);
	}
	return true;
}

/* Page by page. They come and go meanwhile: how many there are is about so. */
static int read_members(const struct view_query *query, struct view *view,
			int fd)
{
	struct sup_children *children;
	bool all = query->most;
	int err;

	while (all) {
		err = sup_dynamic_status(fd, &view->self, &children);
		if (err < 0)
			return err;
		all = add_children(query, view, fd, query->most, children);
		sup_children_free(children);
		if (all && !view->self.cursor)
			break;
	}
	if (all || view->total < view->count)
		view->total = view->count;
	view->more = view->total - view->count;
	return 0;
}

static int read_specs(const struct view_query *query, struct view *view, int fd)
{
	struct sup_children *children;
	int err = sup_status(fd, &view->self, &children);

	if (err < 0)
		return err;
	add_children(query, view, fd, SIZE_MAX, children);
	sup_children_free(children);
	view->total = view->count;
	return 0;
}

/* 0 or -errno. */
static int read_supervisor(const struct view_query *query, struct view *view,
			   int fd)
{
	int err;

	view->is_supervisor = true;
	view->now_ns = monotonic_ns();
	view->self.size = sizeof(view->self);
	err = sup_status(fd, &view->self, NULL);
	if (err < 0)
		return err;
	view->complete = true;
	view->total = view->self.out_count;
	return is_dynamic_view(view) ? read_members(query, view, fd) :
				       read_specs(query, view, fd);
}

struct view *view_root(const struct view_query *query, int fd, const char *root,
		       int *err)
{
	struct view *view = xcalloc(1, sizeof(*view));

	view->path = xstrdup(root);
	view->id = view->path;
	view->is_root = true;
	view->as_child = xcalloc(1, sizeof(*view->as_child));
	*err = read_supervisor(query, view, fd);
	if (!*err)
		return view;
	view_free(view);
	return NULL;
}

static struct view *view_child(const struct view_query *query, int fd,
			       const struct target *target, int *err)
{
	struct child child;
	struct view *view;
	char *parent;

	*err = child_find(fd, target->id, &child);
	if (*err < 0)
		return NULL;
	parent = xasprintf("%.*s", (int)(strlen(target->path) -
					 strlen(target->id) - 1), target->path);
	view = xcalloc(1, sizeof(*view));
	read_child(query, view, fd, child.dynamic, child.status, parent);
	free(parent);
	child_release(&child);
	return view;
}

struct view *view_target(const struct view_query *query,
			 const struct target *target, int *status)
{
	int fd = open_parent(query->device, target, O_RDONLY);
	struct view *view;
	int err;

	if (fd < 0) {
		*status = -fd;
		return NULL;
	}
	view = target->id ? view_child(query, fd, target, &err) :
			    view_root(query, fd, target->root, &err);
	close(fd);
	if (view)
		return view;
	if (err == -ENOENT)
		complain("%s: no such child", target->path);
	else
		complain_error(-err, "%s", target->path);
	*status = status_of_error(-err);
	return NULL;
}

static void clear(struct view *view)
{
	size_t i;

	for (i = 0; i < view->count; i++)
		clear(&view->children[i]);
	free(view->children);
	sup_lineage_free(view->lineage);
	free(view->as_child);
	free(view->registry);
	free(view->key);
	free(view->path);
}

void view_free(struct view *view)
{
	if (view)
		clear(view);
	free(view);
}

bool view_runs(const struct view *view)
{
	if (!view->is_root &&
	    (view->as_child->state != SUPERVISOR_CHILD_RUNNING ||
	     view->as_child->flags & SUPERVISOR_STATUS_F_DEAD))
		return false;
	return !view->is_supervisor || !view->complete ||
	       view->self.out_state == SUPERVISOR_STATE_UP;
}

/* A supervisor that ends by itself, which its own will hear of when it is down. */
static bool view_runs_down(const struct view *view)
{
	return view->is_supervisor && view->complete &&
	       view->as_child->state == SUPERVISOR_CHILD_RUNNING &&
	       view->self.out_state == SUPERVISOR_STATE_STOPPING;
}

static bool view_held(const struct view *view)
{
	return view->is_root && view->self.out_hold_until_ns;
}

static uint64_t view_hold_left(const struct view *view)
{
	return view->self.out_hold_until_ns > view->now_ns ?
	       view->self.out_hold_until_ns - view->now_ns : 0;
}

char *view_state(const struct view *view)
{
	const char *state, *remark = "";

	if (view->is_root)
		state = word_of(SUP_WORDS_STATE, view->self.out_state);
	else if (view->as_child->flags & SUPERVISOR_STATUS_F_DEAD)
		state = "dead";
	else if (view_runs_down(view))
		state = word_of(SUP_WORDS_STATE, view->self.out_state);
	else
		state = word_of(SUP_WORDS_CHILD_STATE, view->as_child->state);
	if (view->is_supervisor && view->complete && view->self.out_suspended)
		remark = ",suspended";
	else if (view->as_child->flags & SUPERVISOR_STATUS_F_UNKILLABLE)
		remark = ",unkillable";
	return xasprintf("%s%s%s", state, remark, view_held(view) ? ",held" : "");
}

static char *exit_words(const struct view *view)
{
	const struct supervisor_child_status *child = view->as_child;
	char *signal, *words;

	if (child->flags & SUPERVISOR_STATUS_F_SUPERVISOR)
		return xasprintf("ended: %s",
				 word_of(SUP_WORDS_EXIT, child->last_reason));
	if (child->last_reason == SUPERVISOR_EXIT_SHUTDOWN &&
	    (child->last_status & 0x7f)) {
		signal = signal_name(child->last_status & 0x7f);
		words = xasprintf("stopped by %s", signal);
		free(signal);
		return words;
	}
	return status_words(child->last_status);
}

static char *held_words(const struct view *view)
{
	char *left = duration_words(view_hold_left(view));
	char *words = xasprintf("no owner, stops in %s", left);

	free(left);
	return words;
}

char *view_last_exit(const struct view *view)
{
	const struct supervisor_child_status *child = view->as_child;
	char *what, *ago, *words;

	if (view->is_root)
		return view_held(view) ? held_words(view) : NULL;
	if (child->flags & SUPERVISOR_STATUS_F_START_FAILED &&
	    child->state != SUPERVISOR_CHILD_RUNNING) {
		what = start_error_words(child->last_error, 0);
		words = xasprintf("start failed: %s", what);
		free(what);
		return words;
	}
	if (!(child->flags & SUPERVISOR_STATUS_F_EXITED))
		return NULL;
	what = exit_words(view);
	if (!child->last_exit_ns)
		return what;
	ago = duration_words(view->now_ns > child->last_exit_ns ?
			     view->now_ns - child->last_exit_ns : 0);
	words = xasprintf("%s %s ago", what, ago);
	free(what);
	free(ago);
	return words;
}

uint64_t view_restarts(const struct view *view)
{
	if (view->is_supervisor)
		return view->self.out_restarts;
	return view->as_child->incarnation ? view->as_child->incarnation - 1 : 0;
}

bool view_uptime(const struct view *view, uint64_t *ns)
{
	uint64_t since = view->is_root ? view->self.out_since_ns :
					 view->as_child->since_ns;

	if (!view_runs(view))
		return false;
	*ns = view->now_ns > since ? view->now_ns - since : 0;
	return true;
}

int view_pid(const struct view *view)
{
	return view->is_root ? view->self.out_owner_pid : view->as_child->pid;
}

const char *view_type(const struct view *view)
{
	if (!view->is_supervisor)
		return "worker";
	return is_dynamic_view(view) ?
		word_of(SUP_WORDS_CHILDREN, view->self.out_kind) : "supervisor";
}

char *view_callers(const struct view *view)
{
	const struct supervisor_lineage_entry *entry = NULL;
	char *all = NULL;

	while ((entry = sup_lineage_next(view->lineage, entry))) {
		char *words, *longer;

		if (entry->kind != SUPERVISOR_LINEAGE_CALLER)
			continue;
		words = lineage_entry_words(entry);
		longer = all ? xasprintf("%s; %s", all, words) : xstrdup(words);
		free(words);
		free(all);
		all = longer;
	}
	return all;
}

static void callers_json(const struct view *view, json_t *object)
{
	const struct supervisor_lineage_entry *entry = NULL;

	json_object_set_new(object, "callers", json_array());
	while ((entry = sup_lineage_next(view->lineage, entry)))
		if (entry->kind == SUPERVISOR_LINEAGE_CALLER)
			lineage_put_entry(object, entry);
}

static void exit_json(const struct supervisor_child_status *child,
		      json_t *object)
{
	json_t *last = json_object();

	json_put_word(last, "reason", SUP_WORDS_EXIT, child->last_reason);
	json_put_number(last, "status", child->last_status);
	if (child->last_exit_ns)
		json_put_number(last, "time_ns", child->last_exit_ns);
	json_object_set_new(object, "last_exit", last);
}

static void register_json(const struct view *view, json_t *object)
{
	json_t *registered = json_object();

	json_put_text(registered, "registry", view->registry);
	payload_put(registered, "key", view->key, view->key_length);
	json_object_set_new(object, "register", registered);
}

static void child_json(const struct view *view, json_t *object)
{
	const struct supervisor_child_status *child = view->as_child;

	json_put_word(object, "restart", SUP_WORDS_RESTART,
		      child->restart);
	json_put_number(object, "incarnation", child->incarnation);
	if (child->flags & SUPERVISOR_STATUS_F_EXITED)
		exit_json(child, object);
	if (child->flags & SUPERVISOR_STATUS_F_START_FAILED)
		json_put_errno(object, "last_error", child->last_error);
	if (view->key)
		register_json(view, object);
	if (view->lineage)
		callers_json(view, object);
}

static void put_dynamic_flags(const struct supervisor_status *self,
			      json_t *object)
{
	json_put_word(object, "type", SUP_WORDS_CHILDREN, self->out_kind);
	if (self->out_max_children == SUPERVISOR_CHILDREN_INFINITY)
		json_put_text(object, "max_children", "infinity");
	else
		json_put_number(object, "max_children", self->out_max_children);
	json_put_word(object, "spawn", SUP_WORDS_SPAWN, self->out_spawn);
}

void view_put_flags(const struct view *view, json_t *object)
{
	const struct supervisor_status *self = &view->self;

	json_put_word(object, "strategy", SUP_WORDS_STRATEGY,
		      self->out_strategy);
	json_put_number(object, "intensity", self->out_intensity);
	json_put_number(object, "period", self->out_period);
	json_put_word(object, "auto_shutdown", SUP_WORDS_AUTO_SHUTDOWN,
		      self->out_auto_shutdown);
	if (is_dynamic_view(view))
		put_dynamic_flags(self, object);
	if (self->out_partitions_max) {
		json_put_number(object, "partitions", self->out_partitions);
		json_put_number(object, "partitions_max",
				self->out_partitions_max);
	}
	if (view->is_root)
		json_put_word(object, "owner_death", SUP_WORDS_OWNER_DEATH,
			      self->out_owner_death);
	if (view->is_root && self->out_hold_ms)
		json_put_made(object, "hold",
			      xasprintf("%" PRIu32 "ms", self->out_hold_ms));
}

static void supervisor_json(const struct view *view, json_t *object)
{
	json_t *children = json_array();
	size_t i;

	json_put_bool(object, "suspended", view->self.out_suspended);
	if (view_held(view))
		json_put_number(object, "hold_left_ns", view_hold_left(view));
	view_put_flags(view, object);
	json_put_number(object, "count", view->total);
	for (i = 0; i < view->count; i++)
		json_array_append_new(children, view_json(&view->children[i]));
	json_object_set_new(object, "children", children);
	if (view->more)
		json_put_number(object, "more", view->more);
}

json_t *view_json(const struct view *view)
{
	json_t *object = json_object();
	uint64_t uptime;

	json_put_text(object, "path", view->path);
	json_put_text(object, "id", view->id);
	if (view->is_dynamic_child)
		json_put_text(object, "spec", sup_children_id(view->as_child));
	json_put_text(object, "type", view_type(view));
	json_put_made(object, "state", view_state(view));
	json_put_number(object, "pid", view_pid(view));
	json_put_number(object, "restarts", view_restarts(view));
	if (view_uptime(view, &uptime))
		json_put_number(object, "uptime_ns", uptime);
	json_put_made(object, "last", view_last_exit(view));
	if (!view->is_root)
		child_json(view, object);
	if (view->complete)
		supervisor_json(view, object);
	return object;
}
