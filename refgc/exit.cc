// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include <cstdio>

#include "refgc/state.h"

namespace refgc::detail {

void finish_program(heap_impl* heap) {
  heap->callbacks.clear();
  collect(2);
  run_finalizers_at_exit(heap);
  collect(2);
  if (!heap->garbage.empty() && (heap->debug & gc::DEBUG_SAVEALL) == 0) {
    std::fprintf(stderr, "refgc: %zu uncollectable objects at shutdown\n", heap->garbage.size());
  }
}

}  // namespace refgc::detail
