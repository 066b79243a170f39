// SPDX-License-Identifier: GPL-2.0
/*
 * Calls: every way in which one can end, for who calls and for who replies. The
 * test calls from threads and receives what it called with, as a process may do
 * that does not own the mailbox; the owner is a process that does nothing but
 * live until it is killed.
 */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

static char large[SUPERVISOR_PAYLOAD_MAX];
static struct message message;
static struct client client;
static struct client other_client;

FIXTURE(exchange)
{
	int dev;
	int mailbox;
	int replies;		/* where those of CALL_START go: the test's own */
	pid_t owner;		/* of @mailbox; 0 once it was killed */
	struct supervisor_info before;
};

FIXTURE_VARIANT(exchange)
{
	__u32 flags;
};

FIXTURE_VARIANT_ADD(exchange, plain)
{
};

FIXTURE_VARIANT_ADD(exchange, survive)
{
	.flags = SUPERVISOR_MAILBOX_F_SURVIVE,
};

FIXTURE_SETUP(exchange)
{
	unsigned int i;

	for (i = 0; i < sizeof(large); i++)
		large[i] = i * 7 + i / 251;
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_info(self->dev, &self->before);
	test_mailbox(self->dev, MAILBOX(.flags = variant->flags),
		     &self->mailbox);
	test_mailbox(self->dev, MAILBOX(), &self->replies);
	self->owner = test_new_owner(self->mailbox);
}

FIXTURE_TEARDOWN(exchange)
{
	if (self->owner)
		process_kill(self->owner);
	close(self->replies);
	close(self->mailbox);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define BOX (self->mailbox)
#define REPLIES (self->replies)
#define SURVIVES (variant->flags & SUPERVISOR_MAILBOX_F_SURVIVE)
#define NEVER SUPERVISOR_NO_DEADLINE

#define test_client(text_) \
	test_client_start(&client, BOX, (text_), NEVER)
#define test_started(text_) \
	({ \
		__u64 ref_; \
		test_call_start(BOX, (text_), strlen(text_), REPLIES, &ref_); \
		ref_; \
	})
#define kill_owner() \
	do { \
		process_kill(self->owner); \
		self->owner = 0; \
	} while (0)

static unsigned int taken(int mailbox)
{
	struct supervisor_mailbox_status status;

	return _test_mailbox_status(mailbox, &status) ? ~0U : status.out_taken;
}

static __u64 used_calls(int dev)
{
	struct supervisor_info info;

	return _test_info(dev, &info) ? ~0ULL :
		info.out_used[SUPERVISOR_LIMIT_CALLS];
}

/* ---- a call and its reply ---- */

TEST_F(exchange, round_trip)
{
	__u64 from;

	test_client("ping");
	test_takes(BOX, &message, SUPERVISOR_MSG_CALL, "ping");
	from = message.head->ref;
	ASSERT_NE(0, from);
	ASSERT_EQ(getpid(), message.head->pid);
	ASSERT_EQ(geteuid(), message.head->uid);
	ASSERT_EQ(0, message.head->supervisor);
	test_waiting(BOX, 0);
	ASSERT_EQ(1, taken(BOX));
	test_reply(BOX, from, "pong");
	test_client_gets(&client, "pong");
	ASSERT_EQ(0, taken(BOX));
	test_empty(BOX);
}

TEST_F(exchange, every_size)
{
	static const __u32 sizes[] = { 0, 1, 7, 8, 100, 4096, 65536 };
	struct supervisor_call_reply_recv recv;
	static char reply[SUPERVISOR_PAYLOAD_MAX];
	struct supervisor_mailbox_call call;
	struct supervisor_msg_data *data = (void *)message.buf;
	unsigned int i;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		/* A server, which echoes. */
		recv = ARG(supervisor_call_reply_recv);
		if (_test_mailbox_own(BOX))
			_exit(1);
		do {
			recv.buf = (uintptr_t)message.buf;
			recv.buf_len = sizeof(message.buf);
			recv.max = 1;
			recv.deadline = NEVER;
			if (_test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv))
				_exit(2);
			recv.from = data->head.ref;
			recv.reply = (uintptr_t)message.buf +
				     data->payload_offset;
			recv.reply_len = data->payload_len;
		} while (data->head.type == SUPERVISOR_MSG_CALL);
		_exit(0);
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		call = ARG(supervisor_mailbox_call, .buf = (uintptr_t)large,
			   .len = sizes[i], .reply = (uintptr_t)reply,
			   .reply_len = sizeof(reply), .deadline = NEVER);
		memset(reply, 0, sizeof(reply));
		test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call);
		ASSERT_EQ(sizes[i], call.reply_len);
		ASSERT_EQ(0, memcmp(large, reply, sizes[i]));
	}
	test_send(BOX, "end");
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

static void *reply_from_thread(void *argument)
{
	__u64 *from = argument;
	int mailbox = from[1];

	return (void *)(long)_test_reply(mailbox, from[0], "thread", 6);
}

TEST_F(exchange, reply_from_elsewhere)
{
	__u64 from[2] = { 0, BOX };
	pthread_t thread;
	void *result;
	int status;
	pid_t pid;

	test_client("1");
	from[0] = test_takes_call(BOX, "1");
	ASSERT_EQ(0, pthread_create(&thread, NULL, reply_from_thread, from));
	pthread_join(thread, &result);
	ASSERT_EQ(NULL, result);
	test_client_gets(&client, "thread");

	/* From a process that the server forked, and its mailbox's file. */
	test_client("2");
	from[0] = test_takes_call(BOX, "2");
	pid = fork();
	if (!pid)
		_exit(-_test_reply(BOX, from[0], "process", 7));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	test_client_gets(&client, "process");
}

/* Later, and in another order than they came in. */
TEST_F(exchange, replies_in_any_order)
{
	__u64 first, second;

	test_client("first");
	first = test_takes_call(BOX, "first");
	test_client_start(&other_client, BOX, "second", NEVER);
	second = test_takes_call(BOX, "second");
	ASSERT_NE(first, second);
	ASSERT_EQ(2, taken(BOX));
	test_reply(BOX, second, "to second");
	test_client_gets(&other_client, "to second");
	test_reply(BOX, first, "to first");
	test_client_gets(&client, "to first");
}

TEST_F(exchange, exactly_one_reply)
{
	__u64 from;

	test_client("x");
	from = test_takes_call(BOX, "x");
	test_reply(BOX, from, "one");
	test_no_reply(EALREADY, BOX, from);
	test_client_gets(&client, "one");
	test_no_reply(EALREADY, BOX, from);
}

TEST_F(exchange, forged_from)
{
	__u64 from, untaken;
	int other, i;

	test_client("x");
	from = test_takes_call(BOX, "x");
	/* There is one that nobody has received, whatever its number. */
	untaken = test_started("untaken");
	test_waiting(BOX, 1);
	for (i = -64; i <= 64; i++)
		if (i)
			test_no_reply(ENOENT, BOX, from + i);
	for (i = 0; i < 64; i++)
		test_no_reply(ENOENT, BOX, from ^ 1ULL << i);
	test_no_reply(ENOENT, BOX, 0);
	test_no_reply(ENOENT, BOX, untaken);
	test_mailbox(self->dev, MAILBOX(), &other);
	test_no_reply(ENOENT, other, from);
	test_no_reply(ENOENT, REPLIES, from);
	close(other);
	test_reply(BOX, from, "right");
	test_client_gets(&client, "right");
	test_reply(BOX, test_takes_call(BOX, "untaken"), "too");
	test_takes_reply(REPLIES, untaken, 0, "too");
}

