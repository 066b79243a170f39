// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tree.c - two children under a supervisor, and this process to spawn them.
 *
 *	tree COMMAND1 COMMAND2	commands are for the shell
 *
 * The second depends on the first: rest_for_one. Ends when the supervisor does:
 * once a child has died more than three times in five seconds. Kill this
 * process, and the kernel stops the children in order.
 */
#include <stdio.h>
#include <string.h>
#include <supervisor.h>

static int add(int root, const char *id, const char *script)
{
	SUP_OPTS(sup_child_opts, opts);
	struct sup_command *command;
	int ret;

	ret = sup_command_new(&command);
	if (ret)
		return ret;
	ret = sup_command_add_arg(command, "sh");
	if (!ret)
		ret = sup_command_add_arg(command, "-c");
	if (!ret)
		ret = sup_command_add_arg(command, script);
	opts.command = command;
	if (!ret)
		ret = sup_child_add(root, id, &opts, SUPERVISOR_NO_DEADLINE,
				    NULL);
	sup_command_free(command);
	return ret;
}

static int serve(int device, int mailbox, int root)
{
	SUP_OPTS(sup_spawner_opts, opts, .supervisor = root);
	struct sup_spawner *spawner;
	uint32_t down;
	int ret;

	ret = sup_spawner_new(&spawner, device, mailbox, &opts);
	if (ret)
		return ret;
	ret = sup_start_async(root);
	if (!ret)
		ret = sup_spawner_run(spawner);
	sup_spawner_free(spawner);
	if (!ret)
		ret = sup_wait_down(root, 0, NULL, &down);
	if (!ret)
		printf("down: %s\n", sup_word(SUP_WORDS_DOWN, down));
	return ret;
}

int main(int argc, char **argv)
{
	SUP_OPTS(sup_create_opts, opts, .strategy = SUPERVISOR_REST_FOR_ONE);
	int device, mailbox, root;
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: tree COMMAND1 COMMAND2\n");
		return 2;
	}
	ret = device = sup_device_open();
	if (ret >= 0)
		ret = mailbox = sup_mailbox_create(device, 0, NULL);
	if (ret >= 0)
		ret = root = sup_create(device, mailbox, &opts, NULL);
	if (ret >= 0)
		ret = add(root, "first", argv[1]);
	if (ret >= 0)
		ret = add(root, "second", argv[2]);
	if (ret >= 0)
		ret = serve(device, mailbox, root);
	if (ret < 0) {
		fprintf(stderr, "tree: %s\n", strerror(-ret));
		return 1;
	}
	return 0;
}
