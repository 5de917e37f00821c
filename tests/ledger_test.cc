// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The books against a ledger. Threads do known traffic (random sizes, alignments, realloc, huge
// blocks, frees of each other's blocks, a fork) and write down what they did; at quiet points every
// counter of the books must say the same, to the block and to the byte.
//
// TALLY_LEDGER_SEEDS is the number of seeds, 20 by default.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <barrier>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "allocator/allocator.h"
#include "allocator/books.h"
#include "allocator/mapped.h"
#include "tests/shadow_map.h"

namespace tally {
namespace {

using testing::Random;

constexpr int kThreads = 4;
constexpr int kQuietPoints = 4;
constexpr int kOperations = 7000;  // a thread, between two quiet points
constexpr size_t kLiveMax = 1500;  // blocks a thread
constexpr size_t kKiB = 1024;

// What one kind of block was counted. Ends count, starts count; live is the difference.
struct Entry {
  int64_t allocated = 0;
  int64_t freed = 0;
  int64_t live_bytes = 0;
  int64_t requested_bytes = 0;

  void Add(const Entry& other) {
    allocated += other.allocated;
    freed += other.freed;
    live_bytes += other.live_bytes;
    requested_bytes += other.requested_bytes;
  }
};

// By the size of the class; blocks without one under these.
constexpr size_t kLarge = 1;
constexpr size_t kHuge = 2;
using Ledger = std::map<size_t, Entry>;

struct Block {
  void* start;
  size_t request;
  size_t usable;
  size_t kind;
};

size_t KindOf(const void* start, size_t usable) {
  if (region_map.Lookup(start) == Granule::kHuge) {
    return kHuge;
  }
  return Pool::Of(start)->kind.load() == PoolKind::kLarge ? kLarge : usable;
}

class Player {
 public:
  explicit Player(uint64_t seed) : random_(seed) {}

  void Play(int operations, std::vector<Player>& all) {
    for (int i = 0; i < operations; ++i) {
      const uint64_t choice = random_.Below(100);
      if (blocks_.size() >= kLiveMax || (choice < 30 && !blocks_.empty())) {
        Free(TakeAny());
      } else if (choice < 40 && !blocks_.empty()) {
        Resize(&blocks_[random_.Below(blocks_.size())]);
      } else if (choice < 50 && !blocks_.empty()) {
        all[random_.Below(all.size())].Send(TakeAny());
      } else if (choice < 55) {
        FreeReceived();
      } else {
        Allocate();
      }
    }
  }

  void FreeAll() {
    FreeReceived();
    while (!blocks_.empty()) {
      Free(TakeAny());
    }
  }

  const Ledger& ledger() const { return ledger_; }

 private:
  size_t AnySize() {
    const uint64_t choice = random_.Below(3000);
    if (choice == 0) {
      return (size_t{9} << 20) + random_.Below(20 << 20);
    }
    if (choice < 60) {
      return 33 * kKiB + random_.Below(600 * kKiB);
    }
    return choice < 400 ? random_.Below(33 * kKiB) : random_.Below(700);
  }

  void Allocate() {
    const size_t request = AnySize();
    void* start = nullptr;
    switch (random_.Below(8)) {
      case 0:
        start = AllocateZeroed(request);
        break;
      case 1:
        start = Allocate8(request == 0 ? 1 : request);
        break;
      case 2:
        start = AllocateAligned(request, size_t{1} << random_.Below(15));
        break;
      default:
        start = tally::Allocate(request);
    }
    ASSERT_NE(start, nullptr);
    const Block block = Describe(start, request);
    Count(block, +1);
    ++ledger_[block.kind].allocated;
    blocks_.push_back(block);
  }

  void Resize(Block* block) {
    const size_t request = AnySize() + 1;
    void* start = Reallocate(block->start, request);
    ASSERT_NE(start, nullptr);
    const Block resized = Describe(start, request);
    Count(*block, -1);
    Count(resized, +1);
    if (start != block->start) {  // moved: one of each; in place: neither
      ++ledger_[block->kind].freed;
      ++ledger_[resized.kind].allocated;
    }
    *block = resized;
  }

  void Free(const Block& block) {
    Count(block, -1);
    ++ledger_[block.kind].freed;
    // What malloc gives for the class's own size: no contradiction.
    if (block.kind > kHuge && block.usable % kMallocAlignment == 0 && random_.Chance(1, 3)) {
      FreeSized(block.start, block.usable);
    } else {
      tally::Free(block.start);
    }
  }

  static Block Describe(void* start, size_t request) {
    const size_t usable = UsableSize(start);
    return {start, request == 0 ? 1 : request, usable, KindOf(start, usable)};
  }

  void Count(const Block& block, int64_t sign) {
    Entry& entry = ledger_[block.kind];
    entry.live_bytes += sign * static_cast<int64_t>(block.usable);
    entry.requested_bytes += sign * static_cast<int64_t>(block.request);
  }

