// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// linked_list TIMES: a doubly linked list of 200,000 nodes, built, summed from the end, and
// dropped.

#include <cstdio>
#include <utility>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

constexpr int kNodes = 200000;

struct Node : bench::Object<Node> {
  bench::Ref<Node> next{};
  bench::Back<Node> previous{};
  int64_t value = 0;
  BENCH_TRACE(next, previous)
#ifdef BENCH_UNLINK
  // Without this the destructors of a long list would call each other to the stack's end.
  ~Node() {
    for (auto rest = std::move(next); rest;) {
      rest = std::move(rest->next);
    }
  }
#endif
};

int64_t Round(int64_t start) {
  const bench::Ref<Node> first = bench::Make<Node>();
  bench::Ref<Node> last = first;
  for (int i = 1; i < kNodes; ++i) {
    bench::Ref<Node> node = bench::Make<Node>();
    node->value = start + i;
    node->previous = last;
    last->next = node;
    last = std::move(node);
  }
  int64_t sum = 0;
  int64_t place = 0;
  for (auto at = bench::Follow(last->previous); at; at = bench::Follow(at->previous)) {
    sum += at->value ^ ++place;
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
