// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/directory.h"

#include "allocator/batch.h"
#include "allocator/geometry.h"
#include "allocator/heap.h"
#include "allocator/huge.h"
#include "allocator/large.h"
#include "allocator/mapped.h"
#include "allocator/metadata.h"
#include "allocator/pool.h"
#include "allocator/purge.h"
#include "allocator/region.h"
#include "allocator/region_map.h"
#include "allocator/registry.h"
#include "allocator/size_class.h"
#include "allocator/spare_mappings.h"
#include "allocator/thread_cache.h"
#include "allocator/totals.h"

constinit tally::StatsDirectory tally_stats_directory{};

namespace tally {
namespace {

template <typename T>
uint64_t AddressOf(const T& object) {
  return reinterpret_cast<uintptr_t>(&object);
}

// How far a field lies from the start of its structure. On a living object, because offsetof is not
// for classes with a base or with private parts.
template <typename Structure, typename FieldType>
uint64_t Offset(const Structure& structure, const FieldType& field) {
  return AddressOf(field) - AddressOf(structure);
}

}  // namespace

// A friend of the classes whose private parts readers find.
struct DirectoryMaker {
  static void Geometry(StatsDirectory* to) {
    to->magic = kStatsMagic;
    to->version = kStatsVersion;
    to->directory_bytes = sizeof(*to);
    to->pool_bytes = kPoolBytes;
    to->arena_bytes = kArenaBytes;
    to->region_bytes = kRegionBytes;
    to->descriptor_bytes = kDescriptorBytes;
    to->class_count = kClassCount;
    to->classes = AddressOf(kClassTable[0]);
    to->class_stride = sizeof(ClassInfo);
    to->class_block_bytes = offsetof(ClassInfo, block_bytes);
    to->class_run_pools = offsetof(ClassInfo, run_pools);
    to->class_capacity = offsetof(ClassInfo, capacity);
    to->class_first_block = offsetof(ClassInfo, first_block);
  }

  static void Pools(StatsDirectory* to) {
    to->regions = AddressOf(regions.oldest_);
    to->region_next = offsetof(Region, next);
    to->region_committed = offsetof(Region, committed);
    to->region_arena_count = offsetof(Region, arena_count);
    to->region_first_pool = kFirstPoolOffset / kPoolBytes;
    to->region_keys = offsetof(Region, keys);
    to->region_arenas = offsetof(Region, arenas);
    to->arena_stride = sizeof(Arena);
    to->arena_free = offsetof(Arena, free);
    to->arena_dirty = offsetof(Arena, dirty);
    to->arena_touched = offsetof(Arena, touched);
    to->pool_owner = offsetof(Pool, owner);
    to->pool_kind = offsetof(Pool, kind);
    to->pool_size_class = offsetof(Pool, size_class);
    to->pool_free_blocks = offsetof(Pool, free_blocks);
    to->pool_inner_index = offsetof(Pool, inner_index);
    to->pool_run_pools = offsetof(Pool, run_pools);
    to->pool_request_bytes = offsetof(Pool, request_bytes);
    to->pool_bitmap = offsetof(Pool, bitmap);
    to->region_map = reinterpret_cast<uintptr_t>(region_map.start());
    to->region_map_bytes = region_map.mapped_bytes();
  }

  static void Heaps(StatsDirectory* to) {
    to->heaps = AddressOf(registry.heaps_);
    to->heap_count = AddressOf(registry.heap_count_);
    to->heap_users = Offset(no_heap, no_heap.users_);
    to->heap_inbox = Offset(no_heap, no_heap.inbox_);
    to->heap_classes = Offset(no_heap, no_heap.classes_);
    const Heap::ClassState& state = no_heap.classes_[0];
    to->heap_class_stride = sizeof(state);
    to->heap_class_depot = Offset(state, state.depot);
    to->heap_class_refills = Offset(state, state.refills);
    to->heap_class_flushes = Offset(state, state.flushes);
    to->batch_next = offsetof(Batch, next);
    to->batch_count = offsetof(Batch, count);
    to->batch_blocks = offsetof(Batch, blocks);
    to->batch_blocks_max = kBatchBlocks;
  }

