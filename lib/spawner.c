// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * spawner.c - owns the spawner: its loop, the requests that it carries out and
 * the incarnations that it will reap.
 *
 * Processes are reaped through their pidfds only, so that the rest of the
 * program may wait for its own. The kernel knows of each death without us:
 * reaping late delays nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "internal.h"

#define STACK_SIZE (64 * 1024)
#define FIRST_FD 3		/* below are the children's to redirect */
#define PRIVATE_FD 256		/* from here on they inherit none */
#define EVENTS 64
#define LULL_MS 5

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* What an event of the epoll is about: each is embedded in what it is of. */
enum source {
	SOURCE_MAILBOX,
	SOURCE_SUPERVISOR,
	SOURCE_STOP,
	SOURCE_EXIT,
	SOURCE_NOTIFY
};

struct incarnation {
	struct incarnation *next;
	struct incarnation **link;	/* what points here; NULL: reaped */
	enum source exit;
	enum source notify;
	uint64_t token;
	pid_t pid;
	int pidfd;
	int notify_fd;
	bool leads_session;
	bool watched;
};

struct sup_spawner {
	struct sup_spawner_opts opts;
	int device;
	int mailbox;
	int supervisor;
	int stop;
	int epoll;
	int private_fd;			/* PRIVATE_FD, or above our own */
	struct sup_rlimit files;		/* for children, if we have raised ours */
	enum source source[3];		/* SOURCE_MAILBOX to SOURCE_STOP */
	struct sup_buf buf;
	char **environ;
	uint64_t mask;			/* while @blocked: the signal mask before */
	char *stack;			/* above one page that faults */
	size_t page;
	struct incarnation *alive;
	struct incarnation *reaped;	/* freed after the events at hand */
	size_t unwatched;
	bool blocked;
	bool reaped_some;		/* in this turn */
	bool stopped;
	bool down;
};

/* ---- incarnations ----------------------------------------------------- */

static int spawner_watch(struct sup_spawner *spawner, int fd, uint32_t events,
			 enum source *source)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(spawner->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	return 0;
}

/* Of a traced process, the pidfd is readable before it can be reaped: edges. */
static void incarnation_watch(struct sup_spawner *spawner,
			      struct incarnation *inc)
{
	inc->watched = !spawner_watch(spawner, inc->pidfd, EPOLLIN | EPOLLET,
				      &inc->exit);
	if (!inc->watched)
		spawner->unwatched++;
}

/*
 * To where no child has to copy it. Where that is not allowed, or too much, it
 * stays.
 */
static int spawner_move_away(struct sup_spawner *spawner, int fd)
{
	int away = fcntl(fd, F_DUPFD_CLOEXEC, spawner->private_fd);

	if (away < 0)
		return fd;
	close(fd);
	return away;
}

static void incarnation_add(struct sup_spawner *spawner,
			    struct incarnation *inc)
{
	inc->next = spawner->alive;
	inc->link = &spawner->alive;
	if (inc->next)
		inc->next->link = &inc->next;
	spawner->alive = inc;
	incarnation_watch(spawner, inc);
}

/*
 * Closing alone may leave a file in the epoll, and events that name freed
 * memory: a process being forked has a copy of the descriptor until it execs.
 */
static void spawner_unwatch(struct sup_spawner *spawner, int fd)
{
	epoll_ctl(spawner->epoll, EPOLL_CTL_DEL, fd, NULL);
	sup_close(fd);
}

/* Events at hand may still point to it. */
static void incarnation_reap(struct sup_spawner *spawner,
			     struct incarnation *inc)
{
	siginfo_t info = { .si_pid = 0 };

	if (!inc->link)
		return;
	/* ECHILD: SIGCHLD is ignored, or somebody reaped what is ours */
	if (!waitid((idtype_t)P_PIDFD, (id_t)inc->pidfd, &info,
		    WEXITED | WNOHANG) && !info.si_pid)
		return;

	spawner->reaped_some = true;
	if (!inc->watched)
		spawner->unwatched--;
	*inc->link = inc->next;
	if (inc->next)
		inc->next->link = inc->link;
	inc->link = NULL;
	spawner_unwatch(spawner, inc->pidfd);
	if (inc->notify_fd >= 0)
		spawner_unwatch(spawner, inc->notify_fd);
	inc->next = spawner->reaped;
	spawner->reaped = inc;
}

static void spawner_reap_all(struct sup_spawner *spawner)
{
	struct incarnation *next;

	for (struct incarnation *inc = spawner->alive; inc; inc = next) {
		next = inc->next;
		incarnation_reap(spawner, inc);
	}
}

