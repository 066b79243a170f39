// SPDX-License-Identifier: GPL-2.0
/*
 * Partition supervisors: which may be one, having fewer and more partitions, also
 * by many at once and with signals in between; and supervisors with a control
 * mailbox of their own below others.
 */
#include <stdio.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define PARTITIONS 4

#define RESIZE(partitions_, ...) \
	ARG(supervisor_resize, .partitions = (partitions_), \
	    .deadline = SUPERVISOR_NO_DEADLINE, ##__VA_ARGS__)

static int _test_resize(int sup, struct supervisor_resize *resize)
{
	return _test_ioctl(sup, SUPERVISOR_RESIZE, resize);
}

#define test_resize(result_, sup_, partitions_) \
	({ \
		struct supervisor_resize resize_ = RESIZE(partitions_); \
		ASSERT_EQ((result_), _test_resize((sup_), &resize_)); \
		resize_; \
	})

/* How many are in use. */
#define test_partitions(expected_, sup_) \
	do { \
		struct supervisor_status status_ = ARG(supervisor_status); \
		ASSERT_EQ(0, _test_status((sup_), &status_)); \
		ASSERT_EQ((expected_), status_.out_partitions); \
	} while (0)

static int add_partitions(int sup, const struct program *program, int first,
			  int end)
{
	char id[16];
	int err = 0;

	for (; !err && first < end; first++) {
		struct supervisor_child_spec spec;

		snprintf(id, sizeof(id), "%d", first);
		spec = CHILD(id, program);
		err = _test_child_add(sup, &spec, NULL);
	}
	return err;
}

/* "1101": which of the partitions run. */
static const char *running(int sup, char text[PARTITIONS + 1])
{
	char id[16];
	int i;

	for (i = 0; i < PARTITIONS; i++) {
		snprintf(id, sizeof(id), "%d", i);
		text[i] = '0' + (child_state(sup, id) == SUPERVISOR_CHILD_RUNNING);
	}
	text[i] = '\0';
	return text;
}

#define test_running(expected_, sup_) \
	do { \
		char text_[PARTITIONS + 1]; \
		ASSERT_STREQ((expected_), running((sup_), text_)); \
	} while (0)

FIXTURE(partition)
{
	struct tree tree;
	int *shared;
};

FIXTURE_SETUP(partition)
{
	self->tree = NO_TREE;
	self->shared = shared_memory(4096);
	ASSERT_NE(NULL, self->shared);
	ASSERT_EQ(0, _test_tree_open(&self->tree, CREATE()));
}

FIXTURE_TEARDOWN(partition)
{
	tree_close(&self->tree);
}

#define SUP (self->tree.sup)

#define test_start_partitions(program_) \
	do { \
		ASSERT_EQ(0, add_partitions(SUP, (program_), 0, PARTITIONS)); \
		test_resize(0, SUP, PARTITIONS); \
		ASSERT_EQ(0, _test_start(SUP)); \
	} while (0)

TEST_F(partition, children_must_be_the_partitions)
{
	struct supervisor_child_spec other = CHILD("other", WAITS);

	test_resize(-EINVAL, SUP, 0);
	test_resize(-EINVAL, SUP, 1);
	ASSERT_EQ(0, add_partitions(SUP, WAITS, 0, 3));
	test_resize(-EINVAL, SUP, 2);
	test_resize(-EINVAL, SUP, 4);
	test_resize(-EINVAL, SUP, UINT32_MAX);
	ASSERT_EQ(0, _test_child_add(SUP, &other, NULL));
	test_resize(-EINVAL, SUP, 4);
	test_resize(-EINVAL, SUP, 3);
	test_partitions(0, SUP);
}

TEST_F(partition, an_ordinary_supervisor_has_none)
{
	ASSERT_EQ(0, add_partitions(SUP, WAITS, 0, 2));
	ASSERT_EQ(0, _test_start(SUP));
	test_resize(-EINVAL, SUP, 1);
	test_partitions(0, SUP);
	ASSERT_EQ(SUPERVISOR_CHILD_RUNNING, child_state(SUP, "1"));
}

TEST_F(partition, fewer_and_more)
{
	struct supervisor_resize resize;
	pid_t first;

	test_start_partitions(WAITS);
	first = child_pid(SUP, "0");
	test_partitions(PARTITIONS, SUP);
	resize = test_resize(0, SUP, 2);
	ASSERT_EQ(PARTITIONS, resize.out_was);
	test_partitions(2, SUP);
	test_running("1100", SUP);
	resize = test_resize(0, SUP, 3);
	ASSERT_EQ(2, resize.out_was);
	test_running("1110", SUP);
	resize = test_resize(0, SUP, 3);
	ASSERT_EQ(3, resize.out_was);
	resize = test_resize(0, SUP, 0);
	test_running("0000", SUP);
	test_partitions(0, SUP);
	resize = test_resize(0, SUP, PARTITIONS);
	ASSERT_EQ(0, resize.out_was);
	test_running("1111", SUP);
	ASSERT_NE(first, child_pid(SUP, "0"));
	test_resize(-EINVAL, SUP, PARTITIONS + 1);
	test_partitions(PARTITIONS, SUP);
}

TEST_F(partition, no_deadline_changes_nothing)
{
	struct supervisor_resize resize = RESIZE(1, .deadline = 0);

	test_start_partitions(WAITS);
	ASSERT_EQ(-EAGAIN, _test_resize(SUP, &resize));
	test_partitions(PARTITIONS, SUP);
	test_running("1111", SUP);
}

TEST_F(partition, one_that_has_ended_is_not_resized)
{
	test_start_partitions(WAITS);
	ASSERT_EQ(0, _test_stop(SUP));
	test_resize(-ESHUTDOWN, SUP, 1);
}

/* While *@argument says so. */
static void spawn_fail_when_told(struct start *start)
{
	if (*(int *)start->program->argument && !strcmp(start->id, "3"))
		_test_report(start->spawner->dev, start->token,
			     SUPERVISOR_REPORT_FAILED, ENOEXEC);
	else
		spawn_fork(start);
}

TEST_F(partition, what_does_not_start_is_not_used)
{
	struct supervisor_resize resize;

	test_start_partitions(SPAWNS(spawn_fail_when_told, (long)self->shared));
	test_resize(0, SUP, 2);
	*self->shared = 1;
	resize = test_resize(-ECHILD, SUP, PARTITIONS);
	ASSERT_EQ(ENOEXEC, resize.out_error);
	ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED, resize.out_result);
	ASSERT_EQ(3, resize.out_partition);
	test_partitions(2, SUP);
	/* The next one ends what it left. */
	test_running("1110", SUP);
	test_resize(0, SUP, 2);
	test_running("1100", SUP);
	*self->shared = 0;
	test_resize(0, SUP, PARTITIONS);
	test_running("1111", SUP);
}

