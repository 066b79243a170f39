// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ref.c - owns monitors, aliases and links, and naming a process for them
 * without mistaking it for another.
 *
 * The kernel takes processes by number, and compares with a pidfd. A number
 * belongs to its process until that has been reaped; one that has been has none,
 * and is a process that is never there, which is what OTP's noproc looks like.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int process_link(int device, int pid, int pidfd, int signal,
			uint64_t *ref, struct sup_result *result)
{
	struct supervisor_process_link arg = {
		.size = sizeof(arg),
		.pid = pid,
		.pidfd = pidfd,
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

int sup_process_link(int device, int pid, int signal, uint64_t *ref,
		     struct sup_result *result)
{
	return process_link(device, pid, -1, signal, ref, result);
}

int sup_process_unlink(int device, int pid)
{
	struct supervisor_process_link arg = {
		.size = sizeof(arg),
		.pid = pid,
		.pidfd = -1,
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

int sup_monitor_pidfd(int mailbox, int pidfd, uint32_t alias, uint64_t *ref,
		      struct sup_result *result)
{
	int pid = pidfd_number(pidfd);
	int ret;

	if (pid < 0)
		return pid;
	ret = monitor(mailbox, pid, pidfd, alias, ref, result);
	return ret == -ESRCH ?
	       sup_monitor(mailbox, NO_PROCESS, alias, ref, result) : ret;
}

int sup_process_link_pidfd(int device, int pidfd, int signal, uint64_t *ref,
			   struct sup_result *result)
{
	int pid = pidfd_number(pidfd);
	int ret;

	if (pid < 0)
		return pid;
	ret = process_link(device, pid, pidfd, signal, ref, result);
	return ret == -ESRCH ?
	       sup_process_link(device, NO_PROCESS, signal, ref, result) : ret;
}
