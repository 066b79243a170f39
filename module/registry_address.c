// SPDX-License-Identifier: GPL-2.0
/*
 * registry_address - keys as addresses: publish, send, call and signal.
 *
 * Who is meant is found and asked whether it lives in one RCU read-side section; what
 * is kept of it, its mailbox or its struct pid, can never be somebody else's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "exchange.h"
#include "mailbox.h"
#include "registry.h"

/**
 * struct sup_parked_key_call - a call through a key that a signal interrupted
 * @node: K: in sup_registry.parked
 * @id: const: what the caller comes back with
 * @file: const: through which it was made; compared only
 * @mailbox: const, referenced: where it is
 * @call: const: its number there
 */
struct sup_parked_key_call {
	struct list_head node;
	u64 id;
	const struct file *file;
	struct sup_mailbox *mailbox;
	u64 call;
};

/*
 * Finding who is meant.
 */

static struct sup_entry *holder_after(struct sup_holder *holder, u64 hash, u64 id)
{
	struct sup_entry *entry;

	spin_lock(&holder->lock);
	entry = sup_entry_after_locked(holder, hash, id);
	spin_unlock(&holder->lock);
	return entry && entry->hash == hash ? entry : NULL;
}

/*
 * The first that has a mailbox, if one is wanted; otherwise the first, or any. A process
 * may have any number of entries of a key: the lock is not kept meanwhile.
 */
static struct sup_entry *address_find_of(struct sup_holder *holder,
					 const struct sup_key_name *name, bool mailbox)
{
	struct sup_entry *entry, *mute = NULL;

	for (entry = holder_after(holder, name->hash, 0); entry;
	     entry = holder_after(holder, name->hash, entry->id)) {
		if (!sup_key_is(entry->key, name))
			continue;
		if (!mailbox || entry->mailbox)
			return entry;
		mute = entry;
	}
	return mute;
}

/* In an RCU read-side section: the entry of the key that is addressed, alive. */
static struct sup_entry *address_find(struct sup_registry *registry,
				      const struct sup_key_name *name, s32 nr, bool mailbox)
{
	struct sup_holder *holder;
	struct pid *pid;

	if (!nr)
		return sup_registry_first_alive(registry, name);
	pid = find_vpid(nr);
	holder = pid ? sup_holder_find(registry, pid) : NULL;
	if (!holder || !sup_holder_alive(holder))
		return NULL;
	return address_find_of(holder, name, mailbox);
}

static int address_check(const struct sup_registry *registry, s32 nr)
{
	if (nr < 0 || (!nr && registry->keys != SUPERVISOR_KEYS_UNIQUE))
		return -EINVAL;
	return 0;
}

static struct sup_mailbox *address_mailbox(struct sup_registry *registry, u64 key, u32 key_len,
					   s32 nr, u32 *max)
{
	struct sup_mailbox *mailbox = ERR_PTR(-ENOENT);
	struct sup_key_name name;
	struct sup_entry *entry;
	int ret;

	ret = sup_registry_read_key(registry, &name, key, key_len, max);
	if (!ret)
		ret = address_check(registry, nr);
	if (ret)
		return ERR_PTR(ret);
	rcu_read_lock();
	entry = address_find(registry, &name, nr, true);
	if (entry && entry->mailbox) {
		/* An entry lets go of it after a grace period. */
		mailbox = entry->mailbox;
		sup_object_get(&mailbox->object);
	} else if (entry) {
		mailbox = ERR_PTR(-EBADFD);
	}
	rcu_read_unlock();
	return mailbox;
}

/**
 * sup_registry_send - ioctl(SUPERVISOR_KEY_SEND)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_send(struct sup_ucmd *ucmd)
{
	struct supervisor_key_send *cmd = ucmd->cmd;
	struct sup_cast cast = { .buf = cmd->buf, .len = cmd->len, .deadline = cmd->deadline };
	struct sup_mailbox *mailbox;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	mailbox = address_mailbox(sup_object_registry(ucmd->object), cmd->key, cmd->key_len,
				  cmd->pid, &cmd->out_max);
	if (IS_ERR(mailbox))
		return PTR_ERR(mailbox);
	ret = sup_mailbox_cast(mailbox, &cast);
	if (ret)
		cmd->out_limit = cast.limit;
	if (ret == -EMSGSIZE)
		cmd->out_max = mailbox->max_payload;
	sup_mailbox_put(mailbox);
	return ret;
}

/*
 * Calls. One that a signal interrupts, or whose reply has no room, is parked in the
 * mailbox; here is remembered in which.
 */

