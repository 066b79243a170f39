// SPDX-License-Identifier: GPL-2.0
/*
 * registry - the object: making, opening and closing registries, and what all that
 * is done in them has in common.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "account.h"
#include "registry.h"

/* Keys that a mapping has room for. */
#define MAP_SLOTS_MIN 64
#define MAP_SLOTS_DEFAULT 1024

/**
 * sup_object_registry - the registry that an object is
 * @object: an object of kind SUP_KIND_REGISTRY
 *
 * Context: any.
 * Return: the registry.
 */
struct sup_registry *sup_object_registry(struct sup_object *object)
{
	return container_of(object, struct sup_registry, object);
}

/**
 * sup_registry_hash - the hash of a key
 * @registry: where the key is
 * @bytes: the key
 * @len: its bytes
 *
 * Context: any.
 * Return: the hash.
 */
u64 sup_registry_hash(const struct sup_registry *registry, const void *bytes, u32 len)
{
	return siphash(bytes, len, &registry->hash_key);
}

/**
 * sup_registry_read_key - read a key from user space
 * @registry: where it is looked for
 * @name: set to the key
 * @uptr: its address
 * @len: its bytes
 * @max: set with -EMSGSIZE: how many it may have; otherwise 0
 *
 * Context: may sleep.
 * Return: 0, -EMSGSIZE, -EINVAL, -EFAULT.
 */
int sup_registry_read_key(const struct sup_registry *registry, struct sup_key_name *name,
			  u64 uptr, u32 len, u32 *max)
{
	*max = 0;
	if (!len)
		return -EINVAL;
	if (len > SUPERVISOR_KEY_MAX) {
		*max = SUPERVISOR_KEY_MAX;
		return -EMSGSIZE;
	}
	if (copy_from_user(name->bytes, u64_to_user_ptr(uptr), len))
		return -EFAULT;
	name->len = len;
	name->hash = sup_registry_hash(registry, name->bytes, len);
	return 0;
}

/**
 * sup_registry_check_value - check the length of a value
 * @len: its bytes
 * @max: set with -EMSGSIZE: how many it may have
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int sup_registry_check_value(u32 len, u32 *max)
{
	if (len <= SUPERVISOR_VALUE_MAX)
		return 0;
	*max = SUPERVISOR_VALUE_MAX;
	return -EMSGSIZE;
}

/* Nobody can look any more. */
static void registry_unused(struct sup_object *object)
{
	sup_listeners_end_all(sup_object_registry(object));
	sup_holders_release_all(sup_object_registry(object));
}

static void partitions_destroy(struct sup_registry *registry)
{
	u32 i;

	for (i = 0; i < registry->nr_partitions; i++)
		sup_table_destroy(&registry->partitions[i]);
}

static void registry_free(struct sup_object *object)
{
	struct sup_registry *registry = sup_object_registry(object);

	sup_meta_free_all(registry);
	sup_holders_destroy_registry(registry);
	partitions_destroy(registry);
	sup_map_destroy(registry->map, object->account);
	sup_account_uncharge(object->account, SUPERVISOR_LIMIT_REGISTRIES, 1);
	kvfree(registry);
}

static pid_t registry_owner_pid(struct sup_object *object, struct pid_namespace *ns)
{
	return 0;
}

static const struct sup_object_ops registry_ops = {
	.kind = SUP_KIND_REGISTRY,
	.file_name = "[supervisor-registry]",
	.fops = &sup_registry_fops,
	.unused = registry_unused,
	.free = registry_free,
	.owner_pid = registry_owner_pid,
};

static int registry_init(struct sup_registry *registry)
{
	u32 i;
	int ret;

	get_random_bytes(&registry->hash_key, sizeof(registry->hash_key));
	init_rwsem(&registry->meta_lock);
	registry->meta = RB_ROOT;
	spin_lock_init(&registry->locks_lock);
	registry->locks = RB_ROOT;
	INIT_LIST_HEAD(&registry->parked);
	spin_lock_init(&registry->tell_lock);
	INIT_LIST_HEAD(&registry->listeners);
	ret = sup_holders_init_registry(registry);
	if (ret)
		return ret;
	for (i = 0; i < registry->nr_partitions && !ret; i++) {
		spin_lock_init(&registry->partitions[i].lock);
		ret = sup_table_init(&registry->partitions[i]);
	}
	if (ret) {
		partitions_destroy(registry);
		sup_holders_destroy_registry(registry);
	}
	return ret;
}

