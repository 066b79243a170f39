// SPDX-License-Identifier: GPL-2.0
/*
 * target - what the command line names: a tree, a supervisor in it, a child of
 * that; a mailbox; a registry; and the ways to open them, or to say why not.
 */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
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
	case EUSERS:
	case EOPNOTSUPP:
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

int open_dynamic(int device, const struct target *target, uint32_t spawn)
{
	struct supervisor_status status = { .size = sizeof(status) };
	int fd = open_supervisor(device, target, O_RDWR);
	int err;

	if (fd < 0)
		return fd;
	err = sup_status(fd, &status, NULL);
	if (err < 0)
		complain_error(-err, "%s", target->path);
	else if (status.out_kind == SUPERVISOR_ORDERED)
		complain("%s: not a dynamic supervisor", target->path);
	else if (status.out_spawn != spawn)
		complain("%s: its children %s", target->path,
			 spawn == SUPERVISOR_SPAWN_SELF ?
			 "are started: see 'supctl start-child'" :
			 "join it: see 'supctl join'");
	else
		return fd;
	close(fd);
	return err < 0 ? -status_of_error(-err) : -STATUS_FALSE;
}

static void check_name(const char *name, const char *what)
{
	const char *at;

	if (*name != '/' || !name[1] ||
	    strlen(name + 1) > SUPERVISOR_NAME_MAX)
		die(STATUS_USAGE, "'%s': not a %s's name, such as /shop", name,
		    what);
	for (at = name + 1; *at; at++)
		if (*at == '/' || (unsigned char)*at < ' ' || *at == '\177')
			die(STATUS_USAGE,
			    "'%s': no '/' but the first and no control characters in a %s's name",
			    name, what);
}

void check_mailbox_name(const char *name)
{
	check_name(name, "mailbox");
}

void check_registry_name(const char *name)
{
	check_name(name, "registry");
}

static int opened(int fd, const char *name, const char *what)
{
	if (fd == -ENOENT)
		complain("%s: no %s of this name", name, what);
	else if (fd < 0)
		complain_error(-fd, "%s", name);
	return fd < 0 ? -status_of_error(-fd) : fd;
}

int open_mailbox(int device, const char *name, int access)
{
	return opened(sup_mailbox_open(device, name, access, NULL), name,
		      "mailbox");
}

int open_registry(int device, const char *name, int access)
{
	return opened(sup_registry_open(device, name, access, NULL), name,
		      "registry");
}

int kind_of_name(int device, const char *name)
{
	const struct supervisor_name_entry *entry = NULL;
	struct sup_names *names;
	int kind = -ENOENT;
	int err = sup_list(device, &names);

	if (err < 0)
		die_error(-err, "/dev/supervisor");
	while ((entry = sup_names_next(names, entry)))
		if (!strcmp(sup_names_name(entry), name))
			kind = entry->kind;
	sup_names_free(names);
	return kind;
}

int remove_name(const char *name, int kind, const char *what)
{
	int device = open_device();
	int err = kind_of_name(device, name) == kind ?
		sup_unlink(device, name) : -ENOENT;

	close(device);
	if (err == -ENOENT)
		complain("%s: no %s of this name", name, what);
	else if (err < 0)
		complain_error(-err, "%s", name);
	return err < 0 ? status_of_error(-err) : STATUS_OK;
}
