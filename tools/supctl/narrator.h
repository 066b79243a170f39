/* SPDX-License-Identifier: GPL-2.0 */
/*
 * narrator - what `supctl run` says on stderr of the tree it serves: deaths
 * that nobody asked for, starts that failed, what came back; or everything.
 */
#ifndef SUPCTL_NARRATOR_H
#define SUPCTL_NARRATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <supervisor.h>

struct narrator {
	const char *root;
	bool quiet;
	bool verbose;
	uint64_t *asked;		/* children asked to stop, by id */
	size_t asked_count;
};

void narrator_init(struct narrator *narrator, const char *root, bool quiet,
		   bool verbose);
void narrator_free(struct narrator *narrator);

/* An event or a gap. */
void narrator_message(struct narrator *narrator,
		      const struct supervisor_msg *msg);

/*
 * At which step a start failed. The spawner's thread tells, maybe after the
 * event that the start failed: see struct sup_spawner_opts.
 */
void narrator_failed(void *narrator, const struct supervisor_msg *start,
		     const char *step, int error);

#endif
