// SPDX-License-Identifier: GPL-2.0
/*
 * Registries that are mapped: a reader that knows no more than <linux/supervisor.h>
 * says finds what lookup finds, whole, and never the dead; and nobody maps what he may
 * not, or does with it what he may not.
 */
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 900

#define MAP SUPERVISOR_REGISTRY_F_MAP

/* Slots that it goes past, and how often it begins anew. */
#define PROBES 8
#define TRIES 16

/* ---- the reader ---- */

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))

static void sip_round(__u64 *v)
{
	v[0] += v[1];
	v[1] = ROTATE(v[1], 13) ^ v[0];
	v[0] = ROTATE(v[0], 32);
	v[2] += v[3];
	v[3] = ROTATE(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTATE(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTATE(v[1], 17) ^ v[2];
	v[2] = ROTATE(v[2], 32);
}

static __u64 siphash(const __u64 *key, const unsigned char *bytes, unsigned int len)
{
	__u64 v[4] = {
		key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573,
	};
	__u64 word = 0;
	unsigned int i;

	for (i = 0; i < len; i++) {
		word |= (__u64)bytes[i] << i % 8 * 8;
		if (i % 8 != 7)
			continue;
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
		word = 0;
	}
	word |= (__u64)len << 56;
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static const void *map_at(const struct supervisor_map *map, __u64 offset)
{
	return (const char *)map + offset;
}

static const struct supervisor_map_bucket *bucket_of(const struct supervisor_map *map,
						     __u64 hash)
{
	const struct supervisor_map_bucket *buckets = map_at(map, map->buckets_offset);

	return &buckets[hash % map->slots];
}

static const struct supervisor_map_slot *slot_of(const struct supervisor_map *map, __u32 at)
{
	return map_at(map, map->slots_offset + ((at - 1) % map->slots) * map->slot_bytes);
}

static bool slot_is(const struct supervisor_map_slot *slot, __u64 hash, const char *key,
		    size_t len)
{
	return *(volatile __u64 *)&slot->hash == hash && slot->key_len == len &&
	       !memcmp(slot->data, key, len < sizeof(slot->data) ? len : sizeof(slot->data));
}

/* 1 and @found; 0: nobody has it; -EAGAIN: lookup knows. */
static int bucket_peek(const struct supervisor_map *map, __u32 first, __u64 hash,
		       const char *key, struct supervisor_map_slot *found)
{
	const __u32 *owners = map_at(map, map->owners_offset);
	const struct supervisor_map_slot *slot;
	__u32 at = first, probes;

	for (probes = 0; at; probes++) {
		if (probes == PROBES)
			return -EAGAIN;
		slot = slot_of(map, at);
		if (slot_is(slot, hash, key, strlen(key))) {
			*found = *slot;
			return __atomic_load_n(&owners[found->owner % map->slots],
					       __ATOMIC_RELAXED) == found->generation;
		}
		at = __atomic_load_n(&slot->next, __ATOMIC_RELAXED);
	}
	return 0;
}

static int peek(const struct supervisor_map *map, const char *key,
		struct supervisor_map_slot *found)
{
	__u64 hash = siphash((const __u64 *)map->key, (const void *)key, strlen(key));
	const struct supervisor_map_bucket *bucket = bucket_of(map, hash);
	int tries, ret;
	__u32 seq;

	for (tries = 0; tries < TRIES; tries++) {
		seq = __atomic_load_n(&bucket->seq, __ATOMIC_ACQUIRE);
		if (seq % 2)
			continue;
		ret = bucket_peek(map, __atomic_load_n(&bucket->first, __ATOMIC_RELAXED),
				  hash, key, found);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&bucket->seq, __ATOMIC_RELAXED) == seq)
			return ret;
	}
	return -EAGAIN;
}

/*
 * The same, with patience: who takes the entries of the dead away may be writing to the
 * bucket, on a CPU that does not run for a moment.
 */
static int look(const struct supervisor_map *map, const char *key,
		struct supervisor_map_slot *found)
{
	int ret, patience = PATIENCE_MS;

	while ((ret = peek(map, key, found)) == -EAGAIN && patience--)
		sleep_ms(1);
	return ret;
}

/* ---- one thing at a time ---- */

FIXTURE(map)
{
	int dev;
	int reg;
	const struct supervisor_map *map;
	char name[32];
	struct actor a, b;
	struct supervisor_info before;
};

FIXTURE_VARIANT(map)
{
	__u32 partitions;
};

FIXTURE_VARIANT_ADD(map, whole)
{
	.partitions = 1,
};

FIXTURE_VARIANT_ADD(map, in_partitions)
{
	.partitions = 4,
};

FIXTURE_SETUP(map)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_info(self->dev, &self->before);
	snprintf(self->name, sizeof(self->name), "/map.%d", getpid());
	test_registry(self->dev,
		      NAMED_REGISTRY(self->name, UNIQUE, .flags = MAP, .map_slots = 64,
				     .partitions = variant->partitions),
		      &self->reg);
	test_map(self->reg, &self->map);
	test_actor(self->dev, &self->a);
	test_actor(self->dev, &self->b);
}

