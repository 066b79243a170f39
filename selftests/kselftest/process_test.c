// SPDX-License-Identifier: GPL-2.0
/*
 * That each death is recorded, once, with what wait4() says of it. The children
 * are temporary ones, so that nothing follows their deaths.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

/* What children and tests tell each other. */
struct shared {
	volatile pid_t pid;
	volatile pid_t thread;
	volatile int go;
	volatile int err;
};

FIXTURE(process)
{
	struct tree tree;
	struct shared *shared;
};

FIXTURE_SETUP(process)
{
	self->shared = shared_memory(sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
	test_tree_open(&self->tree, CREATE());
	test_start(self->tree.sup);
}

FIXTURE_TEARDOWN(process)
{
	tree_close(&self->tree);
}

#define test_spawn(program_) \
	({ \
		struct supervisor_child_add add_ = CALL(supervisor_child_add); \
		struct supervisor_child_spec spec_ = \
			CHILD("child", (program_), \
			      .restart = SUPERVISOR_TEMPORARY); \
		ASSERT_EQ(0, _test_child_add(self->tree.sup, &spec_, &add_)); \
		ASSERT_LT(0, add_.out_pid); \
		add_.out_pid; \
	})

/* Waits for the exit's event, which tells the same as wait4(). */
#define test_exit(pid_, expected_) \
	({ \
		struct event event_; \
		struct rusage usage_; \
		int status_; \
		test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, \
			   "child", &event_); \
		ASSERT_EQ((pid_), event_.event.head.pid); \
		ASSERT_EQ((pid_), wait4((pid_), &status_, __WALL, &usage_)); \
		ASSERT_EQ(status_, event_.event.status); \
		ASSERT_EQ((expected_), event_.event.status & ~0x80); \
		ASSERT_EQ(usage_.ru_maxrss, event_.event.maxrss_kb); \
		event_; \
	})

/* Nothing more is said of it, whatever else went on. */
#define test_no_more_exits() \
	do { \
		struct event more_; \
		test_wait(self->tree.sup, SUPERVISOR_WAIT_IDLE); \
		while (!_test_next(self->tree.events, &more_, 0)) \
			ASSERT_NE(SUPERVISOR_EVENT_EXITED, \
				  more_.event.event); \
	} while (0)

static struct shared *shared_of(long argument)
{
	return (struct shared *)argument;
}

static void wait_for_go(struct shared *shared)
{
	while (!shared->go)
		sleep_ms(1);
}

static void start_thread(void *(*function)(void *argument), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, argument))
		_exit(210);
}

static void leave_thread(int status)
{
	syscall(SYS_exit, status);
}

/* ---- statuses ---- */

TEST_F(process, exit_statuses)
{
	static const int statuses[] = { 0, 1, 2, 42, 127, 128, 255 };
	struct event event;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		pid = test_spawn(RUNS(child_exit, statuses[i]));
		event = test_exit(pid, statuses[i] << 8);
		ASSERT_EQ(statuses[i] ? SUPERVISOR_EXIT_CRASH :
			  SUPERVISOR_EXIT_NORMAL, event.event.reason);
	}
	test_no_more_exits();
}

TEST_F(process, exit_statuses_after_exec)
{
	pid_t pid;

	pid = test_spawn(EXECS("exit", 0));
	test_exit(pid, 0);
	pid = test_spawn(EXECS("exit", 7));
	test_exit(pid, 7 << 8);
	test_no_more_exits();
}

static bool signal_is_fatal(int number)
{
	switch (number) {
	case SIGCHLD:
	case SIGCONT:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGURG:
	case SIGWINCH:
		return false;
	}
	/* glibc keeps two for itself. */
	return number < 32 || number >= SIGRTMIN;
}

TEST_F(process, each_terminating_signal)
{
	struct rlimit none = {};
	struct event event;
	int number;
	pid_t pid;

	ASSERT_EQ(0, setrlimit(RLIMIT_CORE, &none));
	for (number = 1; number <= SIGRTMAX; number++) {
		if (!signal_is_fatal(number))
			continue;
		pid = test_spawn(RUNS(child_raise, number));
		event = test_exit(pid, number);
		ASSERT_EQ(number == SIGKILL ? SUPERVISOR_EXIT_KILLED :
			  SUPERVISOR_EXIT_CRASH, event.event.reason)
			TH_LOG("signal %d", number);
	}
	test_no_more_exits();
}

