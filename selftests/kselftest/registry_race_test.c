// SPDX-License-Identifier: GPL-2.0
/*
 * What meets in a registry on two CPUs: deaths and closes with whoever looks for what
 * they end, or takes its place. And readers of all sorts, none of whom ever sees a
 * process that waitid() has reported dead.
 */
#include "kselftest_harness.h"

#include "race.h"

#define NAME "name"

/* What a round is about, for both sides. */
static pid_t victim;
static int box;

/* ---- processes that take a name and wait, without errno ---- */

static long raw_register(int registry, const char *key, int mailbox)
{
	struct supervisor_register arg =
		ARG(supervisor_register, .key = (uintptr_t)key,
		    .key_len = strlen(key), .value = (uintptr_t)"one",
		    .value_len = 3, .mailbox_fd = mailbox);

	return raw(SYS_ioctl, registry, SUPERVISOR_REGISTER, (long)&arg);
}

static long raw_unregister(int registry, const char *key)
{
	struct supervisor_unregister arg =
		ARG(supervisor_unregister, .key = (uintptr_t)key,
		    .key_len = strlen(key));

	return raw(SYS_ioctl, registry, SUPERVISOR_UNREGISTER, (long)&arg);
}

static long raw_update(int registry, const char *key)
{
	struct supervisor_update arg =
		ARG(supervisor_update, .key = (uintptr_t)key,
		    .key_len = strlen(key), .value = (uintptr_t)"another",
		    .value_len = 7, .mailbox_fd = -1);

	return raw(SYS_ioctl, registry, SUPERVISOR_UPDATE, (long)&arg);
}

static long raw_lock(int registry, const char *key)
{
	struct supervisor_lock arg =
		ARG(supervisor_lock, .key = (uintptr_t)key,
		    .key_len = strlen(key), .deadline = SUPERVISOR_NO_DEADLINE);

	return raw(SYS_ioctl, registry, SUPERVISOR_LOCK, (long)&arg);
}

static int raw_mailbox(int dev)
{
	struct supervisor_mailbox_create arg = MAILBOX(.ring_bytes = 4096);

	return raw(SYS_ioctl, dev, SUPERVISOR_MAILBOX_CREATE, (long)&arg) ?:
	       arg.out_fd;
}

/* Its side is 1 until it has done what it was started for: then 0 or -errno. */
static void racer_say(struct racer *racer, int err)
{
	set_word(&racer->side, err);
}

static pid_t racer_begin(struct racer *racer, struct shared *shared,
			 int registry, int (*run)(void *racer))
{
	pid_t pid;

	racer->shared = shared;
	racer->sup = registry;
	racer->side = 1;
	pid = start_racer(racer, run);
	if (pid > 0)
		wait_while(&racer->side, 1);
	return racer->side ? racer->side : pid;
}

static int take(void *argument)
{
	struct racer *racer = argument;

	racer_say(racer, raw_register(racer->sup, NAME, -1));
	return racer_wait();
}

static int take_with_mailbox(void *argument)
{
	struct racer *racer = argument;
	int mailbox = raw_mailbox(racer->dev);

	racer_say(racer, mailbox < 0 ? mailbox :
			 raw_register(racer->sup, NAME, mailbox));
	return racer_wait();
}

static int take_and_unregister(void *argument)
{
	struct racer *racer = argument;

	racer_say(racer, raw_register(racer->sup, NAME, -1));
	await_go(racer->shared, 0);
	racer->shared->err[0] = raw_unregister(racer->sup, NAME);
	return racer_wait();
}

static int take_and_update(void *argument)
{
	struct racer *racer = argument;

	racer_say(racer, raw_register(racer->sup, NAME, -1));
	await_go(racer->shared, 0);
	racer->shared->err[0] = raw_update(racer->sup, NAME);
	return racer_wait();
}

static int lock(void *argument)
{
	struct racer *racer = argument;

	racer_say(racer, 0);
	racer->shared->err[0] = raw_lock(racer->sup, NAME);
	return racer_wait();
}

FIXTURE(registry_race)
{
	int dev;
	int registry;
	struct racer racer;
	struct shared *shared;
	struct balance balance;
	struct helper helper;
	struct supervisor_info before;
};

