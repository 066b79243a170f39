// SPDX-License-Identifier: GPL-2.0
/*
 * Links: two processes that do not outlive each other, and trapping exits.
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

/* The test traps exits; its actors do not, unless they are told to. */
FIXTURE(link)
{
	int dev;
	int mailbox;
	struct actor a, b, c;
};

FIXTURE_SETUP(link)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_actor(self->dev, &self->a);
	test_actor(self->dev, &self->b);
	test_actor(self->dev, &self->c);
	test_mailbox_create(self->dev, 0, &self->mailbox);
	ASSERT_EQ(0, _test_trap_exit(self->dev, self->mailbox));
}

/* Nothing of it is left, whatever the test did not read. */
FIXTURE_TEARDOWN(link)
{
	struct supervisor_info info;

	actor_end(&self->a);
	actor_end(&self->b);
	actor_end(&self->c);
	close(self->mailbox);
	ASSERT_TRUE(eventually(!_test_info(self->dev, &info) &&
			       !info.out_used[SUPERVISOR_LIMIT_REFS]));
	close(self->dev);
}

#define DEV (self->dev)
#define BOX (self->mailbox)
#define A (self->a.pid)
#define B (self->b.pid)
#define C (self->c.pid)

/* From one actor to another. */
#define test_link(from_, to_, signal_) \
	ASSERT_EQ(0, _test_order(&self->from_, ORDER_LINK, self->to_.pid, \
				 (signal_)))

#define test_exit(ref_, reason_) \
	test_takes_down(BOX, SUPERVISOR_MSG_EXIT, ref_, reason_)
#define test_down(ref_, reason_) \
	test_takes_down(BOX, SUPERVISOR_MSG_DOWN, ref_, reason_)
#define test_nothing() test_no_down(BOX)

#define test_used(refs_) \
	do { \
		struct supervisor_info info_; \
		ASSERT_TRUE(eventually( \
			!_test_info(DEV, &info_) && \
			info_.out_used[SUPERVISOR_LIMIT_REFS] == (refs_))); \
	} while (0)

/* What the work item has to do is done. */
#define test_settled() \
	do { \
		ASSERT_EQ(0, _test_process_unlink(DEV, 0x7fffffff)); \
	} while (0)

/* ---- without trapping ---- */

TEST_F(link, kills)
{
	__u64 ref;

	test_link(a, b, 0);
	test_monitor(BOX, B, &ref);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 3, 0));
	/* With the reason that came through the link. */
	ASSERT_EQ(SIGKILL, test_down(ref, SUPERVISOR_EXIT_CRASH).status);
	test_used(0);
}

TEST_F(link, is_symmetric)
{
	__u64 ref;

	test_link(a, b, 0);
	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, kill(B, SIGKILL));
	test_down(ref, SUPERVISOR_EXIT_KILLED);
}

TEST_F(link, normal_does_not_propagate)
{
	test_link(a, b, 0);
	test_used(1);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 0, 0));
	test_used(0);
	/* The link is gone. */
	ASSERT_EQ(0, _test_order(&self->b, ORDER_UNLINK, A, 0));
	ASSERT_TRUE(is_alive(B));
}

TEST_F(link, a_signal_of_choice)
{
	__u64 ref;

	test_link(a, b, SIGUSR2);
	test_monitor(BOX, B, &ref);
	ASSERT_EQ(0, kill(A, SIGKILL));
	ASSERT_EQ(SIGUSR2, test_down(ref, SUPERVISOR_EXIT_KILLED).status);
}

TEST_F(link, chain)
{
	__u64 a, b, c;

	test_link(a, b, 0);
	test_link(b, c, 0);
	test_monitor(BOX, A, &a);
	test_monitor(BOX, B, &b);
	test_monitor(BOX, C, &c);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 3, 0));
	test_down(a, SUPERVISOR_EXIT_CRASH);
	test_down(b, SUPERVISOR_EXIT_CRASH);
	test_down(c, SUPERVISOR_EXIT_CRASH);
}

