// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * base.c - owns what every call is made of: the ioctl, structs that begin with
 * their size, deadlines; and how many processors there are.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

/* More processors than any kernel has, in parts of CPU_SETSIZE. */
#define CPU_SETS 16

int sup_ioctl(int fd, unsigned long request, void *arg)
{
	int saved = errno;
	int ret;

	if (!ioctl(fd, request, arg))
		return 0;
	ret = -errno;
	errno = saved;
	return ret;
}

int sup_struct_in(void *dst, size_t size, size_t min, const void *src)
{
	const unsigned char *bytes = src;
	size_t sz;

	if (!src)
		return 0;
	memcpy(&sz, src, sizeof(sz));
	if (sz < min)
		return -EINVAL;
	for (size_t i = size; i < sz; i++)
		if (bytes[i])
			return -E2BIG;
	memcpy(dst, src, sz < size ? sz : size);
	memcpy(dst, &size, sizeof(size));
	return 0;
}

void sup_struct_out(void *dst, size_t size, const void *src)
{
	size_t sz;

	memcpy(&sz, dst, sizeof(sz));
	memset((char *)dst + sizeof(sz), 0, sz - sizeof(sz));
	memcpy((char *)dst + sizeof(sz), (const char *)src + sizeof(sz),
	       (sz < size ? sz : size) - sizeof(sz));
}

int sup_result_begin(const struct sup_result *result, struct sup_result *local)
{
	memset(local, 0, sizeof(*local));
	local->sz = sizeof(*local);
	if (result && result->sz < offsetofend(struct sup_result, id))
		return -EINVAL;
	return 0;
}

void sup_result_refused(struct sup_result *local, int error, uint32_t limit,
			uint32_t max)
{
	switch (error) {
	case -EMSGSIZE:
		local->max = max;
		break;
	case -EDQUOT:
	case -ENOSPC:
	case -EAGAIN:
	case -ETIMEDOUT:
		local->limit = limit;
		break;
	}
}

void sup_result_end(struct sup_result *result, const struct sup_result *local)
{
	if (result)
		sup_struct_out(result, sizeof(*local), local);
}

void *sup_realloc(void *mem, size_t size)
{
	int saved = errno;

	mem = realloc(mem, size);
	sup_errno_restore(saved);
	return mem;
}

void sup_free(void *mem)
{
	int saved = errno;

	free(mem);
	sup_errno_restore(saved);
}

void sup_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	sup_errno_restore(saved);
}

uint32_t sup_len32(size_t len)
{
	return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

uint32_t sup_strlen32(const char *s)
{
	return sup_len32(strlen(s));
}

uint64_t sup_deadline_in(uint64_t ms)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (ms > (SUPERVISOR_NO_DEADLINE - 1 - ns) / 1000000)
		return SUPERVISOR_NO_DEADLINE;
	return ns + ms * 1000000;
}

uint32_t sup_processors(void)
{
	cpu_set_t cpus[CPU_SETS];
	int saved = errno;
	int n = 0;

	if (!sched_getaffinity(0, sizeof(cpus), cpus))
		n = CPU_COUNT_S(sizeof(cpus), cpus);
	errno = saved;
	return n > 0 ? (uint32_t)n : 1;
}
