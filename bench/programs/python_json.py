# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: loads a JSON document of 50 MB and dumps it. Argument: the file.

import json
import sys
import zlib


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        documents = json.load(file)
    text = json.dumps(documents)
    print(len(documents), len(text), zlib.crc32(text.encode()))


main()
