// SPDX-License-Identifier: GPL-2.0
/*
 * child - one child of a supervisor, as the end of a path names it: by its id, or a
 * dynamic supervisor's by its number.
 */
#include "child.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../common.h"

uint64_t child_number(const char *name)
{
	uint64_t number;

	return parse_u64(name, 1, UINT64_MAX, &number) ? number : 0;
}

char *child_name(bool dynamic, const struct supervisor_child_status *status)
{
	return dynamic ? xasprintf("%" PRIu64, (uint64_t)status->id) :
			 xstrdup(sup_children_id(status));
}

int is_dynamic(int supervisor)
{
	struct supervisor_status status = { .size = sizeof(status) };
	int err = sup_status(supervisor, &status, NULL);

	return err < 0 ? err : status.out_kind != SUPERVISOR_ORDERED;
}

static int find_id(int supervisor, const char *id, struct child *child)
{
	struct supervisor_status status = { .size = sizeof(status) };
	int err = sup_status(supervisor, &status, &child->memory);

	if (err < 0)
		return err;
	while ((child->status = sup_children_next(child->memory, child->status)))
		if (!strcmp(sup_children_id(child->status), id))
			return 0;
	return -ENOENT;
}

/* The first of those behind the number before it. */
static int find_number(int supervisor, uint64_t number, struct child *child)
{
	struct supervisor_status status = {
		.size = sizeof(status),
		.cursor = number - 1,
	};
	int err;

	if (!number)
		return -ENOENT;
	err = sup_dynamic_status(supervisor, &status, &child->memory);
	if (err < 0)
		return err;
	child->status = sup_children_next(child->memory, NULL);
	return child->status && child->status->id == number ? 0 : -ENOENT;
}

int child_find(int supervisor, const char *name, struct child *child)
{
	int err = is_dynamic(supervisor);

	memset(child, 0, sizeof(*child));
	if (err < 0)
		return err;
	child->dynamic = err;
	err = child->dynamic ?
		find_number(supervisor, child_number(name), child) :
		find_id(supervisor, name, child);
	if (err < 0)
		child_release(child);
	return err;
}

void child_release(struct child *child)
{
	sup_children_free(child->memory);
	child->memory = NULL;
	child->status = NULL;
}

int child_lineage(int supervisor, const char *name,
		  struct sup_lineage **lineage)
{
	int err = sup_child_lineage(supervisor, name, lineage);
	uint64_t number = child_number(name);

	if (err != -EOPNOTSUPP)
		return err;
	return number ? sup_dynamic_lineage(supervisor, number, lineage) :
			-ENOENT;
}
