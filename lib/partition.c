// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * partition.c - owns partition supervisors: making one, how many partitions are in
 * use, and which of them a key belongs to.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "internal.h"

/* Room for a decimal uint32_t. */
#define PARTITION_ID_SIZE 11

/* ---- which ------------------------------------------------------------ */

uint32_t sup_partition_of(const void *key, size_t len, uint32_t partitions)
{
	const unsigned char *byte = key;
	uint64_t hash = 0xcbf29ce484222325;

	if (!partitions)
		return 0;
	/* FNV-1a, whose high bits are the good ones, and a last mixing. */
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15;
	return (uint32_t)((hash >> 32) % partitions);
}

uint32_t sup_partition_of_int(int64_t key, uint32_t partitions)
{
	uint64_t magnitude = key < 0 ? -(uint64_t)key : (uint64_t)key;

	return partitions ? (uint32_t)(magnitude % partitions) : 0;
}

int sup_partitions(int supervisor)
{
	struct supervisor_status status = { .size = sizeof(status) };
	int ret = sup_status(supervisor, &status, NULL);

	if (ret)
		return ret;
	return status.out_partitions_max ? (int)status.out_partitions : -EINVAL;
}

int sup_partition_open(int supervisor, const void *key, size_t len, int access,
		       struct sup_result *result)
{
	char id[PARTITION_ID_SIZE];
	int partitions = sup_partitions(supervisor);

	if (partitions <= 0)
		return partitions ? partitions : -ENOENT;
	snprintf(id, sizeof(id), "%" PRIu32,
		 sup_partition_of(key, len, (uint32_t)partitions));
	return sup_open_child(supervisor, id, access, result);
}

/* ---- how many --------------------------------------------------------- */

static int partitions_ioctl(int supervisor, uint32_t partitions,
			    uint64_t deadline, struct supervisor_resize *arg)
{
	*arg = (struct supervisor_resize){
		.size = sizeof(*arg),
		.partitions = partitions,
		.deadline = deadline,
	};
	return sup_ioctl(supervisor, SUPERVISOR_RESIZE, arg);
}

int sup_resize(int supervisor, uint32_t partitions, uint64_t deadline,
	       struct sup_result *result, uint32_t *failed)
{
	struct supervisor_resize arg;
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = partitions_ioctl(supervisor, partitions, deadline, &arg);
	local.result = arg.out_result;
	local.error = arg.out_error;
	local.limit = arg.out_limit;
	if (failed)
		*failed = arg.out_partition;
	sup_result_end(result, &local);
	return ret ? ret : (int)arg.out_was;
}

/* ---- making one ------------------------------------------------------- */

static int partition_add(int supervisor, const struct sup_partition_opts *opts,
			 uint32_t partition, struct sup_result *result)
{
	struct sup_child_opts child = { SUP_DEFAULTS_sup_child_opts };
	char id[PARTITION_ID_SIZE];
	int ret;

	ret = SUP_STRUCT_IN(&child, retry_reset_after_ms, opts->child);
	if (!ret && opts->make)
		ret = opts->make(opts->context, partition, &child);
	if (ret)
		return ret < 0 ? ret : -EINVAL;
	snprintf(id, sizeof(id), "%" PRIu32, partition);
	return sup_child_add(supervisor, id, &child, SUPERVISOR_NO_DEADLINE,
			     result);
}

int sup_partitions_create(int device, int mailbox,
			  const struct sup_create_opts *create,
			  const struct sup_partition_opts *opts,
			  struct sup_result *result)
{
	struct sup_partition_opts o = { SUP_DEFAULTS_sup_partition_opts };
	struct sup_result added = { SUP_DEFAULTS_sup_result };
	struct supervisor_resize arg;
	int supervisor;
	int ret = SUP_STRUCT_IN(&o, context, opts);

	if (ret)
		return ret;
	if (!o.child && !o.make)
		return -EINVAL;
	if (!o.partitions)
		o.partitions = sup_processors();
	supervisor = sup_create(device, mailbox, create, result);
	if (supervisor < 0)
		return supervisor;
	for (uint32_t i = 0; !ret && i < o.partitions; i++)
		ret = partition_add(supervisor, &o, i, &added);
	if (!ret)
		ret = partitions_ioctl(supervisor, o.partitions, 0, &arg);
	if (!ret)
		return supervisor;
	sup_close(supervisor);
	sup_result_end(result, &added);
	return ret;
}
