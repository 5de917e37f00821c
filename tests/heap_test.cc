// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A heap alone: refill, flush, depot, inbox, and the runs it keeps and gives back.

#include "allocator/heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <vector>

#include "allocator/check.h"
#include "allocator/pool_key.h"
#include "allocator/purge.h"
#include "allocator/region.h"

namespace tally {
namespace {

class HeapTest : public ::testing::Test {
 protected:
  // Blocks of the class, each once.
  std::vector<void*> Take(SizeClass size_class, size_t count) {
    std::vector<void*> blocks(count);
    size_t have = 0;
    while (have < count) {
      const size_t got = heap_.Refill(size_class, blocks.data() + have, count - have);
      EXPECT_NE(got, 0u);
      have += got;
    }
    EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), count);
    return blocks;
  }
  void Check() {
    const MutexLock lock(heap_.mutex());
    heap_.CheckInvariants();
  }
  static bool IsFreePool(Pool* pool) {
    const uint64_t word = Region::Of(pool)->arenas[pool->arena_index()].free.load();
    return (word >> (pool->index() % kPoolsPerArena) & 1) != 0;
  }

  // Uses so many runs of the class, all blocks of them, and frees every block.
  std::set<Pool*> FillAndEmpty(SizeClass size_class, size_t runs) {
    std::set<Pool*> pools;
    std::vector<void*> blocks = Take(size_class, kClassTable[size_class].capacity * runs);
    for (void* block : blocks) {
      pools.insert(Pool::Of(block)->head());
    }
    for (void* block : blocks) {
      heap_.FreeDirectly(block);
    }
    return pools;
  }
  static size_t CountFree(const std::set<Pool*>& pools) {
    return static_cast<size_t>(std::count_if(pools.begin(), pools.end(), IsFreePool));
  }

  static inline constinit Heap heap_;
};

TEST_F(HeapTest, EveryClassServesAndTakesBack) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto size_class = static_cast<SizeClass>(c);
    const size_t count = kClassTable[c].capacity * size_t{2} + 1;
    std::vector<void*> blocks = Take(size_class, count);
    for (void* block : blocks) {
      Pool* head = Pool::Of(block)->head();
      ASSERT_EQ(head->owner.load(), &heap_);
      ASSERT_EQ(Region::Of(block)->KeyAt(block), KeyOf(heap_.index(), size_class));
      ASSERT_EQ(head->size_class, c);
      const auto offset = static_cast<size_t>(static_cast<char*>(block) - head->start());
      ASSERT_EQ(offset % BlockBytes(size_class), head->info().first_block);
      ASSERT_LE(offset + BlockBytes(size_class), head->info().run_pools * kPoolBytes);
    }
    Check();
    heap_.Flush(size_class, blocks.data(), blocks.size());
    Check();
  }
  heap_.Trim();
  Check();
}

TEST_F(HeapTest, TheLowestAddressIsPoppedFirst) {
  void* slots[8];
  ASSERT_EQ(heap_.Refill(4, slots, 8), 8u);
  EXPECT_TRUE(std::is_sorted(std::begin(slots), std::end(slots), std::greater<>()));
  for (void* block : slots) {
    heap_.FreeDirectly(block);
  }
  heap_.Trim();
}

TEST_F(HeapTest, EmptyRunsStayUntilAnotherClassTakesRuns) {
  const std::set<Pool*> pools = FillAndEmpty(64, 3);
  EXPECT_EQ(CountFree(pools), 0u);
  Check();
  void* other = Take(65, 1)[0];
  EXPECT_TRUE(pools.contains(Pool::Of(other)->head())) << "the memory serves there";
  EXPECT_EQ((*pools.begin())->size_class, 64) << "one stays in any case";
  Check();
  heap_.FreeDirectly(other);
  heap_.Trim();
  EXPECT_EQ(CountFree(pools), pools.size());
}

