// SPDX-License-Identifier: GPL-2.0
/*
 * Registries: every row of what Elixir's does, and what it does not: nobody ever
 * finds the dead.
 */
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define KEY SUPERVISOR_SELECT_F_KEY
#define VALUE SUPERVISOR_SELECT_F_VALUE
#define PID SUPERVISOR_SELECT_F_PID
#define PARTITION SUPERVISOR_SELECT_F_PARTITION
#define NO_VALUES SUPERVISOR_SELECT_F_NO_VALUES

FIXTURE(registry)
{
	int dev;
	int reg;
	struct actor a, b;
	struct supervisor_info before;
};

FIXTURE_VARIANT(registry)
{
	__u32 keys;
	__u32 partitions;
};

FIXTURE_VARIANT_ADD(registry, unique)
{
	.keys = SUPERVISOR_KEYS_UNIQUE,
};

FIXTURE_VARIANT_ADD(registry, unique_in_partitions)
{
	.keys = SUPERVISOR_KEYS_UNIQUE,
	.partitions = 4,
};

FIXTURE_VARIANT_ADD(registry, duplicate)
{
	.keys = SUPERVISOR_KEYS_DUPLICATE,
};

FIXTURE_VARIANT_ADD(registry, duplicate_by_process)
{
	.keys = SUPERVISOR_KEYS_DUPLICATE,
	.partitions = 4,
};

FIXTURE_VARIANT_ADD(registry, duplicate_by_key)
{
	.keys = SUPERVISOR_KEYS_DUPLICATE_BY_KEY,
	.partitions = 64,
};

FIXTURE_SETUP(registry)
{
	struct supervisor_registry_create create =
		ARG(supervisor_registry_create, .keys = variant->keys,
		    .partitions = variant->partitions);

	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_info(self->dev, &self->before);
	test_registry(self->dev, create, &self->reg);
	test_actor(self->dev, &self->a);
	test_actor(self->dev, &self->b);
}

