// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dynamic.c - owns the calls that only dynamic supervisors understand: their
 * children are meant by number, come in pages, and may join.
 */
#include <errno.h>
#include "internal.h"

/* Bytes of one page of children. */
#define PAGE_BYTES 65536

/* The words as a blob, which is to be freed; NULL when there are none. */
static int args_encode(const char *const *args, void **blob, size_t *len)
{
	struct sup_command *command;
	int ret;

	*blob = NULL;
	*len = 0;
	if (!args || !*args)
		return 0;
	ret = sup_command_new(&command);
	for (; !ret && *args; args++)
		ret = sup_command_add_arg(command, *args);
	if (!ret)
		ret = sup_command_encode(command, blob, len);
	sup_command_free(command);
	return ret;
}

static int dynamic_start(int supervisor, const struct sup_dynamic_opts *opts,
			 struct supervisor_child_add *arg,
			 struct sup_result *result)
{
	struct sup_dynamic_opts o = { SUP_DEFAULTS_sup_dynamic_opts };
	void *encoded = NULL, *args = NULL;
	struct supervisor_child_spec spec;
	struct sup_result local;
	size_t len;
	int ret;

	ret = sup_result_begin(result, &local);
	if (!ret)
		ret = SUP_STRUCT_IN(&o, args_blob_len, opts);
	if (!ret && o.args && o.args_blob)
		ret = -EINVAL;
	if (ret)
		return ret;
	ret = args_encode(o.args, &args, &len);
	if (!ret && o.child)
		ret = sup_spec_from_opts(&spec, o.id, o.child, &encoded);
	if (!ret) {
		if (o.child)
			arg->spec = u64_from_ptr(&spec);
		if (!args)
			len = o.args_blob_len;
		arg->args = u64_from_ptr(args ? args : o.args_blob);
		arg->args_len = len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
		ret = sup_ioctl(supervisor, SUPERVISOR_CHILD_ADD, arg);
		local.result = arg->out_result;
		local.error = arg->out_error;
		local.invalid = arg->out_invalid;
		local.limit = arg->out_limit;
		local.pid = arg->out_pid;
		local.id = arg->out_id;
	}
	sup_free(encoded);
	sup_free(args);
	sup_result_end(result, &local);
	return ret;
}

int sup_dynamic_start(int supervisor, const struct sup_dynamic_opts *opts,
		      uint64_t deadline, struct sup_result *result)
{
	struct supervisor_child_add arg = {
		.size = sizeof(arg),
		.deadline = deadline,
		.mailbox_fd = -1,
	};

	return dynamic_start(supervisor, opts, &arg, result);
}

int sup_dynamic_start_async(int supervisor,
			    const struct sup_dynamic_opts *opts,
			    uint64_t deadline, int mailbox, uint64_t cookie,
			    struct sup_result *result)
{
	struct supervisor_child_add arg = {
		.size = sizeof(arg),
		.flags = SUPERVISOR_CALL_F_ASYNC,
		.deadline = deadline,
		.cookie = cookie,
		.mailbox_fd = mailbox,
	};

	return dynamic_start(supervisor, opts, &arg, result);
}

