// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// glibc's doors to the books: mallinfo2, malloc_info, malloc_stats, and its knobs.
//
// Called by programs. Threads: any.

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "allocator/allocator.h"
#include "allocator/books.h"
#include "allocator/report.h"
#include "shim/shim.h"

namespace {

using tally::shared_books;

struct mallinfo2 Info() {
  const tally::MutexLock lock(shared_books.mutex);
  const tally::Books& books = shared_books.books;
  tally::TakeBooks(&shared_books.books);
  const tally::IdentityBooks& terms = books.identity;
  struct mallinfo2 info {};
  info.arena = books.mapped_bytes - books.huge.live_bytes;
  info.hblks = books.huge.live;
  info.hblkhd = books.huge.live_bytes;
  info.fsmblks = terms.cached + terms.transit;
  info.uordblks = terms.live;
  info.fordblks = terms.cached + terms.transit + terms.free_in_pools + terms.dirty;
  info.keepcost = terms.dirty;
  return info;
}

int Clamp(size_t value) { return value > INT_MAX ? INT_MAX : static_cast<int>(value); }

}  // namespace

extern "C" {

TALLY_EXPORT struct mallinfo2 mallinfo2(void) noexcept { return Info(); }

// The same in ints: values that do not fit are cut at INT_MAX rather than wrapped.
TALLY_EXPORT struct mallinfo mallinfo(void) noexcept {
  const struct mallinfo2 wide = Info();
  struct mallinfo info {};
  info.arena = Clamp(wide.arena);
  info.hblks = Clamp(wide.hblks);
  info.hblkhd = Clamp(wide.hblkhd);
  info.fsmblks = Clamp(wide.fsmblks);
  info.uordblks = Clamp(wide.uordblks);
  info.fordblks = Clamp(wide.fordblks);
  info.keepcost = Clamp(wide.keepcost);
  return info;
}

TALLY_EXPORT void malloc_stats(void) noexcept { tally::WriteReport(STDERR_FILENO); }

// glibc's XML, as far as its elements have a meaning here: sizes with blocks, totals, system.
TALLY_EXPORT int malloc_info(int options, FILE* stream) noexcept {
  if (options != 0) {
    return EINVAL;  // as glibc: the error is the result
  }
  // stdio may allocate for its buffer: print from a copy, with no lock held.
  struct mallinfo2 info = Info();
  fprintf(stream, "<malloc version=\"tally-1\">\n<sizes>\n");
  for (size_t c = 1; c < tally::kClassCount; ++c) {
    shared_books.mutex.Lock();
    const tally::ClassBooks entry = shared_books.books.classes[c];
    shared_books.mutex.Unlock();
    if (entry.allocated != 0) {
      fprintf(stream,
              "<size size=\"%zu\" allocated=\"%zu\" freed=\"%zu\" live=\"%zu\" cached=\"%zu\"/>\n",
              tally::BlockBytes(static_cast<tally::SizeClass>(c)),
              static_cast<size_t>(entry.allocated), static_cast<size_t>(entry.freed),
              static_cast<size_t>(entry.live), static_cast<size_t>(entry.cached));
    }
  }
  fprintf(stream,
          "</sizes>\n<total type=\"live\" size=\"%zu\"/>\n<total type=\"free\" size=\"%zu\"/>\n"
          "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
          "<system type=\"current\" size=\"%zu\"/>\n</malloc>\n",
          info.uordblks, info.fordblks, info.hblks, info.hblkhd, info.arena + info.hblkhd);
  return 0;
}

// glibc's knobs steer glibc's machinery. Accepting them is what programs expect; 1 is success.
TALLY_EXPORT int mallopt(int /*parameter*/, int /*value*/) noexcept { return 1; }

TALLY_EXPORT int malloc_trim(size_t /*keep_bytes*/) noexcept { return tally::Trim() ? 1 : 0; }

}  // extern "C"
