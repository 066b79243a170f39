// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * call_test.c - casts, calls, refs and pidfds, with a kernel of our own: how
 * they go on after a signal, what becomes of a reply without room, and that a
 * process which is gone is not mistaken for another.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../internal.h"
#include "kernel.h"
#include "tap.h"

#define SECONDS(n) sup_deadline_in((n) * 1000)

static int mailbox;

/* Answers one call with as many bytes as it asks for. */
static void *answer_one(void *unused)
{
	static char bytes[SUPERVISOR_PAYLOAD_MAX];
	_Alignas(8) char buf[4096];
	const struct supervisor_msg *msg;
	size_t len = sizeof(buf);
	const void *payload;

	(void)unused;
	if (sup_mailbox_recv(mailbox, buf, &len, 1, SECONDS(20)) != 1)
		abort();
	msg = sup_msg_next(buf, len, NULL);
	payload = sup_msg_payload(msg, &len);
	if (msg->type != SUPERVISOR_MSG_CALL || len != sizeof(size_t))
		abort();
	memcpy(&len, payload, sizeof(len));
	memset(bytes, 'r', len);
	if (sup_call_reply(mailbox, msg->ref, bytes, len))
		abort();
	return NULL;
}

static pthread_t server_begin(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, answer_one, NULL))
		abort();
	return thread;
}

static void test_cast(void)
{
	SUP_OPTS(sup_result, result);
	_Alignas(8) char buf[256];
	static char large[SUPERVISOR_PAYLOAD_MAX + 1];
	const struct supervisor_msg *msg;
	size_t len = sizeof(buf);
	const char *payload;

	is(sup_cast(mailbox, "hello", 5, SUP_TIMEOUT_DEFAULT), 0, "a cast");
	is(sup_mailbox_recv(mailbox, buf, &len, 0, 0), 1, "arrives");
	msg = sup_msg_next(buf, len, NULL);
	payload = sup_msg_payload(msg, &len);
	ok(msg->type == SUPERVISOR_MSG_CAST && len == 5 &&
	   !memcmp(payload, "hello", 5), "as it was");
	len = sizeof(buf);
	is(sup_mailbox_recv(mailbox, buf, &len, 0, 0), -EAGAIN, "once");

	kernel.full = 1;
	is(sup_mailbox_send(mailbox, "x", 1, 0, &result), -EAGAIN, "no room");
	is(result.limit, SUPERVISOR_LIMIT_MAILBOX_MESSAGES, "says which");
	kernel.interrupts = 3;
	is(sup_cast(mailbox, "x", 1, 20), -ETIMEDOUT,
	   "waits for it, past signals");
	is(kernel.interrupts, 0, "which there were");
	kernel.full = 0;
	is(sup_mailbox_send(mailbox, large, sizeof(large), 0, &result),
	   -EMSGSIZE, "too long");
	is((long long)result.max, SUPERVISOR_PAYLOAD_MAX,
	   "says what would not be");
}

static void test_call(void)
{
	static char reply[SUPERVISOR_PAYLOAD_MAX];
	SUP_OPTS(sup_result, result);
	size_t want = 100, len = sizeof(reply);
	pthread_t thread = server_begin();
	uint64_t call = 0;

	kernel.interrupts = 3;
	kernel.calls_sent = 0;
	is(sup_call(mailbox, &want, sizeof(want), reply, &len,
		    SUP_TIMEOUT_DEFAULT), 0, "a call, and three signals");
	ok(len == 100 && reply[0] == 'r' && reply[99] == 'r', "its reply");
	is(kernel.calls_sent, 1, "it was sent once");
	pthread_join(thread, NULL);

	thread = server_begin();
	want = 5000;
	len = 10;
	is(sup_mailbox_call(mailbox, &want, sizeof(want), reply, &len,
			    SECONDS(20), &call, &result), -EMSGSIZE,
	   "a reply without room");
	ok(len == 5000 && call, "says what it needs");
	is((long long)result.max, 0, "it is not the request");
	pthread_join(thread, NULL);
	len = 4999;
	is(sup_mailbox_call(mailbox, NULL, 0, reply, &len, SECONDS(20), &call,
			    NULL), -EMSGSIZE, "too little again");
	len = 5000;
	is(sup_mailbox_call(mailbox, NULL, 0, reply, &len, SECONDS(20), &call,
			    NULL), 0, "with room it is fetched");
	ok(len == 5000 && !call && kernel.calls_sent == 2, "and not asked for");

	thread = server_begin();
	want = SUPERVISOR_PAYLOAD_MAX;
	len = 10;
	is(sup_call(mailbox, &want, sizeof(want), reply, &len, 20000),
	   -EMSGSIZE, "a reply that sup_call() has no room for");
	is((long long)len, SUPERVISOR_PAYLOAD_MAX, "is given up");
	pthread_join(thread, NULL);

	len = sizeof(reply);
	is(sup_call(mailbox, reply, sizeof(reply) + 1, reply, &len, 20000),
	   -EMSGSIZE, "a request that is too long");
	is((long long)len, 0, "is told from that");
	len = sizeof(reply);
	is(sup_call(mailbox, "x", 1, reply, &len, 20), -ETIMEDOUT,
	   "nobody answers");
	is((long long)len, 0, "no reply");
	len = sizeof(reply);
	is(sup_call(mailbox, "x", 1, reply, &len, 0), -EAGAIN, "no time");
	is(sup_call_reply(mailbox, 1, "x", 1), -EALREADY, "a second reply");
	is(sup_call_reply(mailbox, 99, "x", 1), -ENOENT, "to nothing");
}

