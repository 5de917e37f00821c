#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Floors only look down, files and functions stay small, and the words are the project's.

usage: floors_test.py ROOT
The floors are the table in allocator/README.md; the shim stands above them all.
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv[1])
SOURCES = sorted([*ROOT.glob("allocator/*"), *ROOT.glob("shim/*")])
CODE = [path for path in SOURCES if path.suffix in (".h", ".cc", ".def")]
TEXT = [path for folder in ("allocator", "shim", "refgc", "tests", "bench", "tools") if (ROOT / folder).exists()
        for path in (ROOT / folder).rglob("*") if path.suffix in (".h", ".cc", ".c", ".py", ".md")]

# Besides libc's headers (those with .h), only these: all header-only.
STANDARD = set("array atomic bit concepts cstddef cstdint limits new span type_traits utility".split())
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED_WORDS = r"\b(chunk|slab|bin|bucket|node)s?\b"
# "chunk" is glibc's own word for its own blocks, which foreign.cc reads.
WORDS_EXEMPT = {"foreign.cc"}


def floors():
    table = {}
    for line in (ROOT / "allocator/README.md").read_text().splitlines():
        match = re.match(r"\| (\d) \| ((?:`\w+` ?)+)\|", line)
        if match:
            for name in re.findall(r"`(\w+)`", match.group(2)):
                table[name] = int(match.group(1))
    return table


def functions(lines):
    """(name line, length) of what begins at column 0 and ends with '}' there."""
    start = None
    for number, line in enumerate(lines):
        if re.match(r"^[A-Za-z\[~].*\{$", line) and not re.match(r"^(namespace|extern|class|struct|enum)",
                                                                line):
            start = number
        elif line.startswith("}") and start is not None:
            yield lines[start], number - start + 1
            start = None


class FloorsTest(unittest.TestCase):

    def test_every_file_has_a_floor(self):
        table = floors()
        for path in CODE:
            if path.parent.name == "allocator":
                self.assertIn(path.stem, table, f"{path.name} is not in allocator/README.md's table")

    def test_includes_look_down(self):
        table = floors()
        for path in CODE:
            own = table.get(path.stem, 99) if path.parent.name == "allocator" else 99
            for name in re.findall(r'#include "allocator/(\w+)\.(?:h|def)"', path.read_text()):
                self.assertLessEqual(table[name], own, f"{path.name} includes {name}, a higher floor")
            if path.parent.name == "allocator":
                self.assertNotIn('#include "shim/', path.read_text(), path.name)

    def test_only_libc(self):
        for path in CODE:
            for name in re.findall(r"#include <([^>]+)>", path.read_text()):
                self.assertTrue(name.endswith(".h") or name in STANDARD, f"{path.name}: <{name}>")

    def test_sizes(self):
        for path in TEXT:
            lines = path.read_text().splitlines()
            self.assertLessEqual(len(lines), FILE_LINES_MAX, path.name)
            if path.suffix in (".cc", ".h", ".c"):
                for name, length in functions(lines):
                    self.assertLessEqual(length, FUNCTION_LINES_MAX, f"{path.name}: {name}")

    def test_words(self):
        for path in CODE:
            if path.name not in WORDS_EXEMPT:
                found = re.search(BANNED_WORDS, path.read_text(), re.I)
                self.assertIsNone(found, f"{path.name}: {found and found.group()}")

    def test_nothing_is_left_open(self):
        for path in TEXT:
            if path.name != "floors_test.py":
                self.assertNotRegex(path.read_text(), r"\b(TODO|FIXME|XXX|HACK)\b", path.name)

    def test_licence(self):
        for path in TEXT:
            if path.suffix != ".md":
                head = path.read_text()[:400]
                self.assertIn("SPDX-License-Identifier: MIT", head, path.name)

    def test_few_conditionals(self):
        lines = conditionals = 0
        for path in CODE:
            text = path.read_text()
            lines += text.count("\n")
            guards = 1 if path.suffix == ".h" else 0
            conditionals += len(re.findall(r"^#if", text, re.M)) - guards
        self.assertLessEqual(conditionals * 1000, 5 * lines, f"{conditionals} in {lines} lines")


unittest.main(argv=sys.argv[:1])
