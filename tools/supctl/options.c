// SPDX-License-Identifier: GPL-2.0
/*
 * options - the options of the verbs: one table, from which each verb takes
 * what it understands, and its arguments.
 */
#include "options.h"

#include <argp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor.h>

#include "../common.h"

/* Options without a letter. */
enum {
	MAX_MESSAGES = 256,
	MAX_BYTES,
	MAX_PAYLOAD,
	JSON,
	ORDERED,
	ON_TIMEOUT,
	MAX_OUTPUT,
	OWNER_DEATH,
	HOLD,
	ADOPT
};

static const struct {
	unsigned int bit;
	struct argp_option option;
} known[] = {
	{ OPTION_JSON, { "json", 'j', NULL, 0, "Print JSON", 0 } },
	{ OPTION_FIELDS, { "fields", 'o', "FIELD,...", 0,
	  "Print these fields, tabs between them", 0 } },
	{ OPTION_PRETTY, { "pretty", 'p', NULL, 0,
	  "Draw the tree, though this may be no terminal", 0 } },
	{ OPTION_ALL, { "all", 'a', NULL, 0,
	  "Every child of dynamic supervisors, and not only some", 0 } },
	{ OPTION_PID, { "pid", 'P', "PID", 0,
	  "The child of the dynamic supervisor at PATH that this process is", 0 } },
	{ OPTION_TIMEOUT, { "timeout", 't', "TIME", 0,
	  "Give up after so many seconds, or a duration such as 500ms; or infinity",
	  0 } },
	{ OPTION_RECURSIVE, { "recursive", 'r', NULL, 0,
	  "With every supervisor below it", 0 } },
	{ OPTION_RESTART_CHANGED, { "restart-changed", 'c', NULL, 0,
	  "On SIGHUP, restart the children whose specs have changed", 0 } },
	{ OPTION_QUIET, { "quiet", 'q', NULL, 0,
	  "Tell of nothing but failures of supctl itself", 0 } },
	{ OPTION_VERBOSE, { "verbose", 'v', NULL, 0, "Tell of every event", 0 } },
	{ OPTION_SURVIVE, { "survive", 's', NULL, 0,
	  "It outlives its server; if it has, serve it again", 0 } },
	{ OPTION_KEEP_GOING, { "keep-going", 'k', NULL, 0,
	  "Go on when COMMAND fails; what it printed is the reply", 0 } },
	{ OPTION_MODE, { "mode", 'm', "MODE", 0,
	  "Who may receive (r) and send (w), in octal (0600)", 0 } },
	{ OPTION_LIMITS, { "max-messages", MAX_MESSAGES, "N", 0,
	  "Messages that may wait in it (1024)", 0 } },
	{ OPTION_LIMITS, { "max-bytes", MAX_BYTES, "N", 0,
	  "Bytes that they may have together (1048576)", 0 } },
	{ OPTION_LIMITS, { "max-payload", MAX_PAYLOAD, "N", 0,
	  "Bytes that one may have (65536)", 0 } },
	{ OPTION_COUNT, { "count", 'n', "N", 0, "So many (1)", 0 } },
	{ OPTION_REGISTRY, { "duplicate", 'd', NULL, 0,
	  "If the registry is made: a key has any number of entries", 0 } },
	{ OPTION_REGISTRY, { "mode", 'm', "MODE", 0,
	  "If the registry is made: who may look up (r) and register (w), in octal (0600)",
	  0 } },
	{ OPTION_MAP, { "jobs", 'j', "N", 0,
	  "So many at a time (as many as there are CPUs)", 0 } },
	{ OPTION_MAP, { "json", JSON, NULL, 0, "Print JSON, a line for each", 0 } },
	{ OPTION_MAP, { "ordered", ORDERED, NULL, 0,
	  "Print in the order of the lines (default)", 0 } },
	{ OPTION_MAP, { "unordered", 'u', NULL, 0, "Print as they come", 0 } },
	{ OPTION_MAP, { "null", '0', NULL, 0,
	  "Lines end with a NUL, and not with a newline", 0 } },
	{ OPTION_MAP, { "timeout", 't', "TIME", 0,
	  "Kill a command after so many seconds, or a duration such as 500ms", 0 } },
	{ OPTION_MAP, { "on-timeout", ON_TIMEOUT, "WHAT", 0,
	  "Then go on (kill, the default), or end (exit)", 0 } },
	{ OPTION_MAP, { "max-output", MAX_OUTPUT, "BYTES", 0,
	  "How much one may print (67108864)", 0 } },
	{ OPTION_OWNER_DEATH, { "on-owner-death", OWNER_DEATH, "POLICY", 0,
	  "What becomes of the tree when supctl is killed: shutdown, release or hold",
	  0 } },
	{ OPTION_OWNER_DEATH, { "hold", HOLD, "TIME", 0,
	  "With hold: stop it when nobody has adopted it for so long", 0 } },
	{ OPTION_OWNER_DEATH, { "adopt", ADOPT, NULL, 0,
	  "If the tree is held, adopt it, and do not start another", 0 } },
};

