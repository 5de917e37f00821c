#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The code in refgc's pages compiles.

usage: docs_test.py ROOT [COMPILER]

A page becomes one program. In a ```cpp block, what begins at the left margin with struct, class,
template, using, #include, int main, or a function that returns void goes to namespace scope and is
known to the blocks after it; the rest of the block is the body of a function of its own. Code in the
column "refgc" of a table is a statement where the first block of statements of its page is known.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv[1])
COMPILER = sys.argv[2] if len(sys.argv) > 2 else "g++"

PRELUDE = '#include <refgc/objgraph.h>\n#include <refgc/refgc.h>\n#include <refgc/verify.h>\n' \
          "#include <cstdio>\n#include <string>\n#include <thread>\n#include <unistd.h>\n" \
          "using namespace refgc;\n"
DEFINITION = re.compile(r"(struct|class|template|using|#include|int main|void )")


def blocks(lines):
    """(number of the first line, lines) of each block of C++."""
    start = None
    for number, line in enumerate(lines):
        if start is None and line.strip() == "```cpp":
            start = number + 1
        elif start is not None and line.strip() == "```":
            yield start + 1, lines[start:number]
            start = None


def split(first, lines):
    """Definitions, and statements; lines keep their numbers."""
    definitions, statements = [], []
    into = statements
    for number, line in enumerate(lines, first):
        if into is statements and DEFINITION.match(line):
            into = definitions
        into.append((number, line))
        is_end = line.startswith("}") or (re.match(r"\S", line) and re.search(r"[;}]$|^#", line))
        if into is definitions and is_end:
            into = statements
    return definitions, statements


def numbered(page, lines):
    return "".join(f'#line {number} "{page}"\n{line}\n' for number, line in lines)


def cells(lines):
    """(line number, code) in the columns headed refgc."""
    column = None
    for number, line in enumerate(lines, 1):
        row = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            column = None
        elif "refgc" in row:
            column = row.index("refgc")
        elif column is not None and column < len(row):
            for code in re.findall(r"`([^`]+)`", row[column]):
                yield number, code


def program(path):
    lines = path.read_text().splitlines()
    text, known = PRELUDE, None
    for first, block in blocks(lines):
        definitions, statements = split(first, block)
        text += numbered(path.name, definitions)
        if any(line.strip() for _, line in statements):
            text += f"void block_{first}() {{\n{numbered(path.name, statements)}}}\n"
            known = known or statements
    for index, (number, code) in enumerate(cells(lines)):
        text += f"void cell_{index}() {{\n{numbered(path.name, known or [])}{{\n"
        text += numbered(path.name, [(number, code + ";")]) + "}\n}\n"
    return text


class DocsTest(unittest.TestCase):

    def test_code_compiles(self):
        pages = sorted(ROOT.glob("refgc/*.md"))
        self.assertTrue(pages)
        for path in pages:
            with self.subTest(path.name), tempfile.NamedTemporaryFile("w", suffix=".cc") as source:
                source.write(program(path))
                source.flush()
                command = [COMPILER, "-std=c++17", "-w", "-fsyntax-only", f"-I{ROOT}", source.name]
                result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
                self.assertEqual(result.returncode, 0, result.stderr[:4000])

    def test_links_lead_somewhere(self):
        for path in ROOT.glob("refgc/*.md"):
            for target in re.findall(r"\]\(([^)#: ]+)\)", path.read_text()):
                self.assertTrue((path.parent / target).exists(), f"{path.name}: {target}")

    def test_the_table_of_files_is_whole(self):
        text = (ROOT / "refgc/README.md").read_text()
        for path in sorted(ROOT.glob("refgc/*.h")) + sorted(ROOT.glob("refgc/*.cc")):
            self.assertIn(f"`{path.stem}`", text, f"refgc/README.md does not name {path.stem}")


unittest.main(argv=sys.argv[:1])
