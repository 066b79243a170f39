// SPDX-License-Identifier: GPL-2.0
/*
 * tree_registry - the registries of a tree file: which it declares, what its
 * children are to be registered as, and opening or making them in the kernel.
 */
#include "tree_registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "target.h"
#include "tree_create.h"
#include "words.h"

static struct tree_registry *find(const struct tree *tree, const char *name)
{
	size_t i;

	for (i = 0; i < tree->registry_count; i++)
		if (!strcmp(tree->registries[i].name, name))
			return &tree->registries[i];
	return NULL;
}

static struct tree_registry *add(struct tree *tree, const char *name)
{
	SUP_OPTS(sup_registry_opts, defaults, .open = 1);
	struct tree_registry *registry;

	tree->registries = xrealloc(tree->registries, tree->registry_count + 1,
				    sizeof(*tree->registries));
	registry = &tree->registries[tree->registry_count++];
	registry->name = xstrdup(name);
	registry->line = 0;
	registry->opts = defaults;
	registry->fd = -1;
	return registry;
}

/* ---- reading ---------------------------------------------------------- */

static void check_name(const struct tree_reader *reader, const char *key,
		       const char *name)
{
	if (*name != '/')
		value_mistake(reader, key, name,
			      "a registry's name, with its '/': /names");
	else if (tree_name_fault(name + 1))
		value_mistake(reader, key, name, tree_name_fault(name + 1));
}

static void read_registry(const struct tree_reader *reader,
			  const struct shape_registry *shape, struct tree *tree)
{
	const char *name = shape->name ? shape->name : "";
	const struct tree_registry *twin = find(tree, name);
	struct tree_registry *registry;
	int64_t partitions = 1;

	if (!shape->name)
		mistake_add(reader->mistakes, yaml_doc_line(reader->mapping),
			    "a 'name' for each registry",
			    "registry without 'name'");
	else
		check_name(reader, "name", name);
	if (shape->name && twin)
		mistake_add(reader->mistakes, value_line(reader, "name"),
			    "each registry once",
			    "registry '%s' again, after line %u", name,
			    twin->line);
	registry = add(tree, name);
	registry->line = yaml_doc_line(reader->mapping);
	value_word(reader, "keys", shape->keys, SUP_WORDS_KEYS,
		   &registry->opts.keys);
	value_number(reader, "partitions", shape->partitions, 1,
		     SUPERVISOR_PARTITIONS_MAX, &partitions);
	registry->opts.partitions = partitions;
	value_mode(reader, "mode", shape->mode, &registry->opts.mode);
}

void tree_registries_read(const struct tree_reader *reader,
			  const struct shape_root *shape, struct tree *tree)
{
	const yaml_node_t *list = yaml_doc_value(reader->doc, reader->mapping,
						 "registries");
	unsigned int i;

	for (i = 0; i < shape->registries_count; i++) {
		struct tree_reader inside = *reader;

		inside.mapping = yaml_doc_item(reader->doc, list, i);
		read_registry(&inside, &shape->registries[i], tree);
	}
}

/* A needed key of 'register' that is not there. */
static bool is_there(const struct tree_reader *reader, const char *key,
		     const char *text, const char *expected)
{
	if (!text)
		mistake_add(reader->mistakes, yaml_doc_line(reader->mapping),
			    expected, "register without '%s'", key);
	return text;
}

void tree_register_read(const struct tree_reader *reader,
			const struct shape_register *shape,
			struct tree_child *child)
{
	struct tree_reader inside = *reader;
	const char *value;

	if (!shape)
		return;
	inside.mapping = yaml_doc_value(reader->doc, reader->mapping,
					"register");
	if (is_there(&inside, "registry", shape->registry,
		     "the registry's name, such as registry: /names")) {
		check_name(&inside, "registry", shape->registry);
		child->registry = xstrdup(shape->registry);
		child->registry_line = value_line(&inside, "registry");
	}
	if (is_there(&inside, "key", shape->key,
		     "the child's key there, such as key: web")) {
		if (!*shape->key || strlen(shape->key) > SUPERVISOR_KEY_MAX)
			value_mistake(&inside, "key", shape->key,
				      "1 to 255 bytes");
		child->opts.key = xstrdup(shape->key);
		child->opts.key_len = strlen(shape->key);
		child->key_line = value_line(&inside, "key");
	}
	value = shape->value ? shape->value : "";
	if (strlen(value) > SUPERVISOR_VALUE_MAX)
		mistake_add(reader->mistakes, value_line(&inside, "value"),
			    "at most 4096 bytes", "value of %zu bytes",
			    strlen(value));
	child->opts.value = xstrdup(value);
	child->opts.value_len = strlen(value);
}

/* ---- the whole tree --------------------------------------------------- */

/* Names of all kinds are one space. */
static void check_other(const struct tree *tree, const char *name,
			unsigned int line, struct mistakes *m)
{
	if (*name == '/' && !strcmp(name + 1, tree->name))
		mistake_add(m, line, "another name than the tree's",
			    "registry '%s' in the tree '%s'", name, tree->name);
}

