// SPDX-License-Identifier: GPL-2.0
/*
 * Calls whose ends meet on two CPUs. Whoever is told that a call was answered,
 * everybody is: the replier has 0 if and only if the caller has the reply.
 */
#include <stdio.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "race.h"

#define NEVER SUPERVISOR_NO_DEADLINE

static struct message message;
static struct racer racer;
static char large[16384];

/* What a round is about, for both sides. */
static __u64 from;
static __u64 ref;
static pid_t victim;

/* Calls when told to, from a thread of its own. */
struct caller {
	pthread_t thread;
	int mailbox;
	volatile int round;
	volatile int done;
	volatile int stop;
	volatile int err;
	volatile unsigned int interrupted;
	volatile pid_t tid;
	__u64 deadline;
	char reply[16];
	__u32 reply_len;
};

static struct caller caller;

static void *caller_loop(void *unused)
{
	struct supervisor_mailbox_call call;
	int round = 0, err;

	prctl(PR_SET_TIMERSLACK, 1);
	caller.tid = syscall(SYS_gettid);
	for (;;) {
		wait_while(&caller.round, round);
		round = caller.round;
		if (caller.stop)
			return NULL;
		call = ARG(supervisor_mailbox_call, .buf = (uintptr_t)"request",
			   .len = 7, .reply = (uintptr_t)caller.reply,
			   .deadline = caller.deadline);
		do {
			call.reply_len = sizeof(caller.reply);
			err = _test_ioctl(caller.mailbox,
					  SUPERVISOR_MAILBOX_CALL, &call);
			caller.interrupted += err == -EINTR;
		} while (err == -EINTR);
		caller.reply_len = call.reply_len;
		caller.err = err;
		set_word(&caller.done, round);
	}
}

static int caller_start(int mailbox)
{
	memset(&caller, 0, sizeof(caller));
	caller.mailbox = mailbox;
	return pthread_create(&caller.thread, NULL, caller_loop, NULL);
}

static void caller_call(__u64 deadline)
{
	caller.err = 1;
	caller.interrupted = 0;
	caller.deadline = deadline;
	memset(caller.reply, 0, sizeof(caller.reply));
	set_word(&caller.round, caller.round + 1);
}

static int caller_end(void)
{
	wait_while(&caller.done, caller.round - 1);
	return caller.err;
}

static void caller_stop(void)
{
	caller.stop = 1;
	set_word(&caller.round, caller.round + 1);
	pthread_join(caller.thread, NULL);
}

/* Owns what it is told to, or calls, until it is killed; without errno. */
static int own_and_wait(void *argument)
{
	struct racer *own = argument;
	struct supervisor_mailbox_own arg = ARG(supervisor_mailbox_own);

	own->token = raw(SYS_ioctl, own->dev, SUPERVISOR_MAILBOX_OWN,
			 (long)&arg);
	set_word(&own->side, 0);
	return racer_wait();
}

static int call_and_wait(void *argument)
{
	struct racer *own = argument;
	char reply[16];
	struct supervisor_mailbox_call arg =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)"request",
		    .len = 7, .reply = (uintptr_t)reply,
		    .reply_len = sizeof(reply), .deadline = NEVER);

	own->token = raw(SYS_ioctl, own->dev, SUPERVISOR_MAILBOX_CALL,
			 (long)&arg);
	return racer_wait();
}

static pid_t start_caller(int mailbox)
{
	racer.dev = mailbox;
	return start_racer(&racer, call_and_wait);
}

static pid_t start_owner(int mailbox)
{
	pid_t pid;

	racer.dev = mailbox;
	racer.side = 1;
	pid = start_racer(&racer, own_and_wait);
	if (pid > 0)
		wait_while(&racer.side, 1);
	return racer.token ? -1 : pid;
}

#define test_victim(pid_) \
	do { \
		victim = (pid_); \
		ASSERT_LT(0, victim); \
	} while (0)

FIXTURE(exchange_race)
{
	int dev;
	int mailbox;
	int replies;
	pid_t owner;
	struct shared *shared;
	struct balance balance;
	struct helper helper;
	struct supervisor_info before;
};

