// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * server.c - owns sup_server: its loop, and what its functions may ask for. What
 * the loop answers by itself is in server_sys.c.
 *
 * One message is taken at a time: what a server that crashes has not begun is
 * still in its mailbox, for the next incarnation if that survives.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include "internal.h"

#define REPLY_TRIES 100		/* of a reply for which there is no memory */

/* ---- what the server's functions ask for ------------------------------ */

int sup_server_reply(struct sup_server *server, const void *buf, size_t len)
{
	if (!server->call)
		return -EINVAL;
	if (server->replied)
		return -EALREADY;
	if (len > SUPERVISOR_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (len)
		memcpy(server->reply, buf, len);
	server->recv.reply_len = (uint32_t)len;
	server->replied = true;
	return 0;
}

int sup_server_timeout(struct sup_server *server, uint64_t ms)
{
	server->after = SUP_AFTER_TIMEOUT;
	server->timeout_ms = ms;
	return 0;
}

int sup_server_continue(struct sup_server *server, void *argument)
{
	server->after = SUP_AFTER_CONTINUE;
	server->argument = argument;
	return 0;
}

int sup_server_hibernate(struct sup_server *server)
{
	server->after = SUP_AFTER_HIBERNATE;
	return 0;
}

int sup_server_exit(struct sup_server *server, uint32_t reason, int error)
{
	if (reason > SUPERVISOR_EXIT_CRASH || error < 0)
		return -EINVAL;
	server->reason = reason;
	server->error = error;
	return SUP_SERVER_STOP;
}

/* What a function returned: 0, or SUP_SERVER_STOP with the reason. */
static int server_outcome(struct sup_server *server, int ret)
{
	if (!ret || ret == SUP_SERVER_STOP)
		return ret;
	return sup_server_exit(server, SUPERVISOR_EXIT_CRASH,
			       ret < 0 ? -ret : EINVAL);
}

/* A function is about to run: it has asked for nothing yet. */
static void server_enter(struct sup_server *server)
{
	server->after = SUP_AFTER_WAIT;
	server->reason = SUPERVISOR_EXIT_CRASH;
	server->error = 0;
}

void sup_server_signal(struct sup_server *server, int signo)
{
	const pid_t thread = server->thread;
	int saved = errno;

	server->signalled = 1;
	*(volatile __u64 *)&server->recv.deadline = 0;
	if (thread && thread != (pid_t)syscall(SYS_gettid))
		syscall(SYS_tgkill, getpid(), thread, signo);
	errno = saved;
}

int sup_server_mailbox(const struct sup_server *server)
{
	return server->mailbox;
}

int sup_server_device(const struct sup_server *server)
{
	return server->device;
}

uint32_t sup_server_reason(const struct sup_server *server, int *error)
{
	if (error)
		*error = server->error;
	return server->reason;
}

/* ---- messages that wait while it is suspended ------------------------- */

static int server_put_aside(struct sup_server *server,
			    const struct supervisor_msg *msg)
{
	struct sup_waiting *waiting;

	server->waiting_bytes += msg->size;
	if (server->waiting_bytes > server->opts.suspend_bytes)
		return -ENOBUFS;
	waiting = sup_realloc(NULL, sizeof(*waiting) + msg->size);
	if (!waiting)
		return -ENOMEM;
	waiting->next = NULL;
	waiting->size = msg->size;
	memcpy(waiting->msg, msg, msg->size);
	*server->waiting_end = waiting;
	server->waiting_end = &waiting->next;
	server->status.waiting++;
	return 0;
}

static struct sup_waiting *server_take_back(struct sup_server *server)
{
	struct sup_waiting *waiting = server->waiting;

	if (!waiting)
		return NULL;
	server->waiting = waiting->next;
	if (!server->waiting)
		server->waiting_end = &server->waiting;
	server->waiting_bytes -= waiting->size;
	server->status.waiting--;
	return waiting;
}

/* ---- receiving -------------------------------------------------------- */

/*
 * Sends a reply by itself: what has no memory now may have it soon. When there
 * is none for long, the server crashes, which its callers are told.
 */
static int server_flush(struct sup_server *server)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	struct supervisor_call_reply_recv *recv = &server->recv;
	int ret = 0;

	for (int i = 0; recv->from && i < REPLY_TRIES; i++) {
		ret = sup_call_reply(server->mailbox, recv->from, server->reply,
				     recv->reply_len);
		if (ret != -ENOMEM && ret != -EDQUOT) {
			recv->from = 0;
			break;
		}
		nanosleep(&moment, NULL);
	}
	if (ret == -ESTALE || ret == -EALREADY || ret == -ENOENT)
		ret = 0;
	recv->from = 0;
	return ret;
}

