# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: splits 20 MB of text into tokens by a regular expression. Argument: the text.

import re
import sys

BYTES = 20_000_000
TOKEN = re.compile(r"(?P<name>[A-Za-z_]\w*)|(?P<number>\d+)|(?P<space>\s+)|(?P<other>.)")


def main():
    counts, recent = {}, []
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    text *= BYTES // len(text) + 1
    for match in TOKEN.finditer(text, 0, BYTES):
        if match.lastgroup == "name":
            name = match.group()
            counts[name] = counts.get(name, 0) + 1
            recent.append(name)
            if len(recent) == 100000:
                recent.clear()
    print(len(counts), sum(counts.values()), len(recent))


main()
