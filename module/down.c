// SPDX-License-Identifier: GPL-2.0
/*
 * down - the message that something is dead.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "down.h"

/**
 * sup_down_init - prepare what will be told
 * @down: it; zeroed
 * @ops: of its post
 * @type: SUPERVISOR_MSG_DOWN or SUPERVISOR_MSG_EXIT
 *
 * Context: process: who asks for it.
 */
void sup_down_init(struct sup_down *down, const struct sup_post_ops *ops, u16 type)
{
	sup_post_init(&down->post, ops);
	down->type = type;
	down->uid = current_euid();
}

/**
 * sup_down_destroy - the counterpart
 * @down: it, nowhere queued
 *
 * Context: any.
 */
void sup_down_destroy(struct sup_down *down)
{
	put_pid(down->pid);
}

/**
 * sup_down_process - say how a process ended
 * @down: it, not yet queued
 * @exit: how
 * @identity: which child it was
 *
 * Context: any.
 */
void sup_down_process(struct sup_down *down, const struct sup_exit *exit,
		      const struct sup_identity *identity)
{
	down->exit = *exit;
	down->identity = *identity;
}

/**
 * sup_down_noproc - say that something ended, and no more of it than why
 * @down: it, not yet queued
 * @reason: SUPERVISOR_EXIT_*
 *
 * Context: any.
 */
void sup_down_noproc(struct sup_down *down, u32 reason)
{
	down->exit = (struct sup_exit){ .reason = reason, .time_ns = ktime_get_ns() };
}

/**
 * sup_down_deliver - write the message
 * @down: it
 * @to: where to
 * @room: bytes there
 * @needed: set with -EMSGSIZE
 *
 * Context: process: the reader; may sleep.
 * Return: its bytes, -EMSGSIZE or -EFAULT.
 */
ssize_t sup_down_deliver(const struct sup_down *down, void __user *to, size_t room, size_t *needed)
{
	const struct sup_exit *exit = &down->exit;
	struct supervisor_msg_down msg = {
		.head = {
			.size = sizeof(msg),
			.type = down->type,
			.supervisor = down->supervisor ?: down->identity.supervisor,
			.child = down->identity.child,
			.ref = down->post.ref,
			.time_ns = exit->time_ns,
			.pid = pid_vnr(down->pid),
			.uid = from_kuid_munged(current_user_ns(), down->uid),
			.incarnation = down->identity.incarnation,
		},
		.reason = exit->reason,
		.status = exit->status,
		.what = down->what,
		.exit_seq = exit->seq,
		.utime_ns = exit->utime_ns,
		.stime_ns = exit->stime_ns,
		.maxrss_kb = exit->maxrss_kb,
	};

	if (sizeof(msg) > room) {
		*needed = sizeof(msg);
		return -EMSGSIZE;
	}
	return copy_to_user(to, &msg, sizeof(msg)) ? -EFAULT : (ssize_t)sizeof(msg);
}
