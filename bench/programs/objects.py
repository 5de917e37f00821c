# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: objects, dicts, closures and lists of an order system, many of them
# short-lived, some kept.

import collections


class Item:
    def __init__(self, name, price, count):
        self.name = name
        self.price = price
        self.count = count
        self.tags = [name[:3], str(price)]

    def total(self):
        return self.price * self.count


def make_order(number):
    items = [Item("item-%d" % (number * 7 + i), (number * i) % 97 + 0.5, i + 1) for i in range(8)]
    return {"number": number, "items": items, "customer": ("c%d" % (number % 1000), number % 7)}


def main():
    recent = collections.deque(maxlen=3000)
    totals = collections.defaultdict(list)
    for number in range(120000):
        order = make_order(number)
        recent.append(order)
        totals[order["customer"]].append(sum(item.total() for item in order["items"]))
        if number % 5 == 0:
            totals["tags", number % 50] = [tag for item in order["items"] for tag in item.tags]
    kept = {key: value for key, value in totals.items() if len(value) > 3}
    print(len(kept), sum(len(order["items"]) for order in recent))


main()
