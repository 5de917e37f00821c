// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/key_table.h"

#include <bit>

#include "allocator/os.h"
#include "allocator/region_map.h"

namespace tally {

constinit KeyTable key_table;

namespace {

constexpr size_t kAddressesPerTableByte = kPoolBytes / sizeof(PoolKey);
constexpr size_t kBytesMax = kKeyWindowBytes / kAddressesPerTableByte;
// A page of any kernel, and whole regions' keys. Windows begin at multiples of what it covers, so
// that the regions whose keys share a page lie side by side.
constexpr size_t kBytesMin = 64 * 1024;
constexpr size_t kWindowAlignment = kBytesMin * kAddressesPerTableByte;
static_assert(kBytesMin % kKeyBytes == 0);

// A process whose address space is limited gives the table at most this part of it; its window is
// then several times what the process may ever map.
constexpr uint64_t kLimitPerTableByte = 64;

// Whether one of `regions` side by side, other than `but`, is there already.
bool IsAnyThere(const char* first, size_t regions, const char* but) {
  for (size_t i = 0; i < regions; ++i) {
    const char* region = first + i * kRegionBytes;
    if (region != but && region_map.Lookup(region) == Granule::kPools) {
      return true;
    }
  }
  return false;
}

}  // namespace

// REQUIRES: mutex_ held.
void KeyTable::Start(uintptr_t near) {
  is_started_ = true;
  const uint64_t most = os::AddressSpaceMax() / kLimitPerTableByte;
  size_t bytes = most < kBytesMax ? std::bit_floor(most) : kBytesMax;
  for (; bytes >= kBytesMin; bytes /= 2) {
    const size_t below = bytes * kAddressesPerTableByte / 4 * 3;
    if (near < below + kWindowAlignment) {  // the window would hold address zero
      continue;
    }
    auto* table = reinterpret_cast<void*>((near - below) & ~(kWindowAlignment - 1));
    if (os::PlaceZeroReadOnly(table, bytes)) {
      window_ = {static_cast<const std::atomic<PoolKey>*>(table), bytes / sizeof(PoolKey)};
      return;
    }
  }
}

KeyWindow KeyTable::Window(const void* near) {
  const MutexLock lock(mutex_);
  if (!is_started_) {
    Start(reinterpret_cast<uintptr_t>(near));
  }
  return window_;
}

std::atomic<PoolKey>* KeyTable::AddRegion(const void* start) {
  const KeyWindow window = Window(start);
  const uintptr_t index = window.IndexOf(start);
  if (index >= window.pool_count) {
    return static_cast<std::atomic<PoolKey>*>(os::Map(kKeyBytes));
  }
  auto* keys = const_cast<std::atomic<PoolKey>*>(window.table) + index;
  // A larger OS page holds several regions' keys: the first of them makes it writable.
  const size_t page_bytes = os::PageBytes() > kKeyBytes ? os::PageBytes() : kKeyBytes;
  const size_t in_page = reinterpret_cast<uintptr_t>(keys) & (page_bytes - 1);
  const auto* region = static_cast<const char*>(start);
  const char* first = region - in_page / kKeyBytes * kRegionBytes;
  const bool is_writable = IsAnyThere(first, page_bytes / kKeyBytes, region) ||
                           os::Commit(reinterpret_cast<char*>(keys) - in_page, page_bytes);
  return is_writable ? keys : nullptr;
}

}  // namespace tally