FIXTURE_SETUP(exchange_race)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	self->shared = shared_memory(sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
	test_info(self->dev, &self->before);
	test_mailbox(self->dev, MAILBOX(), &self->mailbox);
	test_mailbox(self->dev, MAILBOX(), &self->replies);
	self->owner = test_new_owner(self->mailbox);
	self->balance.step = 8;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
}

FIXTURE_TEARDOWN(exchange_race)
{
	process_kill(self->owner);
	close(self->replies);
	close(self->mailbox);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define DEV (self->dev)
#define BOX (self->mailbox)
#define REPLIES (self->replies)

static unsigned int taken(int mailbox)
{
	struct supervisor_mailbox_status status;

	return _test_mailbox_status(mailbox, &status) ? ~0U : status.out_taken;
}

static void spin_until(__u64 time)
{
	while (now_ns() < time)
		;
}

static int act_reply(struct helper *helper, unsigned int round)
{
	return _test_reply(helper->mailbox, from, "helper", 6);
}

static int act_kill(struct helper *helper, unsigned int round)
{
	return kill(victim, SIGKILL) ? -errno : 0;
}

/* ---- a reply against what else may end a call ---- */

/* A turn of the lead is that many nanoseconds where one side is a timer. */
#define LEAD_NS 10
#define TIMER_NS 5000000

TEST_F(exchange_race, reply_against_timeout)
{
	unsigned int i, untaken = 0, total = rounds(ROUNDS);
	__u64 deadline;
	int err, end;

	ASSERT_EQ(0, caller_start(BOX));
	for (i = 0; i < total; i++) {
		deadline = now_ns() + TIMER_NS;
		caller_call(deadline);
		err = _test_take(BOX, &message, deadline);
		if (err) {
			/* This CPU was not there in time. */
			ASSERT_EQ(-ETIMEDOUT, err);
			ASSERT_EQ(-ETIMEDOUT, caller_end());
			untaken++;
			continue;
		}
		ASSERT_EQ(SUPERVISOR_MSG_CALL, message.head->type);
		spin_until(deadline + (__s64)self->balance.lead * LEAD_NS);
		err = _test_reply(BOX, message.head->ref, "reply", 5);
		end = caller_end();
		if (err) {
			ASSERT_EQ(-ESTALE, err);
			ASSERT_EQ(-ETIMEDOUT, end);
		} else {
			ASSERT_EQ(0, end);
			ASSERT_EQ(5, caller.reply_len);
			ASSERT_EQ(0, memcmp("reply", caller.reply, 5));
		}
		ASSERT_EQ(0, taken(BOX));
		note_winner(&self->balance, !!err);
	}
	caller_stop();
	TH_LOG("%u not taken in time", untaken);
	test_empty(BOX);
	test_each_side_won();
}

TEST_F(exchange_race, take_against_timeout)
{
	unsigned int i, total = rounds(ROUNDS);
	__u64 deadline;
	int err, end;

	ASSERT_EQ(0, caller_start(BOX));
	for (i = 0; i < total; i++) {
		deadline = now_ns() + TIMER_NS;
		caller_call(deadline);
		spin_until(deadline + (__s64)self->balance.lead * LEAD_NS);
		err = _test_take(BOX, &message, 0);
		if (err) {
			ASSERT_EQ(-EAGAIN, err);
			ASSERT_EQ(-ETIMEDOUT, caller_end());
			note_winner(&self->balance, 1);
			continue;
		}
		note_winner(&self->balance, 0);
		err = _test_reply(BOX, message.head->ref, "reply", 5);
		end = caller_end();
		ASSERT_EQ(err ? -ETIMEDOUT : 0, end);
		ASSERT_EQ(err ? -ESTALE : 0, err);
		/* It was seen once, or never. */
		test_empty(BOX);
	}
	caller_stop();
	ASSERT_EQ(0, taken(BOX));
	test_each_side_won();
}

static int act_cancel(struct helper *helper, unsigned int round)
{
	return _test_call_cancel(helper->mailbox, ref,
				 round & 1 ? SUPERVISOR_REF_F_FLUSH : 0);
}

TEST_F(exchange_race, reply_against_cancel)
{
	int err;

	self->helper.mailbox = REPLIES;
	for_rounds(rounds(ROUNDS), act_cancel) {
		test_call_start(BOX, "x", 1, REPLIES, &ref);
		from = test_takes_call(BOX, "x");
		err = test_round(_test_reply(BOX, from, "reply", 5));
		if (err) {
			ASSERT_EQ(-ESTALE, err);
			ASSERT_EQ(1, self->shared->err[1]);
		} else {
			ASSERT_EQ(0, self->shared->err[1]);
			if (!(ROUND & 1))
				test_takes_reply(REPLIES, ref, 0, "reply");
		}
		test_empty(REPLIES);
		note_winner(&self->balance, !!err);
	}
	ASSERT_EQ(0, taken(BOX));
	test_each_side_won();
}

static int act_flush(struct helper *helper, unsigned int round)
{
	return _test_call_cancel(helper->mailbox, ref, SUPERVISOR_REF_F_FLUSH);
}

/* The REPLY is there, and is read and flushed at once. */
TEST_F(exchange_race, receive_against_flush)
{
	int err;

	self->helper.mailbox = REPLIES;
	for_rounds(rounds(ROUNDS), act_flush) {
		test_call_start(BOX, "x", 1, REPLIES, &ref);
		test_reply(BOX, test_takes_call(BOX, "x"), "reply");
		err = test_round(_test_take_ref(REPLIES, ref, &message, 0));
		ASSERT_EQ(0, self->shared->err[1]);
		if (err) {
			ASSERT_EQ(-EAGAIN, err);
		} else {
			ASSERT_EQ(ref, message.head->ref);
		}
		test_empty(REPLIES);
		note_winner(&self->balance, !!err);
	}
	test_each_side_won();
}

TEST_F(exchange_race, reply_against_reply)
{
	int err;

	ASSERT_EQ(0, caller_start(BOX));
	self->helper.mailbox = BOX;
	for_rounds(rounds(ROUNDS), act_reply) {
		caller_call(NEVER);
		from = test_takes_call(BOX, "request");
		err = test_round(_test_reply(BOX, from, "main", 4));
		ASSERT_EQ(0, caller_end());
		if (err) {
			ASSERT_EQ(-EALREADY, err);
			ASSERT_EQ(0, self->shared->err[1]);
			ASSERT_STREQ("helper", caller.reply);
		} else {
			ASSERT_EQ(-EALREADY, self->shared->err[1]);
			ASSERT_STREQ("main", caller.reply);
		}
		note_winner(&self->balance, !!err);
	}
	caller_stop();
	test_each_side_won();
}

/* With a caller that waits, or none, of a mailbox that survives, or not. */
TEST_F(exchange_race, reply_against_owners_death)
{
	int mailbox, err, end;

	for_rounds(rounds(ROUNDS), act_kill) {
		test_mailbox(DEV, MAILBOX(.flags = ROUND & 1 ?
					  SUPERVISOR_MAILBOX_F_SURVIVE : 0),
			     &mailbox);
		test_victim(start_owner(mailbox));
		if (ROUND & 2) {
			ASSERT_EQ(0, caller_start(mailbox));
			caller_call(NEVER);
			from = test_takes_call(mailbox, "request");
		} else {
			test_call_start(mailbox, "x", 1, REPLIES, &ref);
			from = test_takes_call(mailbox, "x");
		}
		err = test_round(_test_reply(mailbox, from, "reply", 5));
		ASSERT_EQ(0, self->shared->err[1]);
		if (err)
			ASSERT_EQ(-ESTALE, err);
		if (ROUND & 2) {
			end = caller_end();
			caller_stop();
			ASSERT_EQ(err ? -EOWNERDEAD : 0, end);
		} else {
			test_takes_reply(REPLIES, ref, err ? EOWNERDEAD : 0,
					 err ? "" : "reply");
			test_empty(REPLIES);
		}
		ASSERT_EQ(victim, waitpid(victim, NULL, 0));
		ASSERT_EQ(err ?: -EALREADY, _test_reply(mailbox, from, "x", 1));
		note_winner(&self->balance, !!err);
		close(mailbox);
	}
	test_each_side_won();
}

TEST_F(exchange_race, reply_against_callers_death)
{
	int err;

	for_rounds(rounds(ROUNDS), act_kill) {
		test_victim(start_caller(BOX));
		from = test_takes_call(BOX, "request");
		err = test_round(_test_reply(BOX, from, "reply", 5));
		if (err)
			ASSERT_EQ(-ESTALE, err);
		ASSERT_EQ(victim, waitpid(victim, NULL, 0));
		ASSERT_EQ(err ?: -EALREADY, _test_reply(BOX, from, "x", 1));
		ASSERT_EQ(0, taken(BOX));
		note_winner(&self->balance, !!err);
	}
	test_empty(BOX);
	test_each_side_won();
}

/* Not yet taken: the server gets it, or it is taken back. */
TEST_F(exchange_race, take_against_callers_death)
{
	int err;

	for_rounds(rounds(ROUNDS), act_kill) {
		test_victim(start_caller(BOX));
		while (!messages_are(BOX, 1))
			sched_yield();
		err = test_round(_test_take(BOX, &message, 0));
		ASSERT_EQ(victim, waitpid(victim, NULL, 0));
		if (err) {
			ASSERT_EQ(-EAGAIN, err);
		} else {
			test_no_reply(ESTALE, BOX, message.head->ref);
		}
		test_waiting(BOX, 0);
		ASSERT_EQ(0, taken(BOX));
		note_winner(&self->balance, !!err);
	}
	test_empty(BOX);
	test_each_side_won();
}

static void nop(int unused)
{
}

static int act_interrupt(struct helper *helper, unsigned int round)
{
	return syscall(SYS_tgkill, getpid(), caller.tid, SIGUSR1) ? -errno : 0;
}

/* Whenever the signal comes, there is one request and one reply. */
TEST_F(exchange_race, reply_against_signal)
{
	struct sigaction action = { .sa_handler = nop };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, caller_start(BOX));
	for_rounds(rounds(ROUNDS), act_interrupt) {
		caller_call(NEVER);
		from = test_takes_call(BOX, "request");
		ASSERT_EQ(0, test_round(_test_reply(BOX, from, "reply", 5)));
		ASSERT_EQ(0, self->shared->err[1]);
		ASSERT_EQ(0, caller_end());
		ASSERT_STREQ("reply", caller.reply);
		test_no_reply(EALREADY, BOX, from);
		test_empty(BOX);
		note_winner(&self->balance, !!caller.interrupted);
	}
	caller_stop();
	test_each_side_won();
}

