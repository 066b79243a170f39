// SPDX-License-Identifier: GPL-2.0
/*
 * tree_file - a tree file, understood: what is to be created, down to the bytes
 * that tell a spawner how to start each child. Either the whole file makes
 * sense, or there is no tree and every mistake in it is told.
 */
#include "tree_file.h"

#include <stdlib.h>
#include <string.h>

#include "../common.h"
#include "tree_command.h"
#include "tree_dynamic.h"
#include "tree_registry.h"
#include "tree_shape.h"
#include "tree_spec.h"
#include "tree_value.h"
#include "words.h"

#define INTENSITY_MAX 1000000
#define PARTITIONS_MAX 4096

/* Keys that only a process may have, or only a supervisor. */
static const char * const process_keys[] = {
	"command", "shell", "stop_signal", "signal", "readiness",
	"start_timeout", "env", "clear_env", "cwd", "user", "group", "groups",
	"umask", "limits", "register", "stdin", "stdout", "stderr",
};

static const char * const supervisor_keys[] = {
	"strategy", "intensity", "period", "auto_shutdown", "partitions",
};

const char *tree_name_fault(const char *name)
{
	const unsigned char *c;

	if (!*name)
		return "at least one character";
	if (strlen(name) > SUPERVISOR_NAME_MAX)
		return "at most 255 bytes";
	for (c = (const unsigned char *)name; *c; c++)
		if (*c == '/' || *c < ' ' || *c == 127)
			return "no '/' and no control characters in it";
	return NULL;
}

static void read_flags(const struct tree_reader *reader, const char *strategy,
		       const char *intensity, const char *period,
		       const char *auto_shutdown, struct sup_create_opts *opts)
{
	value_word(reader, "strategy", strategy, SUP_WORDS_STRATEGY,
		   &opts->strategy);
	value_number(reader, "intensity", intensity, 0, INTENSITY_MAX,
		     &opts->intensity);
	value_seconds(reader, "period", period, &opts->period);
	value_word(reader, "auto_shutdown", auto_shutdown,
		   SUP_WORDS_AUTO_SHUTDOWN, &opts->auto_shutdown);
}

static void read_process(const struct tree_reader *reader,
			 const struct shape_child *shape,
			 struct tree_child *child)
{
	value_refuse(reader, supervisor_keys, ARRAY_SIZE(supervisor_keys),
		     "a process", "it in a supervisor, beside 'children'");
	tree_dynamic_refuse(reader, "a process");
	tree_spec_process_read(reader, shape, &child->opts);
	tree_register_read(reader, shape->registered, child);
	tree_command_read(reader, shape, &child->opts);
}

static void read_children(const struct tree_reader *reader,
			  const struct shape_child *shapes, size_t count,
			  const char *partitions, struct tree_supervisor *into,
			  unsigned int depth);

static void read_supervisor(const struct tree_reader *reader,
			    const struct shape_child *shape,
			    struct tree_child *child, unsigned int depth)
{
	bool dynamic = tree_dynamic_is(shape->type);
	SUP_OPTS(sup_create_opts, defaults);

	if (dynamic)
		value_refuse(reader, process_keys, ARRAY_SIZE(process_keys),
			     "a dynamic supervisor", "it in its 'template'");
	else
		value_refuse(reader, process_keys, ARRAY_SIZE(process_keys),
			     "a supervisor",
			     "it in a process, without 'children'");
	if (depth == SUPERVISOR_DEPTH_MAX) {
		mistake_add(reader->mistakes, child->line,
			    "at most 16 supervisors above one another",
			    "supervisor too deep");
		return;
	}
	child->supervisor = xcalloc(1, sizeof(*child->supervisor));
	child->supervisor->opts = defaults;
	read_flags(reader, shape->strategy, shape->intensity, shape->period,
		   shape->auto_shutdown, &child->supervisor->opts);
	if (dynamic) {
		tree_dynamic_read(reader, &shape->dynamic, shape->strategy,
				  shape->auto_shutdown, child->supervisor);
		return;
	}
	tree_dynamic_refuse(reader, "a supervisor");
	read_children(reader, shape->children, shape->children_count,
		      shape->partitions, child->supervisor, depth + 1);
}

