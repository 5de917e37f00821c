# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: regular expressions, splitting and counting over a text, and the compiler
# of Python itself over a generated module. Argument: the text.

import ast
import collections
import re
import sys


def count_words(text):
    counts = collections.Counter(re.findall(r"[a-z]+", text.lower()))
    pairs = collections.Counter()
    for line in text.splitlines():
        words = line.split()
        pairs.update(zip(words, words[1:]))
    return counts, pairs


def compile_module(functions):
    source = "".join(
        "def f%d(a, b=%d):\n    c = [a * i + b for i in range(%d)]\n    return {'sum': sum(c), 'a': a}\n"
        % (i, i, i % 50) for i in range(functions))
    tree = ast.parse(source)
    compile(tree, "generated", "exec")
    return sum(1 for _ in ast.walk(tree))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read(3000000)
    counts, pairs = count_words(text)
    print(len(counts), counts.most_common(3), len(pairs), compile_module(5000))


main()
