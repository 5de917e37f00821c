// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/options.h"

#include <string.h>
#include <unistd.h>

#include "allocator/text.h"

namespace tally {

constinit Options options;

namespace {

bool ParseValue(const char* text, uint64_t* value) {
  if (*text == '\0') {
    return false;
  }
  uint64_t result = 0;
  for (; *text != '\0'; ++text) {
    // 12 digits are more than any option needs and cannot overflow.
    if (*text < '0' || *text > '9' || result >= 100000000000) {
      return false;
    }
    result = result * 10 + static_cast<uint64_t>(*text - '0');
  }
  *value = result;
  return true;
}

bool ParseValue(const char* text, bool* value) {
  if ((*text != '0' && *text != '1') || text[1] != '\0') {
    return false;
  }
  *value = *text == '1';
  return true;
}

// Copies: programs that set their process title write over the environment.
constinit char string_store[4096];
constinit size_t string_store_used = 0;

bool ParseValue(const char* text, const char** value) {
  const size_t bytes = strlen(text) + 1;
  if (bytes > sizeof(string_store) - string_store_used) {
    return false;
  }
  char* copy = string_store + string_store_used;
  memcpy(copy, text, bytes);
  string_store_used += bytes;
  *value = copy;
  return true;
}

const char* Wanted(uint64_t /*type*/) { return "a whole number"; }
const char* Wanted(bool /*type*/) { return "0 or 1"; }
const char* Wanted(const char* /*type*/) { return "text of at most 4 KB"; }

void Append(Text& text, uint64_t value) { text << value; }
void Append(Text& text, bool value) { text << (value ? '1' : '0'); }
void Append(Text& text, const char* value) { text << (*value == '\0' ? "(none)" : value); }

// The value part of "NAME=value", or null when `entry` is another variable.
const char* ValueOf(const char* entry, const char* name) {
  const size_t length = strlen(name);
  return strncmp(entry, name, length) == 0 && entry[length] == '=' ? entry + length + 1 : nullptr;
}

template <typename T>
void ParseInto(const char* name, const char* value, T* option) {
  T parsed{};
  if (ParseValue(value, &parsed)) {
    *option = parsed;
    return;
  }
  Text line(STDERR_FILENO);
  line << "tally: warning: " << name << "=" << value << ": not " << Wanted(T{}) << "; using ";
  Append(line, *option);
  line << '\n';
  line.Flush();
}

}  // namespace

void Options::Parse(const char* const* environment) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    if (strncmp(*environment, "TALLY_", 6) != 0) {
      continue;
    }
#define TALLY_OPTION(type, name, variable, value, help)                      \
  if (const char* text = ValueOf(*environment, variable); text != nullptr) { \
    ParseInto(variable, text, &name);                                        \
  }
#include "allocator/options.def"
#undef TALLY_OPTION
  }
}

void Options::PrintHelp(int descriptor) const {
  Text text(descriptor);
  text << "tally: options, by environment variable (value in force):\n";
#define TALLY_OPTION(type, name, variable, value, help) \
  text << "  ";                                         \
  text.Column(variable, 22) << help << " (";            \
  Append(text, name);                                   \
  text << ")\n";
#include "allocator/options.def"
#undef TALLY_OPTION
  text.Flush();
}

bool Options::Describe(const char* wanted, char* buffer, uint64_t bytes) const {
  Text text;
  bool found = false;
#define TALLY_OPTION(type, name, variable, value, help) \
  if (strcmp(wanted, variable) == 0) {                  \
    Append(text, name);                                 \
    found = true;                                       \
  }
#include "allocator/options.def"
#undef TALLY_OPTION
  if (found && bytes > 0) {
    const size_t length = text.size() < bytes ? text.size() : bytes - 1;
    memcpy(buffer, text.c_str(), length);
    buffer[length] = '\0';
  }
  return found;
}

}  // namespace tally
