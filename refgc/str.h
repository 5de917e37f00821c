// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// refgc::str: immutable strings as objects, and the table of those of which there is one each.
//
// As in CPython: the empty string and those of one byte are immortal and always the same; strings
// made from a literal that reads like an identifier are interned; others on intern(). Interned
// strings with equal text are one object, so identity is equality. The table does not keep them.
//
// Threads: the heap's; each heap has its own table. The immortal ones all threads share.

#ifndef REFGC_STR_H_
#define REFGC_STR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "refgc/make.h"

namespace refgc {

class str;
namespace detail {
template <>
inline constexpr bool has_fixed_size_v<str> = false;
// So that none waits for its end while the table still knows it.
template <>
inline constexpr bool is_leaf_v<str> = true;
// With a count for the caller.
REFGC_EXPORT str* new_str(std::string_view text);
REFGC_EXPORT str* intern_text(std::string_view text);
REFGC_EXPORT str* intern_str(str* s);
}  // namespace detail

class str final {
 public:
  static constexpr bool refgc_acyclic = true;

  std::string_view view() const noexcept { return {text(), size_}; }
  operator std::string_view() const noexcept { return view(); }  // NOLINT
  const char* c_str() const noexcept { return text(); }
  size_t size() const noexcept { return size_; }
  // Computed once. O(size) the first time.
  REFGC_EXPORT size_t hash() const noexcept;
  bool is_interned() const noexcept { return is_interned_; }

  // Throws std::bad_alloc; std::length_error above 4 GiB.
  static ref<str> make(std::string_view text) { return ref<str>::adopt(detail::new_str(text)); }
  REFGC_EXPORT ~str();
  str(const str&) = delete;
  str& operator=(const str&) = delete;

 private:
  friend struct str_access;
  explicit str(size_t size) : size_(static_cast<uint32_t>(size)) {}

  const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  char* text() noexcept { return reinterpret_cast<char*>(this + 1); }

  uint32_t size_;
  bool is_interned_ = false;
  mutable bool is_hashed_ = false;
  mutable size_t hash_ = 0;
};

// The one string with this text. O(size).
inline ref<str> intern(std::string_view text) { return ref<str>::adopt(detail::intern_text(text)); }
inline ref<str> intern(const ref<str>& s) {
  return s ? ref<str>::adopt(detail::intern_str(s.get())) : s;
}

inline ref<str> make_str(std::string_view text) { return str::make(text); }
// A literal: interned if it reads like an identifier, [A-Za-z0-9_]*.
template <size_t n>
ref<str> make_str(const char (&literal)[n]) {
  const std::string_view text(literal, n - 1);
  for (const char c : text) {
    if (!(('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_')) {
      return str::make(text);
    }
  }
  return intern(text);
}

inline bool operator==(const ref<str>& a, const ref<str>& b) noexcept {
  return a.get() == b.get() ||
         (a && b && !(a->is_interned() && b->is_interned()) && a->view() == b->view());
}
inline bool operator!=(const ref<str>& a, const ref<str>& b) noexcept { return !(a == b); }

}  // namespace refgc

template <>
struct std::hash<refgc::ref<refgc::str>> {
  size_t operator()(const refgc::ref<refgc::str>& s) const noexcept { return s ? s->hash() : 0; }
};

#endif  // REFGC_STR_H_
