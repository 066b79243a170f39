// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task_wait.c - owns waiting for tasks: await, which gives up what does not come,
 * and yield, which does not.
 */
#include <errno.h>
#include "task.h"

/* All are of one owner, which is the caller, and are still awaited. */
static int wait_check(struct sup_task *const tasks[], size_t n)
{
	int ret;

	for (size_t i = 0; i < n; i++)
		if (tasks[i]->tasks != tasks[0]->tasks)
			return -EINVAL;
	ret = n ? sup_tasks_check(tasks[0]->tasks) : 0;
	for (size_t i = 0; i < n && !ret; i++)
		if (tasks[i]->state == SUP_TASK_GIVEN_UP)
			ret = -ESTALE;
	return ret;
}

/* Counts what has ended, and marks the rest: how many there are, each once. */
static size_t wait_mark(struct sup_task *const tasks[], size_t n)
{
	struct sup_tasks *owner = tasks[0]->tasks;
	size_t marked = 0;

	owner->ended = 0;
	owner->died = 0;
	for (size_t i = 0; i < n; i++) {
		struct sup_task *task = tasks[i];

		if (task->marked)
			continue;
		task->marked = true;
		marked++;
		if (task->state == SUP_TASK_ENDED) {
			owner->ended++;
			owner->died += task->result.kind == SUP_TASK_EXIT;
		}
	}
	return marked;
}

static void wait_unmark(struct sup_task *const tasks[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		tasks[i]->marked = false;
}

/*
 * Until @limit of them have ended (0: all), or one has died if @until_death. 0,
 * -ETIMEDOUT, -EINTR...
 */
static int wait_many(struct sup_task *const tasks[], size_t n, size_t limit,
		     bool until_death, uint64_t deadline)
{
	struct sup_tasks *owner = tasks[0]->tasks;
	size_t marked = wait_mark(tasks, n);
	int ret = 0;

	if (!limit || limit > marked)
		limit = marked;
	while (!ret && owner->ended < limit && !(until_death && owner->died))
		ret = sup_tasks_receive(owner, deadline);
	wait_unmark(tasks, n);
	return ret;
}

/* What its result is to who awaits it. */
static int await_return(const struct sup_task *task)
{
	if (task->result.kind == SUP_TASK_OK)
		return 0;
	if (task->too_large)
		return -EMSGSIZE;
	/* It ended well, and we could not take its result. */
	if (task->result.error && task->result.reason == SUPERVISOR_EXIT_NORMAL)
		return -task->result.error;
	return -EOWNERDEAD;
}

static void give_up_rest(struct sup_task *const tasks[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		sup_task_give_up(tasks[i]);
}

int sup_task_await_many(struct sup_task *const tasks[], size_t n,
			uint64_t deadline)
{
	int ret = wait_check(tasks, n);

	if (ret || !n)
		return ret;
	ret = wait_many(tasks, n, 0, true, deadline);
	if (ret && ret != -ETIMEDOUT)
		return ret;
	for (size_t i = 0; i < n && (!ret || ret == -ETIMEDOUT); i++)
		if (tasks[i]->state == SUP_TASK_ENDED && await_return(tasks[i]))
			ret = await_return(tasks[i]);
	if (ret)
		give_up_rest(tasks, n);
	return ret;
}

int sup_task_await(struct sup_task *task, uint64_t deadline,
		   struct sup_task_result *result)
{
	int ret = sup_task_await_many(&task, 1, deadline);

	sup_task_tell(task, result);
	return ret;
}

int sup_task_yield(struct sup_task *task, uint64_t deadline,
		   struct sup_task_result *result)
{
	int ret = wait_check(&task, 1);

	if (ret)
		return ret;
	sup_tasks_reap(task->tasks);
	ret = wait_many(&task, 1, 0, false, deadline);
	sup_task_tell(task, result);
	if (ret && ret != -ETIMEDOUT)
		return ret;
	return task->state == SUP_TASK_ENDED;
}

static int on_timeout(struct sup_task *task, uint32_t what)
{
	if (task->state != SUP_TASK_RUNS)
		return 0;
	if (what == SUP_ON_TIMEOUT_IGNORE)
		return sup_task_ignore(task, NULL);
	if (what == SUP_ON_TIMEOUT_KILL)
		return sup_task_shutdown(task, SUPERVISOR_SHUTDOWN_KILL, NULL);
	return 0;
}

int sup_task_yield_many(struct sup_task *const tasks[], size_t n,
			const struct sup_yield_opts *opts)
{
	struct sup_yield_opts o = { SUP_DEFAULTS_sup_yield_opts };
	int ended = 0;
	int ret;

	ret = SUP_STRUCT_IN(&o, reserved, opts);
	if (!ret && (o.on_timeout > SUP_ON_TIMEOUT_KILL || o.reserved))
		ret = -EINVAL;
	if (!ret)
		ret = wait_check(tasks, n);
	if (ret || !n)
		return ret;
	sup_tasks_reap(tasks[0]->tasks);
	ret = wait_many(tasks, n, o.limit, false, o.deadline);
	if (ret && ret != -ETIMEDOUT)
		return ret;
	for (size_t i = 0; i < n && ret == -ETIMEDOUT; i++) {
		int failed = on_timeout(tasks[i], o.on_timeout);

		if (failed < 0)
			return failed;
	}
	for (size_t i = 0; i < n; i++)
		ended += tasks[i]->state == SUP_TASK_ENDED;
	return ended;
}