static int server_grow(struct sup_server *server, size_t need)
{
	void *mem;

	if (need <= server->cap || need > SUP_BUF_MAX + SUP_START_SIZE)
		return -EMSGSIZE;
	mem = mremap(server->buf, server->cap, need, MREMAP_MAYMOVE);
	if (mem == MAP_FAILED)
		return -ENOMEM;
	server->buf = mem;
	server->cap = need;
	return 0;
}

/* A reply, if one is due, and the next message: 1; or -errno. */
static int server_recv(struct sup_server *server, uint64_t deadline)
{
	struct supervisor_call_reply_recv *recv = &server->recv;
	int ret;

	recv->size = sizeof(*recv);
	recv->flags = server->opts.recv_flags;
	recv->reply = u64_from_ptr(server->reply);
	recv->buf = u64_from_ptr(server->buf);
	recv->buf_len = sup_len32(server->cap);
	recv->max = 1;
	*(volatile __u64 *)&recv->deadline = deadline;
	if (server->signalled)
		return -EINTR;
	ret = sup_call_reply_recv(server->mailbox, recv);
	if (ret >= 0)
		return ret;
	if (recv->from) {
		ret = server_flush(server);
		return ret ? ret : -EINTR;
	}
	if (ret == -EMSGSIZE) {
		ret = server_grow(server, recv->buf_len);
		return ret ? ret : -EINTR;
	}
	return ret;
}

/* ---- handling --------------------------------------------------------- */

/* With the reply, if there is one, on its way to the next receive. */
static int server_handle_call(struct sup_server *server,
			      const struct supervisor_msg *msg,
			      const void *payload, size_t len)
{
	int ret;

	server->status.calls++;
	if (!server->ops.handle_call)
		return -EOPNOTSUPP;
	server->call = msg->ref;
	server->replied = false;
	ret = server->ops.handle_call(server, server->opts.state, msg, payload,
				      len);
	server->call = 0;
	if (server->replied) {
		server->recv.from = msg->ref;
		sup_server_traced(server, SUP_TRACE_REPLY, msg->ref, msg,
				  server->reply, server->recv.reply_len);
	}
	return ret;
}

static int server_handle_info(struct sup_server *server,
			      const struct supervisor_msg *msg)
{
	if (msg)
		server->status.infos++;
	if (!server->ops.handle_info)
		return 0;
	return server->ops.handle_info(server, server->opts.state, msg);
}

static int server_handle(struct sup_server *server,
			 const struct supervisor_msg *msg)
{
	const void *payload;
	size_t len;
	int ret;

	server_enter(server);
	payload = sup_msg_payload(msg, &len);
	switch (msg->type) {
	case SUPERVISOR_MSG_CALL:
		sup_server_traced(server, SUP_TRACE_CALL, msg->ref, msg,
				  payload, len);
		ret = server_handle_call(server, msg, payload, len);
		break;
	case SUPERVISOR_MSG_CAST:
		sup_server_traced(server, SUP_TRACE_CAST, msg->ref, msg,
				  payload, len);
		server->status.casts++;
		ret = server->ops.handle_cast ?
			server->ops.handle_cast(server, server->opts.state, msg,
						payload, len) : -EOPNOTSUPP;
		break;
	default:
		sup_server_traced(server, SUP_TRACE_INFO, msg->ref, msg,
				  payload, len);
		ret = server_handle_info(server, msg);
		break;
	}
	return server_outcome(server, ret);
}

/* The supervisor, or whoever is the parent, wants it to end. */
static int server_told_to_end(struct sup_server *server, uint32_t reason)
{
	server->error = 0;
	server->reason = reason == SUPERVISOR_EXIT_NORMAL ||
			 reason == SUPERVISOR_EXIT_SHUTDOWN ?
		reason : SUPERVISOR_EXIT_CRASH;
	return SUP_SERVER_STOP;
}

static bool server_is_parents_end(const struct sup_server *server,
				  const struct supervisor_msg *msg)
{
	return msg->type == SUPERVISOR_MSG_EXIT && server->parent &&
	       msg->ref == server->parent && sup_msg_down(msg);
}

/* Of a message that has just come. */
static int server_dispatch(struct sup_server *server,
			   const struct supervisor_msg *msg)
{
	if (sup_server_is_sys(msg))
		return sup_server_sys(server, msg);
	if (server_is_parents_end(server, msg))
		return server_told_to_end(server, sup_msg_down(msg)->reason);
	if (!server->suspended)
		return server_handle(server, msg);
	return server_outcome(server, server_put_aside(server, msg));
}

/* ---- waiting ---------------------------------------------------------- */

