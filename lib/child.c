// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * child.c - owns the calls on a supervisor about its children, and their specs.
 */
#include <errno.h>
#include "internal.h"

/* How a call is made: waiting for its answer, or by message. */
struct child_way {
	uint64_t deadline;
	uint64_t cookie;
	int mailbox;
	uint32_t flags;
};

static struct child_way way_sync(uint64_t deadline)
{
	return (struct child_way){ .deadline = deadline, .mailbox = -1 };
}

static struct child_way way_async(uint64_t deadline, int mailbox,
				  uint64_t cookie)
{
	return (struct child_way){
		.deadline = deadline,
		.cookie = cookie,
		.mailbox = mailbox,
		.flags = SUPERVISOR_CALL_F_ASYNC,
	};
}

/* ---- specs ------------------------------------------------------------ */

static int64_t spec_shutdown(const struct sup_child_opts *opts, uint32_t type)
{
	if (opts->shutdown_ms != SUP_SHUTDOWN_DEFAULT)
		return opts->shutdown_ms;
	return type == SUPERVISOR_CHILD_SUPERVISOR ?
		SUPERVISOR_SHUTDOWN_INFINITY : 5000;
}

int sup_spec_from_opts(struct supervisor_child_spec *spec, const char *id,
		       const struct sup_child_opts *opts, void **encoded)
{
	struct sup_child_opts o = { SUP_DEFAULTS_sup_child_opts };
	uint32_t type;
	int ret;

	*encoded = NULL;
	if (!id)
		return -EINVAL;
	ret = SUP_STRUCT_IN(&o, retry_reset_after_ms, opts);
	if (ret)
		return ret;
	if (o.command) {
		if (o.blob)
			return -EINVAL;
		ret = sup_command_encode(o.command, encoded, &o.blob_len);
		if (ret)
			return ret;
		o.blob = *encoded;
	}
	type = o.type;
	if (type == SUP_TYPE_DEFAULT)
		type = o.supervisor >= 0 ? SUPERVISOR_CHILD_SUPERVISOR :
					   SUPERVISOR_CHILD_WORKER;

	*spec = (struct supervisor_child_spec){
		.size = sizeof(*spec),
		.flags = o.retry_uncounted ?
			SUPERVISOR_CHILD_F_RETRY_UNCOUNTED : 0,
		.restart = o.restart,
		.significant = o.significant,
		.type = type,
		.readiness = o.readiness,
		.shutdown_ms = spec_shutdown(&o, type),
		.stop_signal = o.stop_signal,
		.signal_whom = o.signal_whom,
		.start_timeout_ms = o.start_timeout_ms,
		.retry_min_ms = o.retry_min_ms,
		.retry_max_ms = o.retry_max_ms,
		.retry_factor_pct = o.retry_min_ms ? o.retry_factor_pct : 0,
		.retry_jitter_pct = o.retry_jitter_pct,
		.retry_reset_after_ms = o.retry_reset_after_ms,
		.supervisor_fd = o.supervisor,
		.id_len = sup_strlen32(id),
		.blob_len = o.blob_len < UINT32_MAX ? (uint32_t)o.blob_len :
						      UINT32_MAX,
		.id = u64_from_ptr(id),
		.blob = u64_from_ptr(o.blob),
	};
	if (o.registry != -1) {
		spec->flags |= SUPERVISOR_CHILD_F_REGISTER;
		spec->registry_fd = o.registry;
		spec->register_key = u64_from_ptr(o.key);
		spec->register_key_len = o.key_len;
		spec->register_value = u64_from_ptr(o.value);
		spec->register_value_len = sup_len32(o.value_len);
	}
	return 0;
}

/* Are there so many bytes at @offset of a spec that the kernel gave back? */
static bool spec_has(size_t len, uint64_t offset, uint32_t bytes)
{
	return offset <= len && bytes <= len - offset;
}

