/* SPDX-License-Identifier: GPL-2.0 */
/*
 * message_text - a message of a mailbox in words, and as JSON.
 */
#ifndef SUPCTL_MESSAGE_TEXT_H
#define SUPCTL_MESSAGE_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <supervisor.h>

/* Room for any message. */
#define MESSAGE_ROOM SUP_START_SIZE

/* One line on standard output. */
void message_print(const struct supervisor_msg *msg, bool json);

/*
 * What a DOWN or an EXIT says: "exit status 3, reason crash, CPU 12ms, max RSS
 * 3400 KiB"; for free(3).
 */
char *down_words(const struct supervisor_msg_down *down);
/* The members of it. */
void down_put(json_t *object, const struct supervisor_msg_down *down);

#endif