/* The REPLY's own number is none that a reply could name. */
TEST_F(exchange, casts_cannot_be_answered)
{
	test_send(BOX, "cast");
	test_takes(BOX, &message, SUPERVISOR_MSG_CAST, "cast");
	ASSERT_EQ(0, message.head->ref);
	test_no_reply(ENOENT, BOX, message.head->ref);
}

TEST_F(exchange, bad_replies)
{
	struct supervisor_call_reply reply =
		ARG(supervisor_call_reply, .buf = (uintptr_t)large,
		    .len = SUPERVISOR_PAYLOAD_MAX + 1);
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = 8, .len = 8,
		    .deadline = NEVER);
	__u64 from;

	ASSERT_EQ(-EFAULT, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	call.buf = (uintptr_t)large;
	call.len = SUPERVISOR_PAYLOAD_MAX + 1;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	ASSERT_EQ(SUPERVISOR_PAYLOAD_MAX, call.out_max);
	test_waiting(BOX, 0);

	/* None of these is one: it is still awaited. */
	test_client("x");
	from = test_takes_call(BOX, "x");
	reply.from = from;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY, &reply));
	reply.len = ~0U;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY, &reply));
	reply.len = 8;
	reply.buf = 8;
	ASSERT_EQ(-EFAULT, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY, &reply));
	reply.len = SUPERVISOR_PAYLOAD_MAX;
	ASSERT_EQ(-EFAULT, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY, &reply));
	ASSERT_EQ(1, taken(BOX));
	test_reply(BOX, from, "good");
	test_client_gets(&client, "good");
}

/* A mailbox's bound is of requests, not of replies. */
TEST_F(exchange, reply_longer_than_a_request_may_be)
{
	int mailbox;
	__u64 ref;

	test_mailbox(self->dev, MAILBOX(.max_payload = 8, .max_bytes = 8),
		     &mailbox);
	test_call_start(mailbox, "request", 7, REPLIES, &ref);
	ASSERT_EQ(0, _test_reply(mailbox, test_takes_call(mailbox, "request"),
				 large, sizeof(large)));
	ASSERT_EQ(0, _test_take(REPLIES, &message, 0));
	ASSERT_EQ(sizeof(large), message.len);
	ASSERT_EQ(0, memcmp(large, message.payload, sizeof(large)));
	close(mailbox);
}

TEST_F(exchange, reply_too_large_for_its_buffer)
{
	struct supervisor_mailbox_call *call = &client.call;
	static char reply[5000];
	__u64 from, id;

	test_client("x");
	from = test_takes_call(BOX, "x");
	ASSERT_EQ(0, _test_reply(BOX, from, large, sizeof(reply)));
	ASSERT_EQ(-EMSGSIZE, client_end(&client));
	ASSERT_EQ(sizeof(reply), call->reply_len);
	ASSERT_NE(0, call->call);
	/* It is kept at the caller's cost. */
	ASSERT_EQ(1, used_calls(self->dev));
	/* To its replier it is answered, and its receiver has not lost it. */
	test_no_reply(EALREADY, BOX, from);
	call->reply = (uintptr_t)reply;
	call->reply_len = sizeof(reply) - 1;
	call->deadline = 1;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, call));
	ASSERT_EQ(sizeof(reply), call->reply_len);
	ASSERT_NE(0, call->call);
	id = call->call;
	test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, call);
	ASSERT_EQ(sizeof(reply), call->reply_len);
	ASSERT_EQ(0, memcmp(large, reply, sizeof(reply)));
	ASSERT_EQ(0, used_calls(self->dev));
	/* Once. */
	call->call = id;
	ASSERT_EQ(-ESTALE, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, call));
	test_empty(BOX);
}

/* Where the reply's buffer is not the caller's: that is not the replier's doing. */
TEST_F(exchange, reply_to_a_bad_pointer)
{
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)"x", .len = 1,
		    .reply = 8, .reply_len = 100, .deadline = NEVER);
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(-_test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	test_reply(BOX, test_takes_call(BOX, "x"), "reply");
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(EFAULT, WEXITSTATUS(status));
}

TEST_F(exchange, call_of_another_file)
{
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)"x", .len = 1,
		    .deadline = NEVER, .call = 12345);

	ASSERT_EQ(-ESTALE, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	call.call = ~0ULL;
	ASSERT_EQ(-ESTALE, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	test_waiting(BOX, 0);
}

/* ---- ends without a reply ---- */

TEST_F(exchange, deadline_of_a_taken_call)
{
	__u64 from, before = now_ns();

	test_client_start(&client, BOX, "x", after_ms(1000));
	from = test_takes_call(BOX, "x");
	ASSERT_EQ(-ETIMEDOUT, client_end(&client));
	ASSERT_LE(before + 1000000000, now_ns());
	test_no_reply(ESTALE, BOX, from);
	test_no_reply(ESTALE, BOX, from);
	ASSERT_EQ(0, taken(BOX));
}

TEST_F(exchange, deadline_of_an_untaken_call)
{
	test_client_start(&client, BOX, "never seen", after_ms(60));
	ASSERT_EQ(-ETIMEDOUT, client_end(&client));
	test_waiting(BOX, 0);
	test_empty(BOX);
	test_send(BOX, "a");
	test_client_start(&client, BOX, "never seen", after_ms(1000));
	ASSERT_TRUE(eventually(messages_are(BOX, 2)));
	test_send(BOX, "b");
	ASSERT_EQ(-ETIMEDOUT, client_end(&client));
	test_waiting(BOX, 2);
	test_takes_cast(BOX, "a");
	test_takes_cast(BOX, "b");
	test_empty(BOX);
}

TEST_F(exchange, deadline_in_the_past)
{
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)"x", .len = 1);

	ASSERT_EQ(-EAGAIN, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	call.call = 0;
	call.deadline = 1;
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	test_waiting(BOX, 0);
	test_empty(BOX);
}

TEST_F(exchange, full_mailbox)
{
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)"x", .len = 1);
	struct supervisor_call_start start =
		ARG(supervisor_call_start, .buf = (uintptr_t)"x", .len = 1,
		    .mailbox_fd = REPLIES);
	int mailbox;
	pid_t owner;

	test_mailbox(self->dev, MAILBOX(.max_messages = 1, .max_payload = 8,
					.max_bytes = 8), &mailbox);
	owner = test_new_owner(mailbox);
	test_send(mailbox, "full");
	ASSERT_EQ(-EAGAIN, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_CALL,
				       &call));
	ASSERT_EQ(SUPERVISOR_LIMIT_MAILBOX_MESSAGES, call.out_limit);
	call.call = 0;
	call.deadline = after_ms(30);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_CALL,
					  &call));
	ASSERT_EQ(SUPERVISOR_LIMIT_MAILBOX_MESSAGES, call.out_limit);
	ASSERT_EQ(-EAGAIN, _test_ioctl(mailbox, SUPERVISOR_CALL_START, &start));
	ASSERT_EQ(SUPERVISOR_LIMIT_MAILBOX_MESSAGES, start.out_limit);
	start.deadline = after_ms(30);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(mailbox, SUPERVISOR_CALL_START,
					  &start));
	start.len = 9;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(mailbox, SUPERVISOR_CALL_START,
					 &start));
	ASSERT_EQ(8, start.out_max);
	ASSERT_EQ(0, used_calls(self->dev));

	/* Room for the request, then the reply: one deadline for both. */
	test_client_start(&client, mailbox, "late", NEVER);
	sleep_ms(30);
	test_takes_cast(mailbox, "full");
	test_reply(mailbox, test_takes_call(mailbox, "late"), "ok");
	test_client_gets(&client, "ok");

	/* One that waits for room hears of the owner's death, too. */
	test_send(mailbox, "full");
	test_client_start(&client, mailbox, "late", NEVER);
	sleep_ms(30);
	process_kill(owner);
	ASSERT_EQ(-ESHUTDOWN, client_end(&client));
	close(mailbox);
}

