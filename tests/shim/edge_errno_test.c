// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What each entry point answers to arguments at the edge, errno included: glibc's answers, and
// where its versions differ, the newest one's.

#include <malloc.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

// A value no call sets: "errno untouched" means that it still stands.
enum { kUntouched = 12345 };

static void ZeroSizes(void) {
  errno = kUntouched;
  void* a = Opaque(malloc(OpaqueSize(0)));
  void* b = Opaque(malloc(OpaqueSize(0)));
  EXPECT(a != NULL && b != NULL && a != b);
  EXPECT_EQ(errno, kUntouched);
  free(a);
  free(b);
  void* others[] = {calloc(OpaqueSize(0), 8),     calloc(8, OpaqueSize(0)),
                    realloc(NULL, OpaqueSize(0)), reallocarray(NULL, OpaqueSize(0), 8),
                    memalign(64, OpaqueSize(0)),  aligned_alloc(64, OpaqueSize(0)),
                    valloc(OpaqueSize(0))};
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
    EXPECT(Opaque(others[i]) != NULL);
    for (size_t j = 0; j < i; ++j) EXPECT(others[i] != others[j]);
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i) free(others[i]);
  EXPECT_EQ(errno, kUntouched);
}

static void ReallocToZeroFrees(void) {
  static const size_t kSizes[] = {1, 24, 512, 1000, 5000, 40000, 300000, 5000000, 80000000};
  for (size_t i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
    errno = kUntouched;
    EXPECT(Opaque(realloc(malloc(kSizes[i]), OpaqueSize(0))) == NULL);
    EXPECT(Opaque(reallocarray(malloc(kSizes[i]), OpaqueSize(0), 8)) == NULL);
    EXPECT(Opaque(reallocarray(malloc(kSizes[i]), 8, OpaqueSize(0))) == NULL);
    EXPECT_EQ(errno, kUntouched);
  }
  // That they are freed shows in what the process keeps.
  const long before = ResidentBytes();
  for (int i = 0; i < 100000; ++i) {
    char* p = malloc(1000);
    *(volatile char*)p = 1;
    EXPECT(Opaque(realloc(p, OpaqueSize(0))) == NULL);
  }
  EXPECT_LE(ResidentBytes() - before, 20L << 20);
  const long mapped = MappedBytes();
  for (int i = 0; i < 1000; ++i) EXPECT(Opaque(realloc(malloc(3 << 20), OpaqueSize(0))) == NULL);
  EXPECT_LE(MappedBytes() - mapped, 500L << 20);
}

// Every entry point refuses `n` bytes with ENOMEM and leaves what it was given alone.
static void TooLarge(size_t n) {
  char* old = malloc(100);
  FillPattern(old, 100, 7);
#define EXPECT_ENOMEM(call)       \
  do {                            \
    errno = 0;                    \
    EXPECT(Opaque(call) == NULL); \
    EXPECT_EQ(errno, ENOMEM);     \
  } while (0)
  EXPECT_ENOMEM(malloc(OpaqueSize(n)));
  EXPECT_ENOMEM(calloc(1, OpaqueSize(n)));
  EXPECT_ENOMEM(calloc(OpaqueSize(n), 1));
  EXPECT_ENOMEM(calloc(OpaqueSize(n / 2 + 1), 2));
  EXPECT_ENOMEM(realloc(NULL, OpaqueSize(n)));
  EXPECT_ENOMEM(realloc(old, OpaqueSize(n)));
  EXPECT_ENOMEM(reallocarray(NULL, 1, OpaqueSize(n)));
  EXPECT_ENOMEM(reallocarray(old, OpaqueSize(n), 1));
  EXPECT_ENOMEM(aligned_alloc(16, OpaqueSize(n)));
  EXPECT_ENOMEM(aligned_alloc(64, OpaqueSize(n)));
  EXPECT_ENOMEM(memalign(8, OpaqueSize(n)));
  EXPECT_ENOMEM(memalign(4096, OpaqueSize(n)));
  EXPECT_ENOMEM(memalign(1 << 20, OpaqueSize(n)));
  EXPECT_ENOMEM(valloc(OpaqueSize(n)));
  EXPECT_ENOMEM(pvalloc(OpaqueSize(n)));
#undef EXPECT_ENOMEM
  void* p = old;
  EXPECT_EQ(posix_memalign(&p, 64, OpaqueSize(n)), ENOMEM);
  EXPECT(p == old);
  EXPECT(HasPattern(old, 100, 7));
  free(old);
}

static void TooLargeSizes(void) {
  TooLarge((size_t)PTRDIFF_MAX + 1);
  TooLarge((size_t)PTRDIFF_MAX + 4096);
  TooLarge(SIZE_MAX - 4096);
  for (size_t less = 0; less < 40; ++less) TooLarge(SIZE_MAX - less);
  // More than any address space, though a legal size.
  TooLarge(PTRDIFF_MAX);
  TooLarge((size_t)PTRDIFF_MAX - 8192);
  TooLarge((size_t)1 << 60);
}

