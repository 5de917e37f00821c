// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/text.h"

#include <errno.h>
#include <unistd.h>

namespace tally {

Text& Text::operator<<(char c) {
  if (used_ == kTextBytes) {
    if (descriptor_ == kNoDescriptor) {
      return *this;
    }
    Flush();
  }
  buffer_[used_++] = c;
  return *this;
}

Text& Text::operator<<(const char* text) {
  while (*text != '\0') {
    *this << *text++;
  }
  return *this;
}

Text& Text::operator<<(uint64_t value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) {
    *this << digits[--count];
  }
  return *this;
}

Text& Text::operator<<(int64_t value) {
  if (value < 0) {
    *this << '-';
    return *this << (uint64_t{0} - static_cast<uint64_t>(value));
  }
  return *this << static_cast<uint64_t>(value);
}

Text& Text::operator<<(const void* address) {
  const auto value = reinterpret_cast<uintptr_t>(address);
  *this << "0x";
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) {
    shift -= 4;
  }
  for (; shift >= 0; shift -= 4) {
    *this << "0123456789abcdef"[(value >> shift) & 15];
  }
  return *this;
}

Text& Text::Number(uint64_t value, int width) {
  int digits = 1;
  for (uint64_t rest = value; rest >= 10; rest /= 10) {
    ++digits;
  }
  for (; digits < width; ++digits) {
    *this << ' ';
  }
  return *this << value;
}

Text& Text::Column(const char* text, int width) {
  for (; *text != '\0'; ++text, --width) {
    *this << *text;
  }
  for (; width > 0; --width) {
    *this << ' ';
  }
  return *this;
}

Text& Text::Bytes(uint64_t bytes, int width) {
  static constexpr const char* kUnits[] = {" B  ", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
  int unit = 0;
  uint64_t scaled = bytes * 10;  // tenths of the unit; a process has no 2^60 bytes
  while (scaled >= 10000 && unit < 6) {
    scaled = (scaled + 512) / 1024;
    ++unit;
  }
  const bool tenths = unit > 0;
  Number(scaled / 10, width - 4 - (tenths ? 2 : 0));
  if (tenths) {
    *this << '.' << static_cast<char>('0' + scaled % 10);
  }
  return *this << kUnits[unit];
}

bool Text::Flush() {
  const int saved_errno = errno;
  size_t done = 0;
  while (descriptor_ != kNoDescriptor && done < used_) {
    const ssize_t wrote = write(descriptor_, buffer_ + done, used_ - done);
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      failed_ = true;
      break;
    }
    done += static_cast<size_t>(wrote);
  }
  used_ = 0;
  errno = saved_errno;
  return !failed_;
}

const char* Text::c_str() {
  buffer_[used_] = '\0';
  return buffer_;
}

}  // namespace tally
