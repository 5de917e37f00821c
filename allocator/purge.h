// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Purge: physical pages of free pools go back to the system, addresses stay.
//
// Called on slow paths (Tick), before fresh memory is touched (MakeWay) and by trim (PurgeAll).
// There is no thread of its own.
//
// A pool that is free and dirty is marked aged when the clock passes over its arena, and purged
// when the clock passes again and it is still free: between half the decay time and all of it. A
// tick visits every fourth arena, so that the work is spread (jemalloc's decay, simplified). Spare
// mappings age by the same clock.
//
// Invariants: a pool is claimed (its free bit taken) while it is purged; its dirty bit goes only
// after the system call succeeded.
// Threads: one at a time (a try-lock); others go on.

#ifndef ALLOCATOR_PURGE_H_
#define ALLOCATOR_PURGE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/mutex.h"
#include "allocator/region.h"

namespace tally {

class Purger {
 public:
  // Visits what is due. Cheap when nothing is: a clock read. Returns the current tick's number.
  uint64_t Tick();

  // So many bytes are about to be touched for the first time. When they add up to a part of what is
  // mapped, as much that is free goes back, the youngest regions' first, so that the process grows
  // by what it uses more. Then O(arenas), and a call for each stretch of free pools.
  void MakeWay(uint64_t bytes);

  // Everything free goes back now. Returns the bytes purged.
  uint64_t PurgeAll();

  // Purges the pools of a run of blocks in which every block is free, but for those that were
  // purged already and not used since. REQUIRES: the lock of the heap that owns the run.
  void PurgeInside(Pool* head);

  uint64_t purged_bytes() const { return purged_bytes_.load(std::memory_order_relaxed); }
  uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }
  Mutex& mutex() { return mutex_; }

 private:
  friend struct DirectoryMaker;

  void VisitRound(uint64_t tick);
  template <typename Visit>
  static void ForEachArena(Visit visit);
  uint64_t PurgeStretches(char* start, uint64_t pools);
  static void PurgeDescriptors(Region* region, size_t arena);
  uint64_t PurgePools(Region* region, size_t arena, uint64_t wanted);

  Mutex mutex_;
  std::atomic<uint64_t> tick_{0};
  std::atomic<uint64_t> fresh_bytes_{0};  // to be touched, since way was made for them
  std::atomic<uint64_t> purged_bytes_{0};
  std::atomic<uint64_t> calls_{0};
};

extern constinit Purger purger;

}  // namespace tally

#endif  // ALLOCATOR_PURGE_H_
