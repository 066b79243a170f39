/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring - a ring of bytes that holds messages which need no memory of their own:
 * records of a head and a message. Whoever has it locks it.
 */
#ifndef SUP_RING_H
#define SUP_RING_H

#include <linux/types.h>

struct pid;
struct sup_origin;

enum sup_ring_kind {
	SUP_RING_EVENT,
	SUP_RING_CAST,
	SUP_RING_VOID		/* to be passed over */
};

/**
 * struct sup_ring_record - the head of a record; its message follows
 * @seq: its place in the mailbox's order
 * @ref: of the message
 * @pid: referenced: its number is the reader's affair. NULL for none
 * @origin: referenced: of a supervised sender, or NULL
 * @size: bytes of the message, a multiple of 8
 * @kind: &enum sup_ring_kind
 * @pad: of a cast: bytes of @size after its payload
 */
struct sup_ring_record {
	u64 seq;
	u64 ref;
	struct pid *pid;
	struct sup_origin *origin;
	u32 size;
	u16 kind;
	u16 pad;
};

/**
 * struct sup_ring - the ring
 * @bytes: const pointer
 * @size: const: a power of two
 * @head: bytes ever written
 * @tail: bytes ever read
 * @live: records that are not void
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

u32 sup_ring_used(const struct sup_ring *ring);
void sup_ring_begin(struct sup_ring *ring, const struct sup_ring_record *record);
void sup_ring_write(struct sup_ring *ring, const void *from, u32 len);
void sup_ring_pad(struct sup_ring *ring, u32 len);
void sup_ring_read(const struct sup_ring *ring, u32 offset, void *to, u32 len);
int sup_ring_copy_to_user(const struct sup_ring *ring, u32 offset, u8 __user *to, u32 len);

bool sup_ring_record(const struct sup_ring *ring, u32 offset, struct sup_ring_record *record);
u32 sup_ring_message(u32 offset);
u32 sup_ring_payload_len(const struct sup_ring_record *record);
u32 sup_ring_next(u32 offset, const struct sup_ring_record *record);
void sup_ring_void(struct sup_ring *ring, u32 offset, struct sup_ring_record *record);
void sup_ring_trim(struct sup_ring *ring);
void sup_ring_release(const struct sup_ring_record *record);

#endif
