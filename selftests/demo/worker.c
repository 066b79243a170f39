// SPDX-License-Identifier: GPL-2.0
/*
 * worker - the demo's own daemon: an HTTP server on a unix socket that counts
 * its visits in redis, and serves the count. It is written to crash: whatever
 * goes wrong with redis, it exits, and lets its supervisor put things right.
 *
 *	worker REDIS-SOCKET HTTP-SOCKET
 */
#include <err.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <supervisor.h>

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(1, "%s: too long", path);
	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 64))
		err(1, "%s", path);
	return fd;
}

static long long count_visit(redisContext *redis)
{
	redisReply *reply = redisCommand(redis, "INCR visits");
	long long visits;

	if (!reply || reply->type != REDIS_REPLY_INTEGER)
		errx(1, "redis: %s", reply ? reply->str : redis->errstr);
	visits = reply->integer;
	freeReplyObject(reply);
	return visits;
}

/* One request, whatever it asks for; a client that goes away is no loss. */
static void answer(int client, redisContext *redis)
{
	char request[4096], page[128];
	ssize_t got = read(client, request, sizeof(request));
	int length;

	if (got <= 0)
		return;
	length = snprintf(page, sizeof(page),
			  "visit %lld, served by worker %d\n",
			  count_visit(redis), getpid());
	dprintf(client,
		"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s",
		length, page);
}

int main(int argc, char **argv)
{
	redisContext *redis;
	int server;

	if (argc != 3)
		errx(1, "usage: worker REDIS-SOCKET HTTP-SOCKET");
	redis = redisConnectUnix(argv[1]);
	if (!redis || redis->err)
		errx(1, "%s: %s", argv[1], redis ? redis->errstr : "no memory");
	server = listen_at(argv[2]);
	sup_notify_ready();

	for (;;) {
		int client = accept(server, NULL, NULL);

		if (client < 0)
			err(1, "accept");
		answer(client, redis);
		close(client);
	}
}
