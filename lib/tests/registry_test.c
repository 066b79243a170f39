// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * registry_test.c - registries, with a kernel of our own: what options and errnos
 * become, that a walk goes on where its buffer was full, and that a pidfd is the
 * entry's process's, whatever happens between two lookups.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../internal.h"
#include "kernel.h"
#include "tap.h"

#define REGISTRY 1000		/* a descriptor that is none */
#define LOCKED_BY 77

struct entry {
	char key[256];
	char value[40];
	size_t value_len;
	int32_t pid;
	uint64_t id;
};

/* The registry, and what is known of the ioctls. */
static struct {
	struct entry entries[2000];
	size_t count;
	uint64_t next_id;
	int fail;			/* what the next ioctl says, if not 0 */
	size_t batch;			/* records of one SELECT at most */
	uint32_t room;			/* a record needs so many bytes at least */
	bool spoilt;			/* records point out of themselves */
	void (*between)(void);		/* before each lookup but the first */
	int lookups;
	int selects;
	struct supervisor_registry_create create;
	struct supervisor_register registered;
	struct supervisor_unregister unregistered;
	struct supervisor_update update;
	struct supervisor_select select;
	struct supervisor_lock lock;
} fake;

static const void *at(uint64_t pointer)
{
	return (const void *)(uintptr_t)pointer;
}

static void put(const char *key, const char *value, int32_t pid)
{
	struct entry *entry = &fake.entries[fake.count++];

	snprintf(entry->key, sizeof(entry->key), "%s", key);
	snprintf(entry->value, sizeof(entry->value), "%s", value);
	entry->value_len = strlen(value);
	entry->pid = pid;
	entry->id = ++fake.next_id;
}

static void begin(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.batch = ARRAY_SIZE(fake.entries);
}

/* ---- the ioctls ------------------------------------------------------- */

static bool has_key(const struct entry *entry, uint64_t key, uint32_t len,
		    bool whole)
{
	return (!whole || strlen(entry->key) == len) &&
	       (!len || !strncmp(entry->key, at(key), len));
}

static int on_lookup(struct supervisor_lookup *arg)
{
	uint32_t room = arg->value_len;

	arg->value_len = 0;
	if (fake.lookups++ && fake.between)
		fake.between();
	if (arg->key_len > SUPERVISOR_KEY_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < fake.count; i++) {
		const struct entry *entry = &fake.entries[i];

		if (!has_key(entry, arg->key, arg->key_len, true))
			continue;
		arg->out_pid = entry->pid;
		arg->out_id = entry->id;
		arg->out_mailbox = 1;
		arg->value_len = (uint32_t)entry->value_len;
		if (!arg->value)
			return 0;
		if (arg->value_len > room)
			return -EMSGSIZE;
		memcpy((void *)(uintptr_t)arg->value, entry->value,
		       entry->value_len);
		return 0;
	}
	return -ENOENT;
}

static size_t tell(const struct entry *entry, unsigned char *to, size_t room,
		   bool values)
{
	size_t key_len = strlen(entry->key);
	struct supervisor_registry_entry record = {
		.size = (uint32_t)(sizeof(record) + key_len + 1 +
				   (values ? entry->value_len + 1 : 0) + 7) & ~7U,
		.pid = entry->pid,
		.id = entry->id,
		.key_len = (uint16_t)key_len,
		.value_len = (uint16_t)entry->value_len,
		.key_offset = sizeof(record),
		.value_offset = values ?
			(uint16_t)(sizeof(record) + key_len + 1) : 0,
	};

	if (record.size < fake.room)
		record.size = fake.room;
	if (record.size > room)
		return record.size;
	memset(to, 0, record.size);
	memcpy(to + record.key_offset, entry->key, key_len);
	if (values)
		memcpy(to + record.value_offset, entry->value,
		       entry->value_len);
	if (fake.spoilt)
		record.key_len = UINT16_MAX;
	memcpy(to, &record, sizeof(record));
	return record.size;
}

static int on_select(struct supervisor_select *arg)
{
	unsigned char *to = (unsigned char *)(uintptr_t)arg->buf;
	size_t i = arg->cursor[0], done = 0, size;

	fake.selects++;
	fake.select = *arg;
	arg->out_count = 0;
	arg->out_more = 1;
	for (; i < fake.count && arg->out_count < fake.batch; i++) {
		if (!has_key(&fake.entries[i], arg->key, arg->key_len,
			     arg->flags & SUPERVISOR_SELECT_F_KEY))
			continue;
		size = tell(&fake.entries[i], to + done, arg->buf_len - done,
			    !(arg->flags & SUPERVISOR_SELECT_F_NO_VALUES));
		if (size > arg->buf_len - done) {
			if (done)
				break;
			arg->buf_len = (uint32_t)size;
			return -EMSGSIZE;
		}
		done += size;
		arg->out_count++;
	}
	arg->cursor[0] = i;
	arg->buf_len = (uint32_t)done;
	arg->out_more = i < fake.count;
	return 0;
}

