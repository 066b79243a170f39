// SPDX-License-Identifier: GPL-2.0
/*
 * A supervisor's rules with real processes. What happened is told by the tree's
 * events, as text: test_trace() wants exactly these, in this order.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

/* Fails when the tree's child a has got so far as to ignore SIGTERM. */
static void spawn_fail_when_a_ignores(struct start *start)
{
	struct tree *tree = (struct tree *)start->program->argument;

	eventually(process_ignores(child_pid(tree->sup, "a"), SIGTERM));
	_test_report(start->spawner->dev, start->token,
		     SUPERVISOR_REPORT_FAILED, ENOENT);
}

#define FAILS SPAWNS(spawn_fail, ENOENT)
#define IGNORES SPAWNS(spawn_ignore, 0)

FIXTURE(tree)
{
	struct tree tree;
	int *shared;
};

FIXTURE_SETUP(tree)
{
	self->tree = NO_TREE;
	self->shared = shared_memory(4096);
	ASSERT_NE(NULL, self->shared);
}

FIXTURE_TEARDOWN(tree)
{
	tree_close(&self->tree);
}

#define SUP (self->tree.sup)
#define DEV (self->tree.dev)

#define trace(expected_) test_trace(self->tree.events, expected_)

#define test_kill(id_) \
	do { \
		pid_t pid_ = child_pid(SUP, (id_)); \
		ASSERT_LT(0, pid_); \
		ASSERT_EQ(0, kill(pid_, SIGKILL)); \
	} while (0)

/* A started tree of waiting children a, b, c. */
#define test_abc(...) \
	do { \
		test_tree_open(&self->tree, CREATE(__VA_ARGS__)); \
		test_child(SUP, "a", WAITS); \
		test_child(SUP, "b", WAITS); \
		test_child(SUP, "c", WAITS); \
		test_start(SUP); \
		trace("started a, started b, started c, up"); \
	} while (0)

/* A child "a" that does not obey, and is given all the time. */
#define test_stubborn() \
	do { \
		test_tree_open(&self->tree, CREATE()); \
		test_child(SUP, "a", RUNS(child_ignore, SIGTERM), \
			   .shutdown_ms = SUPERVISOR_SHUTDOWN_INFINITY); \
		test_start(SUP); \
		test_ignores(SUP, "a", SIGTERM); \
	} while (0)

#define test_down(down_, reason_) \
	do { \
		struct supervisor_wait wait_ = \
			ARG(supervisor_wait, .what = SUPERVISOR_WAIT_DOWN, \
			    .deadline = after_ms(PATIENCE_MS)); \
		test_ioctl(SUP, SUPERVISOR_WAIT, &wait_); \
		ASSERT_EQ((down_), wait_.out_down); \
		ASSERT_EQ((reason_), wait_.out_reason); \
	} while (0)

/* start_child, with all that it answers */
#define test_start_child(errno_, result_, ...) \
	({ \
		struct supervisor_child_add add_ = \
			CALL(supervisor_child_add, .out_result = ~0U); \
		struct supervisor_child_spec spec_ = CHILD(__VA_ARGS__); \
		ASSERT_EQ(-(errno_), _test_child_add(SUP, &spec_, &add_)); \
		ASSERT_EQ((result_), add_.out_result); \
		add_; \
	})

union start_message {
	struct supervisor_msg_start start;
	struct supervisor_msg head;
	char bytes[4096];
} __aligned(8);

#define read_start(message_) \
	ASSERT_EQ(1, _test_recv(self->tree.mailbox, &(message_), \
				sizeof(message_), 1, after_ms(PATIENCE_MS)))

/* ---- start ---- */

TEST_F(tree, starts_in_order)
{
	struct supervisor_child_status child;
	struct supervisor_status status;
	struct supervisor_count count;

	test_abc();
	test_which(SUP, "c running, b running, a running");
	test_status(SUP, &status);
	ASSERT_EQ(SUPERVISOR_STATE_UP, status.out_state);
	ASSERT_EQ(3, status.out_count);
	ASSERT_EQ(0, status.out_restarts);
	ASSERT_EQ(SUPERVISOR_DOWN_NOT_YET, status.out_down);
	ASSERT_EQ(self->tree.id, status.out_id);
	test_count(SUP, &count);
	ASSERT_EQ(3, count.specs);
	ASSERT_EQ(3, count.active);
	ASSERT_EQ(0, count.supervisors);
	ASSERT_EQ(3, count.workers);
	test_child_status(SUP, "b", &child);
	ASSERT_EQ(SUPERVISOR_CHILD_RUNNING, child.state);
	ASSERT_EQ(1, child.incarnation);
	ASSERT_EQ(0, child.flags);
	ASSERT_EQ(0, child.supervisor);
	ASSERT_TRUE(is_alive(child.pid));
}

TEST_F(tree, start_of_none)
{
	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	trace("up");
	test_which(SUP, "");
	ASSERT_EQ(-EBUSY, _test_start(SUP));
}

TEST_F(tree, calls_before_start)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	ASSERT_EQ(-EBUSY, _test_stop(SUP));
	ASSERT_EQ(SUPERVISOR_CHILD_UNDEFINED, child_state(SUP, "a"));
	ASSERT_EQ(0, child_pid(SUP, "a"));
}

TEST_F(tree, failed_start_rolls_back)
{
	char failed[8] = "";
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS),
		    .failed_id = (uintptr_t)failed,
		    .failed_id_len = sizeof(failed));
	struct supervisor_status status;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", WAITS);
	test_child(SUP, "c", FAILS);
	test_child(SUP, "d", WAITS);
	ASSERT_EQ(-ECHILD, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(ENOENT, start.out_error);
	ASSERT_EQ(1, start.failed_id_len);
	ASSERT_EQ('c', failed[0]);
	trace("started a, started b, start_failed c ENOENT, "
	      "term b, exited b shutdown, term a, exited a shutdown, "
	      "down init_failed");
	test_down(SUPERVISOR_DOWN_INIT_FAILED, SUPERVISOR_EXIT_SHUTDOWN);
	test_status(SUP, &status);
	ASSERT_EQ(SUPERVISOR_STATE_DOWN, status.out_state);
	ASSERT_EQ(0, status.out_restarts);
}

TEST_F(tree, ignored_at_start)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", IGNORES);
	test_child(SUP, "b", IGNORES, .restart = SUPERVISOR_TEMPORARY);
	test_child(SUP, "c", WAITS);
	test_start(SUP);
	trace("ignored a, ignored b, started c, up");
	test_which(SUP, "c running, a undefined");
}

TEST_F(tree, start_without_waiting)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_ioctl(SUP, SUPERVISOR_START, &start);
	trace("started a, up");
}

TEST_F(tree, start_past_its_deadline_goes_on)
{
	struct supervisor_start start = ARG(supervisor_start);

	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	test_child(SUP, "a", WAITS);
	start.deadline = after_ms(50);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(-EBUSY, _test_start(SUP));
	test_spawner_start(&self->tree.spawner, DEV, self->tree.mailbox);
	trace("started a, up");
}

TEST_F(tree, stop_during_start)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", SPAWNS(spawn_nothing, 0));
	test_child(SUP, "c", WAITS);
	test_ioctl(SUP, SUPERVISOR_START, &start);
	trace("started a");
	test_stop(SUP);
	trace("start_failed b ECANCELED, term a, exited a shutdown, "
	      "down stopped");
}

static void *start_in_thread(void *argument)
{
	struct tree *tree = argument;

	return (void *)(long)_test_start(tree->sup);
}

TEST_F(tree, start_that_is_stopped_meanwhile)
{
	pthread_t thread;
	void *err;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", SPAWNS(spawn_nothing, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, start_in_thread,
				    &self->tree));
	ASSERT_TRUE(eventually(child_state(SUP, "a") ==
			       SUPERVISOR_CHILD_STARTING));
	test_stop(SUP);
	ASSERT_EQ(0, pthread_join(thread, &err));
	ASSERT_EQ(-ESHUTDOWN, (long)err);
	trace("start_failed a ECANCELED, down stopped");
}

/* ---- restart types ---- */

enum { NORMAL, SHUTDOWN, CRASH, KILLED };

FIXTURE(restart_type)
{
	struct tree tree;
};

FIXTURE_VARIANT(restart_type)
{
	__u32 restart;
	bool restarted[4];
};

FIXTURE_VARIANT_ADD(restart_type, permanent)
{
	.restart = SUPERVISOR_PERMANENT,
	.restarted = { true, true, true, true },
};

FIXTURE_VARIANT_ADD(restart_type, transient)
{
	.restart = SUPERVISOR_TRANSIENT,
	.restarted = { false, false, true, true },
};

FIXTURE_VARIANT_ADD(restart_type, temporary)
{
	.restart = SUPERVISOR_TEMPORARY,
};

FIXTURE_SETUP(restart_type)
{
	test_tree_open(&self->tree, CREATE(.strategy = SUPERVISOR_ONE_FOR_ALL));
}

FIXTURE_TEARDOWN(restart_type)
{
	tree_close(&self->tree);
}

static volatile bool told;

static void be_told(int unused)
{
	told = true;
}

