// SPDX-License-Identifier: GPL-2.0
/*
 * Monitors: one DOWN for each, whatever ends how and when.
 */
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define USER 60001
#define FLUSH SUPERVISOR_REF_F_FLUSH

FIXTURE(monitor)
{
	int dev;
	int mailbox;
	struct actor a, b;
	struct supervisor_info before;
};

FIXTURE_SETUP(monitor)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_actor(self->dev, &self->a);
	test_actor(self->dev, &self->b);
	test_mailbox_create(self->dev, 0, &self->mailbox);
	test_info(self->dev, &self->before);
}

/* Nothing of it is left, whatever the test did not read. */
FIXTURE_TEARDOWN(monitor)
{
	struct supervisor_info info;

	actor_end(&self->a);
	actor_end(&self->b);
	close(self->mailbox);
	ASSERT_TRUE(eventually(!_test_info(self->dev, &info) &&
			       !info.out_used[SUPERVISOR_LIMIT_REFS]));
	close(self->dev);
}

#define BOX (self->mailbox)
#define A (self->a.pid)
#define B (self->b.pid)

#define test_down(ref_, reason_) \
	test_takes_down(BOX, SUPERVISOR_MSG_DOWN, ref_, reason_)
#define test_nothing() test_no_down(BOX)
#define test_used(refs_) test_refs_used(self->dev, refs_)

/* Dead, and told of. */
#define test_kill(actor_) \
	do { \
		ASSERT_EQ(0, _test_actor_kill(&self->actor_, SIGKILL)); \
		ASSERT_TRUE(is_waitable(self->actor_.pid)); \
	} while (0)

/* ---- how it ended ---- */

TEST_F(monitor, normal)
{
	struct supervisor_msg_down down;
	__u64 ref, since = now_ns();
	int i;

	test_monitor(BOX, A, &ref);
	ASSERT_NE(0, ref);
	test_nothing();
	/* Enough work to be seen by a clock that ticks. */
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, _test_order(&self->a, ORDER_UNLINK, self->b.pid, 0));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 0, 0));
	down = test_down(ref, SUPERVISOR_EXIT_NORMAL);
	ASSERT_EQ(sizeof(down), down.head.size);
	ASSERT_EQ(A, down.head.pid);
	ASSERT_EQ(0, down.head.supervisor);
	ASSERT_EQ(0, down.head.child);
	ASSERT_EQ(0, down.head.incarnation);
	ASSERT_EQ(geteuid(), down.head.uid);
	ASSERT_LT(since, down.head.time_ns);
	ASSERT_EQ(0, down.status);
	ASSERT_EQ(SUPERVISOR_DOWN_OF_PROCESS, down.what);
	ASSERT_LT(0, down.exit_seq);
	ASSERT_LT(0, down.maxrss_kb);
	ASSERT_LT(0, down.utime_ns + down.stime_ns);
	test_nothing();
	/* It is over. */
	ASSERT_EQ(0, _test_demonitor(BOX, ref, FLUSH));
	test_used(0);
}

TEST_F(monitor, crash)
{
	__u64 ref;

	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 3, 0));
	ASSERT_EQ(0x300, test_down(ref, SUPERVISOR_EXIT_CRASH).status);
}

TEST_F(monitor, killed)
{
	__u64 ref;

	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, kill(A, SIGKILL));
	ASSERT_EQ(SIGKILL, test_down(ref, SUPERVISOR_EXIT_KILLED).status);
}

TEST_F(monitor, signal)
{
	__u64 ref;

	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, kill(A, SIGTERM));
	ASSERT_EQ(SIGTERM, test_down(ref, SUPERVISOR_EXIT_CRASH).status);
}

TEST_F(monitor, leader_left_before_its_thread)
{
	__u64 ref, late;

	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_THREAD, 0, 0));
	ASSERT_TRUE(process_becomes(A, "Z"));
	/* It looks dead, and is not. */
	test_monitor(BOX, A, &late);
	test_nothing();
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXIT, 5, 0));
	ASSERT_EQ(0x500, test_down(ref, SUPERVISOR_EXIT_CRASH).status);
	ASSERT_EQ(0x500, test_down(late, SUPERVISOR_EXIT_CRASH).status);
}

