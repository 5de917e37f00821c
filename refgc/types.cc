// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The table of types.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "refgc/state.h"

namespace refgc::detail {

type_info type_table[kTypesMax];

namespace {

std::mutex types_mutex;
uint16_t types_end = kFirstType;

bool is_same_type(const type_info& a, const type_info& b) {
  return a.destroy == b.destroy && a.trace == b.trace && a.object_bytes == b.object_bytes &&
         std::strcmp(a.name, b.name) == 0;
}

}  // namespace

uint16_t register_type(const type_info& info) {
  if (info.bytes != sizeof(type_info)) {
    std::fprintf(stderr,
                 "refgc: the program was built with headers of another version than the "
                 "library's; build it anew\n");
    std::abort();
  }
  const std::lock_guard lock(types_mutex);
  for (uint16_t id = kFirstType; id < types_end; ++id) {
    if (is_same_type(type_table[id], info)) {
      return id;
    }
  }
  if (types_end == kTypesMax) {
    std::fprintf(stderr, "refgc: more than %u types; the last is %s\n", kTypesMax, info.name);
    std::abort();
  }
  type_table[types_end] = info;
  // The name may lie in a shared library that will be gone. Kept for good, like the entry.
  type_table[types_end].name = strdup(info.name);
  return types_end++;
}

std::string readable_name(const char* pretty) {
  if (pretty == nullptr) {
    return "?";
  }
  std::string text = pretty;
  size_t at = text.find("T = ");
  if (at == std::string::npos) {
    return text;
  }
  at += 4;
  const size_t end = text.find_last_of(']');
  return text.substr(at, end - at);
}

void fatal(const char* what, const object_header* header, const char* advice) {
  std::fprintf(stderr, "refgc: %s: object %p of type %s, count %u; %s\n", what,
               static_cast<const void*>(header + 1), name_of(header).c_str(), header->count,
               advice);
  std::abort();
}

void fatal_upcast(const char* to) {
  std::fprintf(stderr,
               "refgc: %s: the base is not the first of its class, so a ref cannot point at it; "
               "use alias_ref\n",
               to);
  std::abort();
}

void visitor::on_weak(const char* /*name*/, weak_box* /*box*/) {}
void visitor::on_member(const char* /*name*/, const void* /*place*/, size_t /*bytes*/) {}

}  // namespace refgc::detail

namespace refgc {

std::string type_name(const ref<void>& r) {
  return r ? detail::name_of(detail::header_of(r.get())) : "null";
}

}  // namespace refgc
