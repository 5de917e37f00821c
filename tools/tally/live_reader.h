// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Walks another process's books: fills a view's sums, leaves and ranges, by its directory.
//
// Called by live_books. live_mappings.cc reads what is mapped, live_heaps.cc who holds blocks back.
//
// Invariant: every length that comes from the process is held against a bound before it is used.

#ifndef TOOLS_TALLY_LIVE_READER_H_
#define TOOLS_TALLY_LIVE_READER_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "allocator/pool_walk.h"
#include "allocator/stats_format.h"
#include "tools/tally/kernel_view.h"
#include "tools/tally/process_memory.h"
#include "tools/tally/view.h"

namespace tally::tool {

// A region's first part: its words and the descriptors of its accessible arenas.
class RemoteRegion {
 public:
  RemoteRegion(const StatsDirectory& directory, const std::vector<ClassShape>& shapes, Copy copy)
      : directory_(directory), shapes_(shapes), copy_(std::move(copy)) {}

  uint64_t Free(size_t arena) const { return Word(arena, directory_.arena_free); }
  uint64_t Dirty(size_t arena) const { return Word(arena, directory_.arena_dirty); }
  uint64_t Touched(size_t arena) const { return Word(arena, directory_.arena_touched); }
  PoolView Descriptor(size_t index) const {
    const uint64_t at = index * directory_.descriptor_bytes;
    PoolView view{};
    const auto kind = copy_.At<uint8_t>(at + directory_.pool_kind);
    view.kind = kind <= 3 ? static_cast<PoolView::Kind>(kind) : PoolView::Kind::kFree;
    view.size_class = copy_.At<uint8_t>(at + directory_.pool_size_class);
    view.free_blocks = copy_.At<uint16_t>(at + directory_.pool_free_blocks);
    view.run_pools = copy_.At<uint32_t>(at + directory_.pool_run_pools);
    view.request_bytes = copy_.At<uint64_t>(at + directory_.pool_request_bytes);
    return view;
  }
  ClassShape Shape(size_t size_class) const {
    return size_class < shapes_.size() ? shapes_[size_class] : ClassShape{};
  }
  // The class of the block at an address in the region; 0 where there is none.
  size_t ClassAt(uint64_t address) const {
    size_t index = address % directory_.region_bytes / directory_.pool_bytes;
    PoolView view = Descriptor(index);
    if (view.kind == PoolView::Kind::kInner) {
      index -= std::min<size_t>(index, copy_.At<uint8_t>(index * directory_.descriptor_bytes +
                                                         directory_.pool_inner_index));
      view = Descriptor(index);
    }
    return view.kind == PoolView::Kind::kBlocks && view.size_class < shapes_.size()
               ? view.size_class
               : 0;
  }

 private:
  uint64_t Word(size_t arena, uint64_t field) const {
    return copy_.At<uint64_t>(directory_.region_arenas + arena * directory_.arena_stride + field);
  }

  const StatsDirectory& directory_;
  const std::vector<ClassShape>& shapes_;
  Copy copy_;
};

class LiveReader {
 public:
  LiveReader(const ProcessMemory& memory, const StatsDirectory& directory, Residency residency,
             View* view)
      : memory_(memory),
        directory_(directory),
        residency_(residency),
        view_(*view),
        sum_(&view->books) {}

  // False, with errno as ProcessMemory::Read leaves it, when something could not be read or makes
  // no sense (EFAULT).
  bool ReadAll() {
    return ReadShapes() && ReadRegions() && ReadHuge() && ReadSpares() && ReadMetadata() &&
           ReadHeaps() && ReadCaches() && ReadTotals();
  }

  // The sums, and what the kernel says. After ReadAll.
  void Finish() {
    sum_.Finish([&](size_t c) { return c < shapes_.size() ? shapes_[c] : ClassShape{}; });
    ReadProcessView(memory_.process(), &view_.kernel);
    if (residency_ == Residency::kOfEachPart) {
      ReadKernelView(memory_.process(), ranges_, &view_.kernel);
    }
  }

 private:
  // No structure in a process that means well is larger.
  static constexpr size_t kStrideMax = size_t{1} << 16;

  template <typename T>
  bool Get(uint64_t address, T* to) const {
    return memory_.Read(address, to, sizeof(*to));
  }
  bool ReadCopy(uint64_t address, size_t bytes, Copy* copy) const {
    *copy = Copy(bytes);
    return memory_.Read(address, copy->data(), bytes);
  }
  static bool Odd() {
    errno = EFAULT;
    return false;
  }

  // live_mappings.cc
  bool ReadShapes();
  bool ReadRegion(uint64_t region);
  void SumResidentPools(uint64_t region, size_t arenas, const RemoteRegion& remote);
  bool ReadRegions();
  bool ReadHuge();
  bool ReadSpares();
  bool ReadMetadata();

  // live_heaps.cc
  bool ReadBatches(uint64_t batch, bool is_transit, uint64_t* blocks);
  void CountTransit(uint64_t block);
  bool ReadHeap(uint64_t heap, uint64_t index);
  bool ReadHeaps();
  size_t CacheBytes() const;
  bool ReadCacheSettled(uint64_t cache, size_t bytes, Copy* copy) const;
  void CountMagazines(const Copy& copy, ThreadBooks* own);
  bool ReadCache(uint64_t cache, size_t bytes, uint64_t* next);
  bool ReadCaches();
  bool ReadClassTotals();
  bool ReadTotals();

  template <typename Leaf>
  void AddLeaf(const Leaf& leaf) {
    const auto* bytes = reinterpret_cast<const char*>(&leaf);
    view_.leaves.insert(view_.leaves.end(), bytes, bytes + sizeof(leaf));
  }
  template <typename Entry>
  void AddEntries(LeafKind kind, const std::vector<Entry>& entries) {
    for (size_t at = 0; at < entries.size(); at += kStatsLeafEntries) {
      StatsEntryLeaf<Entry> leaf{};
      const size_t count = std::min(kStatsLeafEntries, entries.size() - at);
      leaf.head.kind = kind;
      leaf.head.count = static_cast<uint32_t>(count);
      std::copy_n(entries.begin() + static_cast<ptrdiff_t>(at), count, leaf.entries);
      AddLeaf(leaf);
    }
  }

  const ProcessMemory& memory_;
  const StatsDirectory& directory_;
  Residency residency_;
  View& view_;
  BooksSum sum_;
  std::vector<ClassShape> shapes_;
  std::map<uint64_t, RemoteRegion> regions_;
  std::map<uint64_t, uint64_t> heap_indexes_;
  std::vector<HeapBooks> heaps_;
  std::vector<ThreadBooks> threads_;
  std::vector<KernelRange> ranges_;
};

}  // namespace tally::tool

#endif  // TOOLS_TALLY_LIVE_READER_H_
