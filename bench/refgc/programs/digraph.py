# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""digraph.cc in Python."""

import gc
import sys

from program_numbers import Numbers

NODES = 32768


class Node:
    __slots__ = ("edges", "mark")

    def __init__(self):
        self.edges = []
        self.mark = 0


def reachable(held, mark):
    found = []
    for node in held:
        if node.mark != mark:
            node.mark = mark
            found.append(node)
    for one in found:  # grows meanwhile
        for node in one.edges:
            if node.mark != mark:
                node.mark = mark
                found.append(node)
    return len(found)


def one_round(seed):
    below = Numbers(seed).below
    held = [Node() for _ in range(NODES)]
    for i in range(NODES):
        held[i].edges.append(held[below(NODES)])
    for _ in range(NODES):
        start = below(NODES)
        held[start].edges.append(held[below(NODES)])
    total = 0
    left = NODES // 2
    while left > 0:
        del held[left:]
        gc.collect()
        total += reachable(held, left)
        left //= 2
    return total


def main():
    total = 0
    for i in range(int(sys.argv[1])):
        total += one_round(i)
    print(total)


main()
