// SPDX-License-Identifier: GPL-2.0
/*
 * reload - makes a running tree what its file now says, one call after the
 * other, while the tree goes on: children that the file no longer has are
 * stopped and deleted, new ones started. A child whose spec changed is left as
 * it is, and named, unless it is to be restarted.
 *
 * reload->tree is what runs once all steps are done. A step names its child by
 * path, and finds it in that tree.
 */
#include "reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "tree_create.h"
#include "words.h"

enum step_kind {
	STEP_TERMINATE,
	STEP_DELETE,
	STEP_ADD
};

struct place {
	char *above;	/* the supervisor's path below the root, "" for the root */
	char *id;
};

struct step {
	enum step_kind kind;
	struct place place;
};

struct reload {
	int device;
	int root;
	int mailbox;
	bool restart_changed;
	struct tree *tree;
	struct step *steps;
	size_t next, count;
	uint64_t cookie;		/* of the call under way; 0: none is */
	uint64_t last_cookie;
	struct place *amended;		/* what differs from the creation, by nested
					 * supervisor and id */
	size_t amended_count;
};

struct reload *reload_new(int device, int root, int mailbox, struct tree *tree,
			  bool restart_changed)
{
	struct reload *reload = xcalloc(1, sizeof(*reload));

	reload->device = device;
	reload->root = root;
	reload->mailbox = mailbox;
	reload->tree = tree;
	reload->restart_changed = restart_changed;
	return reload;
}

static struct place place_of(const char *above, const char *id)
{
	return (struct place){ xstrdup(above), xstrdup(id) };
}

static void place_free(struct place *place)
{
	free(place->above);
	free(place->id);
}

static void forget_steps(struct reload *reload)
{
	while (reload->count)
		place_free(&reload->steps[--reload->count].place);
	reload->next = 0;
}

void reload_free(struct reload *reload)
{
	if (!reload)
		return;
	forget_steps(reload);
	free(reload->steps);
	while (reload->amended_count)
		place_free(&reload->amended[--reload->amended_count]);
	free(reload->amended);
	tree_free(reload->tree);
	free(reload);
}

void reload_cancel(struct reload *reload)
{
	forget_steps(reload);
	reload->cookie = 0;
}

bool reload_busy(const struct reload *reload)
{
	return reload->cookie || reload->next < reload->count;
}

static void plan(struct reload *reload, enum step_kind kind, const char *above,
		 const char *id)
{
	struct step *step;

	reload->steps = xrealloc(reload->steps, reload->count + 1,
				 sizeof(*reload->steps));
	step = &reload->steps[reload->count++];
	step->kind = kind;
	step->place = place_of(above, id);
}

static void plan_removal(struct reload *reload, const char *above,
			 const char *id)
{
	plan(reload, STEP_TERMINATE, above, id);
	plan(reload, STEP_DELETE, above, id);
}

static char *join(const char *above, const char *id)
{
	return xasprintf("%s%s%s", above, *above ? "/" : "", id);
}

/* Whether two children are the same but for what is below them. */
static bool is_same(const struct tree_child *a, const struct tree_child *b)
{
	if (!a->supervisor != !b->supervisor || !tree_spec_equal(a, b))
		return false;
	return !a->supervisor || tree_flags_equal(a->supervisor, b->supervisor);
}

/*
 * Plans what leads from @old to @new. What is left as it was goes from @old
 * into @new, so that @new is what will run.
 */
static void compare(struct reload *reload, const char *above,
		    struct tree_supervisor *old, struct tree_supervisor *new)
{
	size_t i;

	for (i = old->count; i--;)
		if (!tree_find(new, old->children[i].id))
			plan_removal(reload, above, old->children[i].id);
	for (i = 0; i < new->count; i++) {
		struct tree_child *after = &new->children[i];
		struct tree_child *before = tree_find(old, after->id);
		char *path = join(above, after->id);

		if (!before) {
			plan(reload, STEP_ADD, above, after->id);
		} else if (is_same(before, after)) {
			if (after->supervisor)
				compare(reload, path, before->supervisor,
					after->supervisor);
		} else if (reload->restart_changed) {
			plan_removal(reload, above, after->id);
			plan(reload, STEP_ADD, above, after->id);
		} else {
			struct tree_child kept = *before;

			complain("%s/%s: changed, and left as it was: --restart-changed would restart it",
				 reload->tree->name, path);
			*before = *after;
			*after = kept;
		}
		free(path);
	}
}

