// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// realloc of a global variable.
// Expect: realloc: not a block of this allocator or of the C library

#include "tests/fatal/crime.h"

int main(void) {
  static char bytes[64];
  free(Hidden(realloc(Name(bytes), 200)));
  return 0;
}
