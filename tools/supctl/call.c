// SPDX-License-Identifier: GPL-2.0
/*
 * start, stop, restart, delete, suspend, resume - what may be asked of a
 * supervisor about its children, and of itself. OTP's restart_child,
 * terminate_child, both, delete_child, sys:suspend and sys:resume.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
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
	case SUPERVISOR_RESULT_NOPROC:
	case SUPERVISOR_RESULT_EXIT:
		complain("%s: its supervisor has ended", path);
		break;
	default:
		complain_error(error, "%s", path);
	}
}

static int tell(const struct options *options, int err,
		const struct sup_result *result)
{
	json_t *answer;

	if (err < 0)
		explain(options->argument, -err, result);
	if (options->json) {
		answer = json_object();
		json_put_text(answer, "path", options->argument);
		json_put_bool(answer, "ok", err >= 0);
		if (err < 0 && !result->result)
			json_put_errno(answer, "result", -err);
		else
			json_put_word(answer, "result", SUP_WORDS_RESULT,
				      result->result);
		if (result->pid)
			json_put_number(answer, "pid", result->pid);
		json_print_line(answer);
	}
	return err < 0 ? status_of_error(-err) : STATUS_OK;
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

typedef int child_call(int supervisor, const char *id, uint64_t deadline,
		       struct sup_result *result);

static int call_child(int argc, char **argv, const char *doc,
		      child_call *const *calls)
{
	SUP_OPTS(sup_result, result);
	struct options options = { 0 };
	struct target target;
	int fd, err = 0;

	parse(&options, argc, argv, doc);
	fd = open_for_call(&options, &target);
	if (fd < 0)
		return -fd;
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

int verb_stop(int argc, char **argv)
{
	SUP_OPTS(sup_result, result);
	struct options options = { 0 };
	struct target target;
	int device, fd, err;

	parse(&options, argc, argv,
	      "Stops a child, which its supervisor then leaves alone; or a whole tree.");
	target = target_parse(options.argument);
	device = open_device();
	fd = open_parent(device, &target, O_RDWR);
	close(device);
	if (fd < 0)
		return -fd;
	if (target.id)
		err = sup_child_terminate(fd, target.id, options.deadline,
					  &result);
	else
		err = sup_stop(fd, SUPERVISOR_EXIT_NORMAL, options.deadline);
	close(fd);
	target_free(&target);
	return tell(&options, err, &result);
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
