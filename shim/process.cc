// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the kernel says of this process, and one line to the user.
//
// Threads: any. Nothing here allocates.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/shim.h"

namespace tally::shim {

void Warn(const char* text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) {
    return;  // nobody listens
  }
}

bool ReadProcessStatus(ProcessStatus* status) {
  constexpr int kState = 3;  // fields as proc(5) counts them
  constexpr int kThreads = 20;
  constexpr int kStartBrk = 47;
  char text[1024];
  const int saved_errno = errno;
  const int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  const ssize_t bytes = file < 0 ? 0 : read(file, text, sizeof(text) - 1);
  if (file >= 0) {
    close(file);
  }
  errno = saved_errno;
  text[bytes > 0 ? bytes : 0] = '\0';
  *status = {};
  // The second field, the program's name, ends with the last parenthesis.
  const char* at = strrchr(text, ')');
  for (int field = kState; at != nullptr && field <= kStartBrk; ++field) {
    at = strchr(at + 1, ' ');
    if (at == nullptr) {
      return false;
    }
    if (field == kState) {
      status->state = at[1];
    } else if (field == kThreads) {
      status->threads = strtoul(at + 1, nullptr, 10);
    } else if (field == kStartBrk) {
      status->start_brk = strtoul(at + 1, nullptr, 10);
    }
  }
  return at != nullptr;
}

}  // namespace tally::shim