TEST_F(monitor, exec_by_a_thread)
{
	char path[64], name[64] = "";
	__u64 ref, late;

	if (access("/bin/sleep", X_OK))
		SKIP(return, "needs /bin/sleep");
	test_monitor(BOX, A, &ref);
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXEC, 0, 0));
	snprintf(path, sizeof(path), "/proc/%d/comm", A);
	ASSERT_TRUE(eventually(!read_file(path, name, sizeof(name)) &&
			       !strcmp(name, "sleep\n")));
	test_monitor(BOX, A, &late);
	test_nothing();
	ASSERT_EQ(0, kill(A, SIGKILL));
	test_down(ref, SUPERVISOR_EXIT_KILLED);
	test_down(late, SUPERVISOR_EXIT_KILLED);
}

/* ---- dead already ---- */

TEST_F(monitor, zombie)
{
	__u64 ref;

	test_kill(a);
	test_monitor(BOX, A, &ref);
	ASSERT_EQ(A, test_down(ref, SUPERVISOR_EXIT_NOPROC).head.pid);
	test_nothing();
	test_used(0);
}

TEST_F(monitor, not_there)
{
	pid_t pid = A;
	__u64 ref;

	actor_end(&self->a);
	test_monitor(BOX, pid, &ref);
	test_down(ref, SUPERVISOR_EXIT_NOPROC);
	test_monitor(BOX, 0x7fffffff, &ref);
	test_down(ref, SUPERVISOR_EXIT_NOPROC);
}

/* Two that are told by different hands: each is right, in whatever order. */
TEST_F(monitor, one_that_is_tracked_and_dead)
{
	struct supervisor_msg_down down;
	__u64 first, second;
	int i;

	test_monitor(BOX, A, &first);
	test_kill(a);
	test_monitor(BOX, A, &second);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(SUPERVISOR_MSG_DOWN,
			  _test_recv_down(BOX, &down, after_ms(PATIENCE_MS)));
		ASSERT_EQ(down.head.ref == first ? SUPERVISOR_EXIT_KILLED :
						   SUPERVISOR_EXIT_NOPROC,
			  down.reason);
		ASSERT_TRUE(down.head.ref == first || down.head.ref == second);
	}
	test_nothing();
}

static void *wait_for_ever(void *tid)
{
	*(pid_t *)tid = gettid();
	for (;;)
		pause();
	return NULL;
}

TEST_F(monitor, a_thread_is_no_process)
{
	volatile pid_t tid = 0;
	pthread_t thread;
	__u64 ref;

	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_ever, (void *)&tid));
	ASSERT_TRUE(eventually(tid));
	test_monitor(BOX, tid, &ref);
	test_down(ref, SUPERVISOR_EXIT_NOPROC);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

TEST_F(monitor, itself)
{
	__u64 ref;

	test_monitor(BOX, getpid(), &ref);
	test_nothing();
	ASSERT_EQ(1, _test_demonitor(BOX, ref, 0));
}

/* ---- many ---- */

TEST_F(monitor, each_is_a_new_one)
{
	__u64 first, second;

	test_monitor(BOX, A, &first);
	test_monitor(BOX, A, &second);
	ASSERT_NE(first, second);
	ASSERT_EQ(1, _test_demonitor(BOX, first, 0));
	ASSERT_EQ(0, kill(A, SIGKILL));
	test_down(second, SUPERVISOR_EXIT_KILLED);
	test_nothing();
}

#define MANY 500

TEST_F(monitor, many_of_one_process)
{
	__u64 refs[MANY];
	__u64 seq = 0;
	int i;

	for (i = 0; i < MANY; i++)
		test_monitor(BOX, A, &refs[i]);
	test_used(MANY);
	ASSERT_EQ(0, kill(A, SIGKILL));
	for (i = 0; i < MANY; i++) {
		struct supervisor_msg_down down =
			test_down(refs[i], SUPERVISOR_EXIT_KILLED);

		ASSERT_TRUE(!seq || seq == down.exit_seq);
		seq = down.exit_seq;
	}
	test_nothing();
}

#define CROWD 10000
#define CROWD_SLOW 500
#define STACK_BYTES 4096

static int wait_for_the_end(void *unused)
{
	child_wait(0);
	return 0;
}

