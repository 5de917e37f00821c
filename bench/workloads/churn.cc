// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Eight threads that churn, more than there are cores: each replaces random blocks of its own, of
// mixed sizes, so threads are preempted at any point and each keeps a warm cache of its own. Now
// and then a thread puts a block into a slot that all share and frees what lay there, so that a few
// blocks in a hundred are freed by another thread.
//
// Threads: own blocks are owner-only; a shared slot is exchanged with acq_rel, which passes the
// block's bytes from the thread that wrote them to the one that frees them.

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench/random.h"

namespace {

constexpr int kThreads = 8;
constexpr size_t kBlocksPerThread = 4000;
constexpr int kReplacements = 8000000;
constexpr size_t kSharedSlots = 256;
constexpr size_t kSizeMin = 16;
constexpr size_t kSizeMax = 4096;

std::atomic<char*> shared_slots[kSharedSlots];

char* NewBlock(bench::Random& random) {
  const size_t size = random.Skewed(kSizeMin, kSizeMax);
  char* data = static_cast<char*>(malloc(size));
  if (data == nullptr) abort();
  data[0] = static_cast<char>(size);
  data[size - 1] = 1;
  return data;
}

uint64_t Churn(uint64_t seed) {
  bench::Random random(seed);
  std::vector<char*> blocks;
  for (size_t i = 0; i < kBlocksPerThread; ++i) blocks.push_back(NewBlock(random));
  uint64_t sum = 0;
  for (int i = 0; i < kReplacements; ++i) {
    char*& block = blocks[random.Below(kBlocksPerThread)];
    sum += static_cast<unsigned char>(block[0]);
    if (i % 32 == 0) {
      std::atomic<char*>& slot = shared_slots[random.Below(kSharedSlots)];
      free(slot.exchange(block, std::memory_order_acq_rel));
    } else {
      free(block);
    }
    block = NewBlock(random);
  }
  for (char* block : blocks) free(block);
  return sum;
}

}  // namespace

int main() {
  uint64_t sums[kThreads];
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&sums, i] { sums[i] = Churn(70 + i); });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::atomic<char*>& slot : shared_slots) free(slot.load(std::memory_order_relaxed));
  uint64_t total = 0;
  for (const uint64_t sum : sums) total = total * 3 + sum;
  printf("churn %016llx\n", static_cast<unsigned long long>(total));
}
