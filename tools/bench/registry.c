// SPDX-License-Identifier: GPL-2.0
/*
 * registry - what names cost: finding, taking and giving them up, dying with them,
 * and a message to all who have one. The ioctls themselves, without the library.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "internal.h"	/* the library's hash */

#define FEW 10
#define MANY 1000000
/* So few at a time that the table of a registry with few keys stays as it is. */
#define STEPS 5
#define TURNS 400
#define DEATHS 400
#define NAMES 10
#define SUBSCRIBERS 1000
#define PUBLICATIONS 20
#define PAYLOAD 64

/* A key of 16 bytes, and as many for a value: any bytes will do. */
struct key {
	uint64_t number;
	uint64_t owner;
};

static int device = -1;

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap", errno);
	return memory;
}

static int registry_make(const struct sup_registry_opts *opts)
{
	if (device < 0)
		device = check(sup_device_open(), "cannot open /dev/supervisor");
	return check(sup_registry_create(device, opts, NULL), "cannot make a registry");
}

int registry_new(unsigned int keys)
{
	SUP_OPTS(sup_registry_opts, opts, .keys = keys);

	return registry_make(&opts);
}

static void name_take(int registry, struct key key, int mailbox)
{
	struct supervisor_register reg = {
		.size = sizeof(reg),
		.key = (uintptr_t)&key,
		.key_len = sizeof(key),
		.value = (uintptr_t)&key,
		.value_len = sizeof(key),
		.mailbox_fd = mailbox,
	};

	check_errno(ioctl(registry, SUPERVISOR_REGISTER, &reg), "REGISTER");
}

static void name_give_up(int registry, struct key key)
{
	struct supervisor_unregister unregister = {
		.size = sizeof(unregister),
		.key = (uintptr_t)&key,
		.key_len = sizeof(key),
	};

	check_errno(ioctl(registry, SUPERVISOR_UNREGISTER, &unregister), "UNREGISTER");
}

void registry_fill(int registry, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		name_take(registry, (struct key){ .number = i }, -1);
}

/* ---- the floors: an ioctl that does next to nothing, and one that is refused ---- */

static void info_step(const int *fd)
{
	struct supervisor_info info = { .size = sizeof(info) };

	check_errno(ioctl(*fd, SUPERVISOR_INFO, &info), "INFO");
}

static void refused_step(const int *fd)
{
	if (!ioctl(*fd, _IO(SUPERVISOR_TYPE, 0xff)) || errno != ENOTTY)
		fail("an ioctl that is not", errno);
}

/* ---- lookups, registers and unregisters among more or less entries ---- */

static void lookup_step(const int *fd)
{
	static uint64_t number;
	struct key key = { .number = number++ % FEW };
	struct key value;
	struct supervisor_lookup lookup = {
		.size = sizeof(lookup),
		.key = (uintptr_t)&key,
		.key_len = sizeof(key),
		.value = (uintptr_t)&value,
		.value_len = sizeof(value),
	};

	check_errno(ioctl(*fd, SUPERVISOR_LOOKUP, &lookup), "LOOKUP");
}

/**
 * struct costs - what one of each costs, in ns
 * @entries: how many there are
 * @refused: an ioctl that is not known
 * @info: INFO
 * @lookup: a lookup
 * @take: a register, by a process with no other name
 * @give_up: its unregister, with all that is done about it later
 * @take_more: a register, by the process that has all the others
 * @give_up_more: its unregister
 */
struct costs {
	unsigned int entries;
	double refused;
	double info;
	double lookup;
	double take;
	double give_up;
	double take_more;
	double give_up_more;
};

/*
 * What is unregistered is freed later, on the way of whatever runs then: so that a
 * register is what it costs most of the time, and an unregister all the rest.
 */
