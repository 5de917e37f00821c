// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/books.h"

#include <string.h>

#include <bit>

#include "allocator/batch.h"
#include "allocator/heap.h"
#include "allocator/huge.h"
#include "allocator/large.h"
#include "allocator/mapped.h"
#include "allocator/metadata.h"
#include "allocator/own_region.h"
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

static_assert(kClassCount <= kStatsClassesMax, "the format has room for every class");
static_assert(kWalkPoolBytes == kPoolBytes && kWalkPoolsPerArena == kPoolsPerArena &&
                  kWalkKeyBytes == kKeyBytes && kWalkPoolBytes == kStatsLeafBytes,
              "the format is made for this geometry");

// Both at once: the descriptors are read once.
class SumAndMap {
 public:
  SumAndMap(BooksSum& sum, uint8_t* occupancy) : sum_(sum), map_(occupancy) {}
  void FreePool(size_t index, uint8_t state) {
    sum_.FreePool(index, state);
    map_.FreePool(index, state);
  }
  void Run(size_t index, size_t size_class, const ClassShape& shape, const PoolView& view) {
    sum_.Run(index, size_class, shape, view);
    map_.Run(index, size_class, shape, view);
  }
  void Large(size_t index, size_t pools, const PoolView& view) {
    sum_.Large(index, pools, view);
    map_.Large(index, pools, view);
  }
  void Unsettled(size_t index) {
    sum_.Unsettled(index);
    map_.Unsettled(index);
  }

 private:
  BooksSum& sum_;
  OccupancyMap map_;
};

void WalkRegion(BooksSum& sum, StatsLeaves* leaves, Region* region) {
  const auto arenas =
      static_cast<size_t>(std::popcount(region->committed.load(std::memory_order_acquire)));
  sum.Region(arenas, region->arena_count);
  auto* leaf = leaves == nullptr ? nullptr : leaves->Add<StatsRegionLeaf>(LeafKind::kRegion);
  if (leaf == nullptr) {
    return WalkPools(OwnRegion(region), arenas, sum);
  }
  memset(leaf->occupancy, kPoolAbsent, sizeof(leaf->occupancy));
  leaf->head.start = reinterpret_cast<uintptr_t>(region);
  leaf->head.count = static_cast<uint32_t>(arenas);
  WalkPools(OwnRegion(region), arenas, SumAndMap(sum, leaf->occupancy));
}

void CountHeap(Books* books, StatsLeaves* leaves, Heap& heap) {
  HeapBooks own{heap.index(), heap.users(), 0, 0, 0, 0, {}};
  for (size_t c = 1; c < kClassCount; ++c) {
    const Heap::ClassCounts counts = heap.CountsOf(static_cast<SizeClass>(c));
    books->classes[c].cached += counts.depot_blocks;
    books->classes[c].refills += counts.refills;
    books->classes[c].flushes += counts.flushes;
    own.depot_blocks += counts.depot_blocks;
    own.refills += counts.refills;
    own.flushes += counts.flushes;
  }
  heap.ForEachInboxBlock([&](const void* block) {
    ++books->classes[Pool::Of(block)->head()->size_class].transit;
    ++own.inbox_blocks;
  });
  if (leaves != nullptr) {
    leaves->AddEntry(LeafKind::kHeaps, own);
  }
}

void CountCache(Books* books, StatsLeaves* leaves, const ThreadCache& cache) {
  ThreadBooks own{};
  own.thread = cache.thread;
  own.heap = cache.heap()->index();
  own.magazine_bytes = cache.magazine_bytes();
  own.slow_ns = cache.slow_ns();
  for (size_t c = 1; c < kClassCount; ++c) {
    const uint64_t cached = cache.magazines[c].CountSeenFromOutside();
    const uint64_t allocated = cache.AllocatedOf(static_cast<SizeClass>(c));
    books->classes[c].cached += cached;
    books->classes[c].allocated += allocated;
    books->counted_frees += cache.FreedOf(static_cast<SizeClass>(c));
    own.cached += cached;
    own.cached_bytes += cached * BlockBytes(static_cast<SizeClass>(c));
    own.allocated += allocated;
  }
  cache.ForEachOutgoingBlock([&](const void* block) {
    ++books->classes[Pool::Of(block)->head()->size_class].transit;
    ++own.transit;
  });
  books->slow_calls += cache.slow_calls();
  books->slow_ns += cache.slow_ns();
  if (leaves != nullptr && (own.thread != 0 || own.allocated != 0)) {
    leaves->AddEntry(LeafKind::kThreads, own);
  }
}

void CountMappings(BooksSum& sum) {
  huge_blocks.ForEach([&](const HugeBlock& block) { sum.Huge(block.bytes, block.request_bytes); });
  spare_mappings.ForEach([&](const char* /*start*/, size_t bytes) { sum.Spare(bytes); });
  sum.Metadata(metadata.mapped_bytes() + region_map.mapped_bytes());
}

void CopyTotals(Books* books) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto size_class = static_cast<SizeClass>(c);
    books->classes[c].allocated += totals::UncachedAllocationsOf(size_class);
    books->classes[c].samples = totals::samples[c].load(std::memory_order_relaxed);
    books->classes[c].sampled_bytes = totals::sampled_bytes[c].load(std::memory_order_relaxed);
  }
  books->large.allocated = large_blocks.counts().allocated.load(std::memory_order_relaxed);
  books->large.freed = large_blocks.counts().freed.load(std::memory_order_relaxed);
  books->huge.allocated = huge_blocks.counts().allocated.load(std::memory_order_relaxed);
  books->huge.freed = huge_blocks.counts().freed.load(std::memory_order_relaxed);
  books->mapped_peak_bytes = mapped::PeakBytes();
  books->heaps = registry.heap_count();
  books->live_threads = registry.live_threads();
  books->peak_threads = registry.peak_threads();
  books->threads_started = registry.threads_started();
  books->purged_bytes = purger.purged_bytes();
  books->purge_calls = purger.calls();
  books->mismatched_sizes = totals::MismatchedSizes();
  books->counted_frees += totals::UncachedFrees();
}

// REQUIRES: the registry is locked.
void TakeBooksLocked(Books* books, StatsLeaves* leaves) {
  memset(static_cast<void*>(books), 0, sizeof(*books));
  BooksSum sum(books);
  for (Region* region = regions.oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    WalkRegion(sum, leaves, region);
  }
  CountMappings(sum);
  registry.ForEachHeap([&](Heap& heap) { CountHeap(books, leaves, heap); });
  registry.ForEachCache([&](ThreadCache& cache) { CountCache(books, leaves, cache); });
  CopyTotals(books);
  sum.Finish(ShapeOf);
}

}  // namespace

void TakeBooks(Books* books, StatsLeaves* leaves) {
  registry.LockAll();
  TakeBooksLocked(books, leaves);
  registry.UnlockAll();
}

bool TryTakeBooks(Books* books, StatsLeaves* leaves) {
  if (!registry.TryLockAll()) {
    return false;
  }
  TakeBooksLocked(books, leaves);
  registry.UnlockAll();
  return true;
}

}  // namespace tally
