// SPDX-License-Identifier: GPL-2.0
/*
 * registry_read - what looks at entries: lookup, select and count. It takes no lock
 * of a partition.
 *
 * A walk's place is the hash of a key and the id of an entry of it. Entries do not
 * change their place, so that those which are there all the time are told once,
 * whatever comes and goes and however often the walk is interrupted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "registry.h"

/* Values up to this are copied without touching the entry's count. */
#define VALUE_SMALL 128

/* Entries that are told, and buckets and entries that are looked at, in one go. */
#define BATCH 32
#define LOOKS 256

/* The partitions in which a key may be. */
static struct sup_partition *key_partitions(struct sup_registry *registry, u64 hash, u32 *nr)
{
	if (registry->keys == SUPERVISOR_KEYS_DUPLICATE) {
		*nr = registry->nr_partitions;
		return registry->partitions;
	}
	*nr = 1;
	return sup_entry_partition(registry, NULL, hash);
}

static struct sup_entry *key_first_alive(const struct sup_partition *partition,
					 const struct sup_key_name *name)
{
	const struct sup_key *key = sup_table_find(partition, name);
	struct sup_entry *entry;

	if (!key)
		return NULL;
	list_for_each_entry_rcu(entry, &key->entries, of_key)
		if (sup_holder_alive(entry->holder))
			return entry;
	return NULL;
}

/**
 * sup_registry_first_alive - the first entry of a key that a live process has
 * @registry: where
 * @name: the key
 *
 * Context: in an RCU read-side section.
 * Return: the entry, or NULL.
 */
struct sup_entry *sup_registry_first_alive(struct sup_registry *registry,
					   const struct sup_key_name *name)
{
	struct sup_entry *entry = NULL;
	struct sup_partition *partition;
	u32 i, nr;

	partition = key_partitions(registry, name->hash, &nr);
	for (i = 0; i < nr && !entry; i++)
		entry = key_first_alive(partition + i, name);
	return entry;
}

/**
 * sup_registry_has - has a live process an entry of a key
 * @registry: where
 * @name: the key
 *
 * Context: does not sleep.
 * Return: true if so.
 */
bool sup_registry_has(struct sup_registry *registry, const struct sup_key_name *name)
{
	bool has;

	rcu_read_lock();
	has = sup_registry_first_alive(registry, name);
	rcu_read_unlock();
	return has;
}

/*
 * Lookup.
 */

/**
 * struct found - what a lookup has found
 * @entry: referenced, if its value is to be copied from it; otherwise NULL
 * @pid: the process
 * @id: the entry's
 * @mailbox: it has one
 * @value_len: bytes of its value
 * @small: the value, if it is small
 */
struct found {
	struct sup_entry *entry;
	pid_t pid;
	u64 id;
	bool mailbox;
	u32 value_len;
	u8 small[VALUE_SMALL];
};

static bool lookup(struct sup_registry *registry, const struct sup_key_name *name, bool value,
		   struct found *found)
{
	struct sup_entry *entry;

	found->entry = NULL;
	rcu_read_lock();
again:
	entry = sup_registry_first_alive(registry, name);
	if (entry) {
		found->pid = pid_vnr(entry->holder->pid);
		found->id = entry->id;
		found->mailbox = entry->mailbox;
		found->value_len = entry->value_len;
		if (value && entry->value_len <= VALUE_SMALL) {
			memcpy(found->small, entry->value, entry->value_len);
		} else if (value) {
			/* It may have been replaced meanwhile. */
			if (!refcount_inc_not_zero(&entry->refs))
				goto again;
			found->entry = entry;
		}
	}
	rcu_read_unlock();
	return entry;
}

