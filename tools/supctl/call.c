// SPDX-License-Identifier: GPL-2.0
/*
 * start, start-child, stop, restart, delete, suspend, resume - what may be asked
 * of a supervisor about its children, and of itself. OTP's restart_child,
 * start_child, terminate_child, the first and third, delete_child, sys:suspend and
 * sys:resume.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "child.h"
#include "json_put.h"
#include "options.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

/* What a call's error means to whoever asked. */
static void explain(const char *path, int error,
		    const struct sup_result *result)
{
	char *why;

	switch (result->result) {
	case SUPERVISOR_RESULT_RUNNING:
		complain("%s: is running", path);
		break;
	case SUPERVISOR_RESULT_RESTARTING:
		complain("%s: is being restarted", path);
		break;
	case SUPERVISOR_RESULT_NOT_FOUND:
		complain("%s: no such child", path);
		break;
	case SUPERVISOR_RESULT_START_FAILED:
		why = start_error_words(result->error, result->pid);
		complain("%s: start failed: %s", path, why);
		free(why);
		break;
	case SUPERVISOR_RESULT_MAX_CHILDREN:
		complain("%s: has as many children as it may", path);
		break;
	case SUPERVISOR_RESULT_DYNAMIC:
		complain("%s: a dynamic supervisor's child: it can only be stopped",
			 path);
		break;
	case SUPERVISOR_RESULT_NOPROC:
	case SUPERVISOR_RESULT_EXIT:
		complain("%s: its supervisor has ended", path);
		break;
	default:
		complain_error(error, "%s", path);
	}
}

/* What came of a call about what is at @path. */
static int tell_of(const struct options *options, const char *path, int err,
		   const struct sup_result *result)
{
	json_t *answer;

	if (err < 0)
		explain(path, -err, result);
	if (options->json) {
		answer = json_object();
		json_put_text(answer, "path", path);
		json_put_bool(answer, "ok", err >= 0);
		if (err < 0 && !result->result)
			json_put_errno(answer, "result", -err);
		else
			json_put_word(answer, "result", SUP_WORDS_RESULT,
				      result->result);
		if (err >= 0 && result->id)
			json_put_number(answer, "child", result->id);
		if (result->pid)
			json_put_number(answer, "pid", result->pid);
		json_print_line(answer);
	}
	return err < 0 ? status_of_error(-err) : STATUS_OK;
}

static int tell(const struct options *options, int err,
		const struct sup_result *result)
{
	return tell_of(options, options->argument, err, result);
}

static void parse(struct options *options, int argc, char **argv,
		  const char *doc)
{
	options->allowed |= OPTION_JSON | OPTION_TIMEOUT;
	options_parse(options, argc, argv, "PATH", doc);
}

/*
 * Opens the child's supervisor for the calls of one verb. A root is nobody's
 * child.
 */
static int open_for_call(const struct options *options, struct target *target)
{
	int device, fd;

	*target = target_parse(options->argument);
	if (!target->id)
		die(STATUS_USAGE, "%s: a whole tree, not a child of one",
		    options->argument);
	device = open_device();
	fd = open_parent(device, target, O_RDWR);
	close(device);
	return fd;
}

/* A dynamic supervisor would say so, too, but of a restart only its second half. */
static int check_ordered(int fd, struct sup_result *result)
{
	int dynamic = is_dynamic(fd);

	if (dynamic <= 0)
		return dynamic;
	result->result = SUPERVISOR_RESULT_DYNAMIC;
	return -EOPNOTSUPP;
}

typedef int child_call(int supervisor, const char *id, uint64_t deadline,
		       struct sup_result *result);

static int call_child(int argc, char **argv, const char *doc,
		      child_call *const *calls)
{
	SUP_OPTS(sup_result, result);
	struct options options = { 0 };
	struct target target;
	int fd, err;

	parse(&options, argc, argv, doc);
	fd = open_for_call(&options, &target);
	if (fd < 0)
		return -fd;
	err = check_ordered(fd, &result);
	for (; *calls && err >= 0; calls++)
		err = (*calls)(fd, target.id, options.deadline, &result);
	close(fd);
	target_free(&target);
	return tell(&options, err, &result);
}

int verb_start(int argc, char **argv)
{
	static child_call *const calls[] = { sup_child_restart, NULL };

	return call_child(argc, argv, "Starts a child that is not running.",
			  calls);
}

int verb_restart(int argc, char **argv)
{
	static child_call *const calls[] = {
		sup_child_terminate, sup_child_restart, NULL
	};

	return call_child(argc, argv, "Stops a child and starts it.", calls);
}

