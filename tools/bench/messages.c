// SPDX-License-Identifier: GPL-2.0
/*
 * messages - what casts, calls and notices of deaths cost, against what a
 * program would use without us. The ioctls themselves, without the library.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PAYLOAD 64
#define DEATHS 20
#define WARM_UP 5

static int device = -1;

static int mailbox_new(void)
{
	if (device < 0)
		device = check(sup_device_open(), "cannot open /dev/supervisor");
	return check(sup_mailbox_create(device, 0, NULL), "cannot make a mailbox");
}

/*
 * One message, which is of @type. On the stack, as what a read or an epoll_wait fills:
 * to write into a page that nothing else has written to since a fork costs a copy of it.
 */
static void mailbox_recv(int mailbox, unsigned int type)
{
	_Alignas(8) char buf[256];
	const struct supervisor_msg *msg = (const void *)buf;
	struct supervisor_mailbox_recv recv = {
		.size = sizeof(recv),
		.buf = (uintptr_t)buf,
		.buf_len = sizeof(buf),
		.max = 1,
		.deadline = SUPERVISOR_NO_DEADLINE,
	};

	check_errno(ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv), "RECV");
	if (msg->type != type)
		fail("RECV", EPROTO);
}

static void put(int fd, size_t len)
{
	char buf[PAYLOAD] = "";

	if (write(fd, buf, len) != (ssize_t)len)
		fail("write", errno);
}

static void get(int fd, size_t len)
{
	char buf[PAYLOAD];

	if (read(fd, buf, len) != (ssize_t)len)
		fail("read", errno);
}

/* ---- there and back: @fd is what to write to, and what to read from ---- */

static void pipe_ask(const int *fd)
{
	put(fd[0], PAYLOAD);
	get(fd[1], PAYLOAD);
}

static void pipe_serve(void *context)
{
	const int *fd = context;

	for (;;) {
		get(fd[2], PAYLOAD);
		put(fd[3], PAYLOAD);
	}
}

static void eventfd_ask(const int *fd)
{
	uint64_t one = 1;

	if (write(fd[0], &one, sizeof(one)) != sizeof(one))
		fail("write", errno);
	get(fd[1], sizeof(one));
}

static void eventfd_serve(void *context)
{
	const int back[2] = { ((int *)context)[1], ((int *)context)[0] };
	uint64_t one = 1;

	for (;;) {
		get(back[1], sizeof(one));
		if (write(back[0], &one, sizeof(one)) != sizeof(one))
			fail("write", errno);
	}
}

static void call_ask(const int *fd)
{
	char request[PAYLOAD] = "";
	char reply[PAYLOAD];
	struct supervisor_mailbox_call call = {
		.size = sizeof(call),
		.buf = (uintptr_t)request,
		.len = sizeof(request),
		.reply = (uintptr_t)reply,
		.reply_len = sizeof(reply),
		.deadline = SUPERVISOR_NO_DEADLINE,
	};

	check_errno(ioctl(*fd, SUPERVISOR_MAILBOX_CALL, &call), "CALL");
}

static void own(int mailbox)
{
	struct supervisor_mailbox_own own = { .size = sizeof(own) };

	check_errno(ioctl(mailbox, SUPERVISOR_MAILBOX_OWN, &own), "OWN");
}

static void call_serve(void *context)
{
	static _Alignas(8) char buf[4096];
	const struct supervisor_msg *msg = (const void *)buf;
	char reply[PAYLOAD] = "";
	struct supervisor_call_reply_recv recv = {
		.size = sizeof(recv),
		.reply = (uintptr_t)reply,
		.reply_len = sizeof(reply),
		.buf = (uintptr_t)buf,
		.max = 1,
		.deadline = SUPERVISOR_NO_DEADLINE,
	};
	int mailbox = *(int *)context;

	own(mailbox);
	for (;;) {
		recv.buf_len = sizeof(buf);
		check_errno(ioctl(mailbox, SUPERVISOR_CALL_REPLY_RECV, &recv),
			    "REPLY_RECV");
		recv.from = msg->ref;
	}
}

static double round_trip(void (*ask)(const int *fd), void (*serve)(void *fd), int *fd)
{
	pid_t server = process_start(serve, fd);
	double took;

	/* It waits for the first. */
	sleep_ms(20);
	took = cost(ask, fd);
	process_end(server);
	return took;
}

static double pipe_round_trip(void)
{
	int there[2], back[2], fd[4];
	double took;

	check_errno(pipe(there), "pipe");
	check_errno(pipe(back), "pipe");
	fd[0] = there[1];
	fd[1] = back[0];
	fd[2] = there[0];
	fd[3] = back[1];
	took = round_trip(pipe_ask, pipe_serve, fd);
	for (int i = 0; i < 4; i++)
		close(fd[i]);
	return took;
}

