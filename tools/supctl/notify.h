/* SPDX-License-Identifier: GPL-2.0 */
/*
 * notify - tells whoever started supctl how it is, as sd_notify(3) does.
 */
#ifndef SUPCTL_NOTIFY_H
#define SUPCTL_NOTIFY_H

/* "READY=1" and the like; nothing happens where nobody listens. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
