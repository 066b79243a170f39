// SPDX-License-Identifier: GPL-2.0
/*
 * registry_map - the mapping of a registry of unique keys: its memory, who may map it,
 * and what of the registry it shows. How it is written and read, and why a reader never
 * takes the dead for living, is in registry_slots.c.
 *
 * An entry has a slot from before it is linked until it is unlinked, and is shown from
 * after the one until before the other: who finds it in the mapping finds it by ioctl.
 *
 * An owner is a process that has slots, and has a word in the mapping which the exit
 * hook writes, by a watch. It writes it at an index and with a generation that cannot
 * change meanwhile: they are set when the process itself takes its first slot, and given
 * up when the process itself gives back its last one or when the watch is over. The hook
 * runs for neither: a process in an ioctl is not dead, and sup_unwatch() waits for it.
 * Whoever else takes the slots of the dead away lets the owner have its word until then.
 *
 * Its pages belong to the registry, which every mapping keeps by its file. They are in
 * the mapper's page tables from mmap on, never written by way of them, and freed with
 * the registry: no mapping is left then.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "account.h"
#include "compat.h"
#include "mailbox.h"
#include "registry.h"
#include "registry_slots.h"

/* Pages of a mapping that are made or mapped in one go. */
#define PAGES_BATCH 512

/**
 * struct sup_registry_map - a registry's mapping
 * @lock: Z; raw, so that nobody who holds it is preempted while readers wait
 * @slots: Z
 * @hash_key: const: of the hash that readers compute, another one than the registry's
 * @pid_ns: const, referenced: whose numbers it shows, and whose processes may map it
 * @charged: const: bytes that the registry's account pays for
 * @shown: const: what is mapped
 * @own: Z: of @slots
 * @nr_pages: const
 * @pages: const: of @shown
 *
 * Lifetime: of its registry.
 * Locking: per member.
 * Context: writers do not sleep; they may hold R.
 */
struct sup_registry_map {
	raw_spinlock_t lock;
	struct sup_slots slots;
	siphash_key_t hash_key;
	struct pid_namespace *pid_ns;
	u64 charged;
	struct supervisor_map *shown;
	struct sup_slot_own *own;
	unsigned long nr_pages;
	struct page **pages;
};

/**
 * struct sup_map_owner - what a process has in a mapping
 * @watch: of the process
 * @map: const
 * @nr_slots: Z
 * @has_word: Z: @word and @generation are its; does not change while the hook may run
 * @word: Z: likewise
 * @generation: Z: likewise
 *
 * Lifetime: of its holder, until that is released.
 */
struct sup_map_owner {
	struct sup_watch watch;
	struct sup_registry_map *map;
	u32 nr_slots;
	bool has_word;
	u32 word;
	u32 generation;
};

/*
 * Its memory.
 */

static void map_free(struct sup_registry_map *map)
{
	unsigned long i;

	vunmap(map->shown);
	for (i = 0; i < map->nr_pages; i++) {
		__free_page(map->pages[i]);
		if (!(i % PAGES_BATCH))
			cond_resched();
	}
	kvfree(map->pages);
	kvfree(map->own);
	kfree(map);
}

static int map_alloc_pages(struct sup_registry_map *map, unsigned long nr)
{
	map->pages = kvcalloc(nr, sizeof(*map->pages), GFP_KERNEL_ACCOUNT);
	if (!map->pages)
		return -ENOMEM;
	while (map->nr_pages < nr) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);

		if (!page || fatal_signal_pending(current)) {
			if (page)
				__free_page(page);
			return -ENOMEM;
		}
		map->pages[map->nr_pages++] = page;
		cond_resched();
	}
	map->shown = vmap(map->pages, nr, VM_MAP, PAGE_KERNEL);
	return map->shown ? 0 : -ENOMEM;
}

static struct sup_registry_map *map_alloc(u32 nr)
{
	struct sup_registry_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!map)
		return NULL;
	map->own = kvcalloc(nr, sizeof(*map->own), GFP_KERNEL_ACCOUNT);
	if (!map->own || map_alloc_pages(map, DIV_ROUND_UP_ULL(sup_slots_bytes(nr), PAGE_SIZE))) {
		map_free(map);
		return NULL;
	}
	raw_spin_lock_init(&map->lock);
	get_random_bytes(&map->hash_key, sizeof(map->hash_key));
	sup_slots_init(&map->slots, map->shown, map->own, nr, map->hash_key.key);
	return map;
}

/**
 * sup_map_create - make a registry's mapping
 * @registry: nobody uses it yet
 * @account: who pays
 * @nr: how many keys it has room for; a power of two
 * @limit: set to SUPERVISOR_LIMIT_BYTES with -EDQUOT
 *
 * Context: may sleep.
 * Return: 0, -EDQUOT, -ENOMEM.
 */
