# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Medians, spreads, and ratios to the baseline with paired bootstrap intervals."""

import dataclasses
import math
import random
import statistics

RESAMPLES = 1000

METRICS = {
    "wall": lambda row: row["wall_ns"] / 1e9,
    "cpu": lambda row: (row["user_us"] + row["sys_us"]) / 1e6,
    "rss": lambda row: row["maxrss_kb"] / 1024,
    "faults": lambda row: float(row["minflt"]),
}


@dataclasses.dataclass
class Cell:
    """One program under one allocator, one metric."""
    median: float
    spread: float  # (max - min) / median
    rounds: int


@dataclasses.dataclass
class Ratio:
    value: float
    low: float  # 95 % interval
    high: float
    rounds: int  # The fewest of any program in it.
    count: int = 1  # Of the programs in a geometric mean.
    samples: tuple = ()  # The resampled ratios' logarithms, for geometric means.


def _percentile(ordered, share):
    return ordered[min(len(ordered) - 1, max(0, round(share * (len(ordered) - 1))))]


def _log(value):
    # A CPU time can be below the clock's resolution; it never is of interest then.
    return math.log(max(value, 1e-9))


class Figures:
    """Everything the report and the picture show, computed once from the results."""

    def __init__(self, results, programs, allocators, baseline):
        self.programs = programs
        self.allocators = allocators
        self.baseline = baseline
        self.problems = {}
        self._values = {}
        for program in programs:
            for allocator in allocators:
                key = (program, allocator)
                self.problems[key] = results.problem(program, allocator)
                self._values[key] = {} if self.problems[key] else results.measured(*key)
        self._ratios = {}
        for metric in METRICS:
            for program in programs:
                for allocator in allocators:
                    ratio = self._ratio(metric, program, allocator)
                    self._ratios[metric, program, allocator] = ratio

    def cell(self, metric, program, allocator):
        """None where nothing was measured."""
        values = [METRICS[metric](row) for row in self._values[program, allocator].values()]
        if not values:
            return None
        median = statistics.median(values)
        spread = (max(values) - min(values)) / median if median else 0.0
        return Cell(median, spread, len(values))

    def ratio(self, metric, program, allocator):
        """The medians' ratio to the baseline's, None where either is missing."""
        return self._ratios[metric, program, allocator]

    def _ratio(self, metric, program, allocator):
        ours = self._values[program, allocator]
        theirs = self._values.get((program, self.baseline), {})
        rounds = sorted(set(ours) & set(theirs))
        if not rounds:
            return None
        pairs = [(METRICS[metric](ours[r]), METRICS[metric](theirs[r])) for r in rounds]

        def log_ratio(chosen):
            return (_log(statistics.median(pair[0] for pair in chosen))
                    - _log(statistics.median(pair[1] for pair in chosen)))

        # Whole rounds are drawn, so that what disturbed a round disturbs both sides. The seed
        # makes two reports on the same rows equal.
        source = random.Random(f"{metric} {program} {allocator}")
        samples = [log_ratio(source.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES)]
        ordered = sorted(samples)
        return Ratio(math.exp(log_ratio(pairs)), math.exp(_percentile(ordered, 0.025)),
                     math.exp(_percentile(ordered, 0.975)), len(rounds), 1, tuple(samples))

    def mean(self, metric, allocator, programs=None):
        """The geometric mean of the ratios of the programs that ran under both."""
        ratios = [self.ratio(metric, program, allocator) for program in programs or self.programs]
        ratios = [ratio for ratio in ratios if ratio is not None]
        if not ratios:
            return None
        samples = sorted(statistics.fmean(values)
                         for values in zip(*(ratio.samples for ratio in ratios)))
        value = math.exp(statistics.fmean(_log(ratio.value) for ratio in ratios))
        return Ratio(value, math.exp(_percentile(samples, 0.025)),
                     math.exp(_percentile(samples, 0.975)),
                     min(ratio.rounds for ratio in ratios), len(ratios))
