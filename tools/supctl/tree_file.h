/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tree_file - a tree file, understood: what is to be created, down to the bytes
 * that tell a spawner how to start each child. Either the whole file makes
 * sense, or there is no tree and every mistake in it is told.
 */
#ifndef SUPCTL_TREE_FILE_H
#define SUPCTL_TREE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <supervisor.h>

#include "mistakes.h"

struct tree_supervisor;

struct tree_child {
	char *id;
	unsigned int line;
	struct sup_child_opts opts;	/* blob, key, value are ours; fds are -1 */
	char *registry;			/* where it has that key; NULL: it has none */
	unsigned int registry_line, key_line;
	struct tree_supervisor *supervisor; /* NULL: the child is a process */
};

struct tree_supervisor {
	struct sup_create_opts opts;	/* without the name and the template */
	struct tree_child *template;	/* of a dynamic one; NULL: it has none */
	struct tree_child *children;
	size_t count;
	uint32_t partitions;		/* its children are these; 0: they are not */
};

struct tree_registry {
	char *name;			/* with its '/' */
	unsigned int line;		/* 0: the file only uses it */
	struct sup_registry_opts opts;	/* without the name */
	int fd;				/* -1 while it is not open */
};

struct tree {
	char *name;			/* without the device's '/' */
	struct tree_supervisor root;
	struct tree_registry *registries;
	size_t registry_count;
};

/* What is wrong with an id or name, or NULL. As the kernel has it. */
const char *tree_name_fault(const char *name);

/*
 * 0 and *@tree; 0, *@tree NULL and mistakes; or -errno where the file cannot be
 * read.
 */
int tree_file_read(const char *path, struct tree **tree, struct mistakes *m);
void tree_free(struct tree *tree);

struct tree_child *tree_find(const struct tree_supervisor *supervisor,
			     const char *id);

void tree_remove(struct tree_supervisor *supervisor, struct tree_child *child);

/* Alike but for their children. */
bool tree_flags_equal(const struct tree_supervisor *a,
		      const struct tree_supervisor *b);
/* Alike but for what is below, if they are supervisors. */
bool tree_spec_equal(const struct tree_child *a, const struct tree_child *b);

struct tree_count {
	size_t supervisors;
	size_t processes;
};

struct tree_count tree_count(const struct tree_supervisor *supervisor);

#endif
