// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The set of partly free pools against std::set.

#include "allocator/partial_pools.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/shadow_map.h"

namespace tally {
namespace {

// Pools of several regions, oldest region and lowest address first.
std::vector<Pool*> SomePools() {
  std::vector<Pool*> pools;
  while (regions.count() < 6) {
    Pool* run = regions.Take(64, 64).first;
    for (size_t i = 0; i < 64; i += 5) {
      pools.push_back(run + i);
    }
  }
  return pools;
}

TEST(PartialPools, AgreesWithASet) {
  const std::vector<Pool*> pools = SomePools();
  static PartialPools partial;
  EXPECT_EQ(partial.Lowest(), nullptr);
  EXPECT_FALSE(partial.Contains(pools.back()));
  std::set<size_t> expected;  // indices into pools: they are in the order of the set
  testing::Random random(5);
  for (int step = 0; step < 30000; ++step) {
    const size_t index = random.Below(pools.size());
    Pool* pool = pools[index];
    ASSERT_TRUE(partial.PrepareFor(Region::Of(pool)));
    ASSERT_EQ(partial.Contains(pool), expected.contains(index));
    if (random.Chance(step < 10000 ? 1 : 3, 4)) {
      partial.Remove(pool);
      expected.erase(index);
    } else {
      partial.Insert(pool);
      expected.insert(index);
    }
    ASSERT_EQ(partial.Lowest(), expected.empty() ? nullptr : pools[*expected.begin()]);
  }
  std::vector<Pool*> visited;
  partial.ForEach([&](Pool* pool) { visited.push_back(pool); });
  ASSERT_EQ(visited.size(), expected.size());
  size_t at = 0;
  for (const size_t index : expected) {
    EXPECT_EQ(visited[at++], pools[index]);
  }
}

}  // namespace
}  // namespace tally