/* A monitor on each of them: each is told of once, in the order of deaths. */
TEST_F(monitor, many_processes)
{
	const int count = slow_kernel() ? CROWD_SLOW : CROWD;
	struct supervisor_msg_down down;
	char *stacks = shared_memory((size_t)count * STACK_BYTES);
	__u64 *refs = calloc(count, sizeof(*refs));
	pid_t *pids = calloc(count, sizeof(*pids));
	__u64 last = 0;
	int i, at;

	ASSERT_TRUE(stacks && refs && pids);
	for (i = 0; i < count; i++) {
		/* In our memory, which costs the least. */
		pids[i] = clone(wait_for_the_end,
				stacks + (size_t)(i + 1) * STACK_BYTES,
				CLONE_VM | SIGCHLD, NULL);
		ASSERT_LT(0, pids[i])
			TH_LOG("process %d: errno %d", i, errno);
		test_monitor(BOX, pids[i], &refs[i]);
	}
	test_nothing();
	test_used(count);
	/* From both ends, so that neither is how they were made. */
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, kill(pids[i & 1 ? count - 1 - i / 2 : i / 2],
				  SIGKILL));
	for (i = 0; i < count; i++) {
		ASSERT_EQ(SUPERVISOR_MSG_DOWN,
			  _test_recv_down(BOX, &down, after_ms(PATIENCE_MS)))
			TH_LOG("%d of %d came", i, count);
		ASSERT_EQ(SUPERVISOR_EXIT_KILLED, down.reason);
		ASSERT_LT(last, down.exit_seq);
		last = down.exit_seq;
		for (at = 0; at < count && refs[at] != down.head.ref; at++)
			;
		ASSERT_GT(count, at);
		ASSERT_EQ(pids[at], down.head.pid);
		refs[at] = 0;
	}
	test_nothing();
	test_used(0);
	for (i = 0; i < count; i++)
		ASSERT_EQ(pids[i], waitpid(pids[i], NULL, 0));
	free(pids);
	free(refs);
	munmap(stacks, (size_t)count * STACK_BYTES);
}

#define PROCESSES 40

TEST_F(monitor, in_the_order_of_deaths)
{
	struct actor actors[PROCESSES];
	__u64 refs[PROCESSES];
	struct supervisor_msg_down down;
	__u64 seq = 0, at = 0;
	int i;

	for (i = 0; i < PROCESSES; i++) {
		test_actor(self->dev, &actors[i]);
		test_monitor(BOX, actors[i].pid, &refs[i]);
	}
	for (i = 0; i < PROCESSES; i++)
		ASSERT_EQ(0, kill(actors[i * 7 % PROCESSES].pid, SIGKILL));
	for (i = 0; i < PROCESSES; i++) {
		ASSERT_EQ(SUPERVISOR_MSG_DOWN,
			  _test_recv_down(BOX, &down, after_ms(PATIENCE_MS)));
		ASSERT_LT(seq, down.exit_seq);
		ASSERT_LE(at, down.head.time_ns);
		seq = down.exit_seq;
		at = down.head.time_ns;
	}
	for (i = 0; i < PROCESSES; i++)
		actor_end(&actors[i]);
}

TEST_F(monitor, from_several_mailboxes)
{
	struct supervisor_msg_down down;
	__u64 first, second;
	int other;

	test_mailbox_create(self->dev, 0, &other);
	test_monitor(BOX, A, &first);
	test_monitor(other, A, &second);
	/* A ref is a member of its mailbox. */
	ASSERT_EQ(0, _test_demonitor(other, first, FLUSH));
	ASSERT_EQ(0, kill(A, SIGKILL));
	test_down(first, SUPERVISOR_EXIT_KILLED);
	ASSERT_EQ(SUPERVISOR_MSG_DOWN,
		  _test_recv_down(other, &down, after_ms(PATIENCE_MS)));
	ASSERT_EQ(second, down.head.ref);
	close(other);
}

/* ---- demonitor ---- */

TEST_F(monitor, demonitor)
{
	__u64 ref;

	test_monitor(BOX, A, &ref);
	test_used(1);
	ASSERT_EQ(1, _test_demonitor(BOX, ref, 0));
	test_used(0);
	ASSERT_EQ(0, _test_demonitor(BOX, ref, 0));
	ASSERT_EQ(0, _test_demonitor(BOX, ref, FLUSH));
	test_kill(a);
	test_monitor(BOX, B, &ref);
	test_kill(b);
	test_down(ref, SUPERVISOR_EXIT_KILLED);
	test_nothing();
}