int sup_map_create(struct sup_registry *registry, struct sup_account *account, u32 nr, u32 *limit)
{
	u64 charge = sup_slots_bytes(nr) + (u64)nr * sizeof(struct sup_slot_own);
	struct sup_registry_map *map;

	if (sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, charge)) {
		*limit = SUPERVISOR_LIMIT_BYTES;
		return -EDQUOT;
	}
	map = map_alloc(nr);
	if (!map) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, charge);
		return -ENOMEM;
	}
	map->charged = charge;
	map->pid_ns = get_pid_ns(task_active_pid_ns(current));
	registry->map = map;
	return 0;
}

/**
 * sup_map_destroy - free a registry's mapping
 * @map: nobody uses it any more; or NULL
 * @account: who has paid
 *
 * Context: may sleep.
 */
void sup_map_destroy(struct sup_registry_map *map, struct sup_account *account)
{
	if (!map)
		return;
	sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, map->charged);
	put_pid_ns(map->pid_ns);
	map_free(map);
}

/*
 * mmap.
 */

static int map_check(const struct sup_registry_map *map, struct vm_area_struct *vma)
{
	if (!map)
		return -ENODEV;
	if (task_active_pid_ns(current) != map->pid_ns)
		return -EOPNOTSUPP;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	/* Of a file that is not open for writing VM_SHARED is not set. */
	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_pgoff || vma_pages(vma) != map->nr_pages)
		return -EINVAL;
	return 0;
}

/**
 * sup_registry_mmap - the mmap operation of a registry's files
 * @file: the file, open for reading
 * @vma: where
 *
 * VM_IO says to the kernel that nobody else is to touch this memory: madvise cannot let
 * a fork inherit it, nor ptrace or a core file show it.
 *
 * Context: may sleep.
 * Return: 0, -ENODEV, -EOPNOTSUPP, -EACCES, -EINVAL, -ENOMEM.
 */
int sup_registry_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct sup_registry_map *map = sup_object_registry(sup_file_object(file))->map;
	unsigned long address = vma->vm_start, at = 0, nr;
	int ret = map_check(map, vma);

	if (ret)
		return ret;
	sup_vm_flags_mod(vma, VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP,
			 VM_MAYWRITE | VM_MAYEXEC);
	while (at < map->nr_pages && !ret) {
		nr = min(map->nr_pages - at, (unsigned long)PAGES_BATCH);
		ret = vm_insert_pages(vma, address, map->pages + at, &nr);
		at += PAGES_BATCH;
		address = vma->vm_start + at * PAGE_SIZE;
		cond_resched();
	}
	return ret;
}

/*
 * Owners.
 */

static void owner_died(struct sup_watch *watch)
{
	struct sup_map_owner *owner = container_of(watch, struct sup_map_owner, watch);

	if (owner->has_word)
		sup_slots_end_owner(&owner->map->slots, owner->word, owner->generation);
}

/**
 * sup_map_owner_alloc - what the calling process is to have in a registry's mapping
 * @registry: has one
 *
 * Context: process; may sleep.
 * Return: it, or NULL when there is no memory.
 */
struct sup_map_owner *sup_map_owner_alloc(struct sup_registry *registry)
{
	struct sup_map_owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);

	if (!owner)
		return NULL;
	owner->map = registry->map;
	sup_watch_init(&owner->watch, owner_died);
	return owner;
}

/**
 * sup_map_owner_begin - let the exit hook tell of the calling process's death
 * @owner: what it has in a mapping; or NULL
 *
 * Context: process, which is tracked: nothing is allocated.
 */
void sup_map_owner_begin(struct sup_map_owner *owner)
{
	if (owner)
		sup_watch_add(&owner->watch, sup_process_get_current());
}

static void owner_drop_word_locked(struct sup_map_owner *owner)
{
	struct sup_slots *slots = &owner->map->slots;

	lockdep_assert_held(&owner->map->lock);
	if (!owner->has_word)
		return;
	sup_slots_end_owner(slots, owner->word, owner->generation);
	sup_slots_give_owner(slots, owner->word);
	owner->has_word = false;
}

/**
 * sup_map_owner_end - free what a process had in a mapping
 * @owner: has no slots, and gets none; or NULL
 *
 * Context: process.
 */
void sup_map_owner_end(struct sup_map_owner *owner)
{
	if (!owner)
		return;
	sup_unwatch(&owner->watch);
	raw_spin_lock(&owner->map->lock);
	owner_drop_word_locked(owner);
	raw_spin_unlock(&owner->map->lock);
	kfree(owner);
}

/*
 * Slots.
 */

