# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: counts words and pairs of words of a text in dicts, and drops the rare ones
# again and again. Argument: the text.

import sys

PASSES = 4


def lines_of(path):
    for _ in range(PASSES):
        with open(path, encoding="utf-8") as file:
            yield from file


def main():
    counts, pairs = {}, {}
    for number, line in enumerate(lines_of(sys.argv[1])):
        previous = ""
        for word in line.lower().rstrip(".\n").split(" "):
            counts[word] = counts.get(word, 0) + 1
            pair = previous + " " + word
            pairs[pair] = pairs.get(pair, 0) + 1
            previous = word
        if number % 10000 == 9999:
            pairs = {pair: count for pair, count in pairs.items() if count > 1}
    print(len(counts), len(pairs), max(pairs.items(), key=lambda item: (item[1], item[0])))


main()