/* With a file counted, and a reference. */
static struct sup_registry *registry_alloc(const struct supervisor_registry_create *params,
					   u32 *limit)
{
	struct sup_account *account = sup_account_get_current();
	struct sup_registry *registry;
	int ret;

	if (!account)
		return ERR_PTR(-ENOMEM);
	ret = sup_account_charge(account, SUPERVISOR_LIMIT_REGISTRIES, 1);
	if (ret) {
		*limit = SUPERVISOR_LIMIT_REGISTRIES;
		goto err_account;
	}
	ret = -ENOMEM;
	registry = kvzalloc(struct_size(registry, partitions, params->partitions),
			    GFP_KERNEL_ACCOUNT);
	if (!registry)
		goto err_charge;
	registry->keys = params->keys;
	registry->nr_partitions = params->partitions;
	if (params->map_slots) {
		ret = sup_map_create(registry, account, params->map_slots, limit);
		if (ret)
			goto err_free;
	}
	ret = registry_init(registry);
	if (ret)
		goto err_map;
	sup_object_init(&registry->object, &registry_ops, account);
	atomic_set(&registry->object.files, 1);
	return registry;

err_map:
	sup_map_destroy(registry->map, account);
err_free:
	kvfree(registry);
err_charge:
	sup_account_uncharge(account, SUPERVISOR_LIMIT_REGISTRIES, 1);
err_account:
	sup_account_put(account);
	return ERR_PTR(ret);
}

static int create_check_map(struct supervisor_registry_create *cmd)
{
	if (!(cmd->flags & SUPERVISOR_REGISTRY_F_MAP))
		return cmd->map_slots ? -EINVAL : 0;
	if (!cmd->map_slots)
		cmd->map_slots = MAP_SLOTS_DEFAULT;
	if (!is_power_of_2(cmd->map_slots) || cmd->map_slots < MAP_SLOTS_MIN ||
	    cmd->map_slots > SUP_MAP_SLOTS_MAX)
		return -EINVAL;
	return cmd->keys == SUPERVISOR_KEYS_UNIQUE ? 0 : -EOPNOTSUPP;
}

static int create_check(struct supervisor_registry_create *cmd)
{
	if (cmd->keys > SUPERVISOR_KEYS_DUPLICATE_BY_KEY)
		return -EINVAL;
	if (!cmd->partitions)
		cmd->partitions = 1;
	if (cmd->partitions > SUPERVISOR_PARTITIONS_MAX)
		return -EINVAL;
	if (!cmd->name_len && (cmd->mode || cmd->flags & SUPERVISOR_REGISTRY_F_OPEN))
		return -EINVAL;
	return create_check_map(cmd);
}

static int create_new(struct sup_ucmd *ucmd, const struct supervisor_registry_create *params)
{
	struct supervisor_registry_create *cmd = ucmd->cmd;
	struct sup_registry *registry;
	int ret = 0;

	registry = registry_alloc(params, &cmd->out_limit);
	if (IS_ERR(registry))
		return PTR_ERR(registry);
	if (params->name_len)
		ret = sup_object_set_name(&registry->object, params->name, params->name_len,
					  params->mode);
	if (ret == -EDQUOT)
		cmd->out_limit = SUPERVISOR_LIMIT_NAMES;
	if (!ret)
		ret = sup_object_file(ucmd, &registry->object, O_RDWR);
	if (ret) {
		sup_object_forget(&registry->object);
		return ret;
	}
	/* Its file is the dispatcher's to close. */
	cmd->out_fd = ucmd->new_fd;
	cmd->out_created = 1;
	cmd->out_id = registry->object.id;
	sup_object_put(&registry->object);
	return 0;
}

