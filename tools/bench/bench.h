/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench - what the measurements share: results, the clock, the program that is
 * started, and supervised trees to measure.
 */
#ifndef SUP_TOOLS_BENCH_H
#define SUP_TOOLS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <supervisor.h>

#include "child.h"

enum unit {
	UNIT_US,	/* from nanoseconds */
	UNIT_MS,
	UNIT_BYTES
};

/**
 * struct result - one line of the table
 * @name: in one word
 * @what: in a few
 * @unit: of @floor and @ours
 * @floor: the same work without us, or with little of it; 0: none
 * @ours: what supervision makes of it
 * @limit: the largest good value, of @ours / @floor if there is a floor;
 *	0: there is none, the line is for information
 */
struct result {
	const char *name;
	const char *what;
	enum unit unit;
	double floor;
	double ours;
	double limit;
};

void report(const struct result *result);

/* Measures, and reports. */
void bench_restart(void);
void bench_start(void);
void bench_stop(void);
void bench_memory(void);
void bench_exit(void);
void bench_untracked(void);
void bench_call(void);
void bench_cast(void);
void bench_down(void);
void bench_monitors(void);
void bench_orphans(void);
void bench_task(void);
void bench_spawn(void);
void bench_join(void);
void bench_exit_many(void);
void bench_stop_all(void);
void bench_member(void);
void bench_partitions(void);
void bench_info(void);
void bench_lookup(void);
void bench_peek(void);
void bench_register(void);
void bench_unregister(void);
void bench_death(void);
void bench_publish(void);
void bench_readers(void);
void bench_entry(void);
/* What a fork, its exit and the wait for it take, in ns. */
double fork_exit(void);

/* ---- helpers: none returns after a failure ---- */

uint64_t now_ns(void);
void sleep_ms(unsigned int ms);
/* Sorts @values. */
double median(uint64_t *values, size_t n);
/* What @step costs, the batches that something else falls into aside. In ns. */
double cost(void (*step)(const int *fd), const int *fd);
/* @what failed with @error. */
_Noreturn void fail(const char *what, int error);
/* @ret, which must not be negative; if it is, it is -errno or errno is set. */
int check(int ret, const char *what);
int check_errno(int ret, const char *what);

/* A process of our own that runs @body and exits. */
pid_t process_start(void (*body)(void *context), void *context);
/* Waits for it to exit by itself, and well. */
void process_wait(pid_t pid);
/* Kills it and waits. */
void process_end(pid_t pid);
/* What @measure returns in a process of its own. */
double elsewhere(double (*measure)(const void *context), const void *context);

/* ---- footprint.c: kernel memory ---- */

#define CGROUPS "/sys/fs/cgroup"

/* Makes the calling process a member of a new one, in which nothing is left to be freed. */
void cgroup_enter(const char *cgroup);
/* What is charged to it. */
double kernel_bytes(const char *cgroup);
void cgroup_leave(void);

/* ---- notes.c: instances of the program, which say when they are in main ---- */

extern char program[];	/* its path */

void notes_open(void);
/* One of our own. */
void notes_write(void);
/* The next note, when it comes. */
struct note notes_read(void);
/* Waits until there are @n, without running in between; the latest time. */
uint64_t notes_last(size_t n);

/* ---- bare.c: the floors ---- */

/* One instance, by vfork(2) and execve(2); with @session it leads its own. */
pid_t bare_start(bool session);
/*
 * Starts an instance again whenever it dies; for process_start(). @context is a
 * bool, as above.
 */
void bare_restart(void *context);

/* ---- tree.c: a supervisor whose children run the program ---- */

struct tree {
	int device;
	int mailbox;
	int supervisor;
	pid_t spawner;
};

/*
 * Not started, without children; the library's spawner is there, in a process of its
 * own.
 */
void tree_make(struct tree *tree, const struct sup_create_opts *opts);
/*
 * Likewise, with @children. With @sessions each leads one of its own, and its group is
 * signalled; without, the child alone, as the floors do.
 */
void tree_new(struct tree *tree, unsigned int children, bool sessions);
/* Returns the time when every process was dead and the spawner had reaped it. */
uint64_t tree_stop(struct tree *tree);
void tree_close(struct tree *tree);

/* ---- registry.c ---- */

/* SUPERVISOR_KEYS_*; a file. */
int registry_new(unsigned int keys);
/* The calling process takes @n names there, 16 bytes each, of 16 bytes each. */
void registry_fill(int registry, unsigned int n);

/* ---- crowd.c: very many very small processes ---- */

struct crowd;

/* For the calling process, which reads the STARTs itself if @supervised. */
struct crowd *crowd_new(unsigned int members, bool supervised);
/* Starts all. */
void crowd_start(struct crowd *crowd);
/* Kills one; returns when its successor's START has been read. In ns. */
uint64_t crowd_exit(struct crowd *crowd, unsigned int member);
/* Unsupervised: one of them, and another in its place when it is dead. */
pid_t crowd_pid(const struct crowd *crowd, unsigned int member);
void crowd_replace(struct crowd *crowd, unsigned int member);
/* Supervised or not, all are dead afterwards. */
void crowd_end(struct crowd *crowd);

#endif