static int on_registry(unsigned long request, void *arg)
{
	struct supervisor_register *reg = arg;
	struct supervisor_unregister *unreg = arg;
	struct supervisor_select *select = arg;
	struct supervisor_update *update = arg;
	struct supervisor_meta *meta = arg;
	struct supervisor_lock *lock = arg;
	int fail = fake.fail;

	fake.fail = 0;
	switch (request) {
	case SUPERVISOR_REGISTER:
		fake.registered = *reg;
		reg->out_pid = fail == -EEXIST ? 99 : 0;
		reg->out_limit = SUPERVISOR_LIMIT_ENTRIES;
		reg->out_max = SUPERVISOR_VALUE_MAX;
		reg->out_id = fail ? 0 : 12;
		return fail;
	case SUPERVISOR_UNREGISTER:
		fake.unregistered = *unreg;
		unreg->out_count = 3;
		unreg->out_max = SUPERVISOR_KEY_MAX;
		return fail;
	case SUPERVISOR_LOOKUP:
		return on_lookup(arg);
	case SUPERVISOR_SELECT:
		return fail ? fail : on_select(arg);
	case SUPERVISOR_COUNT:
		fake.select = *select;
		select->out_count = 5000000000;
		return fail;
	case SUPERVISOR_UPDATE:
		fake.update = *update;
		update->out_limit = SUPERVISOR_LIMIT_BYTES;
		return fail;
	case SUPERVISOR_META_GET:
		meta->out_max = fake.room;
		meta->value_len = fake.room ? 0 : 9;
		return fail;
	case SUPERVISOR_LOCK:
	case SUPERVISOR_UNLOCK:
		fake.lock = *lock;
		lock->out_pid = LOCKED_BY;
		lock->out_limit = SUPERVISOR_LIMIT_ENTRIES;
		return fail;
	default:
		return -EOPNOTSUPP;
	}
}

static int answer(int fd, unsigned long request, void *arg)
{
	struct supervisor_registry_create *create = arg;

	if (fd == REGISTRY)
		return on_registry(request, arg);
	if (request != SUPERVISOR_REGISTRY_CREATE)
		return -ENOTTY;
	fake.create = *create;
	create->out_fd = REGISTRY;
	create->out_id = 4;
	create->out_created = 1;
	create->out_limit = SUPERVISOR_LIMIT_REGISTRIES;
	return fake.fail;
}

/* ---- the tests -------------------------------------------------------- */

static void test_create(void)
{
	SUP_OPTS(sup_registry_opts, opts, .name = "/shop", .open = 1,
		 .keys = SUPERVISOR_KEYS_DUPLICATE, .partitions = 8);
	SUP_OPTS(sup_result, result);

	begin();
	is(sup_registry_create(kernel.device, NULL, &result), REGISTRY,
	   "a registry");
	ok(!fake.create.flags && !fake.create.keys && !fake.create.name &&
	   !fake.create.mode && fake.create.partitions == 1,
	   "of unique keys, without a name");
	ok(result.id == 4 && result.created, "has an id, and is new");
	is(sup_registry_create(kernel.device, &opts, NULL), REGISTRY,
	   "one with options");
	ok(fake.create.flags == SUPERVISOR_REGISTRY_F_OPEN &&
	   fake.create.keys == SUPERVISOR_KEYS_DUPLICATE &&
	   fake.create.partitions == 8 && fake.create.name_len == 5 &&
	   fake.create.mode == 0600, "has them");
	fake.fail = -EDQUOT;
	is(sup_registry_create(kernel.device, &opts, &result), -EDQUOT,
	   "too many");
	ok(result.limit == SUPERVISOR_LIMIT_REGISTRIES && !result.id &&
	   !result.created, "says of what, and nothing else");
	opts.sz = sizeof(size_t);
	is(sup_registry_create(kernel.device, &opts, NULL), -EINVAL,
	   "options too short");
	is_text(sup_word(SUP_WORDS_KEYS, SUPERVISOR_KEYS_DUPLICATE_BY_KEY),
		"duplicate_by_key", "a word");
	is_text(sup_word(SUP_WORDS_CHANGE, SUPERVISOR_REGISTRY_DIED), "died",
		"another");
}

