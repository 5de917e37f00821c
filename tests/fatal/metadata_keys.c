// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The keys of a region's pools: no free may reach them.
// Expect: free: not a live block

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(100));
  const uintptr_t region = (uintptr_t)p & ~(uintptr_t)0xffffff;
  free(Name((void*)(region + 256 * 1024 + 64)));
  return 0;
}