/* Taken calls do not count: a server may have as many in hand as it likes. */
TEST_F(exchange, taken_calls_make_room)
{
	__u64 refs[20], from[20];
	int mailbox, i;

	test_mailbox(self->dev, MAILBOX(.max_messages = 1), &mailbox);
	for (i = 0; i < 20; i++) {
		test_call_start(mailbox, "x", 1, REPLIES, &refs[i]);
		from[i] = test_takes_call(mailbox, "x");
	}
	ASSERT_EQ(20, taken(mailbox));
	for (i = 19; i >= 0; i--)
		test_reply(mailbox, from[i], "y");
	for (i = 19; i >= 0; i--)
		test_takes_reply(REPLIES, refs[i], 0, "y");
	close(mailbox);
}

TEST_F(exchange, owner_dies_with_a_taken_call)
{
	__u64 from;

	test_client("x");
	from = test_takes_call(BOX, "x");
	kill_owner();
	ASSERT_EQ(-EOWNERDEAD, client_end(&client));
	test_no_reply(ESTALE, BOX, from);
	ASSERT_EQ(0, taken(BOX));
}

TEST_F(exchange, owner_dies_with_an_untaken_call)
{
	test_client("x");
	ASSERT_TRUE(eventually(messages_are(BOX, 1)));
	kill_owner();
	if (!SURVIVES) {
		ASSERT_EQ(-EOWNERDEAD, client_end(&client));
		test_empty(BOX);
		test_waiting(BOX, 0);
		return;
	}
	sleep_ms(30);
	ASSERT_EQ(1, client.err);
	test_waiting(BOX, 1);
	self->owner = test_new_owner(BOX);
	test_reply(BOX, test_takes_call(BOX, "x"), "from the next");
	test_client_gets(&client, "from the next");
}

/* It ends by exit as by a signal. */
TEST_F(exchange, owner_exits)
{
	/* Not as soon as it counts as taken: it has yet to be delivered then. */
	volatile bool *received = shared_memory(sizeof(*received));
	pid_t owner;
	__u64 from;

	ASSERT_NE(NULL, received);
	owner = fork();
	if (!owner) {
		if (_test_mailbox_own(BOX))
			_exit(1);
		if (!eventually(*received))
			_exit(2);
		_exit(0);
	}
	ASSERT_TRUE(eventually(({
		struct supervisor_mailbox_status status;

		!_test_mailbox_status(BOX, &status) &&
		status.out_owner_pid == owner;
	})));
	test_client("x");
	from = test_takes_call(BOX, "x");
	*received = true;
	ASSERT_EQ(-EOWNERDEAD, client_end(&client));
	test_no_reply(ESTALE, BOX, from);
	ASSERT_EQ(owner, waitpid(owner, NULL, 0));
}

TEST_F(exchange, nobody_serves)
{
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)"x", .len = 1,
		    .deadline = after_ms(60));
	__u64 ref = 0;

	kill_owner();
	if (SURVIVES) {
		ASSERT_EQ(-ETIMEDOUT, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL,
						  &call));
		test_waiting(BOX, 0);
		ref = test_started("waits");
		self->owner = test_new_owner(BOX);
		test_reply(BOX, test_takes_call(BOX, "waits"), "served");
		test_takes_reply(REPLIES, ref, 0, "served");
		return;
	}
	ASSERT_EQ(-ESHUTDOWN, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	ASSERT_EQ(-ESHUTDOWN, _test_call_start(BOX, "x", 1, REPLIES, &ref));
	ASSERT_EQ(0, used_calls(self->dev));
	test_empty(REPLIES);
}

/* A caller has a file of the mailbox: only the other kind sees the last close. */
TEST_F(exchange, last_close)
{
	__u64 first, second;
	int mailbox;

	test_mailbox(self->dev, MAILBOX(.flags = variant->flags), &mailbox);
	test_call_start(mailbox, "taken", 5, REPLIES, &first);
	test_takes_call(mailbox, "taken");
	test_call_start(mailbox, "untaken", 7, REPLIES, &second);
	test_empty(REPLIES);
	close(mailbox);
	/* In any order. */
	ASSERT_EQ(0, _test_take_ref(REPLIES, second, &message,
				    after_ms(PATIENCE_MS)));
	ASSERT_EQ(SUPERVISOR_MSG_REPLY, message.head->type);
	ASSERT_EQ(EOWNERDEAD, message.error);
	ASSERT_EQ(0, message.len);
	test_takes_reply(REPLIES, first, EOWNERDEAD, "");
}

TEST_F(exchange, helpers_death_is_invisible)
{
	int pipes[2];
	__u64 from;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipes));
	test_client("x");
	pid = fork();
	if (!pid) {
		/* Has it in hand, tells its number, and dies. */
		if (_test_take(BOX, &message, after_ms(PATIENCE_MS)) ||
		    write(pipes[1], &message.head->ref, 8) != 8)
			_exit(1);
		raise(SIGKILL);
	}
	ASSERT_EQ(8, read(pipes[0], &from, 8));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	sleep_ms(30);
	ASSERT_EQ(1, client.err);
	ASSERT_EQ(1, taken(BOX));
	test_reply(BOX, from, "from another");
	test_client_gets(&client, "from another");
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(exchange, call_to_oneself)
{
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)"x", .len = 1,
		    .deadline = NEVER);
	__u64 ref;

	test_mailbox_own(BOX);
	ASSERT_EQ(-EDEADLK, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &call));
	/* From another thread of it, too. */
	test_client("x");
	ASSERT_EQ(-EDEADLK, client_end(&client));
	test_waiting(BOX, 0);
	/* One that does not wait may. */
	ref = test_started("to myself");
	test_reply(BOX, test_takes_call(BOX, "to myself"), "from myself");
	test_takes_reply(REPLIES, ref, 0, "from myself");
	/* Into the very mailbox that it goes to. */
	test_call_start(BOX, "x", 1, BOX, &ref);
	test_reply(BOX, test_takes_call(BOX, "x"), "y");
	test_takes_reply(BOX, ref, 0, "y");
}

/* ---- a caller that is interrupted, stopped or killed ---- */

static void nop(int unused)
{
}

static void catch_without_restart(void)
{
	struct sigaction action = { .sa_handler = nop };

	sigaction(SIGUSR1, &action, NULL);
}

static bool is_asleep(const struct client *of)
{
	char path[64], text[512];
	const char *after;

	if (!of->tid)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", of->tid);
	if (read_file(path, text, sizeof(text)) < 0)
		return false;
	after = strrchr(text, ')');
	return after && after[2] == 'S';
}

#define interrupt(client_) \
	do { \
		unsigned int before_ = (client_)->interrupted; \
		ASSERT_TRUE(eventually(is_asleep(client_))); \
		ASSERT_EQ(0, pthread_kill((client_)->thread, SIGUSR1)); \
		ASSERT_TRUE(eventually(__atomic_load_n( \
			&(client_)->interrupted, __ATOMIC_RELAXED) > before_)); \
	} while (0)

TEST_F(exchange, interrupted_goes_on)
{
	__u64 from;
	int i;

	catch_without_restart();
	test_client("once");
	ASSERT_TRUE(eventually(messages_are(BOX, 1)));
	for (i = 0; i < 5; i++)
		interrupt(&client);
	from = test_takes_call(BOX, "once");
	for (i = 0; i < 5; i++)
		interrupt(&client);
	test_empty(BOX);
	ASSERT_EQ(1, taken(BOX));
	test_reply(BOX, from, "once");
	test_client_gets(&client, "once");
	test_empty(BOX);
	test_no_reply(EALREADY, BOX, from);
}

