// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// dom_churn TIMES: a document of 64 sections, trees of 585 elements that know their parents. A
// random section is replaced at each step, and some elements count their ancestors.

#include <cstdio>
#include <utility>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

constexpr int kSections = 64;
constexpr int kChildren = 8;
constexpr int kDepth = 3;
constexpr int kLooks = 50;

struct Element : bench::Object<Element> {
  bench::Back<Element> parent{};
  bench::Array<bench::Ref<Element>> children{};
  int64_t tag = 0;
  BENCH_TRACE(parent, children)
};

bench::Ref<Element> Build(const bench::Ref<Element>& parent, int depth, int64_t tag) {
  bench::Ref<Element> element = bench::Make<Element>();
  element->parent = parent;
  element->tag = tag;
  for (int i = 0; depth > 0 && i < kChildren; ++i) {
    element->children.push_back(Build(element, depth - 1, tag + i));
  }
  return element;
}

// Goes down to a leaf and up again.
int64_t LookAt(const bench::Ref<Element>& section, bench::Numbers& numbers) {
  bench::Ref<Element> element = section;
  while (!element->children.empty()) {
    // Not in one: the assignment may let go of what holds the element.
    bench::Ref<Element> child = element->children[numbers.Below(kChildren)];
    element = std::move(child);
  }
  int64_t sum = element->tag;
  for (auto up = bench::Follow(element->parent); up; up = bench::Follow(up->parent)) {
    sum += up->tag + 1;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Start();
  const int times = bench::Size(argc, argv);
  bench::Numbers numbers(1);
  const bench::Ref<Element> document = bench::Make<Element>();
  for (int i = 0; i < kSections; ++i) {
    document->children.push_back(Build(document, kDepth, i));
  }
  int64_t sum = 0;
  for (int i = 0; i < times; ++i) {
    document->children[numbers.Below(kSections)] = Build(document, kDepth, i);
    for (int k = 0; k < kLooks; ++k) {
      sum += LookAt(document->children[numbers.Below(kSections)], numbers);
    }
  }
  printf("%lld\n", static_cast<long long>(sum));
}
