// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Pictures as Graphviz reads them. An object is a box, the paler the further away; the one asked
// for is orange. A thick green frame marks what is held externally, a red dashed edge what trace
// does not see.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <tuple>

#include "refgc/object_graph.h"
#include "refgc/objgraph.h"

extern char** environ;

namespace refgc::objgraph {

using refgc::detail::graph_edge;
using refgc::detail::object_graph;

namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
      continue;
    }
    result += c == '"' || c == '\\' ? "\\" : "";
    result += c;
  }
  return result + '"';
}

constexpr const char* kOpening =
    "digraph objects {\n"
    "  graph [fontname=\"Helvetica\", nodesep=0.35, ranksep=0.55];\n"
    "  node [shape=box, style=filled, fontname=\"Helvetica\", fontsize=12, color=\"#7a8794\"];\n"
    "  edge [fontname=\"Helvetica\", fontsize=11, color=\"#55606b\", fontcolor=\"#26313b\"];\n";

struct look {
  std::string label;
  int depth = 0;
  int depth_max = 1;
  bool is_held = false;
};

std::string node_text(const std::string& id, const look& n) {
  char color[32];
  const double far = n.depth_max == 0 ? 0 : static_cast<double>(n.depth) / n.depth_max;
  std::snprintf(color, sizeof(color), "0.58 %.2f 1.0", 0.38 - 0.32 * far);
  std::string text = "  " + id + " [label=" + quoted(n.label) + ", fillcolor=\"" +
                     (n.depth == 0 ? "#ffcc80" : color) + '"';
  if (n.is_held) {
    text += ", color=\"#1b7f3b\", penwidth=2.5";
  }
  return text + "];\n";
}

std::string edge_text(const std::string& from, const std::string& to, std::string label,
                      size_t times, bool is_traced) {
  label += times > 1 ? " (" + std::to_string(times) + " times)" : "";
  std::string text = "  " + from + " -> " + to;
  if (!is_traced) {
    return text + " [label=" + quoted(" " + label + " \n not traced ") +
           ", color=\"#c62828\", fontcolor=\"#c62828\", style=dashed, penwidth=2];\n";
  }
  return text + " [label=" + quoted(" " + label + " ") + "];\n";
}

std::string id_of(uint32_t node) { return "n" + std::to_string(node); }

class painter {
 public:
  painter(const object_graph& graph, bool is_backward, const picture_options& options)
      : graph_(graph), is_backward_(is_backward), options_(options) {}

  void add_root(uint32_t node) {
    if (depth_.emplace(node, 0).second) {
      shown_.push_back(node);
    }
  }

  std::string paint() {
    for (size_t i = 0; i < shown_.size(); ++i) {
      look_around(shown_[i]);
    }
    std::string text = kOpening;
    for (const uint32_t node : shown_) {
      text += paint_node(node);
    }
    return text + cut_offs_ + paint_edges() + "}\n";
  }

 private:
  // One by each member first, so that a long list does not hide the others.
  std::vector<uint32_t> neighbours_of(uint32_t node) const {
    std::vector<uint32_t> found;
    std::vector<uint32_t> others;
    std::set<uint32_t> seen;
    std::set<std::string> names;
    graph_.for_each_neighbour(node, is_backward_, [&](const graph_edge& edge, uint32_t next) {
      if (depth_.count(next) == 0 && seen.insert(next).second &&
          (options_.filter == nullptr ||
           options_.filter(ref_from_this(object_of(graph_.header(next)))))) {
        (names.insert(edge.name).second ? found : others).push_back(next);
      }
    });
    found.insert(found.end(), others.begin(), others.end());
    return found;
  }

  void look_around(uint32_t node) {
    const int depth = depth_[node];
    const std::vector<uint32_t> neighbours = neighbours_of(node);
    const bool is_last = depth == options_.max_depth;
    const size_t taken = is_last ? 0 : std::min(neighbours.size(), options_.too_many);
    for (size_t i = 0; i < taken; ++i) {
      depth_.emplace(neighbours[i], depth + 1);
      shown_.push_back(neighbours[i]);
    }
    if (taken != neighbours.size()) {
      const std::string id = "more" + std::to_string(node);
      const std::string label = (is_last ? "" : "... and ") +
                                std::to_string(neighbours.size() - taken) +
                                (is_last ? " further" : " more");
      cut_offs_ += "  " + id + " [label=" + quoted(label) +
                   ", shape=plaintext, style=\"\", fontcolor=\"#55606b\"];\n  " +
                   (is_backward_ ? id + " -> " + id_of(node) : id_of(node) + " -> " + id) +
                   " [style=dotted];\n";
    }
  }

