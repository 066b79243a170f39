// SPDX-License-Identifier: GPL-2.0
/*
 * notify - tells whoever started supctl how it is, as sd_notify(3) does.
 */
#include "notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common.h"

void notify(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char *text = NULL;
	va_list ap;
	int fd;

	if (!path || (*path != '/' && *path != '@') ||
	    strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	va_start(ap, format);
	if (vasprintf(&text, format, ap) >= 0)
		sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		       (struct sockaddr *)&to,
		       offsetof(struct sockaddr_un, sun_path) + strlen(path));
	va_end(ap);
	free(text);
	close(fd);
}
