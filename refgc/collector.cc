// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Finding the garbage. garbage.cc ends it.

#include "refgc/collector.h"

#include <algorithm>
#include <cstdio>

namespace refgc::detail {

namespace {

object_header* header_in(char* block) {
  auto* header = reinterpret_cast<object_header*>(block);
  return header + (header->type == kShiftedHeader ? 1 : 0);
}

// Whether a candidate's entry still means that object.
bool is_valid_candidate(const heap_impl& heap, const object_header* header) {
  for (const object_header* large : heap.large) {
    if (large == header) {
      return true;
    }
  }
  tally::Pool* pool = tally::Pool::Of(header);
  if (pool->owner.load(std::memory_order_relaxed) != heap.caches[0]->heap) {
    return false;
  }
  tally::Pool* head = pool->head();
  const auto offset =
      reinterpret_cast<uintptr_t>(header) - reinterpret_cast<uintptr_t>(head->start());
  const size_t index = tally::BlockIndex(head->info(), offset);
  const bool is_start = header_in(head->start() + index * head->info().block_bytes) == header;
  return is_start && header->type >= kFirstType && (header->flags & kLogged) != 0;
}

}  // namespace

void drop_stale_candidates(heap_impl* heap) {
  std::vector<object_header*>& candidates = heap->candidates;
  size_t kept = 0;
  for (object_header* header : candidates) {
    if (is_valid_candidate(*heap, header)) {
      header->flags &= static_cast<uint8_t>(~kLogged);  // so that it stays once
      candidates[kept++] = header;
    }
  }
  candidates.resize(kept);
  for (object_header* header : candidates) {
    header->flags |= kLogged;
  }
  candidates.reserve(std::max<size_t>(2 * kept, 1024));
}

class closure_visitor final : public visitor {
 public:
  explicit closure_visitor(collector* c) : c_(*c) {}
  void on_edge(const char* /*name*/, void*& slot, bool is_part) override {
    object_header* header = header_of(is_part ? whole_object(slot) : slot);
    if (!c_.is_in_question(header)) {
      return;
    }
    c_.join(header);
    --c_.index_.refs(header);
  }

