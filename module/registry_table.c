// SPDX-License-Identifier: GPL-2.0
/*
 * registry_table - where a partition's keys are found, in a table that grows and
 * shrinks while it is read.
 *
 * A key's bucket is told by the upper bits of its hash: so a walk by rising hash is
 * the same walk whatever the size of the table, and where it was interrupted can be
 * said by a number.
 *
 * A work item replaces the table. It links the keys into a new one, bucket by
 * bucket, by the other one of their two nodes; meanwhile readers go on in the old
 * one, and who adds or removes a key does it in both as far as the work item has
 * come. Then the new one is published. The old one's nodes are used again only after
 * a grace period.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "registry.h"

#define TABLE_BITS_MIN 4
#define TABLE_BITS_MAX 24

/* Buckets and keys that are moved in one go. */
#define MOVE_BATCH 64

static struct sup_key_table *table_alloc(u32 bits, u32 side)
{
	struct sup_key_table *table;

	table = kvzalloc(struct_size(table, buckets, 1UL << bits), GFP_KERNEL_ACCOUNT);
	if (table) {
		table->bits = bits;
		table->side = side;
	}
	return table;
}

static u32 table_bucket(const struct sup_key_table *table, u64 hash)
{
	return hash >> (64 - table->bits);
}

static struct sup_key *table_key(const struct sup_key_table *table, struct hlist_node *node)
{
	return node ? container_of(node - table->side, struct sup_key, nodes[0]) : NULL;
}

static struct sup_key *bucket_first(const struct sup_key_table *table, u32 bucket)
{
	return table_key(table, rcu_dereference_raw(hlist_first_rcu(&table->buckets[bucket])));
}

static struct sup_key *bucket_next(const struct sup_key_table *table, const struct sup_key *key)
{
	return table_key(table, rcu_dereference_raw(hlist_next_rcu(&key->nodes[table->side])));
}

/**
 * sup_table - the table of a partition
 * @partition: the partition
 *
 * Context: in an RCU read-side section, which a walk may not leave, or holds R.
 * Return: the table.
 */
const struct sup_key_table *sup_table(const struct sup_partition *partition)
{
	return rcu_dereference_check(partition->table, lockdep_is_held(&partition->lock));
}

/**
 * sup_key_is - is a key the one that is looked for
 * @key: the key
 * @name: which one is looked for
 *
 * Context: any.
 * Return: true if so.
 */
bool sup_key_is(const struct sup_key *key, const struct sup_key_name *name)
{
	return key->hash == name->hash && key->len == name->len &&
	       !memcmp(key->bytes, name->bytes, name->len);
}

/**
 * sup_table_find - find a key
 * @partition: where
 * @name: the key
 *
 * Context: in an RCU read-side section, or holds R.
 * Return: the key, or NULL.
 */
struct sup_key *sup_table_find(const struct sup_partition *partition,
			       const struct sup_key_name *name)
{
	const struct sup_key_table *table = sup_table(partition);
	struct sup_key *key;

	key = bucket_first(table, table_bucket(table, name->hash));
	while (key && !sup_key_is(key, name))
		key = bucket_next(table, key);
	return key;
}

/* The first of those in a bucket that have the least hash from @hash on. */
static struct sup_key *bucket_least(const struct sup_key_table *table, u32 bucket, u64 hash)
{
	struct sup_key *key, *least = NULL;

	for (key = bucket_first(table, bucket); key; key = bucket_next(table, key))
		if (key->hash >= hash && (!least || key->hash < least->hash))
			least = key;
	return least;
}

/**
 * sup_table_from - walk a table by rising hash
 * @table: the table
 * @hash: where to begin; where to go on when @budget is used up
 * @budget: buckets that may be looked into, less those that were
 *
 * Context: in an RCU read-side section, or holds R.
 * Return: the first key from @hash on; NULL when there is none or, with @budget 0,
 *	when none was found so far.
 */
struct sup_key *sup_table_from(const struct sup_key_table *table, u64 *hash, u32 *budget)
{
	u32 bucket = table_bucket(table, *hash);
	struct sup_key *key;

	for (;; bucket++) {
		key = bucket_least(table, bucket, *hash);
		if (key || bucket == (1U << table->bits) - 1)
			return key;
		*hash = (u64)(bucket + 1) << (64 - table->bits);
		if (!*budget)
			return NULL;
		--*budget;
	}
}

/**
 * sup_table_same - the next key of the same hash
 * @table: the table
 * @key: a key of sup_table_from(), or the one before
 *
 * Context: as sup_table_from().
 * Return: the key, nearly always NULL.
 */
struct sup_key *sup_table_same(const struct sup_key_table *table, const struct sup_key *key)
{
	struct sup_key *next = bucket_next(table, key);

	while (next && next->hash != key->hash)
		next = bucket_next(table, next);
	return next;
}

