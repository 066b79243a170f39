/* SPDX-License-Identifier: GPL-2.0 */
/*
 * payload - the bytes of a message: read from the command line or standard
 * input, and shown.
 */
#ifndef SUPCTL_PAYLOAD_H
#define SUPCTL_PAYLOAD_H

#include <jansson.h>
#include <stddef.h>

struct payload {
	const void *bytes;
	size_t length;
};

/*
 * @argument, or standard input up to its end for "-" and NULL. Does not return
 * if that is longer than any payload. Never freed: there is one.
 */
struct payload payload_read(const char *argument);

/* As one line of text: what is not printable is escaped; for free(3). */
char *payload_words(const void *bytes, size_t length);
/* As text; what is not UTF-8 as "KEY_base64". */
void payload_put(json_t *object, const char *key, const void *bytes,
		 size_t length);
/* To standard output as it is; at a terminal, the line is ended. */
void payload_print(const void *bytes, size_t length);

#endif
