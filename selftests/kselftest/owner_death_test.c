// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a tree whose owner, which is its spawner too, is killed: at each
 * point of a restart, and at any moment under load. Whatever the policy, no child
 * is lost and none runs twice.
 */
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 1200

#define KIDS 6
#define ABC 7U
#define ALL ((1U << KIDS) - 1)

/* Where a keeper dies: once, at the start of child @world->kid. */
enum point {
	NOWHERE,
	HAS_READ,	/* the START */
	HAS_FORKED,	/* the child, which has not attached */
	HAS_ATTACHED,	/* the child has, and has not executed anything */
	HAS_EXECUTED,	/* nobody has said STARTED */
	POINTS,
};

/* Shared by the test, its keepers and their children until they execute. */
struct world {
	volatile int said;	/* by a keeper: 1 once it is one, or -errno */
	volatile int point;
	volatile int kid;
	volatile int twice;	/* children that found another one of their id */
	volatile int stray;	/* what an attach said that had to fail */
	volatile unsigned int runs[KIDS];
	volatile int go;
};

static struct world *world;
static pid_t tester;

/* ---- children ---- */

/*
 * Whoever runs under an id has its socket, from its attach to its death: what a
 * dead process had is closed before its death is known.
 */
static int kid_socket(long kid)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "kid.%d.%ld",
			   tester, kid);

	if (fd < 0)
		return -errno;
	if (!bind(fd, (void *)&name, offsetof(struct sockaddr_un, sun_path) + 1 + len))
		return fd;
	close(fd);
	return -EADDRINUSE;
}

static bool kid_runs(long kid)
{
	int fd = kid_socket(kid);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static bool kids_run(unsigned int kids)
{
	int kid;

	for (kid = 0; kid < KIDS; kid++)
		if (kids >> kid & 1 && kid_runs(kid))
			return true;
	return false;
}

/* Is this where the keeper is to die? It will be told once. */
static bool reached(long kid, enum point point)
{
	return world->kid == kid && __sync_bool_compare_and_swap(&world->point, point, NOWHERE);
}

/* In a new process: its keeper is dead when this returns. */
static void kill_keeper(void)
{
	pid_t keeper = getppid();

	kill(keeper, SIGKILL);
	while (getppid() == keeper)
		sleep_ms(1);
}

static long kid_of(const struct start *start)
{
	return start->id[0] - 'a';
}

static void kid_attach(struct start *start)
{
	long kid = kid_of(start);
	int err;

	if (reached(kid, HAS_FORKED)) {
		kill_keeper();
		world->stray = _test_attach(start->spawner->dev, start->token);
		_exit(0);
	}
	err = _test_attach(start->spawner->dev, start->token);
	if (err)
		_exit(-err);
	__sync_fetch_and_add(&world->runs[kid], 1);
	/* It is kept open by what is executed. */
	if (kid_socket(kid) < 0)
		__sync_fetch_and_add(&world->twice, 1);
	if (reached(kid, HAS_ATTACHED))
		kill_keeper();
	/* The keeper may be dead. */
	signal(SIGPIPE, SIG_IGN);
	if (write(start->pipe, "A", 1) != 1 && errno != EPIPE)
		_exit(203);
	signal(SIGPIPE, SIG_DFL);
}

static void kid_spawn(struct start *start)
{
	struct program program = *start->program;
	bool last = reached(kid_of(start), HAS_EXECUTED);

	if (reached(kid_of(start), HAS_READ))
		raise(SIGKILL);
	if (last)
		program.flags |= PROGRAM_SILENT;
	start->program = &program;
	spawn_fork(start);
	if (last)
		raise(SIGKILL);
}

static const struct program kid_waits = {
	.spawn = kid_spawn, .attach = kid_attach, .flags = PROGRAM_EXEC, .action = "wait",
};

static const struct program kid_exits = {
	.spawn = kid_spawn, .attach = kid_attach, .flags = PROGRAM_EXEC, .action = "exit",
	.argument = 1,
};

/* ---- keepers: processes that own a tree and spawn for it ---- */

struct plan {
	const char *name;
	int events;
	struct supervisor_create create;
	/* the tree, if it is to be made and not adopted */
	const struct supervisor_child_spec *specs;
	unsigned int count;
};

static int plan_create(const struct plan *plan, int dev, int *mailbox)
{
	struct supervisor_create create = plan->create;
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC,
		    .deadline = SUPERVISOR_NO_DEADLINE);
	unsigned int i;
	int sup, err;

	err = _test_mailbox(dev, MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE), mailbox);
	if (err)
		return err;
	create.mailbox_fd = *mailbox;
	create.name = (uintptr_t)plan->name;
	create.name_len = strlen(plan->name);
	create.mode = 0600;
	err = _test_create(dev, &create, &sup);
	for (i = 0; i < plan->count && !err; i++)
		err = _test_child_add(sup, &plan->specs[i], NULL);
	err = err ?: _test_subscribe(sup, plan->events);
	return err ?: _test_ioctl(sup, SUPERVISOR_START, &start);
}

