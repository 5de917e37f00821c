// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The end of garbage, in CPython's order: what may not be cleared is set aside; weak callbacks
// outside; finalisers, on intact objects, once for each; who was revived lives on; weak references
// are cleared; references of the rest are nulled, and those to the outside dropped; destructors;
// memory.

#include <cstdio>

#include "refgc/collector.h"

namespace refgc::detail {

namespace {

constexpr int32_t kGarbage = side_table::kGarbage;
bool is_garbage(int32_t refs) { return side_table::is_garbage(refs); }

template <typename OnEdge>
class edge_visitor final : public visitor {
 public:
  explicit edge_visitor(OnEdge f) : f_(f) {}
  void on_edge(const char* /*name*/, void*& slot, bool is_part) override { f_(slot, is_part); }

 private:
  OnEdge f_;
};

class weak_visitor final : public visitor {
 public:
  explicit weak_visitor(std::vector<weak_box*>* boxes) : boxes_(*boxes) {}
  void on_edge(const char* /*name*/, void*& /*slot*/, bool /*is_part*/) override {}
  void on_weak(const char* /*name*/, weak_box* box) override {
    if (box->holders_inside++ == 0) {
      ++box->holders;  // ours, for as long as we know it
      boxes_.push_back(box);
    }
  }

 private:
  std::vector<weak_box*>& boxes_;
};

template <typename F>
void trace(object_header* header, F f) {
  edge_visitor<F> v(f);
  trace_object(header, v);
}

void drop(object_header* header) {
  if (header->count != kImmortalCount) {
    --header->count;
  }
}

}  // namespace

// In the order of addresses, as the side table says: before anything was taken from it.
template <typename F>
void collector::for_each_garbage(F f) {
  const int32_t* refs = index_.side().refs;
  for (const pool_index::run& run : index_.runs()) {
    char* block = run.first_block;
    for (uint32_t slot = run.first_slot; slot < run.end_slot; ++slot, block += run.block_bytes) {
      if (refs[slot] == kGarbage) {
        f(header_in(block));
      }
    }
  }
}

void collector::list_garbage() {
  garbage_.reserve(found_);
  for_each_garbage([&](object_header* header) { garbage_.push_back(header); });
  is_listed_ = true;
}

// Those that opted out of being cleared, and what they lead to, live on, uncollected.
size_t collector::set_uncollectable_aside() {
  side_table& side = index_.side();
  std::vector<object_header*> kept;
  const auto keep = [&](object_header* header) {
    int32_t& refs = index_.refs(header);
    if (refs <= 0) {
      refs = side_table::kReached;
      kept.push_back(header);
    }
  };
  for (object_header* header : garbage_) {
    if (type_table[header->type].is_uncollectable) {
      heap_.garbage.push_back(ref_from_this(static_cast<void*>(object_of(header))));
      if ((heap_.debug & gc::DEBUG_UNCOLLECTABLE) != 0) {
        std::fprintf(stderr, "refgc: uncollectable <%s %p>\n", name_of(header).c_str(),
                     object_of(header));
      }
      keep(header);
    }
  }
  for (size_t i = 0; i < kept.size(); ++i) {
    trace(kept[i], [&](void*& slot, bool is_part) {
      if (side.refs[side.slot_of(slot)] <= 0) {
        keep(header_of(target_of(slot, is_part)));
      }
    });
  }
  size_t left = 0;
  for (object_header* header : garbage_) {
    if (index_.refs(header) <= 0) {
      garbage_[left++] = header;
    }
  }
  garbage_.resize(left);
  return kept.size();
}

void collector::hold_garbage() {
  for (object_header* header : garbage_) {
    increment(header);
  }
}

// Which weak references lie in garbage, and whether all of a box's holders do. Again when some of
// it was revived: those outlast it.
void collector::count_weak_inside() {
  for (weak_box* box : boxes_inside_) {
    box->holders_inside = 1;  // our own
  }
  const size_t known = boxes_inside_.size();
  weak_visitor v(&boxes_inside_);
  for (object_header* header : garbage_) {
    trace_object(header, v);
  }
  for (size_t i = known; i < boxes_inside_.size(); ++i) {
    ++boxes_inside_[i]->holders_inside;
  }
}

void collector::run_weak_callbacks_of_garbage() {
  count_weak_inside();
  std::vector<weak_box*> calls;
  for (object_header* header : garbage_) {
    if ((header->flags & kHasWeak) != 0) {
      take_weak_callbacks(header, &calls);
    }
  }
  has_run_code_ |= !calls.empty();
  run_weak_callbacks(&calls);
}

void collector::finalize_garbage() {
  for (object_header* header : garbage_) {
    if (type_table[header->type].finalize != nullptr && (header->flags & kFinalized) == 0) {
      has_run_code_ = true;
      run_finalizer(header);
    }
  }
}

// Code ran: whoever has a reference from outside now lives on, and what it leads to.
void collector::keep_revived() {
  side_table& side = index_.side();
  for (object_header* header : garbage_) {
    const uint32_t count = header->count - (header->count == kImmortalCount ? 0 : 1);
    index_.refs(header) = kGarbage + side_table::clamp(count);
  }
  for (object_header* header : garbage_) {
    type_table[header->type].close_one(side, object_of(header));
  }
  std::vector<object_header*> revived;
  const auto revive = [&](object_header* header) {
    index_.refs(header) = side_table::kReached;
    revived.push_back(header);
  };
  for (object_header* header : garbage_) {
    const int32_t refs = index_.refs(header);
    if (is_garbage(refs) && refs != kGarbage) {
      revive(header);
    }
  }
  for (size_t i = 0; i < revived.size(); ++i) {
    trace(revived[i], [&](void*& slot, bool is_part) {
      if (is_garbage(side.refs[side.slot_of(slot)])) {
        revive(header_of(target_of(slot, is_part)));
      }
    });
  }
  size_t left = 0;
  for (object_header* header : garbage_) {
    if (index_.refs(header) == kGarbage) {
      garbage_[left++] = header;
    } else {
      drop(header);
    }
  }
  garbage_.resize(left);
}

void collector::clear_weak_of_garbage() {
  std::vector<weak_box*> calls;
  for (object_header* header : garbage_) {
    if ((header->flags & kHasWeak) != 0) {
      clear_weak_late(header, &calls);
    }
  }
  for (weak_box* box : boxes_inside_) {
    if (box->holders_inside == box->holders && (!box->is_finalizer || box->target == nullptr)) {
      unlink_weak_box(box);
      box->callback = nullptr;
    }
    box->holders_inside = 0;
  }
  for (weak_box* box : std::exchange(boxes_inside_, {})) {
    drop_weak_box(box);
  }
  run_weak_callbacks(&calls);
}

void collector::save_garbage() {
  for (object_header* header : garbage_) {
    heap_.garbage.push_back(ref<void>::adopt(object_of(header)));  // the hold becomes the list's
  }
}

void collector::destroy_garbage() {
  if (!is_listed_) {
    return destroy_where_it_lies();
  }
  side_table& side = index_.side();
  index_.use_stack();  // code that ran meanwhile may have collected another heap
  for (object_header* header : garbage_) {
    header->flags |= kDying;
    type_table[header->type].clear_one(side, object_of(header));
  }
  drop_cleared();
  for (object_header* header : garbage_) {
    const type_info& info = type_table[header->type];
    header->count = kImmortalCount;  // whatever its destructor does with references to it
    if (!info.is_trivial) {
      info.destroy(object_of(header));
    }
  }
  for (object_header* header : garbage_) {
    free_object(header, type_table[header->type].is_shifted);
  }
}

// References from garbage to the outside.
void collector::drop_cleared() {
  for (void* object : index_.take_stack()) {
    decrement(header_of(object));
  }
}

// The same without a list, by loops that are compiled for each type.
void collector::destroy_where_it_lies() {
  run_over_garbage(&type_info::clear_run);
  drop_cleared();
  run_over_garbage(&type_info::destroy_run);
  for_each_garbage(
      [](object_header* header) { free_object(header, type_table[header->type].is_shifted); });
}

void collector::run_over_garbage(run_function* type_info::*loop) {
  side_table& side = index_.side();
  for (const pool_index::run& run : index_.runs()) {
    for (uint32_t slot = run.first_slot; slot < run.end_slot;) {
      if (side.refs[slot] != kGarbage) {
        ++slot;
        continue;
      }
      char* block = run.block_at(slot);
      const uint16_t type = header_in(block)->type;
      slot = (type_table[type].*loop)(side, block, run.block_bytes, slot, run.end_slot, type);
    }
  }
}

collection_result collector::finish() {
  collection_result result;
  result.candidates = looked_at_;
  if (found_ == 0) {
    return result;
  }
  const bool is_saved = (heap_.debug & gc::DEBUG_SAVEALL) != 0;
  const bool may_run_code = has_finalizers_ || has_weak_ || is_saved || !heap_.weaks.empty();
  if (!is_listed_ && (may_run_code || has_uncollectable_ || heap_.debug != 0)) {
    list_garbage();
  }
  if (has_uncollectable_) {
    result.uncollectable = set_uncollectable_aside();
  }
  if (may_run_code) {
    hold_garbage();
    run_weak_callbacks_of_garbage();
    finalize_garbage();
    if (has_run_code_) {
      keep_revived();
      count_weak_inside();
    }
    clear_weak_of_garbage();
  }
  if ((heap_.debug & gc::DEBUG_COLLECTABLE) != 0) {
    for (const object_header* header : garbage_) {
      std::fprintf(stderr, "refgc: collectable <%s %p>\n", name_of(header).c_str(),
                   static_cast<const void*>(header + 1));
    }
  }
  result.collected = is_listed_ ? garbage_.size() : found_;
  if (is_saved) {
    save_garbage();
  } else {
    destroy_garbage();
  }
  return result;
}

}  // namespace refgc::detail
