/* SPDX-License-Identifier: GPL-2.0 */
/*
 * registry_slots - the table that a registry's mapping shows, as arithmetic on memory
 * which the caller owns: struct supervisor_map says how it is read.
 *
 * Pure: no lock, task, clock or allocator. The same file is built into the module, KUnit
 * and programs on the host, where the library's reader is tested against it.
 *
 * What is mapped is written and never read: what the table relies on is beside it, in
 * memory that nobody maps.
 */
#ifndef SUP_REGISTRY_SLOTS_H
#define SUP_REGISTRY_SLOTS_H

#include <linux/types.h>

#include <linux/supervisor.h>

/**
 * struct sup_slot_own - what of the table is not shown: of a slot, a bucket and an owner
 * @next: of the slot: the next one in its bucket, or among the free ones; counted
 *	from 1, 0 is none
 * @prev: of the slot: the one before it in its bucket; likewise
 * @bucket: of the slot
 * @first: of the bucket: its first slot; likewise
 * @seq: of the bucket: even
 * @next_owner: of the owner: the next one among the free ones; likewise
 * @generation: of the owner: even; 0 when nobody has had it
 */
struct sup_slot_own {
	u32 next;
	u32 prev;
	u32 bucket;
	u32 first;
	u32 seq;
	u32 next_owner;
	u32 generation;
};

/**
 * struct sup_slots - a table
 * @nr: how many slots, buckets and owners; a power of two
 * @used: slots that were taken
 * @buckets: shown
 * @owners: shown
 * @slots: shown
 * @own: not shown: @nr of them
 * @fresh: slots that were ever taken are below
 * @free: the first slot that was given back, counted from 1; 0 for none
 * @fresh_owner: likewise of owners
 * @free_owner: likewise
 */
struct sup_slots {
	u32 nr;
	u32 used;
	struct supervisor_map_bucket *buckets;
	u32 *owners;
	struct supervisor_map_slot *slots;
	struct sup_slot_own *own;
	u32 fresh;
	u32 free;
	u32 fresh_owner;
	u32 free_owner;
};

/**
 * struct sup_slot_entry - what a slot is to show
 * @id: the entry's number
 * @owner: whose it is
 * @generation: of @owner
 * @pid: the process
 * @flags: SUPERVISOR_MAP_F_*
 * @key_len: bytes of @key, 1 to %SUPERVISOR_KEY_MAX
 * @value_len: bytes of @value, up to %SUPERVISOR_VALUE_MAX
 * @key: the key
 * @value: the value
 */
struct sup_slot_entry {
	u64 id;
	u32 owner;
	u32 generation;
	s32 pid;
	u8 flags;
	u8 key_len;
	u16 value_len;
	const u8 *key;
	const u8 *value;
};

u64 sup_slots_bytes(u32 nr);
void sup_slots_init(struct sup_slots *slots, struct supervisor_map *map,
		    struct sup_slot_own *own, u32 nr, const u64 *key);

bool sup_slots_take(struct sup_slots *slots, u64 hash, u32 *slot);
void sup_slots_give(struct sup_slots *slots, u32 slot);
void sup_slots_show(struct sup_slots *slots, u32 slot, const struct sup_slot_entry *entry);
void sup_slots_change(struct sup_slots *slots, u32 slot, const struct sup_slot_entry *entry);
void sup_slots_hide(struct sup_slots *slots, u32 slot);

bool sup_slots_take_owner(struct sup_slots *slots, u32 *owner, u32 *generation);
void sup_slots_end_owner(struct sup_slots *slots, u32 owner, u32 generation);
void sup_slots_give_owner(struct sup_slots *slots, u32 owner);

#endif
