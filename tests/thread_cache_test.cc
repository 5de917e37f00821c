// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A thread's magazines: growth, bounds, flushes, counts, and batches for other heaps.

#include "allocator/thread_cache.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "allocator/metadata.h"
#include "allocator/options.h"
#include "allocator/pool_key.h"

namespace tally {
namespace {

class ThreadCacheTest : public ::testing::Test {
 protected:
  void SetUp() override { other_.Start(1); }
  void TearDown() override {
    cache_.FlushAll();
    for (size_t c = 1; c < kClassCount; ++c) {
      EXPECT_EQ(cache_.magazines[c].count(), 0u);
    }
    cache_.ReleaseSlots();
    heap_.Trim();
    other_.Trim();
  }
  // As the fast paths do.
  void* Pop(SizeClass size_class) {
    void* block = cache_.magazines[size_class].TryPop();
    return block != nullptr ? block : cache_.PopSlow(size_class, 1);
  }
  void Push(SizeClass size_class, void* block) {
    Magazine& magazine = cache_.magazines[size_class];
    if (magazine.top >= magazine.limit) {
      return cache_.PushSlow(size_class, block);
    }
    *++magazine.top = block;
  }
  uint64_t HeldBytes() const {
    uint64_t bytes = 0;
    for (size_t c = 1; c < kClassCount; ++c) {
      bytes += cache_.magazines[c].count() * BlockBytes(static_cast<SizeClass>(c));
    }
    return bytes;
  }

  // Where real caches lie. ThreadSanitizer lets nobody map as far below the program as a window
  // near a static variable may begin.
  static KeyWindow Window() {
    static const void* const mapped = metadata.AllocateForever(sizeof(ThreadCache));
    return key_table.Window(mapped);
  }

  static inline constinit Heap heap_;
  static inline constinit Heap other_;
  ThreadCache cache_{&heap_, KeyOfHeap(0), Window()};
};

TEST_F(ThreadCacheTest, StartsEmptyAndFullAtOnce) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const Magazine& magazine = cache_.magazines[c];
    EXPECT_FALSE(magazine.has_slots());
    EXPECT_EQ(*magazine.top, nullptr);
    EXPECT_GE(magazine.top, magazine.limit);
    EXPECT_EQ(&cache_.MagazineAt(MagazineOffset(c)), &magazine);
  }
}

TEST_F(ThreadCacheTest, GrowsWithUseUpToTheClassesMost) {
  for (const SizeClass size_class :
       {SizeClass{1}, SizeClass{8}, SizeClass{64}, SizeClass{128}, SizeClass{168}}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 3000; ++i) {
      blocks.push_back(Pop(size_class));
      ASSERT_NE(blocks.back(), nullptr);
      ASSERT_LE(cache_.magazines[size_class].slots(), kClassTable[size_class].magazine_slots);
    }
    EXPECT_EQ(cache_.magazines[size_class].slots(), kClassTable[size_class].magazine_slots);
    for (void* block : blocks) {
      Push(size_class, block);
    }
    cache_.FlushAll();
    heap_.Trim();
  }
}

TEST_F(ThreadCacheTest, StaysWithinItsBytes) {
  const uint64_t magazine_kb = options.magazine_kb;
  options.magazine_kb = 64;
  uint64_t first_slots = 0;
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto size_class = static_cast<SizeClass>(c);
    first_slots += kMagazineSlotsFirst * BlockBytes(size_class);
    std::vector<void*> blocks;
    for (int i = 0; i < 300; ++i) {
      blocks.push_back(Pop(size_class));
    }
    for (void* block : blocks) {
      Push(size_class, block);
      ASSERT_LE(HeldBytes(), options.magazine_kb * 1024 + first_slots);
    }
  }
  options.magazine_kb = magazine_kb;
}

TEST_F(ThreadCacheTest, ManyThreadsShareWhatAFewMayHold) {
  const auto slots_grown_by = [&](SizeClass size_class) {
    std::vector<void*> blocks;
    for (int i = 0; i < 3000; ++i) {
      blocks.push_back(Pop(size_class));
    }
    for (void* block : blocks) {
      Push(size_class, block);
    }
    return cache_.magazine_bytes();
  };
  const auto fill = [&] {
    uint64_t held = 0;
    for (size_t c = 8; c <= 128; ++c) {
      held = slots_grown_by(static_cast<SizeClass>(c));
    }
    cache_.FlushAll();
    cache_.ReleaseSlots();
    return held;
  };
  const uint64_t whole = fill();
  EXPECT_GT(whole, options.magazine_kb * 1024 / 2);
  ThreadCache::ShareAmong(4 * kMagazineShares);
  const uint64_t quarter = fill();
  EXPECT_LT(quarter, whole / 2);
  ThreadCache::ShareAmong(1000 * kMagazineShares);
  const uint64_t least = fill();
  EXPECT_LT(least, quarter);
  EXPECT_GT(least, kMagazineShareMin / 2);
  ThreadCache::ShareAmong(1);
}

