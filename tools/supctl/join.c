// SPDX-License-Identifier: GPL-2.0
/*
 * join - a command as a dynamic supervisor's child: this process joins, and becomes
 * the command.
 */
#include <errno.h>
#include <supervisor.h>
#include <unistd.h>

#include "../common.h"
#include "options.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

/* A child whose group is signalled has one of its own. */
static int join(int fd, uint64_t deadline, struct sup_result *result)
{
	int err = sup_dynamic_join(fd, 0, deadline, result);

	if (err == -EINVAL && setsid() > 0)
		err = sup_dynamic_join(fd, 0, deadline, result);
	return err;
}

static void explain(const char *path, int error,
		    const struct sup_result *result)
{
	switch (error) {
	case EUSERS:
		complain("%s: has as many children as it may", path);
		break;
	case EEXIST:
		if (result->pid)
			complain("%s: its key is taken, by process %d", path,
				 result->pid);
		else
			complain("%s: its key is taken", path);
		break;
	case ESHUTDOWN:
		complain("%s: is not up", path);
		break;
	case EBUSY:
		complain("%s: this process is somebody's child already", path);
		break;
	default:
		if (result->limit)
			complain_error(error, "%s: limit of %s", path,
				       word_of(SUP_WORDS_LIMIT, result->limit));
		else
			complain_error(error, "%s", path);
	}
}

int verb_join(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_TIMEOUT };
	SUP_OPTS(sup_result, result);
	struct target target;
	int device, fd, err;

	options_parse(&options, argc, argv, "PATH -- COMMAND...",
		      "Runs COMMAND as a child of a dynamic supervisor whose children join.");
	target = target_parse(options.argument);
	device = open_device();
	fd = open_dynamic(device, &target, SUPERVISOR_SPAWN_SELF);
	close(device);
	target_free(&target);
	if (fd < 0)
		return -fd;
	err = join(fd, options.deadline, &result);
	close(fd);
	if (err < 0) {
		explain(options.argument, -err, &result);
		return status_of_error(-err);
	}
	execvp(*options.command, options.command);
	die_error(errno, "%s", *options.command);
}
