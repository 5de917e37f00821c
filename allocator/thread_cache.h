// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A thread cache: one thread's magazines, its outgoing batches, and the heap it works for.
//
// Called by the facade: the fast paths reach it through one initial-exec pointer, which starts at a
// constant empty cache, so that "not started" is the ordinary slow path.
//
// Invariants:
//   1. window, heap_key and magazines come first: keys hold magazine offsets (pool_key.h).
//   2. The empty cache is never written: its magazines are empty and full at once, and its heap
//      owns no pool.
//   3. Bytes that the magazines could hold stay within TALLY_MAGAZINE_KB, first slots aside.
// Threads: written by its thread alone, or under the registry's lock while it has none. The books
// read tops, countdowns, outgoing batches and totals at any time: each is one word.

#ifndef ALLOCATOR_THREAD_CACHE_H_
#define ALLOCATOR_THREAD_CACHE_H_

#include <cstddef>
#include <cstdint>

#include "allocator/batch.h"
#include "allocator/check.h"
#include "allocator/geometry.h"
#include "allocator/heap.h"
#include "allocator/magazine.h"
#include "allocator/pool_key.h"
#include "allocator/size_class.h"

namespace tally {

// What the fast paths touch, and keys hold offsets into.
struct CacheHead {
  KeyWindow window;  // empty in the empty cache
  PoolKey heap_key;
  Magazine magazines[kClassCount];
};
static_assert(offsetof(CacheHead, magazines) == MagazineOffset(0),
              "keys hold offsets of magazines");

// Called at the end of slow paths, unless null: where the publisher sits. No lock of the allocator
// is held, but for a fork's.
using SlowPathHook = void (*)();
inline constinit SlowPathHook slow_path_hook = nullptr;
inline void RunSlowPathHook() {
  if (slow_path_hook != nullptr) [[unlikely]] {
    slow_path_hook();
  }
}

class ThreadCache : public CacheHead {
 public:
  constexpr ThreadCache(Heap* its_heap, PoolKey key, KeyWindow its_window)
      : CacheHead{its_window, key, {}}, heap_(its_heap) {}
  ThreadCache(const ThreadCache&) = delete;
  ThreadCache& operator=(const ThreadCache&) = delete;

  Heap* heap() const { return heap_; }
  void WorkFor(Heap* its_heap) {
    heap_ = its_heap;
    heap_key = KeyOfHeap(its_heap->index());
  }
  void WorkForNobody(Heap* no_heap) {
    heap_ = no_heap;
    heap_key = kNobodysKey;
  }

  Magazine& MagazineAt(size_t offset) {
    return *reinterpret_cast<Magazine*>(reinterpret_cast<char*>(this) + offset);
  }

  bool TryPush(size_t magazine_offset, void* block) {
    Magazine& magazine = MagazineAt(magazine_offset);
    if (!magazine.TryPush(block)) [[unlikely]] {
      return false;
    }
    if constexpr (kChecks) {
      CountFree(static_cast<SizeClass>(&magazine - magazines));
    }
    return true;
  }

  // Says how many threads there are; it bounds what magazines grow to from then on.
  static void ShareAmong(uint32_t threads);

  // Slow half of a pop: the magazine is empty, or its countdown ran out. Null when memory is out.
  // `request_bytes` is what the program asked for.
  void* PopSlow(SizeClass size_class, size_t request_bytes);

  // Slow half of a push: the magazine is full.
  void PushSlow(SizeClass size_class, void* block);

  // Puts a block of another heap, whose pool has the key, into the batch for it.
  void SendHome(Heap* owner, PoolKey key, void* block);

  // Blocks back to the heap, batches to their owners.
  void FlushAll();

  // Flushes magazines that were not used since the last call, and takes their slots.
  void FlushIdle();

  // In the child of fork, for a thread that is gone: forgets everything. It may have been frozen
  // between any two steps, so nothing that it held can be trusted; the blocks count as live.
  void Abandon();

