// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task_start.c - owns the start of a task: the fork of a function or of a program,
 * and what is done in the new process before its work begins.
 *
 * A function waits at its gate until its owner has monitored and linked it, as OTP's
 * task waits for its work. A program's owner sleeps until the exec, so there the new
 * process does that itself: it is a child like any other only afterwards.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "task.h"

#define STACK_SIZE (64 * 1024)
/* How often those who wait look whether the other one lives. */
#define LOOK_NS (20 * 1000000)

/* What is asked for. */
struct start {
	struct sup_tasks *tasks;
	struct sup_work work;
	bool link;
	struct sup_task *task;		/* NULL: nobody awaits it */
	struct sup_task_process *process;
	int output;			/* of a program that nobody awaits: 0 */
	uint64_t ref;
};

/* ---- gates ------------------------------------------------------------ */

#define PAGE 4096
#define GATES ((PAGE - sizeof(void *)) / sizeof(struct sup_gate))

struct sup_gate_page {
	struct sup_gate_page *next;
	struct sup_gate gates[GATES];
};

_Static_assert(sizeof(struct sup_gate_page) <= PAGE, "a page of gates is a page");

/* What a gate's word says. */
enum {
	GATE_SHUT,
	GATE_WAITED_FOR,	/* by the task: it is to be woken */
	GATE_JOINED,		/* likewise: it is its supervisor's child */
	GATE_OPEN,
	GATE_REFUSED		/* by the owner; or by the task: @error is why */
};

