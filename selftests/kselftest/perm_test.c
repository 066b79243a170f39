// SPDX-License-Identifier: GPL-2.0
/*
 * Who may do what to whom: users, names, user and pid namespaces. Run as root,
 * which makes the users; most of it is then done without privilege.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define USER 60001
#define OTHER 60002
#define GROUP 60003

struct shared {
	volatile int step;
	volatile int err;
	volatile pid_t pid;
	volatile __u64 token;
	volatile int seen[4];
};

FIXTURE(perm)
{
	struct tree tree;
	struct shared *shared;
};

FIXTURE_SETUP(perm)
{
	self->tree = NO_TREE;
	self->shared = shared_memory(sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
	if (geteuid())
		SKIP(return, "needs root, to become others");
}

FIXTURE_TEARDOWN(perm)
{
	tree_close(&self->tree);
}

#define SUP (self->tree.sup)
#define DEV (self->tree.dev)
#define trace(expected_) test_trace(self->tree.events, expected_)

static int expect(int got, int wanted)
{
	return got == wanted ? 0 : got ?: -EPROTO;
}

/* ---- without privilege ---- */

TEST_F(perm, unprivileged)
{
	struct supervisor_create create;
	char name[32];
	int sup, inner;

	snprintf(name, sizeof(name), "/unprivileged.%d", getpid());
	ASSERT_EQ(0, become(USER, USER));
	test_tree_open(&self->tree,
		       CREATE(.name = (uintptr_t)name,
			      .name_len = strlen(name), .mode = 0600));
	create = CREATE();
	test_create(DEV, &create, &inner);
	test_child(inner, "x", WAITS);
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", EXECS("wait", 0),
		   .readiness = SUPERVISOR_READINESS_EXEC,
		   .signal_whom = SUPERVISOR_SIGNAL_GROUP);
	test_supervisor_child(SUP, "inner", inner);
	test_start(SUP);
	trace("started a, started b, started x, up inner, up");
	ASSERT_EQ(0, kill(child_pid(SUP, "a"), SIGKILL));
	trace("exited a killed, started a");
	ASSERT_EQ(0, _test_terminate(SUP, "b"));
	trace("term b, exited b shutdown");
	ASSERT_EQ(0, _test_restart(SUP, "b"));
	trace("started b");
	test_open(DEV, name, O_RDWR, &sup);
	test_suspend(sup, 0);
	test_resume(sup, 0);
	ASSERT_EQ(0, _test_own(sup));
	ASSERT_EQ(0, _test_unlink(DEV, name));
	close(sup);
	close(inner);
	test_stop(SUP);
	trace("term x, exited x shutdown, down inner stopped, "
	      "term b, exited b shutdown, term a, exited a shutdown, "
	      "down stopped");
}

static int resets_as_user(void *argument)
{
	struct supervisor_reset_signals reset = ARG(supervisor_reset_signals);
	int err = become(USER, USER);

	err = err ?: _test_ioctl(*(int *)argument, SUPERVISOR_RESET_SIGNALS, &reset);
	if (err)
		return err;
	return signal(SIGUSR1, SIG_DFL) == SIG_DFL ? 0 : -EPROTO;
}

/* Whoever has a file of the device may: they are nobody's but its own. */
TEST_F(perm, anybody_resets_its_own_signals)
{
	DEV = device_open();
	ASSERT_LE(0, DEV);
	ASSERT_NE(SIG_ERR, signal(SIGUSR1, SIG_IGN));
	ASSERT_EQ(0, in_process(resets_as_user, &DEV));
	ASSERT_EQ(SIG_IGN, signal(SIGUSR1, SIG_DFL));
}

/* ---- what may not be signalled ---- */

/* Created as USER, while the spawner, and so the children, are root's. */
#define test_unkillable_tree(...) \
	do { \
		struct supervisor_create create_ = CREATE(__VA_ARGS__); \
		DEV = device_open(); \
		ASSERT_LE(0, DEV); \
		test_mailbox_create(DEV, 0, &self->tree.mailbox); \
		test_mailbox_create(DEV, 0, &self->tree.events); \
		create_.mailbox_fd = self->tree.mailbox; \
		/* The real one too, for it could signal as well. */ \
		ASSERT_EQ(0, setresuid(USER, USER, 0)); \
		test_create(DEV, &create_, &SUP); \
		ASSERT_EQ(0, setresuid(0, 0, 0)); \
		test_subscribe(SUP, self->tree.events); \
		test_spawner_start(&self->tree.spawner, DEV, \
				   self->tree.mailbox); \
	} while (0)

TEST_F(perm, unkillable_child_is_abandoned)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);
	struct supervisor_child_status child;
	__u64 before;
	pid_t pid;

	test_unkillable_tree(.unkillable_ms = 300);
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	trace("started a, up");
	pid = child_pid(SUP, "a");
	before = now_ns();
	test_result(SUP, SUPERVISOR_CHILD_TERMINATE, "a", 0,
		    SUPERVISOR_RESULT_OK);
	ASSERT_LE(before + 300000000, now_ns());
	trace("term a, unkillable a, abandoned a");
	ASSERT_TRUE(is_alive(pid));
	test_child_status(SUP, "a", &child);
	ASSERT_EQ(SUPERVISOR_CHILD_UNDEFINED, child.state);
	ASSERT_EQ(SUPERVISOR_STATUS_F_UNKILLABLE,
		  child.flags & SUPERVISOR_STATUS_F_UNKILLABLE);

	/* While it lives there is no second one. */
	ASSERT_EQ(-ECHILD, _test_child_call(SUP, SUPERVISOR_CHILD_RESTART, "a",
					    &call));
	ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED, call.out_result);
	ASSERT_EQ(EBUSY, call.out_error);
	trace("start_failed a EBUSY");

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_TRUE(is_dead_after(pid, PATIENCE_MS));
	ASSERT_TRUE(eventually(!_test_restart(SUP, "a")));
	ASSERT_NE(pid, child_pid(SUP, "a"));
}