static int plan_adopt(const struct plan *plan, int dev, int *mailbox)
{
	int sup;
	int err = _test_open(dev, plan->name, O_RDWR, &sup);

	return err ?: _test_adopt(sup, mailbox);
}

static pid_t keeper_start(const struct plan *plan, bool adopt)
{
	struct spawner spawner = {};
	int err;
	pid_t pid;

	world->said = 0;
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	spawner.dev = device_open();
	err = adopt ? plan_adopt(plan, spawner.dev, &spawner.mailbox) :
		      plan_create(plan, spawner.dev, &spawner.mailbox);
	world->said = err ?: 1;
	while (!err)
		err = _test_spawn_one(&spawner, SUPERVISOR_NO_DEADLINE);
	_exit(1);
}

#define test_keeper(adopt_) \
	do { \
		self->keeper = keeper_start(&self->plan, (adopt_)); \
		ASSERT_LT(0, self->keeper); \
		ASSERT_TRUE(eventually(world->said)); \
		ASSERT_EQ(1, world->said); \
	} while (0)

/* ---- trees ---- */

static bool is_there(int dev, const char *name)
{
	int sup;
	int err = _test_open(dev, name, O_RDONLY, &sup);

	if (!err)
		close(sup);
	return err != -ENOENT;
}

FIXTURE(owner_death)
{
	struct plan plan;
	struct supervisor_child_spec specs[KIDS];
	char name[32];
	int dev;
	int events;
	int sup;
	pid_t keeper;
};