static void test_entries(void)
{
	SUP_OPTS(sup_result, result);

	begin();
	is(sup_register(REGISTRY, "key", 3, "value", 5, 7, &result), 0,
	   "register");
	ok(fake.registered.key_len == 3 && fake.registered.value_len == 5 &&
	   fake.registered.mailbox_fd == 7 && result.id == 12 && !result.limit &&
	   !result.max, "with what it takes");
	fake.fail = -EEXIST;
	is(sup_register(REGISTRY, "key", 3, NULL, 0, -1, &result), -EEXIST,
	   "twice");
	ok(result.pid == 99 && !result.id, "says who has it");
	fake.fail = -EMSGSIZE;
	is(sup_register(REGISTRY, "key", (size_t)UINT32_MAX + 4, NULL, 0, -1,
			&result), -EMSGSIZE, "too long");
	ok(result.max == SUPERVISOR_VALUE_MAX && !result.pid &&
	   fake.registered.key_len == UINT32_MAX, "says what would not be");
	fake.fail = -ENOSPC;
	is(sup_register(REGISTRY, "key", 3, NULL, 0, -1, &result), -ENOSPC,
	   "no room");
	ok(result.limit == SUPERVISOR_LIMIT_ENTRIES && !result.max,
	   "says which");

	is(sup_unregister(REGISTRY, "key", 3, NULL), 3, "unregister");
	ok(!fake.unregistered.flags && !fake.unregistered.value, "of a key");
	is(sup_unregister_match(REGISTRY, "key", 3, "value", 5, NULL), 3,
	   "of one value");
	ok(fake.unregistered.flags == SUPERVISOR_UNREGISTER_F_VALUE &&
	   fake.unregistered.value_len == 5, "as the kernel has it");
	fake.fail = -EPERM;
	is(sup_unregister(REGISTRY, "key", 3, NULL), -EPERM, "another's");
}

static void test_update(void)
{
	SUP_OPTS(sup_update_opts, opts, .old = "", .mailbox = 5);
	SUP_OPTS(sup_result, result);

	begin();
	is(sup_update(REGISTRY, "key", 3, "new", 3, NULL, NULL), 0, "update");
	ok(!fake.update.flags && !fake.update.old &&
	   fake.update.mailbox_fd == -1, "whatever it was");
	is(sup_update(REGISTRY, "key", 3, "new", 3, &opts, NULL), 0,
	   "what no flag asks for");
	ok(!fake.update.old && fake.update.mailbox_fd == -1, "stays away");
	opts.flags = SUPERVISOR_UPDATE_F_COMPARE | SUPERVISOR_UPDATE_F_MAILBOX;
	fake.fail = -ESTALE;
	is(sup_update(REGISTRY, "key", 3, "new", 3, &opts, &result), -ESTALE,
	   "compare");
	ok(fake.update.old && !fake.update.old_len &&
	   fake.update.mailbox_fd == 5 && !result.limit, "with the empty value");
}

static void test_meta(void)
{
	SUP_OPTS(sup_result, result);
	size_t len = 20;
	char value[20];

	begin();
	is(sup_meta_get(REGISTRY, "key", 3, value, &len, NULL), 0, "metadata");
	is((long long)len, 9, "is so long");
	fake.fail = -EMSGSIZE;
	len = 2;
	is(sup_meta_get(REGISTRY, "key", 3, value, &len, &result), -EMSGSIZE,
	   "has no room");
	ok(len == 9 && !result.max, "says how long it is");
	fake.fail = -EMSGSIZE;
	fake.room = SUPERVISOR_KEY_MAX;
	is(sup_meta_get(REGISTRY, "key", 3, value, &len, &result), -EMSGSIZE,
	   "or its key is too long");
	ok(!len && result.max == SUPERVISOR_KEY_MAX, "which is not the same");
	fake.fail = -ENOENT;
	len = 20;
	is(sup_meta_get(REGISTRY, "key", 3, value, &len, NULL), -ENOENT,
	   "or it is not there");
	is((long long)len, 0, "and has no length");
}

