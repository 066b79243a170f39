// SPDX-License-Identifier: GPL-2.0
/*
 * tree_dynamic - what a tree file says of a dynamic supervisor: whom it may have,
 * who makes them, and what they are like.
 */
#include "tree_dynamic.h"

#include <stdlib.h>
#include <string.h>

#include "../common.h"
#include "tree_command.h"
#include "tree_registry.h"
#include "tree_spec.h"

/* What children are called whose template has no id. */
#define TEMPLATE_ID "child"

static const char * const dynamic_keys[] = {
	"max_children", "spawn", "template",
};

/* A dynamic supervisor's children are no supervisors of the file. */
static const char * const supervisor_keys[] = {
	"strategy", "intensity", "period", "auto_shutdown", "partitions",
	"max_children", "spawn", "template", "children",
};

/* What is run, and how. */
static const char * const command_keys[] = {
	"command", "shell", "env", "clear_env", "cwd", "user", "group",
	"groups", "umask", "limits", "stdin", "stdout", "stderr",
};

static const char * const children_key[] = { "children" };
static const char * const partitions_key[] = { "partitions" };

bool tree_dynamic_is(const char *type)
{
	return type && !strcmp(type, sup_word(SUP_WORDS_CHILDREN,
					      SUPERVISOR_DYNAMIC));
}

void tree_dynamic_refuse(const struct tree_reader *reader, const char *what)
{
	value_refuse(reader, dynamic_keys, ARRAY_SIZE(dynamic_keys), what,
		     "it in a supervisor, beside 'type: dynamic'");
}

static void read_max_children(const struct tree_reader *reader,
			      const char *text, int64_t *out)
{
	uint64_t number;

	if (!text || !strcmp(text, "infinity"))
		return;
	if (parse_u64(text, 0, UINT32_MAX, &number))
		*out = number;
	else
		value_mistake(reader, "max_children", text,
			      "infinity, or a number from 0 to 4294967295");
}

static void read_template_id(const struct tree_reader *reader, const char *id,
			     struct tree_child *template)
{
	const char *fault = id ? tree_name_fault(id) : NULL;

	if (fault)
		value_mistake(reader, "id", id, fault);
	template->id = xstrdup(id ? id : TEMPLATE_ID);
}

/* Children that join run something already: what, is for restarts to know. */
static void read_template_command(const struct tree_reader *reader,
				  const struct shape_child *shape,
				  bool joins, struct sup_child_opts *opts)
{
	if (joins && opts->restart == SUPERVISOR_TEMPORARY)
		value_refuse(reader, command_keys, ARRAY_SIZE(command_keys),
			     "a template of children that are never started",
			     "another 'restart' than temporary, or 'spawn: spawner'");
	else if (!value_has(reader, "command") && !shape->shell)
		mistake_add(reader->mistakes, yaml_doc_line(reader->mapping),
			    "'command' or 'shell'", "nothing to start");
	else
		tree_command_read(reader, shape, opts);
}

static void read_template(const struct tree_reader *reader,
			  const struct shape_child *shape, bool joins,
			  struct tree_child *template)
{
	struct sup_child_opts *opts = &template->opts;
	SUP_OPTS(sup_child_opts, defaults);

	*opts = defaults;
	template->line = yaml_doc_line(reader->mapping);
	read_template_id(reader, shape->id, template);
	tree_spec_read(reader, shape, opts);
	if (opts->significant)
		value_mistake(reader, "significant", shape->significant,
			      "false: a dynamic supervisor does not shut down by itself");
	value_word(reader, "type", shape->type, SUP_WORDS_TYPE, &opts->type);
	value_refuse(reader, supervisor_keys, ARRAY_SIZE(supervisor_keys),
		     "a template", "only what a process may have");
	tree_spec_process_read(reader, shape, opts);
	tree_register_read(reader, shape->registered, template);
	read_template_command(reader, shape, joins, opts);
}

void tree_dynamic_read(const struct tree_reader *reader,
		       const struct shape_dynamic *shape, const char *strategy,
		       const char *auto_shutdown,
		       struct tree_supervisor *supervisor)
{
	struct sup_create_opts *opts = &supervisor->opts;
	struct tree_reader inside = *reader;

	opts->kind = SUPERVISOR_DYNAMIC;
	if (opts->strategy != SUPERVISOR_ONE_FOR_ONE)
		value_mistake(reader, "strategy", strategy,
			      "one_for_one, of a dynamic supervisor");
	if (opts->auto_shutdown != SUPERVISOR_AUTO_SHUTDOWN_NEVER)
		value_mistake(reader, "auto_shutdown", auto_shutdown,
			      "never, of a dynamic supervisor");
	value_refuse(reader, children_key, ARRAY_SIZE(children_key),
		     "a dynamic supervisor",
		     "'template': what those are like that 'supctl start-child' starts");
	value_refuse(reader, partitions_key, ARRAY_SIZE(partitions_key),
		     "a dynamic supervisor",
		     "it in a supervisor above, whose one child this is");
	read_max_children(reader, shape->max_children, &opts->max_children);
	value_word(reader, "spawn", shape->spawn, SUP_WORDS_SPAWN, &opts->spawn);
	if (!shape->template) {
		if (opts->spawn == SUPERVISOR_SPAWN_SELF)
			value_mistake(reader, "spawn", shape->spawn,
				      "'template' beside it: what the children are like");
		return;
	}
	inside.mapping = yaml_doc_value(reader->doc, reader->mapping,
					"template");
	supervisor->template = xcalloc(1, sizeof(*supervisor->template));
	read_template(&inside, shape->template,
		      opts->spawn == SUPERVISOR_SPAWN_SELF,
		      supervisor->template);
}
