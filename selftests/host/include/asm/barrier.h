/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_ASM_BARRIER_H
#define HOST_ASM_BARRIER_H

#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#endif