/* Nothing of it is left, whatever the test did not take away. */
FIXTURE_TEARDOWN(map)
{
	actor_end(&self->a);
	actor_end(&self->b);
	test_unmap(self->map);
	close(self->reg);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define A (self->a.pid)
#define B (self->b.pid)
#define REG (self->reg)

#define order(actor_, what_, text_) \
	_test_order(&self->actor_, ORDER_##what_, REG, (long)(text_))

/* The mapping and lookup are of one mind. */
#define test_shown(pid_, key_, value_) \
	do { \
		struct supervisor_map_slot slot_; \
		char text_[SUPERVISOR_VALUE_MAX + 1]; \
		ASSERT_EQ(1, look(self->map, (key_), &slot_)); \
		ASSERT_EQ((pid_), slot_.pid); \
		ASSERT_EQ(strlen(key_), slot_.key_len); \
		ASSERT_EQ(strlen(value_), slot_.value_len); \
		ASSERT_EQ(0, memcmp(slot_.data + slot_.key_len, (value_), \
				    slot_.value_len)); \
		ASSERT_EQ((pid_), _test_lookup(REG, (key_), text_, sizeof(text_))); \
		ASSERT_STREQ((value_), text_); \
	} while (0)
#define test_not_shown(key_) \
	do { \
		struct supervisor_map_slot slot_; \
		ASSERT_EQ(0, look(self->map, (key_), &slot_)); \
		ASSERT_EQ(-ENOENT, _test_lookup(REG, (key_), NULL, 0)); \
	} while (0)
#define test_used(slots_) \
	do { \
		struct supervisor_registry_status status_; \
		ASSERT_EQ(0, _test_registry_status(REG, &status_)); \
		ASSERT_EQ((slots_), status_.out_map_used); \
	} while (0)

#define test_killed(actor_) \
	do { \
		ASSERT_EQ(0, _test_actor_kill(&self->actor_, SIGKILL)); \
		ASSERT_TRUE(is_waitable(self->actor_.pid)); \
	} while (0)

TEST_F(map, layout)
{
	struct supervisor_registry_status status;

	ASSERT_EQ(0, _test_registry_status(REG, &status));
	ASSERT_EQ(64, status.out_map_slots);
	ASSERT_EQ(0, status.out_map_used);
	ASSERT_EQ(0, status.out_map_bytes % sysconf(_SC_PAGESIZE));
	ASSERT_EQ(SUPERVISOR_MAP_VERSION, self->map->version);
	ASSERT_EQ(64, self->map->slots);
	ASSERT_EQ(sizeof(struct supervisor_map_slot), self->map->slot_bytes);
	ASSERT_EQ(128, self->map->slot_bytes);
	ASSERT_EQ(0, self->map->__reserved);
	ASSERT_LE(self->map->bytes, status.out_map_bytes);
	ASSERT_LE(sizeof(*self->map), self->map->buckets_offset);
	ASSERT_LE(self->map->buckets_offset + 64 * sizeof(struct supervisor_map_bucket),
		  self->map->owners_offset);
	ASSERT_LE(self->map->owners_offset + 64 * sizeof(__u32), self->map->slots_offset);
	ASSERT_EQ(self->map->slots_offset + 64 * 128, self->map->bytes);
}

TEST_F(map, shows_what_is_registered)
{
	test_not_shown("web");
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	test_shown(A, "web", "one");
	test_not_shown("we");
	test_not_shown("web2");
	ASSERT_EQ(0, order(b, REGISTER, "db="));
	test_shown(B, "db", "");
	test_shown(A, "web", "one");
	ASSERT_EQ(-EEXIST, order(b, REGISTER, "web=two"));
	test_shown(A, "web", "one");
	test_used(2);
	ASSERT_EQ(1, order(a, UNREGISTER, "web"));
	test_not_shown("web");
	test_shown(B, "db", "");
	ASSERT_EQ(0, order(b, REGISTER, "web=two"));
	test_shown(B, "web", "two");
	test_used(2);
}

TEST_F(map, shows_updates)
{
	struct supervisor_map_slot before, after;

	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(1, look(self->map, "web", &before));
	ASSERT_EQ(0, order(a, UPDATE, "web=another value"));
	test_shown(A, "web", "another value");
	ASSERT_EQ(0, order(a, UPDATE, "web="));
	test_shown(A, "web", "");
	ASSERT_EQ(1, look(self->map, "web", &after));
	ASSERT_EQ(before.id, after.id);
	ASSERT_EQ(-EPERM, order(b, UPDATE, "web=two"));
	test_shown(A, "web", "");
	test_used(1);
}

TEST_F(map, shows_mailboxes_and_numbers)
{
	struct supervisor_register result;
	struct supervisor_map_slot slot;
	struct supervisor_update update =
		ARG(supervisor_update, .key = (uintptr_t)"web", .key_len = 3,
		    .flags = SUPERVISOR_UPDATE_F_MAILBOX, .mailbox_fd = -1);
	int mailbox;

	test_mailbox(self->dev, MAILBOX(), &mailbox);
	ASSERT_EQ(0, _test_register(REG, "web=one", mailbox, &result));
	ASSERT_EQ(1, look(self->map, "web", &slot));
	ASSERT_EQ(SUPERVISOR_MAP_F_MAILBOX, slot.flags);
	ASSERT_EQ(result.out_id, slot.id);
	test_ioctl(REG, SUPERVISOR_UPDATE, &update);
	ASSERT_EQ(1, look(self->map, "web", &slot));
	ASSERT_EQ(0, slot.flags);
	ASSERT_EQ(result.out_id, slot.id);
	close(mailbox);
}

/* As much as there is room for; their lengths all the same. */
TEST_F(map, long_keys_and_values)
{
	char text[SUPERVISOR_KEY_MAX + SUPERVISOR_VALUE_MAX + 2];
	struct supervisor_map_slot slot;
	const int room = SUPERVISOR_MAP_SLOT_DATA;
	int key, value;

	for (key = 1; key <= SUPERVISOR_KEY_MAX; key += key < room + 2 ? 13 : 41) {
		for (value = 0; value <= 200; value += 23) {
			memset(text, 'k', key);
			text[key] = 0;
			test_not_shown(text);
			text[key] = '=';
			memset(text + key + 1, 'v', value);
			text[key + 1 + value] = 0;
			test_register(REG, text);
			text[key] = 0;
			ASSERT_EQ(1, look(self->map, text, &slot));
			ASSERT_EQ(key, slot.key_len);
			ASSERT_EQ(value, slot.value_len);
			if (key < room) {
				ASSERT_EQ(0, memcmp(slot.data + key, text + key + 1,
						    value < room - key ? value :
									 room - key));
			}
			ASSERT_EQ(1, _test_unregister(REG, text));
		}
	}
}

/* What was unregistered is not to be found by whoever maps it later. */
TEST_F(map, nothing_is_left)
{
	ASSERT_EQ(0, order(a, REGISTER, "web=a very secret value"));
	ASSERT_NE(NULL, memmem(self->map, self->map->bytes, "secret", 6));
	ASSERT_EQ(0, order(a, UPDATE, "web=none"));
	ASSERT_EQ(NULL, memmem(self->map, self->map->bytes, "secret", 6));
	ASSERT_EQ(0, order(a, REGISTER, "db=a secret value"));
	ASSERT_EQ(1, order(a, UNREGISTER, "db"));
	ASSERT_EQ(NULL, memmem(self->map, self->map->bytes, "secret", 6));
}

TEST_F(map, the_dead_are_not_shown)
{
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(0, order(a, REGISTER, "db=two"));
	ASSERT_EQ(0, order(b, REGISTER, "mail=three"));
	test_killed(a);
	test_not_shown("web");
	test_not_shown("db");
	test_shown(B, "mail", "three");
	ASSERT_EQ(0, order(b, REGISTER, "web=four"));
	test_shown(B, "web", "four");
	test_not_shown("db");
	ASSERT_TRUE(eventually(({
		struct supervisor_registry_status status_;
		!_test_registry_status(REG, &status_) && status_.out_map_used == 2;
	})));
	test_shown(B, "web", "four");
}

TEST_F(map, exec_and_leaders_exit_change_nothing)
{
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(0, order(b, REGISTER, "db=two"));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXEC, 0, 0));
	ASSERT_EQ(0, _test_order(&self->b, ORDER_THREAD, 0, 0));
	sleep_ms(50);
	test_shown(A, "web", "one");
	test_shown(B, "db", "two");
	ASSERT_EQ(0, order(b, REGISTER, "db2=three"));
	test_shown(B, "db2", "three");
	test_killed(b);
	test_not_shown("db");
	test_not_shown("db2");
	test_shown(A, "web", "one");
}