static double eventfd_round_trip(void)
{
	int fd[2] = {
		check_errno(eventfd(0, EFD_CLOEXEC), "eventfd"),
		check_errno(eventfd(0, EFD_CLOEXEC), "eventfd"),
	};
	double took = round_trip(eventfd_ask, eventfd_serve, fd);

	close(fd[0]);
	close(fd[1]);
	return took;
}

static double call_round_trip(void)
{
	int mailbox = mailbox_new();
	double took = round_trip(call_ask, call_serve, &mailbox);

	close(mailbox);
	return took;
}

void bench_call(void)
{
	struct result result = {
		.name = "call",
		.what = "a call of 64 bytes and its reply, against two pipes",
		.unit = UNIT_US,
		.floor = pipe_round_trip(),
		.ours = call_round_trip(),
		.limit = 1.00,
	};

	report(&result);
	result.what = "the same, against two eventfds";
	result.floor = eventfd_round_trip();
	result.limit = 0;
	report(&result);
}

/* ---- in and out again ---- */

static void eventfd_step(const int *fd)
{
	uint64_t one = 1;

	if (write(*fd, &one, sizeof(one)) != sizeof(one))
		fail("write", errno);
	get(*fd, sizeof(one));
}

static void cast_step(const int *fd)
{
	char payload[PAYLOAD] = "";
	struct supervisor_mailbox_send send = {
		.size = sizeof(send),
		.buf = (uintptr_t)payload,
		.len = sizeof(payload),
		.deadline = SUPERVISOR_NO_DEADLINE,
	};

	check_errno(ioctl(*fd, SUPERVISOR_MAILBOX_SEND, &send), "SEND");
	mailbox_recv(*fd, SUPERVISOR_MSG_CAST);
}

static void write_step(const int *fd)
{
	_Alignas(8) char buf[4096];

	put(*fd, PAYLOAD);
	if (read(*fd, buf, sizeof(buf)) < PAYLOAD)
		fail("read", errno);
}

static double eventfd_cost(void)
{
	int fd = check_errno(eventfd(0, EFD_CLOEXEC), "eventfd");
	double took = cost(eventfd_step, &fd);

	close(fd);
	return took;
}

static double cast_cost(void (*step)(const int *fd))
{
	int mailbox = mailbox_new();
	double took = cost(step, &mailbox);

	close(mailbox);
	return took;
}

void bench_cast(void)
{
	struct result result = {
		.name = "cast",
		.what = "a cast of 64 bytes, and receiving it, against an eventfd",
		.unit = UNIT_US,
		.floor = eventfd_cost(),
		.ours = cast_cost(cast_step),
		.limit = 1.60,
	};

	report(&result);
	result.what = "the same, with write and read";
	result.ours = cast_cost(write_step);
	report(&result);
}

/* ---- from SIGKILL of a small process to the notice ---- */

static void monitor(int mailbox, pid_t pid)
{
	struct supervisor_monitor what = {
		.size = sizeof(what),
		.pid = pid,
		.fd = -1,
	};

	check_errno(ioctl(mailbox, SUPERVISOR_MONITOR, &what), "MONITOR");
}

static void sleeper(void *context)
{
	(void)context;
	for (;;)
		pause();
}

