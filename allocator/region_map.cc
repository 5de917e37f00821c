// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/region_map.h"

#include "allocator/os.h"

namespace tally {

constinit RegionMap region_map{};

void RegionMap::Start() {
  // A refusal costs commit charge, no correctness: the array stays as the loader made it.
  os::MapZeroReadOnly(bytes_, sizeof(bytes_));
}

bool RegionMap::MakeWritable(size_t first, size_t last) {
  const size_t page_bytes = os::PageBytes();
  for (size_t page = first & ~(page_bytes - 1); page <= last; page += page_bytes) {
    bool is_empty = true;
    // A page with an entry is writable already; only an empty one may still be read-only.
    for (size_t i = page; is_empty && i < page + page_bytes; i += sizeof(uint64_t)) {
      is_empty = *reinterpret_cast<const uint64_t*>(&bytes_[i]) == 0;
    }
    if (is_empty && !os::Commit(&bytes_[page], page_bytes)) {
      return false;
    }
  }
  return true;
}

bool RegionMap::Enter(const void* start, size_t bytes, Granule first, Granule rest) {
  const size_t begin = reinterpret_cast<uintptr_t>(start) >> kRegionShift;
  const size_t last = (reinterpret_cast<uintptr_t>(start) + bytes - 1) >> kRegionShift;
  CHECK(last < kRegionMapBytes);
  const MutexLock lock(mutex_);
  if (!MakeWritable(begin, last)) {
    return false;
  }
  for (size_t i = begin; i <= last; ++i) {
    bytes_[i].store(static_cast<uint8_t>(i == begin ? first : rest), std::memory_order_relaxed);
  }
  return true;
}

void RegionMap::Clear(const void* start, size_t bytes) {
  const size_t begin = reinterpret_cast<uintptr_t>(start) >> kRegionShift;
  const size_t last = (reinterpret_cast<uintptr_t>(start) + bytes - 1) >> kRegionShift;
  const MutexLock lock(mutex_);
  for (size_t i = begin; i <= last; ++i) {
    bytes_[i].store(0, std::memory_order_relaxed);
  }
}

}  // namespace tally
