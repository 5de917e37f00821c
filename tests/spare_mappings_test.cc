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
      EXPECT_FALSE(spare_mappings.Keep(nullptr, bytes, 0));
    }
    for (const size_t bytes : sizes) {
      EXPECT_EQ(spare_mappings.Take(bytes, 1), nullptr);
    }
  }
  static bool Keep(char* start, size_t bytes, size_t live_bytes = 0) {
    return spare_mappings.Keep(start, bytes, live_bytes);
  }
  // A spare of 9 MiB; `gap` unused bytes behind it, then others' up to 12 MiB.
  static char* KeepNineBefore(size_t gap) {
    Want({9 * kMiB});
    char* start = Map(12 * kMiB);
    os::Unmap(start + 9 * kMiB, gap);
    EXPECT_TRUE(Keep(start, 9 * kMiB));
    return start;
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
  ASSERT_TRUE(Keep(start, 9 * kMiB));
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, kRegionBytes), start);
  EXPECT_EQ(start[4096], 1) << "as it was";
  EXPECT_EQ(Count(), 0u);
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, kRegionBytes), nullptr);
  ASSERT_TRUE(Keep(start, 9 * kMiB));
  EXPECT_EQ(spare_mappings.ReleaseAll(), 9 * kMiB);
  EXPECT_FALSE(IsMapped(start));
}

TEST_F(SpareMappingsTest, NothingIsKeptThatWasNeverWantedAgain) {
  char* start = Map(9 * kMiB);
  EXPECT_FALSE(Keep(start, 9 * kMiB)) << "freed for the first time";
  EXPECT_EQ(spare_mappings.Take(20 * kMiB, 1), nullptr);
  EXPECT_FALSE(Keep(start, 9 * kMiB)) << "another size was wanted";
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, 1), nullptr);
  EXPECT_TRUE(Keep(start, 9 * kMiB)) << "now it was";
  spare_mappings.ReleaseAll();
  EXPECT_FALSE(IsMapped(start));
}

TEST_F(SpareMappingsTest, TheLargerIsTrimmedTwiceAsLargeIsNotTaken) {
  Want({10 * kMiB});
  char* start = Map(10 * kMiB);
  ASSERT_TRUE(Keep(start, 10 * kMiB));
  EXPECT_EQ(spare_mappings.Take(5 * kMiB - 4096, kRegionBytes), nullptr);
  ASSERT_EQ(Count(), 1u);
  ASSERT_EQ(spare_mappings.Take(5 * kMiB, kRegionBytes), start);
  EXPECT_TRUE(IsMapped(start + 5 * kMiB - 4096));
  EXPECT_FALSE(IsMapped(start + 5 * kMiB));
  os::Unmap(start, 5 * kMiB);
}

TEST_F(SpareMappingsTest, TheSmallerGrowsWhereItIs) {
  char* start = KeepNineBefore(3 * kMiB);
  ASSERT_EQ(spare_mappings.Take(12 * kMiB, kRegionBytes), start);
  EXPECT_EQ(start[9 * kMiB - 4096], 1) << "as it was";
  EXPECT_EQ(start[12 * kMiB - 1], 0) << "accessible";
  EXPECT_EQ(Count(), 0u);
  os::Unmap(start, 12 * kMiB);
}

TEST_F(SpareMappingsTest, TheSmallerMovesWhereItCannotGrow) {
  char* start = KeepNineBefore(2 * kMiB);
  char* moved = spare_mappings.Take(12 * kMiB, kRegionBytes);
  ASSERT_NE(moved, nullptr);
  ASSERT_NE(moved, start);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(moved) % kRegionBytes, 0u);
  EXPECT_EQ(moved[9 * kMiB - 4096], 1) << "as it was";
  EXPECT_EQ(moved[12 * kMiB - 1], 0) << "accessible";
  EXPECT_FALSE(IsMapped(start));
  EXPECT_EQ(start[11 * kMiB], 1) << "what lay behind is not ours";
  os::Unmap(moved, 12 * kMiB);
  os::Unmap(start + 11 * kMiB, kMiB);
}

