/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tree_create - makes in the kernel what a tree file asks for, starting
 * nothing.
 */
#ifndef SUPCTL_TREE_CREATE_H
#define SUPCTL_TREE_CREATE_H

#include "tree_file.h"

/*
 * The whole tree under its name; its START requests go to @mailbox. Returns
 * the root's fd, or says what is wrong and returns -errno: then there is
 * nothing.
 */
int tree_create(int device, int mailbox, struct tree *tree);

/*
 * A nested supervisor of a tree with all below it, to become a child. @path is
 * what to call it in messages. Returns its fd, or -errno likewise.
 */
int tree_create_supervisor(int device, struct tree *tree,
			   const struct tree_supervisor *supervisor,
			   const char *path);

/*
 * A child's options with the descriptors that they want: a supervisor of its own, to
 * be closed, and the tree's registry. 0 or -errno likewise.
 */
int tree_child_opts(int device, struct tree *tree,
		    const struct tree_child *child, const char *path,
		    struct sup_child_opts *opts);

/* Says why a child could not be added. */
void tree_create_explain(const char *path, int error,
			 const struct sup_result *result);

#endif
