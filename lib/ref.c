// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ref.c - owns monitors, aliases and links, and naming a process for them
 * without mistaking it for another.
 *
 * The kernel takes processes by number. A number belongs to its process until
 * that has been reaped; so if the process of a pidfd has not been reaped after
 * an ioctl, it was the one that the number meant. If it has been, nobody can
 * tell any more: what was made is undone, and made anew of a process that is
 * never there, which is what OTP's noproc looks like.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "internal.h"

/* No process has this number: the kernel's are below 2^22. */
#define NO_PROCESS INT_MAX

/* ---- monitors and aliases --------------------------------------------- */

static int monitor(int mailbox, int pid, int fd, uint32_t alias, uint64_t *ref,
		   struct sup_result *result)
{
	struct supervisor_monitor arg = {
		.size = sizeof(arg),
		.pid = pid,
		.fd = fd,
		.alias = alias,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(mailbox, SUPERVISOR_MONITOR, &arg);
	*ref = ret ? 0 : arg.out_ref;
	if (ret == -EDQUOT)
		local.limit = arg.out_limit;
	sup_result_end(result, &local);
	return ret;
}

int sup_monitor(int mailbox, int pid, uint32_t alias, uint64_t *ref,
		struct sup_result *result)
{
	return monitor(mailbox, pid, -1, alias, ref, result);
}

int sup_monitor_fd(int mailbox, int fd, uint32_t alias, uint64_t *ref,
		   struct sup_result *result)
{
	return monitor(mailbox, 0, fd, alias, ref, result);
}

int sup_ref_end(int mailbox, unsigned long request, uint64_t ref,
		uint32_t flags)
{
	struct supervisor_ref arg = {
		.size = sizeof(arg),
		.flags = flags,
		.ref = ref,
	};
	int ret = sup_ioctl(mailbox, request, &arg);

	return ret ? ret : (int)arg.out_found;
}

int sup_demonitor(int mailbox, uint64_t ref, uint32_t flags)
{
	return sup_ref_end(mailbox, SUPERVISOR_DEMONITOR, ref, flags);
}

int sup_unalias(int mailbox, uint64_t ref)
{
	return sup_ref_end(mailbox, SUPERVISOR_UNALIAS, ref, 0);
}

int sup_alias(int mailbox, uint32_t alias, uint64_t *ref,
	      struct sup_result *result)
{
	struct supervisor_alias arg = {
		.size = sizeof(arg),
		.alias = alias,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(mailbox, SUPERVISOR_ALIAS, &arg);
	*ref = ret ? 0 : arg.out_ref;
	if (ret == -EDQUOT)
		local.limit = arg.out_limit;
	sup_result_end(result, &local);
	return ret;
}

/* ---- links ------------------------------------------------------------ */

int sup_process_link(int device, int pid, int signal, uint64_t *ref,
		     struct sup_result *result)
{
	struct supervisor_process_link arg = {
		.size = sizeof(arg),
		.pid = pid,
		.signal = (uint32_t)signal,
	};
	struct sup_result local;
	int ret = sup_result_begin(result, &local);

	if (ret)
		return ret;
	ret = sup_ioctl(device, SUPERVISOR_PROCESS_LINK, &arg);
	if (ref)
		*ref = ret ? 0 : arg.out_ref;
	if (ret == -EDQUOT)
		local.limit = arg.out_limit;
	sup_result_end(result, &local);
	return ret ? ret : (int)arg.out_found;
}

int sup_process_unlink(int device, int pid)
{
	struct supervisor_process_link arg = {
		.size = sizeof(arg),
		.pid = pid,
	};
	int ret = sup_ioctl(device, SUPERVISOR_PROCESS_UNLINK, &arg);

	return ret ? ret : (int)arg.out_found;
}

int sup_trap_exit(int device, int mailbox)
{
	struct supervisor_trap_exit arg = {
		.size = sizeof(arg),
		.mailbox_fd = mailbox,
	};

	return sup_ioctl(device, SUPERVISOR_TRAP_EXIT, &arg);
}

/* ---- by pidfd --------------------------------------------------------- */

/* What fdinfo's "Pid:" says: a number, 0, -1 of one that is reaped; or -errno. */
static int pidfd_info(int pidfd, long *number)
{
	char path[40], text[512];
	const char *line;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && fcntl(pidfd, F_GETFD) < 0 ? -EBADF :
								      -errno;
	n = read(fd, text, sizeof(text) - 1);
	sup_close(fd);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	line = strstr(text, "\nPid:");
	if (!line)
		return -EBADF;
	*number = strtol(line + strlen("\nPid:"), NULL, 10);
	return 0;
}

/* The number of its process: NO_PROCESS of one that is reaped; or -errno. */
static int pidfd_number(int pidfd)
{
	int saved = errno;
	long number = 0;
	int ret = pidfd_info(pidfd, &number);

	errno = saved;
	if (ret)
		return ret;
	if (number < 0)
		return NO_PROCESS;
	return number ? (int)number : -EINVAL;
}

/*
 * Has it been reaped, or can that not be told? Where asking by signal is not
 * allowed, not having exited does for not having been reaped.
 */
static bool pidfd_is_gone(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int saved = errno;
	bool gone;

	if (!syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0))
		gone = false;
	else if (errno == ESRCH)
		gone = true;
	else
		gone = poll(&poll_fd, 1, 0) != 0;
	errno = saved;
	return gone;
}

int sup_monitor_pidfd(int mailbox, int pidfd, uint32_t alias, uint64_t *ref,
		      struct sup_result *result)
{
	int pid = pidfd_number(pidfd);
	int ret;

	if (pid < 0)
		return pid;
	ret = sup_monitor(mailbox, pid, alias, ref, result);
	if (pid == NO_PROCESS || !pidfd_is_gone(pidfd) ||
	    (ret && ret != -EPERM))
		return ret;
	if (!ret) {
		sup_demonitor(mailbox, *ref, SUPERVISOR_REF_F_FLUSH);
		if (alias)
			sup_unalias(mailbox, *ref);
	}
	return sup_monitor(mailbox, NO_PROCESS, alias, ref, result);
}

int sup_process_link_pidfd(int device, int pidfd, int signal, uint64_t *ref,
			   struct sup_result *result)
{
	int pid = pidfd_number(pidfd);
	int ret;

	if (pid < 0)
		return pid;
	ret = sup_process_link(device, pid, signal, ref, result);
	if (pid == NO_PROCESS || !pidfd_is_gone(pidfd) ||
	    (ret < 0 && ret != -EPERM))
		return ret;
	/* a link that there was is not that of the dead, and stays */
	if (!ret)
		sup_process_unlink(device, pid);
	return sup_process_link(device, NO_PROCESS, signal, ref, result);
}
