// SPDX-License-Identifier: GPL-2.0
/*
 * tree_command - how a child of a tree file is started: its words, environment,
 * identity, limits and files, as the library's command.
 */
#include "tree_command.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../common.h"

#define ID_MAX (UINT32_MAX - 1ULL)

/*
 * The values were checked here, so a setter that still says EINVAL knows more:
 * let it speak.
 */
static void set(const struct tree_reader *reader, const char *key,
		const char *text, int err)
{
	if (err == -ENOMEM)
		die_error(ENOMEM, "memory");
	if (err)
		value_mistake(reader, key, text, "a value that can be used");
}

static void read_argv(const struct tree_reader *reader,
		      const struct shape_child *child,
		      struct sup_command *command)
{
	const yaml_node_t *list = yaml_doc_value(reader->doc, reader->mapping,
						 "command");
	unsigned int i;

	if (child->shell && list) {
		mistake_add(reader->mistakes, value_line(reader, "shell"),
			    "only one of them", "both 'command' and 'shell'");
	} else if (child->shell) {
		if (!*child->shell)
			value_mistake(reader, "shell", "", "a line for /bin/sh");
		set(reader, "shell", child->shell,
		    sup_command_add_arg(command, "/bin/sh"));
		set(reader, "shell", child->shell,
		    sup_command_add_arg(command, "-c"));
		set(reader, "shell", child->shell,
		    sup_command_add_arg(command, child->shell));
	} else if (!list) {
		mistake_add(reader->mistakes, yaml_doc_line(reader->mapping),
			    "one of them",
			    "neither 'command' nor 'shell' nor 'children'");
	} else if (!child->command_count || !*child->command[0]) {
		mistake_add(reader->mistakes, yaml_doc_line(list),
			    "a program, then its arguments",
			    "command without a program");
	} else {
		for (i = 0; i < child->command_count; i++)
			set(reader, "command", child->command[i],
			    sup_command_add_arg(command, child->command[i]));
	}
}

/* "FOO:" and "FOO: null" unset; a quoted "" is an empty value. */
static bool is_null(const yaml_node_t *node)
{
	const char *text = yaml_doc_scalar(node);

	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text || !strcmp(text, "~") || !strcmp(text, "null"));
}

static void read_env(const struct tree_reader *reader,
		     const struct shape_child *child,
		     struct sup_command *command)
{
	const yaml_node_t *env = yaml_doc_value(reader->doc, reader->mapping,
						"env");
	const yaml_node_pair_t *pair;
	uint32_t clear = 0;

	value_bool(reader, "clear_env", child->clear_env, &clear);
	if (clear)
		set(reader, "clear_env", child->clear_env,
		    sup_command_clear_env(command));
	if (!env)
		return;
	if (env->type != YAML_MAPPING_NODE) {
		mistake_add(reader->mistakes, yaml_doc_line(env),
			    "a mapping such as {LANG: C}",
			    "env is %s", yaml_doc_kind(env));
		return;
	}
	for (pair = env->data.mapping.pairs.start;
	     pair < env->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(
			&reader->doc->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(
			&reader->doc->document, pair->value);
		const char *name = yaml_doc_scalar(key);
		const char *text = yaml_doc_scalar(value);

		if (!*name || strchr(name, '='))
			mistake_add(reader->mistakes, yaml_doc_line(key),
				    "the name of a variable, without '='",
				    "env: '%s'", name);
		else if (!text)
			mistake_add(reader->mistakes, yaml_doc_line(value),
				    "a word or number",
				    "env: %s is %s", name, yaml_doc_kind(value));
		else if (is_null(value))
			set(reader, "env", name,
			    sup_command_unset_env(command, name));
		else
			set(reader, "env", name,
			    sup_command_set_env(command, name, text));
	}
}

static bool group_exists(const char *name)
{
	uint64_t gid;

	return parse_u64(name, 0, ID_MAX, &gid) || getgrnam(name);
}

static void read_identity(const struct tree_reader *reader,
			  const struct shape_child *child,
			  struct sup_command *command)
{
	const yaml_node_t *groups = yaml_doc_value(reader->doc, reader->mapping,
						   "groups");
	uint64_t uid;
	unsigned int i;

	if (child->user) {
		if (!parse_u64(child->user, 0, ID_MAX, &uid) &&
		    !getpwnam(child->user))
			value_mistake(reader, "user", child->user,
				      "a user of this machine");
		else
			set(reader, "user", child->user,
			    sup_command_set_user(command, child->user));
	}
	if (child->group) {
		if (!group_exists(child->group))
			value_mistake(reader, "group", child->group,
				      "a group of this machine");
		else
			set(reader, "group", child->group,
			    sup_command_set_group(command, child->group));
	}
	if (!groups)
		return;
	set(reader, "groups", "", sup_command_clear_groups(command));
	for (i = 0; i < child->groups_count; i++) {
		const char *name = child->groups[i];

		if (!group_exists(name))
			mistake_add(reader->mistakes,
				    yaml_doc_line(yaml_doc_item(reader->doc,
								groups, i)),
				    "a group of this machine", "groups: '%s'",
				    name);
		else
			set(reader, "groups", name,
			    sup_command_add_group(command, name));
	}
}

static void read_umask(const struct tree_reader *reader,
		       const struct shape_child *child,
		       struct sup_command *command)
{
	uint32_t mask = UINT32_MAX;