static struct sup_parked_key_call *parked_take(struct sup_registry *registry,
					       const struct file *file, u64 id)
{
	struct sup_parked_key_call *parked, *found = NULL;

	spin_lock(&registry->locks_lock);
	list_for_each_entry(parked, &registry->parked, node) {
		if (parked->file != file || (id && parked->id != id))
			continue;
		list_del(&parked->node);
		found = parked;
		break;
	}
	spin_unlock(&registry->locks_lock);
	return found;
}

/**
 * sup_key_calls_forget - nobody will come back for the calls of a file
 * @registry: the file's
 * @file: it is being closed
 *
 * Context: may sleep.
 */
void sup_key_calls_forget(struct sup_registry *registry, struct file *file)
{
	struct sup_parked_key_call *parked;

	while ((parked = parked_take(registry, file, 0))) {
		sup_exchange_forget_parked(parked->mailbox, file);
		sup_mailbox_put(parked->mailbox);
		kfree(parked);
	}
}

static struct sup_parked_key_call *call_begin(struct sup_ucmd *ucmd,
					      struct supervisor_key_call *cmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct sup_parked_key_call *parked;
	struct sup_mailbox *mailbox;

	if (cmd->call)
		return parked_take(registry, ucmd->file, cmd->call) ?: ERR_PTR(-ESTALE);
	parked = kzalloc(sizeof(*parked), GFP_KERNEL_ACCOUNT);
	if (!parked)
		return ERR_PTR(-ENOMEM);
	mailbox = address_mailbox(registry, cmd->key, cmd->key_len, cmd->pid, &cmd->out_max);
	if (IS_ERR(mailbox)) {
		kfree(parked);
		return ERR_CAST(mailbox);
	}
	parked->id = sup_id_next();
	parked->file = ucmd->file;
	parked->mailbox = mailbox;
	return parked;
}

/**
 * sup_registry_call - ioctl(SUPERVISOR_KEY_CALL)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_call(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_key_call *cmd = ucmd->cmd;
	struct supervisor_mailbox_call call = {
		.buf = cmd->buf,
		.len = cmd->len,
		.reply_len = cmd->reply_len,
		.reply = cmd->reply,
		.deadline = cmd->deadline,
	};
	struct sup_ucmd inner = { .file = ucmd->file, .cmd = &call };
	struct sup_parked_key_call *parked;
	int ret;

	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_max = 0;
	parked = call_begin(ucmd, cmd);
	cmd->call = 0;
	if (IS_ERR(parked))
		return PTR_ERR(parked);
	inner.object = &parked->mailbox->object;
	call.call = parked->call;
	ret = sup_exchange_call(&inner);
	cmd->reply_len = call.reply_len;
	cmd->out_limit = call.out_limit;
	cmd->out_max = call.out_max;
	if (call.call) {
		cmd->call = parked->id;
		parked->call = call.call;
		spin_lock(&registry->locks_lock);
		list_add(&parked->node, &registry->parked);
		spin_unlock(&registry->locks_lock);
	} else {
		sup_mailbox_put(parked->mailbox);
		kfree(parked);
	}
	return ret;
}

/**
 * sup_registry_signal - ioctl(SUPERVISOR_KEY_SIGNAL)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_signal(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_key_signal *cmd = ucmd->cmd;
	struct sup_key_name name;
	struct sup_entry *entry;
	struct pid *pid;
	u32 max;
	int ret;

	cmd->out_pid = 0;
	ret = sup_registry_read_key(registry, &name, cmd->key, cmd->key_len, &max);
	if (!ret)
		ret = address_check(registry, cmd->pid);
	if (ret)
		return ret;
	if (cmd->signal > _NSIG)
		return -EINVAL;
	rcu_read_lock();
	entry = address_find(registry, &name, cmd->pid, false);
	pid = entry ? get_pid(entry->holder->pid) : NULL;
	rcu_read_unlock();
	if (!pid)
		return -ENOENT;
	cmd->out_pid = pid_vnr(pid);
	ret = sup_signal(task_active_pid_ns(current), pid, cmd->signal);
	put_pid(pid);
	return ret;
}

/*
 * Publish.
 */

/* Mailboxes whose turn comes when no lock and no section is held. */
#define LATER 32

/**
 * struct publication - a message on its way to all entries of a key
 * @visitor: sees the entries
 * @broadcast: the message
 * @cmd: the ioctl's struct
 * @nr_later: how many in @later
 * @later: mailboxes for which it needs memory, referenced
 * @full: mailboxes that had no room, referenced, to be tried again
 * @nr: how many
 * @room: for how many
 */
