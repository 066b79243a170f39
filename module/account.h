/* SPDX-License-Identifier: GPL-2.0 */
/*
 * account - who pays for what user space can multiply, and the limits.
 *
 * An account belongs to a user in a user namespace. Its parent is that of the
 * namespace's owner in the parent namespace; a charge is made to the whole
 * chain, so that sub-uids and nested namespaces multiply nothing.
 */
#ifndef SUP_ACCOUNT_H
#define SUP_ACCOUNT_H

#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include <linux/supervisor.h>

struct user_namespace;

/* Mailboxes that follow one root: each event is written to all of them. */
#define SUP_SUBSCRIPTIONS_MAX 64

/* What a mailbox may be created with: casts and calls, bytes of their payloads. */
#define SUP_MAILBOX_MESSAGES_MAX 1048576
#define SUP_MAILBOX_BYTES_MAX (64U << 20)

/* Mailboxes that one child's spec keeps for the next incarnation. */
#define SUP_KEPT_MAX 16

/* Keys that a registry's mapping may have room for. */
#define SUP_MAP_SLOTS_MAX 1048576

/**
 * struct sup_account - what one user has
 * @node: A: in the table
 * @refs: references; the table holds none
 * @uid: const
 * @ns: const, referenced
 * @parent: const, referenced; NULL in the initial namespace
 * @used: atomic: by SUPERVISOR_LIMIT_*
 *
 * Lifetime: from the first object of the user to its last.
 * Locking: per member.
 * Context: charging takes no lock and does not sleep.
 */
struct sup_account {
	struct hlist_node node;
	refcount_t refs;
	kuid_t uid;
	struct user_namespace *ns;
	struct sup_account *parent;
	atomic64_t used[SUPERVISOR_LIMIT_NR];
};

struct sup_account *sup_account_get_current(void);
struct sup_account *sup_account_get_current_like(struct sup_account *account);
struct sup_account *sup_account_get(struct sup_account *account);
void sup_account_put(struct sup_account *account);
int sup_account_charge(struct sup_account *account, u32 limit, u64 amount);
void sup_account_uncharge(struct sup_account *account, u32 limit, u64 amount);

u64 sup_limit(u32 limit);

#endif