static int owner_take_slot_locked(struct sup_map_owner *owner, u64 hash, u32 *slot)
{
	struct sup_slots *slots = &owner->map->slots;

	lockdep_assert_held(&owner->map->lock);
	if (!sup_slots_take(slots, hash, slot))
		return -ENOSPC;
	if (!owner->has_word) {
		if (!sup_slots_take_owner(slots, &owner->word, &owner->generation)) {
			sup_slots_give(slots, *slot);
			return -ENOSPC;
		}
		owner->has_word = true;
	}
	owner->nr_slots++;
	return 0;
}

static void owner_give_slot_locked(struct sup_map_owner *owner, u32 slot, bool is_current)
{
	lockdep_assert_held(&owner->map->lock);
	sup_slots_give(&owner->map->slots, slot);
	if (!--owner->nr_slots && is_current)
		owner_drop_word_locked(owner);
}

static int map_reserve(struct sup_entry *entry, u64 hash)
{
	struct sup_map_owner *owner = entry->holder->map_owner;
	int ret;

	raw_spin_lock(&owner->map->lock);
	ret = owner_take_slot_locked(owner, hash, &entry->slot);
	raw_spin_unlock(&owner->map->lock);
	return ret;
}

/**
 * sup_map_reserve - take a slot for an entry of the calling process
 * @entry: to be linked; its @slot is set
 * @name: its key
 *
 * Context: process; may sleep, to make room by what the dead had.
 * Return: 0; -ENOSPC when the mapping is full.
 */
int sup_map_reserve(struct sup_entry *entry, const struct sup_key_name *name)
{
	const struct sup_registry_map *map = entry->holder->registry->map;
	u64 hash = siphash(name->bytes, name->len, &map->hash_key);
	int ret = map_reserve(entry, hash);

	if (ret) {
		sup_holders_flush();
		ret = map_reserve(entry, hash);
	}
	return ret;
}

/**
 * sup_map_cancel - take that back
 * @entry: was not shown
 *
 * Context: the process of sup_map_reserve().
 */
void sup_map_cancel(struct sup_entry *entry)
{
	struct sup_map_owner *owner = entry->holder->map_owner;

	raw_spin_lock(&owner->map->lock);
	owner_give_slot_locked(owner, entry->slot, true);
	raw_spin_unlock(&owner->map->lock);
}

static struct sup_slot_entry slot_entry(const struct sup_entry *entry)
{
	const struct sup_map_owner *owner = entry->holder->map_owner;

	return (struct sup_slot_entry){
		.id = entry->id,
		.owner = owner->word,
		.generation = owner->generation,
		.pid = pid_nr_ns(entry->holder->pid, owner->map->pid_ns),
		.flags = entry->mailbox ? SUPERVISOR_MAP_F_MAILBOX : 0,
		.key_len = entry->key->len,
		.value_len = entry->value_len,
		.key = entry->key->bytes,
		.value = entry->value,
	};
}

/**
 * sup_map_show - show an entry that was linked
 * @entry: has a slot
 *
 * Context: holds R.
 */
void sup_map_show(const struct sup_entry *entry)
{
	struct sup_registry_map *map = entry->holder->registry->map;
	struct sup_slot_entry shown = slot_entry(entry);

	raw_spin_lock(&map->lock);
	sup_slots_show(&map->slots, entry->slot, &shown);
	raw_spin_unlock(&map->lock);
}

/**
 * sup_map_replace - show an entry in the place of another one
 * @old: is shown
 * @new: has the same key, number and process; it takes the slot over
 *
 * Context: holds R.
 */
void sup_map_replace(const struct sup_entry *old, struct sup_entry *new)
{
	struct sup_registry_map *map = new->holder->registry->map;
	struct sup_slot_entry shown = slot_entry(new);

	new->slot = old->slot;
	raw_spin_lock(&map->lock);
	sup_slots_change(&map->slots, new->slot, &shown);
	raw_spin_unlock(&map->lock);
}

/**
 * sup_map_hide - show an entry no more, which is to be unlinked
 * @entry: is shown; loses its slot
 *
 * Context: holds R.
 */
void sup_map_hide(const struct sup_entry *entry)
{
	struct sup_map_owner *owner = entry->holder->map_owner;
	bool is_current = sup_current_is(entry->holder->process);

	raw_spin_lock(&owner->map->lock);
	sup_slots_hide(&owner->map->slots, entry->slot);
	owner_give_slot_locked(owner, entry->slot, is_current);
	raw_spin_unlock(&owner->map->lock);
}

/**
 * sup_map_look - what a registry's status says of its mapping
 * @map: the mapping, or NULL
 * @status: members that are 0
 *
 * Context: does not sleep.
 */
void sup_map_look(struct sup_registry_map *map, struct supervisor_registry_status *status)
{
	if (!map)
		return;
	raw_spin_lock(&map->lock);
	status->out_map_used = map->slots.used;
	raw_spin_unlock(&map->lock);
	status->out_map_slots = map->slots.nr;
	status->out_map_bytes = (u64)map->nr_pages << PAGE_SHIFT;
}
