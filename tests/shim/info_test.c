// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The standard doors to the books, and the names a link library of today does not offer: what they
// say moves with the program, and memory really goes back.

#include <malloc.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

static void MallinfoFollows(void) {
  enum { kCount = 2000, kSize = 1000 };
  static void* held[kCount];
  void* first = Opaque(malloc(100));
  const struct mallinfo2 before = mallinfo2();
  EXPECT(before.uordblks + before.hblkhd > 0);
  for (int i = 0; i < kCount; ++i) held[i] = Opaque(malloc(kSize));
  const struct mallinfo2 during = mallinfo2();
  const size_t grown = during.uordblks - before.uordblks;
  EXPECT_LE((size_t)kCount * kSize, grown + 4096);
  EXPECT_LE(grown, (size_t)kCount * kSize * 5 / 4 + 65536);
  EXPECT_LE(during.uordblks, during.arena + during.hblkhd);
  void* large = Opaque(malloc((size_t)64 << 20));
  const struct mallinfo2 with_large = mallinfo2();
  EXPECT_LE(during.uordblks + ((size_t)64 << 20), with_large.uordblks + with_large.hblkhd);
  free(large);
  for (int i = 0; i < kCount; ++i) free(held[i]);
  free(first);
  const struct mallinfo2 after = mallinfo2();
  EXPECT_LE(after.uordblks, before.uordblks + 65536);
}

static void TrimReturnsMemory(void) {
  enum { kCount = 100000, kSize = 500 };
  void** held = malloc(kCount * sizeof *held);
  for (int i = 0; i < kCount; ++i) held[i] = memset(malloc(kSize), 1, kSize);
  const long peak = ResidentBytes();
  for (int i = 0; i < kCount; ++i) free(held[i]);
  free(held);
  EXPECT_EQ(malloc_trim(0), 1);
  EXPECT_LE(ResidentBytes(), peak - (long)kCount * kSize * 9 / 10);
}

// malloc_stats writes to stderr: read it back through a pipe. Nothing deleted a size here, and what
// realloc leaves in place or gives room to is freed by the size that was asked for.
static void StatsAreWritten(void) {
  void (*by_free_sized)(void*, size_t) = NULL;
  *(void**)&by_free_sized = dlsym(RTLD_DEFAULT, "free_sized");
  EXPECT(by_free_sized != NULL);
  if (!by_free_sized) return;
  by_free_sized(realloc(malloc(1000), 600), 600);
  by_free_sized(realloc(malloc(600), 610), 610);
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const int saved = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  malloc_stats();
  dup2(saved, STDERR_FILENO);
  close(ends[1]);
  close(saved);
  static char text[65536];
  EXPECT(read(ends[0], text, sizeof text - 1) > 20);
  EXPECT(strstr(text, "sized deletes that did not match: 0\n") != NULL);
  close(ends[0]);
}

static void NamesByAddress(void) {
  void (*by_cfree)(void*) = NULL;
  void (*by_free_sized)(void*, size_t) = NULL;
  void (*by_free_aligned_sized)(void*, size_t, size_t) = NULL;
  size_t (*nallocx)(size_t, int) = NULL;
  *(void**)&by_cfree = dlsym(RTLD_DEFAULT, "cfree");
  *(void**)&by_free_sized = dlsym(RTLD_DEFAULT, "free_sized");
  *(void**)&by_free_aligned_sized = dlsym(RTLD_DEFAULT, "free_aligned_sized");
  *(void**)&nallocx = dlsym(RTLD_DEFAULT, "nallocx");
  EXPECT(by_cfree && by_free_sized && by_free_aligned_sized && nallocx);
  if (!by_cfree || !by_free_sized || !by_free_aligned_sized || !nallocx) return;
  for (size_t size = 1; size < 3000000; size = size * 2 + 1) {
    void* p = malloc(size);
    EXPECT_EQ(nallocx(size, 0), malloc_usable_size(p));
    free(p);
  }
  const long before = ResidentBytes();
  errno = 12345;
  for (int i = 0; i < 300000; ++i) {
    const size_t size = 1 + (size_t)i % 2000;
    by_free_sized(memset(malloc(size), 1, size), size);
    by_free_aligned_sized(memset(aligned_alloc(64, size), 1, size), 64, size);
    by_cfree(memset(malloc(size), 1, size));
  }
  by_free_sized(malloc(5 << 20), 5 << 20);
  by_free_sized(NULL, 0);
  by_free_aligned_sized(NULL, 64, 0);
  by_cfree(NULL);
  EXPECT_EQ(errno, 12345);
  EXPECT_LE(ResidentBytes() - before, 20L << 20);
}

int main(void) {
  RequireTally();
  MallinfoFollows();
  TrimReturnsMemory();
  StatsAreWritten();
  NamesByAddress();
  return ExpectReport();
}