/* Nothing of it is left, whatever the test did not take away. */
FIXTURE_TEARDOWN(registry)
{
	actor_end(&self->a);
	actor_end(&self->b);
	close(self->reg);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define A (self->a.pid)
#define B (self->b.pid)
#define REG (self->reg)
#define HAS_UNIQUE_KEYS (variant->keys == SUPERVISOR_KEYS_UNIQUE)

#define order(actor_, what_, text_) \
	_test_order(&self->actor_, ORDER_##what_, REG, (long)(text_))

#define test_found(pid_, key_, value_) \
	do { \
		char value__[64]; \
		ASSERT_EQ((pid_), _test_lookup(REG, (key_), value__, \
					       sizeof(value__))); \
		ASSERT_STREQ((value_), value__); \
	} while (0)
#define test_not_found(key_) ASSERT_EQ(-ENOENT, _test_lookup(REG, (key_), NULL, 0))
#define count(...) _test_count_entries(REG, SELECT(__VA_ARGS__))

/* Dead, and its parent may reap it: from now on nobody may find it. */
#define test_killed(actor_) \
	do { \
		ASSERT_EQ(0, _test_actor_kill(&self->actor_, SIGKILL)); \
		ASSERT_TRUE(is_waitable(self->actor_.pid)); \
	} while (0)

TEST_F(registry, finds_what_is_registered)
{
	test_not_found("web");
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	test_found(A, "web", "one");
	test_not_found("we");
	test_not_found("web2");
	ASSERT_EQ(0, order(b, REGISTER, "db=two"));
	test_found(B, "db", "two");
	test_found(A, "web", "one");
	ASSERT_EQ(1, order(a, UNREGISTER, "web"));
	test_not_found("web");
	test_found(B, "db", "two");
	test_register(REG, "mine=");
	test_found(getpid(), "mine", "");
}

TEST_F(registry, register_again)
{
	struct supervisor_register result;

	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	if (HAS_UNIQUE_KEYS) {
		/* Also by the same process. */
		ASSERT_EQ(-EEXIST, order(a, REGISTER, "web=two"));
		ASSERT_EQ(-EEXIST, _test_register(REG, "web=two", -1, &result));
		ASSERT_EQ(A, result.out_pid);
		ASSERT_EQ(0, result.out_id);
		test_select(REG, "web=one", KEY, "web");
		return;
	}
	ASSERT_EQ(0, order(a, REGISTER, "web=two"));
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	test_select(REG, "web=one web=two web=one", KEY, "web");
	ASSERT_EQ(3, count(KEY, "web"));
}

TEST_F(registry, unregister_takes_only_ones_own)
{
	ASSERT_EQ(-ENOENT, _test_unregister(REG, "web"));
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(-EPERM, _test_unregister(REG, "web"));
	ASSERT_EQ(-EPERM, order(b, UNREGISTER, "web"));
	test_found(A, "web", "one");
	if (!HAS_UNIQUE_KEYS) {
		ASSERT_EQ(0, order(a, REGISTER, "web=two"));
		ASSERT_EQ(0, order(b, REGISTER, "web=three"));
		ASSERT_EQ(2, order(a, UNREGISTER, "web"));
		test_select(REG, "web=three", KEY, "web");
		return;
	}
	ASSERT_EQ(1, order(a, UNREGISTER, "web"));
	ASSERT_EQ(-ENOENT, order(a, UNREGISTER, "web"));
}

TEST_F(registry, unregister_match)
{
	ASSERT_EQ(0, order(a, UNREGISTER, "web=one"));
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(0, order(a, UNREGISTER, "web=on"));
	ASSERT_EQ(0, order(a, UNREGISTER, "web="));
	ASSERT_EQ(0, order(b, UNREGISTER, "web=one"));
	test_found(A, "web", "one");
	if (!HAS_UNIQUE_KEYS) {
		ASSERT_EQ(0, order(a, REGISTER, "web=two"));
		ASSERT_EQ(0, order(a, REGISTER, "web=one"));
		ASSERT_EQ(2, order(a, UNREGISTER, "web=one"));
		test_select(REG, "web=two", KEY, "web");
		return;
	}
	ASSERT_EQ(1, order(a, UNREGISTER, "web=one"));
	test_not_found("web");
}

TEST_F(registry, the_dead_are_not_found)
{
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(0, order(a, REGISTER, "db=two"));
	ASSERT_EQ(0, order(b, REGISTER, "mail=three"));
	test_killed(a);
	test_not_found("web");
	test_not_found("db");
	test_select(REG, "mail=three", 0, "");
	test_select(REG, "", KEY, "web");
	test_select(REG, "", PID, "", .pid = A);
	ASSERT_EQ(1, count(0, ""));
	ASSERT_EQ(0, count(KEY, "web"));
	ASSERT_EQ(0, count(PID, "", .pid = A));
	test_found(B, "mail", "three");
}

TEST_F(registry, the_dead_keep_no_name)
{
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	test_killed(a);
	ASSERT_EQ(0, order(b, REGISTER, "web=two"));
	test_found(B, "web", "two");
	/* The late end of the dead takes nothing of who came after it. */
	ASSERT_EQ(1, count(0, ""));
	test_found(B, "web", "two");
	ASSERT_EQ(-ENOENT, _test_unregister(REG, "db"));
	ASSERT_EQ(-EPERM, _test_unregister(REG, "web"));
}

TEST_F(registry, exec_and_leaders_exit_keep_names)
{
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(0, order(b, REGISTER, "db=two"));
	ASSERT_EQ(0, _test_order(&self->a, ORDER_EXEC, 0, 0));
	ASSERT_EQ(0, _test_order(&self->b, ORDER_THREAD, 0, 0));
	sleep_ms(50);
	test_found(A, "web", "one");
	test_found(B, "db", "two");
	ASSERT_EQ(0, order(b, REGISTER, "db2=three"));
	test_found(B, "db2", "three");
	ASSERT_EQ(0, _test_actor_kill(&self->b, SIGKILL));
	ASSERT_TRUE(is_waitable(B));
	test_not_found("db");
	test_not_found("db2");
}

TEST_F(registry, a_fork_has_no_names)
{
	pid_t pid;
	int status;

	test_register(REG, "web=one");
	pid = fork();
	if (!pid)
		_exit(_test_unregister(REG, "web") == -EPERM ? 7 : 8);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(7, WEXITSTATUS(status));
	test_found(getpid(), "web", "one");
}

TEST_F(registry, keys_and_values_of_a_process)
{
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(0, order(b, REGISTER, "db=two"));
	test_select(REG, "web=one", PID, "", .pid = A);
	test_select(REG, "web=", PID | NO_VALUES, "", .pid = A);
	test_select(REG, "web=one", PID | KEY, "web", .pid = A);
	test_select(REG, "", PID | KEY, "web", .pid = B);
	test_select(REG, "", PID | KEY, "db", .pid = A);
	test_select(REG, "", PID, "", .pid = getpid());
	ASSERT_EQ(1, count(PID, "", .pid = A));
	if (HAS_UNIQUE_KEYS)
		return;
	ASSERT_EQ(0, order(a, REGISTER, "web=two"));
	ASSERT_EQ(0, order(b, REGISTER, "web=three"));
	test_select(REG, "web=one web=two", PID, "", .pid = A);
	test_select(REG, "web=one web=two", PID | KEY, "web", .pid = A);
	test_select(REG, "web=two", PID | KEY | VALUE, "web", .pid = A,
		    .value = (uintptr_t)"two", .value_len = 3);
	ASSERT_EQ(2, count(PID | KEY, "web", .pid = A));
}

TEST_F(registry, match_and_select)
{
	ASSERT_EQ(0, order(a, REGISTER, "web/1=up"));
	ASSERT_EQ(0, order(a, REGISTER, "web/2=down"));
	ASSERT_EQ(0, order(b, REGISTER, "db/1=up"));
	test_select(REG, "web/1=up", KEY, "web/1");
	test_select(REG, "", KEY, "web/");
	ASSERT_EQ(2, count(0, "web/"));
	ASSERT_EQ(3, count(0, ""));
	ASSERT_EQ(2, count(VALUE, "", .value = (uintptr_t)"up", .value_len = 2));
	ASSERT_EQ(0, count(VALUE, "", .value = (uintptr_t)"u", .value_len = 1));
	test_select(REG, "web/2=down", VALUE, "web/",
		    .value = (uintptr_t)"down", .value_len = 4);
	test_select(REG, "", KEY | VALUE, "web/1",
		    .value = (uintptr_t)"down", .value_len = 4);
	test_select(REG, "db/1=up", 0, "d");
	test_select(REG, "db/1=up", PID, "d", .pid = B);
	test_select(REG, "", PID, "d", .pid = A);
}

/* Each in exactly one, and all of them somewhere. */
TEST_F(registry, partitions)
{
	__u32 partitions = variant->partitions ?: 1, i;
	char text[4096];
	long all = 0, one;

	for (i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "key%u=%u", i, i);
		test_register(REG, text);
	}
	for (i = 0; i < partitions; i++) {
		one = count(PARTITION, "", .partition = i);
		ASSERT_LE(0, one);
		if (variant->keys == SUPERVISOR_KEYS_DUPLICATE) {
			ASSERT_TRUE(one == 0 || one == 40);
		}
		ASSERT_EQ(one, count(PARTITION | PID, "", .partition = i,
				     .pid = getpid()));
		ASSERT_EQ(one, count(PARTITION, "key", .partition = i));
		all += one;
	}
	ASSERT_EQ(40, all);
	one = 0;
	for (i = 0; i < partitions; i++)
		one += count(PARTITION | KEY, "key7", .partition = i);
	ASSERT_EQ(1, one);
	ASSERT_EQ(-EINVAL, count(PARTITION, "", .partition = partitions));
}

#define MANY 3000

/* The tables grow and shrink; what is there all the time is told once. */
TEST_F(registry, select_while_it_changes)
{
	struct supervisor_select select = SELECT(0, "keep");
	unsigned int told[MANY] = {}, i, n, total = 0, at;
	char text[64], buf[4096] __aligned(8);
	struct supervisor_registry_entry *entry;

	for (i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "keep%u=%u", i, i);
		test_register(REG, text);
	}
	ASSERT_EQ(MANY, count(0, "keep"));
	n = 0;
	do {
		select.buf = (uintptr_t)buf;
		select.buf_len = sizeof(buf);
		test_ioctl(REG, SUPERVISOR_SELECT, &select);
		for (i = 0, at = 0; i < select.out_count; i++) {
			entry = (void *)(buf + at);
			told[atoi(text_at(entry, entry->value_offset))]++;
			at += entry->size;
			total++;
		}
		/* Some more of what is not asked for, then less. */
		for (i = 0; i < 200; i++) {
			snprintf(text, sizeof(text), "gone%u=", n + i);
			test_register(REG, text);
		}
		n += 200;
	} while (select.out_more);
	ASSERT_EQ(MANY, total);
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(1, told[i]);
	}
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "gone%u", i);
		ASSERT_EQ(1, _test_unregister(REG, text));
	}
	ASSERT_EQ(MANY, count(0, ""));
	for (i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "keep%u", i);
		test_found(getpid(), text, text + 4);
	}
	for (i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "keep%u", i);
		ASSERT_EQ(1, _test_unregister(REG, text));
	}
	ASSERT_EQ(0, count(0, ""));
}