TEST_F(HeapTest, EmptyRunsGoWhenMemoryGrowsElsewhere) {
  void* block = Take(65, 1)[0];
  const std::set<Pool*> pools = FillAndEmpty(64, 3);
  const uint64_t growths = regions.growths();
  Heap other;
  std::vector<void*> elsewhere;
  while (regions.growths() == growths) {
    void* slot = nullptr;
    ASSERT_EQ(other.Refill(64, &slot, 1), 1u);
    elsewhere.push_back(slot);
  }
  EXPECT_EQ(CountFree(pools), 0u);
  heap_.Flush(65, &block, 1);
  EXPECT_EQ(CountFree(pools) + 1, pools.size());
  Check();
  heap_.Trim();
  other.Flush(64, elsewhere.data(), elsewhere.size());
  other.Trim();
}

TEST_F(HeapTest, EmptyRunsAreBounded) {
  const size_t pools = FillAndEmpty(64, kEmptyPoolsMax * 2).size();
  EXPECT_LE(heap_.pool_bytes(), kEmptyPoolsMax * kPoolBytes);
  EXPECT_GE(heap_.pool_bytes(), (kEmptyPoolsMax - 16) * kPoolBytes) << "of " << pools;
  Check();
  heap_.Trim();
  EXPECT_EQ(heap_.pool_bytes(), 0u);
}

TEST_F(HeapTest, LargeFlushesGoToTheDepotAndComeBackFirst) {
  const SizeClass size_class = 2;
  std::vector<void*> blocks = Take(size_class, kBatchBlocks);
  heap_.Flush(size_class, blocks.data(), blocks.size());
  EXPECT_EQ(heap_.CountsOf(size_class).depot_blocks, kBatchBlocks);
  std::vector<void*> again = Take(size_class, kBatchBlocks);
  EXPECT_EQ(std::set<void*>(again.begin(), again.end()),
            std::set<void*>(blocks.begin(), blocks.end()));
  EXPECT_EQ(heap_.CountsOf(size_class).depot_blocks, 0u);
  heap_.Flush(size_class, again.data(), again.size());
  heap_.Tick(1);
  EXPECT_EQ(heap_.CountsOf(size_class).depot_blocks, kBatchBlocks) << "used since the last tick";
  heap_.Tick(2);
  EXPECT_EQ(heap_.CountsOf(size_class).depot_blocks, 0u);
  heap_.Trim();
}

TEST_F(HeapTest, FreePoolsInsideASettledRunArePurged) {
  const SizeClass size_class = ClassFor(528);
  const ClassInfo& info = kClassTable[size_class];
  ASSERT_EQ(info.run_pools, 3);
  std::vector<void*> blocks = Take(size_class, info.capacity);
  ASSERT_EQ(blocks.size(), info.capacity);
  std::sort(blocks.begin(), blocks.end());
  for (void* block : blocks) {
    memset(block, 1, info.block_bytes);
  }
  Pool* head = Pool::Of(blocks[0]);
  heap_.Flush(size_class, blocks.data() + 1, blocks.size() - 1);
  heap_.Tick(kTicksPerDecay);
  EXPECT_EQ(head->purged_pools, 0u) << "it was used a moment ago";
  heap_.Tick(2 * kTicksPerDecay);
  EXPECT_EQ(head->purged_pools, 0b110u);
  const auto* bytes = static_cast<const char*>(blocks[0]);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(std::count(bytes + kPoolBytes, bytes + 3 * kPoolBytes, 0), 2 * ptrdiff_t{kPoolBytes});
  const uint64_t purged = purger.purged_bytes();
  heap_.Tick(3 * kTicksPerDecay);
  EXPECT_EQ(purger.purged_bytes(), purged) << "nothing is purged twice";

  std::vector<void*> again = Take(size_class, 1);
  EXPECT_EQ(head->purged_pools, 0u);
  heap_.Flush(size_class, again.data(), 1);
  heap_.Flush(size_class, blocks.data(), 1);
  Check();
  heap_.Trim();
}

TEST_F(HeapTest, AClassThatHasManyRunsTakesSeveralSideBySide) {
  const SizeClass size_class = 8;
  const size_t capacity = kClassTable[size_class].capacity;
  std::vector<void*> blocks = Take(size_class, 40 * kRunsPerTakenRun * capacity);
  std::sort(blocks.begin(), blocks.end());
  size_t pools = 1;
  size_t stretches = 1;
  for (size_t i = 1; i < blocks.size(); ++i) {
    const ptrdiff_t step = Pool::Of(blocks[i]) - Pool::Of(blocks[i - 1]);
    pools += step != 0 ? 1 : 0;
    stretches += step > 1 ? 1 : 0;
  }
  EXPECT_GE(pools, 40 * kRunsPerTakenRun);
  EXPECT_LE(stretches * 4, pools);
  Check();
  heap_.Flush(size_class, blocks.data(), blocks.size());
  Check();
  heap_.Trim();
  Check();
}