// A product that wraps to something small is the classic hole.
static void ArrayOverflow(void) {
  static const size_t kPairs[][2] = {{SIZE_MAX, 2},          {2, SIZE_MAX},
                                     {SIZE_MAX, SIZE_MAX},   {SIZE_MAX / 2 + 1, 2},
                                     {3, SIZE_MAX / 3 + 1},  {(size_t)1 << 32, (size_t)1 << 32},
                                     {16, SIZE_MAX / 16 + 2}};
  for (size_t i = 0; i < sizeof kPairs / sizeof *kPairs; ++i) {
    const size_t n = OpaqueSize(kPairs[i][0]), size = OpaqueSize(kPairs[i][1]);
    errno = 0;
    EXPECT(Opaque(calloc(n, size)) == NULL);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT(Opaque(reallocarray(NULL, n, size)) == NULL);
    EXPECT_EQ(errno, ENOMEM);
    char* old = malloc(64);
    FillPattern(old, 64, i);
    errno = 0;
    EXPECT(Opaque(reallocarray(old, n, size)) == NULL);
    EXPECT_EQ(errno, ENOMEM);
    EXPECT(HasPattern(old, 64, i));
    free(old);
  }
}

static void AlignmentArguments(void) {
  static const size_t kBad[] = {3, 5, 6, 9, 24, 48, 100, 4095, 4097};
  for (size_t i = 0; i < sizeof kBad / sizeof *kBad; ++i) {
    errno = 0;
    EXPECT(Opaque(aligned_alloc(OpaqueSize(kBad[i]), 9)) == NULL);
    EXPECT_EQ(errno, EINVAL);
  }
  errno = kUntouched;
  void* p = Opaque(aligned_alloc(64, OpaqueSize(100)));  // Not a multiple: allowed.
  EXPECT(p != NULL && (uintptr_t)p % 64 == 0);
  EXPECT_EQ(errno, kUntouched);
  free(p);
  static const size_t kRounded[][2] = {{24, 32}, {3, 4}, {48, 64}, {100, 128}, {5000, 8192}};
  for (size_t i = 0; i < sizeof kRounded / sizeof *kRounded; ++i) {
    for (size_t size = 1; size < 10000; size = size * 3 + 1) {
      p = Opaque(memalign(OpaqueSize(kRounded[i][0]), size));
      EXPECT(p != NULL && (uintptr_t)p % kRounded[i][1] == 0);
      free(p);
    }
  }
  p = Opaque(memalign(OpaqueSize(0), 10));
  EXPECT(p != NULL);
  free(p);
  errno = 0;
  EXPECT(Opaque(memalign(OpaqueSize(SIZE_MAX / 2 + 2), 10)) == NULL);  // Nothing to round up to.
  EXPECT_EQ(errno, EINVAL);
  errno = 0;
  EXPECT(Opaque(memalign(OpaqueSize(SIZE_MAX / 2 + 1), 10)) == NULL);  // A power of two: too large.
  EXPECT(errno == ENOMEM || errno == EINVAL);
}

static void PosixMemalignArguments(void) {
  static const size_t kBad[] = {0, 1, 2, 3, 4, 7, 9, 12, 24, 40, 4097, SIZE_MAX};
  for (size_t i = 0; i < sizeof kBad / sizeof *kBad; ++i) {
    void* p = &expect_failures;
    errno = kUntouched;
    EXPECT_EQ(posix_memalign(&p, OpaqueSize(kBad[i]), 100), EINVAL);
    EXPECT(p == &expect_failures);
    EXPECT_EQ(errno, kUntouched);
  }
  for (size_t alignment = 8; alignment <= 1 << 22; alignment *= 2) {
    void* p = NULL;
    errno = kUntouched;
    EXPECT_EQ(posix_memalign(&p, alignment, 100), 0);
    EXPECT(p != NULL && (uintptr_t)p % alignment == 0);
    free(p);
    EXPECT_EQ(posix_memalign(&p, alignment, OpaqueSize(0)), 0);
    free(p);
    EXPECT_EQ(errno, kUntouched);
  }
}

static void SuccessLeavesErrno(void) {
  for (size_t size = 1; size < (size_t)200 << 20; size = size * 3 / 2 + 1) {
    errno = kUntouched;
    void* p = Opaque(malloc(size));
    EXPECT(p != NULL);
    EXPECT_EQ(errno, kUntouched);
    p = Opaque(realloc(p, size + size / 2));
    EXPECT(p != NULL);
    EXPECT_EQ(errno, kUntouched);
    free(p);
    EXPECT_EQ(errno, kUntouched);
    p = Opaque(calloc(1, size));
    EXPECT_EQ(errno, kUntouched);
    free(p);
    EXPECT_EQ(errno, kUntouched);
    p = Opaque(memalign(8192, size));
    EXPECT_EQ(errno, kUntouched);
    free(p);
    EXPECT_EQ(errno, kUntouched);
  }
  errno = kUntouched;
  free(NULL);
  EXPECT_EQ(errno, kUntouched);
  errno = 0;  // Zero too: a library that restores a stale value would show here.
  for (int i = 0; i < 100000; ++i) free(Opaque(malloc((size_t)i % 3000)));
  EXPECT_EQ(errno, 0);
}

int main(void) {
  RequireTally();
  ZeroSizes();
  ReallocToZeroFrees();
  TooLargeSizes();
  ArrayOverflow();
  AlignmentArguments();
  PosixMemalignArguments();
  SuccessLeavesErrno();
  return ExpectReport();
}