static void test_started(void)
{
	_Alignas(8) char buf[5000 + SUP_REPLY_ROOM];
	size_t want = 5000, len = sizeof(buf);
	int into = sup_mailbox_create(kernel.device, 0, NULL);
	uint64_t ref, other;
	pthread_t thread;

	is(sup_call_start(mailbox, &want, sizeof(want), into, SECONDS(20),
			  &ref, NULL), 0, "a call that does not wait");
	ok(ref, "has a ref");
	is(sup_call_wait(into, ref, buf, &len, 0), -EAGAIN, "no reply yet");
	sup_cast(into, "in the way", 10, 0);
	thread = server_begin();
	len = 100;
	is(sup_call_wait(into, ref, buf, &len, SECONDS(20)), -EMSGSIZE,
	   "its reply has no room");
	ok(len > 5000 && len <= sizeof(buf), "says what it needs");
	kernel.interrupts = 2;
	len = sizeof(buf);
	is(sup_call_wait(into, ref, buf, &len, SECONDS(20)), 0,
	   "its reply, past another message");
	ok(len == 5000 && buf[0] == 'r' && buf[4999] == 'r', "all of it");
	pthread_join(thread, NULL);
	is(sup_call_cancel(into, ref, SUPERVISOR_REF_F_FLUSH), 0,
	   "nothing to cancel");

	sup_call_start(mailbox, &want, sizeof(want), into, SECONDS(20), &ref,
		       NULL);
	is(sup_call_cancel(into, ref, SUPERVISOR_REF_F_FLUSH), 1, "cancel");
	sup_call_start(mailbox, &want, sizeof(want), into, SECONDS(20), &other,
		       NULL);
	kernel_kill_owner(mailbox);
	len = sizeof(buf);
	is(sup_call_wait(into, other, buf, &len, SECONDS(20)), -EOWNERDEAD,
	   "the server dies");
	is(sup_call_start(mailbox, &want, sizeof(want), into, SECONDS(20),
			  &other, NULL), -ESHUTDOWN, "it is dead");
	is((long long)other, 0, "which leaves no ref");
	is(sup_cast(mailbox, "x", 1, 0), -ESHUTDOWN, "for casts, too");
	is(sup_mailbox_own(mailbox), 0, "it is ours again");
	is(sup_call_start(mailbox, "x", 1, -1, SECONDS(20), &ref, NULL),
	   -EBADF, "no mailbox for the reply");
	sup_close(into);
}

