// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Strings and integers, and those of them that exist once in a heap.

#include "refgc/values.h"

#include <cstring>
#include <functional>
#include <stdexcept>
#include <unordered_set>

#include "refgc/integer.h"
#include "refgc/state.h"
#include "refgc/str.h"

namespace refgc {

struct str_access {
  // An object of two words and its text behind it.
  static ref<str> make(detail::heap_state* heap, std::string_view text) {
    if (text.size() >= UINT32_MAX) {
      throw std::length_error("refgc::str: more than 4 GiB");
    }
    const uint16_t type = detail::type_id_of<str>();
    const size_t bytes = sizeof(detail::object_header) + sizeof(str) + text.size() + 1;
    const bool is_large = bytes > detail::kClassBytesMax;
    void* block = is_large ? detail::allocate_large(heap, bytes + 24)
                           : detail::allocate_slow(heap, true, bytes);
    auto* header = static_cast<detail::object_header*>(block);
    *header = {
        1, heap->stamp,
        static_cast<uint8_t>(detail::kLogged | detail::kAcyclic | (is_large ? detail::kLarge : 0)),
        type};
    auto* s = new (detail::object_of(header)) str(text.size());
    std::memcpy(s->text(), text.data(), text.size());
    s->text()[text.size()] = '\0';
    return ref<str>::adopt(s);
  }
  static void set_interned(str& s) { s.is_interned_ = true; }
};

namespace detail {

bool values_table::same::operator()(const str* a, const str* b) const {
  return a->view() == b->view();
}
size_t values_table::hashed::operator()(const str* s) const { return s->hash(); }

}  // namespace detail

namespace {

// Made once, in a heap of their own that no thread uses afterwards: their counts never change, so
// all threads may share them.
struct immortals {
  str* short_strings[257];
  integer* integers[integer::kSmallMax - integer::kSmallMin + 1];

  immortals() {
    detail::heap_state* heap = detail::open_heap();
    for (int i = 0; i < 257; ++i) {
      const char byte = static_cast<char>(i - 1);
      ref<str> made = str_access::make(heap, {&byte, i == 0 ? size_t{0} : size_t{1}});
      str_access::set_interned(*made);
      made->hash();
      make_immortal(made);
      short_strings[i] = made.get();
    }
    for (int64_t value = integer::kSmallMin; value <= integer::kSmallMax; ++value) {
      ref<integer> made = detail::make_in_state<integer>(heap, value);
      make_immortal(made);
      integers[value - integer::kSmallMin] = made.get();
    }
  }
};

const immortals& the_immortals() {
  static const immortals* const all = new immortals;  // outlives all destructors
  return *all;
}

}  // namespace

size_t str::hash() const noexcept {
  if (!is_hashed_) {
    hash_ = std::hash<std::string_view>()(view());
    is_hashed_ = true;
  }
  return hash_;
}

str* detail::new_str(std::string_view text) {
  if (text.size() > 1) {
    return str_access::make(detail::this_heap(), text).release();
  }
  return ref_from_this(
             the_immortals()
                 .short_strings[text.empty() ? 0 : 1 + static_cast<unsigned char>(text[0])])
      .release();
}

str::~str() {
  if (is_interned_) {
    auto& interned = detail::heap_of(detail::header_of(this))->values.interned;
    const auto at = interned.find(this);
    if (at != interned.end() && *at == this) {  // it may have a successor
      interned.erase(at);
    }
  }
}

str* detail::intern_str(str* s) {
  if (s->is_interned()) {
    return ref_from_this(s).release();
  }
  if (s->size() <= 1) {
    return detail::new_str(s->view());
  }
  heap_impl* heap = this_heap_impl();
  if (heap_of(header_of(s)) != heap) {
    return intern_text(s->view());  // each heap has its own
  }
  auto& interned = heap->values.interned;
  const auto [at, is_new] = interned.insert(s);
  const object_header* known = header_of(*at);
  if (!is_new && known->count != 0 && (known->flags & kDying) == 0) {
    return ref_from_this(*at).release();
  }
  if (!is_new) {  // that one is dying
    interned.erase(at);
    interned.insert(s);
  }
  str_access::set_interned(*s);
  return ref_from_this(s).release();
}

str* detail::intern_text(std::string_view text) { return intern(str::make(text)).release(); }

integer* detail::new_integer(int64_t value) {
  if (value < integer::kSmallMin || value > integer::kSmallMax) {
    return refgc::make<integer>(value).release();
  }
  return the_immortals().integers[value - integer::kSmallMin];
}

}  // namespace refgc
