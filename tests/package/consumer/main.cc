// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Shows that malloc is Tally's: its own usable size, its own report, mallinfo2 through it.

#include <malloc.h>
#include <tally.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

int main() {
  std::vector<std::string> words(1000, std::string(100, 'x'));
  void* p = std::malloc(24);
  // 24 bytes are a 32-byte block here and 24 bytes in glibc.
  const bool is_ours = malloc_usable_size(p) == 32 && tally_usable_size(p) == 32;
  void* q = tally_malloc8(24);
  const bool has_odd_classes = tally_usable_size(q) == 24;
  std::free(q);
  std::free(p);
  const bool has_books = mallinfo2().uordblks > 100000;
  malloc_trim(0);
  std::printf("%s %d %d %d\n", tally_version(), is_ours, has_odd_classes, has_books);
  return is_ours && has_odd_classes && has_books ? 0 : 1;
}
