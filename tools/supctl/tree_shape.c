// SPDX-License-Identifier: GPL-2.0
/*
 * tree_shape - the shape of a tree file: which keys there are, which of them
 * hold a word, a list or a mapping. libcyaml reads it into these structs; what
 * the words mean is tree_file's to say.
 *
 * libcyaml tells of a misfit only in its log, so the log is read: the message,
 * and the backtrace, which is the path to the place. The line then comes from
 * the document, what was expected from the schema.
 */
#include "tree_shape.h"

#include <cyaml/cyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

#define WORD(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, type, member, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t word_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED)
};

#define TREE_LIMIT_FIELD(name, NAME) WORD(#name, struct shape_limits, name),
static const cyaml_schema_field_t limits_fields[] = {
	TREE_LIMITS(TREE_LIMIT_FIELD)
	CYAML_FIELD_END
};
#undef TREE_LIMIT_FIELD

static const cyaml_schema_field_t retry_fields[] = {
	WORD("min", struct shape_retry, min),
	WORD("max", struct shape_retry, max),
	WORD("factor", struct shape_retry, factor),
	WORD("jitter", struct shape_retry, jitter),
	WORD("reset_after", struct shape_retry, reset_after),
	WORD("counted", struct shape_retry, counted),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t register_fields[] = {
	WORD("registry", struct shape_register, registry),
	WORD("key", struct shape_register, key),
	WORD("value", struct shape_register, value),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t registry_fields[] = {
	WORD("name", struct shape_registry, name),
	WORD("keys", struct shape_registry, keys),
	WORD("partitions", struct shape_registry, partitions),
	WORD("mode", struct shape_registry, mode),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t registry_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct shape_registry,
			    registry_fields)
};

static const cyaml_schema_value_t child_schema;

/* The template is a child, which libcyaml is to find by its schema. */
#define DYNAMIC(type) \
	WORD("max_children", type, dynamic.max_children), \
	WORD("spawn", type, dynamic.spawn), \
	CYAML_FIELD_MAPPING_PTR("template", OPTIONAL, type, dynamic.template, \
				child_fields)

static const cyaml_schema_field_t child_fields[] = {
	WORD("id", struct shape_child, id),
	CYAML_FIELD_SEQUENCE("command", OPTIONAL, struct shape_child, command,
			     &word_schema, 0, CYAML_UNLIMITED),
	WORD("shell", struct shape_child, shell),
	WORD("restart", struct shape_child, restart),
	WORD("shutdown", struct shape_child, shutdown),
	WORD("stop_signal", struct shape_child, stop_signal),
	WORD("signal", struct shape_child, signal),
	WORD("significant", struct shape_child, significant),
	WORD("type", struct shape_child, type),
	WORD("readiness", struct shape_child, readiness),
	WORD("start_timeout", struct shape_child, start_timeout),
	CYAML_FIELD_MAPPING_PTR("retry", OPTIONAL, struct shape_child, retry,
				retry_fields),
	CYAML_FIELD_IGNORE("env", CYAML_FLAG_OPTIONAL), /* any keys: tree_file */
	WORD("clear_env", struct shape_child, clear_env),
	WORD("cwd", struct shape_child, cwd),
	WORD("user", struct shape_child, user),
	WORD("group", struct shape_child, group),
	CYAML_FIELD_SEQUENCE("groups", OPTIONAL, struct shape_child, groups,
			     &word_schema, 0, CYAML_UNLIMITED),
	WORD("umask", struct shape_child, umask),
	CYAML_FIELD_MAPPING_PTR("limits", OPTIONAL, struct shape_child, limits,
				limits_fields),
	CYAML_FIELD_MAPPING_PTR("register", OPTIONAL, struct shape_child,
				registered, register_fields),
	WORD("stdin", struct shape_child, stdin_from),
	WORD("stdout", struct shape_child, stdout_to),
	WORD("stderr", struct shape_child, stderr_to),
	WORD("strategy", struct shape_child, strategy),
	WORD("intensity", struct shape_child, intensity),
	WORD("period", struct shape_child, period),
	WORD("auto_shutdown", struct shape_child, auto_shutdown),
	WORD("partitions", struct shape_child, partitions),
	DYNAMIC(struct shape_child),
	CYAML_FIELD_SEQUENCE("children", OPTIONAL, struct shape_child, children,
			     &child_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t child_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct shape_child, child_fields)
};

static const cyaml_schema_field_t root_fields[] = {
	WORD("name", struct shape_root, name),
	WORD("strategy", struct shape_root, strategy),
	WORD("intensity", struct shape_root, intensity),
	WORD("period", struct shape_root, period),
	WORD("auto_shutdown", struct shape_root, auto_shutdown),
	WORD("partitions", struct shape_root, partitions),
	WORD("type", struct shape_root, type),
	DYNAMIC(struct shape_root),
	WORD("owner_death", struct shape_root, owner_death),
	WORD("hold", struct shape_root, hold),
	WORD("spawner_timeout", struct shape_root, spawner_timeout),
	CYAML_FIELD_SEQUENCE("registries", OPTIONAL, struct shape_root,
			     registries, &registry_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE("children", OPTIONAL, struct shape_root, children,
			     &child_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t root_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct shape_root, root_fields)
};

/* One step of the backtrace, innermost first. */
struct step {
	char *key;		/* into a mapping; NULL: into a sequence... */
	unsigned long entry;	/* ...counted from 1 */
};

struct misfit {
	char *message;		/* what libcyaml said first */
	struct step *steps;
	size_t count;
};

static void push_step(struct misfit *misfit, const char *key, size_t key_len,
		      unsigned long entry)
{
	struct step *step;

	misfit->steps = xrealloc(misfit->steps, misfit->count + 1,
				 sizeof(*misfit->steps));
	step = &misfit->steps[misfit->count++];
	step->key = key ? xasprintf("%.*s", (int)key_len, key) : NULL;
	step->entry = entry;
}

/* Where @text goes on behind @prefix, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

static void read_log(cyaml_log_t level, void *context, const char *format,
		     va_list ap)
{
	struct misfit *misfit = context;
	const char *rest;
	char *line;

	(void)level;
	if (vasprintf(&line, format, ap) < 0)
		die(STATUS_SYSTEM, "memory");
	line[strcspn(line, "\n")] = '\0';
	rest = behind(line, "Load: ");
	if (!rest)
		rest = line;
	if (!misfit->message) {
		misfit->message = xstrdup(rest);
	} else if (behind(rest, "  in mapping field '")) {
		rest = behind(rest, "  in mapping field '");
		push_step(misfit, rest, strcspn(rest, "'"), 0);
	} else if (behind(rest, "  in sequence entry '")) {
		rest = behind(rest, "  in sequence entry '");
		push_step(misfit, NULL, 0, strtoul(rest, NULL, 10));
	}
	free(line);
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *schema,
					      const char *key)
{
	const cyaml_schema_field_t *field;

	if (schema->type != CYAML_MAPPING)
		return NULL;
	for (field = schema->mapping.fields; field->key; field++)
		if (!strcmp(field->key, key))
			return field;
	return NULL;
}

/* The place of a misfit: its node, its schema, and the key that led there. */
struct place {
	yaml_node_t *node;
	const cyaml_schema_value_t *schema;
	const char *key;
	bool is_item;			/* of the list under that key */
};

static struct place find_place(struct yaml_doc *doc, const struct misfit *misfit)
{
	struct place at = { yaml_doc_root(doc), &root_schema, NULL, false };
	size_t i;

	for (i = misfit->count; i-- && at.node;) {
		const struct step *step = &misfit->steps[i];
		const cyaml_schema_field_t *field;
		yaml_node_t *next;

		if (!step->key) {
			next = yaml_doc_item(doc, at.node, step->entry - 1);
			if (!next || at.schema->type != CYAML_SEQUENCE)
				break;
			at.schema = at.schema->sequence.entry;
		} else {
			next = yaml_doc_value(doc, at.node, step->key);
			field = find_field(at.schema, step->key);
			if (!next || !field)
				break;
			at.schema = &field->value;
			at.key = field->key;
		}
		at.is_item = !step->key;
		at.node = next;
	}
	return at;
}

/* Levenshtein's distance, of words short enough to be keys. */
static size_t distance(const char *a, const char *b)
{
	size_t row[32], i, j;
	size_t length = strlen(b);

	if (length >= ARRAY_SIZE(row))
		return length;
	for (j = 0; j <= length; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= length; j++) {
			size_t least = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < least)
				least = row[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = least;
		}
	}
	return row[length];
}

/* The key that was likely meant, or all there are. */
static char *expected_keys(const cyaml_schema_value_t *schema, const char *key)
{
	const cyaml_schema_field_t *field, *nearest = NULL;
	size_t least = strlen(key) / 3 + 1;
	char *all = NULL;

	for (field = schema->mapping.fields; field->key; field++) {
		size_t edits = distance(key, field->key);
		char *longer = xasprintf("%s%s%s", all ? all : "one of ",
					 all ? ", " : "", field->key);

		free(all);
		all = longer;
		if (edits <= least && edits <= strlen(field->key) / 3 + 1) {
			nearest = field;
			least = edits - 1;
		}
	}
	if (!nearest)
		return all;
	free(all);
	return xasprintf("'%s'", nearest->key);
}

static const char *expected_type(const struct place *at)
{
	if (at->key && !strcmp(at->key, "command") &&
	    at->schema->type == CYAML_SEQUENCE)
		return "a list of words, such as [sleep, 60]; a line for the shell goes into 'shell'";
	if (at->key && !strcmp(at->key, "children"))
		return at->schema->type == CYAML_SEQUENCE ?
			"a list of children" :
			"a child: a mapping such as {id: web, command: [nginx]}";
	if (at->key && !strcmp(at->key, "template"))
		return "a mapping such as {command: [session]}";
	if (at->key && !strcmp(at->key, "registries"))
		return at->schema->type == CYAML_SEQUENCE ?
			"a list of registries" :
			"a registry: a mapping such as {name: /names}";
	if (at->key && !strcmp(at->key, "register"))
		return "a mapping such as {registry: /names, key: web}";
	switch (at->schema->type) {
	case CYAML_SEQUENCE:
		return "a list";
	case CYAML_MAPPING:
		return at->key ? "a mapping" : "a mapping with 'children' in it";
	default:
		return "a word or number";
	}
}

static void describe(struct yaml_doc *doc, struct mistakes *m,
		     const struct misfit *misfit, cyaml_err_t err)
{
	struct place at = find_place(doc, misfit);
	const char *key = misfit->message ?
		behind(misfit->message, "Unexpected key: ") : NULL;
	char *expected;

	if (key && at.schema->type == CYAML_MAPPING) {
		expected = expected_keys(at.schema, key);
		mistake_add(m, yaml_doc_line(yaml_doc_key(doc, at.node, key)),
			    expected, "unknown key '%s'", key);
		free(expected);
	} else if (err == CYAML_ERR_INVALID_VALUE) {
		mistake_add(m, yaml_doc_line(at.node), expected_type(&at),
			    "%s%s%s%s", at.is_item ? "in " : "",
			    at.key ? at.key : "", !at.key ? "" :
			    at.is_item ? ": " : " is ",
			    yaml_doc_kind(at.node));
	} else {
		mistake_add(m, yaml_doc_line(at.node), "the shape of a tree file",
			    "%s", misfit->message ? misfit->message :
			    cyaml_strerror(err));
	}
}

static cyaml_config_t configure(struct misfit *misfit)
{
	return (cyaml_config_t){
		.log_fn = read_log,
		.log_ctx = misfit,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_DEFAULT,
	};
}

struct shape_root *tree_shape_load(struct yaml_doc *doc, struct mistakes *m)
{
	struct misfit misfit = { 0 };
	cyaml_config_t config = configure(&misfit);
	cyaml_data_t *root = NULL;
	cyaml_err_t err;
	size_t i;

	err = cyaml_load_data((const uint8_t *)doc->text, doc->length, &config,
			      &root_schema, &root, NULL);
	if (err != CYAML_OK) {
		describe(doc, m, &misfit, err);
		root = NULL;
	}
	for (i = 0; i < misfit.count; i++)
		free(misfit.steps[i].key);
	free(misfit.steps);
	free(misfit.message);
	return (struct shape_root *)root;
}

void tree_shape_free(struct shape_root *root)
{
	struct misfit misfit = { 0 };
	cyaml_config_t config = configure(&misfit);

	cyaml_free(&config, &root_schema, root, 0);
	free(misfit.message);
}
