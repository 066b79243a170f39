// SPDX-License-Identifier: GPL-2.0
/*
 * registry_entry - what changes entries: register, unregister, update, and the end
 * of a holder.
 *
 * An entry is linked and unlinked under the locks of its partition and of its holder,
 * in this order. It never changes: an update puts another one in its place.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "account.h"
#include "mailbox.h"
#include "registry.h"

/* Entries that are unlinked under one hold of a partition's lock. */
#define UNLINK_BATCH 32

/* Entries whose mailboxes are to be put, which may sleep. */
static LLIST_HEAD(reaped);
static void reap_work(struct work_struct *work);
static DECLARE_WORK(entries_reap_work, reap_work);

/**
 * sup_key_put - drop a reference
 * @key: a key that nobody can find any more, for a grace period, if it is the last
 *
 * Context: any.
 */
void sup_key_put(struct sup_key *key)
{
	if (refcount_dec_and_test(&key->refs))
		kfree(key);
}

static void entry_free(struct sup_entry *entry)
{
	sup_key_put(entry->key);
	kfree(entry);
}

static void reap_work(struct work_struct *work)
{
	struct sup_entry *entry, *next;

	llist_for_each_entry_safe(entry, next, llist_del_all(&reaped), reap_node) {
		sup_mailbox_put(entry->mailbox);
		entry_free(entry);
		cond_resched();
	}
}

static void entry_free_rcu(struct rcu_head *rcu)
{
	struct sup_entry *entry = container_of(rcu, struct sup_entry, rcu);

	if (!entry->mailbox)
		entry_free(entry);
	else if (llist_add(&entry->reap_node, &reaped))
		queue_work(sup_workqueue, &entries_reap_work);
}

/**
 * sup_entry_put - drop a reference
 * @entry: an entry, or NULL
 *
 * Context: any.
 */
void sup_entry_put(struct sup_entry *entry)
{
	if (entry && refcount_dec_and_test(&entry->refs))
		call_rcu(&entry->rcu, entry_free_rcu);
}

/**
 * sup_entry_discard - free an entry that was never linked
 * @entry: it
 *
 * Context: may sleep.
 */
void sup_entry_discard(struct sup_entry *entry)
{
	sup_mailbox_put(entry->mailbox);
	kfree(entry);
}

/**
 * sup_entry_partition - where an entry is, or would be
 * @registry: the registry
 * @holder: whose
 * @hash: of its key
 *
 * Context: any.
 * Return: the partition.
 */
struct sup_partition *sup_entry_partition(struct sup_registry *registry,
					  const struct sup_holder *holder, u64 hash)
{
	if (registry->keys == SUPERVISOR_KEYS_DUPLICATE)
		return &registry->partitions[holder->partition];
	/* By the lower half of the hash; the upper bits tell the bucket. */
	return &registry->partitions[reciprocal_scale((u32)hash, registry->nr_partitions)];
}

static struct sup_entry *of_holder(struct rb_node *node)
{
	return rb_entry_safe(node, struct sup_entry, of_holder);
}

static bool entry_is_before(const struct sup_entry *entry, u64 hash, u64 id)
{
	return entry->hash < hash || (entry->hash == hash && entry->id <= id);
}

/**
 * sup_entry_after_locked - the next entry of a holder
 * @holder: whose
 * @hash: of a key
 * @id: of an entry of that key; 0 is before all of them
 *
 * Context: holds H.
 * Return: the first one after that, by hash and id, or NULL.
 */
struct sup_entry *sup_entry_after_locked(const struct sup_holder *holder, u64 hash, u64 id)
{
	struct rb_node *node = holder->entries.rb_node;
	struct sup_entry *entry, *after = NULL;

	lockdep_assert_held(&holder->lock);
	while (node) {
		entry = of_holder(node);
		if (entry_is_before(entry, hash, id)) {
			node = node->rb_right;
		} else {
			after = entry;
			node = node->rb_left;
		}
	}
	return after;
}