/* The supervisor at a path of the tree, or NULL. */
static struct tree_supervisor *find_supervisor(const struct reload *reload,
					       const char *path)
{
	struct tree_supervisor *supervisor = &reload->tree->root;
	char *copy = xstrdup(path), *rest = *copy ? copy : NULL, *id;

	while (supervisor && (id = strsep(&rest, "/"))) {
		struct tree_child *child = tree_find(supervisor, id);

		supervisor = child ? child->supervisor : NULL;
	}
	free(copy);
	return supervisor;
}

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	return !strncmp(path, above, length) &&
	       (!path[length] || path[length] == '/');
}

/* A supervisor was created anew: nothing below it is amended. */
static void forget_amended(struct reload *reload, const char *path)
{
	size_t i = 0;

	while (i < reload->amended_count)
		if (is_below(reload->amended[i].above, path)) {
			place_free(&reload->amended[i]);
			reload->amended[i] =
				reload->amended[--reload->amended_count];
		} else {
			i++;
		}
}

static void amend(struct reload *reload, const struct place *place)
{
	size_t i;

	if (!*place->above)
		return; /* the root starts once */
	for (i = 0; i < reload->amended_count; i++)
		if (!strcmp(reload->amended[i].above, place->above) &&
		    !strcmp(reload->amended[i].id, place->id))
			return;
	reload->amended = xrealloc(reload->amended, reload->amended_count + 1,
				   sizeof(*reload->amended));
	reload->amended[reload->amended_count++] = place_of(place->above,
							    place->id);
}

static int add_async(struct reload *reload, int fd, const struct place *place,
		     uint64_t cookie, const char *path)
{
	struct tree_supervisor *above = find_supervisor(reload, place->above);
	struct tree_child *child = above ? tree_find(above, place->id) : NULL;
	SUP_OPTS(sup_result, result);
	struct sup_child_opts opts;
	int err;

	if (!child)
		return -ENOENT;
	err = tree_child_opts(reload->device, reload->tree, child, path, &opts);
	if (err)
		return err;
	if (child->supervisor)
		forget_amended(reload, strchr(path, '/') + 1);
	err = sup_child_add_async(fd, place->id, &opts, SUPERVISOR_NO_DEADLINE,
				  reload->mailbox, cookie, &result);
	if (opts.supervisor >= 0)
		close(opts.supervisor);
	return err;
}

/* Sends the call of a step: its answer will come, or -errno. */
static int carry_out(struct reload *reload, const struct step *step,
		     const char *path)
{
	const struct place *place = &step->place;
	uint64_t cookie = ++reload->last_cookie;
	int fd = reload->root;
	int err;

	if (*place->above) {
		fd = sup_open_child(reload->root, place->above, O_RDWR, NULL);
		if (fd < 0)
			return fd;
	}
	switch (step->kind) {
	case STEP_TERMINATE:
		err = sup_child_terminate_async(fd, place->id,
						SUPERVISOR_NO_DEADLINE,
						reload->mailbox, cookie);
		break;
	case STEP_DELETE:
		err = sup_child_delete_async(fd, place->id,
					     SUPERVISOR_NO_DEADLINE,
					     reload->mailbox, cookie);
		break;
	default:
		err = add_async(reload, fd, place, cookie, path);
	}
	if (fd != reload->root)
		close(fd);
	if (err >= 0)
		reload->cookie = cookie;
	return err < 0 ? err : 0;
}

static char *path_of(const struct reload *reload, const struct place *place)
{
	char *below = join(place->above, place->id);
	char *path = xasprintf("%s/%s", reload->tree->name, below);

	free(below);
	return path;
}

