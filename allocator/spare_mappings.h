// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Spare mappings: a few huge blocks' memory, kept for the decay time after they were freed. A
// program that allocates and frees one of some MiB again and again would otherwise pay for each
// page's fault each time. A program that frees one for good would pay in memory: so the first time
// only the size is noted, and memory is kept once that size was freed and soon wanted again (ghost
// entries, as in ARC: N. Megiddo and D. Modha, FAST 2003).
//
// Called by huge blocks (Keep, Take), purge (Age, ReleaseAll) and the books.
//
// Invariants:
//   1. A spare has no entry in the region map: pointers into it are nobody's.
//   2. There are at most kSpareMappings, of kSpareBytesMax in all or a part of what is live.
//   3. A request that finds none releases all that are smaller: nobody will want them.
// Threads: any; one lock, held during the system calls that release or grow.

#ifndef ALLOCATOR_SPARE_MAPPINGS_H_
#define ALLOCATOR_SPARE_MAPPINGS_H_

#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"
#include "allocator/mutex.h"

namespace tally {

class SpareMappings {
 public:
  // Takes over committed memory at a multiple of 16 MiB. False when it does not seem worth keeping.
  // `live_bytes`: what all huge blocks hold.
  bool Keep(char* start, size_t bytes, size_t live_bytes);

  // Committed memory of exactly `bytes` (a multiple of the OS page), not zero, at a multiple of
  // `alignment`: the spare nearest in size, trimmed or grown, which touches the fewest pages anew.
  // Null when none is near.
  char* Take(size_t bytes, size_t alignment);

  // `ticks` of the purge clock went by: what was not taken for a whole decay time goes.
  void Age(uint64_t ticks);
  // Returns the bytes given back.
  uint64_t ReleaseAll();

  Mutex& mutex() { return mutex_; }

  // REQUIRES: mutex() held.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (size_t i = 0; i < count_; ++i) {
      if (entries_[i].start != nullptr) {
        visit(entries_[i].start, entries_[i].bytes);
      }
    }
  }

 private:
  friend struct DirectoryMaker;

  struct Entry {
    char* start;     // null: only the size is known
    size_t bytes;    // a size that was freed, or wanted again
    uint64_t age;    // ticks since then
    bool is_wanted;  // it was wanted soon after it was freed

    // Whether a request for `want` may have it; a size without memory: whether it is evidence.
    bool Serves(size_t want, size_t alignment) const;
  };

  static char* Resized(const Entry& spare, size_t bytes, size_t alignment);
  Entry Remove(size_t index);
  void Add(const Entry& entry);
  void Release(size_t index);
  void ReleaseUntilAtMost(size_t bytes);

  Mutex mutex_;
  Entry entries_[kSpareMappings] = {};  // the oldest first
  size_t count_ = 0;
  size_t bytes_ = 0;  // kept
};

extern constinit SpareMappings spare_mappings;

}  // namespace tally

#endif  // ALLOCATOR_SPARE_MAPPINGS_H_
