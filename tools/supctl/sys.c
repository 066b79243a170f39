// SPDX-License-Identifier: GPL-2.0
/*
 * sys - what a server made with sup_server answers itself. OTP's sys.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../common.h"
#include "json_put.h"
#include "message_text.h"
#include "options.h"
#include "payload.h"
#include "signals.h"
#include "spec_json.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

#define REQUEST_TIMEOUT_NS (5 * NSEC_PER_SEC)

/* The exit status for what a request said. */
static int explain(const char *name, int error)
{
	switch (error) {
	case ESHUTDOWN:
		complain("%s: nobody serves it", name);
		return STATUS_FALSE;
	case EOWNERDEAD:
		complain("%s: its server died", name);
		return STATUS_DIED;
	case EPROTO:
		complain("%s: its server does not know such requests", name);
		return STATUS_FALSE;
	case EOPNOTSUPP:
		complain("%s: not in this server", name);
		return STATUS_FALSE;
	default:
		complain_error(error, "%s", name);
		return status_of_error(error);
	}
}

/* Prints what is asked of it, or that it has been done. */
static int tell(const struct options *options, int err, json_t *object)
{
	if (err < 0) {
		json_decref(object);
		object = NULL;
	}
	if (options->json) {
		if (!object)
			object = json_object();
		json_put_text(object, "mailbox", options->argument);
		json_put_bool(object, "ok", err >= 0);
		if (err < 0)
			json_put_errno(object, "result", -err);
		json_print_line(object);
	}
	return err < 0 ? explain(options->argument, -err) : STATUS_OK;
}

/* The mailbox; does not return without. */
static int begin(struct options *options, int argc, char **argv,
		 const char *doc)
{
	int device, mailbox;

	options->allowed |= OPTION_JSON | OPTION_TIMEOUT;
	options_parse(options, argc, argv, "/NAME", doc);
	check_mailbox_name(options->argument);
	device = open_device();
	mailbox = open_mailbox(device, options->argument, O_WRONLY);
	close(device);
	if (!options->timed)
		options->deadline = monotonic_ns() + REQUEST_TIMEOUT_NS;
	return mailbox;
}

typedef int request(int mailbox, uint64_t deadline);

static int simple(int argc, char **argv, const char *doc, request *ask)
{
	struct options options = { 0 };
	int mailbox = begin(&options, argc, argv, doc);
	int err;

	if (mailbox < 0)
		return -mailbox;
	err = ask(mailbox, options.deadline);
	close(mailbox);
	return tell(&options, err, NULL);
}

static int sys_suspend(int argc, char **argv)
{
	return simple(argc, argv, "Lets a server handle nothing for now: messages wait.",
		      sup_server_suspend);
}

static int sys_resume(int argc, char **argv)
{
	return simple(argc, argv, "Lets it go on, beginning with what waits.",
		      sup_server_resume);
}

static int ask_to_stop(int mailbox, uint64_t deadline)
{
	return sup_server_stop(mailbox, SUPERVISOR_EXIT_NORMAL, deadline);
}

static int sys_stop(int argc, char **argv)
{
	return simple(argc, argv, "Stops a server, with reason normal.",
		      ask_to_stop);
}

static int sys_state(int argc, char **argv)
{
	static char state[SUPERVISOR_PAYLOAD_MAX];
	size_t length = sizeof(state);
	struct options options = { 0 };
	json_t *object = NULL;
	int mailbox = begin(&options, argc, argv,
			    "Prints a server's state, the bytes as they are.");
	int err;

	if (mailbox < 0)
		return -mailbox;
	err = sup_server_get_state(mailbox, state, &length, options.deadline);
	close(mailbox);
	if (err >= 0 && options.json) {
		object = json_object();
		payload_put(object, "state", state, length);
	} else if (err >= 0) {
		payload_print(state, length);
	}
	return tell(&options, err, object);
}

static json_t *status_json(const struct sup_server_status *status,
			   const char *text, size_t length)
{
	json_t *object = json_object();

	json_put_number(object, "pid", status->pid);
	json_put_bool(object, "suspended", status->suspended);
	json_put_bool(object, "traced", status->traced);
	json_put_number(object, "waiting", status->waiting);
	json_put_number(object, "since_ns", status->since_ns);
	json_put_number(object, "calls", status->calls);
	json_put_number(object, "casts", status->casts);
	json_put_number(object, "infos", status->infos);
	if (length)
		payload_put(object, "text", text, length);
	return object;
}

