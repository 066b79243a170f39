/* SPDX-License-Identifier: GPL-2.0 */
/*
 * copy - few bytes to and from user space. Most messages and every ioctl's struct
 * are of some ten words: to copy these one by one costs less than to find out how
 * to copy any number of bytes best.
 */
#ifndef SUP_COPY_H
#define SUP_COPY_H

#include <linux/types.h>

int sup_copy_from_user(void *to, const void __user *from, size_t len);
int sup_copy_to_user(void __user *to, const void *from, size_t len);
int sup_copy_struct_from_user(void *to, void __user *from, size_t len);

#endif
