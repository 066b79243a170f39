// SPDX-License-Identifier: GPL-2.0
/*
 * Whose a child is and who asked for it, as the kernel keeps it; and crash
 * reports, which say it of the dead.
 */
#include <stdio.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

/* Deeper than is remembered. */
#define ROW 20

/* Of the tree: children find it by this. */
static char name[32];

FIXTURE(lineage)
{
	struct tree tree;
	struct lineage *lineage;
	int crashes;
};


FIXTURE_SETUP(lineage)
{
	self->tree = NO_TREE;
	self->crashes = -1;
	snprintf(name, sizeof(name), "/lineage.%d", getpid());
	/* Also for those who are forked. */
	self->lineage = shared_memory(sizeof(*self->lineage));
	ASSERT_NE(NULL, self->lineage);
}

FIXTURE_TEARDOWN(lineage)
{
	tree_close(&self->tree);
}

#define SUP (self->tree.sup)
#define DEV (self->tree.dev)
#define LINEAGE (self->lineage)

#define test_named_tree(...) \
	do { \
		test_tree_open(&self->tree, \
			       CREATE(.name = (uintptr_t)name, \
				      .name_len = strlen(name), .mode = 0600, \
				      ##__VA_ARGS__)); \
	} while (0)

/* A tree whose crashes are told, and nothing else, in @crashes. */
#define test_crash_tree(...) \
	do { \
		test_named_tree(__VA_ARGS__); \
		test_mailbox_create(DEV, 0, &self->crashes); \
		ASSERT_EQ(0, subscribe_crashes(SUP, self->crashes)); \
	} while (0)

#define test_text(expected_, ...) \
	do { \
		char text_[1024]; \
		snprintf(text_, sizeof(text_), (expected_), ##__VA_ARGS__); \
		ASSERT_STREQ(text_, lineage_text(LINEAGE)); \
	} while (0)

static int subscribe_crashes(int sup, int mailbox)
{
	struct supervisor_subscribe subscribe =
		ARG(supervisor_subscribe,
		    .flags = SUPERVISOR_SUBSCRIBE_F_CRASHES,
		    .mailbox_fd = mailbox);

	return _test_ioctl(sup, SUPERVISOR_SUBSCRIBE, &subscribe);
}

/* When it was made, in the ticks of /proc. */
static unsigned long long start_ticks(pid_t pid)
{
	unsigned long long ticks = 0;
	char path[64], text[1024];
	const char *at;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, text, sizeof(text)))
		return 0;
	/* The third follows the name, which may have anything in it. */
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		ticks = strtoull(at, NULL, 10);
	return ticks;
}

static bool is_alive_caller(const struct supervisor_lineage_entry *caller)
{
	return caller->flags & SUPERVISOR_LINEAGE_F_ALIVE;
}

/* ---- who asks ---- */

static int add_in(const char *id, const struct program *program)
{
	struct supervisor_child_spec spec =
		CHILD(id, program, .restart = SUPERVISOR_TRANSIENT);
	int dev = device_open();
	int sup, err;

	err = _test_open(dev, name, O_RDWR, &sup);
	if (err)
		return err;
	err = _test_child_add(sup, &spec, NULL);
	close(sup);
	close(dev);
	return err;
}

/* c00 asks for c01 and so on, until c@last. */
static void child_asks(long number);

static const char *row_id(long number)
{
	static char ids[ROW + 1][8];

	snprintf(ids[number], sizeof(ids[number]), "c%02ld", number);
	return ids[number];
}

static int add_row(long number)
{
	return add_in(row_id(number), number < ROW ?
		      RUNS(child_asks, number + 1) : WAITS);
}

static void child_asks(long number)
{
	int err = add_row(number);

	/* Restarted, it finds whom it has asked for. */
	if (err && err != -EEXIST)
		_exit(-err);
	child_wait(0);
}

static void child_asks_for_last(long number)
{
	int err = add_in(row_id(number), WAITS);

	if (err && err != -EEXIST)
		_exit(-err);
	child_wait(0);
}

static void child_asks_and_execs(long number)
{
	int err = add_in(row_id(number), WAITS);

	if (err)
		_exit(-err);
	child_exec("wait", 0);
}

static int ask_from_outside(void *unused)
{
	return add_in("x", WAITS);
}

static int restart_from_outside(void *unused)
{
	int dev = device_open();
	int sup, err;

	err = _test_open(dev, name, O_RDWR, &sup);
	err = err ?: _test_terminate(sup, "x");
	err = err ?: _test_restart(sup, "x");
	close(sup);
	close(dev);
	return err;
}

TEST_F(lineage, of_a_nested_child)
{
	const struct supervisor_lineage_entry *entry;
	struct supervisor_create create = CREATE();
	int pool, inner;

	test_named_tree();
	test_create(DEV, &create, &pool);
	test_supervisor_child(SUP, "pool", pool);
	create = CREATE();
	test_create(DEV, &create, &inner);
	test_supervisor_child(pool, "inner", inner);
	test_child(inner, "w", WAITS);
	/* It is known before there is a process. */
	test_child_lineage(inner, "w", LINEAGE);
	test_text("inner < pool < %s; -", name);
	ASSERT_EQ(0, LINEAGE->told.out_incarnation);
	test_start(SUP);

	test_child_lineage(inner, "w", LINEAGE);
	test_text("inner < pool < %s; -", name);
	ASSERT_EQ(1, LINEAGE->told.out_incarnation);
	ASSERT_EQ(LINEAGE->told.out_supervisor, LINEAGE->ancestor[0]->supervisor);
	ASSERT_EQ(self->tree.id, LINEAGE->ancestor[2]->supervisor);
	ASSERT_EQ(0, LINEAGE->ancestor[2]->child);
	ASSERT_NE(0, LINEAGE->ancestor[1]->child);
	entry = LINEAGE->caller[0];
	ASSERT_EQ(getpid(), entry->pid);
	ASSERT_TRUE(is_alive_caller(entry));
	ASSERT_EQ(0, entry->supervisor);
	ASSERT_EQ(0, entry->incarnation);
	ASSERT_EQ(start_ticks(getpid()),
		  entry->start_ns / (1000000000 / sysconf(_SC_CLK_TCK)));

	test_lineage(DEV, child_pid(inner, "w"), -1, LINEAGE);
	test_text("inner < pool < %s; -", name);
	/* A supervisor is asked for, too. */
	test_child_lineage(SUP, "pool", LINEAGE);
	test_text("%s; -", name);
	close(inner);
	close(pool);
}

TEST_F(lineage, says_who_goes_by_a_number)
{
	struct supervisor_child_add first = CALL(supervisor_child_add);
	struct supervisor_child_add second = CALL(supervisor_child_add);
	struct supervisor_create create = CREATE();
	int inner;

	test_named_tree(.kind = SUPERVISOR_DYNAMIC,
			.max_children = SUPERVISOR_CHILDREN_INFINITY);
	test_start(SUP);
	ASSERT_EQ(0, _test_child_add(SUP, &CHILD("first", RUNS(child_asks_for_last, ROW)),
				     &first));
	ASSERT_TRUE(eventually(child_pid(SUP, row_id(ROW)) > 0));
	test_lineage(DEV, child_pid(SUP, row_id(ROW)), -1, LINEAGE);
	test_text("%s; first(1) < -", name);
	ASSERT_EQ(first.out_id, LINEAGE->caller[0]->child);
	ASSERT_EQ(SUPERVISOR_LINEAGE_F_ALIVE | SUPERVISOR_LINEAGE_F_DYNAMIC,
		  LINEAGE->caller[0]->flags);
	ASSERT_EQ(SUPERVISOR_LINEAGE_F_ALIVE, LINEAGE->caller[1]->flags);
	ASSERT_EQ(0, LINEAGE->ancestor[0]->flags);

	test_create(DEV, &create, &inner);
	test_child(inner, "w", WAITS);
	ASSERT_EQ(0, _test_child_add(SUP, &CHILD_SUPERVISOR("inner", inner), &second));
	test_child_lineage(inner, "w", LINEAGE);
	test_text("inner < %s; -", name);
	ASSERT_EQ(second.out_id, LINEAGE->ancestor[0]->child);
	ASSERT_EQ(SUPERVISOR_LINEAGE_F_DYNAMIC, LINEAGE->ancestor[0]->flags);
	ASSERT_EQ(0, LINEAGE->ancestor[1]->flags);
	close(inner);
}

TEST_F(lineage, of_a_process)
{
	pid_t pid;
	int pidfd;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", WAITS);
	test_start(SUP);
	pid = child_pid(SUP, "a");
	pidfd = pidfd_of(pid);
	test_lineage(DEV, pid, pidfd, LINEAGE);
	test_text("; -");
	ASSERT_EQ(1, LINEAGE->told.out_incarnation);
	ASSERT_EQ(-ESRCH, _test_lineage(DEV, child_pid(SUP, "b"), pidfd,
					LINEAGE));
	ASSERT_EQ(-EBADF, _test_lineage(DEV, pid, 1000, LINEAGE));
	/* Nobody's child. */
	ASSERT_EQ(-ESRCH, _test_lineage(DEV, 0, -1, LINEAGE));
	ASSERT_EQ(-ESRCH, _test_lineage(DEV, getpid(), -1, LINEAGE));
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	ASSERT_EQ(-ESRCH, _test_lineage(DEV, pid, pidfd, LINEAGE));
	close(pidfd);
}

static struct lineage *own_lineage;

static void child_tells_its_lineage(long unused)
{
	int err = _test_lineage(device_open(), 0, -1, own_lineage);

	if (err)
		_exit(-err);
}

TEST_F(lineage, of_oneself)
{
	own_lineage = LINEAGE;
	test_named_tree();
	test_child(SUP, "a", RUNS(child_tells_its_lineage, 0),
		   .restart = SUPERVISOR_TEMPORARY);
	test_start(SUP);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a", NULL);
	test_text("%s; -", name);
	ASSERT_EQ(getpid(), LINEAGE->caller[0]->pid);
}

TEST_F(lineage, is_transitive)
{
	const struct supervisor_lineage_entry *entry;
	pid_t asker;

	test_named_tree();
	test_child(SUP, "first", RUNS(child_asks_for_last, ROW));
	test_start(SUP);
	ASSERT_TRUE(eventually(child_pid(SUP, row_id(ROW)) > 0));
	asker = child_pid(SUP, "first");
	test_child_lineage(SUP, row_id(ROW), LINEAGE);
	test_text("%s; first(1) < -", name);
	entry = LINEAGE->caller[0];
	ASSERT_EQ(asker, entry->pid);
	ASSERT_TRUE(is_alive_caller(entry));
	ASSERT_EQ(self->tree.id, entry->supervisor);
	ASSERT_NE(0, entry->child);
	ASSERT_EQ(0, entry->path_len);
	ASSERT_EQ(getpid(), LINEAGE->caller[1]->pid);

	/* Its next incarnation is another process. */
	ASSERT_EQ(0, kill(asker, SIGKILL));
	ASSERT_TRUE(eventually(child_pid(SUP, "first") > 0 &&
			       child_pid(SUP, "first") != asker));
	test_child_lineage(SUP, row_id(ROW), LINEAGE);
	test_text("%s; first(1) < -", name);
	ASSERT_EQ(asker, LINEAGE->caller[0]->pid);
	ASSERT_FALSE(is_alive_caller(LINEAGE->caller[0]));
	ASSERT_TRUE(is_alive_caller(LINEAGE->caller[1]));
}

TEST_F(lineage, remembers_so_many)
{
	char expected[1024];
	int i, at;

	test_named_tree();
	test_start(SUP);
	ASSERT_EQ(0, add_row(0));
	ASSERT_TRUE(eventually(child_pid(SUP, row_id(ROW)) > 0));
	at = snprintf(expected, sizeof(expected), "%s", name);
	for (i = 1; i <= SUPERVISOR_CALLERS_MAX; i++)
		at += snprintf(expected + at, sizeof(expected) - at, "%s%s(1)",
			       i == 1 ? "; " : " < ", row_id(ROW - i));
	test_child_lineage(SUP, row_id(ROW), LINEAGE);
	test_text("%s", expected);
	test_child_lineage(SUP, row_id(2), LINEAGE);
	test_text("%s; c01(1) < c00(1) < -", name);
}

TEST_F(lineage, outlives_a_restart)
{
	test_named_tree();
	test_start(SUP);
	ASSERT_EQ(0, in_process(ask_from_outside, NULL));
	test_child_lineage(SUP, "x", LINEAGE);
	test_text("%s; -", name);
	ASSERT_NE(getpid(), LINEAGE->caller[0]->pid);
	/* It is gone; whoever has its number is another one. */
	ASSERT_FALSE(is_alive_caller(LINEAGE->caller[0]));
	ASSERT_EQ(0, kill(child_pid(SUP, "x"), SIGKILL));
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "x", NULL);
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "x", NULL);
	test_child_lineage(SUP, "x", LINEAGE);
	test_text("%s; -", name);
	ASSERT_EQ(2, LINEAGE->told.out_incarnation);
	ASSERT_NE(getpid(), LINEAGE->caller[0]->pid);
}

