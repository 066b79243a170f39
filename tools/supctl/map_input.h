/* SPDX-License-Identifier: GPL-2.0 */
/*
 * map_input - the lines of standard input, as they come, and the commands that
 * they make.
 */
#ifndef SUPCTL_MAP_INPUT_H
#define SUPCTL_MAP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <supervisor.h>

struct map_input {
	int fd;
	char end;		/* of a line */
	char *bytes;		/* read, and not taken yet: from @begin to @filled */
	size_t begin, filled, room;
	size_t looked;		/* up to here there is no end of a line */
	bool ended;
};

/*
 * Takes the next line, without its end, for free(3): 1; 0: there are no more;
 * -EAGAIN: not now; or why it could not be read. The last one needs no end.
 */
int map_input_next(struct map_input *input, char **line);
void map_input_free(struct map_input *input);

/*
 * How many lines there are to come, if that can be known without reading them; or
 * -1.
 */
long long map_input_count(const struct map_input *input);

/*
 * @argv with the line in place of each "{}", or, where there is none, behind it.
 */
struct sup_command *map_command(char *const *argv, const char *line);

#endif
