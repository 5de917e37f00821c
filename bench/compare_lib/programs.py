# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The programs that are run: real ones on generated input, and our own workloads.

Each takes one to two seconds under glibc on the machine it was tuned on, prints the same under
every allocator, and exits with 0.
"""

import dataclasses
import os
import typing

from compare_lib import inputs, places


@dataclasses.dataclass
class Program:
    name: str
    what: str
    command: typing.Callable  # From a Scene to the argument list.
    binary: str = ""  # The file whose absence means that the packages are missing.
    packages: tuple = ()
    server: typing.Callable = None  # From a Scene to a server that is measured in its place.
    links_allocator: bool = False
    environment: tuple = ()


class Scene:
    """What a command may mention: inputs, scripts, workloads, a folder for this run."""

    def __init__(self, folder, binaries):
        self.folder = folder
        self.binaries = binaries

    def input(self, name):
        return inputs.path_of(name)

    def script(self, name):
        return os.path.join(places.BENCH, "programs", name)

    def workload(self, name):
        return os.path.join(self.binaries, "workload_" + name)

    @property
    def socket(self):
        return os.path.join(self.folder, "socket")


def _python(name, what, script, input_name=None):
    def command(scene):
        arguments = ["/usr/bin/python3", scene.script(script)]
        return arguments + ([scene.input(input_name)] if input_name else [])
    return Program(name, what, command, "/usr/bin/python3", ("python3",),
                   environment=("PYTHONMALLOC=malloc", "PYTHONHASHSEED=0"))


def _git(name, what, *arguments):
    return Program(
        name, what, lambda scene: ["/usr/bin/git", "-C", scene.input("repository"), *arguments],
        "/usr/bin/git", ("git",))


def _workload(name, what):
    return Program(name, what, lambda scene: [scene.workload(name)])


REAL = [
    _python("python-json", "CPython: loads and dumps JSON of 50 MB", "python_json.py", "json"),
    _python("python-tree", "CPython: two million small objects in a tree", "python_tree.py"),
    _python("python-words", "CPython: dicts and strings", "python_words.py", "text"),
    _python("python-records", "CPython: objects with slots in lists", "python_records.py"),
    _python("python-compile", "CPython: ast.parse and compile", "python_compile.py"),
    _python("python-tokens", "CPython: regular expressions", "python_tokens.py", "text"),
    Program("perl", "index of a text",
            lambda scene: ["/usr/bin/perl", scene.script("words.pl"), scene.input("text")],
            "/usr/bin/perl", ("perl",), environment=("PERL_HASH_SEED=0",)),
    Program("lua", "trees of tables, strings",
            lambda scene: ["/usr/bin/lua5.4", scene.script("trees.lua")],
            "/usr/bin/lua5.4", ("lua5.4",)),
    Program("ruby", "records, grouping, sorting",
            lambda scene: ["/usr/bin/ruby", scene.script("records.rb")],
            "/usr/bin/ruby", ("ruby",)),
    Program("node", "JSON, maps, buffers, zlib",
            lambda scene: ["/usr/bin/node", scene.script("documents.js"), scene.input("documents")],
            "/usr/bin/node", ("nodejs",)),
    Program("gawk", "associative arrays of strings",
            lambda scene: ["/usr/bin/gawk", "-f", scene.script("words.awk"), scene.input("text")],
            "/usr/bin/gawk", ("gawk",)),
    Program("jq", "JSON documents: group, sort, print",
            lambda scene: [
                "/usr/bin/jq", "-c", "--slurp",
                "group_by(.address.city) | map({city: .[0].address.city,"
                " total: (map(.entries[].amount) | add), names: (map(.name) | sort | .[:3])})",
                scene.input("documents"), scene.input("documents"), scene.input("documents")],
            "/usr/bin/jq", ("jq",)),
    Program("sqlite3", "inserts, joins, indexes in memory",
            lambda scene: ["/usr/bin/sqlite3", ":memory:", ".read " + scene.input("sql")],
            "/usr/bin/sqlite3", ("sqlite3",)),
    Program("redis", "the server, under redis-benchmark; wall time is the client's",
            lambda scene: [scene.script("redis_client"), scene.socket],
            "/usr/bin/redis-server", ("redis-server", "redis-tools"),
            server=lambda scene: [
                "/usr/bin/redis-server", "--port", "0", "--unixsocket", scene.socket,
                "--save", "", "--appendonly", "no", "--dir", scene.folder],
            links_allocator=True),
    Program("g++", "one STL-heavy file, -O1",
            lambda scene: ["/usr/bin/g++", "-std=c++17", "-O1", "-S", "-o", "-", scene.input("cc")],
            "/usr/bin/g++", ("g++",)),
    Program("clang++", "the same file, -O1",
            lambda scene: [
                "/usr/bin/clang++-14", "-std=c++17", "-O1", "-S", "-o", "-", scene.input("cc")],
            "/usr/bin/clang++-14", ("clang-14",)),
    _git("git-log", "patches and statistics of a history", "log", "-p", "--stat", "-M"),
    _git("git-fsck", "checks every object", "fsck", "--full", "--no-dangling", "--no-progress"),
    _git("git-pack", "what gc does: new deltas for all objects",
         "-c", "pack.threads=1", "pack-objects", "--all", "--no-reuse-delta", 
         "--stdout", "-q"),
    Program("gs", "Ghostscript renders a generated document",
            lambda scene: ["/usr/bin/gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE",
                           "-sDEVICE=pgmraw", "-r72", "-sOutputFile=-", scene.input("ps")],
            "/usr/bin/gs", ("ghostscript",)),
    Program("xmllint", "parses a document, evaluates XPath",
            lambda scene: ["/usr/bin/xmllint", "--huge", "--xpath",
                           "count(//record[contains(note, 'ab')]/tag)", scene.input("xml")],
            "/usr/bin/xmllint", ("libxml2-utils",)),
    Program("z3", "bit-vector and array constraints",
            lambda scene: ["/usr/bin/z3", scene.input("smt2")],
            "/usr/bin/z3", ("z3",)),
]

OWN = [
    _workload("server", "random replacement, tables handed from thread to thread"),
    _workload("symbolic", "expressions of short-lived small objects"),
    _workload("bulk", "builds and tears down trees, maps and lists"),
    _workload("handoff", "two producers, two consumers"),
    _workload("tables", "arrays, strings and hash tables growing side by side"),
    _workload("json", "parses, changes and prints documents"),
    _workload("phases", "phases of different sizes, nine of ten blocks freed at random"),
    _workload("churn", "eight threads churning, some blocks freed by others"),
    _workload("large", "blocks of 64 KB to 8 MB in turn"),
    _workload("strings", "splitting, counting, sorting std::string"),
]

ALL = REAL + OWN


def install(chosen):
    """Installs what the chosen programs need, in one go."""
    missing = [p for p in chosen if p.binary and not os.path.exists(p.binary)]
    packages = sorted({package for program in missing for package in program.packages})
    if packages:
        places.install(packages, wanted=[program.binary for program in missing])