TEST_F(perm, unkillable_child_does_not_block_a_stop)
{
	pid_t pid;

	test_unkillable_tree(.unkillable_ms = 300);
	test_child(SUP, "a", WAITS);
	test_child(SUP, "b", WAITS, .shutdown_ms = SUPERVISOR_SHUTDOWN_KILL);
	test_start(SUP);
	trace("started a, started b, up");
	pid = child_pid(SUP, "a");
	test_stop(SUP);
	trace("kill b, unkillable b, abandoned b, "
	      "term a, unkillable a, abandoned a, down stopped");
	ASSERT_TRUE(is_alive(pid));
	kill(pid, SIGKILL);
}

TEST_F(perm, unkillable_child_that_dies_in_time)
{
	pid_t pid;

	test_unkillable_tree(.unkillable_ms = 60000);
	test_child(SUP, "a", RUNS(child_exit_later, 1500),
		   .restart = SUPERVISOR_TEMPORARY);
	test_start(SUP);
	trace("started a, up");
	pid = child_pid(SUP, "a");
	test_stop(SUP);
	trace("term a, unkillable a, exited a crash, down stopped");
	ASSERT_FALSE(is_alive(pid));
}

static void child_becomes_other(long uid)
{
	if (syscall(SYS_setresuid, uid, uid, uid))
		_exit(1);
	child_wait(0);
}

TEST_F(perm, roots_tree_may_signal_another_user)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_becomes_other, USER));
	test_start(SUP);
	sleep_ms(200);
	test_stop(SUP);
	trace("started a, up, term a, exited a shutdown, down stopped");
}

/*
 * The credentials are those of the creation, not of who calls: a child which is
 * USER's is signalled though root called, and none is who asks.
 */
TEST_F(perm, signals_go_out_as_the_creator)
{
	test_unkillable_tree(.unkillable_ms = 60000);
	test_child(SUP, "a", RUNS(child_becomes_other, USER));
	test_start(SUP);
	sleep_ms(200);
	test_stop(SUP);
	trace("started a, up, term a, exited a shutdown, down stopped");
}

/* ---- children that join ---- */

/* Who joins need not be of the user whose rights the signals go out with. */
TEST_F(perm, who_joined_as_another_user_is_abandoned)
{
	struct joined one, two;

	test_unkillable_tree(TAKES_JOINERS, .unkillable_ms = 300);
	test_start(SUP);
	ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), &one));
	trace("up, started task");
	ASSERT_EQ(0, _test_terminate_member(SUP, one.join.out_id));
	trace("term task, unkillable task, abandoned task");
	ASSERT_TRUE(is_alive(one.pid));
	ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), &two));
	test_stop(SUP);
	trace("started task, term task, unkillable task, abandoned task, "
	      "down stopped");
	ASSERT_TRUE(is_alive(two.pid));
	process_kill(one.pid);
	process_kill(two.pid);
}

static int join_as_itself(void *argument)
{
	struct joined *joined = argument;
	int sup = joined->err;
	int err = become(OTHER, OTHER);

	err = err ?: _test_join(sup, 0, after_ms(PATIENCE_MS), &joined->join);
	if (!err)
		child_wait(0);
	return err;
}

/* Root's supervisor may signal everybody; and it is its creator who pays. */
TEST_F(perm, who_joined_is_the_creators)
{
	struct supervisor_info before, after;
	struct joined *joined = shared_memory(sizeof(*joined));
	pid_t pid;

	ASSERT_NE(NULL, joined);
	test_tree_open(&self->tree, JOINED());
	test_start(SUP);
	trace("up");
	joined->err = SUP;
	test_info(DEV, &before);
	pid = fork();
	if (!pid)
		_exit(-join_as_itself(joined));
	trace("started task");
	test_info(DEV, &after);
	ASSERT_EQ(before.out_used[SUPERVISOR_LIMIT_CHILDREN] + 1,
		  after.out_used[SUPERVISOR_LIMIT_CHILDREN]);
	test_stop(SUP);
	trace("term task, exited task shutdown, down stopped");
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

struct join_by_name {
	const char *name;
	unsigned int access;
	int opened;
	int joined;
};

static int join_by_name(void *argument)
{
	struct join_by_name *join = argument;
	struct supervisor_info info;
	int err = become(OTHER, OTHER);
	int dev = device_open();
	int sup;

	err = err ?: expect(_test_open(dev, join->name, join->access, &sup), join->opened);
	if (err || join->opened)
		return err;
	err = expect(_test_join(sup, 0, after_ms(PATIENCE_MS), NULL), join->joined);
	err = err ?: _test_info(dev, &info);
	return err ?: expect(info.out_used[SUPERVISOR_LIMIT_CHILDREN], 0);
}

TEST_F(perm, joining_by_mode)
{
	struct join_by_name join = { .opened = -EACCES };
	char name[32];

	snprintf(name, sizeof(name), "/join.%d", getpid());
	join.name = name;
	umask(0);
	test_tree_open(&self->tree,
		       JOINED(.name = (uintptr_t)name, .name_len = strlen(name),
			      .mode = 0602));
	test_start(SUP);
	join.access = O_RDONLY;
	ASSERT_EQ(0, in_process(join_by_name, &join));
	join.access = O_RDWR;
	ASSERT_EQ(0, in_process(join_by_name, &join));
	/* It may join, and look at nothing. */
	join.access = O_WRONLY;
	join.opened = 0;
	ASSERT_EQ(0, in_process(join_by_name, &join));
	trace("up, started task, exited task normal");
	tree_close(&self->tree);

	test_tree_open(&self->tree,
		       JOINED(.name = (uintptr_t)name, .name_len = strlen(name),
			      .mode = 0604));
	test_start(SUP);
	join.access = O_RDONLY;
	join.joined = -EBADF;
	ASSERT_EQ(0, in_process(join_by_name, &join));
	test_stop(SUP);
	trace("up, down stopped");
}

static int join_from_user_namespace(void *argument)
{
	int err = become(USER, USER);

	if (err || unshare(CLONE_NEWUSER))
		return err ?: -errno;
	return _test_join(*(int *)argument, 0, after_ms(PATIENCE_MS), NULL);
}

TEST_F(perm, joining_from_a_user_namespace)
{
	test_tree_open(&self->tree, JOINED());
	test_start(SUP);
	ASSERT_EQ(0, in_process(join_from_user_namespace, &SUP));
	trace("up, started task, exited task normal");
}

/* It is stopped by a call of its own, of which it does not see the end. */
static int join_from_within(void *argument)
{
	int sup = *(int *)argument;
	struct supervisor_child_join join;
	int err = _test_join(sup, 0, after_ms(PATIENCE_MS), &join);

	err = err ?: expect(child_pid(sup, "task"), getpid());
	return err ?: _test_terminate_member(sup, join.out_id) ?: -EPROTO;
}

TEST_F(perm, joining_from_a_pid_namespace)
{
	struct event event;

	test_tree_open(&self->tree, JOINED());
	test_start(SUP);
	signal(SIGTERM, SIG_DFL);
	ASSERT_EQ(-ECHILD, in_pid_namespace(join_from_within, &SUP));
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "task", &event);
	/* The second there, somebody else here. */
	ASSERT_LT(2, event.event.head.pid);
	trace("term task, exited task shutdown");
}

