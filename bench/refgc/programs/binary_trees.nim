# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# binary_trees.cc in Nim.

import program_numbers

type Tree = ref object
  left, right: Tree

proc build(depth: int): Tree =
  if depth == 0: Tree() else: Tree(left: build(depth - 1), right: build(depth - 1))

proc count(tree: Tree): int =
  if tree.left == nil: 1 else: 1 + count(tree.left) + count(tree.right)

proc main() =
  let depthMax = size()
  echo "stretch ", count(build(depthMax + 1))
  let longLived = build(depthMax)
  for depth in countup(4, depthMax, 2):
    let trees = 1 shl (depthMax - depth + 4)
    var sum = 0
    for _ in 1 .. trees:
      sum += count(build(depth))
    echo trees, " trees of depth ", depth, ": ", sum
  echo "long lived ", count(longLived)

main()
