// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The books: what every mapped byte is, exactly, at one moment. stats_format.h has their layout.
//
// Called by the report, by the publisher, by the standard doors (mallinfo2 and the like) and by
// tests.
//
// Invariants (the identity, checked by every reader):
//   mapped = live + cached + in transit + free in pools + tails + free dirty + purged
//            + never touched + metadata + guards
//   and per class: allocated - freed = live.
// Live blocks are bits not set, less those in magazines, depots, batches. So the sum holds even
// while other threads run; each term is then within what is in flight.
// Threads: Take() stops slow paths for the walk; fast paths go on. O(pools in use).

#ifndef ALLOCATOR_BOOKS_H_
#define ALLOCATOR_BOOKS_H_

#include <cstddef>
#include <cstdint>

#include "allocator/mutex.h"
#include "allocator/stats_format.h"

namespace tally {

// Where the details go: leaves one after another, all of one snapshot.
class StatsLeaves {
 public:
  // `bytes` of memory, of which whole leaves are used.
  StatsLeaves(char* start, size_t bytes, uint64_t sequence)
      : start_(start), capacity_(bytes / kStatsLeafBytes), sequence_(sequence) {}

  // The next leaf, its head filled in; null when there is no room. All of the rest is as it was.
  template <typename Leaf>
  Leaf* Add(LeafKind kind) {
    ++wanted_;
    last_kind_ = kind;
    last_entries_ = 0;
    if (count_ == capacity_) {
      return nullptr;
    }
    auto* leaf = reinterpret_cast<Leaf*>(start_ + count_++ * kStatsLeafBytes);
    leaf->head.kind = kind;
    leaf->head.count = 0;
    leaf->head.sequence = sequence_;
    leaf->head.start = 0;
    return leaf;
  }
  // Adds an entry to the last leaf if it is of that kind and has room, else to a new one.
  template <typename Entry>
  void AddEntry(LeafKind kind, const Entry& entry) {
    using Leaf = StatsEntryLeaf<Entry>;
    if (last_kind_ != kind || last_entries_ == kStatsLeafEntries) {
      Add<Leaf>(kind);
    }
    if (count_ == wanted_) {  // the last leaf has a place
      auto* leaf = reinterpret_cast<Leaf*>(start_ + (count_ - 1) * kStatsLeafBytes);
      leaf->entries[last_entries_] = entry;
      leaf->head.count = last_entries_ + 1;
    }
    ++last_entries_;
  }

  size_t count() const { return count_; }
  // How many there would be if there were room.
  size_t wanted() const { return wanted_; }

 private:
  char* start_;
  size_t capacity_;
  uint64_t sequence_;
  size_t count_ = 0;
  size_t wanted_ = 0;
  LeafKind last_kind_ = LeafKind::kNone;  // of the last leaf that was wanted
  uint32_t last_entries_ = 0;             // in it
};

// Fills `books`, and `leaves` unless null: regions', heaps' and threads' (those that ever
// allocated).
void TakeBooks(Books* books, StatsLeaves* leaves = nullptr);
// The same, unless a lock is taken just now: then false, and nothing is done.
bool TryTakeBooks(Books* books, StatsLeaves* leaves);

// The process's one copy: it is too large for a small thread's stack. Locked before any other lock
// of the allocator; fork takes it along.
struct SharedBooks {
  Mutex mutex;
  Books books;
};
extern constinit SharedBooks shared_books;

void TakeKernelBooks(KernelBooks* books);

}  // namespace tally

#endif  // ALLOCATOR_BOOKS_H_