/* ---- a table that is full ---- */

static int register_some(int reg, int from, int to)
{
	char text[32];
	int err = 0;

	for (; from < to && !err; from++) {
		snprintf(text, sizeof(text), "key%d=%d", from, from);
		err = _test_register(reg, text, -1, NULL);
	}
	return err;
}

TEST_F(map, a_full_table_answers_on)
{
	struct supervisor_map_slot slot;
	struct supervisor_register result;
	char text[32];
	int i;

	ASSERT_EQ(0, register_some(REG, 0, 64));
	ASSERT_EQ(-ENOSPC, _test_register(REG, "more=1", -1, &result));
	ASSERT_EQ(SUPERVISOR_LIMIT_MAP_SLOTS, result.out_limit);
	ASSERT_EQ(-ENOSPC, order(a, REGISTER, "more=1"));
	/* Who has the key is told first. */
	ASSERT_EQ(-EEXIST, order(a, REGISTER, "key7=1"));
	test_not_shown("more");
	test_used(64);
	for (i = 0; i < 64; i++) {
		snprintf(text, sizeof(text), "key%d", i);
		ASSERT_EQ(1, look(self->map, text, &slot));
		ASSERT_EQ(getpid(), slot.pid);
	}
	ASSERT_EQ(0, _test_update(REG, "key3=new", NULL));
	test_shown(getpid(), "key3", "new");
	ASSERT_EQ(1, _test_unregister(REG, "key3"));
	ASSERT_EQ(0, order(a, REGISTER, "more=1"));
	test_shown(A, "more", "1");
	ASSERT_EQ(-ENOSPC, _test_register(REG, "key3=3", -1, NULL));
}