/* ---- the end of a mailbox ---- */

static int act_call_start(struct helper *helper, unsigned int round)
{
	/* Its errno is what is of interest, whatever became of the number. */
	return _test_call_start(helper->mailbox, large,
				round & 1 ? sizeof(large) : 1, helper->sup,
				&ref);
}

TEST_F(exchange_race, close_against_call)
{
	int mailbox, err;

	self->helper.sup = REPLIES;
	for_rounds(rounds(ROUNDS), act_call_start) {
		test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &mailbox);
		self->helper.mailbox = mailbox;
		ASSERT_EQ(0, test_round(close(mailbox)));
		err = self->shared->err[1];
		if (err) {
			ASSERT_EQ(-EBADF, err);
		} else {
			test_takes_reply(REPLIES, ref, EOWNERDEAD, "");
		}
		test_empty(REPLIES);
		note_winner(&self->balance, !err);
	}
	test_each_side_won();
}

static int act_send(struct helper *helper, unsigned int round)
{
	return _test_send(helper->mailbox, large,
			  round & 1 ? sizeof(large) : 1, 0);
}

TEST_F(exchange_race, close_against_send)
{
	int mailbox, err;

	for_rounds(rounds(ROUNDS), act_send) {
		test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &mailbox);
		self->helper.mailbox = mailbox;
		ASSERT_EQ(0, test_round(close(mailbox)));
		err = self->shared->err[1];
		if (err)
			ASSERT_EQ(-EBADF, err);
		note_winner(&self->balance, !err);
	}
	test_each_side_won();
}

