/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tree_spec - how a child of a tree file is to be treated: when it is restarted,
 * how it starts and stops. What it runs is tree_command's.
 */
#ifndef SUPCTL_TREE_SPEC_H
#define SUPCTL_TREE_SPEC_H

#include "tree_shape.h"
#include "tree_value.h"

#define TREE_START_TIMEOUT_MS_MAX (49 * UINT64_C(86400) * 1000)

/* What may be said of every child, but for its type. */
void tree_spec_read(const struct tree_reader *reader,
		    const struct shape_child *shape,
		    struct sup_child_opts *opts);

/* And of a process. */
void tree_spec_process_read(const struct tree_reader *reader,
			    const struct shape_child *shape,
			    struct sup_child_opts *opts);

#endif
