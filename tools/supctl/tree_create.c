// SPDX-License-Identifier: GPL-2.0
/*
 * tree_create - makes in the kernel what a tree file asks for, starting
 * nothing.
 */
#include "tree_create.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common.h"
#include "target.h"
#include "tree_registry.h"
#include "words.h"

void tree_create_explain(const char *path, int error,
			 const struct sup_result *result)
{
	if (result->limit)
		complain_error(error, "%s: limit of %s", path,
			       word_of(SUP_WORDS_LIMIT, result->limit));
	else if (result->invalid)
		complain_error(error, "%s: %s", path,
			       word_of(SUP_WORDS_INVALID, result->invalid));
	else
		complain_error(error, "%s", path);
}

int tree_child_opts(int device, struct tree *tree,
		    const struct tree_child *child, const char *path,
		    struct sup_child_opts *opts)
{
	*opts = child->opts;
	if (child->supervisor) {
		opts->supervisor = tree_create_supervisor(device, tree,
							  child->supervisor,
							  path);
		return opts->supervisor < 0 ? opts->supervisor : 0;
	}
	if (child->registry) {
		opts->registry = tree_registry_fd(device, tree,
						  child->registry);
		return opts->registry < 0 ? opts->registry : 0;
	}
	return 0;
}

/* Adds the children to a supervisor that has not started: 0 or -errno. */
static int add_children(int device, int fd, struct tree *tree,
			const struct tree_supervisor *supervisor,
			const char *path)
{
	int err = 0;
	size_t i;

	for (i = 0; i < supervisor->count && err >= 0; i++) {
		const struct tree_child *child = &supervisor->children[i];
		struct sup_child_opts opts;
		SUP_OPTS(sup_result, result);
		char *below = xasprintf("%s/%s", path, child->id);

		err = tree_child_opts(device, tree, child, below, &opts);
		if (err >= 0) {
			err = sup_child_add(fd, child->id, &opts,
					    SUPERVISOR_NO_DEADLINE, &result);
			if (err < 0)
				tree_create_explain(below, -err, &result);
		}
		if (opts.supervisor >= 0)
			close(opts.supervisor);
		free(below);
	}
	return err < 0 ? err : 0;
}

static int declare_partitions(int fd, uint32_t partitions, const char *path)
{
	SUP_OPTS(sup_result, result);
	int err = sup_resize(fd, partitions, 0, &result, NULL);

	if (err < 0)
		tree_create_explain(path, -err, &result);
	return err;
}

static int create(int device, int mailbox, struct tree *tree,
		  const struct tree_supervisor *supervisor, const char *name,
		  const char *path)
{
	struct sup_create_opts opts = supervisor->opts;
	struct sup_child_opts template;
	SUP_OPTS(sup_result, result);
	int fd, err;

	opts.name = name;
	if (supervisor->template) {
		err = tree_child_opts(device, tree, supervisor->template, path,
				      &template);
		if (err < 0)
			return err;
		opts.child = &template;
		opts.child_id = supervisor->template->id;
	}
	fd = sup_create(device, mailbox, &opts, &result);
	if (fd == -EEXIST &&
	    kind_of_name(device, name) == SUPERVISOR_KIND_MAILBOX)
		complain("%s: a mailbox has this name", path);
	else if (fd == -EEXIST)
		complain("%s: a tree of this name is running", path);
	else if (fd < 0)
		tree_create_explain(path, -fd, &result);
	if (fd < 0)
		return fd;
	err = add_children(device, fd, tree, supervisor, path);
	if (!err && supervisor->partitions)
		err = declare_partitions(fd, supervisor->partitions, path);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int tree_create_supervisor(int device, struct tree *tree,
			   const struct tree_supervisor *supervisor,
			   const char *path)
{
	return create(device, -1, tree, supervisor, NULL, path);
}

int tree_create(int device, int mailbox, struct tree *tree)
{
	char *name = xasprintf("/%s", tree->name);
	int fd = tree_registries_open(device, tree);

	if (fd >= 0)
		fd = create(device, mailbox, tree, &tree->root, name,
			    tree->name);

	free(name);
	return fd;
}