TEST_F(lineage, is_that_of_the_last_restart_child)
{
	test_named_tree();
	test_child(SUP, "x", WAITS);
	test_start(SUP);
	ASSERT_EQ(0, in_process(restart_from_outside, NULL));
	test_child_lineage(SUP, "x", LINEAGE);
	test_text("%s; -", name);
	ASSERT_EQ(2, LINEAGE->told.out_incarnation);
	ASSERT_NE(getpid(), LINEAGE->caller[0]->pid);
	/* What is refused changes nothing. */
	ASSERT_EQ(-EBUSY, _test_restart(SUP, "x"));
	test_child_lineage(SUP, "x", LINEAGE);
	ASSERT_NE(getpid(), LINEAGE->caller[0]->pid);
	ASSERT_EQ(0, _test_terminate(SUP, "x"));
	ASSERT_EQ(0, _test_restart(SUP, "x"));
	test_child_lineage(SUP, "x", LINEAGE);
	ASSERT_EQ(getpid(), LINEAGE->caller[0]->pid);
}

TEST_F(lineage, caller_that_execs_stays_who_it_is)
{
	unsigned long long before;
	pid_t asker;

	test_named_tree();
	test_child(SUP, "a", RUNS(child_asks_and_execs, 1));
	test_start(SUP);
	asker = child_pid(SUP, "a");
	before = start_ticks(asker);
	ASSERT_TRUE(eventually(child_pid(SUP, row_id(1)) > 0));
	/* An action ignores nothing; the program that it was did not either: its file. */
	ASSERT_TRUE(eventually(process_becomes(asker, "S")));
	test_child_lineage(SUP, row_id(1), LINEAGE);
	ASSERT_EQ(asker, LINEAGE->caller[0]->pid);
	ASSERT_TRUE(is_alive_caller(LINEAGE->caller[0]));
	ASSERT_EQ(before, LINEAGE->caller[0]->start_ns /
			  (1000000000 / sysconf(_SC_CLK_TCK)));
}

