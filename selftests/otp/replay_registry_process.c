// SPDX-License-Identifier: GPL-2.0
/*
 * The processes of registry scenarios. Each is a child that has the scenario from its
 * parent, is told over a socket which command is its turn, and says what came of it.
 * What it registers stays as long as it lives, whatever it closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay.h"
#include "replay_registry.h"
#include "supervisor.h"

/*
 * Acting
 */

/* OTP's tells the old value: had it changed since, the kernel would say so. */
static int update(int registry, const struct reg_command *command, struct reg_answer *answer)
{
	SUP_OPTS(sup_update_opts, options);
	size_t len = sizeof(answer->old);
	int ret = sup_lookup(registry, command->key, strlen(command->key), answer->old, &len, NULL);

	if (ret >= 0) {
		answer->len = len;
		options.flags = SUPERVISOR_UPDATE_F_COMPARE;
		options.old = answer->old;
		options.old_len = len;
	} else if (ret != -ENOENT) {
		return ret;
	}
	return sup_update(registry, command->key, strlen(command->key), command->value,
			  strlen(command->value), &options, NULL);
}

static int act_in(int registry, const struct reg_command *command, struct reg_answer *answer)
{
	SUP_OPTS(sup_result, result);
	size_t key_len = strlen(command->key);
	int ret;

	switch (command->verb) {
	case REG_REGISTER:
		ret = sup_register(registry, command->key, key_len, command->value,
				   strlen(command->value), -1, &result);
		answer->pid = result.pid;
		return ret;
	case REG_UNREGISTER:
		return sup_unregister(registry, command->key, key_len, NULL);
	case REG_UNREGISTER_MATCH:
		return sup_unregister_match(registry, command->key, key_len, command->value,
					    strlen(command->value), NULL);
	default:
		return update(registry, command, answer);
	}
}

/* A registry of the scenario: a descriptor, or -errno. */
int reg_open(int device, const char *name, int access)
{
	char path[SUPERVISOR_NAME_MAX];

	snprintf(path, sizeof(path), "/%s", name);
	return sup_registry_open(device, path, access, NULL);
}

static void act(const struct reg_command *command, struct reg_answer *answer)
{
	int device = sup_device_open();
	int registry = device < 0 ? device : reg_open(device, command->registry, O_RDWR);

	memset(answer, 0, sizeof(*answer));
	answer->known = registry != -ENOENT;
	answer->error = registry;
	if (registry >= 0) {
		answer->error = act_in(registry, command, answer);
		close(registry);
	}
	close(device);
}

__attribute__((noreturn))
static void process_main(const struct reg_scenario *scenario, int socket)
{
	static struct reg_answer answer;
	size_t number;
	ssize_t len;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (recv(socket, &number, sizeof(number), 0) == sizeof(number)) {
		const struct reg_command *command = &scenario->commands[number];

		if (command->verb == REG_EXIT)
			_exit(EXIT_SUCCESS);
		if (command->verb == REG_CRASH)
			_exit(EXIT_FAILURE);
		act(command, &answer);
		len = offsetof(struct reg_answer, old) + answer.len;
		if (send(socket, &answer, len, 0) != len)
			break;
	}
	_exit(EXIT_FAILURE);
}

/*
 * Telling
 */

/* Have it run. */
bool reg_process_start(struct reg_process *process, const struct reg_scenario *scenario)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		fprintf(stderr, "%s: socketpair: %s\n", scenario->path, strerror(errno));
		return false;
	}
	fflush(stdout);
	process->pid = fork();
	if (process->pid == 0)
		process_main(scenario, sockets[1]);
	close(sockets[1]);
	process->socket = sockets[0];
	if (process->pid > 0)
		return true;
	fprintf(stderr, "%s: fork: %s\n", scenario->path, strerror(errno));
	close(process->socket);
	return false;
}

static bool tell(const struct reg_process *process, const struct reg_scenario *scenario,
		 const struct reg_command *command)
{
	size_t number = command - scenario->commands;

	return send(process->socket, &number, sizeof(number), MSG_NOSIGNAL) == sizeof(number);
}

/* Have it act; false, after saying so, when it does not answer. */
bool reg_process_act(const struct reg_process *process, const struct reg_scenario *scenario,
		     const struct reg_command *command, struct reg_answer *answer)
{
	if (tell(process, scenario, command) &&
	    recv(process->socket, answer, sizeof(*answer), 0) > 0)
		return true;
	fprintf(stderr, "%s:%u: %s does not answer\n", scenario->path, command->line,
		process->name);
	return false;
}

/* Have it end, and see its end as a parent does. Nothing more is waited for. */
bool reg_process_end(struct reg_process *process, const struct reg_scenario *scenario,
		     const struct reg_command *command)
{
	if (command->verb == REG_KILL)
		kill(process->pid, SIGKILL);
	else if (!tell(process, scenario, command))
		return false;
	if (waitpid(process->pid, NULL, 0) != process->pid)
		return false;
	close(process->socket);
	process->socket = -1;
	return true;
}

/* Whatever state it is in. */
void reg_process_kill(struct reg_process *process)
{
	if (process->socket < 0)
		return;
	kill(process->pid, SIGKILL);
	waitpid(process->pid, NULL, 0);
	close(process->socket);
	process->socket = -1;
}
