/* SPDX-License-Identifier: GPL-2.0 */
/*
 * park - calls whose callers a signal interrupted, kept under a number for who
 * comes back with it through the same file. The lists' owners lock them.
 */
#ifndef SUP_PARK_H
#define SUP_PARK_H

#include <linux/list.h>
#include <linux/types.h>

struct file;

/**
 * struct sup_parked - a call's place among those that are parked
 * @node: in the list, which has the caller's reference; empty otherwise
 * @file: through which it was made; it outlasts that
 * @number: its name, the same each time and never another's; 0 before the first
 *
 * Lifetime: of the call.
 * Locking: that of the list.
 */
struct sup_parked {
	struct list_head node;
	struct file *file;
	u64 number;
};

int sup_park_errno(int ret);
u64 sup_park(struct list_head *list, struct sup_parked *parked, struct file *file);
struct sup_parked *sup_parked_find(struct list_head *list, const struct file *file,
				   u64 number);
void sup_parked_take_all(struct list_head *list, const struct file *file, struct list_head *to);

#endif
