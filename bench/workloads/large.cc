// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Large blocks in turn, as image and numeric code uses them: a handful of live blocks of 64 KB to
// 8 MB, a random one replaced at each step. Every cache line of a new block is written and read
// once, so an allocator that gives memory back between two blocks pays for the page faults, beside
// a plausible amount of work. One thread.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "bench/random.h"

namespace {

constexpr int kReplacements = 9000;
constexpr size_t kLive = 12;
constexpr size_t kSizeMin = size_t{64} << 10;
constexpr size_t kDoublings = 7;  // Up to 8 MB.
constexpr size_t kLine = 64;

struct Block {
  unsigned char* data = nullptr;
  size_t size = 0;
};

Block NewBlock(bench::Random& random) {
  const size_t size = random.LogUniform(kSizeMin, kDoublings);
  auto* data = static_cast<unsigned char*>(malloc(size));
  if (data == nullptr) abort();
  for (size_t i = 0; i < size; i += kLine) data[i] = static_cast<unsigned char>(size >> 12);
  return {data, size};
}

}  // namespace

int main() {
  bench::Random random(8);
  Block blocks[kLive];
  uint64_t sum = 0;
  for (int i = 0; i < kReplacements; ++i) {
    Block& block = blocks[random.Below(kLive)];
    for (size_t j = 0; j < block.size; j += kLine) sum += block.data[j];
    free(block.data);
    block = NewBlock(random);
  }
  for (const Block& block : blocks) free(block.data);
  printf("large %llu\n", static_cast<unsigned long long>(sum));
}
