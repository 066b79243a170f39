/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tree_dynamic - what a tree file says of a dynamic supervisor: whom it may have,
 * who makes them, and what they are like.
 */
#ifndef SUPCTL_TREE_DYNAMIC_H
#define SUPCTL_TREE_DYNAMIC_H

#include "tree_file.h"
#include "tree_shape.h"
#include "tree_value.h"

/* The word in 'type'. */
bool tree_dynamic_is(const char *type);

/* Its keys in @what, which is not a dynamic supervisor, are mistakes. */
void tree_dynamic_refuse(const struct tree_reader *reader, const char *what);

/*
 * Of a supervisor whose other flags, from the words @strategy and @auto_shutdown,
 * have been read.
 */
void tree_dynamic_read(const struct tree_reader *reader,
		       const struct shape_dynamic *shape, const char *strategy,
		       const char *auto_shutdown,
		       struct tree_supervisor *supervisor);

#endif
