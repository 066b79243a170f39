/* SPDX-License-Identifier: GPL-2.0 */
/*
 * target - what the command line names: a tree, a supervisor in it, a child of
 * that; a mailbox; a registry; and the ways to open them, or to say why not.
 */
#ifndef SUPCTL_TARGET_H
#define SUPCTL_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct target {
	char *path;	/* "shop/web/2" */
	char *root;	/* "shop" */
	char *above;	/* "web": the supervisor's path below the root; "" for the root */
	char *id;	/* "2"; NULL: the root itself is meant */
};

/* Does not return if @path is none. */
struct target target_parse(const char *path);
void target_free(struct target *target);

/* Does not return without the device: no module, no rights. */
int open_device(void);

/*
 * These say what is wrong, and return the exit status for it, negated.
 * @access as sup_open().
 */
int open_root(int device, const char *root, int access);
/* The supervisor that the target is a child of; of a root, the root. */
int open_parent(int device, const struct target *target, int access);
/* The target, if it is a supervisor. */
int open_supervisor(int device, const struct target *target, int access);

/* Likewise a dynamic supervisor whose children come so: SUPERVISOR_SPAWN_*. */
int open_dynamic(int device, const struct target *target, uint32_t spawn);

/*
 * The mailbox or registry "/NAME"; does not return if @name cannot be one's. Says
 * what is wrong, and returns the exit status for it, negated.
 */
void check_mailbox_name(const char *name);
void check_registry_name(const char *name);
int open_mailbox(int device, const char *name, int access);
int open_registry(int device, const char *name, int access);
/* Which kind of object has the name, SUPERVISOR_KIND_*; -ENOENT. */
int kind_of_name(int device, const char *name);

/* The exit status for a call's error: timed out, not so, or failed. */
int status_of_error(int error);

/* Frees @name, if it is that kind's: @what. The exit status. */
int remove_name(const char *name, int kind, const char *what);

#endif
