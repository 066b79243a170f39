// SPDX-License-Identifier: GPL-2.0
/*
 * copy - few bytes to and from user space.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/fault-inject-usercopy.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "copy.h"

/* From here on the processor's own way is better. */
#define FEW 512

#define WORD sizeof(long)

static bool is_few(const void __user *user, size_t len)
{
	return len <= FEW && IS_ALIGNED((unsigned long)user, WORD);
}

/*
 * Between user_access_begin() and user_access_end(), where no function may be called.
 * A loop of single words would cost twice as much.
 */

static __always_inline bool unsafe_get(void *to, const void __user *from, size_t len)
{
	const unsigned long __user *in = from;
	unsigned long *out = to;
	size_t i;

	for (; len >= 4 * WORD; len -= 4 * WORD, in += 4, out += 4) {
		unsafe_get_user(out[0], in, fault);
		unsafe_get_user(out[1], in + 1, fault);
		unsafe_get_user(out[2], in + 2, fault);
		unsafe_get_user(out[3], in + 3, fault);
	}
	for (; len >= WORD; len -= WORD)
		unsafe_get_user(*out++, in++, fault);
	for (i = 0; i < len; i++)
		unsafe_get_user(((u8 *)out)[i], (const u8 __user *)in + i, fault);
	return true;

fault:
	return false;
}

static __always_inline bool unsafe_put(void __user *to, const void *from, size_t len)
{
	unsigned long __user *out = to;
	const unsigned long *in = from;
	size_t i;

	for (; len >= 4 * WORD; len -= 4 * WORD, in += 4, out += 4) {
		unsafe_put_user(in[0], out, fault);
		unsafe_put_user(in[1], out + 1, fault);
		unsafe_put_user(in[2], out + 2, fault);
		unsafe_put_user(in[3], out + 3, fault);
	}
	for (; len >= WORD; len -= WORD)
		unsafe_put_user(*in++, out++, fault);
	for (i = 0; i < len; i++)
		unsafe_put_user(((const u8 *)in)[i], (u8 __user *)out + i, fault);
	return true;

fault:
	return false;
}

/* What is in one page, or in two. */
static __always_inline bool unsafe_put_ends(void __user *to, const void *from, size_t len)
{
	size_t last = len - WORD;

	return unsafe_put(to, from, WORD) && unsafe_put(to + last, from + last, WORD);
}

/**
 * sup_copy_from_user - copy bytes from user space
 * @to: where to, aligned as a long is
 * @from: where they are
 * @len: how many; within what @to points to
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_copy_from_user(void *to, const void __user *from, size_t len)
{
	bool ok;

	might_fault();
	if (!is_few(from, len))
		return copy_from_user(to, from, len) ? -EFAULT : 0;
	if (should_fail_usercopy() || !user_read_access_begin(from, len))
		return -EFAULT;
	ok = unsafe_get(to, from, len);
	user_read_access_end();
	return ok ? 0 : -EFAULT;
}

/**
 * sup_copy_to_user - copy bytes to user space
 * @to: where to
 * @from: where they are, aligned as a long is
 * @len: how many; within what @from points to
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int sup_copy_to_user(void __user *to, const void *from, size_t len)
{
	bool ok;

	might_fault();
	if (!is_few(to, len))
		return copy_to_user(to, from, len) ? -EFAULT : 0;
	if (should_fail_usercopy() || !user_write_access_begin(to, len))
		return -EFAULT;
	ok = unsafe_put(to, from, len);
	user_write_access_end();
	return ok ? 0 : -EFAULT;
}

/**
 * sup_copy_struct_from_user - copy a struct that is to be written back
 * @to: where to, aligned as a long is
 * @from: where it is
 * @len: its bytes, a multiple of 8, at most a page
 *
 * Makes sure that it can be written, but for other threads that change this.
 * Context: process; may sleep.
 * Return: 0; -EFAULT; -EINVAL when it is not aligned or its first __u32, which is its
 *	size, is not @len.
 */
int sup_copy_struct_from_user(void *to, void __user *from, size_t len)
{
	bool ok, same;

	might_fault();
	if (!IS_ALIGNED((unsigned long)from, WORD))
		return -EINVAL;
	if (should_fail_usercopy() || !user_access_begin(from, len))
		return -EFAULT;
	ok = unsafe_get(to, from, len);
	same = ok && *(u32 *)to == len;
	if (same)
		ok = unsafe_put_ends(from, to, len);
	user_access_end();
	if (!ok)
		return -EFAULT;
	return same ? 0 : -EINVAL;
}