static void go_on(struct reload *reload)
{
	while (!reload->cookie && reload->next < reload->count) {
		struct step *step = &reload->steps[reload->next];
		char *path = path_of(reload, &step->place);
		int err = carry_out(reload, step, path);

		if (err) {
			complain_error(-err, "%s: reload", path);
			reload->next++;
		}
		free(path);
	}
	if (!reload_busy(reload))
		forget_steps(reload);
}

/* The tree has no such child, so that the next reload tries again. */
static void drop_child(struct reload *reload, const struct place *place)
{
	struct tree_supervisor *above = find_supervisor(reload, place->above);
	struct tree_child *child = above ? tree_find(above, place->id) : NULL;

	if (child)
		tree_remove(above, child);
}

static void finish(struct reload *reload, const struct step *step,
		   const struct supervisor_msg_answer *answer, const char *path)
{
	static const char * const done[] = {
		[STEP_TERMINATE] = "stopped",
		[STEP_DELETE] = "deleted",
		[STEP_ADD] = "added",
	};
	static const char * const wanted[] = {
		[STEP_TERMINATE] = "stop",
		[STEP_DELETE] = "delete",
		[STEP_ADD] = "add",
	};
	char *why;

	switch (answer->result) {
	case SUPERVISOR_RESULT_OK:
	case SUPERVISOR_RESULT_OK_UNDEFINED:
		if (step->kind != STEP_TERMINATE) {
			complain("%s: %s", path, done[step->kind]);
			amend(reload, &step->place);
		}
		return;
	case SUPERVISOR_RESULT_NOT_FOUND:
		if (step->kind != STEP_ADD)
			return; /* gone already */
		break;
	case SUPERVISOR_RESULT_START_FAILED:
		why = start_error_words(answer->error, answer->head.pid);
		complain("%s: not added: start failed: %s", path, why);
		free(why);
		drop_child(reload, &step->place);
		return;
	}
	complain("%s: %s: %s", path, wanted[step->kind],
		 word_of(SUP_WORDS_RESULT, answer->result));
}

void reload_answer(struct reload *reload,
		   const struct supervisor_msg_answer *answer)
{
	struct step *step;
	char *path;

	if (!reload->cookie || answer->head.ref != reload->cookie)
		return;
	reload->cookie = 0;
	step = &reload->steps[reload->next++];
	path = path_of(reload, &step->place);
	finish(reload, step, answer, path);
	free(path);
	go_on(reload);
}

/* Can those of the one be compared with those of the other at all? */
static bool has_like_children(const struct tree_supervisor *a,
			      const struct tree_supervisor *b)
{
	return a->opts.kind == b->opts.kind && a->partitions == b->partitions;
}

/* What was said of the running root itself stays said. */
static void keep_flags(struct tree_supervisor *old, struct tree_supervisor *new)
{
	struct tree_child *template = new->template;

	new->opts = old->opts;
	new->template = old->template;
	old->template = template;
}

void reload_begin(struct reload *reload, struct tree *tree)
{
	struct tree *old = reload->tree;

	if (!tree_flags_equal(&old->root, &tree->root))
		complain("%s: changed, and left as it was: a tree's own flags take a new start of supctl",
			 old->name);
	if (strcmp(old->name, tree->name))
		complain("%s: changed its name to '%s', and left as it was: that takes a new start of supctl",
			 old->name, tree->name);
	if (!has_like_children(&old->root, &tree->root)) {
		tree_free(tree);
		return;
	}
	compare(reload, "", &old->root, &tree->root);
	keep_flags(&old->root, &tree->root);
	free(tree->name);
	tree->name = xstrdup(old->name);
	reload->tree = tree;
	tree_free(old);
	go_on(reload);
}

void reload_restarted(struct reload *reload, const char *path)
{
	struct tree_supervisor *supervisor = find_supervisor(reload, path);
	size_t i;

	for (i = 0; supervisor && i < reload->amended_count; i++) {
		const struct place *place = &reload->amended[i];

		if (strcmp(place->above, path))
			continue;
		plan_removal(reload, place->above, place->id);
		if (tree_find(supervisor, place->id))
			plan(reload, STEP_ADD, place->above, place->id);
	}
	go_on(reload);
}