/* A name that is taken again needs a slot only when the dead have given theirs up. */
TEST_F(map, the_dead_leave_room)
{
	int i, status;
	pid_t pid;

	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid)
			_exit(-register_some(REG, 0, 64));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	ASSERT_EQ(0, register_some(REG, 0, 64));
	test_used(64);
	test_shown(getpid(), "key7", "7");
}

/* More processes than slots, which have had one and live. */
TEST_F(map, those_without_slots_take_no_room)
{
	pid_t pids[80];
	int gate[2], said[2];
	char byte;
	int i;

	ASSERT_EQ(0, pipe(gate));
	ASSERT_EQ(0, pipe(said));
	for (i = 0; i < 80; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			close(gate[1]);
			byte = _test_register(REG, "one=1", -1, NULL) ||
			       _test_unregister(REG, "one") != 1;
			if (write(said[1], &byte, 1) != 1)
				_exit(1);
			_exit(read(gate[0], &byte, 1) < 0);
		}
		ASSERT_EQ(1, read(said[0], &byte, 1));
		ASSERT_EQ(0, byte) TH_LOG("process %d", i);
	}
	ASSERT_EQ(0, register_some(REG, 0, 64));
	close(gate[1]);
	for (i = 0; i < 80; i++)
		ASSERT_EQ(pids[i], waitpid(pids[i], NULL, 0));
	close(gate[0]);
	close(said[0]);
	close(said[1]);
}

/* Of a supervisor's child, each incarnation; one that finds no slot does not start. */
TEST_F(map, children)
{
	struct supervisor_child_spec spec = CHILD("b", WAITS, KEYED(REG, "other"));
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_map_slot slot;
	struct tree tree;
	pid_t pid;

	test_tree_open(&tree, CREATE());
	test_start(tree.sup);
	test_child(tree.sup, "a", WAITS, KEYED_VALUE(REG, "web", "one"));
	pid = child_pid(tree.sup, "a");
	test_shown(pid, "web", "one");
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_TRUE(eventually(child_pid(tree.sup, "a") != pid &&
			       child_state(tree.sup, "a") ==
			       SUPERVISOR_CHILD_RUNNING));
	test_shown(child_pid(tree.sup, "a"), "web", "one");
	test_used(1);

	ASSERT_EQ(0, register_some(REG, 0, 63));
	ASSERT_EQ(-ECHILD, _test_child_add(tree.sup, &spec, &add));
	ASSERT_EQ(ENOSPC, add.out_error);
	test_not_shown("other");
	test_used(64);
	tree_close(&tree);
	ASSERT_EQ(0, look(self->map, "web", &slot));
	ASSERT_EQ(0, _test_register(REG, "other=1", -1, NULL));
}

