// SPDX-License-Identifier: GPL-2.0
/*
 * Print the frequency of this machine's time stamp counter, in kHz.
 *
 * A guest without KVM counts the host's ticks, and calibrates them against an
 * emulated timer, which on a busy host can be wrong by an order of magnitude.
 * Here both ends of the measured interval are the best of many readings, so
 * that being preempted does no harm.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct reading {
	uint64_t ticks;
	uint64_t ns;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static struct reading best_reading(void)
{
	struct reading best = {};
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		uint64_t before = __rdtsc();
		uint64_t ns = now_ns();
		uint64_t after = __rdtsc();

		if (after - before < shortest) {
			shortest = after - before;
			best.ticks = before + (after - before) / 2;
			best.ns = ns;
		}
	}
	return best;
}

int main(void)
{
	const struct timespec interval = { .tv_nsec = 20000000 };
	struct reading first = best_reading();
	struct reading last;

	nanosleep(&interval, NULL);
	last = best_reading();
	printf("%.0f\n", (last.ticks - first.ticks) * 1e6 / (last.ns - first.ns));
	return 0;
}
