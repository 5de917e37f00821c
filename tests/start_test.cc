// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Whatever a process or a thread does first with the allocator must work. Each case is a child,
// since a process starts once.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "allocator/report.h"
#include "tests/fake_os.h"
#include "tests/model.h"

namespace tally::testing {
namespace {

void Require(bool condition, const char* what) {
  if (!condition) {
    fprintf(stderr, "start: %s\n", what);
    abort();
  }
}

// Runs `first` in a fresh process, then some ordinary work.
template <typename First>
int StartWith(First first) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    Model model(Model::Memory::kPlenty, {});
    first(&model);
    Random random(3);
    for (int i = 0; i < 200; ++i) {
      model.DoRandom(&random);
    }
    model.shadow().CheckAll();
    CheckBooksAgainst(model.shadow());
    model.FreeAll();
    CheckBooksAgainst(model.shadow());
    fflush(nullptr);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(Start, SmallBlock) {
  EXPECT_EQ(StartWith([](Model* model) { model->Do(Operation::kAllocate, 24, 1); }), 0);
}

TEST(Start, ZeroBytes) {
  EXPECT_EQ(StartWith([](Model* model) { model->Do(Operation::kAllocate, 0, 1); }), 0);
}

TEST(Start, MediumBlock) {
  EXPECT_EQ(StartWith([](Model* model) { model->Do(Operation::kAllocate, 20000, 1); }), 0);
}

TEST(Start, Run) {
  EXPECT_EQ(StartWith([](Model* model) { model->Do(Operation::kAllocate, 100000, 1); }), 0);
}

TEST(Start, HugeBlock) {
  EXPECT_EQ(StartWith([](Model* model) {
              model->Do(Operation::kAllocate, 20 << 20, 1);
              model->Do(Operation::kAllocate, 24, 1);
              model->Do(Operation::kCheck, 0, 0);
              model->Do(Operation::kCheck, 0, 1);
            }),
            0);
}

TEST(Start, AlignedBlockInAMappingOfItsOwn) {
  EXPECT_EQ(StartWith([](Model* model) {
              model->Do(Operation::kAllocateAligned, 100, 21);
              model->Do(Operation::kAllocate, 24, 1);
              model->Do(Operation::kCheck, 0, 0);
            }),
            0);
}

TEST(Start, ZeroedBlock) {
  EXPECT_EQ(StartWith([](Model* model) { model->Do(Operation::kAllocateZeroed, 1 << 20, 1); }), 0);
}

TEST(Start, NullAndTrim) {
  EXPECT_EQ(StartWith([](Model*) {
              Free(nullptr);
              Require(UsableSize(nullptr) == 0, "null has no usable size");
              Require(!Trim(), "there is nothing to trim");
            }),
            0);
}

TEST(Start, Books) {
  EXPECT_EQ(StartWith([](Model* model) { CheckBooksAgainst(model->shadow()); }), 0);
}

TEST(Start, Report) {
  EXPECT_EQ(StartWith([](Model*) {
              const int nowhere = open("/dev/null", O_WRONLY);
              Require(WriteReport(nowhere), "the report is written");
            }),
            0);
}

TEST(Start, Fork) {
  EXPECT_EQ(StartWith([](Model*) {
              ForkPrepare();
              ForkParent();
            }),
            0);
}

TEST(Start, ThreadThatHasEnded) {
  EXPECT_EQ(StartWith([](Model* model) {
              ThreadExit();
              model->Do(Operation::kAllocate, 24, 1);
              model->Do(Operation::kAllocate, 100000, 1);
            }),
            0);
}

TEST(Start, RunOfAThreadThatHasEnded) {
  EXPECT_EQ(StartWith([](Model* model) {
              std::thread([model] {
                ThreadExit();
                model->Do(Operation::kAllocate, 100000, 1);
              }).join();
            }),
            0);
}

// A thread whose first call is to free another's block, in each tier.
TEST(Start, ThreadThatFreesFirst) {
  for (const size_t bytes : {24u, 20000u, 100000u, 20u << 20}) {
    EXPECT_EQ(StartWith([bytes](Model* model) {
                model->Do(Operation::kAllocate, bytes, 1);
                std::thread([model] {
                  model->FreeAll();
                  ThreadExit();
                }).join();
              }),
              0);
  }
}

// The region map stays as the loader made it, at the price of commit charge.
TEST(Start, WithoutTheReadOnlyMap) {
  EXPECT_EQ(StartWith([](Model* model) {
              FakeOs::RefuseKind(OsCall::kMapZeroReadOnly, 1, kNever);
              model->Do(Operation::kAllocate, 24, 1);
            }),
            0);
}

TEST(Start, TheReadOnlyMapIsMadeOnce) {
  EXPECT_EQ(StartWith([](Model* model) {
              model->Do(Operation::kAllocate, 20 << 20, 1);
              model->Do(Operation::kAllocate, 24, 1);
              std::thread([model] {
                model->Do(Operation::kAllocate, 24, 1);
                ThreadExit();
              }).join();
              Require(FakeOs::CallsOf(OsCall::kMapZeroReadOnly) == 1 &&
                          FakeOs::CallsOf(OsCall::kPlaceZeroReadOnly) == 1,
                      "the region map and the key table start once");
            }),
            0);
}

}  // namespace
}  // namespace tally::testing