TEST_F(partition, all_are_in_use_when_it_starts_again)
{
	struct supervisor_create create = CREATE(.intensity = 0);
	struct supervisor_child_spec spec;
	int pool;

	ASSERT_EQ(0, _test_create(self->tree.dev, &create, &pool));
	ASSERT_EQ(0, add_partitions(pool, WAITS, 0, PARTITIONS));
	test_resize(0, pool, PARTITIONS);
	spec = CHILD_SUPERVISOR("pool", pool);
	ASSERT_EQ(0, _test_child_add(SUP, &spec, NULL));
	ASSERT_EQ(0, _test_start(SUP));
	test_resize(0, pool, 1);
	/* More than it restarts. */
	ASSERT_EQ(0, kill(child_pid(pool, "0"), SIGKILL));
	ASSERT_TRUE(eventually(child_state(pool, "3") == SUPERVISOR_CHILD_RUNNING));
	test_partitions(PARTITIONS, pool);
	test_running("1111", pool);
	close(pool);
}

struct resizer {
	pthread_t thread;
	int sup;
	unsigned int seed;
	unsigned int rounds;
	int err;
};

static void *resize_often(void *argument)
{
	struct resizer *resizer = argument;
	unsigned int i;

	for (i = 0; !resizer->err && i < resizer->rounds; i++) {
		struct supervisor_resize resize =
			RESIZE(rand_r(&resizer->seed) % (PARTITIONS + 1));

		resizer->err = _test_resize(resizer->sup, &resize);
	}
	return NULL;
}

static void do_nothing(int number)
{
}

/* System calls that it interrupts go on. */
static void handle_signals(void)
{
	struct sigaction action = {
		.sa_handler = do_nothing, .sa_flags = SA_RESTART,
	};

	sigaction(SIGUSR1, &action, NULL);
}

