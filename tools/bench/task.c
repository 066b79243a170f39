// SPDX-License-Identifier: GPL-2.0
/*
 * task - what it costs to have a function run in a process of its own and to get its
 * result, against the least that does so: a fork, a pipe, and a wait.
 */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TASKS 200
#define WARM_UP 10

/*
 * What @step takes, again and again, in ns. A task's process ends while the next one is
 * started: single steps take half of it or twice as much, so all of them count.
 */
static double each(void (*step)(void *context), void *context)
{
	uint64_t begin = 0;

	for (int i = -WARM_UP; i < TASKS; i++) {
		if (!i)
			begin = now_ns();
		step(context);
	}
	return (double)(now_ns() - begin) / TASKS;
}

/* A function with a result of one byte, and the same through a pipe. */
static int nothing(struct sup_task_writer *result, void *arg)
{
	(void)arg;
	return sup_task_write(result, "", 1);
}

static void bare(void *unused)
{
	int ends[2];
	char byte;
	pid_t pid;

	(void)unused;
	check_errno(pipe(ends), "pipe");
	pid = check_errno(fork(), "fork");
	if (!pid) {
		close(ends[0]);
		_exit(write(ends[1], "", 1) != 1);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		fail("read", errno);
	close(ends[0]);
	check_errno(waitpid(pid, NULL, 0), "waitpid");
}

static void async_await(void *context)
{
	SUP_OPTS(sup_work, work, .fn = nothing);
	struct sup_task *task;

	check(sup_task_async(context, &work, &task), "async");
	check(sup_task_await(task, SUPERVISOR_NO_DEADLINE, NULL), "await");
	sup_task_free(task);
}

static double bare_tasks(const void *unused)
{
	(void)unused;
	return each(bare, NULL);
}

static double awaited_tasks(const void *unused)
{
	struct sup_tasks *tasks;

	(void)unused;
	check(sup_tasks_new(&tasks, check(sup_device_open(), "/dev/supervisor"), NULL),
	      "tasks");
	return each(async_await, tasks);
}

void bench_task(void)
{
	report(&(struct result){
		.name = "task",
		.what = "async and await, against fork, pipe and wait",
		.unit = UNIT_US,
		.floor = elsewhere(bare_tasks, NULL),
		.ours = elsewhere(awaited_tasks, NULL),
		.limit = 1.15,
	});
}
