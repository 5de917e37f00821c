// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// How the allocator ends a program: one line on stderr, then SIGABRT.
//
// Called from every floor. CHECK stands in release builds and only on slow paths; ASSERT is
// compiled in where TALLY_CHECKS is 1 (the debug preset).
//
// Invariants: nothing here allocates, and nothing here returns.
// Threads: any.

#ifndef ALLOCATOR_CHECK_H_
#define ALLOCATOR_CHECK_H_

#ifndef TALLY_CHECKS
#define TALLY_CHECKS 0
#endif

namespace tally {

// Debug builds count twice and check everything; see ASSERT.
inline constexpr bool kChecks = TALLY_CHECKS != 0;

// The wordings of crimes against the heap. Each has a program in tests/fatal.
inline constexpr const char* kDoubleFree = "double free: the block is already free";
inline constexpr const char* kNotBlockStart =
    "not the start of a block (interior or unaligned pointer)";
inline constexpr const char* kNotLive = "not a live block";
inline constexpr const char* kForeign = "not a block of this allocator or of the C library";

// "tally: CALL(0xADDRESS): WHAT". The caller's crime.
[[noreturn, gnu::cold]] void FatalBlock(const char* call, const void* block, const char* what);

// "tally: SYSCALL failed: errno N". The system said something other than "no memory".
[[noreturn, gnu::cold]] void FatalOs(const char* call, int error);

// Our own mistake.
[[noreturn, gnu::cold]] void FatalCheck(const char* file, int line, const char* condition);

}  // namespace tally

#define CHECK(condition)                       \
  (__builtin_expect(!!(condition), 1) ? void() \
                                      : ::tally::FatalCheck(__FILE__, __LINE__, #condition))
#define ASSERT(condition) (!::tally::kChecks || (condition) ? void() : CHECK(condition))

#endif  // ALLOCATOR_CHECK_H_
