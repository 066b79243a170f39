// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mailbox.c - owns the calls on a mailbox; message.c reads what they bring.
 */
#include <errno.h>
#include "internal.h"

int sup_mailbox_create(int device, uint32_t ring_bytes,
		       struct sup_result *result)
{
	struct supervisor_mailbox_create arg = {
		.size = sizeof(arg),
		.ring_bytes = ring_bytes,
		.out_fd = -1,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(device, SUPERVISOR_MAILBOX_CREATE, &arg);
	if (!ret)
		local.id = arg.out_id;
	else if (ret == -EDQUOT)
		local.limit = arg.out_limit;
	sup_result_end(result, &local);
	return ret ? ret : arg.out_fd;
}

int sup_mailbox_recv(int mailbox, void *buf, size_t *len, uint32_t max,
		     uint64_t deadline)
{
	struct supervisor_mailbox_recv arg = {
		.size = sizeof(arg),
		.buf = u64_from_ptr(buf),
		.buf_len = *len < UINT32_MAX ? (uint32_t)*len : UINT32_MAX,
		.max = max,
		.deadline = deadline,
	};
	int ret = sup_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &arg);

	if (ret && ret != -EMSGSIZE) {
		*len = 0;
		return ret;
	}
	*len = arg.buf_len;
	return ret ? ret : (int)arg.out_count;
}