TEST_F(lineage, is_shared)
{
	struct supervisor_info before, after;
	char id[8];
	int i;

	test_named_tree();
	test_child(SUP, "first", WAITS);
	test_info(DEV, &before);
	for (i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "%d", i);
		test_child(SUP, id, WAITS);
	}
	test_info(DEV, &after);
	ASSERT_EQ(50 * sizeof(struct program),
		  after.out_used[SUPERVISOR_LIMIT_BYTES] -
		  before.out_used[SUPERVISOR_LIMIT_BYTES]);
}

TEST_F(lineage, buffers)
{
	struct supervisor_lineage told =
		ARG(supervisor_lineage, .pidfd = -1, .id = (uintptr_t)"a",
		    .id_len = 1);
	__u32 needed;

	test_named_tree();
	test_child(SUP, "a", WAITS);
	test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told);
	needed = told.buf_len;
	ASSERT_LT(0, needed);
	ASSERT_EQ(1, told.out_ancestors);
	ASSERT_EQ(1, told.out_callers);
	told.buf = (uintptr_t)LINEAGE->buf;
	told.buf_len = needed - 1;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told));
	ASSERT_EQ(needed, told.buf_len);
	test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told);
	ASSERT_EQ(needed, told.buf_len);
	told.id = (uintptr_t)"b";
	ASSERT_EQ(-ENOENT, _test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told));
	told.id = (uintptr_t)"/";
	ASSERT_EQ(-EINVAL, _test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told));
	told.id_len = SUPERVISOR_NAME_MAX + 1;
	ASSERT_EQ(-ENAMETOOLONG, _test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE,
					     &told));
	told.id = 0;
	told.id_len = 1;
	ASSERT_EQ(-EFAULT, _test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told));
}