static void names_cost(int registry, double *take, double *give_up)
{
	uint64_t took[TURNS];
	uint64_t begin, middle = 0;

	begin = now_ns();
	for (int i = -TURNS / 10; i < TURNS; i++) {
		uint64_t turn = now_ns();
		struct key key = { .number = (uint64_t)i * STEPS, .owner = (uint64_t)getpid() };

		if (!i)
			begin = turn;
		for (int j = 0; j < STEPS; j++, key.number++)
			name_take(registry, key, -1);
		middle = now_ns();
		if (i >= 0)
			took[i] = middle - turn;
		for (int j = 0; j < STEPS; j++)
			key.number--, name_give_up(registry, key);
	}
	*take = median(took, TURNS) / STEPS;
	*give_up = (double)(now_ns() - begin) / TURNS / STEPS - *take;
}

/**
 * struct among - entries, and who measures among them
 * @registry: where they are
 * @costs: set
 */
struct among {
	int registry;
	struct costs *costs;
};

static void measure_newcomer(void *context)
{
	struct among *among = context;

	names_cost(among->registry, &among->costs->take, &among->costs->give_up);
}

/* In a process of its own, which has all entries. */
static void measure_costs(void *context)
{
	struct costs *costs = context;
	struct among among = {
		.registry = registry_new(SUPERVISOR_KEYS_UNIQUE),
		.costs = costs,
	};

	registry_fill(among.registry, costs->entries);
	/* The table grows in the background. */
	sleep_ms(1000);
	costs->refused = cost(refused_step, &device);
	costs->info = cost(info_step, &device);
	costs->lookup = cost(lookup_step, &among.registry);
	process_wait(process_start(measure_newcomer, &among));
	names_cost(among.registry, &costs->take_more, &costs->give_up_more);
}

/* Measured once, whichever lines are wanted. */
static const struct costs *costs(unsigned int entries)
{
	static struct costs *few, *many;
	struct costs **which = entries == FEW ? &few : &many;

	if (!*which) {
		*which = shared(sizeof(**which));
		(*which)->entries = entries;
		process_wait(process_start(measure_costs, *which));
	}
	return *which;
}

/* @ours against INFO, and against what is refused. */
static void report_against(const char *name, const char *what, double ours, double limit)
{
	struct result result = {
		.name = name,
		.what = what,
		.unit = UNIT_US,
		.floor = costs(FEW)->info,
		.ours = ours,
		.limit = limit,
	};

	report(&result);
	result.what = "the same, against an ioctl that is not known";
	result.floor = costs(FEW)->refused;
	result.limit = 0;
	report(&result);
}

static void report_among(const char *name, const char *what, double few, double many)
{
	report(&(struct result){
		.name = name,
		.what = what,
		.unit = UNIT_US,
		.floor = few,
		.ours = many,
		.limit = 1.3,
	});
}

void bench_info(void)
{
	report(&(struct result){
		.name = "info",
		.what = "the info ioctl, against one that is not known",
		.unit = UNIT_US,
		.floor = costs(FEW)->refused,
		.ours = costs(FEW)->info,
	});
}

void bench_lookup(void)
{
	report_against("lookup", "a lookup, 16-byte key and value, against the info ioctl",
		       costs(FEW)->lookup, 1.6);
	report_among("lookup", "the same, among 1,000,000 entries against among 10",
		     costs(FEW)->lookup, costs(MANY)->lookup);
}

void bench_register(void)
{
	report_against("register", "a register, 16-byte key and value, against the info ioctl",
		       costs(FEW)->take, 3);
	report_among("register", "the same, among 1,000,000 of others against among 10",
		     costs(FEW)->take, costs(MANY)->take);
	report_among("register", "the same, among 1,000,000 of its own against among 10",
		     costs(FEW)->take_more, costs(MANY)->take_more);
}

void bench_unregister(void)
{
	report_against("unregister", "an unregister, and the freeing, against the info ioctl",
		       costs(FEW)->give_up, 3);
	report_among("unregister", "the same, among 1,000,000 of others against among 10",
		     costs(FEW)->give_up, costs(MANY)->give_up);
	report_among("unregister", "the same, among 1,000,000 of its own against among 10",
		     costs(FEW)->give_up_more, costs(MANY)->give_up_more);
}

/* ---- lookups without a system call ---- */

#define PLAIN_SLOTS 1024

/* What a program would have in memory that it shares, if nobody ever died. */
struct plain {
	uint64_t secret[2];
	struct plain_slot {
		uint64_t hash;
		uint32_t key_len;	/* 0: there is none */
		uint32_t value_len;
		int32_t pid;
		struct key key;
		struct key value;
	} slot[PLAIN_SLOTS];
};