/* More of one key than a batch has. */
TEST_F(registry, many_of_one_key)
{
	unsigned int i;
	char text[4096];

	/* A unique key has one. */
	if (HAS_UNIQUE_KEYS)
		return;
	for (i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "web=%03u", i);
		test_register(REG, text);
		ASSERT_EQ(0, order(a, REGISTER, "web=other"));
	}
	ASSERT_EQ(1000, count(KEY, "web"));
	ASSERT_EQ(500, count(KEY | PID, "web", .pid = A));
	ASSERT_EQ(500, _test_unregister(REG, "web"));
	ASSERT_EQ(500, count(KEY, "web"));
	test_killed(a);
	ASSERT_EQ(0, count(KEY, "web"));
	ASSERT_EQ(0, count(0, ""));
}

TEST_F(registry, update)
{
	char value[64];

	if (!HAS_UNIQUE_KEYS) {
		ASSERT_EQ(0, order(a, REGISTER, "web=one"));
		ASSERT_EQ(-EINVAL, order(a, UPDATE, "web=two"));
		test_found(A, "web", "one");
		return;
	}
	ASSERT_EQ(-ENOENT, _test_update(REG, "web=two", NULL));
	ASSERT_EQ(0, order(a, REGISTER, "web=one"));
	ASSERT_EQ(-EPERM, _test_update(REG, "web=two", NULL));
	ASSERT_EQ(0, order(a, UPDATE, "web=two"));
	test_found(A, "web", "two");
	test_killed(a);
	ASSERT_EQ(-ENOENT, _test_update(REG, "web=two", NULL));

	test_register(REG, "db=one");
	ASSERT_EQ(0, _test_update(REG, "db=two", "one"));
	ASSERT_EQ(-ESTALE, _test_update(REG, "db=three", "one"));
	ASSERT_EQ(-ESTALE, _test_update(REG, "db=three", "tw"));
	test_found(getpid(), "db", "two");
	ASSERT_EQ(0, _test_update(REG, "db=", "two"));
	ASSERT_EQ(getpid(), _test_lookup(REG, "db", value, sizeof(value)));
	ASSERT_STREQ("", value);
	test_select(REG, "db=", PID, "", .pid = getpid());
}

