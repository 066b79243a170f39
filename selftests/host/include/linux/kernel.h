/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_KERNEL_H
#define HOST_LINUX_KERNEL_H

#include <linux/types.h>
#include <stdio.h>

#endif
