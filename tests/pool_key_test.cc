// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Keys alone: what they say, and that no two heaps' keys look alike.

#include "allocator/pool_key.h"

#include <gtest/gtest.h>

#include "allocator/heap.h"
#include "allocator/region.h"

namespace tally {
namespace {

TEST(PoolKeyTest, SaysWhichHeapAndWhichClass) {
  for (const uint32_t heap : {0U, 1U, 7U, static_cast<uint32_t>(kHeapsMax - 1)}) {
    for (size_t c = 1; c < kClassCount; ++c) {
      const PoolKey key = KeyOf(heap, static_cast<SizeClass>(c));
      EXPECT_EQ(HeapIndexOf(key), heap);
      EXPECT_EQ(ClassOf(key), c);
      EXPECT_EQ(key - KeyOfHeap(heap), MagazineOffset(c));
    }
  }
}

TEST(PoolKeyTest, NoOtherHeapsKeyIsAnOffset) {
  const PoolKey mine = KeyOfHeap(5);
  for (const uint32_t heap : {0U, 4U, 6U, static_cast<uint32_t>(kHeapsMax - 1)}) {
    EXPECT_GE(KeyOf(heap, 1) - mine, kKeySpan);
    EXPECT_GE(KeyOf(heap, kClassCount - 1) - mine, kKeySpan);
    EXPECT_GE(KeyOf(heap, 1) - kNobodysKey, kKeySpan);
  }
  EXPECT_GE(kNoKey - mine, kKeySpan);
  EXPECT_GE(kNoKey - kNobodysKey, kKeySpan);
}

TEST(PoolKeyTest, IsTheHeapsWhileARunIsAndGoesWithIt) {
  static constinit Heap heap;
  heap.Start(3);
  constexpr SizeClass kClass = 100;  // 800 bytes: several pools to a run
  void* block = nullptr;
  ASSERT_EQ(heap.Refill(kClass, &block, 1), 1u);
  const size_t pools = kClassTable[kClass].run_pools;
  ASSERT_GT(pools, 1u);
  const char* start = Pool::Of(block)->head()->start();
  for (size_t i = 0; i < pools; ++i) {
    EXPECT_EQ(Region::Of(start)->KeyAt(start + i * kPoolBytes), KeyOf(3, kClass));
  }
  heap.FreeDirectly(block);
  heap.Trim();
  for (size_t i = 0; i < pools; ++i) {
    EXPECT_EQ(Region::Of(start)->KeyAt(start + i * kPoolBytes), kNoKey);
  }
}

}  // namespace
}  // namespace tally
