// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A local variable.
// Expect: free: not a block of this allocator or of the C library

#include "tests/fatal/crime.h"

int main(void) {
  int x = 0;
  free(Name(&x));
  return 0;
}