TEST_F(HeapTest, TheDepotIsBounded) {
  const SizeClass size_class = 10;
  std::vector<void*> blocks = Take(size_class, 6000);
  heap_.Flush(size_class, blocks.data(), blocks.size());
  EXPECT_LE(heap_.CountsOf(size_class).depot_blocks * BlockBytes(size_class), kDepotBytesMax);
  heap_.Trim();
  EXPECT_EQ(heap_.CountsOf(size_class).depot_blocks, 0u);
  Check();
}

size_t InboxBlocks(const Heap& heap) {
  size_t blocks = 0;
  heap.ForEachInboxBlock([&](void*) { ++blocks; });
  return blocks;
}

Batch* BatchOf(const std::vector<void*>& blocks) {
  Batch* batch = batch_pool.Get();
  for (void* block : blocks) {
    batch->blocks[batch->count++] = block;
  }
  return batch;
}

TEST_F(HeapTest, PostsToAParkedHeapAreDrainedByThePoster) {
  ASSERT_EQ(heap_.users(), 0u);
  const std::vector<void*> blocks = Take(3, 5);
  heap_.Post(BatchOf(blocks));
  EXPECT_EQ(InboxBlocks(heap_), 0u);
  heap_.Trim();
  EXPECT_TRUE(IsFreePool(Pool::Of(blocks[0])));
}

TEST_F(HeapTest, PostsToABusyHeapWaitForARefill) {
  heap_.AddUser();
  const std::vector<void*> blocks = Take(3, 5);
  heap_.Post(BatchOf(blocks));
  EXPECT_EQ(InboxBlocks(heap_), 5u);
  void* slots[5];
  EXPECT_EQ(heap_.Refill(3, slots, 5), 5u);
  EXPECT_EQ(std::set<void*>(slots, slots + 5), std::set<void*>(blocks.begin(), blocks.end()));
  EXPECT_EQ(InboxBlocks(heap_), 0u);
  for (void* block : slots) {
    heap_.FreeDirectly(block);
  }
  heap_.RemoveUser();
  heap_.Trim();
}

TEST_F(HeapTest, TheInboxIsBounded) {
  heap_.AddUser();
  const std::vector<void*> blocks = Take(3, 200);
  for (void* block : blocks) {
    heap_.Post(BatchOf({block}));
    EXPECT_LE(InboxBlocks(heap_), kInboxBatchesMax + 1);
  }
  heap_.RemoveUser();
  heap_.Trim();
  EXPECT_EQ(InboxBlocks(heap_), 0u);
}

TEST_F(HeapTest, EmptyRunsThatWereNotNeededGoWithTheTick) {
  constexpr uint64_t kTick = 1000000;  // later than in other tests
  heap_.Trim();
  heap_.Tick(kTick);
  const std::set<Pool*> pools = FillAndEmpty(64, 3);
  heap_.Tick(kTick + 1);
  EXPECT_EQ(CountFree(pools), 0u) << "all were needed since the last tick";
  void* block = Take(64, 1)[0];
  heap_.FreeDirectly(block);
  heap_.Tick(kTick + 2);
  EXPECT_EQ(CountFree(pools) + 1, pools.size()) << "one was needed";
  heap_.Tick(kTick + 3);
  EXPECT_EQ(CountFree(pools), pools.size());
}

TEST_F(HeapTest, CrimesAreFoundWhenABitIsSet) {
  void* block = Take(12, 1)[0];
  EXPECT_DEATH(heap_.FreeDirectly(static_cast<char*>(block) + 8), "not the start of a block");
  heap_.FreeDirectly(block);
  EXPECT_DEATH(heap_.FreeDirectly(block), kDoubleFree);
  heap_.Trim();
  EXPECT_DEATH(heap_.FreeDirectly(block), kDoubleFree);
}

}  // namespace
}  // namespace tally
