// SPDX-License-Identifier: GPL-2.0
/*
 * Registries and mailboxes: listeners, publish, and keys as addresses.
 */
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define KEY SUPERVISOR_SELECT_F_KEY
#define DEATHS SUPERVISOR_LISTEN_F_DEATHS

FIXTURE(talk)
{
	int dev;
	int unique;
	int topics;	/* of duplicate keys, in partitions by process */
	int box;
	struct actor a, b;
	struct supervisor_info before;
};

FIXTURE_SETUP(talk)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_info(self->dev, &self->before);
	test_registry(self->dev, REGISTRY(UNIQUE), &self->unique);
	test_registry(self->dev, REGISTRY(DUPLICATE, .partitions = 3),
		      &self->topics);
	test_mailbox_create(self->dev, 0, &self->box);
	test_actor(self->dev, &self->a);
	test_actor(self->dev, &self->b);
}

FIXTURE_TEARDOWN(talk)
{
	actor_end(&self->a);
	actor_end(&self->b);
	close(self->box);
	close(self->unique);
	close(self->topics);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define DEV (self->dev)
#define BOX (self->box)
#define A (self->a.pid)
#define order(actor_, registry_, what_, text_) \
	_test_order(&self->actor_, ORDER_##what_, self->registry_, \
		    (long)(text_))

/* ---- listeners ---- */

#define test_change(pid_, expected_) \
	do { \
		char change_[600]; \
		ASSERT_EQ(0, _test_change(BOX, (pid_), change_, \
					  sizeof(change_))); \
		ASSERT_STREQ((expected_), change_); \
	} while (0)
#define test_quiet() ASSERT_EQ(-EAGAIN, _test_recv(BOX, (char[512]){}, 512, 1, 0))

TEST_F(talk, listeners_hear_of_changes)
{
	ASSERT_EQ(0, _test_listen(self->unique, BOX, 0));
	ASSERT_EQ(0, order(a, unique, REGISTER, "web=one"));
	test_change(A, "register web=one");
	/* What failed is not told. */
	ASSERT_EQ(-EEXIST, order(b, unique, REGISTER, "web=two"));
	ASSERT_EQ(-EEXIST, order(a, unique, REGISTER, "web=two"));
	/* An update is not, either. */
	ASSERT_EQ(0, order(a, unique, UPDATE, "web=three"));
	test_quiet();
	ASSERT_EQ(1, order(a, unique, UNREGISTER, "web"));
	test_change(A, "unregister web");
	/* As OTP has it: also when nothing was there, or it was another's. */
	ASSERT_EQ(-ENOENT, _test_unregister(self->unique, "web"));
	test_change(getpid(), "unregister web");
	ASSERT_EQ(0, order(a, unique, REGISTER, "web=one"));
	test_change(A, "register web=one");
	ASSERT_EQ(-EPERM, order(b, unique, UNREGISTER, "web"));
	test_change(self->b.pid, "unregister web");
	/* Deaths are not told to who has not asked. */
	ASSERT_EQ(0, _test_actor_kill(&self->a, SIGKILL));
	ASSERT_TRUE(is_waitable(A));
	ASSERT_EQ(0, _test_count_entries(self->unique, SELECT(0, "")));
	test_quiet();
}

TEST_F(talk, listeners_hear_of_deaths)
{
	ASSERT_EQ(0, _test_listen(self->topics, BOX, DEATHS));
	ASSERT_EQ(0, order(a, topics, REGISTER, "web=one"));
	ASSERT_EQ(0, order(a, topics, REGISTER, "web=two"));
	test_change(A, "register web=one");
	test_change(A, "register web=two");
	ASSERT_EQ(0, _test_actor_kill(&self->a, SIGKILL));
	test_change(A, "died web");
	test_change(A, "died web");
	ASSERT_EQ(0, _test_count_entries(self->topics, SELECT(0, "")));
	test_quiet();
}

/* Whoever sees the death first: each entry's is told once, and before the next. */
TEST_F(talk, a_death_comes_before_its_successor)
{
	ASSERT_EQ(0, _test_listen(self->unique, BOX, DEATHS));
	ASSERT_EQ(0, order(a, unique, REGISTER, "web=one"));
	test_change(A, "register web=one");
	ASSERT_EQ(0, _test_actor_kill(&self->a, SIGKILL));
	ASSERT_TRUE(is_waitable(A));
	ASSERT_EQ(0, order(b, unique, REGISTER, "web=two"));
	test_change(A, "died web");
	test_change(self->b.pid, "register web=two");
	ASSERT_EQ(1, _test_count_entries(self->unique, SELECT(0, "")));
	test_quiet();
}

TEST_F(talk, unregister_match_is_told_when_nothing_is_left)
{
	ASSERT_EQ(0, _test_listen(self->topics, BOX, 0));
	ASSERT_EQ(0, order(a, topics, REGISTER, "web=one"));
	ASSERT_EQ(0, order(a, topics, REGISTER, "web=two"));
	test_change(A, "register web=one");
	test_change(A, "register web=two");
	ASSERT_EQ(1, order(a, topics, UNREGISTER, "web=one"));
	test_quiet();
	ASSERT_EQ(0, order(a, topics, UNREGISTER, "web=none"));
	test_quiet();
	ASSERT_EQ(1, order(a, topics, UNREGISTER, "web=two"));
	test_change(A, "unregister web");
	ASSERT_EQ(0, order(a, topics, UNREGISTER, "web=two"));
	test_change(A, "unregister web");
}

TEST_F(talk, listening_ends)
{
	struct supervisor_registry_status status;
	int other;

	ASSERT_EQ(-ENOENT, _test_unlisten(self->unique, BOX));
	ASSERT_EQ(0, _test_listen(self->unique, BOX, 0));
	ASSERT_EQ(-EEXIST, _test_listen(self->unique, BOX, DEATHS));
	ASSERT_EQ(-EBADFD, _test_listen(self->unique, self->topics, 0));
	ASSERT_EQ(-EBADF, _test_listen(self->unique, -1, 0));
	ASSERT_EQ(0, _test_unlisten(self->unique, BOX));
	ASSERT_EQ(0, _test_register(self->unique, "web=one", -1, NULL));
	test_quiet();
	test_mailbox_create(DEV, 0, &other);
	ASSERT_EQ(0, _test_listen(self->unique, other, 0));
	ASSERT_EQ(0, _test_registry_status(self->unique, &status));
	ASSERT_EQ(1, status.out_listeners);
	close(other);
	ASSERT_EQ(0, _test_registry_status(self->unique, &status));
	ASSERT_EQ(0, status.out_listeners);
	/* One of a registry that goes first. */
	ASSERT_EQ(0, _test_listen(self->topics, BOX, 0));
	close(self->topics);
	self->topics = -1;
	test_quiet();
}

TEST_F(talk, listeners_are_limited)
{
	struct supervisor_listen listen = ARG(supervisor_listen);
	int boxes[70], i, err = 0;

	for (i = 0; i < 70 && !err; i++) {
		test_mailbox_create(DEV, 4096, &boxes[i]);
		listen.mailbox_fd = boxes[i];
		err = _test_ioctl(self->unique, SUPERVISOR_LISTEN, &listen);
	}
	ASSERT_EQ(-ENOSPC, err);
	ASSERT_EQ(SUPERVISOR_LIMIT_SUBSCRIPTIONS, listen.out_limit);
	ASSERT_EQ(65, i);
	while (i--)
		close(boxes[i]);
}

TEST_F(talk, a_full_listener_has_a_gap)
{
	int small, i;
	char text[64];

	test_mailbox_create(DEV, 4096, &small);
	ASSERT_EQ(0, _test_listen(self->unique, small, 0));
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "key%d=", i);
		ASSERT_EQ(0, _test_register(self->unique, text, -1, NULL));
	}
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, _test_change(small, getpid(), text, sizeof(text)));
		if (!strcmp(text, "gap"))
			break;
	}
	ASSERT_LT(10, i);
	ASSERT_GT(100, i);
	close(small);
}

