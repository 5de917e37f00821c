# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Tally's books and blocks in gdb (12 or later): of a living process, or of a core file.

usage: gdb -x tally-gdb.py ..., or "source tally-gdb.py" in gdb. The folder tally_gdb stays beside.
gdb loads it by itself through a link in /usr/share/gdb/auto-load: in the library's folder there,
named libtally.so.0.1.0-gdb.py.

    tally books          blocks by class, larger blocks, threads, and what all mapped memory is
    tally block ADDRESS  whose memory it is: block, class, pool, heap; live, or free and where
    tally heaps          what each heap holds back
    tally threads        what each thread's cache holds back
    tally help           this list

examples:
    gdb -p 4711 -x tally-gdb.py -batch -ex "tally books"
    gdb -x tally-gdb.py server core
    (gdb) tally block request->buffer
    (gdb) tally block $rdi

ADDRESS is any expression. Threads are named by the kernel's id, which gdb calls LWP. Needs the
symbol tally_stats_directory, no debug information, and calls nothing in the process.

gdb runs all scripts in one namespace: every name here begins with the project's.
"""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tally_gdb.block
import tally_gdb.books
import tally_gdb.process

TALLY_HELP = "\n".join(line[4:] for line in __doc__.splitlines() if line.startswith("    tally "))


class TallyCommand(gdb.Command):
    """A command whose answer is text; whatever goes wrong is one line."""

    def __init__(self, name, *arguments):
        super().__init__(name, gdb.COMMAND_DATA, *arguments)

    def invoke(self, argument, from_tty):
        try:
            print(self.answer(argument.strip()))
        except (tally_gdb.process.Error, gdb.error) as error:
            raise gdb.GdbError("tally: " + " ".join(str(error).split())) from None

    def books(self, argument):
        if argument:
            raise tally_gdb.process.Error("this command takes no argument")
        return tally_gdb.books.Books(tally_gdb.process.Process())


class TallyPrefix(TallyCommand):
    """The books of the Tally allocator, and whose memory an address is."""

    def answer(self, argument):
        if argument:
            raise tally_gdb.process.Error(f"no such command: {argument}; see tally help")
        return TALLY_HELP


class TallyHelp(TallyCommand):
    """List the commands that read the books of the Tally allocator.
usage: tally help"""

    def answer(self, argument):
        return TALLY_HELP


class TallyBooks(TallyCommand):
    """Print the books of the Tally allocator, as its report has them.
usage: tally books"""

    def answer(self, argument):
        pid = gdb.selected_inferior().pid
        return tally_gdb.books.report(self.books(argument), pid)


class TallyBlock(TallyCommand):
    """Print whose memory an address is: block, class, pool, heap; live, or free and where.
usage: tally block ADDRESS"""

    def answer(self, argument):
        if not argument:
            raise tally_gdb.process.Error("which address? usage: tally block ADDRESS")
        address = int(gdb.parse_and_eval(argument)) & tally_gdb.process.WORD_MAX
        return tally_gdb.block.describe(tally_gdb.process.Process(), address)


class TallyHeaps(TallyCommand):
    """Print what each heap of the Tally allocator holds back.
usage: tally heaps"""

    def answer(self, argument):
        return tally_gdb.books.heap_table(self.books(argument))


class TallyThreads(TallyCommand):
    """Print what each thread's cache of the Tally allocator holds back.
usage: tally threads"""

    def answer(self, argument):
        return tally_gdb.books.thread_table(self.books(argument))


TallyPrefix("tally", gdb.COMPLETE_NONE, True)
TallyHelp("tally help")
TallyBooks("tally books")
TallyBlock("tally block", gdb.COMPLETE_EXPRESSION)
TallyHeaps("tally heaps")
TallyThreads("tally threads")
