/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tree_registry - the registries of a tree file: which it declares, what its
 * children are to be registered as, and opening or making them in the kernel.
 */
#ifndef SUPCTL_TREE_REGISTRY_H
#define SUPCTL_TREE_REGISTRY_H

#include "tree_file.h"
#include "tree_shape.h"
#include "tree_value.h"

/* What the file declares. */
void tree_registries_read(const struct tree_reader *reader,
			  const struct shape_root *shape, struct tree *tree);
/* Under what a child is to be registered, and where. */
void tree_register_read(const struct tree_reader *reader,
			const struct shape_register *shape,
			struct tree_child *child);
/* What only the whole tree shows: a key that two are to have, the tree's own name. */
void tree_registries_check(const struct tree *tree, struct mistakes *m);

/* Both say what is wrong; 0 or an fd, which is the tree's, or -errno. */
int tree_registries_open(int device, struct tree *tree);
int tree_registry_fd(int device, struct tree *tree, const char *name);

void tree_registries_free(struct tree *tree);

#endif