/* What happens while it runs its handler is not lost. */
TEST_F(exchange, interrupted_finds_its_reply)
{
	__u64 from;

	catch_without_restart();
	client.once = true;
	test_client("x");
	from = test_takes_call(BOX, "x");
	interrupt(&client);
	ASSERT_EQ(-EINTR, client_end(&client));
	ASSERT_NE(0, client.call.call);
	test_reply(BOX, from, "kept");
	test_no_reply(EALREADY, BOX, from);
	client.call.reply_len = sizeof(client.reply);
	test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL, &client.call);
	ASSERT_EQ(4, client.call.reply_len);
	ASSERT_EQ(0, memcmp("kept", client.reply, 4));
	client.once = false;
}

TEST_F(exchange, interrupted_hears_of_the_owners_death)
{
	catch_without_restart();
	client.once = true;
	test_client("x");
	test_takes_call(BOX, "x");
	interrupt(&client);
	ASSERT_EQ(-EINTR, client_end(&client));
	kill_owner();
	ASSERT_EQ(-EOWNERDEAD, _test_ioctl(BOX, SUPERVISOR_MAILBOX_CALL,
					   &client.call));
	client.once = false;
}

TEST_F(exchange, interrupted_keeps_its_deadline)
{
	__u64 from, before = now_ns();

	catch_without_restart();
	test_client_start(&client, BOX, "x", after_ms(1000));
	from = test_takes_call(BOX, "x");
	interrupt(&client);
	ASSERT_EQ(-ETIMEDOUT, client_end(&client));
	ASSERT_LE(before + 1000000000, now_ns());
	test_no_reply(ESTALE, BOX, from);
}

/* While it waits for room there is no call yet, and then there is one. */
TEST_F(exchange, interrupted_before_there_is_room)
{
	int mailbox;
	pid_t owner;

	catch_without_restart();
	test_mailbox(self->dev, MAILBOX(.max_messages = 1), &mailbox);
	owner = test_new_owner(mailbox);
	test_send(mailbox, "full");
	test_client_start(&client, mailbox, "x", NEVER);
	interrupt(&client);
	interrupt(&client);
	test_takes_cast(mailbox, "full");
	test_reply(mailbox, test_takes_call(mailbox, "x"), "ok");
	test_client_gets(&client, "ok");
	test_empty(mailbox);
	process_kill(owner);
	close(mailbox);
}

/* Its file goes, and with it what it waited for. */
/* By its number, through its file, which need not be readable; once. */
TEST_F(exchange, interrupted_and_cancelled)
{
	char name[32];
	int mailbox, writer, other;
	__u64 from, call;

	catch_without_restart();
	snprintf(name, sizeof(name), "/exchange.%d", getpid());
	test_mailbox(self->dev, NAMED_MAILBOX(name), &mailbox);
	process_kill(self->owner);
	self->owner = test_new_owner(mailbox);
	test_open_mailbox(self->dev, name, O_WRONLY, &writer);
	test_open_mailbox(self->dev, name, O_WRONLY, &other);
	client.once = true;
	test_client_start(&client, writer, "taken", NEVER);
	from = test_takes_call(mailbox, "taken");
	interrupt(&client);
	ASSERT_EQ(-EINTR, client_end(&client));
	call = client.call.call;
	ASSERT_NE(0, call);
	ASSERT_EQ(0, _test_call_cancel(mailbox, call, 0));
	ASSERT_EQ(-EBADF, _test_call_cancel(other, call, 0));
	ASSERT_EQ(1, taken(mailbox));
	ASSERT_EQ(1, used_calls(self->dev));
	ASSERT_EQ(1, _test_call_cancel(writer, call, 0));
	ASSERT_EQ(0, taken(mailbox));
	ASSERT_EQ(0, used_calls(self->dev));
	test_no_reply(ESTALE, mailbox, from);
	ASSERT_EQ(-EBADF, _test_call_cancel(writer, call, 0));
	ASSERT_EQ(-ESTALE, _test_ioctl(writer, SUPERVISOR_MAILBOX_CALL,
				       &client.call));

	/* What was answered is no longer active, and goes too. */
	test_client_start(&client, writer, "answered", NEVER);
	from = test_takes_call(mailbox, "answered");
	interrupt(&client);
	ASSERT_EQ(-EINTR, client_end(&client));
	test_reply(mailbox, from, "unread");
	ASSERT_EQ(1, used_calls(self->dev));
	ASSERT_EQ(0, _test_call_cancel(writer, client.call.call,
				       SUPERVISOR_REF_F_FLUSH));
	ASSERT_EQ(0, used_calls(self->dev));
	client.once = false;
	close(other);
	close(writer);
	close(mailbox);
}

TEST_F(exchange, interrupted_and_closed)
{
	char name[32];
	int mailbox, writer;
	__u64 from;

	catch_without_restart();
	snprintf(name, sizeof(name), "/exchange.%d", getpid());
	test_mailbox(self->dev, NAMED_MAILBOX(name), &mailbox);
	process_kill(self->owner);
	self->owner = test_new_owner(mailbox);
	test_open_mailbox(self->dev, name, O_WRONLY, &writer);
	client.once = true;
	test_client_start(&client, writer, "taken", NEVER);
	from = test_takes_call(mailbox, "taken");
	interrupt(&client);
	ASSERT_EQ(-EINTR, client_end(&client));
	/* It is of that file, and of no other. */
	ASSERT_EQ(-ESTALE, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_CALL,
				       &client.call));
	test_client_start(&client, writer, "untaken", NEVER);
	ASSERT_TRUE(eventually(messages_are(mailbox, 1)));
	interrupt(&client);
	ASSERT_EQ(-EINTR, client_end(&client));
	ASSERT_EQ(1, taken(mailbox));
	close(writer);
	test_no_reply(ESTALE, mailbox, from);
	test_empty(mailbox);
	ASSERT_EQ(0, taken(mailbox));
	client.once = false;
	close(mailbox);
}

/* A process that calls: 0 and the reply's first byte, or the errno. */
static int call_once(int mailbox)
{
	char reply[8] = "";
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)"process",
		    .len = 7, .reply = (uintptr_t)reply,
		    .reply_len = sizeof(reply), .deadline = NEVER);
	int err = _test_ioctl(mailbox, SUPERVISOR_MAILBOX_CALL, &call);

	return err ? -err : reply[0] == 'r' ? 0 : EPROTO;
}

TEST_F(exchange, stopped_and_continued)
{
	int status, i;
	__u64 from;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(call_once(BOX));
	ASSERT_TRUE(eventually(messages_are(BOX, 1)));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_TRUE(process_becomes(pid, "T"));
		ASSERT_EQ(0, kill(pid, SIGCONT));
		ASSERT_TRUE(process_becomes(pid, "S"));
	}
	from = test_takes_call(BOX, "process");
	ASSERT_EQ(pid, test_taken.head->pid);
	/* The reply comes while it is stopped. */
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_TRUE(process_becomes(pid, "T"));
	test_empty(BOX);
	test_reply(BOX, from, "reply");
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	test_empty(BOX);
}

/* With SA_RESTART the kernel makes it again by itself, or it is told EINTR. */
TEST_F(exchange, restarted)
{
	struct sigaction action = {
		.sa_handler = nop, .sa_flags = SA_RESTART,
	};
	__u64 from;
	int i;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	test_client("once");
	from = test_takes_call(BOX, "once");
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(eventually(is_asleep(&client)));
		ASSERT_EQ(0, pthread_kill(client.thread, SIGUSR1));
		sleep_ms(5);
	}
	test_empty(BOX);
	test_reply(BOX, from, "once");
	test_client_gets(&client, "once");
	test_empty(BOX);
}

