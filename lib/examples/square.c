// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * square.c - tasks: each number on the command line is squared in a process of its
 * own, and they are awaited in turn. A crash is an answer, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor.h>

static int square(struct sup_task_writer *result, void *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == (char *)text || *end)
		return -EINVAL;
	n *= n;
	return sup_task_write(result, &n, sizeof(n));
}

static void show(struct sup_task *task, const char *text)
{
	SUP_OPTS(sup_task_result, result);
	long n;
	int ret = sup_task_await(task, sup_deadline_in(5000), &result);

	if (!ret) {
		memcpy(&n, result.data, sizeof(n));
		printf("%s: %ld\n", text, n);
	} else if (ret == -EOWNERDEAD) {
		printf("%s: %s: %s\n", text,
		       sup_word(SUP_WORDS_EXIT, result.reason),
		       strerror(result.error));
	} else {
		printf("%s: %s\n", text, strerror(-ret));
	}
	sup_task_free(task);
}

int main(int argc, char **argv)
{
	struct sup_task *tasks[16] = { NULL };
	struct sup_tasks *owner;
	int device = sup_device_open();
	int ret;

	ret = device < 0 ? device : sup_tasks_new(&owner, device, NULL);
	for (int i = 1; i < argc && i < 16 && !ret; i++) {
		SUP_OPTS(sup_work, work, .fn = square, .arg = argv[i]);

		/* not linked: with sup_task_async() we would die of a crash */
		ret = sup_task_async_nolink(owner, &work, &tasks[i]);
	}
	if (ret) {
		fprintf(stderr, "square: %s\n", strerror(-ret));
		return 1;
	}
	for (int i = 1; i < argc && i < 16; i++)
		show(tasks[i], argv[i]);
	sup_tasks_free(owner);
	return 0;
}
