// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * supervisor.c - owns the calls on a supervisor as a whole.
 */
#include <errno.h>
#include "internal.h"

int sup_create(int device, int mailbox, const struct sup_create_opts *opts,
	       struct sup_result *result)
{
	struct sup_create_opts o = { SUP_DEFAULTS_sup_create_opts };
	struct supervisor_create arg = { .size = sizeof(arg), .out_fd = -1 };
	struct supervisor_child_spec spec;
	struct sup_result local;
	void *encoded = NULL;
	int ret;

	ret = sup_result_begin(result, &local);
	if (!ret)
		ret = SUP_STRUCT_IN(&o, spawner_timeout_ms, opts);
	if (!ret && o.reserved)
		ret = -EINVAL;
	if (!ret && o.child)
		ret = sup_spec_from_opts(&spec, o.child_id, o.child, &encoded);
	if (ret)
		return ret;

	if (o.log_crashes)
		arg.flags |= SUPERVISOR_CREATE_F_LOG_CRASHES;
	arg.strategy = o.strategy;
	arg.auto_shutdown = o.auto_shutdown;
	arg.intensity = o.intensity;
	arg.period = o.period;
	arg.owner_death = o.owner_death;
	arg.unkillable_ms = o.unkillable_ms;
	arg.spawner_timeout_ms = o.spawner_timeout_ms;
	arg.hold_ms = o.hold_ms;
	arg.mailbox_fd = mailbox;
	if (o.name) {
		arg.name_len = sup_strlen32(o.name);
		arg.mode = o.mode;
		arg.name = u64_from_ptr(o.name);
	}
	if (o.kind != SUPERVISOR_ORDERED) {
		arg.kind = o.kind;
		arg.spawn = o.spawn;
		arg.max_children = o.max_children;
	}
	if (o.child)
		arg.child_spec = u64_from_ptr(&spec);
	ret = sup_ioctl(device, SUPERVISOR_CREATE, &arg);
	sup_free(encoded);
	if (!ret)
		local.id = arg.out_id;
	else if (ret == -EINVAL)
		local.invalid = arg.out_invalid;
	else if (ret == -EDQUOT)
		local.limit = arg.out_limit;
	sup_result_end(result, &local);
	return ret ? ret : arg.out_fd;
}

