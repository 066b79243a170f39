// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * sys.c - owns system requests to a server, from outside: see server_sys.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "internal.h"

static const char magic[16] = SUP_SYS_MAGIC;

/* Of one that a server has replied to, in a mapping of its own. */
struct sys_reply {
	unsigned char *mem;
	const unsigned char *data;
	size_t len;
};

static int sys_error(const struct sys_reply *reply, size_t len, uint16_t op)
{
	struct sup_sys head;

	if (len < sizeof(head))
		return -EPROTO;
	memcpy(&head, reply->mem, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) || head.op != op ||
	    head.value > 0 || head.value < -4095)
		return -EPROTO;
	if (head.version != SUP_SYS_VERSION)
		return -EOPNOTSUPP;
	return head.value;
}

static void sys_done(struct sys_reply *reply)
{
	int saved = errno;

	if (reply->mem)
		munmap(reply->mem, SUPERVISOR_PAYLOAD_MAX);
	errno = saved;
}

/* To be followed by sys_done(), whatever it returns. */
static int sys_call(int mailbox, uint16_t op, int32_t value, uint64_t argument,
		    uint64_t deadline, struct sys_reply *reply)
{
	struct sup_sys head = {
		.version = SUP_SYS_VERSION,
		.op = op,
		.value = value,
		.argument = argument,
	};
	size_t len = SUPERVISOR_PAYLOAD_MAX;
	uint64_t call = 0;
	int saved = errno;
	int ret;

	memcpy(head.magic, magic, sizeof(magic));
	*reply = (struct sys_reply){ .mem = NULL };
	reply->mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (reply->mem == MAP_FAILED) {
		reply->mem = NULL;
		errno = saved;
		return -ENOMEM;
	}
	ret = sup_mailbox_call(mailbox, &head, sizeof(head), reply->mem, &len,
			       deadline, &call, NULL);
	if (!ret)
		ret = sys_error(reply, len, op);
	if (ret)
		return ret;
	reply->data = reply->mem + sizeof(head);
	reply->len = len - sizeof(head);
	return 0;
}

static int sys_order(int mailbox, uint16_t op, int32_t value, uint64_t argument,
		     uint64_t deadline)
{
	struct sys_reply reply;
	int ret = sys_call(mailbox, op, value, argument, deadline, &reply);

	sys_done(&reply);
	return ret;
}

int sup_server_suspend(int mailbox, uint64_t deadline)
{
	return sys_order(mailbox, SUP_SYS_SUSPEND, 0, 0, deadline);
}

int sup_server_resume(int mailbox, uint64_t deadline)
{
	return sys_order(mailbox, SUP_SYS_RESUME, 0, 0, deadline);
}

int sup_server_stop(int mailbox, uint32_t reason, uint64_t deadline)
{
	if (reason > SUPERVISOR_EXIT_CRASH)
		return -EINVAL;
	return sys_order(mailbox, SUP_SYS_STOP, (int32_t)reason, 0, deadline);
}

int sup_server_trace(int mailbox, uint64_t alias, uint64_t deadline)
{
	return sys_order(mailbox, SUP_SYS_TRACE, 0, alias, deadline);
}

int sup_server_get_state(int mailbox, void *buf, size_t *len, uint64_t deadline)
{
	const size_t room = *len;
	struct sys_reply reply;
	int ret = sys_call(mailbox, SUP_SYS_GET_STATE, 0, 0, deadline, &reply);

	*len = ret ? 0 : reply.len;
	if (*len > room)
		ret = -EMSGSIZE;
	else if (*len)
		memcpy(buf, reply.data, *len);
	sys_done(&reply);
	return ret;
}

static void status_from(struct sup_server_status *status,
			const struct sup_sys_status *wire)
{
	struct sup_server_status local = {
		.sz = sizeof(local),
		.pid = wire->pid,
		.suspended = wire->suspended,
		.traced = wire->traced,
		.waiting = wire->waiting,
		.since_ns = wire->since_ns,
		.calls = wire->calls,
		.casts = wire->casts,
		.infos = wire->infos,
	};

	sup_struct_out(status, sizeof(local), &local);
}

int sup_server_get_status(int mailbox, struct sup_server_status *status,
			  char *text, size_t *len, uint64_t deadline)
{
	const size_t room = len ? *len : 0;
	struct sup_sys_status wire;
	struct sys_reply reply;
	int ret;

	if (status->sz < offsetofend(struct sup_server_status, infos))
		return -EINVAL;
	ret = sys_call(mailbox, SUP_SYS_GET_STATUS, 0, 0, deadline, &reply);
	if (!ret && reply.len >= sizeof(wire)) {
		memcpy(&wire, reply.data, sizeof(wire));
		if (wire.size < sizeof(wire) || wire.size > reply.len)
			ret = -EPROTO;
	} else if (!ret) {
		ret = -EPROTO;
	}
	if (len)
		*len = ret ? 0 : reply.len - wire.size;
	if (!ret) {
		status_from(status, &wire);
		if (len && *len)
			memcpy(text, reply.data + wire.size,
			       *len < room ? *len : room);
	}
	sys_done(&reply);
	return ret;
}