TEST_F(monitor, demonitor_what_is_dead)
{
	__u64 ref;

	test_monitor(BOX, A, &ref);
	test_kill(a);
	ASSERT_TRUE(poll_says(BOX, POLLIN, PATIENCE_MS));
	ASSERT_EQ(0, _test_demonitor(BOX, ref, 0));
	test_down(ref, SUPERVISOR_EXIT_KILLED);
}

TEST_F(monitor, flush)
{
	__u64 first, second, third;

	test_kill(a);
	test_monitor(BOX, A, &first);
	test_monitor(BOX, A, &second);
	test_monitor(BOX, A, &third);
	test_used(3);
	ASSERT_EQ(0, _test_demonitor(BOX, second, FLUSH));
	test_used(2);
	test_down(first, SUPERVISOR_EXIT_NOPROC);
	test_down(third, SUPERVISOR_EXIT_NOPROC);
	test_nothing();
	test_monitor(BOX, B, &first);
	ASSERT_EQ(1, _test_demonitor(BOX, first, FLUSH));
}

TEST_F(monitor, unknown_ref)
{
	ASSERT_EQ(0, _test_demonitor(BOX, 0, 0));
	ASSERT_EQ(0, _test_demonitor(BOX, ~0ULL, FLUSH));
	ASSERT_EQ(0, _test_unalias(BOX, 12345));
}

TEST_F(monitor, no_room_to_read_it)
{
	char small[64] __aligned(8);
	__u64 first, second;
	int i;

	test_kill(a);
	test_monitor(BOX, A, &first);
	test_monitor(BOX, A, &second);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(-EMSGSIZE, _test_recv(BOX, small, sizeof(small), 1, 0));
	ASSERT_EQ(-EFAULT, _test_recv(BOX, (void *)8, 4096, 1, 0));
	test_down(first, SUPERVISOR_EXIT_NOPROC);
	test_down(second, SUPERVISOR_EXIT_NOPROC);
}

TEST_F(monitor, receive_one_ref)
{
	char buf[4096] __aligned(8);
	const struct supervisor_msg_down *down = (void *)buf;
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .flags = SUPERVISOR_RECV_F_REF,
		    .buf = (uintptr_t)buf, .buf_len = sizeof(buf));
	__u64 first, second, third;

	test_kill(a);
	test_monitor(BOX, A, &first);
	test_monitor(BOX, A, &second);
	test_monitor(BOX, A, &third);
	recv.ref = second;
	/* What could not be told goes back to its place. */
	recv.buf_len = 64;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(BOX, SUPERVISOR_MAILBOX_RECV, &recv));
	test_down(first, SUPERVISOR_EXIT_NOPROC);
	recv.ref = third;
	recv.buf_len = sizeof(buf);
	ASSERT_EQ(0, _test_ioctl(BOX, SUPERVISOR_MAILBOX_RECV, &recv));
	ASSERT_EQ(1, recv.out_count);
	ASSERT_EQ(third, down->head.ref);
	recv.buf_len = sizeof(buf);
	ASSERT_EQ(-EAGAIN, _test_ioctl(BOX, SUPERVISOR_MAILBOX_RECV, &recv));
	test_down(second, SUPERVISOR_EXIT_NOPROC);
}

/* ---- the end of the mailbox ---- */

TEST_F(monitor, mailbox_closed)
{
	__u64 refs[4];
	int other;

	test_mailbox_create(self->dev, 0, &other);
	test_kill(a);
	test_monitor(other, A, &refs[0]);
	test_monitor(other, B, &refs[1]);
	test_monitor(other, A, &refs[2]);
	test_monitor_of(other, 0, other, SUPERVISOR_ALIAS_EXPLICIT, &refs[3]);
	test_used(4);
	close(other);
	ASSERT_EQ(0, kill(B, SIGKILL));
	test_used(0);
}

/* ---- by pidfd ---- */

