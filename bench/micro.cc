// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// micro: micro-benchmarks of malloc and free on Google Benchmark, under whatever allocator is
// preloaded (LD_PRELOAD=build/release/libtally.so build/release/bench/micro). This file has the
// orders of allocation that fit one loop: pairs, bursts freed last first or first first, calloc,
// aligned blocks, growth by realloc. micro_churn.cc has random replacement, micro_threads.cc what
// one thread allocates and another frees.
//
// Times are for one malloc and one free together unless the name says otherwise: each benchmark
// counts items, so read the items_per_second column or `time / items`.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>

// In libfloor.so alone; see floor.c.
extern "C" __attribute__((weak)) void bench_floor(int on);

namespace {

constexpr size_t kBurst = 1000;

// One block at a time: what the fast paths cost, with everything in the cache.
void Pair(benchmark::State& state) {
  const size_t size = state.range(0);
  const bool is_floor = bench_floor != nullptr && state.threads() == 1;
  if (is_floor) bench_floor(1);
  for (auto _ : state) {
    void* block = malloc(size);
    benchmark::DoNotOptimize(block);
    free(block);
  }
  if (is_floor) bench_floor(0);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Pair)->Arg(16)->Arg(64)->Arg(512)->Arg(4096)->Arg(65536);
BENCHMARK(Pair)->Arg(64)->Threads(2)->Threads(8)->UseRealTime();

// The same in C++, where delete says the size.
void NewDelete(benchmark::State& state) {
  const size_t size = state.range(0);
  for (auto _ : state) {
    void* block = operator new(size);
    benchmark::DoNotOptimize(block);
    operator delete(block, size);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(NewDelete)->Arg(16)->Arg(64)->Arg(512);

// The first byte is written, as every user of a block does.
void* Touched(void* block) {
  *static_cast<volatile char*>(block) = 1;
  return block;
}

// A burst of blocks, freed in the opposite order: a stack of temporary objects.
void Lifo(benchmark::State& state) {
  const size_t size = state.range(0);
  void* blocks[kBurst];
  for (auto _ : state) {
    for (void*& block : blocks) block = Touched(malloc(size));
    for (size_t i = kBurst; i > 0; --i) free(blocks[i - 1]);
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}
BENCHMARK(Lifo)->Arg(16)->Arg(64)->Arg(512)->Arg(1024);
BENCHMARK(Lifo)->Arg(64)->Threads(2)->Threads(8)->UseRealTime();

// A burst of blocks, freed in the order of allocation: a queue, or a structure torn down.
void Fifo(benchmark::State& state) {
  const size_t size = state.range(0);
  void* blocks[kBurst];
  for (auto _ : state) {
    for (void*& block : blocks) block = Touched(malloc(size));
    for (void* block : blocks) free(block);
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}
BENCHMARK(Fifo)->Arg(16)->Arg(64)->Arg(512)->Arg(1024);
BENCHMARK(Fifo)->Arg(64)->Threads(2)->Threads(8)->UseRealTime();

// Zeroed blocks: small ones must be cleared, large ones may be known to be zero.
void Calloc(benchmark::State& state) {
  const size_t size = state.range(0);
  for (auto _ : state) {
    void* block = calloc(1, size);
    benchmark::DoNotOptimize(block);
    free(block);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Calloc)->Arg(64)->Arg(1024)->Arg(65536)->Arg(4 << 20);

// Arguments: alignment, size.
void Aligned(benchmark::State& state) {
  const size_t alignment = state.range(0);
  const size_t size = state.range(1);
  for (auto _ : state) {
    void* block = nullptr;
    if (posix_memalign(&block, alignment, size) != 0) abort();
    benchmark::DoNotOptimize(block);
    free(block);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Aligned)->Args({32, 64})->Args({64, 200})->Args({256, 256})->Args({4096, 4096});
BENCHMARK(Aligned)->Args({65536, 65536});

// One block grown from 64 KB to the argument, an eighth more at each step; a byte of each new 64 KB
// is written. An iteration is a whole growth.
void ReallocGrowth(benchmark::State& state) {
  constexpr size_t kStart = size_t{64} << 10;
  const size_t end = state.range(0);
  for (auto _ : state) {
    char* block = static_cast<char*>(Touched(malloc(kStart)));
    for (size_t size = kStart; size < end;) {
      const size_t grown = size + size / 8;
      block = static_cast<char*>(realloc(block, grown));
      if (block == nullptr) abort();
      for (size_t i = size; i < grown; i += kStart) block[i] = 1;
      size = grown;
    }
    benchmark::DoNotOptimize(block);
    free(block);
  }
}
BENCHMARK(ReallocGrowth)->Arg(8 << 20)->Arg(128 << 20)->Unit(benchmark::kMillisecond);

// A short string that grows a few bytes at a time: mostly within its block.
void ReallocSmall(benchmark::State& state) {
  constexpr size_t kEnd = 1024;
  constexpr size_t kStep = 16;
  for (auto _ : state) {
    void* block = malloc(kStep);
    for (size_t size = 2 * kStep; size <= kEnd; size += kStep) {
      block = Touched(realloc(block, size));
    }
    free(block);
  }
  state.SetItemsProcessed(state.iterations() * (kEnd / kStep));
}
BENCHMARK(ReallocSmall);

}  // namespace

BENCHMARK_MAIN();
