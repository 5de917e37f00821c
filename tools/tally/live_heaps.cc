// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/live_reader.h"

namespace tally::tool {
namespace {

// No list in a process that means well is longer.
constexpr size_t kCachesMax = size_t{1} << 20;
constexpr size_t kHeapsMax = size_t{1} << 16;
constexpr size_t kBatchesMax = size_t{1} << 16;

}  // namespace

// Counts the batches from `batch` on: adds the blocks' number, and if they are in transit each to
// its class.
bool LiveReader::ReadBatches(uint64_t batch, bool is_transit, uint64_t* blocks) {
  for (size_t i = 0; batch != 0; ++i) {
    uint32_t count = 0;
    Copy copy;
    if (!Get(batch + directory_.batch_count, &count)) {
      return false;
    }
    if (i == kBatchesMax || count > directory_.batch_blocks_max || count > kStrideMax) {
      return Odd();
    }
    *blocks += count;
    if (is_transit) {
      if (!ReadCopy(batch + directory_.batch_blocks, count * sizeof(uint64_t), &copy)) {
        return false;
      }
      for (size_t block = 0; block < count; ++block) {
        CountTransit(copy.At<uint64_t>(block * sizeof(uint64_t)));
      }
    }
    if (!Get(batch + directory_.batch_next, &batch)) {
      return false;
    }
  }
  return true;
}

void LiveReader::CountTransit(uint64_t block) {
  const auto region = regions_.find(block & ~(directory_.region_bytes - 1));
  const size_t size_class = region == regions_.end() ? 0 : region->second.ClassAt(block);
  if (size_class != 0) {
    ++view_.books.classes[size_class].transit;
  }
}

bool LiveReader::ReadHeap(uint64_t heap, uint64_t index) {
  const size_t bytes = directory_.class_count * directory_.heap_class_stride;
  Copy classes;
  uint32_t users = 0;
  uint64_t inbox = 0;
  if (directory_.heap_class_stride > kStrideMax) {
    return Odd();
  }
  if (!ReadCopy(heap + directory_.heap_classes, bytes, &classes) ||
      !Get(heap + directory_.heap_users, &users) || !Get(heap + directory_.heap_inbox, &inbox)) {
    return false;
  }
  HeapBooks own{index, users, 0, 0, 0, 0, {}};
  for (size_t c = 1; c < directory_.class_count; ++c) {
    const uint64_t at = c * directory_.heap_class_stride;
    ClassBooks& entry = view_.books.classes[c];
    uint64_t depot_blocks = 0;
    if (!ReadBatches(classes.At<uint64_t>(at + directory_.heap_class_depot), false,
                     &depot_blocks)) {
      return false;
    }
    entry.cached += depot_blocks;
    entry.refills += classes.At<uint64_t>(at + directory_.heap_class_refills);
    entry.flushes += classes.At<uint64_t>(at + directory_.heap_class_flushes);
    own.depot_blocks += depot_blocks;
    own.refills += classes.At<uint64_t>(at + directory_.heap_class_refills);
    own.flushes += classes.At<uint64_t>(at + directory_.heap_class_flushes);
  }
  if (!ReadBatches(inbox, true, &own.inbox_blocks)) {
    return false;
  }
  heap_indexes_[heap] = index;
  heaps_.push_back(own);
  return true;
}

bool LiveReader::ReadHeaps() {
  uint32_t count = 0;
  if (!Get(directory_.heap_count, &count)) {
    return false;
  }
  if (count > kHeapsMax) {
    return Odd();
  }
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t heap = 0;
    if (!Get(directory_.heaps + i * sizeof(heap), &heap) || !ReadHeap(heap, i)) {
      return false;
    }
  }
  view_.books.heaps = count;
  AddEntries(LeafKind::kHeaps, heaps_);
  return true;
}

// How much of a thread cache has to be read: up to the last of the fields.
size_t LiveReader::CacheBytes() const {
  const StatsDirectory& d = directory_;
  return std::max({d.cache_next + 8, d.cache_heap + 8, d.cache_thread + 8,
                   d.cache_bases + d.class_count * 8, d.cache_resets + 8,
                   d.cache_magazine_bytes + 8, d.cache_slow_calls + 8, d.cache_slow_ns + 8,
                   d.cache_outgoing + d.cache_outgoing_count * d.cache_outgoing_stride,
                   d.cache_magazines + d.class_count * d.magazine_stride});
}

// A copy in which bases and countdowns belong together, if there is one to be had.
bool LiveReader::ReadCacheSettled(uint64_t cache, size_t bytes, Copy* copy) const {
  constexpr int kTriesMax = 100;
  for (int i = 0; i < kTriesMax; ++i) {
    uint64_t resets = 0;
    if (!ReadCopy(cache, bytes, copy) || !Get(cache + directory_.cache_resets, &resets)) {
      return false;
    }
    if (resets % 2 == 0 && copy->At<uint64_t>(directory_.cache_resets) == resets) {
      break;
    }
  }
  return true;
}

