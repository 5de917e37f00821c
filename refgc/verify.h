// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A debug aid for members that REFGC_TRACE forgot: such a reference keeps its target alive, cycles
// through it leak, and nothing else tells.
//
// Looks at an object's own bytes, word by word, for the address of an object that trace did not
// report there and whose counts traced references do not explain. What lies behind a pointer (in a
// vector's buffer, in a std::function) it does not see; objgraph's pictures and the report at exit
// (REFGC_REPORT=exit) guess at that as well. A plain pointer to an object that somebody else holds
// from outside looks the same, so a finding is a question, not a verdict.
//
// Threads: the current heap's. O(heap).

#ifndef REFGC_VERIFY_H_
#define REFGC_VERIFY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "refgc/ref.h"

namespace refgc {

struct verify_finding {
  ref<void> object;
  std::string type;
  size_t offset;
  std::string member;  // there, if trace names it, or empty
  std::string target_type;
  // "type Node: word at offset 24 refers to a Leaf and is not traced"
  REFGC_EXPORT std::string text() const;
};

namespace detail {
// Null: all objects. `own` are the references that the caller has only to call this.
REFGC_EXPORT std::vector<verify_finding> verify(const void* object, void* const* own);
}  // namespace detail

// Of one object.
template <class T>
std::vector<verify_finding> verify_trace(const ref<T>& r) {
  return r ? detail::verify(r.get(), &detail::slot_access::of(const_cast<ref<T>&>(r)))
           : std::vector<verify_finding>();
}
// Of all objects of the current heap; one finding for each type and offset.
REFGC_EXPORT std::vector<verify_finding> verify_all();

}  // namespace refgc

#endif  // REFGC_VERIFY_H_
