// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Allocates a little; secure_test.py runs it with and without privileges.

#include <stdlib.h>

int main(void) {
  free(realloc(malloc(100), 100000));
  return 0;
}
