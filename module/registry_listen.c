// SPDX-License-Identifier: GPL-2.0
/*
 * registry_listen - who is told of a registry's changes.
 *
 * A change is told under the lock of its partition, so that each mailbox has those of
 * one key in their order. Nobody waits: what finds no room is counted in a GAP.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ktime.h>
#include <linux/slab.h>

#include "account.h"
#include "mailbox.h"
#include "registry.h"

/**
 * struct registry_listener - a mailbox that listens
 * @node: V: in sup_registry.listeners; empty when it listens no more
 * @closing: of @mailbox, which ends it when it closes
 * @registry: const: valid while it is listed, or @listening is held
 * @mailbox: const, referenced
 * @account: const, referenced: of who asked
 * @deaths: const: it is told of those, too
 *
 * Lifetime: whoever takes @closing out of the mailbox frees it.
 */
struct registry_listener {
	struct list_head node;
	struct sup_mailbox_listener closing;
	struct sup_registry *registry;
	struct sup_mailbox *mailbox;
	struct sup_account *account;
	bool deaths;
};

/* The end of a listener by its mailbox against that by its registry. */
static DEFINE_MUTEX(listening);

static void listener_free(struct registry_listener *listener)
{
	sup_account_uncharge(listener->account, SUPERVISOR_LIMIT_CALLS, 1);
	sup_account_put(listener->account);
	sup_mailbox_put(listener->mailbox);
	kfree(listener);
}

static void listener_unlink_locked(struct registry_listener *listener)
{
	struct sup_registry *registry = listener->registry;

	lockdep_assert_held(&listening);
	if (list_empty(&listener->node))
		return;
	spin_lock(&registry->tell_lock);
	list_del_init(&listener->node);
	registry->nr_listeners--;
	spin_unlock(&registry->tell_lock);
}

static void listener_mailbox_closed(struct sup_mailbox_listener *closing)
{
	struct registry_listener *listener = container_of(closing, struct registry_listener,
							  closing);

	mutex_lock(&listening);
	listener_unlink_locked(listener);
	mutex_unlock(&listening);
	listener_free(listener);
}

static void listener_end_locked(struct registry_listener *listener)
{
	bool listed = sup_mailbox_unlisten(listener->mailbox, &listener->closing);

	lockdep_assert_held(&listening);
	listener_unlink_locked(listener);
	if (listed)
		listener_free(listener);
}

/**
 * sup_listeners_end_all - tell nobody any more
 * @registry: no file of it is left
 *
 * Context: may sleep.
 */
void sup_listeners_end_all(struct sup_registry *registry)
{
	struct registry_listener *listener, *next;

	mutex_lock(&listening);
	list_for_each_entry_safe(listener, next, &registry->listeners, node)
		listener_end_locked(listener);
	mutex_unlock(&listening);
}

static struct registry_listener *listener_alloc(struct sup_mailbox *mailbox, u32 *limit)
{
	struct registry_listener *listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);

	if (!listener)
		return ERR_PTR(-ENOMEM);
	listener->account = sup_account_get_current();
	if (!listener->account) {
		kfree(listener);
		return ERR_PTR(-ENOMEM);
	}
	if (sup_account_charge(listener->account, SUPERVISOR_LIMIT_CALLS, 1)) {
		*limit = SUPERVISOR_LIMIT_CALLS;
		sup_account_put(listener->account);
		kfree(listener);
		return ERR_PTR(-EDQUOT);
	}
	listener->closing.closed = listener_mailbox_closed;
	sup_object_get(&mailbox->object);
	listener->mailbox = mailbox;
	return listener;
}

static struct registry_listener *listener_find_locked(struct sup_registry *registry,
						      const struct sup_mailbox *mailbox)
{
	struct registry_listener *listener;

	lockdep_assert_held(&listening);
	list_for_each_entry(listener, &registry->listeners, node)
		if (listener->mailbox == mailbox)
			return listener;
	return NULL;
}

static int listener_add_locked(struct sup_registry *registry, struct registry_listener *listener)
{
	lockdep_assert_held(&listening);
	if (listener_find_locked(registry, listener->mailbox))
		return -EEXIST;
	if (registry->nr_listeners >= SUP_SUBSCRIPTIONS_MAX)
		return -ENOSPC;
	listener->registry = registry;
	if (!sup_mailbox_listen(listener->mailbox, &listener->closing))
		return -ESHUTDOWN;
	spin_lock(&registry->tell_lock);
	list_add_tail(&listener->node, &registry->listeners);
	registry->nr_listeners++;
	spin_unlock(&registry->tell_lock);
	return 0;
}