static void server_do_hibernate(struct sup_server *server)
{
	sup_server_traced(server, SUP_TRACE_HIBERNATE, 0, NULL, NULL, 0);
	if (server->ops.hibernate)
		server->ops.hibernate(server, server->opts.state);
	madvise(server->buf, server->cap, MADV_DONTNEED);
	madvise(server->reply, SUPERVISOR_PAYLOAD_MAX, MADV_DONTNEED);
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static int server_do_continue(struct sup_server *server)
{
	void *argument = server->argument;

	sup_server_traced(server, SUP_TRACE_CONTINUE, 0, NULL, NULL, 0);
	server_enter(server);
	return server_outcome(server, server->ops.handle_continue ?
		server->ops.handle_continue(server, server->opts.state,
					    argument) : -EOPNOTSUPP);
}

static int server_do_timeout(struct sup_server *server)
{
	sup_server_traced(server, SUP_TRACE_TIMEOUT, 0, NULL, NULL, 0);
	server_enter(server);
	return server_outcome(server, server_handle_info(server, NULL));
}

/* Before the next message: what must not wait for it. */
static int server_prepare(struct sup_server *server)
{
	int ret;

	if (server->after == SUP_AFTER_CONTINUE) {
		ret = server_flush(server);
		return ret ? server_outcome(server, ret) :
			     server_do_continue(server);
	}
	if (server->after == SUP_AFTER_HIBERNATE) {
		ret = server_flush(server);
		if (ret)
			return server_outcome(server, ret);
		server->after = SUP_AFTER_WAIT;
		server_do_hibernate(server);
	}
	return 0;
}

static int server_wait(struct sup_server *server)
{
	const struct supervisor_msg *msg;
	bool timed = server->after == SUP_AFTER_TIMEOUT && !server->suspended;
	uint64_t deadline = timed ? sup_deadline_in(server->timeout_ms) :
				    SUPERVISOR_NO_DEADLINE;
	int ret;

	if (timed && !server->timeout_ms)
		deadline = 0;
	do {
		ret = server_recv(server, deadline);
	} while (ret == -EINTR && !server->signalled);
	if (server->signalled)
		return server_told_to_end(server, SUPERVISOR_EXIT_SHUTDOWN);
	if (timed && (ret == -ETIMEDOUT || ret == -EAGAIN))
		return server_do_timeout(server);
	if (ret < 0)
		return server_outcome(server, ret);
	msg = sup_msg_next(server->buf, server->recv.buf_len, NULL);
	return msg ? server_dispatch(server, msg) : 0;
}

static int server_turn(struct sup_server *server)
{
	struct sup_waiting *waiting = NULL;
	int ret;

	ret = server_prepare(server);
	/* what continues may go on to continue */
	if (ret || server->after == SUP_AFTER_CONTINUE)
		return ret;
	if (!server->suspended && !server->signalled)
		waiting = server_take_back(server);
	if (!waiting)
		return server_wait(server);
	ret = server_flush(server);
	ret = ret ? server_outcome(server, ret) :
		    server_handle(server, (const void *)waiting->msg);
	sup_free(waiting);
	return ret;
}

/* ---- beginning -------------------------------------------------------- */

static void *server_map(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static int server_open_mailbox(struct sup_server *server)
{
	int flags;

	if (server->opts.mailbox >= 0) {
		server->mailbox = server->opts.mailbox;
		/* the loop would not wait, but turn */
		flags = fcntl(server->mailbox, F_GETFL);
		if (flags < 0)
			return -errno;
		return flags & O_NONBLOCK ? -EINVAL : 0;
	}
	server->mailbox = server->create.survive ?
		sup_mailbox_serve(server->device, &server->create, NULL) :
		sup_mailbox_create_with(server->device, &server->create, NULL);
	if (server->mailbox < 0)
		return server->mailbox;
	server->own_mailbox = true;
	return 0;
}

static int server_open(struct sup_server *server)
{
	int ret;

	if (server->opts.device >= 0) {
		server->device = server->opts.device;
	} else {
		server->device = sup_device_open();
		if (server->device < 0)
			return server->device;
		server->own_device = true;
	}
	server->cap = SUP_START_SIZE;
	server->buf = server_map(server->cap);
	server->reply = server_map(SUPERVISOR_PAYLOAD_MAX);
	if (!server->buf || !server->reply)
		return -ENOMEM;
	ret = server_open_mailbox(server);
	if (!ret && server->opts.trap_exit)
		ret = sup_trap_exit(server->device, server->mailbox);
	if (!ret && server->opts.parent) {
		ret = sup_process_link(server->device, server->opts.parent, 0,
				       &server->parent, NULL);
		ret = ret < 0 ? ret : 0;
	}
	return ret;
}

/* Names are free, and callers told, before the supervisor hears of a failure. */
static void server_close_mailbox(struct sup_server *server)
{
	if (server->own_mailbox)
		sup_close(server->mailbox);
	server->own_mailbox = false;
	server->mailbox = -1;
}

/* It has not started. What the process exits with. */
static int server_failed(struct sup_server *server, bool normal)
{
	int error = server->error ? server->error : ECANCELED;
	int ret;

	server_close_mailbox(server);
	if (server->device < 0)
		return 1;
	ret = sup_child_report(server->device, 0, SUPERVISOR_REPORT_FAILED,
			       error);
	if (server->reason == SUPERVISOR_EXIT_SHUTDOWN)
		sup_child_report(server->device, 0, SUPERVISOR_REPORT_SHUTDOWN,
				 0);
	/* an error is a normal exit to OTP; but somebody has to be told */
	if (normal && !ret)
		return 0;
	return server->reason == SUPERVISOR_EXIT_CRASH;
}

static int server_ignored(struct sup_server *server)
{
	server->reason = SUPERVISOR_EXIT_NORMAL;
	server_close_mailbox(server);
	sup_child_report(server->device, 0, SUPERVISOR_REPORT_IGNORE, 0);
	return 0;
}

/* ---- ending ----------------------------------------------------------- */

static int server_ended(struct sup_server *server)
{
	uint32_t reason = server->reason;
	int error = server->error;

	sup_server_traced(server, SUP_TRACE_STOP, reason, NULL, NULL, 0);
	/* a handler that comes now has what it wants */
	server->signalled = 0;
	if (server->ops.terminate)
		server->ops.terminate(server, server->opts.state, reason,
				      error);
	server->reason = reason;
	server->error = error;
	if (reason == SUPERVISOR_EXIT_SHUTDOWN)
		sup_child_report(server->device, 0, SUPERVISOR_REPORT_SHUTDOWN,
				 0);
	server_flush(server);
	sup_server_sys_stopped(server);
	server_close_mailbox(server);
	return reason == SUPERVISOR_EXIT_CRASH;
}

static int server_run(struct sup_server *server)
{
	int ret;

	server_enter(server);
	ret = server_open(server);
	if (ret) {
		server->error = -ret;
		return server_failed(server, false);
	}
	ret = server->ops.init ? server->ops.init(server, server->opts.state) :
				 0;
	if (ret == SUP_SERVER_IGNORE)
		return server_ignored(server);
	if (ret) {
		server_outcome(server, ret);
		return server_failed(server, ret < 0);
	}
	server->status.since_ns = sup_deadline_in(0);
	/* a program that nobody supervises, or that was ready before, is fine */
	sup_child_report(server->device, 0, SUPERVISOR_REPORT_READY, 0);
	do {
		ret = server_turn(server);
	} while (!ret);
	return server_ended(server);
}

int sup_server_run(struct sup_server *server)
{
	int saved = errno;
	int ret;

	if (server->ran)
		return -EINVAL;
	server->ran = true;
	server->thread = (pid_t)syscall(SYS_gettid);
	ret = server_run(server);
	server->thread = 0;
	errno = saved;
	return ret;
}

/* ---- making one ------------------------------------------------------- */

int sup_server_new(struct sup_server **out, const struct sup_server_ops *ops,
		   const struct sup_server_opts *opts)
{
	struct sup_server_opts o = { SUP_DEFAULTS_sup_server_opts };
	struct sup_server_ops f = { SUP_DEFAULTS_sup_server_ops };
	struct sup_mailbox_opts create = { SUP_DEFAULTS_sup_mailbox_opts };
	struct sup_server *server;
	int ret;

	*out = NULL;
	ret = SUP_STRUCT_IN(&f, hibernate, ops);
	if (!ret)
		ret = SUP_STRUCT_IN(&o, suspend_bytes, opts);
	if (!ret)
		ret = SUP_STRUCT_IN(&create, max_payload, o.create);
	if (ret)
		return ret;
	if ((uint32_t)o.access > SUP_SYS_NOBODY || o.reserved || o.parent < 0 ||
	    o.recv_flags & ~SUPERVISOR_RECV_F_PATH)
		return -EINVAL;
	server = sup_realloc(NULL, sizeof(*server));
	if (!server)
		return -ENOMEM;
	memset(server, 0, sizeof(*server));
	server->ops = f;
	server->opts = o;
	server->create = create;
	server->device = -1;
	server->mailbox = -1;
	server->waiting_end = &server->waiting;
	*out = server;
	return 0;
}

void sup_server_free(struct sup_server *server)
{
	struct sup_waiting *waiting;

	if (!server)
		return;
	while ((waiting = server_take_back(server)))
		sup_free(waiting);
	server_close_mailbox(server);
	if (server->own_device)
		sup_close(server->device);
	if (server->buf)
		munmap(server->buf, server->cap);
	if (server->reply)
		munmap(server->reply, SUPERVISOR_PAYLOAD_MAX);
	sup_free(server);
}