static void holder_link(struct sup_holder *holder, struct sup_entry *entry)
{
	struct rb_node **at = &holder->entries.rb_node, *parent = NULL;

	spin_lock(&holder->lock);
	while (*at) {
		parent = *at;
		at = entry_is_before(of_holder(parent), entry->hash, entry->id) ?
			     &parent->rb_right : &parent->rb_left;
	}
	rb_link_node(&entry->of_holder, parent, at);
	rb_insert_color(&entry->of_holder, &holder->entries);
	WRITE_ONCE(holder->nr, holder->nr + 1);
	spin_unlock(&holder->lock);
}

static void holder_unlink(struct sup_holder *holder, struct sup_entry *entry)
{
	spin_lock(&holder->lock);
	rb_erase(&entry->of_holder, &holder->entries);
	WRITE_ONCE(holder->nr, holder->nr - 1);
	spin_unlock(&holder->lock);
}

static void holder_replace(struct sup_holder *holder, struct sup_entry *old, struct sup_entry *new)
{
	spin_lock(&holder->lock);
	rb_replace_node(&old->of_holder, &new->of_holder, &holder->entries);
	spin_unlock(&holder->lock);
}

static struct sup_entry *key_first_locked(const struct sup_partition *partition,
					  struct sup_key *key)
{
	lockdep_assert_held(&partition->lock);
	return list_first_entry_or_null(&key->entries, struct sup_entry, of_key);
}

static u32 entry_bytes(const struct sup_entry *entry)
{
	return entry->key->len + entry->value_len;
}

/**
 * sup_entry_uncharge - take back what sup_entry_charge() did
 * @account: who has paid
 * @bytes: as there
 *
 * Context: any.
 */
void sup_entry_uncharge(struct sup_account *account, u32 bytes)
{
	sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, bytes);
	sup_account_uncharge(account, SUPERVISOR_LIMIT_ENTRIES, 1);
}

/*
 * The caller drops the reference that the links had. When the holder has it no more,
 * nothing keeps the holder.
 */
static void entry_unlink_locked(struct sup_partition *partition, struct sup_entry *entry)
{
	struct sup_key *key = entry->key;

	lockdep_assert_held(&partition->lock);
	if (entry->holder->map_owner)
		sup_map_hide(entry);
	WRITE_ONCE(entry->linked, false);
	list_del_rcu(&entry->of_key);
	partition->entries--;
	if (list_empty(&key->entries) && !key->pins) {
		sup_table_remove_locked(partition, key);
		/* The entry still has one. */
		refcount_dec(&key->refs);
	}
	if (!entry->prepaid)
		sup_entry_uncharge(entry->holder->account, entry_bytes(entry));
	holder_unlink(entry->holder, entry);
}

/* Likewise, because its process is dead. */
static void entry_died_locked(struct sup_partition *partition, struct sup_entry *entry)
{
	struct sup_registry *registry = entry->holder->registry;

	if (sup_registry_has_listeners(registry))
		sup_listeners_tell_entry(registry, partition, entry, SUPERVISOR_REGISTRY_DIED);
	entry_unlink_locked(partition, entry);
}

/**
 * sup_entry_charge - have somebody pay for an entry
 * @account: who
 * @bytes: of its key and value
 * @limit: set to SUPERVISOR_LIMIT_*: with -EDQUOT, which one
 *
 * Context: any.
 * Return: 0 or -EDQUOT.
 */
int sup_entry_charge(struct sup_account *account, u32 bytes, u32 *limit)
{
	*limit = SUPERVISOR_LIMIT_ENTRIES;
	if (sup_account_charge(account, SUPERVISOR_LIMIT_ENTRIES, 1))
		return -EDQUOT;
	*limit = SUPERVISOR_LIMIT_BYTES;
	if (sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, bytes)) {
		sup_account_uncharge(account, SUPERVISOR_LIMIT_ENTRIES, 1);
		return -EDQUOT;
	}
	*limit = SUPERVISOR_LIMIT_NONE;
	return 0;
}

/*
 * Register.
 */

/**
 * sup_entry_alloc - make an entry
 * @value_len: bytes of its value, which is the caller's to fill in
 *
 * Context: may sleep.
 * Return: it, with a reference, as if linked; NULL when there is no memory.
 */
struct sup_entry *sup_entry_alloc(u32 value_len)
{
	struct sup_entry *entry = kmalloc(struct_size(entry, value, value_len + 1),
					  GFP_KERNEL_ACCOUNT);