/**
 * sup_registry_lookup - ioctl(SUPERVISOR_LOOKUP)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_lookup(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_lookup *cmd = ucmd->cmd;
	u32 room = cmd->value_len, max;
	struct sup_key_name name;
	struct found found;
	int ret;

	cmd->value_len = 0;
	cmd->out_pid = 0;
	cmd->out_mailbox = 0;
	cmd->out_id = 0;
	ret = sup_registry_read_key(registry, &name, cmd->key, cmd->key_len, &max);
	if (ret)
		return ret;
	if (!lookup(registry, &name, cmd->value, &found))
		return -ENOENT;
	cmd->value_len = found.value_len;
	cmd->out_pid = found.pid;
	cmd->out_mailbox = found.mailbox;
	cmd->out_id = found.id;
	if (!cmd->value)
		return 0;
	if (found.value_len > room)
		ret = -EMSGSIZE;
	else if (copy_to_user(u64_to_user_ptr(cmd->value),
			      found.entry ? found.entry->value : found.small, found.value_len))
		ret = -EFAULT;
	sup_entry_put(found.entry);
	return ret;
}

/*
 * Select.
 */

enum walk_kind {
	WALK_ALL,	/* every key */
	WALK_KEY,	/* one key */
	WALK_PROCESS	/* one process */
};

/**
 * struct walk - a walk over entries
 * @registry: where
 * @kind: how
 * @flags: SUPERVISOR_SELECT_F_*
 * @name: the key, or its beginning; @name.len 0 is any
 * @value: with SUPERVISOR_SELECT_F_VALUE
 * @value_len: bytes of @value
 * @pid: with WALK_PROCESS: referenced; NULL for none
 * @partition: where the walk is
 * @last_partition: where it ends
 * @hash: of the key at which it is
 * @id: of the entry that it has passed; 0 for none of that key
 * @at: the entry of @id, referenced; or NULL
 * @looks: buckets and entries that may still be looked at
 * @done: there is nothing more
 */
struct walk {
	struct sup_registry *registry;
	enum walk_kind kind;
	u32 flags;
	struct sup_key_name name;
	void *value;
	u32 value_len;
	struct pid *pid;
	u32 partition;
	u32 last_partition;
	u64 hash;
	u64 id;
	struct sup_entry *at;
	u32 looks;
	bool done;
};

static bool walk_wants_key(const struct walk *walk, const struct sup_key *key)
{
	const struct sup_key_name *name = &walk->name;

	if (walk->flags & SUPERVISOR_SELECT_F_KEY && key->len != name->len)
		return false;
	return key->len >= name->len && !memcmp(key->bytes, name->bytes, name->len);
}

static bool walk_wants(const struct walk *walk, const struct sup_entry *entry)
{
	if (walk->flags & SUPERVISOR_SELECT_F_VALUE &&
	    (entry->value_len != walk->value_len ||
	     memcmp(entry->value, walk->value, walk->value_len)))
		return false;
	return sup_holder_alive(entry->holder);
}

/* The first entry of a key that the walk has not passed. */
static struct sup_entry *key_after(const struct walk *walk, struct sup_key *key)
{
	struct sup_entry *entry = walk->at;

	/* What is linked now has a next one as long as this section lasts. */
	if (entry && entry->id == walk->id && entry->key == key && READ_ONCE(entry->linked))
		list_for_each_entry_continue_rcu(entry, &key->entries, of_key)
			return entry;
	else
		list_for_each_entry_rcu(entry, &key->entries, of_key)
			if (entry->id > walk->id)
				return entry;
	return NULL;
}

/* Likewise of all keys of the same hash that are wanted. */
static struct sup_entry *keys_after(const struct walk *walk, const struct sup_key_table *table,
				    struct sup_key *key)
{
	struct sup_entry *entry, *first = NULL;

	for (; key; key = sup_table_same(table, key)) {
		entry = walk_wants_key(walk, key) ? key_after(walk, key) : NULL;
		if (entry && (!first || entry->id < first->id))
			first = entry;
	}
	return first;
}

static struct sup_partition *walk_partition(const struct walk *walk)
{
	return &walk->registry->partitions[walk->partition];
}

/* On to the next partition, or to the end. */
static void walk_leave_partition(struct walk *walk)
{
	walk->done = walk->partition == walk->last_partition;
	walk->partition++;
	walk->hash = walk->kind == WALK_KEY ? walk->name.hash : 0;
	walk->id = 0;
}

