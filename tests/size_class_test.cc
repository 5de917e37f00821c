// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The class table against its definition, for every size, offset and alignment.

#include "allocator/size_class.h"

#include <gtest/gtest.h>

namespace tally {
namespace {

TEST(SizeClass, EverySizeGetsTheTightestClass) {
  size_t expected = 1;
  for (size_t bytes = 1; bytes <= kClassBytesMax; ++bytes) {
    if (bytes > kClassTable[expected].block_bytes) {
      ++expected;
    }
    ASSERT_EQ(ClassFor(bytes), expected) << bytes << " bytes";
    ASSERT_GE(BlockBytes(ClassFor(bytes)), bytes);
  }
  EXPECT_EQ(expected, kAscendingClasses - 1);
}

TEST(SizeClass, RoundingIsBounded) {
  for (size_t bytes = 1; bytes <= kClassBytesMax; ++bytes) {
    const size_t waste = BlockBytes(ClassFor(bytes)) - bytes;
    ASSERT_LT(waste, bytes <= kSmallBytes ? 8 : bytes / 8 + 1) << bytes;
  }
}

TEST(SizeClass, ReciprocalsDivideExactly) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const ClassInfo& info = kClassTable[c];
    for (size_t offset = 0; offset < info.run_pools * kPoolBytes; ++offset) {
      const size_t block = offset / info.block_bytes;
      ASSERT_EQ(BlockIndex(info, offset), block) << c << ' ' << offset;
      if (offset % info.block_bytes == 0) {
        ASSERT_EQ(BlockStartingAt(info, offset), block) << c << ' ' << offset;
      } else {
        ASSERT_GE(BlockStartingAt(info, offset), info.capacity) << c << ' ' << offset;
      }
    }
  }
}

TEST(SizeClass, NoBlockStartsOutsideTheRun) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const ClassInfo& info = kClassTable[c];
    const size_t run_bytes = info.run_pools * kPoolBytes;
    for (size_t far = 0; far < 100000; ++far) {
      ASSERT_GE(BlockStartingAt(info, run_bytes + far * 8), info.capacity) << c << ' ' << far;
      ASSERT_GE(BlockStartingAt(info, ~far), info.capacity) << c << ' ' << far;
      ASSERT_GE(BlockStartingAt(info, far << 32), far == 0 ? 0u : info.capacity) << c << ' ' << far;
    }
  }
}

TEST(SizeClass, RunsAreFull) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const ClassInfo& info = kClassTable[c];
    const size_t run_bytes = info.run_pools * kPoolBytes;
    EXPECT_EQ(info.capacity, (run_bytes - info.first_block) / info.block_bytes);
    EXPECT_GE(info.capacity, 2u) << "an empty pool is not a full one";
    EXPECT_LE(info.capacity, c == 1 ? 512u : 256u);
    EXPECT_LE(info.run_pools, 32u);
    const size_t tail = (run_bytes - info.first_block) % info.block_bytes;
    // No shorter run would do, and no longer one up to 32 pools has a smaller share of tail.
    EXPECT_LE(tail * 1000, run_bytes * (info.block_bytes <= kSmallBytes ? 15 : 60))
        << info.block_bytes;
  }
}

TEST(SizeClass, BlocksOfOneAndTwoCacheLinesBeginInsideALine) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const ClassInfo& info = kClassTable[c];
    const bool is_shifted = c == ClassFor(64) || c == ClassFor(128);
    EXPECT_EQ(info.first_block, is_shifted ? 48 : 0) << info.block_bytes;
  }
}

TEST(SizeClass, AlignedBlocksOfOneAndTwoCacheLinesHaveClassesOfTheirOwn) {
  EXPECT_EQ(BlockBytes(ClassForAligned(64, 64)), 64u);
  EXPECT_EQ(BlockBytes(ClassForAligned(33, 32)), 64u);
  EXPECT_EQ(BlockBytes(ClassForAligned(1, 128)), 128u);
  EXPECT_EQ(BlockBytes(ClassForAligned(65, 64)), 128u);
  EXPECT_EQ(ClassForAligned(64, 16), ClassFor(64)) << "malloc's alignment needs none";
}

TEST(SizeClass, MagazinesAndDepotsAreBounded) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const ClassInfo& info = kClassTable[c];
    EXPECT_GE(info.magazine_slots, kMagazineSlotsMin);
    EXPECT_LE(info.magazine_slots, kMagazineSlotsMax);
    if (info.magazine_slots > kMagazineSlotsMin) {
      EXPECT_LE(info.magazine_slots * size_t{info.block_bytes}, kMagazineBytesMax);
    }
    EXPECT_LE(info.depot_batches * kBatchBlocks * info.block_bytes, kDepotBytesMax);
    EXPECT_GE(info.countdown, 64u);
  }
}

TEST(SizeClass, AlignedClassesAreTightAndAligned) {
  for (size_t alignment = 1; alignment <= kPoolBytes; alignment *= 2) {
    for (size_t bytes = 1; bytes <= kClassBytesMax; bytes += bytes < 600 ? 1 : 37) {
      const SizeClass size_class = ClassForAligned(bytes, alignment);
      const size_t rounded = (bytes + alignment - 1) & ~(alignment - 1);
      if (rounded > kClassBytesMax) {
        ASSERT_EQ(size_class, 0) << bytes << ' ' << alignment;
        continue;
      }
      ASSERT_NE(size_class, 0) << bytes << ' ' << alignment;
      ASSERT_GE(BlockBytes(size_class), bytes);
      ASSERT_EQ(BlockBytes(size_class) % alignment, 0u);
      ASSERT_EQ(kClassTable[size_class].first_block % alignment, 0u);
      for (size_t c = 1; c < kClassCount; ++c) {
        ASSERT_FALSE(kClassTable[c].block_bytes >= bytes &&
                     kClassTable[c].block_bytes < BlockBytes(size_class) &&
                     kClassTable[c].block_bytes % alignment == 0 &&
                     kClassTable[c].first_block % alignment == 0)
            << bytes << ' ' << alignment << ": class " << c << " would do";
      }
    }
  }
}

TEST(SizeClass, NoClassForLargeAlignmentsAndSizes) {
  EXPECT_EQ(ClassForAligned(0, 16), 0);
  EXPECT_EQ(ClassForAligned(16, kPoolBytes * 2), 0);
  EXPECT_EQ(ClassForAligned(kClassBytesMax + 1, 16), 0);
  EXPECT_EQ(ClassForAligned(SIZE_MAX, 4096), 0);
  EXPECT_EQ(ClassForAligned(1, size_t{1} << 63), 0);
}

}  // namespace
}  // namespace tally
