// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The middle of a mapping.
// Expect: free: not the start of a block (interior or unaligned pointer)

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(100 << 20));
  free(Name(p + (40 << 20)));
  return 0;
}
