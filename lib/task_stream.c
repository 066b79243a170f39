// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task_stream.c - owns streams of tasks: it pulls items, starts tasks for them and
 * kills those whose time is up, as the window says.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "task.h"

struct sup_stream {
	struct sup_stream_opts opts;
	struct sup_tasks *tasks;
	struct sup_window window;
	struct sup_work work;		/* of an item that could not begin yet */
	void *item;
	bool pending;			/* there is one */
	bool ended;			/* there are no more */
	struct sup_task *out;		/* whose result the caller has */
};

static struct sup_task *pane_task(struct sup_pane *pane)
{
	return container_of(pane, struct sup_task, pane);
}

static int stream_check(const struct sup_stream_opts *opts)
{
	if (!opts->next || opts->unordered > 1 || opts->nolink > 1 ||
	    opts->timeout_ms < SUP_TIMEOUT_DEFAULT || opts->reserved)
		return -EINVAL;
	if (opts->on_timeout != SUP_ON_TIMEOUT_EXIT &&
	    opts->on_timeout != SUP_ON_TIMEOUT_KILL)
		return -EINVAL;
	return 0;
}

static uint64_t timeout_ns(int64_t ms)
{
	if (ms == SUP_TIMEOUT_INFINITY)
		return SUPERVISOR_NO_DEADLINE;
	if (ms < 0)
		ms = 5000;
	if ((uint64_t)ms > SUPERVISOR_NO_DEADLINE / 1000000)
		return SUPERVISOR_NO_DEADLINE;
	return (uint64_t)ms * 1000000;
}

int sup_task_async_stream(struct sup_tasks *tasks,
			  const struct sup_stream_opts *opts,
			  struct sup_stream **stream)
{
	struct sup_stream_opts o = { SUP_DEFAULTS_sup_stream_opts };
	struct sup_stream *s;
	int saved = errno;
	int ret;

	*stream = NULL;
	ret = sup_tasks_check(tasks);
	if (!ret)
		ret = SUP_STRUCT_IN(&o, reserved, opts);
	if (!ret)
		ret = stream_check(&o);
	if (!ret)
		ret = sup_tasks_ready(tasks);
	if (ret)
		return ret;
	s = calloc(1, sizeof(*s));
	if (!s) {
		errno = saved;
		return -ENOMEM;
	}
	s->opts = o;
	s->tasks = tasks;
	if (!o.max_concurrency)
		o.max_concurrency = sup_processors();
	sup_window_setup(&s->window, o.max_concurrency, !o.unordered,
			timeout_ns(o.timeout_ms));
	*stream = s;
	errno = saved;
	return 0;
}

/* ---- items begin ------------------------------------------------------ */

/* There will be more of it when tasks have ended. */
static bool is_shortage(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EMFILE ||
	       error == -ENFILE || error == -EDQUOT || error == -EUSERS;
}

/* The item at hand, as a task: of one that cannot be started, that is its end. */
static int stream_start(struct sup_stream *stream, struct sup_task **task)
{
	int ret;

	ret = stream->opts.nolink ?
		sup_task_async_nolink(stream->tasks, &stream->work, task) :
		sup_task_async(stream->tasks, &stream->work, task);
	if (!ret || is_shortage(ret))
		return ret;
	if (sup_task_completed(stream->tasks, NULL, 0, task))
		return -ENOMEM;
	(*task)->result.kind = SUP_TASK_EXIT;
	(*task)->result.reason = SUPERVISOR_EXIT_NOPROC;
	(*task)->result.error = -ret;
	return 0;
}

static int stream_begin(struct sup_stream *stream)
{
	struct sup_task *task;
	int ret = stream_start(stream, &task);

	if (ret)
		return ret;
	stream->pending = false;
	task->item = stream->item;
	task->window = &stream->window;
	sup_window_begin(&stream->window, &task->pane, sup_deadline_in(0));
	if (task->state == SUP_TASK_ENDED)
		sup_window_end(&stream->window, &task->pane);
	return 0;
}

/* 1: there is one at hand; 0: there are no more; -errno. */
static int stream_pull(struct sup_stream *stream)
{
	int ret;

	if (stream->pending)
		return 1;
	if (stream->ended)
		return 0;
	stream->work = (struct sup_work){ SUP_DEFAULTS_sup_work };
	stream->item = NULL;
	ret = stream->opts.next(stream->opts.context, &stream->work,
				&stream->item);
	stream->pending = ret > 0;
	stream->ended = !ret;
	return ret;
}

/*
 * Begins as many as may run: 0; -EAGAIN: @next has none at the moment; another error
 * when it cannot go on. What is short comes back while tasks run.
 */
static int stream_fill(struct sup_stream *stream)
{
	int ret;

	while (sup_window_open(&stream->window)) {
		ret = stream_pull(stream);
		if (ret <= 0)
			return ret;
		ret = stream_begin(stream);
		if (ret)
			return stream->window.running_count ? 0 : ret;
	}
	return 0;
}

