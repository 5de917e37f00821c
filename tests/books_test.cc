// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The books: every term of the identity, moved by what should move it.

#include "allocator/books.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "allocator/allocator.h"
#include "tests/shadow_map.h"

namespace tally {
namespace {

Books Take() {
  static Books books;
  TakeBooks(&books);
  EXPECT_EQ(books.identity.sum(), books.mapped_bytes);
  return books;
}

TEST(Books, BlocksOfAClass) {
  const SizeClass size_class = ClassFor(96);
  const ClassBooks before = Take().classes[size_class];
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.push_back(Allocate(90));
  }
  const Books full = Take();
  EXPECT_EQ(full.classes[size_class].allocated, before.allocated + 1000);
  EXPECT_EQ(full.classes[size_class].live, before.live + 1000);
  EXPECT_GE(full.identity.live, 96000u);
  for (void* block : blocks) {
    Free(block);
  }
  const Books empty = Take();
  EXPECT_EQ(empty.classes[size_class].live, before.live);
  EXPECT_EQ(empty.classes[size_class].freed, before.freed + 1000);
  EXPECT_GT(empty.classes[size_class].cached, 0u);
  EXPECT_GT(empty.identity.cached, 0u);
  Trim();
  EXPECT_EQ(Take().classes[size_class].cached, 0u);
  EXPECT_EQ(Take().classes[size_class].runs, 0u);
}

TEST(Books, AlignedBlocksCountWithTheOthersOfTheirSize) {
  const SizeClass size_class = ClassFor(64);
  const Books before = Take();
  void* block = Allocate(64);
  void* aligned = AllocateAligned(64, 64);
  EXPECT_NE(Pool::Of(block)->head()->size_class, Pool::Of(aligned)->head()->size_class);
  const Books after = Take();
  EXPECT_EQ(after.classes[size_class].allocated, before.classes[size_class].allocated + 2);
  EXPECT_EQ(after.classes[size_class].live, before.classes[size_class].live + 2);
  EXPECT_GE(after.classes[size_class].runs, 2u);
  for (size_t c = kAscendingClasses; c < kStatsClassesMax; ++c) {
    EXPECT_FALSE(after.classes[c].was_used()) << c;
  }
  Free(block);
  Free(aligned);
}

TEST(Books, LargeBlocks) {
  const Books before = Take();
  void* block = Allocate(100000);
  const Books with = Take();
  EXPECT_EQ(with.large.live, before.large.live + 1);
  EXPECT_EQ(with.large.live_bytes, before.large.live_bytes + 102400);
  EXPECT_EQ(with.large.requested_bytes, before.large.requested_bytes + 100000);
  EXPECT_EQ(with.identity.live, before.identity.live + 102400);
  Free(block);
  const Books after = Take();
  EXPECT_EQ(after.large.freed, before.large.freed + 1);
  EXPECT_EQ(after.large.live, before.large.live);
  EXPECT_GE(after.identity.dirty, 102400u);
}

TEST(Books, HugeBlocks) {
  constexpr size_t kMapped = (20 << 20) + 4096;
  Trim();  // or the block would make its way
  const Books before = Take();
  void* block = Allocate((20 << 20) + 1);
  const Books with = Take();
  EXPECT_EQ(with.huge.live, before.huge.live + 1);
  EXPECT_EQ(with.huge.live_bytes, before.huge.live_bytes + kMapped);
  EXPECT_EQ(with.huge.requested_bytes, before.huge.requested_bytes + (20 << 20) + 1);
  EXPECT_EQ(with.mapped_bytes, before.mapped_bytes + kMapped);
  Free(block);
  EXPECT_EQ(Take().huge.freed, before.huge.freed + 1);
  EXPECT_EQ(Take().mapped_bytes, before.mapped_bytes);
  Free(Allocate((20 << 20) + 1));  // wanted again: now it is kept
  const Books spare = Take();
  EXPECT_EQ(spare.huge.live_bytes, before.huge.live_bytes);
  EXPECT_EQ(spare.identity.dirty, before.identity.dirty + kMapped);
  EXPECT_EQ(spare.mapped_bytes, before.mapped_bytes + kMapped);
  Trim();
  EXPECT_EQ(Take().mapped_bytes, before.mapped_bytes);
}

TEST(Books, ReallocInPlaceIsNeitherAndMovedIsBoth) {
  void* block = Allocate(1000);
  const uint64_t before = Take().allocated_blocks();
  block = Reallocate(block, 900);
  EXPECT_EQ(Take().allocated_blocks(), before);
  block = Reallocate(block, 9000);
  EXPECT_EQ(Take().allocated_blocks(), before + 1);
  block = Reallocate(block, 200000);
  block = Reallocate(block, 100000);
  EXPECT_EQ(Take().allocated_blocks(), before + 2);
  block = Reallocate(block, 20 << 20);
  block = Reallocate(block, 18 << 20);
  EXPECT_EQ(Take().allocated_blocks(), before + 3);
  block = Reallocate(block, 60 << 20);
  EXPECT_EQ(Take().allocated_blocks(), before + 4);
  Free(block);
}

TEST(Books, PurgedAndNeverTouched) {
  void* block = Allocate(1 << 20);
  memset(block, 1, 1 << 20);
  Free(block);
  Trim();
  const Books books = Take();
  EXPECT_EQ(books.identity.dirty, 0u);
  EXPECT_GE(books.identity.purged, 1u << 20);
  EXPECT_GE(books.purged_bytes, 1u << 20);
  EXPECT_GE(books.purge_calls, 1u);
}

TEST(Books, TailsAreThoseOfTheTable) {
  const SizeClass size_class = ClassFor(500);
  const ClassInfo& info = kClassTable[size_class];
  Trim();
  const Books before = Take();
  void* block = Allocate8(500);
  const Books after = Take();
  const uint64_t more_runs = after.classes[size_class].runs - before.classes[size_class].runs;
  EXPECT_GE(after.classes[size_class].runs, 1u);
  EXPECT_EQ(after.identity.tails - before.identity.tails,
            more_runs * (info.run_pools * kPoolBytes - size_t{info.capacity} * info.block_bytes));
  Free(block);
}

TEST(Books, SizedFreesThatDoNotMatch) {
  const uint64_t before = Take().mismatched_sizes;
  FreeSized(Allocate(100), 100);
  FreeSized(Allocate(100), 112);
  EXPECT_EQ(Take().mismatched_sizes, before);
  FreeSized(Allocate(100), 113);
  EXPECT_EQ(Take().mismatched_sizes, before + 1);
}

TEST(Books, FreesCountedTwiceAgree) {
  if (!kChecks) {
    GTEST_SKIP() << "counted in debug builds only";
  }
  for (size_t bytes = 1; bytes < 40000; bytes += 13) {
    Free(Allocate(bytes));
    FreeSized(Allocate8(bytes), bytes);
  }
  const Books books = Take();
  uint64_t freed = 0;
  for (const ClassBooks& entry : books.classes) {
    freed += entry.freed;
  }
  EXPECT_EQ(books.counted_frees, freed);
}

// Each term is then within what is in flight, but the sum is exact at every moment.
TEST(Books, TheSumHoldsWhileOthersRun) {
  std::atomic<bool> is_done{false};
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      testing::Random random(i);
      while (!is_done.load(std::memory_order_relaxed)) {
        void* blocks[30];
        for (void*& block : blocks) {
          block = Allocate(random.Below(random.Chance(1, 20) ? 1000000 : 3000));
        }
        for (void* block : blocks) {
          Free(block);
        }
      }
      ThreadExit();
    });
  }
  for (int i = 0; i < 2000; ++i) {
    const Books books = Take();
    ASSERT_LE(books.identity.live, books.mapped_bytes);
    ASSERT_LE(books.identity.cached, books.mapped_bytes);
  }
  is_done.store(true);
  for (std::thread& thread : threads) {
    thread.join();
  }
  Take();
}

