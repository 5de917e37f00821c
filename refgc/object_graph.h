// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A picture of a heap at one moment: its objects and who refers to whom, as numbers. What the tools
// that explain a heap work on: objgraph, the exit report, verify_trace.
//
// Nodes are numbered in the order of addresses; behind them come objects of other heaps that some
// of these refer to ("foreign": what they refer to is not looked at).
//
// Invariants:
//   1. The picture holds no counts: it is stale once an object dies.
//   2. out(n) are neighbours in edges_; in(n) is an index over them.
// Threads: the heap's.

#ifndef REFGC_OBJECT_GRAPH_H_
#define REFGC_OBJECT_GRAPH_H_

#include <string>
#include <unordered_map>
#include <vector>

#include "refgc/state.h"

namespace refgc::detail {

struct graph_edge {
  uint32_t from;
  uint32_t to;
  std::string name;          // the member's
  bool is_untraced = false;  // found by find_untraced(): trace does not report it
};

// References that the caller of a tool holds only to call it: they do not count as holders.
struct own_references {
  void* const* first = nullptr;
  size_t count = 0;
};

class object_graph {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  // O(heap) time and memory. Objects that are dying are not in it.
  explicit object_graph(const heap_impl& heap, own_references own = {});

  uint32_t size() const { return static_cast<uint32_t>(nodes_.size()); }
  uint32_t foreign_begin() const { return foreign_begin_; }
  object_header* header(uint32_t node) const { return nodes_[node]; }
  const void* object(uint32_t node) const { return nodes_[node] + 1; }
  // kNone for what is no object of this picture. O(log n).
  uint32_t find(const void* object) const;
  // The object whose bytes hold the address, foreign ones left out. O(log n).
  uint32_t find_around(const void* address) const;

  const std::vector<graph_edge>& edges() const { return edges_; }
  // Calls f(edge) for each reference in, or to, the node.
  template <typename F>
  void for_each_out(uint32_t node, F f) const {
    for (uint32_t i = out_first_[node]; i < out_first_[node + 1]; ++i) {
      f(edges_[i]);
    }
  }
  template <typename F>
  void for_each_in(uint32_t node, F f) const {
    for (uint32_t i = in_first_[node]; i < in_first_[node + 1]; ++i) {
      f(edges_[in_edges_[i]]);
    }
  }
  // Calls f(edge, the node at its other end), against the references' direction or along it.
  template <typename F>
  void for_each_neighbour(uint32_t node, bool is_backward, F f) const {
    if (is_backward) {
      for_each_in(node, [&](const graph_edge& edge) { f(edge, edge.from); });
    } else {
      for_each_out(node, [&](const graph_edge& edge) { f(edge, edge.to); });
    }
  }
  // Counts that no traced reference of this heap explains. 0 for immortal and foreign objects.
  uint32_t held_externally(uint32_t node) const { return external_[node]; }
  // Of these, those that an edge explains that add_untraced() brought.
  uint32_t found_untraced(uint32_t node) const { return untraced_[node]; }
  bool is_immortal(uint32_t node) const { return nodes_[node]->count == kImmortalCount; }
  uint64_t bytes(uint32_t node) const {
    return sizeof(object_header) + type_table[nodes_[node]->type].object_bytes;
  }

  // Adds what find_untraced() found, as edges that are marked.
  void add_untraced();
  // Those that something outside keeps alive: a reference from outside, immortality or freeze().
  std::vector<bool> find_living() const;

 private:
  friend class graph_builder;

  void index();
  void subtract_own(own_references own, const std::vector<bool>& is_member);

  std::vector<object_header*> nodes_;
  uint32_t foreign_begin_ = 0;
  std::unordered_map<const void*, uint32_t> foreign_;
  std::vector<graph_edge> edges_;
  std::vector<uint32_t> out_first_;
  std::vector<uint32_t> in_first_;
  std::vector<uint32_t> in_edges_;
  std::vector<uint32_t> external_;
  std::vector<uint32_t> untraced_;
};

// "Node" of "app::Node<app::Key>" is "Node<Key>".
std::string without_namespaces(const std::string& type_name);
inline std::string short_name_of(const object_header* header) {
  return without_namespaces(name_of(header));
}

// "Node.next", "Subject.callbacks (not traced)", "Node at offset 24 (not traced)".
std::string describe_holder(const std::string& type, const std::string& member, bool is_traced);

// One connected group of cycles, and the shortest way round.
struct cycle {
  std::vector<uint32_t> nodes;           // all that lie on some cycle with each other
  std::vector<const graph_edge*> route;  // the shortest that was found
};
// Those among the nodes that `is_in` names; self-references as well. With `is_through_untraced` a
// route goes by an edge that trace does not see, and is empty where the group has none. O(nodes +
// edges), and for the routes a bounded search from some nodes of each group.
std::vector<cycle> find_cycles(const object_graph& graph, const std::vector<bool>& is_in,
                               bool is_through_untraced = false);
// "Subject.observers -> Observer.subject -> Subject".
std::string describe_route(const object_graph& graph, const std::vector<const graph_edge*>& route);

}  // namespace refgc::detail

#endif  // REFGC_OBJECT_GRAPH_H_
