// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// shared_ref<T>: a counted reference that threads may share; atomic counts, one pointer wide. For
// types that hold no ref: nobody looks for cycles here.
//
// Threads: as shared_ptr: different shared_refs to one object from any thread.

#ifndef REFGC_SHARED_REF_H_
#define REFGC_SHARED_REF_H_

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "refgc/trace.h"

namespace refgc {

template <class T>
class shared_ref {
 public:
  using element_type = T;

  constexpr shared_ref() noexcept = default;
  constexpr shared_ref(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  shared_ref(const shared_ref& other) noexcept : box_(other.box_) {
    if (box_ != nullptr) {
      box_->count.fetch_add(1, std::memory_order_relaxed);
    }
  }
  shared_ref(shared_ref&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  ~shared_ref() {
    // Release pairs with acquire: the last one sees what all others did to the object.
    if (box_ != nullptr && box_->count.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete box_;
    }
  }
  shared_ref& operator=(shared_ref other) noexcept {
    std::swap(box_, other.box_);
    return *this;
  }

  T* get() const noexcept { return box_ == nullptr ? nullptr : &box_->value; }
  T* operator->() const noexcept { return get(); }
  T& operator*() const noexcept { return *get(); }
  explicit operator bool() const noexcept { return box_ != nullptr; }
  uint64_t use_count() const noexcept {
    return box_ == nullptr ? 0 : box_->count.load(std::memory_order_relaxed);
  }
  friend bool operator==(const shared_ref& a, const shared_ref& b) noexcept {
    return a.box_ == b.box_;
  }
  friend bool operator!=(const shared_ref& a, const shared_ref& b) noexcept { return !(a == b); }

  template <class... Args>
  static shared_ref make(Args&&... args) {
    static_assert(std::is_same_v<typename detail::trace_traits<T>::elements, detail::type_list<>>,
                  "a shared_ref's object must hold no ref: its threads cannot collect together");
    shared_ref result;
    result.box_ = new box{{1}, T(std::forward<Args>(args)...)};
    return result;
  }

 private:
  // 64 bits do not overflow.
  struct box {
    std::atomic<uint64_t> count;
    T value;
  };
  box* box_ = nullptr;
};

template <class T, class... Args>
shared_ref<T> make_shared_ref(Args&&... args) {
  return shared_ref<T>::make(std::forward<Args>(args)...);
}

}  // namespace refgc

#endif  // REFGC_SHARED_REF_H_
