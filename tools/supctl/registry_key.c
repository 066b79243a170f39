// SPDX-License-Identifier: GPL-2.0
/*
 * registry_key - keys on the command line, and what is wrong with one.
 */
#include "registry_key.h"

#include <errno.h>
#include <string.h>

#include "../common.h"
#include "words.h"

void check_key(const char *key)
{
	if (!*key)
		die(STATUS_USAGE, "'': not a key: it has no bytes");
	if (strlen(key) > SUPERVISOR_KEY_MAX)
		die(STATUS_USAGE, "'%s': more than the %d bytes of a key", key,
		    SUPERVISOR_KEY_MAX);
}

void explain_key(const char *registry, const char *key, int error,
		 const struct sup_result *result)
{
	if (result && result->limit)
		complain_error(error, "%s: limit of %s", registry,
			       word_of(SUP_WORDS_LIMIT, result->limit));
	else if (result && result->max)
		complain("%s: %s: more than %llu bytes", registry, key,
			 (unsigned long long)result->max);
	else if (error == ENOENT)
		complain("%s: %s: nobody has this key", registry, key);
	else if (error == EEXIST && result && result->pid)
		complain("%s: %s: process %d has this key", registry, key,
			 result->pid);
	else if (error == EEXIST)
		complain("%s: %s: this key is kept for a child that is being started",
			 registry, key);
	else
		complain_error(error, "%s%s%s", registry, key ? ": " : "",
			       key ? key : "");
}
