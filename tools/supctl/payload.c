// SPDX-License-Identifier: GPL-2.0
/*
 * payload - the bytes of a message: read from the command line or standard
 * input, and shown.
 */
#include "payload.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "../common.h"

struct payload payload_read(const char *argument)
{
	static char input[SUPERVISOR_PAYLOAD_MAX + 1];
	struct payload payload = { .bytes = input };

	if (argument && strcmp(argument, "-")) {
		payload.bytes = argument;
		payload.length = strlen(argument);
	}
	while (payload.bytes == input && payload.length < sizeof(input)) {
		ssize_t got = read(STDIN_FILENO, input + payload.length,
				   sizeof(input) - payload.length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die_error(errno, "standard input");
		if (!got)
			break;
		payload.length += got;
	}
	if (payload.length > SUPERVISOR_PAYLOAD_MAX)
		die(STATUS_USAGE, "more than the %d bytes of a message",
		    SUPERVISOR_PAYLOAD_MAX);
	return payload;
}

/* Writes a byte that is not shown as it is; returns what follows it. */
static char *escape(char *to, unsigned char byte)
{
	static const char named[] = "a\ab\bt\tn\nv\vf\fr\r";
	size_t i;

	for (i = 1; i < sizeof(named); i += 2)
		if (named[i] == byte) {
			*to++ = '\\';
			*to++ = named[i - 1];
			return to;
		}
	return to + sprintf(to, "\\x%02x", byte);
}

char *payload_words(const void *bytes, size_t length)
{
	const char *from = bytes, *end = from + length;
	char *words = xcalloc(length + 1, 4), *to = words;
	mbstate_t state = { 0 };

	while (from < end) {
		wchar_t wide;
		size_t used = mbrtowc(&wide, from, end - from, &state);

		if (used - 1 >= (size_t)(end - from) || !iswprint(wide)) {
			to = escape(to, *from++);
			memset(&state, 0, sizeof(state));
			continue;
		}
		if (*from == '\\')
			*to++ = '\\';
		memcpy(to, from, used);
		to += used;
		from += used;
	}
	*to = '\0';
	return words;
}

static char *base64(const unsigned char *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = xcalloc(length / 3 + 2, 4), *to = text;
	size_t i;

	for (i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t three = bytes[i] << 16 |
				 (left > 1 ? bytes[i + 1] << 8 : 0) |
				 (left > 2 ? bytes[i + 2] : 0);

		*to++ = digits[three >> 18];
		*to++ = digits[three >> 12 & 63];
		*to++ = left > 1 ? digits[three >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[three & 63] : '=';
	}
	return text;
}

void payload_put(json_t *object, const char *key, const void *bytes,
		 size_t length)
{
	json_t *text = json_stringn(length ? bytes : "", length);
	char *name, *encoded;

	if (text) {
		json_object_set_new(object, key, text);
		return;
	}
	name = xasprintf("%s_base64", key);
	encoded = base64(bytes, length);
	json_object_set_new(object, name, json_string(encoded));
	free(encoded);
	free(name);
}

void payload_print(const void *bytes, size_t length)
{
	const char *text = bytes;

	if (length)
		fwrite(bytes, 1, length, stdout);
	if (length && text[length - 1] != '\n' && isatty(STDOUT_FILENO))
		putchar('\n');
}