int sup_spec_to_opts(const void *mem, size_t len, struct sup_child_opts *opts)
{
	const struct supervisor_child_spec *spec = mem;
	struct sup_child_opts o = { SUP_DEFAULTS_sup_child_opts };

	if (opts->sz < offsetofend(struct sup_child_opts, retry_reset_after_ms))
		return -EINVAL;
	if (len < sizeof(*spec) || spec->size < sizeof(*spec) ||
	    !spec_has(len, spec->blob, spec->blob_len) ||
	    !spec_has(len, spec->register_key, spec->register_key_len) ||
	    !spec_has(len, spec->register_value, spec->register_value_len))
		return -EBADMSG;

	o.blob = spec->blob_len ? (const char *)mem + spec->blob : NULL;
	o.blob_len = spec->blob_len;
	o.restart = spec->restart;
	o.significant = spec->significant;
	o.type = spec->type;
	o.readiness = spec->readiness;
	o.stop_signal = spec->stop_signal;
	o.shutdown_ms = spec->shutdown_ms;
	o.signal_whom = spec->signal_whom;
	o.start_timeout_ms = spec->start_timeout_ms;
	o.retry_uncounted = !!(spec->flags &
			       SUPERVISOR_CHILD_F_RETRY_UNCOUNTED);
	o.retry_min_ms = spec->retry_min_ms;
	o.retry_max_ms = spec->retry_max_ms;
	o.retry_factor_pct = spec->retry_factor_pct;
	o.retry_jitter_pct = spec->retry_jitter_pct;
	o.retry_reset_after_ms = spec->retry_reset_after_ms;
	if (spec->flags & SUPERVISOR_CHILD_F_REGISTER) {
		o.key = (const char *)mem + spec->register_key;
		o.key_len = spec->register_key_len;
		o.value = (const char *)mem + spec->register_value;
		o.value_len = spec->register_value_len;
	}
	sup_struct_out(opts, sizeof(o), &o);
	return 0;
}

/* ---- start_child ------------------------------------------------------ */

static int child_add(int supervisor, const char *id,
		     const struct sup_child_opts *opts, struct child_way way,
		     struct sup_result *result)
{
	struct supervisor_child_spec spec;
	struct supervisor_child_add arg = {
		.size = sizeof(arg),
		.flags = way.flags,
		.spec = u64_from_ptr(&spec),
		.deadline = way.deadline,
		.cookie = way.cookie,
		.mailbox_fd = way.mailbox,
	};
	struct sup_result local;
	void *encoded;
	int ret;

	ret = sup_result_begin(result, &local);
	if (!ret)
		ret = sup_spec_from_opts(&spec, id, opts, &encoded);
	if (ret)
		return ret;
	ret = sup_ioctl(supervisor, SUPERVISOR_CHILD_ADD, &arg);
	sup_free(encoded);
	local.result = arg.out_result;
	local.error = arg.out_error;
	local.invalid = arg.out_invalid;
	local.limit = arg.out_limit;
	local.pid = arg.out_pid;
	local.id = arg.out_id;
	local.max = arg.out_max;
	sup_result_end(result, &local);
	return ret;
}

int sup_child_add(int supervisor, const char *id,
		  const struct sup_child_opts *opts, uint64_t deadline,
		  struct sup_result *result)
{
	return child_add(supervisor, id, opts, way_sync(deadline), result);
}

int sup_child_add_async(int supervisor, const char *id,
			const struct sup_child_opts *opts, uint64_t deadline,
			int mailbox, uint64_t cookie,
			struct sup_result *result)
{
	return child_add(supervisor, id, opts,
			 way_async(deadline, mailbox, cookie), result);
}

/* ---- terminate, restart, delete --------------------------------------- */

