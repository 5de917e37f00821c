// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What free asks of a block's pool, in one word apart from the descriptor: which heap owns it, and
// where a thread cache has the magazine of its class.
//
// Called by free, by heaps (which write the keys of their pools) and by thread caches.
//
//   key = heap index + 1, 19 bits | offset of the class's magazine from the cache, 13 bits
//
// key_table.h says where they lie. Sixteen keys share a cache line, where descriptors have one
// each: frees all over a large heap find them in the cache. And the owner's thread writes
// descriptors, at refills and flushes, but keys only when it takes or retires a run: other threads'
// frees do not wait for its lines.
//
// Invariants:
//   1. A pool's key is that of its heap and class while it is part of a run of blocks, else kNoKey.
//   2. Heaps' keys are kKeySpan apart, and every magazine's offset is below that: the difference
//      from a heap's own key is an offset exactly for the heap's own pools.
// Threads: written by whoever takes or retires the run. Read by any free, relaxed: a thread that
// holds a block of the pool got it after its key was written.

#ifndef ALLOCATOR_POOL_KEY_H_
#define ALLOCATOR_POOL_KEY_H_

#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"
#include "allocator/key_table.h"
#include "allocator/magazine.h"
#include "allocator/size_class.h"

namespace tally {

inline constexpr size_t kKeySpan = size_t{1} << 13;
// Of a heap that owns no pool: no key differs from it by an offset.
inline constexpr PoolKey kNobodysKey = PoolKey{1} << 31;

static_assert(MagazineOffset(kClassCount) <= kKeySpan, "every offset is below the span");
static_assert((kHeapsMax + 1) * kKeySpan <= kNobodysKey, "every heap has a key of its own");

constexpr PoolKey KeyOfHeap(uint32_t heap_index) {
  return static_cast<PoolKey>((heap_index + 1) * kKeySpan);
}
constexpr PoolKey KeyOf(uint32_t heap_index, SizeClass size_class) {
  return KeyOfHeap(heap_index) + static_cast<PoolKey>(MagazineOffset(size_class));
}
// REQUIRES, for both: the key is not kNoKey.
constexpr uint32_t HeapIndexOf(PoolKey key) { return key / kKeySpan - 1; }
constexpr SizeClass ClassOf(PoolKey key) {
  return static_cast<SizeClass>((key % kKeySpan - MagazineOffset(0)) / sizeof(Magazine));
}

}  // namespace tally

#endif  // ALLOCATOR_POOL_KEY_H_
