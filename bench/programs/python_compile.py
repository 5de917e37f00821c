# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: parses and compiles modules of the standard library, and keeps the code.

import ast
import os

BYTES = 5_000_000


def modules():
    folder = os.path.dirname(os.__file__)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                yield name, file.read()


def main():
    left, codes, nodes = BYTES, [], 0
    for name, source in modules():
        tree = ast.parse(source)
        nodes += sum(1 for _ in ast.walk(tree))
        codes.append(compile(tree, name, "exec"))
        left -= len(source)
        if left < 0:
            break
    print(len(codes), nodes)


main()
