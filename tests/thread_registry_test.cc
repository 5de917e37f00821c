// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Threads and heaps: one each up to the limit, shared beyond, parked and adopted after.

#include <gtest/gtest.h>

#include <barrier>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "allocator/allocator.h"
#include "allocator/books.h"
#include "allocator/options.h"
#include "allocator/os.h"
#include "tests/model.h"

namespace tally {
namespace {

Books Take() {
  static Books books;
  TakeBooks(&books);
  return books;
}

// Runs body(i) on `count` threads that are all there at once; each ends with ThreadExit.
template <typename Body>
void OnThreads(int count, Body body) {
  std::barrier all_here(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      Free(Allocate(1));
      all_here.arrive_and_wait();
      body(i);
      all_here.arrive_and_wait();
      ThreadExit();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

std::map<Heap*, int> HeapsOf(int threads) {
  std::mutex mutex;
  std::map<Heap*, int> users;
  OnThreads(threads, [&](int) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++users[thread_cache->heap()];
  });
  return users;
}

TEST(Registry, ThreadsShareHeapsEvenlyBeyondTheLimit) {
  options.heaps_per_cpu = 2;
  const auto limit = static_cast<int>(2 * os::CpuCount());
  EXPECT_EQ(HeapsOf(limit).size(), static_cast<size_t>(limit));
  const std::map<Heap*, int> users = HeapsOf(limit * 3);
  EXPECT_EQ(users.size(), static_cast<size_t>(limit));
  for (const auto& [heap, count] : users) {
    EXPECT_EQ(count, 3);
    EXPECT_EQ(heap->users(), 0u) << "parked again";
  }
  options.heaps_per_cpu = 4;
}

TEST(Registry, ZeroHeapsPerCpuIsOne) {
  options.heaps_per_cpu = 0;
  EXPECT_GE(HeapsOf(5).size(), 1u);
  options.heaps_per_cpu = 4;
}

TEST(Registry, AParkedHeapIsAdoptedWithItsPools) {
  void* block = nullptr;
  Heap* heap = nullptr;
  std::thread([&] {
    block = Allocate(40);
    heap = thread_cache->heap();
    ThreadExit();
  }).join();
  EXPECT_EQ(heap->users(), 0u);
  bool is_adopted = false;
  OnThreads(static_cast<int>(Take().heaps), [&](int) {
    if (thread_cache->heap() == heap) {
      is_adopted = true;
      void* second = Allocate(40);
      EXPECT_EQ(Pool::Of(second), Pool::Of(block)) << "the lowest partly free pool";
      Free(second);
      Free(block);
    }
  });
  EXPECT_TRUE(is_adopted);
}

TEST(Registry, ThreadsThatComeAndGoLeaveNoGrowth) {
  const auto live = [] {
    std::thread([] {
      Free(Allocate(100));
      Free(Allocate(5000));
      ThreadExit();
    }).join();
  };
  live();
  const Books before = Take();
  for (int i = 0; i < 2000; ++i) {
    live();
  }
  const Books after = Take();
  EXPECT_EQ(after.threads_started, before.threads_started + 2000);
  EXPECT_EQ(after.heaps, before.heaps);
  EXPECT_EQ(after.identity.metadata, before.identity.metadata);
  EXPECT_EQ(after.mapped_bytes, before.mapped_bytes);
  EXPECT_EQ(after.live_threads, before.live_threads);
}

TEST(Registry, FortyThreadsAtOnce) {
  std::vector<uint64_t> counts(40);
  OnThreads(40, [&](int i) {
    testing::Random random(static_cast<uint64_t>(i));
    testing::Model model(testing::Model::Memory::kPlenty, {.blocks = 50, .bytes = 2u << 20});
    for (int step = 0; step < 400; ++step) {
      model.DoRandom(&random);
    }
    model.FreeAll();
    counts[static_cast<size_t>(i)] = 1;
  });
  EXPECT_EQ(counts, std::vector<uint64_t>(40, 1));
  const Books books = Take();
  EXPECT_EQ(books.identity.sum(), books.mapped_bytes);
  EXPECT_EQ(books.live_blocks(), 0u);
  EXPECT_GE(books.peak_threads, 40u);
}

// Posts to a heap whose thread is gone do not wait for a thread that may never come.
TEST(Registry, LateFreesFindTheirWayHome) {
  std::vector<void*> blocks;
  std::thread([&] {
    for (int i = 0; i < 5000; ++i) {
      blocks.push_back(Allocate(static_cast<size_t>(i) % 700 + 1));
    }
    ThreadExit();
  }).join();
  std::thread([&] {
    for (void* block : blocks) {
      Free(block);
    }
    ThreadExit();
  }).join();
  const Books books = Take();
  EXPECT_EQ(books.live_blocks(), 0u);
  EXPECT_EQ(books.identity.transit, 0u);
}

TEST(Registry, EachThreadsStartIsAnnouncedOnce) {
  static std::atomic<int> starts{0};
  thread_start_hook = [] { ++starts; };
  OnThreads(6, [](int) {
    for (int i = 0; i < 100; ++i) {
      Free(Allocate(static_cast<size_t>(i) * 100));
    }
  });
  thread_start_hook = nullptr;
  EXPECT_EQ(starts.load(), 6);
}

TEST(Registry, TheForkingThreadMayAllocateBetweenTheHandlers) {
  void* block = Allocate(64);
  OnThreads(3, [&](int i) {
    void* mine = Allocate(64);
    if (i == 0) {
      ForkPrepare();
      Free(Allocate(64));  // other libraries' handlers allocate between ours
      ForkParent();
    }
    Free(mine);
  });
  Free(block);
  EXPECT_EQ(Take().live_blocks(), 0u);
}

}  // namespace
}  // namespace tally
