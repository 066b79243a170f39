// SPDX-License-Identifier: GPL-2.0
/*
 * table - views as lines of fields: aligned columns for people, a tree before
 * them on a terminal, tabs for programs that asked for certain fields.
 */
#include "table.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "words.h"

#define FIELDS_MAX 32

static char *field_path(const struct view *view)
{
	return xstrdup(view->path);
}

static char *field_id(const struct view *view)
{
	return xstrdup(view->id);
}

static char *field_type(const struct view *view)
{
	return xstrdup(view->is_supervisor ? "supervisor" : "worker");
}

static char *field_pid(const struct view *view)
{
	int pid = view_pid(view);

	return pid ? xasprintf("%d", pid) : NULL;
}

static char *field_run(const struct view *view)
{
	return view->as_child->incarnation ?
		xasprintf("%" PRIu32, view->as_child->incarnation) : NULL;
}

static char *field_restarts(const struct view *view)
{
	return xasprintf("%" PRIu64, view_restarts(view));
}

static char *field_uptime(const struct view *view)
{
	uint64_t ns;

	return view_uptime(view, &ns) ? duration_words(ns) : NULL;
}

static char *field_status(const struct view *view)
{
	return view->as_child->flags & SUPERVISOR_STATUS_F_EXITED ?
		xasprintf("%" PRId32, view->as_child->last_status) : NULL;
}

static char *field_strategy(const struct view *view)
{
	return view->complete ? xstrdup(word_of(SUP_WORDS_STRATEGY,
						view->self.out_strategy)) : NULL;
}

static char *field_restart(const struct view *view)
{
	return view->is_root ? NULL : xstrdup(word_of(SUP_WORDS_RESTART,
						      view->as_child->restart));
}

static const struct field {
	const char *name;
	char *(*text)(const struct view *view); /* NULL: nothing to say */
	bool number;
	bool shown;			/* without -o */
} fields[] = {
	{ "path", field_path, false, true },
	{ "id", field_id, false, false },
	{ "type", field_type, false, false },
	{ "strategy", field_strategy, false, false },
	{ "restart", field_restart, false, false },
	{ "state", view_state, false, true },
	{ "pid", field_pid, true, true },
	{ "incarnation", field_run, true, true },
	{ "restarts", field_restarts, true, true },
	{ "uptime", field_uptime, true, true },
	{ "status", field_status, true, false },
	{ "last", view_last_exit, false, true },
};

struct row {
	char *cells[FIELDS_MAX];
	uint32_t state;			/* for its colour */
	bool good;
};

struct table {
	const struct field *columns[FIELDS_MAX];
	size_t width;
	bool tabs;
	bool drawn;
	bool coloured;
	const char *branch, *corner, *bar, *gap;
	struct row *rows;
	size_t count;
};

static _Noreturn void refuse_field(const char *name)
{
	char *all = xstrdup("");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		char *longer = xasprintf("%s%s%s", all, i ? ", " : "",
					 fields[i].name);

		free(all);
		all = longer;
	}
	die(STATUS_USAGE, "-o: no field '%s': expected one of %s", name, all);
}

static void choose(struct table *table, const char *names)
{
	char *copy = xstrdup(names), *rest = copy, *name;
	size_t i;

	while ((name = strsep(&rest, ","))) {
		for (i = 0; i < ARRAY_SIZE(fields); i++)
			if (!strcmp(name, fields[i].name))
				break;
		if (i == ARRAY_SIZE(fields) || table->width == FIELDS_MAX)
			refuse_field(name);
		table->columns[table->width++] = &fields[i];
	}
	free(copy);
}

struct table *table_new(const char *names, bool pretty)
{
	struct table *table = xcalloc(1, sizeof(*table));
	bool terminal = isatty(STDOUT_FILENO);
	size_t i;

