// SPDX-License-Identifier: GPL-2.0
/*
 * monitor - tells when processes, mailboxes and trees are gone, and how they
 * went. OTP's monitor.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common.h"
#include "child.h"
#include "json_put.h"
#include "message_text.h"
#include "options.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

struct watch {
	const char *target;
	uint64_t ref;
	bool down;
};

struct monitor {
	int device;
	int mailbox;
	bool json;
	struct watch *watches;
	size_t count;
	size_t left;			/* that are not down */
	bool missed;			/* one was not there to begin with */
};

/* What became of one; @down NULL: there was none of that name. */
static void print_down(struct monitor *monitor, struct watch *watch,
		       const struct supervisor_msg_down *down)
{
	struct supervisor_msg_down none = {
		.head.time_ns = monotonic_ns(),
		.reason = SUPERVISOR_EXIT_NOPROC,
		.what = *watch->target == '/' ? SUPERVISOR_DOWN_OF_MAILBOX :
						SUPERVISOR_DOWN_OF_SUPERVISOR,
	};
	char *clock, *words;
	json_t *object;

	if (!down)
		down = &none;
	watch->down = true;
	monitor->left--;
	if (down->reason == SUPERVISOR_EXIT_NOPROC)
		monitor->missed = true;
	if (monitor->json) {
		object = json_object();
		json_put_number(object, "time_ns", down->head.time_ns);
		json_put_text(object, "target", watch->target);
		down_put(object, down);
		json_print_line(object);
	} else {
		clock = clock_words(down->head.time_ns);
		words = down_words(down);
		printf("%s  %-20s  %s\n", clock, watch->target, words);
		free(words);
		free(clock);
	}
	fflush(stdout);
}

/* ---- what to monitor -------------------------------------------------- */

/* All of these return 0 or -errno; -ENOENT: there is no such thing. */

static int watch_fd(struct monitor *monitor, struct watch *watch, int fd)
{
	int err = fd;

	if (fd >= 0) {
		err = sup_monitor_fd(monitor->mailbox, fd,
				     SUPERVISOR_ALIAS_NONE, &watch->ref, NULL);
		close(fd);
	}
	return err;
}

static int watch_mailbox(struct monitor *monitor, struct watch *watch)
{
	int fd;

	check_mailbox_name(watch->target);
	fd = sup_mailbox_open(monitor->device, watch->target, O_RDONLY, NULL);
	if (fd == -EACCES)
		fd = sup_mailbox_open(monitor->device, watch->target, O_WRONLY,
				      NULL);
	return watch_fd(monitor, watch, fd);
}

/* The pid of a child, 0 for none, and which of its runs that is. */
static int read_child(int parent, const char *id, uint32_t *run)
{
	struct child child;
	int err = child_find(parent, id, &child);
	int pid;

	if (err < 0)
		return err;
	pid = child.status->pid;
	*run = child.status->incarnation;
	child_release(&child);
	return pid;
}

/*
 * A child's number may be somebody else's by the time it is looked up. If the
 * child has it after that still, it was not.
 */
static int open_child_process(int parent, const char *id)
{
	uint32_t run = 0, run_after = 0;
	int pid, pidfd;

	for (;;) {
		pid = read_child(parent, id, &run);
		if (pid <= 0)
			return pid ? pid : -ENOENT;
		pidfd = syscall(SYS_pidfd_open, pid, 0);
		if (pidfd < 0 && errno != ESRCH)
			return -errno;
		if (read_child(parent, id, &run_after) == pid &&
		    run_after == run)
			return pidfd < 0 ? -ENOENT : pidfd;
		if (pidfd >= 0)
			close(pidfd);
	}
}

static int watch_child(struct monitor *monitor, struct watch *watch, int root,
		       const struct target *target)
{
	int parent = root, pidfd, err;

	if (*target->above)
		parent = sup_open_child(root, target->above, O_RDONLY, NULL);
	if (parent < 0)
		return parent == -EINVAL ? -ENOENT : parent;
	pidfd = open_child_process(parent, target->id);
	if (parent != root)
		close(parent);
	if (pidfd < 0)
		return pidfd;
	err = sup_monitor_pidfd(monitor->mailbox, pidfd, SUPERVISOR_ALIAS_NONE,
				&watch->ref, NULL);
	close(pidfd);
	return err;
}

