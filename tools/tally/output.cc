// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace tally::tool {
namespace {

// Leaves errno where it fails.
bool WriteFile(const std::string& path, std::string_view text) {
  FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) {
    return false;
  }
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int written_errno = errno;
  const bool is_closed = std::fclose(file) == 0;
  errno = is_written ? errno : written_errno;
  return is_written && is_closed;
}

}  // namespace

absl::Status WriteWhole(const std::string& path, std::string_view text) {
  if (path == "-") {
    std::cout << text;  // main looks whether all was written
    return absl::OkStatus();
  }
  std::error_code ignored;
  const bool is_special =
      std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored);
  const std::string aside = is_special ? path : absl::StrCat(path, ".", getpid(), ".tmp");
  if (!WriteFile(aside, text) || (!is_special && std::rename(aside.c_str(), path.c_str()) != 0)) {
    const int error = errno;
    if (!is_special) {
      std::remove(aside.c_str());
    }
    return absl::UnavailableError(
        absl::StrCat(path, ": ", std::strerror(error), "; choose another file to write"));
  }
  return absl::OkStatus();
}

}  // namespace tally::tool
