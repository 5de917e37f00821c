// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The allocator: what the shim, refgc and the tests stand on.
//
// Fast paths are inline: malloc is Allocate, free is Free. Each is one thread-local pointer, one
// magazine, and a named slow path for everything unusual.
//
// All functions: thread-safe; O(1) on the fast path; null means out of memory, errno is left to the
// hook. The heap-to-fast-path design is Bonwick's magazines over bitmap pools; see
// allocator/README.md.

#ifndef ALLOCATOR_ALLOCATOR_H_
#define ALLOCATOR_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>

#include "allocator/check.h"
#include "allocator/geometry.h"
#include "allocator/magazine.h"
#include "allocator/pool.h"
#include "allocator/region_map.h"
#include "allocator/registry.h"
#include "allocator/size_class.h"
#include "allocator/thread_cache.h"

namespace tally {

// One pointer of initial-exec TLS, so that dlopen works and no access allocates.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadCache* thread_cache;

// What becomes of pointers that are not ours. The shim installs functions that know the C library;
// without one, such a pointer ends the program.
struct ForeignHandlers {
  void (*free)(void* p);
  void* (*reallocate)(void* p, size_t bytes);
  size_t (*usable_size)(const void* p);
};
extern constinit const ForeignHandlers* foreign_handlers;

// Called when a request is about to be answered by null. The shim sets errno there: the fast paths
// then need no check of their own, and no stack frame.
using OutOfMemoryHook = void (*)();
extern constinit OutOfMemoryHook out_of_memory_hook;

// Called once per thread when it gets a cache, so that the shim can arrange for ThreadExit.
using ThreadStartHook = void (*)();
extern constinit ThreadStartHook thread_start_hook;

// --- Slow paths, out of line -------------------------------------------------------------------

void* AllocateClassSlow(SizeClass size_class);
void* AllocateMedium(size_t bytes);
void FreeSlow(void* p);
void FreeMismatched(void* p);

// --- The interface -----------------------------------------------------------------------------

// At least `bytes`, aligned to 16 if above 8 (in libtally8: to 8).
inline void* Allocate(size_t bytes) {
  constexpr size_t kMask = ~(kMallocAlignment - 1);
  const size_t less_one = bytes - 1;  // zero wraps around and goes the slow way
  if (less_one >= kSmallBytes) [[unlikely]] {
    return AllocateMedium(bytes);
  }
  const size_t rounded = (less_one & kMask) + kMallocAlignment;
  Magazine& magazine =
      thread_cache->MagazineAt(rounded * (sizeof(Magazine) / 8) + MagazineOffset(0));
  void* block = *magazine.top;
  if (block == nullptr || --magazine.countdown <= 0) [[unlikely]] {
    return AllocateClassSlow(static_cast<SizeClass>(rounded / 8));
  }
  --magazine.top;
  return block;
}

// At least `bytes`, aligned to 8: the classes between the multiples of 16 serve here.
inline void* Allocate8(size_t bytes) {
  const size_t less_one = bytes - 1;
  if (less_one >= kSmallBytes) [[unlikely]] {
    return AllocateMedium(bytes);
  }
  const SizeClass size_class = ClassFor(bytes);
  Magazine& magazine = thread_cache->magazines[size_class];
  void* block = *magazine.top;
  if (block == nullptr || --magazine.countdown <= 0) [[unlikely]] {
    return AllocateClassSlow(size_class);
  }
  --magazine.top;
  return block;
}

// Null is allowed. Ends the program on what is not a live block, now or when its magazine is
// flushed.
inline void Free(void* p) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  if (!RegionMap::IsInRange(address) || region_map.At(address) != Granule::kPools) [[unlikely]] {
    return FreeSlow(p);
  }
  Pool* pool = Pool::Of(p);
  ThreadCache* cache = thread_cache;
  if (pool->owner.load(std::memory_order_relaxed) != cache->heap) [[unlikely]] {
    return FreeSlow(p);
  }
  Magazine& magazine = cache->MagazineAt(pool->magazine.load(std::memory_order_relaxed));
  void** top = magazine.top;
  if (top >= magazine.limit || *top == p) [[unlikely]] {
    return FreeSlow(p);
  }
  top[1] = p;
  magazine.top = top + 1;
  if constexpr (kChecks) {
    cache->CountFree(static_cast<SizeClass>(&magazine - cache->magazines));
  }
}

// Free for who knows the size asked for (C++ sized delete, free_sized). A size of another class is
// counted, and freed all the same.
inline void FreeSized(void* p, size_t bytes) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  const size_t less_one = bytes - 1;
  if (less_one < kSmallBytes && RegionMap::IsInRange(address) &&
      region_map.At(address) == Granule::kPools) [[likely]] {
    constexpr size_t kMask = ~(kMallocAlignment - 1);
    const size_t rounded = (less_one & kMask) + kMallocAlignment;
    const size_t offset = rounded * (sizeof(Magazine) / 8) + MagazineOffset(0);
    if (Pool::Of(p)->magazine.load(std::memory_order_relaxed) != offset) [[unlikely]] {
      return FreeMismatched(p);
    }
  }
  Free(p);
}

// Zeroed. The product must not overflow.
void* AllocateZeroed(size_t bytes);
// `alignment` is a power of two.
void* AllocateAligned(size_t bytes, size_t alignment);
// The block with at least `bytes`, its content kept up to the smaller size; null leaves it as it
// was. REQUIRES: p is not null, bytes is not zero.
void* Reallocate(void* p, size_t bytes);
// Bytes the caller may use; never changes while the block lives. 0 for null.
size_t UsableSize(const void* p);
// Which size class an allocation of `bytes` comes from, 0 if none; its usable size.
size_t GoodSize(size_t bytes);

// Gives back what can be given back. Returns whether anything was.
bool Trim();

// The calling thread ends: its cache goes. Later calls of this thread still work.
void ThreadExit();

// Around fork(), in this order, by the shim.
void ForkPrepare();
void ForkParent();
void ForkChild();

}  // namespace tally

#endif  // ALLOCATOR_ALLOCATOR_H_
