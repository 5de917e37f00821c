// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A heap: the pools that objects of one thread live in, and the collector's unit.
//
// Every thread has one of its own from its first make() on; it is collected when the thread ends.
// More can be opened, entered for a while, and handed to another thread when nobody uses them.
// References from one heap into another keep alive, but cycles through two heaps are not found.
//
// Threads: a heap, its objects and all references to them belong to one thread at a time.

#ifndef REFGC_HEAP_H_
#define REFGC_HEAP_H_

#include <cstddef>
#include <cstdint>

#include "refgc/object.h"

namespace refgc {

namespace detail {

// A magazine of Tally's core, as the fast path sees it: a stack of free blocks, null at the bottom.
struct magazine {
  void** top;
  void** limit;
  int64_t countdown;
  void** bottom;
};

// The part of a heap that make() reads.
struct heap_state {
  char* tracked_cache;   // magazines of blocks for objects that may be in cycles
  char* acyclic_cache;   // and for others
  uint32_t tracked_key;  // of the caches' heaps in the core: what a pool's key is counted from
  uint32_t acyclic_key;
  const uint32_t* pool_keys;  // the core's table of keys, where its window begins
  uintptr_t pool_count;
  // Tracked objects that may be made before the next automatic collection.
  int64_t budget;
  int64_t budget_max;
  uint8_t stamp;  // of what is made now
};

// The calling thread's heap in use; null before the first.
REFGC_EXPORT extern __thread heap_state* current_heap __attribute__((tls_model("initial-exec")));

REFGC_EXPORT heap_state* open_thread_heap();
REFGC_EXPORT void* allocate_slow(heap_state* heap, bool is_acyclic, size_t block_bytes);
REFGC_EXPORT void* allocate_large(heap_state* heap, size_t block_bytes);
REFGC_EXPORT void abandon_block(object_header* header, bool is_shifted);  // the constructor threw
REFGC_EXPORT void budget_is_spent(heap_state* heap);

inline heap_state* this_heap() {
  heap_state* heap = current_heap;
  return REFGC_LIKELY(heap != nullptr) ? heap : open_thread_heap();
}

}  // namespace detail

class heap {
 public:
  // Throws std::bad_alloc.
  REFGC_EXPORT heap();
  // Collects it. Objects that are still held live on, until their last reference goes.
  REFGC_EXPORT ~heap();
  heap(heap&& other) noexcept : state_(other.state_) { other.state_ = nullptr; }
  heap& operator=(heap&&) = delete;

  detail::heap_state* state() const noexcept { return state_; }

  // Makes a heap the calling thread's current one, for as long as this lives.
  class enter {
   public:
    explicit enter(const heap& h) noexcept : before_(detail::current_heap) {
      detail::current_heap = h.state_;
    }
    ~enter() { detail::current_heap = before_; }
    enter(const enter&) = delete;
    enter& operator=(const enter&) = delete;

   private:
    detail::heap_state* before_;
  };

 private:
  detail::heap_state* state_;
};

}  // namespace refgc

#endif  // REFGC_HEAP_H_
