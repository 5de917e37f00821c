// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Random operations on random graphs, against a model that knows the links and the roots of each
// object. What a root leads to must live at all times; after full collections nothing else may.
// Counts and weak references must agree as well.
//
// REFGC_MODEL_SEEDS and REFGC_MODEL_OPERATIONS say how long.

#include "tests/refgc/model.h"

#include <algorithm>
#include <cstdlib>

#include "gtest/gtest.h"

namespace refgc_test {

Thing::~Thing() { world->OnDestroy(*this); }
void Final::finalize() { world->OnFinalize(*this); }
void Huge::finalize() { world->OnFinalize(*this); }

// REQUIRES: there are roots.
Id World::AnyReachable() {
  Id id = roots_[Below(roots_.size())]->id;
  for (size_t steps = Below(4); steps > 0 && !entries_[id].links.empty(); --steps) {
    id = entries_[id].links[Below(entries_[id].links.size())];
  }
  return id;
}

Id World::NewEntry() {
  if (dead_.empty()) {
    entries_.emplace_back();
    return entries_.size() - 1;
  }
  const Id id = dead_.back();
  dead_.pop_back();
  entries_[id] = {};
  return id;
}

void World::Make() {
  const Id id = NewEntry();
  const size_t kind = Below(100);
  ref<Thing> made;
  // May collect, and so call back.
  if (kind < 60) {
    made = make<Thing>(this, id);
  } else if (kind < 80) {
    made = make<Final>(this, id);
  } else if (kind < 98) {
    made = make<Wide>(this, id);
  } else {
    made = make<Huge>(this, id);
  }
  entries_[id].object = made.get();
  entries_[id].serial = ++serial_;
  AddRoot(std::move(made));
}

void World::AddRoot(ref<Thing> r) {
  ++entries_[r->id].roots;
  roots_.push_back(std::move(r));
}

ref<Thing> World::TakeRoot(size_t at) {
  ref<Thing> taken = std::move(roots_[at]);
  roots_[at] = std::move(roots_.back());
  roots_.pop_back();
  --entries_[taken->id].roots;
  return taken;
}

void World::DropRoot() { TakeRoot(Below(roots_.size())); }

void World::Link(bool is_move) {
  const Id from = AnyReachable();
  if (entries_[from].links.size() >= kLinksMax) {
    return;
  }
  Thing* const holder = entries_[from].object;
  if (is_move) {  // `from` may become garbage by this, a loop of its own
    ref<Thing> root = TakeRoot(Below(roots_.size()));
    entries_[from].links.push_back(root->id);
    holder->links.push_back(std::move(root));
  } else {
    const Id to = AnyReachable();
    entries_[from].links.push_back(to);
    holder->links.push_back(refgc::ref_from_this(entries_[to].object));
  }
}

void World::Unlink() {
  const Id from = AnyReachable();
  Entry& entry = entries_[from];
  if (entry.links.empty()) {
    return;
  }
  const size_t at = Below(entry.links.size());
  auto& links = entry.object->links;
  const ref<Thing> gone = std::move(links[at]);  // dropped when both agree again
  links[at] = std::move(links.back());
  links.pop_back();
  entry.links[at] = entry.links.back();
  entry.links.pop_back();
}

void World::WatchWeakly() {
  const Id id = AnyReachable();
  const bool has_callback = OneIn(3);
  const ref<Thing> target = refgc::ref_from_this(entries_[id].object);
  const auto callback = [this] {
    if (!is_ending_) {
      OneIn(4) ? Lock() : void(OneIn(3) ? collect(static_cast<int>(Below(3))) : 0);
    }
  };
  const weak_ref<Thing> weak =
      has_callback ? weak_ref<Thing>(target, callback) : weak_ref<Thing>(target);
  if (OneIn(2)) {
    auto& weaks = entries_[AnyReachable()].object->weaks;
    weaks.resize(std::min<size_t>(weaks.size(), 3));
    weaks.push_back(weak);
  }
  if (OneIn(2)) {
    if (watches_.size() > 20) {
      watches_[Below(20)] = {weak, id, entries_[id].serial, has_callback};
    } else {
      watches_.push_back({weak, id, entries_[id].serial, has_callback});
    }
  }
}

// May bring back what no root leads to any more.
void World::Lock() {
  if (!watches_.empty()) {
    const Watch& watch = watches_[Below(watches_.size())];
    if (ref<Thing> locked = watch.weak.lock()) {
      ASSERT_EQ(locked->id, watch.id);
      ASSERT_EQ(entries_[watch.id].serial, watch.serial);
      ASSERT_EQ(entries_[watch.id].object, locked.get());
      AddRoot(std::move(locked));
    }
  }
}

void World::Collect() {
  if (OneIn(4)) {
    CheckExactly();
  } else {
    collect(static_cast<int>(Below(3)));
  }
}

void World::FreezeOrNot() {
  is_frozen_ ? gc::unfreeze() : gc::freeze();
  is_frozen_ = !is_frozen_;
}

void World::OnFinalize(Thing& thing) {
  ++finalized_;
  if (is_ending_) {
    return;
  }
  ASSERT_EQ(entries_[thing.id].object, &thing);
  ASSERT_EQ(entries_[thing.id].links.size(), thing.links.size());
  for (size_t i = 0; i < thing.links.size(); ++i) {
    ASSERT_EQ(thing.links[i]->id, entries_[thing.id].links[i]) << "a neighbour is not intact";
  }
  switch (Below(8)) {
    case 0:
      return AddRoot(refgc::ref_from_this(&thing));
    case 1: {
      entries_[thing.id].links.clear();
      const std::vector<ref<Thing>> gone = std::exchange(thing.links, {});
      return;
    }
    case 2:
      if (!thing.links.empty()) {
        AddRoot(thing.links[0]);
      }
      return;
    case 3:
      Make();
      entries_[thing.id].links.push_back(roots_.back()->id);
      thing.links.push_back(roots_.back());
      return;
    case 4:
      return Lock();
    case 5:
      collect(static_cast<int>(Below(3)));
      return;
    case 6:
      if (!roots_.empty()) {
        DropRoot();
      }
      return;
    default:
      return;
  }
}

void World::OnDestroy(Thing& thing) {
  ++deaths_;
  Entry& entry = entries_[thing.id];
  ASSERT_EQ(entry.object, &thing) << "destroyed twice, or never known";
  ASSERT_EQ(entry.roots, 0u) << "destroyed, though a root holds it";
  entry.object = nullptr;
  entry.links.clear();
  dead_.push_back(thing.id);
  if (!is_ending_ && OneIn(100)) {
    collect(static_cast<int>(Below(3)));
  }
}

void World::Mark() {
  for (Entry& entry : entries_) {
    entry.is_reached = false;
  }
  stack_.clear();
  const auto reach = [&](Id id) {
    if (!entries_[id].is_reached) {
      entries_[id].is_reached = true;
      stack_.push_back(id);
    }
  };
  for (const ref<Thing>& root : roots_) {
    reach(root->id);
  }
  while (!stack_.empty()) {
    const Id id = stack_.back();
    stack_.pop_back();
    for (const Id link : entries_[id].links) {
      reach(link);
    }
  }
}

void World::CheckReachable() {
  Mark();
  for (const Entry& entry : entries_) {
    ASSERT_TRUE(!entry.is_reached || entry.object != nullptr) << "destroyed too early";
  }
}

// Until nothing is found and no finaliser has run: those may have kept what they made.
void World::CollectAll() {
  for (uint64_t before = ~uint64_t{0}; before != finalized_ + deaths_;) {
    before = finalized_ + deaths_;
    found_ += collect();
  }
}

void World::CheckExactly() {
  if (is_frozen_) {
    FreezeOrNot();
  }
  CollectAll();
  Mark();
  std::vector<uint64_t> counts(entries_.size());
  for (const Entry& entry : entries_) {
    ASSERT_EQ(entry.object != nullptr, entry.is_reached) << "not as the roots have it";
    for (const Id link : entry.links) {
      ++counts[link];
    }
  }
  for (size_t id = 0; id < entries_.size(); ++id) {
    if (const Thing* object = entries_[id].object) {
      ASSERT_EQ(refgc::detail::header_of(object)->count, counts[id] + entries_[id].roots);
    }
  }
  for (const Watch& watch : watches_) {
    const Entry& entry = entries_[watch.id];
    const bool is_alive = entry.object != nullptr && entry.serial == watch.serial;
    // One with a callback is cleared where the object was garbage, and revived.
    ASSERT_TRUE(watch.weak.expired() == !is_alive || (watch.has_callback && is_alive));
  }
}

void World::Step() {
  const uint64_t deaths = deaths_;
  const size_t what = Below(100);
  if (roots_.empty() || (what < 25 && entries_.size() - dead_.size() < kEntriesMax)) {
    Make();
  } else if (what < 45) {
    Link(false);
  } else if (what < 55) {
    Link(true);
  } else if (what < 70) {
    Unlink();
  } else if (what < 88 || roots_.size() > kRootsMax) {
    DropRoot();
  } else if (what < 92) {
    WatchWeakly();
  } else if (what < 95) {
    Lock();
  } else if (what < 96) {
    FreezeOrNot();
  } else if (what < 99) {
    collect(static_cast<int>(Below(3)));
  } else {
    Collect();
  }
  if (deaths_ != deaths) {
    CheckReachable();
  }
}

void World::End() {
  CheckExactly();
  is_ending_ = true;
  for (Entry& entry : entries_) {
    entry.roots = 0;
  }
  roots_.clear();
  watches_.clear();
  CollectAll();
  EXPECT_EQ(dead_.size(), entries_.size()) << "objects are left";
}

namespace {

int from_environment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

TEST(RefgcModel, RandomOperations) {
  const int seeds = from_environment("REFGC_MODEL_SEEDS", 300);
  const int operations = from_environment("REFGC_MODEL_OPERATIONS", 10000);
  const int first = from_environment("REFGC_MODEL_FIRST_SEED", 1);
  uint64_t found = 0;
  uint64_t finalized = 0;
  uint64_t deaths = 0;
  for (int seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    {
      World world(static_cast<uint32_t>(seed));
      for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
        SCOPED_TRACE(testing::Message() << "operation " << i);
        world.Step();
      }
      found += world.found();
      finalized += world.finalized();
      deaths += world.deaths();
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  // The operations do what they are for.
  const uint64_t all = static_cast<uint64_t>(seeds) * static_cast<uint64_t>(operations);
  EXPECT_GT(deaths, all / 10);
  EXPECT_GT(finalized, all / 100);
  EXPECT_GT(found, all / 1000);
}

}  // namespace
}  // namespace refgc_test
