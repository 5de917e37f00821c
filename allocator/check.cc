// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/check.h"

#include <stdlib.h>
#include <unistd.h>

#include "allocator/text.h"

namespace tally {
namespace {

[[noreturn]] void EndWith(Text& line) {
  line << '\n';
  line.Flush();
  abort();
}

}  // namespace

void FatalBlock(const char* call, const void* block, const char* what) {
  Text line(STDERR_FILENO);
  line << "tally: " << call << '(' << block << "): " << what;
  EndWith(line);
}

void FatalOs(const char* call, int error) {
  Text line(STDERR_FILENO);
  line << "tally: " << call << " failed: errno " << error;
  EndWith(line);
}

void FatalCheck(const char* file, int line_number, const char* condition) {
  Text line(STDERR_FILENO);
  line << "tally: internal error at " << file << ':' << line_number << ": " << condition;
  EndWith(line);
}

}  // namespace tally
