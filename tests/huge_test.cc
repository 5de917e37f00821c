// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Mappings of their own.

#include "allocator/huge.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <vector>

#include "allocator/region_map.h"
#include "allocator/spare_mappings.h"
#include "tests/shadow_map.h"

namespace tally {
namespace {

constexpr size_t kMiB = 1 << 20;
bool is_zero = false;

TEST(HugeBlocks, AreAlignedZeroAndKnown) {
  for (const size_t alignment : {size_t{1}, kRegionBytes, 8 * kRegionBytes}) {
    for (const size_t bytes : {size_t{1}, size_t{4097}, 16 * kMiB, 33 * kMiB + 5}) {
      auto* block = static_cast<char*>(huge_blocks.Allocate(bytes, alignment, &is_zero));
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % kRegionBytes, 0u);
      if (is_zero) {
        EXPECT_EQ(block[0] | block[bytes - 1], 0);
      }
      block[0] = block[bytes - 1] = 1;
      HugeBlock found;
      ASSERT_TRUE(huge_blocks.Find(block, &found));
      EXPECT_EQ(found.request_bytes, bytes);
      EXPECT_EQ(found.bytes, (bytes + 4095) / 4096 * 4096);
      EXPECT_TRUE(huge_blocks.Covers(block + bytes - 1));
      EXPECT_FALSE(huge_blocks.Covers(block + found.bytes)) << "the rest of the granule";
      EXPECT_FALSE(huge_blocks.Find(block + 4096, &found));
      EXPECT_EQ(region_map.Lookup(block), Granule::kHuge);
      if (bytes > kRegionBytes) {
        EXPECT_EQ(region_map.Lookup(block + kRegionBytes), Granule::kHugeInner);
      }
      EXPECT_TRUE(huge_blocks.Free(block));
      EXPECT_FALSE(huge_blocks.Free(block));
      EXPECT_EQ(region_map.Lookup(block), Granule::kNothing);
    }
  }
}

TEST(HugeBlocks, FreshOnesAreZeroAndUsedOnesSaySo) {
  spare_mappings.ReleaseAll();
  for (int round = 0; round < 2; ++round) {
    auto* block = static_cast<char*>(huge_blocks.Allocate(9 * kMiB, 1, &is_zero));
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(is_zero);
    EXPECT_EQ(block[5000], 0);
    block[5000] = 1;
    EXPECT_TRUE(huge_blocks.Free(block));
  }
  auto* block = static_cast<char*>(huge_blocks.Allocate(9 * kMiB - 5, 1, &is_zero));
  ASSERT_NE(block, nullptr);
  EXPECT_FALSE(is_zero);
  EXPECT_EQ(block[5000], 1) << "the same memory";
  EXPECT_TRUE(huge_blocks.Free(block));
  EXPECT_EQ(spare_mappings.ReleaseAll(), 9 * kMiB);
}

TEST(HugeBlocks, ImpossibleSizesAreRefused) {
  EXPECT_EQ(huge_blocks.Allocate(SIZE_MAX, 1, &is_zero), nullptr);
  EXPECT_EQ(huge_blocks.Allocate(PTRDIFF_MAX, 1, &is_zero), nullptr);
  EXPECT_EQ(huge_blocks.Allocate(1, size_t{1} << 63, &is_zero), nullptr);
  EXPECT_EQ(huge_blocks.Allocate(PTRDIFF_MAX, size_t{1} << 63, &is_zero), nullptr);
}

TEST(HugeBlocks, ResizeKeepsContent) {
  auto* block = static_cast<char*>(huge_blocks.Allocate(9 * kMiB, 1, &is_zero));
  ASSERT_NE(block, nullptr);
  memset(block, 'a', 9 * kMiB);
  size_t kept = 9 * kMiB;
  // Within a granule, across granules, down within, down across, and up again.
  for (const size_t bytes : {10 * kMiB, 40 * kMiB, 39 * kMiB, 17 * kMiB, 3 * kMiB, 100 * kMiB}) {
    auto* resized = static_cast<char*>(huge_blocks.Resize(block, bytes));
    ASSERT_NE(resized, nullptr);
    block = resized;
    kept = kept < bytes ? kept : bytes;
    EXPECT_EQ(block[0], 'a');
    EXPECT_EQ(block[kept - 1], 'a');
    if (bytes > kept) {
      EXPECT_EQ(block[kept], 0);
      EXPECT_EQ(block[bytes - 1], 0);
    }
    HugeBlock found;
    ASSERT_TRUE(huge_blocks.Find(block, &found));
    EXPECT_EQ(found.bytes, bytes);
    const char* last = block + bytes - 1;
    EXPECT_NE(region_map.Lookup(last), Granule::kNothing);
    const char* next_granule = block + (bytes + kRegionBytes - 1) / kRegionBytes * kRegionBytes;
    EXPECT_NE(region_map.Lookup(next_granule), Granule::kHugeInner);
  }
  EXPECT_EQ(huge_blocks.Resize(block, SIZE_MAX), nullptr);
  EXPECT_EQ(huge_blocks.Resize(block, PTRDIFF_MAX), nullptr);
  EXPECT_EQ(block[0], 'a') << "a refusal leaves it as it was";
  EXPECT_TRUE(huge_blocks.Free(block));
}

// The table against std::map, through several widenings.
TEST(HugeBlocks, TheTableForgetsNothing) {
  std::map<void*, size_t> expected;
  testing::Random random(11);
  for (int step = 0; step < 600; ++step) {
    if (expected.empty() || random.Chance(step < 300 ? 3 : 1, 4)) {
      const size_t bytes = random.Below(20 * kMiB) + 1;
      void* block = huge_blocks.Allocate(bytes, 1, &is_zero);
      ASSERT_NE(block, nullptr);
      ASSERT_TRUE(expected.emplace(block, bytes).second);
    } else {
      const auto one =
          std::next(expected.begin(), static_cast<long>(random.Below(expected.size())));
      ASSERT_TRUE(huge_blocks.Free(one->first));
      expected.erase(one);
    }
    for (const auto& [block, bytes] : expected) {
      HugeBlock found;
      ASSERT_TRUE(huge_blocks.Find(block, &found));
      ASSERT_EQ(found.request_bytes, bytes);
    }
  }
  size_t visited = 0;
  huge_blocks.ForEach([&](const HugeBlock& block) { visited += expected.count(block.start); });
  EXPECT_EQ(visited, expected.size());
  for (const auto& [block, bytes] : expected) {
    EXPECT_TRUE(huge_blocks.Free(block));
  }
  EXPECT_EQ(huge_blocks.counts().allocated.load(), huge_blocks.counts().freed.load());
}

}  // namespace
}  // namespace tally
