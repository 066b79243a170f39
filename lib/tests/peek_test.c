// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * peek_test.c - the library's reader of a registry's mapping, against the kernel's own
 * writer: what is found is what was shown, whole, and never the dead, while other
 * threads write; and nothing is read that is not there, whatever the table says.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "registry_slots.h"
#include "../internal.h"
#include "kernel.h"
#include "tap.h"

#define NR 64
#define KEYS 8
#define READERS 3
#define ROUNDS 100000
#define GARBAGE_ROUNDS 20000

static const uint64_t hash_key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

static struct supervisor_map *shown;
static struct sup_slot_own own[NR];
static struct sup_slots slots;

static uint64_t hash_of(const char *key)
{
	return sup_siphash(hash_key, key, strlen(key));
}

static size_t shown_size(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (sup_slots_bytes(NR) + page - 1) / page * page;
}

/* In exactly so many bytes, so that the sanitizer sees who leaves them. */
static void begin(void *memory)
{
	shown = memory ? memory : calloc(1, sup_slots_bytes(NR));
	if (!shown)
		abort();
	memset(own, 0, sizeof(own));
	sup_slots_init(&slots, shown, own, NR, (const u64 *)hash_key);
}

/* A process. */
struct owner {
	u32 word;
	u32 generation;
	s32 pid;
};

static struct owner owner_new(s32 pid)
{
	struct owner owner = { .pid = pid };

	if (!sup_slots_take_owner(&slots, &owner.word, &owner.generation))
		abort();
	return owner;
}

static void owner_die(const struct owner *owner)
{
	sup_slots_end_owner(&slots, owner->word, owner->generation);
}

static struct sup_slot_entry entry_of(const struct owner *owner, const char *key,
				      const char *value)
{
	return (struct sup_slot_entry){
		.id = 1000 + (u64)owner->pid,
		.owner = owner->word,
		.generation = owner->generation,
		.pid = owner->pid,
		.key_len = (u8)strlen(key),
		.value_len = (u16)strlen(value),
		.key = (const u8 *)key,
		.value = (const u8 *)value,
	};
}

static u32 show(const struct owner *owner, const char *key, const char *value)
{
	struct sup_slot_entry entry = entry_of(owner, key, value);
	u32 slot;

	if (!sup_slots_take(&slots, hash_of(key), &slot))
		abort();
	sup_slots_show(&slots, slot, &entry);
	return slot;
}

static void hide(u32 slot)
{
	sup_slots_hide(&slots, slot);
	sup_slots_give(&slots, slot);
}

static int find(const char *key, struct supervisor_map_slot *slot)
{
	return sup_map_find(shown, key, strlen(key), slot);
}

/* ---- one thing at a time ---------------------------------------------- */

/* The reference's vectors: of the bytes 0, 1, 2... under the key 0, 1, 2... */
static void test_siphash(void)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} cases[] = {
		{ 0, 0x726fdb47dd0e0e31 },
		{ 1, 0x74f839c593dc67fd },
		{ 8, 0x93f5f5799a932462 },
		{ 15, 0xa129ca6149be45e5 },
		{ 63, 0x958a324ceb064572 },
	};
	unsigned char bytes[64];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(sup_siphash(hash_key, bytes, cases[i].len) == cases[i].hash,
		   "SipHash of %zu bytes", cases[i].len);
}

static void test_find(void)
{
	struct supervisor_map_slot slot;
	struct owner owner;
	u32 at, other;

	begin(NULL);
	is(find("web", &slot), 0, "an empty table");
	owner = owner_new(7);
	at = show(&owner, "web", "one");
	is(find("web", &slot), 1, "a key");
	is(slot.pid, 7, "its process");
	is((long long)slot.id, 1007, "its number");
	ok(slot.value_len == 3 && !memcmp(slot.data + 3, "one", 3), "its value");
	is(find("we", &slot), 0, "not its beginning");
	other = show(&owner, "db", "");
	is(find("web", &slot) + find("db", &slot), 2, "two");
	owner_die(&owner);
	is(find("web", &slot) + find("db", &slot), 0, "none of the dead");
	hide(at);
	hide(other);
	sup_slots_give_owner(&slots, owner.word);
	owner = owner_new(8);
	at = show(&owner, "db", "two");
	is(find("web", &slot), 0, "what is hidden");
	is(find("db", &slot), 1, "what has its place");
	is(slot.pid, 8, "is another one's");
	hide(at);
	free(shown);
}

