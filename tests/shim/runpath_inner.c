// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Lies where only runpath_outer's own run path leads; see runpath_test.c.

#include <stdlib.h>

__attribute__((visibility("default"))) void* InnerAllocate(size_t size) { return malloc(size); }
