// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What refgc adds to the core's report, and what it says at the program's end.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "refgc/state.h"

namespace refgc::detail {

namespace {

struct type_counts {
  uint64_t count[kTypesMax];
  uint64_t bytes[kTypesMax];
};

void count_heap(heap_impl* heap, void* context) {
  auto& counts = *static_cast<type_counts*>(context);
  for (int kind = 0; kind < 2; ++kind) {
    for_each_object(*heap, kind, [&](const object_header* header) {
      if (header->type < kTypesMax) {
        ++counts.count[header->type];
        counts.bytes[header->type] += sizeof(object_header) + type_table[header->type].object_bytes;
      }
    });
  }
}

}  // namespace

// Other threads' heaps are read as they are: pools stay mapped, and a count may be one off.
size_t count_objects_for_report(tally::ObjectTypeBooks* types, size_t max) {
  static type_counts counts;
  static std::vector<std::string>* const names = new std::vector<std::string>;
  std::memset(&counts, 0, sizeof(counts));
  for_each_heap(count_heap, &counts);
  std::vector<uint16_t> ids;
  for (uint16_t id = kFirstType; id < kTypesMax; ++id) {
    if (counts.count[id] != 0) {
      ids.push_back(id);
    }
  }
  std::sort(ids.begin(), ids.end(),
            [](uint16_t a, uint16_t b) { return counts.bytes[a] > counts.bytes[b]; });
  ids.resize(std::min(ids.size(), max));
  names->clear();
  for (const uint16_t id : ids) {
    names->push_back(readable_name(type_table[id].name));
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    types[i] = {(*names)[i].c_str(), counts.count[ids[i]], counts.bytes[ids[i]]};
  }
  return ids.size();
}

}  // namespace refgc::detail