  std::string paint_node(uint32_t node) const {
    look n;
    n.label = refgc::detail::short_name_of(graph_.header(node));
    n.depth = depth_.at(node);
    n.depth_max = options_.max_depth;
    const uint32_t held = graph_.held_externally(node);
    const uint32_t found = std::min(graph_.found_untraced(node), held);
    n.is_held = held != found;
    if (graph_.is_immortal(node)) {
      n.label += "\nimmortal";
    } else if (held != 0) {
      n.label += "\nheld externally: " + std::to_string(held);
      n.label += found == 0 ? "" : "\n(" + std::to_string(found) + " by a dashed edge)";
    }
    return node_text(id_of(node), n);
  }

  // All between what is shown, each kind once.
  std::string paint_edges() const {
    std::map<std::tuple<uint32_t, uint32_t, std::string, bool>, size_t> times;
    for (const uint32_t node : shown_) {
      graph_.for_each_out(node, [&](const graph_edge& edge) {
        if (depth_.count(edge.to) != 0) {
          ++times[{edge.from, edge.to, edge.name, !edge.is_untraced}];
        }
      });
    }
    std::string text;
    for (const auto& [edge, n] : times) {
      const auto& [from, to, name, is_traced] = edge;
      text += edge_text(id_of(from), id_of(to), name, n, is_traced);
    }
    return text;
  }

  const object_graph& graph_;
  const bool is_backward_;
  const picture_options& options_;
  std::map<uint32_t, int> depth_;
  std::vector<uint32_t> shown_;
  std::string cut_offs_;
};

void write_file(const std::string& text, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"),
                                                             &std::fclose);
  if (file == nullptr || std::fputs(text.c_str(), file.get()) < 0 || std::fflush(file.get()) != 0) {
    throw std::runtime_error("refgc::objgraph::save: cannot write " + path + ": " +
                             std::strerror(errno));
  }
}

void run_dot(const std::string& format, const std::string& from, const std::string& to) {
  std::string words[] = {"dot", "-T" + format, "-o", to, from};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                       words[3].data(), words[4].data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawnp(&child, "dot", nullptr, nullptr, arguments, environ);
  if (error != 0) {
    throw std::runtime_error(
        "refgc::objgraph::save: cannot run `dot`: " + std::string(std::strerror(error)) +
        "; install Graphviz, or look at " + from + " with another viewer");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error("refgc::objgraph::save: `dot` failed on " + from);
  }
}

}  // namespace

namespace detail {

std::string picture(slots own, bool is_backward, const picture_options& options) {
  object_graph graph(*refgc::detail::this_heap_impl(), {own.first, own.second});
  if (options.finds_untraced) {
    graph.add_untraced();
  }
  painter p(graph, is_backward, options);
  for (size_t i = 0; i < own.second; ++i) {
    const uint32_t node = own.first[i] == nullptr ? object_graph::kNone : graph.find(own.first[i]);
    if (node != object_graph::kNone) {
      p.add_root(node);
    }
  }
  return p.paint();
}

std::string chain_picture(const chain& links) {
  std::string text = kOpening;
  const int depth_max = static_cast<int>(links.size());
  for (size_t i = 0; i < links.size(); ++i) {
    const std::string id = "n" + std::to_string(i);
    const std::string name = refgc::detail::without_namespaces(type_name(links[i].object));
    text += node_text(id, {name, static_cast<int>(i), depth_max, false});
    if (i + 1 < links.size()) {
      text += edge_text(id, "n" + std::to_string(i + 1), links[i].member, 1, links[i].is_traced);
    }
  }
  return text + "}\n";
}

}  // namespace detail

void save(const std::string& dot_text, const std::string& path) {
  const size_t dot = path.rfind('.');
  const std::string format = dot == std::string::npos ? "" : path.substr(dot + 1);
  if (format == "dot" || format == "gv") {
    return write_file(dot_text, path);
  }
  if (format != "svg" && format != "png" && format != "pdf") {
    throw std::runtime_error("refgc::objgraph::save: " + path +
                             ": the name must end in .dot, .gv, .svg, .png or .pdf");
  }
  const std::string text_path = path.substr(0, dot) + ".dot";
  write_file(dot_text, text_path);
  run_dot(format, text_path, path);
}

}  // namespace refgc::objgraph