static uint32_t parse_hold(const struct argp_state *state, const char *text)
{
	uint64_t ns;

	if (!parse_duration(text, NSEC_PER_SEC, &ns) || ns < NSEC_PER_MSEC ||
	    ns / NSEC_PER_MSEC > SUPERVISOR_HOLD_MS_MAX)
		argp_error(state, "%s: not a duration from 1ms to 1d", text);
	return ns / NSEC_PER_MSEC;
}

static uint64_t parse_timeout(const struct argp_state *state, const char *text)
{
	uint64_t ns;

	if (!strcmp(text, "infinity"))
		return SUPERVISOR_NO_DEADLINE;
	if (!parse_duration(text, NSEC_PER_SEC, &ns))
		argp_error(state, "%s: not a duration", text);
	return ns;
}

static uint64_t deadline_after(uint64_t ns)
{
	uint64_t deadline;

	if (__builtin_add_overflow(monotonic_ns(), ns, &deadline))
		return SUPERVISOR_NO_DEADLINE;
	return deadline;
}

/* True: exit; false: kill. */
static bool parse_on_timeout(const struct argp_state *state, const char *text)
{
	if (strcmp(text, "exit") && strcmp(text, "kill"))
		argp_error(state, "%s: neither kill nor exit", text);
	return !strcmp(text, "exit");
}

/* As many bytes as a file can have. */
static uint64_t parse_bytes(const struct argp_state *state, const char *text)
{
	uint64_t bytes;

	if (!parse_u64(text, 1, INT64_MAX >> 1, &bytes))
		argp_error(state, "%s: not a number of bytes", text);
	return bytes;
}

static uint32_t parse_mode(const struct argp_state *state, const char *text)
{
	uint32_t mode = 0;
	const char *at;

	for (at = text; *at >= '0' && *at <= '7' && mode <= 0777; at++)
		mode = mode << 3 | (uint32_t)(*at - '0');
	if (at == text || *at || mode > 0777)
		argp_error(state, "%s: not permission bits, 000 to 777", text);
	return mode;
}

static int parse_pid(const struct argp_state *state, const char *text)
{
	uint64_t pid;

	if (!parse_u64(text, 1, INT_MAX, &pid))
		argp_error(state, "%s: not a process's number", text);
	return pid;
}

static uint32_t parse_number(const struct argp_state *state, const char *text)
{
	uint64_t number;

	if (!parse_u64(text, 1, UINT32_MAX, &number))
		argp_error(state, "%s: not a number from 1 on", text);
	return number;
}

