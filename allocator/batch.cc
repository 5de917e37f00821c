// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/batch.h"

#include "allocator/metadata.h"

namespace tally {

constinit BatchPool batch_pool;

// A new one, with nothing linked behind it.
Batch* BatchPool::Make() {
  if (made_ == kBatchesMax) {
    return nullptr;
  }
  auto* batch = static_cast<Batch*>(metadata.AllocateForever(sizeof(Batch)));
  if (batch != nullptr) {
    ++made_;
    batch->next = nullptr;
  }
  return batch;
}

Batch* BatchPool::GetChain(size_t most) {
  const MutexLock lock(mutex_);
  if (made_ > kBatchesMax / 2) {
    most = 1;  // so many threads that stashes would leave others without
  }
  Batch* chain = nullptr;
  for (; most != 0; --most) {
    Batch* batch = free_ != nullptr ? free_ : Make();
    if (batch == nullptr) {
      break;
    }
    free_ = batch->next;
    batch->next = chain;
    batch->count = 0;
    batch->bytes = 0;
    chain = batch;
  }
  return chain;
}

void BatchPool::PutChain(Batch* first, Batch* last) {
  const MutexLock lock(mutex_);
  last->next = free_;
  free_ = first;
}

Batch* BatchStash::Get() {
  if (first_ == nullptr) {
    first_ = batch_pool.GetChain(kStashBatches / 2);
    for (const Batch* batch = first_; batch != nullptr; batch = batch->next) {
      ++count_;
    }
  }
  Batch* batch = first_;
  if (batch != nullptr) {
    first_ = batch->next;
    --count_;
    batch->next = nullptr;
    batch->count = 0;
    batch->bytes = 0;
  }
  return batch;
}

void BatchStash::Put(Batch* batch) {
  batch->next = first_;
  first_ = batch;
  if (++count_ > kStashBatches) {
    Return(kStashBatches / 2);
  }
}

// REQUIRES: there are so many, at least one.
void BatchStash::Return(size_t count) {
  Batch* last = first_;
  for (size_t i = 1; i < count; ++i) {
    last = last->next;
  }
  Batch* first = first_;
  first_ = last->next;
  count_ -= count;
  batch_pool.PutChain(first, last);
}

void BatchStash::ReturnAll() {
  if (count_ != 0) {
    Return(count_);
  }
}

}  // namespace tally
