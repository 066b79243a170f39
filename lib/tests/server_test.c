// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * server_test.c - sup_server with a kernel of our own: every outcome of its
 * functions, its ends, and the system requests.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../internal.h"
#include "kernel.h"
#include "tap.h"

#define SECONDS(n) sup_deadline_in((n) * 1000)

/* What its functions are told to do, and what they have done. */
struct state {
	int number;		/* what get_state copies */
	int init;		/* what init returns */
	uint32_t init_reason;	/* ...or stops with */
	int init_error;
	int begins_with;	/* 'c'ontinue, 't'imeout, 'h'ibernate */
	uint64_t later;		/* the call to answer later */
	char log[256];
	int terminated;
	uint32_t reason;
	int error;
	int reply_error;
};

static void put(struct state *state, const char *what)
{
	strncat(state->log, what, sizeof(state->log) - strlen(state->log) - 1);
}

static int next(struct sup_server *server, struct state *state, int what)
{
	switch (what) {
	case 'c':
		return sup_server_continue(server, state);
	case 't':
		return sup_server_timeout(server, 30);
	case '0':
		return sup_server_timeout(server, 0);
	case 'h':
		return sup_server_hibernate(server);
	case 'n':
		return sup_server_exit(server, SUPERVISOR_EXIT_NORMAL, 0);
	case 's':
		return sup_server_exit(server, SUPERVISOR_EXIT_SHUTDOWN, 0);
	case 'x':
		return sup_server_exit(server, SUPERVISOR_EXIT_CRASH, EDOM);
	case 'k':
		return sup_server_exit(server, SUPERVISOR_EXIT_KILLED, 0);
	case 'e':
		return -EIO;
	case '?':
		return 42;
	default:
		return 0;
	}
}

static int on_init(struct sup_server *server, void *context)
{
	struct state *state = context;

	put(state, "i");
	if (state->init == SUP_SERVER_STOP)
		return sup_server_exit(server, state->init_reason,
				       state->init_error);
	if (state->init)
		return state->init;
	return next(server, state, state->begins_with);
}

/* "rX": reply, then X. "lX": later, then X. */
static int on_call(struct sup_server *server, void *context,
		   const struct supervisor_msg *msg, const void *request,
		   size_t len)
{
	struct state *state = context;
	const char *text = request;

	put(state, "C");
	if (!len)
		return sup_server_reply(server, NULL, 0);
	if (text[0] == 'r') {
		state->reply_error = sup_server_reply(server, request, len);
		if (text[1] == '2')
			state->reply_error = sup_server_reply(server, "2", 1);
		if (text[1] == 'L')
			state->reply_error =
				sup_server_reply(server, NULL,
						 SUPERVISOR_PAYLOAD_MAX + 1);
	} else {
		state->later = msg->ref;
	}
	return len > 1 ? next(server, state, text[1]) : 0;
}

static int on_cast(struct sup_server *server, void *context,
		   const struct supervisor_msg *msg, const void *request,
		   size_t len)
{
	struct state *state = context;

	(void)msg;
	put(state, "c");
	state->number++;
	state->reply_error = sup_server_reply(server, "x", 1);
	return len ? next(server, state, *(const char *)request) : 0;
}

static int on_info(struct sup_server *server, void *context,
		   const struct supervisor_msg *msg)
{
	struct state *state = context;

	(void)server;
	put(state, !msg ? "T" : sup_msg_down(msg) ? "D" : "o");
	return 0;
}

static int on_continue(struct sup_server *server, void *context,
		       void *argument)
{
	struct state *state = context;

	put(state, argument == context ? "+" : "!");
	/* once more, then no more */
	if (!strchr(state->log, '-')) {
		put(state, "-");
		sup_server_continue(server, argument);
	}
	return 0;
}

static void on_terminate(struct sup_server *server, void *context,
			 uint32_t reason, int error)
{
	struct state *state = context;

	(void)server;
	put(state, ".");
	state->terminated++;
	state->reason = reason;
	state->error = error;
}

