/* SPDX-License-Identifier: GPL-2.0 */
/*
 * name - what a name may be, and how names are compared. Pure.
 *
 * Child ids and object names share one alphabet: any bytes but NUL, '/' and
 * the C0 controls and DEL. '/' is left out of ids because it joins them to
 * paths ("shop/web/2"); an object's name has it once, as its first byte.
 */
#ifndef SUP_NAME_H
#define SUP_NAME_H

#include <linux/types.h>

/* The longest child id, and the longest object name without its '/'. */
#define SUP_NAME_MAX 255

/**
 * struct sup_name - a name and its hash
 * @bytes: the name; not NUL-terminated
 * @len: its length in bytes, 1 to %SUP_NAME_MAX
 * @hash: sup_name_hash() of it
 *
 * Lifetime: borrows @bytes from whoever made it.
 * Locking: a value.
 * Context: any.
 */
struct sup_name {
	const char *bytes;
	u32 len;
	u32 hash;
};

bool sup_name_valid(const char *bytes, size_t len);
u32 sup_name_hash(const char *bytes, size_t len);
struct sup_name sup_name_make(const char *bytes, size_t len);
bool sup_name_equal(const struct sup_name *a, const struct sup_name *b);

#endif