static void test_lock(void)
{
	SUP_OPTS(sup_result, result);

	begin();
	is(sup_lock(REGISTRY, "key", 3, 5, &result), 0, "a lock");
	ok(fake.lock.deadline == 5 && !result.pid && !result.max, "is ours");
	fake.fail = -ETIMEDOUT;
	is(sup_lock(REGISTRY, "key", 3, 5, &result), -ETIMEDOUT, "or not");
	is(result.pid, LOCKED_BY, "but whose");
	fake.fail = -EINTR;
	is(sup_lock(REGISTRY, "key", 3, 5, &result), -EINTR,
	   "a signal is the caller's affair");
	fake.fail = -EPERM;
	is(sup_unlock(REGISTRY, "key", 3, &result), -EPERM, "another's");
	ok(result.pid == LOCKED_BY && !fake.lock.deadline, "whose");
	fake.fail = -EDQUOT;
	is(sup_lock(REGISTRY, "key", 3, 5, &result), -EDQUOT, "too many");
	ok(result.limit == SUPERVISOR_LIMIT_ENTRIES && !result.pid, "of what");
}

static void test_lookup(void)
{
	static const char long_key[SUPERVISOR_KEY_MAX + 1];
	SUP_OPTS(sup_result, result);
	char value[10];
	size_t len = sizeof(value);

	begin();
	put("a", "value", 42);
	put("none here", "", 0);
	is(sup_lookup(REGISTRY, "a", 1, value, &len, &result), 1, "a lookup");
	ok(len == 5 && !memcmp(value, "value", 5) && result.pid == 42 &&
	   result.id == 1 && !result.max, "finds it");
	len = 4;
	is(sup_lookup(REGISTRY, "a", 1, value, &len, &result), -EMSGSIZE,
	   "no room");
	ok(len == 5 && result.pid == 42 && !result.max, "says of how much");
	is(sup_lookup(REGISTRY, long_key, sizeof(long_key), value, &len,
		      &result), -EMSGSIZE, "a key too long");
	ok(!len && !result.pid && result.max == SUPERVISOR_KEY_MAX,
	   "is not the value");
	is(sup_lookup(REGISTRY, "a", 1, NULL, NULL, NULL), 1, "no value");
	len = 7;
	is(sup_lookup(REGISTRY, "b", 1, value, &len, &result), -ENOENT,
	   "nobody");
	ok(!len && !result.pid && !result.id, "has nothing");
	is(sup_whereis(REGISTRY, "a", 1), 42, "where it is");
	is(sup_whereis(REGISTRY, "none here", 9), -ESRCH, "not here");
	is(sup_whereis(REGISTRY, "b", 1), -ENOENT, "nowhere");
}

/* ---- a pidfd ---------------------------------------------------------- */

