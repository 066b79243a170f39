/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lineage - who asked for a process, who asked for that one, and so on: Elixir's
 * $callers. Also the records in which a lineage is told.
 */
#ifndef SUP_LINEAGE_H
#define SUP_LINEAGE_H

#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include <linux/supervisor.h>

struct sup_account;
struct sup_origin;
struct sup_who;

/**
 * struct sup_caller - a process that has asked for another one
 * @refs: references: each chain with it has one
 * @account: const, referenced: pays for it
 * @pid: const, referenced: its identity
 * @start_ns: const: as struct sup_who has it
 * @origin: const, referenced: which child it was; NULL when it was nobody's
 *
 * Lifetime: from the first time it asks to the end of the last chain with it; the
 *	process may be long dead.
 * Locking: none: it never changes.
 * Context: none of its own.
 */
struct sup_caller {
	refcount_t refs;
	struct sup_account *account;
	struct pid *pid;
	u64 start_ns;
	struct sup_origin *origin;
};

/**
 * struct sup_callers - a chain of callers: a child's lineage
 * @refs: references: each child that was asked for in this way has one, and each
 *	event about such a child that is unread
 * @nr: const: callers, 1 to %SUPERVISOR_CALLERS_MAX
 * @account: const, referenced: pays for it
 * @caller: const, referenced: who asked, and who asked for the one before
 *
 * What one process asks of one supervisor in a row shares a chain, and the chain of who asks
 * shares the callers of its own. So a chain keeps no other chain, and an endless row
 * of processes, each of which asks for the next, keeps no more than its last.
 *
 * Lifetime: from the call that asks to the last child's spec that was so asked for.
 * Locking: none: it never changes.
 * Context: references may be dropped anywhere but in the exit hook.
 */
struct sup_callers {
	refcount_t refs;
	u32 nr;
	struct sup_account *account;
	struct sup_caller *caller[];
};

struct sup_callers *sup_callers_make(struct sup_account *account, const struct sup_who *who,
				     struct sup_callers *last, u32 *limit);
struct sup_callers *sup_callers_get(struct sup_callers *callers);
void sup_callers_put(struct sup_callers *callers);
u32 sup_callers_nr(const struct sup_callers *callers);
struct pid *sup_callers_first_pid(const struct sup_callers *callers);
pid_t sup_callers_first(const struct sup_callers *callers, struct pid_namespace *ns);

size_t sup_lineage_entry_size(size_t id_len, size_t path_len);
size_t sup_callers_size(const struct sup_callers *callers);
int sup_callers_deliver(const struct sup_callers *callers, u8 __user *to);

#endif
