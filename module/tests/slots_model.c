// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/string.h>

#include "slots_model.h"

/* Keys are of one byte, or longer than a slot has room for. */
#define KEY_LONG 200

/* Values up to more than a slot has room for. */
#define VALUE_MAX 150

static u32 model_random(struct slots_model *model, u32 below)
{
	model->random = model->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(model->random >> 33) % below;
}

static u32 key_len(u32 key)
{
	return key % 5 ? 1 : KEY_LONG;
}

/* Some of them meet in a bucket. */
static u64 key_hash(u32 key)
{
	return (u64)key << 32 | (key % 3 ? key : 7);
}

static void fill(u8 *bytes, u32 key, u32 value_len)
{
	memset(bytes, key, KEY_LONG);
	memset(bytes + KEY_LONG, 'a' + value_len % 26, VALUE_MAX);
}

static struct sup_slot_entry model_entry(const struct slots_model *model, u32 key, const u8 *bytes)
{
	u32 owner = model->entries[key].owner;

	return (struct sup_slot_entry){
		.id = model->entries[key].id,
		.owner = model->owners[owner].word,
		.generation = model->owners[owner].generation,
		.pid = owner + 1,
		.flags = key % 2,
		.key_len = key_len(key),
		.value_len = model->entries[key].value_len,
		.key = bytes,
		.value = bytes + KEY_LONG,
	};
}

static const char *model_begin(struct slots_model *model, u64 seed)
{
	static const u64 hash_key[2] = { 1, 2 };

	if (sup_slots_bytes(SLOTS_MODEL_NR) > sizeof(model->shown))
		return "the table is larger than the model has room for";
	memset(model, 0, sizeof(*model));
	model->random = seed;
	sup_slots_init(&model->slots, (void *)model->shown, model->own, SLOTS_MODEL_NR, hash_key);
	return NULL;
}

/* A reader as plain as can be: it meets no writer. */
static const struct supervisor_map_slot *model_find(const struct slots_model *model, u32 key)
{
	u64 hash = key_hash(key);
	u32 at = model->slots.buckets[hash & (SLOTS_MODEL_NR - 1)].first, seen;

	for (seen = 0; at && seen <= SLOTS_MODEL_NR; seen++) {
		if (at > SLOTS_MODEL_NR)
			return NULL;
		if (model->slots.slots[at - 1].hash == hash)
			return &model->slots.slots[at - 1];
		at = model->slots.slots[at - 1].next;
	}
	return NULL;
}

static const char *check_key(const struct slots_model *model, u32 key)
{
	const struct supervisor_map_slot *slot = model_find(model, key);
	struct sup_slot_entry entry;
	u8 bytes[KEY_LONG + VALUE_MAX];
	bool lives;
	u32 len, room;

	if (!model->entries[key].there)
		return slot ? "a key is shown that is not there" : NULL;
	if (!slot)
		return "a key is not shown";
	fill(bytes, key, model->entries[key].value_len);
	entry = model_entry(model, key, bytes);
	if (slot->id != entry.id || slot->owner != entry.owner ||
	    slot->generation != entry.generation || slot->pid != entry.pid ||
	    slot->flags != entry.flags || slot->key_len != entry.key_len ||
	    slot->value_len != entry.value_len)
		return "an entry is shown as another one";
	len = min_t(u32, entry.key_len, sizeof(slot->data));
	if (memcmp(slot->data, entry.key, len))
		return "a key is shown as another one";
	room = sizeof(slot->data) - len;
	if (memcmp(slot->data + len, entry.value, min_t(u32, entry.value_len, room)))
		return "a value is shown as another one";
	for (len += entry.value_len; len < sizeof(slot->data); len++)
		if (slot->data[len])
			return "something is left behind a value";
	lives = model->slots.owners[slot->owner] == slot->generation;
	if (lives == model->owners[model->entries[key].owner].dead)
		return "the dead are shown, or the living are not";
	return NULL;
}

static const char *check_all(const struct slots_model *model)
{
	const char *message = NULL;
	u32 i;

	for (i = 0; i < SLOTS_MODEL_KEYS && !message; i++)
		message = check_key(model, i);
	for (i = 0; i < SLOTS_MODEL_NR && !message; i++)
		if (model->slots.buckets[i].seq % 2)
			message = "a bucket is left odd";
	if (!message && model->slots.used != model->used)
		message = "used slots are counted wrongly";
	return message;
}

