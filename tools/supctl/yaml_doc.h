/* SPDX-License-Identifier: GPL-2.0 */
/*
 * yaml_doc - a YAML file as libyaml has it: the text, and a document whose
 * nodes know their lines. It refuses what cannot be a tree file whatever the
 * keys: bad YAML, several documents, repeated keys, aliases.
 */
#ifndef SUPCTL_YAML_DOC_H
#define SUPCTL_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "mistakes.h"

struct yaml_doc {
	char *text;
	size_t length;
	yaml_document_t document;
	bool loaded;
};

/* 0, or -errno when the file cannot be read; mistakes tell the rest. */
int yaml_doc_read(struct yaml_doc *doc, const char *path, struct mistakes *m);
void yaml_doc_free(struct yaml_doc *doc);

yaml_node_t *yaml_doc_root(struct yaml_doc *doc);
unsigned int yaml_doc_line(const yaml_node_t *node);

/* What a mapping holds under a key, or NULL; and the key itself. */
yaml_node_t *yaml_doc_value(struct yaml_doc *doc, const yaml_node_t *mapping,
			    const char *key);
yaml_node_t *yaml_doc_key(struct yaml_doc *doc, const yaml_node_t *mapping,
			  const char *key);

/* The @index'th of a sequence, or NULL. */
yaml_node_t *yaml_doc_item(struct yaml_doc *doc, const yaml_node_t *sequence,
			   size_t index);

/* "a word", "empty", "a list" or "a mapping". */
const char *yaml_doc_kind(const yaml_node_t *node);

/* The text of a scalar, or NULL. */
const char *yaml_doc_scalar(const yaml_node_t *node);

#endif
