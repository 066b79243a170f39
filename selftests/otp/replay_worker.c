// SPDX-License-Identifier: GPL-2.0
/*
 * The processes of the device backend: they wait to be told how to end, or to
 * be asked to stop, and then do as the scenario says.
 */
#include <errno.h>
#include <linux/supervisor.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "replay_worker.h"
#include "supervisor.h"

static void sleep_ms(uint64_t ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left))
		;
}

__attribute__((noreturn))
static void die_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(EXIT_FAILURE);
}

/* Told to end by the scenario. */
__attribute__((noreturn))
static void end_by_itself(int device, int reason)
{
	if (reason == SUPERVISOR_EXIT_SHUTDOWN &&
	    sup_child_report(device, 0, SUPERVISOR_REPORT_SHUTDOWN, 0) < 0)
		_exit(EXIT_FAILURE);
	_exit(reason == SUPERVISOR_EXIT_CRASH ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Asked to stop by its supervisor. */
static void obey(const struct orders *orders)
{
	if (orders->stubborn)
		return;
	sleep_ms(orders->slow_ms);
	if (orders->onterm == SUPERVISOR_EXIT_SHUTDOWN)
		die_of(SIGTERM);
	_exit(orders->onterm == SUPERVISOR_EXIT_CRASH ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* After the attach: see the start through, or let it come to nothing. */
static void start_as(int device, enum worker_start start, int ready)
{
	switch (start) {
	case WORKER_ATTACH:
		return;
	case WORKER_NOTIFY:
		if (sup_child_report(device, 0, SUPERVISOR_REPORT_READY, 0) < 0 ||
		    write(ready, "", 1) != 1)
			_exit(EXIT_FAILURE);
		return;
	case WORKER_DIE:
		_exit(EXIT_FAILURE);
	case WORKER_FAIL:
		sup_child_report(device, 0, SUPERVISOR_REPORT_FAILED, ENOENT);
		_exit(EXIT_SUCCESS);
	case WORKER_IGNORE:
		sup_child_report(device, 0, SUPERVISOR_REPORT_IGNORE, 0);
		_exit(EXIT_SUCCESS);
	}
}

__attribute__((noreturn))
static void worker_main(int device, uint64_t token, const struct orders *orders,
			enum worker_start start, int ready)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setpgid(0, 0);
	if (sup_child_attach(device, token) < 0)
		_exit(EXIT_FAILURE);
	start_as(device, start, ready);
	for (;;) {
		if (sigwait(&set, &sig))
			_exit(EXIT_FAILURE);
		if (sig == SIGUSR1)
			end_by_itself(device, orders->end);
		obey(orders);
	}
}

/* Orders that the processes see as they change; NULL without memory. */
struct orders *orders_new(void)
{
	void *orders = mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return orders == MAP_FAILED ? NULL : orders;
}

void orders_free(struct orders *orders)
{
	munmap(orders, sizeof(*orders));
}

/*
 * Start the process that a START with @token asks for: its pid, or -1. With
 * WORKER_NOTIFY it has attached and said that it is ready.
 */
pid_t worker_start(int device, uint64_t token, const struct orders *orders,
		   enum worker_start start)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (pid == 0)
		worker_main(device, token, orders, start, ready[1]);
	close(ready[1]);
	if (pid > 0 && start == WORKER_NOTIFY && read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

/* Have it end with a reason. */
void worker_end(pid_t pid, struct orders *orders, int reason)
{
	orders->end = reason;
	kill(pid, reason == SUPERVISOR_EXIT_KILLED ? SIGKILL : SIGUSR1);
}
