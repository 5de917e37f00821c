// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Formatting without a heap.

#include "allocator/text.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <limits>
#include <string>

namespace tally {
namespace {

TEST(Text, NumbersAreThoseOfPrintf) {
  for (const int64_t value :
       {int64_t{0}, int64_t{7}, int64_t{10}, int64_t{-1}, int64_t{-987654321},
        std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    Text text;
    text << value;
    EXPECT_EQ(std::string(text.c_str()), std::to_string(value));
  }
  Text text;
  text << std::numeric_limits<uint64_t>::max() << ' ' << 42u << ' ' << -3;
  EXPECT_STREQ(text.c_str(), "18446744073709551615 42 -3");
}

TEST(Text, AddressesAreThoseOfPrintf) {
  for (const uintptr_t value : {uintptr_t{1}, uintptr_t{0x10}, uintptr_t{0x7fffdeadbeef},
                                std::numeric_limits<uintptr_t>::max()}) {
    const auto* address = reinterpret_cast<const void*>(value);
    char expected[32];
    snprintf(expected, sizeof(expected), "%p", address);
    Text text;
    text << address;
    EXPECT_STREQ(text.c_str(), expected);
  }
  Text text;
  text << static_cast<const void*>(nullptr);
  EXPECT_STREQ(text.c_str(), "0x0");
}

TEST(Text, ColumnsAndNumbersAreAligned) {
  Text text;
  text.Column("ab", 4).Number(7, 3).Column("too long", 3).Number(12345, 2);
  EXPECT_STREQ(text.c_str(), "ab    7too long12345");
}

TEST(Text, BytesComeInTheLargestUnit) {
  const auto shown = [](uint64_t bytes) {
    Text text;
    text.Bytes(bytes, 0);
    return std::string(text.c_str());
  };
  EXPECT_EQ(shown(0), "0 B  ");
  EXPECT_EQ(shown(999), "999 B  ");
  EXPECT_EQ(shown(1024), "1.0 KiB");
  EXPECT_EQ(shown(1536), "1.5 KiB");
  EXPECT_EQ(shown(12 << 20), "12.0 MiB");
  EXPECT_EQ(shown(uint64_t{3} << 40), "3.0 TiB");
  Text text;
  text.Bytes(2048, 12);
  EXPECT_EQ(text.size(), 12u);
}

TEST(Text, WithoutADescriptorTheRestIsCut) {
  Text text;
  for (size_t i = 0; i < Text::kTextBytes + 100; ++i) {
    text << 'x';
  }
  EXPECT_EQ(text.size(), Text::kTextBytes);
  EXPECT_EQ(std::string(text.c_str()), std::string(Text::kTextBytes, 'x'));
}

TEST(Text, WithADescriptorAllIsWrittenInOrder) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string expected;
  {
    Text text(ends[1]);
    for (uint64_t i = 0; i < 1000; ++i) {
      text << i << ',';
      expected += std::to_string(i) + ',';
    }
    EXPECT_TRUE(text.Flush());
  }
  close(ends[1]);
  std::string got;
  char buffer[512];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    got.append(buffer, static_cast<size_t>(n));
  }
  close(ends[0]);
  EXPECT_EQ(got, expected);
}

TEST(Text, ARefusingDescriptorIsReported) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  Text text(full);
  text << "lost";
  errno = 0;
  EXPECT_FALSE(text.Flush());
  EXPECT_EQ(errno, 0);
  EXPECT_EQ(text.size(), 0u);
  close(full);
}

}  // namespace
}  // namespace tally
