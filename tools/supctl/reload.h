/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reload - makes a running tree what its file now says, one call after the
 * other, while the tree goes on: children that the file no longer has are
 * stopped and deleted, new ones started. A child whose spec changed is left as
 * it is, and named, unless it is to be restarted.
 */
#ifndef SUPCTL_RELOAD_H
#define SUPCTL_RELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <supervisor.h>

#include "tree_file.h"

struct reload;

/* @tree is what runs, and becomes the reload's. Answers go to @mailbox. */
struct reload *reload_new(int device, int root, int mailbox, struct tree *tree,
			  bool restart_changed);
void reload_free(struct reload *reload);

/* Plans to become @tree, which becomes the reload's, and begins. */
void reload_begin(struct reload *reload, struct tree *tree);

/* Drops what is planned, and ignores the answer that is still to come. */
void reload_cancel(struct reload *reload);

/* Whether calls are under way or planned. */
bool reload_busy(const struct reload *reload);

/* Every answer from the mailbox: the next call follows. */
void reload_answer(struct reload *reload,
		   const struct supervisor_msg_answer *answer);

/*
 * A nested supervisor has started its children afresh, with those it had when
 * it was created (OTP's rule). @path is below the root. What was reloaded in it
 * is done again.
 */
void reload_restarted(struct reload *reload, const char *path);

#endif
