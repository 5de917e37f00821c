// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// One byte off the start of a small block, grown.
// Expect: realloc: not the start of a block (interior or unaligned pointer)

#include "tests/fatal/crime.h"

int main(void) {
  char* p = Hidden(malloc(100));
  return Hidden(realloc(Name(p + 1), 1000)) == NULL;
}
