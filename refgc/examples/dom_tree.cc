// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A document: elements hold their children, and children hold their parent. Whoever has any part of
// a tree can walk all of it, in any order of letting go; nobody decides which link is the weak one.
//
// The index by id is weak: it finds elements, and keeps none.

#include <refgc/refgc.h>

#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

int parts_alive = 0;

struct Element;

// The first base of its classes, so that a ref<Part> can point at each of them.
struct Part {
  Part() { ++parts_alive; }
  virtual ~Part() { --parts_alive; }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual std::string text() const = 0;

  refgc::ref<Element> parent;
  REFGC_TRACE(parent)
};

struct Element final : Part {
  explicit Element(std::string t) : tag(std::move(t)) {}
  std::string text() const override {
    std::string inside;
    for (const refgc::ref<Part>& child : children) {
      inside += child->text();
    }
    return "<" + tag + ">" + inside + "</" + tag + ">";
  }
  // A function that takes Part& takes a ref as well. The list needs a count of its own.
  void append(Part& child) {
    child.parent = refgc::ref_from_this(this);
    children.push_back(refgc::ref_from_this(&child));
  }
  void remove(Part& child) {
    child.parent = nullptr;
    for (size_t i = 0; i < children.size(); ++i) {
      if (children[i].get() == &child) {
        children.erase(children.begin() + static_cast<ptrdiff_t>(i));
        return;
      }
    }
  }

  std::string tag;
  std::vector<refgc::ref<Part>> children;
  REFGC_TRACE_BASE(Part, children)
};

struct Text final : Part {
  explicit Text(std::string t) : content(std::move(t)) {}
  std::string text() const override { return content; }
  std::string content;
};

using Index = std::map<std::string, refgc::weak_ref<Element>>;

refgc::ref<Element> make_element(const char* tag, const char* content) {
  auto element = refgc::make<Element>(tag);
  element->append(*refgc::make<Text>(content));
  return element;
}

refgc::ref<Element> make_list(Index* index, int items) {
  auto list = refgc::make<Element>("ul");
  for (int i = 0; i < items; ++i) {
    const auto item = make_element("li", std::to_string(i).c_str());
    (*index)["item" + std::to_string(i)] = item;
    list->append(*item);
  }
  return list;
}

int found(const Index& index) {
  int count = 0;
  for (const auto& [id, element] : index) {
    count += element.expired() ? 0 : 1;
  }
  return count;
}

}  // namespace

int main() {
  refgc::gc::disable();
  Index index;
  auto body = refgc::make<Element>("body");
  body->append(*make_element("h1", "Shopping"));
  body->append(*make_list(&index, 3));
  std::printf("%s\n%d parts\n", body->text().c_str(), parts_alive);

  // A leaf keeps its document, by way of the parents.
  refgc::ref<Part> leaf = index["item1"].lock()->children[0];
  body.reset();
  refgc::collect();
  std::printf("held by a leaf alone: %d parts, the root is <%s>\n", parts_alive,
              leaf->parent->parent->parent->tag.c_str());
  if (const auto text = refgc::dynamic_ref_cast<Text>(leaf)) {
    std::printf("the leaf says %s; %u references to it\n", text->content.c_str(), text.use_count());
  }

  // The item leaves the document: the rest is garbage, cycles and all.
  const refgc::ref<Element> item = leaf->parent;
  refgc::on_destroy(item->parent, [] { std::printf("the list dies\n"); });
  item->parent->remove(*item);
  leaf.reset();
  std::printf("%d items in the index\n", found(index));
  std::printf("collect() finds %zu\n", refgc::collect());
  std::printf("%d parts, %d item in the index: %s\n", parts_alive, found(index),
              item->text().c_str());
  return parts_alive == 2 && found(index) == 1 ? 0 : 1;
}
