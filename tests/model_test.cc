// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Random operations through the facade against the shadow map, with the books and every heap's
// invariants checked on the way. One thread at a time, but many of them in turn: each ends with
// blocks that later ones check and free.
//
// TALLY_MODEL_SEED repeats a run, TALLY_MODEL_STEPS lengthens it.

#include "tests/model.h"

#include <gtest/gtest.h>
#include <time.h>

#include <thread>

#include "allocator/options.h"

namespace tally::testing {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = getenv(name);
  return text == nullptr ? otherwise : strtoull(text, nullptr, 0);
}

uint64_t Seed() {
  const uint64_t seed =
      FromEnvironment("TALLY_MODEL_SEED", static_cast<uint64_t>(time(nullptr)) * 1000003u);
  printf("TALLY_MODEL_SEED=%llu repeats this run\n", static_cast<unsigned long long>(seed));
  fflush(stdout);
  return seed;
}

constexpr uint64_t kStepsPerCheck = 512;

void RunSteps(Model* model, Random* random, uint64_t steps) {
  for (uint64_t step = 1; step <= steps; ++step) {
    model->DoRandom(random);
    if (step % kStepsPerCheck == 0) {
      CheckBooksAgainst(model->shadow());
    }
  }
}

// Frees that the books derive, less those that debug builds count: only frees by threads past their
// end differ.
uint64_t UncountedFrees() {
  static Books books;
  TakeBooks(&books);
  uint64_t freed = 0;
  for (const ClassBooks& entry : books.classes) {
    freed += entry.freed;
  }
  return kChecks ? freed - books.counted_frees : 0;
}

TEST(Model, RandomOperations) {
  const uint64_t uncounted = UncountedFrees();
  const uint64_t steps = FromEnvironment("TALLY_MODEL_STEPS", 100000);
  Random random(Seed());
  Model model(Model::Memory::kPlenty, {});
  RunSteps(&model, &random, steps);
  model.shadow().CheckAll();
  EXPECT_EQ(UncountedFrees(), uncounted);
  model.FreeAll();
  CheckBooksAgainst(model.shadow());
  EXPECT_EQ(UncountedFrees(), uncounted);
}

TEST(Model, EachStepOfAShortRun) {
  Random random(Seed());
  Model model(Model::Memory::kPlenty, {.blocks = 200, .bytes = 8u << 20});
  for (int step = 0; step < 2000; ++step) {
    model.DoRandom(&random);
    CheckBooksAgainst(model.shadow());
    model.shadow().CheckAll();
  }
  model.FreeAll();
  CheckBooksAgainst(model.shadow());
}

TEST(Model, ThreadsInTurn) {
  const uint64_t steps = FromEnvironment("TALLY_MODEL_STEPS", 100000) / 4000;
  Random random(Seed());
  Model model(Model::Memory::kPlenty, {});
  for (int turn = 0; turn < 200; ++turn) {
    std::thread([&] {
      RunSteps(&model, &random, steps * 10);
      ThreadExit();
    }).join();
  }
  model.shadow().CheckAll();
  model.FreeAll();
  CheckBooksAgainst(model.shadow());
}

// Destructors of thread-local objects run after the thread's cache is gone.
TEST(Model, AfterThreadExit) {
  Random random(Seed());
  Model model(Model::Memory::kPlenty, {.blocks = 500, .bytes = 16u << 20});
  std::thread([&] {
    RunSteps(&model, &random, 2000);
    ThreadExit();
    RunSteps(&model, &random, 2000);
    model.shadow().CheckAll();
    model.FreeAll();
  }).join();
  CheckBooksAgainst(model.shadow());
}

// Few blocks of few sizes: pools empty, retire and come back all the time.
TEST(Model, FewBlocks) {
  Random random(Seed());
  Model model(Model::Memory::kPlenty, {.blocks = 24, .bytes = 64u << 20});
  for (int step = 0; step < 20000; ++step) {
    model.DoRandom(&random);
    if (random.Chance(1, 500)) {
      Trim();
      CheckBooksAgainst(model.shadow());
    }
  }
  model.FreeAll();
  CheckBooksAgainst(model.shadow());
}

// Purging at once makes every reuse of a pool a question of whether it is zero.
TEST(Model, NoDecay) {
  options.decay_ms = 0;
  Random random(Seed());
  Model model(Model::Memory::kPlenty, {.blocks = 300, .bytes = 64u << 20});
  RunSteps(&model, &random, 5000);
  model.FreeAll();
  CheckBooksAgainst(model.shadow());
  options.decay_ms = 1000;
}

TEST(Model, EverythingGoesBack) {
  Random random(Seed());
  Model model(Model::Memory::kPlenty, {});
  RunSteps(&model, &random, 10000);
  model.FreeAll();
  Trim();
  static Books books;
  TakeBooks(&books);
  EXPECT_EQ(books.live_blocks(), 0u);
  EXPECT_EQ(books.identity.live, 0u);
  EXPECT_EQ(books.identity.cached, 0u);
  EXPECT_EQ(books.identity.transit, 0u);
  EXPECT_EQ(books.identity.free_in_pools, 0u);
  EXPECT_EQ(books.identity.tails, 0u);
  EXPECT_EQ(books.identity.dirty, 0u);
  EXPECT_EQ(books.identity.sum(), books.mapped_bytes);
}

}  // namespace
}  // namespace tally::testing