static int on_format(struct sup_server *server, void *context, char *text,
		     size_t size)
{
	(void)server;
	return snprintf(text, size, "number %d",
			((struct state *)context)->number);
}

static void on_hibernate(struct sup_server *server, void *context)
{
	(void)server;
	put(context, "h");
}

/* A server in a thread of its own. */
struct run {
	struct state state;
	struct sup_server *server;
	struct sup_server_opts opts;
	struct sup_server_ops ops;
	pthread_t thread;
	int mailbox;
	int status;
	bool own;		/* it makes its mailbox itself */
};

static void *server_main(void *context)
{
	struct run *run = context;

	run->status = sup_server_run(run->server);
	/* as if the process had ended */
	if (!run->own)
		kernel_kill_owner(run->mailbox);
	return NULL;
}

static void run_init(struct run *run)
{
	kernel_reset();
	memset(run, 0, sizeof(*run));
	run->opts = (struct sup_server_opts){ SUP_DEFAULTS_sup_server_opts };
	run->ops = (struct sup_server_ops){ SUP_DEFAULTS_sup_server_ops };
	run->mailbox = sup_mailbox_create(kernel.device, 0, NULL);
	run->opts.state = &run->state;
	run->opts.state_size = sizeof(run->state.number);
	run->opts.device = kernel.device;
	run->opts.mailbox = run->mailbox;
	run->ops.init = on_init;
	run->ops.handle_call = on_call;
	run->ops.handle_cast = on_cast;
	run->ops.handle_info = on_info;
	run->ops.handle_continue = on_continue;
	run->ops.terminate = on_terminate;
	run->ops.format_status = on_format;
	run->ops.hibernate = on_hibernate;
}

static void run_begin(struct run *run)
{
	if (sup_server_new(&run->server, &run->ops, &run->opts) ||
	    pthread_create(&run->thread, NULL, server_main, run))
		abort();
}

static void run_end(struct run *run)
{
	pthread_join(run->thread, NULL);
	sup_server_free(run->server);
	sup_close(run->mailbox);
}

/* Asks; the reply's length, or -errno. */
static int ask(struct run *run, const char *request)
{
	char reply[64];
	size_t len = sizeof(reply);
	int ret = sup_call(run->mailbox, request, strlen(request), reply, &len,
			   20000);

	if (!ret && (len != strlen(request) || memcmp(reply, request, len)))
		return -EBADMSG;
	return ret ? ret : (int)len;
}

static int stop(struct run *run)
{
	return sup_server_stop(run->mailbox, SUPERVISOR_EXIT_NORMAL,
			       SECONDS(20));
}

/* ---- tests ------------------------------------------------------------ */

static void test_messages(void)
{
	struct supervisor_msg_down down = {
		.head = { .size = sizeof(down), .type = SUPERVISOR_MSG_DOWN },
	};
	struct run run;
	int error = 99;

	run_init(&run);
	run_begin(&run);
	is(ask(&run, "r"), 1, "a call is answered");
	is(ask(&run, ""), 0, "with nothing, too");
	is(sup_cast(run.mailbox, "-", 1, 0), 0, "a cast");
	kernel_post(run.mailbox, &down, sizeof(down));
	is(ask(&run, "r"), 1, "a call behind them");
	is(kernel.receives, 6, "one ioctl for each message");
	is(run.state.reply_error, 0, "replies went well");
	is(stop(&run), 0, "stop");
	pthread_join(run.thread, NULL);
	is_text(run.state.log, "iCCcDC.", "all in order");
	is(run.status, 0, "normal is exit status 0");
	is(run.state.reason, SUPERVISOR_EXIT_NORMAL, "terminate is told so");
	is(sup_server_run(run.server), -EINVAL, "a server runs once");
	is(sup_server_reason(run.server, &error), SUPERVISOR_EXIT_NORMAL,
	   "its reason");
	is(error, 0, "and error");
	is(kernel.report[0].report, SUPERVISOR_REPORT_READY,
	   "it said that it was ready");
	is((long long)kernel.reports, 1, "and no more");
	sup_server_free(run.server);
	sup_close(run.mailbox);
}

