// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The middle of a small block.
// Expect: free: not the start of a block (interior or unaligned pointer)

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(100));
  free(Name(p + 16));
  malloc_trim(0);
  return 0;
}