static bool table_wants(const struct sup_partition *partition, const struct sup_key_table *table)
{
	u32 buckets = 1U << table->bits;

	return (partition->keys > buckets && table->bits < TABLE_BITS_MAX) ||
	       (partition->keys < buckets / 8 && table->bits > TABLE_BITS_MIN);
}

static void table_check_locked(struct sup_partition *partition, const struct sup_key_table *table)
{
	lockdep_assert_held(&partition->lock);
	if (!partition->next && table_wants(partition, table))
		queue_work(sup_workqueue, &partition->resize);
}

static void table_link(struct sup_key_table *table, struct sup_key *key)
{
	hlist_add_head_rcu(&key->nodes[table->side],
			   &table->buckets[table_bucket(table, key->hash)]);
}

static bool key_moved_locked(const struct sup_partition *partition,
			     const struct sup_key_table *table, const struct sup_key *key)
{
	lockdep_assert_held(&partition->lock);
	return partition->next && table_bucket(table, key->hash) < partition->moved;
}

static struct sup_key_table *table_locked(struct sup_partition *partition)
{
	return rcu_dereference_protected(partition->table, lockdep_is_held(&partition->lock));
}

/**
 * sup_table_add_locked - add a key
 * @partition: where
 * @key: it is not there
 *
 * Context: holds R.
 */
void sup_table_add_locked(struct sup_partition *partition, struct sup_key *key)
{
	struct sup_key_table *table = table_locked(partition);

	table_link(table, key);
	if (key_moved_locked(partition, table, key))
		table_link(partition->next, key);
	partition->keys++;
	table_check_locked(partition, table);
}

/**
 * sup_table_remove_locked - remove a key
 * @partition: where
 * @key: it is there; to be freed after a grace period
 *
 * Context: holds R.
 */
void sup_table_remove_locked(struct sup_partition *partition, struct sup_key *key)
{
	struct sup_key_table *table = table_locked(partition);

	hlist_del_rcu(&key->nodes[table->side]);
	if (key_moved_locked(partition, table, key))
		hlist_del_rcu(&key->nodes[partition->next->side]);
	partition->keys--;
	table_check_locked(partition, table);
}

/* Some of what is still to be moved; false when that was all. */
static bool table_move(struct sup_partition *partition)
{
	struct sup_key_table *table;
	struct sup_key *key;
	u32 budget = MOVE_BATCH;
	bool more;

	spin_lock(&partition->lock);
	table = table_locked(partition);
	while (budget && partition->moved < 1U << table->bits) {
		for (key = bucket_first(table, partition->moved); key;
		     key = bucket_next(table, key)) {
			table_link(partition->next, key);
			budget -= !!budget;
		}
		partition->moved++;
		budget -= !!budget;
	}
	more = partition->moved < 1U << table->bits;
	if (!more) {
		rcu_assign_pointer(partition->table, partition->next);
		partition->next = NULL;
	}
	spin_unlock(&partition->lock);
	return more;
}

/* The table that @partition should have; NULL when it has it, or there is no memory. */
static struct sup_key_table *table_wanted(struct sup_partition *partition)
{
	const struct sup_key_table *table;
	u32 bits, side;
	bool wants;

	spin_lock(&partition->lock);
	table = table_locked(partition);
	wants = table_wants(partition, table);
	side = !table->side;
	/* Between half and all of its buckets are used then. */
	bits = clamp_t(u32, partition->keys ? fls(partition->keys) : 0, TABLE_BITS_MIN,
		       TABLE_BITS_MAX);
	spin_unlock(&partition->lock);
	return wants ? table_alloc(bits, side) : NULL;
}

static void resize_work(struct work_struct *work)
{
	struct sup_partition *partition = container_of(work, struct sup_partition, resize);
	struct sup_key_table *old, *next;

	while ((next = table_wanted(partition))) {
		spin_lock(&partition->lock);
		old = table_locked(partition);
		partition->moved = 0;
		partition->next = next;
		spin_unlock(&partition->lock);
		while (table_move(partition))
			cond_resched();
		synchronize_rcu();
		kvfree(old);
	}
}

/**
 * sup_table_init - set up a partition's table
 * @partition: zeroed
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sup_table_init(struct sup_partition *partition)
{
	struct sup_key_table *table = table_alloc(TABLE_BITS_MIN, 0);

	if (!table)
		return -ENOMEM;
	RCU_INIT_POINTER(partition->table, table);
	INIT_WORK(&partition->resize, resize_work);
	return 0;
}

/**
 * sup_table_destroy - free it
 * @partition: has no keys, and nobody looks for any; or was only zeroed
 *
 * Context: may sleep.
 */
void sup_table_destroy(struct sup_partition *partition)
{
	struct sup_key_table *table = rcu_dereference_protected(partition->table, true);

	if (!table)
		return;
	cancel_work_sync(&partition->resize);
	/* That may have replaced it. */
	kvfree(rcu_dereference_protected(partition->table, true));
}