static void test_serve(void)
{
	SUP_OPTS(sup_mailbox_opts, opts, .name = "/call_test");
	struct supervisor_mailbox_status status = { .size = sizeof(status) };
	int fd = sup_mailbox_serve(kernel.device, &opts, NULL);
	int other;

	ok(fd >= 0, "serve makes a mailbox");
	is(sup_mailbox_status(fd, &status), 0, "its status");
	is(status.out_survive, 1, "which survives");
	is(sup_mailbox_create_with(kernel.device, &opts, NULL), -EEXIST,
	   "its name is taken");
	kernel_kill_owner(fd);
	is(sup_cast(fd, "kept", 4, 0), 0, "nobody serves it, it takes casts");
	other = sup_mailbox_serve(kernel.device, &opts, NULL);
	ok(other >= 0, "serve takes it over");
	status = (struct supervisor_mailbox_status){ .size = sizeof(status) };
	sup_mailbox_status(other, &status);
	sup_close(other);
	ok(status.out_owner_pid == getpid() && status.out_messages == 1,
	   "with what is in it");
	kernel.pid = 1;
	is(sup_mailbox_serve(kernel.device, &opts, NULL), -EBUSY,
	   "not from one who lives");
	kernel_reset();
	opts.name = "/call_test_race";
	kernel.names_taken = 1;
	fd = sup_mailbox_serve(kernel.device, &opts, NULL);
	ok(fd >= 0, "a name that is gone when it is looked for");
	sup_close(fd);
	opts.name = NULL;
	is(sup_mailbox_serve(kernel.device, &opts, NULL), -EINVAL, "no name");
}

static pid_t child_begin(int *pidfd)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	*pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return pid;
}

static void test_pidfd(void)
{
	uint64_t ref = 0;
	int pidfd, fd;
	pid_t pid;

	kernel_reset();
	pid = child_begin(&pidfd);
	is(sup_monitor_pidfd(mailbox, pidfd, 0, &ref, NULL), 0,
	   "a monitor by pidfd");
	ok(kernel.monitored == pid && kernel.monitors == 1 && ref,
	   "is of its process");
	is(sup_process_link_pidfd(kernel.device, pidfd, 0, &ref, NULL), 0,
	   "a link");
	ok(kernel.linked == pid && ref == kernel.link, "likewise");
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	is(sup_monitor_pidfd(mailbox, pidfd, 0, &ref, NULL), 0,
	   "dead, but not reaped");
	ok(kernel.monitored == pid && kernel.monitors == 2,
	   "the number is still its own");
	/* Its number is found, and lost before the ioctl; then it is not found. */
	kernel.reaped = true;
	for (int i = 0; i < 2; i++) {
		is(sup_monitor_pidfd(mailbox, pidfd, 0, &ref, NULL), 0,
		   "reaped");
		ok(kernel.monitored == INT_MAX && kernel.monitors == 3 + i,
		   "is a process that there is not");
		is(sup_process_link_pidfd(kernel.device, pidfd, 0, &ref, NULL),
		   0, "a link to it");
		ok(kernel.linked == INT_MAX && kernel.links == 2 + i,
		   "likewise");
		waitpid(pid, NULL, 0);
	}
	close(pidfd);

	fd = open("/dev/null", O_RDONLY);
	is(sup_monitor_pidfd(mailbox, fd, 0, &ref, NULL), -EBADF,
	   "another file");
	close(fd);
	is(sup_monitor_pidfd(mailbox, fd, 0, &ref, NULL), -EBADF, "no file");
	is(sup_monitor_pidfd(mailbox, -1, 0, &ref, NULL), -EBADF, "none");
}

static void test_alias(void)
{
	_Alignas(8) char buf[256];
	const struct supervisor_msg *msg;
	size_t len = sizeof(buf);
	uint64_t ref;

	is(sup_alias(mailbox, SUPERVISOR_ALIAS_EXPLICIT, &ref, NULL), 0,
	   "an alias");
	is(sup_alias_send(kernel.device, ref, "hi", 2, 0, NULL), 0, "a cast");
	is(sup_mailbox_recv_with(mailbox, SUPERVISOR_RECV_F_REF, ref, buf,
				 &len, 1, 0), 1, "received by its ref");
	msg = sup_msg_next(buf, len, NULL);
	ok(sup_msg_data(msg) && msg->ref == ref, "which it has");
	is(sup_unalias(mailbox, ref), 1, "unalias");
	is(sup_unalias(mailbox, ref), 0, "again");
	is(sup_alias_send(kernel.device, ref, "hi", 2, 0, NULL), -ESTALE,
	   "it is off");
}

int main(void)
{
	kernel_init();
	errno = 0;
	mailbox = sup_mailbox_create(kernel.device, 0, NULL);
	test_cast();
	test_call();
	test_started();
	test_serve();
	test_alias();
	is(errno, 0, "errno was left alone");
	test_pidfd();
	return tap_end();
}
