// SPDX-License-Identifier: GPL-2.0
/*
 * dynamic - what children that come and go cost: to start and end one, to end
 * one among very many, to keep one, and to stop them all.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TURNS 400
#define WARM_UP 40
#define EXITS 100
#define FEW 10
#define MANY 10000
#define STOPPED 1000
#define SETTLE_MS 100
#define MEMBERS 4096
#define STACK 4096
#define ROUNDS 10

/* A supervisor whose children join. */
struct pool {
	int device;
	int supervisor;
};

static void pool_make(struct pool *pool)
{
	SUP_OPTS(sup_child_opts, child, .restart = SUPERVISOR_TEMPORARY,
		 .readiness = SUPERVISOR_READINESS_ATTACH,
		 .signal_whom = SUPERVISOR_SIGNAL_PROCESS);
	SUP_OPTS(sup_create_opts, create, .kind = SUPERVISOR_DYNAMIC,
		 .spawn = SUPERVISOR_SPAWN_SELF, .child = &child,
		 .child_id = "member");

	pool->device = check(sup_device_open(), "cannot open /dev/supervisor");
	pool->supervisor = check(sup_create(pool->device, -1, &create, NULL),
				 "cannot make a supervisor");
}

static void pool_new(struct pool *pool)
{
	pool_make(pool);
	check(sup_start(pool->supervisor, SUPERVISOR_NO_DEADLINE, NULL, NULL),
	      "cannot start");
}

static void pool_end(struct pool *pool)
{
	check(sup_stop(pool->supervisor, SUPERVISOR_EXIT_NORMAL,
		       SUPERVISOR_NO_DEADLINE),
	      "cannot stop");
	close(pool->supervisor);
	close(pool->device);
}

static void pool_idle(const struct pool *pool)
{
	check(sup_wait_idle(pool->supervisor, SUPERVISOR_NO_DEADLINE),
	      "cannot wait");
}

/* ---- programs that come and go ---- */

/* One that exits at once, supervised if there is a @pool. */
static void turn(const struct pool *pool)
{
	char *argv[] = { program, (char *)"exit", NULL };
	pid_t pid = vfork();

	if (!pid) {
		if (pool && sup_dynamic_join(pool->supervisor, 0,
					     SUPERVISOR_NO_DEADLINE, NULL))
			_exit(126);
		execve(program, argv, environ);
		_exit(127);
	}
	check_errno(pid, "vfork");
	process_wait(pid);
}

static double turns(const struct pool *pool)
{
	uint64_t begin = 0;

	for (int i = -WARM_UP; i < TURNS; i++) {
		if (!i)
			begin = now_ns();
		turn(pool);
	}
	if (pool)
		pool_idle(pool);
	return (double)(now_ns() - begin) / TURNS;
}

void bench_join(void)
{
	struct result result = {
		.name = "join",
		.what = "a temporary child joins, execs, exits, is reaped",
		.unit = UNIT_US,
		.limit = 1.08,
	};
	struct pool pool;

	result.floor = turns(NULL);
	pool_new(&pool);
	result.ours = turns(&pool);
	pool_end(&pool);
	report(&result);
}

/* ---- and that a spawner starts ---- */

static double spawned(void)
{
	SUP_OPTS(sup_create_opts, create, .kind = SUPERVISOR_DYNAMIC);
	SUP_OPTS(sup_child_opts, child, .restart = SUPERVISOR_TEMPORARY,
		 .signal_whom = SUPERVISOR_SIGNAL_PROCESS);
	SUP_OPTS(sup_dynamic_opts, start, .child = &child, .id = "turn");
	struct sup_command *command;
	uint64_t begin = 0, end;
	struct tree tree;

	check(sup_command_new(&command), "cannot make a command");
	check(sup_command_add_arg(command, program), "cannot set a command");
	check(sup_command_add_arg(command, "exit"), "cannot set a command");
	child.command = command;
	tree_make(&tree, &create);
	check(sup_start(tree.supervisor, SUPERVISOR_NO_DEADLINE, NULL, NULL),
	      "cannot start");
	for (int i = -WARM_UP; i < TURNS; i++) {
		if (!i)
			begin = now_ns();
		check(sup_dynamic_start(tree.supervisor, &start,
					SUPERVISOR_NO_DEADLINE, NULL),
		      "cannot start a child");
	}
	/* The last one is reaped, too. */
	end = tree_stop(&tree);
	tree_close(&tree);
	sup_command_free(command);
	return (double)(end - begin) / TURNS;
}

void bench_spawn(void)
{
	report(&(struct result){
		.name = "spawn",
		.what = "a temporary child of the spawner starts, exits, is reaped",
		.unit = UNIT_US,
		.floor = turns(NULL),
		.ours = spawned(),
		.limit = 1.25,
	});
}

