# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The Markdown report: a summary, a table of ratios, a table of medians per metric."""

import os
import platform

TITLES = {"wall": "Wall time, s", "cpu": "CPU time, s", "rss": "Peak RSS, MB",
          "faults": "Minor page faults"}
ROUNDS_FOR_INTERVAL = 3  # Fewer rounds say nothing about their scatter.


def _table(header, rows):
    lines = ["| " + " | ".join(header) + " |",
             "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def _number(metric, value):
    if metric == "faults":
        return f"{value:,.0f}"
    return f"{value:.1f}" if metric == "rss" else f"{value:.3f}"


def _interval(ratio):
    if ratio is None:
        return "–"
    if ratio.rounds < ROUNDS_FOR_INTERVAL:
        return f"{ratio.value:.3f}"
    return f"{ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"


def _summary(figures):
    header = ["allocator", "wall", "CPU", "peak RSS", "minor faults", "programs", "failed"]
    rows = []
    for allocator in figures.allocators:
        means = [figures.mean(metric, allocator) for metric in ("wall", "cpu", "rss", "faults")]
        failed = sum(bool(figures.problems[program, allocator]) for program in figures.programs)
        count = str(means[0].count) if means[0] else "0"
        rows.append([allocator] + [_interval(mean) for mean in means] + [count, str(failed)])
    return _table(header, rows)


def _ratios(figures, metric):
    rows = []
    others = [name for name in figures.allocators if name != figures.baseline]
    for program in figures.programs:
        cells = [("failed" if figures.problems[program, allocator]
                  else _interval(figures.ratio(metric, program, allocator)))
                 for allocator in others]
        rows.append([program] + cells)
    means = [_interval(figures.mean(metric, allocator)) for allocator in others]
    rows.append(["**geometric mean**"] + [f"**{mean}**" for mean in means])
    return _table(["program"] + others, rows)


def _medians(figures, metric):
    rows = []
    for program in figures.programs:
        row = [program]
        for allocator in figures.allocators:
            cell = figures.cell(metric, program, allocator)
            if figures.problems[program, allocator]:
                row.append("failed")
            elif cell is None:
                row.append("–")
            else:
                row.append(f"{_number(metric, cell.median)} ±{50 * cell.spread:.0f}%")
        rows.append(row)
    return _table(["program"] + figures.allocators, rows)


def _machine():
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    pages = "?"
    path = "/sys/kernel/mm/transparent_hugepage/enabled"
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            pages = file.read().split("[")[-1].split("]")[0]
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, huge pages: {pages}"


def _notes(figures, results):
    rounds = [len(results.measured(program, allocator))
              for program in figures.programs for allocator in figures.allocators
              if not figures.problems[program, allocator]]
    rows = [row for row in results.rows if row["round"] > 0]
    repeated = sum(row["attempts"] > 1 for row in rows)
    span = f"{min(rounds, default=0)}" if len(set(rounds)) < 2 else f"{min(rounds)}–{max(rounds)}"
    notes = [f"- Machine: {_machine()}.",
             f"- Rounds: {span} for each program and allocator; {repeated} of {len(rows)} runs were"
             " disturbed and repeated once.",
             f"- Ratios are to {figures.baseline} (below 1 is better), of medians; in brackets the"
             " 95 % interval of a paired bootstrap over rounds (from three rounds on). After ± stands half of the spread"
             " (max − min) in per cent of the median.",
             "- A geometric mean counts the programs that ran under both allocators."]
    if results.foreign_rows:
        notes.append(f"- {results.foreign_rows} rows of the CSV were left out: of other builds of"
                     " the libraries, or of allocators not asked for.")
    return notes + [""]


def markdown(figures, results):
    lines = ["# Whole programs under several allocators", ""]
    lines += _notes(figures, results)
    lines += [f"## Summary: geometric means relative to {figures.baseline}", ""] + _summary(figures)
    failures = [f"- {program} under {allocator}: {problem}"
                for (program, allocator), problem in figures.problems.items() if problem]
    if failures:
        lines += ["## Failed", ""] + failures + [""]
    for metric in ("wall", "rss"):
        title = TITLES[metric].split(",")[0]
        lines += [f"## {title} relative to {figures.baseline}", ""] + _ratios(figures, metric)
    for metric, title in TITLES.items():
        lines += [f"## {title}: medians", ""] + _medians(figures, metric)
    return "\n".join(lines)
