// SPDX-License-Identifier: GPL-2.0
/*
 * child - the program that is started: it says when it was in main, and waits; with
 * an argument it just exits.
 */
#include <time.h>
#include <unistd.h>

#include "child.h"

int main(int argc, char **argv)
{
	struct timespec time;
	struct note note;

	(void)argv;
	if (argc > 1)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &time);
	note.time_ns = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
	note.pid = getpid();
	if (write(NOTES_FD, &note, sizeof(note)) != sizeof(note))
		return 1;
	for (;;)
		pause();
}
