# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""dom_churn.cc in Python."""

import sys

from program_numbers import Numbers

SECTIONS = 64
CHILDREN = 8
DEPTH = 3
LOOKS = 50


class Element:
    __slots__ = ("parent", "children", "tag")

    def __init__(self):
        self.parent = None
        self.children = []
        self.tag = 0


def build(parent, depth, tag):
    element = Element()
    element.parent = parent
    element.tag = tag
    if depth > 0:
        for i in range(CHILDREN):
            element.children.append(build(element, depth - 1, tag + i))
    return element


def look_at(section, below):
    element = section
    while element.children:
        element = element.children[below(CHILDREN)]
    total = element.tag
    up = element.parent
    while up is not None:
        total += up.tag + 1
        up = up.parent
    return total


def main():
    below = Numbers(1).below
    document = Element()
    for i in range(SECTIONS):
        document.children.append(build(document, DEPTH, i))
    total = 0
    for i in range(int(sys.argv[1])):
        document.children[below(SECTIONS)] = build(document, DEPTH, i)
        for _ in range(LOOKS):
            total += look_at(document.children[below(SECTIONS)], below)
    print(total)


main()
