// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// For scripts.

#include "allocator/report_formats.h"
#include "allocator/size_class.h"

namespace tally {
namespace {

// `"name":value`, and a comma before all but the first of an object.
class Object {
 public:
  explicit Object(Text& out) : out_(out) { out_ << '{'; }
  ~Object() { out_ << '}'; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Text& Name(const char* name) {
    out_ << (is_first_ ? "\"" : ",\"") << name << "\":";
    is_first_ = false;
    return out_;
  }
  void Number(const char* name, uint64_t value) { Name(name) << value; }

 private:
  Text& out_;
  bool is_first_ = true;
};

void WriteString(Text& out, const char* text) {
  out << '"';
  for (; *text != '\0'; ++text) {
    if (*text == '"' || *text == '\\') {
      out << '\\';
    }
    out << *text;
  }
  out << '"';
}

template <typename Subject, size_t kCount>
void WriteFields(Object& object, const Subject& subject, const Field<Subject> (&fields)[kCount]) {
  for (const Field<Subject>& field : fields) {
    object.Number(field.key, subject.*field.value);
  }
}

void WriteClasses(Text& out, const Books& books) {
  const char* separator = "\n";
  out << '[';
  for (size_t c = 1; c < kClassCount; ++c) {
    const ClassBooks& entry = books.classes[c];
    if (entry.was_used()) {
      out << separator;
      Object object(out);
      object.Number("size", BlockBytes(static_cast<SizeClass>(c)));
      WriteFields(object, entry, kClassFields);
      separator = ",\n";
    }
  }
  out << ']';
}

void WriteTier(Text& out, const TierBooks& tier) {
  Object object(out);
  WriteFields(object, tier, kTierFields);
}

void WriteIdentity(Text& out, const Books& books) {
  Object object(out);
  object.Number("mapped_bytes", books.mapped_bytes);
  object.Name("holds") << (books.identity.sum() == books.mapped_bytes ? "true" : "false");
  object.Name("terms");
  Object terms(out);
  for (const IdentityTerm& term : kIdentityTerms) {
    terms.Number(term.key, books.identity.*term.bytes);
  }
}

void WriteKernel(Text& out, const KernelBooks& kernel) {
  if (!kernel.is_known) {
    out << "null";
    return;
  }
  Object object(out);
  object.Number("accessible_bytes", kernel.accessible_bytes);
  object.Number("rss_bytes", kernel.process_rss);
  object.Name("resident");
  Object resident(out);
  resident.Number("pools", kernel.resident_pools);
  resident.Number("huge", kernel.resident_huge);
  resident.Number("metadata", kernel.resident_metadata);
  resident.Number("not_ours", kernel.not_ours());
}

void WriteProcess(Text& out, const Report& report) {
  Object object(out);
  object.Number("id", static_cast<uint64_t>(report.process));
  WriteString(object.Name("command"), report.command);
  object.Number("time_ms", report.time_ms);
  object.Number("threads", report.books.live_threads);
  object.Number("threads_peak", report.books.peak_threads);
  object.Number("threads_started", report.books.threads_started);
}

}  // namespace

void WriteJson(Text& out, const Report& report) {
  const Books& books = report.books;
  {
    Object object(out);
    object.Number("schema", 1);
    WriteString(object.Name("version"), TALLY_VERSION);
    WriteProcess(object.Name("process"), report);
    WriteIdentity(object.Name("identity"), books);
    WriteClasses(object.Name("classes"), books);
    WriteTier(object.Name("large"), books.large);
    WriteTier(object.Name("huge"), books.huge);
    object.Number("heaps", books.heaps);
    object.Number("regions", books.regions);
    object.Number("reserved_bytes", books.reserved_bytes);
    object.Number("purged_bytes", books.purged_bytes);
    object.Number("purge_calls", books.purge_calls);
    object.Number("mismatched_sizes", books.mismatched_sizes);
    WriteKernel(object.Name("kernel"), report.kernel);
  }
  out << '\n';
}

}  // namespace tally
