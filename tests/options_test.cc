// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Options from the environment: good values, bad values, help.

#include "allocator/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace tally {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

// Parses one entry; returns what was said on stderr.
std::string Parse(Options* options, const char* entry) {
  const char* const environment[] = {"HOME=/", entry, "TALLY_UNKNOWN=1", nullptr};
  CaptureStderr();
  options->Parse(environment);
  return GetCapturedStderr();
}

TEST(Options, Defaults) {
  const Options options;
  EXPECT_EQ(options.decay_ms, 1000u);
  EXPECT_EQ(options.magazine_kb, 2048u);
  EXPECT_EQ(options.heaps_per_cpu, 4u);
  EXPECT_TRUE(options.thp);
  EXPECT_STREQ(options.stats, "");
}

TEST(Options, GoodValuesAreTaken) {
  Options options;
  EXPECT_EQ(Parse(&options, "TALLY_DECAY_MS=0"), "");
  EXPECT_EQ(options.decay_ms, 0u);
  EXPECT_EQ(Parse(&options, "TALLY_DECAY_MS=123456789012"), "");
  EXPECT_EQ(options.decay_ms, 123456789012u);
  EXPECT_EQ(Parse(&options, "TALLY_THP=0"), "");
  EXPECT_FALSE(options.thp);
  EXPECT_EQ(Parse(&options, "TALLY_STATS_FILE=/tmp/a=b"), "");
  EXPECT_STREQ(options.stats_file, "/tmp/a=b");
}

TEST(Options, ABadNumberGivesOneWarningAndTheDefault) {
  for (const char* bad :
       {"", "x", "-1", "1 ", "0x10", "1.5", "1234567890123", "99999999999999999999999999"}) {
    Options options;
    const std::string entry = std::string("TALLY_DECAY_MS=") + bad;
    EXPECT_EQ(Parse(&options, entry.c_str()),
              "tally: warning: " + entry + ": not a whole number; using 1000\n");
    EXPECT_EQ(options.decay_ms, 1000u);
  }
}

TEST(Options, ABadBoolGivesOneWarningAndTheDefault) {
  for (const char* bad : {"", "2", "yes", "01", "true"}) {
    Options options;
    const std::string entry = std::string("TALLY_THP=") + bad;
    EXPECT_EQ(Parse(&options, entry.c_str()),
              "tally: warning: " + entry + ": not 0 or 1; using 1\n");
    EXPECT_TRUE(options.thp);
  }
}

TEST(Options, NamesAreComparedWhole) {
  Options options;
  EXPECT_EQ(Parse(&options, "TALLY_DECAY_MSX=5"), "");
  EXPECT_EQ(Parse(&options, "TALLY_DECAY=5"), "");
  EXPECT_EQ(Parse(&options, "TALLY_STATS_FILE=f"), "");
  EXPECT_EQ(options.decay_ms, 1000u);
  EXPECT_STREQ(options.stats, "");
}

TEST(Options, NoEnvironmentIsNone) {
  Options options;
  options.Parse(nullptr);
  EXPECT_EQ(options.decay_ms, 1000u);
}

TEST(Options, StringsOutliveTheEnvironment) {
  Options options;
  char entry[] = "TALLY_STATS=exit";
  Parse(&options, entry);
  entry[13] = 'X';
  EXPECT_STREQ(options.stats, "exit");
}

TEST(Options, HelpNamesEachWithItsValue) {
  Options options;
  options.decay_ms = 77;
  CaptureStderr();
  options.PrintHelp(STDERR_FILENO);
  const std::string help = GetCapturedStderr();
#define TALLY_OPTION(type, name, variable, value, text) \
  EXPECT_THAT(help, HasSubstr(variable));               \
  EXPECT_THAT(help, HasSubstr(text));
#include "allocator/options.def"
#undef TALLY_OPTION
  EXPECT_THAT(help, HasSubstr("(77)"));
  EXPECT_THAT(help, HasSubstr("(none)"));
}

TEST(Options, DescribeCutsAtTheBuffer) {
  Options options;
  char buffer[4] = "zzz";
  EXPECT_TRUE(options.Describe("TALLY_DECAY_MS", buffer, sizeof(buffer)));
  EXPECT_STREQ(buffer, "100");
  EXPECT_TRUE(options.Describe("TALLY_DECAY_MS", buffer, 0));
  EXPECT_FALSE(options.Describe("TALLY_DECAY", buffer, sizeof(buffer)));
  char large[32];
  EXPECT_TRUE(options.Describe("TALLY_THP", large, sizeof(large)));
  EXPECT_STREQ(large, "1");
}

}  // namespace
}  // namespace tally