static void check_names(const struct tree *tree,
			const struct tree_supervisor *supervisor,
			struct mistakes *m)
{
	const struct tree_child *template = supervisor->template;
	size_t i;

	if (template && template->registry)
		check_other(tree, template->registry, template->registry_line,
			    m);
	for (i = 0; i < supervisor->count; i++) {
		const struct tree_child *child = &supervisor->children[i];

		if (child->supervisor)
			check_names(tree, child->supervisor, m);
		else if (child->registry)
			check_other(tree, child->registry, child->registry_line,
				    m);
	}
}

/*
 * Those that are to have a unique key, in the order of the file. One of a template is
 * for whichever of its children comes first.
 */
struct claims {
	const struct tree_child **list;
	size_t count;
};

static bool has_unique_keys(const struct tree *tree, const char *name)
{
	const struct tree_registry *registry = find(tree, name);

	return !registry || registry->opts.keys == SUPERVISOR_KEYS_UNIQUE;
}

static void collect(const struct tree *tree,
		    const struct tree_supervisor *supervisor,
		    struct claims *claims)
{
	size_t i;

	for (i = 0; i < supervisor->count; i++) {
		const struct tree_child *child = &supervisor->children[i];

		if (child->supervisor)
			collect(tree, child->supervisor, claims);
		if (!child->registry || !child->opts.key ||
		    !has_unique_keys(tree, child->registry))
			continue;
		claims->list = xrealloc(claims->list, claims->count + 1,
					sizeof(*claims->list));
		claims->list[claims->count++] = child;
	}
}

/* Alike together, and those in the order of their lines. */
static int compare(const void *left, const void *right)
{
	const struct tree_child *a = *(const struct tree_child * const *)left;
	const struct tree_child *b = *(const struct tree_child * const *)right;
	int order = strcmp(a->registry, b->registry);

	if (!order)
		order = strcmp(a->opts.key, b->opts.key);
	return order ? order : (a->key_line > b->key_line) -
			       (a->key_line < b->key_line);
}

void tree_registries_check(const struct tree *tree, struct mistakes *m)
{
	struct claims claims = { 0 };
	size_t i;

	for (i = 0; i < tree->registry_count; i++)
		check_other(tree, tree->registries[i].name,
			    tree->registries[i].line, m);
	check_names(tree, &tree->root, m);
	collect(tree, &tree->root, &claims);
	if (claims.count)
		qsort(claims.list, claims.count, sizeof(*claims.list), compare);
	for (i = 1; i < claims.count; i++) {
		const struct tree_child *one = claims.list[i - 1];
		const struct tree_child *two = claims.list[i];

		if (!strcmp(one->registry, two->registry) &&
		    !strcmp(one->opts.key, two->opts.key))
			mistake_add(m, two->key_line,
				    "a key of its own for each child, or a registry of duplicate keys",
				    "key '%s' in %s again, after line %u",
				    (const char *)two->opts.key, two->registry,
				    one->key_line);
	}
	free(claims.list);
}

/* ---- in the kernel ---------------------------------------------------- */

/* One that was there may be another than the file says. */
static int check_keys(const struct tree_registry *registry, int fd)
{
	struct supervisor_registry_status status = { .size = sizeof(status) };
	int err = sup_registry_status(fd, &status);

	if (err < 0) {
		complain_error(-err, "%s", registry->name);
		return err;
	}
	if (status.out_keys == registry->opts.keys)
		return 0;
	complain("%s: is there, with keys: %s", registry->name,
		 word_of(SUP_WORDS_KEYS, status.out_keys));
	return -EEXIST;
}

static int open_or_make(int device, struct tree_registry *registry)
{
	SUP_OPTS(sup_result, result);
	int err, fd;

	registry->opts.name = registry->name;
	fd = sup_registry_open(device, registry->name, O_WRONLY, NULL);
	if (fd == -ENOENT)
		fd = sup_registry_create(device, &registry->opts, &result);
	registry->opts.name = NULL;
	if (fd == -EEXIST)
		complain("%s: this name is taken", registry->name);
	else if (fd < 0)
		tree_create_explain(registry->name, -fd, &result);
	if (fd < 0)
		return fd;
	err = check_keys(registry, fd);
	if (err) {
		close(fd);
		return err;
	}
	registry->fd = fd;
	return fd;
}

int tree_registry_fd(int device, struct tree *tree, const char *name)
{
	struct tree_registry *registry = find(tree, name);

	if (!registry)
		registry = add(tree, name);
	return registry->fd >= 0 ? registry->fd :
				   open_or_make(device, registry);
}

int tree_registries_open(int device, struct tree *tree)
{
	size_t i;

	for (i = 0; i < tree->registry_count; i++) {
		int fd = tree_registry_fd(device, tree,
					  tree->registries[i].name);

		if (fd < 0)
			return fd;
	}
	return 0;
}

void tree_registries_free(struct tree *tree)
{
	size_t i;

	for (i = 0; i < tree->registry_count; i++) {
		free(tree->registries[i].name);
		if (tree->registries[i].fd >= 0)
			close(tree->registries[i].fd);
	}
	free(tree->registries);
}
