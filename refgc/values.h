// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The values that exist once in a heap.

#ifndef REFGC_VALUES_H_
#define REFGC_VALUES_H_

#include <cstddef>
#include <unordered_set>

namespace refgc {
class str;
}  // namespace refgc

namespace refgc::detail {

struct values_table {
  struct same {
    bool operator()(const str* a, const str* b) const;
  };
  struct hashed {
    size_t operator()(const str* s) const;
  };
  std::unordered_set<str*, hashed, same> interned;  // holds no counts
};

}  // namespace refgc::detail

#endif  // REFGC_VALUES_H_