static const char *model_add(struct slots_model *model, u32 key, u32 owner)
{
	u8 bytes[KEY_LONG + VALUE_MAX];
	struct sup_slot_entry entry;
	bool full = model->used == SLOTS_MODEL_NR;
	u32 slot;

	if (model->owners[owner].dead)
		return NULL;
	if (sup_slots_take(&model->slots, key_hash(key), &slot) == full)
		return "a table is full before all its slots are used, or not then";
	if (full)
		return NULL;
	if (!model->owners[owner].nr &&
	    !sup_slots_take_owner(&model->slots, &model->owners[owner].word,
				  &model->owners[owner].generation))
		return "a slot is free and a word is not";
	model->owners[owner].nr++;
	model->used++;
	model->entries[key].there = true;
	model->entries[key].slot = slot;
	model->entries[key].owner = owner;
	model->entries[key].id++;
	model->entries[key].value_len = model_random(model, VALUE_MAX);
	fill(bytes, key, model->entries[key].value_len);
	entry = model_entry(model, key, bytes);
	sup_slots_show(&model->slots, slot, &entry);
	return NULL;
}

static void model_change(struct slots_model *model, u32 key)
{
	u8 bytes[KEY_LONG + VALUE_MAX];
	struct sup_slot_entry entry;

	model->entries[key].value_len = model_random(model, VALUE_MAX);
	fill(bytes, key, model->entries[key].value_len);
	entry = model_entry(model, key, bytes);
	sup_slots_change(&model->slots, model->entries[key].slot, &entry);
}

static void model_remove(struct slots_model *model, u32 key)
{
	u32 owner = model->entries[key].owner;

	sup_slots_hide(&model->slots, model->entries[key].slot);
	sup_slots_give(&model->slots, model->entries[key].slot);
	model->entries[key].there = false;
	model->used--;
	if (--model->owners[owner].nr)
		return;
	sup_slots_end_owner(&model->slots, model->owners[owner].word,
			    model->owners[owner].generation);
	sup_slots_give_owner(&model->slots, model->owners[owner].word);
	model->owners[owner].dead = false;
}

static void model_kill(struct slots_model *model, u32 owner)
{
	if (!model->owners[owner].nr)
		return;
	sup_slots_end_owner(&model->slots, model->owners[owner].word,
			    model->owners[owner].generation);
	model->owners[owner].dead = true;
}

static const char *model_step(struct slots_model *model)
{
	u32 key = model_random(model, SLOTS_MODEL_KEYS);
	u32 owner = model_random(model, SLOTS_MODEL_OWNERS);

	if (!model->entries[key].there)
		return model_add(model, key, owner);
	switch (model_random(model, 8)) {
	case 0:
		model_kill(model, owner);
		break;
	case 1:
	case 2:
		model_remove(model, key);
		break;
	default:
		model_change(model, key);
		break;
	}
	return NULL;
}

/**
 * slots_model_check - play a table and the model at once
 * @model: memory
 * @seed: of what is played
 * @steps: how long
 *
 * Return: NULL, or what was wrong.
 */
const char *slots_model_check(struct slots_model *model, u64 seed, u32 steps)
{
	const char *message = model_begin(model, seed);
	u32 i;

	while (steps-- && !message) {
		message = model_step(model);
		message = message ? message : check_all(model);
	}
	for (i = 0; i < SLOTS_MODEL_KEYS && !message; i++) {
		if (model->entries[i].there)
			model_remove(model, i);
		message = check_all(model);
	}
	for (i = 0; i < SLOTS_MODEL_NR * sizeof(struct supervisor_map_slot) && !message; i++)
		if (((const u8 *)model->slots.slots)[i])
			message = "something is left in a table that is empty";
	return message;
}

/**
 * slots_model_generations - the words of a table until they are used up
 * @model: memory
 *
 * Return: NULL, or what was wrong.
 */
const char *slots_model_generations(struct slots_model *model)
{
	u32 last[SLOTS_MODEL_NR] = { 0 };
	u32 i, word, generation, taken = 0;
	const char *message = model_begin(model, 0);

	if (message)
		return message;
	for (i = 0; i < SLOTS_MODEL_NR; i++)
		model->own[i].generation = U32_MAX - 7 - 2 * (i % 2);
	while (sup_slots_take_owner(&model->slots, &word, &generation)) {
		if (word >= SLOTS_MODEL_NR || generation % 2)
			return "a word or a generation is none";
		if (generation <= last[word])
			return "a generation comes twice";
		last[word] = generation;
		if (model->slots.owners[word] != generation)
			return "a word does not say that its process lives";
		sup_slots_end_owner(&model->slots, word, generation);
		if (model->slots.owners[word] == generation)
			return "a word says that the dead live";
		sup_slots_give_owner(&model->slots, word);
		taken++;
	}
	/* Three generations of the even ones, four of the others. */
	if (taken != SLOTS_MODEL_NR / 2 * 7)
		return "words are used too long, or not to the end";
	return NULL;
}
