// SPDX-License-Identifier: GPL-2.0
/*
 * registry_reserve - keys that are kept for supervisors' children.
 *
 * A child's spec may name a key. Each start of the child takes it before anybody is
 * asked to start it; the process that attaches gets it; a start that comes to nothing
 * gives it back. While it is taken, who looks for the key finds nobody, and who wants
 * to register it is refused. From the process's death to the next start it is anybody's,
 * as in OTP, where the new process registers by itself.
 *
 * The spec keeps the registry, has paid for the entry, and keeps a unique key in its
 * table, with entries or without: so a start wants no memory. Duplicate keys are always
 * to be had: they are the process's business alone.
 *
 * A dynamic supervisor's template keeps its key in the same way, and never takes it: each
 * child that is made from it has a copy.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/file.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "account.h"
#include "registry.h"

/**
 * struct sup_reservation - the key of a child
 * @registry: const, with a file counted for this
 * @account: const, referenced: who has paid
 * @key: const: of a registry of unique keys: in its table; otherwise NULL
 * @taken: R, if @key: it is reserved for this
 * @name: const: the key
 * @rcu: after a grace period, @key may be freed
 * @work: lets go of the registry, which may sleep
 * @value_len: const
 * @value: const
 *
 * Lifetime: its child's.
 * Locking: its user lets one context in at a time, but for sup_reservation_prepare().
 */
struct sup_reservation {
	struct sup_registry *registry;
	struct sup_account *account;
	struct sup_key *key;
	bool taken;
	struct sup_key_name name;
	union {
		struct rcu_head rcu;
		struct work_struct work;
	};
	u32 value_len;
	u8 value[];
};

static struct sup_partition *reservation_partition(const struct sup_reservation *reservation)
{
	return sup_entry_partition(reservation->registry, NULL, reservation->name.hash);
}

static u32 reservation_bytes(const struct sup_reservation *reservation)
{
	return reservation->name.len + reservation->value_len;
}

static void reservation_work(struct work_struct *work)
{
	struct sup_reservation *reservation = container_of(work, struct sup_reservation, work);

	sup_object_forget(&reservation->registry->object);
	kfree(reservation);
}

static void reservation_free_rcu(struct rcu_head *rcu)
{
	struct sup_reservation *reservation = container_of(rcu, struct sup_reservation, rcu);

	if (reservation->key)
		sup_key_put(reservation->key);
	INIT_WORK(&reservation->work, reservation_work);
	queue_work(sup_workqueue, &reservation->work);
}

/* The registry of a file, with a file counted. */
static struct sup_registry *registry_fdget(s32 fd)
{
	struct file *file = sup_object_fget(fd, SUP_KIND_REGISTRY);
	struct sup_object *object;

	if (IS_ERR(file))
		return ERR_CAST(file);
	object = sup_file_object(file);
	if (file->f_mode & FMODE_WRITE)
		sup_object_remember(object);
	else
		object = ERR_PTR(-EBADF);
	fput(file);
	return IS_ERR(object) ? ERR_CAST(object) : sup_object_registry(object);
}

/* Memory for one, which has the registry's counted file from now on; or NULL. */
static struct sup_reservation *reservation_alloc(struct sup_registry *registry,
						 struct sup_account *account, u32 value_len)
{
	struct sup_reservation *reservation;

	reservation = kzalloc(struct_size(reservation, value, value_len), GFP_KERNEL_ACCOUNT);
	if (!reservation) {
		sup_object_forget(&registry->object);
		return NULL;
	}
	reservation->registry = registry;
	reservation->account = sup_account_get(account);
	reservation->value_len = value_len;
	return reservation;
}

/* One that was never paid for. */
static void reservation_discard(struct sup_reservation *reservation)
{
	sup_object_forget(&reservation->registry->object);
	sup_account_put(reservation->account);
	kfree(reservation);
}

static int reservation_read(struct sup_reservation *reservation,
			    const struct supervisor_child_spec *spec, u32 *max)
{
	int ret;

	ret = sup_registry_read_key(reservation->registry, &reservation->name, spec->register_key,
				    spec->register_key_len, max);
	if (!ret && copy_from_user(reservation->value, u64_to_user_ptr(spec->register_value),
				   spec->register_value_len))
		ret = -EFAULT;
	return ret;
}

