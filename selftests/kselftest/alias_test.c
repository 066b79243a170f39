// SPDX-License-Identifier: GPL-2.0
/*
 * Aliases: sending to a mailbox by a number, for as long as that is on.
 */
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define NONE SUPERVISOR_ALIAS_NONE
#define EXPLICIT SUPERVISOR_ALIAS_EXPLICIT
#define REPLY SUPERVISOR_ALIAS_REPLY
#define DEMONITOR SUPERVISOR_ALIAS_DEMONITOR
#define REPLY_DEMONITOR SUPERVISOR_ALIAS_REPLY_DEMONITOR

FIXTURE(alias)
{
	int dev;
	int mailbox;
	struct actor a;
};

FIXTURE_SETUP(alias)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_actor(self->dev, &self->a);
	test_mailbox_create(self->dev, 0, &self->mailbox);
}

/* Nothing of it is left. */
FIXTURE_TEARDOWN(alias)
{
	struct supervisor_info info;

	actor_end(&self->a);
	close(self->mailbox);
	ASSERT_TRUE(eventually(!_test_info(self->dev, &info) &&
			       !info.out_used[SUPERVISOR_LIMIT_REFS] &&
			       !info.out_used[SUPERVISOR_LIMIT_BYTES]));
	close(self->dev);
}

#define DEV (self->dev)
#define BOX (self->mailbox)
#define A (self->a.pid)

#define test_through(alias_, text_) \
	ASSERT_EQ(0, _test_alias_send(DEV, (alias_), (text_), 0))
#define test_off(alias_) \
	ASSERT_EQ(-ESTALE, _test_alias_send(DEV, (alias_), "late", 0))

/* The next message is that one. */
#define test_cast(alias_, text_) \
	do { \
		char buf_[4096] __aligned(8); \
		const struct supervisor_msg_data *data_ = (void *)buf_; \
		ASSERT_EQ(1, _test_recv(BOX, buf_, sizeof(buf_), 1, \
					after_ms(PATIENCE_MS))); \
		ASSERT_EQ(SUPERVISOR_MSG_CAST, data_->head.type); \
		ASSERT_EQ((alias_), data_->head.ref); \
		ASSERT_EQ(strlen(text_), data_->payload_len); \
		ASSERT_EQ(0, memcmp((text_), buf_ + data_->payload_offset, \
				    strlen(text_))); \
	} while (0)

#define test_down(ref_, reason_) \
	test_takes_down(BOX, SUPERVISOR_MSG_DOWN, ref_, reason_)
#define test_nothing() test_no_down(BOX)
#define test_used(refs_) test_refs_used(DEV, refs_)

/* Dead, and told of. */
#define test_kill() \
	do { \
		ASSERT_EQ(0, kill(A, SIGKILL)); \
		ASSERT_TRUE(is_waitable(A)); \
		/* Waits for what the death has to do. */ \
		ASSERT_EQ(0, _test_process_unlink(DEV, 0x7fffffff)); \
	} while (0)

/* ---- plain ones ---- */

TEST_F(alias, until_it_is_off)
{
	__u64 alias;

	test_alias(BOX, EXPLICIT, &alias);
	ASSERT_NE(0, alias);
	test_through(alias, "one");
	test_through(alias, "two");
	test_cast(alias, "one");
	test_cast(alias, "two");
	test_used(1);
	ASSERT_EQ(1, _test_unalias(BOX, alias));
	test_off(alias);
	ASSERT_EQ(0, _test_unalias(BOX, alias));
	test_nothing();
	test_used(0);
}

TEST_F(alias, until_the_first_message)
{
	__u64 alias;

	test_alias(BOX, REPLY, &alias);
	test_through(alias, "one");
	test_off(alias);
	test_used(0);
	ASSERT_EQ(0, _test_unalias(BOX, alias));
	test_cast(alias, "one");
	test_nothing();
	test_alias(BOX, REPLY, &alias);
	ASSERT_EQ(1, _test_unalias(BOX, alias));
	test_off(alias);
}