/* ---- publish ---- */

TEST_F(talk, publish_to_all)
{
	static struct message message;
	static char large[9000];
	struct supervisor_info info;
	int boxes[50], i;

	ASSERT_EQ(0, _test_publish(self->topics, "news", "none", 4, 0));
	for (i = 0; i < 50; i++) {
		test_mailbox_create(DEV, 0, &boxes[i]);
		ASSERT_EQ(0, _test_register(self->topics, "news", boxes[i], NULL));
	}
	/* It has no mailbox; and one is of another key. */
	ASSERT_EQ(0, order(a, topics, REGISTER, "news"));
	ASSERT_EQ(0, _test_register(self->topics, "other", BOX, NULL));
	ASSERT_EQ(5000, _test_publish(self->topics, "news", "one", 3, 0));
	memset(large, 'x', sizeof(large));
	ASSERT_EQ(5000, _test_publish(self->topics, "news", large,
				      sizeof(large), 0));
	/* What is shared is paid for once. */
	test_info(DEV, &info);
	ASSERT_GT(50 * 65536 + 65536 * 2 + sizeof(large) * 2,
		  info.out_used[SUPERVISOR_LIMIT_BYTES]);
	for (i = 0; i < 50; i++) {
		test_takes(boxes[i], &message, SUPERVISOR_MSG_CAST, "one");
		ASSERT_EQ(getpid(), message.head->pid);
		ASSERT_EQ(0, _test_take(boxes[i], &message, 0));
		ASSERT_EQ(sizeof(large), message.len);
		ASSERT_EQ(0, memcmp(large, message.payload, sizeof(large)));
		test_empty(boxes[i]);
		close(boxes[i]);
	}
	test_empty(BOX);
	ASSERT_EQ(-EMSGSIZE, _test_publish(self->topics, "news", large,
					   SUPERVISOR_PAYLOAD_MAX + 1, 0));
	ASSERT_EQ(-EFAULT, _test_publish(self->topics, "news", (void *)1, 8, 0));
}