TEST_F(link, circle)
{
	__u64 a, b, c;

	test_link(a, b, 0);
	test_link(b, c, 0);
	test_link(c, a, 0);
	test_monitor(BOX, A, &a);
	test_monitor(BOX, B, &b);
	test_monitor(BOX, C, &c);
	ASSERT_EQ(0, _test_order(&self->b, ORDER_EXIT, 7, 0));
	ASSERT_TRUE(is_dead_after(A, PATIENCE_MS));
	ASSERT_TRUE(is_dead_after(C, PATIENCE_MS));
	test_down(b, SUPERVISOR_EXIT_CRASH);
	test_used(2);
}

/* ---- trapping ---- */

TEST_F(link, trapped)
{
	struct supervisor_msg_down down;
	__u64 ref;

	ASSERT_EQ(0, _test_link(DEV, A, 0, &ref));
	ASSERT_NE(0, ref);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 3, 0));
	down = test_exit(ref, SUPERVISOR_EXIT_CRASH);
	ASSERT_EQ(A, down.head.pid);
	ASSERT_EQ(0x300, down.status);
	ASSERT_EQ(SUPERVISOR_DOWN_OF_PROCESS, down.what);
	ASSERT_LT(0, down.exit_seq);
	test_nothing();
	test_used(0);
}

TEST_F(link, trapped_normal_and_killed)
{
	__u64 a, b;

	ASSERT_EQ(0, _test_link(DEV, A, 0, &a));
	ASSERT_EQ(0, _test_link(DEV, B, 0, &b));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 0, 0));
	test_exit(a, SUPERVISOR_EXIT_NORMAL);
	ASSERT_EQ(0, kill(B, SIGKILL));
	test_exit(b, SUPERVISOR_EXIT_KILLED);
}

TEST_F(link, made_by_the_other)
{
	__u64 ref;

	ASSERT_EQ(0, _test_order(&self->a, ORDER_LINK, getpid(), 0));
	ASSERT_EQ(1, _test_link(DEV, A, 0, &ref));
	ASSERT_EQ(0, kill(A, SIGTERM));
	test_exit(ref, SUPERVISOR_EXIT_CRASH);
}

TEST_F(link, trap_stops_the_chain)
{
	__u64 ref;

	ASSERT_EQ(0, _test_link(DEV, B, 0, &ref));
	ASSERT_EQ(0, _test_order(&self->b, ORDER_TRAP_OWN, 0, 0));
	test_link(a, b, 0);
	ASSERT_EQ(0, kill(A, SIGKILL));
	test_used(2);	/* one is an EXIT in B's mailbox */
	ASSERT_TRUE(is_alive(B));
	test_nothing();
}

TEST_F(link, trap_ends)
{
	__u64 ref;

	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_TRAP_OWN, 0, 0));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_TRAP_OWN, 0, 0));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_TRAP, -1, 0));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_TRAP, -1, 0));
	test_link(a, b, 0);
	ASSERT_EQ(0, kill(B, SIGKILL));
	test_down(ref, SUPERVISOR_EXIT_KILLED);
}

TEST_F(link, trap_ends_with_its_mailbox)
{
	__u64 ref;

	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_TRAP_OWN, 0, 0));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_CLOSE_OWN, 0, 0));
	test_link(a, b, 0);
	ASSERT_EQ(0, kill(B, SIGKILL));
	test_down(ref, SUPERVISOR_EXIT_KILLED);
}

/* A fork inherits neither link nor trap. */
static int forked(void *dev)
{
	/* Dies of NOPROC. */
	_test_link(*(int *)dev, 0x7fffffff, 0, NULL);
	return 0;
}

TEST_F(link, fork_inherits_nothing)
{
	__u64 ref;

	ASSERT_EQ(0, _test_link(DEV, A, 0, &ref));
	ASSERT_EQ(-ECHILD, in_process(forked, &self->dev));
	test_nothing();
}

/* ---- at most one ---- */

TEST_F(link, twice)
{
	__u64 first, second;

	ASSERT_EQ(0, _test_link(DEV, A, 0, &first));
	ASSERT_EQ(1, _test_link(DEV, A, SIGUSR1, &second));
	ASSERT_EQ(first, second);
	ASSERT_EQ(1, _test_order(&self->a, ORDER_LINK, getpid(), 0));
	test_used(1);
	ASSERT_EQ(0, kill(A, SIGKILL));
	test_exit(first, SUPERVISOR_EXIT_KILLED);
	test_nothing();
}

TEST_F(link, to_itself)
{
	__u64 ref;

	ASSERT_EQ(0, _test_link(DEV, getpid(), 0, &ref));
	ASSERT_EQ(0, _test_process_unlink(DEV, getpid()));
	test_used(0);
}

