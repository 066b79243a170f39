// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * server_sys.c - owns what a server's loop answers without the server's own
 * functions, and what it tells those who trace it. sys.c has the other side.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

static const char magic[16] = SUP_SYS_MAGIC;

bool sup_server_is_sys(const struct supervisor_msg *msg)
{
	const void *payload;
	size_t len;

	if (msg->type != SUPERVISOR_MSG_CALL)
		return false;
	payload = sup_msg_payload(msg, &len);
	return payload && len >= sizeof(magic) &&
	       !memcmp(payload, magic, sizeof(magic));
}

/* ---- replies ---------------------------------------------------------- */

/* The head, @len bytes of data behind it, and out with the next receive. */
static void sys_reply(struct sup_server *server, uint64_t from, uint16_t op,
		      int error, size_t len)
{
	struct sup_sys head = {
		.version = SUP_SYS_VERSION,
		.op = op,
		.value = error,
	};

	memcpy(head.magic, magic, sizeof(magic));
	memcpy(server->reply, &head, sizeof(head));
	server->recv.reply_len = (uint32_t)(sizeof(head) + (error ? 0 : len));
	server->recv.from = from;
}

void sup_server_sys_stopped(struct sup_server *server)
{
	if (!server->stopper)
		return;
	sys_reply(server, server->stopper, SUP_SYS_STOP, 0, 0);
	sup_call_reply(server->mailbox, server->stopper, server->reply,
		       server->recv.reply_len);
	server->recv.from = 0;
}

/* ---- requests --------------------------------------------------------- */

static int sys_get_state(struct sup_server *server, void *data, size_t room,
			 size_t *len)
{
	*len = server->opts.state_size;
	if (!*len)
		return -EOPNOTSUPP;
	if (*len > room)
		return -EMSGSIZE;
	memcpy(data, server->opts.state, *len);
	return 0;
}

static int sys_get_status(struct sup_server *server, void *data, size_t room,
			  size_t *len)
{
	struct sup_sys_status status = {
		.size = sizeof(status),
		.pid = getpid(),
		.suspended = server->suspended,
		.traced = server->trace != SUP_TRACE_OFF,
		.waiting = server->status.waiting,
		.since_ns = server->status.since_ns,
		.calls = server->status.calls,
		.casts = server->status.casts,
		.infos = server->status.infos,
	};
	int text = 0;

	memcpy(data, &status, sizeof(status));
	room -= sizeof(status);
	if (server->ops.format_status)
		text = server->ops.format_status(server, server->opts.state,
						 (char *)data + sizeof(status),
						 room);
	if (text < 0)
		return text;
	*len = sizeof(status) + ((size_t)text < room ? (size_t)text : room);
	return 0;
}

static int sys_trace(struct sup_server *server, uint64_t alias)
{
	if (alias == SUP_TRACE_STREAM && server->opts.trace_fd < 0)
		return -EOPNOTSUPP;
	server->trace = alias;
	server->trace_lost = 0;
	return 0;
}

static bool sys_allowed(const struct sup_server *server,
			const struct supervisor_msg *msg)
{
	if (server->opts.access == SUP_SYS_ANYBODY)
		return true;
	return server->opts.access == SUP_SYS_USER &&
	       (!msg->uid || msg->uid == geteuid());
}

/* -errno, or 0 with *@len bytes at @data; or SUP_SERVER_STOP. */
static int sys_obey(struct sup_server *server, const struct sup_sys *sys,
		    void *data, size_t room, size_t *len)
{
	switch (sys->op) {
	case SUP_SYS_SUSPEND:
		server->suspended = true;
		return 0;
	case SUP_SYS_RESUME:
		server->suspended = false;
		return 0;
	case SUP_SYS_GET_STATE:
		return sys_get_state(server, data, room, len);
	case SUP_SYS_GET_STATUS:
		return sys_get_status(server, data, room, len);
	case SUP_SYS_STOP:
		return sys->value < 0 ? -EINVAL :
			sup_server_exit(server, (uint32_t)sys->value, 0);
	case SUP_SYS_TRACE:
		return sys_trace(server, sys->argument);
	default:
		return -EOPNOTSUPP;
	}
}