TEST_F(process, core_dump)
{
	static const int numbers[] = {
		SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV,
		SIGXCPU, SIGXFSZ, SIGSYS,
	};
	struct rlimit some = { 1 << 26, RLIM_INFINITY };
	unsigned int dumps = 0;
	struct event event;
	char path[64];
	unsigned int i;
	pid_t pid;

	ASSERT_EQ(0, chdir("/tmp"));
	getrlimit(RLIMIT_CORE, &some);
	some.rlim_cur = some.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_CORE, &some));
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		pid = test_spawn(RUNS(child_raise, numbers[i]));
		event = test_exit(pid, numbers[i]);
		dumps += !!WCOREDUMP(event.event.status);
		snprintf(path, sizeof(path), "/tmp/core.%d", pid);
		unlink(path);
	}
	if (!dumps)
		SKIP(return, "no core can be dumped here");
	ASSERT_EQ(ARRAY_SIZE(numbers), dumps);
	test_no_more_exits();
}

static void sys_exit_of_all_threads(long unused)
{
	syscall(SYS_exit_group, 0x7fffff05);
}

TEST_F(process, status_is_cut_to_a_byte)
{
	pid_t pid = test_spawn(RUNS(sys_exit_of_all_threads, 0));

	test_exit(pid, 5 << 8);
}

/* ---- threads ---- */

static void *thread_exits_the_process(void *argument)
{
	struct shared *shared = argument;

	wait_for_go(shared);
	_exit(5);
	return NULL;
}

static void *thread_just_ends(void *argument)
{
	struct shared *shared = argument;

	wait_for_go(shared);
	leave_thread(9);
	return NULL;
}

static void leader_leaves_then_exit(long argument)
{
	start_thread(thread_exits_the_process, shared_of(argument));
	leave_thread(3);
}

static void leader_leaves_then_end(long argument)
{
	start_thread(thread_just_ends, shared_of(argument));
	leave_thread(3);
}

#define test_still_running(pid_) \
	do { \
		struct supervisor_child_status status_; \
		test_child_status(self->tree.sup, "child", &status_); \
		ASSERT_EQ(SUPERVISOR_CHILD_RUNNING, status_.state); \
		ASSERT_EQ((pid_), status_.pid); \
		ASSERT_EQ(0, status_.flags & SUPERVISOR_STATUS_F_DEAD); \
	} while (0)

TEST_F(process, leader_leaves_before_a_thread_exits)
{
	pid_t pid = test_spawn(RUNS(leader_leaves_then_exit,
				    (long)self->shared));

	ASSERT_TRUE(process_becomes(pid, "Z"));
	test_still_running(pid);
	self->shared->go = 1;
	test_exit(pid, 5 << 8);
	test_no_more_exits();
}

TEST_F(process, leader_leaves_before_the_last_thread_ends)
{
	pid_t pid = test_spawn(RUNS(leader_leaves_then_end,
				    (long)self->shared));

	ASSERT_TRUE(process_becomes(pid, "Z"));
	test_still_running(pid);
	self->shared->go = 1;
	/* The last word, as for wait4(). */
	test_exit(pid, 9 << 8);
	test_no_more_exits();
}

TEST_F(process, leader_left_and_the_rest_is_killed)
{
	pid_t pid = test_spawn(RUNS(leader_leaves_then_end,
				    (long)self->shared));

	ASSERT_TRUE(process_becomes(pid, "Z"));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	test_exit(pid, SIGKILL);
	test_no_more_exits();
}

static void *thread_executes(void *argument)
{
	child_exec("exit", 11);
	_exit(211);
	return NULL;
}

static void other_thread_executes(long argument)
{
	start_thread(thread_executes, NULL);
	child_wait(0);
}

static void other_thread_executes_without_leader(long argument)
{
	start_thread(thread_executes, NULL);
	leave_thread(3);
}

