// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The model with several threads: each works on blocks of its own and hands some over to others,
// who check and free them; threads come and go. At the end the books must be empty and add up.

#include <gtest/gtest.h>
#include <time.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "allocator/options.h"
#include "tests/model.h"

namespace tally::testing {
namespace {

// Where blocks change hands.
class Mailbox {
 public:
  void Put(const ShadowBlock& block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    blocks_.push_back(block);
  }
  bool Take(Random* random, ShadowBlock* block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (blocks_.empty()) {
      return false;
    }
    std::swap(blocks_[random->Below(blocks_.size())], blocks_.back());
    *block = blocks_.back();
    blocks_.pop_back();
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<ShadowBlock> blocks_;
};

uint64_t StepsPerThread() {
  const char* text = getenv("TALLY_MODEL_STEPS");
  return text == nullptr ? 4000 : strtoull(text, nullptr, 0) / 24;
}

uint64_t Seed() {
  const char* text = getenv("TALLY_MODEL_SEED");
  const uint64_t seed = text != nullptr ? strtoull(text, nullptr, 0)
                                        : static_cast<uint64_t>(time(nullptr)) * 1000003u;
  printf("TALLY_MODEL_SEED=%llu chooses these operations\n", static_cast<unsigned long long>(seed));
  fflush(stdout);
  return seed;
}

// One thread's life. What it still holds at its end goes to the mailbox.
void Live(uint64_t seed, uint64_t steps, Mailbox* mailbox) {
  Random random(seed);
  Model model(Model::Memory::kPlenty, {.blocks = 600, .bytes = 24u << 20});
  ShadowMap& shadow = model.shadow();
  for (uint64_t step = 0; step < steps; ++step) {
    model.DoRandom(&random);
    ShadowBlock block;
    if (shadow.size() != 0 && random.Chance(1, 6)) {
      mailbox->Put(shadow.Remove(random.Below(shadow.size())));
    }
    if (random.Chance(1, 6) && mailbox->Take(&random, &block)) {
      shadow.Adopt(block);
      shadow.Check(block);
    }
  }
  while (shadow.size() != 0) {
    mailbox->Put(shadow.Remove(shadow.size() - 1));
  }
  ThreadExit();
}

// Everything was freed and every thread but this one is gone.
void ExpectEmptyBooks() {
  Trim();
  static Books books;
  TakeBooks(&books);
  EXPECT_EQ(books.identity.sum(), books.mapped_bytes);
  EXPECT_EQ(books.live_blocks(), 0u);
  EXPECT_EQ(books.identity.live, 0u);
  EXPECT_EQ(books.identity.cached, 0u);
  EXPECT_EQ(books.identity.transit, 0u);
  EXPECT_EQ(books.identity.free_in_pools, 0u);
  uint64_t freed = 0;
  for (const ClassBooks& entry : books.classes) {
    EXPECT_EQ(entry.allocated, entry.freed);
    freed += entry.freed;
  }
  if (kChecks) {
    EXPECT_EQ(freed, books.counted_frees);
  }
}

void RunThreads(int threads, int generations) {
  Random seeds(Seed());
  Mailbox mailbox;
  std::vector<std::thread> slots;
  for (int i = 0; i < threads; ++i) {
    const uint64_t seed = seeds.Next();
    slots.emplace_back([=, &mailbox] {
      Random mine(seed);
      for (int generation = 0; generation < generations; ++generation) {
        std::thread(Live, mine.Next(), StepsPerThread() / static_cast<uint64_t>(generations),
                    &mailbox)
            .join();
      }
    });
  }
  for (std::thread& slot : slots) {
    slot.join();
  }
  Random random(1);
  ShadowMap rest;  // adopts all, so that overlaps between threads' blocks show
  for (ShadowBlock block; mailbox.Take(&random, &block);) {
    rest.Adopt(block);
  }
  rest.CheckAll();
  CheckBooksAgainst(rest);
  while (rest.size() != 0) {
    Free(rest.Remove(rest.size() - 1).start);
  }
  ExpectEmptyBooks();
}

TEST(ThreadModel, TwoThreads) { RunThreads(2, 1); }

TEST(ThreadModel, FourThreadsThatComeAndGo) { RunThreads(4, 12); }

// Four threads on two heaps: magazines apart, pools together.
TEST(ThreadModel, SharedHeaps) {
  options.heaps_per_cpu = 1;
  RunThreads(6, 3);
  options.heaps_per_cpu = 4;
}

TEST(ThreadModel, NoDecay) {
  options.decay_ms = 0;
  RunThreads(3, 2);
  options.decay_ms = 1000;
}

// One thread only allocates, the others only free: blocks go home in batches.
TEST(ThreadModel, ProducerAndConsumers) {
  Mailbox mailbox;
  std::atomic<bool> is_done{false};
  std::vector<std::thread> consumers;
  for (uint64_t i = 0; i < 3; ++i) {
    consumers.emplace_back([&, i] {
      Random random(i);
      ShadowMap shadow;
      for (ShadowBlock block;;) {
        const bool was_done = is_done.load(std::memory_order_acquire);
        if (mailbox.Take(&random, &block)) {
          shadow.Adopt(block);
          Free(shadow.Remove(0).start);
        } else if (was_done) {
          break;
        } else {
          std::this_thread::yield();
        }
      }
      ThreadExit();
    });
  }
  Random random(Seed());
  for (uint64_t i = 0; i < StepsPerThread() * 4; ++i) {
    const size_t bytes = random.Below(2000) + 1;
    ShadowMap shadow;
    shadow.Add(Allocate(bytes), bytes, PromisedAlignment(bytes), random.Next());
    mailbox.Put(shadow.Remove(0));
  }
  is_done.store(true, std::memory_order_release);
  for (std::thread& consumer : consumers) {
    consumer.join();
  }
  ExpectEmptyBooks();
}

}  // namespace
}  // namespace tally::testing
