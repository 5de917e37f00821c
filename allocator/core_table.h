// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The door for libraries that keep heaps of their own on these pools (refgc): a table of functions
// and places. A library with its own copy of the core asks the process for another's table, and
// uses that where the versions are the same: then one set of books shows everything.
//
// Called by refgc, through tally_core_table() of libtally or directly.
//
// Threads: the table is constant. A private cache is for one thread at a time.

#ifndef ALLOCATOR_CORE_TABLE_H_
#define ALLOCATOR_CORE_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"
#include "allocator/magazine.h"
#include "allocator/objects_books.h"
#include "allocator/pool.h"
#include "allocator/region.h"
#include "allocator/thread_cache.h"

namespace tally {

// Counts changes to what the table and its users share: the table, Magazine, the head of
// ThreadCache, Heap::user(), PoolKey, Pool, Region, Arena, the size classes.
inline constexpr uint32_t kCoreTableVersion = 4;

struct CoreTable {
  uint32_t version;
  uint32_t bytes;  // of this table
  ThreadCache* (*open_cache)(void* user);
  void (*close_cache)(ThreadCache* cache);
  // The slow halves of a private cache; null when memory is out.
  void* (*pop_slow)(ThreadCache* cache, SizeClass size_class, size_t bytes);
  void (*push_slow)(ThreadCache* cache, SizeClass size_class, void* block);
  void (*flush)(ThreadCache* cache);  // all that its magazines hold goes back to the pools
  // A run of its own, aligned to 4 KiB, up to kRunBytesMax; null when memory is out.
  void* (*allocate_large)(size_t bytes);
  void (*free_large)(void* block);
  const Regions* regions;
  // What the report asks for the objects; null for nobody.
  void (*set_objects_hook)(ObjectsHook hook);
};

const CoreTable& OwnCoreTable();

// Calls visit(head) for each run of blocks that `heap` owns, in the order of regions and addresses.
// REQUIRES: nobody uses the heap meanwhile. O(pools in use).
template <typename Visit>
void ForEachRun(const CoreTable& table, const Heap* heap, Visit visit) {
  for (Region* region = table.regions->oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    const uint64_t committed = region->committed.load(std::memory_order_acquire);
    const uint64_t described = region->described.load(std::memory_order_acquire);
    for (size_t arena = 1; arena < kArenasPerRegion; ++arena) {
      if ((committed & described & uint64_t{1} << arena) == 0) {
        continue;
      }
      uint64_t used = ~region->arenas[arena].free.load(std::memory_order_acquire);
      for (; used != 0; used &= used - 1) {
        const auto index = static_cast<size_t>(__builtin_ctzll(used));
        Pool* pool = region->descriptor(arena * kPoolsPerArena + index);
        if (pool->kind.load(std::memory_order_relaxed) == PoolKind::kBlocks &&
            pool->owner.load(std::memory_order_relaxed) == heap) {
          visit(pool);
        }
      }
    }
  }
}

}  // namespace tally

#endif  // ALLOCATOR_CORE_TABLE_H_