/* What the steps look into. */
static struct plain *plain;
static struct sup_registry_map *map;

static struct plain_slot *plain_find(const void *key, size_t len, uint64_t hash)
{
	struct plain_slot *slot;

	for (uint64_t at = hash;; at++) {
		slot = &plain->slot[at % PLAIN_SLOTS];
		if (!slot->key_len || (slot->hash == hash && slot->key_len == len &&
				       !memcmp(&slot->key, key, len)))
			return slot;
	}
}

/* A call of a function, as a peek is. */
static __attribute__((noinline)) int plain_lookup(const void *key, size_t len, void *value,
						  size_t *value_len, int32_t *pid)
{
	struct plain_slot *slot = plain_find(key, len, sup_siphash(plain->secret, key, len));

	if (!slot->key_len)
		return -ENOENT;
	if (slot->value_len > *value_len)
		return -EMSGSIZE;
	*pid = slot->pid;
	*value_len = slot->value_len;
	memcpy(value, &slot->value, slot->value_len);
	return 0;
}

static void plain_fill(unsigned int n)
{
	plain = shared(sizeof(*plain));
	if (getrandom(plain->secret, sizeof(plain->secret), 0) != sizeof(plain->secret))
		fail("getrandom", errno);
	for (unsigned int i = 0; i < n; i++) {
		struct key key = { .number = i };
		uint64_t hash = sup_siphash(plain->secret, &key, sizeof(key));

		*plain_find(&key, sizeof(key), hash) = (struct plain_slot){
			.hash = hash,
			.key_len = sizeof(key),
			.value_len = sizeof(key),
			.pid = getpid(),
			.key = key,
			.value = key,
		};
	}
}

static void plain_step(const int *unused)
{
	static uint64_t number;
	struct key key = { .number = number++ % FEW };
	struct key value;
	size_t len = sizeof(value);
	int32_t pid;

	(void)unused;
	if (plain_lookup(&key, sizeof(key), &value, &len, &pid) || !pid)
		fail("a lookup in plain memory", ENOENT);
}

static void peek_step(const int *unused)
{
	static uint64_t number;
	struct key key = { .number = number++ % FEW };
	struct key value;
	size_t len = sizeof(value);
	SUP_OPTS(sup_result, result);

	(void)unused;
	if (sup_registry_peek(map, &key, sizeof(key), &value, &len, &result) < 0 ||
	    !result.pid)
		fail("a peek", ENOENT);
}

void bench_peek(void)
{
	SUP_OPTS(sup_registry_opts, opts, .map_slots = PLAIN_SLOTS);
	int registry = registry_make(&opts);

	registry_fill(registry, FEW);
	plain_fill(FEW);
	check(sup_registry_map(registry, &map), "cannot map a registry");
	report(&(struct result){
		.name = "peek",
		.what = "a lookup in a mapping, against one in plain shared memory",
		.unit = UNIT_US,
		.floor = cost(plain_step, NULL),
		.ours = cost(peek_step, NULL),
		.limit = 4,
	});
	sup_registry_unmap(map);
	close(registry);
}

/* ---- dying with names ---- */

/**
 * struct mortal - a process that takes names and dies
 * @registry: where
 * @names: how many
 * @taking: how long it took it
 */
struct mortal {
	int registry;
	unsigned int names;
	uint64_t taking;
};

static int take_and_die(void *context)
{
	struct mortal *mortal = context;
	uint64_t begin = now_ns();

	registry_fill(mortal->registry, mortal->names);
	mortal->taking = now_ns() - begin;
	return 0;
}

/* Waits for whatever deaths leave to be done. */
static void await_cleaning(int registry)
{
	struct supervisor_select select = { .size = sizeof(select) };

	check_errno(ioctl(registry, SUPERVISOR_COUNT, &select), "COUNT");
	if (select.out_count)
		fail("the dead have names", EEXIST);
}

/*
 * A process, from its start until nothing is left of it, but not what it did while
 * it lived. All of the time is counted: what is cleaned up after one's death is so
 * while others live, and die. It shares our memory, as to copy that and to give it
 * back would take longer, and less evenly, than what is to be found out.
 */
