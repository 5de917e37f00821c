// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "refgc/memory_view.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace refgc::detail {

namespace {

constexpr size_t kChunkBytesMax = size_t{1} << 30;

// Tally's or another's anonymous memory, or the heap behind the program.
bool is_heap_like(const char* path) {
  return *path == '\0' || std::strcmp(path, "[heap]") == 0 || std::strncmp(path, "[anon", 5) == 0;
}

}  // namespace

memory_view::memory_view(const heap_impl& heap) : heap_(heap) {
  // Seen by its work: a block of 40 bytes makes a chunk of 48.
  const std::unique_ptr<void, void (*)(void*)> probe(std::malloc(40), &std::free);
  has_chunk_headers_ = bytes_of_chunk(reinterpret_cast<uintptr_t>(probe.get())) == 40;
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) {
    return;
  }
  char line[512];
  uintptr_t end_of_file_mapping = 0;  // zeroed data of a program follows its file
  while (std::fgets(line, sizeof(line), maps) != nullptr) {
    uintptr_t start = 0;
    uintptr_t end = 0;
    char mode[8] = {};
    int path_at = 0;
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n", &start, &end, mode,
                    &path_at) < 3) {
      continue;
    }
    char* path = line + path_at;
    path[std::strcspn(path, "\n")] = '\0';
    if (!is_heap_like(path)) {
      end_of_file_mapping = end;
    } else if (std::strncmp(mode, "rw", 2) == 0 && start != end_of_file_mapping) {
      ranges_.push_back({start, end});
    }
  }
  std::fclose(maps);
}

bool memory_view::may_be_block(uintptr_t address) const {
  const auto at = std::upper_bound(
      ranges_.begin(), ranges_.end(), address,
      [](uintptr_t wanted, const range& candidate) { return wanted < candidate.end; });
  return address % sizeof(void*) == 0 && at != ranges_.end() && at->start <= address;
}

// Whether the address is the core's; `bytes` stay 0 where it does not lie in a block of pools.
bool memory_view::is_in_region(uintptr_t address, size_t* bytes) const {
  for (tally::Region* region = heap_.core->regions->oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    const uintptr_t offset = address - reinterpret_cast<uintptr_t>(region->start());
    if (offset >= tally::kRegionBytes) {
      continue;
    }
    const size_t pool = offset >> tally::kPoolShift;
    const size_t arena = pool / tally::kPoolsPerArena;
    const uint64_t known = region->committed.load(std::memory_order_acquire) &
                           region->described.load(std::memory_order_acquire);
    if (arena == 0 || (known >> arena & 1) == 0) {
      return true;
    }
    tally::Pool* described = region->descriptor(pool);
    tally::Pool* head = described->head();
    if (head->kind.load(std::memory_order_relaxed) != tally::PoolKind::kBlocks) {
      return true;
    }
    const uintptr_t inside = address - reinterpret_cast<uintptr_t>(head->first_block());
    const tally::ClassInfo& info = head->info();
    if (inside < size_t{info.capacity} * info.block_bytes) {
      *bytes = info.block_bytes - inside % info.block_bytes;
    }
    return true;
  }
  return false;
}

size_t memory_view::bytes_behind(uintptr_t address) const {
  size_t bytes = 0;
  return is_in_region(address, &bytes) || !has_chunk_headers_ ? bytes : bytes_of_chunk(address);
}

// glibc: the word before a block is its chunk's size, and three bits.
size_t memory_view::bytes_of_chunk(uintptr_t address) const {
  if (address % 16 != 0) {
    return 0;
  }
  const std::vector<uintptr_t> before = read(address - sizeof(void*), 1);
  const uintptr_t chunk = before.empty() ? 0 : before[0] & ~uintptr_t{7};
  const bool is_chunk = chunk >= 32 && chunk % 16 == 0 && chunk <= kChunkBytesMax;
  return is_chunk ? chunk - sizeof(void*) : 0;
}

std::vector<uintptr_t> memory_view::read(uintptr_t address, size_t words) const {
  std::vector<uintptr_t> result(words);
  iovec to = {result.data(), words * sizeof(uintptr_t)};
  iovec from = {reinterpret_cast<void*>(address), words * sizeof(uintptr_t)};
  const ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
  result.resize(got <= 0 ? 0 : static_cast<size_t>(got) / sizeof(uintptr_t));
  return result;
}

}  // namespace refgc::detail
