// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include <bit>

#include "tools/tally/live_reader.h"

namespace tally::tool {
namespace {

// No list in a process that means well is longer.
constexpr size_t kRegionsMax = size_t{1} << 20;
constexpr size_t kHugeMax = size_t{1} << 24;
constexpr size_t kSparesMax = 1024;

}  // namespace

bool LiveReader::ReadShapes() {
  if (directory_.class_count > kStatsClassesMax || directory_.class_stride > kStrideMax) {
    return Odd();
  }
  Copy table;
  if (!ReadCopy(directory_.classes, directory_.class_count * directory_.class_stride, &table)) {
    return false;
  }
  for (size_t c = 0; c < directory_.class_count; ++c) {
    const uint64_t at = c * directory_.class_stride;
    shapes_.push_back({table.At<uint32_t>(at + directory_.class_block_bytes),
                       table.At<uint16_t>(at + directory_.class_run_pools),
                       table.At<uint16_t>(at + directory_.class_capacity)});
  }
  return true;
}

void LiveReader::SumResidentPools(uint64_t region, size_t arenas, const RemoteRegion& remote) {
  const std::vector<bool> pages =
      ReadResidentPages(memory_.process(), region, arenas * directory_.arena_bytes);
  const size_t pools = arenas * kWalkPoolsPerArena;
  WalkPools(remote, arenas, ResidentSum(&view_.kernel, [&](size_t index) {
              return !pages.empty() && pages[index * pages.size() / pools];
            }));
}

bool LiveReader::ReadRegion(uint64_t region) {
  constexpr size_t kArenas = 64;
  const uint64_t arena_bytes = directory_.arena_bytes;
  uint64_t committed = 0;
  uint32_t arena_count = 0;
  uint64_t keys = 0;
  Copy copy;
  if (!Get(region + directory_.region_committed, &committed) ||
      !Get(region + directory_.region_arena_count, &arena_count) ||
      !Get(region + directory_.region_keys, &keys)) {
    return false;
  }
  const auto arenas = static_cast<size_t>(std::popcount(committed));
  constexpr size_t kArenasMin = 2;  // the first holds descriptors
  if (arenas < kArenasMin || arena_count > kArenas ||
      !ReadCopy(region, arenas * kWalkPoolsPerArena * directory_.descriptor_bytes, &copy)) {
    return arenas >= kArenasMin && arena_count <= kArenas ? false : Odd();
  }
  constexpr uint64_t kFirstPoolOffset = kWalkFirstPool * kWalkPoolBytes;
  ranges_.push_back({&KernelBooks::resident_metadata, region, kFirstPoolOffset});
  ranges_.push_back({&KernelBooks::resident_metadata, keys, kWalkKeyBytes});
  ranges_.push_back({&KernelBooks::resident_pools, region + kFirstPoolOffset,
                     arenas * arena_bytes - kFirstPoolOffset});
  const RemoteRegion remote(directory_, shapes_, std::move(copy));
  sum_.Region(arenas, arena_count);
  WalkPools(remote, arenas, sum_);
  StatsRegionLeaf leaf{};
  leaf.head.kind = LeafKind::kRegion;
  leaf.head.count = static_cast<uint32_t>(arenas);
  leaf.head.start = region;
  WalkPools(remote, arenas, OccupancyMap(leaf.occupancy));
  AddLeaf(leaf);
  if (residency_ == Residency::kOfEachPart) {
    SumResidentPools(region, arenas, remote);
  }
  regions_.emplace(region, remote);
  return true;
}

bool LiveReader::ReadRegions() {
  if (directory_.pool_bytes != kWalkPoolBytes ||
      directory_.arena_bytes != kWalkPoolBytes * kWalkPoolsPerArena ||
      directory_.region_bytes != directory_.arena_bytes * 64 ||
      directory_.descriptor_bytes * 64 != directory_.pool_bytes || directory_.arena_stride > 64) {
    return Odd();
  }
  uint64_t region = 0;
  bool is_read = Get(directory_.regions, &region);
  for (size_t i = 0; is_read && region != 0; ++i) {
    if (region % directory_.region_bytes != 0 || i == kRegionsMax) {
      return Odd();
    }
    is_read = ReadRegion(region) && Get(region + directory_.region_next, &region);
  }
  return is_read;
}

bool LiveReader::ReadHuge() {
  uint64_t table = 0;
  uint64_t capacity = 0;
  Copy copy;
  if (!Get(directory_.huge_table, &table) || !Get(directory_.huge_capacity, &capacity)) {
    return false;
  }
  if (capacity > kHugeMax || directory_.huge_stride > kStrideMax) {
    return Odd();
  }
  if (!ReadCopy(table, capacity * directory_.huge_stride, &copy)) {
    return false;
  }
  for (size_t i = 0; i < capacity; ++i) {
    const uint64_t at = i * directory_.huge_stride;
    const auto start = copy.At<uint64_t>(at + directory_.huge_start);
    const auto bytes = copy.At<uint64_t>(at + directory_.huge_bytes);
    if (start != 0) {
      sum_.Huge(bytes, copy.At<uint64_t>(at + directory_.huge_request_bytes));
      ranges_.push_back({&KernelBooks::resident_huge, start, bytes});
    }
  }
  return true;
}

bool LiveReader::ReadSpares() {
  uint64_t count = 0;
  Copy copy;
  if (!Get(directory_.spare_count, &count) || count > kSparesMax ||
      directory_.spare_stride > kStrideMax ||
      !ReadCopy(directory_.spares, count * directory_.spare_stride, &copy)) {
    return count > kSparesMax ? Odd() : false;
  }
  for (size_t i = 0; i < count; ++i) {
    const uint64_t at = i * directory_.spare_stride;
    const auto start = copy.At<uint64_t>(at + directory_.spare_start);
    const auto bytes = copy.At<uint64_t>(at + directory_.spare_bytes);
    if (start != 0) {
      sum_.Spare(bytes);
      ranges_.push_back({&KernelBooks::resident_huge, start, bytes});
    }
  }
  return true;
}

bool LiveReader::ReadMetadata() {
  uint64_t bytes = 0;
  uint64_t step = 0;
  bool is_read = Get(directory_.metadata_bytes, &bytes) && Get(directory_.metadata_steps, &step);
  for (size_t i = 0; is_read && step != 0; ++i) {
    uint64_t step_bytes = 0;
    if (i == kRegionsMax) {
      return Odd();
    }
    is_read = Get(step + directory_.step_bytes, &step_bytes);
    ranges_.push_back({&KernelBooks::resident_metadata, step, step_bytes});
    is_read = is_read && Get(step + directory_.step_next, &step);
  }
  sum_.Metadata(bytes + directory_.region_map_bytes);
  ranges_.push_back(
      {&KernelBooks::resident_metadata, directory_.region_map, directory_.region_map_bytes});
  return is_read;
}

}  // namespace tally::tool
