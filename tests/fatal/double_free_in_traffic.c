// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// In the middle of ordinary traffic.
// Expect: free: double free: the block is already free

#include "tests/fatal/crime.h"

int main(void) {
  void* blocks[4000];
  for (int i = 0; i < 4000; ++i) {
    blocks[i] = Hidden(malloc(64));
  }
  Name(blocks[7]);
  free(blocks[7]);
  for (int i = 0; i < 4000; ++i) {
    free(Hidden(blocks[i]));
  }
  malloc_trim(0);
  return 0;
}
