// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The report: what people read, and where it goes.

#include "allocator/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "allocator/allocator.h"
#include "allocator/options.h"

namespace tally {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

std::string Report() {
  CaptureStderr();
  EXPECT_TRUE(WriteReport(STDERR_FILENO));
  return GetCapturedStderr();
}

TEST(Report, TheIdentityHolds) {
  void* small = Allocate(48);
  void* huge = Allocate(30 << 20);
  const std::string report = Report();
  EXPECT_THAT(report, HasSubstr("identity holds: yes"));
  for (const char* term : {"live", "cached", "in transit", "free in pools", "tails", "dirty",
                           "purged", "never touched", "metadata", "guards"}) {
    EXPECT_THAT(report, ContainsRegex(std::string("[=+] ") + term + " +[0-9]+ "));
  }
  EXPECT_THAT(report, HasSubstr("tally: report of process " + std::to_string(getpid()) + ": "));
  Free(small);
  Free(huge);
}

TEST(Report, OneLineAClass) {
  void* block = Allocate(48);
  const std::string report = Report();
  EXPECT_THAT(report, ContainsRegex("\n     48 +[0-9]+ +[0-9]+ +1 +48 "));
  Free(block);
}

TEST(Report, ARefusingDescriptorIsReported) {
  FILE* full = fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  EXPECT_FALSE(WriteReport(fileno(full)));
  fclose(full);
}

std::string InFormat(ReportFormat format) {
  CaptureStderr();
  EXPECT_TRUE(WriteReport(STDERR_FILENO, format));
  return GetCapturedStderr();
}

// The number after `key`.
uint64_t NumberAfter(const std::string& text, const std::string& key) {
  const size_t at = text.find(key);
  EXPECT_NE(at, std::string::npos) << key;
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + key.size()));
}

TEST(Report, JsonHasEveryTermAndTheirSum) {
  void* block = Allocate(48);
  const std::string report = InFormat(ReportFormat::kJson);
  EXPECT_EQ(std::count(report.begin(), report.end(), '{'),
            std::count(report.begin(), report.end(), '}'));
  uint64_t sum = 0;
  for (const IdentityTerm& term : kIdentityTerms) {
    sum +=
        NumberAfter(report.substr(report.find("\"terms\"")), '"' + std::string(term.key) + "\":");
  }
  EXPECT_EQ(sum, NumberAfter(report, "\"mapped_bytes\":"));
  EXPECT_GE(NumberAfter(report, "\"mapped_peak_bytes\":"), sum);
  EXPECT_EQ(NumberAfter(report, "\"thread\":"), static_cast<uint64_t>(gettid()));
  EXPECT_THAT(report, HasSubstr("\"size\":48,"));
  EXPECT_THAT(report, HasSubstr("\"identity\":{\"mapped_bytes\":"));
  Free(block);
}

TEST(Report, MetricsDifferInWhatCountersAreCalled) {
  const std::string open = InFormat(ReportFormat::kOpenMetrics);
  EXPECT_THAT(open, HasSubstr("# TYPE tally_purged_bytes counter\ntally_purged_bytes_total "));
  EXPECT_THAT(open, ::testing::EndsWith("# EOF\n"));
  const std::string older = InFormat(ReportFormat::kPrometheus);
  EXPECT_THAT(older, HasSubstr("# TYPE tally_purged_bytes_total counter\n"));
  EXPECT_THAT(older, ::testing::Not(HasSubstr("EOF")));
  EXPECT_THAT(older, HasSubstr("tally_identity_bytes{term=\"live\"} "));
}

TEST(Report, FormatsHaveNames) {
  ReportFormat format = ReportFormat::kJson;
  EXPECT_FALSE(ParseReportFormat("xml", &format));
  EXPECT_EQ(format, ReportFormat::kJson);
  EXPECT_TRUE(ParseReportFormat("openmetrics", &format));
  EXPECT_EQ(format, ReportFormat::kOpenMetrics);
}

TEST(Report, GoesToTheFileOfTheOptions) {
  const std::string pattern = ::testing::TempDir() + "/tally-report-%p-%t-%x";
  options.stats_file = pattern.c_str();
  CaptureStderr();
  errno = EDOM;
  WriteReportAsConfigured(STDERR_FILENO);
  EXPECT_EQ(errno, EDOM);
  EXPECT_EQ(GetCapturedStderr(), "");
  options.stats_file = "";
  std::string path;
  for (int64_t now = time(nullptr), ago = 0; ago < 5 && path.empty(); ++ago) {
    std::string candidate = ::testing::TempDir() + "/tally-report-" + std::to_string(getpid()) +
                            "-" + std::to_string(now - ago) + "-%x";
    if (access(candidate.c_str(), R_OK) == 0) {
      path = candidate;
    }
  }
  ASSERT_NE(path, "");
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("identity holds: yes"));
  unlink(path.c_str());
}

TEST(Report, AFileThatCannotBeMadeGivesOneWarning) {
  for (const std::string& path : {std::string(5000, 'x'), std::string("/nonexistent/file")}) {
    EXPECT_FALSE(WriteReportToFile(path.c_str(), ReportFormat::kText));
    options.stats_file = path.c_str();
    CaptureStderr();
    WriteReportAsConfigured(STDERR_FILENO);
    const std::string warning = GetCapturedStderr();
    if (path.size() == 5000) {
      EXPECT_THAT(warning, ::testing::StartsWith("tally: warning: TALLY_STATS_FILE=xxx"));
    } else {
      EXPECT_EQ(warning, "") << "said once";
    }
  }
  options.stats_file = "";
}

}  // namespace
}  // namespace tally