static void test_replies(void)
{
	struct run run;
	char reply[8];
	size_t len = sizeof(reply);
	uint64_t ref;
	int into;

	run_init(&run);
	into = sup_mailbox_create(kernel.device, 0, NULL);
	run_begin(&run);
	is(sup_call_start(run.mailbox, "l", 1, into, SECONDS(20), &ref, NULL),
	   0, "a call to be answered later");
	is(ask(&run, "r"), 1, "another one meanwhile");
	is(sup_call_reply(run.mailbox, run.state.later, "late", 4), 0,
	   "its answer, from another thread");
	{
		_Alignas(8) char buf[64 + SUP_REPLY_ROOM];

		len = sizeof(buf);
		is(sup_call_wait(into, ref, buf, &len, SECONDS(20)), 0,
		   "arrives");
		ok(len == 4 && !memcmp(buf, "late", 4), "as it was");
	}
	is(ask(&run, "r2"), 2, "the first of two replies");
	is(run.state.reply_error, -EALREADY, "the second is refused");
	is(sup_cast(run.mailbox, "", 0, 0), 0, "a cast");
	is(ask(&run, "r"), 1, "(is handled)");
	ok(strstr(run.state.log, "c"), "has nobody to reply to");
	len = sizeof(reply);
	is(sup_call(run.mailbox, "l", 1, reply, &len, 30), -ETIMEDOUT,
	   "one that is never answered");
	kernel.refusal = ENOMEM;
	kernel.refuse_replies = 3;
	is(ask(&run, "r"), 1, "a reply for which there is memory only later");
	is(kernel.refuse_replies, 0, "as there was");
	is(stop(&run), 0, "stop");
	run_end(&run);
	sup_close(into);

	run_init(&run);
	run_begin(&run);
	kernel.refusal = EDQUOT;
	kernel.refuse_replies = 100000;
	is(ask(&run, "r"), -EOWNERDEAD, "a reply for which there is none");
	run_end(&run);
	is(run.status, 1, "ends the server");
	is(run.state.error, EDQUOT, "with that");
}

/* Each way to stop out of a function. */
static void test_stops(void)
{
	static const struct {
		const char *request;
		int ret;
		uint32_t reason;
		int error;
		int status;
	} stops[] = {
		{ "rn", 2, SUPERVISOR_EXIT_NORMAL, 0, 0 },
		{ "ln", -EOWNERDEAD, SUPERVISOR_EXIT_NORMAL, 0, 0 },
		{ "rs", 2, SUPERVISOR_EXIT_SHUTDOWN, 0, 0 },
		{ "rx", 2, SUPERVISOR_EXIT_CRASH, EDOM, 1 },
		{ "re", 2, SUPERVISOR_EXIT_CRASH, EIO, 1 },
		{ "le", -EOWNERDEAD, SUPERVISOR_EXIT_CRASH, EIO, 1 },
		{ "rk", 2, SUPERVISOR_EXIT_CRASH, EINVAL, 1 },
		{ "r?", 2, SUPERVISOR_EXIT_CRASH, EINVAL, 1 },
		{ "rL", 2, SUPERVISOR_EXIT_NORMAL, 0, 0 },
	};
	struct run run;

	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		run_init(&run);
		run_begin(&run);
		is(ask(&run, stops[i].request), stops[i].ret, "the caller");
		if (stops[i].request[1] == 'L')
			stop(&run);
		run_end(&run);
		ok(run.state.reason == stops[i].reason &&
		   run.state.error == stops[i].error &&
		   run.state.terminated == 1 && run.status == stops[i].status,
		   "%s: reason %u error %d status %d", stops[i].request,
		   run.state.reason, run.state.error, run.status);
		ok((kernel.reports == 2 && kernel.report[1].report ==
		    SUPERVISOR_REPORT_SHUTDOWN) ==
		   (stops[i].reason == SUPERVISOR_EXIT_SHUTDOWN),
		   "shutdown is declared, and nothing else");
	}
}

