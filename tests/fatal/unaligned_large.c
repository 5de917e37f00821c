// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// One byte off the start of a large block.
// Expect: free: not the start of a block (interior or unaligned pointer)

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(200000));
  free(Name(p + 1));
  return 0;
}
