// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// deep_chain TIMES: a chain of a million nodes, built, walked and released.

#include <cstdio>
#include <utility>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

constexpr int kNodes = 1000000;

struct Node : bench::Object<Node> {
  bench::Ref<Node> next{};
  int64_t value = 0;
  BENCH_TRACE(next)
#ifdef BENCH_ACYCLIC
  static constexpr bool refgc_acyclic = true;
#endif
#ifdef BENCH_UNLINK
  // Without this the destructors of a long chain would call each other to the stack's end.
  ~Node() {
    for (auto rest = std::move(next); rest;) {
      rest = std::move(rest->next);
    }
  }
#endif
};

int64_t Round(int64_t start) {
  bench::Ref<Node> first{};
  for (int i = 0; i < kNodes; ++i) {
    bench::Ref<Node> node = bench::Make<Node>();
    node->value = start ^ i;
    node->next = std::move(first);
    first = std::move(node);
  }
  int64_t sum = 0;
  for (const Node* node = &*first; node != nullptr; node = node->next ? &*node->next : nullptr) {
    sum += node->value;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Start();
  const int times = bench::Size(argc, argv);
  int64_t sum = 0;
  for (int i = 0; i < times; ++i) {
    sum += Round(i);
  }
  printf("%lld\n", static_cast<long long>(sum));
}
