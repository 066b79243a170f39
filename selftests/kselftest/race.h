/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the races and scales share: very many small processes; and two sides that go at once, on two CPUs, and a lead that
 * adapts until each of them wins. For tests with self->balance, self->shared
 * and self->helper.
 */
#ifndef SELFTESTS_RACE_H
#define SELFTESTS_RACE_H

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 1800

#define ROUNDS 10000

struct shared {
	volatile int ready;
	volatile int go;
	volatile int err[2];
	volatile int delay[2];
	/* of a helper: the round it is in, the last it has done */
	volatile int round;
	volatile int done;
	volatile int stop;
};

/*
 * Turns of spin(): longer than any call takes that races here, or a process to get
 * to what it is to do, or to its end.
 */
#define LEAD_MAX 3000000

struct balance {
	int lead;	/* how much longer side 0 waits than side 1 */
	int step;
	int last;
	unsigned int won[2];
};

/*
 * The processes that race share the memory of the test, for a fork of it would
 * take most of a round. That includes errno, so their calls do without.
 */
static inline long raw(long number, long a, long b, long c)
{
#ifdef __x86_64__
	register long d asm("r10") = 0;
	long result;

	asm volatile("syscall"
		     : "=a" (result)
		     : "a" (number), "D" (a), "S" (b), "d" (c), "r" (d)
		     : "rcx", "r11", "memory");
	return result;
#else
	return syscall(number, a, b, c, 0) < 0 ? -errno : 0;
#endif
}

/*
 * Whatever is not the race itself is waited for asleep: a CPU that spins may be
 * keeping a virtual one from running.
 */
static inline void set_word(volatile int *word, int value)
{
	*word = value;
	raw(SYS_futex, (long)word, FUTEX_WAKE, INT_MAX);
}

static inline void wait_while(volatile int *word, int value)
{
	while (*word == value)
		raw(SYS_futex, (long)word, FUTEX_WAIT, value);
}

static inline void spin(int turns)
{
	volatile int i;

	for (i = 0; i < turns; i++)
		;
}

static inline void set_delays(const struct balance *balance, struct shared *shared)
{
	shared->delay[0] = balance->lead > 0 ? balance->lead : 0;
	shared->delay[1] = balance->lead < 0 ? -balance->lead : 0;
}

static inline void note_winner(struct balance *balance, int side)
{
	/* Ever larger steps to find the place, small ones to stay there. */
	if (side != balance->last)
		balance->step = 8 + rand() % 8;
	else if (balance->step < LEAD_MAX / 4)
		balance->step = balance->step * 3 / 2;
	balance->last = side;
	balance->won[side]++;
	balance->lead += side ? -balance->step : balance->step;
	if (abs(balance->lead) > LEAD_MAX)
		balance->lead = balance->lead < 0 ? -LEAD_MAX : LEAD_MAX;
}

/* Have there been winners, and all on one side? */
static inline bool is_one_sided(const struct balance *balance)
{
	return !balance->won[0] != !balance->won[1];
}

/*
 * On a machine that has more to do, it may take a while until the side that is behind
 * wins for once.
 */
static inline bool is_next_round(const struct balance *balance, unsigned int round,
				 unsigned int rounds)
{
	return round < rounds * (is_one_sided(balance) ? 10 : 1);
}

static inline void await_go(struct shared *shared, int side)
{
	__sync_fetch_and_add(&shared->ready, 1);
	raw(SYS_futex, (long)&shared->ready, FUTEX_WAKE, INT_MAX);
	while (!shared->go)
		;
	spin(shared->delay[side]);
}

/* The other racer's being there is the word to go. */
static inline void await_other(struct shared *shared, int side)
{
	__sync_fetch_and_add(&shared->ready, 1);
	while (shared->ready < 2)
		;
	spin(shared->delay[side]);
}

static inline void say_go(struct shared *shared, int others)
{
	int ready;

	while ((ready = shared->ready) < others)
		wait_while(&shared->ready, ready);
	shared->go = 1;
}

static inline void reset(struct shared *shared)
{
	shared->ready = 0;
	shared->go = 0;
	shared->err[0] = 1;
	shared->err[1] = 1;
}

#define RACERS 16

struct racer {
	struct shared *shared;
	int dev;
	int sup;
	int side;
	__u64 token;
	char stack[16384] __aligned(16);
};

static inline pid_t start_racer(struct racer *racer, int (*run)(void *racer))
{
	return clone(run, racer->stack + sizeof(racer->stack),
		     CLONE_VM | SIGCHLD, racer);
}

