// SPDX-License-Identifier: GPL-2.0
/*
 * latency - how long what a supervisor does takes, against the same done bare.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "bench.h"

#define RESTARTS 50
#define WARM_UP 5
#define STARTED 1000
#define STOPPED 300
#define ROUNDS_MAX 5
#define EXITS 20

static int compare(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of an odd number. Sorts @values. */
static double middle(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return values[n / 2];
}

/* ---- from SIGKILL to the first instruction in main of the next instance ---- */

static double restart_latency(void)
{
	struct note note = notes_read();
	uint64_t took[RESTARTS];

	for (int i = -WARM_UP; i < RESTARTS; i++) {
		uint64_t begin;

		/* Whoever starts it waits for its death. */
		sleep_ms(20);
		begin = now_ns();
		check_errno(kill((pid_t)note.pid, SIGKILL), "kill");
		note = notes_read();
		if (i >= 0)
			took[i] = note.time_ns - begin;
	}
	/* Its last instance dies with its tree, or here. */
	sleep_ms(20);
	return median(took, RESTARTS);
}

static double restart_bare(bool sessions)
{
	pid_t loop = process_start(bare_restart, &sessions);
	double took = restart_latency();

	process_end(loop);
	return took;
}

static double restart_supervised(bool sessions)
{
	struct tree tree;
	double took;

	tree_new(&tree, 1, sessions);
	check(sup_start_async(tree.supervisor), "cannot start the tree");
	took = restart_latency();
	tree_stop(&tree);
	tree_close(&tree);
	return took;
}

/* ---- until the last of many is in main ---- */

static void run_bare(pid_t *pid, unsigned int n, bool sessions)
{
	for (unsigned int i = 0; i < n; i++)
		pid[i] = bare_start(sessions);
}

/* The last one first, as a supervisor does, and to whom it does. */
static void end_bare(pid_t *pid, unsigned int n, bool sessions)
{
	while (n--) {
		check_errno(kill(sessions ? -pid[n] : pid[n], SIGTERM), "kill");
		check_errno(waitpid(pid[n], NULL, 0), "waitpid");
	}
}

static double start_bare(bool sessions)
{
	uint64_t begin = now_ns();
	pid_t pid[STARTED];
	double took;

	run_bare(pid, STARTED, sessions);
	took = (double)(notes_last(STARTED) - begin);
	end_bare(pid, STARTED, sessions);
	return took;
}

/* Returns when the spawner has nothing to do any more. */
static double start_tree(struct tree *tree, unsigned int children, bool sessions)
{
	uint64_t begin;

	tree_new(tree, children, sessions);
	begin = now_ns();
	check(sup_start(tree->supervisor, SUPERVISOR_NO_DEADLINE, NULL, NULL),
	      "cannot start the tree");
	return (double)(notes_last(children) - begin);
}

static double start_supervised(bool sessions)
{
	struct tree tree;
	double took = start_tree(&tree, STARTED, sessions);

	tree_stop(&tree);
	tree_close(&tree);
	return took;
}

/* ---- until the last of many is dead and reaped ---- */

static double stop_bare(bool sessions)
{
	pid_t pid[STOPPED];
	uint64_t begin;

	run_bare(pid, STOPPED, sessions);
	notes_last(STOPPED);
	begin = now_ns();
	end_bare(pid, STOPPED, sessions);
	return (double)(now_ns() - begin);
}

static double stop_supervised(bool sessions)
{
	struct tree tree;
	uint64_t begin;
	double took;

	start_tree(&tree, STOPPED, sessions);
	begin = now_ns();
	took = (double)(tree_stop(&tree) - begin);
	tree_close(&tree);
	return took;
}

/* ---- each against its floor ---- */

struct contest {
	double (*bare)(bool sessions);
	double (*supervised)(bool sessions);
	int rounds;
};

/*
 * In turns, as what earlier ones left to RCU and to the allocators falls into
 * one or another. Sessions are part of the work, so they are in the floor, too;
 * and then, for information, only in ours.
 */
static void contest_hold(const struct contest *contest, struct result *result)
{
	double took[4][ROUNDS_MAX];
	double limit = result->limit;

	for (int i = 0; i < contest->rounds; i++) {
		took[0][i] = contest->bare(false);
		took[1][i] = contest->supervised(false);
		took[2][i] = contest->bare(true);
		took[3][i] = contest->supervised(true);
	}
	result->floor = middle(took[0], contest->rounds);
	result->ours = middle(took[1], contest->rounds);
	report(result);
	result->ours = middle(took[3], contest->rounds);
	result->limit = 0;
	result->what = "ours with a session for each, the floor without";
	report(result);
	result->floor = middle(took[2], contest->rounds);
	result->limit = limit;
	result->what = "both with a session for each";
	report(result);
}

void bench_restart(void)
{
	struct contest contest = { restart_bare, restart_supervised, 1 };

	contest_hold(&contest, &(struct result){
		.name = "restart",
		.what = "SIGKILL to main() of the next instance",
		.unit = UNIT_US,
		.limit = 1.10,
	});
}

void bench_start(void)
{
	struct contest contest = { start_bare, start_supervised, 3 };

	contest_hold(&contest, &(struct result){
		.name = "start",
		.what = "starting 1,000 children",
		.unit = UNIT_MS,
		.limit = 1.08,
	});
}

void bench_stop(void)
{
	struct contest contest = { stop_bare, stop_supervised, 5 };

	contest_hold(&contest, &(struct result){
		.name = "stop",
		.what = "stopping 300 children, one after the other",
		.unit = UNIT_MS,
		.limit = 1.12,
	});
}

/* ---- one exit, among few and among many ---- */

/* Shares its memory with its members, so in a process of its own. */
static double exit_cost(const void *context)
{
	const unsigned int *members = context;
	struct crowd *crowd = crowd_new(*members, true);
	uint64_t took[EXITS];

	crowd_start(crowd);
	for (unsigned int i = 0; i < WARM_UP + EXITS; i++) {
		uint64_t ns = crowd_exit(crowd, i * 7919 % *members);

		if (i >= WARM_UP)
			took[i - WARM_UP] = ns;
	}
	crowd_end(crowd);
	return median(took, EXITS);
}

void bench_exit(void)
{
	unsigned int few = 10;
	unsigned int many = 10000;

	report(&(struct result){
		.name = "exit",
		.what = "one exit, of 10,000 children against of 10",
		.unit = UNIT_US,
		.floor = elsewhere(exit_cost, &few),
		.ours = elsewhere(exit_cost, &many),
		.limit = 1.20,
	});
}