static struct sup_entry *walk_all_next(struct walk *walk)
{
	const struct sup_key_table *table = sup_table(walk_partition(walk));
	struct sup_entry *entry;
	struct sup_key *key;
	u64 hash = walk->hash;

	key = sup_table_from(table, &hash, &walk->looks);
	if (hash != walk->hash || (key && key->hash != hash)) {
		walk->hash = key ? key->hash : hash;
		walk->id = 0;
	}
	if (!key) {
		if (walk->looks)
			walk_leave_partition(walk);
		return NULL;
	}
	entry = keys_after(walk, table, key);
	if (entry || walk->hash == U64_MAX) {
		if (!entry)
			walk_leave_partition(walk);
		return entry;
	}
	walk->hash++;
	walk->id = 0;
	return NULL;
}

static struct sup_entry *walk_key_next(struct walk *walk)
{
	struct sup_key *key = sup_table_find(walk_partition(walk), &walk->name);
	struct sup_entry *entry = key ? key_after(walk, key) : NULL;

	if (!entry)
		walk_leave_partition(walk);
	return entry;
}

static bool walk_is_in_partition(const struct walk *walk, const struct sup_entry *entry)
{
	struct sup_partition *partition = sup_entry_partition(walk->registry, entry->holder,
							      entry->hash);

	return !(walk->flags & SUPERVISOR_SELECT_F_PARTITION) ||
	       partition == walk_partition(walk);
}

static struct sup_entry *walk_process_next(struct walk *walk)
{
	struct sup_holder *holder = walk->pid ? sup_holder_find(walk->registry, walk->pid) : NULL;
	struct sup_entry *entry = NULL;

	if (holder) {
		spin_lock(&holder->lock);
		entry = sup_entry_after_locked(holder, walk->hash, walk->id);
		spin_unlock(&holder->lock);
	}
	if (!entry || (walk->flags & SUPERVISOR_SELECT_F_KEY && entry->hash != walk->name.hash)) {
		walk->done = true;
		return NULL;
	}
	walk->hash = entry->hash;
	walk->id = entry->id;
	return walk_wants_key(walk, entry->key) && walk_is_in_partition(walk, entry) ? entry : NULL;
}

static struct sup_entry *walk_look(struct walk *walk)
{
	struct sup_entry *entry;

	switch (walk->kind) {
	case WALK_PROCESS:
		return walk_process_next(walk);
	case WALK_KEY:
		entry = walk_key_next(walk);
		break;
	default:
		entry = walk_all_next(walk);
		break;
	}
	if (entry)
		walk->id = entry->id;
	return entry;
}

/* The place of the walk, for the next section. */
static void walk_keep(struct walk *walk, struct sup_entry *entry)
{
	if (entry && !refcount_inc_not_zero(&entry->refs))
		entry = NULL;
	sup_entry_put(walk->at);
	walk->at = entry;
}

/*
 * The next entry that is wanted, in an RCU read-side section that lasts as long as
 * @looks; NULL when they are used up, or when done.
 */
static struct sup_entry *walk_next(struct walk *walk)
{
	struct sup_entry *entry;

	while (walk->looks && !walk->done) {
		walk->looks--;
		entry = walk_look(walk);
		if (!entry)
			continue;
		walk_keep(walk, entry);
		if (walk_wants(walk, entry))
			return entry;
	}
	return NULL;
}

static int walk_read(struct walk *walk, struct supervisor_select *cmd)
{
	void *value;
	u32 max;
	int ret;

	if (cmd->key_len) {
		ret = sup_registry_read_key(walk->registry, &walk->name, cmd->key, cmd->key_len,
					    &max);
		if (ret)
			return ret;
	}
	if (cmd->flags & SUPERVISOR_SELECT_F_VALUE) {
		if (cmd->value_len > SUPERVISOR_VALUE_MAX)
			return -EMSGSIZE;
		value = memdup_user(u64_to_user_ptr(cmd->value), cmd->value_len);
		if (IS_ERR(value))
			return PTR_ERR(value);
		walk->value = value;
		walk->value_len = cmd->value_len;
	}
	return 0;
}

