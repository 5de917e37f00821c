# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# The random numbers of numbers.h, and its line of pauses.

import std/[algorithm, os, strutils]

type Numbers* = object
  state: int

proc initNumbers*(seed: int): Numbers = Numbers(state: seed)

proc below*(numbers: var Numbers, limit: int): int =
  numbers.state = (numbers.state * 1103515245 + 12345) and 0x7fffffff
  ((numbers.state shr 8) * limit) shr 23

proc size*(): int = parseInt(paramStr(1))

proc printPauses*(timesUs: var seq[float]) =
  timesUs.sort()
  let n = timesUs.len
  echo "pauses_us ", int(timesUs[n div 2]), " ", int(timesUs[n * 99 div 100]), " ", int(timesUs[^1])