static void wait_until_told(void)
{
	sigset_t set, none;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR1, be_told);
	while (!told)
		sigsuspend(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_raise_when_told(long number)
{
	wait_until_told();
	child_raise(number);
}

static void child_say_shutdown_when_told(long status)
{
	wait_until_told();
	child_say_shutdown(status);
}

#define test_restart_type(kind_, exited_, program_) \
	do { \
		struct supervisor_status status_; \
		test_child(SUP, "sibling", WAITS); \
		test_child(SUP, "a", program_, .restart = variant->restart); \
		test_start(SUP); \
		trace("started sibling, started a, up"); \
		test_tell(SUP, "a"); \
		if (variant->restarted[kind_]) \
			trace("exited a " exited_ ", term sibling, " \
			      "exited sibling shutdown, started sibling, " \
			      "started a"); \
		else \
			trace("exited a " exited_); \
		test_wait(SUP, SUPERVISOR_WAIT_IDLE); \
		trace(""); \
		if (variant->restarted[kind_]) \
			test_which(SUP, "a running, sibling running"); \
		else if (variant->restart == SUPERVISOR_TRANSIENT) \
			test_which(SUP, "a undefined, sibling running"); \
		else \
			test_which(SUP, "sibling running"); \
		test_status(SUP, &status_); \
		ASSERT_EQ(variant->restarted[kind_], status_.out_restarts); \
	} while (0)

TEST_F(restart_type, normal)
{
	test_restart_type(NORMAL, "normal", RUNS(child_exit_when_told, 0));
}

TEST_F(restart_type, shutdown_declared)
{
	test_restart_type(SHUTDOWN, "shutdown",
			  RUNS(child_say_shutdown_when_told, 3));
}

TEST_F(restart_type, crash)
{
	test_restart_type(CRASH, "crash", RUNS(child_exit_when_told, 1));
}

TEST_F(restart_type, crash_by_unasked_stop_signal)
{
	test_restart_type(CRASH, "crash", RUNS(child_raise_when_told, SIGTERM));
}

TEST_F(restart_type, killed)
{
	test_restart_type(KILLED, "killed", RUNS(child_raise_when_told, SIGKILL));
}

/* ---- strategies ---- */

TEST_F(tree, one_for_one)
{
	struct supervisor_child_status child;

	test_abc();
	test_kill("b");
	trace("exited b killed, started b");
	test_which(SUP, "c running, b running, a running");
	test_child_status(SUP, "b", &child);
	ASSERT_EQ(2, child.incarnation);
	ASSERT_EQ(SUPERVISOR_EXIT_KILLED, child.last_reason);
	ASSERT_EQ(SIGKILL, child.last_status);
	ASSERT_EQ(SUPERVISOR_STATUS_F_EXITED, child.flags);
}

TEST_F(tree, one_for_all)
{
	struct supervisor_status status;

	test_abc(.strategy = SUPERVISOR_ONE_FOR_ALL);
	test_kill("b");
	trace("exited b killed, term c, exited c shutdown, "
	      "term a, exited a shutdown, started a, started b, started c");
	test_status(SUP, &status);
	ASSERT_EQ(1, status.out_restarts);
}

TEST_F(tree, rest_for_one)
{
	test_abc(.strategy = SUPERVISOR_REST_FOR_ONE);
	test_kill("b");
	trace("exited b killed, term c, exited c shutdown, "
	      "started b, started c");
	test_kill("c");
	trace("exited c killed, started c");
	test_kill("a");
	trace("exited a killed, term c, exited c shutdown, "
	      "term b, exited b shutdown, started a, started b, started c");
}

TEST_F(tree, group_restart_deletes_temporary_siblings)
{
	test_tree_open(&self->tree, CREATE(.strategy = SUPERVISOR_ONE_FOR_ALL));
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", WAITS, .restart = SUPERVISOR_TEMPORARY);
	test_child(SUP, "c", WAITS);
	test_start(SUP);
	trace("started a, started b, started c, up");
	test_kill("a");
	trace("exited a killed, term c, exited c shutdown, "
	      "term b, exited b shutdown, started a, started c");
	test_which(SUP, "c running, a running");
}

TEST_F(tree, group_restart_starts_what_was_not_running)
{
	test_tree_open(&self->tree, CREATE(.strategy = SUPERVISOR_ONE_FOR_ALL));
	test_child(SUP, "stopped", WAITS);
	test_child(SUP, "finished", RUNS(child_exit_when_told, 0),
		   .restart = SUPERVISOR_TRANSIENT);
	test_child(SUP, "ignored", SPAWNS(spawn_ignore_at, 1 << 1));
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	trace("started stopped, started finished, ignored ignored, started a, "
	      "up");
	test_tell(SUP, "finished");
	trace("exited finished normal");
	ASSERT_EQ(0, _test_terminate(SUP, "stopped"));
	trace("term stopped, exited stopped shutdown");
	test_kill("a");
	trace("exited a killed, started stopped, started finished, "
	      "started ignored, started a");
}

/* A sibling that was dead already costs no second restart. */
TEST_F(tree, deaths_during_a_group_restart_are_absorbed)
{
	struct supervisor_status status;

	test_abc(.strategy = SUPERVISOR_ONE_FOR_ALL);
	test_suspend(SUP, 0);
	test_kill("a");
	ASSERT_TRUE(is_dead_after(child_pid(SUP, "a"), PATIENCE_MS));
	test_kill("c");
	ASSERT_TRUE(is_dead_after(child_pid(SUP, "c"), PATIENCE_MS));
	test_resume(SUP, 0);
	trace("exited a killed, exited c killed, term b, exited b shutdown, "
	      "started a, started b, started c");
	test_status(SUP, &status);
	ASSERT_EQ(1, status.out_restarts);
}

/* ---- restarts that fail ---- */

TEST_F(tree, failed_restart_is_tried_again_and_counted)
{
	struct supervisor_child_status child;
	struct supervisor_status status;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", FAILS_AT(1 << 2 | 1 << 3));
	test_start(SUP);
	trace("started a, up");
	test_kill("a");
	trace("exited a killed, start_failed a ENOENT, start_failed a ENOENT, "
	      "started a");
	test_status(SUP, &status);
	ASSERT_EQ(3, status.out_restarts);
	test_child_status(SUP, "a", &child);
	ASSERT_EQ(SUPERVISOR_STATUS_F_START_FAILED,
		  child.flags & SUPERVISOR_STATUS_F_START_FAILED);
	ASSERT_EQ(ENOENT, child.last_error);
}

TEST_F(tree, failed_restarts_exceed_the_intensity)
{
	test_tree_open(&self->tree, CREATE(.intensity = 2, .period = 3600));
	test_child(SUP, "a", FAILS_AT(~3L));
	test_child(SUP, "b", WAITS);
	test_start(SUP);
	trace("started a, started b, up");
	test_kill("a");
	trace("exited a killed, start_failed a ENOENT, start_failed a ENOENT, "
	      "term b, exited b shutdown, down intensity");
	test_down(SUPERVISOR_DOWN_INTENSITY, SUPERVISOR_EXIT_SHUTDOWN);
}

TEST_F(tree, one_for_all_retry_starts_all)
{
	test_tree_open(&self->tree, CREATE(.strategy = SUPERVISOR_ONE_FOR_ALL));
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", FAILS_AT(1 << 2));
	test_child(SUP, "c", WAITS);
	test_start(SUP);
	trace("started a, started b, started c, up");
	test_kill("a");
	trace("exited a killed, term c, exited c shutdown, "
	      "term b, exited b shutdown, started a, start_failed b ENOENT, "
	      "term a, exited a shutdown, started a, started b, started c");
}

TEST_F(tree, rest_for_one_retry_starts_the_rest)
{
	test_tree_open(&self->tree,
		       CREATE(.strategy = SUPERVISOR_REST_FOR_ONE));
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", FAILS_AT(1 << 2));
	test_child(SUP, "c", WAITS);
	test_start(SUP);
	trace("started a, started b, started c, up");
	test_kill("a");
	trace("exited a killed, term c, exited c shutdown, "
	      "term b, exited b shutdown, started a, start_failed b ENOENT, "
	      "started b, started c");
}

TEST_F(tree, ignored_at_restart)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", SPAWNS(spawn_ignore_at, 1 << 2));
	test_start(SUP);
	test_kill("a");
	trace("started a, up, exited a killed, ignored a");
	test_which(SUP, "a undefined");
	ASSERT_EQ(0, _test_restart(SUP, "a"));
	trace("started a");
}

/* ---- intensity ---- */

TEST_F(tree, intensity_ends_it)
{
	struct supervisor_count count;

	test_abc(.intensity = 2, .period = 3600);
	test_kill("b");
	trace("exited b killed, started b");
	test_kill("c");
	trace("exited c killed, started c");
	test_kill("b");
	trace("exited b killed, term c, exited c shutdown, "
	      "term a, exited a shutdown, down intensity");
	test_down(SUPERVISOR_DOWN_INTENSITY, SUPERVISOR_EXIT_SHUTDOWN);
	ASSERT_EQ(-ESHUTDOWN, _test_count(SUP, &count));
}

static int tree_state(int sup)
{
	struct supervisor_status status;
	int err = _test_status(sup, &status);

	return err ?: (int)status.out_state;
}

/* Whoever decided that it ends: until the last child is dead it is stopping. */
TEST_F(tree, stopping_by_itself_shows)
{
	test_tree_open(&self->tree, CREATE(.intensity = 0));
	test_child(SUP, "a", RUNS(child_ignore, SIGTERM));
	test_child(SUP, "b", WAITS);
	test_start(SUP);
	trace("started a, started b, up");
	test_ignores(SUP, "a", SIGTERM);
	ASSERT_EQ(SUPERVISOR_STATE_UP, tree_state(SUP));
	test_kill("b");
	trace("exited b killed, term a");
	ASSERT_EQ(SUPERVISOR_STATE_STOPPING, tree_state(SUP));
	ASSERT_EQ(-ESHUTDOWN, _test_own(SUP));
	test_kill("a");
	trace("exited a killed, down intensity");
	ASSERT_EQ(SUPERVISOR_STATE_DOWN, tree_state(SUP));
}

TEST_F(tree, rolling_back_shows)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_ignore, SIGTERM));
	test_child(SUP, "b", SPAWNS(spawn_fail_when_a_ignores, (long)&self->tree));
	test_ioctl(SUP, SUPERVISOR_START, &start);
	trace("started a, start_failed b ENOENT, term a");
	ASSERT_EQ(SUPERVISOR_STATE_STOPPING, tree_state(SUP));
	test_kill("a");
	trace("exited a killed, down init_failed");
}

TEST_F(tree, auto_shutdown_shows)
{
	test_tree_open(&self->tree, CREATE(.auto_shutdown =
				SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT));
	test_child(SUP, "a", RUNS(child_ignore, SIGTERM));
	test_child(SUP, "s", WAITS, .significant = 1,
		   .restart = SUPERVISOR_TEMPORARY);
	test_start(SUP);
	trace("started a, started s, up");
	test_ignores(SUP, "a", SIGTERM);
	test_kill("s");
	trace("exited s killed, term a");
	ASSERT_EQ(SUPERVISOR_STATE_STOPPING, tree_state(SUP));
	test_kill("a");
	trace("exited a killed, down auto_shutdown");
}

TEST_F(tree, intensity_of_none)
{
	test_abc(.intensity = 0);
	test_kill("a");
	trace("exited a killed, term c, exited c shutdown, "
	      "term b, exited b shutdown, down intensity");
}

TEST_F(tree, intensity_counts_a_group_once)
{
	test_abc(.intensity = 1, .period = 3600,
		 .strategy = SUPERVISOR_ONE_FOR_ALL);
	test_kill("c");
	trace("exited c killed, term b, exited b shutdown, "
	      "term a, exited a shutdown, started a, started b, started c");
	test_kill("c");
	trace("exited c killed, term b, exited b shutdown, "
	      "term a, exited a shutdown, down intensity");
}

TEST_F(tree, intensity_counts_neither_calls_nor_finished_ones)
{
	struct supervisor_status status;

	test_tree_open(&self->tree, CREATE(.intensity = 0));
	test_child(SUP, "transient", RUNS(child_exit, 0),
		   .restart = SUPERVISOR_TRANSIENT);
	test_child(SUP, "temporary", RUNS(child_exit, 1),
		   .restart = SUPERVISOR_TEMPORARY);
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	ASSERT_EQ(0, _test_restart(SUP, "a"));
	ASSERT_EQ(0, _test_restart(SUP, "transient"));
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_status(SUP, &status);
	ASSERT_EQ(SUPERVISOR_STATE_UP, status.out_state);
	ASSERT_EQ(0, status.out_restarts);
}

TEST_F(tree, intensity_window_slides)
{
	int i;

	test_abc(.intensity = 1, .period = 1);
	for (i = 0; i < 3; i++) {
		test_kill("a");
		trace("exited a killed, started a");
		/* Whole seconds: the window is at most two of them. */
		sleep_ms(2100);
	}
}

/* ---- terminate, restart, delete, start ---- */

TEST_F(tree, calls_on_a_running_child)
{
	struct supervisor_child_add add;
	pid_t pid;

	test_abc();
	pid = child_pid(SUP, "b");
	test_result(SUP, SUPERVISOR_CHILD_RESTART, "b", EBUSY,
		    SUPERVISOR_RESULT_RUNNING);
	test_result(SUP, SUPERVISOR_CHILD_DELETE, "b", EBUSY,
		    SUPERVISOR_RESULT_RUNNING);
	add = test_start_child(EEXIST, SUPERVISOR_RESULT_ALREADY_STARTED, "b",
			       WAITS);
	ASSERT_EQ(pid, add.out_pid);
	ASSERT_EQ(pid, child_pid(SUP, "b"));
	trace("");
	test_result(SUP, SUPERVISOR_CHILD_TERMINATE, "b", 0,
		    SUPERVISOR_RESULT_OK);
	trace("term b, exited b shutdown");
	test_which(SUP, "c running, b undefined, a running");
}

TEST_F(tree, calls_on_an_undefined_child)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);

	test_abc();
	ASSERT_EQ(0, _test_terminate(SUP, "b"));
	trace("term b, exited b shutdown");
	test_result(SUP, SUPERVISOR_CHILD_TERMINATE, "b", 0,
		    SUPERVISOR_RESULT_OK);
	test_start_child(EEXIST, SUPERVISOR_RESULT_ALREADY_PRESENT, "b", WAITS);
	trace("");
	ASSERT_EQ(0, _test_child_call(SUP, SUPERVISOR_CHILD_RESTART, "b",
				      &call));
	ASSERT_EQ(SUPERVISOR_RESULT_OK, call.out_result);
	ASSERT_EQ(child_pid(SUP, "b"), call.out_pid);
	trace("started b");
	ASSERT_EQ(0, _test_terminate(SUP, "b"));
	test_result(SUP, SUPERVISOR_CHILD_DELETE, "b", 0, SUPERVISOR_RESULT_OK);
	test_which(SUP, "c running, a running");
	test_result(SUP, SUPERVISOR_CHILD_DELETE, "b", ENOENT,
		    SUPERVISOR_RESULT_NOT_FOUND);
}

TEST_F(tree, calls_on_a_restarting_child)
{
	test_tree_open(&self->tree, CREATE());
	/* A backoff that outlasts the test. */
	test_child(SUP, "a", FAILS_AT(1 << 2), .retry_min_ms = 600000,
		   .retry_max_ms = 600000, .retry_factor_pct = 100,
		   .retry_reset_after_ms = 1);
	test_child(SUP, "b", WAITS);
	test_start(SUP);
	sleep_ms(20);
	test_kill("a");
	ASSERT_TRUE(eventually(child_state(SUP, "a") ==
			       SUPERVISOR_CHILD_RESTARTING));
	test_which(SUP, "b running, a restarting");
	test_result(SUP, SUPERVISOR_CHILD_RESTART, "a", EBUSY,
		    SUPERVISOR_RESULT_RESTARTING);
	test_result(SUP, SUPERVISOR_CHILD_DELETE, "a", EBUSY,
		    SUPERVISOR_RESULT_RESTARTING);
	test_start_child(EEXIST, SUPERVISOR_RESULT_ALREADY_PRESENT, "a", WAITS);
	test_result(SUP, SUPERVISOR_CHILD_TERMINATE, "a", 0,
		    SUPERVISOR_RESULT_OK);
	test_which(SUP, "b running, a undefined");
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
}

TEST_F(tree, calls_on_an_unknown_child)
{
	struct supervisor_child_add add;

	test_abc();
	test_result(SUP, SUPERVISOR_CHILD_TERMINATE, "d", ENOENT,
		    SUPERVISOR_RESULT_NOT_FOUND);
	test_result(SUP, SUPERVISOR_CHILD_RESTART, "d", ENOENT,
		    SUPERVISOR_RESULT_NOT_FOUND);
	test_result(SUP, SUPERVISOR_CHILD_DELETE, "d", ENOENT,
		    SUPERVISOR_RESULT_NOT_FOUND);
	add = test_start_child(0, SUPERVISOR_RESULT_OK, "d", WAITS);
	ASSERT_EQ(child_pid(SUP, "d"), add.out_pid);
	ASSERT_LT(0, add.out_id);
	trace("started d");
	test_which(SUP, "d running, c running, b running, a running");
}

