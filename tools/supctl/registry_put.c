// SPDX-License-Identifier: GPL-2.0
/*
 * registry put - a command under a name: this process registers, and becomes the
 * command.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "options.h"
#include "registry_key.h"
#include "target.h"
#include "verbs.h"

/* Opens the registry, or makes one; does not return without. */
static int open_or_make(const struct options *options)
{
	SUP_OPTS(sup_registry_opts, opts,
		 .name = options->argument,
		 .mode = options->mode,
		 .keys = options->duplicate ? SUPERVISOR_KEYS_DUPLICATE :
					      SUPERVISOR_KEYS_UNIQUE,
		 .open = 1);
	SUP_OPTS(sup_result, result);
	int device = open_device();
	int registry;

	registry = sup_registry_open(device, options->argument, O_WRONLY, NULL);
	if (registry == -ENOENT)
		registry = sup_registry_create(device, &opts, &result);
	close(device);
	if (registry == -EEXIST)
		die(STATUS_FALSE, "%s: this name is taken", options->argument);
	if (registry < 0) {
		explain_key(options->argument, NULL, -registry, &result);
		exit(status_of_error(-registry));
	}
	return registry;
}

int registry_put(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_REGISTRY };
	SUP_OPTS(sup_result, result);
	const char *key, *value;
	int registry, err;

	options_parse(&options, argc, argv, "/NAME KEY [VALUE] -- COMMAND...",
		      "Runs COMMAND under a key, which it has while it lives. Makes the registry if there is none.");
	check_registry_name(options.argument);
	key = options.more[0];
	value = options.more[1] ? options.more[1] : "";
	check_key(key);
	registry = open_or_make(&options);
	err = sup_register(registry, key, strlen(key), value, strlen(value), -1,
			   &result);
	if (err < 0) {
		explain_key(options.argument, key, -err, &result);
		return status_of_error(-err);
	}
	/* A registry lasts as long as its files. */
	if (fcntl(registry, F_SETFD, 0))
		die_error(errno, "%s", options.argument);
	execvp(options.command[0], options.command);
	die_error(errno, "%s", options.command[0]);
}
