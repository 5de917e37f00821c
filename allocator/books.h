// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The books: what every mapped byte is, exactly, at one moment.
//
// Called by the report, by the standard doors (mallinfo2 and the like) and by tests.
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
#include "allocator/size_class.h"

namespace tally {

struct ClassBooks {
  uint64_t allocated;      // blocks, ever
  uint64_t freed;          // blocks, ever: allocated - live
  uint64_t live;           // blocks
  uint64_t cached;         // blocks in magazines and depots
  uint64_t transit;        // blocks in batches on their way home
  uint64_t free_in_pools;  // blocks whose bit is set
  uint64_t runs;           // runs of pools
  uint64_t refills;
  uint64_t flushes;

  // Whether there is anything to tell of the class.
  bool was_used() const { return allocated != 0 || runs != 0; }
};

struct TierBooks {
  uint64_t allocated;  // blocks, ever
  uint64_t freed;
  uint64_t live;             // blocks
  uint64_t live_bytes;       // mapped for them
  uint64_t requested_bytes;  // asked for
};

// Bytes. One field a term of the identity.
struct IdentityBooks {
  uint64_t live;
  uint64_t cached;
  uint64_t transit;
  uint64_t free_in_pools;
  uint64_t tails;          // behind a run's last block
  uint64_t dirty;          // free pools and mappings that may be in physical memory
  uint64_t purged;         // free pools given back
  uint64_t never_touched;  // committed, never used
  uint64_t metadata;
  uint64_t guards;

  uint64_t sum() const;
};

// The terms in the order in which reports show them.
struct IdentityTerm {
  const char* key;    // in machine-readable reports
  const char* title;  // in those for people
  uint64_t IdentityBooks::*bytes;
  const char* meaning;
};
inline constexpr IdentityTerm kIdentityTerms[] = {
    {"live", "live", &IdentityBooks::live, "blocks in the program's hands, rounding included"},
    {"cached", "cached", &IdentityBooks::cached, "free blocks in magazines and depots"},
    {"transit", "in transit", &IdentityBooks::transit, "free blocks on their way to their heap"},
    {"free_in_pools", "free in pools", &IdentityBooks::free_in_pools,
     "free blocks in pools in use"},
    {"tails", "tails", &IdentityBooks::tails, "behind the last block of a run"},
    {"dirty", "dirty", &IdentityBooks::dirty, "free pools and mappings not yet given back"},
    {"purged", "purged", &IdentityBooks::purged, "free pools given back to the system"},
    {"never_touched", "never touched", &IdentityBooks::never_touched,
     "pools committed and not used so far"},
    {"metadata", "metadata", &IdentityBooks::metadata,
     "descriptors, region map (8 MiB of zero page), caches"},
    {"guards", "guards", &IdentityBooks::guards, "none in this version"},
};

inline uint64_t IdentityBooks::sum() const {
  uint64_t sum = 0;
  for (const IdentityTerm& term : kIdentityTerms) {
    sum += this->*term.bytes;
  }
  return sum;
}

struct Books {
  ClassBooks classes[kClassCount];
  TierBooks large;
  TierBooks huge;
  IdentityBooks identity;
  uint64_t mapped_bytes;    // accessible bytes that are ours
  uint64_t reserved_bytes;  // address space of regions
  uint64_t regions;
  uint64_t heaps;
  uint64_t live_threads;
  uint64_t peak_threads;
  uint64_t threads_started;
  uint64_t purged_bytes;  // ever
  uint64_t purge_calls;
  uint64_t mismatched_sizes;  // sized deletes
  // Debug builds: frees that threads counted themselves, and whether they agree.
  uint64_t counted_frees;

  uint64_t live_blocks() const;
  uint64_t allocated_blocks() const;
};

// Fills `books`.
void TakeBooks(Books* books);

// The process's one copy: it is too large for a small thread's stack. Locked before any other lock
// of the allocator; fork takes it along.
struct SharedBooks {
  Mutex mutex;
  Books books;
};
extern constinit SharedBooks shared_books;

// What the kernel says of our mappings.
struct KernelBooks {
  uint64_t accessible_bytes;  // Size of our mappings that can be read or written
  uint64_t resident_pools;    // bytes in physical memory, by mincore
  uint64_t resident_huge;
  uint64_t resident_metadata;
  uint64_t process_rss;
  bool is_known;  // /proc could be read

  uint64_t not_ours() const {
    const uint64_t ours = resident_pools + resident_huge + resident_metadata;
    return process_rss > ours ? process_rss - ours : 0;
  }
};
void TakeKernelBooks(KernelBooks* books);

}  // namespace tally

#endif  // ALLOCATOR_BOOKS_H_
