// SPDX-License-Identifier: GPL-2.0
/*
 * yaml_doc - a YAML file as libyaml has it: the text, and a document whose
 * nodes know their lines. It refuses what cannot be a tree file whatever the
 * keys: bad YAML, several documents, repeated keys, aliases.
 */
#include "yaml_doc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"

#define FILE_BYTES_MAX (4U << 20)

static int read_whole(struct yaml_doc *doc, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t room = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	do {
		if (doc->length == room) {
			room = room ? room * 2 : 16384;
			doc->text = xrealloc(doc->text, room, 1);
		}
		got = read(fd, doc->text + doc->length, room - doc->length);
		if (got > 0)
			doc->length += got;
	} while (got > 0 && doc->length <= FILE_BYTES_MAX);
	got = got < 0 ? -errno : 0;
	close(fd);
	return doc->length > FILE_BYTES_MAX ? -EFBIG : got;
}

static void start_parser(struct yaml_doc *doc, yaml_parser_t *parser)
{
	if (!yaml_parser_initialize(parser))
		die_error(ENOMEM, "memory");
	yaml_parser_set_input_string(parser, (unsigned char *)doc->text,
				     doc->length);
}

static void bad_yaml(struct mistakes *m, const yaml_parser_t *parser)
{
	size_t line = parser->problem_mark.line + 1;

	if (parser->context)
		mistake_add(m, line, "well-formed YAML",
			    "%s on line %zu, %s", parser->context,
			    parser->context_mark.line + 1, parser->problem);
	else
		mistake_add(m, line, "well-formed YAML", "%s",
			    parser->problem);
}

/* What only the events tell: syntax, aliases, how many documents. */
static void check_events(struct yaml_doc *doc, struct mistakes *m)
{
	size_t documents = 0;
	yaml_parser_t parser;
	yaml_event_t event;
	bool more = true;

	start_parser(doc, &parser);
	while (more) {
		size_t line;

		if (!yaml_parser_parse(&parser, &event)) {
			bad_yaml(m, &parser);
			break;
		}
		line = event.start_mark.line + 1;
		if (event.type == YAML_ALIAS_EVENT)
			mistake_add(m, line,
				    "the value itself: aliases are not read",
				    "alias '*%s'", event.data.alias.anchor);
		if (event.type == YAML_DOCUMENT_START_EVENT && documents++)
			mistake_add(m, line, "one tree in one file",
				    "a second document");
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (!m->count && !documents)
		mistake_add(m, 0, "a tree: 'children' and what they are",
			    "nothing in it");
}

static void check_key(struct yaml_doc *doc, struct mistakes *m,
		      const yaml_node_t *mapping, const yaml_node_pair_t *pair)
{
	yaml_node_t *key = yaml_document_get_node(&doc->document, pair->key);
	const char *name = yaml_doc_scalar(key);
	yaml_node_t *first;

	if (!name) {
		mistake_add(m, yaml_doc_line(key), "a word", "a list or mapping as key");
		return;
	}
	first = yaml_doc_key(doc, mapping, name);
	if (first != key)
		mistake_add(m, yaml_doc_line(key), "each key once",
			    "key '%s' again, after line %u", name,
			    yaml_doc_line(first));
}

static void check_nodes(struct yaml_doc *doc, struct mistakes *m)
{
	yaml_node_t *node = doc->document.nodes.start;

	for (; node < doc->document.nodes.top; node++) {
		yaml_node_pair_t *pair;

		if (node->type == YAML_SCALAR_NODE &&
		    memchr(node->data.scalar.value, 0, node->data.scalar.length))
			mistake_add(m, yaml_doc_line(node),
				    "text without NUL", "a NUL character");
		if (node->type != YAML_MAPPING_NODE)
			continue;
		for (pair = node->data.mapping.pairs.start;
		     pair < node->data.mapping.pairs.top; pair++)
			check_key(doc, m, node, pair);
	}
}

int yaml_doc_read(struct yaml_doc *doc, const char *path, struct mistakes *m)
{
	yaml_parser_t parser;
	int err;

	memset(doc, 0, sizeof(*doc));
	err = read_whole(doc, path);
	if (err)
		return err;
	check_events(doc, m);
	if (m->count)
		return 0;

	start_parser(doc, &parser);
	doc->loaded = yaml_parser_load(&parser, &doc->document);
	if (!doc->loaded)
		bad_yaml(m, &parser);
	yaml_parser_delete(&parser);
	if (doc->loaded)
		check_nodes(doc, m);
	return 0;
}

void yaml_doc_free(struct yaml_doc *doc)
{
	if (doc->loaded)
		yaml_document_delete(&doc->document);
	free(doc->text);
	memset(doc, 0, sizeof(*doc));
}

yaml_node_t *yaml_doc_root(struct yaml_doc *doc)
{
	return yaml_document_get_root_node(&doc->document);
}

unsigned int yaml_doc_line(const yaml_node_t *node)
{
	return node ? node->start_mark.line + 1 : 0;
}

static const yaml_node_pair_t *find_pair(struct yaml_doc *doc,
					 const yaml_node_t *mapping,
					 const char *key)
{
	const yaml_node_pair_t *pair;

	if (!mapping || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const char *name = yaml_doc_scalar(
			yaml_document_get_node(&doc->document, pair->key));

		if (name && !strcmp(name, key))
			return pair;
	}
	return NULL;
}

yaml_node_t *yaml_doc_value(struct yaml_doc *doc, const yaml_node_t *mapping,
			    const char *key)
{
	const yaml_node_pair_t *pair = find_pair(doc, mapping, key);

	return pair ? yaml_document_get_node(&doc->document, pair->value) : NULL;
}

yaml_node_t *yaml_doc_key(struct yaml_doc *doc, const yaml_node_t *mapping,
			  const char *key)
{
	const yaml_node_pair_t *pair = find_pair(doc, mapping, key);

	return pair ? yaml_document_get_node(&doc->document, pair->key) : NULL;
}

yaml_node_t *yaml_doc_item(struct yaml_doc *doc, const yaml_node_t *sequence,
			   size_t index)
{
	const yaml_node_item_t *item;

	if (!sequence || sequence->type != YAML_SEQUENCE_NODE)
		return NULL;
	item = sequence->data.sequence.items.start + index;
	if (item >= sequence->data.sequence.items.top)
		return NULL;
	return yaml_document_get_node(&doc->document, *item);
}

const char *yaml_doc_kind(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a mapping";
	default:
		return node->data.scalar.length ? "a word" : "empty";
	}
}

const char *yaml_doc_scalar(const yaml_node_t *node)
{
	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	return (const char *)node->data.scalar.value;
}
