// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A server under load, after Larson and Krishnan (1998): each thread holds a table of live blocks
// and replaces a random one by a new one of random size, again and again. From time to time a
// thread ends and hands its table to a new thread, so that most blocks are freed by a thread that
// did not allocate them. Prints a checksum of the sizes.
//
// Threads: a table belongs to one thread at a time; std::thread's start and join hand it on.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench/random.h"

namespace {

constexpr int kThreads = 4;
constexpr int kGenerations = 80;
constexpr size_t kBlocksPerThread = 5000;
constexpr int kReplacementsPerGeneration = 250000;
constexpr size_t kSizeMin = 10;
constexpr size_t kSizeMax = 1000;

struct Block {
  char* data;
  size_t size;
};

struct Table {
  std::vector<Block> blocks;
  uint64_t checksum = 0;
};

Block NewBlock(bench::Random& random) {
  const size_t size = random.Between(kSizeMin, kSizeMax);
  char* data = static_cast<char*>(malloc(size));
  if (data == nullptr) abort();
  data[0] = static_cast<char>(size);
  data[size - 1] = static_cast<char>(size >> 8);
  return {data, size};
}

void Serve(Table& table, uint64_t seed) {
  bench::Random random(seed);
  for (int i = 0; i < kReplacementsPerGeneration; ++i) {
    Block& block = table.blocks[random.Below(table.blocks.size())];
    table.checksum += block.size * static_cast<unsigned char>(block.data[0]);
    free(block.data);
    block = NewBlock(random);
  }
}

// One client's connection: a chain of threads, each of which gets the table of the one before.
void RunGenerations(Table& table, uint64_t seed) {
  for (int generation = 0; generation < kGenerations; ++generation) {
    std::thread worker([&table, seed, generation] { Serve(table, seed + 100 * generation); });
    worker.join();
  }
}

}  // namespace

int main() {
  std::vector<Table> tables(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    bench::Random random(i);
    for (size_t j = 0; j < kBlocksPerThread; ++j) {
      tables[i].blocks.push_back(NewBlock(random));
    }
  }
  std::vector<std::thread> chains;
  for (int i = 0; i < kThreads; ++i) {
    chains.emplace_back(RunGenerations, std::ref(tables[i]), i + 1);
  }
  for (std::thread& chain : chains) chain.join();
  uint64_t checksum = 0;
  for (const Table& table : tables) {
    checksum += table.checksum;
    for (const Block& block : table.blocks) free(block.data);
  }
  printf("server %016llx\n", static_cast<unsigned long long>(checksum));
}