static void test_init(void)
{
	static const struct {
		int init;
		uint32_t reason;
		int error;
		int report_error;
		int status;
		uint32_t report;
		int reported;
	} inits[] = {
		{ SUP_SERVER_IGNORE, 0, 0, 0, 0, SUPERVISOR_REPORT_IGNORE, 0 },
		{ -ENOENT, 0, 0, 0, 0, SUPERVISOR_REPORT_FAILED, ENOENT },
		{ SUP_SERVER_STOP, SUPERVISOR_EXIT_CRASH, EPIPE, 0, 1,
		  SUPERVISOR_REPORT_FAILED, EPIPE },
		{ SUP_SERVER_STOP, SUPERVISOR_EXIT_NORMAL, 0, 0, 0,
		  SUPERVISOR_REPORT_FAILED, ECANCELED },
		{ SUP_SERVER_STOP, SUPERVISOR_EXIT_SHUTDOWN, 0, 0, 0,
		  SUPERVISOR_REPORT_FAILED, ECANCELED },
		{ -ENOENT, 0, 0, ESRCH, 1, 0, 0 },
	};
	struct run run;

	for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
		run_init(&run);
		run.state.init = inits[i].init;
		run.state.init_reason = inits[i].reason;
		run.state.init_error = inits[i].error;
		kernel.report_error = inits[i].report_error;
		run_begin(&run);
		run_end(&run);
		ok(run.status == inits[i].status &&
		   kernel.report[0].report == inits[i].report &&
		   kernel.report[0].error == inits[i].reported,
		   "init %d: status %d, report %u error %d", inits[i].init,
		   run.status, kernel.report[0].report, kernel.report[0].error);
		is_text(run.state.log, "i", "nothing else runs");
	}

	run_init(&run);
	kernel.report_error = ESRCH;
	run_begin(&run);
	is(ask(&run, "r"), 1, "nobody's child serves");
	stop(&run);
	run_end(&run);
}

static void test_after(void)
{
	struct run run;

	run_init(&run);
	run.state.begins_with = 'c';
	run_begin(&run);
	sup_cast(run.mailbox, "-", 1, 0);
	ask(&run, "r");
	is(strncmp(run.state.log, "i+-+c", 5), 0,
	   "continue runs twice, before any message");
	is(ask(&run, "rt"), 2, "a timeout");
	usleep(100000);
	is(ask(&run, "r"), 1, "(time passes)");
	ok(strstr(run.state.log, "CTC"), "comes when no message does");
	is(ask(&run, "rt"), 2, "a timeout");
	is(ask(&run, "r"), 1, "a message in time");
	usleep(100000);
	is(ask(&run, "r"), 1, "(time passes)");
	ok(strstr(run.state.log, "CTCCCC"), "ends it");
	is(ask(&run, "r0"), 2, "a timeout of 0");
	is(ask(&run, "rh"), 2, "hibernate");
	is(ask(&run, "r"), 1, "and wake up");
	ok(strstr(run.state.log, "TChC") || strstr(run.state.log, "CChC"),
	   "having given back what it could");
	is(ask(&run, "rc"), 2, "continue with a reply");
	stop(&run);
	run_end(&run);

	run_init(&run);
	run.state.begins_with = '0';
	run_begin(&run);
	usleep(50000);
	stop(&run);
	run_end(&run);
	is_text(run.state.log, "iT.", "a timeout of 0 comes at once");
}

