// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// An address that no user memory has.
// Expect: free: not a block of this allocator or of the C library

#include "tests/fatal/crime.h"

int main(void) {
  free(Name((void*)(uintptr_t)0xdeadbeefdeadbee0));
  return 0;
}