/* ---- by pidfd ---- */

/* What another process has been given the number of is not meant. */
TEST_F(link, by_pidfd)
{
	int pidfd = pidfd_of(A);
	pid_t pid = A;
	__u64 ref;

	ASSERT_LE(0, pidfd);
	ASSERT_EQ(-ESRCH, _test_link_pidfd(DEV, B, pidfd, &ref));
	ASSERT_EQ(-ESRCH, _test_link_pidfd(DEV, 0x7fffffff, pidfd, &ref));
	ASSERT_EQ(-ESRCH, _test_link_pidfd(DEV, A, BOX, &ref));
	ASSERT_EQ(-EBADF, _test_link_pidfd(DEV, A, 9999, &ref));
	test_used(0);
	ASSERT_EQ(0, _test_link_pidfd(DEV, A, pidfd, &ref));
	ASSERT_EQ(1, _test_link_pidfd(DEV, A, pidfd, &ref));
	ASSERT_EQ(-ESRCH, _test_unlink_pidfd(DEV, B, pidfd));
	ASSERT_EQ(1, _test_unlink_pidfd(DEV, A, pidfd));
	ASSERT_EQ(0, _test_link_pidfd(DEV, A, pidfd, &ref));
	ASSERT_EQ(0, kill(A, SIGKILL));
	test_exit(ref, SUPERVISOR_EXIT_KILLED);
	/* Dead, but it has its number still. */
	ASSERT_EQ(0, _test_link_pidfd(DEV, A, pidfd, &ref));
	test_exit(ref, SUPERVISOR_EXIT_NOPROC);
	actor_end(&self->a);
	ASSERT_EQ(-ESRCH, _test_link_pidfd(DEV, pid, pidfd, &ref));
	close(pidfd);
	test_nothing();
	test_used(0);
}

/* ---- pid namespaces ---- */

struct reader {
	int mailbox;
	__u64 ref;
	volatile pid_t pid;
};

static int read_exit(void *argument)
{
	struct reader *reader = argument;
	struct supervisor_msg_down down;
	int type = _test_recv_down(reader->mailbox, &down,
				   after_ms(PATIENCE_MS));

	reader->pid = down.head.pid;
	return type == SUPERVISOR_MSG_EXIT ? 0 : -EPROTO;
}

/* Processes made from here on are in a namespace below, and A and B are not. */
TEST_F(link, into_a_pid_namespace)
{
	struct reader *reader = shared_memory(sizeof(*reader));
	struct actor first, second, third;
	__u64 ref;

	if (geteuid())
		SKIP(return, "needs root, to make a pid namespace");
	test_mailbox_create(DEV, 0, &reader->mailbox);
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	test_actor(DEV, &first);
	test_actor(DEV, &second);
	test_actor(DEV, &third);

	/* Its number is the reader's: there 2, here another one. */
	ASSERT_EQ(0, _test_link(DEV, second.pid, 0, &ref));
	ASSERT_EQ(0, kill(second.pid, SIGKILL));
	ASSERT_EQ(second.pid, test_exit(ref, SUPERVISOR_EXIT_KILLED).head.pid);
	ASSERT_EQ(0, _test_trap_exit(DEV, reader->mailbox));
	ASSERT_EQ(0, _test_link(DEV, second.pid, 0, &ref));
	ASSERT_EQ(0, in_process(read_exit, reader));
	ASSERT_EQ(2, reader->pid);

	/* A, which is above, has none there. */
	ASSERT_EQ(0, _test_order(&third, ORDER_TRAP, reader->mailbox, 0));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_LINK, third.pid, 0));
	ASSERT_EQ(0, kill(A, SIGTERM));
	ASSERT_EQ(0, in_process(read_exit, reader));
	ASSERT_EQ(0, reader->pid);
	ASSERT_TRUE(is_alive(third.pid));

	/* A link from above kills the first process, too, and all with it. */
	ASSERT_EQ(0, _test_order(&self->b, ORDER_LINK, first.pid, 0));
	ASSERT_EQ(0, _test_order(&self->b, ORDER_EXIT, 3, 0));
	ASSERT_TRUE(is_dead_after(third.pid, PATIENCE_MS));
	actor_end(&second);
	actor_end(&third);
	/* It goes last, after they are reaped. */
	ASSERT_TRUE(is_dead_after(first.pid, PATIENCE_MS));
	actor_end(&first);
	ASSERT_EQ(0, _test_trap_exit(DEV, -1));
	close(reader->mailbox);
	munmap(reader, sizeof(*reader));
}