/* Keys which were chosen to meet make a list long, and nothing full. */
TEST_F(map, keys_that_meet)
{
	struct supervisor_map_slot slot;
	char keys[3 * PROBES][32];
	int i, n = 0, asked = 0;
	__u64 hash;

	for (i = 0; n < 3 * PROBES; i++) {
		int len = snprintf(keys[n], sizeof(keys[n]), "flood%d", i);

		hash = siphash((const __u64 *)self->map->key, (void *)keys[n], len);
		n += hash % 64 == 5;
	}
	for (i = 0; i < n; i++)
		test_register(REG, keys[i]);
	for (i = 0; i < n; i++) {
		int ret = peek(self->map, keys[i], &slot);

		ASSERT_TRUE(ret == 1 || ret == -EAGAIN);
		asked += ret != 1;
		ASSERT_EQ(getpid(), _test_lookup(REG, keys[i], NULL, 0));
	}
	ASSERT_EQ(2 * PROBES, asked);
	/* From the middle, the beginning and the end. */
	ASSERT_EQ(1, _test_unregister(REG, keys[n / 2]));
	ASSERT_EQ(1, _test_unregister(REG, keys[n - 1]));
	ASSERT_EQ(1, _test_unregister(REG, keys[0]));
	for (i = 1; i < n - 1; i++) {
		if (i == n / 2)
			continue;
		ASSERT_EQ(1, _test_unregister(REG, keys[i]));
		ASSERT_EQ(-ENOENT, _test_lookup(REG, keys[i], NULL, 0));
	}
	for (i = 0; i < n; i++)
		test_not_shown(keys[i]);
	test_used(0);
}

/* ---- what may be done with it ---- */

#define map_(reg_, length_, prot_, flags_, offset_) \
	({ \
		void *at_ = mmap(NULL, (length_), (prot_), (flags_), (reg_), \
				 (offset_)); \
		int err_ = at_ == MAP_FAILED ? -errno : 0; \
		if (!err_) \
			munmap(at_, (length_)); \
		err_; \
	})

TEST_F(map, only_to_read_it)
{
	struct supervisor_registry_status status;
	long page = sysconf(_SC_PAGESIZE);
	int reader, writer, plain, memory;
	size_t length;
	void *at;

	ASSERT_EQ(0, _test_registry_status(REG, &status));
	length = status.out_map_bytes;
	ASSERT_LT(page, length);
	ASSERT_EQ(0, map_(REG, length, PROT_READ, MAP_SHARED, 0));
	ASSERT_EQ(-EACCES, map_(REG, length, PROT_READ | PROT_WRITE, MAP_SHARED, 0));
	ASSERT_EQ(-EACCES, map_(REG, length, PROT_WRITE, MAP_SHARED, 0));
	ASSERT_EQ(-EACCES, map_(REG, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0));
	ASSERT_NE(0, map_(REG, length, PROT_READ | PROT_EXEC, MAP_SHARED, 0));
	ASSERT_EQ(-EINVAL, map_(REG, length, PROT_READ, MAP_PRIVATE, 0));
	ASSERT_EQ(-EINVAL, map_(REG, length + page, PROT_READ, MAP_SHARED, 0));
	ASSERT_EQ(-EINVAL, map_(REG, length - page, PROT_READ, MAP_SHARED, 0));
	ASSERT_EQ(-EINVAL, map_(REG, length - page, PROT_READ, MAP_SHARED, page));

	test_open_registry(self->dev, self->name, O_RDONLY, &reader);
	ASSERT_EQ(0, map_(reader, length, PROT_READ, MAP_SHARED, 0));
	ASSERT_EQ(-EACCES, map_(reader, length, PROT_READ | PROT_WRITE, MAP_SHARED, 0));
	ASSERT_EQ(-EINVAL, map_(reader, length, PROT_READ, MAP_PRIVATE, 0));
	test_open_registry(self->dev, self->name, O_WRONLY, &writer);
	ASSERT_EQ(-EACCES, map_(writer, length, PROT_READ, MAP_SHARED, 0));
	test_registry(self->dev, REGISTRY(UNIQUE), &plain);
	ASSERT_EQ(-ENODEV, map_(plain, length, PROT_READ, MAP_SHARED, 0));

	at = (void *)self->map;
	ASSERT_EQ(-1, mprotect(at, page, PROT_READ | PROT_WRITE));
	ASSERT_EQ(EACCES, errno);
	ASSERT_EQ(-1, mprotect(at, page, PROT_READ | PROT_EXEC));
	ASSERT_EQ(EACCES, errno);
	ASSERT_EQ(MAP_FAILED, mremap(at, length, length + page, MREMAP_MAYMOVE));
	ASSERT_EQ(MAP_FAILED, mremap(at, 0, length, MREMAP_MAYMOVE));
	ASSERT_EQ(-1, madvise(at, length, MADV_DOFORK));
	ASSERT_EQ(EINVAL, errno);
	/* What may write where nobody may write. */
	memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, memory);
	ASSERT_EQ(-1, pwrite(memory, "xxxx", 4, (uintptr_t)at));
	ASSERT_EQ(SUPERVISOR_MAP_VERSION, self->map->version);
	/* Moved, it is the same. */
	at = mremap(at, length, length, MREMAP_MAYMOVE);
	ASSERT_EQ((void *)self->map, at);
	test_register(REG, "web=one");
	test_shown(getpid(), "web", "one");
	close(memory);
	close(plain);
	close(writer);
	close(reader);
}