	if (!entry)
		return NULL;
	entry->value[value_len] = 0;
	entry->value_len = value_len;
	entry->linked = true;
	entry->prepaid = false;
	entry->mailbox = NULL;
	refcount_set(&entry->refs, 1);
	return entry;
}

static struct sup_entry *entry_read(u64 uptr, u32 len)
{
	struct sup_entry *entry = sup_entry_alloc(len);

	if (!entry)
		return ERR_PTR(-ENOMEM);
	if (!copy_from_user(entry->value, u64_to_user_ptr(uptr), len))
		return entry;
	kfree(entry);
	return ERR_PTR(-EFAULT);
}

/**
 * sup_key_alloc - make a key that is in no table
 * @name: it
 *
 * Context: may sleep.
 * Return: it, with the reference of the table that it is for; NULL when there is no
 *	memory.
 */
struct sup_key *sup_key_alloc(const struct sup_key_name *name)
{
	struct sup_key *key = kmalloc(struct_size(key, bytes, name->len + 1), GFP_KERNEL_ACCOUNT);

	if (!key)
		return NULL;
	key->hash = name->hash;
	key->len = name->len;
	memcpy(key->bytes, name->bytes, name->len);
	key->bytes[name->len] = 0;
	key->pins = 0;
	key->reserved = false;
	INIT_LIST_HEAD(&key->entries);
	refcount_set(&key->refs, 1);
	return key;
}

static void key_add_entry_locked(struct sup_partition *partition, struct sup_key *key,
				 struct sup_entry *entry)
{
	lockdep_assert_held(&partition->lock);
	refcount_inc(&key->refs);
	entry->key = key;
	list_add_tail_rcu(&entry->of_key, &key->entries);
	partition->entries++;
	holder_link(entry->holder, entry);
}

/**
 * sup_key_vacate_locked - see that nobody has a unique key
 * @partition: where
 * @key: it; gone afterwards, if nothing pins it and it was a dead process's
 * @pid: with -EEXIST, set to who has it, no reference; NULL when it is kept for a
 *	child that is being started
 *
 * The dead do not keep a name.
 *
 * Context: holds R.
 * Return: 0 or -EEXIST.
 */
int sup_key_vacate_locked(struct sup_partition *partition, struct sup_key *key, struct pid **pid)
{
	struct sup_entry *entry = key_first_locked(partition, key);

	*pid = NULL;
	if (key->reserved)
		return -EEXIST;
	if (!entry)
		return 0;
	if (sup_holder_alive(entry->holder)) {
		*pid = entry->holder->pid;
		return -EEXIST;
	}
	entry_died_locked(partition, entry);
	sup_entry_put(entry);
	return 0;
}

static int register_vacate_locked(struct sup_partition *partition, struct sup_key *key,
				  struct sup_registration *reg)
{
	struct pid *pid;
	int ret;

	if (reg->reserved) {
		WRITE_ONCE(key->reserved, false);
		return 0;
	}
	ret = sup_key_vacate_locked(partition, key, &pid);
	reg->holder_pid = pid_vnr(pid);
	return ret;
}

/**
 * sup_register_locked - register an entry
 * @partition: where it is to be
 * @reg: it
 *
 * Context: holds R.
 * Return: 0; -EEXIST; -EAGAIN when memory for a key is wanted and there is none.
 */
int sup_register_locked(struct sup_partition *partition, struct sup_registration *reg)
{
	struct sup_key *key = sup_table_find(partition, reg->name);
	bool pinned = key && key->pins;
	int ret;

	lockdep_assert_held(&partition->lock);
	if (key && reg->registry->keys == SUPERVISOR_KEYS_UNIQUE) {
		ret = register_vacate_locked(partition, key, reg);
		if (ret)
			return ret;
		/* It went with its only entry. */
		if (!pinned)
			key = NULL;
	}
	if (!key) {
		key = reg->key;
		if (!key)
			return -EAGAIN;
		reg->key = NULL;
		sup_table_add_locked(partition, key);
	}
	/* In the order of ids, also when two do this at once. */
	reg->id = atomic64_inc_return(&reg->registry->last_id);
	reg->entry->id = reg->id;
	key_add_entry_locked(partition, key, reg->entry);
	if (reg->registry->map)
		sup_map_show(reg->entry);
	if (sup_registry_has_listeners(reg->registry))
		sup_listeners_tell_entry(reg->registry, partition, reg->entry,
					 SUPERVISOR_REGISTRY_REGISTERED);
	return 0;
}