/* ---- children of dynamic supervisors ---- */

/* A child of a dynamic supervisor: its number. */
#define test_member(sup_, ...) \
	({ \
		struct supervisor_child_add add_ = CALL(supervisor_child_add); \
		ASSERT_EQ(0, _test_child_add((sup_), &CHILD(__VA_ARGS__), &add_)); \
		add_.out_id; \
	})

TEST_F(lineage, of_a_dynamic_child_by_its_number)
{
	__u64 one, two;

	test_named_tree(IS_DYNAMIC);
	test_start(SUP);
	one = test_member(SUP, "a", WAITS);
	ASSERT_EQ(0, in_process(ask_from_outside, NULL));
	two = test_member(SUP, "a", WAITS);
	ASSERT_LT(one + 1, two);

	test_member_lineage(SUP, one, LINEAGE);
	test_text("%s; -", name);
	ASSERT_EQ(self->tree.id, LINEAGE->told.out_supervisor);
	ASSERT_EQ(one, LINEAGE->told.out_child);
	ASSERT_EQ(1, LINEAGE->told.out_incarnation);
	ASSERT_EQ(getpid(), LINEAGE->caller[0]->pid);
	test_member_lineage(SUP, two, LINEAGE);
	ASSERT_EQ(two, LINEAGE->told.out_child);
	test_lineage(DEV, child_pid(SUP, "x"), -1, LINEAGE);
	test_text("%s; -", name);
	ASSERT_NE(getpid(), LINEAGE->caller[0]->pid);
	test_member_lineage(SUP, LINEAGE->told.out_child, LINEAGE);
	ASSERT_NE(getpid(), LINEAGE->caller[0]->pid);

	/* A restart changes nothing but the run. */
	ASSERT_EQ(0, kill(child_pid(SUP, "a"), SIGKILL));
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a", NULL);
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a", NULL);
	test_member_lineage(SUP, one, LINEAGE);
	test_text("%s; -", name);
	ASSERT_EQ(2, LINEAGE->told.out_incarnation);
}

TEST_F(lineage, of_nobody_by_number)
{
	struct supervisor_lineage told =
		ARG(supervisor_lineage, .pidfd = -1, .id = (uintptr_t)"a",
		    .id_len = 1);
	struct supervisor_create create = CREATE();
	__u64 number;
	int ordered;

	test_named_tree(IS_DYNAMIC);
	test_start(SUP);
	number = test_member(SUP, "a", WAITS);
	ASSERT_EQ(-ENOENT, _test_member_lineage(SUP, number + 1000, LINEAGE));
	/* Its id is but a word. */
	ASSERT_EQ(-EOPNOTSUPP, _test_child_lineage(SUP, "a", LINEAGE));
	told.child = number;
	ASSERT_EQ(-EINVAL, _test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told));
	told.id = 0;
	ASSERT_EQ(-EINVAL, _test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told));
	told.id_len = 0;
	test_ioctl(SUP, SUPERVISOR_CHILD_LINEAGE, &told);
	ASSERT_EQ(-EINVAL, _test_ioctl(DEV, SUPERVISOR_LINEAGE, &told));
	test_create(DEV, &create, &ordered);
	ASSERT_EQ(-EINVAL, _test_member_lineage(ordered, number, LINEAGE));
	close(ordered);
	ASSERT_EQ(0, _test_terminate_member(SUP, number));
	ASSERT_EQ(-ENOENT, _test_member_lineage(SUP, number, LINEAGE));
}

/* Who forks it asks for it. */
TEST_F(lineage, of_who_joins)
{
	struct joined joined;

	test_named_tree(TAKES_JOINERS);
	test_start(SUP);
	ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	test_member_lineage(SUP, joined.join.out_id, LINEAGE);
	test_text("%s; -", name);
	ASSERT_EQ(getpid(), LINEAGE->caller[0]->pid);
	ASSERT_TRUE(is_alive_caller(LINEAGE->caller[0]));
	ASSERT_EQ(start_ticks(getpid()), LINEAGE->caller[0]->start_ns /
					 (1000000000 / sysconf(_SC_CLK_TCK)));
	test_lineage(DEV, joined.pid, -1, LINEAGE);
	test_text("%s; -", name);
	process_kill(joined.pid);
}

/* Shared with @joins_by_child, which forks who joins. */
static struct joined *joined_by_child;

static void child_forks_a_joiner(long unused)
{
	int dev = device_open();
	int sup;

	if (_test_open(dev, name, O_RDWR, &sup) ||
	    _test_fork_join(sup, after_ms(PATIENCE_MS), joined_by_child))
		_exit(1);
	child_wait(0);
}

