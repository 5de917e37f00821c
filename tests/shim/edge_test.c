// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// glibc's edge semantics, row by row: zero sizes, overflow, alignments, errno, usable sizes.

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/shim/preloaded.h"

// Weak: the C library of the build has none of them; the library under test does.
__attribute__((weak)) void free_sized(void* p, size_t bytes);
__attribute__((weak)) void free_aligned_sized(void* p, size_t alignment, size_t bytes);
__attribute__((weak)) void cfree(void* p);

#ifndef TALLY_TEST_ALIGNMENT
#define TALLY_TEST_ALIGNMENT 16
#endif

static const size_t kTooLarge = (size_t)PTRDIFF_MAX + 1;

static int IsAligned(const void* p, size_t alignment) { return (uintptr_t)p % alignment == 0; }

static void TestZeroSizes(void) {
  void* p = malloc(0);
  void* q = malloc(0);
  EXPECT(p != NULL && q != NULL && p != q);
  free(q);
  errno = 5;
  EXPECT(realloc(p, 0) == NULL && errno == 5);
  p = malloc(10);
  EXPECT(reallocarray(p, 0, 8) == NULL && errno == 5);
  p = malloc(10);
  EXPECT(reallocarray(p, 8, 0) == NULL && errno == 5);
  p = realloc(NULL, 0);
  EXPECT(p != NULL);
  free(p);
  p = calloc(0, 8);
  EXPECT(p != NULL);
  free(p);
  p = memalign(64, 0);
  EXPECT(p != NULL && IsAligned(p, 64));
  free(p);
  free(NULL);
  cfree(NULL);
}

#define EXPECT_NO_MEMORY(call)                       \
  do {                                               \
    errno = 0;                                       \
    EXPECT(Hidden(call) == NULL && errno == ENOMEM); \
  } while (0)

static void TestTooLarge(void) {
  EXPECT_NO_MEMORY(malloc(kTooLarge));
  EXPECT_NO_MEMORY(malloc(SIZE_MAX));
  EXPECT_NO_MEMORY(malloc(SIZE_MAX - 4096));
  EXPECT_NO_MEMORY(malloc(PTRDIFF_MAX));
  EXPECT_NO_MEMORY(calloc(1, kTooLarge));
  EXPECT_NO_MEMORY(calloc(SIZE_MAX / 2, 3));
  EXPECT_NO_MEMORY(calloc(SIZE_MAX, SIZE_MAX));
  EXPECT_NO_MEMORY(aligned_alloc(64, kTooLarge));
  EXPECT_NO_MEMORY(memalign(4096, SIZE_MAX - 10));
  EXPECT_NO_MEMORY(valloc(SIZE_MAX - 10));
  EXPECT_NO_MEMORY(pvalloc(SIZE_MAX - 10));
  char* p = malloc(100);
  memset(p, 7, 100);
  EXPECT_NO_MEMORY(realloc(p, kTooLarge));
  EXPECT_NO_MEMORY(realloc(p, SIZE_MAX));
  EXPECT_NO_MEMORY(reallocarray(p, SIZE_MAX / 2, 3));
  EXPECT(p[0] == 7 && p[99] == 7);
  free(p);
  p = malloc(20 << 20);
  p[0] = 3;
  EXPECT_NO_MEMORY(realloc(p, kTooLarge));
  EXPECT(p[0] == 3);
  free(p);
  void* untouched = &p;
  EXPECT(posix_memalign(&untouched, 64, kTooLarge) == ENOMEM && untouched == (void*)&p);
}

static void TestAlignments(void) {
  // Out of clang 14's sight, which ends on a signal at a constant alignment that is no power of
  // two.
  volatile size_t bad_alignment = 3;
  errno = 0;
  EXPECT(aligned_alloc(bad_alignment, 9) == NULL && errno == EINVAL);
  errno = 0;
  bad_alignment = 0;
  EXPECT(aligned_alloc(bad_alignment, 9) == NULL && errno == EINVAL);
  void* p = aligned_alloc(64, 100);
  EXPECT(p != NULL && IsAligned(p, 64));
  free_aligned_sized(p, 64, 100);
  p = memalign(24, 100);
  EXPECT(p != NULL && IsAligned(p, 32));
  free(p);
  void* untouched = &p;
  errno = 9;
  EXPECT(posix_memalign(&untouched, 3, 8) == EINVAL && untouched == (void*)&p && errno == 9);
  EXPECT(posix_memalign(&untouched, 4, 8) == EINVAL && untouched == (void*)&p && errno == 9);
  EXPECT(posix_memalign(&untouched, 24, 8) == EINVAL && untouched == (void*)&p && errno == 9);
  for (size_t alignment = 8; alignment <= (64 << 20); alignment *= 2) {
    for (size_t bytes = 1; bytes <= 200000; bytes = bytes * 3 + 1) {
      char* block = NULL;
      EXPECT(posix_memalign((void**)&block, alignment, bytes) == 0);
      EXPECT(IsAligned(block, alignment) && malloc_usable_size(block) >= bytes);
      block[0] = 1;
      block[bytes - 1] = 1;
      free(block);
    }
  }
  p = valloc(10);
  EXPECT(IsAligned(p, 4096));
  free(p);
  p = pvalloc(4097);
  EXPECT(IsAligned(p, 4096) && malloc_usable_size(p) >= 8192);
  free(p);
  for (size_t bytes = 9; bytes < 5000; ++bytes) {
    p = malloc(bytes);
    EXPECT(IsAligned(p, TALLY_TEST_ALIGNMENT));
    free(p);
  }
}