TEST_F(process, exec_by_another_thread)
{
	pid_t pid = test_spawn(RUNS(other_thread_executes, 0));

	test_exit(pid, 11 << 8);
	test_no_more_exits();
}

TEST_F(process, exec_by_another_thread_after_the_leader_left)
{
	int i;

	for (i = 0; i < 20; i++) {
		pid_t pid = test_spawn(
			RUNS(other_thread_executes_without_leader, 0));

		test_exit(pid, 11 << 8);
	}
	test_no_more_exits();
}

static void *thread_attaches(void *argument)
{
	struct start *start = argument;
	struct shared *shared = shared_of(start->program->argument);
	int err;

	if (!process_becomes(getpid(), "Z"))
		_exit(212);
	err = _test_attach(start->spawner->dev, start->token);
	if (err)
		_exit(-err);
	child_attached(start);
	syscall(SYS_close_range, 3, ~0U, 0);
	wait_for_go(shared);
	_exit(6);
	return NULL;
}

static void attach_without_leader(struct start *start)
{
	start_thread(thread_attaches, start);
	leave_thread(3);
}

TEST_F(process, attach_by_another_thread_after_the_leader_left)
{
	pid_t pid = test_spawn(PROGRAM(.attach = attach_without_leader,
				       .argument = (long)self->shared));

	test_still_running(pid);
	self->shared->go = 1;
	test_exit(pid, 6 << 8);
	test_no_more_exits();
}

/* ---- signals of the one that attaches ---- */

static void handle_nothing(int sig)
{
	(void)sig;
}

static bool signals_are(__sighandler_t usr1, __sighandler_t usr2, int blocked)
{
	struct sigaction ignored, caught;
	sigset_t mask;

	sigaction(SIGUSR1, NULL, &ignored);
	sigaction(SIGUSR2, NULL, &caught);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	return ignored.sa_handler == usr1 && caught.sa_handler == usr2 &&
	       sigismember(&mask, SIGUSR1) == blocked &&
	       sigismember(&mask, SIGRTMIN) == blocked;
}

static void set_signals(void)
{
	sigset_t all;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, handle_nothing);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void attach_resetting(struct start *start)
{
	struct supervisor_child_attach attach =
		ARG(supervisor_child_attach,
		    .flags = SUPERVISOR_ATTACH_F_RESET_SIGNALS,
		    .token = start->token ^ 1);

	set_signals();
	if (_test_ioctl(start->spawner->dev, SUPERVISOR_CHILD_ATTACH,
			&attach) != -ESTALE)
		_exit(1);
	if (!signals_are(SIG_IGN, handle_nothing, 1))
		_exit(2);
	attach.token = start->token;
	if (_test_ioctl(start->spawner->dev, SUPERVISOR_CHILD_ATTACH, &attach))
		_exit(3);
	child_attached(start);
	if (!signals_are(SIG_DFL, SIG_DFL, 0))
		_exit(4);
}

TEST_F(process, attach_resets_signals)
{
	pid_t pid = test_spawn(PROGRAM(.attach = attach_resetting,
				       .run = child_exit));

	test_exit(pid, 0);
	test_no_more_exits();
}

static int reset_signals(void *argument)
{
	int dev = *(int *)argument;
	struct supervisor_reset_signals reset =
		ARG(supervisor_reset_signals, .flags = 1);
	int err;

	set_signals();
	err = _test_ioctl(dev, SUPERVISOR_RESET_SIGNALS, &reset);
	if (err != -EOPNOTSUPP || !signals_are(SIG_IGN, handle_nothing, 1))
		return err ?: -EPROTO;
	reset.flags = 0;
	err = _test_ioctl(dev, SUPERVISOR_RESET_SIGNALS, &reset);
	return err ?: signals_are(SIG_DFL, SIG_DFL, 0) ? 0 : -EPROTO;
}

static int reset_with_one_pending(void *argument)
{
	struct supervisor_reset_signals reset = ARG(supervisor_reset_signals);

	set_signals();
	raise(SIGUSR2);
	return _test_ioctl(*(int *)argument, SUPERVISOR_RESET_SIGNALS, &reset);
}