/* Put a unique key into its table, if it is not there, to stay. */
static int reservation_pin(struct sup_reservation *reservation)
{
	struct sup_partition *partition = reservation_partition(reservation);
	struct sup_key *key, *new;

	new = sup_key_alloc(&reservation->name);
	if (!new)
		return -ENOMEM;
	spin_lock(&partition->lock);
	key = sup_table_find(partition, &reservation->name);
	if (!key) {
		key = new;
		new = NULL;
		sup_table_add_locked(partition, key);
	}
	key->pins++;
	spin_unlock(&partition->lock);
	kfree(new);
	reservation->key = key;
	return 0;
}

/* Paid for and pinned, or nothing of it. */
static int reservation_make(struct sup_reservation *reservation, u32 *limit)
{
	int ret;

	ret = sup_entry_charge(reservation->account, reservation_bytes(reservation), limit);
	if (ret || reservation->registry->keys != SUPERVISOR_KEYS_UNIQUE)
		return ret;
	ret = reservation_pin(reservation);
	if (ret)
		sup_entry_uncharge(reservation->account, reservation_bytes(reservation));
	return ret;
}

/**
 * sup_reservation_new - make what keeps a key for a child
 * @spec: the child's, which says that it is to be registered, and where
 * @account: who pays
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 * @max: with -EMSGSIZE: the bytes that the key or the value may have
 *
 * Context: process; may sleep.
 * Return: it; -EBADF, -EBADFD, -EDQUOT, -EFAULT, -EINVAL, -EMSGSIZE, -ENOMEM.
 */
struct sup_reservation *sup_reservation_new(const struct supervisor_child_spec *spec,
					    struct sup_account *account, u32 *limit, u32 *max)
{
	struct sup_reservation *reservation;
	struct sup_registry *registry;
	int ret;

	ret = sup_registry_check_value(spec->register_value_len, max);
	if (ret)
		return ERR_PTR(ret);
	registry = registry_fdget(spec->registry_fd);
	if (IS_ERR(registry))
		return ERR_CAST(registry);
	reservation = reservation_alloc(registry, account, spec->register_value_len);
	if (!reservation)
		return ERR_PTR(-ENOMEM);
	ret = reservation_read(reservation, spec, max);
	if (!ret)
		ret = reservation_make(reservation, limit);
	if (!ret)
		return reservation;

	reservation_discard(reservation);
	return ERR_PTR(ret);
}

/**
 * sup_reservation_copy - make what keeps the same key for another child
 * @from: a template's
 * @account: who pays
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * Context: process; may sleep.
 * Return: it; -EDQUOT, -ENOMEM.
 */
struct sup_reservation *sup_reservation_copy(const struct sup_reservation *from,
					     struct sup_account *account, u32 *limit)
{
	struct sup_reservation *reservation;
	int ret;

	sup_object_remember(&from->registry->object);
	reservation = reservation_alloc(from->registry, account, from->value_len);
	if (!reservation)
		return ERR_PTR(-ENOMEM);
	reservation->name = from->name;
	memcpy(reservation->value, from->value, from->value_len);
	ret = reservation_make(reservation, limit);
	if (!ret)
		return reservation;

	reservation_discard(reservation);
	return ERR_PTR(ret);
}

/**
 * sup_reservation_free - the child is gone
 * @reservation: its; or NULL
 *
 * Context: process. The registry is let go of by a work item: its end may want locks
 *	that come before the caller's.
 */
void sup_reservation_free(struct sup_reservation *reservation)
{
	struct sup_partition *partition;
	struct sup_key *key;

	if (!reservation)
		return;
	sup_reservation_give_back(reservation);
	key = reservation->key;
	if (key) {
		partition = reservation_partition(reservation);
		spin_lock(&partition->lock);
		if (--key->pins || !list_empty(&key->entries))
			reservation->key = NULL;
		else
			sup_table_remove_locked(partition, key);
		spin_unlock(&partition->lock);
	}
	sup_entry_uncharge(reservation->account, reservation_bytes(reservation));
	sup_account_put(reservation->account);
	call_rcu(&reservation->rcu, reservation_free_rcu);
}

/**
 * sup_reservation_take - a start begins: take the key
 * @reservation: the child's; it is not taken
 * @holder: with -EEXIST, set to who has it, referenced; NULL when it is kept for
 *	another child
 *
 * Context: process; takes R.
 * Return: 0 or -EEXIST.
 */
