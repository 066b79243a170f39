// SPDX-License-Identifier: GPL-2.0
/* The scenario language: a file to a struct scenario, or the first mistake. */
#include <errno.h>
#include <linux/supervisor.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define MAX_WORDS 64

struct parser {
	struct scenario *scenario;
	unsigned int line;
	const char *words[MAX_WORDS];
	size_t nr_words;
	bool frozen;
};

__attribute__((format(printf, 2, 3)))
static bool mistake(const struct parser *parser, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", parser->scenario->path, parser->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

/*
 * Words
 */

static bool parse_name(const struct parser *parser, const char *word, const char **name)
{
	if (!text_is_name(word))
		return mistake(parser, "not a name: %s", word);
	*name = word;
	return true;
}

static bool parse_number(const struct parser *parser, const char *word, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno)
		return mistake(parser, "not a number: %s", word);
	return true;
}

static bool parse_reason(const struct parser *parser, const char *word, int *reason)
{
	static const struct {
		const char *word;
		int reason;
	} reasons[] = {
		{ "normal", SUPERVISOR_EXIT_NORMAL },
		{ "shutdown", SUPERVISOR_EXIT_SHUTDOWN },
		{ "crash", SUPERVISOR_EXIT_CRASH },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strcmp(word, reasons[i].word) == 0) {
			*reason = reasons[i].reason;
			return true;
		}
	}
	return mistake(parser, "not normal, shutdown or crash: %s", word);
}

static bool expect_words(const struct parser *parser, size_t nr_words)
{
	if (parser->nr_words == nr_words)
		return true;
	return mistake(parser, "%s: wrong number of words", parser->words[0]);
}

/* Put the words key=value from @first on into the members named by @keys. */
static bool parse_options(const struct parser *parser, size_t first, const char **keys,
			  const char ***members, size_t nr_keys)
{
	for (size_t i = first; i < parser->nr_words; i++) {
		const char *word = parser->words[i];
		const char *equals = strchr(word, '=');
		size_t k;

		if (!equals || !equals[1])
			return mistake(parser, "not an option (key=value): %s", word);
		for (k = 0; k < nr_keys; k++)
			if (strlen(keys[k]) == (size_t)(equals - word) &&
			    strncmp(keys[k], word, equals - word) == 0)
				break;
		if (k == nr_keys)
			return mistake(parser, "unknown option: %.*s", (int)(equals - word), word);
		*members[k] = equals + 1;
	}
	return true;
}

static bool parse_child_options(const struct parser *parser, size_t first,
				struct scn_child *child)
{
	const char *keys[] = { "id", "restart", "shutdown", "significant", "type" };
	const char **members[] = { &child->id, &child->restart, &child->shutdown,
				   &child->significant, &child->type };

	return parse_options(parser, first, keys, members, 5);
}

/*
 * Definitions
 */

static struct scn_sup *find_sup(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->nr_sups; i++)
		if (strcmp(scenario->sups[i].name, name) == 0)
			return &scenario->sups[i];
	return NULL;
}

static bool parse_sup(struct parser *parser)
{
	struct scenario *scenario = parser->scenario;
	struct scn_sup sup = { .kind = KIND_STATIC };
	const char *keys[] = { "max_restarts", "max_seconds", "strategy", "auto_shutdown" };
	const char **members[] = { &sup.flags.max_restarts, &sup.flags.max_seconds,
				   &sup.flags.strategy, &sup.flags.auto_shutdown };
	size_t nr_keys = 4;

	if (strcmp(parser->words[0], "dynsup") == 0) {
		sup.kind = KIND_DYNAMIC;
		keys[2] = "max_children";
		members[2] = &sup.flags.max_children;
		nr_keys = 3;
	}
	if (parser->nr_words < 2)
		return mistake(parser, "%s: no name", parser->words[0]);
	if (!parse_name(parser, parser->words[1], &sup.name) ||
	    !parse_options(parser, 2, keys, members, nr_keys))
		return false;
	if (sup.flags.strategy && strcmp(sup.flags.strategy, "simple_one_for_one") == 0)
		sup.kind = KIND_SIMPLE;
	if (find_sup(scenario, sup.name))
		return mistake(parser, "defined before: %s", sup.name);

	scenario->sups = xgrow(scenario->sups, scenario->nr_sups, sizeof(sup));
	scenario->sups[scenario->nr_sups++] = sup;
	return true;
}

