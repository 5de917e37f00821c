# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# dom_churn.cc in Nim.

import program_numbers

const
  sections = 64
  childrenEach = 8
  depthOfAll = 3
  looks = 50

type Element = ref object
  parent: Element
  children: seq[Element]
  tag: int

proc build(parent: Element, depth, tag: int): Element =
  result = Element(parent: parent, tag: tag)
  if depth > 0:
    for i in 0 ..< childrenEach:
      result.children.add build(result, depth - 1, tag + i)

proc lookAt(section: Element, numbers: var Numbers): int =
  var element = section
  while element.children.len > 0:
    element = element.children[numbers.below(childrenEach)]
  result = element.tag
  var up = element.parent
  while up != nil:
    result += up.tag + 1
    up = up.parent

proc main() =
  var numbers = initNumbers(1)
  let document = Element()
  for i in 0 ..< sections:
    document.children.add build(document, depthOfAll, i)
  var sum = 0
  for i in 0 ..< size():
    let place = numbers.below(sections)
    document.children[place] = build(document, depthOfAll, i)
    for _ in 1 .. looks:
      sum += lookAt(document.children[numbers.below(sections)], numbers)
  echo sum

main()
