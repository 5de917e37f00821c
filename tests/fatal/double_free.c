// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The same block twice in a row: seen at once.
// Expect: free: double free: the block is already free

#include "tests/fatal/crime.h"

int main(void) {
  void* p = Name(malloc(100));
  free(p);
  free(Hidden(p));
  return 0;
}
