// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Regions and arenas: where runs of pools come from and go back to.
//
// Called by heaps (runs of a class), large runs, purge and the books.
//
// A region is 16 MiB of reserved address space, committed in steps of arenas. Its first arena holds
// the descriptors of all others; the descriptors of that first arena itself describe nothing, so
// their place, the region's first page, is the Region object. The keys of its pools lie apart
// (key_table.h).
//
//   | Region | descriptors of arenas 1..63 | arena 1 | arena 2 | ... | arena 63 |
//   0        4 KiB                         256 KiB
//
// Each arena has four words over its pools:
//   free     a set bit is a pool that nobody holds. Taking a run is one CAS, giving it back one OR.
//   dirty    the pool may hold something else than zeros.
//   touched  the pool has been handed out since it was committed.
//   aged     the pool was free and dirty when the purge clock last passed; see purge.h.
//
// Invariants:
//   1. aged and dirty and free together: may be purged. dirty implies touched.
//   2. A region's `room` is a hint: an arena with free pools has its bit set, or somebody who is
//      taking or giving back is about to look again.
//   3. An arena whose `described` bit is clear has no dirty pool, and its descriptors are zero.
//   4. Pool regions are never unmapped: anyone may read any descriptor of a committed arena.
// Threads: the words are atomic. Growth and runs of several arenas hold the lock.

#ifndef ALLOCATOR_REGION_H_
#define ALLOCATOR_REGION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"
#include "allocator/key_table.h"
#include "allocator/mutex.h"
#include "allocator/pool.h"
#include "allocator/region_map.h"

namespace tally {

// A word whose lowest `count` bits are set; all where that is 64 or more.
constexpr uint64_t LowBits(size_t count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

struct Arena {
  std::atomic<uint64_t> free;
  std::atomic<uint64_t> dirty;
  std::atomic<uint64_t> touched;
  std::atomic<uint64_t> aged;
};

struct Region {
  std::atomic<uint64_t> room;       // arenas that may have free pools
  std::atomic<uint64_t> committed;  // arenas that are accessible
  std::atomic<uint64_t> described;  // arenas whose descriptors may be in physical memory
  std::atomic<Region*> next;        // younger
  uint32_t ordinal;                 // 0 for the oldest
  uint32_t arena_count;             // 64, fewer where address space is short
  std::atomic<PoolKey>* keys;       // of its pools
  alignas(64) Arena arenas[kArenasPerRegion];

  char* start() { return reinterpret_cast<char*>(this); }
  Pool* descriptor(size_t pool) { return reinterpret_cast<Pool*>(this) + pool; }
  static Region* Of(const void* p) {
    return reinterpret_cast<Region*>(reinterpret_cast<uintptr_t>(p) & ~(kRegionBytes - 1));
  }
  PoolKey KeyAt(const void* p) const {
    const uintptr_t pool = (reinterpret_cast<uintptr_t>(p) >> kPoolShift) % kPoolsPerRegion;
    return keys[pool].load(std::memory_order_relaxed);
  }
};

static_assert(sizeof(Region) <= kPoolsPerArena * kDescriptorBytes,
              "the region fits the place of its first arena's descriptors");

// The key of the pool that `p` points into, inside the window or not. REQUIRES: the region map says
// kPools.
inline PoolKey LoadKey(const KeyWindow& window, const void* p) {
  const uintptr_t pool = window.IndexOf(p);
  return pool < window.pool_count ? window.KeyAt(pool) : Region::Of(p)->KeyAt(p);
}

// The same of anything; kNoKey where no run of blocks is, ours or not.
inline PoolKey FindKey(const KeyWindow& window, const void* p) {
  const uintptr_t pool = window.IndexOf(p);
  if (pool < window.pool_count) [[likely]] {
    return window.KeyAt(pool);
  }
  return region_map.Lookup(p) == Granule::kPools ? Region::Of(p)->KeyAt(p) : kNoKey;
}

// Adjacent pools; `first` is the descriptor of the lowest. Null when memory is out.
struct Run {
  Pool* first = nullptr;
  bool is_zero = false;  // every byte is known to be zero
  size_t pools = 0;
};

class Regions {
 public:
  // What a caller will do with pools that were never used.
  enum class Use {
    kPerhaps,  // it may leave some of them untouched
    kSoon,     // it fills them in turn, and is likely to want those behind
  };

  // `pools` adjacent free pools, from the oldest region and lowest address that has them, aligned
  // to `alignment_pools` (a power of two, at most 64). Up to 64 pools lie in one arena; more start
  // an arena. Their descriptors are stale. O(regions) at worst; usually one CAS.
  Run Take(size_t pools, size_t alignment_pools) {
    return Take(pools, alignment_pools, 1, Use::kPerhaps);
  }

  // Up to `runs_max` adjacent runs of `pools`, in the first arena that has room for one: as many as
  // lie together there, halving. REQUIRES: all of them would fit an arena.
  Run TakeAdjacent(size_t pools, size_t runs_max, Use use) { return Take(pools, 1, runs_max, use); }

  // Takes the `more` pools after a run, if they are free; commits what is not yet accessible.
  bool TakeAfter(Pool* first, size_t pools, size_t more);

  // REQUIRES: the caller holds the pools, and their descriptors' kinds are kFree.
  void GiveBack(Pool* first, size_t pools);

  Region* oldest() const { return oldest_.load(std::memory_order_acquire); }
  uint32_t count() const { return count_.load(std::memory_order_relaxed); }
  // How often Take found too little committed memory.
  uint64_t growths() const { return growths_.load(std::memory_order_relaxed); }
  Mutex& mutex() { return mutex_; }

  // Whether `p`'s pool can be looked at: its arena is committed, and no descriptors lie there.
  // REQUIRES: the region map says kPools.
  static bool IsInCommittedArena(const void* p);

 private:
  friend struct DirectoryMaker;

  Run Take(size_t pools, size_t alignment_pools, size_t runs_max, Use use);
  Run TakeWithinArena(Region* region, size_t arena, size_t pools, size_t alignment_pools,
                      size_t runs_max, Use use);
  Run TakeSmall(size_t pools, size_t alignment_pools, size_t runs_max, Use use);
  void MapAhead(Region* region, size_t arena, uint64_t mask);
  Run TakeArenas(size_t pools);
  Run TakeArenasIn(Region* region, size_t pools);
  bool TakeExactly(Region* region, size_t arena, uint64_t mask);
  bool TakeAt(Region* region, size_t at, size_t pools);
  bool CommitThrough(Region* region, size_t last_arena);
  bool IsHopeless(size_t pools) const;
  bool Grow(size_t pools);
  bool CommitMore(Region* region, bool is_used_at_once);
  bool AddRegion();
  static bool MarkTaken(Region* region, size_t at, size_t pools);
  static bool MarkTakenIn(Region* region, size_t arena, uint64_t mask);

  Mutex mutex_;
  std::atomic<Region*> oldest_{nullptr};
  std::atomic<Region*> youngest_{nullptr};
  std::atomic<uint32_t> count_{0};
  std::atomic<uint64_t> growths_{0};
  std::atomic<Region*> first_with_room_{nullptr};  // a hint for single pools
};

extern constinit Regions regions;

}  // namespace tally

#endif  // ALLOCATOR_REGION_H_
