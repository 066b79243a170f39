// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task.c - owns an owner of tasks: its mailbox, into which all of their replies and
 * ends come, whose a message is, and the processes that nobody asks for any more.
 *
 * Whoever waits for one task takes the messages of all. A task that replies while
 * the mailbox is full waits for room: if only one was received, past the others, a
 * hundred large results would keep it from ever coming in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "task.h"

/* Room for the largest message, at least. */
#define BUF_SIZE (SUPERVISOR_PAYLOAD_MAX + 4096)
#define BUCKETS_FIRST 16
/* With each call: more than can have come since the last one. */
#define REAP_AT_ONCE 2

int sup_tasks_check(const struct sup_tasks *tasks)
{
	return tasks->owner == getpid() ? 0 : -EPERM;
}

int sup_tasks_new(struct sup_tasks **tasks, int device,
		  const struct sup_tasks_opts *opts)
{
	struct sup_tasks *t;
	int saved = errno;
	int ret;

	*tasks = NULL;
	t = sup_realloc(NULL, sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = (struct sup_tasks){
		.opts = { SUP_DEFAULTS_sup_tasks_opts },
		.owner = getpid(),
		.mailbox = -1,
		.leaving_end = &t->leaving,
	};
	sup_list_init(&t->memfds);
	ret = SUP_STRUCT_IN(&t->opts, context, opts);
	if (!ret) {
		t->device = fcntl(device, F_DUPFD_CLOEXEC, 3);
		ret = t->device < 0 ? -errno : 0;
		errno = saved;
	}
	if (ret) {
		sup_free(t);
		return ret;
	}
	*tasks = t;
	return 0;
}

/* ---- records -------------------------------------------------------------- */

/*
 * They are used again and again: a malloc and a free would write to memory of their
 * own, and after a fork each page that is written to is copied.
 */
static void *record_new(void *spare, size_t size)
{
	int saved = errno;

	if (spare)
		return memset(spare, 0, size);
	spare = calloc(1, size);
	sup_errno_restore(saved);
	return spare;
}

struct sup_task *sup_task_alloc(struct sup_tasks *tasks)
{
	struct sup_task *spare = tasks->spare_tasks;
	struct sup_task *task;

	if (spare)
		tasks->spare_tasks = spare->next;
	task = record_new(spare, sizeof(*task));
	if (!task)
		return NULL;
	task->tasks = tasks;
	task->result.sz = sizeof(task->result);
	task->memfd = -1;
	return task;
}

void sup_task_release(struct sup_task *task)
{
	task->next = task->tasks->spare_tasks;
	task->tasks->spare_tasks = task;
}

struct sup_task_process *sup_process_alloc(struct sup_tasks *tasks)
{
	struct sup_task_process *spare = tasks->spare_processes;

	if (spare)
		tasks->spare_processes = spare->next;
	return record_new(spare, sizeof(*spare));
}

void sup_process_release(struct sup_tasks *tasks,
			 struct sup_task_process *process)
{
	if (process->gate)
		sup_gate_put(tasks, process->gate);
	process->next = tasks->spare_processes;
	tasks->spare_processes = process;
}

static void processes_free(struct sup_task_process *process)
{
	struct sup_task_process *next;

	for (; process; process = next) {
		next = process->next;
		free(process);
	}
}

static void records_free(struct sup_tasks *tasks)
{
	struct sup_task *next;

	for (struct sup_task *task = tasks->spare_tasks; task; task = next) {
		next = task->next;
		free(task);
	}
	processes_free(tasks->spare_processes);
	processes_free(tasks->leaving);
}

void sup_tasks_free(struct sup_tasks *tasks)
{
	struct sup_task_process *process;
	int saved = errno;

	if (!tasks)
		return;
	/* In a fork there is none of them. */
	if (!sup_tasks_check(tasks)) {
		for (process = tasks->leaving; process; process = process->next)
			sup_process_reap(process);
		sup_close(tasks->mailbox);
	}
	records_free(tasks);
	sup_gates_free(tasks);
	sup_task_stack_free(tasks);
	if (tasks->buf)
		munmap(tasks->buf, BUF_SIZE);
	sup_close(tasks->device);
	free(tasks->buckets);
	free(tasks);
	errno = saved;
}

/* Not for children: so a fork neither copies it nor lets us copy it. */
static int tasks_map_buf(struct sup_tasks *tasks)
{
	int saved = errno;
	void *mem;

	if (tasks->buf)
		return 0;
	mem = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem != MAP_FAILED) {
		madvise(mem, BUF_SIZE, MADV_DONTFORK);
		tasks->buf = mem;
	}
	errno = saved;
	return tasks->buf ? 0 : -ENOMEM;
}

int sup_tasks_ready(struct sup_tasks *tasks)
{
	int ret = tasks_map_buf(tasks);

	if (ret || tasks->mailbox >= 0)
		return ret;
	ret = sup_mailbox_create(tasks->device, 0, NULL);
	if (ret < 0)
		return ret;
	tasks->mailbox = ret;
	return 0;
}

