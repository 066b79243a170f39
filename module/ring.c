// SPDX-License-Identifier: GPL-2.0
/*
 * ring - a ring of bytes that holds messages which need no memory of their own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/slab.h>

#include "ring.h"

/**
 * sup_ring_init - set memory aside
 * @ring: the ring, all zero
 * @size: its bytes, a power of two
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sup_ring_init(struct sup_ring *ring, u32 size)
{
	ring->bytes = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	ring->size = size;
	return ring->bytes ? 0 : -ENOMEM;
}

/**
 * sup_ring_destroy - free a ring and what its records refer to
 * @ring: a ring that nobody else uses
 *
 * Context: may sleep.
 */
void sup_ring_destroy(struct sup_ring *ring)
{
	struct sup_ring_record *record;

	while ((record = sup_ring_first(ring))) {
		if (record->kind != SUP_RING_VOID)
			sup_ring_void(ring, record);
		ring->tail += record->size;
	}
	kvfree(ring->bytes);
}
