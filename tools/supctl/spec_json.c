// SPDX-License-Identifier: GPL-2.0
/*
 * spec_json - a child spec as the kernel holds it, in the words of a tree file.
 */
#include "spec_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../common.h"
#include "json_put.h"
#include "payload.h"
#include "tree_shape.h"
#include "words.h"


static void put_given(json_t *object, const char *key, const char *text)
{
	if (text)
		json_put_text(object, key, text);
}

static json_t *list_json(const char *const *texts)
{
	json_t *list = json_array();

	for (; texts && *texts; texts++)
		json_array_append_new(list, json_text(*texts));
	return list;
}

static void put_env(json_t *object, const struct sup_command *command)
{
	int clear;
	const char *const *env = sup_command_env(command, &clear);
	json_t *map;

	if (clear)
		json_put_bool(object, "clear_env", true);
	if (!env || !*env)
		return;
	map = json_object();
	for (; *env; env++) {
		const char *equals = strchr(*env, '=');
		char *name = equals ? xasprintf("%.*s", (int)(equals - *env),
						*env) : xstrdup(*env);

		json_put_text(map, name, equals ? equals + 1 : NULL);
		free(name);
	}
	json_object_set_new(object, "env", map);
}

static char *limit_text(uint64_t limit)
{
	return limit == UINT64_MAX ? xstrdup("unlimited") :
				     xasprintf("%" PRIu64, limit);
}

static void put_limit(json_t *object, const struct sup_command *command,
		      const char *name, uint32_t resource)
{
	uint64_t soft, hard;
	char *low, *high;

	if (!sup_command_rlimit(command, resource, &soft, &hard))
		return;
	low = limit_text(soft);
	high = limit_text(hard);
	json_put_made(object, name, xasprintf("%s:%s", low, high));
	free(low);
	free(high);
}

static void put_limits(json_t *object, const struct sup_command *command)
{
	json_t *limits = json_object();

#define SPEC_PUT_LIMIT(name, NAME) \
	put_limit(limits, command, #name, RLIMIT_##NAME);
	TREE_LIMITS(SPEC_PUT_LIMIT)
#undef SPEC_PUT_LIMIT
	if (json_object_size(limits))
		json_object_set_new(object, "limits", limits);
	else
		json_decref(limits);
}

static void put_stdio(json_t *object, const struct sup_command *command,
		      const char *key, int fd)
{
	static const char * const words[] = {
		[SUP_STDIO_INHERIT] = "inherit",
		[SUP_STDIO_NULL] = "null",
		[SUP_STDIO_FILE] = "file:",
		[SUP_STDIO_APPEND] = "append:",
		[SUP_STDIO_STDOUT] = "stdout",
	};
	const char *path = NULL;
	enum sup_stdio kind;

	if (sup_command_stdio(command, fd, &kind, &path) < 0 ||
	    kind >= ARRAY_SIZE(words))
		return;
	json_put_made(object, key, xasprintf("%s%s", words[kind],
					path ? path : ""));
}

static void put_command(json_t *object, const struct sup_child_opts *opts)
{
	struct sup_command *command;
	uint32_t mask;

	if (!opts->blob_len)
		return;
	if (sup_command_decode(opts->blob, opts->blob_len, &command) < 0) {
		json_put_number(object, "blob_bytes", opts->blob_len);
		return;
	}
	json_object_set_new(object, "command", list_json(sup_command_argv(command)));
	put_env(object, command);
	put_given(object, "cwd", sup_command_cwd(command));
	put_given(object, "user", sup_command_user(command));
	put_given(object, "group", sup_command_group(command));
	if (sup_command_groups(command))
		json_object_set_new(object, "groups", list_json(sup_command_groups(command)));
	if (sup_command_umask(command, &mask))
		json_put_made(object, "umask", xasprintf("%03" PRIo32, mask));
	put_limits(object, command);
	put_stdio(object, command, "stdin", 0);
	put_stdio(object, command, "stdout", 1);
	put_stdio(object, command, "stderr", 2);
	sup_command_free(command);
}

static void put_process(json_t *object, const struct sup_child_opts *opts)
{
	json_put_made(object, "stop_signal",
		 signal_name(opts->stop_signal ? (int)opts->stop_signal : 15));
	json_put_word(object, "signal", SUP_WORDS_SIGNAL, opts->signal_whom);
	json_put_word(object, "readiness", SUP_WORDS_READINESS, opts->readiness);
	json_put_made(object, "start_timeout",
		 xasprintf("%" PRIu32 "ms", opts->start_timeout_ms));
	put_command(object, opts);
}

static json_t *retry_json(const struct sup_child_opts *opts)
{
	json_t *retry = json_object();

	json_put_made(retry, "min", xasprintf("%" PRIu32 "ms", opts->retry_min_ms));
	json_put_made(retry, "max", xasprintf("%" PRIu32 "ms", opts->retry_max_ms));
	json_put_made(retry, "factor", xasprintf("%" PRIu32 ".%02" PRIu32,
					    opts->retry_factor_pct / 100,
					    opts->retry_factor_pct % 100));
	json_put_made(retry, "jitter", xasprintf("%" PRIu32 "%%",
					    opts->retry_jitter_pct));
	json_put_made(retry, "reset_after",
		 xasprintf("%" PRIu32 "ms", opts->retry_reset_after_ms));
	json_put_bool(retry, "counted", !opts->retry_uncounted);
	return retry;
}

json_t *spec_json(const char *id, const struct sup_child_opts *opts)
{
	json_t *object = json_object();

	json_put_text(object, "id", id);
	json_put_word(object, "restart", SUP_WORDS_RESTART, opts->restart);
	json_put_made(object, "shutdown", shutdown_words(opts->shutdown_ms));
	json_put_bool(object, "significant", opts->significant);
	json_put_word(object, "type", SUP_WORDS_TYPE, opts->type);
	if (opts->retry_min_ms)
		json_object_set_new(object, "retry", retry_json(opts));
	return object;
}

static json_t *register_json(const struct sup_child_opts *opts,
			     const char *registry)
{
	json_t *object = json_object();

	json_put_text(object, "registry", registry);
	payload_put(object, "key", opts->key, opts->key_len);
	if (opts->value_len)
		payload_put(object, "value", opts->value, opts->value_len);
	return object;
}

json_t *spec_process_json(const char *id, const struct sup_child_opts *opts,
			  const char *registry)
{
	json_t *object = spec_json(id, opts);

	put_process(object, opts);
	if (opts->key)
		json_object_set_new(object, "register",
				    register_json(opts, registry));
	return object;
}

/* A word that YAML reads as itself. */
static bool is_plain(const char *text)
{
	return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_./%+")] &&
	       strcmp(text, "null");
}

static void print_value(const json_t *value, FILE *to)
{
	if (json_is_string(value) && is_plain(json_string_value(value)))
		fputs(json_string_value(value), to);
	else
		json_dumpf(value, to, JSON_ENCODE_ANY);
}

static void print_object(const json_t *object, FILE *to, int indent)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		fprintf(to, "%*s%s:", indent, "", key);
		if (json_is_object(value)) {
			fputc('\n', to);
			print_object(value, to, indent + 2);
			continue;
		}
		fputc(' ', to);
		print_value(value, to);
		fputc('\n', to);
	}
}

void spec_print(const json_t *object, FILE *to)
{
	print_object(object, to, 0);
}
