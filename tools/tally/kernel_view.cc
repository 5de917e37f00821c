// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/kernel_view.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace tally::tool {
namespace {

// Size of what of the ranges is in mappings that can be read or written.
bool ReadAccessible(pid_t process, std::vector<KernelRange> ranges, uint64_t* bytes) {
  std::sort(ranges.begin(), ranges.end(),
            [](const KernelRange& a, const KernelRange& b) { return a.start < b.start; });
  std::ifstream maps(absl::StrCat("/proc/", process, "/maps"));
  auto range = ranges.begin();
  for (std::string line; std::getline(maps, line);) {
    unsigned long long start = 0;
    unsigned long long end = 0;
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%llx-%llx %4s", &start, &end, rights) != 3) {
      continue;
    }
    while (range != ranges.end() && range->start + range->bytes <= start) {
      ++range;
    }
    const bool is_accessible = rights[0] != '-' || rights[1] != '-';
    for (auto at = range; is_accessible && at != ranges.end() && at->start < end; ++at) {
      const uint64_t low = std::max<uint64_t>(start, at->start);
      const uint64_t high = std::min<uint64_t>(end, at->start + at->bytes);
      *bytes += high > low ? high - low : 0;
    }
  }
  return maps.eof();
}

}  // namespace

bool ReadProcessView(pid_t process, KernelBooks* books) {
  std::ifstream statm(absl::StrCat("/proc/", process, "/statm"));
  uint64_t size = 0;
  uint64_t resident = 0;
  if (!(statm >> size >> resident)) {
    return false;
  }
  books->process_rss = resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream stat(absl::StrCat("/proc/", process, "/stat"));
  std::stringstream text;
  text << stat.rdbuf();
  std::istringstream fields(text.str().substr(std::min(text.str().size(), text.str().rfind(')'))));
  std::string skipped;
  uint64_t child_faults = 0;
  for (int field = 2; field < 10; ++field) {  // up to field 9, flags
    fields >> skipped;
  }
  return static_cast<bool>(fields >> books->minor_faults >> child_faults >> books->major_faults);
}

// By the bit of pagemap that everybody sees who may read the process.
std::vector<bool> ReadResidentPages(pid_t process, uint64_t start, uint64_t bytes) {
  constexpr size_t kEntriesMax = 16384;
  constexpr uint64_t kPresent = uint64_t{1} << 63;
  const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const std::string path = absl::StrCat("/proc/", process, "/pagemap");
  const int pagemap = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<bool> pages;
  std::vector<uint64_t> entries(kEntriesMax);
  uint64_t page = start / page_bytes;
  const uint64_t end = (start + bytes + page_bytes - 1) / page_bytes;
  while (pagemap >= 0 && page < end) {
    const size_t wanted = std::min<uint64_t>(kEntriesMax, end - page) * sizeof(uint64_t);
    const ssize_t got =
        pread(pagemap, entries.data(), wanted, static_cast<off_t>(page * sizeof(uint64_t)));
    const size_t count = got <= 0 ? 0 : static_cast<size_t>(got) / sizeof(uint64_t);
    if (count == 0) {
      pages.clear();
      break;
    }
    for (size_t i = 0; i < count; ++i) {
      pages.push_back((entries[i] & kPresent) != 0);
    }
    page += count;
  }
  if (pagemap >= 0) {
    close(pagemap);
  }
  return pages;
}

void ReadKernelView(pid_t process, const std::vector<KernelRange>& ranges, KernelBooks* books) {
  const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  bool is_known = true;
  for (const KernelRange& range : ranges) {
    if (range.term != &KernelBooks::resident_pools) {  // these are summed pool by pool
      const std::vector<bool> pages = ReadResidentPages(process, range.start, range.bytes);
      is_known = is_known && (!pages.empty() || range.bytes == 0);
      books->*range.term +=
          static_cast<uint64_t>(std::count(pages.begin(), pages.end(), true)) * page_bytes;
    }
  }
  is_known = is_known && ReadAccessible(process, ranges, &books->accessible_bytes);
  books->is_known = is_known && books->process_rss != 0;
}

}  // namespace tally::tool