static double life(unsigned int names)
{
	static char stack[16384] __attribute__((aligned(16)));
	struct mortal mortal = {
		.registry = registry_new(SUPERVISOR_KEYS_UNIQUE),
		.names = names,
	};
	uint64_t begin = 0, taking = 0;

	for (int i = -DEATHS / 10; i < DEATHS; i++) {
		if (!i) {
			begin = now_ns();
			taking = 0;
		}
		process_wait(check_errno(clone(take_and_die, stack + sizeof(stack),
					       CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD,
					       &mortal), "clone"));
		taking += mortal.taking;
	}
	await_cleaning(mortal.registry);
	close(mortal.registry);
	return (double)(now_ns() - begin - taking) / DEATHS;
}

void bench_death(void)
{
	report(&(struct result){
		.name = "death",
		.what = "what 10 names add to a death, against 10 times unregister",
		.unit = UNIT_US,
		.floor = NAMES * costs(FEW)->give_up,
		.ours = life(NAMES) - life(0),
		.limit = 1,
	});
}

/* ---- one message to many ---- */

static int eventfd_new(void)
{
	return check_errno(eventfd(0, EFD_CLOEXEC), "eventfd");
}

static void eventfd_get(int fd)
{
	uint64_t value;

	if (read(fd, &value, sizeof(value)) != sizeof(value))
		fail("read", errno);
}

static int mailbox_new(void)
{
	return check(sup_mailbox_create(device, 0, NULL), "cannot make a mailbox");
}

static void mailbox_get(int fd)
{
	_Alignas(8) char buf[256];
	size_t len = sizeof(buf);

	check(sup_mailbox_recv(fd, buf, &len, 1, SUPERVISOR_NO_DEADLINE), "RECV");
}

/**
 * struct audience - who is to hear of something
 * @registry: where those with mailboxes are subscribed
 * @fd: of each
 * @get: hears of it once
 * @asleep: they wait for it, each in a thread
 * @left: of these, who have not heard
 * @last: when the last one heard
 */
struct audience {
	int registry;
	int fd[SUBSCRIBERS];
	void (*get)(int fd);
	bool asleep;
	atomic_uint left;
	_Atomic uint64_t last;
	pthread_t thread[SUBSCRIBERS];
};

static const struct key topic;

static void tell_eventfds(struct audience *audience)
{
	uint64_t one = 1;

	for (int i = 0; i < SUBSCRIBERS; i++)
		if (write(audience->fd[i], &one, sizeof(one)) != sizeof(one))
			fail("write", errno);
}

static void publish(struct audience *audience)
{
	char payload[PAYLOAD] = "";
	struct supervisor_publish publish = {
		.size = sizeof(publish),
		.key = (uintptr_t)&topic,
		.key_len = sizeof(topic),
		.buf = (uintptr_t)payload,
		.len = sizeof(payload),
	};

	check_errno(ioctl(audience->registry, SUPERVISOR_PUBLISH, &publish), "PUBLISH");
	if (publish.out_delivered != SUBSCRIBERS)
		fail("PUBLISH", EAGAIN);
}

struct listener {
	struct audience *audience;
	int fd;
};

static void *listen(void *context)
{
	struct listener *listener = context;
	struct audience *audience = listener->audience;

	for (int i = 0; i < PUBLICATIONS; i++) {
		audience->get(listener->fd);
		if (atomic_fetch_sub(&audience->left, 1) == 1)
			audience->last = now_ns();
	}
	free(listener);
	return NULL;
}

static void audience_sleep(struct audience *audience)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < SUBSCRIBERS; i++) {
		struct listener *listener = malloc(sizeof(*listener));
		int error;

		if (!listener)
			fail("listener", ENOMEM);
		listener->audience = audience;
		listener->fd = audience->fd[i];
		error = pthread_create(&audience->thread[i], &attr, listen, listener);
		if (error)
			fail("thread", error);
	}
	pthread_attr_destroy(&attr);
}

