// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * publish_test.c - listeners, publish, and keys as addresses, with a kernel of our
 * own: what arguments and errnos become, and what a signal repeats.
 */
#include <errno.h>
#include <stdlib.h>
#include "../internal.h"
#include "kernel.h"
#include "tap.h"

#define REGISTRY 1000		/* a descriptor that is none */

/* What the last ioctl was asked, and what the next one says. */
static struct {
	int fail;			/* if not 0, once */
	int interrupts;			/* so many before it end with EINTR */
	int ioctls;
	uint64_t fetch;			/* a call whose reply is to be fetched */
	uint32_t reply_len;
	unsigned long request;
	struct supervisor_listen listen;
	struct supervisor_publish publish;
	struct supervisor_key_send send;
	struct supervisor_key_call call;
	struct supervisor_key_signal signal;
} fake;

static void begin(void)
{
	memset(&fake, 0, sizeof(fake));
}

static int answer(int fd, unsigned long request, void *arg)
{
	struct supervisor_listen *listen = arg;
	struct supervisor_publish *publish = arg;
	struct supervisor_key_send *send = arg;
	struct supervisor_key_call *call = arg;
	struct supervisor_key_signal *signal = arg;
	int fail = fake.fail;

	if (fd != REGISTRY)
		return -ENOTTY;
	fake.request = request;
	fake.ioctls++;
	if (fake.interrupts) {
		fake.interrupts--;
		fail = -EINTR;
	} else {
		fake.fail = 0;
	}
	switch (request) {
	case SUPERVISOR_LISTEN:
	case SUPERVISOR_UNLISTEN:
		fake.listen = *listen;
		listen->out_limit = SUPERVISOR_LIMIT_SUBSCRIPTIONS;
		return fail;
	case SUPERVISOR_PUBLISH:
		fake.publish = *publish;
		publish->out_delivered = 3;
		publish->out_full = 2;
		publish->out_gone = 1;
		publish->out_limit = SUPERVISOR_LIMIT_BYTES;
		publish->out_max = SUPERVISOR_PAYLOAD_MAX;
		return fail;
	case SUPERVISOR_KEY_SEND:
		fake.send = *send;
		send->out_limit = SUPERVISOR_LIMIT_MAILBOX_MESSAGES;
		send->out_max = 77;
		return fail;
	case SUPERVISOR_KEY_CALL:
		fake.call = *call;
		call->reply_len = fake.reply_len;
		call->out_limit = SUPERVISOR_LIMIT_MAILBOX_BYTES;
		call->out_max = 77;
		call->call = fail == -EINTR ? 5 : fake.fetch;
		return fail;
	case SUPERVISOR_KEY_SIGNAL:
		fake.signal = *signal;
		signal->out_pid = 42;
		return fail;
	default:
		return -EOPNOTSUPP;
	}
}

static bool is_bytes(uint64_t pointer, uint32_t len, const char *text)
{
	return len == strlen(text) &&
	       !memcmp((const void *)(uintptr_t)pointer, text, len);
}

static void test_listen(void)
{
	SUP_OPTS(sup_result, result);

	begin();
	is(sup_listen(REGISTRY, 7, SUPERVISOR_LISTEN_F_DEATHS, &result), 0,
	   "listen");
	ok(fake.request == SUPERVISOR_LISTEN && fake.listen.mailbox_fd == 7 &&
	   fake.listen.flags == SUPERVISOR_LISTEN_F_DEATHS && !result.limit,
	   "with what it takes");
	fake.fail = -ENOSPC;
	is(sup_listen(REGISTRY, 7, 0, &result), -ENOSPC, "too many listeners");
	is(result.limit, SUPERVISOR_LIMIT_SUBSCRIPTIONS, "says of what");
	fake.fail = -EEXIST;
	is(sup_listen(REGISTRY, 7, 0, &result), -EEXIST, "twice");
	is(result.limit, 0, "is no limit");
	is(sup_unlisten(REGISTRY, 7), 0, "unlisten");
	ok(fake.request == SUPERVISOR_UNLISTEN && fake.listen.mailbox_fd == 7 &&
	   !fake.listen.flags, "the same one");
	fake.fail = -ENOENT;
	is(sup_unlisten(REGISTRY, 7), -ENOENT, "not any more");
}

static void test_publish(void)
{
	struct sup_outcome outcome = { 9, 9, 9 };
	SUP_OPTS(sup_result, result);

	begin();
	is(sup_publish(REGISTRY, "news", 4, "payload", 7, 5, &outcome, &result),
	   0, "publish");
	ok(is_bytes(fake.publish.key, fake.publish.key_len, "news") &&
	   is_bytes(fake.publish.buf, fake.publish.len, "payload") &&
	   fake.publish.deadline == 5, "with what it takes");
	ok(outcome.delivered == 3 && outcome.full == 2 && outcome.gone == 1 &&
	   !result.limit && !result.max, "says what became of it");
	is(sup_publish(REGISTRY, "news", 4, NULL, 0, 0, NULL, NULL), 0,
	   "to whom it does not matter");
	fake.fail = -EMSGSIZE;
	is(sup_publish(REGISTRY, "news", 4, "", (size_t)UINT32_MAX + 4, 0,
		       NULL, &result), -EMSGSIZE, "too long");
	ok(fake.publish.len == UINT32_MAX &&
	   result.max == SUPERVISOR_PAYLOAD_MAX && !result.limit,
	   "says what would not be");
	fake.fail = -EDQUOT;
	is(sup_publish(REGISTRY, "news", 4, "", 0, 0, NULL, &result), -EDQUOT,
	   "too much");
	ok(result.limit == SUPERVISOR_LIMIT_BYTES && !result.max, "of what");
	fake.ioctls = 0;
	fake.fail = -EINTR;
	is(sup_publish(REGISTRY, "news", 4, "", 0, 0, NULL, NULL), -EINTR,
	   "what some may have already");
	is(fake.ioctls, 1, "is not repeated");
}