TEST_F(process, nobodys_child_resets_signals)
{
	ASSERT_EQ(0, in_process(reset_signals, &self->tree.dev));
	/* one that has come before meets its default action, and no handler */
	ASSERT_EQ(-ECHILD, in_process(reset_with_one_pending, &self->tree.dev));
	ASSERT_TRUE(signals_are(SIG_DFL, SIG_DFL, 0));
}

/* ---- dying while it attaches ---- */

static void *thread_kills_all(void *argument)
{
	struct shared *shared = argument;

	while (!shared->go)
		;
	kill(getpid(), SIGKILL);
	return NULL;
}

static void killed_while_attaching(struct start *start)
{
	struct shared *shared = shared_of(start->program->argument);

	start_thread(thread_kills_all, shared);
	sleep_ms(2);
	shared->go = 1;
	_test_attach(start->spawner->dev, start->token);
	child_attached(start);
	child_wait(0);
}

/* The death comes before or after the attach; the call knows which it was. */
TEST_F_TIMEOUT(process, group_killed_while_attaching, 600)
{
	unsigned int i, started = 0, exits = 0;
	struct event event;

	for (i = 0; i < rounds(200); i++) {
		struct supervisor_child_add add = CALL(supervisor_child_add);
		struct supervisor_child_spec spec =
			CHILD("child", PROGRAM(.attach = killed_while_attaching,
					       .argument = (long)self->shared),
			      .restart = SUPERVISOR_TEMPORARY);
		int err;

		self->shared->go = 0;
		err = _test_child_add(self->tree.sup, &spec, &add);
		if (err == -ECHILD) {
			ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED,
				  add.out_result);
			continue;
		}
		ASSERT_EQ(0, err);
		started++;
		test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "child",
			   &event);
		ASSERT_EQ(SIGKILL, event.event.status);
		exits++;
	}
	TH_LOG("%u of %u had attached", started, i);
	ASSERT_EQ(started, exits);
	test_no_more_exits();
}

/* ---- tracers ---- */

static int seize(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, 0, 0) ? -errno : 0;
}

TEST_F(process, traced_and_killed)
{
	pid_t pid = test_spawn(WAITS);

	ASSERT_EQ(0, seize(pid));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	test_exit(pid, SIGKILL);
	test_no_more_exits();
}

static void wait_for_go_then_exit(long argument)
{
	wait_for_go(shared_of(argument));
	_exit(13);
}

/* A tracer which is not the parent learns of the death first. */
struct tracer {
	pid_t pid;
	struct shared *shared;
	bool detach;
};

static int trace(void *argument)
{
	struct tracer *tracer = argument;
	int status;
	int err;

	err = seize(tracer->pid);
	if (err)
		return err;
	if (tracer->detach) {
		/* As strace does: stop it, let go. */
		if (ptrace(PTRACE_INTERRUPT, tracer->pid, 0, 0) ||
		    waitpid(tracer->pid, &status, __WALL) != tracer->pid ||
		    ptrace(PTRACE_DETACH, tracer->pid, 0, 0))
			return -errno;
		tracer->shared->go = 1;
		return 0;
	}
	tracer->shared->go = 1;
	for (;;) {
		if (waitpid(tracer->pid, &status, __WALL) != tracer->pid)
			return -errno;
		if (WIFEXITED(status) || WIFSIGNALED(status))
			return status == 13 << 8 ? 0 : -EPROTO;
		ptrace(PTRACE_CONT, tracer->pid, 0, 0);
	}
}

TEST_F(process, traced_by_a_stranger)
{
	struct tracer tracer = { .shared = self->shared };

	tracer.pid = test_spawn(RUNS(wait_for_go_then_exit,
				     (long)self->shared));
	ASSERT_EQ(0, in_process(trace, &tracer));
	test_exit(tracer.pid, 13 << 8);
	test_no_more_exits();
}