int sup_reservation_take(struct sup_reservation *reservation, struct pid **holder)
{
	struct sup_partition *partition;
	struct sup_key *key = reservation->key;
	struct pid *pid;
	int ret;

	*holder = NULL;
	if (!key)
		return 0;
	partition = reservation_partition(reservation);
	spin_lock(&partition->lock);
	ret = sup_key_vacate_locked(partition, key, &pid);
	if (ret) {
		*holder = get_pid(pid);
	} else {
		WRITE_ONCE(key->reserved, true);
		reservation->taken = true;
	}
	spin_unlock(&partition->lock);
	return ret;
}

/**
 * sup_reservation_give_back - the start came to nothing: anybody may have the key
 * @reservation: the child's, or NULL; nothing is done if it is not taken
 *
 * Context: process; takes R.
 */
void sup_reservation_give_back(struct sup_reservation *reservation)
{
	struct sup_partition *partition;

	if (!reservation || !reservation->taken)
		return;
	partition = reservation_partition(reservation);
	spin_lock(&partition->lock);
	WRITE_ONCE(reservation->key->reserved, false);
	reservation->taken = false;
	spin_unlock(&partition->lock);
}

/**
 * sup_reservation_prepare - see to it that the calling process can have the key
 * @reservation: the child's that it is going to be
 * @reg: zeroed; set to what sup_reservation_claim() wants, or
 *	sup_reservation_unprepare()
 *
 * Context: process; may sleep.
 * Return: 0; -ENOMEM; -ENOSPC when the registry's mapping is full.
 */
int sup_reservation_prepare(struct sup_reservation *reservation, struct sup_registration *reg)
{
	struct sup_holder *holder = sup_holder_make(reservation->registry);
	struct sup_entry *entry;

	if (!holder)
		return -ENOMEM;
	entry = sup_entry_alloc(reservation->value_len);
	if (!entry)
		return -ENOMEM;
	reg->registry = reservation->registry;
	reg->name = &reservation->name;
	reg->entry = entry;
	reg->reserved = reservation->key;
	if (!reg->reserved) {
		reg->key = sup_key_alloc(reg->name);
		if (!reg->key) {
			sup_reservation_unprepare(reg);
			return -ENOMEM;
		}
	}
	memcpy(entry->value, reservation->value, reservation->value_len);
	entry->hash = reservation->name.hash;
	entry->holder = holder;
	entry->prepaid = true;
	if (!reg->registry->map || !sup_map_reserve(entry, reg->name))
		return 0;
	sup_entry_discard(entry);
	*reg = (struct sup_registration){};
	return -ENOSPC;
}

/**
 * sup_reservation_claim - the calling process is the child: the key is its own
 * @reservation: the child's; taken
 * @reg: prepared by this process
 *
 * Context: process; takes R.
 */
void sup_reservation_claim(struct sup_reservation *reservation, struct sup_registration *reg)
{
	struct sup_partition *partition;

	partition = sup_entry_partition(reg->registry, reg->entry->holder, reg->entry->hash);
	spin_lock(&partition->lock);
	reservation->taken = false;
	/* There is nobody in its way, and memory for a key. */
	sup_register_locked(partition, reg);
	spin_unlock(&partition->lock);
	reg->entry = NULL;
	sup_reservation_unprepare(reg);
}

/**
 * sup_reservation_unprepare - free what was prepared and is not used
 * @reg: from sup_reservation_prepare(), or zeroed
 *
 * Context: may sleep.
 */
void sup_reservation_unprepare(struct sup_registration *reg)
{
	if (reg->entry && reg->registry->map)
		sup_map_cancel(reg->entry);
	if (reg->entry)
		sup_entry_discard(reg->entry);
	kfree(reg->key);
	*reg = (struct sup_registration){};
}

/**
 * sup_reservation_registry - where the key is
 * @reservation: a child's
 *
 * Context: any.
 * Return: the registry's id.
 */
u64 sup_reservation_registry(const struct sup_reservation *reservation)
{
	return reservation->registry->object.id;
}

/**
 * sup_reservation_key - which key it is
 * @reservation: a child's
 *
 * Context: any.
 * Return: the key.
 */
const struct sup_key_name *sup_reservation_key(const struct sup_reservation *reservation)
{
	return &reservation->name;
}

/**
 * sup_reservation_value - what it is registered with
 * @reservation: a child's
 * @len: set to the value's bytes
 *
 * Context: any.
 * Return: the value.
 */
const void *sup_reservation_value(const struct sup_reservation *reservation, u32 *len)
{
	*len = reservation->value_len;
	return reservation->value;
}