TEST_F(tree, terminate_deletes_a_temporary_child)
{
	test_abc();
	test_start_child(0, SUPERVISOR_RESULT_OK, "d", WAITS,
			 .restart = SUPERVISOR_TEMPORARY);
	test_result(SUP, SUPERVISOR_CHILD_TERMINATE, "d", 0,
		    SUPERVISOR_RESULT_OK);
	test_which(SUP, "c running, b running, a running");
}

TEST_F(tree, start_child_that_fails_is_discarded)
{
	struct supervisor_child_add add;

	test_abc();
	add = test_start_child(ECHILD, SUPERVISOR_RESULT_START_FAILED, "d",
			       FAILS);
	ASSERT_EQ(ENOENT, add.out_error);
	trace("start_failed d ENOENT");
	test_which(SUP, "c running, b running, a running");
}

TEST_F(tree, start_child_that_is_ignored)
{
	test_abc();
	test_start_child(0, SUPERVISOR_RESULT_OK_UNDEFINED, "d", IGNORES);
	test_start_child(0, SUPERVISOR_RESULT_OK_UNDEFINED, "e", IGNORES,
			 .restart = SUPERVISOR_TEMPORARY);
	trace("ignored d, ignored e");
	test_which(SUP, "d undefined, c running, b running, a running");
}

TEST_F(tree, start_child_validates_first)
{
	test_abc();
	test_start_child(EINVAL, SUPERVISOR_RESULT_INVALID, "a", WAITS,
			 .restart = 3);
}

TEST_F(tree, restart_child_that_fails_stays)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);
	struct supervisor_status status;

	test_tree_open(&self->tree, CREATE(.intensity = 0));
	test_child(SUP, "a", FAILS_AT(1 << 2));
	test_child(SUP, "b", SPAWNS(spawn_ignore_at, 1 << 2));
	test_start(SUP);
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	ASSERT_EQ(0, _test_terminate(SUP, "b"));
	ASSERT_EQ(-ECHILD, _test_child_call(SUP, SUPERVISOR_CHILD_RESTART, "a",
					    &call));
	ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED, call.out_result);
	ASSERT_EQ(ENOENT, call.out_error);
	test_result(SUP, SUPERVISOR_CHILD_RESTART, "b", 0,
		    SUPERVISOR_RESULT_OK_UNDEFINED);
	test_which(SUP, "b undefined, a undefined");
	test_status(SUP, &status);
	ASSERT_EQ(0, status.out_restarts);
	ASSERT_EQ(SUPERVISOR_STATE_UP, status.out_state);
}

TEST_F(tree, calls_after_the_end)
{
	struct supervisor_count count;

	test_abc();
	test_stop(SUP);
	test_result(SUP, SUPERVISOR_CHILD_TERMINATE, "a", ESHUTDOWN,
		    SUPERVISOR_RESULT_NOPROC);
	test_start_child(ESHUTDOWN, SUPERVISOR_RESULT_NOPROC, "d", WAITS);
	ASSERT_EQ(-ESHUTDOWN, _test_count(SUP, &count));
	ASSERT_EQ(-ESHUTDOWN, _test_stop(SUP));
	ASSERT_EQ(-ESHUTDOWN, _test_suspend(SUP, 0));
	ASSERT_EQ(-ESHUTDOWN, _test_subscribe(SUP, self->tree.mailbox));
	ASSERT_EQ(-ESHUTDOWN, _test_own(SUP));
}

/* ---- queries ---- */

TEST_F(tree, get_spec_reads_back)
{
	char buf[1024] __aligned(8);
	struct supervisor_child_spec *seen = (void *)buf;
	const char blob[] = "how\0to\xff";
	struct supervisor_child_spec spec =
		CHILD("full", WAITS, .restart = SUPERVISOR_TRANSIENT,
		      .significant = 1, .type = SUPERVISOR_CHILD_SUPERVISOR,
		      .readiness = SUPERVISOR_READINESS_NOTIFY,
		      .shutdown_ms = 1234, .stop_signal = SIGUSR2,
		      .signal_whom = SUPERVISOR_SIGNAL_GROUP,
		      .start_timeout_ms = 4321, .retry_min_ms = 5,
		      .retry_max_ms = 50, .retry_factor_pct = 150,
		      .retry_jitter_pct = 20, .retry_reset_after_ms = 1000,
		      .flags = SUPERVISOR_CHILD_F_RETRY_UNCOUNTED);
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf,
		     .id = (uintptr_t)"full", .id_len = 4);
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC);
	union start_message message;

	test_tree_open(&self->tree, CREATE(.auto_shutdown =
				SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT));
	test_start(SUP);
	/* Its blob is no program, so it is not for the spawner. */
	spawner_stop(&self->tree.spawner);
	spec.blob = (uintptr_t)blob;
	spec.blob_len = sizeof(blob);
	add.mailbox_fd = self->tree.events;
	ASSERT_EQ(0, _test_child_add(SUP, &spec, &add));
	read_start(message);
	ASSERT_EQ(0, _test_report(DEV, message.head.ref,
				  SUPERVISOR_REPORT_IGNORE, 0));
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC,
					 &query));
	ASSERT_LE(sizeof(spec) + 4 + sizeof(blob), query.buf_len);
	ASSERT_GE(sizeof(buf), query.buf_len);
	test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query);
	ASSERT_EQ(1, query.out_count);
	ASSERT_EQ(0, memcmp(buf + seen->id, "full", 4));
	ASSERT_EQ(0, memcmp(buf + seen->blob, blob, sizeof(blob)));
	seen->id = spec.id;
	seen->blob = spec.blob;
	seen->size = spec.size;
	ASSERT_EQ(0, memcmp(seen, &spec, sizeof(spec)));
}

TEST_F(tree, count_by_declared_type)
{
	struct supervisor_count count;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, .type = SUPERVISOR_CHILD_SUPERVISOR);
	test_child(SUP, "b", WAITS);
	test_child(SUP, "c", IGNORES, .type = SUPERVISOR_CHILD_SUPERVISOR);
	test_start(SUP);
	test_count(SUP, &count);
	ASSERT_EQ(3, count.specs);
	ASSERT_EQ(2, count.active);
	ASSERT_EQ(2, count.supervisors);
	ASSERT_EQ(1, count.workers);
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	test_count(SUP, &count);
	ASSERT_EQ(1, count.active);
	ASSERT_EQ(2, count.supervisors);
}

/* ---- how children are stopped ---- */

TEST_F(tree, stop_in_reverse_order)
{
	test_abc();
	test_stop(SUP);
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
	test_down(SUPERVISOR_DOWN_STOPPED, SUPERVISOR_EXIT_NORMAL);
}

TEST_F(tree, stop_with_a_reason)
{
	struct supervisor_stop stop =
		ARG(supervisor_stop, .reason = SUPERVISOR_EXIT_CRASH,
		    .deadline = after_ms(PATIENCE_MS));

	test_abc();
	test_ioctl(SUP, SUPERVISOR_STOP, &stop);
	test_down(SUPERVISOR_DOWN_STOPPED, SUPERVISOR_EXIT_CRASH);
}

TEST_F(tree, stop_without_waiting)
{
	struct supervisor_stop stop =
		ARG(supervisor_stop, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_abc();
	test_ioctl(SUP, SUPERVISOR_STOP, &stop);
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
}

TEST_F(tree, shutdown_by_kill)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, .shutdown_ms = SUPERVISOR_SHUTDOWN_KILL);
	test_start(SUP);
	test_stop(SUP);
	trace("started a, up, kill a, exited a killed, down stopped");
}

TEST_F(tree, shutdown_times_out)
{
	__u64 before;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", PROGRAM(.flags = 0, .run = child_ignore,
				     .argument = SIGTERM),
		   .shutdown_ms = 200);
	test_start(SUP);
	test_ignores(SUP, "a", SIGTERM);
	before = now_ns();
	test_stop(SUP);
	ASSERT_LE(before + 200000000, now_ns());
	trace("started a, up, term a, kill a, exited a killed, down stopped");
}

TEST_F(tree, shutdown_of_no_time)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_ignore, SIGTERM), .shutdown_ms = 0);
	test_start(SUP);
	test_ignores(SUP, "a", SIGTERM);
	test_stop(SUP);
	trace("started a, up, term a, kill a, exited a killed, down stopped");
}

TEST_F(tree, shutdown_of_infinity)
{
	struct supervisor_stop stop = ARG(supervisor_stop);
	struct supervisor_status status;

	test_stubborn();
	stop.deadline = after_ms(300);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(SUP, SUPERVISOR_STOP, &stop));
	test_status(SUP, &status);
	ASSERT_EQ(SUPERVISOR_STATE_STOPPING, status.out_state);
	ASSERT_EQ(SUPERVISOR_CHILD_STOPPING, child_state(SUP, "a"));
	test_kill("a");
	trace("started a, up, term a, exited a killed, down stopped");
}

TEST_F(tree, stop_signal)
{
	struct event event;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, .stop_signal = SIGUSR1);
	test_child(SUP, "b", WAITS, .stop_signal = 64);
	test_start(SUP);
	test_stop(SUP);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "b", &event);
	ASSERT_EQ(64, event.event.status);
	ASSERT_EQ(SUPERVISOR_EXIT_SHUTDOWN, event.event.reason);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a", &event);
	ASSERT_EQ(SIGUSR1, event.event.status);
	ASSERT_EQ(SUPERVISOR_EXIT_SHUTDOWN, event.event.reason);
}

/* Whom a child of that may ask, and as whom, is never who caused the signal. */
static siginfo_t *told_siginfo;

static void tell_siginfo(int number, siginfo_t *info, void *context)
{
	*told_siginfo = *info;
	_exit(0);
}

static void child_tells_siginfo(long shared)
{
	struct sigaction action = {
		.sa_sigaction = tell_siginfo,
		.sa_flags = SA_SIGINFO,
	};

	told_siginfo = (siginfo_t *)shared;
	sigaction(SIGTERM, &action, NULL);
	child_wait(0);
}

#define PF_KTHREAD 0x00200000

static bool is_kernel_thread(pid_t pid)
{
	unsigned int flags = 0;
	char path[64];
	char text[512];
	char *after;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, text, sizeof(text)) < 0)
		return false;
	after = strrchr(text, ')');
	return after && sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       flags & PF_KTHREAD;
}

#define test_siginfo() \
	do { \
		const siginfo_t *info_ = (siginfo_t *)self->shared; \
		ASSERT_EQ(SIGTERM, info_->si_signo); \
		ASSERT_EQ(SI_USER, info_->si_code); \
		ASSERT_EQ(getuid(), info_->si_uid); \
		ASSERT_TRUE(is_kernel_thread(info_->si_pid)); \
		memset(self->shared, 0, sizeof(siginfo_t)); \
	} while (0)

TEST_F(tree, signals_come_from_the_kernel)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_tells_siginfo, (long)self->shared));
	test_child(SUP, "b", SPAWNS(spawn_fail_when_a_ignores, (long)&self->tree));
	/* What the spawner of b says makes an end of a. */
	test_ioctl(SUP, SUPERVISOR_START, &start);
	trace("started a, start_failed b ENOENT, term a, exited a normal, down init_failed");
	test_siginfo();
}

TEST_F(tree, signals_of_a_stop_come_from_the_kernel)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_tells_siginfo, (long)self->shared));
	test_start(SUP);
	test_ignores(SUP, "a", SIGTERM);
	test_stop(SUP);
	test_siginfo();
}

TEST_F(tree, signals_to_a_group_come_from_the_kernel)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_tells_siginfo, (long)self->shared),
		   .signal_whom = SUPERVISOR_SIGNAL_GROUP);
	test_start(SUP);
	test_ignores(SUP, "a", SIGTERM);
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	test_siginfo();
}

TEST_F(tree, stopped_child_is_woken_to_obey)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_stop_self, 0),
		   .signal_whom = SUPERVISOR_SIGNAL_GROUP,
		   .shutdown_ms = SUPERVISOR_SHUTDOWN_INFINITY);
	test_child(SUP, "b", RUNS(child_stop_self, 0),
		   .signal_whom = SUPERVISOR_SIGNAL_PROCESS,
		   .shutdown_ms = SUPERVISOR_SHUTDOWN_INFINITY);
	test_start(SUP);
	ASSERT_TRUE(process_becomes(child_pid(SUP, "a"), "T"));
	ASSERT_TRUE(process_becomes(child_pid(SUP, "b"), "T"));
	test_stop(SUP);
	trace("started a, started b, up, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
}

static void exit_normally_on_term(int unused)
{
	_exit(0);
}

static void child_exits_when_asked(long status)
{
	signal(SIGTERM, exit_normally_on_term);
	child_wait(0);
}

TEST_F(tree, exit_when_asked_has_its_own_reason)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_exits_when_asked, 0));
	test_start(SUP);
	test_ignores(SUP, "a", SIGTERM);
	test_stop(SUP);
	trace("started a, up, term a, exited a normal, down stopped");
}

/* ---- groups ---- */

