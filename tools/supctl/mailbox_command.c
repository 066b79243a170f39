// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox_command - a command that handles messages, run once for each.
 */
#include "mailbox_command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common.h"
#include "signals.h"
#include "words.h"

static char room[SUPERVISOR_PAYLOAD_MAX + 1];

static void set_number(const char *name, int64_t value)
{
	char *text = xasprintf("%" PRId64, value);

	setenv(name, text, 1);
	free(text);
}

/* Who has sent what, in variables that the command inherits. */
static void set_environment(const struct mailbox_command *command,
			    const struct supervisor_msg *msg)
{
	setenv("SUPCTL_MAILBOX", command->mailbox, 1);
	setenv("SUPCTL_MESSAGE", word_of(SUP_WORDS_MESSAGE, msg->type), 1);
	set_number("SUPCTL_PID", msg->pid);
	set_number("SUPCTL_UID", msg->uid);
	if (msg->flags & SUPERVISOR_MSG_F_PATH)
		setenv("SUPCTL_PATH", sup_msg_path(msg), 1);
	else
		unsetenv("SUPCTL_PATH");
	unsetenv("NOTIFY_SOCKET");
}

/* A file of the payload, at its beginning. */
static int open_input(const struct supervisor_msg *msg)
{
	const char *at;
	size_t left;
	int fd;

	at = sup_msg_payload(msg, &left);
	fd = memfd_create("payload", MFD_CLOEXEC);
	if (fd < 0)
		die_error(errno, "payload");
	while (left) {
		ssize_t put = write(fd, at, left);

		if (put < 0)
			die_error(errno, "payload");
		at += put;
		left -= put;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* @output: where a reply is written; -1: standard output is ours. */
static pid_t spawn(const struct mailbox_command *command, int input, int output)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (output >= 0)
		posix_spawn_file_actions_adddup2(&actions, output,
						 STDOUT_FILENO);
	err = posix_spawnp(&pid, command->argv[0], &actions, NULL,
			   command->argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		die_error(err, "%s: %s", command->mailbox, command->argv[0]);
	return pid;
}

/*
 * Takes what is there. What is more than a reply can be is not read: then the
 * command's next write is a SIGPIPE.
 */
static void take_output(struct mailbox_command *command, struct pollfd *output)
{
	ssize_t got = 1;

	while (output->fd >= 0 && got > 0 && command->length < sizeof(room)) {
		got = read(output->fd, room + command->length,
			   sizeof(room) - command->length);
		if (got > 0)
			command->length += got;
	}
	if (output->fd >= 0 && (!got || command->length == sizeof(room))) {
		close(output->fd);
		output->fd = -1;
	}
}

static void pass_on_signals(struct mailbox_command *command, pid_t pid)
{
	int number;

	while ((number = signals_next(command->signals))) {
		command->stopping = true;
		kill(pid, number);
	}
}

/*
 * Until the command itself has ended: what it leaves in the background may keep
 * its output open for as long as it likes.
 */
static void attend(struct mailbox_command *command, pid_t pid, int output)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = output, .events = POLLIN },
		{ .fd = command->signals, .events = POLLIN },
	};

	if (pidfd < 0)
		die_error(errno, "pidfd");
	do {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			die_error(errno, "poll");
		take_output(command, &fds[1]);
		pass_on_signals(command, pid);
	} while (!(fds[0].revents & POLLIN));
	take_output(command, &fds[1]);
	if (fds[1].fd >= 0)
		close(fds[1].fd);
	close(pidfd);
	while (waitpid(pid, &command->status, 0) < 0 && errno == EINTR)
		;
}

void mailbox_command_run(struct mailbox_command *command,
			 const struct supervisor_msg *msg)
{
	int ends[2] = { -1, -1 }, input;
	pid_t pid;

	command->reply = room;
	command->length = 0;
	if (msg->type == SUPERVISOR_MSG_CALL) {
		if (pipe2(ends, O_CLOEXEC))
			die_error(errno, "pipe");
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
	}
	input = open_input(msg);
	set_environment(command, msg);
	fflush(stdout);
	pid = spawn(command, input, ends[1]);
	close(input);
	if (ends[1] >= 0)
		close(ends[1]);
	attend(command, pid, ends[0]);
}
