/* SPDX-License-Identifier: GPL-2.0 */
/*
 * view - a live tree as it is at this moment, read from the kernel, for
 * everything that prints one.
 */
#ifndef SUPCTL_VIEW_H
#define SUPCTL_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <supervisor.h>

#include "target.h"

/* What is to be read. */
struct view_query {
	int device;
	size_t most;			/* so many of a dynamic supervisor's children */
	bool callers;			/* and who asked for each child */
};

struct view {
	char *path;			/* "shop/web/2" */
	const char *id;			/* its end; a dynamic supervisor's child's number */
	bool is_root;
	bool is_supervisor;
	bool is_dynamic_child;		/* its supervisor is dynamic */
	bool complete;			/* a supervisor's own state could be read */
	struct supervisor_status self;	/* of a supervisor */
	struct supervisor_child_status *as_child; /* all 0 for a root */
	char *registry;			/* "/shop", or its number; NULL: in none */
	char *key;			/* which it has there */
	size_t key_length;
	struct sup_lineage *lineage;	/* NULL: not asked for, or not to be had */
	struct view *children;
	size_t count;
	uint64_t total;			/* children, those that were not read included */
	uint64_t more;			/* that were not */
	uint64_t now_ns;
};

/* The tree of this name, at its root's fd; NULL and -errno. */
struct view *view_root(const struct view_query *query, int fd, const char *root,
		       int *err);
/*
 * What a path names, with all below it. NULL: it was said why; *@status is the
 * exit status.
 */
struct view *view_target(const struct view_query *query,
			 const struct target *target, int *status);
void view_free(struct view *view);

/* Whether it runs: a supervisor that is up, a process that has started. */
bool view_runs(const struct view *view);

/* "running", "up (suspended)"...; for free(3). */
char *view_state(const struct view *view);
/*
 * What became of it last: "killed by SIGKILL 3s ago"; of a root that is held, what
 * will. For free(3), or NULL.
 */
char *view_last_exit(const struct view *view);
/* Restarts: by a supervisor of its children, of a process by its supervisor. */
uint64_t view_restarts(const struct view *view);
/* For how long it has been running; false if it is not. */
bool view_uptime(const struct view *view, uint64_t *ns);
int view_pid(const struct view *view);
/* "worker", "supervisor", "dynamic"... */
const char *view_type(const struct view *view);
/* Who asked for it, the last one first: "pid 12; pid 7, front, run 2"; likewise. */
char *view_callers(const struct view *view);

/* A supervisor's strategy and so on. */
void view_put_flags(const struct view *view, json_t *object);
json_t *view_json(const struct view *view);

#endif
