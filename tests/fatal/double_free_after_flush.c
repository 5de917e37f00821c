// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The first free has reached the pool's bitmap when the second one comes.
// Expect: free: double free: the block is already free

#include "tests/fatal/crime.h"

int main(void) {
  void* live = Hidden(malloc(48));  // keeps the pool in use
  void* p = Name(malloc(48));
  free(p);
  malloc_trim(0);
  free(Hidden(p));
  malloc_trim(0);
  free(live);
  return 0;
}
