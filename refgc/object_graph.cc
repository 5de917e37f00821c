// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "refgc/object_graph.h"

#include <algorithm>

#include "refgc/untraced.h"

namespace refgc::detail {

namespace {

// Where the name that ends before `end` begins: one word, or something in parentheses or braces as
// compilers write anonymous namespaces.
size_t start_of_scope(const std::string& text, size_t end) {
  size_t start = end;
  if (start != 0 && (text[start - 1] == ')' || text[start - 1] == '}')) {
    const char open = text[start - 1] == ')' ? '(' : '{';
    const size_t at = text.rfind(open, start - 1);
    return at == std::string::npos ? end : at;
  }
  int depth = 0;
  while (start != 0) {
    const char c = text[start - 1];
    depth += c == '>' ? 1 : c == '<' ? -1 : 0;
    const bool is_word = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    if (depth < 0 || (depth == 0 && !is_word && c != '<')) {
      break;
    }
    --start;
  }
  return start;
}

}  // namespace

// One pass over the heap's objects, in the order of node numbers.
class graph_builder final : public visitor {
 public:
  graph_builder(object_graph* graph, own_references own)
      : graph_(*graph), own_(own), is_member_(own.count, false) {}

  void trace(uint32_t node) {
    from_ = node;
    trace_object(graph_.nodes_[node], *this);
  }
  void on_edge(const char* name, void*& slot, bool is_part) override {
    void* object = target_of(slot, is_part);
    const auto at = static_cast<size_t>(&slot - own_.first);
    if (at < own_.count) {
      is_member_[at] = true;
    }
    graph_.edges_.push_back({from_, node_of(object), name, false});
  }
  const std::vector<bool>& is_member() const { return is_member_; }

 private:
  uint32_t node_of(void* object) {
    const uint32_t node = graph_.find(object);
    if (node != object_graph::kNone) {
      return node;
    }
    const uint32_t fresh = graph_.size();
    graph_.nodes_.push_back(header_of(object));
    graph_.foreign_.emplace(object, fresh);
    return fresh;
  }

  object_graph& graph_;
  own_references own_;
  std::vector<bool> is_member_;
  uint32_t from_ = 0;
};

object_graph::object_graph(const heap_impl& heap, own_references own) {
  for (int kind = 0; kind < 2; ++kind) {
    for_each_living(heap, kind, [&](object_header* header) { nodes_.push_back(header); });
  }
  std::sort(nodes_.begin(), nodes_.end());
  foreign_begin_ = size();
  graph_builder builder(this, own);
  for (uint32_t node = 0; node < foreign_begin_; ++node) {
    builder.trace(node);
  }
  external_.resize(nodes_.size());
  for (uint32_t node = 0; node < foreign_begin_; ++node) {
    external_[node] = is_immortal(node) ? 0 : nodes_[node]->count;
  }
  for (const graph_edge& edge : edges_) {
    external_[edge.to] -= external_[edge.to] == 0 ? 0 : 1;
  }
  subtract_own(own, builder.is_member());
  untraced_.resize(nodes_.size());
  index();
}

// A caller's reference that is itself a member of some object was an edge already.
void object_graph::subtract_own(own_references own, const std::vector<bool>& is_member) {
  for (size_t i = 0; i < own.count; ++i) {
    const uint32_t node = is_member[i] || own.first[i] == nullptr ? kNone : find(own.first[i]);
    if (node != kNone && external_[node] != 0) {
      --external_[node];
    }
  }
}

uint32_t object_graph::find(const void* object) const {
  const object_header* header = header_of(object);
  const auto end = nodes_.begin() + foreign_begin_;
  const auto at = std::lower_bound(nodes_.begin(), end, header);
  if (at != end && *at == header) {
    return static_cast<uint32_t>(at - nodes_.begin());
  }
  const auto foreign = foreign_.find(object);
  return foreign == foreign_.end() ? kNone : foreign->second;
}

uint32_t object_graph::find_around(const void* address) const {
  const auto end = nodes_.begin() + foreign_begin_;
  auto at = std::upper_bound(nodes_.begin(), end, static_cast<const object_header*>(address));
  if (at == nodes_.begin()) {
    return kNone;
  }
  const auto node = static_cast<uint32_t>(--at - nodes_.begin());
  const auto offset =
      reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(nodes_[node]);
  return offset < bytes(node) ? node : kNone;
}

void object_graph::index() {
  std::stable_sort(edges_.begin(), edges_.end(),
                   [](const graph_edge& a, const graph_edge& b) { return a.from < b.from; });
  out_first_.assign(nodes_.size() + 1, 0);
  in_first_.assign(nodes_.size() + 1, 0);
  for (const graph_edge& edge : edges_) {
    ++out_first_[edge.from + 1];
    ++in_first_[edge.to + 1];
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    out_first_[i + 1] += out_first_[i];
    in_first_[i + 1] += in_first_[i];
  }
  in_edges_.resize(edges_.size());
  std::vector<uint32_t> next(in_first_.begin(), in_first_.end() - 1);
  for (uint32_t i = 0; i < edges_.size(); ++i) {
    in_edges_[next[edges_[i].to]++] = i;
  }
}

void object_graph::add_untraced() {
  for (const untraced_word& word : find_untraced(*this, kBlocksBehindMax)) {
    edges_.push_back({word.from, word.to, describe_place(word), true});
    ++untraced_[word.to];
  }
  index();
}

std::vector<bool> object_graph::find_living() const {
  std::vector<bool> is_living(nodes_.size(), false);
  std::vector<uint32_t> waiting;
  const auto reach = [&](uint32_t node) {
    if (!is_living[node]) {
      is_living[node] = true;
      waiting.push_back(node);
    }
  };
  for (uint32_t node = 0; node < size(); ++node) {
    if (external_[node] != 0 || is_immortal(node) || node >= foreign_begin_ ||
        (nodes_[node]->flags & kFrozen) != 0) {
      reach(node);
    }
  }
  while (!waiting.empty()) {
    const uint32_t node = waiting.back();
    waiting.pop_back();
    for_each_out(node, [&](const graph_edge& edge) { reach(edge.to); });
  }
  return is_living;
}

std::string describe_holder(const std::string& type, const std::string& member, bool is_traced) {
  const bool is_offset = member.compare(0, 7, "offset ") == 0;
  return type +
         (member.empty() ? ""
          : is_offset    ? " at "
                         : ".") +
         member + (is_traced ? "" : " (not traced)");
}

std::string without_namespaces(const std::string& type_name) {
  std::string result;
  for (size_t i = 0; i < type_name.size(); ++i) {
    if (type_name.compare(i, 2, "::") == 0) {
      result.resize(start_of_scope(result, result.size()));
      ++i;
    } else {
      result += type_name[i];
    }
  }
  return result;
}

}  // namespace refgc::detail
