// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Another free between the two: seen when the magazine is flushed.
// Expect: free: double free: the block is already free

#include "tests/fatal/crime.h"

int main(void) {
  void* p = Name(malloc(100));
  void* q = Hidden(malloc(100));
  free(p);
  free(q);
  free(Hidden(p));
  malloc_trim(0);
  return 0;
}
