// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// C++ new and delete, all 8 and 12 forms, without the C++ library: what throws is reached through
// weak references, present in every program that can catch it.
//
// Called by programs. Threads: any. Compiled with exceptions, for the forms that turn a handler's
// exception into null, and without LTO, which would lose the weak references.

#include <stdlib.h>

#include <cstddef>
#include <new>

#include "allocator/allocator.h"
#include "shim/shim.h"

// A weak reference does not pull a member out of a static C++ library; a program that links this
// file from the archive uses new, so it has one.
#ifdef TALLY_STATIC
#define TALLY_WEAK
#else
#define TALLY_WEAK [[gnu::weak]]
#endif

// libstdc++'s and libc++'s own functions, under their link names.
extern "C" {
TALLY_WEAK std::new_handler TallyGetNewHandler() noexcept asm("_ZSt15get_new_handlerv");
TALLY_WEAK [[noreturn]] void TallyThrowBadAlloc() asm("_ZSt17__throw_bad_allocv");
}

#ifndef TALLY_STATIC
// What the compiler itself refers to in a catch clause. A program without a C++ library has no
// handler that could throw.
asm(".weak __gxx_personality_v0\n"
    ".weak __cxa_begin_catch\n"
    ".weak __cxa_end_catch\n"
    ".weak _Unwind_Resume\n"
    ".weak _ZSt9terminatev\n");
#endif

namespace {

// Whether a weak reference was resolved.
template <typename Function>
bool IsThere(Function* function) {
  return function != nullptr;
}

// The loop of [new.delete.single]: a handler may free something, throw, or end the program.
// Null when there is no handler.
template <typename Attempt>
void* AskHandlers(Attempt attempt) {
  for (;;) {
    const std::new_handler handler =
        IsThere(TallyGetNewHandler) ? TallyGetNewHandler() : std::new_handler{nullptr};
    if (handler == nullptr) {
      return nullptr;
    }
    handler();
    if (void* block = attempt()) {
      return block;
    }
  }
}

[[noreturn, gnu::cold]] void ThrowBadAlloc() {
  if (IsThere(TallyThrowBadAlloc)) {
    TallyThrowBadAlloc();
  }
  abort();  // no C++ library in the process: nobody could catch it
}

[[gnu::noinline, gnu::cold]] void* NewOutOfMemory(size_t bytes) {
  void* block = AskHandlers([bytes] { return tally::Allocate(bytes); });
  if (block == nullptr) {
    ThrowBadAlloc();
  }
  return block;
}

[[gnu::noinline]] void* NewSlow(size_t bytes) {
  void* block = tally::AllocateSlow(bytes);
  return block != nullptr ? block : NewOutOfMemory(bytes);
}

[[gnu::noinline, gnu::cold]] void* NewAlignedSlow(size_t bytes, size_t alignment) {
  void* block =
      AskHandlers([bytes, alignment] { return tally::AllocateAligned(bytes, alignment); });
  if (block == nullptr) {
    ThrowBadAlloc();
  }
  return block;
}

inline void* New(size_t bytes) {
  void* block = tally::TryAllocate(bytes);
  return block != nullptr ? block : NewSlow(bytes);
}

inline void* NewAligned(size_t bytes, std::align_val_t alignment) {
  void* block = tally::AllocateAligned(bytes, static_cast<size_t>(alignment));
  return block != nullptr ? block : NewAlignedSlow(bytes, static_cast<size_t>(alignment));
}

template <typename Attempt>
void* NewNothrow(Attempt attempt) noexcept {
  if (void* block = attempt()) {
    return block;
  }
  try {
    return AskHandlers(attempt);
  } catch (...) {
    return nullptr;
  }
}

}  // namespace

using std::align_val_t;
using std::nothrow_t;

TALLY_EXPORT void* operator new(size_t bytes) { return New(bytes); }
TALLY_EXPORT void* operator new[](size_t bytes) { return New(bytes); }
TALLY_EXPORT void* operator new(size_t bytes, align_val_t alignment) {
  return NewAligned(bytes, alignment);
}
TALLY_EXPORT void* operator new[](size_t bytes, align_val_t alignment) {
  return NewAligned(bytes, alignment);
}
TALLY_EXPORT void* operator new(size_t bytes, const nothrow_t& /*tag*/) noexcept {
  return NewNothrow([bytes] { return tally::Allocate(bytes); });
}
TALLY_EXPORT void* operator new[](size_t bytes, const nothrow_t& /*tag*/) noexcept {
  return NewNothrow([bytes] { return tally::Allocate(bytes); });
}
TALLY_EXPORT void* operator new(size_t bytes, align_val_t alignment,
                                const nothrow_t& /*tag*/) noexcept {
  return NewNothrow([=] { return tally::AllocateAligned(bytes, static_cast<size_t>(alignment)); });
}
TALLY_EXPORT void* operator new[](size_t bytes, align_val_t alignment,
                                  const nothrow_t& /*tag*/) noexcept {
  return NewNothrow([=] { return tally::AllocateAligned(bytes, static_cast<size_t>(alignment)); });
}

TALLY_EXPORT void operator delete(void* p) noexcept { tally::Free(p); }
TALLY_EXPORT void operator delete[](void* p) noexcept { tally::Free(p); }
TALLY_EXPORT void operator delete(void* p, const nothrow_t& /*tag*/) noexcept { tally::Free(p); }
TALLY_EXPORT void operator delete[](void* p, const nothrow_t& /*tag*/) noexcept { tally::Free(p); }
TALLY_EXPORT void operator delete(void* p, size_t bytes) noexcept { tally::FreeSized(p, bytes); }
TALLY_EXPORT void operator delete[](void* p, size_t bytes) noexcept { tally::FreeSized(p, bytes); }
TALLY_EXPORT void operator delete(void* p, align_val_t /*alignment*/) noexcept { tally::Free(p); }
TALLY_EXPORT void operator delete[](void* p, align_val_t /*alignment*/) noexcept { tally::Free(p); }
TALLY_EXPORT void operator delete(void* p, align_val_t /*alignment*/,
                                  const nothrow_t& /*tag*/) noexcept {
  tally::Free(p);
}
TALLY_EXPORT void operator delete[](void* p, align_val_t /*alignment*/,
                                    const nothrow_t& /*tag*/) noexcept {
  tally::Free(p);
}
TALLY_EXPORT void operator delete(void* p, size_t /*bytes*/, align_val_t /*alignment*/) noexcept {
  tally::Free(p);
}
TALLY_EXPORT void operator delete[](void* p, size_t /*bytes*/, align_val_t /*alignment*/) noexcept {
  tally::Free(p);
}
