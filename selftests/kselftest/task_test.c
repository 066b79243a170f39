// SPDX-License-Identifier: GPL-2.0
/*
 * The library's tasks: OTP's Task, for functions in forked processes and for
 * programs. A test for each rule of Task, and in the end nothing is left.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "kselftest_harness.h"

#include <supervisor.h>

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define SOON sup_deadline_in(PATIENCE_MS)
#define LARGE (3 << 20)

/* What tasks and tests tell each other: each of its own. */
struct shared {
	volatile pid_t pid;
	volatile int go;
	volatile int done;
	volatile int running;
	volatile int most;
	volatile int handled;
};

static struct shared *shared;

FIXTURE(task)
{
	int dev;
	struct sup_tasks *tasks;
	struct sup_task *task;
	struct sup_task_result result;
	unsigned int exits;
};

static void on_message(void *context, const struct supervisor_msg *msg)
{
	if (msg->type == SUPERVISOR_MSG_EXIT)
		++*(unsigned int *)context;
}

static unsigned int count_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

FIXTURE_SETUP(task)
{
	SUP_OPTS(sup_tasks_opts, opts, .on_message = on_message,
		 .context = &self->exits);

	shared = shared_memory(sizeof(*shared));
	ASSERT_NE(NULL, shared);
	self->exits = 0;
	self->task = NULL;
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	self->result = (struct sup_task_result){ SUP_DEFAULTS_sup_task_result };
	ASSERT_EQ(0, sup_tasks_new(&self->tasks, self->dev, &opts));
}

/* No process, no descriptor and no ref, whatever the test did. */
FIXTURE_TEARDOWN(task)
{
	struct supervisor_info info;

	sup_task_free(self->task);
	sup_tasks_free(self->tasks);
	ASSERT_TRUE(eventually((reap_all(), waitpid(-1, NULL, WNOHANG) < 0)));
	ASSERT_TRUE(eventually(!_test_info(self->dev, &info) &&
			       !info.out_used[SUPERVISOR_LIMIT_REFS]));
	close(self->dev);
}

#define T (self->tasks)
#define TASK (&self->task)
#define R (&self->result)

#define WORK(...) (&(const struct sup_work){ \
	.sz = sizeof(struct sup_work), .result_max = SUPERVISOR_PAYLOAD_MAX, \
	.supervisor = -1, ##__VA_ARGS__ })
