// SPDX-License-Identifier: GPL-2.0
/*
 * Very many entries, and very many deaths at once: all are found as long as they live
 * and none afterwards, and what they took is given back.
 *
 * SUPERVISOR_ENTRIES and SUPERVISOR_DEATHS say how many: 20,000 entries, and 500
 * processes with ten names each, unless told; a tenth of that on a kernel that is
 * slow because it checks a lot.
 */
#include <stdio.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "race.h"

/* Keys and values are numbers, as bytes. */
static int number_register(int registry, __u64 number)
{
	struct supervisor_register arg =
		ARG(supervisor_register, .key = (uintptr_t)&number,
		    .key_len = sizeof(number), .value = (uintptr_t)&number,
		    .value_len = sizeof(number), .mailbox_fd = -1);

	return raw(SYS_ioctl, registry, SUPERVISOR_REGISTER, (long)&arg);
}

static int number_unregister(int registry, __u64 number)
{
	struct supervisor_unregister arg =
		ARG(supervisor_unregister, .key = (uintptr_t)&number,
		    .key_len = sizeof(number));

	return _test_ioctl(registry, SUPERVISOR_UNREGISTER, &arg) ?:
	       (int)arg.out_count;
}

/* The process, or -errno. */
static int number_lookup(int registry, __u64 number)
{
	__u64 value = ~number;
	struct supervisor_lookup arg =
		ARG(supervisor_lookup, .key = (uintptr_t)&number,
		    .key_len = sizeof(number), .value = (uintptr_t)&value,
		    .value_len = sizeof(value));

	return _test_ioctl(registry, SUPERVISOR_LOOKUP, &arg) ?:
	       value == number ? arg.out_pid : -EPROTO;
}

FIXTURE(scale)
{
	int dev;
	int registry;
	struct supervisor_info before;
};

FIXTURE_SETUP(scale)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_info(self->dev, &self->before);
	test_registry(self->dev, REGISTRY(UNIQUE, .partitions = 4),
		      &self->registry);
}

FIXTURE_TEARDOWN(scale)
{
	close(self->registry);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define REG (self->registry)

#define test_holds(entries_, processes_) \
	do { \
		struct supervisor_registry_status status_; \
		ASSERT_EQ(0, _test_registry_status(REG, &status_)); \
		ASSERT_EQ((entries_), status_.out_entries); \
		ASSERT_EQ((processes_), status_.out_processes); \
	} while (0)

/* ---- very many entries ---- */

/* So many that what they take stands out from what else happens. */
#define STANDS_OUT 100000

/* A process that has the numbers below @n. */
static pid_t start_holder(int registry, unsigned int n)
{
	pid_t pid = fork();
	unsigned int i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < n; i++)
		if (number_register(registry, i))
			_exit(1);
	/* The last one is the word that it has them all. */
	if (number_register(registry, ~0ULL))
		_exit(1);
	for (;;)
		pause();
}

/* How often each number below @n is told; false when anything else is. */
static bool select_all(int registry, unsigned char *told, unsigned int n)
{
	static char buf[1 << 16] __aligned(8);
	struct supervisor_select select = SELECT(0, "");
	struct supervisor_registry_entry *entry;
	unsigned int i, at;
	__u64 number;

	do {
		select.buf = (uintptr_t)buf;
		select.buf_len = sizeof(buf);
		if (_test_ioctl(registry, SUPERVISOR_SELECT, &select))
			return false;
		for (i = 0, at = 0; i < select.out_count; i++, at += entry->size) {
			entry = (void *)(buf + at);
			memcpy(&number, text_at(entry, entry->key_offset),
			       sizeof(number));
			if (number < n)
				told[number]++;
			else if (number != ~0ULL)
				return false;
		}
	} while (select.out_more);
	return true;
}

