// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Pages back to the system: after the decay time, at once, and only what is free. The clock is the
// test's.

#include "allocator/purge.h"

#include <gtest/gtest.h>

#include <cstring>

#include "allocator/first_touch.h"
#include "allocator/mapped.h"
#include "allocator/options.h"
#include "allocator/os.h"
#include "tests/fake_os.h"

namespace tally {
namespace {

using testing::FakeOs;
using testing::OsCall;

// Tests start on whole decay times of their own, in order.
class PurgeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    FakeOs::Reset();
    options.decay_ms = 1000;
    origin_ms_ += 1000000;
    At(0);
  }
  static void At(uint64_t ms) {
    FakeOs::SetClock(origin_ms_ + ms);
    purger.Tick();
  }
  // A free run of ten dirty pools.
  static Pool* FreeRun() {
    const tally::Run run = regions.Take(10, 64);
    memset(run.first->start(), 'x', kBytes);
    regions.GiveBack(run.first, 10);
    return run.first;
  }
  static uint64_t Resident(Pool* run) { return os::ResidentBytes(run->start(), kBytes); }

  static constexpr size_t kBytes = 10 * kPoolBytes;
  static inline uint64_t origin_ms_ = 0;
};

TEST_F(PurgeTest, FreePoolsStayHalfTheDecayTimeAndGoWithinAllOfIt) {
  Pool* run = FreeRun();
  for (uint64_t ms = 0; ms < 500; ms += 25) {
    At(ms);
    ASSERT_EQ(Resident(run), kBytes) << ms;
  }
  for (uint64_t ms = 500; ms <= 1125; ms += 25) {
    At(ms);
  }
  EXPECT_EQ(Resident(run), 0u);
}

TEST_F(PurgeTest, TakenPoolsStay) {
  const tally::Run run = regions.Take(10, 64);
  memset(run.first->start(), 'x', kBytes);
  for (uint64_t ms = 0; ms <= 5000; ms += 25) {
    At(ms);
  }
  purger.PurgeAll();
  EXPECT_EQ(Resident(run.first), kBytes);
  EXPECT_EQ(run.first->start()[kBytes - 1], 'x');
  regions.GiveBack(run.first, 10);
}

// Used again in between, a pool's age starts anew.
TEST_F(PurgeTest, UseMakesYoung) {
  for (uint64_t ms = 0; ms <= 4000; ms += 25) {
    At(ms);
    if (ms % 400 == 0) {
      ASSERT_EQ(Resident(FreeRun()), kBytes);
    }
  }
  At(4100);
  EXPECT_EQ(Resident(FreeRun()), kBytes);
}

TEST_F(PurgeTest, PurgeAllGoesAtOnceAndOnlyOnce) {
  purger.PurgeAll();
  Pool* run = FreeRun();
  const uint64_t before = purger.purged_bytes();
  EXPECT_EQ(purger.PurgeAll(), kBytes);
  EXPECT_EQ(purger.purged_bytes(), before + kBytes);
  EXPECT_EQ(Resident(run), 0u);
  EXPECT_EQ(purger.PurgeAll(), 0u) << "what is purged is not dirty";
}

// What is touched for the first time adds up, and is then worth as much of what is free.
TEST_F(PurgeTest, WayIsMadeByTheYoungestFreePoolsAndNoMoreThanAsked) {
  constexpr size_t kWayBytes = 16 * kArenaBytes;
  constexpr size_t kPools = kWayBytes / kPoolBytes;
  const tally::Run older = regions.Take(kPools, 1);
  const tally::Run younger = regions.Take(kPools, 1);
  ASSERT_LT(older.first, younger.first);
  for (const tally::Run& run : {older, younger}) {
    regions.GiveBack(run.first, kPools);
  }
  purger.PurgeAll();
  const uint64_t worth_it = mapped::NowBytes() / kMappedPerWay;
  purger.MakeWay(worth_it);  // and nothing adds up from before
  for (const tally::Run& run : {older, younger}) {
    ASSERT_EQ(regions.Take(kPools, 1).first, run.first);
    memset(run.first->start(), 'x', kWayBytes);
  }
  for (const tally::Run& run : {older, younger}) {
    regions.GiveBack(run.first, kPools);
  }
  const auto resident = [](const tally::Run& run) {
    return os::ResidentBytes(run.first->start(), kWayBytes);
  };
  purger.MakeWay(worth_it / 2);
  EXPECT_EQ(resident(older) + resident(younger), 2 * kWayBytes) << "not worth it yet";
  purger.MakeWay(kWayBytes - worth_it / 2);
  EXPECT_EQ(resident(younger), 0u);
  EXPECT_EQ(resident(older), kWayBytes);
  purger.MakeWay(100 * kWayBytes);
  EXPECT_EQ(resident(older), 0u);
}