TEST_F(talk, publish_counts_outcomes)
{
	struct supervisor_mailbox_create one = MAILBOX(.max_messages = 1);
	struct supervisor_mailbox_create narrow = MAILBOX(.max_payload = 2);
	int full, thin, gone;

	test_mailbox(DEV, one, &full);
	test_mailbox(DEV, narrow, &thin);
	test_mailbox_create(DEV, 0, &gone);
	ASSERT_EQ(0, _test_register(self->topics, "news", BOX, NULL));
	ASSERT_EQ(0, _test_register(self->topics, "news", full, NULL));
	ASSERT_EQ(0, _test_register(self->topics, "news", thin, NULL));
	ASSERT_EQ(0, _test_register(self->topics, "news", gone, NULL));
	close(gone);
	ASSERT_EQ(211, _test_publish(self->topics, "news", "one", 3, 0));
	ASSERT_EQ(121, _test_publish(self->topics, "news", "two", 3, 0));
	ASSERT_EQ(121, _test_publish(self->topics, "news", "two", 3,
				     after_ms(20)));
	close(full);
	close(thin);
}

static void *drain_later(void *argument)
{
	static struct message message;

	sleep_ms(50);
	_test_take((long)argument, &message, after_ms(PATIENCE_MS));
	return NULL;
}

TEST_F(talk, publish_waits_if_asked)
{
	struct supervisor_mailbox_create one = MAILBOX(.max_messages = 1);
	pthread_t thread;
	int full;

	test_mailbox(DEV, one, &full);
	ASSERT_EQ(0, _test_register(self->topics, "news", full, NULL));
	ASSERT_EQ(0, _test_register(self->topics, "news", BOX, NULL));
	ASSERT_EQ(200, _test_publish(self->topics, "news", "one", 3, 0));
	pthread_create(&thread, NULL, drain_later, (void *)(long)full);
	ASSERT_EQ(200, _test_publish(self->topics, "news", "two", 3,
				     after_ms(PATIENCE_MS)));
	pthread_join(thread, NULL);
	test_takes_cast(full, "two");
	close(full);
}

/* ---- keys as addresses ---- */

