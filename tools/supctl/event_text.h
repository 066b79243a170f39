/* SPDX-License-Identifier: GPL-2.0 */
/*
 * event_text - an event of a tree in words, and as JSON.
 */
#ifndef SUPCTL_EVENT_TEXT_H
#define SUPCTL_EVENT_TEXT_H

#include <jansson.h>
#include <supervisor.h>

/* "shop/web/2": whom the message is about; for free(3). */
char *event_path(const char *root, const struct supervisor_msg *msg);

/* "started, pid 12, run 2", "exited: killed by SIGKILL"...; for free(3). */
char *event_words(const struct supervisor_msg *msg);

/* Of an event, a crash report or a gap. */
json_t *event_json(const char *root, const struct supervisor_msg *msg);

#endif