static int sys_status(int argc, char **argv)
{
	static char text[SUPERVISOR_PAYLOAD_MAX];
	size_t length = sizeof(text);
	SUP_OPTS(sup_server_status, status);
	struct options options = { 0 };
	json_t *object = NULL;
	int mailbox = begin(&options, argc, argv,
			    "Shows what a server is doing, and what it says of its state.");
	int err;

	if (mailbox < 0)
		return -mailbox;
	err = sup_server_get_status(mailbox, &status, text, &length,
				    options.deadline);
	close(mailbox);
	if (length > sizeof(text))
		length = sizeof(text);
	if (err >= 0)
		object = status_json(&status, text, length);
	if (object && !options.json)
		spec_print(object, stdout);
	if (object && !options.json) {
		json_decref(object);
		object = NULL;
	}
	return tell(&options, err, object);
}

/* ---- trace ------------------------------------------------------------ */

static void print_trace(const struct sup_trace *trace, const void *data,
			size_t length, bool json)
{
	const char *kind = word_of(SUP_WORDS_TRACE, trace->kind);
	char *clock, *words;
	json_t *object;

	if (json) {
		object = json_object();
		json_put_number(object, "time_ns", trace->time_ns);
		json_put_text(object, "trace", kind);
		json_put_number(object, "pid", trace->pid);
		json_put_made(object, "ref",
			      xasprintf("%" PRIu64, trace->ref));
		json_put_number(object, "lost", trace->lost);
		json_put_number(object, "length", trace->len);
		payload_put(object, "payload", data, length);
		json_print_line(object);
		return;
	}
	clock = clock_words(trace->time_ns);
	words = payload_words(data, length);
	if (trace->lost)
		printf("%s  %" PRIu32 " were lost here\n", clock, trace->lost);
	printf("%s  %-9s  pid %" PRId32 "  %s%s\n", clock, kind, trace->pid,
	       words, length < trace->len ? "..." : "");
	free(words);
	free(clock);
}

/* False: the server has ended. */
static bool drain(int mailbox, bool json)
{
	static _Alignas(8) char buffer[MESSAGE_ROOM];

	for (;;) {
		const struct supervisor_msg *msg = NULL;
		size_t length = sizeof(buffer);

		if (sup_mailbox_recv(mailbox, buffer, &length, 0, 0) <= 0)
			return true;
		while ((msg = sup_msg_next(buffer, length, msg))) {
			const struct sup_trace *trace;
			const void *data;
			size_t bytes;

			if (sup_msg_down(msg))
				return false;
			trace = sup_msg_trace(msg, &data, &bytes);
			if (trace)
				print_trace(trace, data, bytes, json);
		}
	}
}

static int sys_trace(int argc, char **argv)
{
	static const int caught[] = { SIGTERM, SIGINT };
	struct options options = { 0 };
	int server = begin(&options, argc, argv,
			   "Follows what a server does, until it ends or SIGINT.");
	struct pollfd fds[] = {
		{ .events = POLLIN },
		{ .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	uint64_t alias = 0, down;
	int device, err;

	if (server < 0)
		return -server;
	fds[1].fd = signals_catch(caught, ARRAY_SIZE(caught));
	device = open_device();
	err = fds[0].fd = sup_mailbox_create(device, 0, NULL);
	close(device);
	if (err >= 0)
		err = sup_alias(fds[0].fd, SUPERVISOR_ALIAS_EXPLICIT, &alias,
				NULL);
	if (err >= 0)
		err = sup_monitor_fd(fds[0].fd, server, SUPERVISOR_ALIAS_NONE,
				     &down, NULL);
	if (err >= 0)
		err = sup_server_trace(server, alias, options.deadline);
	close(server);
	if (err < 0)
		return tell(&options, err, NULL);
	while (drain(fds[0].fd, options.json)) {
		if (fflush(stdout) || signals_next(fds[1].fd) ||
		    fds[2].revents & (POLLERR | POLLHUP))
			break;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			die_error(errno, "poll");
	}
	close(fds[0].fd);
	return STATUS_OK;
}

int verb_sys(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ "suspend", sys_suspend, "/NAME", "let a server handle nothing for now" },
		{ "resume", sys_resume, "/NAME", "let it go on" },
		{ "state", sys_state, "/NAME", "print its state" },
		{ "status", sys_status, "/NAME", "show what it is doing" },
		{ "trace", sys_trace, "/NAME", "follow what it does" },
		{ "stop", sys_stop, "/NAME", "stop it" },
	};

	return verbs_run(verbs, ARRAY_SIZE(verbs),
			 "For servers made with libsupervisor's sup_server.\n",
			 argc, argv);
}
