// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What a heap does from time to time: giving back what it holds, purging, checking itself.

#include <bit>

#include "allocator/check.h"
#include "allocator/heap.h"
#include "allocator/purge.h"

namespace tally {

void Heap::EmptyDepot(ClassState& state) {
  ReturnAll(state.depot);
  state.depot = nullptr;
  state.depot_batches = 0;
}

void Heap::ReleaseEmptyRuns(ClassState& state) {
  if (state.empty_runs == 0) {
    return;
  }
  Pool* empty[kAdjacentPoolsMax + 1];
  size_t count = 0;
  state.partial.ForEach([&](Pool* pool) {
    if (pool->is_empty()) {
      empty[count++] = pool;
    }
  });
  CHECK(count == state.empty_runs);
  state.empty_runs = 0;
  while (count != 0) {
    Retire(empty[--count]);
  }
}

void Heap::Trim() {
  const MutexLock lock(mutex_);
  DrainInbox();
  for (ClassState& state : classes_) {
    EmptyDepot(state);
    ReleaseEmptyRuns(state);
  }
}

void Heap::Tick(uint64_t tick) {
  const MutexLock lock(mutex_);
  DrainInbox();
  if (tick <= last_tick_) {
    return;  // another thread of this heap was here
  }
  const uint64_t ticks = tick - last_tick_;
  last_tick_ = tick;
  for (size_t c = 1; c < kClassCount; ++c) {
    ClassState& state = classes_[c];
    if (!state.depot_used) {
      EmptyDepot(state);
      ReleaseEmptyRuns(state);
    }
    state.depot_used = false;
    if ((tick + c) % kTicksPerDecay < ticks) {  // a share of the classes each tick
      PurgeInsideRuns(static_cast<SizeClass>(c), /*only_settled=*/true);
    }
  }
}

void Heap::PurgeInsideRuns(SizeClass size_class, bool only_settled) {
  if (kClassTable[size_class].run_pools == 1) {
    return;
  }
  classes_[size_class].partial.ForEach([&](Pool* head) {
    if (head->is_settled || !only_settled) {
      purger.PurgeInside(head);
    }
    head->is_settled = true;
  });
}

void Heap::PurgeInsideRuns() {
  const MutexLock lock(mutex_);
  for (size_t c = 1; c < kClassCount; ++c) {
    PurgeInsideRuns(static_cast<SizeClass>(c), /*only_settled=*/false);
  }
}

Heap::ClassCounts Heap::CountsOf(SizeClass size_class) const {
  const ClassState& state = classes_[size_class];
  uint64_t blocks = 0;
  for (const Batch* batch = state.depot; batch != nullptr; batch = batch->next) {
    blocks += batch->count;
  }
  return {state.refills, state.flushes, blocks};
}

void Heap::CheckInvariants() {
  for (size_t c = 1; c < kClassCount; ++c) {
    size_t empty_runs = 0;
    classes_[c].partial.ForEach([&](Pool* pool) {
      CHECK(pool->owner.load(std::memory_order_relaxed) == this);  // invariant 1
      CHECK(pool->size_class == c && !pool->is_full());
      size_t free_blocks = 0;
      for (size_t i = 0; i < pool->bit_words(); ++i) {
        free_blocks += static_cast<size_t>(std::popcount(pool->bits()[i]));
      }
      CHECK(free_blocks == pool->free_blocks);
      empty_runs += pool->is_empty() ? 1 : 0;
    });
    CHECK(empty_runs == classes_[c].empty_runs && empty_runs <= kAdjacentPoolsMax);
  }
}

}  // namespace tally
