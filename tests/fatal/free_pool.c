// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A part of a region that was never used.
// Expect: free: not a live block

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(100));
  const uintptr_t region = (uintptr_t)p & ~(uintptr_t)0xffffff;
  free(Name((void*)(region + (12 << 20))));
  return 0;
}
