// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// When to collect, and the gc verbs.

#include "refgc/gc.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "refgc/collector.h"

namespace refgc {

namespace detail {

namespace {

// A full collection waits for this much growth at least.
constexpr uint64_t kGrowthBytesMin = 2 << 20;
// And for this share of what the last one left; CPython's is a quarter. With up to 1.0, as long as
// collections find little, a server's garbage stayed until its heap had doubled.
constexpr double kGrowth = 0.3;
// A closure that gets larger than this, and a quarter of the heap, is given up.
constexpr size_t kClosureMin = 10000;
constexpr int kClosuresToSkipMax = 64;
constexpr int64_t kNever = int64_t{1} << 60;
// By default a collection of the youngest waits for an object made for so many bytes held, 3,500 on
// a heap of a million small objects, and 700 below 11 MB; when the last ones found little, for as
// many as one for each kBytesPerYoungObjectMin.
constexpr uint64_t kBytesPerYoungObject = 16 * 1024;
constexpr uint64_t kBytesPerYoungObjectMin = 512;
constexpr double kPatienceMax = 64;

// The default threshold, times what the last young collections were worth; within bounds that grow
// with the heap. Each collection uses up a stamp, and renumbering them walks the heap.
int64_t adapted_threshold(const heap_impl& heap) {
  const uint64_t held = heap.held_bytes();
  const int64_t least =
      std::max(heap.thresholds.generation0, static_cast<int64_t>(held / kBytesPerYoungObject));
  const int64_t most = std::max(least, static_cast<int64_t>(held / kBytesPerYoungObjectMin));
  const auto wanted =
      static_cast<int64_t>(static_cast<double>(heap.thresholds.generation0) * heap.young_patience);
  return std::clamp(wanted, least, most);
}

void set_budget(heap_impl& heap, int64_t count0) {
  const bool is_on = heap.is_enabled && heap.thresholds.generation0 != 0;
  const int64_t threshold =
      heap.has_own_thresholds ? heap.thresholds.generation0 : adapted_threshold(heap);
  heap.budget_max = is_on ? threshold : kNever;
  heap.budget = heap.budget_max - count0;
}

int64_t count0_of(const heap_impl& heap) {
  return std::max<int64_t>(heap.budget_max - heap.budget, 0);
}

// Stamps run out: those in use move down, in the same order.
void renumber(heap_impl& heap) {
  for_each_living(heap, 0, [&](object_header* header) {
    const int generation = heap.generation_of(*header);
    header->stamp = generation == 0 ? 2 : generation == 1 ? 1 : kStampOld;
  });
  heap.oldest_young_stamp = 1;
  heap.stamp = 2;
}

// What was in generations 0..generation is one older from now on.
void promote(heap_impl& heap, int generation) {
  if (heap.stamp == kStampMax) {
    renumber(heap);
  }
  ++heap.stamp;
  if (generation > 0) {
    heap.oldest_young_stamp = heap.stamp;
  }
}

void count_collection(heap_impl& heap, int generation) {
  if (generation == 0) {
    ++heap.count1;
  } else {
    heap.count1 = 0;
    heap.count2 = generation == 1 ? heap.count2 + 1 : 0;
  }
}

void call_callbacks(heap_impl& heap, gc::phase phase, const gc::callback_info& info) {
  const std::vector<gc::callback> callbacks = heap.callbacks;  // they may edit the list
  for (const gc::callback& callback : callbacks) {
    try {
      callback(phase, info);
    } catch (...) {
      report_unraisable("gc callback", nullptr);
    }
  }
}

// After a collection that freed at least half of what it looked at the next comes sooner (Nim's ORC
// adapts its threshold alike).
void adapt_patience(heap_impl& heap, const collection_result& result) {
  const bool was_worth_it = 2 * result.collected >= result.candidates;
  heap.young_patience = was_worth_it ? std::max(heap.young_patience * 2 / 3, 1.0)
                                     : std::min(heap.young_patience * 3 / 2, kPatienceMax);
}

collection_result collect_automatically(heap_impl& heap, int generation) {
  const auto limit = std::max<size_t>(kClosureMin, heap.held_bytes() / 64 / 4);
  collection_result result = collector(heap).collect_closure(generation, limit);
  if (result.candidates != 0) {
    adapt_patience(heap, result);
  }
  if (result.is_abandoned) {
    heap.closures_failed = std::min(heap.closures_failed + 1, 6);
    heap.closures_to_skip = std::min(1 << heap.closures_failed, kClosuresToSkipMax);
  } else if (generation == 2) {
    heap.closures_failed = 0;
  }
  return result;
}

collection_result collect_set(heap_impl& heap, int generation, bool is_automatic, bool is_full) {
  const pending_objects_hidden hidden;
  if (is_full) {
    const collection_result result = collector(heap).collect_full();
    heap.bytes_after_full = heap.held_bytes();
    return result;
  }
  return is_automatic ? collect_automatically(heap, generation)
                      : collector(heap).collect_young(generation);
}

void write_stats_line(int generation, const collection_result& result, double seconds) {
  std::fprintf(stderr,
               "refgc: collected generation %d: %zu unreachable, %zu uncollectable, %zu looked at, "
               "%.4f s\n",
               generation, result.collected + result.uncollectable, result.uncollectable,
               result.candidates, seconds);
}

class collecting_mark {
 public:
  explicit collecting_mark(heap_impl& heap) : heap_(heap) { heap_.is_collecting = true; }
  ~collecting_mark() { heap_.is_collecting = false; }
  collecting_mark(const collecting_mark&) = delete;
  collecting_mark& operator=(const collecting_mark&) = delete;

