/* SPDX-License-Identifier: GPL-2.0 */
/*
 * child - the program that is started: it says when it was in main, and waits.
 */
#ifndef SUP_TOOLS_BENCH_CHILD_H
#define SUP_TOOLS_BENCH_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#define NOTES_FD 100	/* inherited: where notes are written */

struct note {
	uint64_t time_ns;	/* CLOCK_MONOTONIC, first thing in main */
	int64_t pid;
};

#endif
