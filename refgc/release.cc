// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Where counts end: an object whose count became zero is destroyed at once, and what that releases
// in turn waits until its destructor has returned. So a chain of any length needs no stack (CPython
// bounds the depth instead, its "trashcan").
//
// The chain of those that wait runs through their headers, which need no memory; see object.h.
// Objects with weak references or a finaliser wait in a list instead: they may yet live on.

#include <cstdlib>
#include <cstring>
#include <exception>
#include <typeinfo>

#include "refgc/state.h"

namespace refgc::detail {

__thread drain_state drain = {};

namespace {

// No vector: references that globals hold are dropped when the thread's own data is gone.
struct special_list {
  static constexpr size_t kFew = 16;
  object_header* few[kFew];
  object_header** items;  // `few`, or memory of its own while there are more
  size_t size;
  size_t capacity;
};
__thread special_list special = {};

void push_special(object_header* header) {
  if (special.size == special.capacity) {
    const size_t capacity = special.capacity == 0 ? special_list::kFew : 2 * special.capacity;
    object_header** items = special.few;
    if (special.capacity != 0) {
      items = static_cast<object_header**>(std::malloc(capacity * sizeof(*items)));
      if (items == nullptr) {
        fatal("no memory to note that it dies", header, "");
      }
      std::memcpy(items, special.items, special.size * sizeof(*items));
      if (special.items != special.few) {
        std::free(special.items);
      }
    }
    special.items = items;
    special.capacity = capacity;
  }
  special.items[special.size++] = header;
  drain.has_special = true;
}

object_header* take_special() {
  object_header* header = special.items[--special.size];
  if (special.size == 0) {
    drain.has_special = false;
    if (special.items != special.few) {
      std::free(special.items);
      special.items = special.few;
      special.capacity = special_list::kFew;
    }
  }
  return header;
}

uint64_t word_of(const object_header* header) {
  uint64_t word = 0;
  std::memcpy(&word, header, sizeof(word));
  return word;
}

// Takes the first out of the chain; its header is still the chain's word.
object_header* take_first() {
  auto* header = reinterpret_cast<object_header*>(drain.chain);
  drain.chain = (word_of(header) & kChainAddressMask) >> kChainAddressShift << 3;
  return header;
}

// Puts the header back as it was.
void unpack(object_header* header) {
  const uint64_t word = word_of(header);
  const auto flags = static_cast<uint8_t>(((word & kChainAcyclic) != 0 ? kAcyclic | kLogged : 0) |
                                          ((word & kChainLarge) != 0 ? kLarge : 0));
  set_header(header, 0, 0, flags, static_cast<uint16_t>(word >> 48));
}

void wait(object_header* header) {
  header->count = 0;
  if ((header->flags & kHasWeak) != 0 || type_table[header->type].finalize != nullptr) {
    push_special(header);
    return;
  }
  const uint64_t flags = ((header->flags & kAcyclic) != 0 ? kChainAcyclic : 0) |
                         ((header->flags & kLarge) != 0 ? kChainLarge : 0);
  chain_up(header, header->type, flags);
}

// Whether finalize(), called for the first time, let the object live.
bool is_revived(object_header* header, const type_info& info) {
  if (info.finalize == nullptr || (header->flags & kFinalized) != 0) {
    return false;
  }
  header->count = 1;
  run_finalizer(header);
  if (header->count == kImmortalCount || --header->count != 0) {
    if ((header->flags & kLogged) == 0) {
      log_candidate(header);
    }
    return true;
  }
  return false;
}

void destroy(object_header* header) {
  const type_info& info = type_table[header->type];
  if (is_revived(header, info)) {
    return;
  }
  // A collection in a callback must not take it for garbage, and there are no references to it.
  header->count = kImmortalCount;
  header->flags |= kDying;
  if ((header->flags & kHasWeak) != 0) {
    clear_weak(header);
  }
  if (!info.is_trivial) {
    header->type = kConstructing;  // members go one by one: a collection must not look at them
    info.destroy(object_of(header));
  }
  free_object(header, info.is_shifted);
}

}  // namespace

void release(object_header* header) {
  if (header->count == kImmortalCount) {
    return;
  }
  if (header->count == 0) {
    fatal("a reference too many was dropped", header,
          "look for a ref that was adopted without a count, or a member that is traced twice");
  }
  if (type_table[header->type].is_leaf && (header->flags & kHasWeak) == 0) {
    header->count = 0;
    destroy(header);
    return;
  }
  if (drain.is_active) {
    wait(header);
    return;
  }
  drain.is_active = true;
  header->count = 0;
  destroy(header);
  drain_waiting();
  drain.is_active = false;
}

void drain_waiting() {
  for (;;) {
    while (drain.chain != 0) {
      object_header* header = take_first();
      const auto end = type_table[word_of(header) >> 48].end;
      if (REFGC_LIKELY(end != nullptr)) {
        end(header);
      } else {
        unpack(header);
        destroy(header);
      }
    }
    if (!drain.has_special) {
      return;
    }
    destroy(take_special());
  }
}

void log_candidate(object_header* header) {
  header->flags |= kLogged;
  heap_impl* heap = heap_of(header);
  std::vector<candidate>& fresh = heap->candidates[0];
  if (fresh.size() == fresh.capacity()) {
    drop_stale_candidates(heap);
  }
  fresh.emplace_back(header);
}

void run_finalizer(object_header* header) {
  header->flags |= kFinalized;
  try {
    type_table[header->type].finalize(object_of(header));
  } catch (...) {
    report_unraisable("finalize", type_table[header->type].name);
  }
}

// Meanwhile they look unfinished: their type is kConstructing.
pending_objects_hidden::pending_objects_hidden() {
  const auto hide = [this](object_header* header) {
    hidden_.emplace_back(header, *header);
    header->type = kConstructing;
  };
  while (drain.chain != 0) {
    object_header* header = take_first();
    unpack(header);
    hide(header);
  }
  while (drain.has_special) {
    hide(take_special());
  }
}

pending_objects_hidden::~pending_objects_hidden() {
  while (!hidden_.empty()) {
    auto [header, before] = hidden_.back();
    hidden_.pop_back();
    *header = before;
    wait(header);
  }
}

}  // namespace refgc::detail