TEST_F(monitor, by_pidfd)
{
	int pidfd = pidfd_of(A);
	pid_t pid = A;
	__u64 ref;

	ASSERT_LE(0, pidfd);
	ASSERT_EQ(-ESRCH, _test_monitor_of(BOX, B, pidfd, 0, &ref));
	ASSERT_EQ(-ESRCH, _test_monitor_of(BOX, 0x7fffffff, pidfd, 0, &ref));
	ASSERT_EQ(-ESRCH, _test_monitor_of(BOX, A, BOX, 0, &ref));
	ASSERT_EQ(-EBADF, _test_monitor_of(BOX, A, 9999, 0, &ref));
	ASSERT_EQ(-EBADFD, _test_monitor_of(BOX, 0, pidfd, 0, &ref));
	test_used(0);
	test_monitor_of(BOX, A, pidfd, SUPERVISOR_ALIAS_DEMONITOR, &ref);
	ASSERT_EQ(0, kill(A, SIGKILL));
	test_down(ref, SUPERVISOR_EXIT_KILLED);
	/* Dead, but it has its number still. */
	test_monitor_of(BOX, A, pidfd, SUPERVISOR_ALIAS_NONE, &ref);
	test_down(ref, SUPERVISOR_EXIT_NOPROC);
	actor_end(&self->a);
	ASSERT_EQ(-ESRCH, _test_monitor_of(BOX, pid, pidfd, 0, &ref));
	close(pidfd);
	test_nothing();
	test_used(0);
}

/* ---- mailboxes and supervisors ---- */

TEST_F(monitor, mailbox)
{
	struct supervisor_msg_down down;
	__u64 ref;
	int other;

	test_mailbox_create(self->dev, 0, &other);
	test_monitor_of(BOX, 0, other, SUPERVISOR_ALIAS_NONE, &ref);
	test_nothing();
	close(other);
	down = test_down(ref, SUPERVISOR_EXIT_NORMAL);
	ASSERT_EQ(SUPERVISOR_DOWN_OF_MAILBOX, down.what);
	ASSERT_EQ(0, down.head.pid);
	ASSERT_EQ(0, down.exit_seq);
	test_mailbox_create(self->dev, 0, &other);
	test_monitor_of(BOX, 0, other, SUPERVISOR_ALIAS_NONE, &ref);
	ASSERT_EQ(1, _test_demonitor(BOX, ref, 0));
	close(other);
	test_nothing();
}

/* Makes a mailbox, and dies when it is killed. */
static int owner_main(int dev, int socket)
{
	struct msghdr message = { };
	char control[CMSG_SPACE(sizeof(int))] __aligned(8) = {};
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct cmsghdr *header;
	int mailbox;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (_test_mailbox_create(dev, 0, &mailbox))
		return 1;
	message.msg_iov = &iov;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &mailbox, sizeof(int));
	if (sendmsg(socket, &message, 0) != 1)
		return 2;
	for (;;)
		pause();
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] __aligned(8) = {};
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 ||
	    !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

TEST_F(monitor, mailbox_whose_owner_dies)
{
	__u64 ref, late;
	int sockets[2];
	int other;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	pid = fork();
	if (!pid)
		_exit(owner_main(self->dev, sockets[1]));
	other = receive_fd(sockets[0]);
	ASSERT_LE(0, other);
	test_monitor_of(BOX, 0, other, SUPERVISOR_ALIAS_NONE, &ref);
	test_nothing();
	ASSERT_EQ(0, kill(pid, SIGTERM));
	ASSERT_EQ(SUPERVISOR_DOWN_OF_MAILBOX,
		  test_down(ref, SUPERVISOR_EXIT_CRASH).what);
	test_monitor_of(BOX, 0, other, SUPERVISOR_ALIAS_NONE, &late);
	test_down(late, SUPERVISOR_EXIT_NOPROC);
	waitpid(pid, NULL, 0);
	close(other);
	close(sockets[0]);
	close(sockets[1]);
}

/* An actor that alone has a mailbox, which is monitored: the monitor. */
#define test_keeper(actor_) \
	({ \
		__u64 ref_; \
		int kept_; \
		test_mailbox_create(self->dev, 0, &kept_); \
		test_actor(self->dev, (actor_)); \
		ASSERT_EQ(0, _test_order((actor_), ORDER_OWN, kept_, 0)); \
		test_monitor_of(BOX, 0, kept_, SUPERVISOR_ALIAS_NONE, &ref_); \
		close(kept_); \
		test_nothing(); \
		ref_; \
	})

TEST_F(monitor, mailbox_closed_by_its_dying_owner)
{
	struct actor owner;
	__u64 ref = test_keeper(&owner);

	ASSERT_EQ(0, _test_order(&owner, ORDER_EXIT, 3, 0));
	ASSERT_EQ(SUPERVISOR_DOWN_OF_MAILBOX,
		  test_down(ref, SUPERVISOR_EXIT_CRASH).what);
	test_nothing();
	actor_end(&owner);
}