TEST_F(ThreadCacheTest, CountsEveryAllocation) {
  const SizeClass size_class = 5;
  const uint64_t before = cache_.AllocatedOf(size_class);
  const uint64_t count = kClassTable[size_class].countdown * uint64_t{3} + 17;
  for (uint64_t i = 1; i <= count; ++i) {
    Push(size_class, Pop(size_class));
    ASSERT_EQ(cache_.AllocatedOf(size_class), before + i);
  }
  cache_.FlushAll();
  cache_.ReleaseSlots();
  EXPECT_EQ(cache_.AllocatedOf(size_class), before + count);
  Push(size_class, Pop(size_class));
  EXPECT_EQ(cache_.AllocatedOf(size_class), before + count + 1);
}

TEST_F(ThreadCacheTest, IdleMagazinesAreFlushedOnTheSecondLook) {
  void* block = Pop(7);
  Push(7, block);
  cache_.FlushIdle();
  EXPECT_GT(cache_.magazines[7].count(), 0u) << "it was used since the last look";
  cache_.FlushIdle();
  EXPECT_EQ(cache_.magazines[7].count(), 0u);
}

size_t Outgoing(const ThreadCache& cache) {
  size_t blocks = 0;
  cache.ForEachOutgoingBlock([&](void*) { ++blocks; });
  return blocks;
}

TEST_F(ThreadCacheTest, OthersBlocksTravelInBoundedBatches) {
  for (const SizeClass size_class : {SizeClass{1}, SizeClass{64}, SizeClass{160}}) {
    std::vector<void*> blocks(200);
    for (void*& block : blocks) {
      ASSERT_EQ(other_.Refill(size_class, &block, 1), 1u);
    }
    for (void* block : blocks) {
      cache_.SendHome(&other_, Region::Of(block)->KeyAt(block), block);
      ASSERT_LT(Outgoing(cache_), kBatchBlocks);
      ASSERT_LT(Outgoing(cache_) * BlockBytes(size_class), kOutgoingBytesMax);
    }
    cache_.FlushAll();
    EXPECT_EQ(Outgoing(cache_), 0u);
    const MutexLock lock(other_.mutex());
    other_.CheckInvariants();
  }
}

TEST_F(ThreadCacheTest, WhatOthersFreedIsHandedOutAgain) {
  const SizeClass size_class = 10;
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    blocks.push_back(Pop(size_class));
  }
  cache_.FlushAll();
  ThreadCache others(&other_, KeyOfHeap(1), Window());
  const std::set<void*> sent(blocks.begin() + 50, blocks.end());
  for (void* block : sent) {
    others.SendHome(&heap_, Region::Of(block)->KeyAt(block), block);
  }
  others.FlushAll();
  std::set<void*> again;
  for (int i = 0; i < 50; ++i) {
    again.insert(Pop(size_class));
  }
  size_t of_those = 0;
  for (void* block : sent) {
    of_those += again.count(block);
  }
  EXPECT_GT(of_those, 20u);
  for (void* block : again) {
    Push(size_class, block);
  }
  for (int i = 0; i < 50; ++i) {
    Push(size_class, blocks[static_cast<size_t>(i)]);
  }
  cache_.FlushAll();
  heap_.Trim();
  const MutexLock lock(heap_.mutex());
  heap_.CheckInvariants();
}

TEST_F(ThreadCacheTest, WhatFindsNoRoomGoesBackToItsPool) {
  const SizeClass size_class = 10;
  std::vector<void*> blocks(300);
  for (void*& block : blocks) {
    ASSERT_EQ(heap_.Refill(size_class, &block, 1), 1u);
  }
  ThreadCache others(&other_, KeyOfHeap(1), Window());
  for (void* block : blocks) {
    others.SendHome(&heap_, Region::Of(block)->KeyAt(block), block);
  }
  others.FlushAll();
  void* block = Pop(size_class);  // with the first, few slots
  EXPECT_LT(cache_.magazines[size_class].count(), kMagazineSlotsFirst);
  EXPECT_EQ(heap_.TakeInbox(), nullptr);
  Push(size_class, block);
  cache_.FlushAll();
  const MutexLock lock(heap_.mutex());
  heap_.CheckInvariants();
}

}  // namespace
}  // namespace tally
