#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""usage: micro_collect.py [ROUNDS]

micro_collect.cc for CPython's gc: the same graphs, nanoseconds for each object, the median of the
rounds (default 5).
"""

import gc
import random
import statistics
import sys
import time

OBJECTS = 200000


class Node:
    __slots__ = ("first", "second", "third")


def make_nodes():
    return [Node() for _ in range(OBJECTS)]


def shuffled(nodes):
    random.Random(1).shuffle(nodes)
    return nodes


def link_in_order(nodes):
    for i, node in enumerate(nodes):
        node.first = nodes[(i + 1) % len(nodes)]
        node.second = nodes[(i + 2) % len(nodes)]
    return nodes


def link_rings(nodes, length):
    for i in range(0, len(nodes), length):
        for k in range(length):
            nodes[i + k].first = nodes[i + (k + 1) % length]
            nodes[i + k].second = nodes[i + (k + length - 1) % length]
    return nodes


def ns_per_object():
    start = time.perf_counter_ns()
    gc.collect()
    return (time.perf_counter_ns() - start) / OBJECTS


def live(build):
    root = build()[0]
    gc.collect()
    ns = ns_per_object()
    assert isinstance(root, Node)
    return ns


def garbage(build):
    gc.collect()
    build()
    return ns_per_object()


SHAPES = {
    "CollectLive/InOrder": lambda: live(lambda: link_in_order(make_nodes())),
    "CollectLive/Shuffled": lambda: live(lambda: link_in_order(shuffled(make_nodes()))),
    "CollectGarbage/RingsOf2": lambda: garbage(lambda: link_rings(make_nodes(), 2)),
    "CollectGarbage/RingsOf100": lambda: garbage(lambda: link_rings(make_nodes(), 100)),
    "CollectGarbage/Shuffled": lambda: garbage(lambda: link_in_order(shuffled(make_nodes()))),
}


def main(arguments):
    if len(arguments) > 1 or not all(word.isdigit() and int(word) > 0 for word in arguments):
        print(__doc__.split("\n\n", 1)[0], file=sys.stderr)
        return 2
    rounds = int(arguments[0]) if arguments else 5
    gc.disable()
    for name, measure in SHAPES.items():
        print(f"{name:28}{statistics.median(measure() for _ in range(rounds)):8.1f} ns an object")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
