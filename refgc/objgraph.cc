// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Numbers by type, and chains. dot.cc draws.

#include "refgc/objgraph.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <ostream>

#include "refgc/object_graph.h"

namespace refgc::objgraph {

using refgc::detail::object_graph;
using refgc::detail::object_header;

namespace {

template <typename F>
void for_each_living(F f) {
  for (int kind = 0; kind < 2; ++kind) {
    refgc::detail::for_each_living(*refgc::detail::this_heap_impl(), kind, f);
  }
}

// "Node" means app::Node as well; "app::Node" only that.
bool is_named(const std::string& type, std::string_view wanted) {
  return type == wanted || refgc::detail::without_namespaces(type) == wanted;
}

std::vector<bool> types_named(std::string_view wanted) {
  std::vector<bool> result(refgc::detail::kTypesMax, false);
  for (uint16_t id = refgc::detail::kFirstType; id < refgc::detail::kTypesMax; ++id) {
    const char* name = refgc::detail::type_table[id].name;
    if (name == nullptr) {
      break;
    }
    result[id] = is_named(refgc::detail::readable_name(name), wanted);
  }
  return result;
}

std::vector<type_count> all_types() {
  std::map<uint16_t, type_count> counts;
  for_each_living([&](const object_header* header) {
    type_count& of_type = counts[header->type];
    ++of_type.count;
    of_type.bytes += sizeof(object_header) + refgc::detail::type_table[header->type].object_bytes;
  });
  std::vector<type_count> result;
  for (auto& [id, of_type] : counts) {
    of_type.type = refgc::detail::readable_name(refgc::detail::type_table[id].name);
    result.push_back(of_type);
  }
  return result;
}

// One line for each, the names in a column.
template <class Row, class Write>
std::string table(const std::vector<Row>& rows, Write write) {
  size_t width = 0;
  for (const Row& row : rows) {
    width = std::max(width, row.type.size());
  }
  std::string text;
  for (const Row& row : rows) {
    char numbers[64];
    write(row, numbers, sizeof(numbers));
    text += row.type + std::string(width - row.type.size() + 1, ' ') + numbers + '\n';
  }
  return text;
}

std::string common_types_table(size_t limit) {
  return table(most_common_types(limit), [](const type_count& row, char* to, size_t size) {
    std::snprintf(to, size, "%10llu", static_cast<unsigned long long>(row.count));
  });
}

std::string growth_table(size_t limit) {
  return table(growth(limit), [](const type_growth& row, char* to, size_t size) {
    std::snprintf(to, size, "%10llu %+10lld", static_cast<unsigned long long>(row.count),
                  static_cast<long long>(row.growth));
  });
}

// A search, breadth first. came_by[n] is the edge by which n was found.
class chain_search {
 public:
  chain_search(const object_graph& graph, bool is_backward)
      : graph_(graph),
        is_backward_(is_backward),
        came_by_(graph.size(), nullptr),
        depth_(graph.size(), -1) {}

  template <typename IsEnd>
  uint32_t find(uint32_t start, int max_depth, IsEnd is_end) {
    std::deque<uint32_t> waiting = {start};
    depth_[start] = 0;
    while (!waiting.empty()) {
      const uint32_t node = waiting.front();
      waiting.pop_front();
      if (node != start && is_end(node)) {
        return node;
      }
      if (depth_[node] == max_depth) {
        continue;
      }
      const auto look = [&](const refgc::detail::graph_edge& edge, uint32_t next) {
        if (depth_[next] < 0) {
          depth_[next] = depth_[node] + 1;
          came_by_[next] = &edge;
          waiting.push_back(next);
        }
      };
      graph_.for_each_neighbour(node, is_backward_, look);
    }
    return start;
  }

