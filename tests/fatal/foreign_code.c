// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A function freed: mapped, readable, nobody's block.
// Expect: free: not a block of this allocator or of the C library

#include "tests/fatal/crime.h"

int main(void) {
  free(Name((void*)((uintptr_t)&main & ~(uintptr_t)15)));
  return 0;
}