	if (names) {
		choose(table, names);
		table->tabs = true;
		return table;
	}
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].shown)
			table->columns[table->width++] = &fields[i];
	table->drawn = pretty || terminal;
	table->coloured = terminal && !getenv("NO_COLOR");
	if (pretty || !strcmp(nl_langinfo(CODESET), "UTF-8")) {
		table->branch = "├─ ";
		table->corner = "└─ ";
		table->bar = "│  ";
	} else {
		table->branch = "|- ";
		table->corner = "`- ";
		table->bar = "|  ";
	}
	table->gap = "   ";
	return table;
}

static void add_row(struct table *table, const struct view *view,
		    const char *lead)
{
	struct row *row;
	size_t i;

	table->rows = xrealloc(table->rows, table->count + 1,
			       sizeof(*table->rows));
	row = &table->rows[table->count++];
	memset(row, 0, sizeof(*row));
	row->good = view_runs(view);
	for (i = 0; i < table->width; i++) {
		char *text = table->columns[i]->text(view);

		if (!i && table->drawn) {
			free(text);
			text = xasprintf("%s%s", lead, *lead ? view->id :
							       view->path);
		}
		row->cells[i] = text ? text : xstrdup("-");
	}
}

static void add_below(struct table *table, const struct view *view,
		      const char *lead)
{
	size_t i;

	for (i = 0; i < view->count; i++) {
		bool last = i + 1 == view->count;
		char *own = NULL, *below = NULL;

		if (table->drawn) {
			own = xasprintf("%s%s", lead, last ? table->corner :
							     table->branch);
			below = xasprintf("%s%s", lead, last ? table->gap :
							       table->bar);
		}
		add_row(table, &view->children[i], own);
		add_below(table, &view->children[i], below);
		free(own);
		free(below);
	}
}

void table_add(struct table *table, const struct view *view, bool recursive)
{
	add_row(table, view, "");
	if (recursive)
		add_below(table, view, "");
}

/* Columns that a UTF-8 text takes, all its characters being narrow. */
static int columns_of(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

static void print_cell(const struct table *table, size_t column,
		       const char *text, int width, const char *colour)
{
	const struct field *field = table->columns[column];
	bool last = column + 1 == table->width;
	int padding = width - columns_of(text);

	if (column)
		fputs("  ", stdout);
	if (field->number)
		printf("%*s", padding, "");
	printf("%s%s%s", colour ? colour : "", text, colour ? "\033[0m" : "");
	if (!field->number && !last)
		printf("%*s", padding, "");
}

static void print_aligned(const struct table *table)
{
	int widths[FIELDS_MAX];
	size_t i, r;

	for (i = 0; i < table->width; i++) {
		widths[i] = strlen(table->columns[i]->name);
		for (r = 0; r < table->count; r++)
			if (columns_of(table->rows[r].cells[i]) > widths[i])
				widths[i] = columns_of(table->rows[r].cells[i]);
	}
	for (i = 0; i < table->width; i++)
		print_cell(table, i, table->columns[i]->name, widths[i],
			   table->coloured ? "\033[2m" : NULL);
	putchar('\n');
	for (r = 0; r < table->count; r++) {
		for (i = 0; i < table->width; i++) {
			const char *colour = NULL;

			if (table->coloured &&
			    table->columns[i]->text == view_state)
				colour = table->rows[r].good ? "\033[32m" :
							       "\033[33m";
			print_cell(table, i, table->rows[r].cells[i],
				   widths[i], colour);
		}
		putchar('\n');
	}
}

static void print_tabs(const struct table *table)
{
	size_t i, r;

	for (r = 0; r < table->count; r++)
		for (i = 0; i < table->width; i++)
			printf("%s%c", table->rows[r].cells[i],
			       i + 1 == table->width ? '\n' : '\t');
}

void table_print(struct table *table)
{
	size_t i, r;

	if (table->tabs)
		print_tabs(table);
	else
		print_aligned(table);
	for (r = 0; r < table->count; r++)
		for (i = 0; i < table->width; i++)
			free(table->rows[r].cells[i]);
	free(table->rows);
	free(table);
}