TEST_F(registry, ids_tell_entries_apart)
{
	struct supervisor_register first, second;
	struct supervisor_lookup lookup =
		ARG(supervisor_lookup, .key = (uintptr_t)"web", .key_len = 3);

	ASSERT_EQ(0, _test_register(REG, "web=one", -1, &first));
	test_ioctl(REG, SUPERVISOR_LOOKUP, &lookup);
	ASSERT_EQ(first.out_id, lookup.out_id);
	ASSERT_EQ(3, lookup.value_len);
	if (HAS_UNIQUE_KEYS) {
		ASSERT_EQ(0, _test_update(REG, "web=three", NULL));
		test_ioctl(REG, SUPERVISOR_LOOKUP, &lookup);
		ASSERT_EQ(first.out_id, lookup.out_id);
	}
	ASSERT_EQ(1, _test_unregister(REG, "web"));
	ASSERT_EQ(0, _test_register(REG, "web=one", -1, &second));
	ASSERT_LT(first.out_id, second.out_id);
}

TEST_F(registry, values_of_any_length)
{
	struct supervisor_register reg =
		ARG(supervisor_register, .key = (uintptr_t)"key", .key_len = 3,
		    .mailbox_fd = -1);
	struct supervisor_lookup lookup =
		ARG(supervisor_lookup, .key = (uintptr_t)"key", .key_len = 3);
	static char value[SUPERVISOR_VALUE_MAX + 1], seen[sizeof(value)];
	static const __u32 lengths[] = { 0, 1, 127, 128, 129, 1000,
					 SUPERVISOR_VALUE_MAX };
	unsigned int i;

	for (i = 0; i < sizeof(value); i++)
		value[i] = i * 7;
	reg.value = (uintptr_t)value;
	lookup.value = (uintptr_t)seen;
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		reg.value_len = lengths[i];
		test_ioctl(REG, SUPERVISOR_REGISTER, &reg);
		if (lengths[i]) {
			lookup.value_len = lengths[i] - 1;
			ASSERT_EQ(-EMSGSIZE, _test_ioctl(REG, SUPERVISOR_LOOKUP,
							 &lookup));
			ASSERT_EQ(lengths[i], lookup.value_len);
			ASSERT_EQ(getpid(), lookup.out_pid);
		}
		lookup.value_len = lengths[i];
		test_ioctl(REG, SUPERVISOR_LOOKUP, &lookup);
		ASSERT_EQ(lengths[i], lookup.value_len);
		ASSERT_EQ(0, memcmp(value, seen, lengths[i]));
		ASSERT_EQ(1, _test_unregister(REG, "key"));
	}
	reg.value_len = SUPERVISOR_VALUE_MAX + 1;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(REG, SUPERVISOR_REGISTER, &reg));
	ASSERT_EQ(SUPERVISOR_VALUE_MAX, reg.out_max);
	ASSERT_EQ(0, count(0, ""));
}

