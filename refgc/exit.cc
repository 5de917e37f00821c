// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The end of the program: the last collections, and what there is to say of leaks.
//
// REFGC_REPORT=exit asks for a report on stderr; what gc::DEBUG_SAVEALL saved is reported as well.

#include <cstdio>

#include "refgc/leak_report.h"
#include "refgc/state.h"

namespace refgc::detail {

namespace {

// Heaps that nobody uses any more, though something in them is held.
std::vector<heap_impl*> find_orphans() {
  std::vector<heap_impl*> orphans;
  for_each_heap(
      [](heap_impl* heap, void* context) {
        if (heap->is_orphan) {
          static_cast<std::vector<heap_impl*>*>(context)->push_back(heap);
        }
      },
      &orphans);
  return orphans;
}

}  // namespace

void finish_program(heap_impl* heap) {
  const bool is_asked = wants_report_at_exit();
  const bool is_saving = (heap->debug & gc::DEBUG_SAVEALL) != 0;
  leak_report report;
  const auto collect_last = [&] {
    if (is_asked && !is_saving) {
      report.add_garbage(*heap);
    }
    collect(2);
  };
  heap->callbacks.clear();
  collect_last();
  run_finalizers_at_exit(heap);
  collect_last();
  if (!heap->garbage.empty() && !is_saving) {
    std::fprintf(stderr, "refgc: %zu uncollectable objects at shutdown\n", heap->garbage.size());
  }
  const bool is_leak_hunt = (heap->debug & gc::DEBUG_LEAK) == gc::DEBUG_LEAK;
  if (is_asked || (is_leak_hunt && !heap->garbage.empty())) {
    report.add_saved(*heap);
    report.add_living(*heap);
    for (const heap_impl* orphan : find_orphans()) {
      report.add_living(*orphan);
    }
    std::fputs(report.text().c_str(), stderr);
  }
}

}  // namespace refgc::detail