  Block TakeAny() {
    std::swap(blocks_[random_.Below(blocks_.size())], blocks_.back());
    const Block block = blocks_.back();
    blocks_.pop_back();
    return block;
  }

  void Send(const Block& block) {
    const std::lock_guard lock(*received_mutex_);
    received_.push_back(block);
  }

  void FreeReceived() {
    std::vector<Block> received;
    {
      const std::lock_guard lock(*received_mutex_);
      received.swap(received_);
    }
    for (const Block& block : received) {
      Free(block);
    }
  }

  Random random_;
  std::vector<Block> blocks_;
  Ledger ledger_;
  std::unique_ptr<std::mutex> received_mutex_ = std::make_unique<std::mutex>();
  std::vector<Block> received_;
};

Books Take() {
  Books books;
  TakeBooks(&books);
  return books;
}

void ExpectTier(const TierBooks& now, const TierBooks& before, const Entry& expected) {
  EXPECT_EQ(static_cast<int64_t>(now.allocated - before.allocated), expected.allocated);
  EXPECT_EQ(static_cast<int64_t>(now.freed - before.freed), expected.freed);
  EXPECT_EQ(static_cast<int64_t>(now.live - before.live), expected.allocated - expected.freed);
  EXPECT_EQ(static_cast<int64_t>(now.live_bytes - before.live_bytes), expected.live_bytes);
  EXPECT_EQ(static_cast<int64_t>(now.requested_bytes - before.requested_bytes),
            expected.requested_bytes);
}

void ExpectBooksAgree(const Books& before, const std::vector<Player>& players) {
  Ledger sum;
  for (const Player& player : players) {
    for (const auto& [kind, entry] : player.ledger()) {
      sum[kind].Add(entry);
    }
  }
  const Books now = Take();
  EXPECT_EQ(now.identity.sum(), now.mapped_bytes);
  EXPECT_EQ(mapped::NowBytes(), now.mapped_bytes) << "two ways to the same sum";
  EXPECT_GE(now.mapped_peak_bytes, now.mapped_bytes);
  ExpectTier(now.large, before.large, sum[kLarge]);
  ExpectTier(now.huge, before.huge, sum[kHuge]);
  for (size_t c = 1; c < kAscendingClasses; ++c) {
    const size_t bytes = BlockBytes(static_cast<SizeClass>(c));
    const Entry expected = sum[bytes];
    const ClassBooks& entry = now.classes[c];
    const ClassBooks& old = before.classes[c];
    EXPECT_EQ(static_cast<int64_t>(entry.allocated - old.allocated), expected.allocated) << bytes;
    EXPECT_EQ(static_cast<int64_t>(entry.freed - old.freed), expected.freed) << bytes;
    EXPECT_EQ(static_cast<int64_t>(entry.live - old.live), expected.allocated - expected.freed)
        << bytes;
  }
  EXPECT_EQ(now.mismatched_sizes, before.mismatched_sizes);
}

// The child has its parent's books, and from there on its own.
void ExpectChildAgrees(const Books& before, std::vector<Player>& players) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    ExpectBooksAgree(before, players);
    players[0].Play(kOperations / 10, players);
    ExpectBooksAgree(before, players);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

void PlayWithSeed(uint64_t seed) {
  const Books before = Take();
  std::vector<Player> players;
  for (uint64_t i = 0; i <= kThreads; ++i) {
    players.emplace_back(seed * 1000 + i);  // the last one plays in the main thread
  }
  std::barrier quiet(kThreads + 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int point = 0; point < kQuietPoints; ++point) {
        players[static_cast<size_t>(i)].Play(kOperations, players);
        quiet.arrive_and_wait();  // the books are read
        quiet.arrive_and_wait();
      }
      ThreadExit();
    });
  }
  for (int point = 0; point < kQuietPoints; ++point) {
    players.back().Play(kOperations, players);
    quiet.arrive_and_wait();
    ExpectBooksAgree(before, players);
    if (point == 1) {
      ExpectChildAgrees(before, players);
      ExpectBooksAgree(before, players);
    }
    quiet.arrive_and_wait();
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  ExpectBooksAgree(before, players);
  for (Player& player : players) {
    player.FreeAll();
  }
  ExpectBooksAgree(before, players);
  Trim();
  ExpectBooksAgree(before, players);
}

TEST(Ledger, TheBooksSayWhatThreadsDid) {
  const char* wanted = getenv("TALLY_LEDGER_SEEDS");
  const int seeds = wanted != nullptr ? atoi(wanted) : 20;
  for (int seed = 1; seed <= seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PlayWithSeed(static_cast<uint64_t>(seed));
  }
}

}  // namespace
}  // namespace tally