/* Until all of them have it; if nobody is asleep, it is there for them to take. */
static double telling(struct audience *audience, void (*tell)(struct audience *audience))
{
	uint64_t took[PUBLICATIONS];

	if (audience->asleep)
		audience_sleep(audience);
	for (int i = 0; i < PUBLICATIONS; i++) {
		uint64_t begin;

		audience->left = SUBSCRIBERS;
		if (audience->asleep)
			sleep_ms(100);
		begin = now_ns();
		tell(audience);
		if (!audience->asleep) {
			took[i] = now_ns() - begin;
			for (int j = 0; j < SUBSCRIBERS; j++)
				audience->get(audience->fd[j]);
			continue;
		}
		while (audience->left)
			sleep_ms(20);
		took[i] = audience->last - begin;
	}
	for (int i = 0; i < SUBSCRIBERS; i++) {
		if (audience->asleep)
			pthread_join(audience->thread[i], NULL);
		close(audience->fd[i]);
	}
	return median(took, PUBLICATIONS);
}

static double telling_eventfds(const void *context)
{
	static struct audience audience = { .get = eventfd_get };

	audience.asleep = *(const bool *)context;
	for (int i = 0; i < SUBSCRIBERS; i++)
		audience.fd[i] = eventfd_new();
	return telling(&audience, tell_eventfds);
}

static double publishing(const void *context)
{
	static struct audience audience = { .get = mailbox_get };

	audience.asleep = *(const bool *)context;
	audience.registry = registry_new(SUPERVISOR_KEYS_DUPLICATE);
	for (int i = 0; i < SUBSCRIBERS; i++) {
		audience.fd[i] = mailbox_new();
		name_take(audience.registry, topic, audience.fd[i]);
	}
	return telling(&audience, publish);
}

void bench_publish(void)
{
	static const bool awake = false;
	static const bool asleep = true;

	report(&(struct result){
		.name = "publish",
		.what = "64 bytes to 1,000 mailboxes, against writing 1,000 eventfds",
		.unit = UNIT_US,
		.floor = elsewhere(telling_eventfds, &awake),
		.ours = elsewhere(publishing, &awake),
		.limit = 0.6,
	});
	report(&(struct result){
		.name = "publish",
		.what = "the same, all asleep: until the last of them has it",
		.unit = UNIT_US,
		.floor = elsewhere(telling_eventfds, &asleep),
		.ours = elsewhere(publishing, &asleep),
	});
}

/* ---- two readers at once ---- */

#define READING_NS 1000000000ULL

struct reader {
	int registry;
	unsigned int cpu;
	atomic_int *go;
	uint64_t lookups;
};

static void reader_run(void *context)
{
	struct reader *reader = context;
	uint64_t end;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(reader->cpu, &set);
	check_errno(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
	while (!*reader->go)
		;
	for (end = now_ns() + READING_NS; now_ns() < end; reader->lookups++)
		lookup_step(&reader->registry);
}

/*
 * A lookup's share of the time, of all readers together. Not threads: these would
 * count references to their file at each ioctl.
 */
static double reading(int registry, unsigned int readers)
{
	struct reader *reader = shared(2 * sizeof(*reader));
	atomic_int *go = shared(sizeof(*go));
	uint64_t lookups = 0;
	pid_t pid[2];

	for (unsigned int i = 0; i < readers; i++) {
		reader[i] = (struct reader){ .registry = registry, .cpu = i, .go = go };
		pid[i] = process_start(reader_run, &reader[i]);
	}
	sleep_ms(50);
	*go = 1;
	for (unsigned int i = 0; i < readers; i++) {
		process_wait(pid[i]);
		lookups += reader[i].lookups;
	}
	return (double)READING_NS / (double)lookups;
}

void bench_readers(void)
{
	int registry;

	/* No counting of instructions where there are two: see run. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "bench: readers: needs two processors, so ICOUNT=0\n");
		return;
	}
	registry = registry_new(SUPERVISOR_KEYS_UNIQUE);
	registry_fill(registry, FEW);
	report(&(struct result){
		.name = "readers",
		.what = "a lookup's share of the time, two processors against one",
		.unit = UNIT_US,
		.floor = reading(registry, 1),
		.ours = reading(registry, 2),
	});
	close(registry);
}