// The kernel counts the same mappings.
TEST(Books, TheKernelAgrees) {
  void* small = Allocate(100);
  void* large = Allocate(3 << 20);
  void* huge = Allocate(20 << 20);
  memset(huge, 1, 5 << 20);
  KernelBooks kernel;
  TakeKernelBooks(&kernel);
  ASSERT_TRUE(kernel.is_known);
  EXPECT_EQ(kernel.accessible_bytes, Take().mapped_bytes);
  EXPECT_GE(kernel.resident_huge, 5u << 20);
  EXPECT_LT(kernel.resident_huge, 8u << 20);
  EXPECT_GE(kernel.process_rss, kernel.resident_huge + kernel.resident_pools);
  for (void* block : {small, large, huge}) {
    Free(block);
  }
}

// Uniform requests of 1,025 to 1,152 bytes: the mean is 1,088.5, and that of n samples is normally
// distributed with a deviation of 37 / sqrt(n).
TEST(Books, RequestsAreSampledWithoutBias) {
  const SizeClass size_class = ClassFor(1152);
  ASSERT_EQ(ClassFor(1025), size_class);
  const ClassBooks before = Take().classes[size_class];
  std::mt19937 random(7);
  std::uniform_int_distribution<size_t> request(1025, 1152);
  constexpr uint64_t kCount = 2000000;
  for (uint64_t i = 0; i < kCount; ++i) {
    Free(Allocate(request(random)));
  }
  const ClassBooks after = Take().classes[size_class];
  const auto samples = static_cast<double>(after.samples - before.samples);
  const double expected = kCount / static_cast<double>(kClassTable[size_class].countdown);
  EXPECT_NEAR(samples, expected, 5 * std::sqrt(expected)) << "a Poisson process";
  const double mean = static_cast<double>(after.sampled_bytes - before.sampled_bytes) / samples;
  EXPECT_NEAR(mean, 1088.5, 5 * 37 / std::sqrt(samples));
  EXPECT_NEAR(static_cast<double>(after.requested_estimate()),
              static_cast<double>(after.allocated) * mean,
              static_cast<double>(after.allocated) * 5);
}

TEST(Books, SlowPathsAreCountedAndTimed) {
  const Books before = Take();
  std::vector<void*> blocks;
  for (int i = 0; i < 100000; ++i) {
    blocks.push_back(Allocate(200));
  }
  for (void* block : blocks) {
    Free(block);
  }
  const Books after = Take();
  EXPECT_GT(after.slow_calls, before.slow_calls + 100);
  EXPECT_GT(after.slow_ns, before.slow_ns);
  EXPECT_LT(after.slow_ns - before.slow_ns, uint64_t{60} * 1000 * 1000 * 1000);
}

TEST(Books, TheMappedPeakStays) {
  void* block = Allocate(100 << 20);
  const uint64_t with = Take().mapped_bytes;
  Free(block);
  const Books after = Take();
  EXPECT_GE(after.mapped_peak_bytes, with);
  EXPECT_LT(after.mapped_bytes, with);
}

}  // namespace
}  // namespace tally