TEST_F(tree, group_is_signalled_and_its_rest_killed)
{
	volatile pid_t *helper = self->shared;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_with_helper, (long)helper),
		   .signal_whom = SUPERVISOR_SIGNAL_GROUP);
	test_start(SUP);
	ASSERT_TRUE(eventually(*helper > 0));
	ASSERT_EQ(child_pid(SUP, "a"), getpgid(*helper));
	ASSERT_TRUE(eventually(process_ignores(*helper, SIGTERM)));
	test_stop(SUP);
	trace("started a, up, term a, exited a shutdown, down stopped");
	ASSERT_TRUE(is_dead_after(*helper, PATIENCE_MS));
}

TEST_F(tree, rest_of_a_dead_leaders_group_is_killed_before_the_next_start)
{
	volatile pid_t *helper = self->shared;
	pid_t first;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", PROGRAM(.run = child_with_helper,
				     .argument = (long)helper),
		   .signal_whom = SUPERVISOR_SIGNAL_GROUP);
	test_start(SUP);
	ASSERT_TRUE(eventually(*helper > 0));
	first = *helper;
	test_kill("a");
	trace("started a, up, exited a killed, started a");
	ASSERT_TRUE(is_dead_after(first, PATIENCE_MS));
}

TEST_F(tree, group_needs_a_leader)
{
	struct supervisor_child_add add;

	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	add = test_start_child(ECHILD, SUPERVISOR_RESULT_START_FAILED, "a",
			       PROGRAM(.flags = PROGRAM_NO_GROUP),
			       .signal_whom = SUPERVISOR_SIGNAL_GROUP);
	ASSERT_EQ(EINVAL, add.out_error);
}

TEST_F(tree, without_group_others_are_left_alone)
{
	volatile pid_t *helper = self->shared;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_with_helper, (long)helper));
	test_start(SUP);
	ASSERT_TRUE(eventually(*helper > 0));
	test_stop(SUP);
	ASSERT_TRUE(is_alive(*helper));
	ASSERT_EQ(0, kill(*helper, SIGKILL));
}

/* ---- readiness ---- */

#define BY_EXEC .readiness = SUPERVISOR_READINESS_EXEC
#define BY_NOTIFY .readiness = SUPERVISOR_READINESS_NOTIFY

TEST_F(tree, ready_by_exec)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", EXECS("wait", 0), BY_EXEC);
	test_start(SUP);
	trace("started a, up");
}

TEST_F(tree, ready_by_exec_that_fails)
{
	struct supervisor_child_add add;

	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	add = test_start_child(ECHILD, SUPERVISOR_RESULT_START_FAILED, "a",
			       PROGRAM(.flags = PROGRAM_BAD_EXEC), BY_EXEC);
	ASSERT_EQ(ENOENT, add.out_error);
	test_which(SUP, "");
}

TEST_F(tree, ready_when_it_says_so)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", EXECS("ready", 0), BY_NOTIFY);
	test_start(SUP);
	trace("started a, up");
}

static void say_ready_then_exec(long unused)
{
	int dev = device_open();

	if (_test_report(dev, 0, SUPERVISOR_REPORT_READY, 0))
		_exit(220);
	child_exec("wait", 0);
}

TEST_F(tree, ready_said_before_exec)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(say_ready_then_exec, 0), BY_NOTIFY);
	test_start(SUP);
	trace("started a, up");
}

static void spawn_and_say_ready(struct start *start)
{
	spawn_fork(start);
	_test_report(start->spawner->dev, start->token,
		     SUPERVISOR_REPORT_READY, 0);
}

TEST_F(tree, ready_said_by_the_spawner)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", PROGRAM(.spawn = spawn_and_say_ready,
				     .flags = PROGRAM_EXEC, .action = "wait"),
		   BY_NOTIFY);
	test_start(SUP);
	trace("started a, up");
}

TEST_F(tree, exec_alone_is_not_ready)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct supervisor_status status;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", EXECS("wait", 0), BY_NOTIFY);
	test_ioctl(SUP, SUPERVISOR_START, &start);
	ASSERT_TRUE(eventually(child_pid(SUP, "a") > 0));
	sleep_ms(300);
	test_status(SUP, &status);
	ASSERT_EQ(SUPERVISOR_STATE_STARTING, status.out_state);
	ASSERT_EQ(SUPERVISOR_CHILD_STARTING, child_state(SUP, "a"));
	trace("");
}

TEST_F(tree, exit_before_exec_is_a_start_error)
{
	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	test_start_child(ECHILD, SUPERVISOR_RESULT_START_FAILED, "a",
			 PROGRAM(.run = child_exit, .argument = 3,
				 .flags = PROGRAM_SILENT), BY_EXEC);
	test_which(SUP, "");
}

TEST_F(tree, exit_after_exec_is_a_death)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", PROGRAM(.action = "exit", .argument = 3,
				     .flags = PROGRAM_EXEC | PROGRAM_SILENT),
		   BY_EXEC, .restart = SUPERVISOR_TEMPORARY);
	test_start(SUP);
	/* Which is told when it happens. */
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a", NULL);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a", NULL);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_which(SUP, "");
}

TEST_F(tree, exit_before_ready_is_a_start_error)
{
	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	test_start_child(ECHILD, SUPERVISOR_RESULT_START_FAILED, "a",
			 RUNS(child_exit, 0), BY_NOTIFY);
}

TEST_F(tree, child_says_it_failed)
{
	struct supervisor_child_add add;

	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	add = test_start_child(ECHILD, SUPERVISOR_RESULT_START_FAILED, "a",
			       PROGRAM(.run = child_fail, .argument = EACCES,
				       .flags = PROGRAM_SILENT), BY_EXEC);
	ASSERT_EQ(EACCES, add.out_error);
	add = test_start_child(ECHILD, SUPERVISOR_RESULT_START_FAILED, "a",
			       EXECS("fail", EDOM), BY_NOTIFY);
	ASSERT_EQ(EDOM, add.out_error);
}

TEST_F(tree, child_says_ignore)
{
	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	test_start_child(0, SUPERVISOR_RESULT_OK_UNDEFINED, "a",
			 PROGRAM(.run = child_say_ignore,
				 .flags = PROGRAM_SILENT), BY_EXEC);
	test_which(SUP, "a undefined");
}

TEST_F(tree, start_timeout)
{
	struct supervisor_child_add add;
	struct event event;

	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	add = test_start_child(ECHILD, SUPERVISOR_RESULT_START_FAILED, "a",
			       EXECS("wait", 0), BY_NOTIFY,
			       .start_timeout_ms = 300);
	ASSERT_EQ(ETIMEDOUT, add.out_error);
	test_which(SUP, "");
	/* It does not live on. */
	test_event(self->tree.events, SUPERVISOR_EVENT_START_FAILED, "a",
		   &event);
	if (event.event.head.pid) {
		ASSERT_TRUE(is_dead_after(event.event.head.pid, PATIENCE_MS));
	}
}

TEST_F(tree, spawner_timeout)
{
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS));

	test_tree_open(&self->tree, CREATE(.spawner_timeout_ms = 200));
	spawner_stop(&self->tree.spawner);
	test_child(SUP, "a", WAITS);
	ASSERT_EQ(-ECHILD, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(ETIMEDOUT, start.out_error);
	trace("start_failed a ETIMEDOUT, down init_failed");
	/* Its request went with it. */
	test_spawner_start(&self->tree.spawner, DEV, self->tree.mailbox);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	trace("");
}

/* A START that does not reach its reader has not been read. */
TEST_F(tree, spawner_timeout_of_what_no_spawner_could_take)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = 8, .buf_len = 4096);

	test_tree_open(&self->tree, CREATE(.spawner_timeout_ms = 500));
	spawner_stop(&self->tree.spawner);
	test_child(SUP, "a", WAITS);
	test_ioctl(SUP, SUPERVISOR_START, &start);
	ASSERT_TRUE(eventually(child_state(SUP, "a") ==
			       SUPERVISOR_CHILD_STARTING));
	ASSERT_EQ(-EFAULT, _test_ioctl(self->tree.mailbox,
				       SUPERVISOR_MAILBOX_RECV, &recv));
	trace("start_failed a ETIMEDOUT, down init_failed");
	/* Its request went with it. */
	recv.buf_len = 4096;
	ASSERT_EQ(-EAGAIN, _test_ioctl(self->tree.mailbox,
				       SUPERVISOR_MAILBOX_RECV, &recv));
}

static void spawn_and_say_started_again(struct start *start)
{
	int *err = (int *)start->program->argument;

	spawn_fork(start);
	*err = _test_report(start->spawner->dev, start->token,
			    SUPERVISOR_REPORT_STARTED, 0);
	/* Which ends the start. */
	_test_report(start->spawner->dev, start->token,
		     SUPERVISOR_REPORT_READY, 0);
}

TEST_F(tree, report_said_before)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", PROGRAM(.spawn = spawn_and_say_started_again,
				     .flags = PROGRAM_EXEC, .action = "wait",
				     .argument = (long)self->shared),
		   BY_NOTIFY);
	test_start(SUP);
	trace("started a, up");
	ASSERT_EQ(-EALREADY, *self->shared);
}

/* What each of a child's own reports answers the second time. */
static void say_all_twice(long shared)
{
	static const __u32 reports[] = { SUPERVISOR_REPORT_READY, SUPERVISOR_REPORT_SHUTDOWN };
	int *errs = (int *)shared;
	int dev = device_open();
	unsigned int i;

	for (i = 0; i < 4; i++)
		errs[i] = _test_report(dev, 0, reports[i / 2], 0);
	close(dev);
	child_exit_when_told(1);
}

TEST_F(tree, childs_own_report_said_before)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", PROGRAM(.run = say_all_twice, .argument = (long)self->shared),
		   BY_NOTIFY, .restart = SUPERVISOR_TRANSIENT);
	test_start(SUP);
	trace("started a, up");
	test_tell(SUP, "a");
	trace("exited a shutdown");
	ASSERT_EQ(0, self->shared[0]);
	ASSERT_EQ(-EALREADY, self->shared[1]);
	ASSERT_EQ(0, self->shared[2]);
	ASSERT_EQ(-EALREADY, self->shared[3]);
}

TEST_F(tree, report_errors)
{
	test_abc();
	ASSERT_EQ(-ESRCH, _test_report(DEV, 0, SUPERVISOR_REPORT_SHUTDOWN, 0));
	ASSERT_EQ(-ESTALE, _test_report(DEV, 12345, SUPERVISOR_REPORT_STARTED,
					0));
	ASSERT_EQ(-ESTALE, _test_attach(DEV, 12345));
}

/* ---- tokens and who may use them ---- */

/* One child whose START this process is to read. */
#define test_await_start() \
	do { \
		struct supervisor_start start_ = \
			ARG(supervisor_start, \
			    .flags = SUPERVISOR_CALL_F_ASYNC); \
		test_tree_open(&self->tree, CREATE()); \
		spawner_stop(&self->tree.spawner); \
		test_child(SUP, "a", WAITS); \
		test_ioctl(SUP, SUPERVISOR_START, &start_); \
	} while (0)

struct attempt {
	int dev;
	__u64 token;
	int *err;
	int depth;
};

/* Attaches from @depth generations below; the living child waits. */
static int attach_below(void *argument)
{
	struct attempt *attempt = argument;
	pid_t pid;
	int err;

	if (attempt->depth--)
		return in_process(attach_below, attempt);
	err = _test_attach(attempt->dev, attempt->token);
	if (err || !attempt->err)
		return err;
	/* Attached, which the test is told; it lives until it is killed. */
	pid = getpid();
	*attempt->err = pid;
	syscall(SYS_close_range, 3, ~0U, 0);
	child_wait(0);
	return 0;
}

TEST_F(tree, start_message)
{
	union start_message message;

	test_await_start();
	read_start(message);
	ASSERT_EQ(SUPERVISOR_MSG_START, message.head.type);
	ASSERT_EQ(0, message.head.flags);
	ASSERT_EQ(0, message.head.size % 8);
	ASSERT_EQ(self->tree.id, message.head.supervisor);
	ASSERT_NE(0, message.head.child);
	ASSERT_NE(0, message.head.ref);
	ASSERT_EQ(0, message.head.pid);
	ASSERT_EQ(getuid(), message.head.uid);
	ASSERT_EQ(1, message.head.incarnation);
	ASSERT_EQ(SUPERVISOR_READINESS_ATTACH, message.start.readiness);
	ASSERT_EQ(SUPERVISOR_SIGNAL_PROCESS, message.start.signal_whom);
	ASSERT_EQ(1, message.start.id_len);
	ASSERT_STREQ("a", text_at(&message, message.start.text_offset));
	ASSERT_EQ(sizeof(struct program), message.start.blob_len);
	ASSERT_EQ(0, message.start.blob_offset % 8);
	ASSERT_GE(message.head.size,
		  message.start.blob_offset + message.start.blob_len);
}

