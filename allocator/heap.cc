// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/heap.h"

#include <string.h>

#include <bit>

#include "allocator/check.h"
#include "allocator/metadata.h"
#include "allocator/pool_key.h"
#include "allocator/region.h"

namespace tally {

namespace {

// By a sample: scattered blocks differ almost everywhere.
bool SeemInOneArena(void* const* blocks, size_t count) {
  constexpr size_t kStep = 8;
  uintptr_t differing = 0;
  for (size_t i = kStep; i < count; i += kStep) {
    differing |= reinterpret_cast<uintptr_t>(blocks[i]) ^ reinterpret_cast<uintptr_t>(blocks[0]);
  }
  return differing < kArenaBytes;
}

void SetAllFree(Pool* pool) {
  const size_t capacity = pool->info().capacity;
  uint64_t* words = pool->bits();
  for (size_t i = 0; i < pool->bit_words(); ++i) {
    words[i] = LowBits(capacity - i * 64);
  }
  pool->free_blocks = static_cast<uint16_t>(capacity);
}

void SetKeys(const Pool* head, size_t pools, PoolKey key) {
  std::atomic<PoolKey>* keys = Region::Of(head)->keys + head->index();
  for (size_t i = 0; i < pools; ++i) {
    keys[i].store(key, std::memory_order_relaxed);
  }
}

// Whoever walks a private heap tells blocks from objects by their first word.
void ClearFirstWords(Pool* head) {
  const ClassInfo& info = head->info();
  char* first_block = head->first_block();
  for (size_t i = 0; i < info.capacity; ++i) {
    memset(first_block + i * info.block_bytes, 0, sizeof(uint64_t));
  }
}

// Calls set(index, block) for the first of `blocks` that lie in the same run; returns how many do.
// Ends the program on one that is not a block.
template <typename Set>
size_t ForEachOfRun(const Pool* head, void* const* blocks, size_t count, Set set) {
  const ClassInfo& info = head->info();
  const char* first_block = head->first_block();
  size_t done = 0;
  do {
    const size_t offset = static_cast<size_t>(static_cast<const char*>(blocks[done]) - first_block);
    const size_t index = BlockStartingAt(info, offset);
    if (index >= info.capacity) {
      if (offset + info.first_block < info.run_pools * kPoolBytes) [[unlikely]] {
        FatalBlock("free", blocks[done], kNotBlockStart);
      }
      break;
    }
    set(index, blocks[done]);
  } while (++done != count);
  return done;
}

void SetFree(uint64_t& word, size_t index, const void* block) {
  const uint64_t bit = uint64_t{1} << (index % 64);
  if ((word & bit) != 0) [[unlikely]] {
    FatalBlock("free", block, kDoubleFree);
  }
  word |= bit;
}

}  // namespace

size_t Heap::AdjacentRuns(SizeClass size_class) const {
  const size_t most = kClassTable[size_class].adjacent_runs;
  const size_t wanted = classes_[size_class].runs / kRunsPerTakenRun;
  const size_t bounded = wanted < most ? wanted : most;
  return bounded == 0 ? 1 : bounded;
}

// Makes the pools of a run the class's.
void Heap::StartRun(SizeClass size_class, Pool* head, void* wide_bitmap) {
  const ClassInfo& info = kClassTable[size_class];
  head->size_class = size_class;
  head->is_settled = false;
  head->purged_pools = 0;
  head->bitmap[0] = reinterpret_cast<uintptr_t>(wide_bitmap);
  SetAllFree(head);
  head->owner.store(this, std::memory_order_relaxed);
  for (size_t i = 0; i < info.run_pools; ++i) {
    head[i].inner_index = static_cast<uint8_t>(i);
    head[i].kind.store(i == 0 ? PoolKind::kBlocks : PoolKind::kInner, std::memory_order_relaxed);
  }
  SetKeys(head, info.run_pools, KeyOf(index_, size_class));
  ClassState& state = classes_[size_class];
  state.partial.Insert(head);
  ++state.runs;
  AddEmptyRun(size_class);
}

// One run, or several side by side for a class that has many. False when memory is out.
bool Heap::AddRuns(SizeClass size_class) {
  const ClassInfo& info = kClassTable[size_class];
  ClassState& state = classes_[size_class];
  void* wide = nullptr;
  constexpr size_t kWideBytes = Pool::kWideBitmapWords * sizeof(uint64_t);
  if (size_class == 1 && (wide = metadata.Allocate(kWideBytes)) == nullptr) {
    return false;
  }
  ReleaseSpareRuns();
  const auto use = state.runs < kRunsBeforeMapAhead ? Regions::Use::kPerhaps : Regions::Use::kSoon;
  const Run taken = regions.TakeAdjacent(info.run_pools, AdjacentRuns(size_class), use);
  if (taken.first == nullptr || !state.partial.PrepareFor(Region::Of(taken.first))) {
    if (taken.first != nullptr) {
      regions.GiveBack(taken.first, taken.pools);
    }
    if (wide != nullptr) {
      metadata.Free(wide, kWideBytes);
    }
    return false;
  }
  for (size_t at = 0; at < taken.pools; at += info.run_pools) {
    StartRun(size_class, taken.first + at, wide);
    if (is_private_ && !taken.is_zero) {
      ClearFirstWords(taken.first + at);
    }
  }
  pool_bytes_.fetch_add(taken.pools * kPoolBytes, std::memory_order_relaxed);
  seen_growths_ = regions.growths();
  return true;
}

// REQUIRES: the pool is empty and counted in empty_runs no more.
void Heap::Retire(Pool* pool) {
  const ClassInfo& info = pool->info();
  classes_[pool->size_class].partial.Remove(pool);
  --classes_[pool->size_class].runs;
  pool_bytes_.fetch_sub(info.run_pools * kPoolBytes, std::memory_order_relaxed);
  if (pool->size_class == 1) {
    metadata.Free(pool->bits(), Pool::kWideBitmapWords * sizeof(uint64_t));
  }
  pool->owner.store(nullptr, std::memory_order_relaxed);
  for (size_t i = 0; i < info.run_pools; ++i) {
    pool[i].kind.store(PoolKind::kFree, std::memory_order_relaxed);
  }
  SetKeys(pool, info.run_pools, kNoKey);
  regions.GiveBack(pool, info.run_pools);
}

// Writes downwards from `slots_end`, so that the lowest address comes to lie lowest in the end.
size_t Heap::TakeBits(ClassState& state, Pool* pool, void** slots_end, size_t want) {
  if (pool->is_empty()) {
    SubtractEmptyRuns(pool->size_class, 1);
  }
  const size_t block_bytes = pool->info().block_bytes;
  char* first_block = pool->first_block();
  uint64_t* words = pool->bits();
  size_t taken = 0;
  for (size_t i = 0; taken < want && i < pool->bit_words(); ++i) {
    uint64_t word = words[i];
    char* base = first_block + i * 64 * block_bytes;
    const auto in_row = static_cast<size_t>(std::countr_one(word));
    if (word == LowBits(in_row) && in_row <= want - taken) {
      for (size_t block = 0; block < in_row; ++block) {
        *--slots_end = base + block * block_bytes;
      }
      taken += in_row;
      word = 0;
    }
    for (; word != 0 && taken < want; word &= word - 1) {
      *--slots_end = base + static_cast<size_t>(std::countr_zero(word)) * block_bytes;
      ++taken;
    }
    words[i] = word;
  }
  pool->free_blocks = static_cast<uint16_t>(pool->free_blocks - taken);
  pool->is_settled = false;
  pool->purged_pools = 0;
  if (pool->is_full()) {
    state.partial.Remove(pool);
  }
  return taken;
}

// Fills the slots from above, so that what was freed last is popped first.
size_t Heap::TakeFromDepot(ClassState& state, void** slots, size_t want) {
  state.depot_used = true;
  size_t left = want;
  while (left != 0 && state.depot != nullptr) {
    Batch* batch = state.depot;
    const size_t count = left < batch->count ? left : batch->count;
    left -= count;
    batch->count -= static_cast<uint32_t>(count);
    memcpy(static_cast<void*>(slots + left), static_cast<const void*>(batch->blocks + batch->count),
           count * sizeof(void*));
    if (batch->count == 0) {
      state.depot = batch->next;
      --state.depot_batches;
      batch_pool.Put(batch);
    }
  }
  return want - left;
}

size_t Heap::Refill(SizeClass size_class, void** slots, size_t want) {
  const MutexLock lock(mutex_);
  ClassState& state = classes_[size_class];
  ++state.refills;
  NoteGrowth();
  if (!IsInboxEmpty()) {
    DrainInbox();
  }
  size_t taken = state.depot != nullptr ? TakeFromDepot(state, slots, want) : 0;
  while (taken < want) {
    Pool* pool = state.partial.Lowest();
    if (pool == nullptr) {
      // One new run a refill, so that memory grows no faster than it is used: who asks for more
      // gets it next time.
      if (taken != 0 || !AddRuns(size_class)) {
        break;
      }
      pool = state.partial.Lowest();
    }
    taken += TakeBits(state, pool, slots + want - taken, want - taken);
  }
  if (taken != want) {
    memmove(static_cast<void*>(slots), static_cast<const void*>(slots + want - taken),
            taken * sizeof(void*));
  }
  return taken;
}

// Sets the bits of the first blocks of `blocks` that lie in the same run; returns how many do.
// Ends the program on one that is not a block, or is free.
size_t Heap::ReturnToRun(Pool* head, void* const* blocks, size_t count) {
  if (head->owner.load(std::memory_order_relaxed) != this) [[unlikely]] {
    // It was ours when it was freed: its pool has gone back since, so it was freed twice.
    FatalBlock("free", blocks[0], kDoubleFree);
  }
  if (head->bit_words() > 1) {
    uint64_t* words = head->bits();
    return ForEachOfRun(head, blocks, count, [words](size_t index, const void* block) {
      SetFree(words[index / 64], index, block);
    });
  }
  uint64_t word = head->bitmap[0];  // stays in a register
  const size_t done = ForEachOfRun(head, blocks, count, [&word](size_t index, const void* block) {
    SetFree(word, index, block);
  });
  head->bitmap[0] = word;
  return done;
}

// Blocks freed together often lie side by side, and then a run is looked up once for all; or far
// apart, and then descriptors are fetched a few blocks ahead.
void Heap::ReturnBlocks(void* const* blocks, size_t count) {
  constexpr size_t kAhead = 6;
  for (size_t i = 0; i < count;) {
    __builtin_prefetch(Pool::Of(blocks[i + kAhead < count ? i + kAhead : i]), 1);
    Pool* head = Pool::Of(blocks[i])->head();
    const size_t returned = ReturnToRun(head, blocks + i, count - i);
    i += returned;
    ClassState& state = classes_[head->size_class];
    if (head->is_full()) {
      state.partial.Insert(head);
    }
    head->free_blocks = static_cast<uint16_t>(head->free_blocks + returned);
    head->is_settled = false;
    if (head->is_empty()) {
      KeepOrRetire(head);
    }
  }
}

bool Heap::PutInDepot(SizeClass size_class, void** blocks, size_t count) {
  ClassState& state = classes_[size_class];
  // Each block keeps its pool from going back: many are kept only where they lie together.
  if (state.depot_batches >= kClassTable[size_class].depot_batches ||
      (state.depot_batches >= kScatteredBatchesMax && !SeemInOneArena(blocks, count))) {
    return false;
  }
  Batch* batch = batch_pool.Get();
  if (batch == nullptr) {
    return false;
  }
  memcpy(static_cast<void*>(batch->blocks), static_cast<const void*>(blocks),
         count * sizeof(void*));
  batch->count = static_cast<uint32_t>(count);
  batch->next = state.depot;
  state.depot = batch;
  ++state.depot_batches;
  state.depot_used = true;
  return true;
}

void Heap::Flush(SizeClass size_class, void** blocks, size_t count) {
  const MutexLock lock(mutex_);
  ++classes_[size_class].flushes;
  NoteGrowth();
  while (count > kBatchBlocks / 2) {
    const size_t part = count < kBatchBlocks ? count : kBatchBlocks;
    if (!PutInDepot(size_class, blocks, part)) {
      break;
    }
    blocks += part;
    count -= part;
  }
  ReturnBlocks(blocks, count);
}

void Heap::FreeDirectly(void* block) {
  const MutexLock lock(mutex_);
  ReturnBlocks(&block, 1);
}

Batch* Heap::TakeInbox() {
  if (IsInboxEmpty()) {
    return nullptr;
  }
  // Acquire pairs with the release in Post.
  return inbox_.exchange(nullptr, std::memory_order_acquire);
}

void Heap::ReturnBatches(Batch* batch) {
  const MutexLock lock(mutex_);
  ReturnAll(batch);
}

// REQUIRES: mutex_ held.
void Heap::ReturnAll(Batch* batch) {
  while (batch != nullptr) {
    ReturnBlocks(batch->blocks, batch->count);
    Batch* next = batch->next;
    batch_pool.Put(batch);
    batch = next;
  }
}

void Heap::DrainInbox() { ReturnAll(TakeInbox()); }

// How many batches an inbox with that head holds, about: a head that was drained meanwhile says
// something else.
uint32_t Heap::WaitingFrom(const Batch* head) {
  return head == nullptr ? 0 : __atomic_load_n(&head->waiting, __ATOMIC_RELAXED);
}

void Heap::Post(Batch* batch) {
  Batch* head = inbox_.load(std::memory_order_relaxed);
  uint32_t waiting = 0;
  do {
    batch->next = head;
    waiting = WaitingFrom(head) + 1;
    __atomic_store_n(&batch->waiting, waiting, __ATOMIC_RELAXED);
    // Sequentially consistent: either we see the lock free below, or a drainer's last look sees us.
  } while (!inbox_.compare_exchange_weak(head, batch, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
  // Nobody works for a parked heap, and a quiet one's threads may never come back: whoever posts
  // drains. Again after unlocking, because others may have posted while we held the lock.
  while ((users() == 0 || waiting > kInboxBatchesMax) && !IsInboxEmpty() && mutex_.TryLock()) {
    DrainInbox();
    mutex_.Unlock();
    waiting = WaitingFrom(inbox_.load(std::memory_order_relaxed));
  }
}

}  // namespace tally
