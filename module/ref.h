/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ref - the numbered members of a mailbox: monitors (monitor.c) and aliases
 * (alias.c), and what is both.
 */
#ifndef SUP_REF_H
#define SUP_REF_H

#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "object.h"

struct sup_account;
struct sup_mailbox;
struct sup_ref;

enum sup_ref_monitor {
	SUP_MONITOR_NONE,	/* it monitors nothing, or no more */
	SUP_MONITOR_ACTIVE,	/* it waits for the death */
	SUP_MONITOR_FIRED	/* its DOWN is in the mailbox, or being read */
};

/**
 * struct sup_ref_ops - what ref.c needs of each kind
 * @drop: M: the monitor is over; take its DOWN out of the mailbox
 * @release: nobody can find it any more: let go of what is monitored. May sleep
 * @free: frees the memory, in which nobody looks any more. Does not sleep
 */
struct sup_ref_ops {
	void (*drop)(struct sup_ref *ref);
	void (*release)(struct sup_ref *ref);
	void (*free)(struct sup_ref *ref);
};

/**
 * struct sup_ref - a member of a mailbox
 * @node: M: in sup_mailbox.refs, by @id; empty when it is over
 * @id: const once it is in there: its number
 * @refs: references: one while it is in there; who looks at it
 * @monitor: M
 * @alias: M: SUPERVISOR_ALIAS_*; NONE when it is no alias, or off
 * @was_alias: const: somebody may find it by RCU
 * @charged: counted in SUPERVISOR_LIMIT_REFS: M while it is in there; then who drops
 *	the last reference
 * @alias_node: B: in the table of aliases while @alias is not NONE
 * @mailbox: const, referenced: whose member it is
 * @account: const, referenced: who pays
 * @ops: const
 * @rcu: frees it
 *
 * A ref is in its mailbox as long as its monitor is not over or its alias is on.
 *
 * Lifetime: sup_ref_init(), then sup_ref_add() or not; until the last reference.
 * Locking: per member.
 * Context: sup_ref_put() may sleep.
 */
struct sup_ref {
	struct rb_node node;
	u64 id;
	refcount_t refs;
	u8 monitor;
	u8 alias;
	bool was_alias;
	bool charged;
	struct hlist_node alias_node;
	struct sup_mailbox *mailbox;
	struct sup_account *account;
	const struct sup_ref_ops *ops;
	struct rcu_head rcu;
};

/* ref.c */
int sup_ref_init(struct sup_ref *ref, const struct sup_ref_ops *ops, struct sup_mailbox *mailbox,
		 u32 *limit);
void sup_ref_add(struct sup_ref *ref);
void sup_ref_put(struct sup_ref *ref);
bool sup_ref_settle_locked(struct sup_ref *ref);
int sup_ref_end(struct sup_ucmd *ucmd, bool (*end)(struct sup_ref *ref, u32 flags));
void sup_refs_close(struct sup_mailbox *mailbox);

/* monitor.c */
int sup_monitor_init(void);
void sup_monitor_exit(void);
int sup_monitor_create(struct sup_ucmd *ucmd);
int sup_monitor_demonitor(struct sup_ucmd *ucmd);

/* alias.c */
bool sup_alias_on(struct sup_ref *ref);
void sup_alias_off_locked(struct sup_ref *ref);
int sup_alias_create(struct sup_ucmd *ucmd);
int sup_alias_unalias(struct sup_ucmd *ucmd);
int sup_alias_send(struct sup_ucmd *ucmd);

#endif
