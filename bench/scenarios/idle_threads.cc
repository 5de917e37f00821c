// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A hundred threads that each use one block of every size 16, 32 … 1024, free them, and wait: what
// idle threads cost. Prints the RSS of the whole process while they wait.
//
// Threads: two barriers; the main thread reads the RSS between them.

#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "bench/scenarios/memory.h"

namespace {

constexpr int kThreads = 100;
constexpr size_t kSizeStep = 16;
constexpr size_t kSizeMax = 1024;

void TouchEverySize() {
  void* blocks[kSizeMax / kSizeStep];
  size_t count = 0;
  for (size_t size = kSizeStep; size <= kSizeMax; size += kSizeStep) {
    blocks[count] = malloc(size);
    if (blocks[count] == nullptr) abort();
    memset(blocks[count], 1, size);
    ++count;
  }
  while (count > 0) free(blocks[--count]);
}

}  // namespace

int main() {
  std::barrier<> touched(kThreads + 1);
  std::barrier<> measured(kThreads + 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&touched, &measured] {
      TouchEverySize();
      touched.arrive_and_wait();
      measured.arrive_and_wait();
    });
  }
  touched.arrive_and_wait();
  const long resident_kb = bench::ResidentKb();
  measured.arrive_and_wait();
  for (std::thread& thread : threads) thread.join();
  printf("idle_threads_mb=%.2f\n", resident_kb / 1024.0);
}