/* ---- very many very small processes ---- */

/* Each shares our memory and files, and sleeps. */
struct swarm {
	const struct pool *pool;	/* NULL: nobody supervises them */
	unsigned int members;
	char *stacks;
	pid_t *pid;
};

static int swarm_main(void *context)
{
	const struct swarm *swarm = context;

	if (swarm->pool && sup_dynamic_join(swarm->pool->supervisor, 0,
					    SUPERVISOR_NO_DEADLINE, NULL))
		return 1;
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

static void swarm_new(struct swarm *swarm, const struct pool *pool,
		      unsigned int members)
{
	swarm->pool = pool;
	swarm->members = members;
	swarm->pid = calloc(members, sizeof(*swarm->pid));
	swarm->stacks = mmap(NULL, (size_t)members * STACK,
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (!swarm->pid || swarm->stacks == MAP_FAILED)
		fail("swarm", ENOMEM);
}

static void swarm_start(struct swarm *swarm)
{
	struct supervisor_count count = { 0 };

	for (unsigned int i = 0; i < swarm->members; i++)
		swarm->pid[i] = check_errno(clone(swarm_main,
						  swarm->stacks + (i + 1UL) * STACK,
						  CLONE_VM | CLONE_FILES |
						  CLONE_FS | SIGCHLD, swarm),
					    "clone");
	while (swarm->pool && count.active < swarm->members) {
		sched_yield();
		check(sup_count_children(swarm->pool->supervisor,
					 SUPERVISOR_NO_DEADLINE, &count),
		      "cannot count");
	}
}

static void swarm_reap(struct swarm *swarm)
{
	for (unsigned int i = 0; i < swarm->members; i++)
		if (swarm->pid[i])
			check_errno(waitpid(swarm->pid[i], NULL, 0), "waitpid");
	munmap(swarm->stacks, (size_t)swarm->members * STACK);
	free(swarm->pid);
}

/* What the end of one costs, its supervisor's part included. */
static double swarm_exit(const void *context)
{
	const unsigned int *members = context;
	struct swarm swarm;
	struct pool pool;
	uint64_t took[EXITS];

	pool_new(&pool);
	swarm_new(&swarm, &pool, *members + EXITS);
	swarm_start(&swarm);
	for (int i = 0; i < EXITS; i++) {
		/* From all over. */
		unsigned int at = (unsigned int)((uint64_t)i * swarm.members / EXITS);
		uint64_t begin = now_ns();

		check_errno(kill(swarm.pid[at], SIGKILL), "kill");
		check_errno(waitpid(swarm.pid[at], NULL, 0), "waitpid");
		pool_idle(&pool);
		took[i] = now_ns() - begin;
		swarm.pid[at] = 0;
	}
	pool_end(&pool);
	swarm_reap(&swarm);
	return median(took, EXITS);
}

void bench_exit_many(void)
{
	static const unsigned int few = FEW, many = MANY;

	report(&(struct result){
		.name = "exit-many",
		.what = "the end of one of 10,000 children that joined, to one of 10",
		.unit = UNIT_US,
		.floor = elsewhere(swarm_exit, &few),
		.ours = elsewhere(swarm_exit, &many),
		.limit = 1.1,
	});
}

/* All sleep, and what other swarms left has been freed. */
static void swarm_settle(void)
{
	sleep_ms(SETTLE_MS);
}

static double swarm_stop_bare(const void *context)
{
	struct swarm swarm;
	uint64_t begin;

	(void)context;
	swarm_new(&swarm, NULL, STOPPED);
	swarm_start(&swarm);
	swarm_settle();
	begin = now_ns();
	for (unsigned int i = 0; i < STOPPED; i++)
		check_errno(kill(swarm.pid[i], SIGTERM), "kill");
	swarm_reap(&swarm);
	return (double)(now_ns() - begin);
}

static double swarm_stop(const void *context)
{
	struct swarm swarm;
	struct pool pool;
	uint64_t begin;

	(void)context;
	pool_new(&pool);
	swarm_new(&swarm, &pool, STOPPED);
	swarm_start(&swarm);
	swarm_settle();
	begin = now_ns();
	pool_end(&pool);
	swarm_reap(&swarm);
	return (double)(now_ns() - begin);
}

/*
 * By turns: for each 1,600 stacks or so that processes leave, the kernel gives back the
 * addresses of all at once, which takes a tenth of either time. The least of each is
 * without that.
 */
void bench_stop_all(void)
{
	struct result result = {
		.name = "stop-all",
		.what = "stop of 1,000 children at once, to kill and waitpid of all",
		.unit = UNIT_MS,
		.floor = INFINITY,
		.ours = INFINITY,
		.limit = 1.15,
	};

	for (int i = 0; i < ROUNDS; i++) {
		result.floor = fmin(result.floor, elsewhere(swarm_stop_bare, NULL));
		result.ours = fmin(result.ours, elsewhere(swarm_stop, NULL));
	}
	report(&result);
}

/* By how much one member makes its cgroup grow. */
static double swarm_bytes(const void *context)
{
	const bool *joins = context;
	const char *cgroup = *joins ? CGROUPS "/bench-joined" :
				      CGROUPS "/bench-alone";
	struct swarm swarm;
	struct pool pool;
	double bytes;

	cgroup_enter(cgroup);
	if (*joins)
		pool_new(&pool);
	swarm_new(&swarm, *joins ? &pool : NULL, MEMBERS);
	bytes = kernel_bytes(cgroup);
	swarm_start(&swarm);
	bytes = (kernel_bytes(cgroup) - bytes) / MEMBERS;
	for (unsigned int i = 0; i < MEMBERS; i++)
		check_errno(kill(swarm.pid[i], SIGKILL), "kill");
	swarm_reap(&swarm);
	if (*joins)
		pool_end(&pool);
	cgroup_leave();
	return bytes;
}

/* All were asked for by one process: a pointer is what their lineage takes. */
void bench_member(void)
{
	static const bool alone = false, joins = true;

	report(&(struct result){
		.name = "member",
		.what = "kernel memory of a child that joined, beside its lineage",
		.unit = UNIT_BYTES,
		.ours = elsewhere(swarm_bytes, &joins) -
			elsewhere(swarm_bytes, &alone) - sizeof(void *),
		.limit = 384,
	});
}

/* ---- two partitions at once ---- */

static int partition_make(void *context, uint32_t partition,
			  struct sup_child_opts *child)
{
	struct pool pool;

	(void)context;
	(void)partition;
	pool_make(&pool);
	close(pool.device);
	child->supervisor = pool.supervisor;
	return 0;
}

/* Each on a processor of its own. */
struct worker {
	int supervisor;
	int processor;
};

static void worker_turns(void *context)
{
	const struct worker *worker = context;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(worker->processor, &cpus);
	check_errno(sched_setaffinity(0, sizeof(cpus), &cpus), "affinity");
	for (int i = 0; i < TURNS; i++) {
		pid_t pid = vfork();

		if (!pid)
			_exit(sup_dynamic_join(worker->supervisor, 0,
					       SUPERVISOR_NO_DEADLINE, NULL));
		check_errno(pid, "vfork");
		process_wait(pid);
	}
}

/* One child's share of the time, of two workers with so many partitions together. */
static double partitioned(uint32_t partitions)
{
	SUP_OPTS(sup_create_opts, create);
	SUP_OPTS(sup_partition_opts, opts, .make = partition_make,
		 .partitions = partitions);
	struct worker worker[2];
	struct pool pool;
	pid_t pid[2];
	uint64_t begin;
	double took;
	int mailbox;

	pool.device = check(sup_device_open(), "cannot open /dev/supervisor");
	/* Nothing comes into it: nobody has to be asked for a partition. */
	mailbox = check(sup_mailbox_create(pool.device, 0, NULL),
			"cannot make a mailbox");
	pool.supervisor = check(sup_partitions_create(pool.device, mailbox,
						      &create, &opts, NULL),
				"cannot make partitions");
	check(sup_start(pool.supervisor, SUPERVISOR_NO_DEADLINE, NULL, NULL),
	      "cannot start");
	for (int i = 0; i < 2; i++) {
		worker[i].processor = i;
		worker[i].supervisor =
			check(sup_open_child(pool.supervisor,
					     i && partitions > 1 ? "1" : "0",
					     O_RDWR, NULL),
			      "cannot open a partition");
	}
	begin = now_ns();
	for (int i = 0; i < 2; i++)
		pid[i] = process_start(worker_turns, &worker[i]);
	for (int i = 0; i < 2; i++)
		process_wait(pid[i]);
	took = (double)(now_ns() - begin) / (2 * TURNS);
	for (int i = 0; i < 2; i++)
		close(worker[i].supervisor);
	pool_end(&pool);
	close(mailbox);
	return took;
}

/* Of several, one after the other, the one that least came in between of. */
void bench_partitions(void)
{
	double one = INFINITY, two = INFINITY;

	/* No counting of instructions where there are two: see run. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "bench: partitions: needs two processors, so ICOUNT=0\n");
		return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		one = fmin(one, partitioned(1));
		two = fmin(two, partitioned(2));
	}
	report(&(struct result){
		.name = "partitions",
		.what = "a child joins and exits, on one of two partitions, to the only one",
		.unit = UNIT_US,
		.floor = one,
		.ours = two,
	});
}
