// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// binary_trees DEPTH: the Computer Language Benchmarks Game's: short-lived complete trees beside
// one that stays. Nothing is cyclic, and no type says so but under BENCH_ACYCLIC.

#include <cstdio>
#include <utility>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

struct Tree : bench::Object<Tree> {
  Tree() = default;
  Tree(bench::Ref<Tree> l, bench::Ref<Tree> r) : left(std::move(l)), right(std::move(r)) {}
  bench::Ref<Tree> left{};
  bench::Ref<Tree> right{};
  BENCH_TRACE(left, right)
#ifdef BENCH_ACYCLIC
  static constexpr bool refgc_acyclic = true;
#endif
};

bench::Ref<Tree> Build(int depth) {
  if (depth == 0) {
    return bench::Make<Tree>();
  }
  return bench::Make<Tree>(Build(depth - 1), Build(depth - 1));
}

int Count(const Tree& tree) { return tree.left ? 1 + Count(*tree.left) + Count(*tree.right) : 1; }

}  // namespace

int main(int argc, char** argv) {
  bench::Start();
  const int depth_max = bench::Size(argc, argv);
  printf("stretch %d\n", Count(*Build(depth_max + 1)));
  const bench::Ref<Tree> long_lived = Build(depth_max);
  for (int depth = 4; depth <= depth_max; depth += 2) {
    const int trees = 1 << (depth_max - depth + 4);
    int64_t sum = 0;
    for (int i = 0; i < trees; ++i) {
      sum += Count(*Build(depth));
    }
    printf("%d trees of depth %d: %lld\n", trees, depth, static_cast<long long>(sum));
  }
  printf("long lived %d\n", Count(*long_lived));
}
