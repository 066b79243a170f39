/* SPDX-License-Identifier: GPL-2.0 */
/*
 * map_progress - a bar on a terminal that says how far it is. It is a line of
 * standard error, taken away before anything else is printed.
 */
#ifndef SUPCTL_MAP_PROGRESS_H
#define SUPCTL_MAP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_progress {
	bool shown;		/* there is a terminal */
	long long total;	/* -1: unknown */
	unsigned long long done, failed, running;
	bool drawn;
	uint64_t drawn_ns;
};

/* Draws it, now or soon. */
void map_progress_draw(struct map_progress *progress, uint64_t now_ns);
void map_progress_clear(struct map_progress *progress);

/* What it says, within so many columns. */
void map_progress_text(const struct map_progress *progress, unsigned int columns,
		       char *text, size_t size);

#endif
