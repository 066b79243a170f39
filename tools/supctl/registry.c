// SPDX-License-Identifier: GPL-2.0
/*
 * registry ls, get, rm - what registries there are, and who is in one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "grid.h"
#include "json_put.h"
#include "options.h"
#include "payload.h"
#include "registry_key.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

/* ---- registries ------------------------------------------------------- */

/* A registry, as far as the caller may see it. */
struct shown {
	const struct supervisor_name_entry *name;
	struct supervisor_registry_status status; /* size 0: nothing of it */
};

static char *number(const struct shown *shown, uint64_t value)
{
	return shown->status.size ? xasprintf("%" PRIu64, value) : NULL;
}

static char *field_name(const void *shown)
{
	return xstrdup(sup_names_name(((const struct shown *)shown)->name));
}

static char *field_keys(const void *of)
{
	const struct shown *shown = of;

	return shown->status.size ? xstrdup(word_of(SUP_WORDS_KEYS,
						    shown->status.out_keys)) : NULL;
}

static char *field_partitions(const void *of)
{
	const struct shown *shown = of;

	return number(shown, shown->status.out_partitions);
}

static char *field_entries(const void *of)
{
	const struct shown *shown = of;

	return number(shown, shown->status.out_entries);
}

static char *field_processes(const void *of)
{
	const struct shown *shown = of;

	return number(shown, shown->status.out_processes);
}

static char *field_listeners(const void *of)
{
	const struct shown *shown = of;

	return number(shown, shown->status.out_listeners);
}

static char *field_locks(const void *of)
{
	const struct shown *shown = of;

	return number(shown, shown->status.out_locks);
}

static char *field_meta(const void *of)
{
	const struct shown *shown = of;

	return number(shown, shown->status.out_meta);
}

static char *field_uid(const void *of)
{
	return xasprintf("%" PRIu32, ((const struct shown *)of)->name->uid);
}

static char *field_gid(const void *of)
{
	return xasprintf("%" PRIu32, ((const struct shown *)of)->name->gid);
}

static char *field_mode(const void *of)
{
	return xasprintf("%04" PRIo32, ((const struct shown *)of)->name->mode);
}

/* Of a registry, a struct shown; of an entry, that. */
struct field {
	const char *name;
	char *(*text)(const void *of);
	bool is_number;
};

static const struct field registry_fields[] = {
	{ "name", field_name, false },
	{ "keys", field_keys, false },
	{ "partitions", field_partitions, true },
	{ "entries", field_entries, true },
	{ "processes", field_processes, true },
	{ "listeners", field_listeners, true },
	{ "locks", field_locks, true },
	{ "meta", field_meta, true },
	{ "uid", field_uid, true },
	{ "gid", field_gid, true },
	{ "mode", field_mode, false },
};

static json_t *registry_json(const void *of)
{
	const struct shown *shown = of;
	const struct supervisor_registry_status *status = &shown->status;
	json_t *object = json_object();

	json_put_text(object, "name", sup_names_name(shown->name));
	json_put_number(object, "uid", shown->name->uid);
	json_put_number(object, "gid", shown->name->gid);
	json_put_made(object, "mode", field_mode(shown));
	if (!status->size)
		return object;
	json_put_word(object, "keys", SUP_WORDS_KEYS, status->out_keys);
	json_put_number(object, "partitions", status->out_partitions);
	json_put_number(object, "entries", status->out_entries);
	json_put_number(object, "processes", status->out_processes);
	json_put_number(object, "listeners", status->out_listeners);
	json_put_number(object, "locks", status->out_locks);
	json_put_number(object, "meta", status->out_meta);
	return object;
}

/* ---- entries ---------------------------------------------------------- */

static char *field_key(const void *entry)
{
	size_t length;
	const void *key = sup_entry_key(entry, &length);

	return payload_words(key, length);
}

