// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The end of a count, compiled for each type: where the object is of exactly the type that the
// reference names, and nothing unusual is known of it, its destructor is called and its block goes
// back to its magazine without a look at any table. All else is detail::release().
//
// Included by ref.h.

#ifndef REFGC_RELEASE_H_
#define REFGC_RELEASE_H_

#include <cstring>
#include <type_traits>

#include "refgc/heap.h"
#include "refgc/ref_class.h"
#include "refgc/type.h"

namespace refgc::detail {

template <class T, class = void>
struct is_complete : std::false_type {};
template <class T>
struct is_complete<T, std::void_t<decltype(sizeof(T))>> : std::true_type {};

// Not for types that put something behind their objects.
template <class T>
constexpr bool has_fixed_size_v = true;

constexpr size_t kSmallBytes = 1024;

// Where a core's cache has the magazine for a block: the core's size classes, up to kSmallBytes.
constexpr size_t small_magazine_offset(size_t block_bytes) {
  return sizeof(magazine) + (block_bytes + 7) / 8 * sizeof(magazine);
}

// The key of an address's pool in the core: its heap's key, and the offset of its class's magazine.
// 0 where the window does not cover it.
inline uint32_t pool_key_of(const heap_state& heap, const void* block) {
  const uintptr_t pool =
      (reinterpret_cast<uintptr_t>(block) - reinterpret_cast<uintptr_t>(heap.pool_keys)) >>
      side_table::kPoolShift;
  return REFGC_LIKELY(pool < heap.pool_count) ? heap.pool_keys[pool] : 0;
}

// False where the magazine is full, or holds the block.
inline bool push_small(char* cache, size_t offset, void* block) {
  auto* to = reinterpret_cast<magazine*>(cache + offset);
  void** last = to->top;
  if (REFGC_UNLIKELY(last >= to->limit || *last == block)) {
    return false;
  }
  last[1] = block;
  to->top = last + 1;
  return true;
}

template <class T>
constexpr bool has_short_release() {
  if constexpr (is_complete<T>::value && !std::is_void_v<T>) {
    return has_fixed_size_v<T> && block_bytes_of<T>() <= kSmallBytes && !is_shifted_v<T> &&
           !type_functions<T>::template has_finalize<T>::value;
  }
  return false;
}

// Gives a block back to the thread's heap. False where it is another's, or the magazine is full.
template <class T>
bool free_short(heap_state* heap, object_header* header) {
  constexpr bool is_acyclic = is_acyclic_v<T>;
  constexpr size_t offset = small_magazine_offset(block_bytes_of<T>());
  if (REFGC_UNLIKELY(heap == nullptr ||
                     pool_key_of(*heap, header) !=
                         (is_acyclic ? heap->acyclic_key : heap->tracked_key) + offset)) {
    return false;
  }
  if (REFGC_UNLIKELY(
          !push_small(is_acyclic ? heap->acyclic_cache : heap->tracked_cache, offset, header))) {
    return false;
  }
  *header = {};
  if constexpr (!is_acyclic) {
    heap->budget += heap->budget < heap->budget_max ? 1 : 0;
  }
  return true;
}

// Destructor and memory. REQUIRES: the object is exactly a T, and nothing refers to it.
template <class T>
void end_object(object_header* header) {
  if constexpr (!std::is_trivially_destructible_v<T>) {
    constexpr auto flags =
        static_cast<uint8_t>(kDying | (is_acyclic_v<T> ? kLogged | kAcyclic : 0));
    // Whatever the destructor does with references to itself changes nothing, and a collection in
    // it does not look inside: the members go one by one.
    set_header(header, kImmortalCount, 0, flags, kConstructing);
    static_cast<T*>(object_of(header))->~T();
  }
  if (REFGC_UNLIKELY(!free_short<T>(current_heap, header))) {
    free_object(header, false);
  }
}

// REQUIRES: the count is 1 or 0, or the object immortal.
template <class T>
__attribute__((noinline)) void release_as(object_header* header) {
  constexpr bool is_trivial = std::is_trivially_destructible_v<T>;
  const uint16_t type = type_id<T>.load(std::memory_order_relaxed);
  if (REFGC_UNLIKELY(header->count != 1 || header->type != type ||
                     (header->flags & (kHasWeak | kDying)) != 0)) {
    release(header);
  } else if (is_trivial) {
    end_object<T>(header);
  } else if (drain.is_active) {
    chain_up(header, type, is_acyclic_v<T> ? kChainAcyclic : 0);
  } else {
    drain.is_active = true;
    end_object<T>(header);
    if (REFGC_UNLIKELY(drain.chain != 0 || drain.has_special)) {
      drain_waiting();
    }
    drain.is_active = false;
  }
}

// One reference less.
template <class T>
void drop(void* object) {
  object_header* header = header_of(object);
  if constexpr (has_short_release<T>()) {
    const uint32_t count = header->count - 1;
    if (REFGC_UNLIKELY(count - 1 >= kImmortalCount - 2)) {  // was 1, 0 or immortal
      release_as<T>(header);
      return;
    }
    header->count = count;
    if (REFGC_UNLIKELY((header->flags & kLogged) == 0)) {
      log_candidate(header);
    }
  } else {
    decrement(header);
  }
}

}  // namespace refgc::detail

#endif  // REFGC_RELEASE_H_
