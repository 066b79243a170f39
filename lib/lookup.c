// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lookup.c - owns finding who is in a registry: one entry of a key, its process,
 * and walks over many entries.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "internal.h"

/* Room for some of the largest entries. */
#define ENTRIES_BUF 16384

/* ---- one -------------------------------------------------------------- */

int sup_lookup(int registry, const void *key, size_t key_len, void *value,
	       size_t *value_len, struct sup_result *result)
{
	struct supervisor_lookup arg = {
		.size = sizeof(arg),
		.key = u64_from_ptr(key),
		.value = u64_from_ptr(value),
		.key_len = sup_len32(key_len),
		.value_len = value && value_len ? sup_len32(*value_len) : 0,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(registry, SUPERVISOR_LOOKUP, &arg);
	if (!ret || ret == -EMSGSIZE) {
		local.pid = arg.out_pid;
		local.id = arg.out_id;
	}
	if (ret == -EMSGSIZE && !arg.out_id)
		local.max = SUPERVISOR_KEY_MAX;
	if (value_len)
		*value_len = local.id ? arg.value_len : 0;
	sup_result_end(result, &local);
	return ret ? ret : (int)arg.out_mailbox;
}

static int whereis(int registry, const void *key, size_t key_len, uint64_t *id)
{
	struct sup_result result = { SUP_DEFAULTS_sup_result };
	int ret = sup_lookup(registry, key, key_len, NULL, NULL, &result);

	if (ret < 0)
		return ret;
	*id = result.id;
	return result.pid ? result.pid : -ESRCH;
}

int sup_whereis(int registry, const void *key, size_t key_len)
{
	uint64_t id;

	return whereis(registry, key, key_len, &id);
}

static int pidfd_open(int pid)
{
	int saved = errno;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		fd = -errno;
	errno = saved;
	return fd;
}

/*
 * The number is of the entry's process as long as the entry is there, and is the
 * pidfd's from its opening on: an entry that is there after that has both.
 */
int sup_whereis_pidfd(int registry, const void *key, size_t key_len)
{
	uint64_t id, after;
	int fd, ret;

	ret = whereis(registry, key, key_len, &id);
	while (ret >= 0) {
		fd = pidfd_open(ret);
		ret = whereis(registry, key, key_len, &after);
		if (ret >= 0 && after == id)
			return fd;
		sup_close(fd);
		id = after;
	}
	return ret;
}

/* ---- many ------------------------------------------------------------- */

static int select_arg(struct supervisor_select *arg,
		      const struct sup_select_opts *opts)
{
	struct sup_select_opts o = { SUP_DEFAULTS_sup_select_opts };
	int ret = SUP_STRUCT_IN(&o, reserved, opts);

	if (!ret && o.reserved)
		ret = -EINVAL;
	if (ret)
		return ret;
	*arg = (struct supervisor_select){
		.size = sizeof(*arg),
		.flags = o.flags,
		.key = u64_from_ptr(o.key_len ? o.key : NULL),
		.key_len = sup_len32(o.key_len),
	};
	if (o.flags & SUPERVISOR_SELECT_F_VALUE) {
		arg->value = u64_from_ptr(o.value);
		arg->value_len = sup_len32(o.value_len);
	}
	if (o.flags & SUPERVISOR_SELECT_F_PID)
		arg->pid = o.pid;
	if (o.flags & SUPERVISOR_SELECT_F_PARTITION)
		arg->partition = o.partition;
	return 0;
}

int sup_count(int registry, const struct sup_select_opts *opts, uint64_t *count)
{
	struct supervisor_select arg;
	int ret = select_arg(&arg, opts);

	*count = 0;
	if (!ret)
		ret = sup_ioctl(registry, SUPERVISOR_COUNT, &arg);
	if (!ret)
		*count = arg.out_count;
	return ret;
}

struct sup_entries {
	int registry;
	struct supervisor_select arg;	/* with the place where it goes on */
	struct sup_buf buf;
	const struct supervisor_registry_entry *last;
	unsigned char bytes[SUPERVISOR_KEY_MAX + SUPERVISOR_VALUE_MAX];
};

/* What is looked for is the walk's own from now on. */
static int entries_keep(struct sup_entries *entries)
{
	struct supervisor_select *arg = &entries->arg;
	unsigned char *value = entries->bytes + SUPERVISOR_KEY_MAX;

	if (arg->key_len > SUPERVISOR_KEY_MAX ||
	    arg->value_len > SUPERVISOR_VALUE_MAX)
		return -EMSGSIZE;
	if (arg->key_len) {
		memcpy(entries->bytes, (void *)(uintptr_t)arg->key,
		       arg->key_len);
		arg->key = u64_from_ptr(entries->bytes);
	}
	if (arg->value_len) {
		memcpy(value, (void *)(uintptr_t)arg->value, arg->value_len);
		arg->value = u64_from_ptr(value);
	}
	return 0;
}

/* Reads more; an error leaves the place as it was. */
static int entries_fill(struct sup_entries *entries)
{
	struct supervisor_select *arg = &entries->arg;
	struct sup_buf *buf = &entries->buf;
	size_t need = ENTRIES_BUF;
	int ret;

	entries->last = NULL;
	buf->len = 0;
	do {
		ret = sup_buf_reserve(buf, need);
		if (ret)
			return ret;
		arg->buf = u64_from_ptr(buf->mem);
		arg->buf_len = (uint32_t)buf->cap;
		ret = sup_ioctl(entries->registry, SUPERVISOR_SELECT, arg);
		need = arg->buf_len;
	} while (ret == -EMSGSIZE && need > buf->cap);
	if (!ret)
		buf->len = arg->buf_len;
	return ret;
}

int sup_select(int registry, const struct sup_select_opts *opts,
	       struct sup_entries **entries)
{
	struct sup_entries *new;
	int ret;

	*entries = NULL;
	new = sup_realloc(NULL, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->registry = registry;
	new->buf = (struct sup_buf){ 0 };
	ret = select_arg(&new->arg, opts);
	if (!ret)
		ret = entries_keep(new);
	if (!ret)
		ret = entries_fill(new);
	if (ret)
		sup_entries_free(new);
	else
		*entries = new;
	return ret;
}

static const struct supervisor_registry_entry *
entries_after(const struct sup_entries *entries)
{
	const struct supervisor_registry_entry *entry;

	entry = sup_record_next(entries->buf.mem, entries->buf.len,
				entries->last, sizeof(*entry));
	if (!entry || !sup_record_text_ok(entry, entry->size, entry->key_offset,
					  entry->key_len))
		return NULL;
	if (entry->value_offset &&
	    !sup_record_text_ok(entry, entry->size, entry->value_offset,
				entry->value_len))
		return NULL;
	return entry;
}

int sup_entries_next(struct sup_entries *entries,
		     const struct supervisor_registry_entry **entry)
{
	int ret;

	for (;;) {
		*entry = entries_after(entries);
		if (*entry) {
			entries->last = *entry;
			return 1;
		}
		if (!entries->arg.out_more)
			return 0;
		ret = entries_fill(entries);
		if (ret)
			return ret;
	}
}

void sup_entries_free(struct sup_entries *entries)
{
	if (!entries)
		return;
	sup_free(entries->buf.mem);
	sup_free(entries);
}

const void *sup_entry_key(const struct supervisor_registry_entry *entry,
			  size_t *len)
{
	if (len)
		*len = entry->key_len;
	return (const char *)entry + entry->key_offset;
}

const void *sup_entry_value(const struct supervisor_registry_entry *entry,
			    size_t *len)
{
	if (len)
		*len = entry->value_len;
	return entry->value_offset ?
	       (const char *)entry + entry->value_offset : NULL;
}
