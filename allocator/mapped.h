// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Accessible bytes that are ours, counted where they come and go: their peak, and a sum that the
// books must arrive at by another way.
//
// Called by whoever maps (metadata, regions, huge blocks, spare mappings) and by the books.
//
// Threads: any; relaxed atomics. Between two calls of one holder (a block that becomes a spare) the
// sum is low by what is in flight.

#ifndef ALLOCATOR_MAPPED_H_
#define ALLOCATOR_MAPPED_H_

#include <atomic>
#include <cstdint>

#include "allocator/geometry.h"

namespace tally::mapped {

// The region map is there from the start.
inline constinit std::atomic<uint64_t> now_bytes{kRegionMapBytes};
inline constinit std::atomic<uint64_t> peak_bytes{kRegionMapBytes};

inline void Add(uint64_t bytes) {
  const uint64_t now = now_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  uint64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (peak < now && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}
inline void Remove(uint64_t bytes) { now_bytes.fetch_sub(bytes, std::memory_order_relaxed); }
inline uint64_t NowBytes() { return now_bytes.load(std::memory_order_relaxed); }
inline uint64_t PeakBytes() { return peak_bytes.load(std::memory_order_relaxed); }

}  // namespace tally::mapped

#endif  // ALLOCATOR_MAPPED_H_