TEST_F(lineage, of_who_joins_is_transitive)
{
	struct tree other;
	pid_t asker;

	joined_by_child = shared_memory(sizeof(*joined_by_child));
	ASSERT_NE(NULL, joined_by_child);
	test_named_tree(TAKES_JOINERS);
	test_start(SUP);
	test_tree_open(&other, CREATE());
	test_child(other.sup, "asker", RUNS(child_forks_a_joiner, 0));
	test_start(other.sup);
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "task", NULL);
	ASSERT_TRUE(eventually(*(volatile __u64 *)&joined_by_child->join.out_id));
	asker = child_pid(other.sup, "asker");
	test_member_lineage(SUP, joined_by_child->join.out_id, LINEAGE);
	test_text("%s; asker(1) < -", name);
	ASSERT_EQ(asker, LINEAGE->caller[0]->pid);
	ASSERT_EQ(other.id, LINEAGE->caller[0]->supervisor);
	ASSERT_EQ(getpid(), LINEAGE->caller[1]->pid);
	tree_close(&other);
	/* What it knows is kept by the kernel. */
	test_member_lineage(SUP, joined_by_child->join.out_id, LINEAGE);
	test_text("%s; asker(1) < -", name);
	ASSERT_FALSE(is_alive_caller(LINEAGE->caller[0]));
	ASSERT_TRUE(is_alive_caller(LINEAGE->caller[1]));
}

TEST_F(lineage, of_who_joins_is_shared)
{
	struct supervisor_info before, after;
	struct joined joined;
	int i;

	test_named_tree(TAKES_JOINERS);
	test_start(SUP);
	ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	test_info(DEV, &before);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	test_info(DEV, &after);
	ASSERT_EQ(before.out_used[SUPERVISOR_LIMIT_BYTES],
		  after.out_used[SUPERVISOR_LIMIT_BYTES]);
	test_stop(SUP);
	reap_all();
}

/* ---- other pid namespaces ---- */

static struct tree *outer_tree;

static int look_from_within(void *argument)
{
	struct lineage *lineage = argument;
	int err = _test_child_lineage(outer_tree->sup, "a", lineage);

	if (err)
		return err;
	/* It lives; but not here, nor has it a number here. */
	if (lineage->caller[0]->pid || !is_alive_caller(lineage->caller[0]))
		return -ERANGE;
	return lineage->caller[0]->start_ns ? 0 : -EPROTO;
}

static int ask_from_within(void *argument)
{
	struct lineage *lineage = argument;
	int err = ask_from_outside(NULL);

	err = err ?: _test_child_lineage(outer_tree->sup, "x", lineage);
	if (err)
		return err;
	return lineage->caller[0]->pid == getpid() ? 0 : -ERANGE;
}

TEST_F(lineage, numbers_are_the_readers)
{
	pid_t within;

	outer_tree = &self->tree;
	test_named_tree();
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	ASSERT_EQ(0, in_pid_namespace(look_from_within, LINEAGE));
	ASSERT_EQ(0, in_pid_namespace(ask_from_within, LINEAGE));
	within = LINEAGE->caller[0]->pid;
	test_child_lineage(SUP, "x", LINEAGE);
	ASSERT_NE(within, LINEAGE->caller[0]->pid);
	ASSERT_NE(0, LINEAGE->caller[0]->pid);
	ASSERT_FALSE(is_alive_caller(LINEAGE->caller[0]));
}

/* ---- events ---- */

TEST_F(lineage, events_say_who_asked)
{
	struct event event;

	test_named_tree();
	test_child(SUP, "first", RUNS(child_asks_for_last, ROW));
	test_start(SUP);
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, row_id(ROW),
		   &event);
	ASSERT_EQ(2, event.event.callers);
	ASSERT_EQ(child_pid(SUP, "first"), event.event.caller);
	ASSERT_EQ(0, _test_terminate(SUP, row_id(ROW)));
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, row_id(ROW),
		   &event);
	ASSERT_EQ(2, event.event.callers);
	ASSERT_EQ(child_pid(SUP, "first"), event.event.caller);
}

/* ---- crash reports ---- */

#define test_crash(id_, reason_, decision_) \
	do { \
		ASSERT_EQ(0, _test_crash(self->crashes, LINEAGE, \
					 after_ms(PATIENCE_MS))); \
		ASSERT_STREQ((id_), LINEAGE->id); \
		ASSERT_EQ(SUPERVISOR_EXIT_##reason_, LINEAGE->crash.reason); \
		ASSERT_EQ(SUPERVISOR_CRASH_##decision_, \
			  LINEAGE->crash.decision); \
	} while (0)

/* Nothing is left to be told. */
#define test_no_crash() \
	do { \
		test_wait(SUP, SUPERVISOR_WAIT_IDLE); \
		ASSERT_EQ(-EAGAIN, _test_crash(self->crashes, LINEAGE, 0)); \
	} while (0)

#define test_kill(id_, number_) \
	do { \
		pid_t pid_ = child_pid(SUP, (id_)); \
		ASSERT_LT(0, pid_); \
		ASSERT_EQ(0, kill(pid_, (number_))); \
	} while (0)

TEST_F(lineage, crash_is_reported_once)
{
	const struct supervisor_msg_crash *crash = &LINEAGE->crash;
	struct supervisor_create create = CREATE();
	struct event event;
	pid_t pid;
	int pool;

	test_crash_tree();
	test_create(DEV, &create, &pool);
	test_supervisor_child(SUP, "pool", pool);
	test_child(pool, "w", WAITS);
	test_start(SUP);
	pid = child_pid(pool, "w");
	ASSERT_EQ(0, kill(pid, SIGSEGV));
	test_crash("w", CRASH, RESTART);
	ASSERT_EQ(0, LINEAGE->crash.head.flags);
	ASSERT_STREQ("pool", LINEAGE->path);
	test_text("pool < %s; -", name);
	ASSERT_EQ(getpid(), LINEAGE->caller[0]->pid);
	ASSERT_EQ(pid, crash->head.pid);
	ASSERT_EQ(1, crash->head.incarnation);
	ASSERT_EQ(getuid(), crash->head.uid);
	ASSERT_EQ(SIGSEGV, WTERMSIG(crash->status));
	ASSERT_EQ(SUPERVISOR_PERMANENT, crash->restart);
	ASSERT_LE(crash->start_ns, crash->exit_ns);
	ASSERT_LE(crash->exit_ns, crash->head.time_ns);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "w", &event);
	ASSERT_EQ(event.event.exit_seq, crash->exit_seq);
	ASSERT_EQ(event.event.head.child, crash->head.child);
	ASSERT_EQ(event.event.head.supervisor, crash->head.supervisor);
	ASSERT_TRUE(eventually(child_pid(pool, "w") > 0));
	test_no_crash();
	/* Who has not asked for them gets none. */
	ASSERT_EQ(-EAGAIN, _test_crash(self->tree.events, LINEAGE, 0));
	ASSERT_EQ(0, kill(child_pid(pool, "w"), SIGKILL));
	test_crash("w", KILLED, RESTART);
	ASSERT_EQ(2, crash->head.incarnation);
	close(pool);
}