TEST_F(tree, strangers_may_not_attach)
{
	struct attempt attempt = { .depth = 1 };
	union start_message message;
	int err;

	test_await_start();
	read_start(message);
	attempt.dev = DEV;
	attempt.token = message.head.ref;
	/* A grandchild; and the reader itself, which owns the tree as well. */
	ASSERT_EQ(-EPERM, in_process(attach_below, &attempt));
	err = _test_attach(DEV, message.head.ref);
	ASSERT_TRUE(err == -EPERM || err == -EDEADLK);
	ASSERT_EQ(SUPERVISOR_CHILD_STARTING, child_state(SUP, "a"));
	/* The reader's own child may, all the same. */
	attempt.depth = 0;
	attempt.err = NULL;
	ASSERT_EQ(0, in_process(attach_below, &attempt));
	trace("started a, up, exited a normal");
}

static int report_token(void *argument)
{
	struct attempt *attempt = argument;

	if (attempt->depth--)
		return in_process(report_token, attempt);
	return _test_report(attempt->dev, attempt->token,
			    SUPERVISOR_REPORT_FAILED, EIO);
}

TEST_F(tree, strangers_may_not_report)
{
	struct attempt attempt = { .depth = 1 };
	union start_message message;

	test_await_start();
	read_start(message);
	attempt.dev = DEV;
	attempt.token = message.head.ref;
	ASSERT_EQ(-EPERM, in_process(report_token, &attempt));
	ASSERT_EQ(SUPERVISOR_CHILD_STARTING, child_state(SUP, "a"));
	ASSERT_EQ(0, _test_report(DEV, message.head.ref,
				  SUPERVISOR_REPORT_FAILED, EIO));
	trace("start_failed a EIO, down init_failed");
	ASSERT_EQ(-ESTALE, _test_report(DEV, message.head.ref,
					SUPERVISOR_REPORT_FAILED, EIO));
}

TEST_F(tree, token_is_used_once)
{
	struct attempt attempt = { .err = self->shared };
	union start_message message;
	pid_t pid;

	test_await_start();
	read_start(message);
	attempt.dev = DEV;
	attempt.token = message.head.ref;
	pid = fork();
	if (!pid)
		_exit(-attach_below(&attempt));
	ASSERT_TRUE(eventually(*self->shared == pid));
	trace("started a, up");
	attempt.err = NULL;
	ASSERT_EQ(-EALREADY, in_process(attach_below, &attempt));
	ASSERT_EQ(pid, child_pid(SUP, "a"));
}

TEST_F(tree, stop_revokes_the_token)
{
	struct attempt attempt = {};
	union start_message message;

	test_await_start();
	read_start(message);
	attempt.dev = DEV;
	attempt.token = message.head.ref;
	test_stop(SUP);
	ASSERT_EQ(-ESTALE, in_process(attach_below, &attempt));
	ASSERT_EQ(-ESTALE, _test_report(DEV, message.head.ref,
					SUPERVISOR_REPORT_STARTED, 0));
}

TEST_F(tree, terminate_waits_for_an_unfinished_start)
{
	struct supervisor_child_call call =
		CALL(supervisor_child_call, .deadline = after_ms(200));
	union start_message message;

	test_await_start();
	read_start(message);
	ASSERT_EQ(-ETIMEDOUT, _test_child_call(SUP, SUPERVISOR_CHILD_TERMINATE,
					       "a", &call));
	ASSERT_EQ(SUPERVISOR_CHILD_STARTING, child_state(SUP, "a"));
}

/* Reads the START, tells its token, and dies. */
static int read_and_die(void *argument)
{
	struct tree *tree = argument;
	union start_message message;

	if (_test_recv(tree->mailbox, &message, sizeof(message), 1,
		       after_ms(PATIENCE_MS)) != 1)
		return -EIO;
	*(volatile __u64 *)(uintptr_t)tree->id = message.head.ref;
	return 0;
}

TEST_F(tree, readers_death_queues_the_start_again)
{
	union start_message message;
	struct attempt attempt = {};
	volatile __u64 *old = (void *)self->shared;
	struct tree seen;

	test_await_start();
	seen = self->tree;
	seen.id = (uintptr_t)old;
	ASSERT_EQ(0, in_process(read_and_die, &seen));
	ASSERT_NE(0, *old);
	read_start(message);
	ASSERT_EQ(SUPERVISOR_MSG_START, message.head.type);
	ASSERT_NE(*old, message.head.ref);
	attempt.dev = DEV;
	attempt.token = *old;
	ASSERT_EQ(-ESTALE, in_process(attach_below, &attempt));
	attempt.token = message.head.ref;
	ASSERT_EQ(0, in_process(attach_below, &attempt));
	trace("started a, up, exited a normal");
}

TEST_F(tree, attached_child_of_a_dead_spawner_has_started)
{
	pid_t spawner;
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	spawner = spawner_process(DEV, self->tree.mailbox);
	test_child(SUP, "a", PROGRAM(.flags = PROGRAM_SILENT), BY_EXEC);
	test_ioctl(SUP, SUPERVISOR_START, &start);
	ASSERT_TRUE(eventually(child_pid(SUP, "a") > 0));
	trace("");
	ASSERT_EQ(0, kill(spawner, SIGKILL));
	trace("started a, up");
}

static int own_and_attach(void *argument)
{
	struct tree *tree = argument;
	struct supervisor_create create = CREATE(.mailbox_fd = tree->mailbox);
	struct supervisor_child_spec spec = CHILD("a", WAITS);
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);
	volatile __u64 *token = (void *)(uintptr_t)tree->id;
	int sup;

	if (_test_create(tree->dev, &create, &sup) ||
	    _test_child_add(sup, &spec, NULL) ||
	    _test_ioctl(sup, SUPERVISOR_START, &start))
		return -EIO;
	if (!eventually(*token))
		return -ETIMEDOUT;
	return _test_attach(tree->dev, *token);
}

TEST_F(tree, owner_cannot_be_its_own_child)
{
	volatile __u64 *token = (void *)self->shared;
	union start_message message;
	struct tree seen;
	int status;
	pid_t pid;

	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	seen = self->tree;
	seen.id = (uintptr_t)token;
	pid = fork();
	if (!pid)
		_exit(-own_and_attach(&seen));
	read_start(message);
	*token = message.head.ref;
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(EDEADLK << 8, status);
}

static int attach_twice(void *argument)
{
	__u64 *tokens = argument;
	int dev = device_open();
	int err = _test_attach(dev, tokens[0]);

	return err ?: _test_attach(dev, tokens[1]);
}

TEST_F(tree, a_process_is_one_child)
{
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct supervisor_child_spec spec =
		CHILD("b", WAITS, .restart = SUPERVISOR_TEMPORARY);
	union start_message message;
	__u64 tokens[2];
	struct tree other;

	test_await_start();
	read_start(message);
	tokens[0] = message.head.ref;
	test_tree_open(&other, CREATE());
	spawner_stop(&other.spawner);
	test_start(other.sup);
	add.mailbox_fd = other.events;
	ASSERT_EQ(0, _test_child_add(other.sup, &spec, &add));
	ASSERT_EQ(1, _test_recv(other.mailbox, &message, sizeof(message), 1,
				after_ms(PATIENCE_MS)));
	tokens[1] = message.head.ref;
	ASSERT_EQ(-EBUSY, in_process(attach_twice, tokens));
	trace("started a, up, exited a crash");
	tree_close(&other);
}

/* ---- nested supervisors ---- */

/* A root over "inner", which is over x and y; b follows. */
#define test_nested(...) \
	({ \
		struct supervisor_create create_ = CREATE(__VA_ARGS__); \
		int inner_; \
		test_create(DEV, &create_, &inner_); \
		test_child(inner_, "x", WAITS); \
		test_child(inner_, "y", WAITS); \
		inner_; \
	})

TEST_F(tree, nested)
{
	struct supervisor_count count;
	struct supervisor_child_status child;
	struct supervisor_status status;
	struct event event;
	int inner, opened;

	test_tree_open(&self->tree, CREATE());
	inner = test_nested();
	test_child(SUP, "a", WAITS);
	test_supervisor_child(SUP, "inner", inner);
	test_child(SUP, "b", WAITS);
	ASSERT_EQ(-EBUSY, _test_start(inner));
	test_start(SUP);
	trace("started a, started x, started y, up inner, started b, up");
	test_which(SUP, "b running, inner running, a running");
	test_which(inner, "y running, x running");
	test_count(SUP, &count);
	ASSERT_EQ(3, count.active);
	ASSERT_EQ(1, count.supervisors);
	test_status(inner, &status);
	test_child_status(SUP, "inner", &child);
	ASSERT_EQ(status.out_id, child.supervisor);
	ASSERT_EQ(SUPERVISOR_STATUS_F_SUPERVISOR,
		  child.flags & SUPERVISOR_STATUS_F_SUPERVISOR);
	ASSERT_EQ(SUPERVISOR_CHILD_SUPERVISOR, child.type);
	ASSERT_EQ(0, child.pid);

	test_open_child(SUP, "inner", O_RDWR, &opened);
	test_which(opened, "y running, x running");
	ASSERT_EQ(0, kill(child_pid(opened, "x"), SIGKILL));
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "x", &event);
	ASSERT_STREQ("inner", event.path);
	ASSERT_EQ(status.out_id, event.event.head.supervisor);
	trace("started x");
	close(opened);
	close(inner);
	test_stop(SUP);
	trace("term b, exited b shutdown, term y, exited y shutdown, "
	      "term x, exited x shutdown, down inner stopped, "
	      "term a, exited a shutdown, down stopped");
}

TEST_F(tree, nested_deeply)
{
	struct supervisor_create create = CREATE();
	int sups[SUPERVISOR_DEPTH_MAX + 1];
	char path[3 * SUPERVISOR_DEPTH_MAX] = "";
	struct supervisor_child_spec spec;
	int i, err, opened;

	test_tree_open(&self->tree, CREATE());
	sups[0] = SUP;
	for (i = 1; i < SUPERVISOR_DEPTH_MAX; i++) {
		test_create(DEV, &create, &sups[i]);
		test_supervisor_child(sups[i - 1], "s", sups[i]);
		strcat(path, i == 1 ? "s" : "/s");
	}
	/* One more is too many; not always is it told at once. */
	test_create(DEV, &create, &sups[i]);
	spec = CHILD_SUPERVISOR("s", sups[i]);
	err = _test_child_add(sups[i - 1], &spec, NULL);
	ASSERT_EQ(-ELOOP, err);
	close(sups[i]);
	test_child(sups[i - 1], "leaf", WAITS);
	test_start(SUP);
	test_open_child(SUP, path, O_RDONLY, &opened);
	test_which(opened, "leaf running");
	close(opened);
	test_stop(SUP);
	while (--i)
		close(sups[i]);
}

TEST_F(tree, nested_below_itself)
{
	struct supervisor_create create = CREATE();
	struct supervisor_child_spec spec;
	struct tree other;
	int inner;

	test_tree_open(&self->tree, CREATE());
	test_create(DEV, &create, &inner);
	spec = CHILD_SUPERVISOR("s", inner);
	ASSERT_EQ(-ELOOP, _test_child_add(inner, &spec, NULL));
	ASSERT_EQ(0, _test_child_add(SUP, &spec, NULL));
	/* Somebody's child, started, or ended: none can become a child. */
	spec = CHILD_SUPERVISOR("t", inner);
	ASSERT_EQ(-EBUSY, _test_child_add(SUP, &spec, NULL));
	test_tree_open(&other, CREATE());
	test_start(other.sup);
	spec = CHILD_SUPERVISOR("t", other.sup);
	ASSERT_EQ(-EBUSY, _test_child_add(SUP, &spec, NULL));
	test_stop(other.sup);
	ASSERT_EQ(-EBUSY, _test_child_add(SUP, &spec, NULL));
	tree_close(&other);
	/* The root below its own child. */
	spec = CHILD_SUPERVISOR("root", SUP);
	ASSERT_EQ(-ELOOP, _test_child_add(inner, &spec, NULL));
	close(inner);
}

TEST_F(tree, nested_that_gives_up_is_restarted_afresh)
{
	struct supervisor_status status;
	struct supervisor_child_spec late = CHILD("late", WAITS);
	int inner;

	test_tree_open(&self->tree, CREATE());
	inner = test_nested(.intensity = 1, .period = 3600);
	test_supervisor_child(SUP, "inner", inner);
	test_start(SUP);
	trace("started x, started y, up inner, up");
	ASSERT_EQ(0, _test_child_add(inner, &late, NULL));
	trace("started late");
	ASSERT_EQ(0, kill(child_pid(inner, "x"), SIGKILL));
	trace("exited x killed, started x");
	ASSERT_EQ(0, kill(child_pid(inner, "x"), SIGKILL));
	trace("exited x killed, term late, exited late shutdown, "
	      "term y, exited y shutdown, down inner intensity, "
	      "started x, started y, up inner");
	test_which(inner, "y running, x running");
	test_status(SUP, &status);
	ASSERT_EQ(1, status.out_restarts);
	/* With an empty window. */
	ASSERT_EQ(0, kill(child_pid(inner, "x"), SIGKILL));
	trace("exited x killed, started x");
	close(inner);
}

TEST_F(tree, nested_transient_that_gives_up_is_not_restarted)
{
	int inner;

	test_tree_open(&self->tree, CREATE());
	inner = test_nested(.intensity = 0);
	test_supervisor_child(SUP, "inner", inner,
			      .restart = SUPERVISOR_TRANSIENT);
	test_start(SUP);
	trace("started x, started y, up inner, up");
	ASSERT_EQ(0, kill(child_pid(inner, "y"), SIGKILL));
	trace("exited y killed, term x, exited x shutdown, "
	      "down inner intensity");
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_which(SUP, "inner undefined");
	close(inner);
}

