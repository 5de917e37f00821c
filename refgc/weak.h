// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// weak_ref<T>: refers to an object without keeping it; lock() gives a ref while it lives. The
// object's memory goes when the object does, weak references or not.
//
// on_destroy(ref, f): calls f once when the object dies, or at the program's end (Python's
// weakref.finalize).
//
// Threads: those of the object's heap.

#ifndef REFGC_WEAK_H_
#define REFGC_WEAK_H_

#include <functional>
#include <type_traits>
#include <utility>

#include "refgc/ref.h"

namespace refgc {

namespace detail {

// One for all weak references to an object that have no callback; one for each with one.
class weak_box {
 public:
  object_header* target = nullptr;  // null once the object is gone
  uint64_t sequence = 0;            // in the order they were made
  uint32_t holders = 0;
  uint32_t holders_inside = 0;  // the collector's: how many of them lie in garbage
  bool is_finalizer = false;    // on_destroy's
  bool at_exit = false;
  weak_box* next = nullptr;  // of the same object, newest first
  std::function<void()> callback;
};

// Null for an object that is dying.
REFGC_EXPORT weak_box* weak_box_for(object_header* target);
REFGC_EXPORT weak_box* weak_box_with(object_header* target, std::function<void()> callback);
REFGC_EXPORT weak_box* finalizer_box(object_header* target, std::function<void()> callback);
REFGC_EXPORT void drop_weak_box(weak_box* box);
// Takes the callback out, so that it is called once; empty when it was.
REFGC_EXPORT std::function<void()> take_finalizer(weak_box* box);

// The weak half of ref: one pointer to a box, counted.
class weak_base {
 public:
  weak_base() noexcept = default;
  explicit weak_base(weak_box* box) noexcept : box_(box) {}
  weak_base(const weak_base& other) noexcept : box_(other.box_) {
    if (box_ != nullptr) {
      ++box_->holders;
    }
  }
  weak_base(weak_base&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  weak_base& operator=(weak_base other) noexcept {
    std::swap(box_, other.box_);
    return *this;
  }
  ~weak_base() { reset(); }

  void reset() noexcept {
    if (weak_box* box = std::exchange(box_, nullptr)) {
      drop_weak_box(box);
    }
  }
  // The object is gone, or there never was one. While objects wait for their destructors they
  // count as gone.
  bool expired() const noexcept { return target() == nullptr; }
  weak_box* box() const noexcept { return box_; }

 protected:
  object_header* target() const noexcept {
    object_header* header = box_ == nullptr ? nullptr : box_->target;
    return header == nullptr || header->count == 0 || (header->flags & kDying) != 0 ? nullptr
                                                                                    : header;
  }

 private:
  weak_box* box_ = nullptr;
};

}  // namespace detail

template <class T>
class weak_ref : public detail::weak_base {
 public:
  weak_ref() noexcept = default;
  template <class U, class = std::enable_if_t<std::is_same_v<T, U> || detail::is_upcast_v<U, T>>>
  weak_ref(const ref<U>& r)  // NOLINT(google-explicit-constructor)
      : weak_base(r ? detail::weak_box_for(detail::header_of(r.get())) : nullptr) {}
  // Also calls `callback` when the object has died, unless this reference died first or with it.
  // What it throws goes to the unraisable hook.
  weak_ref(const ref<T>& r, std::function<void()> callback)
      : weak_base(r ? detail::weak_box_with(detail::header_of(r.get()), std::move(callback))
                    : nullptr) {}
  // Of `this`, in a member function; empty in the destructor.
  explicit weak_ref(T* object) : weak_base(detail::weak_box_for(detail::header_of(object))) {}

  ref<T> lock() const noexcept {
    detail::object_header* header = target();
    if (header == nullptr) {
      return nullptr;
    }
    detail::increment(header);
    return ref<T>::adopt(static_cast<T*>(detail::object_of(header)));
  }
};

// What on_destroy gives back. Copies stand for the same call; without any the call stays planned.
class finalizer : public detail::weak_base {
 public:
  using weak_base::weak_base;
  // Not yet called, and not detached.
  bool alive() const noexcept { return box() != nullptr && box()->callback != nullptr; }
  // The object as long as alive.
  ref<void> peek() const noexcept {
    detail::object_header* header = alive() ? target() : nullptr;
    if (header == nullptr) {
      return nullptr;
    }
    detail::increment(header);
    return ref<void>::adopt(detail::object_of(header));
  }
  // The call will not happen. False when it did, or was detached before.
  bool detach() { return box() != nullptr && detail::take_finalizer(box()) != nullptr; }
  // Calls now instead. False when that, or detach, was done before.
  bool operator()() {
    auto callback = box() == nullptr ? nullptr : detail::take_finalizer(box());
    if (callback == nullptr) {
      return false;
    }
    callback();
    return true;
  }
  // Whether the call is made at the program's end if the object still lives; true at first.
  void set_atexit(bool on) {
    if (box() != nullptr) {
      box()->at_exit = on;
    }
  }
};

// Calls `f` when the object dies: before its destructor, and after its finalize(), or on a cycle
// before that, as CPython does; the newest of several first. At the program's end those left are
// called, the newest first.
template <class T>
finalizer on_destroy(const ref<T>& r, std::function<void()> f) {  // NOLINT: f is moved
  if (!r) {
    return finalizer();
  }
  return finalizer(detail::finalizer_box(detail::header_of(r.get()), std::move(f)));
}

}  // namespace refgc

#endif  // REFGC_WEAK_H_
