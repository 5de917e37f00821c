// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Heaps and threads: each its own, ended with it, and moved between them.

#include <atomic>
#include <thread>
#include <vector>

#include "tests/refgc/objects.h"

namespace refgc_test {
namespace {

struct Counted {
  static inline std::atomic<int64_t> made{0};
  static inline std::atomic<int64_t> destroyed{0};
  std::vector<ref<Counted>> inner;
  Counted() { ++made; }
  ~Counted() { ++destroyed; }
  REFGC_TRACE(inner)
};

void build_and_drop(int rounds) {
  for (int round = 0; round < rounds; ++round) {
    auto top = make<Counted>();
    for (int depth = 0; depth < 200; ++depth) {
      auto outer = make<Counted>();
      outer->inner.push_back(std::move(top));
      if (depth % 3 == 0) {
        outer->inner.push_back(outer);
      }
      top = std::move(outer);
    }
  }
}

TEST(RefgcThread, S2_TwoThreadsBuildAndDrop) {
  Counted::made = Counted::destroyed = 0;
  std::thread a(build_and_drop, 300);
  std::thread b(build_and_drop, 300);
  a.join();
  b.join();
  EXPECT_EQ(Counted::made, 2 * 300 * 201);
  EXPECT_EQ(Counted::destroyed, Counted::made);
}

TEST(RefgcThread, S3_TheThreadsEndCollectsItsHeap) {
  Counted::made = Counted::destroyed = 0;
  for (int i = 0; i < 50; ++i) {
    std::thread([] {
      gc::disable();
      auto c = make<Counted>();
      c->inner.push_back(c);
    }).join();
  }
  EXPECT_EQ(Counted::made, 50);
  EXPECT_EQ(Counted::destroyed, 50);
}

// The thread's own data may be destroyed before its heap, or after.
TEST(RefgcThread, S3_ThreadLocalReferences) {
  Counted::made = Counted::destroyed = 0;
  for (int i = 0; i < 10; ++i) {
    std::thread([i] {
      thread_local ref<Counted> before = i % 2 == 0 ? make<Counted>() : nullptr;
      thread_local std::vector<ref<Counted>> after;
      before = make<Counted>();
      after.push_back(make<Counted>());
      after.push_back(make<Counted>());
      after[1]->inner.push_back(after[1]);
      before->inner.push_back(before);
    }).join();
  }
  EXPECT_EQ(Counted::destroyed, Counted::made - 5 * 2) << "two loops, held until too late";
  refgc::heap();  // those who come later look after the heaps that were left
}

TEST(RefgcThread, S3_HeapsMoveBetweenThreads) {
  Counted::made = Counted::destroyed = 0;
  {
    refgc::heap h;
    ref<Counted> kept = refgc::make_in<Counted>(h);
    std::thread([&] {
      const refgc::heap::enter in(h);
      kept->inner = {make<Counted>(), kept};
      kept->inner[0]->inner.push_back(kept->inner[0]);
      EXPECT_EQ(gc::get_objects().size(), 2u);
    }).join();
    kept.reset();
    EXPECT_EQ(Counted::destroyed, 0);
  }
  EXPECT_EQ(Counted::destroyed, 2) << "the heap's end collects it";
}

}  // namespace
}  // namespace refgc_test
