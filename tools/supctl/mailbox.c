// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox ls, status, rm - named mailboxes from outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common.h"
#include "grid.h"
#include "json_put.h"
#include "options.h"
#include "spec_json.h"
#include "target.h"
#include "verbs.h"

/* A mailbox, as far as the caller may see it. */
struct shown {
	const struct supervisor_name_entry *entry;
	struct supervisor_mailbox_status status; /* size 0: nothing of it */
};

static char *field_name(const struct shown *shown)
{
	return xstrdup(sup_names_name(shown->entry));
}

static char *number(const struct shown *shown, uint64_t value)
{
	return shown->status.size ? xasprintf("%" PRIu64, value) : NULL;
}

static char *field_owner(const struct shown *shown)
{
	int pid = shown->entry->owner_pid;

	return pid ? xasprintf("%d", pid) : NULL;
}

static char *field_uid(const struct shown *shown)
{
	return xasprintf("%" PRIu32, shown->entry->uid);
}

static char *field_gid(const struct shown *shown)
{
	return xasprintf("%" PRIu32, shown->entry->gid);
}

static char *field_mode(const struct shown *shown)
{
	return xasprintf("%04" PRIo32, shown->entry->mode);
}

static char *field_messages(const struct shown *shown)
{
	return number(shown, shown->status.out_messages);
}

static char *field_bytes(const struct shown *shown)
{
	return number(shown, shown->status.out_bytes);
}

static char *field_taken(const struct shown *shown)
{
	return number(shown, shown->status.out_taken);
}

static char *field_survive(const struct shown *shown)
{
	return shown->status.size ?
		xstrdup(shown->status.out_survive ? "true" : "false") : NULL;
}

static const struct field {
	const char *name;
	char *(*text)(const struct shown *shown);
	bool is_number;
} fields[] = {
	{ "name", field_name, false },
	{ "owner", field_owner, true },
	{ "uid", field_uid, true },
	{ "gid", field_gid, true },
	{ "mode", field_mode, false },
	{ "survive", field_survive, false },
	{ "messages", field_messages, true },
	{ "bytes", field_bytes, true },
	{ "taken", field_taken, true },
};

/* Any access will do to look. */
static int open_to_look(int device, const char *name)
{
	int fd = sup_mailbox_open(device, name, O_RDONLY, NULL);

	return fd == -EACCES ? sup_mailbox_open(device, name, O_WRONLY, NULL) :
			       fd;
}

/* 0, or -errno and status->size 0. */
static int read_status(int device, const char *name,
		       struct supervisor_mailbox_status *status)
{
	int fd = open_to_look(device, name);
	int err = fd;

	*status = (struct supervisor_mailbox_status){
		.size = sizeof(*status),
	};
	if (fd >= 0) {
		err = sup_mailbox_status(fd, status);
		close(fd);
	}
	if (err < 0)
		status->size = 0;
	return err;
}

static void status_put(json_t *object,
		       const struct supervisor_mailbox_status *status)
{
	json_put_number(object, "owner_pid", status->out_owner_pid);
	json_put_bool(object, "survive", status->out_survive);
	json_put_number(object, "messages", status->out_messages);
	json_put_number(object, "max_messages", status->out_max_messages);
	json_put_number(object, "bytes", status->out_bytes);
	json_put_number(object, "max_bytes", status->out_max_bytes);
	json_put_number(object, "max_payload", status->out_max_payload);
	json_put_number(object, "ring_bytes", status->out_ring_bytes);
	json_put_number(object, "taken", status->out_taken);
	json_put_number(object, "reserved", status->out_reserved);
	json_put_number(object, "lost", status->out_lost);
}

static json_t *shown_json(const struct shown *shown)
{
	json_t *object = json_object();

	json_put_text(object, "name", sup_names_name(shown->entry));
	json_put_number(object, "owner_pid", shown->entry->owner_pid);
	json_put_number(object, "uid", shown->entry->uid);
	json_put_number(object, "gid", shown->entry->gid);
	json_put_made(object, "mode", field_mode(shown));
	if (shown->status.size)
		status_put(object, &shown->status);
	return object;
}

int mailbox_ls(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON | OPTION_FIELDS };
	const struct supervisor_name_entry *entry = NULL;
	const char *names[ARRAY_SIZE(fields)];
	size_t chosen[GRID_MAX], width, i;
	struct sup_names *list;
	json_t *array = json_array();
	struct grid *grid;
	int device, err;

	options_parse(&options, argc, argv, "", "Shows the named mailboxes.");
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		names[i] = fields[i].name;
		chosen[i] = i;
	}
	width = options.fields ? grid_choose(options.fields, names,
					     ARRAY_SIZE(fields), chosen) :
				 ARRAY_SIZE(fields);
	grid = grid_new(options.fields);
	for (i = 0; i < width; i++)
		grid_column(grid, names[chosen[i]],
			    fields[chosen[i]].is_number);
	device = open_device();
	err = sup_list(device, &list);
	if (err < 0)
		die_error(-err, "/dev/supervisor");
	while ((entry = sup_names_next(list, entry))) {
		struct shown shown = { .entry = entry };

		if (entry->kind != SUPERVISOR_KIND_MAILBOX)
			continue;
		/* It may have gone by now. */
		if (read_status(device, sup_names_name(entry),
				&shown.status) == -ENOENT)
			continue;
		json_array_append_new(array, shown_json(&shown));
		for (i = 0; i < width; i++)
			grid_cell(grid, fields[chosen[i]].text(&shown), NULL);
	}
	sup_names_free(list);
	close(device);
	if (options.json) {
		json_print_line(array);
		return STATUS_OK;
	}
	json_decref(array);
	grid_print(grid);
	return STATUS_OK;
}

int mailbox_status(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON };
	struct supervisor_mailbox_status status;
	json_t *object;
	int device, err;

	options_parse(&options, argc, argv, "/NAME",
		      "Shows a mailbox, and succeeds if somebody serves it.");
	check_mailbox_name(options.argument);
	device = open_device();
	err = read_status(device, options.argument, &status);
	close(device);
	if (err == -ENOENT)
		complain("%s: no mailbox of this name", options.argument);
	else if (err < 0)
		complain_error(-err, "%s", options.argument);
	if (err < 0)
		return status_of_error(-err);
	object = json_object();
	json_put_text(object, "name", options.argument);
	status_put(object, &status);
	if (options.json) {
		json_print_line(object);
	} else {
		spec_print(object, stdout);
		json_decref(object);
	}
	return status.out_owner_pid ? STATUS_OK : STATUS_FALSE;
}

int mailbox_rm(int argc, char **argv)
{
	struct options options = { 0 };

	options_parse(&options, argc, argv, "/NAME",
		      "Frees a mailbox's name; whoever has it open keeps it.");
	check_mailbox_name(options.argument);
	return remove_name(options.argument, SUPERVISOR_KIND_MAILBOX, "mailbox");
}

int verb_mailbox(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ "create", mailbox_create, "/NAME [COMMAND...]", "make one and serve it: run COMMAND for each message, or print it" },
		{ "ls", mailbox_ls, "", "show all that have a name" },
		{ "status", mailbox_status, "/NAME", "show one; fail unless it is served" },
		{ "recv", mailbox_recv, "/NAME", "take messages from one" },
		{ "reply", mailbox_reply, "/NAME CALL [PAYLOAD]", "answer a call that was received" },
		{ "rm", mailbox_rm, "/NAME", "free its name" },
	};

	return verbs_run(verbs, ARRAY_SIZE(verbs),
			 "'supctl mailbox VERB --help' tells a verb's options.\n",
			 argc, argv);
}