int sup_tasks_mailbox(struct sup_tasks *tasks)
{
	int ret = sup_tasks_check(tasks);

	if (!ret)
		ret = sup_tasks_ready(tasks);
	return ret ? ret : tasks->mailbox;
}

/* ---- by ref ----------------------------------------------------------- */

/* Refs are random. */
static struct sup_task **tasks_bucket(const struct sup_tasks *tasks, uint64_t ref)
{
	return &tasks->buckets[ref & (tasks->nbuckets - 1)];
}

int sup_tasks_reserve(struct sup_tasks *tasks)
{
	struct sup_task **old = tasks->buckets;
	size_t n = tasks->nbuckets;
	struct sup_task *next;

	if (tasks->count < n)
		return 0;
	tasks->nbuckets = n ? 2 * n : BUCKETS_FIRST;
	tasks->buckets = sup_realloc(NULL, tasks->nbuckets * sizeof(*old));
	if (!tasks->buckets) {
		tasks->buckets = old;
		tasks->nbuckets = n;
		return -ENOMEM;
	}
	memset(tasks->buckets, 0, tasks->nbuckets * sizeof(*old));
	tasks->count = 0;
	for (size_t i = 0; i < n; i++) {
		for (struct sup_task *task = old[i]; task; task = next) {
			next = task->next;
			sup_tasks_add(tasks, task);
		}
	}
	sup_free(old);
	return 0;
}

void sup_tasks_add(struct sup_tasks *tasks, struct sup_task *task)
{
	struct sup_task **bucket = tasks_bucket(tasks, task->ref);

	task->next = *bucket;
	*bucket = task;
	tasks->count++;
}

static struct sup_task **tasks_find(const struct sup_tasks *tasks, uint64_t ref)
{
	struct sup_task **link;

	if (!tasks->nbuckets)
		return NULL;
	for (link = tasks_bucket(tasks, ref); *link; link = &(*link)->next)
		if ((*link)->ref == ref)
			return link;
	return NULL;
}

void sup_tasks_remove(struct sup_tasks *tasks, struct sup_task *task)
{
	struct sup_task **link = tasks_find(tasks, task->ref);

	if (!link)
		return;
	*link = task->next;
	tasks->count--;
}

/* ---- receiving -------------------------------------------------------- */

/* A ref that nobody awaits is of a task that was given up. */
static void tasks_take(struct sup_tasks *tasks, const struct supervisor_msg *msg)
{
	const struct supervisor_msg_down *down = sup_msg_down(msg);
	const struct supervisor_msg_data *data = sup_msg_data(msg);
	bool reply = data && msg->type == SUPERVISOR_MSG_CAST && msg->ref;
	struct sup_task **link;
	size_t len;

	if (!reply && !(down && msg->type == SUPERVISOR_MSG_DOWN)) {
		if (tasks->opts.on_message)
			tasks->opts.on_message(tasks->opts.context, msg);
		return;
	}
	link = tasks_find(tasks, msg->ref);
	if (!link)
		return;
	if (reply) {
		const void *payload = sup_msg_payload(msg, &len);

		sup_task_replied(*link, payload, len);
	} else {
		sup_task_died(*link, down->reason, down->status);
	}
}

int sup_tasks_receive(struct sup_tasks *tasks, uint64_t deadline)
{
	const struct supervisor_msg *msg = NULL;
	size_t len = BUF_SIZE;
	int ret;

	ret = sup_mailbox_recv(tasks->mailbox, tasks->buf, &len, 0, deadline);
	if (ret == -EAGAIN)
		return -ETIMEDOUT;
	if (ret < 0)
		return ret;
	while ((msg = sup_msg_next(tasks->buf, len, msg)))
		tasks_take(tasks, msg);
	return 0;
}

void sup_tasks_drain(struct sup_tasks *tasks)
{
	int ret;

	do {
		ret = sup_tasks_receive(tasks, 0);
	} while (!ret || ret == -EINTR);
}

/* ---- processes that leave --------------------------------------------- */

static void tasks_queue(struct sup_tasks *tasks, struct sup_task_process *process)
{
	process->next = NULL;
	*tasks->leaving_end = process;
	tasks->leaving_end = &process->next;
}

/* True when it is gone. */
static bool tasks_reap_one(struct sup_tasks *tasks,
			   struct sup_task_process *process)
{
	if (!sup_process_reap(process))
		return false;
	sup_process_release(tasks, process);
	return true;
}

void sup_tasks_leave(struct sup_tasks *tasks, struct sup_task_process *process,
		     bool dead)
{
	if (!dead || !tasks_reap_one(tasks, process))
		tasks_queue(tasks, process);
}

/* Who still lives is asked again when it is its turn. */
void sup_tasks_reap(struct sup_tasks *tasks)
{
	struct sup_task_process *process;

	for (int i = 0; i < REAP_AT_ONCE && tasks->leaving; i++) {
		process = tasks->leaving;
		tasks->leaving = process->next;
		if (!tasks->leaving)
			tasks->leaving_end = &tasks->leaving;
		if (!tasks_reap_one(tasks, process)) {
			tasks_queue(tasks, process);
			return;
		}
	}
}
