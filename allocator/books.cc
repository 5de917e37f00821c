// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/books.h"

#include <string.h>

#include <bit>

#include "allocator/batch.h"
#include "allocator/heap.h"
#include "allocator/huge.h"
#include "allocator/large.h"
#include "allocator/metadata.h"
#include "allocator/purge.h"
#include "allocator/region.h"
#include "allocator/region_map.h"
#include "allocator/registry.h"
#include "allocator/spare_mappings.h"
#include "allocator/thread_cache.h"
#include "allocator/totals.h"

namespace tally {

constinit SharedBooks shared_books{};
namespace {

uint64_t Lesser(uint64_t a, uint64_t b) { return a < b ? a : b; }

void CountRun(Books* books, Pool* head) {
  ClassBooks& entry = books->classes[head->size_class];
  const ClassInfo& info = head->info();
  ++entry.runs;
  entry.free_in_pools += head->free_blocks;
  entry.live += info.capacity - size_t{head->free_blocks};  // those held back go off later
  books->identity.tails += info.run_pools * kPoolBytes - size_t{info.capacity} * info.block_bytes;
}

void CountLarge(Books* books, const Pool* head, size_t pools) {
  ++books->large.live;
  books->large.live_bytes += pools * kPoolBytes;
  books->large.requested_bytes += head->request_bytes;
}

void CountFreePool(Books* books, const Arena& arena, uint64_t bit) {
  if ((arena.dirty.load(std::memory_order_relaxed) & bit) != 0) {
    books->identity.dirty += kPoolBytes;
  } else if ((arena.touched.load(std::memory_order_relaxed) & bit) != 0) {
    books->identity.purged += kPoolBytes;
  } else {
    books->identity.never_touched += kPoolBytes;
  }
}

// Counts the pool (or run) at `index`; returns how many pools that was.
size_t CountPool(Books* books, Region* region, size_t index, size_t end) {
  const Arena& arena = region->arenas[index / kPoolsPerArena];
  const uint64_t bit = uint64_t{1} << (index % kPoolsPerArena);
  if ((arena.free.load(std::memory_order_acquire) & bit) != 0) {
    CountFreePool(books, arena, bit);
    return 1;
  }
  Pool* pool = region->descriptor(index);
  const PoolKind kind = pool->kind.load(std::memory_order_acquire);
  if (kind == PoolKind::kBlocks) {
    CountRun(books, pool);
    return pool->info().run_pools;
  }
  if (kind == PoolKind::kLarge) {
    const size_t pools = pool->run_pools < end - index ? pool->run_pools : end - index;
    CountLarge(books, pool, pools);
    return pools;
  }
  books->identity.transit += kPoolBytes;  // being handed over this moment
  return 1;
}

void WalkRegion(Books* books, Region* region) {
  const auto arenas =
      static_cast<size_t>(std::popcount(region->committed.load(std::memory_order_acquire)));
  books->mapped_bytes += arenas * kArenaBytes;
  books->reserved_bytes += region->arena_count * kArenaBytes;
  books->identity.metadata += kArenaBytes;
  ++books->regions;
  const size_t end = arenas * kPoolsPerArena;
  for (size_t index = kPoolsPerArena; index < end;) {
    index += CountPool(books, region, index, end);
  }
}

void CountHeldBack(Books* books) {
  const auto count_transit = [books](const void* block) {
    ++books->classes[Pool::Of(block)->head()->size_class].transit;
  };
  registry.ForEachHeap([&](Heap& heap) {
    for (size_t c = 1; c < kClassCount; ++c) {
      const Heap::ClassCounts counts = heap.CountsOf(static_cast<SizeClass>(c));
      books->classes[c].cached += counts.depot_blocks;
      books->classes[c].refills += counts.refills;
      books->classes[c].flushes += counts.flushes;
    }
    heap.ForEachInboxBlock(count_transit);
  });
  registry.ForEachCache([&](ThreadCache& cache) {
    for (size_t c = 1; c < kClassCount; ++c) {
      books->classes[c].cached += cache.magazines[c].CountSeenFromOutside();
      books->classes[c].allocated += cache.AllocatedOf(static_cast<SizeClass>(c));
      books->counted_frees += cache.FreedOf(static_cast<SizeClass>(c));
    }
    cache.ForEachOutgoingBlock(count_transit);
  });
}

void SumClasses(Books* books) {
  for (size_t c = 1; c < kClassCount; ++c) {
    ClassBooks& entry = books->classes[c];
    const uint64_t bytes = BlockBytes(static_cast<SizeClass>(c));
    entry.allocated += totals::UncachedAllocationsOf(static_cast<SizeClass>(c));
    // Blocks that move while we count may be seen twice: no term may go below zero for it.
    entry.transit = Lesser(entry.transit, entry.live);
    entry.cached = Lesser(entry.cached, entry.live - entry.transit);
    entry.live -= entry.cached + entry.transit;
    entry.freed = entry.allocated - Lesser(entry.live, entry.allocated);
    books->identity.live += entry.live * bytes;
    books->identity.cached += entry.cached * bytes;
    books->identity.transit += entry.transit * bytes;
    books->identity.free_in_pools += entry.free_in_pools * bytes;
  }
  books->identity.live += books->large.live_bytes + books->huge.live_bytes;
}

}  // namespace

uint64_t Books::live_blocks() const {
  uint64_t blocks = large.live + huge.live;
  for (const ClassBooks& entry : classes) {
    blocks += entry.live;
  }
  return blocks;
}

uint64_t Books::allocated_blocks() const {
  uint64_t blocks = large.allocated + huge.allocated;
  for (const ClassBooks& entry : classes) {
    blocks += entry.allocated;
  }
  return blocks;
}

void TakeBooks(Books* books) {
  memset(static_cast<void*>(books), 0, sizeof(*books));
  registry.LockAll();
  for (Region* region = regions.oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    WalkRegion(books, region);
  }
  huge_blocks.ForEach([&](const HugeBlock& block) {
    ++books->huge.live;
    books->huge.live_bytes += block.bytes;
    books->huge.requested_bytes += block.request_bytes;
  });
  spare_mappings.ForEach([&](const char* /*start*/, size_t bytes) {
    books->mapped_bytes += bytes;
    books->identity.dirty += bytes;
  });
  CountHeldBack(books);
  SumClasses(books);
  books->large.allocated = large_blocks.counts().allocated.load(std::memory_order_relaxed);
  books->large.freed = large_blocks.counts().freed.load(std::memory_order_relaxed);
  books->huge.allocated = huge_blocks.counts().allocated.load(std::memory_order_relaxed);
  books->huge.freed = huge_blocks.counts().freed.load(std::memory_order_relaxed);
  const uint64_t own = metadata.mapped_bytes() + region_map.mapped_bytes();
  books->identity.metadata += own;
  books->mapped_bytes += own + books->huge.live_bytes;
  books->heaps = registry.heap_count();
  books->live_threads = registry.live_threads();
  books->peak_threads = registry.peak_threads();
  books->threads_started = registry.threads_started();
  registry.UnlockAll();
  books->purged_bytes = purger.purged_bytes();
  books->purge_calls = purger.calls();
  books->mismatched_sizes = totals::MismatchedSizes();
  books->counted_frees += totals::UncachedFrees();
}

}  // namespace tally
