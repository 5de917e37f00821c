// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The walk over a region's pools, and what is made of it: sums for the books, what of them is
// resident, and a map with one byte a pool. The pools may be this process's own, or copies of
// another's.
//
// Called by books and publish, and by tools/ for another process: nothing here trusts what it
// reads; a class that is none, or a run that is too long, is counted as unsettled.
//
// Threads: data only.

#ifndef ALLOCATOR_POOL_WALK_H_
#define ALLOCATOR_POOL_WALK_H_

#include <cstddef>
#include <cstdint>

#include "allocator/stats_format.h"

namespace tally {

// A size class, as far as the walk must know it.
struct ClassShape {
  uint32_t block_bytes;
  uint16_t run_pools;
  uint16_t capacity;  // blocks in a run
};

// A pool's descriptor, as far as the walk must know it.
struct PoolView {
  enum class Kind : uint8_t { kFree, kBlocks, kInner, kLarge };
  Kind kind;
  uint8_t size_class;
  uint16_t free_blocks;
  uint32_t run_pools;
  uint64_t request_bytes;
};

inline constexpr size_t kWalkPoolBytes = 4096;
inline constexpr size_t kWalkPoolsPerArena = 64;
// In a region the descriptors come first; its pools' keys lie elsewhere.
inline constexpr size_t kWalkFirstPool = kWalkPoolsPerArena;
inline constexpr size_t kWalkKeyBytes = 16384;

// Calls, for the pools of blocks in the first `arenas` arenas of a region, one of
//   visitor.FreePool(index, state)            state: kPoolUntouched, kPoolPurged or kPoolDirty
//   visitor.Run(index, class, shape, view)    a run of blocks; of shape.run_pools pools
//   visitor.Large(index, pools, view)         a large block's
//   visitor.Unsettled(index)                  a pool that is being handed over
// Source has Free(arena), Dirty(arena), Touched(arena): words with a bit a pool; Descriptor(index);
// Shape(class), whose capacity is zero where there is no such class.
template <typename Source, typename Visitor>
void WalkPools(const Source& source, size_t arenas, Visitor&& visitor) {
  const size_t end = arenas * kWalkPoolsPerArena;
  for (size_t index = kWalkFirstPool; index < end;) {
    const size_t arena = index / kWalkPoolsPerArena;
    const uint64_t bit = uint64_t{1} << (index % kWalkPoolsPerArena);
    if ((source.Free(arena) & bit) != 0) {
      const bool is_dirty = (source.Dirty(arena) & bit) != 0;
      const bool is_touched = (source.Touched(arena) & bit) != 0;
      visitor.FreePool(index, is_dirty ? kPoolDirty : is_touched ? kPoolPurged : kPoolUntouched);
      ++index;
      continue;
    }
    const PoolView view = source.Descriptor(index);
    const size_t left = end - index;
    if (view.kind == PoolView::Kind::kBlocks) {
      const ClassShape shape = source.Shape(view.size_class);
      if (shape.capacity != 0 && view.free_blocks <= shape.capacity && shape.run_pools != 0 &&
          shape.run_pools <= left) {
        visitor.Run(index, view.size_class, shape, view);
        index += shape.run_pools;
        continue;
      }
    } else if (view.kind == PoolView::Kind::kLarge && view.run_pools != 0) {
      const size_t pools = view.run_pools < left ? view.run_pools : left;
      visitor.Large(index, pools, view);
      index += pools;
      continue;
    }
    visitor.Unsettled(index);
    ++index;
  }
}

// Fills `books` from what a walk, and whoever reads heaps, caches and mappings, tells it.
class BooksSum {
 public:
  // `books` is zero.
  explicit BooksSum(Books* books) : books_(*books) {}

  void Region(size_t committed_arenas, size_t arena_count) {
    constexpr size_t kArena = kWalkPoolsPerArena * kWalkPoolBytes;
    const uint64_t committed = committed_arenas * kArena;
    books_.mapped_bytes += committed + kWalkKeyBytes;
    books_.reserved_bytes += arena_count * kArena;
    books_.identity.metadata += Lesser(kWalkFirstPool * kWalkPoolBytes, committed) + kWalkKeyBytes;
    ++books_.regions;
  }
  void FreePool(size_t /*index*/, uint8_t state) {
    IdentityBooks& identity = books_.identity;
    (state == kPoolDirty    ? identity.dirty
     : state == kPoolPurged ? identity.purged
                            : identity.never_touched) += kWalkPoolBytes;
  }
  void Run(size_t /*index*/, size_t size_class, const ClassShape& shape, const PoolView& view) {
    ClassBooks& entry = books_.classes[size_class];
    ++entry.runs;
    entry.free_in_pools += view.free_blocks;
    entry.live += shape.capacity - uint64_t{view.free_blocks};  // those held back go off later
    books_.identity.tails +=
        shape.run_pools * kWalkPoolBytes - uint64_t{shape.capacity} * shape.block_bytes;
  }
  void Large(size_t /*index*/, size_t pools, const PoolView& view) {
    ++books_.large.live;
    books_.large.live_bytes += pools * kWalkPoolBytes;
    books_.large.requested_bytes += view.request_bytes;
  }
  void Unsettled(size_t /*index*/) { books_.identity.transit += kWalkPoolBytes; }

