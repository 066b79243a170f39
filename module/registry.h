/* SPDX-License-Identifier: GPL-2.0 */
/*
 * registry - names that die with their process: the structs that registry.c (the
 * object), registry_holder.c (who has entries, and deaths), registry_entry.c (what
 * changes them), registry_reserve.c (what is kept for supervisors' children),
 * registry_table.c (where keys are found), registry_read.c (lookups),
 * registry_listen.c (who hears of changes), registry_address.c (publish, send, call,
 * signal), registry_map.c (what is mapped), registry_meta.c and registry_lock.c share.
 *
 * A registry has partitions, each with a table of keys; a key has its entries, an
 * entry its holder: one process's part in one registry. Readers take no lock: they
 * are in an RCU read-side section, and what they find cannot change, for another
 * value is another entry in the place of the old one. Whether a holder lives is
 * asked of its process at each look, so that the dead are not found though a work
 * item has yet to take their entries away.
 */
#ifndef SUP_REGISTRY_H
#define SUP_REGISTRY_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/rwsem.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <linux/supervisor.h>

#include "object.h"
#include "process.h"

struct sup_account;
struct sup_mailbox;
struct sup_map_owner;
struct sup_registry;
struct sup_registry_map;
struct sup_reservation;

/**
 * struct sup_key_name - a key that is looked for
 * @hash: sup_registry_hash() of it
 * @len: its bytes
 * @bytes: the key
 */
struct sup_key_name {
	u64 hash;
	u32 len;
	u8 bytes[SUPERVISOR_KEY_MAX + 1];
};

/**
 * struct sup_key - a key that has entries, or may be wanted for a child
 * @nodes: R, RCU: in the table of its partition, and in the one that is to replace it
 * @hash: const
 * @entries: R, RCU: struct sup_entry, by rising id; may be empty while @pins
 * @refs: references: one for each of its entries, linked or not; one while in the
 *	table
 * @pins: R: struct sup_reservation of it, which keep it in the table
 * @len: const: its bytes
 * @reserved: R: it is kept for a child that is being started; it has no entries then
 * @bytes: const: the key, and a NUL
 *
 * Lifetime: from its first entry or reservation until the last of them is freed,
 *	which is after a grace period.
 */
struct sup_key {
	struct hlist_node nodes[2];
	u64 hash;
	struct list_head entries;
	refcount_t refs;
	u32 pins;
	u8 len;
	bool reserved;
	u8 bytes[];
};

/**
 * struct sup_entry - one entry
 * @of_key: R, RCU: in sup_key.entries
 * @of_holder: H: in sup_holder.entries, by hash of the key and id
 * @rcu: frees it, when it is in neither any more
 * @reap_node: likewise, where that may sleep
 * @hash: const: of its key
 * @key: const
 * @holder: const: valid within an RCU read-side section in which the entry was found
 * @mailbox: const: referenced until it is freed; or NULL
 * @id: const
 * @refs: references: one while it is linked, and who copies from it
 * @linked: R: it is in its key's list; may be read without
 * @prepaid: const: a child's spec has paid for it, not its holder
 * @value_len: const
 * @slot: R: in the mapping, if there is one
 * @value: const: and a NUL
 *
 * Lifetime: until the last reference, and a grace period.
 * Locking: per member.
 * Context: references may be dropped anywhere.
 */
struct sup_entry {
	struct list_head of_key;
	union {
		struct rb_node of_holder;
		struct rcu_head rcu;
		struct llist_node reap_node;
	};
	u64 hash;
	struct sup_key *key;
	struct sup_holder *holder;
	struct sup_mailbox *mailbox;
	u64 id;
	refcount_t refs;
	bool linked;
	bool prepaid;
	u16 value_len;
	u32 slot;
	u8 value[];
};

/**
 * struct sup_registration - an entry that is being registered
 * @registry: where
 * @name: its key
 * @entry: it
 * @key: for it, if there is none yet; NULL when used
 * @reserved: the key is kept for it
 * @id: its number, once it is registered
 * @holder_pid: with -EEXIST: who has the key
 */
