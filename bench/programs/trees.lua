-- SPDX-FileCopyrightText: 2026 The Tally authors
-- SPDX-License-Identifier: MIT
--
-- A benchmark program: binary trees of tables, and strings built and interned.

local function build(depth)
  if depth == 0 then return {} end
  return { build(depth - 1), build(depth - 1) }
end

local function count(tree)
  if not tree[1] then return 1 end
  return 1 + count(tree[1]) + count(tree[2])
end

local long_lived = build(15)
local total = 0
for round = 1, 240 do
  total = total + count(build(12))
end

local index, parts = {}, {}
for i = 1, 1600000 do
  local key = "key-" .. (i * 7919 % 100003)
  index[key] = (index[key] or 0) + 1
  parts[#parts + 1] = key:sub(-3)
end
local text = table.concat(parts, ",")
local commas = select(2, text:gsub(",", ";"))
print(count(long_lived), total, commas, #text, index["key-7919"])
