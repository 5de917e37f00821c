// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the programs in this folder check with. Each runs with libtally.so preloaded, says on
// stderr what failed, and exits 0 only if nothing did.
//
// EXPECT is no assert: no build setting removes it. Nothing here allocates, so that a failure can
// be reported from inside any situation under test.
//
// Threads: EXPECT may be used from any thread.

#ifndef TESTS_SHIM_EXPECT_H_
#define TESTS_SHIM_EXPECT_H_

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int expect_failures;

// A test in a loop would drown its first failure in the rest.
enum { kExpectFailuresShown = 20 };

__attribute__((unused)) static void ExpectFailed(const char* file, int line, const char* what) {
  const int saved_errno = errno;
  if (__atomic_fetch_add(&expect_failures, 1, __ATOMIC_RELAXED) < kExpectFailuresShown) {
    char text[512];
    int length = snprintf(text, sizeof text, "%s:%d: failed: %s\n", file, line, what);
    if (length > (int)sizeof text - 1) length = (int)sizeof text - 1;
    if (write(STDERR_FILENO, text, (size_t)length) < 0) _exit(3);
  }
  errno = saved_errno;
}

#define EXPECT(condition)                                           \
  do {                                                              \
    if (!(condition)) ExpectFailed(__FILE__, __LINE__, #condition); \
  } while (0)

// Compares as signed 64-bit numbers and prints both.
#define EXPECT_EQ(left, right)                                                 \
  do {                                                                         \
    const long long l_ = (long long)(left), r_ = (long long)(right);           \
    if (l_ != r_) {                                                            \
      char t_[300];                                                            \
      snprintf(t_, sizeof t_, "%s == %s (%lld, %lld)", #left, #right, l_, r_); \
      ExpectFailed(__FILE__, __LINE__, t_);                                    \
    }                                                                          \
  } while (0)

// Left at most right; prints both.
#define EXPECT_LE(left, right)                                                 \
  do {                                                                         \
    const long long l_ = (long long)(left), r_ = (long long)(right);           \
    if (l_ > r_) {                                                             \
      char t_[300];                                                            \
      snprintf(t_, sizeof t_, "%s <= %s (%lld, %lld)", #left, #right, l_, r_); \
      ExpectFailed(__FILE__, __LINE__, t_);                                    \
    }                                                                          \
  } while (0)

// The compiler may neither drop a call whose result goes through here nor reason about it.
__attribute__((unused)) static inline void* Opaque(void* p) {
  __asm__ volatile("" : "+r"(p) : : "memory");
  return p;
}

// A size the compiler does not know, for arguments it would warn of.
__attribute__((unused)) static inline size_t OpaqueSize(size_t n) {
  __asm__ volatile("" : "+r"(n));
  return n;
}

// A test that runs on another allocator proves nothing: refuse. TALLY_TEST_ANY_MALLOC=1 lifts it,
// to try the tests themselves on the C library or a third allocator.
__attribute__((unused)) static void RequireTally(void) {
  Dl_info info;
  void* address = dlsym(RTLD_DEFAULT, "malloc");
  if (getenv("TALLY_TEST_ANY_MALLOC")) return;
  if (!dladdr(address, &info) || !strstr(info.dli_fname, "libtally")) {
    ExpectFailed(__FILE__, __LINE__, "malloc comes from libtally.so");
    _exit(2);
  }
}

__attribute__((unused)) static int ExpectReport(void) {
  const int failures = __atomic_load_n(&expect_failures, __ATOMIC_RELAXED);
  if (failures != 0) fprintf(stderr, "%d checks failed\n", failures);
  return failures != 0;
}

#endif  // TESTS_SHIM_EXPECT_H_
