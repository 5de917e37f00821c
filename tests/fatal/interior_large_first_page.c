// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The first pool of a run, but not its first byte.
// Expect: free: not the start of a block (interior or unaligned pointer)

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(100000));
  free(Name(p + 64));
  return 0;
}
