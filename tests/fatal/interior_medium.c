// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A class between 512 bytes and 32 KiB, whose run has several pools.
// Expect: free: not the start of a block (interior or unaligned pointer)

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(9000));
  free(Name(p + 4096));
  malloc_trim(0);
  return 0;
}
