// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/delta.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

void Add(Change& total, const Change& change) {
  total.before += change.before;
  total.after += change.after;
}

ClassDelta CompareClass(uint64_t block_bytes, const Dump& before, const Dump& after) {
  constexpr ClassBooks kNone{};
  const ClassBooks* a = before.FindClass(block_bytes);
  const ClassBooks* b = after.FindClass(block_bytes);
  a = a == nullptr ? &kNone : a;
  b = b == nullptr ? &kNone : b;
  return {.name = ClassName(block_bytes),
          .block_bytes = block_bytes,
          .live_bytes = {a->live * block_bytes, b->live * block_bytes},
          .live_blocks = {a->live, b->live},
          .allocated = {a->allocated, b->allocated},
          .freed = {a->freed, b->freed}};
}

ClassDelta CompareTier(const char* name, const TierBooks& before, const TierBooks& after) {
  return {.name = name,
          .block_bytes = 0,
          .live_bytes = {before.live_bytes, after.live_bytes},
          .live_blocks = {before.live, after.live},
          .allocated = {before.allocated, after.allocated},
          .freed = {before.freed, after.freed}};
}

std::vector<TermDelta> CompareTerms(const Dump& before, const Dump& after) {
  std::vector<TermDelta> terms;
  for (const Term& term : after.terms) {
    terms.push_back({term.key, {before.term(term.key), term.bytes}});
  }
  for (const Term& term : before.terms) {
    const bool is_new = std::none_of(terms.begin(), terms.end(), [&term](const TermDelta& known) {
      return known.key == term.key;
    });
    if (is_new) {
      terms.push_back({term.key, {term.bytes, 0}});
    }
  }
  return terms;
}

}  // namespace

Delta Compare(const Dump& before, const Dump& after) {
  std::set<uint64_t> sizes;
  for (const Dump* dump : {&before, &after}) {
    for (const ClassBooks& entry : dump->classes) {
      sizes.insert(entry.block_bytes);
    }
  }
  Delta delta;
  for (const uint64_t size : sizes) {
    delta.classes.push_back(CompareClass(size, before, after));
  }
  delta.classes.push_back(CompareTier("large", before.large, after.large));
  delta.classes.push_back(CompareTier("huge", before.huge, after.huge));
  delta.total.name = "all";
  for (const ClassDelta& entry : delta.classes) {
    Add(delta.total.live_bytes, entry.live_bytes);
    Add(delta.total.live_blocks, entry.live_blocks);
    Add(delta.total.allocated, entry.allocated);
    Add(delta.total.freed, entry.freed);
  }
  std::stable_sort(delta.classes.begin(), delta.classes.end(),
                   [](const ClassDelta& a, const ClassDelta& b) {
                     return std::abs(a.live_bytes.by()) > std::abs(b.live_bytes.by());
                   });
  delta.terms = CompareTerms(before, after);
  return delta;
}

std::string WhyNotLater(const Dump& first, const Dump& second) {
  if (first.process != second.process || first.command != second.command) {
    return absl::StrCat("it is of process ", second.process, " (", second.command,
                        "), the other of ", first.process, " (", first.command, ")");
  }
  if (second.time_ms < first.time_ms) {
    return "it was written before the other";
  }
  const Delta delta = Compare(first, second);
  const bool is_anew = std::any_of(
      delta.classes.begin(), delta.classes.end(),
      [](const ClassDelta& entry) { return entry.allocated.by() < 0 || entry.freed.by() < 0; });
  if (is_anew || second.threads_started < first.threads_started) {
    return absl::StrCat("its counters start anew: process ", second.process,
                        " was replaced between the two");
  }
  return "";
}

}  // namespace tally::tool
