# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: builds a tree of two million small objects, walks it, and drops it.

NODES = 2_000_000


class Node:
    __slots__ = ("value", "left", "right")

    def __init__(self, value):
        self.value = value
        self.left = None
        self.right = None


def build(value):
    node = Node(value)
    if 2 * value <= NODES:
        node.left = build(2 * value)
    if 2 * value < NODES:
        node.right = build(2 * value + 1)
    return node


def total(root):
    waiting, sum_of_values = [root], 0
    while waiting:
        node = waiting.pop()
        sum_of_values += node.value
        if node.left is not None:
            waiting.append(node.left)
        if node.right is not None:
            waiting.append(node.right)
    return sum_of_values


def main():
    root = build(1)
    print(total(root))
    del root


main()
