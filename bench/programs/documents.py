# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: reads JSON documents, one a line, changes and writes them again.
# Argument: the file.

import hashlib
import json
import sys


def main():
    digest = hashlib.sha256()
    by_city = {}
    for _ in range(2):
        with open(sys.argv[1], encoding="utf-8") as lines:
            documents = [json.loads(line) for line in lines]
        for document in documents:
            document["total"] = sum(entry["amount"] for entry in document["entries"])
            by_city.setdefault(document["address"]["city"], []).append(document["id"])
        for document in documents:
            digest.update(json.dumps(document, sort_keys=True).encode())
    print(digest.hexdigest(), len(by_city))


main()
