// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What a program says of its leaks when it ends. Each case is a child process that exits.

#include <cstdlib>
#include <string>
#include <thread>

#include "tests/refgc/objects.h"

namespace refgc_test {

struct ReportNode {
  ref<ReportNode> next;
  ref<ReportNode> cargo;
  REFGC_TRACE(next, cargo)
};
struct ReportObserver;
struct ReportSubject {
  std::vector<std::function<void()>> callbacks;
  ref<ReportObserver> latest;
  REFGC_TRACE(callbacks, latest)
};
struct ReportObserver {
  ref<ReportSubject> subject;
  REFGC_TRACE(subject)
};
struct ReportForgetful {
  int64_t number = 0;
  ref<ReportForgetful> forgotten;
  template <class V>
  void trace(V& /*v*/) {}
};

namespace {

using testing::AllOf;
using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::Not;

class RefgcExitReport : public QuietHeap {
 protected:
  [[noreturn]] static void leave(bool wants_report = true) {
    if (wants_report) {
      setenv("REFGC_REPORT", "exit", 1);
    }
    std::exit(0);
  }
};

void make_ring(int length) {
  auto first = make<ReportNode>();
  auto last = first;
  for (int i = 1; i < length; ++i) {
    last->next = make<ReportNode>();
    last = last->next;
  }
  last->next = first;
  first->cargo = make<ReportNode>();
}

TEST_F(RefgcExitReport, SilentUnlessAsked) {
  EXPECT_EXIT((make_ring(2), leave(false)), ExitedWithCode(0), testing::StrEq(""));
}

TEST_F(RefgcExitReport, CyclesThatTheLastCollectionFreed) {
  EXPECT_EXIT((make_ring(3), make_ring(2), leave()), ExitedWithCode(0),
              AllOf(HasSubstr("freed at the end: 7 objects"),
                    HasSubstr("2 cycles of ReportNode: 5 objects, 120 bytes; the shortest:\n"
                              "      ReportNode.next -> ReportNode.next -> ReportNode\n"),
                    HasSubstr("held by these cycles:\n      2 x ReportNode, 48 bytes"),
                    HasSubstr("still alive: 0 objects")));
}

TEST_F(RefgcExitReport, WhatIsHeldExternally) {
  EXPECT_EXIT(
      {
        auto* leaked = new ref<ReportNode>(make<ReportNode>());
        (*leaked)->next = make<ReportNode>();
        leave();
      },
      ExitedWithCode(0),
      AllOf(HasSubstr("still alive: 2 objects, 48 bytes"),
            HasSubstr("2 x ReportNode, 48 bytes; held externally: 1"), Not(HasSubstr("leaked"))));
}

void make_observers(int count) {
  auto subject = make<ReportSubject>();
  for (int i = 0; i < count; ++i) {
    auto observer = make<ReportObserver>(subject);
    subject->callbacks.emplace_back([observer] {});
    subject->latest = observer;
  }
}

TEST_F(RefgcExitReport, NamesTheMemberThatHidesAReference) {
  EXPECT_EXIT(
      (make_observers(1), leave()), ExitedWithCode(0),
      AllOf(HasSubstr("    ReportSubject.callbacks -> ReportObserver\n"), HasSubstr("leaked"),
            HasSubstr("ReportSubject.callbacks (not traced) -> ReportObserver.subject -> "
                      "ReportSubject\n")));
}

TEST_F(RefgcExitReport, NamesTheOffsetOfAMemberWithoutAName) {
  EXPECT_EXIT(
      {
        auto a = make<ReportForgetful>();
        a->forgotten = a;
        a.reset();
        leave();
      },
      ExitedWithCode(0),
      HasSubstr("ReportForgetful at offset 8 (not traced) -> ReportForgetful\n"));
}

TEST_F(RefgcExitReport, OfAThreadThatIsGone) {
  EXPECT_EXIT(
      {
        std::thread([] { make_observers(2); }).join();
        leave();
      },
      ExitedWithCode(0), HasSubstr("ReportSubject.callbacks -> ReportObserver, 2 times\n"));
}

TEST_F(RefgcExitReport, SavedGarbageIsReportedUnasked) {
  EXPECT_EXIT(
      {
        gc::set_debug(gc::DEBUG_LEAK);
        make_ring(2);
        collect();
        leave(false);
      },
      ExitedWithCode(0),
      AllOf(HasSubstr("saved in gc::garbage(): 3 objects"),
            HasSubstr("ReportNode.next -> ReportNode.next -> ReportNode"),
            HasSubstr("still alive: 0 objects")));
}

}  // namespace
}  // namespace refgc_test
