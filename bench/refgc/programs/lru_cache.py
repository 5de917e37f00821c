# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""lru_cache.cc in Python, with the same structure: no OrderedDict."""

import sys

from program_numbers import Numbers

CAPACITY = 65536


class Entry:
    __slots__ = ("newer", "older", "key", "value")

    def __init__(self):
        self.newer = None
        self.older = None
        self.key = 0
        self.value = 0


class Cache:
    def __init__(self):
        self.table = {}
        self.head = Entry()
        self.head.newer = self.head
        self.head.older = self.head
        self.hits = 0

    def look_up(self, key):
        entry = self.table.get(key)
        if entry is not None:
            self.hits += 1
            self.unlink(entry)
            self.link(entry)
            return entry.value
        if len(self.table) == CAPACITY:
            oldest = self.head.newer
            self.unlink(oldest)
            del self.table[oldest.key]
        entry = Entry()
        entry.key = key
        entry.value = key * 3
        self.link(entry)
        self.table[key] = entry
        return entry.value

    def link(self, entry):
        head = self.head
        newest = head.older
        entry.older = newest
        entry.newer = head
        newest.newer = entry
        head.older = entry

    def unlink(self, entry):
        entry.newer.older = entry.older
        entry.older.newer = entry.newer


def main():
    cache = Cache()
    below = Numbers(1).below
    total = 0
    for _ in range(int(sys.argv[1]) * 1000):
        limit = 400000 if below(4) == 0 else 50000
        total += cache.look_up(below(limit))
    print(total, cache.hits)


main()