TEST_F(process, tracer_detaches)
{
	struct tracer tracer = { .shared = self->shared, .detach = true };

	tracer.pid = test_spawn(RUNS(wait_for_go_then_exit,
				     (long)self->shared));
	ASSERT_EQ(0, in_process(trace, &tracer));
	test_exit(tracer.pid, 13 << 8);
	test_no_more_exits();
}

static void *thread_exits_on_second_go(void *argument)
{
	struct shared *shared = argument;

	while (shared->go < 2)
		sleep_ms(1);
	_exit(5);
	return NULL;
}

static void leader_leaves_on_go(long argument)
{
	struct shared *shared = shared_of(argument);

	start_thread(thread_exits_on_second_go, shared);
	wait_for_go(shared);
	leave_thread(3);
}

/* The tracer is told of the leader's leaving, which is no death yet. */
static int trace_leader(void *argument)
{
	struct tracer *tracer = argument;
	int err = seize(tracer->pid);

	if (err)
		return err;
	tracer->shared->go = 1;
	if (!process_becomes(tracer->pid, "Z"))
		return -ETIMEDOUT;
	tracer->shared->err = 1;
	if (tracer->detach) {
		/* By dying, which lets go of it. */
		return 0;
	}
	if (waitpid(tracer->pid, NULL, __WALL) != tracer->pid)
		return -errno;
	return 0;
}

TEST_F(process, traced_leader_leaves_while_a_thread_lives)
{
	struct tracer tracer = { .shared = self->shared };
	pid_t process;
	int status;

	tracer.pid = test_spawn(RUNS(leader_leaves_on_go, (long)self->shared));
	process = fork();
	if (!process)
		_exit(-trace_leader(&tracer));
	ASSERT_TRUE(eventually(self->shared->err));
	test_wait(self->tree.sup, SUPERVISOR_WAIT_IDLE);
	test_still_running(tracer.pid);
	self->shared->go = 2;
	ASSERT_EQ(process, waitpid(process, &status, 0));
	ASSERT_EQ(0, status);
	test_exit(tracer.pid, 5 << 8);
	test_no_more_exits();
}

TEST_F(process, tracer_dies_after_the_leader_left)
{
	struct tracer tracer = { .shared = self->shared, .detach = true };

	tracer.pid = test_spawn(RUNS(leader_leaves_on_go, (long)self->shared));
	ASSERT_EQ(0, in_process(trace_leader, &tracer));
	test_wait(self->tree.sup, SUPERVISOR_WAIT_IDLE);
	test_still_running(tracer.pid);
	self->shared->go = 2;
	test_exit(tracer.pid, 5 << 8);
	test_no_more_exits();
}

static void traces_itself(long argument)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGUSR1);
	_exit(14);
}

TEST_F(process, traced_by_its_parent)
{
	pid_t pid = test_spawn(RUNS(traces_itself, 0));

	/* Its parent is the spawner's thread: only that one may wait for it. */
	ASSERT_TRUE(process_becomes(pid, "t"));
	test_still_running(pid);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	test_exit(pid, SIGKILL);
	test_no_more_exits();
}

/* ---- parents ---- */

TEST_F(process, parent_ignores_sigchld)
{
	struct event event;
	pid_t pid;
	int i;

	signal(SIGCHLD, SIG_IGN);
	for (i = 0; i < 20; i++) {
		pid = test_spawn(RUNS(child_exit, 21));
		test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "child",
			   &event);
		ASSERT_EQ(pid, event.event.head.pid);
		ASSERT_EQ(21 << 8, event.event.status);
	}
	ASSERT_EQ(-1, waitpid(-1, NULL, 0));
	ASSERT_EQ(ECHILD, errno);
	test_no_more_exits();
	signal(SIGCHLD, SIG_DFL);
}

TEST_F(process, reaped_at_once)
{
	struct event event;
	int status;
	pid_t pid;
	int i;

	for (i = 0; i < 50; i++) {
		pid = test_spawn(RUNS(child_exit, 22));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "child",
			   &event);
		ASSERT_EQ(pid, event.event.head.pid);
		ASSERT_EQ(status, event.event.status);
	}
	test_no_more_exits();
}

