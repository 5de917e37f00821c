// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// From a C++ type to what the library knows of it: its name, how to destroy and finalise it, and
// the collector's inner loops compiled for it.

#ifndef REFGC_TYPE_H_
#define REFGC_TYPE_H_

#include <atomic>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "refgc/side_table.h"
#include "refgc/trace.h"

namespace refgc::detail {

// Visits for all purposes that are not worth a loop per type.
class REFGC_EXPORT visitor {
 public:
  // `slot` holds the address of an object, or of a part of one; it may be set to null.
  virtual void on_edge(const char* name, void*& slot, bool is_part) = 0;
  virtual void on_weak(const char* name, weak_box* box);
  // Where a member lies that trace names, before what is in it; only if wants_members.
  virtual void on_member(const char* name, const void* place, size_t bytes);

  template <class M>
  void operator()(const char* name, M& m) {
    if (REFGC_UNLIKELY(wants_members)) {
      on_member(name, std::addressof(m), sizeof(m));
    }
    visit_member(*this, name, m);
  }
  void edge(const char* name, void*& slot, bool is_part) {
    if (slot != nullptr) {
      on_edge(name, slot, is_part);
    }
  }
  void weak(const char* name, weak_box* box) {
    if (box != nullptr) {
      on_weak(name, box);
    }
  }

 protected:
  ~visitor() = default;
  bool wants_members = false;
};

// Lets code behind a virtual call visit for any visitor.
template <class V>
class forwarding_visitor final : public visitor {
 public:
  explicit forwarding_visitor(V& v) : v_(v) {}
  void on_edge(const char* name, void*& slot, bool is_part) override {
    v_.edge(name, slot, is_part);
  }
  void on_weak(const char* name, weak_box* box) override { v_.weak(name, box); }

 private:
  V& v_;
};

// Tells the side table of each reference.
template <void (side_table::*tell)(void*& slot, bool is_part)>
struct side_visitor {
  side_table& side;
  template <class M>
  void operator()(const char* name, M& m) {
    visit_member(*this, name, m);
  }
  void edge(const char*, void*& slot, bool is_part) {
    if (slot != nullptr) {
      (side.*tell)(slot, is_part);
    }
  }
  void weak(const char*, weak_box*) {}
};
using subtract_visitor = side_visitor<&side_table::subtract>;
using mark_visitor = side_visitor<&side_table::reach>;
using close_visitor = side_visitor<&side_table::close>;
using clear_visitor = side_visitor<&side_table::clear>;

constexpr size_t kClassBytesMax = 32 * 1024;

// A block has the header, and before it one more word where the object wants 16-byte alignment.
// Large blocks are aligned as it is.
template <class T>
constexpr size_t block_bytes_of() {
  return alignof(T) > 8 ? (sizeof(T) + 16 + 15) / 16 * 16 : sizeof(T) + sizeof(object_header);
}
template <class T>
constexpr bool is_large_v = block_bytes_of<T>() > kClassBytesMax;
template <class T>
constexpr bool is_shifted_v = alignof(T) > 8 && !is_large_v<T>;

template <class T>
struct type_functions {
  static void destroy(void* object) { static_cast<T*>(object)->~T(); }
  template <class U>
  static auto finalize_of(U* object) -> decltype(object->finalize(), void()) {
    object->finalize();
  }
  template <class U, class = void>
  struct has_finalize : std::false_type {};
  template <class U>
  struct has_finalize<U, std::void_t<decltype(std::declval<U&>().finalize())>> : std::true_type {};
  static void finalize(void* object) {
    if constexpr (has_finalize<T>::value) {
      static_cast<T*>(object)->finalize();
    }
  }
  static void trace(void* object, visitor& v) { visit_member(v, "", *static_cast<T*>(object)); }

