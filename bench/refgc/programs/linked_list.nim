# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# linked_list.cc in Nim.

import program_numbers

const nodes = 200000

type Node = ref object
  next, previous: Node
  value: int

proc oneRound(start: int): int =
  let first = Node()
  var last = first
  for i in 1 ..< nodes:
    let node = Node(value: start + i, previous: last)
    last.next = node
    last = node
  var place = 0
  var at = last.previous
  while at != nil:
    inc place
    result += at.value xor place
    at = at.previous

proc main() =
  var sum = 0
  for i in 0 ..< size():
    sum += oneRound(i)
  echo sum

main()