FIXTURE_SETUP(registry_race)
{
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	self->shared = shared_memory(sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
	test_info(self->dev, &self->before);
	test_registry(self->dev, REGISTRY(UNIQUE), &self->registry);
	self->racer.dev = self->dev;
	self->helper.registry = self->registry;
	self->balance.step = 8;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
}

FIXTURE_TEARDOWN(registry_race)
{
	close(self->registry);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define DEV (self->dev)
#define REG (self->registry)

#define test_victim(run_) \
	do { \
		victim = racer_begin(&self->racer, self->shared, REG, (run_)); \
		ASSERT_LT(0, victim); \
	} while (0)
#define test_reaped() ASSERT_EQ(victim, waitpid(victim, NULL, 0))
#define test_nobody_has_it() ASSERT_EQ(-ENOENT, _test_lookup(REG, NAME, NULL, 0))

/* A round in which the victim itself is the other side. */
#define test_killed_at_work(run_) \
	do { \
		reset(self->shared); \
		set_delays(&self->balance, self->shared); \
		test_victim(run_); \
		say_go(self->shared, 1); \
		spin(self->shared->delay[1]); \
		ASSERT_EQ(0, kill(victim, SIGKILL)); \
		test_reaped(); \
	} while (0)

static int act_lookup(struct helper *helper, unsigned int round)
{
	return _test_lookup(helper->registry, NAME, NULL, 0);
}

TEST_F(registry_race, death_against_lookup)
{
	int found;

	for_rounds(rounds(ROUNDS), act_lookup) {
		test_victim(take);
		ASSERT_EQ(0, test_round(kill(victim, SIGKILL)));
		found = self->shared->err[1];
		ASSERT_TRUE(found == victim || found == -ENOENT);
		test_reaped();
		test_nobody_has_it();
		note_winner(&self->balance, found == victim);
	}
	test_each_side_won();
}

static int act_register(struct helper *helper, unsigned int round)
{
	struct supervisor_register result;
	int err = _test_register(helper->registry, NAME, -1, &result);

	return err == -EEXIST && result.out_pid != victim ? -EPROTO : err;
}

TEST_F(registry_race, register_against_holders_death)
{
	int err;

	for_rounds(rounds(ROUNDS), act_register) {
		test_victim(take);
		ASSERT_EQ(0, test_round(kill(victim, SIGKILL)));
		err = self->shared->err[1];
		test_reaped();
		if (err) {
			ASSERT_EQ(-EEXIST, err);
			test_nobody_has_it();
			ASSERT_EQ(0, _test_register(REG, NAME, -1, NULL));
		}
		ASSERT_EQ(getpid(), _test_lookup(REG, NAME, NULL, 0));
		ASSERT_EQ(1, _test_unregister(REG, NAME));
		note_winner(&self->balance, !!err);
	}
	test_each_side_won();
}

/* One of the two took it away, and was told of. */
TEST_F(registry_race, unregister_against_death)
{
	unsigned int i, total = rounds(ROUNDS);
	char change[64];
	bool died;

	test_mailbox_create(DEV, 0, &box);
	ASSERT_EQ(0, _test_listen(REG, box, SUPERVISOR_LISTEN_F_DEATHS));
	for (i = 0; is_next_round(&self->balance, i, total); i++) {
		test_killed_at_work(take_and_unregister);
		test_nobody_has_it();
		ASSERT_EQ(0, _test_change(box, victim, change, sizeof(change)));
		ASSERT_STREQ("register name=one", change);
		ASSERT_EQ(0, _test_change(box, victim, change, sizeof(change)));
		died = !strcmp(change, "died name");
		if (!died)
			ASSERT_STREQ("unregister name", change);
		ASSERT_EQ(0, _test_count_entries(REG, SELECT(0, "")));
		ASSERT_EQ(-EAGAIN, _test_recv(box, change, sizeof(change), 1, 0));
		/* It may have died before it could tell. */
		ASSERT_TRUE(self->shared->err[0] == 1 ||
			    (self->shared->err[0] == 0 && !died));
		note_winner(&self->balance, died);
	}
	close(box);
	test_each_side_won();
}

/* Neither value is found, and none stays charged: the teardown sees that. */
TEST_F(registry_race, update_against_death)
{
	unsigned int i, total = rounds(ROUNDS);

	for (i = 0; is_next_round(&self->balance, i, total); i++) {
		test_killed_at_work(take_and_update);
		test_nobody_has_it();
		ASSERT_EQ(0, _test_count_entries(REG, SELECT(0, "")));
		ASSERT_TRUE(self->shared->err[0] == 0 ||
			    self->shared->err[0] == 1);
		note_winner(&self->balance, self->shared->err[0]);
	}
	test_each_side_won();
}

/* ---- publish ---- */

#define DELIVERED 100
#define GONE 1

static int act_publish(struct helper *helper, unsigned int round)
{
	return _test_publish(helper->registry, NAME, "x", 1, 0);
}

TEST_F(registry_race, publish_against_close)
{
	int outcome;

	for_rounds(rounds(ROUNDS), act_publish) {
		test_mailbox_create(DEV, 4096, &box);
		ASSERT_EQ(0, _test_register(REG, NAME, box, NULL));
		ASSERT_EQ(0, test_round(close(box)));
		outcome = self->shared->err[1];
		ASSERT_TRUE(outcome == DELIVERED || outcome == GONE);
		ASSERT_EQ(GONE, _test_publish(REG, NAME, "x", 1, 0));
		ASSERT_EQ(1, _test_unregister(REG, NAME));
		note_winner(&self->balance, outcome == DELIVERED);
	}
	test_each_side_won();
}

TEST_F(registry_race, publish_against_death)
{
	int outcome;

	for_rounds(rounds(ROUNDS), act_publish) {
		test_victim(take_with_mailbox);
		ASSERT_EQ(0, test_round(kill(victim, SIGKILL)));
		outcome = self->shared->err[1];
		ASSERT_TRUE(outcome == DELIVERED || outcome == GONE ||
			    outcome == 0);
		test_reaped();
		ASSERT_EQ(0, _test_publish(REG, NAME, "x", 1, 0));
		note_winner(&self->balance, outcome == DELIVERED);
	}
	test_each_side_won();
}

/* ---- locks ---- */

static int act_unlock(struct helper *helper, unsigned int round)
{
	return _test_unlock(helper->registry, NAME);
}

/* Whoever it was handed to, and whether that lived to know it, it is free again. */
TEST_F(registry_race, lock_hand_over_against_death)
{
	ASSERT_EQ(0, _test_lock(REG, NAME, 0));
	for_rounds(rounds(ROUNDS), act_unlock) {
		reset(self->shared);
		test_victim(lock);
		/* Now and then it comes too late to wait for it. */
		if (ROUND % 8)
			ASSERT_TRUE(process_becomes(victim, "S"));
		ASSERT_EQ(0, test_round(kill(victim, SIGKILL)));
		ASSERT_EQ(0, self->shared->err[1]);
		test_reaped();
		ASSERT_EQ(0, _test_lock(REG, NAME, after_ms(PATIENCE_MS)));
		note_winner(&self->balance, self->shared->err[0] == 0);
	}
	ASSERT_EQ(0, _test_unlock(REG, NAME));
	test_each_side_won();
}

/* ---- listeners ---- */

TEST_F(registry_race, unlisten_against_register)
{
	bool heard;

	test_mailbox_create(DEV, 4096, &box);
	victim = 0;
	for_rounds(rounds(ROUNDS), act_register) {
		ASSERT_EQ(0, _test_listen(REG, box, 0));
		ASSERT_EQ(0, test_round(_test_unlisten(REG, box)));
		ASSERT_EQ(0, self->shared->err[1]);
		heard = _test_recv(box, (char[512]){}, 512, 1, 0) == 1;
		ASSERT_EQ(-EAGAIN, _test_recv(box, (char[512]){}, 512, 1, 0));
		ASSERT_EQ(1, _test_unregister(REG, NAME));
		ASSERT_EQ(-EAGAIN, _test_recv(box, (char[512]){}, 512, 1, 0));
		note_winner(&self->balance, heard);
	}
	close(box);
	test_each_side_won();
}

TEST_F(registry_race, listeners_close_against_register)
{
	struct supervisor_registry_status status;

	victim = 0;
	for_rounds(rounds(ROUNDS), act_register) {
		test_mailbox_create(DEV, 4096, &box);
		ASSERT_EQ(0, _test_listen(REG, box, 0));
		/* Who came first leaves no trace: sweep over the lead. */
		self->balance.lead = rand() % 20000 - 10000;
		ASSERT_EQ(0, test_round(close(box)));
		ASSERT_EQ(0, self->shared->err[1]);
		ASSERT_EQ(0, _test_registry_status(REG, &status));
		ASSERT_EQ(0, status.out_listeners);
		ASSERT_EQ(1, _test_unregister(REG, NAME));
	}
}

/* ---- readers, and who is known to be dead ---- */

#define SLOTS 8
#define READERS 3

/**
 * struct slot - a place for one process at a time
 * @racer: it
 * @pid: it, or 0
 * @dead: the last one, which waitid() has reported; 0 as soon as there may be another
 */
struct slot {
	struct racer racer;
	pid_t pid;
	volatile pid_t dead;
};

static struct slot slots[SLOTS];
static volatile bool stop;

/**
 * struct reader - a thread that looks for the dead
 * @registry: where
 * @unique: each slot has a key of its own; otherwise all have the same
 * @seen: how often a live one was found
 * @missed: how often none was
 * @wrong: how often one was found that had been reported before
 * @failed: another error
 */
struct reader {
	pthread_t thread;
	unsigned int seed;
	int registry;
	bool unique;
	unsigned long seen, missed, wrong;
	int failed;
};

static const char *slot_key(unsigned int slot, bool unique)
{
	static const char * const keys[SLOTS] = {
		"0", "1", "2", "3", "4", "5", "6", "7",
	};

	return unique ? keys[slot] : NAME;
}

/* Is it one of those that were dead before it was looked for? */
static void reader_found(struct reader *reader, const pid_t *dead, pid_t pid)
{
	unsigned int i;

	reader->seen++;
	for (i = 0; i < SLOTS; i++)
		reader->wrong += pid == dead[i];
}

static void reader_lookup(struct reader *reader, const pid_t *dead,
			  const char *key)
{
	int found = _test_lookup(reader->registry, key, NULL, 0);

	if (found > 0)
		reader_found(reader, dead, found);
	else if (found == -ENOENT)
		reader->missed++;
	else
		reader->failed = found;
}

static void reader_select(struct reader *reader, const pid_t *dead,
			  struct supervisor_select select)
{
	char buf[2048] __aligned(8);
	struct supervisor_registry_entry *entry;
	unsigned int i, at = 0;

	select.buf = (uintptr_t)buf;
	select.buf_len = sizeof(buf);
	reader->failed = _test_ioctl(reader->registry, SUPERVISOR_SELECT,
				     &select) ?: reader->failed;
	reader->missed += !select.out_count;
	for (i = 0; i < select.out_count; i++, at += entry->size) {
		entry = (void *)(buf + at);
		reader_found(reader, dead, entry->pid);
	}
}

static void reader_count(struct reader *reader, pid_t dead)
{
	if (dead)
		reader->wrong += _test_count_entries(reader->registry,
			SELECT(SUPERVISOR_SELECT_F_PID, "", .pid = dead)) != 0;
}

static void *reader_loop(void *argument)
{
	struct reader *reader = argument;
	unsigned int slot, i;
	pid_t dead[SLOTS];
	const char *key;

	while (!stop) {
		slot = rand_r(&reader->seed) % SLOTS;
		key = slot_key(slot, reader->unique);
		for (i = 0; i < SLOTS; i++)
			dead[i] = __atomic_load_n(&slots[i].dead,
						  __ATOMIC_ACQUIRE);
		switch (rand_r(&reader->seed) % 8) {
		case 0:
			reader_select(reader, dead,
				      SELECT(SUPERVISOR_SELECT_F_KEY, key));
			break;
		case 1:
			reader_select(reader, dead, SELECT(0, ""));
			break;
		case 2:
			reader_count(reader, dead[slot]);
			break;
		default:
			reader_lookup(reader, dead, key);
		}
	}
	return NULL;
}

static int take_slot(void *argument)
{
	struct racer *racer = argument;

	racer_say(racer, raw_register(racer->sup, (char *)racer->token, -1));
	return racer_wait();
}

FIXTURE(readers)
{
	int dev;
	int registry;
	struct supervisor_info before;
};

FIXTURE_VARIANT(readers)
{
	__u32 keys;
	__u32 partitions;
};

FIXTURE_VARIANT_ADD(readers, unique)
{
	.keys = SUPERVISOR_KEYS_UNIQUE,
};

FIXTURE_VARIANT_ADD(readers, unique_in_partitions)
{
	.keys = SUPERVISOR_KEYS_UNIQUE,
	.partitions = 4,
};

FIXTURE_VARIANT_ADD(readers, duplicate_by_process)
{
	.keys = SUPERVISOR_KEYS_DUPLICATE,
	.partitions = 4,
};

FIXTURE_VARIANT_ADD(readers, duplicate_by_key)
{
	.keys = SUPERVISOR_KEYS_DUPLICATE_BY_KEY,
	.partitions = 4,
};

FIXTURE_SETUP(readers)
{
	struct supervisor_registry_create create =
		ARG(supervisor_registry_create, .keys = variant->keys,
		    .partitions = variant->partitions);

	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_info(self->dev, &self->before);
	test_registry(self->dev, create, &self->registry);
}

FIXTURE_TEARDOWN(readers)
{
	close(self->registry);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

static int slot_fill(struct slot *slot, int registry, const char *key)
{
	__atomic_store_n(&slot->dead, 0, __ATOMIC_RELEASE);
	slot->racer.token = (uintptr_t)key;
	slot->pid = racer_begin(&slot->racer, NULL, registry, take_slot);
	return slot->pid < 0 ? slot->pid : 0;
}

/* It is reaped later, or never was anything to be reaped but by us. */
static int slot_empty(struct slot *slot)
{
	siginfo_t info;

	if (kill(slot->pid, SIGKILL) ||
	    waitid(P_PID, slot->pid, &info, WEXITED | WNOWAIT))
		return -errno;
	__atomic_store_n(&slot->dead, slot->pid, __ATOMIC_RELEASE);
	sched_yield();
	if (waitpid(slot->pid, NULL, 0) != slot->pid)
		return -errno;
	slot->pid = 0;
	return 0;
}

/* Each of them found some, and some not. */
static bool all_have_looked(const struct reader *readers)
{
	unsigned int i;

	for (i = 0; i < READERS; i++)
		if (!__atomic_load_n(&readers[i].seen, __ATOMIC_RELAXED) ||
		    !__atomic_load_n(&readers[i].missed, __ATOMIC_RELAXED))
			return false;
	return true;
}

TEST_F(readers, never_see_who_was_reported)
{
	unsigned int i, at, total = rounds(ROUNDS);
	bool unique = variant->keys == SUPERVISOR_KEYS_UNIQUE;
	struct reader readers[READERS] = {};

	for (i = 0; i < READERS; i++) {
		readers[i].registry = REG;
		readers[i].unique = unique;
		readers[i].seed = i;
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL,
					    reader_loop, &readers[i]));
	}
	/* A machine that has more to do may leave one of them without its turn. */
	for (i = 0; i < total || (!all_have_looked(readers) && i < 100 * total); i++) {
		at = rand() % SLOTS;
		ASSERT_EQ(0, slots[at].pid ?
			     slot_empty(&slots[at]) :
			     slot_fill(&slots[at], REG, slot_key(at, unique)));
	}
	for (at = 0; at < SLOTS; at++)
		ASSERT_EQ(0, slots[at].pid ? slot_empty(&slots[at]) : 0);
	stop = true;
	for (i = 0; i < READERS; i++) {
		ASSERT_EQ(0, pthread_join(readers[i].thread, NULL));
		ASSERT_EQ(0, readers[i].failed);
		ASSERT_EQ(0, readers[i].wrong);
		ASSERT_LT(0, readers[i].seen);
		ASSERT_LT(0, readers[i].missed);
	}
	ASSERT_EQ(0, _test_count_entries(REG, SELECT(0, "")));
}

TEST_HARNESS_MAIN