static bool parse_child(struct parser *parser)
{
	struct scn_child child = { .name = NULL };
	struct scn_sup *sup;

	if (parser->nr_words < 3)
		return mistake(parser, "child: supervisor and name expected");
	if (!parse_name(parser, parser->words[2], &child.name))
		return false;
	child.id = child.name;
	if (!parse_child_options(parser, 3, &child))
		return false;
	sup = find_sup(parser->scenario, parser->words[1]);
	if (!sup)
		return mistake(parser, "no such supervisor: %s", parser->words[1]);

	sup->children = xgrow(sup->children, sup->nr_children, sizeof(child));
	sup->children[sup->nr_children++] = child;
	return true;
}

/*
 * Commands
 */

static const struct {
	const char *word;
	enum scn_verb verb;
	bool child;
} verbs[] = {
	{ "start_child", VERB_START_CHILD, true },
	{ "terminate_child", VERB_TERMINATE_CHILD, true },
	{ "restart_child", VERB_RESTART_CHILD, true },
	{ "delete_child", VERB_DELETE_CHILD, true },
	{ "get_childspec", VERB_GET_CHILDSPEC, true },
	{ "which_children", VERB_WHICH_CHILDREN, false },
	{ "count_children", VERB_COUNT_CHILDREN, false },
};

/* A call that begins with word @first. */
static bool parse_call(const struct parser *parser, size_t first, struct scn_call *call)
{
	const char *const *words = parser->words + first;
	size_t nr_words = parser->nr_words - first;
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (nr_words && strcmp(verbs[i].word, words[0]) == 0)
			break;
	if (i == sizeof(verbs) / sizeof(verbs[0]))
		return mistake(parser, "not a command: %s", parser->words[0]);

	call->verb = verbs[i].verb;
	if (nr_words < (verbs[i].child ? 3 : 2) ||
	    (call->verb != VERB_START_CHILD && nr_words > (verbs[i].child ? 3 : 2)))
		return mistake(parser, "%s: wrong number of words", words[0]);
	if (!parse_name(parser, words[1], &call->sup))
		return false;
	if (verbs[i].child) {
		if (call->verb == VERB_TERMINATE_CHILD && strcmp(words[2], "-") == 0)
			call->child.name = words[2];
		else if (!parse_name(parser, words[2], &call->child.name))
			return false;
		call->child.id = call->child.name;
	}
	if (call->verb == VERB_START_CHILD && !parse_child_options(parser, first + 3, &call->child))
		return false;
	call->text = text_join(words, nr_words);
	return true;
}

static bool parse_names(const struct parser *parser, struct scn_command *command)
{
	if (parser->nr_words < 2)
		return mistake(parser, "%s: no name", parser->words[0]);
	command->nr_names = parser->nr_words - 1;
	command->names = xcalloc(command->nr_names, sizeof(command->names[0]));
	for (size_t i = 0; i < command->nr_names; i++)
		if (!parse_name(parser, parser->words[i + 1], &command->names[i]))
			return false;
	return true;
}

static bool parse_one_name(const struct parser *parser, struct scn_command *command)
{
	command->nr_names = 1;
	command->names = xcalloc(1, sizeof(command->names[0]));
	return parse_name(parser, parser->words[1], &command->names[0]);
}

static bool parse_attempts(const struct parser *parser, struct scn_command *command)
{
	return expect_words(parser, 3) && parse_one_name(parser, command) &&
	       parse_number(parser, parser->words[2], &command->number);
}

