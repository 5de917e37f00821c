// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The facade: sizes, alignments, reallocation, trim.

#include "allocator/allocator.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <vector>

#include "allocator/books.h"
#include "tests/shadow_map.h"

namespace tally {
namespace {

TEST(Allocator, EverySizeIsServedTightly) {
  for (size_t bytes = 0; bytes <= 70000; bytes += bytes < 2000 ? 1 : 97) {
    void* block = Allocate(bytes);
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % testing::PromisedAlignment(bytes), 0u) << bytes;
    ASSERT_GE(UsableSize(block), bytes);
    ASSERT_EQ(UsableSize(block), GoodSize(bytes)) << bytes;
    memset(block, 1, UsableSize(block));
    Free(block);
  }
}

TEST(Allocator, EightByteBlocksWasteLess) {
  for (size_t bytes = 1; bytes <= kSmallBytes; ++bytes) {
    void* block = Allocate8(bytes);
    ASSERT_EQ(UsableSize(block), (bytes + 7) / 8 * 8);
    Free(block);
  }
}

TEST(Allocator, ZeroBytesAreABlockEach) {
  void* first = Allocate(0);
  void* second = AllocateZeroed(0);
  void* third = AllocateAligned(0, 64);
  EXPECT_EQ((std::set<void*>{first, second, third, nullptr}).size(), 4u);
  for (void* block : {first, second, third}) {
    Free(block);
  }
}

TEST(Allocator, EveryAlignment) {
  for (size_t alignment = 1; alignment <= (size_t{64} << 20); alignment *= 2) {
    for (const size_t bytes :
         {size_t{1}, size_t{24}, size_t{1000}, size_t{40000}, size_t{300000}, size_t{9} << 20}) {
      void* block = AllocateAligned(bytes, alignment);
      ASSERT_NE(block, nullptr) << bytes << ' ' << alignment;
      ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
      ASSERT_GE(UsableSize(block), bytes);
      Free(block);
    }
  }
}

TEST(Allocator, ReallocateGivesMallocsAlignment) {
  if (kMallocAlignment == 8) {
    GTEST_SKIP() << "8 is all it promises";
  }
  // One of two such blocks is not a multiple of 16.
  for (void* block : {Allocate8(24), Allocate8(24)}) {
    block = Reallocate(block, 20);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % kMallocAlignment, 0u);
    Free(block);
  }
}

TEST(Allocator, ReallocateKeepsAllUsableBytes) {
  const size_t sizes[] = {1,      24,      500,     3000,    30000,   100000,
                          400000, 3 << 20, 9 << 20, 1 << 25, 1 << 26, 4096};
  for (const size_t from : sizes) {
    for (const size_t to : sizes) {
      // An alignment of 2 MiB makes it a mapping of its own, however small.
      for (const size_t alignment : {size_t{8}, size_t{2} << 20}) {
        auto* block = static_cast<char*>(AllocateAligned(from, alignment));
        const size_t kept = UsableSize(block) < to ? UsableSize(block) : to;
        memset(block, 'k', kept);
        block = static_cast<char*>(Reallocate(block, to));
        ASSERT_NE(block, nullptr);
        ASSERT_GE(UsableSize(block), to);
        ASSERT_EQ(static_cast<char*>(memchr(block, 0, kept)), nullptr) << from << " to " << to;
        Free(block);
      }
    }
  }
}

TEST(Allocator, AlignedCacheLinesTakeNoMoreThanTheirBytes) {
  for (const size_t alignment : {32, 64, 128}) {
    for (const size_t bytes : {64, 128, 192, 1024}) {
      void* block = AllocateAligned(bytes, alignment);
      EXPECT_EQ(UsableSize(block), (bytes + alignment - 1) / alignment * alignment);
      Free(block);
    }
  }
}

TEST(Allocator, ReallocateInSmallStepsLeavesRoomForMore) {
  int moves = 0;
  void* block = Allocate(1);
  for (size_t bytes = 2; bytes <= 1024; ++bytes) {
    void* before = block;
    block = Reallocate(block, bytes);
    moves += block != before ? 1 : 0;
    ASSERT_LE(UsableSize(block), bytes + bytes / 8 + kMallocAlignment);
  }
  Free(block);
  EXPECT_LE(moves, 28) << "an eighth more each time; 64 classes without room";
  // A larger step is its own room.
  block = Reallocate(Allocate(800), 960);
  EXPECT_EQ(UsableSize(block), 960u);
  Free(block);
}

TEST(Allocator, ReallocateStaysWhereItFits) {
  void* block = Allocate(1000);
  EXPECT_EQ(Reallocate(block, UsableSize(block)), block);
  EXPECT_EQ(Reallocate(block, UsableSize(block) / 2), block);
  void* moved = Reallocate(block, 16);
  EXPECT_LE(UsableSize(moved), 32u);
  Free(moved);
}

TEST(Allocator, ImpossibleSizesAreNull) {
  errno = 0;
  void* block = Allocate(10);
  for (const size_t bytes : {size_t{PTRDIFF_MAX}, size_t{PTRDIFF_MAX} + 1, SIZE_MAX}) {
    EXPECT_EQ(Allocate(bytes), nullptr);
    EXPECT_EQ(Allocate8(bytes), nullptr);
    EXPECT_EQ(AllocateZeroed(bytes), nullptr);
    EXPECT_EQ(AllocateAligned(bytes, 4096), nullptr);
    EXPECT_EQ(AllocateAligned(bytes, size_t{1} << 63), nullptr);
    EXPECT_EQ(Reallocate(block, bytes), nullptr);
  }
  EXPECT_EQ(AllocateAligned(1, size_t{1} << 62), nullptr);
  EXPECT_EQ(errno, 0) << "the hook sets it, not we";
  Free(block);
}

TEST(Allocator, FreeLeavesErrnoAndNullAlone) {
  errno = EDOM;
  Free(nullptr);
  FreeSized(nullptr, 0);
  for (const size_t bytes : {100u, 100000u, 20u << 20}) {
    Free(Allocate(bytes));
  }
  EXPECT_EQ(errno, EDOM);
}

TEST(Allocator, TrimSaysWhetherAnythingWent) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.push_back(Allocate(1000));
  }
  for (void* block : blocks) {
    Free(block);
  }
  EXPECT_TRUE(Trim());
  EXPECT_FALSE(Trim());
}

TEST(Allocator, ForeignPointersGoToTheirHandlers) {
  static std::vector<const void*> seen;
  static constexpr ForeignHandlers kHandlers = {
      [](void* p) { seen.push_back(p); }, [](void* p, size_t) { return seen.push_back(p), p; },
      [](const void* p) { return seen.push_back(p), size_t{77}; }};
  foreign_handlers = &kHandlers;
  int foreign = 0;
  auto* huge = static_cast<char*>(Allocate((9 << 20) + 1));
  void* behind = huge + (10 << 20);  // in its granule, but not ours
  for (void* p : {static_cast<void*>(&foreign), behind, reinterpret_cast<void*>(~uintptr_t{15})}) {
    seen.clear();
    Free(p);
    EXPECT_EQ(Reallocate(p, 10), p);
    EXPECT_EQ(UsableSize(p), 77u);
    EXPECT_EQ(seen, (std::vector<const void*>{p, p, p}));
  }
  foreign_handlers = nullptr;
  Free(huge);
}

}  // namespace
}  // namespace tally
