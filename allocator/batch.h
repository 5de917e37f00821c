// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A batch: blocks on their way, in a container of our own. Blocks of other heaps go home in
// batches (snmalloc, ISMM 2019); a heap's depot keeps a magazine's older half as one.
//
// Called by thread caches (outgoing) and heaps (inbox, depot).
//
// Invariants: count <= kBatchBlocks. At most kBatchesMax batches exist, so what is in transit is
// bounded whatever the threads do.
// Threads: a batch has one holder at a time; the pool has a lock.

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
  uint32_t bytes;  // sum of the blocks' sizes
  uint64_t unused;
  void* blocks[kBatchBlocks];
};

static_assert(sizeof(Batch) == 512, "a batch is eight cache lines");

class BatchPool {
 public:
  // 4 MiB of containers: 250,000 blocks. Beyond it, blocks are returned one by one.
  static constexpr size_t kBatchesMax = 8192;

  // An empty batch, or null when there is none to be had.
  Batch* Get();
  void Put(Batch* batch);

  Mutex& mutex() { return mutex_; }

 private:
  Mutex mutex_;
  Batch* free_ = nullptr;
  size_t made_ = 0;
};

extern constinit BatchPool batch_pool;

}  // namespace tally

#endif  // ALLOCATOR_BATCH_H_
