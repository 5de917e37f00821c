// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The table of keys alone: what its window covers, what it says of strangers, and how it does where
// the system gives less than was asked for.

#include "allocator/key_table.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "allocator/heap.h"
#include "allocator/huge.h"
#include "allocator/os.h"
#include "allocator/region.h"
#include "tests/fake_os.h"

namespace tally::testing {
namespace {

class KeyTableTest : public ::testing::Test {
 protected:
  ~KeyTableTest() override {
    FakeOs::Reset();
    const KeyWindow window = table_.Window(near_);
    if (window.pool_count != 0) {
      os::Unmap(const_cast<std::atomic<PoolKey>*>(window.table),
                window.pool_count * sizeof(PoolKey));
    }
    os::Unmap(near_, kNearBytes);
  }
  KeyTable table_;
  // Where the system maps things; a sanitizer's heap lies elsewhere.
  static constexpr size_t kNearBytes = 64 * 1024;
  void* near_ = os::Map(kNearBytes);
};

bool Covers(const KeyWindow& window, const void* p) {
  return window.IndexOf(p) < window.pool_count;
}

// root may map the page at address zero, where others fault.
TEST(KeyTable, NoWindowHoldsAddressZero) {
  KeyTable low;
  const KeyWindow window =
      low.Window(reinterpret_cast<void*>(kKeyWindowBytes / 4 * 3 + (uintptr_t{1} << 20)));
  EXPECT_FALSE(Covers(window, nullptr));
  unsigned char state = 0;
  EXPECT_FALSE(os::ResidentPages(nullptr, kPoolBytes, &state)) << "something is mapped there";
  if (window.pool_count != 0) {
    os::Unmap(const_cast<std::atomic<PoolKey>*>(window.table), window.pool_count * sizeof(PoolKey));
  }
}

TEST_F(KeyTableTest, TheWindowCoversWhatIsMappedNearby) {
  const KeyWindow window = table_.Window(near_);
  // Half, where the process's own table is in the place.
  const size_t bytes = window.pool_count * kPoolBytes;
  EXPECT_TRUE(bytes == kKeyWindowBytes || bytes == kKeyWindowBytes / 2) << bytes;
  const auto* table = reinterpret_cast<const char*>(window.table);
  const auto* near = static_cast<const char*>(near_);
  EXPECT_TRUE(Covers(window, near));
  EXPECT_TRUE(Covers(window, near + bytes / 5));
  EXPECT_TRUE(Covers(window, near - bytes / 2));
  EXPECT_TRUE(Covers(window, table));
  EXPECT_FALSE(Covers(window, table - 1));
  EXPECT_TRUE(Covers(window, table + bytes - 1));
  EXPECT_FALSE(Covers(window, table + bytes));
  EXPECT_FALSE(Covers(window, nullptr));
  EXPECT_FALSE(Covers(window, reinterpret_cast<void*>(~uintptr_t{0})));
  EXPECT_FALSE(Covers(KeyWindow{}, near));
  EXPECT_EQ(table_.Window(nullptr).table, window.table) << "it is made once";
}

// Or gcore writes a file of 512 MiB for any process.
TEST_F(KeyTableTest, OnlyRegionsKeysAreDumped) {
  const KeyWindow window = table_.Window(near_);
  ASSERT_NE(window.table, nullptr);
  const auto is_dumped = [](const void* p) {
    std::ifstream smaps("/proc/self/smaps");
    bool is_its = false;
    for (std::string line; std::getline(smaps, line);) {
      uintptr_t start = 0;
      uintptr_t end = 0;
      if (sscanf(line.c_str(), "%lx-%lx ", &start, &end) == 2) {
        is_its = reinterpret_cast<uintptr_t>(p) >= start && reinterpret_cast<uintptr_t>(p) < end;
      } else if (is_its && line.starts_with("VmFlags:")) {
        return line.find(" dd") == std::string::npos;
      }
    }
    ADD_FAILURE() << "no mapping there";
    return false;
  };
  EXPECT_FALSE(is_dumped(window.table));
  const char* region = reinterpret_cast<const char*>(window.table) + 8 * kRegionBytes;
  std::atomic<PoolKey>* keys = table_.AddRegion(region);
  ASSERT_NE(keys, nullptr);
  EXPECT_TRUE(is_dumped(keys));
}

TEST_F(KeyTableTest, RegionsHaveTheirKeysInTheWindow) {
  const tally::Run run = regions.Take(1, 1);
  ASSERT_NE(run.first, nullptr);
  Region* region = Region::Of(run.first);
  const KeyWindow window = key_table.Window(near_);
  EXPECT_EQ(region->keys, window.table + window.IndexOf(region));
  region->keys[run.first->index()] = 77;
  EXPECT_EQ(FindKey(window, run.first->start()), 77u);
  EXPECT_EQ(FindKey(window, run.first->start() + kPoolBytes - 1), 77u);
  EXPECT_EQ(FindKey(window, run.first->start() + kPoolBytes), kNoKey);
  EXPECT_EQ(FindKey(KeyWindow{}, run.first->start()), 77u) << "by the region map";
  region->keys[run.first->index()] = kNoKey;
  regions.GiveBack(run.first, 1);
}

TEST_F(KeyTableTest, StrangersHaveNoKey) {
  const KeyWindow window = key_table.Window(near_);
  bool is_zero = false;
  void* huge = huge_blocks.Allocate(kRegionBytes, 1, &is_zero);
  ASSERT_NE(huge, nullptr);
  int local = 0;
  for (const void* p : {static_cast<const void*>(nullptr), static_cast<const void*>(&local),
                        static_cast<const void*>(huge), static_cast<const void*>(window.table),
                        reinterpret_cast<const void*>(~uintptr_t{0})}) {
    EXPECT_EQ(FindKey(window, p), kNoKey) << p;
    EXPECT_EQ(FindKey(KeyWindow{}, p), kNoKey) << p;
  }
  EXPECT_TRUE(huge_blocks.Free(huge));
}

TEST_F(KeyTableTest, TakesALittleOfALimitedAddressSpace) {
  constexpr uint64_t kLimit = uint64_t{1} << 30;
  FakeOs::LimitAddressSpace(kLimit);
  const KeyWindow window = table_.Window(near_);
  const uint64_t bytes = window.pool_count * sizeof(PoolKey);
  EXPECT_LE(bytes, os::AddressSpaceMax() / 64);
  EXPECT_GE(window.pool_count * kPoolBytes, 8 * kLimit);
}

TEST_F(KeyTableTest, ShrinksWhereTheSystemRefuses) {
  FakeOs::LimitReservation(size_t{1} << 20);
  EXPECT_EQ(table_.Window(near_).pool_count * sizeof(PoolKey), size_t{1} << 20);
}

TEST_F(KeyTableTest, RegionsOutsideTheWindowHaveKeysOfTheirOwn) {
  FakeOs::LimitReservation(0);
  EXPECT_EQ(table_.Window(near_).pool_count, 0u);
  std::atomic<PoolKey>* keys = table_.AddRegion(reinterpret_cast<void*>(kRegionBytes));
  ASSERT_NE(keys, nullptr);
  for (size_t i = 0; i < kPoolsPerRegion; ++i) {
    ASSERT_EQ(keys[i].load(), kNoKey);
  }
  keys[kPoolsPerRegion - 1] = 1;
}

// Where an OS page holds several regions' keys, a region does not wipe out its neighbour's.
TEST_F(KeyTableTest, LargePagesAreMadeWritableOnce) {
  const KeyWindow window = table_.Window(near_);
  // Four granules that share a page, and that nobody maps.
  char* first = const_cast<char*>(reinterpret_cast<const char*>(window.table)) + 64 * kRegionBytes;
  for (size_t i = 0; i < 4; ++i) {
    char* region = first + i * kRegionBytes;
    FakeOs::SetPageBytes(64 * 1024);
    std::atomic<PoolKey>* keys = table_.AddRegion(region);
    FakeOs::Reset();  // the region map has pages of the true size already
    ASSERT_NE(keys, nullptr);
    ASSERT_TRUE(region_map.Enter(region, kRegionBytes, Granule::kPools, Granule::kPools));
    keys[0] = static_cast<PoolKey>(i + 1);
  }
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(FindKey(window, first + i * kRegionBytes), i + 1);
  }
  region_map.Clear(first, 4 * kRegionBytes);
}

}  // namespace
}  // namespace tally::testing
