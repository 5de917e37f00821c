// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Containers for blocks on their way: bounded, and reused.

#include "allocator/batch.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace tally {
namespace {

TEST(BatchPool, ComesBackEmpty) {
  static constinit BatchPool batches;
  Batch* batch = batches.Get();
  ASSERT_NE(batch, nullptr);
  batch->count = 3;
  batch->bytes = 99;
  batches.Put(batch);
  EXPECT_EQ(batches.Get(), batch);
  EXPECT_EQ(batch->count, 0u);
  EXPECT_EQ(batch->bytes, 0u);
  EXPECT_EQ(batch->next, nullptr);
}

TEST(BatchPool, IsBounded) {
  static constinit BatchPool batches;
  std::set<Batch*> held;
  while (Batch* batch = batches.Get()) {
    ASSERT_TRUE(held.insert(batch).second);
    ASSERT_LE(held.size(), BatchPool::kBatchesMax);
  }
  EXPECT_EQ(held.size(), BatchPool::kBatchesMax);
  batches.Put(*held.begin());
  EXPECT_EQ(batches.Get(), *held.begin());
  EXPECT_EQ(batches.Get(), nullptr);
}

TEST(BatchPool, ChainsAreAsLongAsAskedAndEmpty) {
  static constinit BatchPool batches;
  Batch* chain = batches.GetChain(3);
  size_t count = 0;
  for (Batch* batch = chain; batch != nullptr; batch = batch->next) {
    EXPECT_EQ(batch->count, 0u);
    ++count;
  }
  EXPECT_EQ(count, 3u);
  batches.PutChain(chain, chain->next->next);
  EXPECT_EQ(batches.Get(), chain);
}

// What a stash got, it has or has given back: all batches there are can be had afterwards.
TEST(BatchStash, LosesNothingAndKeepsFew) {
  BatchStash stash;
  std::vector<Batch*> held;
  while (Batch* batch = stash.Get()) {
    ASSERT_EQ(batch->count, 0u);
    ASSERT_EQ(batch->next, nullptr);
    batch->count = 1;
    held.push_back(batch);
  }
  EXPECT_EQ(std::set<Batch*>(held.begin(), held.end()).size(), BatchPool::kBatchesMax);
  for (Batch* batch : held) {
    stash.Put(batch);
  }
  std::vector<Batch*> rest;
  while (Batch* batch = batch_pool.Get()) {
    rest.push_back(batch);
  }
  EXPECT_GE(rest.size(), BatchPool::kBatchesMax - kStashBatches);
  stash.ReturnAll();
  while (Batch* batch = batch_pool.Get()) {
    rest.push_back(batch);
  }
  EXPECT_EQ(rest.size(), BatchPool::kBatchesMax);
  for (Batch* batch : rest) {
    batch_pool.Put(batch);
  }
}

}  // namespace
}  // namespace tally