 private:
  collector& c_;
};

bool collector::is_in_question(const object_header* header) const {
  return header->type >= kFirstType && (header->flags & (kAcyclic | kFrozen | kDying)) == 0 &&
         header->count != 0 && heap_of(header) == &heap_ &&
         heap_.generation_of(*header) <= generation_;
}

void collector::join(object_header* header) {
  const uint32_t slot = index_.add(header, side_table::kOutside);
  int32_t& refs = index_.side().refs[slot];
  if (refs == side_table::kOutside) {
    refs = side_table::clamp(header->count);
    members_.push_back(header);
  }
}

// Of the generations in question; they are no candidates any more.
std::vector<object_header*> collector::take_candidates(int generation) {
  std::vector<object_header*> taken;
  size_t kept = 0;
  for (object_header* header : heap_.candidates) {
    if (!is_valid_candidate(heap_, header)) {
      continue;
    }
    if (heap_.generation_of(*header) <= generation) {
      header->flags &= static_cast<uint8_t>(~kLogged);
      taken.push_back(header);
    } else {
      heap_.candidates[kept++] = header;
    }
  }
  heap_.candidates.resize(kept);
  return taken;
}

void collector::subtract_all() {
  side_table& side = index_.side();
  for (const pool_index::run& run : index_.runs()) {
    for (uint32_t slot = run.first_slot; slot < run.end_slot;) {
      char* block = run.start + size_t{slot - run.first_slot} * run.block_bytes;
      const object_header* header = header_in(block);
      if (header->type == kNoType) {
        ++slot;
      } else if (header->type == kConstructing) {
        side.refs[slot++] = side_table::kOutside;
      } else {
        slot = type_table[header->type].subtract_run(side, block, run.block_bytes, slot,
                                                     run.end_slot, header->type);
      }
    }
  }
}

// One pass in the order of addresses; what it has passed by and is reached later waits on the
// stack.
void collector::mark_all() {
  side_table& side = index_.side();
  do {
    for (const pool_index::run& run : index_.runs()) {
      for (uint32_t slot = run.first_slot; slot < run.end_slot;) {
        char* block = run.start + size_t{slot - run.first_slot} * run.block_bytes;
        const object_header* header = header_in(block);
        if (side.refs[slot] <= 0 || header->type < kFirstType) {
          ++slot;
        } else {
          slot = type_table[header->type].mark_run(side, block, run.block_bytes, slot, run.end_slot,
                                                   header->type);
        }
      }
      if (index_.is_stack_long()) {
        side.cursor = run.end_slot;
        index_.drain_stack();
      }
    }
    side.cursor = ~uint32_t{0};
    index_.drain_stack();
    side.cursor = 0;
  } while (index_.take_overflow());
}

void collector::add_garbage(object_header* header, int32_t* refs) {
  if (*refs < 0) {
    fatal("more references to an object than its count", header,
          "look for a member that is traced twice, or a ref that was adopted without a count");
  }
  *refs = side_table::kGarbage;
  const type_info& info = type_table[header->type];
  has_finalizers_ |= info.finalize != nullptr && (header->flags & kFinalized) == 0;
  has_weak_ |= (header->flags & kHasWeak) != 0;
  garbage_.push_back(header);
}

void collector::gather_all() {
  side_table& side = index_.side();
  for (const pool_index::run& run : index_.runs()) {
    for (uint32_t slot = run.first_slot; slot < run.end_slot; ++slot) {
      if (side.refs[slot] > 0) {
        ++looked_at_;
        continue;
      }
      object_header* header =
          header_in(run.start + size_t{slot - run.first_slot} * run.block_bytes);
      if (header->type >= kFirstType) {
        add_garbage(header, &side.refs[slot]);
      }
    }
  }
  looked_at_ += garbage_.size();
}

// Follows the members, who become more; each reference inside is subtracted on the way.
void collector::close_set() {
  closure_visitor v(this);
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_.size() > limit_) {
      is_abandoned_ = true;
      return;
    }
    type_table[members_[i]->type].trace(object_of(members_[i]), v);
  }
}

void collector::mark_members() {
  side_table& side = index_.side();
  side.cursor = ~uint32_t{0};
  for (object_header* header : members_) {
    int32_t& refs = index_.refs(header);
    if (refs > 0 && refs < side_table::kReached) {
      refs = side_table::kReached;
      type_table[header->type].mark_one(side, object_of(header));
      index_.drain_stack();
    }
  }
}

void collector::gather_members() {
  for (object_header* header : members_) {
    int32_t& refs = index_.refs(header);
    if (refs <= 0) {
      add_garbage(header, &refs);
    }
  }
  looked_at_ = members_.size();
}

collection_result collector::collect_full() {
  if (heap_.frozen_count != 0) {
    return collect_young(2);
  }
  take_candidates(2);
  index_.add_all(0);
  if (index_.runs().empty()) {
    return {};
  }
  index_.use_stack();
  subtract_all();
  mark_all();
  gather_all();
  return finish();
}

collection_result collector::collect_young(int generation) {
  generation_ = generation;
  take_candidates(generation);
  for_each_object(heap_, 0, [&](object_header* header) {
    if (is_in_question(header)) {
      join(header);
    }
  });
  close_set();
  index_.use_stack();
  mark_members();
  gather_members();
  return finish();
}

collection_result collector::collect_closure(int generation, size_t limit) {
  generation_ = generation;
  limit_ = limit;
  const std::vector<object_header*> roots = take_candidates(generation);
  for (object_header* header : roots) {
    if (is_in_question(header)) {
      join(header);
    }
  }
  close_set();
  if (is_abandoned_) {
    for (object_header* header : roots) {
      log_candidate(header);
    }
    collection_result result;
    result.candidates = members_.size();
    result.is_abandoned = true;
    return result;
  }
  index_.use_stack();
  mark_members();
  gather_members();
  return finish();
}

}  // namespace refgc::detail