TEST_F(exchange, caller_is_killed)
{
	__u64 from;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(call_once(BOX));
	ASSERT_TRUE(eventually(messages_are(BOX, 1)));
	process_kill(pid);
	/* Nobody had it: it is taken back. */
	test_waiting(BOX, 0);
	test_empty(BOX);

	pid = fork();
	if (!pid)
		_exit(call_once(BOX));
	from = test_takes_call(BOX, "process");
	process_kill(pid);
	test_no_reply(ESTALE, BOX, from);
	ASSERT_EQ(0, taken(BOX));
}

/* ---- a server's loop ---- */

#define REPLY_RECV(from_, text_, ...) \
	ARG(supervisor_call_reply_recv, .from = (from_), \
	    .reply = (uintptr_t)(text_), .reply_len = strlen(text_), \
	    .buf = (uintptr_t)message.buf, .buf_len = sizeof(message.buf), \
	    .max = 1, .out_reply_error = 77, ##__VA_ARGS__)

TEST_F(exchange, reply_and_receive)
{
	struct supervisor_msg_data *data = (void *)message.buf;
	struct supervisor_call_reply_recv recv = REPLY_RECV(0, "");
	__u64 from;

	/* Nothing to reply to: only a receive. */
	test_client("first");
	recv.deadline = NEVER;
	test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv);
	ASSERT_EQ(1, recv.out_count);
	ASSERT_EQ(0, recv.out_reply_error);
	ASSERT_EQ(0, recv.from);
	ASSERT_EQ(SUPERVISOR_MSG_CALL, data->head.type);
	ASSERT_EQ(data->head.size, recv.buf_len);
	from = data->head.ref;

	test_send(BOX, "next");
	recv = REPLY_RECV(from, "to first", .deadline = NEVER);
	test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv);
	test_client_gets(&client, "to first");
	ASSERT_EQ(0, recv.from);
	ASSERT_EQ(0, recv.out_reply_error);
	ASSERT_EQ(SUPERVISOR_MSG_CAST, data->head.type);

	/* Replied, though nothing is there to be received. */
	test_client("second");
	from = test_takes_call(BOX, "second");
	recv = REPLY_RECV(from, "to second");
	ASSERT_EQ(-EAGAIN, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv));
	ASSERT_EQ(0, recv.from);
	ASSERT_EQ(0, recv.out_reply_error);
	test_client_gets(&client, "to second");

	test_client("third");
	from = test_takes_call(BOX, "third");
	recv = REPLY_RECV(from, "to third", .deadline = after_ms(30));
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV,
					  &recv));
	ASSERT_EQ(0, recv.from);
	test_client_gets(&client, "to third");
}

TEST_F(exchange, reply_that_fails_still_receives)
{
	struct supervisor_msg_data *data = (void *)message.buf;
	struct supervisor_call_reply_recv recv;
	__u64 stale, answered;

	test_client_start(&client, BOX, "x", after_ms(1000));
	stale = test_takes_call(BOX, "x");
	ASSERT_EQ(-ETIMEDOUT, client_end(&client));
	test_client("x");
	answered = test_takes_call(BOX, "x");
	test_reply(BOX, answered, "y");
	test_client_gets(&client, "y");

	test_send(BOX, "1");
	recv = REPLY_RECV(stale, "late");
	test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv);
	ASSERT_EQ(ESTALE, recv.out_reply_error);
	ASSERT_EQ(0, recv.from);
	ASSERT_EQ(1, recv.out_count);
	ASSERT_EQ('1', message.buf[data->payload_offset]);
	test_send(BOX, "2");
	recv = REPLY_RECV(answered, "late");
	test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv);
	ASSERT_EQ(EALREADY, recv.out_reply_error);
	ASSERT_EQ(0, recv.from);
	test_send(BOX, "3");
	recv = REPLY_RECV(12345, "forged");
	test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv);
	ASSERT_EQ(ENOENT, recv.out_reply_error);
	ASSERT_EQ(0, recv.from);
	ASSERT_EQ('3', message.buf[data->payload_offset]);
	/* Both. */
	recv = REPLY_RECV(stale, "late");
	ASSERT_EQ(-EAGAIN, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv));
	ASSERT_EQ(ESTALE, recv.out_reply_error);
	ASSERT_EQ(0, recv.from);
}

TEST_F(exchange, bad_reply_does_not_receive)
{
	struct supervisor_call_reply_recv recv;
	__u64 from;

	test_client("x");
	from = test_takes_call(BOX, "x");
	test_send(BOX, "stays");
	recv = REPLY_RECV(from, "12345678", .reply = 8);
	ASSERT_EQ(-EFAULT, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv));
	ASSERT_EQ(from, recv.from);
	recv = REPLY_RECV(from, "", .reply = (uintptr_t)large,
			  .reply_len = SUPERVISOR_PAYLOAD_MAX + 1);
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV,
					 &recv));
	ASSERT_EQ(from, recv.from);
	test_waiting(BOX, 1);
	ASSERT_EQ(1, taken(BOX));

	/* A bad or short buffer, once the reply has gone. */
	recv = REPLY_RECV(from, "good", .buf_len = 8);
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV,
					 &recv));
	ASSERT_EQ(0, recv.from);
	ASSERT_LT(8, recv.buf_len);
	test_client_gets(&client, "good");
	test_client("x");
	test_takes_cast(BOX, "stays");
	from = test_takes_call(BOX, "x");
	test_send(BOX, "stays");
	recv = REPLY_RECV(from, "good", .buf = 8);
	ASSERT_EQ(-EFAULT, _test_ioctl(BOX, SUPERVISOR_CALL_REPLY_RECV, &recv));
	ASSERT_EQ(0, recv.from);
	test_client_gets(&client, "good");
	test_takes_cast(BOX, "stays");
}

struct server {
	int mailbox;
	struct supervisor_call_reply_recv recv;
	volatile int err;
	volatile bool interrupted;
	pthread_t thread;
};

static void *reply_and_wait(void *argument)
{
	struct server *server = argument;

	do {
		server->err = _test_ioctl(server->mailbox,
					  SUPERVISOR_CALL_REPLY_RECV,
					  &server->recv);
		server->interrupted |= server->err == -EINTR;
	} while (server->err == -EINTR);
	return NULL;
}

/* After EINTR @from is 0: the reply does not go out twice. */
TEST_F(exchange, reply_and_receive_interrupted)
{
	static struct server server;
	__u64 from;

	catch_without_restart();
	test_client("x");
	from = test_takes_call(BOX, "x");
	server.mailbox = BOX;
	server.recv = REPLY_RECV(from, "y", .deadline = NEVER);
	ASSERT_EQ(0, pthread_create(&server.thread, NULL, reply_and_wait,
				    &server));
	test_client_gets(&client, "y");
	do {
		pthread_kill(server.thread, SIGUSR1);
		sleep_ms(5);
	} while (!server.interrupted);
	test_send(BOX, "next");
	pthread_join(server.thread, NULL);
	ASSERT_EQ(0, server.err);
	ASSERT_EQ(0, server.recv.out_reply_error);
	ASSERT_EQ(0, server.recv.from);
	ASSERT_EQ(1, server.recv.out_count);
}