TEST_F(lineage, crash_of_a_dynamic_child)
{
	const struct supervisor_msg_crash *crash = &LINEAGE->crash;
	struct supervisor_create create =
		DYNAMIC(.flags = SUPERVISOR_CREATE_F_LOG_CRASHES);
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct event event;
	char path[32];
	int pool;

	test_crash_tree(IS_DYNAMIC);
	test_start(SUP);
	test_create(DEV, &create, &pool);
	ASSERT_EQ(0, _test_child_add(SUP, &CHILD_SUPERVISOR("pool", pool), &add));
	snprintf(path, sizeof(path), "%llu", (unsigned long long)add.out_id);
	ASSERT_EQ(0, _test_child_add(pool, &CHILD("w", WAITS), &add));
	ASSERT_EQ(0, kill(add.out_pid, SIGSEGV));
	test_crash("w", CRASH, RESTART);
	ASSERT_EQ(SUPERVISOR_MSG_F_DYNAMIC, LINEAGE->crash.head.flags);
	/* In a path it goes by its number. */
	ASSERT_STREQ(path, LINEAGE->path);
	test_text("pool < %s; -", name);
	ASSERT_EQ(getpid(), LINEAGE->caller[0]->pid);
	ASSERT_EQ(add.out_id, crash->head.child);
	ASSERT_EQ(add.out_pid, crash->head.pid);
	ASSERT_EQ(1, crash->head.incarnation);
	ASSERT_EQ(SIGSEGV, WTERMSIG(crash->status));
	ASSERT_EQ(SUPERVISOR_PERMANENT, crash->restart);
	ASSERT_LT(0, crash->start_ns);
	ASSERT_LE(crash->start_ns, crash->exit_ns);
	ASSERT_LE(crash->exit_ns, crash->head.time_ns);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "w", &event);
	ASSERT_EQ(event.event.exit_seq, crash->exit_seq);
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "w", NULL);
	test_no_crash();
	ASSERT_EQ(0, kill(child_pid(pool, "w"), SIGKILL));
	test_crash("w", KILLED, RESTART);
	ASSERT_EQ(2, crash->head.incarnation);
	close(pool);
}

TEST_F(lineage, dynamic_report_says_what_was_decided)
{
	struct supervisor_child_spec spec;
	__u64 number;

	test_crash_tree(IS_DYNAMIC, .intensity = 1, .period = 1000);
	test_start(SUP);
	test_member(SUP, "temporary", WAITS, .restart = SUPERVISOR_TEMPORARY);
	test_kill("temporary", SIGABRT);
	test_crash("temporary", CRASH, DELETED);
	test_member(SUP, "later", WAITS, .retry_min_ms = PATIENCE_MS,
		    .retry_max_ms = PATIENCE_MS, .retry_factor_pct = 100,
		    .retry_reset_after_ms = PATIENCE_MS);
	test_kill("later", SIGABRT);
	test_crash("later", CRASH, RETRY);
	ASSERT_TRUE(eventually(child_state(SUP, "later") ==
			       SUPERVISOR_CHILD_RESTARTING));
	/* It waits: a supervisor with one that does is not idle. */
	number = test_member(SUP, "stubborn", RUNS(child_ignore, SIGTERM),
			     .shutdown_ms = 1);
	test_ignores(SUP, "stubborn", SIGTERM);
	ASSERT_EQ(0, _test_terminate_member(SUP, number));
	test_crash("stubborn", KILLED, STOPPED);
	number = test_member(SUP, "brutal", WAITS,
			     .shutdown_ms = SUPERVISOR_SHUTDOWN_KILL);
	ASSERT_EQ(0, _test_terminate_member(SUP, number));
	number = test_member(SUP, "obeys", WAITS);
	ASSERT_EQ(0, _test_terminate_member(SUP, number));
	spec = CHILD("fails", RUNS(child_raise, SIGSEGV),
		     .readiness = SUPERVISOR_READINESS_NOTIFY);
	ASSERT_EQ(-ECHILD, _test_child_add(SUP, &spec, NULL));
	test_crash("fails", CRASH, START_FAILED);
	spec = CHILD("says so", RUNS(child_fail, ENOENT),
		     .readiness = SUPERVISOR_READINESS_NOTIFY);
	ASSERT_EQ(-ECHILD, _test_child_add(SUP, &spec, NULL));
	test_member(SUP, "a", WAITS);
	test_kill("a", SIGABRT);
	test_crash("a", CRASH, RESTART);
	ASSERT_TRUE(eventually(child_pid(SUP, "a") > 0));
	test_kill("a", SIGABRT);
	test_crash("a", CRASH, GAVE_UP);
	test_wait(SUP, SUPERVISOR_WAIT_DOWN);
	test_no_crash();
}