/* Without the lock: is a key wanted, or is it all in vain? */
static int register_look(const struct sup_partition *partition, struct sup_registration *reg)
{
	const struct sup_entry *other;
	struct sup_key *key;
	int ret = 0;

	rcu_read_lock();
	key = sup_table_find(partition, reg->name);
	if (!key) {
		ret = -EAGAIN;
	} else if (reg->registry->keys == SUPERVISOR_KEYS_UNIQUE) {
		ret = READ_ONCE(key->reserved) ? -EEXIST : -EAGAIN;
		other = list_first_or_null_rcu(&key->entries, struct sup_entry, of_key);
		if (other && sup_holder_alive(other->holder)) {
			reg->holder_pid = pid_vnr(other->holder->pid);
			ret = -EEXIST;
		}
	}
	rcu_read_unlock();
	return ret;
}

/* After register_look(), which returned @ret. */
static int register_link(struct sup_partition *partition, struct sup_registration *reg, int ret)
{
	do {
		if (ret == -EAGAIN) {
			reg->key = sup_key_alloc(reg->name);
			if (!reg->key)
				return -ENOMEM;
		}
		spin_lock(&partition->lock);
		ret = sup_register_locked(partition, reg);
		spin_unlock(&partition->lock);
	} while (ret == -EAGAIN);
	kfree(reg->key);
	return ret;
}

static int register_entry(struct sup_partition *partition, struct sup_registration *reg)
{
	int ret = register_look(partition, reg);
	bool map = reg->registry->map;

	if (ret && ret != -EAGAIN)
		return ret;
	if (map && sup_map_reserve(reg->entry, reg->name))
		return -ENOSPC;
	ret = register_link(partition, reg, ret);
	if (ret && map)
		sup_map_cancel(reg->entry);
	return ret;
}

static struct sup_mailbox *entry_mailbox(s32 fd)
{
	return fd == -1 ? NULL : sup_mailbox_fdget_write(fd);
}

static int register_charged(struct sup_registration *reg, struct supervisor_register *cmd,
			    struct sup_holder *holder)
{
	struct sup_partition *partition = sup_entry_partition(reg->registry, holder,
							      reg->name->hash);
	struct sup_mailbox *mailbox;
	int ret;

	reg->entry = entry_read(cmd->value, cmd->value_len);
	if (IS_ERR(reg->entry))
		return PTR_ERR(reg->entry);
	mailbox = entry_mailbox(cmd->mailbox_fd);
	ret = PTR_ERR_OR_ZERO(mailbox);
	if (!ret) {
		reg->entry->hash = reg->name->hash;
		reg->entry->holder = holder;
		reg->entry->mailbox = mailbox;
		ret = register_entry(partition, reg);
		if (!ret)
			return 0;
	}
	sup_entry_discard(reg->entry);
	return ret;
}

/**
 * sup_registry_register - ioctl(SUPERVISOR_REGISTER)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_register(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_register *cmd = ucmd->cmd;
	struct sup_key_name name;
	struct sup_registration reg = { .registry = registry, .name = &name };
	struct sup_holder *holder;
	u32 bytes;
	int ret;

	cmd->out_pid = 0;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_id = 0;
	ret = sup_registry_read_key(registry, &name, cmd->key, cmd->key_len, &cmd->out_max);
	if (!ret)
		ret = sup_registry_check_value(cmd->value_len, &cmd->out_max);
	if (ret)
		return ret;
	holder = sup_holder_make(registry);
	if (!holder)
		return -ENOMEM;
	bytes = name.len + cmd->value_len;
	ret = sup_entry_charge(holder->account, bytes, &cmd->out_limit);
	if (ret)
		return ret;
	ret = register_charged(&reg, cmd, holder);
	if (ret)
		sup_entry_uncharge(holder->account, bytes);
	else
		cmd->out_id = reg.id;
	if (ret == -ENOSPC)
		cmd->out_limit = SUPERVISOR_LIMIT_MAP_SLOTS;
	cmd->out_pid = reg.holder_pid;
	return ret;
}

/*
 * Unregister.
 */

