// SPDX-License-Identifier: GPL-2.0
/*
 * message - what casts, calls and replies carry.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "account.h"
#include "copy.h"
#include "message.h"
#include "process.h"

/**
 * sup_sender_get - the calling process as a sender
 * @sender: filled; for sup_sender_put(), or where its references pass to
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int sup_sender_get(struct sup_sender *sender)
{
	int ret = sup_current_origin(&sender->origin);

	if (ret)
		return ret;
	sender->pid = get_pid(task_tgid(current));
	sender->uid = current_euid();
	sender->time_ns = ktime_get_ns();
	return 0;
}

/**
 * sup_sender_put - drop a sender's references
 * @sender: the sender
 *
 * Context: any.
 */
void sup_sender_put(struct sup_sender *sender)
{
	put_pid(sender->pid);
	sup_origin_put(sender->origin);
}

/**
 * sup_payload_charge - let somebody pay for a payload that nobody pays for
 * @payload: the payload
 * @account: who; a reference is taken
 *
 * Context: any.
 * Return: 0 or -EDQUOT.
 */
int sup_payload_charge(struct sup_payload *payload, struct sup_account *account)
{
	int ret;

	if (!payload->large)
		return 0;
	ret = sup_account_charge(account, SUPERVISOR_LIMIT_BYTES, payload->len);
	if (!ret)
		payload->large->account = sup_account_get(account);
	return ret;
}

static int payload_read_large(struct sup_payload *payload, u64 uptr, u32 len)
{
	u32 size = ALIGN(len, 8);

	payload->large = kvmalloc(struct_size(payload->large, bytes, size), GFP_KERNEL_ACCOUNT);
	if (!payload->large)
		return -ENOMEM;
	refcount_set(&payload->large->refs, 1);
	payload->large->account = NULL;
	memset(payload->large->bytes + len, 0, size - len);
	if (!copy_from_user(payload->large->bytes, u64_to_user_ptr(uptr), len))
		return 0;
	sup_payload_free(payload);
	return -EFAULT;
}

/**
 * sup_payload_read - copy a payload from user space; nobody pays for it yet
 * @payload: filled; for sup_payload_free()
 * @uptr: where it is
 * @len: its bytes, at most %SUPERVISOR_PAYLOAD_MAX
 *
 * Context: process; may sleep.
 * Return: 0, -EFAULT or -ENOMEM.
 */
int sup_payload_read(struct sup_payload *payload, u64 uptr, u32 len)
{
	payload->len = len;
	payload->large = NULL;
	if (len > SUP_PAYLOAD_SMALL)
		return payload_read_large(payload, uptr, len);
	/* The zeroes first. */
	if (len % 8)
		*(u64 *)(payload->small + round_down(len, 8)) = 0;
	return sup_copy_from_user(payload->small, u64_to_user_ptr(uptr), len);
}

static int payload_charge_current(struct sup_payload *payload, u32 *limit)
{
	struct sup_account *account = sup_account_get_current();
	int ret = account ? sup_payload_charge(payload, account) : -ENOMEM;

	sup_account_put(account);
	if (ret == -EDQUOT)
		*limit = SUPERVISOR_LIMIT_BYTES;
	if (ret)
		sup_payload_free(payload);
	return ret;
}

/**
 * sup_payload_read_charged - copy a payload from user space at the caller's cost
 * @payload: filled; for sup_payload_free()
 * @uptr: where it is
 * @len: its bytes, at most %SUPERVISOR_PAYLOAD_MAX
 * @limit: set with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * Context: process; may sleep.
 * Return: 0, -EFAULT, -EDQUOT or -ENOMEM.
 */
int sup_payload_read_charged(struct sup_payload *payload, u64 uptr, u32 len, u32 *limit)
{
	int ret = sup_payload_read(payload, uptr, len);

	return ret || !payload->large ? ret : payload_charge_current(payload, limit);
}

/**
 * sup_payload_share - have the same bytes as another payload
 * @to: filled; for sup_payload_free()
 * @from: stays as it is. Who pays has been said
 *
 * Context: any.
 */
void sup_payload_share(struct sup_payload *to, const struct sup_payload *from)
{
	to->len = from->len;
	to->large = from->large;
	if (from->large)
		refcount_inc(&from->large->refs);
	else
		memcpy(to->small, from->small, ALIGN(from->len, 8));
}

/**
 * sup_payload_move - hand a payload over
 * @to: where to
 * @from: what; empty afterwards
 *
 * Context: any.
 */
void sup_payload_move(struct sup_payload *to, struct sup_payload *from)
{
	to->len = from->len;
	to->large = from->large;
	if (!from->large)
		memcpy(to->small, from->small, ALIGN(from->len, 8));
	from->large = NULL;
	from->len = 0;
}