TEST_F(tree, nested_escalates_to_the_root)
{
	int inner;

	test_tree_open(&self->tree, CREATE(.intensity = 0));
	inner = test_nested(.intensity = 0);
	test_child(SUP, "a", WAITS);
	test_supervisor_child(SUP, "inner", inner);
	test_start(SUP);
	trace("started a, started x, started y, up inner, up");
	ASSERT_EQ(0, kill(child_pid(inner, "x"), SIGKILL));
	trace("exited x killed, term y, exited y shutdown, "
	      "down inner intensity, term a, exited a shutdown, "
	      "down intensity");
	close(inner);
}

TEST_F(tree, nested_that_cannot_start)
{
	char failed[16] = "";
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS),
		    .failed_id = (uintptr_t)failed,
		    .failed_id_len = sizeof(failed));
	int inner;

	test_tree_open(&self->tree, CREATE());
	inner = test_nested();
	test_child(inner, "z", FAILS);
	test_child(SUP, "a", WAITS);
	test_supervisor_child(SUP, "inner", inner);
	ASSERT_EQ(-ECHILD, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(5, start.failed_id_len);
	ASSERT_EQ(0, memcmp(failed, "inner", 5));
	trace("started a, started x, started y, start_failed z ENOENT, "
	      "term y, exited y shutdown, term x, exited x shutdown, "
	      "down inner init_failed, term a, exited a shutdown, "
	      "down init_failed");
	close(inner);
}

/*
 * What a supervisor's init/1 says: the attempts whose bits are set are ignored,
 * those 8 bits up fail.
 */
static void spawn_init(struct start *start)
{
	long argument = start->program->argument;

	if (!start->is_supervisor)
		return;
	if (argument & (1L << start->attempt))
		spawn_ignore(start);
	else if (argument & (1L << (start->attempt + 8)))
		_test_report(start->spawner->dev, start->token,
			     SUPERVISOR_REPORT_FAILED, ENOENT);
	else
		spawn_ready(start);
}

/* Adds a supervisor n with a child x, whose start is asked for. */
#define test_asked_for(sub_, add_, program_) \
	do { \
		struct supervisor_create create_ = CREATE(.intensity = 0); \
		test_create(DEV, &create_, (sub_)); \
		test_child(*(sub_), "x", WAITS); \
		ASSERT_EQ(0, _test_child_add(SUP, &CHILD_SUPERVISOR("n", \
				*(sub_), \
				.readiness = SUPERVISOR_READINESS_NOTIFY, \
				.blob = (uintptr_t)(program_), \
				.blob_len = sizeof(*(program_))), (add_))); \
	} while (0)

TEST_F(tree, nested_starts_when_it_is_ready_to)
{
	struct supervisor_status status;
	int sub;

	test_tree_open(&self->tree, CREATE());
	test_asked_for(&sub, NULL, SPAWNS(spawn_init, 0));
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	trace("started x, up n, started a, up");
	ASSERT_EQ(0, kill(child_pid(sub, "x"), SIGKILL));
	trace("exited x killed, down n intensity, started x, up n");
	test_status(sub, &status);
	ASSERT_EQ(SUPERVISOR_STATE_UP, status.out_state);
	close(sub);
}

TEST_F(tree, nested_ignored)
{
	int sub;

	test_tree_open(&self->tree, CREATE());
	test_asked_for(&sub, NULL, SPAWNS(spawn_init, 1L << 1 | 1L << 3));
	test_start(SUP);
	trace("up");
	test_which(SUP, "n undefined");
	ASSERT_EQ(0, _test_restart(SUP, "n"));
	trace("started x, up n");
	ASSERT_EQ(0, kill(child_pid(sub, "x"), SIGKILL));
	trace("exited x killed, down n intensity");
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_which(SUP, "n undefined");
	close(sub);
}

TEST_F(tree, nested_ignored_at_restart)
{
	int sub;

	test_tree_open(&self->tree, CREATE());
	test_asked_for(&sub, NULL, SPAWNS(spawn_init, 1L << 2));
	test_start(SUP);
	trace("started x, up n, up");
	ASSERT_EQ(0, kill(child_pid(sub, "x"), SIGKILL));
	trace("exited x killed, down n intensity");
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_which(SUP, "n undefined");
	ASSERT_EQ(0, _test_restart(SUP, "n"));
	trace("started x, up n");
	close(sub);
}

TEST_F(tree, nested_ignored_when_added)
{
	struct supervisor_child_add add = CALL(supervisor_child_add);
	int sub;

	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	test_asked_for(&sub, &add, SPAWNS(spawn_init, 1L << 1));
	ASSERT_EQ(SUPERVISOR_RESULT_OK_UNDEFINED, add.out_result);
	test_which(SUP, "n undefined");
	ASSERT_EQ(0, _test_delete(SUP, "n"));
	close(sub);
}

TEST_F(tree, nested_that_says_it_fails)
{
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS));
	int sub;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_asked_for(&sub, NULL, SPAWNS(spawn_init, 1L << 9));
	ASSERT_EQ(-ECHILD, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(ENOENT, start.out_error);
	trace("started a, term a, exited a shutdown, down init_failed");
	close(sub);
}

TEST_F(tree, nested_stopped_while_it_is_asked)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct attempt attempt = {};
	union start_message message;
	int sub;

	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	test_asked_for(&sub, NULL, SPAWNS(spawn_init, 0));
	test_ioctl(SUP, SUPERVISOR_START, &start);
	read_start(message);
	ASSERT_EQ(SUPERVISOR_MSG_F_SUPERVISOR, message.head.flags);
	/* Nobody becomes a supervisor. */
	attempt.dev = DEV;
	attempt.token = message.head.ref;
	ASSERT_EQ(-EINVAL, in_process(attach_below, &attempt));
	ASSERT_EQ(-EINVAL, _test_report(DEV, message.head.ref,
					SUPERVISOR_REPORT_STARTED, 0));
	test_stop(SUP);
	trace("down stopped");
	ASSERT_EQ(-ESTALE, _test_report(DEV, message.head.ref,
					SUPERVISOR_REPORT_READY, 0));
	close(sub);
}

/* That is the only child of one that is up. */
#define test_nested_up() \
	({ \
		int nested_; \
		test_tree_open(&self->tree, CREATE()); \
		nested_ = test_nested(); \
		test_supervisor_child(SUP, "inner", nested_); \
		test_start(SUP); \
		trace("started x, started y, up inner, up"); \
		nested_; \
	})

TEST_F(tree, nested_stopped_by_hand_is_restarted)
{
	int inner = test_nested_up();

	test_stop(inner);
	trace("term y, exited y shutdown, term x, exited x shutdown, "
	      "down inner stopped, started x, started y, up inner");
	close(inner);
}

TEST_F(tree, nested_terminate_and_restart)
{
	int inner = test_nested_up();

	ASSERT_EQ(0, _test_terminate(SUP, "inner"));
	trace("term y, exited y shutdown, term x, exited x shutdown, "
	      "down inner stopped");
	test_which(SUP, "inner undefined");
	ASSERT_EQ(0, _test_restart(SUP, "inner"));
	trace("started x, started y, up inner");
	close(inner);
}

TEST_F(tree, nested_opened_with_no_more_access)
{
	char name[32];
	struct supervisor_create create;
	int inner, reader, opened;

	snprintf(name, sizeof(name), "/nested.%d", getpid());
	test_tree_open(&self->tree, CREATE(.mode = 0600,
					   .name = (uintptr_t)name,
					   .name_len = strlen(name)));
	create = CREATE();
	test_create(DEV, &create, &inner);
	test_supervisor_child(SUP, "inner", inner);
	test_open(DEV, name, O_RDONLY, &reader);
	ASSERT_EQ(-EACCES, _test_open_child(reader, "inner", O_RDWR, &opened));
	ASSERT_EQ(-EACCES, _test_open_child(reader, "inner", O_WRONLY,
					    &opened));
	test_open_child(reader, "inner", O_RDONLY, &opened);
	ASSERT_EQ(-EBADF, _test_stop(opened));
	close(opened);
	close(reader);
	close(inner);
}

/* ---- significant children ---- */

TEST_F(tree, any_significant)
{
	test_tree_open(&self->tree, CREATE(.auto_shutdown =
				SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT));
	test_child(SUP, "a", WAITS);
	test_child(SUP, "s", RUNS(child_exit_when_told, 0), .significant = 1,
		   .restart = SUPERVISOR_TRANSIENT);
	test_child(SUP, "b", WAITS);
	test_start(SUP);
	trace("started a, started s, started b, up");
	test_tell(SUP, "s");
	trace("exited s normal, term b, exited b shutdown, term a, exited a shutdown, "
	      "down auto_shutdown");
	test_down(SUPERVISOR_DOWN_AUTO_SHUTDOWN, SUPERVISOR_EXIT_SHUTDOWN);
}

TEST_F(tree, all_significant)
{
	test_tree_open(&self->tree, CREATE(.auto_shutdown =
				SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT));
	test_child(SUP, "a", WAITS);
	test_child(SUP, "s", WAITS, .significant = 1,
		   .restart = SUPERVISOR_TEMPORARY);
	test_child(SUP, "t", WAITS, .significant = 1,
		   .restart = SUPERVISOR_TEMPORARY);
	test_start(SUP);
	trace("started a, started s, started t, up");
	test_kill("s");
	trace("exited s killed");
	test_kill("t");
	trace("exited t killed, term a, exited a shutdown, "
	      "down auto_shutdown");
}

TEST_F(tree, stopped_significant_ones_end_nothing)
{
	test_tree_open(&self->tree, CREATE(.auto_shutdown =
				SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT));
	test_child(SUP, "s", RUNS(child_exit_when_told, 1), .significant = 1,
		   .restart = SUPERVISOR_TRANSIENT);
	test_child(SUP, "t", IGNORES, .significant = 1,
		   .restart = SUPERVISOR_TRANSIENT);
	test_start(SUP);
	trace("started s, ignored t, up");
	test_tell(SUP, "s");
	trace("exited s crash, started s");
	ASSERT_EQ(0, _test_terminate(SUP, "s"));
	trace("term s, exited s shutdown");
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_which(SUP, "t undefined, s undefined");
}

/* ---- suspend, wait, poll ---- */

TEST_F(tree, suspend)
{
	struct supervisor_child_status child;
	struct supervisor_status status;
	pid_t pid;

	test_abc();
	test_suspend(SUP, 0);
	test_status(SUP, &status);
	ASSERT_EQ(1, status.out_suspended);
	ASSERT_EQ(SUPERVISOR_STATE_UP, status.out_state);
	pid = child_pid(SUP, "a");
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_TRUE(is_dead_after(pid, PATIENCE_MS));
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_child_status(SUP, "a", &child);
	ASSERT_EQ(SUPERVISOR_CHILD_RUNNING, child.state);
	ASSERT_EQ(SUPERVISOR_STATUS_F_DEAD,
		  child.flags & SUPERVISOR_STATUS_F_DEAD);
	test_resume(SUP, 0);
	trace("exited a killed, started a");
	test_status(SUP, &status);
	ASSERT_EQ(0, status.out_suspended);
}

TEST_F(tree, suspended_queue_keeps_its_order)
{
	struct supervisor_child_call call =
		CALL(supervisor_child_call, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_abc();
	call.mailbox_fd = self->tree.mailbox;
	test_suspend(SUP, 0);
	test_kill("a");
	ASSERT_TRUE(is_dead_after(child_pid(SUP, "a"), PATIENCE_MS));
	ASSERT_EQ(0, _test_child_call(SUP, SUPERVISOR_CHILD_TERMINATE, "b",
				      &call));
	test_kill("c");
	ASSERT_TRUE(is_dead_after(child_pid(SUP, "c"), PATIENCE_MS));
	/* Deaths are told when they happen, what follows when it does. */
	trace("exited a killed, exited c killed");
	test_resume(SUP, 0);
	trace("started a, term b, exited b shutdown, started c");
}

TEST_F(tree, suspended_tree)
{
	struct supervisor_status status;
	int inner = test_nested_up();

	test_suspend(SUP, 0);
	test_status(inner, &status);
	ASSERT_EQ(0, status.out_suspended);
	test_resume(SUP, 0);
	test_suspend(SUP, SUPERVISOR_SUSPEND_F_TREE);
	test_status(inner, &status);
	ASSERT_EQ(1, status.out_suspended);
	ASSERT_EQ(0, kill(child_pid(inner, "x"), SIGKILL));
	ASSERT_TRUE(is_dead_after(child_pid(inner, "x"), PATIENCE_MS));
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	trace("exited x killed");
	test_resume(SUP, SUPERVISOR_SUSPEND_F_TREE);
	trace("started x");
	close(inner);
}

TEST_F(tree, stop_of_a_suspended_one)
{
	test_abc();
	test_suspend(SUP, 0);
	test_stop(SUP);
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
}

TEST_F(tree, wait)
{
	struct supervisor_wait wait =
		ARG(supervisor_wait, .what = SUPERVISOR_WAIT_DOWN);
	union start_message message;

	test_await_start();
	read_start(message);
	ASSERT_EQ(-EAGAIN, _test_ioctl(SUP, SUPERVISOR_WAIT, &wait));
	wait.deadline = after_ms(50);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(SUP, SUPERVISOR_WAIT, &wait));
	wait.what = SUPERVISOR_WAIT_IDLE;
	wait.deadline = 0;
	ASSERT_EQ(-EAGAIN, _test_ioctl(SUP, SUPERVISOR_WAIT, &wait));
	wait.deadline = after_ms(50);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(SUP, SUPERVISOR_WAIT, &wait));
	ASSERT_EQ(0, _test_report(DEV, message.head.ref,
				  SUPERVISOR_REPORT_IGNORE, 0));
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	wait.deadline = 0;
	test_ioctl(SUP, SUPERVISOR_WAIT, &wait);
	test_stop(SUP);
	wait.what = SUPERVISOR_WAIT_DOWN;
	test_ioctl(SUP, SUPERVISOR_WAIT, &wait);
	ASSERT_EQ(SUPERVISOR_DOWN_STOPPED, wait.out_down);
}

