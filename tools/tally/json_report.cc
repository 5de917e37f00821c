// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/json_report.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

using nlohmann::json;

constexpr uint64_t kSchema = 1;
constexpr size_t kReportBytesMax = size_t{256} << 20;
// A report is four levels deep and has 1,500 values or so. What has far more is none, and would
// only fill our memory.
constexpr int kDepthMax = 32;
constexpr size_t kValuesMax = 1'000'000;
constexpr size_t kTermsMax = 64;
constexpr size_t kTextMax = 64;

constexpr char kWriteAnew[] = "; write it anew with TALLY_STATS_FORMAT=json";

// Why a file is refused. Leaves this file as a Status.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <typename Subject>
struct Field {
  const char* key;
  uint64_t Subject::*value;
};
constexpr Field<ClassBooks> kClassFields[] = {
    {"size", &ClassBooks::block_bytes},
    {"allocated", &ClassBooks::allocated},
    {"freed", &ClassBooks::freed},
    {"live", &ClassBooks::live},
    {"cached", &ClassBooks::cached},
    {"transit", &ClassBooks::transit},
    {"free_in_pools", &ClassBooks::free_in_pools},
    {"runs", &ClassBooks::runs},
    {"refills", &ClassBooks::refills},
    {"flushes", &ClassBooks::flushes},
};
// Of reports since these are counted; zero elsewhere.
constexpr Field<ClassBooks> kSampleFields[] = {
    {"samples", &ClassBooks::samples},
    {"sampled_bytes", &ClassBooks::sampled_bytes},
};
constexpr Field<TierBooks> kTierFields[] = {
    {"allocated", &TierBooks::allocated},
    {"freed", &TierBooks::freed},
    {"live", &TierBooks::live},
    {"live_bytes", &TierBooks::live_bytes},
    {"requested_bytes", &TierBooks::requested_bytes},
};
constexpr Field<KernelBooks> kKernelFields[] = {
    {"accessible_bytes", &KernelBooks::accessible_bytes},
    {"rss_bytes", &KernelBooks::process_rss},
};
constexpr Field<KernelBooks> kResidentFields[] = {
    {"pools", &KernelBooks::resident_pools},
    {"huge", &KernelBooks::resident_huge},
    {"metadata", &KernelBooks::resident_metadata},
};
constexpr Field<Dump> kProcessFields[] = {
    {"id", &Dump::process},
    {"time_ms", &Dump::time_ms},
    {"threads", &Dump::threads},
    {"threads_peak", &Dump::threads_peak},
    {"threads_started", &Dump::threads_started},
};
constexpr Field<Dump> kDumpFields[] = {
    {"heaps", &Dump::heaps},
    {"regions", &Dump::regions},
    {"reserved_bytes", &Dump::reserved_bytes},
    {"purged_bytes", &Dump::purged_bytes},
    {"purge_calls", &Dump::purge_calls},
    {"mismatched_sizes", &Dump::mismatched_sizes},
};

// Short and of ASCII's printable characters, as Tally writes its strings.
std::string Cleaned(const std::string& text) {
  std::string cleaned = text.substr(0, kTextMax);
  std::replace_if(
      cleaned.begin(), cleaned.end(), [](char letter) { return letter < ' ' || letter > '~'; },
      '?');
  return cleaned;
}

// A value and where it stands in the file: "classes[3].live".
struct Place {
  const json& value;
  std::string name;

  Place Member(const char* key) const {
    if (!value.is_object()) {
      throw Refusal(absl::StrCat(name, " is not an object", kWriteAnew));
    }
    const std::string inner = name.empty() ? key : absl::StrCat(name, ".", key);
    const auto found = value.find(key);
    if (found == value.end()) {
      throw Refusal(absl::StrCat(inner, " is missing", kWriteAnew));
    }
    return {*found, inner};
  }

  uint64_t Number() const {
    if (!value.is_number_unsigned()) {
      throw Refusal(absl::StrCat(name, " is not a count", kWriteAnew));
    }
    const auto number = value.get<uint64_t>();
    if (number > kNumberMax) {
      throw Refusal(absl::StrCat(name, " is larger than any count can be", kWriteAnew));
    }
    return number;
  }

