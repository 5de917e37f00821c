# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""deep_chain.cc in Python."""

import sys

NODES = 1000000


class Node:
    __slots__ = ("next", "value")

    def __init__(self):
        self.next = None
        self.value = 0


def one_round(start):
    first = None
    for i in range(NODES):
        node = Node()
        node.value = start ^ i
        node.next = first
        first = node
    total = 0
    node = first
    while node is not None:
        total += node.value
        node = node.next
    return total


def main():
    total = 0
    for i in range(int(sys.argv[1])):
        total += one_round(i)
    print(total)


main()
