// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// One collection: which objects are garbage, and their end.
//
// The algorithm is CPython's (Neil Schemenauer, "Garbage collection for Python", 2000): within a
// set of objects, subtract from each count the references that come from inside; what stays above
// zero is held from outside, and so is all that it leads to. The rest is garbage. Numbers lie
// beside the pools, see side_table.h; passes go over pools in the order of addresses.
//
// Three drivers choose the set:
//   full      all tracked objects
//   young     all of generations 0..g
//   closure   what candidates of generations 0..g lead to, within these generations: a cycle can
//             only become garbage by a reference that is dropped, and who loses one but not the
//             last is a candidate (Bacon and Rajan, "Concurrent Cycle Collection in Reference
//             Counted Systems", ECOOP 2001)
// A cycle closed by moving the only reference into it never was a candidate: only full and young
// find it. So the automatic collections use closures, and a full one when the heap has grown.
//
// Threads: the heap's.

#ifndef REFGC_COLLECTOR_H_
#define REFGC_COLLECTOR_H_

#include <vector>

#include "refgc/pool_index.h"

namespace refgc::detail {

struct collection_result {
  size_t collected = 0;
  size_t uncollectable = 0;
  size_t candidates = 0;  // looked at
  bool is_abandoned = false;
};

inline object_header* header_in(char* block) {
  auto* header = reinterpret_cast<object_header*>(block);
  return header + (header->type == kShiftedHeader ? 1 : 0);
}

class collector {
 public:
  explicit collector(heap_impl& heap) : heap_(heap), index_(*heap.index) {}
  ~collector() { index_.clear(); }
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;

  collection_result collect_full();
  collection_result collect_young(int generation);
  // Gives up, and leaves all as it was, when the set has more than `limit` objects.
  collection_result collect_closure(int generation, size_t limit);

 private:
  friend class side_table;

  // Finding.
  bool is_in_question(const object_header* header) const;
  void join(object_header* header);
  void join_target(object_header* header);
  std::vector<object_header*> take_candidates(int generation);
  void subtract_all();
  void mark_all();
  void find_all();
  void close_set();
  void mark_members();
  void find_members();
  void note_garbage(const object_header* header, int32_t* refs);
  collection_result finish();

  // Ending; see garbage.cc.
  template <typename F>
  void for_each_garbage(F f);
  void list_garbage();
  size_t set_uncollectable_aside();
  void count_weak_inside();
  void run_weak_callbacks_of_garbage();
  void clear_weak_of_garbage();
  void finalize_garbage();
  void keep_revived();
  void save_garbage();
  void destroy_garbage();
  void destroy_where_it_lies();
  void run_over_garbage(run_function* type_info::*loop);
  void drop_cleared();
  void hold_garbage();

  heap_impl& heap_;
  pool_index& index_;
  int generation_ = 2;
  size_t limit_ = ~size_t{0};
  bool is_abandoned_ = false;
  bool has_finalizers_ = false;
  bool has_weak_ = false;
  bool has_uncollectable_ = false;
  bool has_run_code_ = false;
  bool is_listed_ = false;
  size_t looked_at_ = 0;
  size_t found_ = 0;
  std::vector<object_header*> members_;
  std::vector<object_header*> garbage_;
  std::vector<weak_box*> boxes_inside_;
};

}  // namespace refgc::detail

#endif  // REFGC_COLLECTOR_H_
