// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// refgc::integer: an immutable integer as an object. Those from -5 to 256 exist once and are
// immortal, as in CPython; all threads share them.

#ifndef REFGC_INTEGER_H_
#define REFGC_INTEGER_H_

#include <cstdint>

#include "refgc/make.h"

namespace refgc {

class integer;
namespace detail {
REFGC_EXPORT integer* new_integer(int64_t value);  // with a count for the caller
}  // namespace detail

class integer final {
 public:
  static constexpr bool refgc_acyclic = true;
  static constexpr int64_t kSmallMin = -5;
  static constexpr int64_t kSmallMax = 256;

  // Throws std::bad_alloc.
  static ref<integer> make(int64_t value) {
    return ref<integer>::adopt(detail::new_integer(value));
  }

  int64_t value() const noexcept { return value_; }
  operator int64_t() const noexcept { return value_; }  // NOLINT(google-explicit-constructor)

  explicit integer(int64_t value) : value_(value) {}

 private:
  const int64_t value_;
};

inline ref<integer> make_integer(int64_t value) { return integer::make(value); }

inline bool operator==(const ref<integer>& a, const ref<integer>& b) noexcept {
  return a.get() == b.get() || (a && b && a->value() == b->value());
}
inline bool operator!=(const ref<integer>& a, const ref<integer>& b) noexcept { return !(a == b); }

}  // namespace refgc

template <>
struct std::hash<refgc::ref<refgc::integer>> {
  size_t operator()(const refgc::ref<refgc::integer>& i) const noexcept {
    return i ? std::hash<int64_t>()(i->value()) : 0;
  }
};

#endif  // REFGC_INTEGER_H_
