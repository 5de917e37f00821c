// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// fork between ForkPrepare and its partners, with other threads in the middle of their work: the
// child goes on alone, with every lock free and every block where it was.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/model.h"

namespace tally::testing {
namespace {

// Forks as the shim does. The child runs `work` and ends; returns its wait status.
template <typename Work>
int ForkAndRun(Work work) {
  fflush(nullptr);
  ForkPrepare();
  const pid_t child = fork();
  if (child == 0) {
    ForkChild();
    work();
    _exit(0);
  }
  ForkParent();
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

class ForkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t i = 0; i < 3; ++i) {
      threads_.emplace_back([this, i] {
        Random random(i);
        Model model(Model::Memory::kPlenty, {.blocks = 300, .bytes = 8u << 20});
        while (!is_done_.load(std::memory_order_relaxed)) {
          model.DoRandom(&random);
        }
        model.FreeAll();
        ThreadExit();
      });
    }
  }
  void TearDown() override {
    is_done_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  std::atomic<bool> is_done_{false};
  std::vector<std::thread> threads_;
};

TEST_F(ForkTest, TheChildGoesOn) {
  Model model(Model::Memory::kPlenty, {});
  Random random(9);
  for (int round = 0; round < 30; ++round) {
    for (int step = 0; step < 50; ++step) {
      model.DoRandom(&random);
    }
    ASSERT_EQ(ForkAndRun([&] {
                // The orphans' heaps can be locked, trimmed and walked.
                Trim();
                static Books books;
                TakeBooks(&books);
                if (books.identity.sum() != books.mapped_bytes || books.live_threads != 1) {
                  abort();
                }
                model.shadow().CheckAll();
                for (int step = 0; step < 50; ++step) {
                  model.DoRandom(&random);
                }
                model.FreeAll();
              }),
              0);
    model.shadow().CheckAll();
  }
  model.FreeAll();
}

// New threads of the child take over the caches of those that are gone.
TEST_F(ForkTest, OrphanedCachesAreAdopted) {
  Free(Allocate(1));
  ASSERT_EQ(ForkAndRun([] {
              static Books before;
              TakeBooks(&before);
              for (int i = 0; i < 6; ++i) {
                std::thread([] {
                  Random random(1);
                  Model model(Model::Memory::kPlenty, {.blocks = 100, .bytes = 1u << 20});
                  for (int step = 0; step < 300; ++step) {
                    model.DoRandom(&random);
                  }
                  model.FreeAll();
                  ThreadExit();
                }).join();
              }
              static Books after;
              TakeBooks(&after);
              if (after.heaps != before.heaps || after.identity.sum() != after.mapped_bytes) {
                abort();
              }
            }),
            0);
}

}  // namespace
}  // namespace tally::testing