/**
 * struct removal - entries of the caller that are being taken away
 * @registry: where
 * @name: their key
 * @match: only those of @value
 * @value_len: bytes of @value
 * @value: from user space
 * @after: the id of the last one that was looked at
 * @nr: how many in @entries
 * @entries: those that were unlinked
 */
struct removal {
	struct sup_registry *registry;
	const struct sup_key_name *name;
	bool match;
	u32 value_len;
	void *value;
	u64 after;
	u32 nr;
	struct sup_entry *entries[UNLINK_BATCH];
};

static struct sup_entry *own_after(struct sup_holder *holder, const struct sup_key *key, u64 id)
{
	struct sup_entry *entry;

	spin_lock(&holder->lock);
	do {
		entry = sup_entry_after_locked(holder, key->hash, id);
		if (!entry || entry->hash != key->hash)
			entry = NULL;
		else
			id = entry->id;
	} while (entry && entry->key != key);
	spin_unlock(&holder->lock);
	return entry;
}

static bool value_is(const struct sup_entry *entry, const void *value, u32 len)
{
	return entry->value_len == len && !memcmp(entry->value, value, len);
}

/* Some of them; false when that was all. */
static bool remove_some_locked(struct sup_partition *partition, struct sup_holder *holder,
			       const struct sup_key *key, struct removal *removal)
{
	u32 looks = UNLINK_BATCH;
	struct sup_entry *entry;

	lockdep_assert_held(&partition->lock);
	for (; looks; looks--) {
		entry = own_after(holder, key, removal->after);
		if (!entry)
			return false;
		removal->after = entry->id;
		if (removal->match && !value_is(entry, removal->value, removal->value_len))
			continue;
		entry_unlink_locked(partition, entry);
		removal->entries[removal->nr++] = entry;
		if (list_empty(&key->entries))
			return false;
	}
	return true;
}

/*
 * An unregister is told when it has done what it can; one for a value, only if the
 * caller has no entry of the key left.
 */
static void remove_tell_locked(struct sup_partition *partition, struct sup_holder *holder,
			       const struct removal *removal)
{
	const struct sup_key *key;

	lockdep_assert_held(&partition->lock);
	if (!sup_registry_has_listeners(removal->registry))
		return;
	key = removal->match && holder ? sup_table_find(partition, removal->name) : NULL;
	if (!key || !own_after(holder, key, 0))
		sup_listeners_tell_unregister(removal->registry, partition, removal->name);
}

static bool remove_some(struct sup_partition *partition, struct sup_holder *holder,
			struct removal *removal)
{
	struct sup_key *key;
	bool more = false;

	removal->nr = 0;
	spin_lock(&partition->lock);
	key = holder ? sup_table_find(partition, removal->name) : NULL;
	if (key)
		more = remove_some_locked(partition, holder, key, removal);
	if (!more)
		remove_tell_locked(partition, holder, removal);
	spin_unlock(&partition->lock);
	return more;
}

/* Where the caller's entries of the key are, or would be if it had a holder. */
static struct sup_partition *removal_partition(const struct removal *removal,
					       const struct sup_holder *holder)
{
	struct sup_registry *registry = removal->registry;

	if (!holder && registry->keys == SUPERVISOR_KEYS_DUPLICATE)
		return registry->partitions;
	return sup_entry_partition(registry, holder, removal->name->hash);
}

static u32 remove_all(struct sup_holder *holder, struct removal *removal)
{
	struct sup_partition *partition = removal_partition(removal, holder);
	u32 count = 0, i;
	bool more;

	do {
		more = remove_some(partition, holder, removal);
		for (i = 0; i < removal->nr; i++)
			sup_entry_put(removal->entries[i]);
		count += removal->nr;
		cond_resched();
	} while (more);
	return count;
}

static int unregister_check(struct supervisor_unregister *cmd)
{
	if (cmd->flags & SUPERVISOR_UNREGISTER_F_VALUE)
		return sup_registry_check_value(cmd->value_len, &cmd->out_max);
	return cmd->value || cmd->value_len ? -EINVAL : 0;
}