TEST_F(lineage, dynamic_report_of_who_was_significant)
{
	struct supervisor_child_spec template =
		CHILD("a", WAITS, .restart = SUPERVISOR_TEMPORARY, .significant = 1);

	test_crash_tree(.kind = SUPERVISOR_SIMPLE,
			.max_children = SUPERVISOR_CHILDREN_INFINITY,
			.child_spec = (uintptr_t)&template,
			.auto_shutdown = SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT);
	test_start(SUP);
	ASSERT_EQ(0, _test_child_add(SUP, NULL, NULL));
	test_kill("a", SIGABRT);
	test_crash("a", CRASH, AUTO_SHUTDOWN);
	test_wait(SUP, SUPERVISOR_WAIT_DOWN);
	test_no_crash();
}

TEST_F(lineage, dynamic_report_waits_for_the_decision)
{
	test_crash_tree(IS_DYNAMIC);
	test_start(SUP);
	test_member(SUP, "a", WAITS);
	test_suspend(SUP, 0);
	test_kill("a", SIGABRT);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a", NULL);
	ASSERT_EQ(-EAGAIN, _test_crash(self->crashes, LINEAGE, 0));
	/* Dead when all were to be stopped: no decision of its own. */
	test_stop(SUP);
	test_crash("a", CRASH, STOPPED);
	test_no_crash();
}

TEST_F(lineage, report_of_who_joined)
{
	struct joined joined;

	test_crash_tree(TAKES_JOINERS);
	test_start(SUP);
	ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	process_kill(joined.pid);
	test_crash("task", KILLED, DELETED);
	test_text("%s; -", name);
	ASSERT_EQ(joined.join.out_id, LINEAGE->crash.head.child);
	ASSERT_EQ(getpid(), LINEAGE->caller[0]->pid);
	test_no_crash();
}

TEST_F(lineage, no_report_of_what_is_no_crash)
{
	test_crash_tree();
	test_child(SUP, "normal", RUNS(child_exit, 0),
		   .restart = SUPERVISOR_TRANSIENT);
	test_child(SUP, "shutdown", RUNS(child_say_shutdown, 3),
		   .restart = SUPERVISOR_TRANSIENT);
	test_child(SUP, "obeys", WAITS);
	test_child(SUP, "brutal", WAITS,
		   .shutdown_ms = SUPERVISOR_SHUTDOWN_KILL);
	test_start(SUP);
	ASSERT_TRUE(eventually(child_state(SUP, "normal") ==
			       SUPERVISOR_CHILD_UNDEFINED));
	ASSERT_TRUE(eventually(child_state(SUP, "shutdown") ==
			       SUPERVISOR_CHILD_UNDEFINED));
	ASSERT_EQ(0, _test_terminate(SUP, "obeys"));
	ASSERT_EQ(0, _test_terminate(SUP, "brutal"));
	test_no_crash();
	test_stop(SUP);
	test_no_crash();
}

TEST_F(lineage, no_report_of_a_start_that_says_it_failed)
{
	struct supervisor_child_spec spec =
		CHILD("a", RUNS(child_fail, ENOENT),
		      .readiness = SUPERVISOR_READINESS_NOTIFY);

	test_crash_tree();
	test_start(SUP);
	ASSERT_EQ(-ECHILD, _test_child_add(SUP, &spec, NULL));
	test_no_crash();
	spec = CHILD("a", RUNS(child_ignore, SIGTERM), .start_timeout_ms = 1,
		     .readiness = SUPERVISOR_READINESS_NOTIFY);
	ASSERT_EQ(-ECHILD, _test_child_add(SUP, &spec, NULL));
	test_no_crash();
	/* But of one that says nothing. */
	spec = CHILD("a", RUNS(child_raise, SIGSEGV),
		     .readiness = SUPERVISOR_READINESS_NOTIFY);
	ASSERT_EQ(-ECHILD, _test_child_add(SUP, &spec, NULL));
	test_crash("a", CRASH, START_FAILED);
	test_no_crash();
}

TEST_F(lineage, report_of_who_does_not_stop)
{
	test_crash_tree();
	test_child(SUP, "a", RUNS(child_ignore, SIGTERM), .shutdown_ms = 1);
	test_start(SUP);
	test_ignores(SUP, "a", SIGTERM);
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	test_crash("a", KILLED, STOPPED);
	test_no_crash();
}

TEST_F(lineage, report_says_what_was_decided)
{
	test_crash_tree(.intensity = 1, .period = 1000);
	test_child(SUP, "temporary", WAITS,
		   .restart = SUPERVISOR_TEMPORARY);
	test_child(SUP, "later", WAITS, .retry_min_ms = PATIENCE_MS,
		   .retry_max_ms = PATIENCE_MS, .retry_factor_pct = 100,
		   .retry_reset_after_ms = PATIENCE_MS);
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	test_kill("temporary", SIGABRT);
	test_crash("temporary", CRASH, DELETED);
	test_kill("later", SIGABRT);
	test_crash("later", CRASH, RETRY);
	test_kill("a", SIGABRT);
	test_crash("a", CRASH, RESTART);
	ASSERT_TRUE(eventually(child_pid(SUP, "a") > 0));
	test_kill("a", SIGABRT);
	test_crash("a", CRASH, GAVE_UP);
	test_no_crash();
}

