// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The random numbers of all benchmarks: the same seed gives the same program on every machine and
// under every allocator, which std::uniform_int_distribution does not promise.
//
// Threads: an object belongs to one thread.

#ifndef BENCH_RANDOM_H_
#define BENCH_RANDOM_H_

#include <cstddef>
#include <cstdint>

namespace bench {

// SplitMix64: three multiplications and shifts, cheap beside any malloc.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  // A number in [0, limit). REQUIRES: 0 < limit < 2^32.
  size_t Below(size_t limit) { return ((Next() >> 32) * limit) >> 32; }

  // A number in [low, high], all equally likely.
  size_t Between(size_t low, size_t high) { return low + Below(high - low + 1); }

  // A number in [low, high], mostly near `low`, as the sizes that real programs ask for are: each
  // doubling is half as likely as the one before.
  size_t Skewed(size_t low, size_t high) {
    size_t limit = low;
    while (limit < high && (Next() & 1) != 0) limit *= 2;
    return Between(low, limit < high ? limit : high);
  }

  // A number in [low, low << doublings], each doubling equally likely.
  size_t LogUniform(size_t low, size_t doublings) {
    const size_t start = low << Below(doublings);
    return Between(start, 2 * start);
  }

 private:
  uint64_t state_;
};

}  // namespace bench

#endif  // BENCH_RANDOM_H_
