// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Huge blocks: a mapping of its own each, with whole 16 MiB granules of address space to itself,
// grown by mremap without copying. What is known about one lies in a table beside.
//
// Called by the facade.
//
// Invariants:
//   1. A granule is entered in the region map while, and only while, its block is in the table.
//   2. Addresses are given back after their entries are cleared: whoever gets them enters anew.
//   3. The rest of a block's last granule is not ours; pointers into it are foreign.
// Threads: any; one lock over the table, not held during system calls.

#ifndef ALLOCATOR_HUGE_H_
#define ALLOCATOR_HUGE_H_

#include <cstddef>
#include <cstdint>

#include "allocator/large.h"
#include "allocator/mutex.h"

namespace tally {

struct HugeBlock {
  char* start = nullptr;  // null: the entry is free
  size_t bytes = 0;       // accessible, a multiple of the OS page
  size_t request_bytes = 0;
};

class HugeBlocks {
 public:
  // `bytes` aligned to `alignment` (a power of two), or null when memory is out. Sets *is_zero when
  // every byte is known to be zero.
  void* Allocate(size_t bytes, size_t alignment, bool* is_zero);

  // False when no huge block starts there.
  bool Free(void* start);

  // The block grown or shrunk to `bytes`, moved or not; null when memory is out, and then it is as
  // it was. REQUIRES: Find(start) is true.
  void* Resize(void* start, size_t bytes);

  // The block that starts there; false if none.
  bool Find(const void* start, HugeBlock* found);
  // Whether `p` lies inside some huge block.
  bool Covers(const void* p);

  const TierCounts& counts() const { return counts_; }
  Mutex& mutex() { return mutex_; }

  // REQUIRES: mutex() held.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (size_t i = 0; i < capacity_; ++i) {
      if (table_[i].start != nullptr) {
        visit(table_[i]);
      }
    }
  }

 private:
  friend struct DirectoryMaker;

  size_t HomeOf(const void* start) const;
  HugeBlock* FindLocked(const void* start);
  bool Insert(const HugeBlock& block);
  bool Widen();
  void RemoveLocked(HugeBlock* entry);
  bool GrowAcrossGranules(const HugeBlock& old, size_t bytes);
  void* MoveTo(const HugeBlock& old, size_t bytes, size_t request_bytes);

  Mutex mutex_;
  HugeBlock* table_ = nullptr;  // open addressing, linear probing (Knuth 6.4, algorithm L)
  size_t capacity_ = 0;         // a power of two
  size_t used_ = 0;
  size_t live_bytes_ = 0;  // of all blocks in the table
  TierCounts counts_;
};

extern constinit HugeBlocks huge_blocks;

}  // namespace tally

#endif  // ALLOCATOR_HUGE_H_
