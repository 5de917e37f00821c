// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Formatting without a heap: a fixed buffer that grows by appends, and is written out as it fills.
//
// Called by the fatal messages, the reports and the option help. Not by anything on a fast path.
//
// Invariants:
//   1. 0 <= used_ <= kTextBytes.
//   2. Bytes leave through write(2) alone, in order; with no descriptor, what does not fit is cut.
// Threads: an object belongs to one thread.

#ifndef ALLOCATOR_TEXT_H_
#define ALLOCATOR_TEXT_H_

#include <cstddef>
#include <cstdint>

namespace tally {

class Text {
 public:
  // Room for the longest fatal line many times over; small enough for a signal stack.
  static constexpr size_t kTextBytes = 1024;
  static constexpr int kNoDescriptor = -1;

  // What does not fit goes to `descriptor` at once; the rest at Flush().
  explicit Text(int descriptor = kNoDescriptor) : descriptor_(descriptor) {}

  Text& operator<<(const char* text);
  Text& operator<<(char c);
  Text& operator<<(uint64_t value);
  Text& operator<<(int64_t value);
  Text& operator<<(uint32_t value) { return *this << uint64_t{value}; }
  Text& operator<<(int value) { return *this << int64_t{value}; }
  Text& operator<<(const void* address);  // 0x and lower-case hexadecimal

  // Right-aligned in `width` columns.
  Text& Number(uint64_t value, int width);
  // Left-aligned in `width` columns.
  Text& Column(const char* text, int width);
  // Bytes in the largest binary unit that keeps three digits or more, right-aligned: "12.3 MiB".
  Text& Bytes(uint64_t bytes, int width);

  // Writes out what is held. False when the descriptor refused; the text is dropped all the same.
  bool Flush();
  const char* c_str();
  size_t size() const { return used_; }

 private:
  int descriptor_;
  size_t used_ = 0;
  bool failed_ = false;
  char buffer_[kTextBytes + 1];
};

}  // namespace tally

#endif  // ALLOCATOR_TEXT_H_
