// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A heap owns pools and has a lock. Thread caches work for a heap: they refill their magazines
// from its pools and flush them back; other heaps' threads post batches to its inbox.
//
// Called by thread caches (Refill, Flush), by frees from elsewhere (Post, FreeDirectly), by the
// registry (park, adopt, fork) and by the books.
//
// A block comes from, in this order: the depot (batches that were flushed whole), the lowest partly
// free pool, new runs of pools. What others freed goes into magazines before that, see ThreadCache.
//
// Invariants:
//   1. A pool with owner == this is full, or is in its class's PartialPools. Pools all of whose
//      blocks are free are among the latter. A class keeps as many such as it would take side by
//      side; spare_runs_ has the classes with more. Those go when another class takes runs, when
//      memory grows anywhere, or when the purge clock finds that they were not needed.
//   2. Nothing is trusted that lies in a block: a block's place is checked before its bit is set.
//   3. A block is handed out again only by the heap that owns its pool.
// Threads: all under mutex_, but for the inbox (lock-free push and take-all) and users_
// (under the registry's lock).

#ifndef ALLOCATOR_HEAP_H_
#define ALLOCATOR_HEAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/batch.h"
#include "allocator/mutex.h"
#include "allocator/partial_pools.h"
#include "allocator/pool.h"
#include "allocator/size_class.h"

namespace tally {

class Heap {
 public:
  constexpr Heap() = default;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  void Start(uint32_t index) { index_ = index; }

  // Takes up to `want` blocks of the class into slots[0..n), the lowest address last (a magazine
  // pops the last first). Returns n, 0 only when memory is out. O(n), and new runs for what is
  // short.
  size_t Refill(SizeClass size_class, void** slots, size_t want);

  // Takes back blocks of the class that this heap owns. Ends the program on a block that is free
  // already or is not one.
  void Flush(SizeClass size_class, void** blocks, size_t count);

  // Takes a batch of any classes' blocks that this heap owns. Lock-free unless nobody seems to
  // drain the inbox; then the poster does.
  void Post(Batch* batch);

  // The batches that others posted, or null: for a cache of this heap, which puts what it can into
  // its magazines and gives the rest back by ReturnBatches. Lock-free.
  Batch* TakeInbox();
  void ReturnBatches(Batch* batch);

  // Takes back one block. Never fails, never allocates.
  void FreeDirectly(void* block);

  // Everything held back goes into bits and empty runs to their arenas.
  void Trim();
  // Like Trim, but leaves a depot that was used since the last call. Once in a decay time it looks
  // at each class's runs for pools to purge.
  void Tick(uint64_t tick);
  // Purges the pools inside runs that hold free blocks alone.
  void PurgeInsideRuns();

  // Makes the heap one cache's alone, for `user` (refgc): threads do not share or adopt it, and the
  // first word of a block never handed out before is zero. REQUIRES: no pools yet.
  void MakePrivate(void* user) {
    user_ = user;
    is_private_ = true;
  }
  bool is_private() const { return is_private_; }
  void* user() const { return user_; }
  // What its pools hold, free blocks included. Read by the cache's own thread.
  uint64_t pool_bytes() const { return pool_bytes_.load(std::memory_order_relaxed); }

  // How many thread caches work for this heap. Under the registry's lock.
  uint32_t users() const { return users_.load(std::memory_order_relaxed); }
  void AddUser() { users_.fetch_add(1, std::memory_order_relaxed); }
  void RemoveUser() { users_.fetch_sub(1, std::memory_order_relaxed); }

  uint32_t index() const { return index_; }
  Mutex& mutex() { return mutex_; }

  // What the books read, under the lock.
  struct ClassCounts {
    uint64_t refills;
    uint64_t flushes;
    uint64_t depot_blocks;
  };
  ClassCounts CountsOf(SizeClass size_class) const;
  // Calls visit(block) for each block that waits in the inbox. REQUIRES: mutex() held.
  template <typename Visit>
  void ForEachInboxBlock(Visit visit) const {
    for (const Batch* batch = inbox_.load(std::memory_order_acquire); batch != nullptr;
         batch = batch->next) {
      for (uint32_t i = 0; i < batch->count; ++i) {
        visit(batch->blocks[i]);
      }
    }
  }
  // Ends the program if a numbered invariant does not hold. REQUIRES: mutex() held.
  void CheckInvariants();

 private:
  friend struct DirectoryMaker;

  struct ClassState {
    PartialPools partial;
    Batch* depot = nullptr;
    uint16_t depot_batches = 0;
    uint32_t runs = 0;
    uint32_t empty_runs = 0;
    uint32_t empty_runs_low = 0;  // the fewest since the last tick
    bool depot_used = false;
    uint64_t refills = 0;
    uint64_t flushes = 0;
  };

  bool AddRuns(SizeClass size_class);
  void StartRun(SizeClass size_class, Pool* head, void* wide_bitmap);
  void Retire(Pool* pool);
  size_t TakeBits(ClassState& state, Pool* pool, void** slots_end, size_t want);
  size_t TakeFromDepot(ClassState& state, void** slots, size_t want);
  bool PutInDepot(SizeClass size_class, void** blocks, size_t count);
  size_t ReturnToRun(Pool* head, void* const* blocks, size_t count);
  void ReturnBlocks(void* const* blocks, size_t count);
  void EmptyDepot(ClassState& state);
  void PurgeInsideRuns(SizeClass size_class, bool only_settled);
  // How many runs a class takes side by side, and how many empty ones it keeps in any case.
  size_t AdjacentRuns(SizeClass size_class) const;
  void AddEmptyRun(SizeClass size_class);
  void SubtractEmptyRuns(SizeClass size_class, size_t count);
  void KeepOrRetire(Pool* head);
  void ReleaseEmptyRuns(SizeClass size_class, size_t keep);
  void ReleaseSpareRuns();
  void NoteGrowth();
  void ReturnAll(Batch* batch);
  void DrainInbox();
  static uint32_t WaitingFrom(const Batch* head);
  bool IsInboxEmpty() const { return inbox_.load(std::memory_order_relaxed) == nullptr; }

  Mutex mutex_;
  uint32_t index_ = 0;
  bool is_private_ = false;
  uint64_t last_tick_ = 0;
  void* user_ = nullptr;
  std::atomic<uint64_t> pool_bytes_{0};
  std::atomic<uint32_t> users_{0};
  uint64_t seen_growths_ = 0;
  size_t empty_pools_ = 0;                             // in empty runs of all classes
  uint64_t spare_runs_[(kClassCount + 63) / 64] = {};  // a bit a class
  ClassState classes_[kClassCount];
  // On a line of its own: other heaps' threads write it.
  alignas(64) std::atomic<Batch*> inbox_{nullptr};
};

}  // namespace tally

#endif  // ALLOCATOR_HEAP_H_
