// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A cache that drops what was used least recently: a map, and a doubly linked list through its
// entries. Neighbours hold each other, so every link is a cycle; nothing of it is weak.
//
// Who is evicted is unlinked, and freed at once by its count. A cache that is dropped as a whole
// leaves its list behind as cycles: the collector's.

#include <refgc/refgc.h>

#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

int entries_alive = 0;

struct Entry {
  Entry(refgc::ref<refgc::str> k, refgc::ref<refgc::str> v)
      : key(std::move(k)), value(std::move(v)) {
    ++entries_alive;
  }
  ~Entry() { --entries_alive; }

  refgc::ref<refgc::str> key;
  refgc::ref<refgc::str> value;
  refgc::ref<Entry> newer;
  refgc::ref<Entry> older;
  REFGC_TRACE(key, value, newer, older)
};

class Cache {
 public:
  explicit Cache(size_t capacity) : capacity_(capacity) {}

  // Null where it is not known.
  refgc::ref<Entry> find(const refgc::ref<refgc::str>& key) {
    const auto at = by_key_.find(key);
    if (at == by_key_.end()) {
      return nullptr;
    }
    refgc::ref<Entry> entry = at->second;
    unlink(*entry);
    link_newest(entry);
    return entry;
  }

  void put(const refgc::ref<refgc::str>& key, refgc::ref<refgc::str> value) {
    if (refgc::ref<Entry> entry = find(key)) {
      entry->value = std::move(value);
      return;
    }
    if (by_key_.size() == capacity_) {
      const refgc::ref<Entry> victim = oldest_;
      unlink(*victim);
      by_key_.erase(victim->key);
    }
    auto entry = refgc::make<Entry>(key, std::move(value));
    by_key_.emplace(key, entry);
    link_newest(entry);
  }

  std::string keys_newest_first() const {
    std::string text;
    for (const Entry* e = newest_.get(); e != nullptr; e = e->older.get()) {
      text += (text.empty() ? "" : " ") + std::string(e->key->view());
    }
    return text;
  }

 private:
  void unlink(Entry& entry) {
    (entry.newer ? entry.newer->older : newest_) = entry.older;
    (entry.older ? entry.older->newer : oldest_) = entry.newer;
    entry.newer = entry.older = nullptr;
  }
  void link_newest(const refgc::ref<Entry>& entry) {
    entry->older = newest_;
    (newest_ ? newest_->newer : oldest_) = entry;
    newest_ = entry;
  }

  size_t capacity_;
  std::unordered_map<refgc::ref<refgc::str>, refgc::ref<Entry>> by_key_;
  refgc::ref<Entry> newest_;
  refgc::ref<Entry> oldest_;

 public:
  REFGC_TRACE(by_key_, newest_, oldest_)
};

// A fresh string each time: equal to the one in the cache, and not the same object.
refgc::ref<refgc::str> key_of(int i) { return refgc::make_str("key " + std::to_string(i)); }

}  // namespace

int main() {
  refgc::gc::disable();  // so that the counts below depend on nothing else
  auto cache = refgc::make<Cache>(3);
  for (int i = 1; i <= 3; ++i) {
    cache->put(key_of(i), refgc::make_str(std::to_string(i * i)));
  }
  std::printf("filled: %s; %d entries\n", cache->keys_newest_first().c_str(), entries_alive);

  const refgc::weak_ref<Entry> watched = cache->find(key_of(1));
  std::printf("used 1: %s\n", cache->keys_newest_first().c_str());
  cache->put(key_of(4), refgc::make_str("16"));
  std::printf("put 4: %s; %d entries\n", cache->keys_newest_first().c_str(), entries_alive);
  std::printf("key 2 %s, key 1 is %s\n", cache->find(key_of(2)) ? "stayed" : "was evicted",
              watched.lock()->value->c_str());

  // Who is unlinked before it is dropped leaves nothing behind for the collector.
  for (int i = 0; i < 10000; ++i) {
    cache->put(key_of(i), refgc::make_str("x"));
  }
  std::printf("10000 puts: %d entries, watched one %s, collect() finds %zu\n", entries_alive,
              watched.expired() ? "gone" : "there", refgc::collect());

  cache.reset();
  std::printf("cache dropped: %d entries wait in cycles\n", entries_alive);
  std::printf("collect() finds %zu", refgc::collect());
  std::printf("; %d entries\n", entries_alive);
  return entries_alive;
}
