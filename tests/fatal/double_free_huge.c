// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A mapping of its own: after the first free the addresses are nobody's.
// Expect: free: not a block of this allocator or of the C library

#include "tests/fatal/crime.h"

int main(void) {
  void* p = Name(malloc(100 << 20));
  free(p);
  free(Hidden(p));
  return 0;
}
