# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The programs and their sizes; who runs them, and how each is built."""

import dataclasses
import os
import subprocess

from compare_lib import places

SOURCES = os.path.join(places.BENCH, "refgc", "programs")
FOLDER = os.path.join(places.ROOT, "build", "bench-refgc")


@dataclasses.dataclass
class Program:
    size: int
    what: str
    # Nothing in it is ever cyclic: under refgc a type may say so, in a row of its own.
    is_acyclic: bool = False
    # Has a version that does not leak without a collector.
    is_countable: bool = True
    is_exponent: bool = False

    def scale(self, factor):
        if not self.is_exponent:
            self.size = max(1, round(self.size * factor))


PROGRAMS = {
    "binary_trees": Program(16, "Short-lived complete trees beside one that stays.", True,
                            is_exponent=True),
    "gcbench": Program(16, "Ellis, Kovac and Boehm's GCBench: trees from the top and the bottom.",
                       True, is_exponent=True),
    "linked_list": Program(30, "A doubly linked list of 200,000 nodes, built and dropped."),
    "digraph": Program(15, "32,768 nodes with random edges; roots are cut by half, a full "
                       "collection after each.", is_countable=False),
    "lru_cache": Program(5000, "A hash table and a doubly linked ring; 65,536 entries."),
    "dom_churn": Program(10000, "A document whose elements know their parents; sections are "
                         "replaced."),
    "deep_chain": Program(20, "A chain of a million nodes, built, walked and released.", True),
    "finalizer_rings": Program(1000, "Rings of ten objects with a finaliser each.",
                               is_countable=False),
    "steady_server": Program(3000, "A million live objects; requests whose objects die with them, "
                             "but one in a hundred in a cycle. Batches of 1,000 requests."),
}


@dataclasses.dataclass
class Rival:
    name: str
    family: str = ""  # of family_*.h
    options: tuple = ()
    libraries: tuple = ()
    root: str = places.ROOT  # whose refgc/ it includes
    preload: str = ""
    needs: tuple = ()  # A Debian package, and a file of it.
    wants_acyclic: bool = False
    wants_countable: bool = False

    def runs(self, program):
        return ((not self.wants_acyclic or PROGRAMS[program].is_acyclic)
                and (not self.wants_countable or PROGRAMS[program].is_countable))

    def binary(self, program):
        return os.path.join(FOLDER, program + "." + self.name.replace(" ", "_"))

    def source(self, program):
        return os.path.join(SOURCES, program + ".cc")

    def command(self, program):
        return [self.binary(program)]

    def compile(self, program):
        family = f'-DBENCH_FAMILY="bench/refgc/programs/family_{self.family}.h"'
        return (["g++", "-std=c++17", "-O2", "-I", self.root, "-I", places.ROOT, family,
                 *self.options, self.source(program), "-o", self.binary(program)]
                + list(self.libraries))


class Nim(Rival):
    def source(self, program):
        return os.path.join(SOURCES, program + ".nim")

    def compile(self, program):
        return ["nim", "c", "--mm:orc", "-d:release", "-d:danger", "--passC:-O2", "--hints:off",
                "--nimcache:" + os.path.join(FOLDER, "nimcache", program),
                "-o:" + self.binary(program), self.source(program)]


class Python(Rival):
    def source(self, program):
        return os.path.join(SOURCES, program + ".py")

    def command(self, program):
        return ["/usr/bin/python3", "-B", self.source(program)]

    def compile(self, program):
        return []


def _refgc(name, root, malloc, options=(), wants_acyclic=False):
    folder = os.path.join(root, "build", "release")
    library = os.path.join(folder, "refgc")
    return Rival(name, "refgc", options, ("-L" + library, "-lrefgc", "-Wl,-rpath," + library),
                 root, _preload(malloc, folder), wants_acyclic=wants_acyclic)


def _preload(malloc, folder):
    path = os.path.join(folder, "libtally.so")
    return path if malloc == "tally" and os.path.exists(path) else ""


def all_rivals(malloc, others):
    """`others`: name → root of another source tree with refgc in it."""
    tally = _preload(malloc, os.path.join(places.ROOT, "build", "release"))
    boost = ("libboost-dev", "/usr/include/boost/smart_ptr/intrusive_ptr.hpp")
    unlink = ("-DBENCH_UNLINK",)
    table = [
        _refgc("refgc", places.ROOT, malloc),
        _refgc("refgc acyclic", places.ROOT, malloc, ("-DBENCH_ACYCLIC",), True),
        Rival("shared_ptr", "shared", unlink, preload=tally, wants_countable=True),
        Rival("shared_ptr thread", "shared", unlink + ("-DBENCH_THREAD",), preload=tally,
              wants_countable=True),
        Rival("intrusive_ptr", "intrusive", unlink, preload=tally, needs=boost,
              wants_countable=True),
        Rival("bdwgc", "bdwgc", libraries=("-lgc",), needs=("libgc-dev", "/usr/include/gc/gc.h")),
        Nim("nim orc", needs=("nim", "/usr/bin/nim")),
        Python("cpython", needs=("python3", "/usr/bin/python3")),
    ]
    return table[:1] + [_refgc(name, root, malloc) for name, root in others.items()] + table[1:]


def _is_fresh(binary, sources):
    return os.path.exists(binary) and all(
        os.path.getmtime(source) <= os.path.getmtime(binary) for source in sources)


def _was_built_by(binary, command):
    """Whether the same command made it: a name may stand for another tree today."""
    stamp = binary + ".command"
    if not os.path.exists(stamp):
        return False
    with open(stamp, encoding="utf-8") as file:
        return file.read() == "\n".join(command)


def _make(binary, command):
    _call(command)
    with open(binary + ".command", "w", encoding="utf-8") as file:
        file.write("\n".join(command))


def _headers(root):
    for folder in (os.path.join(root, "refgc"), SOURCES):
        for name in os.listdir(folder):
            if name.endswith((".h", ".nim")):
                yield os.path.join(folder, name)


def _call(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        places.say(done.stdout)
        raise places.Refusal("this failed: " + " ".join(command))


def build(programs, chosen):
    """Installs what is missing and builds what is older than its sources."""
    os.makedirs(FOLDER, exist_ok=True)
    places.install(["g++"], ["/usr/bin/g++"])
    launcher, source = os.path.join(FOLDER, "launch"), os.path.join(places.BENCH, "launch.c")
    if not _is_fresh(launcher, [source]):
        _call(["gcc", "-O2", "-fno-pie", "-no-pie", "-static", source, "-o", launcher])
    for rival in chosen:
        if rival.family == "refgc" and not os.path.exists(
                os.path.join(rival.root, "build", "release", "refgc", "librefgc.so")):
            raise places.Refusal(f"{rival.name}: build librefgc.so first "
                                 f"(in {rival.root}: cmake --preset release && cmake --build "
                                 "build/release --target refgc_shared)")
        if rival.needs:
            places.install([rival.needs[0]], [rival.needs[1]])
        for program in programs:
            sources = [rival.source(program), *_headers(rival.root)]
            command = rival.compile(program)
            if not command or not rival.runs(program):
                continue
            binary = rival.binary(program)
            if not _is_fresh(binary, sources) or not _was_built_by(binary, command):
                places.say(f"building {program} for {rival.name}")
                _make(binary, command)
