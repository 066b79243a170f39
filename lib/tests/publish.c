// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * publish.c - listeners, publish, dispatch and process groups against the module.
 * Runs where /dev/supervisor is; skips all elsewhere.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "live.h"
#include "tap.h"

/* A process that registers @key and waits to be killed. */
static pid_t holder(int registry, const char *key, int mailbox)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!sup_register(registry, key, strlen(key), "other", 5,
				  mailbox, NULL) &&
		    write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int registry_of(uint32_t keys, uint32_t partitions)
{
	struct sup_registry_opts opts = { SUP_DEFAULTS_sup_registry_opts };

	opts.keys = keys;
	opts.partitions = partitions;
	return sup_registry_create(device, &opts, NULL);
}

static int called;
static int seen;

static void on_entries(struct sup_entries *entries,
		       const struct supervisor_registry_entry *entry, void *arg)
{
	(void)arg;
	__atomic_add_fetch(&called, 1, __ATOMIC_SEQ_CST);
	do {
		__atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
	} while (sup_entries_next(entries, &entry) > 0);
}

static void test_dispatch(void)
{
	int registry = registry_of(SUPERVISOR_KEYS_DUPLICATE, 8);
	pid_t pids[6];
	int i, parallel, first = 0;

	is(sup_dispatch(registry, "news", 4, 0, on_entries, NULL), 0,
	   "dispatch to nobody");
	is(called, 0, "calls nothing");
	for (i = 0; i < 6; i++)
		pids[i] = holder(registry, "news", -1);
	for (parallel = 0; parallel < 2; parallel++) {
		called = 0;
		seen = 0;
		is(sup_dispatch(registry, "news", 4, parallel,
					 on_entries, NULL), 0,
		   parallel ? "dispatch in parallel" : "dispatch");
		is(seen, 6, "to all entries");
		ok(called >= 1 && called <= 6, "once for each partition");
		ok(!parallel || called == first, "as often in parallel");
		first = called;
	}
	for (i = 0; i < 6; i++)
		end(pids[i]);
	close(registry);
}

static void test_messages(void)
{
	static char buf[4096] __attribute__((aligned(8)));
	const struct supervisor_msg_registry *change;
	const struct supervisor_msg *msg;
	struct sup_outcome outcome;
	int registry = registry_of(SUPERVISOR_KEYS_UNIQUE, 1);
	int mailbox = sup_mailbox_create(device, 0, NULL);
	int other = sup_mailbox_create(device, 0, NULL);
	size_t len = sizeof(buf), reply = 0;
	uint64_t call = 0;

	is(sup_listen(registry, other, 0, NULL), 0, "listen");
	is(sup_register(registry, "web", 3, "one", 3, mailbox, NULL), 0,
	   "register with a mailbox");
	is(sup_mailbox_recv(other, buf, &len, 1, SECONDS(30)), 1, "a change");
	msg = sup_msg_next(buf, len, NULL);
	change = sup_msg_registry(msg);
	ok(change && change->event == SUPERVISOR_REGISTRY_REGISTERED,
	   "which is a registration");
	is_text(sup_msg_key(change), "web", "its key");
	is_text(sup_msg_value(change), "one", "its value");
	is(msg->pid, getpid(), "whose it is");
	is(sup_unlisten(registry, other), 0, "unlisten");
	is(sup_publish(registry, "web", 3, "hi", 2, 0, &outcome, NULL),
	   0, "publish");
	ok(outcome.delivered == 1 && !outcome.full && !outcome.gone,
	   "its outcome");
	is(sup_key_send(registry, "web", 3, 0, "you", 3, 0, NULL), 0,
	   "send");
	len = sizeof(buf);
	is(sup_mailbox_recv(mailbox, buf, &len, 0, SECONDS(30)), 2,
	   "both are there");
	is(sup_key_call(registry, "web", 3, 0, "me", 2, NULL, &reply,
			     SECONDS(30), &call, NULL), -EDEADLK,
	   "a call to oneself");
	is(sup_key_send(registry, "no", 2, 0, "x", 1, 0, NULL), -ENOENT,
	   "send to nobody");
	is(sup_key_signal(registry, "web", 3, 0, 0), getpid(), "signal");
	is(sup_key_signal(registry, "no", 2, 0, 0), -ENOENT, "signal nobody");
	close(other);
	close(mailbox);
	close(registry);
}

static int members(int registry)
{
	const struct supervisor_registry_entry *entry;
	struct sup_entries *entries;
	int count = 0;

	if (sup_pg_members(registry, "shop", 4, &entries))
		return -1;
	while (sup_entries_next(entries, &entry) > 0)
		count++;
	sup_entries_free(entries);
	return count;
}

static void test_groups(void)
{
	static char buf[4096] __attribute__((aligned(8)));
	const struct supervisor_registry_entry *entry;
	const struct supervisor_msg_registry *change;
	struct sup_entries *entries;
	int registry = registry_of(SUPERVISOR_KEYS_DUPLICATE, 2);
	int mailbox = sup_mailbox_create(device, 0, NULL);
	size_t len = sizeof(buf);
	pid_t pid;

	is(sup_pg_leave(registry, "shop", 4), -ENOENT, "not joined");
	is(sup_pg_join(registry, "shop", 4, -1, NULL), 0, "join");
	is(sup_pg_join(registry, "shop", 4, -1, NULL), 0, "join again");
	pid = holder(registry, "shop", -1);
	is(members(registry), 3, "members");
	is(sup_pg_leave(registry, "shop", 4), 0, "leave");
	is(members(registry), 2, "once for each join");
	is(sup_pg_monitor(registry, mailbox, "shop", 4, &entries), 0, "monitor");
	is(sup_entries_next(entries, &entry), 1, "who is there");
	sup_entries_free(entries);
	end(pid);
	is(sup_mailbox_recv(mailbox, buf, &len, 1, SECONDS(30)), 1, "a change");
	change = sup_msg_registry(sup_msg_next(buf, len, NULL));
	ok(change && change->event == SUPERVISOR_REGISTRY_DIED,
	   "which is a death");
	is(members(registry), 1, "it is gone");
	is(sup_pg_leave(registry, "shop", 4), 0, "leave");
	is(sup_pg_leave(registry, "shop", 4), -ENOENT, "not joined any more");
	close(mailbox);
	close(registry);
}

int main(void)
{
	int status = live_begin();

	if (status)
		return status;
	test_dispatch();
	test_messages();
	test_groups();
	return tap_end();
}
