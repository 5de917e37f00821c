// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Producers and consumers: two threads build messages of random size, two others read and free
// them, so that every block is freed by a thread that did not allocate it. The queue holds a
// bounded number of batches, so the live memory is bounded too. Prints the sum of the bytes read,
// which does not depend on who read them.
//
// Threads: Queue's mutex guards everything in it; a batch belongs to whoever holds it.

#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "bench/random.h"

namespace {

constexpr int kProducers = 2;
constexpr int kConsumers = 2;
constexpr int kBatchesPerProducer = 16000;
constexpr size_t kMessagesPerBatch = 500;  // so many that the queue is not what is measured
constexpr size_t kQueuedBatchesMax = 13;
constexpr size_t kSizeMin = 16;
constexpr size_t kSizeMax = 1024;

struct Message {
  uint32_t size;
  unsigned char text[];
};

using Batch = std::vector<Message*>;

class Queue {
 public:
  void Push(Batch batch) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [this] { return batches_.size() < kQueuedBatchesMax; });
    batches_.push_back(std::move(batch));
    has_batches_.notify_one();
  }

  // False at the end of the queue's life: closed and empty.
  bool Pop(Batch& batch) {
    std::unique_lock lock(mutex_);
    has_batches_.wait(lock, [this] { return closed_ || !batches_.empty(); });
    if (batches_.empty()) return false;
    batch = std::move(batches_.front());
    batches_.pop_front();
    has_room_.notify_one();
    return true;
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    has_batches_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_room_;
  std::condition_variable has_batches_;
  std::deque<Batch> batches_;
  bool closed_ = false;
};

void Produce(Queue& queue, uint64_t seed) {
  bench::Random random(seed);
  for (int i = 0; i < kBatchesPerProducer; ++i) {
    Batch batch;
    for (size_t j = 0; j < kMessagesPerBatch; ++j) {
      const size_t size = random.Skewed(kSizeMin, kSizeMax);
      auto* message = static_cast<Message*>(malloc(sizeof(Message) + size));
      if (message == nullptr) abort();
      message->size = static_cast<uint32_t>(size);
      memset(message->text, static_cast<int>(j), size);
      batch.push_back(message);
    }
    queue.Push(std::move(batch));
  }
}

void Consume(Queue& queue, uint64_t& sum) {
  Batch batch;
  while (queue.Pop(batch)) {
    for (Message* message : batch) {
      sum += message->size + message->text[0] + message->text[message->size - 1];
      free(message);
    }
  }
}

}  // namespace

int main() {
  Queue queue;
  std::vector<std::thread> producers;
  std::vector<std::thread> consumers;
  uint64_t sums[kConsumers] = {};
  for (int i = 0; i < kConsumers; ++i) {
    consumers.emplace_back([&queue, &sums, i] {
      uint64_t sum = 0;
      Consume(queue, sum);
      sums[i] = sum;
    });
  }
  for (int i = 0; i < kProducers; ++i) {
    producers.emplace_back([&queue, i] { Produce(queue, 30 + i); });
  }
  for (std::thread& producer : producers) producer.join();
  queue.Close();
  for (std::thread& consumer : consumers) consumer.join();
  uint64_t sum = 0;
  for (const uint64_t part : sums) sum += part;
  printf("handoff %llu\n", static_cast<unsigned long long>(sum));
}
