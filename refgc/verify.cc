// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "refgc/verify.h"

#include <set>

#include "refgc/untraced.h"

namespace refgc {

namespace detail {

std::vector<verify_finding> verify(const void* object, void* const* own) {
  const object_graph graph(*this_heap_impl(), {own, size_t{own == nullptr ? 0u : 1u}});
  std::vector<verify_finding> findings;
  for (const untraced_word& word : find_untraced(graph, 0)) {
    object_header* from = graph.header(word.from);
    if (object == nullptr || object == object_of(from)) {
      findings.push_back({ref_from_this(object_of(from)), name_of(from), word.offset, word.member,
                          name_of(graph.header(word.to))});
    }
  }
  return findings;
}

}  // namespace detail

std::string verify_finding::text() const {
  return "type " + type + ": word at offset " + std::to_string(offset) +
         (member.empty() ? "" : " (in " + member + ")") + " refers to a " + target_type +
         " and is not traced";
}

std::vector<verify_finding> verify_all() {
  std::vector<verify_finding> findings;
  std::set<std::string> said;
  for (verify_finding& finding : detail::verify(nullptr, nullptr)) {
    if (said.insert(finding.text()).second) {
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

}  // namespace refgc
