// SPDX-License-Identifier: GPL-2.0
/*
 * info - how a child or supervisor is to be treated, in the words of a tree
 * file; without a path, the module and its limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common.h"
#include "json_put.h"
#include "options.h"
#include "spec_json.h"
#include "verbs.h"
#include "view.h"
#include "words.h"

static void print(const struct options *options, json_t *object)
{
	if (options->json) {
		json_print_line(object);
	} else {
		spec_print(object, stdout);
		json_decref(object);
	}
}

/* By bit, those of a newer module by their number. */
static json_t *features_json(uint64_t bits)
{
	static const char *const names[] = { "supervisors", "messages", "registries",
		"dynamic", "lineage" };
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < 64; i++)
		if (bits >> i & 1)
			json_array_append_new(list, i < ARRAY_SIZE(names) ?
					      json_text(names[i]) :
					      json_integer(i));
	return list;
}

/* What a newer module limits has a number, unless it limits nothing. */
static json_t *limits_json(const struct supervisor_info *info)
{
	json_t *limits = json_object();
	uint32_t i;

	for (i = 1; i < SUPERVISOR_LIMIT_NR; i++)
		if (sup_word(SUP_WORDS_LIMIT, i) || info->out_limit[i])
			json_object_set_new(limits, word_of(SUP_WORDS_LIMIT, i),
				json_pack("{sI sI}", "used",
					  (json_int_t)info->out_used[i], "limit",
					  (json_int_t)info->out_limit[i]));
	return limits;
}

static int info_module(const struct options *options, int device)
{
	struct supervisor_info info = { .size = sizeof(info) };
	json_t *object;
	int err = sup_info(device, &info);

	if (err < 0)
		die_error(-err, "/dev/supervisor");
	object = json_pack("{ss si si so so}",
			   "version", (const char *)info.out_version,
			   "abi", (int)info.out_abi,
			   "errata", (int)info.out_errata,
			   "features", features_json(info.out_features),
			   "limits", limits_json(&info));
	print(options, object);
	return STATUS_OK;
}

/* OTP's count_children. A supervisor that answers no call is not asked. */
static int put_count(const struct options *options, int device,
		     const struct target *target, const struct view *view,
		     json_t *object)
{
	struct supervisor_count count;
	int fd, err;

	if (!view->complete || view->self.out_suspended ||
	    view->self.out_state != SUPERVISOR_STATE_UP)
		return STATUS_OK;
	fd = open_supervisor(device, target, O_RDONLY);
	if (fd < 0)
		return -fd;
	err = sup_count_children(fd, options->deadline, &count);
	close(fd);
	if (err < 0) {
		complain_error(-err, "%s", target->path);
		return status_of_error(-err);
	}
	json_object_set_new(object, "count_children",
			    json_pack("{sI sI sI sI}",
				      "specs", (json_int_t)count.specs,
				      "active", (json_int_t)count.active,
				      "supervisors", (json_int_t)count.supervisors,
				      "workers", (json_int_t)count.workers));
	return STATUS_OK;
}

static int print_counted(const struct options *options, int device,
			 const struct target *target, const struct view *view,
			 json_t *object)
{
	int status = put_count(options, device, target, view, object);

	if (status == STATUS_OK)
		print(options, object);
	else
		json_decref(object);
	return status;
}

static int info_root(const struct options *options, int device,
		     const struct target *target, const struct view *view)
{
	json_t *object = json_object();

	json_put_text(object, "name", view->path);
	view_put_flags(view, object);
	return print_counted(options, device, target, view, object);
}

static int get_spec(const struct options *options, int fd,
		    const struct view *view, struct sup_child_opts *opts,
		    void **memory)
{
	return view->is_dynamic_child ?
		sup_dynamic_get_spec(fd, view->as_child->id, options->deadline,
				     opts, memory) :
		sup_child_get_spec(fd, view->id, options->deadline, opts,
				   memory);
}

static int info_child(const struct options *options, int device,
		      const struct target *target, const struct view *view)
{
	SUP_OPTS(sup_child_opts, opts);
	void *memory = NULL;
	const char *id;
	json_t *object;
	int fd = open_parent(device, target, O_RDONLY);
	int err;

	if (fd < 0)
		return -fd;
	err = get_spec(options, fd, view, &opts, &memory);
	close(fd);
	if (err < 0) {
		complain_error(-err, "%s", target->path);
		return status_of_error(-err);
	}
	id = sup_children_id(view->as_child);
	object = view->is_supervisor ?
		spec_json(id, &opts) :
		spec_process_json(id, &opts, view->registry);
	free(memory);
	if (view->is_supervisor)
		view_put_flags(view, object);
	return print_counted(options, device, target, view, object);
}

static int info_path(const struct options *options, int device)
{
	struct target target = target_parse(options->argument);
	int status = STATUS_OK;
	struct view_query query = { .device = device };
	struct view *view = view_target(&query, &target, &status);

	if (view && target.id)
		status = info_child(options, device, &target, view);
	else if (view)
		status = info_root(options, device, &target, view);
	view_free(view);
	target_free(&target);
	return status;
}

int verb_info(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON | OPTION_TIMEOUT };
	int device, status;

	options_parse(&options, argc, argv, "[PATH]",
		      "Shows how a child or supervisor is to be treated, in the words of a tree file; without a PATH, the module and its limits.");
	device = open_device();
	status = options.argument ? info_path(&options, device) :
				    info_module(&options, device);
	close(device);
	return status;
}
