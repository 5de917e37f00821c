// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A local variable grown.
// Expect: realloc: not a block of this allocator or of the C library

#include "tests/fatal/crime.h"

int main(void) {
  char local[64];
  return Hidden(realloc(Name(local), 100)) == NULL;
}
