/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring - a ring of bytes that holds messages which need no memory of their own:
 * records of a head and a message, each in one piece. Whoever has it locks it.
 */
#ifndef SUP_RING_H
#define SUP_RING_H

#include <linux/pid.h>
#include <linux/types.h>

#include "lineage.h"
#include "process.h"

enum sup_ring_kind {
	SUP_RING_EVENT,
	SUP_RING_CRASH,
	SUP_RING_CAST,
	SUP_RING_VOID		/* to be passed over */
};

/**
 * struct sup_ring_record - the head of a record; its message follows
 * @size: bytes of head and message, a multiple of 8
 * @kind: &enum sup_ring_kind
 * @len: of a cast: bytes of its payload
 * @seq: its place in the mailbox's order
 * @ref: of the message
 * @pid: referenced: its number is the reader's affair. NULL for none
 * @origin: of a cast, referenced: of a supervised sender, or NULL
 * @caller: of an event, referenced: who asked for the child that it is about, or NULL
 * @callers: of a crash report, referenced: likewise, and who asked for that one...
 * @message: what is read of it, of which the reader fills in the rest
 *
 * What is left at the ring's end where no record fits is a void one, of which
 * there may be no more than the first 8 bytes.
 */
struct sup_ring_record {
	u32 size;
	u16 kind;
	u16 len;
	u64 seq;
	u64 ref;
	struct pid *pid;
	union {
		struct sup_origin *origin;
		struct pid *caller;
		struct sup_callers *callers;
	};
	u8 message[] __aligned(8);
};

/**
 * struct sup_ring - the ring
 * @bytes: const pointer
 * @size: const: a power of two
 * @head: bytes written since it was last empty
 * @tail: bytes of these that were read
 * @live: records that are not void; may be read without
 *
 * Lifetime: of its mailbox.
 * Locking: the mailbox's; @tail and records are changed only by who reads the
 *	mailbox, but for turning a record void.
 */
struct sup_ring {
	u8 *bytes;
	u32 size;
	u32 head;
	u32 tail;
	u32 live;
};

int sup_ring_init(struct sup_ring *ring, u32 size);
void sup_ring_destroy(struct sup_ring *ring);

static inline struct sup_ring_record *sup_ring_at(const struct sup_ring *ring, u32 offset)
{
	return (struct sup_ring_record *)(ring->bytes + (offset & (ring->size - 1)));
}

/* Bytes before the ring's end that a record of @size must leave void to be in one piece. */
static inline u32 sup_ring_gap(const struct sup_ring *ring, u32 size)
{
	u32 left = ring->size - (ring->head & (ring->size - 1));

	return left < size ? left : 0;
}

/**
 * sup_ring_fits - is there room for another record
 * @ring: the ring
 * @size: bytes of its head and its message
 * @room: bytes of the ring that may be used with it
 *
 * Return: true if so.
 */
static inline bool sup_ring_fits(const struct sup_ring *ring, u32 size, u32 room)
{
	u32 used = ring->head - ring->tail;

	return size <= room && used + sup_ring_gap(ring, size) <= room - size;
}

/**
 * sup_ring_add - begin a record that fits
 * @ring: the ring
 * @size: bytes of its head and its message, a multiple of 8
 *
 * Return: it, of which all but the size is to be written.
 */
static inline struct sup_ring_record *sup_ring_add(struct sup_ring *ring, u32 size)
{
	u32 gap = sup_ring_gap(ring, size);
	struct sup_ring_record *record;

	if (gap) {
		record = sup_ring_at(ring, ring->head);
		record->size = gap;
		record->kind = SUP_RING_VOID;
		ring->head += gap;
	}
	record = sup_ring_at(ring, ring->head);
	record->size = size;
	ring->head += size;
	WRITE_ONCE(ring->live, ring->live + 1);
	return record;
}

static inline struct sup_ring_record *sup_ring_look(const struct sup_ring *ring, u32 offset)
{
	return offset == ring->head ? NULL : sup_ring_at(ring, offset);
}

/**
 * sup_ring_first - the oldest record
 * @ring: the ring
 *
 * Return: it, or NULL when there is none.
 */
static inline struct sup_ring_record *sup_ring_first(const struct sup_ring *ring)
{
	return sup_ring_look(ring, ring->tail);
}

/**
 * sup_ring_next - the one after it
 * @ring: the ring
 * @record: a record
 *
 * Return: it, or NULL when there is none.
 */
static inline struct sup_ring_record *sup_ring_next(const struct sup_ring *ring,
						    const struct sup_ring_record *record)
{
	u32 at = (const u8 *)record - ring->bytes;
	/* How far it is behind the tail: less than there is in the ring. */
	u32 after = (at - ring->tail) & (ring->size - 1);

	return sup_ring_look(ring, ring->tail + after + record->size);
}

/**
 * sup_ring_message_size - bytes of a record's message
 * @record: the record
 *
 * Return: the bytes, a multiple of 8.
 */
static inline u32 sup_ring_message_size(const struct sup_ring_record *record)
{
	return record->size - sizeof(*record);
}

/**
 * sup_ring_void - a record is read, or never will be
 * @ring: the ring
 * @record: it, not void; its references are dropped
 *
 * Its message stays as long as its reader reads.
 * Context: any.
 */
static inline void sup_ring_void(struct sup_ring *ring, struct sup_ring_record *record)
{
	put_pid(record->pid);
	if (record->kind == SUP_RING_CAST)
		sup_origin_put(record->origin);
	else if (record->kind == SUP_RING_CRASH)
		sup_callers_put(record->callers);
	else
		put_pid(record->caller);
	record->kind = SUP_RING_VOID;
	WRITE_ONCE(ring->live, ring->live - 1);
}

/**
 * sup_ring_trim - give back the room of void records at the tail
 * @ring: the ring
 *
 * For the reader. What is empty begins anew, where the processor's caches have it.
 */
static inline void sup_ring_trim(struct sup_ring *ring)
{
	struct sup_ring_record *record;

	while ((record = sup_ring_first(ring)) && record->kind == SUP_RING_VOID)
		ring->tail += record->size;
	if (ring->tail != ring->head)
		return;
	ring->tail = 0;
	ring->head = 0;
}

#endif