/* What a reader compares is another number after each change, and even. */
static void test_seq(void)
{
	const struct supervisor_map_bucket *bucket;
	struct sup_slot_entry entry;
	struct owner owner;
	u32 at, seq;

	begin(NULL);
	owner = owner_new(7);
	bucket = &slots.buckets[hash_of("web") % NR];
	seq = bucket->seq;
	at = show(&owner, "web", "one");
	is(bucket->seq - seq, 2, "showing a key is a change");
	entry = entry_of(&owner, "web", "two");
	sup_slots_change(&slots, at, &entry);
	is(bucket->seq - seq, 4, "so is another value");
	hide(at);
	is(bucket->seq - seq, 6, "and hiding it");
	free(shown);
}

/* A writer that never comes to an end, and lists that are too long or a ring. */
static void test_gives_up(void)
{
	struct supervisor_map_bucket *bucket;
	struct supervisor_map_slot slot;
	struct owner owner;
	char key[32];
	u32 at, n = 0;

	begin(NULL);
	owner = owner_new(7);
	at = show(&owner, "web", "one");
	bucket = &slots.buckets[hash_of("web") % NR];
	bucket->seq++;
	is(find("web", &slot), -EAGAIN, "a bucket that is being written");
	bucket->seq++;
	is(find("web", &slot), 1, "and is not any more");
	slots.slots[at].next = at + 1;
	is(find("web", &slot), 1, "a ring that begins with the key");
	slots.slots[at].hash++;
	is(find("web", &slot), -EAGAIN, "and one that does not");
	free(shown);

	begin(NULL);
	owner = owner_new(7);
	for (int i = 0; n < 17; i++) {
		snprintf(key, sizeof(key), "flood%d", i);
		if (hash_of(key) % NR)
			continue;
		show(&owner, key, "");
		is(find(key, &slot), 1, "a key among many");
		n++;
	}
	for (int i = 0;; i++) {
		snprintf(key, sizeof(key), "flood%d", i);
		if (!(hash_of(key) % NR))
			break;
	}
	is(find(key, &slot), -EAGAIN, "the one that is too far away");
	free(shown);
}

/* Any bytes where the kernel writes. */
static void test_garbage(void)
{
	struct supervisor_map_slot slot;
	unsigned int seed = 1;
	unsigned char *at;
	int wrong = 0, asked = 0;

	begin(NULL);
	at = (unsigned char *)shown + shown->buckets_offset;
	for (size_t i = 0; i < shown->bytes - shown->buckets_offset; i++)
		at[i] = (unsigned char)rand_r(&seed);
	for (int i = 0; i < GARBAGE_ROUNDS; i++) {
		char key[16];
		int ret;

		snprintf(key, sizeof(key), "key%d", i);
		ret = find(key, &slot);
		wrong += ret == 1;
		asked += ret == -EAGAIN;
	}
	is(wrong, 0, "nobody is found in garbage");
	ok(asked, "but it is not believed");
	free(shown);
}

/* ---- all at once ------------------------------------------------------ */

static struct {
	char keys[KEYS][16];
	int reaped[KEYS];
	unsigned long found, asked, dead, torn;
	int stop;
} hammer;

/* One letter, as often as its place among them, after the process's number. */
static void consistent(char *text, s32 pid, int letter)
{
	int len = sprintf(text, "%d", pid);

	memset(text + len, letter, (size_t)(letter - 'A'));
	text[len + letter - 'A'] = 0;
}

static bool is_consistent(const struct supervisor_map_slot *slot)
{
	const unsigned char *value = slot->data + slot->key_len;
	char text[16];
	int digits = sprintf(text, "%d", slot->pid);

	if (slot->id != 1000 + (uint64_t)slot->pid || slot->value_len <= digits ||
	    memcmp(value, text, (size_t)digits))
		return false;
	for (int i = digits; i < slot->value_len; i++)
		if (value[i] != value[digits] ||
		    value[i] - 'A' != slot->value_len - digits)
			return false;
	return true;
}

