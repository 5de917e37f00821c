# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: instances of a class with __slots__ in lists that are sorted and filtered.

import random

RECORDS = 120000
ROUNDS = 5


class Record:
    __slots__ = ("number", "name", "score", "tags")

    def __init__(self, number, source):
        self.number = number
        self.name = "record-%d" % source.randrange(RECORDS)
        self.score = source.random()
        self.tags = [number % 7, number % 11]


def main():
    source = random.Random(1)
    kept = []
    for first in range(0, ROUNDS * RECORDS, RECORDS):
        records = [Record(first + i, source) for i in range(RECORDS)]
        records.sort(key=lambda record: (record.name, record.score))
        good = [record for record in records if record.score > 0.7 and record.tags[0] != 3]
        kept = sorted(kept + good, key=lambda record: record.score)[-RECORDS // 4:]
    print(len(kept), kept[0].number, kept[-1].name)


main()
