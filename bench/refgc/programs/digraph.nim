# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# digraph.cc in Nim.

import program_numbers

const nodes = 32768

type Node = ref object
  edges: seq[Node]
  mark: int

proc reachable(held: seq[Node], mark: int): int =
  var found: seq[Node]
  for node in held:
    if node.mark != mark:
      node.mark = mark
      found.add node
  var i = 0
  while i < found.len:
    for node in found[i].edges:
      if node.mark != mark:
        node.mark = mark
        found.add node
    inc i
  found.len

proc oneRound(seed: int): int =
  var numbers = initNumbers(seed)
  var held: seq[Node]
  for _ in 1 .. nodes:
    held.add Node()
  for i in 0 ..< nodes:
    held[i].edges.add held[numbers.below(nodes)]
  for _ in 1 .. nodes:
    let start = numbers.below(nodes)
    held[start].edges.add held[numbers.below(nodes)]
  var left = nodes div 2
  while left > 0:
    held.setLen(left)
    GC_fullCollect()
    result += reachable(held, left)
    left = left div 2

proc main() =
  var sum = 0
  for i in 0 ..< size():
    sum += oneRound(i)
  echo sum

main()
