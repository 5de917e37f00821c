# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The random numbers of numbers.h, and its line of pauses."""


class Numbers:
    __slots__ = ("state",)

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = state = (self.state * 1103515245 + 12345) & 0x7fffffff
        return ((state >> 8) * limit) >> 23


def print_pauses(times_us):
    times_us.sort()
    n = len(times_us)
    print(f"pauses_us {times_us[n // 2]:.0f} {times_us[n * 99 // 100]:.0f} {times_us[-1]:.0f}")