/**
 * sup_registry_unregister - ioctl(SUPERVISOR_UNREGISTER)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_unregister(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_unregister *cmd = ucmd->cmd;
	struct removal removal = {
		.registry = registry,
		.match = cmd->flags & SUPERVISOR_UNREGISTER_F_VALUE,
	};
	struct sup_key_name name;
	struct sup_holder *holder;
	int ret;

	cmd->out_count = 0;
	ret = sup_registry_read_key(registry, &name, cmd->key, cmd->key_len, &cmd->out_max);
	if (!ret)
		ret = unregister_check(cmd);
	if (ret)
		return ret;
	removal.name = &name;
	if (removal.match) {
		removal.value_len = cmd->value_len;
		removal.value = memdup_user(u64_to_user_ptr(cmd->value), cmd->value_len);
		if (IS_ERR(removal.value))
			return PTR_ERR(removal.value);
	}
	holder = sup_holder_current(registry);
	cmd->out_count = remove_all(holder, &removal);
	if (removal.match)
		kfree(removal.value);
	else if (!cmd->out_count)
		ret = sup_registry_has(registry, &name) ? -EPERM : -ENOENT;
	return ret;
}

/*
 * Update.
 */

/**
 * struct update - an entry that takes the place of another one
 * @name: the key
 * @holder: the caller's, or NULL
 * @entry: the new one
 * @old: the old one, when it was replaced
 * @set_mailbox: the new one has its own mailbox, or none
 * @compare: only if the value is @expected
 * @expected_len: bytes of @expected
 * @expected: from user space
 * @limit: with -EDQUOT, SUPERVISOR_LIMIT_*
 */
struct update {
	const struct sup_key_name *name;
	struct sup_holder *holder;
	struct sup_entry *entry;
	struct sup_entry *old;
	bool set_mailbox;
	bool compare;
	u32 expected_len;
	void *expected;
	u32 limit;
};

static int update_locked(struct sup_partition *partition, struct update *update)
{
	struct sup_key *key = sup_table_find(partition, update->name);
	struct sup_entry *old, *new = update->entry;

	lockdep_assert_held(&partition->lock);
	old = key ? key_first_locked(partition, key) : NULL;
	if (!old || !sup_holder_alive(old->holder))
		return -ENOENT;
	if (old->holder != update->holder)
		return -EPERM;
	if (update->compare && !value_is(old, update->expected, update->expected_len))
		return -ESTALE;
	/* From now on it is like any other: the spec's is for the next incarnation. */
	if (old->prepaid && sup_entry_charge(old->holder->account, key->len, &update->limit))
		return -EDQUOT;

	new->hash = old->hash;
	new->holder = old->holder;
	new->key = key;
	new->id = old->id;
	if (!update->set_mailbox && old->mailbox) {
		new->mailbox = old->mailbox;
		sup_object_get(&new->mailbox->object);
	}
	refcount_inc(&key->refs);
	list_replace_rcu(&old->of_key, &new->of_key);
	holder_replace(old->holder, old, new);
	if (new->holder->map_owner)
		sup_map_replace(old, new);
	WRITE_ONCE(old->linked, false);
	update->old = old;
	return 0;
}

static int update_entry(struct sup_registry *registry, struct update *update)
{
	struct sup_partition *partition = sup_entry_partition(registry, NULL, update->name->hash);
	int ret;

	spin_lock(&partition->lock);
	ret = update_locked(partition, update);
	spin_unlock(&partition->lock);
	if (ret)
		return ret;
	if (!update->old->prepaid)
		sup_account_uncharge(update->holder->account, SUPERVISOR_LIMIT_BYTES,
				     update->old->value_len);
	sup_entry_put(update->old);
	return 0;
}

/* The new value is charged before it replaces the old one. */
static int update_charged(struct sup_registry *registry, struct update *update,
			  struct supervisor_update *cmd)
{
	struct sup_account *account = update->holder ? update->holder->account : NULL;
	int ret;

