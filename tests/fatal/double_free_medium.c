// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A block of several pools.
// Expect: free: double free: the block is already free

#include "tests/fatal/crime.h"

int main(void) {
  void* p = Name(malloc(20000));
  free(p);
  free(Hidden(p));
  malloc_trim(0);
  return 0;
}
