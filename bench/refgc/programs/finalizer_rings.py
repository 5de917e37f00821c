# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""finalizer_rings.cc in Python."""

import gc
import sys

RING = 10

finalized = 0


class Node:
    __slots__ = ("next", "value")

    def __init__(self, value):
        self.next = None
        self.value = value

    def __del__(self):
        global finalized
        finalized += 1


def ring(value):
    first = Node(value)
    last = first
    for i in range(1, RING):
        node = Node(value + i)
        last.next = node
        last = node
    last.next = first
    return first.next.value + last.next.value


def main():
    rings = int(sys.argv[1]) * 1000
    total = 0
    for i in range(rings):
        total += ring(i)
    gc.collect()
    gc.collect()
    made = rings * RING
    print(total, "finalized" if made - made // 100 <= finalized <= made else "forgotten")


main()