static int child_call(int supervisor, unsigned long request, const char *id,
		      struct child_way way, struct sup_result *result)
{
	struct supervisor_child_call arg = {
		.size = sizeof(arg),
		.flags = way.flags,
		.deadline = way.deadline,
		.cookie = way.cookie,
		.id = u64_from_ptr(id),
		.id_len = sup_strlen32(id),
		.mailbox_fd = way.mailbox,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(supervisor, request, &arg);
	local.result = arg.out_result;
	local.error = arg.out_error;
	local.limit = arg.out_limit;
	local.pid = arg.out_pid;
	sup_result_end(result, &local);
	return ret;
}

int sup_child_terminate(int supervisor, const char *id, uint64_t deadline,
			struct sup_result *result)
{
	return child_call(supervisor, SUPERVISOR_CHILD_TERMINATE, id,
			  way_sync(deadline), result);
}

int sup_child_restart(int supervisor, const char *id, uint64_t deadline,
		      struct sup_result *result)
{
	return child_call(supervisor, SUPERVISOR_CHILD_RESTART, id,
			  way_sync(deadline), result);
}

int sup_child_delete(int supervisor, const char *id, uint64_t deadline,
		     struct sup_result *result)
{
	return child_call(supervisor, SUPERVISOR_CHILD_DELETE, id,
			  way_sync(deadline), result);
}

int sup_child_terminate_async(int supervisor, const char *id,
			      uint64_t deadline, int mailbox, uint64_t cookie)
{
	return child_call(supervisor, SUPERVISOR_CHILD_TERMINATE, id,
			  way_async(deadline, mailbox, cookie), NULL);
}

int sup_child_restart_async(int supervisor, const char *id, uint64_t deadline,
			    int mailbox, uint64_t cookie)
{
	return child_call(supervisor, SUPERVISOR_CHILD_RESTART, id,
			  way_async(deadline, mailbox, cookie), NULL);
}

int sup_child_delete_async(int supervisor, const char *id, uint64_t deadline,
			   int mailbox, uint64_t cookie)
{
	return child_call(supervisor, SUPERVISOR_CHILD_DELETE, id,
			  way_async(deadline, mailbox, cookie), NULL);
}

/* ---- which_children, count_children, get_childspec -------------------- */

static struct supervisor_query query_init(const char *id, struct child_way way)
{
	return (struct supervisor_query){
		.size = sizeof(struct supervisor_query),
		.flags = way.flags,
		.deadline = way.deadline,
		.cookie = way.cookie,
		.mailbox_fd = way.mailbox,
		.id = u64_from_ptr(id),
		.id_len = id ? sup_strlen32(id) : 0,
	};
}

/*
 * Asks until the buffer is large enough: a question changes nothing. What a dynamic
 * supervisor tells comes in parts, which are put together.
 */
static int query_sync(int supervisor, unsigned long request, const char *id,
		      uint64_t deadline, struct sup_buf *buf)
{
	struct supervisor_query arg = query_init(id, way_sync(deadline));
	size_t need = 4096;
	int ret;

	do {
		ret = sup_buf_reserve(buf, need);
		if (ret)
			break;
		arg.buf = u64_from_ptr((char *)buf->mem + buf->len);
		arg.buf_len = (uint32_t)(buf->cap - buf->len);
		ret = sup_ioctl(supervisor, request, &arg);
		need = buf->len + arg.buf_len;
		if (!ret) {
			buf->len = need;
			need = buf->cap * 2;
		}
	} while (ret ? ret == -EMSGSIZE && need > buf->cap : arg.cursor);

	if (ret) {
		sup_free(buf->mem);
		buf->mem = NULL;
	}
	return ret;
}

static int query_async(int supervisor, unsigned long request, const char *id,
		       size_t max_len, struct child_way way)
{
	struct supervisor_query arg = query_init(id, way);

	arg.buf_len = max_len < UINT32_MAX ? (uint32_t)max_len : UINT32_MAX;
	return sup_ioctl(supervisor, request, &arg);
}

int sup_which_children(int supervisor, uint64_t deadline,
		       struct sup_children **children)
{
	struct sup_buf buf = { 0 };
	int ret;

	*children = NULL;
	ret = query_sync(supervisor, SUPERVISOR_WHICH_CHILDREN, NULL, deadline,
			 &buf);
	return ret ? ret : sup_children_from(&buf, children);
}

int sup_count_children(int supervisor, uint64_t deadline,
		       struct supervisor_count *count)
{
	struct supervisor_query arg = query_init(NULL, way_sync(deadline));

	arg.buf = u64_from_ptr(count);
	arg.buf_len = sizeof(*count);
	return sup_ioctl(supervisor, SUPERVISOR_COUNT_CHILDREN, &arg);
}

int sup_child_get_spec(int supervisor, const char *id, uint64_t deadline,
		       struct sup_child_opts *opts, void **memory)
{
	struct sup_buf buf = { 0 };
	int ret;

	*memory = NULL;
	ret = query_sync(supervisor, SUPERVISOR_CHILD_GET_SPEC, id, deadline,
			 &buf);
	if (ret)
		return ret;
	ret = sup_spec_to_opts(buf.mem, buf.len, opts);
	if (ret) {
		sup_free(buf.mem);
		return ret;
	}
	*memory = buf.mem;
	return 0;
}

int sup_which_children_async(int supervisor, uint64_t deadline, int mailbox,
			     uint64_t cookie, size_t max_len)
{
	return query_async(supervisor, SUPERVISOR_WHICH_CHILDREN, NULL, max_len,
			   way_async(deadline, mailbox, cookie));
}

int sup_count_children_async(int supervisor, uint64_t deadline, int mailbox,
			     uint64_t cookie)
{
	return query_async(supervisor, SUPERVISOR_COUNT_CHILDREN, NULL,
			   sizeof(struct supervisor_count),
			   way_async(deadline, mailbox, cookie));
}

int sup_child_get_spec_async(int supervisor, const char *id, uint64_t deadline,
			     int mailbox, uint64_t cookie, size_t max_len)
{
	return query_async(supervisor, SUPERVISOR_CHILD_GET_SPEC, id, max_len,
			   way_async(deadline, mailbox, cookie));
}
