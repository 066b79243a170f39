// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * publish.c - owns what connects registries and mailboxes: listeners, publish, and
 * keys as addresses. What is done with all entries of a key is in dispatch.c.
 */
#include <errno.h>
#include "internal.h"

/* ---- listeners -------------------------------------------------------- */

static int listen_ioctl(int registry, unsigned long request, int mailbox,
			uint32_t flags, struct sup_result *result)
{
	struct supervisor_listen arg = {
		.size = sizeof(arg),
		.flags = flags,
		.mailbox_fd = mailbox,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(registry, request, &arg);
	sup_result_refused(&local, ret, arg.out_limit, 0);
	sup_result_end(result, &local);
	return ret;
}

int sup_listen(int registry, int mailbox, uint32_t flags,
	       struct sup_result *result)
{
	return listen_ioctl(registry, SUPERVISOR_LISTEN, mailbox, flags, result);
}

int sup_unlisten(int registry, int mailbox)
{
	return listen_ioctl(registry, SUPERVISOR_UNLISTEN, mailbox, 0, NULL);
}

/* ---- keys as addresses ------------------------------------------------ */

int sup_publish(int registry, const void *key, size_t key_len,
		const void *buf, size_t len, uint64_t deadline,
		struct sup_outcome *outcome, struct sup_result *result)
{
	struct supervisor_publish arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.key_len = sup_len32(key_len),
		.buf = u64_from_ptr(buf),
		.len = sup_len32(len),
		.deadline = deadline,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(registry, SUPERVISOR_PUBLISH, &arg);
	sup_result_refused(&local, ret, arg.out_limit, arg.out_max);
	sup_result_end(result, &local);
	if (outcome) {
		outcome->delivered = arg.out_delivered;
		outcome->full = arg.out_full;
		outcome->gone = arg.out_gone;
	}
	return ret;
}

int sup_key_send(int registry, const void *key, size_t key_len, int pid,
		 const void *buf, size_t len, uint64_t deadline,
		 struct sup_result *result)
{
	struct supervisor_key_send arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.key_len = sup_len32(key_len),
		.pid = pid,
		.buf = u64_from_ptr(buf),
		.len = sup_len32(len),
		.deadline = deadline,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	do {
		ret = sup_ioctl(registry, SUPERVISOR_KEY_SEND, &arg);
	} while (ret == -EINTR);
	sup_result_refused(&local, ret, arg.out_limit, arg.out_max);
	sup_result_end(result, &local);
	return ret;
}

int sup_key_call(int registry, const void *key, size_t key_len, int pid,
		 const void *buf, size_t len, void *reply,
		 size_t *reply_len, uint64_t deadline, uint64_t *call,
		 struct sup_result *result)
{
	struct supervisor_key_call arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.key_len = sup_len32(key_len),
		.pid = pid,
		.buf = u64_from_ptr(buf),
		.len = sup_len32(len),
		.reply = u64_from_ptr(reply),
		.deadline = deadline,
		.call = *call,
	};
	const uint32_t room = sup_len32(*reply_len);
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	do {
		arg.reply_len = room;
		ret = sup_ioctl(registry, SUPERVISOR_KEY_CALL, &arg);
	} while (ret == -EINTR);
	*call = ret == -EMSGSIZE ? arg.call : 0;
	*reply_len = !ret || *call ? arg.reply_len : 0;
	sup_result_refused(&local, *call ? 0 : ret, arg.out_limit,
			   arg.out_max);
	sup_result_end(result, &local);
	return ret;
}

int sup_key_signal(int registry, const void *key, size_t key_len, int pid,
		   int signal)
{
	struct supervisor_key_signal arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.key_len = sup_len32(key_len),
		.pid = pid,
		.signal = (uint32_t)signal,
	};
	int ret = sup_ioctl(registry, SUPERVISOR_KEY_SIGNAL, &arg);

	return ret ? ret : arg.out_pid;
}