struct sup_registration {
	struct sup_registry *registry;
	const struct sup_key_name *name;
	struct sup_entry *entry;
	struct sup_key *key;
	bool reserved;
	u64 id;
	pid_t holder_pid;
};

/**
 * struct sup_holder - a process's part in a registry
 * @follower: of the process: its death ends this
 * @node: in sup_registry.holders
 * @of_registry: holders_lock: in sup_registry.all_holders; empty when it is being
 *	released
 * @registry: const, referenced
 * @process: const: valid while it is followed, and a grace period
 * @pid: const, referenced: of @process
 * @account: const, referenced: who pays for its entries
 * @map_owner: const: what it has in the mapping, until it is released; or NULL
 * @refs: references: one until it is released, one while its death is told
 * @partition: const: where its entries are, if partitions are by process
 * @lock: H
 * @nr: H: entries; may be read without
 * @entries: H: struct sup_entry by hash and id
 * @locks: K: struct sup_key_lock that it has
 * @dead_node: in the list of those whose process is dead
 * @rcu: frees it
 *
 * Lifetime: from the first register or lock of its process until that is dead or the
 *	registry is closed, and a grace period. While the process makes an ioctl on
 *	the registry, neither can be.
 * Locking: per member.
 * Context: may not be released where sleeping is forbidden.
 */
struct sup_holder {
	struct sup_follower follower;
	struct rhash_head node;
	struct list_head of_registry;
	struct sup_registry *registry;
	struct sup_process *process;
	struct pid *pid;
	struct sup_account *account;
	struct sup_map_owner *map_owner;
	refcount_t refs;
	u32 partition;
	spinlock_t lock;
	u32 nr;
	struct rb_root entries;
	struct list_head locks;
	struct llist_node dead_node;
	struct rcu_head rcu;
};

/**
 * struct sup_key_table - where keys are found
 * @bits: const: of the number of buckets
 * @side: const: which of sup_key.nodes it uses
 * @buckets: R, RCU: by the upper bits of the hash
 */
struct sup_key_table {
	u32 bits;
	u32 side;
	struct hlist_head buckets[];
};

/**
 * struct sup_partition - a part of a registry, which shares nothing with the others
 * @lock: R
 * @table: R, RCU
 * @next: R: the table that is to replace it; NULL when none is
 * @moved: R: buckets of @table whose keys are in @next too
 * @keys: R
 * @entries: R
 * @resize: replaces @table by a larger or smaller one
 */
struct sup_partition {
	spinlock_t lock;
	struct sup_key_table __rcu *table;
	struct sup_key_table *next;
	u32 moved;
	u32 keys;
	u64 entries;
	struct work_struct resize;
} ____cacheline_aligned_in_smp;

/**
 * struct sup_registry - a registry
 * @object: the base
 * @keys: const: SUPERVISOR_KEYS_*
 * @nr_partitions: const
 * @hash_key: const: random, so that nobody can tell which keys meet in a bucket
 * @map: const: the mapping, or NULL
 * @last_id: atomic: of the latest entry
 * @holders: struct sup_holder by pid
 * @holders_lock: protects @all_holders
 * @nr_holders: holders_lock
 * @all_holders: holders_lock
 * @meta_lock: D
 * @meta: D: struct meta by key
 * @nr_meta: D
 * @locks_lock: K
 * @nr_locks: K
 * @locks: K: struct sup_key_lock by key
 * @parked: K: struct sup_parked_key_call
 * @tell_lock: V
 * @nr_listeners: V
 * @listeners: V: struct registry_listener
 * @partitions: const
 *
 * Lifetime: of its object; each holder has a reference.
 * Locking: per member.
 */
