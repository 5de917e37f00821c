// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Crimes against the heap, through the facade: each ends the program with its own line.

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "allocator/allocator.h"

namespace tally {
namespace {

// The whole line for `p`, as a regular expression.
std::string Line(const char* call, const void* p, const char* what) {
  char text[200];
  snprintf(text, sizeof(text), "tally: %s\\(%p\\): ", call, p);
  std::string line = text;
  for (const char* at = what; *at != '\0'; ++at) {
    line += *at == '(' || *at == ')' ? std::string("\\") + *at : std::string(1, *at);
  }
  return line;
}

void FreeManyOfItsClass(size_t bytes) {
  void* blocks[2000];
  for (void*& block : blocks) {
    block = Allocate(bytes);
  }
  for (void* block : blocks) {
    Free(block);
  }
}

constexpr size_t kSizes[] = {16, 500, 5000, 32768, 100000, 20 << 20};

TEST(CrimesDeathTest, DoubleFree) {
  for (const size_t bytes : {16u, 500u, 5000u, 32768u}) {
    void* p = Allocate(bytes);
    Free(p);
    EXPECT_DEATH(Free(p), Line("free", p, kDoubleFree));
  }
}

TEST(CrimesDeathTest, DoubleFreeOfALargeBlock) {
  void* p = Allocate(100000);
  Free(p);
  EXPECT_DEATH(Free(p), Line("free", p, kNotLive));
}

TEST(CrimesDeathTest, DoubleFreeOfAHugeBlock) {
  void* p = Allocate(20 << 20);
  Free(p);
  EXPECT_DEATH(Free(p), Line("free", p, kForeign));
}

TEST(CrimesDeathTest, DoubleFreeWithOthersBetween) {
  void* keep = Allocate(48);
  void* p = Allocate(48);
  Free(p);
  Free(keep);
  EXPECT_DEATH((Free(p), Trim()), Line("free", p, kDoubleFree));
}

TEST(CrimesDeathTest, DoubleFreeAfterTrim) {
  for (const size_t bytes : {16u, 500u, 5000u}) {
    void* keep = Allocate(bytes);
    void* p = Allocate(bytes);
    Free(p);
    Trim();
    EXPECT_DEATH((Free(p), Trim()), Line("free", p, kDoubleFree));
    Free(keep);
  }
}

TEST(CrimesDeathTest, InteriorPointers) {
  for (const size_t bytes : kSizes) {
    auto* p = static_cast<char*>(Allocate(bytes));
    EXPECT_DEATH((Free(p + 8), FreeManyOfItsClass(bytes > 32768 ? 16 : bytes), Trim()),
                 Line("free", p + 8, kNotBlockStart));
    EXPECT_DEATH(Reallocate(p + 8, 100), Line("realloc", p + 8, kNotBlockStart));
    EXPECT_DEATH(UsableSize(p + 8), Line("malloc_usable_size", p + 8, kNotBlockStart));
    Free(p);
  }
}

TEST(CrimesDeathTest, InnerPagesOfLargerBlocks) {
  for (const size_t bytes : {size_t{100000}, size_t{40} << 20}) {
    auto* p = static_cast<char*>(Allocate(bytes));
    char* inner = p + bytes / 2 / 4096 * 4096;
    EXPECT_DEATH(Free(inner), Line("free", inner, kNotBlockStart));
    Free(p);
  }
}

TEST(CrimesDeathTest, ForeignPointers) {
  int foreign = 0;
  EXPECT_DEATH(Free(&foreign), Line("free", &foreign, kForeign));
  EXPECT_DEATH(FreeSized(&foreign, 4), Line("free", &foreign, kForeign));
  EXPECT_DEATH(Reallocate(&foreign, 4), Line("realloc", &foreign, kForeign));
  EXPECT_DEATH(UsableSize(&foreign), Line("malloc_usable_size", &foreign, kForeign));
  auto* wild = reinterpret_cast<void*>(uintptr_t{0xdeadbeef00000000});
  EXPECT_DEATH(Free(wild), Line("free", wild, kForeign));
}

TEST(CrimesDeathTest, PoolsThatNobodyHolds) {
  char* p = static_cast<char*>(Allocate(16));
  char* region = reinterpret_cast<char*>(Region::Of(p));
  char* last = region + kRegionBytes - 4096;
  EXPECT_DEATH(Free(region), Line("free", region, kNotLive));
  EXPECT_DEATH(Free(last), Line("free", last, kNotLive));
  EXPECT_DEATH(Reallocate(last, 1), Line("realloc", last, kNotLive));
  EXPECT_DEATH(UsableSize(last), Line("malloc_usable_size", last, kNotLive));
  Free(p);
}

TEST(CrimesDeathTest, UseOfAFreedLargeBlock) {
  void* p = Allocate(100000);
  Free(p);
  EXPECT_DEATH(Reallocate(p, 200000), Line("realloc", p, kNotLive));
  EXPECT_DEATH(UsableSize(p), Line("malloc_usable_size", p, kNotLive));
}

TEST(CrimesDeathTest, ThePlaceOfAnInternalErrorIsNamed) {
  EXPECT_DEATH(CHECK(1 + 1 == 3), "tally: internal error at .*crimes_test.cc:[0-9]+: 1 \\+ 1 == 3");
  EXPECT_DEATH(FatalOs("mmap", 22), "tally: mmap failed: errno 22");
}

}  // namespace
}  // namespace tally