#define FN(function_, arg_, ...) \
	WORK(.fn = (function_), .arg = (void *)(long)(arg_), ##__VA_ARGS__)

#define test_async(...) \
	ASSERT_EQ(0, sup_task_async(T, FN(__VA_ARGS__), TASK))
#define test_nolink(...) \
	ASSERT_EQ(0, sup_task_async_nolink(T, FN(__VA_ARGS__), TASK))
#define test_free() \
	do { \
		sup_task_free(self->task); \
		self->task = NULL; \
	} while (0)

/* ---- what tasks do ---- */

static int say(struct sup_task_writer *result, void *text)
{
	return sup_task_write(result, text, strlen(text));
}

static int say_number(struct sup_task_writer *result, void *number)
{
	long n = (long)number;

	return sup_task_write(result, &n, sizeof(n));
}

/* So many bytes, in pieces of odd sizes. */
static int say_much(struct sup_task_writer *result, void *bytes)
{
	size_t left = (size_t)bytes;
	char piece[4097];
	int ret = 0;

	for (unsigned char c = 0; left && !ret; c++) {
		size_t n = left < sizeof(piece) ? left : sizeof(piece);

		memset(piece, c, n);
		ret = sup_task_write(result, piece, n);
		left -= n;
	}
	return ret;
}

static bool much_is_right(const struct sup_task_result *result, size_t bytes)
{
	const unsigned char *at = result->data;

	if (result->len != bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (at[i] != (unsigned char)(i / 4097))
			return false;
	return true;
}

/* Writes too much, and does not care. */
static int say_too_much(struct sup_task_writer *result, void *bytes)
{
	say_much(result, bytes);
	return 0;
}

static int fail(struct sup_task_writer *result, void *value)
{
	say(result, "lost");
	return (int)(long)value;
}

static int leave(struct sup_task_writer *result, void *status)
{
	say(result, "lost");
	_exit((int)(long)status);
}

static int die_of(struct sup_task_writer *result, void *number)
{
	raise((int)(long)number);
	return 0;
}

static int wait_ever(struct sup_task_writer *result, void *unused)
{
	shared->pid = getpid();
	for (;;)
		pause();
	return 0;
}

/* When it is told, so that nothing can be too late or too early. */
static int wait_go(struct sup_task_writer *result, void *text)
{
	shared->pid = getpid();
	while (!shared->go)
		sleep_ms(1);
	say(result, text);
	shared->done = 1;
	return 0;
}

static int wait_go_crash(struct sup_task_writer *result, void *unused)
{
	wait_go(result, "");
	return -EIO;
}

/* Refuses to end when asked. */
static int stay(struct sup_task_writer *result, void *unused)
{
	signal(SIGTERM, SIG_IGN);
	return wait_ever(result, unused);
}

static void exit_normally(int number)
{
	_exit(0);
}

static int end_normally(struct sup_task_writer *result, void *unused)
{
	signal(SIGTERM, exit_normally);
	return wait_ever(result, unused);
}

static void exit_with_5(int number)
{
	_exit(5);
}

static int end_with_5(struct sup_task_writer *result, void *unused)
{
	signal(SIGTERM, exit_with_5);
	return wait_ever(result, unused);
}

/* ---- replies ---- */

TEST_F(task, replies)
{
	test_async(say, "hello");
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(SUP_TASK_OK, self->result.kind);
	EXPECT_EQ(5, self->result.len);
	EXPECT_EQ(0, memcmp(self->result.data, "hello", 5));
	EXPECT_EQ(sup_task_pid(self->task), self->result.pid);
	/* it is known from now on */
	EXPECT_EQ(0, sup_task_await(self->task, 0, NULL));
	EXPECT_EQ(1, sup_task_yield(self->task, 0, R));
	EXPECT_EQ(SUP_TASK_OK, sup_task_result(self->task, R));
	EXPECT_EQ(1, sup_task_shutdown(self->task, 0, R));
	EXPECT_EQ(5, self->result.len);
}

TEST_F(task, replies_with_nothing)
{
	test_nolink(say, "");
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(SUP_TASK_OK, self->result.kind);
	EXPECT_EQ(0, self->result.len);
	EXPECT_NE(NULL, self->result.data);
}

TEST_F(task, replies_with_as_much_as_a_message_has)
{
	test_nolink(say_much, SUPERVISOR_PAYLOAD_MAX);
	ASSERT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_TRUE(much_is_right(R, SUPERVISOR_PAYLOAD_MAX));
}

TEST_F(task, too_large_a_reply_says_so)
{
	test_nolink(say_much, SUPERVISOR_PAYLOAD_MAX + 1);
	EXPECT_EQ(-EMSGSIZE, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(SUP_TASK_EXIT, self->result.kind);
	EXPECT_EQ(EMSGSIZE, self->result.error);
	test_free();
	/* also if its function does not */
	test_nolink(say_too_much, SUPERVISOR_PAYLOAD_MAX + 1);
	EXPECT_EQ(-EMSGSIZE, sup_task_await(self->task, SOON, R));
	test_free();
	test_nolink(say_too_much, 11, .result_max = 10);
	EXPECT_EQ(-EMSGSIZE, sup_task_await(self->task, SOON, R));
}

TEST_F(task, replies_in_a_file)
{
	unsigned int fds = count_fds();

	test_nolink(say_much, LARGE, .result_max = LARGE);
	ASSERT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_TRUE(much_is_right(R, LARGE));
	test_free();
	test_nolink(say_much, 100, .result_max = LARGE);
	ASSERT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_TRUE(much_is_right(R, 100));
	test_free();
	test_nolink(say_much, LARGE + 1, .result_max = LARGE);
	EXPECT_EQ(-EMSGSIZE, sup_task_await(self->task, SOON, R));
	test_free();
	EXPECT_EQ(fds + 1, count_fds());	/* the mailbox */
}

/* Each waits for room in the mailbox, which who awaits the last one makes. */
TEST_F(task, large_replies_do_not_block_each_other)
{
	struct sup_task *tasks[40];

	for (int i = 0; i < 40; i++)
		ASSERT_EQ(0, sup_task_async_nolink(
			T, FN(say_much, SUPERVISOR_PAYLOAD_MAX), &tasks[i]));
	for (int i = 39; i >= 0; i--) {
		ASSERT_EQ(0, sup_task_await(tasks[i], SOON, R));
		EXPECT_TRUE(much_is_right(R, SUPERVISOR_PAYLOAD_MAX));
		sup_task_free(tasks[i]);
	}
}

TEST_F(task, completed)
{
	ASSERT_EQ(0, sup_task_completed(T, "done", 4, TASK));
	EXPECT_EQ(0, sup_task_pid(self->task));
	EXPECT_EQ(0, sup_task_await(self->task, 0, R));
	EXPECT_EQ(4, self->result.len);
	EXPECT_EQ(1, sup_task_shutdown(self->task, SUPERVISOR_SHUTDOWN_KILL, R));
	EXPECT_EQ(1, sup_task_ignore(self->task, R));
}

/* ---- ends without a reply ---- */

TEST_F(task, crash_says_how)
{
	static const struct {
		sup_task_fn fn;
		long arg;
		__u32 reason;
		int status;
		int error;
	} rows[] = {
		{ fail, -EIO, SUPERVISOR_EXIT_CRASH, 1 << 8, EIO },
		{ fail, 7, SUPERVISOR_EXIT_CRASH, 7 << 8, 0 },
		{ leave, 3, SUPERVISOR_EXIT_CRASH, 3 << 8, 0 },
		{ leave, 0, SUPERVISOR_EXIT_NORMAL, 0, 0 },
		{ die_of, SIGUSR1, SUPERVISOR_EXIT_CRASH, SIGUSR1, 0 },
		{ die_of, SIGTERM, SUPERVISOR_EXIT_CRASH, SIGTERM, 0 },
		{ die_of, SIGKILL, SUPERVISOR_EXIT_KILLED, SIGKILL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_nolink(rows[i].fn, rows[i].arg);
		EXPECT_EQ(-EOWNERDEAD, sup_task_await(self->task, SOON, R));
		EXPECT_EQ(SUP_TASK_EXIT, self->result.kind);
		EXPECT_EQ(rows[i].reason, self->result.reason);
		EXPECT_EQ(rows[i].status, self->result.status);
		EXPECT_EQ(rows[i].error, self->result.error);
		EXPECT_EQ(NULL, self->result.data);
		test_free();
	}
}

/* Killed wherever it is, it replies or says that it was killed. */
TEST_F(task, killed_at_every_point)
{
	unsigned int replied = 0, killed = 0;
	unsigned int all = rounds(300);

	for (unsigned int i = 0; i < all; i++) {
		int ret;

		test_nolink(say, "x");
		usleep(i % 50 * 200);
		kill(sup_task_pid(self->task), SIGKILL);
		ret = sup_task_await(self->task, SOON, R);
		if (ret) {
			ASSERT_EQ(-EOWNERDEAD, ret);
			ASSERT_EQ(SUPERVISOR_EXIT_KILLED, self->result.reason);
			killed++;
		} else {
			ASSERT_EQ(1, self->result.len);
			replied++;
		}
		test_free();
	}
	TH_LOG("%u replied, %u were killed", replied, killed);
}

/* ---- links ---- */

static struct sup_tasks *owner_begin(void)
{
	struct sup_tasks *tasks;

	if (sup_tasks_new(&tasks, device_open(), NULL))
		_exit(100);
	return tasks;
}

static void owner_async(struct sup_tasks *tasks, bool link, sup_task_fn fn,
			struct sup_task **task)
{
	int ret = link ? sup_task_async(tasks, FN(fn, ""), task) :
			 sup_task_async_nolink(tasks, FN(fn, ""), task);

	if (ret)
		_exit(101);
}

static int owner_of_crash(void *link)
{
	struct sup_tasks *tasks = owner_begin();
	struct sup_task *task;
	int ret;

	owner_async(tasks, link, wait_go_crash, &task);
	shared->go = 1;
	ret = sup_task_await(task, SOON, NULL);
	/* of the linked one, we may be told before we die */
	if (link)
		pause();
	return ret == -EOWNERDEAD ? 0 : -1;
}

TEST_F(task, crash_kills_who_is_linked)
{
	EXPECT_EQ(-ECHILD, in_process(owner_of_crash, (void *)1));
}

TEST_F(task, crash_spares_who_is_not)
{
	EXPECT_EQ(0, in_process(owner_of_crash, NULL));
}

static int owner_that_exits(void *link)
{
	struct sup_task *task;

	owner_async(owner_begin(), link, wait_go, &task);
	while (!shared->pid)
		sleep_ms(1);
	return 0;
}

static int owner_that_is_killed(void *link)
{
	owner_that_exits(link);
	raise(SIGKILL);
	return 0;
}

TEST_F(task, outlives_an_owner_that_exits)
{
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, in_process(owner_that_exits, (void *)1));
	EXPECT_TRUE(is_alive(shared->pid));
	shared->go = 1;
	EXPECT_TRUE(eventually(shared->done));
	EXPECT_TRUE(is_dead_after(shared->pid, PATIENCE_MS));
}

TEST_F(task, dies_with_an_owner_that_crashes)
{
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(-ECHILD, in_process(owner_that_is_killed, (void *)1));
	EXPECT_TRUE(is_dead_after(shared->pid, PATIENCE_MS));
	EXPECT_EQ(0, shared->done);
}

TEST_F(task, outlives_who_is_not_linked)
{
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(-ECHILD, in_process(owner_that_is_killed, NULL));
	EXPECT_TRUE(is_alive(shared->pid));
	shared->go = 1;
	EXPECT_TRUE(eventually(shared->done));
	EXPECT_TRUE(is_dead_after(shared->pid, PATIENCE_MS));
}

/* A linked task that is not let in yet ends with its owner, too. */
static int owner_killed_sometime(void *unused)
{
	struct sup_tasks *tasks = owner_begin();
	struct sup_task *task;

	for (;;) {
		owner_async(tasks, true, wait_ever, &task);
		shared->done++;
	}
	return 0;
}

TEST_F(task, owner_killed_at_every_point)
{
	unsigned int all = rounds(40);

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (unsigned int i = 0; i < all; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			owner_killed_sometime(NULL);
		ASSERT_TRUE(eventually(shared->done > (int)i % 5));
		for (volatile unsigned int n = 0; n < i * 2000; n++)
			;
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_TRUE(eventually((reap_all(),
					waitpid(-1, NULL, WNOHANG) < 0)));
		shared->done = 0;
	}
}

TEST_F(task, who_traps_exits_is_told_of_each)
{
	ASSERT_EQ(0, sup_trap_exit(self->dev, sup_tasks_mailbox(T)));
	test_async(say, "x");
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	test_free();
	/* told while something else is waited for */
	test_nolink(wait_go, "");
	ASSERT_TRUE(eventually((sup_task_yield(self->task, sup_deadline_in(1), R),
				self->exits == 1)));
	shared->go = 1;
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	test_free();
	EXPECT_EQ(1, self->exits);

	test_async(fail, -EIO);
	EXPECT_EQ(-EOWNERDEAD, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(EIO, self->result.error);
	test_free();
	shared->go = 0;
	test_nolink(wait_go, "");
	ASSERT_TRUE(eventually((sup_task_yield(self->task, sup_deadline_in(1), R),
				self->exits == 2)));
	shared->go = 1;
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
}

/* ---- owners ---- */

static struct sup_tasks *inherited;
static struct sup_task *inherited_task;

static int use_inherited(void *unused)
{
	SUP_OPTS(sup_task_result, result);
	SUP_OPTS(sup_stream_opts, stream_opts, .next = (void *)fail);
	struct sup_stream *stream;
	struct sup_task *task;

	if (sup_task_await(inherited_task, 0, &result) != -EPERM)
		return -1;
	if (sup_task_await_many(&inherited_task, 1, 0) != -EPERM)
		return -2;
	if (sup_task_yield(inherited_task, 0, &result) != -EPERM)
		return -3;
	if (sup_task_yield_many(&inherited_task, 1, NULL) != -EPERM)
		return -4;
	if (sup_task_shutdown(inherited_task, 0, &result) != -EPERM)
		return -5;
	if (sup_task_ignore(inherited_task, &result) != -EPERM)
		return -6;
	if (sup_task_async(inherited, FN(say, "x"), &task) != -EPERM)
		return -7;
	if (sup_task_async_nolink(inherited, FN(say, "x"), &task) != -EPERM)
		return -8;
	if (sup_task_start(inherited, FN(say, "x")) != -EPERM)
		return -9;
	if (sup_task_start_link(inherited, FN(say, "x")) != -EPERM)
		return -10;
	if (sup_task_completed(inherited, "", 0, &task) != -EPERM)
		return -11;
	if (sup_tasks_mailbox(inherited) != -EPERM)
		return -12;
	if (sup_task_async_stream(inherited, &stream_opts, &stream) != -EPERM)
		return -13;
	return 0;
}

static int free_inherited(void *unused)
{
	sup_task_free(inherited_task);
	sup_tasks_free(inherited);
	return 0;
}

static int await_inherited(struct sup_task_writer *result, void *unused)
{
	return use_inherited(NULL);
}

TEST_F(task, only_its_owner_may_wait)
{
	struct sup_task *task;

	test_nolink(wait_go, "mine");
	inherited = T;
	inherited_task = self->task;
	EXPECT_EQ(0, in_process(use_inherited, NULL));
	EXPECT_EQ(0, in_process(free_inherited, NULL));
	/* nor may another task of his */
	ASSERT_EQ(0, sup_task_async_nolink(T, FN(await_inherited, 0), &task));
	EXPECT_EQ(0, sup_task_await(task, SOON, R));
	sup_task_free(task);
	shared->go = 1;
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(4, self->result.len);
}

static void on_signal(int number)
{
	shared->handled = getpid();
}

static int raise_and_go_on(struct sup_task_writer *result, void *number)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (sigismember(&mask, SIGUSR2))
		return 50;
	raise((int)(long)number);
	return 0;
}

TEST_F(task, has_no_handlers)
{
	sigset_t mask, old;

	signal(SIGUSR1, on_signal);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_BLOCK, &mask, &old);
	test_nolink(raise_and_go_on, SIGUSR1);
	EXPECT_EQ(-EOWNERDEAD, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(SIGUSR1, self->result.status);
	EXPECT_EQ(0, shared->handled);
	/* and we have what we had */
	sigprocmask(SIG_SETMASK, &old, &mask);
	EXPECT_TRUE(sigismember(&mask, SIGUSR2));
	EXPECT_FALSE(sigismember(&mask, SIGTERM));
	raise(SIGUSR1);
	EXPECT_EQ(getpid(), shared->handled);
	signal(SIGUSR1, SIG_DFL);
}

static int say_fds(struct sup_task_writer *result, void *unused)
{
	return say_number(result, (void *)(long)count_fds());
}

/* Neither the mailbox nor others' results: they would live as long as it. */
TEST_F(task, has_nothing_of_its_owners)
{
	struct sup_task *other;
	long fds;

	ASSERT_EQ(0, sup_task_async_nolink(
		T, FN(wait_go, "", .result_max = LARGE), &other));
	test_nolink(say_fds, 0);
	ASSERT_EQ(0, sup_task_await(self->task, SOON, R));
	ASSERT_EQ(sizeof(fds), self->result.len);
	memcpy(&fds, self->result.data, sizeof(fds));
	EXPECT_EQ(count_fds() - 2, fds);
	shared->go = 1;
	EXPECT_EQ(0, sup_task_await(other, SOON, NULL));
	sup_task_free(other);
}

TEST_F(task, bad_work)
{
	struct sup_command *command;
	struct sup_task *task = self->task;

	EXPECT_EQ(-EINVAL, sup_task_async(T, NULL, &task));
	EXPECT_EQ(NULL, task);
	EXPECT_EQ(-EINVAL, sup_task_async(T, WORK(), &task));
	ASSERT_EQ(0, sup_command_new(&command));
	EXPECT_EQ(-EINVAL, sup_task_async(T, FN(say, "x", .command = command),
					  &task));
	EXPECT_EQ(-EINVAL, sup_task_async(T, WORK(.command = command), &task));
	sup_command_free(command);
	EXPECT_EQ(-EINVAL, sup_task_async(T, FN(say, "x", .result_max = ~0ULL),
					  &task));
	EXPECT_EQ(-EINVAL, sup_task_async(T, FN(say, "x", .sz = 8), &task));
	test_nolink(say, "x");
	EXPECT_EQ(-EINVAL, sup_task_shutdown(self->task, -7, R));
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
}

/* ---- await ---- */

TEST_F(task, timeout_gives_it_up)
{
	test_async(wait_go, "late");
	EXPECT_EQ(-ETIMEDOUT, sup_task_await(self->task, sup_deadline_in(10), R));
	EXPECT_EQ(SUP_TASK_NONE, self->result.kind);
	EXPECT_TRUE(is_alive(self->result.pid));
	EXPECT_EQ(-ESTALE, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(-ESTALE, sup_task_yield(self->task, SOON, R));
	EXPECT_EQ(-ESTALE, sup_task_shutdown(self->task, 0, R));
	EXPECT_EQ(-ESTALE, sup_task_ignore(self->task, R));
	/* what it says is dropped, and it ends well: its link says so */
	shared->go = 1;
	EXPECT_TRUE(is_dead_after(self->result.pid, PATIENCE_MS));
	EXPECT_EQ(1, shared->done);
	test_free();
	test_async(say, "next");
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(0, memcmp(self->result.data, "next", 4));
}

TEST_F(task, deadline_of_0_does_not_wait)
{
	test_nolink(wait_go, "x");
	EXPECT_EQ(0, sup_task_yield(self->task, 0, R));
	EXPECT_EQ(-ETIMEDOUT, sup_task_await(self->task, 0, R));
	shared->go = 1;
}

static void on_alarm(int number)
{
}

TEST_F(task, signal_interrupts_a_wait)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	test_nolink(wait_go, "x");
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	EXPECT_EQ(-EINTR, sup_task_await(self->task, SOON, R));
	setitimer(ITIMER_REAL, &never, NULL);
	shared->go = 1;
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
}

#define MANY 5

/* Frees what there is. */
static void free_many(struct sup_task **many)
{
	for (int i = 0; i < MANY; i++)
		sup_task_free(many[i]);
}

TEST_F(task, await_many)
{
	struct sup_task *many[MANY];
	long n;

	for (long i = 0; i < MANY; i++)
		ASSERT_EQ(0, sup_task_async(T, FN(say_number, i), &many[i]));
	EXPECT_EQ(0, sup_task_await_many(many, MANY, SOON));
	for (long i = 0; i < MANY; i++) {
		ASSERT_EQ(SUP_TASK_OK, sup_task_result(many[i], R));
		memcpy(&n, self->result.data, sizeof(n));
		EXPECT_EQ(i, n);
	}
	free_many(many);
	EXPECT_EQ(0, sup_task_await_many(NULL, 0, SOON));
}

TEST_F(task, await_many_ends_with_the_first_death)
{
	struct sup_task *many[MANY];

	for (int i = 0; i < MANY; i++)
		ASSERT_EQ(0, sup_task_async_nolink(
			T, i == 3 ? FN(fail, -EIO) : FN(wait_go, ""), &many[i]));
	EXPECT_EQ(-EOWNERDEAD, sup_task_await_many(many, MANY, SOON));
	EXPECT_EQ(SUP_TASK_EXIT, sup_task_result(many[3], R));
	EXPECT_EQ(EIO, self->result.error);
	EXPECT_EQ(SUP_TASK_NONE, sup_task_result(many[0], R));
	EXPECT_EQ(-ESTALE, sup_task_await(many[0], 0, R));
	shared->go = 1;
	free_many(many);
}

TEST_F(task, await_many_has_one_deadline)
{
	struct sup_task *many[MANY];

	for (long i = 0; i < MANY; i++)
		ASSERT_EQ(0, sup_task_async_nolink(
			T, i == 3 ? FN(say_number, i) : FN(wait_go, ""), &many[i]));
	EXPECT_EQ(0, sup_task_await(many[3], SOON, R));
	EXPECT_EQ(-ETIMEDOUT, sup_task_await_many(many, MANY, sup_deadline_in(10)));
	EXPECT_EQ(SUP_TASK_OK, sup_task_result(many[3], R));
	EXPECT_EQ(-ESTALE, sup_task_await(many[4], 0, R));
	shared->go = 1;
	free_many(many);
}

TEST_F(task, await_many_is_of_one_owner)
{
	struct sup_tasks *others;
	struct sup_task *many[2];

	ASSERT_EQ(0, sup_tasks_new(&others, self->dev, NULL));
	ASSERT_EQ(0, sup_task_async(T, FN(say, "x"), &many[0]));
	ASSERT_EQ(0, sup_task_async(others, FN(say, "y"), &many[1]));
	EXPECT_EQ(-EINVAL, sup_task_await_many(many, 2, SOON));
	EXPECT_EQ(0, sup_task_await(many[1], SOON, NULL));
	EXPECT_EQ(0, sup_task_await(many[0], SOON, NULL));
	sup_task_free(many[0]);
	sup_task_free(many[1]);
	sup_tasks_free(others);
}

/* ---- yield ---- */

TEST_F(task, yields_again)
{
	test_async(wait_go, "at last");
	EXPECT_EQ(0, sup_task_yield(self->task, sup_deadline_in(5), R));
	EXPECT_EQ(SUP_TASK_NONE, self->result.kind);
	EXPECT_EQ(0, sup_task_yield(self->task, sup_deadline_in(5), R));
	shared->go = 1;
	EXPECT_EQ(1, sup_task_yield(self->task, SOON, R));
	EXPECT_EQ(SUP_TASK_OK, self->result.kind);
	EXPECT_EQ(7, self->result.len);
}

TEST_F(task, yields_any_end)
{
	test_nolink(leave, 0);
	EXPECT_EQ(1, sup_task_yield(self->task, SOON, R));
	EXPECT_EQ(SUP_TASK_EXIT, self->result.kind);
	EXPECT_EQ(SUPERVISOR_EXIT_NORMAL, self->result.reason);
}

TEST_F(task, yield_many_up_to_a_limit)
{
	struct sup_task *many[MANY];
	SUP_OPTS(sup_yield_opts, opts, .limit = 2, .deadline = SOON,
		 .on_timeout = SUP_ON_TIMEOUT_KILL);

	for (long i = 0; i < MANY; i++)
		ASSERT_EQ(0, sup_task_async_nolink(
			T, i % 2 ? FN(say_number, i) : FN(wait_go, ""), &many[i]));
	EXPECT_EQ(2, sup_task_yield_many(many, MANY, &opts));
	EXPECT_EQ(SUP_TASK_OK, sup_task_result(many[1], R));
	EXPECT_EQ(SUP_TASK_OK, sup_task_result(many[3], R));
	/* the deadline has not passed: the others are still awaited */
	EXPECT_EQ(SUP_TASK_NONE, sup_task_result(many[0], R));
	shared->go = 1;
	opts.limit = 0;
	EXPECT_EQ(MANY, sup_task_yield_many(many, MANY, &opts));
	free_many(many);
}

TEST_F(task, yield_many_on_timeout)
{
	static const __u32 what[] = { SUP_ON_TIMEOUT_NOTHING,
				      SUP_ON_TIMEOUT_IGNORE, SUP_ON_TIMEOUT_KILL };
	struct sup_task *many[MANY];

	for (int w = 0; w < 3; w++) {
		SUP_OPTS(sup_yield_opts, opts, .on_timeout = what[w]);

		shared->go = 0;
		for (long i = 0; i < MANY; i++)
			ASSERT_EQ(0, sup_task_async_nolink(
				T, i == 1 ? FN(say, "x") : FN(wait_go, ""),
				&many[i]));
		EXPECT_EQ(0, sup_task_await(many[1], SOON, NULL));
		opts.deadline = sup_deadline_in(10);
		EXPECT_EQ(1, sup_task_yield_many(many, MANY, &opts));
		sup_task_result(many[0], R);
		EXPECT_EQ(what[w] != SUP_ON_TIMEOUT_KILL,
			  is_alive(self->result.pid));
		opts.deadline = 0;
		EXPECT_EQ(what[w] ? -ESTALE : 1,
			  sup_task_yield_many(many, MANY, &opts));
		shared->go = 1;
		free_many(many);
	}
}

TEST_F(task, yield_many_bad)
{
	SUP_OPTS(sup_yield_opts, opts, .on_timeout = SUP_ON_TIMEOUT_EXIT);

	test_nolink(say, "x");
	EXPECT_EQ(-EINVAL, sup_task_yield_many(TASK, 1, &opts));
	opts.on_timeout = 0;
	opts.reserved = 1;
	EXPECT_EQ(-EINVAL, sup_task_yield_many(TASK, 1, &opts));
	EXPECT_EQ(1, sup_task_yield_many(TASK, 1, NULL));
	/* twice the same is one */
	struct sup_task *same[2] = { self->task, self->task };

	EXPECT_EQ(2, sup_task_yield_many(same, 2, NULL));
}

/* ---- shutdown and ignore ---- */

TEST_F(task, shutdown_outcomes)
{
	static const struct {
		sup_task_fn fn;
		__s64 timeout;
		int ret;
		__u32 reason;
		int status;
	} rows[] = {
		{ wait_ever, PATIENCE_MS, 0, 0, 0 },
		{ wait_ever, SUPERVISOR_SHUTDOWN_INFINITY, 0, 0, 0 },
		{ wait_ever, SUPERVISOR_SHUTDOWN_KILL, 0, 0, 0 },
		/* it was asked, and did not: killed is not what it was asked */
		{ stay, 10, 1, SUPERVISOR_EXIT_KILLED, SIGKILL },
		{ stay, SUPERVISOR_SHUTDOWN_KILL, 0, 0, 0 },
		{ end_normally, PATIENCE_MS, 1, SUPERVISOR_EXIT_NORMAL, 0 },
		{ end_with_5, PATIENCE_MS, 1, SUPERVISOR_EXIT_CRASH, 5 << 8 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		shared->pid = 0;
		/* linked: a shutdown unlinks first, or we would die */
		test_async(rows[i].fn, 0);
		ASSERT_TRUE(eventually(shared->pid));
		EXPECT_EQ(rows[i].ret, sup_task_shutdown(self->task,
							 rows[i].timeout, R));
		EXPECT_EQ(rows[i].ret ? SUP_TASK_EXIT : SUP_TASK_NONE,
			  self->result.kind);
		if (rows[i].ret) {
			EXPECT_EQ(rows[i].reason, self->result.reason);
			EXPECT_EQ(rows[i].status, self->result.status);
		}
		EXPECT_FALSE(is_alive(shared->pid));
		test_free();
	}
}

static volatile sig_atomic_t asked;

static void note_asked(int number)
{
	asked = 1;
}

static int reply_when_asked(struct sup_task_writer *result, void *unused)
{
	signal(SIGTERM, note_asked);
	shared->pid = getpid();
	while (!asked)
		sleep_ms(1);
	return sup_task_write(result, "late", 4);
}

/* Its reply is its outcome; and it is dead, as all that are shut down. */
TEST_F(task, shutdown_of_one_that_replies)
{
	for (int i = 0; i < 20; i++) {
		shared->pid = 0;
		test_async(reply_when_asked, 0);
		ASSERT_TRUE(eventually(shared->pid));
		ASSERT_EQ(1, sup_task_shutdown(self->task, PATIENCE_MS, R));
		ASSERT_EQ(SUP_TASK_OK, self->result.kind);
		ASSERT_EQ(4, self->result.len);
		ASSERT_FALSE(is_alive(shared->pid));
		test_free();
	}
}

TEST_F(task, shutdown_of_a_stopped_one)
{
	test_nolink(wait_ever, 0);
	ASSERT_TRUE(eventually(shared->pid));
	ASSERT_EQ(0, kill(shared->pid, SIGSTOP));
	ASSERT_TRUE(process_becomes(shared->pid, "T"));
	EXPECT_EQ(0, sup_task_shutdown(self->task, SUPERVISOR_SHUTDOWN_INFINITY,
				       R));
}

TEST_F(task, shutdown_takes_a_reply_that_is_there)
{
	test_async(say, "early");
	ASSERT_TRUE(is_dead_after(sup_task_pid(self->task), PATIENCE_MS));
	EXPECT_EQ(1, sup_task_shutdown(self->task, SUPERVISOR_SHUTDOWN_KILL, R));
	EXPECT_EQ(SUP_TASK_OK, self->result.kind);
	EXPECT_EQ(5, self->result.len);
}

TEST_F(task, ignore)
{
	/* it runs */
	test_async(wait_go_crash, 0);
	EXPECT_EQ(0, sup_task_ignore(self->task, R));
	EXPECT_EQ(-ESTALE, sup_task_ignore(self->task, R));
	/* not linked any more: its crash is not ours */
	shared->go = 1;
	EXPECT_TRUE(is_dead_after(sup_task_pid(self->task), PATIENCE_MS));
	test_free();
	/* its reply is there */
	test_async(say, "x");
	ASSERT_TRUE(is_dead_after(sup_task_pid(self->task), PATIENCE_MS));
	EXPECT_EQ(1, sup_task_ignore(self->task, R));
	EXPECT_EQ(SUP_TASK_OK, self->result.kind);
	test_free();
	/* it has died */
	test_nolink(fail, -EIO);
	EXPECT_EQ(1, sup_task_yield(self->task, SOON, R));
	EXPECT_EQ(1, sup_task_ignore(self->task, R));
	EXPECT_EQ(SUP_TASK_EXIT, self->result.kind);
}

TEST_F(task, start)
{
	pid_t pid;

	pid = sup_task_start(T, FN(wait_go, "nobody listens"));
	ASSERT_LT(0, pid);
	EXPECT_TRUE(eventually(shared->pid == pid));
	shared->go = 1;
	EXPECT_TRUE(eventually(shared->done));
	EXPECT_TRUE(is_dead_after(pid, PATIENCE_MS));
	/* its crash is nobody's */
	EXPECT_LT(0, sup_task_start(T, FN(fail, -EIO)));
	/* and they are reaped by and by */
	for (int i = 0; i < 20; i++)
		ASSERT_LT(0, sup_task_start(T, FN(say, "x")));
}

static int owner_of_start_link(void *unused)
{
	if (sup_task_start_link(owner_begin(), FN(wait_go_crash, 0)) < 0)
		return -1;
	shared->go = 1;
	sleep_ms(PATIENCE_MS);
	return -2;
}

TEST_F(task, start_link)
{
	EXPECT_EQ(-ECHILD, in_process(owner_of_start_link, NULL));
	/* a normal end is no reason to die, however early it comes */
	for (int i = 0; i < 20; i++)
		ASSERT_LT(0, sup_task_start_link(T, FN(say, "x")));
}

/* ---- programs ---- */

static struct sup_command *shell(const char *script)
{
	struct sup_command *command;

	if (sup_command_new(&command) || sup_command_add_arg(command, "/bin/sh") ||
	    sup_command_add_arg(command, "-c") ||
	    sup_command_add_arg(command, script))
		abort();
	return command;
}

static int async_shell(struct sup_tasks *tasks, bool link, const char *script,
		       __u64 max, struct sup_task **task)
{
	struct sup_command *command = shell(script);
	const struct sup_work *work = WORK(.command = command, .result_max = max);
	int ret;

	ret = link ? sup_task_async(tasks, work, task) :
		     sup_task_async_nolink(tasks, work, task);
	sup_command_free(command);
	return ret;
}

TEST_F(task, program)
{
	unsigned int fds;

	ASSERT_EQ(0, async_shell(T, true, "printf 'a b'; printf c", 4, TASK));
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	ASSERT_EQ(4, self->result.len);
	EXPECT_EQ(0, memcmp(self->result.data, "a bc", 4));
	test_free();
	fds = count_fds();
	ASSERT_EQ(0, async_shell(T, true, ":", 0, TASK));
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(0, self->result.len);
	test_free();
	/* what it has said counts, but it crashed */
	ASSERT_EQ(0, async_shell(T, false, "echo partly; exit 3", 100, TASK));
	EXPECT_EQ(-EOWNERDEAD, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(SUPERVISOR_EXIT_CRASH, self->result.reason);
	EXPECT_EQ(3 << 8, self->result.status);
	ASSERT_EQ(7, self->result.len);
	EXPECT_EQ(0, memcmp(self->result.data, "partly\n", 7));
	test_free();
	EXPECT_EQ(fds, count_fds());
}

TEST_F(task, program_says_too_much)
{
	ASSERT_EQ(0, async_shell(T, false, "printf 1234", 3, TASK));
	EXPECT_EQ(-EMSGSIZE, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(EMSGSIZE, self->result.error);
	EXPECT_EQ(3, self->result.len);
	test_free();
	/* it is not let: it would go on for ever */
	ASSERT_EQ(0, async_shell(T, false,
				 "while echo 123456789; do :; done 2>/dev/null", 5000,
				 TASK));
	EXPECT_EQ(-EMSGSIZE, sup_task_await(self->task, SOON, R));
	test_free();
	ASSERT_EQ(0, async_shell(T, false, "head -c 3145728 /dev/zero", LARGE,
				 TASK));
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(LARGE, self->result.len);
	EXPECT_EQ(0, *(const char *)self->result.data);
}

/* It never was a task: its owner is told, and does not die of it. */
TEST_F(task, program_that_is_not_there)
{
	struct sup_command *command;

	ASSERT_EQ(0, sup_command_new(&command));
	ASSERT_EQ(0, sup_command_add_arg(command, "/no/such/program"));
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(-ENOENT, sup_task_async(T, WORK(.command = command),
						  TASK));
	EXPECT_EQ(-ENOENT, sup_task_start_link(T, WORK(.command = command)));
	sup_command_free(command);
	EXPECT_EQ(NULL, self->task);
}

TEST_F(task, programs_group_ends_with_it)
{
	char *text;
	pid_t pid;

	ASSERT_EQ(0, async_shell(T, false, "sleep 1000 & echo $!", 100, TASK));
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	text = strndup(self->result.data, self->result.len);
	pid = atoi(text);
	free(text);
	ASSERT_LT(0, pid);
	EXPECT_TRUE(eventually(!is_alive(pid)));
	test_free();
	/* and is asked with it */
	ASSERT_EQ(0, async_shell(T, true, "sleep 1000", 100, TASK));
	EXPECT_EQ(0, sup_task_shutdown(self->task, PATIENCE_MS, R));
}

static int owner_of_shell(void *unused)
{
	struct sup_task *task;

	if (async_shell(owner_begin(), true, "exit 3", 10, &task))
		return -1;
	sleep_ms(PATIENCE_MS);
	return -2;
}

TEST_F(task, program_crash_kills_who_is_linked)
{
	EXPECT_EQ(-ECHILD, in_process(owner_of_shell, NULL));
}

/* ---- task supervisors ---- */

/* Of at most two tasks; in its @mailbox nothing ever comes. */
static int task_supervisor(int dev, int *mailbox)
{
	SUP_OPTS(sup_child_opts, child, .restart = SUPERVISOR_TEMPORARY);
	SUP_OPTS(sup_create_opts, opts, .kind = SUPERVISOR_DYNAMIC,
		 .spawn = SUPERVISOR_SPAWN_SELF, .max_children = 2,
		 .child = &child, .child_id = "task");
	int sup;

	*mailbox = sup_mailbox_create(dev, 0, NULL);
	sup = *mailbox < 0 ? *mailbox : sup_create(dev, *mailbox, &opts, NULL);
	if (sup >= 0 && sup_start(sup, SOON, NULL, NULL))
		return -1;
	return sup;
}

static bool has_children(int sup, __u64 children)
{
	struct supervisor_count count = { 0 };

	return !sup_count_children(sup, SOON, &count) && count.active == children;
}

TEST_F(task, supervised)
{
	int mailbox, sup = task_supervisor(self->dev, &mailbox);
	struct sup_command *command = shell("echo $$");
	struct sup_task *others[2];

	ASSERT_LE(0, sup);
	test_nolink(say, "hello", .supervisor = sup);
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	EXPECT_EQ(5, self->result.len);
	test_free();
	ASSERT_EQ(0, sup_task_async(T, WORK(.command = command, .supervisor = sup),
				    TASK));
	EXPECT_EQ(0, sup_task_await(self->task, SOON, R));
	test_free();
	ASSERT_TRUE(eventually(has_children(sup, 0)));

	/* as many as it may have; more are nobody's, and do nothing */
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, sup_task_async_nolink(
			T, FN(wait_ever, 0, .supervisor = sup), &others[i]));
	EXPECT_EQ(-EUSERS, sup_task_async(T, FN(wait_go, "", .supervisor = sup),
					  TASK));
	EXPECT_EQ(-EUSERS, sup_task_async(
		T, WORK(.command = command, .supervisor = sup), TASK));
	sup_command_free(command);
	EXPECT_TRUE(has_children(sup, 2));
	EXPECT_EQ(0, shared->done);

	/* it is the supervisor's to stop */
	EXPECT_EQ(0, sup_dynamic_terminate_pid(sup, sup_task_pid(others[0]), SOON,
					       NULL));
	EXPECT_EQ(-EOWNERDEAD, sup_task_await(others[0], SOON, R));
	EXPECT_EQ(SUPERVISOR_EXIT_SHUTDOWN, self->result.reason);
	EXPECT_EQ(0, sup_stop(sup, SUPERVISOR_EXIT_NORMAL, SOON));
	EXPECT_EQ(-EOWNERDEAD, sup_task_await(others[1], SOON, R));
	EXPECT_EQ(-ESHUTDOWN, sup_task_async(T, FN(say, "", .supervisor = sup),
					     TASK));
	sup_task_free(others[0]);
	sup_task_free(others[1]);
	close(sup);
	close(mailbox);
	EXPECT_EQ(-EBADF, sup_task_async(T, FN(say, "", .supervisor = sup), TASK));
}

/* ---- streams ---- */

struct items {
	unsigned int next;
	unsigned int all;
	sup_task_fn fn;
	int fd;			/* or -1: an item for each byte that is there */
	int error;		/* instead of the end */
	int *supervisor;	/* or NULL: nobody's */
};

static int next_item(void *context, struct sup_work *work, void **item)
{
	struct items *items = context;
	char byte;

	if (items->fd >= 0) {
		ssize_t n = read(items->fd, &byte, 1);

		if (n < 0)
			return -errno;
		if (!n)
			return 0;
	} else if (items->next == items->all) {
		return items->error;
	}
	if (items->supervisor)
		work->supervisor = *items->supervisor;
	work->fn = items->fn;
	work->arg = (void *)(long)items->next;
	*item = (void *)(long)items->next++;
	return 1;
}

/* The smaller the number, the longer it takes. */
static int take_time(struct sup_task_writer *result, void *number)
{
	int running = __atomic_add_fetch(&shared->running, 1, __ATOMIC_SEQ_CST);

	if (running > shared->most)
		shared->most = running;
	sleep_ms((long)number % 4 ? 1 : 4);
	__atomic_sub_fetch(&shared->running, 1, __ATOMIC_SEQ_CST);
	return say_number(result, number);
}

static int stop_at_some(struct sup_task_writer *result, void *number)
{
	if ((long)number % 5 == 2)
		wait_ever(result, NULL);
	return say_number(result, number);
}

static int crash_at_some(struct sup_task_writer *result, void *number)
{
	if ((long)number % 5 == 2)
		return -EIO;
	return say_number(result, number);
}

static int wait_at_first(struct sup_task_writer *result, void *number)
{
	if (!number)
		return wait_go(result, "first");
	return say_number(result, number);
}

#define STREAM(items_, ...) \
	SUP_OPTS(sup_stream_opts, opts, .next = next_item, .context = &(items_), \
		 .nolink = 1, .timeout_ms = SUP_TIMEOUT_INFINITY, ##__VA_ARGS__)

static long number_of(const struct sup_task_result *result)
{
	long n = -1;

	if (result->kind == SUP_TASK_OK && result->len == sizeof(n))
		memcpy(&n, result->data, sizeof(n));
	return n;
}

TEST_F(task, stream_is_ordered)
{
	struct items items = { .all = slow_kernel() ? 100 : 1000,
			       .fn = take_time, .fd = -1 };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;

	STREAM(items, .max_concurrency = 4, .nolink = 0);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	EXPECT_EQ(0, items.next);
	for (unsigned int i = 0; i < items.all; i++) {
		ASSERT_EQ(1, sup_stream_next(stream, SOON, &item));
		ASSERT_EQ(i, item.index);
		ASSERT_EQ(i, (long)item.item);
		ASSERT_EQ(i, number_of(&item.result));
	}
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	EXPECT_GE(4, shared->most);
	sup_stream_free(stream);
}

TEST_F(task, stream_is_not_ordered)
{
	struct items items = { .all = 50, .fn = wait_at_first, .fd = -1 };
	SUP_OPTS(sup_stream_item, item);
	bool seen[50] = { false };
	struct sup_stream *stream;

	STREAM(items, .max_concurrency = 3, .unordered = 1);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	/* the first holds one place, and all others go by */
	for (unsigned int i = 1; i < 50; i++) {
		ASSERT_EQ(1, sup_stream_next(stream, SOON, &item));
		ASSERT_LT(0, item.index);
		ASSERT_FALSE(seen[item.index]);
		seen[item.index] = true;
		ASSERT_EQ(item.index, number_of(&item.result));
	}
	EXPECT_EQ(1, item.running);
	shared->go = 1;
	ASSERT_EQ(1, sup_stream_next(stream, SOON, &item));
	EXPECT_EQ(0, item.index);
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	sup_stream_free(stream);
}

/* Results that wait for their turn hold no place. */
TEST_F(task, stream_goes_on_behind_a_slow_one)
{
	struct items items = { .all = 20, .fn = wait_at_first, .fd = -1 };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;

	STREAM(items, .max_concurrency = 2);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	ASSERT_TRUE(eventually(sup_stream_next(stream, sup_deadline_in(20),
					       &item) == -ETIMEDOUT &&
			       items.next == 20));
	shared->go = 1;
	for (unsigned int i = 0; i < 20; i++) {
		ASSERT_EQ(1, sup_stream_next(stream, SOON, &item));
		ASSERT_EQ(i, item.index);
	}
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	sup_stream_free(stream);
}

TEST_F(task, stream_of_crashes)
{
	struct items items = { .all = 20, .fn = crash_at_some, .fd = -1 };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;

	STREAM(items, .max_concurrency = 3);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	for (unsigned int i = 0; i < 20; i++) {
		ASSERT_EQ(1, sup_stream_next(stream, SOON, &item));
		ASSERT_EQ(i % 5 == 2 ? SUP_TASK_EXIT : SUP_TASK_OK,
			  item.result.kind);
		ASSERT_EQ(i % 5 == 2 ? EIO : 0, item.result.error);
	}
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	sup_stream_free(stream);
}

static int owner_of_stream(void *unused)
{
	struct items items = { .all = 20, .fn = crash_at_some, .fd = -1 };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;

	STREAM(items, .max_concurrency = 3, .nolink = 0);
	if (sup_task_async_stream(owner_begin(), &opts, &stream))
		return -1;
	while (sup_stream_next(stream, SOON, &item) == 1)
		;
	sleep_ms(PATIENCE_MS);
	return -2;
}

TEST_F(task, stream_that_is_linked_kills_with_a_crash)
{
	EXPECT_EQ(-ECHILD, in_process(owner_of_stream, NULL));
}

TEST_F(task, stream_kills_at_timeouts)
{
	struct items items = { .all = 10, .fn = stop_at_some, .fd = -1 };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;

	/* it may be slow: only those that never end are sure to be killed */
	STREAM(items, .max_concurrency = 3, .timeout_ms = 1000, .nolink = 0,
	       .on_timeout = SUP_ON_TIMEOUT_KILL);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	for (unsigned int i = 0; i < 10; i++) {
		ASSERT_EQ(1, sup_stream_next(stream, SOON, &item));
		ASSERT_EQ(i, item.index);
		if (i % 5 != 2 && item.result.kind == SUP_TASK_OK)
			continue;
		ASSERT_EQ(SUP_TASK_EXIT, item.result.kind);
		ASSERT_EQ(SUPERVISOR_EXIT_KILLED, item.result.reason);
		ASSERT_EQ(ETIMEDOUT, item.result.error);
		ASSERT_TRUE(eventually(!is_alive(item.result.pid)));
	}
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	sup_stream_free(stream);
}

TEST_F(task, stream_ends_at_a_timeout)
{
	struct items items = { .all = 10, .fn = wait_ever, .fd = -1 };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;

	STREAM(items, .max_concurrency = 3, .timeout_ms = 20, .nolink = 0);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	EXPECT_EQ(-ETIME, sup_stream_next(stream, SOON, &item));
	EXPECT_EQ(0, item.index);
	EXPECT_EQ(ETIMEDOUT, item.result.error);
	EXPECT_EQ(3, items.next);
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	sup_stream_free(stream);
}

TEST_F(task, stream_that_is_left_kills_all)
{
	struct items items = { .all = 1000, .fn = wait_ever, .fd = -1 };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;

	STREAM(items, .max_concurrency = 5, .nolink = 0);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	EXPECT_EQ(-ETIMEDOUT, sup_stream_next(stream, sup_deadline_in(20), &item));
	EXPECT_EQ(5, items.next);
	/* the teardown waits for its processes */
	sup_stream_free(stream);
}

TEST_F(task, stream_waits_for_items)
{
	struct items items = { .fn = say_number };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;
	int ends[2];

	ASSERT_EQ(0, pipe2(ends, O_NONBLOCK));
	items.fd = ends[0];
	STREAM(items, .max_concurrency = 2, .fd = ends[0]);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	EXPECT_EQ(-ETIMEDOUT, sup_stream_next(stream, sup_deadline_in(5), &item));
	ASSERT_EQ(1, write(ends[1], "x", 1));
	EXPECT_EQ(1, sup_stream_next(stream, SOON, &item));
	EXPECT_EQ(-ETIMEDOUT, sup_stream_next(stream, sup_deadline_in(5), &item));
	ASSERT_EQ(3, write(ends[1], "xxx", 3));
	close(ends[1]);
	for (int i = 1; i < 4; i++) {
		EXPECT_EQ(1, sup_stream_next(stream, SOON, &item));
		EXPECT_EQ(i, number_of(&item.result));
	}
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	sup_stream_free(stream);
	close(ends[0]);
}

TEST_F(task, stream_whose_items_fail)
{
	struct items items = { .all = 1, .fn = say_number, .fd = -1,
			       .error = -EBADMSG };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;

	STREAM(items, .max_concurrency = 1);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	/* one runs: there is no room to ask for the next */
	EXPECT_EQ(1, sup_stream_next(stream, SOON, &item));
	EXPECT_EQ(-EBADMSG, sup_stream_next(stream, SOON, &item));
	items.error = 0;
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	sup_stream_free(stream);
	/* an item that cannot be started is one that has failed */
	items = (struct items){ .all = 2, .fd = -1 };
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(1, sup_stream_next(stream, SOON, &item));
		EXPECT_EQ(SUP_TASK_EXIT, item.result.kind);
		EXPECT_EQ(EINVAL, item.result.error);
	}
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	sup_stream_free(stream);
}

/* It has no room for four: those that may not begin yet wait for one that ends. */
TEST_F(task, stream_under_a_supervisor_of_two)
{
	int mailbox, sup = task_supervisor(self->dev, &mailbox);
	struct items items = { .all = 20, .fn = take_time, .fd = -1,
			       .supervisor = &sup };
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;
	int ret;

	ASSERT_LE(0, sup);
	STREAM(items, .max_concurrency = 4);
	ASSERT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	for (unsigned int i = 0; i < items.all; i++) {
		/* who has replied is its child until it is dead */
		ASSERT_TRUE(eventually((ret = sup_stream_next(stream, SOON, &item)) !=
				       -EUSERS));
		ASSERT_EQ(1, ret);
		ASSERT_EQ(i, number_of(&item.result));
	}
	EXPECT_EQ(0, sup_stream_next(stream, SOON, &item));
	EXPECT_GE(2, shared->most);
	sup_stream_free(stream);
	ASSERT_TRUE(eventually(has_children(sup, 0)));
	close(sup);
	close(mailbox);
}

TEST_F(task, stream_bad)
{
	struct items items = { .fd = -1 };
	struct sup_stream *stream;

	STREAM(items, .next = NULL);
	EXPECT_EQ(-EINVAL, sup_task_async_stream(T, &opts, &stream));
	opts.next = next_item;
	opts.timeout_ms = -3;
	EXPECT_EQ(-EINVAL, sup_task_async_stream(T, &opts, &stream));
	opts.timeout_ms = 0;
	opts.on_timeout = SUP_ON_TIMEOUT_IGNORE;
	EXPECT_EQ(-EINVAL, sup_task_async_stream(T, &opts, &stream));
	opts.on_timeout = SUP_ON_TIMEOUT_KILL;
	opts.reserved = 1;
	EXPECT_EQ(-EINVAL, sup_task_async_stream(T, &opts, &stream));
	opts.reserved = 0;
	EXPECT_EQ(0, sup_task_async_stream(T, &opts, &stream));
	sup_stream_free(stream);
}

TEST_HARNESS_MAIN
