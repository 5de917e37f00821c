// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// EXPECT for programs that run under the preloaded library: no framework, so that nothing but the
// test allocates. A failure is printed and counted; Finish() is the exit status.

#ifndef TESTS_SHIM_PRELOADED_H_
#define TESTS_SHIM_PRELOADED_H_

#include <stdio.h>

static int expect_failures = 0;

#define EXPECT(condition)                                                     \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: EXPECT(%s)\n", __FILE__, __LINE__, #condition); \
      ++expect_failures;                                                      \
    }                                                                         \
  } while (0)

// Out of the compiler's sight.
static inline void* Hidden(void* p) {
  __asm__ volatile("" : "+r"(p));
  return p;
}

static inline int Finish(void) {
  if (expect_failures == 0) {
    puts("ok");
  }
  return expect_failures == 0 ? 0 : 1;
}

#endif  // TESTS_SHIM_PRELOADED_H_