	value_mode(reader, "umask", child->umask, &mask);
	if (mask != UINT32_MAX)
		set(reader, "umask", child->umask,
		    sup_command_set_umask(command, mask));
}

/* "unlimited", or a number that K, M, G or T multiplies. */
static bool parse_limit(char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	size_t length = strlen(text);
	const char *unit;
	uint64_t value, factor = 1;

	if (!strcmp(text, "unlimited")) {
		*out = UINT64_MAX;
		return true;
	}
	unit = length ? strchr(units, text[length - 1]) : NULL;
	if (unit) {
		text[length - 1] = '\0';
		factor <<= 10 * (unit - units + 1);
	}
	return parse_u64(text, 0, UINT64_MAX - 1, &value) &&
	       !__builtin_mul_overflow(value, factor, out);
}

static void read_limit(const struct tree_reader *reader, const char *name,
		       uint32_t resource, const char *text,
		       struct sup_command *command)
{
	uint64_t soft, hard;
	char *copy, *second;
	bool good;

	if (!text)
		return;
	copy = xstrdup(text);
	second = strchr(copy, ':');
	if (second)
		*second++ = '\0';
	good = parse_limit(copy, &soft);
	hard = soft;
	if (good && second)
		good = parse_limit(second, &hard) && soft <= hard;
	free(copy);
	if (!good)
		value_mistake(reader, name, text,
			      "LIMIT or SOFT:HARD, each unlimited or a number such as 1024 or 64M, the soft one no higher");
	else
		set(reader, name, text,
		    sup_command_set_rlimit(command, resource, soft, hard));
}

static void read_limits(const struct tree_reader *reader,
			const struct shape_limits *limits,
			struct sup_command *command)
{
	struct tree_reader inside = *reader;

	if (!limits)
		return;
	inside.mapping = yaml_doc_value(reader->doc, reader->mapping, "limits");
#define TREE_LIMIT_READ(name, NAME) \
	read_limit(&inside, #name, RLIMIT_##NAME, limits->name, command);
	TREE_LIMITS(TREE_LIMIT_READ)
#undef TREE_LIMIT_READ
}

/* The rest of @text behind @prefix, unless there is none. */
static const char *path_behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return !strncmp(text, prefix, length) && text[length] ?
		text + length : NULL;
}

static void read_stdio(const struct tree_reader *reader, const char *key,
		       const char *text, int fd, struct sup_command *command)
{
	static const char * const expected[] = {
		"inherit, null or file:PATH",
		"inherit, null, file:PATH or append:PATH",
		"inherit, null, stdout, file:PATH or append:PATH",
	};
	enum sup_stdio kind;
	const char *path = NULL;

	if (!text)
		return;
	if (!strcmp(text, "inherit")) {
		kind = SUP_STDIO_INHERIT;
	} else if (!strcmp(text, "null")) {
		kind = SUP_STDIO_NULL;
	} else if (fd == 2 && !strcmp(text, "stdout")) {
		kind = SUP_STDIO_STDOUT;
	} else if ((path = path_behind(text, "file:"))) {
		kind = SUP_STDIO_FILE;
	} else if (fd && (path = path_behind(text, "append:"))) {
		kind = SUP_STDIO_APPEND;
	} else {
		value_mistake(reader, key, text, expected[fd]);
		return;
	}
	set(reader, key, text, sup_command_set_stdio(command, fd, kind, path));
}

void tree_command_read(const struct tree_reader *reader,
		       const struct shape_child *child,
		       struct sup_child_opts *opts)
{
	size_t mistakes = reader->mistakes->count;
	struct sup_command *command;
	void *blob = NULL;
	int err;

	if (sup_command_new(&command))
		die_error(ENOMEM, "memory");
	read_argv(reader, child, command);
	read_env(reader, child, command);
	if (child->cwd) {
		if (!*child->cwd)
			value_mistake(reader, "cwd", "", "a directory");
		else
			set(reader, "cwd", child->cwd,
			    sup_command_set_cwd(command, child->cwd));
	}
	read_identity(reader, child, command);
	read_umask(reader, child, command);
	read_limits(reader, child->limits, command);
	read_stdio(reader, "stdin", child->stdin_from, 0, command);
	read_stdio(reader, "stdout", child->stdout_to, 1, command);
	read_stdio(reader, "stderr", child->stderr_to, 2, command);

	if (reader->mistakes->count == mistakes) {
		err = sup_command_encode(command, &blob, &opts->blob_len);
		if (err == -EMSGSIZE)
			mistake_add(reader->mistakes,
				    yaml_doc_line(reader->mapping),
				    "64 KiB of arguments, environment and paths at most",
				    "too much to say to the child");
		else if (err)
			die_error(-err, "%s", child->id ? child->id : "child");
		opts->blob = blob;
	}
	sup_command_free(command);
}
