// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// lru_cache THOUSANDS: so many thousand look-ups in a cache of 65,536 entries: a hash table, and a
// doubly linked ring in the order of use with a sentinel.

#include <cstdio>
#include <utility>

#include BENCH_FAMILY
#include "bench/refgc/programs/numbers.h"

namespace {

constexpr size_t kCapacity = 65536;

struct Entry : bench::Object<Entry> {
  bench::Ref<Entry> newer{};
  bench::Back<Entry> older{};
  int64_t key = 0;
  int64_t value = 0;
  BENCH_TRACE(newer, older)
};

// The oldest is head->newer; the newest is head->older.
class Cache {
 public:
  Cache() {
    head_->newer = head_;
    head_->older = head_;
  }
  ~Cache() {
    while (!table_.empty()) {
      DropOldest();
    }
    head_->newer = nullptr;
  }

  int64_t LookUp(int64_t key) {
    const auto found = table_.find(key);
    if (found != table_.end()) {
      ++hits_;
      bench::Ref<Entry> entry = found->second;
      Unlink(*entry);
      Link(entry);
      return entry->value;
    }
    if (table_.size() == kCapacity) {
      DropOldest();
    }
    bench::Ref<Entry> entry = bench::Make<Entry>();
    entry->key = key;
    entry->value = key * 3;
    Link(entry);
    table_.emplace(key, entry);
    return entry->value;
  }
  int64_t hits() const { return hits_; }

 private:
  void Link(const bench::Ref<Entry>& entry) {
    const auto newest = bench::Follow(head_->older);
    entry->older = head_->older;
    entry->newer = head_;
    newest->newer = entry;
    head_->older = entry;
  }
  static void Unlink(Entry& entry) {
    const auto older = bench::Follow(entry.older);
    entry.newer->older = entry.older;
    older->newer = entry.newer;
  }
  void DropOldest() {
    const bench::Ref<Entry> oldest = head_->newer;
    Unlink(*oldest);
    table_.erase(oldest->key);
  }

  bench::Map<int64_t, bench::Ref<Entry>> table_;
  bench::Ref<Entry> head_ = bench::Make<Entry>();
  int64_t hits_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  bench::Start();
  const int times = bench::Size(argc, argv) * 1000;
  Cache cache;
  bench::Numbers numbers(1);
  int64_t sum = 0;
  for (int i = 0; i < times; ++i) {
    const int64_t range = numbers.Below(4) == 0 ? 400000 : 50000;
    sum += cache.LookUp(numbers.Below(range));
  }
  printf("%lld %lld\n", static_cast<long long>(sum), static_cast<long long>(cache.hits()));
}