TEST_F(alias, what_is_there_stays)
{
	__u64 alias;

	test_alias(BOX, EXPLICIT, &alias);
	test_through(alias, "early");
	ASSERT_EQ(1, _test_unalias(BOX, alias));
	test_off(alias);
	test_cast(alias, "early");
	test_nothing();
}

TEST_F(alias, is_a_secret)
{
	__u64 aliases[100];
	unsigned int i, high = 0;

	for (i = 0; i < 100; i++) {
		test_alias(BOX, EXPLICIT, &aliases[i]);
		high += aliases[i] >> 32 != 0;
		if (i)
			ASSERT_NE(aliases[i - 1] + 1, aliases[i]);
	}
	ASSERT_LT(90, high);
	test_used(100);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(1, _test_unalias(BOX, aliases[i]));
}

TEST_F(alias, is_its_mailboxs)
{
	__u64 alias;
	int other;

	test_mailbox_create(DEV, 0, &other);
	test_alias(other, EXPLICIT, &alias);
	ASSERT_EQ(0, _test_unalias(BOX, alias));
	test_through(alias, "text");
	test_nothing();
	/* And ends with it. */
	close(other);
	test_off(alias);
	test_used(0);
}

TEST_F(alias, monitors_nothing)
{
	__u64 alias;

	test_alias(BOX, EXPLICIT, &alias);
	ASSERT_EQ(0, _test_demonitor(BOX, alias, SUPERVISOR_REF_F_FLUSH));
	test_through(alias, "text");
	test_cast(alias, "text");
}

TEST_F(alias, selects_its_messages)
{
	char buf[4096] __aligned(8);
	const struct supervisor_msg_data *data = (void *)buf;
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .flags = SUPERVISOR_RECV_F_REF,
		    .buf = (uintptr_t)buf, .buf_len = sizeof(buf));
	__u64 one, two;

	test_alias(BOX, EXPLICIT, &one);
	test_alias(BOX, EXPLICIT, &two);
	test_through(one, "one");
	test_through(two, "two");
	recv.ref = two;
	ASSERT_EQ(0, _test_ioctl(BOX, SUPERVISOR_MAILBOX_RECV, &recv));
	ASSERT_EQ(1, recv.out_count);
	ASSERT_EQ(two, data->head.ref);
	test_cast(one, "one");
}

/* ---- with a monitor ---- */

TEST_F(alias, explicit_outlives_its_monitor)
{
	__u64 ref;

	test_monitor_of(BOX, A, -1, EXPLICIT, &ref);
	test_through(ref, "one");
	test_cast(ref, "one");
	ASSERT_EQ(1, _test_demonitor(BOX, ref, 0));
	ASSERT_EQ(0, _test_demonitor(BOX, ref, 0));
	test_through(ref, "two");
	test_cast(ref, "two");
	test_used(1);
	ASSERT_EQ(1, _test_unalias(BOX, ref));
	test_off(ref);
	test_used(0);
}

TEST_F(alias, explicit_outlives_the_down)
{
	__u64 ref;

	test_monitor_of(BOX, A, -1, EXPLICIT, &ref);
	test_kill();
	test_through(ref, "one");
	test_down(ref, SUPERVISOR_EXIT_KILLED);
	test_cast(ref, "one");
	test_through(ref, "two");
	test_cast(ref, "two");
	ASSERT_EQ(0, _test_demonitor(BOX, ref, 0));
	ASSERT_EQ(1, _test_unalias(BOX, ref));
	test_used(0);
}

TEST_F(alias, monitor_outlives_it)
{
	__u64 ref;

	test_monitor_of(BOX, A, -1, DEMONITOR, &ref);
	ASSERT_EQ(1, _test_unalias(BOX, ref));
	test_off(ref);
	test_kill();
	test_down(ref, SUPERVISOR_EXIT_KILLED);
	test_used(0);
}

