// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * messages.c - casts, calls, refs, links and servers against the module. Runs
 * where /dev/supervisor is; skips all elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "live.h"
#include "tap.h"

/* ---- a server in a process of its own --------------------------------- */

/* "echo", "later", "crash", "stop", "slow", "big": the first word decides. */
static uint64_t later;

static int on_call(struct sup_server *server, void *state,
		   const struct supervisor_msg *msg, const void *request,
		   size_t len)
{
	static char big[SUPERVISOR_PAYLOAD_MAX];
	const char *text = request;

	(void)state;
	if (len >= 5 && !memcmp(text, "later", 5)) {
		later = msg->ref;
		return sup_server_timeout(server, 50);
	}
	if (len >= 5 && !memcmp(text, "crash", 5))
		return -EIO;
	if (len >= 4 && !memcmp(text, "stop", 4)) {
		sup_server_reply(server, "bye", 3);
		return sup_server_exit(server, SUPERVISOR_EXIT_SHUTDOWN, 0);
	}
	if (len >= 4 && !memcmp(text, "slow", 4))
		usleep(200000);
	if (len >= 3 && !memcmp(text, "big", 3))
		return sup_server_reply(server, big, sizeof(big));
	if (len >= 4 && !memcmp(text, "path", 4))
		return sup_server_reply(server, sup_msg_path(msg),
					strlen(sup_msg_path(msg)));
	return sup_server_reply(server, request, len);
}

static int on_cast(struct sup_server *server, void *state,
		   const struct supervisor_msg *msg, const void *request,
		   size_t len)
{
	(void)server;
	(void)msg;
	(void)request;
	(void)len;
	++*(int *)state;
	return 0;
}

static int on_info(struct sup_server *server, void *state,
		   const struct supervisor_msg *msg)
{
	(void)state;
	if (!msg && later)
		sup_call_reply(sup_server_mailbox(server), later, "late", 4);
	return 0;
}

static void on_terminate(struct sup_server *server, void *state,
			 uint32_t reason, int error)
{
	(void)server;
	(void)state;
	(void)error;
	printf("# server %d: terminate, %s\n", getpid(),
	       sup_word(SUP_WORDS_EXIT, reason));
	fflush(stdout);
}

static struct sup_server *served;

static void on_term(int signo)
{
	sup_server_signal(served, signo);
}

/* Its exit status is that of a process that does nothing else. */
static int serve(const char *name, int mailbox, int parent)
{
	SUP_OPTS(sup_mailbox_opts, create, .survive = 1);
	SUP_OPTS(sup_server_ops, ops, .handle_call = on_call,
		 .handle_cast = on_cast, .handle_info = on_info,
		 .terminate = on_terminate);
	int casts = 0;
	SUP_OPTS(sup_server_opts, opts, .state = &casts, .create = &create,
		 .state_size = sizeof(casts), .mailbox = mailbox,
		 .recv_flags = SUPERVISOR_RECV_F_PATH);

	create.name = name;
	opts.parent = parent;
	opts.trap_exit = !!parent;
	if (sup_server_new(&served, &ops, &opts))
		return 99;
	signal(SIGTERM, on_term);
	return sup_server_run(served);
}

/* Forks a server on a mailbox that it owns; the parent may write to it. */
static pid_t serve_forked(int mailbox, int parent)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (sup_mailbox_own(mailbox))
			_exit(98);
		_exit(serve(NULL, mailbox, parent));
	}
	return pid;
}

/* Until the child owns it: before, a call would be to ourselves. */
static void wait_owned(int mailbox, pid_t pid)
{
	struct supervisor_mailbox_status status;

	for (int i = 0; i < 2000; i++) {
		status = (struct supervisor_mailbox_status){
			.size = sizeof(status)
		};
		if (!sup_mailbox_status(mailbox, &status) &&
		    status.out_owner_pid == pid)
			return;
		usleep(5000);
	}
	printf("Bail out! %d never owned the mailbox\n", pid);
	exit(1);
}

