// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// One operation on the allocator and the shadow map at once, chosen by numbers that a random
// generator or a fuzzer supplies.
//
// Used by the model tests, the failure tests and the fuzz target.
//
// Threads: an object belongs to one thread.

#ifndef TESTS_MODEL_H_
#define TESTS_MODEL_H_

#include <cstdint>

#include "tests/shadow_map.h"

namespace tally::testing {

enum class Operation : uint8_t {
  kAllocate,
  kAllocate8,
  kAllocateZeroed,
  kAllocateAligned,
  kReallocate,
  kFree,
  kFreeSized,
  kCheck,
  kTrim,
};
inline constexpr uint64_t kOperationCount = 9;

class Model {
 public:
  // Null from the allocator ends the program unless memory may be out.
  enum class Memory { kPlenty, kMayBeOut };
  struct Limits {
    size_t blocks = 4000;
    uint64_t bytes = 96u << 20;
  };

  Model(Memory memory, Limits limits) : memory_(memory), limits_(limits) {}

  ShadowMap& shadow() { return shadow_; }
  uint64_t nulls() const { return nulls_; }
  void set_memory(Memory memory) { memory_ = memory; }

  // Does one operation. `bytes` is the request, `choice` whatever else there is to choose.
  void Do(Operation operation, size_t bytes, uint64_t choice) {
    const bool is_over =
        shadow_.size() >= limits_.blocks || shadow_.usable_bytes() >= limits_.bytes;
    if (is_over && operation < Operation::kReallocate) {
      operation = Operation::kFree;
    }
    switch (operation) {
      case Operation::kAllocate:
        return Enter(Allocate(bytes), bytes, PromisedAlignment(bytes), choice);
      case Operation::kAllocate8:
        return Enter(Allocate8(bytes == 0 ? 1 : bytes), bytes, 8, choice);
      case Operation::kAllocateZeroed:
        return DoZeroed(bytes, choice);
      case Operation::kAllocateAligned: {
        const size_t alignment = size_t{1} << choice % 24;
        return Enter(AllocateAligned(bytes, alignment), bytes, alignment, choice);
      }
      case Operation::kReallocate:
        return shadow_.size() == 0 ? void() : DoReallocate(bytes == 0 ? 1 : bytes, choice);
      case Operation::kFree:
      case Operation::kFreeSized:
        return shadow_.size() == 0 ? void() : DoFree(operation, choice);
      case Operation::kCheck:
        return shadow_.size() == 0 ? void() : shadow_.Check(shadow_.at(choice % shadow_.size()));
      case Operation::kTrim:
        Trim();
    }
  }

  // Sizes as programs have them: mostly small, some of every tier.
  static size_t RandomBytes(Random* random) {
    const uint64_t dice = random->Below(1000);
    if (dice < 620) {
      return random->Below(kSmallBytes + 1);
    }
    if (dice < 900) {
      return random->Below(kClassBytesMax) + 1;
    }
    if (dice < 970) {
      return random->Below(kArenaBytes * 2) + 1;
    }
    return random->Below(dice < 995 ? kRunBytesMax : 5 * kRunBytesMax) + 1;
  }

  // One random operation; allocations and frees balance around the limits.
  void DoRandom(Random* random) {
    const uint64_t dice = random->Below(1000);
    Operation operation = Operation::kTrim;
    if (dice < 240) {
      operation = Operation::kAllocate;
    } else if (dice < 340) {
      operation = Operation::kAllocate8;
    } else if (dice < 400) {
      operation = Operation::kAllocateZeroed;
    } else if (dice < 450) {
      operation = Operation::kAllocateAligned;
    } else if (dice < 600) {
      operation = Operation::kReallocate;
    } else if (dice < 900) {
      operation = Operation::kFree;
    } else if (dice < 950) {
      operation = Operation::kFreeSized;
    } else if (dice < 998) {
      operation = Operation::kCheck;
    }
    Do(operation, RandomBytes(random), random->Next());
  }

  void FreeAll() {
    while (shadow_.size() != 0) {
      Free(shadow_.Remove(shadow_.size() - 1).start);
    }
  }

 private:
  void Enter(void* p, size_t bytes, size_t alignment, uint64_t pattern) {
    if (p == nullptr) {
      return CountNull(bytes);
    }
    shadow_.Add(p, bytes, alignment, pattern);
  }

  void CountNull(size_t bytes) {
    ++nulls_;
    if (memory_ == Memory::kPlenty) {
      ShadowFailure("null although there is memory", {nullptr, bytes, 0, 0, 0});
    }
  }

  void DoZeroed(size_t bytes, uint64_t choice) {
    auto* p = static_cast<unsigned char*>(AllocateZeroed(bytes));
    if (p != nullptr && !IsZero(p, bytes)) {
      ShadowFailure("calloc gave bytes that are not zero", {p, bytes, UsableSize(p), 0, 0});
    }
    Enter(p, bytes, PromisedAlignment(bytes), choice);
  }

  void DoReallocate(size_t bytes, uint64_t choice) {
    const ShadowBlock old = shadow_.Remove(choice % shadow_.size());
    auto* p = static_cast<unsigned char*>(Reallocate(old.start, bytes));
    if (p == nullptr) {
      shadow_.Adopt(old);
      shadow_.Check(old);
      return CountNull(bytes);
    }
    if (!HoldsPattern(p, old, bytes)) {
      ShadowFailure("realloc lost content", old);
    }
    shadow_.Add(p, bytes, PromisedAlignment(bytes), choice);
  }

  void DoFree(Operation operation, uint64_t choice) {
    const ShadowBlock block = shadow_.Remove(choice % shadow_.size());
    operation == Operation::kFree ? Free(block.start) : FreeSized(block.start, block.request);
  }

  ShadowMap shadow_;
  Memory memory_;
  Limits limits_;
  uint64_t nulls_ = 0;
};

}  // namespace tally::testing

#endif  // TESTS_MODEL_H_