/* Whether the kernel can read there for the caller. */
static bool is_mapped(const struct supervisor_map *map)
{
	int pipes[2];
	bool is;

	if (pipe(pipes))
		return false;
	is = write(pipes[1], map, 1) == 1;
	close(pipes[0]);
	close(pipes[1]);
	return is;
}

TEST_F(map, a_fork_does_not_have_it)
{
	pid_t pid;
	int status;

	ASSERT_TRUE(is_mapped(self->map));
	pid = fork();
	if (!pid) {
		const struct supervisor_map *own;

		if (is_mapped(self->map))
			_exit(1);
		_exit(_test_map(REG, &own) || !is_mapped(own) ? 2 : 7);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(7, WEXITSTATUS(status));
	ASSERT_TRUE(is_mapped(self->map));
}

/* A mapping is as good as an open file, also when nobody has another one. */
TEST_F(map, keeps_the_registry)
{
	struct supervisor_map_slot slot;

	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	test_register(REG, "db=two");
	/* The actors have the file, too. */
	actor_end(&self->b);
	actor_end(&self->a);
	close(REG);
	REG = -1;
	ASSERT_EQ(1, look(self->map, "db", &slot));
	ASSERT_EQ(getpid(), slot.pid);
	ASSERT_EQ(0, look(self->map, "web", &slot));
	test_open_registry(self->dev, self->name, O_RDWR, &REG);
	test_shown(getpid(), "db", "two");
	test_register(REG, "mail=three");
	test_shown(getpid(), "mail", "three");
	close(REG);
	test_unmap(self->map);
	ASSERT_EQ(-ENOENT, _test_open_registry(self->dev, self->name, O_RDWR, &REG));
	/* For the teardown. */
	test_registry(self->dev, REGISTRY(UNIQUE, .flags = MAP), &REG);
	test_map(REG, &self->map);
}

/* Of one whose maker is dead, in the last process that has it. */
TEST_F(map, outlives_its_maker)
{
	struct supervisor_map_slot slot;
	const struct supervisor_map *map;
	int said[2], reg;
	pid_t pid;
	char name[40], byte;

	snprintf(name, sizeof(name), "%s.child", self->name);
	ASSERT_EQ(0, pipe(said));
	pid = fork();
	if (!pid) {
		byte = _test_registry(self->dev, NAMED_REGISTRY(name, UNIQUE, .flags = MAP),
				      &reg) ||
		       _test_register(reg, "web=one", -1, NULL);
		if (write(said[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ASSERT_EQ(1, read(said[0], &byte, 1));
	ASSERT_EQ(0, byte);
	test_open_registry(self->dev, name, O_RDWR, &reg);
	test_map(reg, &map);
	test_register(reg, "db=two");
	close(reg);
	ASSERT_EQ(1, look(map, "web", &slot));
	ASSERT_EQ(pid, slot.pid);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_EQ(0, look(map, "web", &slot));
	ASSERT_EQ(1, look(map, "db", &slot));
	ASSERT_EQ(getpid(), slot.pid);
	test_unmap(map);
	ASSERT_EQ(-ENOENT, _test_open_registry(self->dev, name, O_RDWR, &reg));
	close(said[0]);
	close(said[1]);
}

TEST(create)
{
	struct supervisor_info before;
	struct supervisor_registry_status status;
	const struct supervisor_map *map;
	int dev = device_open(), reg;
	__u32 slots;

#define create_(...) _test_registry(dev, REGISTRY(UNIQUE, ##__VA_ARGS__), &reg)
	test_info(dev, &before);
	ASSERT_EQ(-EINVAL, create_(.map_slots = 64));
	ASSERT_EQ(-EINVAL, create_(.flags = MAP, .map_slots = 32));
	ASSERT_EQ(-EINVAL, create_(.flags = MAP, .map_slots = 65));
	ASSERT_EQ(-EINVAL, create_(.flags = MAP, .map_slots = 3 << 20));
	ASSERT_EQ(-EINVAL, create_(.flags = MAP, .map_slots = 2 << 20));
	ASSERT_EQ(-EOPNOTSUPP, _test_registry(dev, REGISTRY(DUPLICATE, .flags = MAP), &reg));
	ASSERT_EQ(-EOPNOTSUPP,
		  _test_registry(dev, REGISTRY(DUPLICATE_BY_KEY, .flags = MAP), &reg));
	ASSERT_TRUE(used_is(dev, &before));
	for (slots = 0; slots <= 65536; slots = slots ? slots * 32 : 64) {
		ASSERT_EQ(0, create_(.flags = MAP, .map_slots = slots));
		ASSERT_EQ(0, _test_registry_status(reg, &status));
		ASSERT_EQ(slots ?: 1024, status.out_map_slots);
		test_map(reg, &map);
		ASSERT_EQ(slots ?: 1024, map->slots);
		ASSERT_EQ(0, _test_register(reg, "web=one", -1, NULL));
		test_unmap(map);
		close(reg);
	}
	test_used_again(dev, &before);
	close(dev);
}

/* Its memory counts as its maker's bytes, and gives them back. */
TEST(memory_is_charged)
{
	struct supervisor_info before, info;
	struct supervisor_registry_create create = REGISTRY(UNIQUE, .flags = MAP);
	struct supervisor_registry_status status;
	int regs[64], dev = device_open(), n = 0;

	test_info(dev, &before);
	test_registry(dev, create, &regs[0]);
	ASSERT_EQ(0, _test_registry_status(regs[0], &status));
	test_info(dev, &info);
	ASSERT_LE(status.out_map_bytes - sysconf(_SC_PAGESIZE),
		  info.out_used[SUPERVISOR_LIMIT_BYTES] -
		  before.out_used[SUPERVISOR_LIMIT_BYTES]);
	close(regs[0]);
	test_used_again(dev, &before);

	/* Until the user has no more: there is less memory than bytes to have. */
	ASSERT_EQ(0, write_file("/sys/module/supervisor/parameters/max_user_bytes",
				"10000000"));
	create.map_slots = 16384;
	while (n < 64 && !_test_registry(dev, create, &regs[n]))
		n++;
	ASSERT_LT(0, n);
	ASSERT_GT(64, n);
	test_info(dev, &info);
	ASSERT_EQ(-EDQUOT, _test_ioctl(dev, SUPERVISOR_REGISTRY_CREATE, &create));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, create.out_limit);
	ASSERT_TRUE(used_is(dev, &info));
	while (n--)
		close(regs[n]);
	ASSERT_EQ(0, write_file("/sys/module/supervisor/parameters/max_user_bytes",
				"1073741824"));
	test_used_again(dev, &before);
	close(dev);
}

/* ---- all at once ---- */

#define READERS 2
#define KEYS 8

/* What readers and the others share; @stop ends the readers. */
static struct hammer {
	const struct supervisor_map *map;
	char keys[KEYS][32];
	bool stop;
	int reaped[KEYS];	/* the last process of that key that was waited for */
	unsigned long found;
	unsigned long asked;
	unsigned long wrong;
} hammer;

static bool hammer_on(void)
{
	return !__atomic_load_n(&hammer.stop, __ATOMIC_RELAXED);
}

static void count_up(unsigned long *count, unsigned long by)
{
	__atomic_fetch_add(count, by, __ATOMIC_RELAXED);
}

static void *hammer_dead(void *unused)
{
	unsigned long found = 0, asked = 0, wrong = 0;
	struct supervisor_map_slot slot;
	int i, reaped, ret;

	for (i = 0; hammer_on(); i = (i + 1) % KEYS) {
		reaped = __atomic_load_n(&hammer.reaped[i], __ATOMIC_ACQUIRE);
		ret = peek(hammer.map, hammer.keys[i], &slot);
		found += ret == 1;
		asked += ret == -EAGAIN;
		wrong += ret == 1 && slot.pid == reaped;
	}
	count_up(&hammer.found, found);
	count_up(&hammer.asked, asked);
	count_up(&hammer.wrong, wrong);
	return NULL;
}

static void hammer_begin(const struct supervisor_map *map)
{
	int i;

	memset(&hammer, 0, sizeof(hammer));
	hammer.map = map;
	for (i = 0; i < KEYS; i++)
		snprintf(hammer.keys[i], sizeof(hammer.keys[i]), "key%d", i);
}

#define hammer_start(threads_, function_) \
	do { \
		int i_; \
		for (i_ = 0; i_ < READERS; i_++) \
			ASSERT_EQ(0, pthread_create(&(threads_)[i_], NULL, \
						    (function_), NULL)); \
	} while (0)
#define hammer_end(threads_) \
	do { \
		int i_; \
		__atomic_store_n(&hammer.stop, true, __ATOMIC_RELAXED); \
		for (i_ = 0; i_ < READERS; i_++) \
			ASSERT_EQ(0, pthread_join((threads_)[i_], NULL)); \
	} while (0)

/* Registers all keys, and dies when it is told: by another way each time. */
static void live_and_die(int reg, int gate, int said, int how)
{
	char byte = register_some(reg, 0, KEYS) ? 1 : 0;

	if (write(said, &byte, 1) != 1 || read(gate, &byte, 1) < 0)
		_exit(1);
	if (how % 2)
		kill(getpid(), SIGKILL);
	_exit(0);
}

/*
 * Whoever was told by waitid that a process is dead does not see it any more, in no
 * thread; while its keys and words go to the next one.
 */
TEST_F(map, readers_never_see_the_dead)
{
	unsigned int round, total = rounds(300);
	pthread_t threads[READERS];
	struct supervisor_map_slot slot;
	int gate[2], said[2], i;
	siginfo_t info;
	char byte = 0;
	pid_t pid;

	hammer_begin(self->map);
	hammer_start(threads, hammer_dead);
	ASSERT_EQ(0, pipe(gate));
	ASSERT_EQ(0, pipe(said));
	for (round = 0; round < total; round++) {
		pid = fork();
		if (!pid)
			live_and_die(REG, gate[0], said[1], round);
		ASSERT_EQ(1, read(said[0], &byte, 1));
		ASSERT_EQ(0, byte);
		for (i = 0; i < KEYS; i++) {
			int ret = peek(self->map, hammer.keys[i], &slot);

			ASSERT_TRUE(ret == -EAGAIN || (ret == 1 && slot.pid == pid));
		}
		ASSERT_EQ(1, write(gate[1], &byte, 1));
		/* Without reaping it: its number is still its own. */
		ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
		for (i = 0; i < KEYS; i++) {
			__atomic_store_n(&hammer.reaped[i], pid, __ATOMIC_RELEASE);
			ASSERT_NE(1, peek(self->map, hammer.keys[i], &slot));
		}
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	hammer_end(threads);
	TH_LOG("%lu found, %lu asked", hammer.found, hammer.asked);
	ASSERT_EQ(0, hammer.wrong);
	close(gate[0]);
	close(gate[1]);
	close(said[0]);
	close(said[1]);
}

/* A value is one letter, as often as that letter's place among them and by whom. */
static void consistent_text(char *text, const char *key, int who, int letter)
{
	int len = snprintf(text, 64, "%s=%d", key, who);

	memset(text + len, letter, letter - 'A');
	text[len + letter - 'A'] = 0;
}

static bool is_consistent(const struct supervisor_map_slot *slot, const char *key)
{
	const __u8 *value = slot->data + slot->key_len;
	char text[8];
	int digits = snprintf(text, sizeof(text), "%d", slot->pid);
	int i;

	if (slot->key_len != strlen(key) || memcmp(slot->data, key, slot->key_len) ||
	    slot->value_len <= digits || memcmp(value, text, digits))
		return false;
	for (i = digits; i < slot->value_len; i++)
		if (value[i] != value[digits] || value[i] - 'A' != slot->value_len - digits)
			return false;
	return true;
}

static void *hammer_whole(void *unused)
{
	unsigned long found = 0, asked = 0, wrong = 0;
	struct supervisor_map_slot slot;
	int i, ret;

	for (i = 0; hammer_on(); i = (i + 1) % KEYS) {
		ret = peek(hammer.map, hammer.keys[i], &slot);
		found += ret == 1;
		asked += ret == -EAGAIN;
		wrong += ret == 1 && !is_consistent(&slot, hammer.keys[i]);
	}
	count_up(&hammer.found, found);
	count_up(&hammer.asked, asked);
	count_up(&hammer.wrong, wrong);
	return NULL;
}

static int churn(int reg, unsigned int total)
{
	unsigned int round;
	char text[64];
	int err;

	for (round = 0; round < total; round++) {
		const char *key = hammer.keys[round % KEYS];

		consistent_text(text, key, getpid(), 'B' + round % 40);
		err = _test_register(reg, text, -1, NULL);
		if (err == -EEXIST)
			continue;
		consistent_text(text, key, getpid(), 'B' + (round * 7) % 40);
		err = err ?: _test_update(reg, text, NULL);
		consistent_text(text, key, getpid(), 'B' + (round * 5) % 40);
		err = err ?: _test_update(reg, text, NULL);
		if (err)
			return err;
		if (_test_unregister(reg, key) != 1)
			return -EPROTO;
	}
	return 0;
}

/* Registered, updated and unregistered by two at once: what is read is one's, whole. */
TEST_F(map, what_is_read_is_whole)
{
	unsigned int total = rounds(5000);
	pthread_t threads[READERS];
	pid_t pids[2];
	int i, status;

	hammer_begin(self->map);
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(-churn(REG, total));
	}
	hammer_start(threads, hammer_whole);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		ASSERT_EQ(0, status);
	}
	hammer_end(threads);
	TH_LOG("%lu found, %lu asked", hammer.found, hammer.asked);
	ASSERT_EQ(0, hammer.wrong);
	test_used(0);
}

TEST_HARNESS_MAIN