FIXTURE_SETUP(owner_death)
{
	static const char * const ids[] = { "a", "b", "c", "d", "e", "f" };
	unsigned int i;

	tester = getpid();
	/* Whom the keepers leave behind. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	world = shared_memory(sizeof(*world));
	ASSERT_NE(NULL, world);
	self->keeper = 0;
	self->sup = -1;
	self->dev = device_open();
	test_mailbox_create(self->dev, 1 << 20, &self->events);
	snprintf(self->name, sizeof(self->name), "/keep.%d", tester);
	for (i = 0; i < KIDS; i++)
		self->specs[i] = CHILD(ids[i], &kid_waits,
				       .readiness = SUPERVISOR_READINESS_EXEC);
	self->plan = (struct plan) {
		.name = self->name,
		.events = self->events,
		.specs = self->specs,
		.count = 3,
		.create = CREATE(.owner_death = SUPERVISOR_OWNER_DEATH_HOLD,
				 .hold_ms = PATIENCE_MS),
	};
}

FIXTURE_TEARDOWN(owner_death)
{
	if (self->sup >= 0)
		_test_stop(self->sup);
	if (self->keeper > 0)
		process_kill(self->keeper);
	close(self->sup);
	close(self->events);
	close(self->dev);
	reap_all();
}

#define trace(expected_) test_trace(self->events, expected_)

/* A started tree of a, b and c. */
#define test_tree() \
	do { \
		test_keeper(false); \
		trace("started a, started b, started c, up"); \
	} while (0)

/* To look at it, and to keep it from ending unseen. */
#define test_look() test_open(self->dev, self->name, O_RDWR, &self->sup)

#define test_keeper_dies() \
	do { \
		process_kill(self->keeper); \
		self->keeper = 0; \
	} while (0)

#define test_no_name() ASSERT_TRUE(eventually(!is_there(self->dev, self->name)))

/* No child has run beside another, nor more often than so. */
#define test_runs(a_, b_, c_) \
	do { \
		ASSERT_EQ(0, world->twice); \
		ASSERT_EQ((a_), world->runs[0]); \
		ASSERT_EQ((b_), world->runs[1]); \
		ASSERT_EQ((c_), world->runs[2]); \
	} while (0)

#define test_kill_kid(id_) \
	ASSERT_EQ(0, kill(child_pid(self->sup, (id_)), SIGKILL))

#define test_no_adopt(errno_) \
	do { \
		int mailbox_; \
		ASSERT_EQ(-(errno_), _test_adopt(self->sup, &mailbox_)); \
		ASSERT_EQ(-1, mailbox_); \
	} while (0)

/* ---- held ---- */

TEST_F(owner_death, hold_waits_for_an_owner)
{
	struct supervisor_status status;
	__u64 before;
	pid_t a;

	test_tree();
	test_look();
	test_status(self->sup, &status);
	ASSERT_EQ(SUPERVISOR_OWNER_DEATH_HOLD, status.out_owner_death);
	ASSERT_EQ(PATIENCE_MS, status.out_hold_ms);
	ASSERT_EQ(0, status.out_hold_until_ns);
	ASSERT_EQ(self->keeper, status.out_owner_pid);
	a = child_pid(self->sup, "a");
	close(self->sup);

	before = now_ns();
	test_keeper_dies();
	trace("held");
	/* No file of it is open, and it has its name. */
	test_look();
	test_status(self->sup, &status);
	ASSERT_LE(before + PATIENCE_MS * 1000000ULL, status.out_hold_until_ns);
	ASSERT_GE(after_ms(PATIENCE_MS), status.out_hold_until_ns);
	ASSERT_EQ(0, status.out_owner_pid);
	ASSERT_EQ(SUPERVISOR_STATE_UP, status.out_state);
	ASSERT_EQ(a, child_pid(self->sup, "a"));
	ASSERT_TRUE(is_alive(a));

	test_keeper(true);
	trace("adopted");
	test_status(self->sup, &status);
	ASSERT_EQ(0, status.out_hold_until_ns);
	ASSERT_EQ(self->keeper, status.out_owner_pid);
	ASSERT_EQ(a, child_pid(self->sup, "a"));
	test_kill_kid("b");
	trace("exited b killed, started b");
	test_runs(1, 2, 1);
	test_stop(self->sup);
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
	ASSERT_FALSE(kids_run(ABC));
	close(self->sup);
	self->sup = -1;
	process_kill(self->keeper);
	self->keeper = 0;
	test_no_name();
}

/* It decides; what is to be started waits. */
TEST_F(owner_death, hold_queues_starts)
{
	struct supervisor_status status;

	test_tree();
	test_look();
	test_keeper_dies();
	trace("held");
	test_kill_kid("b");
	trace("exited b killed");
	ASSERT_TRUE(eventually(child_state(self->sup, "b") == SUPERVISOR_CHILD_STARTING));
	test_kill_kid("a");
	trace("exited a killed");
	test_status(self->sup, &status);
	ASSERT_EQ(SUPERVISOR_STATE_UP, status.out_state);
	test_runs(1, 1, 1);
	test_keeper(true);
	trace("adopted, started b, started a");
	test_runs(2, 2, 1);
}

TEST_F(owner_death, hold_of_nested_supervisors)
{
	struct supervisor_create create = CREATE();
	struct supervisor_child_spec specs[2];
	int inner, mailbox;

	test_create(self->dev, &create, &inner);
	ASSERT_EQ(0, _test_child_add(inner, &self->specs[1], NULL));
	ASSERT_EQ(0, _test_child_add(inner, &self->specs[2], NULL));
	specs[0] = self->specs[0];
	specs[1] = CHILD_SUPERVISOR("inner", inner);
	self->plan.specs = specs;
	self->plan.count = 2;
	test_keeper(false);
	trace("started a, started b, started c, up inner, up");
	test_look();
	test_keeper_dies();
	trace("held");
	ASSERT_EQ(0, kill(child_pid(inner, "b"), SIGKILL));
	trace("exited b killed");
	/* Only a root is held. */
	ASSERT_EQ(-EINVAL, _test_adopt(inner, &mailbox));
	test_keeper(true);
	trace("adopted, started b");
	test_runs(1, 2, 1);
	test_stop(self->sup);
	trace("term c, exited c shutdown, term b, exited b shutdown, down inner stopped, "
	      "term a, exited a shutdown, down stopped");
	close(inner);
}

TEST_F(owner_death, hold_ends_at_its_deadline)
{
	struct supervisor_status status;

	self->plan.create.hold_ms = 200;
	test_tree();
	test_keeper_dies();
	trace("held, term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
	ASSERT_FALSE(kids_run(ABC));
	test_no_name();

	/* Also while a START waits that nobody reads. */
	test_tree();
	test_look();
	test_keeper_dies();
	trace("held");
	test_status(self->sup, &status);
	if (status.out_state == SUPERVISOR_STATE_UP)
		kill(child_pid(self->sup, "a"), SIGKILL);
	test_wait(self->sup, SUPERVISOR_WAIT_DOWN);
	test_status(self->sup, &status);
	ASSERT_EQ(0, status.out_hold_until_ns);
	ASSERT_EQ(SUPERVISOR_EXIT_SHUTDOWN, status.out_reason);
	ASSERT_EQ(SUPERVISOR_DOWN_STOPPED, status.out_down);
	ASSERT_FALSE(kids_run(ABC));
	test_no_adopt(ESHUTDOWN);
}

TEST_F(owner_death, adopt_wants_it_held)
{
	struct supervisor_create create = self->plan.create;
	int mailbox, sup;

	test_tree();
	test_look();
	test_no_adopt(EBUSY);
	ASSERT_EQ(0, kill(self->keeper, SIGSTOP));
	ASSERT_TRUE(process_becomes(self->keeper, "T"));
	test_no_adopt(EBUSY);
	ASSERT_EQ(0, kill(self->keeper, SIGCONT));
	test_open(self->dev, self->name, O_WRONLY, &sup);
	ASSERT_EQ(-EBADF, _test_adopt(sup, &mailbox));
	close(sup);
	test_open(self->dev, self->name, O_RDONLY, &sup);
	ASSERT_EQ(-EBADF, _test_adopt(sup, &mailbox));
	close(sup);
	test_stop(self->sup);
	test_no_adopt(ESHUTDOWN);
	close(self->sup);
	process_kill(self->keeper);
	self->keeper = 0;
	test_no_name();

	/* One that has not started is its owner's. */
	ASSERT_EQ(0, _test_mailbox(self->dev,
				   MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE), &mailbox));
	create.mailbox_fd = mailbox;
	create.name = (uintptr_t)self->name;
	create.name_len = strlen(self->name);
	create.mode = 0600;
	test_create(self->dev, &create, &self->sup);
	test_no_adopt(EBUSY);
	close(self->sup);
	self->sup = -1;
	test_no_name();
	/* It starts only with a mailbox that is there. */
	test_create(self->dev, &create, &self->sup);
	close(mailbox);
	ASSERT_EQ(-ESHUTDOWN, _test_start(self->sup));
	close(self->sup);

	/* One that stops with its owner is never held. */
	self->plan.create.owner_death = SUPERVISOR_OWNER_DEATH_SHUTDOWN;
	self->plan.create.hold_ms = 0;
	test_keeper(false);
	test_look();
	test_no_adopt(EBUSY);
}

static int adopt_it(void *argument)
{
	int mailbox;

	return _test_adopt(*(int *)argument, &mailbox);
}

/* Who has waited for the owner finds it held. */
TEST_F(owner_death, adopt_at_once)
{
	unsigned int i, total = rounds(100);

	self->plan.count = 1;
	test_keeper(false);
	test_look();
	for (i = 0; i < total; i++) {
		process_kill(self->keeper);
		test_keeper(true);
	}
	test_keeper_dies();
	/* And again, of one who adopts and dies. */
	for (i = 0; i < total; i++)
		ASSERT_EQ(0, in_process(adopt_it, &self->sup));
	ASSERT_EQ(0, world->twice);
	test_keeper(true);
	test_stop(self->sup);
}

TEST_F(owner_death, every_owner_has_its_time)
{
	struct supervisor_status status;
	__u64 first;
	int i;

	test_tree();
	test_look();
	test_keeper_dies();
	trace("held");
	test_status(self->sup, &status);
	for (i = 0; i < 3; i++) {
		first = status.out_hold_until_ns;
		sleep_ms(20);
		test_keeper(true);
		trace("adopted");
		test_keeper_dies();
		trace("held");
		test_status(self->sup, &status);
		ASSERT_LT(first, status.out_hold_until_ns);
	}
	test_runs(1, 1, 1);
}

TEST_F(owner_death, stop_while_held)
{
	test_tree();
	test_keeper_dies();
	trace("held");
	test_look();
	test_stop(self->sup);
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
	test_no_adopt(ESHUTDOWN);
	close(self->sup);
	self->sup = -1;
	test_no_name();
}

TEST_F(owner_death, giving_up_while_held)
{
	self->plan.create.intensity = 0;
	test_tree();
	test_look();
	test_keeper_dies();
	trace("held");
	test_kill_kid("b");
	trace("exited b killed, term c, exited c shutdown, term a, exited a shutdown, "
	      "down intensity");
	test_no_adopt(ESHUTDOWN);
}

/* Without a name it takes a file to adopt it. */
TEST_F(owner_death, unlink_while_held)
{
	test_tree();
	test_look();
	test_keeper_dies();
	trace("held");
	ASSERT_EQ(0, _test_unlink(self->dev, self->name));
	test_wait(self->sup, SUPERVISOR_WAIT_IDLE);
	trace("");
	ASSERT_EQ(0, in_process(adopt_it, &self->sup));
	trace("adopted, held");
	close(self->sup);
	self->sup = -1;
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");

	test_tree();
	test_keeper_dies();
	trace("held");
	ASSERT_EQ(0, _test_unlink(self->dev, self->name));
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");

	/* Before its owner dies it is of no matter. */
	test_tree();
	ASSERT_EQ(0, _test_unlink(self->dev, self->name));
	trace("");
	test_keeper_dies();
	trace("term c, exited c shutdown, term b, exited b shutdown, "
	      "term a, exited a shutdown, down stopped");
}

/* Its last file closed ends ownership, though the owner lives. */
TEST_F(owner_death, last_close)
{
	struct spawner spawner = {};
	struct supervisor_status status;
	struct supervisor_create create = self->plan.create;
	int mailbox;

	ASSERT_EQ(0, _test_mailbox(self->dev,
				   MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE), &mailbox));
	create.mailbox_fd = mailbox;
	create.name = (uintptr_t)self->name;
	create.name_len = strlen(self->name);
	create.mode = 0600;
	test_create(self->dev, &create, &self->sup);
	ASSERT_EQ(0, _test_child_add(self->sup, &self->specs[0], NULL));
	test_subscribe(self->sup, self->events);
	test_spawner_start(&spawner, self->dev, mailbox);
	test_start(self->sup);
	trace("started a, up");
	close(self->sup);
	trace("held");
	test_look();
	test_status(self->sup, &status);
	ASSERT_EQ(0, status.out_owner_pid);
	/* The mailbox is still this process's, which reads it. */
	ASSERT_EQ(0, _test_own(self->sup));
	trace("adopted");
	test_kill_kid("a");
	trace("exited a killed, started a");
	test_stop(self->sup);
	spawner_stop(&spawner);
	close(mailbox);
}

