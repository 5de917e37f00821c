// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/first_touch.h"

#include <gtest/gtest.h>

#include "allocator/geometry.h"
#include "allocator/options.h"
#include "allocator/os.h"
#include "allocator/region.h"
#include "tests/fake_os.h"

namespace tally {
namespace {

using testing::FakeOs;
using testing::OsCall;

constexpr size_t kMib = size_t{1} << 20;
constexpr size_t kStretchBytes = kHugePageArenas * kArenaBytes;

class FirstTouchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    FakeOs::Reset();
    start_ = static_cast<char*>(os::Reserve(16 * kMib, kStretchBytes));
    ASSERT_NE(start_, nullptr);
    ASSERT_TRUE(os::Commit(start_, 16 * kMib));
  }
  void TearDown() override {
    FakeOs::Reset();
    os::Unmap(start_, 16 * kMib);
  }

  void TimePages(int count, uint64_t ns) {
    FakeOs::SetDuration(ns);
    for (int i = 0; i < count; ++i) {
      touch_.TimePage(start_);
    }
  }
  // How many of `tries` huge pages are asked for where touching one takes so long.
  uint64_t HugePages(int tries, uint64_t ns) {
    FakeOs::SetDuration(ns);
    const uint64_t before = FakeOs::CallsOf(OsCall::kAdviseHugePages);
    for (int i = 0; i < tries; ++i) {
      touch_.TryHugePage(start_, true);
    }
    return FakeOs::CallsOf(OsCall::kAdviseHugePages) - before;
  }

  FirstTouch touch_;
  char* start_ = nullptr;
};

TEST_F(FirstTouchTest, PagesAreDearWhereFaultsTakeLong) {
  EXPECT_FALSE(touch_.ArePagesDear());
  TimePages(100, 800);
  EXPECT_FALSE(touch_.ArePagesDear());
  TimePages(100, 11000);
  EXPECT_TRUE(touch_.ArePagesDear());
  TimePages(100, 800);
  EXPECT_FALSE(touch_.ArePagesDear());
}

TEST_F(FirstTouchTest, OneLongTouchProvesNothing) {
  TimePages(1, 25000);
  EXPECT_FALSE(touch_.ArePagesDear());
  TimePages(1, 90000);
  EXPECT_FALSE(touch_.ArePagesDear());
}

TEST_F(FirstTouchTest, WhatWasNoPageFaultDoesNotCount) {
  TimePages(100, 11000);
  TimePages(100, 50);  // the page was there
  EXPECT_TRUE(touch_.ArePagesDear());
  TimePages(100, 800);
  TimePages(100, 3000000);  // a huge one
  EXPECT_FALSE(touch_.ArePagesDear());
  TimePages(100, 60000);  // a huge one whose memory was in use a moment ago
  EXPECT_FALSE(touch_.ArePagesDear());
}

TEST_F(FirstTouchTest, PagesAreMappedTogether) {
  touch_.MapPages(start_, 16 * kPoolBytes);
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kMapPages), 1u);
  EXPECT_EQ(os::ResidentBytes(start_, 32 * kPoolBytes), 16 * kPoolBytes);
  EXPECT_EQ(start_[5 * kPoolBytes], 0);
}

TEST_F(FirstTouchTest, ASystemThatCannotMapIsAskedOnce) {
  FakeOs::RefuseKind(OsCall::kMapPages, 1, 1);
  touch_.MapPages(start_, 16 * kPoolBytes);
  touch_.MapPages(start_, 16 * kPoolBytes);
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kMapPages), 1u);
  EXPECT_EQ(os::ResidentBytes(start_, 16 * kPoolBytes), 0u);
}

TEST_F(FirstTouchTest, AHugePageMayTakeAsLongAsTwiceItsSmallOnes) {
  constexpr uint64_t kHugeNs = 4000000;
  TimePages(100, 5000);
  EXPECT_EQ(HugePages(5, kHugeNs), 5u);
  TimePages(100, 800);
  EXPECT_LT(HugePages(8, kHugeNs), 8u);  // a slow one, and a pause
}

// The first region of this process: nobody has taken a pool before.
TEST_F(FirstTouchTest, AGrowingClassGetsItsPagesByGroups) {
  const auto take = [](Regions::Use use) { return regions.TakeAdjacent(1, 1, use).first->start(); };
  take(Regions::Use::kPerhaps);
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kMapPages), 0u);
  const size_t group = PoolsAhead(0, 1);
  char* first = nullptr;  // of the next group
  do {
    first = take(Regions::Use::kPerhaps);
  } while (reinterpret_cast<uintptr_t>(first + kPoolBytes) % (group * kPoolBytes) != 0);
  first = take(Regions::Use::kSoon);
  EXPECT_EQ(os::ResidentBytes(first, 2 * group * kPoolBytes), group * kPoolBytes);
  for (size_t i = 1; i < group; ++i) {
    EXPECT_EQ(take(Regions::Use::kSoon), first + i * kPoolBytes);
  }
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kMapPages), 1u);
  take(Regions::Use::kSoon);
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kMapPages), 2u);
}

TEST_F(FirstTouchTest, DescriptorsLieInHugePagesOnceTheyAreFew) {
  EXPECT_FALSE(touch_.WantsHugeHead(kHugePageHeadRegionFirst - 1));
  EXPECT_TRUE(touch_.WantsHugeHead(kHugePageHeadRegionFirst));
  TimePages(100, 11000);
  EXPECT_FALSE(touch_.WantsHugeHead(0));
  EXPECT_TRUE(touch_.WantsHugeHead(kHugePageRegionFirst));
  options.thp = false;
  EXPECT_FALSE(touch_.WantsHugeHead(kHugePageHeadRegionFirst));
  options.thp = true;
}

TEST_F(FirstTouchTest, ACopyGetsItsPagesTogether) {
  touch_.PrepareToFill(start_, kMib, 100 * kPoolBytes);
  EXPECT_EQ(os::ResidentBytes(start_, kMib), 100 * kPoolBytes);
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kAdviseHugePages), 0u);
}

TEST_F(FirstTouchTest, WherePagesAreDearABlockMayHaveHugeOnes) {
  TimePages(100, 11000);
  touch_.PrepareToFill(start_, 2 * kMib, 0);
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kAdviseHugePages), 0u);
  touch_.PrepareToFill(start_, 8 * kMib, 0);
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kAdviseHugePages), 1u);
  options.thp = false;
  touch_.PrepareToFill(start_, 8 * kMib, 0);
  options.thp = true;
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kAdviseHugePages), 1u);
}

}  // namespace
}  // namespace tally
