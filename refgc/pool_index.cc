// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "refgc/pool_index.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace refgc::detail {

namespace {

const pool_entry no_entries[side_table::kPoolsPerRegion] = {};

// The index whose stack grows: a collection has one, and a thread runs one collection at a time.
thread_local pool_index* growing = nullptr;

}  // namespace

pool_index::~pool_index() {
  for (pool_entry* entries : regions_) {
    if (entries != no_entries) {
      std::free(entries);
    }
  }
}

void pool_index::clear() {
  for (const run& r : runs_) {
    const uintptr_t first = reinterpret_cast<uintptr_t>(r.first_block) >> side_table::kPoolShift;
    for (uintptr_t pool = first; pool < first + r.pools; ++pool) {
      entries_of(pool >> (side_table::kRegionShift -
                          side_table::kPoolShift))[pool & (side_table::kPoolsPerRegion - 1)] = {};
    }
  }
  if (refs_.capacity() > kKeptSlots) {
    refs_ = std::vector<int32_t>();
    runs_ = std::vector<run>();
  }
  refs_.clear();
  runs_.clear();
  stack_ = std::vector<void*>();
  side_.refs = nullptr;
  side_.cursor = 0;
  side_.stack_top = side_.stack_limit = nullptr;
  is_overflown_ = false;
}

// The entries of a region, zero where it is new.
pool_entry* pool_index::entries_of(uintptr_t region) {
  if (regions_.empty()) {
    side_.region_first = region;
  }
  auto* none = const_cast<pool_entry*>(no_entries);
  if (region < side_.region_first) {
    regions_.insert(regions_.begin(), side_.region_first - region, none);
    side_.region_first = region;
  }
  if (region - side_.region_first >= regions_.size()) {
    regions_.resize(region - side_.region_first + 1, none);
  }
  pool_entry*& entries = regions_[region - side_.region_first];
  if (entries == none) {
    // calloc: pages that no pool of ours lies under stay untouched.
    void* place = std::calloc(side_table::kPoolsPerRegion, sizeof(pool_entry));
    if (place == nullptr) {
      throw std::bad_alloc();
    }
    entries = static_cast<pool_entry*>(place);
  }
  side_.regions = regions_.data();
  side_.region_count = regions_.size();
  side_.no_entries = no_entries;
  return entries;
}

void pool_index::add_run(char* first_block, uint32_t block_bytes, uint32_t blocks, uint32_t pools,
                         int32_t value) {
  if (refs_.empty()) {
    refs_.push_back(side_table::kOutside);
  }
  const auto first = static_cast<uint32_t>(refs_.size());
  const uint32_t words = block_bytes / 8;
  const auto reciprocal =
      blocks == 1 ? 0 : static_cast<uint32_t>(((uint64_t{1} << 32) + words - 1) / words);
  const auto address = reinterpret_cast<uintptr_t>(first_block);
  const auto first_word = static_cast<int32_t>(address % tally::kPoolBytes / 8);
  for (uint32_t i = 0; i < pools; ++i) {
    const uintptr_t pool = (address >> side_table::kPoolShift) + i;
    pool_entry* entries = entries_of(pool >> (side_table::kRegionShift - side_table::kPoolShift));
    entries[pool & (side_table::kPoolsPerRegion - 1)] = {
        first, reciprocal, static_cast<int32_t>(i * tally::kPoolBytes / 8) - first_word, 0};
  }
  refs_.resize(first + blocks, value);
  side_.refs = refs_.data();
  runs_.push_back({first_block, block_bytes, first, first + blocks, pools});
}

void pool_index::add_all(int32_t value) {
  // All at once: a vector that doubles could be the peak of the program's memory.
  size_t slots = 1 + heap_.large.size();
  tally::ForEachRun(*heap_.core, heap_.caches[0]->heap(),
                    [&](const tally::Pool* head) { slots += head->info().capacity; });
  refs_.reserve(slots);
  tally::ForEachRun(*heap_.core, heap_.caches[0]->heap(), [&](tally::Pool* head) {
    const tally::ClassInfo& info = head->info();
    add_run(head->first_block(), info.block_bytes, info.capacity, info.run_pools, value);
  });
  for (const object_header* header : heap_.large) {
    if ((header->flags & kAcyclic) == 0) {
      add(header, value);
    }
  }
}

uint32_t pool_index::add(const object_header* header, int32_t value) {
  if (side_.regions != nullptr) {
    const uint32_t slot = side_.slot_of(header + 1);
    if (slot != 0) {
      return slot;
    }
  }
  if ((header->flags & kLarge) != 0) {
    const auto start = reinterpret_cast<uintptr_t>(header) & ~(tally::kPoolBytes - 1);
    const uintptr_t end =
        reinterpret_cast<uintptr_t>(header + 1) + type_table[header->type].object_bytes;
    // Its one block begins at the header.
    add_run(reinterpret_cast<char*>(const_cast<object_header*>(header)), 8, 1,
            static_cast<uint32_t>((end - start + tally::kPoolBytes - 1) / tally::kPoolBytes),
            value);
  } else {
    tally::Pool* head = tally::Pool::Of(header)->head();
    const tally::ClassInfo& info = head->info();
    add_run(head->first_block(), info.block_bytes, info.capacity, info.run_pools, value);
  }
  return side_.slot_of(header + 1);
}

void side_table::push_slow(void* target) { growing->push_slow(target); }

void pool_index::push_slow(void* target) {
  void* object = whole_object(target);
  if (side_.stack_top == side_.stack_limit) {
    const auto count = static_cast<size_t>(side_.stack_top - stack_.data());
    try {
      stack_.resize(std::max<size_t>(2 * stack_.size(), 1024));
    } catch (const std::bad_alloc&) {
      is_overflown_ = true;
      return;
    }
    side_.stack_top = stack_.data() + count;
    side_.stack_limit = stack_.data() + stack_.size();
  }
  *side_.stack_top++ = object;
}

void pool_index::use_stack() { growing = this; }

std::vector<void*> pool_index::take_stack() {
  stack_.resize(static_cast<size_t>(side_.stack_top - stack_.data()));
  side_.stack_top = side_.stack_limit = nullptr;
  return std::exchange(stack_, {});
}

// Last in, first out, but for the few that wait while their lines are fetched.
void pool_index::drain_stack() {
  constexpr size_t kAhead = 8;
  void* ahead[kAhead] = {};
  size_t at = 0;
  size_t waiting = 0;
  for (;;) {
    void* next = nullptr;
    if (side_.stack_top != stack_.data()) {
      next = *--side_.stack_top;
      __builtin_prefetch(header_of(next));
      ++waiting;
    } else if (waiting == 0) {
      return;
    }
    void* object = std::exchange(ahead[at], next);
    at = (at + 1) % kAhead;
    if (object != nullptr) {
      --waiting;
      type_table[header_of(object)->type].mark_one(side_, object);
    }
  }
}

}  // namespace refgc::detail
