// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// One byte per 16 MiB: what an address points into.

#include "allocator/region_map.h"

#include <gtest/gtest.h>

namespace tally {
namespace {

const void* GranuleStart(size_t granule) {
  return reinterpret_cast<const void*>(granule << kRegionShift);
}

const void* Inside(size_t granule) {
  return static_cast<const char*>(GranuleStart(granule)) + 12345;
}

TEST(RegionMap, EntersAndClears) {
  EXPECT_EQ(region_map.Lookup(Inside(7)), Granule::kNothing);
  ASSERT_TRUE(
      region_map.Enter(GranuleStart(7), kRegionBytes * 2 + 1, Granule::kHuge, Granule::kHugeInner));
  EXPECT_EQ(region_map.Lookup(Inside(6)), Granule::kNothing);
  EXPECT_EQ(region_map.Lookup(Inside(7)), Granule::kHuge);
  EXPECT_EQ(region_map.Lookup(Inside(8)), Granule::kHugeInner);
  EXPECT_EQ(region_map.Lookup(Inside(9)), Granule::kHugeInner);
  EXPECT_EQ(region_map.Lookup(Inside(10)), Granule::kNothing);
  region_map.Clear(GranuleStart(8), kRegionBytes * 2);
  EXPECT_EQ(region_map.Lookup(Inside(7)), Granule::kHuge);
  EXPECT_EQ(region_map.Lookup(Inside(8)), Granule::kNothing);
  region_map.Clear(GranuleStart(7), 1);
  EXPECT_EQ(region_map.Lookup(Inside(7)), Granule::kNothing);
}

// The map's pages of 4 KiB become writable one by one.
TEST(RegionMap, EntriesAcrossPagesOfTheMap) {
  constexpr size_t kFirst = 3 * 4096 - 2;
  ASSERT_TRUE(region_map.Enter(GranuleStart(kFirst), kRegionBytes * 4100, Granule::kHuge,
                               Granule::kHugeInner));
  for (const size_t granule : {kFirst + 1, kFirst + 2, kFirst + 4098, kFirst + 4099}) {
    EXPECT_EQ(region_map.Lookup(Inside(granule)), Granule::kHugeInner) << granule;
  }
  EXPECT_EQ(region_map.Lookup(Inside(kFirst + 4100)), Granule::kNothing);
  region_map.Clear(GranuleStart(kFirst), kRegionBytes * 4100);
  EXPECT_EQ(region_map.Lookup(Inside(kFirst)), Granule::kNothing);
}

// A page of the map whose entries are all gone is made writable again; its neighbours stay.
TEST(RegionMap, AnEmptyPageServesAgain) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(region_map.Enter(GranuleStart(20000), 1, Granule::kPools, Granule::kPools));
    ASSERT_TRUE(region_map.Enter(GranuleStart(20001), 1, Granule::kHuge, Granule::kHuge));
    EXPECT_EQ(region_map.Lookup(Inside(20000)), Granule::kPools);
    region_map.Clear(GranuleStart(20000), 1);
    EXPECT_EQ(region_map.Lookup(Inside(20001)), Granule::kHuge);
    region_map.Clear(GranuleStart(20001), 1);
  }
}

TEST(RegionMap, AddressesOfNobodyAreNothing) {
  EXPECT_EQ(region_map.Lookup(nullptr), Granule::kNothing);
  EXPECT_EQ(region_map.Lookup(reinterpret_cast<const void*>(uintptr_t{1} << kAddressBits)),
            Granule::kNothing);
  EXPECT_EQ(region_map.Lookup(reinterpret_cast<const void*>(UINTPTR_MAX)), Granule::kNothing);
  EXPECT_EQ(region_map.Lookup(reinterpret_cast<const void*>((uintptr_t{1} << kAddressBits) - 1)),
            Granule::kNothing);
  EXPECT_FALSE(RegionMap::IsInRange(uintptr_t{1} << 63));
}

}  // namespace
}  // namespace tally