TEST_F(scale, very_many_entries)
{
	unsigned int n = size_told("SUPERVISOR_ENTRIES", 20000), half = n / 2, i;
	long before = kernel_kib(), grown;
	unsigned char *told = calloc(n, 1);
	pid_t pid;

	ASSERT_NE(NULL, told);
	pid = start_holder(REG, half);
	ASSERT_LT(0, pid);
	for (i = half; i < n; i++) {
		ASSERT_EQ(0, number_register(REG, i));
	}
	while (number_lookup(REG, ~0ULL) != pid) {
		ASSERT_EQ(0, waitpid(pid, NULL, WNOHANG));
		sleep_ms(10);
	}
	test_holds(n + 1, 2);
	grown = kernel_kib() - before;
	for (i = 0; i < n; i++) {
		ASSERT_EQ(i < half ? pid : getpid(), number_lookup(REG, i));
	}
	ASSERT_TRUE(select_all(REG, told, n));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(1, told[i]);
	}
	ASSERT_EQ(-EEXIST, number_register(REG, 0));
	ASSERT_EQ(-EEXIST, number_register(REG, n - 1));

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	for (i = 0; i < half; i++) {
		ASSERT_EQ(-ENOENT, number_lookup(REG, i));
	}
	for (i = half; i < n; i++) {
		ASSERT_EQ(1, number_unregister(REG, i));
	}
	ASSERT_EQ(0, _test_count_entries(REG, SELECT(0, "")));
	test_holds(0, 1);
	TH_LOG("%u entries took %ld KiB", n, grown);
	if (n < STANDS_OUT)
		return;
	ASSERT_LT(n / 8, grown);
	ASSERT_TRUE(eventually(kernel_kib() - before < grown / 10));
}

/* ---- very many deaths ---- */

#define NAMES 10

/**
 * struct member - one of those who die
 * @pid: it
 * @registry: where it has its names
 * @first: of their numbers
 * @group: the process group, or 0 to make one
 * @dead: waitid() has reported it
 */
struct member {
	pid_t pid;
	int registry;
	__u64 first;
	pid_t group;
	volatile bool dead;
};

static struct member *members;
static unsigned int nr_members;
static volatile int ready, failed;
static volatile bool stop;

/* They share the memory of the test. */
static int member_main(void *argument)
{
	struct member *member = argument;
	int i, err;

	raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
	err = raw(SYS_setpgid, 0, member->group, 0);
	for (i = 0; i < NAMES && !err; i++)
		err = number_register(member->registry, member->first + i);
	if (err)
		failed = err;
	__sync_fetch_and_add(&ready, 1);
	return racer_wait();
}

static int members_start(int registry, unsigned int n)
{
	char *stacks = crowd_stacks(n);
	unsigned int i;

	members = calloc(n, sizeof(*members));
	if (!members || !stacks)
		return -ENOMEM;
	nr_members = n;
	for (i = 0; i < n; i++) {
		members[i].registry = registry;
		members[i].first = (__u64)i * NAMES;
		members[i].group = members[0].pid;
		members[i].pid = crowd_start(stacks, i, member_main, &members[i]);
		if (members[i].pid < 0)
			return -errno;
		/* The first one makes the group. */
		while (!ready)
			sched_yield();
	}
	while (ready != (int)n)
		sleep_ms(10);
	return failed;
}

struct reader {
	pthread_t thread;
	unsigned int seed;
	int registry;
	unsigned long looks, wrong;
};

/* Finds who is alive, or nobody, and nobody who had been reported before. */
static void *reader_loop(void *argument)
{
	struct reader *reader = argument;
	struct member *member;
	bool dead;
	int found;

	for (; !stop; reader->looks++) {
		member = &members[rand_r(&reader->seed) % nr_members];
		dead = __atomic_load_n(&member->dead, __ATOMIC_ACQUIRE);
		found = number_lookup(reader->registry,
				      member->first + reader->looks % NAMES);
		if (found != -ENOENT && (dead || found != member->pid))
			reader->wrong++;
	}
	return NULL;
}

TEST_F(scale, very_many_deaths_at_once)
{
	unsigned int n = size_told("SUPERVISOR_DEATHS", 500), i;
	struct reader readers[2] = {};
	siginfo_t info;

	ASSERT_EQ(0, raise_processes(n));
	ASSERT_EQ(0, members_start(REG, n));
	test_holds(n * NAMES, n);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(members[i].pid,
			  number_lookup(REG, members[i].first + i % NAMES));
	}
	for (i = 0; i < 2; i++) {
		readers[i].seed = i;
		readers[i].registry = REG;
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL,
					    reader_loop, &readers[i]));
	}
	ASSERT_EQ(0, kill(-members[0].pid, SIGKILL));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, waitid(P_PID, members[i].pid, &info, WEXITED));
		ASSERT_EQ(SIGKILL, info.si_status);
		__atomic_store_n(&members[i].dead, true, __ATOMIC_RELEASE);
	}
	ASSERT_EQ(0, _test_count_entries(REG, SELECT(0, "")));
	test_holds(0, 0);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(-ENOENT, number_lookup(REG, members[i].first));
	}
	stop = true;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(readers[i].thread, NULL));
		ASSERT_EQ(0, readers[i].wrong);
		ASSERT_LT(0, readers[i].looks);
	}
}

TEST_HARNESS_MAIN