static int walk_check(const struct sup_registry *registry, const struct supervisor_select *cmd)
{
	u32 flags = cmd->flags;

	if (cmd->__reserved2 || (flags & SUPERVISOR_SELECT_F_KEY && !cmd->key_len) ||
	    (!cmd->key_len && cmd->key))
		return -EINVAL;
	if (!(flags & SUPERVISOR_SELECT_F_VALUE) && (cmd->value || cmd->value_len))
		return -EINVAL;
	if (flags & SUPERVISOR_SELECT_F_PID ? cmd->pid <= 0 : cmd->pid)
		return -EINVAL;
	if (flags & SUPERVISOR_SELECT_F_PARTITION ? cmd->partition >= registry->nr_partitions :
						    cmd->partition)
		return -EINVAL;
	return 0;
}

/* Where it begins, without regard to a cursor. */
static void walk_begin(struct walk *walk, const struct supervisor_select *cmd)
{
	struct sup_registry *registry = walk->registry;
	struct sup_partition *partition;
	u32 nr = registry->nr_partitions;

	if (walk->flags & SUPERVISOR_SELECT_F_KEY) {
		partition = key_partitions(registry, walk->name.hash, &nr);
		walk->partition = partition - registry->partitions;
		walk->hash = walk->name.hash;
	}
	walk->last_partition = walk->partition + nr - 1;
	if (walk->flags & SUPERVISOR_SELECT_F_PARTITION) {
		/* A key of another partition is not there. */
		walk->done = cmd->partition < walk->partition ||
			     cmd->partition > walk->last_partition;
		walk->partition = cmd->partition;
		walk->last_partition = cmd->partition;
	}
	if (walk->flags & SUPERVISOR_SELECT_F_PID) {
		walk->kind = WALK_PROCESS;
		walk->pid = find_get_pid(cmd->pid);
	} else if (walk->flags & SUPERVISOR_SELECT_F_KEY) {
		walk->kind = WALK_KEY;
	}
}

static int walk_resume(struct walk *walk, const u64 *cursor)
{
	if (!cursor[0])
		return cursor[1] || cursor[2] ? -EINVAL : 0;
	if (cursor[0] - 1 < walk->partition)
		return -EINVAL;
	if (cursor[0] - 1 > walk->last_partition) {
		walk->done = true;
		return 0;
	}
	walk->partition = cursor[0] - 1;
	walk->hash = cursor[1];
	walk->id = cursor[2];
	return 0;
}

static void walk_cursor(const struct walk *walk, u64 *cursor)
{
	cursor[0] = walk->partition + 1ULL;
	cursor[1] = walk->hash;
	cursor[2] = walk->id;
}

static void walk_free(struct walk *walk)
{
	sup_entry_put(walk->at);
	put_pid(walk->pid);
	kfree(walk->value);
	kfree(walk);
}

static struct walk *walk_alloc(struct sup_registry *registry, struct supervisor_select *cmd)
{
	struct walk *walk;
	int ret;

	ret = walk_check(registry, cmd);
	if (ret)
		return ERR_PTR(ret);
	walk = kzalloc(sizeof(*walk), GFP_KERNEL);
	if (!walk)
		return ERR_PTR(-ENOMEM);
	walk->registry = registry;
	walk->flags = cmd->flags;
	ret = walk_read(walk, cmd);
	if (!ret) {
		walk_begin(walk, cmd);
		return walk;
	}
	walk_free(walk);
	return ERR_PTR(ret);
}

/**
 * struct batch - entries that were found in one go
 * @nr: how many
 * @told: an entry, referenced, and the place of the walk behind it
 */
struct batch {
	u32 nr;
	struct {
		struct sup_entry *entry;
		pid_t pid;
		u32 partition;
		u64 cursor[3];
	} told[BATCH];
};

