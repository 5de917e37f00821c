// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A program with a ledger of its own: threads allocate, free, resize and hand blocks to each other,
// and count what they do. Then all are quiet, the ledger is printed, and the process stops itself.
// Whoever reads its books from outside must find the same numbers.
//
// usage: ledger_program SEED BASELINE
// Writes the books from before the traffic to BASELINE, as JSON.

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "shim/tally.h"

namespace {

constexpr int kThreads = 4;
constexpr int kOperations = 30000;
constexpr size_t kSlots = 500;
constexpr size_t kClassBytesMax = 32 * 1024;
constexpr size_t kKinds = kClassBytesMax / 8 + 3;  // by usable bytes / 8, then large, then huge
constexpr size_t kLarge = kKinds - 2;
constexpr size_t kHuge = kKinds - 1;

struct Counts {
  int64_t allocated;
  int64_t freed;
};

// One thread's share. Static, so that the ledger itself allocates nothing.
struct Player {
  uint64_t random;
  void* blocks[kSlots];
  Counts ledger[kKinds];
};
Player players[kThreads];
std::atomic<void*> exchange[64];
pthread_barrier_t barrier;

uint64_t Next(Player& player) {
  player.random ^= player.random << 13;
  player.random ^= player.random >> 7;
  player.random ^= player.random << 17;
  return player.random;
}

size_t KindOf(void* block) {
  const size_t usable = tally_usable_size(block);
  // Huge blocks start at a multiple of 16 MiB, which no pool of a run does.
  const bool is_huge = reinterpret_cast<uintptr_t>(block) % (size_t{16} << 20) == 0;
  return usable <= kClassBytesMax ? usable / 8 : is_huge ? kHuge : kLarge;
}

void* Allocated(Player& player, void* block) {
  ++player.ledger[KindOf(block)].allocated;
  return block;
}

void Release(Player& player, void* block) {
  if (block != nullptr) {
    ++player.ledger[KindOf(block)].freed;
    free(block);
  }
}

size_t RequestBytes(Player& player) {
  const uint64_t kind = Next(player) % 1000;
  return kind == 0    ? (size_t{9} << 20) + Next(player) % 1000000
         : kind < 20  ? kClassBytesMax + 1 + Next(player) % 200000
         : kind < 200 ? Next(player) % kClassBytesMax
                      : Next(player) % 600;
}

void* Allocate(Player& player) {
  const size_t bytes = RequestBytes(player);
  switch (Next(player) % 4) {
    case 0:
      return Allocated(player, calloc(1, bytes));
    case 1:
      return Allocated(player, aligned_alloc(size_t{16} << Next(player) % 6, bytes));
    case 2:
      return Allocated(player, tally_malloc8(bytes));
    default:
      return Allocated(player, malloc(bytes));
  }
}

void* Resize(Player& player, void* block) {
  const size_t kind = KindOf(block);
  void* moved = realloc(block, RequestBytes(player) + 1);
  if (moved != block) {
    ++player.ledger[kind].freed;
    Allocated(player, moved);
  }
  return moved;
}

void* Play(void* argument) {
  auto& player = *static_cast<Player*>(argument);
  void* warm = malloc(1);  // so that the thread's own start is in the baseline
  free(warm);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < kOperations; ++i) {
    void*& block = player.blocks[Next(player) % kSlots];
    switch (Next(player) % 8) {
      case 0:
        if (block != nullptr) {
          block = Resize(player, block);
        }
        break;
      case 1:
        block = exchange[Next(player) % 64].exchange(block);  // freed by whoever draws it
        break;
      default:
        Release(player, block);
        block = Next(player) % 3 == 0 ? nullptr : Allocate(player);
    }
  }
  pthread_barrier_wait(&barrier);
  for (;;) {
    pause();
  }
}

void PrintLedger() {
  char line[128];
  for (size_t kind = 0; kind < kKinds; ++kind) {
    Counts sum{};
    for (const Player& player : players) {
      sum.allocated += player.ledger[kind].allocated;
      sum.freed += player.ledger[kind].freed;
    }
    if (sum.allocated != 0) {
      const int length =
          snprintf(line, sizeof(line), "%zu %lld %lld\n",
                   kind == kLarge  ? size_t{1}
                   : kind == kHuge ? size_t{2}
                                   : kind * 8,
                   static_cast<long long>(sum.allocated), static_cast<long long>(sum.freed));
      if (write(STDOUT_FILENO, line, static_cast<size_t>(length)) != length) {
        _exit(3);
      }
    }
  }
  if (write(STDOUT_FILENO, "end\n", 4) != 4) {
    _exit(3);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  const uint64_t seed = strtoull(argv[1], nullptr, 10);
  pthread_barrier_init(&barrier, nullptr, kThreads + 1);
  for (int i = 0; i < kThreads; ++i) {
    players[i].random = seed * 1000 + static_cast<uint64_t>(i) + 1;
    pthread_t thread;
    pthread_create(&thread, nullptr, Play, &players[i]);
  }
  pthread_barrier_wait(&barrier);
  if (tally_dump(argv[2], "json") != 0) {
    return 3;
  }
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  PrintLedger();
  raise(SIGSTOP);
  pause();
  return 0;
}
