// SPDX-License-Identifier: GPL-2.0
/*
 * map_progress - a bar on a terminal that says how far it is. It is a line of
 * standard error, taken away before anything else is printed.
 */
#include "map_progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../common.h"

#define DRAW_NS (100 * NSEC_PER_MSEC)
#define BAR_MAX 40
#define LINE_MAX_SIZE 256

static unsigned int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

void map_progress_text(const struct map_progress *progress, unsigned int width,
		       char *text, size_t size)
{
	unsigned long long total = progress->total;
	unsigned int room, full;
	char numbers[128];
	int used;

	used = snprintf(numbers, sizeof(numbers), "%llu", progress->done);
	if (progress->total >= 0)
		used += snprintf(numbers + used, sizeof(numbers) - used, "/%llu",
				 total);
	used += snprintf(numbers + used, sizeof(numbers) - used,
			 " done, %llu running", progress->running);
	if (progress->failed)
		used += snprintf(numbers + used, sizeof(numbers) - used,
				 ", %llu failed", progress->failed);
	/* "[", "] ", and the last column stays free */
	room = width > (unsigned int)used + 4 ? width - (unsigned int)used - 4 : 0;
	if (room > BAR_MAX)
		room = BAR_MAX;
	if (progress->total <= 0 || room < 5) {
		snprintf(text, size, "%.*s", (int)(width ? width - 1 : 0), numbers);
		return;
	}
	full = (unsigned int)(progress->done * room / total);
	if (full > room)
		full = room;
	snprintf(text, size, "[%.*s%.*s] %s", (int)full,
		 "========================================", (int)(room - full),
		 "                                        ", numbers);
}

void map_progress_draw(struct map_progress *progress, uint64_t now_ns)
{
	char text[LINE_MAX_SIZE];

	if (!progress->shown ||
	    (progress->drawn && now_ns - progress->drawn_ns < DRAW_NS))
		return;
	map_progress_text(progress, columns(), text, sizeof(text));
	fprintf(stderr, "\r%s\033[K", text);
	fflush(stderr);
	progress->drawn = true;
	progress->drawn_ns = now_ns;
}

void map_progress_clear(struct map_progress *progress)
{
	if (!progress->drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress->drawn = false;
}
