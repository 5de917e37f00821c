// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A batch: blocks on their way, in a container of our own. Blocks of other heaps go home in
// batches (snmalloc, ISMM 2019); a heap's depot keeps a magazine's older half as one.
//
// Called by thread caches (outgoing, and what comes home) and heaps (inbox, depot).
//
// Invariants: count <= kBatchBlocks. At most kBatchesMax batches exist, so what is in transit is
// bounded whatever the threads do. Batches are never freed: who looks at one that went on meanwhile
// sees another's, no less a batch.
// Threads: a batch has one holder at a time; the pool has a lock, a stash is its thread's.

#ifndef ALLOCATOR_BATCH_H_
#define ALLOCATOR_BATCH_H_

#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"
#include "allocator/mutex.h"

namespace tally {

struct Batch {
  Batch* next;
  uint32_t count;
  uint32_t bytes;    // sum of the blocks' sizes
  uint32_t waiting;  // in an inbox: batches from this one on, about; read by other posters
  alignas(64) void* blocks[kBatchBlocks];
};

class BatchPool {
 public:
  // 4.25 MiB of containers: 524,288 blocks. Beyond it, blocks are returned one by one.
  static constexpr size_t kBatchesMax = 4096;

  // An empty batch, or null when there is none to be had.
  Batch* Get() { return GetChain(1); }
  // Up to so many, linked by next; one where half of all there can be are made.
  Batch* GetChain(size_t most);
  void Put(Batch* batch) { PutChain(batch, batch); }
  // Takes back what is linked from the first to the last.
  void PutChain(Batch* first, Batch* last);

  Mutex& mutex() { return mutex_; }

 private:
  Batch* Make();

  Mutex mutex_;
  Batch* free_ = nullptr;
  size_t made_ = 0;
};

extern constinit BatchPool batch_pool;

// A thread's own few containers, so that it meets others at the pool only now and then.
class BatchStash {
 public:
  // An empty batch, or null when there is none to be had.
  Batch* Get();
  void Put(Batch* batch);
  void ReturnAll();
  // After fork, for a thread that is gone: its chain may be in the middle of a change.
  void Forget() { *this = BatchStash{}; }

 private:
  void Return(size_t count);

  Batch* first_ = nullptr;
  size_t count_ = 0;
};

}  // namespace tally

#endif  // ALLOCATOR_BATCH_H_
