// SPDX-License-Identifier: GPL-2.0
/*
 * registry_meta - what is known of a registry itself: keys and values that belong to
 * no process.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "account.h"
#include "registry.h"

/**
 * struct meta - one of them
 * @node: D: in sup_registry.meta
 * @account: const, referenced: who pays
 * @key_len: const: bytes of the key
 * @value_len: const: bytes of the value
 * @bytes: const: the key and the value
 */
struct meta {
	struct rb_node node;
	struct sup_account *account;
	u32 key_len;
	u32 value_len;
	u8 bytes[];
};

static struct meta *of_node(struct rb_node *node)
{
	return rb_entry_safe(node, struct meta, node);
}

static int meta_compare(const struct sup_key_name *name, const struct meta *meta)
{
	if (name->len != meta->key_len)
		return name->len < meta->key_len ? -1 : 1;
	return memcmp(name->bytes, meta->bytes, name->len);
}

static void meta_free(struct meta *meta)
{
	if (IS_ERR_OR_NULL(meta))
		return;
	sup_account_uncharge(meta->account, SUPERVISOR_LIMIT_BYTES,
			     meta->key_len + meta->value_len);
	sup_account_uncharge(meta->account, SUPERVISOR_LIMIT_ENTRIES, 1);
	sup_account_put(meta->account);
	kvfree(meta);
}

static int meta_charge(struct meta *meta, u32 *limit)
{
	meta->account = sup_account_get_current();
	if (!meta->account)
		return -ENOMEM;
	*limit = SUPERVISOR_LIMIT_ENTRIES;
	if (sup_account_charge(meta->account, SUPERVISOR_LIMIT_ENTRIES, 1))
		goto err_account;
	*limit = SUPERVISOR_LIMIT_BYTES;
	if (sup_account_charge(meta->account, SUPERVISOR_LIMIT_BYTES,
			       meta->key_len + meta->value_len))
		goto err_entry;
	*limit = SUPERVISOR_LIMIT_NONE;
	return 0;

err_entry:
	sup_account_uncharge(meta->account, SUPERVISOR_LIMIT_ENTRIES, 1);
err_account:
	sup_account_put(meta->account);
	return -EDQUOT;
}

static struct meta *meta_alloc(const struct sup_key_name *name, struct supervisor_meta *cmd)
{
	struct meta *meta;
	int ret;

	meta = kvmalloc(struct_size(meta, bytes, name->len + cmd->value_len), GFP_KERNEL_ACCOUNT);
	if (!meta)
		return ERR_PTR(-ENOMEM);
	meta->key_len = name->len;
	meta->value_len = cmd->value_len;
	memcpy(meta->bytes, name->bytes, name->len);
	ret = copy_from_user(meta->bytes + name->len, u64_to_user_ptr(cmd->value),
			     cmd->value_len) ? -EFAULT : meta_charge(meta, &cmd->out_limit);
	if (!ret)
		return meta;
	kvfree(meta);
	return ERR_PTR(ret);
}

static struct meta *meta_find_locked(struct sup_registry *registry,
				     const struct sup_key_name *name)
{
	struct rb_node *node = registry->meta.rb_node;
	int order;

	lockdep_assert_held(&registry->meta_lock);
	while (node) {
		order = meta_compare(name, of_node(node));
		if (!order)
			break;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return of_node(node);
}

static void meta_add_locked(struct sup_registry *registry, const struct sup_key_name *name,
			    struct meta *meta)
{
	struct rb_node **at = &registry->meta.rb_node, *parent = NULL;

	lockdep_assert_held_write(&registry->meta_lock);
	while (*at) {
		parent = *at;
		at = meta_compare(name, of_node(parent)) < 0 ? &parent->rb_left :
							       &parent->rb_right;
	}
	rb_link_node(&meta->node, parent, at);
	rb_insert_color(&meta->node, &registry->meta);
	registry->nr_meta++;
}

/* What was there, for meta_free(); or NULL. */
static struct meta *meta_remove_locked(struct sup_registry *registry,
				       const struct sup_key_name *name)
{
	struct meta *meta = meta_find_locked(registry, name);

	if (meta) {
		rb_erase(&meta->node, &registry->meta);
		registry->nr_meta--;
	}
	return meta;
}

static int meta_read_key(struct sup_ucmd *ucmd, struct sup_key_name *name)
{
	struct supervisor_meta *cmd = ucmd->cmd;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	return sup_registry_read_key(sup_object_registry(ucmd->object), name, cmd->key,
				     cmd->key_len, &cmd->out_max);
}

/**
 * sup_registry_meta_put - ioctl(SUPERVISOR_META_PUT)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_meta_put(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_meta *cmd = ucmd->cmd;
	struct meta *meta, *old;
	struct sup_key_name name;
	int ret;

	ret = meta_read_key(ucmd, &name);
	if (!ret)
		ret = sup_registry_check_value(cmd->value_len, &cmd->out_max);
	if (ret)
		return ret;
	meta = meta_alloc(&name, cmd);
	if (IS_ERR(meta))
		return PTR_ERR(meta);
	down_write(&registry->meta_lock);
	old = meta_remove_locked(registry, &name);
	meta_add_locked(registry, &name, meta);
	up_write(&registry->meta_lock);
	meta_free(old);
	return 0;
}

/**
 * sup_registry_meta_get - ioctl(SUPERVISOR_META_GET)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_meta_get(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_meta *cmd = ucmd->cmd;
	u32 room = cmd->value_len;
	const struct meta *meta;
	struct sup_key_name name;
	int ret;

	cmd->value_len = 0;
	ret = meta_read_key(ucmd, &name);
	if (ret)
		return ret;
	down_read(&registry->meta_lock);
	meta = meta_find_locked(registry, &name);
	if (!meta) {
		ret = -ENOENT;
	} else {
		cmd->value_len = meta->value_len;
		if (meta->value_len > room)
			ret = -EMSGSIZE;
		else if (copy_to_user(u64_to_user_ptr(cmd->value), meta->bytes + meta->key_len,
				      meta->value_len))
			ret = -EFAULT;
	}
	up_read(&registry->meta_lock);
	return ret;
}

/**
 * sup_registry_meta_delete - ioctl(SUPERVISOR_META_DELETE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_meta_delete(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_meta *cmd = ucmd->cmd;
	struct sup_key_name name;
	struct meta *meta;
	int ret;

	if (cmd->value || cmd->value_len)
		return -EINVAL;
	ret = meta_read_key(ucmd, &name);
	if (ret)
		return ret;
	down_write(&registry->meta_lock);
	meta = meta_remove_locked(registry, &name);
	up_write(&registry->meta_lock);
	meta_free(meta);
	return meta ? 0 : -ENOENT;
}

/**
 * sup_meta_free_all - free a registry's metadata
 * @registry: nobody uses it any more
 *
 * Context: may sleep.
 */
void sup_meta_free_all(struct sup_registry *registry)
{
	struct meta *meta, *next;

	rbtree_postorder_for_each_entry_safe(meta, next, &registry->meta, node)
		meta_free(meta);
}