int verb_delete(int argc, char **argv)
{
	static child_call *const calls[] = { sup_child_delete, NULL };

	return call_child(argc, argv, "Forgets a child that is not running.",
			  calls);
}

static int stop_child(int fd, const char *name, uint64_t deadline,
		      struct sup_result *result)
{
	int dynamic = is_dynamic(fd);
	uint64_t number;

	if (dynamic < 0)
		return dynamic;
	if (!dynamic)
		return sup_child_terminate(fd, name, deadline, result);
	number = child_number(name);
	if (number)
		return sup_dynamic_terminate(fd, number, 0, deadline, result);
	result->result = SUPERVISOR_RESULT_NOT_FOUND;
	return -ENOENT;
}

/* stop --pid: the process has to be a child of the dynamic supervisor at PATH. */
static int stop_process(const struct options *options, int device,
			const struct target *target)
{
	int fd = open_supervisor(device, target, O_RDWR);
	SUP_OPTS(sup_result, result);
	int dynamic, err;
	char *path;

	if (fd < 0)
		return -fd;
	dynamic = is_dynamic(fd);
	if (!dynamic)
		complain("%s: not a dynamic supervisor", target->path);
	err = dynamic > 0 ? sup_dynamic_terminate_pid(fd, options->pid,
						      options->deadline,
						      &result) : dynamic;
	close(fd);
	if (!dynamic)
		return STATUS_FALSE;
	path = xasprintf("%s: process %d", target->path, options->pid);
	err = tell_of(options, path, err, &result);
	free(path);
	return err;
}

static int stop_path(const struct options *options, int device,
		     const struct target *target)
{
	int fd = open_parent(device, target, O_RDWR);
	SUP_OPTS(sup_result, result);
	int err;

	if (fd < 0)
		return -fd;
	err = target->id ?
		stop_child(fd, target->id, options->deadline, &result) :
		sup_stop(fd, SUPERVISOR_EXIT_NORMAL, options->deadline);
	close(fd);
	return tell(options, err, &result);
}

int verb_stop(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_PID };
	struct target target;
	int device, status;

	parse(&options, argc, argv,
	      "Stops a child, which its supervisor then leaves alone; or a whole tree.");
	target = target_parse(options.argument);
	device = open_device();
	status = options.pid ? stop_process(&options, device, &target) :
			       stop_path(&options, device, &target);
	close(device);
	target_free(&target);
	return status;
}

int verb_start_child(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON | OPTION_TIMEOUT };
	SUP_OPTS(sup_dynamic_opts, dynamic);
	SUP_OPTS(sup_result, result);
	int device, fd, err, status;
	struct target target;
	char *path;

	options_parse(&options, argc, argv, "PATH [ARG...]",
		      "Has a dynamic supervisor start a child by its template, with the ARGs behind those of the command, and prints its path.");
	dynamic.args = (const char *const *)options.more;
	target = target_parse(options.argument);
	device = open_device();
	fd = open_dynamic(device, &target, SUPERVISOR_SPAWN_SPAWNER);
	close(device);
	target_free(&target);
	if (fd < 0)
		return -fd;
	err = sup_dynamic_start(fd, &dynamic, options.deadline, &result);
	close(fd);
	if (err == -EINVAL && !result.invalid) {
		complain("%s: has no template", options.argument);
		return STATUS_FALSE;
	}
	path = err < 0 ? xstrdup(options.argument) :
			 xasprintf("%s/%" PRIu64, options.argument, result.id);
	if (err >= 0 && !options.json)
		puts(path);
	status = tell_of(&options, path, err, &result);
	free(path);
	return status;
}

static int call_supervisor(int argc, char **argv, const char *doc,
			   bool suspend)
{
	SUP_OPTS(sup_result, result);
	struct options options = { .allowed = OPTION_RECURSIVE };
	struct target target;
	uint32_t flags;
	int device, fd, err;

	parse(&options, argc, argv, doc);
	target = target_parse(options.argument);
	device = open_device();
	fd = open_supervisor(device, &target, O_RDWR);
	close(device);
	target_free(&target);
	if (fd < 0)
		return -fd;
	flags = options.recursive ? SUPERVISOR_SUSPEND_F_TREE : 0;
	err = suspend ? sup_suspend(fd, flags, options.deadline) :
			sup_resume(fd, flags);
	close(fd);
	return tell(&options, err, &result);
}

int verb_suspend(int argc, char **argv)
{
	return call_supervisor(argc, argv,
		"Lets a supervisor decide nothing: deaths and calls queue up.",
		true);
}

int verb_resume(int argc, char **argv)
{
	return call_supervisor(argc, argv,
		"Lets a supervisor decide again, beginning with what has queued up.",
		false);
}