static int act_close(struct helper *helper, unsigned int round)
{
	return close(helper->mailbox) ? -errno : 0;
}

/* Where the reply would go to, against the reply. */
TEST_F(exchange_race, reply_against_close)
{
	int replies, err;

	for_rounds(rounds(ROUNDS), act_close) {
		test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &replies);
		self->helper.mailbox = replies;
		test_call_start(BOX, "x", 1, replies, &ref);
		from = test_takes_call(BOX, "x");
		err = test_round(_test_reply(BOX, from, large, ROUND & 1 ?
					     sizeof(large) : 1));
		if (err)
			ASSERT_EQ(-ESTALE, err);
		ASSERT_EQ(0, taken(BOX));
		note_winner(&self->balance, !!err);
	}
	test_each_side_won();
}

TEST_F(exchange_race, send_against_owners_death)
{
	int mailbox, err;

	for_rounds(rounds(ROUNDS), act_kill) {
		test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &mailbox);
		test_victim(start_owner(mailbox));
		err = test_round(_test_send(mailbox, large, ROUND & 1 ?
					    sizeof(large) : 1, 0));
		if (err)
			ASSERT_EQ(-ESHUTDOWN, err);
		ASSERT_EQ(victim, waitpid(victim, NULL, 0));
		ASSERT_EQ(-ESHUTDOWN, _test_send(mailbox, "x", 1, 0));
		ASSERT_TRUE(eventually(messages_are(mailbox, 0)));
		test_empty(mailbox);
		note_winner(&self->balance, !!err);
		close(mailbox);
	}
	test_each_side_won();
}