TEST_F(monitor, mailbox_closed_by_its_owner)
{
	struct actor owner;
	__u64 ref = test_keeper(&owner);

	ASSERT_EQ(0, _test_order(&owner, ORDER_CLOSE_OWN, 0, 0));
	test_down(ref, SUPERVISOR_EXIT_NORMAL);
	actor_end(&owner);
	test_nothing();
}

/* In a thread with files of its own, which only it has open. */
struct holder {
	int mailbox;
	bool exits;
	volatile int step;
};

static void *hold(void *argument)
{
	struct holder *holder = argument;

	if (unshare(CLONE_FILES))
		_exit(1);
	holder->step = 1;
	while (holder->step != 2)
		sleep_ms(1);
	if (holder->exits)
		return NULL;
	for (;;)
		pause();
}

static void hold_in_thread(struct holder *holder)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (_test_mailbox_own(holder->mailbox) ||
	    pthread_create(&thread, NULL, hold, holder))
		_exit(1);
	while (holder->step != 1)
		sleep_ms(1);
	syscall(SYS_close_range, 3, ~0U, 0);
	holder->step = 2;
	for (;;)
		pause();
}

static pid_t holder_start(struct holder *holder)
{
	pid_t pid = fork();

	if (!pid)
		hold_in_thread(holder);
	if (!eventually(holder->step == 2))
		return -ETIMEDOUT;
	close(holder->mailbox);
	return pid;
}

TEST_F(monitor, mailbox_held_by_a_thread)
{
	struct holder *holder = shared_memory(sizeof(*holder));
	__u64 ref;
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		*holder = (struct holder){ .exits = i };
		test_mailbox_create(self->dev, 0, &holder->mailbox);
		test_monitor_of(BOX, 0, holder->mailbox, SUPERVISOR_ALIAS_NONE,
				&ref);
		pid = holder_start(holder);
		ASSERT_LT(0, pid);
		if (!holder->exits) {
			test_nothing();
			ASSERT_EQ(0, kill(pid, SIGKILL));
		}
		/* The thread's end is not the process's. */
		test_down(ref, holder->exits ? SUPERVISOR_EXIT_NORMAL :
					       SUPERVISOR_EXIT_KILLED);
		ASSERT_EQ(!!holder->exits, is_alive(pid));
		process_kill(pid);
	}
	munmap(holder, sizeof(*holder));
}

TEST_F(monitor, supervisor)
{
	struct supervisor_msg_down down;
	struct tree tree;
	__u64 early, ref, late;

	test_tree_open(&tree, CREATE());
	test_monitor_of(BOX, 0, tree.sup, SUPERVISOR_ALIAS_NONE, &early);
	test_child(tree.sup, "a", WAITS);
	test_start(tree.sup);
	test_monitor_of(BOX, 0, tree.sup, SUPERVISOR_ALIAS_NONE, &ref);
	test_nothing();
	test_stop(tree.sup);
	down = test_down(early, SUPERVISOR_EXIT_NORMAL);
	ASSERT_EQ(SUPERVISOR_DOWN_OF_SUPERVISOR, down.what);
	ASSERT_EQ(tree.id, down.head.supervisor);
	ASSERT_EQ(0, down.head.child);
	test_down(ref, SUPERVISOR_EXIT_NORMAL);
	test_monitor_of(BOX, 0, tree.sup, SUPERVISOR_ALIAS_NONE, &late);
	test_down(late, SUPERVISOR_EXIT_NOPROC);
	tree_close(&tree);
	test_nothing();
}

TEST_F(monitor, supervisor_that_gives_up)
{
	struct tree tree;
	__u64 ref;

	test_tree_open(&tree, CREATE(.intensity = 0));
	test_child(tree.sup, "a", WAITS);
	test_start(tree.sup);
	test_monitor_of(BOX, 0, tree.sup, SUPERVISOR_ALIAS_NONE, &ref);
	ASSERT_EQ(0, kill(child_pid(tree.sup, "a"), SIGKILL));
	test_down(ref, SUPERVISOR_EXIT_SHUTDOWN);
	tree_close(&tree);
}

TEST_F(monitor, supervisor_that_never_started)
{
	struct supervisor_create create = CREATE();
	__u64 ref;
	int sup;

	test_create(self->dev, &create, &sup);
	test_monitor_of(BOX, 0, sup, SUPERVISOR_ALIAS_NONE, &ref);
	close(sup);
	test_down(ref, SUPERVISOR_EXIT_NORMAL);
}