static inline int racer_wait(void)
{
	while (raw(SYS_pause, 0, 0, 0) != -ENOSYS)
		;
	return 0;
}

/* ---- very many ---- */

/* How many there are to be of something, if @name is not told otherwise. */
static inline unsigned int size_told(const char *name, unsigned int usual)
{
	const char *told = getenv(name);

	return told ? atoi(told) : slow_kernel() ? usual / 10 : usual;
}

/* What the kernel has for itself and cannot just drop. */
static inline long kernel_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kib, sum = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld", &kib) == 1 ||
		    sscanf(line, "VmallocUsed: %ld", &kib) == 1)
			sum += kib;
	if (file)
		fclose(file);
	return sum;
}

/* As many as a machine has by default are enough for the usual size. */
static inline int raise_processes(unsigned int n)
{
	char text[16];

	if (n < 20000)
		return 0;
	snprintf(text, sizeof(text), "%u", 2 * n + 10000);
	return write_file("/proc/sys/kernel/pid_max", text) ?:
	       write_file("/proc/sys/kernel/threads-max", text);
}

/* Room for so many processes which share the memory of the test; NULL if there is none. */
#define CROWD_STACK 4096

static inline char *crowd_stacks(unsigned int n)
{
	char *stacks = mmap(NULL, (size_t)n * CROWD_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return stacks == MAP_FAILED ? NULL : stacks;
}

/* The one of that number, which may use nothing but raw(). */
static inline pid_t crowd_start(char *stacks, unsigned int number, int (*run)(void *argument),
				void *argument)
{
	return clone(run, stacks + (number + 1UL) * CROWD_STACK,
		     CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, argument);
}

/* ---- the other CPU ---- */

/* On the other CPU, does one thing a round. */
struct helper {
	struct shared *shared;
	pthread_t thread;
	int dev;
	int mailbox;
	int registry;
	int sup;
	int (*act)(struct helper *helper, unsigned int round);
	const struct balance *balance;
	unsigned int round;	/* from 0 */
	unsigned int rounds;
};

static inline void *helper_loop(void *argument)
{
	struct helper *helper = argument;
	struct shared *shared = helper->shared;
	int round = 0;

	for (;;) {
		wait_while(&shared->round, round);
		round = shared->round;
		if (shared->stop)
			return NULL;
		await_go(shared, 1);
		shared->err[1] = helper->act(helper, helper->round);
		set_word(&shared->done, round);
	}
}

static inline void helper_round_begin(struct helper *helper)
{
	struct shared *shared = helper->shared;

	shared->ready = 0;
	shared->go = 0;
	set_word(&shared->round, shared->round + 1);
	say_go(shared, 1);
}

static inline void helper_round_end(struct helper *helper)
{
	wait_while(&helper->shared->done, helper->shared->round - 1);
}

static inline void helper_start(struct helper *helper)
{
	reset(helper->shared);
	helper->shared->stop = 0;
	helper->round = -1U;
	if (pthread_create(&helper->thread, NULL, helper_loop, helper))
		abort();
}

/* Is there a next round? The helper ends after the last. */
static inline bool helper_next(struct helper *helper)
{
	if (is_next_round(helper->balance, ++helper->round, helper->rounds))
		return true;
	helper->shared->stop = 1;
	set_word(&helper->shared->round, helper->shared->round + 1);
	pthread_join(helper->thread, NULL);
	return false;
}

/* What follows is a round, in which @act_ runs beside a test_round(). */
#define for_rounds(total_, act_) \
	for (self->helper.shared = self->shared, \
	     self->helper.balance = &self->balance, \
	     self->helper.rounds = (total_), self->helper.act = (act_), \
	     helper_start(&self->helper); helper_next(&self->helper);)

#define ROUND (self->helper.round)

/* Both sides of a round; @what_, which is this one's, is the value. */
#define test_round(what_) \
	({ \
		int result_; \
		set_delays(&self->balance, self->shared); \
		helper_round_begin(&self->helper); \
		spin(self->shared->delay[0]); \
		result_ = (what_); \
		helper_round_end(&self->helper); \
		result_; \
	})

#define test_each_side_won() \
	do { \
		TH_LOG("won: %u and %u", self->balance.won[0], \
		       self->balance.won[1]); \
		ASSERT_LT(0, self->balance.won[0]); \
		ASSERT_LT(0, self->balance.won[1]); \
	} while (0)

#endif /* SELFTESTS_RACE_H */
