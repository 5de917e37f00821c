// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Random replacement: a set of live blocks of random sizes, of which a random one is freed and
// allocated anew, again and again. A time is one free and one malloc, plus the random numbers
// (about 3 ns) and the cache misses that a real program would have too.
//
// Threads: each thread has a set of its own.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "bench/random.h"

namespace {

// Arguments: smallest and largest size, live blocks of each thread.
void Churn(benchmark::State& state) {
  const size_t low = state.range(0);
  const size_t high = state.range(1);
  const size_t live = state.range(2);
  bench::Random random(17 + state.thread_index());
  const auto new_block = [&random, low, high] {
    void* block = malloc(random.Between(low, high));
    *static_cast<volatile char*>(block) = 1;
    return block;
  };
  std::vector<void*> blocks;
  for (size_t i = 0; i < live; ++i) blocks.push_back(new_block());
  // The order of the first allocations is too good to be true: replace each block once or so.
  for (size_t i = 0; i < live; ++i) {
    void*& block = blocks[random.Below(live)];
    free(block);
    block = new_block();
  }
  for (auto _ : state) {
    void*& block = blocks[random.Below(live)];
    free(block);
    block = new_block();
  }
  for (void* block : blocks) free(block);
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(Churn)
    ->ArgNames({"low", "high", "live"})
    ->Args({8, 64, 1000})
    ->Args({8, 64, 100000})
    ->Args({8, 512, 1000})
    ->Args({8, 512, 10000})
    ->Args({8, 512, 100000})
    ->Args({256, 512, 10000})
    ->Args({16, 1024, 100000})
    ->Args({1024, 16384, 2000})
    ->Args({16, 32768, 20000})
    ->Args({65536, 1 << 20, 100});

BENCHMARK(Churn)
    ->ArgNames({"low", "high", "live"})
    ->Args({8, 512, 1000})
    ->Args({16, 1024, 10000})
    ->Threads(2)
    ->Threads(8)
    ->UseRealTime();

}  // namespace
