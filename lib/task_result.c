// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task_result.c - owns results: the writer in a task, the file of one that is no
 * message, and what the owner keeps of it.
 *
 * The file has its largest size from the beginning and is sealed, so that neither a
 * function nor a program, nor whom that has left it to, can make it longer or cut it
 * off under our eyes. A program's result ends where its standard output has got to,
 * which the owner sees, as both have the same open file; and the file is longer than
 * a result may be, so that one that is too large shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "task.h"

#define FILE_STEP 4096ULL
/* Up to here a result is copied out of its file: a mapping costs more. */
#define COPY_MAX 65536

/* ---- in the task ------------------------------------------------------ */

static int writer_put_file(const struct sup_task_writer *writer,
			   const char *bytes, size_t len)
{
	uint64_t at = writer->len;
	int saved = errno;
	int ret = 0;
	ssize_t n;

	for (; len && !ret; bytes += n, at += (size_t)n, len -= (size_t)n) {
		n = pwrite(writer->fd, bytes, len, (off_t)at);
		if (n >= 0)
			continue;
		if (errno != EINTR)
			ret = -errno;
		n = 0;
	}
	errno = saved;
	return ret;
}

/* Mapped, so that a function may be in a fork of a process with threads. */
static int writer_reserve(struct sup_task_writer *writer, size_t len)
{
	int saved;
	void *mem;

	if (writer->mem || writer->len + len <= sizeof(writer->small))
		return 0;
	saved = errno;
	mem = mmap(NULL, SUPERVISOR_PAYLOAD_MAX, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED) {
		errno = saved;
		return -ENOMEM;
	}
	writer->mem = memcpy(mem, writer->small, (size_t)writer->len);
	return 0;
}

/*
 * Most results are few bytes. In a new process memcpy() is a page of code that is
 * mapped first, which takes longer than the rest of the reply.
 */
static void copy(char *to, const char *from, size_t len)
{
	if (len >= 16) {
		memcpy(to, from, len);
		return;
	}
	if (len & 8)
		memcpy(to, from, 8);
	to += len & 8;
	from += len & 8;
	if (len & 4)
		memcpy(to, from, 4);
	to += len & 4;
	from += len & 4;
	if (len & 2)
		memcpy(to, from, 2);
	if (len & 1)
		to[len & 2] = from[len & 2];
}

int sup_task_write(struct sup_task_writer *writer, const void *buf, size_t len)
{
	int ret;

	if (len > writer->max - writer->len || writer->too_large) {
		writer->too_large = true;
		return -EMSGSIZE;
	}
	if (writer->fd >= 0) {
		ret = writer_put_file(writer, buf, len);
	} else {
		ret = writer_reserve(writer, len);
		if (!ret && len)
			copy((char *)sup_writer_bytes(writer) + writer->len,
			     buf, len);
	}
	if (!ret)
		writer->len += len;
	return ret;
}

const void *sup_writer_bytes(const struct sup_task_writer *writer)
{
	return writer->mem ? writer->mem : writer->small;
}

/* ---- the file --------------------------------------------------------- */

