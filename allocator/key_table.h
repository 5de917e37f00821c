// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Where the keys of pools lie (pool_key.h says what is in them): in one table over a window of the
// address space that it begins itself, so that free finds any address's key by one subtraction.
//
//   key(p) = table[(p - table) >> 12]     where that index is below pool_count
//
// The window is 512 GiB, less where address space is short. The system puts mappings side by side:
// the table goes where three quarters of its window end at those that are there. It can only be
// read, and costs neither memory nor commit charge, but for the 16 KiB of each region. A region
// that comes to lie outside the window has keys of its own, and frees of its blocks take the slow
// path.
//
// Called by free, by thread caches (each has a copy of the window) and by regions.
//
// Invariants:
//   1. What the window covers can be read, and is kNoKey where no run of blocks lies.
//   2. The window never changes; it is empty before the first region.
// Threads: the table is made, and regions' keys added, under one lock.

#ifndef ALLOCATOR_KEY_TABLE_H_
#define ALLOCATOR_KEY_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"
#include "allocator/mutex.h"

namespace tally {

using PoolKey = uint32_t;
inline constexpr PoolKey kNoKey = 0;
inline constexpr size_t kKeyBytes = kPoolsPerRegion * sizeof(PoolKey);  // of a region

struct KeyWindow {
  const std::atomic<PoolKey>* table = nullptr;  // at the window's first address
  uintptr_t pool_count = 0;

  // By address alone: anything may be asked for.
  uintptr_t IndexOf(const void* p) const {
    return (reinterpret_cast<uintptr_t>(p) - reinterpret_cast<uintptr_t>(table)) >> kPoolShift;
  }
  // REQUIRES: index < pool_count.
  PoolKey KeyAt(uintptr_t index) const { return table[index].load(std::memory_order_relaxed); }
};

class KeyTable {
 public:
  // The window, made by the first call so that it covers what is mapped `near` there. Empty where
  // the system refuses.
  KeyWindow Window(const void* near);

  // Writable keys for a region, all kNoKey, that nobody gives back; null when memory is out.
  // REQUIRES: no other call is in the course of adding a region.
  std::atomic<PoolKey>* AddRegion(const void* start);

  Mutex& mutex() { return mutex_; }

 private:
  void Start(uintptr_t near);

  Mutex mutex_;
  bool is_started_ = false;
  KeyWindow window_;
};

extern constinit KeyTable key_table;

}  // namespace tally

#endif  // ALLOCATOR_KEY_TABLE_H_