TEST_F(registry, keys_of_any_bytes)
{
	struct supervisor_register reg =
		ARG(supervisor_register, .mailbox_fd = -1);
	static char key[SUPERVISOR_KEY_MAX + 1];
	unsigned int i;

	memset(key, 0, sizeof(key));
	reg.key = (uintptr_t)key;
	for (i = 1; i <= SUPERVISOR_KEY_MAX; i++) {
		reg.key_len = i;
		test_ioctl(REG, SUPERVISOR_REGISTER, &reg);
	}
	ASSERT_EQ(SUPERVISOR_KEY_MAX, count(0, ""));
	reg.key_len = SUPERVISOR_KEY_MAX + 1;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(REG, SUPERVISOR_REGISTER, &reg));
	ASSERT_EQ(SUPERVISOR_KEY_MAX, reg.out_max);
	reg.key_len = 0;
	ASSERT_EQ(-EINVAL, _test_ioctl(REG, SUPERVISOR_REGISTER, &reg));
	reg.key_len = 1;
	reg.key = 1;
	ASSERT_EQ(-EFAULT, _test_ioctl(REG, SUPERVISOR_REGISTER, &reg));
	reg.key = (uintptr_t)"new";
	reg.key_len = 3;
	reg.value = 1;
	reg.value_len = 1;
	ASSERT_EQ(-EFAULT, _test_ioctl(REG, SUPERVISOR_REGISTER, &reg));
	reg.value_len = 0;
	reg.mailbox_fd = REG;
	ASSERT_EQ(-EBADFD, _test_ioctl(REG, SUPERVISOR_REGISTER, &reg));
	reg.mailbox_fd = 9999;
	ASSERT_EQ(-EBADF, _test_ioctl(REG, SUPERVISOR_REGISTER, &reg));
	test_not_found("new");
	ASSERT_EQ(SUPERVISOR_KEY_MAX, count(0, ""));
}

TEST_F(registry, select_says_what_it_needs)
{
	char buf[128] __aligned(8);
	struct supervisor_select select =
		SELECT(0, "", .buf = (uintptr_t)buf, .buf_len = 8);
	struct supervisor_registry_entry *entry = (void *)buf;
	__u32 needed;
	int mailbox;

	test_mailbox_create(self->dev, 0, &mailbox);
	ASSERT_EQ(0, _test_register(REG, "web=one", mailbox, NULL));
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(REG, SUPERVISOR_SELECT, &select));
	needed = select.buf_len;
	ASSERT_EQ(0, needed % 8);
	select.buf_len = needed;
	test_ioctl(REG, SUPERVISOR_SELECT, &select);
	ASSERT_EQ(needed, select.buf_len);
	ASSERT_EQ(1, select.out_count);
	ASSERT_EQ(needed, entry->size);
	ASSERT_EQ(getpid(), entry->pid);
	ASSERT_EQ(1, entry->mailbox);
	ASSERT_EQ(3, entry->key_len);
	ASSERT_EQ(3, entry->value_len);
	ASSERT_STREQ("web", text_at(entry, entry->key_offset));
	ASSERT_STREQ("one", text_at(entry, entry->value_offset));
	ASSERT_EQ(1, _test_unregister(REG, "web"));
	close(mailbox);
}

TEST_F(registry, select_refuses_nonsense)
{
	char buf[64] __aligned(8);
#define refused(...) \
	({ \
		struct supervisor_select select_ = SELECT(__VA_ARGS__); \
		select_.buf = (uintptr_t)buf; \
		select_.buf_len = sizeof(buf); \
		_test_ioctl(REG, SUPERVISOR_SELECT, &select_); \
	})
	ASSERT_EQ(-EINVAL, refused(KEY, ""));
	ASSERT_EQ(-EINVAL, refused(PID, ""));
	ASSERT_EQ(-EINVAL, refused(PID, "", .pid = -1));
	ASSERT_EQ(-EINVAL, refused(0, "", .pid = 1));
	ASSERT_EQ(-EINVAL, refused(0, "", .partition = 1));
	ASSERT_EQ(-EINVAL, refused(0, "", .value_len = 1));
	ASSERT_EQ(-EINVAL, refused(0, "", .value = 1));
	ASSERT_EQ(-EINVAL, refused(0, "", .key = 1));
	ASSERT_EQ(-EINVAL, refused(0, "", .__reserved = 1));
	ASSERT_EQ(-EINVAL, refused(0, "", .__reserved2 = 1));
	ASSERT_EQ(-EINVAL, refused(0, "", .cursor = { 0, 1, 0 }));
	ASSERT_EQ(-EINVAL, refused(0, "", .cursor = { 0, 0, 1 }));
	ASSERT_EQ(-EMSGSIZE, refused(VALUE, "", .value = (uintptr_t)buf,
				     .value_len = SUPERVISOR_VALUE_MAX + 1));
	ASSERT_EQ(-EFAULT, refused(VALUE, "", .value = 1, .value_len = 1));
	ASSERT_EQ(-EOPNOTSUPP, refused(1U << 31, ""));
	ASSERT_EQ(-EINVAL, count(0, "", .buf_len = 1));
	ASSERT_EQ(-EINVAL, count(0, "", .cursor = { 1, 0, 0 }));
	/* A cursor from nowhere is answered, and with nothing that is not there. */
	ASSERT_EQ(0, refused(0, "", .cursor = { ~0ULL, ~0ULL, ~0ULL }));
	ASSERT_EQ(0, refused(0, "", .cursor = { 1, ~0ULL, ~0ULL }));
}

