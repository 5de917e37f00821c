// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The random numbers of all programs, the same in C++, Nim and Python: a generator that each of
// them computes fast. And the clock for pauses.

#ifndef BENCH_REFGC_PROGRAMS_NUMBERS_H_
#define BENCH_REFGC_PROGRAMS_NUMBERS_H_

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace bench {

class Numbers {
 public:
  explicit Numbers(int64_t seed) : state_(seed) {}
  // In [0, limit). REQUIRES: limit <= 2^23.
  int64_t Below(int64_t limit) {
    state_ = (state_ * 1103515245 + 12345) & 0x7fffffff;
    return ((state_ >> 8) * limit) >> 23;
  }

 private:
  int64_t state_;
};

inline int Size(int argc, char** argv) { return argc == 2 ? atoi(argv[1]) : 1; }

inline double NowUs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// The driver reads this line.
inline void PrintPauses(std::vector<double>* times_us) {
  std::sort(times_us->begin(), times_us->end());
  const size_t n = times_us->size();
  printf("pauses_us %.0f %.0f %.0f\n", (*times_us)[n / 2], (*times_us)[n * 99 / 100],
         times_us->back());
}

}  // namespace bench

#endif  // BENCH_REFGC_PROGRAMS_NUMBERS_H_
