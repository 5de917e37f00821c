// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/batch.h"

#include "allocator/metadata.h"

namespace tally {

constinit BatchPool batch_pool;

Batch* BatchPool::Get() {
  const MutexLock lock(mutex_);
  Batch* batch = free_;
  if (batch != nullptr) {
    free_ = batch->next;
  } else if (made_ < kBatchesMax) {
    batch = static_cast<Batch*>(metadata.AllocateForever(sizeof(Batch)));
    if (batch == nullptr) {
      return nullptr;
    }
    ++made_;
  } else {
    return nullptr;
  }
  batch->next = nullptr;
  batch->count = 0;
  batch->bytes = 0;
  return batch;
}

void BatchPool::Put(Batch* batch) {
  const MutexLock lock(mutex_);
  batch->next = free_;
  free_ = batch;
}

}  // namespace tally
