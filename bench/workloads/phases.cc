// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A long-lived program whose phases use different sizes: each phase fills memory with blocks of
// its own range, works on them, then frees nine of ten at random, and the tenth stays. What is
// measured beside time is whether the holes of one phase serve the next. Two threads work side by
// side; after each phase they swap what survived, so that blocks are freed by the other thread.
//
// Threads: a Survivors list belongs to one thread; join hands it on between phases.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "bench/random.h"

namespace {

constexpr int kThreads = 2;
constexpr size_t kPhaseBytes = 24 << 20;
constexpr int kReplacements = 250000;

struct Range {
  size_t low;
  size_t high;
};

// Sizes go up, down and up again, so that no order of ranges is favoured.
constexpr Range kPhases[] = {{16, 64},    {64, 256},   {256, 1024}, {1024, 8192},
                             {32, 128},   {512, 4096}, {16, 512},   {8192, 65536},
                             {128, 1024}, {16, 48},    {48, 2048},  {16, 1024}};

struct Block {
  unsigned char* data;
  size_t size;
};
using Blocks = std::vector<Block>;

Block NewBlock(bench::Random& random, Range range) {
  const size_t size = random.Between(range.low, range.high);
  auto* data = static_cast<unsigned char*>(malloc(size));
  if (data == nullptr) abort();
  memset(data, static_cast<int>(size & 0xff), size);
  return {data, size};
}

uint64_t FreeBlock(const Block& block) {
  const uint64_t seen = block.data[0] + block.data[block.size - 1] + block.size;
  free(block.data);
  return seen;
}

// One phase of one thread. `survivors` comes in with the other thread's survivors of the phase
// before, loses half of them, and gains a tenth of this phase's blocks.
uint64_t RunPhase(Range range, uint64_t seed, Blocks& survivors) {
  bench::Random random(seed);
  uint64_t sum = 0;
  Blocks blocks;
  for (size_t bytes = 0; bytes < kPhaseBytes; bytes += blocks.back().size) {
    blocks.push_back(NewBlock(random, range));
  }
  // No more work than blocks: a phase of large blocks would spend its time in memset.
  const size_t replacements = std::min<size_t>(kReplacements, 4 * blocks.size());
  for (size_t i = 0; i < replacements; ++i) {
    Block& block = blocks[random.Below(blocks.size())];
    sum += FreeBlock(block);
    block = NewBlock(random, range);
  }
  Blocks kept;
  for (const Block& block : survivors) {
    if (random.Below(2) == 0) {
      kept.push_back(block);
    } else {
      sum += FreeBlock(block);
    }
  }
  for (const Block& block : blocks) {
    if (random.Below(10) == 0) {
      kept.push_back(block);
    } else {
      sum += FreeBlock(block);
    }
  }
  survivors = std::move(kept);
  return sum;
}

}  // namespace

int main() {
  uint64_t total = 0;
  Blocks survivors[kThreads];
  uint64_t seed = 60;
  for (const Range range : kPhases) {
    uint64_t sums[kThreads];
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i, ++seed) {
      threads.emplace_back(
          [&survivors, &sums, range, seed, i] { sums[i] = RunPhase(range, seed, survivors[i]); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const uint64_t sum : sums) total = total * 3 + sum;
    std::swap(survivors[0], survivors[1]);
  }
  for (const Blocks& blocks : survivors) {
    for (const Block& block : blocks) total += FreeBlock(block);
  }
  printf("phases %016llx\n", static_cast<unsigned long long>(total));
}