static char *field_value(const void *entry)
{
	size_t length;
	const void *value = sup_entry_value(entry, &length);

	return payload_words(value, length);
}

static char *field_pid(const void *of)
{
	const struct supervisor_registry_entry *entry = of;

	return entry->pid ? xasprintf("%d", entry->pid) : NULL;
}

static char *field_mailbox(const void *of)
{
	const struct supervisor_registry_entry *entry = of;

	return xstrdup(entry->mailbox ? "true" : "false");
}

static char *field_partition(const void *of)
{
	const struct supervisor_registry_entry *entry = of;

	return xasprintf("%" PRIu32, entry->partition);
}

static char *field_id(const void *of)
{
	const struct supervisor_registry_entry *entry = of;

	return xasprintf("%" PRIu64, (uint64_t)entry->id);
}

static const struct field entry_fields[] = {
	{ "key", field_key, false },
	{ "pid", field_pid, true },
	{ "mailbox", field_mailbox, false },
	{ "partition", field_partition, true },
	{ "id", field_id, true },
	{ "value", field_value, false },
};

static json_t *entry_json(const void *of)
{
	const struct supervisor_registry_entry *entry = of;
	json_t *object = json_object();
	const void *bytes;
	size_t length;

	bytes = sup_entry_key(entry, &length);
	payload_put(object, "key", bytes, length);
	json_put_number(object, "pid", entry->pid);
	json_put_bool(object, "mailbox", entry->mailbox);
	json_put_number(object, "partition", entry->partition);
	json_put_number(object, "id", entry->id);
	bytes = sup_entry_value(entry, &length);
	payload_put(object, "value", bytes, length);
	return object;
}

/* ---- either, as lines or as JSON -------------------------------------- */

struct list {
	const struct options *options;
	const struct field *fields;
	json_t *(*json)(const void *of);
	size_t chosen[GRID_MAX];
	size_t width;
	size_t count;
	struct grid *grid;
	json_t *array;
};

static void list_begin(struct list *list, const struct options *options,
		       const struct field *fields, size_t count,
		       json_t *(*json)(const void *of))
{
	const char *names[GRID_MAX];
	size_t i;

	*list = (struct list){
		.options = options,
		.fields = fields,
		.json = json,
		.width = count,
	};
	for (i = 0; i < count; i++) {
		names[i] = fields[i].name;
		list->chosen[i] = i;
	}
	if (options->fields)
		list->width = grid_choose(options->fields, names, count,
					  list->chosen);
	list->grid = grid_new(options->fields);
	for (i = 0; i < list->width; i++)
		grid_column(list->grid, names[list->chosen[i]],
			    fields[list->chosen[i]].is_number);
	list->array = json_array();
}

static void list_add(struct list *list, const void *of)
{
	size_t i;

	list->count++;
	if (list->options->json) {
		json_array_append_new(list->array, list->json(of));
		return;
	}
	for (i = 0; i < list->width; i++)
		grid_cell(list->grid, list->fields[list->chosen[i]].text(of),
			  NULL);
}

static void list_print(struct list *list)
{
	if (list->options->json) {
		json_print_line(list->array);
		return;
	}
	json_decref(list->array);
	grid_print(list->grid);
}

/* ---- the verbs -------------------------------------------------------- */

/* 0, or -errno and status->size 0. */
static int read_status(int device, const char *name,
		       struct supervisor_registry_status *status)
{
	int fd = sup_registry_open(device, name, O_RDONLY, NULL);
	int err = fd;

	if (fd == -EACCES)
		err = fd = sup_registry_open(device, name, O_WRONLY, NULL);
	*status = (struct supervisor_registry_status){
		.size = sizeof(*status),
	};
	if (fd >= 0) {
		err = sup_registry_status(fd, status);
		close(fd);
	}
	if (err < 0)
		status->size = 0;
	return err;
}