static void spawn_by_vfork(struct start *start)
{
	int dev = start->spawner->dev;
	__u64 token = start->token;
	pid_t pid = vfork();

	if (!pid) {
		struct supervisor_child_attach attach =
			ARG(supervisor_child_attach, .token = token);
		static char * const argv[] = {
			"supervisor-child", "exit", "23", NULL
		};

		if (ioctl(dev, SUPERVISOR_CHILD_ATTACH, &attach))
			_exit(1);
		execv("/proc/self/exe", argv);
		_exit(2);
	}
	_test_report(dev, token, SUPERVISOR_REPORT_STARTED, 0);
}

TEST_F(process, vfork_attach_exec)
{
	struct event event;

	test_spawn(PROGRAM(.spawn = spawn_by_vfork));
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "child", &event);
	/* The blocked signals of the spawner are inherited; an exit is not. */
	ASSERT_EQ(23 << 8, event.event.status);
	test_no_more_exits();
}

/* ---- pid namespaces ---- */

/* Its children are in a pid namespace; the first holds it up. */
static void spawn_in_namespace(struct start *start)
{
	struct shared *shared = shared_of(start->program->argument);
	pid_t pid;

	if (unshare(CLONE_NEWPID)) {
		_test_report(start->spawner->dev, start->token,
			     SUPERVISOR_REPORT_FAILED, errno);
		return;
	}
	pid = fork();
	if (!pid) {
		syscall(SYS_close_range, 3, ~0U, 0);
		child_wait(0);
	}
	shared->thread = pid;
	spawn_fork(start);
}

TEST_F(process, death_with_its_pid_namespace)
{
	struct shared *shared = self->shared;
	pid_t pid;

	if (geteuid())
		SKIP(return, "a pid namespace needs privilege");
	pid = test_spawn(PROGRAM(.spawn = spawn_in_namespace,
				 .run = child_ignore, .argument = (long)shared));
	ASSERT_LT(0, shared->thread);
	ASSERT_EQ(0, kill(shared->thread, SIGKILL));
	test_exit(pid, SIGKILL);
	ASSERT_EQ(shared->thread, waitpid(shared->thread, NULL, 0));
	test_no_more_exits();
}

/* ---- numbers and usage ---- */

TEST_F_TIMEOUT(process, deaths_are_numbered_in_their_order, 600)
{
	const unsigned int children = slow_kernel() ? 8 : 32;
	struct event event;
	__u64 last = 0;
	char id[16];
	unsigned int i, index;
	pid_t pids[32];
	siginfo_t info;

	for (i = 0; i < children; i++) {
		snprintf(id, sizeof(id), "%u", i);
		test_child(self->tree.sup, id, WAITS,
			   .restart = SUPERVISOR_TEMPORARY);
		pids[i] = child_pid(self->tree.sup, id);
		ASSERT_LT(0, pids[i]);
	}
	/* Every other one, so that it is not the order of their starts. */
	for (i = 0; i < children; i++) {
		index = i * 7 % children;
		ASSERT_EQ(0, kill(pids[index], SIGKILL));
		ASSERT_EQ(0, waitid(P_PID, pids[index], &info,
				    WEXITED | WNOWAIT));
	}
	for (i = 0; i < children; i++) {
		index = i * 7 % children;
		snprintf(id, sizeof(id), "%u", index);
		do {
			ASSERT_EQ(0, _test_next(self->tree.events, &event,
						after_ms(PATIENCE_MS)));
		} while (event.event.event != SUPERVISOR_EVENT_EXITED);
		ASSERT_STREQ(id, event.id);
		ASSERT_LT(last, event.event.exit_seq);
		last = event.event.exit_seq;
	}
	test_no_more_exits();
}

TEST_F(process, numbers_rise_across_supervisors)
{
	struct event event;
	struct tree other;
	__u64 last = 0;
	pid_t pid;
	int i;

	test_tree_open(&other, CREATE());
	test_start(other.sup);
	for (i = 0; i < 6; i++) {
		struct tree *tree = i % 2 ? &other : &self->tree;

		test_child(tree->sup, "child", WAITS,
			   .restart = SUPERVISOR_TEMPORARY);
		pid = child_pid(tree->sup, "child");
		kill(pid, SIGKILL);
		test_event(tree->events, SUPERVISOR_EVENT_EXITED, "child",
			   &event);
		ASSERT_EQ(pid, event.event.head.pid);
		ASSERT_LT(last, event.event.exit_seq);
		last = event.event.exit_seq;
	}
	tree_close(&other);
}