#define META(op_, key_, value_, len_) \
	({ \
		struct supervisor_meta meta_ = \
			ARG(supervisor_meta, .key = (uintptr_t)(key_), \
			    .key_len = strlen(key_), .value = (uintptr_t)(value_), \
			    .value_len = (len_)); \
		int err_ = _test_ioctl(REG, SUPERVISOR_META_##op_, &meta_); \
		err_ ?: (int)meta_.value_len; \
	})

TEST_F(registry, metadata)
{
	struct supervisor_registry_status status;
	struct supervisor_info info;
	char value[16];

	ASSERT_EQ(-ENOENT, META(GET, "name", value, sizeof(value)));
	ASSERT_EQ(-ENOENT, META(DELETE, "name", 0, 0));
	ASSERT_EQ(3, META(PUT, "name", "one", 3));
	ASSERT_EQ(3, META(GET, "name", value, sizeof(value)));
	ASSERT_EQ(0, memcmp(value, "one", 3));
	ASSERT_EQ(5, META(PUT, "name", "three", 5));
	ASSERT_EQ(0, META(PUT, "other", "", 0));
	ASSERT_EQ(5, META(GET, "name", value, 5));
	ASSERT_EQ(-EMSGSIZE, META(GET, "name", value, 4));
	ASSERT_EQ(0, META(GET, "other", value, 0));
	ASSERT_EQ(-EMSGSIZE, META(PUT, "name", value, SUPERVISOR_VALUE_MAX + 1));
	ASSERT_EQ(-EFAULT, META(PUT, "name", 1, 1));
	ASSERT_EQ(5, META(GET, "name", value, sizeof(value)));
	/* No entry, and none is a key of it. */
	test_not_found("name");
	test_register(REG, "name=entry");
	ASSERT_EQ(5, META(GET, "name", value, sizeof(value)));
	ASSERT_EQ(0, _test_registry_status(REG, &status));
	ASSERT_EQ(2, status.out_meta);
	test_info(self->dev, &info);
	ASSERT_EQ(3, info.out_used[SUPERVISOR_LIMIT_ENTRIES]);
	ASSERT_EQ(-EINVAL, META(DELETE, "name", value, 0));
	ASSERT_EQ(0, META(DELETE, "name", 0, 0));
	ASSERT_EQ(-ENOENT, META(GET, "name", value, sizeof(value)));
}

TEST_F(registry, locks)
{
	struct supervisor_lock lock =
		ARG(supervisor_lock, .key = (uintptr_t)"db", .key_len = 2);

	ASSERT_EQ(-ENOENT, _test_unlock(REG, "db"));
	ASSERT_EQ(0, order(a, LOCK, "db"));
	ASSERT_EQ(-EDEADLK, order(a, LOCK, "db"));
	ASSERT_EQ(-EAGAIN, order(b, LOCK, "db"));
	ASSERT_EQ(-EAGAIN, _test_ioctl(REG, SUPERVISOR_LOCK, &lock));
	ASSERT_EQ(A, lock.out_pid);
	lock.deadline = after_ms(20);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(REG, SUPERVISOR_LOCK, &lock));
	ASSERT_EQ(A, lock.out_pid);
	lock.deadline = 0;
	ASSERT_EQ(-EPERM, _test_ioctl(REG, SUPERVISOR_UNLOCK, &lock));
	ASSERT_EQ(A, lock.out_pid);
	ASSERT_EQ(0, order(b, LOCK, "web"));
	/* A space of its own. */
	ASSERT_EQ(0, order(b, REGISTER, "db=two"));
	ASSERT_EQ(0, order(a, UNLOCK, "db"));
	ASSERT_EQ(-ENOENT, order(a, UNLOCK, "db"));
	ASSERT_EQ(0, order(b, LOCK, "db"));
	test_killed(b);
	ASSERT_EQ(0, _test_lock(REG, "db", after_ms(PATIENCE_MS)));
	ASSERT_EQ(0, _test_lock(REG, "web", after_ms(PATIENCE_MS)));
	ASSERT_EQ(-EINVAL, _test_lock(REG, "", 0));
}

