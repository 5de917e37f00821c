// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/huge.h"

#include <string.h>

#include "allocator/check.h"
#include "allocator/geometry.h"
#include "allocator/mapped.h"
#include "allocator/metadata.h"
#include "allocator/os.h"
#include "allocator/region_map.h"
#include "allocator/spare_mappings.h"

namespace tally {

constinit HugeBlocks huge_blocks;

namespace {

size_t RoundToPages(size_t bytes) {
  const size_t page_bytes = os::PageBytes();
  return (bytes + page_bytes - 1) & ~(page_bytes - 1);
}

size_t GranuleOf(const void* p) { return reinterpret_cast<uintptr_t>(p) >> kRegionShift; }

}  // namespace

size_t HugeBlocks::HomeOf(const void* start) const {
  // Fibonacci hashing (Knuth 6.4): granules of neighbours must not pile up.
  return (GranuleOf(start) * 0x9e3779b97f4a7c15u >> 32) & (capacity_ - 1);
}

HugeBlock* HugeBlocks::FindLocked(const void* start) {
  if (capacity_ == 0) {
    return nullptr;
  }
  for (size_t i = HomeOf(start); table_[i].start != nullptr; i = (i + 1) & (capacity_ - 1)) {
    if (table_[i].start == start) {
      return &table_[i];
    }
  }
  return nullptr;
}

bool HugeBlocks::Widen() {
  const size_t capacity = capacity_ == 0 ? 32 : capacity_ * 2;
  auto* table = static_cast<HugeBlock*>(metadata.Allocate(capacity * sizeof(HugeBlock)));
  if (table == nullptr) {
    return false;
  }
  memset(static_cast<void*>(table), 0, capacity * sizeof(HugeBlock));
  HugeBlock* old = table_;
  const size_t old_capacity = capacity_;
  table_ = table;
  capacity_ = capacity;
  used_ = 0;
  live_bytes_ = 0;
  for (size_t i = 0; i < old_capacity; ++i) {
    if (old[i].start != nullptr) {
      Insert(old[i]);
    }
  }
  if (old != nullptr) {
    metadata.Free(old, old_capacity * sizeof(HugeBlock));
  }
  return true;
}

// REQUIRES: mutex_ held.
bool HugeBlocks::Insert(const HugeBlock& block) {
  if (used_ * 2 >= capacity_ && !Widen()) {
    return false;
  }
  size_t i = HomeOf(block.start);
  while (table_[i].start != nullptr) {
    i = (i + 1) & (capacity_ - 1);
  }
  table_[i] = block;
  ++used_;
  live_bytes_ += block.bytes;
  return true;
}

// Closes the gap (Knuth 6.4, algorithm R).
void HugeBlocks::RemoveLocked(HugeBlock* entry) {
  live_bytes_ -= entry->bytes;
  size_t hole = static_cast<size_t>(entry - table_);
  for (size_t i = (hole + 1) & (capacity_ - 1); table_[i].start != nullptr;
       i = (i + 1) & (capacity_ - 1)) {
    const size_t home = HomeOf(table_[i].start);
    if (((i - home) & (capacity_ - 1)) >= ((i - hole) & (capacity_ - 1))) {
      table_[hole] = table_[i];
      hole = i;
    }
  }
  table_[hole] = HugeBlock{};
  --used_;
}

void* HugeBlocks::Allocate(size_t bytes, size_t alignment, bool* is_zero) {
  const size_t mapped = RoundToPages(bytes);
  if (mapped < bytes) {
    return nullptr;
  }
  alignment = alignment < kRegionBytes ? kRegionBytes : alignment;
  char* start = spare_mappings.Take(mapped, alignment);
  *is_zero = start == nullptr;
  if (start == nullptr) {
    start = static_cast<char*>(os::Reserve(mapped, alignment));
    if (start == nullptr) {
      return nullptr;
    }
    if (!os::Commit(start, mapped)) {
      os::Unmap(start, mapped);
      return nullptr;
    }
  }
  if (region_map.Enter(start, mapped, Granule::kHuge, Granule::kHugeInner)) {
    const MutexLock lock(mutex_);
    if (Insert({start, mapped, bytes})) {
      mapped::Add(mapped);
      counts_.allocated.fetch_add(1, std::memory_order_relaxed);
      return start;
    }
    region_map.Clear(start, mapped);
  }
  os::Unmap(start, mapped);
  return nullptr;
}

bool HugeBlocks::Free(void* start) {
  HugeBlock block;
  size_t live_bytes = 0;
  {
    const MutexLock lock(mutex_);
    HugeBlock* entry = FindLocked(start);
    if (entry == nullptr) {
      return false;
    }
    block = *entry;
    RemoveLocked(entry);
    live_bytes = live_bytes_;
  }
  counts_.freed.fetch_add(1, std::memory_order_relaxed);
  mapped::Remove(block.bytes);
  region_map.Clear(block.start, block.bytes);
  if (!spare_mappings.Keep(block.start, block.bytes, live_bytes)) {
    os::UnmapOrPurge(block.start, block.bytes);
  }
  return true;
}

bool HugeBlocks::Find(const void* start, HugeBlock* found) {
  const MutexLock lock(mutex_);
  const HugeBlock* entry = FindLocked(start);
  if (entry != nullptr) {
    *found = *entry;
  }
  return entry != nullptr;
}

bool HugeBlocks::Covers(const void* p) {
  const MutexLock lock(mutex_);
  bool is_inside = false;
  ForEach([&](const HugeBlock& block) {
    is_inside |= p >= block.start && p < block.start + block.bytes;
  });
  return is_inside;
}

// Where address space is too short for a move, there may be some right behind.
bool HugeBlocks::GrowAcrossGranules(const HugeBlock& old, size_t bytes) {
  if (!os::GrowInPlace(old.start, old.bytes, bytes)) {
    return false;
  }
  const size_t known = (old.bytes + kRegionBytes - 1) & ~(kRegionBytes - 1);
  if (region_map.Enter(old.start + known, bytes - known, Granule::kHugeInner,
                       Granule::kHugeInner)) {
    return true;
  }
  os::Unmap(old.start + old.bytes, bytes - old.bytes);
  return false;
}

void* HugeBlocks::MoveTo(const HugeBlock& old, size_t bytes, size_t request_bytes) {
  auto* start = static_cast<char*>(os::ReserveForMove(bytes, kRegionBytes, bytes - old.bytes));
  if (start == nullptr) {
    return nullptr;
  }
  if (!region_map.Enter(start, bytes, Granule::kHuge, Granule::kHugeInner)) {
    os::Unmap(start, bytes);
    return nullptr;
  }
  const MutexLock lock(mutex_);
  HugeBlock* entry = FindLocked(old.start);
  CHECK(entry != nullptr);
  region_map.Clear(old.start, old.bytes);
  if (!os::Move(old.start, old.bytes, start, bytes)) {
    // Nothing moved. The reservation may be gone or not: it is left alone.
    region_map.Restore(old.start, old.bytes, Granule::kHuge, Granule::kHugeInner);
    region_map.Clear(start, bytes);
    return nullptr;
  }
  RemoveLocked(entry);
  mapped::Add(bytes - old.bytes);
  CHECK(Insert({start, bytes, request_bytes}));  // one fewer than before: no need to widen
  counts_.allocated.fetch_add(1, std::memory_order_relaxed);
  counts_.freed.fetch_add(1, std::memory_order_relaxed);
  return start;
}

void* HugeBlocks::Resize(void* start, size_t bytes) {
  const size_t mapped = RoundToPages(bytes);
  HugeBlock old;
  if (mapped < bytes || !Find(start, &old)) {
    return nullptr;
  }
  const bool same_granules =
      GranuleOf(old.start + old.bytes - 1) == GranuleOf(old.start + mapped - 1);
  bool is_done = mapped == old.bytes;
  if (mapped > old.bytes && same_granules) {
    is_done = os::GrowInPlace(old.start, old.bytes, mapped);
  } else if (mapped < old.bytes) {
    if (!same_granules) {
      const size_t keep = (mapped + kRegionBytes - 1) & ~(kRegionBytes - 1);
      region_map.Clear(old.start + keep, old.bytes - keep);
    }
    os::UnmapOrPurge(old.start + mapped, old.bytes - mapped);
    is_done = true;
  }
  if (!is_done) {
    void* moved = MoveTo(old, mapped, bytes);
    if (moved != nullptr || same_granules || !GrowAcrossGranules(old, mapped)) {
      return moved;
    }
  }
  const MutexLock lock(mutex_);
  HugeBlock* entry = FindLocked(start);
  CHECK(entry != nullptr);
  // Modulo 2^64: less, where it shrinks.
  mapped::Add(mapped - entry->bytes);
  live_bytes_ += mapped - entry->bytes;
  entry->bytes = mapped;
  entry->request_bytes = bytes;
  return start;
}

}  // namespace tally
