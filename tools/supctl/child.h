/* SPDX-License-Identifier: GPL-2.0 */
/*
 * child - one child of a supervisor, as the end of a path names it: by its id, or a
 * dynamic supervisor's by its number.
 */
#ifndef SUPCTL_CHILD_H
#define SUPCTL_CHILD_H

#include <stdbool.h>
#include <supervisor.h>

struct child {
	const struct supervisor_child_status *status;
	bool dynamic;			/* its supervisor is */
	struct sup_children *memory;
};

/* Both return 0; -ENOENT: there is none; or another -errno. */
int child_find(int supervisor, const char *name, struct child *child);
int child_lineage(int supervisor, const char *name,
		  struct sup_lineage **lineage);
void child_release(struct child *child);

/* What a path calls it; for free(3). */
char *child_name(bool dynamic, const struct supervisor_child_status *status);
/* The number of a dynamic supervisor's child; 0: it can be nobody's. */
uint64_t child_number(const char *name);

/* Whether a supervisor is dynamic, or -errno. */
int is_dynamic(int supervisor);

#endif
