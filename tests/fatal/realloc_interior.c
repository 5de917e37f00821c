// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// realloc checks at once.
// Expect: realloc: not the start of a block (interior or unaligned pointer)

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(100));
  free(Hidden(realloc(Name(p + 16), 200)));
  return 0;
}
