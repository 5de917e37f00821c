// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What any address points into, by one byte per 16 MiB granule of the user address space.
//
// Called by every free (one load), and by whoever adds regions or huge mappings.
//
// The map is a zero array that the first entry replaces by pages that can only be read, so that it
// costs neither memory nor commit charge; a page of it (64 GiB of addresses) is made writable when
// the first region or huge mapping in its span appears.
//
// Invariants: an entry leaves kNothing before a pointer into its granule is handed out; a kPools
// entry never changes again.
// Threads: reads lock-free, relaxed: whoever holds a block got it after its granule was entered.
// Writes under one lock.

#ifndef ALLOCATOR_REGION_MAP_H_
#define ALLOCATOR_REGION_MAP_H_

#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"
#include "allocator/mutex.h"

namespace tally {

enum class Granule : uint8_t {
  kNothing = 0,    // nothing of ours
  kPools = 1,      // a pool region
  kHuge = 2,       // starts a huge mapping
  kHugeInner = 3,  // continues one
};

// The map itself. Apart from the class, so that no compiler has to construct 8 MiB of atomics.
extern uint8_t region_map_bytes[kRegionMapBytes];

class RegionMap {
 public:
  // By granule, so that the fast path shifts once for the check and the index.
  static bool IsInRange(uintptr_t address) { return (address >> kRegionShift) < kRegionMapBytes; }

  // REQUIRES: IsInRange(address).
  Granule At(uintptr_t address) const {
    return static_cast<Granule>(
        __atomic_load_n(&region_map_bytes[address >> kRegionShift], __ATOMIC_RELAXED));
  }
  Granule Lookup(const void* p) const {
    const auto address = reinterpret_cast<uintptr_t>(p);
    return IsInRange(address) ? At(address) : Granule::kNothing;
  }

  // Enters `first` for the granule at `start` and `rest` for those after it. False when memory is
  // out; nothing is entered then. REQUIRES: start is a multiple of 16 MiB.
  bool Enter(const void* start, size_t bytes, Granule first, Granule rest);
  void Clear(const void* start, size_t bytes);
  // Enters again what was cleared a moment ago by the same holder of the addresses. Cannot fail:
  // pages of the map stay writable.
  void Restore(const void* start, size_t bytes, Granule first, Granule rest);

  Mutex& mutex() { return mutex_; }
  // Of the array: all of it can be read.
  uint64_t mapped_bytes() const { return kRegionMapBytes; }
  const void* start() const { return region_map_bytes; }

 private:
  void Start();
  bool MakeWritable(size_t first, size_t last);

  Mutex mutex_;
  bool is_started_ = false;
};

extern constinit RegionMap region_map;

}  // namespace tally

#endif  // ALLOCATOR_REGION_MAP_H_
