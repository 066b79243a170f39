// SPDX-License-Identifier: GPL-2.0
/*
 * check - says what is wrong with a tree file, starting nothing. Needs neither
 * the module nor privileges.
 */
#include <stdio.h>

#include "../common.h"
#include "json_put.h"
#include "options.h"
#include "tree_file.h"
#include "verbs.h"

static void print_json(const char *file, const struct tree *tree,
		       struct mistakes *m)
{
	json_t *answer = json_object();

	json_put_text(answer, "file", file);
	json_put_bool(answer, "ok", tree);
	json_object_set_new(answer, "mistakes", mistakes_json(m));
	if (tree) {
		struct tree_count count = tree_count(&tree->root);

		json_put_text(answer, "name", tree->name);
		json_put_number(answer, "supervisors", count.supervisors);
		json_put_number(answer, "processes", count.processes);
	}
	json_print_line(answer);
}

static void print_text(const char *file, const struct tree *tree,
		       struct mistakes *m)
{
	struct tree_count count;

	mistakes_print(m, file);
	if (!tree)
		return;
	count = tree_count(&tree->root);
	printf("%s: %zu supervisor%s, %zu process%s\n", tree->name,
	       count.supervisors, count.supervisors == 1 ? "" : "s",
	       count.processes, count.processes == 1 ? "" : "es");
}

int verb_check(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON };
	struct mistakes mistakes = { 0 };
	struct tree *tree;
	int err, status;

	options_parse(&options, argc, argv, "FILE",
		      "Says what is wrong with a tree file, and where; starts nothing.");
	err = tree_file_read(options.argument, &tree, &mistakes);
	if (err)
		die_error(-err, "%s", options.argument);
	(options.json ? print_json : print_text)(options.argument, tree,
						 &mistakes);
	status = tree ? STATUS_OK : STATUS_FALSE;
	tree_free(tree);
	mistakes_free(&mistakes);
	return status;
}