TEST_F(talk, send_to_a_key)
{
	ASSERT_EQ(-ENOENT, _test_key_send(self->unique, "web", 0, "hello"));
	ASSERT_EQ(0, _test_register(self->unique, "web", BOX, NULL));
	ASSERT_EQ(0, _test_key_send(self->unique, "web", 0, "hello"));
	test_takes_cast(BOX, "hello");
	ASSERT_EQ(0, _test_key_send(self->unique, "web", getpid(), "again"));
	test_takes_cast(BOX, "again");
	ASSERT_EQ(-ENOENT, _test_key_send(self->unique, "web", A, "no"));
	ASSERT_EQ(0, order(a, unique, REGISTER, "mute"));
	ASSERT_EQ(-EBADFD, _test_key_send(self->unique, "mute", 0, "no"));
	ASSERT_EQ(-EINVAL, _test_key_send(self->unique, "web", -1, "no"));
	/* Of duplicate keys: whose? */
	ASSERT_EQ(0, _test_register(self->topics, "web=mute", -1, NULL));
	ASSERT_EQ(-EBADFD,
		  _test_key_send(self->topics, "web", getpid(), "no"));
	ASSERT_EQ(0, _test_register(self->topics, "web", BOX, NULL));
	ASSERT_EQ(-EINVAL, _test_key_send(self->topics, "web", 0, "no"));
	ASSERT_EQ(0, _test_key_send(self->topics, "web", getpid(), "mine"));
	test_takes_cast(BOX, "mine");
}

TEST_F(talk, a_mailbox_by_update)
{
	struct supervisor_update update =
		ARG(supervisor_update, .flags = SUPERVISOR_UPDATE_F_MAILBOX,
		    .key = (uintptr_t)"web", .key_len = 3, .mailbox_fd = BOX);

	ASSERT_EQ(0, _test_register(self->unique, "web=one", -1, NULL));
	ASSERT_EQ(-EBADFD, _test_key_send(self->unique, "web", 0, "no"));
	test_ioctl(self->unique, SUPERVISOR_UPDATE, &update);
	ASSERT_EQ(0, _test_key_send(self->unique, "web", 0, "hello"));
	/* It stays if nothing is said of it. */
	ASSERT_EQ(0, _test_update(self->unique, "web=two", NULL));
	ASSERT_EQ(0, _test_key_send(self->unique, "web", 0, "again"));
	test_takes_cast(BOX, "hello");
	test_takes_cast(BOX, "again");
	update.mailbox_fd = -1;
	test_ioctl(self->unique, SUPERVISOR_UPDATE, &update);
	ASSERT_EQ(-EBADFD, _test_key_send(self->unique, "web", 0, "no"));
}

struct key_client {
	int registry;
	__u64 deadline;
	char reply[64];
	int err;
	volatile pid_t tid;
	pthread_t thread;
};

static void *key_client_run(void *argument)
{
	struct key_client *client = argument;
	struct supervisor_key_call call =
		ARG(supervisor_key_call, .key = (uintptr_t)"web", .key_len = 3,
		    .buf = (uintptr_t)"ask", .len = 3,
		    .reply = (uintptr_t)client->reply,
		    .reply_len = sizeof(client->reply),
		    .deadline = client->deadline);

	client->tid = syscall(SYS_gettid);
	do {
		call.reply_len = sizeof(client->reply);
		client->err = _test_ioctl(client->registry, SUPERVISOR_KEY_CALL,
					  &call);
	} while (client->err == -EINTR);
	return NULL;
}

static void nothing(int number)
{
}

TEST_F(talk, call_to_a_key)
{
	struct key_client client = { .registry = self->unique,
				     .deadline = after_ms(PATIENCE_MS) };
	struct sigaction action = { .sa_handler = nothing };
	pid_t owner;
	__u64 from;
	int i;

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, _test_register(self->unique, "web", BOX, NULL));
	/* To oneself it would wait for ever. */
	key_client_run(&client);
	ASSERT_EQ(-EDEADLK, client.err);
	owner = test_new_owner(BOX);
	pthread_create(&client.thread, NULL, key_client_run, &client);
	from = test_takes_call(BOX, "ask");
	/* Interrupted, it goes on, also when the key is somebody else's by now. */
	ASSERT_EQ(1, _test_unregister(self->unique, "web"));
	for (i = 0; i < 3; i++) {
		syscall(SYS_tgkill, getpid(), client.tid, SIGUSR1);
		sleep_ms(10);
	}
	test_reply(BOX, from, "answer");
	pthread_join(client.thread, NULL);
	ASSERT_EQ(0, client.err);
	ASSERT_EQ(0, memcmp("answer", client.reply, 6));

	ASSERT_EQ(0, _test_register(self->unique, "web", BOX, NULL));
	pthread_create(&client.thread, NULL, key_client_run, &client);
	test_takes_call(BOX, "ask");
	process_kill(owner);
	pthread_join(client.thread, NULL);
	ASSERT_EQ(-EOWNERDEAD, client.err);
}

