// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The memory of another process, read only, and never trusted: a read gives all bytes or none.
//
// Called by live_books and command_map.

#ifndef TOOLS_TALLY_PROCESS_MEMORY_H_
#define TOOLS_TALLY_PROCESS_MEMORY_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace tally::tool {

class ProcessMemory {
 public:
  explicit ProcessMemory(pid_t process) : process_(process) {}

  // False, with errno, when not all can be read: EPERM where we may not, ESRCH where there is no
  // such process, EFAULT where there is no memory. The process need not be stopped, nor running.
  bool Read(uint64_t address, void* to, size_t bytes) const;

  template <typename T>
  std::optional<T> Get(uint64_t address) const {
    T value;
    return Read(address, &value, sizeof(value)) ? std::optional<T>(value) : std::nullopt;
  }

  pid_t process() const { return process_; }

 private:
  pid_t process_;
};

// A copy of a structure, out of which fields are taken by offset. Past its end all is zero.
class Copy {
 public:
  Copy() = default;
  explicit Copy(size_t bytes) : bytes_(bytes) {}

  template <typename T>
  T At(uint64_t offset) const {
    T value{};
    if (offset <= bytes_.size() && bytes_.size() - offset >= sizeof(T)) {
      std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    }
    return value;
  }
  char* data() { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }

 private:
  std::vector<char> bytes_;
};

}  // namespace tally::tool

#endif  // TOOLS_TALLY_PROCESS_MEMORY_H_