static void use_resources(long unused)
{
	const size_t size = 24 << 20;
	struct rusage usage;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		_exit(1);
	memset(memory, 1, size);
	do {
		getpid();
		getrusage(RUSAGE_SELF, &usage);
	} while (usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
		 usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec <
		 300000);
	_exit(0);
}

static void wait_for_a_large_child(long unused)
{
	pid_t pid = fork();

	if (!pid)
		use_resources(0);
	waitpid(pid, NULL, 0);
	_exit(0);
}

static __s64 to_ns(const struct timeval *time)
{
	return (time->tv_sec * 1000000LL + time->tv_usec) * 1000;
}

TEST_F(process, usage)
{
	struct event event;
	struct rusage usage;
	__s64 seen;
	pid_t pid;

	pid = test_spawn(RUNS(use_resources, 0));
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "child", &event);
	ASSERT_EQ(pid, wait4(pid, NULL, 0, &usage));
	ASSERT_EQ(usage.ru_maxrss, event.event.maxrss_kb);
	ASSERT_LT(24 << 10, event.event.maxrss_kb);
	seen = event.event.utime_ns + event.event.stime_ns;
	TH_LOG("%lld ms, by wait4 %lld ms", seen / 1000000,
	       (to_ns(&usage.ru_utime) + to_ns(&usage.ru_stime)) / 1000000);
	/* What its end itself takes comes on top, and it is sampled by ticks. */
	ASSERT_LE(150000000, seen);
	ASSERT_GE(to_ns(&usage.ru_utime) + to_ns(&usage.ru_stime) + 30000000,
		  seen);
}

TEST_F(process, maxrss_of_waited_for_children)
{
	pid_t pid = test_spawn(RUNS(wait_for_a_large_child, 0));
	struct event event = test_exit(pid, 0);

	ASSERT_LT(24 << 10, event.event.maxrss_kb);
}

/* A status is kept with the child, too. */
TEST_F(process, last_exit_in_status)
{
	struct supervisor_child_status status;
	__u64 before = now_ns();

	test_child(self->tree.sup, "kept", RUNS(child_exit, 0),
		   .restart = SUPERVISOR_TRANSIENT);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "kept", NULL);
	test_wait(self->tree.sup, SUPERVISOR_WAIT_IDLE);
	test_child_status(self->tree.sup, "kept", &status);
	ASSERT_EQ(SUPERVISOR_CHILD_UNDEFINED, status.state);
	ASSERT_EQ(SUPERVISOR_STATUS_F_EXITED,
		  status.flags & SUPERVISOR_STATUS_F_EXITED);
	ASSERT_EQ(0, status.pid);
	ASSERT_EQ(1, status.incarnation);
	ASSERT_EQ(SUPERVISOR_EXIT_NORMAL, status.last_reason);
	ASSERT_EQ(0, status.last_status);
	ASSERT_LE(before, status.last_exit_ns);
	ASSERT_GE(now_ns(), status.last_exit_ns);
}

/* The hook is gone with the process: a thousand deaths, a thousand records. */
TEST_F_TIMEOUT(process, many_exits_each_once, 600)
{
	unsigned int i, exits = 0, total = rounds(500);
	struct event event;
	pid_t pid;

	for (i = 0; i < total; i++) {
		pid = test_spawn(RUNS(child_exit, i % 256));
		do {
			ASSERT_EQ(0, _test_next(self->tree.events, &event,
						after_ms(PATIENCE_MS)));
		} while (event.event.event != SUPERVISOR_EVENT_EXITED);
		exits++;
		ASSERT_EQ(pid, event.event.head.pid);
		ASSERT_EQ((i % 256) << 8, event.event.status);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	ASSERT_EQ(total, exits);
	test_no_more_exits();
}

TEST_HARNESS_MAIN
