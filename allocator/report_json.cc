// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// For scripts.

#include "allocator/objects_books.h"
#include "allocator/report_formats.h"

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
  for (size_t c = 1; c < kStatsClassesMax; ++c) {
    const ClassBooks& entry = books.classes[c];
    if (entry.was_used()) {
      out << separator;
      Object object(out);
      object.Number("size", entry.block_bytes);
      WriteFields(object, entry, kClassFields);
      object.Number("requested_estimate", entry.requested_estimate());
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
  object.Number("minor_faults", kernel.minor_faults);
  object.Number("major_faults", kernel.major_faults);
  object.Name("resident");
  {
    Object resident(out);
    resident.Number("pools", kernel.resident_pools);
    resident.Number("huge", kernel.resident_huge);
    resident.Number("metadata", kernel.resident_metadata);
    resident.Number("not_ours", kernel.not_ours());
  }
  object.Name("resident_pools");
  Object pools(out);
  pools.Number("blocks", kernel.resident_blocks);
  pools.Number("large", kernel.resident_large);
  pools.Number("free", kernel.resident_free);
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

// [{...}, ...] of the leaves of a kind.
template <typename Entry, typename WriteEntry>
void WriteEntries(Text& out, const Report& report, LeafKind kind, WriteEntry write_entry) {
  const char* separator = "\n";
  out << '[';
  report.ForEachEntry<Entry>(kind, [&](const Entry& entry) {
    out << separator;
    Object object(out);
    write_entry(object, entry);
    separator = ",\n";
  });
  out << ']';
}

void WriteHeaps(Text& out, const Report& report) {
  WriteEntries<HeapBooks>(out, report, LeafKind::kHeaps,
                          [](Object& object, const HeapBooks& entry) {
                            object.Number("heap", entry.heap);
                            object.Number("threads", entry.threads);
                            object.Number("refills", entry.refills);
                            object.Number("flushes", entry.flushes);
                            object.Number("depot_blocks", entry.depot_blocks);
                            object.Number("inbox_blocks", entry.inbox_blocks);
                          });
}

void WriteThreads(Text& out, const Report& report) {
  WriteEntries<ThreadBooks>(out, report, LeafKind::kThreads,
                            [](Object& object, const ThreadBooks& entry) {
                              object.Number("thread", entry.thread);
                              object.Number("heap", entry.heap);
                              object.Number("allocated", entry.allocated);
                              object.Number("cached", entry.cached);
                              object.Number("cached_bytes", entry.cached_bytes);
                              object.Number("transit", entry.transit);
                              object.Number("magazine_bytes", entry.magazine_bytes);
                              object.Number("slow_ns", entry.slow_ns);
                            });
}

// Only where a library of objects is in the process.
void WriteObjects(Object& object) {
  if (objects_hook == nullptr) {
    return;
  }
  ObjectTypeBooks types[kObjectTypesMax];
  const size_t count = objects_hook(types, kObjectTypesMax);
  Text& out = object.Name("objects");
  out << '[';
  for (size_t i = 0; i < count; ++i) {
    out << (i == 0 ? "\n" : ",\n");
    Object entry(out);
    WriteString(entry.Name("type"), types[i].name);
    entry.Number("count", types[i].count);
    entry.Number("bytes", types[i].bytes);
  }
  out << ']';
}

}  // namespace

void WriteJson(Text& out, const Report& report) {
  const Books& books = report.books;
  {
    Object object(out);
    object.Number("schema", 1);
    WriteString(object.Name("version"), report.version);
    WriteProcess(object.Name("process"), report);
    WriteIdentity(object.Name("identity"), books);
    WriteClasses(object.Name("classes"), books);
    WriteTier(object.Name("large"), books.large);
    WriteTier(object.Name("huge"), books.huge);
    WriteFields(object, books, kTotalFields);
    WriteHeaps(object.Name("heap_list"), report);
    WriteThreads(object.Name("thread_list"), report);
    WriteObjects(object);
    WriteKernel(object.Name("kernel"), report.kernel);
  }
  out << '\n';
}

}  // namespace tally
