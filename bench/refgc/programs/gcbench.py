# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""gcbench.cc in Python."""

import array
import sys


class Node:
    __slots__ = ("left", "right", "i", "j")

    def __init__(self, left=None, right=None):
        self.left = left
        self.right = right
        self.i = 0
        self.j = 0


def populate(depth, node):
    if depth > 0:
        node.left = Node()
        node.right = Node()
        populate(depth - 1, node.left)
        populate(depth - 1, node.right)


def bottom_up(depth):
    if depth == 0:
        return Node()
    return Node(bottom_up(depth - 1), bottom_up(depth - 1))


def count(node):
    return 1 if node.left is None else 1 + count(node.left) + count(node.right)


def tree_size(depth):
    return (1 << (depth + 1)) - 1


def main():
    depth_max = int(sys.argv[1])
    stretch_depth = depth_max + 2
    print("stretch", count(bottom_up(stretch_depth)))
    long_lived = Node()
    populate(depth_max, long_lived)
    numbers = array.array("d", bytes(8 * 500000))
    for i in range(250000):
        numbers[i] = 1.0 / (i + 1)
    for depth in range(4, depth_max + 1, 2):
        trees = 2 * tree_size(stretch_depth) // tree_size(depth)
        total = 0
        for _ in range(trees):
            tree = Node()
            populate(depth, tree)
            total += tree.left is not None
        for _ in range(trees):
            total += bottom_up(depth).left is not None
        print(f"{trees} trees of depth {depth}: {total}")
    print(f"long lived {count(long_lived)}, array {int(numbers[1000] == 1.0 / 1001)}")


main()
