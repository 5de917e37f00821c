# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: records with strings too long to be embedded, hashes, grouping and sorting.

Record = Struct.new(:name, :city, :tags, :note)

def make_record(number)
  Record.new("customer number #{number} of this very long list",
             "city-#{number * 7919 % 500}",
             Array.new(5) { |i| "tag-#{number + i}-#{'x' * (number % 30)}" },
             { seen: number, text: "note #{number} " * 4 })
end

records = []
digest = 0
4.times do |round|
  records = (0...40_000).map { |i| make_record(i + round) }
  groups = records.group_by(&:city)
  sorted = groups.map { |city, members| [city, members.map { |r| r.note[:text].upcase }.max] }.sort
  digest = (digest * 31 + sorted.join("|").sum) % 1_000_003
end
puts "#{digest} #{records.size}"