/**
 * sup_payload_free - free a payload's memory and give back what it cost
 * @payload: the payload; empty afterwards
 *
 * Context: process; may sleep.
 */
void sup_payload_free(struct sup_payload *payload)
{
	struct sup_large *large = payload->large;

	if (!large)
		return;
	if (refcount_dec_and_test(&large->refs)) {
		if (large->account)
			sup_account_uncharge(large->account, SUPERVISOR_LIMIT_BYTES, payload->len);
		sup_account_put(large->account);
		kvfree(large);
	}
	payload->large = NULL;
	payload->len = 0;
}

/**
 * sup_payload_bytes - a payload's bytes
 * @payload: the payload
 *
 * Context: any.
 * Return: where they are.
 */
const void *sup_payload_bytes(const struct sup_payload *payload)
{
	return payload->large ? payload->large->bytes : payload->small;
}

/**
 * sup_payload_copy_to_user - copy a payload to user space
 * @payload: the payload
 * @to: room for it
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_payload_copy_to_user(const struct sup_payload *payload, void __user *to)
{
	return sup_copy_to_user(to, sup_payload_bytes(payload), payload->len);
}

/**
 * sup_payload_deliver - copy a payload to user space as part of a message
 * @payload: the payload
 * @to: room for it, rounded up to a multiple of 8; so much is written
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_payload_deliver(const struct sup_payload *payload, void __user *to)
{
	return sup_copy_to_user(to, sup_payload_bytes(payload), ALIGN(payload->len, 8));
}

static u32 sender_uid(const struct sup_sender *sender, struct user_namespace *ns)
{
	/* Which maps each user to itself. */
	if (ns == &init_user_ns)
		return __kuid_val(sender->uid);
	return from_kuid_munged(ns, sender->uid);
}

/**
 * sup_data_write - begin a cast or a call as a message
 * @data: all of it is written; its pid is the reader's affair
 * @type: SUPERVISOR_MSG_CAST or SUPERVISOR_MSG_CALL
 * @ref: of the message
 * @sender: who sent it
 * @ns: in which to number its user
 * @len: bytes of its payload
 *
 * Context: any.
 */
void sup_data_write(struct supervisor_msg_data *data, u16 type, u64 ref,
		    const struct sup_sender *sender, struct user_namespace *ns, u32 len)
{
	const struct sup_origin *origin = sender->origin;
	struct supervisor_msg *head = &data->head;

	head->size = sup_data_size(len, NULL);
	head->type = type;
	head->flags = 0;
	head->supervisor = origin ? origin->identity.supervisor : 0;
	head->child = origin ? origin->identity.child : 0;
	head->ref = ref;
	head->time_ns = sender->time_ns;
	head->pid = 0;
	head->uid = sender_uid(sender, ns);
	head->incarnation = origin ? origin->identity.incarnation : 0;
	head->__reserved = 0;
	data->payload_len = len;
	data->path_len = 0;
	data->payload_offset = sizeof(*data);
}

/**
 * sup_data_path - let a message have a path, or none
 * @data: the message
 * @path: whose path follows its payload, or NULL
 *
 * Context: any.
 */
void sup_data_path(struct supervisor_msg_data *data, const struct sup_origin *path)
{
	data->head.size = sup_data_size(data->payload_len, path);
	data->head.flags = path ? SUPERVISOR_MSG_F_PATH : 0;
	data->path_len = path ? path->path_len : 0;
}

/**
 * sup_data_deliver_path - write the path that follows a message's payload
 * @data: the message
 * @path: whose it is, or NULL
 * @to: where the message is
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_data_deliver_path(const struct supervisor_msg_data *data, const struct sup_origin *path,
			  u8 __user *to)
{
	u32 at, end;

	if (!path)
		return 0;
	at = sup_data_size(data->payload_len, NULL);
	end = at + path->path_len;
	return copy_to_user(to + at, path->path, path->path_len) ||
	       clear_user(to + end, data->head.size - end) ? -EFAULT : 0;
}

/**
 * sup_data_deliver - write a cast or a call with its payload to user space
 * @data: the message
 * @payload: its payload
 * @path: with whose path, or NULL
 * @to: room for its size
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_data_deliver(const struct supervisor_msg_data *data, const struct sup_payload *payload,
		     const struct sup_origin *path, u8 __user *to)
{
	return sup_copy_to_user(to, data, sizeof(*data)) ||
	       sup_payload_deliver(payload, to + sizeof(*data)) ||
	       sup_data_deliver_path(data, path, to) ? -EFAULT : 0;
}
