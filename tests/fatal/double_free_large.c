// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A run of pools: after the first free nothing is there.
// Expect: free: not a live block

#include "tests/fatal/crime.h"

int main(void) {
  void* p = Name(malloc(100000));
  free(p);
  free(Hidden(p));
  return 0;
}
