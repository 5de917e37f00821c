// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The classes ref and alias_ref; ref.h has the contract, and what ends a count.

#ifndef REFGC_REF_CLASS_H_
#define REFGC_REF_CLASS_H_

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "refgc/object.h"

// A ref in a register. g++ passes one in memory, so no function of the library takes or returns one
// by value: either compiler's programs use either's library.
#if defined(__clang__)
#define REFGC_TRIVIAL_ABI __attribute__((trivial_abi))
#else
#define REFGC_TRIVIAL_ABI
#endif

namespace refgc {

template <class T>
class alias_ref;

namespace detail {

// The object that an address inside it belongs to. O(1). Ends the program on any other address.
REFGC_EXPORT void* whole_object(const void* part);
template <class T>
void drop(void* object);
[[noreturn]] REFGC_EXPORT void fatal_upcast(const char* to);
struct nothing;  // in place of void where a type is wanted that can be referred to

// A base at the same address: known to the optimiser, though no constant expression.
template <class B, class T>
inline bool is_first_base() {
  auto* probe = reinterpret_cast<T*>(uintptr_t{4096});
  return reinterpret_cast<uintptr_t>(static_cast<B*>(probe)) == 4096;
}

template <class From, class To>
constexpr bool is_upcast_v =
    !std::is_same_v<From, To> && (std::is_void_v<To> || std::is_convertible_v<From*, To*>);

// What the collector visits: the slot of a reference.
struct slot_access;

}  // namespace detail

template <class T>
class REFGC_TRIVIAL_ABI ref {
 public:
  using element_type = T;

