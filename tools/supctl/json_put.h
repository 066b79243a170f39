/* SPDX-License-Identifier: GPL-2.0 */
/*
 * json_put - members of JSON objects in our words, and objects as lines.
 */
#ifndef SUPCTL_JSON_PUT_H
#define SUPCTL_JSON_PUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <supervisor.h>

/* Any bytes: where they are not UTF-8, each becomes its Latin letter. */
json_t *json_text(const char *text);

void json_put_word(json_t *object, const char *key, enum sup_words words,
		   uint32_t value);
void json_put_number(json_t *object, const char *key, int64_t value);
void json_put_bool(json_t *object, const char *key, bool value);
/* Copies the text; NULL is null. */
void json_put_text(json_t *object, const char *key, const char *text);
/* Frees the text. */
void json_put_made(json_t *object, const char *key, char *text);
/* An errno by its name. */
void json_put_errno(json_t *object, const char *key, int error);

/* One object on one line; takes the reference. */
void json_print_line(json_t *object);

#endif
