// SPDX-License-Identifier: GPL-2.0
/*
 * lineage_text - whose a child is and who asked for it, in words and as JSON.
 */
#include "lineage_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "../common.h"
#include "json_put.h"

/* What a path calls it: its id, or a number. */
static char *entry_name(const struct supervisor_lineage_entry *entry)
{
	return entry->flags & SUPERVISOR_LINEAGE_F_DYNAMIC ?
		xasprintf("%" PRIu64, (uint64_t)entry->child) :
		xstrdup(sup_lineage_id(entry));
}

/* "web/2"; "" of who was nobody's child. */
static char *caller_path(const struct supervisor_lineage_entry *entry)
{
	const char *path = sup_lineage_path(entry);
	char *name = entry_name(entry);
	char *whole = xasprintf("%s%s%s", path, *path ? "/" : "", name);

	free(name);
	return whole;
}

char *lineage_entry_words(const struct supervisor_lineage_entry *entry)
{
	const char *dead = entry->flags & SUPERVISOR_LINEAGE_F_ALIVE ? "" :
								       ", dead";
	char *path, *words;

	if (entry->kind == SUPERVISOR_LINEAGE_ANCESTOR)
		return entry_name(entry);
	if (!entry->child)
		return xasprintf("pid %d%s", entry->pid, dead);
	path = caller_path(entry);
	words = xasprintf("pid %d%s, %s, run %" PRIu32, entry->pid, dead, path,
			  entry->incarnation);
	free(path);
	return words;
}

void lineage_put_entry(json_t *object,
		       const struct supervisor_lineage_entry *entry)
{
	bool caller = entry->kind == SUPERVISOR_LINEAGE_CALLER;
	const char *key = caller ? "callers" : "ancestors";
	json_t *list = json_object_get(object, key);
	json_t *item = json_object();

	if (!list) {
		list = json_array();
		json_object_set_new(object, key, list);
	}
	if (caller) {
		json_put_number(item, "pid", entry->pid);
		json_put_bool(item, "alive",
			      entry->flags & SUPERVISOR_LINEAGE_F_ALIVE);
		json_put_number(item, "start_ns", entry->start_ns);
	} else {
		json_put_made(item, "id", entry_name(entry));
	}
	if (entry->supervisor)
		json_put_number(item, "supervisor", entry->supervisor);
	if (entry->child)
		json_put_number(item, "child", entry->child);
	if (caller && entry->child) {
		json_put_made(item, "path", caller_path(entry));
		json_put_number(item, "incarnation", entry->incarnation);
	}
	json_array_append_new(list, item);
}