int sup_open_child(int supervisor, const char *path, int access,
		   struct sup_result *result)
{
	struct supervisor_open_child arg = {
		.size = sizeof(arg),
		.access = (uint32_t)access,
		.path_len = sup_strlen32(path),
		.path = u64_from_ptr(path),
		.out_fd = -1,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(supervisor, SUPERVISOR_OPEN_CHILD, &arg);
	if (!ret)
		local.id = arg.out_id;
	sup_result_end(result, &local);
	return ret ? ret : arg.out_fd;
}

int sup_own(int supervisor)
{
	struct supervisor_own arg = { .size = sizeof(arg) };

	return sup_ioctl(supervisor, SUPERVISOR_OWN, &arg);
}

int sup_adopt(int supervisor)
{
	struct supervisor_adopt arg = { .size = sizeof(arg), .out_fd = -1 };
	int ret = sup_ioctl(supervisor, SUPERVISOR_ADOPT, &arg);

	return ret ? ret : arg.out_fd;
}

int sup_start(int supervisor, uint64_t deadline, struct sup_result *result,
	      char failed_id[SUP_ID_SIZE])
{
	struct supervisor_start arg = {
		.size = sizeof(arg),
		.deadline = deadline,
		.failed_id_len = failed_id ? SUPERVISOR_NAME_MAX : 0,
		.failed_id = u64_from_ptr(failed_id),
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (failed_id)
		failed_id[0] = '\0';
	if (ret)
		return ret;
	ret = sup_ioctl(supervisor, SUPERVISOR_START, &arg);
	if (ret == -ECHILD) {
		local.error = arg.out_error;
		local.pid = arg.out_pid;
		if (failed_id && arg.failed_id_len <= SUPERVISOR_NAME_MAX)
			failed_id[arg.failed_id_len] = '\0';
	}
	sup_result_end(result, &local);
	return ret;
}

int sup_start_async(int supervisor)
{
	struct supervisor_start arg = {
		.size = sizeof(arg),
		.flags = SUPERVISOR_CALL_F_ASYNC,
		.deadline = SUPERVISOR_NO_DEADLINE,
	};

	return sup_ioctl(supervisor, SUPERVISOR_START, &arg);
}

static int supervisor_stop(int supervisor, uint32_t flags, uint32_t reason,
			   uint64_t deadline)
{
	struct supervisor_stop arg = {
		.size = sizeof(arg),
		.flags = flags,
		.deadline = deadline,
		.reason = reason,
	};

	return sup_ioctl(supervisor, SUPERVISOR_STOP, &arg);
}

int sup_stop(int supervisor, uint32_t reason, uint64_t deadline)
{
	return supervisor_stop(supervisor, 0, reason, deadline);
}

int sup_stop_async(int supervisor, uint32_t reason)
{
	return supervisor_stop(supervisor, SUPERVISOR_CALL_F_ASYNC, reason,
			       SUPERVISOR_NO_DEADLINE);
}

int sup_suspend(int supervisor, uint32_t flags, uint64_t deadline)
{
	struct supervisor_suspend arg = {
		.size = sizeof(arg),
		.flags = flags,
		.deadline = deadline,
	};

	return sup_ioctl(supervisor, SUPERVISOR_SUSPEND, &arg);
}

int sup_resume(int supervisor, uint32_t flags)
{
	struct supervisor_suspend arg = {
		.size = sizeof(arg),
		.flags = flags,
	};

	return sup_ioctl(supervisor, SUPERVISOR_RESUME, &arg);
}

int sup_wait_idle(int supervisor, uint64_t deadline)
{
	struct supervisor_wait arg = {
		.size = sizeof(arg),
		.deadline = deadline,
		.what = SUPERVISOR_WAIT_IDLE,
	};

	return sup_ioctl(supervisor, SUPERVISOR_WAIT, &arg);
}

int sup_wait_down(int supervisor, uint64_t deadline, uint32_t *reason,
		  uint32_t *down)
{
	struct supervisor_wait arg = {
		.size = sizeof(arg),
		.deadline = deadline,
		.what = SUPERVISOR_WAIT_DOWN,
	};
	int ret = sup_ioctl(supervisor, SUPERVISOR_WAIT, &arg);

	if (!ret && reason)
		*reason = arg.out_reason;
	if (!ret && down)
		*down = arg.out_down;
	return ret;
}

static int subscribe(int supervisor, int mailbox, uint32_t flags,
		     struct sup_result *result)
{
	struct supervisor_subscribe arg = {
		.size = sizeof(arg),
		.flags = flags,
		.mailbox_fd = mailbox,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(supervisor, SUPERVISOR_SUBSCRIBE, &arg);
	if (ret == -EDQUOT || ret == -ENOSPC)
		local.limit = arg.out_limit;
	sup_result_end(result, &local);
	return ret;
}

int sup_subscribe(int supervisor, int mailbox, struct sup_result *result)
{
	return subscribe(supervisor, mailbox, 0, result);
}

int sup_subscribe_crashes(int supervisor, int mailbox,
			  struct sup_result *result)
{
	return subscribe(supervisor, mailbox, SUPERVISOR_SUBSCRIBE_F_CRASHES,
			 result);
}

/* A caller that was built without it gets what fits into a first part. */
static uint64_t status_cursor(const struct supervisor_status *status)
{
	return status->size < offsetofend(struct supervisor_status, cursor) ?
		0 : status->cursor;
}

int sup_status(int supervisor, struct supervisor_status *status,
	       struct sup_children **children)
{
	struct sup_buf buf = { 0 };
	size_t need = 4096;
	uint32_t count = 0;
	int ret;

	if (status->size < offsetofend(struct supervisor_status, out_down))
		return -EINVAL;
	status->flags = 0;
	if (!children) {
		status->buf = 0;
		status->buf_len = 0;
		return sup_ioctl(supervisor, SUPERVISOR_STATUS, status);
	}

	/* Children may come while the buffer grows; dynamic ones come in parts. */
	*children = NULL;
	do {
		ret = sup_buf_reserve(&buf, need);
		if (ret)
			break;
		status->buf = u64_from_ptr((char *)buf.mem + buf.len);
		status->buf_len = (uint32_t)(buf.cap - buf.len);
		ret = sup_ioctl(supervisor, SUPERVISOR_STATUS, status);
		need = buf.len + status->buf_len;
		if (!ret) {
			count += status->out_count;
			buf.len = need;
			need = buf.cap * 2;
		}
	} while (ret ? ret == -EMSGSIZE && need > buf.cap : status_cursor(status));

	status->buf = 0;
	status->buf_len = 0;
	if (ret) {
		sup_free(buf.mem);
		return ret;
	}
	status->out_count = count;
	return sup_children_from(&buf, children);
}