struct publication {
	struct sup_visitor visitor;
	struct sup_broadcast broadcast;
	struct supervisor_publish *cmd;
	u32 nr_later;
	struct sup_mailbox *later[LATER];
	struct sup_mailbox **full;
	u32 nr;
	u32 room;
};

/* The mailbox's reference goes with it; false when there is no memory to remember it. */
static bool publication_postpone(struct publication *pub, struct sup_mailbox *mailbox)
{
	struct sup_mailbox **full;
	u32 room;

	if (pub->nr == pub->room) {
		room = pub->room ? 2 * pub->room : 16;
		full = kvmalloc_array(room, sizeof(*full), GFP_KERNEL_ACCOUNT);
		if (!full)
			return false;
		if (pub->nr)
			memcpy(full, pub->full, pub->nr * sizeof(*full));
		kvfree(pub->full);
		pub->full = full;
		pub->room = room;
	}
	pub->full[pub->nr++] = mailbox;
	return true;
}

static void publication_count(struct publication *pub, int ret)
{
	if (!ret)
		pub->cmd->out_delivered++;
	else if (ret == -ESHUTDOWN)
		pub->cmd->out_gone++;
	else
		pub->cmd->out_full++;
}

/* As a rule a mailbox has room in its ring: then nothing of this entry need be kept. */
static bool publish_visit(struct sup_visitor *visitor, struct sup_entry *entry)
{
	struct publication *pub = container_of(visitor, struct publication, visitor);
	int ret;

	if (!entry->mailbox)
		return true;
	ret = sup_broadcast_try(&pub->broadcast, entry->mailbox);
	if (ret != -ENOBUFS && (ret != -EAGAIN || !pub->cmd->deadline)) {
		publication_count(pub, ret);
		return true;
	}
	/* An entry lets go of it after a grace period. */
	sup_object_get(&entry->mailbox->object);
	pub->later[pub->nr_later++] = entry->mailbox;
	return pub->nr_later < LATER;
}

static void publish_pause(struct sup_visitor *visitor)
{
	struct publication *pub = container_of(visitor, struct publication, visitor);
	u32 i;
	int ret;

	for (i = 0; i < pub->nr_later; i++) {
		ret = sup_broadcast_to(&pub->broadcast, pub->later[i], 0);
		if (ret == -EAGAIN && pub->cmd->deadline &&
		    publication_postpone(pub, pub->later[i]))
			continue;
		publication_count(pub, ret);
		sup_mailbox_put(pub->later[i]);
	}
	pub->nr_later = 0;
}

static const struct sup_visitor publish_visitor = {
	.visit = publish_visit,
	.pause = publish_pause,
};

/* Those that were full, in turn; a signal or the deadline makes one look of the rest. */
static void publish_to_full(struct publication *pub)
{
	u64 deadline = pub->cmd->deadline;
	u32 i;
	int ret;

	for (i = 0; i < pub->nr; i++) {
		ret = sup_broadcast_to(&pub->broadcast, pub->full[i], deadline);
		if (ret == -ERESTARTSYS)
			deadline = 0;
		publication_count(pub, ret);
		sup_mailbox_put(pub->full[i]);
		cond_resched();
	}
	kvfree(pub->full);
}

/**
 * sup_registry_publish - ioctl(SUPERVISOR_PUBLISH)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_registry_publish(struct sup_ucmd *ucmd)
{
	struct sup_registry *registry = sup_object_registry(ucmd->object);
	struct supervisor_publish *cmd = ucmd->cmd;
	struct sup_key_name name;
	struct publication *pub;
	int ret;

	cmd->out_delivered = 0;
	cmd->out_full = 0;
	cmd->out_gone = 0;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	ret = sup_registry_read_key(registry, &name, cmd->key, cmd->key_len, &cmd->out_max);
	if (ret)
		return ret;
	if (cmd->len > SUPERVISOR_PAYLOAD_MAX) {
		cmd->out_max = SUPERVISOR_PAYLOAD_MAX;
		return -EMSGSIZE;
	}
	pub = kmalloc(sizeof(*pub), GFP_KERNEL);
	if (!pub)
		return -ENOMEM;
	pub->visitor = publish_visitor;
	pub->cmd = cmd;
	pub->nr_later = 0;
	pub->full = NULL;
	pub->nr = 0;
	pub->room = 0;
	ret = sup_broadcast_begin(&pub->broadcast, cmd->buf, cmd->len, &cmd->out_limit);
	if (!ret) {
		ret = sup_registry_for_each(registry, &name, &pub->visitor);
		publish_to_full(pub);
		sup_broadcast_end(&pub->broadcast);
	}
	kfree(pub);
	return ret;
}
