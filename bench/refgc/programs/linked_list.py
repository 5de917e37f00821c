# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""linked_list.cc in Python."""

import sys

NODES = 200000


class Node:
    __slots__ = ("next", "previous", "value")

    def __init__(self):
        self.next = None
        self.previous = None
        self.value = 0


def one_round(start):
    first = Node()
    last = first
    for i in range(1, NODES):
        node = Node()
        node.value = start + i
        node.previous = last
        last.next = node
        last = node
    total = place = 0
    at = last.previous
    while at is not None:
        place += 1
        total += at.value ^ place
        at = at.previous
    return total


def main():
    total = 0
    for i in range(int(sys.argv[1])):
        total += one_round(i)
    print(total)


main()
