// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A static variable measured.
// Expect: malloc_usable_size: not a block of this allocator or of the C library

#include "tests/fatal/crime.h"

static char variable[64];

int main(void) { return (int)malloc_usable_size(Name(variable)); }