static void *hammer_read(void *unused)
{
	unsigned long found = 0, asked = 0, dead = 0, torn = 0;
	struct supervisor_map_slot slot;

	(void)unused;
	for (int i = 0; !__atomic_load_n(&hammer.stop, __ATOMIC_RELAXED);
	     i = (i + 1) % KEYS) {
		int reaped = __atomic_load_n(&hammer.reaped[i], __ATOMIC_ACQUIRE);
		int ret = find(hammer.keys[i], &slot);

		found += ret == 1;
		asked += ret == -EAGAIN;
		torn += ret == 1 && !is_consistent(&slot);
		/* Numbers rise: all up to that one are dead. */
		dead += ret == 1 && slot.pid <= reaped;
	}
	__atomic_fetch_add(&hammer.found, found, __ATOMIC_RELAXED);
	__atomic_fetch_add(&hammer.asked, asked, __ATOMIC_RELAXED);
	__atomic_fetch_add(&hammer.dead, dead, __ATOMIC_RELAXED);
	__atomic_fetch_add(&hammer.torn, torn, __ATOMIC_RELAXED);
	return NULL;
}

/* One life: some keys, some updates, death, and the end of what it had. */
static void live(s32 pid, unsigned int *seed)
{
	struct owner owner = owner_new(pid);
	u32 shown_at[KEYS];
	char value[80];

	for (int i = 0; i < KEYS; i++) {
		consistent(value, pid, 'B' + rand_r(seed) % 40);
		shown_at[i] = show(&owner, hammer.keys[i], value);
	}
	for (int i = 0; i < KEYS; i++) {
		struct sup_slot_entry entry;

		consistent(value, pid, 'B' + rand_r(seed) % 40);
		entry = entry_of(&owner, hammer.keys[i], value);
		sup_slots_change(&slots, shown_at[i], &entry);
	}
	owner_die(&owner);
	for (int i = 0; i < KEYS; i++)
		__atomic_store_n(&hammer.reaped[i], pid, __ATOMIC_RELEASE);
	for (int i = 0; i < KEYS; i++)
		hide(shown_at[(i + pid) % KEYS]);
	sup_slots_give_owner(&slots, owner.word);
}

static void test_hammer(void)
{
	pthread_t threads[READERS];
	unsigned int seed = 1;

	begin(NULL);
	for (int i = 0; i < KEYS; i++)
		snprintf(hammer.keys[i], sizeof(hammer.keys[i]), "key%d", i);
	for (int i = 0; i < READERS; i++)
		if (pthread_create(&threads[i], NULL, hammer_read, NULL))
			abort();
	for (s32 pid = 1; pid <= ROUNDS; pid++)
		live(pid, &seed);
	__atomic_store_n(&hammer.stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	printf("# %lu found, %lu asked\n", hammer.found, hammer.asked);
	is((long long)hammer.torn, 0, "what is found is whole");
	is((long long)hammer.dead, 0, "and is not dead");
	is(slots.used, 0, "all of it is gone");
	free(shown);
}

/* ---- the calls -------------------------------------------------------- */

static uint64_t map_bytes;
static int lookups;

/* The registry: a memory file, and one answer to all lookups. */
static int on_ioctl(int fd, unsigned long request, void *argument)
{
	struct supervisor_registry_status *status = argument;
	struct supervisor_lookup *lookup = argument;

	(void)fd;
	switch (request) {
	case SUPERVISOR_REGISTRY_STATUS:
		status->out_map_bytes = map_bytes;
		return 0;
	case SUPERVISOR_LOOKUP:
		lookups++;
		lookup->out_pid = 99;
		lookup->out_id = 99;
		lookup->out_mailbox = 1;
		lookup->value_len = 0;
		return 0;
	}
	return -ENOTTY;
}

static int peek(const struct sup_registry_map *map, const char *key,
		struct sup_result *result)
{
	return sup_registry_peek(map, key, strlen(key), NULL, NULL, result);
}

static int registry_new(void)
{
	int registry = memfd_create("registry", MFD_CLOEXEC);

	map_bytes = shown_size();
	if (registry < 0 || ftruncate(registry, (off_t)map_bytes))
		abort();
	begin(mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, registry, 0));
	return registry;
}

