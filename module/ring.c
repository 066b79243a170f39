// SPDX-License-Identifier: GPL-2.0
/*
 * ring - a ring of bytes that holds messages which need no memory of their own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/supervisor.h>

#include "process.h"
#include "ring.h"

/**
 * sup_ring_init - set memory aside
 * @ring: the ring, all zero
 * @size: its bytes, a power of two
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sup_ring_init(struct sup_ring *ring, u32 size)
{
	ring->bytes = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	ring->size = size;
	return ring->bytes ? 0 : -ENOMEM;
}

/**
 * sup_ring_destroy - free a ring and what its records refer to
 * @ring: a ring that nobody else uses
 *
 * Context: may sleep.
 */
void sup_ring_destroy(struct sup_ring *ring)
{
	struct sup_ring_record record;

	while (sup_ring_record(ring, ring->tail, &record)) {
		ring->tail = sup_ring_next(ring->tail, &record);
		if (record.kind != SUP_RING_VOID)
			sup_ring_release(&record);
	}
	kvfree(ring->bytes);
}

/**
 * sup_ring_used - bytes that records take
 * @ring: the ring
 *
 * Return: them.
 */
u32 sup_ring_used(const struct sup_ring *ring)
{
	return ring->head - ring->tail;
}

/**
 * sup_ring_write - write bytes for which there is room
 * @ring: the ring
 * @from: the bytes
 * @len: how many
 */
void sup_ring_write(struct sup_ring *ring, const void *from, u32 len)
{
	u32 at = ring->head & (ring->size - 1);
	u32 first = min(len, ring->size - at);

	memcpy(ring->bytes + at, from, first);
	memcpy(ring->bytes, from + first, len - first);
	ring->head += len;
}

/**
 * sup_ring_begin - write the head of a record; its message is to follow
 * @ring: the ring
 * @record: the head; its references pass to the ring
 */
void sup_ring_begin(struct sup_ring *ring, const struct sup_ring_record *record)
{
	sup_ring_write(ring, record, sizeof(*record));
	ring->live++;
}

/**
 * sup_ring_pad - write zeroes
 * @ring: the ring
 * @len: how many, less than 8
 */
void sup_ring_pad(struct sup_ring *ring, u32 len)
{
	static const u8 zero[8];

	sup_ring_write(ring, zero, len);
}

/**
 * sup_ring_read - copy bytes out
 * @ring: the ring
 * @offset: where they begin, between @tail and @head
 * @to: where to
 * @len: how many
 */
void sup_ring_read(const struct sup_ring *ring, u32 offset, void *to, u32 len)
{
	u32 at = offset & (ring->size - 1);
	u32 first = min(len, ring->size - at);

	memcpy(to, ring->bytes + at, first);
	memcpy(to + first, ring->bytes, len - first);
}

/**
 * sup_ring_copy_to_user - copy bytes out to user space
 * @ring: the ring
 * @offset: where they begin
 * @to: where to
 * @len: how many
 *
 * Context: may sleep. The reader's: what it copies stays.
 * Return: 0 or -EFAULT.
 */
int sup_ring_copy_to_user(const struct sup_ring *ring, u32 offset, u8 __user *to, u32 len)
{
	u32 at = offset & (ring->size - 1);
	u32 first = min(len, ring->size - at);

	return copy_to_user(to, ring->bytes + at, first) ||
	       copy_to_user(to + first, ring->bytes, len - first) ? -EFAULT : 0;
}

/**
 * sup_ring_record - look at a record
 * @ring: the ring
 * @offset: where it begins
 * @record: set to its head
 *
 * Return: false at the end.
 */
bool sup_ring_record(const struct sup_ring *ring, u32 offset, struct sup_ring_record *record)
{
	if (offset == ring->head)
		return false;
	sup_ring_read(ring, offset, record, sizeof(*record));
	return true;
}

/**
 * sup_ring_message - where a record's message begins
 * @offset: where the record begins
 *
 * Return: the offset.
 */
u32 sup_ring_message(u32 offset)
{
	return offset + sizeof(struct sup_ring_record);
}

/**
 * sup_ring_payload_len - bytes of a cast's payload
 * @record: the head of its record
 *
 * Return: the bytes.
 */
u32 sup_ring_payload_len(const struct sup_ring_record *record)
{
	return record->size - sizeof(struct supervisor_msg_data) - record->pad;
}

/**
 * sup_ring_next - where the next record begins
 * @offset: where this one does
 * @record: its head
 *
 * Return: the offset.
 */
u32 sup_ring_next(u32 offset, const struct sup_ring_record *record)
{
	return sup_ring_message(offset) + record->size;
}

/**
 * sup_ring_void - a record is read, or never will be
 * @ring: the ring
 * @offset: where it begins
 * @record: its head, not void; its references pass to the caller
 */
void sup_ring_void(struct sup_ring *ring, u32 offset, struct sup_ring_record *record)
{
	u32 at = (offset + offsetof(struct sup_ring_record, kind)) & (ring->size - 1);

	/* Records are multiples of 8: a member does not wrap. */
	*(u16 *)(ring->bytes + at) = SUP_RING_VOID;
	ring->live--;
}

/**
 * sup_ring_trim - give back the room of void records at the tail
 * @ring: the ring
 *
 * For the reader.
 */
void sup_ring_trim(struct sup_ring *ring)
{
	struct sup_ring_record record;

	while (sup_ring_record(ring, ring->tail, &record) && record.kind == SUP_RING_VOID)
		ring->tail = sup_ring_next(ring->tail, &record);
}

/**
 * sup_ring_release - drop the references of a record
 * @record: its head
 *
 * Context: any.
 */
void sup_ring_release(const struct sup_ring_record *record)
{
	put_pid(record->pid);
	sup_origin_put(record->origin);
}
