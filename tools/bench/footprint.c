// SPDX-License-Identifier: GPL-2.0
/*
 * footprint - what costs without doing anything: memory of each running child and
 * of each entry of a registry, and time of processes that are not supervised.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define MEMBERS 4096
#define ENTRIES 100000
#define FORKS 200
#define PROCESSES 8
#define ROUNDS 4
#define OTHERS 10

/* ---- memory ---- */

static void write_file(const char *path, const char *text)
{
	int fd = check_errno(open(path, O_WRONLY | O_CLOEXEC), path);

	if (write(fd, text, strlen(text)) < 0)
		fail(path, errno);
	close(fd);
}

/* Whole pages and objects alike. */
double kernel_bytes(const char *cgroup)
{
	unsigned long long bytes;
	char name[64];
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/memory.stat", cgroup);
	file = fopen(path, "re");
	if (!file)
		fail(path, errno);
	while (fscanf(file, "%63s %llu", name, &bytes) == 2)
		if (!strcmp(name, "kernel")) {
			fclose(file);
			return (double)bytes;
		}
	fail("memory.stat has no kernel", ENOENT);
}

void cgroup_enter(const char *cgroup)
{
	char path[128];

	write_file(CGROUPS "/cgroup.subtree_control", "+memory");
	check_errno(mkdir(cgroup, 0755), cgroup);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	write_file(path, "0");
}

void cgroup_leave(void)
{
	write_file(CGROUPS "/cgroup.procs", "0");
}

/* By how much one member makes the cgroup grow. */
static double member_bytes(const void *context)
{
	const bool *supervised = context;
	const char *cgroup = *supervised ? CGROUPS "/bench-supervised" :
					   CGROUPS "/bench-bare";
	struct crowd *crowd;
	double before, after;

	cgroup_enter(cgroup);
	crowd = crowd_new(MEMBERS, *supervised);
	before = kernel_bytes(cgroup);
	crowd_start(crowd);
	after = kernel_bytes(cgroup);
	crowd_end(crowd);
	cgroup_leave();
	return (after - before) / MEMBERS;
}

/*
 * The same processes, unsupervised, are taken off: their tasks, stacks, pids.
 * There is no blob. The id is five bytes and a NUL, for which the kernel has
 * objects of eight, and a pointer for each to whom it is charged.
 */
void bench_memory(void)
{
	static const bool bare = false;
	static const bool supervised = true;
	double id = 8 + sizeof(void *);

	report(&(struct result){
		.name = "memory",
		.what = "kernel memory of a running child",
		.unit = UNIT_BYTES,
		.ours = elsewhere(member_bytes, &supervised) -
			elsewhere(member_bytes, &bare) - id,
		.limit = 640,
	});
}

/* One entry, when the table has grown to the size that it needs. */
static double entry_bytes(const void *context)
{
	const char *cgroup = CGROUPS "/bench-entries";
	int registry = registry_new(SUPERVISOR_KEYS_UNIQUE);
	double before, after;

	(void)context;
	cgroup_enter(cgroup);
	before = kernel_bytes(cgroup);
	registry_fill(registry, ENTRIES);
	sleep_ms(1000);
	after = kernel_bytes(cgroup);
	close(registry);
	cgroup_leave();
	return (after - before) / ENTRIES;
}

void bench_entry(void)
{
	report(&(struct result){
		.name = "entry",
		.what = "kernel memory of an entry, beside 16 bytes each of key and value",
		.unit = UNIT_BYTES,
		.ours = elsewhere(entry_bytes, NULL) - 32,
		.limit = 256,
	});
}

/* ---- processes that are not supervised ---- */

static void module_load(void)
{
	const char *path = getenv("SUPERVISOR_KO");
	int fd;

	if (!path)
		fail("SUPERVISOR_KO does not say where the module is", EINVAL);
	fd = check_errno(open(path, O_RDONLY | O_CLOEXEC), path);
	check_errno((int)syscall(SYS_finit_module, fd, "", 0), "finit_module");
	close(fd);
}

static void module_unload(void)
{
	check_errno((int)syscall(SYS_delete_module, "supervisor", O_NONBLOCK),
		    "delete_module");
}

double fork_exit(void)
{
	uint64_t took[FORKS];

	for (int i = -FORKS / 10; i < FORKS; i++) {
		uint64_t begin = now_ns();
		pid_t pid = check_errno(fork(), "fork");

		if (!pid)
			_exit(0);
		check_errno(waitpid(pid, NULL, 0), "waitpid");
		if (i >= 0)
			took[i] = now_ns() - begin;
	}
	return median(took, FORKS);
}

/*
 * In a program of its own: what a process has in common with those that it was
 * forked from, and they with a tree's spawner, is work for its own forks.
 */
static double fork_exit_afresh(void)
{
	FILE *other = popen("exec /proc/$PPID/exe --fork-exit", "re");
	double value;

	if (!other)
		fail("popen", errno);
	if (fscanf(other, "%lf", &value) != 1 || pclose(other))
		fail("the bench's other self", ECHILD);
	return value;
}

/*
 * Where its pages and objects happen to lie makes one process up to a hundredth
 * slower than the next: the best of some.
 */
static double fork_exit_best(void)
{
	double best = INFINITY;

	for (int i = 0; i < PROCESSES; i++)
		best = fmin(best, fork_exit_afresh());
	return best;
}

/* Other processes are there either way: only who started them differs. */
static double fork_exit_unloaded(void)
{
	pid_t pid[OTHERS];
	double took;

	module_unload();
	for (int i = 0; i < OTHERS; i++)
		pid[i] = bare_start(false);
	notes_last(OTHERS);
	took = fork_exit_best();
	for (int i = 0; i < OTHERS; i++)
		process_end(pid[i]);
	module_load();
	return took;
}

static double fork_exit_loaded(void)
{
	struct tree tree;
	double took;

	tree_new(&tree, OTHERS, true);
	check(sup_start(tree.supervisor, SUPERVISOR_NO_DEADLINE, NULL, NULL),
	      "cannot start the tree");
	notes_last(OTHERS);
	took = fork_exit_best();
	tree_stop(&tree);
	tree_close(&tree);
	return took;
}

/* By turns, so that what changes with time weighs on both. */
void bench_untracked(void)
{
	struct result result = {
		.name = "untracked",
		.what = "fork and exit unsupervised, module in use or not loaded",
		.unit = UNIT_US,
		.floor = INFINITY,
		.ours = INFINITY,
		.limit = 1.002,
	};

	for (int i = 0; i < ROUNDS; i++) {
		result.floor = fmin(result.floor, fork_exit_unloaded());
		result.ours = fmin(result.ours, fork_exit_loaded());
	}
	report(&result);
}
