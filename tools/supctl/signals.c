// SPDX-License-Identifier: GPL-2.0
/*
 * signals - signals as something to poll: through a pipe and not by a mask,
 * which children would inherit.
 */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "../common.h"

static int pipe_ends[2];

static void on_signal(int number)
{
	unsigned char byte = number;
	int saved = errno;

	if (write(pipe_ends[1], &byte, 1) < 0) {
		/* full: then there are signals enough to act on */
	}
	errno = saved;
}

int signals_catch(const int *numbers, size_t count)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART,
	};
	size_t i;

	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK))
		die_error(errno, "pipe");
	for (i = 0; i < count; i++)
		sigaction(numbers[i], &action, NULL);
	return pipe_ends[0];
}

int signals_next(int fd)
{
	unsigned char byte;

	return read(fd, &byte, 1) == 1 ? byte : 0;
}
