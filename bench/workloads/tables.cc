// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Growing tables: many arrays, strings and hash tables that start empty and grow side by side, so
// that every growth leaves a hole behind. Half of the arrays grow by realloc, as C programs do,
// half by copying, as std::vector does. One thread.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/random.h"

namespace {

constexpr int kRounds = 7;
constexpr size_t kTables = 400;
constexpr size_t kAppends = 4000000;
constexpr size_t kKeys = 300000;

// A C program's growable array: half as much again at each growth.
class ReallocArray {
 public:
  ReallocArray() = default;
  ReallocArray(const ReallocArray&) = delete;
  ReallocArray& operator=(const ReallocArray&) = delete;
  ~ReallocArray() { free(values_); }

  void Append(uint64_t value) {
    if (size_ == capacity_) {
      capacity_ += capacity_ / 2 + 4;
      void* grown = realloc(values_, capacity_ * sizeof(uint64_t));
      if (grown == nullptr) abort();
      values_ = static_cast<uint64_t*>(grown);
    }
    values_[size_++] = value;
  }

  uint64_t Sum() const {
    uint64_t sum = 0;
    for (size_t i = 0; i < size_; ++i) sum = sum * 5 + values_[i];
    return sum;
  }

 private:
  uint64_t* values_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// A few tables get most of the traffic, as in life: the index is skewed to low numbers.
size_t RandomTable(bench::Random& random) { return random.Skewed(1, kTables) - 1; }

uint64_t GrowArrays(bench::Random& random) {
  std::vector<ReallocArray> c_arrays(kTables);
  std::vector<std::vector<uint64_t>> vectors(kTables);
  std::vector<std::string> strings(kTables);
  for (size_t i = 0; i < kAppends; ++i) {
    const size_t table = RandomTable(random);
    switch (i % 3) {
      case 0:
        c_arrays[table].Append(i);
        break;
      case 1:
        vectors[table].push_back(i);
        break;
      default:
        strings[table] += "a few letters";
    }
  }
  uint64_t sum = 0;
  for (size_t i = 0; i < kTables; ++i) {
    sum = sum * 3 + c_arrays[i].Sum() + strings[i].size();
    for (const uint64_t value : vectors[i]) sum = sum * 5 + value;
  }
  return sum;
}

uint64_t GrowHashTable(bench::Random& random) {
  std::unordered_map<uint64_t, std::string> table;
  for (size_t i = 0; i < kKeys; ++i) {
    table[random.Next() >> 44].append(random.Between(1, 40), 'x');
  }
  uint64_t sum = 0;
  for (const auto& [key, text] : table) sum += key * text.size();
  return sum;
}

}  // namespace

int main() {
  bench::Random random(4);
  uint64_t sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    sum = sum * 3 + GrowArrays(random);
    sum = sum * 3 + GrowHashTable(random);
  }
  printf("tables %016llx\n", static_cast<unsigned long long>(sum));
}
