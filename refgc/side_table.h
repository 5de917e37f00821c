// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What a collection knows of each object, beside the objects: one number for each block of the
// pools it looks at. Seen by the inner loops that are compiled with each type; everything else is
// in the library.
//
// A number is the object's count less the references found inside the set (CPython's gc_refs);
// above zero it is held from outside, or was reached. kOutside marks what is not in the set:
// references to it lead nowhere. Slot 0 is outside for all addresses that no pool of the set holds.
//
// Threads: one thread collects a heap; the table is its heap's.

#ifndef REFGC_SIDE_TABLE_H_
#define REFGC_SIDE_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "refgc/object.h"

namespace refgc::detail {

// How to find a block's slot from an address in a pool: no division.
struct pool_entry {
  uint32_t first_slot;  // of the run of pools; 0 where it is not looked at
  uint32_t reciprocal;  // 2^32 / (block bytes / 8), rounded up
  int32_t inner_words;  // from the first block of the run to this pool; may be less than 0
  uint32_t state;       // the library's
};

class side_table {
 public:
  static constexpr int32_t kOutside = 1 << 30;
  static constexpr int32_t kReached = 1 << 29;
  static constexpr uint32_t kCountMax = 1 << 28;
  // Garbage, once found, has this number, and more for references from outside.
  static constexpr int32_t kGarbage = -(1 << 30);
  static bool is_garbage(int32_t refs) { return refs < kGarbage / 2; }
  static constexpr size_t kRegionShift = 24;
  static constexpr size_t kPoolShift = 12;
  static constexpr size_t kPoolsPerRegion = 4096;

  static int32_t clamp(uint32_t count) {
    return static_cast<int32_t>(count < kCountMax ? count : kCountMax);
  }

  const pool_entry& entry_of(uintptr_t address) const {
    const size_t region = (address >> kRegionShift) - region_first;
    const pool_entry* entries = region < region_count ? regions[region] : no_entries;
    return entries[address >> kPoolShift & (kPoolsPerRegion - 1)];
  }
  uint32_t slot_of(const void* object) const {
    const uintptr_t address = reinterpret_cast<uintptr_t>(object) - sizeof(object_header);
    const pool_entry& entry = entry_of(address);
    const auto words =
        static_cast<uint64_t>(static_cast<int64_t>((address & 4095) / 8) + entry.inner_words);
    return entry.first_slot + static_cast<uint32_t>(words * entry.reciprocal >> 32);
  }
  int32_t& refs_of(const void* object) { return refs[slot_of(object)]; }

  // A reference inside the set.
  void subtract(void*& target, bool /*is_part*/) { --refs[slot_of(target)]; }
  // A reference inside a set that is still growing: what it leads to joins the set, unless it is
  // in.
  void close(void*& target, bool is_part) {
    int32_t& number = refs[slot_of(target)];
    if (REFGC_LIKELY(number < kReached)) {
      --number;
    } else {
      close_slow(target, is_part);
    }
  }
  // A reference from what is reached. What lies behind the cursor waits on the stack; what lies
  // before it the pass will come to.
  void reach(void*& target, bool is_part) {
    const uint32_t slot = slot_of(target);
    if (refs[slot] > 0) {
      return;
    }
    refs[slot] = kReached;
    if (slot < cursor) {
      push(target, is_part);
    }
  }

  // A reference out of garbage, taken out of its slot: to the outside, it waits to be dropped.
  void clear(void*& slot, bool is_part) {
    void* target = slot;
    slot = nullptr;
    if (!is_garbage(refs[slot_of(target)])) {
      push(target, is_part);
    }
  }

  int32_t* refs = nullptr;
  uint32_t cursor = 0;
  uintptr_t region_first = 0;
  size_t region_count = 0;
  pool_entry** regions = nullptr;
  const pool_entry* no_entries = nullptr;  // all zero

  void** stack_top = nullptr;
  void** stack_limit = nullptr;

 private:
  void push(void* target, bool is_part) {
    if (REFGC_LIKELY(!is_part && stack_top != stack_limit)) {
      __builtin_prefetch(target);
      *stack_top++ = target;
    } else {
      push_slow(target);
    }
  }
  REFGC_EXPORT void push_slow(void* target);
  REFGC_EXPORT void close_slow(void* target, bool is_part);
};

}  // namespace refgc::detail

#endif  // REFGC_SIDE_TABLE_H_
