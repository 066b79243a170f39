// SPDX-License-Identifier: GPL-2.0
/*
 * route, resize - partition supervisors: which partition a key belongs to, and
 * having more or fewer of them in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "json_put.h"
#include "options.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

/* The supervisor that is meant; negated, an exit status. */
static int open_partitions(const struct options *options, int access)
{
	struct target target = target_parse(options->argument);
	int device = open_device();
	int fd = open_supervisor(device, &target, access);

	close(device);
	target_free(&target);
	return fd;
}

static int explain(const char *path, int error)
{
	if (error == EINVAL) {
		complain("%s: not a partition supervisor", path);
		return STATUS_FALSE;
	}
	if (error == ESHUTDOWN || error == EOWNERDEAD)
		complain("%s: it has ended", path);
	else
		complain_error(error, "%s", path);
	return status_of_error(error);
}

int verb_route(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON };
	uint32_t partition;
	json_t *answer;
	int fd, count;

	options_parse(&options, argc, argv, "PATH KEY",
		      "Prints the path of the partition that a key belongs to.");
	fd = open_partitions(&options, O_RDONLY);
	if (fd < 0)
		return -fd;
	count = sup_partitions(fd);
	close(fd);
	if (count < 0)
		return explain(options.argument, -count);
	if (!count) {
		complain("%s: no partition is in use", options.argument);
		return STATUS_FALSE;
	}
	partition = sup_partition_of(options.more[0], strlen(options.more[0]),
				     (uint32_t)count);
	if (!options.json) {
		printf("%s/%" PRIu32 "\n", options.argument, partition);
		return STATUS_OK;
	}
	answer = json_object();
	json_put_made(answer, "path",
		      xasprintf("%s/%" PRIu32, options.argument, partition));
	json_put_number(answer, "partition", partition);
	json_put_number(answer, "partitions", count);
	json_print_line(answer);
	return STATUS_OK;
}

/* Does not return if it is no number. */
static uint32_t parse_count(const char *text)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > UINT32_MAX)
		die(STATUS_USAGE, "%s: not a number of partitions", text);
	return (uint32_t)value;
}

static int tell_resized(const struct options *options, int was, uint32_t failed,
			const struct sup_result *result)
{
	json_t *answer;

	if (was < 0 && result->result == SUPERVISOR_RESULT_START_FAILED)
		complain_error(result->error, "%s/%" PRIu32 ": start failed",
			       options->argument, failed);
	if (options->json) {
		answer = json_object();
		json_put_text(answer, "path", options->argument);
		json_put_bool(answer, "ok", was >= 0);
		if (was >= 0)
			json_put_number(answer, "was", was);
		else if (result->result)
			json_put_word(answer, "result", SUP_WORDS_RESULT,
				      result->result);
		else
			json_put_errno(answer, "result", -was);
		json_print_line(answer);
	}
	if (was >= 0)
		return STATUS_OK;
	return result->result == SUPERVISOR_RESULT_START_FAILED ?
		status_of_error(-was) : explain(options->argument, -was);
}

int verb_resize(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON | OPTION_TIMEOUT };
	struct supervisor_status status = { .size = sizeof(status) };
	SUP_OPTS(sup_result, result);
	uint32_t wanted, failed = 0;
	int fd, err;

	options_parse(&options, argc, argv, "PATH PARTITIONS",
		      "Has so many partitions in use: restarts or terminates the others.");
	wanted = parse_count(options.more[0]);
	fd = open_partitions(&options, O_RDWR);
	if (fd < 0)
		return -fd;
	err = sup_status(fd, &status, NULL);
	if (!err && status.out_partitions_max &&
	    wanted > status.out_partitions_max) {
		complain("%s: it has %" PRIu32 " partitions", options.argument,
			 status.out_partitions_max);
		close(fd);
		return STATUS_FALSE;
	}
	err = err ? err : sup_resize(fd, wanted, options.deadline, &result,
				     &failed);
	close(fd);
	return tell_resized(&options, err, failed, &result);
}
