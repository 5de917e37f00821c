// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Hand-off: every other thread allocates batches of blocks, its partner frees them. A time is one
// batch; items are blocks. Producer and consumer make the same number of iterations, so neither
// waits at the end.
//
// Threads: a pair's ring has one writer and one reader. `pushed` is released after the slot is
// written and acquired before it is read; `popped` is released after the slot is read and acquired
// before it is written again. Google Benchmark's barrier at the start and at the end of the loop
// orders what one run leaves for the next.

#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "bench/random.h"

namespace {

constexpr size_t kBatch = 100;
constexpr size_t kRingSlots = 16;
constexpr int kPairsMax = 4;

using Batch = std::array<void*, kBatch>;

struct alignas(64) Ring {
  std::array<Batch, kRingSlots> slots;
  alignas(64) std::atomic<uint64_t> pushed{0};
  alignas(64) std::atomic<uint64_t> popped{0};
};

Ring rings[kPairsMax];

void Push(Ring& ring, const Batch& batch) {
  const uint64_t pushed = ring.pushed.load(std::memory_order_relaxed);
  while (pushed - ring.popped.load(std::memory_order_acquire) == kRingSlots) {
    std::this_thread::yield();
  }
  ring.slots[pushed % kRingSlots] = batch;
  ring.pushed.store(pushed + 1, std::memory_order_release);
}

Batch Pop(Ring& ring) {
  const uint64_t popped = ring.popped.load(std::memory_order_relaxed);
  while (popped == ring.pushed.load(std::memory_order_acquire)) std::this_thread::yield();
  const Batch batch = ring.slots[popped % kRingSlots];
  ring.popped.store(popped + 1, std::memory_order_release);
  return batch;
}

// Arguments: smallest and largest size.
void HandOff(benchmark::State& state) {
  const size_t low = state.range(0);
  const size_t high = state.range(1);
  Ring& ring = rings[state.thread_index() / 2];
  const bool is_producer = state.thread_index() % 2 == 0;
  bench::Random random(23 + state.thread_index());
  for (auto _ : state) {
    if (is_producer) {
      Batch batch;
      for (void*& block : batch) {
        block = malloc(random.Between(low, high));
        *static_cast<volatile char*>(block) = 1;
      }
      Push(ring, batch);
    } else {
      for (void* block : Pop(ring)) free(block);
    }
  }
  // Counted on one side only, or every block would count twice.
  if (is_producer) state.SetItemsProcessed(state.iterations() * kBatch);
}

BENCHMARK(HandOff)
    ->ArgNames({"low", "high"})
    ->Args({64, 64})
    ->Args({16, 1024})
    ->Threads(2)
    ->Threads(8)
    ->UseRealTime();

}  // namespace
