// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Blocks are whole, aligned, their owner's alone: usable sizes, alignment, realloc over every size
// boundary, calloc on memory that was dirtied.

#include <malloc.h>
#include <stddef.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

// Odd neighbours of every boundary a size class table may have.
static size_t NextSize(size_t size) {
  if (size < 2100) return size + 1;
  if (size < 70000) return size + 61;
  return size + size / 7 + 13;
}

static void UsableSizes(void) {
  EXPECT_EQ(malloc_usable_size(NULL), 0);
  for (size_t size = 0; size < (size_t)40 << 20; size = NextSize(size)) {
    char* p = Opaque(malloc(size));
    const size_t usable = malloc_usable_size(p);
    EXPECT(usable >= size);
    // Programs write all of it.
    memset(p, 0x5A, usable);
    char* neighbour = Opaque(malloc(size));
    memset(neighbour, 0xA5, malloc_usable_size(neighbour));
    EXPECT_EQ(malloc_usable_size(p), usable);
    if (usable != 0) EXPECT(p[0] == 0x5A && p[usable - 1] == 0x5A && p[usable / 2] == 0x5A);
    free(neighbour);
    EXPECT_EQ(malloc_usable_size(p), usable);
    free(p);
  }
  // Rounding is bounded: no class may waste more than an eighth and a page.
  for (size_t size = 520; size < (size_t)8 << 20; size = size * 5 / 4) {
    void* p = Opaque(malloc(size));
    EXPECT_LE(malloc_usable_size(p), size + size / 8 + 4096);
    free(p);
  }
}

static void MallocAlignment(void) {
  enum { kHeld = 64 };
  static void* held[kHeld];
  for (size_t size = 0; size < 5000; ++size) {
    void* p = Opaque(malloc(size));
    void* q = Opaque(calloc(1, size));
    // C asks for the alignment of any object that fits.
    const size_t wanted = size > 8 ? 16 : size == 8 ? 8 : 1;
    EXPECT_EQ((uintptr_t)p % wanted, 0);
    EXPECT_EQ((uintptr_t)q % wanted, 0);
    free(q);
    q = Opaque(realloc(p, size + 40));
    EXPECT_EQ((uintptr_t)q % 16, 0);
    free(held[size % kHeld]);
    held[size % kHeld] = q;
  }
  for (int i = 0; i < kHeld; ++i) free(held[i]);
}

// Alignments in steps of two up to 64 MB, at odd sizes, several held at once.
static void Alignments(void) {
  static const size_t kSizes[] = {1, 7, 24, 100, 513, 1025, 4097, 33333, 262145, 1048577};
  for (size_t alignment = 1; alignment <= (size_t)64 << 20; alignment *= 2) {
    char* held[3 * (sizeof kSizes / sizeof *kSizes)];
    size_t count = 0;
    for (size_t i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
      const size_t size = kSizes[i];
      void* p = NULL;
      held[count++] = Opaque(memalign(alignment, size));
      held[count++] = Opaque(aligned_alloc(alignment, size));
      if (alignment >= sizeof(void*)) EXPECT_EQ(posix_memalign(&p, alignment, size), 0);
      if (p == NULL) p = Opaque(malloc(size));
      held[count++] = p;
      for (size_t j = count - 3; j < count; ++j) {
        EXPECT(held[j] != NULL);
        EXPECT_EQ((uintptr_t)held[j] % (j == count - 1 && alignment < 8 ? 1 : alignment), 0);
        EXPECT(malloc_usable_size(held[j]) >= size);
        FillPattern(held[j], size, j);
      }
    }
    for (size_t j = 0; j < count; ++j) {
      const size_t size = kSizes[j / 3];
      EXPECT(HasPattern(held[j], size, j));
      if (j % 2) {  // realloc of an aligned block keeps its content.
        held[j] = Opaque(realloc(held[j], size * 2));
        EXPECT(held[j] != NULL && HasPattern(held[j], size, j));
      }
      free(held[j]);
    }
  }
}

