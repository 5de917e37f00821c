// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Bulk build and tear-down, as compilers and batch jobs do: builds a large structure, walks it
// once, and destroys it whole, several times over. Three shapes: a binary tree (freed in
// depth-first order), a map from random strings (freed in key order, which is not the order of
// allocation), and lists that grow side by side (each freed in turn). One thread.

#include <cstdint>
#include <cstdio>
#include <forward_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/random.h"

namespace {

constexpr int kRounds = 5;
constexpr int kTreeDepth = 18;
constexpr size_t kMapEntries = 120000;
constexpr size_t kLists = 1000;
constexpr size_t kListLength = 800;

struct Tree {
  uint64_t value;
  std::unique_ptr<Tree> left;
  std::unique_ptr<Tree> right;
};

std::unique_ptr<Tree> BuildTree(int depth, uint64_t value) {
  auto tree = std::make_unique<Tree>();
  tree->value = value;
  if (depth > 0) {
    tree->left = BuildTree(depth - 1, 2 * value);
    tree->right = BuildTree(depth - 1, 2 * value + 1);
  }
  return tree;
}

uint64_t SumOf(const Tree& tree) {
  uint64_t sum = tree.value;
  if (tree.left != nullptr) sum += SumOf(*tree.left) + 3 * SumOf(*tree.right);
  return sum;
}

uint64_t UseTree() { return SumOf(*BuildTree(kTreeDepth, 1)); }

uint64_t UseMap(bench::Random& random) {
  std::map<std::string, std::vector<uint32_t>> map;
  for (size_t i = 0; i < kMapEntries; ++i) {
    std::string key(random.Between(8, 60), 'k');
    for (char& letter : key) letter = static_cast<char>('a' + random.Below(26));
    map[key].assign(random.Between(1, 24), static_cast<uint32_t>(i));
  }
  uint64_t sum = 0;
  for (const auto& [key, values] : map) sum = sum * 31 + key.size() + values.front();
  return sum;
}

uint64_t UseLists(bench::Random& random) {
  std::vector<std::forward_list<uint64_t>> lists(kLists);
  for (size_t i = 0; i < kLists * kListLength; ++i) {
    lists[random.Below(kLists)].push_front(i);
  }
  uint64_t sum = 0;
  for (const auto& list : lists) {
    for (const uint64_t value : list) sum = sum * 7 + value;
  }
  return sum;
}

}  // namespace

int main() {
  bench::Random random(2);
  uint64_t sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    sum = sum * 3 + UseTree();
    sum = sum * 3 + UseMap(random);
    sum = sum * 3 + UseLists(random);
  }
  printf("bulk %016llx\n", static_cast<unsigned long long>(sum));
}
