// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Looks for references that trace does not report: words whose value is the address of an object
// with more counts than traced references explain. In the objects' own bytes, and if wanted in the
// blocks that they point to (where std::function and shared_ptr keep theirs).
//
// It is a guess: a borrowed pointer looks the same. But an object whose counts are all explained is
// never named.
//
// Threads: the heap's.

#ifndef REFGC_UNTRACED_H_
#define REFGC_UNTRACED_H_

#include <string>
#include <vector>

#include "refgc/object_graph.h"

namespace refgc::detail {

struct untraced_word {
  uint32_t from;
  uint32_t to;
  uint32_t offset;     // in the object `from`, of the word or of the pointer that leads to it
  std::string member;  // there, if trace names it; empty
  int blocks_behind;   // 0: in the object itself; 1: in a block it points to
};

// A vector's buffer, a function in it, what that holds, and one more.
constexpr int kBlocksBehindMax = 4;

// Each word once, for the object that is nearest to it.
std::vector<untraced_word> find_untraced(const object_graph& graph, int blocks_behind_max);
// "callbacks", or "offset 24".
std::string describe_place(const untraced_word& word);

}  // namespace refgc::detail

#endif  // REFGC_UNTRACED_H_