/* ---- names ---- */

struct access {
	const char *name;
	uid_t uid;
	gid_t gid;
	int results[3];
};

static int try_access(void *argument)
{
	static const int wanted[] = { O_RDONLY, O_WRONLY, O_RDWR };
	struct access *access = argument;
	int err = become(access->uid, access->gid);
	int dev, sup, i;

	if (err)
		return err;
	dev = device_open();
	if (dev < 0)
		return dev;
	for (i = 0; i < 3; i++) {
		err = _test_open(dev, access->name, wanted[i], &sup);
		if (err != access->results[i])
			return err ?: -EPROTO;
		if (!err)
			close(sup);
	}
	err = _test_unlink(dev, access->name);
	return err == -EPERM ? 0 : -EPROTO;
}

TEST_F(perm, names_have_modes)
{
	char name[32];
	struct access others[] = {
		{ name, OTHER, OTHER, { -EACCES, -EACCES, -EACCES } },
		{ name, OTHER, GROUP, { 0, -EACCES, -EACCES } },
	};
	struct supervisor_create create;
	int sup;

	umask(0);
	snprintf(name, sizeof(name), "/modes.%d", getpid());
	ASSERT_EQ(0, setresgid(GROUP, GROUP, 0));
	ASSERT_EQ(0, setresuid(USER, USER, 0));
	test_tree_open(&self->tree,
		       CREATE(.name = (uintptr_t)name,
			      .name_len = strlen(name), .mode = 0640));
	ASSERT_EQ(0, setresuid(0, 0, 0));
	ASSERT_EQ(0, setresgid(0, 0, 0));
	ASSERT_EQ(0, in_process(try_access, &others[0]));
	ASSERT_EQ(0, in_process(try_access, &others[1]));
	/* Root may look and unlink, and the name is free again. */
	test_open(DEV, name, O_RDWR, &sup);
	close(sup);
	ASSERT_EQ(0, _test_unlink(DEV, name));
	create = CREATE(.mailbox_fd = self->tree.mailbox, .mode = 0602,
			.name = (uintptr_t)name, .name_len = strlen(name));
	test_create(DEV, &create, &sup);
	others[0].results[1] = 0;
	ASSERT_EQ(0, in_process(try_access, &others[0]));
	close(sup);
}

static int in_user_namespace(void *argument)
{
	const char *name = argument;
	char buf[4096] __aligned(8);
	struct supervisor_list list =
		ARG(supervisor_list, .buf = (uintptr_t)buf,
		    .buf_len = sizeof(buf));
	struct supervisor_create create;
	int dev, mailbox, sup, err;

	err = become(USER, USER);
	if (err)
		return err;
	if (unshare(CLONE_NEWUSER))
		return -errno;
	dev = device_open();
	if (dev < 0)
		return dev;
	/* The name is of another user namespace: here it is free. */
	if (_test_open(dev, name, O_RDONLY, &sup) != -ENOENT)
		return -EPROTO;
	err = _test_ioctl(dev, SUPERVISOR_LIST, &list);
	if (err)
		return err;
	if (list.out_count)
		return -ENOTEMPTY;
	err = _test_mailbox_create(dev, 0, &mailbox);
	if (err)
		return err;
	create = CREATE(.mailbox_fd = mailbox, .mode = 0666,
			.name = (uintptr_t)name, .name_len = strlen(name));
	return _test_create(dev, &create, &sup);
}

TEST_F(perm, names_are_of_user_namespaces)
{
	char name[32];
	int sup;

	snprintf(name, sizeof(name), "/namespace.%d", getpid());
	test_tree_open(&self->tree,
		       CREATE(.name = (uintptr_t)name,
			      .name_len = strlen(name), .mode = 0666));
	ASSERT_EQ(0, in_process(in_user_namespace, name));
	test_open(DEV, name, O_RDONLY, &sup);
	close(sup);
}

/* ---- registries ---- */

struct outside_registry {
	const char *name;
	int reg;
	pid_t pid;		/* of @reg's entry, as it is seen from there */
	bool user_namespace;
};

