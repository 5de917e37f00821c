// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "refgc/untraced.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <unordered_set>

#include "refgc/memory_view.h"

namespace refgc::detail {

namespace {

// Of one object, and of all: so that a search through a large program ends.
constexpr size_t kBlocksPerObjectMax = 4096;
constexpr size_t kBlocksMax = 1 << 20;
// What is looked at of a block: of an array, and of another.
constexpr size_t kArrayBytesMax = 1 << 20;
constexpr size_t kBlockBytesMax = 64 * 1024;

// What an object's trace says: where its slots are, and which members have names.
class slots_visitor final : public visitor {
 public:
  struct member {
    const char* name;
    uintptr_t start;
    uintptr_t end;
  };
  slots_visitor() { wants_members = true; }
  void on_edge(const char* /*name*/, void*& slot, bool /*is_part*/) override {
    slots_.insert(reinterpret_cast<uintptr_t>(&slot));
  }
  void on_member(const char* name, const void* place, size_t bytes) override {
    const auto start = reinterpret_cast<uintptr_t>(place);
    members_.push_back({name, start, start + bytes});
  }
  bool has_slot(uintptr_t address) const { return slots_.count(address) != 0; }
  std::string name_at(uintptr_t address) const {
    for (const member& m : members_) {
      if (address - m.start < m.end - m.start) {
        return m.name;
      }
    }
    return {};
  }

 private:
  std::unordered_set<uintptr_t> slots_;
  std::vector<member> members_;
};

class search {
 public:
  search(const object_graph& graph, int blocks_behind_max, const memory_view* memory)
      : graph_(graph), blocks_behind_max_(blocks_behind_max), memory_(memory) {}

  std::vector<untraced_word> find() {
    for (uint32_t node = 0; node < graph_.foreign_begin(); ++node) {
      look_into(node);
    }
    std::vector<untraced_word> result;
    for (auto& [address, word] : found_) {
      result.push_back(std::move(word));
    }
    std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
      return std::tie(a.from, a.offset, a.to) < std::tie(b.from, b.offset, b.to);
    });
    return result;
  }

 private:
  struct block {
    uintptr_t start;
    size_t words;
    uint32_t offset;  // in the object, of the pointer that led here
    int blocks_behind;
  };

  // The object, word by word, then the blocks it points to, nearest first.
  void look_into(uint32_t node) {
    from_ = node;
    slots_ = {};
    object_header* header = graph_.header(node);
    const type_info& info = type_table[header->type];
    info.trace(object_of(header), slots_);
    start_ = reinterpret_cast<uintptr_t>(header + 1);
    const auto* first = reinterpret_cast<const uintptr_t*>(header + 1);
    const std::vector<uintptr_t> words(first, first + info.object_bytes / sizeof(uintptr_t));
    waiting_.clear();
    seen_.clear();
    look_at({start_, words.size(), 0, 0}, words);
    while (!waiting_.empty()) {
      const block next = waiting_.front();
      waiting_.pop_front();
      look_at(next, memory_->read(next.start, next.words));
    }
  }

  void look_at(const block& where, const std::vector<uintptr_t>& words) {
    for (size_t i = 0; i < words.size(); ++i) {
      const uintptr_t address = where.start + i * sizeof(uintptr_t);
      if (words[i] < 4096 || slots_.has_slot(address)) {
        continue;
      }
      const uint32_t offset =
          where.blocks_behind == 0 ? static_cast<uint32_t>(address - start_) : where.offset;
      const uint32_t to = graph_.find(reinterpret_cast<void*>(words[i]));
      if (to == object_graph::kNone) {
        follow(words, i, offset, where.blocks_behind + 1);
      } else if (graph_.held_externally(to) != 0) {
        add(address, {from_, to, offset, slots_.name_at(start_ + offset), where.blocks_behind});
      }
    }
  }

  // A pointer to something that is no object: perhaps a block of its own.
  void follow(const std::vector<uintptr_t>& words, size_t i, uint32_t offset, int blocks_behind) {
    const uintptr_t start = words[i];
    if (blocks_behind > blocks_behind_max_ || memory_ == nullptr ||
        seen_.size() == kBlocksPerObjectMax || looked_at_ == kBlocksMax ||
        !memory_->may_be_block(start) || is_in_object(start) || !seen_.insert(start).second) {
      return;
    }
    ++looked_at_;
    const size_t known = memory_->bytes_behind(start);
    size_t bytes = known == 0 ? memory_->bytes_if_unknown() : std::min(known, kBlockBytesMax);
    // A vector's first, last and limit, the limit in the same block: what lies behind the last is
    // stale.
    if (i + 2 < words.size() && words[i + 1] >= start && words[i + 2] >= words[i + 1] &&
        words[i + 2] > start && (known == 0 || words[i + 2] - start <= known)) {
      bytes = std::min(words[i + 1] - start, kArrayBytesMax);
      seen_.insert({words[i + 1], words[i + 2]});
    }
    waiting_.push_back({start, bytes / sizeof(uintptr_t), offset, blocks_behind});
  }

  // Objects, and their insides, have their own turn.
  bool is_in_object(uintptr_t address) const {
    const uint32_t node = graph_.find_around(reinterpret_cast<void*>(address));
    return node != object_graph::kNone;
  }

  void add(uintptr_t address, untraced_word word) {
    const auto [at, is_new] = found_.emplace(address, word);
    if (!is_new && word.blocks_behind < at->second.blocks_behind) {
      at->second = std::move(word);
    }
  }

  const object_graph& graph_;
  const int blocks_behind_max_;
  const memory_view* memory_;
  uint32_t from_ = 0;
  uintptr_t start_ = 0;
  slots_visitor slots_;
  std::deque<block> waiting_;
  std::unordered_set<uintptr_t> seen_;
  size_t looked_at_ = 0;
  std::unordered_map<uintptr_t, untraced_word> found_;  // by the address of the word
};

}  // namespace

std::vector<untraced_word> find_untraced(const object_graph& graph, int blocks_behind_max) {
  bool is_wanted = false;
  for (uint32_t node = 0; node < graph.foreign_begin(); ++node) {
    is_wanted |= graph.held_externally(node) != 0;
  }
  if (!is_wanted) {
    return {};
  }
  if (blocks_behind_max == 0) {
    return search(graph, 0, nullptr).find();
  }
  const memory_view memory(*heap_of(graph.header(0)));
  return search(graph, blocks_behind_max, &memory).find();
}

std::string describe_place(const untraced_word& word) {
  return word.member.empty() ? "offset " + std::to_string(word.offset) : word.member;
}

}  // namespace refgc::detail
