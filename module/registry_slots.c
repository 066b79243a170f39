// SPDX-License-Identifier: GPL-2.0
/*
 * registry_slots - the table that a registry's mapping shows.
 *
 * A key's bucket is told by the lower bits of its hash, and has its slots in a list: so
 * the table is full when all slots are taken and not before, and keys that were chosen
 * to meet in one bucket make its list long, nothing else. A reader goes a part of the
 * way and then asks the ioctl, whose hash nobody knows.
 *
 * Writing and reading. Whoever writes to a bucket or to a slot in its list makes the
 * bucket's seq odd before, and even again after:
 *
 *	write					read
 *	  seq = odd				  seq, acquire; odd: again
 *	  smp_wmb()				  the list, the slot, the owner's word
 *	  the list, the slot			  fence, acquire
 *	  smp_wmb()				  seq, relaxed; another: again
 *	  seq = even, larger
 *
 * A reader that has seen any of what was written sees after its fence that seq is
 * another: the first smp_wmb() pairs with that fence. One that has seen the even seq
 * sees all that came before it: the second one pairs with the acquire. A slot that goes
 * from one list to another is in between in none, and both changes are told by the seq
 * of the bucket in which it was. So what a reader believes was in the list all the time
 * from its first look at seq to its second.
 *
 * Who is dead. An owner's word is its process's, from before the first of its slots is
 * shown until none is. It says the generation of that process, an even number; when the
 * process dies or has no slot any more, that plus one. A slot says owner and generation,
 * and counts only while the word says the same. A generation is larger than all that
 * the word has said before, and the word is not used again after the largest one: so no
 * word says the same generation for two processes, ever.
 *
 * Let a reader believe a slot. By seq it was whole, one process's with that process's
 * owner and generation, and by its generation the word was that process's and said that
 * it was not known to be dead, at the moment when the word was read. This holds also for
 * a slot that is long gone while seq has come round to what it was, as the reader slept:
 * the word then says another generation, or is odd. Now the exit hook writes the word
 * before wait4 and waitid report the process, by tasklist_lock. Who was told of the
 * death by them, or by somebody whom they have told, reads the word after that, and by
 * coherence never again what it said before.
 *
 * The hook writes only the word, at an index and with a generation that do not change
 * while it may run: see registry_map.c.
 */
#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "registry_slots.h"

#define SLOTS_ALIGN 128

/* The last generation of an owner. */
#define GENERATION_MAX 0xfffffffeU

static u64 align_up(u64 bytes)
{
	return (bytes + SLOTS_ALIGN - 1) / SLOTS_ALIGN * SLOTS_ALIGN;
}

static u64 buckets_offset(void)
{
	return align_up(sizeof(struct supervisor_map));
}

static u64 owners_offset(u32 nr)
{
	return align_up(buckets_offset() + (u64)nr * sizeof(struct supervisor_map_bucket));
}

static u64 slots_offset(u32 nr)
{
	return align_up(owners_offset(nr) + (u64)nr * sizeof(u32));
}

/**
 * sup_slots_bytes - how large a table is
 * @nr: how many slots
 *
 * Context: any.
 * Return: the bytes of what is shown.
 */
u64 sup_slots_bytes(u32 nr)
{
	return slots_offset(nr) + (u64)nr * sizeof(struct supervisor_map_slot);
}

/**
 * sup_slots_init - make an empty table
 * @slots: the table
 * @map: sup_slots_bytes() of it, to be shown; zeroed
 * @own: @nr of them; zeroed
 * @nr: how many slots; a power of two
 * @key: of SipHash: two words
 *
 * Context: any.
 */
void sup_slots_init(struct sup_slots *slots, struct supervisor_map *map,
		    struct sup_slot_own *own, u32 nr, const u64 *key)
{
	map->version = SUPERVISOR_MAP_VERSION;
	map->slots = nr;
	map->slot_bytes = sizeof(struct supervisor_map_slot);
	map->bytes = sup_slots_bytes(nr);
	map->buckets_offset = buckets_offset();
	map->owners_offset = owners_offset(nr);
	map->slots_offset = slots_offset(nr);
	map->key[0] = key[0];
	map->key[1] = key[1];
	*slots = (struct sup_slots){
		.nr = nr,
		.buckets = (void *)map + buckets_offset(),
		.owners = (void *)map + owners_offset(nr),
		.slots = (void *)map + slots_offset(nr),
		.own = own,
	};
}

static void bucket_begin(struct sup_slots *slots, u32 bucket)
{
	WRITE_ONCE(slots->buckets[bucket].seq, slots->own[bucket].seq + 1);
	smp_wmb();	/* before what is written: see the top */
}

static void bucket_end(struct sup_slots *slots, u32 bucket)
{
	smp_wmb();	/* after what was written: see the top */
	slots->own[bucket].seq += 2;
	WRITE_ONCE(slots->buckets[bucket].seq, slots->own[bucket].seq);
}

/**
 * sup_slots_take - take a slot that is shown to nobody yet
 * @slots: the table
 * @hash: of the key that it is for
 * @slot: set to the slot
 *
 * Context: any; changes of a table come one at a time.
 * Return: false when the table is full.
 */
bool sup_slots_take(struct sup_slots *slots, u64 hash, u32 *slot)
{
	u32 taken = slots->free;

	if (taken)
		slots->free = slots->own[taken - 1].next;
	else if (slots->fresh < slots->nr)
		taken = ++slots->fresh;
	else
		return false;
	*slot = taken - 1;
	slots->used++;
	slots->own[*slot].bucket = hash & (slots->nr - 1);
	slots->slots[*slot].hash = hash;
	return true;
}

