// SPDX-License-Identifier: GPL-2.0
/*
 * map_input - the lines of standard input, as they come, and the commands that
 * they make.
 *
 * It is never read when that would wait, for tasks end meanwhile; and it is not made
 * non-blocking, for it may be somebody else's, too.
 */
#include "map_input.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common.h"

#define READ_SIZE 65536

static char *cut_line(struct map_input *input, size_t length)
{
	char *line = xcalloc(length + 1, 1);

	memcpy(line, input->bytes + input->begin, length);
	return line;
}

/* One that is there as a whole, or NULL. */
static char *take_line(struct map_input *input)
{
	char *from = input->bytes + input->looked;
	char *end = memchr(from, input->end, input->filled - input->looked);
	char *line;

	input->looked = input->filled;
	if (!end)
		return NULL;
	line = cut_line(input, (size_t)(end - input->bytes) - input->begin);
	input->begin = (size_t)(end - input->bytes) + 1;
	input->looked = input->begin;
	return line;
}

static void make_room(struct map_input *input)
{
	size_t kept = input->filled - input->begin;

	if (input->begin) {
		memmove(input->bytes, input->bytes + input->begin, kept);
		input->looked -= input->begin;
		input->filled = kept;
		input->begin = 0;
	}
	if (input->room - input->filled < READ_SIZE) {
		input->room = 2 * input->room + READ_SIZE;
		input->bytes = xrealloc(input->bytes, input->room, 1);
	}
}

/* 1: there is more; 0: that was all; or -errno. */
static int read_more(struct map_input *input)
{
	struct pollfd poll_fd = { .fd = input->fd, .events = POLLIN };
	ssize_t got;

	if (poll(&poll_fd, 1, 0) == 0)
		return -EAGAIN;
	make_room(input);
	got = read(input->fd, input->bytes + input->filled,
		   input->room - input->filled);
	if (got < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	input->filled += (size_t)got;
	return got > 0;
}

int map_input_next(struct map_input *input, char **line)
{
	int err;

	for (;;) {
		*line = input->bytes ? take_line(input) : NULL;
		if (*line)
			return 1;
		if (input->ended)
			return 0;
		err = read_more(input);
		if (err < 0)
			return err;
		if (err)
			continue;
		input->ended = true;
		if (input->begin == input->filled)
			return 0;
		*line = cut_line(input, input->filled - input->begin);
		input->begin = input->filled;
		return 1;
	}
}

void map_input_free(struct map_input *input)
{
	free(input->bytes);
}

long long map_input_count(const struct map_input *input)
{
	char bytes[READ_SIZE], last = input->end;
	long long lines = 0;
	struct stat status;
	ssize_t got;
	off_t at;

	at = lseek(input->fd, 0, SEEK_CUR);
	if (at < 0 || fstat(input->fd, &status) || !S_ISREG(status.st_mode))
		return -1;
	while ((got = pread(input->fd, bytes, sizeof(bytes), at)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			lines += bytes[i] == input->end;
		last = bytes[got - 1];
		at += got;
	}
	return lines + (last != input->end);
}

/* ---- commands ---- */

/* @text with @line in place of each "{}"; for free(3). */
static char *put_line(const char *text, const char *line)
{
	size_t line_length = strlen(line), length = 0;
	char *made = NULL;
	const char *hole;

	for (;; text = hole + 2) {
		hole = strstr(text, "{}");
		made = xrealloc(made, length + strlen(text) + line_length + 1, 1);
		if (!hole)
			break;
		memcpy(made + length, text, (size_t)(hole - text));
		length += (size_t)(hole - text);
		memcpy(made + length, line, line_length);
		length += line_length;
	}
	strcpy(made + length, text);
	return made;
}

static void add_arg(struct sup_command *command, const char *arg)
{
	int err = sup_command_add_arg(command, arg);

	if (err)
		die_error(-err, "'%s'", arg);
}

struct sup_command *map_command(char *const *argv, const char *line)
{
	struct sup_command *command;
	bool placed = false;
	int err;

	err = sup_command_new(&command);
	if (err)
		die_error(-err, "command");
	for (; *argv; argv++) {
		char *arg = put_line(*argv, line);

		placed |= !!strstr(*argv, "{}");
		add_arg(command, arg);
		free(arg);
	}
	if (!placed)
		add_arg(command, line);
	err = sup_command_set_stdio(command, 0, SUP_STDIO_NULL, NULL);
	if (err)
		die_error(-err, "command");
	return command;
}