static void read_id(const struct tree_reader *reader,
		    const struct shape_child *shape,
		    const struct tree_supervisor *siblings,
		    struct tree_child *child)
{
	const struct tree_child *twin;
	const char *fault;

	if (siblings->partitions) {
		if (shape->id)
			mistake_add(reader->mistakes, value_line(reader, "id"),
				    "no 'id': partitions are called 0, 1 and so on",
				    "'id' of a partition");
		child->id = xasprintf("%zu", siblings->count);
		return;
	}
	if (!shape->id) {
		mistake_add(reader->mistakes, child->line,
			    "an 'id' of its own for each child",
			    "child without 'id'");
		return;
	}
	fault = tree_name_fault(shape->id);
	if (fault)
		value_mistake(reader, "id", shape->id, fault);
	twin = tree_find(siblings, shape->id);
	if (twin)
		mistake_add(reader->mistakes, value_line(reader, "id"),
			    "an 'id' of its own for each child",
			    "id '%s' again, after line %u", shape->id,
			    twin->line);
	child->id = xstrdup(shape->id);
}

static void check_significant(const struct tree_reader *reader,
			      const struct tree_supervisor *parent,
			      const struct sup_child_opts *opts)
{
	unsigned int line = value_line(reader, "significant");

	if (!opts->significant)
		return;
	if (parent->opts.auto_shutdown == SUPERVISOR_AUTO_SHUTDOWN_NEVER)
		mistake_add(reader->mistakes, line,
			    "auto_shutdown any_significant or all_significant in its supervisor",
			    "significant, but auto_shutdown is never");
	if (opts->restart == SUPERVISOR_PERMANENT)
		mistake_add(reader->mistakes, line,
			    "restart transient or temporary",
			    "significant, but restart is permanent");
}

static void read_type(const struct tree_reader *reader, const char *text,
		      struct sup_child_opts *opts)
{
	if (text && !tree_dynamic_is(text) &&
	    !word_parse(SUP_WORDS_TYPE, text, &opts->type))
		value_mistake(reader, "type", text,
			      "worker, supervisor or dynamic");
}

static void read_child(const struct tree_reader *reader,
		       const struct shape_child *shape,
		       struct tree_supervisor *parent,
		       struct tree_child *child, unsigned int depth)
{
	SUP_OPTS(sup_child_opts, defaults);

	child->opts = defaults;
	child->line = yaml_doc_line(reader->mapping);
	read_id(reader, shape, parent, child);
	tree_spec_read(reader, shape, &child->opts);
	check_significant(reader, parent, &child->opts);
	read_type(reader, shape->type, &child->opts);
	if (value_has(reader, "children") || tree_dynamic_is(shape->type))
		read_supervisor(reader, shape, child, depth);
	else
		read_process(reader, shape, child);
}

/* As many as there are processors for us, or that number. */
static void read_partition_count(const struct tree_reader *reader,
				 const char *word, size_t count,
				 struct tree_supervisor *into)
{
	int64_t partitions = 0;

	if (!word)
		return;
	if (count != 1)
		mistake_add(reader->mistakes,
			    yaml_doc_line(yaml_doc_key(reader->doc,
						       reader->mapping,
						       "partitions")),
			    "one: what each partition is like",
			    "'partitions' with %zu children", count);
	if (strcmp(word, "auto"))
		value_number(reader, "partitions", word, 1, PARTITIONS_MAX,
			     &partitions);
	else
		partitions = sup_processors();
	into->partitions = count == 1 ? (uint32_t)partitions : 0;
}

/* Each is read anew, for each has memory of its own; mistakes are told once. */
static void read_partitions(const struct tree_reader *reader,
			    const struct shape_child *shape,
			    struct tree_supervisor *into, unsigned int depth)
{
	size_t mistakes = reader->mistakes->count;

