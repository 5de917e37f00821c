// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A careful reader of this process's memory, for addresses that may be none: which of them may be
// blocks of some allocator, and how long these probably are. Reads through the kernel, so what was
// unmapped meanwhile is seen as nothing.
//
// Threads: one reader has one user.

#ifndef REFGC_MEMORY_VIEW_H_
#define REFGC_MEMORY_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "refgc/state.h"

namespace refgc::detail {

class memory_view {
 public:
  explicit memory_view(const heap_impl& heap);

  // In writable memory that belongs to no file and is not the main thread's stack.
  bool may_be_block(uintptr_t address) const;
  // Bytes from `address` to the end of its block, as Tally's pools or glibc's chunk header tell; 0
  // where neither does.
  size_t bytes_behind(uintptr_t address) const;
  // How far to look where that is not known, so that nothing of a neighbour is seen: one word into
  // what must be the middle of a block, else as far as the smallest block goes.
  size_t bytes_if_unknown() const { return has_chunk_headers_ ? sizeof(void*) : 3 * sizeof(void*); }
  // As many words as can be read from there.
  std::vector<uintptr_t> read(uintptr_t address, size_t words) const;

 private:
  struct range {
    uintptr_t start;
    uintptr_t end;
  };
  bool is_in_region(uintptr_t address, size_t* bytes) const;
  size_t bytes_of_chunk(uintptr_t address) const;

  const heap_impl& heap_;
  bool has_chunk_headers_ = false;  // malloc is glibc's
  std::vector<range> ranges_;       // in order
};

}  // namespace refgc::detail

#endif  // REFGC_MEMORY_VIEW_H_