static int list_registries(const struct options *options)
{
	const struct supervisor_name_entry *name = NULL;
	struct sup_names *names;
	struct list list;
	int device, err;

	list_begin(&list, options, registry_fields,
		   ARRAY_SIZE(registry_fields), registry_json);
	device = open_device();
	err = sup_list(device, &names);
	if (err < 0)
		die_error(-err, "/dev/supervisor");
	while ((name = sup_names_next(names, name))) {
		struct shown shown = { .name = name };

		if (name->kind != SUPERVISOR_KIND_REGISTRY)
			continue;
		/* It may have gone by now. */
		if (read_status(device, sup_names_name(name),
				&shown.status) == -ENOENT)
			continue;
		list_add(&list, &shown);
	}
	sup_names_free(names);
	close(device);
	list_print(&list);
	return STATUS_OK;
}

/* @key: with @flags of SELECT, or its beginning; NULL is any. */
static int list_entries(const struct options *options, const char *key,
			uint32_t flags)
{
	SUP_OPTS(sup_select_opts, opts, .key = key,
		 .key_len = key ? strlen(key) : 0, .flags = flags);
	const struct supervisor_registry_entry *entry;
	struct sup_entries *entries;
	int device, registry, err;
	struct list list;

	list_begin(&list, options, entry_fields, ARRAY_SIZE(entry_fields),
		   entry_json);
	device = open_device();
	registry = open_registry(device, options->argument, O_RDONLY);
	close(device);
	if (registry < 0)
		return -registry;
	err = sup_select(registry, &opts, &entries);
	while (err >= 0) {
		err = sup_entries_next(entries, &entry);
		if (err <= 0)
			break;
		list_add(&list, entry);
	}
	if (err < 0) {
		explain_key(options->argument, key, -err, NULL);
		return status_of_error(-err);
	}
	sup_entries_free(entries);
	close(registry);
	if (list.count || !flags) {
		list_print(&list);
		return STATUS_OK;
	}
	explain_key(options->argument, key, ENOENT, NULL);
	if (options->json)
		list_print(&list);
	return STATUS_FALSE;
}

int registry_ls(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON | OPTION_FIELDS };

	options_parse(&options, argc, argv, "[/NAME] [PREFIX]",
		      "Shows the named registries; or the entries of one, whose keys begin with PREFIX.");
	if (!options.argument)
		return list_registries(&options);
	check_registry_name(options.argument);
	return list_entries(&options, *options.more, 0);
}

int registry_get(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON | OPTION_FIELDS };

	options_parse(&options, argc, argv, "/NAME KEY",
		      "Shows the entries of a key, and succeeds if there are any.");
	check_registry_name(options.argument);
	check_key(*options.more);
	return list_entries(&options, *options.more, SUPERVISOR_SELECT_F_KEY);
}

int registry_rm(int argc, char **argv)
{
	struct options options = { 0 };

	options_parse(&options, argc, argv, "/NAME",
		      "Frees a registry's name; whoever has it open keeps it.");
	check_registry_name(options.argument);
	return remove_name(options.argument, SUPERVISOR_KIND_REGISTRY,
			   "registry");
}

int verb_registry(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ "ls", registry_ls, "[/NAME] [PREFIX]", "show all that have a name, or who is in one" },
		{ "get", registry_get, "/NAME KEY", "show who has a key; fail if nobody has" },
		{ "put", registry_put, "/NAME KEY [VALUE] -- COMMAND...", "run COMMAND under that key" },
		{ "watch", registry_watch, "/NAME [PREFIX]", "follow who comes and who goes" },
		{ "publish", registry_publish, "/NAME KEY [PAYLOAD]", "send a message to all who have a key" },
		{ "signal", registry_signal, "/NAME KEY [SIGNAL]", "signal whoever has a key" },
		{ "rm", registry_rm, "/NAME", "free its name" },
	};

	return verbs_run(verbs, ARRAY_SIZE(verbs),
			 "'supctl registry VERB --help' tells a verb's options.\n",
			 argc, argv);
}
