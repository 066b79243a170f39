// SPDX-License-Identifier: GPL-2.0
/*
 * notes - owns the pipe through which instances of the program say when they
 * were in main.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static int notes;

/* Instances inherit the writing end, whoever starts them. */
void notes_open(void)
{
	int ends[2];

	check_errno(pipe2(ends, O_CLOEXEC), "pipe");
	check_errno(dup2(ends[1], NOTES_FD), "dup2");
	close(ends[1]);
	notes = ends[0];
}

void notes_write(void)
{
	struct note note = { .time_ns = now_ns(), .pid = getpid() };

	if (write(NOTES_FD, &note, sizeof(note)) != sizeof(note))
		fail("cannot write a note", errno);
}

struct note notes_read(void)
{
	struct note note;

	if (read(notes, &note, sizeof(note)) != sizeof(note))
		fail("cannot read a note", errno);
	return note;
}

/* Blocked in read(2), it would be woken for each of them. */
uint64_t notes_last(size_t n)
{
	uint64_t last = 0;
	int bytes = 0;

	while (bytes < (int)(n * sizeof(struct note))) {
		sleep_ms(20);
		check_errno(ioctl(notes, FIONREAD, &bytes), "FIONREAD");
	}
	while (n--) {
		struct note note = notes_read();

		if (note.time_ns > last)
			last = note.time_ns;
	}
	return last;
}