static bool parse_stubborn(const struct parser *parser, struct scn_command *command)
{
	if (!expect_words(parser, 3) || !parse_one_name(parser, command))
		return false;
	command->number = strcmp(parser->words[2], "on") == 0;
	if (!command->number && strcmp(parser->words[2], "off") != 0)
		return mistake(parser, "not on or off: %s", parser->words[2]);
	return true;
}

static bool parse_onterm(const struct parser *parser, struct scn_command *command)
{
	return expect_words(parser, 3) && parse_one_name(parser, command) &&
	       parse_reason(parser, parser->words[2], &command->reason);
}

static bool parse_queue(const struct parser *parser, struct scn_command *command)
{
	if (parser->nr_words < 3)
		return mistake(parser, "queue: name and call expected");
	return parse_one_name(parser, command) && parse_call(parser, 2, &command->call);
}

static bool parse_run(const struct parser *parser, struct scn_command *command)
{
	if (!expect_words(parser, 2) || !parse_one_name(parser, command))
		return false;
	if (parser->frozen)
		return mistake(parser, "run: not while frozen");
	return true;
}

static bool parse_stop(const struct parser *parser, struct scn_command *command)
{
	command->reason = SUPERVISOR_EXIT_NORMAL;
	if (parser->frozen)
		return mistake(parser, "stop: not while frozen");
	if (parser->nr_words == 3 && !parse_reason(parser, parser->words[2], &command->reason))
		return false;
	if (parser->nr_words != 3 && !expect_words(parser, 2))
		return false;
	return parse_one_name(parser, command);
}

static bool parse_sleep(const struct parser *parser, struct scn_command *command)
{
	return expect_words(parser, 2) &&
	       parse_number(parser, parser->words[1], &command->number);
}

static bool parse_freeze(const struct parser *parser, struct scn_command *command)
{
	bool freeze = command->type == CMD_FREEZE;

	if (!expect_words(parser, 1))
		return false;
	if (parser->frozen == freeze)
		return mistake(parser, "%s: %s frozen", parser->words[0], freeze ? "already" : "not");
	return true;
}

static const struct {
	const char *word;
	enum scn_command_type type;
	bool (*parse)(const struct parser *parser, struct scn_command *command);
	int detail;	/* of ATTEMPTS and DIE: which */
} commands[] = {
	{ "fail", CMD_ATTEMPTS, parse_attempts, ATTEMPT_FAIL },
	{ "ignore", CMD_ATTEMPTS, parse_attempts, ATTEMPT_IGNORE },
	{ "ok", CMD_ATTEMPTS, parse_attempts, ATTEMPT_OK },
	{ "stubborn", CMD_STUBBORN, parse_stubborn, 0 },
	{ "slow", CMD_SLOW, parse_attempts, 0 },
	{ "onterm", CMD_ONTERM, parse_onterm, 0 },
	{ "queue", CMD_QUEUE, parse_queue, 0 },
	{ "run", CMD_RUN, parse_run, 0 },
	{ "crash", CMD_DIE, parse_names, SUPERVISOR_EXIT_CRASH },
	{ "exit", CMD_DIE, parse_names, SUPERVISOR_EXIT_NORMAL },
	{ "kill", CMD_DIE, parse_names, SUPERVISOR_EXIT_KILLED },
	{ "shutdown", CMD_DIE, parse_names, SUPERVISOR_EXIT_SHUTDOWN },
	{ "stop", CMD_STOP, parse_stop, 0 },
	{ "sleep", CMD_SLEEP, parse_sleep, 0 },
	{ "freeze", CMD_FREEZE, parse_freeze, 0 },
	{ "thaw", CMD_THAW, parse_freeze, 0 },
};

