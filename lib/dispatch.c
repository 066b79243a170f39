// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dispatch.c - owns what is done with all entries of a key in the caller:
 * Registry.dispatch, and process groups, which are duplicate keys.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include "internal.h"

static struct sup_select_opts exactly(const void *key, size_t key_len)
{
	struct sup_select_opts what = { SUP_DEFAULTS_sup_select_opts };

	what.flags = SUPERVISOR_SELECT_F_KEY;
	what.key = key;
	what.key_len = key_len;
	return what;
}

/* ---- dispatch --------------------------------------------------------- */

struct dispatch {
	int registry;
	struct sup_select_opts what;
	sup_dispatch_fn fn;
	void *arg;
	pthread_t thread;
	int ret;
};

/* The callback is called for none: so the first one is looked for beforehand. */
static int dispatch_one(struct dispatch *dispatch)
{
	const struct supervisor_registry_entry *entry;
	struct sup_entries *entries;
	int ret;

	ret = sup_select(dispatch->registry, &dispatch->what, &entries);
	if (ret)
		return ret;
	ret = sup_entries_next(entries, &entry);
	if (ret > 0)
		dispatch->fn(entries, entry, dispatch->arg);
	sup_entries_free(entries);
	return ret < 0 ? ret : 0;
}

static void *dispatch_thread(void *arg)
{
	struct dispatch *dispatch = arg;

	dispatch->ret = dispatch_one(dispatch);
	return NULL;
}

/* A thread for each; what no thread can be had for is done here. */
static void dispatch_parallel(struct dispatch *all, uint32_t nr)
{
	bool started[SUPERVISOR_PARTITIONS_MAX];
	uint32_t i;

	for (i = 0; i < nr; i++)
		started[i] = !pthread_create(&all[i].thread, NULL,
					     dispatch_thread, &all[i]);
	for (i = 0; i < nr; i++) {
		if (started[i])
			pthread_join(all[i].thread, NULL);
		else
			dispatch_thread(&all[i]);
	}
}

int sup_dispatch(int registry, const void *key, size_t key_len, int parallel,
		 sup_dispatch_fn fn, void *arg)
{
	struct supervisor_registry_status status = { .size = sizeof(status) };
	struct dispatch all[SUPERVISOR_PARTITIONS_MAX];
	uint32_t nr, i;
	int ret = sup_registry_status(registry, &status);

	if (ret)
		return ret;
	/* Otherwise a key is in one partition, and they are all looked at at once. */
	nr = status.out_keys == SUPERVISOR_KEYS_DUPLICATE ?
		     status.out_partitions : 1;
	if (nr > SUPERVISOR_PARTITIONS_MAX)
		return -EOPNOTSUPP;
	for (i = 0; i < nr; i++) {
		all[i] = (struct dispatch){
			.registry = registry,
			.what = exactly(key, key_len),
			.fn = fn,
			.arg = arg,
		};
		if (nr > 1) {
			all[i].what.flags |= SUPERVISOR_SELECT_F_PARTITION;
			all[i].what.partition = i;
		}
	}
	if (parallel && nr > 1)
		dispatch_parallel(all, nr);
	else
		for (i = 0; i < nr && !ret; i++)
			ret = all[i].ret = dispatch_one(&all[i]);
	for (i = 0; i < nr && !ret; i++)
		ret = all[i].ret;
	return ret;
}

/* ---- process groups --------------------------------------------------- */

/*
 * A process may join a group several times; each has a value of its own, so that
 * leaving takes one of them away.
 */
int sup_pg_join(int registry, const void *group, size_t group_len, int mailbox,
		struct sup_result *result)
{
	static uint64_t joins;
	const uint64_t value = __atomic_add_fetch(&joins, 1, __ATOMIC_RELAXED);

	return sup_register(registry, group, group_len, &value, sizeof(value),
			    mailbox, result);
}

int sup_pg_leave(int registry, const void *group, size_t group_len)
{
	struct sup_select_opts mine = exactly(group, group_len);
	const struct supervisor_registry_entry *entry;
	struct sup_entries *entries;
	const void *value;
	size_t len;
	int ret;

	mine.flags |= SUPERVISOR_SELECT_F_PID;
	mine.pid = getpid();
	ret = sup_select(registry, &mine, &entries);
	if (ret)
		return ret;
	ret = sup_entries_next(entries, &entry);
	if (ret > 0) {
		value = sup_entry_value(entry, &len);
		ret = sup_unregister_match(registry, group, group_len, value,
					   len, NULL);
	}
	sup_entries_free(entries);
	/* OTP: not_joined. Another thread may have been faster. */
	return ret < 0 ? ret : ret ? 0 : -ENOENT;
}

int sup_pg_members(int registry, const void *group, size_t group_len,
		   struct sup_entries **members)
{
	struct sup_select_opts all = exactly(group, group_len);

	all.flags |= SUPERVISOR_SELECT_F_NO_VALUES;
	return sup_select(registry, &all, members);
}

int sup_pg_monitor(int registry, int mailbox, const void *group,
		   size_t group_len, struct sup_entries **members)
{
	int ret;

	*members = NULL;
	/* First this: so that who joins in between is told twice, not never. */
	ret = sup_listen(registry, mailbox, SUPERVISOR_LISTEN_F_DEATHS, NULL);
	if (ret)
		return ret;
	ret = sup_pg_members(registry, group, group_len, members);
	if (ret)
		sup_unlisten(registry, mailbox);
	return ret;
}