static void test_calls(void)
{
	int registry = registry_new();
	struct sup_registry_map *map;
	struct owner owner = owner_new(7);
	SUP_OPTS(sup_result, result);
	char value[100], text[120];
	size_t len;
	int status;
	pid_t child;
	u32 at;

	is(sup_registry_map(registry, &map), 0, "a map");
	close(registry);
	at = show(&owner, "web", "one");
	slots.slots[at].flags = SUPERVISOR_MAP_F_MAILBOX;
	len = sizeof(value);
	is(sup_registry_peek(map, "web", 3, value, &len, &result), 1, "a mailbox");
	ok(len == 3 && !memcmp(value, "one", 3), "a value");
	ok(result.pid == 7 && result.id == 1007, "whose it is");
	len = 2;
	is(sup_registry_peek(map, "web", 3, value, &len, &result), -EMSGSIZE,
	   "a value without room");
	ok(len == 3 && result.pid == 7, "which is told all the same");
	is(sup_registry_peek(map, "web", 3, value, NULL, NULL), -EMSGSIZE,
	   "of no length");
	is(peek(map, "web", NULL), 1, "no value, no result");
	is(peek(map, "db", &result), -ENOENT, "nobody");
	is(result.pid, 0, "is no process");
	is(lookups, 0, "all without a lookup");

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	show(&owner, "large", text);
	is(peek(map, "large", &result), 0, "a large value that is not wanted");
	is(result.pid, 7, "is there");
	is(lookups, 0, "to see");
	len = sizeof(value);
	is(sup_registry_peek(map, "large", 5, value, &len, &result), 1,
	   "one that is wanted");
	is(lookups, 1, "is looked up");
	is(peek(map, text, &result), 1, "a long key");
	is(lookups, 2, "is, too");
	is(sup_registry_peek(map, "", 0, NULL, NULL, NULL), 1, "none");
	is(lookups, 3, "is left to the kernel to refuse");
	result.sz = 1;
	is(peek(map, "web", &result), -EINVAL, "a result that is none");

	child = fork();
	if (!child) {
		lookups = 0;
		_exit(peek(map, "web", NULL) == 1 && lookups == 1 ? 7 : 8);
	}
	waitpid(child, &status, 0);
	is(WEXITSTATUS(status), 7, "a fork looks up");
	sup_registry_unmap(map);
	sup_registry_unmap(NULL);
	munmap(shown, map_bytes);
}

static void test_refuses(void)
{
	int registry = registry_new();
	struct supervisor_map good = *shown;
	struct sup_registry_map *map;

	shown->version++;
	is(sup_registry_map(registry, &map), -EOPNOTSUPP, "another version");
	ok(!map, "is no map");
	*shown = good;
	shown->slots = 63;
	is(sup_registry_map(registry, &map), -EPROTO, "slots that cannot be");
	*shown = good;
	shown->slots = 0;
	is(sup_registry_map(registry, &map), -EPROTO, "no slots");
	*shown = good;
	shown->slots *= 2;
	is(sup_registry_map(registry, &map), -EPROTO, "too many slots");
	*shown = good;
	shown->bytes += shown_size();
	is(sup_registry_map(registry, &map), -EPROTO, "too many bytes");
	*shown = good;
	shown->slot_bytes = 64;
	is(sup_registry_map(registry, &map), -EPROTO, "slots too small");
	*shown = good;
	shown->owners_offset = shown->bytes;
	is(sup_registry_map(registry, &map), -EPROTO, "words that are not there");
	*shown = good;
	shown->buckets_offset = ~0ULL;
	is(sup_registry_map(registry, &map), -EPROTO, "buckets that are not there");
	*shown = good;
	is(sup_registry_map(registry, &map), 0, "what is right");
	sup_registry_unmap(map);
	map_bytes = 0;
	is(sup_registry_map(registry, &map), -ENODEV, "nothing to map");
	is(sup_registry_map(-1, &map), -ENODEV, "nothing at all");
	munmap(shown, shown_size());
	close(registry);
}

int main(void)
{
	kernel_init();
	kernel.test = on_ioctl;
	errno = 0;
	test_siphash();
	test_find();
	test_seq();
	test_gives_up();
	test_garbage();
	test_hammer();
	test_calls();
	test_refuses();
	is(errno, 0, "errno was left alone");
	return tap_end();
}
