// SPDX-License-Identifier: GPL-2.0
/*
 * bench - what supervision costs, against floors measured in the same run.
 *
 * Runs in a guest whose clock counts instructions; see run. Times on anything
 * else are as good as that machine is quiet.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static json_t *json;	/* NULL: a table */

/* ---- results ---- */

static const struct {
	const char *name;
	double divisor;
} units[] = {
	[UNIT_US] = { "us", 1e3 },
	[UNIT_MS] = { "ms", 1e6 },
	[UNIT_BYTES] = { "bytes", 1 },
};

static void print_amount(const struct result *result, double amount)
{
	if (amount)
		printf(" %9.1f %-5s", amount / units[result->unit].divisor,
		       units[result->unit].name);
	else
		printf(" %15s", "");
}

static void print_line(const struct result *result, double value, bool missed)
{
	printf("%-10s", result->name);
	print_amount(result, result->floor);
	print_amount(result, result->ours);
	if (result->floor)
		printf(" %8.4f", value);
	else
		printf(" %8s", "");
	if (result->limit)
		printf(" %8.5g %-4s", result->limit, missed ? "MISS" : "ok");
	else
		printf(" %13s", "");
	printf("  %s\n", result->what);
	fflush(stdout);
}

void report(const struct result *result)
{
	double value = result->floor ? result->ours / result->floor : result->ours;
	bool missed = result->limit && value > result->limit;
	json_t *line;

	if (!json) {
		print_line(result, value, missed);
		return;
	}
	line = json_pack("{ss, ss, ss, sf, sf, sb}", "name", result->name,
			 "what", result->what, "unit",
			 result->unit == UNIT_BYTES ? "bytes" : "ns",
			 "ours", result->ours, "value", value, "missed", missed);
	if (line && result->floor)
		json_object_set_new(line, "floor", json_real(result->floor));
	if (line && result->limit)
		json_object_set_new(line, "limit", json_real(result->limit));
	if (!line || json_array_append_new(json, line))
		fail("cannot report", ENOMEM);
}

/* ---- helpers ---- */

_Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(error));
	_exit(1);
}

int check(int ret, const char *what)
{
	if (ret < 0)
		fail(what, -ret);
	return ret;
}

int check_errno(int ret, const char *what)
{
	if (ret < 0)
		fail(what, errno);
	return ret;
}

uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

double median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return ((double)values[(n - 1) / 2] + (double)values[n / 2]) / 2;
}

#define BATCHES 20
#define BATCH 100
#define WARM_UP 5

double cost(void (*step)(const int *fd), const int *fd)
{
	uint64_t took[BATCHES];

	for (int i = -WARM_UP; i < BATCHES; i++) {
		uint64_t begin = now_ns();

		for (int j = 0; j < BATCH; j++)
			step(fd);
		if (i >= 0)
			took[i] = now_ns() - begin;
	}
	return median(took, BATCHES) / BATCH;
}

/* ---- processes ---- */

pid_t process_start(void (*body)(void *context), void *context)
{
	pid_t pid = check_errno(fork(), "fork");

	if (pid)
		return pid;
	body(context);
	_exit(0);
}

void process_wait(pid_t pid)
{
	int status;

	check_errno(waitpid(pid, &status, 0), "waitpid");
	if (status)
		exit(1);	/* it has said why */
}

void process_end(pid_t pid)
{
	check_errno(kill(pid, SIGKILL), "kill");
	check_errno(waitpid(pid, NULL, 0), "waitpid");
}

double elsewhere(double (*measure)(const void *context), const void *context)
{
	double value;
	int ends[2];
	pid_t pid;

	check_errno(pipe2(ends, O_CLOEXEC), "pipe");
	pid = check_errno(fork(), "fork");
	if (!pid) {
		value = measure(context);
		_exit(write(ends[1], &value, sizeof(value)) != sizeof(value));
	}
	process_wait(pid);
	if (read(ends[0], &value, sizeof(value)) != sizeof(value))
		fail("read", errno);
	close(ends[0]);
	close(ends[1]);
	return value;
}

