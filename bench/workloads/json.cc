// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// JSON documents: parses a generated document into a tree of strings, vectors and maps, changes
// it, prints it, and destroys it, as a web service does for each request. A few documents stay
// alive as a cache. One thread. Prints a checksum of the printed documents.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bench/random.h"

namespace {

constexpr int kRequests = 900;
constexpr size_t kCachedDocuments = 50;

struct Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, std::unique_ptr<Value>>;
struct Value {
  std::variant<double, std::string, Array, Object> content;
};

// Parses the subset that Generate writes: no escapes, no literals but numbers.
class Parser {
 public:
  explicit Parser(std::string_view text) : at_(text.data()) {}

  Value Parse() {
    switch (*at_) {
      case '{':
        return Value{ParseObject()};
      case '[':
        return Value{ParseArray()};
      case '"':
        return Value{ParseString()};
      default:
        return Value{ParseNumber()};
    }
  }

 private:
  double ParseNumber() {
    char* end;
    const double number = strtod(at_, &end);
    if (end == at_) abort();
    at_ = end;
    return number;
  }

  std::string ParseString() {
    std::string text;
    for (++at_; *at_ != '"'; ++at_) text.push_back(*at_);
    ++at_;
    return text;
  }

  Array ParseArray() {
    Array array;
    for (++at_; *at_ != ']';) {
      array.push_back(Parse());
      if (*at_ == ',') ++at_;
    }
    ++at_;
    return array;
  }

  Object ParseObject() {
    Object object;
    for (++at_; *at_ != '}';) {
      std::string key = ParseString();
      ++at_;  // The colon.
      object.emplace(std::move(key), std::make_unique<Value>(Parse()));
      if (*at_ == ',') ++at_;
    }
    ++at_;
    return object;
  }

  const char* at_;
};

std::string Print(const Value& value) {
  if (const auto* number = std::get_if<double>(&value.content)) {
    char text[32];
    snprintf(text, sizeof text, "%.10g", *number);
    return text;
  }
  if (const auto* string = std::get_if<std::string>(&value.content)) {
    return '"' + *string + '"';
  }
  std::string text;
  if (const auto* array = std::get_if<Array>(&value.content)) {
    for (const Value& element : *array) text += (text.empty() ? "" : ",") + Print(element);
    return '[' + text + ']';
  }
  for (const auto& [key, member] : std::get<Object>(value.content)) {
    text += (text.empty() ? "\"" : ",\"") + key + "\":" + Print(*member);
  }
  return '{' + text + '}';
}

std::string RandomWord(bench::Random& random) {
  std::string word(random.Skewed(3, 80), ' ');
  for (char& letter : word) letter = static_cast<char>('a' + random.Below(26));
  return word;
}

Value Generate(bench::Random& random, int depth) {
  const size_t kind = depth == 0 ? random.Below(2) : random.Between(1, 3);
  if (kind == 0) return Value{static_cast<double>(random.Below(1000000)) / 8};
  if (kind == 1) return Value{RandomWord(random)};
  const size_t length = random.Between(3, 9);
  if (kind == 2) {
    Array array;
    for (size_t i = 0; i < length; ++i) array.push_back(Generate(random, depth - 1));
    return Value{std::move(array)};
  }
  Object object;
  for (size_t i = 0; i < length; ++i) {
    object[RandomWord(random)] = std::make_unique<Value>(Generate(random, depth - 1));
  }
  return Value{std::move(object)};
}

uint64_t HashOf(std::string_view text) {
  uint64_t hash = 14695981039346656037U;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211;
  return hash;
}

}  // namespace

int main() {
  bench::Random random(5);
  std::vector<std::string> requests;
  for (int i = 0; i < 16; ++i) {
    Array records;
    for (int j = 0; j < 12; ++j) records.push_back(Generate(random, 4));
    requests.push_back(Print(Value{std::move(records)}));
  }
  uint64_t sum = 0;
  std::deque<Value> cache;
  for (int i = 0; i < kRequests; ++i) {
    Value document = Parser(requests[i % requests.size()]).Parse();
    std::get<Array>(document.content).push_back(Value{static_cast<double>(i)});
    sum = sum * 31 + HashOf(Print(document));
    cache.push_back(std::move(document));
    if (cache.size() > kCachedDocuments) cache.pop_front();
  }
  printf("json %016llx\n", static_cast<unsigned long long>(sum));
}
