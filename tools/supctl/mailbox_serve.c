// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox create, mailbox recv - take messages, and print them or have a command
 * handle them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common.h"
#include "mailbox_command.h"
#include "message_text.h"
#include "notify.h"
#include "options.h"
#include "signals.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

struct server {
	const struct options *options;
	const char *name;
	int mailbox;
	int status;			/* exit status */
	struct mailbox_command command;	/* argv NULL: messages are printed */
};

/* The reply to a call; whoever does not wait for it any more has no need of it. */
static void reply(const struct server *server, uint64_t ref)
{
	const struct mailbox_command *command = &server->command;
	int err = sup_call_reply(server->mailbox, ref, command->reply,
				 command->length);

	if (err < 0 && err != -ESTALE && err != -EALREADY && err != -ENOENT)
		die_error(-err, "%s: reply", server->name);
}

/*
 * A failure is the end, as of any server: false. Its callers are told by the
 * kernel.
 */
static bool check(const struct server *server)
{
	const struct mailbox_command *command = &server->command;
	char *words;

	if (command->length > SUPERVISOR_PAYLOAD_MAX)
		die(STATUS_FALSE, "%s: %s: more than the %d bytes of a reply",
		    server->name, command->argv[0], SUPERVISOR_PAYLOAD_MAX);
	if (!command->status)
		return true;
	words = status_words(command->status);
	complain("%s: %s: %s", server->name, command->argv[0], words);
	free(words);
	return server->options->keep_going;
}

/* False: it is to end, with server->status. */
static bool handle(struct server *server, const struct supervisor_msg *msg)
{
	struct mailbox_command *command = &server->command;

	if (!command->argv) {
		message_print(msg, server->options->json);
		return true;
	}
	if (!sup_msg_data(msg))
		return true;
	mailbox_command_run(command, msg);
	if (command->stopping && command->status)
		return false;
	if (!check(server)) {
		server->status = STATUS_FALSE;
		return false;
	}
	if (msg->type == SUPERVISOR_MSG_CALL)
		reply(server, msg->ref);
	return !command->stopping;
}

/*
 * Takes one message by @deadline, 0 being now; 1, 0 for none, or -errno. One at
 * a time: what nobody has taken survives.
 */
static int take(int mailbox, const char *name, uint64_t deadline,
		const struct supervisor_msg **msg)
{
	static _Alignas(8) char buffer[MESSAGE_ROOM];
	size_t length = sizeof(buffer);
	int got;

	got = sup_mailbox_recv_with(mailbox, SUPERVISOR_RECV_F_PATH, 0, buffer,
				    &length, 1, deadline);
	if (got == -EAGAIN || got == -EINTR)
		return 0;
	if (got == -ETIMEDOUT)
		return got;
	if (got < 0)
		die_error(-got, "%s", name);
	*msg = sup_msg_next(buffer, length, NULL);
	return *msg ? 1 : 0;
}

/* Until it is told to stop, or nobody reads what it prints any more. */
static void serve(struct server *server)
{
	const struct supervisor_msg *msg;
	struct pollfd fds[] = {
		{ .fd = server->mailbox, .events = POLLIN },
		{ .fd = server->command.signals, .events = POLLIN },
		{ .fd = server->command.argv ? -1 : STDOUT_FILENO },
	};

	for (;;) {
		if (signals_next(server->command.signals))
			return;
		if (take(server->mailbox, server->name, 0, &msg) > 0) {
			if (!handle(server, msg))
				return;
			continue;
		}
		if (fds[0].revents & POLLERR)
			die(STATUS_FALSE, "%s: its owner is dead",
			    server->name);
		if (fflush(stdout) || fds[2].revents & (POLLERR | POLLHUP))
			return;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			die_error(errno, "poll");
	}
}

static void explain(int device, const char *name, int error,
		    const struct sup_result *result)
{
	switch (error) {
	case EBUSY:
		complain("%s: is served already", name);
		break;
	case ESHUTDOWN:
		complain("%s: its server is dead, and it does not survive",
			 name);
		break;
	case ENOENT:
		complain("%s: a tree has this name", name);
		break;
	case EEXIST:
		complain("%s: a %s has this name", name,
			 kind_of_name(device, name) ==
			 SUPERVISOR_KIND_SUPERVISOR ? "tree" : "mailbox");
		break;
	default:
		if (result->limit)
			complain_error(error, "%s: limit of %s", name,
				       word_of(SUP_WORDS_LIMIT, result->limit));
		else
			complain_error(error, "%s", name);
	}
}

/* The mailbox, or the exit status, negated. */
static int create(int device, const struct options *options)
{
	SUP_OPTS(sup_mailbox_opts, opts);
	SUP_OPTS(sup_result, result);
	int fd;

	opts.name = options->argument;
	opts.mode = options->mode;
	opts.max_messages = options->max_messages;
	opts.max_bytes = options->max_bytes;
	opts.max_payload = options->max_payload;
	if (!options->survive)
		fd = sup_mailbox_create_with(device, &opts, &result);
	else if (kind_of_name(device, opts.name) == SUPERVISOR_KIND_SUPERVISOR)
		fd = -EEXIST;
	else
		fd = sup_mailbox_serve(device, &opts, &result);
	if (fd >= 0)
		return fd;
	explain(device, opts.name, -fd, &result);
	return -status_of_error(-fd);
}

int mailbox_create(int argc, char **argv)
{
	static const int caught[] = { SIGTERM, SIGINT };
	struct options options = {
		.allowed = OPTION_JSON | OPTION_SURVIVE | OPTION_KEEP_GOING |
			   OPTION_MODE | OPTION_LIMITS,
	};
	struct server server = { .options = &options };
	int device;

	options_parse(&options, argc, argv, "/NAME [COMMAND...]",
		      "Makes a mailbox and serves it until SIGTERM or SIGINT: runs COMMAND for each message, which is its standard input, and answers calls with its output; without COMMAND, prints the messages.");
	check_mailbox_name(options.argument);
	if (*options.more && options.json)
		die(STATUS_USAGE, "--json is about messages that are printed");
	if (!*options.more && options.keep_going)
		die(STATUS_USAGE, "--keep-going is about a COMMAND");
	server.name = options.argument;
	server.command.mailbox = server.name;
	server.command.argv = *options.more ? options.more : NULL;
	device = open_device();
	server.command.signals = signals_catch(caught, ARRAY_SIZE(caught));
	server.mailbox = create(device, &options);
	if (server.mailbox < 0)
		return -server.mailbox;
	notify("READY=1");
	serve(&server);
	notify("STOPPING=1");
	close(server.mailbox);
	close(device);
	return server.status;
}

int mailbox_recv(int argc, char **argv)
{
	struct options options = {
		.allowed = OPTION_JSON | OPTION_TIMEOUT | OPTION_COUNT,
	};
	const struct supervisor_msg *msg;
	int device, mailbox, got;

	options_parse(&options, argc, argv, "/NAME",
		      "Takes messages from a mailbox and prints them.");
	check_mailbox_name(options.argument);
	device = open_device();
	mailbox = open_mailbox(device, options.argument, O_RDONLY);
	close(device);
	if (mailbox < 0)
		return -mailbox;
	while (options.count) {
		got = take(mailbox, options.argument, options.deadline, &msg);
		if (got < 0)
			break;
		if (!got)
			continue;
		message_print(msg, options.json);
		fflush(stdout);
		options.count--;
	}
	close(mailbox);
	if (!options.count)
		return STATUS_OK;
	complain_error(ETIMEDOUT, "%s", options.argument);
	return STATUS_TIMEOUT;
}