  // Gives slots back as well. The cache holds nothing then. REQUIRES: FlushAll() was called.
  void ReleaseSlots();

  // Blocks of the class that were ever allocated here. Exact at any moment of this thread; of
  // others, but for what is in flight.
  uint64_t AllocatedOf(SizeClass size_class) const;
  uint64_t FreedOf(SizeClass size_class) const { return freed_[size_class]; }
  // Debug builds count frees of their own accord.
  void CountFree(SizeClass size_class) { ++freed_[size_class]; }
  void CountAllocation(SizeClass size_class) { ++bases_[size_class]; }

  // Calls visit(block) for each block in an outgoing batch.
  template <typename Visit>
  void ForEachOutgoingBlock(Visit visit) const {
    for (const Outgoing& outgoing : outgoing_) {
      const Batch* batch = __atomic_load_n(&outgoing.batch, __ATOMIC_ACQUIRE);
      const uint32_t count =
          batch == nullptr ? 0 : __atomic_load_n(&batch->count, __ATOMIC_ACQUIRE);
      for (uint32_t i = 0; i < count && i < kBatchBlocks; ++i) {
        if (batch->blocks[i] != nullptr) {  // a batch that was posted and drained meanwhile
          visit(batch->blocks[i]);
        }
      }
    }
  }

  // In a child of fork: draws numbers that are not its parent's.
  void Reseed() { random_ = 0; }
  uint64_t magazine_bytes() const { return magazine_bytes_; }
  uint64_t slow_calls() const { return slow_calls_; }
  uint64_t slow_ns() const { return slow_ns_; }

  // Under the registry's lock.
  uint64_t thread = 0;               // the kernel's id, 0 without a thread
  ThreadCache* next = nullptr;       // of all caches
  ThreadCache* next_free = nullptr;  // of those without a thread
  bool is_live = false;
  bool is_private = false;  // no thread's: see Registry::AcquirePrivate

 private:
  friend struct DirectoryMaker;

  class SlowTimer;

  struct Outgoing {
    Heap* owner = nullptr;
    Batch* batch = nullptr;
  };

  bool GrowSlots(SizeClass size_class);
  static uint64_t Budget();
  bool FindBudget(SizeClass size_class, uint64_t bytes);
  void ReleaseSlots(SizeClass size_class);
  void FlushMagazine(SizeClass size_class, size_t count);
  void TakeInbox();
  void* PopSlowTimed(SizeClass size_class, size_t request_bytes);
  void PushSlowTimed(SizeClass size_class, void* block);
  uint64_t DrawCountdown(SizeClass size_class);
  void SetCountdown(SizeClass size_class, uint64_t allocated, uint64_t countdown);
  void Event(SizeClass size_class, size_t request_bytes);
  void LetTimePass();
  // Not inline, so that SendHome needs no stack frame.
  [[gnu::noinline]] void SendHomeInNewBatch(Heap* owner, PoolKey key, void* block);
  [[gnu::noinline]] void PostBatch(Outgoing& outgoing);

  Heap* heap_;
  Outgoing outgoing_[kOutgoingSlots];
  BatchStash stash_;
  uint64_t magazine_bytes_ = 0;
  uint64_t last_tick_ = 0;
  // Allocated = base - countdown. Both change together, which resets_ tells readers: odd meanwhile.
  uint64_t bases_[kClassCount] = {};
  uint64_t resets_ = 0;
  uint64_t random_ = 0;
  // Slow halves that ran, and an estimate of the time in them: every 16th is timed.
  uint64_t slow_calls_ = 0;
  uint64_t slow_ns_ = 0;
  uint64_t freed_[kClassCount] = {};
  // Set by every refill and flush, cleared by the hand that looks for slots to take.
  bool was_busy_[kClassCount] = {};
  SizeClass hand_ = 0;
  // What FlushIdle saw last time.
  void** seen_top_[kClassCount] = {};
  int64_t seen_countdown_[kClassCount] = {};
};

}  // namespace tally

#endif  // ALLOCATOR_THREAD_CACHE_H_
