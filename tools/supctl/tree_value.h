/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tree_value - the values in a tree file: each reader takes the text under a
 * key of a mapping, and either understands it or notes the mistake with its
 * line. A key that is not there leaves the default alone.
 */
#ifndef SUPCTL_TREE_VALUE_H
#define SUPCTL_TREE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <supervisor.h>

#include "mistakes.h"
#include "yaml_doc.h"

struct tree_reader {
	struct yaml_doc *doc;
	struct mistakes *mistakes;
	const yaml_node_t *mapping;	/* where the keys are */
};

bool value_has(const struct tree_reader *reader, const char *key);

/* Notes each of the keys that is there, and should not be in @what. */
void value_refuse(const struct tree_reader *reader, const char * const *keys,
		  size_t count, const char *what, const char *expected);

/* The line of a key's value; without one, that of the mapping. */
unsigned int value_line(const struct tree_reader *reader, const char *key);

/* Notes that what is under @key is not what was expected. */
void value_mistake(const struct tree_reader *reader, const char *key,
		   const char *text, const char *expected);

void value_word(const struct tree_reader *reader, const char *key,
		const char *text, enum sup_words words, uint32_t *out);
void value_bool(const struct tree_reader *reader, const char *key,
		const char *text, uint32_t *out);
void value_number(const struct tree_reader *reader, const char *key,
		  const char *text, uint64_t min, uint64_t max, int64_t *out);
void value_milliseconds(const struct tree_reader *reader, const char *key,
			const char *text, uint64_t min, uint64_t max,
			uint32_t *out);
void value_seconds(const struct tree_reader *reader, const char *key,
		   const char *text, int64_t *out);
void value_shutdown(const struct tree_reader *reader, const char *key,
		    const char *text, int64_t *out);
void value_signal(const struct tree_reader *reader, const char *key,
		  const char *text, uint32_t *out);
/* Permission bits: 0640 */
void value_mode(const struct tree_reader *reader, const char *key,
		const char *text, uint32_t *out);
/* 1.5 to 150 */
void value_factor(const struct tree_reader *reader, const char *key,
		  const char *text, uint32_t *out_pct);
/* 20 or 20% to 20 */
void value_percent(const struct tree_reader *reader, const char *key,
		   const char *text, uint32_t *out_pct);

#endif