TEST_F(exchange_race, call_against_owners_death)
{
	int mailbox, err;

	for_rounds(rounds(ROUNDS), act_kill) {
		test_mailbox(DEV, MAILBOX(), &mailbox);
		test_victim(start_owner(mailbox));
		err = test_round(_test_call_start(mailbox, "x", 1, REPLIES,
						  &ref));
		if (err) {
			ASSERT_EQ(-ESHUTDOWN, err);
		} else {
			test_takes_reply(REPLIES, ref, EOWNERDEAD, "");
		}
		ASSERT_EQ(victim, waitpid(victim, NULL, 0));
		test_empty(mailbox);
		test_empty(REPLIES);
		note_winner(&self->balance, !!err);
		close(mailbox);
	}
	test_each_side_won();
}

/*
 * A call in hand and one that waits: a new owner in time has both, too late it
 * has none, or, of a mailbox that survives, the one that waits.
 */
TEST_F(exchange_race, own_against_owners_death)
{
	int mailbox, err, late;
	__u64 waiting;

	for_rounds(rounds(ROUNDS), act_kill) {
		test_mailbox(DEV, MAILBOX(.flags = ROUND & 1 ?
					  SUPERVISOR_MAILBOX_F_SURVIVE : 0),
			     &mailbox);
		test_victim(start_owner(mailbox));
		test_call_start(mailbox, "taken", 5, REPLIES, &ref);
		from = test_takes_call(mailbox, "taken");
		test_call_start(mailbox, "waits", 5, REPLIES, &waiting);
		err = test_round(_test_mailbox_own(mailbox));
		ASSERT_EQ(victim, waitpid(victim, NULL, 0));
		late = _test_reply(mailbox, from, "1", 1);
		if (late)
			ASSERT_EQ(-ESTALE, late);
		if (ROUND & 1) {
			ASSERT_EQ(0, err);
		} else {
			ASSERT_EQ(late ? -ESHUTDOWN : 0, err);
		}
		test_takes_reply(REPLIES, ref, late ? EOWNERDEAD : 0,
				 late ? "" : "1");
		if (!err) {
			from = test_takes_call(mailbox, "waits");
			test_reply(mailbox, from, "2");
		}
		test_takes_reply(REPLIES, waiting, err ? EOWNERDEAD : 0,
				 err ? "" : "2");
		test_empty(REPLIES);
		test_empty(mailbox);
		note_winner(&self->balance, !!late);
		close(mailbox);
	}
	test_each_side_won();
}

