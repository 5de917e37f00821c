// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// malloc_usable_size checks at once.
// Expect: malloc_usable_size: not the start of a block (interior or unaligned pointer)

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(100));
  return (int)malloc_usable_size(Name(p + 8));
  return 0;
}