static void test_send(void)
{
	SUP_OPTS(sup_result, result);

	begin();
	fake.interrupts = 2;
	is(sup_key_send(REGISTRY, "web", 3, 42, "hi", 2, 5, &result), 0,
	   "send");
	ok(fake.ioctls == 3, "whatever signals come");
	ok(is_bytes(fake.send.key, fake.send.key_len, "web") &&
	   is_bytes(fake.send.buf, fake.send.len, "hi") &&
	   fake.send.pid == 42 && fake.send.deadline == 5 && !result.limit &&
	   !result.max, "with what it takes");
	fake.fail = -EAGAIN;
	is(sup_key_send(REGISTRY, "web", 3, 0, "hi", 2, 0, &result), -EAGAIN,
	   "no room");
	ok(result.limit == SUPERVISOR_LIMIT_MAILBOX_MESSAGES && !result.max,
	   "for what");
	fake.fail = -EMSGSIZE;
	is(sup_key_send(REGISTRY, "web", 3, 0, "hi", 2, 0, &result), -EMSGSIZE,
	   "too long");
	ok(result.max == 77 && !result.limit, "says how long it may be");
	fake.fail = -EBADFD;
	is(sup_key_send(REGISTRY, "web", 3, 0, "hi", 2, 0, NULL), -EBADFD,
	   "nowhere to send it");
}

static void test_call(void)
{
	SUP_OPTS(sup_result, result);
	char reply[8];
	size_t len = sizeof(reply);
	uint64_t call = 0;

	begin();
	fake.interrupts = 1;
	fake.reply_len = 4;
	is(sup_key_call(REGISTRY, "web", 3, 42, "ask", 3, reply, &len, 5, &call,
			&result), 0, "call");
	ok(is_bytes(fake.call.key, fake.call.key_len, "web") &&
	   is_bytes(fake.call.buf, fake.call.len, "ask") &&
	   fake.call.pid == 42 && fake.call.deadline == 5 &&
	   fake.call.reply == (uintptr_t)reply &&
	   fake.call.reply_len == sizeof(reply), "with what it takes");
	ok(fake.ioctls == 2 && fake.call.call == 5,
	   "interrupted, it goes on with the same call");
	ok(len == 4 && !call && !result.limit && !result.max, "is answered");
	fake.fail = -EMSGSIZE;
	fake.fetch = 6;
	fake.reply_len = 100;
	len = sizeof(reply);
	is(sup_key_call(REGISTRY, "web", 3, 0, "ask", 3, reply, &len, 5, &call,
			&result), -EMSGSIZE, "an answer without room");
	ok(call == 6 && len == 100 && !result.max, "can be fetched");
	fake.fetch = 0;
	fake.reply_len = 4;
	is(sup_key_call(REGISTRY, "web", 3, 0, "ask", 3, reply, &len, 5, &call,
			&result), 0, "by its number");
	ok(fake.call.call == 6 && !call && len == 4, "once");
	fake.fail = -EMSGSIZE;
	is(sup_key_call(REGISTRY, "web", 3, 0, "ask", 3, reply, &len, 5, &call,
			&result), -EMSGSIZE, "a request too long");
	ok(!call && !len && result.max == 77, "says how long it may be");
	fake.fail = -ETIMEDOUT;
	is(sup_key_call(REGISTRY, "web", 3, 0, "ask", 3, reply, &len, 5, &call,
			&result), -ETIMEDOUT, "too late");
	ok(!call && !len && result.limit == SUPERVISOR_LIMIT_MAILBOX_BYTES,
	   "says what it waited for");
}

static void test_signal(void)
{
	begin();
	is(sup_key_signal(REGISTRY, "web", 3, 41, 15), 42, "signal");
	ok(is_bytes(fake.signal.key, fake.signal.key_len, "web") &&
	   fake.signal.pid == 41 && fake.signal.signal == 15,
	   "with what it takes");
	fake.fail = -EPERM;
	is(sup_key_signal(REGISTRY, "web", 3, 0, 9), -EPERM, "not ours");
}

static void test_short_results(void)
{
	struct sup_result result = { .sz = sizeof(size_t) };
	uint64_t call = 0;
	size_t len = 0;

	begin();
	is(sup_listen(REGISTRY, 7, 0, &result), -EINVAL, "a result too short");
	is(sup_publish(REGISTRY, "k", 1, "", 0, 0, NULL, &result), -EINVAL,
	   "of publish");
	is(sup_key_send(REGISTRY, "k", 1, 0, "", 0, 0, &result), -EINVAL,
	   "of send");
	is(sup_key_call(REGISTRY, "k", 1, 0, "", 0, NULL, &len, 0, &call,
			&result), -EINVAL, "of a call");
	is(fake.ioctls, 0, "and nothing is done");
}

int main(void)
{
	kernel_init();
	kernel.test = answer;
	errno = 0;
	test_listen();
	test_publish();
	test_send();
	test_call();
	test_signal();
	test_short_results();
	is(errno, 0, "errno was left alone");
	return tap_end();
}