/* Who comes back after EINTR, or is sent back, is told that nobody awaited it. */
TEST_F(exchange, refused_reply_interrupted)
{
	static struct server server;
	__u64 from;

	catch_without_restart();
	test_client("x");
	from = test_takes_call(BOX, "x");
	test_reply(BOX, from, "y");
	test_client_gets(&client, "y");
	memset(&server, 0, sizeof(server));
	server.mailbox = BOX;
	server.recv = REPLY_RECV(from, "again", .deadline = NEVER);
	ASSERT_EQ(0, pthread_create(&server.thread, NULL, reply_and_wait,
				    &server));
	do {
		pthread_kill(server.thread, SIGUSR1);
		sleep_ms(5);
	} while (!server.interrupted);
	test_send(BOX, "next");
	pthread_join(server.thread, NULL);
	ASSERT_EQ(0, server.err);
	ASSERT_EQ(EALREADY, server.recv.out_reply_error);
	ASSERT_EQ(0, server.recv.from);
	ASSERT_EQ(1, server.recv.out_count);
}

/* ---- calls that do not wait ---- */

TEST_F(exchange, started_call)
{
	__u64 first, second;
	int pipes[2];
	char go;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipes));
	first = test_started("first");
	second = test_started("second");
	ASSERT_NE(first, second);
	ASSERT_EQ(2, used_calls(self->dev));
	pid = fork();
	if (!pid) {
		if (_test_take(BOX, &message, after_ms(PATIENCE_MS)) ||
		    _test_reply(BOX, message.head->ref, "from a process", 14) ||
		    read(pipes[0], &go, 1) != 1)
			_exit(1);
		_exit(0);
	}
	test_takes(REPLIES, &message, SUPERVISOR_MSG_REPLY, "from a process");
	ASSERT_EQ(first, message.head->ref);
	ASSERT_EQ(0, message.error);
	ASSERT_EQ(pid, message.head->pid);
	ASSERT_EQ(geteuid(), message.head->uid);
	ASSERT_EQ(1, used_calls(self->dev));
	ASSERT_EQ(1, write(pipes[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));

	test_reply(BOX, test_takes_call(BOX, "second"), "");
	ASSERT_EQ(1, used_calls(self->dev));
	test_takes_reply(REPLIES, second, 0, "");
	ASSERT_EQ(0, used_calls(self->dev));
	test_empty(REPLIES);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(exchange, started_call_needs_a_mailbox)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	__u64 ref;

	ASSERT_EQ(-EBADF, _test_call_start(BOX, "x", 1, -1, &ref));
	ASSERT_EQ(-EBADF, _test_call_start(BOX, "x", 1, 999, &ref));
	ASSERT_EQ(-EBADFD, _test_call_start(BOX, "x", 1, null, &ref));
	ASSERT_EQ(-EBADFD, _test_call_start(BOX, "x", 1, self->dev, &ref));
	ASSERT_EQ(-EFAULT, _test_call_start(BOX, (void *)8, 1, REPLIES, &ref));
	ASSERT_EQ(0, used_calls(self->dev));
	test_waiting(BOX, 0);
	close(null);
}

TEST_F(exchange, reply_is_selected_by_ref)
{
	__u64 first, second;

	first = test_started("first");
	second = test_started("second");
	test_send(REPLIES, "cast");
	ASSERT_EQ(-EAGAIN, _test_take_ref(REPLIES, first, &message, 0));
	test_reply(BOX, test_takes_call(BOX, "first"), "1");
	test_reply(BOX, test_takes_call(BOX, "second"), "2");
	ASSERT_EQ(0, _test_take_ref(REPLIES, second, &message, 0));
	ASSERT_EQ(second, message.head->ref);
	ASSERT_EQ('2', *message.payload);
	ASSERT_EQ(-EAGAIN, _test_take_ref(REPLIES, second, &message, 0));
	test_takes_cast(REPLIES, "cast");
	test_takes_reply(REPLIES, first, 0, "1");
	test_empty(REPLIES);
}

/* Replies have room of their own. */
TEST_F(exchange, replies_come_to_a_full_mailbox)
{
	struct supervisor_mailbox_status status;
	int replies;
	__u64 ref;

	test_mailbox(self->dev, MAILBOX(.max_messages = 1, .max_payload = 8,
					.max_bytes = 8, .ring_bytes = 4096),
		     &replies);
	test_send(replies, "full");
	test_call_start(BOX, "x", 1, replies, &ref);
	ASSERT_EQ(0, _test_reply(BOX, test_takes_call(BOX, "x"), large,
				 sizeof(large)));
	test_mailbox_status(replies, &status);
	ASSERT_EQ(1, status.out_messages);
	ASSERT_EQ(1, status.out_reserved);
	test_takes_cast(replies, "full");
	ASSERT_EQ(0, _test_take(replies, &message, 0));
	ASSERT_EQ(sizeof(large), message.len);
	ASSERT_EQ(0, memcmp(large, message.payload, sizeof(large)));
	test_mailbox_status(replies, &status);
	ASSERT_EQ(0, status.out_reserved);
	close(replies);
}

TEST_F(exchange, reply_wakes_its_reader)
{
	struct supervisor_mailbox_status status;
	__u64 ref = test_started("x");

	ASSERT_FALSE(poll_says(REPLIES, POLLIN, 0));
	test_reply(BOX, test_takes_call(BOX, "x"), "y");
	ASSERT_TRUE(poll_says(REPLIES, POLLIN, PATIENCE_MS));
	test_mailbox_status(REPLIES, &status);
	ASSERT_EQ(1, status.out_reserved);
	test_takes_reply(REPLIES, ref, 0, "y");
	ASSERT_FALSE(poll_says(REPLIES, POLLIN, 0));
}

TEST_F(exchange, short_buffer_keeps_the_reply)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = 8, .buf_len = 65536);
	__u64 ref = test_started("x");

	test_reply(BOX, test_takes_call(BOX, "x"), "kept");
	ASSERT_EQ(-EFAULT, _test_ioctl(REPLIES, SUPERVISOR_MAILBOX_RECV,
				       &recv));
	recv.buf = (uintptr_t)message.buf;
	recv.buf_len = 8;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(REPLIES, SUPERVISOR_MAILBOX_RECV,
					 &recv));
	ASSERT_LT(8, recv.buf_len);
	test_takes_reply(REPLIES, ref, 0, "kept");
}

/* One that was asked for by its ref, and had no room, keeps its place. */
TEST_F(exchange, short_buffer_keeps_the_order)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .flags = SUPERVISOR_RECV_F_REF,
		    .buf = (uintptr_t)message.buf, .buf_len = 8);
	__u64 ref;

	/* Too large for the ring: a queue has them both. */
	ASSERT_EQ(0, _test_send(REPLIES, large, 1000, NEVER));
	ref = test_started("x");
	test_reply(BOX, test_takes_call(BOX, "x"), "second");
	ASSERT_EQ(0, _test_send(REPLIES, large, 2000, NEVER));
	recv.ref = ref;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(REPLIES, SUPERVISOR_MAILBOX_RECV,
					 &recv));
	ASSERT_EQ(0, _test_take(REPLIES, &message, 0));
	ASSERT_EQ(SUPERVISOR_MSG_CAST, message.head->type);
	ASSERT_EQ(1000, message.len);
	test_takes_reply(REPLIES, ref, 0, "second");
	ASSERT_EQ(0, _test_take(REPLIES, &message, 0));
	ASSERT_EQ(2000, message.len);
}

struct starting {
	int mailbox;
	int replies;
	volatile int err;
};

static void *start_from_thread(void *argument)
{
	struct starting *starting = argument;
	struct supervisor_call_start start =
		ARG(supervisor_call_start, .buf = (uintptr_t)"x", .len = 1,
		    .mailbox_fd = starting->replies, .deadline = NEVER);

	starting->err = _test_ioctl(starting->mailbox, SUPERVISOR_CALL_START,
				    &start);
	return NULL;
}

