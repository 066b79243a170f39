/* SPDX-License-Identifier: GPL-2.0 */
/*
 * signals - signals as something to poll: through a pipe and not by a mask,
 * which children would inherit.
 */
#ifndef SUPCTL_SIGNALS_H
#define SUPCTL_SIGNALS_H

#include <stddef.h>

/* Catches these from now on; what it returns is readable when there are any. */
int signals_catch(const int *numbers, size_t count);
/* The next one; 0: there is none. */
int signals_next(int fd);

#endif
