/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz - what the fuzz targets share: they are driven by bytes, and check promises.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define check(condition)							\
	do {									\
		if (!(condition)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();						\
		}								\
	} while (0)

/* What is left of the bytes; after the last one there are zeros. */
struct fuzz_bytes {
	const uint8_t *next;
	size_t left;
};

static inline uint8_t fuzz_byte(struct fuzz_bytes *bytes)
{
	if (!bytes->left)
		return 0;
	bytes->left--;
	return *bytes->next++;
}

static inline unsigned int fuzz_below(struct fuzz_bytes *bytes, unsigned int limit)
{
	return fuzz_byte(bytes) % limit;
}

/* The targets. */
void policy_fuzz(const uint8_t *bytes, size_t nr_bytes);
void dynamic_fuzz(const uint8_t *bytes, size_t nr_bytes);

#endif
