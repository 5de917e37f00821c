# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: an index of a text in associative arrays of strings.

{
  for (i = 1; i <= NF; ++i) {
    word = tolower($i)
    ++count[word]
    where[word] = length(where[word]) > 200 ? NR "" : where[word] " " NR
    if (i > 1) ++pairs[$(i - 1), word]
  }
}

END {
  for (word in where) total += length(where[word])
  for (pair in pairs) ++pair_count
  print length(count), pair_count, total
}