  constexpr ref() noexcept = default;
  constexpr ref(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  ref(const ref& other) noexcept : object_(other.object_) { retain(); }
  ref(ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  // An upcast. The base must be the first one; for another, take an alias_ref.
  template <class U, class = std::enable_if_t<detail::is_upcast_v<U, T>>>
  ref(const ref<U>& other) noexcept : ref(ref<U>(other)) {}  // NOLINT(google-explicit-constructor)
  template <class U, class = std::enable_if_t<detail::is_upcast_v<U, T>>>
  ref(ref<U>&& other) noexcept  // NOLINT(google-explicit-constructor)
      : object_(std::exchange(other.object_, nullptr)) {
    if constexpr (!std::is_void_v<T>) {
      if (!detail::is_first_base<T, U>()) {
        detail::fatal_upcast("ref");
      }
    }
  }
  ~ref() {
    if (object_ != nullptr) {
      detail::drop<std::remove_const_t<T>>(object_);
    }
  }

  ref& operator=(const ref& other) noexcept {  // NOLINT(bugprone-unhandled-self-assignment)
    ref(other).swap(*this);
    return *this;
  }
  ref& operator=(ref&& other) noexcept {
    ref(std::move(other)).swap(*this);
    return *this;
  }
  ref& operator=(std::nullptr_t) noexcept {
    reset();
    return *this;
  }

  void reset() noexcept { ref().swap(*this); }
  void swap(ref& other) noexcept { std::swap(object_, other.object_); }

  T* get() const noexcept { return static_cast<T*>(object_); }
  T* operator->() const noexcept { return get(); }
  template <class U = T>
  std::enable_if_t<!std::is_void_v<U>, U&> operator*() const noexcept {
    return *static_cast<U*>(object_);
  }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  // Borrows: a function that takes T& takes a ref.
  using referred = std::conditional_t<std::is_void_v<T>, detail::nothing, T>;
  operator referred&() const noexcept {  // NOLINT(google-explicit-constructor)
    return *static_cast<referred*>(object_);
  }

  // References to the object, this one included; 0 for null, 0xffffffff for an immortal.
  uint32_t use_count() const noexcept {
    return object_ == nullptr ? 0 : detail::header_of(object_)->count;
  }

  // Takes over a count that is already there.
  static ref adopt(T* object) noexcept {
    ref result;
    result.object_ = const_cast<std::remove_const_t<T>*>(object);
    return result;
  }
  // Gives the count away: whoever takes the pointer owes an adopt().
  T* release() noexcept { return static_cast<T*>(std::exchange(object_, nullptr)); }

 private:
  template <class U>
  friend class ref;
  friend struct detail::slot_access;

  void retain() const noexcept {
    if (object_ != nullptr) {
      detail::increment(detail::header_of(object_));
    }
  }

  void* object_ = nullptr;
};

// One more reference to an object that has one. REQUIRES: refgc made *object, and it is not a part.
template <class T>
ref<T> ref_from_this(T* object) noexcept {
  detail::increment(detail::header_of(object));
  return ref<T>::adopt(object);
}

// Makes the count saturate: the object lives as long as the process.
template <class T>
void make_immortal(const ref<T>& r) noexcept {
  if (r) {
    detail::header_of(r.get())->count = detail::kImmortalCount;
  }
}

namespace detail {
template <class From, class To>
ref<To> ref_to_cast(const ref<From>& r, To* to) noexcept {
  if (to == nullptr) {
    return nullptr;
  }
  if (static_cast<const void*>(to) != static_cast<const void*>(r.get())) {
    fatal_upcast("cast");
  }
  return ref_from_this(to);
}
}  // namespace detail

// To a class at the same address.
template <class To, class From>
ref<To> static_ref_cast(const ref<From>& r) noexcept {
  return detail::ref_to_cast(r, static_cast<To*>(r.get()));
}
template <class To, class From>
ref<To> dynamic_ref_cast(const ref<From>& r) noexcept {
  return detail::ref_to_cast(r, r ? dynamic_cast<To*>(r.get()) : nullptr);
}

template <class M>
class alias_ref {
 public:
  constexpr alias_ref() noexcept = default;
  constexpr alias_ref(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  template <class T, class U>
  alias_ref(const ref<T>& owner, M U::*member) noexcept
      : part_(owner ? &(owner.get()->*member) : nullptr) {
    retain();
  }
  template <class T, class = std::enable_if_t<std::is_convertible_v<T*, M*>>>
  alias_ref(const ref<T>& owner) noexcept  // NOLINT(google-explicit-constructor)
      : part_(static_cast<M*>(owner.get())) {
    retain();
  }
  alias_ref(const alias_ref& other) noexcept : part_(other.part_) { retain(); }
  alias_ref(alias_ref&& other) noexcept : part_(std::exchange(other.part_, nullptr)) {}
  ~alias_ref() {
    if (part_ != nullptr) {
      detail::decrement(detail::header_of(detail::whole_object(part_)));
    }
  }
  alias_ref& operator=(alias_ref other) noexcept {
    std::swap(part_, other.part_);
    return *this;
  }

  M* get() const noexcept { return static_cast<M*>(part_); }
  M* operator->() const noexcept { return get(); }
  M& operator*() const noexcept { return *get(); }
  explicit operator bool() const noexcept { return part_ != nullptr; }
  uint32_t use_count() const noexcept {
    return part_ == nullptr ? 0 : detail::header_of(detail::whole_object(part_))->count;
  }

 private:
  friend struct detail::slot_access;

  void retain() const noexcept {
    if (part_ != nullptr) {
      detail::increment(detail::header_of(detail::whole_object(part_)));
    }
  }

  void* part_ = nullptr;
};

namespace detail {
struct slot_access {
  template <class T>
  static void*& of(ref<T>& r) {
    return r.object_;
  }
  template <class M>
  static void*& of(alias_ref<M>& r) {
    return r.part_;
  }
};
}  // namespace detail

template <class T, class U>
bool operator==(const ref<T>& a, const ref<U>& b) noexcept {
  return static_cast<const void*>(a.get()) == static_cast<const void*>(b.get());
}
template <class T, class U>
bool operator!=(const ref<T>& a, const ref<U>& b) noexcept {
  return !(a == b);
}
template <class T, class U>
bool operator<(const ref<T>& a, const ref<U>& b) noexcept {
  return std::less<const void*>()(a.get(), b.get());
}
template <class T>
bool operator==(const ref<T>& a, std::nullptr_t) noexcept {
  return !a;
}
template <class T>
bool operator!=(const ref<T>& a, std::nullptr_t) noexcept {
  return static_cast<bool>(a);
}
template <class T>
void swap(ref<T>& a, ref<T>& b) noexcept {
  a.swap(b);
}

}  // namespace refgc

template <class T>
struct std::hash<refgc::ref<T>> {
  size_t operator()(const refgc::ref<T>& r) const noexcept {
    return std::hash<const void*>()(r.get());
  }
};

#endif  // REFGC_REF_CLASS_H_
