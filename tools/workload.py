# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""What tools/try runs by default: a few seconds of ordinary Python work on its own input.

JSON documents are built, printed and parsed, words counted, a tree of small objects grown and
pruned. Prints a checksum, so that two runs can be compared.
"""

import hashlib
import json
import random


class Leaf:
    __slots__ = ("key", "left", "right", "text")

    def __init__(self, key):
        self.key, self.left, self.right, self.text = key, None, None, f"leaf {key}"


def insert(root, key):
    while root.key != key:
        side = "left" if key < root.key else "right"
        below = getattr(root, side)
        if below is None:
            setattr(root, side, Leaf(key))
            return
        root = below


def main():
    generator = random.Random(1)
    checksum = hashlib.md5()
    for _round in range(4):
        documents = [{"id": i, "name": f"name {i % 977}", "tags": [f"t{j}" for j in range(i % 9)],
                      "values": [generator.random() for _ in range(5)]} for i in range(25000)]
        text = json.dumps(documents)
        checksum.update(text.encode())
        again = json.loads(text)
        words = {}
        for document in again:
            for word in document["name"].split() + document["tags"]:
                words[word] = words.get(word, 0) + 1
        checksum.update(json.dumps(sorted(words.items())).encode())
        root = Leaf(0.5)
        for _ in range(60000):
            insert(root, generator.random())
    print(checksum.hexdigest())


main()