static int registry_from_outside(void *argument)
{
	struct outside_registry *outside = argument;
	int dev, reg, err;

	err = outside->user_namespace ? become(USER, USER) : 0;
	if (err)
		return err;
	if (outside->user_namespace && unshare(CLONE_NEWUSER))
		return -errno;
	dev = device_open();
	if (dev < 0)
		return dev;
	if (outside->user_namespace &&
	    _test_open_registry(dev, outside->name, O_RDONLY, &reg) != -ENOENT)
		return -EPROTO;
	/* What it was given it may use; the process has no number in here. */
	if (_test_lookup(outside->reg, "web", NULL, 0) != outside->pid)
		return -EPROTO;
	if (_test_unregister(outside->reg, "web") != -EPERM)
		return -EPROTO;
	if (_test_update(outside->reg, "web=other", NULL) != -EPERM)
		return -EPROTO;
	if (_test_count_entries(outside->reg,
				SELECT(SUPERVISOR_SELECT_F_PID, "",
				       .pid = getpid())) != 0)
		return -EPROTO;
	err = _test_register(outside->reg, "inner=one", -1, NULL);
	return err ?: _test_lookup(outside->reg, "inner", NULL, 0) == getpid() ?
		      0 : -EPROTO;
}

TEST_F(perm, registries_from_a_user_namespace)
{
	struct outside_registry outside = { .user_namespace = true };
	char name[32];
	int dev = device_open();

	snprintf(name, sizeof(name), "/registry.%d", getpid());
	outside.name = name;
	outside.pid = getpid();
	umask(0);
	test_registry(dev, NAMED_REGISTRY(name, UNIQUE, .mode = 0666),
		      &outside.reg);
	test_register(outside.reg, "web=one");
	ASSERT_EQ(0, in_process(registry_from_outside, &outside));
	ASSERT_EQ(getpid(), _test_lookup(outside.reg, "web", NULL, 0));
	ASSERT_EQ(-ENOENT, _test_lookup(outside.reg, "inner", NULL, 0));
	close(outside.reg);
	close(dev);
}

static int registry_by_mode(void *argument)
{
	const char *name = argument;
	int dev, reg;
	int err = become(OTHER, OTHER);

	if (err)
		return err;
	dev = device_open();
	if (dev < 0)
		return dev;
	if (_test_open_registry(dev, name, O_RDWR, &reg) != -EACCES ||
	    _test_open_registry(dev, name, O_WRONLY, &reg) != -EACCES ||
	    _test_registry(dev, NAMED_REGISTRY(name, UNIQUE,
					       .flags = SUPERVISOR_REGISTRY_F_OPEN),
			   &reg) != -EACCES ||
	    _test_unlink(dev, name) != -EPERM)
		return -EPROTO;
	err = _test_open_registry(dev, name, O_RDONLY, &reg);
	if (err)
		return err;
	return _test_lookup(reg, "web", NULL, 0) > 0 ? 0 : -EPROTO;
}

TEST_F(perm, registries_have_modes)
{
	char name[32];
	int dev = device_open();
	int reg;

	snprintf(name, sizeof(name), "/registry.%d", getpid());
	umask(0);
	test_registry(dev, NAMED_REGISTRY(name, UNIQUE, .mode = 0644), &reg);
	test_register(reg, "web=one");
	ASSERT_EQ(0, in_process(registry_by_mode, name));
	close(reg);
	close(dev);
}

/* ---- ownership ---- */

struct claim {
	int sup;
	uid_t uid;
};

static int claim(void *argument)
{
	struct claim *claim = argument;
	int err = claim->uid ? become(claim->uid, claim->uid) : 0;

	return err ?: _test_own(claim->sup);
}

TEST_F(perm, own_by_another_user)
{
	struct supervisor_status status;
	struct claim claims = { .uid = OTHER };

	ASSERT_EQ(0, setresuid(USER, USER, 0));
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	ASSERT_EQ(0, setresuid(0, 0, 0));
	trace("started a, up");
	claims.sup = SUP;
	ASSERT_EQ(-EPERM, in_process(claim, &claims));
	test_status(SUP, &status);
	ASSERT_EQ(getpid(), status.out_owner_pid);
	ASSERT_EQ(SUPERVISOR_STATE_UP, status.out_state);
	/* The owner's user may; and it dies at once. */
	claims.uid = USER;
	ASSERT_EQ(0, in_process(claim, &claims));
	trace("term a, exited a shutdown, down stopped");
}

TEST_F(perm, own_with_privilege)
{
	struct claim claims = { .uid = 0 };

	ASSERT_EQ(0, setresuid(USER, USER, 0));
	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	ASSERT_EQ(0, setresuid(0, 0, 0));
	trace("up");
	claims.sup = SUP;
	ASSERT_EQ(0, in_process(claim, &claims));
	trace("down stopped");
}

struct orphan {
	const char *name;
	int sup;
	unsigned int access;	/* with which OTHER opens it */
};

static int adopt_as_other(void *argument)
{
	struct orphan *orphan = argument;
	int err = become(OTHER, OTHER);
	int dev = device_open();
	int mailbox, sup;

	err = err ?: _test_open(dev, orphan->name, orphan->access, &sup);
	return err ?: _test_adopt(sup, &mailbox);
}

static int adopt_from_user_namespace(void *argument)
{
	struct orphan *orphan = argument;
	int err = become(USER, USER);
	int mailbox;

	if (err || unshare(CLONE_NEWUSER))
		return err ?: -errno;
	return _test_adopt(orphan->sup, &mailbox);
}

