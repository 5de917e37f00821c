// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// make<T>(...): a new object in the thread's heap; make_in(heap, ...): in another.
//
// Threads: the heap's. Throws std::bad_alloc, and whatever the constructor throws.

#ifndef REFGC_MAKE_H_
#define REFGC_MAKE_H_

#include <new>
#include <type_traits>
#include <utility>

#include "refgc/heap.h"
#include "refgc/ref.h"
#include "refgc/type.h"

namespace refgc {

namespace detail {

inline void* pop_small(char* cache, size_t offset) {
  auto* from = reinterpret_cast<magazine*>(cache + offset);
  void* block = *from->top;
  if (REFGC_UNLIKELY(block == nullptr || --from->countdown < 0)) {
    return nullptr;
  }
  --from->top;
  return block;
}

// A block's header; the object lies behind it.
template <class T>
object_header* allocate_for(heap_state* heap) {
  constexpr size_t bytes = block_bytes_of<T>();
  constexpr bool is_acyclic = is_acyclic_v<T>;
  static_assert(alignof(T) <= 16, "refgc aligns to 16 bytes at most");
  static_assert(sizeof(T) <= 8 * 1024 * 1024 - 4096, "an object has at most 8 MiB");
  void* block = nullptr;
  if constexpr (is_large_v<T>) {
    return static_cast<object_header*>(allocate_large(heap, bytes + 24));
  } else {
    if constexpr (bytes <= kSmallBytes) {
      block = pop_small(is_acyclic ? heap->acyclic_cache : heap->tracked_cache,
                        small_magazine_offset(bytes));
    }
    if (REFGC_UNLIKELY(block == nullptr)) {
      block = allocate_slow(heap, is_acyclic, bytes);
    }
  }
  auto* header = static_cast<object_header*>(block);
  if constexpr (is_shifted_v<T>) {
    *header = {0, 0, 0, kShiftedHeader};
    ++header;
  }
  return header;
}

template <class T, class... Args>
ref<T> make_in_state(heap_state* heap, Args&&... args) {
  const uint16_t type = type_id_of<T>();
  object_header* header = allocate_for<T>(heap);
  constexpr bool is_acyclic = is_acyclic_v<T>;
  constexpr auto flags =
      static_cast<uint8_t>((is_acyclic ? kLogged | kAcyclic : 0) | (is_large_v<T> ? kLarge : 0));
  // Until the constructor returns the collector does not look inside: what its members hold counts
  // as held from outside.
  constexpr bool is_exposed = !is_acyclic && !std::is_trivially_constructible_v<T, Args...>;
  set_header(header, 1, heap->stamp, flags, is_exposed ? kConstructing : type);
  T* object = static_cast<T*>(object_of(header));
  if constexpr (std::is_nothrow_constructible_v<T, Args...>) {
    construct(object, std::forward<Args>(args)...);
  } else {
    try {
      construct(object, std::forward<Args>(args)...);
    } catch (...) {
      abandon_block(header, is_shifted_v<T>);
      throw;
    }
  }
  if constexpr (is_exposed) {
    header->type = type;
  }
  ref<T> result = ref<T>::adopt(object);
  if constexpr (!is_acyclic) {
    if (REFGC_UNLIKELY(--heap->budget < 0)) {
      budget_is_spent(heap);
    }
  }
  return result;
}

}  // namespace detail

template <class T, class... Args>
ref<T> make(Args&&... args) {
  return detail::make_in_state<T>(detail::this_heap(), std::forward<Args>(args)...);
}

template <class T, class... Args>
ref<T> make_in(const heap& where, Args&&... args) {
  return detail::make_in_state<T>(where.state(), std::forward<Args>(args)...);
}

}  // namespace refgc

#endif  // REFGC_MAKE_H_