static bool parse_command(struct parser *parser)
{
	struct scenario *scenario = parser->scenario;
	struct scn_command *command;
	size_t i;

	scenario->commands = xgrow(scenario->commands, scenario->nr_commands, sizeof(*command));
	command = &scenario->commands[scenario->nr_commands++];
	memset(command, 0, sizeof(*command));
	command->line = parser->line;
	command->text = text_join(parser->words, parser->nr_words);

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].word, parser->words[0]) == 0)
			break;
	if (i == sizeof(commands) / sizeof(commands[0])) {
		command->type = CMD_CALL;
		return parse_call(parser, 0, &command->call);
	}

	command->type = commands[i].type;
	if (command->type == CMD_ATTEMPTS)
		command->attempt = commands[i].detail;
	if (command->type == CMD_DIE)
		command->reason = commands[i].detail;
	if (!commands[i].parse(parser, command))
		return false;
	if (command->type == CMD_FREEZE || command->type == CMD_THAW)
		parser->frozen = command->type == CMD_FREEZE;
	return true;
}

static bool parse_line(struct parser *parser, char *line)
{
	parser->nr_words = text_words(line, parser->words, MAX_WORDS);
	if (parser->nr_words > MAX_WORDS)
		return mistake(parser, "more than %d words", MAX_WORDS);
	if (parser->nr_words == 0)
		return true;
	if (strcmp(parser->words[0], "sup") == 0 || strcmp(parser->words[0], "dynsup") == 0)
		return parse_sup(parser);
	if (strcmp(parser->words[0], "child") == 0)
		return parse_child(parser);
	return parse_command(parser);
}

static bool check_deaths(const struct parser *parser, const struct scn_command *command)
{
	if (command->reason != SUPERVISOR_EXIT_KILLED)
		return true;
	for (size_t i = 0; i < command->nr_names; i++)
		if (find_sup(parser->scenario, command->names[i]))
			return mistake(parser, "unsupported: kill of the supervisor %s",
				       command->names[i]);
	return true;
}

/* A DynamicSupervisor does not survive a call that it does not know. */
static bool check_call(const struct parser *parser, const struct scn_call *call)
{
	const struct scn_sup *sup = find_sup(parser->scenario, call->sup);

	if (!sup || sup->kind != KIND_DYNAMIC)
		return true;
	if (call->verb == VERB_RESTART_CHILD || call->verb == VERB_DELETE_CHILD ||
	    call->verb == VERB_GET_CHILDSPEC)
		return mistake(parser, "not a call to a dynsup: %s", call->text);
	return true;
}

static bool check_command(const struct parser *parser, const struct scn_command *command)
{
	switch (command->type) {
	case CMD_DIE:
		return check_deaths(parser, command);
	case CMD_QUEUE:
	case CMD_CALL:
		return check_call(parser, &command->call);
	default:
		return true;
	}
}

/* Supervisors are named before they are defined, so this comes last. */
static bool check_commands(struct parser *parser)
{
	const struct scenario *scenario = parser->scenario;

	for (size_t i = 0; i < scenario->nr_commands; i++) {
		parser->line = scenario->commands[i].line;
		if (!check_command(parser, &scenario->commands[i]))
			return false;
	}
	return true;
}

static bool parse(struct scenario *scenario)
{
	struct parser parser = { .scenario = scenario };
	char *next = scenario->bytes;

	while (next) {
		char *line = strsep(&next, "\n");

		parser.line++;
		if (!parse_line(&parser, line))
			return false;
	}
	return check_commands(&parser);
}

/* Read a file; false, and scenario_free() not needed, after saying what is wrong. */
bool scenario_read(struct scenario *scenario, const char *path)
{
	memset(scenario, 0, sizeof(*scenario));
	scenario->path = path;
	scenario->bytes = text_read(path);
	if (!scenario->bytes)
		return false;
	if (!parse(scenario)) {
		scenario_free(scenario);
		return false;
	}
	return true;
}

void scenario_free(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->nr_commands; i++) {
		free(scenario->commands[i].text);
		free(scenario->commands[i].names);
		free(scenario->commands[i].call.text);
	}
	free(scenario->commands);
	for (size_t i = 0; i < scenario->nr_sups; i++)
		free(scenario->sups[i].children);
	free(scenario->sups);
	free(scenario->bytes);
}

const struct scn_sup *scenario_sup(const struct scenario *scenario, const char *name)
{
	return find_sup(scenario, name);
}