int sup_dynamic_join(int supervisor, uint32_t flags, uint64_t deadline,
		     struct sup_result *result)
{
	struct supervisor_child_join arg = {
		.size = sizeof(arg),
		.flags = flags,
		.deadline = deadline,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(supervisor, SUPERVISOR_CHILD_JOIN, &arg);
	local.result = arg.out_result;
	local.limit = arg.out_limit;
	local.id = arg.out_id;
	local.pid = arg.out_pid;
	sup_result_end(result, &local);
	return ret;
}

static int dynamic_terminate(int supervisor, struct supervisor_child_call arg,
			     struct sup_result *result)
{
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(supervisor, SUPERVISOR_CHILD_TERMINATE, &arg);
	local.result = arg.out_result;
	local.limit = arg.out_limit;
	sup_result_end(result, &local);
	return ret;
}

int sup_dynamic_terminate(int supervisor, uint64_t child, uint32_t incarnation,
			  uint64_t deadline, struct sup_result *result)
{
	return dynamic_terminate(supervisor, (struct supervisor_child_call){
		.size = sizeof(struct supervisor_child_call),
		.deadline = deadline,
		.mailbox_fd = -1,
		.child = child,
		.incarnation = incarnation,
	}, result);
}

int sup_dynamic_terminate_async(int supervisor, uint64_t child,
				uint32_t incarnation, uint64_t deadline,
				int mailbox, uint64_t cookie)
{
	return dynamic_terminate(supervisor, (struct supervisor_child_call){
		.size = sizeof(struct supervisor_child_call),
		.flags = SUPERVISOR_CALL_F_ASYNC,
		.deadline = deadline,
		.cookie = cookie,
		.mailbox_fd = mailbox,
		.child = child,
		.incarnation = incarnation,
	}, NULL);
}

int sup_dynamic_terminate_pid(int supervisor, int32_t pid, uint64_t deadline,
			      struct sup_result *result)
{
	return dynamic_terminate(supervisor, (struct supervisor_child_call){
		.size = sizeof(struct supervisor_child_call),
		.deadline = deadline,
		.mailbox_fd = -1,
		.pid = pid,
	}, result);
}

/* Room for a page of children. */
static int page_begin(struct sup_buf *buf, struct sup_children **children)
{
	*buf = (struct sup_buf){ 0 };
	*children = NULL;
	return sup_buf_reserve(buf, PAGE_BYTES);
}

/* The page, of @len bytes, unless the ioctl failed. */
static int page_end(struct sup_buf *buf, int ret, size_t len,
		    struct sup_children **children)
{
	if (ret) {
		sup_free(buf->mem);
		return ret;
	}
	buf->len = len;
	return sup_children_from(buf, children);
}

int sup_dynamic_which(int supervisor, uint64_t deadline, uint64_t *cursor,
		      struct sup_children **children)
{
	struct supervisor_query arg = {
		.size = sizeof(arg),
		.deadline = deadline,
		.mailbox_fd = -1,
		.cursor = *cursor,
	};
	struct sup_buf buf;
	int ret = page_begin(&buf, children);

	if (ret)
		return ret;
	arg.buf = u64_from_ptr(buf.mem);
	arg.buf_len = (uint32_t)buf.cap;
	ret = sup_ioctl(supervisor, SUPERVISOR_WHICH_CHILDREN, &arg);
	ret = page_end(&buf, ret, arg.buf_len, children);
	if (!ret)
		*cursor = arg.cursor;
	return ret;
}

int sup_dynamic_status(int supervisor, struct supervisor_status *status,
		       struct sup_children **children)
{
	struct sup_buf buf;
	int ret;

	*children = NULL;
	if (status->size < offsetofend(struct supervisor_status, cursor))
		return -EINVAL;
	ret = page_begin(&buf, children);
	if (ret)
		return ret;
	status->flags = 0;
	status->buf = u64_from_ptr(buf.mem);
	status->buf_len = (uint32_t)buf.cap;
	ret = sup_ioctl(supervisor, SUPERVISOR_STATUS, status);
	ret = page_end(&buf, ret, status->buf_len, children);
	status->buf = 0;
	status->buf_len = 0;
	return ret;
}

int sup_dynamic_get_spec(int supervisor, uint64_t child, uint64_t deadline,
			 struct sup_child_opts *opts, void **memory)
{
	struct supervisor_query arg = {
		.size = sizeof(arg),
		.deadline = deadline,
		.mailbox_fd = -1,
		.child = child,
	};
	struct sup_buf buf = { 0 };
	size_t need = 4096;
	int ret;

	*memory = NULL;
	do {
		ret = sup_buf_reserve(&buf, need);
		if (ret)
			break;
		arg.buf = u64_from_ptr(buf.mem);
		arg.buf_len = (uint32_t)buf.cap;
		ret = sup_ioctl(supervisor, SUPERVISOR_CHILD_GET_SPEC, &arg);
		need = arg.buf_len;
	} while (ret == -EMSGSIZE && need > buf.cap);
	if (!ret)
		ret = sup_spec_to_opts(buf.mem, need, opts);
	if (ret)
		sup_free(buf.mem);
	else
		*memory = buf.mem;
	return ret;
}