TEST_F(PurgeTest, WherePageFaultsTakeLongIdlePoolsMakeWayLater) {
  const tally::Run run = regions.Take(kPoolsPerArena, 1);
  memset(run.first->start(), 'x', kArenaBytes);
  const auto faults_take_ns = [](uint64_t ns) {
    static char page[kPoolBytes];
    FakeOs::SetDuration(ns);
    for (int i = 0; i < 50; ++i) {
      first_touch.TimePage(page);
    }
  };
  purger.MakeWay(mapped::NowBytes());  // nothing adds up from before
  regions.GiveBack(run.first, kPoolsPerArena);
  const auto resident = [&] { return os::ResidentBytes(run.first->start(), kArenaBytes); };
  faults_take_ns(11000);
  purger.MakeWay(mapped::NowBytes() / 2);
  EXPECT_EQ(resident(), kArenaBytes);
  faults_take_ns(800);
  purger.MakeWay(mapped::NowBytes() / kMappedPerWay);
  EXPECT_EQ(resident(), 0u);
}

TEST_F(PurgeTest, DescriptorsGoWithTheLastPoolOfAnArena) {
  if (os::PageBytes() > kPoolsPerArena * kDescriptorBytes) {
    GTEST_SKIP() << "an arena's descriptors are no whole page here";
  }
  const tally::Run run = regions.Take(kPoolsPerArena, kPoolsPerArena);
  ASSERT_NE(run.first, nullptr);
  run.first->request_bytes = 1;
  run.first->start()[0] = 'x';
  regions.GiveBack(run.first + 1, kPoolsPerArena - 1);
  purger.PurgeAll();
  const auto resident = [&] { return os::ResidentBytes(run.first, kPoolBytes); };
  EXPECT_EQ(resident(), kPoolBytes) << "one pool is in use";
  regions.GiveBack(run.first, 1);
  purger.PurgeAll();
  EXPECT_EQ(resident(), 0u);
  EXPECT_EQ(run.first->request_bytes, 0u) << "it can be looked at";
  const tally::Run again = regions.Take(kPoolsPerArena, kPoolsPerArena);
  ASSERT_EQ(again.first, run.first);
  again.first->request_bytes = 1;
  regions.GiveBack(again.first, kPoolsPerArena);
  for (uint64_t ms = 0; ms <= 2000; ms += 25) {
    At(ms);
  }
  EXPECT_EQ(os::ResidentBytes(run.first->start(), kPoolBytes), 0u);
  EXPECT_EQ(resident(), 0u) << "by the clock as well";
}

TEST_F(PurgeTest, PurgedPoolsAreZero) {
  FreeRun();
  purger.PurgeAll();
  const tally::Run run = regions.Take(10, 64);
  EXPECT_TRUE(run.is_zero);
  for (size_t i = 0; i < kBytes; ++i) {
    ASSERT_EQ(run.first->start()[i], 0);
  }
  regions.GiveBack(run.first, 10);
}

TEST_F(PurgeTest, ARefusedPurgeLeavesThePoolsDirty) {
  purger.PurgeAll();
  Pool* run = FreeRun();
  FakeOs::RefuseKind(OsCall::kPurge, 1, testing::kNever);
  EXPECT_EQ(purger.PurgeAll(), 0u);
  EXPECT_EQ(Resident(run), kBytes);
  const tally::Run again = regions.Take(10, 64);
  EXPECT_FALSE(again.is_zero);
  regions.GiveBack(again.first, 10);
  FakeOs::Reset();
  EXPECT_EQ(purger.PurgeAll(), kBytes);
}

TEST_F(PurgeTest, NeighboursGoInOneCall) {
  purger.PurgeAll();
  Pool* run = FreeRun();
  const tally::Run other = regions.Take(1, 64);  // or the descriptors would go as well
  ASSERT_EQ(other.first, run);
  const uint64_t before = FakeOs::CallsOf(OsCall::kPurge);
  purger.PurgeAll();
  EXPECT_EQ(FakeOs::CallsOf(OsCall::kPurge), before + 1);
  regions.GiveBack(other.first, 1);
}

TEST_F(PurgeTest, WithoutDecayATickPurges) {
  options.decay_ms = 0;
  Pool* run = FreeRun();
  purger.Tick();
  EXPECT_EQ(Resident(run), 0u);
}

TEST_F(PurgeTest, TheTickIsTheClocks) {
  At(3000);
  const uint64_t tick = purger.Tick();
  EXPECT_EQ(purger.Tick(), tick);
  FakeOs::SetClock(origin_ms_ + 3125);
  EXPECT_EQ(purger.Tick(), tick + 1);
  FakeOs::SetClock(origin_ms_ + 100);
  EXPECT_EQ(purger.Tick(), tick + 1) << "it never goes back";
}

}  // namespace
}  // namespace tally
