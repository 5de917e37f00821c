// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Which objects lie on cycles, and short ways round: Tarjan's strongly connected components
// ("Depth-first search and linear graph algorithms", 1972), without recursion.

#include <algorithm>
#include <deque>

#include "refgc/object_graph.h"

namespace refgc::detail {

namespace {

constexpr uint32_t kUnseen = ~uint32_t{0};
// Ways round are looked for from so many nodes of a group, and so far.
constexpr size_t kStartsMax = 32;
constexpr size_t kSearchMax = 100000;

class components {
 public:
  components(const object_graph& graph, const std::vector<bool>& is_in)
      : graph_(graph),
        is_in_(is_in),
        order_(graph.size(), kUnseen),
        low_(graph.size(), 0),
        is_waiting_(graph.size(), false) {}

  std::vector<std::vector<uint32_t>> find() {
    for (uint32_t node = 0; node < graph_.size(); ++node) {
      if (is_in_[node] && order_[node] == kUnseen) {
        search(node);
      }
    }
    return std::move(found_);
  }

 private:
  struct visit {
    uint32_t node;
    std::vector<uint32_t> next;
  };

  void enter(uint32_t node) {
    order_[node] = low_[node] = counter_++;
    waiting_.push_back(node);
    is_waiting_[node] = true;
    visit fresh{node, {}};
    graph_.for_each_out(node, [&](const graph_edge& edge) {
      if (is_in_[edge.to]) {
        fresh.next.push_back(edge.to);
      }
    });
    path_.push_back(std::move(fresh));
  }

  void search(uint32_t root) {
    enter(root);
    while (!path_.empty()) {
      const uint32_t node = path_.back().node;
      if (!path_.back().next.empty()) {
        const uint32_t next = path_.back().next.back();
        path_.back().next.pop_back();
        if (order_[next] == kUnseen) {
          enter(next);
        } else if (is_waiting_[next]) {
          low_[node] = std::min(low_[node], order_[next]);
        }
        continue;
      }
      path_.pop_back();
      if (!path_.empty()) {
        uint32_t& low = low_[path_.back().node];
        low = std::min(low, low_[node]);
      }
      if (low_[node] == order_[node]) {
        close(node);
      }
    }
  }

  void close(uint32_t root) {
    std::vector<uint32_t> members;
    for (;;) {
      const uint32_t node = waiting_.back();
      waiting_.pop_back();
      is_waiting_[node] = false;
      members.push_back(node);
      if (node == root) {
        break;
      }
    }
    bool is_cycle = members.size() > 1;
    graph_.for_each_out(root, [&](const graph_edge& edge) { is_cycle |= edge.to == root; });
    if (is_cycle) {
      std::sort(members.begin(), members.end());
      found_.push_back(std::move(members));
    }
  }

  const object_graph& graph_;
  const std::vector<bool>& is_in_;
  std::vector<uint32_t> order_;
  std::vector<uint32_t> low_;
  std::vector<bool> is_waiting_;
  std::vector<uint32_t> waiting_;
  std::vector<visit> path_;
  std::vector<std::vector<uint32_t>> found_;
  uint32_t counter_ = 0;
};

using route = std::vector<const graph_edge*>;

// The shortest way from `start` to `end` inside the group, at least one edge long; empty when none
// was found in time.
route find_way(const object_graph& graph, const std::vector<uint32_t>& group, uint32_t start,
               uint32_t end) {
  std::unordered_map<uint32_t, const graph_edge*> came_by;
  std::deque<uint32_t> waiting = {start};
  const graph_edge* last = nullptr;
  while (!waiting.empty() && last == nullptr && came_by.size() < kSearchMax) {
    const uint32_t node = waiting.front();
    waiting.pop_front();
    graph.for_each_out(node, [&](const graph_edge& edge) {
      if (edge.to == end) {
        last = last == nullptr ? &edge : last;
      } else if (edge.to != start && std::binary_search(group.begin(), group.end(), edge.to) &&
                 came_by.emplace(edge.to, &edge).second) {
        waiting.push_back(edge.to);
      }
    });
  }
  route way;
  for (const graph_edge* edge = last; edge != nullptr;
       edge = edge->from == start ? nullptr : came_by[edge->from]) {
    way.push_back(edge);
  }
  std::reverse(way.begin(), way.end());
  return way;
}

void keep_shorter(route* best, route way) {
  if (!way.empty() && (best->empty() || way.size() < best->size())) {
    *best = std::move(way);
  }
}

route shortest_round(const object_graph& graph, const std::vector<uint32_t>& group) {
  route best;
  const size_t step = std::max<size_t>(group.size() / kStartsMax, 1);
  for (size_t i = 0; i < group.size(); i += step) {
    keep_shorter(&best, find_way(graph, group, group[i], group[i]));
  }
  return best;
}

// Round by one of the edges that trace does not see.
route shortest_untraced_round(const object_graph& graph, const std::vector<uint32_t>& group) {
  route best;
  size_t tried = 0;
  for (const uint32_t node : group) {
    graph.for_each_out(node, [&](const graph_edge& edge) {
      if (!edge.is_untraced || tried == kStartsMax ||
          !std::binary_search(group.begin(), group.end(), edge.to)) {
        return;
      }
      ++tried;
      route way = {&edge};
      if (edge.to != edge.from) {
        const route back = find_way(graph, group, edge.to, edge.from);
        way.insert(way.end(), back.begin(), back.end());
      }
      if (way.back()->to == edge.from) {
        keep_shorter(&best, std::move(way));
      }
    });
  }
  return best;
}

}  // namespace

std::vector<cycle> find_cycles(const object_graph& graph, const std::vector<bool>& is_in,
                               bool is_through_untraced) {
  std::vector<cycle> result;
  for (std::vector<uint32_t>& group : components(graph, is_in).find()) {
    route way =
        is_through_untraced ? shortest_untraced_round(graph, group) : shortest_round(graph, group);
    result.push_back({std::move(group), std::move(way)});
  }
  return result;
}

std::string describe_route(const object_graph& graph, const std::vector<const graph_edge*>& route) {
  std::string text;
  for (const graph_edge* edge : route) {
    text +=
        describe_holder(short_name_of(graph.header(edge->from)), edge->name, !edge->is_untraced) +
        " -> ";
  }
  return route.empty() ? text : text + short_name_of(graph.header(route.back()->to));
}

}  // namespace refgc::detail
