// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Who is alive, and who keeps whom: Marius Gedminas' objgraph for refgc. Numbers by type, chains of
// references, and pictures of them for Graphviz.
//
//   refgc::objgraph::show_growth();                    // what there is more of than last time
//   auto chain = refgc::objgraph::find_backref_chain(leaked);
//   refgc::objgraph::save(refgc::objgraph::show_backrefs(leaked), "leaked.svg");
//
// "Held externally: n" counts references to an object that no traced member of this heap explains:
// local and global variables, other heaps, and members that trace does not see. The ref that a
// function here is called with does not count. Edges that are marked "not traced" are a guess from
// memory: a word there has the object's address, and the object has a count that nothing explains.
//
// Types are named as the compiler writes them; where a name is taken, "Node" finds app::Node too.
//
// Threads: the current heap's. Each call is O(heap) in time and memory.

#ifndef REFGC_OBJGRAPH_H_
#define REFGC_OBJGRAPH_H_

#include <cstdint>
#include <cstdio>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "refgc/make.h"

namespace refgc::objgraph {

// --- Numbers -------------------------------------------------------------------------------------

struct type_count {
  std::string type;
  uint64_t count;
  uint64_t bytes;  // of the objects themselves, headers included
};
struct type_growth {
  std::string type;
  uint64_t count;
  int64_t growth;
};

// Objects of a type.
REFGC_EXPORT size_t count(std::string_view type_name);
// The types with most objects, the most first.
REFGC_EXPORT std::vector<type_count> most_common_types(size_t limit = 10);
REFGC_EXPORT void show_most_common_types(size_t limit = 10, std::FILE* to = stdout);
REFGC_EXPORT void show_most_common_types(std::ostream& to, size_t limit = 10);
// The types of which there are more than ever at an earlier call, the largest growth first.
REFGC_EXPORT std::vector<type_growth> growth(size_t limit = 10);
REFGC_EXPORT void show_growth(size_t limit = 10, std::FILE* to = stdout);
REFGC_EXPORT void show_growth(std::ostream& to, size_t limit = 10);
// The objects of a type.
REFGC_EXPORT std::vector<ref<void>> by_type(std::string_view type_name);

// --- Chains --------------------------------------------------------------------------------------

// Objects, and the member of each that refers to the next; the last one's is empty.
struct chain_link {
  ref<void> object;
  std::string member;
  bool is_traced = true;
};
using chain = std::vector<chain_link>;
using predicate = std::function<bool(const ref<void>&)>;

// "List.head -> Node.next -> Node".
REFGC_EXPORT std::string describe(const chain& links);

// --- Pictures ------------------------------------------------------------------------------------

struct picture_options {
  int max_depth = 3;
  size_t too_many = 10;        // neighbours of one object; "... and N more" for the rest
  bool finds_untraced = true;  // edges that trace does not see, guessed from memory
  predicate filter;            // objects that are shown; all without it
};

// Writes a picture: Graphviz' text to a file whose name ends in .dot or .gv; for .svg, .png and
// .pdf it runs `dot`. Throws std::runtime_error, which says what is missing.
REFGC_EXPORT void save(const std::string& dot_text, const std::string& path);

namespace detail {

using slots = std::pair<void* const*, size_t>;
REFGC_EXPORT size_t count_type(uint16_t type);
REFGC_EXPORT std::vector<void*> objects_of_type(uint16_t type);  // one count each
REFGC_EXPORT chain find_chain(slots own, bool is_backward, const predicate& is_end, int max_depth);
REFGC_EXPORT std::string picture(slots own, bool is_backward, const picture_options& options);
REFGC_EXPORT std::string chain_picture(const chain& links);

// The references that a caller passes, as the library sees them: one pointer each.
template <class T>
slots slots_of(const ref<T>& r) {
  return {&refgc::detail::slot_access::of(const_cast<ref<T>&>(r)), 1};
}
template <class T>
slots slots_of(const std::vector<ref<T>>& refs) {
  return {reinterpret_cast<void* const*>(refs.data()), refs.size()};
}

}  // namespace detail

template <class T>
size_t count() {
  return detail::count_type(refgc::detail::type_id_of<T>());
}
template <class T>
std::vector<ref<T>> by_type() {
  std::vector<ref<T>> result;
  for (void* object : detail::objects_of_type(refgc::detail::type_id_of<T>())) {
    result.push_back(ref<T>::adopt(static_cast<T*>(object)));
  }
  return result;
}

// The shortest chain that ends at the target and begins at an object for which `is_root` holds, by
// default one that is held externally. Only the target when there is none.
template <class T>
chain find_backref_chain(const ref<T>& target, const predicate& is_root = nullptr,
                         int max_depth = 20) {
  return detail::find_chain(detail::slots_of(target), true, is_root, max_depth);
}
// The shortest chain from the source to an object for which `is_wanted` holds.
template <class T>
chain find_ref_chain(const ref<T>& source, const predicate& is_wanted, int max_depth = 20) {
  return detail::find_chain(detail::slots_of(source), false, is_wanted, max_depth);
}

// What a ref, or a vector of refs, leads to; and what leads to it. Graphviz' text.
template <class Refs>
std::string show_refs(const Refs& from, const picture_options& options = {}) {
  return detail::picture(detail::slots_of(from), false, options);
}
template <class Refs>
std::string show_backrefs(const Refs& to, const picture_options& options = {}) {
  return detail::picture(detail::slots_of(to), true, options);
}
inline std::string show_chain(const chain& links) { return detail::chain_picture(links); }

}  // namespace refgc::objgraph

#endif  // REFGC_OBJGRAPH_H_
