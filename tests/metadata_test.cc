// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Memory for the allocator's own structures.

#include "allocator/metadata.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace tally {
namespace {

bool IsZero(const void* piece, size_t bytes) {
  const auto* at = static_cast<const char*>(piece);
  return std::vector<char>(bytes) == std::vector<char>(at, at + bytes);
}

TEST(Metadata, PiecesAreZeroAlignedAndApart) {
  static constinit Metadata pieces;
  for (const size_t bytes : {1u, 64u, 65u, 1000u, 4096u, 200000u, 3u}) {
    auto* piece = static_cast<char*>(pieces.Allocate(bytes));
    ASSERT_NE(piece, nullptr);
    EXPECT_TRUE(IsZero(piece, bytes)) << "or it overlaps one before";
    EXPECT_EQ(reinterpret_cast<uintptr_t>(piece) % 64, 0u);
    memset(piece, 0xff, bytes);
  }
}

TEST(Metadata, FreedPiecesOfTheSameSizeComeBack) {
  static constinit Metadata pieces;
  void* piece = pieces.Allocate(300);
  pieces.Free(piece, 300);
  EXPECT_NE(pieces.Allocate(256), piece);
  EXPECT_EQ(pieces.Allocate(512), piece);  // both are 512 in truth
  EXPECT_NE(pieces.Allocate(512), piece);
}

TEST(Metadata, AllocateForeverRoundsToLinesOnly) {
  static constinit Metadata pieces;
  auto* first = static_cast<char*>(pieces.AllocateForever(576));
  auto* second = static_cast<char*>(pieces.AllocateForever(1));
  EXPECT_EQ(second - first, 576);
}

TEST(Metadata, MappingsAddUp) {
  static constinit Metadata pieces;
  EXPECT_EQ(pieces.mapped_bytes(), 0u);
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(pieces.Allocate(10000), nullptr);
  }
  uint64_t bytes = 0;
  pieces.ForEachMapping([&](const void*, size_t mapping_bytes) { bytes += mapping_bytes; });
  EXPECT_EQ(bytes, pieces.mapped_bytes());
  EXPECT_GE(bytes, 100u * 16384);
  EXPECT_LE(pieces.resident_bytes(), bytes);
}

TEST(Metadata, ThousandsOfPiecesInTurnDoNotGrow) {
  static constinit Metadata pieces;
  for (int i = 0; i < 10000; ++i) {
    void* piece = pieces.Allocate(4096);
    pieces.Free(piece, 4096);
  }
  EXPECT_LE(pieces.mapped_bytes(), 128u * 1024);
}

}  // namespace
}  // namespace tally