/**
 * sup_slots_give - give a slot back
 * @slots: the table
 * @slot: from sup_slots_take(), not shown or hidden again
 *
 * Context: as sup_slots_take().
 */
void sup_slots_give(struct sup_slots *slots, u32 slot)
{
	slots->own[slot].next = slots->free;
	slots->free = slot + 1;
	slots->used--;
}

/* The key, and what there is room for of the value. */
static void slot_write_value(struct supervisor_map_slot *to, const struct sup_slot_entry *entry)
{
	u32 key_len = min_t(u32, entry->key_len, sizeof(to->data));
	u32 value_len = min_t(u32, entry->value_len, sizeof(to->data) - key_len);

	to->flags = entry->flags;
	to->value_len = entry->value_len;
	memcpy(to->data + key_len, entry->value, value_len);
	memset(to->data + key_len + value_len, 0, sizeof(to->data) - key_len - value_len);
}

static void slot_write(struct supervisor_map_slot *to, const struct sup_slot_entry *entry)
{
	to->id = entry->id;
	to->owner = entry->owner;
	to->generation = entry->generation;
	to->pid = entry->pid;
	to->key_len = entry->key_len;
	memcpy(to->data, entry->key, min_t(u32, entry->key_len, sizeof(to->data)));
	slot_write_value(to, entry);
}

/**
 * sup_slots_show - show an entry
 * @slots: the table
 * @slot: from sup_slots_take(), not shown
 * @entry: the entry
 *
 * Context: as sup_slots_take(), and not to be preempted, as readers wait for it.
 */
void sup_slots_show(struct sup_slots *slots, u32 slot, const struct sup_slot_entry *entry)
{
	struct sup_slot_own *own = &slots->own[slot];
	u32 bucket = own->bucket, first = slots->own[bucket].first;

	own->next = first;
	own->prev = 0;
	if (first)
		slots->own[first - 1].prev = slot + 1;
	slots->own[bucket].first = slot + 1;

	bucket_begin(slots, bucket);
	slot_write(&slots->slots[slot], entry);
	slots->slots[slot].next = first;
	slots->buckets[bucket].first = slot + 1;
	bucket_end(slots, bucket);
}

/**
 * sup_slots_change - show another value
 * @slots: the table
 * @slot: is shown
 * @entry: the entry: only @flags and @value are others
 *
 * Context: as sup_slots_show().
 */
void sup_slots_change(struct sup_slots *slots, u32 slot, const struct sup_slot_entry *entry)
{
	u32 bucket = slots->own[slot].bucket;

	bucket_begin(slots, bucket);
	slot_write_value(&slots->slots[slot], entry);
	bucket_end(slots, bucket);
}

/**
 * sup_slots_hide - show an entry no more; nothing of it is left
 * @slots: the table
 * @slot: is shown
 *
 * Context: as sup_slots_show().
 */
void sup_slots_hide(struct sup_slots *slots, u32 slot)
{
	const struct sup_slot_own *own = &slots->own[slot];
	u32 bucket = own->bucket, next = own->next, prev = own->prev;

	if (next)
		slots->own[next - 1].prev = prev;
	if (prev)
		slots->own[prev - 1].next = next;
	else
		slots->own[bucket].first = next;

	bucket_begin(slots, bucket);
	if (prev)
		slots->slots[prev - 1].next = next;
	else
		slots->buckets[bucket].first = next;
	memset(&slots->slots[slot], 0, sizeof(slots->slots[slot]));
	bucket_end(slots, bucket);
}

/**
 * sup_slots_take_owner - take an owner, which lives
 * @slots: the table
 * @owner: set to the owner
 * @generation: set to its generation
 *
 * Context: as sup_slots_take().
 * Return: false when there is none left.
 */
bool sup_slots_take_owner(struct sup_slots *slots, u32 *owner, u32 *generation)
{
	u32 taken = slots->free_owner;

	if (taken)
		slots->free_owner = slots->own[taken - 1].next_owner;
	else if (slots->fresh_owner < slots->nr)
		taken = ++slots->fresh_owner;
	else
		return false;
	*owner = taken - 1;
	slots->own[*owner].generation += 2;
	*generation = slots->own[*owner].generation;
	/* Seen by who sees a slot of it: that is shown later. */
	WRITE_ONCE(slots->owners[*owner], *generation);
	return true;
}

/**
 * sup_slots_end_owner - an owner is dead, or needs its word no more
 * @slots: the table
 * @owner: from sup_slots_take_owner()
 * @generation: likewise
 *
 * Context: any, also while the table is changed; not with another such of @owner.
 */
void sup_slots_end_owner(struct sup_slots *slots, u32 owner, u32 generation)
{
	WRITE_ONCE(slots->owners[owner], generation + 1);
}

/**
 * sup_slots_give_owner - give an owner back
 * @slots: the table
 * @owner: has ended, and no slot is shown that says it
 *
 * Context: as sup_slots_take().
 */
void sup_slots_give_owner(struct sup_slots *slots, u32 owner)
{
	if (slots->own[owner].generation == GENERATION_MAX)
		return;
	slots->own[owner].next_owner = slots->free_owner;
	slots->free_owner = owner + 1;
}
