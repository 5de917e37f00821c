// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A cycle is made, and found. Text comes from the library by value: compilers must agree on how.

#include <refgc/refgc.h>

#include <cstdio>
#include <string>

struct Person {
  refgc::ref<Person> friend_of;
};

int main() {
  auto a = refgc::make<Person>();
  auto b = refgc::make<Person>();
  a->friend_of = b;
  b->friend_of = a;
  a.reset();
  b.reset();
  const auto text = refgc::make_str(std::string(100, 'x'));
  const bool is_text = text->size() == 100 && text.use_count() == 1;
  const size_t found = refgc::collect();
  std::printf("found %zu\n", found);
  return found == 2 && is_text ? 0 : 1;
}