static void *answer(void *argument)
{
	static struct message message;
	int box = (long)argument;

	if (!_test_take(box, &message, after_ms(PATIENCE_MS)))
		_test_reply(box, message.head->ref, "answer", 6);
	return NULL;
}

/* A reply without room waits for who asks again, as long as there is the file. */
TEST_F(talk, a_call_to_be_fetched_goes_with_its_file)
{
	char name[32], reply[8];
	struct supervisor_key_call call =
		ARG(supervisor_key_call, .key = (uintptr_t)"web", .key_len = 3,
		    .buf = (uintptr_t)"ask", .len = 3,
		    .reply = (uintptr_t)reply,
		    .deadline = after_ms(PATIENCE_MS));
	struct supervisor_info info;
	pthread_t thread;
	int file, other;
	pid_t owner;
	__u64 number;

	snprintf(name, sizeof(name), "/talk.%d", getpid());
	test_registry(DEV, NAMED_REGISTRY(name, UNIQUE), &file);
	test_open_registry(DEV, name, O_RDWR, &other);
	ASSERT_EQ(0, _test_register(file, "web", BOX, NULL));
	owner = test_new_owner(BOX);
	test_info(DEV, &info);

	pthread_create(&thread, NULL, answer, (void *)(long)BOX);
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(other, SUPERVISOR_KEY_CALL, &call));
	pthread_join(thread, NULL);
	ASSERT_EQ(6, call.reply_len);
	number = call.call;
	ASSERT_NE(0, number);
	ASSERT_EQ(-ESTALE, _test_ioctl(file, SUPERVISOR_KEY_CALL, &call));
	call.call = number;
	call.reply_len = sizeof(reply);
	test_ioctl(other, SUPERVISOR_KEY_CALL, &call);
	ASSERT_EQ(0, memcmp("answer", reply, 6));
	ASSERT_EQ(0, call.call);
	call.call = number;
	ASSERT_EQ(-ESTALE, _test_ioctl(other, SUPERVISOR_KEY_CALL, &call));

	call.call = 0;
	call.reply_len = 0;
	pthread_create(&thread, NULL, answer, (void *)(long)BOX);
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(other, SUPERVISOR_KEY_CALL, &call));
	pthread_join(thread, NULL);
	ASSERT_FALSE(used_is(DEV, &info));
	close(other);
	ASSERT_TRUE(used_is(DEV, &info));
	process_kill(owner);
	close(file);
}

TEST_F(talk, signal_a_key)
{
	int status;

	ASSERT_EQ(-ENOENT, _test_key_signal(self->unique, "web", 0, 0));
	ASSERT_EQ(0, order(a, unique, REGISTER, "web"));
	ASSERT_EQ(A, _test_key_signal(self->unique, "web", 0, 0));
	ASSERT_EQ(-EINVAL, _test_key_signal(self->unique, "web", 0, 65));
	ASSERT_EQ(-ENOENT, _test_key_signal(self->unique, "web", getpid(), 0));
	ASSERT_EQ(A, _test_key_signal(self->unique, "web", A, SIGTERM));
	ASSERT_EQ(A, waitpid(A, &status, 0));
	ASSERT_EQ(SIGTERM, WTERMSIG(status));
	ASSERT_EQ(-ENOENT, _test_key_signal(self->unique, "web", 0, SIGTERM));
	self->a.pid = 0;
	ASSERT_EQ(0, order(b, topics, REGISTER, "web"));
	ASSERT_EQ(-EINVAL, _test_key_signal(self->topics, "web", 0, 0));
	ASSERT_EQ(self->b.pid, _test_key_signal(self->topics, "web",
						self->b.pid, 0));
}

TEST_HARNESS_MAIN
