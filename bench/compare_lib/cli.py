# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The command line of bench/compare, and the order in which things run."""

import argparse
import os
import sys

from compare_lib import allocators as allocator_table
from compare_lib import checks, figures, measure, picture, places, programs, report, results

EPILOG = """\
NAME=PATH adds an allocator, or replaces one of the names above (tally=other/libtally.so).
A CSV that exists is extended: by --rounds more rounds, or with --resume up to --rounds in all.
"""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        sys.stderr.write(f"{self.prog}: {message}\n")
        self.print_usage(sys.stderr)
        sys.exit(2)


def _parser():
    parser = Parser(
        prog="bench/compare", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs whole programs under several allocators, in interleaved rounds, and\n"
                    "compares wall time, CPU time, peak RSS and minor page faults.",
        epilog=EPILOG)
    parser.add_argument("extra", nargs="*", metavar="NAME=PATH", help="another malloc library")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5")
    parser.add_argument("--programs", metavar="A,B", help="only these (see --list)")
    parser.add_argument("--allocators", metavar="A,B",
                        default=",".join(allocator_table.DEFAULT_NAMES),
                        help="default %(default)s; also pymalloc, CPython's own")
    parser.add_argument("--env", action="append", default=[], metavar="NAME:VARIABLE=VALUE",
                        help="a variable for the programs under one allocator")
    parser.add_argument("--list", action="store_true", help="print the programs and end")
    parser.add_argument("--csv", metavar="FILE", help="append every run to this file")
    parser.add_argument("--resume", action="store_true", help="go on where the CSV ends")
    parser.add_argument("--md", metavar="FILE", help="write the report here, not to stdout")
    parser.add_argument("--svg", metavar="FILE", help="write the picture here")
    return parser


def parse_names(parser, option, text, known):
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            parser.error(f"{option}: there is no {name!r}; known: {', '.join(known)}")
    if not names:
        parser.error(f"{option} names nothing")
    return list(dict.fromkeys(names))


def parse_extra(parser, arguments):
    """NAME=PATH arguments: name → path."""
    extra = {}
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not (name and equals and path) or "," in name or "|" in name:
            parser.error(f"{argument!r} is not NAME=PATH")
        if name in extra:
            parser.error(f"{name} is given twice")
        if not os.path.isfile(path):
            parser.error(f"{name}: there is no file {path}")
        extra[name] = path
    return extra


def parse_variables(parser, arguments, names):
    """NAME:VARIABLE=VALUE arguments: name → list of VARIABLE=VALUE."""
    variables = {}
    for argument in arguments:
        name, colon, setting = argument.partition(":")
        if not (colon and setting.partition("=")[0] and "=" in setting):
            parser.error(f"--env: {argument!r} is not NAME:VARIABLE=VALUE")
        if name not in names:
            parser.error(f"--env: {name!r} is not among the allocators: {', '.join(names)}")
        variables.setdefault(name, []).append(setting)
    return variables


def _parse(arguments):
    parser = _parser()
    options = parser.parse_args(arguments)
    if not 1 <= options.rounds <= 1000:
        parser.error("--rounds wants a number from 1 to 1000")
    if options.resume and not options.csv:
        parser.error("--resume wants --csv")
    extra = parse_extra(parser, options.extra)
    named = allocator_table.DEFAULT_NAMES + allocator_table.OTHER_NAMES
    known = named + [name for name in extra if name not in named]
    chosen = parse_names(parser, "--allocators", options.allocators, known)
    options.allocators = chosen + [name for name in extra if name not in chosen]
    options.extra = extra
    options.variables = parse_variables(parser, options.env, options.allocators)
    by_name = {program.name: program for program in programs.ALL}
    names = (parse_names(parser, "--programs", options.programs, list(by_name))
             if options.programs is not None else list(by_name))
    options.programs = [by_name[name] for name in names]
    for path in (options.csv, options.md, options.svg):
        folder = os.path.dirname(os.path.abspath(path)) if path else "."
        if not os.path.isdir(folder):
            parser.error(f"there is no folder {folder}")
    return options


def _check_all(machine, collected, options, found):
    """Round 0: one unmeasured run of each pair, which warms the page cache too."""
    for program in options.programs:
        for allocator in found:
            if collected.is_checked(program, allocator):
                continue
            attempt, problem = checks.check(machine, program, allocator)
            collected.add(0, program, allocator, attempt, 1, problem)
            if problem:
                places.say(f"{program.name} under {allocator.name} failed: {problem}")


def balanced_order(items, turn):
    """The order of this turn. Over 2 * len(items) turns each item comes after each other equally
    often (Williams's Latin squares, 1949): what one run leaves in the machine, such as huge pages
    still warm, is spread over all."""
    count = len(items)
    zigzag = [(step + 1) // 2 if step % 2 else -step // 2 for step in range(count)]
    order = [items[(place + turn) % count] for place in zigzag]
    return order[::-1] if turn // count % 2 else order


def _run_round(machine, collected, options, found, round_number):
    for index, program in enumerate(options.programs):
        for allocator in balanced_order(found, round_number + index):
            if collected.has(round_number, program, allocator):
                continue
            if collected.problem(program.name, allocator.name):
                continue
            attempt, attempts = machine.measure(program, allocator)
            problem = checks.describe_status(attempt)
            collected.add(round_number, program, allocator, attempt, attempts, problem)
            noise = " (disturbed)" if attempt.disturbed else ""
            places.say(f"round {round_number}  {program.name:16} {allocator.name:10} "
                       f"{attempt.wall_ns / 1e9:7.3f} s  {attempt.maxrss_kb / 1024:7.1f} MB  "
                       f"{problem}{noise}")


def _write(path, content):
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    places.say("wrote " + path)


def _publish(collected, options, found):
    names = [allocator.name for allocator in found]
    baseline = allocator_table.BASELINE if allocator_table.BASELINE in names else names[0]
    shown = figures.Figures(collected, [program.name for program in options.programs], names,
                            baseline)
    text = report.markdown(shown, collected)
    if options.md:
        _write(options.md, text + "\n")
    else:
        print(text)
    if options.svg:
        _write(options.svg, picture.svg(shown))


def _run(options):
    found = allocator_table.find(options.allocators, options.extra, options.variables)
    programs.install(options.programs)
    versions = {allocator.name: allocator.version() for allocator in found}
    collected = results.Results(options.csv, versions)
    first = 1 if options.resume else collected.last_round() + 1
    last = options.rounds if options.resume else collected.last_round() + options.rounds
    machine = measure.Machine(places.binaries())
    try:
        _check_all(machine, collected, options, found)
        for round_number in range(first, last + 1):
            _run_round(machine, collected, options, found, round_number)
    finally:
        machine.close()
    _publish(collected, options, found)


def main(arguments):
    options = _parse(arguments)
    if options.list:
        for program in programs.ALL:
            print(f"{program.name:16} {program.what}")
        return 0
    try:
        _run(options)
    except places.Refusal as refusal:
        places.say(f"bench/compare: {refusal}")
        return 1
    except KeyboardInterrupt:
        places.say("bench/compare: interrupted; --resume goes on where the CSV ends")
        return 130
    return 0