TEST_F(SpareMappingsTest, TheNearestIsTaken) {
  Want({13 * kMiB, 9 * kMiB});
  char* larger = Map(13 * kMiB);
  char* smaller = Map(9 * kMiB);
  ASSERT_TRUE(Keep(larger, 13 * kMiB));
  ASSERT_TRUE(Keep(smaller, 9 * kMiB));
  EXPECT_EQ(spare_mappings.Take(10 * kMiB, kRegionBytes), smaller);
  EXPECT_EQ(spare_mappings.Take(10 * kMiB, kRegionBytes), larger);
  os::Unmap(smaller, 10 * kMiB);
  os::Unmap(larger, 10 * kMiB);
}

TEST_F(SpareMappingsTest, AlignmentIsKept) {
  Want({9 * kMiB});
  char* start = Map(9 * kMiB);
  ASSERT_TRUE(Keep(start, 9 * kMiB));
  size_t alignment = kRegionBytes;
  while (reinterpret_cast<uintptr_t>(start) % alignment == 0) {
    alignment *= 2;
  }
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, alignment), nullptr);
  EXPECT_EQ(spare_mappings.Take(9 * kMiB, alignment / 2), start);
  os::Unmap(start, 9 * kMiB);
}

// A program that doubles an array: what it left behind never serves it again.
TEST_F(SpareMappingsTest, ARequestThatNoneServesReleasesTheSmaller) {
  Want({9 * kMiB});
  char* small = Map(9 * kMiB);
  ASSERT_TRUE(Keep(small, 9 * kMiB));
  EXPECT_EQ(spare_mappings.Take(4 * kMiB, kRegionBytes), nullptr);
  EXPECT_TRUE(IsMapped(small)) << "it may yet serve";
  EXPECT_EQ(spare_mappings.Take(18 * kMiB + 4096, kRegionBytes), nullptr);
  EXPECT_FALSE(IsMapped(small));
}

// Freed before the next is allocated: the size is known, and was not wanted again.
TEST_F(SpareMappingsTest, DoublingIsNoEvidence) {
  for (size_t bytes = kMiB - 4096; bytes < 30 * kMiB; bytes *= 2) {
    EXPECT_EQ(spare_mappings.Take(bytes, 1), nullptr);
    EXPECT_FALSE(Keep(nullptr, bytes)) << bytes;
  }
}

TEST_F(SpareMappingsTest, IsBounded) {
  EXPECT_FALSE(Keep(nullptr, kSpareBytesMax + 4096));
  Want({kSpareBytesMax, kMiB});
  char* first = Map(kSpareBytesMax);
  ASSERT_TRUE(Keep(first, kSpareBytesMax));
  char* second = Map(kMiB);
  ASSERT_TRUE(Keep(second, kMiB));
  EXPECT_FALSE(IsMapped(first)) << "the oldest made room";
  for (size_t i = 0; i < kSpareMappings; ++i) {
    EXPECT_TRUE(IsMapped(second));
    EXPECT_FALSE(Keep(nullptr, 2 * kMiB)) << "another size takes a place";
  }
  EXPECT_FALSE(IsMapped(second));
  EXPECT_EQ(Count(), 0u);
}

TEST_F(SpareMappingsTest, WhoHoldsMuchMayKeepMore) {
  const size_t live = 4 * kSpareBytesMax * kLiveBytesPerSpareByte;
  Want({kSpareBytesMax, kSpareBytesMax, kSpareBytesMax});
  char* first = Map(kSpareBytesMax);
  char* second = Map(kSpareBytesMax);
  ASSERT_TRUE(Keep(first, kSpareBytesMax, live));
  ASSERT_TRUE(Keep(second, kSpareBytesMax, live));
  EXPECT_EQ(Count(), 2u);
  char* third = Map(kSpareBytesMax);
  ASSERT_TRUE(Keep(third, kSpareBytesMax, 0)) << "it was freed since";
  EXPECT_EQ(Count(), 1u);
  EXPECT_TRUE(IsMapped(third));
}

TEST_F(SpareMappingsTest, AgesByTheClock) {
  Want({9 * kMiB});
  char* start = Map(9 * kMiB);
  ASSERT_TRUE(Keep(start, 9 * kMiB));
  spare_mappings.Age(kTicksPerDecay);
  EXPECT_TRUE(IsMapped(start));
  spare_mappings.Age(1);
  EXPECT_FALSE(IsMapped(start));
}

TEST_F(SpareMappingsTest, WithoutDecayNothingIsKept) {
  const auto saved = options.decay_ms;
  options.decay_ms = 0;
  EXPECT_FALSE(Keep(nullptr, kMiB));
  options.decay_ms = saved;
}

}  // namespace
}  // namespace tally
