// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Text in columns: the first is aligned left, the others right.
//
// Called by the commands that print tables.

#ifndef TOOLS_TALLY_TABLE_H_
#define TOOLS_TALLY_TABLE_H_

#include <string>
#include <vector>

namespace tally::tool {

class Table {
 public:
  // The first row is the heading. Rows may be shorter than the heading.
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // Every line begins with `indent` and ends in a line feed, without spaces before it.
  std::string Text(const std::string& indent) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tally::tool

#endif  // TOOLS_TALLY_TABLE_H_
