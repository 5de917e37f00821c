// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The walk over pools, on regions made up here: it never leaves its region, whatever it reads.

#include "allocator/pool_walk.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "allocator/size_class.h"

namespace tally {
namespace {

constexpr size_t kPools = 64 * 64;

// A region as a reader of another process may find it.
struct MadeUp {
  std::array<uint64_t, 64> free{};
  std::array<uint64_t, 64> dirty{};
  std::array<uint64_t, 64> touched{};
  std::array<PoolView, kPools> descriptors{};

  uint64_t Free(size_t arena) const { return free.at(arena); }
  uint64_t Dirty(size_t arena) const { return dirty.at(arena); }
  uint64_t Touched(size_t arena) const { return touched.at(arena); }
  PoolView Descriptor(size_t index) const { return descriptors.at(index); }
  static ClassShape Shape(size_t size_class) {
    if (size_class == 0 || size_class >= kClassCount) {
      return {};
    }
    const ClassInfo& info = kClassTable[size_class];
    return {info.block_bytes, info.run_pools, info.capacity};
  }
};

Books SumOf(const MadeUp& region, size_t arenas) {
  Books books{};
  BooksSum sum(&books);
  sum.Region(arenas, 64);
  WalkPools(region, arenas, sum);
  sum.Finish(MadeUp::Shape);
  return books;
}

TEST(PoolWalk, CountsEachKind) {
  MadeUp region;
  // Arena 1: 12 pools in use, 8 dirty, 8 purged, 36 untouched.
  region.free[1] = ~uint64_t{0} << 12;
  region.dirty[1] = uint64_t{0xff} << 12;
  region.touched[1] = uint64_t{0xffff} << 12;
  const SizeClass size_class = ClassFor(64);
  ASSERT_EQ(kClassTable[size_class].run_pools, 1);
  region.descriptors[64] = {PoolView::Kind::kBlocks, size_class, 10, 0, 0};
  region.descriptors[65] = {PoolView::Kind::kLarge, 0, 0, 10, 20000};
  // 75 says nothing that makes sense.
  const Books books = SumOf(region, 2);
  EXPECT_EQ(books.classes[size_class].runs, 1u);
  EXPECT_EQ(books.classes[size_class].free_in_pools, 10u);
  EXPECT_EQ(books.classes[size_class].live, kClassTable[size_class].capacity - 10u);
  EXPECT_EQ(books.large.live_bytes, 10 * kPoolBytes);
  EXPECT_EQ(books.large.requested_bytes, 20000u);
  EXPECT_EQ(books.identity.dirty, 8 * kPoolBytes);
  EXPECT_EQ(books.identity.purged, 8 * kPoolBytes);
  EXPECT_EQ(books.identity.never_touched, 36 * kPoolBytes);
  EXPECT_EQ(books.identity.transit, kPoolBytes);
  EXPECT_EQ(books.identity.sum(), books.mapped_bytes);
  EXPECT_EQ(books.mapped_peak_bytes, books.mapped_bytes);
}

TEST(PoolWalk, DrawsEachKind) {
  MadeUp region;
  region.free[1] = ~uint64_t{0} << 12;
  region.dirty[1] = uint64_t{1} << 12;
  region.touched[1] = uint64_t{3} << 12;
  region.descriptors[64] = {PoolView::Kind::kBlocks, ClassFor(16), 256, 0, 0};
  region.descriptors[65] = {PoolView::Kind::kBlocks, ClassFor(16), 0, 0, 0};
  region.descriptors[66] = {PoolView::Kind::kLarge, 0, 0, 10, 20000};
  StatsRegionLeaf leaf{};
  WalkPools(region, 2, OccupancyMap(leaf.occupancy));
  EXPECT_EQ(leaf.occupancy[0], kPoolBlocks);
  EXPECT_EQ(leaf.occupancy[1], 255);
  for (int i = 2; i < 12; ++i) {
    EXPECT_EQ(leaf.occupancy[i], kPoolLarge);
  }
  EXPECT_EQ(leaf.occupancy[12], kPoolDirty);
  EXPECT_EQ(leaf.occupancy[13], kPoolPurged);
  EXPECT_EQ(leaf.occupancy[14], kPoolUntouched);
  EXPECT_EQ(leaf.occupancy[64], kPoolAbsent);
}

TEST(PoolWalk, OccupancyIsFullOnlyWhenAllIsUsed) {
  EXPECT_EQ(OccupancyOf(0, 256), kPoolBlocks);
  EXPECT_GT(OccupancyOf(1, 256), kPoolBlocks);
  EXPECT_EQ(OccupancyOf(256, 256), 255);
  EXPECT_EQ(OccupancyOf(0, 0), kPoolBlocks);
}

// A reader of another process has its classes from there, too.
TEST(PoolWalk, EndsWhateverTheClassesAre) {
  struct : MadeUp {
    ClassShape shape;
    ClassShape Shape(size_t /*size_class*/) const { return shape; }
  } region;
  region.descriptors.fill({PoolView::Kind::kBlocks, 5, 0, 0, 0});
  for (const ClassShape shape : {ClassShape{64, 0, 64}, ClassShape{0, 0, 1}, ClassShape{0, 1, 0},
                                 ClassShape{~0u, 65535, 65535}, ClassShape{64, 5, 1}}) {
    region.shape = shape;
    Books books{};
    BooksSum sum(&books);
    WalkPools(region, 64, sum);
    StatsRegionLeaf leaf{};
    WalkPools(region, 64, OccupancyMap(leaf.occupancy));
  }
}

TEST(PoolWalk, SurvivesNonsense) {
  std::mt19937_64 random(20261121);
  for (int round = 0; round < 200; ++round) {
    MadeUp region;
    const size_t arenas = 1 + random() % 64;
    for (size_t arena = 0; arena < 64; ++arena) {
      region.free[arena] = random() & random();
      region.dirty[arena] = random();
      region.touched[arena] = random();
    }
    for (PoolView& view : region.descriptors) {
      view = {static_cast<PoolView::Kind>(random() % 4), static_cast<uint8_t>(random()),
              static_cast<uint16_t>(random() % 600), static_cast<uint32_t>(random() % 100),
              random()};
    }
    const Books books = SumOf(region, arenas);
    EXPECT_EQ(books.identity.sum(), books.mapped_bytes);
    StatsRegionLeaf leaf{};
    WalkPools(region, arenas, OccupancyMap(leaf.occupancy));  // AddressSanitizer watches
  }
}

}  // namespace
}  // namespace tally