static pid_t spawn(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static pid_t second;

/* The process dies, its number is free, and another one has the key. */
static void take_over(void)
{
	if (fake.entries[0].pid == second)
		return;
	fake.count = 0;
	put("key", "", second);
}

static void die(void)
{
	fake.count = 0;
}

static int pid_of(int pidfd)
{
	char path[40], line[128];
	int pid = -1;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	info = fopen(path, "r");
	while (info && fgets(line, sizeof(line), info))
		sscanf(line, "Pid: %d", &pid);
	if (info)
		fclose(info);
	return pid;
}

static void test_pidfd(void)
{
	pid_t first = spawn();
	int fd;

	second = spawn();
	begin();
	put("key", "", first);
	fd = sup_whereis_pidfd(REGISTRY, "key", 3);
	ok(fd >= 0 && pid_of(fd) == first && fake.lookups == 2, "a pidfd");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
	close(fd);

	begin();
	put("key", "", first);
	fake.between = take_over;
	fd = sup_whereis_pidfd(REGISTRY, "key", 3);
	ok(fd >= 0 && pid_of(fd) == second && fake.lookups == 3,
	   "not of who has lost the key meanwhile");
	close(fd);

	begin();
	put("key", "", first);
	reap(first);
	fake.between = take_over;
	fd = sup_whereis_pidfd(REGISTRY, "key", 3);
	ok(fd >= 0 && pid_of(fd) == second, "nor of one that is gone");
	close(fd);

	begin();
	put("key", "", second);
	fake.between = die;
	fd = dup(0);
	close(fd);
	is(sup_whereis_pidfd(REGISTRY, "key", 3), -ENOENT,
	   "one that has died after the first look");
	is(dup(0), fd, "leaves no descriptor");
	close(fd);
	begin();
	put("key", "", first);
	is(sup_whereis_pidfd(REGISTRY, "key", 3), -ESRCH,
	   "a number that is nobody's is no endless loop");
	reap(second);
}

/* ---- walks ------------------------------------------------------------ */

static long walk(struct sup_entries *entries)
{
	const struct supervisor_registry_entry *entry;
	uint64_t last = 0;
	long count = 0;
	int ret;

	while ((ret = sup_entries_next(entries, &entry)) > 0) {
		if (entry->id <= last)
			return -1;
		last = entry->id;
		count++;
	}
	return ret ? ret : count;
}

static void test_select(void)
{
	char key[] = "web/";
	SUP_OPTS(sup_select_opts, opts, .key = key, .key_len = 4);
	const struct supervisor_registry_entry *entry;
	struct sup_entries *entries;
	char name[20];
	size_t len;

	begin();
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "%s/%d", i % 3 ? "web" : "db", i);
		put(name, "value", i + 1);
	}
	is(sup_select(REGISTRY, NULL, &entries), 0, "a walk");
	is(walk(entries), 1500, "meets all");
	ok(fake.selects > 1, "in several turns");
	is(walk(entries), 0, "and stays at its end");
	sup_entries_free(entries);

	is(sup_select(REGISTRY, &opts, &entries), 0, "a beginning");
	memset(key, 'x', 4);
	is(walk(entries), 1000, "which it has kept");
	sup_entries_free(entries);
	memcpy(key, "web/", 4);

	fake.batch = 7;
	sup_select(REGISTRY, &opts, &entries);
	is(walk(entries), 1000, "whatever a turn brings");
	sup_entries_free(entries);
	sup_select(REGISTRY, &opts, &entries);
	for (int i = 0; i < 7; i++)
		sup_entries_next(entries, &entry);
	is_text(sup_entry_key(entry, &len), "web/10", "its key");
	is((long long)len, 6, "has a length");
	is_text(sup_entry_value(entry, &len), "value", "its value");
	is((long long)len, 5, "too");
	fake.fail = -ENOMEM;
	is(sup_entries_next(entries, &entry), -ENOMEM, "an error");
	is(walk(entries), 993, "is not the end");
	sup_entries_free(entries);

	fake.room = 100000;
	sup_select(REGISTRY, &opts, &entries);
	is(walk(entries), 1000, "entries larger than any");
	sup_entries_free(entries);
	fake.room = SUP_BUF_MAX + 8;
	is(sup_select(REGISTRY, &opts, &entries), -EMSGSIZE, "but not these");
	ok(!entries, "no walk");
	fake.room = 0;
	fake.spoilt = true;
	sup_select(REGISTRY, &opts, &entries);
	is(walk(entries), 0, "what makes no sense is not shown");
	sup_entries_free(entries);
	sup_entries_free(NULL);
}

static void test_select_opts(void)
{
	SUP_OPTS(sup_select_opts, opts, .key = "k", .key_len = 1, .value = "v",
		 .value_len = 1, .pid = 3, .partition = 2);
	struct sup_entries *entries;
	uint64_t count;

	begin();
	put("k", "v", 3);
	is(sup_count(REGISTRY, &opts, &count), 0, "a count");
	ok(count == 5000000000 && fake.select.key_len == 1 &&
	   !fake.select.value && !fake.select.pid && !fake.select.partition,
	   "what no flag asks for is not the kernel's");
	opts.flags = SUPERVISOR_SELECT_F_KEY | SUPERVISOR_SELECT_F_VALUE |
		     SUPERVISOR_SELECT_F_PID | SUPERVISOR_SELECT_F_PARTITION |
		     SUPERVISOR_SELECT_F_NO_VALUES;
	is(sup_select(REGISTRY, &opts, &entries), 0, "all flags");
	ok(fake.select.flags == opts.flags && fake.select.value_len == 1 &&
	   fake.select.pid == 3 && fake.select.partition == 2, "go on");
	sup_entries_free(entries);
	fake.fail = -EINVAL;
	is(sup_count(REGISTRY, NULL, &count), -EINVAL, "an error");
	is((long long)count, 0, "counts nothing");
	opts.key_len = SUPERVISOR_KEY_MAX + 1;
	is(sup_select(REGISTRY, &opts, &entries), -EMSGSIZE, "a key too long");
	opts.reserved = 1;
	is(sup_select(REGISTRY, &opts, &entries), -EINVAL, "reserved");
}

int main(void)
{
	kernel_init();
	kernel.test = answer;
	errno = 0;
	test_create();
	test_entries();
	test_update();
	test_meta();
	test_lock();
	test_lookup();
	test_select();
	test_select_opts();
	is(errno, 0, "errno was left alone");
	test_pidfd();
	return tap_end();
}
