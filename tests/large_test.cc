// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Runs of pools that are one block each.

#include "allocator/large.h"

#include <gtest/gtest.h>

#include <cstring>

#include "allocator/region.h"

namespace tally {
namespace {

TEST(LargeBlocks, AreAlignedAndWholePools) {
  for (const size_t bytes : {size_t{1}, kPoolBytes, kPoolBytes + 1, size_t{100000}, kArenaBytes,
                             kArenaBytes + 1, kRunBytesMax}) {
    for (size_t alignment = 8; alignment <= (bytes <= kArenaBytes ? kArenaBytes : 8);
         alignment *= 2) {
      bool is_zero = false;
      void* block = large_blocks.Allocate(bytes, alignment, &is_zero);
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
      Pool* head = Pool::Of(block);
      EXPECT_EQ(head->kind.load(), PoolKind::kLarge);
      EXPECT_EQ(head->request_bytes, bytes);
      EXPECT_EQ(LargeBlocks::UsableBytes(head), (bytes + kPoolBytes - 1) / kPoolBytes * kPoolBytes);
      memset(block, 1, LargeBlocks::UsableBytes(head));
      EXPECT_TRUE(large_blocks.Free(head));
      EXPECT_FALSE(large_blocks.Free(head)) << "only one free wins";
    }
  }
  EXPECT_EQ(large_blocks.counts().allocated.load(), large_blocks.counts().freed.load());
}

TEST(LargeBlocks, ResizeInPlace) {
  bool is_zero = false;
  void* block = large_blocks.Allocate(20 * kPoolBytes, kArenaBytes, &is_zero);
  ASSERT_NE(block, nullptr);
  Pool* head = Pool::Of(block);
  ASSERT_TRUE(large_blocks.ResizeInPlace(head, 10 * kPoolBytes - 5));
  EXPECT_EQ(head->run_pools, 10u);
  EXPECT_EQ(head->request_bytes, 10 * kPoolBytes - 5);
  ASSERT_TRUE(large_blocks.ResizeInPlace(head, 64 * kPoolBytes));
  EXPECT_EQ(head->run_pools, 64u);
  ASSERT_TRUE(large_blocks.ResizeInPlace(head, 200 * kPoolBytes)) << "into the next arenas";
  EXPECT_EQ(head->run_pools, 200u);
  ASSERT_TRUE(large_blocks.ResizeInPlace(head, 64 * kPoolBytes));
  ASSERT_TRUE(large_blocks.ResizeInPlace(head, 63 * kPoolBytes));
  ASSERT_TRUE(regions.TakeAfter(head, 63, 1)) << "the tail went back";
  EXPECT_FALSE(large_blocks.ResizeInPlace(head, 64 * kPoolBytes));
  EXPECT_EQ(head->run_pools, 63u) << "a refusal changes nothing";
  regions.GiveBack(head + 63, 1);
  EXPECT_TRUE(large_blocks.Free(head));
}

TEST(LargeBlocks, ShrinkingOverSeveralArenas) {
  bool is_zero = false;
  void* block = large_blocks.Allocate(kRunBytesMax, 8, &is_zero);
  ASSERT_NE(block, nullptr);
  Pool* head = Pool::Of(block);
  ASSERT_TRUE(large_blocks.ResizeInPlace(head, 3 * kPoolBytes));
  void* second = large_blocks.Allocate(kRunBytesMax - kArenaBytes, 8, &is_zero);
  EXPECT_EQ(second, static_cast<char*>(block) + kArenaBytes);
  EXPECT_TRUE(large_blocks.Free(head));
  EXPECT_TRUE(large_blocks.Free(Pool::Of(second)));
}

}  // namespace
}  // namespace tally
