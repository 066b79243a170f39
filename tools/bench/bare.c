// SPDX-License-Identifier: GPL-2.0
/*
 * bare - the floors: what supervision is compared with. The least that a
 * program can do that starts others and starts them again.
 */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

pid_t bare_start(bool session)
{
	char *argv[] = { program, NULL };
	pid_t pid;

	pid = vfork();
	if (!pid) {
		if (session)
			setsid();
		execve(program, argv, environ);
		_exit(127);
	}
	return check_errno(pid, "vfork");
}

void bare_restart(void *context)
{
	const bool *session = context;

	for (;;) {
		pid_t pid = bare_start(*session);

		check_errno(waitpid(pid, NULL, 0), "waitpid");
	}
}
