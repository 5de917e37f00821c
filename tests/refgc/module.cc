// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A library with a type of its own, that is unloaded again. Compiled with -fno-gnu-unique: with it
// g++'s libraries of templates never go.

#include <vector>

#include "refgc/refgc.h"

namespace {

int finalized = 0;

struct Foreign {
  std::vector<refgc::ref<Foreign>> links;
  void finalize() { ++finalized; }
  REFGC_TRACE(links)
};

}  // namespace

extern "C" __attribute__((visibility("default"))) int make_and_drop() {
  finalized = 0;
  {
    auto a = refgc::make<Foreign>();
    auto b = refgc::make<Foreign>();
    a->links.push_back(b);
    b->links.push_back(a);
    refgc::make<Foreign>();
  }
  refgc::collect();
  return finalized;
}

extern "C" __attribute__((visibility("default"))) void make_one(refgc::ref<void>* out) {
  *out = refgc::make<Foreign>();
}
