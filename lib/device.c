// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * device.c - owns /dev/supervisor: opening it, and what it tells of itself and
 * of the names that there are.
 */
#include <errno.h>
#include <fcntl.h>
#include "internal.h"

int sup_device_open(void)
{
	int saved = errno;
	int fd = open("/dev/supervisor", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fd = -errno;
	errno = saved;
	return fd;
}

int sup_info(int device, struct supervisor_info *info)
{
	return sup_ioctl(device, SUPERVISOR_INFO, info);
}

int sup_open_kind(int device, uint32_t kind, const char *name, int access,
		  struct sup_result *result)
{
	struct supervisor_open arg = {
		.size = sizeof(arg),
		.access = (uint32_t)access,
		.name_len = sup_strlen32(name),
		.name = u64_from_ptr(name),
		.out_fd = -1,
		.kind = kind,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(device, SUPERVISOR_OPEN, &arg);
	if (!ret)
		local.id = arg.out_id;
	sup_result_end(result, &local);
	return ret ? ret : arg.out_fd;
}

int sup_open(int device, const char *name, int access,
	     struct sup_result *result)
{
	return sup_open_kind(device, SUPERVISOR_KIND_SUPERVISOR, name, access,
			     result);
}

int sup_unlink(int device, const char *name)
{
	struct supervisor_unlink arg = {
		.size = sizeof(arg),
		.name_len = sup_strlen32(name),
		.name = u64_from_ptr(name),
	};

	return sup_ioctl(device, SUPERVISOR_UNLINK, &arg);
}

struct sup_names {
	struct sup_buf buf;
};

int sup_list(int device, struct sup_names **names)
{
	struct supervisor_list arg = { .size = sizeof(arg) };
	struct sup_buf buf = { 0 };
	size_t need = 4096;
	int ret;

	*names = NULL;
	do {
		ret = sup_buf_reserve(&buf, buf.len + need);
		if (ret)
			break;
		arg.buf = u64_from_ptr((char *)buf.mem + buf.len);
		arg.buf_len = (uint32_t)(buf.cap - buf.len);
		ret = sup_ioctl(device, SUPERVISOR_LIST, &arg);
		if (ret == -EMSGSIZE && arg.buf_len > buf.cap - buf.len) {
			need = arg.buf_len;
			continue;
		}
		if (ret)
			break;
		buf.len += arg.buf_len;
		need = 4096;
	} while (ret || arg.cursor);

	if (!ret) {
		*names = sup_realloc(NULL, sizeof(**names));
		ret = *names ? 0 : -ENOMEM;
	}
	if (ret)
		sup_free(buf.mem);
	else
		(*names)->buf = buf;
	return ret;
}

const struct supervisor_name_entry *
sup_names_next(const struct sup_names *names,
	       const struct supervisor_name_entry *prev)
{
	const struct supervisor_name_entry *next;

	if (!names)
		return NULL;
	next = sup_record_next(names->buf.mem, names->buf.len, prev,
			       sizeof(*next) + 1);
	if (next && !sup_record_text_ok(next, next->size, next->name_offset,
					next->name_len))
		return NULL;
	return next;
}

const char *sup_names_name(const struct supervisor_name_entry *entry)
{
	return (const char *)entry + entry->name_offset;
}

void sup_names_free(struct sup_names *names)
{
	if (!names)
		return;
	sup_free(names->buf.mem);
	sup_free(names);
}
