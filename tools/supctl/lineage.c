// SPDX-License-Identifier: GPL-2.0
/*
 * lineage - shows whose a child or a process is, and who asked for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "child.h"
#include "json_put.h"
#include "lineage_text.h"
#include "options.h"
#include "target.h"
#include "verbs.h"

static void print_json(const struct sup_lineage *lineage)
{
	const struct supervisor_lineage *told = sup_lineage_of(lineage);
	const struct supervisor_lineage_entry *entry = NULL;
	json_t *object = json_object();

	json_put_number(object, "supervisor", told->out_supervisor);
	json_put_number(object, "child", told->out_child);
	json_put_number(object, "incarnation", told->out_incarnation);
	json_object_set_new(object, "ancestors", json_array());
	json_object_set_new(object, "callers", json_array());
	while ((entry = sup_lineage_next(lineage, entry)))
		lineage_put_entry(object, entry);
	json_print_line(object);
}

static void print_text(const struct sup_lineage *lineage)
{
	const struct supervisor_lineage_entry *entry = NULL;
	char *words;

	while ((entry = sup_lineage_next(lineage, entry))) {
		words = lineage_entry_words(entry);
		printf("%-10s  %s\n",
		       entry->kind == SUPERVISOR_LINEAGE_CALLER ? "caller" :
								  "supervisor",
		       words);
		free(words);
	}
}

static int lineage_of_process(int device, int pid, struct sup_lineage **lineage)
{
	int err = sup_lineage(device, pid, -1, lineage);

	if (err == -ESRCH)
		complain("%d: not a process that is supervised", pid);
	else if (err < 0)
		complain_error(-err, "%d", pid);
	if (err == -ESRCH)
		return -STATUS_FALSE;
	return err < 0 ? -status_of_error(-err) : 0;
}

static int lineage_of_child(int device, const struct target *target,
			    struct sup_lineage **lineage)
{
	int fd = open_parent(device, target, O_RDONLY);
	int err;

	if (fd < 0)
		return fd;
	err = child_lineage(fd, target->id, lineage);
	close(fd);
	if (err == -ENOENT)
		complain("%s: no such child", target->path);
	else if (err < 0)
		complain_error(-err, "%s", target->path);
	return err < 0 ? -status_of_error(-err) : 0;
}

int verb_lineage(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON };
	struct sup_lineage *lineage = NULL;
	struct target target = { 0 };
	uint64_t pid = 0;
	int device, err;

	options_parse(&options, argc, argv, "TARGET",
		      "Shows whose a child is and who asked for it: a PATH, or a process by its number.");
	if (!parse_u64(options.argument, 1, INT_MAX, &pid))
		target = target_parse(options.argument);
	if (!pid && !target.id)
		die(STATUS_USAGE, "%s: a whole tree: name a child of it, or a process by its number",
		    target.path);
	device = open_device();
	err = pid ? lineage_of_process(device, pid, &lineage) :
		    lineage_of_child(device, &target, &lineage);
	close(device);
	target_free(&target);
	if (err < 0)
		return -err;
	if (options.json)
		print_json(lineage);
	else
		print_text(lineage);
	sup_lineage_free(lineage);
	return STATUS_OK;
}
