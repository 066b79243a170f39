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

#include "account.h"
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
 * sup_sender_write - what the head of a message says of its sender
 * @sender: the sender
 * @ns: in which to number its user
 * @head: written, but for @pid, which is the reader's affair
 *
 * Context: any.
 */
void sup_sender_write(const struct sup_sender *sender, struct user_namespace *ns,
		      struct supervisor_msg *head)
{
	head->uid = from_kuid_munged(ns, sender->uid);
	head->time_ns = sender->time_ns;
	if (!sender->origin)
		return;
	head->supervisor = sender->origin->identity.supervisor;
	head->child = sender->origin->identity.child;
	head->incarnation = sender->origin->identity.incarnation;
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
		payload->account = sup_account_get(account);
	return ret;
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
	const void __user *from = u64_to_user_ptr(uptr);

	payload->len = len;
	payload->large = NULL;
	payload->account = NULL;
	if (len <= SUP_PAYLOAD_SMALL)
		return copy_from_user(payload->small, from, len) ? -EFAULT : 0;

	payload->large = kvmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!payload->large)
		return -ENOMEM;
	if (!copy_from_user(payload->large, from, len))
		return 0;
	sup_payload_free(payload);
	return -EFAULT;
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
	struct sup_account *account;
	int ret = sup_payload_read(payload, uptr, len);

	if (ret || !payload->large)
		return ret;
	account = sup_account_get_current();
	ret = account ? sup_payload_charge(payload, account) : -ENOMEM;
	sup_account_put(account);
	if (ret == -EDQUOT)
		*limit = SUPERVISOR_LIMIT_BYTES;
	if (ret)
		sup_payload_free(payload);
	return ret;
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
	to->account = from->account;
	if (!from->large)
		memcpy(to->small, from->small, from->len);
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
	if (!payload->large)
		return;
	kvfree(payload->large);
	if (payload->account)
		sup_account_uncharge(payload->account, SUPERVISOR_LIMIT_BYTES, payload->len);
	sup_account_put(payload->account);
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
	return payload->large ?: payload->small;
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
	return copy_to_user(to, sup_payload_bytes(payload), payload->len) ? -EFAULT : 0;
}

/**
 * sup_data_size - bytes of a struct supervisor_msg_data with all that follows it
 * @payload_len: bytes of the payload
 * @path: whose path follows that, or NULL
 *
 * Context: any.
 * Return: the bytes, a multiple of 8.
 */
u32 sup_data_size(u32 payload_len, const struct sup_origin *path)
{
	return sizeof(struct supervisor_msg_data) + ALIGN(payload_len, 8) +
	       (path ? ALIGN(path->path_len + 1, 8) : 0);
}

/**
 * sup_data_write_path - write what follows the bytes of a payload
 * @to: where the message is
 * @payload_len: bytes of the payload
 * @path: whose path follows, or NULL
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_data_write_path(u8 __user *to, u32 payload_len, const struct sup_origin *path)
{
	u32 at = sizeof(struct supervisor_msg_data) + payload_len;
	u32 pad = ALIGN(payload_len, 8) - payload_len;
	u32 end;

	if (clear_user(to + at, pad))
		return -EFAULT;
	if (!path)
		return 0;
	at += pad;
	end = at + path->path_len;
	return copy_to_user(to + at, path->path, path->path_len) ||
	       clear_user(to + end, ALIGN(end + 1, 8) - end) ? -EFAULT : 0;
}

/**
 * sup_data_deliver - write a cast or a call with its payload to user space
 * @data: the message; its sizes and offsets are filled in
 * @payload: its payload
 * @path: with whose path, or NULL
 * @to: room for sup_data_size()
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_data_deliver(struct supervisor_msg_data *data, const struct sup_payload *payload,
		     const struct sup_origin *path, u8 __user *to)
{
	data->head.size = sup_data_size(payload->len, path);
	data->payload_len = payload->len;
	data->payload_offset = sizeof(*data);
	if (path) {
		data->head.flags |= SUPERVISOR_MSG_F_PATH;
		data->path_len = path->path_len;
	}
	return copy_to_user(to, data, sizeof(*data)) ||
	       sup_payload_copy_to_user(payload, to + sizeof(*data)) ||
	       sup_data_write_path(to, payload->len, path) ? -EFAULT : 0;
}
