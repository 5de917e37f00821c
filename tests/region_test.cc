// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Runs of pools: where they come from, and that they come back.

#include "allocator/region.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <vector>

#include "allocator/region_map.h"

namespace tally {
namespace {

size_t FreePools() {
  size_t free_pools = 0;
  for (Region* region = regions.oldest(); region != nullptr; region = region->next.load()) {
    for (size_t arena = 1; arena < kArenasPerRegion; ++arena) {
      free_pools += static_cast<size_t>(std::popcount(region->arenas[arena].free.load()));
    }
  }
  return free_pools;
}

TEST(Regions, RunsLieAsAsked) {
  for (const size_t pools : {1u, 2u, 3u, 31u, 63u, 64u}) {
    for (size_t alignment = 1; alignment <= 64; alignment *= 2) {
      const tally::Run run = regions.Take(pools, alignment);
      ASSERT_NE(run.first, nullptr);
      EXPECT_EQ(run.first->index() % alignment, 0u);
      EXPECT_EQ(run.first->arena_index(), run.first[pools - 1].arena_index());
      EXPECT_EQ(Pool::Of(run.first->start()), run.first);
      EXPECT_EQ(Pool::Of(run.first->start() + kPoolBytes - 1), run.first);
      EXPECT_NE(run.first->arena_index(), 0u);
      EXPECT_EQ(region_map.Lookup(run.first->start()), Granule::kPools);
      memset(run.first->start(), 1, pools * kPoolBytes);
      regions.GiveBack(run.first, pools);
    }
  }
}

TEST(Regions, TheLowestRunIsTaken) {
  const tally::Run first = regions.Take(1, 1);
  const tally::Run second = regions.Take(1, 1);
  EXPECT_EQ(second.first, first.first + 1);
  regions.GiveBack(first.first, 1);
  EXPECT_EQ(regions.Take(1, 1).first, first.first);
  regions.GiveBack(first.first, 1);
  regions.GiveBack(second.first, 1);
}

TEST(Regions, FreshPoolsAreZeroAndUsedOnesAreNot) {
  const tally::Run fresh = regions.Take(64, 64);
  ASSERT_NE(fresh.first, nullptr);
  const std::vector<char> zeros(64 * kPoolBytes);
  if (fresh.is_zero) {
    EXPECT_EQ(memcmp(fresh.first->start(), zeros.data(), zeros.size()), 0);
  }
  regions.GiveBack(fresh.first, 64);
  const tally::Run again = regions.Take(64, 64);
  EXPECT_EQ(again.first, fresh.first);
  EXPECT_FALSE(again.is_zero);
  regions.GiveBack(again.first, 64);
}

TEST(Regions, LongRunsSpanArenas) {
  const tally::Run run = regions.Take(5 * 64 + 7, 1);
  ASSERT_NE(run.first, nullptr);
  EXPECT_EQ(run.first->index() % 64, 0u);
  memset(run.first->start(), 1, (5 * 64 + 7) * kPoolBytes);
  // The rest of the last arena is still to be had.
  const tally::Run rest = regions.Take(57, 1);
  ASSERT_NE(rest.first, nullptr);
  EXPECT_TRUE(rest.first >= run.first + 5 * 64 + 7 || rest.first < run.first);
  const size_t before = FreePools();
  regions.GiveBack(run.first, 5 * 64 + 7);
  regions.GiveBack(rest.first, 57);
  EXPECT_EQ(FreePools(), before + 5 * 64 + 7 + 57);
}

TEST(Regions, TakeAfterTakesNeighbours) {
  const tally::Run run = regions.Take(10, 64);
  ASSERT_NE(run.first, nullptr);
  EXPECT_TRUE(regions.TakeAfter(run.first, 10, 54));
  EXPECT_TRUE(regions.TakeAfter(run.first, 64, 100)) << "in the next arenas too";
  EXPECT_FALSE(regions.TakeAfter(run.first, 164, kPoolsPerRegion)) << "the region ends";
  // All but one go back.
  regions.GiveBack(run.first + 64, 86);
  regions.GiveBack(run.first + 151, 13);
  const size_t before = FreePools();
  EXPECT_FALSE(regions.TakeAfter(run.first, 64, 100)) << "one of them is not free";
  EXPECT_EQ(FreePools(), before) << "a refusal changes nothing";
  regions.GiveBack(run.first + 150, 1);
  regions.GiveBack(run.first + 20, 44);
  EXPECT_FALSE(regions.TakeAfter(run.first, 10, 11)) << "ten are ours, the eleventh is free";
  EXPECT_TRUE(regions.TakeAfter(run.first, 20, 44));
  regions.GiveBack(run.first, 64);
}

TEST(Regions, GrowsByRegionsAndServesTheOldestAgain) {
  std::vector<Pool*> runs;
  while (regions.count() < 3) {
    runs.push_back(regions.Take(64, 1).first);
    ASSERT_NE(runs.back(), nullptr);
  }
  const size_t taken = runs.size();
  EXPECT_GE(taken, 2 * 62u);
  for (Pool* run : runs) {
    regions.GiveBack(run, 64);
  }
  const tally::Run run = regions.Take(64, 1);
  EXPECT_EQ(Region::Of(run.first), regions.oldest());
  regions.GiveBack(run.first, 64);
}

TEST(Regions, TheWordsSayWhatPoolsAre) {
  const tally::Run run = regions.Take(3, 1);
  Arena& arena = Region::Of(run.first)->arenas[run.first->arena_index()];
  const uint64_t mask = uint64_t{7} << (run.first->index() % 64);
  EXPECT_EQ(arena.free.load() & mask, 0u);
  EXPECT_EQ(arena.dirty.load() & mask, mask);
  EXPECT_EQ(arena.touched.load() & mask, mask);
  regions.GiveBack(run.first, 3);
  EXPECT_EQ(arena.free.load() & mask, mask);
  EXPECT_EQ(arena.dirty.load() & mask, mask);
}

TEST(Regions, OnlyCommittedArenasCanBeLookedAt) {
  const tally::Run run = regions.Take(1, 1);
  EXPECT_TRUE(Regions::IsInCommittedArena(run.first->start()));
  EXPECT_FALSE(Regions::IsInCommittedArena(run.first->region_start()));
  regions.GiveBack(run.first, 1);
}

TEST(RegionsDeathTest, GivingBackTwice) {
  const tally::Run run = regions.Take(2, 1);
  regions.GiveBack(run.first, 1);
  EXPECT_DEATH(regions.GiveBack(run.first, 2), "tally: internal error at .*region.cc");
  regions.GiveBack(run.first + 1, 1);
}

TEST(Regions, AdjacentRunsAreAsManyAsLieTogether) {
  const tally::Run arena = regions.Take(64, 64);
  ASSERT_NE(arena.first, nullptr);
  regions.GiveBack(arena.first + 40, 24);
  // Other tests' leftovers may lie lower: whatever was found is whole and within bounds.
  std::vector<tally::Run> runs;
  for (int i = 0; i < 20; ++i) {
    runs.push_back(regions.TakeAdjacent(3, 5, Regions::Use::kSoon));
    const tally::Run& run = runs.back();
    ASSERT_NE(run.first, nullptr);
    EXPECT_TRUE(run.pools == 15 || run.pools == 6 || run.pools == 3) << run.pools;
    EXPECT_EQ(run.first->arena_index(), run.first[run.pools - 1].arena_index());
  }
  for (const tally::Run& run : runs) {
    regions.GiveBack(run.first, run.pools);
  }
  regions.GiveBack(arena.first, 40);
}

}  // namespace
}  // namespace tally