TEST_F(alias, off_at_demonitor)
{
	__u64 ref;

	test_monitor_of(BOX, A, -1, DEMONITOR, &ref);
	test_through(ref, "one");
	test_through(ref, "two");
	ASSERT_EQ(1, _test_demonitor(BOX, ref, 0));
	test_off(ref);
	ASSERT_EQ(0, _test_unalias(BOX, ref));
	test_cast(ref, "one");
	test_cast(ref, "two");
	test_used(0);
}

TEST_F(alias, off_at_the_down)
{
	__u64 ref;

	test_monitor_of(BOX, A, -1, DEMONITOR, &ref);
	test_through(ref, "one");
	test_kill();
	test_off(ref);
	test_cast(ref, "one");
	test_down(ref, SUPERVISOR_EXIT_KILLED);
	test_nothing();
	test_used(0);
}

TEST_F(alias, off_of_what_is_dead)
{
	__u64 ref;

	test_kill();
	test_monitor_of(BOX, A, -1, DEMONITOR, &ref);
	test_off(ref);
	test_down(ref, SUPERVISOR_EXIT_NOPROC);
	test_monitor_of(BOX, A, -1, REPLY_DEMONITOR, &ref);
	test_off(ref);
	test_down(ref, SUPERVISOR_EXIT_NOPROC);
}

TEST_F(alias, reply_ends_the_monitor)
{
	__u64 ref;

	test_monitor_of(BOX, A, -1, REPLY_DEMONITOR, &ref);
	test_through(ref, "one");
	test_off(ref);
	test_used(0);
	ASSERT_EQ(0, _test_demonitor(BOX, ref, 0));
	test_kill();
	test_cast(ref, "one");
	test_nothing();
}

TEST_F(alias, down_or_reply)
{
	__u64 ref;

	test_monitor_of(BOX, A, -1, REPLY_DEMONITOR, &ref);
	test_kill();
	test_off(ref);
	test_down(ref, SUPERVISOR_EXIT_KILLED);
	test_nothing();
	test_used(0);
}

/* ---- those who wait for room ---- */

struct sender {
	int dev;
	__u64 alias;
	__u64 deadline;
	int err;
};

static void *send_one(void *argument)
{
	struct sender *sender = argument;

	sender->err = _test_alias_send(sender->dev, sender->alias, "waits",
				       sender->deadline);
	return NULL;
}

TEST_F(alias, off_while_a_sender_waits)
{
	struct supervisor_mailbox_create create =
		ARG(supervisor_mailbox_create, .max_messages = 1);
	struct sender sender = { .dev = DEV, .err = 1,
				 .deadline = SUPERVISOR_NO_DEADLINE };
	pthread_t thread;
	__u64 refs[3];
	int i;

	ASSERT_EQ(0, _test_ioctl(DEV, SUPERVISOR_MAILBOX_CREATE, &create));
	test_alias(create.out_fd, EXPLICIT, &refs[0]);
	test_monitor_of(create.out_fd, A, -1, DEMONITOR, &refs[1]);
	test_monitor_of(create.out_fd, A, -1, DEMONITOR, &refs[2]);
	test_through(refs[0], "full");
	ASSERT_EQ(-EAGAIN, _test_alias_send(DEV, refs[0], "more", 0));
	for (i = 0; i < 3; i++) {
		sender.alias = refs[i];
		sender.err = 1;
		ASSERT_EQ(0, pthread_create(&thread, NULL, send_one, &sender));
		sleep_ms(50);
		ASSERT_EQ(1, sender.err);
		if (i == 0) {
			ASSERT_EQ(1, _test_unalias(create.out_fd, refs[i]));
		} else if (i == 1) {
			ASSERT_EQ(1, _test_demonitor(create.out_fd, refs[i], 0));
		} else {
			test_kill();
		}
		ASSERT_EQ(0, pthread_join(thread, NULL));
		ASSERT_EQ(-ESTALE, sender.err);
	}
	close(create.out_fd);
}