static int own_it(void *argument)
{
	return _test_own(*(int *)argument);
}

/* Another spawner goes on while there is no owner. */
TEST_F(owner_death, spawner_that_is_not_the_owner)
{
	struct supervisor_mailbox_status status;
	struct spawner spawner = {};
	int mailbox, other;

	test_tree();
	test_look();
	test_keeper_dies();
	trace("held");
	ASSERT_EQ(0, _test_adopt(self->sup, &mailbox));
	trace("adopted");
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(getpid(), status.out_owner_pid);
	test_spawner_start(&spawner, self->dev, mailbox);
	/* Owned by who dies, the tree is held; its mailbox is served. */
	ASSERT_EQ(0, in_process(own_it, &self->sup));
	trace("held");
	test_kill_kid("b");
	trace("exited b killed, started b");
	ASSERT_EQ(0, _test_adopt(self->sup, &other));
	trace("adopted");
	test_mailbox_status(other, &status);
	ASSERT_EQ(getpid(), status.out_owner_pid);
	test_runs(1, 2, 1);
	test_stop(self->sup);
	spawner_stop(&spawner);
	close(other);
	close(mailbox);
}

/* While nobody can read, a START is not late. */
TEST_F(owner_death, spawner_timeout_waits_for_an_owner)
{
	self->plan.create.spawner_timeout_ms = 100;
	self->plan.create.intensity = 1;
	test_tree();
	test_look();
	test_keeper_dies();
	trace("held");
	test_kill_kid("b");
	trace("exited b killed");
	sleep_ms(500);
	trace("");
	test_keeper(true);
	trace("adopted, started b");
}