static void *owner_loop(void *argument)
{
	struct helper *helper = argument;
	struct shared *shared = helper->shared;

	while (!shared->stop && !shared->err[1]) {
		shared->err[1] = _test_mailbox_own(helper->mailbox);
		set_word(&shared->round, shared->round + 1);
	}
	return NULL;
}

/* However often owners change, there is one. */
TEST_F(exchange_race, send_while_owners_change)
{
	struct shared *shared = self->shared;
	unsigned int i, total = 20 * rounds(ROUNDS);
	int err;

	self->helper.shared = shared;
	self->helper.mailbox = BOX;
	ASSERT_EQ(0, pthread_create(&self->helper.thread, NULL, owner_loop, &self->helper));
	wait_while(&shared->round, 0);
	for (i = 0; i < total || shared->round < 100; i++) {
		err = _test_send(BOX, "x", 1, 0);
		ASSERT_TRUE(!err || err == -EAGAIN);
		if (err)
			ASSERT_EQ(0, _test_take(BOX, &message, 0));
	}
	shared->stop = 1;
	pthread_join(self->helper.thread, NULL);
	TH_LOG("%u sent, %d owners", i, shared->round);
	ASSERT_EQ(0, shared->err[1]);
}

/* ---- two of a kind ---- */

static int act_take(struct helper *helper, unsigned int round)
{
	static struct message taken_by_helper;

	return _test_take(helper->mailbox, &taken_by_helper, 0);
}

TEST_F(exchange_race, receive_against_receive)
{
	int err;

	self->helper.mailbox = BOX;
	for_rounds(rounds(ROUNDS), act_take) {
		test_send(BOX, "one");
		err = test_round(_test_take(BOX, &message, 0));
		ASSERT_EQ(err ? 0 : -EAGAIN, self->shared->err[1]);
		ASSERT_EQ(err ? -EAGAIN : 0, err);
		test_empty(BOX);
		note_winner(&self->balance, !!err);
	}
	test_each_side_won();
}

TEST_F(exchange_race, send_against_send)
{
	int mailbox, err;

	test_mailbox(DEV, MAILBOX(.max_messages = 1), &mailbox);
	self->helper.mailbox = mailbox;
	for_rounds(rounds(ROUNDS), act_send) {
		err = test_round(_test_send(mailbox, "main", 4, 0));
		ASSERT_EQ(err ? 0 : -EAGAIN, self->shared->err[1]);
		ASSERT_EQ(err ? -EAGAIN : 0, err);
		ASSERT_EQ(0, _test_take(mailbox, &message, 0));
		ASSERT_EQ(!err, message.len == 4);
		test_empty(mailbox);
		note_winner(&self->balance, !!err);
	}
	close(mailbox);
	test_each_side_won();
}

/* The last room, and the wait for it: no wake-up is lost. */
static int act_send_and_wait(struct helper *helper, unsigned int round)
{
	return _test_send(helper->mailbox, "later", 5, after_ms(PATIENCE_MS));
}

TEST_F(exchange_race, room_against_wait)
{
	int mailbox;

	test_mailbox(DEV, MAILBOX(.max_messages = 1), &mailbox);
	self->helper.mailbox = mailbox;
	for_rounds(rounds(ROUNDS), act_send_and_wait) {
		test_send(mailbox, "full");
		/* Who came first leaves no trace: sweep over the lead. */
		self->balance.lead = rand() % 20000 - 10000;
		ASSERT_EQ(0, test_round(_test_take(mailbox, &message, 0)));
		ASSERT_EQ(0, self->shared->err[1]);
		ASSERT_EQ(4, message.len);
		test_takes_cast(mailbox, "later");
	}
	close(mailbox);
}

