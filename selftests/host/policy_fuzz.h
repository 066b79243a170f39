/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POLICY_FUZZ_H
#define POLICY_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes);

#endif