void LiveReader::CountMagazines(const Copy& copy, ThreadBooks* own) {
  for (size_t c = 1; c < directory_.class_count; ++c) {
    const uint64_t at = directory_.cache_magazines + c * directory_.magazine_stride;
    const auto top = copy.At<uint64_t>(at + directory_.magazine_top);
    const auto limit = copy.At<uint64_t>(at + directory_.magazine_limit);
    const auto bottom = copy.At<uint64_t>(at + directory_.magazine_bottom);
    const auto countdown = copy.At<uint64_t>(at + directory_.magazine_countdown);
    const bool is_settled = top >= bottom && top <= limit && limit - bottom <= kStrideMax;
    const uint64_t cached = is_settled ? (top - bottom) / sizeof(uint64_t) : 0;
    const uint64_t allocated =
        copy.At<uint64_t>(directory_.cache_bases + c * sizeof(uint64_t)) - countdown;
    view_.books.classes[c].cached += cached;
    view_.books.classes[c].allocated += allocated;
    own->cached += cached;
    own->cached_bytes += cached * shapes_[c].block_bytes;
    own->allocated += allocated;
  }
}

bool LiveReader::ReadCache(uint64_t cache, size_t bytes, uint64_t* next) {
  Copy copy;
  if (!ReadCacheSettled(cache, bytes, &copy)) {
    return false;
  }
  ThreadBooks own{};
  own.thread = copy.At<uint64_t>(directory_.cache_thread);
  const auto heap = heap_indexes_.find(copy.At<uint64_t>(directory_.cache_heap));
  own.heap = heap == heap_indexes_.end() ? 0 : heap->second;
  own.magazine_bytes = copy.At<uint64_t>(directory_.cache_magazine_bytes);
  own.slow_ns = copy.At<uint64_t>(directory_.cache_slow_ns);
  CountMagazines(copy, &own);
  for (size_t i = 0; i < directory_.cache_outgoing_count; ++i) {
    const auto batch =
        copy.At<uint64_t>(directory_.cache_outgoing + i * directory_.cache_outgoing_stride +
                          directory_.outgoing_batch);
    if (!ReadBatches(batch, true, &own.transit)) {
      return false;
    }
  }
  view_.books.slow_calls += copy.At<uint64_t>(directory_.cache_slow_calls);
  view_.books.slow_ns += own.slow_ns;
  if (own.thread != 0 || own.allocated != 0) {
    threads_.push_back(own);
  }
  *next = copy.At<uint64_t>(directory_.cache_next);
  return true;
}

bool LiveReader::ReadCaches() {
  const size_t bytes = CacheBytes();
  if (bytes > 16 * kStrideMax || directory_.cache_outgoing_count > kStrideMax) {
    return Odd();
  }
  uint64_t cache = 0;
  bool is_read = Get(directory_.caches, &cache);
  for (size_t i = 0; is_read && cache != 0; ++i) {
    if (i == kCachesMax) {
      return Odd();
    }
    is_read = ReadCache(cache, bytes, &cache);
  }
  AddEntries(LeafKind::kThreads, threads_);
  return is_read;
}

bool LiveReader::ReadClassTotals() {
  const size_t bytes = directory_.class_count * sizeof(uint64_t);
  Copy uncached;
  Copy samples;
  Copy sampled_bytes;
  if (!ReadCopy(directory_.uncached_allocations, bytes, &uncached) ||
      !ReadCopy(directory_.samples, bytes, &samples) ||
      !ReadCopy(directory_.sampled_bytes, bytes, &sampled_bytes)) {
    return false;
  }
  for (size_t c = 1; c < directory_.class_count; ++c) {
    ClassBooks& entry = view_.books.classes[c];
    entry.allocated += uncached.At<uint64_t>(c * sizeof(uint64_t));
    entry.samples = samples.At<uint64_t>(c * sizeof(uint64_t));
    entry.sampled_bytes = sampled_bytes.At<uint64_t>(c * sizeof(uint64_t));
  }
  return true;
}

bool LiveReader::ReadTotals() {
  Books& books = view_.books;
  uint32_t live_threads = 0;
  uint32_t peak_threads = 0;
  const StatsDirectory& d = directory_;
  const bool is_read =
      Get(d.large_allocated, &books.large.allocated) && Get(d.large_freed, &books.large.freed) &&
      Get(d.huge_allocated, &books.huge.allocated) && Get(d.huge_freed, &books.huge.freed) &&
      Get(d.mapped_peak_bytes, &books.mapped_peak_bytes) && Get(d.live_threads, &live_threads) &&
      Get(d.peak_threads, &peak_threads) && Get(d.threads_started, &books.threads_started) &&
      Get(d.purged_bytes, &books.purged_bytes) && Get(d.purge_calls, &books.purge_calls) &&
      Get(d.mismatched_sizes, &books.mismatched_sizes) && ReadClassTotals();
  books.live_threads = live_threads;
  books.peak_threads = peak_threads;
  return is_read;
}

}  // namespace tally::tool
