// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Where counts end: an object whose count became zero is destroyed at once, and what that releases
// in turn waits until its destructor has returned. So a chain of any length needs no stack (CPython
// bounds the depth instead, its "trashcan").
//
// The chain of those that wait runs through their headers, which need no memory:
//
//   | type 16 | address of the next / 8, 44 bits | flags 4 |
//
// Objects with weak references or a finaliser wait in a list instead: they may yet live on.

#include <cstring>
#include <exception>
#include <typeinfo>

#include "refgc/state.h"

namespace refgc::detail {

namespace {

struct pending_list {
  uint64_t chain = 0;  // the address of the first, and nothing else
  bool is_draining = false;
  std::vector<object_header*> special;
};
[[gnu::tls_model("initial-exec")]] thread_local pending_list pending;

constexpr int kAddressShift = 4;
constexpr uint64_t kAddressMask = ((uint64_t{1} << 44) - 1) << kAddressShift;

constexpr uint64_t kChainAcyclic = 1;
constexpr uint64_t kChainLarge = 2;

uint64_t pack(const object_header& header, uint64_t next) {
  return uint64_t{header.type} << 48 | next >> 3 << kAddressShift |
         ((header.flags & kAcyclic) != 0 ? kChainAcyclic : 0) |
         ((header.flags & kLarge) != 0 ? kChainLarge : 0);
}

// Puts the header back as it was, and says what came after it.
uint64_t unpack(object_header* header) {
  uint64_t word = 0;
  std::memcpy(&word, header, sizeof(word));
  const auto flags = static_cast<uint8_t>(((word & kChainAcyclic) != 0 ? kAcyclic | kLogged : 0) |
                                          ((word & kChainLarge) != 0 ? kLarge : 0));
  *header = {0, 0, flags, static_cast<uint16_t>(word >> 48)};
  return (word & kAddressMask) >> kAddressShift << 3;
}

void wait(object_header* header) {
  header->count = 0;
  if ((header->flags & kHasWeak) != 0 || type_table[header->type].finalize != nullptr) {
    pending.special.push_back(header);
    return;
  }
  const uint64_t word = pack(*header, pending.chain);
  std::memcpy(static_cast<void*>(header), &word, sizeof(word));
  pending.chain = reinterpret_cast<uintptr_t>(header);
}

object_header* take_waiting() {
  if (pending.chain != 0) {
    auto* header = reinterpret_cast<object_header*>(pending.chain);
    pending.chain = unpack(header);
    return header;
  }
  if (!pending.special.empty()) {
    object_header* header = pending.special.back();
    pending.special.pop_back();
    return header;
  }
  return nullptr;
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
  if ((header->flags & kHasWeak) != 0) {
    clear_weak(header);
  }
  if (!info.is_trivial) {
    // What its destructor does with references to itself changes nothing.
    header->count = kImmortalCount;
    header->flags |= kDying;
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
  if (pending.is_draining) {
    wait(header);
    return;
  }
  pending.is_draining = true;
  header->count = 0;
  do {
    destroy(header);
    header = take_waiting();
  } while (header != nullptr);
  pending.is_draining = false;
}

void log_candidate(object_header* header) {
  header->flags |= kLogged;
  heap_impl* heap = heap_of(header);
  if (heap->candidates.size() == heap->candidates.capacity()) {
    drop_stale_candidates(heap);
  }
  heap->candidates.push_back(header);
}

void run_finalizer(object_header* header) {
  header->flags |= kFinalized;
  try {
    type_table[header->type].finalize(object_of(header));
  } catch (...) {
    report_unraisable("finalize", type_table[header->type].name);
  }
}

namespace {
// While a collection runs, waiting objects look unfinished: their type is kConstructing.
thread_local std::vector<std::pair<object_header*, object_header>> hidden;
}  // namespace

pending_objects_hidden::pending_objects_hidden() {
  while (object_header* header = take_waiting()) {
    hidden.emplace_back(header, *header);
    header->type = kConstructing;
  }
}

pending_objects_hidden::~pending_objects_hidden() {
  while (!hidden.empty()) {
    auto [header, before] = hidden.back();
    hidden.pop_back();
    *header = before;
    wait(header);
  }
}

}  // namespace refgc::detail