/* Who may read and write it may adopt it, where its creator is. */
TEST_F(perm, adopted_by_mode)
{
	struct supervisor_status status;
	int dev = device_open();
	struct orphan orphan;
	char name[32];

	snprintf(name, sizeof(name), "/orphan.%d", getpid());
	orphan.name = name;
	umask(0);
	ASSERT_EQ(0, setresuid(USER, USER, 0));
	ASSERT_EQ(0, _test_held(dev, name, 0606, PATIENCE_MS, &orphan.sup));
	ASSERT_EQ(0, setresuid(0, 0, 0));
	ASSERT_EQ(-EPERM, in_process(adopt_from_user_namespace, &orphan));
	orphan.access = O_RDONLY;
	ASSERT_EQ(-EBADF, in_process(adopt_as_other, &orphan));
	test_status(orphan.sup, &status);
	ASSERT_NE(0, status.out_hold_until_ns);
	orphan.access = O_RDWR;
	ASSERT_EQ(0, in_process(adopt_as_other, &orphan));
	test_stop(orphan.sup);
	close(orphan.sup);

	ASSERT_EQ(0, setresuid(USER, USER, 0));
	ASSERT_EQ(0, _test_held(dev, name, 0604, PATIENCE_MS, &orphan.sup));
	ASSERT_EQ(0, setresuid(0, 0, 0));
	ASSERT_EQ(-EACCES, in_process(adopt_as_other, &orphan));
	test_stop(orphan.sup);
	close(orphan.sup);
	close(dev);
}

static int hold_one(void *argument)
{
	int sup;

	return _test_held(device_open(), argument, 0600, PATIENCE_MS, &sup);
}

static int hold_in_pid_namespace(void *argument)
{
	if (unshare(CLONE_NEWPID))
		return -errno;
	return in_process(hold_one, argument);
}

/* What is started out here could not be signalled from in there. */
TEST_F(perm, adopted_from_outside_a_pid_namespace)
{
	int dev = device_open();
	int mailbox, sup;
	char name[32];

	snprintf(name, sizeof(name), "/orphan.%d", getpid());
	ASSERT_EQ(0, in_process(hold_in_pid_namespace, name));
	test_open(dev, name, O_RDWR, &sup);
	ASSERT_EQ(-EPERM, _test_adopt(sup, &mailbox));
	/* Nobody is in there any more, and it can be stopped. */
	test_stop(sup);
	close(sup);
	close(dev);
}

struct strange {
	int dev;
	int sup;
	int write_only;
	pid_t child;
};

/* Without the right to signal it, by its supervisor's file alone. */
static int lineage_as_other(void *argument)
{
	struct strange *strange = argument;
	struct lineage *lineage = calloc(1, sizeof(*lineage));
	int err = become(OTHER, OTHER);

	if (!lineage)
		return -ENOMEM;
	err = err ?: expect(_test_lineage(strange->dev, strange->child, -1,
					  lineage), -EPERM);
	err = err ?: _test_child_lineage(strange->sup, "a", lineage);
	return err ?: expect(_test_child_lineage(strange->write_only, "a",
						 lineage), -EBADF);
}

TEST_F(perm, lineage_of_another_users_child)
{
	static const char name[] = "/perm.lineage";
	struct strange strange;

	test_tree_open(&self->tree, CREATE(.name = (uintptr_t)name,
					   .name_len = strlen(name)));
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	strange.dev = self->tree.dev;
	strange.sup = SUP;
	strange.child = child_pid(SUP, "a");
	test_open(strange.dev, name, O_WRONLY, &strange.write_only);
	ASSERT_EQ(0, in_process(lineage_as_other, &strange));
	close(strange.write_only);
}

/* A stranger with a file may stop, for the file's mode says so. */
static int stop_as_other(void *argument)
{
	int *sup = argument;
	int err = become(OTHER, OTHER);

	return err ?: _test_stop(*sup);
}

TEST_F(perm, a_passed_file_gives_its_access)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	ASSERT_EQ(0, in_process(stop_as_other, &SUP));
	trace("started a, up, term a, exited a shutdown, down stopped");
}

/* ---- messages ---- */

struct outside {
	const char *name;	/* of @mailbox, which is root's */
	int mailbox;
	pid_t process;		/* root's */
	__u64 alias;
};

/* What it was given it may use; privilege in here counts for nothing out there. */
static int message_from_user_namespace(void *argument)
{
	struct outside *outside = argument;
	int err = become(USER, USER);
	int dev, own, other;

	if (err)
		return err;
	if (unshare(CLONE_NEWUSER))
		return -errno;
	dev = device_open();
	if (dev < 0)
		return dev;
	err = _test_mailbox(dev, NAMED_MAILBOX(outside->name), &own);
	err = err ?: expect(_test_mailbox_own(outside->mailbox), -EPERM);
	err = err ?: expect(_test_monitor(own, outside->process, NULL), -EPERM);
	err = err ?: expect(_test_link(dev, outside->process, 0, NULL), -EPERM);
	err = err ?: _test_monitor_of(own, 0, outside->mailbox,
				      SUPERVISOR_ALIAS_NONE, NULL);
	err = err ?: _test_send(outside->mailbox, "by file", 7, 0);
	err = err ?: _test_alias_send(dev, outside->alias, "by alias", 0);
	if (err)
		return err;
	close(own);
	/* The name was its own namespace's. */
	return expect(_test_open_mailbox(dev, outside->name, O_WRONLY, &other),
		      -ENOENT);
}

TEST_F(perm, messages_from_a_user_namespace)
{
	static struct message message;
	struct outside outside = { .process = getpid() };
	char name[32];
	int dev = device_open();
	int i;

	snprintf(name, sizeof(name), "/outside.%d", getpid());
	outside.name = name;
	umask(0);
	test_mailbox(dev, NAMED_MAILBOX(name, .mode = 0666), &outside.mailbox);
	test_alias(outside.mailbox, SUPERVISOR_ALIAS_EXPLICIT, &outside.alias);
	ASSERT_EQ(0, in_process(message_from_user_namespace, &outside));
	for (i = 0; i < 2; i++) {
		test_takes(outside.mailbox, &message, SUPERVISOR_MSG_CAST,
			   i ? "by alias" : "by file");
		ASSERT_EQ(USER, message.head->uid);
	}
	close(outside.mailbox);
	close(dev);
}

/* ---- numbers in pid namespaces ---- */

