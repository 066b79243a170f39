// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * registries.c - registries against the module. Runs where /dev/supervisor is;
 * skips all elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "live.h"
#include "tap.h"

#define KEY(text) (text), sizeof(text) - 1

/* ---- a process that has entries --------------------------------------- */

struct holder {
	pid_t pid;
	int pipe;		/* closed: it exits */
};

/* It has run @begin when this returns. */
static struct holder hold(int registry, void (*begin)(int registry))
{
	struct holder holder;
	int ready[2], end[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) || pipe2(end, O_CLOEXEC))
		abort();
	holder.pid = fork();
	if (!holder.pid) {
		close(end[1]);
		begin(registry);
		close(ready[0]);
		close(ready[1]);
		(void)!read(end[0], &byte, 1);
		_exit(0);
	}
	close(ready[1]);
	close(end[0]);
	(void)!read(ready[0], &byte, 1);
	close(ready[0]);
	holder.pipe = end[1];
	return holder;
}

static void let_go(struct holder holder)
{
	close(holder.pipe);
	waitpid(holder.pid, NULL, 0);
}

static int registry_new(uint32_t keys, uint32_t partitions)
{
	SUP_OPTS(sup_registry_opts, opts, .keys = keys,
		 .partitions = partitions);
	int registry = sup_registry_create(device, &opts, NULL);

	if (registry < 0)
		abort();
	return registry;
}

static void begin_mapped(int registry)
{
	if (sup_register(registry, KEY("mapped"), "one", 3, -1, NULL))
		_exit(1);
}

/* ---- the tests -------------------------------------------------------- */

static int peek(const struct sup_registry_map *map, const char *key, char *value,
		size_t size, int *pid)
{
	SUP_OPTS(sup_result, result);
	size_t len = size - 1;
	int ret = sup_registry_peek(map, key, strlen(key), value, &len, &result);

	*pid = result.pid;
	value[ret >= 0 && len < size ? len : 0] = 0;
	return ret;
}

static void test_map(void)
{
	SUP_OPTS(sup_registry_opts, opts, .map_slots = 64);
	int registry = sup_registry_create(device, &opts, NULL);
	int plain = registry_new(SUPERVISOR_KEYS_UNIQUE, 1);
	int duplicate, pid, status;
	struct sup_registry_map *map, *none;
	struct holder holder;
	char value[512], large[400];
	pid_t child;

	ok(registry >= 0, "a registry that can be mapped");
	is(sup_registry_map(plain, &none), -ENODEV, "others cannot");
	ok(!none, "and there is no map");
	opts.keys = SUPERVISOR_KEYS_DUPLICATE;
	duplicate = sup_registry_create(device, &opts, NULL);
	is(duplicate, -EOPNOTSUPP, "none of duplicate keys");
	is(sup_registry_map(registry, &map), 0, "it is mapped");
	is(peek(map, "mapped", value, sizeof(value), &pid), -ENOENT,
	   "there is nobody");
	holder = hold(registry, begin_mapped);
	is(peek(map, "mapped", value, sizeof(value), &pid), 0, "somebody is seen");
	is(pid, holder.pid, "by number");
	is_text(value, "one", "and value");
	is(peek(map, "mapped", value, 3, &pid), -EMSGSIZE,
	   "which needs room");
	is(pid, holder.pid, "but is somebody's");
	let_go(holder);
	is(peek(map, "mapped", value, sizeof(value), &pid), -ENOENT,
	   "the dead are not");
	memset(large, 'x', sizeof(large));
	large[sizeof(large) - 1] = 0;
	is(sup_register(registry, KEY("large"), large, sizeof(large) - 1, -1, NULL),
	   0, "a value that is too long for it");
	is(peek(map, "large", value, sizeof(value), &pid), 0, "is looked up");
	is_text(value, large, "as it is");
	close(registry);
	is(peek(map, "large", value, sizeof(value), &pid), 0,
	   "also when the registry's file is closed");
	is(sup_registry_peek(map, KEY("large"), NULL, NULL, NULL), 0,
	   "without its value");
	child = fork();
	if (!child) {
		int ret = peek(map, "large", value, sizeof(value), &pid);

		sup_registry_unmap(map);
		_exit(!ret && pid == getppid() && !strcmp(value, large) ? 7 : 8);
	}
	waitpid(child, &status, 0);
	is(WEXITSTATUS(status), 7, "and by a fork, which has no mapping");
	is(peek(map, "large", value, sizeof(value), &pid), 0, "ours is still there");
	sup_registry_unmap(map);
	sup_registry_unmap(NULL);
	close(plain);
}

