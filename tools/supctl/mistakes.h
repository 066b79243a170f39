/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mistakes - what is wrong with a tree file: on which line, what, and what was
 * expected. Collected, so that one look finds them all.
 */
#ifndef SUPCTL_MISTAKES_H
#define SUPCTL_MISTAKES_H

#include <jansson.h>
#include <stddef.h>

struct mistake {
	unsigned int line;	/* 0: of the file as a whole */
	char *what;
	char *expected;
};

struct mistakes {
	struct mistake *list;
	size_t count;
};

/* @expected is copied; what follows it makes the text of what is wrong. */
void mistake_add(struct mistakes *m, unsigned int line, const char *expected,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* In the order of their lines. */
void mistakes_print(struct mistakes *m, const char *file);
json_t *mistakes_json(struct mistakes *m);

void mistakes_free(struct mistakes *m);

#endif