static void kid_adopts(struct start *start)
{
	int sup, mailbox;

	if (_test_attach(start->spawner->dev, start->token))
		_exit(1);
	kill_keeper();
	if (!_test_open(start->spawner->dev, (char *)start->program->argument, O_RDWR, &sup))
		world->stray = _test_adopt(sup, &mailbox);
	child_exec("wait", 0);
}

TEST_F(owner_death, adopted_by_its_own_child)
{
	self->specs[0] = CHILD("a", PROGRAM(.attach = kid_adopts,
					    .argument = (uintptr_t)self->name),
			       .readiness = SUPERVISOR_READINESS_EXEC);
	self->plan.count = 1;
	test_keeper(false);
	ASSERT_TRUE(eventually(world->stray));
	ASSERT_EQ(-EDEADLK, world->stray);
	test_look();
	self->keeper = 0;
	/* It has started, for nobody is left to say so. */
	trace("held, started a, up");
}

TEST_F(owner_death, suspended_while_held)
{
	test_tree();
	test_look();
	test_suspend(self->sup, 0);
	test_keeper_dies();
	trace("held");
	test_kill_kid("b");
	trace("exited b killed");
	test_keeper(true);
	trace("adopted");
	test_wait(self->sup, SUPERVISOR_WAIT_IDLE);
	test_runs(1, 1, 1);
	test_resume(self->sup, 0);
	trace("started b");
	test_runs(1, 2, 1);
}

/* It stays its creator's, with all that it has. */
TEST_F(owner_death, hold_counts)
{
	struct supervisor_info before, owned, held;

	test_info(self->dev, &before);
	test_tree();
	test_info(self->dev, &owned);
	test_keeper_dies();
	trace("held");
	test_info(self->dev, &held);
	ASSERT_EQ(owned.out_used[SUPERVISOR_LIMIT_SUPERVISORS],
		  held.out_used[SUPERVISOR_LIMIT_SUPERVISORS]);
	ASSERT_EQ(before.out_used[SUPERVISOR_LIMIT_SUPERVISORS] + 1,
		  held.out_used[SUPERVISOR_LIMIT_SUPERVISORS]);
	ASSERT_EQ(before.out_used[SUPERVISOR_LIMIT_CHILDREN] + 3,
		  held.out_used[SUPERVISOR_LIMIT_CHILDREN]);
	ASSERT_EQ(before.out_used[SUPERVISOR_LIMIT_MAILBOXES] + 1,
		  held.out_used[SUPERVISOR_LIMIT_MAILBOXES]);
	ASSERT_EQ(before.out_used[SUPERVISOR_LIMIT_NAMES] + 1,
		  held.out_used[SUPERVISOR_LIMIT_NAMES]);
	test_look();
	test_stop(self->sup);
	close(self->sup);
	self->sup = -1;
	test_used_again(self->dev, &before);
}

/* Adopted or stopped, and nothing in between. */
TEST_F(owner_death, deadline_races_adoption)
{
	unsigned int i, total = rounds(60), adopted = 0;
	struct supervisor_status status;
	int mailbox, err;

	self->plan.create.hold_ms = 10;
	self->plan.count = 1;
	for (i = 0; i < total; i++) {
		test_keeper(false);
		test_look();
		process_kill(self->keeper);
		self->keeper = 0;
		test_status(self->sup, &status);
		/* The kernel's clock for this ticks in milliseconds. */
		while (status.out_hold_until_ns &&
		       now_ns() + 1000000 < status.out_hold_until_ns + i % 16 * 500000)
			;
		err = _test_adopt(self->sup, &mailbox);
		if (!err) {
			adopted++;
			sleep_ms(20);
			test_status(self->sup, &status);
			ASSERT_GT(SUPERVISOR_STATE_STOPPING, status.out_state);
			ASSERT_EQ(getpid(), status.out_owner_pid);
			close(mailbox);
			test_stop(self->sup);
		} else {
			ASSERT_EQ(-ESHUTDOWN, err);
			test_wait(self->sup, SUPERVISOR_WAIT_DOWN);
		}
		ASSERT_FALSE(kids_run(1));
		close(self->sup);
		self->sup = -1;
		test_no_name();
	}
	TH_LOG("%u of %u adopted", adopted, total);
}

