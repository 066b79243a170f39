/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * task.h - what the files of tasks share: an owner of tasks, a task, and the
 * window of a stream.
 */
#ifndef SUP_TASK_H
#define SUP_TASK_H

#include "internal.h"

/* ---- lists ------------------------------------------------------------ */

/* Of the head of a list, and of what is in it. */
struct sup_list {
	struct sup_list *next;
	struct sup_list *prev;
};

static inline void sup_list_init(struct sup_list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool sup_list_empty(const struct sup_list *head)
{
	return head->next == head;
}

static inline void sup_list_append(struct sup_list *head, struct sup_list *node)
{
	node->next = head;
	node->prev = head->prev;
	head->prev->next = node;
	head->prev = node;
}

static inline void sup_list_remove(struct sup_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
}

/* ---- task_window.c: which of a stream's tasks is next: pure ----------- */

enum sup_pane_state {
	SUP_PANE_RUNNING,
	SUP_PANE_ENDED		/* its result waits to go out */
};

/**
 * struct sup_pane - one item, from its start until its result has gone out
 * @turn: in the order in which results go out
 * @running: among those that run, which are in the order of their starts
 * @state: SUP_PANE_*
 * @index: the item's number
 * @deadline: until when it may run
 */
struct sup_pane {
	struct sup_list turn;
	struct sup_list running;
	enum sup_pane_state state;
	uint64_t index;
	uint64_t deadline;
};

/**
 * struct sup_window - the items of a stream that have begun and not gone out
 * @turns: ordered: all of them; unordered: those that have ended, in that order
 * @running: those that run; the first of them is the first whose time is up, as all
 *	have the same
 * @max: how many may run at a time; results that wait for their turn do not count
 * @running_count: how many do
 * @ordered: results go out in the order of items
 * @timeout_ns: of each, or SUPERVISOR_NO_DEADLINE
 * @next_index: of the next item
 */
struct sup_window {
	struct sup_list turns;
	struct sup_list running;
	uint64_t max;
	uint64_t running_count;
	bool ordered;
	uint64_t timeout_ns;
	uint64_t next_index;
};

void sup_window_setup(struct sup_window *window, uint64_t max, bool ordered,
		     uint64_t timeout_ns);
/* May another item begin? */
bool sup_window_open(const struct sup_window *window);
void sup_window_begin(struct sup_window *window, struct sup_pane *pane,
		      uint64_t now);
/* One that runs has ended, or has been killed. */
void sup_window_end(struct sup_window *window, struct sup_pane *pane);
/* Takes out the one whose result goes out next, or NULL: it has not ended. */
struct sup_pane *sup_window_take(struct sup_window *window);
/* The one that has run the longest, or NULL. */
struct sup_pane *sup_window_oldest(const struct sup_window *window);
/* When the first one's time is up. */
uint64_t sup_window_deadline(const struct sup_window *window);

/* ---- an owner and its tasks ------------------------------------------- */

/*
 * What a forked function and its owner tell each other, in memory that both have.
 * The task waits until its owner has monitored and linked it, so that no end of it
 * is missed; and it says what its reply has no room for.
 */
struct sup_gate {
	uint32_t word;		/* a futex: task_start.c */
	int32_t error;		/* by the task, before its end: a positive errno value */
	uint64_t ref;		/* by the owner: where the reply goes; 0: nowhere */
	uint64_t len;		/* by the task, before its reply: bytes in the memfd */
	struct sup_gate *next;	/* while it is free */
};

/**
 * struct sup_task_process - a process that we have forked and not reaped yet
 * @next: in the queue, when no task is its any more; while it is spare
 * @pid: its number, which no other process has before it is reaped
 * @group: it leads its process group, of which nothing outlives it
 * @gate: its, or NULL
 *
 * Whoever else reaped it has taken it from us: it is looked for before each signal.
 */
struct sup_task_process {
	struct sup_task_process *next;
	pid_t pid;
	bool group;
	struct sup_gate *gate;
};

struct sup_tasks {
	struct sup_tasks_opts opts;
	pid_t owner;
	int device;
	int mailbox;			/* -1 until it is needed */
	unsigned char *buf;		/* mapped: what is received */
	unsigned char *stack;		/* mapped: for a vfork, above a page that faults */

	/* tasks that are awaited, by their refs */
	struct sup_task **buckets;
	size_t nbuckets;		/* a power of two, or 0 */
	size_t count;

	/* of those that a wait is for: */
	size_t ended;
	size_t died;

	struct sup_list memfds;		/* tasks that have one open */
	struct sup_gate *gates;		/* free ones */
	struct sup_gate_page *pages;

	/* to be used again */
	struct sup_task *spare_tasks;
	struct sup_task_process *spare_processes;

	/* to be reaped, when they are dead */
	struct sup_task_process *leaving;
	struct sup_task_process **leaving_end;
};

enum sup_task_state {
	SUP_TASK_RUNS,
	SUP_TASK_ENDED,
	SUP_TASK_GIVEN_UP
};

struct sup_task {
	struct sup_tasks *tasks;
	struct sup_task *next;		/* in its bucket; while it is spare */
	struct sup_list memfds;		/* while @memfd is open */
	enum sup_task_state state;
	uint64_t ref;			/* of the monitor, which is an alias */
	struct sup_task_process *process; /* NULL when it is reaped, or leaves */
	bool program;
	bool marked;			/* a wait is for it */
	bool too_large;
	int memfd;			/* or -1 */
	uint64_t max;			/* of the result */
	struct sup_task_result result;
	void *mem;			/* the result: malloc'd, */
	void *map;			/* or mapped, */
	char small[64];			/* or here */
	/* a stream's: */
	struct sup_window *window;
	struct sup_pane pane;
	void *item;
};

/* task.c */

/* -EPERM in any other process, which must not touch what it has inherited. */
int sup_tasks_check(const struct sup_tasks *tasks);
/* New ones, or NULL: all zero but for the owner and what none is not 0 for. */
struct sup_task *sup_task_alloc(struct sup_tasks *tasks);
struct sup_task_process *sup_process_alloc(struct sup_tasks *tasks);
/* What they hold goes before. */
void sup_task_release(struct sup_task *task);
void sup_process_release(struct sup_tasks *tasks,
			 struct sup_task_process *process);
/* Makes the mailbox, unless there is one. */
int sup_tasks_ready(struct sup_tasks *tasks);
/*
 * Takes messages, waiting for the first until @deadline (0: not): 0, -ETIMEDOUT, or
 * what else a receive says.
 */
int sup_tasks_receive(struct sup_tasks *tasks, uint64_t deadline);
/* Takes what is there. */
void sup_tasks_drain(struct sup_tasks *tasks);
/* From now on a task is found by its ref, for which there is room. */
int sup_tasks_reserve(struct sup_tasks *tasks);
void sup_tasks_add(struct sup_tasks *tasks, struct sup_task *task);
void sup_tasks_remove(struct sup_tasks *tasks, struct sup_task *task);
/* A process of which nobody wants to know any more: reaped when it is @dead. */
void sup_tasks_leave(struct sup_tasks *tasks, struct sup_task_process *process,
		     bool dead);
/* Reaps some of those that are. */
void sup_tasks_reap(struct sup_tasks *tasks);

/* task_start.c: in the memory that is shared with forked functions. */
struct sup_gate *sup_gate_get(struct sup_tasks *tasks);
void sup_gate_put(struct sup_tasks *tasks, struct sup_gate *gate);
void sup_gates_free(struct sup_tasks *tasks);
/* Of the new processes of programs. */
void sup_task_stack_free(struct sup_tasks *tasks);

/* task_process.c: a process of ours. */

/* Is it dead? Then *@status is its wait status; it stays to be reaped. */
bool sup_process_dead(const struct sup_task_process *process, int *status);
/* Waits until it is; it stays to be reaped. */
void sup_process_wait(const struct sup_task_process *process);
/*
 * Sends a signal to it, or to its group, while it is our child: so to no other
 * process that has got its number. -ESRCH if it is not.
 */
int sup_process_signal(const struct sup_task_process *process, int signal);
/* Reaps it if it is dead, and what is left of its group; true when it is gone. */
bool sup_process_reap(const struct sup_task_process *process);
/* SUPERVISOR_EXIT_* of a wait status. */
uint32_t sup_exit_reason(int status);

/* task_result.c: what a task's function writes into, */

struct sup_task_writer {
	int fd;			/* the file, or -1: a message */
	bool too_large;
	uint64_t max;
	uint64_t len;
	char *mem;		/* mapped; or NULL: @small */
	char small[256];
};

/* What was written, of a message. */
const void *sup_writer_bytes(const struct sup_task_writer *writer);

/* and what becomes of a task. */

/* A file for a result of up to @max bytes, at descriptor 3 or above; or -errno. */
int sup_result_file(uint64_t max);
void sup_task_set_file(struct sup_task *task, int fd);
void sup_task_close_file(struct sup_task *task);
/* It has ended: by a reply, by its death. */
void sup_task_replied(struct sup_task *task, const void *data, size_t len);
void sup_task_died(struct sup_task *task, uint32_t reason, int status);
/* A result that is known from the beginning. */
int sup_task_keep(struct sup_task *task, const void *data, size_t len);
/* Copies out what is known; @result may be NULL. */
void sup_task_tell(const struct sup_task *task, struct sup_task_result *result);

/* task_stop.c */

/* Awaits it no more. */
void sup_task_give_up(struct sup_task *task);
/* Unlinks, gives up and kills it. */
void sup_task_kill(struct sup_task *task);

#endif /* SUP_TASK_H */
