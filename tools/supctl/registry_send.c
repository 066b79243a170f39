// SPDX-License-Identifier: GPL-2.0
/*
 * registry publish, signal - what reaches processes by a key.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "json_put.h"
#include "options.h"
#include "payload.h"
#include "registry_key.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

/* The registry of the command line, or the exit status, negated. */
static int open_it(const struct options *options)
{
	int device = open_device();
	int registry = open_registry(device, options->argument, O_RDONLY);

	close(device);
	return registry;
}

int registry_publish(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON | OPTION_TIMEOUT };
	struct sup_outcome published = { 0 };
	SUP_OPTS(sup_result, result);
	struct payload payload;
	int registry, err;
	const char *key;
	json_t *answer;

	options_parse(&options, argc, argv, "/NAME KEY [PAYLOAD]",
		      "Sends PAYLOAD, or standard input, to all who have a key and a mailbox, and succeeds if all had room.");
	check_registry_name(options.argument);
	key = options.more[0];
	check_key(key);
	registry = open_it(&options);
	if (registry < 0)
		return -registry;
	payload = payload_read(options.more[1]);
	err = sup_publish(registry, key, strlen(key), payload.bytes,
			  payload.length, options.timed ? options.deadline : 0,
			  &published, &result);
	close(registry);
	if (err < 0) {
		explain_key(options.argument, key, -err, &result);
		return status_of_error(-err);
	}
	if (options.json) {
		answer = json_object();
		json_put_number(answer, "delivered", published.delivered);
		json_put_number(answer, "full", published.full);
		json_put_number(answer, "gone", published.gone);
		json_print_line(answer);
	} else {
		printf("delivered %u, full %u, gone %u\n", published.delivered,
		       published.full, published.gone);
	}
	return published.full ? STATUS_FALSE : STATUS_OK;
}

/* The processes of a key, each once. */
struct processes {
	int *pids;
	size_t count;
};

static void processes_add(struct processes *processes, int pid)
{
	size_t i;

	for (i = 0; i < processes->count; i++)
		if (processes->pids[i] == pid)
			return;
	processes->pids = xrealloc(processes->pids, processes->count + 1,
				   sizeof(*processes->pids));
	processes->pids[processes->count++] = pid;
}

static int processes_read(struct processes *processes, int registry,
			  const char *key)
{
	SUP_OPTS(sup_select_opts, opts, .key = key, .key_len = strlen(key),
		 .flags = SUPERVISOR_SELECT_F_KEY |
			  SUPERVISOR_SELECT_F_NO_VALUES);
	const struct supervisor_registry_entry *entry;
	struct sup_entries *entries;
	int err = sup_select(registry, &opts, &entries);

	if (err < 0)
		return err;
	while ((err = sup_entries_next(entries, &entry)) > 0)
		if (entry->pid)
			processes_add(processes, entry->pid);
	sup_entries_free(entries);
	return err;
}

/* Signals all that have the key still; fails if none has. */
static int signal_all(int registry, const char *key, int number, json_t *pids)
{
	struct processes processes = { 0 };
	int err = processes_read(&processes, registry, key);
	int worst = -ENOENT;
	size_t i;

	for (i = 0; !err && i < processes.count; i++) {
		err = sup_key_signal(registry, key, strlen(key),
				     processes.pids[i], number);
		if (err == -ENOENT || err == -ESRCH) {
			err = 0;
			continue;
		}
		worst = err < 0 ? err : 0;
		if (err >= 0)
			json_array_append_new(pids,
					      json_integer(processes.pids[i]));
		err = worst;
	}
	free(processes.pids);
	return err ? err : worst;
}

int registry_signal(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON };
	struct supervisor_registry_status status = { .size = sizeof(status) };
	json_t *answer, *pids = json_array();
	uint32_t number = SIGTERM;
	int registry, err;
	const char *key;

	options_parse(&options, argc, argv, "/NAME KEY [SIGNAL]",
		      "Signals whoever has a key, with SIGTERM or another.");
	check_registry_name(options.argument);
	key = options.more[0];
	check_key(key);
	if (options.more[1] && !signal_parse(options.more[1], &number))
		die(STATUS_USAGE, "'%s': not a signal", options.more[1]);
	registry = open_it(&options);
	if (registry < 0)
		return -registry;
	err = sup_registry_status(registry, &status);
	if (!err && status.out_keys != SUPERVISOR_KEYS_UNIQUE) {
		err = signal_all(registry, key, number, pids);
	} else if (!err) {
		err = sup_key_signal(registry, key, strlen(key), 0, number);
		if (err >= 0)
			json_array_append_new(pids, json_integer(err));
	}
	close(registry);
	if (err < 0)
		explain_key(options.argument, key, -err, NULL);
	if (options.json) {
		answer = json_object();
		json_put_bool(answer, "ok", err >= 0);
		json_object_set(answer, "pids", pids);
		json_print_line(answer);
	}
	json_decref(pids);
	return err < 0 ? status_of_error(-err) : STATUS_OK;
}