static int watch_path(struct monitor *monitor, struct watch *watch)
{
	struct target target = target_parse(watch->target);
	char *name = xasprintf("/%s", target.root);
	int root = sup_open(monitor->device, name, O_RDONLY, NULL);
	int fd, err;

	free(name);
	if (root < 0 || !target.id) {
		err = watch_fd(monitor, watch, root);
	} else {
		fd = sup_open_child(root, strchr(target.path, '/') + 1,
				    O_RDONLY, NULL);
		/* A process is no supervisor. */
		err = fd == -EINVAL ? watch_child(monitor, watch, root, &target) :
				      watch_fd(monitor, watch, fd);
		close(root);
	}
	target_free(&target);
	return err;
}

static int watch_any(struct monitor *monitor, struct watch *watch)
{
	const char *target = watch->target;
	uint64_t pid;

	if (*target == '/')
		return watch_mailbox(monitor, watch);
	if (!*target || target[strspn(target, "0123456789")])
		return watch_path(monitor, watch);
	if (!parse_u64(target, 1, INT_MAX, &pid))
		die(STATUS_USAGE, "%s: not a process's number", target);
	return sup_monitor(monitor->mailbox, pid, SUPERVISOR_ALIAS_NONE,
			   &watch->ref, NULL);
}

/* ---- the verb --------------------------------------------------------- */

static void take_down(struct monitor *monitor,
		      const struct supervisor_msg *msg)
{
	const struct supervisor_msg_down *down = sup_msg_down(msg);
	size_t i;

	for (i = 0; down && i < monitor->count; i++)
		if (monitor->watches[i].ref == msg->ref &&
		    !monitor->watches[i].down)
			print_down(monitor, &monitor->watches[i], down);
}

/* Until all are down; false: the time has passed. */
static bool wait_for_all(struct monitor *monitor, uint64_t deadline)
{
	static _Alignas(8) char buffer[MESSAGE_ROOM];

	while (monitor->left) {
		const struct supervisor_msg *msg = NULL;
		size_t length = sizeof(buffer);
		int got = sup_mailbox_recv(monitor->mailbox, buffer, &length, 0,
					   deadline);

		if (got == -ETIMEDOUT)
			return false;
		if (got < 0 && got != -EINTR)
			die_error(-got, "monitor");
		while (got > 0 && (msg = sup_msg_next(buffer, length, msg)))
			take_down(monitor, msg);
	}
	return true;
}

static int conclude(const struct monitor *monitor, bool all)
{
	size_t i;

	for (i = 0; i < monitor->count; i++)
		if (!monitor->watches[i].down)
			complain("%s: is still there",
				 monitor->watches[i].target);
	if (!all)
		return STATUS_TIMEOUT;
	return monitor->missed ? STATUS_FALSE : STATUS_OK;
}

int verb_monitor(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON | OPTION_TIMEOUT };
	struct monitor monitor = { 0 };
	size_t i;
	int err, status;

	options_parse(&options, argc, argv, "TARGET...",
		      "Tells when each of them is gone, and how it went, until all are. A TARGET is a process's number, a mailbox's /NAME, or a PATH.");
	while (options.more[monitor.count])
		monitor.count++;
	monitor.left = ++monitor.count;
	monitor.watches = xcalloc(monitor.count, sizeof(*monitor.watches));
	for (i = 0; i < monitor.count; i++)
		monitor.watches[i].target = i ? options.more[i - 1] :
						options.argument;
	monitor.json = options.json;
	monitor.device = open_device();
	monitor.mailbox = sup_mailbox_create(monitor.device, 0, NULL);
	if (monitor.mailbox < 0)
		die_error(-monitor.mailbox, "mailbox");
	for (i = 0; i < monitor.count; i++) {
		err = watch_any(&monitor, &monitor.watches[i]);
		if (err == -ENOENT)
			print_down(&monitor, &monitor.watches[i], NULL);
		else if (err < 0)
			die_error(-err, "%s", monitor.watches[i].target);
	}
	status = conclude(&monitor, wait_for_all(&monitor, options.deadline));
	close(monitor.mailbox);
	close(monitor.device);
	free(monitor.watches);
	return status;
}