  std::string Text() const {
    if (!value.is_string()) {
      throw Refusal(absl::StrCat(name, " is not a string", kWriteAnew));
    }
    return Cleaned(value.get_ref<const std::string&>());
  }

  template <typename Subject, size_t kCount>
  void Read(const Field<Subject> (&fields)[kCount], Subject& subject) const {
    for (const Field<Subject>& field : fields) {
      subject.*field.value = Member(field.key).Number();
    }
  }
};

std::string ReadFile(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) {
    throw Refusal(absl::StrCat(std::strerror(errno), "; check the path"));
  }
  std::string text;
  char piece[1 << 16];
  size_t count;
  while ((count = std::fread(piece, 1, sizeof(piece), file.get())) > 0) {
    text.append(piece, count);
    if (text.size() > kReportBytesMax) {
      throw Refusal("is larger than 256 MB, which no report is; give another file");
    }
  }
  if (std::ferror(file.get()) != 0) {
    throw Refusal(absl::StrCat(std::strerror(errno), "; give a file that can be read"));
  }
  if (text.empty()) {
    throw Refusal("is empty; was the process still writing, or the disk full?");
  }
  return text;
}

json ParseJson(const std::string& text) {
  size_t values = 0;
  const auto limit = [&values](int depth, json::parse_event_t /*event*/, json& /*parsed*/) {
    if (depth > kDepthMax || ++values > kValuesMax) {
      throw Refusal("is JSON but not a Tally report; give one that has TALLY_STATS_FORMAT=json");
    }
    return true;
  };
  try {
    return json::parse(text, limit);
  } catch (const json::parse_error& error) {
    if (error.byte > text.size()) {
      throw Refusal("ends in the middle; copy or write it anew");
    }
    throw Refusal(absl::StrCat("is not JSON (byte ", error.byte, ")", kWriteAnew));
  } catch (const json::out_of_range&) {
    throw Refusal(absl::StrCat("has a number that no report has", kWriteAnew));
  }
}

void CheckSchema(const json& document) {
  const bool has_schema = document.is_object() && document.contains("schema") &&
                          document.contains("identity") && document.contains("process");
  if (!has_schema || !document["schema"].is_number_unsigned()) {
    throw Refusal("is JSON but not a Tally report; give one that has TALLY_STATS_FORMAT=json");
  }
  const auto schema = document["schema"].get<uint64_t>();
  if (schema != kSchema) {
    throw Refusal(absl::StrCat("has schema ", schema, ", and this tally knows ", kSchema,
                               "; use a tally as new as the library"));
  }
}

const IdentityTerm* KnownTerm(const std::string& key) {
  const auto* found = std::find_if(std::begin(kIdentityTerms), std::end(kIdentityTerms),
                                   [&key](const IdentityTerm& term) { return key == term.key; });
  return found == std::end(kIdentityTerms) ? nullptr : found;
}

void ReadIdentity(const Place& identity, Dump& dump) {
  dump.mapped_bytes = identity.Member("mapped_bytes").Number();
  const Place terms = identity.Member("terms");
  terms.Member("live");
  // One that came with a later version is not in the reports of an older one.
  for (const IdentityTerm& known : kIdentityTerms) {
    if (terms.value.contains(known.key)) {
      dump.terms.push_back({known.key, terms.Member(known.key).Number()});
    }
  }
  for (const auto& [key, value] : terms.value.items()) {
    if (KnownTerm(key) == nullptr) {
      const std::string name = Cleaned(key);
      dump.terms.push_back({name, Place{value, absl::StrCat(terms.name, ".", name)}.Number()});
    }
  }
  if (dump.terms.size() > kTermsMax) {
    throw Refusal(absl::StrCat(terms.name, " has more terms than any report", kWriteAnew));
  }
  const uint64_t sum =
      std::accumulate(dump.terms.begin(), dump.terms.end(), uint64_t{0},
                      [](uint64_t sum, const Term& term) { return sum + term.bytes; });
  if (sum != dump.mapped_bytes) {
    throw Refusal(absl::StrCat(terms.name, " sum to ", sum, ", not to mapped_bytes, ",
                               dump.mapped_bytes, kWriteAnew));
  }
}

