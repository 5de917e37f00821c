// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace tally {
namespace {

// The file's first bytes as a string, empty where it cannot be read.
void ReadStart(const char* path, char* text, size_t bytes) {
  const int saved_errno = errno;
  const long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  const long got = file < 0 ? 0 : syscall(SYS_read, file, text, bytes - 1);
  if (file >= 0) {
    syscall(SYS_close, file);
  }
  text[got > 0 ? got : 0] = '\0';
  errno = saved_errno;
}

}  // namespace

void Warn(const char* text) {
  const int saved_errno = errno;
  syscall(SYS_write, STDERR_FILENO, text, strlen(text));  // perhaps nobody listens
  errno = saved_errno;
}

bool ReadProcessStatus(ProcessStatus* status) {
  constexpr int kState = 3;  // fields as proc(5) counts them
  constexpr int kThreads = 20;
  constexpr int kStartTime = 22;
  constexpr int kStartBrk = 47;
  char text[1024];
  ReadStart("/proc/self/stat", text, sizeof(text));
  *status = {};
  // The second field, the program's name, ends with the last parenthesis.
  const char* at = strrchr(text, ')');
  for (int field = kState; at != nullptr && field <= kStartBrk; ++field) {
    at = strchr(at + 1, ' ');
    if (at == nullptr) {
      return field > kThreads;  // shorter than we know it
    }
    if (field == kState) {
      status->state = at[1];
    } else if (field == kThreads) {
      status->threads = strtoul(at + 1, nullptr, 10);
    } else if (field == kStartTime) {
      status->start_ticks = strtoul(at + 1, nullptr, 10);
    } else if (field == kStartBrk) {
      status->start_brk = strtoul(at + 1, nullptr, 10);
    }
  }
  return at != nullptr;
}

void ReadCommand(char* command, size_t bytes) {
  ReadStart("/proc/self/comm", command, bytes);
  for (char* at = command; *at != '\0'; ++at) {
    if (*at == '\n') {
      *at = '\0';
      return;
    }
    *at = *at < ' ' || *at > '~' ? '.' : *at;
  }
}

uint64_t NowSinceEpochMs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

}  // namespace tally
