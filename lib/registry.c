// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * registry.c - owns registries: making and opening them, the caller's entries,
 * metadata and locks. Who is there is found by lookup.c.
 */
#include <errno.h>
#include "internal.h"

/* ---- making and opening ----------------------------------------------- */

int sup_registry_create(int device, const struct sup_registry_opts *opts,
			struct sup_result *result)
{
	struct sup_registry_opts o = { SUP_DEFAULTS_sup_registry_opts };
	struct supervisor_registry_create arg = {
		.size = sizeof(arg),
		.out_fd = -1,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (!ret)
		ret = SUP_STRUCT_IN(&o, open, opts);
	if (!ret && o.reserved)
		ret = -EINVAL;
	if (ret)
		return ret;
	arg.flags = (o.open ? SUPERVISOR_REGISTRY_F_OPEN : 0) |
		    (o.map_slots ? SUPERVISOR_REGISTRY_F_MAP : 0);
	arg.map_slots = o.map_slots;
	arg.keys = o.keys;
	arg.partitions = o.partitions;
	if (o.name) {
		arg.name = u64_from_ptr(o.name);
		arg.name_len = sup_strlen32(o.name);
		arg.mode = o.mode;
	}
	ret = sup_ioctl(device, SUPERVISOR_REGISTRY_CREATE, &arg);
	if (!ret) {
		local.id = arg.out_id;
		local.created = arg.out_created;
	}
	sup_result_refused(&local, ret, arg.out_limit, 0);
	sup_result_end(result, &local);
	return ret ? ret : arg.out_fd;
}

int sup_registry_open(int device, const char *name, int access,
		      struct sup_result *result)
{
	return sup_open_kind(device, SUPERVISOR_KIND_REGISTRY, name, access,
			     result);
}

int sup_registry_status(int registry, struct supervisor_registry_status *status)
{
	return sup_ioctl(registry, SUPERVISOR_REGISTRY_STATUS, status);
}

/* ---- the caller's entries --------------------------------------------- */

int sup_register(int registry, const void *key, size_t key_len,
		 const void *value, size_t value_len, int mailbox,
		 struct sup_result *result)
{
	struct supervisor_register arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.value = u64_from_ptr(value),
		.key_len = sup_len32(key_len),
		.value_len = sup_len32(value_len),
		.mailbox_fd = mailbox,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(registry, SUPERVISOR_REGISTER, &arg);
	if (!ret)
		local.id = arg.out_id;
	else if (ret == -EEXIST)
		local.pid = arg.out_pid;
	sup_result_refused(&local, ret, arg.out_limit, arg.out_max);
	sup_result_end(result, &local);
	return ret;
}

static int unregister(int registry, struct supervisor_unregister *arg,
		      struct sup_result *result)
{
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(registry, SUPERVISOR_UNREGISTER, arg);
	sup_result_refused(&local, ret, 0, arg->out_max);
	sup_result_end(result, &local);
	return ret ? ret : (int)arg->out_count;
}

int sup_unregister(int registry, const void *key, size_t key_len,
		   struct sup_result *result)
{
	struct supervisor_unregister arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.key_len = sup_len32(key_len),
	};

	return unregister(registry, &arg, result);
}

int sup_unregister_match(int registry, const void *key, size_t key_len,
			 const void *value, size_t value_len,
			 struct sup_result *result)
{
	struct supervisor_unregister arg = {
		.size = sizeof(arg),
		.flags = SUPERVISOR_UNREGISTER_F_VALUE,
		.key = u64_from_ptr(key),
		.value = u64_from_ptr(value),
		.key_len = sup_len32(key_len),
		.value_len = sup_len32(value_len),
	};

	return unregister(registry, &arg, result);
}

int sup_update(int registry, const void *key, size_t key_len, const void *value,
	       size_t value_len, const struct sup_update_opts *opts,
	       struct sup_result *result)
{
	struct sup_update_opts o = { SUP_DEFAULTS_sup_update_opts };
	struct supervisor_update arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.value = u64_from_ptr(value),
		.key_len = sup_len32(key_len),
		.value_len = sup_len32(value_len),
		.mailbox_fd = -1,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (!ret)
		ret = SUP_STRUCT_IN(&o, mailbox, opts);
	if (ret)
		return ret;
	arg.flags = o.flags;
	if (o.flags & SUPERVISOR_UPDATE_F_COMPARE) {
		arg.old = u64_from_ptr(o.old);
		arg.old_len = sup_len32(o.old_len);
	}
	if (o.flags & SUPERVISOR_UPDATE_F_MAILBOX)
		arg.mailbox_fd = o.mailbox;
	ret = sup_ioctl(registry, SUPERVISOR_UPDATE, &arg);
	sup_result_refused(&local, ret, arg.out_limit, arg.out_max);
	sup_result_end(result, &local);
	return ret;
}

/* ---- metadata --------------------------------------------------------- */

static int meta(int registry, unsigned long request,
		struct supervisor_meta *arg, struct sup_result *result)
{
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(registry, request, arg);
	sup_result_refused(&local, ret, arg->out_limit, arg->out_max);
	sup_result_end(result, &local);
	return ret;
}

int sup_meta_put(int registry, const void *key, size_t key_len,
		 const void *value, size_t value_len, struct sup_result *result)
{
	struct supervisor_meta arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.value = u64_from_ptr(value),
		.key_len = sup_len32(key_len),
		.value_len = sup_len32(value_len),
	};

	return meta(registry, SUPERVISOR_META_PUT, &arg, result);
}

int sup_meta_get(int registry, const void *key, size_t key_len, void *value,
		 size_t *value_len, struct sup_result *result)
{
	struct supervisor_meta arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.value = u64_from_ptr(value),
		.key_len = sup_len32(key_len),
		.value_len = sup_len32(*value_len),
	};
	int ret = meta(registry, SUPERVISOR_META_GET, &arg, result);

	*value_len = !ret || (ret == -EMSGSIZE && !arg.out_max) ?
		     arg.value_len : 0;
	return ret;
}

int sup_meta_delete(int registry, const void *key, size_t key_len,
		    struct sup_result *result)
{
	struct supervisor_meta arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.key_len = sup_len32(key_len),
	};

	return meta(registry, SUPERVISOR_META_DELETE, &arg, result);
}

/* ---- locks ------------------------------------------------------------ */

static int lock(int registry, unsigned long request, const void *key,
		size_t key_len, uint64_t deadline, struct sup_result *result)
{
	struct supervisor_lock arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.key_len = sup_len32(key_len),
		.deadline = deadline,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(registry, request, &arg);
	if (ret == -EAGAIN || ret == -ETIMEDOUT || ret == -EPERM)
		local.pid = arg.out_pid;
	sup_result_refused(&local, ret, arg.out_limit, SUPERVISOR_KEY_MAX);
	sup_result_end(result, &local);
	return ret;
}

int sup_lock(int registry, const void *key, size_t key_len, uint64_t deadline,
	     struct sup_result *result)
{
	return lock(registry, SUPERVISOR_LOCK, key, key_len, deadline, result);
}

int sup_unlock(int registry, const void *key, size_t key_len,
	       struct sup_result *result)
{
	return lock(registry, SUPERVISOR_UNLOCK, key, key_len, 0, result);
}