TEST_F(partition, one_resizes_at_a_time)
{
	struct supervisor_status status = ARG(supervisor_status);
	char expected[PARTITIONS + 1] = "0000";
	struct resizer resizers[3];
	int i, j;

	test_start_partitions(WAITS);
	handle_signals();
	for (i = 0; i < 3; i++) {
		resizers[i] = (struct resizer){
			.sup = SUP, .seed = i, .rounds = rounds(20),
		};
		pthread_create(&resizers[i].thread, NULL, resize_often,
			       &resizers[i]);
	}
	/* For a while: who is interrupted too often gets nowhere. */
	for (i = 0; i < 20; i++) {
		for (j = 0; j < 3; j++)
			pthread_kill(resizers[j].thread, SIGUSR1);
		sleep_ms(10);
	}
	for (i = 0; i < 3; i++) {
		pthread_join(resizers[i].thread, NULL);
		ASSERT_EQ(0, resizers[i].err);
	}
	ASSERT_EQ(0, _test_status(SUP, &status));
	memset(expected, '1', status.out_partitions);
	test_running(expected, SUP);
}

TEST_F(partition, interrupted_it_goes_on)
{
	struct supervisor_child_spec slow =
		CHILD("3", RUNS(child_ignore, SIGTERM), .shutdown_ms = 500);
	struct supervisor_resize resize = RESIZE(1);
	pid_t pid;
	int i;

	ASSERT_EQ(0, add_partitions(SUP, WAITS, 0, 3));
	ASSERT_EQ(0, _test_child_add(SUP, &slow, NULL));
	test_resize(0, SUP, PARTITIONS);
	ASSERT_EQ(0, _test_start(SUP));
	test_ignores(SUP, "3", SIGTERM);
	handle_signals();
	pid = fork();
	if (!pid) {
		for (i = 0; i < 10; i++) {
			sleep_ms(20);
			kill(getppid(), SIGUSR1);
		}
		_exit(0);
	}
	ASSERT_EQ(0, _test_resize(SUP, &resize));
	ASSERT_EQ(PARTITIONS, resize.out_was);
	test_partitions(1, SUP);
	test_running("1000", SUP);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* ---- control mailboxes below the root's ---- */

/* A supervisor with a child "a" and a mailbox of its own below the root. */
#define test_sub(sub_, mailbox_) \
	do { \
		struct supervisor_create create_; \
		struct supervisor_child_spec spec_ = CHILD("a", WAITS); \
		ASSERT_EQ(0, _test_mailbox_create(self->tree.dev, 0, (mailbox_))); \
		create_ = CREATE(.mailbox_fd = *(mailbox_)); \
		ASSERT_EQ(0, _test_create(self->tree.dev, &create_, (sub_))); \
		ASSERT_EQ(0, _test_child_add(*(sub_), &spec_, NULL)); \
		spec_ = CHILD_SUPERVISOR("sub", *(sub_)); \
		ASSERT_EQ(0, _test_child_add(SUP, &spec_, NULL)); \
	} while (0)

TEST_F(partition, a_supervisor_below_may_have_its_own_spawner)
{
	struct spawner spawner = {};
	int sub, mailbox;

	test_sub(&sub, &mailbox);
	ASSERT_EQ(0, _test_spawner_start(&spawner, self->tree.dev, mailbox));
	ASSERT_EQ(0, _test_start(SUP));
	ASSERT_EQ(1, spawner.ids);
	ASSERT_STREQ("a", spawner.seen[0].id);
	ASSERT_EQ(0, self->tree.spawner.ids);
	ASSERT_EQ(0, _test_stop(SUP));
	spawner_stop(&spawner);
	close(mailbox);
	close(sub);
}

TEST_F(partition, a_mailbox_that_is_closed_gives_way_to_the_one_above)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);
	int sub, mailbox;

	test_sub(&sub, &mailbox);
	/* Nobody reads it: the START waits there. */
	ASSERT_EQ(0, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_TRUE(eventually(child_state(sub, "a") == SUPERVISOR_CHILD_STARTING));
	ASSERT_EQ(0, self->tree.spawner.ids);
	close(mailbox);
	ASSERT_EQ(0, _test_wait(SUP, SUPERVISOR_WAIT_IDLE));
	ASSERT_EQ(SUPERVISOR_CHILD_RUNNING, child_state(sub, "a"));
	/* And from now on all do. */
	ASSERT_EQ(0, kill(child_pid(sub, "a"), SIGKILL));
	ASSERT_EQ(0, _test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a",
				 NULL));
	ASSERT_EQ(0, _test_wait(SUP, SUPERVISOR_WAIT_IDLE));
	ASSERT_EQ(SUPERVISOR_CHILD_RUNNING, child_state(sub, "a"));
	close(sub);
}

TEST_HARNESS_MAIN