static void test_defaults(void)
{
	SUP_OPTS(sup_server_opts, opts, .reserved = 1);
	struct sup_server *server;
	struct run run;

	run_init(&run);
	run.ops = (struct sup_server_ops){ SUP_DEFAULTS_sup_server_ops };
	run_begin(&run);
	kernel_post(run.mailbox, &(struct supervisor_msg){
			.size = sizeof(struct supervisor_msg),
			.type = SUPERVISOR_MSG_GAP }, sizeof(struct supervisor_msg));
	is(ask(&run, "r"), -EOWNERDEAD, "a call without a function");
	run_end(&run);
	is(run.status, 1, "crashes the server");

	run_init(&run);
	run.ops = (struct sup_server_ops){ SUP_DEFAULTS_sup_server_ops };
	run_begin(&run);
	sup_cast(run.mailbox, "-", 1, 0);
	run_end(&run);
	is(run.status, 1, "a cast, too");

	is(sup_server_new(&server, NULL, &opts), -EINVAL, "bad options");
	opts.reserved = 0;
	opts.sz = 8;
	is(sup_server_new(&server, NULL, &opts), -EINVAL, "too few");
	sup_server_free(NULL);
}

static void test_own_mailbox(void)
{
	SUP_OPTS(sup_mailbox_opts, create, .name = "/server", .survive = 1);
	struct run run, other;
	int mailbox;

	run_init(&run);
	run.own = true;
	run.opts.mailbox = -1;
	run.opts.create = &create;
	run_begin(&run);
	while ((mailbox = sup_mailbox_open(kernel.device, "/server", 1,
					   NULL)) < 0)
		usleep(1000);
	{
		char reply[4];
		size_t len = sizeof(reply);

		is(sup_call(mailbox, "r", 1, reply, &len, 20000), 0,
		   "a server makes its own mailbox");
		ok(sup_server_mailbox(run.server) >= 0, "which is told");
	}

	kernel.pid = 1;		/* the server has another process */
	run_init(&other);
	kernel.pid = 1;
	other.own = true;
	other.opts.mailbox = -1;
	other.opts.create = &create;
	run_begin(&other);
	run_end(&other);
	is(other.status, 1, "another cannot");
	is(kernel.report[0].error, EBUSY, "and says why");
	is_text(other.state.log, "", "before its init");
	kernel.pid = getpid();
	sup_server_stop(mailbox, 0, SECONDS(20));
	sup_close(mailbox);
	run_end(&run);
	is(sup_mailbox_open(kernel.device, "/server", 1, NULL), -ENOENT,
	   "it is closed at the end");
}

static struct sup_server *signalled;

static void on_term(int signo)
{
	sup_server_signal(signalled, signo);
}

static void test_ends(void)
{
	struct supervisor_msg_down end = {
		.head = { .size = sizeof(end), .type = SUPERVISOR_MSG_EXIT },
		.reason = SUPERVISOR_EXIT_SHUTDOWN,
	};
	struct sigaction action = { .sa_handler = on_term };
	struct run run;

	run_init(&run);
	run.opts.trap_exit = 1;
	run.opts.parent = 1;
	run_begin(&run);
	is(ask(&run, "r"), 1, "a server that traps exits");
	is(kernel.trapping, run.mailbox, "into its mailbox");
	is(kernel.linked, 1, "linked with its parent");
	end.head.ref = kernel.link + 1;
	kernel_post(run.mailbox, &end, sizeof(end));
	is(ask(&run, "r"), 1, "the end of another one");
	ok(strstr(run.state.log, "D"), "is a message");
	end.head.ref = kernel.link;
	kernel_post(run.mailbox, &end, sizeof(end));
	run_end(&run);
	is(run.state.terminated, 1, "the end of its parent is its own");
	is(run.state.reason, SUPERVISOR_EXIT_SHUTDOWN, "with that reason");
	is(run.status, 0, "which it declares");

	run_init(&run);
	run.opts.trap_exit = 1;
	run.opts.parent = 1;
	run_begin(&run);
	is(ask(&run, "r"), 1, "a parent that is killed");
	end.head.ref = kernel.link;
	end.reason = SUPERVISOR_EXIT_KILLED;
	kernel_post(run.mailbox, &end, sizeof(end));
	run_end(&run);
	is(run.state.reason, SUPERVISOR_EXIT_CRASH, "is a crash");

	sigaction(SIGTERM, &action, NULL);
	for (int restart = 0; restart < 2; restart++) {
		action.sa_flags = restart ? SA_RESTART : 0;
		sigaction(SIGTERM, &action, NULL);
		run_init(&run);
		if (sup_server_new(&run.server, &run.ops, &run.opts))
			abort();
		signalled = run.server;
		pthread_create(&run.thread, NULL, server_main, &run);
		is(ask(&run, "r"), 1, "a server that handles SIGTERM");
		raise(SIGTERM);		/* in this thread */
		run_end(&run);
		is(run.state.terminated, 1, "terminates by it");
		is(run.state.reason, SUPERVISOR_EXIT_SHUTDOWN, "in good order");
	}
}