/**
 * sup_registry_listen - ioctl(SUPERVISOR_LISTEN)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_listen(struct sup_ucmd *ucmd)
{
	struct supervisor_listen *cmd = ucmd->cmd;
	struct registry_listener *listener;
	struct sup_mailbox *mailbox;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	mailbox = sup_mailbox_fdget_read(cmd->mailbox_fd);
	if (IS_ERR(mailbox))
		return PTR_ERR(mailbox);
	listener = listener_alloc(mailbox, &cmd->out_limit);
	sup_mailbox_put(mailbox);
	if (IS_ERR(listener))
		return PTR_ERR(listener);
	listener->deaths = cmd->flags & SUPERVISOR_LISTEN_F_DEATHS;
	mutex_lock(&listening);
	ret = listener_add_locked(sup_object_registry(ucmd->object), listener);
	mutex_unlock(&listening);
	if (ret == -ENOSPC)
		cmd->out_limit = SUPERVISOR_LIMIT_SUBSCRIPTIONS;
	if (ret)
		listener_free(listener);
	return ret;
}

/**
 * sup_registry_unlisten - ioctl(SUPERVISOR_UNLISTEN)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_unlisten(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_listen *cmd = ucmd->cmd;
	struct registry_listener *listener;
	struct sup_mailbox *mailbox;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	mailbox = sup_mailbox_fdget_read(cmd->mailbox_fd);
	if (IS_ERR(mailbox))
		return PTR_ERR(mailbox);
	mutex_lock(&listening);
	listener = listener_find_locked(registry, mailbox);
	if (listener)
		listener_end_locked(listener);
	mutex_unlock(&listening);
	sup_mailbox_put(mailbox);
	return listener ? 0 : -ENOENT;
}

static void listeners_tell(struct sup_registry *registry,
			   const struct supervisor_msg_registry *event,
			   const struct sup_registry_change *change)
{
	struct registry_listener *listener;

	spin_lock(&registry->tell_lock);
	list_for_each_entry(listener, &registry->listeners, node)
		if (event->event != SUPERVISOR_REGISTRY_DIED || listener->deaths)
			sup_mailbox_registry_event(listener->mailbox, event, change);
	spin_unlock(&registry->tell_lock);
}

/**
 * sup_listeners_tell_entry - an entry has come, or gone with its process
 * @registry: where
 * @partition: where there
 * @entry: it, linked
 * @event: SUPERVISOR_REGISTRY_REGISTERED or SUPERVISOR_REGISTRY_DIED
 *
 * Context: holds R of @partition.
 */
void sup_listeners_tell_entry(struct sup_registry *registry,
			      const struct sup_partition *partition,
			      const struct sup_entry *entry, u32 event)
{
	struct supervisor_msg_registry msg = {
		.head.ref = entry->id,
		.head.time_ns = ktime_get_ns(),
		.registry = registry->object.id,
		.event = event,
		.partition = partition - registry->partitions,
		.key_len = entry->key->len,
		.value_len = event == SUPERVISOR_REGISTRY_REGISTERED ? entry->value_len : 0,
	};
	struct sup_registry_change change = {
		.pid = entry->holder->pid,
		.uid = entry->holder->account->uid,
		.key = entry->key->bytes,
		.value = entry->value,
	};

	lockdep_assert_held(&partition->lock);
	listeners_tell(registry, &msg, &change);
}

/**
 * sup_listeners_tell_unregister - the calling process has unregistered a key
 * @registry: where
 * @partition: where there
 * @name: the key
 *
 * Context: process; holds R of @partition.
 */
void sup_listeners_tell_unregister(struct sup_registry *registry,
				   const struct sup_partition *partition,
				   const struct sup_key_name *name)
{
	struct supervisor_msg_registry msg = {
		.head.time_ns = ktime_get_ns(),
		.registry = registry->object.id,
		.event = SUPERVISOR_REGISTRY_UNREGISTERED,
		.partition = partition - registry->partitions,
		.key_len = name->len,
	};
	struct sup_registry_change change = {
		.pid = task_tgid(current),
		.uid = current_euid(),
		.key = name->bytes,
		.value = name->bytes,
	};

	lockdep_assert_held(&partition->lock);
	listeners_tell(registry, &msg, &change);
}
