// SPDX-License-Identifier: GPL-2.0
/*
 * json_put - members of JSON objects in our words, and objects as lines.
 */
#include "json_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

void json_put_word(json_t *object, const char *key, enum sup_words words,
		   uint32_t value)
{
	json_put_text(object, key, word_of(words, value));
}

void json_put_number(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

void json_put_bool(json_t *object, const char *key, bool value)
{
	json_object_set_new(object, key, json_boolean(value));
}

json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char *longer, *to;

	if (string)
		return string;
	longer = to = xcalloc(2 * strlen(text) + 1, 1);
	for (; *text; text++) {
		unsigned char byte = *text;

		if (byte & 0x80)
			*to++ = 0xc0 | byte >> 6;
		*to++ = byte & 0x80 ? 0x80 | (byte & 0x3f) : byte;
	}
	string = json_string(longer);
	free(longer);
	return string;
}

void json_put_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, text ? json_text(text) :
						json_null());
}

void json_put_made(json_t *object, const char *key, char *text)
{
	json_put_text(object, key, text);
	free(text);
}

void json_put_errno(json_t *object, const char *key, int error)
{
	const char *name = strerrorname_np(error);

	if (name)
		json_put_text(object, key, name);
	else
		json_put_number(object, key, error);
}

void json_print_line(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}