  static object_header* header_at(char* block) {
    return reinterpret_cast<object_header*>(block) + (is_shifted_v<T> ? 1 : 0);
  }
  static bool is_mine(char* block, uint16_t type) {
    if (is_shifted_v<T> && reinterpret_cast<object_header*>(block)->type != kShiftedHeader) {
      return false;
    }
    return header_at(block)->type == type;
  }
  // These loops go over a run's blocks while those in question hold objects of this type, and
  // return the slot of the first that does not.
  static uint32_t subtract_run(side_table& side, char* block, size_t stride, uint32_t slot,
                               uint32_t end, uint16_t type) {
    subtract_visitor v{side};
    for (; slot < end; ++slot, block += stride) {
      if (is_mine(block, type)) {
        object_header* header = header_at(block);
        side.refs[slot] += side_table::clamp(header->count);
        visit_member(v, "", *static_cast<T*>(object_of(header)));
      } else if (reinterpret_cast<object_header*>(block)->type != kNoType) {
        break;
      }
    }
    return slot;
  }
  static uint32_t mark_run(side_table& side, char* block, size_t stride, uint32_t slot,
                           uint32_t end, uint16_t type) {
    mark_visitor v{side};
    for (; slot < end; ++slot, block += stride) {
      if (side.refs[slot] > 0) {
        if (!is_mine(block, type)) {
          break;
        }
        side.cursor = slot;
        visit_member(v, "", *static_cast<T*>(object_of(header_at(block))));
      }
    }
    return slot;
  }
  // Garbage: its references are nulled, and then it is destroyed.
  static uint32_t clear_run(side_table& side, char* block, size_t stride, uint32_t slot,
                            uint32_t end, uint16_t type) {
    clear_visitor v{side};
    for (; slot < end; ++slot, block += stride) {
      if (side.refs[slot] == side_table::kGarbage) {
        if (!is_mine(block, type)) {
          break;
        }
        object_header* header = header_at(block);
        header->flags |= kDying;
        visit_member(v, "", *static_cast<T*>(object_of(header)));
      }
    }
    return slot;
  }
  static uint32_t destroy_run(side_table& side, char* block, size_t stride, uint32_t slot,
                              uint32_t end, uint16_t type) {
    for (; slot < end; ++slot, block += stride) {
      if (side.refs[slot] == side_table::kGarbage) {
        if (!is_mine(block, type)) {
          break;
        }
        object_header* header = header_at(block);
        header->count = kImmortalCount;  // whatever its destructor does with references to it
        static_cast<T*>(object_of(header))->~T();
      }
    }
    return slot;
  }
  template <class Visitor>
  static void visit_one(side_table& side, void* object) {
    Visitor v{side};
    visit_member(v, "", *static_cast<T*>(object));
  }
};

// "refgc::detail::type_name() [with T = X]" holds X.
template <class T>
const char* type_name() {
  return __PRETTY_FUNCTION__;
}

template <class T, class = void>
struct says_uncollectable : std::false_type {};
template <class T>
struct says_uncollectable<T, std::enable_if_t<T::refgc_uncollectable>> : std::true_type {};

// See release.h.
template <class T>
constexpr bool has_short_release();
template <class T>
void end_object(object_header* header);

// Whether the destructor drops no reference and runs no code of others.
template <class T>
constexpr bool is_leaf_v = std::is_trivially_destructible_v<T>;

template <class T>
uint16_t register_type_of() {
  using functions = type_functions<T>;
  constexpr bool is_acyclic = is_acyclic_v<T>;
  type_info info{};
  info.bytes = sizeof(type_info);
  info.name = type_name<T>();
  info.object_bytes = sizeof(T);
  info.is_acyclic = is_acyclic;
  info.is_shifted = is_shifted_v<T>;
  info.is_trivial = std::is_trivially_destructible_v<T>;
  info.is_uncollectable = says_uncollectable<T>::value;
  info.is_leaf = is_leaf_v<T> && !functions::template has_finalize<T>::value;
  info.destroy = functions::destroy;
  info.trace = functions::trace;
  if constexpr (functions::template has_finalize<T>::value) {
    info.finalize = functions::finalize;
  }
  if constexpr (!is_acyclic) {
    info.subtract_run = functions::subtract_run;
    info.mark_run = functions::mark_run;
    info.clear_run = functions::clear_run;
    info.destroy_run = functions::destroy_run;
    info.mark_one = functions::template visit_one<mark_visitor>;
    info.close_one = functions::template visit_one<close_visitor>;
    info.clear_one = functions::template visit_one<clear_visitor>;
  }
  if constexpr (has_short_release<T>()) {
    info.end = end_object<T>;
  }
  return register_type(info);
}

// Threads that make the first objects of a type at the same time register it each, and are told the
// same number.
template <class T>
inline std::atomic<uint16_t> type_id{kNoType};

template <class T>
uint16_t type_id_of() {
  uint16_t id = type_id<T>.load(std::memory_order_acquire);
  if (REFGC_UNLIKELY(id == kNoType)) {
    id = register_type_of<T>();
    type_id<T>.store(id, std::memory_order_release);
  }
  return id;
}

// With parentheses where the type has a constructor for it, with braces for aggregates.
template <class T, class... Args>
T* construct(T* place, Args&&... args) {
  if constexpr (std::is_constructible_v<T, Args...>) {
    return ::new (static_cast<void*>(place)) T(std::forward<Args>(args)...);
  } else {
    return ::new (static_cast<void*>(place)) T{std::forward<Args>(args)...};
  }
}

}  // namespace refgc::detail

#endif  // REFGC_TYPE_H_
