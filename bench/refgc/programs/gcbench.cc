// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// gcbench DEPTH: Ellis, Kovac and Boehm's GCBench: trees built from the top and from the bottom,
// beside a long-lived tree and a large array.

#include <cstdio>
#include <memory>
#include <utility>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

struct Node : bench::Object<Node> {
  Node() = default;
  Node(bench::Ref<Node> l, bench::Ref<Node> r) : left(std::move(l)), right(std::move(r)) {}
  bench::Ref<Node> left{};
  bench::Ref<Node> right{};
  int i = 0;
  int j = 0;
  BENCH_TRACE(left, right)
#ifdef BENCH_ACYCLIC
  static constexpr bool refgc_acyclic = true;
#endif
};

void Populate(int depth, Node* node) {
  if (depth > 0) {
    node->left = bench::Make<Node>();
    node->right = bench::Make<Node>();
    Populate(depth - 1, &*node->left);
    Populate(depth - 1, &*node->right);
  }
}

bench::Ref<Node> BottomUp(int depth) {
  if (depth == 0) {
    return bench::Make<Node>();
  }
  return bench::Make<Node>(BottomUp(depth - 1), BottomUp(depth - 1));
}

int Count(const Node& node) { return node.left ? 1 + Count(*node.left) + Count(*node.right) : 1; }

int TreeSize(int depth) { return (1 << (depth + 1)) - 1; }

}  // namespace

int main(int argc, char** argv) {
  bench::Start();
  const int depth_max = bench::Size(argc, argv);
  const int stretch_depth = depth_max + 2;
  printf("stretch %d\n", Count(*BottomUp(stretch_depth)));
  const bench::Ref<Node> long_lived = bench::Make<Node>();
  Populate(depth_max, &*long_lived);
  constexpr int kArraySize = 500000;
  const auto array = std::make_unique<double[]>(kArraySize);
  for (int i = 0; i < kArraySize / 2; ++i) {
    array[i] = 1.0 / (i + 1);
  }
  for (int depth = 4; depth <= depth_max; depth += 2) {
    const int trees = 2 * TreeSize(stretch_depth) / TreeSize(depth);
    int64_t sum = 0;
    for (int i = 0; i < trees; ++i) {
      const bench::Ref<Node> tree = bench::Make<Node>();
      Populate(depth, &*tree);
      sum += tree->left ? 1 : 0;
    }
    for (int i = 0; i < trees; ++i) {
      sum += BottomUp(depth)->left ? 1 : 0;
    }
    printf("%d trees of depth %d: %lld\n", trees, depth, static_cast<long long>(sum));
  }
  printf("long lived %d, array %d\n", Count(*long_lived), array[1000] == 1.0 / 1001 ? 1 : 0);
}
