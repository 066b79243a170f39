/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lineage_text - whose a child is and who asked for it, in words and as JSON.
 */
#ifndef SUPCTL_LINEAGE_TEXT_H
#define SUPCTL_LINEAGE_TEXT_H

#include <jansson.h>
#include <supervisor.h>

/* "pid 640, front, run 2", "pid 12, dead"; of an ancestor its id; for free(3). */
char *lineage_entry_words(const struct supervisor_lineage_entry *entry);

/* Adds it to the member "ancestors" or "callers". */
void lineage_put_entry(json_t *object,
		       const struct supervisor_lineage_entry *entry);

#endif
