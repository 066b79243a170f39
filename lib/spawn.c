// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * spawn.c - owns the fork: what happens between it and exec.
 *
 * The new process shares our memory and runs on a stack of its own, while the
 * calling thread sleeps in the kernel until it has execed or exited; the
 * process's other threads run on. So, in it:
 *
 * - Only system calls. The libc's own setuid() and the like would speak to the
 *   other threads, malloc() might wait for a lock that one of them holds.
 * - errno is the sleeping thread's: sup_spawn() puts it back.
 * - Every signal stays blocked, those that the libc keeps for itself included,
 *   until no handler of ours is left to be run here: the attach resets them,
 *   as that is one call instead of many.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "internal.h"

#define SIGNALS 64
#define SIGSET_BYTES (SIGNALS / 8)
/* ---- in the new process ----------------------------------------------- */

/* What an attach does of itself. SIGKILL and SIGSTOP are refused, and need none. */
void sup_spawn_reset_signals(void)
{
	/* The kernel's struct: handler SIG_DFL, no flags, no mask. */
	static const unsigned long act[8];
	static const uint64_t none;

	for (int sig = 1; sig <= SIGNALS; sig++)
		syscall(SYS_rt_sigaction, sig, act, NULL, SIGSET_BYTES);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SIGSET_BYTES);
}

/* From then on a stop is obeyed, also one that came before. */
static int child_attach(const struct sup_spawn *spawn)
{
	int ret;

	if (spawn->enter)
		return spawn->enter(spawn->context);
	ret = sup_attach(spawn->device, spawn->token,
			 SUPERVISOR_ATTACH_F_RESET_SIGNALS);
	if (ret != -EOPNOTSUPP)
		return ret;
	/* a module that is older than we are */
	ret = sup_attach(spawn->device, spawn->token, 0);
	if (!ret)
		sup_spawn_reset_signals();
	return ret;
}

/*
 * A copy of the descriptors, without those that are not for us: to copy them at
 * the fork, and close them at exec, takes long when there is one for each of a
 * thousand siblings.
 */
static int child_files(int private_fd)
{
	if (!syscall(SYS_close_range, private_fd, ~0U, CLOSE_RANGE_UNSHARE))
		return 0;
	return (int)syscall(SYS_unshare, CLONE_FILES);
}

static int child_session(enum sup_session session)
{
	if (session == SUP_SESSION_NEW)
		return (int)syscall(SYS_setsid);
	if (session == SUP_SESSION_GROUP)
		return (int)syscall(SYS_setpgid, 0, 0);
	return 0;
}

static int child_rlimits(const struct sup_command *command,
			 const struct sup_rlimit *files)
{
	if (files &&
	    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, files, NULL) < 0)
		return -1;
	for (uint32_t i = 0; i < SUP_RLIMITS; i++) {
		if (!(command->rlimits & 1U << i))
			continue;
		if (syscall(SYS_prlimit64, 0, i, &command->rlimit[i], NULL) < 0)
			return -1;
	}
	return 0;
}

/*
 * Opened without waiting, for nothing may wait here: a FIFO that nobody reads
 * is an error. The program finds it in the usual mode.
 */
static int child_open(const char *path, int flags)
{
	long fd = syscall(SYS_openat, AT_FDCWD, path,
			  flags | O_NOCTTY | O_NONBLOCK, 0666);

	if (fd >= 0 && syscall(SYS_fcntl, fd, F_SETFL, flags & O_APPEND) < 0)
		return -1;
	return (int)fd;
}

static int child_stdio(const struct sup_command_stdio *stdio, int target)
{
	int flags = target ? O_WRONLY | O_CREAT : O_RDONLY;
	int fd;

	switch (stdio->kind) {
	case SUP_STDIO_INHERIT:
		return 0;
	case SUP_STDIO_STDOUT:
		return (int)syscall(SYS_dup3, 1, target, 0);
	case SUP_STDIO_NULL:
		fd = child_open("/dev/null", O_RDWR);
		break;
	case SUP_STDIO_APPEND:
		fd = child_open(stdio->path, flags | O_APPEND);
		break;
	default:
		fd = child_open(stdio->path, target ? flags | O_TRUNC : flags);
		break;
	}
	if (fd < 0)
		return -1;
	if (fd == target)
		return 0;
	if (syscall(SYS_dup3, fd, target, 0) < 0)
		return -1;
	syscall(SYS_close, fd);
	return 0;
}

