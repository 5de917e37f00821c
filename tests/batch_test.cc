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

}  // namespace
}  // namespace tally
