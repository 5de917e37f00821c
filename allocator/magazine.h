// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A magazine: a bounded stack of free blocks of one class, for one thread (Bonwick and Adams,
// "Magazines and Vmem", USENIX 2001).
//
// Called by the fast paths (one load and one store each way) and by the thread cache.
//
// Invariants:
//   1. bottom[0] is null, and bottom <= top <= limit: an empty magazine's top reads as null.
//   2. bottom[1]..top[0] are blocks of the class that the owning heap handed out or got back.
//   3. countdown >= 0, but inside the slow path that it leads to. Allocations since it was last set
//      are its start minus its value, exactly.
// Threads: written by its thread alone; read at any time by the books.

#ifndef ALLOCATOR_MAGAZINE_H_
#define ALLOCATOR_MAGAZINE_H_

#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"

namespace tally {

// The bottom of every magazine that has no slots yet, and its limit: both empty and full.
inline constinit void* null_slot = nullptr;

struct alignas(4 * sizeof(void*)) Magazine {
  void** top = &null_slot;
  void** limit = &null_slot;
  int64_t countdown = 0;
  void** bottom = &null_slot;

  // Null when there is no block, or the countdown ran out; PopSlow goes on from there.
  void* TryPop() {
    void* block = *top;
    if (block == nullptr || --countdown < 0) [[unlikely]] {
      return nullptr;
    }
    --top;
    return block;
  }
  // False when there is no room, or `block` was pushed just before: it is freed twice.
  bool TryPush(void* block) {
    void** last = top;
    if (last >= limit || *last == block) [[unlikely]] {
      return false;
    }
    last[1] = block;
    top = last + 1;
    return true;
  }

  // More than a magazine ever has: what is longer are ends of two different ones.
  static constexpr ptrdiff_t kSlotsMax = kMagazineSlotsMax;

  bool has_slots() const { return bottom != &null_slot; }
  size_t count() const { return static_cast<size_t>(top - bottom); }
  // For other threads: what count() was a moment ago; 0 while the slots are being replaced.
  size_t CountSeenFromOutside() const {
    void** low = __atomic_load_n(&bottom, __ATOMIC_ACQUIRE);
    void** high = __atomic_load_n(&limit, __ATOMIC_ACQUIRE);
    void** at = __atomic_load_n(&top, __ATOMIC_ACQUIRE);
    const bool is_settled = low == __atomic_load_n(&bottom, __ATOMIC_RELAXED);
    const bool is_one_piece = is_settled && at >= low && at <= high && high - low < kSlotsMax;
    return is_one_piece ? static_cast<size_t>(at - low) : 0;
  }
  // Slots, the sentinel included; 1 while there are none.
  size_t slots() const { return static_cast<size_t>(limit - bottom) + 1; }
};

static_assert(sizeof(Magazine) == 32, "an index scales to an offset by shifts");

// A thread cache is what free looks up keys by, in as much as a magazine, and then the magazines by
// class; a pool's key holds its class's offset, so that free needs no multiplication.
constexpr size_t MagazineOffset(size_t size_class) {
  return sizeof(Magazine) + size_class * sizeof(Magazine);
}

}  // namespace tally

#endif  // ALLOCATOR_MAGAZINE_H_