  chain chain_to(uint32_t end) const {
    chain links;
    const auto add = [&](uint32_t node, const refgc::detail::graph_edge* edge) {
      links.push_back({ref_from_this(object_of(graph_.header(node))),
                       edge == nullptr ? "" : edge->name, edge == nullptr || !edge->is_untraced});
    };
    if (is_backward_) {
      for (uint32_t node = end;; node = came_by_[node]->to) {
        add(node, came_by_[node]);
        if (came_by_[node] == nullptr) {
          return links;
        }
      }
    }
    const refgc::detail::graph_edge* onward = nullptr;
    for (uint32_t node = end;; node = onward->from) {
      add(node, onward);
      onward = came_by_[node];
      if (onward == nullptr) {
        std::reverse(links.begin(), links.end());
        return links;
      }
    }
  }

 private:
  const object_graph& graph_;
  const bool is_backward_;
  std::vector<const refgc::detail::graph_edge*> came_by_;
  std::vector<int> depth_;
};

}  // namespace

size_t count(std::string_view type_name) {
  const std::vector<bool> is_wanted = types_named(type_name);
  size_t found = 0;
  for_each_living([&](const object_header* header) { found += is_wanted[header->type] ? 1 : 0; });
  return found;
}

std::vector<type_count> most_common_types(size_t limit) {
  std::vector<type_count> types = all_types();
  std::stable_sort(types.begin(), types.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  types.resize(std::min(types.size(), limit));
  return types;
}

void show_most_common_types(size_t limit, std::FILE* to) {
  std::fputs(common_types_table(limit).c_str(), to);
}
void show_most_common_types(std::ostream& to, size_t limit) { to << common_types_table(limit); }

std::vector<type_growth> growth(size_t limit) {
  static std::mutex mutex;
  static auto* const peaks = new std::map<std::string, uint64_t>;  // outlives all destructors
  const std::vector<type_count> types = all_types();
  std::vector<type_growth> result;
  const std::lock_guard lock(mutex);
  for (const type_count& of_type : types) {
    uint64_t& peak = (*peaks)[of_type.type];
    if (of_type.count > peak) {
      result.push_back({of_type.type, of_type.count, static_cast<int64_t>(of_type.count - peak)});
      peak = of_type.count;
    }
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.growth > b.growth; });
  result.resize(std::min(result.size(), limit));
  return result;
}

void show_growth(size_t limit, std::FILE* to) { std::fputs(growth_table(limit).c_str(), to); }
void show_growth(std::ostream& to, size_t limit) { to << growth_table(limit); }

std::vector<ref<void>> by_type(std::string_view type_name) {
  const std::vector<bool> is_wanted = types_named(type_name);
  std::vector<ref<void>> result;
  for_each_living([&](object_header* header) {
    if (is_wanted[header->type]) {
      result.push_back(ref_from_this(object_of(header)));
    }
  });
  return result;
}

std::string describe(const chain& links) {
  std::string text;
  for (const chain_link& link : links) {
    text += text.empty() ? "" : " -> ";
    text += refgc::detail::describe_holder(
        refgc::detail::without_namespaces(type_name(link.object)), link.member, link.is_traced);
  }
  return text;
}

namespace detail {

size_t count_type(uint16_t type) {
  size_t found = 0;
  for_each_living([&](const object_header* header) { found += header->type == type ? 1 : 0; });
  return found;
}

std::vector<void*> objects_of_type(uint16_t type) {
  std::vector<void*> result;
  for_each_living([&](object_header* header) {
    if (header->type == type) {
      refgc::detail::increment(header);
      result.push_back(object_of(header));
    }
  });
  return result;
}

chain find_chain(slots own, bool is_backward, const predicate& is_end, int max_depth) {
  if (*own.first == nullptr) {
    return {};
  }
  const object_graph graph(*refgc::detail::this_heap_impl(), {own.first, own.second});
  const uint32_t start = graph.find(*own.first);
  if (start == object_graph::kNone) {
    return {};
  }
  chain_search search(graph, is_backward);
  const uint32_t end = search.find(start, max_depth, [&](uint32_t node) {
    return is_end == nullptr ? graph.held_externally(node) != 0 || graph.is_immortal(node)
                             : is_end(ref_from_this(object_of(graph.header(node))));
  });
  return search.chain_to(end);
}

}  // namespace detail

}  // namespace refgc::objgraph
