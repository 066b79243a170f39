/* SPDX-License-Identifier: GPL-2.0 */
/*
 * exchange - calls to a mailbox and their replies.
 *
 *	           received            replied
 *	QUEUED ---------------> TAKEN ---------> DONE
 *	   |  <---------------    |                ^
 *	   |    not delivered     |                |
 *	   +----------------------+----------------+
 *	     the owner died, the mailbox was closed,
 *	     the caller gave up or cancelled
 *
 * Each change is made under the mailbox's lock (M), so exactly one of those that
 * want to end a call does. A caller that a signal interrupts takes its call back
 * if it is QUEUED; one that is TAKEN goes on without it, parked, and is found
 * again by its number.
 */
#ifndef SUP_EXCHANGE_H
#define SUP_EXCHANGE_H

#include <linux/types.h>

struct file;
struct sup_mailbox;
struct sup_ucmd;

int sup_exchange_call(struct sup_ucmd *ucmd);
int sup_exchange_reply(struct sup_ucmd *ucmd);
int sup_exchange_reply_recv(struct sup_ucmd *ucmd);
int sup_exchange_start(struct sup_ucmd *ucmd);
int sup_exchange_cancel(struct sup_ucmd *ucmd);

void sup_exchange_prepare(struct sup_mailbox *mailbox);
void sup_exchange_fail_all(struct sup_mailbox *mailbox, bool queued);
void sup_exchange_forget_parked(struct sup_mailbox *mailbox, struct file *file);
void sup_exchange_forget_started(struct sup_mailbox *mailbox);

int sup_exchange_init(void);
void sup_exchange_exit(void);

#endif