struct locker {
	int reg;
	int order;
	int err;
	int *next;
	pthread_t thread;
	char key[8];
};

/* In a process of its own: locks are of processes. */
static int locker_run(struct locker *locker)
{
	int err = _test_lock(locker->reg, "db", after_ms(PATIENCE_MS));

	if (!err)
		locker->order = __atomic_add_fetch(locker->next, 1, __ATOMIC_SEQ_CST);
	return err;
}

/* First come, first served; and each death passes it on. */
TEST_F(registry, locks_are_given_on_in_order)
{
	struct supervisor_info info;
	struct locker *lockers = shared_memory(8 * sizeof(*lockers));
	int *next = shared_memory(sizeof(*next));
	pid_t pids[8];
	int i, status;

	ASSERT_NE(NULL, lockers);
	ASSERT_NE(NULL, next);
	ASSERT_EQ(0, order(a, LOCK, "db"));
	for (i = 0; i < 8; i++) {
		lockers[i].reg = REG;
		lockers[i].next = next;
		pids[i] = fork();
		if (!pids[i])
			_exit(-locker_run(&lockers[i]));
		/* It has paid for its place. */
		ASSERT_TRUE(eventually(
			!_test_info(self->dev, &info) &&
			info.out_used[SUPERVISOR_LIMIT_ENTRIES] == i + 2U &&
			process_becomes(pids[i], "S")));
	}
	test_killed(a);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		ASSERT_EQ(0, status);
		ASSERT_EQ(i + 1, lockers[i].order);
	}
	ASSERT_EQ(0, _test_lock(REG, "db", after_ms(PATIENCE_MS)));
	munmap(lockers, 8 * sizeof(*lockers));
	munmap(next, sizeof(*next));
}

TEST_F(registry, who_waits_can_be_killed)
{
	pid_t pid;

	ASSERT_EQ(0, order(a, LOCK, "db"));
	pid = fork();
	if (!pid)
		_exit(_test_lock(REG, "db", SUPERVISOR_NO_DEADLINE) ? 1 : 0);
	ASSERT_TRUE(process_becomes(pid, "S"));
	process_kill(pid);
	ASSERT_EQ(0, order(a, UNLOCK, "db"));
	ASSERT_EQ(0, order(b, LOCK, "db"));
}

TEST_F(registry, access)
{
	char name[32];
	int ro, wo, reg;

	snprintf(name, sizeof(name), "/registry.%d", getpid());
	test_registry(self->dev, NAMED_REGISTRY(name, UNIQUE), &reg);
	close(reg);
	test_registry(self->dev, NAMED_REGISTRY(name, UNIQUE), &reg);
	test_open_registry(self->dev, name, O_RDONLY, &ro);
	test_open_registry(self->dev, name, O_WRONLY, &wo);
	ASSERT_EQ(-EBADF, _test_register(ro, "web=one", -1, NULL));
	ASSERT_EQ(-EBADF, _test_unregister(ro, "web"));
	ASSERT_EQ(-EBADF, _test_lock(ro, "web", 0));
	ASSERT_EQ(0, _test_register(wo, "web=one", -1, NULL));
	ASSERT_EQ(-EBADF, _test_lookup(wo, "web", NULL, 0));
	ASSERT_EQ(getpid(), _test_lookup(ro, "web", NULL, 0));
	close(ro);
	close(wo);
	close(reg);
	ASSERT_EQ(-ENOENT, _test_unlink(self->dev, name));
}

TEST_F(registry, closed_with_entries)
{
	char name[32];
	int reg;

	snprintf(name, sizeof(name), "/registry.%d", getpid());
	test_registry(self->dev, NAMED_REGISTRY(name, UNIQUE), &reg);
	ASSERT_EQ(0, _test_register(reg, "web=one", -1, NULL));
	ASSERT_EQ(0, _test_lock(reg, "web", 0));
	close(reg);
	/* Nothing of it is in one of the same name. */
	test_registry(self->dev, NAMED_REGISTRY(name, UNIQUE), &reg);
	ASSERT_EQ(-ENOENT, _test_lookup(reg, "web", NULL, 0));
	ASSERT_EQ(0, _test_lock(reg, "web", 0));
	close(reg);
}

