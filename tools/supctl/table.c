// SPDX-License-Identifier: GPL-2.0
/*
 * table - views as lines of fields: aligned columns for people, a tree before
 * them on a terminal, tabs for programs that asked for certain fields.
 */
#include "table.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "grid.h"
#include "payload.h"
#include "words.h"

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
	return xstrdup(view_type(view));
}

/* Where the path ends with a number, the word that its like have in common. */
static char *field_spec(const struct view *view)
{
	return xstrdup(view->is_dynamic_child ?
		       sup_children_id(view->as_child) : view->id);
}

static char *field_children(const struct view *view)
{
	return view->complete ? xasprintf("%" PRIu64, view->total) : NULL;
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

static char *field_registry(const struct view *view)
{
	return view->registry ? xstrdup(view->registry) : NULL;
}

static char *field_key(const struct view *view)
{
	return view->key ? payload_words(view->key, view->key_length) : NULL;
}

enum shown {
	SHOWN_BY_NAME,			/* with -o */
	SHOWN,				/* without, too */
	SHOWN_IF_ANY,			/* without, if there is something to say */
	SHOWN_ALONE			/* without, in a table of one */
};

static const struct field {
	const char *name;
	char *(*text)(const struct view *view); /* NULL: nothing to say */
	bool number;
	enum shown shown;
} fields[] = {
	{ "path", field_path, false, SHOWN },
	{ "id", field_id, false, SHOWN_BY_NAME },
	{ "type", field_type, false, SHOWN_BY_NAME },
	{ "spec", field_spec, false, SHOWN_BY_NAME },
	{ "children", field_children, true, SHOWN_BY_NAME },
	{ "strategy", field_strategy, false, SHOWN_BY_NAME },
	{ "restart", field_restart, false, SHOWN_BY_NAME },
	{ "state", view_state, false, SHOWN },
	{ "pid", field_pid, true, SHOWN },
	{ "incarnation", field_run, true, SHOWN },
	{ "restarts", field_restarts, true, SHOWN },
	{ "uptime", field_uptime, true, SHOWN },
	{ "status", field_status, true, SHOWN_BY_NAME },
	{ "registry", field_registry, false, SHOWN_IF_ANY },
	{ "key", field_key, false, SHOWN_IF_ANY },
	{ "callers", view_callers, false, SHOWN_ALONE },
	{ "last", view_last_exit, false, SHOWN },
};

struct table {
	const struct field *columns[GRID_MAX];
	size_t width;
	bool tabs;
	bool drawn;
	bool coloured;
	const char *branch, *corner, *bar, *gap;
	struct grid *grid;
};

static void choose(struct table *table, const char *list)
{
	const char *names[ARRAY_SIZE(fields)];
	size_t chosen[GRID_MAX], i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		names[i] = fields[i].name;
	table->width = grid_choose(list, names, ARRAY_SIZE(fields), chosen);
	for (i = 0; i < table->width; i++)
		table->columns[i] = &fields[chosen[i]];
}

static void make_grid(struct table *table)
{
	size_t i;

	table->grid = grid_new(table->tabs);
	for (i = 0; i < table->width; i++) {
		grid_column(table->grid, table->columns[i]->name,
			    table->columns[i]->number);
		if (table->columns[i]->shown == SHOWN_IF_ANY)
			grid_sparse(table->grid);
	}
}

struct table *table_new(const char *names, bool pretty, bool alone)
{
	struct table *table = xcalloc(1, sizeof(*table));
	size_t i;

	if (names) {
		table->tabs = true;
		choose(table, names);
		make_grid(table);
		return table;
	}
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].shown != SHOWN_BY_NAME &&
		    (fields[i].shown != SHOWN_ALONE || alone))
			table->columns[table->width++] = &fields[i];
	table->drawn = pretty || isatty(STDOUT_FILENO);
	table->coloured = grid_coloured();
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
	make_grid(table);
	return table;
}

bool table_has_callers(const struct table *table)
{
	size_t i;

	for (i = 0; i < table->width; i++)
		if (table->columns[i]->text == view_callers)
			return true;
	return false;
}

static void add_row(struct table *table, const struct view *view,
		    const char *lead)
{
	size_t i;

	for (i = 0; i < table->width; i++) {
		char *text = table->columns[i]->text(view);
		const char *colour = NULL;

		if (table->coloured && table->columns[i]->text == view_state)
			colour = view_runs(view) ? "\033[32m" : "\033[33m";
		if (!i && table->drawn) {
			free(text);
			text = xasprintf("%s%s", lead, *lead ? view->id :
							       view->path);
		}
		grid_cell(table->grid, text, colour);
	}
}

/* A line for those that were not read; programs, with fields of their own, have none. */
static void add_more(struct table *table, const struct view *view,
		     const char *lead)
{
	char *text;
	size_t i;

	if (table->tabs) {
		complain("%s: %" PRIu64 " more: --all shows them", view->path,
			 view->more);
		return;
	}
	text = table->drawn ? xasprintf("%s%s...", lead, table->corner) :
			      xasprintf("%s/...", view->path);
	grid_cell(table->grid, text, NULL);
	grid_cell(table->grid, xasprintf("%" PRIu64 " more", view->more), NULL);
	for (i = 2; i < table->width; i++)
		grid_cell(table->grid, NULL, NULL);
}

static void add_below(struct table *table, const struct view *view,
		      const char *lead)
{
	size_t i;

	for (i = 0; i < view->count; i++) {
		bool last = i + 1 == view->count && !view->more;
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
	if (view->more)
		add_more(table, view, lead);
}

void table_add(struct table *table, const struct view *view, bool recursive)
{
	add_row(table, view, "");
	if (recursive)
		add_below(table, view, "");
}

void table_print(struct table *table)
{
	grid_print(table->grid);
	free(table);
}
