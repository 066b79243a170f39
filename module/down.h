/* SPDX-License-Identifier: GPL-2.0 */
/*
 * down - the message that something is dead: the DOWN of a monitor, the EXIT of
 * a link.
 */
#ifndef SUP_DOWN_H
#define SUP_DOWN_H

#include <linux/uidgid.h>

#include "mailbox.h"
#include "process.h"

/**
 * struct sup_down - what is told of a death, and the message that tells it
 * @post: M: of the mailbox that gets it
 * @type: const: SUPERVISOR_MSG_DOWN or SUPERVISOR_MSG_EXIT
 * @what: const: SUPERVISOR_DOWN_OF_*
 * @pid: const: referenced: who died; NULL when it is no process
 * @supervisor: const: the supervisor that it is, or 0
 * @uid: const: of who asked for it
 * @exit: how it ended; const once @post is queued
 * @identity: likewise: which child it was
 *
 * Lifetime: embedded in the monitor or link.
 */
struct sup_down {
	struct sup_post post;
	u16 type;
	u16 what;
	struct pid *pid;
	u64 supervisor;
	kuid_t uid;
	struct sup_exit exit;
	struct sup_identity identity;
};

void sup_down_init(struct sup_down *down, const struct sup_post_ops *ops, u16 type);
void sup_down_destroy(struct sup_down *down);
void sup_down_process(struct sup_down *down, const struct sup_exit *exit,
		      const struct sup_identity *identity);
void sup_down_noproc(struct sup_down *down, u32 reason);
ssize_t sup_down_deliver(const struct sup_down *down, void __user *to, size_t room,
			 size_t *needed);

#endif
