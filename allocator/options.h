// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The options, read once from the environment; options.def is their table.
//
// Called by every floor above; parsed at the first allocation.
//
// Invariants: after Parse() nothing changes. A bad value gives one warning and the default.
// Threads: Parse() by the one thread that starts the allocator; values are read by any afterwards.

#ifndef ALLOCATOR_OPTIONS_H_
#define ALLOCATOR_OPTIONS_H_

#include <cstdint>

namespace tally {

struct Options {
  using Bool = bool;
  using Number = uint64_t;
  using String = const char*;
#define TALLY_OPTION(type, name, variable, value, help) type name = value;
#include "allocator/options.def"
#undef TALLY_OPTION

  // Reads the TALLY_* variables of `environment` (name=value strings, null at the end; null for
  // none). Warns on stderr about values it cannot use.
  void Parse(const char* const* environment);

  // Prints the table with the values in force to `descriptor`.
  void PrintHelp(int descriptor) const;

  // The value of `name` (an environment variable's name) as text in `buffer`; false if there is no
  // such option. Cuts at `bytes`.
  bool Describe(const char* name, char* buffer, uint64_t bytes) const;
};

extern constinit Options options;

}  // namespace tally

#endif  // ALLOCATOR_OPTIONS_H_
