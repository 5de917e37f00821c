// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Ten thousand threads, one after the other, with a thousand allocations each: whether what a
// thread leaves behind serves the next. A tenth of the blocks outlives its thread and is freed by
// the following one. Prints the RSS after the first hundred threads and at the end.
//
// Threads: `inherited` belongs to the one thread that lives; join hands it on.

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "bench/random.h"
#include "bench/scenarios/memory.h"

namespace {

constexpr int kThreads = 10000;
constexpr int kWarmThreads = 100;
constexpr size_t kAllocations = 1000;
constexpr size_t kInherited = kAllocations / 10;

void LiveAndEnd(uint64_t seed, void** inherited) {
  bench::Random random(seed);
  void* blocks[kAllocations];
  for (void*& block : blocks) {
    const size_t size = random.Between(16, 1024);
    block = malloc(size);
    if (block == nullptr) abort();
    static_cast<char*>(block)[size - 1] = 1;
  }
  for (size_t i = 0; i < kAllocations; ++i) {
    if (i % (kAllocations / kInherited) == 0) {
      std::swap(blocks[i], inherited[i * kInherited / kAllocations]);
    }
    free(blocks[i]);
  }
}

}  // namespace

int main() {
  std::vector<void*> inherited(kInherited, nullptr);
  long warm_kb = 0;
  for (int i = 0; i < kThreads; ++i) {
    if (i == kWarmThreads) warm_kb = bench::ResidentKb();
    std::thread(LiveAndEnd, i, inherited.data()).join();
  }
  const long end_kb = bench::ResidentKb();
  for (void* block : inherited) free(block);
  printf("turnover_warm_mb=%.2f\nturnover_end_mb=%.2f\n", warm_kb / 1024.0, end_kb / 1024.0);
}
