// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The partly free pools of one class in one heap, by address: one word per arena, one word per
// region over those, one bit per region over all. Lowest() is three bit scans.
//
// Called by heaps only. Lowest-address-first packs live data and lets young arenas drain.
//
// Invariants:
//   1. A pool's bit is set exactly if it is in the set.
//   2. arenas has a bit for each non-zero word of pools; region_bits_ one for each non-zero arenas.
// Threads: under the heap's lock.

#ifndef ALLOCATOR_PARTIAL_POOLS_H_
#define ALLOCATOR_PARTIAL_POOLS_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "allocator/pool.h"
#include "allocator/region.h"

namespace tally {

class PartialPools {
 public:
  // Makes room for the pools of `region`, so that Insert cannot fail. False when memory is out.
  bool PrepareFor(Region* region);
  void Insert(Pool* pool);
  void Remove(Pool* pool);
  bool Contains(Pool* pool) const;
  // The pool at the lowest address of the oldest region, or null.
  Pool* Lowest() const;
  // Calls visit(pool) for each, in address order. The set must not change meanwhile.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (uint32_t i = 0; i < capacity_; ++i) {
      const Row* row = rows_[i];
      for (size_t arena = 0; row != nullptr && arena < kArenasPerRegion; ++arena) {
        for (uint64_t word = row->pools[arena]; word != 0; word &= word - 1) {
          const auto pool = static_cast<size_t>(std::countr_zero(word));
          visit(row->region->descriptor(arena * kPoolsPerArena + pool));
        }
      }
    }
  }

 private:
  struct Row {
    Region* region;
    uint64_t arenas;
    uint64_t pools[kArenasPerRegion];
  };

  Row* RowOf(Pool* pool) const { return rows_[Region::Of(pool)->ordinal]; }
  bool Widen(size_t wanted);

  uint32_t capacity_ = 0;  // of rows_, a power of two
  Row** rows_ = nullptr;   // by region ordinal; null where the class has had no pool yet
  uint64_t* region_bits_ = nullptr;
};

}  // namespace tally

#endif  // ALLOCATOR_PARTIAL_POOLS_H_
