// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// finalizer_rings THOUSANDS: so many thousand rings of ten objects with a finaliser each, dropped
// at once. A conservative collector may keep a few: one in a hundred is forgiven.

#include <cstdio>
#include <utility>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

constexpr int kRing = 10;

int64_t finalized = 0;

struct Node : bench::Object<Node> {
  bench::Ref<Node> next{};
  int64_t value = 0;
  void finalize() { ++finalized; }
  BENCH_TRACE(next)
};

bench::Ref<Node> MakeNode(int64_t value) {
  bench::Ref<Node> node = bench::Make<Node>();
  node->value = value;
  bench::Watch(node);
  return node;
}

int64_t Ring(int64_t value) {
  const bench::Ref<Node> first = MakeNode(value);
  bench::Ref<Node> last = first;
  for (int i = 1; i < kRing; ++i) {
    bench::Ref<Node> node = MakeNode(value + i);
    last->next = node;
    last = std::move(node);
  }
  last->next = first;
  return first->next->value + last->next->value;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Start();
  const int rings = bench::Size(argc, argv) * 1000;
  int64_t sum = 0;
  for (int i = 0; i < rings; ++i) {
    sum += Ring(i);
  }
  bench::CollectAll();
  bench::CollectAll();
  const int64_t made = int64_t{rings} * kRing;
  const bool is_done = finalized <= made && finalized >= made - made / 100;
  printf("%lld %s\n", static_cast<long long>(sum), is_done ? "finalized" : "forgotten");
}
