// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lineage.c - owns asking whose a child is and who asked for it.
 */
#include <errno.h>
#include "internal.h"

/* Some ancestors and callers; a few ask twice. */
#define LINEAGE_ROOM 1024

struct sup_lineage {
	struct supervisor_lineage told;
	struct sup_buf buf;
};

static int lineage_ask(int fd, unsigned long request,
		       struct supervisor_lineage *told,
		       struct sup_lineage **lineage)
{
	struct sup_buf buf = { 0 };
	size_t need = LINEAGE_ROOM;
	int ret;

	*lineage = NULL;
	/* Another one may have asked for it meanwhile. */
	do {
		ret = sup_buf_reserve(&buf, need);
		if (ret)
			break;
		told->buf = u64_from_ptr(buf.mem);
		told->buf_len = (uint32_t)buf.cap;
		ret = sup_ioctl(fd, request, told);
		need = told->buf_len;
	} while (ret == -EMSGSIZE && need > buf.cap);

	if (!ret) {
		*lineage = sup_realloc(NULL, sizeof(**lineage));
		ret = *lineage ? 0 : -ENOMEM;
	}
	if (ret) {
		sup_free(buf.mem);
		return ret;
	}
	buf.len = need;
	told->buf = 0;
	(*lineage)->told = *told;
	(*lineage)->buf = buf;
	return 0;
}

int sup_lineage(int device, int pid, int pidfd, struct sup_lineage **lineage)
{
	struct supervisor_lineage told = {
		.size = sizeof(told),
		.pid = pid,
		.pidfd = pidfd,
	};

	return lineage_ask(device, SUPERVISOR_LINEAGE, &told, lineage);
}

int sup_child_lineage(int supervisor, const char *id,
		      struct sup_lineage **lineage)
{
	struct supervisor_lineage told = {
		.size = sizeof(told),
		.pidfd = -1,
		.id = u64_from_ptr(id),
		.id_len = sup_strlen32(id),
	};

	return lineage_ask(supervisor, SUPERVISOR_CHILD_LINEAGE, &told,
			   lineage);
}

int sup_dynamic_lineage(int supervisor, uint64_t child,
			struct sup_lineage **lineage)
{
	struct supervisor_lineage told = {
		.size = sizeof(told),
		.pidfd = -1,
		.child = child,
	};

	return lineage_ask(supervisor, SUPERVISOR_CHILD_LINEAGE, &told,
			   lineage);
}

const struct supervisor_lineage *
sup_lineage_of(const struct sup_lineage *lineage)
{
	return &lineage->told;
}

const struct supervisor_lineage_entry *
sup_lineage_next(const struct sup_lineage *lineage,
		 const struct supervisor_lineage_entry *prev)
{
	if (!lineage)
		return NULL;
	return sup_record_lineage(lineage->buf.mem, lineage->buf.len, prev);
}

const char *sup_lineage_id(const struct supervisor_lineage_entry *entry)
{
	return (const char *)entry + entry->text_offset;
}

const char *sup_lineage_path(const struct supervisor_lineage_entry *entry)
{
	return sup_lineage_id(entry) + entry->id_len + 1;
}

void sup_lineage_free(struct sup_lineage *lineage)
{
	if (!lineage)
		return;
	sup_free(lineage->buf.mem);
	sup_free(lineage);
}