static void TestErrnoIsKept(void) {
  static const size_t kSizes[] = {1, 100, 5000, 40000, 1 << 20, 100 << 20};
  for (size_t i = 0; i < sizeof(kSizes) / sizeof(kSizes[0]); ++i) {
    errno = 77;
    char* p = malloc(kSizes[i]);
    EXPECT(p != NULL && errno == 77);
    p[0] = 1;
    p = realloc(p, kSizes[i] * 2);
    EXPECT(p != NULL && p[0] == 1 && errno == 77);
    free(p);
    EXPECT(errno == 77);
    p = calloc(1, kSizes[i]);
    EXPECT(p != NULL && errno == 77);
    free(p);
  }
  malloc_trim(0);
  EXPECT(errno == 77);
}

static void TestUsableSizes(void) {
  EXPECT(malloc_usable_size(NULL) == 0);
  for (size_t bytes = 1; bytes < (48 << 20); bytes += bytes / 7 + 1) {
    char* p = malloc(bytes);
    const size_t usable = malloc_usable_size(p);
    EXPECT(usable >= bytes);
    memset(p, 1, usable);
    EXPECT(malloc_usable_size(p) == usable);
    free_sized(p, bytes);
  }
}

static void TestZeroed(void) {
  for (int round = 0; round < 3; ++round) {
    for (size_t bytes = 1; bytes < (24 << 20); bytes = bytes * 2 + 3) {
      unsigned char* p = calloc(1, bytes);
      size_t sum = 0;
      for (size_t i = 0; i < bytes; ++i) {
        sum += p[i];
      }
      EXPECT(sum == 0);
      memset(p, 0xff, bytes);
      free(p);
    }
    malloc_trim(0);
  }
}

// Every step keeps what both sizes have.
static void TestReallocKeeps(void) {
  static const size_t kSizes[] = {1,       24,     500,    520,     5000,    33000,    60000,
                                  300000,  200000, 900000, 5 << 20, 9 << 20, 40 << 20, 8 << 20,
                                  1 << 20, 400000, 40000,  32768,   700,     16,       70000};
  size_t have = 8;
  unsigned char* p = malloc(have);
  memset(p, 8, have);
  for (size_t i = 0; i < sizeof(kSizes) / sizeof(kSizes[0]); ++i) {
    const unsigned char mark = p[0];
    p = realloc(p, kSizes[i]);
    const size_t kept = have < kSizes[i] ? have : kSizes[i];
    size_t wrong = 0;
    for (size_t at = 0; at < kept; ++at) {
      wrong += p[at] != mark;
    }
    EXPECT(wrong == 0);
    have = kSizes[i];
    memset(p, (int)(i + 1), have);
  }
  free(p);
}

static void TestDoors(void) {
  char* p = malloc(1 << 20);
  struct mallinfo2 before = mallinfo2();
  char* q = malloc(3 << 20);
  struct mallinfo2 after = mallinfo2();
  EXPECT(before.uordblks >= (1 << 20));
  EXPECT(after.uordblks - before.uordblks >= (3 << 20));
  EXPECT(mallinfo().uordblks == (int)after.uordblks);
  EXPECT(mallopt(M_MMAP_THRESHOLD, 100000) == 1);
  free(q);
  free(p);
  EXPECT(malloc_trim(0) == 1);
  char text[20000] = "";
  FILE* memory = fmemopen(text, sizeof(text), "w");
  EXPECT(malloc_info(0, memory) == 0);
  fclose(memory);
  EXPECT(strstr(text, "<malloc version=") == text && strstr(text, "</malloc>") != NULL);
  EXPECT(malloc_info(1, stdout) == EINVAL);
}

int main(void) {
  TestZeroSizes();
  TestTooLarge();
  TestAlignments();
  TestErrnoIsKept();
  TestUsableSizes();
  TestZeroed();
  TestReallocKeeps();
  TestDoors();
  return Finish();
}
