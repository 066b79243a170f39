/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tree_command - how a child of a tree file is started: its words, environment,
 * identity, limits and files, as the library's command.
 */
#ifndef SUPCTL_TREE_COMMAND_H
#define SUPCTL_TREE_COMMAND_H

#include "tree_shape.h"
#include "tree_value.h"

/*
 * Fills opts->blob and opts->blob_len, for free(3), unless there are mistakes.
 */
void tree_command_read(const struct tree_reader *reader,
		       const struct shape_child *child,
		       struct sup_child_opts *opts);

#endif
