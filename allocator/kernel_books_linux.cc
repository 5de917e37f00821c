// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What /proc and mincore say of the mappings that the books know; see KernelBooks.

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bit>

#include "allocator/books.h"
#include "allocator/huge.h"
#include "allocator/metadata.h"
#include "allocator/os.h"
#include "allocator/own_region.h"
#include "allocator/region.h"
#include "allocator/region_map.h"
#include "allocator/registry.h"
#include "allocator/spare_mappings.h"

namespace tally {
namespace {

// Reads a file of /proc line by line without a heap. A line longer than the buffer is cut.
class LineReader {
 public:
  explicit LineReader(const char* path) : descriptor_(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~LineReader() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line, or null at the end.
  const char* Next() {
    size_t length = 0;
    for (char c = 0; GetByte(&c);) {
      if (c == '\n') {
        line_[length] = '\0';
        return line_;
      }
      if (length + 1 < sizeof(line_)) {
        line_[length++] = c;
      }
    }
    return nullptr;
  }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  bool GetByte(char* c) {
    if (at_ == filled_) {
      const ssize_t got = descriptor_ < 0 ? 0 : read(descriptor_, buffer_, sizeof(buffer_));
      if (got <= 0) {
        return false;
      }
      at_ = 0;
      filled_ = static_cast<size_t>(got);
    }
    *c = buffer_[at_++];
    return true;
  }

  int descriptor_;
  size_t at_ = 0;
  size_t filled_ = 0;
  char buffer_[4096];
  char line_[256];
};

uintptr_t ParseHex(const char** text) {
  uintptr_t value = 0;
  for (;; ++*text) {
    const char c = **text;
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<uintptr_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value * 16 + static_cast<uintptr_t>(c - 'a' + 10);
    } else {
      return value;
    }
  }
}

uint64_t Overlap(uintptr_t start, uintptr_t end, const void* ours, size_t bytes) {
  const auto low = reinterpret_cast<uintptr_t>(ours);
  const uintptr_t from = start > low ? start : low;
  const uintptr_t to = end < low + bytes ? end : low + bytes;
  return to > from ? to - from : 0;
}

// Calls visit(kind, start, bytes) for each range of ours; of a region, what is committed.
template <typename Visit>
void ForEachRange(Visit visit) {
  for (Region* region = regions.oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    const auto arenas =
        static_cast<size_t>(std::popcount(region->committed.load(std::memory_order_acquire)));
    visit(&KernelBooks::resident_metadata, region, kFirstPoolOffset);
    visit(&KernelBooks::resident_metadata, region->keys, kKeyBytes);
    visit(&KernelBooks::resident_pools, region->start() + kFirstPoolOffset,
          arenas * kArenaBytes - kFirstPoolOffset);
  }
  huge_blocks.ForEach([&](const HugeBlock& block) {
    visit(&KernelBooks::resident_huge, block.start, block.bytes);
  });
  spare_mappings.ForEach(
      [&](const char* start, size_t bytes) { visit(&KernelBooks::resident_huge, start, bytes); });
  metadata.ForEachMapping([&](const void* start, size_t bytes) {
    visit(&KernelBooks::resident_metadata, start, bytes);
  });
  visit(&KernelBooks::resident_metadata, region_map.start(), region_map.mapped_bytes());
}

// Whether a pool of a region is in physical memory; asks for an arena at a time.
class ResidentPools {
 public:
  explicit ResidentPools(Region* region) : region_(region) {}

  bool operator()(size_t index) {
    const size_t page_bytes = os::PageBytes();
    const size_t arena = index / kPoolsPerArena;
    if (arena != arena_) {
      arena_ = arena;
      is_known_ = page_bytes <= kArenaBytes &&
                  os::ResidentPages(region_->start() + arena * kArenaBytes, kArenaBytes, states_);
    }
    return is_known_ && (states_[index % kPoolsPerArena * kPoolBytes / page_bytes] & 1) != 0;
  }

 private:
  Region* region_;
  size_t arena_ = 0;  // the descriptors' arena is never asked for
  bool is_known_ = false;
  unsigned char states_[kPoolsPerArena] = {};
};

void SumResidentPools(KernelBooks* books) {
  for (Region* region = regions.oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    const auto arenas =
        static_cast<size_t>(std::popcount(region->committed.load(std::memory_order_acquire)));
    WalkPools(OwnRegion(region), arenas, ResidentSum(books, ResidentPools(region)));
  }
}

uint64_t ReadProcessRss() {
  LineReader reader("/proc/self/statm");
  const char* line = reader.Next();
  uint64_t pages = 0;
  if (line == nullptr || (line = strchr(line, ' ')) == nullptr) {
    return 0;
  }
  for (++line; *line >= '0' && *line <= '9'; ++line) {
    pages = pages * 10 + static_cast<uint64_t>(*line - '0');
  }
  return pages * os::PageBytes();
}

}  // namespace

void TakeKernelBooks(KernelBooks* books) {
  const int saved_errno = errno;
  *books = KernelBooks{};
  LineReader maps("/proc/self/maps");
  books->is_known = maps.is_open();
  registry.LockAll();
  while (const char* line = maps.Next()) {
    const uintptr_t start = ParseHex(&line);
    line += *line == '-' ? 1 : 0;
    const uintptr_t end = ParseHex(&line);
    const bool is_accessible = strncmp(line, " ---", 4) != 0;
    ForEachRange([&](auto, const void* ours, size_t bytes) {
      books->accessible_bytes += is_accessible ? Overlap(start, end, ours, bytes) : 0;
    });
  }
  ForEachRange([&](uint64_t KernelBooks::*term, const void* ours, size_t bytes) {
    if (term != &KernelBooks::resident_pools) {
      books->*term += os::ResidentBytes(ours, bytes);
    }
  });
  SumResidentPools(books);
  books->process_rss = ReadProcessRss();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  books->minor_faults = static_cast<uint64_t>(usage.ru_minflt);
  books->major_faults = static_cast<uint64_t>(usage.ru_majflt);
  registry.UnlockAll();
  errno = saved_errno;
}

}  // namespace tally