/* ---- and end ---------------------------------------------------------- */

/* Kills one that runs. */
static void stream_kill(struct sup_stream *stream, struct sup_task *task)
{
	sup_task_kill(task);
	task->result.kind = SUP_TASK_EXIT;
	task->result.reason = SUPERVISOR_EXIT_KILLED;
	task->result.status = SIGKILL;
	task->result.error = ETIMEDOUT;
	sup_window_end(&stream->window, &task->pane);
}

static void stream_kill_all(struct sup_stream *stream)
{
	struct sup_pane *pane;

	stream->ended = true;
	stream->pending = false;
	while ((pane = sup_window_oldest(&stream->window)))
		stream_kill(stream, pane_task(pane));
	while ((pane = sup_window_take(&stream->window)))
		sup_task_free(pane_task(pane));
}

static void stream_tell(struct sup_stream *stream, struct sup_task *task,
			struct sup_stream_item *item)
{
	struct sup_stream_item out = {
		.sz = sizeof(out),
		.item = task->item,
		.index = task->pane.index,
		.running = stream->window.running_count,
		.result = task->result,
	};

	stream->out = task;
	sup_struct_out(item, sizeof(out), &out);
}

/* The first whose time is up, though its result may just have come. */
static struct sup_task *stream_expired(struct sup_stream *stream)
{
	uint64_t now = sup_deadline_in(0);
	struct sup_pane *pane;

	if (sup_window_deadline(&stream->window) > now)
		return NULL;
	sup_tasks_drain(stream->tasks);
	pane = sup_window_oldest(&stream->window);
	return pane && pane->deadline <= now ? pane_task(pane) : NULL;
}

/* 0, or -ETIME: the stream ends with this one. */
static int stream_expire(struct sup_stream *stream, struct sup_stream_item *item)
{
	struct sup_list *turn;
	struct sup_task *task;

	while ((task = stream_expired(stream))) {
		stream_kill(stream, task);
		if (stream->opts.on_timeout == SUP_ON_TIMEOUT_KILL)
			continue;
		turn = &task->pane.turn;
		sup_list_remove(turn);
		stream_kill_all(stream);
		stream_tell(stream, task, item);
		return -ETIME;
	}
	return 0;
}

/* Until there is a message, or an item: 0, or the deadline has passed. */
static int stream_poll(struct sup_stream *stream, uint64_t deadline)
{
	struct pollfd fds[2] = {
		{ .fd = stream->tasks->mailbox, .events = POLLIN },
		{ .fd = stream->opts.fd, .events = POLLIN },
	};
	uint64_t now = sup_deadline_in(0);
	uint64_t ns = deadline > now ? deadline - now : 0;
	struct timespec wait = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};
	int saved = errno;
	int ret;

	ret = ppoll(fds, 2, deadline == SUPERVISOR_NO_DEADLINE ? NULL : &wait,
		    NULL);
	if (ret < 0)
		ret = -errno;
	errno = saved;
	if (ret < 0)
		return ret;
	if (fds[0].revents)
		sup_tasks_drain(stream->tasks);
	return ret ? 0 : -ETIMEDOUT;
}

static int stream_wait(struct sup_stream *stream, bool input, uint64_t deadline)
{
	uint64_t first = sup_window_deadline(&stream->window);
	int ret;

	if (first > deadline)
		first = deadline;
	if (input && stream->opts.fd >= 0)
		ret = stream_poll(stream, first);
	else
		ret = sup_tasks_receive(stream->tasks, first);
	/* It may be a task's, and not the caller's. */
	return ret == -ETIMEDOUT && first < deadline ? 0 : ret;
}

static bool stream_take(struct sup_stream *stream, struct sup_stream_item *item)
{
	struct sup_pane *pane = sup_window_take(&stream->window);

	if (pane)
		stream_tell(stream, pane_task(pane), item);
	return pane;
}

/*
 * What is there goes out before more begins, as in Elixir: of who has enough then,
 * nothing has begun in vain.
 */
int sup_stream_next(struct sup_stream *stream, uint64_t deadline,
		    struct sup_stream_item *item)
{
	int ret = sup_tasks_check(stream->tasks);
	int filled;

	if (ret)
		return ret;
	sup_task_free(stream->out);
	stream->out = NULL;
	for (;;) {
		sup_tasks_reap(stream->tasks);
		ret = stream_expire(stream, item);
		if (ret)
			return ret;
		if (stream_take(stream, item))
			return 1;
		filled = stream_fill(stream);
		if (stream_take(stream, item))
			return 1;
		if (filled && filled != -EAGAIN)
			return filled;
		if (!filled && !stream->window.running_count)
			return 0;
		ret = stream_wait(stream, filled, deadline);
		if (ret)
			return ret;
	}
}

void sup_stream_free(struct sup_stream *stream)
{
	if (!stream)
		return;
	if (!sup_tasks_check(stream->tasks))
		stream_kill_all(stream);
	sup_task_free(stream->out);
	sup_free(stream);
}
