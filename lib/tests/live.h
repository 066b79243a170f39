/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * live.h - owns how a test program begins that is for the module. It is its own
 * child, too: with arguments it plays one.
 */
#ifndef TESTS_LIVE_H
#define TESTS_LIVE_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../internal.h"

#define LIVE_SKIP 4

#define SECONDS(n) sup_deadline_in((n) * 1000)

static int device;
static char self[256];		/* the program's path */

/* 0, or the exit status: the machine has no module, or no /proc. */
static inline int live_begin(void)
{
	device = sup_device_open();
	if (device < 0) {
		printf("1..0 # SKIP /dev/supervisor: %s\n", strerror(-device));
		return LIVE_SKIP;
	}
	return readlink("/proc/self/exe", self, sizeof(self) - 1) < 0;
}

#endif /* TESTS_LIVE_H */
