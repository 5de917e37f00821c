// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Large blocks: a run of pools each, page-granular, from 32 KiB to a few MiB.
//
// Called by the facade. The head descriptor says that it is one, how long, and what was asked for;
// the inner descriptors are not written, so a run costs one cache line of metadata.
//
// Invariants: a kLarge head's pools are all taken; its pools have no key, so every free of it comes
// here. Threads: any; one atomic operation per arena word. The counters are relaxed.

#ifndef ALLOCATOR_LARGE_H_
#define ALLOCATOR_LARGE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/pool.h"

namespace tally {

// Totals of a tier without magazines. Moved by realloc: one of each; in place: neither.
struct TierCounts {
  std::atomic<uint64_t> allocated{0};
  std::atomic<uint64_t> freed{0};
};

class LargeBlocks {
 public:
  // `bytes` (1 up to all arenas of a region but the first) aligned to `alignment` (a power of two,
  // at most an arena), or null. Sets *is_zero when every byte is known to be zero.
  void* Allocate(size_t bytes, size_t alignment, bool* is_zero);

  // REQUIRES: head->kind is kLarge. Of two threads that free one block, one gets false.
  bool Free(Pool* head);

  // Changes the size where it is: gives the tail back, or takes the pools behind if they are free.
  // False when it cannot; nothing has changed then.
  bool ResizeInPlace(Pool* head, size_t bytes);

  static size_t UsableBytes(const Pool* head) { return head->run_pools * kPoolBytes; }
  const TierCounts& counts() const { return counts_; }

 private:
  TierCounts counts_;
};

extern constinit LargeBlocks large_blocks;

}  // namespace tally

#endif  // ALLOCATOR_LARGE_H_
