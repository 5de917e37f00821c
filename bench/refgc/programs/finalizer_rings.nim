# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# finalizer_rings.cc in Nim: the finaliser is the destructor of a member, for Nim writes that of the
# cyclic type itself.

import program_numbers

const ringLength = 10

var finalized = 0

type
  Watch = object
    isOn: bool
  Node = ref object
    next: Node
    value: int
    watch: Watch

proc `=destroy`(watch: var Watch) =
  if watch.isOn:
    inc finalized

proc `=copy`(a: var Watch, b: Watch) {.error.}

proc makeNode(value: int): Node =
  result = Node(value: value)
  result.watch.isOn = true

proc ring(value: int): int =
  let first = makeNode(value)
  var last = first
  for i in 1 ..< ringLength:
    let node = makeNode(value + i)
    last.next = node
    last = node
  last.next = first
  first.next.value + last.next.value

proc main() =
  let rings = size() * 1000
  var sum = 0
  for i in 0 ..< rings:
    sum += ring(i)
  GC_fullCollect()
  GC_fullCollect()
  let made = rings * ringLength
  let isDone = finalized <= made and finalized >= made - made div 100
  echo sum, " ", (if isDone: "finalized" else: "forgotten")

main()
