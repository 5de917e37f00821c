// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// 500 MB of small objects, allocated and all freed: how soon the memory goes back to the system.
// `purge wait` prints the RSS at the peak, right after the last free, and 1, 2 and 3 seconds
// later, with a little traffic meanwhile; `purge trim` calls malloc_trim(0) right after the last
// free instead and prints the RSS then. One thread. The table of pointers is a mapping of its own
// and gone before the RSS is read, so what is printed is the allocator's.

#include <malloc.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "bench/random.h"
#include "bench/scenarios/memory.h"

namespace {

constexpr size_t kBytes = size_t{500} << 20;
constexpr size_t kSizeMin = 16;
constexpr size_t kSizeMax = 512;
constexpr size_t kBlocksMax = kBytes / kSizeMin;
constexpr int kTrafficBlocks = 100;

void** MapTable() {
  void* table = mmap(nullptr, kBlocksMax * sizeof(void*), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (table == MAP_FAILED) abort();
  return static_cast<void**>(table);
}

// Fills 500 MB, returns the peak without the table, frees all in random order.
long FillAndFreeKb(bench::Random& random) {
  void** table = MapTable();
  size_t count = 0;
  for (size_t bytes = 0; bytes < kBytes;) {
    const size_t size = random.Between(kSizeMin, kSizeMax);
    table[count] = malloc(size);
    if (table[count] == nullptr) abort();
    memset(table[count++], 1, size);
    bytes += size;
  }
  const long table_kb = static_cast<long>(count * sizeof(void*) / 1024);
  const long peak_kb = bench::ResidentKb() - table_kb;
  for (; count > 0; --count) {
    const size_t chosen = random.Below(count);
    free(table[chosen]);
    table[chosen] = table[count - 1];
  }
  munmap(table, kBlocksMax * sizeof(void*));
  return peak_kb;
}

// One second in which a few blocks come and go every millisecond.
void TrafficForOneSecond(bench::Random& random) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::seconds(1);
  while (Clock::now() < end) {
    void* blocks[kTrafficBlocks];
    for (void*& block : blocks) block = malloc(random.Between(kSizeMin, kSizeMax));
    for (void* block : blocks) free(block);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool trim = argc > 1 && strcmp(argv[1], "trim") == 0;
  bench::Random random(12);
  const long peak_kb = FillAndFreeKb(random);
  if (trim) {
    malloc_trim(0);
    printf("purge_trim_mb=%.1f\n", bench::ResidentKb() / 1024.0);
    return 0;
  }
  printf("purge_peak_mb=%.1f\npurge_0s_mb=%.1f\n", peak_kb / 1024.0, bench::ResidentKb() / 1024.0);
  for (int second = 1; second <= 3; ++second) {
    TrafficForOneSecond(random);
    printf("purge_%ds_mb=%.1f\n", second, bench::ResidentKb() / 1024.0);
  }
}
