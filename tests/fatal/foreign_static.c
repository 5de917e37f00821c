// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A global variable.
// Expect: free: not a block of this allocator or of the C library

#include "tests/fatal/crime.h"

int main(void) {
  static char bytes[64];
  free(Name(bytes));
  return 0;
}