/* A call that waits for room, and nobody can get its reply any more. */
TEST_F(exchange, replies_closed_while_it_waits_for_room)
{
	struct starting starting = { .err = 1 };
	pthread_t thread;

	test_mailbox(self->dev, MAILBOX(.max_messages = 1), &starting.mailbox);
	test_mailbox(self->dev, MAILBOX(), &starting.replies);
	test_send(starting.mailbox, "full");
	ASSERT_EQ(0, pthread_create(&thread, NULL, start_from_thread,
				    &starting));
	sleep_ms(300);
	ASSERT_EQ(1, starting.err);
	close(starting.replies);
	ASSERT_TRUE(eventually(starting.err != 1));
	EXPECT_EQ(-EBADF, starting.err);
	pthread_join(thread, NULL);
	close(starting.mailbox);
}

static void *kill_later(void *argument)
{
	sleep_ms(300);
	kill(*(pid_t *)argument, SIGKILL);
	return NULL;
}

/* Who polls for something else is told that nobody serves it. */
TEST_F(exchange, poll_wakes_at_the_owners_death)
{
	struct pollfd polled = { .fd = BOX, .events = POLLIN };
	__u64 began = now_ns();
	pthread_t thread;
	int n;

	if (SURVIVES)
		return;
	ASSERT_EQ(0, pthread_create(&thread, NULL, kill_later, &self->owner));
	n = poll(&polled, 1, 20000);
	pthread_join(thread, NULL);
	kill_owner();
	ASSERT_EQ(1, n);
	ASSERT_EQ(POLLERR, polled.revents);
	ASSERT_GT(began + 10000000000ULL, now_ns());
}

TEST_F(exchange, cancel)
{
	__u64 ref, from;

	/* Before it was taken: it is taken back. */
	ref = test_started("untaken");
	ASSERT_EQ(1, _test_call_cancel(REPLIES, ref, 0));
	test_waiting(BOX, 0);
	test_empty(BOX);
	ASSERT_EQ(0, _test_call_cancel(REPLIES, ref, 0));
	ASSERT_EQ(0, used_calls(self->dev));

	/* Taken: nothing comes of its reply. */
	ref = test_started("taken");
	from = test_takes_call(BOX, "taken");
	ASSERT_EQ(1, _test_call_cancel(REPLIES, ref, SUPERVISOR_REF_F_FLUSH));
	ASSERT_EQ(0, used_calls(self->dev));
	test_no_reply(ESTALE, BOX, from);
	test_empty(REPLIES);
	ASSERT_EQ(0, taken(BOX));

	/* Answered: without flush it stays. */
	ref = test_started("answered");
	test_reply(BOX, test_takes_call(BOX, "answered"), "stays");
	ASSERT_EQ(0, _test_call_cancel(REPLIES, ref, 0));
	test_takes_reply(REPLIES, ref, 0, "stays");

	ref = test_started("answered");
	test_reply(BOX, test_takes_call(BOX, "answered"), "goes");
	test_send(REPLIES, "stays");
	ASSERT_EQ(0, _test_call_cancel(REPLIES, ref, SUPERVISOR_REF_F_FLUSH));
	ASSERT_EQ(0, used_calls(self->dev));
	test_takes_cast(REPLIES, "stays");
	test_empty(REPLIES);

	/* Not there, not this mailbox's. */
	ASSERT_EQ(0, _test_call_cancel(REPLIES, ref, SUPERVISOR_REF_F_FLUSH));
	ASSERT_EQ(0, _test_call_cancel(REPLIES, 12345, 0));
	ref = test_started("x");
	ASSERT_EQ(0, _test_call_cancel(BOX, ref, SUPERVISOR_REF_F_FLUSH));
	test_reply(BOX, test_takes_call(BOX, "x"), "y");
	test_takes_reply(REPLIES, ref, 0, "y");
}

TEST_F(exchange, closing_is_cancelling)
{
	__u64 ref, from;
	int replies;

	test_mailbox(self->dev, MAILBOX(), &replies);
	test_call_start(BOX, "taken", 5, replies, &ref);
	from = test_takes_call(BOX, "taken");
	test_call_start(BOX, "untaken", 7, replies, &ref);
	test_call_start(BOX, "another", 7, replies, &ref);
	ASSERT_EQ(3, used_calls(self->dev));
	close(replies);
	ASSERT_TRUE(eventually(!used_calls(self->dev)));
	test_no_reply(ESTALE, BOX, from);
	test_waiting(BOX, 0);
	test_empty(BOX);
}

/* Its owner's death is the end of a mailbox's calls to others. */
TEST_F(exchange, callers_owner_dies)
{
	__u64 ref, from;
	int replies;
	pid_t owner;

	test_mailbox(self->dev, MAILBOX(), &replies);
	owner = test_new_owner(replies);
	test_call_start(BOX, "taken", 5, replies, &ref);
	from = test_takes_call(BOX, "taken");
	process_kill(owner);
	/* Answered or not, nothing is lost track of. */
	_test_reply(BOX, from, "x", 1);
	close(replies);
	ASSERT_TRUE(eventually(!used_calls(self->dev)));
}

TEST_F(exchange, started_call_hears_of_the_owners_death)
{
	__u64 untaken, was_taken, from;

	was_taken = test_started("taken");
	from = test_takes_call(BOX, "taken");
	untaken = test_started("untaken");
	kill_owner();
	test_takes_reply(REPLIES, was_taken, EOWNERDEAD, "");
	test_no_reply(ESTALE, BOX, from);
	if (SURVIVES) {
		test_empty(REPLIES);
		self->owner = test_new_owner(BOX);
		test_reply(BOX, test_takes_call(BOX, "untaken"), "next");
		test_takes_reply(REPLIES, untaken, 0, "next");
	} else {
		test_takes_reply(REPLIES, untaken, EOWNERDEAD, "");
	}
	ASSERT_EQ(0, used_calls(self->dev));
	test_empty(REPLIES);
	test_empty(BOX);
}

/* The one that calls may die: what it started is its mailbox's. */
TEST_F(exchange, starters_death_is_invisible)
{
	__u64 *ref = shared_memory(sizeof(*ref));
	int status;
	pid_t pid;

	ASSERT_NE(NULL, ref);
	pid = fork();
	if (!pid)
		_exit(-_test_call_start(BOX, "x", 1, REPLIES, ref));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	test_takes(BOX, &message, SUPERVISOR_MSG_CALL, "x");
	test_reply(BOX, message.head->ref, "y");
	test_takes_reply(REPLIES, *ref, 0, "y");
}

/* ---- one owner after the other ---- */

enum when { BEFORE, AFTER };
enum whom { THE_OLD, THE_NEW };

/*
 * A call that is taken and one that is not, then a new owner and a death, in
 * this order or the other.
 */
