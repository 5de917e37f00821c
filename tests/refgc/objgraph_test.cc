// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// objgraph: numbers by type, chains, and the text of pictures. And gc's referrers and referents.

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/refgc/objects.h"

namespace refgc_test {

namespace graph = refgc::objgraph;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

struct GraphLeaf {
  int value = 0;
};
struct GraphNode {
  ref<GraphNode> next;
  std::vector<ref<GraphNode>> children;
  ref<GraphLeaf> leaf;
  REFGC_TRACE(next, children, leaf)
};
template <class T>
struct GraphBox {
  ref<T> held;
  REFGC_TRACE(held)
};
struct GraphHidden {
  std::vector<std::function<void()>> callbacks;
  std::shared_ptr<ref<GraphNode>> shared;
  REFGC_TRACE(callbacks, shared)
};

struct GraphAsker {
  ref<GraphAsker> other;
  size_t* objects;
  ~GraphAsker() {
    other.reset();  // waits until this destructor has returned
    *objects = gc::get_objects().size() + gc::get_referrers(nullptr).size();
    *objects += graph::most_common_types().size();
  }
  REFGC_TRACE(other)
};

namespace {

class RefgcObjgraph : public QuietHeap {};

TEST_F(RefgcObjgraph, G7_ReferentsAreAMultiset) {
  auto a = make<GraphNode>();
  auto b = make<GraphNode>();
  auto leaf = make<GraphLeaf>();
  a->next = b;
  a->children = {b, a};
  b->leaf = leaf;
  const ref<void> va = a;
  const ref<void> vb = b;
  const ref<void> vl = leaf;
  EXPECT_THAT(gc::get_referents({va, vb}), UnorderedElementsAre(vb, vb, va, vl));
  EXPECT_THAT(gc::get_referents({vl, nullptr}), testing::IsEmpty());
  EXPECT_THAT(gc::get_referrers(b), UnorderedElementsAre(va));
  EXPECT_THAT(gc::get_referrers(a), UnorderedElementsAre(va));
  EXPECT_THAT(gc::get_referrers(nullptr), testing::IsEmpty());
  a->children.clear();
}

TEST_F(RefgcObjgraph, AskedByADestructor) {
  const size_t before = gc::get_objects().size() + graph::most_common_types().size();
  size_t objects = 1000;
  auto a = make<GraphAsker>(nullptr, &objects);
  a->other = make<GraphAsker>(nullptr, &objects);
  a.reset();
  EXPECT_EQ(objects, before) << "the dying are not there";
}

TEST_F(RefgcObjgraph, CountsByType) {
  std::vector<ref<GraphNode>> nodes;
  for (int i = 0; i < 5; ++i) {
    nodes.push_back(make<GraphNode>());
  }
  auto box = make<GraphBox<GraphNode>>(nodes[0]);
  EXPECT_EQ(graph::count<GraphNode>(), 5u);
  EXPECT_EQ(graph::count("refgc_test::GraphNode"), 5u);
  EXPECT_EQ(graph::count("GraphNode"), 5u);
  EXPECT_EQ(graph::count("GraphBox<GraphNode>"), 1u);
  EXPECT_EQ(graph::count("other::GraphNode"), 0u);
  EXPECT_EQ(graph::by_type<GraphNode>().size(), 5u);
  EXPECT_EQ(graph::by_type("GraphBox<GraphNode>").size(), 1u);
  const auto common = graph::most_common_types(1);
  ASSERT_EQ(common.size(), 1u);
  EXPECT_EQ(common[0].type, "refgc_test::GraphNode");
  EXPECT_EQ(common[0].count, 5u);
  EXPECT_EQ(common[0].bytes, 5 * (8 + sizeof(GraphNode)));
  std::ostringstream text;
  graph::show_most_common_types(text, 1);
  EXPECT_EQ(text.str(), "refgc_test::GraphNode          5\n");
}

TEST_F(RefgcObjgraph, GrowthIsAbovePeaks) {
  graph::growth();
  auto a = make<GraphLeaf>();
  auto b = make<GraphLeaf>();
  auto grown = graph::growth();
  ASSERT_EQ(grown.size(), 1u);
  EXPECT_EQ(grown[0].type, "refgc_test::GraphLeaf");
  EXPECT_GT(grown[0].growth, 0);
  EXPECT_TRUE(graph::growth().empty());
  a.reset();
  EXPECT_TRUE(graph::growth().empty());
  a = make<GraphLeaf>();
  auto c = make<GraphLeaf>();
  std::ostringstream text;
  graph::show_growth(text);
  EXPECT_EQ(text.str(), "refgc_test::GraphLeaf          3         +1\n");
}

TEST_F(RefgcObjgraph, BackrefChainEndsAtWhoIsHeldExternally) {
  auto root = make<GraphNode>();
  root->children.push_back(make<GraphNode>());
  root->children[0]->next = make<GraphNode>();
  ref<GraphNode> target = root->children[0]->next;
  EXPECT_EQ(graph::find_backref_chain(target, nullptr, 1).size(), 1u) << "too deep";
  auto chain = graph::find_backref_chain(target);  // from here on it holds them all
  ASSERT_EQ(chain.size(), 3u);
  EXPECT_EQ(chain[0].object, root);
  EXPECT_EQ(chain[2].object, target);
  EXPECT_EQ(graph::describe(chain), "GraphNode.children -> GraphNode.next -> GraphNode");
  EXPECT_EQ(graph::find_backref_chain(root).size(), 1u);
  EXPECT_TRUE(graph::find_backref_chain(ref<GraphNode>()).empty());
  chain = graph::find_ref_chain(root, [&](const ref<void>& r) { return r == target; });
  EXPECT_EQ(graph::describe(chain), "GraphNode.children -> GraphNode.next -> GraphNode");
}

TEST_F(RefgcObjgraph, PicturesNameMembersAndHolders) {
  auto root = make<GraphNode>();
  auto kept = make<GraphNode>();
  root->next = kept;
  root->leaf = make<GraphLeaf>();
  for (int i = 0; i < 14; ++i) {
    root->children.push_back(make<GraphNode>());
  }
  const std::string text = graph::show_refs(root);
  EXPECT_THAT(text, HasSubstr("[label=\" leaf \"]"));
  EXPECT_THAT(text, HasSubstr("[label=\" next \"]"));
  EXPECT_THAT(text, HasSubstr("GraphNode\\nheld externally: 1\""));
  EXPECT_THAT(text, HasSubstr("\"... and 6 more\""));
  const auto only_root = [&](const ref<void>& r) { return r == root; };
  EXPECT_THAT(graph::show_refs(root, {3, 10, true, only_root}), Not(HasSubstr("->")));
  const std::string back = graph::show_backrefs(root->leaf);
  EXPECT_THAT(back, HasSubstr("label=\"GraphLeaf\"")) << "its one holder is a member";
  EXPECT_THAT(back, HasSubstr("label=\" leaf \""));
  EXPECT_THAT(graph::show_refs(root, {0, 10, true, nullptr}), HasSubstr("16 further"));
}

TEST_F(RefgcObjgraph, PicturesShowWhatTraceDoesNotSee) {
  auto hidden = make<GraphHidden>();
  auto node = make<GraphNode>();
  auto other = make<GraphNode>();
  hidden->callbacks.emplace_back([node] {});
  hidden->shared = std::make_shared<ref<GraphNode>>(other);
  EXPECT_THAT(graph::show_backrefs(node), HasSubstr(" callbacks \\n not traced "));
  EXPECT_THAT(graph::show_backrefs(other), HasSubstr(" shared \\n not traced "));
  EXPECT_THAT(graph::show_backrefs(other, {3, 10, false, nullptr}), Not(HasSubstr("traced")));
}

TEST_F(RefgcObjgraph, SaveWritesFilesAndExplainsFailures) {
  const std::string base = testing::TempDir() + "objgraph_test_" + std::to_string(getpid());
  auto node = make<GraphNode>();
  node->next = node;
  const std::string text = graph::show_refs(node);
  graph::save(text, base + ".gv");
  std::ifstream file(base + ".gv");
  std::stringstream read;
  read << file.rdbuf();
  EXPECT_EQ(read.str(), text);
  EXPECT_THROW(graph::save(text, base + ".jpeg"), std::runtime_error);
  EXPECT_THROW(graph::save(text, "/nowhere/at/all.dot"), std::runtime_error);
  if (std::system("dot -V >/dev/null 2>&1") == 0) {
    graph::save(text, base + ".svg");
    EXPECT_TRUE(std::ifstream(base + ".svg").good());
  }
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  try {
    graph::save(text, base + ".png");
    ADD_FAILURE() << "no dot there";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("install Graphviz"));
  }
  setenv("PATH", path.c_str(), 1);
  for (const char* ending : {".gv", ".dot", ".svg"}) {
    unlink((base + ending).c_str());
  }
  node->next.reset();
}

}  // namespace
}  // namespace refgc_test
