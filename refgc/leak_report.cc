// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "refgc/leak_report.h"

#include <sys/auxv.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

namespace refgc::detail {

namespace {

constexpr size_t kRowsMax = 20;

std::string with_commas(uint64_t n) {
  std::string digits = std::to_string(n);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string counted(uint64_t n, const char* what) {
  return with_commas(n) + ' ' + what + (n == 1 ? "" : "s");
}

std::string types_of(const object_graph& graph, const std::vector<uint32_t>& nodes) {
  std::set<std::string> names;
  for (const uint32_t node : nodes) {
    names.insert(short_name_of(graph.header(node)));
  }
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

// The rows of a map, by a number in them, the largest first; the rest in one line.
template <class Map, class Number, class Write>
std::string rows_of(const Map& map, Number number, Write write) {
  std::vector<const typename Map::value_type*> rows;
  rows.reserve(map.size());
  for (const auto& row : map) {
    rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [&](auto* a, auto* b) { return number(a->second) > number(b->second); });
  std::string text;
  for (size_t i = 0; i < std::min(rows.size(), kRowsMax); ++i) {
    text += write(rows[i]->first, rows[i]->second);
  }
  if (rows.size() > kRowsMax) {
    text += "    ... and " + with_commas(rows.size() - kRowsMax) + " more kinds\n";
  }
  return text;
}

}  // namespace

void cycle_groups::add_cycle(const object_graph& graph, const cycle& c) {
  group& g = groups_[types_of(graph, c.nodes)];
  ++g.cycles;
  g.objects += c.nodes.size();
  for (const uint32_t node : c.nodes) {
    g.bytes += graph.bytes(node);
  }
  if (g.route.empty() || c.route.size() < g.route_length) {
    g.route_length = c.route.size();
    g.route = describe_route(graph, c.route);
  }
}

void cycle_groups::add(const object_graph& graph, const std::vector<bool>& is_in,
                       bool needs_untraced) {
  std::vector<bool> is_on_cycle(graph.size(), false);
  for (const cycle& c : find_cycles(graph, is_in, needs_untraced)) {
    if (c.route.empty()) {
      continue;
    }
    add_cycle(graph, c);
    for (const uint32_t node : c.nodes) {
      is_on_cycle[node] = true;
      ++objects_;
      bytes_ += graph.bytes(node);
    }
  }
  for (uint32_t node = 0; node < graph.foreign_begin() && !needs_untraced; ++node) {
    if (is_in[node] && !is_on_cycle[node]) {
      auto& [objects, bytes] = cargo_[short_name_of(graph.header(node))];
      ++objects;
      bytes += graph.bytes(node);
      ++objects_;
      bytes_ += graph.bytes(node);
    }
  }
}

std::string cycle_groups::text() const {
  std::string text = rows_of(
      groups_, [](const group& g) { return g.bytes; },
      [](const std::string& types, const group& g) {
        return "    " + counted(g.cycles, "cycle") + " of " + types + ": " +
               counted(g.objects, "object") + ", " + counted(g.bytes, "byte") +
               (g.cycles == 1 ? "; shortest way round:\n" : "; the shortest:\n") + "      " +
               g.route + '\n';
      });
  if (!cargo_.empty()) {
    text += "    held by these cycles:\n";
    text += rows_of(
        cargo_, [](const auto& row) { return row.second; },
        [](const std::string& type, const auto& row) {
          return "      " + with_commas(row.first) + " x " + type + ", " +
                 counted(row.second, "byte") + '\n';
        });
  }
  return text;
}

void leak_report::add_garbage(const heap_impl& heap) {
  const object_graph graph(heap);
  std::vector<bool> is_garbage = graph.find_living();
  is_garbage.flip();
  garbage_.add(graph, is_garbage, false);
}

void leak_report::add_saved(const heap_impl& heap) {
  const object_graph graph(heap);
  std::vector<bool> is_saved(graph.size(), false);
  for (const ref<void>& r : heap.garbage) {
    const uint32_t node = r ? graph.find(r.get()) : object_graph::kNone;
    if (node != object_graph::kNone) {
      is_saved[node] = true;
    }
  }
  saved_.add(graph, is_saved, false);
}

void leak_report::add_living(const heap_impl& heap) {
  object_graph graph(heap,
                     {reinterpret_cast<void* const*>(heap.garbage.data()), heap.garbage.size()});
  graph.add_untraced();
  std::set<const void*> saved;
  for (const ref<void>& r : heap.garbage) {
    saved.insert(r.get());
  }
  std::vector<bool> is_alive(graph.size(), false);
  for (uint32_t node = 0; node < graph.foreign_begin(); ++node) {
    if (graph.is_immortal(node)) {
      ++immortal_;
    } else if (saved.count(graph.object(node)) == 0) {
      is_alive[node] = true;
      living& l = living_[short_name_of(graph.header(node))];
      ++l.count;
      l.bytes += graph.bytes(node);
      l.held_externally += graph.held_externally(node);
      l.found_untraced += graph.found_untraced(node);
    }
  }
  for (const graph_edge& edge : graph.edges()) {
    if (edge.is_untraced && is_alive[edge.from] && is_alive[edge.to]) {
      ++untraced_edges_[describe_holder(short_name_of(graph.header(edge.from)), edge.name, true) +
                        " -> " + short_name_of(graph.header(edge.to))];
    }
  }
  untraced_.add(graph, is_alive, true);
}

std::string leak_report::living_text() const {
  uint64_t count = 0;
  uint64_t bytes = 0;
  for (const auto& [type, l] : living_) {
    count += l.count;
    bytes += l.bytes;
  }
  const auto row = [](const std::string& type, const living& l) {
    return "    " + with_commas(l.count) + " x " + type + ", " + counted(l.bytes, "byte") +
           (l.held_externally == 0 ? "; held by others of these"
                                   : "; held externally: " + with_commas(l.held_externally)) +
           '\n';
  };
  return "  still alive: " + counted(count, "object") + ", " + counted(bytes, "byte") + '\n' +
         rows_of(
             living_, [](const living& l) { return l.bytes; }, row) +
         (immortal_ == 0 ? "" : "    and " + counted(immortal_, "immortal object") + '\n');
}

std::string leak_report::untraced_text() const {
  std::string text;
  if (!untraced_edges_.empty()) {
    text += "  references that trace does not see (a guess from memory):\n";
    text += rows_of(
        untraced_edges_, [](uint64_t n) { return n; },
        [](const std::string& edge, uint64_t n) {
          return "    " + edge + (n == 1 ? "" : ", " + with_commas(n) + " times") + '\n';
        });
  }
  if (!untraced_.empty()) {
    text +=
        "  leaked: cycles through such a reference, which no collection can free\n" +
        untraced_.text() +
        "    To free them: name the member in REFGC_TRACE, hold a refgc::function instead of a\n"
        "    std::function, or make one of these references a weak_ref.\n";
  }
  return text;
}

std::string leak_report::text() const {
  std::string text = "refgc: report at exit\n";
  if (!saved_.empty()) {
    text += "  saved in gc::garbage(): " + counted(saved_.objects(), "object") + ", " +
            counted(saved_.bytes(), "byte") + '\n' + saved_.text();
  }
  if (!garbage_.empty()) {
    text +=
        "  cycles that the collector freed at the end: " + counted(garbage_.objects(), "object") +
        ", " + counted(garbage_.bytes(), "byte") + '\n' + garbage_.text();
  }
  return text + living_text() + untraced_text();
}

bool wants_report_at_exit() {
  const char* wanted = getauxval(AT_SECURE) != 0 ? nullptr : std::getenv("REFGC_REPORT");
  return wanted != nullptr && std::strcmp(wanted, "exit") == 0;
}

}  // namespace refgc::detail
