// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * peek.c - owns reading a registry's mapping: <linux/supervisor.h> has its layout, at
 * struct supervisor_map.
 *
 * The kernel writes while we read, so that all is read by atomic loads: what was read
 * counts only when the bucket's seq is the same afterwards as before. The acquire load
 * of seq pairs with the kernel's barrier before it makes it even again, the acquire
 * fence with the one after it has made it odd: whoever has seen any of a change sees
 * that seq has changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "internal.h"

/* Slots of a bucket that are gone past, and how often a bucket is begun anew. */
#define PROBES 16
#define TRIES 8

typedef unsigned long word __attribute__((may_alias));

#define load(p) __atomic_load_n((p), __ATOMIC_RELAXED)

static const void *at(const struct supervisor_map *shown, uint64_t offset)
{
	return (const unsigned char *)shown + offset;
}

/* ---- finding ---------------------------------------------------------- */

static const struct supervisor_map_slot *
slot_at(const struct supervisor_map *shown, uint32_t number)
{
	uint64_t index = number & (shown->slots - 1);

	return at(shown, shown->slots_offset + index * shown->slot_bytes);
}

/* Word by word; what is torn will be found out. */
static void slot_copy(struct supervisor_map_slot *to,
		      const struct supervisor_map_slot *from)
{
	const word *src = (const word *)from;
	word *dst = (word *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(word); i++)
		dst[i] = load(&src[i]);
}

static bool slot_is(const struct supervisor_map_slot *slot, uint64_t hash,
		    const void *key, size_t len)
{
	return slot->hash == hash && slot->key_len == len &&
	       !memcmp(slot->data, key,
		       len < sizeof(slot->data) ? len : sizeof(slot->data));
}

static bool owner_lives(const struct supervisor_map *shown,
			const struct supervisor_map_slot *slot)
{
	const uint32_t *owners = at(shown, shown->owners_offset);

	return load(&owners[slot->owner & (shown->slots - 1)]) ==
	       slot->generation;
}

/* As sup_map_find(), and perhaps of something that never was. */
static int bucket_find(const struct supervisor_map *shown, uint32_t first,
		       uint64_t hash, const void *key, size_t len,
		       struct supervisor_map_slot *found)
{
	const struct supervisor_map_slot *slot;
	uint32_t next = first;
	word begins;

	memcpy(&begins, &hash, sizeof(begins));
	for (int probes = 0; next; probes++) {
		if (probes == PROBES)
			return -EAGAIN;
		slot = slot_at(shown, next - 1);
		if (load((const word *)slot) == begins) {
			slot_copy(found, slot);
			if (slot_is(found, hash, key, len))
				return owner_lives(shown, found);
		}
		next = load(&slot->next);
	}
	return 0;
}

int sup_map_find(const struct supervisor_map *shown, const void *key, size_t len,
		 struct supervisor_map_slot *found)
{
	uint64_t hash = sup_siphash((const uint64_t *)shown->key, key, len);
	const struct supervisor_map_bucket *bucket =
		at(shown, shown->buckets_offset);

	bucket += hash & (shown->slots - 1);
	for (int tries = 0; tries < TRIES; tries++) {
		uint32_t seq = __atomic_load_n(&bucket->seq, __ATOMIC_ACQUIRE);
		int ret;

		if (seq & 1)
			continue;
		ret = bucket_find(shown, load(&bucket->first), hash, key, len,
				  found);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (load(&bucket->seq) == seq)
			return ret;
	}
	return -EAGAIN;
}

/* ---- the mapping ------------------------------------------------------ */

/*
 * In a page that is zeroed for a child which is forked, as the mapping is not there for
 * it: so it asks the ioctl.
 */
struct view {
	const struct supervisor_map *shown;
	size_t size;
};

struct sup_registry_map {
	int registry;		/* for the ioctl: ours */
	struct view *view;
};

