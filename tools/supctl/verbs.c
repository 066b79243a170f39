// SPDX-License-Identifier: GPL-2.0
/*
 * verbs - finds the verb, or says which there are.
 */
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common.h"

static void usage(const struct verb *verbs, size_t count, const char *notes,
		  const char *before, FILE *to)
{
	int names = 0, args = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if ((int)strlen(verbs[i].name) > names)
			names = strlen(verbs[i].name);
		if ((int)strlen(verbs[i].args) > args)
			args = strlen(verbs[i].args);
	}
	fprintf(to, "Usage: %s VERB [OPTION...] [ARGUMENT...]\n\n", before);
	for (i = 0; i < count; i++)
		fprintf(to, "  %-*s %-*s %s\n", names, verbs[i].name, args,
			verbs[i].args, verbs[i].doc);
	fprintf(to, "\n%s", notes);
}

int verbs_run(const struct verb *verbs, size_t count, const char *notes,
	      int argc, char **argv)
{
	int status;
	size_t i;

	if (argc < 2) {
		usage(verbs, count, notes, argv[0], stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		usage(verbs, count, notes, argv[0], stdout);
		return STATUS_OK;
	}
	for (i = 0; i < count; i++)
		if (!strcmp(argv[1], verbs[i].name)) {
			/* what argp calls the program */
			argv[1] = xasprintf("%s %s", argv[0], verbs[i].name);
			status = verbs[i].run(argc - 1, argv + 1);
			free(argv[1]);
			return status;
		}
	complain("%s: no such verb", argv[1]);
	usage(verbs, count, notes, argv[0], stderr);
	return STATUS_USAGE;
}