static int ended(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static int ask(int mailbox, const char *request)
{
	char reply[64] = "";
	size_t len = sizeof(reply);
	int ret = sup_call(mailbox, request, strlen(request), reply, &len,
			   20000);

	return ret ? ret : (int)len;
}

/* ---- tests ------------------------------------------------------------ */

static void on_alarm(int signo)
{
	(void)signo;
}

static void test_calls(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	static char reply[SUPERVISOR_PAYLOAD_MAX];
	static char large[SUPERVISOR_PAYLOAD_MAX + 1];
	SUP_OPTS(sup_result, result);
	int mailbox = sup_mailbox_create(device, 0, NULL);
	size_t len = sizeof(reply);
	uint64_t call = 0;
	pid_t pid;

	is(ask(mailbox, "x"), -EDEADLK, "a call to oneself");
	pid = serve_forked(mailbox, 0);
	wait_owned(mailbox, pid);
	is(ask(mailbox, "hello"), 5, "a call is answered");
	is(sup_call(mailbox, "", 0, reply, &len, SUP_TIMEOUT_DEFAULT), 0,
	   "an empty one, too");
	is((long long)len, 0, "with nothing");
	is(ask(mailbox, "later"), 4, "or later");
	len = sizeof(reply);
	is(sup_call(mailbox, "slow", 4, reply, &len, 30), -ETIMEDOUT,
	   "a timeout");
	is(ask(mailbox, "again"), 5, "ends that call only");

	/* no SA_RESTART: each is an EINTR */
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	is(ask(mailbox, "slow"), 4, "a call goes on after signals");
	setitimer(ITIMER_REAL, &never, NULL);

	len = 10;
	is(sup_mailbox_call(mailbox, "big", 3, reply, &len, SECONDS(20), &call,
			    NULL), -EMSGSIZE, "a reply without room");
	ok(len == SUPERVISOR_PAYLOAD_MAX && call, "says what it needs");
	is(sup_mailbox_call(mailbox, NULL, 0, reply, &len, SECONDS(20), &call,
			    NULL), 0, "and is fetched");
	ok(len == sizeof(reply) && !call, "all of it");
	for (int i = 0; i < 100; i++) {
		len = 10;
		if (sup_call(mailbox, "big", 3, reply, &len, 20000) !=
		    -EMSGSIZE || len != sizeof(reply))
			ok(0, "reply %d that is given up", i);
	}
	{
		struct supervisor_info info = { .size = sizeof(info) };

		sup_info(device, &info);
		is((long long)info.out_used[SUPERVISOR_LIMIT_CALLS], 0,
		   "given up, replies hold nothing");
	}
	is(sup_mailbox_send(mailbox, large, sizeof(large), SECONDS(20),
			    &result), -EMSGSIZE, "a cast that is too long");
	is((long long)result.max, SUPERVISOR_PAYLOAD_MAX, "says what is not");
	is(ask(mailbox, "crash"), -EOWNERDEAD, "the server crashes");
	is(ended(pid), 1 << 8, "with status 1");
	is(ask(mailbox, "x"), -ESHUTDOWN, "then nobody serves it");
	is(sup_cast(mailbox, "x", 1, 0), -ESHUTDOWN, "casts neither");
	close(mailbox);
}

static void test_started(void)
{
	_Alignas(8) char buf[64 + SUP_REPLY_ROOM];
	int mailbox = sup_mailbox_create(device, 0, NULL);
	int into = sup_mailbox_create(device, 0, NULL);
	pid_t pid = serve_forked(mailbox, 0);
	uint64_t ref[3];
	size_t len;

	wait_owned(mailbox, pid);
	for (int i = 0; i < 3; i++)
		is(sup_call_start(mailbox, i ? "hello" : "slow", i ? 5 : 4,
				  into, SECONDS(20), &ref[i], NULL), 0,
		   "a call that does not wait");
	len = sizeof(buf);
	is(sup_call_wait(into, ref[2], buf, &len, sup_deadline_in(20)),
	   -ETIMEDOUT, "is not answered at once");
	len = sizeof(buf);
	is(sup_call_wait(into, ref[2], buf, &len, SECONDS(20)), 0,
	   "the last one first");
	ok(len == 5 && !memcmp(buf, "hello", 5), "its reply");
	len = sizeof(buf);
	is(sup_call_wait(into, ref[0], buf, &len, SECONDS(20)), 0,
	   "the first one");
	is(sup_call_cancel(into, ref[1], SUPERVISOR_REF_F_FLUSH), 0,
	   "the other was done");
	len = sizeof(buf);
	is(sup_mailbox_recv(into, buf, &len, 0, 0), -EAGAIN,
	   "and its reply is flushed");
	is(sup_call_start(mailbox, "slow", 4, into, SECONDS(20), &ref[0], NULL),
	   0, "another");
	is(sup_call_cancel(into, ref[0], SUPERVISOR_REF_F_FLUSH), 1, "cancel");
	sup_call_start(mailbox, "slow", 4, into, SECONDS(20), &ref[0], NULL);
	kill(pid, SIGKILL);
	len = sizeof(buf);
	is(sup_call_wait(into, ref[0], buf, &len, SECONDS(20)), -EOWNERDEAD,
	   "its server is killed");
	ended(pid);
	close(into);
	close(mailbox);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

/* The next message, which is a DOWN or an EXIT of this ref. */
static struct supervisor_msg_down down(int mailbox, uint64_t ref)
{
	struct supervisor_msg_down none = { .reason = 99 };
	_Alignas(8) char buf[512];
	size_t len = sizeof(buf);
	const struct supervisor_msg *msg;

	if (sup_mailbox_recv(mailbox, buf, &len, 1, SECONDS(20)) != 1)
		return none;
	msg = sup_msg_next(buf, len, NULL);
	return msg->ref == ref && sup_msg_down(msg) ? *sup_msg_down(msg) : none;
}

static void test_monitors(void)
{
	int mailbox = sup_mailbox_create(device, 0, NULL);
	int other = sup_mailbox_create(device, 0, NULL);
	_Alignas(8) char buf[512];
	struct supervisor_msg_down end;
	size_t len = sizeof(buf);
	uint64_t ref, second;
	int pidfd;
	pid_t pid;

	pid = sleeper();
	is(sup_monitor(mailbox, pid, 0, &ref, NULL), 0, "a monitor");
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	is(sup_monitor_pidfd(mailbox, pidfd, 0, &second, NULL), 0, "by pidfd");
	is(sup_demonitor(mailbox, ref, SUPERVISOR_REF_F_FLUSH), 1,
	   "demonitor");
	is(sup_demonitor(mailbox, ref, SUPERVISOR_REF_F_FLUSH), 0, "again");
	kill(pid, SIGKILL);
	end = down(mailbox, second);
	ok(end.reason == SUPERVISOR_EXIT_KILLED && end.status == SIGKILL &&
	   end.head.pid == pid && end.what == SUPERVISOR_DOWN_OF_PROCESS,
	   "DOWN");
	ended(pid);
	is(sup_monitor_pidfd(mailbox, pidfd, SUPERVISOR_ALIAS_DEMONITOR, &ref,
			     NULL), 0, "of one that is reaped");
	is(down(mailbox, ref).reason, SUPERVISOR_EXIT_NOPROC, "is noproc");
	is(sup_monitor(mailbox, INT_MAX, 0, &ref, NULL), 0,
	   "of a number that there is not");
	is(down(mailbox, ref).reason, SUPERVISOR_EXIT_NOPROC, "likewise");
	close(pidfd);

	is(sup_monitor_fd(mailbox, other, 0, &ref, NULL), 0, "of a mailbox");
	close(other);
	end = down(mailbox, ref);
	ok(end.reason == SUPERVISOR_EXIT_NORMAL &&
	   end.what == SUPERVISOR_DOWN_OF_MAILBOX, "which is closed");
	is(sup_monitor_fd(mailbox, device, 0, &ref, NULL), -EBADFD,
	   "of the device");

	is(sup_alias(mailbox, SUPERVISOR_ALIAS_REPLY, &ref, NULL), 0,
	   "an alias");
	is(sup_alias_send(device, ref, "hi", 2, 0, NULL), 0, "a cast to it");
	is(sup_mailbox_recv_with(mailbox, SUPERVISOR_RECV_F_REF, ref, buf, &len,
				 1, 0), 1, "arrives");
	is(sup_alias_send(device, ref, "hi", 2, 0, NULL), -ESTALE,
	   "which ends it");
	is(sup_unalias(mailbox, ref), 0, "it was off");
	is(sup_alias(mailbox, SUPERVISOR_ALIAS_DEMONITOR, &ref, NULL),
	   -EOPNOTSUPP, "one for monitors only");
	close(mailbox);
}

static void test_links(void)
{
	int mailbox = sup_mailbox_create(device, 0, NULL);
	pid_t pid = sleeper();
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct supervisor_msg_down end;
	uint64_t ref, second;

	is(sup_trap_exit(device, mailbox), 0, "trap exits");
	is(sup_process_link_pidfd(device, pidfd, 0, &ref, NULL), 0, "a link");
	is(sup_process_link(device, pid, 0, &second, NULL), 1, "again");
	ok(ref == second, "is the same");
	is(sup_process_unlink(device, pid), 1, "unlink");
	is(sup_process_unlink(device, pid), 0, "again");
	is(sup_process_link(device, pid, 0, &ref, NULL), 0, "a link");
	kill(pid, SIGKILL);
	end = down(mailbox, ref);
	ok(end.reason == SUPERVISOR_EXIT_KILLED &&
	   end.head.type == SUPERVISOR_MSG_EXIT, "its end is a message");
	ended(pid);
	is(sup_process_link_pidfd(device, pidfd, 0, &ref, NULL), 0,
	   "a link to one that is reaped");
	is(down(mailbox, ref).reason, SUPERVISOR_EXIT_NOPROC, "is noproc");
	is(sup_trap_exit(device, -1), 0, "trap no more");
	close(pidfd);
	close(mailbox);
}

static void test_sys(void)
{
	SUP_OPTS(sup_server_status, status);
	static _Alignas(8) char buf[8192];
	int mailbox = sup_mailbox_create(device, 0, NULL);
	int traces = sup_mailbox_create(device, 0, NULL);
	pid_t pid = serve_forked(mailbox, 0);
	const struct sup_trace *trace;
	const void *data;
	char reply[8];
	uint64_t alias;
	int casts = -1;
	size_t len;

	wait_owned(mailbox, pid);
	is(sup_server_suspend(mailbox, SECONDS(20)), 0, "suspend");
	sup_cast(mailbox, "x", 1, SUP_TIMEOUT_DEFAULT);
	len = sizeof(reply);
	is(sup_call(mailbox, "x", 1, reply, &len, 100), -ETIMEDOUT,
	   "nothing is handled");
	is(sup_server_get_status(mailbox, &status, NULL, NULL, SECONDS(20)), 0,
	   "get_status");
	ok(status.suspended && status.pid == pid && status.waiting == 2,
	   "two wait");
	is(sup_server_resume(mailbox, SECONDS(20)), 0, "resume");
	is(ask(mailbox, "x"), 1, "all goes on");
	len = sizeof(casts);
	is(sup_server_get_state(mailbox, &casts, &len, SECONDS(20)), 0,
	   "get_state");
	is(casts, 1, "one cast");
	sup_alias(traces, SUPERVISOR_ALIAS_EXPLICIT, &alias, NULL);
	is(sup_server_trace(mailbox, alias, SECONDS(20)), 0, "trace");
	is(ask(mailbox, "traced"), 6, "a call");
	len = sizeof(buf);
	is(sup_mailbox_recv(traces, buf, &len, 1, SECONDS(20)), 1,
	   "its trace");
	trace = sup_msg_trace((const void *)buf, &data, &len);
	ok(trace && trace->kind == SUP_TRACE_CALL && trace->pid == getpid() &&
	   len == 6 && !memcmp(data, "traced", 6), "says what it was");
	is(sup_server_stop(mailbox, SUPERVISOR_EXIT_NORMAL, SECONDS(20)), 0,
	   "stop");
	is(ended(pid), 0, "with status 0");
	is(sup_server_resume(mailbox, SECONDS(20)), -ESHUTDOWN, "is noproc");
	close(traces);
	close(mailbox);
}

/* Its parent is another process than ours, for ours must not be killed. */
static void test_parent(void)
{
	int mailbox = sup_mailbox_create(device, 0, NULL);
	pid_t parent = sleeper();
	pid_t pid = serve_forked(mailbox, parent);

	wait_owned(mailbox, pid);
	is(ask(mailbox, "x"), 1, "a server that is linked with its parent");
	kill(parent, SIGKILL);
	ended(parent);
	is(ended(pid), 1 << 8, "crashes when that is killed");

	sup_mailbox_own(mailbox);
	close(mailbox);
	mailbox = sup_mailbox_create(device, 0, NULL);
	pid = serve_forked(mailbox, 0);
	wait_owned(mailbox, pid);
	is(ask(mailbox, "x"), 1, "a server that handles SIGTERM");
	kill(pid, SIGTERM);
	is(ended(pid), 0, "ends in good order, out of its wait");
	close(mailbox);
}

/* ---- in a tree -------------------------------------------------------- */

struct tree {
	int root;
	int mailbox;
	int events;
	struct sup_spawner *spawner;
	pthread_t thread;
};

static void *spawner_main(void *context)
{
	sup_spawner_run(((struct tree *)context)->spawner);
	return NULL;
}

static int tree_add(struct tree *tree, const char *id, const char *how,
		    struct sup_result *result)
{
	SUP_OPTS(sup_child_opts, opts, .readiness = SUPERVISOR_READINESS_NOTIFY,
		 .restart = SUPERVISOR_TRANSIENT);
	struct sup_command *command;
	int ret;

	if (sup_command_new(&command))
		abort();
	sup_command_add_arg(command, self);
	sup_command_add_arg(command, how);
	opts.command = command;
	ret = sup_child_add(tree->root, id, &opts, SECONDS(20), result);
	sup_command_free(command);
	return ret;
}

static void tree_init(struct tree *tree)
{
	SUP_OPTS(sup_create_opts, create, .intensity = 100);
	SUP_OPTS(sup_spawner_opts, opts);

	tree->mailbox = sup_mailbox_create(device, 0, NULL);
	tree->events = sup_mailbox_create(device, 0, NULL);
	tree->root = sup_create(device, tree->mailbox, &create, NULL);
	opts.supervisor = tree->root;
	if (tree->root < 0 || sup_subscribe(tree->root, tree->events, NULL) ||
	    sup_spawner_new(&tree->spawner, device, tree->mailbox, &opts) ||
	    pthread_create(&tree->thread, NULL, spawner_main, tree)) {
		printf("Bail out! no tree\n");
		exit(1);
	}
	is(sup_start(tree->root, SECONDS(20), NULL, NULL), 0, "a tree");
}

/* The reason of the server's next exit. */
static uint32_t next_exit(struct tree *tree)
{
	static _Alignas(8) char buf[8192];
	const struct supervisor_msg_event *event;
	size_t len;

	for (;;) {
		len = sizeof(buf);
		if (sup_mailbox_recv(tree->events, buf, &len, 1,
				     SECONDS(20)) != 1)
			return 99;
		event = sup_msg_event((const void *)buf);
		if (event && event->event == SUPERVISOR_EVENT_EXITED &&
		    !strcmp(sup_msg_id((const void *)buf), "server"))
			return event->reason;
	}
}

static void test_supervised(void)
{
	SUP_OPTS(sup_result, result);
	struct tree tree;
	char reply[8];
	size_t len = sizeof(reply);
	uint64_t ref[2];
	_Alignas(8) char buf[64 + SUP_REPLY_ROOM];
	int mailbox, into;

	tree_init(&tree);
	is(tree_add(&tree, "ignored", "ignore", &result), 0, "init ignores");
	is(result.result, SUPERVISOR_RESULT_OK_UNDEFINED, "so OTP says");
	is(tree_add(&tree, "failed", "fail", &result), -ECHILD, "init fails");
	is(result.error, ENODATA, "with its error");
	is(tree_add(&tree, "stopped", "fail-stop", &result), -ECHILD,
	   "init stops");
	is(result.error, EDOM, "with its error");
	is(tree_add(&tree, "server", "serve", &result), 0, "a server starts");
	is(tree_add(&tree, "second", "serve", &result), -ECHILD, "not twice");
	is(result.error, EBUSY, "says why");
	mailbox = sup_mailbox_open(device, "/messages_test", O_WRONLY, NULL);
	into = sup_mailbox_create(device, 0, NULL);
	ok(mailbox >= 0, "it is found by its name");
	is(ask(mailbox, "x"), 1, "and answers");
	/* the first dies with it; the second is for the next incarnation */
	sup_call_start(mailbox, "slow crash", 10, into, SECONDS(20), &ref[0],
		       NULL);
	is(sup_server_suspend(mailbox, SECONDS(20)), 0, "(suspend)");
	is(sup_server_resume(mailbox, SECONDS(20)), 0, "(resume)");
	len = sizeof(buf);
	is(sup_call_wait(into, ref[0], buf, &len, SECONDS(20)), 0, "(wait)");
	sup_call_start(mailbox, "crash", 5, into, SECONDS(20), &ref[0], NULL);
	sup_call_start(mailbox, "kept", 4, into, SECONDS(20), &ref[1], NULL);
	len = sizeof(buf);
	is(sup_call_wait(into, ref[0], buf, &len, SECONDS(20)), -EOWNERDEAD,
	   "a call that crashes it");
	len = sizeof(buf);
	is(sup_call_wait(into, ref[1], buf, &len, SECONDS(20)), 0,
	   "one behind it is for the next incarnation");
	is(next_exit(&tree), SUPERVISOR_EXIT_CRASH, "which had crashed");
	is(sup_child_terminate(tree.root, "server", SECONDS(20), NULL), 0,
	   "its supervisor stops it");
	is(next_exit(&tree), SUPERVISOR_EXIT_SHUTDOWN, "which is a shutdown");
	is(sup_cast(mailbox, "x", 1, 0), 0, "its mailbox waits on");
	is(sup_child_restart(tree.root, "server", SECONDS(20), NULL), 0,
	   "restart");
	is(ask(mailbox, "stop"), 3, "a server that stops by itself");
	is(next_exit(&tree), SUPERVISOR_EXIT_SHUTDOWN,
	   "with reason shutdown, as declared");
	sup_stop(tree.root, SUPERVISOR_EXIT_NORMAL, SECONDS(20));
	pthread_join(tree.thread, NULL);
	sup_spawner_free(tree.spawner);
	close(tree.root);
	close(tree.mailbox);
	close(tree.events);
	close(into);
	close(mailbox);
	sup_unlink(device, "/messages_test");
}

static int init_ignore(struct sup_server *server, void *state)
{
	(void)server;
	(void)state;
	return SUP_SERVER_IGNORE;
}

static int init_fail(struct sup_server *server, void *state)
{
	(void)server;
	(void)state;
	return -ENODATA;
}

static int init_stop(struct sup_server *server, void *state)
{
	(void)state;
	return sup_server_exit(server, SUPERVISOR_EXIT_CRASH, EDOM);
}

static int play(const char *how)
{
	SUP_OPTS(sup_server_ops, ops, .init = init_ignore);

	if (!strcmp(how, "serve"))
		return serve("/messages_test", -1, 0);
	if (!strcmp(how, "fail"))
		ops.init = init_fail;
	if (!strcmp(how, "fail-stop"))
		ops.init = init_stop;
	if (sup_server_new(&served, &ops, NULL))
		return 99;
	return sup_server_run(served);
}

/* ---- the examples ----------------------------------------------------- */

static void test_examples(void)
{
	static const char script[] =
		"cd \"${0%/*}/../examples\" || exit\n"
		"./kv /kv_test & kv=$!\n"
		"until timeout 20 ./client /kv_test a b 2>/dev/null; do\n"
		"	sleep 0.1; done\n"
		"timeout 20 ./monitor $kv & monitor=$!\n"
		"sleep 0.5\n"
		"kill $kv; wait $kv; echo kv $?\n"
		"wait $monitor; echo monitor $?\n"
		"timeout 20 ./monitor 4000000 | sed 's/.*: //'\n"
		"./client /kv_test a b 2>&1; echo client $?\n";
	static const char want[] =
		"get a: b\nset a2: ok\nset a1: ok\nset a0: ok\n"
		"kv 0\nPID: normal (status 0x0000)\nmonitor 0\n"
		"noproc (status 0x0000)\n"
		"client: No such file or directory\nclient 1\n";
	char said[sizeof(want) + 64] = "", pid[16];
	size_t n = 0;
	int out[2];
	char *at;

	if (pipe(out))
		abort();
	if (!fork()) {
		dup2(out[1], 1);
		execl("/bin/sh", "sh", "-c", script, self, NULL);
		_exit(127);
	}
	close(out[1]);
	for (ssize_t got = 1; got > 0 && n < sizeof(said) - 1; n += (size_t)got)
		got = read(out[0], said + n, sizeof(said) - 1 - n);
	close(out[0]);
	wait(NULL);
	/* one line begins with a number */
	at = strstr(said, ": normal");
	while (at && at > said && at[-1] != '\n')
		at--;
	if (at && sscanf(at, "%15[0-9]", pid) == 1) {
		memmove(at + 3, at + strlen(pid), strlen(at + strlen(pid)) + 1);
		memcpy(at, "PID", 3);
	}
	/* whoever waits first: the shell or the monitor */
	at = strstr(said, "PID: normal (status 0x0000)\nkv 0\n");
	if (at)
		memcpy(at, "kv 0\nPID: normal (status 0x0000)\n", 33);
	is_text(said, want, "the examples do what they say");
}

/* ---- how fast --------------------------------------------------------- */

static void test_speed(void)
{
	int mailbox = sup_mailbox_create(device, 0, NULL);
	pid_t pid = serve_forked(mailbox, 0);
	uint64_t begin;
	int n = 2000;

	wait_owned(mailbox, pid);
	begin = sup_deadline_in(0);
	for (int i = 0; i < n; i++)
		ask(mailbox, "x");
	printf("# %llu ns a call\n",
	       (unsigned long long)(sup_deadline_in(0) - begin) / (uint64_t)n);
	begin = sup_deadline_in(0);
	for (int i = 0; i < n; i++)
		sup_cast(mailbox, "x", 1, SUP_TIMEOUT_INFINITY);
	is(ask(mailbox, "x"), 1, "calls and casts");
	printf("# %llu ns a cast\n",
	       (unsigned long long)(sup_deadline_in(0) - begin) / (uint64_t)n);
	sup_server_stop(mailbox, SUPERVISOR_EXIT_NORMAL, SECONDS(20));
	ended(pid);
	close(mailbox);
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1)
		return play(argv[1]);
	status = live_begin();
	if (status)
		return status;
	test_calls();
	test_started();
	test_monitors();
	test_links();
	test_sys();
	test_parent();
	test_supervised();
	test_examples();
	test_speed();
	return tap_end();
}
