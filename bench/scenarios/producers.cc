// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Sixteen producers and one consumer that only frees, for N seconds (the argument, 10 by default):
// whether memory freed by a thread that never allocates finds its way back. Each producer has a
// ring of fixed size, so live data is bounded by the rings. Prints the peak of the live data
// (requested bytes), the peak RSS, and the RSS beyond the live data in per cent.
//
// Threads: a ring has one writer and one reader. `head` is released by the producer after the slot
// is written and acquired by the consumer; `tail` is released by the consumer after the slot is
// read and acquired by the producer. `stop` is only a flag: relaxed.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "bench/random.h"
#include "bench/scenarios/memory.h"

namespace {

constexpr int kProducers = 16;
constexpr size_t kRingSlots = 8192;
constexpr size_t kSizeMin = 16;
constexpr size_t kSizeMax = 1024;
// The consumer empties at most this much of a ring before it turns to the next.
constexpr size_t kSlotsPerVisit = 512;

struct alignas(64) Ring {
  struct Slot {
    void* block;
    size_t size;
  };
  Slot slots[kRingSlots];
  alignas(64) std::atomic<uint64_t> head{0};
  std::atomic<uint64_t> produced_bytes{0};
  alignas(64) std::atomic<uint64_t> tail{0};
  uint64_t consumed_bytes = 0;
};

Ring rings[kProducers];
std::atomic<bool> stop{false};

void Produce(int index) {
  bench::Random random(100 + index);
  Ring& ring = rings[index];
  uint64_t head = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    if (head - ring.tail.load(std::memory_order_acquire) == kRingSlots) {
      std::this_thread::yield();
      continue;
    }
    const size_t size = random.Between(kSizeMin, kSizeMax);
    void* block = malloc(size);
    if (block == nullptr) abort();
    memset(block, 1, size);
    ring.slots[head % kRingSlots] = {block, size};
    ring.produced_bytes.fetch_add(size, std::memory_order_relaxed);
    ring.head.store(++head, std::memory_order_release);
  }
}

// Frees what one ring holds, up to a limit. Returns the number of blocks freed.
size_t Visit(Ring& ring, size_t limit) {
  uint64_t tail = ring.tail.load(std::memory_order_relaxed);
  const uint64_t head = ring.head.load(std::memory_order_acquire);
  size_t freed = 0;
  for (; tail != head && freed < limit; ++tail, ++freed) {
    const Ring::Slot& slot = ring.slots[tail % kRingSlots];
    ring.consumed_bytes += slot.size;
    free(slot.block);
  }
  ring.tail.store(tail, std::memory_order_release);
  return freed;
}

uint64_t LiveBytes() {
  uint64_t live = 0;
  for (const Ring& ring : rings) {
    live += ring.produced_bytes.load(std::memory_order_relaxed) - ring.consumed_bytes;
  }
  return live;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? atof(argv[1]) : 10;
  using Clock = std::chrono::steady_clock;
  memset(static_cast<void*>(&rings[0].slots), 0, sizeof rings[0].slots);
  std::vector<std::thread> producers;
  for (int i = 0; i < kProducers; ++i) producers.emplace_back(Produce, i);

  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
  uint64_t live_bytes_peak = 0;
  uint64_t freed = 0;
  while (Clock::now() < end) {
    for (Ring& ring : rings) freed += Visit(ring, kSlotsPerVisit);
    const uint64_t live_bytes = LiveBytes();
    if (live_bytes > live_bytes_peak) live_bytes_peak = live_bytes;
  }
  stop.store(true, std::memory_order_relaxed);
  for (std::thread& producer : producers) producer.join();
  const double peak_mb = bench::PeakKb() / 1024.0;
  for (Ring& ring : rings) freed += Visit(ring, kRingSlots);

  const double live_mb = live_bytes_peak / 1048576.0;
  const double rings_mb = sizeof rings / 1048576.0;
  printf(
      "producers_live_mb=%.1f\nproducers_peak_mb=%.1f\nproducers_beyond_percent=%.1f\n"
      "producers_freed_millions=%.1f\n",
      live_mb, peak_mb - rings_mb, 100 * ((peak_mb - rings_mb) / live_mb - 1), freed / 1e6);
}
