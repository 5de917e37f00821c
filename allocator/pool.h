// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A pool: 4 KiB of blocks of one class, and its 64-byte descriptor, which lies apart.
//
// Called by heaps (bits), runs (large blocks) and the books (the walk).
//
//   descriptor(p) = region(p) + ((p >> 12) & 4095) * 64        no load
//
// A class may use a run of several adjacent pools; the first one's descriptor is the head and holds
// the bitmap, the inner ones say how far back it is. What free reads is in pool_key.h.
//
// Invariants:
//   1. A set bit is a free block; free_blocks is their number.
//   2. Bits at and above the class's capacity are clear.
//   3. owner is null unless kind is kBlocks.
// Threads: written under the owning heap's lock, or by the one thread that holds the run. Who has a
// block of the run may read what does not change while it lives: kind, owner, class, lengths.

#ifndef ALLOCATOR_POOL_H_
#define ALLOCATOR_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"
#include "allocator/size_class.h"

namespace tally {

class Heap;

enum class PoolKind : uint8_t {
  kFree = 0,    // in no use, or inside a large run
  kBlocks = 1,  // head of a run of blocks
  kInner = 2,   // continues one
  kLarge = 3,   // head of a large run: one block
};

struct alignas(kDescriptorBytes) Pool {
  std::atomic<Heap*> owner;
  std::atomic<PoolKind> kind;
  SizeClass size_class;
  uint16_t free_blocks;
  uint8_t inner_index;  // pools back to the head
  bool is_settled;      // of a run of blocks: none came or went since the purge clock last passed
  uint32_t run_pools;   // of a large run
  union {
    uint64_t request_bytes;  // of a large run
    uint64_t purged_pools;   // of a run of blocks: those that were purged since it was last used
  };
  uint64_t bitmap[4];

  static constexpr size_t kWideBitmapWords = 8;

  static Pool* Of(const void* p) {
    const auto address = reinterpret_cast<uintptr_t>(p);
    return reinterpret_cast<Pool*>((address & ~(kRegionBytes - 1)) +
                                   ((address >> kPoolShift) & (kPoolsPerRegion - 1)) *
                                       kDescriptorBytes);
  }

  char* region_start() const {
    return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(this) & ~(kRegionBytes - 1));
  }
  // 0..4095 in its region.
  size_t index() const {
    return (reinterpret_cast<uintptr_t>(this) & (kRegionBytes - 1)) / kDescriptorBytes;
  }
  size_t arena_index() const { return index() / kPoolsPerArena; }
  char* start() const { return region_start() + index() * kPoolBytes; }
  // REQUIRES: the head of a run of blocks.
  char* first_block() const { return start() + info().first_block; }
  // The block that `p` points into. REQUIRES: the head of a run of blocks, and one of them.
  char* BlockAround(const void* p) const {
    char* first = first_block();
    const auto offset = static_cast<size_t>(static_cast<const char*>(p) - first);
    return first + BlockIndex(info(), offset) * info().block_bytes;
  }

  Pool* head() {
    return kind.load(std::memory_order_relaxed) == PoolKind::kInner ? this - inner_index : this;
  }
  const ClassInfo& info() const { return kClassTable[size_class]; }

  // The 8-byte class has 512 blocks: its bits lie elsewhere, and bitmap[0] says where.
  uint64_t* bits() { return size_class == 1 ? reinterpret_cast<uint64_t*>(bitmap[0]) : bitmap; }
  size_t bit_words() const { return (info().capacity + size_t{63}) / 64; }
  bool is_full() const { return free_blocks == 0; }
  bool is_empty() const { return free_blocks == info().capacity; }

  bool IsFreeBlock(size_t block) { return (bits()[block / 64] >> (block % 64) & 1) != 0; }
};

static_assert(sizeof(Pool) == kDescriptorBytes, "a descriptor is one cache line");

}  // namespace tally

#endif  // ALLOCATOR_POOL_H_
