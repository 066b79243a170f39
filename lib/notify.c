// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * notify.c - owns the receiving side of sd_notify(3): a datagram socket in the
 * abstract namespace, where nothing is left behind, for one incarnation.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "internal.h"

#define NOTIFY_BYTES 4096
#define NOTIFY_DEPTH 64		/* processes between a sender and the child */
#define NOTIFY_BATCH 64		/* messages read before others have a turn */

int sup_notify_socket(char *variable, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr);
	int saved = errno;
	int one = 1;
	int ret, fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		ret = -errno;
		goto out;
	}
	/* An address of the family alone: the kernel picks a free name. */
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(sa_family_t)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
		ret = -errno;
		close(fd);
		goto out;
	}
	ret = fd;
	snprintf(variable, size, "NOTIFY_SOCKET=@%.*s",
		 (int)(len - offsetof(struct sockaddr_un, sun_path) - 1),
		 addr.sun_path + 1);
out:
	errno = saved;
	return ret;
}

/* Parent and session of a process, from /proc/PID/stat. */
static bool process_kin(pid_t pid, pid_t *parent, pid_t *session)
{
	char path[32], stat[512];
	char *after;
	ssize_t n;
	int fd, group;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	if (n <= 0)
		return false;
	stat[n] = '\0';
	after = strrchr(stat, ')');	/* the name may hold anything */
	return after && sscanf(after + 1, " %*c %d %d %d", parent, &group,
			       session) == 3;
}

/*
 * Whether @sender is process @main or comes from it. @main is not reaped yet,
 * so its number is its own, and so is the session that it leads.
 */
static bool notify_from(pid_t sender, pid_t main, bool leads_session)
{
	pid_t parent, session;

	for (int i = 0; i < NOTIFY_DEPTH && sender > 1; i++) {
		if (sender == main)
			return true;
		if (!process_kin(sender, &parent, &session))
			return false;
		if (leads_session && session == main)
			return true;
		sender = parent;
	}
	return false;
}

static bool notify_says_ready(char *text)
{
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (!strcmp(line, "READY=1"))
			return true;
	return false;
}

/* Closes what came along, and tells who sent it: 0 for nobody known. */
static pid_t notify_control(struct msghdr *msg)
{
	struct cmsghdr *cmsg;
	struct ucred cred;
	pid_t sender = 0;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t len = cmsg->cmsg_len - CMSG_LEN(0);

		if (cmsg->cmsg_level != SOL_SOCKET)
			continue;
		if (cmsg->cmsg_type == SCM_CREDENTIALS &&
		    len >= sizeof(cred)) {
			memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
			sender = cred.pid;
		}
		if (cmsg->cmsg_type == SCM_RIGHTS) {
			for (size_t i = 0; i + sizeof(int) <= len;
			     i += sizeof(int)) {
				int fd;

				memcpy(&fd, CMSG_DATA(cmsg) + i, sizeof(fd));
				close(fd);
			}
		}
	}
	return sender;
}

int sup_notify_read(int fd, pid_t pid, bool session)
{
	union {
		struct cmsghdr align;
		/* 253 is the most descriptors that a message can carry */
		char room[CMSG_SPACE(sizeof(struct ucred)) +
			  CMSG_SPACE(253 * sizeof(int))];
	} control;
	char text[NOTIFY_BYTES + 1];
	int saved = errno;
	int ready = 0;

	for (int i = 0; i < NOTIFY_BATCH && !ready; i++) {
		struct iovec iov = { text, NOTIFY_BYTES };
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		pid_t sender;

		if (n < 0)
			break;
		text[n] = '\0';
		sender = notify_control(&msg);
		ready = notify_says_ready(text) &&
			notify_from(sender, pid, session);
	}
	errno = saved;
	return ready;
}