/* From below it is killed as from anywhere. */
TEST_F(link, out_of_a_pid_namespace)
{
	struct actor first, second;
	__u64 ref;

	if (geteuid())
		SKIP(return, "needs root, to make a pid namespace");
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	test_actor(DEV, &first);
	test_actor(DEV, &second);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_LINK, second.pid, SIGUSR1));
	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, _test_order(&second, ORDER_EXIT, 3, 0));
	ASSERT_EQ(SIGUSR1, test_down(ref, SUPERVISOR_EXIT_CRASH).status);
	actor_end(&second);
	actor_end(&first);
}

/* ---- unlink ---- */

TEST_F(link, unlink)
{
	test_link(a, b, 0);
	ASSERT_EQ(0, _test_process_unlink(DEV, A));
	ASSERT_EQ(1, _test_order(&self->a, ORDER_UNLINK, B, 0));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_UNLINK, B, 0));
	test_used(0);
	ASSERT_EQ(0, kill(A, SIGKILL));
	ASSERT_TRUE(is_waitable(A));
	test_settled();
	ASSERT_TRUE(is_alive(B));
}

TEST_F(link, unlink_by_the_other)
{
	test_link(a, b, 0);
	ASSERT_EQ(1, _test_order(&self->b, ORDER_UNLINK, A, 0));
	ASSERT_EQ(0, kill(B, SIGKILL));
	ASSERT_TRUE(is_waitable(B));
	test_settled();
	ASSERT_TRUE(is_alive(A));
}

TEST_F(link, unlink_leaves_an_exit)
{
	__u64 ref;

	ASSERT_EQ(0, _test_link(DEV, A, 0, &ref));
	ASSERT_EQ(0, kill(A, SIGKILL));
	ASSERT_TRUE(is_waitable(A));
	test_settled();
	ASSERT_EQ(0, _test_process_unlink(DEV, A));
	/* It is no monitor. */
	ASSERT_EQ(0, _test_demonitor(BOX, ref, SUPERVISOR_REF_F_FLUSH));
	test_exit(ref, SUPERVISOR_EXIT_KILLED);
}

/* ---- what is dead ---- */

TEST_F(link, dead_and_trapped)
{
	pid_t pid = B;
	__u64 ref;

	ASSERT_EQ(0, kill(A, SIGKILL));
	ASSERT_TRUE(is_dead_after(A, PATIENCE_MS));
	ASSERT_EQ(0, _test_link(DEV, A, 0, &ref));
	ASSERT_EQ(A, test_exit(ref, SUPERVISOR_EXIT_NOPROC).head.pid);
	actor_end(&self->b);
	ASSERT_EQ(0, _test_link(DEV, pid, 0, &ref));
	test_exit(ref, SUPERVISOR_EXIT_NOPROC);
	test_nothing();
	test_used(0);
}

TEST_F(link, dead)
{
	__u64 ref;

	ASSERT_EQ(0, kill(A, SIGKILL));
	ASSERT_TRUE(is_dead_after(A, PATIENCE_MS));
	test_monitor(BOX, B, &ref);
	ASSERT_EQ(-EPIPE, _test_order(&self->b, ORDER_LINK, A, 0));
	ASSERT_EQ(SIGKILL, test_down(ref, SUPERVISOR_EXIT_NOPROC).status);
	test_used(0);
}

TEST_F(link, leader_left_before_its_thread)
{
	__u64 ref;

	ASSERT_EQ(0, _test_order(&self->a, ORDER_THREAD, 0, 0));
	ASSERT_TRUE(process_becomes(A, "Z"));
	ASSERT_EQ(0, _test_link(DEV, A, 0, &ref));
	test_nothing();
	ASSERT_EQ(0, _test_order(&self->a, ORDER_LINK, B, 0));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 2, 0));
	test_exit(ref, SUPERVISOR_EXIT_CRASH);
	ASSERT_TRUE(is_dead_after(B, PATIENCE_MS));
}

/* ---- supervised processes ---- */