 private:
  heap_impl& heap_;
};

size_t run_collection(heap_impl& heap, int generation, bool is_automatic, bool is_full) {
  if (heap.is_collecting) {
    return 0;
  }
  // Memory may run out on the way: then what was found stays garbage, and is leaked.
  const collecting_mark mark(heap);
  call_callbacks(heap, gc::phase::start, {generation, 0, 0});
  const auto start = std::chrono::steady_clock::now();
  heap.budget = heap.budget_max;
  const collection_result result = collect_set(heap, generation, is_automatic, is_full);
  set_budget(heap, count0_of(heap));  // what finalisers made stays counted
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  promote(heap, generation);
  count_collection(heap, generation);
  gc::generation_stats& stats = heap.stats[generation];
  ++stats.collections;
  stats.collected += result.collected;
  stats.uncollectable += result.uncollectable;
  stats.candidates += result.candidates;
  stats.duration += seconds;
  heap.durations[generation].add(seconds);
  if ((heap.debug & gc::DEBUG_STATS) != 0) {
    write_stats_line(generation, result, seconds);
  }
  call_callbacks(heap, gc::phase::stop, {generation, result.collected, result.uncollectable});
  return result.collected + result.uncollectable;
}

}  // namespace

void duration_log::add(double duration) {
  if (seconds.size() < kKept) {
    seconds.push_back(static_cast<float>(duration));
  } else {
    seconds[next++ % kKept] = static_cast<float>(duration);
  }
}

void budget_is_spent(heap_state* state) {
  auto& heap = *static_cast<heap_impl*>(state);
  if (heap.is_collecting || !heap.is_enabled || heap.thresholds.generation0 == 0) {
    return;
  }
  const uint64_t held = heap.held_bytes();
  const uint64_t before = heap.bytes_after_full;
  const auto wanted = static_cast<uint64_t>(static_cast<double>(before) * kGrowth);
  const bool has_grown = held > before + std::max(wanted, kGrowthBytesMin);
  int generation = 0;
  if (heap.count2 > heap.thresholds.generation2 && heap.thresholds.generation2 != 0) {
    generation = heap.closures_to_skip == 0 ? 2 : 1;
    heap.closures_to_skip -= heap.closures_to_skip == 0 ? 0 : 1;
  } else if (heap.count1 > heap.thresholds.generation1 && heap.thresholds.generation1 != 0) {
    generation = 1;
  }
  run_collection(heap, has_grown ? 2 : generation, true, has_grown);
}

}  // namespace detail

using detail::this_heap_impl;

size_t collect(int generation) {
  if (generation < 0 || generation > 2) {
    throw std::invalid_argument("refgc::collect: a generation is 0, 1 or 2");
  }
  return detail::run_collection(*this_heap_impl(), generation, false, generation == 2);
}

namespace gc {

void enable() {
  detail::heap_impl& heap = *this_heap_impl();
  const int64_t count0 = detail::count0_of(heap);
  heap.is_enabled = true;
  detail::set_budget(heap, count0);
}

void disable() {
  detail::heap_impl& heap = *this_heap_impl();
  const int64_t count0 = detail::count0_of(heap);
  heap.is_enabled = false;
  detail::set_budget(heap, count0);
}

bool isenabled() { return this_heap_impl()->is_enabled; }

void set_threshold(int64_t generation0, int64_t generation1, int64_t generation2) {
  detail::heap_impl& heap = *this_heap_impl();
  const int64_t count0 = detail::count0_of(heap);
  heap.has_own_thresholds = true;
  heap.thresholds.generation0 = std::max<int64_t>(generation0, 0);
  heap.thresholds.generation1 = generation1 < 0 ? heap.thresholds.generation1 : generation1;
  heap.thresholds.generation2 = generation2 < 0 ? heap.thresholds.generation2 : generation2;
  detail::set_budget(heap, count0);
}

thresholds get_threshold() { return this_heap_impl()->thresholds; }

counts get_count() {
  const detail::heap_impl& heap = *this_heap_impl();
  return {detail::count0_of(heap), heap.count1, heap.count2};
}

std::vector<generation_stats> get_stats() {
  detail::heap_impl& heap = *this_heap_impl();
  std::vector<generation_stats> result;
  for (int g = 0; g < 3; ++g) {
    generation_stats stats = heap.stats[g];
    std::vector<float> seconds = heap.durations[g].seconds;
    if (!seconds.empty()) {
      std::sort(seconds.begin(), seconds.end());
      stats.p50_s = seconds[seconds.size() / 2];
      stats.p99_s = seconds[seconds.size() * 99 / 100];
      stats.max_s = seconds.back();
    }
    result.push_back(stats);
  }
  return result;
}

void set_debug(unsigned flags) { this_heap_impl()->debug = flags; }
unsigned get_debug() { return this_heap_impl()->debug; }
std::vector<ref<void>>& garbage() { return this_heap_impl()->garbage; }
std::vector<callback>& callbacks() { return this_heap_impl()->callbacks; }

std::vector<ref<void>> get_objects(int generation) {
  if (generation < -1 || generation > 2) {
    throw std::invalid_argument("refgc::gc::get_objects: a generation is 0, 1 or 2, or -1 for all");
  }
  const detail::heap_impl& heap = *this_heap_impl();
  std::vector<ref<void>> result;
  detail::for_each_living(heap, 0, [&](detail::object_header* header) {
    if (generation == -1 || heap.generation_of(*header) == generation) {
      result.push_back(ref_from_this(detail::object_of(header)));
    }
  });
  return result;
}

bool is_tracked(const ref<void>& r) {
  return r && (detail::header_of(r.get())->flags & detail::kAcyclic) == 0;
}

bool is_finalized(const ref<void>& r) {
  return r && (detail::header_of(r.get())->flags & detail::kFinalized) != 0;
}

void freeze(bool immortalize) {
  detail::heap_impl& heap = *this_heap_impl();
  for (int kind = 0; kind < 2; ++kind) {
    detail::for_each_living(heap, kind, [&](detail::object_header* header) {
      if (kind == 0 && (header->flags & detail::kFrozen) == 0) {
        header->flags |= detail::kFrozen;
        ++heap.frozen_count;
      }
      if (immortalize) {
        header->count = detail::kImmortalCount;
      }
    });
  }
}

void unfreeze() {
  detail::heap_impl& heap = *this_heap_impl();
  detail::for_each_living(heap, 0, [&](detail::object_header* header) {
    header->flags &= static_cast<uint8_t>(~detail::kFrozen);
    header->stamp = detail::kStampOld;
  });
  heap.frozen_count = 0;
}

size_t get_freeze_count() {
  detail::heap_impl& heap = *this_heap_impl();
  heap.frozen_count = 0;  // some may have died since
  detail::for_each_living(heap, 0, [&](const detail::object_header* header) {
    heap.frozen_count += (header->flags & detail::kFrozen) != 0 ? 1 : 0;
  });
  return heap.frozen_count;
}

void add_external_bytes(int64_t bytes) { this_heap_impl()->external_bytes += bytes; }

}  // namespace gc

}  // namespace refgc
