// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the allocator must have handed out, kept beside it: every live block with its size, its
// alignment and a pattern over all its usable bytes.
//
// Used by the model tests, the failure tests and the fuzz target. Uses the C++ library's heap,
// which in these programs is not ours.
//
// Invariants: blocks do not overlap; each holds its pattern whenever it is looked at; the usable
// size stays what it was.
// Threads: an object belongs to one thread. Blocks change hands through Remove and Adopt.

#ifndef TESTS_SHADOW_MAP_H_
#define TESTS_SHADOW_MAP_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <vector>

#include "allocator/allocator.h"
#include "allocator/books.h"

namespace tally::testing {

// SplitMix64 (Steele, Lea, Flood, 2014): any seed will do, and equal seeds give equal runs.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 0..limit-1. REQUIRES: limit > 0.
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  // True `parts` times in `whole`.
  bool Chance(uint64_t parts, uint64_t whole) { return Below(whole) < parts; }

 private:
  uint64_t state_;
};

struct ShadowBlock {
  unsigned char* start = nullptr;
  size_t request = 0;
  size_t usable = 0;
  size_t alignment = 0;
  uint64_t pattern = 0;
};

// Says what is wrong and ends the program: after a broken heap there is nothing to go on with.
[[noreturn]] inline void ShadowFailure(const char* what, const ShadowBlock& block) {
  fprintf(stderr, "shadow map: %s: block %p, asked for %zu, usable %zu, alignment %zu\n", what,
          static_cast<void*>(block.start), block.request, block.usable, block.alignment);
  abort();
}

// Small blocks are patterned whole; of larger ones the first bytes of each page, or of each ninth,
// and the last bytes, so that a test of huge blocks does not turn into a test of memset.
constexpr size_t kWholePatternBytes = 4096;
constexpr size_t kEachPageBytes = 256 * 1024;
constexpr size_t kPatternPieceBytes = 64;

inline unsigned char PatternByte(uint64_t pattern, size_t offset) {
  return static_cast<unsigned char>(pattern >> (offset % 8 * 8)) ^
         static_cast<unsigned char>(offset >> 3);
}

// Calls visit(begin, end) for the patterned pieces of a block of `usable` bytes below `limit`.
template <typename Visit>
void ForEachPiece(size_t usable, size_t limit, Visit visit) {
  if (usable <= kWholePatternBytes) {
    visit(size_t{0}, usable < limit ? usable : limit);
    return;
  }
  const size_t step = usable <= kEachPageBytes ? 4096 : 9 * 4096;
  for (size_t at = 0; at < limit; at += step) {
    visit(at, at + kPatternPieceBytes < limit ? at + kPatternPieceBytes : limit);
  }
  if (limit == usable) {
    visit(usable - kPatternPieceBytes, usable);
  }
}

inline void WritePattern(const ShadowBlock& block) {
  ForEachPiece(block.usable, block.usable, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      block.start[i] = PatternByte(block.pattern, i);
    }
  });
}

// Whether the first `limit` bytes at `start` are those that `block` had.
inline bool HoldsPattern(const unsigned char* start, const ShadowBlock& block, size_t limit) {
  bool holds = true;
  ForEachPiece(block.usable, limit < block.usable ? limit : block.usable,
               [&](size_t begin, size_t end) {
                 for (size_t i = begin; i < end; ++i) {
                   holds = holds && start[i] == PatternByte(block.pattern, i);
                 }
               });
  return holds;
}

inline bool IsZero(const unsigned char* start, size_t bytes) {
  bool is_zero = true;
  ForEachPiece(bytes, bytes, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      is_zero = is_zero && start[i] == 0;
    }
  });
  return is_zero;
}

// What malloc promises for a request.
inline size_t PromisedAlignment(size_t request) { return request > 8 ? kMallocAlignment : 8; }

class ShadowMap {
 public:
  size_t size() const { return order_.size(); }
  uint64_t usable_bytes() const { return usable_bytes_; }
  const ShadowBlock& at(size_t index) const { return blocks_.at(order_[index]); }

