// SPDX-License-Identifier: GPL-2.0
/*
 * tree, status - show what runs: whole trees, or one supervisor or child with
 * an exit status that tells whether it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../common.h"
#include "json_put.h"
#include "options.h"
#include "table.h"
#include "verbs.h"
#include "view.h"

/* Of the children of each dynamic supervisor, unless all are asked for. */
#define MOST_SHOWN 10

static struct view_query query_of(const struct options *options, int device,
				  const struct table *table)
{
	return (struct view_query){
		.device = device,
		.most = options->all ? SIZE_MAX : MOST_SHOWN,
		.callers = !table || table_has_callers(table),
	};
}

/*
 * Those that the caller may look at; mailboxes have names too. A tree may end
 * while the list of names is walked.
 */
static void add_all(const struct view_query *query, struct table *table,
		    json_t *list)
{
	const struct supervisor_name_entry *entry = NULL;
	struct sup_names *names;
	int err = sup_list(query->device, &names);

	if (err < 0)
		die_error(-err, "/dev/supervisor");
	while ((entry = sup_names_next(names, entry))) {
		const char *name = sup_names_name(entry);
		struct view *view;
		int fd;

		if (entry->kind != SUPERVISOR_KIND_SUPERVISOR)
			continue;
		fd = sup_open(query->device, name, O_RDONLY, NULL);
		if (fd == -ENOENT || fd == -EACCES)
			continue;
		if (fd < 0)
			die_error(-fd, "%s", name + 1);
		view = view_root(query, fd, name + 1, &err);
		close(fd);
		if (!view)
			die_error(-err, "%s", name + 1);
		if (list)
			json_array_append_new(list, view_json(view));
		else
			table_add(table, view, true);
		view_free(view);
	}
	sup_names_free(names);
}

static int add_one(const struct view_query *query, const char *path,
		   struct table *table, json_t *list, bool recursive,
		   bool *runs)
{
	struct target target = target_parse(path);
	int status = STATUS_OK;
	struct view *view = view_target(query, &target, &status);

	if (view) {
		*runs = view_runs(view);
		if (list)
			json_array_append_new(list, view_json(view));
		else
			table_add(table, view, recursive);
	}
	view_free(view);
	target_free(&target);
	return status;
}

int verb_tree(int argc, char **argv)
{
	struct options options = {
		.allowed = OPTION_JSON | OPTION_FIELDS | OPTION_PRETTY |
			   OPTION_ALL,
	};
	struct view_query query;
	struct table *table = NULL;
	json_t *list = NULL;
	int device, status = STATUS_OK;
	bool runs;

	options_parse(&options, argc, argv, "[PATH]",
		      "Shows the trees that run, or what is at PATH and below.");
	if (options.json)
		list = json_array();
	else
		table = table_new(options.fields, options.pretty, false);
	device = open_device();
	query = query_of(&options, device, table);
	if (options.argument)
		status = add_one(&query, options.argument, table, list, true,
				 &runs);
	else
		add_all(&query, table, list);
	close(device);
	if (status != STATUS_OK)
		return status;
	if (list)
		json_print_line(list);
	else
		table_print(table);
	return STATUS_OK;
}

int verb_status(int argc, char **argv)
{
	struct options options = {
		.allowed = OPTION_JSON | OPTION_FIELDS | OPTION_ALL,
	};
	struct view_query query;
	struct table *table = NULL;
	json_t *list = NULL;
	int device, status;
	bool runs = false;

	options_parse(&options, argc, argv, "PATH",
		      "Shows one supervisor or child, and succeeds if it runs.");
	if (options.json)
		list = json_array();
	else
		table = table_new(options.fields, false, true);
	device = open_device();
	query = query_of(&options, device, table);
	if (table)
		query.most = 0;
	status = add_one(&query, options.argument, table, list, false, &runs);
	close(device);
	if (status != STATUS_OK)
		return status;
	if (list) {
		json_print_line(json_incref(json_array_get(list, 0)));
		json_decref(list);
	} else {
		table_print(table);
	}
	return runs ? STATUS_OK : STATUS_FALSE;
}
