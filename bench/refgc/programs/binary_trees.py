# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""binary_trees.cc in Python."""

import sys


class Tree:
    __slots__ = ("left", "right")

    def __init__(self, left=None, right=None):
        self.left = left
        self.right = right


def build(depth):
    if depth == 0:
        return Tree()
    return Tree(build(depth - 1), build(depth - 1))


def count(tree):
    return 1 if tree.left is None else 1 + count(tree.left) + count(tree.right)


def main():
    depth_max = int(sys.argv[1])
    print("stretch", count(build(depth_max + 1)))
    long_lived = build(depth_max)
    for depth in range(4, depth_max + 1, 2):
        trees = 1 << (depth_max - depth + 4)
        total = 0
        for _ in range(trees):
            total += count(build(depth))
        print(f"{trees} trees of depth {depth}: {total}")
    print("long lived", count(long_lived))


main()
