// SPDX-License-Identifier: GPL-2.0
/*
 * park - calls whose callers a signal interrupted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched/signal.h>

#include "object.h"
#include "park.h"

/**
 * sup_park_errno - may a call be kept whose caller was waiting for it
 * @ret: what the wait returned
 *
 * Who is killed does not come back for it, and the file may stay open elsewhere.
 *
 * Context: process.
 * Return: @ret; -EINTR instead of -ERESTARTSYS, with which it would be kept, if the
 *	caller is being killed.
 */
int sup_park_errno(int ret)
{
	return ret == -ERESTARTSYS && fatal_signal_pending(current) ? -EINTR : ret;
}

/**
 * sup_park - keep a call for who comes back
 * @list: where
 * @parked: the call's, in no list
 * @file: through which it was made
 *
 * Context: holds the list's lock.
 * Return: the number under which it is kept.
 */
u64 sup_park(struct list_head *list, struct sup_parked *parked, struct file *file)
{
	parked->file = file;
	if (!parked->number)
		parked->number = sup_id_next();
	list_add(&parked->node, list);
	return parked->number;
}

/**
 * sup_parked_find - find a call that was kept
 * @list: where
 * @file: through which its caller comes back
 * @number: its number
 *
 * Context: holds the list's lock.
 * Return: the call's, still in the list, or NULL.
 */
struct sup_parked *sup_parked_find(struct list_head *list, const struct file *file,
				   u64 number)
{
	struct sup_parked *parked;

	list_for_each_entry(parked, list, node)
		if (parked->file == file && parked->number == number)
			return parked;
	return NULL;
}

/**
 * sup_parked_take_all - take all that were made through a file
 * @list: where they are
 * @file: the file, which is being closed
 * @to: where to
 *
 * Context: holds the list's lock.
 */
void sup_parked_take_all(struct list_head *list, const struct file *file, struct list_head *to)
{
	struct sup_parked *parked, *next;

	list_for_each_entry_safe(parked, next, list, node)
		if (parked->file == file)
			list_move(&parked->node, to);
}