static void PageEntryPoints(void) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t size = 0; size < 70000; size = size * 2 + 1) {
    char* p = Opaque(valloc(size));
    EXPECT(p != NULL && (uintptr_t)p % page == 0 && malloc_usable_size(p) >= size);
    free(p);
    p = Opaque(pvalloc(size));
    const size_t rounded = (size + page - 1) / page * page;
    EXPECT(p != NULL && (uintptr_t)p % page == 0 && malloc_usable_size(p) >= rounded);
    memset(p, 1, rounded);
    free(p);
  }
}

static void ReallocKeepsContent(void) {
  char* p = NULL;
  size_t old = 0;
  for (size_t size = 1; size < (size_t)100 << 20; size = NextSize(size)) {
    p = Opaque(realloc(p, size));
    EXPECT(p != NULL && HasPattern(p, old, 42));
    // The pattern depends on position alone: only what is new needs writing.
    for (size_t i = old; i < size; ++i) p[i] = (char)PatternByte(42, i);
    old = size;
  }
  while (old > 1) {
    old = old - old / 9 - 1;
    p = Opaque(realloc(p, old));
    EXPECT(p != NULL && HasPattern(p, old < 100000 ? old : 100000, 42));
    EXPECT(HasPattern(p + old - 1, 0, 0) && (unsigned char)p[old - 1] == PatternByte(42, old - 1));
    EXPECT(malloc_usable_size(p) >= old);
  }
  free(p);
}

// From every kind of block to every other kind.
static void ReallocBetweenKinds(void) {
  static const size_t kSizes[] = {
      1,       8,     9,     24,     512,    513,    1024,    3000,    4096,     9000,
      32768,   32769, 65536, 262144, 262145, 700000, 1 << 20, 3 << 20, 16 << 20, (16 << 20) + 1,
      40 << 20};
  enum { kCount = sizeof kSizes / sizeof *kSizes };
  for (int i = 0; i < kCount; ++i) {
    for (int j = 0; j < kCount; ++j) {
      const size_t kept = kSizes[i] < kSizes[j] ? kSizes[i] : kSizes[j];
      const size_t tail = kept < 5000 ? 0 : kept - 5000;
      char* p = Opaque(malloc(kSizes[i]));
      FillPattern(p, kept < 5000 ? kept : 5000, 9);
      FillPattern(p + tail, kept - tail, 10);
      const int overlap = kept < 10000;
      p = Opaque(realloc(p, kSizes[j]));
      EXPECT(p != NULL && HasPattern(p + tail, kept - tail, 10));
      if (!overlap) EXPECT(HasPattern(p, 5000, 9));
      p[kSizes[j] - 1] = 1;
      EXPECT(malloc_usable_size(p) >= kSizes[j]);
      free(p);
    }
  }
}

static void CallocIsZero(void) {
  enum { kHeld = 8 };
  for (int round = 0; round < 2; ++round) {
    for (size_t size = 1; size < (size_t)40 << 20; size = NextSize(size)) {
      if (size > 2100 && size < 70000 && round == 1) size += 1000;
      char* dirty[kHeld];
      const int count = size < 100000 ? kHeld : 1;
      for (int i = 0; i < count; ++i) {
        dirty[i] = Opaque(malloc(size));
        memset(dirty[i], 0xFF, malloc_usable_size(dirty[i]));
      }
      for (int i = 0; i < count; ++i) free(dirty[i]);
      if (round == 1 && size % 16 == 0) malloc_trim(0);
      for (int i = 0; i < count; ++i) {
        dirty[i] = Opaque(calloc(1 + (size_t)i, size / (1 + (size_t)i)));
        EXPECT(IsZero(dirty[i], size / (1 + (size_t)i) * (1 + (size_t)i)));
        memset(dirty[i], 0xFF, size / (1 + (size_t)i));
      }
      for (int i = 0; i < count; ++i) free(dirty[i]);
    }
  }
}

int main(void) {
  RequireTally();
  UsableSizes();
  MallocAlignment();
  Alignments();
  PageEntryPoints();
  ReallocKeepsContent();
  ReallocBetweenKinds();
  CallocIsZero();
  return ExpectReport();
}