  void Huge(uint64_t bytes, uint64_t request_bytes) {
    ++books_.huge.live;
    books_.huge.live_bytes += bytes;
    books_.huge.requested_bytes += request_bytes;
  }
  void Spare(uint64_t bytes) {
    books_.mapped_bytes += bytes;
    books_.identity.dirty += bytes;
  }
  void Metadata(uint64_t bytes) {
    books_.mapped_bytes += bytes;
    books_.identity.metadata += bytes;
  }

  // After all the above. `shape_of(class)` gives each class's ClassShape.
  template <typename ShapeOf>
  void Finish(ShapeOf shape_of) {
    FoldClassesOfOneSize(shape_of);
    for (size_t c = 1; c < kStatsClassesMax; ++c) {
      FinishClass(&books_.classes[c], shape_of(c).block_bytes);
    }
    books_.identity.live += books_.large.live_bytes + books_.huge.live_bytes;
    books_.mapped_bytes += books_.huge.live_bytes;
    if (books_.mapped_peak_bytes < books_.mapped_bytes) {
      books_.mapped_peak_bytes = books_.mapped_bytes;
    }
  }

 private:
  static uint64_t Lesser(uint64_t a, uint64_t b) { return a < b ? a : b; }

  // Who reads the books asks for sizes. Classes that differ in alignment alone, which follow the
  // largest, count as the one that has their size.
  template <typename ShapeOf>
  void FoldClassesOfOneSize(ShapeOf shape_of) {
    uint64_t largest = 0;
    for (size_t c = 1; c < kStatsClassesMax; ++c) {
      const uint64_t bytes = shape_of(c).block_bytes;
      if (bytes > largest) {
        largest = bytes;
        continue;
      }
      for (size_t same = 1; same < c && bytes != 0; ++same) {
        if (shape_of(same).block_bytes == bytes) {
          MoveCounts(&books_.classes[c], &books_.classes[same]);
          break;
        }
      }
    }
  }

  static void MoveCounts(ClassBooks* from, ClassBooks* to) {
    constexpr uint64_t ClassBooks::*kCounts[] = {
        &ClassBooks::allocated,    &ClassBooks::live,          &ClassBooks::cached,
        &ClassBooks::transit,      &ClassBooks::free_in_pools, &ClassBooks::runs,
        &ClassBooks::refills,      &ClassBooks::flushes,       &ClassBooks::samples,
        &ClassBooks::sampled_bytes};
    for (uint64_t ClassBooks::*count : kCounts) {
      to->*count += from->*count;
      from->*count = 0;
    }
  }

  void FinishClass(ClassBooks* entry, uint64_t bytes) {
    entry->block_bytes = bytes;
    // Blocks that move while we count may be seen twice: no term may go below zero for it.
    entry->transit = Lesser(entry->transit, entry->live);
    entry->cached = Lesser(entry->cached, entry->live - entry->transit);
    entry->live -= entry->cached + entry->transit;
    entry->freed = entry->allocated - Lesser(entry->live, entry->allocated);
    books_.identity.live += entry->live * bytes;
    books_.identity.cached += entry->cached * bytes;
    books_.identity.transit += entry->transit * bytes;
    books_.identity.free_in_pools += entry->free_in_pools * bytes;
  }

  Books& books_;
};

// Says what the resident part of a region's pools is. is_resident(index) says whether a pool is in
// physical memory.
template <typename IsResident>
class ResidentSum {
 public:
  ResidentSum(KernelBooks* books, IsResident is_resident)
      : books_(*books), is_resident_(is_resident) {}

  void FreePool(size_t index, uint8_t /*state*/) { Add(index, 1, &KernelBooks::resident_free); }
  void Run(size_t index, size_t /*size_class*/, const ClassShape& shape, const PoolView& /*view*/) {
    Add(index, shape.run_pools, &KernelBooks::resident_blocks);
  }
  void Large(size_t index, size_t pools, const PoolView& /*view*/) {
    Add(index, pools, &KernelBooks::resident_large);
  }
  void Unsettled(size_t index) { Add(index, 1, &KernelBooks::resident_free); }

 private:
  void Add(size_t index, size_t pools, uint64_t KernelBooks::*term) {
    for (size_t i = 0; i < pools; ++i) {
      const uint64_t bytes = is_resident_(index + i) ? kWalkPoolBytes : 0;
      books_.*term += bytes;
      books_.resident_pools += bytes;
    }
  }

  KernelBooks& books_;
  IsResident is_resident_;
};

// Writes a byte for each pool from the 64th of a region on, where the first arena after the
// descriptors is.
class OccupancyMap {
 public:
  // `occupancy` is zero, 64 * 63 bytes.
  explicit OccupancyMap(uint8_t* occupancy) : occupancy_(occupancy) {}

  void FreePool(size_t index, uint8_t state) { Fill(index, 1, state); }
  void Run(size_t index, size_t /*size_class*/, const ClassShape& shape, const PoolView& view) {
    Fill(index, shape.run_pools,
         OccupancyOf(shape.capacity - uint64_t{view.free_blocks}, shape.capacity));
  }
  void Large(size_t index, size_t pools, const PoolView& /*view*/) {
    Fill(index, pools, kPoolLarge);
  }
  void Unsettled(size_t index) { Fill(index, 1, kPoolUnsettled); }

 private:
  void Fill(size_t index, size_t pools, uint8_t value) {
    for (size_t i = 0; i < pools; ++i) {
      occupancy_[index - kWalkPoolsPerArena + i] = value;
    }
  }

  uint8_t* occupancy_;
};

}  // namespace tally

#endif  // ALLOCATOR_POOL_WALK_H_
