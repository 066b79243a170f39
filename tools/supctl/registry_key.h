/* SPDX-License-Identifier: GPL-2.0 */
/*
 * registry_key - keys on the command line, and what is wrong with one.
 */
#ifndef SUPCTL_REGISTRY_KEY_H
#define SUPCTL_REGISTRY_KEY_H

#include <supervisor.h>

/* Does not return if @key can be no entry's. */
void check_key(const char *key);

/* Says what an errno means for a key; @result may be NULL. */
void explain_key(const char *registry, const char *key, int error,
		 const struct sup_result *result);

#endif