TEST_F(perm, registries_from_within_a_namespace)
{
	struct outside_registry outside = {};
	int dev = device_open();

	test_registry(dev, REGISTRY(UNIQUE), &outside.reg);
	test_register(outside.reg, "web=one");
	ASSERT_EQ(0, in_pid_namespace(registry_from_outside, &outside));
	close(outside.reg);
	close(dev);
}

/* Who has a key may have no number in here; who gets one has. */
static int children_registered_from_within(void *argument)
{
	int reg = *(int *)argument;
	struct supervisor_child_spec taken = CHILD("a", WAITS, KEYED(reg, "web"));
	struct supervisor_child_spec inner = CHILD("b", WAITS, KEYED(reg, "inner"));
	struct supervisor_child_add add = CALL(supervisor_child_add, .out_pid = -1);
	struct tree tree;
	int err;

	err = _test_tree_open(&tree, CREATE());
	err = err ?: _test_start(tree.sup);
	err = err ?: expect(_test_child_add(tree.sup, &taken, &add), -ECHILD);
	err = err ?: expect(add.out_error, EEXIST);
	err = err ?: expect(add.out_pid, 0);
	add = CALL(supervisor_child_add);
	err = err ?: _test_child_add(tree.sup, &inner, &add);
	err = err ?: expect(_test_lookup(reg, "inner", NULL, 0), add.out_pid);
	err = err ?: expect(child_pid(tree.sup, "b"), add.out_pid);
	tree_close(&tree);
	return err ?: expect(_test_lookup(reg, "inner", NULL, 0), -ENOENT);
}

TEST_F(perm, children_registered_from_within_a_namespace)
{
	int dev = device_open();
	int reg;
	test_registry(dev, REGISTRY(UNIQUE), &reg);
	test_register(reg, "web");
	ASSERT_EQ(0, in_pid_namespace(children_registered_from_within, &reg));
	ASSERT_EQ(1, _test_count_entries(reg, SELECT(0, "")));
	close(reg);
	close(dev);
}

static int map_from_within(void *argument)
{
	const struct supervisor_map *map;
	int *outside = argument, dev, reg, err;

	if (_test_map(*outside, &map) != -EOPNOTSUPP)
		return -EPROTO;
	/* What it may do is look up, which shows its numbers. */
	if (_test_lookup(*outside, "web", NULL, 0))
		return -EPROTO;
	dev = device_open();
	if (dev < 0)
		return dev;
	err = _test_registry(dev, REGISTRY(UNIQUE, .flags = SUPERVISOR_REGISTRY_F_MAP), &reg);
	err = err ?: _test_map(reg, &map);
	if (err)
		return err;
	err = _test_register(reg, "inner=one", -1, NULL);
	test_unmap(map);
	return err;
}

/* The numbers in it are one namespace's. */
TEST_F(perm, mappings_from_within_a_namespace)
{
	int dev = device_open(), reg;
	const struct supervisor_map *map;

	test_registry(dev, REGISTRY(UNIQUE, .flags = SUPERVISOR_REGISTRY_F_MAP), &reg);
	test_register(reg, "web=one");
	ASSERT_EQ(0, in_pid_namespace(map_from_within, &reg));
	test_map(reg, &map);
	test_unmap(map);
	close(reg);
	close(dev);
}

static int map_for_another(void *argument)
{
	const struct supervisor_map *map;
	int *reg = argument;
	int err = become(OTHER, OTHER);

	/* What one was given may be mapped as far as it was opened. */
	return err ?: _test_map(*reg, &map);
}

TEST_F(perm, mappings_by_file)
{
	int dev = device_open(), reg, writer;
	const struct supervisor_map *map;
	char name[32];

	snprintf(name, sizeof(name), "/registry.%d", getpid());
	test_registry(dev, NAMED_REGISTRY(name, UNIQUE, .flags = SUPERVISOR_REGISTRY_F_MAP),
		      &reg);
	ASSERT_EQ(0, in_process(map_for_another, &reg));
	test_open_registry(dev, name, O_WRONLY, &writer);
	ASSERT_EQ(-EACCES, _test_map(writer, &map));
	close(writer);
	close(reg);
	close(dev);
}

static int look_from_within(void *argument)
{
	struct tree *tree = argument;
	struct supervisor_child_status child;
	struct supervisor_status status;
	struct event event;
	int err, own;

	err = _test_status(tree->sup, &status);
	if (err)
		return err;
	if (status.out_owner_pid)
		return -ERANGE;
	err = _test_child_status(tree->sup, "a", &child);
	if (err)
		return err;
	if (child.state != SUPERVISOR_CHILD_RUNNING)
		return -EBADMSG;
	if (child.pid)
		return -EDOM;
	/* Messages number processes as their reader sees them. */
	err = _test_event(tree->events, SUPERVISOR_EVENT_STARTED, "a", &event);
	if (err)
		return err;
	if (event.event.head.pid)
		return -EOVERFLOW;
	err = _test_mailbox_create(tree->dev, 0, &own);
	err = err ?: _test_subscribe(tree->sup, own);
	err = err ?: _test_terminate(tree->sup, "a");
	err = err ?: _test_event(own, SUPERVISOR_EVENT_EXITED, "a", &event);
	if (err)
		return err;
	return event.event.head.pid ? -EPROTO : 0;
}

TEST_F(perm, numbers_seen_from_within_a_namespace)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS);
	test_start(SUP);
	ASSERT_LT(0, child_pid(SUP, "a"));
	ASSERT_EQ(0, in_pid_namespace(look_from_within, &self->tree));
}

/* The spawner goes on to a new namespace with its children. */
static void spawn_in_new_namespace(struct start *start)
{
	struct shared *shared = (void *)start->program->argument;
	pid_t pid;

	if (unshare(CLONE_NEWPID)) {
		_test_report(start->spawner->dev, start->token,
			     SUPERVISOR_REPORT_FAILED, errno);
		return;
	}
	if (shared->step) {
		/* Someone has to be the first. */
		pid = fork();
		if (!pid) {
			syscall(SYS_close_range, 3, ~0U, 0);
			child_wait(0);
		}
		shared->pid = pid;
	}
	spawn_fork(start);
}