  static void Caches(StatsDirectory* to) {
    const ThreadCache& cache = empty_cache;
    to->caches = AddressOf(registry.caches_);
    to->cache_next = Offset(cache, cache.next);
    to->cache_heap = Offset(cache, cache.heap_);
    to->cache_thread = Offset(cache, cache.thread);
    to->cache_bases = Offset(cache, cache.bases_);
    to->cache_resets = Offset(cache, cache.resets_);
    to->cache_magazine_bytes = Offset(cache, cache.magazine_bytes_);
    to->cache_slow_calls = Offset(cache, cache.slow_calls_);
    to->cache_slow_ns = Offset(cache, cache.slow_ns_);
    to->cache_outgoing = Offset(cache, cache.outgoing_);
    to->cache_outgoing_stride = sizeof(ThreadCache::Outgoing);
    to->cache_outgoing_count = kOutgoingSlots;
    to->outgoing_batch = offsetof(ThreadCache::Outgoing, batch);
    to->cache_magazines = Offset(cache, cache.magazines);
    to->magazine_stride = sizeof(Magazine);
    to->magazine_top = offsetof(Magazine, top);
    to->magazine_limit = offsetof(Magazine, limit);
    to->magazine_countdown = offsetof(Magazine, countdown);
    to->magazine_bottom = offsetof(Magazine, bottom);
  }

  static void Mappings(StatsDirectory* to) {
    to->huge_table = AddressOf(huge_blocks.table_);
    to->huge_capacity = AddressOf(huge_blocks.capacity_);
    to->huge_stride = sizeof(HugeBlock);
    to->huge_start = offsetof(HugeBlock, start);
    to->huge_bytes = offsetof(HugeBlock, bytes);
    to->huge_request_bytes = offsetof(HugeBlock, request_bytes);
    to->spares = AddressOf(spare_mappings.entries_);
    to->spare_count = AddressOf(spare_mappings.count_);
    to->spare_stride = sizeof(SpareMappings::Entry);
    to->spare_start = offsetof(SpareMappings::Entry, start);
    to->spare_bytes = offsetof(SpareMappings::Entry, bytes);
    to->metadata_steps = AddressOf(metadata.steps_);
    to->step_next = offsetof(Metadata::Step, next);
    to->step_bytes = offsetof(Metadata::Step, bytes);
  }

  static void Totals(StatsDirectory* to) {
    to->large_allocated = AddressOf(large_blocks.counts().allocated);
    to->large_freed = AddressOf(large_blocks.counts().freed);
    to->huge_allocated = AddressOf(huge_blocks.counts().allocated);
    to->huge_freed = AddressOf(huge_blocks.counts().freed);
    to->metadata_bytes = AddressOf(metadata.mapped_bytes_);
    to->mapped_peak_bytes = AddressOf(mapped::peak_bytes);
    to->live_threads = AddressOf(registry.live_threads_);
    to->peak_threads = AddressOf(registry.peak_threads_);
    to->threads_started = AddressOf(registry.threads_started_);
    to->purged_bytes = AddressOf(purger.purged_bytes_);
    to->purge_calls = AddressOf(purger.calls_);
    to->mismatched_sizes = AddressOf(totals::mismatched_sizes);
    to->uncached_allocations = AddressOf(totals::uncached_allocations);
    to->samples = AddressOf(totals::samples);
    to->sampled_bytes = AddressOf(totals::sampled_bytes);
  }
};

void FillDirectory() {
  StatsDirectory* to = &tally_stats_directory;
  DirectoryMaker::Geometry(to);
  DirectoryMaker::Pools(to);
  DirectoryMaker::Heaps(to);
  DirectoryMaker::Caches(to);
  DirectoryMaker::Mappings(to);
  DirectoryMaker::Totals(to);
}

}  // namespace tally
