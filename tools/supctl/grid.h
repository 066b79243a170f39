/* SPDX-License-Identifier: GPL-2.0 */
/*
 * grid - lines of fields: aligned columns for people, tabs for programs that
 * asked for certain fields.
 */
#ifndef SUPCTL_GRID_H
#define SUPCTL_GRID_H

#include <stdbool.h>
#include <stddef.h>

#define GRID_MAX 32

struct grid;

/*
 * -o: of which of the @count names @list is made, by their numbers; returns how
 * many. Does not return if one does not exist.
 */
size_t grid_choose(const char *list, const char *const *names, size_t count,
		   size_t chosen[GRID_MAX]);

/* @tabs: no head, and a tab between fields. */
struct grid *grid_new(bool tabs);
/* Adds a column; numbers are aligned to the right. */
void grid_column(struct grid *grid, const char *name, bool number);
/*
 * The column added last is left out, aligned, if all its cells are NULL. Not for one
 * at the end.
 */
void grid_sparse(struct grid *grid);
/*
 * Adds the next cell, line by line, from the left. Takes the text; NULL is "-".
 * @colour: an escape sequence, or NULL.
 */
void grid_cell(struct grid *grid, char *text, const char *colour);
/* Prints and frees it. */
void grid_print(struct grid *grid);

/* Whether stdout shows colours, and somebody wants them. */
bool grid_coloured(void);

#endif
