# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# lru_cache.cc in Nim.

import std/tables

import program_numbers

const capacity = 65536

type
  Entry = ref object
    newer, older: Entry
    key, value: int
  Cache = object
    table: Table[int, Entry]
    head: Entry
    hits: int

proc initCache(): Cache =
  result.head = Entry()
  result.head.newer = result.head
  result.head.older = result.head

proc link(cache: var Cache, entry: Entry) =
  let newest = cache.head.older
  entry.older = newest
  entry.newer = cache.head
  newest.newer = entry
  cache.head.older = entry

proc unlink(entry: Entry) =
  entry.newer.older = entry.older
  entry.older.newer = entry.newer

proc lookUp(cache: var Cache, key: int): int =
  let found = cache.table.getOrDefault(key)
  if found != nil:
    inc cache.hits
    unlink(found)
    cache.link(found)
    return found.value
  if cache.table.len == capacity:
    let oldest = cache.head.newer
    unlink(oldest)
    cache.table.del(oldest.key)
  let entry = Entry(key: key, value: key * 3)
  cache.link(entry)
  cache.table[key] = entry
  entry.value

proc main() =
  var cache = initCache()
  var numbers = initNumbers(1)
  var sum = 0
  for _ in 1 .. size() * 1000:
    let limit = if numbers.below(4) == 0: 400000 else: 50000
    sum += cache.lookUp(numbers.below(limit))
  echo sum, " ", cache.hits

main()
