// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// What the kernel says of this process's memory, read without allocating.

#ifndef BENCH_SCENARIOS_MEMORY_H_
#define BENCH_SCENARIOS_MEMORY_H_

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace bench {

// The number in KB behind `field` of /proc/self/status; ends the program if there is none.
inline long StatusKb(const char* field) {
  char text[4096];
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) abort();
  text[length] = '\0';
  const char* line = strstr(text, field);
  if (line == nullptr) abort();
  return atol(line + strlen(field));
}

inline long ResidentKb() { return StatusKb("VmRSS:"); }
inline long PeakKb() { return StatusKb("VmHWM:"); }

}  // namespace bench

#endif  // BENCH_SCENARIOS_MEMORY_H_
