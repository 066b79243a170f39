/* SPDX-License-Identifier: GPL-2.0 */
/*
 * slots_model - a registry's table played beside a plain list of what it should show.
 */
#ifndef SUP_SLOTS_MODEL_H
#define SUP_SLOTS_MODEL_H

#include "../registry_slots.h"

#define SLOTS_MODEL_NR 64
#define SLOTS_MODEL_OWNERS 8
#define SLOTS_MODEL_KEYS 96
#define SLOTS_MODEL_BYTES 16384

/**
 * struct slots_model - a table, and what it should show
 * @shown: memory for the table
 * @own: likewise
 * @slots: the table
 * @owners: processes: word, generation and how many slots; 0 slots is none
 * @entries: keys: which slot, whose, with which value
 * @used: entries that are there
 * @random: the state of what comes next
 */
struct slots_model {
	u64 shown[SLOTS_MODEL_BYTES / 8];
	struct sup_slot_own own[SLOTS_MODEL_NR];
	struct sup_slots slots;
	struct {
		u32 word;
		u32 generation;
		u32 nr;
		bool dead;
	} owners[SLOTS_MODEL_OWNERS];
	struct {
		bool there;
		u32 slot;
		u32 owner;
		u64 id;
		u16 value_len;
	} entries[SLOTS_MODEL_KEYS];
	u32 used;
	u64 random;
};

const char *slots_model_check(struct slots_model *model, u64 seed, u32 steps);
const char *slots_model_generations(struct slots_model *model);

#endif
