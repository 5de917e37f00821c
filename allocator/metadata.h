// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Memory for the allocator's own structures: apart from all data, never unmapped.
//
// Called by regions' users: rows, slots of magazines, batches, caches, heaps, wide bitmaps.
// A bump allocator over mappings, with one free list per power of two (Knuth's segregated fit).
//
// Invariants:
//   1. Every piece is zero when handed out for the first time and starts at a cache line, or at
//      its size if that is smaller.
//   2. mapped_bytes() = used_bytes() + free_bytes(), where used counts whole pieces.
// Threads: any; one lock.

#ifndef ALLOCATOR_METADATA_H_
#define ALLOCATOR_METADATA_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "allocator/mutex.h"

namespace tally {

class Metadata {
 public:
  // At least `bytes` (rounded up to a power of two from 64 on), or null when memory is out. O(1).
  void* Allocate(size_t bytes);
  // Takes back what Allocate(bytes) gave. Its content may change at once.
  void Free(void* piece, size_t bytes);

  // Never freed, rounded up to cache lines only.
  void* AllocateForever(size_t bytes);

  uint64_t mapped_bytes() const { return mapped_bytes_; }
  uint64_t resident_bytes() const;
  Mutex& mutex() { return mutex_; }

  // Calls visit(start, bytes) for each mapping. REQUIRES: mutex() held.
  template <typename Visit>
  void ForEachMapping(Visit visit) const {
    for (const Step* step = steps_; step != nullptr; step = step->next) {
      visit(static_cast<const void*>(step), step->bytes);
    }
  }

 private:
  friend struct DirectoryMaker;

  struct FreePiece {
    FreePiece* next;
  };
  // Heads each mapping.
  struct Step {
    Step* next;
    size_t bytes;
  };
  static constexpr size_t kStepBytes = 128 * 1024;
  static constexpr size_t kLineBytes = 64;

  void* Bump(size_t bytes);

  Mutex mutex_;
  char* at_ = nullptr;
  char* end_ = nullptr;
  Step* steps_ = nullptr;
  uint64_t mapped_bytes_ = 0;
  std::array<FreePiece*, 48> free_{};
};

extern constinit Metadata metadata;

}  // namespace tally

#endif  // ALLOCATOR_METADATA_H_
