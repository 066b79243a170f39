// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mailbox.c - owns mailboxes: making, opening, owning and reading them. What
 * they bring is read by message.c, what is sent to them by call.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "internal.h"

/* ---- making and opening ----------------------------------------------- */

int sup_mailbox_create_with(int device, const struct sup_mailbox_opts *opts,
			    struct sup_result *result)
{
	struct sup_mailbox_opts o = { SUP_DEFAULTS_sup_mailbox_opts };
	struct supervisor_mailbox_create arg = {
		.size = sizeof(arg),
		.out_fd = -1,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (!ret)
		ret = SUP_STRUCT_IN(&o, max_payload, opts);
	if (ret)
		return ret;
	arg.flags = o.survive ? SUPERVISOR_MAILBOX_F_SURVIVE : 0;
	arg.ring_bytes = o.ring_bytes;
	arg.max_messages = o.max_messages;
	arg.max_bytes = o.max_bytes;
	arg.max_payload = o.max_payload;
	if (o.name) {
		arg.name = u64_from_ptr(o.name);
		arg.name_len = sup_strlen32(o.name);
		arg.mode = o.mode;
	}
	ret = sup_ioctl(device, SUPERVISOR_MAILBOX_CREATE, &arg);
	if (!ret)
		local.id = arg.out_id;
	else if (ret == -EDQUOT || ret == -ENOSPC)
		local.limit = arg.out_limit;
	sup_result_end(result, &local);
	return ret ? ret : arg.out_fd;
}

int sup_mailbox_create(int device, uint32_t ring_bytes,
		       struct sup_result *result)
{
	struct sup_mailbox_opts opts = { SUP_DEFAULTS_sup_mailbox_opts };

	opts.ring_bytes = ring_bytes;
	return sup_mailbox_create_with(device, &opts, result);
}

int sup_mailbox_open(int device, const char *name, int access,
		     struct sup_result *result)
{
	return sup_open_kind(device, SUPERVISOR_KIND_MAILBOX, name, access,
			     result);
}

/* ---- owning ----------------------------------------------------------- */

static int mailbox_own(int mailbox, uint32_t flags)
{
	struct supervisor_mailbox_own arg = {
		.size = sizeof(arg),
		.flags = flags,
	};

	return sup_ioctl(mailbox, SUPERVISOR_MAILBOX_OWN, &arg);
}

int sup_mailbox_own(int mailbox)
{
	return mailbox_own(mailbox, 0);
}

int sup_mailbox_status(int mailbox, struct supervisor_mailbox_status *status)
{
	return sup_ioctl(mailbox, SUPERVISOR_MAILBOX_STATUS, status);
}

int sup_mailbox_serve(int device, const struct sup_mailbox_opts *opts,
		      struct sup_result *result)
{
	struct sup_mailbox_opts o = { SUP_DEFAULTS_sup_mailbox_opts };
	int mailbox;
	int ret;

	ret = SUP_STRUCT_IN(&o, max_payload, opts);
	if (ret)
		return ret;
	if (!o.name)
		return -EINVAL;
	o.survive = 1;
	/* The name may come and go in between: each turn something else has
	 * happened.
	 */
	do {
		mailbox = sup_mailbox_create_with(device, &o, result);
		if (mailbox != -EEXIST)
			return mailbox;
		mailbox = sup_mailbox_open(device, o.name, O_RDWR, result);
	} while (mailbox == -ENOENT);
	if (mailbox < 0)
		return mailbox;
	ret = mailbox_own(mailbox, SUPERVISOR_OWN_F_VACANT);
	if (ret) {
		sup_close(mailbox);
		return ret;
	}
	return mailbox;
}

/* ---- reading ---------------------------------------------------------- */

int sup_mailbox_recv_with(int mailbox, uint32_t flags, uint64_t ref, void *buf,
			  size_t *len, uint32_t max, uint64_t deadline)
{
	struct supervisor_mailbox_recv arg = {
		.size = sizeof(arg),
		.flags = flags,
		.buf = u64_from_ptr(buf),
		.buf_len = sup_len32(*len),
		.max = max,
		.deadline = deadline,
		.ref = ref,
	};
	int ret = sup_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &arg);

	if (ret && ret != -EMSGSIZE) {
		*len = 0;
		return ret;
	}
	*len = arg.buf_len;
	return ret ? ret : (int)arg.out_count;
}

int sup_mailbox_recv(int mailbox, void *buf, size_t *len, uint32_t max,
		     uint64_t deadline)
{
	return sup_mailbox_recv_with(mailbox, 0, 0, buf, len, max, deadline);
}
