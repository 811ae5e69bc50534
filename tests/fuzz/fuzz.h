/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer, or alone.c in its place, calls with one input; 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