static void test_create(void)
{
	SUP_OPTS(sup_registry_opts, opts, .name = "/registries", .open = 1);
	struct supervisor_registry_status status = { .size = sizeof(status) };
	SUP_OPTS(sup_result, result);
	int registry, other;

	registry = sup_registry_create(device, &opts, &result);
	ok(registry >= 0 && result.created && result.id, "a registry");
	other = sup_registry_create(device, &opts, &result);
	ok(other >= 0 && !result.created, "is opened by who comes second");
	close(other);
	opts.keys = SUPERVISOR_KEYS_DUPLICATE;
	is(sup_registry_create(device, &opts, NULL), -EEXIST, "of its keys");
	other = sup_registry_open(device, "/registries", O_RDONLY, &result);
	is(sup_registry_status(other, &status), 0, "a look");
	ok(status.out_id == result.id && status.out_partitions == 1,
	   "at the same one");
	is(sup_register(other, KEY("key"), NULL, 0, -1, NULL), -EBADF,
	   "not to register");
	close(other);
	is(sup_unlink(device, "/registries"), 0, "its name goes");
	is(sup_registry_open(device, "/registries", O_RDONLY, NULL), -ENOENT,
	   "and is gone");
	close(registry);
}

static void register_key(int registry)
{
	if (sup_register(registry, KEY("key"), KEY("theirs"), -1, NULL))
		abort();
}

static void test_entries(void)
{
	int registry = registry_new(SUPERVISOR_KEYS_UNIQUE, 1);
	static char large[SUPERVISOR_VALUE_MAX + 1];
	SUP_OPTS(sup_update_opts, update, .old = "mine", .old_len = 4,
		 .flags = SUPERVISOR_UPDATE_F_COMPARE);
	SUP_OPTS(sup_result, result);
	struct holder holder;
	char value[20];
	size_t len = sizeof(value);
	int pidfd;

	is(sup_register(registry, KEY("mine"), KEY("mine"), -1, &result), 0,
	   "register");
	ok(result.id, "an entry has a number");
	is(sup_register(registry, KEY("mine"), NULL, 0, -1, &result), -EEXIST,
	   "twice");
	is(result.pid, getpid(), "it is our own");
	is(sup_register(registry, KEY("x"), large, sizeof(large), -1, &result),
	   -EMSGSIZE, "a value too long");
	is((long long)result.max, SUPERVISOR_VALUE_MAX, "says how long");
	is(sup_update(registry, KEY("mine"), KEY("new"), &update, NULL), 0,
	   "an update");
	is(sup_update(registry, KEY("mine"), KEY("newer"), &update, NULL),
	   -ESTALE, "too late");
	is(sup_lookup(registry, KEY("mine"), value, &len, &result), 0,
	   "a lookup");
	ok(len == 3 && !memcmp(value, "new", 3) && result.pid == getpid(),
	   "finds it");

	holder = hold(registry, register_key);
	is(sup_register(registry, KEY("key"), NULL, 0, -1, &result), -EEXIST,
	   "another's key");
	is(result.pid, holder.pid, "whose");
	is(sup_whereis(registry, KEY("key")), holder.pid, "where it is");
	is(sup_unregister(registry, KEY("key"), NULL), -EPERM, "not ours");
	is(sup_update(registry, KEY("key"), NULL, 0, NULL, NULL), -EPERM,
	   "neither to update");
	pidfd = sup_whereis_pidfd(registry, KEY("key"));
	ok(pidfd >= 0, "its pidfd");
	let_go(holder);
	is(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 0), 1,
	   "is of the process that has ended");
	close(pidfd);
	is(sup_whereis(registry, KEY("key")), -ENOENT, "it is gone");
	is(sup_whereis_pidfd(registry, KEY("key")), -ENOENT, "in every way");
	is(sup_register(registry, KEY("key"), NULL, 0, -1, NULL), 0,
	   "and its key is free");
	is(sup_unregister_match(registry, KEY("key"), KEY("no"), NULL), 0,
	   "another value");
	is(sup_unregister(registry, KEY("key"), NULL), 1, "unregister");
	is(sup_unregister(registry, KEY("key"), NULL), -ENOENT, "again");
	close(registry);
}