/* ---- system requests -------------------------------------------------- */

static void test_suspend(void)
{
	SUP_OPTS(sup_server_status, status);
	struct run run;
	uint64_t ref, until;
	char text[64];
	size_t len = sizeof(text);
	int into;

	run_init(&run);
	into = sup_mailbox_create(kernel.device, 0, NULL);
	run_begin(&run);
	is(sup_server_suspend(run.mailbox, SECONDS(20)), 0, "suspend");
	is(sup_server_suspend(run.mailbox, SECONDS(20)), 0, "again");
	sup_cast(run.mailbox, "-", 1, 0);
	sup_call_start(run.mailbox, "r", 1, into, SECONDS(20), &ref, NULL);
	sup_cast(run.mailbox, "-", 1, 0);
	is(sup_server_get_status(run.mailbox, &status, text, &len,
				 SECONDS(20)), 0, "get_status");
	ok(status.suspended == 1 && status.waiting == 3 && !status.casts &&
	   status.pid == getpid() && status.since_ns, "three wait");
	ok(len == 8 && !memcmp(text, "number 0", 8), "and the state in words");
	len = 3;
	is(sup_server_get_status(run.mailbox, &status, text, &len,
				 SECONDS(20)), 0, "cut short");
	is((long long)len, 8, "it says how long it was");
	is(sup_server_get_status(run.mailbox, &status, NULL, NULL,
				 SECONDS(20)), 0, "or not asked for");
	is_text(run.state.log, "i", "nothing runs");
	is(sup_server_resume(run.mailbox, SECONDS(20)), 0, "resume");
	until = SECONDS(20);
	while (strlen(run.state.log) < 4 && sup_deadline_in(0) < until)
		usleep(1000);
	is_text(run.state.log, "icCc", "then all of them, in order");
	{
		_Alignas(8) char buf[SUP_REPLY_ROOM + 8];

		len = sizeof(buf);
		is(sup_call_wait(into, ref, buf, &len, SECONDS(20)), 0,
		   "the call has its reply");
	}
	sup_server_get_status(run.mailbox, &status, NULL, NULL, SECONDS(20));
	ok(!status.suspended && !status.waiting && status.casts == 2 &&
	   status.calls == 1, "counted");

	sup_server_suspend(run.mailbox, SECONDS(20));
	sup_cast(run.mailbox, "-", 1, 0);
	is(stop(&run), 0, "a suspended server stops");
	run_end(&run);
	is_text(run.state.log, "icCc.", "without what waits");
	sup_close(into);

	run_init(&run);
	run.opts.suspend_bytes = 200;
	run_begin(&run);
	sup_server_suspend(run.mailbox, SECONDS(20));
	for (int i = 0; i < 10; i++)
		sup_cast(run.mailbox, "-", 1, 0);
	run_end(&run);
	is(run.state.error, ENOBUFS, "more than may wait crashes it");
}