TEST_F(tree, poll)
{
	struct pollfd polled[] = { { .events = POLLIN }, { .events = POLLIN } };

	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	polled[0].fd = self->tree.sup;
	polled[1].fd = self->tree.events;
	ASSERT_EQ(0, poll(polled, 2, 0));
	test_start(SUP);
	ASSERT_EQ(1, poll(polled, 2, PATIENCE_MS));
	ASSERT_EQ(POLLIN, polled[1].revents);
	trace("up");
	ASSERT_EQ(0, poll(polled, 2, 0));
	test_stop(SUP);
	ASSERT_EQ(1, poll(polled, 1, PATIENCE_MS));
	ASSERT_EQ(POLLHUP, polled[0].revents & POLLHUP);
}

/* ---- calls which do not wait ---- */

union answer {
	struct supervisor_msg_answer answer;
	struct supervisor_msg head;
	char bytes[8192];
} __aligned(8);

#define test_answer(mailbox_, answer_, cookie_, command_, result_) \
	do { \
		ASSERT_EQ(1, _test_recv((mailbox_), &(answer_), \
					sizeof(answer_), 1, \
					after_ms(PATIENCE_MS))); \
		ASSERT_EQ(SUPERVISOR_MSG_ANSWER, (answer_).head.type); \
		ASSERT_EQ((cookie_), (answer_).head.ref); \
		ASSERT_EQ((command_), (answer_).answer.command); \
		ASSERT_EQ((result_), (answer_).answer.result); \
	} while (0)

TEST_F(tree, asynchronous_calls)
{
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .cookie = 0x1122334455667788ULL);
	struct supervisor_query query =
		CALL(supervisor_query, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .buf_len = 4096);
	struct supervisor_child_spec spec = CHILD("d", WAITS);
	struct supervisor_child_spec failing = CHILD("e", FAILS);
	const struct supervisor_child_status *child;
	union answer answer;
	int answers;

	test_abc();
	test_mailbox_create(DEV, 0, &answers);
	add.mailbox_fd = answers;
	query.mailbox_fd = answers;
	query.cookie = 3;
	ASSERT_EQ(0, _test_child_add(SUP, &spec, &add));
	test_child_call_async(SUP, SUPERVISOR_CHILD_TERMINATE, "a", answers, 1);
	test_child_call_async(SUP, SUPERVISOR_CHILD_DELETE, "b", answers, 2);
	test_ioctl(SUP, SUPERVISOR_WHICH_CHILDREN, &query);
	query.cookie = 4;
	test_ioctl(SUP, SUPERVISOR_COUNT_CHILDREN, &query);
	add.cookie = 5;
	ASSERT_EQ(0, _test_child_add(SUP, &failing, &add));
	test_child_call_async(SUP, SUPERVISOR_CHILD_RESTART, "none", answers,
			      6);

	test_answer(answers, answer, 0x1122334455667788ULL,
		    SUPERVISOR_CMD_CHILD_ADD, SUPERVISOR_RESULT_OK);
	ASSERT_EQ(child_pid(SUP, "d"), answer.head.pid);
	ASSERT_EQ(self->tree.id, answer.head.supervisor);
	test_answer(answers, answer, 1, SUPERVISOR_CMD_CHILD_TERMINATE,
		    SUPERVISOR_RESULT_OK);
	test_answer(answers, answer, 2, SUPERVISOR_CMD_CHILD_DELETE,
		    SUPERVISOR_RESULT_RUNNING);
	test_answer(answers, answer, 3, SUPERVISOR_CMD_WHICH_CHILDREN,
		    SUPERVISOR_RESULT_OK);
	ASSERT_EQ(4, answer.answer.out_count);
	child = (void *)(answer.bytes + answer.answer.data_offset);
	ASSERT_STREQ("d", text_at(child, child->name_offset));
	ASSERT_LE(answer.answer.data_offset + answer.answer.data_len,
		  answer.head.size);
	test_answer(answers, answer, 4, SUPERVISOR_CMD_COUNT_CHILDREN,
		    SUPERVISOR_RESULT_OK);
	ASSERT_EQ(sizeof(struct supervisor_count), answer.answer.data_len);
	ASSERT_EQ(4, ((struct supervisor_count *)(answer.bytes +
		  answer.answer.data_offset))->specs);
	test_answer(answers, answer, 5, SUPERVISOR_CMD_CHILD_ADD,
		    SUPERVISOR_RESULT_START_FAILED);
	ASSERT_EQ(ENOENT, answer.answer.error);
	test_answer(answers, answer, 6, SUPERVISOR_CMD_CHILD_RESTART,
		    SUPERVISOR_RESULT_NOT_FOUND);
	ASSERT_EQ(-EAGAIN, _test_recv(answers, &answer, sizeof(answer), 1, 0));
	close(answers);
}

TEST_F(tree, asynchronous_answer_larger_than_asked_for)
{
	struct supervisor_query query =
		CALL(supervisor_query, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .buf_len = 8, .cookie = 9);
	union answer answer;
	int answers;

	test_abc();
	test_mailbox_create(DEV, 0, &answers);
	query.mailbox_fd = answers;
	test_ioctl(SUP, SUPERVISOR_WHICH_CHILDREN, &query);
	test_answer(answers, answer, 9, SUPERVISOR_CMD_WHICH_CHILDREN,
		    SUPERVISOR_RESULT_OK);
	/* What was needed; and none of it is there. */
	ASSERT_LE(3 * sizeof(struct supervisor_child_status),
		  answer.answer.data_len);
	ASSERT_GE(sizeof(answer.answer) + 8, answer.head.size);
	close(answers);
}

TEST_F(tree, asynchronous_call_to_one_that_ends)
{
	union answer answer;
	int answers;

	test_abc();
	test_mailbox_create(DEV, 0, &answers);
	test_suspend(SUP, 0);
	test_child_call_async(SUP, SUPERVISOR_CHILD_TERMINATE, "a", answers, 7);
	test_stop(SUP);
	ASSERT_EQ(1, _test_recv(answers, &answer, sizeof(answer), 1,
				after_ms(PATIENCE_MS)));
	ASSERT_EQ(SUPERVISOR_MSG_ANSWER, answer.head.type);
	ASSERT_EQ(7, answer.head.ref);
	ASSERT_EQ(SUPERVISOR_RESULT_EXIT, answer.answer.result);
	close(answers);
}

struct caller {
	int sup;
	int err;
	struct supervisor_child_call call;
};

static void *call_terminate(void *argument)
{
	struct caller *caller = argument;

	caller->call = CALL(supervisor_child_call);
	caller->err = _test_child_call(caller->sup, SUPERVISOR_CHILD_TERMINATE,
				       "a", &caller->call);
	return NULL;
}

TEST_F(tree, call_to_one_that_ends)
{
	struct caller caller = { .err = 1 };
	pthread_t thread;

	test_abc();
	caller.sup = SUP;
	test_suspend(SUP, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_terminate, &caller));
	sleep_ms(300);
	ASSERT_EQ(1, caller.err);
	test_stop(SUP);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(-EOWNERDEAD, caller.err);
	ASSERT_EQ(SUPERVISOR_RESULT_EXIT, caller.call.out_result);
}

/* ---- deadlines ---- */

TEST_F(tree, call_not_begun_is_withdrawn)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);

	test_abc();
	test_suspend(SUP, 0);
	call.deadline = after_ms(50);
	ASSERT_EQ(-ETIMEDOUT, _test_child_call(SUP, SUPERVISOR_CHILD_TERMINATE,
					       "a", &call));
	call.deadline = 0;
	ASSERT_EQ(-EAGAIN, _test_child_call(SUP, SUPERVISOR_CHILD_TERMINATE,
					    "a", &call));
	test_resume(SUP, 0);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	trace("");
	test_which(SUP, "c running, b running, a running");
}

TEST_F(tree, call_that_has_begun_completes_unanswered)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);

	test_stubborn();
	call.deadline = after_ms(200);
	ASSERT_EQ(-ETIMEDOUT, _test_child_call(SUP, SUPERVISOR_CHILD_TERMINATE,
					       "a", &call));
	ASSERT_EQ(SUPERVISOR_CHILD_STOPPING, child_state(SUP, "a"));
	test_kill("a");
	trace("started a, up, term a, exited a killed");
	test_which(SUP, "a undefined");
}

static void nop(int unused)
{
}

/* Of child "a", in which a signal handler runs. */
static int terminate_interrupted(int sup, struct supervisor_child_call *call)
{
	struct sigaction action = { .sa_handler = nop };
	pid_t pid;
	int err;

	sigaction(SIGUSR1, &action, NULL);
	pid = fork();
	if (!pid) {
		syscall(SYS_close_range, 3, ~0U, 0);
		while (!kill(getppid(), SIGUSR1))
			sleep_ms(100);
		_exit(0);
	}
	err = _test_child_call(sup, SUPERVISOR_CHILD_TERMINATE, "a", call);
	signal(SIGUSR1, SIG_IGN);
	process_kill(pid);
	return err;
}

TEST_F(tree, call_is_interruptible)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);

	test_abc();
	test_suspend(SUP, 0);
	ASSERT_EQ(-EINTR, terminate_interrupted(SUP, &call));
	/* Made again, it is the same call, which was not made twice. */
	call.deadline = after_ms(100);
	ASSERT_EQ(-ETIMEDOUT, _test_child_call(SUP, SUPERVISOR_CHILD_TERMINATE,
					       "a", &call));
	test_resume(SUP, 0);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	trace("");
}

TEST_F(tree, interrupted_call_goes_on)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);

	test_stubborn();
	ASSERT_EQ(-EINTR, terminate_interrupted(SUP, &call));
	trace("started a, up, term a");
	test_kill("a");
	ASSERT_EQ(0, _test_child_call(SUP, SUPERVISOR_CHILD_TERMINATE, "a",
				      &call));
	ASSERT_EQ(SUPERVISOR_RESULT_OK, call.out_result);
	trace("exited a killed");
}

/* ---- events ---- */

TEST_F(tree, events_tell_whom)
{
	struct supervisor_child_status child;
	struct event event;
	__u64 before = now_ns();

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	test_child_status(SUP, "a", &child);
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a", &event);
	ASSERT_EQ(self->tree.id, event.event.head.supervisor);
	ASSERT_EQ(child.id, event.event.head.child);
	ASSERT_EQ(child.pid, event.event.head.pid);
	ASSERT_EQ(1, event.event.head.incarnation);
	ASSERT_EQ(0, event.event.head.size % 8);
	ASSERT_EQ(0, event.event.is_supervisor);
	ASSERT_EQ(getuid(), event.event.head.uid);
	ASSERT_LE(before, event.event.head.time_ns);
	ASSERT_GE(now_ns(), event.event.head.time_ns);
	ASSERT_EQ(0, *event.path);
	test_event(self->tree.events, SUPERVISOR_EVENT_UP, "", &event);
	ASSERT_EQ(0, event.event.head.child);
	ASSERT_EQ(self->tree.id, event.event.head.supervisor);
}

TEST_F(tree, request_is_an_event)
{
	struct event event;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	ASSERT_EQ(0, _test_next(self->tree.events, &event, 0));
	ASSERT_EQ(SUPERVISOR_EVENT_START_REQUEST, event.event.event);
	ASSERT_STREQ("a", event.id);
}

TEST_F_TIMEOUT(tree, full_ring_has_a_gap_with_a_count, 600)
{
	unsigned int told = 0, lost = 0, all = 0, gaps = 0;
	struct event event;
	int small;
	int i;

	test_tree_open(&self->tree, CREATE(.intensity = 1000000));
	test_mailbox_create(DEV, 4096, &small);
	test_subscribe(SUP, small);
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a", NULL);
	for (i = 0; i < 60; i++) {
		test_kill("a");
		test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a",
			   NULL);
	}
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	/* Request and start of each; exits; and that it is up. */
	all = 2 * 61 + 60 + 1;
	while (!_test_next(small, &event, 0)) {
		if (event.event.head.type == SUPERVISOR_MSG_GAP) {
			gaps++;
			lost += event.event.head.ref;
		} else {
			ASSERT_EQ(SUPERVISOR_MSG_EVENT, event.event.head.type);
			told++;
		}
	}
	ASSERT_LT(0, gaps);
	ASSERT_LT(0, lost);
	ASSERT_LT(8, told);
	ASSERT_EQ(all, told + lost);
	/* There is room again. */
	test_kill("a");
	test_event(small, SUPERVISOR_EVENT_EXITED, "a", NULL);
	close(small);
}

