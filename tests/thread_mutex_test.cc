// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The lock that knows its owner.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "allocator/mutex.h"

namespace tally {
namespace {

TEST(Mutex, KnowsItsOwner) {
  Mutex mutex;
  EXPECT_FALSE(mutex.IsHeldByMe());
  mutex.Lock();
  EXPECT_TRUE(mutex.IsHeldByMe());
  std::thread([&] {
    EXPECT_FALSE(mutex.IsHeldByMe());
    EXPECT_FALSE(mutex.TryLock());
  }).join();
  mutex.Unlock();
  EXPECT_FALSE(mutex.IsHeldByMe());
  EXPECT_TRUE(mutex.TryLock());
  mutex.Unlock();
}

TEST(Mutex, ExcludesOthers) {
  Mutex mutex;
  uint64_t count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20000; ++round) {
        const MutexLock lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(count, 160000u);
}

TEST(Mutex, SleepersWake) {
  Mutex mutex;
  std::atomic<int> done{0};
  mutex.Lock();
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      const MutexLock lock(mutex);
      ++done;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(done.load(), 0);
  mutex.Unlock();
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(done.load(), 6);
}

TEST(Mutex, TakenForForkLetsItsThreadThrough) {
  Mutex mutex;
  mutex.LockForFork();
  {
    const MutexLock first(mutex);
    const MutexLock second(mutex);
    EXPECT_TRUE(mutex.IsHeldByMe());
  }
  EXPECT_TRUE(mutex.IsHeldByMe());
  std::thread([&] { EXPECT_FALSE(mutex.TryLock()); }).join();
  mutex.UnlockAfterFork();
  EXPECT_FALSE(mutex.IsHeldByMe());
}

TEST(Mutex, ForkInsideALockLeavesItHeld) {
  Mutex mutex;
  mutex.Lock();
  mutex.LockForFork();
  mutex.UnlockAfterFork();
  EXPECT_TRUE(mutex.IsHeldByMe());
  mutex.Unlock();
  EXPECT_FALSE(mutex.IsHeldByMe());
}

}  // namespace
}  // namespace tally
