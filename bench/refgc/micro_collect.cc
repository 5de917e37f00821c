// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The collector's part of micro: full collections of objects that live, in the order they were made
// and shuffled, and of garbage: rings of 2 and of 100, and a shuffled graph. An item is an object.
// Making them is not in the time.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "bench/random.h"
#include "refgc/refgc.h"

namespace {

constexpr size_t kObjects = 200000;

// Three slots, of which two are used.
struct Node {
  refgc::ref<Node> slots[3];
  REFGC_TRACE(slots)
};
using Nodes = std::vector<refgc::ref<Node>>;

Nodes MakeNodes() {
  Nodes nodes(kObjects);
  for (auto& node : nodes) {
    node = refgc::make<Node>();
  }
  return nodes;
}

// Each object refers to the next one and to the one after that.
void LinkInOrder(const Nodes& nodes) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    nodes[i]->slots[0] = nodes[(i + 1) % nodes.size()];
    nodes[i]->slots[1] = nodes[(i + 2) % nodes.size()];
  }
}

void LinkRings(const Nodes& nodes, size_t length) {
  for (size_t i = 0; i < nodes.size(); i += length) {
    for (size_t k = 0; k < length; ++k) {
      nodes[i + k]->slots[0] = nodes[i + (k + 1) % length];
      nodes[i + k]->slots[1] = nodes[i + (k + length - 1) % length];
    }
  }
}

Nodes Shuffled(Nodes nodes) {
  bench::Random random(1);
  for (size_t i = nodes.size(); i > 1; --i) {
    swap(nodes[i - 1], nodes[random.Below(i)]);
  }
  return nodes;
}

// Held by one reference alone: all else is found through the graph.
void CollectLive(benchmark::State& state, bool is_shuffled) {
  refgc::gc::disable();
  refgc::ref<Node> root;
  {
    Nodes nodes = is_shuffled ? Shuffled(MakeNodes()) : MakeNodes();
    LinkInOrder(nodes);
    root = nodes[0];
  }
  refgc::collect();
  for (auto _ : state) {
    if (refgc::collect() != 0) {
      abort();
    }
  }
  state.SetItemsProcessed(state.iterations() * kObjects);
  root = nullptr;
  refgc::collect();
  refgc::gc::enable();
}
BENCHMARK_CAPTURE(CollectLive, InOrder, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CollectLive, Shuffled, true)->Unit(benchmark::kMillisecond);

// A chain through all, each held by a reference on the stack as well: nothing waits for another.
void CollectHeld(benchmark::State& state) {
  refgc::gc::disable();
  {
    const Nodes nodes = MakeNodes();
    LinkInOrder(nodes);
    for (auto _ : state) {
      refgc::collect();
    }
  }
  state.SetItemsProcessed(state.iterations() * kObjects);
  refgc::collect();
  refgc::gc::enable();
}
BENCHMARK(CollectHeld)->Unit(benchmark::kMillisecond);

enum class Shape { kRingsOf2, kRingsOf100, kShuffled };

void CollectGarbage(benchmark::State& state, Shape shape) {
  refgc::gc::disable();
  refgc::collect();
  for (auto _ : state) {
    state.PauseTiming();
    {
      Nodes nodes = MakeNodes();
      if (shape == Shape::kShuffled) {
        nodes = Shuffled(std::move(nodes));
        LinkInOrder(nodes);
      } else {
        LinkRings(nodes, shape == Shape::kRingsOf2 ? 2 : 100);
      }
    }
    state.ResumeTiming();
    if (refgc::collect() != kObjects) {
      abort();
    }
  }
  state.SetItemsProcessed(state.iterations() * kObjects);
  refgc::gc::enable();
}
BENCHMARK_CAPTURE(CollectGarbage, RingsOf2, Shape::kRingsOf2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CollectGarbage, RingsOf100, Shape::kRingsOf100)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CollectGarbage, Shuffled, Shape::kShuffled)->Unit(benchmark::kMillisecond);

}  // namespace