#define SENDERS 4

TEST_F(alias, one_reply)
{
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	unsigned int i, round, max = rounds(500);
	__u64 alias;
	int sent;

	for (round = 0; round < max; round++) {
		test_alias(BOX, REPLY, &alias);
		sent = 0;
		for (i = 0; i < SENDERS; i++) {
			senders[i] = (struct sender){
				.dev = DEV, .alias = alias };
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, send_one,
						    &senders[i]));
		}
		for (i = 0; i < SENDERS; i++) {
			pthread_join(threads[i], NULL);
			if (!senders[i].err)
				sent++;
			else
				ASSERT_EQ(-ESTALE, senders[i].err);
		}
		ASSERT_EQ(1, sent);
		test_cast(alias, "waits");
		test_nothing();
	}
}

/* ---- who and what ---- */

static int send_as_other(void *argument)
{
	struct sender *sender = argument;

	/* Whoever knows it may, without a file of the mailbox. */
	if (!geteuid() && setresuid(60001, 60001, 60001))
		return -errno;
	return _test_alias_send(sender->dev, sender->alias, "other", 0);
}

TEST_F(alias, by_whoever_knows_it)
{
	struct sender sender = { .dev = DEV };

	test_alias(BOX, EXPLICIT, &sender.alias);
	ASSERT_EQ(0, in_process(send_as_other, &sender));
	test_cast(sender.alias, "other");
}

TEST_F(alias, too_long)
{
	struct supervisor_mailbox_create create =
		ARG(supervisor_mailbox_create, .max_payload = 16);
	struct supervisor_alias_send send =
		ARG(supervisor_alias_send,
		    .buf = (uintptr_t)"0123456789abcdefg", .len = 17);

	ASSERT_EQ(0, _test_ioctl(DEV, SUPERVISOR_MAILBOX_CREATE, &create));
	test_alias(create.out_fd, REPLY, (__u64 *)&send.alias);
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(DEV, SUPERVISOR_ALIAS_SEND, &send));
	ASSERT_EQ(16, send.out_max);
	/* It is on still. */
	send.len = 16;
	ASSERT_EQ(0, _test_ioctl(DEV, SUPERVISOR_ALIAS_SEND, &send));
	ASSERT_EQ(-ESTALE, _test_ioctl(DEV, SUPERVISOR_ALIAS_SEND, &send));
	close(create.out_fd);
}

TEST_F(alias, invalid)
{
	__u64 alias;

	ASSERT_EQ(-EOPNOTSUPP, _test_alias(BOX, NONE, &alias));
	ASSERT_EQ(-EOPNOTSUPP, _test_alias(BOX, DEMONITOR, &alias));
	ASSERT_EQ(-EOPNOTSUPP, _test_alias(BOX, REPLY_DEMONITOR, &alias));
	ASSERT_EQ(-EOPNOTSUPP, _test_alias(BOX, 5, &alias));
	test_off(0);
	test_off(1);
	test_off(~0ULL);
	test_used(0);
}

/* ---- races ---- */

TEST_F(alias, send_against_unalias)
{
	struct sender sender = { .dev = DEV };
	unsigned int i, sent = 0, max = rounds(1000);
	pthread_t thread;

	for (i = 0; i < max; i++) {
		test_alias(BOX, EXPLICIT, &sender.alias);
		ASSERT_EQ(0, pthread_create(&thread, NULL, send_one, &sender));
		if (i & 1)
			usleep(i % 50);
		ASSERT_EQ(1, _test_unalias(BOX, sender.alias));
		pthread_join(thread, NULL);
		if (sender.err) {
			ASSERT_EQ(-ESTALE, sender.err);
		} else {
			sent++;
			test_cast(sender.alias, "waits");
		}
		test_nothing();
	}
	TH_LOG("%u of %u sent", sent, max);
	test_used(0);
}

TEST_HARNESS_MAIN
