// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Weak references: when they become null, which callbacks run, and on_destroy.

#include <memory>
#include <stdexcept>

#include "tests/refgc/objects.h"

namespace refgc_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<weak_ref<Probe>> weaks;
int callbacks_run = 0;
int locked = 0;

void lock_all() {
  ++callbacks_run;
  for (const weak_ref<Probe>& weak : weaks) {
    locked += weak.lock() ? 1 : 0;
  }
}

class RefgcWeak : public QuietHeap {
 protected:
  void SetUp() override {
    QuietHeap::SetUp();
    callbacks_run = locked = 0;
  }
  void TearDown() override {
    weaks.clear();
    QuietHeap::TearDown();
  }
};

TEST_F(RefgcWeak, FollowsItsObject) {
  weak_ref<Probe> empty;
  EXPECT_TRUE(empty.expired());
  EXPECT_EQ(empty.lock(), nullptr);
  auto p = probe(7);
  weak_ref<Probe> weak = p;
  weak_ref<Probe> copy = weak;
  EXPECT_EQ(weak.lock()->id, 7);
  EXPECT_EQ(p.use_count(), 1u);
  weak_ref<Probe> moved = std::move(copy);
  EXPECT_TRUE(copy.expired());  // NOLINT(bugprone-use-after-move)
  weak.reset();
  EXPECT_FALSE(moved.expired());
  p.reset();
  EXPECT_TRUE(moved.expired());
  EXPECT_EQ(moved.lock(), nullptr);
}

TEST_F(RefgcWeak, W1_CallbacksSeeAllGarbageGone) {
  for (int i = 0; i < 2; ++i) {
    weaks.emplace_back(loop(i), lock_all);
  }
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(callbacks_run, 2);
  EXPECT_EQ(locked, 0);
}

// An old object that only young garbage keeps: it dies by its count, in the middle of the end of
// the others, who must look gone to its callback.
void expect_gone_at_the_end_of(ref<Probe> old) {
  collect();
  auto young = loop(2);
  link(young, old);
  weaks.emplace_back(loop(3));
  weaks.emplace_back(young);
  old.reset();
  young.reset();
  EXPECT_EQ(collect(0), 2u);
  EXPECT_EQ(callbacks_run, 1);
  EXPECT_EQ(locked, 0);
}

TEST_F(RefgcWeak, W2_CallbackOfAnOldObject) {
  auto old = probe(1);
  const weak_ref<Probe> watch(old, lock_all);
  expect_gone_at_the_end_of(std::move(old));
}

TEST_F(RefgcWeak, W2_FinalizerOfAnOldObject) {
  auto old = probe(1);
  old->on_finalize = [](Probe&) { lock_all(); };
  expect_gone_at_the_end_of(std::move(old));
}

TEST_F(RefgcWeak, W3_InsideACycle) {
  auto a = loop(1);
  a->weak = weak_ref<Probe>(a, lock_all);
  a.reset();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(callbacks_run, 0);
}

TEST_F(RefgcWeak, W3_InsideOneWay) {
  auto a = loop(1);
  auto b = loop(2);
  a->weak = weak_ref<Probe>(b, lock_all);
  a.reset();
  b.reset();
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(callbacks_run, 0);
}

struct OtherClass {
  ref<OtherClass> me;
  weak_ref<Probe> weak;
  REFGC_TRACE(me, weak)
};

TEST_F(RefgcWeak, W3_InsideAnotherClass) {
  auto a = make<OtherClass>();
  a->me = a;
  a->weak = weak_ref<Probe>(loop(2), lock_all);
  a.reset();
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(callbacks_run, 0);
}

TEST_F(RefgcWeak, W3_InsideAndTryingToResurrect) {
  static ref<Probe> revived;
  auto a = loop(1);
  auto b = loop(2);
  link(a, b);
  weaks.emplace_back(b);
  a->weak = weak_ref<Probe>(b, [] { revived = weaks[0].lock(); });
  a.reset();
  b.reset();
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(revived, nullptr);
}

TEST_F(RefgcWeak, W3_OutsideRunsOnce) {
  const weak_ref<Probe> weak(loop(1), lock_all);
  const weak_ref<Probe> copy = weak;
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(callbacks_run, 1);
  EXPECT_TRUE(copy.expired());
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(callbacks_run, 1);
}

TEST_F(RefgcWeak, W3_ACopyOutsideKeepsTheCallback) {
  auto a = loop(1);
  a->weak = weak_ref<Probe>(a, lock_all);
  const weak_ref<Probe> copy = a->weak;
  a.reset();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(callbacks_run, 1);
}

TEST_F(RefgcWeak, DroppedBeforeItsObjectDoesNotCall) {
  auto p = probe();
  weak_ref<Probe> weak(p, lock_all);
  weak.reset();
  p.reset();
  EXPECT_EQ(callbacks_run, 0);
}

struct Opaque {  // the collector cannot see what this holds
  std::shared_ptr<ref<Probe>> hidden;
  weak_ref<Probe> weak;
  ref<Opaque> me;
  REFGC_TRACE(weak, me)
};

// CPython's bpo-38006: the weak reference is garbage, its object is held by something opaque.
TEST_F(RefgcWeak, W4_UntracedHolder) {
  auto o = make<Opaque>();
  o->me = o;
  o->hidden = std::make_shared<ref<Probe>>(probe(1));
  o->weak = weak_ref<Probe>(*o->hidden, lock_all);
  o.reset();
  const int live = Probe::live();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(Probe::live(), live - 1);
  EXPECT_EQ(callbacks_run, 0);
}