static void register_many(int registry)
{
	char key[20];

	for (int i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "%s/%d", i % 4 ? "web" : "db", i);
		if (sup_register(registry, key, strlen(key), KEY("theirs"), -1,
				 NULL))
			abort();
	}
}

static long walk(int registry, const struct sup_select_opts *opts)
{
	const struct supervisor_registry_entry *entry;
	struct sup_entries *entries;
	long count = 0;
	int ret;

	ret = sup_select(registry, opts, &entries);
	if (ret)
		return ret;
	while ((ret = sup_entries_next(entries, &entry)) > 0)
		count++;
	sup_entries_free(entries);
	return ret ? ret : count;
}

static void test_select(void)
{
	int registry = registry_new(SUPERVISOR_KEYS_DUPLICATE, 4);
	struct holder holder = hold(registry, register_many);
	SUP_OPTS(sup_select_opts, prefix, .key = "web/", .key_len = 4);
	SUP_OPTS(sup_select_opts, match, .key = "db/0", .key_len = 4,
		 .value = "ours", .value_len = 4,
		 .flags = SUPERVISOR_SELECT_F_KEY | SUPERVISOR_SELECT_F_VALUE);
	SUP_OPTS(sup_select_opts, keys, .pid = getpid(),
		 .flags = SUPERVISOR_SELECT_F_PID |
			  SUPERVISOR_SELECT_F_NO_VALUES);
	const struct supervisor_registry_entry *entry;
	struct sup_entries *entries;
	uint64_t count;

	sup_register(registry, KEY("db/0"), KEY("ours"), -1, NULL);
	is(walk(registry, NULL), 2001, "all entries");
	is(walk(registry, &prefix), 1500, "those of a beginning");
	is(walk(registry, &match), 1, "of a key and a value");
	is(sup_count(registry, &prefix, &count), 0, "a count");
	is((long long)count, 1500, "counts the same");
	is(sup_select(registry, &keys, &entries), 0, "our keys");
	is(sup_entries_next(entries, &entry), 1, "are one");
	is_text(sup_entry_key(entry, NULL), "db/0", "this one");
	ok(!sup_entry_value(entry, NULL) && entry->pid == getpid(),
	   "without its value");
	is(sup_entries_next(entries, &entry), 0, "no other");
	sup_entries_free(entries);
	let_go(holder);
	is(walk(registry, NULL), 1, "the dead have none");
	is(sup_count(registry, NULL, &count), 0, "nor");
	is((long long)count, 1, "are they counted");
	close(registry);
}

static void lock_key(int registry)
{
	if (sup_lock(registry, KEY("lock"), SUPERVISOR_NO_DEADLINE, NULL))
		abort();
}

static void test_meta_and_locks(void)
{
	int registry = registry_new(SUPERVISOR_KEYS_UNIQUE, 1);
	SUP_OPTS(sup_result, result);
	struct holder holder;
	char value[4];
	size_t len = 3;

	is(sup_meta_put(registry, KEY("version"), KEY("four"), NULL), 0,
	   "metadata");
	is(sup_meta_get(registry, KEY("version"), value, &len, NULL), -EMSGSIZE,
	   "without room");
	is((long long)len, 4, "says how long it is");
	is(sup_meta_get(registry, KEY("version"), value, &len, NULL), 0,
	   "with room");
	ok(len == 4 && !memcmp(value, "four", 4), "as it was put");
	is(sup_meta_delete(registry, KEY("version"), NULL), 0, "delete");
	is(sup_meta_delete(registry, KEY("version"), NULL), -ENOENT, "again");

	holder = hold(registry, lock_key);
	is(sup_lock(registry, KEY("lock"), 0, &result), -EAGAIN, "a lock");
	is(result.pid, holder.pid, "is another's");
	is(sup_unlock(registry, KEY("lock"), &result), -EPERM, "not ours");
	let_go(holder);
	is(sup_lock(registry, KEY("lock"), SECONDS(20), NULL), 0,
	   "its death frees it");
	is(sup_lock(registry, KEY("lock"), SECONDS(20), NULL), -EDEADLK,
	   "ours is not waited for");
	is(sup_unlock(registry, KEY("lock"), NULL), 0, "unlock");
	is(sup_unlock(registry, KEY("lock"), NULL), -ENOENT, "again");
	close(registry);
}

int main(void)
{
	int status = live_begin();

	if (status)
		return status;
	errno = 0;
	test_create();
	test_map();
	test_entries();
	test_select();
	test_meta_and_locks();
	is(errno, 0, "errno was left alone");
	return tap_end();
}
