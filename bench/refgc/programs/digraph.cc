// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// digraph TIMES: 32,768 nodes with one random edge each, and as many again between any two; the
// list of nodes that are held is cut by half, again and again, with a full collection after each
// cut.

#include <cstdio>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

constexpr int kNodes = 32768;

struct Node : bench::Object<Node> {
  bench::Array<bench::Ref<Node>> edges{};
  int mark = 0;
  BENCH_TRACE(edges)
};
using Nodes = bench::Array<bench::Ref<Node>>;

// How many nodes those held lead to.
int Reachable(const Nodes& held, int mark) {
  std::vector<Node*> found;
  const auto look_at = [&](const bench::Ref<Node>& node) {
    if (node->mark != mark) {
      node->mark = mark;
      found.push_back(&*node);
    }
  };
  for (const auto& node : held) {
    look_at(node);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    for (const auto& node : found[i]->edges) {
      look_at(node);
    }
  }
  return static_cast<int>(found.size());
}

int64_t Round(int64_t seed) {
  bench::Numbers numbers(seed);
  Nodes held;
  for (int i = 0; i < kNodes; ++i) {
    held.push_back(bench::Make<Node>());
  }
  for (int i = 0; i < kNodes; ++i) {
    held[i]->edges.push_back(held[numbers.Below(kNodes)]);
  }
  for (int i = 0; i < kNodes; ++i) {
    const int64_t from = numbers.Below(kNodes);
    held[from]->edges.push_back(held[numbers.Below(kNodes)]);
  }
  int64_t sum = 0;
  for (int left = kNodes / 2; left > 0; left /= 2) {
    held.resize(left);
    bench::CollectAll();
    sum += Reachable(held, left);
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
