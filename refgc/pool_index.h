// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The side table of one collection: which runs of pools are looked at, and a number for each of
// their blocks.
//
// Invariants:
//   1. Slot 0 belongs to no block and is kOutside.
//   2. Runs have their slots in the order in which they were added.
// Threads: the collector's.

#ifndef REFGC_POOL_INDEX_H_
#define REFGC_POOL_INDEX_H_

#include <vector>

#include "refgc/state.h"

namespace refgc::detail {

class pool_index {
 public:
  struct run {
    char* first_block;
    uint32_t block_bytes;
    uint32_t first_slot;
    uint32_t end_slot;
    uint32_t pools;

    char* block_at(uint32_t slot) const {
      return first_block + size_t{slot - first_slot} * block_bytes;
    }
  };

  explicit pool_index(heap_impl& heap) : heap_(heap) {}
  ~pool_index();
  pool_index(const pool_index&) = delete;
  pool_index& operator=(const pool_index&) = delete;

  // Forgets all runs; keeps a little memory for the next collection.
  void clear();
  // Adds all that the heap tracks; `value` for each block.
  void add_all(int32_t value);
  // Adds the run of a tracked object of this heap, if it is not there. Returns its slot.
  uint32_t add(const object_header* header, int32_t value);

  side_table& side() { return side_; }
  const std::vector<run>& runs() const { return runs_; }
  int32_t& refs(const object_header* header) { return side_.refs_of(header + 1); }

  // From here on side_table::reach() grows this index's stack.
  void use_stack();
  // Objects that wait to be looked into; see side_table::reach().
  void drain_stack();
  std::vector<void*> take_stack();
  bool is_stack_long() const { return side_.stack_top - stack_.data() > kStackLong; }
  // Where memory ran out something was not put on the stack.
  bool take_overflow() { return std::exchange(is_overflown_, false); }

 private:
  friend class side_table;
  static constexpr ptrdiff_t kStackLong = 4096;
  static constexpr size_t kKeptSlots = 64 * 1024;

  void add_run(char* first_block, uint32_t block_bytes, uint32_t blocks, uint32_t pools,
               int32_t value);
  pool_entry* entries_of(uintptr_t region);
  void push_slow(void* target);

  heap_impl& heap_;
  side_table side_;
  std::vector<int32_t> refs_;
  std::vector<run> runs_;
  std::vector<pool_entry*> regions_;
  std::vector<void*> stack_;
  bool is_overflown_ = false;
};

}  // namespace refgc::detail

#endif  // REFGC_POOL_INDEX_H_