TEST_F(tree, recv_takes_many)
{
	char buf[8192] __aligned(8);
	struct supervisor_msg *message = (void *)buf;
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = (uintptr_t)buf,
		    .buf_len = sizeof(buf), .max = 2);
	__u32 at;
	unsigned int i;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", WAITS);
	test_start(SUP);
	test_ioctl(self->tree.events, SUPERVISOR_MAILBOX_RECV, &recv);
	ASSERT_EQ(2, recv.out_count);
	ASSERT_EQ(recv.buf_len, message->size +
		  ((struct supervisor_msg *)(buf + message->size))->size);
	recv.max = 0;
	recv.buf_len = sizeof(buf);
	test_ioctl(self->tree.events, SUPERVISOR_MAILBOX_RECV, &recv);
	/* Request and start of b, and that it is up. */
	ASSERT_EQ(3, recv.out_count);
	for (at = 0, i = 0; i < recv.out_count; i++) {
		message = (void *)(buf + at);
		ASSERT_EQ(SUPERVISOR_MSG_EVENT, message->type);
		at += message->size;
	}
	ASSERT_EQ(at, recv.buf_len);
}

/* ---- owners ---- */

struct owner {
	int events;
	volatile int *shared;
	__u32 owner_death;
	pid_t pid;
	volatile pid_t *children;
};

/* A process with a tree of its own, whose events go elsewhere. */
static int own_a_tree(void *argument)
{
	struct owner *owner = argument;
	struct supervisor_child_spec spec;
	struct tree tree;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = _test_tree_open(&tree, CREATE(.owner_death = owner->owner_death));
	if (err)
		return err;
	spec = CHILD("a", WAITS);
	err = _test_child_add(tree.sup, &spec, NULL);
	spec = CHILD("b", WAITS);
	err = err ?: _test_child_add(tree.sup, &spec, NULL);
	err = err ?: _test_subscribe(tree.sup, owner->events);
	err = err ?: _test_start(tree.sup);
	if (err)
		return err;
	owner->children[0] = child_pid(tree.sup, "a");
	owner->children[1] = child_pid(tree.sup, "b");
	*owner->shared = 1;
	child_wait(0);
	return 0;
}

#define test_owner(...) \
	({ \
		struct owner owner_ = { \
			.shared = self->shared, \
			.children = (pid_t *)self->shared + 1, ##__VA_ARGS__ \
		}; \
		self->tree.dev = device_open(); \
		test_mailbox_create(DEV, 0, &self->tree.events); \
		owner_.events = self->tree.events; \
		owner_.pid = fork(); \
		if (!owner_.pid) \
			_exit(-own_a_tree(&owner_)); \
		ASSERT_TRUE(eventually(*owner_.shared)); \
		trace("started a, started b, up"); \
		owner_; \
	})

TEST_F(tree, owners_death_stops_the_tree)
{
	struct owner owner = test_owner();

	ASSERT_EQ(0, kill(owner.pid, SIGKILL));
	trace("term b, exited b shutdown, term a, exited a shutdown, "
	      "down stopped");
	ASSERT_FALSE(is_alive(owner.children[0]));
	ASSERT_FALSE(is_alive(owner.children[1]));
}

TEST_F(tree, owners_death_releases_the_children)
{
	struct owner owner = test_owner(.owner_death =
					SUPERVISOR_OWNER_DEATH_RELEASE);

	ASSERT_EQ(0, kill(owner.pid, SIGKILL));
	trace("down released");
	ASSERT_TRUE(is_alive(owner.children[0]));
	ASSERT_TRUE(is_alive(owner.children[1]));
	kill(owner.children[0], SIGKILL);
	kill(owner.children[1], SIGKILL);
}

static void *exit_thread(void *unused)
{
	syscall(SYS_exit, 0);
	return NULL;
}

TEST_F(tree, owner_is_the_process_not_the_thread)
{
	pthread_t thread;

	test_abc();
	ASSERT_EQ(0, pthread_create(&thread, NULL, exit_thread, NULL));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	trace("");
}

TEST_F(tree, last_close_stops_the_tree)
{
	pid_t pid;

	test_abc();
	pid = child_pid(SUP, "a");
	close(self->tree.sup);
	self->tree.sup = -1;
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
	ASSERT_FALSE(is_alive(pid));
}

TEST_F(tree, close_of_a_copy_stops_nothing)
{
	int copy;

	test_abc();
	copy = fcntl(SUP, F_DUPFD_CLOEXEC, 0);
	close(copy);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	trace("");
}

static int own_then_die(void *argument)
{
	struct tree *tree = argument;
	struct supervisor_status status;
	int err = _test_own(tree->sup);

	if (err)
		return err;
	err = _test_status(tree->sup, &status);
	return err ?: status.out_owner_pid == getpid() ? 0 : -EPROTO;
}

TEST_F(tree, own_moves_ownership)
{
	struct supervisor_status status;

	test_abc();
	test_status(SUP, &status);
	ASSERT_EQ(getpid(), status.out_owner_pid);
	ASSERT_EQ(0, _test_own(SUP));
	ASSERT_EQ(0, in_process(own_then_die, &self->tree));
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
}

TEST_F(tree, own_is_of_roots)
{
	int inner;

	test_tree_open(&self->tree, CREATE());
	inner = test_nested();
	test_supervisor_child(SUP, "inner", inner);
	test_start(SUP);
	ASSERT_EQ(-EINVAL, _test_own(inner));
	ASSERT_EQ(-EINVAL, _test_subscribe(inner, self->tree.mailbox));
	close(inner);
}

/* ---- names ---- */

#define NAMED(name_, mode_) \
	.name = (uintptr_t)(name_), .name_len = strlen(name_), .mode = (mode_)

TEST_F(tree, names)
{
	char buf[4096] __aligned(8);
	const struct supervisor_name_entry *entry;
	struct supervisor_list list;
	struct supervisor_status status;
	char name[32], other[32];
	const char *seen;
	unsigned int found = 0;
	int sup, second;
	struct supervisor_create create;

	umask(0027);
	snprintf(name, sizeof(name), "/name.%d", getpid());
	snprintf(other, sizeof(other), "/other.%d", getpid());
	test_tree_open(&self->tree, CREATE(NAMED(name, 0666)));
	create = CREATE(.mailbox_fd = self->tree.mailbox, NAMED(other, 0600));
	test_create(DEV, &create, &second);
	create = CREATE(.mailbox_fd = self->tree.mailbox, NAMED(name, 0600));
	ASSERT_EQ(-EEXIST, _test_create(DEV, &create, &sup));

	/* Listed one at a time. */
	list = ARG(supervisor_list, .buf = (uintptr_t)buf);
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(DEV, SUPERVISOR_LIST, &list));
	ASSERT_LT(sizeof(*entry), list.buf_len);
	ASSERT_EQ(0, list.out_count);
	list.cursor = 0;
	do {
		list.buf_len = sizeof(*entry) + 32;
		test_ioctl(DEV, SUPERVISOR_LIST, &list);
		entry = (void *)buf;
		if (!list.out_count)
			break;
		ASSERT_EQ(1, list.out_count);
		ASSERT_EQ(list.buf_len, entry->size);
		seen = text_at(entry, entry->name_offset);
		if (!strcmp(seen, name)) {
			found++;
			ASSERT_EQ(strlen(name), entry->name_len);
			ASSERT_EQ(0640, entry->mode);
			ASSERT_EQ(self->tree.id, entry->id);
			ASSERT_EQ(getpid(), entry->owner_pid);
			ASSERT_EQ(geteuid(), entry->uid);
			ASSERT_EQ(getegid(), entry->gid);
		} else if (!strcmp(seen, other)) {
			found++;
			ASSERT_EQ(0600, entry->mode);
		}
	} while (list.cursor);
	ASSERT_EQ(2, found);

	test_open(DEV, name, O_RDONLY, &sup);
	test_status(sup, &status);
	ASSERT_EQ(self->tree.id, status.out_id);
	close(sup);
	ASSERT_EQ(0, _test_unlink(DEV, name));
	ASSERT_EQ(-ENOENT, _test_unlink(DEV, name));
	ASSERT_EQ(-ENOENT, _test_open(DEV, name, O_RDONLY, &sup));
	test_status(SUP, &status);
	ASSERT_EQ(SUPERVISOR_STATE_NEW, status.out_state);
	/* And free for another. */
	test_create(DEV, &create, &sup);
	close(sup);
	close(second);
	ASSERT_EQ(-ENOENT, _test_open(DEV, other, O_RDONLY, &sup));
}

/* ---- a spawner that does not answer ---- */

TEST_F(tree, stopped_spawner)
{
	pid_t spawner;

	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	spawner = spawner_process(DEV, self->tree.mailbox);
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", WAITS, .restart = SUPERVISOR_TEMPORARY);
	test_start(SUP);
	trace("started a, started b, up");
	ASSERT_EQ(0, kill(spawner, SIGSTOP));
	ASSERT_TRUE(process_becomes(spawner, "T"));
	test_kill("b");
	trace("exited b killed");
	/* A restart waits for it, a stop does not. */
	test_kill("a");
	trace("exited a killed");
	ASSERT_TRUE(eventually(child_state(SUP, "a") ==
			       SUPERVISOR_CHILD_STARTING));
	test_stop(SUP);
	trace("start_failed a ECANCELED, down stopped");
	kill(spawner, SIGKILL);
}

TEST_F(tree, stop_with_a_stopped_spawner)
{
	pid_t spawner;

	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	spawner = spawner_process(DEV, self->tree.mailbox);
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", RUNS(child_ignore, SIGTERM), .shutdown_ms = 100);
	test_start(SUP);
	test_ignores(SUP, "b", SIGTERM);
	ASSERT_EQ(0, kill(spawner, SIGSTOP));
	ASSERT_TRUE(process_becomes(spawner, "T"));
	test_stop(SUP);
	trace("started a, started b, up, term b, kill b, exited b killed, "
	      "term a, exited a shutdown, down stopped");
	kill(spawner, SIGKILL);
}

/* ---- backoff ---- */

TEST_F(tree, backoff_grows_to_its_longest)
{
	struct supervisor_wait wait =
		ARG(supervisor_wait, .what = SUPERVISOR_WAIT_IDLE);
	__u64 exited = 0, delay = 0;
	unsigned int restarts = 0;
	struct event event;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_exit, 1), .retry_min_ms = 50,
		   .retry_max_ms = 400, .retry_factor_pct = 200,
		   .retry_reset_after_ms = 60000);
	test_start(SUP);
	while (restarts < 8) {
		ASSERT_EQ(0, _test_next(self->tree.events, &event,
					after_ms(PATIENCE_MS)));
		if (event.event.event == SUPERVISOR_EVENT_EXITED)
			exited = event.event.head.time_ns;
		if (event.event.event == SUPERVISOR_EVENT_START_REQUEST &&
		    exited) {
			delay = event.event.head.time_ns - exited;
			restarts++;
		}
	}
	ASSERT_LE(390000000, delay);
	/* A waiting backoff is not idle, and a stop cancels it at once. */
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a", NULL);
	ASSERT_EQ(-EAGAIN, _test_ioctl(SUP, SUPERVISOR_WAIT, &wait));
	test_stop(SUP);
	test_event(self->tree.events, SUPERVISOR_EVENT_DOWN, "", NULL);
}

TEST_F(tree, backoff_that_is_not_counted)
{
	struct supervisor_status status;

	test_tree_open(&self->tree, CREATE(.intensity = 1, .period = 3600));
	test_child(SUP, "a", FAILS_AT(0x7c), .retry_min_ms = 10,
		   .retry_max_ms = 20, .retry_factor_pct = 100,
		   .retry_jitter_pct = 50,
		   .flags = SUPERVISOR_CHILD_F_RETRY_UNCOUNTED);
	test_start(SUP);
	trace("started a, up");
	test_kill("a");
	trace("exited a killed, start_failed a ENOENT, start_failed a ENOENT, "
	      "start_failed a ENOENT, start_failed a ENOENT, "
	      "start_failed a ENOENT, started a");
	test_status(SUP, &status);
	ASSERT_EQ(1, status.out_restarts);
}

TEST_F(tree, stop_cancels_a_long_backoff)
{
	__u64 before;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", FAILS_AT(~3L), .retry_min_ms = 600000,
		   .retry_max_ms = 600000, .retry_factor_pct = 100);
	test_start(SUP);
	test_kill("a");
	ASSERT_TRUE(eventually(child_state(SUP, "a") ==
			       SUPERVISOR_CHILD_RESTARTING));
	before = now_ns();
	test_stop(SUP);
	ASSERT_GT(before + 60000000000ULL, now_ns());
}

TEST_HARNESS_MAIN
