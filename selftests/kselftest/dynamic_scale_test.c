// SPDX-License-Identifier: GPL-2.0
/*
 * Very many children of one dynamic supervisor, at a time and one after the other: all
 * are there as long as they live, and what they took is given back.
 *
 * SUPERVISOR_CHILDREN and SUPERVISOR_STARTS say how many: 2,000 at a time, and 5,000
 * that come and go, unless told; a tenth of that on a kernel that is slow because it
 * checks a lot.
 */
#include <stdio.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "race.h"

FIXTURE(scale)
{
	struct tree tree;
	int dev;
	struct supervisor_info before;
};

FIXTURE_SETUP(scale)
{
	self->tree = NO_TREE;
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_info(self->dev, &self->before);
}

FIXTURE_TEARDOWN(scale)
{
	tree_close(&self->tree);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define SUP (self->tree.sup)

/* A tree of which nobody reads that many events. */
#define test_up(...) \
	do { \
		test_tree_open(&self->tree, __VA_ARGS__); \
		close(self->tree.events); \
		self->tree.events = -1; \
		test_start(SUP); \
	} while (0)

#define test_counts(children_) \
	do { \
		struct supervisor_count count_; \
		test_count(SUP, &count_); \
		ASSERT_EQ((children_), count_.specs); \
		ASSERT_EQ((children_), count_.active); \
		ASSERT_EQ((children_), count_.workers); \
	} while (0)

/* ---- at a time ---- */

/**
 * struct member - one of very many
 * @pid: it
 * @sup: whose child it becomes
 * @id: its number, once it is one
 * @told: how often it was told of
 */
struct member {
	pid_t pid;
	int sup;
	volatile __u64 id;
	unsigned int told;
};

static volatile unsigned int ready;
static volatile int failed;

static int member_join(int sup, __u64 *id)
{
	struct supervisor_child_join join =
		ARG(supervisor_child_join, .deadline = SUPERVISOR_NO_DEADLINE);
	int err = raw(SYS_ioctl, sup, SUPERVISOR_CHILD_JOIN, (long)&join);

	*id = join.out_id;
	return err;
}

static int member_main(void *argument)
{
	struct member *member = argument;
	__u64 id;
	int err;

	raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
	err = member_join(member->sup, &id);
	if (err)
		failed = err;
	member->id = id;
	__sync_fetch_and_add(&ready, 1);
	return racer_wait();
}

static int by_id(const void *a, const void *b)
{
	const struct member *one = a, *other = b;

	return one->id < other->id ? -1 : one->id > other->id;
}

/* All that it lists, page by page, are told of; false when that is anything else. */
static bool list_all(int sup, struct member *members, unsigned int n)
{
	static char buf[1 << 16] __aligned(8);
	struct supervisor_status status = ARG(supervisor_status);
	const struct supervisor_child_status *child;
	struct member key, *member;
	__u32 at;

	do {
		status.buf = (uintptr_t)buf;
		status.buf_len = sizeof(buf);
		if (_test_ioctl(sup, SUPERVISOR_STATUS, &status))
			return false;
		for (at = 0; at < status.buf_len; at += child->size) {
			child = (void *)(buf + at);
			key.id = child->id;
			member = bsearch(&key, members, n, sizeof(*members), by_id);
			if (!member || member->pid != child->pid)
				return false;
			member->told++;
		}
	} while (status.cursor);
	return true;
}

TEST_F(scale, very_many_children)
{
	unsigned int n = size_told("SUPERVISOR_CHILDREN", 2000), i, killed = n / 10;
	struct member *members = calloc(n, sizeof(*members));
	char *stacks = crowd_stacks(n);
	struct joined joined;
	__u64 begin;
	int status;

	ASSERT_NE(NULL, members);
	ASSERT_NE(NULL, stacks);
	ASSERT_EQ(0, raise_processes(n));
	test_up(JOINED(.max_children = n));
	begin = now_ns();
	for (i = 0; i < n; i++) {
		members[i].sup = SUP;
		members[i].pid = crowd_start(stacks, i, member_main, &members[i]);
		ASSERT_LT(0, members[i].pid);
	}
	while (ready != n)
		sleep_ms(10);
	ASSERT_EQ(0, failed);
	TH_LOG("%u joined in %llu ms", n, (now_ns() - begin) / 1000000);
	test_counts(n);
	ASSERT_EQ(-EUSERS, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	process_kill(joined.pid);

	qsort(members, n, sizeof(*members), by_id);
	ASSERT_TRUE(list_all(SUP, members, n));
	for (i = 0; i < n; i++)
		ASSERT_EQ(1, members[i].told);

	/* From all over, and at once. */
	for (i = 0; i < killed; i++)
		ASSERT_EQ(0, kill(members[i * 10].pid, SIGKILL));
	for (i = 0; i < killed; i++)
		ASSERT_EQ(members[i * 10].pid, waitpid(members[i * 10].pid, NULL, 0));
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_counts(n - killed);
	ASSERT_EQ(-ENOENT, _test_terminate_member(SUP, members[0].id));
	ASSERT_EQ(0, _test_terminate_member(SUP, members[n - 1].id));
	test_counts(n - killed - 1);
	ASSERT_TRUE(list_all(SUP, members, n));

	begin = now_ns();
	test_stop(SUP);
	TH_LOG("stopped in %llu ms", (now_ns() - begin) / 1000000);
	for (i = 0; i < n; i++) {
		if (i % 10 == 0 && i / 10 < killed) {
			ASSERT_EQ(1, members[i].told);
			continue;
		}
		ASSERT_EQ(members[i].pid, waitpid(members[i].pid, &status, 0));
		ASSERT_EQ(SIGTERM, WTERMSIG(status));
		ASSERT_EQ(i == n - 1 ? 1 : 2, members[i].told);
	}
}

/* ---- one after the other ---- */

/* So many that what they leave stands out from what else happens. */
#define STANDS_OUT 100000

static int member_pass(void *argument)
{
	__u64 id;

	return member_join(*(int *)argument, &id) ? 1 : 0;
}

TEST_F(scale, starts_and_exits)
{
	unsigned int n = size_told("SUPERVISOR_STARTS", 5000), i;
	char *stacks = crowd_stacks(1);
	__u64 begin = now_ns();
	long before = 0;
	int status;
	pid_t pid;

	ASSERT_NE(NULL, stacks);
	test_up(JOINED(.max_children = 1));
	for (i = 0; i < n; i++) {
		if (i == n / 10)
			before = kernel_kib();
		pid = crowd_start(stacks, 0, member_pass, &SUP);
		ASSERT_LT(0, pid);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		/* The death before was there before it: there is room for one. */
		ASSERT_EQ(0, status);
	}
	TH_LOG("%u came and went in %llu ms", n, (now_ns() - begin) / 1000000);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_counts(0);
	if (n < STANDS_OUT)
		return;
	/* Of each, not 16 bytes are left. */
	ASSERT_TRUE(eventually(kernel_kib() - before < n / 64))
		TH_LOG("%ld KiB", kernel_kib() - before);
}

TEST_F(scale, starts_by_the_spawner)
{
	unsigned int n = size_told("SUPERVISOR_STARTS", 5000) / 10, i;
	struct supervisor_child_spec spec =
		CHILD("a", RUNS(child_exit, 0), .restart = SUPERVISOR_TEMPORARY);
	struct supervisor_child_add add;
	struct supervisor_count count;
	__u64 last = 0;

	test_up(DYNAMIC());
	for (i = 0; i < n; i++) {
		add = CALL(supervisor_child_add);
		ASSERT_EQ(0, _test_child_add(SUP, &spec, &add));
		ASSERT_LT(last, add.out_id);
		last = add.out_id;
	}
	ASSERT_TRUE(eventually(!_test_count(SUP, &count) && !count.specs));
}

TEST_HARNESS_MAIN