struct sup_registry {
	struct sup_object object;
	u32 keys;
	u32 nr_partitions;
	siphash_key_t hash_key;
	struct sup_registry_map *map;
	atomic64_t last_id;
	struct rhashtable holders;
	spinlock_t holders_lock;
	u32 nr_holders;
	struct list_head all_holders;
	struct rw_semaphore meta_lock;
	struct rb_root meta;
	u64 nr_meta;
	spinlock_t locks_lock;
	u32 nr_locks;
	struct rb_root locks;
	struct list_head parked;
	spinlock_t tell_lock;
	u32 nr_listeners;
	struct list_head listeners;
	struct sup_partition partitions[];
};

/* registry.c */
struct sup_registry *sup_object_registry(struct sup_object *object);
void sup_registry_exit(void);
int sup_registry_create(struct sup_ucmd *ucmd);
int sup_registry_status(struct sup_ucmd *ucmd);
u64 sup_registry_hash(const struct sup_registry *registry, const void *bytes, u32 len);
int sup_registry_read_key(const struct sup_registry *registry, struct sup_key_name *name,
			  u64 uptr, u32 len, u32 *max);
int sup_registry_check_value(u32 len, u32 *max);

/* registry_table.c */
int sup_table_init(struct sup_partition *partition);
void sup_table_destroy(struct sup_partition *partition);
bool sup_key_is(const struct sup_key *key, const struct sup_key_name *name);
struct sup_key *sup_table_find(const struct sup_partition *partition,
			       const struct sup_key_name *name);
const struct sup_key_table *sup_table(const struct sup_partition *partition);
struct sup_key *sup_table_from(const struct sup_key_table *table, u64 *hash, u32 *budget);
struct sup_key *sup_table_same(const struct sup_key_table *table, const struct sup_key *key);
void sup_table_add_locked(struct sup_partition *partition, struct sup_key *key);
void sup_table_remove_locked(struct sup_partition *partition, struct sup_key *key);

/* registry_holder.c */
void sup_holders_exit(void);
int sup_holders_init_registry(struct sup_registry *registry);
void sup_holders_destroy_registry(struct sup_registry *registry);
void sup_holders_release_all(struct sup_registry *registry);
void sup_holders_flush(void);
struct sup_holder *sup_holder_find(struct sup_registry *registry, struct pid *pid);
struct sup_holder *sup_holder_current(struct sup_registry *registry);
struct sup_holder *sup_holder_make(struct sup_registry *registry);
bool sup_holder_alive(const struct sup_holder *holder);

/* registry_entry.c */
void sup_entries_exit(void);
int sup_registry_register(struct sup_ucmd *ucmd);
int sup_registry_unregister(struct sup_ucmd *ucmd);
int sup_registry_update(struct sup_ucmd *ucmd);
struct sup_entry *sup_entry_alloc(u32 value_len);
void sup_entry_discard(struct sup_entry *entry);
void sup_entry_put(struct sup_entry *entry);
int sup_entry_charge(struct sup_account *account, u32 bytes, u32 *limit);
void sup_entry_uncharge(struct sup_account *account, u32 bytes);
struct sup_key *sup_key_alloc(const struct sup_key_name *name);
void sup_key_put(struct sup_key *key);
int sup_key_vacate_locked(struct sup_partition *partition, struct sup_key *key, struct pid **pid);
int sup_register_locked(struct sup_partition *partition, struct sup_registration *reg);
void sup_entries_unlink_all(struct sup_holder *holder);
struct sup_partition *sup_entry_partition(struct sup_registry *registry,
					  const struct sup_holder *holder, u64 hash);
struct sup_entry *sup_entry_after_locked(const struct sup_holder *holder, u64 hash, u64 id);

/* registry_reserve.c */
struct sup_reservation *sup_reservation_new(const struct supervisor_child_spec *spec,
					    struct sup_account *account, u32 *limit, u32 *max);
struct sup_reservation *sup_reservation_copy(const struct sup_reservation *from,
					     struct sup_account *account, u32 *limit);
