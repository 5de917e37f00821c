// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What is said of the objects at the program's end; see exit.cc.
//
// Threads: the one that ends the program.

#ifndef REFGC_LEAK_REPORT_H_
#define REFGC_LEAK_REPORT_H_

#include <map>
#include <string>
#include <vector>

#include "refgc/object_graph.h"

namespace refgc::detail {

// Cycles of the same types together, and what hangs on them.
class cycle_groups {
 public:
  // The cycles among the nodes that `is_in` names; with `needs_untraced`, those that go through a
  // reference that trace does not see.
  void add(const object_graph& graph, const std::vector<bool>& is_in, bool needs_untraced);
  uint64_t objects() const { return objects_; }
  uint64_t bytes() const { return bytes_; }
  bool empty() const { return objects_ == 0; }
  // "  1,000 cycles of 2 objects ... \n", the largest first.
  std::string text() const;

 private:
  struct group {
    uint64_t cycles = 0;
    uint64_t objects = 0;
    uint64_t bytes = 0;
    size_t route_length = 0;
    std::string route;
  };
  void add_cycle(const object_graph& graph, const cycle& c);

  std::map<std::string, group> groups_;                         // by the names of the types
  std::map<std::string, std::pair<uint64_t, uint64_t>> cargo_;  // objects and bytes by type
  uint64_t objects_ = 0;
  uint64_t bytes_ = 0;
};

class leak_report {
 public:
  // Before a collection: the cycles it is going to free.
  void add_garbage(const heap_impl& heap);
  // What gc::garbage() holds.
  void add_saved(const heap_impl& heap);
  // After the last one: what still lives, and who might hold it.
  void add_living(const heap_impl& heap);
  std::string text() const;

 private:
  struct living {
    uint64_t count = 0;
    uint64_t bytes = 0;
    uint64_t held_externally = 0;  // counts
    uint64_t found_untraced = 0;   // of these
  };
  std::string living_text() const;
  std::string untraced_text() const;

  cycle_groups garbage_;
  cycle_groups saved_;
  cycle_groups untraced_;
  std::map<std::string, living> living_;
  std::map<std::string, uint64_t> untraced_edges_;  // "Subject.callbacks -> Observer"
  uint64_t immortal_ = 0;
};

// REFGC_REPORT=exit in the environment of a program that runs with its caller's rights.
bool wants_report_at_exit();

}  // namespace refgc::detail

#endif  // REFGC_LEAK_REPORT_H_
