// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// libFuzzer target: bytes are operations on the allocator, checked against the shadow map.
//
// Four bytes an operation: which one, a size in two (shifted by the first byte's upper half, so
// that every tier is reached), a choice. The books are checked at the end of each input.

#include <cstddef>
#include <cstdint>

#include "tests/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tally::testing::Model;
  using tally::testing::Operation;
  Model model(Model::Memory::kPlenty, {.blocks = 500, .bytes = 64u << 20});
  for (; size >= 4; data += 4, size -= 4) {
    const auto operation = static_cast<Operation>(data[0] % tally::testing::kOperationCount);
    const unsigned shift = data[0] / 16;
    const size_t bytes = (size_t{data[1]} << 8 | data[2]) << (shift < 10 ? 0 : shift - 9);
    model.Do(operation, bytes, data[3]);
  }
  tally::testing::CheckBooksAgainst(model.shadow());
  model.FreeAll();
  tally::testing::CheckBooksAgainst(model.shadow());
  return 0;
}