static void walk_batch(struct walk *walk, struct batch *batch)
{
	struct sup_entry *entry;

	batch->nr = 0;
	walk->looks = LOOKS;
	rcu_read_lock();
	while (batch->nr < BATCH && (entry = walk_next(walk))) {
		/* An update may have put another one in its place: that is told. */
		if (!refcount_inc_not_zero(&entry->refs)) {
			walk->id = entry->id - 1;
			continue;
		}
		batch->told[batch->nr].entry = entry;
		batch->told[batch->nr].pid = pid_vnr(entry->holder->pid);
		batch->told[batch->nr].partition =
			sup_entry_partition(walk->registry, entry->holder, entry->hash) -
			walk->registry->partitions;
		walk_cursor(walk, batch->told[batch->nr].cursor);
		batch->nr++;
	}
	rcu_read_unlock();
}

static int entry_tell(const struct sup_entry *entry, struct supervisor_registry_entry *record,
		      u8 __user *to)
{
	u32 key_len = record->key_len + 1, value_len = record->value_len + 1;
	u32 end = record->key_offset + key_len;

	if (copy_to_user(to, record, sizeof(*record)) ||
	    copy_to_user(to + record->key_offset, entry->key->bytes, key_len))
		return -EFAULT;
	if (record->value_offset) {
		if (copy_to_user(to + record->value_offset, entry->value, value_len))
			return -EFAULT;
		end = record->value_offset + value_len;
	}
	return clear_user(to + end, record->size - end) ? -EFAULT : 0;
}

/* Bytes written; -EMSGSIZE with cmd->buf_len set. */
static ssize_t batch_tell_one(const struct batch *batch, u32 i, struct supervisor_select *cmd,
			      u8 __user *to, size_t room)
{
	const struct sup_entry *entry = batch->told[i].entry;
	struct supervisor_registry_entry record = {
		.pid = batch->told[i].pid,
		.id = entry->id,
		.partition = batch->told[i].partition,
		.mailbox = !!entry->mailbox,
		.key_len = entry->key->len,
		.value_len = entry->value_len,
		.key_offset = sizeof(record),
	};
	size_t size = sizeof(record) + record.key_len + 1;
	int ret;

	if (!(cmd->flags & SUPERVISOR_SELECT_F_NO_VALUES)) {
		record.value_offset = size;
		size += record.value_len + 1;
	}
	record.size = ALIGN(size, 8);
	if (record.size > room) {
		cmd->buf_len = record.size;
		return -EMSGSIZE;
	}
	ret = entry_tell(entry, &record, to);
	return ret ?: (ssize_t)record.size;
}

/* Bytes written; all entries are let go of. */
static ssize_t batch_tell(struct batch *batch, struct supervisor_select *cmd, u8 __user *to,
			  size_t room)
{
	size_t done = 0;
	ssize_t ret = 0;
	u32 i;

	for (i = 0; i < batch->nr; i++) {
		if (ret >= 0)
			ret = batch_tell_one(batch, i, cmd, to + done, room - done);
		if (ret >= 0) {
			done += ret;
			cmd->out_count++;
			memcpy(cmd->cursor, batch->told[i].cursor, sizeof(cmd->cursor));
		}
		sup_entry_put(batch->told[i].entry);
	}
	return ret < 0 && (ret != -EMSGSIZE || !done) ? ret : (ssize_t)done;
}

static int select_walk(struct walk *walk, struct batch *batch, struct supervisor_select *cmd,
		       size_t room)
{
	u8 __user *to = u64_to_user_ptr(cmd->buf);
	size_t done = 0;
	ssize_t ret;
	u64 told;

	do {
		told = cmd->out_count;
		walk_batch(walk, batch);
		ret = batch_tell(batch, cmd, to + done, room - done);
		if (ret < 0)
			return ret == -EMSGSIZE && done ? done : ret;
		done += ret;
		/* Some of what was found had no room. */
		if (cmd->out_count - told < batch->nr || fatal_signal_pending(current))
			return done;
		cond_resched();
	} while (!walk->done);
	cmd->out_more = 0;
	return done;
}