static void spawner_free_reaped(struct sup_spawner *spawner)
{
	struct incarnation *next;

	for (struct incarnation *inc = spawner->reaped; inc; inc = next) {
		next = inc->next;
		sup_free(inc);
	}
	spawner->reaped = NULL;
}

/* When the kernel had no memory to watch a process, look again now and then. */
static void spawner_rewatch(struct sup_spawner *spawner)
{
	struct incarnation *next;

	for (struct incarnation *inc = spawner->alive; inc; inc = next) {
		next = inc->next;
		if (inc->watched)
			continue;
		spawner->unwatched--;
		incarnation_watch(spawner, inc);
		if (!inc->watched)
			incarnation_reap(spawner, inc);
	}
}

static void incarnation_notified(struct sup_spawner *spawner,
				 struct incarnation *inc)
{
	if (!inc->link || inc->notify_fd < 0)
		return;
	if (sup_notify_read(inc->notify_fd, inc->pid, inc->leads_session))
		sup_child_report(spawner->device, inc->token,
				 SUPERVISOR_REPORT_READY, 0);
}

/* ---- a start ---------------------------------------------------------- */

static bool start_wants_notify(const struct sup_command *command,
			       const struct supervisor_msg_start *start)
{
	if (command->notify == SUP_NOTIFY_AUTO)
		return start->readiness == SUPERVISOR_READINESS_NOTIFY;
	return command->notify == SUP_NOTIFY_YES;
}

/*
 * Tells the kernel how it went, unless the child itself has. A token that is
 * revoked or used needs no more said, and what the kernel answers changes
 * nothing.
 */
static void start_report(struct sup_spawner *spawner, uint64_t token,
			 enum sup_step step, int error)
{
	if (!step)
		sup_child_report(spawner->device, token,
				 SUPERVISOR_REPORT_STARTED, 0);
	else if (step <= SUP_STEP_ATTACH && error != ESTALE &&
		 error != EALREADY)
		sup_child_report(spawner->device, token,
				 SUPERVISOR_REPORT_FAILED, error);
}

/* Once for the many STARTs that may follow; our callers' code runs without. */
static void spawner_block(struct sup_spawner *spawner)
{
	if (!spawner->blocked)
		sup_spawn_block(&spawner->mask);
	spawner->blocked = true;
}

static void spawner_unblock(struct sup_spawner *spawner)
{
	if (spawner->blocked)
		sup_spawn_unblock(&spawner->mask);
	spawner->blocked = false;
}

/* Forks: 0, with *@inc of the child, or -errno. *@step says how far it got. */
static int start_fork(struct sup_spawner *spawner, const struct sup_plan *plan,
		      uint64_t token, struct incarnation *inc,
		      enum sup_step *step)
{
	struct sup_spawn spawn = {
		.plan = plan,
		.device = spawner->device,
		.token = token,
		.private_fd = spawner->private_fd,
		.files = spawner->opts.raise_files ? &spawner->files : NULL,
		.stack = spawner->stack + spawner->page,
		.stack_size = STACK_SIZE,
	};
	int ret;

	spawner_block(spawner);
	ret = sup_spawn(&spawn);
	if (ret) {
		*step = SUP_STEP_FORK;
		return ret;
	}
	*step = spawn.step;
	start_report(spawner, token, spawn.step, spawn.error);
	inc->exit = SOURCE_EXIT;
	inc->notify = SOURCE_NOTIFY;
	inc->token = token;
	inc->pid = spawn.pid;
	inc->pidfd = spawner_move_away(spawner, spawn.pidfd);
	inc->leads_session = plan->session == SUP_SESSION_NEW;
	incarnation_add(spawner, inc);
	if (inc->notify_fd >= 0)
		spawner_watch(spawner, inc->notify_fd, EPOLLIN, &inc->notify);
	return -spawn.error;
}

/* From a decoded command on. A failure before the fork leaves no process. */
static int start_command(struct sup_spawner *spawner,
			 const struct supervisor_msg_start *start,
			 const struct sup_command *command,
			 enum sup_step *step)
{
	struct sup_plan plan = { .notify = "" };
	struct incarnation *inc;
	int ret;