/* What the words of options->args say of the number of arguments. */
static void check_count(struct argp_state *state, int count)
{
	const struct options *options = state->input;
	const char *word = options->args;
	int i;

	for (i = 0; *word; i++) {
		int length = strcspn(word, " ");

		if (!strncmp(word, "--", length)) {
			if (!options->command || !*options->command)
				argp_error(state, "%s is missing", word);
			break;
		}
		if (i >= count && *word != '[')
			argp_error(state, "%.*s is missing", length, word);
		if (memmem(word, length, "...", 3))
			return;
		word += length;
		word += strspn(word, " ");
	}
	if (count > i)
		argp_error(state, "%s: one too many",
			   state->argv[state->next + i]);
}

static error_t parse_one(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'j':		/* of map, how many */
		if (text)
			options->jobs = parse_number(state, text);
		else
			options->json = true;
		break;
	case 'o':
		options->fields = text;
		break;
	case 'p':
		options->pretty = true;
		break;
	case 't':
		options->timed = true;
		options->timeout_ns = parse_timeout(state, text);
		options->deadline = deadline_after(options->timeout_ns);
		break;
	case 'r':
		options->recursive = true;
		break;
	case 'c':
		options->restart_changed = true;
		break;
	case 'q':
		options->quiet = true;
		break;
	case 'v':
		options->verbose = true;
		break;
	case 's':
		options->survive = true;
		break;
	case 'k':
		options->keep_going = true;
		break;
	case 'm':
		options->mode = parse_mode(state, text);
		break;
	case MAX_MESSAGES:
		options->max_messages = parse_number(state, text);
		break;
	case MAX_BYTES:
		options->max_bytes = parse_number(state, text);
		break;
	case MAX_PAYLOAD:
		options->max_payload = parse_number(state, text);
		break;
	case 'n':
		options->count = parse_number(state, text);
		break;
	case 'd':
		options->duplicate = true;
		break;
	case JSON:
		options->json = true;
		break;
	case ORDERED:
		options->unordered = false;
		break;
	case 'u':
		options->unordered = true;
		break;
	case '0':
		options->nul = true;
		break;
	case ON_TIMEOUT:
		options->exit_on_timeout = parse_on_timeout(state, text);
		break;
	case MAX_OUTPUT:
		options->max_output = parse_bytes(state, text);
		break;
	case OWNER_DEATH:
		options->owner_death = text;
		break;
	case HOLD:
		options->hold_ms = parse_hold(state, text);
		break;
	case ADOPT:
		options->adopt = true;
		break;
	case 'a':
		options->all = true;
		break;
	case 'P':
		options->pid = parse_pid(state, text);
		break;
	case ARGP_KEY_ARGS:
		options->argument = state->argv[state->next];
		options->more = state->argv + state->next + 1;
		check_count(state, state->argc - state->next);
		break;
	case ARGP_KEY_NO_ARGS:
		options->more = state->argv + state->argc;
		check_count(state, 0);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* The command behind the first "--", where argv ends then; or NULL. */
static char **cut_command(int *argc, char **argv)
{
	int i;

	for (i = 1; i < *argc; i++)
		if (!strcmp(argv[i], "--")) {
			argv[i] = NULL;
			*argc = i;
			return argv + i + 1;
		}
	return NULL;
}

void options_parse(struct options *options, int argc, char **argv,
		   const char *args, const char *doc)
{
	struct argp_option table[ARRAY_SIZE(known) + 1] = { 0 };
	struct argp argp = {
		.options = table,
		.parser = parse_one,
		.args_doc = args,
		.doc = doc,
	};
	size_t i, used = 0;

	if (strstr(args, "-- "))
		options->command = cut_command(&argc, argv);
	options->args = args;
	options->deadline = SUPERVISOR_NO_DEADLINE;
	options->timeout_ns = SUPERVISOR_NO_DEADLINE;
	options->mode = 0600;
	options->count = 1;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (options->allowed & known[i].bit)
			table[used++] = known[i].option;
	if (!used)
		argp.options = NULL;
	if (argp_parse(&argp, argc, argv, 0, NULL, options))
		exit(STATUS_USAGE);
}
