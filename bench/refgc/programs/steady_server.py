# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""steady_server.cc in Python."""

import sys
import time

from program_numbers import Numbers, print_pauses

SESSIONS = 100000
ITEMS = 9
FIELDS = 8
BATCH = 1000


class Item:
    __slots__ = ("session", "value")


class Session:
    __slots__ = ("items", "requests")


class Field:
    __slots__ = ("next", "value")


class Request:
    __slots__ = ("session", "fields")

    def __init__(self):
        self.session = None
        self.fields = None


def make_session(value):
    session = Session()
    session.requests = 0
    session.items = items = []
    for i in range(ITEMS):
        item = Item()
        item.session = session
        item.value = value + i
        items.append(item)
    return session


def answer(request, which):
    reply = Request()
    item = request.session.items[which]
    reply.session = item.session
    reply.session.requests += 1
    total = item.value
    field = request.fields
    while field is not None:
        total += field.value
        field = field.next
    return total + reply.session.requests


def serve(session, which):
    request = Request()
    request.session = session
    for i in range(FIELDS):
        field = Field()
        field.value = which + i
        field.next = request.fields
        request.fields = field
    return answer(request, which)


def main():
    below = Numbers(1).below
    sessions = [make_session(i) for i in range(SESSIONS)]
    times_us = []
    total = 0
    for batch in range(int(sys.argv[1])):
        start_ns = time.monotonic_ns()
        for i in range(BATCH):
            place = below(SESSIONS)
            if i % 100 == 0:
                sessions[place] = make_session(batch + i)
            total += serve(sessions[place], below(ITEMS))
        times_us.append((time.monotonic_ns() - start_ns) / 1e3)
    print(total)
    print_pauses(times_us)


main()
