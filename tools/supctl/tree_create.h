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
int tree_create(int device, int mailbox, const struct tree *tree);

/*
 * A nested supervisor with all below it, to become a child. @path is what to
 * call it in messages. Returns its fd, or -errno likewise.
 */
int tree_create_supervisor(int device, const struct tree_supervisor *supervisor,
			   const char *path);

/* Says why a child could not be added. */
void tree_create_explain(const char *path, int error,
			 const struct sup_result *result);

#endif
