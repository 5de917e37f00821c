// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Finding the garbage. garbage.cc ends it.

#include "refgc/collector.h"

#include <algorithm>
#include <cstdio>

namespace refgc::detail {

namespace {

// Whether a candidate's entry still means that object.
bool is_valid(const heap_impl& heap, candidate entry) {
  const object_header* header = entry.header();
  if (entry.is_large()) {
    return true;
  }
  if (tally::LoadKey(heap.caches[0]->window, header) - heap.tracked_key >= tally::kKeySpan) {
    return false;
  }
  if (header->type < kFirstType || (header->flags & kLogged) == 0) {
    return false;  // nearly always right, and cheap; what passes may still be an object's inside
  }
  return header_in(tally::Pool::Of(header)->head()->BlockAround(header)) == header;
}

}  // namespace

void drop_stale_candidates(heap_impl* heap) {
  std::vector<candidate>& fresh = heap->candidates[0];
  const auto end = std::remove_if(fresh.begin(), fresh.end(), [&](candidate entry) {
    if (!is_valid(*heap, entry) || (entry.header()->flags & kLogged) == 0) {
      return true;
    }
    entry.header()->flags &= static_cast<uint8_t>(~kLogged);  // so that it stays once
    return false;
  });
  fresh.erase(end, fresh.end());
  for (const candidate entry : fresh) {
    entry.header()->flags |= kLogged;
  }
  fresh.reserve(std::max<size_t>(2 * fresh.size(), 1024));
}

namespace {
// Whose set grows on this thread; null while none does.
thread_local collector* closing = nullptr;
}  // namespace

void side_table::close_slow(void* target, bool is_part) {
  if (closing != nullptr) {
    closing->join_target(header_of(target_of(target, is_part)));
  }
}

// A reference to an object that was not in the set.
void collector::join_target(object_header* header) {
  if (is_in_question(header)) {
    join(header);
    --index_.refs(header);
  }
}

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

// Of the generations in question; they are no candidates any more. Others move to the list of their
// own generation, so that each collection looks at none that it has to pass over twice.
std::vector<object_header*> collector::take_candidates(int generation) {
  std::vector<object_header*> taken;
  for (int level = 0; level <= generation; ++level) {
    for (const candidate entry : std::exchange(heap_.candidates[level], {})) {
      object_header* header = entry.header();
      if (!is_valid(heap_, entry) || (header->flags & kLogged) == 0) {
        continue;
      }
      const int own = heap_.generation_of(*header);
      if (own <= generation) {
        header->flags &= static_cast<uint8_t>(~kLogged);
        taken.push_back(header);
      } else {
        heap_.candidates[own].push_back(entry);
      }
    }
  }
  return taken;
}

void collector::subtract_all() {
  side_table& side = index_.side();
  for (const pool_index::run& run : index_.runs()) {
    for (uint32_t slot = run.first_slot; slot < run.end_slot;) {
      char* block = run.block_at(slot);
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
        char* block = run.block_at(slot);
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

void collector::note_garbage(const object_header* header, int32_t* refs) {
  if (*refs < 0) {
    fatal("more references to an object than its count", header,
          "look for a member that is traced twice, or a ref that was adopted without a count");
  }
  *refs = side_table::kGarbage;
  const type_info& info = type_table[header->type];
  has_finalizers_ |= info.finalize != nullptr && (header->flags & kFinalized) == 0;
  has_weak_ |= (header->flags & kHasWeak) != 0;
  has_uncollectable_ |= info.is_uncollectable;
  ++found_;
}

void collector::find_all() {
  side_table& side = index_.side();
  for (const pool_index::run& run : index_.runs()) {
    for (uint32_t slot = run.first_slot; slot < run.end_slot; ++slot) {
      if (side.refs[slot] > 0) {
        ++looked_at_;
        continue;
      }
      const object_header* header = header_in(run.block_at(slot));
      if (header->type >= kFirstType) {
        note_garbage(header, &side.refs[slot]);
      }
    }
  }
  looked_at_ += found_;
}

// Follows the members, who become more; each reference inside is subtracted on the way.
void collector::close_set() {
  closing = this;
  for (size_t i = 0; i < members_.size() && !is_abandoned_; ++i) {
    type_table[members_[i]->type].close_one(index_.side(), object_of(members_[i]));
    is_abandoned_ = members_.size() > limit_;
  }
  closing = nullptr;
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

void collector::find_members() {
  for (const object_header* header : members_) {
    int32_t& refs = index_.refs(header);
    if (refs <= 0) {
      note_garbage(header, &refs);
    }
  }
  looked_at_ = members_.size();
  garbage_.reserve(found_);
  for (object_header* header : members_) {
    if (index_.refs(header) == side_table::kGarbage) {
      garbage_.push_back(header);
    }
  }
  is_listed_ = true;
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
  find_all();
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
  find_members();
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
      header->flags |= kLogged;
      heap_.candidates[heap_.generation_of(*header)].emplace_back(header);
    }
    collection_result result;
    result.candidates = members_.size();
    result.is_abandoned = true;
    return result;
  }
  index_.use_stack();
  mark_members();
  find_members();
  return finish();
}

}  // namespace refgc::detail