/* Its owner has not waited for its start, and is dead before anything came of it. */
TEST_F(owner_death, adopted_before_it_has_started)
{
	unsigned int i, total = rounds(60);
	int mailbox, status;

	self->plan.count = 1;
	for (i = 0; i < total; i++) {
		self->keeper = fork();
		if (!self->keeper) {
			if (!plan_create(&self->plan, device_open(), &mailbox))
				raise(SIGKILL);
			_exit(1);
		}
		ASSERT_EQ(self->keeper, waitpid(self->keeper, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		self->keeper = 0;
		test_look();
		ASSERT_EQ(0, _test_adopt(self->sup, &mailbox));
		test_stop(self->sup);
		close(mailbox);
		close(self->sup);
		self->sup = -1;
		test_no_name();
	}
}

/* ---- released ---- */

static void kid_attaches_late(struct start *start)
{
	while (!world->go)
		sleep_ms(1);
	world->stray = _test_attach(start->spawner->dev, start->token);
	_exit(0);
}

static void spawn_late(struct start *start)
{
	if (!fork())
		kid_attaches_late(start);
	world->said = 2;
}

/* They run on; a token that was given out is of no use any more. */
TEST_F(owner_death, release)
{
	struct supervisor_create create = CREATE();
	struct supervisor_child_spec specs[3];
	struct supervisor_status status;
	int inner;
	pid_t a, b;

	test_create(self->dev, &create, &inner);
	ASSERT_EQ(0, _test_child_add(inner, &self->specs[1], NULL));
	specs[0] = self->specs[0];
	specs[1] = CHILD_SUPERVISOR("inner", inner);
	specs[2] = CHILD("late", SPAWNS(spawn_late, 0));
	self->plan.specs = specs;
	self->plan.count = 3;
	self->plan.create.owner_death = SUPERVISOR_OWNER_DEATH_RELEASE;
	self->plan.create.hold_ms = 0;
	self->keeper = keeper_start(&self->plan, false);
	ASSERT_TRUE(eventually(world->said == 2));
	trace("started a, started b, up inner");
	test_look();
	a = child_pid(self->sup, "a");
	b = child_pid(inner, "b");
	ASSERT_LT(0, a);
	ASSERT_LT(0, b);
	test_keeper_dies();
	test_wait(self->sup, SUPERVISOR_WAIT_DOWN);
	test_wait(inner, SUPERVISOR_WAIT_DOWN);
	test_status(inner, &status);
	ASSERT_EQ(SUPERVISOR_DOWN_RELEASED, status.out_down);
	test_status(self->sup, &status);
	ASSERT_EQ(SUPERVISOR_DOWN_RELEASED, status.out_down);
	world->go = 1;
	ASSERT_TRUE(eventually(world->stray));
	ASSERT_EQ(-ESTALE, world->stray);
	ASSERT_TRUE(is_alive(a));
	ASSERT_TRUE(is_alive(b));
	/* Their deaths are nobody's business. */
	ASSERT_EQ(0, kill(a, SIGKILL));
	ASSERT_EQ(0, kill(b, SIGKILL));
	ASSERT_TRUE(is_dead_after(a, PATIENCE_MS));
	ASSERT_TRUE(is_dead_after(b, PATIENCE_MS));
	test_no_adopt(ESHUTDOWN);
	close(inner);
}

/* ---- killed at each point of a restart ---- */

static bool runs_are(int sup, const char *ids)
{
	const char *id;

	for (id = ids; *id; id++) {
		char text[] = { *id, 0 };

		if (child_state(sup, text) != SUPERVISOR_CHILD_RUNNING ||
		    !is_alive(child_pid(sup, text)))
			return false;
	}
	return true;
}

static const char * const points[] = {
	[HAS_READ] = "before it has forked", [HAS_FORKED] = "before the attach",
	[HAS_ATTACHED] = "before the exec", [HAS_EXECUTED] = "before STARTED",
};

/* All of them start anew; the keeper dies at @point_ of the start of @kid_. */
#define test_dies_at(point_, kid_) \
	do { \
		TH_LOG("killed %s of %c", points[point_], 'a' + (kid_)); \
		memset(world, 0, sizeof(*world)); \
		test_tree(); \
		test_look(); \
		world->kid = (kid_); \
		world->point = (point_); \
		test_kill_kid("b"); \
		ASSERT_EQ(self->keeper, waitpid(self->keeper, NULL, 0)); \
		self->keeper = 0; \
		ASSERT_EQ(NOWHERE, world->point); \
	} while (0)

/* So that the next one has its name. */
#define test_over() \
	do { \
		test_event(self->events, SUPERVISOR_EVENT_DOWN, "", NULL); \
		ASSERT_FALSE(kids_run(ALL)); \
		if (self->keeper) \
			process_kill(self->keeper); \
		self->keeper = 0; \
		close(self->sup); \
		self->sup = -1; \
		test_no_name(); \
	} while (0)

/* Who forked and died cannot have it attached. */
#define test_stray(point_) \
	do { \
		if ((point_) != HAS_FORKED) \
			break; \
		ASSERT_TRUE(eventually(world->stray)); \
		ASSERT_TRUE(world->stray == -ESTALE || world->stray == -EPERM) \
			TH_LOG("attach: %d", world->stray); \
	} while (0)

TEST_F(owner_death, hold_at_each_point)
{
	int point, kid;

	self->plan.create.strategy = SUPERVISOR_ONE_FOR_ALL;
	for (point = HAS_READ; point < POINTS; point++)
		for (kid = 0; kid < 3; kid++) {
			test_dies_at(point, kid);
			test_stray(point);
			test_keeper(true);
			ASSERT_TRUE(eventually(runs_are(self->sup, "abc")));
			test_wait(self->sup, SUPERVISOR_WAIT_IDLE);
			test_runs(2, 2, 2);
			test_stop(self->sup);
			test_over();
		}
}

TEST_F(owner_death, shutdown_at_each_point)
{
	int point, kid;

	self->plan.create.strategy = SUPERVISOR_ONE_FOR_ALL;
	self->plan.create.owner_death = SUPERVISOR_OWNER_DEATH_SHUTDOWN;
	self->plan.create.hold_ms = 0;
	for (point = HAS_READ; point < POINTS; point++)
		for (kid = 0; kid < 3; kid++) {
			test_dies_at(point, kid);
			test_stray(point);
			test_wait(self->sup, SUPERVISOR_WAIT_DOWN);
			/* Those before it have started again, those behind have not. */
			test_runs(1 + (0 < kid || point >= HAS_ATTACHED),
				  1 + (1 < kid || (kid == 1 && point >= HAS_ATTACHED)),
				  1 + (kid == 2 && point >= HAS_ATTACHED));
			test_over();
		}
}

/* The child and who would start it again die at once, in either order. */
TEST_F(owner_death, hold_at_an_exit)
{
	unsigned int i, total = rounds(20);

	self->plan.create.strategy = SUPERVISOR_ONE_FOR_ALL;
	for (i = 0; i < total; i++) {
		pid_t b;

		memset(world, 0, sizeof(*world));
		test_tree();
		test_look();
		b = child_pid(self->sup, "b");
		kill(i % 2 ? self->keeper : b, SIGKILL);
		kill(i % 2 ? b : self->keeper, SIGKILL);
		test_keeper_dies();
		test_keeper(true);
		ASSERT_TRUE(eventually(world->runs[1] == 2));
		ASSERT_TRUE(eventually(runs_are(self->sup, "abc")));
		test_wait(self->sup, SUPERVISOR_WAIT_IDLE);
		test_runs(2, 2, 2);
		test_stop(self->sup);
		test_over();
	}
}

/* ---- killed at any moment, under load ---- */

/* Three that wait, and three that exit as soon as they run. */
#define LOAD() \
	do { \
		self->plan.count = KIDS; \
		self->plan.create.intensity = 1000000; \
		for (i = 3; i < KIDS; i++) \
			self->specs[i].blob = (uintptr_t)&kid_exits; \
	} while (0)

static void sleep_some(void)
{
	struct timespec time = { .tv_nsec = rand() % 20000000 };

	nanosleep(&time, NULL);
}

/* If it has one: it may be about to start. */
static void kill_some(int sup)
{
	char id[] = { 'a' + rand() % 3, 0 };
	pid_t pid = child_pid(sup, id);

	if (pid > 0)
		kill(pid, SIGKILL);
}

/* All run, and their last keeper stops them: nothing is left, as @before. */
#define test_all_ends(before) \
	do { \
		ASSERT_TRUE(eventually(runs_are(self->sup, "abc"))); \
		test_stop(self->sup); \
		ASSERT_FALSE(kids_run(ALL)); \
		ASSERT_EQ(0, world->twice); \
		process_kill(self->keeper); \
		self->keeper = 0; \
		close(self->sup); \
		self->sup = -1; \
		test_used_again(self->dev, before); \
	} while (0)

TEST_F(owner_death, hold_at_any_moment)
{
	unsigned int i, total = rounds(100);
	struct supervisor_info before;

	srand(tester);
	test_info(self->dev, &before);
	LOAD();
	test_keeper(false);
	/* At its first start it would end with a child that is killed. */
	test_event(self->events, SUPERVISOR_EVENT_UP, "", NULL);
	for (i = 0; i < total; i++) {
		unsigned int runs;

		test_look();
		if (rand() % 2)
			kill_some(self->sup);
		sleep_some();
		test_keeper_dies();
		if (rand() % 2)
			kill_some(self->sup);
		if (rand() % 2)
			sleep_some();
		/* Sometimes the adopter's are the only files. */
		if (rand() % 2) {
			close(self->sup);
			test_keeper(true);
			test_look();
		} else {
			test_keeper(true);
		}
		/* It goes on where it was left. */
		runs = world->runs[3 + i % 3];
		ASSERT_TRUE(eventually(world->runs[3 + i % 3] > runs));
		ASSERT_EQ(0, world->twice);
		close(self->sup);
	}
	test_look();
	test_all_ends(&before);
}

TEST_F(owner_death, shutdown_at_any_moment)
{
	unsigned int i, total = rounds(100);
	struct supervisor_info before;

	srand(tester);
	test_info(self->dev, &before);
	LOAD();
	self->plan.create.owner_death = SUPERVISOR_OWNER_DEATH_SHUTDOWN;
	self->plan.create.hold_ms = 0;
	for (i = 0; i < total; i++) {
		bool look = rand() % 2;

		test_keeper(false);
		if (look)
			test_look();
		sleep_some();
		if (look)
			kill_some(self->sup);
		test_keeper_dies();
		test_event(self->events, SUPERVISOR_EVENT_DOWN, "", NULL);
		ASSERT_FALSE(kids_run(ALL));
		ASSERT_EQ(0, world->twice);
		close(self->sup);
		self->sup = -1;
		test_no_name();
	}
	test_used_again(self->dev, &before);
}

/* ---- likewise, of a dynamic supervisor ---- */

/* Who has children added, and what was answered. */
struct adder {
	int sup;
	int answers;
	unsigned int asked;
	unsigned int answered;
};

/* One of each: no id is there twice, unless a child is. */
static int add_kids(struct adder *adder, const struct supervisor_child_spec *specs)
{
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .mailbox_fd = adder->answers);
	unsigned int i;
	int err = 0;

	for (i = 0; i < KIDS && !err; i++) {
		err = _test_child_add(adder->sup, &specs[i], &add);
		adder->asked += !err;
	}
	return err;
}

/* Each call has one answer, whatever becomes of the tree. */
static bool all_answered(struct adder *adder)
{
	char buf[512] __aligned(8);
	const struct supervisor_msg *message = (void *)buf;
	int count;

	while ((count = _test_recv(adder->answers, buf, sizeof(buf), 1, 0)) == 1)
		adder->answered += message->type == SUPERVISOR_MSG_ANSWER;
	return count == -EAGAIN && adder->answered == adder->asked;
}

#define test_dynamic(...) \
	do { \
		LOAD(); \
		self->plan.count = 0; \
		self->plan.create = DYNAMIC(.intensity = 1000000, ##__VA_ARGS__); \
		test_mailbox_create(self->dev, 0, &adder.answers); \
	} while (0)

TEST_F(owner_death, dynamic_shutdown_at_any_moment)
{
	unsigned int i, total = rounds(100);
	struct supervisor_info before;
	struct adder adder = {};

	srand(tester);
	test_dynamic();
	test_info(self->dev, &before);
	for (i = 0; i < total; i++) {
		test_keeper(false);
		test_look();
		test_event(self->events, SUPERVISOR_EVENT_UP, "", NULL);
		adder.sup = self->sup;
		ASSERT_EQ(0, add_kids(&adder, self->specs));
		/* Once they run, however early their keeper is killed in the others. */
		if (!i)
			ASSERT_TRUE(eventually(world->runs[0]));
		sleep_some();
		if (rand() % 2)
			kill_some(self->sup);
		if (rand() % 2) {
			close(self->sup);
			self->sup = -1;
		}
		test_keeper_dies();
		test_event(self->events, SUPERVISOR_EVENT_DOWN, "", NULL);
		ASSERT_FALSE(kids_run(ALL));
		ASSERT_EQ(0, world->twice);
		ASSERT_TRUE(eventually(all_answered(&adder)));
		if (self->sup >= 0)
			close(self->sup);
		self->sup = -1;
		test_no_name();
	}
	test_used_again(self->dev, &before);
	close(adder.answers);
}

TEST_F(owner_death, dynamic_hold_at_any_moment)
{
	unsigned int i, total = rounds(100), runs;
	struct supervisor_info before;
	struct adder adder = {};

	srand(tester);
	test_dynamic(.owner_death = SUPERVISOR_OWNER_DEATH_HOLD, .hold_ms = PATIENCE_MS);
	test_info(self->dev, &before);
	test_keeper(false);
	test_look();
	test_event(self->events, SUPERVISOR_EVENT_UP, "", NULL);
	adder.sup = self->sup;
	ASSERT_EQ(0, add_kids(&adder, self->specs));
	/* Who is killed before it has started is no child. */
	ASSERT_TRUE(eventually(all_answered(&adder)));
	for (i = 0; i < total; i++) {
		sleep_some();
		if (rand() % 2)
			kill_some(self->sup);
		test_keeper_dies();
		if (rand() % 2)
			kill_some(self->sup);
		if (rand() % 2)
			sleep_some();
		test_keeper(true);
		/* It goes on where it was left. */
		runs = world->runs[3 + i % 3];
		ASSERT_TRUE(eventually(world->runs[3 + i % 3] > runs));
		ASSERT_EQ(0, world->twice);
	}
	test_all_ends(&before);
	close(adder.answers);
}

TEST_HARNESS_MAIN