/* 3 and above, so that the new process can put it where 1 was. */
static int result_file(uint64_t max)
{
	uint64_t size = (max / FILE_STEP + 2) * FILE_STEP;
	int low, fd;

	if (max > INT64_MAX - 2 * FILE_STEP)
		return -EINVAL;
	low = memfd_create("task", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (low < 0)
		return -errno;
	fd = low > 2 ? low : fcntl(low, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		if (low != fd)
			close(low);
		return error == EFBIG ? -EINVAL : -error;
	}
	if (low != fd)
		close(low);
	return fd;
}

int sup_result_file(uint64_t max)
{
	int saved = errno;
	int ret = result_file(max);

	errno = saved;
	return ret;
}

void sup_task_set_file(struct sup_task *task, int fd)
{
	task->memfd = fd;
	sup_list_append(&task->tasks->memfds, &task->memfds);
}

void sup_task_close_file(struct sup_task *task)
{
	if (task->memfd < 0)
		return;
	sup_list_remove(&task->memfds);
	sup_close(task->memfd);
	task->memfd = -1;
}

/* ---- with the owner --------------------------------------------------- */

static void *task_room(struct sup_task *task, size_t len)
{
	if (len <= sizeof(task->small))
		return task->small;
	task->mem = malloc(len);
	return task->mem;
}

int sup_task_keep(struct sup_task *task, const void *data, size_t len)
{
	int saved = errno;
	void *room = task_room(task, len);

	errno = saved;
	if (!room)
		return -ENOMEM;
	if (len)
		memcpy(room, data, len);
	task->result.data = room;
	task->result.len = len;
	return 0;
}

static int file_copy(struct sup_task *task, size_t len)
{
	char *room = task_room(task, len);
	size_t at = 0;
	ssize_t n;

	if (!room)
		return ENOMEM;
	while (at < len) {
		n = pread(task->memfd, room + at, len - at, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		at += (size_t)n;
	}
	task->result.data = room;
	return 0;
}

static int file_map(struct sup_task *task, size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ, MAP_PRIVATE, task->memfd, 0);

	if (mem == MAP_FAILED)
		return ENOMEM;
	task->map = mem;
	task->result.data = mem;
	return 0;
}

/* So many bytes of it. Whoever has it open still can change them no more. */
static void task_take_file(struct sup_task *task, uint64_t len)
{
	int saved = errno;
	int error;

	if (len > task->max) {
		task->too_large = true;
		len = task->max;
	}
	fcntl(task->memfd, F_ADD_SEALS, F_SEAL_WRITE);
	error = len <= COPY_MAX ? file_copy(task, (size_t)len) :
				  file_map(task, (size_t)len);
	errno = saved;
	if (error)
		task->result.error = error;
	else
		task->result.len = (size_t)len;
}

static uint64_t file_end(const struct sup_task *task)
{
	int saved = errno;
	off_t at = lseek(task->memfd, 0, SEEK_CUR);

	errno = saved;
	return at > 0 ? (uint64_t)at : 0;
}

/* Its result is settled. */
static void task_end(struct sup_task *task, enum sup_task_kind kind, bool dead)
{
	struct sup_tasks *tasks = task->tasks;
	struct sup_task_process *process = task->process;

	sup_tasks_remove(tasks, task);
	task->state = SUP_TASK_ENDED;
	if (task->too_large)
		task->result.error = EMSGSIZE;
	task->result.kind = task->result.error ? SUP_TASK_EXIT : kind;
	sup_task_close_file(task);
	task->process = NULL;
	if (process)
		sup_tasks_leave(tasks, process, dead);
	if (task->marked) {
		tasks->ended++;
		tasks->died += task->result.kind == SUP_TASK_EXIT;
	}
	if (task->window)
		sup_window_end(task->window, &task->pane);
}

void sup_task_replied(struct sup_task *task, const void *data, size_t len)
{
	if (task->memfd >= 0)
		task_take_file(task, __atomic_load_n(&task->process->gate->len,
						     __ATOMIC_ACQUIRE));
	else if (sup_task_keep(task, data, len))
		task->result.error = ENOMEM;
	task_end(task, SUP_TASK_OK, false);
}

void sup_task_died(struct sup_task *task, uint32_t reason, int status)
{
	struct sup_task_process *process = task->process;
	bool normal;

	/* It was dead before it was monitored, but not reaped. */
	if (reason == SUPERVISOR_EXIT_NOPROC &&
	    sup_process_dead(process, &status))
		reason = sup_exit_reason(status);
	normal = reason == SUPERVISOR_EXIT_NORMAL;
	task->result.reason = reason;
	task->result.status = status;
	if (task->program)
		task_take_file(task, file_end(task));
	else if (process->gate)
		task->result.error = __atomic_load_n(&process->gate->error,
						     __ATOMIC_ACQUIRE);
	if (task->result.error == EMSGSIZE && !task->program)
		task->too_large = true;
	task_end(task, task->program && normal ? SUP_TASK_OK : SUP_TASK_EXIT,
		 true);
}

void sup_task_tell(const struct sup_task *task, struct sup_task_result *result)
{
	if (result)
		sup_struct_out(result, sizeof(task->result), &task->result);
}

int sup_task_result(const struct sup_task *task, struct sup_task_result *result)
{
	sup_task_tell(task, result);
	return (int)task->result.kind;
}
