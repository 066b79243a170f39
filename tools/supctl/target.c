// SPDX-License-Identifier: GPL-2.0
/*
 * target - what a PATH on the command line names: a tree, a supervisor in it,
 * a child of that; and the ways to open them, or to say why not.
 */
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor.h>
#include <unistd.h>

#include "../common.h"

struct target target_parse(const char *path)
{
	struct target target = { .path = xstrdup(path) };
	const char *first = strchr(path, '/');
	const char *last = strrchr(path, '/');

	if (!*path || *path == '/' || strstr(path, "//") ||
	    path[strlen(path) - 1] == '/')
		die(STATUS_USAGE,
		    "'%s': not a path: a tree's name, then ids, as in shop/web/2",
		    path);
	if (!first) {
		target.root = xstrdup(path);
		target.above = xstrdup("");
		return target;
	}
	target.root = xasprintf("%.*s", (int)(first - path), path);
	target.above = first == last ? xstrdup("") :
		xasprintf("%.*s", (int)(last - first - 1), first + 1);
	target.id = xstrdup(last + 1);
	return target;
}

void target_free(struct target *target)
{
	free(target->path);
	free(target->root);
	free(target->above);
	free(target->id);
}

int open_device(void)
{
	int device = sup_device_open();

	switch (device) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		die(STATUS_SYSTEM,
		    "/dev/supervisor: the module is not loaded: load it with 'modprobe supervisor', or from where it was built with 'insmod supervisor.ko'");
	default:
		if (device < 0)
			die_error(-device, "/dev/supervisor");
		return device;
	}
}

int status_of_error(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return STATUS_TIMEOUT;
	case ENOENT:
	case EBUSY:
	case EEXIST:
	case ECHILD:
	case ESHUTDOWN:
	case EOWNERDEAD:
		return STATUS_FALSE;
	default:
		return STATUS_SYSTEM;
	}
}

int open_root(int device, const char *root, int access)
{
	char *name = xasprintf("/%s", root);
	int fd = sup_open(device, name, access, NULL);

	free(name);
	if (fd == -ENOENT)
		complain("%s: no tree of this name is running", root);
	else if (fd < 0)
		complain_error(-fd, "%s", root);
	return fd < 0 ? -status_of_error(-fd) : fd;
}

static int open_below(int device, const char *root, const char *path,
		      int access)
{
	int root_fd = open_root(device, root, access);
	int fd;

	if (root_fd < 0 || !*path)
		return root_fd;
	fd = sup_open_child(root_fd, path, access, NULL);
	close(root_fd);
	if (fd == -ENOENT)
		complain("%s/%s: no such child", root, path);
	else if (fd == -EINVAL)
		complain("%s/%s: not a supervisor", root, path);
	else if (fd < 0)
		complain_error(-fd, "%s/%s", root, path);
	if (fd == -EINVAL)
		return -STATUS_FALSE;
	return fd < 0 ? -status_of_error(-fd) : fd;
}

int open_parent(int device, const struct target *target, int access)
{
	return open_below(device, target->root, target->above, access);
}

int open_supervisor(int device, const struct target *target, int access)
{
	const char *below = strchr(target->path, '/');

	return open_below(device, target->root, below ? below + 1 : "", access);
}
