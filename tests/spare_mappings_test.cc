// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Spare mappings: what is kept, for whom, and for how long.

#include "allocator/spare_mappings.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <initializer_list>

#include "allocator/options.h"
#include "allocator/os.h"

namespace tally {
namespace {

constexpr size_t kMiB = 1 << 20;

class SpareMappingsTest : public ::testing::Test {
 protected:
  void SetUp() override { spare_mappings.ReleaseAll(); }
  void TearDown() override { spare_mappings.ReleaseAll(); }

  // Committed memory, all of it touched.
  static char* Map(size_t bytes) {
    auto* start = static_cast<char*>(os::Reserve(bytes, kRegionBytes));
    EXPECT_NE(start, nullptr);
    EXPECT_TRUE(os::Commit(start, bytes));
    for (size_t at = 0; at < bytes; at += 4096) {
      start[at] = 1;
    }
    return start;
  }
  // Makes sizes known as some that are freed and soon wanted again.
  static void Want(std::initializer_list<size_t> sizes) {
    for (const size_t bytes : sizes) {
      EXPECT_FALSE(spare_mappings.Keep(nullptr, bytes));
    }
    for (const size_t bytes : sizes) {
      EXPECT_EQ(spare_mappings.Take(bytes, 1), nullptr);
    }
  }
  static bool IsMapped(const char* start) {
    unsigned char is_resident = 0;
    return mincore(const_cast<char*>(start), 1, &is_resident) == 0;
  }
  static size_t Count() {
    size_t count = 0;
    spare_mappings.ForEach([&](const char* /*start*/, size_t /*bytes*/) { ++count; });
    return count;
  }
};

TEST_F(SpareMappingsTest, GivesBackWhatItKept) {
  Want({9 * kMiB});
  char* start = Map(9 * kMiB);
  ASSERT_TRUE(spare_mappings.Keep(start, 9 * kMiB));
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, kRegionBytes), start);
  EXPECT_EQ(start[4096], 1) << "as it was";
  EXPECT_EQ(Count(), 0u);
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, kRegionBytes), nullptr);
  ASSERT_TRUE(spare_mappings.Keep(start, 9 * kMiB));
  EXPECT_EQ(spare_mappings.ReleaseAll(), 9 * kMiB);
  EXPECT_FALSE(IsMapped(start));
}

TEST_F(SpareMappingsTest, NothingIsKeptThatWasNeverWantedAgain) {
  char* start = Map(9 * kMiB);
  EXPECT_FALSE(spare_mappings.Keep(start, 9 * kMiB)) << "freed for the first time";
  EXPECT_EQ(spare_mappings.Take(20 * kMiB, 1), nullptr);
  EXPECT_FALSE(spare_mappings.Keep(start, 9 * kMiB)) << "another size was wanted";
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, 1), nullptr);
  EXPECT_TRUE(spare_mappings.Keep(start, 9 * kMiB)) << "now it was";
  spare_mappings.ReleaseAll();
  EXPECT_FALSE(IsMapped(start));
}

TEST_F(SpareMappingsTest, ALittleLargerIsTrimmedMuchLargerIsNotTaken) {
  Want({10 * kMiB});
  char* start = Map(10 * kMiB);
  ASSERT_TRUE(spare_mappings.Keep(start, 10 * kMiB));
  EXPECT_EQ(spare_mappings.Take(7 * kMiB, kRegionBytes), nullptr);
  ASSERT_EQ(Count(), 1u);
  ASSERT_EQ(spare_mappings.Take(8 * kMiB, kRegionBytes), start);
  EXPECT_TRUE(IsMapped(start + 8 * kMiB - 4096));
  EXPECT_FALSE(IsMapped(start + 8 * kMiB));
  os::Unmap(start, 8 * kMiB);
}

TEST_F(SpareMappingsTest, TheBestFitIsTaken) {
  Want({13 * kMiB, 10 * kMiB});
  char* larger = Map(13 * kMiB);
  char* smaller = Map(10 * kMiB);
  ASSERT_TRUE(spare_mappings.Keep(larger, 13 * kMiB));
  ASSERT_TRUE(spare_mappings.Keep(smaller, 10 * kMiB));
  EXPECT_EQ(spare_mappings.Take(10 * kMiB, kRegionBytes), smaller);
  EXPECT_EQ(spare_mappings.Take(11 * kMiB, kRegionBytes), larger);
  os::Unmap(smaller, 10 * kMiB);
  os::Unmap(larger, 11 * kMiB);
}

TEST_F(SpareMappingsTest, AlignmentIsKept) {
  Want({9 * kMiB});
  char* start = Map(9 * kMiB);
  ASSERT_TRUE(spare_mappings.Keep(start, 9 * kMiB));
  size_t alignment = kRegionBytes;
  while (reinterpret_cast<uintptr_t>(start) % alignment == 0) {
    alignment *= 2;
  }
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, alignment), nullptr);
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, alignment / 2), start);
  os::Unmap(start, 9 * kMiB);
}

// A program that doubles an array: what it left behind never serves it again.
TEST_F(SpareMappingsTest, ARequestThatNoneFitsReleasesTheSmaller) {
  Want({9 * kMiB, 20 * kMiB});
  char* small = Map(9 * kMiB);
  char* large = Map(20 * kMiB);
  ASSERT_TRUE(spare_mappings.Keep(small, 9 * kMiB));
  ASSERT_TRUE(spare_mappings.Keep(large, 20 * kMiB));
  EXPECT_EQ(spare_mappings.Take(12 * kMiB, kRegionBytes), nullptr);
  EXPECT_FALSE(IsMapped(small));
  EXPECT_TRUE(IsMapped(large));
  EXPECT_EQ(spare_mappings.Take(40 * kMiB, kRegionBytes), nullptr);
  EXPECT_FALSE(IsMapped(large));
}

TEST_F(SpareMappingsTest, IsBounded) {
  EXPECT_FALSE(spare_mappings.Keep(nullptr, kSpareBytesMax + 4096));
  Want({kSpareBytesMax, kMiB});
  char* first = Map(kSpareBytesMax);
  ASSERT_TRUE(spare_mappings.Keep(first, kSpareBytesMax));
  char* second = Map(kMiB);
  ASSERT_TRUE(spare_mappings.Keep(second, kMiB));
  EXPECT_FALSE(IsMapped(first)) << "the oldest made room";
  for (size_t i = 0; i < kSpareMappings; ++i) {
    EXPECT_TRUE(IsMapped(second));
    EXPECT_FALSE(spare_mappings.Keep(nullptr, 2 * kMiB)) << "another size takes a place";
  }
  EXPECT_FALSE(IsMapped(second));
  EXPECT_EQ(Count(), 0u);
}

TEST_F(SpareMappingsTest, AgesByTheClock) {
  Want({9 * kMiB});
  char* start = Map(9 * kMiB);
  ASSERT_TRUE(spare_mappings.Keep(start, 9 * kMiB));
  spare_mappings.Age(kTicksPerDecay);
  EXPECT_TRUE(IsMapped(start));
  spare_mappings.Age(1);
  EXPECT_FALSE(IsMapped(start));
}

TEST_F(SpareMappingsTest, WithoutDecayNothingIsKept) {
  const auto saved = options.decay_ms;
  options.decay_ms = 0;
  EXPECT_FALSE(spare_mappings.Keep(nullptr, kMiB));
  options.decay_ms = saved;
}

}  // namespace
}  // namespace tally