FIXTURE(create)
{
	int dev;
	char name[32];
	struct supervisor_info before;
};

FIXTURE_SETUP(create)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	snprintf(self->name, sizeof(self->name), "/create.%d", getpid());
	test_info(self->dev, &self->before);
}

FIXTURE_TEARDOWN(create)
{
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define create_(...) \
	_test_ioctl(self->dev, SUPERVISOR_REGISTRY_CREATE, \
		    &ARG(supervisor_registry_create, ##__VA_ARGS__))

TEST_F(create, refuses_nonsense)
{
	ASSERT_EQ(-EINVAL, create_(.keys = 3));
	ASSERT_EQ(-EINVAL, create_(.partitions = SUPERVISOR_PARTITIONS_MAX + 1));
	ASSERT_EQ(-EINVAL, create_(.mode = 0600));
	ASSERT_EQ(-EINVAL, create_(.map_slots = 64));
	ASSERT_EQ(-EINVAL, create_(.flags = SUPERVISOR_REGISTRY_F_OPEN));
	ASSERT_EQ(-EOPNOTSUPP, create_(.flags = 1U << 31));
}

TEST_F(create, open_or_create)
{
	struct supervisor_registry_create create =
		NAMED_REGISTRY(self->name, UNIQUE,
			       .flags = SUPERVISOR_REGISTRY_F_OPEN,
			       .partitions = 3);
	struct supervisor_registry_status status;
	int first, second, mailbox;

	test_ioctl(self->dev, SUPERVISOR_REGISTRY_CREATE, &create);
	ASSERT_EQ(1, create.out_created);
	first = create.out_fd;
	ASSERT_EQ(0, _test_register(first, "web=one", -1, NULL));
	create.partitions = 5;
	test_ioctl(self->dev, SUPERVISOR_REGISTRY_CREATE, &create);
	ASSERT_EQ(0, create.out_created);
	second = create.out_fd;
	ASSERT_EQ(getpid(), _test_lookup(second, "web", NULL, 0));
	ASSERT_EQ(0, _test_registry_status(second, &status));
	ASSERT_EQ(create.out_id, status.out_id);
	ASSERT_EQ(3, status.out_partitions);
	ASSERT_EQ(1, status.out_entries);
	ASSERT_EQ(1, status.out_processes);

	create.keys = SUPERVISOR_KEYS_DUPLICATE;
	ASSERT_EQ(-EEXIST, _test_ioctl(self->dev, SUPERVISOR_REGISTRY_CREATE,
				       &create));
	create.keys = SUPERVISOR_KEYS_UNIQUE;
	create.flags = 0;
	ASSERT_EQ(-EEXIST, _test_ioctl(self->dev, SUPERVISOR_REGISTRY_CREATE,
				       &create));
	ASSERT_EQ(-1, create.out_fd);
	close(first);
	ASSERT_EQ(0, _test_unlink(self->dev, self->name));
	/* The object lives on without it. */
	ASSERT_EQ(getpid(), _test_lookup(second, "web", NULL, 0));
	test_ioctl(self->dev, SUPERVISOR_REGISTRY_CREATE, &create);
	ASSERT_EQ(-ENOENT, _test_lookup(create.out_fd, "web", NULL, 0));
	close(second);
	close(create.out_fd);

	test_mailbox(self->dev, NAMED_MAILBOX(self->name), &mailbox);
	create.flags = SUPERVISOR_REGISTRY_F_OPEN;
	ASSERT_EQ(-EEXIST, _test_ioctl(self->dev, SUPERVISOR_REGISTRY_CREATE,
				       &create));
	close(mailbox);
}

TEST_F(create, is_listed)
{
	char buf[4096] __aligned(8);
	struct supervisor_list list =
		ARG(supervisor_list, .buf = (uintptr_t)buf,
		    .buf_len = sizeof(buf));
	struct supervisor_name_entry *entry = (void *)buf;
	bool found = false;
	int reg;
	__u32 i;

	test_registry(self->dev, NAMED_REGISTRY(self->name, DUPLICATE), &reg);
	test_ioctl(self->dev, SUPERVISOR_LIST, &list);
	for (i = 0; i < list.out_count; i++) {
		if (!strcmp(text_at(entry, entry->name_offset), self->name)) {
			found = true;
			ASSERT_EQ(SUPERVISOR_KIND_REGISTRY, entry->kind);
			ASSERT_EQ(0, entry->owner_pid);
		}
		entry = (void *)((char *)entry + entry->size);
	}
	ASSERT_TRUE(found);
	close(reg);
}

TEST_HARNESS_MAIN