static int act_take_and_wait(struct helper *helper, unsigned int round)
{
	static struct message taken_by_helper;

	return _test_take(helper->mailbox, &taken_by_helper,
			  after_ms(PATIENCE_MS));
}

TEST_F(exchange_race, message_against_wait)
{
	self->helper.mailbox = BOX;
	for_rounds(rounds(ROUNDS), act_take_and_wait) {
		self->balance.lead = rand() % 20000 - 10000;
		ASSERT_EQ(0, test_round(_test_send(BOX, "x", 1, 0)));
		ASSERT_EQ(0, self->shared->err[1]);
	}
	test_empty(BOX);
}

/* Where the reply would go to, against the call: it is made or not, and no more. */
TEST_F(exchange_race, start_against_close)
{
	int replies, err;

	/* Copying what is large takes longer than closing. */
	for_rounds(rounds(ROUNDS), act_close) {
		test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &replies);
		self->helper.mailbox = replies;
		err = test_round(_test_call_start(BOX, large, sizeof(large),
						  replies, &ref));
		ASSERT_EQ(0, self->shared->err[1]);
		if (err)
			ASSERT_EQ(-EBADF, err);
		note_winner(&self->balance, !!err);
	}
	/* The teardown sees what is left of them. */
	test_empty(BOX);
	test_each_side_won();
}

static int act_take_and_close(struct helper *helper, unsigned int round)
{
	static struct message taken_by_helper;
	__u64 until = after_ms(PATIENCE_MS);
	int err;

	/* Awake: it is faster than who would wake it. */
	do {
		err = _test_take(helper->mailbox, &taken_by_helper, 0);
	} while (err == -EAGAIN && now_ns() < until);
	return close(helper->mailbox) ? -errno : err;
}

/* Whoever has read a reply may close where it came at once, before the replier is done. */
TEST_F(exchange_race, reply_against_close_after_it)
{
	int replies;

	for_rounds(rounds(ROUNDS), act_take_and_close) {
		test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &replies);
		self->helper.mailbox = replies;
		test_call_start(BOX, "x", 1, replies, &ref);
		ASSERT_EQ(0, _test_take(BOX, &message, 0));
		self->balance.lead = rand() % 20000 - 10000;
		ASSERT_EQ(0, test_round(_test_reply(BOX, message.head->ref, "y", 1)));
		ASSERT_EQ(0, self->shared->err[1]);
	}
	/* The teardown sees what is left of them. */
	test_empty(BOX);
}

#define MANY 1000

/* The owner is dead; another process reads on, and keeps no call from failing. */
TEST_F(exchange_race, take_against_owners_death)
{
	unsigned int i, took;
	int mailbox, err;
	char tiny[8] __aligned(8);

	for_rounds(rounds(100), act_kill) {
		test_mailbox(DEV, MAILBOX(), &mailbox);
		test_victim(start_owner(mailbox));
		for (i = 0; i < MANY; i++)
			test_call_start(mailbox, "x", 1, REPLIES, &ref);
		helper_round_begin(&self->helper);
		/* Until there is none: some of them with no room for it. */
		took = 0;
		do {
			if (ROUND & 1)
				_test_recv(mailbox, tiny, sizeof(tiny), 1, 0);
			err = _test_take(mailbox, &message, 0);
			took += !err;
		} while (!err);
		ASSERT_EQ(-EAGAIN, err);
		helper_round_end(&self->helper);
		ASSERT_EQ(0, self->shared->err[1]);
		ASSERT_EQ(victim, waitpid(victim, NULL, 0));
		for (i = 0; i < MANY; i++) {
			ASSERT_EQ(0, _test_take(REPLIES, &message,
						after_ms(10000)))
				TH_LOG("call %u of %u, %u taken", i, MANY, took);
			ASSERT_EQ(EOWNERDEAD, message.error);
		}
		ASSERT_EQ(0, taken(mailbox));
		close(mailbox);
	}
	test_empty(REPLIES);
}

TEST_HARNESS_MAIN