/**
 * sup_registry_select - ioctl(SUPERVISOR_SELECT)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_select(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_select *cmd = ucmd->cmd;
	struct batch *batch;
	struct walk *walk;
	int ret;

	cmd->out_count = 0;
	cmd->out_more = 1;
	walk = walk_alloc(registry, cmd);
	if (IS_ERR(walk))
		return PTR_ERR(walk);
	batch = kmalloc(sizeof(*batch), GFP_KERNEL);
	ret = batch ? walk_resume(walk, cmd->cursor) : -ENOMEM;
	if (!ret)
		ret = select_walk(walk, batch, cmd, min_t(u32, cmd->buf_len, INT_MAX));
	if (ret >= 0) {
		cmd->buf_len = ret;
		ret = 0;
	}
	kfree(batch);
	walk_free(walk);
	return ret;
}

/* Some of the key's entries, in one section. */
static void walk_visit(struct walk *walk, struct sup_visitor *visitor)
{
	struct sup_entry *entry, *passed = NULL;
	struct sup_key *key;
	u32 looks = LOOKS;

	rcu_read_lock();
	key = sup_table_find(walk_partition(walk), &walk->name);
	entry = key ? key_after(walk, key) : NULL;
	if (!entry) {
		walk_leave_partition(walk);
	} else {
		list_for_each_entry_from_rcu(entry, &key->entries, of_key) {
			passed = entry;
			if (sup_holder_alive(entry->holder) && !visitor->visit(visitor, entry))
				break;
			if (!--looks)
				break;
		}
		walk->id = passed->id;
		walk_keep(walk, passed);
	}
	rcu_read_unlock();
}

/**
 * sup_registry_for_each - show each entry of a key to a visitor
 * @registry: where
 * @name: the key
 * @visitor: who
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sup_registry_for_each(struct sup_registry *registry, const struct sup_key_name *name,
			  struct sup_visitor *visitor)
{
	struct supervisor_select select = { .flags = SUPERVISOR_SELECT_F_KEY };
	struct walk *walk = kzalloc(sizeof(*walk), GFP_KERNEL);

	if (!walk)
		return -ENOMEM;
	walk->registry = registry;
	walk->flags = select.flags;
	walk->name = *name;
	walk_begin(walk, &select);
	while (!walk->done && !fatal_signal_pending(current)) {
		walk_visit(walk, visitor);
		visitor->pause(visitor);
		cond_resched();
	}
	walk_free(walk);
	return 0;
}

/*
 * Count.
 */

static u64 count_all(struct sup_registry *registry, u32 from, u32 to)
{
	u64 count = 0;

	for (; from <= to; from++) {
		struct sup_partition *partition = &registry->partitions[from];

		spin_lock(&partition->lock);
		count += partition->entries;
		spin_unlock(&partition->lock);
	}
	return count;
}

static u64 count_walk(struct walk *walk)
{
	u64 count = 0;

	while (!walk->done && !fatal_signal_pending(current)) {
		walk->looks = LOOKS;
		rcu_read_lock();
		while (walk_next(walk))
			count++;
		rcu_read_unlock();
		cond_resched();
	}
	return count;
}

/**
 * sup_registry_count - ioctl(SUPERVISOR_COUNT)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_count(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_select *cmd = ucmd->cmd;
	struct walk *walk;

	cmd->out_count = 0;
	cmd->out_more = 0;
	if (cmd->buf || cmd->buf_len || cmd->cursor[0] || cmd->cursor[1] || cmd->cursor[2])
		return -EINVAL;
	walk = walk_alloc(registry, cmd);
	if (IS_ERR(walk))
		return PTR_ERR(walk);
	if (walk->kind == WALK_ALL && !cmd->key_len && !walk->value) {
		sup_holders_flush();
		cmd->out_count = count_all(registry, walk->partition, walk->last_partition);
	} else {
		cmd->out_count = count_walk(walk);
	}
	walk_free(walk);
	return 0;
}