TEST_F(monitor, supervisor_that_starts_again)
{
	struct supervisor_create create = CREATE();
	struct tree tree;
	__u64 ref;
	int inner;

	test_tree_open(&tree, CREATE());
	test_create(tree.dev, &create, &inner);
	test_child(inner, "x", WAITS);
	test_supervisor_child(tree.sup, "inner", inner);
	test_start(tree.sup);
	test_monitor_of(BOX, 0, inner, SUPERVISOR_ALIAS_NONE, &ref);
	ASSERT_EQ(0, _test_terminate(tree.sup, "inner"));
	test_down(ref, SUPERVISOR_EXIT_SHUTDOWN);
	ASSERT_EQ(0, _test_restart(tree.sup, "inner"));
	test_monitor_of(BOX, 0, inner, SUPERVISOR_ALIAS_NONE, &ref);
	test_nothing();
	test_stop(tree.sup);
	test_down(ref, SUPERVISOR_EXIT_SHUTDOWN);
	close(inner);
	tree_close(&tree);
}

/* ---- supervised processes ---- */

TEST_F(monitor, child)
{
	struct supervisor_child_status status;
	struct supervisor_msg_down down;
	struct tree tree;
	__u64 ref;

	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a", WAITS);
	test_start(tree.sup);
	test_child_status(tree.sup, "a", &status);
	test_monitor(BOX, status.pid, &ref);
	ASSERT_EQ(0, kill(status.pid, SIGKILL));
	down = test_down(ref, SUPERVISOR_EXIT_KILLED);
	ASSERT_EQ(status.pid, down.head.pid);
	ASSERT_EQ(tree.id, down.head.supervisor);
	ASSERT_EQ(status.id, down.head.child);
	ASSERT_EQ(1, down.head.incarnation);
	ASSERT_TRUE(eventually(child_pid(tree.sup, "a") > 0 &&
			       child_pid(tree.sup, "a") != status.pid));
	test_monitor(BOX, child_pid(tree.sup, "a"), &ref);
	ASSERT_EQ(0, _test_terminate(tree.sup, "a"));
	/* Of the signal that its supervisor sent. */
	down = test_down(ref, SUPERVISOR_EXIT_SHUTDOWN);
	ASSERT_EQ(SIGTERM, down.status);
	ASSERT_EQ(2, down.head.incarnation);
	tree_close(&tree);
}

TEST_F(monitor, child_that_says_shutdown)
{
	struct tree tree;
	__u64 ref;

	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a", PROGRAM(.run = child_exit_when_told,
					  .argument = 0));
	test_start(tree.sup);
	test_monitor(BOX, child_pid(tree.sup, "a"), &ref);
	test_tell(tree.sup, "a");
	test_down(ref, SUPERVISOR_EXIT_NORMAL);
	tree_close(&tree);
}

/* ---- what is refused ---- */

TEST_F(monitor, invalid)
{
	struct supervisor_create create = CREATE();
	__u64 ref;
	int sup;

	test_create(self->dev, &create, &sup);
	ASSERT_EQ(-EINVAL, _test_monitor_of(BOX, -1, -1, 0, &ref));
	ASSERT_EQ(-EINVAL, _test_monitor_of(BOX, 0, -1, 0, &ref));
	ASSERT_EQ(-ESRCH, _test_monitor_of(BOX, A, sup, 0, &ref));
	ASSERT_EQ(-EINVAL, _test_monitor_of(BOX, -A, sup, 0, &ref));
	ASSERT_EQ(-EBADF, _test_monitor_of(BOX, 0, 9999, 0, &ref));
	ASSERT_EQ(-EBADF, _test_monitor_of(BOX, 0, -2, 0, &ref));
	ASSERT_EQ(-EBADFD, _test_monitor_of(BOX, 0, self->dev, 0, &ref));
	ASSERT_EQ(-EOPNOTSUPP, _test_monitor_of(BOX, A, -1,
						SUPERVISOR_ALIAS_REPLY, &ref));
	ASSERT_EQ(-EOPNOTSUPP, _test_monitor_of(BOX, A, -1, 5, &ref));
	ASSERT_EQ(-EOPNOTSUPP, _test_monitor_of(BOX, A, -1, ~0U, &ref));
	ASSERT_EQ(-ENOTTY, _test_monitor(sup, A, &ref));
	ASSERT_EQ(-EOPNOTSUPP, _test_demonitor(BOX, 1, FLUSH << 1));
	test_used(0);
	close(sup);
}

