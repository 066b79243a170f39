// SPDX-License-Identifier: GPL-2.0
/* The language of registry scenarios: a file to a struct reg_scenario, or the first mistake. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "replay_registry.h"

#define MAX_WORDS 64

struct parser {
	const char *path;
	unsigned int line;
	const char *words[MAX_WORDS];
	size_t nr_words;
};

__attribute__((format(printf, 2, 3)))
static bool mistake(const struct parser *parser, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", parser->path, parser->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

/* The words of each command: a registry, a process, a key, a value. */
static const struct {
	const char *word;
	const char *roles;
	enum reg_verb verb;
} verbs[] = {
	{ "exit", "P", REG_EXIT },
	{ "crash", "P", REG_CRASH },
	{ "kill", "P", REG_KILL },
	{ "register", "RPKV", REG_REGISTER },
	{ "unregister", "RPK", REG_UNREGISTER },
	{ "unregister_match", "RPKV", REG_UNREGISTER_MATCH },
	{ "update_value", "RPKV", REG_UPDATE_VALUE },
	{ "lookup", "RK", REG_LOOKUP },
	{ "match", "RKV", REG_MATCH },
	{ "dispatch", "RK", REG_DISPATCH },
	{ "values", "RKP", REG_VALUES },
	{ "keys", "RP", REG_KEYS },
	{ "count", "R", REG_COUNT },
	{ "count_match", "RKV", REG_COUNT_MATCH },
	{ "select", "R", REG_SELECT },
	{ "whereis", "RK", REG_WHEREIS },
	{ "put_meta", "RKV", REG_PUT_META },
	{ "meta", "RK", REG_META },
	{ "delete_meta", "RK", REG_DELETE_META },
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static bool parse_word(const struct parser *parser, char role, const char *word,
		       struct reg_command *command)
{
	if ((role == 'R' || role == 'P') && !text_is_name(word))
		return mistake(parser, "not a name: %s", word);
	switch (role) {
	case 'R':
		command->registry = word;
		break;
	case 'P':
		command->process = word;
		break;
	case 'K':
		command->key = word;
		break;
	case 'V':
		command->value = word;
		break;
	}
	return true;
}

/* A bad value becomes one that the kernel refuses; its 0, the default, is not one here. */
static int64_t keys_value(const char *word)
{
	if (strcmp(word, "unique") == 0)
		return SUPERVISOR_KEYS_UNIQUE;
	return strcmp(word, "duplicate") == 0 ? SUPERVISOR_KEYS_DUPLICATE : -1;
}

static bool parse_partitions(const struct parser *parser, const char *word,
			     struct reg_command *command)
{
	char *end;

	errno = 0;
	command->partitions = strtol(word, &end, 10);
	if (!*word || *end || errno)
		return mistake(parser, "not a number: %s", word);
	if (command->partitions < 1)
		command->partitions = -1;
	return true;
}

static bool parse_registry(const struct parser *parser, struct reg_command *command)
{
	command->verb = REG_REGISTRY;
	command->keys = -1;
	command->partitions = 1;
	if (parser->nr_words < 2)
		return mistake(parser, "registry: no name");
	if (!parse_word(parser, 'R', parser->words[1], command))
		return false;
	for (size_t i = 2; i < parser->nr_words; i++) {
		const char *word = parser->words[i];

		if (strncmp(word, "keys=", 5) == 0)
			command->keys = keys_value(word + 5);
		else if (strncmp(word, "partitions=", 11) == 0 &&
			 !parse_partitions(parser, word + 11, command))
			return false;
		else if (strcmp(word, "listener=on") == 0)
			command->listener = true;
		else if (strncmp(word, "partitions=", 11) != 0)
			return mistake(parser, "not an option: %s", word);
	}
	return true;
}

static bool parse_proc(const struct parser *parser, struct reg_command *command)
{
	command->verb = REG_PROC;
	if (parser->nr_words < 2)
		return mistake(parser, "proc: no name");
	command->nr_names = parser->nr_words - 1;
	command->names = xcalloc(command->nr_names, sizeof(command->names[0]));
	for (size_t i = 0; i < command->nr_names; i++) {
		command->names[i] = parser->words[i + 1];
		if (!text_is_name(command->names[i]))
			return mistake(parser, "not a name: %s", command->names[i]);
	}
	return true;
}

static bool parse_command(const struct parser *parser, struct reg_command *command)
{
	const char *word = parser->words[0];
	size_t i;

	if (strcmp(word, "registry") == 0)
		return parse_registry(parser, command);
	if (strcmp(word, "proc") == 0)
		return parse_proc(parser, command);
	if (strcmp(word, "freeze") == 0 || strcmp(word, "thaw") == 0)
		return mistake(parser, "unsupported: %s: nothing of the dead can be held back here",
			       word);
	for (i = 0; i < NR_VERBS && strcmp(verbs[i].word, word) != 0; i++)
		;
	if (i == NR_VERBS)
		return mistake(parser, "not a command: %s", word);

	command->verb = verbs[i].verb;
	if (parser->nr_words != strlen(verbs[i].roles) + 1)
		return mistake(parser, "%s: wrong number of words", word);
	for (size_t n = 1; n < parser->nr_words; n++)
		if (!parse_word(parser, verbs[i].roles[n - 1], parser->words[n], command))
			return false;
	return true;
}

static bool parse_line(struct parser *parser, char *line, struct reg_scenario *scenario)
{
	struct reg_command *command;

	parser->nr_words = text_words(line, parser->words, MAX_WORDS);
	if (parser->nr_words > MAX_WORDS)
		return mistake(parser, "more than %d words", MAX_WORDS);
	if (parser->nr_words == 0)
		return true;
	scenario->commands = xgrow(scenario->commands, scenario->nr_commands, sizeof(*command));
	command = &scenario->commands[scenario->nr_commands++];
	memset(command, 0, sizeof(*command));
	command->line = parser->line;
	command->text = text_join(parser->words, parser->nr_words);
	return parse_command(parser, command);
}

/* Read a file; false, and reg_scenario_free() not needed, after saying what is wrong. */
bool reg_scenario_read(struct reg_scenario *scenario, const char *path)
{
	struct parser parser = { .path = path };
	char *next;

	memset(scenario, 0, sizeof(*scenario));
	scenario->path = path;
	scenario->bytes = text_read(path);
	if (!scenario->bytes)
		return false;
	next = scenario->bytes;
	while (next) {
		parser.line++;
		if (!parse_line(&parser, strsep(&next, "\n"), scenario)) {
			reg_scenario_free(scenario);
			return false;
		}
	}
	return true;
}

void reg_scenario_free(struct reg_scenario *scenario)
{
	for (size_t i = 0; i < scenario->nr_commands; i++) {
		free(scenario->commands[i].text);
		free(scenario->commands[i].names);
	}
	free(scenario->commands);
	free(scenario->bytes);
}
