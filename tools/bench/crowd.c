// SPDX-License-Identifier: GPL-2.0
/*
 * crowd - owns very many very small processes: each shares the memory and the
 * files of the one that starts them, and sleeps. So there can be ten thousand
 * of them, and what a process costs by itself does not hide what its
 * supervision does.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define STACK 4096

struct member {
	struct crowd *crowd;
	uint64_t token;
	pid_t pid;
};

struct crowd {
	struct member *member;
	char *stacks;
	unsigned int members;
	bool supervised;
	int device;
	int mailbox;
	int supervisor;
};

/* The process itself. */
static int member_main(void *arg)
{
	struct member *member = arg;
	struct crowd *crowd = member->crowd;

	syscall(SYS_setpgid, 0, 0);
	if (crowd->supervised && sup_child_attach(crowd->device, member->token))
		return 1;
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

static void member_start(struct crowd *crowd, unsigned int i, uint64_t token)
{
	struct member *member = &crowd->member[i];

	member->crowd = crowd;
	member->token = token;
	member->pid = check_errno(clone(member_main,
					crowd->stacks + (i + 1UL) * STACK,
					CLONE_VM | CLONE_FILES | CLONE_FS |
					SIGCHLD, member),
				  "clone");
}

/* A START, in the order in which they come. */
static uint64_t crowd_recv(struct crowd *crowd, unsigned int *i)
{
	static _Alignas(8) char buf[4096];
	const struct supervisor_msg *msg;
	size_t len = sizeof(buf);

	check(sup_mailbox_recv(crowd->mailbox, buf, &len, 1,
			       SUPERVISOR_NO_DEADLINE),
	      "cannot read a START");
	msg = sup_msg_next(buf, len, NULL);
	*i = (unsigned int)strtoul(sup_msg_id(msg), NULL, 10);
	return msg->ref;
}

static void crowd_supervise(struct crowd *crowd)
{
	SUP_OPTS(sup_create_opts, create, .intensity = 1000, .period = 1);
	SUP_OPTS(sup_child_opts, opts,
		 .readiness = SUPERVISOR_READINESS_ATTACH,
		 .shutdown_ms = SUPERVISOR_SHUTDOWN_KILL);
	char id[16];

	crowd->device = check(sup_device_open(), "cannot open /dev/supervisor");
	crowd->mailbox = check(sup_mailbox_create(crowd->device, 0, NULL),
			       "cannot make a mailbox");
	crowd->supervisor = check(sup_create(crowd->device, crowd->mailbox,
					     &create, NULL),
				  "cannot make a supervisor");
	for (unsigned int i = 0; i < crowd->members; i++) {
		snprintf(id, sizeof(id), "%05u", i);
		check(sup_child_add(crowd->supervisor, id, &opts,
				    SUPERVISOR_NO_DEADLINE, NULL),
		      "cannot add a child");
	}
}

struct crowd *crowd_new(unsigned int members, bool supervised)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	if (!crowd)
		fail("crowd", ENOMEM);
	crowd->members = members;
	crowd->supervised = supervised;
	crowd->member = calloc(members, sizeof(*crowd->member));
	crowd->stacks = mmap(NULL, (size_t)members * STACK,
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (!crowd->member || crowd->stacks == MAP_FAILED)
		fail("crowd", ENOMEM);
	/* Nobody waits for them. */
	signal(SIGCHLD, SIG_IGN);
	return crowd;
}

void crowd_start(struct crowd *crowd)
{
	if (crowd->supervised) {
		crowd_supervise(crowd);
		check(sup_start_async(crowd->supervisor), "cannot start");
	}
	for (unsigned int n = 0; n < crowd->members; n++) {
		unsigned int i = n;
		uint64_t token = 0;

		if (crowd->supervised)
			token = crowd_recv(crowd, &i);
		member_start(crowd, i, token);
	}
	if (crowd->supervised)
		check(sup_wait_idle(crowd->supervisor, SUPERVISOR_NO_DEADLINE),
		      "cannot wait");
}

uint64_t crowd_exit(struct crowd *crowd, unsigned int member)
{
	uint64_t begin, end, token;
	unsigned int i;

	begin = now_ns();
	check_errno(kill(crowd->member[member].pid, SIGKILL), "kill");
	token = crowd_recv(crowd, &i);
	end = now_ns();
	member_start(crowd, i, token);
	check(sup_wait_idle(crowd->supervisor, SUPERVISOR_NO_DEADLINE),
	      "cannot wait");
	return end - begin;
}

pid_t crowd_pid(const struct crowd *crowd, unsigned int member)
{
	return crowd->member[member].pid;
}

void crowd_replace(struct crowd *crowd, unsigned int member)
{
	member_start(crowd, member, 0);
}

void crowd_end(struct crowd *crowd)
{
	if (crowd->supervised) {
		check(sup_stop(crowd->supervisor, SUPERVISOR_EXIT_NORMAL,
			       SUPERVISOR_NO_DEADLINE),
		      "cannot stop");
		close(crowd->supervisor);
		close(crowd->mailbox);
		close(crowd->device);
	} else {
		for (unsigned int i = 0; i < crowd->members; i++)
			kill(crowd->member[i].pid, SIGKILL);
	}
	munmap(crowd->stacks, (size_t)crowd->members * STACK);
	free(crowd->member);
	free(crowd);
}