static void test_state(void)
{
	struct run run;
	int number = 0;
	size_t len = sizeof(number);

	run_init(&run);
	run.state.number = 42;
	run_begin(&run);
	is(sup_server_get_state(run.mailbox, &number, &len, SECONDS(20)), 0,
	   "get_state");
	ok(len == sizeof(number) && number == 42, "the state");
	len = 2;
	is(sup_server_get_state(run.mailbox, &number, &len, SECONDS(20)),
	   -EMSGSIZE, "without room");
	is((long long)len, sizeof(number), "says what it needs");
	is(sup_server_stop(run.mailbox, 9, SECONDS(20)), -EINVAL,
	   "a reason that is none");
	is(sup_server_stop(run.mailbox, SUPERVISOR_EXIT_CRASH, SECONDS(20)), 0,
	   "stop with one");
	run_end(&run);
	is(run.state.reason, SUPERVISOR_EXIT_CRASH, "which it has");
	is(sup_server_get_state(run.mailbox, &number, &len, SECONDS(20)),
	   -EBADF, "(closed)");

	run_init(&run);
	run.opts.state_size = 0;
	run_begin(&run);
	len = sizeof(number);
	is(sup_server_get_state(run.mailbox, &number, &len, SECONDS(20)),
	   -EOPNOTSUPP, "a server that shows none");
	kernel.uid = geteuid() + 1;
	is(sup_server_suspend(run.mailbox, SECONDS(20)), -EPERM,
	   "another user's request");
	kernel.uid = 0;
	is(sup_server_suspend(run.mailbox, SECONDS(20)), 0, "root's");
	is(stop(&run), 0, "stop");
	run_end(&run);

	run_init(&run);
	run.opts.access = SUP_SYS_ANYBODY;
	run_begin(&run);
	kernel.uid = geteuid() + 1;
	is(sup_server_suspend(run.mailbox, SECONDS(20)), 0, "where anybody may");
	stop(&run);
	run_end(&run);

	run_init(&run);
	run.opts.access = SUP_SYS_NOBODY;
	run_begin(&run);
	is(sup_server_suspend(run.mailbox, SECONDS(20)), -EPERM,
	   "where nobody may");
	is(ask(&run, "rn"), 2, "(stops)");
	run_end(&run);
}

/* Requests that no function of ours makes. */
static void test_wire(void)
{
	struct sup_sys head = { .version = 9, .op = SUP_SYS_SUSPEND }, reply;
	size_t len = sizeof(reply);
	struct run run;

	memcpy(head.magic, SUP_SYS_MAGIC, 16);
	run_init(&run);
	run_begin(&run);
	is(sup_call(run.mailbox, &head, sizeof(head), &reply, &len, 20000), 0,
	   "a request of another version");
	ok(reply.value == -EOPNOTSUPP && reply.version == SUP_SYS_VERSION &&
	   reply.op == SUP_SYS_SUSPEND && len == sizeof(reply) &&
	   !memcmp(reply.magic, head.magic, 16), "says which we have");
	head.version = 1;
	head.op = 99;
	len = sizeof(reply);
	sup_call(run.mailbox, &head, sizeof(head), &reply, &len, 20000);
	is(reply.value, -EOPNOTSUPP, "one that is not known");
	len = sizeof(reply);
	sup_call(run.mailbox, &head, 17, &reply, &len, 20000);
	is(reply.value, -EINVAL, "one cut short");
	len = sizeof(reply);
	head.op = SUP_SYS_STOP;
	head.value = -1;
	sup_call(run.mailbox, &head, sizeof(head), &reply, &len, 20000);
	is(reply.value, -EINVAL, "a reason below 0");
	is_text(run.state.log, "i", "the server's functions see none of them");
	sup_cast(run.mailbox, &head, sizeof(head), 0);
	is(ask(&run, "r"), 1, "as a cast it is a message like any other");
	ok(strstr(run.state.log, "c"), "and handled");
	stop(&run);
	run_end(&run);
}