	*step = SUP_STEP_MEMORY;
	inc = sup_realloc(NULL, sizeof(*inc));
	if (!inc)
		return -ENOMEM;
	memset(inc, 0, sizeof(*inc));
	inc->notify_fd = -1;
	if (start_wants_notify(command, start)) {
		*step = SUP_STEP_NOTIFY;
		inc->notify_fd = sup_notify_socket(plan.notify,
						   sizeof(plan.notify));
		ret = inc->notify_fd;
		if (ret < 0)
			goto out;
		inc->notify_fd = spawner_move_away(spawner, inc->notify_fd);
	}
	ret = sup_plan_init(&plan, command, spawner->environ,
			    start->signal_whom, step);
	if (!ret) {
		ret = start_fork(spawner, &plan, start->head.ref, inc, step);
		sup_plan_free(&plan);
	}
out:
	if (!inc->link) {
		sup_close(inc->notify_fd);
		sup_free(inc);
	}
	return ret;
}

/* A supervisor is to start: nothing is forked, but somebody may object. */
static void spawner_init(struct sup_spawner *spawner,
			 const struct supervisor_msg_start *start)
{
	uint32_t report = SUPERVISOR_REPORT_READY;
	int ret = 0;

	if (spawner->opts.on_init) {
		spawner_unblock(spawner);
		ret = spawner->opts.on_init(spawner->opts.context,
					    &start->head);
	}
	if (ret > 0)
		report = SUPERVISOR_REPORT_IGNORE;
	if (ret < 0)
		report = SUPERVISOR_REPORT_FAILED;
	sup_child_report(spawner->device, start->head.ref, report,
			 ret < 0 ? -ret : 0);
}

static void spawner_start(struct sup_spawner *spawner,
			  const struct supervisor_msg_start *start)
{
	enum sup_step step = SUP_STEP_BLOB;
	struct sup_command *command;
	const void *blob, *args;
	size_t len, args_len;
	int ret;

	blob = sup_msg_blob(&start->head, &len);
	args = sup_msg_args(&start->head, &args_len);
	ret = sup_command_decode_with(blob, len, args, args_len, &command);
	if (!ret) {
		ret = start_command(spawner, start, command, &step);
		sup_command_free(command);
	}
	if (!ret)
		return;
	/* from the session on there is a process, and it is reported */
	if (step < SUP_STEP_SESSION)
		start_report(spawner, start->head.ref, step, -ret);
	if (spawner->opts.on_fail) {
		spawner_unblock(spawner);
		spawner->opts.on_fail(spawner->opts.context, &start->head,
				      sup_step_name(step), -ret);
	}
}

/* ---- the mailbox ------------------------------------------------------ */

/* Takes what there is: how many messages, or -errno. */
static int spawner_recv(struct sup_spawner *spawner)
{
	const struct supervisor_msg *msg = NULL;
	struct sup_buf *buf = &spawner->buf;
	int ret;

	buf->len = buf->cap;
	ret = sup_mailbox_recv(spawner->mailbox, buf->mem, &buf->len, 0, 0);
	if (ret == -EMSGSIZE) {
		size_t need = buf->len;

		ret = need > buf->cap ? sup_buf_reserve(buf, need) : -EMSGSIZE;
		return ret ? ret : 1;
	}
	if (ret == -EAGAIN || ret == -EINTR)
		return 0;
	if (ret < 0)
		return ret;
	while ((msg = sup_msg_next(buf->mem, buf->len, msg))) {
		const struct supervisor_msg_start *start = sup_msg_start(msg);

		if (start && msg->flags & SUPERVISOR_MSG_F_SUPERVISOR) {
			spawner_init(spawner, start);
		} else if (start) {
			spawner_start(spawner, start);
		} else if (spawner->opts.on_message) {
			spawner_unblock(spawner);
			spawner->opts.on_message(spawner->opts.context, msg);
		}
	}
	return ret;
}

/*
 * The next START is often there as soon as the one before is done: look before
 * waiting, but now and then look at everything else, too.
 */
static int spawner_serve(struct sup_spawner *spawner)
{
	int turns = EVENTS;
	int ret;

	do {
		ret = spawner_recv(spawner);
	} while (ret > 0 && --turns);
	spawner_unblock(spawner);
	return ret;
}

/* ---- the loop --------------------------------------------------------- */

static int spawner_handle(struct sup_spawner *spawner, enum source *source)
{
	uint64_t count;
	int ret = 0;

	switch (*source) {
	case SOURCE_MAILBOX:
		ret = spawner_serve(spawner);
		break;
	case SOURCE_SUPERVISOR:
		spawner->down = true;
		break;
	case SOURCE_STOP:
		if (read(spawner->stop, &count, sizeof(count)) > 0)
			spawner->stopped = true;
		break;
	case SOURCE_EXIT:
		incarnation_reap(spawner, container_of(source,
						       struct incarnation,
						       exit));
		break;
	case SOURCE_NOTIFY:
		incarnation_notified(spawner, container_of(source,
							   struct incarnation,
							   notify));
		break;
	}
	return ret < 0 ? ret : 0;
}

