# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# deep_chain.cc in Nim.

import program_numbers

const nodes = 1000000

type Node = ref object
  next: Node
  value: int

proc oneRound(start: int): int =
  var first: Node
  for i in 0 ..< nodes:
    first = Node(value: start xor i, next: first)
  var node = first
  while node != nil:
    result += node.value
    node = node.next

proc main() =
  var sum = 0
  for i in 0 ..< size():
    sum += oneRound(i)
  echo sum

main()