static int create_open(struct sup_ucmd *ucmd, const struct supervisor_registry_create *params)
{
	struct supervisor_registry_create *cmd = ucmd->cmd;
	struct sup_object *object;

	object = sup_object_find(params->name, params->name_len, SUP_KIND_REGISTRY, O_RDWR);
	if (IS_ERR(object))
		return PTR_ERR(object);
	if (sup_object_registry(object)->keys != params->keys) {
		sup_object_forget(object);
		return -EEXIST;
	}
	return sup_object_reopen(ucmd, object, O_RDWR, &cmd->out_fd, &cmd->out_id);
}

/**
 * sup_registry_create - ioctl(SUPERVISOR_REGISTRY_CREATE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_create(struct sup_ucmd *ucmd)
{
	struct supervisor_registry_create *cmd = ucmd->cmd;
	struct supervisor_registry_create params = *cmd;
	bool open = params.flags & SUPERVISOR_REGISTRY_F_OPEN;
	int ret;

	cmd->out_fd = -1;
	cmd->out_created = 0;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_id = 0;
	ret = create_check(&params);
	if (ret)
		return ret;
	ret = open ? create_open(ucmd, &params) : -ENOENT;
	if (ret != -ENOENT)
		return ret;
	ret = create_new(ucmd, &params);
	if (ret != -EEXIST || !open)
		return ret;
	/* Somebody was faster; or it is no registry. */
	ret = create_open(ucmd, &params);
	return ret == -ENOENT ? -EEXIST : ret;
}

static void registry_look(struct sup_registry *registry, struct supervisor_registry_status *status)
{
	u32 i;

	*status = (struct supervisor_registry_status){
		.size = sizeof(*status),
		.out_id = registry->object.id,
		.out_keys = registry->keys,
		.out_partitions = registry->nr_partitions,
		.out_processes = READ_ONCE(registry->nr_holders),
		.out_listeners = READ_ONCE(registry->nr_listeners),
		.out_locks = READ_ONCE(registry->nr_locks),
		.out_meta = READ_ONCE(registry->nr_meta),
	};
	for (i = 0; i < registry->nr_partitions; i++) {
		struct sup_partition *partition = &registry->partitions[i];

		spin_lock(&partition->lock);
		status->out_entries += partition->entries;
		spin_unlock(&partition->lock);
	}
	sup_map_look(registry->map, status);
}

/**
 * sup_registry_status - ioctl(SUPERVISOR_REGISTRY_STATUS)
 * @ucmd: the ioctl
 *
 * Context: does not sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_status(struct sup_ucmd *ucmd)
{
	struct supervisor_registry_status *cmd = ucmd->cmd;
	u32 size = cmd->size;

	registry_look(sup_object_registry(ucmd->object), cmd);
	cmd->size = size;
	return 0;
}

static void registry_show_fdinfo(struct seq_file *seq, struct file *file)
{
	static const char *const keys[] = { "unique", "duplicate", "duplicate-by-key" };
	struct supervisor_registry_status status;

	registry_look(sup_object_registry(sup_file_object(file)), &status);
	seq_printf(seq, "supervisor-registry-id:\t%llu\n", status.out_id);
	seq_printf(seq, "supervisor-registry-keys:\t%s\n", keys[status.out_keys]);
	seq_printf(seq, "supervisor-registry-partitions:\t%u\n", status.out_partitions);
	seq_printf(seq, "supervisor-registry-entries:\t%llu\n", status.out_entries);
	seq_printf(seq, "supervisor-registry-processes:\t%llu\n", status.out_processes);
	if (status.out_map_slots)
		seq_printf(seq, "supervisor-registry-map:\t%u of %u\n", status.out_map_used,
			   status.out_map_slots);
}

static int registry_release(struct inode *inode, struct file *file)
{
	sup_key_calls_forget(sup_object_registry(sup_file_object(file)), file);
	return sup_object_release(inode, file);
}

const struct file_operations sup_registry_fops = {
	.owner = THIS_MODULE,
	.release = registry_release,
	.unlocked_ioctl = sup_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = sup_registry_mmap,
	.show_fdinfo = registry_show_fdinfo,
	.llseek = noop_llseek,
};

/**
 * sup_registry_exit - wait for what closed registries leave behind
 *
 * Context: module exit; there are no registries any more.
 */
void sup_registry_exit(void)
{
	sup_holders_exit();
	sup_entries_exit();
}
