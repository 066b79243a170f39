// SPDX-License-Identifier: GPL-2.0
/*
 * grid - lines of fields: aligned columns for people, tabs for programs that
 * asked for certain fields.
 */
#include "grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"

struct cell {
	char *text;
	const char *colour;
};

struct grid {
	bool tabs;
	size_t width;
	struct {
		const char *name;
		bool number;
		bool sparse;
		bool filled;		/* one of its cells, at least */
	} columns[GRID_MAX];
	struct cell *cells;
	size_t count;			/* of cells: a multiple of width */
};

static _Noreturn void refuse_field(const char *name, const char *const *names,
				   size_t count)
{
	char *all = xstrdup("");
	size_t i;

	for (i = 0; i < count; i++) {
		char *longer = xasprintf("%s%s%s", all, i ? ", " : "",
					 names[i]);

		free(all);
		all = longer;
	}
	die(STATUS_USAGE, "-o: no field '%s': expected one of %s", name, all);
}

size_t grid_choose(const char *list, const char *const *names, size_t count,
		   size_t chosen[GRID_MAX])
{
	char *copy = xstrdup(list), *rest = copy, *name;
	size_t i, width = 0;

	while ((name = strsep(&rest, ","))) {
		for (i = 0; i < count; i++)
			if (!strcmp(name, names[i]))
				break;
		if (i == count || width == GRID_MAX)
			refuse_field(name, names, count);
		chosen[width++] = i;
	}
	free(copy);
	return width;
}

bool grid_coloured(void)
{
	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

struct grid *grid_new(bool tabs)
{
	struct grid *grid = xcalloc(1, sizeof(*grid));

	grid->tabs = tabs;
	return grid;
}

void grid_column(struct grid *grid, const char *name, bool number)
{
	grid->columns[grid->width].name = name;
	grid->columns[grid->width++].number = number;
}

void grid_sparse(struct grid *grid)
{
	grid->columns[grid->width - 1].sparse = true;
}

static bool is_shown(const struct grid *grid, size_t column)
{
	return !grid->columns[column].sparse || grid->columns[column].filled;
}

void grid_cell(struct grid *grid, char *text, const char *colour)
{
	grid->columns[grid->count % grid->width].filled |= !!text;
	grid->cells = xrealloc(grid->cells, grid->count + 1,
			       sizeof(*grid->cells));
	grid->cells[grid->count].text = text ? text : xstrdup("-");
	grid->cells[grid->count++].colour = colour;
}

/* Columns that a UTF-8 text takes, all its characters being narrow. */
static int columns_of(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

static void print_cell(const struct grid *grid, size_t column,
		       const char *text, int width, const char *colour)
{
	bool number = grid->columns[column].number;
	bool last = column + 1 == grid->width;
	int padding = width - columns_of(text);

	if (!is_shown(grid, column))
		return;
	if (column)
		fputs("  ", stdout);
	if (number)
		printf("%*s", padding, "");
	printf("%s%s%s", colour ? colour : "", text, colour ? "\033[0m" : "");
	if (!number && !last)
		printf("%*s", padding, "");
	if (last)
		putchar('\n');
}

static void print_aligned(const struct grid *grid)
{
	const char *faint = grid_coloured() ? "\033[2m" : NULL;
	int widths[GRID_MAX];
	size_t i;

	for (i = 0; i < grid->width; i++)
		widths[i] = strlen(grid->columns[i].name);
	for (i = 0; i < grid->count; i++) {
		int *width = &widths[i % grid->width];
		int columns = columns_of(grid->cells[i].text);

		if (columns > *width)
			*width = columns;
	}
	for (i = 0; i < grid->width; i++)
		print_cell(grid, i, grid->columns[i].name, widths[i], faint);
	for (i = 0; i < grid->count; i++)
		print_cell(grid, i % grid->width, grid->cells[i].text,
			   widths[i % grid->width], grid->cells[i].colour);
}

static void print_tabs(const struct grid *grid)
{
	size_t i;

	for (i = 0; i < grid->count; i++)
		printf("%s%c", grid->cells[i].text,
		       (i + 1) % grid->width ? '\t' : '\n');
}

void grid_print(struct grid *grid)
{
	size_t i;

	if (grid->tabs)
		print_tabs(grid);
	else
		print_aligned(grid);
	for (i = 0; i < grid->count; i++)
		free(grid->cells[i].text);
	free(grid->cells);
	free(grid);
}
