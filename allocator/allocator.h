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
#include "allocator/pool_key.h"
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

// All that TryAllocate leaves: an empty magazine, a countdown that ran out, other sizes.
void* AllocateSlow(size_t bytes) noexcept;
void* AllocateClassSlow(SizeClass size_class, size_t bytes) noexcept;
void* AllocateAlignedSlow(size_t bytes, size_t alignment) noexcept;
void FreeSlow(void* p) noexcept;
void FreeSizedSlow(void* p, size_t bytes) noexcept;

// --- The interface -----------------------------------------------------------------------------

// Where the cache has the magazine for a small size at malloc's alignment, as keys hold it.
// Other sizes give the offset of some larger class or of none.
inline size_t SmallMagazineOffset(size_t bytes) {
  return RoundToMallocAlignment(bytes) * (sizeof(Magazine) / 8) + MagazineOffset(0);
}

// The fast path of Allocate, alone: null where there is more to do.
inline void* TryAllocate(size_t bytes) {
  if (bytes - 1 >= kSmallBytes) [[unlikely]] {  // zero wraps around
    return nullptr;
  }
  return thread_cache->MagazineAt(SmallMagazineOffset(bytes)).TryPop();
}

// At least `bytes`, aligned to 16 if above 8 (in libtally8: to 8).
inline void* Allocate(size_t bytes) {
  void* block = TryAllocate(bytes);
  return block != nullptr ? block : AllocateSlow(bytes);
}

// A block of the class. REQUIRES: it has room for `bytes`.
inline void* AllocateFromClass(SizeClass size_class, size_t bytes) {
  void* block = thread_cache->magazines[size_class].TryPop();
  return block != nullptr ? block : AllocateClassSlow(size_class, bytes);
}

// At least `bytes`, aligned to 8: the classes between the multiples of 16 serve here.
inline void* Allocate8(size_t bytes) {
  if (bytes - 1 >= kSmallBytes) [[unlikely]] {
    return AllocateSlow(bytes);
  }
  return AllocateFromClass(ClassFor(bytes), bytes);
}

// The fast path of AllocateAligned, alone. Null where there is more to do: class 0 has no blocks.
inline void* TryAllocateAligned(size_t bytes, size_t alignment) {
  return thread_cache->magazines[ClassForAligned(bytes, alignment)].TryPop();
}

// `alignment` is a power of two.
inline void* AllocateAligned(size_t bytes, size_t alignment) {
  void* block = TryAllocateAligned(bytes, alignment);
  return block != nullptr ? block : AllocateAlignedSlow(bytes, alignment);
}

// Null is allowed. Ends the program on what is not a live block, now or when its magazine is
// flushed. Inlined by order: where compilers leave it to themselves, free becomes a jump to it.
[[gnu::always_inline]] inline void Free(void* p) {
  ThreadCache* cache = thread_cache;
  const uintptr_t pool = cache->window.IndexOf(p);
  if (pool >= cache->window.pool_count) [[unlikely]] {
    return FreeSlow(p);
  }
  const PoolKey offset = cache->window.KeyAt(pool) - cache->heap_key;
  if (offset >= kKeySpan || !cache->TryPush(offset, p)) [[unlikely]] {
    return FreeSlow(p);
  }
}

// Free for who knows the size asked for (C++ sized delete, free_sized). A size of another class is
// counted, and freed all the same.
inline void FreeSized(void* p, size_t bytes) {
  ThreadCache* cache = thread_cache;
  const uintptr_t pool = cache->window.IndexOf(p);
  if (pool >= cache->window.pool_count) [[unlikely]] {
    return FreeSizedSlow(p, bytes);
  }
  const PoolKey offset = cache->window.KeyAt(pool) - cache->heap_key;
  // The push goes by the size: the processor need not wait for the key, but guesses that it agrees.
  const size_t offset_by_size = SmallMagazineOffset(bytes);
  if (offset >= kKeySpan || offset != offset_by_size || !cache->TryPush(offset_by_size, p))
      [[unlikely]] {
    return FreeSizedSlow(p, bytes);
  }
}

// Zeroed. The product must not overflow.
void* AllocateZeroed(size_t bytes);
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
