// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Threads that come, go, hand blocks to each other, and free after their end.

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/shim/preloaded.h"

namespace {

long ResidentKb() {
  FILE* file = std::fopen("/proc/self/statm", "r");
  long pages = 0;
  EXPECT(std::fscanf(file, "%*d %ld", &pages) == 1);
  std::fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

// 40 keys whose destructors allocate, free, and set other keys again.
constexpr int kKeys = 40;
pthread_key_t keys[kKeys];
std::atomic<int> destructions{0};

void DestroyValue(void* value) {
  const int key = *static_cast<int*>(value);
  void* more = std::malloc(static_cast<size_t>(key) * 50 + 1);
  std::memset(more, key, 1);
  std::free(more);
  std::free(value);
  if (destructions.fetch_add(1) % 3 == 0) {
    auto* again = static_cast<int*>(std::malloc(sizeof(int)));
    *again = key;
    pthread_setspecific(keys[key], again);
  }
}

struct LateOwner {
  std::vector<char*> blocks;
  ~LateOwner() {
    for (char* block : blocks) {
      std::free(block);
    }
    std::free(std::malloc(123));
  }
};
thread_local LateOwner late_owner;

void TestDestructors() {
  for (pthread_key_t& key : keys) {
    EXPECT(pthread_key_create(&key, DestroyValue) == 0);
  }
  for (int round = 0; round < 50; ++round) {
    std::thread([] {
      for (int i = 0; i < kKeys; ++i) {
        auto* value = static_cast<int*>(std::malloc(sizeof(int)));
        *value = i;
        pthread_setspecific(keys[i], value);
        late_owner.blocks.push_back(static_cast<char*>(std::malloc(1000)));
      }
    }).join();
  }
  EXPECT(destructions.load() >= 50 * kKeys);
}

void TestTurnover() {
  constexpr int kTurns = 10000;
  constexpr int kBlocks = 1000;
  long after_first = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    std::thread([] {
      static thread_local void* blocks[kBlocks];
      for (int i = 0; i < kBlocks; ++i) {
        blocks[i] = std::malloc(static_cast<size_t>(i % 500) + 16);
        std::memset(blocks[i], 1, 16);
      }
      for (void* block : blocks) {
        std::free(block);
      }
    }).join();
    if (turn == 99) {
      after_first = ResidentKb();
    }
  }
  const long growth_kb = ResidentKb() - after_first;
  std::printf("10,000 threads: %ld KiB more than after the first 100\n", growth_kb);
  EXPECT(growth_kb < 1024);
}

// Every thread frees what another allocated, and checks what it finds there.
void TestStorm() {
  constexpr int kThreads = 4;
  constexpr size_t kSlots = 2000;
  static std::atomic<unsigned char*> slots[kSlots];
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      unsigned seed = number + 1;
      while (!stop.load()) {
        const size_t bytes = static_cast<size_t>(rand_r(&seed)) % 700 + 9;
        auto* mine = static_cast<unsigned char*>(std::malloc(bytes));
        const auto mark = static_cast<unsigned char>(bytes);
        std::memset(mine, mark, bytes);
        mine[0] = mark;
        std::memcpy(mine + 1, &bytes, sizeof(bytes));
        unsigned char* other = slots[static_cast<size_t>(rand_r(&seed)) % kSlots].exchange(mine);
        if (other != nullptr) {
          size_t other_bytes = 0;
          std::memcpy(&other_bytes, other + 1, sizeof(other_bytes));
          const auto other_mark = static_cast<unsigned char>(other_bytes);
          wrong += other[0] != other_mark ||
                           other[other_bytes - 1] != (other_bytes > 9 ? other_mark : other[8])
                       ? 1
                       : 0;
          std::free(other);
        }
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(3));
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT(wrong.load() == 0);
}

// The consumer never allocates: what it frees must come home all the same.
void TestConsumer() {
  constexpr int kProducers = 8;
  constexpr size_t kQueue = 4096;
  static void* queue[kQueue];
  size_t queued = 0;
  std::mutex mutex;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < kProducers; ++number) {
    threads.emplace_back([&, number] {
      unsigned seed = number + 1;
      while (!stop.load()) {
        void* block = std::malloc(static_cast<size_t>(rand_r(&seed)) % 1000 + 1);
        std::memset(block, 1, 1);
        for (;;) {
          const std::lock_guard<std::mutex> lock(mutex);
          if (queued < kQueue) {
            queue[queued++] = block;
            break;
          }
          if (stop.load()) {
            std::free(block);
            break;
          }
        }
      }
    });
  }
  const long before_kb = ResidentKb();
  for (int i = 0; i < 20000; ++i) {
    const std::lock_guard<std::mutex> lock(mutex);
    while (queued > 0) {
      std::free(queue[--queued]);
    }
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  const long growth_kb = ResidentKb() - before_kb;
  std::printf("consumer that never allocates: %ld KiB more\n", growth_kb);
  EXPECT(growth_kb < 24 * 1024);  // 2 MiB live at most; pools of 8 heaps, magazines, batches
  while (queued > 0) {
    std::free(queue[--queued]);
  }
}

}  // namespace

int main() {
  TestDestructors();
  TestTurnover();
  TestStorm();
  TestConsumer();
  return Finish();
}