/* Linked to the process whose number is its argument. */
static void attach_linked(struct start *start)
{
	if (_test_link(start->spawner->dev, start->program->argument, 0, NULL) ||
	    _test_attach(start->spawner->dev, start->token))
		_exit(100);
	child_attached(start);
}

TEST_F(link, a_child_ends_as_its_peer)
{
	struct tree tree;
	__u64 ref;

	/* An error of its peer's is one of the child's; NORMAL is not. */
	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a",
		   PROGRAM(.attach = attach_linked, .argument = A),
		   .restart = SUPERVISOR_TEMPORARY);
	test_start(tree.sup);
	test_monitor(BOX, child_pid(tree.sup, "a"), &ref);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 3, 0));
	ASSERT_EQ(tree.id, test_down(ref, SUPERVISOR_EXIT_CRASH).head.supervisor);
	test_trace(tree.events, "started a, up, exited a crash");
	tree_close(&tree);
}

TEST_F(link, a_peers_shutdown_is_one)
{
	struct tree peers, tree;
	__u64 ref;

	test_tree_open(&peers, CREATE());
	test_child(peers.sup, "peer", WAITS);
	test_start(peers.sup);
	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a",
		   PROGRAM(.attach = attach_linked,
			   .argument = child_pid(peers.sup, "peer")),
		   .restart = SUPERVISOR_TRANSIENT);
	test_start(tree.sup);
	ASSERT_EQ(0, _test_link(DEV, child_pid(tree.sup, "a"), 0, &ref));
	ASSERT_EQ(0, _test_terminate(peers.sup, "peer"));
	/* Killed by SIGKILL, and not restarted, as OTP would have it. */
	ASSERT_EQ(SIGKILL, test_exit(ref, SUPERVISOR_EXIT_SHUTDOWN).status);
	test_trace(tree.events, "started a, up, exited a shutdown");
	tree_close(&tree);
	tree_close(&peers);
}

/* ---- who may ---- */

struct strangers {
	int dev;
	pid_t pid;
	uid_t real, effective;
};

static int link_as(void *argument)
{
	struct strangers *strangers = argument;

	if (setresuid(strangers->real, strangers->effective,
		      strangers->effective))
		return -errno;
	return _test_link(strangers->dev, strangers->pid, 0, NULL);
}

TEST_F(link, not_allowed)
{
	struct strangers strangers = { DEV, A, USER, USER };
	struct strangers *shared = shared_memory(sizeof(*shared));
	pid_t pid;

	if (geteuid())
		SKIP(return, "needs root, to become others");
	/* It may not signal root's. */
	ASSERT_EQ(-EPERM, in_process(link_as, &strangers));
	ASSERT_TRUE(is_alive(A));
	/* It may signal that, but not be signalled by it. */
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setresuid(USER, USER, USER))
			_exit(1);
		shared->pid = getpid();
		for (;;)
			pause();
	}
	ASSERT_TRUE(eventually(*(volatile pid_t *)&shared->pid));
	strangers = (struct strangers){ DEV, pid, 0, 0 };
	ASSERT_EQ(-EPERM, in_process(link_as, &strangers));
	strangers = (struct strangers){ DEV, pid, USER, USER };
	ASSERT_EQ(0, in_process(link_as, &strangers));
	ASSERT_TRUE(is_alive(pid));
	strangers = (struct strangers){ DEV, pid, OTHER, OTHER };
	ASSERT_EQ(-EPERM, in_process(link_as, &strangers));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(shared, sizeof(*shared));
	test_nothing();
}

/* Linked while it was allowed; at the death it is not any more. */
TEST_F(link, allowed_no_more)
{
	struct strangers *shared = shared_memory(sizeof(*shared));
	pid_t peer, pid;

	if (geteuid())
		SKIP(return, "needs root, to become others");
	peer = fork();
	if (!peer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Comes back as root, as a set-uid program would. */
		if (setresuid(USER, USER, 0))
			_exit(1);
		shared->pid = getpid();
		while (!*(volatile uid_t *)&shared->real)
			sleep_ms(1);
		if (setresuid(0, 0, 0))
			_exit(2);
		shared->effective = 1;
		for (;;)
			pause();
	}
	ASSERT_TRUE(eventually(*(volatile pid_t *)&shared->pid));
	pid = fork();
	if (!pid) {
		if (setresuid(USER, USER, USER) ||
		    _test_link(DEV, peer, 0, NULL))
			_exit(1);
		shared->real = 1;
		while (!*(volatile uid_t *)&shared->effective)
			sleep_ms(1);
		_exit(7);
	}
	ASSERT_EQ(pid, waitpid(pid, &(int){ 0 }, 0));
	ASSERT_EQ(1, shared->effective);
	test_settled();
	ASSERT_TRUE(is_alive(peer));
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	munmap(shared, sizeof(*shared));
}