struct other {
	int mailbox;
	pid_t pid;
};

static int monitor_as_other(void *argument)
{
	struct other *other = argument;

	if (setresuid(USER, USER, USER))
		return -errno;
	return _test_monitor(other->mailbox, other->pid, NULL);
}

TEST_F(monitor, not_allowed)
{
	struct other other = { BOX, A };

	if (geteuid())
		SKIP(return, "needs root, to become another");
	ASSERT_EQ(-EPERM, in_process(monitor_as_other, &other));
	test_used(0);
	/* What is not there is nobody's. */
	other.pid = 0x7fffffff;
	ASSERT_EQ(0, in_process(monitor_as_other, &other));
}

#define PARAMETER "/sys/module/supervisor/parameters/max_user_refs"

TEST_F(monitor, limit)
{
	struct supervisor_monitor monitor =
		ARG(supervisor_monitor, .pid = A, .fd = -1);
	char before[32];
	__u64 ref;

	if (read_file(PARAMETER, before, sizeof(before)) < 0 ||
	    write_file(PARAMETER, "2"))
		SKIP(return, "needs root, to set limits");
	test_monitor(BOX, A, &ref);
	test_monitor(BOX, A, &ref);
	ASSERT_EQ(-EDQUOT, _test_ioctl(BOX, SUPERVISOR_MONITOR, &monitor));
	ASSERT_EQ(SUPERVISOR_LIMIT_REFS, monitor.out_limit);
	ASSERT_EQ(0, monitor.out_ref);
	ASSERT_EQ(1, _test_demonitor(BOX, ref, 0));
	ASSERT_EQ(0, _test_ioctl(BOX, SUPERVISOR_MONITOR, &monitor));
	ASSERT_EQ(0, write_file(PARAMETER, before));
}

/* ---- races ---- */

TEST_F(monitor, against_death)
{
	struct supervisor_msg_down down;
	unsigned int noproc = 0, seen = 0;
	unsigned int i, max = rounds(2000);
	__u64 ref;
	pid_t pid;

	for (i = 0; i < max; i++) {
		pid = fork();
		if (!pid)
			_exit(0);
		if (i % 3)
			usleep(i % 40 * 10);
		test_monitor(BOX, pid, &ref);
		ASSERT_EQ(SUPERVISOR_MSG_DOWN,
			  _test_recv_down(BOX, &down, after_ms(PATIENCE_MS)));
		ASSERT_EQ(ref, down.head.ref);
		if (down.reason == SUPERVISOR_EXIT_NOPROC)
			noproc++;
		else
			seen++;
		test_nothing();
		waitpid(pid, NULL, 0);
	}
	TH_LOG("%u dead before, %u after", noproc, seen);
	test_used(0);
}

TEST_F(monitor, demonitor_against_death)
{
	struct supervisor_msg_down down;
	unsigned int i, found = 0, max = rounds(2000);
	__u64 ref;
	pid_t pid;
	int was;

	for (i = 0; i < max; i++) {
		pid = fork();
		if (!pid) {
			usleep(i % 50 * 10);
			_exit(0);
		}
		test_monitor(BOX, pid, &ref);
		usleep(i % 60 * 10);
		was = _test_demonitor(BOX, ref, i & 1 ? FLUSH : 0);
		waitpid(pid, NULL, 0);
		found += was;
		if (!was && !(i & 1)) {
			ASSERT_EQ(SUPERVISOR_MSG_DOWN,
				  _test_recv_down(BOX, &down,
						  after_ms(PATIENCE_MS)));
			ASSERT_EQ(ref, down.head.ref);
		}
		test_nothing();
	}
	TH_LOG("%u of %u active", found, max);
	test_used(0);
}

TEST_F(monitor, close_against_death)
{
	unsigned int i, max = rounds(1000);
	int other;
	pid_t pid;

	for (i = 0; i < max; i++) {
		test_mailbox_create(self->dev, 4096, &other);
		pid = fork();
		if (!pid) {
			close(other);
			usleep(i % 20 * 10);
			_exit(0);
		}
		test_monitor(other, pid, NULL);
		test_monitor(other, pid, NULL);
		usleep(i % 30 * 10);
		close(other);
		waitpid(pid, NULL, 0);
	}
}

TEST_HARNESS_MAIN
