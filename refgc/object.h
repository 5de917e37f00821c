// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What lies before every object, and what is known of its type.
//
//   | count 32 | stamp 8 | flags 8 | type 16 | object ...
//   header                                   what ref<T> points at
//
// The count saturates: at kImmortalCount it is never written again, so the object lives for good
// and forked processes keep sharing its page. A block whose header is zero holds no object.
//
// Threads: an object belongs to one thread at a time, the one that uses its heap.

#ifndef REFGC_OBJECT_H_
#define REFGC_OBJECT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__GNUC__)
#define REFGC_EXPORT __attribute__((visibility("default")))
#else
#error "refgc is written for g++ and clang++"
#endif
#define REFGC_LIKELY(x) __builtin_expect(!!(x), 1)
#define REFGC_UNLIKELY(x) __builtin_expect(!!(x), 0)

namespace refgc::detail {

constexpr uint32_t kImmortalCount = 0xffffffff;

enum header_flags : uint8_t {
  kLogged = 1,     // waits among its heap's candidates, or is acyclic and never will
  kFinalized = 2,  // finalize() was called
  kHasWeak = 4,    // the heap knows weak references or on_destroy calls for it
  kFrozen = 8,     // in the permanent generation
  kDying = 16,     // its destructor runs, or ran
  kAcyclic = 32,   // its type holds no references that could lead back to it
  kLarge = 64,     // a run of its own, its heap's address before the header
};

struct object_header {
  uint32_t count;
  uint8_t stamp;  // of the generation; see collector.h
  uint8_t flags;
  uint16_t type;
};
static_assert(sizeof(object_header) == 8, "the header is one word");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "set_header() packs the word so");

// Types that are no one's.
constexpr uint16_t kNoType = 0;
constexpr uint16_t kConstructing = 1;        // the constructor has not returned: traces nothing
constexpr uint16_t kShiftedHeader = 0xffff;  // the header lies a word further: 16-byte alignment
constexpr uint16_t kFirstType = 2;
constexpr uint16_t kTypesMax = 16384;

// One store, which later loads of any part are served from.
inline void set_header(object_header* header, uint32_t count, uint8_t stamp, uint8_t flags,
                       uint16_t type) {
  const uint64_t word =
      uint64_t{type} << 48 | uint64_t{flags} << 40 | uint64_t{stamp} << 32 | count;
  std::memcpy(static_cast<void*>(header), &word, sizeof(word));
}

inline object_header* header_of(const void* object) {
  return const_cast<object_header*>(static_cast<const object_header*>(object)) - 1;
}
inline void* object_of(object_header* header) { return header + 1; }

class side_table;
class visitor;

// A loop over the blocks of a run, from `slot` on, compiled for the type; see type.h.
using run_function = uint32_t(side_table& side, char* block, size_t stride, uint32_t slot,
                              uint32_t end, uint16_t type);

// What the library knows of a type; copied into its table, so that nothing is read of a shared
// library that is gone together with its last object.
struct type_info {
  uint32_t bytes;  // of this struct: programs built with other headers are told so
  const char* name;
  uint32_t object_bytes;  // of the fixed part
  bool is_acyclic;
  bool is_shifted;        // needs 16-byte alignment
  bool is_trivial;        // nothing to destroy
  bool is_leaf;           // its end releases nothing, and so need not wait
  bool is_uncollectable;  // opted out of being cleared; see README.md
  void (*destroy)(void* object);
  void (*finalize)(void* object);  // null without one; may throw
  // Ends an object that waited, in one go; null where release.cc has to look closer.
  void (*end)(object_header* header);
  // Visits every reference slot, with names.
  void (*trace)(void* object, visitor& v);
  // The collector's inner loops; see side_table.h. Null for acyclic types.
  run_function* subtract_run;
  run_function* mark_run;
  run_function* clear_run;
  run_function* destroy_run;
  void (*mark_one)(side_table& side, void* object);
  void (*close_one)(side_table& side, void* object);
  void (*clear_one)(side_table& side, void* object);
};

REFGC_EXPORT extern type_info type_table[kTypesMax];

// Adds the type, or finds the same one; ends the program when there are kTypesMax.
REFGC_EXPORT uint16_t register_type(const type_info& info);

// The slow halves of counting. All ends where counts end: see release.cc.
REFGC_EXPORT void release(object_header* header);        // the count became zero
REFGC_EXPORT void log_candidate(object_header* header);  // decremented, but not to zero

// Objects whose count became zero while another's destructor runs: a chain through their headers.
//
//   | type 16 | address of the next / 8, 44 bits | flags 4 |
struct drain_state {
  uint64_t chain;  // the address of the first
  bool is_active;
  bool has_special;
};
constexpr int kChainAddressShift = 4;
constexpr uint64_t kChainAddressMask = ((uint64_t{1} << 44) - 1) << kChainAddressShift;
constexpr uint64_t kChainAcyclic = 1;
constexpr uint64_t kChainLarge = 2;
inline uint64_t chain_word(uint16_t type, uint64_t next, uint64_t flags) {
  return uint64_t{type} << 48 | next >> 3 << kChainAddressShift | flags;
}

REFGC_EXPORT extern __thread drain_state drain __attribute__((tls_model("initial-exec")));
// Puts the object first, with one store, which is later read by one load.
inline void chain_up(object_header* header, uint16_t type, uint64_t flags) {
  const uint64_t word = chain_word(type, drain.chain, flags);
  std::memcpy(static_cast<void*>(header), &word, sizeof(word));
  drain.chain = reinterpret_cast<uintptr_t>(header);
}
REFGC_EXPORT void drain_waiting();
REFGC_EXPORT void free_object(object_header* header, bool is_shifted);

inline void increment(object_header* header) {
  const uint32_t count = header->count + 1;
  if (REFGC_LIKELY(count != 0)) {
    header->count = count;
  }
}

inline void decrement(object_header* header) {
  const uint32_t count = header->count - 1;
  if (REFGC_UNLIKELY(count - 1 >= kImmortalCount - 2)) {  // was 1, 0 or immortal
    release(header);
    return;
  }
  header->count = count;
  if (REFGC_UNLIKELY((header->flags & kLogged) == 0)) {
    log_candidate(header);
  }
}

}  // namespace refgc::detail

#endif  // REFGC_OBJECT_H_