TEST_F(link, first_process_of_a_namespace)
{
	ASSERT_EQ(-EPERM, _test_link(DEV, 1, 0, NULL));
}

/* ---- what is refused ---- */

TEST_F(link, invalid)
{
	struct supervisor_process_link link =
		ARG(supervisor_process_link, .pid = A, .signal = SIGKILL);

	ASSERT_EQ(-EINVAL, _test_link(DEV, 0, 0, NULL));
	ASSERT_EQ(-EINVAL, _test_link(DEV, -1, 0, NULL));
	ASSERT_EQ(-EINVAL, _test_link(DEV, A, 65, NULL));
	ASSERT_EQ(-EINVAL, _test_link(DEV, A, -1, NULL));
	ASSERT_EQ(-EINVAL, _test_process_unlink(DEV, 0));
	ASSERT_EQ(-EINVAL, _test_process_unlink(DEV, -A));
	ASSERT_EQ(-EINVAL, _test_ioctl(DEV, SUPERVISOR_PROCESS_UNLINK, &link));
	ASSERT_EQ(-EBADF, _test_trap_exit(DEV, 9999));
	ASSERT_EQ(-EBADF, _test_trap_exit(DEV, -2));
	ASSERT_EQ(-EBADFD, _test_trap_exit(DEV, DEV));
	ASSERT_EQ(-ENOTTY, _test_link(BOX, A, 0, NULL));
	test_used(0);
}

/* ---- races ---- */

TEST_F(link, both_die_at_once)
{
	unsigned int i, max = rounds(1000);
	struct actor one, two;

	for (i = 0; i < max; i++) {
		test_actor(DEV, &one);
		test_actor(DEV, &two);
		ASSERT_EQ(0, _test_order(&one, ORDER_LINK, two.pid, 0));
		_test_order(&one, ORDER_EXIT, i & 1, 0);
		_test_order(&two, ORDER_EXIT, i >> 1 & 1, 0);
		actor_end(&one);
		actor_end(&two);
	}
	test_used(0);
}

TEST_F(link, against_death)
{
	unsigned int i, max = rounds(1000);
	struct supervisor_msg_down down;
	__u64 ref;
	pid_t pid;

	for (i = 0; i < max; i++) {
		pid = fork();
		if (!pid) {
			usleep(i % 10 * 10);
			_exit(0);
		}
		usleep(i % 25 * 10);
		ASSERT_EQ(0, _test_link(DEV, pid, 0, &ref));
		ASSERT_EQ(SUPERVISOR_MSG_EXIT,
			  _test_recv_down(BOX, &down, after_ms(PATIENCE_MS)));
		ASSERT_EQ(ref, down.head.ref);
		test_nothing();
		waitpid(pid, NULL, 0);
	}
	test_used(0);
}

/* Found or not, nothing comes after it. */
TEST_F(link, unlink_against_death)
{
	unsigned int i, found = 0, max = rounds(1000);
	struct supervisor_msg_down down;
	__u64 ref;
	pid_t pid;
	int was, type;

	for (i = 0; i < max; i++) {
		pid = fork();
		if (!pid) {
			usleep(i % 30 * 10);
			_exit(0);
		}
		ASSERT_LE(0, _test_link(DEV, pid, 0, &ref));
		usleep(i % 40 * 10);
		if (i & 1)
			waitpid(pid, NULL, 0);
		was = _test_process_unlink(DEV, pid);
		type = _test_recv_down(BOX, &down, 0);
		ASSERT_EQ(was ? -EAGAIN : SUPERVISOR_MSG_EXIT, type);
		if (!(i & 1))
			waitpid(pid, NULL, 0);
		test_settled();
		test_nothing();
		found += was;
	}
	TH_LOG("%u of %u found", found, max);
}

TEST_HARNESS_MAIN
