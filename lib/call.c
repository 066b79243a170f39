// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * call.c - owns what is sent to a mailbox, casts and calls, and replies.
 *
 * A signal handler must not make a cast or a call happen twice, and must not end
 * it either: they go on until their deadline, with the struct as the kernel left
 * it.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "internal.h"

/* ---- casts ------------------------------------------------------------ */

/* Casts by @request, whose argument has what is told of a refusal in it. */
static int cast(int fd, unsigned long request, void *arg, const uint32_t *limit,
		const uint32_t *max, struct sup_result *result)
{
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	do {
		ret = sup_ioctl(fd, request, arg);
	} while (ret == -EINTR);
	sup_result_refused(&local, ret, *limit, *max);
	sup_result_end(result, &local);
	return ret;
}

int sup_mailbox_send(int mailbox, const void *buf, size_t len,
		     uint64_t deadline, struct sup_result *result)
{
	struct supervisor_mailbox_send arg = {
		.size = sizeof(arg),
		.buf = u64_from_ptr(buf),
		.len = sup_len32(len),
		.deadline = deadline,
	};

	return cast(mailbox, SUPERVISOR_MAILBOX_SEND, &arg, &arg.out_limit,
		    &arg.out_max, result);
}

int sup_alias_send(int device, uint64_t alias, const void *buf, size_t len,
		   uint64_t deadline, struct sup_result *result)
{
	struct supervisor_alias_send arg = {
		.size = sizeof(arg),
		.alias = alias,
		.buf = u64_from_ptr(buf),
		.len = sup_len32(len),
		.deadline = deadline,
	};

	return cast(device, SUPERVISOR_ALIAS_SEND, &arg, &arg.out_limit,
		    &arg.out_max, result);
}

/* ---- calls ------------------------------------------------------------ */

int sup_mailbox_call(int mailbox, const void *buf, size_t len, void *reply,
		     size_t *reply_len, uint64_t deadline, uint64_t *call,
		     struct sup_result *result)
{
	struct supervisor_mailbox_call arg = {
		.size = sizeof(arg),
		.buf = u64_from_ptr(buf),
		.len = sup_len32(len),
		.reply_len = sup_len32(*reply_len),
		.reply = u64_from_ptr(reply),
		.deadline = deadline,
		.call = *call,
	};
	const uint32_t room = arg.reply_len;
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	do {
		arg.reply_len = room;
		ret = sup_ioctl(mailbox, SUPERVISOR_MAILBOX_CALL, &arg);
	} while (ret == -EINTR);
	*call = ret == -EMSGSIZE ? arg.call : 0;
	*reply_len = !ret || *call ? arg.reply_len : 0;
	sup_result_refused(&local, *call ? 0 : ret, arg.out_limit, arg.out_max);
	sup_result_end(result, &local);
	return ret;
}

/* The kernel keeps a reply that had no room until it is fetched. */
static void call_give_up(int mailbox, uint64_t call)
{
	size_t len = SUPERVISOR_PAYLOAD_MAX;
	int saved = errno;
	void *mem;

	mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem != MAP_FAILED) {
		sup_mailbox_call(mailbox, NULL, 0, mem, &len,
				 SUPERVISOR_NO_DEADLINE, &call, NULL);
		munmap(mem, SUPERVISOR_PAYLOAD_MAX);
	}
	errno = saved;
}

static uint64_t timeout_deadline(int64_t timeout_ms)
{
	if (timeout_ms == SUP_TIMEOUT_INFINITY)
		return SUPERVISOR_NO_DEADLINE;
	if (timeout_ms < 0)
		timeout_ms = 5000;
	return timeout_ms ? sup_deadline_in((uint64_t)timeout_ms) : 0;
}

int sup_call(int mailbox, const void *buf, size_t len, void *reply,
	     size_t *reply_len, int64_t timeout_ms)
{
	uint64_t call = 0;
	int ret;

	ret = sup_mailbox_call(mailbox, buf, len, reply, reply_len,
			       timeout_deadline(timeout_ms), &call, NULL);
	if (call)
		call_give_up(mailbox, call);
	return ret;
}

int sup_cast(int mailbox, const void *buf, size_t len, int64_t timeout_ms)
{
	return sup_mailbox_send(mailbox, buf, len, timeout_deadline(timeout_ms),
				NULL);
}

/* ---- calls that do not wait ------------------------------------------- */

int sup_call_start(int mailbox, const void *buf, size_t len, int into,
		   uint64_t deadline, uint64_t *ref, struct sup_result *result)
{
	struct supervisor_call_start arg = {
		.size = sizeof(arg),
		.buf = u64_from_ptr(buf),
		.len = sup_len32(len),
		.mailbox_fd = into,
		.deadline = deadline,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	do {
		ret = sup_ioctl(mailbox, SUPERVISOR_CALL_START, &arg);
	} while (ret == -EINTR);
	*ref = ret ? 0 : arg.out_ref;
	sup_result_refused(&local, ret, arg.out_limit, arg.out_max);
	sup_result_end(result, &local);
	return ret;
}

int sup_call_wait(int into, uint64_t ref, void *buf, size_t *len,
		  uint64_t deadline)
{
	const struct supervisor_msg_reply *reply;
	const struct supervisor_msg *msg;
	const size_t room = *len;
	const void *payload;
	int ret;

	do {
		*len = room;
		ret = sup_mailbox_recv_with(into, SUPERVISOR_RECV_F_REF, ref,
					    buf, len, 1, deadline);
	} while (ret == -EINTR);
	if (ret < 0)
		return ret;
	msg = sup_msg_next(buf, *len, NULL);
	reply = msg ? sup_msg_reply(msg) : NULL;
	if (!reply) {
		*len = 0;
		return -EBADMSG;
	}
	ret = reply->error < 0 ? reply->error : -reply->error;
	payload = sup_msg_payload(msg, len);
	memmove(buf, payload, *len);
	return ret;
}

int sup_call_cancel(int into, uint64_t ref, uint32_t flags)
{
	return sup_ref_end(into, SUPERVISOR_CALL_CANCEL, ref, flags);
}

/* ---- replies ---------------------------------------------------------- */

int sup_call_reply(int mailbox, uint64_t from, const void *buf, size_t len)
{
	struct supervisor_call_reply arg = {
		.size = sizeof(arg),
		.from = from,
		.buf = u64_from_ptr(buf),
		.len = sup_len32(len),
	};

	return sup_ioctl(mailbox, SUPERVISOR_CALL_REPLY, &arg);
}

int sup_call_reply_recv(int mailbox, struct supervisor_call_reply_recv *arg)
{
	int ret = sup_ioctl(mailbox, SUPERVISOR_CALL_REPLY_RECV, arg);

	return ret ? ret : (int)arg->out_count;
}