void ReadClasses(const Place& classes, Dump& dump) {
  if (!classes.value.is_array() || classes.value.size() > kStatsClassesMax) {
    throw Refusal(absl::StrCat(classes.name, " is not a list of size classes", kWriteAnew));
  }
  uint64_t last_bytes = 0;
  for (size_t i = 0; i < classes.value.size(); ++i) {
    const Place place{classes.value[i], absl::StrCat(classes.name, "[", i, "]")};
    ClassBooks entry{};
    place.Read(kClassFields, entry);
    if (place.value.contains("samples")) {
      place.Read(kSampleFields, entry);
    }
    if (entry.block_bytes <= last_bytes) {
      throw Refusal(absl::StrCat(place.name, ".size does not ascend", kWriteAnew));
    }
    const uint64_t blocks_max = kNumberMax / entry.block_bytes;
    if (std::max({entry.live, entry.cached, entry.transit, entry.free_in_pools}) > blocks_max) {
      throw Refusal(absl::StrCat(place.name, " has more blocks than memory can hold", kWriteAnew));
    }
    last_bytes = entry.block_bytes;
    dump.classes.push_back(entry);
  }
}

void ReadKernel(const Place& kernel, Dump& dump) {
  dump.kernel = {};
  if (!kernel.value.is_null()) {
    kernel.Read(kKernelFields, dump.kernel);
    kernel.Member("resident").Read(kResidentFields, dump.kernel);
    dump.kernel.is_known = true;
  }
}

Dump ReadDocument(const json& document) {
  Dump dump{};
  CheckSchema(document);
  const Place root{document, ""};
  dump.version = root.Member("version").Text();
  const Place process = root.Member("process");
  process.Read(kProcessFields, dump);
  dump.command = process.Member("command").Text();
  ReadIdentity(root.Member("identity"), dump);
  ReadClasses(root.Member("classes"), dump);
  root.Member("large").Read(kTierFields, dump.large);
  root.Member("huge").Read(kTierFields, dump.huge);
  root.Read(kDumpFields, dump);
  ReadKernel(root.Member("kernel"), dump);
  return dump;
}

}  // namespace

absl::StatusOr<Dump> ReadDump(const std::string& path) {
  try {
    Dump dump = ReadDocument(ParseJson(ReadFile(path)));
    dump.path = path;
    return dump;
  } catch (const Refusal& refusal) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", refusal.what()));
  }
}

uint64_t Dump::term(std::string_view key) const {
  const auto found =
      std::find_if(terms.begin(), terms.end(), [key](const Term& term) { return term.key == key; });
  return found == terms.end() ? 0 : found->bytes;
}

const ClassBooks* Dump::FindClass(uint64_t block_bytes) const {
  const auto found = std::lower_bound(
      classes.begin(), classes.end(), block_bytes,
      [](const ClassBooks& entry, uint64_t bytes) { return entry.block_bytes < bytes; });
  return found == classes.end() || found->block_bytes != block_bytes ? nullptr : &*found;
}

uint64_t Dump::allocated_blocks() const {
  return std::accumulate(
      classes.begin(), classes.end(), large.allocated + huge.allocated,
      [](uint64_t sum, const ClassBooks& entry) { return sum + entry.allocated; });
}

uint64_t Dump::freed_blocks() const {
  return std::accumulate(classes.begin(), classes.end(), large.freed + huge.freed,
                         [](uint64_t sum, const ClassBooks& entry) { return sum + entry.freed; });
}

std::string TermTitle(const std::string& key) {
  const IdentityTerm* term = KnownTerm(key);
  return term == nullptr ? key : term->title;
}

std::string TermMeaning(const std::string& key) {
  const IdentityTerm* term = KnownTerm(key);
  return term == nullptr ? "" : term->meaning;
}

}  // namespace tally::tool
