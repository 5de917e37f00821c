// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/allocator.h"

#include <string.h>

#include "allocator/books.h"
#include "allocator/first_touch.h"
#include "allocator/huge.h"
#include "allocator/large.h"
#include "allocator/os.h"
#include "allocator/purge.h"
#include "allocator/region.h"
#include "allocator/region_map.h"
#include "allocator/slow_paths.h"
#include "allocator/totals.h"

namespace tally {

[[gnu::tls_model("initial-exec")]] constinit thread_local ThreadCache* thread_cache = &empty_cache;
constinit const ForeignHandlers* foreign_handlers = nullptr;
constinit OutOfMemoryHook out_of_memory_hook = nullptr;
constinit ThreadStartHook thread_start_hook = nullptr;

namespace {

// Set when the thread's cache is gone for good: what follows goes to a heap directly.
[[gnu::tls_model("initial-exec")]] constinit thread_local bool thread_is_ending = false;

bool HasCache() { return thread_cache != &empty_cache; }

// Gives the calling thread a cache if it may have one.
bool StartThread() {
  if (HasCache() || thread_is_ending) {
    return HasCache();
  }
  ThreadCache* cache = registry.Acquire();
  if (cache == nullptr) {
    return false;
  }
  thread_cache = cache;
  if (thread_start_hook != nullptr) {
    thread_start_hook();
  }
  return true;
}

void* AllocateWithoutCache(SizeClass size_class) {
  Heap* heap = registry.SharedHeap();
  void* block = nullptr;
  if (heap == nullptr || heap->Refill(size_class, &block, 1) != 1) {
    return nullptr;
  }
  totals::CountUncachedAllocation(size_class);
  return block;
}

void* AllocateClassOnce(SizeClass size_class, size_t bytes) {
  return StartThread() ? thread_cache->PopSlow(size_class, bytes)
                       : AllocateWithoutCache(size_class);
}

bool FitsRun(size_t bytes, size_t alignment) {
  return bytes <= kRunBytesLimit &&
         (alignment <= kPoolBytes || (alignment <= kArenaBytes && bytes <= kArenaBytes));
}

// The preferred tier first, the other where address space is short.
void* AllocateRunOnce(size_t bytes, size_t alignment, bool* is_zero) {
  purger.Tick();
  const bool fits_run = FitsRun(bytes, alignment);
  void* block = nullptr;
  if (fits_run && bytes <= kRunBytesMax) {
    block = large_blocks.Allocate(bytes, alignment, is_zero);
  }
  if (block == nullptr) {
    block = huge_blocks.Allocate(bytes, alignment, is_zero);
  }
  if (block == nullptr && fits_run) {
    block = large_blocks.Allocate(bytes, alignment, is_zero);
  }
  if (block != nullptr && *is_zero) {
    purger.MakeWay(bytes);
  }
  return block;
}

// What malloc and its like get beyond the classes.
void* AllocateFreshRun(size_t bytes, size_t alignment) {
  bool is_zero = false;
  void* block = AllocateRun(bytes, alignment, &is_zero);
  if (block != nullptr && is_zero) {
    first_touch.PrepareToFill(block, bytes, 0);
  }
  return block;
}

// A block of another heap. Its pool's descriptor, which the owner's thread writes, is not read.
void SendHome(PoolKey key, void* p) {
  if constexpr (kChecks) {
    thread_cache->CountFree(ClassOf(key));
  }
  thread_cache->SendHome(registry.heap(HeapIndexOf(key)), key, p);
}

// The first thing that a thread does is to free, or it is past its end.
[[gnu::noinline]] void FreeWithoutCache(PoolKey key, void* p) {
  if (StartThread()) {
    Free(p);
  } else {
    totals::CountUncachedFree();
    registry.heap(HeapIndexOf(key))->FreeDirectly(p);
  }
}

// A block of this thread's heap that its magazine did not take, or whose key the window has not.
[[gnu::noinline]] void FreeIntoMagazine(SizeClass size_class, void* p) {
  if (thread_cache->TryPush(MagazineOffset(size_class), p)) {
    return;
  }
  if (*thread_cache->magazines[size_class].top == p) {
    FatalBlock("free", p, kDoubleFree);
  }
  if constexpr (kChecks) {
    thread_cache->CountFree(size_class);
  }
  thread_cache->PushSlow(size_class, p);
}

void FreeLarge(Pool* pool, void* p) {
  if (p != pool->start()) {
    FatalBlock("free", p, kNotBlockStart);
  }
  if (!large_blocks.Free(pool)) {
    FatalBlock("free", p, kDoubleFree);
  }
  purger.Tick();
  RunSlowPathHook();
}

void FreeInPools(void* p) {
  if (!Regions::IsInCommittedArena(p)) {
    FatalBlock("free", p, kNotLive);
  }
  Pool* pool = Pool::Of(p);
  switch (pool->kind.load(std::memory_order_acquire)) {
    case PoolKind::kLarge:
      FreeLarge(pool, p);
      return;
    case PoolKind::kFree:
    case PoolKind::kBlocks:  // a run came between the look at the key and here
    case PoolKind::kInner:
      FatalInFreePool("free", p, pool);
  }
}

// Where no run of blocks of a class is: null, large and huge blocks, and what is not ours.
[[gnu::noinline]] void FreeOutsideRuns(void* p) {
  if (p == nullptr) {
    return;
  }
  const Granule granule = region_map.Lookup(p);
  if (granule == Granule::kPools) {
    return FreeInPools(p);
  }
  if (granule == Granule::kHuge && huge_blocks.Free(p)) {
    RunSlowPathHook();
    return;
  }
  if (granule != Granule::kNothing && huge_blocks.Covers(p)) {
    FatalBlock("free", p, kNotBlockStart);
  }
  if (foreign_handlers == nullptr) {
    FatalBlock("free", p, kForeign);
  }
  foreign_handlers->free(p);
}

}  // namespace

bool MakeRoom() { return Trim(); }

void* NoMemory() {
  if (out_of_memory_hook != nullptr) {
    out_of_memory_hook();
  }
  return nullptr;
}

void* AllocateRun(size_t bytes, size_t alignment, bool* is_zero) {
  if (bytes > kRequestBytesMax) {
    return NoMemory();
  }
  void* block = AllocateRunOnce(bytes, alignment, is_zero);
  if (block == nullptr && MakeRoom()) {
    block = AllocateRunOnce(bytes, alignment, is_zero);
  }
  RunSlowPathHook();
  return block != nullptr ? block : NoMemory();
}

void FatalInFreePool(const char* call, const void* p, Pool* pool) {
  const Region* region = Region::Of(pool);
  const size_t index = pool->index();
  const uint64_t free_pools =
      region->arenas[pool->arena_index()].free.load(std::memory_order_relaxed);
  const bool is_free_pool = (free_pools >> (index % kPoolsPerArena) & 1) != 0;
  FatalBlock(call, p, is_free_pool ? kNotLive : kNotBlockStart);
}

void* AllocateClassSlow(SizeClass size_class, size_t bytes) noexcept {
  void* block = AllocateClassOnce(size_class, bytes);
  if (block == nullptr && MakeRoom()) {
    block = AllocateClassOnce(size_class, bytes);
  }
  return block != nullptr ? block : NoMemory();
}

void* AllocateSlow(size_t bytes) noexcept {
  if (bytes > kSmallBytes && bytes <= kClassBytesMax) {
    return AllocateFromClass(ClassFor(bytes), bytes);
  }
  if (bytes > kClassBytesMax) {
    return AllocateFreshRun(bytes, 1);
  }
  if (bytes == 0) {
    return Allocate(1);
  }
  return AllocateClassSlow(static_cast<SizeClass>(RoundToMallocAlignment(bytes) / 8), bytes);
}

void* AllocateZeroed(size_t bytes) {
  if (bytes > kClassBytesMax) {
    bool is_zero = false;
    void* block = AllocateRun(bytes, 1, &is_zero);
    if (block != nullptr && !is_zero) {
      memset(block, 0, bytes);
    }
    return block;
  }
  void* block = Allocate(bytes);
  return block == nullptr ? nullptr : memset(block, 0, bytes);
}

void* AllocateAlignedSlow(size_t bytes, size_t alignment) noexcept {
  if (bytes == 0) {
    return AllocateAligned(1, alignment);
  }
  const SizeClass size_class = ClassForAligned(bytes, alignment);
  return size_class != 0 ? AllocateClassSlow(size_class, bytes)
                         : AllocateFreshRun(bytes, alignment);
}

// Jumps only, and no stack frame: every block of another heap comes this way.
void FreeSlow(void* p) noexcept {
  const PoolKey key = FindKey(thread_cache->window, p);
  if (key == kNoKey) [[unlikely]] {
    return FreeOutsideRuns(p);
  }
  if (!HasCache()) [[unlikely]] {
    return FreeWithoutCache(key, p);
  }
  if (key - thread_cache->heap_key < kKeySpan) {
    return FreeIntoMagazine(ClassOf(key), p);
  }
  SendHome(key, p);
}

void FreeSizedSlow(void* p, size_t bytes) noexcept {
  const PoolKey key = FindKey(thread_cache->window, p);
  if (bytes - 1 < kSmallBytes && key != kNoKey &&
      BlockBytes(ClassOf(key)) != RoundToMallocAlignment(bytes)) {
    totals::CountMismatchedSize();
  }
  Free(p);
}

bool Trim() {
  if (HasCache()) {
    thread_cache->FlushAll();
  }
  registry.TrimHeaps();
  return purger.PurgeAll() != 0;
}

void ThreadExit() {
  thread_is_ending = true;
  if (HasCache()) {
    ThreadCache* cache = thread_cache;
    thread_cache = &empty_cache;
    registry.Release(cache);
  }
}

void ForkPrepare() {
  shared_books.mutex.LockForFork();
  registry.LockAll();
}

void ForkParent() {
  registry.UnlockAll();
  shared_books.mutex.UnlockAfterFork();
}

void ForkChild() {
  registry.OrphanOthers(thread_cache);
  ForkParent();
}

}  // namespace tally
