// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task_process.c - owns what is done to the process of a task, which is a child of
 * ours. Its number is its own until it is reaped, and nobody but us reaps it, unless
 * the program waits for children that are not its own, or ignores SIGCHLD: so each
 * time we look first whether there is such a child.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include "task.h"

/* 1: it is dead, and @info says how; 0: it lives; -ESRCH: it is no child of ours. */
static int process_look(const struct sup_task_process *process, siginfo_t *info)
{
	int saved = errno;
	int ret;

	info->si_pid = 0;
	do {
		ret = waitid(P_PID, (id_t)process->pid, info,
			     WEXITED | WNOHANG | WNOWAIT);
	} while (ret < 0 && errno == EINTR);
	sup_errno_restore(saved);
	if (ret < 0)
		return -ESRCH;
	return info->si_pid == process->pid;
}

bool sup_process_dead(const struct sup_task_process *process, int *status)
{
	siginfo_t info;

	if (process_look(process, &info) <= 0)
		return false;
	if (info.si_code == CLD_EXITED)
		*status = W_EXITCODE(info.si_status, 0);
	else
		*status = W_EXITCODE(0, info.si_status) |
			  (info.si_code == CLD_DUMPED ? WCOREFLAG : 0);
	return true;
}

void sup_process_wait(const struct sup_task_process *process)
{
	int saved = errno;
	siginfo_t info;
	int ret;

	do {
		ret = waitid(P_PID, (id_t)process->pid, &info,
			     WEXITED | WNOWAIT);
	} while (ret < 0 && errno == EINTR);
	sup_errno_restore(saved);
}

/* Of a dead process, the group may still be there. */
static void process_kill(const struct sup_task_process *process, int signal)
{
	int saved = errno;

	kill(process->group ? -process->pid : process->pid, signal);
	sup_errno_restore(saved);
}

int sup_process_signal(const struct sup_task_process *process, int signal)
{
	siginfo_t info;
	int ret = process_look(process, &info);

	if (ret < 0)
		return ret;
	process_kill(process, signal);
	return 0;
}

bool sup_process_reap(const struct sup_task_process *process)
{
	int saved = errno;
	siginfo_t info;
	int ret;

	if (process->group) {
		ret = process_look(process, &info);
		if (!ret)
			return false;
		if (ret > 0)
			process_kill(process, SIGKILL);
	}
	do {
		ret = waitpid(process->pid, NULL, WNOHANG);
	} while (ret < 0 && errno == EINTR);
	sup_errno_restore(saved);
	/* no child of ours any more: somebody else has reaped it */
	return ret != 0;
}

uint32_t sup_exit_reason(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) ? SUPERVISOR_EXIT_CRASH :
					     SUPERVISOR_EXIT_NORMAL;
	return WTERMSIG(status) == SIGKILL ? SUPERVISOR_EXIT_KILLED :
					     SUPERVISOR_EXIT_CRASH;
}