/* Down: the last messages and the last dead are there, and no more come. */
static int spawner_finish(struct sup_spawner *spawner)
{
	int ret;

	do {
		ret = spawner_recv(spawner);
	} while (ret > 0);
	spawner_unblock(spawner);
	spawner_reap_all(spawner);
	return ret;
}

/*
 * Where one has died, others often follow, one after the other; nobody waits for
 * us to reap them. So let some gather, but be there for what we are asked. 1 to go
 * on, or -errno.
 */
static int spawner_lull(struct sup_spawner *spawner)
{
	const struct timespec lull = { .tv_nsec = LULL_MS * 1000000 };
	struct pollfd files[] = {
		{ .fd = spawner->mailbox, .events = POLLIN },
		{ .fd = spawner->stop, .events = POLLIN },
		{ .fd = spawner->supervisor },
	};

	return ppoll(files, ARRAY_SIZE(files), &lull, NULL) < 0 ? -errno : 1;
}

/* 1 to go on, 0 at the end. */
static int spawner_turn(struct sup_spawner *spawner, int timeout)
{
	struct epoll_event events[EVENTS];
	int ret = 0;
	int n;

	n = epoll_wait(spawner->epoll, events, EVENTS, timeout);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n && !ret; i++)
		ret = spawner_handle(spawner, events[i].data.ptr);
	if (!ret && spawner->unwatched)
		spawner_rewatch(spawner);
	if (!ret && spawner->down)
		ret = spawner_finish(spawner);
	spawner_free_reaped(spawner);
	if (ret)
		return ret;
	if (spawner->stopped) {
		spawner->stopped = false;
		return 0;
	}
	return !spawner->down;
}

int sup_spawner_step(struct sup_spawner *spawner)
{
	int saved = errno;
	int ret = spawner_turn(spawner, 0);

	errno = saved;
	return ret;
}

int sup_spawner_run(struct sup_spawner *spawner)
{
	int saved = errno;
	int ret;

	do {
		spawner->reaped_some = false;
		ret = spawner_turn(spawner, spawner->unwatched ? 1000 : -1);
		if (ret > 0 && spawner->reaped_some)
			ret = spawner_lull(spawner);
	} while (ret > 0);
	errno = saved;
	return ret;
}

int sup_spawner_stop(struct sup_spawner *spawner)
{
	uint64_t one = 1;
	int saved = errno;
	int ret = 0;

	/* EAGAIN: as many asked before as it can count */
	if (write(spawner->stop, &one, sizeof(one)) < 0 && errno != EAGAIN)
		ret = -errno;
	errno = saved;
	return ret;
}

int sup_spawner_fd(const struct sup_spawner *spawner)
{
	return spawner->epoll;
}

/* ---- making one ------------------------------------------------------- */

/* Variables that speak of this process to its own manager. */
static bool env_is_ours(const char *variable)
{
	static const char *const ours[] = {
		"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_"
	};

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (!strncmp(variable, ours[i], strlen(ours[i])))
			return true;
	return false;
}

/* One allocation: the array, then its strings. */
static int spawner_environ(struct sup_spawner *spawner)
{
	size_t bytes = 0;
	size_t n = 0;
	char *at;

	while (environ && environ[n])
		bytes += strlen(environ[n++]) + 1;
	spawner->environ = sup_realloc(NULL, (n + 1) * sizeof(char *) + bytes);
	if (!spawner->environ)
		return -ENOMEM;
	at = (char *)&spawner->environ[n + 1];
	n = 0;
	for (char **var = environ; var && *var; var++) {
		if (env_is_ours(*var))
			continue;
		spawner->environ[n++] = at;
		at = stpcpy(at, *var) + 1;
	}
	spawner->environ[n] = NULL;
	return 0;
}

static int fd_copy(int fd, int *copy)
{
	*copy = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	return *copy < 0 ? -errno : 0;
}

/* The new process needs the device alone: the others go to where it has none. */
static int fd_copy_away(const struct sup_spawner *spawner, int fd, int *copy)
{
	*copy = fcntl(fd, F_DUPFD_CLOEXEC, spawner->private_fd);
	return *copy < 0 ? fd_copy(fd, copy) : 0;
}

