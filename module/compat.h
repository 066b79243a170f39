/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat - the range of kernels this module is for, and the only place where
 * their differences show. Each entry says what, since when, delete when.
 */
#ifndef SUP_COMPAT_H
#define SUP_COMPAT_H

#include <linux/mm.h>
#include <linux/stringify.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "supervisor.ko needs Linux 6.1 or newer"
#endif

/* The newest release that the tests have run on. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0) && !defined(SUP_UNTESTED)
#error "supervisor.ko is tested up to Linux 7.3; build with SUP_UNTESTED=1 to try"
#endif

/*
 * The symbols that supervisor_kunit.ko tests live in a namespace of their own.
 * EXPORT_SYMBOL_NS and MODULE_IMPORT_NS take a string since 6.13; delete when
 * 6.12 is no longer supported.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define SUP_NS(name) name
#else
#define SUP_NS(name) __stringify(name)
#endif

/*
 * The flags of a mapping are changed by vm_flags_mod() since 6.3; delete when 6.1 is no
 * longer supported.
 */
static inline void sup_vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#else
	vm_flags_mod(vma, set, clear);
#endif
}

/* For module/tests/exports.c, which is built where the kernel has KUnit. */
#define SUP_EXPORT_FOR_KUNIT(symbol) EXPORT_SYMBOL_NS_GPL(symbol, SUP_NS(SUPERVISOR_KUNIT))

#endif