static void test_trace(void)
{
	static _Alignas(8) char buf[8192];
	static const struct {
		uint16_t kind;
		uint32_t len;
	} want[] = {
		{ SUP_TRACE_CALL, 2 }, { SUP_TRACE_REPLY, 2 },
		{ SUP_TRACE_HIBERNATE, 0 }, { SUP_TRACE_CAST, 300 },
	};
	char line[300] = "-";
	char path[] = "/tmp/server_test.XXXXXX";
	const struct sup_trace *trace;
	int fd = mkstemp(path);
	struct run run;
	struct stat st;
	const void *data;
	uint64_t alias;
	size_t len;
	int into;

	unlink(path);
	run_init(&run);
	into = sup_mailbox_create(kernel.device, 0, NULL);
	sup_alias(into, SUPERVISOR_ALIAS_EXPLICIT, &alias, NULL);
	run_begin(&run);
	is(sup_server_trace(run.mailbox, SUP_TRACE_STREAM, SECONDS(20)),
	   -EOPNOTSUPP, "no stream to trace to");
	is(sup_server_trace(run.mailbox, alias, SECONDS(20)), 0,
	   "trace to an alias");
	ask(&run, "rh");
	sup_cast(run.mailbox, line, sizeof(line), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		len = sizeof(buf);
		is(sup_mailbox_recv(into, buf, &len, 1, SECONDS(20)), 1,
		   "a trace");
		trace = sup_msg_trace((void *)buf, &data, &len);
		ok(trace && trace->kind == want[i].kind &&
		   trace->len == want[i].len &&
		   len == (want[i].len < 256 ? want[i].len : 256),
		   "of kind %d", trace ? trace->kind : 0);
	}
	is(((char *)data)[0], '-', "with its bytes");
	is(sup_unalias(into, alias), 1, "unalias");
	ask(&run, "r");
	{
		SUP_OPTS(sup_server_status, status);

		sup_server_get_status(run.mailbox, &status, NULL, NULL,
				      SECONDS(20));
		is(status.traced, 0, "ends it");
	}
	stop(&run);
	run_end(&run);
	sup_close(into);

	run_init(&run);
	run.opts.trace_fd = fd;
	run_begin(&run);
	is(sup_server_trace(run.mailbox, SUP_TRACE_STREAM, SECONDS(20)), 0,
	   "trace to a stream");
	ask(&run, "r");
	is(sup_server_trace(run.mailbox, SUP_TRACE_OFF, SECONDS(20)), 0,
	   "and no more");
	stop(&run);
	run_end(&run);
	fstat(fd, &st);
	ok(st.st_size > 0, "lines");
	close(fd);
}

static void *no_server(void *context)
{
	int mailbox = *(int *)context;
	_Alignas(8) char buf[512];
	size_t len = sizeof(buf);

	sup_mailbox_recv(mailbox, buf, &len, 1, SECONDS(20));
	sup_call_reply(mailbox, ((struct supervisor_msg *)buf)->ref, buf, 40);
	return NULL;
}

static void test_no_server(void)
{
	int mailbox = sup_mailbox_create(kernel.device, 0, NULL);
	pthread_t thread;

	pthread_create(&thread, NULL, no_server, &mailbox);
	is(sup_server_suspend(mailbox, SECONDS(20)), -EPROTO,
	   "what answers is no sup_server");
	pthread_join(thread, NULL);
	is(sup_server_suspend(mailbox, sup_deadline_in(20)), -ETIMEDOUT,
	   "nobody answers");
	sup_close(mailbox);
}

int main(void)
{
	kernel_init();
	test_messages();
	test_replies();
	test_stops();
	test_init();
	test_after();
	test_defaults();
	test_own_mailbox();
	test_ends();
	test_suspend();
	test_state();
	test_wire();
	test_trace();
	test_no_server();
	return tap_end();
}