static long futex(uint32_t *word, int op, uint32_t value,
		  const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

struct sup_gate *sup_gate_get(struct sup_tasks *tasks)
{
	struct sup_gate_page *page;
	struct sup_gate *gate;
	int saved = errno;

	if (!tasks->gates) {
		page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		sup_errno_restore(saved);
		if (page == MAP_FAILED)
			return NULL;
		page->next = tasks->pages;
		tasks->pages = page;
		for (size_t i = 0; i < GATES; i++)
			sup_gate_put(tasks, &page->gates[i]);
	}
	gate = tasks->gates;
	tasks->gates = gate->next;
	memset(gate, 0, sizeof(*gate));
	return gate;
}

void sup_gate_put(struct sup_tasks *tasks, struct sup_gate *gate)
{
	gate->next = tasks->gates;
	tasks->gates = gate;
}

void sup_gates_free(struct sup_tasks *tasks)
{
	struct sup_gate_page *next;

	for (struct sup_gate_page *page = tasks->pages; page; page = next) {
		next = page->next;
		munmap(page, PAGE);
	}
}

/* The owner's: the task goes on, or does not. */
static void gate_set(struct sup_gate *gate, uint32_t word)
{
	if (__atomic_exchange_n(&gate->word, word, __ATOMIC_ACQ_REL) !=
	    GATE_SHUT)
		futex(&gate->word, FUTEX_WAKE, 1, NULL);
}

/* The task's: is it let in? Not when its owner has died meanwhile. */
static bool gate_pass(struct sup_gate *gate, pid_t owner)
{
	static const struct timespec look = { .tv_nsec = LOOK_NS };
	uint32_t word = GATE_SHUT;

	__atomic_compare_exchange_n(&gate->word, &word, GATE_WAITED_FOR, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	for (;;) {
		word = __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE);
		if (word >= GATE_OPEN)
			return word == GATE_OPEN;
		if (futex(&gate->word, FUTEX_WAIT, word, &look) < 0 &&
		    errno == ETIMEDOUT && getppid() != owner)
			return false;
	}
}

/* The task's: what came of its joining a supervisor. */
static void gate_joined(struct sup_gate *gate, int error)
{
	gate->error = error;
	__atomic_store_n(&gate->word, error ? GATE_REFUSED : GATE_JOINED,
			 __ATOMIC_RELEASE);
	futex(&gate->word, FUTEX_WAKE, 1, NULL);
}

/* The owner's: waits for that: 0 or -errno. */
static int gate_wait_joined(const struct sup_task_process *process)
{
	static const struct timespec look = { .tv_nsec = LOOK_NS };
	struct sup_gate *gate = process->gate;
	uint32_t word;
	int status;

	for (;;) {
		word = __atomic_load_n(&gate->word, __ATOMIC_ACQUIRE);
		if (word == GATE_JOINED)
			return 0;
		if (word == GATE_REFUSED)
			return -gate->error;
		if (futex(&gate->word, FUTEX_WAIT, word, &look) < 0 &&
		    errno == ETIMEDOUT && sup_process_dead(process, &status))
			return -ESRCH;
	}
}

/* ---- supervisor, monitor and link ------------------------------------------------- */

/*
 * In the new process, whose group may be what its supervisor signals: system calls
 * only. The signals are reset in any case.
 */
static int start_join(const struct start *start)
{
	struct supervisor_reset_signals reset = { .size = sizeof(reset) };
	int ret;

	if (start->work.supervisor < 0) {
		if (ioctl(start->tasks->device, SUPERVISOR_RESET_SIGNALS, &reset))
			sup_spawn_reset_signals();
		return 0;
	}
	do {
		ret = sup_dynamic_join(start->work.supervisor,
				       SUPERVISOR_ATTACH_F_RESET_SIGNALS,
				       SUPERVISOR_NO_DEADLINE, NULL);
	} while (ret == -EINTR);
	return ret;
}

/* With the process that @pid is, from either side. */
static int start_link(const struct start *start, pid_t pid)
{
	int ret;

	if (!start->link)
		return 0;
	ret = sup_process_link(start->tasks->device, pid, 0, NULL, NULL);
	return ret < 0 ? ret : 0;
}

static int start_monitor(struct start *start, pid_t pid)
{
	if (!start->task)
		return 0;
	return sup_monitor(start->tasks->mailbox, pid,
			   SUPERVISOR_ALIAS_REPLY_DEMONITOR, &start->ref, NULL);
}

/* ---- a function ------------------------------------------------------- */

/*
 * In its process, what each page costs that was not touched before is more than all
 * that is done here: a page that is written to is copied, and one of code, of the libc
 * too, is mapped anew. So we write to no memory of the owner's, and system calls are
 * made directly, and leave no errno behind.
 */

/*
 * The owner's mailbox would live on with us, and so would the results of others. Of
 * what is the program's own we know nothing.
 */
static void child_close(const struct start *start)
{
	const struct sup_tasks *tasks = start->tasks;
	const struct sup_list *node = tasks->memfds.next;

	for (; node != &tasks->memfds; node = node->next) {
		const struct sup_task *task =
			container_of(node, struct sup_task, memfds);

		if (task != start->task)
			syscall(SYS_close, task->memfd);
	}
	if (tasks->mailbox >= 0)
		syscall(SYS_close, tasks->mailbox);
}

/* Says what came of it: 0, or the error that it died of. */
static int child_reply(const struct start *start, struct sup_gate *gate,
		       const struct sup_task_writer *writer)
{
	struct supervisor_alias_send reply = {
		.size = sizeof(reply),
		.alias = gate->ref,
		.buf = u64_from_ptr(sup_writer_bytes(writer)),
		.len = writer->fd < 0 ? (uint32_t)writer->len : 0,
		.deadline = SUPERVISOR_NO_DEADLINE,
	};

	if (writer->too_large)
		return EMSGSIZE;
	if (!gate->ref)
		return 0;
	__atomic_store_n(&gate->len, writer->len, __ATOMIC_RELEASE);
	if (!ioctl(start->tasks->device, SUPERVISOR_ALIAS_SEND, &reply))
		return 0;
	/* Nobody waits any more, or is there. */
	return errno == ESTALE || errno == ESHUTDOWN ? 0 : errno;
}

static _Noreturn void child_run(const struct start *start)
{
	struct sup_gate *gate = start->process->gate;
	struct sup_task_writer writer = { .fd = -1, .max = start->work.result_max };
	int ret;

	if (start->work.supervisor >= 0)
		setpgid(0, 0);
	ret = start_join(start);
	if (start->work.supervisor >= 0)
		gate_joined(gate, -ret);
	child_close(start);
	if (ret || !gate_pass(gate, start->tasks->owner))
		_exit(0);
	if (start->task)
		writer.fd = start->task->memfd;
	ret = start->work.fn(&writer, start->work.arg);
	if (!ret || (ret < 0 && writer.too_large))
		ret = -child_reply(start, gate, &writer);
	if (ret < 0)
		__atomic_store_n(&gate->error, -ret, __ATOMIC_RELEASE);
	_exit(ret < 0 ? 1 : ret);
}

/* It waits at the gate: monitor and link it, and let it pass, or not. */
static int function_admit(struct start *start)
{
	struct sup_task_process *process = start->process;
	int ret;

	if (start->work.supervisor >= 0) {
		process->group = true;
		ret = gate_wait_joined(process);
		if (ret)
			return ret;
	}
	ret = start_monitor(start, process->pid);
	if (!ret)
		ret = start_link(start, process->pid);
	process->gate->ref = start->ref;
	gate_set(process->gate, ret ? GATE_REFUSED : GATE_OPEN);
	return ret;
}

static int start_function(struct start *start)
{
	struct sup_task_process *process = start->process;
	uint64_t mask;
	pid_t pid;
	int ret;

	process->gate = sup_gate_get(start->tasks);
	if (!process->gate)
		return -ENOMEM;
	sup_spawn_block(&mask);
	pid = fork();
	if (!pid)
		child_run(start);
	ret = pid < 0 ? -errno : 0;
	sup_spawn_unblock(&mask);
	if (!ret) {
		process->pid = pid;
		ret = function_admit(start);
	}
	return ret;
}

/* ---- a program -------------------------------------------------------- */

/*
 * In the new process, which shares our memory: system calls only. Our owner sleeps
 * until we have execed, so that it is there.
 */
static int program_enter(void *context)
{
	struct start *start = context;
	int ret = start_join(start);

	if (!ret)
		ret = start_monitor(start, (pid_t)syscall(SYS_getpid));
	if (!ret)
		ret = start_link(start, start->tasks->owner);
	return ret;
}

/* It has not execed, which is no end of a task: there is none. */
static void program_undo(void *context)
{
	struct start *start = context;

	if (start->link)
		sup_process_unlink(start->tasks->device, start->tasks->owner);
}

static int tasks_map_stack(struct sup_tasks *tasks)
{
	int saved = errno;
	void *mem;

	if (tasks->stack)
		return 0;
	mem = mmap(NULL, PAGE + STACK_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (mem != MAP_FAILED) {
		mprotect(mem, PAGE, PROT_NONE);
		tasks->stack = mem;
	}
	sup_errno_restore(saved);
	return mem == MAP_FAILED ? -ENOMEM : 0;
}

void sup_task_stack_free(struct sup_tasks *tasks)
{
	if (tasks->stack)
		munmap(tasks->stack, PAGE + STACK_SIZE);
}

static int program_spawn(struct start *start, const struct sup_plan *plan)
{
	struct sup_spawn spawn = {
		.plan = plan,
		.private_fd = -1,
		.stack = start->tasks->stack + PAGE,
		.stack_size = STACK_SIZE,
		.enter = program_enter,
		.undo = program_undo,
		.context = start,
		.output = start->output,
	};
	uint64_t mask;
	int ret;

	sup_spawn_block(&mask);
	ret = sup_spawn(&spawn);
	sup_spawn_unblock(&mask);
	if (ret)
		return ret;
	sup_close(spawn.pidfd);
	start->process->pid = spawn.pid;
	start->process->group = plan->session == SUP_SESSION_NEW ||
				plan->session == SUP_SESSION_GROUP;
	return -spawn.error;
}

static int start_program(struct start *start)
{
	const struct sup_command *command = start->work.command;
	struct sup_plan plan = { .notify = "" };
	enum sup_step step;
	int ret;

	if (!command->argv.n)
		return -EINVAL;
	ret = tasks_map_stack(start->tasks);
	if (ret)
		return ret;
	ret = sup_plan_init(&plan, command, environ, SUPERVISOR_SIGNAL_GROUP,
			    &step);
	if (ret)
		return ret;
	ret = program_spawn(start, &plan);
	sup_plan_free(&plan);
	return ret;
}

/* ---- either ----------------------------------------------------------- */

/* There is nothing of it afterwards. */
static void start_undo(struct start *start)
{
	struct sup_tasks *tasks = start->tasks;
	struct sup_task_process *process = start->process;
	struct sup_task *task = start->task;

	if (start->ref)
		sup_demonitor(tasks->mailbox, start->ref,
			      SUPERVISOR_REF_F_FLUSH);
	if (process && process->pid) {
		if (start->link)
			sup_process_unlink(tasks->device, process->pid);
		sup_process_signal(process, SIGKILL);
		sup_tasks_leave(tasks, process, false);
	} else if (process) {
		sup_process_release(tasks, process);
	}
	if (task) {
		sup_task_close_file(task);
		sup_task_release(task);
	}
}

/* What a task needs before it is forked. */
static int start_prepare(struct start *start, bool awaited)
{
	struct sup_tasks *tasks = start->tasks;
	struct sup_task *task;
	int ret;

	start->process = sup_process_alloc(tasks);
	if (!start->process)
		return -ENOMEM;
	if (!awaited)
		return 0;
	ret = sup_tasks_ready(tasks);
	if (!ret)
		ret = sup_tasks_reserve(tasks);
	if (ret)
		return ret;
	task = sup_task_alloc(tasks);
	if (!task)
		return -ENOMEM;
	task->max = start->work.result_max;
	task->program = !!start->work.command;
	start->task = task;
	if (!task->program && task->max <= SUPERVISOR_PAYLOAD_MAX)
		return 0;
	ret = sup_result_file(task->max);
	if (ret < 0)
		return ret;
	sup_task_set_file(task, ret);
	start->output = ret;
	return 0;
}

static int start_check(const struct sup_tasks *tasks, struct sup_work *work,
		       const struct sup_work *given)
{
	int ret = sup_tasks_check(tasks);

	if (!ret)
		ret = SUP_STRUCT_IN(work, result_max, given);
	if (!ret && (!given || !work->fn == !work->command || work->reserved ||
		     work->supervisor < -1))
		ret = -EINVAL;
	return ret;
}

/* Its process, or -errno; @task NULL: nobody awaits it. */
static int tasks_start(struct sup_tasks *tasks, const struct sup_work *work,
		       bool link, struct sup_task **task)
{
	struct start start = {
		.tasks = tasks,
		.work = { SUP_DEFAULTS_sup_work },
		.link = link,
	};
	int saved = errno;
	int ret;

	ret = start_check(tasks, &start.work, work);
	if (ret)
		return ret;
	sup_tasks_reap(tasks);
	ret = start_prepare(&start, task);
	if (!ret)
		ret = start.work.fn ? start_function(&start) :
				      start_program(&start);
	sup_errno_restore(saved);
	if (ret) {
		start_undo(&start);
		return ret;
	}
	ret = start.process->pid;
	if (!task) {
		sup_tasks_leave(tasks, start.process, false);
		return ret;
	}
	start.task->ref = start.ref;
	start.task->process = start.process;
	start.task->result.pid = ret;
	sup_tasks_add(tasks, start.task);
	*task = start.task;
	return ret;
}

int sup_task_async(struct sup_tasks *tasks, const struct sup_work *work,
		   struct sup_task **task)
{
	int ret;

	*task = NULL;
	ret = tasks_start(tasks, work, true, task);
	return ret < 0 ? ret : 0;
}

int sup_task_async_nolink(struct sup_tasks *tasks, const struct sup_work *work,
			  struct sup_task **task)
{
	int ret;

	*task = NULL;
	ret = tasks_start(tasks, work, false, task);
	return ret < 0 ? ret : 0;
}

int sup_task_start(struct sup_tasks *tasks, const struct sup_work *work)
{
	return tasks_start(tasks, work, false, NULL);
}

int sup_task_start_link(struct sup_tasks *tasks, const struct sup_work *work)
{
	return tasks_start(tasks, work, true, NULL);
}

int sup_task_completed(struct sup_tasks *tasks, const void *data, size_t len,
		       struct sup_task **task)
{
	int ret = sup_tasks_check(tasks);
	struct sup_task *t;

	*task = NULL;
	if (ret)
		return ret;
	t = sup_task_alloc(tasks);
	if (!t)
		return -ENOMEM;
	t->state = SUP_TASK_ENDED;
	t->result.kind = SUP_TASK_OK;
	ret = sup_task_keep(t, data, len);
	if (ret) {
		sup_task_release(t);
		return ret;
	}
	*task = t;
	return 0;
}
