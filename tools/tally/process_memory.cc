// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/process_memory.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

namespace tally::tool {

bool ProcessMemory::Read(uint64_t address, void* to, size_t bytes) const {
  constexpr size_t kPieceBytes = size_t{64} << 20;
  size_t done = 0;
  while (done != bytes) {
    const size_t piece = std::min(bytes - done, kPieceBytes);
    const iovec local{static_cast<char*>(to) + done, piece};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in another process
    const iovec remote{reinterpret_cast<void*>(address + done), piece};
    const ssize_t got = process_vm_readv(process_, &local, 1, &remote, 1, 0);
    if (got <= 0) {
      errno = got == 0 ? EFAULT : errno;
      return false;
    }
    done += static_cast<size_t>(got);
  }
  return true;
}

}  // namespace tally::tool