static void child_tells_its_number(long argument)
{
	struct shared *shared = (void *)argument;

	shared->seen[0] = getpid();
	child_wait(0);
}

static volatile pid_t *told_sender;

static void tell_sender(int number, siginfo_t *info, void *context)
{
	*told_sender = info->si_pid;
	_exit(0);
}

static void child_tells_who_signals(long argument)
{
	struct sigaction action = {
		.sa_sigaction = tell_sender,
		.sa_flags = SA_SIGINFO,
	};
	struct shared *shared = (void *)argument;

	told_sender = &shared->seen[1];
	*told_sender = -1;
	sigaction(SIGTERM, &action, NULL);
	shared->seen[0] = getpid();
	child_wait(0);
}

/* The second process of a namespace, which has told its number. */
#define test_namespaced_child(run_) \
	do { \
		self->shared->step = 1; \
		test_tree_open(&self->tree, CREATE()); \
		test_child(SUP, "a", PROGRAM(.spawn = spawn_in_new_namespace, \
					     .run = (run_), \
					     .argument = (long)self->shared)); \
		test_start(SUP); \
		ASSERT_TRUE(eventually(self->shared->seen[0])); \
	} while (0)

TEST_F(perm, signals_from_outside_a_namespace_have_no_number)
{
	test_namespaced_child(child_tells_who_signals);
	test_stop(SUP);
	trace("started a, up, term a, exited a normal, down stopped");
	ASSERT_EQ(0, self->shared->seen[1]);
	kill(self->shared->pid, SIGKILL);
}

TEST_F(perm, numbers_seen_from_outside_a_namespace)
{
	pid_t pid;

	test_namespaced_child(child_tells_its_number);
	ASSERT_EQ(2, self->shared->seen[0]);
	pid = child_pid(SUP, "a");
	ASSERT_LT(0, pid);
	ASSERT_NE(2, pid);
	ASSERT_TRUE(is_alive(pid));
	test_stop(SUP);
	trace("started a, up, term a, exited a shutdown, down stopped");
	ASSERT_FALSE(is_alive(pid));
	kill(self->shared->pid, SIGKILL);
}

/* ---- the first process of a pid namespace ---- */

TEST_F(perm, first_process_is_killed_from_above)
{
	pid_t pid;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", PROGRAM(.spawn = spawn_in_new_namespace,
				     .run = child_tells_its_number,
				     .argument = (long)self->shared),
		   .shutdown_ms = 300);
	test_start(SUP);
	ASSERT_TRUE(eventually(self->shared->seen[0]));
	ASSERT_EQ(1, self->shared->seen[0]);
	pid = child_pid(SUP, "a");
	test_stop(SUP);
	ASSERT_FALSE(is_alive(pid));
	/* It has no handler for the signal, so the namespace shields it. */
	trace("started a, up, term a, kill a, exited a killed, down stopped");
}

/* What happens inside: the second process makes a tree. */
static int create_within(struct tree *tree, struct shared *shared)
{
	struct supervisor_create create =
		CREATE(.mailbox_fd = tree->mailbox, .unkillable_ms = 300);
	struct supervisor_child_spec spec =
		CHILD("first", WAITS);
	int err = _test_create(tree->dev, &create, &tree->sup);

	err = err ?: _test_subscribe(tree->sup, tree->events);
	err = err ?: _test_child_add(tree->sup, &spec, NULL);
	err = err ?: _test_start(tree->sup);
	if (err)
		return err;
	shared->step = 2;
	err = _test_stop(tree->sup);
	return err;
}

TEST_F(perm, first_process_is_never_signalled_from_within)
{
	struct shared *shared = self->shared;
	struct supervisor_msg_start *message;
	char buf[4096] __aligned(8);
	pid_t first, second;
	int status;

	DEV = device_open();
	ASSERT_LE(0, DEV);
	test_mailbox_create(DEV, 0, &self->tree.mailbox);
	test_mailbox_create(DEV, 0, &self->tree.events);
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	first = fork();
	if (!first) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!shared->token)
			sleep_ms(1);
		shared->err = _test_attach(DEV, shared->token);
		shared->step = 1;
		syscall(SYS_close_range, 3, ~0U, 0);
		child_wait(0);
	}
	second = fork();
	if (!second)
		_exit(-create_within(&self->tree, shared));
	/* This process is the reader, so its child may attach. */
	ASSERT_EQ(1, _test_recv(self->tree.mailbox, buf, sizeof(buf), 1,
				after_ms(PATIENCE_MS)));
	message = (void *)buf;
	shared->token = message->head.ref;
	ASSERT_TRUE(eventually(shared->step));
	ASSERT_EQ(0, shared->err);
	ASSERT_EQ(second, waitpid(second, &status, 0));
	ASSERT_EQ(0, status);
	trace("started first, up, term first, unkillable first, "
	      "abandoned first, down stopped");
	ASSERT_TRUE(is_alive(first));
	ASSERT_EQ(0, kill(first, SIGKILL));
}

/* One that joins what is made in there is not signalled either. */
static int make_joined_within(const char *name, struct tree *tree, struct shared *shared)
{
	struct supervisor_create create =
		JOINED(.unkillable_ms = 300, .name = (uintptr_t)name,
		       .name_len = strlen(name), .mode = 0600);
	int err = _test_create(tree->dev, &create, &tree->sup);

	err = err ?: _test_subscribe(tree->sup, tree->events);
	err = err ?: _test_start(tree->sup);
	if (err)
		return err;
	shared->step = 1;
	if (!eventually(shared->step == 2))
		return -ETIMEDOUT;
	return _test_stop(tree->sup);
}