int sup_server_sys(struct sup_server *server, const struct supervisor_msg *msg)
{
	struct sup_sys sys = { .op = 0 };
	const void *payload;
	size_t len, data = 0;
	int ret;

	payload = sup_msg_payload(msg, &len);
	memcpy(&sys, payload, len < sizeof(sys) ? len : sizeof(sys));
	sup_server_traced(server, SUP_TRACE_SYSTEM, msg->ref, msg, payload,
			  len);
	if (!sys_allowed(server, msg))
		ret = -EPERM;
	else if (len < sizeof(sys))
		ret = -EINVAL;
	else if (sys.version != SUP_SYS_VERSION)
		ret = -EOPNOTSUPP;
	else
		ret = sys_obey(server, &sys, server->reply + sizeof(sys),
			       SUPERVISOR_PAYLOAD_MAX - sizeof(sys), &data);
	if (ret == SUP_SERVER_STOP) {
		server->stopper = msg->ref;
		return ret;
	}
	sys_reply(server, msg->ref, sys.op, ret, data);
	return 0;
}

/* ---- tracing ---------------------------------------------------------- */

#define TRACE_DATA 256

static void trace_line(const struct sup_server *server,
		       const struct sup_trace *trace)
{
	dprintf(server->opts.trace_fd,
		"%llu.%09llu %s pid %d ref %llu %u bytes\n",
		(unsigned long long)trace->time_ns / 1000000000,
		(unsigned long long)trace->time_ns % 1000000000,
		sup_word(SUP_WORDS_TRACE, trace->kind), trace->pid,
		(unsigned long long)trace->ref, trace->len);
}

/* Never waits: what finds no room is counted. */
static void trace_send(struct sup_server *server, struct sup_trace *trace,
		       const void *data)
{
	struct {
		struct sup_trace trace;
		char data[TRACE_DATA];
	} event;
	size_t len = trace->len < TRACE_DATA ? trace->len : TRACE_DATA;
	int ret;

	event.trace = *trace;
	if (len)
		memcpy(event.data, data, len);
	ret = sup_alias_send(server->device, server->trace, &event,
			     sizeof(event.trace) + len, 0, NULL);
	if (!ret)
		server->trace_lost = 0;
	else if (ret == -EAGAIN || ret == -EDQUOT || ret == -ENOMEM)
		server->trace_lost++;
	else
		server->trace = SUP_TRACE_OFF;
}

void sup_server_traced(struct sup_server *server, enum sup_trace_kind kind,
		       uint64_t ref, const struct supervisor_msg *msg,
		       const void *data, size_t len)
{
	struct sup_trace trace = {
		.version = SUP_SYS_VERSION,
		.kind = (uint16_t)kind,
		.ref = ref,
		.lost = server->trace_lost,
		.len = (uint32_t)len,
	};

	if (server->trace == SUP_TRACE_OFF)
		return;
	memcpy(trace.magic, magic, sizeof(magic));
	trace.pid = msg ? msg->pid : 0;
	trace.time_ns = sup_deadline_in(0);
	if (server->trace == SUP_TRACE_STREAM)
		trace_line(server, &trace);
	else
		trace_send(server, &trace, data);
}

const struct sup_trace *sup_msg_trace(const struct supervisor_msg *msg,
				      const void **data, size_t *len)
{
	const struct sup_trace *trace = sup_msg_payload(msg, len);

	if (!trace || msg->type != SUPERVISOR_MSG_CAST ||
	    *len < sizeof(*trace) || memcmp(trace->magic, magic, sizeof(magic)))
		return NULL;
	*data = trace + 1;
	*len -= sizeof(*trace);
	return trace;
}
