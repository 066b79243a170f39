/* SPDX-License-Identifier: GPL-2.0 */
/*
 * spec_json - a child spec as the kernel holds it, in the words of a tree file.
 */
#ifndef SUPCTL_SPEC_JSON_H
#define SUPCTL_SPEC_JSON_H

#include <jansson.h>
#include <stdio.h>
#include <supervisor.h>

/* What any child has, and what a process has besides. */
json_t *spec_json(const char *id, const struct sup_child_opts *opts);
/* @registry: the name of the one that it is registered in, or NULL */
json_t *spec_process_json(const char *id, const struct sup_child_opts *opts,
			  const char *registry);

/* Prints an object as a tree file would have it. */
void spec_print(const json_t *object, FILE *to);

#endif
