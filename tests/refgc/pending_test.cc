// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Objects that wait for their destructors while another's runs have no header to write to: whatever
// walks over the heap meanwhile must leave them alone.

#include "tests/refgc/objects.h"

namespace refgc_test {

// Its destructor lets its links go, which wait, and then calls.
struct Caller {
  static inline int destroyed = 0;
  std::vector<ref<Caller>> links;
  void (*call)() = nullptr;
  ~Caller() {
    links.clear();
    ++destroyed;
    if (call != nullptr) {
      call();
    }
  }
  REFGC_TRACE(links)
};

namespace {

class RefgcPending : public QuietHeap {
 protected:
  static void run(void (*call)()) {
    Caller::destroyed = 0;
    auto first = make<Caller>();
    for (int i = 0; i < 100; ++i) {
      first->links.push_back(make<Caller>());
    }
    first->call = call;
    first.reset();
    EXPECT_EQ(Caller::destroyed, 101);
  }
};

TEST_F(RefgcPending, GetObjects) {
  run([] { EXPECT_EQ(gc::get_objects().size(), 0u); });
}

TEST_F(RefgcPending, StampsRunOut) {
  run([] {
    for (int i = 0; i < 600; ++i) {
      collect(0);
    }
  });
}

TEST_F(RefgcPending, Freeze) {
  run([] {
    gc::freeze();
    EXPECT_EQ(gc::get_freeze_count(), 0u);
    gc::unfreeze();
  });
}

struct Nested {
  ref<Nested> me;
  void finalize() {
    auto first = make<Caller>();
    first->links.push_back(make<Caller>());
    first->call = [] { refgc::objgraph::most_common_types(); };
  }
  REFGC_TRACE(me)
};

TEST_F(RefgcPending, WalksInsideACollectionInsideADestructor) {
  run([] {
    auto n = make<Nested>();
    n->me = n;
    n.reset();
    Caller::destroyed -= 2;
    EXPECT_EQ(collect(), 1u);
  });
}

}  // namespace
}  // namespace refgc_test