	into->children = xcalloc(into->partitions, sizeof(*into->children));
	while (into->count < into->partitions &&
	       reader->mistakes->count == mistakes) {
		read_child(reader, shape, into, &into->children[into->count],
			   depth);
		into->count++;
	}
}

static void read_children(const struct tree_reader *reader,
			  const struct shape_child *shapes, size_t count,
			  const char *partitions, struct tree_supervisor *into,
			  unsigned int depth)
{
	const yaml_node_t *list = yaml_doc_value(reader->doc, reader->mapping,
						 "children");
	struct tree_reader inside = *reader;
	size_t i;

	read_partition_count(reader, partitions, count, into);
	if (into->partitions) {
		inside.mapping = yaml_doc_item(reader->doc, list, 0);
		read_partitions(&inside, shapes, into, depth);
		return;
	}
	into->children = xcalloc(count, sizeof(*into->children));
	for (i = 0; i < count; i++) {
		inside.mapping = yaml_doc_item(reader->doc, list, i);
		read_child(&inside, &shapes[i], into, &into->children[i], depth);
		into->count++;
	}
}

/* The file's name without directories and .yaml or .yml. */
static char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = xstrdup(slash ? slash + 1 : path);
	char *dot = strrchr(name, '.');

	if (dot && dot != name &&
	    (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")))
		*dot = '\0';
	return name;
}

static void read_name(const struct tree_reader *reader, const char *path,
		      const char *name, struct tree *tree)
{
	const char *fault;

	tree->name = name ? xstrdup(name) : base_name(path);
	fault = tree_name_fault(tree->name);
	if (fault)
		value_mistake(reader, "name", tree->name, fault);
}

/* What is held is held for a time. */
static void read_owner_death(const struct tree_reader *reader,
			     const struct shape_root *shape,
			     struct sup_create_opts *opts)
{
	value_word(reader, "owner_death", shape->owner_death,
		   SUP_WORDS_OWNER_DEATH, &opts->owner_death);
	value_milliseconds(reader, "hold", shape->hold, 1,
			   SUPERVISOR_HOLD_MS_MAX, &opts->hold_ms);
	if (opts->owner_death == SUPERVISOR_OWNER_DEATH_HOLD && !shape->hold)
		value_mistake(reader, "owner_death", shape->owner_death,
			      "'hold' beside it, a duration such as 30s");
	else if (shape->hold &&
		 opts->owner_death != SUPERVISOR_OWNER_DEATH_HOLD)
		value_mistake(reader, "hold", shape->hold,
			      "'owner_death: hold' beside it");
}

static void read_root_children(const struct tree_reader *reader,
			       const struct shape_root *shape,
			       struct tree_supervisor *root)
{
	if (tree_dynamic_is(shape->type)) {
		tree_dynamic_read(reader, &shape->dynamic, shape->strategy,
				  shape->auto_shutdown, root);
		return;
	}
	if (shape->type && strcmp(shape->type, "supervisor"))
		value_mistake(reader, "type", shape->type,
			      "supervisor or dynamic");
	tree_dynamic_refuse(reader, "a supervisor");
	if (!value_has(reader, "children"))
		mistake_add(reader->mistakes, yaml_doc_line(reader->mapping),
			    "a list of them, which may be empty",
			    "no 'children'");
	read_children(reader, shape->children, shape->children_count,
		      shape->partitions, root, 1);
}

static struct tree *read_root(struct yaml_doc *doc, const char *path,
			      const struct shape_root *shape,
			      struct mistakes *m)
{
	struct tree_reader reader = { doc, m, yaml_doc_root(doc) };
	struct tree *tree = xcalloc(1, sizeof(*tree));
	SUP_OPTS(sup_create_opts, defaults);

	tree->root.opts = defaults;
	read_name(&reader, path, shape->name, tree);
	read_flags(&reader, shape->strategy, shape->intensity, shape->period,
		   shape->auto_shutdown, &tree->root.opts);
	read_owner_death(&reader, shape, &tree->root.opts);
	value_milliseconds(&reader, "spawner_timeout", shape->spawner_timeout,
			   0, TREE_START_TIMEOUT_MS_MAX,
			   &tree->root.opts.spawner_timeout_ms);
	tree_registries_read(&reader, shape, tree);
	read_root_children(&reader, shape, &tree->root);
	tree_registries_check(tree, m);
	return tree;
}

int tree_file_read(const char *path, struct tree **tree, struct mistakes *m)
{
	struct shape_root *shape;
	struct yaml_doc doc;
	int err;

	*tree = NULL;
	err = yaml_doc_read(&doc, path, m);
	if (!err && !m->count) {
		shape = tree_shape_load(&doc, m);
		if (shape) {
			*tree = read_root(&doc, path, shape, m);
			tree_shape_free(shape);
		}
	}
	yaml_doc_free(&doc);
	if (m->count) {
		tree_free(*tree);
		*tree = NULL;
	}
	return err;
}

static void free_supervisor(struct tree_supervisor *supervisor);

static void clear_child(struct tree_child *child)
{
	free(child->id);
	free((void *)child->opts.blob);
	free((void *)child->opts.key);
	free((void *)child->opts.value);
	free(child->registry);
	if (child->supervisor)
		free_supervisor(child->supervisor);
	free(child->supervisor);
}

static void free_supervisor(struct tree_supervisor *supervisor)
{
	size_t i;

	if (supervisor->template)
		clear_child(supervisor->template);
	free(supervisor->template);
	for (i = 0; i < supervisor->count; i++)
		clear_child(&supervisor->children[i]);
	free(supervisor->children);
}

void tree_remove(struct tree_supervisor *supervisor, struct tree_child *child)
{
	size_t behind = supervisor->children + supervisor->count - (child + 1);

	clear_child(child);
	memmove(child, child + 1, behind * sizeof(*child));
	supervisor->count--;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	free_supervisor(&tree->root);
	tree_registries_free(tree);
	free(tree->name);
	free(tree);
}

struct tree_child *tree_find(const struct tree_supervisor *supervisor,
			     const char *id)
{
	size_t i;

	for (i = 0; i < supervisor->count; i++)
		if (supervisor->children[i].id &&
		    !strcmp(supervisor->children[i].id, id))
			return &supervisor->children[i];
	return NULL;
}

static bool bytes_equal(const void *a, const void *b, size_t length)
{
	return !length || !memcmp(a, b, length);
}

bool tree_spec_equal(const struct tree_child *a, const struct tree_child *b)
{
	struct sup_child_opts a_opts = a->opts, b_opts = b->opts;

	a_opts.blob = b_opts.blob = NULL;
	a_opts.key = b_opts.key = NULL;
	a_opts.value = b_opts.value = NULL;
	return !memcmp(&a_opts, &b_opts, sizeof(a_opts)) &&
	       !a->registry == !b->registry &&
	       (!a->registry || !strcmp(a->registry, b->registry)) &&
	       bytes_equal(a->opts.blob, b->opts.blob, a_opts.blob_len) &&
	       bytes_equal(a->opts.key, b->opts.key, a_opts.key_len) &&
	       bytes_equal(a->opts.value, b->opts.value, a_opts.value_len);
}

static bool templates_equal(const struct tree_child *a,
			    const struct tree_child *b)
{
	if (!a || !b)
		return a == b;
	return !strcmp(a->id, b->id) && tree_spec_equal(a, b);
}

/* The library's option structs have no padding. */
bool tree_flags_equal(const struct tree_supervisor *a,
		      const struct tree_supervisor *b)
{
	return a->partitions == b->partitions &&
	       !memcmp(&a->opts, &b->opts, sizeof(a->opts)) &&
	       templates_equal(a->template, b->template);
}

struct tree_count tree_count(const struct tree_supervisor *supervisor)
{
	struct tree_count count = { .supervisors = 1 };
	size_t i;

	for (i = 0; i < supervisor->count; i++) {
		const struct tree_child *child = &supervisor->children[i];
		struct tree_count below;

		if (!child->supervisor) {
			count.processes++;
			continue;
		}
		below = tree_count(child->supervisor);
		count.supervisors += below.supervisors;
		count.processes += below.processes;
	}
	return count;
}
