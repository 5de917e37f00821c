// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/region_map.h"

#include "allocator/os.h"

namespace tally {

// Whole OS pages of any kernel, so that they can be replaced.
alignas(64 * 1024) uint8_t region_map_bytes[kRegionMapBytes];
constinit RegionMap region_map;

namespace {

size_t GranuleOf(const void* p) { return reinterpret_cast<uintptr_t>(p) >> kRegionShift; }

void StoreAll(size_t begin, size_t last, Granule first, Granule rest) {
  for (size_t i = begin; i <= last; ++i) {
    __atomic_store_n(&region_map_bytes[i], static_cast<uint8_t>(i == begin ? first : rest),
                     __ATOMIC_RELAXED);
  }
}

}  // namespace

// Releases the array's commit charge, before its first entry. REQUIRES: mutex_ held.
void RegionMap::Start() {
  is_started_ = true;
  // A refusal costs commit charge, no correctness: the array stays as the loader made it.
  os::MapZeroReadOnly(region_map_bytes, sizeof(region_map_bytes));
}

bool RegionMap::MakeWritable(size_t first, size_t last) {
  const size_t page_bytes = os::PageBytes();
  for (size_t page = first & ~(page_bytes - 1); page <= last; page += page_bytes) {
    bool is_empty = true;
    // A page with an entry is writable already; only an empty one may still be read-only.
    for (size_t i = page; is_empty && i < page + page_bytes; i += sizeof(uint64_t)) {
      is_empty = *reinterpret_cast<const uint64_t*>(&region_map_bytes[i]) == 0;
    }
    if (is_empty && !os::Commit(&region_map_bytes[page], page_bytes)) {
      return false;
    }
  }
  return true;
}

bool RegionMap::Enter(const void* start, size_t bytes, Granule first, Granule rest) {
  const size_t begin = GranuleOf(start);
  const size_t last = GranuleOf(static_cast<const char*>(start) + bytes - 1);
  CHECK(last < kRegionMapBytes);
  const MutexLock lock(mutex_);
  if (!is_started_) {
    Start();
  }
  if (!MakeWritable(begin, last)) {
    return false;
  }
  StoreAll(begin, last, first, rest);
  return true;
}

void RegionMap::Restore(const void* start, size_t bytes, Granule first, Granule rest) {
  const MutexLock lock(mutex_);
  StoreAll(GranuleOf(start), GranuleOf(static_cast<const char*>(start) + bytes - 1), first, rest);
}

void RegionMap::Clear(const void* start, size_t bytes) {
  Restore(start, bytes, Granule::kNothing, Granule::kNothing);
}

}  // namespace tally