TEST_F(lineage, report_of_who_was_significant)
{
	test_crash_tree(.auto_shutdown =
			SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT);
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", WAITS, .restart = SUPERVISOR_TEMPORARY,
		   .significant = 1);
	test_start(SUP);
	test_kill("b", SIGABRT);
	test_crash("b", CRASH, AUTO_SHUTDOWN);
	test_wait(SUP, SUPERVISOR_WAIT_DOWN);
	test_no_crash();
}

TEST_F(lineage, report_waits_for_the_decision)
{
	test_crash_tree(.strategy = SUPERVISOR_ONE_FOR_ALL);
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", WAITS);
	test_start(SUP);
	test_suspend(SUP, 0);
	test_kill("b", SIGABRT);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "b", NULL);
	test_kill("a", SIGABRT);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a", NULL);
	ASSERT_EQ(-EAGAIN, _test_crash(self->crashes, LINEAGE, 0));
	test_resume(SUP, 0);
	test_crash("b", CRASH, RESTART);
	/* Dead when its group was to be stopped: no decision of its own. */
	test_crash("a", CRASH, STOPPED);
	ASSERT_TRUE(eventually(child_pid(SUP, "b") > 0));
	test_no_crash();
}

TEST_F(lineage, reports_that_find_no_room_are_counted)
{
	__u64 lost = 0, got = 0;
	int i, small, count;

	test_crash_tree();
	test_mailbox_create(DEV, 4096, &small);
	ASSERT_EQ(0, subscribe_crashes(SUP, small));
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	for (i = 0; i < 20; i++) {
		test_kill("a", SIGABRT);
		test_crash("a", CRASH, RESTART);
		ASSERT_TRUE(eventually(child_pid(SUP, "a") > 0));
	}
	while ((count = _test_recv(small, LINEAGE->buf, sizeof(LINEAGE->buf),
				   1, 0)) > 0) {
		struct supervisor_msg *head = (void *)LINEAGE->buf;

		if (head->type == SUPERVISOR_MSG_GAP)
			lost += head->ref;
		else
			got++;
	}
	ASSERT_EQ(-EAGAIN, count);
	ASSERT_LT(0, lost);
	ASSERT_LT(0, got);
	close(small);
}

/* ---- the kernel's log ---- */

/* Lines that say so, from now on; -1 without a log. */
static int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log >= 0)
		lseek(log, 0, SEEK_END);
	return log;
}

static int log_count(int log, const char *text)
{
	char line[8192];
	ssize_t len;
	int count = 0;

	for (;;) {
		len = read(log, line, sizeof(line) - 1);
		/* What was overwritten meanwhile. */
		if (len < 0 && errno == EPIPE)
			continue;
		if (len < 0)
			return count;
		line[len] = 0;
		count += !!strstr(line, text);
	}
}

/* Others may have used up what the log takes: so it is tried until it is there. */
static bool crashes_are_logged(int sup, const char *id, int log,
			       const char *text)
{
	pid_t pid = child_pid(sup, id);

	if (pid <= 0)
		return false;
	kill(pid, SIGABRT);
	eventually(child_pid(sup, id) > 0 && child_pid(sup, id) != pid);
	return log_count(log, text) > 0;
}

TEST_F(lineage, crashes_in_the_kernels_log)
{
	char expected[128];
	int log = log_open();

	if (log < 0)
		SKIP(return, "no /dev/kmsg");
	test_named_tree(.flags = SUPERVISOR_CREATE_F_LOG_CRASHES);
	/* No byte that a user has chosen does anything to a terminal. */
	test_child(SUP, "a\x9f", WAITS);
	test_start(SUP);
	snprintf(expected, sizeof(expected),
		 "asked for by pid %d, callers: 1", getpid());
	ASSERT_TRUE(eventually(crashes_are_logged(SUP, "a\x9f", log,
						  "crash of 'a\\x5c237', run ")));
	ASSERT_TRUE(eventually(crashes_are_logged(SUP, "a\x9f", log,
						  expected)));
	ASSERT_TRUE(eventually(crashes_are_logged(SUP, "a\x9f", log, name)));
	close(log);
}

TEST_F(lineage, nothing_in_the_log_unasked)
{
	int log = log_open();

	if (log < 0)
		SKIP(return, "no /dev/kmsg");
	test_named_tree();
	test_child(SUP, "unasked", WAITS);
	test_start(SUP);
	ASSERT_FALSE(crashes_are_logged(SUP, "unasked", log, "unasked"));
	close(log);
}

TEST_F(lineage, the_log_is_not_flooded)
{
	__u64 begin, seconds;
	int log = log_open();
	int i, lines = 0;

	if (log < 0)
		SKIP(return, "no /dev/kmsg");
	test_named_tree(.flags = SUPERVISOR_CREATE_F_LOG_CRASHES);
	test_child(SUP, "flood", WAITS);
	test_start(SUP);
	begin = now_ns();
	for (i = 0; i < 40; i++)
		lines += crashes_are_logged(SUP, "flood", log, "'flood'");
	lines += log_count(log, "'flood'");
	seconds = (now_ns() - begin) / 1000000000;
	/* The kernel's own measure: ten in five seconds. */
	ASSERT_LE(lines, 10 * (seconds / 5 + 2));
	close(log);
}

TEST_HARNESS_MAIN
