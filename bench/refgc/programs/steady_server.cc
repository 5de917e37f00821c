// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// steady_server THOUSANDS: 100,000 sessions of ten objects each live throughout; so many thousand
// requests each make ten objects that die with them. One request in a hundred replaces a session,
// whose items know it: so one object in a hundred dies in a cycle. Prints what batches of a
// thousand requests took.

#include <cstdio>
#include <utility>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

constexpr int kSessions = 100000;
constexpr int kItems = 9;
constexpr int kFields = 8;
constexpr int kBatch = 1000;

struct Session;
struct Item : bench::Object<Item> {
  bench::Back<Session> session{};
  int64_t value = 0;
  BENCH_TRACE(session)
};
struct Session : bench::Object<Session> {
  bench::Ref<Item> items[kItems]{};
  int64_t requests = 0;
  BENCH_TRACE(items)
};

// A request and its answer, each with a list of fields.
struct Field : bench::Object<Field> {
  bench::Ref<Field> next{};
  int64_t value = 0;
  BENCH_TRACE(next)
};
struct Request : bench::Object<Request> {
  bench::Ref<Session> session{};
  bench::Ref<Field> fields{};
  BENCH_TRACE(session, fields)
};

bench::Ref<Session> MakeSession(int64_t value) {
  bench::Ref<Session> session = bench::Make<Session>();
  for (int i = 0; i < kItems; ++i) {
    session->items[i] = bench::Make<Item>();
    session->items[i]->session = session;
    session->items[i]->value = value + i;
  }
  return session;
}

int64_t Answer(const bench::Ref<Request>& request, int64_t which) {
  const bench::Ref<Request> answer = bench::Make<Request>();
  const bench::Ref<Item> item = request->session->items[which];
  answer->session = bench::Follow(item->session);
  answer->session->requests += 1;
  int64_t sum = item->value;
  for (const Field* field = &*request->fields; field != nullptr;
       field = field->next ? &*field->next : nullptr) {
    sum += field->value;
  }
  return sum + answer->session->requests;
}

int64_t Serve(const bench::Ref<Session>& session, int64_t which) {
  const bench::Ref<Request> request = bench::Make<Request>();
  request->session = session;
  for (int i = 0; i < kFields; ++i) {
    bench::Ref<Field> field = bench::Make<Field>();
    field->value = which + i;
    field->next = std::move(request->fields);
    request->fields = std::move(field);
  }
  return Answer(request, which);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Start();
  const int batches = bench::Size(argc, argv);
  bench::Numbers numbers(1);
  bench::Array<bench::Ref<Session>> sessions;
  for (int i = 0; i < kSessions; ++i) {
    sessions.push_back(MakeSession(i));
  }
  std::vector<double> times_us;
  int64_t sum = 0;
  for (int batch = 0; batch < batches; ++batch) {
    const double start_us = bench::NowUs();
    for (int i = 0; i < kBatch; ++i) {
      const int64_t place = numbers.Below(kSessions);
      if (i % 100 == 0) {
        sessions[place] = MakeSession(batch + i);
      }
      sum += Serve(sessions[place], numbers.Below(kItems));
    }
    times_us.push_back(bench::NowUs() - start_us);
  }
  printf("%lld\n", static_cast<long long>(sum));
  bench::PrintPauses(&times_us);
}
