// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * blob_fuzz.c - any bytes: what decodes must encode, to a command that decodes
 * and encodes to the same. For libFuzzer.
 */
#include <stdlib.h>
#include <string.h>
#include "../internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sup_command *command, *copy;
	size_t first_len, second_len;
	void *first, *second;

	if (sup_command_decode(bytes, len, &command))
		return 0;
	if (sup_command_encode(command, &first, &first_len) ||
	    sup_command_decode(first, first_len, &copy) ||
	    sup_command_encode(copy, &second, &second_len) ||
	    first_len != second_len || memcmp(first, second, first_len))
		abort();
	free(first);
	free(second);
	sup_command_free(command);
	sup_command_free(copy);
	return 0;
}