static void pidfd_watch(int epoll, pid_t pid)
{
	int fd = check_errno((int)syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	check_errno(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static int pidfd_notice(int epoll)
{
	struct epoll_event event;

	check_errno(epoll_wait(epoll, &event, 1, -1), "epoll_wait");
	return event.data.fd;
}

/* In @mailbox, or else in @epoll. */
static double notice(int mailbox, int epoll)
{
	uint64_t took[DEATHS];

	for (int i = -WARM_UP; i < DEATHS; i++) {
		pid_t pid = process_start(sleeper, NULL);
		uint64_t begin, end;
		int pidfd = -1;

		if (mailbox < 0)
			pidfd_watch(epoll, pid);
		else
			monitor(mailbox, pid);
		sleep_ms(20);
		begin = now_ns();
		check_errno(kill(pid, SIGKILL), "kill");
		if (mailbox < 0)
			pidfd = pidfd_notice(epoll);
		else
			mailbox_recv(mailbox, SUPERVISOR_MSG_DOWN);
		end = now_ns();
		if (pidfd >= 0)
			close(pidfd);
		check_errno(waitpid(pid, NULL, 0), "waitpid");
		if (i >= 0)
			took[i] = end - begin;
	}
	return median(took, DEATHS);
}

static double notice_pidfd(void)
{
	int epoll = check_errno(epoll_create1(EPOLL_CLOEXEC), "epoll_create");
	double took = notice(-1, epoll);

	close(epoll);
	return took;
}

static double notice_down(void)
{
	int mailbox = mailbox_new();
	double took = notice(mailbox, -1);

	close(mailbox);
	return took;
}

void bench_down(void)
{
	report(&(struct result){
		.name = "down",
		.what = "SIGKILL to DOWN, against a pidfd in an epoll",
		.unit = UNIT_US,
		.floor = notice_pidfd(),
		.ours = notice_down(),
		.limit = 1.05,
	});
}

/* ---- one death, among few monitors and among many ---- */

/* Shares its memory with its members, so in a process of its own. */
static double monitored_death(const void *context)
{
	const unsigned int *members = context;
	struct crowd *crowd = crowd_new(*members, false);
	int mailbox = mailbox_new();
	uint64_t took[DEATHS];

	crowd_start(crowd);
	for (unsigned int i = 0; i < *members; i++)
		monitor(mailbox, crowd_pid(crowd, i));
	sleep_ms(20);
	for (unsigned int i = 0; i < WARM_UP + DEATHS; i++) {
		unsigned int member = i * 7919 % *members;
		uint64_t begin = now_ns();

		check_errno(kill(crowd_pid(crowd, member), SIGKILL), "kill");
		mailbox_recv(mailbox, SUPERVISOR_MSG_DOWN);
		if (i >= WARM_UP)
			took[i - WARM_UP] = now_ns() - begin;
		crowd_replace(crowd, member);
		monitor(mailbox, crowd_pid(crowd, member));
		sleep_ms(20);
	}
	close(mailbox);
	crowd_end(crowd);
	return median(took, DEATHS);
}

void bench_monitors(void)
{
	unsigned int few = 10;
	unsigned int many = 10000;

	report(&(struct result){
		.name = "monitors",
		.what = "one death, of 10,000 monitored against of 10",
		.unit = UNIT_US,
		.floor = elsewhere(monitored_death, &few),
		.ours = elsewhere(monitored_death, &many),
		.limit = 1.20,
	});
}

/* ---- the callers of a server that dies ---- */

struct callers {
	int mailbox;
	atomic_uint left;
	int done[2];	/* the last one writes when that was */
	int leave[2];	/* at the end of which all end, not one for the other to wait for */
};

static void *caller(void *context)
{
	char request[PAYLOAD] = "";
	struct supervisor_mailbox_call call = {
		.size = sizeof(call),
		.buf = (uintptr_t)request,
		.len = sizeof(request),
		.deadline = SUPERVISOR_NO_DEADLINE,
	};
	struct callers *callers = context;
	uint64_t end;

	if (!ioctl(callers->mailbox, SUPERVISOR_MAILBOX_CALL, &call) || errno != EOWNERDEAD)
		fail("CALL", errno);
	if (atomic_fetch_sub(&callers->left, 1) == 1) {
		end = now_ns();
		if (write(callers->done[1], &end, sizeof(end)) != sizeof(end))
			fail("write", errno);
	}
	return (void *)read(callers->leave[0], &end, 1);
}

/* Takes all that is asked, and answers nothing. */
static void take(void *context)
{
	int mailbox = *(int *)context;

	own(mailbox);
	for (;;)
		mailbox_recv(mailbox, SUPERVISOR_MSG_CALL);
}

/* From the death of the server until the last of @n callers knows. */
static double orphan_time(unsigned int n)
{
	struct callers callers = { .mailbox = mailbox_new(), .left = n };
	pthread_t *thread = calloc(n, sizeof(*thread));
	pthread_attr_t attr;
	uint64_t begin, end;
	pid_t server;

	if (!thread)
		fail("callers", ENOMEM);
	check_errno(pipe(callers.done), "pipe");
	check_errno(pipe(callers.leave), "pipe");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	server = process_start(take, &callers.mailbox);
	sleep_ms(20);
	for (unsigned int i = 0; i < n; i++) {
		int error = pthread_create(&thread[i], &attr, caller, &callers);

		if (error)
			fail("thread", error);
	}
	sleep_ms(100);
	begin = now_ns();
	process_end(server);
	if (read(callers.done[0], &end, sizeof(end)) != sizeof(end))
		fail("read", errno);
	close(callers.leave[1]);
	for (unsigned int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	pthread_attr_destroy(&attr);
	free(thread);
	close(callers.done[0]);
	close(callers.done[1]);
	close(callers.leave[0]);
	close(callers.mailbox);
	return (double)(end - begin);
}

/* One caller's share: what a server's death takes by itself is nobody's. */
static double orphan_cost(const void *context)
{
	const unsigned int *n = context;
	uint64_t took[WARM_UP];

	orphan_time(*n);
	for (int i = 0; i < WARM_UP; i++)
		took[i] = (uint64_t)(orphan_time(*n) - orphan_time(1));
	return median(took, WARM_UP) / (*n - 1);
}

void bench_orphans(void)
{
	unsigned int few = 100;
	unsigned int many = 1000;

	report(&(struct result){
		.name = "orphans",
		.what = "one caller of a dead server, of 1,000 against of 100",
		.unit = UNIT_US,
		.floor = elsewhere(orphan_cost, &few),
		.ours = elsewhere(orphan_cost, &many),
		.limit = 1.20,
	});
}