// A weak reference in an object that was revived is as good as before.
TEST_F(RefgcWeak, OfARevivedHolderStays) {
  static ref<Probe> revived;
  auto target = probe(1);
  auto holder = loop(2);
  holder->weak = weak_ref<Probe>(target, lock_all);
  holder->on_finalize = [](Probe& p) { revived = refgc::ref_from_this(&p); };
  holder.reset();
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(revived->weak.lock(), target);
  target.reset();
  EXPECT_EQ(callbacks_run, 1);
  revived.reset();
  EXPECT_EQ(collect(), 1u);
}

TEST_F(RefgcWeak, W5_CallbackCollects) {
  static size_t found;
  found = 0;
  const auto act = [] {
    ++callbacks_run;
    loop(9);
    found += collect();
  };
  const weak_ref<Probe> cyclic(loop(1), act);
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(found, 0u);
  EXPECT_EQ(collect(), 1u);
  auto p = probe(2);
  link(p, probe(3));
  const weak_ref<Probe> acyclic(p, act);
  const int live = Probe::live();
  p.reset();
  EXPECT_EQ(found, 1u) << "no collection was running";
  EXPECT_EQ(Probe::live(), live - 2);
  EXPECT_EQ(callbacks_run, 2);
}

TEST_F(RefgcWeak, W6_MadeInADestructor) {
  static weak_ref<Probe> made;
  const auto act = [](Probe& p) {
    made = weak_ref<Probe>(&p);
    EXPECT_TRUE(made.expired());
  };
  auto p = probe(1);
  p->on_destroy = act;
  p.reset();
  EXPECT_TRUE(made.expired());
  loop(2)->on_destroy = act;
  EXPECT_EQ(collect(), 1u);
  EXPECT_TRUE(made.expired());
}

struct Thrower {
  explicit Thrower(weak_ref<Thrower>* out) {
    *out = weak_ref<Thrower>(this);
    throw std::runtime_error("no");
  }
  ref<Thrower> other;
  REFGC_TRACE(other)
};

TEST_F(RefgcWeak, W6_MadeInAConstructorThatThrows) {
  weak_ref<Thrower> weak;
  EXPECT_THROW(make<Thrower>(&weak), std::runtime_error);
  EXPECT_TRUE(weak.expired());
}

TEST_F(RefgcWeak, W7_ThrowingCallback) {
  int calls = 0;
  refgc::set_unraisable_hook([&](const char* where, const char*) {
    ++calls;
    EXPECT_STREQ(where, "weak callback");
  });
  weaks.emplace_back(loop(1), [] { throw std::runtime_error("no"); });
  weaks.emplace_back(loop(2), lock_all);
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(callbacks_run, 1);
}

TEST_F(RefgcWeak, W8_OnDestroy) {
  std::vector<int> order;
  auto p = probe(5);
  auto f = refgc::on_destroy(p, [&] { order.push_back(1); });
  EXPECT_TRUE(f.alive());
  EXPECT_EQ(f.peek(), p);
  refgc::on_destroy(p, [&] { order.push_back(2); });
  auto detached = refgc::on_destroy(p, [&] { order.push_back(3); });
  auto called = refgc::on_destroy(p, [&] { order.push_back(4); });
  EXPECT_TRUE(detached.detach());
  EXPECT_FALSE(detached.detach());
  EXPECT_FALSE(detached.alive());
  EXPECT_EQ(detached.peek(), nullptr);
  EXPECT_TRUE(called());
  EXPECT_FALSE(called()) << "once";
  p.reset();
  EXPECT_THAT(order, ElementsAre(4, 2, 1)) << "the newest first";
  EXPECT_FALSE(f.alive());
  EXPECT_FALSE(f());
  EXPECT_EQ(f.peek(), nullptr);
  loop(1);
  EXPECT_EQ(collect(), 1u);
}

TEST_F(RefgcWeak, W8_OnDestroyOfGarbage) {
  int calls = 0;
  auto p = loop(1);
  refgc::on_destroy(p, [&] { ++calls; });
  p.reset();
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(calls, 1);
}

TEST_F(RefgcWeak, W8_PlannedByAFinalizerOfGarbage) {
  static int calls;
  calls = 0;
  loop(1)->on_finalize = [](Probe& p) {
    refgc::on_destroy(refgc::ref_from_this(&p), [] { ++calls; });
  };
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(calls, 1);
}

// Runs in a process of its own, that exits.
void plan_for_the_exit() {
  static ref<Probe>& global = *new ref<Probe>(probe(1));  // lives past the end
  static const auto say = [](const char* what) { std::fprintf(stderr, "%s;", what); };
  refgc::on_destroy(global, [] { say("first"); });
  refgc::on_destroy(global, [] { throw std::runtime_error("thrown"); });
  refgc::on_destroy(global, [] { say("never"); }).set_atexit(false);
  refgc::on_destroy(global, [] {
    say("last");
    refgc::on_destroy(global, [] { say("during"); });
  });
  std::exit(0);
}

TEST_F(RefgcWeak, W8_AtExit) {
  GTEST_FLAG_SET(death_test_style, "fast");
  EXPECT_EXIT(plan_for_the_exit(), testing::ExitedWithCode(0),
              "last;during;refgc: exception ignored in on_destroy: thrown\nfirst;");
}

}  // namespace
}  // namespace refgc_test
