/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table - views as lines of fields: aligned columns for people, a tree before
 * them on a terminal, tabs for programs that asked for certain fields.
 */
#ifndef SUPCTL_TABLE_H
#define SUPCTL_TABLE_H

#include <stdbool.h>

#include "view.h"

struct table;

/*
 * @fields: those of -o, or NULL for all; does not return if one does not
 * exist. @pretty: draw the tree, though stdout is no terminal. @alone: of one view
 * only, of which there is more to say.
 */
struct table *table_new(const char *fields, bool pretty, bool alone);
/* Whether it shows who asked for a child. */
bool table_has_callers(const struct table *table);
/* A line for the view and, if asked to, one for each below it. */
void table_add(struct table *table, const struct view *view, bool recursive);
/* Prints and frees it. */
void table_print(struct table *table);

#endif
