// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/units.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tally::tool {

std::string Bytes(double bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  // What would be shown as 1024.0 belongs to the next unit.
  while (std::abs(bytes) >= 1023.95 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.*f %s", unit == 0 ? 0 : 1, bytes, kUnits[unit]);
}

std::string SignedBytes(double bytes) { return absl::StrCat(bytes > 0 ? "+" : "", Bytes(bytes)); }

std::string Blocks(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t place = digits.size(); place > 3; place -= 3) {
    digits.insert(place - 3, 1, ',');
  }
  return digits;
}

std::string SignedBlocks(int64_t count) {
  const auto magnitude = static_cast<uint64_t>(count);
  return count < 0 ? "-" + Blocks(-magnitude) : (count > 0 ? "+" : "") + Blocks(magnitude);
}

std::string Short(double number) {
  constexpr const char* kUnits[] = {"", " k", " M", " G", " T"};
  size_t unit = 0;
  while (std::abs(number) >= 999.5 && unit + 1 < std::size(kUnits)) {
    number /= 1000;
    ++unit;
  }
  const bool is_whole = std::abs(number) >= 99.95 || number == std::floor(number);
  return absl::StrFormat("%.*f%s", is_whole ? 0 : 1, number, kUnits[unit]);
}

std::string Percent(double part) {
  const double percent = part * 100;
  const double magnitude = std::abs(percent);
  return absl::StrFormat("%.*f %%", magnitude < 9.95 && magnitude >= 0.05 ? 1 : 0, percent);
}

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  if (whole < 60) {
    return absl::StrFormat("%.1f s", seconds);
  }
  if (whole < 3600) {
    return absl::StrFormat("%d min %d s", whole / 60, whole % 60);
  }
  if (whole < 86400) {
    return absl::StrFormat("%d h %d min", whole / 3600, whole / 60 % 60);
  }
  return absl::StrFormat("%d d %d h", whole / 86400, whole / 3600 % 24);
}

uint64_t NowMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::string TimeOfDay(uint64_t time_ms) {
  const auto seconds = static_cast<time_t>(time_ms / 1000);
  tm parts{};
  char text[64];
  if (gmtime_r(&seconds, &parts) == nullptr ||
      strftime(text, sizeof(text), "%F %T UTC", &parts) == 0) {
    return "an unknown time";
  }
  return text;
}

std::string ClassName(uint64_t block_bytes) { return absl::StrCat(block_bytes, " B"); }

std::string Printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char letter) { return letter < ' ' || letter == 0x7f; },
      '?');
  return text;
}

}  // namespace tally::tool
