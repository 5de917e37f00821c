# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# steady_server.cc in Nim.

import std/monotimes

import program_numbers

const
  sessionsAll = 100000
  itemsEach = 9
  fieldsEach = 8
  batchLength = 1000

type
  Item = ref object
    session: Session
    value: int
  Session = ref object
    items: array[itemsEach, Item]
    requests: int
  Field = ref object
    next: Field
    value: int
  Request = ref object
    session: Session
    fields: Field

proc makeSession(value: int): Session =
  result = Session()
  for i in 0 ..< itemsEach:
    result.items[i] = Item(session: result, value: value + i)

proc answer(request: Request, which: int): int =
  let reply = Request()
  let item = request.session.items[which]
  reply.session = item.session
  inc reply.session.requests
  result = item.value
  var field = request.fields
  while field != nil:
    result += field.value
    field = field.next
  result += reply.session.requests

proc serve(session: Session, which: int): int =
  let request = Request(session: session)
  for i in 0 ..< fieldsEach:
    request.fields = Field(value: which + i, next: request.fields)
  answer(request, which)

proc main() =
  var numbers = initNumbers(1)
  var sessions: seq[Session]
  for i in 0 ..< sessionsAll:
    sessions.add makeSession(i)
  var timesUs: seq[float]
  var sum = 0
  for batch in 0 ..< size():
    let start = getMonoTime()
    for i in 0 ..< batchLength:
      let place = numbers.below(sessionsAll)
      if i mod 100 == 0:
        sessions[place] = makeSession(batch + i)
      sum += serve(sessions[place], numbers.below(itemsEach))
    timesUs.add float(getMonoTime().ticks - start.ticks) / 1e3
  echo sum
  printPauses(timesUs)

main()
