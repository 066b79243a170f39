// SPDX-License-Identifier: GPL-2.0
/* The program of libFuzzer's around the target FUZZ_TARGET. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes)
{
	FUZZ_TARGET(bytes, nr_bytes);
	return 0;
}
