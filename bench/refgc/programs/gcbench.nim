# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# gcbench.cc in Nim.

import program_numbers

type Node = ref object
  left, right: Node
  i, j: int32

proc populate(depth: int, node: Node) =
  if depth > 0:
    node.left = Node()
    node.right = Node()
    populate(depth - 1, node.left)
    populate(depth - 1, node.right)

proc bottomUp(depth: int): Node =
  if depth == 0: Node() else: Node(left: bottomUp(depth - 1), right: bottomUp(depth - 1))

proc count(node: Node): int =
  if node.left == nil: 1 else: 1 + count(node.left) + count(node.right)

proc treeSize(depth: int): int = (1 shl (depth + 1)) - 1

proc main() =
  let depthMax = size()
  let stretchDepth = depthMax + 2
  echo "stretch ", count(bottomUp(stretchDepth))
  let longLived = Node()
  populate(depthMax, longLived)
  var numbers = newSeq[float](500000)
  for i in 0 ..< 250000:
    numbers[i] = 1.0 / float(i + 1)
  for depth in countup(4, depthMax, 2):
    let trees = 2 * treeSize(stretchDepth) div treeSize(depth)
    var sum = 0
    for _ in 1 .. trees:
      let tree = Node()
      populate(depth, tree)
      sum += int(tree.left != nil)
    for _ in 1 .. trees:
      sum += int(bottomUp(depth).left != nil)
    echo trees, " trees of depth ", depth, ": ", sum
  echo "long lived ", count(longLived), ", array ", int(numbers[1000] == 1.0 / 1001)

main()
