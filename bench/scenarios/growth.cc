// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Growth of one large block by realloc, from 64 KB to 256 MB, an eighth more at each step, as the
// growable arrays of real programs do. One byte of each new 64 KB is written: enough to have the
// old contents copied where the allocator copies, little enough that page faults do not hide it.
// Prints the median time of nine growths.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr size_t kStart = size_t{64} << 10;
constexpr size_t kEnd = size_t{256} << 20;
constexpr size_t kTouchStep = size_t{64} << 10;
constexpr int kRepetitions = 9;

double GrowOnceMs() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  size_t size = kStart;
  char* block = static_cast<char*>(malloc(size));
  if (block == nullptr) abort();
  block[0] = 1;
  while (size < kEnd) {
    const size_t grown = std::min(kEnd, size + size / 8);
    block = static_cast<char*>(realloc(block, grown));
    if (block == nullptr || block[0] != 1) abort();
    for (size_t i = size; i < grown; i += kTouchStep) block[i] = 2;
    size = grown;
  }
  free(block);
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

int main() {
  std::array<double, kRepetitions> times_ms;
  for (double& time_ms : times_ms) time_ms = GrowOnceMs();
  std::sort(times_ms.begin(), times_ms.end());
  printf("growth_ms=%.2f\n", times_ms[kRepetitions / 2]);
}
