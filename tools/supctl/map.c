// SPDX-License-Identifier: GPL-2.0
/*
 * map - a command for each line of standard input, many at a time: a stream of
 * tasks. Elixir's Task.async_stream.
 *
 * The tasks are linked with us, so that they do not outlive a supctl that is killed;
 * and we trap exits, so as not to die of theirs.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "json_put.h"
#include "map_input.h"
#include "map_progress.h"
#include "options.h"
#include "payload.h"
#include "signals.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

#define MAX_OUTPUT_DEFAULT (64U << 20)
/* How often we look for signals, and draw. */
#define TICK_MS 100

struct map {
	struct options options;
	struct map_input input;
	struct map_progress progress;
	struct sup_tasks *tasks;
	struct sup_stream *stream;
	struct sup_command *command;	/* of the item that was asked for last */
	int signals;
};

/* ---- what goes in ---- */

static int next_work(void *context, struct sup_work *work, void **item)
{
	struct map *map = context;
	char *line;
	int err = map_input_next(&map->input, &line);

	if (err <= 0)
		return err;
	sup_command_free(map->command);
	map->command = map_command(map->options.command, line);
	work->command = map->command;
	work->result_max = map->options.max_output;
	*item = line;
	return 1;
}

/* ---- what comes out ---- */

/* Why there is no result; for free(3). */
static char *failure_words(const struct map *map,
			   const struct sup_task_result *result)
{
	if (result->error == ETIMEDOUT)
		return xstrdup("killed, for its time was up");
	if (result->error == EMSGSIZE)
		return xasprintf("it prints more than %llu bytes: see --max-output",
				 (unsigned long long)map->options.max_output);
	if (result->error)
		return xstrdup(strerror(result->error));
	return status_words(result->status);
}

static const char *result_word(const struct sup_task_result *result)
{
	if (result->kind == SUP_TASK_OK)
		return "ok";
	if (result->error == ETIMEDOUT)
		return "timeout";
	return result->error ? "failed" :
	       word_of(SUP_WORDS_EXIT, result->reason);
}

static void print_json(const struct sup_stream_item *item)
{
	const struct sup_task_result *result = &item->result;
	json_t *object = json_object();

	json_put_number(object, "index", (int64_t)item->index);
	payload_put(object, "line", item->item, strlen(item->item));
	json_put_bool(object, "ok", result->kind == SUP_TASK_OK);
	json_put_text(object, "result", result_word(result));
	if (result->error)
		json_put_errno(object, "error", result->error);
	else
		json_put_number(object, "status", result->status);
	json_put_number(object, "pid", result->pid);
	payload_put(object, "output", result->data ? result->data : "",
		    result->len);
	json_print_line(object);
}

static void print_output(const struct sup_task_result *result)
{
	if (result->len &&
	    fwrite(result->data, 1, result->len, stdout) != result->len)
		die_error(errno, "standard output");
	if (fflush(stdout))
		die_error(errno, "standard output");
}

/* Takes one result. */
static void map_take(struct map *map, struct sup_stream_item *item)
{
	const struct sup_task_result *result = &item->result;
	char *words;

	map->progress.done++;
	map->progress.running = item->running;
	map->progress.failed += result->kind != SUP_TASK_OK;
	if (map->options.json || result->len || result->kind != SUP_TASK_OK)
		map_progress_clear(&map->progress);
	if (map->options.json)
		print_json(item);
	else
		print_output(result);
	if (result->kind != SUP_TASK_OK && !map->options.quiet &&
	    !map->options.json) {
		char *line = payload_words(item->item, strlen(item->item));

		words = failure_words(map, result);
		complain("%s: %s", line, words);
		free(words);
		free(line);
	}
	free(item->item);
}

/* ---- from end to end ---- */

/* Dies of it, as if we had not caught it; without a task. */
static _Noreturn void map_die_of(struct map *map, int number)
{
	map_progress_clear(&map->progress);
	sup_stream_free(map->stream);
	signal(number, SIG_DFL);
	raise(number);
	_exit(128 + number);
}

static int map_run(struct map *map)
{
	SUP_OPTS(sup_stream_item, item);
	int number;
	int ret;

	for (;;) {
		number = signals_next(map->signals);
		if (number)
			map_die_of(map, number);
		map_progress_draw(&map->progress, monotonic_ns());
		ret = sup_stream_next(map->stream, sup_deadline_in(TICK_MS), &item);
		if (ret == 1 || ret == -ETIME)
			map_take(map, &item);
		else if (ret != -ETIMEDOUT && ret != -EINTR)
			break;
		if (ret == -ETIME)
			break;
	}
	map_progress_clear(&map->progress);
	if (ret == -ETIME)
		return STATUS_TIMEOUT;
	if (ret < 0) {
		complain_error(-ret, "cannot go on");
		return STATUS_SYSTEM;
	}
	return map->progress.failed ? STATUS_FALSE : STATUS_OK;
}

static int64_t timeout_ms(uint64_t ns)
{
	return ns == SUPERVISOR_NO_DEADLINE ? SUP_TIMEOUT_INFINITY :
	       (int64_t)((ns + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

static void map_begin(struct map *map)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
	const struct options *options = &map->options;
	SUP_OPTS(sup_stream_opts, opts, .next = next_work, .context = map);
	int device = open_device();
	int err, mailbox;

	err = sup_tasks_new(&map->tasks, device, NULL);
	if (err)
		die_error(-err, "tasks");
	mailbox = sup_tasks_mailbox(map->tasks);
	err = mailbox < 0 ? mailbox : sup_trap_exit(device, mailbox);
	if (err)
		die_error(-err, "mailbox");
	close(device);
	opts.fd = map->input.fd;
	opts.max_concurrency = options->jobs;
	opts.unordered = options->unordered;
	opts.timeout_ms = timeout_ms(options->timeout_ns);
	opts.on_timeout = options->exit_on_timeout ? SUP_ON_TIMEOUT_EXIT :
						     SUP_ON_TIMEOUT_KILL;
	err = sup_task_async_stream(map->tasks, &opts, &map->stream);
	if (err)
		die_error(-err, "stream");
	map->signals = signals_catch(caught, ARRAY_SIZE(caught));
}

int verb_map(int argc, char **argv)
{
	struct map map = {
		.options = { .allowed = OPTION_MAP | OPTION_QUIET },
		.input = { .fd = STDIN_FILENO },
	};
	int status;

	options_parse(&map.options, argc, argv, "-- COMMAND...",
		      "Runs COMMAND for each line of standard input, which stands where {} is, or behind it, and prints what each prints.");
	if (!map.options.max_output)
		map.options.max_output = MAX_OUTPUT_DEFAULT;
	map.input.end = map.options.nul ? '\0' : '\n';
	map.progress.total = map_input_count(&map.input);
	map.progress.shown = !map.options.quiet && isatty(STDERR_FILENO);
	map_begin(&map);
	status = map_run(&map);
	sup_stream_free(map.stream);
	sup_tasks_free(map.tasks);
	sup_command_free(map.command);
	map_input_free(&map.input);
	return status;
}
