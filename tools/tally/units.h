// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Numbers as people read them.
//
// Called by every command that prints.

#ifndef TOOLS_TALLY_UNITS_H_
#define TOOLS_TALLY_UNITS_H_

#include <cstdint>
#include <string>

namespace tally::tool {

std::string Bytes(double bytes);              // "0 B", "390.3 KiB"
std::string SignedBytes(double bytes);        // "+390.3 KiB", "0 B"
std::string Blocks(uint64_t count);           // "1,234,567": exact
std::string SignedBlocks(int64_t count);      // "+1,234,567", "0"
std::string Short(double number);             // "1.2 M": three digits
std::string Percent(double part);             // of 1: "42 %", "0.3 %"
std::string Duration(double seconds);         // "29.0 s", "4 min 5 s", "3 d 4 h"
std::string TimeOfDay(uint64_t time_ms);      // "2026-11-21 10:58:31 UTC", since 1970
uint64_t NowMs();                             // since 1970, as TimeOfDay takes it
std::string ClassName(uint64_t block_bytes);  // "1024 B", as size classes are called

// The text with every control character replaced: what comes from a file or a process must not
// reach a terminal's escape sequences.
std::string Printable(std::string text);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_UNITS_H_
