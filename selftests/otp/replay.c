// SPDX-License-Identifier: GPL-2.0
/*
 * replay [--policy] FILE... - plays scenarios and prints the trace of what
 * happened, in the words of the real OTP's traces (see oracle). With --policy
 * the policy plays them here, without it the module does, with real processes;
 * a file NAME.reg is a scenario of registries, which are the module's alone, and
 * NAME.tsk one of tasks, which are the library's.
 *
 * With several files each trace follows a line "==> FILE <==". Exit status: 0
 * all were played, 1 one could not be, 100 wrong usage.
 */
#include <errno.h>
#include <linux/supervisor.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "replay_registry.h"
#include "replay_task.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Options: from words to values. What cannot be held is -1 or, where that means
 * something, another value that is refused in the same way.
 */

static int64_t word_value(const char *word, const char *const *words, size_t nr_words)
{
	for (size_t i = 0; i < nr_words; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return -1;
}

static int64_t number_value(const char *word, int64_t otherwise)
{
	char *end;
	long long number;

	if (!word)
		return otherwise;
	errno = 0;
	number = strtoll(word, &end, 10);
	return *end || errno || number < 0 ? -1 : number;
}

static int64_t max_children_value(const char *word)
{
	int64_t number = number_value(word, 0);

	if (strcmp(word, "infinity") == 0)
		return -1;
	return number < 0 ? INT64_MIN : number;
}

struct scn_flag_values scn_flag_values(const struct scn_flags *flags)
{
	static const char *const strategies[] = {
		[SUPERVISOR_ONE_FOR_ONE] = "one_for_one",
		[SUPERVISOR_ONE_FOR_ALL] = "one_for_all",
		[SUPERVISOR_REST_FOR_ONE] = "rest_for_one",
	};
	static const char *const auto_shutdowns[] = {
		[SUPERVISOR_AUTO_SHUTDOWN_NEVER] = "never",
		[SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT] = "any_significant",
		[SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT] = "all_significant",
	};
	struct scn_flag_values values = {
		.strategy = SUPERVISOR_ONE_FOR_ONE,
		.intensity = number_value(flags->max_restarts, 3),
		.period = number_value(flags->max_seconds, 5),
		.auto_shutdown = SUPERVISOR_AUTO_SHUTDOWN_NEVER,
		.max_children = -1,
	};

	if (flags->max_children)
		values.max_children = max_children_value(flags->max_children);
	if (flags->strategy)
		values.strategy = word_value(flags->strategy, strategies, ARRAY_LEN(strategies));
	if (flags->auto_shutdown)
		values.auto_shutdown = word_value(flags->auto_shutdown, auto_shutdowns,
						  ARRAY_LEN(auto_shutdowns));
	return values;
}

static const char *const restarts[] = {
	[SUPERVISOR_PERMANENT] = "permanent",
	[SUPERVISOR_TRANSIENT] = "transient",
	[SUPERVISOR_TEMPORARY] = "temporary",
};

static const char *const types[] = {
	[SUPERVISOR_CHILD_WORKER] = "worker",
	[SUPERVISOR_CHILD_SUPERVISOR] = "supervisor",
};

static const char *const booleans[] = { "false", "true" };

static int64_t shutdown_value(const char *word, int64_t type)
{
	int64_t ms;

	if (!word)
		return type == SUPERVISOR_CHILD_SUPERVISOR ? SUPERVISOR_SHUTDOWN_INFINITY : 5000;
	if (strcmp(word, "infinity") == 0)
		return SUPERVISOR_SHUTDOWN_INFINITY;
	if (strcmp(word, "brutal_kill") == 0)
		return SUPERVISOR_SHUTDOWN_KILL;
	ms = number_value(word, 0);
	return ms < 0 ? INT64_MIN : ms;
}

struct scn_child_values scn_child_values(const struct scn_child *child)
{
	struct scn_child_values values = {
		.restart = SUPERVISOR_PERMANENT,
		.significant = 0,
		.type = SUPERVISOR_CHILD_WORKER,
	};

	if (child->restart)
		values.restart = word_value(child->restart, restarts, ARRAY_LEN(restarts));
	if (child->significant)
		values.significant = word_value(child->significant, booleans, ARRAY_LEN(booleans));
	if (child->type)
		values.type = word_value(child->type, types, ARRAY_LEN(types));
	values.shutdown_ms = shutdown_value(child->shutdown, values.type);
	return values;
}

/*
 * Words for what happened.
 */

const char *say_reason(int reason)
{
	static const char *const reasons[] = {
		[SUPERVISOR_EXIT_NORMAL] = "normal",
		[SUPERVISOR_EXIT_SHUTDOWN] = "shutdown",
		[SUPERVISOR_EXIT_CRASH] = "crash",
		[SUPERVISOR_EXIT_KILLED] = "killed",
	};

	return reasons[reason];
}

void say_result(FILE *out, int result)
{
	static const char *const results[] = {
		[SUPERVISOR_RESULT_OK] = "ok",
		[SUPERVISOR_RESULT_OK_UNDEFINED] = "ok undefined",
		[SUPERVISOR_RESULT_RUNNING] = "error running",
		[SUPERVISOR_RESULT_RESTARTING] = "error restarting",
		[SUPERVISOR_RESULT_NOT_FOUND] = "error not_found",
		[SUPERVISOR_RESULT_ALREADY_STARTED] = "error already_started",
		[SUPERVISOR_RESULT_ALREADY_PRESENT] = "error already_present",
		[SUPERVISOR_RESULT_START_FAILED] = "error start_failed",
		[SUPERVISOR_RESULT_INVALID] = "error invalid",
		[SUPERVISOR_RESULT_NOPROC] = "noproc",
		[SUPERVISOR_RESULT_EXIT] = "exit",
	};

	fputs(results[result], out);
}

void say_invalid_flags(FILE *out, int invalid, const struct scn_flags *flags)
{
	switch (invalid) {
	case SUPERVISOR_INVALID_STRATEGY:
		fprintf(out, "invalid_strategy %s", flags->strategy);
		break;
	case SUPERVISOR_INVALID_INTENSITY:
		fprintf(out, "invalid_intensity %s", flags->max_restarts);
		break;
	case SUPERVISOR_INVALID_PERIOD:
		fprintf(out, "invalid_period %s", flags->max_seconds);
		break;
	case SUPERVISOR_INVALID_AUTO_SHUTDOWN:
		fprintf(out, "invalid_auto_shutdown %s", flags->auto_shutdown);
		break;
	default:
		fprintf(out, "invalid (%d)", invalid);
		break;
	}
}

void say_invalid_child(FILE *out, int invalid, const struct scn_child *child)
{
	switch (invalid) {
	case SUPERVISOR_INVALID_RESTART_TYPE:
		fprintf(out, "invalid_restart_type %s", child->restart);
		break;
	case SUPERVISOR_INVALID_COMBINATION_AUTO_SHUTDOWN:
		fputs("bad_combination auto_shutdown=never significant=true", out);
		break;
	case SUPERVISOR_INVALID_COMBINATION_RESTART:
		fputs("bad_combination restart=permanent significant=true", out);
		break;
	case SUPERVISOR_INVALID_SIGNIFICANT:
		fprintf(out, "invalid_significant %s", child->significant);
		break;
	case SUPERVISOR_INVALID_CHILD_TYPE:
		fprintf(out, "invalid_child_type %s", child->type);
		break;
	case SUPERVISOR_INVALID_SHUTDOWN:
		fprintf(out, "invalid_shutdown %s", child->shutdown);
		break;
	case SUPERVISOR_INVALID_DUPLICATE_ID:
		fprintf(out, "duplicate_child_name %s", child->id);
		break;
	default:
		fprintf(out, "invalid (%d)", invalid);
		break;
	}
}

void say_child_state(FILE *out, bool first, const char *id, size_t id_len, int state, int type)
{
	static const char *const states[] = {
		[SUPERVISOR_CHILD_UNDEFINED] = "undefined",
		[SUPERVISOR_CHILD_STARTING] = "starting",
		[SUPERVISOR_CHILD_RUNNING] = "running",
		[SUPERVISOR_CHILD_STOPPING] = "stopping",
		[SUPERVISOR_CHILD_RESTARTING] = "restarting",
	};

	fprintf(out, "%s%.*s:%s:%s", first ? "" : " ", (int)id_len, id, states[state], types[type]);
}

void say_child_spec(FILE *out, const char *id, size_t id_len,
		    const struct scn_child_values *values)
{
	fprintf(out, "id=%.*s restart=%s shutdown=", (int)id_len, id, restarts[values->restart]);
	if (values->shutdown_ms == SUPERVISOR_SHUTDOWN_INFINITY)
		fputs("infinity", out);
	else if (values->shutdown_ms == SUPERVISOR_SHUTDOWN_KILL)
		fputs("brutal_kill", out);
	else
		fprintf(out, "%lld", (long long)values->shutdown_ms);
	fprintf(out, " significant=%s type=%s", booleans[values->significant], types[values->type]);
}

/*
 * Playing
 */

struct play {
	const struct scenario *scenario;
	const struct replay_backend *backend;
	void *world;
	FILE *trace;
	bool frozen;
};

static bool play_die(struct play *play, const struct scn_command *command, FILE *result)
{
	static const char *const words[] = {
		[DIE_OK] = "ok",
		[DIE_NOT_RUNNING] = "not_running",
		[DIE_NOT_WORKER] = "not_worker",
	};
	enum die_result *results = xcalloc(command->nr_names, sizeof(*results));
	bool ok = play->backend->die(play->world, command->names, command->nr_names,
				     command->reason, results);

	for (size_t i = 0; ok && i < command->nr_names; i++)
		fprintf(result, "%s%s", i ? " " : "", words[results[i]]);
	free(results);
	return ok;
}

static bool play_run(struct play *play, const struct scn_command *command, FILE *result)
{
	const struct scn_sup *sup = scenario_sup(play->scenario, command->names[0]);

	if (!sup) {
		fprintf(stderr, "%s:%u: no such supervisor: %s\n", play->scenario->path,
			command->line, command->names[0]);
		return false;
	}
	return play->backend->run(play->world, sup, result);
}

static bool play_event(struct play *play, const struct scn_command *command, FILE *result)
{
	const struct replay_backend *backend = play->backend;

	switch (command->type) {
	case CMD_RUN:
		return play_run(play, command, result);
	case CMD_DIE:
		return play_die(play, command, result);
	case CMD_STOP:
		return backend->stop(play->world, command->names[0], command->reason, result);
	case CMD_CALL:
		return backend->call(play->world, &command->call, result);
	case CMD_SLEEP:
		fputs("ok", result);
		return backend->sleep(play->world, command->number);
	case CMD_FREEZE:
		play->frozen = true;
		fputs("ok", result);
		return backend->freeze(play->world);
	case CMD_THAW:
		play->frozen = false;
		fputs("ok", result);
		return backend->thaw(play->world);
	default:
		return false;
	}
}

static bool play_command(struct play *play, const struct scn_command *command)
{
	char *text = NULL;
	size_t len;
	FILE *result;
	bool ok;

	if (command->type < CMD_RUN)
		return play->backend->behave(play->world, command);

	fprintf(play->trace, "> %s\n", command->text);
	result = open_memstream(&text, &len);
	if (!result)
		abort();
	ok = play_event(play, command, result);
	if (ok && !play->frozen)
		ok = play->backend->settle(play->world);
	fclose(result);

	/* A call made while frozen is answered by a reply line, later. */
	if (ok && !(play->frozen && command->type == CMD_CALL))
		fprintf(play->trace, "= %s\n", text);
	if (!ok)
		fprintf(stderr, "%s:%u: stopped here\n", play->scenario->path, command->line);
	free(text);
	return ok;
}

static bool play_scenario(const struct scenario *scenario, const struct replay_backend *backend)
{
	struct play play = { .scenario = scenario, .backend = backend, .trace = stdout };
	bool ok = true;

	play.world = backend->open(scenario, play.trace);
	if (!play.world)
		return false;
	for (size_t i = 0; ok && i < scenario->nr_commands; i++)
		ok = play_command(&play, &scenario->commands[i]);
	backend->close(play.world);
	return ok;
}

static bool play_file(const char *path, const struct replay_backend *backend)
{
	struct scenario scenario;
	const char *suffix = strrchr(path, '.');
	bool ok;

	if (suffix && (strcmp(suffix, ".reg") == 0 || strcmp(suffix, ".tsk") == 0)) {
		if (backend == &replay_device)
			return suffix[1] == 'r' ? reg_play_file(path) : task_play_file(path);
		fprintf(stderr, "%s: neither registries nor tasks are in the policy\n", path);
		return false;
	}
	if (!scenario_read(&scenario, path))
		return false;
	ok = play_scenario(&scenario, backend);
	scenario_free(&scenario);
	return ok;
}

int main(int argc, char **argv)
{
	const struct replay_backend *backend = &replay_device;
	int first = 1;
	bool ok = true;

	if (argc > 1 && strcmp(argv[1], "--policy") == 0) {
		backend = &replay_policy;
		first = 2;
	}
	if (argc == first || argv[first][0] == '-') {
		fputs("usage: replay [--policy] FILE...\n", stderr);
		return 100;
	}
	for (int i = first; i < argc; i++) {
		if (argc - first > 1)
			printf("==> %s <==\n", argv[i]);
		ok &= play_file(argv[i], backend);
	}
	return ok ? 0 : 1;
}