void sup_reservation_free(struct sup_reservation *reservation);
int sup_reservation_take(struct sup_reservation *reservation, struct pid **holder);
void sup_reservation_give_back(struct sup_reservation *reservation);
int sup_reservation_prepare(struct sup_reservation *reservation, struct sup_registration *reg);
void sup_reservation_claim(struct sup_reservation *reservation, struct sup_registration *reg);
void sup_reservation_unprepare(struct sup_registration *reg);
u64 sup_reservation_registry(const struct sup_reservation *reservation);
const struct sup_key_name *sup_reservation_key(const struct sup_reservation *reservation);
const void *sup_reservation_value(const struct sup_reservation *reservation, u32 *len);

/* registry_read.c */
int sup_registry_lookup(struct sup_ucmd *ucmd);
int sup_registry_select(struct sup_ucmd *ucmd);
int sup_registry_count(struct sup_ucmd *ucmd);
bool sup_registry_has(struct sup_registry *registry, const struct sup_key_name *name);

struct sup_entry *sup_registry_first_alive(struct sup_registry *registry,
					   const struct sup_key_name *name);
/**
 * struct sup_visitor - who is to see each entry of a key
 * @visit: called for each entry of a live process, in an RCU read-side section that
 *	lasts for some of them. False when it needs a @pause before the next
 * @pause: called outside of such a section, after some and after the last; may sleep
 */
struct sup_visitor {
	bool (*visit)(struct sup_visitor *visitor, struct sup_entry *entry);
	void (*pause)(struct sup_visitor *visitor);
};

int sup_registry_for_each(struct sup_registry *registry, const struct sup_key_name *name,
			  struct sup_visitor *visitor);

/* registry_listen.c */
int sup_registry_listen(struct sup_ucmd *ucmd);
int sup_registry_unlisten(struct sup_ucmd *ucmd);
void sup_listeners_end_all(struct sup_registry *registry);
void sup_listeners_tell_entry(struct sup_registry *registry,
			      const struct sup_partition *partition,
			      const struct sup_entry *entry, u32 event);
void sup_listeners_tell_unregister(struct sup_registry *registry,
				   const struct sup_partition *partition,
				   const struct sup_key_name *name);

/* Whoever changes something asks first whether anybody listens at all. */
static inline bool sup_registry_has_listeners(const struct sup_registry *registry)
{
	return READ_ONCE(registry->nr_listeners);
}

/* registry_address.c */
int sup_registry_send(struct sup_ucmd *ucmd);
int sup_registry_call(struct sup_ucmd *ucmd);
int sup_registry_signal(struct sup_ucmd *ucmd);
int sup_registry_publish(struct sup_ucmd *ucmd);
void sup_key_calls_forget(struct sup_registry *registry, struct file *file);

/* registry_map.c: but for the mmap, of registries that have a mapping */
int sup_map_create(struct sup_registry *registry, struct sup_account *account, u32 nr,
		   u32 *limit);
void sup_map_destroy(struct sup_registry_map *map, struct sup_account *account);
int sup_registry_mmap(struct file *file, struct vm_area_struct *vma);
struct sup_map_owner *sup_map_owner_alloc(struct sup_registry *registry);
void sup_map_owner_begin(struct sup_map_owner *owner);
void sup_map_owner_end(struct sup_map_owner *owner);
int sup_map_reserve(struct sup_entry *entry, const struct sup_key_name *name);
void sup_map_cancel(struct sup_entry *entry);
void sup_map_show(const struct sup_entry *entry);
void sup_map_replace(const struct sup_entry *old, struct sup_entry *new);
void sup_map_hide(const struct sup_entry *entry);
void sup_map_look(struct sup_registry_map *map, struct supervisor_registry_status *status);

/* registry_meta.c */
int sup_registry_meta_put(struct sup_ucmd *ucmd);
int sup_registry_meta_get(struct sup_ucmd *ucmd);
int sup_registry_meta_delete(struct sup_ucmd *ucmd);
void sup_meta_free_all(struct sup_registry *registry);

/* registry_lock.c */
int sup_registry_lock(struct sup_ucmd *ucmd);
int sup_registry_unlock(struct sup_ucmd *ucmd);
void sup_key_locks_release(struct sup_holder *holder);

#endif
