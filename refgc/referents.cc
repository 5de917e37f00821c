// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// gc::get_referrers and gc::get_referents.

#include "refgc/state.h"

namespace refgc::gc {

namespace {

class referents_visitor final : public detail::visitor {
 public:
  explicit referents_visitor(std::vector<ref<void>>* found) : found_(*found) {}
  void on_edge(const char* /*name*/, void*& slot, bool is_part) override {
    found_.push_back(ref_from_this(detail::target_of(slot, is_part)));
  }

 private:
  std::vector<ref<void>>& found_;
};

class search_visitor final : public detail::visitor {
 public:
  explicit search_visitor(const void* target) : target_(target) {}
  void on_edge(const char* /*name*/, void*& slot, bool is_part) override {
    is_found |= detail::target_of(slot, is_part) == target_;
  }
  bool is_found = false;

 private:
  const void* target_;
};

}  // namespace

std::vector<ref<void>> get_referrers(const ref<void>& target) {
  std::vector<ref<void>> found;
  if (!target) {
    return found;
  }
  detail::for_each_living(*detail::this_heap_impl(), 0, [&](detail::object_header* header) {
    search_visitor v(target.get());
    trace_object(header, v);
    if (v.is_found) {
      found.push_back(ref_from_this(detail::object_of(header)));
    }
  });
  return found;
}

std::vector<ref<void>> get_referents(const std::vector<ref<void>>& objects) {
  std::vector<ref<void>> found;
  referents_visitor v(&found);
  for (const ref<void>& object : objects) {
    if (object) {
      trace_object(detail::header_of(object.get()), v);
    }
  }
  return found;
}

}  // namespace refgc::gc