static int child_groups(const struct sup_ids *ids)
{
	if (ids->set_groups &&
	    syscall(SYS_setgroups, ids->ngroups, ids->groups) < 0)
		return -1;
	if (ids->set_gid &&
	    syscall(SYS_setresgid, ids->gid, ids->gid, ids->gid) < 0)
		return -1;
	return 0;
}

static int child_user(const struct sup_ids *ids)
{
	if (!ids->set_uid)
		return 0;
	return (int)syscall(SYS_setresuid, ids->uid, ids->uid, ids->uid);
}

/* As execvp(3): returns only the error that counts. */
static int child_exec(const struct sup_plan *plan)
{
	bool denied = false;

	for (char **path = plan->paths; *path; path++) {
		syscall(SYS_execve, *path, plan->argv, plan->env);
		if (errno == ENOEXEC) {
			plan->sh_argv[1] = *path;
			syscall(SYS_execve, plan->sh_argv[0], plan->sh_argv,
				plan->env);
		}
		switch (errno) {
		case EACCES:
			denied = true;
			break;
		case ENOENT:
		case ESTALE:
		case ENOTDIR:
		case ENODEV:
		case ETIMEDOUT:
			break;
		default:
			return errno;
		}
	}
	return denied ? EACCES : errno;
}

/* Everything between attach and exec; the step that failed, errno says why. */
static enum sup_step child_prepare(const struct sup_spawn *spawn)
{
	const struct sup_plan *plan = spawn->plan;
	const struct sup_command *command = plan->command;

	if (command->cwd && syscall(SYS_chdir, command->cwd) < 0)
		return SUP_STEP_CWD;
	if (child_rlimits(command, spawn->files) < 0)
		return SUP_STEP_RLIMIT;
	if (command->has_umask)
		syscall(SYS_umask, command->umask);
	for (int fd = 0; fd < 3; fd++)
		if ((fd == 1 && spawn->output ?
		     (int)syscall(SYS_dup3, spawn->output, fd, 0) :
		     child_stdio(&command->stdio[fd], fd)) < 0)
			return (enum sup_step)(SUP_STEP_STDIN + fd);
	if (child_groups(&plan->ids) < 0)
		return SUP_STEP_GROUP;
	if (child_user(&plan->ids) < 0)
		return SUP_STEP_USER;
	return SUP_STEP_NONE;
}

static int child_main(void *arg)
{
	struct sup_spawn *spawn = arg;
	enum sup_step step;
	bool attached = false;
	int error;

	step = SUP_STEP_SESSION;
	if (child_session(spawn->plan->session) < 0) {
		error = errno;
		goto fail;
	}
	step = SUP_STEP_FILES;
	if (child_files(spawn->private_fd) < 0) {
		error = errno;
		goto fail;
	}
	step = SUP_STEP_ATTACH;
	error = -child_attach(spawn);
	if (error)
		goto fail;
	attached = !spawn->enter;
	step = child_prepare(spawn);
	if (step) {
		error = errno;
		goto fail;
	}
	step = SUP_STEP_EXEC;
	error = child_exec(spawn->plan);

fail:
	if (attached)
		sup_child_report(spawn->device, spawn->token,
				 SUPERVISOR_REPORT_FAILED, error);
	if (spawn->undo)
		spawn->undo(spawn->context);
	spawn->error = error;
	spawn->step = step;
	syscall(SYS_exit_group, 127);
	__builtin_unreachable();
}

/* ---- in the spawner --------------------------------------------------- */

void sup_spawn_block(uint64_t *mask)
{
	static const uint64_t all = ~0ULL;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, mask, SIGSET_BYTES);
}

void sup_spawn_unblock(const uint64_t *mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, SIGSET_BYTES);
}

int sup_spawn(struct sup_spawn *spawn)
{
	int saved = errno;
	int pid;

	spawn->pidfd = -1;
	spawn->step = SUP_STEP_NONE;
	spawn->error = 0;
	pid = clone(child_main, (char *)spawn->stack + spawn->stack_size,
		    CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | SIGCHLD,
		    spawn, &spawn->pidfd);
	if (pid < 0)
		pid = -errno;
	errno = saved;
	spawn->pid = pid;
	return pid < 0 ? pid : 0;
}