  // Enters a new block: checks its alignment, its size and that it is nobody's, and writes its
  // pattern.
  const ShadowBlock& Add(void* p, size_t request, size_t alignment, uint64_t pattern) {
    ShadowBlock block{static_cast<unsigned char*>(p), request, UsableSize(p), alignment, pattern};
    if (reinterpret_cast<uintptr_t>(p) % alignment != 0) {
      ShadowFailure("not aligned", block);
    }
    if (block.usable < request) {
      ShadowFailure("too small", block);
    }
    Adopt(block);
    WritePattern(block);
    return blocks_.at(block.start);
  }

  // Enters a block as it is.
  void Adopt(const ShadowBlock& block) {
    const auto next = blocks_.lower_bound(block.start);
    if (next != blocks_.end() && block.start + block.usable > next->first) {
      ShadowFailure("overlaps the next block", block);
    }
    if (next != blocks_.begin()) {
      const ShadowBlock& before = std::prev(next)->second;
      if (before.start + before.usable > block.start) {
        ShadowFailure("overlaps the block before", block);
      }
    }
    blocks_.emplace_hint(next, block.start, block);
    order_.push_back(block.start);
    usable_bytes_ += block.usable;
  }

  void Check(const ShadowBlock& block) const {
    if (UsableSize(block.start) != block.usable) {
      ShadowFailure("the usable size changed", block);
    }
    if (!HoldsPattern(block.start, block, block.usable)) {
      ShadowFailure("the content changed", block);
    }
  }
  void CheckAll() const {
    for (const auto& [start, block] : blocks_) {
      Check(block);
    }
  }

  // Takes the block out, checked. It is the caller's to free.
  ShadowBlock Remove(size_t index) {
    const ShadowBlock block = at(index);
    Check(block);
    order_[index] = order_.back();
    order_.pop_back();
    blocks_.erase(block.start);
    usable_bytes_ -= block.usable;
    return block;
  }

  // Adds this map's blocks to counts by the class of their size, as the books have it; index 0
  // counts large and huge ones.
  void CountByClass(std::vector<uint64_t>* counts) const {
    for (const auto& [start, block] : blocks_) {
      const bool has_class = region_map.Lookup(start) == Granule::kPools &&
                             Pool::Of(start)->head()->kind.load() == PoolKind::kBlocks;
      ++(*counts)[has_class ? ClassFor(Pool::Of(start)->head()->info().block_bytes) : 0];
    }
  }

 private:
  std::map<unsigned char*, ShadowBlock> blocks_;
  std::vector<unsigned char*> order_;
  uint64_t usable_bytes_ = 0;
};

// The books against the shadow: the identity, and live blocks class by class. REQUIRES: no other
// thread uses the allocator. Ends the program when they differ.
inline void CheckBooksAgainst(const ShadowMap& shadow) {
  static thread_local Books books;
  TakeBooks(&books);
  if (books.identity.sum() != books.mapped_bytes) {
    fprintf(stderr, "books: the identity is off: sum %llu, mapped %llu\n",
            static_cast<unsigned long long>(books.identity.sum()),
            static_cast<unsigned long long>(books.mapped_bytes));
    abort();
  }
  std::vector<uint64_t> counts(kClassCount);
  shadow.CountByClass(&counts);
  for (size_t c = 0; c < kClassCount; ++c) {
    const uint64_t live = c == 0 ? books.large.live + books.huge.live : books.classes[c].live;
    if (live != counts[c]) {
      fprintf(stderr, "books: class %zu has %llu live blocks, the shadow map %llu\n", c,
              static_cast<unsigned long long>(live), static_cast<unsigned long long>(counts[c]));
      abort();
    }
  }
  registry.LockAll();
  registry.ForEachHeap([](Heap& heap) { heap.CheckInvariants(); });
  registry.UnlockAll();
}

}  // namespace tally::testing

#endif  // TESTS_SHADOW_MAP_H_
