// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task_stop.c - owns the other ends of a task: it is shut down, ignored, given up,
 * freed.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "task.h"

/* No EXIT of it comes from now on, and it does not die of our end. */
static void task_unlink(const struct sup_task *task)
{
	if (task->process)
		sup_process_unlink(task->tasks->device, task->process->pid);
}

void sup_task_give_up(struct sup_task *task)
{
	struct sup_tasks *tasks = task->tasks;

	if (task->state != SUP_TASK_RUNS)
		return;
	sup_demonitor(tasks->mailbox, task->ref, SUPERVISOR_REF_F_FLUSH);
	sup_tasks_remove(tasks, task);
	task->state = SUP_TASK_GIVEN_UP;
	sup_task_close_file(task);
	sup_tasks_leave(tasks, task->process, false);
	task->process = NULL;
}

void sup_task_kill(struct sup_task *task)
{
	if (task->state != SUP_TASK_RUNS)
		return;
	task_unlink(task);
	sup_process_signal(task->process, SIGKILL);
	sup_task_give_up(task);
}

void sup_task_free(struct sup_task *task)
{
	int saved = errno;

	if (!task)
		return;
	if (!sup_tasks_check(task->tasks)) {
		sup_task_give_up(task);
		sup_tasks_reap(task->tasks);
		if (task->map)
			munmap(task->map, task->result.len);
	}
	/* of a copy, in a fork, that is all: what it stands for is not ours */
	free(task->mem);
	sup_task_release(task);
	sup_errno_restore(saved);
}

int sup_task_pid(const struct sup_task *task)
{
	return task->result.pid;
}

int sup_task_ignore(struct sup_task *task, struct sup_task_result *result)
{
	int ret = sup_tasks_check(task->tasks);

	if (ret)
		return ret;
	if (task->state == SUP_TASK_GIVEN_UP)
		return -ESTALE;
	if (task->state == SUP_TASK_RUNS) {
		task_unlink(task);
		sup_tasks_drain(task->tasks);
	}
	sup_task_give_up(task);
	sup_task_tell(task, result);
	return task->state == SUP_TASK_ENDED;
}

/* ---- shutdown --------------------------------------------------------- */

/* Asked to by @signal: is that what it has died of, or has it said so itself? */
static bool died_as_asked(const struct sup_task *task, int signal)
{
	const struct sup_task_result *result = &task->result;

	if (result->kind != SUP_TASK_EXIT)
		return false;
	if (signal == SIGKILL)
		return result->reason == SUPERVISOR_EXIT_KILLED;
	return result->reason == SUPERVISOR_EXIT_SHUTDOWN ||
	       (WIFSIGNALED(result->status) &&
		WTERMSIG(result->status) == signal);
}

/* Until it has ended: 0, or -ETIMEDOUT or -EINTR. */
static int wait_end(struct sup_task *task, uint64_t deadline)
{
	int ret = 0;

	while (!ret && task->state == SUP_TASK_RUNS)
		ret = sup_tasks_receive(task->tasks, deadline);
	return task->state == SUP_TASK_RUNS ? ret : 0;
}

/* One that replies is dead in a moment, and so it is when we return. */
static int shutdown_wait(struct sup_task *task, int signal, int64_t timeout_ms)
{
	const struct sup_task_process process = *task->process;
	uint64_t deadline = SUPERVISOR_NO_DEADLINE;
	int ret;

	sup_process_signal(task->process, signal);
	if (signal != SIGKILL) {
		sup_process_signal(task->process, SIGCONT);
		if (timeout_ms >= 0)
			deadline = sup_deadline_in((uint64_t)timeout_ms);
	}
	ret = wait_end(task, deadline);
	if (ret == -ETIMEDOUT) {
		sup_process_signal(task->process, SIGKILL);
		ret = wait_end(task, SUPERVISOR_NO_DEADLINE);
	}
	if (!ret && task->result.kind == SUP_TASK_OK)
		sup_process_wait(&process);
	return ret;
}

int sup_task_shutdown(struct sup_task *task, int64_t timeout_ms,
		      struct sup_task_result *result)
{
	int signal = timeout_ms == SUPERVISOR_SHUTDOWN_KILL ? SIGKILL : SIGTERM;
	int ret = sup_tasks_check(task->tasks);

	if (ret)
		return ret;
	if (timeout_ms < 0 && timeout_ms != SUPERVISOR_SHUTDOWN_KILL &&
	    timeout_ms != SUPERVISOR_SHUTDOWN_INFINITY)
		return -EINVAL;
	if (task->state == SUP_TASK_GIVEN_UP)
		return -ESTALE;
	if (task->state == SUP_TASK_RUNS) {
		task_unlink(task);
		ret = shutdown_wait(task, signal, timeout_ms);
		if (ret)
			return ret;
	}
	if (died_as_asked(task, signal)) {
		task->state = SUP_TASK_GIVEN_UP;
		task->result.kind = SUP_TASK_NONE;
	}
	sup_task_tell(task, result);
	return task->state == SUP_TASK_ENDED;
}