static void join_as_first(const char *name, int dev, struct shared *shared)
{
	int sup;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!shared->step)
		sleep_ms(1);
	shared->err = _test_open(dev, name, O_WRONLY, &sup) ?:
		      _test_join(sup, 0, after_ms(PATIENCE_MS), NULL);
	close(sup);
	shared->step = 2;
	child_wait(0);
}

TEST_F(perm, first_process_that_joins_is_not_signalled_from_within)
{
	struct shared *shared = self->shared;
	pid_t first, second;
	char name[32];
	int status;

	snprintf(name, sizeof(name), "/first.%d", getpid());
	DEV = device_open();
	ASSERT_LE(0, DEV);
	test_mailbox_create(DEV, 0, &self->tree.events);
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	first = fork();
	if (!first)
		join_as_first(name, DEV, shared);
	second = fork();
	if (!second)
		_exit(-make_joined_within(name, &self->tree, shared));
	ASSERT_EQ(second, waitpid(second, &status, 0));
	ASSERT_EQ(0, shared->err);
	ASSERT_EQ(0, status);
	trace("up, started task, term task, unkillable task, abandoned task, "
	      "down stopped");
	ASSERT_TRUE(is_alive(first));
	ASSERT_EQ(0, kill(first, SIGKILL));
	ASSERT_EQ(first, waitpid(first, NULL, 0));
}

static void join_and_wait(int sup, struct shared *shared)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shared->err = _test_join(sup, 0, after_ms(PATIENCE_MS), NULL);
	shared->step = 1;
	syscall(SYS_close_range, 3, ~0U, 0);
	child_wait(0);
}

TEST_F(perm, first_process_that_joined_is_killed_from_above)
{
	struct supervisor_child_spec template = joiner;
	pid_t pid;

	template.shutdown_ms = 300;
	test_tree_open(&self->tree, JOINED(.child_spec = (uintptr_t)&template));
	test_start(SUP);
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	pid = fork();
	if (!pid)
		join_and_wait(SUP, self->shared);
	ASSERT_TRUE(eventually(self->shared->step));
	ASSERT_EQ(0, self->shared->err);
	test_stop(SUP);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	/* It has no handler for the signal, so the namespace shields it. */
	trace("up, started task, term task, kill task, exited task killed, "
	      "down stopped");
}

/*
 * The same in a group, where first processes are born while it is signalled. Its
 * leader is outside, and so are all these: the creator's namespace is beside.
 */
#define BIRTHS 64

struct births {
	volatile __u64 token;
	volatile int err;
	volatile pid_t mother;
	volatile int nr;
	volatile pid_t born[BIRTHS];
};

/* Numbers are the lab's: who is born is process 1 to itself. */
static void be_born(struct births *births)
{
	char text[16] = "";

	if (readlink("/proc/self", text, sizeof(text) - 1) > 0)
		births->born[births->nr] = atoi(text);
	births->nr++;
	child_wait(0);
}

static void give_birth(struct births *births)
{
	int nr = 0;

	births->mother = getpid();
	while (nr < BIRTHS && births->nr == nr) {
		if (!syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL))
			be_born(births);
		while (births->nr == nr)
			sleep_ms(1);
		nr++;
	}
	child_wait(0);
}

static void lead_births(int dev, struct births *births)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	while (!births->token)
		sleep_ms(1);
	births->err = _test_attach(dev, births->token);
	syscall(SYS_close_range, 3, ~0U, 0);
	/* The births outlive the leader, and are the rest that is killed. */
	if (!births->err && !fork()) {
		signal(SIGTERM, SIG_IGN);
		give_birth(births);
	}
	child_wait(0);
}

static int create_beside(struct tree *tree, struct births *births)
{
	struct supervisor_create create = CREATE(.mailbox_fd = tree->mailbox);
	struct supervisor_child_spec spec =
		CHILD("g", WAITS, .signal_whom = SUPERVISOR_SIGNAL_GROUP);
	int err = _test_create(tree->dev, &create, &tree->sup);

	err = err ?: _test_subscribe(tree->sup, tree->events);
	err = err ?: _test_child_add(tree->sup, &spec, NULL);
	err = err ?: _test_start(tree->sup);
	if (err)
		return err;
	eventually(births->nr > 3);
	return _test_stop(tree->sup);
}

TEST_F(perm, first_processes_born_in_a_group_are_not_signalled_from_beside)
{
	struct births *births = shared_memory(sizeof(*births));
	struct supervisor_msg_start *message;
	char buf[4096] __aligned(8);
	pid_t leader, creator;
	int i, status;

	ASSERT_NE(NULL, births);
	DEV = device_open();
	ASSERT_LE(0, DEV);
	test_mailbox_create(DEV, 0, &self->tree.mailbox);
	test_mailbox_create(DEV, 0, &self->tree.events);
	leader = fork();
	if (!leader)
		lead_births(DEV, births);
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	creator = fork();
	if (!creator)
		_exit(-create_beside(&self->tree, births));
	ASSERT_EQ(1, _test_recv(self->tree.mailbox, buf, sizeof(buf), 1,
				after_ms(PATIENCE_MS)));
	message = (void *)buf;
	births->token = message->head.ref;
	ASSERT_EQ(creator, waitpid(creator, &status, 0));
	ASSERT_EQ(0, status);
	trace("started g, up, term g, exited g shutdown, down stopped");
	ASSERT_LT(3, births->nr);
	ASSERT_TRUE(is_dead_after(births->mother, PATIENCE_MS));
	/* The last one may be about to say so. */
	sleep_ms(300);
	for (i = 0; i < births->nr; i++) {
		EXPECT_LT(0, births->born[i]);
		EXPECT_TRUE(is_alive(births->born[i]));
		if (births->born[i] > 0)
			kill(births->born[i], SIGKILL);
	}
}

TEST_HARNESS_MAIN
