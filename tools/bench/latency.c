// SPDX-License-Identifier: GPL-2.0
/*
 * latency - how long what a supervisor does takes, against the same done bare.
 */
#include <signal.h>
#include <sys/wait.h>

#include "bench.h"

#define RESTARTS 50
#define WARM_UP 5
#define STARTED 1000
#define STOPPED 300
#define STOPS 5
#define EXITS 20

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

static double restart_bare(void)
{
	pid_t loop = process_start(bare_restart, NULL);
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

void bench_restart(void)
{
	struct result result = {
		.name = "restart",
		.what = "SIGKILL to main() of the next instance",
		.unit = UNIT_US,
		.floor = restart_bare(),
		.ours = restart_supervised(false),
		.limit = 1.10,
	};

	report(&result);
	result.what = "the same, with a session for each";
	result.ours = restart_supervised(true);
	result.limit = 0;
	report(&result);
}

/* ---- until the last of many is in main ---- */

static void run_bare(pid_t *pid, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		pid[i] = bare_start();
}

/* The last one first, as a supervisor does. */
static void end_bare(pid_t *pid, unsigned int n)
{
	while (n--) {
		check_errno(kill(pid[n], SIGTERM), "kill");
		check_errno(waitpid(pid[n], NULL, 0), "waitpid");
	}
}

static double start_bare(void)
{
	uint64_t begin = now_ns();
	pid_t pid[STARTED];
	double took;

	run_bare(pid, STARTED);
	took = (double)(notes_last(STARTED) - begin);
	end_bare(pid, STARTED);
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

void bench_start(void)
{
	struct result result = {
		.name = "start",
		.what = "starting 1,000 children",
		.unit = UNIT_MS,
		.floor = start_bare(),
		.ours = start_supervised(false),
		.limit = 1.08,
	};

	report(&result);
	result.what = "the same, with a session for each";
	result.ours = start_supervised(true);
	result.limit = 0;
	report(&result);
}

/* ---- until the last of many is dead and reaped ---- */

/*
 * What RCU and the allocators put off falls into one stop or another, so each
 * is done some times.
 */
static double stop_bare(void)
{
	uint64_t took[STOPS];
	pid_t pid[STOPPED];

	for (int i = 0; i < STOPS; i++) {
		uint64_t begin;

		run_bare(pid, STOPPED);
		notes_last(STOPPED);
		begin = now_ns();
		end_bare(pid, STOPPED);
		took[i] = now_ns() - begin;
	}
	return median(took, STOPS);
}

static double stop_supervised(bool sessions)
{
	uint64_t took[STOPS];

	for (int i = 0; i < STOPS; i++) {
		struct tree tree;
		uint64_t begin;

		start_tree(&tree, STOPPED, sessions);
		begin = now_ns();
		took[i] = tree_stop(&tree) - begin;
		tree_close(&tree);
	}
	return median(took, STOPS);
}

void bench_stop(void)
{
	struct result result = {
		.name = "stop",
		.what = "stopping 300 children, one after the other",
		.unit = UNIT_MS,
		.floor = stop_bare(),
		.ours = stop_supervised(false),
		.limit = 1.12,
	};

	report(&result);
	result.what = "the same, with a session for each";
	result.ours = stop_supervised(true);
	result.limit = 0;
	report(&result);
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
