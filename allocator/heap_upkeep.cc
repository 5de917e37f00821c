// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What a heap does from time to time: giving back what it holds, purging, checking itself.

#include <bit>

#include "allocator/check.h"
#include "allocator/heap.h"
#include "allocator/purge.h"
#include "allocator/region.h"

namespace tally {

void Heap::EmptyDepot(ClassState& state) {
  ReturnAll(state.depot);
  state.depot = nullptr;
  state.depot_batches = 0;
}

void Heap::AddEmptyRun(SizeClass size_class) {
  ++classes_[size_class].empty_runs;
  empty_pools_ += kClassTable[size_class].run_pools;
}

void Heap::SubtractEmptyRuns(SizeClass size_class, size_t count) {
  ClassState& state = classes_[size_class];
  state.empty_runs -= static_cast<uint32_t>(count);
  if (state.empty_runs < state.empty_runs_low) {
    state.empty_runs_low = state.empty_runs;
  }
  empty_pools_ -= count * kClassTable[size_class].run_pools;
}

// REQUIRES: all blocks of the run became free, which is not counted yet.
void Heap::KeepOrRetire(Pool* head) {
  const SizeClass size_class = head->size_class;
  if (classes_[size_class].empty_runs >= AdjacentRuns(size_class)) {
    if (is_private_ || empty_pools_ + head->info().run_pools > kEmptyPoolsMax) {
      Retire(head);
      return;
    }
    spare_runs_[size_class / 64] |= uint64_t{1} << (size_class % 64);
  }
  AddEmptyRun(size_class);
}

// All but the `keep` at the lowest addresses.
void Heap::ReleaseEmptyRuns(SizeClass size_class, size_t keep) {
  ClassState& state = classes_[size_class];
  while (state.empty_runs > keep) {
    constexpr size_t kAtOnce = 64;
    Pool* surplus[kAtOnce];
    size_t seen = 0;
    size_t count = 0;
    state.partial.ForEach([&](Pool* pool) {
      if (pool->is_empty() && ++seen > keep && count < kAtOnce) {
        surplus[count++] = pool;
      }
    });
    CHECK(seen == state.empty_runs);
    SubtractEmptyRuns(size_class, count);
    while (count != 0) {
      Retire(surplus[--count]);
    }
  }
}

void Heap::ReleaseSpareRuns() {
  for (size_t word = 0; word < sizeof(spare_runs_) / sizeof(spare_runs_[0]); ++word) {
    for (uint64_t bits = spare_runs_[word]; bits != 0; bits &= bits - 1) {
      const auto size_class =
          static_cast<SizeClass>(word * 64 + static_cast<size_t>(std::countr_zero(bits)));
      ReleaseEmptyRuns(size_class, AdjacentRuns(size_class));
    }
    spare_runs_[word] = 0;
  }
}

// Memory grew, here or in another heap: what is spare may serve there.
void Heap::NoteGrowth() {
  const uint64_t growths = regions.growths();
  if (growths != seen_growths_) {
    seen_growths_ = growths;
    ReleaseSpareRuns();
  }
}

void Heap::Trim() {
  const MutexLock lock(mutex_);
  DrainInbox();
  for (size_t c = 1; c < kClassCount; ++c) {
    EmptyDepot(classes_[c]);
    ReleaseEmptyRuns(static_cast<SizeClass>(c), 0);
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
    const auto size_class = static_cast<SizeClass>(c);
    ClassState& state = classes_[c];
    size_t needed = state.empty_runs - state.empty_runs_low;
    if (!state.depot_used) {
      EmptyDepot(state);
    } else if (needed < AdjacentRuns(size_class)) {
      needed = AdjacentRuns(size_class);
    }
    ReleaseEmptyRuns(size_class, needed);
    state.empty_runs_low = state.empty_runs;
    state.depot_used = false;
    if ((tick + c) % kTicksPerDecay < ticks) {  // a share of the classes each tick
      PurgeInsideRuns(size_class, /*only_settled=*/true);
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
    CHECK(empty_runs == classes_[c].empty_runs);
    CHECK(empty_runs <= kAdjacentPoolsMax || (spare_runs_[c / 64] >> (c % 64) & 1) != 0);
  }
}

}  // namespace tally
