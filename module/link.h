/* SPDX-License-Identifier: GPL-2.0 */
/*
 * link - two processes that do not outlive each other, and processes that would
 * rather be told.
 */
#ifndef SUP_LINK_H
#define SUP_LINK_H

#include "object.h"

int sup_link_init(void);
void sup_link_exit(void);
int sup_link_create(struct sup_ucmd *ucmd);
int sup_link_unlink(struct sup_ucmd *ucmd);
int sup_link_trap_exit(struct sup_ucmd *ucmd);

#endif