TEST_F(exchange, owners_change_and_die)
{
	unsigned int when, whom;
	__u64 was_taken, untaken, from;
	bool dead, served;
	pid_t owner, next;
	int mailbox;

	for (when = BEFORE; when <= AFTER; when++) {
		for (whom = THE_OLD; whom <= THE_NEW; whom++) {
			test_mailbox(self->dev, MAILBOX(.flags =
							variant->flags),
				     &mailbox);
			owner = test_new_owner(mailbox);
			test_call_start(mailbox, "taken", 5, REPLIES,
					&was_taken);
			from = test_takes_call(mailbox, "taken");
			test_call_start(mailbox, "untaken", 7, REPLIES,
					&untaken);
			next = 0;
			if (when == BEFORE && whom == THE_OLD) {
				process_kill(owner);
				owner = 0;
			}
			/* One that dies before it owns is nobody here. */
			if (when == AFTER || whom == THE_OLD) {
				next = owner_start(mailbox);
				ASSERT_TRUE(next > 0 ||
					    (!owner && !SURVIVES &&
					     next == -ESHUTDOWN));
				if (next < 0)
					next = 0;
			}
			if (when == AFTER && whom == THE_OLD) {
				process_kill(owner);
				owner = 0;
			}
			if (when == AFTER && whom == THE_NEW) {
				process_kill(next);
				next = 0;
			}

			dead = when == AFTER ? whom == THE_NEW :
					       whom == THE_OLD;
			served = !dead || SURVIVES;
			TH_LOG("%s %s", when ? "after" : "before",
			       whom ? "the new one" : "the old one");
			if (dead) {
				test_takes_reply(REPLIES, was_taken, EOWNERDEAD,
						 "");
				test_no_reply(ESTALE, mailbox, from);
			} else {
				test_reply(mailbox, from, "first");
				test_takes_reply(REPLIES, was_taken, 0,
						 "first");
			}
			if (served) {
				if (!next && dead)
					next = test_new_owner(mailbox);
				from = test_takes_call(mailbox, "untaken");
				test_reply(mailbox, from, "second");
				test_takes_reply(REPLIES, untaken, 0, "second");
			} else {
				test_takes_reply(REPLIES, untaken, EOWNERDEAD,
						 "");
				ASSERT_EQ(-ESHUTDOWN,
					  _test_mailbox_own(mailbox));
			}
			test_empty(REPLIES);
			test_empty(mailbox);
			if (owner)
				process_kill(owner);
			if (next)
				process_kill(next);
			close(mailbox);
		}
	}
}

/* The old owner has it in hand and replies when it no longer owns. */
TEST_F(exchange, former_owner_replies)
{
	pid_t old;
	int pipes[2];
	__u64 ref;
	char go;

	ASSERT_EQ(0, pipe(pipes));
	old = fork();
	if (!old) {
		if (_test_mailbox_own(BOX) ||
		    _test_take(BOX, &message, after_ms(PATIENCE_MS)) ||
		    read(pipes[0], &go, 1) != 1)
			_exit(1);
		_exit(-_test_reply(BOX, message.head->ref, "old", 3));
	}
	ref = test_started("x");
	ASSERT_TRUE(eventually(taken(BOX) == 1));
	process_kill(self->owner);
	self->owner = test_new_owner(BOX);
	ASSERT_EQ(1, write(pipes[1], "", 1));
	test_takes_reply(REPLIES, ref, 0, "old");
	ASSERT_EQ(old, waitpid(old, NULL, 0));
	close(pipes[0]);
	close(pipes[1]);
}

/* Who becomes the owner while it waits for itself is not left waiting. */
TEST_F(exchange, caller_becomes_the_owner)
{
	__u64 from;
	int err;

	test_client_start(&client, BOX, "x", after_ms(1000));
	from = test_takes_call(BOX, "x");
	test_mailbox_own(BOX);
	/* It may still be answered, by another thread. */
	err = _test_reply(BOX, from, "y", 1);
	ASSERT_TRUE(err == 0 || err == -ESTALE);
	ASSERT_EQ(err ? -EDEADLK : 0, client_end(&client));
}

/* ---- supervised ---- */

struct supervised {
	char name[32];
	volatile int err;
	volatile int calls;
};

static struct supervised *supervised;

static void child_calls(long unused)
{
	int dev = device_open();
	int mailbox;

	supervised->err = _test_open_mailbox(dev, supervised->name, O_WRONLY,
					     &mailbox);
	if (!supervised->err)
		supervised->err = -call_once(mailbox);
	supervised->calls++;
	child_wait(0);
}

TEST_F(exchange, call_and_reply_tell_the_child)
{
	struct supervisor_child_status child;
	struct tree tree;
	int mailbox;
	pid_t owner;

	supervised = shared_memory(sizeof(*supervised));
	ASSERT_NE(NULL, supervised);
	snprintf(supervised->name, sizeof(supervised->name), "/supervised.%d",
		 getpid());
	test_mailbox(self->dev, NAMED_MAILBOX(supervised->name), &mailbox);
	owner = test_new_owner(mailbox);
	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a", RUNS(child_calls, 0));
	test_start(tree.sup);
	test_takes(mailbox, &message, SUPERVISOR_MSG_CALL, "process");
	test_child_status(tree.sup, "a", &child);
	ASSERT_EQ(tree.id, message.head->supervisor);
	ASSERT_EQ(child.id, message.head->child);
	ASSERT_EQ(child.pid, message.head->pid);
	ASSERT_EQ(1, message.head->incarnation);
	ASSERT_STREQ("", message.path);
	test_reply(mailbox, message.head->ref, "reply");
	ASSERT_TRUE(eventually(supervised->calls == 1));
	ASSERT_EQ(0, supervised->err);
	tree_close(&tree);
	process_kill(owner);
	close(mailbox);
}

/* Made by a child: calls wait while it is being restarted. */
static void child_serves(long unused)
{
	int dev = device_open();
	int mailbox, err;

	err = _test_mailbox(dev, NAMED_MAILBOX(supervised->name,
				.flags = SUPERVISOR_MAILBOX_F_SURVIVE),
			    &mailbox);
	if (err == -EEXIST) {
		err = _test_open_mailbox(dev, supervised->name, O_RDWR,
					 &mailbox);
		err = err ?: _test_mailbox_own(mailbox);
	}
	if (err)
		_exit(1);
	for (;;) {
		if (_test_take(mailbox, &message, NEVER))
			_exit(2);
		if (message.payload[0] == 'd')
			raise(SIGKILL);
		supervised->calls++;
		_test_reply(mailbox, message.head->ref, "reply", 5);
	}
}

/* That is the child "server" of a tree: a file to call it by. */
#define test_supervised(tree_) \
	({ \
		int mailbox_; \
		supervised = shared_memory(sizeof(*supervised)); \
		ASSERT_NE(NULL, supervised); \
		snprintf(supervised->name, sizeof(supervised->name), \
			 "/supervised.%d", getpid()); \
		test_tree_open((tree_), CREATE()); \
		test_child((tree_)->sup, "server", RUNS(child_serves, 0)); \
		test_start((tree_)->sup); \
		ASSERT_TRUE(eventually( \
			!_test_open_mailbox(self->dev, supervised->name, \
					    O_WRONLY, &mailbox_))); \
		mailbox_; \
	})

TEST_F(exchange, next_incarnation_answers)
{
	struct tree tree;
	int mailbox = test_supervised(&tree);
	__u64 ref;

	/* Dies with this one in hand, then the next one answers the other. */
	test_call_start(mailbox, "die", 3, REPLIES, &ref);
	test_client_start(&client, mailbox, "live", NEVER);
	test_takes_reply(REPLIES, ref, EOWNERDEAD, "");
	test_client_gets(&client, "reply");
	ASSERT_EQ(1, supervised->calls);
	close(mailbox);
	tree_close(&tree);
}

/* The spec goes: nobody will come. */
TEST_F(exchange, call_ends_with_the_spec)
{
	struct tree tree;
	int mailbox = test_supervised(&tree);

	ASSERT_EQ(0, _test_terminate(tree.sup, "server"));
	/* It has a file of its own: it may wait, but not for ever. */
	test_client_start(&client, mailbox, "wait", after_ms(3000));
	ASSERT_TRUE(eventually(messages_are(mailbox, 1)));
	ASSERT_EQ(0, _test_delete(tree.sup, "server"));
	client_end(&client);
	ASSERT_TRUE(client.err == -EOWNERDEAD || client.err == -ETIMEDOUT)
		TH_LOG("errno %d", -client.err);
	close(mailbox);
	tree_close(&tree);
}

TEST_HARNESS_MAIN
