// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The few totals that belong to no thread cache.
//
// Called by slow paths (count) and the books (read). Threads: any; relaxed atomics.

#ifndef ALLOCATOR_TOTALS_H_
#define ALLOCATOR_TOTALS_H_

#include <atomic>
#include <cstdint>

#include "allocator/size_class.h"

namespace tally::totals {

inline constinit std::atomic<uint64_t> mismatched_sizes{0};
inline constinit std::atomic<uint64_t> uncached_allocations[kClassCount]{};
inline constinit std::atomic<uint64_t> uncached_frees{0};

// Requests that were looked at, and their sizes, by class: an unbiased sample of all (see
// ThreadCache::DrawCountdown).
inline constinit std::atomic<uint64_t> samples[kClassCount]{};
inline constinit std::atomic<uint64_t> sampled_bytes[kClassCount]{};
inline void CountSample(SizeClass size_class, uint64_t request_bytes) {
  samples[size_class].fetch_add(1, std::memory_order_relaxed);
  sampled_bytes[size_class].fetch_add(request_bytes, std::memory_order_relaxed);
}

// Sized deletes whose size was of another class.
inline void CountMismatchedSize() { mismatched_sizes.fetch_add(1, std::memory_order_relaxed); }
inline uint64_t MismatchedSizes() { return mismatched_sizes.load(std::memory_order_relaxed); }

// Allocations by threads that were past their end and had no cache.
inline void CountUncachedAllocation(SizeClass size_class) {
  uncached_allocations[size_class].fetch_add(1, std::memory_order_relaxed);
}
inline uint64_t UncachedAllocationsOf(SizeClass size_class) {
  return uncached_allocations[size_class].load(std::memory_order_relaxed);
}

// Frees by such threads.
inline void CountUncachedFree() { uncached_frees.fetch_add(1, std::memory_order_relaxed); }
inline uint64_t UncachedFrees() { return uncached_frees.load(std::memory_order_relaxed); }

}  // namespace tally::totals

#endif  // ALLOCATOR_TOTALS_H_