	update->limit = SUPERVISOR_LIMIT_BYTES;
	ret = sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, cmd->value_len);
	if (!ret) {
		ret = update_entry(registry, update);
		if (ret)
			sup_account_uncharge(account, SUPERVISOR_LIMIT_BYTES, cmd->value_len);
	}
	if (ret == -EDQUOT)
		cmd->out_limit = update->limit;
	return ret;
}

static int update_check(const struct sup_registry *registry, struct supervisor_update *cmd)
{
	bool compare = cmd->flags & SUPERVISOR_UPDATE_F_COMPARE;

	if (registry->keys != SUPERVISOR_KEYS_UNIQUE || (!compare && (cmd->old || cmd->old_len)) ||
	    (!(cmd->flags & SUPERVISOR_UPDATE_F_MAILBOX) && cmd->mailbox_fd != -1))
		return -EINVAL;
	return sup_registry_check_value(max(cmd->value_len, cmd->old_len), &cmd->out_max);
}

/* What the caller gives for it; to be freed whatever this returns. */
static int update_read(struct update *update, const struct supervisor_update *cmd)
{
	struct sup_mailbox *mailbox;
	struct sup_entry *entry;
	void *expected;

	if (update->compare) {
		expected = memdup_user(u64_to_user_ptr(cmd->old), cmd->old_len);
		if (IS_ERR(expected))
			return PTR_ERR(expected);
		update->expected = expected;
	}
	entry = entry_read(cmd->value, cmd->value_len);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	update->entry = entry;
	mailbox = entry_mailbox(cmd->mailbox_fd);
	if (IS_ERR(mailbox))
		return PTR_ERR(mailbox);
	entry->mailbox = mailbox;
	return 0;
}

/**
 * sup_registry_update - ioctl(SUPERVISOR_UPDATE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_update(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_update *cmd = ucmd->cmd;
	struct update update = {
		.set_mailbox = cmd->flags & SUPERVISOR_UPDATE_F_MAILBOX,
		.compare = cmd->flags & SUPERVISOR_UPDATE_F_COMPARE,
		.expected_len = cmd->old_len,
	};
	struct sup_key_name name;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	ret = sup_registry_read_key(registry, &name, cmd->key, cmd->key_len, &cmd->out_max);
	if (!ret)
		ret = update_check(registry, cmd);
	if (ret)
		return ret;
	update.name = &name;
	update.holder = sup_holder_current(registry);
	ret = update_read(&update, cmd);
	if (!ret)
		ret = update_charged(registry, &update, cmd);
	kfree(update.expected);
	if (ret && update.entry)
		sup_entry_discard(update.entry);
	return ret;
}

/*
 * The end of a holder.
 */

/*
 * What is next in a holder, and where it is: only the lock of that partition keeps it,
 * for who wants its name may be faster than we.
 */
static struct sup_entry *holder_first(struct sup_holder *holder, struct sup_partition **partition)
{
	struct sup_entry *entry;

	spin_lock(&holder->lock);
	entry = of_holder(rb_first(&holder->entries));
	*partition = entry ? sup_entry_partition(holder->registry, holder, entry->hash) : NULL;
	spin_unlock(&holder->lock);
	return entry;
}

static void unlink_some(struct sup_partition *partition, struct sup_holder *holder)
{
	struct sup_partition *of_next;
	struct sup_entry *entry;
	u32 left = UNLINK_BATCH;

	spin_lock(&partition->lock);
	for (; left; left--) {
		entry = holder_first(holder, &of_next);
		if (of_next != partition)
			break;
		/* Where the registry is closed, nobody listens. */
		entry_died_locked(partition, entry);
		sup_entry_put(entry);
	}
	spin_unlock(&partition->lock);
}

/**
 * sup_entries_unlink_all - take away all of a holder's entries
 * @holder: its process is dead, or its registry closed: it gets no more
 *
 * Context: may sleep.
 */
void sup_entries_unlink_all(struct sup_holder *holder)
{
	struct sup_partition *partition;

	while (holder_first(holder, &partition)) {
		unlink_some(partition, holder);
		cond_resched();
	}
}

/**
 * sup_entries_exit - wait until the last entry is freed
 *
 * Context: module exit; there are no registries any more.
 */
void sup_entries_exit(void)
{
	rcu_barrier();
	flush_work(&entries_reap_work);
}