static struct view *view_new(void)
{
	struct view *view = mmap(NULL, sizeof(*view), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (view == MAP_FAILED)
		return NULL;
	if (!madvise(view, sizeof(*view), MADV_WIPEONFORK))
		return view;
	munmap(view, sizeof(*view));
	return NULL;
}

static bool is_within(const struct supervisor_map *shown, uint64_t offset,
		      uint64_t bytes)
{
	return offset <= shown->bytes &&
	       bytes <= (shown->bytes - offset) / shown->slots;
}

/* Is it what this library reads, and all there? */
static int shown_check(const struct supervisor_map *shown, size_t size)
{
	if (shown->version != SUPERVISOR_MAP_VERSION)
		return -EOPNOTSUPP;
	if (!shown->slots || shown->slots & (shown->slots - 1) ||
	    shown->slot_bytes < sizeof(struct supervisor_map_slot) ||
	    shown->bytes > size ||
	    !is_within(shown, shown->buckets_offset,
		       sizeof(struct supervisor_map_bucket)) ||
	    !is_within(shown, shown->owners_offset, sizeof(uint32_t)) ||
	    !is_within(shown, shown->slots_offset, shown->slot_bytes))
		return -EPROTO;
	return 0;
}

static int view_map(struct view *view, int registry)
{
	struct supervisor_registry_status status = { .size = sizeof(status) };
	int ret = sup_registry_status(registry, &status);
	void *shown;

	if (ret)
		return ret;
	if (!status.out_map_bytes)
		return -ENODEV;
	if (status.out_map_bytes > SIZE_MAX)
		return -ENOMEM;
	shown = mmap(NULL, status.out_map_bytes, PROT_READ, MAP_SHARED,
		     registry, 0);
	if (shown == MAP_FAILED)
		return -errno;
	view->size = status.out_map_bytes;
	ret = shown_check(shown, view->size);
	if (ret)
		munmap(shown, view->size);
	else
		view->shown = shown;
	return ret;
}

static int map_begin(struct sup_registry_map *map, int registry)
{
	int ret;

	map->view = view_new();
	if (!map->view)
		return -ENOMEM;
	ret = view_map(map->view, registry);
	if (!ret) {
		map->registry = fcntl(registry, F_DUPFD_CLOEXEC, 0);
		if (map->registry >= 0)
			return 0;
		ret = -errno;
		munmap((void *)map->view->shown, map->view->size);
	}
	munmap(map->view, sizeof(*map->view));
	return ret;
}

int sup_registry_map(int registry, struct sup_registry_map **map)
{
	struct sup_registry_map *new = sup_realloc(NULL, sizeof(*new));
	int saved = errno;
	int ret = new ? map_begin(new, registry) : -ENOMEM;

	errno = saved;
	*map = ret ? NULL : new;
	if (ret)
		sup_free(new);
	return ret;
}

void sup_registry_unmap(struct sup_registry_map *map)
{
	int saved = errno;

	if (!map)
		return;
	if (map->view->shown)
		munmap((void *)map->view->shown, map->view->size);
	munmap(map->view, sizeof(*map->view));
	errno = saved;
	sup_close(map->registry);
	sup_free(map);
}

/* ---- peeking ---------------------------------------------------------- */

/* As sup_lookup() returns. */
static int slot_answer(const struct supervisor_map_slot *slot, void *value,
		       size_t *value_len, struct sup_result *local)
{
	size_t room = value && value_len ? *value_len : 0;

	local->pid = slot->pid;
	local->id = slot->id;
	if (value_len)
		*value_len = slot->value_len;
	if (value && slot->value_len > room)
		return -EMSGSIZE;
	if (value)
		memcpy(value, slot->data + slot->key_len, slot->value_len);
	return slot->flags & SUPERVISOR_MAP_F_MAILBOX;
}

int sup_registry_peek(const struct sup_registry_map *map, const void *key,
		      size_t key_len, void *value, size_t *value_len,
		      struct sup_result *result)
{
	const struct supervisor_map *shown = map->view->shown;
	struct supervisor_map_slot slot;
	struct sup_result local;
	int ret = -EAGAIN;

	/* A key that is longer is never wholly there, nor is one of no bytes. */
	if (shown && key_len && key_len <= sizeof(slot.data))
		ret = sup_map_find(shown, key, key_len, &slot);
	if (ret < 0 || (ret && value &&
			slot.value_len > sizeof(slot.data) - slot.key_len))
		return sup_lookup(map->registry, key, key_len, value, value_len,
				  result);
	if (sup_result_begin(result, &local))
		return -EINVAL;
	if (ret) {
		ret = slot_answer(&slot, value, value_len, &local);
	} else {
		ret = -ENOENT;
		if (value_len)
			*value_len = 0;
	}
	sup_result_end(result, &local);
	return ret;
}