/* ---- the program ---- */

char program[64] = "/tmp/bench.XXXXXX";

/* Into memory: the guest's files are the host's, and slow to exec. */
static void program_copy(const char *from)
{
	char buf[65536];
	ssize_t len;
	int in, out;

	in = check_errno(open(from, O_RDONLY | O_CLOEXEC), from);
	out = check_errno(mkostemp(program, O_CLOEXEC), program);
	while ((len = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)len) != len)
			fail(program, errno);
	check_errno((int)len, from);
	check_errno(fchmod(out, 0755), program);
	close(out);
	close(in);
}

/* ---- the way in ---- */

/*
 * A machine gathers entropy soon after it has booted; a guest whose clock
 * counts instructions never does, and there every random number, of fork(2)
 * and exec(2) too, would cost many times what it does anywhere else.
 */
static void seed_random(void)
{
	struct {
		struct rand_pool_info info;
		char bytes[64];
	} seed = { .info = { .entropy_count = 512, .buf_size = 64 } };
	char byte;
	int fd;

	if (getrandom(&byte, 1, GRND_NONBLOCK) == 1)
		return;
	fd = check_errno(open("/dev/random", O_WRONLY | O_CLOEXEC), "/dev/random");
	check_errno(ioctl(fd, RNDADDENTROPY, &seed), "/dev/random");
	close(fd);
	check_errno((int)getrandom(&byte, 1, 0), "getrandom");
}

/*
 * A spawner has a descriptor for each child. Where there is room for too few
 * from 256 on, each child would copy those that are below.
 */
static void raise_files(void)
{
	struct rlimit limit;

	check_errno(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	check_errno(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

static const struct {
	const char *name;
	void (*measure)(void);
} benches[] = {
	{ "untracked", bench_untracked },
	{ "restart", bench_restart },
	{ "start", bench_start },
	{ "stop", bench_stop },
	{ "memory", bench_memory },
	{ "exit", bench_exit },
	{ "call", bench_call },
	{ "cast", bench_cast },
	{ "down", bench_down },
	{ "monitors", bench_monitors },
	{ "orphans", bench_orphans },
	{ "task", bench_task },
	{ "spawn", bench_spawn },
	{ "join", bench_join },
	{ "exit-many", bench_exit_many },
	{ "stop-all", bench_stop_all },
	{ "member", bench_member },
	{ "partitions", bench_partitions },
	{ "info", bench_info },
	/* before any that leave a million freed objects to the allocator */
	{ "death", bench_death },
	{ "lookup", bench_lookup },
	{ "peek", bench_peek },
	{ "register", bench_register },
	{ "unregister", bench_unregister },
	{ "publish", bench_publish },
	{ "readers", bench_readers },
	{ "entry", bench_entry },
};

#define BENCHES (sizeof(benches) / sizeof(benches[0]))

static void usage(FILE *to)
{
	fprintf(to, "usage: bench [--json] PROGRAM [NAME]...\n"
		"Names:");
	for (size_t i = 0; i < BENCHES; i++)
		fprintf(to, " %s", benches[i].name);
	fprintf(to, "\n");
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	/* not for the user: see fork_exit_afresh() */
	if (argc == 2 && !strcmp(argv[1], "--fork-exit")) {
		printf("%f\n", fork_exit());
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--json")) {
		json = json_array();
		argv++;
		argc--;
	}
	if (argc < 2 || argv[1][0] == '-') {
		usage(stderr);
		return 2;
	}
	seed_random();
	raise_files();
	program_copy(argv[1]);
	notes_open();
	if (!json)
		printf("%-10s %9s %-5s %9s %-5s %8s %8s\n", "", "floor", "", "ours", "",
		       "ratio", "limit");
	for (size_t i = 0; i < BENCHES; i++)
		if (wanted(benches[i].name, argv + 2))
			benches[i].measure();
	unlink(program);
	if (json) {
		json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
		printf("\n");
	}
	return 0;
}
