// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * record.c - owns walking the variable records that the kernel fills buffers
 * with, so that no caller follows a length out of its buffer.
 */
#include <errno.h>
#include <string.h>
#include "internal.h"

const void *sup_record_next(const void *buf, size_t len, const void *prev,
			    size_t min)
{
	const char *at = buf;
	uint32_t size;
	size_t offset = 0;

	if (prev) {
		offset = (size_t)((const char *)prev - at);
		memcpy(&size, prev, sizeof(size));
		offset += size;
	}
	if (offset >= len || len - offset < min)
		return NULL;
	memcpy(&size, at + offset, sizeof(size));
	if (size < min || size % 8 || size > len - offset)
		return NULL;
	return at + offset;
}

bool sup_record_text_ok(const void *record, size_t size, size_t offset,
			size_t len)
{
	return offset < size && len < size - offset &&
	       !((const char *)record)[offset + len];
}

const struct supervisor_child_status *
sup_record_child(const void *buf, size_t len,
		 const struct supervisor_child_status *prev)
{
	const struct supervisor_child_status *next;

	next = sup_record_next(buf, len, prev, sizeof(*next) + 1);
	if (next && !sup_record_text_ok(next, next->size, next->name_offset,
					next->name_len))
		return NULL;
	if (next && next->key_len &&
	    !sup_record_text_ok(next, next->size, next->key_offset,
				next->key_len))
		return NULL;
	return next;
}

const struct supervisor_lineage_entry *
sup_record_lineage(const void *buf, size_t len,
		   const struct supervisor_lineage_entry *prev)
{
	const struct supervisor_lineage_entry *next;

	next = sup_record_next(buf, len, prev, sizeof(*next) + 2);
	if (next && (!sup_record_text_ok(next, next->size, next->text_offset,
					 next->id_len) ||
		     !sup_record_text_ok(next, next->size,
					 (size_t)next->text_offset +
					 next->id_len + 1, next->path_len)))
		return NULL;
	return next;
}

int sup_buf_reserve(struct sup_buf *buf, size_t cap)
{
	void *mem;

	if (cap <= buf->cap)
		return 0;
	if (cap > SUP_BUF_MAX)
		return -EMSGSIZE;
	mem = sup_realloc(buf->mem, cap);
	if (!mem)
		return -ENOMEM;
	buf->mem = mem;
	buf->cap = cap;
	return 0;
}

struct sup_children {
	struct sup_buf buf;
};

int sup_children_from(struct sup_buf *buf, struct sup_children **children)
{
	*children = sup_realloc(NULL, sizeof(**children));
	if (!*children) {
		sup_free(buf->mem);
		return -ENOMEM;
	}
	(*children)->buf = *buf;
	return 0;
}

const struct supervisor_child_status *
sup_children_next(const struct sup_children *children,
		  const struct supervisor_child_status *prev)
{
	if (!children)
		return NULL;
	return sup_record_child(children->buf.mem, children->buf.len, prev);
}

const char *sup_children_id(const struct supervisor_child_status *child)
{
	return (const char *)child + child->name_offset;
}

const void *sup_children_key(const struct supervisor_child_status *child,
			     size_t *key_len)
{
	*key_len = child->key_len;
	return child->key_len ? (const char *)child + child->key_offset : NULL;
}

void sup_children_free(struct sup_children *children)
{
	if (!children)
		return;
	sup_free(children->buf.mem);
	sup_free(children);
}