static int spawner_files(struct sup_spawner *spawner, int device, int mailbox)
{
	int ret;

	ret = fd_copy(device, &spawner->device);
	spawner->private_fd = spawner->device < PRIVATE_FD ? PRIVATE_FD :
							     spawner->device + 1;
	if (!ret)
		ret = fd_copy_away(spawner, mailbox, &spawner->mailbox);
	if (!ret && spawner->opts.supervisor >= 0)
		ret = fd_copy_away(spawner, spawner->opts.supervisor,
				   &spawner->supervisor);
	if (ret)
		return ret;
	spawner->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (spawner->stop < 0)
		return -errno;
	spawner->stop = spawner_move_away(spawner, spawner->stop);
	spawner->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (spawner->epoll < 0)
		return -errno;
	spawner->epoll = spawner_move_away(spawner, spawner->epoll);

	for (size_t i = 0; i < ARRAY_SIZE(spawner->source); i++)
		spawner->source[i] = (enum source)i;
	ret = spawner_watch(spawner, spawner->mailbox, EPOLLIN,
			    &spawner->source[SOURCE_MAILBOX]);
	if (!ret)
		ret = spawner_watch(spawner, spawner->stop, EPOLLIN,
				    &spawner->source[SOURCE_STOP]);
	/* hanging up, which is all that is asked, is always told */
	if (!ret && spawner->supervisor >= 0)
		ret = spawner_watch(spawner, spawner->supervisor, 0,
				    &spawner->source[SOURCE_SUPERVISOR]);
	return ret;
}

static int spawner_stack(struct sup_spawner *spawner)
{
	spawner->page = (size_t)sysconf(_SC_PAGESIZE);
	spawner->stack = mmap(NULL, spawner->page + STACK_SIZE,
			      PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (spawner->stack == MAP_FAILED) {
		spawner->stack = NULL;
		return -errno;
	}
	if (mprotect(spawner->stack, spawner->page, PROT_NONE) < 0)
		return -errno;
	return 0;
}

static int spawner_raise_files(struct sup_spawner *spawner)
{
	struct sup_rlimit raised;

	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &raised) < 0)
		return -errno;
	spawner->files = raised;
	raised.soft = raised.hard;
	return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &raised, NULL) < 0 ?
	       -errno : 0;
}

int sup_spawner_new(struct sup_spawner **out, int device, int mailbox,
		    const struct sup_spawner_opts *opts)
{
	struct sup_spawner_opts o = { SUP_DEFAULTS_sup_spawner_opts };
	struct sup_spawner *spawner;
	int saved = errno;
	int ret;

	*out = NULL;
	ret = SUP_STRUCT_IN(&o, context, opts);
	if (ret)
		return ret;
	spawner = sup_realloc(NULL, sizeof(*spawner));
	if (!spawner)
		return -ENOMEM;
	memset(spawner, 0, sizeof(*spawner));
	spawner->opts = o;
	spawner->device = -1;
	spawner->mailbox = -1;
	spawner->supervisor = -1;
	spawner->stop = -1;
	spawner->epoll = -1;

	ret = spawner_environ(spawner);
	if (!ret)
		ret = sup_buf_reserve(&spawner->buf, SUP_START_SIZE);
	if (!ret)
		ret = spawner_files(spawner, device, mailbox);
	if (!ret)
		ret = spawner_stack(spawner);
	if (!ret && o.raise_files)
		ret = spawner_raise_files(spawner);
	if (ret)
		sup_spawner_free(spawner);
	else
		*out = spawner;
	errno = saved;
	return ret;
}

void sup_spawner_free(struct sup_spawner *spawner)
{
	struct incarnation *next;
	int saved = errno;

	if (!spawner)
		return;
	spawner_reap_all(spawner);
	spawner_free_reaped(spawner);
	for (struct incarnation *inc = spawner->alive; inc; inc = next) {
		next = inc->next;
		sup_close(inc->pidfd);
		sup_close(inc->notify_fd);
		sup_free(inc);
	}
	if (spawner->stack)
		munmap(spawner->stack, spawner->page + STACK_SIZE);
	sup_close(spawner->epoll);
	sup_close(spawner->stop);
	sup_close(spawner->supervisor);
	sup_close(spawner->mailbox);
	sup_close(spawner->device);
	sup_free(spawner->buf.mem);
	sup_free(spawner->environ);
	sup_free(spawner);
	errno = saved;
}
