// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Who is there: all heaps, all thread caches, and which thread works for which heap.
//
// Called by the facade's slow path (a thread's first use, its end), by fork, trim and the books.
//
// Up to a few threads a CPU each has a heap to itself; beyond that they share the least used.
// A heap whose last thread ended is parked, and adopted by the next new thread.
//
// Invariants:
//   1. Heaps and caches are never freed: late readers and late frees stay defined.
//   2. A cache is live exactly if some thread's pointer points at it, or it is private and open.
//   3. A private cache and its heap belong to each other for good; PickHeap passes them over.
// Threads: everything under mutex_. Lock order: registry, heaps by index, purger, regions, huge,
// spare mappings, key table, region map, batches, metadata.

#ifndef ALLOCATOR_REGISTRY_H_
#define ALLOCATOR_REGISTRY_H_

#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"
#include "allocator/mutex.h"
#include "allocator/thread_cache.h"

namespace tally {

// The heap of the empty cache: owns nothing.
extern constinit Heap no_heap;
// What every thread's pointer starts at.
extern constinit ThreadCache empty_cache;

class Registry {
 public:
  // A cache for a new thread, or null when memory is out. O(heaps).
  ThreadCache* Acquire();
  // The thread of `cache` ends.
  void Release(ThreadCache* cache);

  // A cache with a heap of its own, for whoever keeps both from threads that do not expect them
  // (refgc's heaps); null when memory is out. Heap::user() is `user`.
  ThreadCache* AcquirePrivate(void* user);
  // REQUIRES: none of its blocks is live.
  void ReleasePrivate(ThreadCache* cache);

  // A heap for threads that have no cache any more, or null when memory is out.
  Heap* SharedHeap();

  // Puts back everything that is held: heaps' depots, inboxes and empty runs; and the caches that
  // have no thread. Other threads' magazines are theirs.
  void TrimHeaps();

  // Around fork, and around a report: everything stands still between the two.
  void LockAll();
  void UnlockAll();
  // False, and nothing locked, where one of the locks is taken just now.
  bool TryLockAll();
  bool IsLockedByMe() const { return mutex_.IsHeldByMe(); }
  // In the child of fork, before UnlockAll: all threads but the caller are gone; their caches wait
  // for new threads, emptied.
  void OrphanOthers(const ThreadCache* mine);

  // REQUIRES: locked.
  template <typename Visit>
  void ForEachCache(Visit visit) const {
    for (ThreadCache* cache = caches_; cache != nullptr; cache = cache->next) {
      visit(*cache);
    }
  }
  template <typename Visit>
  void ForEachHeap(Visit visit) const {
    for (uint32_t i = 0; i < heap_count_; ++i) {
      visit(*heaps_[i]);
    }
  }
  uint32_t live_threads() const { return live_threads_; }
  uint32_t peak_threads() const { return peak_threads_; }
  uint64_t threads_started() const { return threads_started_; }
  uint32_t heap_count() const { return heap_count_; }
  // Lock-free. REQUIRES: the caller has a block of that heap, or has seen the heap otherwise.
  Heap* heap(uint32_t index) const { return heaps_[index]; }

 private:
  friend struct DirectoryMaker;

  template <typename Visit>
  bool ForEachMutex(Visit visit);
  void Unlock(size_t count);
  Heap* PickHeap();
  Heap* AddHeap();
  ThreadCache* AddCache(Heap* heap);

  Mutex mutex_;
  Heap* heaps_[kHeapsMax] = {};
  uint32_t heap_count_ = 0;
  uint32_t cpu_count_ = 0;
  uint32_t live_threads_ = 0;
  uint32_t peak_threads_ = 0;
  uint64_t threads_started_ = 0;
  ThreadCache* caches_ = nullptr;
  ThreadCache* free_caches_ = nullptr;
  ThreadCache* free_private_caches_ = nullptr;
  uint32_t private_heaps_ = 0;
};

extern constinit Registry registry;

}  // namespace tally

#endif  // ALLOCATOR_REGISTRY_H_
